//! A host as a user names it: `host` or `host:port`, and what is below a name. `--insecure`, `resolve`
//! and `no_proxy` each take some such hosts, and read them here alike.

use url::Host;

/// Reads `host` or `host:port` by the rules of URLs; `None` where it is neither. An address of IPv6
/// stands in brackets, since its last part and a port look alike. `*` stands for no part of a name.
pub(super) fn read(text: &str) -> Option<(Host, Option<u16>)> {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port.parse().ok()?)),
        _ => (text, None),
    };
    let host = Host::parse(host).ok()?;
    let has_star = matches!(&host, Host::Domain(name) if name.contains('*'));
    (!has_star).then_some((host, port))
}

/// Whether a host is below a name, by its labels.
pub(super) fn is_below(host: &str, name: &str) -> bool {
    host.strip_suffix(name).is_some_and(|rest| rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_read_with_its_port() {
        for (text, host, port) in [
            ("A.example", "a.example", None),
            ("a.example:443", "a.example", Some(443)),
            ("127.0.0.1:1", "127.0.0.1", Some(1)),
            ("[::1]", "[::1]", None),
            ("[::1]:2", "[::1]", Some(2)),
            ("bücher.example:1", "xn--bcher-kva.example", Some(1)),
        ] {
            let (found, at) = read(text).expect(text);
            assert_eq!((found.to_string().as_str(), at), (host, port), "{text}");
        }
        for text in [
            "",
            ":",
            ":80",
            "::1",
            "::1:80",
            "a.example:",
            "a.example:x",
            "a.example:99999",
            "[::1]x",
            "[::1",
            "https://a.example",
            "a.example/x",
            "u@a.example",
            "a b",
            "*.a.example",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn below_a_name_is_what_has_labels_before_it() {
        for (host, below) in
            [("x.a.example", true), ("x.y.a.example", true), ("a.example", false), ("xa.example", false)]
        {
            assert_eq!(is_below(host, "a.example"), below, "{host}");
        }
    }
}

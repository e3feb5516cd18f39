//! Where a URL leads: its origin (RFC 6454, 4), its host and port, and what messages show of it. Every
//! rule about who may be told what asks here whether two URLs are of one server.

use url::{Position, Url};

/// Whether two URLs have the same scheme, host and port. Nothing is copied: this is asked for every
/// request.
#[must_use]
pub fn same_origin(a: &Url, b: &Url) -> bool {
    a.scheme() == b.scheme()
        && a.host_str() == b.host_str()
        && a.port_or_known_default() == b.port_or_known_default()
}

/// `host:port`, the port spelt out.
#[must_use]
pub fn host_and_port(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port_or_known_default().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// A URL as messages show it: origin and path. The query may hold secrets, and so may what stands
/// before the host.
#[must_use]
pub fn place(url: &Url) -> String {
    let (host, path) =
        (&url[Position::BeforeHost..Position::AfterPort], &url[Position::BeforePath..Position::AfterPath]);
    format!("{}://{host}{path}", url.scheme())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).expect("a URL")
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        for (a, b, same) in [
            ("http://a.example/x", "http://A.example:80/y?z#w", true),
            ("http://u:p@a.example/", "http://a.example/", true),
            ("http://a.example/", "https://a.example/", false),
            ("http://a.example:443/", "https://a.example/", false),
            ("http://a.example/", "http://b.a.example/", false),
            ("https://a.example/", "https://a.example:8443/", false),
        ] {
            assert_eq!(same_origin(&url(a), &url(b)), same, "{a} {b}");
        }
    }

    #[test]
    fn the_port_is_spelt_out() {
        for (text, expected) in [
            ("http://a/x?q=1", "a:80"),
            ("https://a.example", "a.example:443"),
            ("http://u:p@[::1]:8080/", "[::1]:8080"),
        ] {
            assert_eq!(host_and_port(&url(text)), expected);
        }
    }

    #[test]
    fn a_place_shows_neither_query_nor_password() {
        assert_eq!(place(&url("https://u:p@a.example:8443/x/y?token=z#w")), "https://a.example:8443/x/y");
    }
}

//! `resolve: { host: address }`: where a host is, whatever the name service says. The name stays in
//! the URL, in `Host` and in what TLS checks.

use std::net::IpAddr;
use std::sync::Arc;

use url::{Host, Url};

use crate::ground::read::Reading;
use crate::ground::yaml::Node;
use crate::parts::http::host;

/// Addresses by host, some for one port only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Resolve(Arc<[Entry]>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    host: String,
    port: Option<u16>,
    address: IpAddr,
}

impl Resolve {
    /// Reads `resolve:`; mistakes are reported.
    pub(super) fn read(node: &Node, reading: &Reading) -> Option<Self> {
        let entries: Vec<Option<Entry>> = reading
            .entries(node, "resolve")?
            .iter()
            .map(|(key, value)| {
                let host = name_and_port(&key.text);
                if host.is_none() {
                    let help = "write `api.example.com: 127.0.0.1`, or `api.example.com:8443: 127.0.0.1`";
                    reading.error_with(
                        key.span,
                        format!("`{}` cannot be the name of a host", key.text),
                        help,
                    );
                }
                let text = reading.text(value, "resolve")?;
                let bare = text.text.trim_start_matches('[').trim_end_matches(']');
                let address = bare.parse().ok();
                if address.is_none() {
                    let message = format!("`{}` is not an IP address", text.text);
                    reading.error_with(
                        value.span,
                        message,
                        "write one like 127.0.0.1 or ::1, without a port",
                    );
                }
                let (host, port) = host?;
                Some(Entry { host, port, address: address? })
            })
            .collect();
        Some(Self(entries.into_iter().collect::<Option<Arc<[_]>>>()?))
    }

    /// Lays it over what `defaults` says, host by host.
    #[must_use]
    pub(super) fn overlay(&self, defaults: &Self) -> Self {
        let own = |entry: &&Entry| self.0.iter().any(|own| own.host == entry.host && own.port == entry.port);
        let missing = defaults.0.iter().filter(|entry| !own(entry));
        Self(self.0.iter().chain(missing).cloned().collect())
    }

    /// Where the host of a URL is; what is said for its port outranks what is said for all.
    #[must_use]
    pub(super) fn find(&self, url: &Url) -> Option<(String, IpAddr)> {
        let Some(Host::Domain(host)) = url.host() else { return None };
        let port = url.port_or_known_default();
        let named = || self.0.iter().filter(|entry| entry.host == host);
        let found =
            named().find(|entry| entry.port == port).or_else(|| named().find(|e| e.port.is_none()))?;
        Some((found.host.clone(), found.address))
    }
}

/// The name of a host, in the form of URLs, and the port behind it.
fn name_and_port(text: &str) -> Option<(String, Option<u16>)> {
    match host::read(text)? {
        (Host::Domain(name), port) => Some((name, port)),
        (Host::Ipv4(_) | Host::Ipv6(_), _) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ground::source::Source;
    use crate::ground::yaml;

    fn read(text: &str) -> Result<Resolve, String> {
        let source = Source::text("t", text);
        let node = yaml::read(&source).expect("the YAML is right");
        let reading = Reading::new(&source);
        Resolve::read(&node, &reading).ok_or_else(|| reading.finish().render(false))
    }

    #[test]
    fn a_port_outranks_its_host_and_a_step_its_defaults() {
        let own = read("{ A.example: 127.0.0.1, 'a.example:81': '::1' }").expect("right");
        let all = own.overlay(&read("{ a.example: 9.9.9.9, b.example: '[::2]' }").expect("right"));
        for (url, address) in [
            ("http://a.example/", Some("127.0.0.1")),
            ("http://a.example:81/", Some("::1")),
            ("https://b.example/", Some("::2")),
            ("http://c.example/", None),
            ("http://127.0.0.1/", None),
        ] {
            let found = all.find(&url.parse().expect("a URL")).map(|(_, address)| address.to_string());
            assert_eq!(found.as_deref(), address, "{url}");
        }
    }

    #[test]
    fn an_entry_is_a_name_and_an_address() {
        for (text, why) in [
            ("{ a.example: localhost }", "`localhost` is not an IP address"),
            ("{ a.example: '127.0.0.1:80' }", "is not an IP address"),
            ("{ 127.0.0.1: 127.0.0.2 }", "`127.0.0.1` cannot be the name of a host"),
            ("{ 'a b': 127.0.0.2 }", "cannot be the name of a host"),
            ("{ '*.a.example': 127.0.0.2 }", "`*.a.example` cannot be the name of a host"),
            ("{ 'a.example:99999': 127.0.0.2 }", "cannot be the name of a host"),
            ("127.0.0.1", "must be a map"),
        ] {
            let error = read(text).expect_err(text);
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}

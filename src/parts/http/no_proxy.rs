//! `no_proxy`: the servers that are asked directly, past the proxy. The forms are those that the
//! variable `NO_PROXY` has in most tools, which nobody ever wrote down as a standard; no variable is
//! read for it.

use std::net::{IpAddr, Ipv6Addr};

use url::{Host, Url};

use crate::parts::http::host::{self, is_below};

/// What to write, for whoever wrote something else.
pub(super) const HELP: &str =
    "write example.com (and all below it), .example.com (only what is below), 10.0.0.0/8, ::1, or *";

/// One entry: a name, an address or a network, and one port of them where it names one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NoProxy {
    servers: Servers,
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Servers {
    /// All.
    All,
    /// A host by its name, and all below it.
    Name(String),
    /// What is below a name.
    Below(String),
    /// The addresses that begin with the same bits.
    Network(IpAddr, u32),
}

impl NoProxy {
    /// Reads one entry; `None` where it is none.
    #[must_use]
    pub(super) fn read(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self { servers: Servers::All, port: None });
        }
        if let Some((address, bits)) = text.split_once('/') {
            let (address, bits): (IpAddr, u32) = (address.parse().ok()?, bits.parse().ok()?);
            let fits = bits <= if address.is_ipv4() { 32 } else { 128 };
            return fits.then_some(Self { servers: Servers::Network(address, bits), port: None });
        }
        if let Ok(address) = text.parse::<Ipv6Addr>() {
            return Some(Self { servers: Servers::address(address.into()), port: None });
        }
        let below = text.strip_prefix("*.").or_else(|| text.strip_prefix('.'));
        let (host, port) = host::read(below.unwrap_or(text))?;
        let servers = match host {
            Host::Domain(name) if below.is_some() => Servers::Below(name),
            Host::Domain(name) => Servers::Name(name),
            Host::Ipv4(address) if below.is_none() => Servers::address(address.into()),
            Host::Ipv6(address) if below.is_none() => Servers::address(address.into()),
            Host::Ipv4(_) | Host::Ipv6(_) => return None,
        };
        Some(Self { servers, port })
    }

    /// Whether the server of a URL is one of them. A name is not looked up: what the URL says counts.
    #[must_use]
    pub(super) fn covers(&self, url: &Url) -> bool {
        let at_port = self.port.is_none_or(|port| url.port_or_known_default() == Some(port));
        at_port && url.host().is_some_and(|host| self.servers.cover(&host))
    }
}

impl Servers {
    const fn address(address: IpAddr) -> Self {
        Self::Network(address, if address.is_ipv4() { 32 } else { 128 })
    }

    fn cover(&self, host: &Host<&str>) -> bool {
        match (self, host) {
            (Self::All, _) => true,
            (Self::Name(name), Host::Domain(host)) => host == name || is_below(host, name),
            (Self::Below(name), Host::Domain(host)) => is_below(host, name),
            (Self::Network(IpAddr::V4(network), bits), Host::Ipv4(address)) => {
                same_bits(network.to_bits().into(), address.to_bits().into(), 32 - bits)
            }
            (Self::Network(IpAddr::V6(network), bits), Host::Ipv6(address)) => {
                same_bits(network.to_bits(), address.to_bits(), 128 - bits)
            }
            _ => false,
        }
    }
}

/// Whether two addresses are the same but for so many bits at their end.
fn same_bits(one: u128, other: u128, but: u32) -> bool {
    (one ^ other).checked_shr(but).unwrap_or(0) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_covers_the_servers_that_it_names() {
        for (entry, covered, others) in [
            ("*", &["http://a.example/", "http://[::1]/"][..], &[][..]),
            (
                "A.example",
                &["http://a.example/", "https://x.y.a.example:8443/"],
                &["http://ba.example/", "http://example/", "http://a.example.evil/"],
            ),
            (".a.example", &["http://x.a.example/"], &["http://a.example/", "http://xa.example/"]),
            ("*.a.example", &["http://x.a.example/"], &["http://a.example/"]),
            ("localhost:8080", &["http://localhost:8080/"], &["http://localhost/"]),
            ("a.example:443", &["https://a.example/"], &["http://a.example/"]),
            ("127.0.0.1", &["http://127.0.0.1:81/"], &["http://127.0.0.2/", "http://localhost/"]),
            ("127.0.0.1:81", &["http://127.0.0.1:81/"], &["http://127.0.0.1/"]),
            ("10.0.0.0/8", &["http://10.255.0.1/"], &["http://11.0.0.1/", "http://10.example/"]),
            ("0.0.0.0/0", &["http://9.9.9.9/"], &["http://[::1]/"]),
            ("192.168.1.7/32", &["http://192.168.1.7/"], &["http://192.168.1.6/"]),
            ("::1", &["http://[::1]:81/"], &["http://[::2]/"]),
            ("[::1]:81", &["http://[::1]:81/"], &["http://[::1]/"]),
            ("fe80::/10", &["http://[fe81::1]/"], &["http://[fec0::1]/"]),
            ("::/0", &["http://[::1]/"], &["http://127.0.0.1/"]),
        ] {
            let no_proxy = NoProxy::read(entry).expect(entry);
            let covers = |url: &&str| no_proxy.covers(&Url::parse(url).expect("a URL"));
            assert!(covered.iter().all(covers), "{entry}");
            assert!(!others.iter().any(covers), "{entry}");
        }
    }

    #[test]
    fn what_is_no_entry_is_refused() {
        for text in [
            "",
            ".",
            "http://a.example",
            "a b",
            "10.0.0.0/33",
            "10.0/8",
            "::/129",
            "a:x",
            ".1.2.3.4",
            "*.*",
            "a.*.example",
            "**",
            "a/8",
        ] {
            assert_eq!(NoProxy::read(text), None, "{text}");
        }
    }
}

//! Which hosts get a cookie. A server may set one for itself and for what is below its own site,
//! but for no public suffix: `Domain=co.uk` would reach half a country.

use url::{Host, Url};

use crate::parts::http::host::is_below;

/// The hosts that a cookie goes to.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Reach {
    /// In lower case, without a dot at either end.
    pub(super) domain: String,
    /// Whether it goes to that host alone.
    host_only: bool,
}

impl Reach {
    /// What a `Domain` attribute in an answer from `url` asks for; `None` where it may not. An
    /// empty attribute is none (RFC 6265, 5.2.3).
    pub(super) fn new(attribute: Option<&str>, url: &Url) -> Option<Self> {
        let host = host(url)?;
        let only = Self { domain: host.clone(), host_only: true };
        let asked = attribute.unwrap_or_default().trim_matches('.');
        if asked.is_empty() {
            return Some(only);
        }
        // The URL standard brings case and punycode into one form.
        let domain = match Host::parse(asked).ok()? {
            Host::Domain(domain) => domain.trim_end_matches('.').to_owned(),
            Host::Ipv4(address) => address.to_string(),
            Host::Ipv6(address) => address.to_string(),
        };
        let is_name = matches!(url.host(), Some(Host::Domain(_)));
        if !is_name || is_public_suffix(&domain) {
            return (domain == host).then_some(only);
        }
        let reach = Self { domain, host_only: false };
        reach.covers(&host).then_some(reach)
    }

    /// One that was saved; `None` where none could be such.
    pub(super) fn saved(domain: String, host_only: bool) -> Option<Self> {
        let is_host = !domain.is_empty() && !domain.starts_with('.') && !domain.ends_with('.');
        let is_site =
            host_only || matches!(Host::parse(&domain), Ok(Host::Domain(_))) && !is_public_suffix(&domain);
        (is_host && is_site).then_some(Self { domain, host_only })
    }

    /// Whether it is one host alone.
    pub(super) const fn is_host_only(&self) -> bool {
        self.host_only
    }

    /// Whether a host is within it.
    pub(super) fn covers(&self, host: &str) -> bool {
        host == self.domain || !self.host_only && is_below(host, &self.domain)
    }
}

/// The host of a URL without the dot that may end it.
pub(super) fn host(url: &Url) -> Option<String> {
    match url.host()? {
        Host::Domain(name) => Some(name.trim_end_matches('.').to_owned()),
        Host::Ipv4(address) => Some(address.to_string()),
        Host::Ipv6(address) => Some(address.to_string()),
    }
}

/// By the public suffix list, whose last rule is that every top level is one, known or not.
fn is_public_suffix(domain: &str) -> bool {
    psl::suffix_str(domain) == Some(domain)
}

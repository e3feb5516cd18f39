//! How a request travels: `redirects`, `cookies`, `tls`, `proxy`, `resolve` and `http_version`.
//!
//! What was typed is a [`ChannelSpec`], merged with `defaults`; what a rendered request carries is
//! a [`Channel`], and none at all where nothing is said. A client of reqwest is fixed to its
//! channel: two requests of equal channels share their connections.

use std::net::IpAddr;
use std::sync::Arc;

use reqwest::ClientBuilder;
use url::Url;

use crate::ground::read::{Fields, Reading};
use crate::ground::yaml::Node;
use crate::parts::http::message::Limits;
use crate::parts::http::proxy::{Proxy, ProxySpec};
use crate::parts::http::redirect::RedirectsSpec;
use crate::parts::http::resolve::Resolve;
use crate::parts::http::tls::{Tls, TlsSpec, Unbuilt};
use crate::parts::scope::Scope;
use crate::parts::template::{Error, Mention};

/// What the user wrote of how a request travels.
#[derive(Debug, Clone, Default)]
pub struct ChannelSpec {
    redirects: RedirectsSpec,
    no_cookies: bool,
    tls: Option<TlsSpec>,
    proxy: Option<ProxySpec>,
    resolve: Option<Resolve>,
    http_version: Option<HttpVersion>,
}

/// How one request travels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    tls: Option<Arc<Tls>>,
    proxy: Option<Arc<Proxy>>,
    resolve: Option<Resolve>,
    http_version: Option<HttpVersion>,
}

/// The only version of HTTP that is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HttpVersion {
    /// HTTP/1.1 (RFC 9112).
    One,
    /// HTTP/2 (RFC 9113): by ALPN over https, by prior knowledge over http.
    Two,
}

impl ChannelSpec {
    /// Reads its keys among those of a request or of `defaults`; mistakes are reported.
    pub fn read(fields: &Fields<'_>, reading: &Reading) -> Self {
        let redirects = fields.get("redirects").and_then(|node| RedirectsSpec::read(node, reading));
        Self {
            redirects: redirects.unwrap_or_default(),
            no_cookies: fields.get("cookies").is_some_and(|node| read_no_cookies(node, reading)),
            tls: fields.get("tls").and_then(|node| TlsSpec::read(node, reading)),
            proxy: fields.get("proxy").and_then(|node| ProxySpec::read(node, reading)),
            resolve: fields.get("resolve").and_then(|node| Resolve::read(node, reading)),
            http_version: fields.get("http_version").and_then(|node| HttpVersion::read(node, reading)),
        }
    }

    /// Lays it over what `defaults` says: maps merge by key.
    #[must_use]
    pub fn overlay(self, defaults: &Self) -> Self {
        let tls = match (self.tls, &defaults.tls) {
            (Some(own), Some(tls)) => Some(own.overlay(tls)),
            (own, tls) => own.or_else(|| tls.clone()),
        };
        let resolve = match (self.resolve, &defaults.resolve) {
            (Some(own), Some(resolve)) => Some(own.overlay(resolve)),
            (own, resolve) => own.or_else(|| resolve.clone()),
        };
        Self {
            redirects: self.redirects.overlay(&defaults.redirects),
            no_cookies: self.no_cookies || defaults.no_cookies,
            tls,
            proxy: self.proxy.or_else(|| defaults.proxy.clone()),
            resolve,
            http_version: self.http_version.or(defaults.http_version),
        }
    }

    /// Whether it says nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.redirects.is_empty() && !self.no_cookies && self.is_plain()
    }

    /// Whether any client of reqwest will do.
    const fn is_plain(&self) -> bool {
        self.tls.is_none() && self.proxy.is_none() && self.resolve.is_none() && self.http_version.is_none()
    }

    /// Whether cookies are sent and kept.
    #[must_use]
    pub const fn keeps_cookies(&self) -> bool {
        !self.no_cookies
    }

    /// Evaluates its templates; `None` where nothing is said.
    ///
    /// # Errors
    /// Where a template cannot be evaluated, or its value cannot stand in its place.
    pub fn resolve(&self, scope: &Scope) -> Result<Option<Arc<Channel>>, Error> {
        if self.is_plain() {
            return Ok(None);
        }
        let proxy = self.proxy.as_ref().map(|proxy| proxy.resolve(scope)).transpose()?;
        Ok(Some(Arc::new(Channel {
            tls: self.tls.as_ref().map(|tls| tls.resolve(scope)).transpose()?,
            proxy: proxy.flatten(),
            resolve: self.resolve.clone(),
            http_version: self.http_version,
        })))
    }

    /// Puts what it says of redirects into the limits of an exchange.
    ///
    /// # Errors
    /// As [`ChannelSpec::resolve`].
    pub fn limit(&self, limits: &mut Limits, scope: &Scope) -> Result<(), Error> {
        self.redirects.limit(limits, scope)
    }

    /// Tells every name that its templates read, and where.
    pub fn reads(&self, visit: &mut dyn FnMut(Mention<'_>)) {
        self.redirects.reads(visit);
        if let Some(tls) = &self.tls {
            tls.reads(visit);
        }
        if let Some(proxy) = &self.proxy {
            proxy.reads(visit);
        }
    }
}

impl HttpVersion {
    fn read(node: &Node, reading: &Reading) -> Option<Self> {
        match &*reading.text(node, "http_version")?.text {
            "1.1" => Some(Self::One),
            "2" => Some(Self::Two),
            other => {
                let message = format!("`http_version` cannot be `{other}`");
                reading.error_with(
                    node.span,
                    message,
                    "write 1.1 or 2; left out, server and client agree on one",
                );
                None
            }
        }
    }
}

impl Channel {
    /// One that is plain but for the version of HTTP that is spoken.
    #[cfg(test)]
    pub(super) fn speaking(version: HttpVersion) -> Self {
        Self { tls: None, proxy: None, resolve: None, http_version: Some(version) }
    }

    /// Whether the certificate of the server that the request names is not checked.
    #[must_use]
    pub fn is_insecure(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.insecure)
    }

    /// How it is encrypted.
    #[must_use]
    pub fn tls(&self) -> Option<&Tls> {
        self.tls.as_deref()
    }

    /// The proxy that it leads through; some servers may be asked directly.
    #[must_use]
    pub fn proxy(&self) -> Option<&Proxy> {
        self.proxy.as_deref()
    }

    /// The proxy on the way to the server of a URL.
    #[must_use]
    pub fn proxy_for(&self, url: &Url) -> Option<&Proxy> {
        self.proxy().filter(|proxy| !proxy.lets_pass(url))
    }

    /// The same without a proxy.
    #[must_use]
    pub fn without_proxy(&self) -> Self {
        Self { proxy: None, ..self.clone() }
    }

    /// The only version of HTTP that is spoken.
    #[must_use]
    pub const fn http_version(&self) -> Option<HttpVersion> {
        self.http_version
    }

    /// Where the host of a URL is, where that was said.
    #[must_use]
    pub fn resolved(&self, url: &Url) -> Option<(String, IpAddr)> {
        self.resolve.as_ref()?.find(url)
    }

    /// The same without a client certificate, for an origin that the user did not name.
    #[must_use]
    pub fn anonymous(channel: Option<&Arc<Self>>) -> Option<Arc<Self>> {
        let channel = channel?;
        match channel.tls.as_ref().and_then(|tls| tls.without_identity()) {
            Some(tls) => Some(Arc::new(Self { tls: Some(Arc::new(tls)), ..(**channel).clone() })),
            None => Some(Arc::clone(channel)),
        }
    }

    /// The same for an origin that a server chose: nobody is identified to it, and its certificate is
    /// checked, since the user never saw its name when he said that it is not.
    #[must_use]
    pub fn for_stranger(channel: Option<&Arc<Self>>) -> Option<Arc<Self>> {
        let anonymous = Self::anonymous(channel)?;
        match anonymous.tls.as_ref().and_then(|tls| tls.checked()) {
            Some(tls) => Some(Arc::new(Self { tls: Some(Arc::new(tls)), ..(*anonymous).clone() })),
            None => Some(anonymous),
        }
    }

    /// The same with nothing that leads elsewhere, where only some origins may be spoken to: the
    /// mock, which speaks HTTP/1.1 whatever the real server does.
    #[must_use]
    pub fn straight(&self) -> Self {
        Self { proxy: None, resolve: None, http_version: None, ..self.clone() }
    }

    /// The protocols that are offered where TLS is spoken (ALPN, RFC 7301).
    pub(super) fn protocols(channel: Option<&Self>) -> &'static [&'static [u8]] {
        match channel.and_then(Self::http_version) {
            Some(HttpVersion::One) => &[b"http/1.1"],
            Some(HttpVersion::Two) => &[b"h2"],
            None => &[b"h2", b"http/1.1"],
        }
    }

    /// Tells a client of reqwest what is not about TLS.
    ///
    /// # Errors
    /// Where the client takes none of it.
    pub(super) fn configure(&self, mut builder: ClientBuilder) -> Result<ClientBuilder, Unbuilt> {
        if let Some(proxy) = &self.proxy {
            builder = proxy.configure(builder)?;
        }
        Ok(match self.http_version {
            Some(HttpVersion::One) => builder.http1_only(),
            Some(HttpVersion::Two) => builder.http2_prior_knowledge(),
            None => builder,
        })
    }
}

fn read_no_cookies(node: &Node, reading: &Reading) -> bool {
    let Some(scalar) = reading.text(node, "cookies") else { return false };
    if &*scalar.text != "none" {
        let help = "cookies are kept by themselves; `cookies: none` keeps and sends none. One of your own is a header: `headers: { Cookie: a=1 }`";
        reading.error_with(
            node.span,
            format!("`cookies` is `none` or left out, not `{}`", scalar.text),
            help,
        );
    }
    true
}

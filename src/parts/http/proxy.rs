//! `proxy`: the way around through another server. Its user name and password stand in its URL, so
//! that the URL is never shown whole.

use std::fmt;
use std::sync::Arc;

use percent_encoding::percent_decode_str;
use reqwest::ClientBuilder;
use url::Url;

use crate::ground::encode;
use crate::ground::read::Reading;
use crate::ground::source::Span;
use crate::ground::value::Value;
use crate::ground::yaml::Node;
use crate::parts::scope::Scope;
use crate::parts::template::{Error, Mention, Template};

const SCHEMES: [&str; 4] = ["http", "https", "socks5", "socks5h"];

/// `proxy: URL` or `none`, a template.
#[derive(Debug, Clone)]
pub struct ProxySpec(Template);

/// A proxy with its credentials.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy(Url);

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Proxy").field(&self.address()).finish()
    }
}

impl ProxySpec {
    /// Reads `proxy:`; mistakes are reported.
    pub fn read(node: &Node, reading: &Reading) -> Option<Self> {
        let scalar = reading.text(node, "proxy")?;
        // What stands before an `@` is a credential, unless templates bring it.
        if scalar.text.contains('@') && !scalar.text.contains("{{") {
            reading.source.hide(node.span);
        }
        let template = Template::read(scalar, reading)?;
        if let Some(Err(error)) = template.as_literal().map(|text| Proxy::read(text, node.span)) {
            reading.report(error.diagnostic(&reading.source));
            return None;
        }
        Some(Self(template))
    }

    /// The proxy; `None` for `none` and for null.
    ///
    /// # Errors
    /// Where it is no URL of a proxy, or a server chose it.
    pub fn resolve(&self, scope: &Scope) -> Result<Option<Arc<Proxy>>, Error> {
        let found = self.0.value(scope)?;
        if found.value == Value::Null {
            return Ok(None);
        }
        if found.marks.from_server {
            let error = Error::new(self.0.span(), "a server chose this proxy: nothing is sent through it");
            return Err(error.help("name it in an input or a default"));
        }
        let proxy = Proxy::read(&found.value.to_text(), self.0.span())?;
        if let Some(proxy) = &proxy {
            proxy.learn(scope);
        }
        Ok(proxy.map(Arc::new))
    }

    /// Tells every name that its template reads, and where.
    pub fn reads(&self, visit: &mut dyn FnMut(Mention<'_>)) {
        self.0.reads(visit);
    }
}

impl Proxy {
    fn read(text: &str, span: Span) -> Result<Option<Self>, Error> {
        let text = text.trim();
        if text == "none" {
            return Ok(None);
        }
        let wrong = |message: String| {
            let help = "write http://host:port, https://, socks5:// or socks5h://, or `none`";
            Error::new(span, message).help(help)
        };
        let url = match Url::parse(text) {
            Ok(url) if url.has_host() || SCHEMES.contains(&url.scheme()) => url,
            Err(error) if text.contains("://") => {
                return Err(wrong(format!("`proxy` is not a URL: {error}")));
            }
            _ if matches!(text, "true" | "false") => {
                return Err(wrong(format!("`proxy` is a URL, not `{text}`")));
            }
            _ => return Err(wrong("`proxy` has no scheme".to_owned())),
        };
        if !SCHEMES.contains(&url.scheme()) {
            return Err(wrong(format!("a proxy does not speak `{}`", url.scheme())));
        }
        if !url.has_host() {
            return Err(wrong("`proxy` names no host".to_owned()));
        }
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("`proxy` has something behind its host and port".to_owned()));
        }
        Ok(Some(Self(url)))
    }

    /// Its credentials are secrets, also in the form in which they are sent.
    fn learn(&self, scope: &Scope) {
        let Some(password) = self.0.password() else { return };
        let plain = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let (user, secret) = (plain(self.0.username()), plain(password));
        let name: Arc<str> = "proxy".into();
        scope.needles.learn(&name, password);
        scope.needles.learn(&name, &secret);
        scope.needles.learn(&name, &encode::base64(format!("{user}:{secret}").as_bytes()));
    }

    /// `host:port`.
    #[must_use]
    pub fn address(&self) -> String {
        let port = self.0.port_or_known_default().unwrap_or(1080);
        format!("{}:{port}", self.0.host_str().unwrap_or_default())
    }

    /// `http://host:port`.
    #[must_use]
    pub fn server(&self) -> String {
        format!("{}://{}", self.0.scheme(), self.address())
    }

    /// Its user name and password, decoded.
    #[must_use]
    pub fn credentials(&self) -> Option<(String, String)> {
        let plain = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        self.0.password().map(|password| (plain(self.0.username()), plain(password)))
    }

    /// Whether it is spoken to through TLS.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// Tells a client of the network.
    pub(super) fn configure(&self, builder: ClientBuilder) -> reqwest::Result<ClientBuilder> {
        Ok(builder.proxy(reqwest::Proxy::all(self.0.as_str())?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_a_url_with_nothing_behind_its_port() {
        for (text, address) in [
            ("http://a.b:8080", "a.b:8080"),
            ("https://u:p@a.b/", "a.b:443"),
            ("socks5://127.0.0.1", "127.0.0.1:1080"),
            ("socks5h://[::1]:1", "[::1]:1"),
        ] {
            let proxy = Proxy::read(text, Span::default()).expect("no error").expect("a proxy");
            assert_eq!(proxy.address(), address);
            assert!(!format!("{proxy:?}").contains("u:p"));
        }
        assert!(Proxy::read("none", Span::default()).expect("no error").is_none());
        for (text, why) in [
            ("localhost:8080", "has no scheme"),
            ("a.b", "has no scheme"),
            ("ftp://a.b", "does not speak `ftp`"),
            ("http://a.b/x", "behind its host"),
            ("http://u:hunter2@a.b:99999", "not a URL"),
            ("socks5:x", "names no host"),
        ] {
            let error = Proxy::read(text, Span::default()).expect_err(text).to_string();
            assert!(error.contains(why) && !error.contains("hunter2"), "{text}: {error}");
        }
    }
}

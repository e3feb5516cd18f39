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
use crate::ground::yaml::{Kind, Node};
use crate::parts::http::no_proxy::{self, NoProxy};
use crate::parts::scope::Scope;
use crate::parts::template::{Error, Mention, Template, Tree};

const KEYS: [&str; 2] = ["url", "no_proxy"];
const SCHEMES: [&str; 4] = ["http", "https", "socks5", "socks5h"];

/// `proxy: URL` or `none`, a template; or `proxy: { url, no_proxy }`.
#[derive(Debug, Clone)]
pub(super) struct ProxySpec {
    url: Template,
    /// The servers that are asked directly.
    no_proxy: Option<Arc<(Tree, Span)>>,
}

/// A proxy with its credentials, and the servers for which it is not there.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    url: Url,
    no_proxy: Arc<[NoProxy]>,
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Proxy").field(&self.host_and_port()).finish()
    }
}

impl ProxySpec {
    /// Reads `proxy:`; mistakes are reported.
    pub(super) fn read(node: &Node, reading: &Reading) -> Option<Self> {
        if !matches!(node.kind, Kind::Map(_)) {
            return Some(Self { url: read_url(node, reading)?, no_proxy: None });
        }
        let fields = reading.fields(node, "proxy", &KEYS, &[])?;
        // A key that is unknown was told already, and it is mostly the URL in pieces.
        let is_strange = fields.iter().any(|(key, _)| !KEYS.contains(&&*key.text));
        let url = fields.required("url", || {
            if !is_strange {
                let help = "write `proxy: { url: http://host:3128, no_proxy: [.example.com] }`";
                reading.error_with(node.span, "`proxy` needs `url`", help);
            }
        });
        let no_proxy = fields.optional("no_proxy", |node| read_no_proxy(node, reading));
        Some(Self { url: read_url(url?, reading)?, no_proxy: no_proxy?.map(Arc::new) })
    }

    /// The proxy; `None` for `none` and for null.
    ///
    /// # Errors
    /// Where it is no URL of a proxy, a server that is asked directly is none, or a server chose one of
    /// them.
    pub(super) fn resolve(&self, scope: &Scope) -> Result<Option<Arc<Proxy>>, Error> {
        let found = self.url.value(scope)?;
        if found.value == Value::Null {
            return Ok(None);
        }
        if found.marks.from_server {
            let error = Error::new(self.url.span(), "a server chose this proxy: nothing is sent through it");
            return Err(error.help("name it in an input or a default"));
        }
        let Some(mut proxy) = Proxy::read(&found.value.to_text(), self.url.span())? else {
            return Ok(None);
        };
        proxy.learn(scope);
        if let Some(no_proxy) = self.no_proxy.as_deref() {
            proxy.no_proxy = resolve_no_proxy(no_proxy, scope)?;
        }
        Ok(Some(Arc::new(proxy)))
    }

    /// Tells every name that its template reads, and where.
    pub(super) fn reads(&self, visit: &mut dyn FnMut(Mention<'_>)) {
        self.url.reads(visit);
        if let Some((tree, _)) = self.no_proxy.as_deref() {
            tree.reads(visit);
        }
    }
}

fn read_url(node: &Node, reading: &Reading) -> Option<Template> {
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
    Some(template)
}

/// A list, or one text as `NO_PROXY` has it; what is no template is judged at once.
fn read_no_proxy(node: &Node, reading: &Reading) -> Option<(Tree, Span)> {
    let nodes = match &node.kind {
        Kind::List(nodes) => nodes.as_slice(),
        _ => std::slice::from_ref(node),
    };
    for node in nodes {
        let scalar = reading.text(node, "no_proxy")?;
        let written = (!scalar.text.contains("{{")).then(|| entries(&scalar.text, node.span));
        if let Some(Err(error)) = written {
            reading.report(error.diagnostic(&reading.source));
            return None;
        }
    }
    Some((Tree::read(node, reading)?, node.span))
}

/// The servers that a rendered `no_proxy` names; a null names none.
fn resolve_no_proxy((tree, span): &(Tree, Span), scope: &Scope) -> Result<Arc<[NoProxy]>, Error> {
    let found = tree.value(scope)?;
    if found.marks.from_server {
        let message = "a server had a say in `no_proxy`, and none may choose the way around the proxy";
        return Err(Error::new(*span, message).help("write it out, or take it from an input"));
    }
    let mut all = Vec::new();
    match &found.value {
        Value::List(elements) => {
            for element in elements.iter().filter(|element| **element != Value::Null) {
                all.extend(entries(&element.to_text(), *span)?);
            }
        }
        Value::Null => {}
        text => all.extend(entries(&text.to_text(), *span)?),
    }
    Ok(all.into())
}

fn entries(text: &str, span: Span) -> Result<Vec<NoProxy>, Error> {
    let words = text.split(|c: char| c == ',' || c.is_whitespace()).filter(|word| !word.is_empty());
    let entry = |word: &str| {
        let message = || format!("`no_proxy`: `{}` is no host, address or network", word.escape_debug());
        NoProxy::read(word).ok_or_else(|| Error::new(span, message()).help(no_proxy::HELP))
    };
    words.map(entry).collect()
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
        Ok(Some(Self { url, no_proxy: Arc::default() }))
    }

    /// Its credentials are secrets, also in the form in which they are sent.
    fn learn(&self, scope: &Scope) {
        let Some(password) = self.url.password() else { return };
        let plain = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let (user, secret) = (plain(self.url.username()), plain(password));
        let name: Arc<str> = "proxy".into();
        scope.needles.learn(&name, password);
        scope.needles.learn(&name, &secret);
        scope.needles.learn(&name, &encode::base64(format!("{user}:{secret}").as_bytes()));
    }

    /// Whether the server of a URL is asked directly, past this proxy.
    #[must_use]
    pub fn lets_pass(&self, url: &Url) -> bool {
        self.no_proxy.iter().any(|entry| entry.covers(url))
    }

    /// `host:port`.
    #[must_use]
    pub fn host_and_port(&self) -> String {
        let port = self.url.port_or_known_default().unwrap_or(1080);
        format!("{}:{port}", self.url.host_str().unwrap_or_default())
    }

    /// `http://host:port`.
    #[must_use]
    pub fn server(&self) -> String {
        format!("{}://{}", self.url.scheme(), self.host_and_port())
    }

    /// Its user name and password, decoded.
    #[must_use]
    pub fn credentials(&self) -> Option<(String, String)> {
        let plain = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        self.url.password().map(|password| (plain(self.url.username()), plain(password)))
    }

    /// Whether it is spoken to through TLS.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Tells a client of reqwest.
    pub(super) fn configure(&self, builder: ClientBuilder) -> reqwest::Result<ClientBuilder> {
        Ok(builder.proxy(reqwest::Proxy::all(self.url.as_str())?))
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
            assert_eq!(proxy.host_and_port(), address);
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

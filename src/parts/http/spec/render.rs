//! What a request becomes when its templates are evaluated, for the wire and for people.
//!
//! It is still editable here; only [`Rendered::finish`] makes bytes of it.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, COOKIE, HOST, HeaderMap, HeaderValue};
use url::Url;

use crate::ground::encode;
use crate::ground::secret::{Marked, Marks, is_secret_name, pseudonym};
use crate::ground::source::Span;
use crate::ground::value::Value;
use crate::parts::http::channel::Channel;
use crate::parts::http::message::{Limits, Request, is_credential};
use crate::parts::http::spec::multipart;
use crate::parts::http::spec::{Body, Entry, RequestSpec};
use crate::parts::scope::Scope;
use crate::parts::template::{Error, Tree};

/// A request whose templates were evaluated, before a script may change it and `auth` signs it.
#[derive(Clone)]
pub struct Rendered {
    /// The method.
    pub method: Method,
    /// Where to, query included.
    pub url: Url,
    /// The headers; those that hold a secret are sensitive.
    pub headers: HeaderMap,
    /// The body.
    pub body: RenderedBody,
    /// Whether a server had a say in the URL's origin.
    pub origin_from_server: bool,
    /// Whether a secret stands in the query or the body.
    pub secret_inside: bool,
    /// The limits of the exchange.
    pub limits: Limits,
    /// The way; `None` where nothing was said of it.
    pub channel: Option<Arc<Channel>>,
    /// Whether cookies are sent and kept.
    pub cookies: bool,
}

impl fmt::Debug for Rendered {
    /// Where to, and no more: query and body may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let to = self.url.origin().ascii_serialization();
        f.debug_struct("Rendered").field("method", &self.method).field("to", &to).finish_non_exhaustive()
    }
}

/// A body whose templates were evaluated.
#[derive(Clone, Default, PartialEq)]
pub enum RenderedBody {
    /// None.
    #[default]
    None,
    /// A JSON document.
    Json(Value),
    /// The fields of a form.
    Form(Vec<(String, String)>),
    /// A text.
    Text(String),
    /// Bytes that stay as they are: a multipart body, a file, what a script made.
    Bytes {
        /// All of them.
        bytes: Bytes,
        /// What `Content-Type` says of them, with its parameters.
        media: Option<Arc<str>>,
    },
}

impl fmt::Debug for RenderedBody {
    /// Its kind: what is in it may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "no body",
            Self::Json(_) => "json",
            Self::Form(_) => "form",
            Self::Text(_) => "text",
            Self::Bytes { .. } => "bytes",
        })
    }
}

impl RequestSpec {
    /// Evaluates all templates.
    ///
    /// # Errors
    /// Where a template cannot be evaluated, or a value cannot stand in its place.
    pub fn render(&self, scope: &Scope) -> Result<Rendered, Error> {
        let address = self.address(scope)?;
        let mut secret_inside = address.text.marks.is_secret();
        let mut text = address.text.value;
        append_query(&mut text, &self.query, scope, &mut secret_inside)?;
        let url = recent_url(text, self.url.span())?;
        let (body, body_marks) = self.body.render(scope)?;
        let headers = self.render_headers(&body, scope)?;
        let mut limits = self.limits.resolve();
        self.channel.limit(&mut limits, scope)?;
        let post = if matches!(body, RenderedBody::None) { Method::GET } else { Method::POST };
        Ok(Rendered {
            method: self.method.clone().unwrap_or(post),
            url,
            headers,
            body,
            origin_from_server: address.origin_from_server,
            secret_inside: secret_inside || body_marks.is_secret(),
            limits,
            channel: self.channel.resolve(scope)?,
            cookies: self.channel.keeps_cookies(),
        })
    }

    fn render_headers(&self, body: &RenderedBody, scope: &Scope) -> Result<HeaderMap, Error> {
        let mut headers = HeaderMap::with_capacity(self.headers.len() + 2);
        for (name, tree, span) in &self.headers {
            if *name == COOKIE {
                // A piece with a `;` in it would be a second cookie.
                let mut kept = Ok(());
                tree.templates(&mut |template| {
                    if kept.is_ok() {
                        kept = template.keeps_within(';', scope);
                    }
                });
                kept?;
            }
            each_value(tree, scope, &mut |text, marks| {
                let refused = || {
                    let message = format!(
                        "the value of the header `{name}` has a line break or a control character in it"
                    );
                    Error::new(*span, message)
                };
                if *name == HOST && marks.from_server {
                    let message = "a server had a say in the header `Host`, which chooses who answers";
                    let help = "write it out, or take it from an input";
                    return Err(Error::new(*span, message).help(help));
                }
                let mut value = HeaderValue::from_bytes(text.as_bytes()).map_err(|_| refused())?;
                value.set_sensitive(marks.is_secret() || is_credential(name));
                headers.append(name, value);
                Ok(())
            })?;
        }
        if let (Body::Multipart(_), Some(media)) = (&self.body, body.media_type()) {
            let own = self.headers.iter().find(|(name, ..)| *name == CONTENT_TYPE);
            multipart::complete(&mut headers, media, own.map_or(self.url.span(), |(_, _, span)| *span))?;
        }
        body.set_media_type(&mut headers);
        Ok(headers)
    }

    /// The URL as people may see it.
    ///
    /// # Errors
    /// As [`RequestSpec::render`].
    pub fn shown_url(&self, scope: &Scope) -> Result<String, Error> {
        let address = self.address(scope)?;
        let mut text = address.shown.unwrap_or(address.text.value);
        for (name, tree, _) in &self.query {
            each_value(tree, scope, &mut |value, marks| {
                let secret = marks.secret.clone().or_else(|| is_secret_name(name).then(|| Arc::clone(name)));
                let value = secret.map_or_else(|| encode::url(&value), |secret| pseudonym(&secret));
                push_pair(&mut text, &encode::url(name), &value);
                Ok(())
            })?;
        }
        Ok(scope.needles.scrub(&text))
    }

    /// The body as people may see it.
    ///
    /// # Errors
    /// As [`RequestSpec::render`].
    pub fn shown_body(&self, scope: &Scope) -> Result<Option<String>, Error> {
        let text = match &self.body {
            Body::None => return Ok(None),
            Body::Json(tree) => tree.shown(scope)?.to_json(),
            Body::Text(template) => template.shown(scope)?,
            Body::Multipart(parts) => parts.shown(scope)?,
            Body::File(file) => file.shown(),
            Body::Graphql(graphql) => graphql.shown(scope)?,
            Body::Form(fields) => {
                let mut text = String::new();
                for (name, tree, _) in fields {
                    each_value(tree, scope, &mut |value, marks| {
                        let secret =
                            marks.secret.clone().or_else(|| is_secret_name(name).then(|| Arc::clone(name)));
                        let value = secret.map_or_else(|| encode::url(&value), |secret| pseudonym(&secret));
                        text.push_str(if text.is_empty() { "" } else { "&" });
                        text.push_str(&encode::url(name));
                        text.push('=');
                        text.push_str(&value);
                        Ok(())
                    })?;
                }
                text
            }
        };
        Ok(Some(scope.needles.scrub(&text)))
    }
}

impl Body {
    fn render(&self, scope: &Scope) -> Result<(RenderedBody, Marks), Error> {
        match self {
            Self::None => Ok((RenderedBody::None, Marks::NONE)),
            Self::Json(tree) => {
                let found = tree.value(scope)?;
                Ok((RenderedBody::Json(found.value), found.marks))
            }
            Self::Text(template) => {
                let found = template.text(scope)?;
                Ok((RenderedBody::Text(found.value), found.marks))
            }
            Self::Multipart(parts) => {
                let (bytes, media, marks) = parts.render(scope)?;
                Ok((RenderedBody::Bytes { bytes, media: Some(media) }, marks))
            }
            Self::File(file) => {
                let media = Some(file.media_type().into());
                Ok((RenderedBody::Bytes { bytes: file.load()?, media }, Marks::NONE))
            }
            Self::Graphql(graphql) => {
                let found = graphql.render(scope)?;
                Ok((RenderedBody::Json(found.value), found.marks))
            }
            Self::Form(fields) => {
                let mut pairs = Vec::with_capacity(fields.len());
                let mut marks = Marks::NONE;
                for (name, tree, _) in fields {
                    each_value(tree, scope, &mut |value, found| {
                        marks.join(found);
                        pairs.push((name.as_ref().to_owned(), value));
                        Ok(())
                    })?;
                }
                Ok((RenderedBody::Form(pairs), marks))
            }
        }
    }
}

impl RenderedBody {
    /// The exact text that is sent; `None` where there is no body, or one that is no text.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        match self {
            Self::None => None,
            Self::Json(value) => Some(value.to_json()),
            Self::Form(pairs) => {
                Some(encode::form(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()))))
            }
            Self::Text(text) => Some(text.clone()),
            Self::Bytes { bytes, .. } => std::str::from_utf8(bytes).ok().map(str::to_owned),
        }
    }

    /// The exact bytes that are sent; `None` where there is no body.
    #[must_use]
    pub fn into_bytes(self) -> Option<Bytes> {
        match self {
            Self::Text(text) => Some(text.into()),
            Self::Bytes { bytes, .. } => Some(bytes),
            other => other.text().map(Bytes::from),
        }
    }

    /// What `Content-Type` says of it where the user does not; `None` where there is no body, and
    /// for a text, which may be anything.
    #[must_use]
    pub fn media_type(&self) -> Option<&str> {
        match self {
            Self::Json(_) => Some("application/json"),
            Self::Form(_) => Some("application/x-www-form-urlencoded"),
            Self::Bytes { media, .. } => media.as_deref(),
            Self::None | Self::Text(_) => None,
        }
    }

    /// Puts a `Content-Type` in where there is none and this body has one.
    pub fn set_media_type(&self, headers: &mut HeaderMap) {
        if let Some(value) = self.media_type().and_then(|media| HeaderValue::from_str(media).ok()) {
            headers.entry(CONTENT_TYPE).or_insert(value);
        }
    }
}

impl Rendered {
    /// Makes bytes of it; `auth` comes after this, and so does the jar.
    #[must_use]
    pub fn finish(self) -> Request {
        Request {
            headers: self.headers,
            body: self.body.into_bytes(),
            secret_inside: self.secret_inside,
            limits: self.limits,
            channel: self.channel,
            ..Request::new(self.method, self.url)
        }
    }
}

thread_local! {
    static RECENT: RefCell<VecDeque<(String, Url)>> = const { RefCell::new(VecDeque::new()) };
}

/// Reads a URL, unless it is one of the last few: requests mostly go where requests went before,
/// and reading a URL costs more than all the rest of rendering.
fn recent_url(text: String, span: Span) -> Result<Url, Error> {
    const KEPT: usize = 8;
    RECENT.with_borrow_mut(|recent| {
        if let Some((_, url)) = recent.iter().find(|(known, _)| *known == text) {
            return Ok(url.clone());
        }
        let url = parse_url(&text, span)?;
        recent.truncate(KEPT - 1);
        recent.push_front((text, url.clone()));
        Ok(url)
    })
}

/// Reads an absolute URL of HTTP.
///
/// # Errors
/// What it is not, and what to do; the URL itself may hold a secret and is not told.
pub fn parse_url(text: &str, span: Span) -> Result<Url, Error> {
    // The URL standard drops line breaks and tabs, so that another URL would be asked than was given.
    if text.contains(char::is_control) {
        return Err(Error::new(span, "the URL has a control character in it")
            .help("a line break at its end? cut it off"));
    }
    let url = Url::parse(text).map_err(|error| match error {
        url::ParseError::RelativeUrlWithoutBase => Error::new(span, "the URL has no scheme and host").help(
            "begin it with https://host or an input that holds them, or write `defaults: { base_url: … }`",
        ),
        other => Error::new(span, format!("this is not a URL: {other}")),
    })?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Error::new(span, format!("the scheme `{}` is not http or https", url.scheme())));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Error::new(span, "a user name or password stands in the URL")
            .help("give it with `auth: { basic: … }`"));
    }
    Ok(url)
}

fn append_query(text: &mut String, query: &[Entry], scope: &Scope, secret: &mut bool) -> Result<(), Error> {
    for (name, tree, _) in query {
        each_value(tree, scope, &mut |value, marks| {
            *secret |= marks.is_secret();
            push_pair(text, &encode::url(name), &encode::url(&value));
            Ok(())
        })?;
    }
    Ok(())
}

fn push_pair(url: &mut String, name: &str, value: &str) {
    if let Some(fragment) = url.find('#') {
        url.truncate(fragment);
    }
    match url.split_once('?') {
        None => url.push('?'),
        Some((_, "")) => {}
        Some(_) => url.push('&'),
    }
    url.push_str(name);
    url.push('=');
    url.push_str(value);
}

/// Each value of an entry as text: null is left out, a list repeats the name.
pub(super) fn each_value(
    tree: &Tree,
    scope: &Scope,
    visit: &mut dyn FnMut(String, &Marks) -> Result<(), Error>,
) -> Result<(), Error> {
    let Marked { value, marks } = tree.value(scope)?;
    match &value {
        Value::Null => Ok(()),
        Value::List(elements) => elements.iter().try_for_each(|element| match element {
            Value::Null => Ok(()),
            element => visit(element.to_text(), &marks),
        }),
        value => visit(value.to_text(), &marks),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ground::read::Reading;
    use crate::ground::source::Source;
    use crate::ground::yaml;

    #[test]
    fn a_header_that_carries_a_credential_by_its_name_is_sensitive() {
        let names = ["Authorization", "Proxy-Authorization", "Cookie", "Cookie2", "DPoP", "X-Api-Key"];
        for (name, sensitive) in names.map(|name| (name, true)).into_iter().chain([("Accept", false)]) {
            let source = Source::text("t", format!("{{ url: 'https://a.b/', headers: {{ {name}: x }} }}"));
            let node = yaml::read(&source).expect("the YAML is right");
            let spec = RequestSpec::read(&node, &Reading::new(&source)).expect("a request");
            let rendered = spec.render(&Scope::default()).expect("it renders");
            assert_eq!(rendered.headers[name].is_sensitive(), sensitive, "{name}");
        }
    }

    #[test]
    fn a_body_is_the_text_that_will_be_sent() {
        let pairs = vec![("a b".to_owned(), "c&d".to_owned())];
        assert_eq!(RenderedBody::Form(pairs).text().as_deref(), Some("a+b=c%26d"));
        let json = Value::from_json(b"{\"z\": 1, \"a\": [ ]}").expect("the JSON is right");
        assert_eq!(RenderedBody::Json(json).text().as_deref(), Some(r#"{"z":1,"a":[]}"#));
        assert_eq!(RenderedBody::None.text(), None);
    }
}

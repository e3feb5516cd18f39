//! A request as the user wrote it, and what it is rendered to.
//!
//! Every value stays in its place: names and values of query and form are encoded, a JSON body is
//! built as a structure, a header takes no line break. What is rendered is still editable by a
//! `before` script; only [`Rendered::finish`] makes bytes of it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HeaderMap, HeaderName, HeaderValue, PROXY_AUTHORIZATION};
use url::Url;

use crate::ground::encode;
use crate::ground::read::{Fields, Reading};
use crate::ground::secret::{Marked, Marks, is_secret_name, pseudonym};
use crate::ground::source::Span;
use crate::ground::value::Value;
use crate::ground::yaml::{Kind, Node, Scalar};
use crate::parts::auth::Auth;
use crate::parts::http::message::{Limits, Request};
use crate::parts::scope::Scope;
use crate::parts::template::{Error, Template, Tree};

const KEYS: [&str; 11] = [
    "method", "url", "query", "headers", "auth", "json", "form", "body", "timeout", "connect_timeout", "max_body",
];
const LATER: [&str; 10] = [
    "multipart", "file", "graphql", "redirects", "cookies", "tls", "proxy", "resolve", "http_version", "base_url",
];
const BODIES: [&str; 3] = ["json", "form", "body"];

/// What may stand under `defaults` of a request.
pub const DEFAULT_KEYS: [&str; 7] =
    ["method", "headers", "auth", "timeout", "connect_timeout", "max_body", "retry"];

/// The methods that people write in lower case; any other word in capitals is a method too.
const METHODS: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];

/// A named value with templates: a header, a query parameter, a field of a form.
type Entry = (Arc<str>, Tree, Span);

/// A request with templates in it.
#[derive(Debug, Clone)]
pub struct RequestSpec {
    method: Option<Method>,
    url: Template,
    query: Vec<Entry>,
    headers: Vec<(HeaderName, Tree, Span)>,
    body: Body,
    auth: Option<Arc<Auth>>,
    limits: LimitsSpec,
}

/// What `defaults` says of every request.
#[derive(Debug, Clone, Default)]
pub struct RequestDefaults {
    method: Option<Method>,
    headers: Vec<(HeaderName, Tree, Span)>,
    auth: Option<Arc<Auth>>,
    limits: LimitsSpec,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct LimitsSpec {
    timeout: Option<Duration>,
    connect_timeout: Option<Duration>,
    max_body: Option<u64>,
}

#[derive(Debug, Clone)]
enum Body {
    None,
    Json(Tree),
    Form(Vec<Entry>),
    Text(Template),
}

/// A request whose templates were evaluated, before a script may change it and `auth` signs it.
#[derive(Debug, Clone)]
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
}

/// A body whose templates were evaluated.
#[derive(Debug, Clone, PartialEq)]
pub enum RenderedBody {
    /// None.
    None,
    /// A JSON document.
    Json(Value),
    /// The fields of a form.
    Form(Vec<(String, String)>),
    /// A text.
    Text(String),
}

impl RequestSpec {
    /// Reads `request:`; mistakes are reported.
    pub fn read(node: &Node, reading: &Reading) -> Option<Self> {
        if let Some(scalar) = node.scalar() {
            return Self::read_short(scalar, reading);
        }
        let fields = reading.fields(node, "request", &KEYS, &LATER)?;
        let method = fields.get("method").map(|node| read_method(node, reading));
        let url = match fields.get("url") {
            Some(node) => reading.text(node, "url").and_then(|scalar| read_url(scalar, reading)),
            None => {
                if !fields.is_meant("url") {
                    reading.error(fields.span, "`request` needs `url`");
                }
                None
            }
        };
        let query = read_entries(fields.get("query"), "query", reading);
        let headers = read_headers(fields.get("headers"), reading);
        let body = read_body(&fields, reading);
        let auth = fields.get("auth").map(|node| Auth::read(node, reading));
        let limits = LimitsSpec::read(&fields, reading);
        Some(Self {
            method: method.map_or(Some(None), |method| method.map(Some))?,
            url: url?,
            query: query?,
            headers: headers?,
            body: body?,
            auth: auth.map_or(Some(None), |auth| auth.map(Some))?.map(Arc::new),
            limits,
        })
    }

    /// `request: GET https://…`, or the URL alone.
    fn read_short(scalar: &Scalar, reading: &Reading) -> Option<Self> {
        let text = &*scalar.text;
        if scalar.is_empty() {
            reading.empty(scalar.span, "request");
            return None;
        }
        let word = text.split(' ').next().unwrap_or_default();
        let method = (word.len() < text.len() && word.bytes().all(|byte| byte.is_ascii_uppercase()))
            .then(|| Method::from_bytes(word.as_bytes()).ok())
            .flatten();
        let skip = if method.is_some() { word.len() + 1 } else { 0 };
        let rest = Scalar {
            text: text[skip..].trim().into(),
            span: scalar.span_of(&reading.source, skip..text.len()),
            style: scalar.style,
        };
        if method.is_none() && word.len() < text.len() && METHODS.contains(&&*word.to_ascii_uppercase()) {
            let message = format!("`{word}` is no method: methods are written in capitals");
            let span = scalar.span_of(&reading.source, 0..word.len());
            reading.error_with(span, message, format!("write `{}`", word.to_ascii_uppercase()));
            return None;
        }
        let url = read_url(&rest, reading)?;
        let (query, headers) = (Vec::new(), Vec::new());
        Some(Self { method, url, query, headers, body: Body::None, auth: None, limits: LimitsSpec::default() })
    }

    /// Lays the request over what `defaults` says: maps merge by key, the rest is replaced whole.
    #[must_use]
    pub fn overlay(mut self, defaults: &RequestDefaults) -> Self {
        let own = std::mem::take(&mut self.headers);
        let missing = |name: &HeaderName| own.iter().all(|(known, ..)| known != name);
        self.headers = defaults.headers.iter().filter(|(name, ..)| missing(name)).cloned().collect();
        self.headers.extend(own);
        self.method = self.method.or_else(|| defaults.method.clone());
        self.auth = self.auth.or_else(|| defaults.auth.clone());
        self.limits.timeout = self.limits.timeout.or(defaults.limits.timeout);
        self.limits.connect_timeout = self.limits.connect_timeout.or(defaults.limits.connect_timeout);
        self.limits.max_body = self.limits.max_body.or(defaults.limits.max_body);
        self
    }

    /// How it is authenticated.
    #[must_use]
    pub fn auth(&self) -> Option<&Auth> {
        self.auth.as_deref()
    }

    /// Where the URL stands.
    #[must_use]
    pub const fn span(&self) -> Span {
        self.url.span()
    }

    /// Evaluates all templates.
    ///
    /// # Errors
    /// Where a template cannot be evaluated, or a value cannot stand in its place.
    pub fn render(&self, scope: &Scope) -> Result<Rendered, Error> {
        let address = self.url.address(scope)?;
        let mut secret_inside = address.text.marks.is_secret();
        let mut text = address.text.value;
        append_query(&mut text, &self.query, scope, &mut secret_inside)?;
        let url = parse_url(&text, self.url.span())?;
        let (body, body_marks) = self.body.render(scope)?;
        let headers = self.render_headers(&body, scope)?;
        let post = if matches!(body, RenderedBody::None) { Method::GET } else { Method::POST };
        Ok(Rendered {
            method: self.method.clone().unwrap_or(post),
            url,
            headers,
            body,
            origin_from_server: address.origin_from_server,
            secret_inside: secret_inside || body_marks.is_secret(),
            limits: self.limits.resolve(),
        })
    }

    fn render_headers(&self, body: &RenderedBody, scope: &Scope) -> Result<HeaderMap, Error> {
        let mut headers = HeaderMap::with_capacity(self.headers.len() + 2);
        for (name, tree, span) in &self.headers {
            each_value(tree, scope, &mut |text, marks| {
                let refused = || {
                    let message = format!("the value of the header `{name}` has a line break or a control character in it");
                    Error::new(*span, message)
                };
                let mut value = HeaderValue::from_bytes(text.as_bytes()).map_err(|_| refused())?;
                value.set_sensitive(marks.is_secret() || is_credential(name));
                headers.append(name, value);
                Ok(())
            })?;
        }
        let media = match body {
            RenderedBody::Json(_) => "application/json",
            RenderedBody::Form(_) => "application/x-www-form-urlencoded",
            RenderedBody::None | RenderedBody::Text(_) => return Ok(headers),
        };
        headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static(media));
        Ok(headers)
    }

    /// The method and the URL as people may see them.
    ///
    /// # Errors
    /// As [`RequestSpec::render`].
    pub fn shown_url(&self, scope: &Scope) -> Result<String, Error> {
        let address = self.url.address(scope)?;
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
            Body::Form(fields) => {
                let mut text = String::new();
                for (name, tree, _) in fields {
                    each_value(tree, scope, &mut |value, marks| {
                        let secret = marks.secret.clone().or_else(|| is_secret_name(name).then(|| Arc::clone(name)));
                        let value = secret.map_or_else(|| encode::url(&value), |secret| pseudonym(&secret));
                        text.push_str(if text.is_empty() { "" } else { "&" });
                        text.push_str(&format!("{}={value}", encode::url(name)));
                        Ok(())
                    })?;
                }
                text
            }
        };
        Ok(Some(scope.needles.scrub(&text)))
    }

    /// Tells every name that its templates read, and where.
    pub fn reads(&self, visit: &mut dyn FnMut(&str, Span)) {
        self.url.reads(visit);
        self.query.iter().for_each(|(_, tree, _)| tree.reads(visit));
        self.headers.iter().for_each(|(_, tree, _)| tree.reads(visit));
        match &self.body {
            Body::None => {}
            Body::Json(tree) => tree.reads(visit),
            Body::Form(fields) => fields.iter().for_each(|(_, tree, _)| tree.reads(visit)),
            Body::Text(template) => template.reads(visit),
        }
        if let Some(auth) = &self.auth {
            auth.reads(visit);
        }
    }
}

impl RequestDefaults {
    /// Reads the request's part of `defaults:`; mistakes are reported. `retry` is its reader's.
    pub fn read(node: &Node, reading: &Reading) -> Option<Self> {
        let later: Vec<&'static str> = LATER.iter().copied().filter(|key| *key != "file" && *key != "multipart").collect();
        let fields = reading.fields(node, "defaults", &DEFAULT_KEYS, &later)?;
        let method = fields.get("method").and_then(|node| read_method(node, reading));
        let headers = read_headers(fields.get("headers"), reading)?;
        let auth = fields.get("auth").and_then(|node| Auth::read(node, reading)).map(Arc::new);
        Some(Self { method, headers, auth, limits: LimitsSpec::read(&fields, reading) })
    }

    /// Whether they say nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.method.is_none() && self.headers.is_empty() && self.auth.is_none() && self.limits == LimitsSpec::default()
    }

    /// Tells every name that its templates read, and where.
    pub fn reads(&self, visit: &mut dyn FnMut(&str, Span)) {
        self.headers.iter().for_each(|(_, tree, _)| tree.reads(visit));
        if let Some(auth) = &self.auth {
            auth.reads(visit);
        }
    }
}

impl LimitsSpec {
    fn read(fields: &Fields<'_>, reading: &Reading) -> Self {
        Self {
            timeout: fields.get("timeout").and_then(|node| reading.duration(node, "timeout")),
            connect_timeout: fields.get("connect_timeout").and_then(|node| reading.duration(node, "connect_timeout")),
            max_body: fields.get("max_body").and_then(|node| reading.size(node, "max_body")),
        }
    }

    fn resolve(self) -> Limits {
        let usual = Limits::default();
        Limits {
            timeout: self.timeout.unwrap_or(usual.timeout),
            connect_timeout: self.connect_timeout.unwrap_or(usual.connect_timeout),
            max_body: self.max_body.unwrap_or(usual.max_body),
            max_redirects: usual.max_redirects,
        }
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
    /// The exact text that is sent; `None` where there is no body.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        match self {
            Self::None => None,
            Self::Json(value) => Some(value.to_json()),
            Self::Form(pairs) => {
                Some(encode::form(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()))))
            }
            Self::Text(text) => Some(text.clone()),
        }
    }
}

impl Rendered {
    /// Makes bytes of it; `auth` comes after this.
    #[must_use]
    pub fn finish(self) -> Request {
        let body = match self.body {
            RenderedBody::Text(text) => Some(text),
            other => other.text(),
        };
        Request {
            method: self.method,
            url: self.url,
            headers: self.headers,
            body: body.map(Bytes::from),
            secret_inside: self.secret_inside,
            limits: self.limits,
        }
    }
}

/// Reads an absolute URL of HTTP.
///
/// # Errors
/// What it is not, and what to do; the URL itself may hold a secret and is not told.
pub fn parse_url(text: &str, span: Span) -> Result<Url, Error> {
    let url = Url::parse(text).map_err(|error| match error {
        url::ParseError::RelativeUrlWithoutBase => {
            Error::new(span, "the URL has no scheme and host").help("begin it with https://host, or with an input that holds them")
        }
        other => Error::new(span, format!("this is no URL: {other}")),
    })?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Error::new(span, format!("the scheme `{}` is not http or https", url.scheme())));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Error::new(span, "a user name or password stands in the URL").help("give it with `auth: { basic: … }`"));
    }
    Ok(url)
}

/// Whether a header carries a credential by its name alone.
#[must_use]
pub fn is_credential(name: &HeaderName) -> bool {
    [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION].contains(name) || is_secret_name(name.as_str())
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
    url.push(match url.split_once('?') {
        None => '?',
        Some((_, "")) => return url.push_str(&format!("{name}={value}")),
        Some(_) => '&',
    });
    url.push_str(name);
    url.push('=');
    url.push_str(value);
}

/// Each value of an entry as text: null is left out, a list repeats the name.
fn each_value(
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

/// A URL without a template in it is judged before anything is sent.
fn read_url(scalar: &Scalar, reading: &Reading) -> Option<Template> {
    let url = Template::read(scalar, reading)?;
    if let Some(Err(error)) = url.as_literal().map(|text| parse_url(text, scalar.span)) {
        if scalar.text.contains('@') {
            reading.source.hide(scalar.span);
        }
        reading.report(error.diagnostic(&reading.source));
        return None;
    }
    Some(url)
}

fn read_method(node: &Node, reading: &Reading) -> Option<Method> {
    let scalar = reading.text(node, "method")?;
    let method = Method::from_bytes(scalar.text.to_ascii_uppercase().as_bytes()).ok();
    if method.is_none() || scalar.text.contains("{{") {
        reading.error_with(node.span, format!("`{}` is no method", scalar.text), "write one word: GET, POST, PUT, PATCH, DELETE, …");
        return None;
    }
    method
}

fn read_entries(node: Option<&Node>, what: &str, reading: &Reading) -> Option<Vec<Entry>> {
    let Some(node) = node else { return Some(Vec::new()) };
    let entries: Vec<_> = reading
        .entries(node, what)?
        .iter()
        .map(|(name, value)| Some((Arc::clone(&name.text), read_value(value, reading)?, value.span)))
        .collect();
    entries.into_iter().collect()
}

/// A value that ends as text: a plain scalar is taken as it was typed (`0101`, `1.10`).
fn read_value(node: &Node, reading: &Reading) -> Option<Tree> {
    if let Kind::Map(_) = &node.kind {
        reading.error_with(node.span, "this must be a text or a list of texts, not a map", "a JSON text is `\"{{ value | tojson }}\"`");
        return None;
    }
    let typed = |node: &Node, tree: Tree| match (&node.kind, &tree) {
        (Kind::Scalar(_), Tree::Plain(Value::Null)) => tree,
        (Kind::Scalar(scalar), Tree::Plain(_)) => Tree::Plain(Value::String(Arc::clone(&scalar.text))),
        _ => tree,
    };
    match &node.kind {
        Kind::List(elements) => {
            let elements: Option<Vec<_>> =
                elements.iter().map(|element| Some(typed(element, Tree::read(element, reading)?))).collect();
            elements.map(Tree::List)
        }
        _ => Some(typed(node, Tree::read(node, reading)?)),
    }
}

fn read_headers(node: Option<&Node>, reading: &Reading) -> Option<Vec<(HeaderName, Tree, Span)>> {
    let Some(node) = node else { return Some(Vec::new()) };
    let headers: Vec<_> = reading
        .entries(node, "headers")?
        .iter()
        .map(|(name, value)| {
            let header = HeaderName::from_bytes(name.text.as_bytes());
            if header.is_err() {
                let help = "a name has letters, digits and `-`";
                reading.error_with(name.span, format!("`{}` is no name of a header", name.text), help);
            }
            let value_tree = read_value(value, reading);
            Some((header.ok()?, value_tree?, value.span))
        })
        .collect();
    headers.into_iter().collect()
}

fn read_body(fields: &Fields<'_>, reading: &Reading) -> Option<Body> {
    let bodies = fields.present(&BODIES);
    if let [_, second, ..] = bodies.as_slice() {
        let names: Vec<_> = bodies.iter().map(|(key, _)| format!("`{}`", key.text)).collect();
        reading.error_with(second.0.span, "a request has one body", format!("keep one of {}", names.join(", ")));
        return None;
    }
    let Some((kind, node)) = bodies.first() else { return Some(Body::None) };
    match &*kind.text {
        "json" => Tree::read(node, reading).map(Body::Json),
        "form" => read_entries(Some(node), "form", reading).map(Body::Form),
        _ => {
            if !matches!(node.kind, Kind::Scalar(_)) {
                reading.error_with(node.span, format!("`body` is a text, not {}", node.describe()), "use `json` for a JSON document, `form` for fields");
                return None;
            }
            reading.text(node, "body").and_then(|scalar| Template::read(scalar, reading)).map(Body::Text)
        }
    }
}

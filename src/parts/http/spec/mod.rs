//! A request as the user wrote it, and what it is rendered to.
//!
//! Every value stays in its place: names and values of query and form are encoded, a JSON body is
//! built as a structure, a header takes no line break. What is rendered is still editable by a
//! `before` script; only [`Rendered::finish`] makes bytes of it.

mod read;
mod render;

use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use reqwest::header::HeaderName;

use crate::ground::read::{Fields, Reading};
use crate::ground::source::Span;
use crate::ground::yaml::{Node, Scalar};
use crate::parts::auth::Auth;
use crate::parts::http::channel::ChannelSpec;
use crate::parts::http::message::Limits;
use crate::parts::http::spec::read::{read_body, read_entries, read_headers, read_method, read_url};
use crate::parts::template::{Template, Tree};

pub use crate::parts::http::spec::render::{Rendered, RenderedBody, parse_url};

const KEYS: [&str; 17] = [
    "method",
    "url",
    "query",
    "headers",
    "auth",
    "json",
    "form",
    "body",
    "timeout",
    "connect_timeout",
    "max_body",
    "redirects",
    "cookies",
    "tls",
    "proxy",
    "resolve",
    "http_version",
];
const LATER: [&str; 4] = ["multipart", "file", "graphql", "base_url"];

/// What may stand under `defaults` of a request.
pub const DEFAULT_KEYS: [&str; 13] = [
    "method",
    "headers",
    "auth",
    "timeout",
    "connect_timeout",
    "max_body",
    "redirects",
    "cookies",
    "tls",
    "proxy",
    "resolve",
    "http_version",
    "retry",
];

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
    channel: ChannelSpec,
}

/// What `defaults` says of every request.
#[derive(Debug, Clone, Default)]
pub struct RequestDefaults {
    method: Option<Method>,
    headers: Vec<(HeaderName, Tree, Span)>,
    auth: Option<Arc<Auth>>,
    limits: LimitsSpec,
    channel: ChannelSpec,
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

impl RequestSpec {
    /// Reads `request:`; mistakes are reported.
    pub fn read(node: &Node, reading: &Reading) -> Option<Self> {
        if let Some(scalar) = node.scalar() {
            return Self::read_short(scalar, reading);
        }
        let fields = reading.fields(node, "request", &KEYS, &LATER)?;
        let method = fields.optional("method", |node| read_method(node, reading));
        let url = fields.required("url", || reading.error(fields.span, "`request` needs `url`"));
        let url = url.and_then(|node| read_url(reading.text(node, "url")?, reading));
        let query = read_entries(fields.get("query"), "query", reading);
        let headers = read_headers(fields.get("headers"), reading);
        let body = read_body(&fields, reading);
        let auth = fields.optional("auth", |node| Auth::read(node, reading));
        let limits = LimitsSpec::read(&fields, reading);
        Some(Self {
            method: method?,
            url: url?,
            query: query?,
            headers: headers?,
            body: body?,
            auth: auth?.map(Arc::new),
            limits,
            channel: ChannelSpec::read(&fields, reading),
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
        Some(Self {
            method,
            url,
            query,
            headers,
            body: Body::None,
            auth: None,
            limits: LimitsSpec::default(),
            channel: ChannelSpec::default(),
        })
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
        self.channel = self.channel.overlay(&defaults.channel);
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
        self.channel.reads(visit);
    }
}

impl RequestDefaults {
    /// Reads the request's part of `defaults:`; mistakes are reported. `retry` is its reader's.
    pub fn read(node: &Node, reading: &Reading) -> Option<Self> {
        let later: Vec<&'static str> =
            LATER.iter().copied().filter(|key| *key != "file" && *key != "multipart").collect();
        let fields = reading.fields(node, "defaults", &DEFAULT_KEYS, &later)?;
        let method = fields.get("method").and_then(|node| read_method(node, reading));
        let headers = read_headers(fields.get("headers"), reading)?;
        let auth = fields.get("auth").and_then(|node| Auth::read(node, reading)).map(Arc::new);
        let (limits, channel) = (LimitsSpec::read(&fields, reading), ChannelSpec::read(&fields, reading));
        Some(Self { method, headers, auth, limits, channel })
    }

    /// Whether they say nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.method.is_none()
            && self.headers.is_empty()
            && self.auth.is_none()
            && self.limits == LimitsSpec::default()
            && self.channel.is_empty()
    }

    /// Tells every name that its templates read, and where.
    pub fn reads(&self, visit: &mut dyn FnMut(&str, Span)) {
        self.headers.iter().for_each(|(_, tree, _)| tree.reads(visit));
        if let Some(auth) = &self.auth {
            auth.reads(visit);
        }
        self.channel.reads(visit);
    }

    /// How requests travel.
    #[must_use]
    pub const fn channel(&self) -> &ChannelSpec {
        &self.channel
    }
}

impl LimitsSpec {
    fn read(fields: &Fields<'_>, reading: &Reading) -> Self {
        Self {
            timeout: fields.get("timeout").and_then(|node| reading.duration(node, "timeout")),
            connect_timeout: fields
                .get("connect_timeout")
                .and_then(|node| reading.duration(node, "connect_timeout")),
            max_body: fields.get("max_body").and_then(|node| reading.size(node, "max_body")),
        }
    }

    fn resolve(self) -> Limits {
        let usual = Limits::default();
        Limits {
            timeout: self.timeout.unwrap_or(usual.timeout),
            connect_timeout: self.connect_timeout.unwrap_or(usual.connect_timeout),
            max_body: self.max_body.unwrap_or(usual.max_body),
            ..usual
        }
    }
}

//! A request as the user wrote it, and what it is rendered to.
//!
//! Every value stays in its place: names and values of query and form are encoded, a JSON body is
//! built as a structure, a header takes no line break. What is rendered is still editable by a
//! `before` script; only [`Rendered::finish`] makes bytes of it.

mod base_url;
mod body;
mod file;
mod form;
mod graphql;
mod limits;
mod multipart;
mod read;
mod render;
mod secrets;
mod sketch;

use std::sync::Arc;

use reqwest::Method;
use reqwest::header::HeaderName;

use crate::ground::read::Reading;
use crate::ground::source::Span;
use crate::ground::yaml::{Node, Scalar};
use crate::parts::auth::Auth;
use crate::parts::http::channel::ChannelSpec;
use crate::parts::http::spec::body::Body;
use crate::parts::http::spec::limits::LimitsSpec;
use crate::parts::http::spec::read::{read_entries, read_headers, read_method, read_url};
use crate::parts::template::{Mention, Template, Tree};

pub use crate::parts::http::spec::body::{RenderedBody, SketchedBody};
pub use crate::parts::http::spec::file::{BodyFile, MAX_FILE};
pub use crate::parts::http::spec::render::{Rendered, parse_url};
pub use crate::parts::http::spec::sketch::Sketch;

const KEYS: [&str; 22] = [
    "method",
    "url",
    "query",
    "headers",
    "auth",
    "json",
    "form",
    "multipart",
    "body",
    "file",
    "graphql",
    "timeout",
    "connect_timeout",
    "max_body",
    "limits",
    "redirects",
    "cookies",
    "tls",
    "proxy",
    "resolve",
    "http_version",
    // It stands under `defaults`, which whoever writes it here is told.
    "base_url",
];

/// What may stand under `defaults` of a request.
pub const DEFAULT_KEYS: [&str; 15] = [
    "base_url",
    "method",
    "headers",
    "auth",
    "timeout",
    "connect_timeout",
    "max_body",
    "limits",
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
    /// What is laid before a URL without a scheme; `defaults` alone can say it.
    base_url: Option<Template>,
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
    base_url: Option<Template>,
    headers: Vec<(HeaderName, Tree, Span)>,
    auth: Option<Arc<Auth>>,
    limits: LimitsSpec,
    channel: ChannelSpec,
}

impl RequestSpec {
    /// Reads `request:`; mistakes are reported.
    pub fn read(node: &Node, reading: &Reading) -> Option<Self> {
        if let Some(scalar) = node.scalar() {
            return Self::read_short(scalar, reading);
        }
        let fields = reading.fields(node, "request", &KEYS, &[])?;
        let method = fields.optional("method", |node| read_method(node, reading));
        let url = fields.required("url", || {
            reading.error_with(
                fields.span,
                "`request` needs `url`",
                "write `url: https://…`, or a path behind `base_url`",
            );
        });
        let url = url.and_then(|node| read_url(reading.text(node, "url")?, reading));
        let query = read_entries(fields.get("query"), "query", reading);
        let headers = read_headers(fields.get("headers"), reading);
        let body = Body::read(&fields, reading);
        let auth = fields.optional("auth", |node| Auth::read(node, reading));
        let limits = LimitsSpec::read(&fields, reading);
        base_url::refuse(&fields, reading);
        read::refuse_two_credentials(&fields, reading);
        body::look_at(&fields, reading);
        Some(Self {
            method: method?,
            base_url: None,
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
            let message = format!("`{word}` is not a method: methods are written in capitals");
            let span = scalar.span_of(&reading.source, 0..word.len());
            reading.error_with(span, message, format!("write `{}`", word.to_ascii_uppercase()));
            return None;
        }
        let url = read_url(&rest, reading)?;
        let (query, headers) = (Vec::new(), Vec::new());
        Some(Self {
            method,
            base_url: None,
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
        // GraphQL is always a POST: what holds for the other requests cannot hold for it.
        let method = defaults.method.as_ref().filter(|_| self.graphql().is_none());
        self.method = self.method.or_else(|| method.cloned());
        self.base_url.clone_from(&defaults.base_url);
        self.auth = self.auth.or_else(|| defaults.auth.clone());
        self.limits = self.limits.overlay(defaults.limits);
        self.channel = self.channel.overlay(&defaults.channel);
        self
    }

    /// How it is authenticated.
    #[must_use]
    pub fn auth(&self) -> Option<&Auth> {
        self.auth.as_deref()
    }

    /// The method that it is sent with under `defaults`, and the URL as it was written.
    #[must_use]
    pub fn line<'s>(&'s self, defaults: &'s RequestDefaults) -> (&'s str, &'s str) {
        let usual = if self.body.is_none() { "GET" } else { "POST" };
        let method = self.method.as_ref().or(defaults.method.as_ref());
        (method.map_or(usual, Method::as_str), self.url.source())
    }

    /// Where the URL stands.
    #[must_use]
    pub const fn span(&self) -> Span {
        self.url.span()
    }

    /// The files that it sends.
    pub fn files(&self) -> impl Iterator<Item = &BodyFile> {
        self.body.files()
    }

    /// Where `graphql` stands, if that is its body: then its answer is judged by its `errors` too.
    #[must_use]
    pub const fn graphql(&self) -> Option<Span> {
        self.body.graphql()
    }

    /// Tells every name that its templates read, and where.
    pub fn reads(&self, visit: &mut dyn FnMut(Mention<'_>)) {
        self.url.reads(visit);
        self.query.iter().for_each(|(_, tree, _)| tree.reads(visit));
        self.headers.iter().for_each(|(_, tree, _)| tree.reads(visit));
        self.body.reads(visit);
        if let Some(auth) = &self.auth {
            auth.reads(visit);
        }
        self.channel.reads(visit);
    }
}

impl RequestDefaults {
    /// Reads the request's part of `defaults:`; mistakes are reported. `retry` is its reader's.
    pub fn read(node: &Node, reading: &Reading) -> Option<Self> {
        let fields = reading.fields(node, "defaults", &DEFAULT_KEYS, &[])?;
        let method = fields.get("method").and_then(|node| read_method(node, reading));
        let base_url = fields.get("base_url").and_then(|node| base_url::read(node, reading));
        let headers = read_headers(fields.get("headers"), reading)?;
        let auth = fields.get("auth").and_then(|node| Auth::read(node, reading)).map(Arc::new);
        let (limits, channel) = (LimitsSpec::read(&fields, reading), ChannelSpec::read(&fields, reading));
        Some(Self { method, base_url, headers, auth, limits, channel })
    }

    /// Whether they say nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.method.is_none()
            && self.base_url.is_none()
            && self.headers.is_empty()
            && self.auth.is_none()
            && self.limits == LimitsSpec::default()
            && self.channel.is_empty()
    }

    /// Tells every name that its templates read, and where.
    pub fn reads(&self, visit: &mut dyn FnMut(Mention<'_>)) {
        if let Some(base_url) = &self.base_url {
            base_url.reads(visit);
        }
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

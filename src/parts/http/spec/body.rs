//! The body of a request: which one it is, and what each can do.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};

use crate::ground::diagnostic::Diagnostic;
use crate::ground::encode;
use crate::ground::read::{Fields, Reading};
use crate::ground::secret::{Marked, written};
use crate::ground::source::Span;
use crate::ground::value::Value;
use crate::ground::yaml::{Kind, Node, Scalar};
use crate::parts::http::media::{FORM, JSON};
use crate::parts::http::spec::file::BodyFile;
use crate::parts::http::spec::form::Form;
use crate::parts::http::spec::graphql::Graphql;
use crate::parts::http::spec::multipart::{self, Multipart};
use crate::parts::http::spec::sketch::hidden;
use crate::parts::scope::Scope;
use crate::parts::template::{Error, Mention, Sketched, Sketcher, Template, Tree};

const BODIES: [&str; 6] = ["json", "form", "multipart", "body", "file", "graphql"];

/// A body with templates in it.
#[derive(Debug, Clone, Default)]
pub(super) enum Body {
    #[default]
    None,
    Json(Tree),
    Form(Form),
    Multipart(Multipart),
    Text(Template),
    File(BodyFile),
    Graphql(Graphql),
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

/// A body as far as it is known before it is sent.
#[derive(Debug)]
pub struct SketchedBody {
    /// What it will be.
    pub pieces: Vec<Sketched>,
    /// What `Content-Type` will say of it where the user does not.
    pub(super) media: Option<&'static str>,
    /// Whether it is told in words, not as it is sent.
    pub(super) is_described: bool,
}

impl Body {
    /// Reads the one body among the fields of a request; mistakes are reported.
    pub(super) fn read(fields: &Fields<'_>, reading: &Reading) -> Option<Self> {
        let bodies = fields.present(&BODIES);
        if let [_, second, ..] = bodies.as_slice() {
            let names: Vec<_> = bodies.iter().map(|(key, _)| format!("`{}`", key.text)).collect();
            let help = format!("keep one of {}", names.join(", "));
            reading.error_with(second.0.span, "a request has one body", help);
            return None;
        }
        let Some((kind, node)) = bodies.first() else { return Some(Self::None) };
        match &*kind.text {
            "json" => Tree::read(node, reading).map(Self::Json),
            "form" => Form::read(node, reading).map(Self::Form),
            "multipart" => Multipart::read(node, reading).map(Self::Multipart),
            "file" => BodyFile::read(node, reading).map(Self::File),
            "graphql" => Graphql::read(node, fields, reading).map(Self::Graphql),
            _ => Self::read_text(node, reading),
        }
    }

    fn read_text(node: &Node, reading: &Reading) -> Option<Self> {
        if !matches!(node.kind, Kind::Scalar(_)) {
            let message = format!("`body` is a text, not {}", node.describe());
            reading.error_with(node.span, message, "use `json` for a JSON document, `form` for fields");
            return None;
        }
        Template::read(reading.text(node, "body")?, reading).map(Self::Text)
    }

    /// Whether there is none.
    pub(super) const fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    /// The files that it sends.
    pub(super) fn files(&self) -> impl Iterator<Item = &BodyFile> {
        let (file, parts) = match self {
            Self::File(file) => (Some(file), None),
            Self::Multipart(parts) => (None, Some(parts)),
            _ => (None, None),
        };
        file.into_iter().chain(parts.into_iter().flat_map(Multipart::files))
    }

    /// Where `graphql` stands, if it is that.
    pub(super) const fn graphql(&self) -> Option<Span> {
        match self {
            Self::Graphql(graphql) => Some(graphql.span),
            _ => None,
        }
    }

    /// Visits its templates.
    pub(super) fn templates(&self, visit: &mut dyn FnMut(&Template)) {
        match self {
            Self::None | Self::File(_) => {}
            Self::Json(tree) => tree.templates(visit),
            Self::Form(form) => form.templates(visit),
            Self::Multipart(parts) => parts.templates(visit),
            Self::Text(template) => visit(template),
            Self::Graphql(graphql) => graphql.templates(visit),
        }
    }

    /// Tells every name that its templates read, and where.
    pub(super) fn reads(&self, visit: &mut dyn FnMut(Mention<'_>)) {
        self.templates(&mut |template| template.reads(visit));
    }

    /// Adds what is a secret by the name of its part, and has no mark.
    pub(super) fn secrets(&self, scope: &Scope, secrets: &mut Vec<(Arc<str>, String)>) {
        if let Self::Multipart(parts) = self {
            parts.secrets(scope, secrets);
        }
    }

    /// Evaluates its templates.
    ///
    /// # Errors
    /// Where that cannot be done, or a file cannot be read.
    pub(super) fn render(&self, scope: &Scope) -> Result<Marked<RenderedBody>, Error> {
        match self {
            Self::None => Ok(Marked::plain(RenderedBody::None)),
            Self::Json(tree) => Ok(tree.value(scope)?.map(RenderedBody::Json)),
            Self::Form(form) => form.render(scope),
            Self::Multipart(parts) => parts.render(scope),
            Self::Text(template) => Ok(template.text(scope)?.map(RenderedBody::Text)),
            Self::File(file) => file.render(),
            Self::Graphql(graphql) => Ok(graphql.render(scope)?.map(RenderedBody::Json)),
        }
    }

    /// Lets the headers say what the body is, where the user's do not; `span` tells where they would.
    ///
    /// # Errors
    /// Where the user's say what this body cannot be.
    pub(super) fn complete_headers(
        &self,
        rendered: &RenderedBody,
        headers: &mut HeaderMap,
        span: impl FnOnce() -> Span,
    ) -> Result<(), Error> {
        if let (Self::Multipart(_), Some(media)) = (self, rendered.media_type()) {
            multipart::complete(headers, media, span())?;
        }
        rendered.set_media_type(headers);
        Ok(())
    }

    /// It as people may see it; the needles are still in it.
    ///
    /// # Errors
    /// As [`Body::render`], but for files.
    pub(super) fn shown(&self, scope: &Scope) -> Result<Option<String>, Error> {
        Ok(Some(match self {
            Self::None => return Ok(None),
            Self::Json(tree) => tree.shown(scope)?.to_json(),
            Self::Form(form) => form.shown(scope)?,
            Self::Multipart(parts) => parts.shown(scope)?,
            Self::Text(template) => template.shown(scope)?,
            Self::File(file) => file.shown(),
            Self::Graphql(graphql) => graphql.shown(scope)?,
        }))
    }

    /// It as far as it is known; `None` where there is none.
    pub(super) fn sketch(&self, sketcher: &Sketcher<'_>) -> Option<SketchedBody> {
        let sent = |pieces, media| SketchedBody { pieces, media, is_described: false };
        let described = |pieces, media| SketchedBody { pieces, media: Some(media), is_described: true };
        Some(match self {
            Self::None => return None,
            Self::Json(tree) => sent(tree.sketch_json(sketcher), Some(JSON)),
            Self::Form(form) => sent(form.sketch(sketcher), Some(FORM)),
            Self::Multipart(parts) => described(parts.sketch(sketcher), multipart::MEDIA),
            Self::Text(template) => {
                sent(hidden(template.sketch(sketcher), written::certain, encode::decoded), None)
            }
            Self::File(file) => described(vec![Sketched::Text(file.shown())], file.media_type()),
            Self::Graphql(graphql) => sent(graphql.sketch(sketcher), Some(JSON)),
        })
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
            Self::Json(_) => Some(JSON),
            Self::Form(_) => Some(FORM),
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

/// Warns of a body that will hardly be understood: JSON in quotes under `json`, or broken JSON.
pub(super) fn look_at(fields: &Fields<'_>, reading: &Reading) {
    let text =
        |key: &str| fields.get(key).and_then(Node::scalar).map(|scalar| (scalar.text.trim(), scalar.span));
    if let Some((json, span)) = text("json")
        && (is_within(json, "{", "}") || is_within(json, "[", "]"))
        && !json.starts_with("{{")
    {
        let help = "write it without quotes, as YAML; a text that is JSON already goes under `body`";
        let problem = Diagnostic::warning("this is a text, and is sent as a JSON string");
        reading.report(problem.at(&reading.source, span).help(help));
    }
    let Some((body, span)) = text("body").filter(|(body, _)| !body.contains("{{")) else { return };
    let is_json = |(name, value): &(Scalar, Node)| {
        let says_json = value.scalar().is_some_and(|scalar| scalar.text.contains("json"));
        name.text.eq_ignore_ascii_case("content-type") && says_json
    };
    let headers = fields.get("headers").map(|headers| &headers.kind);
    if let Some(Kind::Map(headers)) = headers
        && headers.iter().any(is_json)
        && let Err(error) = Value::from_json(body.as_bytes())
    {
        let problem = Diagnostic::warning(format!("this body is not JSON: {error}"));
        let help = "write the document under `json:`, as YAML";
        reading.report(problem.at(&reading.source, span).help(help));
    }
}

fn is_within(text: &str, open: &str, close: &str) -> bool {
    text.starts_with(open) && text.ends_with(close)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_the_text_that_will_be_sent() {
        let pairs = vec![("a b".to_owned(), "c&d".to_owned())];
        assert_eq!(RenderedBody::Form(pairs).text().as_deref(), Some("a+b=c%26d"));
        let json = Value::from_json(b"{\"z\": 1, \"a\": [ ]}").expect("the JSON is right");
        assert_eq!(RenderedBody::Json(json).text().as_deref(), Some(r#"{"z":1,"a":[]}"#));
        assert_eq!(RenderedBody::None.text(), None);
    }
}

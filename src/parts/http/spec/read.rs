//! How the parts of a request read themselves from YAML.

use std::sync::Arc;

use reqwest::Method;
use reqwest::header::HeaderName;

use crate::ground::read::{Fields, Reading};
use crate::ground::source::Span;
use crate::ground::value::Value;
use crate::ground::yaml::{Kind, Node, Scalar};
use crate::parts::http::message::reserved;
use crate::parts::http::spec::base_url::has_scheme;
use crate::parts::http::spec::{Entry, parse_url};
use crate::parts::template::{Template, Tree};

/// A URL without a template in it is judged before anything is sent; one without a scheme only
/// where it is known whether the file has a `base_url` (`RequestSpec::misplaced`).
pub(super) fn read_url(scalar: &Scalar, reading: &Reading) -> Option<Template> {
    let url = Template::read(scalar, reading)?;
    let whole = url.as_literal().filter(|text| has_scheme(text));
    if let Some(Err(error)) = whole.map(|text| parse_url(text, scalar.span)) {
        if scalar.text.contains('@') {
            reading.source.hide(scalar.span);
        }
        reading.report(error.diagnostic(&reading.source));
        return None;
    }
    Some(url)
}

pub(super) fn read_method(node: &Node, reading: &Reading) -> Option<Method> {
    let scalar = reading.text(node, "method")?;
    let method = Method::from_bytes(scalar.text.to_ascii_uppercase().as_bytes()).ok();
    if method.is_none() || scalar.text.contains("{{") {
        reading.error_with(
            node.span,
            format!("`{}` is not a method", scalar.text),
            "write one word: GET, POST, PUT, PATCH, DELETE, …",
        );
        return None;
    }
    method
}

pub(super) fn read_entries(node: Option<&Node>, what: &str, reading: &Reading) -> Option<Vec<Entry>> {
    let Some(node) = node else { return Some(Vec::new()) };
    let entries: Vec<_> = reading
        .entries(node, what)?
        .iter()
        .map(|(name, value)| Some((Arc::clone(&name.text), read_value(value, reading)?, value.span)))
        .collect();
    entries.into_iter().collect()
}

/// A value that ends as text: a plain scalar is taken as it was typed (`0101`, `1.10`).
pub(super) fn read_value(node: &Node, reading: &Reading) -> Option<Tree> {
    if let Kind::Map(_) = &node.kind {
        reading.error_with(
            node.span,
            "this must be a text or a list of texts, not a map",
            "a JSON text is `\"{{ value | tojson }}\"`",
        );
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

pub(super) fn read_headers(node: Option<&Node>, reading: &Reading) -> Option<Vec<(HeaderName, Tree, Span)>> {
    let Some(node) = node else { return Some(Vec::new()) };
    let headers: Vec<_> = reading
        .entries(node, "headers")?
        .iter()
        .map(|(name, value)| {
            let header = HeaderName::from_bytes(name.text.as_bytes());
            if header.is_err() {
                let help = "a name has letters, digits and `-`";
                reading.error_with(
                    name.span,
                    format!("`{}` cannot be the name of a header", name.text),
                    help,
                );
            }
            let value_tree = read_value(value, reading);
            let header = header.ok()?;
            if let Some((why, help)) = reserved(&header) {
                reading.error_with(name.span, format!("`{}` {why}", name.text), help);
                return None;
            }
            Some((header, value_tree?, value.span))
        })
        .collect();
    headers.into_iter().collect()
}

/// `auth` and a header of one's own would overwrite each other.
pub(super) fn refuse_two_credentials(fields: &Fields<'_>, reading: &Reading) {
    let Some(auth) = fields.get("auth").filter(|auth| auth.get("api_key").is_none()) else { return };
    let is_none = auth.scalar().is_some_and(|scalar| &*scalar.text == "none");
    let Some(Kind::Map(headers)) = fields.get("headers").map(|headers| &headers.kind) else { return };
    let own = headers.iter().find(|(name, _)| name.text.eq_ignore_ascii_case("authorization"));
    if let (Some((name, _)), false) = (own, is_none) {
        let help = "keep one of them; `auth: none` sends the header as it stands";
        reading.error_with(name.span, format!("`{}` beside `auth`, which sets it too", name.text), help);
    }
}

//! Bodies that are written as JSON text with a value inside of quotes: a value with a quote in it would end
//! the text there, and could add members. And queries of GraphQL with a value inside, which could add fields.

use crate::document::workflow::model::Workflow;
use crate::ground::diagnostic::Diagnostic;
use crate::ground::read::Reading;
use crate::ground::yaml::{Kind, Node, Scalar};

impl Workflow {
    /// Warns of templates inside of quotes, in a `body` that looks like JSON, and of those in a query.
    pub(super) fn check_quoted(root: &Node, reading: &Reading) {
        for key in ["steps", "finally"] {
            root.get(key).into_iter().for_each(|steps| walk(steps, reading));
        }
    }
}

fn walk(node: &Node, reading: &Reading) {
    match &node.kind {
        Kind::List(elements) => elements.iter().for_each(|element| walk(element, reading)),
        Kind::Map(entries) => {
            for (key, inner) in entries {
                match &*key.text {
                    "request" => judge(inner, reading),
                    "parallel" => walk(inner, reading),
                    _ => {}
                }
            }
        }
        Kind::Scalar(_) => {}
    }
}

fn judge(request: &Node, reading: &Reading) {
    if let Some(body) = request.get("body").and_then(Node::scalar)
        && let Some(at) = quoted(&body.text)
    {
        let why = "stands inside of quotes: a value with a quote in it would end the text there";
        let help = "write the body under `json:`, or `{{ name | tojson }}` without quotes around it";
        warn(body, at, why, help, reading);
    }
    let query = request.get("graphql").and_then(|graphql| graphql.get("query")).and_then(Node::scalar);
    if let Some(query) = query
        && let Some(at) = query.text.find("{{").filter(|at| *at > 0)
    {
        let why = "stands inside of the query: a value could end its place there, and ask for more";
        let help = "name it in the query, `query($id: ID!) { user(id: $id) { name } }`, and give it under `variables`";
        warn(query, at, why, help, reading);
    }
}

/// Warns of the template that begins here.
fn warn(scalar: &Scalar, at: usize, why: &str, help: &str, reading: &Reading) {
    let end = scalar.text[at..].find("}}").map_or(scalar.text.len(), |end| at + end + 2);
    let message = format!("`{}` {why}", &scalar.text[at..end]);
    let span = scalar.span_of(&reading.source, at..end);
    reading.report(Diagnostic::warning(message).at(&reading.source, span).help(help));
}

/// Where the first template inside of a text begins, if this looks like JSON.
fn quoted(body: &str) -> Option<usize> {
    if !body.trim_start().starts_with(['{', '[']) || body.trim_start().starts_with("{{") {
        return None;
    }
    let (bytes, mut at, mut inside) = (body.as_bytes(), 0, false);
    while at < bytes.len() {
        match bytes[at] {
            b'{' if body[at..].starts_with("{{") => {
                if inside {
                    return Some(at);
                }
                at += body[at..].find("}}").unwrap_or_default() + 1;
            }
            b'\\' => at += 1,
            b'"' => inside = !inside,
            _ => {}
        }
        at += 1;
        // A mark may have been skipped in the middle of a letter.
        while !body.is_char_boundary(at.min(body.len())) {
            at += 1;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A value cannot leave its place in JSON (S21).
    #[test]
    fn a_template_inside_of_quotes_is_seen() {
        let table = [
            (r#"{"a":"{{ x }}"}"#, Some(6)),
            (r#"[ "b {{ x }}" ]"#, Some(5)),
            (r#"{"a":{{ x | tojson }},"b":"c"}"#, None),
            (r#"{"a":{{ "x" | f }},"b":"{{ y }}"}"#, Some(24)),
            (r#"{"a":"\"","b":{{ x }}}"#, None),
            (r#"{"ä\ä":"{{ x }}"}"#, Some(10)),
            ("{{ x }} says \"{{ y }}\"", None),
            ("a=\"{{ x }}\"", None),
            ("{\"a\": \"{{", Some(7)),
            ("", None),
        ];
        for (body, at) in table {
            assert_eq!(quoted(body), at, "{body}");
        }
    }
}

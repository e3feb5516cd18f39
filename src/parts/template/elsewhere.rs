//! What people write in a template who know Postman, Bruno, a shell, GitHub Actions or JavaScript,
//! and what it is here.

use std::ops::Range;

use crate::ground::diagnostic::Diagnostic;
use crate::ground::read::Reading;
use crate::ground::yaml::Scalar;
use crate::parts::template::filters;

/// Filters of other template languages, and ours.
const FILTERS: &[(&str, &str)] = &[
    ("upcase", "upper"),
    ("downcase", "lower"),
    ("uppercase", "upper"),
    ("lowercase", "lower"),
    ("touppercase", "upper"),
    ("tolowercase", "lower"),
    ("json", "tojson"),
    ("to_json", "tojson"),
    ("stringify", "tojson"),
    ("from_json", "fromjson"),
    ("parse_json", "fromjson"),
    ("b64encode", "base64"),
    ("base64encode", "base64"),
    ("base64_encode", "base64"),
    ("btoa", "base64"),
    ("b64decode", "base64_decode"),
    ("base64decode", "base64_decode"),
    ("atob", "base64_decode"),
    ("url_encode", "urlencode"),
    ("encodeuricomponent", "urlencode"),
    ("url_decode", "urldecode"),
    ("size", "length"),
    ("len", "length"),
    ("parseint", "int"),
    ("to_i", "int"),
    ("number", "float"),
    ("regex_search", "regex_find"),
    ("hash", "sha256"),
];

/// Functions of other tools, and how the same is written.
const FUNCTIONS: &[(&str, &str)] = &[
    ("env", "declare an input: `inputs: { TOKEN: { env: TOKEN } }`, and write `{{ TOKEN }}`"),
    ("lookup", "declare an input: `inputs: { TOKEN: { env: TOKEN } }`, and write `{{ TOKEN }}`"),
    ("getenv", "declare an input: `inputs: { TOKEN: { env: TOKEN } }`, and write `{{ TOKEN }}`"),
    ("newuuid", "write `uuid()`"),
    ("guid", "write `uuid()`"),
    ("uuid4", "write `uuid()`"),
    ("uuidv4", "write `uuid()`"),
    ("random", "write `random_int(1, 6)` or `random_string(8)`"),
    ("randomint", "write `random_int(1, 6)`"),
    ("parseint", "write `{{ x | int }}`"),
    ("len", "write `{{ x | length }}`"),
    ("always", "steps that run whatever happened stand under `finally`"),
    ("success", "a step runs only where the ones before passed; nothing need be said"),
    ("failure", "steps that run whatever happened stand under `finally`"),
];

/// Names that begin with `$`, and how the same is written.
const DYNAMIC: &[(&str, &str)] = &[
    ("guid", "write `{{ uuid() }}`"),
    ("randomuuid", "write `{{ uuid() }}`"),
    ("uuid", "write `{{ uuid() }}`"),
    ("timestamp", "write `{{ timestamp() }}`"),
    ("isotimestamp", "write `{{ now() }}`"),
    ("datetime", "write `{{ now() }}`"),
    ("randomint", "write `{{ random_int(0, 1000) }}`"),
    ("randomalphanumeric", "write `{{ random_string(1) }}`"),
    ("randompassword", "write `{{ random_string(15) }}`"),
    ("env", INPUT),
    ("processenv", INPUT),
    ("dotenv", INPUT),
];

const INPUT: &str = "declare an input: `inputs: { token: { env: TOKEN } }`, and write `{{ token }}`";
const ALONE: &str = "inputs, `vars` and extracted values stand alone: `{{ name }}`";

/// Names that mean something elsewhere, and how the same is written.
const NAMES: &[(&str, &str)] = &[
    ("env", INPUT),
    ("process", INPUT),
    ("secrets", INPUT),
    ("vars", ALONE),
    ("inputs", ALONE),
    ("variables", ALONE),
    ("collectionVariables", ALONE),
    ("pm", ALONE),
    ("bru", ALONE),
    ("outputs", "the outputs of a step that `uses` a workflow are `steps.<id>.outputs.<name>`"),
    ("current", "the answer is `response`; that of an earlier step is `steps.<id>`"),
    ("previous", "the answer of an earlier step is `steps.<id>`"),
    ("res", "the answer is `response`; that of an earlier step is `steps.<id>`"),
    ("status", "the answer is `response`: `response.status`"),
    ("body", "the answer is `response`: `response.json`, or `response.body` for its text"),
    ("headers", "the answer is `response`: `response.headers[\"content-type\"]`"),
    ("index", "write `loop.index`; it counts from 1"),
    ("undefined", "nothing is written `none`; whether there is something is asked by `x is defined`"),
    ("nil", "nothing is written `none`"),
    ("Date", "write `{{ now() }}` or `{{ timestamp() }}`"),
    ("JSON", "write `{{ x | tojson }}` or `{{ x | fromjson }}`"),
    ("Math", "write `{{ x | round }}` or `{{ random_int(1, 6) }}`"),
];

/// Signs of other languages where an expression cannot be understood, and ours.
const SIGNS: &[(&str, &str)] = &[
    ("&&", "write `a and b`"),
    ("||", "write `a or b`; for what may be missing `a | default('b')`"),
    ("??", "write `a | default('b')`"),
    ("?.", "a member is reached by `a.b`; for what may be missing `a.b | default('')`"),
    ("?", "write `a if condition else b`"),
    ("===", "write `==`"),
    ("!==", "write `!=`"),
    ("!", "write `not a`"),
    ("=>", "there are no functions of one's own in a template; a script has them"),
    ("=", "to compare, write `==`"),
    ("`", "a text stands in single quotes: `'text'`"),
    ("#", "a template is one expression, without blocks and comments: `{{ a if b else c }}`"),
];

/// The words of blocks that other template languages have between `{%` and `%}`.
const BLOCKS: [&str; 14] = [
    "if", "elif", "elsif", "else", "endif", "for", "endfor", "set", "assign", "raw", "endraw", "include",
    "macro", "block",
];

/// What to write in place of a filter that is not there.
pub(super) fn filter(name: &str) -> Option<String> {
    if filters::FUNCTIONS.contains(&name) {
        return Some(format!("it is a function: `{{{{ {name}(…) }}}}`"));
    }
    let word = name.to_lowercase();
    let found = FILTERS.iter().find(|(foreign, _)| *foreign == word);
    found.map(|(_, ours)| format!("the word for it here is `{ours}`"))
}

/// What to write in place of a function that is not there.
pub(super) fn function(name: &str) -> Option<String> {
    let word = name.to_lowercase();
    if let Some((_, help)) = FUNCTIONS.iter().find(|(foreign, _)| *foreign == word) {
        return Some((*help).to_owned());
    }
    let ours = FILTERS.iter().find(|(foreign, _)| *foreign == word).map_or(name, |(_, ours)| *ours);
    filters::names().contains(&ours).then(|| format!("it is a filter: `{{{{ x | {ours} }}}}`"))
}

/// What to write in place of a name that nobody sets.
#[must_use]
pub fn name(name: &str) -> Option<&'static str> {
    NAMES.iter().find(|(foreign, _)| *foreign == name).map(|(_, help)| *help)
}

/// What to write in place of what stands where an expression cannot be understood.
pub(super) fn sign(from: &str) -> String {
    if let Some(rest) = from.strip_prefix('$') {
        return dynamic(rest);
    }
    let known = SIGNS.iter().find(|(sign, _)| from.starts_with(sign));
    known.map_or("a template is one expression: names, filters, `a if b else c`", |(_, help)| help).to_owned()
}

fn dynamic(rest: &str) -> String {
    if rest.starts_with(['.', '[']) {
        return "a JSON path stands under `extract`; a template reads `response.json.token`".to_owned();
    }
    let word: String = rest.chars().take_while(char::is_ascii_alphanumeric).collect();
    let word = word.to_lowercase();
    if let Some((_, help)) = DYNAMIC.iter().find(|(foreign, _)| *foreign == word) {
        return (*help).to_owned();
    }
    match word.strip_prefix("random") {
        Some(kind) => format!("write `{{{{ fake('{kind}') }}}}`; there are email, name and others"),
        None => "a name stands alone, without `$`: `{{ name }}`".to_owned(),
    }
}

/// Tells what looks like a template of another tool in a text that is sent as it stands: blocks are
/// refused, `${NAME}` is worth a warning.
pub(super) fn look(scalar: &Scalar, literal: Range<usize>, reading: &Reading) -> Option<()> {
    let (text, start) = (&scalar.text[literal.clone()], literal.start);
    if let Some((at, length)) = block(text) {
        let span = scalar.span_of(&reading.source, start + at..start + at + length);
        let help = "write `{{ a if b else c }}`, or give the step a `when`; as text it is `{{ '{%' }}`";
        reading.error_with(span, "blocks such as `{% if %}` are not part of the language", help);
        return None;
    }
    if let Some((at, name)) = dollar(text) {
        let written = text[at..].split_inclusive('}').next().unwrap_or(name);
        let span = scalar.span_of(&reading.source, start + at..start + at + written.len());
        let message = format!("`{written}` is sent as it stands");
        let help = format!(
            "a variable is `{{{{ {name} }}}}`; one of the environment is declared: `inputs: {{ {name}: {{ env: {name} }} }}`"
        );
        reading.report(Diagnostic::warning(message).at(&reading.source, span).help(help));
    }
    Some(())
}

/// Where a block begins, and how long its head is.
fn block(text: &str) -> Option<(usize, usize)> {
    text.match_indices("{%").find_map(|(at, _)| {
        let head = &text[at + 2..];
        let rest = head.trim_start_matches(['-', '+']).trim_start();
        let word: String = rest.chars().take_while(char::is_ascii_alphabetic).collect();
        let length = 2 + (head.len() - rest.len()) + word.len();
        BLOCKS.contains(&word.as_str()).then_some((at, length))
    })
}

/// Where the first `${NAME}` stands, or a `$NAME` that is all of the text.
fn dollar(text: &str) -> Option<(usize, &str)> {
    let name = |rest: &str| {
        let begins = rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        let length = rest.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
        if begins { length } else { 0 }
    };
    let whole = text.strip_prefix('$').filter(|rest| !rest.is_empty() && name(rest) == rest.len());
    if let Some(whole) = whole {
        return Some((0, whole));
    }
    text.match_indices("${").find_map(|(at, _)| {
        let rest = &text[at + 2..];
        let length = name(rest);
        (length > 0 && rest[length..].starts_with('}')).then(|| (at, &rest[..length]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_looks_like_a_variable_of_a_shell_is_found() {
        for (text, found) in [
            ("Bearer ${TOKEN}", Some((7, "TOKEN"))),
            ("$TOKEN", Some((0, "TOKEN"))),
            ("$5", None),
            ("${5}", None),
            ("costs $TOKEN", None),
            ("query($id: ID!) { a(id: $id) { b } }", None),
            ("${a.b}", None),
            ("$", None),
            ("${", None),
            ("${ü}", None),
        ] {
            assert_eq!(dollar(text), found, "{text}");
        }
    }

    #[test]
    fn only_blocks_of_template_languages_are_found() {
        for (text, found) in [
            ("{% if a %}", Some((0, 5))),
            ("x {%- endfor -%}", Some((2, 10))),
            ("{%", None),
            ("{%25}", None),
            ("{% load %}", None),
            ("{{ '{%' }} if", None),
        ] {
            assert_eq!(block(text), found, "{text}");
        }
    }
}

//! Templates: `{{ expression }}` in a text, and nothing else.
//!
//! A template is our own list of pieces, so that spans, types, marks and the encoding of URLs are
//! decided in one place; minijinja evaluates what stands between the braces. An expression that is
//! a bare name, which most are, never reaches minijinja at all.

mod elsewhere;
mod expression;
mod fake;
mod filters;
mod reads;
mod sketch;
mod tree;
mod url;
mod view;

use std::fmt::{self, Write as _};
use std::sync::Arc;

pub use elsewhere::name as name_elsewhere;
pub use expression::{Expression, is_constant};
pub use filters::{function_names, names as filter_names, own_filter_names};
pub use reads::Reads;
pub use sketch::{Secret, Sketched, Sketcher, Unknown, sketched};
pub use tree::Tree;
pub use url::{Address, has_scheme};
pub use view::shown;

use crate::ground::diagnostic::Diagnostic;
use crate::ground::read::Reading;
use crate::ground::secret::{Marked, Marks, pseudonym};
use crate::ground::source::{Source, Span};
use crate::ground::value::Value;
use crate::ground::yaml::Scalar;
use crate::parts::scope::Scope;

/// How long a text with expressions in it may become, in bytes.
const LARGEST: usize = 64 * 1024 * 1024;

/// A name that a template reads.
#[derive(Debug, Clone, Copy)]
pub struct Mention<'m> {
    /// The name and its members, dotted as far as they are plain: `steps.login.status`.
    pub path: &'m str,
    /// Where it stands.
    pub span: Span,
    /// Whether the expression asks if something is defined, or has a default: then what it names
    /// need not be.
    pub guarded: bool,
}

impl<'m> Mention<'m> {
    /// The name without its members.
    #[must_use]
    pub fn name(&self) -> &'m str {
        self.path.split('.').next().unwrap_or(self.path)
    }
}

/// What went wrong where a template stands, or a selector that may stand in its place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// What.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// Where, in the text that the template stands in.
    pub span: Span,
}

impl Error {
    /// An error at a place.
    pub fn new(span: Span, message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None, span }
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The error in the source that the template was read from.
    #[must_use]
    pub fn diagnostic(&self, source: &Arc<Source>) -> Diagnostic {
        Diagnostic::error(&self.message).at(source, self.span).maybe_help(self.help.clone())
    }
}

/// A text with expressions in it.
#[derive(Clone)]
pub struct Template {
    text: Arc<str>,
    pieces: Vec<Piece>,
    span: Span,
}

impl fmt::Debug for Template {
    /// Not the text: a user may have written a secret as it is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Template").field("span", &self.span).finish_non_exhaustive()
    }
}

#[derive(Clone)]
enum Piece {
    Literal(Box<str>),
    Expression(Expression),
}

impl Template {
    /// Reads a scalar; mistakes are reported.
    pub fn read(scalar: &Scalar, reading: &Reading) -> Option<Self> {
        let mut pieces = Vec::new();
        let text = &*scalar.text;
        let mut literal = 0;
        while let Some(open) = text[literal..].find("{{").map(|at| literal + at) {
            let Some(close) = closing(text, open + 2) else {
                let span = scalar.span_of(&reading.source, open..open + 2);
                let help = if text[open..].contains("}}") {
                    "a quote or a `{` behind it is still open"
                } else {
                    "close it with `}}`; two braces as text are `{{ '{{' }}`"
                };
                reading.error_with(span, "this `{{` is never closed", help);
                return None;
            };
            if open > literal {
                elsewhere::look(scalar, literal..open, reading)?;
                pieces.push(Piece::Literal(text[literal..open].into()));
            }
            pieces.push(Piece::Expression(Expression::read(scalar, open + 2..close, reading)?));
            literal = close + 2;
        }
        if literal < text.len() || pieces.is_empty() {
            elsewhere::look(scalar, literal..text.len(), reading)?;
            pieces.push(Piece::Literal(text[literal..].into()));
        }
        Some(Self { text: Arc::clone(&scalar.text), pieces, span: scalar.span })
    }

    /// Where it stands.
    #[must_use]
    pub const fn span(&self) -> Span {
        self.span
    }

    /// The template as it was typed.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.text
    }

    /// Whether it is exactly one expression, whose value keeps its type.
    #[must_use]
    pub fn is_one_expression(&self) -> bool {
        matches!(self.pieces.as_slice(), [Piece::Expression(_)])
    }

    /// The text, where there is no expression in it.
    #[must_use]
    pub fn as_literal(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [Piece::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// The value: a template that is exactly one expression keeps its type.
    ///
    /// # Errors
    /// [`Error`] where something is undefined, or a filter or function refuses its arguments.
    pub fn value(&self, scope: &Scope) -> Result<Marked<Value>, Error> {
        match self.pieces.as_slice() {
            [Piece::Expression(expression)] => expression.value(scope),
            [Piece::Literal(_)] => Ok(Marked::plain(Value::String(Arc::clone(&self.text)))),
            _ => Ok(self.text(scope)?.map(Value::from)),
        }
    }

    /// The text; what is no string stands in it as JSON.
    ///
    /// # Errors
    /// As [`Template::value`].
    pub fn text(&self, scope: &Scope) -> Result<Marked<String>, Error> {
        let mut text = String::with_capacity(self.text.len());
        let mut marks = Marks::NONE;
        for piece in &self.pieces {
            match piece {
                Piece::Literal(literal) => text.push_str(literal),
                Piece::Expression(expression) => {
                    let found = expression.value(scope)?;
                    marks.join(&found.marks);
                    append(&mut text, &found.value);
                }
            }
            if text.len() > LARGEST {
                return Err(Error::new(
                    self.span,
                    format!("this text becomes larger than {} MiB", LARGEST >> 20),
                ));
            }
        }
        Ok(Marked::new(text, marks))
    }

    /// Refuses a value that would leave its place in the text by this sign: that of an expression among
    /// others, without `| raw`. What stands alone is the whole, and may be anything.
    ///
    /// # Errors
    /// As [`Template::value`], and where such a value has the sign in it.
    pub fn keeps_within(&self, sign: char, scope: &Scope) -> Result<(), Error> {
        let beside = if self.is_one_expression() { &[] } else { self.pieces.as_slice() };
        for piece in beside {
            if let Piece::Expression(expression) = piece
                && !expression.is_raw()
                && expression.value(scope)?.value.to_text().contains(sign)
            {
                let message = format!("this value has a `{sign}` in it: it would leave its place");
                return Err(
                    Error::new(expression.span(), message).help("`| raw` lets it through, if that is meant")
                );
            }
        }
        Ok(())
    }

    /// The text as people may see it: what a secret went into is a pseudonym.
    ///
    /// # Errors
    /// As [`Template::value`].
    pub fn shown(&self, scope: &Scope) -> Result<String, Error> {
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Literal(literal) => text.push_str(literal),
                Piece::Expression(expression) => {
                    let found = expression.value(scope)?;
                    match &found.marks.secret {
                        Some(name) => text.push_str(&pseudonym(name)),
                        None => append(&mut text, &found.value),
                    }
                }
            }
        }
        Ok(scope.needles.scrub(&text))
    }

    /// Tells every name that the template reads, dotted as far as it is, and where.
    pub fn reads(&self, visit: &mut dyn FnMut(Mention<'_>)) {
        for piece in &self.pieces {
            if let Piece::Expression(expression) = piece {
                expression.reads(visit);
            }
        }
    }
}

fn append(text: &mut String, value: &Value) {
    match value {
        Value::String(string) => text.push_str(string),
        Value::Bool(truth) => text.push_str(if *truth { "true" } else { "false" }),
        other => {
            // Writing to a string cannot fail.
            let _ = write!(text, "{other:?}");
        }
    }
}

/// Where the `}}` stands that closes the expression beginning at `from`: quotes and the braces of
/// an inner map are passed over.
fn closing(text: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut at, mut depth, mut quote) = (from, 0_usize, None);
    while let Some(&byte) = bytes.get(at) {
        match (quote, byte) {
            (Some(_), b'\\') => at += 1,
            (Some(open), close) if open == close => quote = None,
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'{') => depth += 1,
            (None, b'}') if depth > 0 => depth -= 1,
            (None, b'}') if bytes.get(at + 1) == Some(&b'}') => return Some(at),
            _ => {}
        }
        at += 1;
    }
    None
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::ground::clock::Clock;
    use crate::ground::secret::Needles;
    use crate::ground::yaml::Style;

    pub(crate) fn read(text: &str) -> Result<Template, String> {
        let source = Source::text("t.yaml", text);
        let reading = Reading::new(&source);
        let scalar = Scalar { text: text.into(), span: Span::new(0, text.len()), style: Style::Plain };
        let template = Template::read(&scalar, &reading);
        template.ok_or_else(|| reading.finish().render(false))
    }

    pub(crate) fn scope() -> Scope {
        let scope = Scope::new(Needles::default(), Clock::fixed(1_700_000_000_000));
        let json = |text: &str| Marked::plain(Value::from_json(text.as_bytes()).expect("JSON"));
        scope.set(&"n".into(), json("42")).expect("no input");
        scope.set(&"b".into(), json("true")).expect("no input");
        scope.set(&"name".into(), json("\"Zoë\"")).expect("no input");
        scope.set(&"user".into(), json(r#"{"id":7,"roles":["a","b"],"z":null}"#)).expect("no input");
        let secret = Marks { secret: Some("token".into()), from_server: true };
        scope.set(&"token".into(), Marked::new("s3cret-value".into(), secret)).expect("no input");
        scope
    }

    fn value(text: &str) -> String {
        read(text)
            .and_then(|template| template.value(&scope()).map_err(|error| error.message))
            .map_or_else(|error| format!("error: {error}"), |found| found.value.to_json())
    }

    #[test]
    fn a_single_expression_keeps_its_type_and_any_other_text_is_a_string() {
        for (text, expected) in [
            ("{{ n }}", "42"),
            ("{{n}}", "42"),
            ("{{ n + 1 }}", "43"),
            ("{{ b }}", "true"),
            ("{{ user.roles }}", r#"["a","b"]"#),
            ("{{ user }}", r#"{"id":7,"roles":["a","b"],"z":null}"#),
            ("{{ user.z }}", "null"),
            ("{{ n }} ", "\"42 \""),
            ("b={{ b }} z={{ user.z }} r={{ user.roles }}", r#""b=true z=null r=[\"a\",\"b\"]""#),
            ("plain", "\"plain\""),
            ("{{ '{{' }}", "\"{{\""),
            ("{# no comment #} {% no block %} }}", r#""{# no comment #} {% no block %} }}""#),
            ("{{ {'a': {'b': n}}.a.b }}", "42"),
            ("{{ user.roles | join('-') }}", "\"a-b\""),
            ("{{ 'yes' if b else 'no' }}", "\"yes\""),
            ("{{ missing is defined }}", "false"),
            ("{{ missing | default('x') }}", "\"x\""),
            ("{{ 9007199254740993 }}", "9007199254740993"),
        ] {
            assert_eq!(value(text), expected, "{text}");
        }
    }

    #[test]
    fn the_undefined_is_an_error_that_names_the_nearest() {
        let error = read("{{ nme }}").expect("a template").value(&scope()).expect_err("undefined");
        assert_eq!(error.message, "`nme` is not defined");
        assert_eq!(error.help.as_deref(), Some("did you mean `name`?"));
        assert_eq!(error.span, Span::new(3, 6));
        let error = read("x {{ user.rolez }}").expect("a template").value(&scope()).expect_err("undefined");
        assert_eq!(error.message, "`user.rolez` is not defined");
        assert_eq!(error.help.as_deref(), Some("did you mean `user.roles`?"));
        let error = read("{{ tokn ~ 'x' }}").expect("a template").value(&scope()).expect_err("undefined");
        assert_eq!(error.span, Span::new(3, 7));
    }

    #[test]
    fn mistakes_are_found_when_a_template_is_read() {
        for (text, part) in [
            ("a {{ b", "never closed"),
            ("{{ }}", "nothing stands"),
            ("{{ a + }}", "syntax"),
            ("{{ my-var }}", "`-`"),
            ("{{ n | nosuch }}", "nosuch"),
            ("{{ nosuch() }}", "nosuch"),
        ] {
            let error = read(text).map(|template| format!("{template:?}")).expect_err(text);
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn what_a_secret_goes_into_is_marked_and_shown_as_its_pseudonym() {
        let scope = scope();
        for (text, shown) in [
            ("Bearer {{ token }}", "Bearer «token»"),
            ("{{ token | sha256 }}", "«token»"),
            ("{{ token | length }}", "«token»"),
            ("{{ n }}", "42"),
        ] {
            let template = read(text).expect("a template");
            assert_eq!(template.shown(&scope).expect("defined"), shown);
        }
        let digest = read("{{ token | sha256 }}").expect("a template").text(&scope).expect("defined");
        assert!(digest.marks.from_server);
        assert_eq!(scope.needles.scrub(&format!("x {}", digest.value)), "x «token»");
    }

    #[test]
    fn an_expression_is_bounded_in_length_and_in_what_it_makes() {
        let sum = |terms: usize| format!("{{{{ {}1 }}}}", "1+".repeat(terms));
        assert_eq!(value(&sum(2000)), "2001");
        let error = read(&sum(2100)).map(|template| format!("{template:?}")).expect_err("too long");
        assert!(error.contains("it may have 4096"), "{error}");
        let scope = scope();
        let half = "x".repeat(17 * 1024 * 1024);
        scope.set(&"half".into(), Marked::plain(half.into())).expect("no input");
        let twice = read("{{ half ~ half }}").expect("a template").value(&scope).expect_err("too large");
        assert!(twice.message.contains("larger than 32 MiB"), "{}", twice.message);
        for text in [
            "'%999999999s' | format(1)",
            "'%*d' | format(999999999, 1)",
            "('%s' * 200) | format(half)",
            "'a' | indent(999999999)",
            "'a' | indent(width=999999999)",
            "('a\\n' * 10000) | indent(100000)",
            "('a' * 10000) | replace('a', 'b' * 10000)",
            "('a' * 10000) | replace('', 'b' * 10000)",
            "('a' * 10000) | regex_replace('a', 'b' * 10000)",
            "half | regex_replace('^(.*)$', '$1$1$1$1$1')",
            "range(100000) | join('a' * 10000)",
            "range(100000) | map('string') | join(range(100000) | join)",
            "range(100000) | map('replace', '', 'x' * 1000) | list | length",
            "([half] * 1000) | map('upper') | list | length",
            "([half] * 1000) | map('base64') | list | length",
            "([half] * 1000) | tojson",
            "half ~ half ~ half ~ half",
            "half + half + half + half",
            "[half] * 10",
            "[[1] * 100000] * 100000",
            "([0] * 100000000) | list | length",
            "([0] * 100000000) | reverse | length",
            "([0] * 100000000) | sort | length",
            "([0] * 100000000) | unique | length",
            "[1] | batch(999999999, 0)",
            "[1] | slice(999999999)",
            "('a,' * 10000000) | split(',') | length",
        ] {
            let found = read(&format!("{{{{ {text} }}}}")).expect("a template").value(&scope);
            let error = found.map(|found| found.value.to_text().len()).expect_err(text).message;
            assert!(
                error.contains("of text") || error.contains("too much") || error.contains("up to"),
                "{text}: {error}"
            );
        }
        let many = read(&"{{ half }}".repeat(1000)).expect("a template").text(&scope).expect_err("too large");
        assert_eq!(many.message, "this text becomes larger than 64 MiB");
        for (text, expected) in [
            ("'%5s|%-3d|%.2f' | format('a', 1, 2.5)", "\"    a|1  |2.50\""),
            ("'a\\nb' | indent(2)", "\"a\\n  b\""),
            ("'aXbX' | replace('X', '--')", "\"a--b--\""),
            ("'a1b22' | regex_replace('([0-9]+)', '<$1$1>')", "\"a<11>b<2222>\""),
            ("[1, 2, 3] | batch(2, 0)", "[[1,2],[3,0]]"),
            ("[1] | batch(2, 9999999)", "[[1,9999999]]"),
            ("'a\\nb' | indent(1, first=true)", "\" a\\n b\""),
            ("[1, 2, 3] | slice(2, 0)", "[[1,2],[3,0]]"),
            ("' A,b ' | trim | lower | split(',')", "[\"a\",\"b\"]"),
            ("half | length", "17825792"),
            ("half | sha256 | length", "64"),
        ] {
            let found = read(&format!("{{{{ {text} }}}}")).expect("a template").value(&scope);
            assert_eq!(found.map_err(|error| error.message).expect(text).value.to_json(), expected, "{text}");
        }
    }

    #[test]
    fn reveal_shows_a_secret_on_purpose() {
        let scope = scope();
        let template = read("{{ token | reveal }}").expect("a template");
        assert_eq!(template.shown(&scope).expect("defined"), "s3cret-value");
    }

    proptest::proptest! {
        #[test]
        fn no_text_breaks_the_reader(text in "\\PC{0,20}|(\\{|\\}|'|\"|a|\\||-| |\\.|\\(|\\)){0,16}") {
            if let Ok(template) = read(&text) {
                let _ = template.value(&scope());
                let _ = template.address(&scope());
            }
        }
    }
}

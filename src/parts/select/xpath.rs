//! `xpath: //soap:Body/result`: `XPath` 1.0 over XML, and over HTML.

use std::fmt;
use std::sync::Arc;

use xpath_eval::{EvaluationContext, Expr, Node as _, evaluate, parse};

use crate::ground::diagnostic::did_you_mean;
use crate::ground::read::Reading;
use crate::ground::value::Value;
use crate::ground::yaml::Scalar;
use crate::parts::select::answer::Answer;
use crate::parts::select::markup::{Markup, Walk};
use crate::parts::select::missing::{Absence, Missing};
use crate::parts::select::{is_too_much, named};

/// An expression of `XPath` 1.0.
#[derive(Debug, Clone)]
pub struct XPath {
    written: Arc<str>,
    compiled: Arc<Expr>,
}

impl fmt::Display for XPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "xpath {}", self.written)
    }
}

impl XPath {
    /// Reads an expression; a mistake is reported at its place.
    pub(super) fn read(scalar: &Scalar, reading: &Reading) -> Option<Self> {
        let text = &*scalar.text;
        let parsed = if let Some(why) = is_too_much(text) {
            Err((0, why))
        } else {
            parse(text).map_err(|error| (error.position, error.message))
        };
        let problem = match parsed {
            Ok(compiled) => match unknown(&compiled) {
                None => {
                    return Some(Self { written: Arc::clone(&scalar.text), compiled: Arc::new(compiled) });
                }
                Some(problem) => (0, problem),
            },
            Err(problem) => problem,
        };
        let help = if text.contains("{{") {
            "a selector holds no template"
        } else {
            "write XPath 1.0: `//item[@id='7']/name`, `count(//item)`, `//*[local-name()='Body']`"
        };
        let at = text.floor_char_boundary(problem.0);
        let span = scalar.span_of(&reading.source, at..text.len());
        reading.error_with(span, format!("{} is not an XPath: {}", named(text), problem.1), help);
        None
    }

    /// What was written.
    pub(super) fn as_str(&self) -> &str {
        &self.written
    }

    pub(super) fn find(&self, answer: &Answer) -> Result<Value, Missing> {
        let markup =
            answer.markup().map_err(|why| Missing::not_markup(self.to_string(), answer.response(), why))?;
        let walk = Walk::new(markup);
        let mut context = EvaluationContext::new(walk.root());
        let prefixes = |prefix: &str| {
            let found = markup.prefixes.iter().find(|(known, _)| **known == *prefix);
            found
                .map(|(_, uri)| uri.to_string())
                .or_else(|| (prefix == "xml").then(|| "http://www.w3.org/XML/1998/namespace".to_owned()))
        };
        context.namespaces = Some(&prefixes);
        let found = evaluate(&self.compiled, &context);
        if walk.is_stopped() {
            let reason = "it looks at too much of the document; name the way to it more exactly".to_owned();
            return Err(Missing::nothing(self.to_string(), reason).with(Absence::WrongKind, None));
        }
        match found.map_err(|error| Missing::nothing(self.to_string(), error.to_string()))? {
            xpath_eval::Value::NodeSet(nodes) => match nodes.as_slice() {
                [one] => Ok(one.string_value().into()),
                [] => Err(self.nothing(markup)),
                many => Err(self.several(many.len())),
            },
            xpath_eval::Value::Boolean(truth) => Ok(truth.into()),
            xpath_eval::Value::String(text) => Ok(text.into()),
            xpath_eval::Value::Number(number) => self.number(number),
        }
    }

    /// A whole number is one; what is no number is nothing.
    fn number(&self, number: f64) -> Result<Value, Missing> {
        if !number.is_finite() {
            let reason = format!("what came of it is {number}, not a number");
            return Err(Missing::nothing(self.to_string(), reason));
        }
        let whole = format!("{number:.0}").parse::<i64>().ok().map(Value::from);
        let whole = whole.filter(|whole| whole.same(&Value::from(number)));
        Ok(whole.unwrap_or_else(|| number.into()))
    }

    fn several(&self, count: usize) -> Missing {
        let help =
            format!("`({})[1]` is the first of them, `count({})` says how many", self.written, self.written);
        let missing = Missing::nothing(self.to_string(), format!("matches {count} nodes, not one"));
        missing.with(Absence::Several, Some(help))
    }

    /// Most of those who find nothing left out a namespace.
    fn nothing(&self, markup: &Markup) -> Missing {
        let foreign = prefixes(&self.written)
            .find(|prefix| *prefix != "xml" && !markup.prefixes.iter().any(|(known, _)| **known == **prefix));
        let known = markup.prefixes.iter().map(|(prefix, _)| &**prefix);
        let help = match foreign {
            Some(prefix) => {
                let near = did_you_mean(prefix, known);
                Some(near.unwrap_or_else(|| {
                    format!("the document declares no prefix `{prefix}`; `*[local-name()='…']` needs none")
                }))
            }
            None if markup.has_namespaces() => Some(
                "its elements have a namespace: write the document's prefix, or `*[local-name()='…']`"
                    .to_owned(),
            ),
            None => None,
        };
        let missing = Missing::nothing(self.to_string(), format!("the document is {}", markup.outline()));
        missing.with(Absence::Nothing, help)
    }
}

/// The prefixes that an expression names: `soap` in `//soap:Body`, but no axis (`child::a`).
fn prefixes(text: &str) -> impl Iterator<Item = &str> {
    let word = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    text.match_indices(':').filter_map(move |(at, _)| {
        let (before, after) = (&text[..at], &text[at + 1..]);
        let start = before
            .rfind(|c| !word(c))
            .map_or(0, |found| found + before[found..].chars().next().map_or(1, char::len_utf8));
        let named = after.starts_with(|c: char| c.is_alphabetic() || matches!(c, '_' | '*'));
        (named && start < at && !before.ends_with(':')).then(|| &before[start..])
    })
}

/// What only shows when an expression is evaluated, tried on an empty document: a function that
/// there is not, a variable, a wrong number of arguments.
fn unknown(compiled: &Expr) -> Option<String> {
    let markup = Markup::empty();
    let walk = Walk::new(&markup);
    let context = EvaluationContext::new(walk.root());
    evaluate(compiled, &context).err().map(|error| error.to_string())
}

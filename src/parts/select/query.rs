//! JSON paths (RFC 9535): the simple ones are followed by us, the rest by `serde_json_path`.
//!
//! The general engine wants the body as a tree of its own type, so that only those who branch or
//! filter pay for it.

use std::fmt;
use std::sync::Arc;

use serde_json_path::JsonPath;

use crate::ground::read::Reading;
use crate::ground::regex::TooLong;
use crate::ground::value::Value;
use crate::ground::yaml::Scalar;
use crate::parts::select::answer::Answer;
use crate::parts::select::cost::{Cost, MOST_STEPS};
use crate::parts::select::missing::{Absence, Missing};
use crate::parts::select::path::{Path, Segment};
use crate::parts::select::pattern_cost::PatternCost;
use crate::parts::select::shared::{MOST_AGAIN, shared};
use crate::parts::select::{named, too_deep};

/// How deep brackets may be nested in a path: the general engine's parser is recursive.
pub(super) const MAX_NESTING: usize = 8;

/// A JSON path.
#[derive(Debug, Clone)]
pub enum Query {
    /// One that is followed while the body is being read.
    Single(Arc<Path>),
    /// Any other, for the general engine.
    General(Arc<General>),
}

/// A JSON path that may lead to many values.
#[derive(Debug)]
pub struct General {
    text: Arc<str>,
    compiled: JsonPath,
    /// What it begins with before it branches.
    beginning: Path,
    cost: Cost,
    patterns: PatternCost,
}

impl General {
    /// All that the path leads to, where that is not too much.
    fn all<'a>(&self, query: &Query, answer: &'a Answer) -> Result<Vec<&'a serde_json::Value>, Missing> {
        let root = answer.response().json().map_err(|_| query.nothing(answer))?;
        if self.cost.is_too_much(root) {
            return Err(self.too_much(&format!("takes more than {MOST_STEPS} steps through this answer")));
        }
        if let Err(found) = self.patterns.allows(root, || self.cost.most_visits(root)) {
            let missing = Missing::nothing(self.text.to_string(), found.to_string());
            return Err(missing.with(Absence::TooMuch, Some(TooLong::HELP.to_owned())));
        }
        Ok(self.compiled.query(answer.serde(query)?).all())
    }

    fn too_much(&self, reason: &str) -> Missing {
        let help = "begin at the list that is meant, and say `..` once at most: `$.list[*].id`";
        Missing::nothing(self.text.to_string(), reason).with(Absence::TooMuch, Some(help.to_owned()))
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Single(path) => path.fmt(f),
            Self::General(general) => f.write_str(&general.text),
        }
    }
}

/// The path that a text without `$` probably means: `token`, `.data.id`, `response.json.token`.
#[must_use]
pub fn meant(text: &str) -> Option<String> {
    let beginnings = ["response.json.", "response.body.", "response.", "body.", "json.", "."];
    let rest = beginnings.iter().find_map(|beginning| text.strip_prefix(beginning)).unwrap_or(text);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '[' | ']');
    let names = rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let path = format!("$.{rest}");
    (names && rest.chars().all(is_plain) && Path::beginning(&path).is_some_and(|(_, left)| left.is_empty()))
        .then_some(path)
}

impl Query {
    /// Reads a path; a mistake is reported at its place.
    pub fn read(scalar: &Scalar, reading: &Reading) -> Option<Self> {
        let text = &*scalar.text;
        let Some((beginning, rest)) = Path::beginning(text) else {
            let message = format!("`{text}` is not a JSON path");
            let path = meant(text).unwrap_or_else(|| "$.result.token".to_owned());
            reading.error_with(scalar.span, message, format!("a path begins with `$`: `{path}`"));
            return None;
        };
        if rest.is_empty() {
            return Some(Self::Single(Arc::new(beginning)));
        }
        let parsed = if nesting(rest) > MAX_NESTING {
            Err((0, too_deep("brackets are")))
        } else if let Some(at) = broken_escape(text) {
            Err((at, "`\\u` wants four hexadecimal digits".to_owned()))
        } else {
            JsonPath::parse(text).map_err(|error| (error.position(), error.to_string()))
        };
        match parsed {
            Ok(compiled) => {
                let (cost, patterns) = (Cost::of(text), PatternCost::of_path(text));
                let text = Arc::clone(&scalar.text);
                Some(Self::General(Arc::new(General { text, compiled, beginning, cost, patterns })))
            }
            Err((position, reason)) => {
                report_path(scalar, reading, position, &reason);
                None
            }
        }
    }

    /// The one value that the path leads to.
    pub(super) fn one(&self, answer: &Answer) -> Result<Value, Missing> {
        match self {
            Self::Single(path) => answer.value_at(path),
            Self::General(general) => {
                let found = general.all(self, answer)?;
                match found.as_slice() {
                    [one] => Ok(Value::from((*one).clone())),
                    [] => Err(self.nothing(answer)),
                    many => Err(Missing::several(self.to_string(), many.len(), &general.text)),
                }
            }
        }
    }

    /// No match is an empty list, but only where what the path begins with is there: a name that
    /// was misspelt must not pass as nothing to do.
    pub(super) fn all(&self, answer: &Answer) -> Result<Vec<Value>, Missing> {
        match self {
            Self::Single(path) => Ok(vec![answer.value_at(path)?]),
            Self::General(general) => {
                let found = general.all(self, answer)?;
                let root = answer.response().json().map_err(|_| self.nothing(answer))?;
                if found.is_empty() && general.beginning.find(root).is_none() {
                    return Err(self.nothing(answer));
                }
                shared(&found, answer.serde(self)?, root).ok_or_else(|| {
                    general.too_much(&format!(
                        "gives more than {MOST_AGAIN} values again, each inside of others"
                    ))
                })
            }
        }
    }

    pub(super) fn nothing(&self, answer: &Answer) -> Missing {
        let segments = match self {
            Self::Single(path) => path.segments(),
            Self::General(general) => general.beginning.segments(),
        };
        match answer.response().json() {
            Ok(root) => Missing::no_member(self.to_string(), segments, root),
            Err(error) => Missing::not_json(self.to_string(), answer.response(), error),
        }
    }

    /// The name of the last member on the way.
    pub(super) fn last_member(&self) -> Option<&str> {
        let members = |path: &'_ Path| {
            path.segments().iter().rposition(|segment| matches!(segment, Segment::Member(_)))
        };
        match self {
            Self::Single(path) => match &path.segments()[members(path)?] {
                Segment::Member(name) => Some(name),
                Segment::Index(_) => None,
            },
            Self::General(general) => last_name(&general.text),
        }
    }
}

/// Where a path ends in the midst of an escape, on which the general engine's parser panics.
fn broken_escape(text: &str) -> Option<usize> {
    text.rfind("\\u").filter(|at| text[at + 2..].chars().count() < 4)
}

/// The last name in a general path: what stands before closing indexes, without dots and quotes.
fn last_name(path: &str) -> Option<&str> {
    let mut rest = path;
    while let Some(inside) = rest.strip_suffix(']') {
        let open = inside.rfind('[')?;
        let name = inside[open + 1..].trim().trim_matches(['\'', '"']);
        if name.len() < inside[open + 1..].trim().len() {
            return Some(name);
        }
        rest = &path[..open];
    }
    let name = rest.rsplit(['.', ']', ' ']).next()?;
    (!name.is_empty() && name != "$" && name != "*").then_some(name)
}

/// The engine counts the place in bytes from 0, and often has no more to say than that.
fn report_path(scalar: &Scalar, reading: &Reading, position: usize, reason: &str) {
    let text = &*scalar.text;
    let at = text.floor_char_boundary(position);
    let span = scalar.span_of(&reading.source, at..text.len());
    let help = if text.contains("{{") {
        "a selector holds no template; a whole value `\"{{ response.json[name] }}\"` may"
    } else if text.contains('?') && text.replace("==", "").contains('=') {
        "to compare, write `==`: `$.list[?@.id == 1]`"
    } else {
        "paths are RFC 9535's: `$.a.b`, `$['a b']`, `$.list[0]`, `$.list[*].id`, `$..id`"
    };
    let reason = match reason.rsplit(", ").next() {
        Some(reason) if reason.starts_with("must start with") => "a name is missing".to_owned(),
        None | Some("" | "parser error") => format!("it makes no sense from {} on", named(&text[at..])),
        Some(reason) => reason.to_owned(),
    };
    reading.error_with(span, format!("{} is not a JSON path: {reason}", named(text)), help);
}

pub(super) fn nesting(path: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for byte in path.bytes() {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

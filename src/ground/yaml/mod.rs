//! YAML text to a tree of [`Node`]s, each with its span: the only reader of YAML for what people
//! write.
//!
//! The parser's events become a plain tree; each type of the language then reads itself from a
//! node and reports every mistake, where serde would stop at the first and lose its place.
//! Aliases and merge keys are expanded here, within limits, so that nobody above knows of them.

mod extent;
mod mistake;
mod reader;
#[cfg(test)]
mod tests;
pub mod written;

use std::sync::Arc;

use crate::ground::source::{Source, Span};
use crate::ground::value::{Map, Number, Value};

pub use crate::ground::yaml::reader::read;

/// How deep lists and maps may be nested.
pub const MAX_DEPTH: usize = 64;
/// How many nodes a file may have after its aliases were expanded.
pub const MAX_NODES: usize = 100_000;
/// How large a file may be, in bytes; a file must be smaller.
pub const MAX_BYTES: usize = 1024 * 1024;
/// What to do with a larger one.
pub const SPLIT: &str = "split it: a step can run another workflow with `uses`";

/// A piece of YAML and its place.
#[derive(Debug, Clone)]
pub struct Node {
    /// Where it stands.
    pub span: Span,
    /// What it is.
    pub kind: Kind,
}

/// What a [`Node`] can be.
#[derive(Debug, Clone)]
pub enum Kind {
    /// Text, a number, a truth value or null: what it is, its reader decides.
    Scalar(Scalar),
    /// A list.
    List(Vec<Node>),
    /// A map; keys are scalars and differ from each other.
    Map(Vec<(Scalar, Node)>),
}

/// How a scalar was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Without quotes.
    Plain,
    /// In quotes of either kind.
    Quoted,
    /// A `|` block.
    Literal,
    /// A `>` block.
    Folded,
}

/// A scalar as it was typed, quotes and escapes undone.
#[derive(Debug, Clone)]
pub struct Scalar {
    /// The text.
    pub text: Arc<str>,
    /// Where it stands, quotes included.
    pub span: Span,
    /// How it was written.
    pub style: Style,
}

impl Node {
    /// The scalar, where it is one.
    #[must_use]
    pub const fn scalar(&self) -> Option<&Scalar> {
        match &self.kind {
            Kind::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// The value under a key, where it is a map that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        match &self.kind {
            Kind::Map(entries) => entries.iter().find(|(name, _)| &*name.text == key).map(|(_, node)| node),
            _ => None,
        }
    }

    /// What it is, in the words of a message.
    #[must_use]
    pub fn describe(&self) -> &'static str {
        match &self.kind {
            Kind::List(_) => "a list",
            Kind::Map(_) => "a map",
            Kind::Scalar(scalar) => match scalar.resolve() {
                Value::Null if scalar.text.is_empty() => "nothing",
                Value::Null => "null",
                Value::Bool(_) => "true or false",
                Value::Number(_) => "a number",
                _ => "a text",
            },
        }
    }

    /// The whole node as a value, by the rules of YAML 1.2.
    #[must_use]
    pub fn to_value(&self) -> Value {
        match &self.kind {
            Kind::Scalar(scalar) => scalar.resolve(),
            Kind::List(elements) => elements.iter().map(Self::to_value).collect::<Vec<_>>().into(),
            Kind::Map(entries) => entries
                .iter()
                .map(|(key, node)| (Arc::clone(&key.text), node.to_value()))
                .collect::<Map>()
                .into(),
        }
    }
}

impl Scalar {
    /// Whether nothing was written at all (`key:`).
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.style == Style::Plain && self.text.is_empty()
    }

    /// The value by YAML 1.2's core schema: `yes` is text, `0x1f` a number. A number with a
    /// leading zero is text, since no number would print it again; so are `.inf` and `.nan`,
    /// which JSON cannot say.
    #[must_use]
    pub fn resolve(&self) -> Value {
        if self.style != Style::Plain {
            return Value::String(Arc::clone(&self.text));
        }
        match self.text.as_ref() {
            "" | "~" | "null" | "Null" | "NULL" => Value::Null,
            "true" | "True" | "TRUE" => Value::Bool(true),
            "false" | "False" | "FALSE" => Value::Bool(false),
            text => number(text).map_or_else(|| Value::String(Arc::clone(&self.text)), Value::Number),
        }
    }

    /// Where the byte `at` of the text stands in the source. `None` where the two do not run in
    /// step: escapes, folding, a plain scalar over several lines.
    #[must_use]
    pub fn locate(&self, source: &Source, at: usize) -> Option<usize> {
        let start = self.span.start as usize;
        if self.style == Style::Literal {
            return self.locate_in_block(source, at);
        }
        let raw = source.slice(self.span);
        let skip = usize::from(self.style == Style::Quoted);
        raw.get(skip..skip + self.text.len())
            .is_some_and(|copy| copy == &*self.text)
            .then_some(start + skip + at)
    }

    /// The span of a part of the text; of the whole scalar where parts cannot be told.
    #[must_use]
    pub fn span_of(&self, source: &Source, part: std::ops::Range<usize>) -> Span {
        match (self.locate(source, part.start), self.locate(source, part.end)) {
            (Some(start), Some(end)) => Span::new(start, end),
            _ => self.find_word(source, part).unwrap_or(self.span),
        }
    }

    /// A part of a text that was folded or has escapes: where it is written as often as it stands
    /// in the text, the one with the same number is it.
    fn find_word(&self, source: &Source, part: std::ops::Range<usize>) -> Option<Span> {
        let word = self.text.get(part.clone()).filter(|word| !word.is_empty())?;
        let written = source.slice(self.span);
        if written.matches(word).count() != self.text.matches(word).count() {
            return None;
        }
        let before = self.text[..part.start].matches(word).count();
        let (at, _) = written.match_indices(word).nth(before)?;
        let start = self.span.start as usize + at;
        Some(Span::new(start, start + word.len()))
    }

    /// A `|` block: its lines stand in the source as they are, each behind the indent.
    fn locate_in_block(&self, source: &Source, at: usize) -> Option<usize> {
        let before = self.text.get(..at)?;
        let line = before.matches('\n').count();
        let column = at - before.rfind('\n').map_or(0, |newline| newline + 1);
        // The parser's span begins at the first line that is not blank, behind its indent.
        let blank = self.text.bytes().take_while(|byte| *byte == b'\n').count();
        let first = self.span.start as usize;
        let line_start = source.as_str()[..first].rfind('\n').map_or(0, |newline| newline + 1);
        let indent = first - line_start;
        let mut start = line_start;
        for _ in blank..line {
            start += source.as_str().get(start..)?.find('\n')? + 1;
        }
        for _ in line..blank {
            start = source.as_str()[..start.checked_sub(1)?].rfind('\n').map_or(0, |newline| newline + 1);
        }
        let found = start + indent + column;
        Some(found.min(source.as_str().len()))
    }
}

/// A plain scalar as a number of YAML 1.2's core schema.
fn number(text: &str) -> Option<Number> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let first = digits.bytes().next()?;
    if !first.is_ascii_digit() && first != b'.' {
        return None;
    }
    if let Some(hex) = text.strip_prefix("0x") {
        return u64::from_str_radix(hex, 16).ok().map(Number::from);
    }
    if let Some(octal) = text.strip_prefix("0o") {
        return u64::from_str_radix(octal, 8).ok().map(Number::from);
    }
    if digits.len() > 1 && first == b'0' && digits.as_bytes()[1].is_ascii_digit() {
        return None;
    }
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let text = text.strip_prefix('+').unwrap_or(text);
        return text.parse::<u64>().map(Number::from).or_else(|_| text.parse::<i64>().map(Number::from)).ok();
    }
    let shaped = digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'-' | b'+'))
        && digits.bytes().any(|byte| byte.is_ascii_digit());
    shaped.then(|| text.parse::<f64>().ok()).flatten().and_then(Number::from_f64)
}

//! Predicates: what a value must be, as it is written under a selector.
//!
//! A plain value means equal; a map holds if all its keys do. What can be wrong without knowing the
//! answer (a regular expression, a type's name) is found here, when the file is read.

use std::sync::Arc;

use crate::ground::diagnostic::did_you_mean;
use crate::ground::quantity;
use crate::ground::read::{Fields, Reading};
use crate::ground::source::Span;
use crate::ground::value::Value;
use crate::ground::yaml::{Kind, Node};
use crate::parts::expect::format::Format;
use crate::parts::select::Pattern;
use crate::parts::template::{Mention, Tree};

/// The keys that a map of predicates may have.
pub const WORDS: [&str; 18] = [
    "equals",
    "not",
    "one_of",
    "contains",
    "starts_with",
    "ends_with",
    "matches",
    "ignore_case",
    "gt",
    "gte",
    "lt",
    "lte",
    "between",
    "length",
    "empty",
    "type",
    "each",
    "format",
];

/// Other tools' words for a predicate, and ours.
const FOREIGN: &[(&str, &str)] = &[
    (">", "gt"),
    (">=", "gte"),
    ("<", "lt"),
    ("<=", "lte"),
    ("==", "equals"),
    ("!=", "not"),
    ("greater_than", "gt"),
    ("greaterthan", "gt"),
    ("less_than", "lt"),
    ("lessthan", "lt"),
    ("at_least", "gte"),
    ("at_most", "lte"),
    ("count", "length"),
    ("have", "contains"),
    ("has", "contains"),
    ("include", "contains"),
    ("range", "between"),
    ("all", "each"),
    ("len", "length"),
    ("eq", "equals"),
    ("equal", "equals"),
    ("is", "equals"),
    ("value", "equals"),
    ("ne", "not"),
    ("neq", "not"),
    ("not_equals", "not"),
    ("in", "one_of"),
    ("any_of", "one_of"),
    ("includes", "contains"),
    ("regex", "matches"),
    ("match", "matches"),
    ("pattern", "matches"),
    ("ge", "gte"),
    ("le", "lte"),
    ("min", "gte"),
    ("max", "lte"),
    ("size", "length"),
];

/// Other languages' words for a type, and ours.
const TYPES_ELSEWHERE: [(&str, &str); 8] = [
    ("text", "string"),
    ("str", "string"),
    ("integer", "int"),
    ("float", "number"),
    ("boolean", "bool"),
    ("array", "list"),
    ("map", "object"),
    ("datetime", "date_time"),
];

/// The words of the `type` predicate.
pub const TYPES: [&str; 7] = ["string", "number", "int", "bool", "list", "object", "null"];

/// What a number in a predicate counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Nothing in particular.
    None,
    /// Milliseconds, which may be written `500ms` or `2s`.
    Duration,
    /// Seconds, which may be written `10m` or `14d`.
    Seconds,
    /// Bytes, which may be written `64KiB`.
    Size,
    /// Nothing: the value is always a text, as a header's is. What is written is taken as typed
    /// (`1.10`, `0101`), and only for `gt` and its like is the text read as a number.
    Text,
}

impl Unit {
    /// Whether what is written may be a quantity, such as `10s` or `64KiB`.
    const fn is_measured(self) -> bool {
        matches!(self, Self::Duration | Self::Seconds | Self::Size)
    }
}

/// What a value must be.
#[derive(Debug, Clone)]
pub struct Predicate {
    pub(super) tests: Vec<Test>,
    pub(super) unit: Unit,
    /// Where it stands.
    pub span: Span,
}

/// One thing that is asked of a value.
#[derive(Debug, Clone)]
pub(super) enum Test {
    Present,
    Absent,
    Equals(Operand),
    OneOf(Operand),
    Contains(Operand),
    StartsWith(Operand),
    EndsWith(Operand),
    Matches(Pattern),
    Compare(Comparison, Operand),
    Between(Operand, Operand),
    Not(Box<Predicate>),
    Length(Box<Predicate>),
    Each(Box<Predicate>),
    Empty(bool),
    Type(&'static str),
    Format(Format),
}

/// What a value is compared with.
#[derive(Debug, Clone)]
pub(super) struct Operand {
    pub(super) tree: Tree,
    pub(super) ignore_case: bool,
}

/// How two numbers are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Greater,
    AtLeast,
    Less,
    AtMost,
}

impl Predicate {
    /// Reads a predicate; mistakes are reported.
    pub fn read(node: &Node, reading: &Reading, unit: Unit) -> Option<Self> {
        Reader { reading, unit, ignore_case: false }.predicate(node)
    }

    /// Whether it asks, among other things, if there is anything at all.
    #[must_use]
    pub fn asks_presence(&self) -> bool {
        self.tests.iter().any(|test| match test {
            Test::Present | Test::Absent => true,
            Test::Not(inner) => inner.asks_presence(),
            _ => false,
        })
    }

    /// The names that its templates read.
    pub fn reads(&self, visit: &mut dyn FnMut(Mention<'_>)) {
        for test in &self.tests {
            match test {
                Test::Equals(operand)
                | Test::OneOf(operand)
                | Test::Contains(operand)
                | Test::StartsWith(operand)
                | Test::EndsWith(operand)
                | Test::Compare(_, operand) => operand.tree.reads(visit),
                Test::Between(low, high) => {
                    low.tree.reads(visit);
                    high.tree.reads(visit);
                }
                Test::Not(inner) | Test::Length(inner) | Test::Each(inner) => inner.reads(visit),
                Test::Present
                | Test::Absent
                | Test::Matches(_)
                | Test::Empty(_)
                | Test::Type(_)
                | Test::Format(_) => {}
            }
        }
    }
}

#[derive(Clone, Copy)]
struct Reader<'r> {
    reading: &'r Reading,
    unit: Unit,
    ignore_case: bool,
}

impl Reader<'_> {
    fn predicate(self, node: &Node) -> Option<Predicate> {
        let tests = match &node.kind {
            Kind::Map(entries) if entries.is_empty() => {
                let help = format!("write one of {}", WORDS.join(", "));
                self.reading.error_with(node.span, "an empty predicate", help);
                return None;
            }
            Kind::Map(_) => self.map(node)?,
            Kind::List(_) => vec![Test::Equals(self.operand(node)?)],
            Kind::Scalar(scalar) if scalar.is_empty() => {
                let help = "write `null` or `\"\"` if that is meant";
                self.reading.error_with(node.span, "there is no value here", help);
                return None;
            }
            Kind::Scalar(scalar) if self.refuse_operator(&scalar.text, node.span).is_none() => return None,
            Kind::Scalar(scalar) => vec![match &*scalar.text {
                "present" => Test::Present,
                "absent" => Test::Absent,
                _ => Test::Equals(self.amount(node)?),
            }],
        };
        Some(Predicate { tests, unit: self.unit, span: node.span })
    }

    /// `"> 5"` is a text that nothing equals.
    fn refuse_operator(self, text: &str, span: Span) -> Option<()> {
        let signs = [(">=", "gte"), ("<=", "lte"), ("==", "equals"), ("!=", "not"), (">", "gt"), ("<", "lt")];
        let Some((sign, word, rest)) =
            signs.iter().find_map(|(sign, word)| Some((sign, word, text.strip_prefix(sign)?.trim())))
        else {
            return Some(());
        };
        let is_number = rest.parse::<f64>().is_ok() || quantity::duration(rest).is_ok();
        if !is_number && !matches!(*sign, "==" | "!=") {
            return Some(());
        }
        let help = format!(
            "write `{{ {word}: {rest} }}`; to compare with this very text `{{ equals: \"{text}\" }}`"
        );
        self.reading.error_with(span, format!("`{text}` is compared as a text: `{sign}` is not asked"), help);
        None
    }

    fn map(mut self, node: &Node) -> Option<Vec<Test>> {
        let fields = self.known(node)?;
        if let Some(fold) = fields.get("ignore_case") {
            self.ignore_case |= self.reading.truth(fold, "ignore_case")?;
        }
        let mut tests = Vec::new();
        let mut complete = true;
        for (key, value) in fields.iter().filter(|(key, _)| &*key.text != "ignore_case") {
            match self.test(&key.text, value) {
                Some(test) => tests.push(test),
                None => complete = false,
            }
        }
        if tests.is_empty() && complete {
            let help = "put it beside `equals`, `contains`, `matches` or the like";
            self.reading.error_with(node.span, "`ignore_case` says nothing alone", help);
            return None;
        }
        complete.then_some(tests)
    }

    /// The entries, where all keys are known.
    fn known(self, node: &Node) -> Option<Fields<'_>> {
        let mut complete = true;
        for (key, _) in self.reading.entries(node, "predicate")? {
            let word = &*key.text;
            if WORDS.contains(&word) {
                continue;
            }
            complete = false;
            let ours = FOREIGN.iter().find(|(foreign, _)| *foreign == word.to_lowercase());
            let help = match (word, ours) {
                ("present" | "absent" | "exists", _) => {
                    "write the word alone, without a map: `present` or `absent`".to_owned()
                }
                ("null" | "is_null", _) => "write `null` alone, or `{ not: null }`".to_owned(),
                ("not_empty" | "is_empty", _) => "write `empty: false` or `empty: true`".to_owned(),
                ("not_contains" | "not_match" | "not_matches", _) => {
                    "put it under `not`: `not: { contains: … }`".to_owned()
                }
                (
                    "is_string" | "is_number" | "is_bool" | "is_boolean" | "is_list" | "is_array"
                    | "is_object",
                    _,
                ) => "write `type: string`, `type: number`, `type: bool`, `type: list`, `type: object`"
                    .to_owned(),
                (_, Some((_, ours))) => format!("the word for it here is `{ours}`"),
                _ => did_you_mean(word, WORDS)
                    .unwrap_or_else(|| "to compare with an object write `equals: { … }`".to_owned()),
            };
            let message = format!("unknown predicate `{word}`");
            self.reading.error_with(key.span, message, help);
        }
        complete.then(|| self.reading.fields(node, "predicate", &WORDS, &[]))?
    }

    fn test(self, word: &str, node: &Node) -> Option<Test> {
        if node.scalar().is_some() {
            self.reading.text(node, word)?;
        }
        Some(match word {
            "equals" => Test::Equals(self.amount(node)?),
            "one_of" => Test::OneOf(self.choices(node)?),
            "contains" => Test::Contains(self.operand(node)?),
            "starts_with" => Test::StartsWith(self.text(node, word)?),
            "ends_with" => Test::EndsWith(self.text(node, word)?),
            "matches" => {
                let scalar = self.reading.text(node, word)?;
                Test::Matches(Pattern::read(scalar, self.reading, word, self.ignore_case)?)
            }
            "gt" => Test::Compare(Comparison::Greater, self.number(node, word)?),
            "gte" => Test::Compare(Comparison::AtLeast, self.number(node, word)?),
            "lt" => Test::Compare(Comparison::Less, self.number(node, word)?),
            "lte" => Test::Compare(Comparison::AtMost, self.number(node, word)?),
            "between" => self.between(node)?,
            "not" => Test::Not(Box::new(self.predicate(node)?)),
            "each" => Test::Each(Box::new(self.predicate(node)?)),
            "length" => {
                let plain = Self { unit: Unit::None, ..self };
                Test::Length(Box::new(plain.predicate(node)?))
            }
            "empty" => Test::Empty(self.reading.truth(node, word)?),
            "type" => Test::Type(self.word(node, word, &TYPES.map(|name| (name, name)))?),
            _ => Test::Format(self.word(node, word, &Format::ALL)?),
        })
    }

    fn operand(self, node: &Node) -> Option<Operand> {
        let tree = match self.unit {
            Unit::Text => self.typed(node)?,
            Unit::None | Unit::Duration | Unit::Seconds | Unit::Size => Tree::read(node, self.reading)?,
        };
        Some(Operand { tree, ignore_case: self.ignore_case })
    }

    /// Where a text is wanted, a plain scalar is taken as it was typed.
    fn typed(self, node: &Node) -> Option<Tree> {
        match &node.kind {
            Kind::Scalar(scalar) if !scalar.is_empty() && !scalar.text.contains("{{") => {
                Some(Tree::Plain(Value::String(Arc::clone(&scalar.text))))
            }
            Kind::List(elements) => {
                let trees: Vec<_> = elements.iter().map(|element| self.typed(element)).collect();
                trees.into_iter().collect::<Option<_>>().map(Tree::List)
            }
            Kind::Scalar(_) | Kind::Map(_) => Tree::read(node, self.reading),
        }
    }

    /// A value; where a duration or a size is meant, one.
    fn amount(self, node: &Node) -> Option<Operand> {
        let operand = self.operand(node)?;
        if let (true, Tree::Plain(value)) = (self.unit.is_measured(), &operand.tree) {
            self.quantity(value, node.span)?;
        }
        Some(operand)
    }

    fn number(self, node: &Node, word: &str) -> Option<Operand> {
        let operand = match self.unit {
            Unit::Duration | Unit::Seconds | Unit::Size => return self.amount(node),
            Unit::None | Unit::Text => Operand { tree: Tree::read(node, self.reading)?, ignore_case: false },
        };
        match &operand.tree {
            Tree::Plain(value) if value.as_f64().is_none() => {
                let message = format!("`{word}` compares numbers, not {}", node.describe());
                let help = "write a number without quotes, or a template that gives one";
                self.reading.error_with(node.span, message, help);
                None
            }
            _ => Some(operand),
        }
    }

    fn quantity(self, value: &Value, span: Span) -> Option<()> {
        let read = match (value, self.unit) {
            (Value::Number(_), _) => Ok(()),
            (Value::String(text), Unit::Size) => quantity::size(text).map(|_| ()),
            (Value::String(text), _) => quantity::duration(text).map(|_| ()),
            (other, Unit::Size) => Err(quantity::Error::Size(other.to_json())),
            (other, _) => Err(quantity::Error::Duration(other.to_json())),
        };
        let report = |error: quantity::Error| {
            self.reading.error_with(span, error.to_string(), error.help());
        };
        read.map_err(report).ok()
    }

    fn text(self, node: &Node, word: &str) -> Option<Operand> {
        self.reading.scalar(node, word)?;
        let text = Self { unit: Unit::Text, ..self };
        text.operand(node)
    }

    fn choices(self, node: &Node) -> Option<Operand> {
        let operand = self.operand(node)?;
        let choices = match &operand.tree {
            Tree::Plain(value) => value.as_list(),
            Tree::List(_) | Tree::Template(_) => Some(&[] as &[Value]),
            Tree::Object(_) => None,
        };
        let Some(choices) = choices else {
            let help = "write a list: `one_of: [active, pending]`";
            let message = format!("`one_of` must be a list, not {}", node.describe());
            self.reading.error_with(node.span, message, help);
            return None;
        };
        if matches!(&operand.tree, Tree::Plain(value) if value.as_list().is_some_and(<[Value]>::is_empty)) {
            self.reading.error_with(
                node.span,
                "`one_of` has no choice",
                "write a list: `one_of: [active, pending]`",
            );
            return None;
        }
        if self.unit.is_measured() {
            let read = |choice| self.quantity(choice, node.span);
            choices.iter().map(read).collect::<Option<Vec<()>>>()?;
        }
        Some(operand)
    }

    fn between(self, node: &Node) -> Option<Test> {
        let [low, high] = self.reading.list(node, "between")? else {
            let help = "write `between: [1, 10]`; both ends are allowed";
            self.reading.error_with(node.span, "`between` takes two numbers", help);
            return None;
        };
        let plain = |node: &Node| node.scalar().and_then(|scalar| scalar.resolve().as_f64());
        if let (Some(least), Some(most)) = (plain(low), plain(high))
            && least > most
        {
            let help = format!("write the smaller one first: `between: [{most}, {least}]`");
            self.reading.error_with(node.span, "nothing is between these", help);
            return None;
        }
        let low = self.number(low, "between");
        let high = self.number(high, "between");
        Some(Test::Between(low?, high?))
    }

    /// One of a closed set of words.
    fn word<T: Copy>(self, node: &Node, what: &str, words: &[(&str, T)]) -> Option<T> {
        let text = &self.reading.text(node, what)?.text;
        let found = words.iter().find(|(word, _)| *word == &**text);
        if found.is_none() {
            let all: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            let ours =
                TYPES_ELSEWHERE.iter().find(|(foreign, ours)| *foreign == &**text && all.contains(ours));
            let help = ours
                .map(|(_, ours)| format!("the word for it here is `{ours}`"))
                .or_else(|| did_you_mean(text, all.iter().copied()))
                .unwrap_or_else(|| format!("write one of {}", all.join(", ")));
            let message = format!("`{what}` knows no `{text}`");
            self.reading.error_with(node.span, message, help);
        }
        found.map(|(_, meaning)| *meaning)
    }
}

#[cfg(test)]
mod tests;

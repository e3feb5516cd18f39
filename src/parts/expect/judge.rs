//! The judgement of a predicate on a value: passed or not, what was expected, what came.
//!
//! Both texts are fit for one line of a report: short, free of secrets. A value that is marked as
//! one is shown as its pseudonym, whatever was asked of it.

use std::cmp::Ordering;
use std::sync::Arc;

use serde::Serialize;

use crate::ground::quantity;
use crate::ground::secret::{Marked, Marks};
use crate::ground::value::{Number, Value};
use crate::parts::expect::predicate::{Comparison, Operand, Predicate, Test, Unit};
use crate::parts::scope::Scope;
use crate::parts::select::{Absence, Missing, shown};
use crate::parts::template::Error;

/// How many characters of a value are shown.
const SHOWN: usize = 200;

/// What became of a predicate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Judgement {
    /// Whether it holds.
    pub passed: bool,
    /// What was expected, as the user wrote it: `> 60`.
    pub expected: String,
    /// What came.
    pub actual: String,
}

/// What was found, or why nothing was.
pub type Found<'f> = Result<&'f Marked<Value>, &'f Missing>;

impl Predicate {
    /// Judges what was found. Nothing found fails whatever does not ask for absence.
    ///
    /// # Errors
    /// Where a template inside the predicate cannot be evaluated.
    pub fn judge(&self, found: Found<'_>, scope: &Scope) -> Result<Judgement, Error> {
        let judge = Judge { scope };
        let value = found.map(|found| &found.value);
        let held = judge.all(self, value)?;
        let actual = match found {
            Err(missing) => missing.actual(&scope.needles),
            Ok(found) => {
                let mut marks = found.marks.clone();
                marks.join(&held.marks);
                let actual = marks.show(|| judge.actual(&found.value, self.unit));
                match held.note {
                    Some(note) => format!("{actual}, {}", note.text(&marks)),
                    None => actual,
                }
            }
        };
        Ok(Judgement {
            passed: held.holds,
            expected: judge.expected(self)?,
            actual,
        })
    }
}

/// Whether something holds, and why not.
#[derive(Default)]
struct Held {
    holds: bool,
    note: Option<Note>,
    /// The marks of a secret that the value turned out to be equal to.
    marks: Marks,
}

/// Why a value failed, where the value alone does not say it.
enum Note {
    /// Words that give nothing of the value away.
    Plain(String),
    /// Words that show a part of it.
    Inside(String),
}

impl Note {
    fn text(self, marks: &Marks) -> String {
        match self {
            Self::Plain(text) => text,
            Self::Inside(_) if marks.is_secret() => "not every element fits".to_owned(),
            Self::Inside(text) => text,
        }
    }
}

impl From<bool> for Held {
    fn from(holds: bool) -> Self {
        Self {
            holds,
            ..Self::default()
        }
    }
}

impl Held {
    fn not(note: impl Into<String>) -> Self {
        Self {
            note: Some(Note::Plain(note.into())),
            ..Self::default()
        }
    }
}

struct Judge<'s> {
    scope: &'s Scope,
}

impl Judge<'_> {
    fn all(&self, predicate: &Predicate, found: Result<&Value, &Missing>) -> Result<Held, Error> {
        let mut marks = Marks::NONE;
        for test in &predicate.tests {
            let held = self.one(test, predicate.unit, found)?;
            marks.join(&held.marks);
            if !held.holds {
                return Ok(Held { marks, ..held });
            }
        }
        Ok(Held {
            marks,
            ..Held::from(true)
        })
    }

    fn one(&self, test: &Test, unit: Unit, found: Result<&Value, &Missing>) -> Result<Held, Error> {
        match (test, found) {
            (Test::Present, Ok(_)) => Ok(true.into()),
            (Test::Absent, Err(missing)) => Ok((missing.absence == Absence::Nothing).into()),
            (Test::Not(inner), found) => self.not(inner, found),
            (_, Err(_)) | (Test::Absent, _) => Ok(false.into()),
            (test, Ok(value)) => self.value(test, unit, value),
        }
    }

    /// What is not there is not equal to anything, but that is hardly what was meant: the
    /// opposite of nothing holds only where presence itself was asked for.
    fn not(&self, inner: &Predicate, found: Result<&Value, &Missing>) -> Result<Held, Error> {
        let held = self.all(inner, found)?;
        let judged = match found {
            Ok(_) => true,
            Err(missing) => inner.asks_presence() && missing.absence == Absence::Nothing,
        };
        Ok(Held {
            holds: judged && !held.holds,
            note: None,
            marks: held.marks,
        })
    }

    fn value(&self, test: &Test, unit: Unit, value: &Value) -> Result<Held, Error> {
        Ok(match test {
            Test::Equals(operand) => {
                let wanted = self.operand(operand, unit)?;
                let same = same(value, &wanted.value, operand.ignore_case);
                Held {
                    marks: if same { wanted.marks } else { Marks::NONE },
                    ..Held::from(same)
                }
            }
            Test::OneOf(operand) => self.one_of(operand, unit, value)?,
            Test::Contains(operand) => {
                let wanted = self.operand(operand, unit)?.value;
                contains(value, &wanted, operand.ignore_case)
            }
            Test::StartsWith(operand) => {
                self.part(operand, value, |text, part| text.starts_with(part))?
            }
            Test::EndsWith(operand) => {
                self.part(operand, value, |text, part| text.ends_with(part))?
            }
            Test::Matches(pattern) => match value.as_str() {
                Some(text) => pattern.regex().is_match(text).into(),
                None => Held::not(format!("{}, not a text", article(value))),
            },
            Test::Compare(comparison, operand) => {
                self.compare(*comparison, operand, unit, value)?
            }
            Test::Between(low, high) => {
                let held = self.compare(Comparison::AtLeast, low, unit, value)?;
                match held.holds {
                    true => self.compare(Comparison::AtMost, high, unit, value)?,
                    false => held,
                }
            }
            Test::Length(inner) => self.length(inner, value)?,
            Test::Each(inner) => self.each(inner, value)?,
            Test::Empty(wanted) => match length(value) {
                Some(length) => ((length == 0) == *wanted).into(),
                None => Held::not(format!("{}, which cannot be empty", article(value))),
            },
            Test::Type(name) => has_type(value, name),
            Test::Format(format) => match value.as_str() {
                Some(text) => format.fits(text).into(),
                None => Held::not(format!("{}, not a text", article(value))),
            },
            Test::Present | Test::Absent | Test::Not(_) => false.into(),
        })
    }

    fn operand(&self, operand: &Operand, unit: Unit) -> Result<Marked<Value>, Error> {
        let evaluated = operand.tree.value(self.scope)?;
        Ok(evaluated.map(|value| in_unit(value, unit)))
    }

    fn one_of(&self, operand: &Operand, unit: Unit, value: &Value) -> Result<Held, Error> {
        let choices = operand.tree.value(self.scope)?;
        let Some(list) = choices.value.as_list() else {
            return Ok(Held::not(format!(
                "and `one_of` got {}, not a list",
                article(&choices.value)
            )));
        };
        let held = list
            .iter()
            .any(|choice| same(value, &in_unit(choice.clone(), unit), operand.ignore_case));
        Ok(Held {
            marks: if held { choices.marks } else { Marks::NONE },
            ..Held::from(held)
        })
    }

    fn part(
        &self,
        operand: &Operand,
        value: &Value,
        holds: impl FnOnce(&str, &str) -> bool,
    ) -> Result<Held, Error> {
        let part = operand.tree.value(self.scope)?.value.to_text();
        Ok(match value.as_str() {
            Some(text) if operand.ignore_case => {
                holds(&text.to_lowercase(), &part.to_lowercase()).into()
            }
            Some(text) => holds(text, &part).into(),
            None => Held::not(format!("{}, not a text", article(value))),
        })
    }

    fn compare(
        &self,
        comparison: Comparison,
        operand: &Operand,
        unit: Unit,
        value: &Value,
    ) -> Result<Held, Error> {
        let wanted = self.number(operand, unit)?;
        Ok(match (&as_number(value, unit), &wanted) {
            (Value::Number(came), Value::Number(wanted)) => {
                let order = order(came, wanted);
                order.is_some_and(|order| comparison.holds(order)).into()
            }
            (Value::Number(_), wanted) => Held::not(format!(
                "and it was to be compared with {}, not a number",
                article(wanted)
            )),
            (came, _) => Held::not(format!("{}, not a number", article(came))),
        })
    }

    fn number(&self, operand: &Operand, unit: Unit) -> Result<Value, Error> {
        let wanted = operand.tree.value(self.scope)?.value;
        Ok(match unit {
            Unit::Text | Unit::None => wanted,
            Unit::Duration => in_unit(wanted, unit),
        })
    }

    fn length(&self, inner: &Predicate, value: &Value) -> Result<Held, Error> {
        let Some(length) = length(value) else {
            return Ok(Held::not(format!("{}, which has no length", article(value))));
        };
        let counted = Value::from(length as u64);
        let held = self.all(inner, Ok(&counted))?;
        Ok(match held.holds {
            true => true.into(),
            false => Held::not(format!("which has length {length}")),
        })
    }

    fn each(&self, inner: &Predicate, value: &Value) -> Result<Held, Error> {
        let Some(elements) = value.as_list() else {
            return Ok(Held::not(format!("{}, not a list", article(value))));
        };
        for (index, element) in elements.iter().enumerate() {
            if !self.all(inner, Ok(element))?.holds {
                let actual = self.actual(element, inner.unit);
                return Ok(Held {
                    note: Some(Note::Inside(format!("where [{index}] is {actual}"))),
                    ..Held::default()
                });
            }
        }
        Ok(true.into())
    }

    fn actual(&self, value: &Value, unit: Unit) -> String {
        match (unit, value) {
            (Unit::Duration, Value::Number(number)) => number.as_u64().map_or_else(
                || value.to_json(),
                |millis| quantity::show(std::time::Duration::from_millis(millis)),
            ),
            _ => shown(value, SHOWN, &self.scope.needles),
        }
    }

    fn expected(&self, predicate: &Predicate) -> Result<String, Error> {
        let parts: Result<Vec<_>, _> = predicate
            .tests
            .iter()
            .map(|test| self.expected_test(test))
            .collect();
        Ok(parts?.join(" and "))
    }

    fn expected_test(&self, test: &Test) -> Result<String, Error> {
        Ok(match test {
            Test::Present => "present".to_owned(),
            Test::Absent => "absent".to_owned(),
            Test::Equals(operand) => self.with("equals", operand)?,
            Test::OneOf(operand) => self.with("one of", operand)?,
            Test::Contains(operand) => self.with("contains", operand)?,
            Test::StartsWith(operand) => self.with("starts with", operand)?,
            Test::EndsWith(operand) => self.with("ends with", operand)?,
            Test::Matches(pattern) => format!("matches {pattern}"),
            Test::Compare(comparison, operand) => {
                format!("{} {}", comparison.sign(), self.amount(operand)?)
            }
            Test::Between(low, high) => {
                format!("between {} and {}", self.amount(low)?, self.amount(high)?)
            }
            Test::Not(inner) => format!("not {}", self.expected(inner)?),
            Test::Length(inner) => format!("length {}", self.expected(inner)?),
            Test::Each(inner) => format!("each {}", self.expected(inner)?),
            Test::Empty(true) => "empty".to_owned(),
            Test::Empty(false) => "not empty".to_owned(),
            Test::Type(name) => format!("type {name}"),
            Test::Format(format) => format!("format {}", format.word()),
        })
    }

    fn with(&self, words: &str, operand: &Operand) -> Result<String, Error> {
        let case = if operand.ignore_case {
            " (in any case)"
        } else {
            ""
        };
        Ok(format!("{words} {}{case}", self.shown(operand)?))
    }

    fn shown(&self, operand: &Operand) -> Result<String, Error> {
        let value = operand.tree.shown(self.scope)?;
        Ok(shown(&value, SHOWN, &self.scope.needles))
    }

    /// A number or a duration, as it was written: without quotes.
    fn amount(&self, operand: &Operand) -> Result<String, Error> {
        let value = operand.tree.shown(self.scope)?;
        Ok(match &value {
            Value::String(text) if quantity::duration(text).is_ok() => text.to_string(),
            other => shown(other, SHOWN, &self.scope.needles),
        })
    }
}

impl Comparison {
    const fn sign(self) -> &'static str {
        match self {
            Self::Greater => ">",
            Self::AtLeast => ">=",
            Self::Less => "<",
            Self::AtMost => "<=",
        }
    }

    fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Greater => order.is_gt(),
            Self::AtLeast => order.is_ge(),
            Self::Less => order.is_lt(),
            Self::AtMost => order.is_le(),
        }
    }
}

/// What is compared with a duration is one in milliseconds, with a text a text.
fn in_unit(value: Value, unit: Unit) -> Value {
    match (&value, unit) {
        (Value::String(text), Unit::Duration) => {
            let millis = quantity::duration(text).ok();
            let millis = millis.and_then(|duration| u64::try_from(duration.as_millis()).ok());
            millis.map_or(value, Value::from)
        }
        (Value::Number(_) | Value::Bool(_), Unit::Text) => value.to_text().into(),
        (Value::List(elements), Unit::Text) => {
            let texts = elements.iter().map(|element| in_unit(element.clone(), unit));
            texts.collect::<Vec<_>>().into()
        }
        _ => value,
    }
}

/// A text that stands where only texts can stand may be a number for all that.
fn as_number(value: &Value, unit: Unit) -> Value {
    let text = match (value, unit) {
        (Value::String(text), Unit::Text) => text.trim(),
        _ => return value.clone(),
    };
    let number = text.parse::<Number>().ok();
    number.map_or_else(|| value.clone(), Value::Number)
}

fn same(a: &Value, b: &Value, ignore_case: bool) -> bool {
    if ignore_case {
        folded(a).same(&folded(b))
    } else {
        a.same(b)
    }
}

/// The value with every text in lower case; names of members keep theirs.
fn folded(value: &Value) -> Value {
    match value {
        Value::String(text) => text.to_lowercase().into(),
        Value::List(elements) => elements.iter().map(folded).collect::<Vec<_>>().into(),
        Value::Object(members) => Value::Object(Arc::new(
            members
                .iter()
                .map(|(name, member)| (Arc::clone(name), folded(member)))
                .collect(),
        )),
        other => other.clone(),
    }
}

/// Part of a text, a whole element of a list, at least these members of an object.
fn contains(value: &Value, wanted: &Value, ignore_case: bool) -> Held {
    match (value, wanted) {
        (Value::String(text), Value::String(part)) if ignore_case => {
            text.to_lowercase().contains(&part.to_lowercase()).into()
        }
        (Value::String(text), wanted) => text.contains(&wanted.to_text()).into(),
        (Value::List(elements), wanted) => elements
            .iter()
            .any(|element| same(element, wanted, ignore_case))
            .into(),
        (Value::Object(_), Value::Object(_)) => covers(value, wanted, ignore_case).into(),
        (Value::Object(_), other) => Held::not(format!(
            "an object, and `contains` got {}",
            article(other)
        )),
        (other, _) => Held::not(format!("{}, which contains nothing", article(other))),
    }
}

fn covers(value: &Value, wanted: &Value, ignore_case: bool) -> bool {
    match (value, wanted) {
        (Value::Object(members), Value::Object(wanted)) => wanted.iter().all(|(name, wanted)| {
            members
                .get(name)
                .is_some_and(|member| covers(member, wanted, ignore_case))
        }),
        _ => same(value, wanted, ignore_case),
    }
}

fn length(value: &Value) -> Option<usize> {
    match value {
        Value::String(text) => Some(text.chars().count()),
        Value::List(elements) => Some(elements.len()),
        Value::Object(members) => Some(members.len()),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

fn has_type(value: &Value, name: &str) -> Held {
    let own = value.type_name();
    if own == name || (name == "number" && own == "int") {
        return true.into();
    }
    Held::not(format!("which is of type {own}"))
}

/// Two numbers by size: integers exactly, else as doubles.
fn order(a: &Number, b: &Number) -> Option<Ordering> {
    let whole = |number: &Number| {
        let signed = number.as_i64().map(i128::from);
        signed.or_else(|| number.as_u64().map(i128::from))
    };
    match (whole(a), whole(b)) {
        (Some(a), Some(b)) => Some(a.cmp(&b)),
        _ => a.as_f64()?.partial_cmp(&b.as_f64()?),
    }
}

/// The type of a value in a sentence.
pub(super) fn article(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a bool",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::List(_) => "a list",
        Value::Object(_) => "an object",
    }
}

//! The judgement of a predicate on a value: passed or not, what was expected, what came.
//!
//! Both texts are fit for one line of a report: short, free of secrets. A value that is marked as
//! one is shown as its pseudonym, whatever was asked of it.

use serde::Serialize;

use crate::ground::quantity;
use crate::ground::secret::{Marked, Marks};
use crate::ground::value::Value;
use crate::parts::expect::compare::{article, as_number, contains, has_type, in_unit, length, order, same};
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
    /// Whether what was found fits, without a word about it: words cost more than the judgement.
    ///
    /// # Errors
    /// Where a template inside the predicate cannot be evaluated.
    pub fn holds(&self, found: Found<'_>, scope: &Scope) -> Result<bool, Error> {
        let value = found.map(|found| &found.value);
        Judge { scope }.all(self, value).map(|held| held.holds)
    }

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
        Ok(Judgement { passed: held.holds, expected: judge.expected(self)?, actual })
    }
}

/// Whether something holds, and why not.
#[derive(Default)]
pub(super) struct Held {
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
            Self::Inside(_) if marks.is_secret() => "not every element fits".to_owned(),
            Self::Plain(text) | Self::Inside(text) => text,
        }
    }
}

impl From<bool> for Held {
    fn from(holds: bool) -> Self {
        Self { holds, ..Self::default() }
    }
}

impl Held {
    pub(super) fn not(note: impl Into<String>) -> Self {
        Self { note: Some(Note::Plain(note.into())), ..Self::default() }
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
        Ok(Held { marks, ..Held::from(true) })
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
        Ok(Held { holds: judged && !held.holds, note: None, marks: held.marks })
    }

    fn value(&self, test: &Test, unit: Unit, value: &Value) -> Result<Held, Error> {
        Ok(match test {
            Test::Equals(operand) => self.equal(operand, unit, value)?,
            Test::OneOf(operand) => self.one_of(operand, unit, value)?,
            Test::Contains(operand) => {
                let wanted = self.operand(operand, unit)?.value;
                contains(value, &wanted, operand.ignore_case)
            }
            Test::StartsWith(operand) => self.part(operand, value, |text, part| text.starts_with(part))?,
            Test::EndsWith(operand) => self.part(operand, value, |text, part| text.ends_with(part))?,
            Test::Compare(comparison, operand) => self.compare(*comparison, operand, unit, value)?,
            Test::Between(low, high) => {
                let held = self.compare(Comparison::AtLeast, low, unit, value)?;
                if held.holds { self.compare(Comparison::AtMost, high, unit, value)? } else { held }
            }
            Test::Length(inner) => self.length(inner, value)?,
            Test::Each(inner) => self.each(inner, value)?,
            Test::Empty(wanted) => match length(value) {
                Some(length) => ((length == 0) == *wanted).into(),
                None => Held::not(format!("{}, which cannot be empty", article(value))),
            },
            Test::Type(name) => has_type(value, name),
            Test::Matches(pattern) => match value.as_str() {
                Some(came) => pattern.is_match(came)?.into(),
                None => text_holds(value, |_| false),
            },
            Test::Format(format) => text_holds(value, |text| format.fits(text)),
            Test::Present | Test::Absent | Test::Not(_) => false.into(),
        })
    }

    fn equal(&self, operand: &Operand, unit: Unit, value: &Value) -> Result<Held, Error> {
        let wanted = self.operand(operand, unit)?;
        let same = same(value, &wanted.value, operand.ignore_case);
        Ok(Held { marks: if same { wanted.marks } else { Marks::NONE }, ..Held::from(same) })
    }

    fn operand(&self, operand: &Operand, unit: Unit) -> Result<Marked<Value>, Error> {
        let evaluated = operand.tree.value(self.scope)?;
        Ok(evaluated.map(|value| in_unit(value, unit)))
    }

    fn one_of(&self, operand: &Operand, unit: Unit, value: &Value) -> Result<Held, Error> {
        let choices = operand.tree.value(self.scope)?;
        let Some(list) = choices.value.as_list() else {
            return Ok(Held::not(format!("and `one_of` got {}, not a list", article(&choices.value))));
        };
        let held = list.iter().any(|choice| same(value, &in_unit(choice.clone(), unit), operand.ignore_case));
        Ok(Held { marks: if held { choices.marks } else { Marks::NONE }, ..Held::from(held) })
    }

    fn part(
        &self,
        operand: &Operand,
        value: &Value,
        holds: impl FnOnce(&str, &str) -> bool,
    ) -> Result<Held, Error> {
        let part = operand.tree.value(self.scope)?.value.to_text();
        Ok(match value.as_str() {
            Some(text) if operand.ignore_case => holds(&text.to_lowercase(), &part.to_lowercase()).into(),
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
            (Value::Number(_), wanted) => {
                Held::not(format!("and it was to be compared with {}, not a number", article(wanted)))
            }
            (came, _) => Held::not(format!("{}, not a number", article(came))),
        })
    }

    fn number(&self, operand: &Operand, unit: Unit) -> Result<Value, Error> {
        let wanted = operand.tree.value(self.scope)?.value;
        Ok(match unit {
            Unit::Text | Unit::None => wanted,
            Unit::Duration | Unit::Seconds | Unit::Size => in_unit(wanted, unit),
        })
    }

    fn length(&self, inner: &Predicate, value: &Value) -> Result<Held, Error> {
        let Some(length) = length(value) else {
            return Ok(Held::not(format!("{}, which has no length", article(value))));
        };
        let counted = Value::from(length as u64);
        let held = self.all(inner, Ok(&counted))?;
        if held.holds {
            return Ok(held);
        }
        Ok(Held::not(format!("which has length {length}")))
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
            (Unit::Seconds, Value::Number(number)) => {
                number.as_i64().map_or_else(|| value.to_json(), in_days_and_hours)
            }
            (Unit::Size, Value::Number(_)) => format!("{} bytes", value.to_json()),
            _ => shown(value, SHOWN, &self.scope.needles),
        }
    }

    fn expected(&self, predicate: &Predicate) -> Result<String, Error> {
        let parts: Result<Vec<_>, _> = predicate.tests.iter().map(|test| self.expected_test(test)).collect();
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
        let case = if operand.ignore_case { " (in any case)" } else { "" };
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
            Value::String(text) if quantity::duration(text).is_ok() || quantity::size(text).is_ok() => {
                text.to_string()
            }
            other => shown(other, SHOWN, &self.scope.needles),
        })
    }
}

/// The two largest units of a time to come, or gone by: `13d 4h`, `5m 0s ago`.
fn in_days_and_hours(seconds: i64) -> String {
    let length = seconds.unsigned_abs();
    let (days, hours, minutes) = (length / 86_400, length / 3_600, length / 60);
    let text = match length {
        86_400.. => format!("{days}d {}h", hours % 24),
        3_600.. => format!("{hours}h {}m", minutes % 60),
        60.. => format!("{minutes}m {}s", length % 60),
        _ => format!("{length}s"),
    };
    if seconds < 0 { text + " ago" } else { text }
}

fn text_holds(value: &Value, holds: impl FnOnce(&str) -> bool) -> Held {
    match value.as_str() {
        Some(text) => holds(text).into(),
        None => Held::not(format!("{}, not a text", article(value))),
    }
}

//! How two values are compared: equality, parts, sizes, and the units in which they are written.
//!
//! Pure functions of values, apart from predicates, so that one place says what `contains` means.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::ground::quantity;
use crate::ground::value::{Number, Value};
use crate::parts::expect::judge::Held;
use crate::parts::expect::predicate::{Comparison, Unit};

impl Comparison {
    /// How it is written.
    pub(super) const fn sign(self) -> &'static str {
        match self {
            Self::Greater => ">",
            Self::AtLeast => ">=",
            Self::Less => "<",
            Self::AtMost => "<=",
        }
    }

    /// Whether it holds of two numbers in this order.
    pub(super) fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Greater => order.is_gt(),
            Self::AtLeast => order.is_ge(),
            Self::Less => order.is_lt(),
            Self::AtMost => order.is_le(),
        }
    }
}

/// What is compared with a duration or a size is a number of its unit, with a text a text.
pub(super) fn in_unit(value: Value, unit: Unit) -> Value {
    match (&value, unit) {
        (Value::String(text), Unit::Duration) => {
            let millis = quantity::duration(text).ok();
            let millis = millis.and_then(|duration| u64::try_from(duration.as_millis()).ok());
            millis.map_or(value, Value::from)
        }
        (Value::String(text), Unit::Seconds) => {
            let seconds = quantity::duration(text).ok().map(|duration| duration.as_secs_f64());
            seconds.map_or(value, Value::from)
        }
        (Value::String(text), Unit::Size) => quantity::size(text).ok().map_or(value, Value::from),
        (Value::Number(_) | Value::Bool(_), Unit::Text) => value.to_text().into(),
        (Value::List(elements), Unit::Text) => {
            let texts = elements.iter().map(|element| in_unit(element.clone(), unit));
            texts.collect::<Vec<_>>().into()
        }
        _ => value,
    }
}

/// A text that stands where only texts can stand may be a number for all that.
pub(super) fn as_number(value: &Value, unit: Unit) -> Value {
    let text = match (value, unit) {
        (Value::String(text), Unit::Text) => text.trim(),
        _ => return value.clone(),
    };
    let number = text.parse::<Number>().ok();
    number.map_or_else(|| value.clone(), Value::Number)
}

pub(super) fn same(a: &Value, b: &Value, ignore_case: bool) -> bool {
    if ignore_case { folded(a).same(&folded(b)) } else { a.same(b) }
}

/// The value with every text in lower case; names of members keep theirs.
fn folded(value: &Value) -> Value {
    match value {
        Value::String(text) => text.to_lowercase().into(),
        Value::List(elements) => elements.iter().map(folded).collect::<Vec<_>>().into(),
        Value::Object(members) => Value::Object(Arc::new(
            members.iter().map(|(name, member)| (Arc::clone(name), folded(member))).collect(),
        )),
        other => other.clone(),
    }
}

/// Part of a text, a whole element of a list, at least these members of an object.
pub(super) fn contains(value: &Value, wanted: &Value, ignore_case: bool) -> Held {
    match (value, wanted) {
        (Value::String(text), Value::String(part)) if ignore_case => {
            text.to_lowercase().contains(&part.to_lowercase()).into()
        }
        (Value::String(text), wanted) => text.contains(&wanted.to_text()).into(),
        (Value::List(elements), wanted) => {
            elements.iter().any(|element| same(element, wanted, ignore_case)).into()
        }
        (Value::Object(_), Value::Object(_)) => covers(value, wanted, ignore_case).into(),
        (Value::Object(_), other) => Held::not(format!("an object, and `contains` got {}", article(other))),
        (other, _) => Held::not(format!("{}, which contains nothing", article(other))),
    }
}

fn covers(value: &Value, wanted: &Value, ignore_case: bool) -> bool {
    match (value, wanted) {
        (Value::Object(members), Value::Object(wanted)) => wanted.iter().all(|(name, wanted)| {
            members.get(name).is_some_and(|member| covers(member, wanted, ignore_case))
        }),
        _ => same(value, wanted, ignore_case),
    }
}

pub(super) fn length(value: &Value) -> Option<usize> {
    match value {
        Value::String(text) => Some(text.chars().count()),
        Value::List(elements) => Some(elements.len()),
        Value::Object(members) => Some(members.len()),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

pub(super) fn has_type(value: &Value, name: &str) -> Held {
    let own = value.type_name();
    if own == name || (name == "number" && own == "int") {
        return true.into();
    }
    Held::not(format!("which is of type {own}"))
}

/// Two numbers by size: integers exactly, else as doubles.
pub(super) fn order(a: &Number, b: &Number) -> Option<Ordering> {
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

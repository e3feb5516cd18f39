//! Those of minijinja's filters that make text or lists, each held to what an evaluation may make.
//!
//! A few words are enough for gigabytes: `'%999999999s' | format(1)`, `'a' | indent(999999999)`, or a
//! filter that `map` calls for each of many elements. So what comes out is counted before it is made,
//! and the filter itself is then minijinja's own.

use std::sync::LazyLock;

use minijinja::value::{Kwargs, Rest, ValueOrKwargs};
use minijinja::{Environment, Error, State, UndefinedBehavior, Value};

use super::{reads, refused};

/// They call no other filter, so that it does not matter in which environment they are called.
const BOUNDED: [&str; 20] = [
    "batch",
    "capitalize",
    "e",
    "escape",
    "format",
    "indent",
    "lines",
    "list",
    "lower",
    "pprint",
    "replace",
    "reverse",
    "safe",
    "slice",
    "sort",
    "split",
    "title",
    "trim",
    "unique",
    "upper",
];
/// What an element of a list takes, in bytes.
const ELEMENT: u64 = 64;
/// How wide `format` may make a value, and how many pieces `batch` and `slice` may fill.
const WIDEST: u64 = 100_000;

/// Theirs, as they are.
static THEIRS: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment
});

pub(super) fn register(environment: &mut Environment<'static>) {
    for name in BOUNDED {
        environment.add_filter(name, move |state: &State, value: Value, more: Rest<ValueOrKwargs>| {
            let mut values = vec![value];
            values.extend(more.into_values());
            reads(state)?.make(size(name, &values)?)?;
            THEIRS.empty_state().apply_filter(name, &values)
        });
    }
}

/// How many bytes a filter makes at most of these arguments, the first of which is what it is called on.
fn size(name: &str, values: &[Value]) -> Result<u64, Error> {
    let text = values[0].as_str().unwrap_or_default();
    let whole = text.len() as u64;
    let argument = |at: usize| values.get(at).and_then(Value::as_str).unwrap_or_default();
    Ok(match name {
        "indent" => width(values)?.saturating_mul(pieces(text, "\n")).saturating_add(whole),
        "replace" => pieces(text, argument(1)).saturating_mul(argument(2).len() as u64).saturating_add(whole),
        "format" => formatted(text, &values[1..])?,
        "split" => pieces(text, argument(1)).saturating_mul(ELEMENT).saturating_add(whole),
        "lines" => pieces(text, "\n").saturating_mul(ELEMENT).saturating_add(whole),
        "list" | "reverse" | "sort" | "unique" => length(&values[0]).saturating_mul(ELEMENT).max(whole),
        "batch" | "slice" => length(&values[0]).saturating_add(width(values)?).saturating_mul(ELEMENT),
        "pprint" => super::json(&values[0])?.len() as u64,
        _ => whole,
    })
}

/// How many elements a list has: `[0] * 100000000` has as many without having made any.
fn length(value: &Value) -> u64 {
    value.len().unwrap_or_default() as u64
}

/// How many pieces a separator makes of a text; without one, each letter may be a piece.
fn pieces(text: &str, separator: &str) -> u64 {
    let found = if separator.is_empty() { text.len() } else { text.matches(separator).count() };
    found as u64 + 1
}

/// The number that a filter is given first, by its place or by its name.
fn width(values: &[Value]) -> Result<u64, Error> {
    let Some(given) = values.get(1) else { return Ok(0) };
    let named = Kwargs::try_from(given.clone()).ok().and_then(|named| named.peek::<Value>("width").ok());
    let number = named.as_ref().unwrap_or(given).as_usize().unwrap_or_default() as u64;
    if number > WIDEST {
        return Err(refused(format!("{number} is too much: this filter takes {WIDEST} at most")));
    }
    Ok(number)
}

/// `format`: each `%` makes as much as the largest argument, or the width that stands behind it.
fn formatted(text: &str, values: &[Value]) -> Result<u64, Error> {
    let mut widest = 0_u64;
    for digits in text.split(|c: char| !c.is_ascii_digit()).filter(|digits| !digits.is_empty()) {
        widest = widest.max(digits.parse().unwrap_or(u64::MAX));
    }
    if text.contains('*') {
        let numbers = values.iter().filter_map(Value::as_i64).map(i64::unsigned_abs);
        widest = numbers.fold(widest, u64::max);
    }
    if widest > WIDEST && text.contains('%') {
        return Err(refused(format!("`format` takes numbers up to {WIDEST}, not {widest}")));
    }
    let mut largest = 400;
    for value in values {
        largest = largest.max(super::text(value)?.len() as u64);
    }
    let marks = text.matches('%').count() as u64;
    Ok(marks.saturating_mul(widest.saturating_add(largest)).saturating_add(text.len() as u64))
}

//! The value of a variable: what JSON can say, with the keys in the order of the text.
//!
//! A value is shared, never copied: cloning costs a counter. Templates and scripts walk the same
//! tree, so that a large answer is held once.

use std::fmt;
use std::sync::Arc;

use indexmap::IndexMap;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};

pub use serde_json::Number;

use crate::ground::json::{MOST_VALUES, has_more_values};

/// An object's members, in the order in which they were written.
pub type Map = IndexMap<Arc<str>, Value, foldhash::fast::RandomState>;

/// What a variable holds.
#[derive(Clone, Default, PartialEq)]
pub enum Value {
    /// JSON's `null`.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number: a 64-bit integer kept exactly, else a double.
    Number(Number),
    /// Text.
    String(Arc<str>),
    /// A list.
    List(Arc<Vec<Value>>),
    /// An object.
    Object(Arc<Map>),
}

impl Value {
    /// The word that the predicate `type` uses for it.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "bool",
            Self::Number(number) if number.is_f64() => "number",
            Self::Number(_) => "int",
            Self::String(_) => "string",
            Self::List(_) => "list",
            Self::Object(_) => "object",
        }
    }

    /// The text, where it is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The number as a double, where it is one.
    #[must_use]
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Number(number) => number.as_f64(),
            _ => None,
        }
    }

    /// The integer, where it is one that fits.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Number(number) => number.as_i64(),
            _ => None,
        }
    }

    /// The truth value, where it is one.
    #[must_use]
    pub const fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(truth) => Some(*truth),
            _ => None,
        }
    }

    /// The members, where it is an object.
    #[must_use]
    pub fn as_object(&self) -> Option<&Map> {
        match self {
            Self::Object(members) => Some(members),
            _ => None,
        }
    }

    /// The elements, where it is a list.
    #[must_use]
    pub fn as_list(&self) -> Option<&[Value]> {
        match self {
            Self::List(elements) => Some(elements),
            _ => None,
        }
    }

    /// A member of an object.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.as_object()?.get(key)
    }

    /// Equality as JSON means it: `1` and `1.0` are the same number.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => same_number(a, b),
            (Self::List(a), Self::List(b)) => {
                a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| a.same(b))
            }
            (Self::Object(a), Self::Object(b)) => {
                a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| a.same(b)))
            }
            (a, b) => a == b,
        }
    }

    /// The value as it stands inside a text: a string as it is, anything else as JSON.
    #[must_use]
    pub fn to_text(&self) -> String {
        match self {
            Self::String(text) => text.as_ref().to_owned(),
            other => other.to_json(),
        }
    }

    /// Takes what the value weighs out of `room`, one for each value inside and one for each 64 bytes
    /// of text; whether there was room for all of it.
    #[must_use]
    pub fn fits(&self, room: &mut u64) -> bool {
        let weight = 1 + self.as_str().map_or(0, |text| text.len() as u64 / 64);
        let Some(left) = room.checked_sub(weight) else { return false };
        *room = left;
        match self {
            Self::List(elements) => elements.iter().all(|element| element.fits(room)),
            Self::Object(members) => members.values().all(|member| member.fits(room)),
            _ => true,
        }
    }

    /// Visits every text and every number inside, as texts.
    pub fn leaves(&self, visit: &mut dyn FnMut(String)) {
        match self {
            Self::String(_) | Self::Number(_) => visit(self.to_text()),
            Self::List(elements) => elements.iter().for_each(|element| element.leaves(visit)),
            Self::Object(members) => members.values().for_each(|member| member.leaves(visit)),
            Self::Null | Self::Bool(_) => {}
        }
    }

    /// The value as compact JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Writing a tree of plain values to a string cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads JSON text. Deeper than 128 levels is an error, as in `serde_json`, and so are more than
    /// [`MOST_VALUES`].
    ///
    /// # Errors
    /// Where the text is not JSON: `serde_json`'s message with line and column.
    pub fn from_json(text: &[u8]) -> Result<Self, serde_json::Error> {
        if has_more_values(text, MOST_VALUES) {
            return Err(Error::custom(format_args!("it has more than {MOST_VALUES} values")));
        }
        Self::from_counted_json(text)
    }

    /// The same for a text whose values were counted before.
    ///
    /// # Errors
    /// As [`Value::from_json`].
    pub fn from_counted_json(text: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text))
    }

    /// The same tree as `serde_json`'s own type, for the crates that want that one.
    #[must_use]
    pub fn to_serde(&self) -> serde_json::Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

fn same_number(a: &Number, b: &Number) -> bool {
    a == b || (a.is_f64() != b.is_f64() && a.as_f64() == b.as_f64())
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_json())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text.into())
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Bool(truth)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(number.into())
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Number(number.into())
    }
}

impl From<f64> for Value {
    /// A double that JSON cannot say (NaN, infinity) is null, as in every JSON writer.
    fn from(number: f64) -> Self {
        Number::from_f64(number).map_or(Self::Null, Self::Number)
    }
}

impl From<Vec<Value>> for Value {
    fn from(elements: Vec<Value>) -> Self {
        Self::List(Arc::new(elements))
    }
}

impl From<Map> for Value {
    fn from(members: Map) -> Self {
        Self::Object(Arc::new(members))
    }
}

impl From<serde_json::Value> for Value {
    fn from(value: serde_json::Value) -> Self {
        match value {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(truth) => Self::Bool(truth),
            serde_json::Value::Number(number) => Self::Number(number),
            serde_json::Value::String(text) => Self::String(text.into()),
            serde_json::Value::Array(list) => list.into_iter().map(Self::from).collect::<Vec<_>>().into(),
            serde_json::Value::Object(members) => members
                .into_iter()
                .map(|(key, value)| (key.into(), Self::from(value)))
                .collect::<Map>()
                .into(),
        }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(truth) => serializer.serialize_bool(*truth),
            Self::Number(number) => number.serialize(serializer),
            Self::String(text) => serializer.serialize_str(text),
            Self::List(elements) => serializer.collect_seq(elements.iter()),
            Self::Object(members) => {
                serializer.collect_map(members.iter().map(|(key, value)| (key.as_ref(), value)))
            }
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Value, E> {
        Ok(Value::Bool(truth))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = seq.next_element()? {
            elements.push(element);
        }
        Ok(elements.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut members = Map::default();
        while let Some((Key(key), value)) = map.next_entry()? {
            members.insert(key, value);
        }
        Ok(members.into())
    }
}

/// A member's name, shared from the start: no `String` in between.
struct Key(Arc<str>);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(KeyVisitor)
    }
}

struct KeyVisitor;

impl Visitor<'_> for KeyVisitor {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member's name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Key, E> {
        Ok(Key(name.into()))
    }
}

/// The shape of a value for a message: keys and types, never a value of the inside.
#[must_use]
pub fn shape(value: &Value) -> String {
    shape_to(value, 3)
}

fn shape_to(value: &Value, depth: usize) -> String {
    const SHOWN: usize = 8;
    match value {
        Value::Object(members) if depth == 0 => format!("{{ {} keys }}", members.len()),
        Value::Object(members) => {
            let mut parts: Vec<String> = members
                .iter()
                .take(SHOWN)
                .map(|(key, value)| format!("{key}: {}", shape_to(value, depth - 1)))
                .collect();
            if members.len() > SHOWN {
                parts.push(format!("… {} more", members.len() - SHOWN));
            }
            if parts.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", parts.join(", ")) }
        }
        Value::List(elements) => match elements.first() {
            Some(first) if depth > 0 => {
                format!("[{} × {}]", elements.len(), shape_to(first, depth - 1))
            }
            Some(_) => format!("[{} elements]", elements.len()),
            None => "[]".to_owned(),
        },
        other => other.type_name().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Value {
        Value::from_json(text.as_bytes()).expect("the test's JSON is right")
    }

    /// Digits (S37).
    #[test]
    fn keys_keep_their_order_and_integers_their_digits() {
        let text = r#"{"z":1,"a":[9007199254740993,18446744073709551615,1.5],"m":null}"#;
        assert_eq!(json(text).to_json(), text);
    }

    #[test]
    fn one_and_one_point_zero_are_the_same_but_neighbours_are_not() {
        assert!(json("[1,{\"a\":2}]").same(&json("[1.0,{\"a\":2.0}]")));
        assert!(!json("9007199254740993").same(&json("9007199254740992")));
        assert!(!json("1").same(&json("\"1\"")));
    }

    /// Arrays without measure (S36).
    #[test]
    fn nesting_past_the_limit_is_an_error_not_a_crash() {
        assert!(Value::from_json("[".repeat(100_000).as_bytes()).is_err());
    }

    #[test]
    fn a_shape_tells_keys_and_types_but_no_values() {
        let value = json(r#"{"type":"result","result":{"token":"abc","n":[1,2]},"e":{}}"#);
        assert_eq!(shape(&value), "{ type: string, result: { token: string, n: [2 × int] }, e: {} }");
    }
}

//! The words in which the schemas are written: a map of known keys, a reference, a set of words.

use serde_json::{Value, json};

/// A key and what may stand under it.
pub(super) type Key = (&'static str, Value);

const PREFIX: &str = "#/definitions/";

/// A key with the sentence that says what it is for.
pub(super) fn key(name: &'static str, sentence: &'static str, mut says: Value) -> Key {
    if let Value::Object(members) = &mut says {
        members.shift_insert(0, "description".to_owned(), sentence.into());
    }
    (name, says)
}

/// A map whose keys the language knows, and nothing else.
pub(super) fn map(keys: impl IntoIterator<Item = Key>) -> Value {
    with(fields(keys), "type", "object")
}

/// A map of known keys, or a text in its place.
pub(super) fn map_or_text(keys: impl IntoIterator<Item = Key>) -> Value {
    with(fields(keys), "type", ["object", "string"])
}

/// What holds where there is a map; anything else may stand in its place. That reads better in an
/// editor than alternatives, of which it does not know the one that was meant.
pub(super) fn fields(keys: impl IntoIterator<Item = Key>) -> Value {
    let properties: Value = keys.into_iter().map(|(name, says)| (name.to_owned(), says)).collect();
    json!({ "additionalProperties": false, "properties": properties })
}

/// A map whose keys the user chooses.
pub(super) fn entries(says: &Value) -> Value {
    json!({ "type": "object", "additionalProperties": says })
}

/// A list of one kind of thing.
pub(super) fn list(says: &Value) -> Value {
    json!({ "type": "array", "items": says })
}

/// One of several forms.
pub(super) fn any_of(forms: impl IntoIterator<Item = Value>) -> Value {
    json!({ "anyOf": forms.into_iter().collect::<Vec<_>>() })
}

/// One of a closed set of words.
pub(super) fn words(words: &[&str]) -> Value {
    json!({ "enum": words })
}

/// What a definition says.
pub(super) fn refer(name: &str) -> Value {
    json!({ "$ref": format!("{PREFIX}{name}") })
}

/// The definition that a reference names.
pub(super) fn referred(reference: &str) -> Option<&str> {
    reference.strip_prefix(PREFIX)
}

/// Adds a keyword of JSON Schema.
pub(super) fn with(mut says: Value, keyword: &str, value: impl Into<Value>) -> Value {
    if let Value::Object(members) = &mut says {
        members.insert(keyword.to_owned(), value.into());
    }
    says
}

/// Adds the keys that may not be left out.
pub(super) fn needing(says: Value, keys: &[&str]) -> Value {
    with(says, "required", keys)
}

/// Adds that one of these keys, and only one, must be there.
pub(super) fn needing_one_of(says: Value, keys: &[&str]) -> Value {
    let each: Vec<Value> = keys.iter().map(|key| json!({ "required": [key] })).collect();
    with(says, "oneOf", each)
}

/// Adds that there is exactly one entry.
pub(super) fn single(says: Value) -> Value {
    with(with(says, "minProperties", 1), "maxProperties", 1)
}

/// Adds what an editor may offer.
pub(super) fn examples(says: Value, examples: impl IntoIterator<Item = Value>) -> Value {
    with(says, "examples", examples.into_iter().collect::<Vec<_>>())
}

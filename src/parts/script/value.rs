//! Our values as Rhai sees them, and back.
//!
//! A Rhai map sorts its keys, so an object of JSON is a type of its own, [`Object`], over our
//! shared map: reading it copies nothing, and the keys stay in their order. A list is a native
//! array whose elements were converted one level at a time. An integer above `i64::MAX` is read as
//! a double, since Rhai knows no larger integer; one that a script leaves alone stays exact.

use std::sync::Arc;

use rhai::{Array, Blob, Dynamic, Map as RhaiMap};

use crate::ground::value::{Map, Value};

/// How deep lists and objects may be nested: deeper ones could not be walked, or dropped, safely.
pub(super) const MAX_DEPTH: usize = 128;

/// An object of JSON in a script.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Object(pub(super) Arc<Map>);

impl Object {
    /// The object as a value.
    pub(super) fn value(&self) -> Value {
        Value::Object(Arc::clone(&self.0))
    }
}

/// A value for a script; objects keep the order of their keys.
pub(super) fn to_dynamic(value: &Value) -> Dynamic {
    convert(value, &|members| Dynamic::from(Object(Arc::clone(members))))
}

/// A value for a script, with native maps all the way down, which can be changed in place.
pub(super) fn to_native(value: &Value) -> Dynamic {
    convert(value, &|members| {
        let entries = members.iter().map(|(key, value)| (key.as_ref().into(), to_native(value)));
        Dynamic::from_map(entries.collect::<RhaiMap>())
    })
}

fn convert(value: &Value, object: &dyn Fn(&Arc<Map>) -> Dynamic) -> Dynamic {
    match value {
        Value::Null => Dynamic::UNIT,
        Value::Bool(truth) => (*truth).into(),
        Value::Number(number) => match number.as_i64() {
            Some(integer) => integer.into(),
            None => number.as_f64().unwrap_or_default().into(),
        },
        Value::String(text) => text.as_ref().into(),
        Value::List(elements) => {
            Dynamic::from_array(elements.iter().map(|element| convert(element, object)).collect::<Array>())
        }
        Value::Object(members) => object(members),
    }
}

/// What a script wrote, as our value. `like` is what stood there before: its order of keys and
/// its exact numbers are kept where they still hold.
///
/// # Errors
/// Where the value is nothing that JSON could say, or nested too deep.
pub(super) fn to_value(dynamic: &Dynamic, like: Option<&Value>) -> Result<Value, String> {
    written(dynamic, like, MAX_DEPTH)
}

fn written(dynamic: &Dynamic, like: Option<&Value>, depth: usize) -> Result<Value, String> {
    if dynamic.is_shared() {
        return written(&dynamic.flatten_clone(), like, depth);
    }
    let value = if dynamic.is_unit() {
        Value::Null
    } else if let Ok(truth) = dynamic.as_bool() {
        truth.into()
    } else if let Ok(integer) = dynamic.as_int() {
        integer.into()
    } else if let Ok(number) = dynamic.as_float() {
        finite(number)?
    } else if let Ok(text) = dynamic.as_immutable_string_ref() {
        text.as_str().into()
    } else if let Ok(character) = dynamic.as_char() {
        character.to_string().into()
    } else {
        return container(dynamic, like, depth);
    };
    Ok(match like {
        Some(like) if like.same(&value) => like.clone(),
        _ => value,
    })
}

fn finite(number: f64) -> Result<Value, String> {
    match Value::from(number) {
        Value::Null => Err(format!("{number} is a number that JSON cannot say")),
        value => Ok(value),
    }
}

fn container(dynamic: &Dynamic, like: Option<&Value>, depth: usize) -> Result<Value, String> {
    let Some(depth) = depth.checked_sub(1) else {
        return Err(too_deep());
    };
    if let Some(object) = dynamic.read_lock::<Object>() {
        let same = matches!(like, Some(Value::Object(like)) if Arc::ptr_eq(like, &object.0));
        return if same || is_shallow(object.0.values(), depth) {
            Ok(object.value())
        } else {
            Err(too_deep())
        };
    }
    if let Some(elements) = dynamic.read_lock::<Array>() {
        let before = like.and_then(Value::as_list).unwrap_or_default();
        let elements = elements.iter().enumerate();
        let elements = elements.map(|(at, element)| written(element, before.get(at), depth));
        return elements.collect::<Result<Vec<_>, _>>().map(Value::from);
    }
    if let Some(members) = dynamic.read_lock::<RhaiMap>() {
        return map(&members, like.and_then(Value::as_object), depth);
    }
    Err(foreign(dynamic))
}

/// Members that were there before stay where they were; new ones follow.
fn map(members: &RhaiMap, like: Option<&Map>, depth: usize) -> Result<Value, String> {
    let mut found = Map::default();
    for (key, before) in like.into_iter().flatten() {
        if let Some(member) = members.get(key.as_ref()) {
            found.insert(Arc::clone(key), written(member, Some(before), depth)?);
        }
    }
    for (key, member) in members {
        if !found.contains_key(key.as_str()) {
            found.insert(key.as_str().into(), written(member, None, depth)?);
        }
    }
    Ok(found.into())
}

fn is_shallow<'v>(mut values: impl Iterator<Item = &'v Value>, depth: usize) -> bool {
    values.all(|value| match (value, depth.checked_sub(1)) {
        (Value::List(elements), Some(depth)) => is_shallow(elements.iter(), depth),
        (Value::Object(members), Some(depth)) => is_shallow(members.values(), depth),
        (Value::List(_) | Value::Object(_), None) => false,
        _ => true,
    })
}

/// About how many bytes a value needs that a script wrote; what it shares with others is not
/// counted.
pub(super) fn weight(dynamic: &Dynamic) -> u64 {
    const ONE: u64 = 32;
    let text = |length: usize| ONE + length as u64;
    if let Ok(string) = dynamic.as_immutable_string_ref() {
        return text(string.len());
    }
    if let Some(elements) = dynamic.read_lock::<Array>() {
        return elements.iter().map(weight).sum::<u64>() + ONE;
    }
    if let Some(members) = dynamic.read_lock::<RhaiMap>() {
        let members = members.iter().map(|(key, value)| text(key.len()) + weight(value));
        return members.sum::<u64>() + ONE;
    }
    ONE
}

fn too_deep() -> String {
    format!("lists and objects are nested deeper than {MAX_DEPTH} levels")
}

fn foreign(dynamic: &Dynamic) -> String {
    if dynamic.is_blob() {
        return "bytes are not a JSON value; encode them with base64::encode or hex::encode".to_owned();
    }
    format!("{} is not a JSON value", describe(dynamic))
}

/// What a value of a script is, in the words of a message; never the value itself.
pub(super) fn describe(dynamic: &Dynamic) -> &'static str {
    match dynamic.type_name() {
        "()" => "nothing",
        "bool" => "true or false",
        "i64" => "an integer",
        "f64" => "a number",
        "string" => "a text",
        "char" => "a character",
        "array" => "a list",
        "map" => "an object",
        "blob" => "bytes",
        "Fn" => "a function",
        name if name.ends_with("::Object") => "an object",
        "timestamp" => "a timestamp",
        name if name.ends_with("Instant") => "a timestamp",
        _ => "a value of another kind",
    }
}

/// The bytes of a text or of a blob.
pub(super) fn bytes(dynamic: &Dynamic) -> Option<Vec<u8>> {
    if let Ok(text) = dynamic.as_immutable_string_ref() {
        return Some(text.as_bytes().to_vec());
    }
    if let Ok(character) = dynamic.as_char() {
        return Some(character.to_string().into_bytes());
    }
    dynamic.read_lock::<Blob>().map(|blob| blob.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Value {
        Value::from_json(text.as_bytes()).expect("the test's JSON is right")
    }

    #[test]
    fn a_value_comes_back_as_it_went() {
        let text = r#"{"z":[1,1.5,"a",null,true,{"y":1,"b":[]}],"a":{}}"#;
        assert_eq!(to_value(&to_dynamic(&json(text)), None), Ok(json(text)), "objects share their map");
    }

    #[test]
    fn a_native_map_keeps_the_order_and_the_numbers_of_what_stood_there() {
        let before = json(r#"{"z":18446744073709551615,"a":{"d":1,"c":2.0},"gone":1}"#);
        let mut native = to_native(&before);
        {
            let mut map = native.write_lock::<RhaiMap>().expect("it is a map");
            map.remove("gone");
            map.insert("new".into(), 1_i64.into());
            map.insert("b".into(), 'c'.into());
        }
        let after = to_value(&native, Some(&before)).expect("it is JSON");
        assert_eq!(after.to_json(), r#"{"z":18446744073709551615,"a":{"d":1,"c":2.0},"b":"c","new":1}"#);
    }

    #[test]
    fn what_json_cannot_say_is_refused() {
        for (dynamic, said) in [
            (Dynamic::from(f64::NAN), "JSON cannot say"),
            (Dynamic::from_blob(vec![1]), "base64::encode"),
            (Dynamic::from(std::time::Instant::now()), "a timestamp"),
        ] {
            let error = to_value(&dynamic, None).expect_err("it is refused");
            assert!(error.contains(said), "{error}");
        }
    }

    #[test]
    fn nesting_past_the_limit_is_refused() {
        let nested = |levels: usize| {
            let mut value = Value::Null;
            for _ in 0..levels {
                value = vec![value].into();
            }
            Map::from_iter([("a".into(), value)])
        };
        let object = |levels| Dynamic::from(Object(Arc::new(nested(levels))));
        assert!(to_value(&object(MAX_DEPTH - 1), None).is_ok());
        assert!(to_value(&object(MAX_DEPTH), None).is_err());
    }
}

//! `json::`: text to values and back, keys in order.

use crate::ground::value::Value;
use crate::parts::script::api::{Call, Entry};
use crate::parts::script::run::Answer;
use crate::parts::script::value::{to_dynamic, to_value};

pub(in crate::parts::script) const TABLE: &[Entry] = &[
    Entry::new("parse", &["text"], "the value that a JSON text says", parse),
    Entry::new("stringify", &["value"], "the value as compact JSON", stringify),
];

fn parse(call: &mut Call) -> Answer {
    let text = call.bytes(0)?;
    let value = Value::from_json(&text);
    let value = value.map_err(|why| call.error(format!("was given a text that is not JSON: {why}")))?;
    Ok(to_dynamic(&value))
}

fn stringify(call: &mut Call) -> Answer {
    let argument = call.take(0);
    let value = to_value(&argument, None)?;
    call.run.note_deep("", &value);
    Ok(value.to_json().into())
}

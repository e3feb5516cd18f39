//! `form::`: `application/x-www-form-urlencoded`, as the WHATWG has it: a blank is `+`.

use rhai::Dynamic;

use crate::ground::encode;
use crate::ground::value::{Map, Value};
use crate::parts::script::api::{Call, Entry};
use crate::parts::script::request::list_of;
use crate::parts::script::run::Answer;
use crate::parts::script::value::to_dynamic;

pub(in crate::parts::script) const TABLE: &[Entry] = &[
    Entry::new("encode", &["fields"], "an object as the body of a form; a list repeats its name", write)
        .deriving(),
    Entry::new(
        "decode",
        &["text"],
        "the fields of a form; a name that stands several times has a list",
        read,
    ),
];

fn write(call: &mut Call) -> Answer {
    let fields = call.take(0);
    let pairs = list_of(call.run, "form::encode", &fields)?;
    Ok(encode::form(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()))).into())
}

fn read(call: &mut Call) -> Answer {
    let text = call.text(0)?;
    let fields = gather(url::form_urlencoded::parse(text.as_bytes()));
    for (name, value) in &fields {
        call.run.note_member(name, value);
    }
    Ok(to_dynamic(&fields.into()) as Dynamic)
}

/// Pairs as an object. A name that stands several times has a list.
pub(super) fn gather<N: AsRef<str>, V: AsRef<str>>(pairs: impl Iterator<Item = (N, V)>) -> Map {
    let mut lists: indexmap::IndexMap<String, Vec<Value>> = indexmap::IndexMap::new();
    for (name, value) in pairs {
        lists.entry(name.as_ref().to_owned()).or_default().push(value.as_ref().into());
    }
    let joined = lists.into_iter().map(|(name, mut values)| {
        let value = if values.len() == 1 { values.remove(0) } else { values.into() };
        (name.into(), value)
    });
    joined.collect()
}

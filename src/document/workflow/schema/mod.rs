//! The JSON Schemas of the files that people write: workflows, mocks and environments.
//!
//! Editors complete, explain and validate with them while a file is typed; `reqchain check` finds
//! what a schema cannot say. They keep to draft 7, which is what the YAML language server reads.
//! Every key has a sentence of its own, and a test holds the keys to those that the readers know.

mod auth;
mod environment;
mod expect;
mod extract;
mod input;
mod mock;
mod request;
mod script;
mod shape;
mod step;
mod top;
mod value;

use serde_json::{Map, Value};

use crate::document::workflow::schema::shape::Key;

/// A definition: the name by which others refer to it, and what it says.
type Definition = (&'static str, Value);

/// The schema of a workflow.
#[must_use]
pub fn workflow() -> Value {
    let definitions = [
        value::definitions(),
        input::definitions(),
        request::definitions(),
        auth::definitions(),
        script::definitions(),
        step::definitions(),
        extract::definitions(),
        expect::definitions(),
    ];
    document("reqchain workflow", top::workflow(), definitions.into_iter().flatten())
}

/// The schema of a mock.
#[must_use]
pub fn mock() -> Value {
    let definitions = value::definitions().into_iter().chain(mock::definitions());
    document("reqchain mock", mock::mock(), definitions)
}

/// The schema of an environment file.
#[must_use]
pub fn environment() -> Value {
    let definitions = value::definitions().into_iter().chain(environment::definitions());
    document("reqchain environment", environment::environment(), definitions)
}

/// A schema that stands alone: the dialect first, the definitions that it needs last.
fn document(title: &str, root: Value, definitions: impl Iterator<Item = Definition>) -> Value {
    let mut schema = Map::new();
    schema.insert("$schema".to_owned(), "http://json-schema.org/draft-07/schema#".into());
    schema.insert("title".to_owned(), title.into());
    if let Value::Object(members) = root {
        schema.extend(members);
    }
    let all: Map<String, Value> = definitions.map(|(name, says)| (name.to_owned(), says)).collect();
    let used = used(&schema, &all);
    let kept = all.into_iter().filter(|(name, _)| used.contains(name)).collect();
    schema.insert("definitions".to_owned(), Value::Object(kept));
    Value::Object(schema)
}

/// The names of the definitions that a schema refers to, by way of others too.
fn used(schema: &Map<String, Value>, all: &Map<String, Value>) -> Vec<String> {
    let mut found = Vec::new();
    let mut unread: Vec<&Value> = schema.values().collect();
    while let Some(next) = unread.pop() {
        match next {
            Value::Object(members) => {
                let name = members.get("$ref").and_then(Value::as_str).and_then(shape::referred);
                if let Some(name) = name.filter(|name| !found.iter().any(|known| known == name)) {
                    found.push(name.to_owned());
                    unread.extend(all.get(name));
                }
                unread.extend(members.values());
            }
            Value::Array(elements) => unread.extend(elements),
            _ => {}
        }
    }
    found
}

/// Groups of keys as the keys of one map.
fn joined<const N: usize>(groups: [Vec<Key>; N]) -> Vec<Key> {
    groups.into_iter().flatten().collect()
}

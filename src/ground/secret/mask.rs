//! Values as people may see them: without the secrets that stand in them, or under a secret's name.

use std::sync::Arc;

use crate::ground::secret::{Needles, SHORTEST, is_jwt, is_secret_name, pseudonym};
use crate::ground::value::{Map, Value};

impl Needles {
    /// A value whose texts, and the names in it, are without secrets. Once it is JSON it is too late:
    /// what stands escaped in a text would be escaped twice.
    #[must_use]
    pub fn scrub_value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => self.scrub(text).into(),
            Value::List(elements) => {
                elements.iter().map(|element| self.scrub_value(element)).collect::<Vec<_>>().into()
            }
            Value::Object(members) => {
                let mut clean = Map::default();
                for (key, member) in members.iter() {
                    clean.insert(free(self.scrub_name(key), &clean, members), self.scrub_value(member));
                }
                clean.into()
            }
            Value::Number(number) => {
                let text = number.to_string();
                let clean = if text.len() < SHORTEST { text.clone() } else { self.scrub(&text) };
                if clean == text { value.clone() } else { clean.into() }
            }
            Value::Null | Value::Bool(_) => value.clone(),
        }
    }

    fn scrub_name(&self, name: &Arc<str>) -> Arc<str> {
        if name.len() < SHORTEST {
            return Arc::clone(name);
        }
        let clean = self.scrub(name);
        if clean == **name { Arc::clone(name) } else { clean.into() }
    }

    /// A value as people may see it: what has a secret's name, or the form of a JWT, is a pseudonym,
    /// and that of a value which has one already.
    #[must_use]
    pub fn masked(&self, value: &Value) -> Value {
        mask(value, &|name, text| self.known_as(text).unwrap_or_else(|| name.into()))
    }
}

/// A value as people may see it: what has a secret's name, or the form of a JWT, is a pseudonym.
#[must_use]
pub fn masked(value: &Value) -> Value {
    mask(value, &|name, _| name.into())
}

/// `named` says what a secret is called that stands under a name.
fn mask(value: &Value, named: &dyn Fn(&str, &str) -> Arc<str>) -> Value {
    match value {
        Value::Object(members) => {
            let hide = |key: &Arc<str>, member: &Value| match member {
                // A truth value gives nothing away: `pass: true` is no password.
                Value::Object(_) | Value::List(_) | Value::Null | Value::Bool(_) => mask(member, named),
                _ if is_secret_name(key) => pseudonym(&named(key, &member.to_text())).into(),
                _ => mask(member, named),
            };
            let members = members.iter().map(|(key, member)| (Arc::clone(key), hide(key, member)));
            members.collect::<Map>().into()
        }
        Value::List(elements) => {
            elements.iter().map(|element| mask(element, named)).collect::<Vec<_>>().into()
        }
        Value::String(text) if is_jwt(text) => pseudonym(&named("jwt", text)).into(),
        other => other.clone(),
    }
}

/// A name for a member, with a number behind it where another one of the same object has it already: two
/// secrets may have one pseudonym, and no member may be lost by that.
fn free(name: Arc<str>, taken: &Map, original: &Map) -> Arc<str> {
    if !taken.contains_key(&name) {
        return name;
    }
    let numbered = (2..).map(|number: usize| Arc::from(format!("{name} ({number})")));
    numbered
        .into_iter()
        .find(|name| !taken.contains_key(name) && !original.contains_key(name))
        .unwrap_or(name)
}

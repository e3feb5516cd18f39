//! What must never be shown, and the two means that keep it so.
//!
//! *Marks* travel with a value: whoever reads a secret marks what it makes of it, and a marked
//! value is shown as its pseudonym. *Needles* are the secrets themselves and every form in which
//! they may come back: text is scrubbed of them where it is made. Learning a needle costs one
//! clone; its forms are worked out only when some text is to be shown.

mod forms;
mod haystack;
pub mod name;
mod recent;
mod search;
mod view;
pub mod written;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use indexmap::map::Entry;

use crate::ground::secret::haystack::Haystack;
use crate::ground::secret::recent::Recent;
use crate::ground::value::{Map, Value};

pub use name::is_secret_name;
pub use search::Hit;

/// The shortest text that is searched for in free text: shorter ones occur by chance.
pub const SHORTEST: usize = 8;

/// What is known of where a value came from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Marks {
    /// The name of the secret that it is, or was made with.
    pub secret: Option<Arc<str>>,
    /// A server sent it, or it was made from what a server sent.
    pub from_server: bool,
}

impl Marks {
    /// No secret, and from no server.
    pub const NONE: Self = Self { secret: None, from_server: false };

    /// The marks of a secret that the user gave.
    #[must_use]
    pub const fn secret(name: Arc<str>) -> Self {
        Self { secret: Some(name), from_server: false }
    }

    /// Whether the value must be shown as a pseudonym.
    #[must_use]
    pub const fn is_secret(&self) -> bool {
        self.secret.is_some()
    }

    /// Adds the marks of another value that went into this one. The first secret names the whole.
    pub fn join(&mut self, other: &Self) {
        if self.secret.is_none() {
            self.secret.clone_from(&other.secret);
        }
        self.from_server |= other.from_server;
    }

    /// What to show in place of `plain`: the pseudonym if this is a secret.
    #[must_use]
    pub fn show(&self, plain: impl FnOnce() -> String) -> String {
        self.secret.as_deref().map_or_else(plain, pseudonym)
    }
}

/// A value and its marks.
#[derive(Clone, Default)]
pub struct Marked<T> {
    /// The value.
    pub value: T,
    /// Where it came from.
    pub marks: Marks,
}

impl<T> fmt::Debug for Marked<T> {
    /// Not the value: one that is no secret by itself may still hold one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Marked").field("marks", &self.marks).finish_non_exhaustive()
    }
}

impl<T> Marked<T> {
    /// Joins a value with its marks.
    pub const fn new(value: T, marks: Marks) -> Self {
        Self { value, marks }
    }

    /// A value without marks.
    pub const fn plain(value: T) -> Self {
        Self { value, marks: Marks::NONE }
    }

    /// Changes the value and keeps the marks.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Marked<U> {
        Marked { value: change(self.value), marks: self.marks }
    }
}

/// How a secret is shown: `«name»`.
#[must_use]
pub fn pseudonym(name: &str) -> String {
    format!("«{name}»")
}

/// Whether a text has the form of a JWT: three parts in base64url, the first a JSON object.
#[must_use]
pub fn is_jwt(text: &str) -> bool {
    text.starts_with("eyJ") && jwt_length(text.as_bytes()) == Ok(text.len())
}

/// How many bytes the JWT at the start of `text` has.
///
/// # Errors
/// Where there is none: behind how many bytes one may begin. All before them are of one word, which
/// no dot follows that another part could follow.
fn jwt_length(text: &[u8]) -> Result<usize, usize> {
    let part = |from: usize| {
        text[from..]
            .iter()
            .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
            .count()
    };
    let header = part(0);
    if header < 8 || text.get(header) != Some(&b'.') {
        return Err(header);
    }
    let payload = part(header + 1);
    let second = header + 1 + payload;
    if payload < 2 || text.get(second) != Some(&b'.') {
        return Err(header);
    }
    Ok(second + 1 + part(second + 1))
}

/// The secrets of a run, and of what it is part of: what they are, and how to take them out of a
/// text. Clones share what is learnt. A [`Needles::child`] is forgotten with its pass.
#[derive(Clone, Default)]
pub struct Needles {
    own: Arc<Mutex<Haystack>>,
    parent: Option<Arc<Needles>>,
    /// What the children of the same parent learnt of late.
    recent: Option<Arc<Recent>>,
    /// What is learnt before a text is looked at for the first time.
    later: Arc<Mutex<Vec<Later>>>,
}

/// Learns secrets out of something that was kept for it.
type Later = Box<dyn FnOnce(&Needles) + Send>;

/// How much may be kept for later at a time.
const MOST_LATER: usize = 16;

impl fmt::Debug for Needles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Needles")
    }
}

impl Needles {
    /// Needles of several runs: what each of their children learns is looked for in what the others
    /// show, too, as long as it is not too long ago.
    #[must_use]
    pub fn of_several() -> Self {
        Self { recent: Some(Arc::default()), ..Self::default() }
    }

    /// Needles of a part of the run: they are freed with it, those of the whole still hold.
    #[must_use]
    pub fn child(&self) -> Self {
        Self { parent: Some(Arc::new(self.clone())), recent: self.recent.clone(), ..Self::default() }
    }

    /// Learns what `learn` finds when a text is looked at for the next time: of most runs nothing is
    /// shown in which it could stand. What is learnt by its own name before has that name.
    pub fn learn_later(&self, learn: impl FnOnce(&Self) + Send + 'static) {
        let mut later = self.later.lock().unwrap_or_else(PoisonError::into_inner);
        later.push(Box::new(learn));
        if later.len() >= MOST_LATER {
            drop(later);
            self.settle();
        }
    }

    /// Learns what was left for later.
    fn settle(&self) {
        if let Some(parent) = &self.parent {
            parent.settle();
        }
        let due = std::mem::take(&mut *self.later.lock().unwrap_or_else(PoisonError::into_inner));
        for learn in due {
            learn(self);
        }
    }

    /// Learns a secret by the name under which it will be shown, unless it has one already. Texts
    /// shorter than [`SHORTEST`] are not searched for.
    pub fn learn(&self, name: &Arc<str>, text: &str) {
        let _ = self.learn_as(name, text);
    }

    /// The same, and the name that it has from now on.
    #[must_use]
    pub fn learn_as(&self, name: &Arc<str>, text: &str) -> Arc<str> {
        if text.is_empty() {
            return Arc::clone(name);
        }
        if let Some(known) = self.parent.as_ref().and_then(|parent| parent.name_of(text)) {
            return known;
        }
        match self.lock().learnt.entry(text.into()) {
            Entry::Occupied(known) => Arc::clone(known.get()),
            Entry::Vacant(unknown) => {
                if let Some(recent) = self.shared() {
                    recent.learn(name, unknown.key());
                }
                Arc::clone(unknown.insert(Arc::clone(name)))
            }
        }
    }

    /// The name under which a secret was learnt first: one value has one name within a run, so that
    /// two secrets that are equal are seen to be equal.
    #[must_use]
    pub fn known_as(&self, text: &str) -> Option<Arc<str>> {
        self.settle();
        self.name_of(text)
    }

    fn name_of(&self, text: &str) -> Option<Arc<str>> {
        let before = self.parent.as_ref().and_then(|parent| parent.name_of(text));
        before.or_else(|| self.lock().learnt.get(text).cloned())
    }

    /// Learns every text in a value.
    pub fn learn_value(&self, name: &Arc<str>, value: &Value) {
        match value {
            Value::String(text) => self.learn(name, text),
            Value::List(elements) => elements.iter().for_each(|element| self.learn_value(name, element)),
            Value::Object(members) => members.values().for_each(|member| self.learn_value(name, member)),
            // A PIN of eight digits is no safer as a number.
            Value::Number(number) => self.learn(name, &number.to_string()),
            Value::Null | Value::Bool(_) => {}
        }
    }

    /// Learns the secrets inside a value that is none itself: members with a secret's name, and
    /// whatever has the form of a JWT.
    pub fn learn_members(&self, value: &Value) {
        match value {
            Value::Object(members) => {
                for (key, member) in members.iter() {
                    // A session that has members is no secret, some of its members may be.
                    let is_whole =
                        !(member.as_object().is_some() && key.to_ascii_lowercase().ends_with("session"));
                    if is_whole && is_secret_name(key) {
                        self.learn_value(key, member);
                    } else {
                        self.learn_members(member);
                    }
                }
            }
            Value::List(elements) => elements.iter().for_each(|element| self.learn_members(element)),
            Value::String(text) if is_jwt(text) => self.learn(&"jwt".into(), text),
            Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Lets a text be shown from now on, since the user asked for it by `reveal`.
    pub fn reveal(&self, text: &str) {
        self.lock().revealed.insert(text.into());
        if let Some(parent) = &self.parent {
            parent.reveal(text);
        }
        if let Some(recent) = self.shared() {
            recent.reveal(text);
        }
    }

    /// What is shared with the runs beside this one; what the whole learns is known to all anyway.
    fn shared(&self) -> Option<&Recent> {
        self.recent.as_deref().filter(|_| self.parent.is_some())
    }

    fn lock(&self) -> MutexGuard<'_, Haystack> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A value whose texts, and the names in it, are without secrets. Once it is JSON it is too late: what stands escaped
    /// in a text would be escaped twice.
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

fn is_needle(text: &str) -> bool {
    text.len() >= SHORTEST
}

#[cfg(test)]
mod tests;

//! The secrets that a run knows, and how it learns them.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use indexmap::map::Entry;

use crate::ground::secret::index::NeedleIndex;
use crate::ground::secret::recent::Recent;
use crate::ground::secret::{is_jwt, is_secret_name};
use crate::ground::value::Value;

/// The secrets of a run, and of what it is part of: what they are, and how to take them out of a
/// text. Clones share what is learnt. A [`Needles::child`] is forgotten with its pass.
#[derive(Clone, Default)]
pub struct Needles {
    own: Arc<Mutex<NeedleIndex>>,
    pub(super) parent: Option<Arc<Needles>>,
    /// What the children of the same parent learnt of late.
    recent: Option<Arc<Recent>>,
    /// What is learnt before a text is looked at for the first time.
    later: Arc<Mutex<Vec<Later>>>,
}

/// Learns secrets out of something that was kept for it.
pub(super) type Later = Arc<dyn Fn(&Needles) + Send + Sync>;

/// How much may be kept for later at a time.
pub(super) const MOST_LATER: usize = 16;

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
    ///
    /// `learn` only learns: whatever looks at a text in it would wait for itself.
    pub fn learn_later(&self, learn: impl Fn(&Self) + Send + Sync + 'static) {
        let learn: Later = Arc::new(learn);
        if let Some(recent) = self.shared() {
            recent.learn_later(Arc::clone(&learn));
        }
        let mut later = self.later();
        later.push(learn);
        if later.len() >= MOST_LATER {
            self.learn_all(later);
        }
    }

    /// Learns what was left for later. Who looks at a text at the same time waits until it is known.
    pub(super) fn settle(&self) {
        if let Some(parent) = &self.parent {
            parent.settle();
        }
        if let Some(recent) = self.recent.as_ref().filter(|recent| recent.has_later()) {
            let others = Self { recent: Some(Arc::clone(recent)), ..Self::default() };
            recent.settle(&others.child());
        }
        self.learn_all(self.later());
    }

    fn learn_all(&self, mut later: MutexGuard<'_, Vec<Later>>) {
        for learn in later.drain(..) {
            learn(self);
        }
    }

    fn later(&self) -> MutexGuard<'_, Vec<Later>> {
        self.later.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Learns a secret by the name under which it will be shown, unless it has one already. Texts
    /// shorter than [`SHORTEST`](super::SHORTEST) are not searched for.
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
    pub(super) fn shared(&self) -> Option<&Recent> {
        self.recent.as_deref().filter(|_| self.parent.is_some())
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, NeedleIndex> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One branch may show what another one is learning: it waits.
    #[test]
    fn nobody_looks_while_something_is_learnt() {
        let needles = Needles::default();
        needles.learn_later(|needles| {
            assert!(needles.later.try_lock().is_err());
            needles.learn(&"late".into(), "first-secret-1");
        });
        assert_eq!(needles.scrub("a first-secret-1"), "a «late»");
    }
}

//! The variables that are visible now.
//!
//! Inputs, vars and extracted values are one namespace, shared by templates, scripts and the
//! steps of one run; a [`Scope`] adds what only one step sees. Clones share the namespace.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use indexmap::{IndexMap, IndexSet};
use reqwest::header::SET_COOKIE;

use crate::ground::clock::Clock;
use crate::ground::secret::{Marked, Needles};
use crate::ground::value::Value;
use crate::parts::auth::digest::Challenges;
use crate::parts::http::Response;

/// The names that mean something by themselves and are no variables.
pub const RESERVED: [&str; 6] = ["response", "steps", "loop", "data", "env_name", "session"];

/// The variables visible to one evaluation, in layers.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    shared: Arc<Mutex<Namespace>>,
    response: Option<Arc<Response>>,
    turn: Option<Arc<Turn>>,
    remembered: Option<Arc<Mutex<Remembered>>>,
    /// The secrets known to this pass.
    pub needles: Needles,
    /// What time it is.
    pub clock: Clock,
    /// The Digest challenges that servers gave to this workflow.
    pub challenges: Challenges,
}

#[derive(Debug, Default)]
struct Namespace {
    /// The texts of key sets, by their URL: fetched once for each run of a workflow.
    keys: IndexMap<Box<str>, Arc<str>, foldhash::fast::RandomState>,
    variables: IndexMap<Arc<str>, Variable, foldhash::fast::RandomState>,
    steps: IndexMap<Arc<str>, StepRecord, foldhash::fast::RandomState>,
    /// What was set or removed since the fork; `None` where this is no fork.
    written: Option<Written>,
}

/// What expressions came to, by where they are kept.
type Remembered = HashMap<usize, Marked<Value>, foldhash::fast::RandomState>;

/// The names of variables and steps that a fork changed.
#[derive(Debug, Default)]
struct Written {
    variables: IndexSet<Arc<str>>,
    steps: IndexSet<Arc<str>>,
}

/// What only one turn of a `for_each` or a `repeat` sees.
#[derive(Debug, Clone, Default)]
pub struct Turn {
    /// The variable of `for_each` and the element that it stands for.
    pub element: Option<(Arc<str>, Marked<Value>)>,
    /// Which element it is, from 1: `loop.index`.
    pub index: Option<usize>,
    /// Which pass of `repeat` it is, from 1: `loop.pass`.
    pub pass: Option<usize>,
    /// The turn of the loop around this one, whose element is seen too.
    pub around: Option<Arc<Turn>>,
}

impl Turn {
    fn element(&self, name: &str) -> Option<&(Arc<str>, Marked<Value>)> {
        let own = self.element.as_ref().filter(|(known, _)| &**known == name);
        own.or_else(|| self.around.as_deref()?.element(name))
    }
}

#[derive(Debug, Clone)]
struct Variable {
    value: Marked<Value>,
    fixed: bool,
}

/// What a finished step leaves behind for `steps.<id>`.
#[derive(Debug, Clone, Default)]
pub struct StepRecord {
    /// Its answer, where it got one.
    pub response: Option<Arc<Response>>,
    /// The outputs of the workflow that it used, each with its own marks.
    pub outputs: Option<Arc<IndexMap<Arc<str>, Marked<Value>>>>,
    /// `passed`, `failed`, `errored` or `skipped`.
    pub verdict: &'static str,
}

/// Somebody tried to change what cannot be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fixed {
    /// What the caller gave.
    #[error("an input cannot be overwritten")]
    Input,
    /// What the loop sets.
    #[error("the variable of `for_each` cannot be overwritten")]
    Element,
}

impl Namespace {
    fn note(&mut self, name: &Arc<str>) {
        if let Some(written) = &mut self.written {
            written.variables.insert(Arc::clone(name));
        }
    }

    fn record(&mut self, id: &Arc<str>, record: StepRecord) {
        if let Some(written) = &mut self.written {
            written.steps.insert(Arc::clone(id));
        }
        self.steps.insert(Arc::clone(id), record);
    }
}

impl Scope {
    /// An empty namespace.
    #[must_use]
    pub fn new(needles: Needles, clock: Clock) -> Self {
        Self { needles, clock, ..Self::default() }
    }

    /// The same namespace, seeing `response` too. The cookies that it sets are learnt first.
    #[must_use]
    pub fn with_response(&self, response: &Arc<Response>) -> Self {
        self.learn_cookies(response);
        Self { response: Some(Arc::clone(response)), ..self.clone() }
    }

    /// The same namespace, for one evaluation that is told of: an expression that is evaluated again
    /// comes to what it came to first. What is shown is what was sent, though it be random.
    #[must_use]
    pub fn remembering(&self) -> Self {
        Self { remembered: Some(Arc::default()), ..self.clone() }
    }

    /// What `evaluate` gives; once only for an expression where this scope remembers. Nothing is
    /// locked meanwhile.
    ///
    /// # Errors
    /// Those of `evaluate`.
    pub(in crate::parts) fn once<X, E>(
        &self,
        expression: &X,
        evaluate: impl FnOnce() -> Result<Marked<Value>, E>,
    ) -> Result<Marked<Value>, E> {
        let Some(remembered) = &self.remembered else { return evaluate() };
        let lock = || remembered.lock().unwrap_or_else(PoisonError::into_inner);
        let key = std::ptr::from_ref(expression).addr();
        let known = lock().get(&key).cloned();
        match known {
            Some(found) => Ok(found),
            None => evaluate().inspect(|found| drop(lock().insert(key, found.clone()))),
        }
    }

    /// The answer of the current step.
    #[must_use]
    pub const fn response(&self) -> Option<&Arc<Response>> {
        self.response.as_ref()
    }

    /// The same namespace, seeing one turn of a loop too.
    #[must_use]
    pub fn with_turn(&self, mut turn: Turn) -> Self {
        turn.element = turn.element.map(|(name, value)| (name, self.learn(value)));
        let around = self.turn.clone();
        Self { turn: Some(Arc::new(Turn { around, ..turn })), ..self.clone() }
    }

    /// The turn of the loop around.
    #[must_use]
    pub fn turn(&self) -> Option<&Turn> {
        self.turn.as_deref()
    }

    /// A namespace of its own that begins as a copy of this one: what is set there is not seen
    /// here until [`Scope::join`].
    #[must_use]
    pub fn fork(&self) -> Self {
        let copy = {
            let namespace = self.lock();
            let (variables, steps) = (namespace.variables.clone(), namespace.steps.clone());
            Namespace { variables, steps, keys: namespace.keys.clone(), written: Some(Written::default()) }
        };
        Self { shared: Arc::new(Mutex::new(copy)), ..self.clone() }
    }

    /// The variables that were set or removed since the fork.
    #[must_use]
    pub fn written(&self) -> Vec<Arc<str>> {
        self.lock().written.iter().flat_map(|written| written.variables.iter().cloned()).collect()
    }

    /// Takes over what was set and removed in a fork.
    pub fn join(&self, fork: &Self) {
        let (variables, steps, keys) = {
            let namespace = fork.lock();
            let Some(written) = &namespace.written else { return };
            let variable = |name: &Arc<str>| (Arc::clone(name), namespace.variables.get(name).cloned());
            let step = |id: &Arc<str>| Some((Arc::clone(id), namespace.steps.get(id)?.clone()));
            let variables: Vec<_> = written.variables.iter().map(variable).collect();
            let steps: Vec<_> = written.steps.iter().filter_map(step).collect();
            (variables, steps, namespace.keys.clone())
        };
        let mut namespace = self.lock();
        namespace.keys.extend(keys);
        for (name, variable) in variables {
            namespace.note(&name);
            match variable {
                Some(variable) => namespace.variables.insert(name, variable),
                None => namespace.variables.shift_remove(&name),
            };
        }
        for (id, record) in steps {
            namespace.record(&id, record);
        }
    }

    /// A variable and its marks.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Marked<Value>> {
        if let Some((_, value)) = self.element(name) {
            return Some(value.clone());
        }
        self.lock().variables.get(name).map(|variable| variable.value.clone())
    }

    /// Whether there is a variable of that name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.element(name).is_some() || self.lock().variables.contains_key(name)
    }

    fn element(&self, name: &str) -> Option<&(Arc<str>, Marked<Value>)> {
        self.turn.as_deref()?.element(name)
    }

    /// Sets an input: nobody will overwrite it.
    pub fn set_input(&self, name: &Arc<str>, value: Marked<Value>) {
        let value = self.learn(value);
        self.lock().variables.insert(Arc::clone(name), Variable { value, fixed: true });
    }

    /// Sets a variable. A secret is learnt before anybody can see it.
    ///
    /// # Errors
    /// [`Fixed`] where the name is an input's, or the loop's.
    pub fn set(&self, name: &Arc<str>, value: Marked<Value>) -> Result<(), Fixed> {
        if self.element(name).is_some() {
            return Err(Fixed::Element);
        }
        let value = self.learn(value);
        let mut namespace = self.lock();
        namespace.note(name);
        match namespace.variables.get_mut(name) {
            Some(variable) if variable.fixed => return Err(Fixed::Input),
            Some(variable) => variable.value = value,
            None => {
                namespace.variables.insert(Arc::clone(name), Variable { value, fixed: false });
            }
        }
        Ok(())
    }

    /// Removes a variable; one that is not there is no error.
    ///
    /// # Errors
    /// [`Fixed`] where the name is an input's, or the loop's.
    pub fn remove(&self, name: &str) -> Result<(), Fixed> {
        if self.element(name).is_some() {
            return Err(Fixed::Element);
        }
        let mut namespace = self.lock();
        namespace.note(&name.into());
        if namespace.variables.get(name).is_some_and(|variable| variable.fixed) {
            return Err(Fixed::Input);
        }
        namespace.variables.shift_remove(name);
        Ok(())
    }

    /// The names of all variables, in the order in which they were set.
    #[must_use]
    pub fn names(&self) -> Vec<Arc<str>> {
        let turns = std::iter::successors(self.turn.as_deref(), |turn| turn.around.as_deref());
        let element = turns.filter_map(|turn| turn.element.as_ref()).map(|(name, _)| Arc::clone(name));
        self.lock().variables.keys().cloned().chain(element).collect()
    }

    /// Every secret among the variables by its name, however short it is.
    #[must_use]
    pub fn secrets(&self) -> Vec<(Arc<str>, String)> {
        let element = self.turn.iter().filter_map(|turn| turn.element.as_ref());
        let elements: Vec<Marked<Value>> = element.map(|(_, value)| value.clone()).collect();
        let mut secrets = Vec::new();
        let namespace = self.lock();
        for found in namespace.variables.values().map(|variable| &variable.value).chain(&elements) {
            if let Some(name) = &found.marks.secret {
                found.value.leaves(&mut |text| secrets.push((Arc::clone(name), text)));
            }
        }
        secrets
    }

    /// What a finished step left behind.
    #[must_use]
    pub fn step(&self, id: &str) -> Option<StepRecord> {
        self.lock().steps.get(id).cloned()
    }

    /// The ids of the steps that left something behind.
    #[must_use]
    pub fn step_ids(&self) -> Vec<Arc<str>> {
        self.lock().steps.keys().cloned().collect()
    }

    /// Leaves something behind for `steps.<id>`.
    pub fn record_step(&self, id: &Arc<str>, record: StepRecord) {
        self.lock().record(id, record);
    }

    /// The key set that was fetched from a URL.
    #[must_use]
    pub fn keys(&self, url: &str) -> Option<Arc<str>> {
        self.lock().keys.get(url).cloned()
    }

    /// Keeps the key set that was fetched from a URL, for whoever asks for it again in this run.
    pub fn keep_keys(&self, url: &str, text: Arc<str>) {
        self.lock().keys.insert(url.into(), text);
    }

    /// What a server sets as a cookie is a secret, whatever its name.
    pub fn learn_cookies(&self, response: &Response) {
        let on_the_way = response.hops.iter().any(|hop| !hop.set_cookies.is_empty());
        if on_the_way || response.headers.contains_key(SET_COOKIE) {
            response.cookies().iter().for_each(|(name, value)| self.needles.learn(name, value));
        }
    }

    /// Learns what is secret of a value. One that another secret is already has that one's name from
    /// now on, so that the two are seen to be equal.
    fn learn(&self, mut value: Marked<Value>) -> Marked<Value> {
        let Some(name) = &value.marks.secret else {
            self.needles.learn_members(&value.value);
            return value;
        };
        if let Value::String(text) = &value.value {
            value.marks.secret = Some(self.needles.learn_as(name, text));
        } else {
            self.needles.learn_value(name, &value.value);
        }
        value
    }

    fn lock(&self) -> MutexGuard<'_, Namespace> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(scope: &Scope, name: &str, value: i64) {
        scope.set(&name.into(), Marked::plain(value.into())).expect("it can be set");
    }

    fn number(scope: &Scope, name: &str) -> Option<i64> {
        scope.get(name)?.value.as_i64()
    }

    #[test]
    fn a_fork_sees_what_was_and_shows_what_it_did_only_when_it_is_joined() {
        let scope = Scope::default();
        set(&scope, "old", 1);
        set(&scope, "gone", 1);
        let (one, other) = (scope.fork(), scope.fork());
        set(&one, "new", 2);
        one.remove("gone").expect("no input");
        set(&other, "old", 3);
        assert_eq!(
            (number(&one, "old"), number(&scope, "new"), number(&other, "new")),
            (Some(1), None, None)
        );
        scope.join(&one);
        assert_eq!((number(&scope, "old"), number(&scope, "new")), (Some(1), Some(2)));
        assert!(!scope.has("gone"));
        scope.join(&other);
        assert_eq!(number(&scope, "old"), Some(3));
        assert!(!scope.has("gone"), "what a fork did not touch stays as it is");
    }

    #[test]
    fn the_element_of_a_turn_is_seen_first_and_cannot_be_set() {
        let scope = Scope::default();
        set(&scope, "user", 1);
        let element = Some(("user".into(), Marked::plain(7_i64.into())));
        let inside = scope.with_turn(Turn { element, index: Some(1), ..Turn::default() });
        assert_eq!((number(&inside, "user"), number(&scope, "user")), (Some(7), Some(1)));
        assert_eq!(inside.set(&"user".into(), Marked::plain(2_i64.into())), Err(Fixed::Element));
        assert_eq!(inside.remove("user"), Err(Fixed::Element));
        set(&inside, "other", 5);
        assert_eq!(number(&scope, "other"), Some(5));
    }
}

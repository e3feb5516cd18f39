//! The variables that are visible now.
//!
//! Inputs, vars and extracted values are one namespace, shared by templates, scripts and the
//! steps of one run; a [`Scope`] adds what only one step sees. Clones share the namespace.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use indexmap::IndexMap;
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
    /// The secrets known to this pass.
    pub needles: Needles,
    /// What time it is.
    pub clock: Clock,
    /// The Digest challenges that servers gave in this run.
    pub challenges: Challenges,
}

#[derive(Debug, Default)]
struct Namespace {
    variables: IndexMap<Arc<str>, Variable, foldhash::fast::RandomState>,
    steps: IndexMap<Arc<str>, StepRecord, foldhash::fast::RandomState>,
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

/// Somebody tried to change an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an input cannot be overwritten")]
pub struct IsInput;

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

    /// The answer of the current step.
    #[must_use]
    pub const fn response(&self) -> Option<&Arc<Response>> {
        self.response.as_ref()
    }

    /// A variable and its marks.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Marked<Value>> {
        self.lock().variables.get(name).map(|variable| variable.value.clone())
    }

    /// Whether there is a variable of that name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.lock().variables.contains_key(name)
    }

    /// Sets an input: nobody will overwrite it.
    pub fn set_input(&self, name: &Arc<str>, value: Marked<Value>) {
        self.learn(&value);
        self.lock().variables.insert(Arc::clone(name), Variable { value, fixed: true });
    }

    /// Sets a variable. A secret is learnt before anybody can see it.
    ///
    /// # Errors
    /// [`IsInput`] where the name is an input's.
    pub fn set(&self, name: &Arc<str>, value: Marked<Value>) -> Result<(), IsInput> {
        self.learn(&value);
        let mut namespace = self.lock();
        match namespace.variables.get_mut(name) {
            Some(variable) if variable.fixed => return Err(IsInput),
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
    /// [`IsInput`] where the name is an input's.
    pub fn remove(&self, name: &str) -> Result<(), IsInput> {
        let mut namespace = self.lock();
        if namespace.variables.get(name).is_some_and(|variable| variable.fixed) {
            return Err(IsInput);
        }
        namespace.variables.shift_remove(name);
        Ok(())
    }

    /// The names of all variables, in the order in which they were set.
    #[must_use]
    pub fn names(&self) -> Vec<Arc<str>> {
        self.lock().variables.keys().cloned().collect()
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
        self.lock().steps.insert(Arc::clone(id), record);
    }

    /// What a server sets as a cookie is a secret, whatever its name.
    pub fn learn_cookies(&self, response: &Response) {
        if response.headers.contains_key(SET_COOKIE) {
            response.cookies().iter().for_each(|(name, value)| self.needles.learn(name, value));
        }
    }

    fn learn(&self, value: &Marked<Value>) {
        match &value.marks.secret {
            Some(name) => self.needles.learn_value(name, &value.value),
            None => self.needles.learn_members(&value.value),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Namespace> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

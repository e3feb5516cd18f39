//! What a step extracts from its answer: set under its name, gathered over the passes of a loop, told.

use std::sync::Arc;

use crate::ground::diagnostic::Diagnostic;
use crate::ground::secret::Marked;
use crate::ground::source::Spanned;
use crate::ground::value::Value;
use crate::parts::extract::{Extract, Found};
use crate::parts::repeat::collect;
use crate::parts::scope::Scope;
use crate::parts::select::Answer;
use crate::parts::template;
use crate::running::event::{Detail, EventKind};
use crate::running::learn;
use crate::running::outcome::Failure;
use crate::running::show;
use crate::running::step::StepRun;

impl StepRun<'_> {
    /// Sets what is extracted; gives back what was not found, which is told after `expect`.
    pub(super) fn extract(
        &mut self,
        answer: &Answer,
        scope: &Scope,
    ) -> Result<Option<Box<Failure>>, Box<Failure>> {
        let mut missed: Option<Diagnostic> = None;
        // What is no secret by itself may repeat one of the same answer.
        let mut repeats = false;
        let step = self.step;
        for extract in &step.extract {
            match extract.run(answer, scope) {
                Ok(Found::Value(value)) => {
                    repeats |= !value.marks.is_secret() && learn::may_repeat(&value.value);
                    self.set(extract, value)?;
                }
                Ok(Found::Kept) => self.keep(extract),
                Err(error) => {
                    repeats = true;
                    let found = error.diagnostic(self.source());
                    missed = Some(match missed {
                        None => found,
                        Some(first) => first.note(format!("also: {}", found.message)),
                    });
                }
            }
        }
        if repeats {
            self.learn_answer();
        }
        Ok(missed.map(|diagnostic| self.failure(diagnostic)))
    }

    fn set(&mut self, extract: &Extract, value: Marked<Value>) -> Result<(), Box<Failure>> {
        let name = &extract.name;
        let value = if extract.collect.is_some() { self.collected(name, value)? } else { value };
        let set = self.scope.set(&name.value, value.clone());
        set.map_err(|error| {
            let message = format!("`{}`: {error}", name.value);
            self.failure(Diagnostic::error(message).at(self.source(), name.span))
        })?;
        // Only a loop asks afterwards what was found.
        if self.scope.turn().is_some() {
            self.found.insert(Arc::clone(&name.value), value);
        }
        Ok(())
    }

    /// Nothing was found and that is no error: in a loop, the list of what was found has a null.
    fn keep(&mut self, extract: &Extract) {
        if self.scope.turn().is_none() {
            return;
        }
        let name = &extract.name.value;
        let nothing = if extract.collect.is_some() { Vec::new().into() } else { Value::Null };
        if extract.collect.is_some() && !self.scope.has(name) {
            // The name is no input's: reading the workflow made sure of it.
            let _ = self.scope.set(name, Marked::plain(nothing.clone()));
        }
        self.found.entry(Arc::clone(name)).or_insert_with(|| Marked::plain(nothing));
    }

    /// What the passes so far found, and this one: lists are joined, all else is added.
    fn collected(
        &mut self,
        name: &Spanned<Arc<str>>,
        value: Marked<Value>,
    ) -> Result<Marked<Value>, Box<Failure>> {
        let before = self.found.get(&name.value).cloned();
        collect(before, value, &mut self.room)
            .map_err(|problem| self.failure(problem.at(self.source(), name.span)))
    }

    pub(super) fn tell_extracted(&self) {
        if !self.flowing.events.wants(Detail::Steps) {
            return;
        }
        for extract in &self.step.extract {
            let name = &extract.name.value;
            let Some(found) = self.scope.get(name) else { continue };
            let needles = &self.scope.needles;
            let clean = found.map(|value| needles.scrub_value(&value));
            let shown = needles.scrub(&template::shown(&clean));
            let shown = show::cut(&shown, 200);
            self.flowing.events.tell(&self.path, EventKind::ValueExtracted { name: Arc::clone(name), shown });
        }
    }
}

//! `for_each`: one turn of a step for each element, and what the turns extracted as lists.

use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;

use crate::document::plan::PlannedStep;
use crate::ground::secret::Marked;
use crate::ground::value::Value;
use crate::parts::for_each::{ForEach, joined};
use crate::parts::repeat::{MOST_GATHERED, too_much_gathered};
use crate::parts::scope::{Scope, Turn};
use crate::running::flow::Flowing;
use crate::running::outcome::{Failure, Verdict};
use crate::running::step::{self, Done, Flow};

/// Runs a step as often as its `for_each` says; once where it says nothing.
pub(super) async fn run(flowing: &Flowing<'_>, planned: &PlannedStep, scope: &Scope) -> Done {
    let Some(each) = &planned.step.for_each else {
        // Boxed: a chain of workflows that use each other would otherwise need the stack of all of them.
        return Box::pin(step::run(flowing, planned, scope.clone(), None)).await;
    };
    match each.elements(scope) {
        Ok(elements) if elements.is_empty() => {
            let turns = Turns::new(planned, scope);
            turns.set_lists(scope);
            flowing.tell_skipped(planned, scope, "there is no element to go through".to_owned());
            Done::from(Flow::Next)
        }
        Ok(elements) => turns(flowing, planned, scope, each, elements).await,
        Err(error) => {
            let failure = flowing.failure(error.diagnostic(&flowing.plan.workflow.source));
            refused(flowing, planned, scope, failure)
        }
    }
}

async fn turns(
    flowing: &Flowing<'_>,
    planned: &PlannedStep,
    scope: &Scope,
    each: &ForEach,
    elements: Vec<Marked<Value>>,
) -> Done {
    let mut turns = Turns::new(planned, scope);
    let mut verdict: Option<Verdict> = None;
    let mut flow = Flow::Next;
    for (at, element) in elements.into_iter().enumerate() {
        turns.begin(scope);
        let turn = Turn {
            element: Some((Arc::clone(&each.name.value), element)),
            index: Some(at + 1),
            ..Turn::default()
        };
        let run = step::run(flowing, planned, scope.with_turn(turn), Some(at + 1));
        let done = Box::pin(run).await;
        if !turns.take(done.found) {
            let failure = too_much_gathered().at(&flowing.plan.workflow.source, each.name.span);
            return refused(flowing, planned, scope, flowing.failure(failure));
        }
        match done.flow {
            Flow::Next => {}
            Flow::Continued(ended) if !flowing.context.cancel.is_cancelled() => {
                verdict = Some(verdict.map_or(ended, |before| before.worse(ended)));
            }
            other => {
                flow = other;
                break;
            }
        }
    }
    let found = turns.set_lists(scope);
    let flow = match (flow, verdict) {
        (Flow::Next, Some(verdict)) => Flow::Continued(verdict),
        (flow, _) => flow,
    };
    Done { flow, found }
}

/// A list that cannot be gone through is the failure of the step.
fn refused(flowing: &Flowing<'_>, planned: &PlannedStep, scope: &Scope, failure: Failure) -> Done {
    flowing.tell_failed(planned, scope, failure, Duration::ZERO);
    let continued = planned.step.continue_on_failure;
    Done::from(if continued { Flow::Continued(Verdict::Errored) } else { Flow::Ended(Verdict::Errored) })
}

/// What is extracted turn by turn.
struct Turns {
    lists: IndexMap<Arc<str>, Vec<Marked<Value>>>,
    before: Vec<(Arc<str>, Option<Marked<Value>>)>,
    /// How much may still be taken.
    room: u64,
}

impl Turns {
    fn new(planned: &PlannedStep, scope: &Scope) -> Self {
        let names = planned.step.family().flat_map(|step| &step.extract).map(|extract| &extract.name.value);
        let lists: IndexMap<_, _> = names.map(|name| (Arc::clone(name), Vec::new())).collect();
        let before = lists.keys().map(|name| (Arc::clone(name), scope.get(name))).collect();
        Self { lists, before, room: MOST_GATHERED }
    }

    /// Each turn begins with the variables as they were before the first.
    fn begin(&self, scope: &Scope) {
        for (name, value) in &self.before {
            // No step extracts into an input: reading the workflow made sure of it.
            let _ = match value {
                Some(value) => scope.set(name, value.clone()),
                None => scope.remove(name),
            };
        }
    }

    /// Takes what a turn found; whether there was room for it.
    fn take(&mut self, found: IndexMap<Arc<str>, Marked<Value>>) -> bool {
        for (name, value) in found {
            if !value.value.fits(&mut self.room) {
                return false;
            }
            self.lists.entry(name).or_default().push(value);
        }
        true
    }

    fn set_lists(self, scope: &Scope) -> IndexMap<Arc<str>, Marked<Value>> {
        let lists: IndexMap<_, _> =
            self.lists.into_iter().map(|(name, values)| (name, joined(values))).collect();
        for (name, list) in &lists {
            let _ = scope.set(name, list.clone());
        }
        lists
    }
}

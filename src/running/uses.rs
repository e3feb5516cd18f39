//! `uses`: another workflow as a step, with variables of its own. Only `with` goes in, and only its
//! outputs come back.

use std::sync::Arc;

use crate::document::plan::Plan;
use crate::document::workflow::Uses;
use crate::ground::diagnostic::Diagnostic;
use crate::running::flow::{self, Caller};
use crate::running::outcome::{Failure, Verdict};
use crate::running::step::{Flow, StepRun};

impl StepRun<'_> {
    /// Runs another workflow; `None` where it passed.
    pub(super) async fn uses(&mut self, plan: &Plan, uses: &Uses) -> Result<Option<Flow>, Box<Failure>> {
        let mut given = Vec::with_capacity(uses.with.len());
        for entry in &uses.with {
            let found = entry.tree.value(&self.scope).map_err(|error| self.template_failure(&error))?;
            given.push((Arc::clone(&entry.name.value), found));
        }
        let inputs = flow::with_inputs(plan, given).map_err(|(name, why)| {
            let entry = uses.with.iter().find(|entry| entry.name.value == name);
            let span = entry.map_or(uses.span, |entry| entry.name.span);
            self.failure(Diagnostic::error(format!("the input `{name}` {why}")).at(self.source(), span))
        })?;
        let outer = self.flowing;
        let caller = Caller {
            context: outer.context,
            events: outer.events,
            needles: &self.scope.needles,
            jar: &outer.jar,
            prefix: &self.path,
        };
        let (verdict, outputs) = Box::pin(flow::flow(plan, caller, inputs)).await;
        self.outcome.verdict = verdict;
        self.outputs = Some(Arc::new(outputs.unwrap_or_default()));
        self.record(verdict);
        Ok((verdict != Verdict::Passed).then_some(Flow::Ended(verdict)))
    }
}

//! The order of steps: one after another, a jump where a script says so, `finally` whatever
//! happened, and workflows inside workflows.

use std::sync::Arc;
use std::time::{Duration, Instant};

use indexmap::IndexMap;

use crate::document::inputs::Resolved;
use crate::document::plan::{Need, Plan, PlannedAction, PlannedStep};
use crate::document::workflow::{Output, Step};
use crate::ground::diagnostic::Diagnostic;
use crate::ground::secret::{Marked, Needles};
use crate::ground::value::Value;
use crate::parts::http::Jar;
use crate::parts::scope::{Scope, StepRecord};
use crate::running::context::{Cancel, Context};
use crate::running::event::EventKind;
use crate::running::for_each;
use crate::running::origins::Origins;
use crate::running::outcome::{Cause, Failure, StepOutcome, Verdict};
use crate::running::step::{Done, Flow};
use crate::running::tell::Events;

/// How often steps may be run by jumps before it is taken for a loop without end.
const MAX_JUMPS: usize = 10_000;

/// What a workflow gives to its caller.
pub(super) type Outputs = IndexMap<Arc<str>, Marked<Value>>;

/// A workflow that is running.
pub(super) struct Flowing<'r> {
    pub(super) plan: &'r Plan,
    pub(super) context: &'r Context,
    pub(super) events: &'r Events,
    pub(super) scope: Scope,
    pub(super) origins: Arc<Origins>,
    /// The cookies of the run, shared with what it uses.
    pub(super) jar: Jar,
    /// The path of the step that uses this workflow; empty for the one that is run.
    pub(super) prefix: Arc<str>,
}

/// What a workflow shares with whoever runs it.
#[derive(Clone, Copy)]
pub(super) struct Caller<'c> {
    pub(super) context: &'c Context,
    pub(super) events: &'c Events,
    pub(super) needles: &'c Needles,
    pub(super) jar: &'c Jar,
    /// The path of the step that uses the workflow; empty for the one that is run.
    pub(super) prefix: &'c Arc<str>,
}

/// Runs the workflow that was asked for. `None` where it did not pass.
pub(super) async fn workflow(plan: &Plan, caller: Caller<'_>) -> Option<Outputs> {
    let Caller { events, prefix, .. } = caller;
    events.tell(prefix, EventKind::started(&plan.workflow));
    let (verdict, outputs) = flow(plan, caller, plan.inputs.clone()).await;
    events.tell(prefix, EventKind::RunFinished { verdict });
    outputs
}

/// Runs a workflow with these inputs.
pub(super) async fn flow(plan: &Plan, caller: Caller<'_>, inputs: Resolved) -> (Verdict, Option<Outputs>) {
    let Caller { context, events, needles, jar, prefix } = caller;
    context.warn_of_short(&inputs, |warning| events.tell(prefix, warning));
    let scope = scope(plan, context, needles, inputs);
    let (origins, prefix) = (Arc::<Origins>::default(), Arc::clone(prefix));
    let jar = {
        let (origins, source, scope) = (origins.clone(), plan.workflow.source.clone(), scope.clone());
        jar.clone().naming(move |url| origins.names(url, &source, &scope))
    };
    let flowing = Flowing { plan, context, events, scope, origins, jar, prefix };
    let mut verdict = match flowing.derive() {
        Ok(()) => flowing.steps().await,
        Err(failure) => flowing.fail_at_once(failure),
    };
    // Who interrupts the run does not interrupt its clean-up.
    let undisturbed = Context { cancel: Cancel::default(), ..context.clone() };
    let flowing = Flowing { context: &undisturbed, ..flowing };
    verdict = verdict.worse(flowing.finally().await);
    if verdict != Verdict::Passed {
        return (verdict, None);
    }
    match flowing.outputs() {
        Ok(outputs) => (verdict, Some(outputs)),
        Err(failure) => (flowing.fail_at_once(failure), None),
    }
}

/// What the steps of a workflow see at first.
pub(super) fn scope(plan: &Plan, context: &Context, needles: &Needles, inputs: Resolved) -> Scope {
    let scope = Scope::new(needles.clone(), context.clock.clone());
    for (name, value) in inputs {
        scope.set_input(&name, value);
    }
    if let Some(name) = &plan.env_name {
        scope.set_input(&"env_name".into(), Marked::plain(name.clone()));
    }
    if let Some(row) = &plan.row {
        scope.set_input(&"data".into(), Marked::plain(row.clone()));
    }
    scope
}

impl Flowing<'_> {
    /// Evaluates `vars`, in order.
    fn derive(&self) -> Result<(), Failure> {
        for var in &self.plan.workflow.vars {
            let found = var
                .tree
                .value(&self.scope)
                .map_err(|error| self.failure(error.diagnostic(&self.plan.workflow.source)))?;
            // A var cannot have the name of an input: reading the workflow made sure of it.
            let _ = self.scope.set(&var.name.value, found);
        }
        Ok(())
    }

    async fn steps(&self) -> Verdict {
        let steps = &self.plan.steps;
        let (mut at, mut jumps, mut verdict) = (0, 0, Verdict::Passed);
        while let Some(planned) = steps.get(at) {
            match self.interruptible(planned, &self.scope).await.flow {
                Flow::Next => at += 1,
                Flow::Continued(failed) => {
                    verdict = verdict.worse(failed);
                    at += 1;
                }
                Flow::Stop => return verdict,
                Flow::Ended(ended) => return verdict.worse(ended),
                Flow::Goto(id) if jumps < MAX_JUMPS => {
                    // The step that said it made sure that there is one.
                    at = steps.iter().position(|planned| *planned.step.id == id).unwrap_or(at + 1);
                    jumps += 1;
                }
                Flow::Goto(_) => {
                    let message =
                        format!("`next` jumped {MAX_JUMPS} times: this looks like a loop without end");
                    return self.fail_step(planned, message);
                }
            }
        }
        verdict
    }

    /// Runs a step until it ends, or until somebody wants the run to stop. A workflow that is used
    /// is interrupted inside, since it has a `finally` of its own, and so is what runs at once.
    pub(super) async fn interruptible(&self, planned: &PlannedStep, scope: &Scope) -> Done {
        let is_interrupted = self.context.cancel.is_cancelled();
        let inside = matches!(planned.action, PlannedAction::Uses(_) | PlannedAction::Parallel(_));
        if !is_interrupted && inside {
            return for_each::run(self, planned, scope).await;
        }
        let started = Instant::now();
        tokio::select! {
            biased;
            () = self.context.cancel.cancelled() => {
                let diagnostic = Diagnostic::error("interrupted").at(&self.plan.workflow.source, planned.step.span);
                let failure = Failure { cause: Cause::Interrupted, diagnostic };
                self.tell_failed(planned, scope, failure, started.elapsed());
                Done::from(Flow::Ended(Verdict::Errored))
            }
            done = for_each::run(self, planned, scope) => done,
        }
    }

    /// Runs `finally` whatever happened. A failure here fails the run, and hides nothing.
    async fn finally(&self) -> Verdict {
        let mut verdict = Verdict::Passed;
        for planned in self.plan.finally.iter() {
            if let Some(why) = planned.needs.iter().find_map(|need| self.lacks(need)) {
                self.tell_skipped(planned, &self.scope, why);
                continue;
            }
            if let Flow::Ended(ended) | Flow::Continued(ended) =
                for_each::run(self, planned, &self.scope).await.flow
            {
                verdict = verdict.worse(ended);
            }
        }
        verdict
    }

    /// Why a step of `finally` cannot do without this, where it is not there.
    fn lacks(&self, need: &Need) -> Option<String> {
        match need {
            Need::Variable(name) if self.scope.has(name) => None,
            Need::Variable(name) => {
                Some(format!("`{name}` was never set: the step that sets it was not reached"))
            }
            Need::Output(id, name) => {
                let outputs = self.scope.step(id).and_then(|step| step.outputs);
                let has_it = outputs.is_some_and(|outputs| outputs.contains_key(name));
                (!has_it).then(|| {
                    format!("`steps.{id}.outputs` has no `{name}`: the step was not reached, or did not pass")
                })
            }
        }
    }

    /// What the caller gets: what `outputs` says, else everything extracted.
    fn outputs(&self) -> Result<Outputs, Failure> {
        let workflow = &self.plan.workflow;
        let Some(outputs) = &workflow.outputs else {
            let names =
                workflow.all_steps().flat_map(|step| step.extract.iter().map(|extract| &extract.name.value));
            return Ok(names.filter_map(|name| Some((Arc::clone(name), self.scope.get(name)?))).collect());
        };
        let output = |output: &Output| {
            let found = output
                .tree
                .value(&self.scope)
                .map_err(|error| self.failure(error.diagnostic(&workflow.source)))?;
            Ok((Arc::clone(&output.name.value), found))
        };
        outputs.iter().map(output).collect()
    }

    /// The path of a step: its id behind those of the steps that use its workflow, and which turn
    /// of a loop it is: `login/users[2]`.
    pub(super) fn path(&self, id: &Arc<str>, turn: Option<usize>) -> Arc<str> {
        let between = if self.prefix.is_empty() { "" } else { "/" };
        match turn {
            None if self.prefix.is_empty() => Arc::clone(id),
            None => format!("{}{between}{id}", self.prefix).into(),
            Some(turn) => format!("{}{between}{id}[{turn}]", self.prefix).into(),
        }
    }

    /// An outcome of which nothing is known but the step.
    pub(super) fn outcome(&self, step: &Step, path: &Arc<str>) -> StepOutcome {
        StepOutcome {
            id: Arc::clone(path),
            name: Arc::clone(&step.name),
            source: Some(Arc::clone(&self.plan.workflow.source)),
            ..StepOutcome::default()
        }
    }

    /// A failure whose texts are without secrets: what a user wrote may be made of one.
    pub(super) fn failure(&self, diagnostic: Diagnostic) -> Failure {
        Failure { cause: Cause::CouldNotRun, diagnostic: diagnostic.scrubbed(&self.scope.needles) }
    }

    pub(super) fn tell_skipped(&self, planned: &PlannedStep, scope: &Scope, why: String) {
        let mut outcome = self.bare(planned, scope, Verdict::Skipped);
        outcome.why_skipped = Some(why);
        self.events.tell(&Arc::clone(&outcome.id), EventKind::StepFinished(outcome.into()));
    }

    pub(super) fn tell_failed(&self, planned: &PlannedStep, scope: &Scope, failure: Failure, time: Duration) {
        let mut outcome = self.bare(planned, scope, Verdict::Errored);
        (outcome.error, outcome.time) = (Some(failure), time);
        self.events.tell(&Arc::clone(&outcome.id), EventKind::StepFinished(outcome.into()));
    }

    /// The outcome of a step that did not come to its end.
    fn bare(&self, planned: &PlannedStep, scope: &Scope, verdict: Verdict) -> StepOutcome {
        let step = &planned.step;
        if self.plan.keeps_steps {
            let record = StepRecord { response: None, outputs: None, verdict: verdict.word() };
            scope.record_step(&step.id, record);
        }
        let path = self.path(&step.id, None);
        StepOutcome { verdict, ..self.outcome(step, &path) }
    }

    pub(super) fn fail_step(&self, planned: &PlannedStep, message: String) -> Verdict {
        let diagnostic = Diagnostic::error(message).at(&self.plan.workflow.source, planned.step.span);
        self.tell_failed(planned, &self.scope, self.failure(diagnostic), Duration::ZERO);
        Verdict::Errored
    }

    /// A failure outside every step: of `vars` or of `outputs`.
    fn fail_at_once(&self, failure: Failure) -> Verdict {
        let place: Arc<str> = self.path(&self.plan.workflow.name, None);
        let outcome = StepOutcome {
            id: Arc::clone(&place),
            name: Arc::clone(&self.plan.workflow.name),
            verdict: Verdict::Errored,
            error: Some(failure),
            ..StepOutcome::default()
        };
        self.events.tell(&place, EventKind::StepFinished(outcome.into()));
        Verdict::Errored
    }
}

/// What a caller gives by `with`, laid over the inputs that were resolved before.
///
/// # Errors
/// The input that does not take its value, and why.
pub(super) fn with_inputs(
    plan: &Plan,
    given: Vec<(Arc<str>, Marked<Value>)>,
) -> Result<Resolved, (Arc<str>, String)> {
    let mut inputs = plan.inputs.clone();
    for (name, found) in given {
        let input = plan.workflow.inputs.iter().find(|input| input.name.value == name);
        let found = match input {
            Some(input) => input.take(found).map_err(|why| (Arc::clone(&name), why))?,
            None => found,
        };
        inputs.insert(name, found);
    }
    Ok(inputs)
}

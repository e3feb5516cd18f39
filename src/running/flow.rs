//! The order of steps: one after another, a jump where a script says so, `finally` whatever
//! happened, and workflows inside workflows.

use std::collections::HashMap;
use std::sync::Arc;

use indexmap::IndexMap;

use crate::document::inputs::Resolved;
use crate::document::plan::{Plan, PlannedAction, PlannedStep};
use crate::document::workflow::{Output, Step};
use crate::ground::diagnostic::Diagnostic;
use crate::ground::secret::{Marked, Marks, Needles};
use crate::ground::value::Value;
use crate::parts::http::Jar;
use crate::parts::scope::Scope;
use crate::running::context::{Cancel, Context};
use crate::running::event::EventKind;
use crate::running::origins::Origins;
use crate::running::outcome::{Cause, Failure, StepOutcome, Verdict};
use crate::running::run::{Events, worse};
use crate::running::step::{self, Flow};

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

/// Runs the workflow that was asked for. `None` where it did not pass.
pub(super) async fn workflow(
    plan: &Plan,
    context: &Context,
    events: &Events,
    needles: &Needles,
) -> Option<Outputs> {
    let root: Arc<str> = "".into();
    let name = &plan.workflow.name;
    events.tell(
        &root,
        EventKind::RunStarted {
            workflow: Arc::clone(name),
            file: plan.workflow.source.name().into(),
            steps: plan.steps.len() + plan.finally.len(),
            widest: plan.workflow.all_steps().map(|step| step.name.chars().count()).max().unwrap_or(0),
        },
    );
    let jar = Jar::new(needles, &context.clock);
    let (verdict, outputs) = flow(plan, context, events, (&root, needles, &jar), plan.inputs.clone()).await;
    events.tell(&root, EventKind::RunFinished { verdict });
    outputs
}

/// Runs a workflow with these inputs, below the path of the step that uses it.
pub(super) async fn flow(
    plan: &Plan,
    context: &Context,
    events: &Events,
    (prefix, needles, jar): (&Arc<str>, &Needles, &Jar),
    inputs: Resolved,
) -> (Verdict, Option<Outputs>) {
    let scope = Scope::new(needles.clone(), context.clock.clone());
    for (name, value) in inputs {
        scope.set_input(&name, value);
    }
    let (jar, prefix) = (jar.clone(), Arc::clone(prefix));
    let flowing = Flowing { plan, context, events, scope, origins: Arc::default(), jar, prefix };
    let mut verdict = match flowing.derive() {
        Ok(()) => flowing.steps().await,
        Err(failure) => flowing.fail_at_once(failure),
    };
    // Who interrupts the run does not interrupt its clean-up.
    let undisturbed = Context { cancel: Cancel::default(), ..context.clone() };
    let flowing = Flowing { context: &undisturbed, ..flowing };
    verdict = worse(verdict, flowing.finally().await);
    if verdict != Verdict::Passed {
        return (verdict, None);
    }
    match flowing.outputs() {
        Ok(outputs) => (verdict, Some(outputs)),
        Err(failure) => (flowing.fail_at_once(failure), None),
    }
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
        let places: HashMap<&str, usize> =
            steps.iter().enumerate().map(|(at, step)| (&*step.step(&self.plan.workflow).id, at)).collect();
        let (mut at, mut jumps) = (0, 0);
        while let Some(planned) = steps.get(at) {
            match self.interruptible(planned).await {
                Flow::Next => at += 1,
                Flow::Stop => return Verdict::Passed,
                Flow::Ended(verdict) => return verdict,
                Flow::Goto(id) if jumps < MAX_JUMPS => {
                    // The step that said it made sure that there is one.
                    at = places.get(id.as_str()).copied().unwrap_or(at + 1);
                    jumps += 1;
                }
                Flow::Goto(_) => {
                    let message =
                        format!("`next` jumped {MAX_JUMPS} times: this looks like a loop without end");
                    return self.fail_step(planned, message);
                }
            }
        }
        Verdict::Passed
    }

    /// Runs a step until it ends, or until somebody wants the run to stop. A workflow that is used
    /// is interrupted inside, since it has a `finally` of its own.
    async fn interruptible(&self, planned: &PlannedStep) -> Flow {
        let is_interrupted = self.context.cancel.is_cancelled();
        if !is_interrupted && matches!(planned.action, PlannedAction::Uses(_)) {
            return Box::pin(step::run(self, planned)).await;
        }
        tokio::select! {
            biased;
            () = self.context.cancel.cancelled() => {
                let span = planned.step(&self.plan.workflow).span;
                let diagnostic = Diagnostic::error("interrupted").at(&self.plan.workflow.source, span);
                self.tell_failed(planned, Failure { cause: Cause::Interrupted, diagnostic });
                Flow::Ended(Verdict::Errored)
            }
            flow = Box::pin(step::run(self, planned)) => flow,
        }
    }

    /// Runs `finally` whatever happened. A failure here fails the run, and hides nothing.
    async fn finally(&self) -> Verdict {
        let mut verdict = Verdict::Passed;
        for planned in &self.plan.finally {
            if let Some(name) = planned.needs.iter().find(|name| !self.scope.has(name)) {
                self.tell_skipped(
                    planned,
                    format!("`{name}` was never set: the step that sets it was not reached"),
                );
                continue;
            }
            if let Flow::Ended(ended) = Box::pin(step::run(self, planned)).await {
                verdict = worse(verdict, ended);
            }
        }
        verdict
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

    /// The path of a step: its id behind those of the steps that use its workflow.
    pub(super) fn path(&self, id: &Arc<str>) -> Arc<str> {
        if self.prefix.is_empty() { Arc::clone(id) } else { format!("{}/{id}", self.prefix).into() }
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
    pub(super) fn failure(&self, mut diagnostic: Diagnostic) -> Failure {
        let needles = &self.scope.needles;
        diagnostic.message = needles.scrub(&diagnostic.message);
        diagnostic.help = diagnostic.help.map(|help| needles.scrub(&help));
        diagnostic.notes = diagnostic.notes.iter().map(|note| needles.scrub(note)).collect();
        Failure { cause: Cause::CouldNotRun, diagnostic }
    }

    fn tell_skipped(&self, planned: &PlannedStep, why: String) {
        let step = planned.step(&self.plan.workflow);
        let path = self.path(&step.id);
        let mut outcome = self.outcome(step, &path);
        outcome.verdict = Verdict::Skipped;
        outcome.why_skipped = Some(why);
        self.events.tell(&path, EventKind::StepFinished(outcome));
    }

    fn tell_failed(&self, planned: &PlannedStep, failure: Failure) {
        let step = planned.step(&self.plan.workflow);
        let path = self.path(&step.id);
        let mut outcome = self.outcome(step, &path);
        outcome.verdict = Verdict::Errored;
        outcome.error = Some(failure);
        self.events.tell(&path, EventKind::StepFinished(outcome));
    }

    fn fail_step(&self, planned: &PlannedStep, message: String) -> Verdict {
        let step = planned.step(&self.plan.workflow);
        let diagnostic = Diagnostic::error(message).at(&self.plan.workflow.source, step.span);
        self.tell_failed(planned, self.failure(diagnostic));
        Verdict::Errored
    }

    /// A failure outside every step: of `vars` or of `outputs`.
    fn fail_at_once(&self, failure: Failure) -> Verdict {
        let place: Arc<str> = self.path(&Arc::clone(&self.plan.workflow.name));
        let outcome = StepOutcome {
            id: Arc::clone(&place),
            name: Arc::clone(&self.plan.workflow.name),
            verdict: Verdict::Errored,
            error: Some(failure),
            ..StepOutcome::default()
        };
        self.events.tell(&place, EventKind::StepFinished(outcome));
        Verdict::Errored
    }
}

/// What a caller gives by `with`, laid over the inputs that were resolved before.
pub(super) fn with_inputs(plan: &Plan, given: Vec<(Arc<str>, Marked<Value>)>) -> Resolved {
    let mut inputs = plan.inputs.clone();
    for (name, mut found) in given {
        let secret = plan.workflow.inputs.iter().any(|input| input.name.value == name && input.secret);
        if secret {
            found.marks.join(&Marks::secret(Arc::clone(&name)));
        }
        inputs.insert(name, found);
    }
    inputs
}

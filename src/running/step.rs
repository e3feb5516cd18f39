//! One step: a list of phases over one [`StepRun`] that always comes back whole.
//!
//! The order is the language's: when → before → render → auth → send (with retry) → extract →
//! after → expect. A failed expectation keeps what was extracted and is told before what
//! `extract` missed.

use std::sync::Arc;
use std::time::Instant;

use crate::document::plan::{Plan, PlannedAction, PlannedStep};
use crate::document::workflow::{Action, Step, Uses};
use crate::ground::diagnostic::{Diagnostic, Place, did_you_mean};
use crate::ground::secret::Marked;
use crate::ground::source::Span;
use crate::ground::value::Value;
use crate::parts::expect::{Check, Expectation, Tell};
use crate::parts::extract::Found;
use crate::parts::http::{RequestSpec, Response};
use crate::parts::scope::{Scope, StepRecord};
use crate::parts::script::{Ending, Script};
use crate::parts::select::Answer;
use crate::parts::template;
use crate::running::event::{Detail, EventKind};
use crate::running::flow::{self, Flowing, Outputs};
use crate::running::outcome::{Cause, Failure, StepOutcome, Verdict};
use crate::running::script::{self, Touched};
use crate::running::show;

/// How the workflow goes on after a step.
pub(super) enum Flow {
    /// With the next one.
    Next,
    /// With the step of this id.
    Goto(String),
    /// Not at all, and all is well.
    Stop,
    /// Not at all: this step did not pass.
    Ended(Verdict),
}

/// A step that is running.
pub(super) struct StepRun<'r> {
    pub(super) flowing: &'r Flowing<'r>,
    pub(super) planned: &'r PlannedStep,
    pub(super) step: &'r Step,
    pub(super) path: Arc<str>,
    pub(super) outcome: StepOutcome,
    response: Option<Arc<Response>>,
    outputs: Option<Arc<Outputs>>,
    failed: bool,
}

/// Runs a step.
pub(super) async fn run(flowing: &Flowing<'_>, planned: &PlannedStep) -> Flow {
    let step = planned.step(&flowing.plan.workflow);
    let path = flowing.path(&step.id);
    flowing.events.tell_at(Detail::Steps, &path, || EventKind::StepStarted { name: Arc::clone(&step.name) });
    let outcome = flowing.outcome(step, &path);
    let run = StepRun { flowing, planned, step, path, outcome, response: None, outputs: None, failed: false };
    run.run().await
}

impl<'r> StepRun<'r> {
    async fn run(mut self) -> Flow {
        let started = Instant::now();
        let flow = match self.phases().await {
            Ok(flow) => flow,
            Err(failure) => {
                self.outcome.error = Some(*failure);
                Flow::Next
            }
        };
        self.outcome.time = started.elapsed();
        self.finish(flow)
    }

    async fn phases(&mut self) -> Result<Flow, Box<Failure>> {
        if !self.when()? {
            self.skip("`when` is false");
            return Ok(Flow::Next);
        }
        match (&self.planned.action, &self.step.action) {
            (PlannedAction::Request(spec), _) => self.exchange(spec).await,
            (PlannedAction::Uses(plan), Action::Uses(uses)) => self.uses(plan, uses).await,
            (_, Action::Script(script)) => {
                let flow = self.script(script, None, self.flowing.scope.clone()).await?;
                Ok(flow.unwrap_or(Flow::Next))
            }
            // A plan's action is made from the step's own.
            _ => Ok(Flow::Next),
        }
    }

    fn when(&self) -> Result<bool, Box<Failure>> {
        let Some(when) = &self.step.when else { return Ok(true) };
        let found = when.value(&self.flowing.scope).map_err(|error| self.template_failure(&error))?;
        match found.value {
            Value::Bool(truth) => Ok(truth),
            Value::String(text) if &*text == "true" => Ok(true),
            Value::String(text) if &*text == "false" => Ok(false),
            other => {
                let shown = template::shown(&Marked::new(other.clone(), found.marks));
                let message = format!("`when` is neither true nor false, but {} {shown}", other.type_name());
                Err(self.failure(
                    Diagnostic::error(message)
                        .at(self.source(), when.span())
                        .help("compare it: `{{ x == 1 }}`, `{{ x is defined }}`"),
                ))
            }
        }
    }

    async fn exchange(&mut self, spec: &Arc<RequestSpec>) -> Result<Flow, Box<Failure>> {
        let mut touched = None;
        if let Some(before) = &self.step.before {
            let cell = Touched::new(spec, &self.flowing.scope);
            let flow = self.script(before, Some(&cell), self.flowing.scope.clone()).await?;
            if let Some(flow) = flow {
                return Ok(flow);
            }
            touched = cell.take().map_err(|error| self.template_failure(&error))?;
        }
        let response = Arc::new(self.send(spec, touched).await?);
        self.outcome.status = Some(response.status);
        self.response = Some(Arc::clone(&response));
        let answer = Answer::read(&response, &self.planned.yields);
        let scope = self.flowing.scope.with_response(&response);
        let missed = self.extract(&answer, &scope)?;
        self.tell_response(&response);
        self.tell_extracted();
        let mut flow = None;
        if let (Some(after), None) = (&self.step.after, &missed) {
            flow = self.script(after, None, scope.clone()).await?;
        }
        self.expect(&answer, &scope)?;
        match missed {
            Some(missed) => Err(missed),
            None => Ok(flow.unwrap_or(Flow::Next)),
        }
    }

    /// Sets what is extracted; gives back what was not found, which is told after `expect`.
    fn extract(&self, answer: &Answer, scope: &Scope) -> Result<Option<Box<Failure>>, Box<Failure>> {
        let mut missed: Option<Diagnostic> = None;
        for extract in &self.step.extract {
            match extract.run(answer, scope) {
                Ok(Found::Value(value)) => self.set(&extract.name.value, value, extract.name.span)?,
                Ok(Found::Kept) => {}
                Err(error) => {
                    let found = error.diagnostic(self.source());
                    missed = Some(match missed {
                        None => found,
                        Some(first) => first.note(format!("also: {}", found.message)),
                    });
                }
            }
        }
        Ok(missed.map(|diagnostic| self.failure(diagnostic)))
    }

    fn set(&self, name: &Arc<str>, value: Marked<Value>, span: Span) -> Result<(), Box<Failure>> {
        let set = self.flowing.scope.set(name, value);
        set.map_err(|error| {
            self.failure(Diagnostic::error(format!("`{name}`: {error}")).at(self.source(), span))
        })
    }

    fn tell_extracted(&self) {
        if !self.flowing.events.wants(Detail::Steps) {
            return;
        }
        for extract in &self.step.extract {
            let name = &extract.name.value;
            let Some(found) = self.flowing.scope.get(name) else { continue };
            let needles = &self.flowing.scope.needles;
            let clean = found.map(|value| needles.scrub_value(&value));
            let shown = needles.scrub(&template::shown(&clean));
            let shown = show::cut(&shown, 200);
            self.flowing.events.tell(&self.path, EventKind::ValueExtracted { name: Arc::clone(name), shown });
        }
    }

    /// Judges the answer; without `expect.status`, a status of 400 or more fails the step.
    fn expect(&mut self, answer: &Answer, scope: &Scope) -> Result<(), Box<Failure>> {
        let unasked = Expectation::none(self.span());
        let expect = self.step.expect.as_ref().unwrap_or(&unasked);
        let tell = if self.flowing.events.wants(Detail::Steps) { Tell::All } else { Tell::Failures };
        if let Some(check) = expect.check_status(answer.response(), tell) {
            self.judge(check, true);
        }
        let checks = expect.check_rest(answer, scope, tell).map_err(|error| self.template_failure(&error))?;
        for check in checks {
            self.judge(check, false);
        }
        Ok(())
    }

    /// Where the request stands: its URL.
    fn span(&self) -> Span {
        match &self.planned.action {
            PlannedAction::Request(spec) => spec.span(),
            PlannedAction::Uses(_) | PlannedAction::Script => self.step.span,
        }
    }

    /// Tells a check; one on the status may say that it was the credentials.
    fn judge(&mut self, check: Check, is_status: bool) {
        if !check.passed {
            self.failed = true;
            if is_status && self.response.as_deref().is_some_and(refuses_credentials) {
                self.outcome.cause = Some(Cause::Authentication);
            }
        }
        if !check.passed || self.flowing.events.wants(Detail::Steps) {
            self.flowing.events.tell(&self.path, EventKind::Checked(check));
        }
    }

    /// Runs a script; the flow is `None` where it lets the step go on.
    async fn script(
        &mut self,
        script: &Script,
        request: Option<&Arc<Touched>>,
        scope: Scope,
    ) -> Result<Option<Flow>, Box<Failure>> {
        let ran = script::run(self, script, request, scope).await.map_err(|error| self.failure(error))?;
        if let Some(touched) = request {
            touched.note(&ran.marks);
        }
        for checked in ran.checks {
            let span = self.span_of(checked.place.as_ref(), script);
            self.judge(Check::of_script(checked.name, checked.passed, span), false);
        }
        match ran.ending.map_err(|error| self.failure(error.into()))? {
            Ending::Done => Ok(None),
            Ending::Skip => {
                self.skip("its script said `skip()`");
                Ok(Some(Flow::Next))
            }
            Ending::Next(id) => {
                self.known(&id, ran.place)?;
                Ok(Some(Flow::Goto(id)))
            }
            Ending::Stop => Ok(Some(Flow::Stop)),
            Ending::Fail(why) => {
                let span = self.span_of(ran.place.as_ref(), script);
                self.judge(Check::of_fail(why, span), false);
                Ok(Some(Flow::Next))
            }
        }
    }

    /// `next` must name a step.
    fn known(&self, id: &str, place: Option<Place>) -> Result<(), Box<Failure>> {
        let workflow = &self.flowing.plan.workflow;
        if workflow.steps.iter().any(|step| &*step.id == id) {
            return Ok(());
        }
        let mut diagnostic = Diagnostic::error(format!("`next` names no step: there is no `{id}`"));
        diagnostic.place = place;
        let help = did_you_mean(id, workflow.steps.iter().map(|step| &*step.id));
        Err(self.failure(diagnostic.maybe_help(help)))
    }

    /// A place in this workflow; what stands in a script's own file is told at the step.
    fn span_of(&self, place: Option<&Place>, script: &Script) -> Span {
        let here = place.filter(|place| Arc::ptr_eq(&place.source, self.source()));
        here.map_or_else(|| script.span(), |place| place.span)
    }

    async fn uses(&mut self, plan: &Plan, uses: &Uses) -> Result<Flow, Box<Failure>> {
        let mut given = Vec::with_capacity(uses.with.len());
        for entry in &uses.with {
            let found =
                entry.tree.value(&self.flowing.scope).map_err(|error| self.template_failure(&error))?;
            given.push((Arc::clone(&entry.name.value), found));
        }
        let inputs = flow::with_inputs(plan, given);
        let outer = self.flowing;
        let running = flow::flow(
            plan,
            outer.context,
            outer.events,
            (&self.path, &outer.scope.needles, &outer.jar),
            inputs,
        );
        let (verdict, outputs) = Box::pin(running).await;
        self.outcome.verdict = verdict;
        self.outputs = Some(Arc::new(outputs.unwrap_or_default()));
        Ok(if verdict == Verdict::Passed { Flow::Next } else { Flow::Ended(verdict) })
    }

    fn skip(&mut self, why: &str) {
        self.outcome.verdict = Verdict::Skipped;
        self.outcome.why_skipped = Some(why.to_owned());
    }

    fn finish(mut self, flow: Flow) -> Flow {
        let ended = match (&mut self.outcome.error, self.failed) {
            (Some(error), true) => {
                // What could not be found after a failed check is a consequence of it.
                error.cause = error.cause.min(Cause::CheckFailed);
                Some(Verdict::Failed)
            }
            (None, true) => Some(Verdict::Failed),
            (Some(_), false) => Some(Verdict::Errored),
            (None, false) => None,
        };
        if let Some(verdict) = ended {
            self.outcome.verdict = verdict;
            self.outcome.answer =
                self.response.as_deref().map(|response| show::answer(response, &self.flowing.scope.needles));
        }
        let verdict = self.outcome.verdict;
        if self.flowing.plan.keeps_steps {
            let record =
                StepRecord { response: self.response, outputs: self.outputs, verdict: verdict.word() };
            self.flowing.scope.record_step(&self.step.id, record);
        }
        self.flowing.events.tell(&self.path, EventKind::StepFinished(self.outcome));
        match ended {
            Some(verdict) => Flow::Ended(verdict),
            None => flow,
        }
    }

    pub(super) fn source(&self) -> &'r Arc<crate::ground::source::Source> {
        &self.flowing.plan.workflow.source
    }

    pub(super) fn failure(&self, diagnostic: Diagnostic) -> Box<Failure> {
        let diagnostic = diagnostic.at_least_at(self.source(), self.step.span);
        Box::new(self.flowing.failure(diagnostic))
    }

    pub(super) fn template_failure(&self, error: &template::Error) -> Box<Failure> {
        self.failure(error.diagnostic(self.source()))
    }
}

/// A 401, a 407, or an OAuth error that says that the credentials are no good (RFC 6749, 5.2).
fn refuses_credentials(response: &Response) -> bool {
    const REFUSALS: [&str; 4] = ["invalid_grant", "invalid_client", "unauthorized_client", "access_denied"];
    if matches!(response.status, 401 | 407) {
        return true;
    }
    let error = response.json().ok().and_then(|json| json.get("error")).and_then(Value::as_str);
    error.is_some_and(|error| REFUSALS.contains(&error))
}

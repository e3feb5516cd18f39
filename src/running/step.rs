//! One step: a list of phases over one [`StepRun`] that always comes back whole.
//!
//! The order is the language's: when → before → render → auth → send (with retry) → extract →
//! after → expect. A failed expectation keeps what was extracted and is told before what
//! `extract` missed.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use indexmap::IndexMap;

use crate::document::plan::{PlannedAction, PlannedStep};
use crate::document::workflow::{Action, Step};
use crate::ground::diagnostic::{Diagnostic, Place, did_you_mean};
use crate::ground::secret::Marked;
use crate::ground::source::{Source, Span};
use crate::ground::value::Value;
use crate::parts::expect::{Check, Expectation, Tell};
use crate::parts::http::{RequestSpec, Response};
use crate::parts::repeat::MOST_GATHERED;
use crate::parts::scope::{Scope, StepRecord};
use crate::parts::script::{Ending, Script};
use crate::parts::select::Answer;
use crate::parts::template;
use crate::running::event::{Detail, EventKind};
use crate::running::flow::{Flowing, Outputs};
use crate::running::outcome::{Cause, Failure, StepOutcome, Verdict};
use crate::running::refusal::{self, Sent};
use crate::running::script::{self, Touched};

/// How the workflow goes on after a step.
pub(super) enum Flow {
    /// With the next one.
    Next,
    /// With the step of this id.
    Goto(String),
    /// Not at all, and all is well.
    Stop,
    /// With the next one, although this step did not pass.
    Continued(Verdict),
    /// Not at all: this step did not pass.
    Ended(Verdict),
}

/// What a step came to.
pub(super) struct Done {
    /// How the workflow goes on.
    pub(super) flow: Flow,
    /// What was extracted.
    pub(super) found: IndexMap<Arc<str>, Marked<Value>>,
}

impl From<Flow> for Done {
    fn from(flow: Flow) -> Self {
        Self { flow, found: IndexMap::new() }
    }
}

/// One pass of a step: all of it but what only the last pass is asked for.
pub(super) struct Pass {
    /// The answer and what sees it; `None` where nothing was sent.
    pub(super) answer: Option<(Answer, Scope)>,
    /// What `extract` did not find.
    pub(super) missed: Option<Box<Failure>>,
    flow: Option<Flow>,
    /// Whether `when` said that there is no such pass.
    pub(super) is_over: bool,
}

impl Pass {
    const fn without_answer(flow: Option<Flow>) -> Self {
        Self { answer: None, missed: None, flow, is_over: false }
    }

    /// Whether there is no pass after it, whatever `until` says.
    pub(super) fn is_last(&self, step: &StepRun<'_>) -> bool {
        self.is_over || step.failed || self.flow.is_some() || step.outcome.verdict == Verdict::Skipped
    }
}

/// A step that is running.
pub(super) struct StepRun<'r> {
    pub(super) flowing: &'r Flowing<'r>,
    pub(super) planned: &'r PlannedStep,
    pub(super) step: &'r Step,
    pub(super) path: Arc<str>,
    pub(super) scope: Scope,
    pub(super) outcome: StepOutcome,
    pub(super) found: IndexMap<Arc<str>, Marked<Value>>,
    /// What the scripts of this pass checked: judged only if it is the last.
    pub(super) awaiting: Vec<Check>,
    pub(super) response: Option<Arc<Response>>,
    /// Whether the secrets of the answer were learnt.
    pub(super) is_learnt: AtomicBool,
    pub(super) outputs: Option<Arc<Outputs>>,
    /// What went with a request that was refused.
    pub(super) sent: Sent,
    failed: bool,
    /// How much `collect` may still gather.
    pub(super) room: u64,
}

/// Runs a step; `turn` says for which element, where there are several.
pub(super) async fn run(
    flowing: &Flowing<'_>,
    planned: &PlannedStep,
    scope: Scope,
    turn: Option<usize>,
) -> Done {
    let step = &*planned.step;
    let path = flowing.path(&step.id, turn);
    let mut outcome = flowing.outcome(step, &path);
    if let Some(turn) = turn {
        outcome.name = format!("{} [{turn}]", step.name).into();
    }
    let name = Arc::clone(&outcome.name);
    flowing.events.tell_at(Detail::Steps, &path, || EventKind::StepStarted { name });
    let found = IndexMap::new();
    let mut run = StepRun {
        flowing,
        planned,
        step,
        path,
        scope,
        outcome,
        found,
        awaiting: Vec::new(),
        response: None,
        is_learnt: AtomicBool::new(false),
        outputs: None,
        sent: Sent::default(),
        failed: false,
        room: MOST_GATHERED,
    };
    let started = Instant::now();
    let flow = run.phases().await;
    run.outcome.time = started.elapsed();
    run.finish(flow)
}

impl<'r> StepRun<'r> {
    async fn phases(&mut self) -> Result<Flow, Box<Failure>> {
        if let Some(repeat) = &self.step.repeat {
            // Boxed, as all is that few steps do: the room of a step is that of its largest phase.
            return Box::pin(self.passes(repeat)).await;
        }
        let pass = self.pass().await?;
        self.conclude(pass).await
    }

    /// One pass of the step.
    pub(super) async fn pass(&mut self) -> Result<Pass, Box<Failure>> {
        self.outcome.script_redirects.clear();
        if !self.when()? {
            // What was repeated already was not skipped: it ends here.
            if self.outcome.passes < 2 {
                self.skip("`when` is false");
            }
            return Ok(Pass { is_over: true, ..Pass::without_answer(None) });
        }
        match (&self.planned.action, &self.step.action) {
            (PlannedAction::Request(spec), _) => self.exchange(spec).await,
            (PlannedAction::Uses(plan), Action::Uses(uses)) => {
                self.uses(plan, uses).await.map(Pass::without_answer)
            }
            (PlannedAction::Parallel(steps), _) => self.parallel(steps).await.map(Pass::without_answer),
            (_, Action::Script(script)) => {
                self.script(script, None, self.scope.clone()).await.map(Pass::without_answer)
            }
            // A plan's action is made from the step's own.
            _ => Ok(Pass::without_answer(None)),
        }
    }

    /// Judges what only the last pass is asked for.
    pub(super) async fn conclude(&mut self, pass: Pass) -> Result<Flow, Box<Failure>> {
        for check in std::mem::take(&mut self.awaiting) {
            self.judge(check, false);
        }
        if let Some((answer, scope)) = pass.answer {
            if self.step.repeat.is_some() {
                self.tell_extracted();
            }
            let keys = self.fetch_keys(&scope).await;
            self.expect(&answer, &scope)?;
            keys?;
        }
        match pass.missed {
            Some(missed) => Err(missed),
            None => Ok(pass.flow.unwrap_or(Flow::Next)),
        }
    }

    fn when(&self) -> Result<bool, Box<Failure>> {
        let Some(when) = &self.step.when else { return Ok(true) };
        when.holds(&self.scope).map_err(|error| self.template_failure(&error))
    }

    async fn exchange(&mut self, spec: &Arc<RequestSpec>) -> Result<Pass, Box<Failure>> {
        let mut touched = None;
        if let Some(before) = &self.step.before {
            let cell = Touched::new(spec, &self.scope);
            let flow = self.script(before, Some(&cell), self.scope.clone()).await?;
            if flow.is_some() {
                return Ok(Pass::without_answer(flow));
            }
            touched = cell.take().map_err(|error| self.template_failure(&error))?.map(Box::new);
        }
        let response = Arc::new(self.send(spec, touched).await?);
        self.outcome.status = Some(response.status);
        self.response = Some(Arc::clone(&response));
        self.is_learnt = AtomicBool::new(false);
        let answer = Answer::read(&response, &self.planned.yields);
        let scope = self.scope.with_response(&response);
        let missed = self.extract(&answer, &scope)?;
        // What nobody extracted may come back in a later answer all the same.
        self.learn_unasked();
        self.tell_response(&response);
        if self.step.repeat.is_none() {
            self.tell_extracted();
        }
        let mut flow = None;
        // A pass that is not the last may miss what it looks for.
        if let Some(after) =
            self.step.after.as_ref().filter(|_| missed.is_none() || self.step.repeat.is_some())
        {
            flow = self.script(after, None, scope.clone()).await?;
        }
        self.expect_status(&response);
        Ok(Pass { answer: Some((answer, scope)), missed, flow, is_over: false })
    }

    /// Judges the status; without `expect.status`, one of 400 or more fails the step.
    fn expect_status(&mut self, response: &Response) {
        let unasked = Expectation::none(self.span());
        let expect = self.step.expect.as_ref().unwrap_or(&unasked);
        if let Some(check) = expect.check_status(response, self.telling()) {
            self.judge(check, true);
        }
    }

    /// Judges the rest of the answer.
    fn expect(&mut self, answer: &Answer, scope: &Scope) -> Result<(), Box<Failure>> {
        let unasked = Expectation::none(self.span());
        let expect = self.step.expect.as_ref().unwrap_or(&unasked);
        if let PlannedAction::Request(spec) = &self.planned.action
            && let Some(span) = spec.graphql()
            && let Some(check) = expect.check_graphql(answer.response(), &scope.needles, span)
        {
            self.judge(check, false);
        }
        let checks = expect
            .check_rest(answer, scope, self.telling())
            .map_err(|error| self.template_failure(&error))?;
        for check in checks {
            self.judge(check, false);
        }
        Ok(())
    }

    fn telling(&self) -> Tell {
        if self.flowing.events.wants(Detail::Steps) { Tell::All } else { Tell::Failures }
    }

    /// Where the request stands: its URL.
    fn span(&self) -> Span {
        match &self.planned.action {
            PlannedAction::Request(spec) => spec.span(),
            _ => self.step.span,
        }
    }

    /// Judges a script's check; in a `repeat` only where the pass turns out to be the last.
    fn judge_later(&mut self, check: Check) {
        if self.step.repeat.is_some() {
            self.awaiting.push(check);
        } else {
            self.judge(check, false);
        }
    }

    /// Tells a check; one on the status may say that it was the credentials.
    pub(super) fn judge(&mut self, mut check: Check, is_status: bool) {
        if !check.passed {
            self.learn_answer();
            let needles = &self.scope.needles;
            for text in [&mut check.what, &mut check.expected, &mut check.actual] {
                *text = needles.scrub(text);
            }
            self.failed = true;
            self.outcome.is_refused |= is_status;
            if is_status && self.response.as_deref().is_some_and(refusal::is_of_credentials) {
                self.outcome.cause = Some(Cause::Authentication);
            }
        }
        if !check.passed || self.flowing.events.wants(Detail::Steps) {
            self.flowing.events.tell(&self.path, EventKind::Checked(check.into()));
        }
    }

    /// Runs a script; the flow is `None` where it lets the step go on.
    async fn script(
        &mut self,
        script: &Script,
        request: Option<&Arc<Touched>>,
        scope: Scope,
    ) -> Result<Option<Flow>, Box<Failure>> {
        let ran = script::run(self, script, request, scope).await;
        let (ran, followed) = ran.map_err(|error| self.failure(error))?;
        self.outcome.script_redirects.extend(followed);
        if let Some(touched) = request {
            touched.note(&ran.marks);
        }
        for checked in ran.checks {
            let span = self.span_of(checked.place.as_ref(), script);
            self.judge_later(Check::of_script(checked.name, checked.passed, span));
        }
        let ending = ran.ending.map_err(|error| {
            self.learn_answer();
            self.failure(error.into())
        });
        match ending? {
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

    fn skip(&mut self, why: &str) {
        self.outcome.verdict = Verdict::Skipped;
        self.outcome.why_skipped = Some(why.to_owned());
    }

    fn finish(mut self, flow: Result<Flow, Box<Failure>>) -> Done {
        let flow = flow.unwrap_or_else(|failure| {
            self.outcome.error = Some(*failure);
            Flow::Next
        });
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
            self.explain();
        }
        self.record(self.outcome.verdict);
        let flow = match (ended, flow) {
            (Some(verdict), _) | (None, Flow::Ended(verdict)) if self.step.continue_on_failure => {
                Flow::Continued(verdict)
            }
            (Some(verdict), _) => Flow::Ended(verdict),
            (None, flow) => flow,
        };
        self.flowing.events.tell(&self.path, EventKind::StepFinished(self.outcome.into()));
        Done { flow, found: self.found }
    }

    /// Leaves behind what `steps.<id>` reads, where anybody reads it.
    pub(super) fn record(&self, verdict: Verdict) {
        if self.flowing.plan.keeps_steps {
            let (response, outputs) = (self.response.clone(), self.outputs.clone());
            let record = StepRecord { response, outputs, verdict: verdict.word() };
            self.scope.record_step(&self.step.id, record);
        }
    }

    pub(super) fn source(&self) -> &'r Arc<Source> {
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

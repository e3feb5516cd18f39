//! A run in which nothing is sent, no script is run and no command: each step is told with what it
//! would send, as far as that is known before the first answer.
//!
//! It walks the plan in the order of the text. What a step extracts, or its scripts set, has a name
//! from then on and no value.

use std::sync::Arc;
use std::time::Instant;

use crate::document::inputs::Resolved;
use crate::document::plan::{Need, Plan, PlannedAction, PlannedStep};
use crate::document::workflow::{Action, Step, Uses, Workflow};
use crate::parts::http::RequestSpec;
use crate::parts::http::spec::Sketch;
use crate::parts::scope::Scope;
use crate::parts::script::Script;
use crate::parts::template::{Error, Mention, Sketched, Sketcher, Unknown};
use crate::running::context::Context;
use crate::running::event::{Event, EventKind, RequestText};
use crate::running::flow;
use crate::running::outcome::{Finished, Folding, StepOutcome, Verdict};

/// Tells what a plan would do. Every step is skipped; always passes.
pub(super) fn run(plan: &Plan, context: &Context, sink: &mut dyn FnMut(&Event)) -> Finished {
    let needles = context.needles.child();
    let mut telling = Telling { sink, sequence: 0, folding: Folding::default(), started: Instant::now() };
    let root: Arc<str> = "".into();
    telling.tell(&root, EventKind::started(&plan.workflow));
    let scope = flow::scope(plan, context, &needles, plan.inputs.clone());
    let mut walk = Walk { plan, context, scope, unknown: Unknown::default(), prefix: String::new() };
    walk.begin(&plan.inputs, &mut telling);
    walk.steps(&mut telling);
    telling.tell(&root, EventKind::RunFinished { verdict: Verdict::Passed });
    Finished { outcome: telling.folding.outcome, needles, ..Finished::default() }
}

/// Where it is told.
struct Telling<'t> {
    sink: &'t mut dyn FnMut(&Event),
    sequence: u64,
    folding: Folding,
    started: Instant,
}

impl Telling<'_> {
    fn tell(&mut self, path: &Arc<str>, kind: EventKind) {
        let event =
            Event { seq: self.sequence, path: Arc::clone(path), elapsed: self.started.elapsed(), kind };
        self.sequence += 1;
        self.folding.add(&event);
        (self.sink)(&event);
    }
}

/// A workflow that is walked through.
struct Walk<'w> {
    plan: &'w Plan,
    context: &'w Context,
    scope: Scope,
    unknown: Unknown,
    /// The path of the step that uses it, and a slash.
    prefix: String,
}

impl<'w> Walk<'w> {
    /// Sets `vars`; what has no value yet is noted.
    fn begin(&mut self, inputs: &Resolved, telling: &mut Telling<'_>) {
        let path = self.prefix.trim_end_matches('/').into();
        self.context.warn_of_short(inputs, |warning| telling.tell(&path, warning));
        let workflow = &self.plan.workflow;
        for input in &workflow.inputs {
            if !self.scope.has(&input.name.value) {
                self.unknown.add(&input.name.value);
            }
        }
        for var in &workflow.vars {
            let name = &var.name.value;
            match self.known(|visit| var.tree.reads(visit)).then(|| var.tree.value(&self.scope)) {
                // A var cannot have the name of an input: reading the workflow made sure of it.
                Some(Ok(found)) => drop(self.scope.set(name, found)),
                None => self.unknown.add(name),
                Some(Err(error)) => {
                    self.unknown.add(name);
                    self.warn(&path, &unevaluated(&format!("`{name}`"), &error), telling);
                }
            }
        }
    }

    /// Whether all that is read has a value.
    fn known(&self, reads: impl FnOnce(&mut dyn FnMut(Mention<'_>))) -> bool {
        let mut known = true;
        reads(&mut |mention| {
            let name = mention.name();
            known &= !self.unknown.has(name) && !matches!(name, "steps" | "response" | "loop");
        });
        known
    }

    fn steps(&mut self, telling: &mut Telling<'_>) {
        let plan = self.plan;
        for planned in plan.steps.iter() {
            self.step(planned, Vec::new(), telling);
        }
        for planned in plan.finally.iter() {
            let is_set = |name: &Arc<str>| self.scope.has(name) || self.unknown.has(name) || self.unknown.any;
            let lacking = planned.needs.iter().find_map(|need| match need {
                Need::Variable(name) => (!is_set(name)).then_some(name),
                Need::Output(..) => None,
            });
            match lacking {
                Some(name) => {
                    let why = format!("`{name}` would never be set: the step that sets it is left out");
                    self.finish(planned, Some(why), telling);
                }
                None => self.step(planned, vec!["whatever happened before".to_owned()], telling),
            }
        }
    }

    fn step(&mut self, planned: &'w PlannedStep, mut notes: Vec<String>, telling: &mut Telling<'_>) {
        let step = &*planned.step;
        let before = self.unknown.clone();
        let mut problems = Vec::new();
        self.notes_before(step, &mut notes, &mut problems);
        if let Some(each) = &step.for_each {
            self.unknown.add(&each.name.value);
        }
        self.assigned(step.before.as_ref());
        let request = match &planned.action {
            PlannedAction::Request(spec) => Some(self.request(spec, &mut notes, &mut problems)),
            _ => None,
        };
        notes_of_action(step, &mut notes);
        let needles = &self.scope.needles;
        let notes = notes.iter().map(|note| needles.scrub(note)).collect();
        let path = self.path(step);
        telling.tell(&path, EventKind::StepStarted { name: Arc::clone(&step.name) });
        telling.tell(&path, EventKind::StepPlanned { notes, request: request.map(Box::new) });
        for problem in problems {
            self.warn(&path, &problem, telling);
        }
        self.inside(planned, &path, telling);
        self.finish(planned, Some("a dry run: nothing is sent".to_owned()), telling);
        self.unknown = before;
        self.set_by(step);
    }

    /// The steps inside, of a workflow that is used too.
    fn inside(&mut self, planned: &'w PlannedStep, path: &Arc<str>, telling: &mut Telling<'_>) {
        match (&planned.action, &planned.step.action) {
            (PlannedAction::Parallel(steps), _) => {
                // They do not see what the others set.
                let before = self.unknown.clone();
                for inner in steps {
                    self.unknown.clone_from(&before);
                    self.step(inner, Vec::new(), telling);
                }
            }
            (PlannedAction::Uses(plan), Action::Uses(uses)) => self.uses(plan, uses, path, telling),
            _ => {}
        }
    }

    fn uses(&self, plan: &Plan, uses: &Uses, path: &Arc<str>, telling: &mut Telling<'_>) {
        let prefix = format!("{path}/");
        let (mut given, mut unknown) = (Vec::new(), Unknown::default());
        for entry in &uses.with {
            let name = &entry.name.value;
            let found = self.known(|visit| entry.tree.reads(visit)).then(|| entry.tree.value(&self.scope));
            let input = plan.workflow.inputs.iter().find(|input| input.name.value == *name);
            let taken = match (input, found) {
                (Some(input), Some(Ok(found))) => {
                    input.take(found).map(Some).map_err(|why| format!("the input `{name}` {why}"))
                }
                (_, Some(Err(error))) => Err(unevaluated(&format!("`{name}`"), &error)),
                _ => Ok(None),
            };
            match taken {
                Ok(Some(found)) => given.push((Arc::clone(name), found)),
                Ok(None) => unknown.add(name),
                Err(problem) => {
                    unknown.add(name);
                    self.warn(path, &problem, telling);
                }
            }
        }
        let mut inputs = plan.inputs.clone();
        inputs.extend(given);
        let scope = flow::scope(plan, self.context, &self.scope.needles, inputs.clone());
        let mut walk = Walk { plan, context: self.context, scope, unknown, prefix };
        walk.begin(&inputs, telling);
        walk.steps(telling);
    }

    /// What decides whether, and how often, the step runs.
    fn notes_before(&self, step: &Step, notes: &mut Vec<String>, problems: &mut Vec<String>) {
        if let Some(each) = &step.for_each {
            let elements = self.known(|visit| each.reads(visit)).then(|| each.elements(&self.scope));
            let name = &each.name.value;
            notes.push(match &elements {
                Some(Ok(elements)) if elements.len() == 1 => format!("for each {name} in 1 element"),
                Some(Ok(elements)) => format!("for each {name} in {} elements", elements.len()),
                Some(Err(_)) | None => format!("for each {name} in {}", one_line(&each.written())),
            });
            problems.extend(elements.and_then(Result::err).map(|error| unevaluated("`for_each`", &error)));
        }
        if let Some(when) = &step.when {
            notes.push(format!("when {}", one_line(&when.to_string())));
        }
        if let Some(repeat) = &step.repeat {
            notes.push(one_line(&repeat.to_string()));
        }
        if step.before.is_some() {
            notes.push("runs a script first: what it changes is not shown".to_owned());
        }
    }

    fn request(
        &self,
        spec: &RequestSpec,
        notes: &mut Vec<String>,
        problems: &mut Vec<String>,
    ) -> RequestText {
        let sketcher = Sketcher::new(&self.scope, &self.unknown);
        let sketch = spec.sketch(&sketcher);
        notes.extend(sketch.note.map(str::to_owned));
        let needles = &self.scope.needles;
        let curl = self.context.curl.then(|| {
            let mut known = self.scope.secrets();
            known.extend(spec.secrets(&self.scope));
            sketch.command(needles, &known)
        });
        let shown = |pieces: &Vec<Sketched>| Sketch::shown(pieces, needles);
        let text = RequestText {
            method: sketch.method.to_string(),
            url: shown(&sketch.url),
            headers: sketch.headers.iter().map(|(name, value)| (name.clone(), shown(value))).collect(),
            body: sketch.body.as_ref().map(|body| shown(&body.pieces)),
            curl,
        };
        problems.extend(sketcher.problems().iter().map(|error| unevaluated("this", error)));
        text
    }

    fn warn(&self, path: &Arc<str>, problem: &str, telling: &mut Telling<'_>) {
        let message = self.scope.needles.scrub(problem);
        telling.tell(path, EventKind::Warned { message });
    }

    fn finish(&self, planned: &PlannedStep, why: Option<String>, telling: &mut Telling<'_>) {
        let step = &planned.step;
        let path = self.path(step);
        let outcome = StepOutcome {
            id: Arc::clone(&path),
            name: Arc::clone(&step.name),
            source: Some(Arc::clone(&self.plan.workflow.source)),
            verdict: Verdict::Skipped,
            why_skipped: why,
            ..StepOutcome::default()
        };
        telling.tell(&path, EventKind::StepFinished(outcome.into()));
    }

    /// What the step sets has no value from now on.
    fn set_by(&mut self, step: &Step) {
        for step in step.family() {
            step.extract.iter().for_each(|extract| self.unknown.add(&extract.name.value));
            step.scripts().for_each(|script| self.assigned(Some(script)));
        }
    }

    fn assigned(&mut self, script: Option<&Script>) {
        let Some(script) = script else { return };
        script.assigns().iter().for_each(|name| self.unknown.add(name));
        self.unknown.any |= script.reads_all();
    }

    fn path(&self, step: &Step) -> Arc<str> {
        format!("{}{}", self.prefix, step.id).into()
    }
}

/// What the step does where it sends no request of its own, and what follows it.
fn notes_of_action(step: &Step, notes: &mut Vec<String>) {
    let uses = |workflow: &Workflow| format!("uses {}", workflow.source.name());
    match &step.action {
        Action::Request(_) => {}
        Action::Uses(with) => notes.push(uses(&with.workflow)),
        Action::Script(_) => notes.push("runs a script: what it sends and sets is not shown".to_owned()),
        Action::Parallel(steps) => notes.push(format!("{} steps at once", steps.len())),
    }
    if step.after.is_some() {
        notes.push("runs a script afterwards".to_owned());
    }
}

/// What a run would fail of.
fn unevaluated(what: &str, error: &Error) -> String {
    format!("{what} cannot be evaluated: {}", error.message)
}

/// A text of the workflow in one line.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

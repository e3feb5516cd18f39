//! Every name that is read must be set by somebody, and early enough.
//!
//! The steps are gone through in their order, with the names that can be set by then. Where a
//! script jumps, any step may have run before any other, and only names that nobody sets are told.

use std::sync::Arc;

use crate::document::workflow::check::written::Written;
use crate::document::workflow::check::{HashMap, HashSet};
use crate::document::workflow::model::{Action, Step, Workflow};
use crate::ground::diagnostic::{Diagnostic, did_you_mean};
use crate::ground::read::Reading;
use crate::ground::source::Span;
use crate::parts::scope::RESERVED;
use crate::parts::script::Script;
use crate::parts::template::{Mention, name_elsewhere};

/// What `steps.<id>` has.
const MEMBERS: [&str; 9] =
    ["status", "headers", "json", "body", "time_ms", "url", "cookies", "outputs", "verdict"];

/// The names of a workflow, and who sets them.
pub(super) struct Names<'w> {
    workflow: &'w Workflow,
    reading: &'w Reading,
    lost: Written,
    /// The first step that sets a name.
    setters: HashMap<&'w str, &'w Step>,
    steps: HashMap<&'w str, &'w Step>,
}

/// What is known at one place of the workflow.
#[derive(Clone, Default)]
struct Known<'w> {
    names: HashSet<&'w str>,
    /// The steps that have run by then.
    ran: HashSet<&'w str>,
    /// The steps that run at the same time.
    beside: HashSet<&'w str>,
    looped: bool,
    /// Whether it is a script that reads.
    scripted: bool,
}

impl Known<'_> {
    /// How to read a name that may not be set.
    fn cautiously(&self, name: &str) -> String {
        if self.scripted {
            format!("ask first: `if vars.has(\"{name}\") {{ … }}`")
        } else {
            format!("say `{{{{ {name} | default('') }}}}`")
        }
    }
}

impl<'w> Names<'w> {
    pub(super) fn new(workflow: &'w Workflow, mut lost: Written, reading: &'w Reading) -> Self {
        for var in &workflow.vars {
            lost.names.remove(&*var.name.value);
        }
        let mut setters = HashMap::default();
        for step in workflow.all_steps() {
            for name in step.sets() {
                setters.entry(name).or_insert(step);
            }
        }
        for name in setters.keys() {
            lost.names.remove(*name);
        }
        let steps = workflow.all_steps().map(|step| (&*step.id, step)).collect();
        Self { workflow, reading, lost, setters, steps }
    }

    pub(super) fn check(&self) {
        let workflow = self.workflow;
        let mut known = Known::default();
        known.names.extend(workflow.inputs.iter().map(|input| &*input.name.value));
        for var in &workflow.vars {
            var.tree.reads(&mut |mention| {
                self.refuse(mention, &known, None);
                self.refuse_response(mention);
            });
            known.names.insert(&var.name.value);
        }
        if workflow.jumps() {
            self.everything(&mut known);
        }
        for step in &workflow.steps {
            self.step(step, &mut known);
        }
        self.everything(&mut known);
        for step in &workflow.finally {
            self.step(step, &mut known);
        }
        workflow.defaults.reads(&mut |mention| {
            self.refuse(mention, &Known { looped: true, ..known.clone() }, None);
            self.refuse_response(mention);
        });
        for output in workflow.outputs.iter().flatten() {
            output.tree.reads(&mut |mention| {
                self.refuse(mention, &known, None);
                self.refuse_response(mention);
            });
        }
    }

    /// All that the steps set may be there.
    fn everything(&self, known: &mut Known<'w>) {
        known.names.extend(self.setters.keys());
        known.ran.extend(self.steps.keys());
    }

    fn step(&self, step: &'w Step, known: &mut Known<'w>) {
        if self.reading.is_full() {
            return;
        }
        let around = known.looped;
        if let Some(each) = &step.for_each {
            each.reads(&mut |mention| self.refuse(mention, known, Some(step)));
        }
        known.looped |= step.for_each.is_some() || step.repeat.is_some();
        self.before_answer(step, known);
        self.after_answer(step, known);
        known.looped = around;
        known.ran.insert(&step.id);
    }

    fn before_answer(&self, step: &'w Step, known: &mut Known<'w>) {
        if let Some(when) = &step.when {
            when.reads(&mut |mention| {
                self.refuse(mention, known, Some(step));
                self.refuse_response(mention);
            });
        }
        step.before.iter().for_each(|script| self.script(script, known, step));
        step.reads_of_action(&mut |mention| {
            self.refuse(mention, known, Some(step));
            self.refuse_response(mention);
        });
        if let Action::Parallel(steps) = &step.action {
            self.at_once(steps, known);
        }
    }

    /// What a script sets, it may read too: which comes first is its own affair.
    fn script(&self, script: &'w Script, known: &mut Known<'w>, step: &'w Step) {
        known.names.extend(script.assigns());
        known.scripted = true;
        for (name, span) in script.reads() {
            let mention = Mention { path: &name, span, guarded: false };
            self.refuse_in_script(mention, known, step);
        }
        for (id, span) in script.steps_read() {
            let path = format!("steps.{id}");
            self.refuse_step(Mention { path: &path, span, guarded: false }, known);
        }
        known.scripted = false;
    }

    /// In scripts, the words of templates are names like any other.
    fn refuse_in_script(&self, mention: Mention<'_>, known: &Known<'w>, step: &'w Step) {
        if !RESERVED.contains(&mention.path) {
            self.refuse(mention, known, Some(step));
        }
    }

    fn after_answer(&self, step: &'w Step, known: &mut Known<'w>) {
        for extract in &step.extract {
            extract.reads(&mut |mention| self.refuse(mention, known, Some(step)));
            known.names.insert(&extract.name.value);
        }
        step.after.iter().chain(step.action.script()).for_each(|script| self.script(script, known, step));
        if let Some(expect) = &step.expect {
            expect.reads(&mut |mention| self.refuse(mention, known, Some(step)));
        }
        if let Some(repeat) = &step.repeat {
            known.ran.insert(&step.id);
            repeat.reads(&mut |mention| {
                self.refuse(mention, known, Some(step));
                if !matches!(step.action, Action::Request(_)) {
                    self.refuse_response(mention);
                }
            });
        }
    }

    fn at_once(&self, steps: &'w [Arc<Step>], known: &mut Known<'w>) {
        let ids: HashSet<&str> = steps.iter().flat_map(|step| step.family()).map(|step| &*step.id).collect();
        let before = Known { beside: ids, ..known.clone() };
        for step in steps {
            self.step(step, &mut before.clone());
        }
        for step in steps.iter().flat_map(|step| step.family()) {
            known.names.extend(step.sets());
            known.ran.insert(&step.id);
        }
    }

    /// Tells a name that nobody sets, or that nobody has set by then.
    fn refuse(&self, mention: Mention<'_>, known: &Known<'w>, step: Option<&'w Step>) {
        let name = mention.name();
        if self.reading.is_full() || known.names.contains(name) || self.lost.names.contains(name) {
            return;
        }
        if step.is_some_and(|step| step.in_loops(name)) {
            return;
        }
        match name {
            "steps" => self.refuse_step(mention, known),
            "loop" if !known.looped => {
                let help = "`loop.index` counts the turns of `for_each` and `repeat`";
                self.reading.error_with(mention.span, "there is no loop here", help);
            }
            name if RESERVED.contains(&name) || mention.guarded => {}
            name => self.undefined(name, mention.span, known, step),
        }
    }

    fn undefined(&self, name: &str, span: Span, known: &Known<'w>, step: Option<&'w Step>) {
        let (message, help) = match self.setters.get(name) {
            Some(setter) if step.is_some_and(|step| std::ptr::eq(step, *setter)) => (
                format!("`{name}` is not set yet: this step sets it itself, after its answer"),
                format!("give it a first value under `vars`, or {}", known.cautiously(name)),
            ),
            Some(setter) if known.beside.contains(&*setter.id) => (
                format!("`{name}` is set by the step `{}`, which runs at the same time", setter.id),
                "steps in `parallel` do not see each other: read it in a later step".to_owned(),
            ),
            Some(setter) if step.is_some() => {
                let line = self.line(setter.span);
                (
                    format!("`{name}` is not set yet: the step `{}` in line {line} sets it later", setter.id),
                    format!("move this behind it, or {}", known.cautiously(name)),
                )
            }
            Some(setter) => (
                format!(
                    "`{name}` is not set yet: `vars` are derived before the step `{}` sets it",
                    setter.id
                ),
                format!("derive it there: `extract: {{ {name}: \"{{{{ … }}}}\" }}`"),
            ),
            None => return self.nobody(name, span, known),
        };
        self.reading.error_with(span, message, help);
    }

    /// Nobody sets it at all, or a var further down does.
    fn nobody(&self, name: &str, span: Span, known: &Known<'w>) {
        if let Some(var) = self.workflow.vars.iter().find(|var| &*var.name.value == name) {
            let line = self.line(var.name.span);
            let message = format!("`{name}` is not set yet: it is derived later, in line {line}");
            return self.reading.error_with(span, message, "`vars` are derived in their order: move it up");
        }
        let problem = Diagnostic::error(format!("`{name}` is not defined")).at(&self.reading.source, span);
        let names = known.names.iter().chain(self.setters.keys()).copied();
        let of_step = self.steps.contains_key(name).then(|| {
            format!("the answer of that step is `steps.{name}`; what it extracts is a variable of its own")
        });
        let help = of_step
            .or_else(|| name_elsewhere(name).map(str::to_owned))
            .or_else(|| did_you_mean(name, names))
            .unwrap_or_else(|| {
                "declare it under `inputs` or `vars`, or extract it in an earlier step".to_owned()
            });
        self.reading.report(problem.help(help));
    }

    /// `steps.<id>` must name a step that has run.
    fn refuse_step(&self, mention: Mention<'_>, known: &Known<'w>) {
        let mut names = mention.path.split('.').skip(1);
        let Some(id) = names.next() else { return };
        let Some(step) = self.steps.get(id) else {
            if !self.lost.ids.contains(id) {
                self.no_step(id, mention.span);
            }
            return;
        };
        if known.beside.contains(id) && !known.ran.contains(id) {
            let message = format!("the step `{id}` runs at the same time");
            let help = "steps in `parallel` do not see each other: read it in a later step";
            self.reading.error_with(mention.span, message, help);
        } else if !known.ran.contains(id) && !mention.guarded {
            let line = self.line(step.span);
            let message = format!("the step `{id}` has not run yet: it stands in line {line}");
            self.reading.error_with(mention.span, message, "move this behind it");
        } else {
            self.refuse_member(step, names, mention.span);
        }
    }

    fn refuse_member<'p>(&self, step: &Step, mut names: impl Iterator<Item = &'p str>, span: Span) {
        let Some(member) = names.next() else { return };
        let refuse = |message: String, known: &[&str]| {
            let help = did_you_mean(member, known.iter().copied());
            let help = help.unwrap_or_else(|| format!("there are {}", known.join(", ")));
            self.reading.error_with(span, message, help);
        };
        if !MEMBERS.contains(&member) {
            let message = format!("`steps.{}` has no `{member}`", step.id);
            return match member_elsewhere(step, member) {
                Some(help) => self.reading.error_with(span, message, help),
                None => refuse(message, &MEMBERS),
            };
        }
        let (Action::Uses(uses), "outputs", Some(name)) = (&step.action, member, names.next()) else {
            return;
        };
        let outputs: Vec<&str> = uses.workflow.output_names().collect();
        if !outputs.contains(&name) {
            let message = format!("`{}` has no output `{name}`", uses.workflow.name);
            let help = did_you_mean(name, outputs.iter().copied());
            let list = match outputs.as_slice() {
                [] => "it has none".to_owned(),
                names => format!("its outputs are {}", names.join(", ")),
            };
            self.reading.error_with(span, message, help.unwrap_or(list));
        }
    }

    fn no_step(&self, id: &str, span: Span) {
        let ids: Vec<&str> = self.workflow.all_steps().take(20).map(|step| &*step.id).collect();
        let help =
            did_you_mean(id, ids.iter().copied()).unwrap_or_else(|| format!("there are {}", ids.join(", ")));
        self.reading.error_with(span, format!("there is no step `{id}`"), help);
    }

    /// There is no answer before a request was sent.
    fn refuse_response(&self, mention: Mention<'_>) {
        if mention.name() == "response" {
            let help = "`expect` and `extract` see it; the answer of an earlier step is `steps.<id>`";
            self.reading.error_with(mention.span, "there is no `response` here", help);
        }
    }

    fn line(&self, span: Span) -> usize {
        self.reading.source.position(span.start as usize).line
    }
}

/// What to write in place of a member of a step that it does not have.
fn member_elsewhere(step: &Step, member: &str) -> Option<String> {
    let id = &step.id;
    match member {
        "response" | "res" => Some(format!("leave it out: `steps.{id}.json`, `steps.{id}.status`")),
        "data" | "result" | "text" => {
            Some(format!("write `steps.{id}.json`, or `steps.{id}.body` for its text"))
        }
        "extract" | "vars" | "variables" => Some("an extracted value stands alone: `{{ name }}`".to_owned()),
        "passed" | "failed" | "skipped" | "conclusion" | "outcome" => {
            Some(format!("write `steps.{id}.verdict == 'passed'`"))
        }
        name if step.sets().any(|set| set == name) => {
            Some(format!("the step sets a variable of that name: write `{{{{ {name} }}}}`"))
        }
        _ => None,
    }
}

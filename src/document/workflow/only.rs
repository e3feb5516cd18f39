//! `--only`: a workflow cut down to some steps and those whose values they need.
//!
//! What is cut is the workflow itself, so that all that is made of it follows: which inputs are
//! asked for, what is kept for `steps.<id>`, what is told. What was left out is remembered, since
//! a step of `finally` that needs a value of it is to be skipped.

use std::collections::HashSet;
use std::sync::Arc;

use crate::document::workflow::model::{Step, Variable, Workflow};
use crate::document::workflow::reads::Names;
use crate::ground::diagnostic::{Diagnostic, did_you_mean};
use crate::parts::script::Script;
use crate::parts::template::Mention;

/// What a step needs of the steps before it.
#[derive(Default)]
struct Needs {
    names: Names,
    ids: HashSet<Box<str>>,
    /// `steps` is read by a computed name: any step may be meant.
    any_step: bool,
}

impl Workflow {
    /// The ids of its steps, `finally` left out.
    pub fn step_ids(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().flat_map(|step| step.family()).map(|step| &*step.id)
    }

    /// The same with these steps alone and, before them, those that set what they need. A step
    /// inside `parallel` brings its whole `parallel`. `finally` stays as it is, and so do the
    /// outputs that can still be made.
    ///
    /// # Errors
    /// An id that no step has.
    pub fn only(&self, ids: &[&str]) -> Result<Self, Diagnostic> {
        if let Some(unknown) = ids.iter().find(|id| self.step_ids().all(|known| known != **id)) {
            return Err(unknown_step(unknown, &[self]));
        }
        let mut kept = vec![false; self.steps.len()];
        let mut needs = Needs::default();
        for (at, step) in self.steps.iter().enumerate().rev() {
            let is_asked = step.family().any(|step| ids.contains(&&*step.id));
            if is_asked || needs.any_of(step) {
                kept[at] = true;
                step.family().for_each(|step| needs.add(step, self));
            }
        }
        let (mut steps, mut left_out) = (Vec::new(), Vec::new());
        for (step, kept) in self.steps.iter().zip(kept) {
            if kept { &mut steps } else { &mut left_out }.push(Arc::clone(step));
        }
        Ok(self.cut(steps, left_out))
    }

    fn cut(&self, steps: Vec<Arc<Step>>, left_out: Vec<Arc<Step>>) -> Self {
        let mut cut = Self {
            source: Arc::clone(&self.source),
            name: Arc::clone(&self.name),
            description: self.description.clone(),
            tags: self.tags.clone(),
            inputs: self.inputs.clone(),
            vars: Vec::new(),
            defaults: self.defaults.clone(),
            retry: self.retry.clone(),
            mock: self.mock.clone(),
            steps,
            finally: self.finally.clone(),
            outputs: None,
            warnings: self.warnings.clone(),
            left_out,
        };
        let outputs = self.outputs.as_ref().map(|outputs| outputs.iter().filter(|output| cut.makes(output)));
        let outputs = outputs.map(|outputs| outputs.cloned().collect());
        cut.outputs = outputs;
        cut.vars = used(&self.vars, cut.names_read());
        cut
    }

    /// Whether an output needs nothing that was left out.
    fn makes(&self, output: &Variable) -> bool {
        let kept: HashSet<&str> = self.all_steps().flat_map(Step::sets).collect();
        let gone: HashSet<&str> =
            self.left_out.iter().flat_map(|step| step.family()).flat_map(Step::sets).collect();
        let ids: HashSet<&str> =
            self.left_out.iter().flat_map(|step| step.family()).map(|step| &*step.id).collect();
        let mut made = true;
        output.tree.reads(&mut |mention: Mention<'_>| {
            let name = mention.name();
            let lacks = match step_of(mention.path) {
                Some(id) => ids.contains(id),
                None => gone.contains(name) && !kept.contains(name),
            };
            made &= mention.guarded || !lacks;
        });
        made
    }
}

/// The entries of `vars` that something reads, and those that they read.
fn used(vars: &[Variable], mut names: Names) -> Vec<Variable> {
    let mut kept: Vec<Variable> = Vec::new();
    for var in vars.iter().rev() {
        if names.has(&var.name.value) {
            var.tree.reads(&mut |mention| names.add(mention.name()));
            kept.push(var.clone());
        }
    }
    kept.reverse();
    kept
}

impl Needs {
    fn any_of(&self, step: &Step) -> bool {
        step.family().any(|step| {
            self.any_step
                || self.ids.contains(&*step.id)
                || step.sets().any(|name| self.names.has(name))
                // What a script sets by a computed name may be what is needed.
                || (!self.names.is_empty() && step.scripts().any(Script::reads_all))
        })
    }

    fn add(&mut self, step: &Step, workflow: &Workflow) {
        let mut visit = |mention: Mention<'_>| self.mention(mention.path);
        step.reads(&mut visit);
        if step.action.request().is_some() || step.scripts().next().is_some() {
            workflow.defaults.reads(&mut visit);
        }
        for script in step.scripts() {
            self.names.of_script(script);
            let named = script.steps_read();
            self.any_step |= script.mentions_steps() && named.is_empty();
            self.ids.extend(named.iter().map(|(id, _)| Box::from(&**id)));
        }
    }

    fn mention(&mut self, path: &str) {
        match step_of(path) {
            Some(id) => {
                self.ids.insert(id.into());
            }
            None if path == "steps" => self.any_step = true,
            None => self.names.add(path.split('.').next().unwrap_or(path)),
        }
    }
}

/// The id in `steps.<id>.…`.
fn step_of(path: &str) -> Option<&str> {
    let rest = path.strip_prefix("steps.")?;
    rest.split('.').next()
}

/// An id that none of these workflows has.
#[must_use]
pub fn unknown_step(id: &str, workflows: &[&Workflow]) -> Diagnostic {
    let message = match workflows {
        [workflow] => format!("`{}` has no step `{id}`", workflow.path().display()),
        _ => format!("no workflow has a step `{id}`"),
    };
    if workflows.iter().any(|workflow| workflow.finally.iter().any(|step| &*step.id == id)) {
        return Diagnostic::error(message).help("it stands under `finally`, which always runs");
    }
    let mut ids: Vec<&str> = workflows.iter().flat_map(|workflow| workflow.step_ids()).collect();
    let mut seen = HashSet::new();
    ids.retain(|id| seen.insert(*id));
    let list = format!("the steps are {}", ids.join(", "));
    let near = did_you_mean(id, ids.iter().copied());
    let problem = Diagnostic::error(message);
    match near {
        Some(near) => problem.note(list).help(near),
        None => problem.help(list),
    }
}

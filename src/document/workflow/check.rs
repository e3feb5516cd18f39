//! What can be wrong although every part reads well: names that nobody sets, ids that stand twice.

use std::collections::{HashMap, HashSet};

use crate::document::workflow::model::Workflow;
use crate::ground::diagnostic::{Diagnostic, did_you_mean};
use crate::ground::read::Reading;
use crate::ground::source::Span;
use crate::parts::scope::RESERVED;

impl Workflow {
    /// Reports what does not fit together.
    pub(super) fn check(&self, reading: &Reading) {
        self.check_ids(reading);
        self.check_namespace(reading);
        self.check_names_read(reading);
        self.check_mock(reading);
    }

    fn check_ids(&self, reading: &Reading) {
        let mut seen = HashMap::new();
        for step in self.all_steps() {
            if let Some(first) = seen.insert(&step.id, step.span) {
                let line = reading.source.position(first.start as usize).line;
                let message = format!("two steps have the id `{}`; the first begins in line {line}", step.id);
                reading.error(step.span, message);
            }
        }
    }

    /// Inputs, vars and extracted values are one namespace; an input cannot be overwritten.
    fn check_namespace(&self, reading: &Reading) {
        let inputs: HashSet<&str> = self.inputs.iter().map(|input| &*input.name.value).collect();
        let vars = self.vars.iter().map(|var| &var.name);
        let extracts = self.all_steps().flat_map(|step| step.extract.iter().map(|extract| &extract.name));
        for name in vars.chain(extracts) {
            if inputs.contains(&*name.value) {
                let message = format!("`{}` is an input already, and inputs cannot be overwritten", name.value);
                reading.error_with(name.span, message, "give it another name");
            }
        }
    }

    /// Every name that a template reads must be set by somebody.
    fn check_names_read(&self, reading: &Reading) {
        let mut known: Vec<&str> = self.inputs.iter().map(|input| &*input.name.value).collect();
        let refuse = |known: &[&str], path: &str, span: Span| {
            let name = path.split('.').next().unwrap_or(path);
            if known.contains(&name) {
                return;
            }
            if RESERVED.contains(&name) {
                return self.check_reserved(path, span, reading);
            }
            let problem = Diagnostic::error(format!("`{name}` is not defined")).at(&reading.source, span);
            let help = did_you_mean(name, known.iter().copied());
            reading.report(problem.help(help.unwrap_or_else(|| {
                "declare it under `inputs` or `vars`, or extract it in an earlier step".to_owned()
            })));
        };
        for var in &self.vars {
            var.tree.reads(&mut |path, span| refuse(&known, path, span));
            known.push(&var.name.value);
        }
        known.extend(self.set_by_steps());
        for step in self.all_steps() {
            step.reads(&mut |path, span| refuse(&known, path, span));
        }
        self.defaults.reads(&mut |path, span| refuse(&known, path, span));
        for output in self.outputs.iter().flatten() {
            output.tree.reads(&mut |path, span| refuse(&known, path, span));
        }
    }

    /// `steps.<id>` must name a step.
    fn check_reserved(&self, path: &str, span: Span, reading: &Reading) {
        let mut names = path.split('.');
        if names.next() != Some("steps") {
            return;
        }
        let Some(id) = names.next() else { return };
        if self.all_steps().any(|step| &*step.id == id) {
            return;
        }
        let problem = Diagnostic::error(format!("there is no step `{id}`")).at(&reading.source, span);
        reading.report(problem.maybe_help(did_you_mean(id, self.all_steps().map(|step| &*step.id))));
    }

    fn check_mock(&self, reading: &Reading) {
        let names = self.mock.iter().flat_map(|mock| mock.replaces.iter().flatten());
        for name in names {
            if self.inputs.iter().all(|input| input.name.value != name.value) {
                let problem = Diagnostic::error(format!("there is no input `{}`", name.value));
                let help = did_you_mean(&name.value, self.inputs.iter().map(|input| &*input.name.value));
                reading.report(problem.at(&reading.source, name.span).maybe_help(help));
            }
        }
    }
}

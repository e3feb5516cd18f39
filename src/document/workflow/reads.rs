//! Which names a workflow may read: an input that nothing can read is not looked for.
//!
//! A name counts as read although the expression has a default for it: who gives a value means it.

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

use crate::document::workflow::model::{Step, Workflow};
use crate::parts::script::Script;
use crate::parts::template::Mention;

/// The names that a workflow may read.
#[derive(Debug, Clone, Default)]
pub struct Names {
    known: HashSet<Box<str>>,
    /// Somewhere a name is computed: it may be any.
    any: bool,
}

impl Names {
    /// Whether a variable of this name may be read.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.any || self.known.contains(name)
    }

    /// Whether nothing is read.
    pub(super) fn is_empty(&self) -> bool {
        !self.any && self.known.is_empty()
    }

    pub(super) fn add(&mut self, name: &str) {
        if !self.known.contains(name) {
            self.known.insert(name.into());
        }
    }

    /// Adds what a script may read.
    pub(super) fn of_script(&mut self, script: &Script) {
        self.any |= script.reads_all();
        script.looks_at().for_each(|name| self.add(name));
        if script.mentions_row() {
            self.add("data");
        }
    }
}

/// The names that a workflow may read, looked for when somebody asks: most inputs have their value
/// at hand, and nobody does.
#[derive(Debug)]
pub struct NamesRead {
    workflow: Arc<Workflow>,
    names: OnceLock<Names>,
}

impl NamesRead {
    /// Those of a workflow.
    #[must_use]
    pub fn of(workflow: &Arc<Workflow>) -> Self {
        Self { workflow: Arc::clone(workflow), names: OnceLock::new() }
    }

    /// Whether a variable of this name may be read.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.names.get_or_init(|| self.workflow.names_read()).has(name)
    }
}

impl Workflow {
    /// The names that its templates and scripts may read; `data` among them where they read the row.
    #[must_use]
    pub fn names_read(&self) -> Names {
        let mut names = Names::default();
        let mut visit = |mention: Mention<'_>| names.add(mention.name());
        self.all_steps().for_each(|step| step.reads(&mut visit));
        self.vars.iter().chain(self.outputs.iter().flatten()).for_each(|var| var.tree.reads(&mut visit));
        self.defaults.reads(&mut visit);
        self.mock.iter().for_each(|mock| mock.reads(&mut visit));
        for script in self.all_steps().flat_map(Step::scripts) {
            names.of_script(script);
        }
        names
    }
}

#[cfg(test)]
mod tests {
    use crate::ground::source::Source;

    #[test]
    fn a_name_is_found_wherever_it_is_read() {
        let text = "inputs: { a: 1, b: 1, c: 1, d: 1, e: 1, f: 1 }\nvars: { x: \"{{ a }}\" }\nsteps:\n  - request: \"GET https://h.example/{{ b | default('x') }}\"\n    after: |\n      vars.z = vars.c;\n  - request: { url: https://h.example/, json: { k: \"{{ \\x64 }}\" } }\noutputs: { o: \"{{ {'a': {'b': 1}} if e else z }}\" }\n";
        let workflow = crate::document::workflow::Workflow::parse(&Source::text("t.yaml", text));
        let workflow = workflow.unwrap_or_else(|problems| panic!("{problems}"));
        let names = workflow.names_read();
        let found: Vec<_> = ["a", "b", "c", "d", "e", "f", "data"].map(|name| names.has(name)).into();
        assert_eq!(found, [true, true, true, true, true, false, false]);
    }
}

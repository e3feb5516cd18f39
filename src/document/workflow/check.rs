//! What can be wrong although every part reads well: names that nobody sets, ids that stand twice.

use std::collections::{HashMap, HashSet};

use crate::document::workflow::model::Workflow;
use crate::ground::diagnostic::{Diagnostic, did_you_mean};
use crate::ground::read::Reading;
use crate::ground::source::Span;
use crate::ground::yaml::{Kind, Node};
use crate::parts::scope::RESERVED;
use crate::parts::script::assigned;

/// What stands in a file that has mistakes. A step that could not be read sets nothing, but nobody
/// is to be told that what it would set is not defined: one mistake is one message.
#[derive(Default)]
struct Written {
    names: HashSet<String>,
    ids: HashSet<String>,
}

impl Written {
    fn find(root: &Node) -> Self {
        let mut written = Self::default();
        for key in ["inputs", "vars"] {
            written.names.extend(keys(root.get(key)));
        }
        let lists =
            ["steps", "finally"].into_iter().filter_map(|key| match root.get(key).map(|node| &node.kind) {
                Some(Kind::List(steps)) => Some(steps),
                _ => None,
            });
        for (at, step) in lists.flatten().enumerate() {
            written.step(step, format!("step{}", at + 1));
        }
        written
    }

    fn step(&mut self, step: &Node, counted: String) {
        let text = |key: &str| step.get(key).and_then(Node::scalar).map(|scalar| &*scalar.text);
        self.ids.insert(text("id").map_or(counted, str::to_owned));
        self.names.extend(keys(step.get("extract")));
        for script in ["before", "script", "after"].into_iter().filter_map(text) {
            self.names.extend(assigned(script).into_iter().map(str::to_owned));
        }
    }
}

fn keys(node: Option<&Node>) -> impl Iterator<Item = String> {
    let entries = match node.map(|node| &node.kind) {
        Some(Kind::Map(entries)) => entries.as_slice(),
        _ => &[],
    };
    entries.iter().map(|(key, _)| key.text.to_string())
}

/// There is no answer before a request was sent.
fn refuse_response(path: &str, span: Span, reading: &Reading) {
    if path.split('.').next() == Some("response") {
        let help = "`expect` and `extract` see it; the answer of an earlier step is `steps.<id>`";
        reading.error_with(span, "there is no `response` here", help);
    }
}

impl Workflow {
    /// Reports what does not fit together.
    pub(super) fn check(&self, root: &Node, reading: &Reading) {
        let mut lost = if reading.is_clean() { Written::default() } else { Written::find(root) };
        for var in &self.vars {
            lost.names.remove(&*var.name.value);
        }
        self.check_ids(reading);
        self.check_namespace(reading);
        self.check_names_read(&lost, reading);
        self.check_mock(reading);
        self.check_urls(root, reading);
    }

    /// A URL without scheme and host needs a `base_url` of this very file.
    fn check_urls(&self, root: &Node, reading: &Reading) {
        let has_base = root.get("defaults").is_some_and(|defaults| defaults.get("base_url").is_some());
        for request in self.all_steps().filter_map(|step| step.action.request()) {
            if let Some(error) = request.misplaced(has_base) {
                reading.report(error.diagnostic(&reading.source));
            }
        }
    }

    fn check_ids(&self, reading: &Reading) {
        let mut seen = HashMap::new();
        for step in self.all_steps().take_while(|_| !reading.is_full()) {
            if let Some(first) = seen.insert(&step.id, step.span) {
                let line = reading.source.position(first.start as usize).line;
                let message = format!("two steps have the id `{}`; the first begins in line {line}", step.id);
                let help = match step.id_span {
                    Some(_) => "give each an id of its own",
                    None => "this step has no id and is counted; give it one",
                };
                reading.error_with(step.id_span.unwrap_or(step.span), message, help);
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
                let message =
                    format!("`{}` is an input already, and inputs cannot be overwritten", name.value);
                reading.error_with(name.span, message, "give it another name");
            }
        }
    }

    /// Every name that a template reads must be set by somebody.
    fn check_names_read(&self, lost: &Written, reading: &Reading) {
        let mut known: HashSet<&str> = self.inputs.iter().map(|input| &*input.name.value).collect();
        let ids: HashSet<&str> = self.all_steps().map(|step| &*step.id).collect();
        let refuse = |known: &HashSet<&str>, path: &str, span: Span| {
            let name = path.split('.').next().unwrap_or(path);
            if reading.is_full() || known.contains(name) || lost.names.contains(name) {
                return;
            }
            if RESERVED.contains(&name) {
                return self.check_step(path, span, &ids, lost, reading);
            }
            let problem = Diagnostic::error(format!("`{name}` is not defined")).at(&reading.source, span);
            let help = did_you_mean(name, known.iter().copied());
            reading.report(problem.help(help.unwrap_or_else(|| {
                "declare it under `inputs` or `vars`, or extract it in an earlier step".to_owned()
            })));
        };
        for var in &self.vars {
            var.tree.reads(&mut |path, span| refuse(&known, path, span));
            known.insert(&var.name.value);
        }
        known.extend(self.set_by_steps());
        for step in self.all_steps() {
            step.reads(&mut |path, span| refuse(&known, path, span));
            step.reads_before(&mut |path, span| refuse_response(path, span, reading));
        }
        self.defaults.reads(&mut |path, span| refuse(&known, path, span));
        self.defaults.reads(&mut |path, span| refuse_response(path, span, reading));
        for output in self.outputs.iter().flatten() {
            output.tree.reads(&mut |path, span| refuse(&known, path, span));
        }
        for variable in self.vars.iter().chain(self.outputs.iter().flatten()) {
            variable.tree.reads(&mut |path, span| refuse_response(path, span, reading));
        }
    }

    /// `steps.<id>` must name a step.
    fn check_step(&self, path: &str, span: Span, ids: &HashSet<&str>, lost: &Written, reading: &Reading) {
        let mut names = path.split('.');
        if names.next() != Some("steps") {
            return;
        }
        let Some(id) = names.next() else { return };
        if ids.contains(id) || lost.ids.contains(id) {
            return;
        }
        let ids: Vec<&str> = self.all_steps().take(20).map(|step| &*step.id).collect();
        let help =
            did_you_mean(id, ids.iter().copied()).unwrap_or_else(|| format!("there are {}", ids.join(", ")));
        reading.error_with(span, format!("there is no step `{id}`"), help);
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

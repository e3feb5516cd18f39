//! What can be wrong although every part reads well: names that nobody sets, or not yet; ids that
//! stand twice; steps at once that set the same; inputs that nobody uses.

mod names;
mod parallel;
mod quoted;
mod steering;
mod unused;
mod written;

use crate::document::workflow::check::names::Names;
use crate::document::workflow::check::written::Written;
use crate::document::workflow::model::{Step, Workflow};
use crate::ground::read::Reading;
use crate::ground::yaml::Node;
use crate::parts::script::Script;

/// Names of a file: nobody chooses them to collide.
type HashMap<K, V> = std::collections::HashMap<K, V, foldhash::fast::RandomState>;
type HashSet<T> = std::collections::HashSet<T, foldhash::fast::RandomState>;

impl Workflow {
    /// Reports what does not fit together.
    pub(super) fn check(&self, root: &Node, reading: &Reading) {
        let lost = if reading.is_clean() { Written::default() } else { Written::find(root) };
        self.check_ids(reading);
        self.check_namespace(reading);
        let lost_ids = lost.ids.clone();
        Names::new(self, lost, reading).check();
        self.check_loops(reading);
        self.check_parallel(reading);
        self.check_steering(&lost_ids, reading);
        self.check_mock(reading);
        self.check_urls(root, reading);
        Self::check_quoted(root, reading);
        if reading.is_clean() {
            self.check_unused(reading);
        }
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
        let mut seen = HashMap::default();
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

    /// Inputs, vars, extracted values and the variables of loops are one namespace. An input
    /// cannot be overwritten, and what stands for an element is nothing else.
    fn check_namespace(&self, reading: &Reading) {
        let inputs: HashSet<&str> = self.inputs.iter().map(|input| &*input.name.value).collect();
        let vars = self.vars.iter().map(|var| &var.name);
        let extracts = self.all_steps().flat_map(|step| step.extract.iter().map(|extract| &extract.name));
        let elements = self.all_steps().filter_map(|step| step.for_each.as_ref()).map(|each| &each.name);
        for (name, span) in self.all_steps().flat_map(Step::scripts).flat_map(Script::sets) {
            if inputs.contains(&*name) {
                let message = format!("`{name}` is an input, and inputs cannot be overwritten");
                reading.error_with(span, message, "set a variable of another name");
            }
        }
        for name in vars.chain(extracts).chain(elements) {
            if inputs.contains(&*name.value) {
                let message =
                    format!("`{}` is an input already, and inputs cannot be overwritten", name.value);
                reading.error_with(name.span, message, "give it another name");
            }
        }
        let elements: Vec<_> =
            self.all_steps().filter_map(|step| step.for_each.as_ref()).map(|each| &each.name).collect();
        if elements.is_empty() {
            return;
        }
        let mut set: HashSet<&str> = self.vars.iter().map(|var| &*var.name.value).collect();
        set.extend(self.set_by_steps());
        for name in elements {
            if set.contains(&*name.value) {
                let message =
                    format!("`{}` is a variable already, and here it stands for an element", name.value);
                reading.error_with(name.span, message, "give the element another name");
            }
        }
    }

    /// `collect` joins what the passes of `repeat` found.
    fn check_loops(&self, reading: &Reading) {
        for step in self.all_steps().filter(|step| step.repeat.is_none()) {
            for span in step.extract.iter().filter_map(|extract| extract.collect) {
                let message = "`collect` joins what the passes of a `repeat` found, and this step has none";
                let help = match step.for_each {
                    Some(_) => "with `for_each`, extracted values become lists by themselves",
                    None => "leave it out, or let the step `repeat`",
                };
                reading.error_with(span, message, help);
            }
        }
    }
}

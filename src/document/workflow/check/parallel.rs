//! Steps at once: two that set the same variable would race, and one that says which step is next
//! would speak for those that still run. So would one of `finally` for those that run in any case.

use crate::document::workflow::check::{HashMap, scripts, sets};
use crate::document::workflow::model::{Action, Step, Workflow};
use crate::ground::read::Reading;
use crate::parts::script::Script;

impl Workflow {
    /// Reports what steps in `parallel` must not do, and those of `finally`.
    pub(super) fn check_parallel(&self, reading: &Reading) {
        for step in self.all_steps() {
            if let Action::Parallel(steps) = &step.action {
                let mut writers = HashMap::default();
                for (at, step) in steps.iter().enumerate() {
                    check_writers(at, step, &mut writers, reading);
                    check_steering(step, "parallel", "the other steps are still under way", reading);
                }
            }
        }
        for step in &self.finally {
            check_steering(step, "finally", "all of its steps run, whatever happens", reading);
        }
    }
}

fn check_steering(step: &Step, inside: &str, why: &str, reading: &Reading) {
    for (word, span) in scripts(step).flat_map(Script::steers) {
        let message = format!("`{word}` inside `{inside}`: {why}");
        let help = match inside {
            "finally" => "`skip()` ends this step alone; `when` says whether another one runs",
            _ => "let a script behind `parallel` say it, by the variables that its steps set",
        };
        reading.error_with(span, message, help);
    }
}

fn check_writers<'w>(
    at: usize,
    step: &'w Step,
    writers: &mut HashMap<&'w str, (usize, &'w Step)>,
    reading: &Reading,
) {
    for inner in step.family() {
        for name in sets(inner) {
            let (first, other) = *writers.entry(name).or_insert((at, inner));
            if first == at {
                continue;
            }
            let extract = inner.extract.iter().find(|extract| &*extract.name.value == name);
            let span = extract.map_or(inner.span, |extract| extract.name.span);
            let message =
                format!("`{name}` is set by the step `{}` too, which runs at the same time", other.id);
            reading.error_with(span, message, "which of them would win is chance: give them two names");
        }
    }
}

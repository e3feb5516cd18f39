//! Steps at once: two that set the same variable would race.

use crate::document::workflow::check::HashMap;
use crate::document::workflow::model::{Action, Step, Workflow};
use crate::ground::read::Reading;

impl Workflow {
    /// Reports what steps in `parallel` must not do.
    pub(super) fn check_parallel(&self, reading: &Reading) {
        for step in self.all_steps() {
            if let Action::Parallel(steps) = &step.action {
                let mut writers = HashMap::default();
                for (at, step) in steps.iter().enumerate() {
                    check_writers(at, step, &mut writers, reading);
                }
            }
        }
    }
}

fn check_writers<'w>(
    at: usize,
    step: &'w Step,
    writers: &mut HashMap<&'w str, (usize, &'w Step)>,
    reading: &Reading,
) {
    for inner in step.family() {
        for name in inner.sets() {
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

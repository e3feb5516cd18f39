//! Where scripts steer to: `next` names a step of `steps`, and what runs at once or in any case
//! cannot be steered.

use std::collections::HashSet;
use std::sync::Arc;

use crate::document::workflow::model::{Step, Workflow};
use crate::ground::diagnostic::did_you_mean;
use crate::ground::read::Reading;
use crate::parts::script::Script;

impl Workflow {
    /// Reports jumps that lead nowhere. `lost` are the ids of steps that could not be read.
    pub(super) fn check_steering(&self, lost: &HashSet<String>, reading: &Reading) {
        let ids: Vec<&str> = self.steps.iter().map(|step| &*step.id).collect();
        for (id, span) in self.steps.iter().flat_map(|step| step.scripts()).flat_map(Script::jumps) {
            if !ids.contains(&&*id) && !lost.contains(&*id) {
                self.no_target(&id, span, &ids, reading);
            }
        }
        for step in self.steps.iter().flat_map(|step| step.action.inner().unwrap_or_default()) {
            refuse(step, "`parallel`: its steps run at the same time, and all finish", reading);
        }
        for step in &self.finally {
            refuse(step, "`finally`: all of its steps run, whatever happened", reading);
        }
    }

    fn no_target(&self, id: &Arc<str>, span: crate::ground::source::Span, ids: &[&str], reading: &Reading) {
        let elsewhere = self.all_steps().any(|step| step.id == *id);
        let (message, help) = if elsewhere {
            let message = format!("`next` cannot go to `{id}`, which stands inside `parallel` or `finally`");
            (message, None)
        } else {
            (format!("`next` names no step: there is no `{id}`"), did_you_mean(id, ids.iter().copied()))
        };
        let help = help.unwrap_or_else(|| format!("the steps are {}", ids.join(", ")));
        reading.error_with(span, message, help);
    }
}

/// A step that must not steer, and those inside it.
fn refuse(step: &Step, place: &str, reading: &Reading) {
    for script in step.family().flat_map(Step::scripts) {
        let jump = script.jumps().first().map(|(_, span)| *span);
        let word = if jump.is_some() || script.may_jump() {
            "next"
        } else if script.says_stop() {
            "stop"
        } else {
            continue;
        };
        let message = format!("`{word}` has no meaning inside {place}");
        reading.error_with(jump.unwrap_or_else(|| script.span()), message, "let an earlier step decide");
    }
}

//! `--only STEP`: which of the called workflows have such a step, and what is left of them.

use std::sync::Arc;

use crate::cli::terminal::tell;
use crate::document::workflow::{Workflow, unknown_step};
use crate::ground::diagnostic::{Diagnostic, Diagnostics};
use crate::reading::report::style::Style;

/// The workflows that have one of the steps, cut down to them. Those that have none are told and
/// left out.
///
/// # Errors
/// Every id that no workflow has.
pub fn only(
    ids: &[String],
    workflows: Vec<Arc<Workflow>>,
    style: Style,
) -> Result<Vec<Arc<Workflow>>, Diagnostics> {
    if ids.is_empty() {
        return Ok(workflows);
    }
    let all: Vec<&Workflow> = workflows.iter().map(AsRef::as_ref).collect();
    let has = |workflow: &Workflow, id: &str| workflow.step_ids().any(|known| known == id);
    let unknown = ids.iter().filter(|id| !all.iter().any(|workflow| has(workflow, id)));
    let unknown: Vec<Diagnostic> = unknown.map(|id| unknown_step(id, &all)).collect();
    if !unknown.is_empty() {
        return Err(Diagnostics(unknown));
    }
    let mut left = Vec::with_capacity(workflows.len());
    for workflow in &workflows {
        let own: Vec<&str> = ids.iter().map(String::as_str).filter(|id| has(workflow, id)).collect();
        if own.is_empty() {
            let message = format!(
                "`{}` is not run: it has no step {}",
                workflow.path().display(),
                ids.iter().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(" or ")
            );
            tell(&Diagnostic::warning(message).render(style.is_colored()));
            continue;
        }
        left.push(Arc::new(workflow.only(&own)?));
    }
    Ok(left)
}

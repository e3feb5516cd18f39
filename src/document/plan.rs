//! A plan: nothing is left to look up. Inputs have their values, every request has its defaults,
//! and what each answer must yield is known before it is read.

use std::sync::Arc;

use crate::document::inputs::{Inputs, Resolved, TRUST};
use crate::document::workflow::{Action, Step, Workflow};
use crate::ground::diagnostic::{Diagnostic, Diagnostics};
use crate::parts::http::RequestSpec;
use crate::parts::retry::Retry;
use crate::parts::script::Script;
use crate::parts::select::Yield;
use crate::parts::template::Mention;

/// A workflow that is ready to run.
#[derive(Debug)]
pub struct Plan {
    /// What it was made of.
    pub workflow: Arc<Workflow>,
    /// The values of its inputs; those that a caller gives by `with` are not among them.
    pub inputs: Resolved,
    /// Its steps.
    pub steps: Vec<PlannedStep>,
    /// What is done whatever happened.
    pub finally: Vec<PlannedStep>,
    /// Whether anybody reads `steps.<id>`: if not, no answer is kept.
    pub keeps_steps: bool,
}

/// A step that is ready to run.
#[derive(Debug)]
pub struct PlannedStep {
    /// The step as it was written.
    pub step: Arc<Step>,
    /// What it does.
    pub action: PlannedAction,
    /// How often its request is tried.
    pub retry: Option<Retry>,
    /// What its answer must yield.
    pub yields: Arc<Yield>,
    /// The names that `finally` needs and only a step sets.
    pub needs: Vec<Arc<str>>,
}

/// What a planned step does.
#[derive(Debug)]
pub enum PlannedAction {
    /// An HTTP exchange, the defaults laid under it.
    Request(Arc<RequestSpec>),
    /// Another workflow.
    Uses(Arc<Plan>),
    /// A script alone.
    Script,
    /// Several steps at once.
    Parallel(Vec<PlannedStep>),
}

/// Makes a plan of a workflow and what the caller gives.
///
/// # Errors
/// Every input that is missing or wrong, and every file outside the project that is to be sent
/// although the workflow is not trusted; here and in the workflows that are used.
pub fn plan(workflow: &Arc<Workflow>, inputs: &Inputs) -> Result<Plan, Diagnostics> {
    let resolved = inputs.resolve(workflow)?;
    plan_with(workflow, resolved, inputs)
}

fn plan_with(workflow: &Arc<Workflow>, resolved: Resolved, inputs: &Inputs) -> Result<Plan, Diagnostics> {
    let mut problems = Diagnostics::default();
    let steps = plan_steps(&workflow.steps, workflow, inputs, &mut problems);
    let mut finally = plan_steps(&workflow.finally, workflow, inputs, &mut problems);
    if !problems.0.is_empty() {
        return Err(problems);
    }
    for step in &mut finally {
        step.needs = needs(&step.step, workflow);
    }
    Ok(Plan {
        workflow: Arc::clone(workflow),
        inputs: resolved,
        steps,
        finally,
        keeps_steps: reads_steps(workflow),
    })
}

fn plan_steps(
    steps: &[Arc<Step>],
    workflow: &Workflow,
    inputs: &Inputs,
    problems: &mut Diagnostics,
) -> Vec<PlannedStep> {
    let plan_step = |step| match PlannedStep::new(step, workflow, inputs) {
        Ok(step) => Some(step),
        Err(found) => {
            problems.0.extend(found.0);
            None
        }
    };
    steps.iter().filter_map(plan_step).collect()
}

impl PlannedStep {
    fn new(step: &Arc<Step>, workflow: &Workflow, inputs: &Inputs) -> Result<Self, Diagnostics> {
        if let Action::Request(request) = &step.action {
            admit_files(request, workflow, inputs)?;
        }
        let action = match &step.action {
            Action::Request(request) if workflow.defaults.is_empty() => {
                PlannedAction::Request(Arc::clone(request))
            }
            Action::Request(request) => {
                PlannedAction::Request(Arc::new((**request).clone().overlay(&workflow.defaults)))
            }
            Action::Script(_) => PlannedAction::Script,
            Action::Uses(uses) => {
                let with: Vec<&str> = uses.with.iter().map(|entry| &*entry.name.value).collect();
                let resolved = inputs.resolve_used(&uses.workflow, &with)?;
                PlannedAction::Uses(Arc::new(plan_with(&uses.workflow, resolved, inputs)?))
            }
            Action::Parallel(steps) => {
                let mut problems = Diagnostics::default();
                let planned = plan_steps(steps, workflow, inputs, &mut problems);
                if !problems.0.is_empty() {
                    return Err(problems);
                }
                PlannedAction::Parallel(planned)
            }
        };
        let retry = step.retry.clone().or_else(|| workflow.retry.clone());
        let yields = Arc::new(yields(step));
        Ok(Self { step: Arc::clone(step), action, retry, yields, needs: Vec::new() })
    }
}

/// A workflow may send what lies in its project. Reading cannot know whether it is trusted with
/// more, and a run that sent half of its requests is too late.
fn admit_files(request: &RequestSpec, workflow: &Workflow, inputs: &Inputs) -> Result<(), Diagnostics> {
    let mut problems = Diagnostics::default();
    for file in request.files() {
        // What cannot be found is told when it is to be read.
        if !inputs.admits(file.path(), &workflow.source).unwrap_or(true) {
            let message = format!("the file `{}` is outside the project", file.written());
            problems.push(Diagnostic::error(message).at(&workflow.source, file.span()).help(TRUST));
        }
    }
    if problems.0.is_empty() { Ok(()) } else { Err(problems) }
}

/// What a step's answer must yield: one pass over its bytes finds all of it.
fn yields(step: &Step) -> Yield {
    let mut yields = Yield::default();
    for extract in &step.extract {
        extract.adds_to(&mut yields);
    }
    if let Some(expect) = &step.expect {
        expect.adds_to(&mut yields);
    }
    step.reads(&mut |mention| yields.read_by_template(mention.path));
    yields
}

/// The names that a step reads and only other steps set.
fn needs(step: &Step, workflow: &Workflow) -> Vec<Arc<str>> {
    let set: Vec<&str> = workflow.set_by_steps().collect();
    let mut needs: Vec<Arc<str>> = Vec::new();
    for step in step.family() {
        step.reads(&mut |mention| {
            let name = mention.name();
            let own = step.extract.iter().any(|extract| &*extract.name.value == name);
            if set.contains(&name) && !own && !mention.guarded && needs.iter().all(|known| &**known != name) {
                needs.push(name.into());
            }
        });
    }
    needs
}

fn reads_steps(workflow: &Workflow) -> bool {
    let mut found = false;
    let mut visit = |mention: Mention<'_>| found |= mention.name() == "steps";
    for step in workflow.all_steps() {
        step.reads(&mut visit);
        let scripts = [step.before.as_ref(), step.after.as_ref(), step.action.script()];
        if scripts.into_iter().flatten().any(Script::mentions_steps) {
            return true;
        }
    }
    workflow.outputs.iter().flatten().for_each(|output| output.tree.reads(&mut visit));
    workflow.defaults.reads(&mut visit);
    found
}

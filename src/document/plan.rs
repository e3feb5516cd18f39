//! A plan: nothing is left to look up. Inputs have their values, every request has its defaults,
//! and what each answer must yield is known before it is read.

use std::sync::Arc;

use crate::document::inputs::{Inputs, Resolved, Search};
use crate::document::rows::Row;
use crate::document::workflow::{Action, NamesRead, Step, Workflow};
use crate::ground::diagnostic::Diagnostics;
use crate::ground::value::Value;
use crate::parts::http::RequestSpec;
use crate::parts::retry::Retry;
use crate::parts::script::Script;
use crate::parts::select::Yield;
use crate::parts::template::Mention;

/// A workflow that is ready to run. Clones share the steps.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What it was made of.
    pub workflow: Arc<Workflow>,
    /// The values of its inputs; those that a caller gives by `with` are not among them.
    pub inputs: Resolved,
    /// The row of `--data` that it is run for.
    pub row: Option<Value>,
    /// The name of the environment that it is run in, null where there is none; `None` where nothing in
    /// the file asks for it either.
    pub env_name: Option<Value>,
    /// Its steps.
    pub steps: Arc<[PlannedStep]>,
    /// What is done whatever happened.
    pub finally: Arc<[PlannedStep]>,
    /// Whether anybody reads `steps.<id>`: if not, no answer is kept.
    pub keeps_steps: bool,
    /// The names that something in it may read: no other input is looked for.
    pub reads: Arc<NamesRead>,
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
    /// What `finally` needs and only other steps give.
    pub needs: Vec<Need>,
}

/// What a step of `finally` cannot do without.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Need {
    /// A variable that some step sets.
    Variable(Arc<str>),
    /// What the workflow that the step of this id uses gives under this name.
    Output(Arc<str>, Arc<str>),
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
/// Every input that is missing or wrong, and every file outside the project that is to be sent or used
/// although the workflow is not trusted; here and in the workflows that are used.
pub fn plan(workflow: &Arc<Workflow>, inputs: &Inputs) -> Result<Plan, Diagnostics> {
    let mut search = Search::new(inputs, workflow);
    let mut plan = bare(workflow, &mut search);
    plan.inputs = search.given(workflow, &plan.reads, inputs.row());
    plan.row = inputs.row().map(|row| row.value.clone());
    search.finish().map(|()| plan)
}

/// Makes a plan that lacks nothing but a row: [`Plan::with_row`] adds one as often as there are any.
///
/// # Errors
/// Every input that is missing or wrong in the workflows that are used.
pub fn plan_for_rows(workflow: &Arc<Workflow>, inputs: &Inputs) -> Result<Plan, Diagnostics> {
    let mut search = Search::new(inputs, workflow);
    let plan = bare(workflow, &mut search);
    search.finish().map(|()| plan)
}

/// All but the inputs that the caller gives.
fn bare(workflow: &Arc<Workflow>, search: &mut Search<'_>) -> Plan {
    let mut step = |step: &Arc<Step>| PlannedStep::new(step, workflow, &mut *search);
    let steps = workflow.steps.iter().map(&mut step).collect();
    let finally = |own: &Arc<Step>| PlannedStep { needs: needs(own, workflow), ..step(own) };
    let finally = workflow.finally.iter().map(finally).collect();
    Plan {
        workflow: Arc::clone(workflow),
        inputs: Resolved::default(),
        row: None,
        env_name: env_name(workflow, search),
        steps,
        finally,
        keeps_steps: reads_steps(workflow),
        reads: Arc::new(NamesRead::of(workflow)),
    }
}

fn env_name(workflow: &Workflow, search: &Search<'_>) -> Option<Value> {
    let unnamed = || workflow.source.as_str().contains("env_name").then_some(Value::Null);
    search.env_name().map(Value::String).or_else(unnamed)
}

impl Plan {
    /// The same for a row: its columns are inputs by name, and all of it is `data`.
    ///
    /// # Errors
    /// Every input that is missing or wrong.
    pub fn with_row(&self, inputs: &Inputs, row: &Row) -> Result<Self, Diagnostics> {
        let mut search = Search::new(inputs, &self.workflow);
        let resolved = search.given(&self.workflow, &self.reads, Some(row));
        search.finish()?;
        Ok(Self { inputs: resolved, row: Some(row.value.clone()), ..self.clone() })
    }
}

impl PlannedStep {
    fn new(step: &Arc<Step>, workflow: &Workflow, search: &mut Search<'_>) -> Self {
        let action = match &step.action {
            Action::Request(request) => {
                search.admit_files(request, workflow);
                let request = if workflow.defaults.is_empty() {
                    Arc::clone(request)
                } else {
                    Arc::new((**request).clone().overlay(&workflow.defaults))
                };
                PlannedAction::Request(request)
            }
            Action::Script(_) => PlannedAction::Script,
            Action::Uses(uses) => {
                let with: Vec<&str> = uses.with.iter().map(|entry| &*entry.name.value).collect();
                let mut plan = bare(&uses.workflow, search);
                plan.inputs = search.used(&uses.workflow, &plan.reads, &with);
                PlannedAction::Uses(Arc::new(plan))
            }
            Action::Parallel(steps) => {
                PlannedAction::Parallel(steps.iter().map(|step| Self::new(step, workflow, search)).collect())
            }
        };
        let retry = step.retry.clone().or_else(|| workflow.retry.clone());
        let yields = Arc::new(yields(step));
        Self { step: Arc::clone(step), action, retry, yields, needs: Vec::new() }
    }
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

/// What a step reads and only other steps give.
fn needs(step: &Step, workflow: &Workflow) -> Vec<Need> {
    let set: Vec<&str> = workflow.set_by_steps().collect();
    let mut needs: Vec<Need> = Vec::new();
    for step in step.family() {
        let own: Vec<&str> = step.sets().collect();
        let mut add = |need: Need| {
            if !needs.contains(&need) {
                needs.push(need);
            }
        };
        let is_foreign = |name: &str| set.contains(&name) && !own.contains(&name);
        step.reads(&mut |mention| match mention.path.split('.').collect::<Vec<_>>()[..] {
            _ if mention.guarded => {}
            ["steps", id, "outputs", name, ..] if *id != *step.id => {
                add(Need::Output(id.into(), name.into()));
            }
            [name, ..] if is_foreign(name) => add(Need::Variable(name.into())),
            _ => {}
        });
        let read = step.scripts().flat_map(Script::reads).filter(|(name, _)| is_foreign(name));
        read.for_each(|(name, _)| add(Need::Variable((&*name).into())));
    }
    needs
}

fn reads_steps(workflow: &Workflow) -> bool {
    let mut found = false;
    let mut visit = |mention: Mention<'_>| found |= mention.name() == "steps";
    for step in workflow.all_steps() {
        step.reads(&mut visit);
        if step.scripts().any(Script::mentions_steps) {
            return true;
        }
    }
    workflow.outputs.iter().flatten().for_each(|output| output.tree.reads(&mut visit));
    workflow.defaults.reads(&mut visit);
    found
}

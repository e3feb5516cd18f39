//! The types of a workflow, as it was written: nothing is looked up yet.

use std::path::Path;
use std::sync::Arc;

use crate::document::workflow::input::Input;
use crate::document::workflow::mock::StandIn;
use crate::ground::diagnostic::Diagnostics;
use crate::ground::source::{Source, Span, Spanned};
use crate::parts::condition::Condition;
use crate::parts::expect::Expectation;
use crate::parts::extract::Extract;
use crate::parts::for_each::ForEach;
use crate::parts::http::{RequestDefaults, RequestSpec};
use crate::parts::repeat::Repeat;
use crate::parts::retry::Retry;
use crate::parts::script::Script;
use crate::parts::template::Tree;

/// One file: inputs, vars, steps, outputs.
#[derive(Debug)]
pub struct Workflow {
    /// The text that it was read from.
    pub source: Arc<Source>,
    /// What it is called; the file's stem where it does not say.
    pub name: Arc<str>,
    /// What it is for.
    pub description: Option<Arc<str>>,
    /// What it can be chosen by.
    pub tags: Vec<Arc<str>>,
    /// What the caller gives.
    pub inputs: Vec<Input>,
    /// What is derived from the inputs, in order.
    pub vars: Vec<Variable>,
    /// What holds for every request.
    pub defaults: RequestDefaults,
    /// How often every request is tried.
    pub retry: Option<Retry>,
    /// The offline stand-in.
    pub mock: Option<StandIn>,
    /// What is done.
    pub steps: Vec<Arc<Step>>,
    /// What is done whatever happened.
    pub finally: Vec<Arc<Step>>,
    /// What the caller gets; `None` for everything extracted.
    pub outputs: Option<Vec<Output>>,
    /// What works, but probably not as meant.
    pub warnings: Diagnostics,
    /// The steps that `--only` left out.
    pub left_out: Vec<Arc<Step>>,
}

/// One entry of `vars`.
#[derive(Debug, Clone)]
pub struct Variable {
    /// Its name.
    pub name: Spanned<Arc<str>>,
    /// How it is derived.
    pub tree: Tree,
}

/// One entry of `outputs`.
pub type Output = Variable;

/// One step.
#[derive(Debug)]
pub struct Step {
    /// Its id; `step1`, `step2`, … where it has none.
    pub id: Arc<str>,
    /// Where its id is written; `None` where it was counted.
    pub id_span: Option<Span>,
    /// What it is called for people.
    pub name: Arc<str>,
    /// Where it begins.
    pub span: Span,
    /// What it does.
    pub action: Action,
    /// Whether it runs.
    pub when: Option<Condition>,
    /// The list that it goes through.
    pub for_each: Option<ForEach>,
    /// How often it runs, and until when.
    pub repeat: Option<Repeat>,
    /// Whether the next step runs although this one failed.
    pub continue_on_failure: bool,
    /// The variables of the loops around it.
    pub around: Vec<Arc<str>>,
    /// How often its request is tried.
    pub retry: Option<Retry>,
    /// The script before the request.
    pub before: Option<Script>,
    /// The script after it.
    pub after: Option<Script>,
    /// What must hold.
    pub expect: Option<Expectation>,
    /// What is taken out of the answer.
    pub extract: Vec<Extract>,
}

/// What a step does.
#[derive(Debug)]
pub enum Action {
    /// An HTTP exchange.
    Request(Arc<RequestSpec>),
    /// Another workflow.
    Uses(Uses),
    /// A script alone.
    Script(Script),
    /// Several steps at once.
    Parallel(Vec<Arc<Step>>),
}

/// `uses: ./login.yaml` and its `with`.
#[derive(Debug)]
pub struct Uses {
    /// The workflow that is used.
    pub workflow: Arc<Workflow>,
    /// Where it is named.
    pub span: Span,
    /// What goes in.
    pub with: Vec<Variable>,
}

impl Workflow {
    /// All steps, each before those inside it, `finally` last.
    pub fn all_steps(&self) -> impl Iterator<Item = &Step> {
        Family { rest: vec![self.finally.iter(), self.steps.iter()] }
    }

    /// The workflow and all that it uses, each before its users' next step.
    #[must_use]
    pub fn tree(self: &Arc<Self>) -> Vec<Arc<Self>> {
        let mut tree = vec![Arc::clone(self)];
        for step in self.all_steps() {
            if let Action::Uses(uses) = &step.action {
                tree.extend(uses.workflow.tree());
            }
        }
        tree
    }

    /// The file's path as the user named it.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.source.path().unwrap_or_else(|| Path::new(self.source.name()))
    }

    /// The names of what its caller gives.
    pub fn input_names(&self) -> impl Iterator<Item = &str> {
        self.inputs.iter().map(|input| &*input.name.value)
    }

    /// The names of what its caller gets: what `outputs` says, else everything extracted.
    pub fn output_names(&self) -> impl Iterator<Item = &str> {
        let declared = self.outputs.iter().flatten().map(|output| &*output.name.value);
        let extracted =
            self.all_steps().flat_map(|step| step.extract.iter().map(|extract| &*extract.name.value));
        declared.chain(extracted.filter(|_| self.outputs.is_none()))
    }

    /// Whether a script may jump: then steps do not run in the order of the text.
    #[must_use]
    pub fn jumps(&self) -> bool {
        self.all_steps().flat_map(Step::scripts).any(Script::may_jump)
    }

    /// Every name that some step may set, one that `--only` left out too.
    pub fn set_by_steps(&self) -> impl Iterator<Item = &str> {
        let left_out = self.left_out.iter().flat_map(|step| step.family());
        self.all_steps().chain(left_out).flat_map(Step::sets)
    }
}

impl Step {
    /// Its scripts, in the order in which they run.
    pub fn scripts(&self) -> impl Iterator<Item = &Script> {
        [self.before.as_ref(), self.action.script(), self.after.as_ref()].into_iter().flatten()
    }

    /// Every name that it may set: extracted values and what its scripts assign.
    pub fn sets(&self) -> impl Iterator<Item = &str> {
        let assigned = self.scripts().flat_map(Script::assigns);
        self.extract.iter().map(|extract| &*extract.name.value).chain(assigned)
    }

    /// The step and those inside it.
    pub fn family(&self) -> impl Iterator<Item = &Self> {
        std::iter::once(self)
            .chain(Family { rest: self.action.inner().map(<[_]>::iter).into_iter().collect() })
    }
}

/// Steps, each before those inside it.
struct Family<'w> {
    rest: Vec<std::slice::Iter<'w, Arc<Step>>>,
}

impl<'w> Iterator for Family<'w> {
    type Item = &'w Step;

    fn next(&mut self) -> Option<&'w Step> {
        loop {
            if let Some(step) = self.rest.last_mut()?.next() {
                self.rest.extend(step.action.inner().map(<[_]>::iter));
                return Some(step);
            }
            self.rest.pop();
        }
    }
}

impl Action {
    /// The steps inside it, where there are some.
    #[must_use]
    pub fn inner(&self) -> Option<&[Arc<Step>]> {
        match self {
            Self::Parallel(steps) => Some(steps),
            _ => None,
        }
    }

    /// The request, where it is one.
    #[must_use]
    pub fn request(&self) -> Option<&RequestSpec> {
        match self {
            Self::Request(request) => Some(request),
            _ => None,
        }
    }

    /// The script, where it is one.
    #[must_use]
    pub const fn script(&self) -> Option<&Script> {
        match self {
            Self::Script(script) => Some(script),
            _ => None,
        }
    }
}

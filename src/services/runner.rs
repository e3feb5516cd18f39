//! The library's door: a workflow, its inputs, and a run.

use std::sync::Arc;

use crate::document::inputs::Inputs;
use crate::document::plan::plan;
use crate::document::workflow::Workflow;
use crate::ground::clock::Clock;
use crate::ground::diagnostic::Diagnostics;
use crate::ground::value::Value;
use crate::parts::http::{Client, ClientOptions, Saved, Transport};
use crate::running::{Cancel, Context, Detail, Event, Finished, run};
use crate::services::mock::StandIns;

/// Why a workflow could not be run at all.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// It, its inputs or its mock are wrong; nothing was sent.
    #[error("{0}")]
    Refused(Diagnostics),
    /// A handler of its mock broke.
    #[error("{0}")]
    Mock(Diagnostics),
}

/// Runs a workflow from a program: see the example at the top of the crate.
#[must_use]
pub struct Runner {
    workflow: Arc<Workflow>,
    inputs: Inputs,
    env: Option<String>,
    mock: bool,
    only: Vec<String>,
    dry_run: bool,
    curl: bool,
    clock: Clock,
    cancel: Cancel,
    cookies: Saved,
    detail: Detail,
    transport: Option<Arc<dyn Transport>>,
}

impl Runner {
    /// A run of this workflow with the inputs that it finds by itself.
    pub fn new(workflow: &Arc<Workflow>) -> Self {
        Self {
            workflow: Arc::clone(workflow),
            inputs: Inputs::new(),
            env: None,
            mock: false,
            only: Vec::new(),
            dry_run: false,
            curl: false,
            clock: Clock::system(),
            cancel: Cancel::default(),
            cookies: Saved::default(),
            detail: Detail::default(),
            transport: None,
        }
    }

    /// Gives an input, as text.
    pub fn input(mut self, name: &str, value: &str) -> Self {
        self.inputs.set(name, value);
        self
    }

    /// Takes these in place of the process's environment variables.
    pub fn environment(mut self, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        self.inputs.environment(variables);
        self
    }

    /// Takes inputs from the environment file of this name, as `--env` does:
    /// `environments/NAME.yaml` beside the workflow or above it, as far as its project reaches.
    pub fn env(mut self, name: &str) -> Self {
        self.env = Some(name.to_owned());
        self
    }

    /// Runs it for a row, as one of `--data`: an object whose members are inputs by name, and which
    /// templates and scripts see as `data`. What [`Runner::input`] gives outranks it.
    pub fn data(mut self, row: impl Into<Value>) -> Self {
        self.inputs.set_row(row.into());
        self
    }

    /// Lets the workflow run commands for its inputs and read files outside its project, as
    /// `--trust` does. Workflows that it uses are read before: see [`Workflow::load_trusted`].
    pub const fn trust(mut self) -> Self {
        self.inputs.trust();
        self
    }

    /// Runs against the workflow's own mock: nothing leaves the machine.
    pub const fn mock(mut self) -> Self {
        self.mock = true;
        self.inputs.under_mock();
        self
    }

    /// Runs this step alone, and before it those that set what it needs, as `--only` does; told
    /// again, several.
    pub fn only(mut self, step: &str) -> Self {
        self.only.push(step.to_owned());
        self
    }

    /// Sends nothing and runs no script and no command: its events tell what each step would do.
    pub const fn dry_run(mut self) -> Self {
        self.dry_run = true;
        self.inputs.without_commands();
        self
    }

    /// Lets its events have a curl command for each request.
    pub const fn curl(mut self) -> Self {
        self.curl = true;
        self
    }

    /// Says what time it is.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Lets somebody stop the run.
    pub fn cancel(mut self, cancel: &Cancel) -> Self {
        self.cancel = cancel.clone();
        self
    }

    /// Begins with the cookies that another run ended with, [`Finished::cookies`]. They are read and
    /// written with serde; every one of them may be a credential.
    pub fn cookies(mut self, saved: Saved) -> Self {
        self.cookies = saved;
        self
    }

    /// How much its events tell.
    pub const fn detail(mut self, detail: Detail) -> Self {
        self.detail = detail;
        self
    }

    /// Sends everything through this, such as recorded answers.
    pub fn transport(mut self, transport: impl Transport + 'static) -> Self {
        self.transport = Some(Arc::new(transport));
        self
    }

    /// Runs it and gives back how it went.
    ///
    /// # Errors
    /// [`Error::Refused`] before anything is sent; [`Error::Mock`] where the mock itself broke.
    /// A step that fails is no error: it is in the outcome.
    pub async fn run(self) -> Result<Finished, Error> {
        self.run_with(|_| {}).await
    }

    /// Runs it and tells `sink` what happens.
    ///
    /// # Errors
    /// As [`Runner::run`].
    pub async fn run_with(mut self, sink: impl FnMut(&Event)) -> Result<Finished, Error> {
        if !self.only.is_empty() {
            let ids: Vec<&str> = self.only.iter().map(String::as_str).collect();
            let cut = self.workflow.only(&ids).map_err(|problem| Error::Refused(problem.into()))?;
            self.workflow = Arc::new(cut);
        }
        let workflows =
            if self.mock && !self.dry_run { vec![Arc::clone(&self.workflow)] } else { Vec::new() };
        if let Some(name) = &self.env {
            let used = std::slice::from_ref(&self.workflow);
            self.inputs.use_env(name, used).map_err(Error::Refused)?;
        }
        let stand_ins =
            StandIns::start(&workflows, &self.inputs, &self.clock).await.map_err(Error::Refused)?;
        stand_ins.point(&mut self.inputs);
        let plan = plan(&self.workflow, &self.inputs).map_err(Error::Refused)?;
        let only = self.mock.then(|| stand_ins.origins());
        let transport = self.transport.unwrap_or_else(|| {
            Arc::new(Client::new(ClientOptions {
                timing: self.detail >= Detail::Wire,
                only,
                ..ClientOptions::default()
            }))
        });
        let mut context = Context::new(transport);
        context.clock = self.clock;
        context.cancel = self.cancel;
        context.cookies = self.cookies;
        context.detail = self.detail;
        (context.curl, context.dry_run) = (self.curl, self.dry_run);
        context.short_secrets = context.short_secrets.filter(|_| !self.mock);
        let finished = run(&plan, &context, sink).await;
        let failures = stand_ins.failures(&finished.needles);
        if failures.0.is_empty() { Ok(finished) } else { Err(Error::Mock(failures)) }
    }
}

impl std::fmt::Debug for Runner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runner")
            .field("workflow", &self.workflow.name)
            .field("mock", &self.mock)
            .finish_non_exhaustive()
    }
}

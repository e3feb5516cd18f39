//! The mocks of a run: one server for each mock file in each state that is wanted of it, and the
//! workflows that point at it.

use std::path::PathBuf;
use std::sync::Arc;

use url::{Origin, Url};

use crate::document::inputs::Inputs;
use crate::document::workflow::{StandIn, Workflow};
use crate::ground::clock::Clock;
use crate::ground::diagnostic::{Diagnostic, Diagnostics};
use crate::ground::secret::Needles;
use crate::ground::value::Value;
use crate::parts::scope::Scope;
use crate::parts::template::Tree;
use crate::services::mock::{Mock, Running, start};

/// The running mocks of some workflows. Dropping them ends the servers.
#[derive(Default)]
pub struct StandIns {
    servers: Vec<Served>,
    /// Each workflow, and the place of its server.
    pointed: Vec<(Arc<Workflow>, usize)>,
}

/// A server, and what it was started with: workflows that want the same share it.
struct Served {
    file: PathBuf,
    state: Value,
    tls: bool,
    origin: Url,
    running: Running,
}

impl std::fmt::Debug for StandIns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.servers.iter().map(|served| &served.file)).finish()
    }
}

impl StandIns {
    /// Starts every mock that the workflows, or those that they use, name; each once.
    ///
    /// # Errors
    /// Every mistake in a mock's file, in what a workflow changes about it, and a workflow that
    /// names none.
    pub async fn start(
        workflows: &[Arc<Workflow>],
        inputs: &Inputs,
        clock: &Clock,
    ) -> Result<Self, Diagnostics> {
        let mut stand_ins = Self::default();
        let mut problems = Diagnostics::default();
        // What is run comes first: what its caller gives is for it, also where others use it.
        let used = workflows.iter().flat_map(Workflow::mocked).map(|used| (used, false));
        for (workflow, is_run) in workflows.iter().map(|run| (Arc::clone(run), true)).chain(used) {
            if is_run && workflow.mocked().next().is_none() {
                problems.push(without_mock(&workflow));
            }
            if let Err(found) = stand_ins.add(workflow, is_run, inputs, clock).await {
                problems.extend_new(found);
            }
        }
        if problems.0.is_empty() { Ok(stand_ins) } else { Err(problems) }
    }

    async fn add(
        &mut self,
        workflow: Arc<Workflow>,
        is_run: bool,
        inputs: &Inputs,
        clock: &Clock,
    ) -> Result<(), Diagnostics> {
        let Some(stand_in) = &workflow.mock else { return Ok(()) };
        if self.pointed.iter().any(|(known, _)| known.path() == workflow.path()) {
            return Ok(());
        }
        let mock = wanted(stand_in, &workflow, is_run, inputs, clock)?;
        let same = |served: &Served| {
            served.file == stand_in.file && served.tls == mock.tls && served.state == mock.state
        };
        let at = if let Some(at) = self.servers.iter().position(same) {
            at
        } else {
            self.servers.push(Served::start(stand_in.file.clone(), mock, clock).await?);
            self.servers.len() - 1
        };
        self.pointed.push((workflow, at));
        Ok(())
    }

    /// Points the inputs of the workflows at the servers.
    pub fn point(&self, inputs: &mut Inputs) {
        for (workflow, at) in &self.pointed {
            inputs.point_at(workflow, self.servers[*at].origin.clone());
        }
    }

    /// The origins of the servers: nothing else may be reached.
    #[must_use]
    pub fn origins(&self) -> Vec<Origin> {
        self.servers.iter().map(|served| served.origin.origin()).collect()
    }

    /// What broke in handlers so far, and where. They saw requests, and know of no secret in them:
    /// `needles` are those of the run that sent them.
    #[must_use]
    pub fn failures(&self, needles: &Needles) -> Diagnostics {
        let failures = self.servers.iter().flat_map(|served| served.running.failures());
        Diagnostics(failures.collect()).scrubbed(needles)
    }

    /// How much trouble there was so far: a run that begins later is not blamed for it.
    #[must_use]
    pub fn troubles(&self) -> Troubles {
        let count = |served: &Served| (served.running.failures().len(), served.running.unmatched().len());
        Troubles(self.servers.iter().map(count).collect())
    }

    /// The trouble since then: errors for handlers that broke, warnings for requests without a
    /// route. `needles` are those of the run that began then.
    #[must_use]
    pub fn trouble_since(&self, before: Troubles, needles: &Needles) -> Diagnostics {
        let mut found = Diagnostics::default();
        for (served, (broken, unmatched)) in self.servers.iter().zip(before.0) {
            found.0.extend(served.running.failures().into_iter().skip(broken));
            let lost = served.running.unmatched().into_iter().skip(unmatched);
            found.0.extend(lost.map(|seen| {
                let file = served.file.display();
                let message = format!("the mock {file} has no route for {} {}", seen.method, seen.path);
                Diagnostic::warning(message)
            }));
        }
        found.scrubbed(needles)
    }
}

impl Served {
    async fn start(file: PathBuf, mock: Mock, clock: &Clock) -> Result<Self, Diagnostic> {
        let (state, tls) = (mock.state.clone(), mock.tls);
        let running = start(mock, clock.clone()).await.map_err(|error| {
            Diagnostic::error(format!("cannot start the mock {}: {error}", file.display()))
        })?;
        let origin = Url::parse(running.origin()).map_err(|error| Diagnostic::error(error.to_string()))?;
        Ok(Self { file, state, tls, origin, running })
    }
}

fn without_mock(workflow: &Workflow) -> Diagnostic {
    let path = workflow.path().display();
    Diagnostic::error(format!("`{path}` has no `mock`, so that it cannot run with --mock"))
        .help("add `mock: mocks/NAME.yaml`, or run it without --mock")
}

/// The mock of a workflow, its state as the inputs make it.
fn wanted(
    stand_in: &StandIn,
    workflow: &Arc<Workflow>,
    is_run: bool,
    inputs: &Inputs,
    clock: &Clock,
) -> Result<Mock, Diagnostics> {
    inputs.admit_mock(stand_in, workflow)?;
    let scope = Scope::new(Needles::default(), clock.clone());
    for (name, value) in inputs.of_mock(workflow, is_run)? {
        // Nothing in a fresh scope is an input, which alone could not be set.
        let _ = scope.set(&name, value);
    }
    let value_of = |tree: &Tree| Ok(Some(tree.value(&scope)?.value));
    Mock::load_for(stand_in, &workflow.source, inputs.is_trusted(), value_of)
}

/// How much trouble each mock had at some moment.
#[derive(Debug, Clone)]
pub struct Troubles(Vec<(usize, usize)>);

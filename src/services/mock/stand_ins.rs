//! The mocks of a run: one server for each mock file, and the inputs that point at it.

use std::path::PathBuf;
use std::sync::Arc;

use url::{Origin, Url};

use crate::document::inputs::Inputs;
use crate::document::workflow::Workflow;
use crate::ground::clock::Clock;
use crate::ground::diagnostic::{Diagnostic, Diagnostics};
use crate::services::mock::{Mock, Running, start};

/// The running mocks of some workflows. Dropping them ends the servers.
#[derive(Default)]
pub struct StandIns {
    servers: Vec<(PathBuf, Url, Running)>,
}

impl std::fmt::Debug for StandIns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.servers.iter().map(|(file, ..)| file)).finish()
    }
}

impl StandIns {
    /// Starts every mock that the workflows, or those that they use, name; each once.
    ///
    /// # Errors
    /// Every mistake in a mock's file, and a workflow that names none.
    pub async fn start(workflows: &[Arc<Workflow>], clock: &Clock) -> Result<Self, Diagnostics> {
        let mut stand_ins = Self::default();
        let mut problems = Diagnostics::default();
        for workflow in workflows {
            let files = workflow.mock_files();
            if files.is_empty() {
                let message = format!(
                    "`{}` has no `mock`, so that it cannot run with --mock",
                    workflow.path().display()
                );
                problems.push(
                    Diagnostic::error(message).help("add `mock: mocks/NAME.yaml`, or run it without --mock"),
                );
            }
            for file in files {
                if let Err(found) = stand_ins.add(file, clock).await {
                    problems.0.extend(found.0);
                }
            }
        }
        if problems.0.is_empty() { Ok(stand_ins) } else { Err(problems) }
    }

    async fn add(&mut self, file: PathBuf, clock: &Clock) -> Result<(), Diagnostics> {
        if self.servers.iter().any(|(known, ..)| *known == file) {
            return Ok(());
        }
        let mock = Mock::load(&file)?;
        let running = start(mock, clock.clone()).await.map_err(|error| {
            Diagnostic::error(format!("cannot start the mock {}: {error}", file.display()))
        })?;
        let origin = Url::parse(running.origin()).map_err(|error| Diagnostic::error(error.to_string()))?;
        self.servers.push((file, origin, running));
        Ok(())
    }

    /// Points the inputs of the workflows at the servers.
    pub fn point(&self, inputs: &mut Inputs) {
        for (file, origin, _) in &self.servers {
            inputs.point_at(file, origin.clone());
        }
    }

    /// The origins of the servers: nothing else may be reached.
    #[must_use]
    pub fn origins(&self) -> Vec<Origin> {
        self.servers.iter().map(|(_, origin, _)| origin.origin()).collect()
    }

    /// What broke in handlers so far, and where.
    #[must_use]
    pub fn failures(&self) -> Vec<Diagnostic> {
        self.servers.iter().flat_map(|(.., running)| running.failures()).collect()
    }

    /// How much trouble there was so far: a run that begins later is not blamed for it.
    #[must_use]
    pub fn troubles(&self) -> Troubles {
        let count =
            |(.., running): &(PathBuf, Url, Running)| (running.failures().len(), running.unmatched().len());
        Troubles(self.servers.iter().map(count).collect())
    }

    /// The trouble since then: errors for handlers that broke, warnings for requests without a
    /// route.
    #[must_use]
    pub fn trouble_since(&self, before: Troubles) -> Diagnostics {
        let mut found = Diagnostics::default();
        for ((file, _, running), (broken, unmatched)) in self.servers.iter().zip(before.0) {
            found.0.extend(running.failures().into_iter().skip(broken));
            let lost = running.unmatched().into_iter().skip(unmatched);
            found.0.extend(lost.map(|seen| {
                let message =
                    format!("the mock {} has no route for {} {}", file.display(), seen.method, seen.path);
                Diagnostic::warning(message)
            }));
        }
        found
    }
}

/// How much trouble each mock had at some moment.
#[derive(Debug, Clone)]
pub struct Troubles(Vec<(usize, usize)>);

//! The mocks of a call: one server for each mock file, shared by the workflows that name it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use url::{Origin, Url};

use crate::document::Workflow;
use crate::ground::clock::Clock;
use crate::ground::diagnostic::{Diagnostic, Diagnostics};
use crate::ground::source::Spanned;
use crate::services::mock::{self, Mock, Running};

/// The servers that are up, by the real paths of their files.
#[derive(Default)]
pub struct Mocks {
    running: HashMap<PathBuf, Arc<Running>>,
}

/// A server as one workflow sees it.
#[derive(Clone)]
pub struct Stand {
    /// The server.
    pub running: Arc<Running>,
    /// Where it listens.
    pub origin: Url,
    /// The inputs that point at it; `None` for every one that is an http or https URL.
    pub replaces: Option<Vec<Spanned<Arc<str>>>>,
}

impl Mocks {
    /// The server for a workflow, started if it is the first that wants it.
    ///
    /// # Errors
    /// A workflow that names no mock, a mock with mistakes, a port that cannot be bound.
    pub async fn stand(&mut self, workflow: &Workflow) -> Result<Stand, Diagnostics> {
        let file = file(workflow).ok_or_else(|| none(workflow))?;
        let key = file.canonicalize().unwrap_or_else(|_| file.clone());
        let running = match self.running.get(&key) {
            Some(running) => Arc::clone(running),
            None => self.start(key, Mock::load(&file)?).await?,
        };
        let origin = Url::parse(running.origin()).map_err(|error| broken(&error.to_string()))?;
        let replaces = workflow
            .mock
            .as_ref()
            .and_then(|spec| spec.replaces.clone());
        Ok(Stand {
            running,
            origin,
            replaces,
        })
    }

    /// The only origins that anything may be sent to.
    #[must_use]
    pub fn origins(&self) -> Vec<Origin> {
        self.running
            .values()
            .filter_map(|running| Url::parse(running.origin()).ok())
            .map(|url| url.origin())
            .collect()
    }

    async fn start(&mut self, key: PathBuf, mock: Mock) -> Result<Arc<Running>, Diagnostics> {
        let running = mock::start(mock, Clock::system())
            .await
            .map_err(|error| broken(&error.to_string()))?;
        let running = Arc::new(running);
        self.running.insert(key, Arc::clone(&running));
        Ok(running)
    }
}

impl Stand {
    /// How many of its handlers broke so far: a run that began later is not blamed for those.
    #[must_use]
    pub fn broken_so_far(&self) -> usize {
        self.running.failures().len()
    }

    /// How many requests no route was meant for so far.
    #[must_use]
    pub fn unmatched_so_far(&self) -> usize {
        self.running.unmatched().len()
    }

    /// What went wrong in it since then: errors for handlers that broke, warnings for requests
    /// without a route.
    #[must_use]
    pub fn trouble(&self, broken: usize, unmatched: usize) -> Diagnostics {
        let lost = self
            .running
            .unmatched()
            .into_iter()
            .skip(unmatched)
            .map(|seen| {
                Diagnostic::warning(format!(
                    "the mock has no route for {} {}",
                    seen.method, seen.path
                ))
            });
        let failures = self.running.failures().into_iter().skip(broken);
        Diagnostics(failures.chain(lost).collect())
    }
}

/// The mock of a workflow, if it names one.
///
/// # Errors
/// All the mistakes in it.
pub fn load(workflow: &Workflow) -> Result<Option<Mock>, Diagnostics> {
    file(workflow).map(|file| Mock::load(&file)).transpose()
}

/// Paths are relative to the file that names them.
fn file(workflow: &Workflow) -> Option<PathBuf> {
    let file: &Path = &workflow.mock.as_ref()?.file;
    Some(workflow.source.folder().join(file))
}

fn none(workflow: &Workflow) -> Diagnostic {
    Diagnostic::error(format!(
        "{} has no mock, so that it cannot be run with --mock",
        workflow.source.name()
    ))
    .help("name one at its top: `mock: mocks/name.yaml`, or run it without --mock")
}

fn broken(why: &str) -> Diagnostics {
    Diagnostic::error(format!("cannot start the mock: {why}")).into()
}

//! What the caller gives, and how it becomes the inputs of a workflow.
//!
//! Nothing is read for a value unless the file declares it, and nothing that no part of the workflow
//! can read: an environment variable, a file and a command are named by an input. All that is
//! missing is told at once.

mod missing;
mod search;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use indexmap::IndexMap;
use url::Url;

use crate::document::environment::{self, Environment};
use crate::document::outside::Outside;
use crate::document::rows::Row;
use crate::document::workflow::{Input, StandIn, Workflow};
use crate::ground::diagnostic::{Diagnostic, Diagnostics};
use crate::ground::secret::Marked;
use crate::ground::source::Source;
use crate::ground::value::Value;

pub(super) use search::Search;

/// The values of a workflow's inputs, in the order in which they are declared.
pub type Resolved = IndexMap<Arc<str>, Marked<Value>>;

/// What the caller gives.
#[derive(Clone, Default)]
pub struct Inputs {
    given: IndexMap<Arc<str>, Arc<str>>,
    /// Those of them that are secrets, whatever the workflow says.
    hidden: HashSet<Arc<str>>,
    row: Option<Row>,
    under_mock: bool,
    /// By the workflows that they are for.
    mocks: HashMap<PathBuf, Url>,
    env_name: Option<Arc<str>>,
    /// By the folder of the workflows that they are for.
    environments: HashMap<PathBuf, Arc<Environment>>,
    outside: Outside,
    without_commands: bool,
}

impl fmt::Debug for Inputs {
    /// Names, no values: any of them may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inputs").field("given", &self.given.keys()).finish_non_exhaustive()
    }
}

impl Inputs {
    /// Nothing yet: every input comes from where its workflow says.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives an input of the workflow that is run, as text.
    pub fn set(&mut self, name: &str, value: &str) {
        self.given.insert(name.into(), value.into());
    }

    /// The same for a value that is a secret, whatever the workflow says of its input.
    pub fn set_secret(&mut self, name: &str, value: &str) {
        self.set(name, value);
        self.hidden.insert(name.into());
    }

    /// Gives a row, as one of `--data`: an object whose members are inputs by name, and which is
    /// `data` in templates and scripts.
    pub fn set_row(&mut self, value: Value) {
        self.row = Some(Row { number: 1, place: "the row".to_owned(), value });
    }

    /// The row that was given.
    #[must_use]
    pub const fn row(&self) -> Option<&Row> {
        self.row.as_ref()
    }

    /// Takes these in place of the process's environment variables.
    pub fn environment(&mut self, variables: impl IntoIterator<Item = (String, String)>) {
        self.outside.variables = Some(variables.into_iter().collect());
    }

    /// Lets workflows, and their environment files, run commands and name files outside their project.
    pub const fn trust(&mut self) {
        self.outside.trusted = true;
    }

    /// Whether that is so.
    #[must_use]
    pub const fn is_trusted(&self) -> bool {
        self.outside.trusted
    }

    /// Runs no command for an input: one that only a command could give has no value then.
    pub const fn without_commands(&mut self) {
        self.without_commands = true;
    }

    /// Takes what the workflows say of themselves under a mock: `inputs` there outranks their own
    /// sources, and what `replaces` names needs none.
    pub const fn under_mock(&mut self) {
        self.under_mock = true;
    }

    /// Points the inputs of a workflow at a server that stands in.
    pub fn point_at(&mut self, workflow: &Workflow, origin: Url) {
        self.mocks.insert(workflow.path().to_owned(), origin);
    }

    /// Whether the mock of a workflow may be read: one outside its project needs trust.
    ///
    /// # Errors
    /// It lies outside.
    pub fn admit_mock(&self, mock: &StandIn, workflow: &Workflow) -> Result<(), Diagnostic> {
        self.outside.admit(&mock.file, &workflow.source).map_err(|why| {
            let problem = why.diagnostic(&format!("cannot use the mock `{}`", mock.file.display()));
            problem.at(&workflow.source, mock.span)
        })
    }

    /// The inputs that the state of a workflow's mock reads, before there is a server to point
    /// any of them at. What the caller gives is for the workflow that is run, not for one it uses.
    ///
    /// # Errors
    /// Every one of them that is missing or wrong.
    pub fn of_mock(&self, workflow: &Arc<Workflow>, is_run: bool) -> Result<Resolved, Diagnostics> {
        let mut read: Vec<String> = Vec::new();
        workflow.mock.iter().for_each(|mock| mock.reads(&mut |mention| read.push(mention.name().to_owned())));
        let others: Vec<&str> =
            workflow.input_names().filter(|name| read.iter().all(|known| known != name)).collect();
        let mut search = Search::new(self, workflow);
        let resolved = search.of_mock(workflow, is_run, &others);
        search.finish().map(|()| resolved)
    }

    /// Reads the environment files of this name for all these workflows and those that they use.
    ///
    /// # Errors
    /// A name that is none, one for which no workflow finds a file, and every mistake in the files.
    pub fn use_env(&mut self, name: &str, workflows: &[Arc<Workflow>]) -> Result<(), Diagnostics> {
        environment::plain(name)?;
        let mut loaded: HashMap<PathBuf, Option<Arc<Environment>>> = HashMap::new();
        let mut problems = Diagnostics::default();
        let tree: Vec<Arc<Workflow>> = workflows.iter().flat_map(Workflow::tree).collect();
        for workflow in &tree {
            let folder = workflow.source.folder();
            if self.environments.contains_key(folder) {
                continue;
            }
            let Some(file) = environment::find(name, &workflow.source) else { continue };
            let found = loaded.entry(file.clone()).or_insert_with(|| {
                let read = self.load_env(&file, &workflow.source);
                read.map_err(|found| problems.0.extend(found.0)).ok()
            });
            if let Some(found) = found {
                self.environments.insert(folder.to_owned(), Arc::clone(found));
            }
        }
        if loaded.is_empty() {
            return Err(environment::unknown(name, tree.iter().map(|workflow| &*workflow.source)).into());
        }
        self.env_name = Some(name.into());
        if problems.has_errors() { Err(problems) } else { Ok(()) }
    }

    fn load_env(&self, file: &Path, source: &Source) -> Result<Arc<Environment>, Diagnostics> {
        let refused = self.outside.admit(file, source);
        refused.map_err(|why| why.diagnostic(&format!("cannot read {}", file.display())))?;
        Environment::load(file)
    }

    /// The stand-in of a workflow, where there are any.
    fn mock<'w>(&self, workflow: &'w Workflow) -> Option<&'w StandIn> {
        workflow.mock.as_ref().filter(|_| self.under_mock)
    }

    /// Under a mock, an http URL keeps its path and gets the mock's origin; what is named needs no
    /// value at all. Where no server was started, in a dry run, it stays as it is.
    fn mocked(&self, input: &Input, value: Option<Value>, workflow: &Workflow) -> Option<Value> {
        let Some(mock) = self.mock(workflow) else { return value };
        let origin = self.mocks.get(workflow.path());
        let name = &input.name.value;
        let named = mock.replaces.as_ref().map(|names| names.iter().any(|known| known.value == *name));
        let Some(value) = value else {
            let nowhere = || format!("https://{}.invalid", name.replace('_', "-"));
            return (named == Some(true)).then(|| origin.map_or_else(nowhere, bare).into());
        };
        let url = value
            .as_str()
            .and_then(|text| Url::parse(text).ok())
            .filter(|url| matches!(url.scheme(), "http" | "https"));
        Some(match (origin, named, url) {
            (None, ..) | (_, Some(false), _) | (_, None, None) => value,
            (Some(origin), Some(true), None) => bare(origin).into(),
            (Some(origin), _, Some(url)) => {
                let rest = &url[url::Position::BeforePath..];
                let ends_so = value.as_str().is_some_and(|text| text.ends_with('/'));
                let rest = if ends_so { rest } else { rest.trim_end_matches('/') };
                format!("{}{rest}", bare(origin)).into()
            }
        })
    }
}

/// An origin without the slash at its end.
fn bare(origin: &Url) -> String {
    origin.as_str().trim_end_matches('/').to_owned()
}

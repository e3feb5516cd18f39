//! What the caller gives, and how it becomes the inputs of a workflow.
//!
//! Nothing is read for a value unless the file declares it, and nothing that no part of the workflow
//! can read: an environment variable, a file and a command are named by an input. All that is
//! missing is told at once.

mod missing;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use indexmap::IndexMap;
use url::Url;

use crate::document::environment::{self, Entry, Environment, Whence};
use crate::document::inputs::missing::{Lacking, missing_inputs, source_of, unknown_input};
use crate::document::outside::Outside;
use crate::document::rows::Row;
use crate::document::workflow::{Input, NamesRead, StandIn, Workflow};
use crate::ground::diagnostic::{Diagnostic, Diagnostics};
use crate::ground::secret::{Marked, Marks};
use crate::ground::source::Source;
use crate::ground::value::Value;
use crate::parts::http::RequestSpec;

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
        let givers = Givers {
            given: is_run.then_some(&self.given),
            row: None,
            environments: search.environment.into_iter().collect(),
        };
        let resolved = search.resolve(workflow, &NamesRead::of(workflow), &givers, &others);
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

/// What an input is that nobody gives.
fn default(input: &Input) -> Option<Value> {
    input.default.clone().or_else(|| (!input.required).then_some(Value::Null))
}

/// An origin without the slash at its end.
fn bare(origin: &Url) -> String {
    origin.as_str().trim_end_matches('/').to_owned()
}

/// The search for the inputs of one run: of its workflow, and of all that it uses. What is wrong is
/// told when it has ended, all at once.
pub(super) struct Search<'i> {
    inputs: &'i Inputs,
    /// The environment of the workflow that is run; it reaches those that are used.
    environment: Option<&'i Arc<Environment>>,
    problems: Diagnostics,
    missing: Vec<Lacking>,
}

/// What came of looking for one input.
enum Found {
    /// A value, and whether its source says that it is a secret.
    Value(Value, bool),
    /// Nobody gives it; what an environment file names for it is not there.
    Missing(Vec<String>),
    /// Nobody reads it, so that nothing outside was asked.
    Unread,
}

/// Who gives an input before its own sources do.
struct Givers<'g> {
    given: Option<&'g IndexMap<Arc<str>, Arc<str>>>,
    row: Option<&'g Row>,
    environments: Vec<&'g Arc<Environment>>,
}

impl<'i> Search<'i> {
    /// Begins to search for the inputs of a workflow that is run.
    pub(super) fn new(inputs: &'i Inputs, workflow: &Workflow) -> Self {
        let environment = inputs.environments.get(workflow.source.folder());
        Self { inputs, environment, problems: Diagnostics::default(), missing: Vec::new() }
    }

    /// The name of the environment.
    pub(super) fn env_name(&self) -> Option<Arc<str>> {
        self.inputs.env_name.clone()
    }

    /// The inputs of the workflow that is run; `reads` are the names that something in it may read.
    pub(super) fn given(
        &mut self,
        workflow: &Arc<Workflow>,
        reads: &NamesRead,
        row: Option<&Row>,
    ) -> Resolved {
        for name in self.inputs.given.keys() {
            if workflow.inputs.iter().all(|input| input.name.value != *name) {
                self.problems.push(unknown_input(name, workflow));
            }
        }
        if let Some(row) = row.filter(|row| row.value.as_object().is_none()) {
            self.problems.push(Diagnostic::error(format!("{} is not an object", row.place)));
        }
        let environments = self.environment.into_iter().collect();
        let givers = Givers { given: Some(&self.inputs.given), row, environments };
        self.resolve(workflow, reads, &givers, &[])
    }

    /// The inputs of a workflow that is used: what `with` gives is not looked for. Its user's
    /// environment outranks its own.
    pub(super) fn used(&mut self, workflow: &Arc<Workflow>, reads: &NamesRead, with: &[&str]) -> Resolved {
        let own = self.inputs.environments.get(workflow.source.folder());
        let environments = self.environment.into_iter().chain(own).collect();
        self.resolve(workflow, reads, &Givers { given: None, row: None, environments }, with)
    }

    /// A workflow may send what lies in its project. Reading cannot know whether it is trusted with
    /// more, so that it is refused here, before anything is sent.
    pub(super) fn admit_files(&mut self, request: &RequestSpec, workflow: &Workflow) {
        for file in request.files() {
            if let Err(why) = self.inputs.outside.admit(file.path(), &workflow.source) {
                let problem = why.diagnostic(&format!("cannot send the file `{}`", file.written()));
                self.problems.push(problem.at(&workflow.source, file.span()));
            }
        }
    }

    /// Tells all that is wrong, if anything is.
    pub(super) fn finish(mut self) -> Result<(), Diagnostics> {
        self.problems.0.extend(missing_inputs(&self.missing));
        if self.problems.has_errors() { Err(self.problems) } else { Ok(()) }
    }

    fn resolve(
        &mut self,
        workflow: &Arc<Workflow>,
        reads: &NamesRead,
        givers: &Givers<'_>,
        with: &[&str],
    ) -> Resolved {
        let mut resolved = Resolved::with_capacity(workflow.inputs.len());
        for (at, input) in workflow.inputs.iter().enumerate() {
            let name = &input.name.value;
            if with.contains(&&**name) {
                continue;
            }
            match self.value_of(input, workflow, reads, givers) {
                Ok(Found::Value(value, secret)) => {
                    let value = self.inputs.mocked(input, Some(value), workflow).unwrap_or_default();
                    let is_secret = input.secret || secret;
                    let marks = if is_secret { Marks::secret(Arc::clone(name)) } else { Marks::NONE };
                    resolved.insert(Arc::clone(name), Marked::new(value, marks));
                }
                Ok(Found::Missing(_)) if self.inputs.mocked(input, None, workflow).is_some() => {
                    let value = self.inputs.mocked(input, None, workflow).unwrap_or_default();
                    resolved.insert(Arc::clone(name), Marked::plain(value));
                }
                Ok(Found::Missing(tried)) => {
                    self.missing.push(Lacking { workflow: Arc::clone(workflow), at, tried });
                }
                Ok(Found::Unread) => {}
                Err(problem) => self.problems.push(problem),
            }
        }
        resolved
    }

    /// Source, high to low: what the caller gave, the row, the environment file, the mock under
    /// which it runs, the input's own sources, the default.
    fn value_of(
        &self,
        input: &Input,
        workflow: &Workflow,
        reads: &NamesRead,
        givers: &Givers<'_>,
    ) -> Result<Found, Diagnostic> {
        let name = &input.name.value;
        let here = |problem: Diagnostic| problem.at(&workflow.source, input.name.span);
        let taken = |value: Value, whence: &str, secret: bool| {
            let wrong = |why: String| {
                here(Diagnostic::error(format!("the input `{name}` {why}; it came from {whence}")))
            };
            let value = input.kind.accept(&value).map_err(wrong)?;
            input
                .refuse_choice(&value, input.secret || secret)
                .map_err(|(why, help)| wrong(why).help(help))?;
            Ok(Found::Value(value, secret))
        };
        if let Some(text) = givers.given.and_then(|given| given.get(name)) {
            let hidden = self.inputs.hidden.contains(name);
            return taken(Value::String(Arc::clone(text)), "the command line", hidden);
        }
        if let Some(row) = givers.row
            && let Some(value) = row.value.get(name)
        {
            return taken(value.clone(), &row.place, false);
        }
        let mut tried = Vec::new();
        for environment in &givers.environments {
            let Some(entry) = environment.get(name) else { continue };
            tried.extend(source_of(entry, environment));
            if let Whence::Value(value) = &entry.from {
                let problem = |problem: Diagnostic| at_entry(problem, entry, environment, input.secret);
                return taken(value.clone(), "the environment file", entry.secret).map_err(problem);
            }
            if !reads.has(name) {
                return Ok(Found::Unread);
            }
            if self.inputs.without_commands && matches!(entry.from, Whence::Command(_)) {
                return Ok(Found::Unread);
            }
            if let Some((text, whence)) = self.entry(entry, environment, (input, workflow))? {
                return taken(Value::String(text), &whence, entry.secret);
            }
        }
        if let Some(value) = self.inputs.mock(workflow).and_then(|mock| mock.input(name)) {
            return taken(value.clone(), "`inputs` of its mock", false);
        }
        if input.is_looked_for() && !reads.has(name) {
            return Ok(Found::Unread);
        }
        if let Some((text, whence)) = self.own(input, workflow).map_err(here)? {
            return taken(Value::String(text), &whence, false);
        }
        if self.inputs.without_commands && input.command.is_some() {
            return Ok(Found::Unread);
        }
        Ok(default(input).map_or(Found::Missing(tried), |value| Found::Value(value, false)))
    }

    /// What the input's own sources give, and which of them it was.
    fn own(&self, input: &Input, workflow: &Workflow) -> Result<Option<(Arc<str>, String)>, Diagnostic> {
        let outside = &self.inputs.outside;
        let name = &input.name.value;
        if let Some(variable) = &input.env
            && let Some(text) = outside.variable(variable)
        {
            return Ok(Some((text.into(), format!("the environment variable {variable}"))));
        }
        if let Some(file) = &input.file {
            let what = format!("cannot read the file of the input `{name}`: {}", file.display());
            let came = outside.file(file, &workflow.source).map_err(|why| why.diagnostic(&what))?;
            if let Some(text) = came {
                return Ok(Some((text, format!("the file {}", file.display()))));
            }
        }
        let Some(command) = &input.command.as_ref().filter(|_| !self.inputs.without_commands) else {
            return Ok(None);
        };
        let what = format!("the command of the input `{name}`: {}", command.name());
        let came = outside.command(command, &self.hidden_from(workflow));
        let came = came.map_err(|why| why.diagnostic(&what))?;
        Ok(came.map(|text| (text, format!("the command {}", command.name()))))
    }

    /// The variables of the secrets that a workflow names: a command that gives one of them needs no
    /// other.
    fn hidden_from<'w>(&self, workflow: &'w Workflow) -> Vec<&'w str>
    where
        'i: 'w,
    {
        let own = workflow.inputs.iter().filter(|input| input.secret);
        let own = own.filter_map(|input| input.env.as_deref());
        let secret = |entry: &Entry| {
            let named = |input: &Input| input.secret && input.name.value == entry.name.value;
            entry.secret || workflow.inputs.iter().any(named)
        };
        let entries = self.environment.iter().flat_map(|environment| &environment.entries);
        let given = entries.filter(|entry| secret(entry)).filter_map(|entry| match &entry.from {
            Whence::Env(variable) => Some(variable.as_ref()),
            _ => None,
        });
        own.chain(given).collect()
    }

    /// What an entry of an environment file gives, and which source it was.
    fn entry(
        &self,
        entry: &Entry,
        environment: &Environment,
        (input, workflow): (&Input, &Workflow),
    ) -> Result<Option<(Arc<str>, String)>, Diagnostic> {
        let outside = &self.inputs.outside;
        let name = &entry.name.value;
        let problem = |problem: Diagnostic| at_entry(problem, entry, environment, input.secret);
        match &entry.from {
            Whence::Value(_) => Ok(None),
            Whence::Env(variable) => {
                let text = outside.variable(variable);
                Ok(text.map(|text| (text.into(), format!("the environment variable {variable}"))))
            }
            Whence::File(file) => {
                let what = format!("cannot read the file of `{name}`: {}", file.display());
                let came = outside.file(file, &environment.source);
                let came = came.map_err(|why| problem(why.diagnostic(&what)))?;
                Ok(came.map(|text| (text, format!("the file {}", file.display()))))
            }
            Whence::Command(command) => {
                let what = format!("the command of `{name}`: {}", command.name());
                let came = outside.command(command, &self.hidden_from(workflow));
                let came = came.map_err(|why| problem(why.diagnostic(&what)))?;
                Ok(came.map(|text| (text, format!("the command {}", command.name()))))
            }
        }
    }
}

/// A problem at the place of an entry, which is not shown where the workflow calls it a secret.
fn at_entry(problem: Diagnostic, entry: &Entry, environment: &Environment, is_secret: bool) -> Diagnostic {
    if is_secret && matches!(entry.from, Whence::Value(_)) {
        environment.source.hide(entry.span);
    }
    problem.at(&environment.source, entry.span)
}

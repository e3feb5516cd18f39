//! What the caller gives, and how it becomes the inputs of a workflow.
//!
//! Nothing is read for a value unless the file declares it: an environment variable and a file are
//! named by an input. All that is missing is told at once.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use indexmap::IndexMap;
use url::Url;

use crate::document::workflow::{Input, Workflow};
use crate::ground::diagnostic::{Diagnostic, Diagnostics, did_you_mean};
use crate::ground::secret::{Marked, Marks};
use crate::ground::source::{Source, in_project};
use crate::ground::value::Value;

/// The largest file that an input may name, in bytes.
const MAX_FILE: u64 = 1024 * 1024;

/// What to do about a file outside the project.
pub(super) const TRUST: &str = "if the workflow is to be trusted with it, say --trust or REQCHAIN_TRUST=1";

/// The values of a workflow's inputs, in the order in which they are declared.
pub type Resolved = IndexMap<Arc<str>, Marked<Value>>;

/// What the caller gives.
#[derive(Clone, Default)]
pub struct Inputs {
    given: IndexMap<Arc<str>, Arc<str>>,
    mocks: HashMap<PathBuf, Url>,
    environment: Option<HashMap<String, String>>,
    trusted: bool,
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

    /// Takes these in place of the process's environment variables.
    pub fn environment(&mut self, variables: impl IntoIterator<Item = (String, String)>) {
        self.environment = Some(variables.into_iter().collect());
    }

    /// Lets workflows name files outside their project.
    pub const fn trust(&mut self) {
        self.trusted = true;
    }

    /// Whether a workflow may name this file: it lies in its project, or the workflow is trusted.
    ///
    /// # Errors
    /// Where the file cannot be found.
    pub(super) fn admits(&self, file: &Path, source: &Source) -> std::io::Result<bool> {
        Ok(self.trusted || in_project(file, source)?)
    }

    /// Points the inputs of every workflow that names the mock `file` at a server that stands in.
    pub fn point_at(&mut self, file: &Path, origin: Url) {
        self.mocks.insert(file.to_owned(), origin);
    }

    /// The value of each input of the workflow that is run.
    ///
    /// # Errors
    /// Every input that is missing, wrong, or unknown.
    pub fn resolve(&self, workflow: &Workflow) -> Result<Resolved, Diagnostics> {
        let mut problems = Diagnostics::default();
        for name in self.given.keys() {
            if workflow.inputs.iter().all(|input| input.name.value != *name) {
                let names: Vec<&str> = workflow.inputs.iter().map(|input| &*input.name.value).collect();
                let message = format!("`{}` has no input `{name}`", workflow.name);
                let help = did_you_mean(name, names.iter().copied());
                let list = if names.is_empty() {
                    "it has no inputs".to_owned()
                } else {
                    format!("its inputs are {}", names.join(", "))
                };
                problems.push(Diagnostic::error(message).help(help.unwrap_or(list)));
            }
        }
        let resolved = self.resolve_with(workflow, &|name| self.given.get(name).cloned(), &[], &mut problems);
        if problems.has_errors() { Err(problems) } else { Ok(resolved) }
    }

    /// The inputs of a workflow that is used: what `with` gives is not looked for.
    ///
    /// # Errors
    /// Every input that is missing or wrong.
    pub fn resolve_used(&self, workflow: &Workflow, with: &[&str]) -> Result<Resolved, Diagnostics> {
        let mut problems = Diagnostics::default();
        let resolved = self.resolve_with(workflow, &|_| None, with, &mut problems);
        if problems.has_errors() { Err(problems) } else { Ok(resolved) }
    }

    fn resolve_with(
        &self,
        workflow: &Workflow,
        given: &dyn Fn(&str) -> Option<Arc<str>>,
        with: &[&str],
        problems: &mut Diagnostics,
    ) -> Resolved {
        let mut resolved = Resolved::new();
        let mut missing = Vec::new();
        for input in workflow.inputs.iter().filter(|input| !with.contains(&&*input.name.value)) {
            match self.source_of(input, given(&input.name.value), workflow) {
                Ok(Some(value)) => {
                    let value = self.mocked(input, value, workflow);
                    let marks =
                        if input.secret { Marks::secret(Arc::clone(&input.name.value)) } else { Marks::NONE };
                    resolved.insert(Arc::clone(&input.name.value), Marked::new(value, marks));
                }
                Ok(None) => missing.push(input),
                Err(problem) => problems.push(problem),
            }
        }
        if let Some(problem) = missing_inputs(&missing, workflow) {
            problems.push(problem);
        }
        resolved
    }

    /// Source, high to low: what the caller gave, the environment variable, the file, the default.
    fn source_of(
        &self,
        input: &Input,
        given: Option<Arc<str>>,
        workflow: &Workflow,
    ) -> Result<Option<Value>, Diagnostic> {
        let read = |text: &str, whence: &str| {
            input.kind.read(text).map(Some).map_err(|why| {
                let message = format!("the input `{}` {why}; it came from {whence}", input.name.value);
                Diagnostic::error(message).at(&workflow.source, input.name.span)
            })
        };
        if let Some(text) = given {
            return read(&text, "the command line");
        }
        if let Some(name) = &input.env
            && let Some(text) = self.variable(name)
        {
            return read(&text, &format!("the environment variable {name}"));
        }
        if let Some(file) = &input.file {
            let text = self.read_file(file, input, workflow)?;
            if let Some(text) = text {
                return read(&text, &format!("the file {}", file.display()));
            }
        }
        match &input.default {
            Some(value) => Ok(Some(value.clone())),
            None if !input.required => Ok(Some(Value::Null)),
            None => Ok(None),
        }
    }

    /// An empty variable counts as not set.
    fn variable(&self, name: &str) -> Option<String> {
        let value = match &self.environment {
            Some(variables) => variables.get(name).cloned(),
            None => std::env::var(name).ok(),
        };
        value.filter(|value| !value.is_empty())
    }

    /// A file's content; its last line break is cut. A file that is not there gives nothing, so that
    /// its input is told among all that are missing.
    fn read_file(
        &self,
        file: &Path,
        input: &Input,
        workflow: &Workflow,
    ) -> Result<Option<String>, Diagnostic> {
        let refused = |why: String| {
            let message = format!(
                "cannot read the file of the input `{}`: {}: {why}",
                input.name.value,
                file.display()
            );
            Diagnostic::error(message).at(&workflow.source, input.name.span)
        };
        let meta = match std::fs::metadata(file) {
            Ok(meta) => meta,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(refused(error.to_string())),
        };
        if !self.admits(file, &workflow.source).map_err(|error| refused(error.to_string()))? {
            return Err(refused("it is outside the project".to_owned()).help(TRUST));
        }
        if !meta.is_file() {
            return Err(refused("not a regular file".to_owned()));
        }
        if meta.len() > MAX_FILE {
            return Err(refused(format!("it has {} bytes, more than {MAX_FILE}", meta.len())));
        }
        let text = std::fs::read_to_string(file).map_err(|error| refused(error.to_string()))?;
        let text =
            text.strip_suffix('\n').map_or(text.as_str(), |text| text.strip_suffix('\r').unwrap_or(text));
        Ok(Some(text.to_owned()))
    }

    /// Under a mock, an http URL keeps its path and gets the mock's origin.
    fn mocked(&self, input: &Input, value: Value, workflow: &Workflow) -> Value {
        let Some(mock) = &workflow.mock else { return value };
        let Some(origin) = self.mocks.get(&mock.file) else { return value };
        let named =
            mock.replaces.as_ref().map(|names| names.iter().any(|name| name.value == input.name.value));
        let url = value
            .as_str()
            .and_then(|text| Url::parse(text).ok())
            .filter(|url| matches!(url.scheme(), "http" | "https"));
        match (named, url) {
            (Some(false), _) | (None, None) => value,
            (Some(true), None) => origin.as_str().trim_end_matches('/').into(),
            (_, Some(url)) => {
                let rest = &url[url::Position::BeforePath..];
                let rest = if value.as_str().is_some_and(|text| !text.ends_with('/')) {
                    rest.trim_end_matches('/')
                } else {
                    rest
                };
                format!("{}{rest}", origin.as_str().trim_end_matches('/')).into()
            }
        }
    }
}

/// All missing inputs in one error.
fn missing_inputs(missing: &[&Input], workflow: &Workflow) -> Option<Diagnostic> {
    let first = missing.first()?;
    let names: Vec<_> = missing.iter().map(|input| format!("`{}`", input.name.value)).collect();
    let what = if missing.len() == 1 { "an input is missing" } else { "inputs are missing" };
    let mut problem =
        Diagnostic::error(format!("{what}: {}", names.join(", "))).at(&workflow.source, first.name.span);
    for input in missing {
        let mut ways = vec![format!("--input {}=…", input.name.value)];
        ways.extend(input.env.iter().map(|env| format!("the environment variable {env}")));
        ways.extend(input.file.iter().map(|file| format!("the file {}, which is not there", file.display())));
        let about = input.description.as_ref().map(|about| format!(" ({about})")).unwrap_or_default();
        problem = problem.note(format!("`{}`{about}: {}", input.name.value, ways.join(" or ")));
    }
    Some(problem.help("give each of them in one of the ways told"))
}

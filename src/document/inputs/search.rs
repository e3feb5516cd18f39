//! The search for the values of inputs: who is asked for each, in which order, and what is refused.

use std::sync::Arc;

use indexmap::IndexMap;

use crate::document::environment::{Entry, Environment, Whence};
use crate::document::inputs::missing::{Lacking, missing_inputs, source_of, unknown_input};
use crate::document::inputs::{Inputs, Resolved};
use crate::document::rows::Row;
use crate::document::workflow::{Input, NamesRead, Workflow};
use crate::ground::diagnostic::{Diagnostic, Diagnostics};
use crate::ground::secret::{Marked, Marks};
use crate::ground::value::Value;
use crate::parts::http::RequestSpec;

/// The search for the inputs of one run: of its workflow, and of all that it uses. What is wrong is
/// told when it has ended, all at once.
pub(in crate::document) struct Search<'i> {
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
    pub(in crate::document) fn new(inputs: &'i Inputs, workflow: &Workflow) -> Self {
        let environment = inputs.environments.get(workflow.source.folder());
        Self { inputs, environment, problems: Diagnostics::default(), missing: Vec::new() }
    }

    /// The name of the environment.
    pub(in crate::document) fn env_name(&self) -> Option<Arc<str>> {
        self.inputs.env_name.clone()
    }

    /// The inputs of the workflow that is run; `reads` are the names that something in it may read.
    pub(in crate::document) fn given(
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
    pub(in crate::document) fn used(
        &mut self,
        workflow: &Arc<Workflow>,
        reads: &NamesRead,
        with: &[&str],
    ) -> Resolved {
        let own = self.inputs.environments.get(workflow.source.folder());
        let environments = self.environment.into_iter().chain(own).collect();
        self.resolve(workflow, reads, &Givers { given: None, row: None, environments }, with)
    }

    /// The inputs that a mock reads; what the caller gives is for the workflow that is run alone.
    pub(super) fn of_mock(&mut self, workflow: &Arc<Workflow>, is_run: bool, others: &[&str]) -> Resolved {
        let given = is_run.then_some(&self.inputs.given);
        let givers = Givers { given, row: None, environments: self.environment.into_iter().collect() };
        self.resolve(workflow, &NamesRead::of(workflow), &givers, others)
    }

    /// A workflow may send what lies in its project. Reading cannot know whether it is trusted with
    /// more, so that it is refused here, before anything is sent.
    pub(in crate::document) fn admit_files(&mut self, request: &RequestSpec, workflow: &Workflow) {
        for file in request.files() {
            if let Err(why) = self.inputs.outside.admit(file.path(), &workflow.source) {
                let problem = why.diagnostic(&format!("cannot send the file `{}`", file.written()));
                self.problems.push(problem.at(&workflow.source, file.span()));
            }
        }
    }

    /// Tells all that is wrong, if anything is.
    pub(in crate::document) fn finish(mut self) -> Result<(), Diagnostics> {
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

/// What an input is that nobody gives.
fn default(input: &Input) -> Option<Value> {
    input.default.clone().or_else(|| (!input.required).then_some(Value::Null))
}

/// A problem at the place of an entry, which is not shown where the workflow calls it a secret.
fn at_entry(problem: Diagnostic, entry: &Entry, environment: &Environment, is_secret: bool) -> Diagnostic {
    if is_secret && matches!(entry.from, Whence::Value(_)) {
        environment.source.hide(entry.span);
    }
    problem.at(&environment.source, entry.span)
}

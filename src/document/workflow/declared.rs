//! What a workflow wants from outside, so that it can be read before the first run.

use std::path::Path;
use std::sync::Arc;

use url::Url;

use crate::document::workflow::command::Command;
use crate::document::workflow::model::Workflow;
use crate::ground::value::Value;

/// The names of all that a workflow, and those that it uses, would read or reach.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Declared {
    /// Environment variables.
    pub env: Vec<Arc<str>>,
    /// Files that give inputs, and files that are sent.
    pub files: Vec<Arc<str>>,
    /// Commands whose output gives inputs.
    pub commands: Vec<Arc<str>>,
    /// Hosts, as far as the defaults of the inputs name them.
    pub hosts: Vec<Arc<str>>,
}

impl Workflow {
    /// What it wants from outside.
    #[must_use]
    pub fn declared(self: &Arc<Self>) -> Declared {
        let mut declared = Declared::default();
        for workflow in self.tree() {
            for request in workflow.all_steps().filter_map(|step| step.action.request()) {
                request.files().for_each(|file| add(&mut declared.files, &file.path().display().to_string()));
            }
            for input in &workflow.inputs {
                input.env.iter().for_each(|variable| declared.add_env(variable));
                input.file.iter().for_each(|file| declared.add_file(file));
                input.command.iter().for_each(|command| declared.add_command(command));
                input.default.iter().for_each(|value| declared.add_host(value));
            }
        }
        declared
    }
}

impl Declared {
    /// Adds an environment variable.
    pub fn add_env(&mut self, variable: &str) {
        add(&mut self.env, variable);
    }

    /// Adds a file.
    pub fn add_file(&mut self, file: &Path) {
        add(&mut self.files, &file.display().to_string());
    }

    /// Adds a command.
    pub fn add_command(&mut self, command: &Command) {
        add(&mut self.commands, &command.to_string());
    }

    /// Adds the host of a value that is an http URL.
    pub fn add_host(&mut self, value: &Value) {
        let url = value.as_str().and_then(|text| Url::parse(text).ok());
        let host = url.as_ref().filter(|url| url.scheme().starts_with("http")).and_then(Url::host_str);
        if let Some(host) = host {
            add(&mut self.hosts, host);
        }
    }
}

fn add(names: &mut Vec<Arc<str>>, name: &str) {
    if names.iter().all(|known| &**known != name) {
        names.push(name.into());
    }
}

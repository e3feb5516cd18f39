//! What a workflow wants from outside, so that it can be read before the first run.

use std::sync::Arc;

use url::Url;

use crate::document::workflow::model::Workflow;

/// The names of all that a workflow, and those that it uses, would read or reach.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Declared {
    /// Environment variables.
    pub env: Vec<Arc<str>>,
    /// Files that give inputs, and files that are sent.
    pub files: Vec<Arc<str>>,
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
                input.env.iter().for_each(|env| add(&mut declared.env, env));
                input.file.iter().for_each(|file| add(&mut declared.files, &file.display().to_string()));
                let url = input
                    .default
                    .as_ref()
                    .and_then(|value| value.as_str())
                    .and_then(|text| Url::parse(text).ok());
                let host =
                    url.as_ref().filter(|url| url.scheme().starts_with("http")).and_then(Url::host_str);
                if let Some(host) = host {
                    add(&mut declared.hosts, host);
                }
            }
        }
        declared
    }
}

fn add(names: &mut Vec<Arc<str>>, name: &str) {
    if names.iter().all(|known| &**known != name) {
        names.push(name.into());
    }
}

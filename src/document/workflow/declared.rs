//! What a workflow wants from outside, so that it can be read before the first run.

use std::path::Path;
use std::sync::Arc;

use url::Url;

use crate::document::workflow::command::Command;
use crate::document::workflow::model::Workflow;
use crate::ground::value::Value;
use crate::ground::yaml::{self, Kind, Node};

/// The names of all that a workflow, and those that it uses, would read or reach.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Declared {
    /// Environment variables.
    pub env: Vec<Arc<str>>,
    /// Files that give inputs, files that are sent, and those of `tls`, `schema`, `jwks` and scripts.
    pub files: Vec<Arc<str>>,
    /// Commands whose output gives inputs.
    pub commands: Vec<Arc<str>>,
    /// Hosts, as far as the text names them: in URLs, scripts, and the defaults of inputs.
    pub hosts: Vec<Arc<str>>,
    /// Inputs that are secrets.
    pub secrets: Vec<Arc<str>>,
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
                if input.secret {
                    add(&mut declared.secrets, &input.name.value);
                }
            }
            // What was read well once reads well again; only those who check a file pay for it.
            if let Ok(root) = yaml::read(&workflow.source) {
                declared.walk("", &root, Within::Request);
            }
        }
        declared
    }
}

/// What a text stands in, which says what it may name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    /// Where a URL is one that may be asked for.
    Request,
    /// Under `tls`, whose texts are files.
    Tls,
    /// Under `expect`, whose URLs are compared and not asked for.
    Expectation,
}

impl Declared {
    fn walk(&mut self, key: &str, node: &Node, within: Within) {
        match &node.kind {
            Kind::List(elements) => elements.iter().for_each(|element| self.walk(key, element, within)),
            Kind::Map(entries) => {
                for (key, inner) in entries {
                    let within = match &*key.text {
                        // Words for people; and a mock is no part of a run against real servers.
                        "name" | "description" | "tags" | "mock" => continue,
                        "tls" => Within::Tls,
                        "expect" => Within::Expectation,
                        _ => within,
                    };
                    self.walk(&key.text, inner, within);
                }
            }
            Kind::Scalar(scalar) => self.see(key, &scalar.text, within),
        }
    }

    fn see(&mut self, key: &str, text: &str, within: Within) {
        let is_url = text.contains("://");
        let is_file = match within {
            Within::Tls => matches!(key, "ca" | "cert" | "key" | "pkcs12"),
            Within::Request => key == "file",
            Within::Expectation => matches!(key, "schema" | "jwks" | "file"),
        };
        if is_file && !is_url && !text.contains("{{") && !text.contains('\n') {
            self.add_file(Path::new(text));
        }
        if within != Within::Expectation || key == "jwks" {
            text.match_indices("http").for_each(|(at, _)| self.add_url(&text[at..]));
        }
    }

    /// Adds the host of a URL that a text begins with, where it is written out.
    fn add_url(&mut self, text: &str) {
        let Some((scheme @ ("http" | "https"), rest)) = text.split_once("://") else { return };
        let end = rest.find(|c: char| c.is_whitespace() || "/?#\"'`<>\\,;)".contains(c));
        let place = &rest[..end.unwrap_or(rest.len())];
        if !place.contains(['{', '$']) {
            self.add_host(&Value::from(format!("{scheme}://{place}/")));
        }
    }

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ground::source::Source;

    /// Before it is run, all that a workflow of somebody else would touch can be read (S72).
    #[test]
    fn all_that_a_workflow_would_touch_is_told() {
        let text = r#"
description: see https://words.example/
inputs: { api: https://input.example/v1, password: , user: ann, pin: { secret: true, default: "1" } }
defaults: { base_url: https://base.example:8443/, tls: { ca: ca.pem, cert: client.pem, key: client.key } }
steps:
  - request: POST https://short.example/a
    before: http::get("http://script.example/x?u=" + vars.user);
  - request: { url: 'https://{{ user }}.example/b', json: { url: 'https://{{ api }}/', to: https://long.example } }
    expect: { json: { $.iss: https://compared.example }, jwt: { from: $.t, verify: { jwks: https://keys.example/k } } }
  - script: print(`http://${vars.api}/ ${vars.password} ${vars.pin}`);
"#;
        let workflow = Workflow::parse(&Source::file(Path::new("tests/cases/tls/flow.yaml"), text));
        let declared = workflow.unwrap_or_else(|problems| panic!("{problems}")).declared();
        let texts = |names: &[Arc<str>]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(
            texts(&declared.hosts),
            [
                "input.example",
                "base.example",
                "short.example",
                "script.example",
                "long.example",
                "keys.example"
            ]
        );
        assert_eq!(texts(&declared.files), ["ca.pem", "client.pem", "client.key"]);
        assert_eq!(texts(&declared.secrets), ["password", "pin"]);
    }
}

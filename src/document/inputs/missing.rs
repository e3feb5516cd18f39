//! Inputs that nobody gives, and those that nobody knows: all of them in one error, with every way
//! to give them.

use std::sync::Arc;

use crate::document::environment::{Entry, Environment, Whence};
use crate::document::workflow::{Input, Workflow};
use crate::ground::diagnostic::{Diagnostic, did_you_mean};

/// An input that nobody gives.
pub(super) struct Lacking {
    pub(super) workflow: Arc<Workflow>,
    /// Its place among the inputs of the workflow.
    pub(super) at: usize,
    /// The sources that an environment file names for it, and that are not there.
    pub(super) tried: Vec<String>,
}

/// A name that is no input of the workflow.
pub(super) fn unknown_input(name: &str, workflow: &Workflow) -> Diagnostic {
    let names: Vec<&str> = workflow.inputs.iter().map(|input| &*input.name.value).collect();
    let message = format!("`{}` has no input `{name}`", workflow.name);
    let help = did_you_mean(name, names.iter().copied());
    let list = if names.is_empty() {
        "it has no inputs".to_owned()
    } else {
        format!("its inputs are {}", names.join(", "))
    };
    Diagnostic::error(message).help(help.unwrap_or(list))
}

/// The variable or the file that an entry names, and which entry it is.
pub(super) fn source_of(entry: &Entry, environment: &Environment) -> Option<String> {
    let source = match &entry.from {
        Whence::Env(variable) => format!("the environment variable {variable}"),
        Whence::File(file) => format!("the file {}, which is not there", file.display()),
        Whence::Value(_) | Whence::Command(_) => return None,
    };
    let line = environment.source.position(entry.span.start as usize).line;
    Some(format!("{source} ({}:{line})", environment.source.name()))
}

/// All missing inputs in one error.
pub(super) fn missing_inputs(missing: &[Lacking]) -> Option<Diagnostic> {
    let mut inputs: Vec<(&Workflow, &Input, &[String])> = Vec::new();
    for Lacking { workflow, at, tried } in missing {
        let Some(input) = workflow.inputs.get(*at) else { continue };
        // A workflow that is used twice lacks an input once.
        if !inputs.iter().any(|(_, known, _)| std::ptr::eq(*known, input)) {
            inputs.push((workflow, input, tried));
        }
    }
    let (workflow, first, _) = inputs.first()?;
    let names: Vec<_> = inputs.iter().map(|(_, input, _)| format!("`{}`", input.name.value)).collect();
    let what = if inputs.len() == 1 { "an input is missing" } else { "inputs are missing" };
    let mut problem =
        Diagnostic::error(format!("{what}: {}", names.join(", "))).at(&workflow.source, first.name.span);
    for (owner, input, tried) in &inputs {
        let used = owner.source.name() != workflow.source.name();
        let mut ways = if used { Vec::new() } else { vec![format!("--input {}=…", input.name.value)] };
        ways.extend(input.env.iter().map(|env| format!("the environment variable {env}")));
        ways.extend(input.file.iter().map(|file| format!("the file {}, which is not there", file.display())));
        ways.extend_from_slice(tried);
        if ways.is_empty() {
            ways.push(format!("`with: {{ {}: … }}`", input.name.value));
        }
        let whose = if used { format!(" of {}", owner.source.name()) } else { String::new() };
        let about = input.description.as_ref().map(|about| format!(" ({about})")).unwrap_or_default();
        problem = problem.note(format!("`{}`{whose}{about}: {}", input.name.value, ways.join(" or ")));
    }
    let offline = if workflow.mock.is_some() { ", or try it offline with --mock" } else { "" };
    Some(problem.help(format!("give each of them in one of the ways told{offline}")))
}

//! `reqchain check`: every mistake in workflows, and what they would read. Sends nothing.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};

use crate::cli::exit::Exit;
use crate::cli::terminal::{Terminal, print, tell};
use crate::cli::{Refused, is_trusted, load, paths, refusal, trouble};
use crate::document::environment::{self, Environment};
use crate::document::workflow::{Declared, Workflow};
use crate::ground::diagnostic::{Diagnostic, Diagnostics, visible};
use crate::ground::file;
use crate::ground::source::Source;
use crate::reading::report::json;
use crate::reading::report::style::Style;
use crate::services::mock::Mock;

/// Find the mistakes in workflows; sends nothing
#[derive(Debug, Args)]
pub struct Arguments {
    /// Files, and folders with workflows
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// `text` for people on stderr, or `json` on stdout
    #[arg(long, value_name = "FORMAT", default_value = "text", hide_possible_values = true)]
    pub format: Format,
    /// Only environments/NAME.yaml, of all environment files beside the workflows and above them
    #[arg(long, value_name = "NAME")]
    pub env: Option<String>,
    /// Read files that lie outside the project, too; `REQCHAIN_TRUST=1` says the same
    #[arg(long)]
    pub trust: bool,
}

/// How the mistakes are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people, on stderr.
    Text,
    /// For programs, on stdout: a list, empty where all is well.
    Json,
}

/// Checks, and tells what was found.
///
/// # Errors
/// Paths that lead to no workflow, and a stdout that cannot be written to.
pub fn execute(arguments: &Arguments, terminal: Terminal) -> Result<Exit, Refused> {
    let mut all = Diagnostics::default();
    let trusted = is_trusted(arguments.trust);
    let files = match paths::workflows(&arguments.paths, "check", trusted) {
        Ok(files) => files,
        Err(mistakes) if arguments.format == Format::Json => {
            all.0.extend(mistakes.0);
            Vec::new()
        }
        Err(mistakes) => return Err(refusal(mistakes)),
    };
    let mut tell_all = |file: &Path, found: Diagnostics, declared: &Declared| {
        if arguments.format == Format::Text {
            tell(&report(file, &found, declared, terminal.style));
        }
        all.0.extend(found.0);
    };
    let mut workflows = Vec::with_capacity(files.len());
    for file in &files {
        let (found, declared, workflow) = check(file, trusted);
        workflows.extend(workflow);
        tell_all(file, found, &declared);
    }
    // Whoever is not understood may declare any name.
    let is_whole = workflows.len() == files.len();
    for file in environments(arguments.env.as_deref(), &workflows).map_err(refusal)? {
        let (found, declared) = check_environment(&file, trusted, is_whole.then_some(&workflows));
        tell_all(&file.path, found, &declared);
    }
    if arguments.format == Format::Json {
        json::text(&all.0)
            .and_then(|text| print(&text))
            .map_err(|error| trouble("cannot write to stdout", &error))?;
    }
    Ok(if all.has_errors() { Exit::Usage } else { Exit::Passed })
}

/// The mistakes in a workflow and in its mock, and what it would read.
fn check(file: &Path, trusted: bool) -> (Diagnostics, Declared, Option<Arc<Workflow>>) {
    let workflow = match load(file, trusted) {
        Ok(workflow) => workflow,
        Err(mistakes) => return (mistakes, Declared::default(), None),
    };
    let mut found = workflow.warnings.clone();
    found.0.extend(mistakes_in_mocks(&workflow, trusted).0);
    let declared = workflow.declared();
    (found, declared, Some(workflow))
}

/// The mistakes in the mocks of the workflow and of those that it uses, each told once, also those
/// in what a workflow changes about its mock. One outside the project, of which the workflow warns, is
/// not read without trust.
fn mistakes_in_mocks(workflow: &Arc<Workflow>, trusted: bool) -> Diagnostics {
    let mut found = Diagnostics::default();
    let mut told = HashSet::new();
    for workflow in workflow.mocked() {
        let Some(stand_in) = &workflow.mock else { continue };
        if file::admit(&stand_in.file, workflow.source.folder(), trusted).is_err() {
            continue;
        }
        let mock = Mock::load_for(stand_in, &workflow.source, trusted, |tree| Ok(tree.as_plain().cloned()));
        let mistakes = mock.err().unwrap_or_default().0.into_iter();
        found.0.extend(mistakes.filter(|mistake| told.insert(mistake.line())));
    }
    found
}

/// An environment file, and a text that it was found for.
struct Beside {
    path: PathBuf,
    of: Arc<Source>,
}

/// The environment files of that name, or all, that the workflows would find; each once.
fn environments(name: Option<&str>, workflows: &[Arc<Workflow>]) -> Result<Vec<Beside>, Diagnostic> {
    let mut found: Vec<Beside> = Vec::new();
    if let Some(name) = name {
        environment::plain(name)?;
    }
    let sources: Vec<Arc<Source>> =
        workflows.iter().flat_map(Workflow::tree).map(|workflow| Arc::clone(&workflow.source)).collect();
    for source in &sources {
        let files = match name {
            Some(name) => environment::find(name, source).into_iter().collect(),
            None => environment::all(source),
        };
        for path in files {
            if found.iter().all(|known| known.path != path) {
                found.push(Beside { path, of: Arc::clone(source) });
            }
        }
    }
    match name {
        Some(name) if found.is_empty() && !workflows.is_empty() => {
            Err(environment::unknown(name, sources.iter().map(|source| &**source)))
        }
        _ => Ok(found),
    }
}

/// The mistakes in an environment file, the names that no workflow declares, and what it would read.
/// `all` are the workflows, where each of them was understood.
fn check_environment(
    file: &Beside,
    trusted: bool,
    all: Option<&Vec<Arc<Workflow>>>,
) -> (Diagnostics, Declared) {
    if let Err(refused) = file::admit(&file.path, file.of.folder(), trusted) {
        return (refused.of(&file.path).into(), Declared::default());
    }
    match Environment::load(&file.path) {
        Err(mistakes) => (mistakes, Declared::default()),
        Ok(environment) => {
            let unknown = all.map(|workflows| environment.unknown_names(workflows));
            (unknown.unwrap_or_default(), environment.declared())
        }
    }
}

fn report(file: &Path, found: &Diagnostics, declared: &Declared, style: Style) -> String {
    let mut text = String::new();
    if !found.0.is_empty() {
        let _ = writeln!(text, "{}\n", found.render(style.is_colored()));
    }
    if found.has_errors() {
        return text;
    }
    let _ = writeln!(text, "{}  {}", visible(&file.display().to_string()), style.green("ok"));
    let wants = [
        ("environment", &declared.env),
        ("files", &declared.files),
        ("commands", &declared.commands),
        ("hosts", &declared.hosts),
        ("secrets", &declared.secrets),
    ];
    for (title, names) in wants.into_iter().filter(|(_, names)| !names.is_empty()) {
        let _ = writeln!(text, "  {} {}", style.dim(&format!("{title:<12}")), visible(&names.join(", ")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_mistakes_says_what_it_would_read() {
        let declared = Declared {
            env: vec!["USER".into(), "PASS".into()],
            files: vec!["key.pem".into()],
            commands: vec!["pass show api".into()],
            ..Declared::default()
        };
        let warnings = Diagnostics(vec![Diagnostic::warning("`a` is never used")]);
        let style = Style::new(false);
        assert_eq!(
            report(Path::new("flow.yaml"), &Diagnostics::default(), &declared, style),
            "flow.yaml  ok\n  environment  USER, PASS\n  files        key.pem\n  commands     pass show api\n"
        );
        assert_eq!(
            report(Path::new("flow.yaml"), &warnings, &Declared::default(), style),
            "warning: `a` is never used\n\nflow.yaml  ok\n"
        );
        let errors = Diagnostics(vec![Diagnostic::error("it is wrong")]);
        assert_eq!(report(Path::new("flow.yaml"), &errors, &declared, style), "error: it is wrong\n\n");
    }
}

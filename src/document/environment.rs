//! Environment files: `environments/staging.yaml`, the values of inputs for one place to run
//! against. They are looked for beside a workflow and above it, as far as its project reaches.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::document::workflow::{Command, Declared, Workflow, exact};
use crate::ground::diagnostic::{Diagnostic, Diagnostics, did_you_mean};
use crate::ground::read::{Reading, open};
use crate::ground::secret::is_secret_name;
use crate::ground::source::{Source, Span, Spanned, project};
use crate::ground::value::Value;
use crate::ground::yaml::{self, Kind, Node, Scalar};
use crate::parts::extract::variable_name;

/// The folder of environment files.
const FOLDER: &str = "environments";
/// How their names may end.
const ENDINGS: [&str; 2] = ["yaml", "yml"];
const KEYS: [&str; 5] = ["env", "file", "command", "value", "secret"];
const SOURCES: [&str; 4] = ["env", "file", "command", "value"];

/// An environment file.
#[derive(Debug)]
pub struct Environment {
    /// Its text.
    pub source: Arc<Source>,
    /// What it gives, in the order of the text.
    pub entries: Vec<Entry>,
}

/// One input that an environment file gives.
#[derive(Debug)]
pub struct Entry {
    /// The input's name.
    pub name: Spanned<Arc<str>>,
    /// Where its value comes from.
    pub from: Whence,
    /// Where that is written.
    pub span: Span,
    /// Whether it is never shown, whatever the workflow says.
    pub secret: bool,
}

/// Where the value of an [`Entry`] comes from.
pub enum Whence {
    /// It stands in the file.
    Value(Value),
    /// An environment variable.
    Env(Arc<str>),
    /// A file, its path resolved against the folder of the environment file.
    File(PathBuf),
    /// The output of a command.
    Command(Command),
}

impl fmt::Debug for Whence {
    /// Not the value: it may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Value(_) => "Value",
            Self::Env(_) => "Env",
            Self::File(_) => "File",
            Self::Command(_) => "Command",
        })
    }
}

impl Environment {
    /// Reads an environment file.
    ///
    /// # Errors
    /// Every mistake in it.
    pub fn load(path: &Path) -> Result<Arc<Self>, Diagnostics> {
        Self::parse(&open(path)?)
    }

    /// Reads the text of an environment file.
    ///
    /// # Errors
    /// Every mistake in it.
    pub fn parse(source: &Arc<Source>) -> Result<Arc<Self>, Diagnostics> {
        let root = yaml::read(source)?;
        let reading = Reading::new(source);
        let entries: Vec<Entry> = reading
            .entries(&root, "an environment file")
            .unwrap_or_default()
            .iter()
            .filter_map(|(name, node)| Entry::read(name, node, &reading))
            .collect();
        let problems = reading.finish();
        if problems.has_errors() {
            return Err(problems);
        }
        Ok(Arc::new(Self { source: Arc::clone(source), entries }))
    }

    /// What it wants from outside.
    #[must_use]
    pub fn declared(&self) -> Declared {
        let mut declared = Declared::default();
        for entry in &self.entries {
            match &entry.from {
                Whence::Value(value) => declared.add_host(value),
                Whence::Env(variable) => declared.add_env(variable),
                Whence::File(file) => declared.add_file(file),
                Whence::Command(command) => declared.add_command(command),
            }
        }
        declared
    }

    /// A warning for each name that none of these workflows, or of those that they use, declares.
    #[must_use]
    pub fn unknown_names(&self, workflows: &[Arc<Workflow>]) -> Diagnostics {
        let tree: Vec<Arc<Workflow>> = workflows.iter().flat_map(Workflow::tree).collect();
        let declared: Vec<&str> = tree.iter().flat_map(|workflow| workflow.input_names()).collect();
        let unknown = self.entries.iter().filter(|entry| !declared.contains(&&*entry.name.value));
        let warn = |entry: &Entry| {
            let message = format!("no workflow that is checked has an input `{}`", entry.name.value);
            let help = did_you_mean(&entry.name.value, declared.iter().copied());
            Diagnostic::warning(message).at(&self.source, entry.name.span).maybe_help(help)
        };
        Diagnostics(unknown.map(warn).collect())
    }

    /// What it gives for an input.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| &*entry.name.value == name)
    }
}

impl Entry {
    fn read(name: &Scalar, node: &Node, reading: &Reading) -> Option<Self> {
        let said = node.get("secret").and_then(Node::scalar).map(|said| &*said.text == "true");
        let secret = said.unwrap_or_else(|| is_secret_name(&name.text));
        // Before anything of it is read, since that may already have to be told.
        if secret {
            reading.hide_literals(node, "value", &KEYS);
        }
        let spanned = variable_name(name, reading);
        let (from, span) = match &node.kind {
            Kind::Map(_) => read_fields(&name.text, node, reading)?,
            _ => (literal_value(node, &name.text, reading)?, node.span),
        };
        Some(Self { name: spanned?, from, span, secret })
    }
}

fn read_fields(name: &str, node: &Node, reading: &Reading) -> Option<(Whence, Span)> {
    let fields = reading.fields(node, name, &KEYS, &[])?;
    fields.optional("secret", |node| reading.truth(node, "secret"))?;
    match fields.present(&SOURCES).as_slice() {
        [] => {
            if !SOURCES.iter().any(|key| fields.is_meant(key)) {
                let help = "say one of `value`, `env`, `file`, `command`";
                reading.error_with(node.span, format!("`{name}` has no value"), help);
            }
            None
        }
        [(key, node)] => {
            let text = || reading.text(node, &key.text).map(|scalar| Arc::clone(&scalar.text));
            let from = match &*key.text {
                "env" => Whence::Env(text()?),
                "file" => Whence::File(reading.source.beside(&text()?)),
                "command" => Whence::Command(Command::read(node, reading)?),
                _ => literal_value(node, "value", reading)?,
            };
            Some((from, node.span))
        }
        [(first, _), (second, _), ..] => {
            let message = format!("`{}` beside `{}`: a value comes from one place", second.text, first.text);
            reading.error_with(second.span, message, "remove one of the two");
            None
        }
    }
}

fn literal_value(node: &Node, what: &str, reading: &Reading) -> Option<Whence> {
    if matches!(node.kind, Kind::Scalar(_)) && reading.text(node, what)?.text.contains("{{") {
        let help = "derive it under `vars` of the workflow";
        reading.error_with(node.span, "a value of an environment file is not a template", help);
        return None;
    }
    Some(Whence::Value(exact(node)))
}

/// The environment file of that name for what stands in `source`: beside it, or in the nearest
/// folder above that has one.
#[must_use]
pub fn find(name: &str, source: &Source) -> Option<PathBuf> {
    let files = folders(source).into_iter().flat_map(|folder| {
        ENDINGS.map(|ending| folder.join(FOLDER).join(format!("{name}.{ending}"))).into_iter()
    });
    // Whatever has the name is meant: that it is a folder, or a link to nothing, is told when it is read.
    files.into_iter().find(|file| file.symlink_metadata().is_ok())
}

/// Every environment file for what stands in `source`; of two with one name the nearest.
#[must_use]
pub fn all(source: &Source) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = Vec::new();
    for folder in folders(source) {
        let entries = std::fs::read_dir(folder.join(FOLDER)).into_iter().flatten().flatten();
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| is_one(path)).collect();
        files.sort();
        for file in files {
            if found.iter().all(|known| known.file_stem() != file.file_stem()) {
                found.push(file);
            }
        }
    }
    found
}

fn is_one(path: &Path) -> bool {
    let known = |ending: &str| ENDINGS.contains(&ending);
    path.extension().and_then(|ending| ending.to_str()).is_some_and(known)
        && path.file_name().is_some_and(|name| !name.to_string_lossy().starts_with('.'))
        && path.is_file()
}

/// What to say where no workflow finds an environment of that name.
#[must_use]
pub fn unknown<'s>(name: &str, sources: impl Iterator<Item = &'s Source>) -> Diagnostic {
    let mut names: Vec<String> = sources
        .flat_map(all)
        .filter_map(|file| Some(file.file_stem()?.to_string_lossy().into_owned()))
        .collect();
    names.sort();
    names.dedup();
    let problem = Diagnostic::error(format!("there is no environment `{name}`"));
    let write = format!("write {FOLDER}/{name}.yaml beside the workflow, or in a folder above it");
    if names.is_empty() {
        return problem.help(write);
    }
    let near = did_you_mean(name, names.iter().map(String::as_str));
    problem.note(format!("there are {}", names.join(", "))).help(near.unwrap_or(write))
}

/// Refuses a name that is a path, or has the ending of a file.
///
/// # Errors
/// What to write instead.
pub fn plain(name: &str) -> Result<(), Diagnostic> {
    let path = Path::new(name);
    let bare = ENDINGS.iter().find_map(|ending| name.strip_suffix(&format!(".{ending}")));
    let is_path = name.contains(['/', '\\', '\0']) || matches!(name, "" | "." | "..");
    if !is_path && bare.is_none() {
        return Ok(());
    }
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let message = format!("`{name}` is not the name of an environment");
    let example = if stem.is_empty() || stem == ".." { "staging" } else { &stem };
    Err(Diagnostic::error(message)
        .help(format!("`--env {example}` reads {FOLDER}/{example}.yaml beside the workflow or above it")))
}

/// The folder of a text and those above it, up to its project. They are named as the user named
/// the text, as far as that goes.
fn folders(source: &Source) -> Vec<PathBuf> {
    let typed = match source.path().and_then(Path::parent) {
        Some(folder) => folder,
        None => Path::new(""),
    };
    let here = |path: &Path| if path.as_os_str().is_empty() { PathBuf::from(".") } else { path.to_owned() };
    let Ok(own) = here(typed).canonicalize() else { return vec![typed.to_owned()] };
    let root = project(&own);
    let mut typed_folders = typed.ancestors();
    let mut found = Vec::new();
    for folder in own.ancestors() {
        let same = |typed: &&Path| here(typed).canonicalize().is_ok_and(|path| path == folder);
        found.push(typed_folders.next().filter(same).unwrap_or(folder).to_owned());
        if folder == root {
            break;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes(text: &str) -> String {
        match Environment::parse(&Source::text("staging.yaml", text)) {
            Ok(_) => "none".to_owned(),
            Err(problems) => problems.0.iter().map(Diagnostic::line).collect::<Vec<_>>().join("\n"),
        }
    }

    #[test]
    fn every_mistake_of_a_file_is_told_at_its_place() {
        let text = "a-b: 1\nc:\nd: { vlaue: 1 }\ne: { env: X, file: y }\nf: \"{{ x }}\"\ng: {}\nh: { command: pass show }\ni: { secret: maybe, value: 1 }\nresponse: 1\n";
        assert_eq!(
            mistakes(text),
            "staging.yaml:1:1: `a-b` cannot be the name of a variable\n\
             staging.yaml:2:2: `c` has no value\n\
             staging.yaml:3:6: unknown key `vlaue` in `d`\n\
             staging.yaml:4:14: `file` beside `env`: a value comes from one place\n\
             staging.yaml:5:4: a value of an environment file is not a template\n\
             staging.yaml:6:4: `g` has no value\n\
             staging.yaml:7:15: `command` must be a list, not a text\n\
             staging.yaml:8:14: `secret` must be true or false, not `maybe`\n\
             staging.yaml:9:1: `response` has a meaning of its own and cannot be set"
        );
        assert!(mistakes("- a\n").contains("must be a map"));
        assert!(mistakes("").contains("empty"));
        assert_eq!(mistakes("a: 1\nb: null\nc: [1]\nd: { value: { x: 1 } }\n"), "none");
    }

    #[test]
    fn the_literal_of_a_secret_is_hidden() {
        let source =
            Source::text("s.yaml", "password: hunter22\npin: { value: 123456789, secret: true }\nx: y\n");
        Environment::parse(&source).expect("it is right");
        assert!(
            !source.shown().contains("hunter22") && !source.shown().contains("123456789"),
            "{}",
            source.shown()
        );
    }

    #[test]
    fn a_name_is_plain() {
        for name in ["", "..", "../x", "a/b", "staging.yaml", "a\\b"] {
            assert!(plain(name).is_err(), "{name}");
        }
        assert!(plain("staging").is_ok() && plain("eu.1").is_ok());
    }
}

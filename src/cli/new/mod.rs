//! `reqchain new`: writes a workflow and its mock that run at once, so that nobody begins with an
//! empty file.
//!
//! What is not said by flags is asked for at a terminal. Nothing is ever overwritten, and what was
//! written is checked as `check` does, and taken back where that finds a mistake.

mod ask;
mod draft;

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, IsTerminal, Write as _};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::cli::exit::Exit;
use crate::cli::new::ask::{Mode, Questions};
use crate::cli::new::draft::Draft;
use crate::cli::terminal::tell;
use crate::cli::{Refused, refusal, trouble};
use crate::document::workflow::Workflow;
use crate::ground::diagnostic::{Diagnostic, Diagnostics};
use crate::services::mock::Mock;

/// Write a workflow and its mock that run at once; asks for what no flag says
#[derive(Debug, Default, Args)]
pub struct Arguments {
    /// The workflow's file, or the folder to write it to
    #[arg(value_name = "PATH")]
    pub path: Option<PathBuf>,
    /// What the workflow is called
    #[arg(long)]
    pub name: Option<String>,
    /// Where the API is: `https://api.example.com`
    #[arg(long)]
    pub url: Option<String>,
    /// How it logs in: basic, form, bearer, api-key or none
    #[arg(long, value_name = "KIND")]
    pub login: Option<String>,
    /// Where basic and form log in: a path [default: /login, /oauth2/token]
    #[arg(long, value_name = "PATH")]
    pub login_path: Option<String>,
    /// Where the answer holds the token [default: `$.access_token`]
    #[arg(long, value_name = "JSONPATH")]
    pub token: Option<String>,
    /// The header of an API key [default: X-Api-Key]
    #[arg(long)]
    pub header: Option<String>,
    /// Where the token is exchanged for another one: a path
    #[arg(long, value_name = "PATH")]
    pub exchange: Option<String>,
    /// What is called then: a path [default: /me]
    #[arg(long, value_name = "PATH")]
    pub call: Option<String>,
    /// What is kept of its answer; may be repeated [default: `id=$.id`]
    #[arg(long, value_name = "NAME=JSONPATH")]
    pub extract: Vec<String>,
    /// Ask nothing; whatever no flag says is the default
    #[arg(long, short)]
    pub yes: bool,
}

/// How a workflow logs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Login {
    /// User name and password by HTTP Basic, for a token.
    Basic,
    /// User name and password in a form, for a token, as OAuth 2 has it.
    Form,
    /// A token that the caller has.
    Bearer,
    /// A key in a header.
    ApiKey,
    /// Not at all.
    None,
}

impl Login {
    /// Whether a request of its own gets the token.
    const fn gets_token(self) -> bool {
        matches!(self, Self::Basic | Self::Form)
    }
}

/// Asks, writes both files, and tells what to type next.
///
/// # Errors
/// Flags that make no sense or are missing where nobody can be asked, files that are there
/// already, and a folder that cannot be written to.
pub fn execute(arguments: &Arguments) -> Result<Exit, Refused> {
    let at_terminal = io::stdin().is_terminal() && io::stderr().is_terminal();
    let mode = match (arguments.yes, at_terminal) {
        (true, _) => Mode::Defaults,
        (false, true) => Mode::Ask,
        (false, false) => Mode::Flags,
    };
    let questions = Questions::new(mode, io::stdin().lock(), io::stderr());
    let draft = questions.draft(arguments)?;
    let place = Place::of(arguments.path.as_deref(), &draft);
    let texts = draft.texts(&place.stem);
    place.write(&texts.workflow, &texts.mock)?;
    let file = place.workflow.display();
    tell(&format!("wrote {file} and {}\ntry it: reqchain run {file} --mock", place.mock.display()));
    Ok(Exit::Passed)
}

/// Where the files are written.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    workflow: PathBuf,
    mock: PathBuf,
    /// What both are called.
    stem: String,
}

impl Place {
    /// A path that ends in `.yaml`, or that is no folder, is the workflow's own.
    fn of(path: Option<&Path>, draft: &Draft) -> Self {
        let named = path.filter(|path| !path.is_dir());
        let folder = match named {
            Some(path) => path.parent().unwrap_or(Path::new("")),
            None => path.unwrap_or(Path::new("")),
        };
        let (stem, ending) = match named {
            Some(path) => (stem(path), path.extension().filter(|ending| *ending == "yml")),
            None => (draft.slug(), None),
        };
        let ending = if ending.is_some() { "yml" } else { "yaml" };
        Self {
            workflow: folder.join(format!("{stem}.{ending}")),
            mock: folder.join("mocks").join(format!("{stem}.yaml")),
            stem,
        }
    }

    fn write(&self, workflow: &str, mock: &str) -> Result<(), Refused> {
        let there = [&self.workflow, &self.mock].into_iter().filter(|path| path.exists());
        let there: Vec<Diagnostic> = there.map(|path| exists(path)).collect();
        if !there.is_empty() {
            return Err(refusal(Diagnostics(there)));
        }
        create(&self.mock, mock)?;
        let written = create(&self.workflow, workflow).and_then(|()| self.check());
        if written.is_err() {
            // Both are ours: neither was there before.
            let _ = fs::remove_file(&self.mock);
            let _ = fs::remove_file(&self.workflow);
        }
        written
    }

    fn check(&self) -> Result<(), Refused> {
        let workflow = Workflow::load(&self.workflow).map_err(refusal)?;
        Mock::load(&self.mock).map_err(refusal)?;
        if workflow.warnings.0.is_empty() { Ok(()) } else { Err(refusal(workflow.warnings.clone())) }
    }
}

/// The name of a file without `.yaml` or `.yml`.
fn stem(path: &Path) -> String {
    let yaml = path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml");
    let name = if yaml { path.file_stem() } else { path.file_name() };
    name.unwrap_or_default().to_string_lossy().into_owned()
}

fn exists(path: &Path) -> Diagnostic {
    let help = "nothing is overwritten: give another PATH, or move the file away";
    Diagnostic::error(format!("{} is there already", path.display())).help(help)
}

/// Writes a file that was not there.
fn create(path: &Path, text: &str) -> Result<(), Refused> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let made = folder.map_or(Ok(()), fs::create_dir_all);
    let file = made.and_then(|()| OpenOptions::new().write(true).create_new(true).open(path));
    match file.and_then(|mut file| file.write_all(text.as_bytes())) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(refusal(exists(path))),
        written => written.map_err(|error| trouble(&format!("cannot write {}", path.display()), &error)),
    }
}

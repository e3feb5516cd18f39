//! What is read from outside for a value: environment variables, files, the output of commands.
//!
//! Each file and each command is read once for all that name it, and only when it is needed: a
//! password manager asks its question once. Outside the project nothing is read without trust.

use std::collections::HashMap;
use std::io::{ErrorKind, IsTerminal as _, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command as Process, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use crate::document::workflow::Command;
use crate::ground::diagnostic::Diagnostic;
use crate::ground::file;
use crate::ground::secret::Needles;
use crate::ground::source::Source;

/// The largest file and the longest output that may give an input, in bytes.
const LARGEST: u64 = 1024 * 1024;

/// Why something outside gives no value.
#[derive(Debug, Clone)]
pub(super) struct Refused {
    why: String,
    help: Option<String>,
}

impl Refused {
    fn new(why: impl Into<String>) -> Self {
        Self { why: why.into(), help: None }
    }

    /// The message; `what` says what was wanted.
    pub(super) fn diagnostic(self, what: &str) -> Diagnostic {
        Diagnostic::error(format!("{what}: {}", self.why)).maybe_help(self.help)
    }
}

impl From<file::Refused> for Refused {
    fn from(refused: file::Refused) -> Self {
        Self { why: refused.why(), help: refused.advice().map(str::to_owned) }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Named {
    File(PathBuf),
    Command(Command),
}

/// A text; `None` for a file that is not there.
type Came = Result<Option<Arc<str>>, Refused>;

/// The world outside of a run. Clones share what was read.
#[derive(Clone, Default)]
pub(super) struct Outside {
    pub(super) variables: Option<HashMap<String, String>>,
    pub(super) trusted: bool,
    came: Arc<Mutex<HashMap<Named, Came>>>,
}

impl Outside {
    /// An environment variable; an empty one counts as not set.
    pub(super) fn variable(&self, name: &str) -> Option<String> {
        let value = match &self.variables {
            Some(variables) => variables.get(name).cloned(),
            // The system knows no name with an equal sign or a zero byte.
            None if name.is_empty() || name.contains(['=', '\0']) => None,
            None => std::env::var(name).ok(),
        };
        value.filter(|value| !value.is_empty())
    }

    /// A file's content, its last line break cut. `source` is the text that names it. A file that is
    /// not there gives nothing, so that its input is told among all that are missing.
    pub(super) fn file(&self, file: &Path, source: &Source) -> Came {
        self.once(Named::File(file.to_owned()), || self.read_file(file, source))
    }

    /// What a command writes to its output, the last line break cut.
    pub(super) fn command(&self, command: &Command, hidden: &[&str]) -> Came {
        if !self.trusted {
            let why = "a command is run only for a workflow that is trusted";
            return Err(Refused { why: why.to_owned(), help: Some(file::TRUST.to_owned()) });
        }
        self.once(Named::Command(command.clone()), || {
            let needles = Needles::default();
            for name in hidden {
                needles.learn(&(*name).into(), &self.variable(name).unwrap_or_default());
            }
            run(command, hidden, &needles).map(Some)
        })
    }

    /// Refuses a file outside the project of the text that names it.
    pub(super) fn admit(&self, file: &Path, source: &Source) -> Result<(), Refused> {
        Ok(file::admit(file, source.folder(), self.trusted)?)
    }

    fn once(&self, named: Named, read: impl FnOnce() -> Came) -> Came {
        let mut came = self.came.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = came.get(&named) {
            return known.clone();
        }
        let found = read();
        came.insert(named, found.clone());
        found
    }

    fn read_file(&self, path: &Path, source: &Source) -> Came {
        match path.metadata() {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            _ => self.admit(path, source)?,
        }
        let bytes = file::bytes(path, LARGEST)?;
        text(bytes).map(Some).ok_or_else(|| Refused::new("it is not UTF-8 text"))
    }
}

/// Runs a command. It may ask its user: its input is ours, and so is what it tells a terminal, which
/// cannot wait. Elsewhere its errors are told when it is over, without what it gave. It does not see
/// the variables that hold other secrets of the workflow.
fn run(command: &Command, hidden: &[&str], needles: &Needles) -> Result<Arc<str>, Refused> {
    let mut process = Process::new(command.program());
    let words = command.arguments().iter().map(AsRef::as_ref);
    process.args(words.collect::<Vec<&str>>()).current_dir(command.folder());
    for name in hidden {
        process.env_remove(name);
    }
    let asks = std::io::stderr().is_terminal();
    process.stdin(Stdio::inherit()).stdout(Stdio::piped());
    process.stderr(if asks { Stdio::inherit() } else { Stdio::piped() });
    let mut child = process.spawn().map_err(|error| Refused::new(not_started(error)))?;
    let errors = child.stderr.take().map(|errors| std::thread::spawn(move || gathered(errors)));
    let mut bytes = Vec::new();
    let read = match child.stdout.take() {
        Some(output) => output.take(LARGEST + 1).read_to_end(&mut bytes),
        None => Ok(0),
    };
    if read.is_err() || bytes.len() as u64 > LARGEST {
        // One that is over already cannot be killed, which is as well.
        let _ = child.kill();
        let _ = child.wait();
        return Err(Refused::new(match read {
            Err(error) => format!("its output cannot be read: {}", file::Refused::from(error).why()),
            Ok(_) => format!("its output has more than {LARGEST} bytes"),
        }));
    }
    let status = child.wait().map_err(file::Refused::from)?;
    if let Some(Ok(errors)) = errors.map(std::thread::JoinHandle::join) {
        needles.learn(&"output".into(), &String::from_utf8_lossy(&bytes));
        // A stream that cannot be written to has nobody to tell about it.
        let _ = std::io::stderr().write_all(needles.scrub(&errors).as_bytes());
    }
    if !status.success() {
        return Err(Refused::new(match status.code() {
            Some(code) => format!("it ended with exit status {code}"),
            None => "a signal ended it".to_owned(),
        }));
    }
    text(bytes).ok_or_else(|| Refused::new("its output is not UTF-8 text"))
}

/// What a command tells of its errors, as much as is kept of its output.
fn gathered(mut errors: impl Read) -> String {
    let mut bytes = Vec::new();
    // What breaks off is told as far as it came; the rest is read, so that the command can end.
    let _ = errors.by_ref().take(LARGEST).read_to_end(&mut bytes);
    let _ = std::io::copy(&mut errors, &mut std::io::sink());
    String::from_utf8_lossy(&bytes).into_owned()
}

fn not_started(error: std::io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "there is no such program".to_owned(),
        ErrorKind::PermissionDenied => "it may not be run: permission denied".to_owned(),
        _ => format!("it cannot be started: {}", file::Refused::from(error).why()),
    }
}

/// Text without its last line break.
fn text(bytes: Vec<u8>) -> Option<Arc<str>> {
    let text = String::from_utf8(bytes).ok()?;
    let cut = text.strip_suffix('\n').map_or(text.as_str(), |text| text.strip_suffix('\r').unwrap_or(text));
    Some(cut.into())
}

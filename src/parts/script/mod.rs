//! Scripts: Rhai around a request, alone, or behind a route of a mock.
//!
//! A script is compiled once, when its workflow is read, and run many times on an engine that
//! costs next to nothing, since everything it knows is shared by the process. It reaches no file,
//! no process and no environment; its limits are in this file. Where `try` could catch what ends
//! a script, it does not: see [`Ending`].

#![expect(clippy::unnecessary_box_returns, reason = "Rhai has its errors boxed, and so do we who make them")]

mod api;
mod audit;
mod comparing;
mod draft;
mod engine;
mod explain;
mod file;
mod function;
mod handles;
mod import;
mod limits;
mod modules;
mod names;
mod object;
mod request;
mod room;
mod run;
#[cfg(test)]
mod tests;
mod text;
mod value;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use crate::ground::diagnostic::{Diagnostic, Place};
use crate::ground::read::Reading;
use crate::ground::secret::Marks;
use crate::ground::source::Span;
use crate::ground::yaml::{Kind, Node};
use crate::parts::http::{Jar, Request, Response};
use crate::parts::scope::Scope;
use crate::parts::script::engine::{Compiled, Purpose};
use crate::parts::script::limits::Limits;
use crate::parts::script::text::Text;

pub use api::{Described, functions, modules};
pub use draft::{Draft, RequestCell};
pub use function::{Function, FunctionFile};
pub use names::assigned;

/// How long a script may run by itself, when its host says nothing else. Waiting for the answers
/// to `http::` does not count.
pub const TIME: Duration = Duration::from_secs(5);
/// How many operations a script may do.
pub const OPERATIONS: u64 = 5_000_000;
/// How deep functions may call each other.
pub const CALLS: usize = 32;
/// How deep an expression may be nested; inside functions, half of it.
pub const EXPRESSION_DEPTH: usize = 64;
/// How long a text may be, in bytes.
pub const TEXT: usize = 4 * 1024 * 1024;
/// How many elements a list may have, with all that are inside them; and a map.
pub const ELEMENTS: usize = 20_000;
/// How much a script may put into variables and objects of the workflow in all, in bytes.
pub const WRITTEN: u64 = 256 * 1024 * 1024;
/// How much a script may print, and name its checks, in all, in bytes.
pub const TOLD: u64 = 16 * 1024 * 1024;
/// How many variables there may be at one time.
pub const VARIABLES: usize = 128;
/// How large a script's file may be, in bytes.
pub const FILE: u64 = 256 * 1024;

/// A compiled script.
#[derive(Clone)]
pub struct Script {
    text: Text,
    compiled: Arc<Compiled>,
    /// Where it is named, or stands, in the workflow.
    span: Span,
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Script").field(&self.text.source().name()).finish()
    }
}

/// What a script was compiled and run for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Before a request is sent.
    Before,
    /// After the answer came.
    After,
    /// A step of its own.
    Alone,
    /// A route of a mock.
    Mock,
}

/// Sends what a script asks `http::` to send. Called where blocking is allowed.
pub trait Sender: Send + Sync {
    /// Sends and waits for the answer.
    ///
    /// # Errors
    /// Why there is no answer, without secrets; its place is that of the call.
    fn send(&self, request: Request) -> Result<Arc<Response>, Error>;
}

/// What a script runs in.
#[derive(Clone)]
pub struct Host {
    /// The variables, the answer and the steps that the script sees.
    pub scope: Scope,
    /// When it runs.
    pub phase: Phase,
    /// The request that it may change; `None` where there is none.
    pub request: Option<Arc<dyn RequestCell>>,
    /// How `http::` sends; `None` where nothing may be sent.
    pub sender: Option<Arc<dyn Sender>>,
    /// The cookies of the run; `None` where there are none.
    pub jar: Option<Jar>,
    /// Set from outside to end the script.
    pub cancel: Arc<AtomicBool>,
    /// Takes what `print` and `debug` say. Secrets are out of it already, but for those that the
    /// script revealed on purpose: do not scrub it again.
    pub on_print: Arc<dyn Fn(&str) + Send + Sync>,
    /// How long the script may run, whatever it says itself with `timeout`.
    pub time: Option<Duration>,
}

impl Host {
    /// A host that has no request, sends nothing and forgets what is printed.
    #[must_use]
    pub fn new(scope: Scope, phase: Phase) -> Self {
        Self {
            scope,
            phase,
            request: None,
            sender: None,
            jar: None,
            cancel: Arc::default(),
            on_print: Arc::new(|_| {}),
            time: None,
        }
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").field("phase", &self.phase).finish_non_exhaustive()
    }
}

/// How a script ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// It came to its end.
    Done,
    /// `skip()`: the step is skipped.
    Skip,
    /// `stop()`: the workflow ends.
    Stop,
    /// `next("id")`: another step is next.
    Next(String),
    /// `fail("why")`: the step failed. Secrets are out of the text.
    Fail(String),
}

/// What `check("name", bool)` found.
#[derive(Debug, Clone)]
pub struct Checked {
    /// Its name, without secrets.
    pub name: String,
    /// Whether it held.
    pub passed: bool,
    /// Where it stands.
    pub place: Option<Place>,
}

/// What came of a run.
#[derive(Debug)]
pub struct Ran {
    /// How it ended, or why it broke.
    pub ending: Result<Ending, Error>,
    /// Where `skip`, `stop`, `next` or `fail` stands that ended it.
    pub place: Option<Place>,
    /// The checks until then, in order; also those before an error.
    pub checks: Vec<Checked>,
    /// The marks of all that the script read, and so of all that it made.
    pub marks: Marks,
}

/// Why a script cannot be compiled, or broke while it ran.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// What, without secrets.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// Where: in the workflow's text, or in the script's own file.
    pub place: Option<Place>,
}

impl Error {
    /// An error without a place: whoever tells it knows that.
    #[must_use]
    pub fn new(message: impl Into<String>, help: Option<String>) -> Self {
        Self { message: message.into(), help, place: None }
    }
}

impl From<Error> for Diagnostic {
    fn from(error: Error) -> Self {
        Self { place: error.place, ..Self::error(error.message).maybe_help(error.help) }
    }
}

impl Script {
    /// Reads a script: a text, or a map with `file: scripts/sign.rhai` or `code: …` and what may be
    /// beside it: `timeout` (a duration, 5s by itself), `max_operations` (5,000,000), `max_text` (the
    /// longest text, 4MiB). Every mistake is reported, in the script's file and its modules too.
    pub fn read(node: &Node, reading: &Reading, phase: Phase) -> Option<Self> {
        let (text, limits) = match &node.kind {
            Kind::Map(_) => read_map(node, reading)?,
            _ => (Text::inline(&reading.source, reading.text(node, "script")?), Limits::default()),
        };
        let purpose = Purpose { phase, more: &[], limits, folder: reading.source.folder() };
        match engine::compile(&text, &purpose) {
            Ok(compiled) => Some(Self { text, compiled, span: node.span }),
            Err(errors) => {
                for error in errors {
                    reading.report(error.into());
                }
                None
            }
        }
    }

    /// Runs it. Blocks until it has ended; meant for a thread that may block.
    #[must_use]
    pub fn run(&self, host: Host) -> Ran {
        engine::run(&self.text, &self.compiled, host)
    }
}

fn read_map(node: &Node, reading: &Reading) -> Option<(Text, Limits)> {
    let known = ["file", "code", limits::KEYS[0], limits::KEYS[1], limits::KEYS[2]];
    let fields = reading.fields(node, "script", &known, &["function"])?;
    let limits = Limits::read(&fields, reading);
    let text = match (fields.get("file"), fields.entry("code")) {
        (Some(_), Some((key, _))) => {
            let help = "keep one of them";
            reading.error_with(key.span, "`code` and `file` cannot stand together", help);
            None
        }
        (None, Some((_, code))) => {
            reading.text(code, "code").map(|scalar| Text::inline(&reading.source, scalar))
        }
        (path, None) => {
            if path.is_none() && !fields.is_meant("file") && !fields.is_meant("code") {
                reading.error(node.span, "`script` needs a `file` or its `code`");
            }
            path.and_then(|path| file::read(reading.text(path, "file")?, reading))
        }
    };
    Some((text?, limits?))
}

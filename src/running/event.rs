//! What happened, in the past tense: the only way to watch a run.
//!
//! Console, JSON and every other reader consume the same enum. Its texts are fit to be seen: what
//! is secret was replaced where the event was made. A reader says how much [`Detail`] it wants,
//! and nobody pays for text that nobody reads.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::document::workflow::Workflow;
use crate::parts::expect::Check;
use crate::running::outcome::{StepOutcome, Verdict};

/// How much a reader wants to know. Each level has what the ones before it have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Detail {
    /// Steps that finished, checks that failed, warnings.
    #[default]
    Outcome,
    /// Also steps that started, what was extracted, checks that passed, what scripts printed.
    Steps,
    /// Also requests and responses.
    Requests,
    /// Also their headers as sent and received, and timings.
    Wire,
}

/// One thing that happened.
#[derive(Debug, Clone, Serialize)]
pub struct Event {
    /// Counts from 0 within the run, without gaps.
    pub seq: u64,
    /// Which step: its id, behind the ids of the steps that used its workflow: `login/personal`.
    /// Empty for what concerns the whole run.
    pub path: Arc<str>,
    /// Since the run started, in milliseconds.
    #[serde(rename = "elapsed_ms", serialize_with = "millis")]
    pub elapsed: Duration,
    /// What.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// What can happen. What is large is boxed: every event takes the room of the largest.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum EventKind {
    /// A workflow began.
    RunStarted {
        /// Its name.
        workflow: Arc<str>,
        /// Its file, as the user named it.
        file: Arc<str>,
        /// How many steps it has, `finally` included.
        steps: usize,
        /// How many characters the longest name of a step has, so that columns can stand from the
        /// first line on.
        #[serde(skip)]
        widest: usize,
    },
    /// A step began.
    StepStarted {
        /// What it is called for people: its `name`, else its id.
        name: Arc<str>,
    },
    /// A script printed something.
    ScriptLogged {
        /// What.
        text: String,
    },
    /// A dry run came to a step: what it would do.
    StepPlanned {
        /// Whether, how often and around what it would be done, in words.
        notes: Vec<String>,
        /// What it would send; `‹name›` stands for what only an answer can give.
        #[serde(skip_serializing_if = "Option::is_none")]
        request: Option<Box<RequestText>>,
    },
    /// A request went out.
    RequestSent(Box<RequestText>),
    /// An answer came.
    ResponseReceived(Box<ResponseText>),
    /// A request will be sent again.
    RetryScheduled {
        /// The attempt that comes, counted from 1.
        attempt: u32,
        /// What made it necessary.
        why: String,
        /// How long is waited, in milliseconds.
        #[serde(rename = "wait_ms", serialize_with = "millis")]
        wait: Duration,
    },
    /// Something that a person should know, and that fails nothing.
    Warned {
        /// What.
        message: String,
    },
    /// A secret is too short to be looked for inside other text.
    ShortSecret {
        /// The input that has it.
        input: Arc<str>,
    },
    /// A value was extracted.
    ValueExtracted {
        /// The variable.
        name: Arc<str>,
        /// Its value; a pseudonym for a secret.
        shown: String,
    },
    /// An expectation was judged.
    Checked(Box<Check>),
    /// A step ended.
    StepFinished(Box<StepOutcome>),
    /// The workflow ended.
    RunFinished {
        /// How.
        verdict: Verdict,
    },
}

impl EventKind {
    /// A workflow begins.
    pub(super) fn started(workflow: &Workflow) -> Self {
        Self::RunStarted {
            workflow: Arc::clone(&workflow.name),
            file: workflow.source.name().into(),
            steps: workflow.all_steps().count(),
            widest: workflow.all_steps().map(|step| step.name.chars().count()).max().unwrap_or(0),
        }
    }
}

/// A request as people may see it.
#[derive(Debug, Clone, Default, Serialize)]
pub struct RequestText {
    /// The method.
    pub method: String,
    /// The URL with its query.
    pub url: String,
    /// The headers; empty below [`Detail::Wire`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, String)>,
    /// The body, cut; `None` where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// A command that does the same, where the context asks for one: for a POSIX shell, comments
    /// above it, a variable for each secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub curl: Option<String>,
}

/// An answer as people may see it.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ResponseText {
    /// `HTTP/1.1 200 OK`.
    pub line: String,
    /// The status.
    pub status: u16,
    /// The headers; empty below [`Detail::Wire`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, String)>,
    /// The body, cut; `None` where it is empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// How many bytes the body has.
    pub size: usize,
    /// The redirects on the way.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub redirects: Vec<RedirectText>,
    /// `dns 1ms, connect 3ms, first byte 12ms, body 13ms`; empty below [`Detail::Wire`].
    #[serde(skip_serializing_if = "String::is_empty")]
    pub timing: String,
}

/// One redirect that was followed, as people may see it: as text, `302 https://a/x → https://b/y`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RedirectText {
    /// The status that sent us on.
    pub status: u16,
    /// The URL that had been asked.
    pub from: String,
    /// The URL that was asked next.
    pub to: String,
    /// Whether credentials were left behind, since the origin changed.
    pub dropped_credentials: bool,
}

impl fmt::Display for RedirectText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dropped = if self.dropped_credentials { " (credentials left behind)" } else { "" };
        write!(f, "{} {} → {}{dropped}", self.status, self.from, self.to)
    }
}

/// Milliseconds, for serde.
///
/// # Errors
/// Those of the serializer.
pub fn millis<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

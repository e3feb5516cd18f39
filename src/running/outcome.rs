//! How a run went: a fold of its events, and why it failed where it did.

use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;
use serde::Serialize;

use crate::ground::diagnostic::Diagnostic;
use crate::ground::secret::{Marked, Needles};
use crate::ground::source::Source;
use crate::ground::value::Value;
use crate::parts::expect::Check;
use crate::parts::http::Saved;
use crate::running::event::{Event, EventKind, RedirectText, millis};

/// How a step or a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// All is well.
    #[default]
    Passed,
    /// An expectation did not hold.
    Failed,
    /// It could not be carried out.
    Errored,
    /// It did not run, and nothing is wrong with that.
    Skipped,
}

impl Verdict {
    /// The word for it, as `steps.<id>.verdict` has it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Errored => "errored",
            Self::Skipped => "skipped",
        }
    }

    /// The verdict of both together: the worse of them; what was skipped fails nothing.
    pub(super) const fn worse(self, other: Self) -> Self {
        match (self, other) {
            (Self::Errored, _) | (_, Self::Errored) => Self::Errored,
            (Self::Failed, _) | (_, Self::Failed) => Self::Failed,
            _ => Self::Passed,
        }
    }
}

/// Why a run did not pass, in the order in which one outranks another: later is weightier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// A status, an expectation, `fail`.
    CheckFailed,
    /// Network, TLS, a script's error, a limit, a file, nothing to extract.
    CouldNotRun,
    /// A 401, a 407 or an OAuth refusal that nobody expected.
    Authentication,
    /// The workflow or the command line is wrong.
    Usage,
    /// Ctrl-C, or SIGTERM.
    Interrupted,
}

/// What stopped a step.
#[derive(Debug, Clone, Serialize)]
pub struct Failure {
    /// Which kind of trouble it is.
    pub cause: Cause,
    /// What, where, and what to do.
    #[serde(flatten)]
    pub diagnostic: Diagnostic,
}

/// How one step went.
#[derive(Debug, Clone, Default, Serialize)]
pub struct StepOutcome {
    /// Its id.
    pub id: Arc<str>,
    /// What it is called for people: its `name`, else its id.
    #[serde(skip)]
    pub name: Arc<str>,
    /// The file in which it stands: the spans of its checks are places there.
    #[serde(skip)]
    pub source: Option<Arc<Source>>,
    /// How it ended.
    pub verdict: Verdict,
    /// Why it is skipped, where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why_skipped: Option<String>,
    /// The status of its last answer.
    pub status: Option<u16>,
    /// Whether that status was not as expected.
    #[serde(skip)]
    pub is_refused: bool,
    /// How long it took, in milliseconds.
    #[serde(rename = "time_ms", serialize_with = "millis")]
    pub time: Duration,
    /// How often its request was sent; 0 where it sent none.
    pub attempts: u32,
    /// The redirects that its last request followed, also where no answer came in the end.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub redirects: Vec<RedirectText>,
    /// Those that the requests of its scripts followed, in its last pass.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub script_redirects: Vec<RedirectText>,
    /// How often the whole step was repeated; 0 where it has no `repeat`.
    #[serde(skip)]
    pub passes: u32,
    /// The causes of its failed checks that weigh more than [`Cause::CheckFailed`].
    #[serde(skip)]
    pub cause: Option<Cause>,
    /// What stopped it.
    pub error: Option<Failure>,
    /// The answer that did not fit, cut and fit to be seen: only where the step did not pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// What the server says went wrong, in one line, where its answer says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
    /// What a person can do about an answer that did not fit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

/// How a run went.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// How it ended.
    pub verdict: Verdict,
    /// The workflow's name.
    pub workflow: Arc<str>,
    /// Its file.
    pub file: Arc<str>,
    /// Every step that was reached, each with its checks, in the order in which they ended.
    pub steps: Vec<(StepOutcome, Vec<Check>)>,
    /// How many checks were judged.
    pub checks: usize,
    /// How long it took.
    pub time: Duration,
    /// The weightiest trouble.
    pub cause: Option<Cause>,
}

impl Outcome {
    /// Folds a run's events.
    pub fn fold<'e>(events: impl IntoIterator<Item = &'e Event>) -> Self {
        let mut folding = Folding::default();
        for event in events {
            folding.add(event);
        }
        folding.outcome
    }

    /// Whether everything passed.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.cause.is_none() && self.verdict == Verdict::Passed
    }
}

/// An [`Outcome`] that is being folded, event by event.
#[derive(Debug, Default)]
pub struct Folding {
    /// What is known so far.
    pub outcome: Outcome,
    pending: IndexMap<Arc<str>, Vec<Check>>,
}

impl Folding {
    /// Adds what happened.
    pub fn add(&mut self, event: &Event) {
        self.outcome.time = event.elapsed;
        match &event.kind {
            EventKind::RunStarted { workflow, file, .. } => {
                self.outcome.workflow = Arc::clone(workflow);
                self.outcome.file = Arc::clone(file);
            }
            EventKind::Checked(check) => {
                self.outcome.checks += 1;
                if !check.passed {
                    self.weigh(Cause::CheckFailed);
                }
                self.pending.entry(Arc::clone(&event.path)).or_default().push(Check::clone(check));
            }
            EventKind::StepFinished(step) => {
                step.cause.into_iter().chain(step.error.as_ref().map(|error| error.cause)).for_each(
                    |cause| {
                        self.weigh(cause);
                    },
                );
                let checks = self.pending.shift_remove(&event.path).unwrap_or_default();
                self.outcome.steps.push((StepOutcome::clone(step), checks));
            }
            EventKind::RunFinished { verdict } => self.outcome.verdict = *verdict,
            _ => {}
        }
    }

    fn weigh(&mut self, cause: Cause) {
        self.outcome.cause = self.outcome.cause.max(Some(cause));
    }
}

/// A run that has ended.
#[derive(Debug, Clone, Default)]
pub struct Finished {
    /// How it went.
    pub outcome: Outcome,
    /// What it gives to its caller, in the order of the text.
    pub outputs: IndexMap<Arc<str>, Marked<Value>>,
    /// The secrets that it learnt: whoever shows an output takes them out.
    pub needles: Needles,
    /// The cookies that it had in the end, whether it passed or not, for [`Context::cookies`] of another.
    ///
    /// [`Context::cookies`]: crate::running::Context::cookies
    pub cookies: Saved,
}

impl Finished {
    /// Whether everything passed.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.outcome.passed()
    }

    /// The weightiest trouble, where there was any.
    #[must_use]
    pub const fn cause(&self) -> Option<Cause> {
        self.outcome.cause
    }

    /// An output as text, secret or not: who asks for it by its name gets it.
    #[must_use]
    pub fn output(&self, name: &str) -> Option<String> {
        self.outputs.get(name).map(|found| found.value.to_text())
    }
}

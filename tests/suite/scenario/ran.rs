//! What came of a scenario: how it ended, what it told, and what its servers saw. What it asserts says in
//! one line what a test means by it, and shows all that came where that does not hold.

use reqchain::parts::expect::Check;
use reqchain::running::{Cause, Event, EventKind, Finished, StepOutcome, Verdict};
use reqchain::services::runner::Error;
use tempfile::TempDir;

use crate::scenario::{Seen, Server, origin};

/// What came of a scenario.
pub(crate) struct Ran {
    pub(crate) finished: Result<Finished, Error>,
    pub(crate) events: Vec<Event>,
    pub(super) servers: Vec<Server>,
    pub(super) seen_by_mock: Option<Vec<String>>,
    pub(super) folder: String,
    pub(super) _files: TempDir,
}

impl Ran {
    #[track_caller]
    fn finished(&self) -> &Finished {
        match &self.finished {
            Ok(finished) => finished,
            Err(error) => panic!("it did not run:\n{error}"),
        }
    }

    /// Asserts that everything passed.
    #[track_caller]
    pub(crate) fn passed(&self) -> &Self {
        let finished = self.finished();
        assert!(finished.passed(), "it did not pass:\n{}\n{:#?}", self.error(), self.checks());
        self
    }

    /// Asserts that it failed, and of what the exit code would tell.
    #[track_caller]
    pub(crate) fn fails_with(&self, cause: Cause) -> &Self {
        let finished = self.finished();
        assert_eq!(finished.cause(), Some(cause), "{}\n{:#?}", self.error(), self.checks());
        assert_ne!(finished.outcome.verdict, Verdict::Passed);
        self
    }

    /// The messages with which the workflow or its inputs were refused before anything was sent.
    #[track_caller]
    pub(crate) fn refused(&self) -> String {
        match &self.finished {
            Err(Error::Refused(problems)) => self.clean(&problems.render(false)),
            other => panic!("it was not refused: {other:?}\n{}", self.error()),
        }
    }

    /// Asserts what the server `base` (or the mock) was asked, in this order.
    #[track_caller]
    pub(crate) fn saw<const N: usize>(&self, requests: [&str; N]) -> &Self {
        match &self.seen_by_mock {
            Some(seen) => assert_eq!(*seen, requests, "{}", self.error()),
            None => assert_eq!(self.servers[0].lines(), requests, "{}", self.error()),
        }
        self
    }

    /// Asserts what another server was asked.
    #[track_caller]
    pub(crate) fn saw_at<const N: usize>(&self, name: &str, requests: [&str; N]) -> &Self {
        let server = self.servers.iter().find(|server| server.name == name).expect("a server of that name");
        assert_eq!(server.lines(), requests, "{}", self.error());
        self
    }

    /// The requests that a server saw.
    #[track_caller]
    pub(crate) fn seen_at(&self, name: &str) -> Vec<Seen> {
        self.servers.iter().find(|server| server.name == name).expect("a server of that name").seen()
    }

    /// The first request with this line: `GET /a`.
    #[track_caller]
    pub(crate) fn seen(&self, line: &str) -> Seen {
        let found = self.servers[0].seen().into_iter().find(|seen| seen.line() == line);
        found
            .unwrap_or_else(|| panic!("nobody asked {line}: {:?}\n{}", self.servers[0].lines(), self.error()))
    }

    /// Where a server was.
    pub(crate) fn origin(&self, name: &str) -> String {
        origin(&self.servers, name)
    }

    /// An output.
    #[track_caller]
    pub(crate) fn output(&self, name: &str) -> serde_json::Value {
        let outputs = &self.finished().outputs;
        let found = outputs
            .get(name)
            .unwrap_or_else(|| panic!("no output `{name}`: {:?}\n{}", outputs.keys(), self.error()));
        found.value.to_serde()
    }

    /// The names of the outputs.
    #[track_caller]
    pub(crate) fn outputs(&self) -> Vec<&str> {
        self.finished().outputs.keys().map(|name| &**name).collect()
    }

    /// Every check that was judged.
    pub(crate) fn checks(&self) -> Vec<Check> {
        let check = |event: &Event| match &event.kind {
            EventKind::Checked(check) => Some(Check::clone(check)),
            _ => None,
        };
        self.events.iter().filter_map(check).collect()
    }

    /// The checks that failed, as `what`.
    pub(crate) fn failed_checks(&self) -> Vec<String> {
        self.checks().into_iter().filter(|check| !check.passed).map(|check| check.what).collect()
    }

    /// Every step that ended, in the order in which they did.
    pub(crate) fn steps(&self) -> Vec<StepOutcome> {
        let step = |event: &Event| match &event.kind {
            EventKind::StepFinished(step) => Some(StepOutcome::clone(step)),
            _ => None,
        };
        self.events.iter().filter_map(step).collect()
    }

    /// `id verdict` of every step that ended.
    pub(crate) fn verdicts(&self) -> Vec<String> {
        self.steps().iter().map(|step| format!("{} {}", step.id, step.verdict.word())).collect()
    }

    /// What scripts printed.
    pub(crate) fn printed(&self) -> Vec<String> {
        let text = |event: &Event| match &event.kind {
            EventKind::ScriptLogged { text } => Some(text.clone()),
            _ => None,
        };
        self.events.iter().filter_map(text).collect()
    }

    /// Each request as a curl command, comments above it.
    pub(crate) fn commands(&self) -> Vec<String> {
        let command = |event: &Event| match &event.kind {
            EventKind::RequestSent(request) => request.curl.clone(),
            EventKind::StepPlanned { request, .. } => request.as_ref()?.curl.clone(),
            _ => None,
        };
        self.events.iter().filter_map(command).collect()
    }

    /// What was warned of.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let text = |event: &Event| match &event.kind {
            EventKind::Warned { message } => Some(message.clone()),
            EventKind::ShortSecret { input } => Some(format!("the secret input `{input}` is too short")),
            _ => None,
        };
        self.events.iter().filter_map(text).collect()
    }

    /// Every event as a reader of JSON gets it.
    pub(crate) fn text(&self) -> String {
        let lines =
            self.events.iter().map(|event| serde_json::to_string(event).expect("events are serialisable"));
        lines.collect::<Vec<_>>().join("\n")
    }

    /// Every error as people read it; paths are relative to the workflow's folder.
    pub(crate) fn error(&self) -> String {
        let errors: Vec<_> = match &self.finished {
            Ok(_) => self
                .steps()
                .iter()
                .filter_map(|step| Some(step.error.as_ref()?.diagnostic.render(false)))
                .collect(),
            Err(error) => vec![error.to_string()],
        };
        self.clean(&errors.join("\n\n"))
    }

    /// The workflow's folder, a slash at its end.
    pub(crate) fn folder(&self) -> String {
        self.folder.clone()
    }

    fn clean(&self, text: &str) -> String {
        text.replace(&self.folder, "")
    }
}

//! The report for programs: `--output json`.
//!
//! One document for all workflows of a call, also when some of them failed. Secrets are
//! pseudonyms, as everywhere but in a value that was asked for by name.

use std::io;
use std::sync::Arc;

use indexmap::IndexMap;
use serde::Serialize;

use crate::ground::diagnostic::steers;
use crate::ground::log_command::disarmed_json;
use crate::ground::secret::Needles;
use crate::ground::source::{Source, Span};
use crate::ground::value::Value;
use crate::parts::expect::Check;
use crate::reading::report::{Reporter, vars};
use crate::running::event::{Detail, Event, RedirectText};
use crate::running::outcome::{Failure, Finished, StepOutcome, Verdict};

/// The version of the document; it rises when a member changes its meaning.
const VERSION: u32 = 1;

/// Makes the entry of one run.
pub struct Json {
    source: Arc<Source>,
    row: Option<u64>,
    pass: Option<u32>,
    entry: Option<serde_json::Result<serde_json::Value>>,
}

impl Json {
    /// A report of one run of the workflow in `source`; `pass` says which, where there are several.
    #[must_use]
    pub const fn new(source: Arc<Source>, pass: Option<u32>) -> Self {
        Self { source, row: None, pass, entry: None }
    }

    /// Says which row it is run for: that is then its case, and the pass stands beside it.
    #[must_use]
    pub const fn row(mut self, row: Option<u64>) -> Self {
        self.row = row;
        self
    }

    /// The run's entry in the document; `None` before it has ended.
    ///
    /// # Errors
    /// What of it has no JSON.
    pub fn into_entry(self) -> serde_json::Result<Option<serde_json::Value>> {
        self.entry.transpose()
    }
}

impl Reporter for Json {
    fn detail(&self) -> Detail {
        Detail::Steps
    }

    /// The outcome at the end has all that is wanted.
    fn event(&mut self, _: &Event) {}

    fn finish(&mut self, finished: &Finished) {
        let entry = serde_json::to_value(workflow(finished, (self.row, self.pass), &self.source));
        self.entry = Some(entry.map(|entry| hidden(entry, &finished.needles)));
    }
}

/// An entry without what only a later step told to be a secret.
fn hidden(mut entry: serde_json::Value, needles: &Needles) -> serde_json::Value {
    let steps = entry["steps"].as_array_mut().into_iter().flatten().filter_map(|step| step.as_object_mut());
    for (name, told) in steps.flatten() {
        if matches!(&**name, "redirects" | "script_redirects" | "checks" | "error") {
            hide(told, needles);
        }
    }
    entry
}

fn hide(told: &mut serde_json::Value, needles: &Needles) {
    match told {
        serde_json::Value::String(text) => *text = needles.scrub(text),
        serde_json::Value::Array(elements) => elements.iter_mut().for_each(|element| hide(element, needles)),
        serde_json::Value::Object(members) => members.values_mut().for_each(|member| hide(member, needles)),
        _ => {}
    }
}

/// The whole document, a line feed at its end.
///
/// # Errors
/// As [`text`].
pub fn document(passed: bool, workflows: &[serde_json::Value]) -> io::Result<String> {
    text(&Document { version: VERSION, passed, workflows })
}

/// A value as JSON, a line feed at its end. What could steer a terminal stands in it as an escape: a
/// terminal may be what it is written to, and to a program it is the same text.
///
/// # Errors
/// What of it has no JSON.
pub fn text<T: Serialize + ?Sized>(value: &T) -> io::Result<String> {
    let text = disarmed_json(&serde_json::to_string_pretty(value)?) + "\n";
    if !text.contains(steers) {
        return Ok(text);
    }
    // Such a character can stand in a string alone, and none takes more than one unit of UTF-16.
    let escaped = |c: char| if steers(c) { format!("\\u{:04x}", c as u32) } else { c.into() };
    Ok(text.chars().map(escaped).collect())
}

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    passed: bool,
    workflows: &'a [serde_json::Value],
}

#[derive(Serialize)]
struct Workflow<'a> {
    file: &'a str,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    case: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pass: Option<u32>,
    verdict: Verdict,
    outputs: IndexMap<&'a str, Value>,
    steps: Vec<Step<'a>>,
}

#[derive(Serialize)]
struct Step<'a> {
    id: &'a str,
    verdict: Verdict,
    status: Option<u16>,
    time_ms: u64,
    attempts: u32,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    redirects: &'a [RedirectText],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    script_redirects: &'a [RedirectText],
    checks: Vec<Judged<'a>>,
    error: Option<&'a Failure>,
}

#[derive(Serialize)]
struct Judged<'a> {
    what: &'a str,
    passed: bool,
    expected: &'a str,
    actual: &'a str,
    line: Option<usize>,
}

fn workflow<'a>(
    finished: &'a Finished,
    (row, pass): (Option<u64>, Option<u32>),
    source: &Arc<Source>,
) -> Workflow<'a> {
    let outcome = &finished.outcome;
    Workflow {
        file: &outcome.file,
        name: &outcome.workflow,
        case: row.or(pass.map(u64::from)),
        pass: row.and(pass),
        verdict: outcome.verdict,
        outputs: finished
            .outputs
            .iter()
            .map(|(name, value)| (name.as_ref(), vars::shown(value, &finished.needles)))
            .collect(),
        steps: outcome.steps.iter().map(|(outcome, checks)| step(outcome, checks, source)).collect(),
    }
}

fn step<'a>(outcome: &'a StepOutcome, checks: &'a [Check], source: &Arc<Source>) -> Step<'a> {
    let source = outcome.source.as_ref().unwrap_or(source);
    Step {
        id: &outcome.id,
        verdict: outcome.verdict,
        status: outcome.status,
        time_ms: u64::try_from(outcome.time.as_millis()).unwrap_or(u64::MAX),
        attempts: outcome.attempts,
        redirects: &outcome.redirects,
        script_redirects: &outcome.script_redirects,
        checks: checks.iter().map(|check| judged(check, source)).collect(),
        error: outcome.error.as_ref(),
    }
}

fn judged<'a>(check: &'a Check, source: &Source) -> Judged<'a> {
    let line = (check.span != Span::default()).then(|| source.position(check.span.start as usize).line);
    Judged { what: &check.what, passed: check.passed, expected: &check.expected, actual: &check.actual, line }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::ground::diagnostic::Diagnostic;
    use crate::ground::secret::{Marked, Marks};
    use crate::running::outcome::{Cause, Outcome};

    fn finished(source: &Arc<Source>) -> Finished {
        let check = Check {
            what: "status".into(),
            passed: false,
            expected: "200".into(),
            actual: "503".into(),
            span: Span::new(9, 12),
        };
        let error = Failure {
            cause: Cause::CouldNotRun,
            diagnostic: Diagnostic::error("nothing there").at(source, Span::new(0, 6)),
        };
        let step = StepOutcome {
            id: "me".into(),
            verdict: Verdict::Failed,
            status: Some(503),
            time: Duration::from_micros(12_345),
            attempts: 2,
            error: Some(error),
            ..StepOutcome::default()
        };
        let outcome = Outcome {
            verdict: Verdict::Failed,
            workflow: "flow".into(),
            file: "flow.yaml".into(),
            steps: vec![(step, vec![check])],
            ..Outcome::default()
        };
        let secret = Marked::new(Value::from("hunter22"), Marks::secret("access".into()));
        let outputs = [("token".into(), secret), ("left".into(), Marked::plain(Value::from(3600_i64)))];
        Finished { outcome, outputs: outputs.into_iter().collect(), ..Finished::default() }
    }

    #[test]
    fn the_document_has_the_shape_that_programs_rely_on() {
        let source = Source::text("flow.yaml", "expect:\n 200\n");
        let mut report = Json::new(Arc::clone(&source), Some(2));
        report.finish(&finished(&source));
        let entry = report.into_entry().expect("JSON").expect("it has ended");
        insta::assert_snapshot!(document(false, &[entry]).expect("JSON"), @r#"
          {
            "version": 1,
            "passed": false,
            "workflows": [
              {
                "file": "flow.yaml",
                "name": "flow",
                "case": 2,
                "verdict": "failed",
                "outputs": {
                  "token": "«access»",
                  "left": 3600
                },
                "steps": [
                  {
                    "id": "me",
                    "verdict": "failed",
                    "status": 503,
                    "time_ms": 12,
                    "attempts": 2,
                    "checks": [
                      {
                        "what": "status",
                        "passed": false,
                        "expected": "200",
                        "actual": "503",
                        "line": 2
                      }
                    ],
                    "error": {
                      "cause": "could_not_run",
                      "severity": "error",
                      "message": "nothing there",
                      "file": "flow.yaml",
                      "line": 1,
                      "column": 1,
                      "end_line": 1,
                      "end_column": 7
                    }
                  }
                ]
              }
            ]
          }
        "#);
    }

    #[test]
    fn what_is_escaped_for_a_terminal_is_the_same_text_to_a_program() {
        let odd = serde_json::json!({ "a\u{202e}": "\u{9b}31m\u{feff}\u{1b}[2J\n" });
        let text = text(&odd).expect("JSON");
        assert!(!text.contains(steers), "{text:?}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).expect("JSON"), odd);
    }

    #[test]
    fn a_case_is_told_only_where_there_are_several() {
        let source = Source::text("flow.yaml", "");
        let mut report = Json::new(Arc::clone(&source), None);
        report.finish(&finished(&source));
        let entry = report.into_entry().expect("JSON").expect("it has ended");
        assert!(entry.get("case").is_none(), "{entry}");
        assert_eq!(
            document(true, &[]).expect("JSON"),
            "{\n  \"version\": 1,\n  \"passed\": true,\n  \"workflows\": []\n}\n"
        );
    }
}

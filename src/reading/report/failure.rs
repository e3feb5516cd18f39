//! What stands below a step that did not pass: the expectations that did not hold, what stopped
//! it, the answer, and what to do.

use std::sync::Arc;

use indexmap::IndexSet;

use crate::ground::diagnostic::Diagnostic;
use crate::ground::source::{Source, Span};
use crate::parts::expect::Check;
use crate::reading::report::style::{Style, clean, indent, one_line};
use crate::running::event::RedirectText;
use crate::running::outcome::{Cause, Failure, StepOutcome};

/// The most characters of an expected or an actual value that are shown.
const LONGEST: usize = 2000;
/// The most characters of the name of a check.
const NAME: usize = 200;
/// A structure as short as this stays on its line.
const SHORT: usize = 60;

/// Says why a step did not pass. Every line ends in a line feed; empty where there is nothing to
/// say. `source` is the text of the file in which the checks stand.
#[must_use]
pub fn explain(step: &StepOutcome, checks: &[Check], source: &Arc<Source>, style: Style) -> String {
    let checks = checks.iter().filter(|check| !check.passed).map(|check| check_text(check, source, style));
    let error = step.error.as_ref().map(|failure| {
        let tell = if is_consequence(failure, step) { consequence_text } else { error_text };
        tell(failure, style)
    });
    let way = Some(redirects_text(step, style)).filter(|way| !way.is_empty());
    let said = step.said.as_deref().map(|text| said_text(text, style));
    let answer = step.answer.as_deref().map(|text| answer_text(text, style));
    let own = step.error.as_ref().filter(|failure| !is_consequence(failure, step));
    let helps = [step.help.as_deref(), own.and_then(|failure| failure.diagnostic.help.as_deref())];
    let helps = helps.into_iter().flatten().map(|help| help_text(help, style));
    let blocks: Vec<_> = checks.chain(error).chain(way).chain(said).chain(answer).chain(helps).collect();
    blocks.join("\n")
}

/// Whether something could not be found since the server refused: neither its place nor its help is
/// what mends the step.
fn is_consequence(failure: &Failure, step: &StepOutcome) -> bool {
    step.is_refused && failure.cause == Cause::CheckFailed
}

fn consequence_text(failure: &Failure, style: Style) -> String {
    let lines = std::iter::once(&failure.diagnostic.message).chain(&failure.diagnostic.notes);
    lines.fold(String::new(), |text, line| {
        format!("{text}{}: {}\n", style.dim("note"), one_line(line, LONGEST))
    })
}

/// How the request came to the server that answered: a line for each redirect, and one alone for those
/// of a circle that come again.
fn redirects_text(step: &StepOutcome, style: Style) -> String {
    let line = |hop: &RedirectText| {
        format!("{} {}\n", style.dim("redirected:"), style.dim(&one_line(&hop.to_string(), LONGEST)))
    };
    let redirects = step.script_redirects.iter().chain(&step.redirects);
    redirects.map(line).collect::<IndexSet<_>>().into_iter().collect()
}

/// The server's own words, in one line.
fn said_text(text: &str, style: Style) -> String {
    format!("{} {}\n", style.dim("the server said:"), style.bold(&one_line(text, LONGEST)))
}

fn check_text(check: &Check, source: &Arc<Source>, style: Style) -> String {
    let gave_up = check.what == Check::FAIL;
    let title = if gave_up {
        one_line(&check.actual, NAME)
    } else {
        format!("`{}` is not as expected", one_line(&check.what, NAME))
    };
    let mut diagnostic = Diagnostic::error(title);
    if check.span != Span::default() {
        diagnostic = diagnostic.at(source, check.span);
    }
    let mut text = format!("{}\n", diagnostic.render(style.is_colored()));
    if gave_up {
        return text;
    }
    let sides = [
        ("expected", &check.expected, Style::green as fn(Style, &str) -> String),
        ("came", &check.actual, Style::red),
    ];
    for (title, value, paint) in sides {
        if !value.is_empty() {
            text.push_str(&side(title, value, |line| paint(style, line)));
        }
    }
    text
}

/// `expected: 200`, or the value in lines of its own below.
fn side(title: &str, value: &str, paint: impl Fn(&str) -> String) -> String {
    let value = clean(&cut(&readable(value)));
    let value = value.trim_end_matches('\n');
    if value.contains('\n') {
        let lines: Vec<_> = value.lines().map(&paint).collect();
        return format!("{title:>8}:\n{}", indent(&lines.join("\n"), "          "));
    }
    format!("{title:>8}: {}\n", paint(value))
}

/// A structure that is too long for a line, in YAML; anything else as it is.
fn readable(value: &str) -> String {
    if value.len() <= SHORT || !value.starts_with(['{', '[']) {
        return value.to_owned();
    }
    let tree: Option<serde_json::Value> = serde_json::from_str(value).ok();
    tree.and_then(|tree| serde_yaml::to_string(&tree).ok()).unwrap_or_else(|| value.to_owned())
}

fn cut(value: &str) -> String {
    match value.char_indices().nth(LONGEST) {
        None => value.to_owned(),
        Some((at, _)) => format!("{}… and {} more bytes", &value[..at], value.len() - at),
    }
}

/// The help comes last, below the answer: it is what a person reads next.
fn error_text(failure: &Failure, style: Style) -> String {
    let mut diagnostic = failure.diagnostic.clone();
    diagnostic.help = None;
    format!("{}\n", diagnostic.render(style.is_colored()))
}

fn help_text(help: &str, style: Style) -> String {
    format!("{}: {}\n", style.cyan("help"), clean(help))
}

/// A bar stands before each line, so that no answer can pass for a line of ours, nor for a command
/// of a CI system that reads the log.
fn answer_text(text: &str, style: Style) -> String {
    format!("{}\n{}", style.dim("the answer:"), barred(text, style))
}

/// A foreign text of several lines.
#[must_use]
pub fn barred(text: &str, style: Style) -> String {
    indent(clean(text).trim_end(), &format!("{} ", style.dim("│")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::running::outcome::Verdict;

    fn source() -> Arc<Source> {
        Source::text("flow.yaml", "steps:\n  - request: GET /me\n    expect: { status: 200 }\n")
    }

    fn check(expected: &str, actual: &str) -> Check {
        let span = Span::new(48, 51);
        Check { what: "status".into(), passed: false, expected: expected.into(), actual: actual.into(), span }
    }

    fn explained(step: &StepOutcome, checks: &[Check]) -> String {
        explain(step, checks, &source(), Style::new(false))
    }

    #[test]
    fn a_check_shows_where_it_stands_what_was_expected_and_what_came() {
        let at = source().as_str().find("200").expect("it is there");
        let check = Check { span: Span::new(at, at + 3), ..check("200", "503") };
        let passed = Check { passed: true, ..check.clone() };
        insta::assert_snapshot!(explained(&StepOutcome::default(), &[passed, check]), @r"
          error: `status` is not as expected
           --> flow.yaml:3:23
            |
          3 |     expect: { status: 200 }
            |                       ^^^
          expected: 200
              came: 503
        ");
    }

    #[test]
    fn checks_come_before_the_error_the_answer_and_the_help() {
        let step = StepOutcome {
            verdict: Verdict::Failed,
            error: Some(Failure {
                cause: Cause::CouldNotRun,
                diagnostic: Diagnostic::error("nothing at `$.token`").help("the answer has `error`"),
            }),
            answer: Some("HTTP/1.1 503 Unavailable\r\n\r\n::set-output name=a::b\x1b[2J".into()),
            ..StepOutcome::default()
        };
        let check = Check { what: "it is my turn".into(), span: Span::default(), ..check("true", "false") };
        insta::assert_snapshot!(explained(&step, &[check]), @r"
          error: `it is my turn` is not as expected
          expected: true
              came: false

          error: nothing at `$.token`

          the answer:
          │ HTTP/1.1 503 Unavailable
          │
          │ ::set-output name=a::b\x1b[2J

          help: the answer has `error`
        ");
    }

    #[test]
    fn what_a_refusal_kept_from_being_found_is_a_note_and_the_servers_words_stand_out() {
        let step = StepOutcome {
            verdict: Verdict::Failed,
            status: Some(401),
            is_refused: true,
            error: Some(Failure {
                cause: Cause::CheckFailed,
                diagnostic: Diagnostic::error("nothing at `$.token`")
                    .note("also: nothing at `$.id`")
                    .help("no"),
            }),
            said: Some("wrong\x1b password".into()),
            help: Some("check the password".into()),
            ..StepOutcome::default()
        };
        insta::assert_snapshot!(explained(&step, &[]), @r"
          note: nothing at `$.token`
          note: also: nothing at `$.id`

          the server said: wrong\x1b password

          help: check the password
        ");
    }

    #[test]
    fn structures_and_lines_stand_below_their_title() {
        let long = r#"{"users":[{"name":"ann","age":3},{"name":"bob","age":4}],"next":null}"#;
        let check = Check { span: Span::default(), ..check(long, "one\ntwo") };
        insta::assert_snapshot!(explained(&StepOutcome::default(), &[check]), @r"
          error: `status` is not as expected
          expected:
                    users:
                    - name: ann
                      age: 3
                    - name: bob
                      age: 4
                    next: null
              came:
                    one
                    two
        ");
    }

    #[test]
    fn a_value_without_end_is_cut() {
        let check = Check { span: Span::default(), ..check("", &"ä".repeat(3000)) };
        let text = explained(&StepOutcome::default(), &[check]);
        assert!(text.ends_with("ä… and 2000 more bytes\n"), "{text}");
    }
}

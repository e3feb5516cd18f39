//! What a person sees of a run, from events made by hand to the exact text.

use std::sync::Arc;
use std::time::Duration;

use crate::ground::diagnostic::{Diagnostic, Diagnostics};
use crate::ground::source::{Source, Span};
use crate::parts::expect::Check;
use crate::running::event::{EventKind, RedirectText, RequestText, ResponseText};
use crate::running::outcome::{Cause, Failure, StepOutcome, Verdict};

use super::Verbosity;
use super::watched::{Watched, check, passed};

#[test]
fn a_run_is_a_line_for_each_step_and_a_sum() {
    let mut watched = Watched::new(Verbosity::Steps, true);
    watched.run().start("personal").value("personal", "personal_token", "«personal_token»");
    watched.tell("personal", check(true)).pass("personal");
    watched.start("service").value("service", "sid", "«session»").value("service", "left", "3600");
    watched.tell("service", check(true));
    watched.finish(
        "service",
        StepOutcome { attempts: 3, time: Duration::from_millis(1530), ..passed("service") },
    );
    watched.start("logout");
    watched.finish(
        "logout",
        StepOutcome {
            verdict: Verdict::Skipped,
            why_skipped: Some("`when` is false".into()),
            attempts: 0,
            status: None,
            ..passed("logout")
        },
    );
    insta::assert_snapshot!(watched.end(), @r"
      wildix service token  flow.yaml

        ✓ personal          200     12ms  «personal_token»
        ✓ service           200     1.5s  3 attempts, sid = «session», left = 3600
        - logout            skipped: `when` is false

        2 steps passed, 1 skipped, 2 checks in 35ms
    ");
}

#[test]
fn a_failure_stands_below_its_step_with_all_that_is_needed() {
    let mut watched = Watched::new(Verbosity::Steps, true);
    watched.run().start("me").tell("me", check(false));
    let step = StepOutcome {
        verdict: Verdict::Failed,
        status: Some(503),
        redirects: vec![moved("https://a.example/x", "https://b.example/y"); 2],
        answer: Some("HTTP/1.1 503 Service Unavailable\n\nbusy".into()),
        ..passed("me")
    };
    watched.finish("me", step).start("logout").pass("logout");
    insta::assert_snapshot!(watched.end(), @r"
      wildix service token  flow.yaml

        ✗ me                503     12ms

          error: `status` is not as expected
           --> flow.yaml:2:23
            |
          2 |   - expect: { status: 200 }
            |                       ^^^
          expected: 200
              came: 503

          redirected: 302 https://a.example/x → https://b.example/y

          the answer:
          │ HTTP/1.1 503 Service Unavailable
          │
          │ busy

        ✓ logout            200     12ms

        1 step failed, 1 passed, 1 check in 35ms
    ");
}

#[test]
fn steps_of_a_used_workflow_stand_indented_below_its_user() {
    let mut watched = Watched::new(Verbosity::Steps, true);
    watched.run().start("login").start("login/personal").pass("login/personal").start("login/access");
    watched.pass("login/access").pass("login").start("me").pass("me");
    insta::assert_snapshot!(watched.end(), @r"
      wildix service token  flow.yaml

        ▸ login
          ✓ personal        200     12ms
          ✓ access          200     12ms
        ✓ login             200     12ms
        ✓ me                200     12ms

        4 steps passed in 35ms
    ");
}

#[test]
fn steps_at_once_keep_their_values_apart() {
    let mut watched = Watched::new(Verbosity::Steps, true);
    watched.run().start("a").start("b").value("a", "x", "1").value("b", "y", "2").pass("b").pass("a");
    let text = watched.end();
    assert!(text.contains("✓ b                 200     12ms  y = 2\n"), "{text}");
    assert!(text.contains("✓ a                 200     12ms  x = 1\n"), "{text}");
}

fn moved(from: &str, to: &str) -> RedirectText {
    RedirectText { status: 302, from: from.to_owned(), to: to.to_owned(), dropped_credentials: false }
}

#[test]
fn verbose_shows_what_went_over_the_wire() {
    let mut watched = Watched::new(Verbosity::Wire, true);
    let headers = vec![("accept".to_owned(), "*/*".to_owned())];
    let request = RequestText {
        method: "POST".into(),
        url: "https://a.example/x".into(),
        headers: headers.clone(),
        body: Some("{\n  \"a\": 1\n}".into()),
        curl: None,
    };
    let response = ResponseText {
        line: "HTTP/1.1 200 OK".into(),
        status: 200,
        headers,
        body: Some("::warning::hello".into()),
        size: 1,
        redirects: vec![moved("https://a.example/x", "https://b.example/y")],
        timing: "dns 1ms, body 13ms".into(),
    };
    watched.run().start("me").tell("me", EventKind::RequestSent(request.into()));
    watched.retry("me", "503");
    watched.tell("me", EventKind::ResponseReceived(response.into())).tell("me", check(true)).pass("me");
    insta::assert_snapshot!(watched.end(), @r#"
      wildix service token  flow.yaml

        ▸ me
          > POST https://a.example/x
          > accept: */*
          │ {
          │   "a": 1
          │ }
          ~ attempt 2 in 200ms: 503
          ~ 302 https://a.example/x → https://b.example/y
          < HTTP/1.1 200 OK, 1 byte
          ~ dns 1ms, body 13ms
          < accept: */*
          │ ::warning::hello
        ✓ me                200     12ms
          ✓ status: 200

        1 step passed, 1 check in 35ms
    "#);
}

#[test]
fn what_scripts_print_and_what_is_warned_of_stands_below_the_step_that_it_is_of() {
    let mut watched = Watched::new(Verbosity::Steps, true);
    watched.run().warn("", "the clock is wrong").start("sign");
    watched.log("sign", "one\ntwo");
    watched.warn("sign", "`x` is not used").pass("sign");
    insta::assert_snapshot!(watched.end(), @r"
      wildix service token  flow.yaml

        warning: the clock is wrong
        ▸ sign
          │ one
          │ two
          warning: `x` is not used
        ✓ sign              200     12ms

        1 step passed in 35ms
    ");
}

#[test]
fn quiet_says_nothing_of_what_passed() {
    let mut watched = Watched::new(Verbosity::Quiet, true);
    watched.run().pass("me").warn("", "beware");
    assert_eq!(watched.end(), "");
}

#[test]
fn quiet_tells_the_failing_steps_and_the_sum() {
    let mut watched = Watched::new(Verbosity::Quiet, true);
    let error = Failure {
        cause: Cause::CouldNotRun,
        diagnostic: Diagnostic::error("no answer from https://a.example").help("is it up?"),
    };
    let step = StepOutcome { verdict: Verdict::Errored, status: None, error: Some(error), ..passed("me") };
    watched.run().pass("first").finish("me", step);
    assert_eq!(watched.page.text(), "", "nothing before the end");
    insta::assert_snapshot!(watched.end(), @r"
      wildix service token  flow.yaml

        ! me                        12ms

          error: no answer from https://a.example

          help: is it up?

        1 step could not run, 1 passed in 35ms
    ");
}

#[test]
fn several_runs_are_written_whole_one_after_another() {
    let mut watched = Watched::new(Verbosity::Steps, false);
    watched.console = watched.console.pass(Some(2));
    watched.run().start("me").pass("me");
    assert_eq!(watched.page.text(), "", "nothing before the end");
    insta::assert_snapshot!(watched.end(), @r"
      wildix service token  flow.yaml  pass 2

        ✓ me                200     12ms

        1 step passed in 35ms
    ");
}

#[test]
fn trouble_around_a_run_fails_it_in_words() {
    let mut watched = Watched::new(Verbosity::Steps, true);
    watched.run().start("me").pass("me");
    watched.folding.outcome.cause = Some(Cause::CouldNotRun);
    watched.console.trouble(&Diagnostics(vec![Diagnostic::error("the handler broke")]));
    insta::assert_snapshot!(watched.end(), @r"
      wildix service token  flow.yaml

        ✓ me                200     12ms

        error: the handler broke

        failed: 1 step passed in 35ms
    ");
}

#[test]
fn an_interrupted_run_says_how_far_it_came() {
    let mut watched = Watched::new(Verbosity::Steps, true);
    watched.run().start("me").pass("me").start("next");
    watched.folding.outcome.cause = Some(Cause::Interrupted);
    assert!(watched.end().ends_with("\n\n  interrupted: 1 step passed in 35ms\n"));
}

/// Escapes of a terminal, anywhere (S74).
#[test]
fn no_text_of_an_event_reaches_the_terminal_as_it_is() {
    let evil = "a\x1b[2J\u{9b}31m\u{202e}\u{7}b";
    let text = || evil.to_owned();
    let mut watched = Watched::new(Verbosity::Wire, true);
    watched.tell("", EventKind::RunStarted { workflow: evil.into(), file: evil.into(), steps: 1, widest: 0 });
    watched.tell(evil, EventKind::StepStarted { name: evil.into() });
    watched.log(evil, evil);
    let request = RequestText {
        method: text(),
        url: text(),
        headers: vec![(text(), text())],
        body: Some(text()),
        curl: None,
    };
    watched.tell(evil, EventKind::RequestSent(request.into()));
    let response = ResponseText {
        line: text(),
        headers: vec![(text(), text())],
        body: Some(text()),
        redirects: vec![moved(evil, evil)],
        timing: text(),
        ..ResponseText::default()
    };
    watched.tell(evil, EventKind::ResponseReceived(response.into()));
    watched.retry(evil, evil);
    watched.warn(evil, evil);
    watched.value(evil, evil, evil);
    for passed in [true, false] {
        let span = Span::new(29, 32);
        let check = Check { what: text(), passed, expected: text(), actual: text(), span };
        watched.tell(evil, EventKind::Checked(check.into()));
    }
    let diagnostic = Diagnostic::error(evil).help(evil).note(evil);
    let source = Source::text("flow.yaml", "steps: \x1b[2J\n");
    let diagnostic = diagnostic.at(&source, Span::new(7, 11));
    let step = StepOutcome {
        id: evil.into(),
        name: evil.into(),
        verdict: Verdict::Errored,
        error: Some(Failure { cause: Cause::CouldNotRun, diagnostic }),
        answer: Some(text()),
        redirects: vec![moved(evil, evil)],
        ..StepOutcome::default()
    };
    watched.finish(evil, step);
    let skipped = StepOutcome { verdict: Verdict::Skipped, why_skipped: Some(text()), ..passed(evil) };
    watched.finish(evil, skipped);
    let text = watched.end();
    assert_eq!(text.matches(|c: char| c.is_control() && c != '\n').count(), 0, "{text:?}");
    assert!(!text.contains('\u{202e}') && text.contains("\\x1b[2J"), "{text:?}");
}

#[test]
fn long_names_and_many_values_keep_a_line_readable() {
    let mut watched = Watched::new(Verbosity::Steps, true);
    let long = "a_step_with_a_very_long_name_that_goes_on_and_on_and_on_until_it_ends";
    watched.run().start("a").pass("a").start(long);
    for name in ["a", "b", "c", "d", "e", "f"] {
        watched.value(long, name, &"x".repeat(60));
    }
    watched.pass(long).start("b").pass("b");
    insta::assert_snapshot!(watched.end(), @r"
      wildix service token  flow.yaml

        ✓ a                 200     12ms
        ✓ a_step_with_a_very_long_name_that_goes_on_and_on_and_on_until_it_ends  200     12ms  a = xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…, b = xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…, c = xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…, d = xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…, and 2 more
        ✓ b                                                             200     12ms

        3 steps passed in 35ms
    ");
}

#[test]
fn a_check_of_a_used_workflow_shows_that_workflows_text() {
    let mut watched = Watched::new(Verbosity::Steps, true);
    let source: Arc<Source> = Source::text("login.yaml", "steps: # of the used one      200\n");
    let step = StepOutcome { verdict: Verdict::Failed, source: Some(source), ..passed("login/me") };
    watched.run().start("login/me").tell("login/me", check(false)).finish("login/me", step);
    assert!(watched.end().contains("--> login.yaml:1:30"));
}

//! What is sent again, when and how often, and what it means that no answer came at all. Time
//! stands still here: a wait is read from the events, never waited for.

use std::time::Duration;

use reqchain::running::{Cause, EventKind};

use crate::scenario::{Ran, Reply, Scenario, says};

/// The waits that were scheduled, each with the attempt that it comes before.
fn waits(ran: &Ran) -> Vec<(u32, Duration)> {
    let wait = |event: &reqchain::running::Event| match &event.kind {
        EventKind::RetryScheduled { attempt, wait, .. } => Some((*attempt, *wait)),
        _ => None,
    };
    ran.events.iter().filter_map(wait).collect()
}

fn flow(request: &str, retry: &str) -> Scenario {
    Scenario::new(&format!("steps:\n  - request: {request}\n    retry: {retry}\n"))
}

#[test]
fn a_status_that_may_pass_is_sent_again_until_it_does() {
    let ran = flow("GET {{ base }}/", "{ max: 3, backoff: 1s..10s }")
        .on("GET /", |_| Reply::status(503))
        .on("GET /", |_| Reply::status(429))
        .json("GET /", "{}")
        .run();
    ran.passed().saw(["GET /", "GET /", "GET /"]);
    assert_eq!(ran.steps()[0].attempts, 3);
    let waits = waits(&ran);
    assert_eq!(waits.iter().map(|(attempt, _)| *attempt).collect::<Vec<_>>(), [2, 3]);
    assert!(waits.iter().all(|(_, wait)| *wait <= Duration::from_secs(10)), "{waits:?}");
}

/// Attempts are bounded (S41).
#[test]
fn retrying_ends_after_max_and_the_last_answer_is_judged() {
    let ran = flow("GET {{ base }}/", "2").on("GET /", |_| Reply::status(500)).run();
    ran.fails_with(Cause::CheckFailed).saw(["GET /", "GET /", "GET /"]);
    assert_eq!(ran.steps()[0].attempts, 3);
    assert_eq!(ran.checks().len(), 1);
}

#[test]
fn only_the_conditions_that_are_named_are_sent_again() {
    let ran =
        flow("GET {{ base }}/", "{ max: 2, if: [404, connect] }").on("GET /", |_| Reply::status(503)).run();
    ran.fails_with(Cause::CheckFailed).saw(["GET /"]);
    let ran = flow("GET {{ base }}/", "{ max: 2, if: 404 }")
        .on("GET /", |_| Reply::status(404))
        .json("GET /", "{}")
        .run();
    ran.passed().saw(["GET /", "GET /"]);
}

/// A POST is not repeated unasked (S34).
#[test]
fn a_request_that_is_not_idempotent_is_sent_again_only_if_the_step_itself_says_so() {
    let ran = flow("POST {{ base }}/", "3").on("POST /", |_| Reply::status(503)).run();
    ran.fails_with(Cause::CheckFailed).saw(["POST /"]);
    let ran = flow("POST {{ base }}/", "{ max: 1, if: [503] }")
        .on("POST /", |_| Reply::status(503))
        .json("POST /", "{}")
        .run();
    ran.passed().saw(["POST /", "POST /"]);
    let ran = Scenario::new(
        "defaults: { retry: { max: 1, if: [503] } }\nsteps: [ { request: 'POST {{ base }}/' } ]",
    )
    .on("POST /", |_| Reply::status(503))
    .run();
    ran.fails_with(Cause::CheckFailed).saw(["POST /"]);
}

#[test]
fn defaults_that_hold_nothing_but_retry_are_heard() {
    let ran = Scenario::new("defaults: { retry: 1 }\nsteps: [ { request: 'GET {{ base }}/' } ]")
        .on("GET /", |_| Reply::status(503))
        .json("GET /", "{}")
        .run();
    ran.passed().saw(["GET /", "GET /"]);
}

#[test]
fn a_connection_that_nobody_takes_is_tried_again_even_for_a_post() {
    let ran = Scenario::new("steps: [ { request: 'POST {{ gone }}/', retry: 2 } ]").nobody("gone").run();
    ran.fails_with(Cause::CouldNotRun);
    assert_eq!(ran.steps()[0].attempts, 3);
    says(&ran.error(), &["refused the connection", "flow.yaml:1:"]);
}

/// A server says how long, up to a minute (S41).
#[test]
fn retry_after_outranks_the_backoff_in_seconds_and_as_a_date() {
    let table = [("7", 7), ("Thu, 01 Jan 2026 00:00:09 GMT", 9), ("60", 60)];
    for (after, seconds) in table {
        let ran = flow("GET {{ base }}/", "1")
            .on("GET /", move |_| Reply::status(503).header("retry-after", after))
            .json("GET /", "{}")
            .run();
        ran.passed();
        assert_eq!(waits(&ran), [(2, Duration::from_secs(seconds))], "{after}");
    }
}

/// A server does not hold us for hours (S41).
#[test]
fn more_than_sixty_seconds_are_not_waited_and_that_is_told() {
    for after in ["61", "999999999", "Thu, 01 Jan 2026 01:00:00 GMT"] {
        let ran = flow("GET {{ base }}/", "5")
            .on("GET /", move |_| Reply::status(429).header("retry-after", after))
            .run();
        ran.fails_with(Cause::CheckFailed).saw(["GET /"]);
        says(&ran.warnings().join("\n"), &["60 s", after]);
    }
}

#[test]
fn the_same_rendered_request_is_sent_again_with_its_credential_made_anew_and_not_twice() {
    let ran = Scenario::new(
        r#"
steps:
  - before: request.headers["X-Id"] = random::uuid();
    request: { url: "{{ base }}/?id={{ uuid() }}", headers: { X-Two: "{{ uuid() }}" }, auth: { api_key: { query: key, value: abcdefgh } } }
    retry: 1
  - request: { url: "{{ base }}/cookie", headers: { Cookie: "a=b" }, auth: { api_key: { cookie: key, value: abcdefgh } } }
    retry: 1
"#,
    )
    .on("GET /", |_| Reply::status(503))
    .json("GET /", "{}")
    .on("GET /cookie", |_| Reply::status(503))
    .json("GET /cookie", "{}")
    .run();
    ran.passed();
    let seen = ran.seen_at("base");
    assert_eq!(seen[0].target, seen[1].target);
    assert_eq!(seen[1].target.matches("key=").count(), 1, "{}", seen[1].target);
    assert_eq!(
        (seen[0].header("x-id"), seen[0].header("x-two")),
        (seen[1].header("x-id"), seen[1].header("x-two"))
    );
    assert_eq!(
        (seen[2].header("cookie"), seen[3].header("cookie")),
        ("a=b; key=abcdefgh", "a=b; key=abcdefgh")
    );
}

#[test]
fn a_connection_that_is_refused_could_not_run() {
    let ran = Scenario::new("steps:\n  - request: GET {{ gone }}/x?token=abcdefgh\n").nobody("gone").run();
    ran.fails_with(Cause::CouldNotRun);
    says(&ran.error(), &["refused the connection", "flow.yaml:2:", "is the server running"]);
}

/// Silence ends (S30).
#[test]
fn an_answer_that_never_comes_is_a_timeout_that_may_be_tried_again() {
    let ran = Scenario::new(
        "steps:\n  - request: { url: '{{ mute }}/', timeout: 3s }\n    retry: { max: 1, if: timeout }\n",
    )
    .silent("mute")
    .run();
    ran.fails_with(Cause::CouldNotRun);
    assert_eq!(ran.steps()[0].attempts, 2);
    says(&ran.error(), &["within 3s", "`timeout`"]);
}

/// A connection that was closed (S34).
#[test]
fn a_connection_that_ends_without_an_answer_is_one_of_connect() {
    let ran = flow("GET {{ base }}/", "{ max: 1, if: connect }")
        .on("GET /", |_| Reply::closed())
        .json("GET /", "{}")
        .run();
    ran.passed().saw(["GET /", "GET /"]);
    let ran = flow("POST {{ base }}/", "1").on("POST /", |_| Reply::closed()).run();
    ran.fails_with(Cause::CouldNotRun).saw(["POST /"]);
    says(&ran.error(), &["before it answered"]);
}

//! The course of a run: the phases of a step, what is judged, what is kept, and what ends a run.

use reqchain::running::{Cancel, Cause, Detail, EventKind};
use serde_json::json;

use crate::scenario::{Reply, Scenario, says};

#[test]
fn a_step_goes_through_its_phases_in_the_order_of_the_language() {
    let ran = Scenario::new(
        r#"
steps:
  - id: one
    when: "{{ 1 == 1 }}"
    before: |
      print("before");
      vars.path = "made";
    request: { url: "{{ base }}/{{ path }}", auth: { bearer: abcdefgh }, headers: { X-Path: "{{ path }}" } }
    extract: { got: $.got }
    after: |
      print(`after sees ${vars.got} and ${response.status}`);
      vars.later = "from after";
    expect: { that: ["{{ later == 'from after' }}", "{{ got == 7 }}"] }
"#,
    )
    .on("GET /made", |seen| {
        assert_eq!((seen.header("authorization"), seen.header("x-path")), ("Bearer abcdefgh", "made"));
        Reply::json(r#"{"got":7}"#)
    })
    .run();
    ran.passed().saw(["GET /made"]);
    let order = ran.events.iter().map(|event| match &event.kind {
        EventKind::RunStarted { .. } => "run started".to_owned(),
        EventKind::StepStarted { .. } => "started".to_owned(),
        EventKind::ScriptLogged { text } => text.clone(),
        EventKind::RequestSent(_) => "sent".to_owned(),
        EventKind::ResponseReceived(_) => "received".to_owned(),
        EventKind::ValueExtracted { name, .. } => format!("extracted {name}"),
        EventKind::Checked(check) => format!("checked {}", check.passed),
        EventKind::StepFinished(_) => "finished".to_owned(),
        EventKind::RunFinished { .. } => "run finished".to_owned(),
        other => panic!("{other:?}"),
    });
    let order: Vec<_> = order.collect();
    let expected = [
        "run started",
        "started",
        "before",
        "sent",
        "received",
        "extracted got",
        "after sees 7 and 200",
        "checked true",
        "checked true",
        "finished",
        "run finished",
    ];
    assert_eq!(order, expected);
    let numbers: Vec<_> = ran.events.iter().map(|event| event.seq).collect();
    assert_eq!(numbers, (0..expected.len() as u64).collect::<Vec<_>>());
}

#[test]
fn steps_run_one_after_another_until_one_fails() {
    let ran = Scenario::new(
        "steps:\n  - request: GET {{ base }}/a\n  - request: POST {{ base }}/b\n  - request: GET {{ base }}/c\n",
    )
    .json("GET /a", "{}")
    .on("POST /b", |_| Reply::status(409))
    .run();
    ran.fails_with(Cause::CheckFailed).saw(["GET /a", "POST /b"]);
    assert_eq!(ran.verdicts(), ["step1 passed", "step2 failed"]);
}

#[test]
fn a_status_of_400_or_more_fails_a_step_that_expects_none() {
    for (status, passes) in [(200, true), (302, true), (399, true), (400, false), (404, false), (500, false)]
    {
        let ran = Scenario::new("steps: [ { request: 'GET {{ base }}/' } ]")
            .on("GET /", move |_| Reply::status(status))
            .run();
        if passes {
            ran.passed();
        } else {
            ran.fails_with(Cause::CheckFailed);
            let check = &ran.checks()[0];
            says(&check.actual, &[&status.to_string()]);
        }
    }
}

#[test]
fn only_what_an_expected_status_says_counts() {
    let table = [
        ("500", 500, true),
        ("[200, 404]", 404, true),
        ("4xx", 451, true),
        ("400..499", 500, false),
        ("any", 503, true),
        ("404", 200, false),
    ];
    for (expected, status, passes) in table {
        let ran = Scenario::new(&format!(
            "steps: [ {{ request: 'GET {{{{ base }}}}/', expect: {{ status: {expected} }} }} ]"
        ))
        .on("GET /", move |_| Reply::status(status))
        .run();
        assert_eq!(ran.checks().iter().all(|check| check.passed), passes, "{expected} {status}");
    }
}

#[test]
fn every_failed_expectation_is_collected_with_its_line() {
    let ran = Scenario::new(
        r#"steps:
  - request: GET {{ base }}/
    expect:
      status: 201
      headers: { X-Kind: fish }
      json:
        $.a: 2
        $.b: present
        $.list: { length: 3 }
      that: ["{{ response.json.a == 9 }}"]
"#,
    )
    .on("GET /", |_| Reply::json(r#"{"a":1,"list":[1]}"#).header("x-kind", "bird"))
    .run();
    ran.fails_with(Cause::CheckFailed);
    let checks = ran.checks();
    assert_eq!(checks.iter().filter(|check| !check.passed).count(), 6, "{checks:#?}");
    let header = checks
        .iter()
        .find(|check| check.what.to_lowercase().contains("x-kind"))
        .expect("a check of the header");
    says(&format!("{} {}", header.expected, header.actual), &["fish", "bird"]);
    let text = "steps:\n  - request: GET {{ base }}/\n    expect:\n      status: 201\n      headers: ";
    assert!(header.span.start as usize >= text.len(), "it stands in line 5: {:?}", header.span);
}

#[test]
fn a_failed_expectation_keeps_what_was_extracted_and_is_told_before_what_extract_missed() {
    let ran = Scenario::new(
        r"
steps:
  - id: one
    request: GET {{ base }}/
    extract: { there: $.there, gone: $.gone, lost: $.lost }
    expect: { status: 201 }
finally:
  - request: GET {{ base }}/{{ there }}
",
    )
    .json("GET /", r#"{"there":"kept"}"#)
    .json("GET /kept", "{}")
    .run();
    ran.fails_with(Cause::CheckFailed).saw(["GET /", "GET /kept"]);
    assert_eq!(ran.verdicts()[0], "one failed");
    assert_eq!(ran.failed_checks().len(), 1);
    says(&ran.error(), &["$.gone", "$.lost", "there"]);
    let checked = ran.events.iter().position(|event| matches!(event.kind, EventKind::Checked(_)));
    let ended = ran.events.iter().position(|event| matches!(event.kind, EventKind::StepFinished(_)));
    assert!(checked < ended);
}

#[test]
fn nothing_to_extract_is_an_error_with_the_place_and_the_shape_of_what_came() {
    let ran = Scenario::new("steps:\n  - request: GET {{ base }}/\n    extract: { name: $.user.nam }\n")
        .json("GET /", r#"{"user":{"name":"Ann","token":"t0p-s3cret-value"}}"#)
        .run();
    ran.fails_with(Cause::CouldNotRun);
    let error = ran.error();
    says(&error, &["flow.yaml:3:22", "$.user.nam", "name"]);
    assert!(!error.contains("t0p-s3cret"), "{error}");
}

#[test]
fn defaults_merge_headers_without_case_and_replace_auth_whole() {
    let ran = Scenario::new(
        r#"
defaults: { headers: { X-One: default, X-Two: default }, auth: { bearer: default-token }, retry: { max: 3, if: [503] } }
steps:
  - request: { url: "{{ base }}/a", headers: { x-one: own } }
  - request: { url: "{{ base }}/b", auth: { basic: { username: u, password: p } } }
  - request: { url: "{{ base }}/c", auth: none }
  - request: GET {{ base }}/d
    retry: { max: 1, if: [500] }
    expect: { status: 503 }
"#,
    )
    .json("GET /a", "{}")
    .json("GET /b", "{}")
    .json("GET /c", "{}")
    .on("GET /d", |_| Reply::status(503))
    .run();
    // The step's `retry` replaces the default: 503 is none of its conditions.
    ran.passed().saw(["GET /a", "GET /b", "GET /c", "GET /d"]);
    let a = ran.seen("GET /a");
    assert_eq!(
        (a.header("x-one"), a.header("x-two"), a.header("authorization")),
        ("own", "default", "Bearer default-token")
    );
    assert_eq!(ran.seen("GET /b").header("authorization"), "Basic dTpw");
    assert_eq!(ran.seen("GET /c").header("authorization"), "");
}

#[test]
fn a_step_whose_when_is_false_is_skipped_and_says_so() {
    let ran = Scenario::new(
        r#"
inputs: { base: , go: false }
steps:
  - { id: a, when: "{{ go }}", request: "GET {{ base }}/a" }
  - { id: b, when: "{{ steps.a.verdict == 'skipped' }}", request: "GET {{ base }}/b" }
"#,
    )
    .json("GET /b", "{}")
    .run();
    ran.passed().saw(["GET /b"]);
    assert_eq!(ran.verdicts(), ["a skipped", "b passed"]);
    assert!(ran.steps()[0].why_skipped.is_some());
}

#[test]
fn a_when_that_is_neither_true_nor_false_could_not_run() {
    let ran = Scenario::new("steps:\n  - request: GET {{ base }}/\n    when: \"{{ 1 + 1 }}\"\n").run();
    ran.fails_with(Cause::CouldNotRun).saw([]);
    says(&ran.error(), &["flow.yaml:3:", "`when`", "2"]);
}

#[test]
fn finally_runs_after_a_failure_and_its_own_failure_never_hides_the_first() {
    let ran = Scenario::new(
        r#"
steps:
  - { id: login, request: "POST {{ base }}/login", extract: { sid: $.sid } }
  - { id: work, request: "GET {{ base }}/work" }
finally:
  - { id: logout, request: "POST {{ base }}/logout/{{ sid }}" }
  - { id: last, request: "GET {{ base }}/last" }
"#,
    )
    .json("POST /login", r#"{"sid":"s1"}"#)
    .on("GET /work", |_| Reply::status(401))
    .on("POST /logout/s1", |_| Reply::status(500))
    .json("GET /last", "{}")
    .run();
    ran.fails_with(Cause::Authentication).saw(["POST /login", "GET /work", "POST /logout/s1", "GET /last"]);
    assert_eq!(ran.verdicts(), ["login passed", "work failed", "logout failed", "last passed"]);
}

#[test]
fn a_failure_in_finally_alone_fails_the_run() {
    let ran = Scenario::new(
        "steps: [ { request: 'GET {{ base }}/a' } ]\nfinally: [ { request: 'GET {{ base }}/b' } ]",
    )
    .json("GET /a", "{}")
    .on("GET /b", |_| Reply::status(500))
    .run();
    ran.fails_with(Cause::CheckFailed).saw(["GET /a", "GET /b"]);
}

#[test]
fn a_step_of_finally_whose_variable_was_never_set_is_skipped_and_names_it() {
    let ran = Scenario::new(
        r#"
steps:
  - { request: "POST {{ base }}/login" }
  - { request: "GET {{ base }}/sid", extract: { sid: $.sid } }
finally:
  - { id: logout, request: "POST {{ base }}/logout/{{ sid }}" }
"#,
    )
    .on("POST /login", |_| Reply::status(500))
    .run();
    ran.fails_with(Cause::CheckFailed).saw(["POST /login"]);
    let logout = ran.steps().pop().expect("a step");
    assert_eq!(logout.verdict.word(), "skipped");
    says(&logout.why_skipped.unwrap_or_default(), &["`sid`"]);
}

#[test]
fn ctrl_c_ends_the_step_and_still_runs_finally_with_its_scripts() {
    let stop = Cancel::default();
    let ran = Scenario::new(
        r#"
steps:
  - { id: slow, request: "GET {{ base }}/slow" }
  - { id: never, request: "GET {{ base }}/never" }
finally:
  - id: logout
    before: request.headers["X-Why"] = "interrupted";
    request: POST {{ base }}/logout
  - id: bye
    script: http::get(vars.base + "/bye");
"#,
    )
    .cancel(&stop)
    .on("GET /slow", {
        let stop = stop.clone();
        move |_| {
            stop.cancel();
            Reply::never()
        }
    })
    .json("POST /logout", "{}")
    .json("GET /bye", "{}")
    .run();
    ran.fails_with(Cause::Interrupted).saw(["GET /slow", "POST /logout", "GET /bye"]);
    assert_eq!(ran.seen("POST /logout").header("x-why"), "interrupted");
}

#[test]
fn ctrl_c_runs_the_finally_of_the_used_workflow_that_it_ended() {
    let stop = Cancel::default();
    let ran = Scenario::new("steps:\n  - { id: used, uses: ./used.yaml, with: { base: '{{ base }}' } }\n  - request: GET {{ base }}/never\n")
        .file("used.yaml", "inputs: { base: }\nsteps: [ { request: 'GET {{ base }}/slow' } ]\nfinally: [ { request: 'GET {{ base }}/logout' } ]")
        .cancel(&stop)
        .on("GET /slow", {
            let stop = stop.clone();
            move |_| {
                stop.cancel();
                Reply::never()
            }
        })
        .json("GET /logout", "{}")
        .run();
    ran.fails_with(Cause::Interrupted).saw(["GET /slow", "GET /logout"]);
}

#[test]
fn outputs_are_everything_extracted_or_what_the_file_says() {
    let steps = "steps: [ { request: 'GET {{ base }}/', extract: { z: $.z, a: $.a } } ]\n";
    let plain = Scenario::new(steps).json("GET /", r#"{"z":1,"a":[true]}"#).run();
    assert_eq!(plain.passed().outputs(), ["z", "a"]);
    assert_eq!(plain.output("a"), json!([true]));
    let said =
        Scenario::new(&format!("{steps}outputs: {{ sum: '{{{{ z + 1 }}}}', text: 'is {{{{ z }}}}' }}\n"))
            .json("GET /", r#"{"z":1,"a":[true]}"#)
            .run();
    assert_eq!(said.passed().outputs(), ["sum", "text"]);
    assert_eq!((said.output("sum"), said.output("text")), (json!(2), json!("is 1")));
}

#[test]
fn a_used_workflow_has_its_own_variables_and_gives_back_only_its_outputs() {
    let ran = Scenario::new(
        r#"
inputs: { base: , secret_of_mine: outer }
steps:
  - { id: first, request: "GET {{ base }}/outer", extract: { x: $.x } }
  - { id: login, uses: ./used/login.yaml, with: { base: "{{ base }}", who: "{{ x }}" } }
  - { id: after, request: "GET {{ base }}/{{ x }}/{{ steps.login.outputs.shown }}" }
"#,
    )
    .file(
        "used/login.yaml",
        "inputs: { base: , who: nobody }\nsteps:\n  - { id: first, request: 'GET {{ base }}/inner/{{ who }}', extract: { x: $.x } }\noutputs: { shown: '{{ x }}-{{ who }}' }\n",
    )
    .json("GET /outer", r#"{"x":"ann"}"#)
    .json("GET /inner/ann", r#"{"x":"inner"}"#)
    .json("GET /ann/inner-ann", "{}")
    .run();
    ran.passed().saw(["GET /outer", "GET /inner/ann", "GET /ann/inner-ann"]);
    assert_eq!(ran.outputs(), ["x"]);
    assert_eq!(ran.output("x"), json!("ann"));
    assert_eq!(ran.verdicts(), ["first passed", "login/first passed", "login passed", "after passed"]);
}

#[test]
fn a_used_workflow_sees_no_variable_of_its_caller() {
    let ran = Scenario::new(
        "steps:\n  - { request: 'GET {{ base }}/', extract: { x: $.x } }\n  - { uses: ./used.yaml }\n",
    )
    .file("used.yaml", "steps:\n  - script: print(vars[\"x\" + \"\"]);\n")
    .json("GET /", r#"{"x":1}"#)
    .run();
    ran.fails_with(Cause::CouldNotRun);
    says(&ran.error(), &["used.yaml:2:", "x"]);
}

#[test]
fn the_failure_of_a_used_workflow_fails_its_caller_with_its_own_place() {
    let ran = Scenario::new("steps:\n  - { id: login, uses: ./used.yaml, with: { base: '{{ base }}' } }\n  - request: GET {{ base }}/never\n")
        .file("used.yaml", "inputs: { base: }\nsteps:\n  - request: GET {{ base }}/\n    extract: { x: $.x }\n")
        .json("GET /", "{}")
        .run();
    ran.fails_with(Cause::CouldNotRun).saw(["GET /"]);
    assert_eq!(ran.verdicts(), ["login/step1 errored", "login errored"]);
    says(&ran.error(), &["used.yaml:4:19"]);
}

#[test]
fn workflows_that_use_each_other_are_refused_with_the_chain() {
    let ran = Scenario::new("steps: [ { uses: ./a.yaml } ]")
        .file("a.yaml", "steps: [ { uses: ./b.yaml } ]")
        .file("b.yaml", "steps: [ { uses: ./a.yaml } ]")
        .run();
    says(&ran.refused(), &["a.yaml → b.yaml → a.yaml"]);
}

#[test]
fn an_answer_that_is_no_json_is_told_with_its_type_its_beginning_and_the_place() {
    let table = [
        ("text/html", "<html><title>Sign in</title>", "title `Sign in`"),
        ("application/json", "Bad gateway: try later", "Bad gateway"),
        ("application/json", "{\"token\": \"abc\",", "not JSON"),
        ("application/json", "", "empty"),
    ];
    for (media, body, told) in table {
        let ran = Scenario::new("steps:\n  - request: GET {{ base }}/\n    extract: { t: $.token }\n")
            .on("GET /", move |_| Reply::status(200).header("content-type", media).with_body(body))
            .run();
        ran.fails_with(Cause::CouldNotRun);
        says(&ran.error(), &["flow.yaml:3:19", "`$.token`", told]);
    }
}

#[test]
fn a_mock_file_answers_in_place_of_the_real_server() {
    let ran = Scenario::new("steps:\n  - { request: 'POST {{ base }}/n', expect: { json: { $.n: 1 } } }\n  - { request: 'POST {{ base }}/n', expect: { json: { $.n: 2 } } }\n")
        .mock("name: counter\nstate: { n: 0 }\nroutes:\n  - route: POST /n\n    script: |\n      state.n += 1;\n      #{ json: #{ n: state.n } }\n")
        .run();
    ran.passed().saw(["POST /n", "POST /n"]);
}

#[test]
fn under_mock_nothing_but_the_mock_is_spoken_to() {
    let ran = Scenario::new("inputs: { api: https://api.example.com/v1, other: 'http://127.0.0.1:9' }\nmock: { file: m.yaml, replaces: [api] }\nsteps:\n  - request: GET {{ api }}/me\n  - request: GET {{ other }}/x\n")
        .file("m.yaml", "routes:\n  - { route: GET /v1/me, reply: { status: 200 } }\n")
        .own_mock()
        .run();
    ran.fails_with(Cause::CouldNotRun);
    assert_eq!(ran.verdicts(), ["step1 passed", "step2 errored"]);
    says(&ran.error(), &["http://127.0.0.1:9", "not the mock", "flow.yaml:5:"]);
}

#[test]
fn nobody_pays_for_events_that_nobody_reads() {
    let ran = Scenario::new("steps: [ { request: 'GET {{ base }}/', extract: { a: $.a } } ]")
        .json("GET /", r#"{"a":1}"#)
        .detail(Detail::Outcome)
        .run();
    ran.passed();
    assert_eq!(ran.events.len(), 3, "{:#?}", ran.events);
}

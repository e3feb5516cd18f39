//! Loops and branches: `for_each`, `repeat`, `parallel`, `continue_on_failure`, `next` and `stop`.

use std::sync::atomic::{AtomicUsize, Ordering};

use reqchain::running::{Cause, Detail};
use serde_json::json;

use crate::scenario::{Reply, Scenario, says};

/// A server whose `/job` is done at the `n`th time.
fn job(workflow: &str, done_at: usize) -> Scenario {
    let asked = AtomicUsize::new(0);
    Scenario::new(workflow).on("GET /job", move |_| {
        let count = asked.fetch_add(1, Ordering::SeqCst) + 1;
        let state = if count >= done_at { "done" } else { "running" };
        Reply::json(format!(r#"{{"state":"{state}","count":{count}}}"#))
    })
}

#[test]
fn a_clean_up_that_needs_what_a_failed_login_would_have_given_is_skipped() {
    let flow = r"
inputs: { base: }
steps:
  - { id: login, uses: ./login.yaml, with: { base: '{{ base }}' } }
finally:
  - { id: logout, request: { url: '{{ base }}/logout', auth: { bearer: '{{ steps.login.outputs.token }}' } } }
  - { id: always, request: 'GET {{ base }}/always' }
";
    let login =
        "inputs: { base: }\nsteps:\n  - { request: 'GET {{ base }}/login', extract: { token: $.token } }\n";
    let ran = Scenario::new(flow)
        .file("login.yaml", login)
        .on("GET /login", |_| Reply::status(401))
        .json("GET /always", "{}")
        .run();
    ran.fails_with(Cause::Authentication);
    ran.saw(["GET /login", "GET /always"]);
    let logout = ran.steps().into_iter().find(|step| &*step.id == "logout").expect("it is told of");
    says(
        &logout.why_skipped.expect("it is skipped"),
        &["`steps.login.outputs` has no `token`", "did not pass"],
    );
}

#[test]
fn a_step_runs_once_for_each_element_and_what_it_extracts_becomes_a_list() {
    let ran = Scenario::new(
        r#"
vars: { users: [ann, bob, eve] }
steps:
  - id: look
    for_each: { user: "{{ users }}" }
    when: "{{ user != 'bob' }}"
    request: { url: "{{ base }}/{{ user }}", query: { n: "{{ loop.index }}" } }
    extract: { number: $.number, name: "{{ user | upper }}", nick: { json: $.nick, optional: true } }
    after: |
      vars.seen = `${vars.user}${vars.number}`;
outputs: { numbers: "{{ number }}", names: "{{ name }}", nicks: "{{ nick }}", seen: "{{ seen }}", last: "{{ steps.look.json.number }}" }
"#,
    )
    .json("GET /ann", r#"{"number":1,"nick":"a"}"#)
    .json("GET /eve", r#"{"number":3}"#)
    .run();
    ran.passed().saw(["GET /ann", "GET /eve"]);
    let targets: Vec<_> = ran.seen_at("base").into_iter().map(|seen| seen.target).collect();
    assert_eq!(targets, ["/ann?n=1", "/eve?n=3"]);
    assert_eq!(ran.verdicts(), ["look[1] passed", "look[2] skipped", "look[3] passed"]);
    assert_eq!(ran.output("numbers"), json!([1, 3]));
    assert_eq!(ran.output("names"), json!(["ANN", "EVE"]));
    assert_eq!(ran.output("nicks"), json!(["a", null]), "an element does not inherit from the one before");
    assert_eq!(ran.output("seen"), json!("eve3"));
    assert_eq!(ran.output("last"), json!(3), "`steps.look` is the last one");
}

#[test]
fn an_empty_list_skips_the_step_and_leaves_empty_lists() {
    let ran = Scenario::new(
        "vars: { users: [] }\nsteps:\n  - { id: a, for_each: { user: '{{ users }}' }, request: 'GET {{ base }}/{{ user }}', extract: { x: $.x } }\noutputs: { x: '{{ x }}' }\n",
    )
    .run();
    ran.passed().saw([]);
    assert_eq!(ran.output("x"), json!([]));
    assert_eq!(ran.verdicts(), ["a skipped"]);
}

#[test]
fn what_is_no_list_cannot_be_gone_through() {
    for (value, word) in [("7", "int"), ("{ a: 1 }", "object"), ("text", "string"), ("null", "null")] {
        let ran = Scenario::new(&format!(
            "vars: {{ x: {value} }}\nsteps: [ {{ for_each: {{ y: '{{{{ x }}}}' }}, request: 'GET {{{{ base }}}}/' }} ]"
        ))
        .run();
        ran.fails_with(Cause::CouldNotRun).saw([]);
        says(&ran.error(), &["`for_each` goes through a list", word, "flow.yaml:2:"]);
    }
}

#[test]
fn an_element_that_fails_ends_the_loop_unless_the_step_goes_on() {
    let workflow = |more: &str, codes: &[u16]| {
        let scenario = Scenario::new(&format!(
            "steps:\n  - id: a\n    for_each: {{ code: [200, 500, 201] }}\n    request: GET {{{{ base }}}}/{{{{ code }}}}\n    extract: {{ got: {{ status: true }} }}\n{more}  - request: GET {{{{ base }}}}/200\noutputs: {{ got: '{{{{ got }}}}' }}"
        ));
        let answer = |scenario: Scenario, code: &u16| {
            let code = *code;
            scenario.on(&format!("GET /{code}"), move |_| Reply::status(code))
        };
        codes.iter().fold(scenario, answer).run()
    };
    workflow("", &[200, 500]).fails_with(Cause::CheckFailed).saw(["GET /200", "GET /500"]);
    let ran = workflow("    continue_on_failure: true\n", &[200, 500, 201]);
    ran.fails_with(Cause::CheckFailed).saw(["GET /200", "GET /500", "GET /201", "GET /200"]);
    assert_eq!(ran.verdicts(), ["a[1] passed", "a[2] failed", "a[3] passed", "step2 passed"]);
}

#[test]
fn the_variable_of_a_loop_cannot_be_overwritten() {
    let ran = Scenario::new("steps: [ { for_each: { user: [1] }, script: 'vars.user = 2;' } ]").run();
    says(&ran.refused(), &["`user` is a variable already, and here it stands for an element"]);
}

#[test]
fn a_job_is_polled_until_it_is_done_and_each_pass_is_rendered_anew() {
    let ran = job(
        r#"
vars: { seen: [] }
steps:
  - id: poll
    repeat: { until: "{{ state == 'done' }}", every: 5s, max: 10 }
    request: { url: "{{ base }}/job", headers: { X-Pass: "{{ loop.index }}" } }
    extract: { state: $.state, count: $.count }
    expect: { json: { $.count: 3 } }
"#,
        3,
    )
    .detail(Detail::Steps)
    .run();
    ran.passed().saw(["GET /job", "GET /job", "GET /job"]);
    let passes: Vec<_> = ran.seen_at("base").iter().map(|seen| seen.header("x-pass").to_owned()).collect();
    assert_eq!(passes, ["1", "2", "3"]);
    assert_eq!(ran.output("count"), json!(3));
    assert_eq!(ran.verdicts(), ["poll passed"]);
    assert_eq!(ran.checks().len(), 1, "of the last pass alone");
}

#[test]
fn running_out_and_fail_if_are_failed_checks_and_keep_what_the_last_pass_set() {
    let poll = |repeat: &str| {
        let ran = job(
            &format!("steps:\n  - id: poll\n    repeat: {{ {repeat} }}\n    request: GET {{{{ base }}}}/job\n    extract: {{ state: $.state, count: $.count }}\n  - request: GET {{{{ base }}}}/never\n"),
            1000,
        )
        .run();
        ran.fails_with(Cause::CheckFailed);
        let asked = ran.seen_at("base").len();
        let told = ran.checks().into_iter().filter(|check| !check.passed);
        (
            asked,
            told.map(|check| format!("{}: {}, {}", check.what, check.expected, check.actual))
                .collect::<Vec<_>>()
                .concat(),
        )
    };
    let (asked, told) = poll("until: \"{{ state == 'done' }}\", max: 4");
    assert_eq!(asked, 4);
    says(&told, &["until", "not within 4 passes"]);
    let (asked, told) = poll("until: \"{{ state == 'done' }}\", every: 2s, within: 7s");
    assert_eq!(asked, 4);
    says(&told, &["until", "not within 7s"]);
    let (asked, told) = poll("until: \"{{ state == 'done' }}\", fail_if: \"{{ count == 2 }}\"");
    assert_eq!(asked, 2);
    says(&told, &["fail_if", "count == 2"]);
    let (asked, _) = poll("until: \"{{ state == 'done' }}\"");
    assert_eq!(asked, 100, "without `max` it is a hundred");
}

#[test]
fn every_pass_is_judged_by_its_status_and_only_the_last_by_the_rest() {
    let asked = AtomicUsize::new(0);
    let workflow = "steps: [ { repeat: { until: \"{{ response.status == 200 }}\", max: 5 }, request: 'GET {{ base }}/x', extract: { token: $.t }, expect: { status: [200, 404], json: { $.t: abc } } } ]";
    let ran = Scenario::new(workflow)
        .on("GET /x", move |_| match asked.fetch_add(1, Ordering::SeqCst) {
            0 | 1 => Reply::status(404),
            _ => Reply::json(r#"{"t":"abc"}"#),
        })
        .run();
    ran.passed().saw(["GET /x", "GET /x", "GET /x"]);
    assert_eq!(ran.output("token"), json!("abc"));
    let ran = Scenario::new(workflow).on("GET /x", |_| Reply::status(500)).run();
    ran.fails_with(Cause::CheckFailed).saw(["GET /x"]);
}

#[test]
fn what_the_last_pass_does_not_find_is_an_error_and_so_is_a_condition_that_needs_it() {
    let ran = Scenario::new(
        "steps: [ { repeat: { until: \"{{ state == 'done' }}\" }, request: 'GET {{ base }}/x', extract: { state: $.state } } ]",
    )
    .json("GET /x", "{}")
    .run();
    ran.fails_with(Cause::CouldNotRun).saw(["GET /x"]);
    says(&ran.error(), &["cannot extract `state`"]);
    let ran =
        Scenario::new("steps: [ { repeat: 2, request: 'GET {{ base }}/x', extract: { state: $.state } } ]")
            .json("GET /x", "{}")
            .run();
    ran.fails_with(Cause::CouldNotRun).saw(["GET /x", "GET /x"]);
}

#[test]
fn a_number_of_passes_is_simply_repeated() {
    let ran =
        job("steps: [ { id: a, repeat: 3, request: 'GET {{ base }}/job', extract: { count: $.count } } ]", 9)
            .run();
    ran.passed().saw(["GET /job", "GET /job", "GET /job"]);
    assert_eq!(ran.output("count"), json!(3), "the values of the last pass stay");
}

#[test]
fn a_when_that_becomes_false_ends_the_passes() {
    let flow = |left: u32| {
        format!(
            "vars: {{ left: {left} }}\nsteps:\n  - id: a\n    when: \"{{{{ left > 0 }}}}\"\n    repeat: 9\n    request: GET {{{{ base }}}}/job\n    after: vars.left -= 1;\n"
        )
    };
    let ran = job(&flow(2), 99).run();
    ran.passed().saw(["GET /job", "GET /job"]);
    assert_eq!(ran.verdicts(), ["a passed"]);
    let ran = Scenario::new(&flow(0)).run();
    ran.passed().saw([]);
    assert_eq!(ran.verdicts(), ["a skipped"]);
}

#[test]
fn pages_are_turned_by_their_cursor_and_collected_into_one_list() {
    let ran = Scenario::new(
        r#"
vars: { cursor: "" }
steps:
  - id: pages
    repeat: { until: "{{ cursor is none }}", max: 9 }
    request: { url: "{{ base }}/items", query: { cursor: "{{ cursor }}" } }
    extract: { cursor: { json: $.next, default: null }, items: { json: $.items, collect: true }, first: { json: "$.items[0]", collect: true } }
outputs: { items: "{{ items }}", first: "{{ first }}" }
"#,
    )
    .on("GET /items", |seen| match seen.target.as_str() {
        "/items?cursor=" => Reply::json(r#"{"items":[1,2],"next":"b"}"#),
        "/items?cursor=b" => Reply::json(r#"{"items":[3],"next":"c"}"#),
        "/items?cursor=c" => Reply::json(r#"{"items":[4,5]}"#),
        _ => Reply::status(404),
    })
    .run();
    ran.passed().saw(["GET /items", "GET /items", "GET /items"]);
    assert_eq!(ran.output("items"), json!([1, 2, 3, 4, 5]));
    assert_eq!(ran.output("first"), json!([1, 3, 4]));
}

#[test]
fn steps_in_parallel_do_not_see_each_other_and_what_they_set_is_seen_afterwards() {
    let ran = Scenario::new(
        r#"
vars: { who: nobody }
steps:
  - id: both
    parallel:
      - id: left
        request: GET {{ base }}/left
        extract: { l: $.n }
      - id: right
        script: |
          vars.r = vars.has("l");
          vars.who = "right";
  - id: after
    request: { url: "{{ base }}/after", query: { l: "{{ l }}", r: "{{ r }}", who: "{{ who }}", s: "{{ steps.left.status }}" } }
"#,
    )
    .json("GET /left", r#"{"n":1}"#)
    .json("GET /after", "{}")
    .run();
    ran.passed();
    assert_eq!(ran.seen("GET /after").target, "/after?l=1&r=false&who=right&s=200");
    let mut verdicts = ran.verdicts();
    verdicts[..2].sort();
    assert_eq!(verdicts, ["left passed", "right passed", "both passed", "after passed"]);
}

#[test]
fn steps_in_parallel_are_under_way_at_once_and_all_failures_are_told() {
    let waiting = std::sync::Arc::new(std::sync::Barrier::new(2));
    let (one, other) = (std::sync::Arc::clone(&waiting), waiting);
    let ran = Scenario::new(
        "steps:\n  - parallel:\n      - request: GET {{ base }}/a\n      - request: GET {{ two }}/b\n  - request: GET {{ base }}/never\n",
    )
    .server("two", |server| {
        server.on("GET /b", move |_| {
            other.wait();
            Reply::status(500)
        });
    })
    .on("GET /a", move |_| {
        one.wait();
        Reply::status(404)
    })
    .run();
    ran.fails_with(Cause::CheckFailed).saw(["GET /a"]).saw_at("two", ["GET /b"]);
    let mut verdicts = ran.verdicts();
    verdicts.sort();
    assert_eq!(verdicts, ["step1 failed", "step1_1 failed", "step1_2 failed"]);
    assert_eq!(ran.failed_checks().len(), 2);
}

#[test]
fn nothing_inside_parallel_says_which_step_is_next() {
    let steps = "steps:
  - parallel:
      - script: |
          let jump = Fn(\"next\");
          jump.call(\"end\");
      - request: GET {{ base }}/
  - id: left_out
    request: GET {{ base }}/left-out
  - id: end
    request: GET {{ base }}/end
";
    let ran = Scenario::new(steps).json("GET /", "{}").run();
    ran.fails_with(Cause::CouldNotRun).saw(["GET /"]);
}

#[test]
fn a_failure_that_is_continued_after_fails_the_run_in_the_end() {
    let ran = Scenario::new(
        "steps:\n  - { request: 'GET {{ base }}/a', continue_on_failure: true }\n  - request: GET {{ base }}/b\nfinally:\n  - request: GET {{ base }}/c\n",
    )
    .on("GET /a", |_| Reply::status(500))
    .json("GET /b", "{}")
    .json("GET /c", "{}")
    .run();
    ran.fails_with(Cause::CheckFailed).saw(["GET /a", "GET /b", "GET /c"]);
    assert_eq!(ran.verdicts(), ["step1 failed", "step2 passed", "step3 passed"]);
}

#[test]
fn used_workflows_run_in_loops_with_the_element_as_input() {
    let ran = Scenario::new(
        "steps:\n  - id: login\n    for_each: { user: [ann, bob] }\n    uses: ./login.yaml\n    with: { base: '{{ base }}', user: '{{ user }}' }\noutputs: { token: '{{ steps.login.outputs.token }}' }\n",
    )
    .file(
        "login.yaml",
        "inputs: { base: { required: true }, user: { required: true } }\nsteps: [ { id: get, request: 'GET {{ base }}/{{ user }}', extract: { token: $.t } } ]\n",
    )
    .json("GET /ann", r#"{"t":"one-token"}"#)
    .json("GET /bob", r#"{"t":"two-token"}"#)
    .run();
    ran.passed().saw(["GET /ann", "GET /bob"]);
    assert_eq!(
        ran.verdicts(),
        ["login[1]/get passed", "login[1] passed", "login[2]/get passed", "login[2] passed"]
    );
    assert_eq!(ran.output("token"), json!("two-token"));
}

#[test]
fn the_elements_of_all_loops_around_are_seen() {
    let ran = Scenario::new(
        r#"
vars: { seen: [] }
steps:
  - for_each: { i: [1, 2] }
    parallel:
      - id: inner
        for_each: { j: [a, b] }
        script: |
          print(`${vars.i}${vars.j}`);
      - id: other
        repeat: 2
        when: "{{ i > 0 and loop.pass > 0 }}"
        script: |
          print(`${vars.i}`);
"#,
    )
    .detail(Detail::Steps)
    .run();
    ran.passed();
    let mut printed = ran.printed();
    printed.sort();
    assert_eq!(printed, ["1", "1", "1a", "1b", "2", "2", "2a", "2b"]);
}

#[test]
fn with_gives_what_the_input_takes_and_nothing_else() {
    let flow = |given: &str| {
        Scenario::new(&format!("vars: {{ bad: abc }}\nsteps:\n  - {{ uses: ./used.yaml, with: {{ n: {given} }} }}\n"))
            .file("used.yaml", "inputs: { n: { type: int, default: 3, choices: [3, 4] } }\nsteps: [ { script: 'check(\"int\", vars.n == 4);' } ]\n")
            .run()
    };
    flow("4").passed();
    flow("\"4\"").passed();
    for (given, why) in
        [("5", "none of its choices"), ("\"{{ bad }}\"", "whole number"), ("null", "required")]
    {
        let ran = flow(given);
        ran.fails_with(Cause::CouldNotRun);
        says(&ran.error(), &["the input `n`", why, "flow.yaml:3:"]);
    }
}

#[test]
fn what_a_pass_checks_counts_only_where_it_is_the_last() {
    let poll = |until: &str| {
        job(
            &format!("steps:\n  - id: poll\n    repeat: {{ {until}, max: 5 }}\n    request: GET {{{{ base }}}}/job\n    after: 'check(\"three\", response.json.count == 3);'\n"),
            99,
        )
        .run()
    };
    poll("until: \"{{ response.json.count == 3 }}\"").passed();
    let ran = poll("until: \"{{ response.json.count == 2 }}\"");
    ran.fails_with(Cause::CheckFailed);
    assert_eq!(ran.failed_checks(), ["three"]);
}

#[test]
fn the_pass_before_a_when_that_is_false_is_judged_as_the_last() {
    let ran = job(
        "steps:\n  - id: a\n    when: \"{{ loop.pass < 3 }}\"\n    repeat: 9\n    request: GET {{ base }}/job\n    extract: { gone: $.gone }\n    expect: { json: { $.count: 999 } }\n",
        99,
    )
    .run();
    ran.fails_with(Cause::CheckFailed).saw(["GET /job", "GET /job"]);
    assert_eq!(ran.failed_checks(), ["$.count"]);
    says(&ran.error(), &["cannot extract `gone`"]);
}

#[test]
fn names_that_are_computed_cannot_race_in_parallel_either() {
    let ran = Scenario::new(
        "steps:\n  - parallel:\n      - { id: one, script: 'vars[\"a\" + \"b\"] = 1;' }\n      - { id: two, script: 'vars[\"a\" + \"b\"] = 2;' }\n",
    )
    .run();
    ran.fails_with(Cause::CouldNotRun);
    says(&ran.error(), &["`ab` was set by `one` and by `two`"]);
}

#[test]
fn collecting_what_is_never_there_gives_an_empty_list() {
    let ran = job("steps: [ { repeat: 2, request: 'GET {{ base }}/job', extract: { all: { json: $.gone, collect: true, optional: true } } } ]", 9).run();
    ran.passed();
    assert_eq!(ran.output("all"), json!([]));
}

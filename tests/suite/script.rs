//! Scripts around requests: what they see and change, how they steer, and what they may send.

use reqchain::running::Cause;
use serde_json::json;

use crate::scenario::{Cli, Reply, Scenario, says};

#[test]
fn before_edits_what_is_sent() {
    let ran = Scenario::new(
        r#"
steps:
  - before: |
      request.method = "PUT";
      request.headers["X-New"] = "1";
      request.headers.remove("X-Old");
      request.query["b"] = "2 &";
      request.json.first = "changed";
      request.json.nested.list.push(3);
    request: { url: "{{ base }}/?a=1", headers: { X-Old: "0" }, json: { zebra: 1, first: "old", nested: { list: [1, 2] }, apple: null } }
"#,
    )
    .json("PUT /", "{}")
    .run();
    ran.passed();
    let seen = ran.seen("PUT /");
    assert_eq!(seen.target, "/?a=1&b=2%20%26");
    assert_eq!((seen.header("x-new"), seen.header("x-old")), ("1", ""));
    assert_eq!(seen.body, r#"{"zebra":1,"first":"changed","nested":{"list":[1,2,3]},"apple":null}"#);
}

/// Modules are none that a workflow names: they lie in its `scripts/`, whatever is trusted (S54).
#[test]
fn a_script_outside_the_project_runs_for_a_workflow_that_is_trusted() {
    let mock = "routes:\n  - { route: GET /, script: { file: ../out.rhai, function: f } }\n";
    let folder = Cli::new(&[
        ("out.rhai", "import \"m\" as m; fn f(request, state) { #{ status: 204 } }\nprint(m::word());"),
        ("scripts/m.rhai", "fn word() { \"abroad\" }"),
        ("p/reqchain.yaml", ""),
        ("p/flow.yaml", "steps: [ { script: { file: ../out.rhai } } ]"),
        ("p/scripts/m.rhai", "fn word() { \"at home\" }"),
        ("p/mock.yaml", mock),
        ("p/mocked.yaml", "mock: mock.yaml\nsteps: [ { script: 1 } ]"),
    ]);
    for call in ["run p/flow.yaml", "check p/flow.yaml", "graph p/flow.yaml", "run p/mocked.yaml --mock"] {
        folder.call(call).refused(&["`../out.rhai` is outside the project", "--trust"]);
        folder.call(&format!("{call} --trust")).passed();
        folder.call_with(call, &[("REQCHAIN_TRUST", "1")]).passed();
    }
    says(&folder.call("run p/flow.yaml --trust").err, &["at home"]);
    folder.call("check p/mocked.yaml").refused(&["outside the project", "--trust"]);
    folder.call("check p/mocked.yaml --trust").passed();
    folder.call("mock p/mock.yaml").refused(&["outside the project", "--trust"]);
    // With trust it is read, and there is something else to refuse.
    folder.call("mock p/mock.yaml --trust --write-ca ca.pem").refused(&["`--write-ca` is for a mock"]);
}

#[test]
fn before_sees_the_exact_text_of_the_body_and_may_replace_it() {
    let ran = Scenario::new(
        r#"
steps:
  - before: request.headers["X-Digest"] = hash::sha256(request.body);
    request: { url: "{{ base }}/a", json: { b: 1, a: "ä" } }
  - before: request.body = request.body + "!";
    request: { url: "{{ base }}/b", method: POST, body: "text" }
  - before: request.form.user = "ann & bob";
    request: { url: "{{ base }}/c", form: { x: 1 } }
"#,
    )
    .json("POST /a", "{}")
    .json("POST /b", "{}")
    .json("POST /c", "{}")
    .run();
    ran.passed();
    let a = ran.seen("POST /a");
    assert_eq!(a.body, r#"{"b":1,"a":"ä"}"#);
    assert_eq!(a.header("x-digest"), sha256_of(&a.body));
    assert_eq!(ran.seen("POST /b").body, "text!");
    let c = ran.seen("POST /c").body;
    assert!(c == "x=1&user=ann%20%26%20bob" || c == "x=1&user=ann+%26+bob", "{c}");
}

/// Another implementation than the one that is tested: the template's filter on the same text.
fn sha256_of(text: &str) -> String {
    let ran = Scenario::new("inputs: { text: }\nvars: { digest: '{{ text | sha256 }}' }\nsteps: [ { script: 'print(vars.digest);' } ]")
        .input("text", text)
        .run();
    ran.printed().pop().expect("it printed")
}

#[test]
fn variables_that_before_sets_are_seen_by_the_templates_of_its_request() {
    let ran = Scenario::new("steps:\n  - before: vars.id = 41 + 1;\n    request: GET {{ base }}/{{ id }}\n")
        .json("GET /42", "{}")
        .run();
    ran.passed();
}

#[test]
fn after_sees_the_answer_and_sets_variables() {
    let ran = Scenario::new(
        r#"
steps:
  - request: GET {{ base }}/
    after: |
      vars.names = response.json.users.map(|u| u.name);
      vars.kind = response.headers["X-KIND"];
      vars.code = response.status;
  - request: { url: "{{ base }}/b", json: { names: "{{ names }}", kind: "{{ kind }}", code: "{{ code }}" } }
"#,
    )
    .on("GET /", |_| Reply::json(r#"{"users":[{"name":"ann"},{"name":"bob"}]}"#).header("x-kind", "fish"))
    .json("POST /b", "{}")
    .run();
    ran.passed();
    assert_eq!(ran.seen("POST /b").body, r#"{"names":["ann","bob"],"kind":"fish","code":200}"#);
}

#[test]
fn skip_ends_the_step_and_the_run_goes_on() {
    let ran = Scenario::new("steps:\n  - { before: 'skip(); print(1);', request: 'GET {{ base }}/never' }\n  - { script: 'skip();' }\n  - { request: 'GET {{ base }}/b' }\n")
        .json("GET /b", "{}")
        .run();
    ran.passed().saw(["GET /b"]);
    assert_eq!(ran.verdicts(), ["step1 skipped", "step2 skipped", "step3 passed"]);
    assert!(ran.printed().is_empty());
}

#[test]
fn next_jumps_forwards_and_back_and_stop_ends_well() {
    let ran = Scenario::new(
        r#"
vars: { n: 0 }
steps:
  - { id: poll, request: "GET {{ base }}/poll", after: "vars.n += 1; if vars.n < 3 { next(\"poll\") } else { next(\"end\") }" }
  - { id: never, request: "GET {{ base }}/never" }
  - { id: end, request: "GET {{ base }}/end", after: "stop();" }
  - { id: nor_this, request: "GET {{ base }}/never" }
finally:
  - { id: bye, request: "GET {{ base }}/bye" }
"#,
    )
    .json("GET /poll", "{}")
    .json("GET /end", "{}")
    .json("GET /bye", "{}")
    .run();
    ran.passed().saw(["GET /poll", "GET /poll", "GET /poll", "GET /end", "GET /bye"]);
}

#[test]
fn next_to_a_step_that_is_not_there_is_an_error_with_a_suggestion() {
    let ran = Scenario::new("steps:\n  - { id: poll, script: 'next(\"pol\" + \"\");' }\n").run();
    let text = match &ran.finished {
        Ok(_) => ran.fails_with(Cause::CouldNotRun).error(),
        Err(_) => ran.refused(),
    };
    says(&text, &["`pol`", "`poll`", "flow.yaml:2:"]);
}

/// Jumps without end (S68).
#[test]
fn jumps_without_end_are_ended() {
    let ran = Scenario::new(
        "steps:\n  - { id: a, script: 'next(\"b\");' }\n  - { id: b, script: 'next(\"a\");' }\n",
    )
    .run();
    ran.fails_with(Cause::CouldNotRun);
    says(&ran.error(), &["loop without end"]);
}

#[test]
fn check_is_collected_and_fail_ends_the_script() {
    let ran = Scenario::new(
        r#"steps:
  - id: a
    script: |
      check("first", 1 == 2);
      check("second", true);
      try { fail("enough"); } catch { print("caught"); }
      print("never");
"#,
    )
    .run();
    ran.fails_with(Cause::CheckFailed);
    assert!(ran.printed().is_empty());
    let checks = ran.checks();
    assert_eq!(checks.len(), 3, "{checks:#?}");
    let checks: Vec<_> = checks.iter().map(|check| check.passed).collect();
    assert_eq!(checks, [false, true, false]);
    says(&ran.failed_checks().join("\n"), &["first"]);
    assert_eq!(ran.verdicts(), ["a failed"]);
}

#[test]
fn an_error_of_a_script_names_its_line_in_the_workflow() {
    let ran =
        Scenario::new("steps:\n  - id: a\n    script: |\n      let x = 1;\n      let y = x + vars.nobody;\n")
            .run();
    match &ran.finished {
        Ok(_) => says(&ran.fails_with(Cause::CouldNotRun).error(), &["flow.yaml:5:", "nobody"]),
        Err(_) => says(&ran.refused(), &["flow.yaml:5:", "nobody"]),
    }
}

#[test]
fn a_script_sends_through_the_same_transport_as_steps() {
    let ran = Scenario::new(
        r#"
inputs: { base: , password: tok-1234567890 }
steps:
  - script: |
      let got = http::get(vars.base + "/a");
      vars.n = got.json.n;
      let sent = http::send(#{ method: "PUT", url: vars.base + "/b", query: #{ q: "x y" }, json: #{ n: got.json.n }, auth: #{ bearer: vars.password } });
      vars.status = sent.status;
      check("moved", http::get(vars.base + "/moved").json.n == 7);
  - request: { url: "{{ base }}/c", json: { n: "{{ n }}", status: "{{ status }}" } }
"#,
    )
    .json("GET /a", r#"{"n":7}"#)
    .on("PUT /b", |seen| {
        assert_eq!((seen.target.as_str(), seen.header("authorization")), ("/b?q=x%20y", "Bearer tok-1234567890"));
        Reply::json("{}").with(503)
    })
    .on("GET /moved", |_| Reply::redirect(302, "/a"))
    .json("POST /c", "{}")
    .run();
    ran.passed();
    assert_eq!(ran.seen("POST /c").body, r#"{"n":7,"status":503}"#);
    assert!(!ran.text().contains("tok-1234567890"));
}

#[test]
fn a_request_of_a_script_that_gets_no_answer_is_an_error_at_its_line() {
    let ran = Scenario::new(
        "inputs: { gone: }\nsteps:\n  - script: |\n      print(1);\n      http::get(vars.gone);\n",
    )
    .nobody("gone")
    .run();
    ran.fails_with(Cause::CouldNotRun);
    says(&ran.error(), &["flow.yaml:5:", "refused the connection"]);
}

#[test]
fn under_mock_a_script_speaks_to_nobody_else_either() {
    let ran = Scenario::new("inputs: { api: 'https://api.example.com' }\nmock: m.yaml\nsteps:\n  - script: |\n      check(\"mock\", http::get(vars.api + \"/a\").status == 204);\n      http::get(\"http://127.0.0.1:9/x\");\n")
        .file("m.yaml", "routes:\n  - { route: GET /a, reply: { status: 204 } }\n")
        .own_mock()
        .run();
    ran.fails_with(Cause::CouldNotRun);
    says(&ran.error(), &["flow.yaml:6:", "not the mock"]);
    assert!(ran.failed_checks().is_empty());
}

#[test]
fn a_step_of_a_script_alone_leaves_its_variables_to_the_next() {
    let ran = Scenario::new("inputs: { base: }\nsteps:\n  - script: |\n      vars.user = #{ name: \"ann\", tags: [1, 2] };\n  - request: { url: '{{ base }}/{{ user.name }}', json: '{{ user.tags }}' }\noutputs: { user: '{{ user }}' }\n")
        .json("POST /ann", "{}")
        .run();
    ran.passed();
    assert_eq!(ran.seen("POST /ann").body, "[1,2]");
    assert_eq!(ran.output("user"), json!({"name": "ann", "tags": [1, 2]}));
}

/// A value is no script (S20).
#[test]
fn a_script_never_runs_a_text() {
    let ran = Scenario::new("steps:\n  - { request: 'GET {{ base }}/', extract: { code: $.code } }\n  - script: print(vars.code);\n")
        .json("GET /", r#"{"code":"${1 + 1} `print(2)`"}"#)
        .run();
    ran.passed();
    assert_eq!(ran.printed(), ["${1 + 1} `print(2)`"]);
    let ran = Scenario::new("inputs: { code: 'print(1)' }\nsteps:\n  - script: eval(vars.code);\n").run();
    says(&ran.refused(), &["flow.yaml:3:", "eval"]);
}

#[test]
fn what_a_script_sends_is_told_under_its_step() {
    let ran = Scenario::new(
        "inputs: { base: }\nsteps:\n  - id: ask\n    script: |\n      http::get(vars.base + \"/asked\");\n",
    )
    .json("GET /asked", r#"{"n":1}"#)
    .detail(reqchain::running::Detail::Requests)
    .run();
    ran.passed().saw(["GET /asked"]);
    let told = |kind: &str| {
        let events = ran.events.iter().map(|event| serde_json::to_value(event).expect("an event is JSON"));
        events.filter(|event| event["event"] == kind && event["path"] == "ask").count()
    };
    assert_eq!(told("request_sent"), 1);
    assert_eq!(told("response_received"), 1);
}

/// Scripts ask like steps (S11).
#[test]
fn a_script_gives_no_credential_to_an_origin_that_a_server_chose() {
    let ran = Scenario::new(
        r#"
inputs: { base: }
steps:
  - request: "GET {{ base }}/where"
    extract: { elsewhere: $.url }
  - script: |
      http::send(#{ url: vars.elsewhere, auth: #{ bearer: "abc-def-ghi" } });
"#,
    )
    .on("GET /where", |seen| Reply::json(format!(r#"{{"url":"{}/x"}}"#, seen.origin("evil"))))
    .nobody("evil")
    .run();
    ran.fails_with(Cause::CouldNotRun).saw(["GET /where"]);
    says(&ran.error(), &["holds a secret", "names http://127.0.0.1:"]);
}

/// As a step's, a script's credentials go where `redirects.trust` lets them go.
#[test]
fn a_script_gives_a_credential_to_an_origin_that_is_trusted() {
    let scenario = Scenario::new(
        r#"
inputs: { base: , host: }
defaults: { redirects: { trust: ["http://{{ host }}"] } }
steps:
  - request: "GET {{ base }}/where"
    extract: { elsewhere: $.url }
  - script: |
      http::send(#{ url: vars.elsewhere, auth: #{ bearer: "abc-def-ghi" } });
"#,
    )
    .on("GET /where", |seen| Reply::json(format!(r#"{{"url":"{}/x"}}"#, seen.origin("trusted"))))
    .server("trusted", |trusted| {
        trusted.on("GET /x", |seen| {
            assert_eq!(seen.header("authorization"), "Bearer abc-def-ghi");
            Reply::json("{}")
        });
    });
    let host = scenario.origin("trusted").replace("http://", "");
    scenario.input("host", &host).run().passed().saw_at("trusted", ["GET /x"]);
}

#[test]
fn a_script_imports_a_module_of_its_project() {
    let ran = Scenario::new(
        r#"
inputs: { base: }
steps:
  - before: |
      import "sign" as sign;
      request.headers["X-Sign"] = sign::of(request.body);
    request: { url: "{{ base }}/", body: "abc" }
  - script: { code: "vars.n = 7;", max_operations: 1000, timeout: 10s, max_text: 1KiB }
outputs: { n: "{{ n }}" }
"#,
    )
    .file("scripts/sign.rhai", "fn of(body) { hash::md5(body) }\n")
    .json("POST /", "{}")
    .run();
    ran.passed();
    assert_eq!(ran.seen("POST /").header("x-sign"), "900150983cd24fb0d6963f7d28e17f72");
    assert_eq!(ran.output("n"), json!(7));
}

#[test]
fn a_module_that_is_not_there_is_told_before_anything_is_sent() {
    let ran = Scenario::new("inputs: { base: }\nsteps:\n  - request: GET {{ base }}/\n  - script: |\n      import \"sing\" as sign;\n      sign::f();\n")
        .file("scripts/sign.rhai", "fn f() { 1 }\n")
        .run();
    says(&ran.refused(), &["there is no module `sing`", "did you mean `sign`?", "flow.yaml:5:"]);
}

/// A sort inside of a sort without end (S68).
#[test]
fn what_compares_is_bounded_like_everything() {
    let nested = "a.sort(|x, y| {\n          let b = [2, 1];\n          b.sort(|x, y| loop { });\n          0\n        });";
    let caught = "try { a.for_each(|x| a_loop()); } catch { }\n        fn a_loop() { loop { } }";
    for code in [nested, caught] {
        let ran = Scenario::new(&format!("steps:\n  - script:\n      max_operations: 1000\n      code: |\n        let a = [2, 1];\n        {code}\n"))
            .run();
        ran.fails_with(Cause::CouldNotRun);
        says(&ran.error(), &["more than 1000 operations"]);
        if code == nested {
            says(&ran.error(), &["flow.yaml:6:"]);
        }
    }
}

#[test]
fn fail_ends_the_script_from_a_comparison_too() {
    for call in [
        "a.sort(|x, y| fail(\"bad\"));",
        "a.dedup(|x, y| fail(\"bad\"));",
        "try { a.map(|x| fail(\"bad\")); } catch { }",
    ] {
        let ran = Scenario::new(&format!(
            "steps:\n  - id: a\n    script: |\n      let a = [2, 1];\n      {call}\n"
        ))
        .run();
        ran.fails_with(Cause::CheckFailed);
        says(&ran.text(), &["bad"]);
        assert_eq!(ran.verdicts(), ["a failed"]);
    }
}

/// Its own limits (S68).
#[test]
fn a_script_past_its_own_limit_breaks_its_step() {
    let ran =
        Scenario::new("steps:\n  - script:\n      max_operations: 100\n      code: |\n        loop { }\n")
            .run();
    ran.fails_with(Cause::CouldNotRun);
    says(&ran.error(), &["more than 100 operations", "flow.yaml:5:"]);
}

#[test]
fn bytes_are_printed_as_a_number_of_them() {
    let ran = Scenario::new("inputs: { password: tok-1234567890 }\nsteps:\n  - script: |\n      let b = vars.password.to_blob();\n      print(b);\n      print([b]);\n      debug(b);\n")
        .run();
    ran.passed();
    assert_eq!(ran.printed(), ["14 bytes", "[14 bytes]", "14 bytes"]);
}

#[test]
fn fake_data_is_at_reserved_domains() {
    let ran = Scenario::new("vars: { mail: \"{{ fake('email') }}\" }\nsteps:\n  - script: check(\"reserved\", vars.mail.contains(\"@example.\"));\n").run();
    ran.passed();
}

#[test]
fn the_pairs_of_a_request_are_printed_as_they_are() {
    let ran = Scenario::new(
        "inputs: { base: , password: hunter22-long }\nsteps:\n  - before: |\n      print(request.query);\n      print(request.headers);\n    request: { url: \"{{ base }}/\", query: { a: 1, p: \"{{ password }}\" }, headers: { X-A: b } }\n",
    )
    .json("GET /", "{}")
    .run();
    ran.passed();
    assert_eq!(ran.printed(), ["a: 1\np: «password»", "x-a: b"]);
}

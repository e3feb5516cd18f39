//! Values on their way: where inputs come from, what `vars` and `extract` make of them, and what
//! becomes of them in the places of a request.

use reqchain::running::Cause;
use serde_json::json;

use crate::scenario::{Scenario, says};

#[test]
fn optional_leaves_a_variable_default_sets_it_and_secret_hides_it() {
    let ran = Scenario::new(
        r"
steps:
  - request: GET {{ base }}/1
    extract: { a: $.a, b: { json: $.b, optional: true }, c: { json: $.c, default: [1] }, pin: { json: $.pin, secret: true } }
  - request: GET {{ base }}/2
    extract: { a: { json: $.a, optional: true } }
  - script: print(`${vars.a} ${vars.b == ()} ${vars.c} ${vars.pin}`);
",
    )
    .json("GET /1", r#"{"a":"first","pin":"long-enough-pin"}"#)
    .json("GET /2", "{}")
    .run();
    ran.passed();
    assert_eq!(ran.output("a"), json!("first"));
    assert_eq!(ran.output("b"), json!(null));
    assert_eq!(ran.output("c"), json!([1]));
    assert_eq!(ran.output("pin"), json!("long-enough-pin"));
    assert!(!ran.text().contains("long-enough-pin"), "{}", ran.text());
    assert_eq!(ran.printed(), ["first true [1] «pin»"]);
}

#[test]
fn a_scalar_that_is_one_expression_keeps_its_type_in_a_json_body() {
    let ran = Scenario::new(
        r#"
inputs: { base: , n: 5, truth: true, list: [1, a], text: "7", nothing: { required: false } }
steps:
  - request:
      url: "{{ base }}/"
      json: { n: "{{ n }}", truth: "{{ truth }}", list: "{{ list }}", text: "{{ text }}", nothing: "{{ nothing }}", mixed: "n={{ n }} {{ list }} {{ nothing }}", zebra: 1, apple: 2 }
"#,
    )
    .json("POST /", "{}")
    .run();
    ran.passed();
    let expected = r#"{"n":5,"truth":true,"list":[1,"a"],"text":"7","nothing":null,"mixed":"n=5 [1,\"a\"] null","zebra":1,"apple":2}"#;
    assert_eq!(ran.seen("POST /").body, expected);
}

/// A value of a form ends where it ends (S24).
#[test]
fn nulls_are_left_out_of_query_headers_and_form_and_lists_repeat_the_key() {
    let ran = Scenario::new(
        r#"
inputs: { base: , nothing: { required: false }, many: [1, "b c"] }
steps:
  - request:
      url: "{{ base }}/q?x=1"
      query: { a: "{{ nothing }}", b: "{{ many }}", c: "ä&=", d: null }
      headers: { X-A: "{{ nothing }}", X-B: "{{ many }}" }
  - request: { url: "{{ base }}/f", form: { a: "{{ nothing }}", b: "{{ many }}", c: "x&y=z" } }
"#,
    )
    .json("GET /q", "{}")
    .json("POST /f", "{}")
    .run();
    ran.passed();
    let seen = ran.seen("GET /q");
    assert_eq!(seen.target, "/q?x=1&b=1&b=b%20c&c=%C3%A4%26%3D");
    let headers: Vec<_> = seen.headers.iter().filter(|(name, _)| name.starts_with("x-")).cloned().collect();
    assert_eq!(headers, [("x-b".to_owned(), "1".to_owned()), ("x-b".to_owned(), "b c".to_owned())]);
    let form = ran.seen("POST /f").body;
    assert!(form == "b=1&b=b%20c&c=x%26y%3Dz" || form == "b=1&b=b+c&c=x%26y%3Dz", "{form}");
}

/// A value is one piece of a path, whatever it holds (S23).
#[test]
fn a_value_in_a_url_stays_one_piece_and_cannot_leave_it() {
    let ran = Scenario::new(
        r#"
inputs: { base: , id: "../../admin?x=1#y@evil.example/%2e" }
steps: [ { request: "GET {{ base }}/users/{{ id }}/me" } ]
"#,
    )
    .json("GET /users/..%2F..%2Fadmin%3Fx%3D1%23y%40evil.example%2F%252e/me", "{}")
    .run();
    ran.passed();
}

/// Braces from a server are text (S19).
#[test]
fn a_value_from_a_server_is_never_evaluated_again() {
    let ran = Scenario::new(
        r#"
inputs: { base: , password: hunter2-hunter2 }
steps:
  - request: GET {{ base }}/evil
    extract: { x: $.x, y: "{{ response.json.x }}" }
  - request:
      url: "{{ base }}/echo/{{ x }}"
      json: { x: "{{ x }}", y: "{{ y }}", both: "{{ x }} {{ y }}" }
  - script: print(vars.x);
"#,
    )
    .json("GET /evil", r#"{"x":"{{ password }}"}"#)
    .json("POST /echo/%7B%7B%20password%20%7D%7D", "{}")
    .run();
    ran.passed();
    let body = &ran.seen("POST /echo/%7B%7B%20password%20%7D%7D").body;
    assert_eq!(body, r#"{"x":"{{ password }}","y":"{{ password }}","both":"{{ password }} {{ password }}"}"#);
    assert_eq!(ran.printed(), ["{{ password }}"]);
}

#[test]
fn a_variable_that_no_step_set_is_an_error_at_its_place_with_a_suggestion() {
    let ran = Scenario::new(
        r#"steps:
  - { when: "{{ false }}", request: "GET {{ base }}/", extract: { token_id: $.t } }
  - { request: "GET {{ base }}/a", extract: { token_it: $.t } }
  - request: GET {{ base }}/use/{{ token_id }}
"#,
    )
    .json("GET /a", r#"{"t":1}"#)
    .run();
    ran.fails_with(Cause::CouldNotRun).saw(["GET /a"]);
    says(&ran.error(), &["flow.yaml:4:", "`token_id` is not defined", "token_it"]);
}

#[test]
fn a_name_that_nobody_sets_is_refused_before_anything_is_sent() {
    let ran =
        Scenario::new("inputs: { base: , user: ann }\nsteps:\n  - request: GET {{ base }}/{{ usr }}\n").run();
    says(&ran.refused(), &["flow.yaml:3:", "`usr` is not defined", "`user`"]);
    ran.saw([]);
}

#[test]
fn an_input_comes_from_the_caller_then_the_environment_then_a_file_then_the_default() {
    let workflow = "inputs: { base: , x: { default: d, env: X_VAR, file: x.txt } }\nsteps: [ { request: 'GET {{ base }}/{{ x }}' } ]";
    let scenario = |path: &str| Scenario::new(workflow).json(path, "{}");
    scenario("GET /d").run().passed();
    scenario("GET /from%20file").file("x.txt", "from file\n").run().passed();
    scenario("GET /two%0Alines").file("x.txt", "two\nlines\r\n").run().passed();
    scenario("GET /env").file("x.txt", "from file\n").env("X_VAR", "env").run().passed();
    scenario("GET /from%20file").file("x.txt", "from file\n").env("X_VAR", "").run().passed();
    scenario("GET /given").file("x.txt", "f").env("X_VAR", "env").input("x", "given").run().passed();
}

#[test]
fn all_missing_inputs_are_told_in_one_error() {
    let ran = Scenario::new(
        "inputs: { a: , b: { env: B_VAR }, c: ok, d: { file: d.txt, description: the key } }\nsteps: [ { script: print(vars.a + vars.b + vars.c + vars.d) } ]",
    )
    .env("B_VAR", "")
    .run();
    let text = ran.refused();
    says(&text, &["`a`", "`b`", "B_VAR", "--input a="]);
    says(&text, &["`d` (the key)", "d.txt"]);
    assert_eq!(text.matches("error").count(), 1, "{text}");
}

#[test]
fn an_input_of_the_wrong_type_says_what_it_is_not_and_where_it_came_from() {
    let table = [("5", "x"), ("true", "maybe"), ("2.5", "1,5"), ("[1]", "[1")];
    for (default, given) in table {
        let ran = Scenario::new(&format!(
            "inputs: {{ n: {{ default: {default}, env: N }} }}\nsteps: [ {{ script: print(vars.n) }} ]"
        ))
        .env("N", given)
        .run();
        says(&ran.refused(), &["`n`", "the environment variable N", "flow.yaml:1:"]);
    }
    let ran = Scenario::new("inputs: { n: 5, b: true, t: 0101, v: 1.10 }\nsteps:\n  - script: print(`${vars.n + 1} ${!vars.b} ${vars.t} ${vars.v}`);\n")
        .input("n", " 41 ")
        .run();
    ran.passed();
    assert_eq!(ran.printed(), ["42 false 0101 1.10"]);
}

#[test]
fn an_input_that_the_workflow_does_not_have_is_refused_with_a_suggestion() {
    let ran =
        Scenario::new("inputs: { username: a }\nsteps: [ { script: print(1) } ]").input("usrname", "x").run();
    says(&ran.refused(), &["`usrname`", "`username`"]);
}

#[test]
fn an_input_cannot_be_overwritten() {
    let ran = Scenario::new(
        "inputs: { base: , x: 1 }\nsteps:\n  - request: GET {{ base }}/\n    extract: { x: $.x }\n",
    )
    .run();
    says(&ran.refused(), &["flow.yaml:4:16", "`x`", "input"]);
    let ran = Scenario::new("inputs: { x: 1 }\nsteps:\n  - script: vars.x = 2;\n").run();
    match &ran.finished {
        Ok(_) => says(&ran.fails_with(Cause::CouldNotRun).error(), &["flow.yaml:3:", "input"]),
        Err(_) => says(&ran.refused(), &["flow.yaml:3:", "input"]),
    }
}

#[test]
fn vars_are_derived_in_order_from_inputs_and_earlier_vars() {
    let ran = Scenario::new(
        "inputs: { base: , n: 2 }\nvars: { double: '{{ n * 2 }}', text: 'is {{ double }}' }\nsteps: [ { request: { url: '{{ base }}/', json: { d: '{{ double }}', t: '{{ text }}' } } } ]",
    )
    .json("POST /", "{}")
    .run();
    ran.passed();
    assert_eq!(ran.seen("POST /").body, r#"{"d":4,"t":"is 4"}"#);
}

/// No name leads out of the project (S54, S72).
#[test]
fn a_file_outside_the_project_is_read_only_where_the_workflow_is_trusted() {
    let outside = tempfile::tempdir().expect("a folder");
    let secret = outside.path().join("key");
    std::fs::write(&secret, "from outside\n").expect("a file");
    let workflow = format!(
        "inputs: {{ key: {{ file: {}, secret: false }} }}\nsteps: [ {{ script: \"print(vars.key)\" }} ]",
        secret.display()
    );
    let ran = Scenario::new(&workflow).run();
    says(&ran.refused(), &["`key`", "outside the project", "--trust"]);
}

#[test]
fn the_default_of_a_json_input_is_read_as_what_the_caller_gives_would_be() {
    let workflow =
        "inputs: { h: { type: json, default: '{\"a\":[7]}' } }\nsteps:\n  - script: print(vars.h.a[0]);\n";
    assert_eq!(Scenario::new(workflow).run().printed(), ["7"]);
    assert_eq!(Scenario::new(workflow).input("h", "{\"a\":[8]}").run().printed(), ["8"]);
}

#[test]
fn no_match_is_an_empty_list_of_matches() {
    let expecting = |predicate: &str| {
        Scenario::new(&format!(
            "steps:\n  - request: GET {{{{ base }}}}/\n    expect: {{ json_all: {{ '$.zip[*]': {predicate} }} }}\n"
        ))
        .json("GET /", r#"{"n":1}"#)
        .run()
    };
    expecting("{ empty: true }").passed();
    expecting("{ length: 0 }").passed();
    expecting("absent").passed();
    expecting("{ length: 1 }").fails_with(Cause::CheckFailed);
    expecting("present").fails_with(Cause::CheckFailed);
}

#[test]
fn what_has_no_meaning_beside_uses_is_refused() {
    let ran = Scenario::new(
        "steps:\n  - uses: ./child.yaml\n    expect: { status: 599 }\n    extract: { x: $.id }\n",
    )
    .file("child.yaml", "steps: [ { script: print(1) } ]")
    .run();
    says(
        &ran.refused(),
        &["`expect` has no meaning beside `uses`", "`extract` has no meaning beside `uses`"],
    );
}

#[test]
fn a_secret_output_does_not_hide_those_beside_it() {
    let ran = Scenario::new(
        r"
inputs: { base: }
steps:
  - id: login
    uses: ./child.yaml
  - request: GET {{ base }}/{{ steps.login.outputs.place }}/{{ steps.login.outputs.token }}
",
    )
    .file(
        "child.yaml",
        "vars: { place: here, token: long-enough-token }\nsteps: [ { script: 'vars.t = secret(vars.token);' } ]\noutputs: { place: \"{{ place }}\", token: \"{{ t }}\" }",
    )
    .json("GET /here/long-enough-token", "{}")
    .detail(reqchain::running::Detail::Requests)
    .run();
    ran.passed();
    says(&ran.text(), &["/here/«"]);
    assert!(!ran.text().contains("long-enough-token"), "{}", ran.text());
}

//! `mock: { file, inputs, state, tls }` and `reqchain mock --state`: one mock in several modes, each a
//! server of its own, shared by the workflows that want the same.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};

use reqchain::document::workflow::Workflow;
use reqchain::ground::source::Source;
use reqchain::running::Cause;

use crate::scenario::{Cli, Scenario, says};

const DOOR: &str = "\
state: { open: true, wait: 0, visits: 0 }
routes:
  - route: GET /door
    script: |
      state.visits += 1;
      #{ json: #{ open: state.open, wait: state.wait, visits: state.visits } }
";

const KNOCK: &str = "\
inputs: { api: https://api.example.com, pause: 5, opened: true }
steps:
  - request: GET {{ api }}/door
    extract: { open: $.open, wait: $.wait, visits: $.visits }
";

/// A workflow that knocks, with this `mock`, and steps that follow.
fn knocking(mock: &str, more: &str) -> Scenario {
    let flow = format!("mock: {mock}\n{KNOCK}{more}");
    Scenario::new(&flow).file("door.yaml", DOOR).own_mock()
}

#[test]
fn entries_of_the_state_are_other_for_this_workflow() {
    let ran = knocking("{ file: door.yaml, state: { open: false } }", "").run();
    ran.passed();
    assert_eq!((ran.output("open"), ran.output("wait")), (false.into(), 0.into()));
}

#[test]
fn an_input_says_what_the_state_is() {
    let mock = "{ file: door.yaml, state: { open: '{{ opened }}', wait: '{{ pause * 2 }}' } }";
    let ran = knocking(mock, "").run();
    ran.passed();
    assert_eq!((ran.output("open"), ran.output("wait")), (true.into(), 10.into()));
    let ran = knocking(mock, "").input("pause", "7").input("opened", "false").run();
    ran.passed();
    assert_eq!((ran.output("open"), ran.output("wait")), (false.into(), 14.into()));
}

#[test]
fn under_a_mock_inputs_are_what_it_says_and_no_server_need_be_named() {
    let flow = r"
inputs: { api: { env: API }, word: { env: WORD }, n: { type: int, env: N } }
mock: { file: echo.yaml, replaces: [api], inputs: { word: offline, n: 7 } }
steps:
  - request: { url: '{{ api }}/', query: { word: '{{ word }}', n: '{{ n }}' } }
    extract: { came: $.word, number: $.n }
";
    let echo = r"
routes:
  - route: GET /
    reply: { json: { word: '{{ request.query.word }}', n: '{{ request.query.n }}' } }
";
    let scenario = || Scenario::new(flow).file("echo.yaml", echo).own_mock();
    let ran = scenario().run();
    ran.passed();
    assert_eq!((ran.output("came"), ran.output("number")), ("offline".into(), "7".into()));
    // What is there for the real server is not asked; what the caller says is.
    let ran = scenario().env("WORD", "real").env("API", "https://real.example").input("n", "8").run();
    ran.passed();
    assert_eq!((ran.output("came"), ran.output("number")), ("offline".into(), "8".into()));

    let missing = Scenario::new(flow).file("echo.yaml", echo).run().refused();
    says(&missing, &["inputs are missing: `api`, `word`, `n`", "the environment variable API", "--mock"]);
}

#[test]
fn what_the_caller_gives_is_for_the_mock_of_a_file_that_is_run_also_where_another_uses_it() {
    let knock = r"
inputs: { api: https://api.example.com, pause: 5 }
mock: { file: door.yaml, state: { wait: '{{ pause }}' } }
steps:
  - { request: 'GET {{ api }}/door', extract: { wait: $.wait } }
";
    let user = r"
inputs: { pause: 1 }
steps:
  - uses: ./knock.yaml
    when: '{{ pause == 0 }}'
";
    let cli = Cli::new(&[("door.yaml", DOOR), ("knock.yaml", knock), ("user.yaml", user)]);
    for order in ["knock.yaml user.yaml", "user.yaml knock.yaml"] {
        let called = cli.call(&format!("run {order} --mock --input pause=30 --output vars"));
        assert!(called.passed().out.contains("wait=30\n"), "{order}: {}", called.out);
    }
}

#[test]
fn what_a_mock_says_of_inputs_must_fit_them() {
    let flow = |inputs: &str| {
        let steps = r"
inputs: { api: https://a.example, n: { type: int, choices: [1, 2] } }
steps:
  - request: GET {{ api }}/door?{{ n }}
";
        format!("mock: {{ file: door.yaml, replaces: [api], inputs: {inputs} }}{steps}")
    };
    let cases = [
        ("{ n: many }", "`n` is not a whole number; it came from `inputs` of its mock"),
        ("{ n: 3 }", "none of its choices"),
        ("{ m: 1 }", "there is no input `m`"),
        ("{ n: '{{ api }}' }", "holds plain values, no templates"),
    ];
    for (inputs, expected) in cases {
        let ran = Scenario::new(&flow(inputs)).file("door.yaml", DOOR).own_mock().run();
        says(&ran.refused(), &[expected]);
    }
    Scenario::new(&flow("{ n: 2 }")).file("door.yaml", DOOR).own_mock().run().passed();
}

#[test]
fn a_mistake_in_a_mock_is_told_once_however_many_workflows_use_it() {
    let flow = "inputs: { base: 'https://a.example' }\nmock: { file: m.yaml, replaces: [base] }\nsteps: [ { request: 'GET {{ base }}/' } ]\n";
    let mock = "routes: [ { route: GET /, replyy: {} } ]\n";
    let cli = Cli::new(&[("a.yaml", flow), ("b.yaml", flow), ("m.yaml", mock)]);
    let called = cli.call("run a.yaml b.yaml --mock");
    called.refused(&["unknown key `replyy`", "m.yaml:1:"]);
    assert_eq!(called.err.matches("replyy: {}").count(), 1, "{}", called.err);
}

#[test]
fn workflows_that_want_the_same_share_a_server_and_others_have_their_own() {
    let used = |mock: &str| {
        let steps = r"
inputs: { api: https://api.example.com }
steps:
  - request: GET {{ api }}/door
    extract: { visits: $.visits }
";
        format!("mock: {mock}{steps}")
    };
    for (mock, expected) in [
        ("door.yaml", 2),
        ("{ file: door.yaml, state: { open: true } }", 2),
        ("{ file: door.yaml, state: { open: false } }", 1),
    ] {
        let more = "  - { id: other, uses: ./other.yaml }
outputs: { seen: '{{ steps.other.outputs.visits }}' }
";
        let ran = knocking("door.yaml", more).file("other.yaml", used(mock)).run();
        ran.passed();
        assert_eq!(ran.output("seen"), serde_json::json!(expected), "{mock}");
    }
}

#[test]
fn a_mock_serves_https_where_its_workflow_says_so() {
    let ran = knocking("{ file: door.yaml, tls: self_signed }", "").run();
    ran.fails_with(Cause::CouldNotRun);
    says(&ran.error(), &["self-signed"]);
    let ran =
        knocking("{ file: door.yaml, tls: self_signed }", "defaults: { tls: { insecure: true } }\n").run();
    ran.passed();
}

#[test]
fn what_cannot_be_changed_is_told_at_its_place() {
    let ran = knocking("{ file: door.yaml, state: { opn: false } }", "").run();
    says(&ran.error(), &["flow.yaml:1:", "the state of the mock `door` has no `opn`", "`open`"]);
    let ran = knocking("{ file: door.yaml, state: { open: '{{ pause }}' } }", "").run();
    says(&ran.error(), &["flow.yaml:1:", "`open` of the mock `door` is bool, not int"]);
    let flow = r"
inputs: { api: https://a.example }
vars: { later: 1 }
mock: { file: tests/cases/files/shop.mock.yaml, state: { a: '{{ later }}', b: '{{ apu }}' }, tls: true }
steps:
  - request: GET {{ api }}/{{ later }}
";
    let problems = Workflow::parse(&Source::text("t.yaml", flow)).expect_err("it is wrong").to_string();
    says(
        &problems,
        &[
            "there is no input `later`",
            "it sees inputs alone",
            "there is no input `apu`",
            "`api`",
            "`self_signed`",
        ],
    );
}

#[test]
fn check_tells_what_a_workflow_changes_in_vain() {
    let flow = r"
inputs: { api: https://a.example, wait: 1 }
mock: { file: door.yaml, state: { opn: 1, wait: '{{ wait }}', visits: many } }
steps:
  - request: GET {{ api }}/
";
    let cli = Cli::new(&[("door.yaml", DOOR), ("flow.yaml", flow)]);
    cli.call("check flow.yaml").refused(&["has no `opn`", "`visits` of the mock `door` is int, not string"]);
}

/// A process that ends with its test, also with one that fails.
struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        // One that has ended already is what is wanted.
        let _ = self.0.kill().and_then(|()| self.0.wait());
    }
}

#[test]
fn the_command_serves_a_mock_in_the_state_that_is_asked_for() {
    let cli = Cli::new(&[("door.yaml", DOOR)]);
    for (state, expected) in [
        ("opn=1", "has no `opn`"),
        ("open=maybe", "is bool, not string"),
        ("open=[", "this is not YAML"),
        ("open", "an equal sign"),
    ] {
        cli.call(&format!("mock door.yaml --state {state}")).fails(2, &[expected]);
    }
    let mut command = cli.command("mock door.yaml --state open=false --state wait=7");
    let mut serving = Serving(command.stderr(Stdio::piped()).spawn().expect("it runs"));
    let mut line = String::new();
    BufReader::new(serving.0.stderr.take().expect("it is ours")).read_line(&mut line).expect("a line");
    let origin = line.split(' ').find_map(|word| word.strip_prefix("http://")).expect("an origin");
    let mut stream = TcpStream::connect(origin.trim_end_matches(',')).expect("it listens");
    stream.write_all(b"GET /door HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    assert!(answer.ends_with(r#"{"open":false,"visits":1,"wait":7}"#), "{answer}");
}

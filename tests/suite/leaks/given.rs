//! How secrets come in and go out by the command line: unseen, not by way of other processes, and
//! only where they cannot leave their place.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::scenario::{Cli, Reply, Scenario, says};

/// Runs `reqchain run flow.yaml` and gives back its exit, stdout and stderr.
fn run(folder: &Path, flow: &str, words: &[&str], stdin: &str) -> (i32, String, String) {
    std::fs::write(folder.join("flow.yaml"), flow).expect("written");
    let mut child = Command::new(env!("CARGO_BIN_EXE_reqchain"))
        .args(["run", "flow.yaml"])
        .args(words)
        .current_dir(folder)
        .env("OTHER_SECRET", "the-other-secret")
        .env("PLAIN", "plainly-there")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    child.stdin.take().expect("a pipe").write_all(stdin.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code().expect("an exit"), text(output.stdout), text(output.stderr))
}

const ECHO: &str = "inputs: { word: }\nvars: { said: '{{ word }}' }\nsteps: [ { script: 'print(`it is ${vars.said}`)' } ]\noutputs: { word: '{{ word }}' }\n";

/// Unseen by other processes (S50).
#[test]
fn a_secret_is_read_from_a_line_of_stdin_and_is_one_whatever_the_input_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let words = ["--secret", "word", "--output", "vars"];
    let (exit, stdout, stderr) = run(folder.path(), ECHO, &words, "hunter2-hunter2\nmore\n");
    assert_eq!((exit, stdout.as_str()), (0, "word=«word»\n"), "{stderr}");
    says(&stderr, &["it is «word»"]);
    assert!(!stderr.contains("hunter2"), "{stderr}");
    let (exit, _, stderr) = run(folder.path(), ECHO, &words, "");
    assert_eq!(exit, 2);
    says(&stderr, &["--secret word", "stdin has no line"]);
}

/// Seen by them (S50).
#[test]
fn a_secret_that_others_may_see_is_warned_of_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let flow = ECHO.replace("{ word: }", "{ word: { secret: true } }");
    let (exit, _, stderr) = run(folder.path(), &flow, &["--input", "word=short", "flow.yaml"], "");
    assert_eq!(exit, 0, "{stderr}");
    says(&stderr, &["--input word=…", "--secret word"]);
    assert_eq!(stderr.matches("list of processes").count(), 1);
    let warnings = stderr.split("flow.yaml").next().unwrap_or_default();
    assert!(!warnings.contains("short"), "{warnings}");
    let (_, _, stderr) = run(folder.path(), &flow, &["--secret", "word"], "long-enough\n");
    assert!(!stderr.contains("warning"), "{stderr}");
}

/// The environment of children (S50).
#[test]
fn a_secret_that_is_too_short_to_be_hidden_is_warned_of_once_wherever_it_is_used() {
    let used = "inputs: { pin: { default: 1234, secret: true }, word: }\nsteps: [ { script: 'print(1)' } ]\n";
    let flow = "mock: mock.yaml\ninputs: { word: { default: abc, secret: true }, empty: { default: '', secret: true }, long: { default: long-enough, secret: true }, plain: abc }\nsteps:\n  - { id: a, uses: used.yaml, with: { word: '{{ word }}' } }\n  - { script: 'check(\"it\", vars.plain == \"abc\")' }\n";
    let cli = Cli::new(&[
        ("flow.yaml", flow),
        ("used.yaml", used),
        ("mock.yaml", "routes: []\n"),
        ("rows.csv", "plain\nabc\nabc\nx\n"),
    ]);
    let of = |words: &str| {
        let told = cli.call(words).err;
        ["word", "pin", ""].map(|name| told.matches(&format!("the secret input `{name}")).count())
    };
    assert_eq!(of("run flow.yaml"), [1, 1, 2]);
    assert_eq!(of("run flow.yaml --repeat 3 -vv"), [1, 1, 2]);
    assert_eq!(of("run flow.yaml --data rows.csv"), [1, 1, 2]);
    assert_eq!(of("run flow.yaml --dry-run"), [1, 1, 2]);
    // What is quiet about what passes tells it with what fails.
    assert_eq!(of("run flow.yaml -q"), [0, 0, 0]);
    assert_eq!(of("run flow.yaml -q --jobs 1 --data rows.csv"), [1, 1, 2]);
    // Under a mock all values are stand-ins.
    assert_eq!(of("run flow.yaml --mock"), [0, 0, 0]);
}

#[test]
fn a_command_does_not_see_the_variables_of_other_secrets() {
    let folder = tempfile::tempdir().expect("a folder");
    let flow = "inputs:\n  other: { env: OTHER_SECRET, secret: true }\n  seen: { command: [env] }\nsteps: [ { script: 'check(\"hidden\", !vars.seen.contains(\"OTHER_SECRET\")); check(\"kept\", vars.seen.contains(\"plainly-there\")); check(\"given\", vars.other == \"the-other-secret\")' } ]\n";
    let (exit, _, stderr) = run(folder.path(), flow, &["--trust"], "");
    assert_eq!(exit, 0, "{stderr}");
}

/// Fit for a shell (S26, S27).
#[test]
fn a_token_that_is_none_is_not_printed_and_not_told() {
    let folder = tempfile::tempdir().expect("a folder");
    for (value, rule) in [
        ("abc$(id)", "character 4"),
        ("abc\\ndef", "character 4"),
        ("abc\\e[2J", "character 4"),
        ("", "empty"),
    ] {
        let flow = format!("steps: [ {{ script: 'print(1)' }} ]\noutputs: {{ access_token: \"{value}\" }}\n");
        let (exit, stdout, stderr) = run(folder.path(), &flow, &["--output", "value:access_token"], "");
        assert_eq!((exit, stdout.as_str()), (3, ""), "{value}: {stderr}");
        says(&stderr, &["`access_token` is no token", rule]);
        assert!(!stderr.contains("id)") && !stderr.contains('\x1b'), "{stderr}");
    }
    let flow = "steps: [ { script: 'print(1)' } ]\noutputs: { access_token: \"abc.def-1==\", text: \"two\\nlines\" }\n";
    let value = |name: &str| run(folder.path(), flow, &["-q", "--output", name], "").1;
    assert_eq!(
        (value("value:access_token").as_str(), value("value:text").as_str()),
        ("abc.def-1==\n", "two\nlines\n")
    );
}

/// No token is not an empty one (S26).
#[test]
fn a_token_that_the_server_gave_as_null_is_not_silently_left_out() {
    let flow = "steps:\n  - { request: 'GET {{ base }}/login', extract: { token: { json: $.access_token, optional: true } } }\n  - { request: { url: '{{ base }}/me', auth: { bearer: '{{ token }}' } } }\n";
    let ran = Scenario::new(flow).json("GET /login", r#"{"access_token":null}"#).run();
    ran.saw(["GET /login"]);
    says(&ran.error(), &["`token`", "is null", "an answer gave it"]);
    let unset = "inputs: { base: , token: { required: false } }\nsteps: [ { request: { url: '{{ base }}/me', auth: { bearer: '{{ token }}' } } } ]\n";
    let ran = Scenario::new(unset).on("GET /me", |seen| Reply::text(seen.header("authorization"))).run();
    ran.passed();
    assert_eq!(ran.seen("GET /me").header("authorization"), "");
}

/// As soon as it comes (S26).
#[test]
fn a_token_of_a_megabyte_is_refused_where_it_is_extracted() {
    let flow =
        "steps: [ { request: 'GET {{ base }}/login', extract: { token: $.access_token, page: $.page } } ]\n";
    let body = move |token: usize| {
        format!(r#"{{"access_token":"{}","page":"{}"}}"#, "x".repeat(token), "y".repeat(100_000))
    };
    Scenario::new(flow).on("GET /login", move |_| Reply::json(body(65_536))).run().passed();
    let ran = Scenario::new(flow).on("GET /login", move |_| Reply::json(body(65_537))).run();
    says(&ran.error(), &["cannot extract `token`", "65537 bytes"]);
    assert!(!ran.error().contains("xxxx"));
}

//! What must be stopped: texts that blow up, scripts without end, and scripts that reach for what is
//! not theirs.

use std::fmt::Write as _;

use reqchain::running::Cause;

use crate::scenario::tls::{Settings, TlsServer};
use crate::scenario::{Cli, Reply, Scenario, says};

/// Scripts without end (S68).
#[test]
fn a_script_without_end_is_stopped_and_its_line_is_told() {
    // A slow machine may reach the limit of time before that of operations or of elements that are added
    // one by one: each names the line.
    let table = [
        ("let x = 0;\n      loop { x += 1; }", 5, ""),
        ("let s = \"abcdefgh\";\n      while true { s += s; }", 5, "text is larger"),
        ("let a = [1];\n      while true { a += a; }", 5, "elements"),
        ("fn f(n) { f(n + 1) }\n      f(0);", 5, "levels"),
        ("let m = #{};\n      let i = 0; while true { i += 1; m[`k${i}`] = i; }", 5, ""),
        ("let i = 0;\n      while true { i += 1; vars[`k${i}`] = \"abcdefgh\" + i; }", 5, ""),
        ("let s = \"\";\n      s.pad(1000000000, \"x\");", 5, ""),
        (
            "let s = \"\"; s.pad(1000000, \"x\");\n      for i in 0..100000 { secret(s + i); }",
            5,
            "more secrets",
        ),
        (
            "let s = \"\"; s.pad(1000000, \"x\");\n      for i in 0..100000 { check(s + i, true); }",
            5,
            "16 MiB",
        ),
        ("try { loop { } } catch { print(\"caught\"); }", 4, ""),
    ];
    for (script, line, told) in table {
        let ran = Scenario::new(&format!("steps:\n  - id: a\n    script: |\n      {script}\n")).run();
        ran.fails_with(Cause::CouldNotRun);
        says(&ran.error(), &[&format!("flow.yaml:{line}:"), told]);
        assert!(ran.printed().is_empty(), "{script}");
    }
}

/// Recursion (S68).
#[test]
fn functions_that_call_each_other_too_deep_never_crash_the_run() {
    let nested = |levels: usize| format!("{}n{}", "(1 + ".repeat(levels), ")".repeat(levels));
    let blocks = |levels: usize| format!("{}f(n + 1){}", "if n >= 0 { ".repeat(levels), "}".repeat(levels));
    let scripts = [
        format!("fn f(n) {{ f({}) }} f(0);", nested(10)),
        format!("fn f(n) {{ {} }} f(0);", blocks(6)),
        "fn f(n) { [n].map(|x| f(x)) } f(0);".to_owned(),
    ];
    for script in scripts {
        let ran = Scenario::new(&format!("steps:\n  - script: |\n      {script}\n")).run();
        ran.fails_with(Cause::CouldNotRun);
    }
}

/// The reach of a script (S69).
#[test]
fn a_script_reaches_no_file_no_process_and_no_environment() {
    for script in [
        "open(\"/etc/passwd\");",
        "import \"/etc/passwd\" as x;",
        "import \"../x\" as x;",
        "env::var(\"HOME\");",
        "exec(\"id\");",
        "eval(\"1\");",
        "http::get(\"file:///etc/passwd\");",
    ] {
        let ran = Scenario::new(&format!("steps:\n  - script: '{script}'\n")).run();
        match &ran.finished {
            Ok(_) => {
                ran.fails_with(Cause::CouldNotRun);
                says(&ran.error(), &["flow.yaml:2:"]);
            }
            Err(_) => says(&ran.refused(), &["flow.yaml:2:"]),
        }
    }
}

/// Bombs of YAML (S67).
#[test]
fn a_yaml_bomb_is_refused_and_does_not_go_off() {
    const STEPS: &str = "steps: [ { script: print(1) } ]\n";
    let laughs = |levels: usize| {
        let mut text = format!("{STEPS}vars:\n  a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
        for level in 1..levels {
            let all = vec![format!("*a{}", level - 1); 9].join(", ");
            let _ = writeln!(text, "  a{level}: &a{level} [{all}]");
        }
        text
    };
    let lists = |depth: usize| format!("{STEPS}vars: {{ a: {}1{} }}\n", "[".repeat(depth), "]".repeat(depth));
    let maps =
        |depth: usize| format!("{STEPS}vars: {{ a: {}1{} }}\n", "{a: ".repeat(depth), "}".repeat(depth));
    let long = |length: usize| format!("{STEPS}# {}", "x".repeat(length));
    let merges = |a: &str| format!("{STEPS}vars: {{ m: &a {{ k: 1 }}, a: &b {{ <<: *{a} }} }}\n");
    let many = |count: usize| format!("{STEPS}vars: {{ x: [{}] }}\n", "1,".repeat(count));
    // Each beside the same of a size that is fine, so that it is refused for its size and nothing else.
    for (small, large, why) in [
        (laughs(2), laughs(12), "more than 100000 keys and values, aliases counted in full"),
        (lists(10), lists(100_000), "nested deeper than 64 levels"),
        (maps(10), maps(5_000), "nested deeper than 64 levels"),
        (long(1000), long(5 * 1024 * 1024), "larger than 1 MiB"),
        (merges("a"), merges("b"), "stands inside its own anchor"),
        (many(1000), many(200_000), "more than 100000 keys and values"),
    ] {
        Scenario::new(&small).run().passed();
        let refused = Scenario::new(&large).run().refused();
        says(&refused, &[why]);
        assert!(refused.len() < 4096, "the message is as large as the bomb: {} bytes", refused.len());
    }
}

/// JSON without measure (S36).
#[test]
fn a_body_nested_too_deep_is_an_error_and_no_crash() {
    let ran = Scenario::new("steps:\n  - request: GET {{ base }}/\n    extract: { x: $.a }\n")
        .on("GET /", |_| Reply::json("[".repeat(200_000)))
        .run();
    ran.fails_with(Cause::CouldNotRun);
    let ran = Scenario::new("steps:\n  - request: GET {{ base }}/\n    after: print(response.json);\n")
        .on("GET /", |_| Reply::json(format!("{}{}", "[".repeat(100_000), "]".repeat(100_000))))
        .run();
    assert!(ran.finished.is_ok());
}

/// A password of .netrc (S17).
#[test]
fn a_password_that_lies_in_the_home_of_the_user_is_not_taken_by_itself() {
    let there = TlsServer::start(Settings::default());
    let redirect = Some(format!("{}/b", there.origin));
    let here = TlsServer::start(Settings { redirect, ..Settings::default() });
    let netrc =
        "machine 127.0.0.1 login ann password hunter2-hunter2\ndefault login bob password hunter3-hunter3\n";
    let flow = |keys: &str| format!("steps: [ {{ request: {{ url: {}/a{keys} }} }} ]\n", here.origin);
    let cli =
        Cli::new(&[("flow.yaml", &flow("")), (".netrc", netrc), ("_netrc", netrc), (".curlrc", "netrc\n")]);
    let home = cli.path().to_str().expect("a path").to_owned();
    let cli = cli.env("HOME", &home).env("USERPROFILE", &home).env("CURL_HOME", &home);
    let cli = cli.env("NETRC", &format!("{home}/.netrc"));
    cli.call("run --insecure flow.yaml").passed();
    assert_eq!((here.seen().len(), there.seen().len()), (1, 1));
    let is_credential = |name: &String| name == "authorization";
    let names = || [here.header_names(), there.header_names()].concat();
    assert!(!names().iter().any(is_credential), "{:?}", names());
    // What the file says is seen there.
    cli.write("flow.yaml", &flow(", auth: { basic: { username: ann, password: x } }"));
    cli.call("run --insecure flow.yaml").passed();
    assert!(here.header_names().iter().any(is_credential), "{:?}", names());
}

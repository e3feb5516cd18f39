//! What steers a terminal never reaches one: neither what a server says, wherever it says it, nor what
//! stands in a file or in its name.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use crate::scenario::Cli;

/// Clears the screen, sets the title, turns the direction, colours by one byte, steps back, overwrites, ends
/// the line for some.
const STEERS: &str = "\u{1b}[2J\u{1b}]0;owned\u{7}\u{202e}\u{9b}31m\u{8}\r\u{2028}\u{2029}X";
/// A file that a stranger named.
const FILE: &str = "f\u{1b}[31m\u{202e}.yaml";

fn could_steer(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\t')) || matches!(c, '\u{2028}'..='\u{202e}')
}

/// A server that answers so many times with all of it: reason phrase, headers, cookie, body.
fn says_it_all(times: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let port = listener.local_addr().expect("it is bound").port();
    std::thread::spawn(move || {
        for stream in listener.incoming().take(times) {
            let mut stream = stream.expect("a client comes");
            let _ = stream.read(&mut [0; 4096]).expect("it asks");
            let json = serde_json::json!({ "error": "odd", "error_description": STEERS, STEERS: STEERS });
            let (body, line) = (json.to_string(), "a\u{9b}b\u{202e}c");
            let head = format!(
                "HTTP/1.1 400 Bad {line}\r\nx-odd: {line}\tq\r\nset-cookie: a={line}\r\nlocation: /{line}\r\n\
                 content-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
                body.len()
            );
            stream.write_all(format!("{head}{body}").as_bytes()).expect("it takes the answer");
        }
    });
    format!("http://127.0.0.1:{port}")
}

/// Every output of every command (S74).
#[test]
fn nothing_that_steers_a_terminal_is_shown_raw() {
    let odd = r"n\u001b[31m\u202e";
    let flow = format!(
        "name: \"{odd}\"\ninputs: {{ api: https://api.example.com }}\nsteps:\n  - id: a\n    request: {{ url: '{{{{ api }}}}/' }}\n    extract: {{ x: $.error_description, y: {{ header: x-odd }} }}\n    expect: {{ json: {{ $.error_description: \"{odd}\", $.none: 1 }} }}\n    after: |\n      print(response.headers[\"x-odd\"]);\n      fail(response.json.error_description);\n"
    );
    let wrong = format!("name: \"{odd}\"\nsteps:\n  - requst: \"{odd}\"\n");
    let cli = Cli::new(&[(FILE, &flow), (&format!("wrong{FILE}"), &wrong)]);
    let runs =
        ["", "-v", "-vv", "-q", "--output json", "-vv --output json", "--output vars", "--output value:x"];
    let api = says_it_all(runs.len());
    let others = [
        format!("run --dry-run --curl {FILE}"),
        format!("run wrong{FILE}"),
        format!("run none{FILE}"),
        format!("check {FILE} wrong{FILE}"),
        format!("check --format json {FILE} wrong{FILE}"),
        format!("fmt --check {FILE} wrong{FILE}"),
        format!("graph {FILE}"),
        format!("run {FILE} --input {odd}=1 --only {STEERS}"),
    ];
    for words in runs.iter().map(|flags| format!("run {FILE} {flags} --input api={api}")).chain(others) {
        let called = cli.call(&words);
        let told = format!("{}{}", called.out, called.err);
        assert!(!told.is_empty(), "{words:?} tells nothing");
        let raw = told.lines().find(|line| line.contains(could_steer));
        assert_eq!(raw.map(str::escape_debug).map(|line| line.to_string()), None, "{words:?}");
    }
}

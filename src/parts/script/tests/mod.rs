//! The script's tests, by subject, over one small stage.

mod audit;
mod closures;
mod functions;
mod imports;
mod limits;
mod modules;
mod places;
mod requests;
mod secrets;
mod variables;

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use crate::ground::clock::Clock;
use crate::ground::read::Reading;
use crate::ground::secret::{Marked, Needles};
use crate::ground::source::Source;
use crate::ground::value::Value;
use crate::ground::yaml;
use crate::parts::http::Response;
use crate::parts::scope::Scope;
use crate::parts::script::{Ending, Error, Host, Phase, Ran, Script};

/// What a test runs its scripts on.
struct Stage {
    host: Host,
    printed: Arc<Mutex<Vec<String>>>,
}

impl Stage {
    fn new(phase: Phase) -> Self {
        let printed: Arc<Mutex<Vec<String>>> = Arc::default();
        let lines = Arc::clone(&printed);
        let scope = Scope::new(Needles::default(), Clock::fixed(1_700_000_000_000));
        let mut host = Host::new(scope, phase);
        host.on_print = Arc::new(move |line| lines.lock().expect("no panic").push(line.to_owned()));
        Self { host, printed }
    }

    #[must_use]
    fn with_input(self, name: &str, value: Marked<Value>) -> Self {
        self.host.scope.set_input(&name.into(), value);
        self
    }

    #[must_use]
    fn with_var(self, name: &str, json: &str) -> Self {
        let value = Marked::plain(value(json));
        self.host.scope.set(&name.into(), value).expect("it is no input");
        self
    }

    #[must_use]
    fn with_response(mut self, response: Response) -> Self {
        self.host.scope = self.host.scope.with_response(&Arc::new(response));
        self
    }

    fn run(&self, script: &str) -> Ran {
        read(script).run(self.host.clone())
    }

    #[track_caller]
    fn done(&self, script: &str) -> Ran {
        let ran = self.run(script);
        assert_eq!(ran.ending.as_ref().expect("it runs"), &Ending::Done);
        ran
    }

    #[track_caller]
    fn breaks(&self, script: &str) -> Error {
        self.run(script).ending.expect_err("it breaks")
    }

    /// What a script prints.
    #[track_caller]
    fn prints(&self, script: &str) -> String {
        self.printed.lock().expect("no panic").clear();
        self.done(script);
        self.printed.lock().expect("no panic").join("\n")
    }

    #[track_caller]
    fn var(&self, name: &str) -> Marked<Value> {
        self.host.scope.get(name).expect("it is set")
    }
}

fn value(json: &str) -> Value {
    Value::from_json(json.as_bytes()).expect("the test's JSON is right")
}

/// A workflow with a script as a block.
fn workflow(script: &str) -> String {
    let lines: Vec<String> = script.lines().map(|line| format!("      {line}\n")).collect();
    format!("steps:\n  - id: a\n    before: |\n{}", lines.concat())
}

/// The script of a workflow, or what was reported.
fn try_read(text: &str) -> Result<Script, String> {
    try_read_for(text, None)
}

/// The same for a phase; where a test names none, the script may be any that it does not betray.
fn try_read_for(text: &str, phase: Option<Phase>) -> Result<Script, String> {
    let source = Source::text("flow.yaml", text);
    let root = yaml::read(&source).expect("the test's YAML is right");
    let reading = Reading::new(&source);
    let steps = root.get("steps").expect("there are steps");
    let yaml::Kind::List(steps) = &steps.kind else {
        panic!("steps are a list");
    };
    let node = steps[0].get("before").expect("there is a script");
    let phase = phase.unwrap_or(if text.contains("response") { Phase::After } else { Phase::Before });
    let script = Script::read(node, &reading, phase);
    script.ok_or_else(|| reading.finish().render(false))
}

#[track_caller]
fn read(script: &str) -> Script {
    try_read(&workflow(script)).expect("the script compiles")
}

fn response(body: &str) -> Response {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("content-type", "application/json; charset=utf-8"),
        ("x-request-id", "r-1"),
        ("set-cookie", "sid=abcdef-123456; Path=/"),
    ] {
        headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    let url = "https://api.example.com/me?x=1".parse().expect("it is a URL");
    Response::new(200, headers, Bytes::from(body.to_owned()), url)
}

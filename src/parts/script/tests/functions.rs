//! Functions of a mock: the reply comes back, and so does what they changed in the state.

use std::fs;

use crate::ground::read::Reading;
use crate::ground::source::Source;
use crate::ground::value::Value;
use crate::ground::yaml;
use crate::parts::script::tests::{Stage, value};
use crate::parts::script::{Error, Function, FunctionFile, Phase};

fn inline(body: &str) -> Function {
    let lines: Vec<String> = body.lines().map(|line| format!("  {line}\n")).collect();
    let source = Source::text("mock.yaml", format!("script: |\n{}", lines.concat()));
    let root = yaml::read(&source).expect("the test's YAML is right");
    let reading = Reading::new(&source);
    let scalar = root.get("script").and_then(yaml::Node::scalar).expect("it is a text");
    let function = Function::inline(scalar, &reading);
    function.unwrap_or_else(|| panic!("{}", reading.finish().render(false)))
}

fn call(function: &Function, state: &mut Value) -> Result<Value, Error> {
    let request = value(r#"{"method":"POST","params":{"site":"a"},"json":{"user":"x","n":2}}"#);
    function.call(&request, state, Stage::new(Phase::Mock).host)
}

const BODY: &str = r#"
state.users["x"].count += request.json.n;
state.list.push(#{ id: state.list.len() });
state["new"] = request.params.site;
state.remove("gone");
if request.method == "GET" { return #{ status: 405 }; }
#{ status: 200, json: #{ id: hash::md5("a"), at: time::now() } }"#;

const STATE: &str = r#"{"users":{"y":{},"x":{"z":1,"count":1,"a":2}},"list":[],"gone":1}"#;
const AFTER: &str = r#"{"users":{"y":{},"x":{"z":1,"count":3,"a":2}},"list":[{"id":0}],"new":"a"}"#;

#[test]
fn an_inline_body_changes_the_state_in_place() {
    let mut state = value(STATE);
    let reply = call(&inline(BODY), &mut state).expect("it runs");
    assert_eq!(reply.get("status"), Some(&value("200")));
    assert_eq!(reply.get("json").and_then(|json| json.get("at")), Some(&value("1700000000")));
    assert_eq!(state.to_json(), AFTER);
}

/// The functions of a file, read by name.
fn of_file(script: &str, name: &str) -> Result<Function, String> {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("m.rhai"), script).expect("a file");
    let flow = format!("file: m.rhai\nfunction: {name}\n");
    let source = Source::file(&folder.path().join("mock.yaml"), flow);
    let root = yaml::read(&source).expect("the test's YAML is right");
    let reading = Reading::new(&source);
    let scalar = |key| root.get(key).and_then(yaml::Node::scalar).expect("it is a text");
    let file = FunctionFile::read(scalar("file"), &reading);
    let function = file.and_then(|file| file.function(scalar("function"), &reading));
    function.ok_or_else(|| reading.finish().render(false))
}

#[test]
fn a_function_of_a_file_changes_the_state_in_place() {
    let script = format!("const N = 1;\nfn token(request, state) {{{BODY}\n}}\nfn other(x) {{ x }}");
    let mut state = value(STATE);
    let function = of_file(&script, "token").expect("it is there");
    for _ in 0..2 {
        call(&function, &mut state).expect("it runs");
    }
    assert_eq!(state.get("list").and_then(Value::as_list).map(<[Value]>::len), Some(2));
    let said = of_file(&script, "tokn").expect_err("it is not there");
    assert!(said.contains("did you mean `token`?") && said.contains("mock.yaml:2:11"), "{said}");
    let said = of_file(&script, "other").expect_err("it takes one");
    assert!(said.contains("takes 1 parameters"), "{said}");
}

#[test]
fn a_mock_sees_nothing_of_the_workflow() {
    for (body, said) in [
        ("Fn(\"skip\").call()", "a mock is none"),
        ("fail(\"broken\")", "broken"),
        ("[2, 1].order(|x, y| fail(\"broken\"))", "broken"),
        ("try { [2, 1].for_each(|x| fail(\"broken\")); } catch { } 1", "broken"),
        ("state.x = 1; throw \"no\"", "no"),
        ("|| 1", "the reply is not JSON"),
        ("state.f = || 1; 1", "the state is not JSON"),
    ] {
        let mut state = value("{}");
        let error = call(&inline(body), &mut state).expect_err("it breaks");
        assert!(error.message.contains(said), "{body}: {}", error.message);
        assert_eq!(state, value("{}"), "{body}: a broken handler leaves the state alone");
        assert!(error.place.is_some(), "{body}");
    }
}

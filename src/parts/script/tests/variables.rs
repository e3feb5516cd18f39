//! `vars`, `steps`, `response` and the values that they hold; how a script ends.

use std::sync::Arc;

use crate::ground::secret::{Marked, Marks};
use crate::parts::scope::StepRecord;
use crate::parts::script::tests::{Stage, response, value};
use crate::parts::script::{Ending, Phase};

#[test]
fn variables_are_read_and_written_from_everywhere() {
    let stage = Stage::new(Phase::Alone).with_var("user", r#"{"name":"Ann","tags":["x"],"tag":"t"}"#);
    stage.done(
        r#"
        fn rename(name) { vars.user.name = name; vars["a-b"] = vars.user.tags.len(); }
        rename("Bob");
        vars.user.tags.push("y");
        vars.user.tags[0] = "z";
        vars.user["new"] = #{ b: 1, a: () };
        vars.tag = vars.user.tag;
        vars.gone = 1;
        vars.remove("gone");
        [1].for_each(|x| vars.closure = this);
        vars.has_it = vars.has("user") && !vars.has("gone") && "user" in vars;"#,
    );
    assert_eq!(
        stage.var("user").value.to_json(),
        r#"{"name":"Bob","tags":["z","y"],"tag":"t","new":{"a":null,"b":1}}"#
    );
    assert_eq!(stage.var("a-b").value, value("1"));
    assert_eq!(stage.var("tag").value, value(r#""t""#));
    assert_eq!(stage.var("closure").value, value("1"));
    assert_eq!(stage.var("has_it").value, value("true"));
    assert!(!stage.host.scope.has("gone"));
}

#[test]
fn an_object_behaves_like_a_map_and_keeps_its_order() {
    let stage =
        Stage::new(Phase::Alone).with_var("o", r#"{"z":1,"a":{"n":[1,{"m":2}]},"big":18446744073709551615}"#);
    for (expression, expected) in [
        ("vars.o.keys()", r#"["z", "a", "big"]"#),
        ("vars.o.values().len()", "3"),
        ("vars.o.len()", "3"),
        ("vars.o.contains(\"z\") && \"a\" in vars.o && !(\"b\" in vars.o)", "true"),
        ("vars.o.a.n[1].m", "2"),
        ("vars.o[\"a\"][\"n\"][0]", "1"),
        ("vars.o.missing == ()", "true"),
        ("vars.o.missing?.deeper == ()", "true"),
        ("vars.o.a == #{ n: [1, #{ m: 2 }] }", "true"),
        ("vars.o.a != vars.o.a", "false"),
        ("vars.o.a", r#"{"n":[1,{"m":2}]}"#),
        ("`${vars.o.a}`", r#"{"n":[1,{"m":2}]}"#),
        ("[vars.o.a]", r#"[{"n":[1,{"m":2}]}]"#),
        ("type_of(vars.o)", "object"),
        ("{ let s = \"\"; for k in vars.o { s += k; } s }", "zabig"),
        ("{ let o = vars.o; let gone = o.remove(\"z\"); `${gone} ${o.len()} ${vars.o.len()}` }", "1 2 3"),
    ] {
        assert_eq!(stage.prints(&format!("print({expression});")), expected, "{expression}");
    }
    stage.done("vars.o.z += 1; vars.o.a.n[1].m = 3;");
    assert_eq!(stage.var("o").value.to_json(), r#"{"z":2,"a":{"n":[1,{"m":3}]},"big":18446744073709551615}"#);
}

const REFUSED: &[(&str, &str, &str)] = &[
    ("print(vars.tokn_count);", "no variable `tokn_count`", "did you mean `token_count`?"),
    ("print(vars.zzz);", "no variable `zzz`", "vars.has(\"zzz\")"),
    ("vars.sso = \"x\";", "`sso` is an input", "another name"),
    ("vars.remove(\"sso\");", "`sso` is an input", "another name"),
    ("vars.response = 1;", "means something by itself", "another name"),
    ("vars.f = || 1;", "a function is not a JSON value", ""),
    ("vars.b = blob(1);", "bytes are not a JSON value", ""),
    ("print(request.url);", "there is no `request` here", "`before`"),
    ("print(response.status);", "there is no `response` here", "steps.<id>"),
    ("print(steps.login.status);", "no step `login` has run", ""),
    ("print(vars.token_count.x.y);", "has no `x`", ""),
    ("print(json::parse(\"{}\").a.b);", "`b` is read from nothing", "?.b"),
    ("if vars.token_count { }", "must be true or false", "x != ()"),
    ("check(\"x\", 1);", "`check` takes true or false as `passed`, not an integer", "check(name, passed)"),
    ("throw \"no way\";", "no way", ""),
    ("print(data);", "there is no `data`", ""),
    ("let x = 1; x.push(2);", "no function `push`", ""),
    ("let x = 9223372036854775807; x += 1;", "overflow", ""),
    ("[1][5];", "index 5", ""),
];

#[test]
fn what_cannot_be_read_or_written_is_told() {
    let stage = Stage::new(Phase::Alone)
        .with_input("sso", Marked::plain("https://a.b".into()))
        .with_var("token_count", "1");
    for (script, said, help) in REFUSED {
        let (script, said, help) = (*script, *said, *help);
        let error = stage.breaks(script);
        assert!(error.message.contains(said), "{script}: {}", error.message);
        assert!(error.help.as_deref().unwrap_or_default().contains(help), "{script}: {:?}", error.help);
        assert_eq!(error.place.expect("it has a place").position().line, 4, "{script}");
    }
    // To call a method on an input is not to write it.
    assert_eq!(stage.prints("print(vars.sso.len());"), "11");
}

#[test]
fn a_response_is_read_like_an_object() {
    let stage = Stage::new(Phase::After).with_response(response(r#"{"items":[{"id":1}]}"#));
    for (expression, expected) in [
        ("response.status", "200"),
        ("response.headers[\"X-Request-ID\"]", "r-1"),
        ("response.headers.contains(\"x-none\")", "false"),
        ("response.headers[\"x-none\"] == ()", "true"),
        ("response.json.items[0].id", "1"),
        ("response.json.items.len()", "1"),
        ("response.body", r#"{"items":[{"id":1}]}"#),
        ("response.time_ms", "0"),
        ("response.url", "https://api.example.com/me?x=1"),
        ("reveal(response.cookies.sid)", "abcdef-123456"),
    ] {
        assert_eq!(stage.prints(&format!("fn f() {{ {expression} }} print(f());")), expected, "{expression}");
    }
    let error = stage.breaks("print(response[\"stat\" + \"uss\"]);");
    assert_eq!(error.message, "response has no `statuss`");
    let error = stage.breaks("response.status = 1;");
    assert_eq!(error.message, "`status` cannot be changed");
    let stage = Stage::new(Phase::After).with_response(response("<html>"));
    assert!(stage.breaks("response.json;").message.contains("is not JSON"));
}

#[test]
fn steps_tell_what_they_left() {
    let stage = Stage::new(Phase::Alone);
    let record = |id: &str, record| stage.host.scope.record_step(&id.into(), record);
    record(
        "login",
        StepRecord { response: Some(Arc::new(response("{\"a\":1}"))), outputs: None, verdict: "passed" },
    );
    let marks = Marks::secret("service_token".into());
    record(
        "used",
        StepRecord {
            response: None,
            outputs: Some(Arc::new(
                [("service_token".into(), Marked::new("tok-123456".into(), marks))].into(),
            )),
            verdict: "failed",
        },
    );
    let printed = stage.prints("print(`${steps.login.status} ${steps.login.json.a} ${steps.login.verdict} ${steps[\"used\"].verdict}`);");
    assert_eq!(printed, "200 1 passed failed");
    let ran = stage.done("let t = steps.used.outputs.service_token; vars.x = t;");
    assert_eq!(ran.marks.secret.as_deref(), Some("service_token"));
    assert!(stage.breaks("steps.logn;").help.expect("a help").contains("`login`"));
    assert!(stage.breaks("steps.used.status;").message.contains("got no response"));
    assert!(stage.breaks("steps.login.outputs;").message.contains("has no outputs"));
}

#[test]
fn a_script_ends_as_it_says_and_nothing_catches_that() {
    let stage = Stage::new(Phase::Before);
    for (call, ending) in [
        ("skip()", Ending::Skip),
        ("stop()", Ending::Stop),
        ("next(\"login\")", Ending::Next("login".to_owned())),
        ("fail(\"no \" + 1)", Ending::Fail("no 1".to_owned())),
    ] {
        let ran = stage.run(&format!(
            "fn f() {{\n{call};\n}}\ncheck(\"before\", true);\ntry {{ f(); }} catch {{ vars.caught = 1; }}\nvars.after = 1;"
        ));
        assert_eq!(ran.ending.expect("it is no error"), ending);
        assert_eq!(ran.checks.len(), 1, "{call}");
        assert!(ran.place.is_some(), "{call}");
        assert!(!stage.host.scope.has("caught") && !stage.host.scope.has("after"), "{call}");
    }
    assert_eq!(stage.run("return;").ending.expect("it runs"), Ending::Done);
    assert_eq!(stage.run("exit();").ending.expect("it runs"), Ending::Done);
}

#[test]
fn checks_are_collected_also_before_an_error() {
    let stage = Stage::new(Phase::After);
    let ran = stage.run("check(\"a\", 1 == 1);\ncheck(\"b\", 1 > 2);\nthrow \"x\";");
    let checks: Vec<(&str, bool, usize)> = ran
        .checks
        .iter()
        .map(|check| {
            let place = check.place.as_ref().expect("it has a place");
            (check.name.as_str(), check.passed, place.position().line)
        })
        .collect();
    assert_eq!(checks, [("a", true, 4), ("b", false, 5)]);
    assert!(ran.ending.is_err());
}

#[test]
fn an_error_of_ours_can_be_caught() {
    let stage = Stage::new(Phase::Alone);
    assert_eq!(stage.prints("try { vars.none; } catch (why) { print(why); }"), "there is no variable `none`");
}

#[test]
fn data_is_the_row_unless_the_script_has_its_own() {
    let stage = Stage::new(Phase::Alone).with_var("data", r#"{"user":"ann"}"#);
    assert_eq!(stage.prints("fn f() { data.user } print(f());"), "ann");
    assert_eq!(stage.prints("let data = 1; print(data);"), "1");
    assert_eq!(stage.prints("let response = 2; print(response);"), "2");
}

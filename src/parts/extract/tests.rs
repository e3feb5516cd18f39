//! How extracts are read, what they set, and what is told where they cannot.

use crate::ground::source::Source;
use crate::ground::yaml;
use crate::parts::select::tests::response;

use super::*;

fn read(yaml: &str) -> Result<Vec<Extract>, String> {
    let source = Source::text("t", yaml);
    let node = yaml::read(&source).map_err(|problem| problem.message)?;
    let reading = Reading::new(&source);
    let extracts = Extract::read_all(&node, &reading);
    let problems = reading.finish();
    assert!(extracts.is_some() || problems.has_errors(), "{yaml}");
    extracts.filter(|_| !problems.has_errors()).ok_or_else(|| problems.render(false))
}

const BODY: &str =
    r#"{"result":{"token":"abc","n":"42","f":2.0,"who":"ann","o":{"password":"p"}},"ids":[1,2]}"#;

fn run_in(yaml: &str, scope: &Scope) -> Result<Found, String> {
    let extract = read(yaml)?.remove(0);
    let headers = "location: /next\nset-cookie: lang=de";
    let mut wanted = Yield::default();
    extract.adds_to(&mut wanted);
    let answer = Answer::read(&response(200, headers, BODY), &std::sync::Arc::new(wanted));
    extract.run(&answer, scope).map_err(|error| error.message)
}

fn run(yaml: &str) -> Result<Marked<Value>, String> {
    match run_in(yaml, &Scope::default())? {
        Found::Value(found) => Ok(found),
        Found::Kept => Err("kept".to_owned()),
    }
}

#[test]
fn every_form_sets_its_value_in_its_type() {
    for (yaml, json) in [
        ("a: $.result.who", "\"ann\""),
        ("a: { json: $.result.who }", "\"ann\""),
        ("a: '$.ids'", "[1,2]"),
        ("a: { json_all: '$.ids[*]' }", "[1,2]"),
        ("a: { header: location }", "\"/next\""),
        ("a: { status: true }", "200"),
        ("a: \"{{ response.json.ids[0] + 1 }}\"", "2"),
        ("a: { json: $.result.n, type: int }", "42"),
        ("a: { json: $.result.f, type: int }", "2"),
        ("a: { json: $.result.n, type: float }", "42.0"),
        ("a: { json: $.result.n, type: number }", "42"),
        ("a: { json: $.ids, type: string }", "\"[1,2]\""),
        ("a: { regex: '\\[.*\\]', type: json }", "[1,2]"),
        ("a: { json: $.gone, default: [x, \"{{ 1 + 1 }}\"] }", "[\"x\",2]"),
        ("a: { json: $.gone, optional: true }", "null"),
    ] {
        let found = run(yaml).unwrap_or_else(|problem| panic!("{yaml}: {problem}"));
        assert_eq!(found.value.to_json(), json, "{yaml}");
    }
}

#[test]
fn a_secret_is_marked_under_the_variables_name() {
    for (yaml, secret) in [
        ("a: $.result.token", Some("a")),
        ("my_token: $.result.who", Some("my_token")),
        ("a: { json: $.result.who, secret: true }", Some("a")),
        ("a: { json: $.result.token, secret: false }", None),
        ("password: { json: $.result.who, secret: false }", None),
        ("a: { cookie: lang }", Some("a")),
        ("a: $.result.who", None),
        ("api_key: { json: $.gone, default: x }", Some("api_key")),
        ("api_key: { json: $.gone, optional: true }", None),
        ("api_key: \"{{ response.status }}\"", Some("api_key")),
    ] {
        let found = run(yaml).unwrap_or_else(|problem| panic!("{yaml}: {problem}"));
        assert_eq!(found.marks.secret.as_deref(), secret, "{yaml}");
    }
    assert!(run("a: $.result.who").is_ok_and(|found| found.marks.from_server));
    let open = run("password: { json: $.result.who, secret: false }");
    assert!(open.is_ok_and(|found| found.marks.from_server));
    assert!(run("a: \"{{ response.json.result.who }}\"").is_ok_and(|found| found.marks.from_server));
    assert!(run("a: { json: $.gone, default: x }").is_ok_and(|found| !found.marks.from_server));
}

#[test]
fn a_name_that_calls_its_value_a_token_takes_none_that_cannot_be_one() {
    for yaml in
        ["my_token: $.result.f", "userToken: { json: $.result.f }", "jwt: { json: $.result.f, secret: true }"]
    {
        let problem = run(yaml).map(|_| ()).expect_err(yaml);
        assert!(problem.contains("it is a number, and a token is a text"), "{yaml}: {problem}");
    }
    for yaml in [
        "my_token: { json: $.result.f, secret: false }",
        "a: { json: $.result.f, secret: true }",
        "password: $.result.f",
        "next_page_token: $.result.f",
    ] {
        assert!(run(yaml).is_ok_and(|found| found.value.to_json() == "2.0"), "{yaml}");
    }
}

#[test]
fn what_a_template_makes_with_a_secret_stays_one_whatever_is_said_of_the_variable() {
    let scope = Scope::default();
    let secret = Marked::new("abc".into(), Marks::secret("mine".into()));
    scope.set(&"mine".into(), secret).expect("no input");
    let Ok(Found::Value(found)) = run_in("a: \"x{{ mine }}\"", &scope) else {
        panic!("a value was expected");
    };
    assert_eq!(found.marks.secret.as_deref(), Some("a"));
}

#[test]
fn an_optional_value_that_is_not_there_leaves_the_variable_as_it_was() {
    let scope = Scope::default();
    scope.set(&"a".into(), Marked::plain("old".into())).expect("no input");
    assert!(matches!(run_in("a: { json: $.gone, optional: true }", &scope), Ok(Found::Kept)));
    let default = run_in("a: { json: $.gone, optional: true, default: new }", &scope);
    assert!(matches!(default, Ok(Found::Value(found)) if found.value.as_str() == Some("new")));
}

#[test]
fn what_cannot_be_extracted_is_told_without_secrets() {
    for (yaml, message) in [
        (
            "a: $.result.whom",
            "cannot extract `a`: `$.result.whom` found nothing: `$.result` is { token: string",
        ),
        ("a: { json: '$.ids[*]', optional: true }", "matches 2 values, not one"),
        ("a: { json: $.result.who, type: int }", "cannot extract `a`: \"ann\" is not a whole number"),
        ("a: { json: $.result.token, type: int }", "cannot extract `a`: «a» is not a whole number"),
        ("a: { json: $.result.o, type: int }", "cannot extract `a`: {\"password\":\"«password»\"} is not"),
        ("a: { json: $.result.who, type: bool }", "is not true or false"),
        ("a: \"{{ nosuch }}\"", "`nosuch` is not defined"),
    ] {
        let problem = run(yaml).map(|_| ()).expect_err(yaml);
        assert!(problem.contains(message), "{yaml}: {problem}");
    }
}

#[test]
fn every_mistake_is_found_when_it_is_read() {
    for (yaml, parts) in [
        ("a: result.token", vec!["neither a selector nor a template"]),
        ("1a: $.a\na-b: $.b\nä: $.c", vec!["`1a`", "`a-b`", "`ä`"]),
        ("response: $.a", vec!["has a meaning of its own"]),
        ("a: { json: $.a, collect: maybe }", vec!["`collect` must be true or false"]),
        ("a: { json: $.a, attribute: href }", vec!["`attribute` belongs to `css`, not to `json`"]),
        ("a: { optional: true }", vec!["has no selector"]),
        (
            "a: { json: $.a, type: text, secret: 1 }",
            vec!["`type` knows no `text`", "`secret` must be true or false"],
        ),
        ("a: { json: $.a, transform: x }", vec!["unknown key `transform`"]),
        ("[a]", vec!["must be a map"]),
        ("a:", vec!["has no value"]),
    ] {
        let problems = read(yaml).map(|_| ()).expect_err(yaml);
        for part in parts {
            assert!(problems.contains(part), "{yaml}: {problems}");
        }
    }
}

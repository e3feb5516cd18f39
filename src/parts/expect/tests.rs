//! How expectations are read, and what becomes of them.

use crate::ground::source::Source;
use crate::ground::yaml;
use crate::parts::select::tests::response;

use super::*;

fn read(yaml: &str) -> Result<Expectation, String> {
    let source = Source::text("t", yaml);
    let node = yaml::read(&source).map_err(|problem| problem.message)?;
    let reading = Reading::new(&source);
    let expectation = Expectation::read(&node, &reading);
    let problems = reading.finish();
    assert_eq!(expectation.is_none(), problems.has_errors(), "{yaml}");
    expectation.ok_or_else(|| problems.render(false))
}

fn check(yaml: &str, response: &std::sync::Arc<Response>) -> Vec<String> {
    let expectation = read(yaml).unwrap_or_else(|problem| panic!("{yaml}: {problem}"));
    let mut wanted = Yield::default();
    expectation.adds_to(&mut wanted);
    let answer = Answer::read(response, &std::sync::Arc::new(wanted));
    let mut checks: Vec<_> = expectation.check_status(response, Tell::All).into_iter().collect();
    let rest = expectation.check_rest(&answer, &Scope::default(), Tell::All);
    checks.extend(rest.expect("no template fails"));
    let line = |check: &Check| {
        let verdict = if check.passed { "+" } else { "-" };
        format!("{verdict} {} | {} | {}", check.what, check.expected, check.actual)
    };
    checks.iter().map(line).collect()
}

const HEADERS: &str = "content-type: application/json\nx-left: 7";
const BODY: &str = r#"{"result":{"expiresIn":30,"accessToken":"abc"},"items":[{"id":1},{"id":2}],"none":[]}"#;

#[test]
fn every_expectation_is_judged_and_named_as_the_user_wrote_it() {
    let response = response(201, HEADERS, BODY);
    for (yaml, line) in [
        ("{ status: 2xx }", "+ status | 2xx | 201 Created"),
        ("{ status: [200, 204] }", "- status | [200, 204] | 201 Created"),
        (
            "{ headers: { Content-Type: { starts_with: application/json } } }",
            "+ header Content-Type | starts with \"application/json\" | \"application/json\"",
        ),
        ("{ headers: { x-left: 7 } }", "+ header x-left | equals \"7\" | \"7\""),
        ("{ headers: { x-gone: absent } }", "+ header x-gone | absent | the answer has content-type, x-left"),
        ("{ json: { $.result.expiresIn: { gt: 60 } } }", "- $.result.expiresIn | > 60 | 30"),
        ("{ json: { $.result.accessToken: present } }", "+ $.result.accessToken | present | «accessToken»"),
        (
            "{ json: { $.error: absent } }",
            "+ $.error | absent | `$` is { result: { expiresIn: int, accessToken: string }, items: [2 × { id: int }], none: [] }",
        ),
        ("{ json: { '$.items[*].id': 1 } }", "- $.items[*].id | equals 1 | matches 2 values, not one"),
        ("{ json_all: { '$.items[*].id': [1, 2] } }", "+ json_all $.items[*].id | equals [1,2] | [1,2]"),
        ("{ json_all: { '$.none[*]': absent } }", "+ json_all $.none[*] | absent | no match"),
        ("{ json_all: { '$.none[*]': { length: 0 } } }", "+ json_all $.none[*] | length equals 0 | []"),
        ("{ regex: { 'expiresIn\":(\\d+)': 30 } }", "+ regex /expiresIn\":(\\d+)/ | equals \"30\" | \"30\""),
        ("{ time: { lt: 1s } }", "+ time | < 1s | 0µs"),
        ("{ size: { lt: 1KiB } }", "+ size | < 1KiB | 85 bytes"),
        ("{ size: 3 }", "- size | equals 3 | 85 bytes"),
        ("{ cookies: { lang: absent } }", "+ cookie lang | absent | the answer sets no cookie"),
        (
            "{ tls: { expires_in: { gt: 14d } } }",
            "- tls expires_in | > 14d | there is no certificate: the answer came over http://",
        ),
        (
            "{ that: \"{{ response.json.items | length == 2 }}\" }",
            "+ {{ response.json.items | length == 2 }} | true | true",
        ),
        ("{ that: [\"{{ response.status > 300 }}\"] }", "- {{ response.status > 300 }} | true | false"),
        (
            "{ that: \"{{ response.status }}\" }",
            "- {{ response.status }} | true | 201, a number, not true or false",
        ),
    ] {
        assert_eq!(check(yaml, &response), [line], "{yaml}");
    }
}

#[test]
fn a_body_is_judged_as_text_and_shown_without_its_secrets() {
    let lines = check("{ body: { contains: expires } }", &response(200, HEADERS, BODY));
    assert!(lines[0].starts_with("+ body | contains \"expires\" | "), "{lines:?}");
    assert!(lines[0].contains("«accessToken»") && !lines[0].contains("abc"), "{lines:?}");
    let empty = response(204, "", "");
    assert_eq!(check("{ body: absent }", &empty), ["+ body | absent | the body is empty"]);
    assert_eq!(check("{ body: { empty: true } }", &empty), ["+ body | empty | \"\""]);
    assert_eq!(check("{ body: present }", &response(200, "", "x")), ["+ body | present | \"x\""]);
}

#[test]
fn all_failures_are_told_in_the_order_of_the_text_after_the_status() {
    let yaml = "body: x\njson: { $.a: 1, $.b: 2 }\nstatus: 200\nheaders: { h: 1 }\n";
    let lines = check(yaml, &response(500, "", "{\"a\":2}"));
    let names: Vec<_> = lines.iter().filter_map(|line| line.split(" | ").next()).collect();
    assert_eq!(names, ["- status", "- body", "- $.a", "- $.b", "- header h"]);
}

#[test]
fn without_a_word_of_it_a_status_from_400_on_fails() {
    let nothing = Expectation::none(Span::new(3, 5));
    assert_eq!(nothing.check_status(&response(399, "", ""), Tell::All), None);
    let check = nothing.check_status(&response(401, "", ""), Tell::All).expect("a check");
    assert_eq!((check.passed, check.span), (false, Span::new(3, 5)));
    assert_eq!((check.expected.as_str(), check.actual.as_str()), ("below 400", "401 Unauthorized"));
    let asked = read("{ status: any }").expect("an expectation");
    assert!(asked.check_status(&response(503, "", ""), Tell::All).is_some_and(|check| check.passed));
}

#[test]
fn a_template_that_fails_is_an_error_and_no_check() {
    let expectation = read("{ json: { $.a: \"{{ nosuch }}\" } }").expect("an expectation");
    let answer = Answer::read(&response(200, "", "{\"a\":1}"), &std::sync::Arc::default());
    assert!(expectation.check_rest(&answer, &Scope::default(), Tell::All).is_err());
}

#[test]
fn an_absence_does_not_hold_of_what_is_no_json() {
    let html = response(200, "content-type: text/html", "<html>");
    assert!(check("{ json: { $.error: absent } }", &html)[0].starts_with('-'));
    assert!(check("{ json: { $.error: absent } }", &response(204, "", ""))[0].starts_with('+'));
}

#[test]
fn every_mistake_is_found_when_it_is_read() {
    for (yaml, parts) in [
        ("{ stats: 200 }", vec!["did you mean `status`?"]),
        ("{ schema: a.json }", vec!["`a.json` cannot be read: there is no such file"]),
        ("{ size: { lt: 10KB } }", vec!["`10KB` is not a size"]),
        ("{ tls: {} }", vec!["`expect.tls` expects nothing"]),
        ("{ tls: { expires_in: { gt: soon } } }", vec!["`soon` is not a duration"]),
        ("{ jwt: { from: $.a } }", vec!["`expect.jwt` expects nothing of the token"]),
        ("{ jwt: { claims: { a: 1 } } }", vec!["`expect.jwt` has no `from`"]),
        ("{ jwt: { from: $.a, verify: {} } }", vec!["`verify` takes one of `jwks` and `key`"]),
        ("{ jwt: { from: $.a, verify: { jwks: a, key: b } } }", vec!["`verify` takes one of"]),
        ("{ jwt: { from: $.a, verify: { jwks: gone.json } } }", vec!["`gone.json` cannot be read"]),
        ("{ that: 'a > 1' }", vec!["is not an expression"]),
        (
            "{ json: { a.b: 1, '$.c-': 2 }, time: { lt: soon } }",
            vec!["`a.b` is not a JSON path", "`$.c-`", "`soon` is not a duration"],
        ),
        ("{ headers: { 'a b': 1 } }", vec!["name of a header"]),
        ("200", vec!["must be a map"]),
    ] {
        let problems = read(yaml).map(|_| ()).expect_err(yaml);
        for part in parts {
            assert!(problems.contains(part), "{yaml}: {problems}");
        }
    }
}

#[test]
fn a_check_is_written_without_its_place() {
    let check = Expectation::default().check_status(&response(404, "", ""), Tell::All).expect("a check");
    let json = serde_json::to_string(&check).expect("plain data");
    assert_eq!(json, r#"{"what":"status","passed":false,"expected":"below 400","actual":"404 Not Found"}"#);
}

#[test]
fn markup_is_judged_as_the_text_that_it_holds() {
    let xml = response(200, "", "<r><n>3</n><n>4</n><ok/></r>");
    for (yaml, line) in [
        ("{ xpath: { count(//n): 2 } }", "+ xpath count(//n) | equals \"2\" | \"2\""),
        ("{ xpath: { '//n[1]': { gte: 3 } } }", "+ xpath //n[1] | >= 3 | \"3\""),
        ("{ xpath: { //gone: absent } }", "+ xpath //gone | absent | the document is <r> of n, ok"),
        ("{ xpath: { //n: present } }", "- xpath //n | present | matches 2 nodes, not one"),
        ("{ xpath: { boolean(//ok): true } }", "+ xpath boolean(//ok) | equals \"true\" | \"true\""),
    ] {
        assert_eq!(check(yaml, &xml), [line], "{yaml}");
    }
    let html = response(200, "content-type: text/html", "<a class=next href='/2'>more</a>");
    for (yaml, line) in [
        ("{ css: { a.next @href: /2 } }", "+ css a.next @href | equals \"/2\" | \"/2\""),
        ("{ css: { a.next: more } }", "+ css a.next | equals \"more\" | \"more\""),
        ("{ css: { '.error': absent } }", "+ css .error | absent | the body is HTML, 32 bytes"),
        (
            "{ css: { \"a[href='/ @x']\": absent } }",
            "+ css a[href='/ @x'] | absent | the body is HTML, 32 bytes",
        ),
    ] {
        assert_eq!(check(yaml, &html), [line], "{yaml}");
    }
}

#[test]
fn a_certificate_is_judged_by_the_time_that_is_left() {
    let mut answer = std::sync::Arc::into_inner(response(200, "", "")).expect("nobody else has it");
    let now = crate::ground::clock::Clock::system().now_seconds();
    answer.certificate =
        Some(crate::parts::http::message::Certificate { not_after: now + 86_400 * 13 + 3_605 });
    let answer = std::sync::Arc::new(answer);
    let line = "- tls expires_in | > 14d | 13d 1h";
    assert_eq!(check("{ tls: { expires_in: { gt: 14d } } }", &answer), [line]);
    assert!(check("{ tls: { expires_in: { gt: 3600 } } }", &answer)[0].starts_with('+'));
}

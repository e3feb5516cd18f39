//! How selectors are read, what they find, and what is told where they find nothing.

use bytes::Bytes;
use proptest::prelude::*;
use reqwest::header::{HeaderMap, HeaderValue};
use url::Url;

use crate::ground::secret::Needles;
use crate::ground::source::Source;
use crate::ground::yaml;

use super::*;

/// An answer to judge: headers as `name: value` lines.
pub(crate) fn response(status: u16, headers: &str, body: &str) -> Arc<Response> {
    let mut map = HeaderMap::new();
    for line in headers.lines() {
        let (name, value) = line.split_once(": ").expect("a header line");
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a header name");
        map.append(name, HeaderValue::from_str(value).expect("a header value"));
    }
    let url = Url::parse("http://localhost/").expect("a URL");
    Arc::new(Response::new(status, map, Bytes::from(body.to_owned()), url))
}

pub(crate) fn read(yaml: &str) -> Result<Selector, String> {
    let source = Source::text("t", yaml);
    let node = yaml::read(&source).map_err(|problem| problem.message)?;
    let reading = Reading::new(&source);
    let selector = Selector::read(&node, &reading, "extract");
    let problems = reading.finish().0;
    assert!(problems.len() <= 1, "{yaml}: {problems:?}");
    selector.filter(|_| problems.is_empty()).ok_or_else(|| {
        let problem = &problems[0];
        let column = problem.place.as_ref().map_or(0, |place| place.position().column);
        format!("{column}: {} ({})", problem.message, problem.help.as_deref().unwrap_or_default())
    })
}

fn find(yaml: &str, response: &Arc<Response>) -> Result<String, String> {
    let selector = read(yaml)?;
    let mut wanted = Yield::default();
    wanted.add(&selector);
    let answer = Answer::read(response, &std::sync::Arc::new(wanted));
    let text = |missing: Missing| {
        let help = missing.help.clone().map_or(String::new(), |help| format!(" ({help})"));
        format!("{}{help}", missing.text(&Needles::default()))
    };
    selector.find(&answer).map(|value| value.to_json()).map_err(text)
}

const JSON: &str = r#"{"type":"result","result":{"token":"abc","ids":[1,2]},"items":[],"z":null}"#;

#[test]
fn each_selector_finds_its_value() {
    let headers = "content-type: application/json\nx-a: 1\nx-a: 2\nset-cookie: sid=s1; Path=/";
    let response = response(201, headers, JSON);
    for (yaml, value) in [
        ("$.result.token", "\"abc\""),
        ("{ json: $.z }", "null"),
        ("'$.result.ids[-1]'", "2"),
        ("$..token", "\"abc\""),
        ("{ json_all: '$.result.ids[*]' }", "[1,2]"),
        ("{ json_all: $.type }", "[\"result\"]"),
        ("{ json_all: '$.items[*].id' }", "[]"),
        ("{ header: X-A }", "\"1, 2\""),
        ("{ cookie: sid }", "\"s1\""),
        ("{ status: true }", "201"),
        ("{ regex: 'token\":\"(\\w+)' }", "\"abc\""),
        ("{ regex: 're[a-z]+' }", "\"result\""),
    ] {
        assert_eq!(find(yaml, &response).as_deref(), Ok(value), "{yaml}");
    }
}

#[test]
fn what_is_missing_is_told_with_the_shape_of_what_came() {
    let headers = "content-type: application/json\nx-rate: 1\nset-cookie: sid=s1";
    let response = response(200, headers, JSON);
    for (yaml, message) in [
        (
            "$.result.tokn",
            "`$.result.tokn` found nothing: `$.result` is { token: string, ids: [2 × int] } (did you mean `token`?)",
        ),
        ("'$.result.ids[5]'", "`$.result.ids[5]` found nothing: `$.result.ids` is [2 × int]"),
        ("$.type.x", "`$.type.x` found nothing: `$.type` is string"),
        (
            "'$.result.idz[*]'",
            "`$.result.idz[*]` found nothing: `$.result` is { token: string, ids: [2 × int] } (did you mean `ids`?)",
        ),
        (
            "'$.result.ids[*]'",
            "`$.result.ids[*]` matches 2 values, not one (`json_all: $.result.ids[*]` gives all of them as a list, a narrower path gives one)",
        ),
        (
            "{ json_all: '$.itemz[*].id' }",
            "`$.itemz[*].id` found nothing: `$` is { type: string, result: { token: string, ids: [2 × int] }, items: [], z: null } (did you mean `items`?)",
        ),
        (
            "{ header: x-rat }",
            "`header x-rat` found nothing: the answer has content-type, x-rate, set-cookie (did you mean `x-rate`?)",
        ),
        ("{ cookie: lang }", "`cookie lang` found nothing: the answer sets sid"),
        (
            "{ regex: 'nope' }",
            "`regex /nope/` found nothing: the body is application/json, 74 bytes: `{\"type\":\"result\",\"result\":{\"token\":\"«tok…`",
        ),
    ] {
        assert_eq!(find(yaml, &response), Err(message.to_owned()), "{yaml}");
    }
}

#[test]
fn a_body_that_is_not_json_is_told_for_what_it_is() {
    let html = "<!DOCTYPE html><title>Sign in</title><body>please</body></html>";
    for (headers, body, message) in [
        (
            "content-type: text/html; charset=utf-8",
            html,
            "the body is not JSON; the body is HTML, 63 bytes, title `Sign in`",
        ),
        ("", "<html></html>", "the body is not JSON; the body is HTML, 13 bytes"),
        (
            "content-type: text/plain",
            "no\n\x1b[2Jway",
            "the body is not JSON; the body is text/plain, 10 bytes: `no \\x1b[2Jway`",
        ),
        (
            "content-type: text/plain",
            "token=abcdef&x=1",
            "the body is not JSON; the body is text/plain, 16 bytes: `token=«token»&x=1`",
        ),
        (
            "content-type: application/json",
            "{\"a\":",
            "the body is not JSON; EOF while parsing a value at line 1 column 5; the body is application/json, 5 bytes: `{\"a\":`",
        ),
        ("", "", "the body is empty"),
        ("", " \n", "the body is empty"),
    ] {
        let found = find("$.a", &response(200, headers, body));
        assert_eq!(found, Err(format!("`$.a` found nothing: {message}")), "{body}");
    }
}

#[test]
fn a_selector_that_is_wrong_is_told_at_its_place() {
    for (yaml, message) in [
        ("result.token", "1: `result.token` is not a selector"),
        ("{ jsn: $.a }", "3: unknown key `jsn`"),
        ("{ xpath: //a }", "3: `xpath` is not supported yet"),
        ("{ json: a.b }", "9: `a.b` is not a JSON path"),
        ("{ json: $.a.b- }", "14: `$.a.b-` is not a JSON path"),
        ("{ json: '$[?@.a ==]' }", "is not a JSON path"),
        ("'$.{{ name }}'", "a selector holds no template"),
        ("{ json: $.a, header: b }", "14: two selectors: `header` beside `json`"),
        ("{ status: false }", "11: `status` is selected by `status: true`"),
        ("{ header: 'a b' }", "cannot be the name of a header"),
        ("{ cookie: 'a=b' }", "cannot be the name of a cookie"),
        ("{ regex: '(' }", "unclosed group"),
        ("{}", "has no selector"),
        ("[]", "must be a map"),
        ("{ json: }", "has no value"),
    ] {
        let problem = read(yaml).map(|selector| selector.to_string()).expect_err(yaml);
        assert!(problem.contains(message), "{yaml}: {problem}");
    }
    let deep = format!("'$[?{}@.a{}]'", "(".repeat(2000), ")".repeat(2000));
    assert!(read(&deep).is_err());
}

#[test]
fn what_is_a_secret_by_its_name_or_form_is_marked() {
    let jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln";
    for (yaml, value, name) in [
        ("$.result.accessToken", "abc", Some("accessToken")),
        ("'$.tokens[0].password'", "abc", Some("password")),
        ("$..refresh_token", "abc", Some("refresh_token")),
        ("\"$.items[?@.a == 1]['api_key']\"", "abc", Some("api_key")),
        ("{ cookie: lang }", "de", Some("lang")),
        ("{ header: Set-Cookie }", "a=b", Some("Set-Cookie")),
        ("{ header: x-api-key }", "abc", Some("x-api-key")),
        ("{ regex: 'access_token=(\\w+)' }", "abc", Some("regex")),
        ("$.id", jwt, Some("id")),
        ("$.token_type", "bearer", None),
        ("$.password", "", None),
        ("{ header: location }", "/", None),
    ] {
        let selector = read(yaml).unwrap_or_else(|problem| panic!("{yaml}: {problem}"));
        let marks = selector.marks(&value.into());
        assert_eq!(marks.secret.as_deref(), name, "{yaml}");
        assert!(marks.from_server);
    }
}

proptest! {
    #[test]
    fn no_text_breaks_a_selector(text in "\\PC{0,20}|\\$[.?@*a0'\\[\\]():,= -]{0,16}") {
        let source = Source::text("t", text.as_str());
        let scalar = Scalar { text: text.as_str().into(), span: crate::ground::source::Span::new(0, text.len()), style: yaml::Style::Plain };
        let response = response(200, "", JSON);
        for read in [Selector::json, Selector::json_all, Selector::header, Selector::cookie, Selector::regex] {
            let reading = Reading::new(&source);
            if let Some(selector) = read(&scalar, &reading) {
                let mut wanted = Yield::default();
                wanted.add(&selector);
                let answer = Answer::read(&response, &std::sync::Arc::new(wanted));
                let _ = selector.find(&answer).map(|value| selector.marks(&value)).map_err(|missing| missing.text(&Needles::default()));
            }
            let _ = reading.finish().render(false);
        }
    }
}

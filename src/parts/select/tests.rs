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
        ("{ time: true }", "0"),
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
        ("{ xpath: '//a[' }", "`//a[` is not an XPath"),
        ("{ xpath: 'nosuch(1)' }", "unknown function: nosuch"),
        ("{ xpath: '$a' }", "unbound variable"),
        ("{ xpath: \"//{{ a }}\" }", "a selector holds no template"),
        ("{ css: 'a[' }", "`a[` is not a CSS selector"),
        ("{ css: 'a:hover' }", "is not a CSS selector"),
        ("{ css: a, attribute: 'a b' }", "cannot be the name of an attribute"),
        ("{ header: a, attribute: b }", "`attribute` belongs to `css`, not to `header`"),
        ("{ link: 'next prev' }", "cannot be the relation of a link"),
        ("{ body: json }", "`body` knows no `json`"),
        ("{ time: 5 }", "`time` is selected by `time: true`"),
        ("{ jwt: { claim: exp } }", "`jwt` has no `from`"),
        ("{ jwt: { from: token } }", "`token` is not a selector"),
        ("{ jwt: { from: $.a, claims: b } }", "did you mean `claim`?"),
        ("{ json: a.b }", "9: `a.b` is not a JSON path"),
        ("{ json: $.a.b- }", "14: `$.a.b-` is not a JSON path"),
        ("{ json: '$[?@.a ==]' }", "is not a JSON path"),
        (r"{ json: '$[''a\u' }", r"`\u` wants four hexadecimal digits"),
        (r"{ json: '$[''a\uD8' }", r"`\u` wants four hexadecimal digits"),
        (r"{ json: '$[''\uD834\uD' }", r"`\u` wants four hexadecimal digits"),
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
        ("{ xpath: //access_token }", "abc", Some("xpath")),
        ("{ css: 'input[name=csrf_token]', attribute: value }", "abc", Some("css")),
        ("{ css: 'input', attribute: data-password }", "abc", Some("css")),
        ("{ css: 'input[name=csrf]', attribute: value }", "abc", None),
        ("{ jwt: { from: $.access_token, claim: sub } }", "ann", None),
        ("{ jwt: { from: $.access_token, claim: a.client_secret } }", "ann", Some("client_secret")),
        ("{ body: text }", "abc", None),
        ("{ link: next }", "http://a/?token=b", None),
    ] {
        let selector = read(yaml).unwrap_or_else(|problem| panic!("{yaml}: {problem}"));
        let marks = selector.marks(&value.into());
        assert_eq!(marks.secret.as_deref(), name, "{yaml}");
        assert!(marks.from_server);
    }
}

const SOAP: &str = r#"<?xml version="1.0"?>
<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" xmlns="urn:shop">
  <soap:Body><GetPriceResponse currency="EUR"><Price>1.90</Price><Item id="1">Apples &amp; pears</Item>
  <Item id="2"><![CDATA[<b>]]></Item></GetPriceResponse></soap:Body>
</soap:Envelope>"#;

#[test]
fn xpath_finds_its_one_node_in_xml() {
    let answer = response(200, "content-type: text/xml; charset=utf-8", SOAP);
    for (xpath, json) in [
        ("//soap:Body/*/@currency", "\"EUR\""),
        ("//*[local-name()='Price']", "\"1.90\""),
        ("//*[local-name()='Item'][@id='1']", "\"Apples & pears\""),
        ("//*[local-name()='Item'][2]/text()", "\"<b>\""),
        ("(//*[local-name()='Item'])[1]/@id", "\"1\""),
        ("count(//*[local-name()='Item'])", "2"),
        ("number(//*[local-name()='Price']) * 2", "3.8"),
        ("//*[local-name()='Price'] = '1.90'", "true"),
        ("name(/*)", "\"Envelope\""),
        ("concat(//@currency, '!')", "\"EUR!\""),
        ("//*[local-name()='Item'][last()]/preceding-sibling::*[1]/@id", "\"1\""),
        ("namespace-uri(//soap:Body)", "\"http://schemas.xmlsoap.org/soap/envelope/\""),
    ] {
        let found = find(&format!("{{ xpath: \"{xpath}\" }}"), &answer);
        assert_eq!(found.as_deref(), Ok(json), "{xpath}");
    }
    for (xpath, message) in [
        ("//soap:Fault", "found nothing: the document is <Envelope> of Body"),
        ("//Price", "its elements have a namespace"),
        ("//soup:Body", "did you mean `soap`?"),
        ("//other:Body", "the document declares no prefix `other`"),
        (
            "//*[local-name()='Item']",
            "matches 2 nodes, not one (`(//*[local-name()='Item'])[1]` is the first",
        ),
        ("number(//soap:Body/x)", "what came of it is NaN, not a number"),
    ] {
        let problem = find(&format!("{{ xpath: \"{xpath}\" }}"), &answer).expect_err(xpath);
        assert!(problem.contains(message), "{xpath}: {problem}");
    }
}

const PAGE: &str = "<!DOCTYPE html><html><head><title>Sign in</title></head><body>
<form><input name=csrf value=abc123 type=hidden><input name=user></form>
<p id=greeting>Good   <b>mor</b>ning,<br>Ann</p><ul><li>1<li>2</ul></body></html>";

#[test]
fn css_and_xpath_find_their_one_element_in_a_page() {
    let answer = response(200, "content-type: text/html", PAGE);
    for (yaml, json) in [
        ("{ css: 'input[name=csrf]', attribute: value }", "\"abc123\""),
        ("{ css: '#greeting' }", "\"Good morning, Ann\""),
        ("{ css: title }", "\"Sign in\""),
        ("{ css: 'li:nth-child(2)' }", "\"2\""),
        ("{ css: 'p:has(b)', attribute: id }", "\"greeting\""),
        ("{ xpath: '//input[@name=\"csrf\"]/@value' }", "\"abc123\""),
        ("{ xpath: count(//li) }", "2"),
    ] {
        assert_eq!(find(yaml, &answer).as_deref(), Ok(json), "{yaml}");
    }
    for (yaml, message) in [
        ("{ css: 'input[name=csrv]', attribute: value }", "the body is HTML, 217 bytes, title `Sign in`"),
        ("{ css: li }", "matches 2 elements, not one"),
        ("{ css: 'input[name=csrf]' }", "an <input> has no text (name the attribute that is wanted"),
        ("{ css: '#greeting', attribute: ids }", "the <p> has id (did you mean `id`?)"),
        ("{ xpath: //h1 }", "the document is <html> of head, body"),
    ] {
        let problem = find(yaml, &answer).expect_err(yaml);
        assert!(problem.contains(message), "{yaml}: {problem}");
    }
}

#[test]
fn what_is_neither_xml_nor_html_is_told_for_what_it_is() {
    let json = response(200, "content-type: application/json", JSON);
    for yaml in ["{ css: a }", "{ xpath: //a }"] {
        let problem = find(yaml, &json).expect_err(yaml);
        assert!(problem.contains("; the body is application/json, 74 bytes"), "{problem}");
        assert!(!problem.contains("abc"), "{problem}");
        let empty = find(yaml, &response(200, "", " ")).expect_err(yaml);
        assert!(empty.contains("the body is empty"), "{empty}");
    }
    let broken = find("{ xpath: //a }", &response(200, "", "<a><b></a>")).expect_err("not well-formed");
    assert!(broken.contains("cannot be read as XML: expected 'b' tag, not 'a'"), "{broken}");
}

#[test]
fn a_hostile_document_is_an_error_and_not_the_end() {
    let bomb = "<!DOCTYPE a [<!ENTITY b 'x'><!ENTITY c '&b;&b;'>]><a>&c;</a>".to_owned();
    let deep = format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000));
    let page = format!("<html>{}", "<div>".repeat(100_000));
    for (body, why) in
        [(bomb, "it has a DTD"), (deep, "nested more than 512"), (page, "nested more than 512")]
    {
        let problem = find("{ xpath: //a }", &response(200, "", &body)).expect_err(why);
        assert!(problem.contains(why), "{problem}");
    }
    let wide = format!("<a>{}</a>", "<b>1</b>".repeat(20_000));
    let slow = "{ xpath: '//b[count(preceding::b) = count(following::b) + count(//b)]' }";
    let problem = find(slow, &response(200, "", &wide)).expect_err("too much work");
    assert!(problem.contains("looks at too much of the document"), "{problem}");
}

#[test]
fn an_expression_as_long_as_is_allowed_needs_little_stack() {
    let answer = response(200, "", "<a/>");
    let sum = format!("{{ xpath: '1{}' }}", "+1".repeat(499));
    assert_eq!(find(&sum, &answer).as_deref(), Ok("500"));
    for long in ["(".repeat(900), "-".repeat(900), "not(".repeat(200), "a[".repeat(400)] {
        let yaml = format!("{{ xpath: '{long}1' }}");
        assert!(read(&yaml).is_err(), "{yaml}");
        assert!(read(&format!("{{ css: '{}' }}", ":not(".repeat(190))).is_err());
    }
}

#[test]
fn a_claim_of_a_token_is_found_wherever_the_token_is() {
    let jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4iLCJyb2xlIjp7ImEiOlsxXX19.c2ln";
    let body = format!(r#"{{"access_token":"{jwt}","other":"x","n":1}}"#);
    let answer = response(200, &format!("authorization: Bearer {jwt}"), &body);
    for (yaml, json) in [
        ("{ jwt: { from: $.access_token, claim: sub } }", "\"ann\""),
        ("{ jwt: { from: $.access_token, claim: role.a } }", "[1]"),
        ("{ jwt: { from: $.access_token } }", r#"{"sub":"ann","role":{"a":[1]}}"#),
        ("{ jwt: { from: { header: authorization }, claim: sub } }", "\"ann\""),
    ] {
        assert_eq!(find(yaml, &answer).as_deref(), Ok(json), "{yaml}");
    }
    for (yaml, message) in [
        (
            "{ jwt: { from: $.access_token, claim: su } }",
            "the claims are { sub: string, role: { a: [1 × int] } } (did you mean `sub`?)",
        ),
        ("{ jwt: { from: $.other, claim: sub } }", "`$.other` found nothing: what stands there is not a JWT"),
        ("{ jwt: { from: $.n } }", "what stands there is not a JWT"),
        ("{ jwt: { from: $.gone } }", "`$.gone` found nothing"),
    ] {
        let problem = find(yaml, &answer).expect_err(yaml);
        assert!(problem.contains(message), "{yaml}: {problem}");
    }
}

proptest! {
    #[test]
    fn no_text_breaks_a_selector(text in "\\PC{0,20}|\\$[.?@*a0'\\[\\]():,= -]{0,16}") {
        let source = Source::text("t", text.as_str());
        let scalar = Scalar { text: text.as_str().into(), span: crate::ground::source::Span::new(0, text.len()), style: yaml::Style::Plain };
        let response = response(200, "", JSON);
        for read in [Selector::json, Selector::json_all, Selector::header, Selector::cookie, Selector::regex, Selector::xpath, Selector::css] {
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

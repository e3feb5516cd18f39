//! What an answer must be: each expectation through the engine, and how a failure is told.

use reqchain::ground::jws;
use reqchain::ground::value::Value;
use reqchain::parts::expect::Check;
use reqchain::running::Cause;

use crate::scenario::{NOW_MS, Ran, Reply, Scenario, says};

/// One request whose answer is `reply`, and what is expected of it.
fn expecting(expect: &str, reply: impl Fn() -> Reply + Send + Sync + 'static) -> Scenario {
    let yaml = format!("steps:\n  - request: GET {{{{ base }}}}/\n    expect: {expect}\n");
    Scenario::new(&yaml).on("GET /", move |_| reply())
}

fn typed(media: &str, body: impl Into<Vec<u8>>) -> Reply {
    Reply::status(200).with_body(body).header("content-type", media)
}

/// The checks that failed: what, expected, actual.
fn failed(ran: &Ran) -> Vec<String> {
    let told = |check: Check| format!("{} | {} | {}", check.what, check.expected, check.actual);
    ran.checks().into_iter().filter(|check| !check.passed).map(told).collect()
}

const PERSON: &str = r#"{
  "type": "object",
  "required": ["id", "email"],
  "properties": {
    "id": { "type": "integer" },
    "email": { "type": "string", "format": "email" },
    "password": { "type": "integer" },
    "tags": { "type": "array", "items": { "$ref": "parts/tag.json#/$defs/tag" } }
  }
}"#;
const TAG: &str = r#"{ "$defs": { "tag": { "enum": ["a", "b"] } } }"#;

#[test]
fn each_violation_of_a_schema_is_a_check_with_its_place() {
    let scenario = |body: &'static str| {
        expecting("{ schema: person.json }", move || Reply::json(body))
            .file("person.json", PERSON)
            .file("parts/tag.json", TAG)
    };
    scenario(r#"{"id":1,"email":"a@b.cd","tags":["a"]}"#).run().passed();
    let ran = scenario(r#"{"id":"x","email":"nope","password":"hunter22","tags":["a","c"]}"#).run();
    ran.fails_with(Cause::CheckFailed);
    let mut told = failed(&ran);
    told.sort();
    assert_eq!(
        told,
        [
            "schema person.json $.email | format: value is not a \"email\" | \"nope\"",
            "schema person.json $.id | type: value is not of type \"integer\" | \"x\"",
            "schema person.json $.password | type: value is not of type \"integer\" | «password»",
            "schema person.json $.tags[1] | enum: value is not one of \"a\" or \"b\" | \"c\"",
        ]
    );
    let ran = scenario("no").run();
    ran.fails_with(Cause::CheckFailed);
    assert!(failed(&ran)[0].contains("the body is not JSON"), "{:?}", failed(&ran));
}

#[test]
fn of_a_thousand_violations_twenty_are_told() {
    let body = format!("[{}1]", "1,".repeat(999));
    let ran = expecting("{ schema: s.json }", move || Reply::json(body.clone()))
        .file("s.json", r#"{ "items": { "type": "string" } }"#)
        .run();
    ran.fails_with(Cause::CheckFailed);
    assert_eq!(failed(&ran).len(), 21);
    assert_eq!(failed(&ran)[20], "schema s.json | valid | 980 more violations");
}

/// A pattern is linear (S70).
#[test]
fn a_pattern_without_end_ends() {
    let body = format!("\"{}\"", "a".repeat(10_000));
    let ran = expecting("{ schema: s.json }", move || Reply::json(body.clone()))
        .file("s.json", r#"{ "pattern": "^(a+)+(?=b)$" }"#)
        .run();
    ran.fails_with(Cause::CheckFailed);
}

/// A pattern of ten thousand states is not searched for in a large text (S70).
#[test]
fn a_pattern_that_would_take_too_long_is_an_error_wherever_it_stands() {
    let told = vec!["would take too long in a text of 100000", "repeat less of what repeats itself"];
    for step in [
        "extract: { x: { regex: '(a{1,100}){1,100}b' } }",
        "expect: { body: { matches: '(a{1,100}){1,100}b' } }",
        "expect: { body: { not: { matches: '(a{1,100}){1,100}b' } } }",
        "extract: { x: \"{{ response.json[0] | regex_find('(a{1,100}){1,100}b') }}\" }",
        "extract: { x: \"{{ response.json[0] | regex_replace('(a{1,100}){1,100}b', '') }}\" }",
        "extract: { x: { json_all: \"$[?search(@, '(a{1,100}){1,100}b')]\" } }",
        "extract: { x: { json_all: \"$[?match(@, @)]\" } }",
        "expect: { schema: s.json }",
        "expect: { schema: own.json }",
        "after: regex::find(response.body, \"(a{1,100}){1,100}b\")",
        "after: regex::replace(response.body, \"(a{1,100}){1,100}b\", \"\")",
    ] {
        let yaml = format!("steps:\n  - request: GET {{{{ base }}}}/\n    {step}\n");
        let body = || format!("[\"{}\"]", "a".repeat(1_000_000));
        let schema = r#"{ "items": { "$ref": "parts.json#/$defs/x" } }"#;
        let parts = r#"{ "$defs": { "x": { "pattern": "(a{1,100}){1,100}b" } } }"#;
        let own = r#"{ "items": { "pattern": "(a{1,100}){1,100}b" } }"#;
        let scenario = Scenario::new(&yaml).file("s.json", schema).file("parts.json", parts);
        let scenario = scenario.file("own.json", own);
        let ran = scenario.on("GET /", move |_| Reply::json(body())).run();
        ran.fails_with(Cause::CouldNotRun);
        says(&ran.error(), &told);
    }
}

/// What may be searched for once in a text may not be any number of times (S70).
#[test]
fn a_pattern_is_not_searched_for_again_and_again() {
    let path = |steps: String| {
        format!("extract: {{ x: {{ json_all: \"${steps}[?search(@, '(a{{1,100}}){{1,100}}b')]\" }} }}")
    };
    let schema = |times: usize| {
        let references = vec![r##"{ "$ref": "#/$defs/x" }"##; times].join(",");
        format!(
            r#"{{ "allOf": [{references}], "$defs": {{ "x": {{ "items": {{ "pattern": "(a{{1,100}}){{1,100}}" }} }} }} }}"#
        )
    };
    for (step, schema, depth, is_allowed) in [
        (path("[0]".repeat(9)), String::new(), 10, true),
        (path("[0,0]".repeat(9)), String::new(), 10, false),
        (path("..*".to_owned()), String::new(), 10, true),
        (path("..*".repeat(4)), String::new(), 10, false),
        ("expect: { schema: s.json }".to_owned(), schema(1), 1, true),
        ("expect: { schema: s.json }".to_owned(), schema(300), 1, false),
    ] {
        let body = format!("{}\"{}\"{}", "[".repeat(depth), "a".repeat(5000), "]".repeat(depth));
        let yaml = format!("steps:\n  - request: GET {{{{ base }}}}/\n    {step}\n");
        let ran = Scenario::new(&yaml)
            .file("s.json", &schema)
            .on("GET /", move |_| Reply::json(body.clone()))
            .run();
        if is_allowed {
            ran.passed();
        } else {
            ran.fails_with(Cause::CouldNotRun);
            says(&ran.error(), &["would take too long in a text of 5000 bytes"]);
        }
    }
}

#[test]
fn every_match_of_what_people_write_is_replaced_in_a_large_text() {
    let replaced =
        r#"{{ response.body | regex_replace('"([^"]{1,1000})"', '') | length == 3 * 131072 + 3 }}"#;
    let yaml = format!(
        "steps:\n  - request: GET {{{{ base }}}}/\n    expect: {{ that: '{}' }}\n",
        replaced.replace('\'', "''")
    );
    let body = || format!("[{}1]", "\"abcd\",1,".repeat(1 << 17));
    Scenario::new(&yaml).on("GET /", move |_| Reply::json(body())).run().passed();
}

#[test]
fn a_schema_that_cannot_be_used_is_told_before_anything_is_sent() {
    for (name, text, parts) in [
        ("gone.json", "{}", vec!["`gone.json` cannot be read: there is no such file", "flow.yaml:3:23"]),
        ("../s.json", "{}", vec!["`../s.json`"]),
        (".", "{}", vec!["`.` is a folder, not a file"]),
        ("s.json", "{", vec!["`s.json` is not JSON: EOF"]),
        ("s.json", r#"{"type":"strin"}"#, vec!["`s.json` is not a JSON Schema at `/type`"]),
        ("s.json", r#"{"$ref":"https://example.com/a.json"}"#, vec!["only files are read"]),
    ] {
        let yaml =
            format!("steps:\n  - request: GET https://example.com/\n    expect: {{ schema: {name} }}\n");
        let ran = Scenario::new(&yaml).file("s.json", text).run();
        says(&ran.refused(), &parts);
    }
}

/// What a schema refers to is asked about as the schema is (S54).
#[test]
fn a_schema_and_keys_outside_the_project_serve_a_workflow_that_is_trusted() {
    let outer = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        std::fs::write(outer.path().join(name), text).expect("written");
        outer.path().join(name).display().to_string()
    };
    let schema = write("s.json", r#"{ "properties": { "n": { "$ref": "n.json" } } }"#);
    write("n.json", r#"{ "type": "integer" }"#);
    let keys = write("keys.json", &jwks(SECRET));
    let near = format!(r#"{{ "properties": {{ "n": {{ "$ref": "file://{schema}" }} }} }}"#);
    let expecting = |expect: &str, n: &'static str| {
        let body = move || format!(r#"{{"n":{n},"t":"{}"}}"#, token(60));
        expecting(expect, move || Reply::json(body())).file("near.json", &near)
    };
    for (expect, why) in [
        (format!("{{ schema: {schema} }}"), "is an absolute path"),
        ("{ schema: near.json }".to_owned(), "is outside the project"),
        (format!("{{ jwt: {{ from: $.t, verify: {{ jwks: {keys} }} }} }}"), "is an absolute path"),
    ] {
        let flow = format!("steps:\n  - request: GET https://127.0.0.1:9/\n    expect: {expect}\n");
        says(&Scenario::new(&flow).file("near.json", &near).run().refused(), &[why, "--trust"]);
        expecting(&expect, "1").trusted().run().passed();
    }
    expecting(&format!("{{ schema: {schema} }}"), "\"x\"").trusted().run().fails_with(Cause::CheckFailed);
}

#[test]
fn markup_sizes_cookies_and_certificates_are_judged() {
    let page = "<a class=next href='/2'>more</a><li>1<li>2";
    let reply = move || typed("text/html", page).header("set-cookie", "lang=de; Path=/");
    let right = "{ css: { a.next @href: /2, a.next: more, .error: absent }, xpath: { count(//li): 2 }, \
                 size: { between: [10, 1KiB] }, cookies: { lang: present, sid: absent } }";
    expecting(right, reply).run().passed();
    let wrong = "{ css: { a.next @href: /3 }, xpath: { count(//li): { gt: 2 } }, size: { gt: 64KiB }, \
                 cookies: { sid: present }, tls: { expires_in: { gt: 14d } } }";
    let ran = expecting(wrong, reply).run();
    ran.fails_with(Cause::CheckFailed);
    assert_eq!(
        failed(&ran),
        [
            "css a.next @href | equals \"/3\" | \"/2\"",
            "xpath count(//li) | > 2 | \"2\"",
            "size | > 64KiB | 42 bytes",
            "cookie sid | present | the answer sets lang",
            "tls expires_in | > 14d | there is no certificate: the answer came over http://",
        ]
    );
}

const SECRET: &str = "0123456789abcdef0123456789abcdef";

fn token(seconds: i64) -> String {
    let claims = format!(r#"{{"aud":"me","sub":"ann","exp":{}}}"#, NOW_MS / 1000 + seconds);
    let claims = Value::from_json(claims.as_bytes()).expect("JSON");
    let header = Value::from_json(br#"{"kid":"k1"}"#).expect("JSON");
    jws::sign(&claims, &header, SECRET, "HS256").expect("signed")
}

fn with_token(expect: &str, seconds: i64) -> Scenario {
    expecting(expect, move || Reply::json(format!(r#"{{"access_token":"{}"}}"#, token(seconds))))
}

/// The secret as a key set (RFC 7517; RFC 7518, section 6.4).
fn jwks(secret: &str) -> String {
    let key = reqchain::ground::encode::base64url(secret.as_bytes());
    format!(r#"{{"keys":[{{"kty":"oct","kid":"k1","alg":"HS256","k":"{key}"}}]}}"#)
}

#[test]
fn a_token_is_judged_by_its_claims_its_time_and_its_signature() {
    let expect = |key: &str| {
        format!(
            "{{ jwt: {{ from: $.access_token, claims: {{ aud: me, sub: {{ starts_with: a }} }}, \
             expires_in: {{ gt: 10m }}, verify: {{ key: {key} }} }} }}"
        )
    };
    with_token(&expect(SECRET), 3600).run().passed();
    let ran = with_token(&expect("another0another0another0another0"), 60).run();
    ran.fails_with(Cause::CheckFailed);
    let told = failed(&ran);
    assert_eq!(told[0], "jwt $.access_token expires_in | > 10m | 1m 0s");
    assert!(told[1].starts_with("jwt $.access_token signature | signed by a key of `key` | "), "{told:?}");
    assert!(!ran.text().contains(&token(60)), "{}", ran.text());
    let ran = with_token("{ jwt: { from: $.access_token, claims: { aud: you, gone: 1 } } }", 60).run();
    assert_eq!(failed(&ran)[0], "jwt $.access_token aud | equals \"you\" | \"me\"");
    assert!(failed(&ran)[1].contains("the claims are { aud: string, sub: string, exp: int }"));
    let ran = with_token("{ jwt: { from: $.access_token, expires_in: { gt: 0 } } }", -90).run();
    assert_eq!(failed(&ran), ["jwt $.access_token expires_in | > 0 | 1m 30s ago"]);
}

#[test]
fn keys_are_fetched_once_a_run_and_without_credentials() {
    let yaml = "
steps:
  - request: { url: '{{ base }}/', auth: { bearer: abcdefgh1234 } }
    expect: { jwt: { from: $.t, verify: { jwks: '{{ base }}/keys' } } }
  - request: GET {{ base }}/
    expect: { jwt: { from: $.t, verify: { jwks: '{{ base }}/keys' } } }
";
    let ran = Scenario::new(yaml)
        .on("GET /", |_| Reply::json(format!(r#"{{"t":"{}"}}"#, token(60))))
        .on("GET /keys", |seen| {
            assert_eq!(seen.header("authorization"), "");
            Reply::json(jwks(SECRET))
        })
        .run();
    ran.passed().saw(["GET /", "GET /keys", "GET /"]);
    assert!(ran.text().contains("/keys"), "the fetch is told");
}

#[test]
fn keys_may_lie_in_a_file_of_the_project() {
    let expect = "{ jwt: { from: $.access_token, verify: { jwks: keys.json } } }";
    with_token(expect, 60).file("keys.json", jwks(SECRET)).run().passed();
    let other = jwks("another0another0another0another0");
    with_token(expect, 60).file("keys.json", &other).run().fails_with(Cause::CheckFailed);
}

#[test]
fn keys_that_cannot_be_fetched_are_an_error_behind_what_else_failed() {
    let expect = "{ json: { $.n: 1 }, jwt: { from: $.t, verify: { jwks: '{{ base }}/keys' } } }";
    for status in [404, 200] {
        let ran = expecting(expect, || Reply::json(format!(r#"{{"n":1,"t":"{}"}}"#, token(60))))
            .on("GET /keys", move |_| Reply::json("{}").with(status))
            .run();
        ran.fails_with(Cause::CouldNotRun);
        says(&ran.error(), &["cannot fetch the keys of `jwks`", "flow.yaml:3:67"]);
    }
}

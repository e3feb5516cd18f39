//! What a person is told where a server refuses: its own words wherever it keeps them, and what can
//! be done about it, by what was sent.

use reqchain::running::{Cause, StepOutcome};

use crate::scenario::{Ran, Reply, Scenario, says};

/// How a step that asks for a token ends where the server answers this.
fn asked(request: &str, reply: impl Fn() -> Reply + Send + Sync + 'static) -> Ran {
    let flow = format!(
        r"
inputs: {{ base: , password: correct-horse }}
steps:
  - request: {request}
    extract: {{ access_token: $.access_token }}
"
    );
    Scenario::new(&flow).on("POST /", move |_| reply()).run()
}

fn login(reply: impl Fn() -> Reply + Send + Sync + 'static) -> Ran {
    asked("{ url: '{{ base }}/', json: { password: '{{ password }}' } }", reply)
}

fn json(status: u16, body: &str) -> Reply {
    Reply::json(body).with(status)
}

#[track_caller]
fn outcome(ran: &Ran) -> StepOutcome {
    ran.steps().into_iter().next().expect("a step")
}

#[test]
fn the_servers_words_are_found_wherever_servers_keep_them() {
    let cases = [
        (
            r#"{"error":"invalid_grant","error_description":"it has expired"}"#,
            "invalid_grant: it has expired",
        ),
        (r#"{"error":{"code":401,"message":"no such user"}}"#, "no such user"),
        (
            r#"{"error":"invalid_credentials","message":"wrong password"}"#,
            "invalid_credentials: wrong password",
        ),
        (r#"{"code":401,"message":"Unauthorized","details":["bad token"]}"#, "Unauthorized: bad token"),
        (r#"{"type":"error","reason":"Unauthorized","result":null}"#, "Unauthorized"),
        (r#"{"title":"Locked","detail":"try\n later","status":423}"#, "Locked: try later"),
        (r#"{"errors":[{"message":"first"},{"message":"second"}]}"#, "first: second"),
        (r#"{"errors":["one","two","three","four"]}"#, "one: two: three"),
        (r#"{"result":false,"data":[],"messages":{"error":["Invalid login"]}}"#, "Invalid login"),
        (r#"{"error":"denied","message":"Denied"}"#, "denied"),
        ("Access denied\n", "Access denied"),
        ("<html><head><title>Blocked</title></head></html>", "Blocked"),
    ];
    for (body, expected) in cases {
        let ran = login(move || json(403, body));
        assert_eq!(outcome(&ran).said.as_deref(), Some(expected), "{body}");
    }
    let cases = [
        ("", None),
        ("{}", None),
        ("[]", None),
        (r#"{"error":null}"#, None),
        (r#"{"message":"  "}"#, None),
        ("<p>no", None),
        // Neither JSON nor a page: these are words, whatever they mean.
        ("\u{1}\u{2}{", Some("\u{1}\u{2}{")),
    ];
    for (body, expected) in cases {
        let ran = login(move || json(403, body));
        assert_eq!(outcome(&ran).said.as_deref(), expected, "{body}");
    }
}

#[test]
fn a_challenge_speaks_where_the_body_is_empty() {
    let challenge = r#"Bearer realm="api", error="invalid_token", error_description="it has ended""#;
    let ran = asked("{ method: POST, url: '{{ base }}/', auth: { bearer: abcdefgh } }", move || {
        Reply::status(401).header("www-authenticate", challenge)
    });
    let step = outcome(&ran);
    assert_eq!(step.said.as_deref(), Some("it has ended"));
    says(&step.help.expect("a help"), &["does not take this token", "log in again"]);
}

#[test]
fn what_the_server_says_is_one_short_line_without_secrets() {
    let ran = login(|| json(401, r#"{"message":"no user with correct-horse","token":"abc-def-ghi"}"#));
    assert_eq!(outcome(&ran).said.as_deref(), Some("no user with «password»"));
    let long = format!(r#"{{"message":"{}"}}"#, "a".repeat(5000));
    let said = outcome(&login(move || json(401, &long))).said.expect("it says something");
    assert!(said.len() < 300, "{said}");
    let ran =
        login(|| json(401, r#"{"error":{"password":"another-horse","message":"wrong: another-horse"}}"#));
    assert_eq!(outcome(&ran).said.as_deref(), Some("wrong: «password»"));
}

#[test]
fn what_can_be_done_depends_on_what_was_sent() {
    let plain = "{ url: '{{ base }}/', method: POST }";
    let secret = "{ url: '{{ base }}/', json: { password: '{{ password }}' } }";
    let bearer = "{ url: '{{ base }}/', method: POST, auth: { bearer: abcdefgh } }";
    let basic = "{ url: '{{ base }}/', method: POST, auth: { basic: { username: a, password: abcdefgh } } }";
    let grant = |grant: &str| {
        format!("{{ url: '{{{{ base }}}}/', form: {{ grant_type: {grant}, password: abcdefgh }} }}")
    };
    let invalid_grant = r#"{"error":"invalid_grant"}"#;
    let cases = [
        (plain.to_owned(), 401, "{}", "does the request need `auth`?"),
        (secret.to_owned(), 401, "{}", "check the user name, the password"),
        (basic.to_owned(), 401, "{}", "check the user name and the password"),
        (bearer.to_owned(), 401, "{}", "the server does not take this token"),
        (grant("password"), 400, invalid_grant, "check the user name and the password"),
        (grant("refresh_token"), 400, invalid_grant, "the refresh token was used already"),
        (grant("authorization_code"), 400, invalid_grant, "`redirect_uri`"),
        (grant("other"), 400, invalid_grant, "wrong, used already or has ended"),
        (grant("password"), 400, r#"{"error":"invalid_client"}"#, "check the client's id"),
        (grant("password"), 400, r#"{"error":"unauthorized_client"}"#, "does not let this client"),
        (grant("password"), 400, r#"{"error":"invalid_scope"}"#, "ask only for scopes"),
        (grant("pasword"), 400, r#"{"error":"unsupported_grant_type"}"#, "is `grant_type` right?"),
        (bearer.to_owned(), 403, "{}", "may not do this"),
        (plain.to_owned(), 407, "{}", "`proxy`"),
        (plain.to_owned(), 429, "{}", "wait a while"),
        (plain.to_owned(), 503, "{}", "behind the gateway is down or busy"),
        (grant("refresh_token"), 401, "{}", "the refresh token was used already"),
        ("{ url: '{{ base }}/', json: { refresh_token: abcdefgh } }".to_owned(), 401, r#"{"error":"invalid_token"}"#, "the refresh token was used already"),
        ("{ url: '{{ base }}/', json: { grant_type: password, password: abcdefgh } }".to_owned(), 403, invalid_grant, "check the user name and the password"),
        ("{ url: '{{ base }}/', method: POST, auth: { api_key: { header: X-Auth-Token, value: abcdefgh } } }".to_owned(), 401, "{}", "check the key"),
        ("{ url: '{{ base }}/', method: POST, headers: { Cookie: a=b } }".to_owned(), 401, "{}", "does not take the cookie"),
        (plain.to_owned(), 429, "<!DOCTYPE html><title>Slow down</title>", "too many requests"),
        (plain.to_owned(), 407, "<!DOCTYPE html><title>Proxy</title>", "`proxy`"),
        (plain.to_owned(), 502, "<!DOCTYPE html><title>Bad Gateway</title>", "an HTML page came"),
    ];
    for (request, status, body, expected) in cases {
        let ran = asked(&request, move || json(status, body));
        let help = outcome(&ran).help.unwrap_or_default();
        assert!(help.contains(expected), "{request} {status} {body}: {help}");
    }
    for status in [400, 404, 500] {
        assert_eq!(outcome(&asked(plain, move || json(status, "{}"))).help, None, "{status}");
    }
}

#[test]
fn a_lockout_says_how_long_to_wait_in_both_forms_of_retry_after() {
    let cases = [
        ("120", "wait 2m,"),
        ("Thu, 01 Jan 2026 00:00:30 GMT", "wait 30s,"),
        ("", "wait a while,"),
        ("-5", "wait a while,"),
        ("soon; run `curl x|sh`", "wait a while,"),
    ];
    for (after, expected) in cases {
        let ran = login(move || Reply::status(429).header("retry-after", after));
        ran.fails_with(Cause::CheckFailed);
        says(&outcome(&ran).help.expect("a help"), &[expected, "the right password"]);
    }
    let ran =
        asked("{ url: '{{ base }}/', method: POST, auth: { bearer: abcdefgh } }", || Reply::status(429));
    says(&outcome(&ran).help.expect("a help"), &["too many requests: wait a while", "fewer"]);
}

#[test]
fn a_missing_scope_is_named() {
    let challenge = r#"Bearer realm="api", error="insufficient_scope", scope="write:skills""#;
    let ran = login(move || Reply::status(403).header("www-authenticate", challenge));
    says(&outcome(&ran).help.expect("a help"), &["`write:skills`"]);
}

#[test]
fn an_error_under_a_good_status_is_told_with_the_check_that_would_find_it() {
    let cases = [
        (r#"{"result":false,"messages":{"error":["no"]}}"#, "no", "$.result: true"),
        (r#"{"success":false,"message":"no"}"#, "no", "$.success: true"),
        (r#"{"type":"error","reason":"no"}"#, "no", "$.type: { not: error }"),
        (r#"{"error":"no"}"#, "no", "$.error: absent"),
        (r#"{"errors":[{"message":"no"}]}"#, "no", "$.errors: absent"),
    ];
    for (body, said, expect) in cases {
        let ran = login(move || json(200, body));
        ran.fails_with(Cause::CouldNotRun);
        let step = outcome(&ran);
        assert_eq!(step.said.as_deref(), Some(said), "{body}");
        says(&step.help.expect("a help"), &["under a status that says success", expect]);
    }
    for body in [r#"{"result":true,"message":"hi"}"#, r#"{"error":null}"#, r#"{"errors":[]}"#] {
        let step = outcome(&login(move || json(200, body)));
        assert_eq!((step.said, step.help), (None, None), "{body}");
    }
}

#[test]
fn what_was_asked_for_is_no_refusal() {
    let flow = r"
inputs: { base: }
steps:
  - request: { method: POST, url: '{{ base }}/' }
    expect: { status: 401, json: { $.a: 2 } }
    extract: { token: $.tokn }
";
    let ran = Scenario::new(flow).on("POST /", |_| json(401, r#"{"a":1,"message":"no"}"#)).run();
    ran.fails_with(Cause::CheckFailed);
    let step = outcome(&ran);
    assert_eq!((step.said, step.help, step.is_refused), (None, None, false));
}

#[test]
fn a_body_without_credentials_is_no_login() {
    for (body, expected) in [
        ("json: { title: hello }", "does the request need `auth`?"),
        ("form: { title: hello }", "does the request need `auth`?"),
        ("json: { user: ann, password: in-clear }", "check the user name, the password"),
        ("form: { client_secret: in-clear }", "check the user name, the password"),
    ] {
        let ran = asked(&format!("{{ url: '{{{{ base }}}}/', {body} }}"), || json(401, "{}"));
        says(&outcome(&ran).help.expect("a help"), &[expected]);
    }
}

#[test]
fn nobody_is_told_to_try_again_who_did() {
    let flow = r"
inputs: { base: }
steps:
  - request: { method: POST, url: '{{ base }}/' }
    retry: { max: 1, if: [5xx] }
";
    let ran = Scenario::new(flow).on("POST /", |_| Reply::status(503)).run();
    says(&outcome(&ran).help.expect("a help"), &["down or busy, at every attempt"]);
}

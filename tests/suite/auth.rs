//! Who may see a credential: the schemes, redirects to other origins (S1–S4), URLs that a server
//! chose (S11), what a value may do to a URL (S23), and what a refusal is.

use reqchain::running::Cause;

use crate::scenario::{Ran, Reply, Scenario, Server, says};

const SECRET: &str = "tok-1234567890";

#[test]
fn each_scheme_puts_its_credential_in_its_place() {
    let ran = Scenario::new(
        r#"
inputs: { base: , password: "p&ss w%rd:ä", nothing: { required: false } }
steps:
  - request: { url: "{{ base }}/basic", auth: { basic: { username: ann, password: "{{ password }}" } } }
  - request: { url: "{{ base }}/bearer", auth: { bearer: abc.def } }
  - request: { url: "{{ base }}/header", auth: { api_key: { header: X-Key, value: "{{ password | sha256 }}" } } }
  - request: { url: "{{ base }}/query?a=1", auth: { api_key: { query: key, value: "{{ password }}" } } }
  - request: { url: "{{ base }}/cookie", auth: { api_key: { cookie: sid, value: abcdefgh } } }
  - request: { url: "{{ base }}/none", auth: { bearer: "{{ nothing }}" } }
"#,
    )
    .json("GET /basic", "{}")
    .json("GET /bearer", "{}")
    .json("GET /header", "{}")
    .json("GET /query", "{}")
    .json("GET /cookie", "{}")
    .json("GET /none", "{}")
    .run();
    ran.passed();
    assert_eq!(ran.seen("GET /basic").header("authorization"), "Basic YW5uOnAmc3MgdyVyZDrDpA==");
    assert_eq!(ran.seen("GET /bearer").header("authorization"), "Bearer abc.def");
    assert_eq!(ran.seen("GET /header").header("x-key").len(), 64);
    assert_eq!(ran.seen("GET /query").target, "/query?a=1&key=p%26ss%20w%25rd%3A%C3%A4");
    assert_eq!(ran.seen("GET /cookie").header("cookie"), "sid=abcdefgh");
    assert_eq!(ran.seen("GET /none").header("authorization"), "");
}

#[test]
fn before_sees_no_credentials_of_auth_and_auth_signs_last() {
    let ran = Scenario::new(
        r#"
steps:
  - request: { url: "{{ base }}/", auth: { bearer: tok-1234567890 } }
    before: |
      print(request.headers.contains("authorization"));
      request.headers["Authorization"] = "mine";
"#,
    )
    .json("GET /", "{}")
    .run();
    ran.passed();
    assert_eq!(ran.printed(), ["false"]);
    assert_eq!(ran.seen("GET /").header("authorization"), format!("Bearer {SECRET}"));
}

/// Every kind of credential in one request, which is redirected from `base` by `status` to the
/// server and path that `to` names.
fn redirected(request: &str, status: u16, to: &'static str, other: impl FnOnce(&mut Server)) -> Ran {
    Scenario::new(&format!("inputs: {{ base: , password: {SECRET} }}\nsteps: [ {{ request: {{ url: '{{{{ base }}}}/', {request} }} }} ]"))
        .on(if request.contains("json") { "POST /" } else { "GET /" }, move |seen| {
            let (server, path) = to.split_once('/').expect("a path");
            Reply::redirect(status, format!("{}/{path}", seen.origin(server)))
        })
        .server("evil", other)
        .run()
}

const CREDENTIALS: &str = "headers: { X-Mine: '{{ password }}', x-api-key: plain-key-1, X-Plain: kept, Cookie: a=b, DPoP: proof }, auth: { bearer: '{{ password }}' }";

/// To another origin nothing goes along (S1, S2).
#[test]
fn a_redirect_to_another_origin_leaves_every_credential_behind() {
    for status in [301, 302, 303, 307, 308] {
        let ran =
            redirected(CREDENTIALS, status, "evil/take", |evil| evil.on("GET /take", |_| Reply::json("{}")));
        ran.passed().saw_at("evil", ["GET /take"]);
        let seen = &ran.seen_at("evil")[0];
        for name in ["authorization", "cookie", "x-mine", "x-api-key", "dpop", "proxy-authorization"] {
            assert_eq!(seen.header(name), "", "{name} after {status}");
        }
        assert_eq!(seen.header("x-plain"), "kept");
        says(&ran.warnings().join("\n"), &["credentials were left behind"]);
        assert!(!format!("{seen:?}").contains(SECRET));
    }
}

#[test]
fn a_redirect_within_the_origin_keeps_credentials() {
    let ran = Scenario::new("steps: [ { request: { url: '{{ base }}/', auth: { bearer: abcdefgh } } } ]")
        .on("GET /", |_| Reply::redirect(302, "/next"))
        .json("GET /next", "{}")
        .run();
    ran.passed().saw(["GET /", "GET /next"]);
    assert_eq!(ran.seen("GET /next").header("authorization"), "Bearer abcdefgh");
    assert!(ran.warnings().is_empty());
}

/// What was dropped stays dropped (S3).
#[test]
fn a_detour_through_a_foreign_origin_does_not_bring_credentials_back() {
    let ran = Scenario::new("steps: [ { request: { url: '{{ base }}/', auth: { bearer: abcdefgh } } } ]")
        .on("GET /", |seen| Reply::redirect(302, format!("{}/detour", seen.origin("evil"))))
        .on("GET /back", |seen| {
            assert_eq!(seen.header("authorization"), "");
            Reply::json("{}")
        })
        .server("evil", |evil| {
            evil.on("GET /detour", |seen| Reply::redirect(302, format!("{}/back", seen.origin("base"))));
        })
        .run();
    ran.passed().saw(["GET /", "GET /back"]).saw_at("evil", ["GET /detour"]);
}

/// No replay of a body (S4).
#[test]
fn a_body_is_never_sent_again_to_another_origin() {
    for status in [307, 308] {
        let ran = redirected("json: { password: '{{ password }}' }", status, "evil/take", |_| {});
        ran.fails_with(Cause::CouldNotRun).saw(["POST /"]).saw_at("evil", []);
        says(&ran.error(), &["another origin"]);
    }
    let ran = redirected("json: { password: '{{ password }}' }", 302, "evil/take", |evil| {
        evil.on("GET /take", |seen| {
            assert_eq!((seen.body.as_str(), seen.header("content-type")), ("", ""));
            Reply::json("{}")
        });
    });
    ran.passed();
}

/// Loops end (S8).
#[test]
fn redirects_that_go_round_end_and_name_the_chain() {
    let ran = Scenario::new("steps: [ { request: 'GET {{ base }}/a' } ]")
        .on("GET /a", |_| Reply::redirect(302, "/b"))
        .on("GET /b", |_| Reply::redirect(302, "/a"))
        .run();
    ran.fails_with(Cause::CouldNotRun);
    says(&ran.error(), &["circle", "/a → "]);
    let ran = Scenario::new("steps: [ { request: 'GET {{ base }}/a' } ]")
        .on("GET /a", |_| Reply::redirect(302, "file:///etc/passwd"))
        .run();
    ran.fails_with(Cause::CouldNotRun);
    says(&ran.error(), &["`file:`"]);
}

/// A second step goes where the first one's answer says.
fn chosen_by_server(second: &str) -> Scenario {
    Scenario::new(&format!(
        "inputs: {{ base: , password: {SECRET} }}\nsteps:\n  - {{ request: 'GET {{{{ base }}}}/start', extract: {{ next: $.next }} }}\n  - {second}\n"
    ))
    .on("GET /start", |seen| Reply::json(format!(r#"{{"next":"{}/take"}}"#, seen.origin("evil"))))
}

/// An origin that nobody named (S11).
#[test]
fn a_url_whose_origin_a_server_chose_gets_no_credentials_and_warns() {
    for credentials in [
        "auth: { bearer: '{{ password }}' }",
        "auth: { basic: { username: u, password: '{{ password }}' } }",
        "auth: { api_key: { query: key, value: '{{ password }}' } }",
        "auth: { api_key: { cookie: key, value: '{{ password }}' } }",
        "headers: { X-Token: '{{ password }}' }",
        "headers: { Authorization: abc }",
    ] {
        let ran = chosen_by_server(&format!("request: {{ url: '{{{{ next }}}}', {credentials} }}"))
            .server("evil", |evil| evil.on("GET /take", |_| Reply::json("{}")))
            .run();
        ran.passed().saw_at("evil", ["GET /take"]);
        let seen = &ran.seen_at("evil")[0];
        assert_eq!(
            (
                seen.target.as_str(),
                seen.header("authorization"),
                seen.header("cookie"),
                seen.header("x-token")
            ),
            ("/take", "", "", ""),
            "{credentials}"
        );
        says(&ran.warnings().join("\n"), &["without credentials", "a server chose"]);
    }
}

/// A secret in a body or a query (S11).
#[test]
fn a_request_with_a_secret_inside_is_not_sent_where_a_server_chose() {
    for inside in [
        "json: { password: '{{ password }}' }",
        "form: { p: '{{ password }}' }",
        "body: 'x {{ password }}'",
        "query: { k: '{{ password }}' }",
        "body: '{{ password | base64 }}'",
    ] {
        let ran = chosen_by_server(&format!("request: {{ url: '{{{{ next }}}}', method: POST, {inside} }}"))
            .server("evil", |_| {})
            .run();
        ran.fails_with(Cause::CouldNotRun).saw_at("evil", []);
        says(&ran.error(), &["holds a secret", "flow.yaml:4:"]);
        assert!(!ran.error().contains(SECRET));
    }
}

/// The same by way of a script (S11).
#[test]
fn a_script_cannot_move_credentials_to_where_a_server_chose() {
    let second = "{ request: { url: '{{ base }}/', auth: { bearer: '{{ password }}' } }, before: 'request.url = vars.next;' }";
    let ran =
        chosen_by_server(second).server("evil", |evil| evil.on("GET /take", |_| Reply::json("{}"))).run();
    ran.passed();
    assert_eq!(ran.seen_at("evil")[0].header("authorization"), "");
}

#[test]
fn a_url_from_a_server_to_an_origin_that_an_input_names_keeps_its_credentials() {
    let ran = Scenario::new(
        "steps:\n  - { request: 'GET {{ base }}/start', extract: { next: $.next } }\n  - { request: { url: '{{ next }}', auth: { bearer: abcdefgh } } }\n",
    )
    .on("GET /start", |seen| Reply::json(format!(r#"{{"next":"{}/page2"}}"#, seen.origin("base"))))
    .json("GET /page2", "{}")
    .run();
    ran.passed();
    assert_eq!(ran.seen("GET /page2").header("authorization"), "Bearer abcdefgh");
    let ran = Scenario::new(
        "inputs: { base: , evil: }\nsteps:\n  - { request: 'GET {{ base }}/start', extract: { next: $.next } }\n  - { request: { url: '{{ next }}', auth: { bearer: abcdefgh } } }\n",
    )
    .on("GET /start", |seen| Reply::json(format!(r#"{{"next":"{}/named"}}"#, seen.origin("evil"))))
    .server("evil", |evil| evil.on("GET /named", |_| Reply::json("{}")))
    .run();
    ran.passed();
    assert_eq!(ran.seen_at("evil")[0].header("authorization"), "Bearer abcdefgh");
}

/// An origin is not trusted for being repeated (S11).
#[test]
fn an_echoed_origin_does_not_name_itself() {
    // What a server sent is no input, though it is a variable of the user's now.
    let ran = Scenario::new(
        "inputs: { base: , password: tok-1234567890 }\nsteps:\n  - { request: 'GET {{ base }}/start', extract: { next: $.next } }\n  - { script: 'vars.copy = vars.next;' }\n  - { request: 'GET {{ copy }}' }\n  - { request: { url: '{{ next }}', auth: { bearer: '{{ password }}' } } }\n",
    )
    .on("GET /start", |seen| Reply::json(format!(r#"{{"next":"{}/take"}}"#, seen.origin("evil"))))
    .server("evil", |evil| evil.on("GET /take", |_| Reply::json("{}")))
    .run();
    ran.passed().saw_at("evil", ["GET /take", "GET /take"]);
    assert_eq!(ran.seen_at("evil")[1].header("authorization"), "");
}

#[test]
fn a_401_or_407_that_nobody_expected_is_a_matter_of_authentication() {
    for status in [401, 407] {
        let ran = Scenario::new("steps: [ { request: 'GET {{ base }}/' } ]")
            .on("GET /", move |_| Reply::status(status))
            .run();
        ran.fails_with(Cause::Authentication);
    }
    let ran = Scenario::new("steps: [ { request: 'GET {{ base }}/', expect: { status: 200 } } ]")
        .on("GET /", |_| Reply::status(401))
        .run();
    ran.fails_with(Cause::Authentication);
    let ran = Scenario::new("steps: [ { request: 'GET {{ base }}/', expect: { status: 401 } } ]")
        .on("GET /", |_| Reply::status(401))
        .run();
    ran.passed();
    let ran = Scenario::new("steps: [ { request: 'GET {{ base }}/', expect: { status: 401, body: x } } ]")
        .on("GET /", |_| Reply::status(401))
        .run();
    ran.fails_with(Cause::CheckFailed);
}

#[test]
fn an_oauth_refusal_is_a_matter_of_authentication_and_another_400_is_not() {
    let table = [
        (400, "invalid_grant", Cause::Authentication),
        (400, "invalid_client", Cause::Authentication),
        (400, "unauthorized_client", Cause::Authentication),
        (403, "access_denied", Cause::Authentication),
        (400, "invalid_request", Cause::CheckFailed),
        (403, "forbidden", Cause::CheckFailed),
    ];
    for (status, error, cause) in table {
        let ran =
            Scenario::new("steps: [ { request: 'POST {{ base }}/token', extract: { t: $.access_token } } ]")
                .on("POST /token", move |_| Reply::json(format!(r#"{{"error":"{error}"}}"#)).with(status))
                .run();
        ran.fails_with(cause);
    }
    let ran = Scenario::new("steps: [ { request: 'POST {{ base }}/token', expect: { status: 400, json: { $.error: invalid_grant } } } ]")
        .on("POST /token", |_| Reply::json(r#"{"error":"invalid_grant"}"#).with(400))
        .run();
    ran.passed();
}

/// A hostile token is not sent (S22, S26).
#[test]
fn a_token_with_a_line_break_never_becomes_a_header() {
    let ran = Scenario::new(
        "steps:\n  - { request: 'GET {{ base }}/t', extract: { given: $.t } }\n  - { id: use, request: { url: '{{ base }}/use', auth: { bearer: '{{ given }}' } } }\n",
    )
    .json("GET /t", "{\"t\":\"abcdefgh\\r\\nX-Injected: 1\"}")
    .run();
    ran.fails_with(Cause::CouldNotRun).saw(["GET /t"]);
    let error = ran.error();
    says(&error, &["flow.yaml:3:"]);
    assert!(!error.contains("abcdefgh"), "{error}");
}

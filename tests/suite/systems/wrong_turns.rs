//! What goes wrong with every system sooner or later: each wrong turn is told with what happened,
//! what the server said and what to do next, ends in the documented exit code, and leaves stdout
//! empty, so that a shell never takes a message for a token.

use std::process::{Command, Stdio};
use std::sync::Arc;

use reqchain::ground::clock::Clock;
use reqchain::ground::source::Source;
use reqchain::services::mock::{Mock, start};
use serde_json::json;
use tokio::task::JoinSet;

use crate::scenario::says;
use crate::systems::System;

/// How a call of the command ended.
#[derive(Debug)]
struct Called {
    code: Option<i32>,
    out: String,
    err: String,
}

/// Who can log in at the mocks, as the environment says it.
const WHO: [(&str, &str); 10] = [
    ("MIKOPBX_LOGIN", "admin"),
    ("MIKOPBX_PASSWORD", "offline-only"),
    ("PLATFORM_USER", "ann"),
    ("PLATFORM_PASSWORD", "offline-only"),
    ("MINDBAZ_USERNAME", "ann@example.com"),
    ("MINDBAZ_PASSWORD", "offline-only"),
    ("WILDIX_USER", "100"),
    ("WILDIX_PASSWORD", "offline-only"),
    ("DATARHEI_USER", "admin"),
    ("DATARHEI_PASSWORD", "offline-only"),
];

/// Calls the command with nobody's variables but these.
async fn call(words: &[&str], variables: &[(&str, &str)]) -> Called {
    let mut command = Command::new(env!("CARGO_BIN_EXE_reqchain"));
    command.args(words).env_clear().env("NO_COLOR", "1").stdin(Stdio::null());
    command.envs(WHO).envs(variables.iter().copied());
    let output =
        tokio::task::spawn_blocking(move || command.output()).await.expect("no panic").expect("it runs");
    Called {
        code: output.status.code(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

impl Called {
    /// It failed with this code and said this; nothing came that could pass for a token.
    #[track_caller]
    fn fails(&self, code: i32, parts: &[&str]) {
        assert_eq!(self.code, Some(code), "{}", self.err);
        assert_eq!(self.out, "");
        says(&self.err, parts);
    }

    /// It gave a token and nothing else.
    #[track_caller]
    fn gives_a_token(&self) {
        assert_eq!(self.code, Some(0), "{}", self.err);
        let token = self.out.strip_suffix('\n').unwrap_or_else(|| panic!("no line: {self:?}"));
        assert!(token.len() >= 16 && !token.contains(char::is_whitespace), "{self:?}");
        assert!(!self.err.contains(token), "{}", self.err);
    }
}

/// The flows, the output that is their token, and the input that names their server.
const FLOWS: [(&str, &str, &str); 5] = [
    ("mikopbx", "access_token", "pbx"),
    ("platform", "access_token", "api"),
    ("mindbaz", "access_token", "sso"),
    ("wildix", "service_token", "pbx"),
    ("datarhei", "access_token", "core"),
];

/// What it takes to have the token of a flow in a shell.
async fn token_of(flow: &str, output: &str, more: &[&str]) -> Called {
    let (path, output) = (format!("workflows/{flow}.yaml"), format!("value:{output}"));
    call(&[&["run", path.as_str(), "--output", output.as_str()], more].concat(), &[]).await
}

/// Runs a workflow that is written to a file of its own.
async fn run_text(text: &str, variables: &[(&str, &str)]) -> Called {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("flow.yaml");
    std::fs::write(&path, text).expect("written");
    call(&["run", path.to_str().expect("a path"), "--output", "vars"], variables).await
}

#[tokio::test]
async fn a_shell_gets_the_token_alone() {
    for (flow, output, _) in FLOWS {
        token_of(flow, output, &["--mock"]).await.gives_a_token();
    }
}

#[tokio::test]
async fn a_wrong_password_is_told_in_the_servers_words() {
    let cases = [
        (
            "mikopbx",
            &["401", "the server said: Invalid login or password", "check the user name, the password"][..],
        ),
        ("platform", &["401", "the server said: invalid_credentials", "check the user name, the password"]),
        ("mindbaz", &["400", "the server said: invalid_grant", "check the user name and the password"]),
        ("wildix", &["401", "the server said: Unauthorized", "check the user name and the password"]),
    ];
    for (flow, parts) in cases {
        token_of(flow, "access_token", &["--mock", "--input", "password=not-this-one"]).await.fails(4, parts);
    }
    let core = System::start("datarhei", &[("refusal_delay", json!("1ms"))]).await;
    let to = format!("core={}", core.running.origin());
    let called =
        token_of("datarhei", "access_token", &["--input", &to, "--input", "password=not-this-one"]).await;
    let said =
        "the server said: Unauthorized: Invalid authorization credentials: invalid username or password";
    called.fails(4, &["401", said, "check the user name, the password"]);
    core.stop().await;
}

#[tokio::test]
async fn whoever_is_locked_out_is_told_to_wait() {
    let pbx = System::start("mikopbx", &[]).await;
    let to = format!("pbx={}", pbx.running.origin());
    let wrong = ["--repeat", "10", "--input", &to, "--input", "password=not-this-one"];
    token_of("mikopbx", "access_token", &wrong).await.fails(4, &["Invalid login or password"]);
    let parts = [
        "429 Too Many Requests",
        "the server said: Too many login attempts. Please try again in",
        "wait a while",
    ];
    token_of("mikopbx", "access_token", &["--input", &to]).await.fails(1, &parts);
    pbx.stop().await;

    let api = System::start("platform", &[]).await;
    let to = format!("api={}", api.running.origin());
    let wrong = ["--repeat", "5", "--input", &to, "--input", "password=not-this-one"];
    token_of("platform", "access_token", &wrong).await.fails(4, &["invalid_credentials"]);
    let parts = ["429 Too Many Requests", "the server said: too_many_requests", "wait 1m, and then try once"];
    token_of("platform", "access_token", &["--input", &to]).await.fails(1, &parts);
    api.stop().await;
}

#[tokio::test]
async fn an_access_token_that_is_over_is_told_from_a_wrong_password() {
    let core = System::start("datarhei", &[]).await;
    let to = format!("core={}", core.running.origin());
    let called = token_of("datarhei", "access_token", &["--input", &to]).await;
    called.gives_a_token();
    core.clock.advance(600_000);
    let flow = "inputs: { core: { env: CORE }, token: { env: TOKEN } }\nsteps:\n  - request: { url: '{{ core }}/api/v3/process', auth: { bearer: '{{ token }}' } }\n";
    let variables = [("CORE", core.running.origin()), ("TOKEN", called.out.trim_end())];
    let said = "the server said: Unauthorized: Missing or invalid JWT token";
    run_text(flow, &variables)
        .await
        .fails(4, &["401", said, "does not take this token: it has ended", "log in again"]);
    core.stop().await;
}

#[tokio::test]
async fn a_refresh_token_that_was_used_is_told_from_a_wrong_password() {
    let sso = System::start("mindbaz", &[]).await;
    let to = format!("sso={}", sso.running.origin());
    let called = token_of("mindbaz", "refresh_token", &["--input", &to]).await;
    called.gives_a_token();
    let flow = "inputs: { sso: { env: SSO }, token: { env: TOKEN } }\nsteps:\n  - id: refresh\n    request: { url: '{{ sso }}/oauth2/token', form: { grant_type: refresh_token, refresh_token: '{{ token }}', client_id: 100 } }\n    expect: { status: any, that: ['{{ response.status == 200 }}'] }\n  - id: again\n    request: { url: '{{ sso }}/oauth2/token', form: { grant_type: refresh_token, refresh_token: '{{ token }}', client_id: 100 } }\n";
    let variables = [("SSO", sso.running.origin()), ("TOKEN", called.out.trim_end())];
    let parts = [
        "✓ refresh",
        "✗ again",
        "the server said: invalid_grant",
        "the refresh token was used already",
        "log in again",
    ];
    run_text(flow, &variables).await.fails(4, &parts);
    sso.stop().await;
}

#[tokio::test]
async fn a_server_that_is_down_is_told_with_its_address() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    // Each tries again after a while, so that all of them wait at once.
    let mut calls = JoinSet::new();
    for (flow, output, server) in FLOWS {
        calls.spawn(async move {
            token_of(flow, output, &["--input", &format!("{server}=http://{address}")]).await
        });
    }
    while let Some(called) = calls.join_next().await {
        let parts = [&format!("{address} refused the connection"), "is the server running"];
        called.expect("no panic").fails(3, &parts);
    }
}

#[tokio::test]
async fn a_name_that_nobody_knows_is_told() {
    // No resolver is asked for a name with an empty label.
    let parts = ["cannot find the address of `pbx..invalid`", "is the name spelt right"];
    let called = token_of("mikopbx", "access_token", &["--input", "pbx=http://pbx..invalid"]).await;
    called.fails(3, &parts);
}

#[tokio::test]
async fn a_certificate_of_its_own_is_trusted_by_its_file_first_and_blindly_last() {
    let pbx = System::start_tls("mikopbx", &[]).await;
    let to = format!("pbx={}", pbx.running.origin());
    let called = token_of("mikopbx", "access_token", &["--input", &to]).await;
    called.fails(3, &["no TLS connection", "self-signed", "tls: { ca: server.pem }", "insecure"]);
    let at = |what: &str| called.err.find(what).unwrap_or_else(|| panic!("no {what}: {}", called.err));
    assert!(at("ca: server.pem") < at("insecure: true"), "{}", called.err);

    let blind = token_of("mikopbx", "access_token", &["--input", &to, "--input", "insecure=true"]).await;
    blind.gives_a_token();
    says(&blind.err, &["warning", "is not checked"]);

    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("ca.pem"), pbx.running.certificate().expect("TLS")).expect("written");
    let text = std::fs::read_to_string("workflows/mikopbx.yaml").expect("it is shipped");
    let text = text.replace(r#"tls: { insecure: "{{ insecure }}" }"#, "tls: { ca: ca.pem }");
    // It is named, and not used.
    std::fs::create_dir(folder.path().join("mocks")).expect("a folder");
    std::fs::write(folder.path().join("mocks/mikopbx.yaml"), "routes: []\n").expect("written");
    let path = folder.path().join("mikopbx.yaml");
    std::fs::write(&path, text).expect("written");
    let words = ["run", path.to_str().expect("a path"), "--input", &to, "--output", "value:access_token"];
    let trusted = call(&words, &[]).await;
    trusted.gives_a_token();
    assert!(!trusted.err.contains("is not checked"), "{}", trusted.err);
    pbx.stop().await;
}

/// A server that answers everything with this.
async fn answering(reply: &str) -> reqchain::services::mock::Running {
    let text = format!("routes:\n  - route: ANY /{{rest*}}\n    reply: {reply}\n");
    let source: Arc<Source> = Source::text("m.yaml", text);
    let mock = Mock::parse(&source).unwrap_or_else(|problems| panic!("{problems}"));
    start(mock, Clock::fixed(0)).await.expect("a port is free")
}

#[tokio::test]
async fn a_page_of_a_proxy_is_told_from_an_answer_of_the_api() {
    let page = "'<!DOCTYPE html><html><head><title>Corporate sign-in</title></head><body>who?</body></html>'";
    let proxy = answering(&format!("{{ headers: {{ Content-Type: text/html }}, body: {page} }}")).await;
    for (flow, output, server) in FLOWS {
        let called = token_of(flow, output, &["--input", &format!("{server}={}", proxy.origin())]).await;
        assert!([Some(1), Some(3)].contains(&called.code), "{}", called.err);
        assert_eq!(called.out, "");
        says(&called.err, &["the body is HTML", "Corporate sign-in", "an HTML page came: a proxy"]);
    }
    proxy.stop().await;
}

#[tokio::test]
async fn an_error_inside_of_a_200_is_told_as_one() {
    let reply = "{ json: { result: false, data: [], messages: { error: [Database is locked] } } }";
    let pbx = answering(reply).await;
    let called = token_of("mikopbx", "access_token", &["--input", &format!("pbx={}", pbx.origin())]).await;
    assert!([Some(1), Some(3)].contains(&called.code), "{}", called.err);
    assert_eq!(called.out, "");
    says(&called.err, &["the server said: Database is locked", "$.result"]);
    pbx.stop().await;
}

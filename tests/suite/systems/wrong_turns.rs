//! What goes wrong with every system sooner or later: each wrong turn is told with what happened,
//! what the server said and what to do next, ends in the documented exit code, and leaves stdout
//! empty, so that a shell never takes a message for a token.

use serde_json::json;
use tokio::task::{JoinSet, spawn_blocking};

use crate::scenario::{Called, Cli, Server, says};
use crate::systems::{MINUTE, System};

/// The flows, who can log in at their mocks, and the output that is their token.
const FLOWS: [(&str, &str, &str); 5] = [
    ("mikopbx", "admin", "access_token"),
    ("platform", "ann", "access_token"),
    ("mindbaz", "ann@example.com", "access_token"),
    ("wildix", "100", "service_token"),
    ("datarhei", "admin", "access_token"),
];

/// What a shell does to have an output of a flow from a server, which the environment names as it does
/// who can log in there.
async fn output_at(flow: &str, output: &str, origin: &str, more: &str) -> Called {
    let (_, user, _) = FLOWS.into_iter().find(|(name, ..)| *name == flow).expect("a flow");
    let name = |part: &str| format!("{}_{part}", flow.to_uppercase());
    let cli = Cli::shipped()
        .env(&name("URL"), origin)
        .env(&name("USER"), user)
        .env(&name("PASSWORD"), "offline-only");
    call(cli, format!("run workflows/{flow}.yaml --output value:{output} {more}")).await
}

/// The same for the token.
async fn token_at(flow: &str, origin: &str, more: &str) -> Called {
    let (.., output) = FLOWS.into_iter().find(|(name, ..)| *name == flow).expect("a flow");
    output_at(flow, output, origin, more).await
}

/// Calls the command while the servers of this test go on.
async fn call(cli: Cli, words: String) -> Called {
    spawn_blocking(move || cli.call(&words)).await.expect("no panic")
}

const WRONG: &str = "--input password=not-this-one";

impl Called {
    /// It gave a token and nothing else.
    #[track_caller]
    fn gives_a_token(&self) {
        self.passed();
        let token = self.out.strip_suffix('\n').unwrap_or_else(|| panic!("no line: {self:?}"));
        assert!(token.len() >= 16 && !token.contains(char::is_whitespace), "{self:?}");
        assert!(!self.err.contains(token), "{}", self.err);
    }
}

#[test]
fn a_shell_gets_the_token_alone() {
    for (flow, _, output) in FLOWS {
        let words = format!("run workflows/{flow}.yaml --mock --output value:{output}");
        Cli::shipped().call(&words).gives_a_token();
    }
}

#[tokio::test]
async fn a_wrong_password_is_told_in_the_servers_words() {
    const DATARHEI: &str = "Unauthorized: Invalid authorization credentials: invalid username or password";
    const BODY: &str = "check the user name, the password";
    const FIELDS: &str = "check the user name and the password";
    let cases = [
        ("mikopbx", "401", "Invalid login or password", BODY),
        ("platform", "401", "invalid_credentials", BODY),
        ("mindbaz", "400", "invalid_grant", FIELDS),
        ("wildix", "401", "Unauthorized", FIELDS),
        ("datarhei", "401", DATARHEI, BODY),
    ];
    for (flow, status, said, help) in cases {
        let quick = [("refusal_delay", json!("1ms"))];
        let system = System::start(flow, if flow == "datarhei" { &quick } else { &[] }).await;
        let called = token_at(flow, system.origin(), WRONG).await;
        called.fails(4, &[status, &format!("the server said: {said}"), help]);
    }
}

#[tokio::test]
async fn whoever_is_locked_out_is_told_to_wait() {
    let cases = [
        (
            "mikopbx",
            10,
            "Invalid login or password",
            "Too many login attempts. Please try again in 300 seconds.",
            "wait a while",
        ),
        ("platform", 5, "invalid_credentials", "too_many_requests", "wait 1m, and then try once"),
    ];
    for (flow, attempts, refused, locked, help) in cases {
        let system = System::start(flow, &[]).await;
        let wrong = format!("{WRONG} --repeat {attempts}");
        token_at(flow, system.origin(), &wrong).await.fails(4, &[refused]);
        let said = format!("the server said: {locked}");
        token_at(flow, system.origin(), "").await.fails(1, &["429 Too Many Requests", &said, help]);
    }
}

/// Runs a workflow of the test's own with what it reads as `BASE` and `TOKEN`.
async fn run_text(text: &str, base: &str, token: &Called) -> Called {
    let cli = Cli::new(&[("flow.yaml", text)]).env("BASE", base).env("TOKEN", token.out.trim_end());
    call(cli, "run flow.yaml --output vars".to_owned()).await
}

#[tokio::test]
async fn an_access_token_that_is_over_is_told_from_a_wrong_password() {
    const FLOW: &str = r"
inputs: { base: { env: BASE }, token: { env: TOKEN } }
steps:
  - request: { url: '{{ base }}/api/v3/process', auth: { bearer: '{{ token }}' } }
";
    let core = System::start("datarhei", &[]).await;
    let token = token_at("datarhei", core.origin(), "").await;
    token.gives_a_token();
    core.pass(10 * MINUTE);
    let said = "the server said: Unauthorized: Missing or invalid JWT token";
    let help = "does not take this token: it has ended";
    run_text(FLOW, core.origin(), &token).await.fails(4, &["401", said, help, "log in again"]);
}

#[tokio::test]
async fn a_refresh_token_that_was_used_is_told_from_a_wrong_password() {
    const FLOW: &str = r"
inputs: { base: { env: BASE }, token: { env: TOKEN } }
steps:
  - id: refresh
    request: &refresh
      url: '{{ base }}/oauth2/token'
      form: { grant_type: refresh_token, refresh_token: '{{ token }}', client_id: 100 }
  - id: again
    request: *refresh
";
    let sso = System::start("mindbaz", &[]).await;
    let token = output_at("mindbaz", "refresh_token", sso.origin(), "").await;
    token.gives_a_token();
    let parts = [
        "✓ refresh",
        "✗ again",
        "the server said: invalid_grant",
        "the refresh token was used already",
        "log in again",
    ];
    run_text(FLOW, sso.origin(), &token).await.fails(4, &parts);
}

#[tokio::test]
async fn every_system_refuses_a_dead_token_and_nobody_is_sent_to_look_for_a_password() {
    let bearer = |path: &str| format!("{{ url: '{{{{ base }}}}{path}', auth: {{ bearer: dead-token }} }}");
    let taken = "does not take this token";
    let cases = [
        ("mikopbx", bearer("/pbxcore/api/v3/extensions"), taken),
        ("platform", bearer("/v1/skills"), taken),
        ("mindbaz", bearer("/api/1234/fields/list"), taken),
        ("wildix", bearer("/api/v1/me"), taken),
        ("datarhei", bearer("/api/v3/process"), taken),
        ("datarhei", bearer("/api/login/refresh"), taken),
        (
            "platform",
            "{ url: '{{ base }}/v1/auth/refresh', json: { refresh_token: dead-token } }".to_owned(),
            "the refresh token was used already",
        ),
        (
            "mikopbx",
            "{ method: POST, url: '{{ base }}/pbxcore/api/v3/auth:refresh', headers: { Cookie: refreshToken=dead } }"
                .to_owned(),
            "does not take the cookie",
        ),
    ];
    for (name, request, help) in cases {
        let system = System::start(name, &[]).await;
        let flow = format!("inputs: {{ base: {{ env: BASE }} }}\nsteps:\n  - request: {request}\n");
        let cli = Cli::new(&[("flow.yaml", &flow)]).env("BASE", system.origin());
        let called = call(cli, "run flow.yaml --output vars".to_owned()).await;
        called.fails(4, &["401", help, "log in again"]);
        assert!(!called.err.contains("password"), "{}", called.err);
    }
}

#[tokio::test]
async fn a_server_that_is_down_is_told_with_its_address() {
    let nobody = Server::nobody("nobody");
    let address = nobody.origin.trim_start_matches("http://").to_owned();
    // Each tries again after a while, so that all of them wait at once.
    let mut calls = JoinSet::new();
    for (flow, ..) in FLOWS {
        let origin = nobody.origin.clone();
        calls.spawn(async move { token_at(flow, &origin, "").await });
    }
    for called in calls.join_all().await {
        called.fails(3, &[&format!("{address} refused the connection"), "is the server running"]);
    }
}

#[tokio::test]
async fn a_name_that_nobody_knows_is_told() {
    // No resolver is asked for a name with an empty label.
    let parts = ["cannot find the address of `pbx..invalid`", "is the name spelt right"];
    token_at("mikopbx", "http://pbx..invalid", "").await.fails(3, &parts);
}

#[tokio::test]
async fn a_certificate_of_its_own_is_trusted_by_its_file_first_and_blindly_last() {
    let pbx = System::start_tls("mikopbx", &[]).await;
    let called = token_at("mikopbx", pbx.origin(), "").await;
    called.fails(3, &["no TLS connection", "self-signed", "tls: { ca: server.pem }", "insecure"]);
    let at = |what: &str| called.err.find(what).unwrap_or_else(|| panic!("no {what}: {}", called.err));
    assert!(at("ca: server.pem") < at("insecure: true"), "{}", called.err);

    let blind = token_at("mikopbx", pbx.origin(), "--input insecure=true").await;
    blind.gives_a_token();
    says(&blind.err, &["warning", "is not checked"]);

    let text = std::fs::read_to_string("workflows/mikopbx.yaml").expect("it is shipped");
    let text = text.replace(r#"tls: { insecure: "{{ insecure }}" }"#, "tls: { ca: ca.pem }");
    let files = [
        ("mikopbx.yaml", text.as_str()),
        ("ca.pem", pbx.running.certificate().expect("TLS")),
        // It is named, and not used.
        ("mocks/mikopbx.yaml", "routes: []\n"),
    ];
    let cli = Cli::new(&files)
        .env("MIKOPBX_URL", pbx.origin())
        .env("MIKOPBX_USER", "admin")
        .env("MIKOPBX_PASSWORD", "offline-only");
    let trusted = call(cli, "run mikopbx.yaml --output value:access_token".to_owned()).await;
    trusted.gives_a_token();
    assert!(!trusted.err.contains("is not checked"), "{}", trusted.err);
}

/// A server that answers everything with this.
async fn answering(reply: &str) -> System {
    System::of(&format!("routes: [{{ route: 'ANY /{{rest*}}', reply: {reply} }}]\n")).await
}

#[tokio::test]
async fn a_page_of_a_proxy_is_told_from_an_answer_of_the_api() {
    const PAGE: &str =
        "'<!DOCTYPE html><html><head><title>Corporate sign-in</title></head><body>who?</body></html>'";
    let proxy = answering(&format!("{{ headers: {{ Content-Type: text/html }}, body: {PAGE} }}")).await;
    for (flow, ..) in FLOWS {
        let parts = ["the body is HTML", "Corporate sign-in", "an HTML page came: a proxy"];
        token_at(flow, proxy.origin(), "").await.fails(3, &parts);
    }
}

#[tokio::test]
async fn an_error_inside_of_a_200_is_told_as_one() {
    let reply = "{ json: { result: false, data: [], messages: { error: [Database is locked] } } }";
    let pbx = answering(reply).await;
    let parts = ["the server said: Database is locked", "$.result"];
    token_at("mikopbx", pbx.origin(), "").await.fails(3, &parts);
}

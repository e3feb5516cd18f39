//! The shipped workflows: each loads without a word and passes under its own mock; and the mocks
//! answer as the real servers do, quirks included, since otherwise a workflow that passes under
//! them would prove nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use reqchain::document::workflow::Workflow;
use reqchain::ground::clock::Clock;
use reqchain::ground::value::{Map, Value};
use reqchain::services::mock::{Mock, Running, start};
use reqchain::services::runner::Runner;
use serde_json::{Value as Json, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

fn workflows() -> Vec<PathBuf> {
    let folder = fs::read_dir("workflows").expect("workflows are shipped");
    let paths = folder.map(|entry| entry.expect("the folder can be read").path());
    let mut paths: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|ending| ending == "yaml")).collect();
    paths.sort();
    assert!(!paths.is_empty());
    paths
}

#[tokio::test]
async fn every_shipped_workflow_loads_without_a_word_and_passes_under_its_mock() {
    for path in workflows() {
        let workflow = Workflow::load(&path).unwrap_or_else(|problems| panic!("{problems}"));
        assert!(workflow.warnings.0.is_empty(), "{}", workflow.warnings);
        // Without an environment of its own, so that nobody's variables decide how it goes.
        let run = Runner::new(&workflow).environment([]).mock().run().await;
        let finished = run.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(finished.passed(), "{}: {:#?}", path.display(), finished.outcome);
    }
}

#[tokio::test]
async fn the_wildix_chain_yields_a_service_token() {
    let workflow =
        Workflow::load(Path::new("workflows/wildix.yaml")).unwrap_or_else(|problems| panic!("{problems}"));
    let finished = Runner::new(&workflow).environment([]).mock().run().await.expect("it runs");
    let token = finished.output("service_token").expect("it is an output");
    assert_eq!(token.split('.').count(), 3, "a JWT");
    assert_eq!(finished.output("expires_in").as_deref(), Some("3600"));
}

#[test]
fn the_wildix_chain_is_short_enough_to_be_read_at_a_glance() {
    let text = fs::read_to_string("workflows/wildix.yaml").expect("it is shipped");
    assert!(text.lines().count() <= 45, "{} lines", text.lines().count());
}

/// The mock of Wildix at a time of its own.
struct Wildix {
    running: Running,
    clock: Clock,
}

/// What came over the wire.
#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    json: Json,
}

impl Wildix {
    async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// With these entries of its state changed.
    async fn start_with(state: &[(&str, Value)]) -> Self {
        let mut mock = Mock::load(Path::new("workflows/mocks/wildix.yaml"))
            .unwrap_or_else(|problems| panic!("{problems}"));
        let mut members: Map = mock.state.as_object().expect("a state is an object").clone();
        for (name, value) in state {
            members.insert(Arc::from(*name), value.clone());
        }
        mock.state = members.into();
        let clock = Clock::fixed(1_700_000_000_000);
        let running = start(mock, clock.clone()).await.expect("a port is free");
        Self { running, clock }
    }

    /// Sends a request as plain bytes: no client of ours stands between.
    async fn send(&self, method: &str, path: &str, headers: &[&str], body: &str) -> Answer {
        let address = self.running.origin().strip_prefix("http://").expect("it is plain http");
        let mut stream = TcpStream::connect(address).await.expect("it listens");
        let mut request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {}\r\n",
            body.len()
        );
        for header in headers {
            request.push_str(header);
            request.push_str("\r\n");
        }
        request.push_str("\r\n");
        request.push_str(body);
        stream.write_all(request.as_bytes()).await.expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("it answers");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status line");
        Answer { status, head: head.to_owned(), json: serde_json::from_str(body).unwrap_or(Json::Null) }
    }

    async fn personal(&self) -> String {
        // 100:offline-only
        let answer = self.send("GET", "/api/v1/personal/token/?service=auth.wildix.com", &[BASIC], "").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.text("/result/token")
    }

    async fn exchange(&self, personal: &str) -> Answer {
        self.send("GET", "/api/v2/Token/", &[&format!("authorization: Bearer {personal}")], "").await
    }

    async fn access(&self) -> String {
        self.exchange(&self.personal().await).await.text("/result/accessToken")
    }

    async fn service(&self, access: &str, body: &Json) -> Answer {
        let headers =
            [format!("authorization: Bearer {access}"), "content-type: application/json".to_owned()];
        let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
        self.send("POST", "/api/v2/OpenId/service/", &headers, &body.to_string()).await
    }

    async fn me(&self, token: &str) -> Answer {
        self.send("GET", "/api/v1/me", &[&format!("authorization: Bearer {token}")], "").await
    }

    /// Nothing broke in it, and every request had a route.
    async fn stop(self) {
        let failures: Vec<String> =
            self.running.failures().iter().map(|failure| failure.render(false)).collect();
        assert!(failures.is_empty(), "{}", failures.join("\n"));
        self.running.stop().await;
    }
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let found =
            lines.filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value).next();
        found.unwrap_or_else(|| panic!("no header {name}: {self:?}"))
    }

    fn text(&self, pointer: &str) -> String {
        let found = self.json.pointer(pointer).and_then(Json::as_str);
        found.unwrap_or_else(|| panic!("no text at {pointer}: {self:?}")).to_owned()
    }

    #[track_caller]
    fn is_refused(&self, status: u16, reason: &str) {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.json, json!({ "type": "error", "reason": reason, "result": null }));
    }
}

/// `100:offline-only` as RFC 7617 writes it.
const BASIC: &str = "authorization: Basic MTAwOm9mZmxpbmUtb25seQ==";

fn wanted() -> Json {
    json!({ "aud": "https://api.x-bees.com", "scope": "xbees" })
}

#[tokio::test]
async fn every_answer_comes_in_the_house_envelope() {
    let wildix = Wildix::start().await;
    let personal = wildix.send("GET", "/api/v1/personal/token/", &[BASIC], "").await;
    assert_eq!(personal.json["type"], "result");
    assert_eq!(personal.header("content-type"), "application/json");
    let access = wildix.exchange(&personal.text("/result/token")).await;
    assert_eq!((&access.json["type"], &access.json["result"]["expiresIn"]), (&json!("result"), &json!(3600)));
    let service = wildix.service(&access.text("/result/accessToken"), &wanted()).await;
    assert_eq!(
        (&service.json["type"], &service.json["result"]["expiresIn"]),
        (&json!("result"), &json!(3600))
    );
    let me = wildix.me(&service.text("/result/accessToken")).await;
    assert_eq!((me.status, &me.json["result"]["extension"]), (200, &json!("100")));
    wildix.stop().await;
}

#[tokio::test]
async fn a_wrong_password_is_a_401_that_asks_for_basic() {
    let wildix = Wildix::start().await;
    // 100:wrong, then nobody at all.
    for headers in [&["authorization: Basic MTAwOndyb25n"][..], &[]] {
        let answer = wildix.send("GET", "/api/v1/personal/token/", headers, "").await;
        answer.is_refused(401, "Unauthorized");
        assert_eq!(answer.header("www-authenticate"), "Basic realm=\"WMS\"");
    }
    wildix.stop().await;
}

#[tokio::test]
async fn a_personal_token_is_good_for_one_authentication_only() {
    let wildix = Wildix::start().await;
    let personal = wildix.personal().await;
    assert_eq!(wildix.exchange(&personal).await.status, 200);
    wildix.exchange(&personal).await.is_refused(401, "Unauthorized");
    wildix.exchange("invented").await.is_refused(401, "Unauthorized");
    wildix.stop().await;
}

#[tokio::test]
async fn every_token_ends_when_its_time_has_come() {
    let wildix = Wildix::start().await;
    let (in_time, too_late) = (wildix.personal().await, wildix.personal().await);
    wildix.clock.advance(59_999);
    let access = wildix.exchange(&in_time).await.text("/result/accessToken");
    wildix.clock.advance(1);
    wildix.exchange(&too_late).await.is_refused(401, "Unauthorized");

    wildix.clock.advance(3_599_000 - 1);
    let service = wildix.service(&access, &wanted()).await.text("/result/accessToken");
    wildix.clock.advance(1_001);
    wildix.service(&access, &wanted()).await.is_refused(401, "Unauthorized");

    assert_eq!(wildix.me(&service).await.status, 200, "it is younger than what bought it");
    wildix.clock.advance(3_600_000);
    wildix.me(&service).await.is_refused(401, "Unauthorized");
    wildix.stop().await;
}

#[tokio::test]
async fn a_token_of_one_kind_is_no_token_of_another() {
    let wildix = Wildix::start().await;
    let access = wildix.access().await;
    let service = wildix.service(&access, &wanted()).await.text("/result/accessToken");
    wildix.exchange(&access).await.is_refused(401, "Unauthorized");
    wildix.service(&service, &wanted()).await.is_refused(401, "Unauthorized");
    wildix.me(&access).await.is_refused(401, "Unauthorized");
    wildix.stop().await;
}

#[tokio::test]
async fn the_pbx_does_not_mind_the_case_of_a_path_and_the_sign_on_service_does() {
    let wildix = Wildix::start().await;
    for path in ["/api/v1/personal/token/", "/api/v1/Personal/Token/"] {
        assert_eq!(wildix.send("GET", path, &[BASIC], "").await.status, 200, "{path}");
    }
    let access = format!("authorization: Bearer {}", wildix.personal().await);
    assert_eq!(wildix.send("GET", "/api/v2/token/", &[&access], "").await.status, 404);
    assert_eq!(wildix.running.unmatched().len(), 1);
    wildix.stop().await;
}

#[tokio::test]
async fn a_personal_token_is_a_jwt_where_one_is_asked_for() {
    let wildix = Wildix::start().await;
    assert_eq!(wildix.personal().await.matches('.').count(), 0);
    let answer = wildix.send("GET", "/api/v1/personal/token/?type=JWT", &[BASIC], "").await;
    let token = answer.text("/result/token");
    assert!(token.starts_with("eyJ") && token.matches('.').count() == 2, "{token}");
    assert_eq!(wildix.exchange(&token).await.status, 200);
    wildix.stop().await;
}

#[tokio::test]
async fn an_unknown_audience_or_scope_is_refused_by_name() {
    let wildix = Wildix::start().await;
    let access = wildix.access().await;
    let nobody = json!({ "aud": "https://nobody.example.com", "scope": "xbees" });
    wildix.service(&access, &nobody).await.is_refused(400, "Invalid audience");
    let everything = json!({ "aud": "https://api.x-bees.com", "scope": "everything" });
    wildix.service(&access, &everything).await.is_refused(400, "invalid_scope");
    wildix.service(&access, &json!({})).await.is_refused(400, "Invalid audience");
    assert_eq!(wildix.service(&access, &wanted()).await.status, 200, "a refusal costs nothing");
    wildix.stop().await;
}

#[tokio::test]
async fn a_service_token_may_come_as_rfc_8693_has_it() {
    let wildix = Wildix::start_with(&[("rfc8693", true.into())]).await;
    let answer = wildix.service(&wildix.access().await, &wanted()).await;
    let names: Vec<&String> = answer.json.as_object().expect("an object").keys().collect();
    assert_eq!(answer.json["token_type"], "Bearer");
    assert_eq!(answer.json["issued_token_type"], "urn:ietf:params:oauth:token-type:access_token");
    assert_eq!((&answer.json["expires_in"], &answer.json["scope"]), (&json!(3600), &json!("xbees")));
    assert_eq!(names.len(), 5, "and no envelope: {names:?}");
    assert_eq!(wildix.me(&answer.text("/access_token")).await.status, 200);
    wildix.stop().await;
}

#[tokio::test]
async fn a_cookie_of_the_login_stands_in_for_the_password() {
    let wildix = Wildix::start().await;
    let form = "content-type: application/x-www-form-urlencoded";
    let refused = wildix.send("POST", "/api/v1/personal/login", &[form], "login=100&password=wrong").await;
    refused.is_refused(401, "Unauthorized");
    let answer =
        wildix.send("POST", "/api/v1/personal/login", &[form], "login=100&password=offline-only").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let cookie = answer.header("set-cookie").split(';').next().unwrap_or_default().to_owned();
    assert!(cookie.starts_with("PHPSESSID=") && cookie.len() > 20, "{cookie}");
    let token = wildix.send("GET", "/api/v1/personal/token/", &[&format!("cookie: {cookie}")], "").await;
    assert_eq!(wildix.exchange(&token.text("/result/token")).await.status, 200);
    let invented = wildix.send("GET", "/api/v1/personal/token/", &["cookie: PHPSESSID=invented"], "").await;
    invented.is_refused(401, "Unauthorized");
    wildix.stop().await;
}

//! The mock of a Wildix PBX and its sign-on service, row by row.

use serde_json::{Value as Json, json};

use crate::systems::{Answer, System};

/// The mock, and what is asked of it again and again.
struct Wildix {
    system: System,
}

impl Wildix {
    async fn start() -> Self {
        Self { system: System::start("wildix", &[]).await }
    }

    async fn personal(&self) -> String {
        // 100:offline-only
        let answer =
            self.system.send("GET", "/api/v1/personal/token/?service=auth.wildix.com", &[BASIC], "").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.text("/result/token")
    }

    async fn exchange(&self, personal: &str) -> Answer {
        self.system.send("GET", "/api/v2/Token/", &[&format!("authorization: Bearer {personal}")], "").await
    }

    async fn access(&self) -> String {
        self.exchange(&self.personal().await).await.text("/result/accessToken")
    }

    async fn service(&self, access: &str, body: &Json) -> Answer {
        let headers =
            [format!("authorization: Bearer {access}"), "content-type: application/json".to_owned()];
        let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
        self.system.send("POST", "/api/v2/OpenId/service/", &headers, &body.to_string()).await
    }

    async fn me(&self, token: &str) -> Answer {
        self.system.send("GET", "/api/v1/me", &[&format!("authorization: Bearer {token}")], "").await
    }
}

#[track_caller]
fn is_refused(answer: &Answer, status: u16, reason: &str) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.json, json!({ "type": "error", "reason": reason, "result": null }));
}

/// `100:offline-only` as RFC 7617 writes it.
const BASIC: &str = "authorization: Basic MTAwOm9mZmxpbmUtb25seQ==";

fn wanted() -> Json {
    json!({ "aud": "https://api.x-bees.com", "scope": "xbees" })
}

#[tokio::test]
async fn every_answer_comes_in_the_house_envelope() {
    let wildix = Wildix::start().await;
    let personal = wildix.system.send("GET", "/api/v1/personal/token/", &[BASIC], "").await;
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
    wildix.system.stop().await;
}

#[tokio::test]
async fn a_wrong_password_is_a_401_that_asks_for_basic() {
    let wildix = Wildix::start().await;
    // 100:wrong, then nobody at all.
    for headers in [&["authorization: Basic MTAwOndyb25n"][..], &[]] {
        let answer = wildix.system.send("GET", "/api/v1/personal/token/", headers, "").await;
        is_refused(&answer, 401, "Unauthorized");
        assert_eq!(answer.header("www-authenticate"), "Basic realm=\"WMS\"");
    }
    wildix.system.stop().await;
}

#[tokio::test]
async fn a_personal_token_is_good_for_one_authentication_only() {
    let wildix = Wildix::start().await;
    let personal = wildix.personal().await;
    assert_eq!(wildix.exchange(&personal).await.status, 200);
    is_refused(&wildix.exchange(&personal).await, 401, "Unauthorized");
    is_refused(&wildix.exchange("invented").await, 401, "Unauthorized");
    wildix.system.stop().await;
}

#[tokio::test]
async fn every_token_ends_when_its_time_has_come() {
    let wildix = Wildix::start().await;
    let (in_time, too_late) = (wildix.personal().await, wildix.personal().await);
    wildix.system.clock.advance(59_999);
    let access = wildix.exchange(&in_time).await.text("/result/accessToken");
    wildix.system.clock.advance(1);
    is_refused(&wildix.exchange(&too_late).await, 401, "Unauthorized");

    wildix.system.clock.advance(3_599_000 - 1);
    let service = wildix.service(&access, &wanted()).await.text("/result/accessToken");
    wildix.system.clock.advance(1_001);
    is_refused(&wildix.service(&access, &wanted()).await, 401, "Unauthorized");

    assert_eq!(wildix.me(&service).await.status, 200, "it is younger than what bought it");
    wildix.system.clock.advance(3_600_000);
    is_refused(&wildix.me(&service).await, 401, "Unauthorized");
    wildix.system.stop().await;
}

#[tokio::test]
async fn a_token_of_one_kind_is_no_token_of_another() {
    let wildix = Wildix::start().await;
    let access = wildix.access().await;
    let service = wildix.service(&access, &wanted()).await.text("/result/accessToken");
    is_refused(&wildix.exchange(&access).await, 401, "Unauthorized");
    is_refused(&wildix.service(&service, &wanted()).await, 401, "Unauthorized");
    is_refused(&wildix.me(&access).await, 401, "Unauthorized");
    wildix.system.stop().await;
}

#[tokio::test]
async fn the_pbx_does_not_mind_the_case_of_a_path_and_the_sign_on_service_does() {
    let wildix = Wildix::start().await;
    for path in ["/api/v1/personal/token/", "/api/v1/Personal/Token/"] {
        assert_eq!(wildix.system.send("GET", path, &[BASIC], "").await.status, 200, "{path}");
    }
    let access = format!("authorization: Bearer {}", wildix.personal().await);
    assert_eq!(wildix.system.send("GET", "/api/v2/token/", &[&access], "").await.status, 404);
    assert_eq!(wildix.system.unmatched(), 1);
    wildix.system.stop().await;
}

#[tokio::test]
async fn a_personal_token_is_a_jwt_where_one_is_asked_for() {
    let wildix = Wildix::start().await;
    assert_eq!(wildix.personal().await.matches('.').count(), 0);
    let answer = wildix.system.send("GET", "/api/v1/personal/token/?type=JWT", &[BASIC], "").await;
    let token = answer.text("/result/token");
    assert!(token.starts_with("eyJ") && token.matches('.').count() == 2, "{token}");
    assert_eq!(wildix.exchange(&token).await.status, 200);
    wildix.system.stop().await;
}

#[tokio::test]
async fn an_unknown_audience_or_scope_is_refused_by_name() {
    let wildix = Wildix::start().await;
    let access = wildix.access().await;
    let nobody = json!({ "aud": "https://nobody.example.com", "scope": "xbees" });
    is_refused(&wildix.service(&access, &nobody).await, 400, "Invalid audience");
    let everything = json!({ "aud": "https://api.x-bees.com", "scope": "everything" });
    is_refused(&wildix.service(&access, &everything).await, 400, "invalid_scope");
    is_refused(&wildix.service(&access, &json!({})).await, 400, "Invalid audience");
    assert_eq!(wildix.service(&access, &wanted()).await.status, 200, "a refusal costs nothing");
    wildix.system.stop().await;
}

#[tokio::test]
async fn a_service_token_may_come_as_rfc_8693_has_it() {
    let wildix = Wildix { system: System::start("wildix", &[("rfc8693", json!(true))]).await };
    let answer = wildix.service(&wildix.access().await, &wanted()).await;
    let names: Vec<&String> = answer.json.as_object().expect("an object").keys().collect();
    assert_eq!(answer.json["token_type"], "Bearer");
    assert_eq!(answer.json["issued_token_type"], "urn:ietf:params:oauth:token-type:access_token");
    assert_eq!((&answer.json["expires_in"], &answer.json["scope"]), (&json!(3600), &json!("xbees")));
    assert_eq!(names.len(), 5, "and no envelope: {names:?}");
    assert_eq!(wildix.me(&answer.text("/access_token")).await.status, 200);
    wildix.system.stop().await;
}

#[tokio::test]
async fn a_cookie_of_the_login_stands_in_for_the_password() {
    let wildix = Wildix::start().await;
    let form = "content-type: application/x-www-form-urlencoded";
    let refused =
        wildix.system.send("POST", "/api/v1/personal/login", &[form], "login=100&password=wrong").await;
    is_refused(&refused, 401, "Unauthorized");
    let answer = wildix
        .system
        .send("POST", "/api/v1/personal/login", &[form], "login=100&password=offline-only")
        .await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let cookie = answer.header("set-cookie").split(';').next().unwrap_or_default().to_owned();
    assert!(cookie.starts_with("PHPSESSID=") && cookie.len() > 20, "{cookie}");
    let token =
        wildix.system.send("GET", "/api/v1/personal/token/", &[&format!("cookie: {cookie}")], "").await;
    assert_eq!(wildix.exchange(&token.text("/result/token")).await.status, 200);
    let invented =
        wildix.system.send("GET", "/api/v1/personal/token/", &["cookie: PHPSESSID=invented"], "").await;
    is_refused(&invented, 401, "Unauthorized");
    wildix.system.stop().await;
}

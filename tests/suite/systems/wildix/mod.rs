//! The mock of a Wildix PBX and its sign-on service, row by row.

mod signed;

use serde_json::{Value as Json, json};

use crate::systems::{Answer, HOUR, Jwt, MILLISECOND, MINUTE, MONTH, NOW, SECOND, System, bearer};

/// The mock, and what is asked of it again and again.
struct Wildix {
    system: System,
}

impl Wildix {
    async fn start() -> Self {
        Self::with(&[]).await
    }

    async fn with(state: &[(&str, Json)]) -> Self {
        Self { system: System::start("wildix", state).await }
    }

    async fn get(&self, path: &str, headers: &[&str]) -> Answer {
        self.system.send("GET", path, headers, "").await
    }

    async fn login(&self, form: &str) -> Answer {
        self.system.send_form("POST", "/api/v1/personal/login", &[], form).await
    }

    async fn personal(&self) -> String {
        self.personal_as(BASIC).await
    }

    async fn personal_as(&self, header: &str) -> String {
        let answer = self.get(PERSONAL, &[header]).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.text("/result/token")
    }

    async fn exchange(&self, personal: &str) -> Answer {
        self.get("/api/v2/Token/", &[&bearer(personal)]).await
    }

    async fn access(&self) -> String {
        self.exchange(&self.personal().await).await.text("/result/accessToken")
    }

    async fn service(&self, access: &str, body: &Json) -> Answer {
        self.system.send_json("POST", "/api/v2/OpenId/service/", &[&bearer(access)], body).await
    }

    async fn me(&self, token: &str) -> Answer {
        self.get("/api/v1/me", &[&bearer(token)]).await
    }
}

/// Where a personal token for the sign-on service comes from.
const PERSONAL: &str = "/api/v1/personal/token/?service=auth.wildix.com";

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
async fn a_personal_token_is_good_for_one_authentication_only() {
    let wildix = Wildix::start().await;
    let personal = wildix.personal().await;
    assert_eq!(wildix.exchange(&personal).await.status, 200);
    is_refused(&wildix.exchange(&personal).await, 401, "Unauthorized");
    is_refused(&wildix.exchange("invented").await, 401, "Unauthorized");
}

#[tokio::test]
async fn every_token_ends_when_its_time_has_come() {
    let wildix = Wildix::start().await;
    let (in_time, too_late) = (wildix.personal().await, wildix.personal().await);
    wildix.system.pass(MINUTE - MILLISECOND);
    let access = wildix.exchange(&in_time).await.text("/result/accessToken");
    wildix.system.pass(MILLISECOND);
    is_refused(&wildix.exchange(&too_late).await, 401, "Unauthorized");

    wildix.system.pass(HOUR - SECOND - MILLISECOND);
    let service = wildix.service(&access, &wanted()).await.text("/result/accessToken");
    wildix.system.pass(SECOND + MILLISECOND);
    is_refused(&wildix.service(&access, &wanted()).await, 401, "Unauthorized");

    assert_eq!(wildix.me(&service).await.status, 200, "it is younger than what bought it");
    wildix.system.pass(HOUR);
    is_refused(&wildix.me(&service).await, 401, "Unauthorized");
}

#[tokio::test]
async fn a_token_of_one_kind_is_no_token_of_another() {
    let wildix = Wildix::start().await;
    let access = wildix.access().await;
    let service = wildix.service(&access, &wanted()).await.text("/result/accessToken");
    is_refused(&wildix.exchange(&access).await, 401, "Unauthorized");
    is_refused(&wildix.service(&service, &wanted()).await, 401, "Unauthorized");
    is_refused(&wildix.me(&access).await, 401, "Unauthorized");
}

#[tokio::test]
async fn every_answer_comes_in_the_house_envelope() {
    let wildix = Wildix::start().await;
    let personal = wildix.get(PERSONAL, &[BASIC]).await;
    let token = personal.text("/result/token");
    assert_eq!(personal.body, format!(r#"{{"type":"result","result":{{"token":"{token}"}}}}"#));
    assert_eq!(personal.header("content-type"), "application/json");
    assert_eq!(token.len(), 60, "{token}");
    let access = wildix.exchange(&token).await;
    let token = access.text("/result/accessToken");
    let expected = format!(r#"{{"type":"result","result":{{"accessToken":"{token}","expiresIn":3600}}}}"#);
    assert_eq!(access.body, expected);
    let service = wildix.service(&token, &wanted()).await;
    let token = service.text("/result/accessToken");
    let expected = format!(r#"{{"type":"result","result":{{"accessToken":"{token}","expiresIn":3600}}}}"#);
    assert_eq!(service.body, expected);
    let me = wildix.me(&token).await;
    assert_eq!((me.status, &me.json["result"]["extension"]), (200, &json!("100")));
    let refused = wildix.me("invented").await;
    assert_eq!(refused.body, r#"{"type":"error","reason":"Unauthorized","result":null}"#);
}

#[tokio::test]
async fn a_wrong_password_is_a_401_that_asks_for_basic() {
    let wildix = Wildix::start().await;
    // 100:wrong, 102:offline-only, what is no base64, nobody at all.
    let lines =
        ["MTAwOndyb25n", "MTAyOm9mZmxpbmUtb25seQ==", "!"].map(|pair| format!("authorization: Basic {pair}"));
    for headers in lines.iter().map(|line| vec![line.as_str()]).chain([vec![]]) {
        let answer = wildix.get(PERSONAL, &headers).await;
        is_refused(&answer, 401, "Unauthorized");
        assert_eq!(answer.header("www-authenticate"), "Basic realm=\"WMS\"", "{headers:?}");
    }
}

#[tokio::test]
async fn only_the_first_step_asks_for_a_password() {
    let wildix = Wildix::start().await;
    let answers = [
        wildix.login("login=100&password=wrong").await,
        wildix.system.send("POST", "/api/v1/Personal/Token", &[], "").await,
        wildix.exchange("invented").await,
        wildix.service("invented", &wanted()).await,
        wildix.me("invented").await,
        wildix.get("/api/v1/Colleagues/", &[]).await,
    ];
    for answer in answers {
        is_refused(&answer, 401, "Unauthorized");
        assert!(answer.headers("www-authenticate").is_empty(), "{answer:?}");
    }
}

#[tokio::test]
async fn the_pbx_does_not_mind_the_case_of_a_path_and_the_sign_on_service_does() {
    let mut wildix = Wildix::start().await;
    wildix.system.expect_unmatched(3);
    for path in ["/api/v1/personal/token/", "/api/v1/Personal/Token/", "/API/V1/PERSONAL/TOKEN/"] {
        assert_eq!(wildix.get(path, &[BASIC]).await.status, 200, "{path}");
    }
    for path in ["/api/v1/personal/token", "/api/v1/Personal/Token"] {
        assert_eq!(wildix.system.send("POST", path, &[BASIC], "").await.status, 200, "{path}");
    }
    for path in ["/api/v1/personal/login", "/api/v1/Personal/Login"] {
        let answer = wildix.system.send_form("POST", path, &[], "login=100&password=offline-only").await;
        assert_eq!(answer.status, 200, "{path}");
    }
    let access = bearer(&wildix.personal().await);
    assert_eq!(wildix.get("/api/v2/token/", &[&access]).await.status, 404);
    assert_eq!(wildix.get("/api/v2/Token", &[&access]).await.status, 404, "the slash belongs to it");
    assert_eq!(wildix.system.send("POST", "/api/v2/openid/service/", &[], "").await.status, 404);
}

#[tokio::test]
async fn a_personal_token_is_a_jwt_where_one_is_asked_for() {
    let wildix = Wildix::start().await;
    assert_eq!(wildix.personal().await.matches('.').count(), 0);
    let answer = wildix.get(&format!("{PERSONAL}&type=JWT"), &[BASIC]).await;
    let token = answer.text("/result/token");
    assert_eq!(Jwt::read(&token).claims["sub"], json!("100"));
    assert_eq!(wildix.exchange(&token).await.status, 200);
}

#[tokio::test]
async fn a_personal_token_that_names_no_service_is_not_for_the_sign_on_service() {
    let wildix = Wildix::start().await;
    let token = wildix.get("/api/v1/personal/token/", &[BASIC]).await.text("/result/token");
    is_refused(&wildix.exchange(&token).await, 401, "Unauthorized");
}

#[tokio::test]
async fn a_reset_takes_back_the_personal_tokens_of_one_user() {
    let wildix = Wildix::start().await;
    // 101:offline-only
    let other = wildix.personal_as("authorization: Basic MTAxOm9mZmxpbmUtb25seQ==").await;
    let (first, second) = (wildix.personal().await, wildix.personal().await);
    let reset = "/api/v1/Personal/Token?service=auth.wildix.com";
    let fresh = wildix.system.send("POST", reset, &[BASIC], "").await.text("/result/token");
    is_refused(&wildix.exchange(&first).await, 401, "Unauthorized");
    is_refused(&wildix.exchange(&second).await, 401, "Unauthorized");
    assert_eq!(wildix.exchange(&fresh).await.status, 200);
    assert_eq!(wildix.exchange(&other).await.status, 200);
}

#[tokio::test]
async fn an_access_token_buys_a_service_token_again_and_again() {
    let wildix = Wildix::start().await;
    let access = wildix.access().await;
    let first = wildix.service(&access, &wanted()).await.text("/result/accessToken");
    wildix.system.pass(30 * MINUTE);
    let second = wildix.service(&access, &wanted()).await.text("/result/accessToken");
    assert_ne!(first, second);
    wildix.system.pass(30 * MINUTE);
    is_refused(&wildix.me(&first).await, 401, "Unauthorized");
    assert_eq!(wildix.me(&second).await.status, 200, "it ends later");
    is_refused(&wildix.service(&access, &wanted()).await, 401, "Unauthorized");
}

#[tokio::test]
async fn a_service_token_tells_for_whom_and_what_it_is() {
    let wildix = Wildix::start().await;
    let token = wildix.service(&wildix.access().await, &wanted()).await.text("/result/accessToken");
    let claims = Jwt::read(&token).claims;
    assert_eq!((&claims["aud"], &claims["scope"]), (&json!("https://api.x-bees.com"), &json!("xbees")));
    assert_eq!((&claims["sub"], &claims["exp"]), (&json!("100"), &json!(NOW + 3600)));
}

#[tokio::test]
async fn an_unknown_audience_or_scope_is_refused_by_name() {
    let wildix = Wildix::start().await;
    let access = wildix.access().await;
    is_refused(&wildix.service(&access, &nobody()).await, 400, "Invalid audience");
    is_refused(&wildix.service(&access, &everything()).await, 400, "invalid_scope");
    is_refused(&wildix.service(&access, &json!({})).await, 400, "Invalid audience");
    assert_eq!(wildix.service(&access, &wanted()).await.status, 200, "a refusal costs nothing");
}

fn nobody() -> Json {
    json!({ "aud": "https://nobody.example.com", "scope": "xbees" })
}

fn everything() -> Json {
    json!({ "aud": "https://api.x-bees.com", "scope": "everything" })
}

#[tokio::test]
async fn a_service_token_may_come_as_rfc_8693_has_it() {
    let wildix = Wildix::with(&[("rfc8693", json!(true))]).await;
    let access = wildix.access().await;
    let answer = wildix.service(&access, &wanted()).await;
    let token = answer.text("/access_token");
    let expected = json!({
        "access_token": token, "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "token_type": "Bearer", "expires_in": 3600, "scope": "xbees",
    });
    assert_eq!((answer.status, &answer.json), (200, &expected), "and no envelope");
    assert_eq!(wildix.me(&token).await.status, 200);
    let wrong = [
        (wildix.service(&access, &nobody()).await, "invalid_target"),
        (wildix.service(&access, &everything()).await, "invalid_scope"),
    ];
    for (refused, error) in &wrong {
        assert_eq!((refused.status, &refused.json), (400, &json!({ "error": error })));
    }
    for answer in [&answer, &wrong[0].0, &wrong[1].0] {
        assert_eq!((answer.header("cache-control"), answer.header("pragma")), ("no-store", "no-cache"));
    }
}

/// What a browser would send back: the name and the value.
#[track_caller]
fn session(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{answer:?}");
    let cookie = answer.headers("set-cookie")[0].split(';').next().unwrap_or_default();
    format!("cookie: {cookie}")
}

#[tokio::test]
async fn a_cookie_of_the_login_stands_in_for_the_password() {
    let wildix = Wildix::start().await;
    for wrong in ["login=100&password=wrong", "login=102&password=offline-only", "login=100", ""] {
        is_refused(&wildix.login(wrong).await, 401, "Unauthorized");
    }
    let cookie = session(&wildix.login("login=100&password=offline-only").await);
    let token = wildix.personal_as(&cookie).await;
    assert_eq!(wildix.exchange(&token).await.status, 200);
    is_refused(&wildix.get(PERSONAL, &["cookie: PHPSESSID=invented"]).await, 401, "Unauthorized");
}

#[tokio::test]
async fn the_cookie_comes_twice_with_dashes_in_its_date() {
    let wildix = Wildix::start().await;
    let answer = wildix.login("login=100&password=offline-only").await;
    let [first, second] = answer.headers("set-cookie")[..] else { panic!("not two: {answer:?}") };
    assert_eq!(first, second);
    let id = first.strip_prefix("PHPSESSID=").and_then(|rest| rest.split(';').next()).unwrap_or_default();
    assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
    // An hour after Tue, 14 Nov 2023 22:13:20.
    assert_eq!(first, format!("PHPSESSID={id}; expires=Tue, 14-Nov-2023 23:13:20 GMT; path=/"));
}

#[tokio::test]
async fn a_login_that_is_to_be_remembered_outlives_one_that_is_not() {
    let wildix = Wildix::start().await;
    let plain = session(&wildix.login("login=100&password=offline-only&remember=0").await);
    let answer = wildix.login("login=100&password=offline-only&remember=1").await;
    assert!(
        answer.headers("set-cookie")[0].contains("; expires=Thu, 14-Dec-2023 22:13:20 GMT;"),
        "{answer:?}"
    );
    let remembered = session(&answer);
    wildix.system.pass(HOUR - MILLISECOND);
    assert_eq!(wildix.get(PERSONAL, &[&plain]).await.status, 200);
    wildix.system.pass(MILLISECOND);
    is_refused(&wildix.get(PERSONAL, &[&plain]).await, 401, "Unauthorized");
    assert_eq!(wildix.get(PERSONAL, &[&remembered]).await.status, 200);
    wildix.system.pass(MONTH);
    is_refused(&wildix.get(PERSONAL, &[&remembered]).await, 401, "Unauthorized");
}

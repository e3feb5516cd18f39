//! The mock of the sign-on service of Mindbaz and of its API, row by row.

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};

use crate::systems::{Answer, DAY, FORM, Jwt, MILLISECOND, MINUTE, NOW, System, bearer};

/// The mock, and what is asked of it again and again.
struct Mindbaz {
    system: System,
}

/// What the mock's own user says.
const LOGIN: &str = "grant_type=password&username=ann%40example.com&password=offline-only&client_id=100";

impl Mindbaz {
    async fn start() -> Self {
        Self::with(&[]).await
    }

    async fn with(state: &[(&str, Json)]) -> Self {
        Self { system: System::start("mindbaz", state).await }
    }

    async fn token(&self, form: &str) -> Answer {
        self.system.send_form("POST", "/oauth2/token", &[], form).await
    }

    async fn login(&self) -> Answer {
        let answer = self.token(LOGIN).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer
    }

    async fn refresh(&self, token: &str) -> Answer {
        self.token(&format!("grant_type=refresh_token&refresh_token={token}&client_id=100")).await
    }

    async fn call(&self, headers: &[&str]) -> Answer {
        self.system.send("GET", "/api/1234/fields/list", headers, "").await
    }

    async fn call_with(&self, token: &str) -> Answer {
        self.call(&[&bearer(token)]).await
    }
}

#[track_caller]
fn is_refused(answer: &Answer, error: &str) {
    assert_eq!((answer.status, &answer.json), (400, &json!({ "error": error })), "{answer:?}");
}

#[tokio::test]
async fn a_login_answers_with_four_members_in_their_order() {
    let mindbaz = Mindbaz::start().await;
    let answer = mindbaz.login().await;
    let expected = format!(
        r#"{{"access_token":"{}","token_type":"bearer","expires_in":1199,"refresh_token":"{}"}}"#,
        answer.text("/access_token"),
        answer.text("/refresh_token")
    );
    assert_eq!(answer.body, expected);
}

#[tokio::test]
async fn an_access_token_lives_for_a_second_more_than_it_is_said_to() {
    let mindbaz = Mindbaz::start().await;
    let answer = mindbaz.login().await;
    let claims = Jwt::read(&answer.text("/access_token")).claims;
    assert_eq!((&claims["iat"], &claims["exp"]), (&json!(NOW), &json!(NOW + 1200)));
    assert_eq!(answer.json["expires_in"], json!(1199));
}

#[tokio::test]
async fn the_head_and_the_claims_of_an_access_token_have_the_order_of_the_sample() {
    let mindbaz = Mindbaz::start().await;
    let Jwt { head, claims, .. } = Jwt::read(&mindbaz.login().await.text("/access_token"));
    assert_eq!(head.to_string(), r#"{"alg":"HS256","typ":"JWT"}"#);
    let expected = format!(
        "{{\"iss\":\"https://sso.mindbaz.com\",\"iat\":{NOW},\"jti\":{},\"name\":\"ann@example.com\",\
         \"sub\":\"ann@example.com\",\"email\":\"ann@example.com\",\"exp\":{},\"aud\":\"RestAPI\",\"cookey\":{}}}",
        claims["jti"],
        NOW + 1200,
        claims["cookey"]
    );
    assert_eq!(claims.to_string(), expected);
}

#[tokio::test]
async fn two_tokens_of_one_second_differ_by_a_uuid_and_a_key_in_base64() {
    let mindbaz = Mindbaz::start().await;
    let (mut ids, mut keys) = (HashSet::new(), HashSet::new());
    for _ in 0..2 {
        let claims = Jwt::read(&mindbaz.login().await.text("/access_token")).claims;
        let id = claims["jti"].as_str().expect("a text").to_owned();
        let parts: Vec<usize> = id.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12], "{id}");
        let key = claims["cookey"].as_str().expect("a text").to_owned();
        let inner = STANDARD.decode(&key).expect("base64");
        assert_eq!(STANDARD.decode(inner).expect("base64 within").len(), 16);
        assert!(ids.insert(id) && keys.insert(key));
    }
}

#[tokio::test]
async fn a_refresh_token_is_a_uuid_without_its_dashes() {
    let mindbaz = Mindbaz::start().await;
    let token = mindbaz.login().await.text("/refresh_token");
    assert_eq!(token.len(), 32, "{token}");
    assert!(token.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')), "{token}");
    assert_eq!(token.as_bytes()[12], b'4', "a random UUID: {token}");
}

#[tokio::test]
async fn both_an_answer_and_a_refusal_say_that_nothing_may_be_kept() {
    let mindbaz = Mindbaz::start().await;
    for answer in [mindbaz.login().await, mindbaz.refresh("invented").await] {
        assert_eq!(answer.header("content-type"), "application/json;charset=UTF-8");
        assert_eq!(answer.header("cache-control"), "no-cache");
        assert_eq!(answer.header("pragma"), "no-cache");
        assert_eq!(answer.header("expires"), "-1");
        assert!(answer.headers("www-authenticate").is_empty(), "{answer:?}");
    }
}

#[tokio::test]
async fn every_refusal_is_a_400_that_says_why() {
    let mindbaz = Mindbaz::start().await;
    let cases = [
        ("", "invalid_client"),
        ("grant_type=password&username=ann%40example.com&password=offline-only", "invalid_client"),
        (&LOGIN.replace("100", "1234"), "invalid_client"),
        ("grant_type=invented&client_id=1", "invalid_client"),
        ("client_id=100", "unsupported_grant_type"),
        ("grant_type=client_credentials&client_id=100", "unsupported_grant_type"),
        (&LOGIN.replace("offline", "online"), "invalid_grant"),
        (&LOGIN.replace("ann", "bob"), "invalid_grant"),
        ("grant_type=refresh_token&refresh_token=invented&client_id=100", "invalid_grant"),
        ("grant_type=password&username=ann%40example.com&client_id=100", "invalid_request"),
        ("grant_type=password&password=offline-only&client_id=100", "invalid_request"),
        ("grant_type=refresh_token&client_id=100", "invalid_request"),
    ];
    for (form, error) in cases {
        let answer = mindbaz.token(form).await;
        assert_eq!(answer.body, format!(r#"{{"error":"{error}"}}"#), "{form}");
        is_refused(&answer, error);
    }
}

#[tokio::test]
async fn a_mode_refuses_by_401_as_the_documentation_says() {
    let mindbaz = Mindbaz::with(&[("status", json!(401))]).await;
    let answer = mindbaz.refresh("invented").await;
    assert_eq!((answer.status, &answer.json), (401, &json!({ "error": "invalid_grant" })));
    assert!(answer.headers("www-authenticate").is_empty(), "{answer:?}");
    mindbaz.login().await;
}

#[tokio::test]
async fn the_names_of_a_form_mean_the_same_in_any_case_and_its_values_do_not() {
    let mindbaz = Mindbaz::start().await;
    for (as_written, otherwise) in [
        ("client_id", "client_Id"),
        ("grant_type", "GRANT_TYPE"),
        ("username", "UserName"),
        ("password=offline", "Password=offline"),
    ] {
        let form = LOGIN.replace(as_written, otherwise);
        assert_ne!(form, LOGIN);
        assert_eq!(mindbaz.token(&form).await.status, 200, "{form}");
    }
    is_refused(&mindbaz.token(&LOGIN.replace("=password", "=Password")).await, "unsupported_grant_type");
    is_refused(&mindbaz.token(&LOGIN.replace("ann", "Ann")).await, "invalid_grant");
}

#[tokio::test]
async fn a_field_that_stands_twice_is_both_its_values() {
    let mindbaz = Mindbaz::start().await;
    is_refused(&mindbaz.token(&format!("{LOGIN}&client_id=100")).await, "invalid_client");
    is_refused(&mindbaz.token(&format!("{LOGIN}&Client_Id=100")).await, "invalid_client");
    is_refused(&mindbaz.token(&format!("{LOGIN}&password=offline-only")).await, "invalid_grant");
}

#[tokio::test]
async fn a_password_is_what_the_form_says_once_it_is_decoded() {
    let mindbaz =
        Mindbaz::with(&[("users", json!({ "ann@example.com": { "password": "p&ss w%rd=+ü#" } }))]).await;
    for (password, status) in [("p%26ss+w%25rd%3D%2B%C3%BC%23", 200), ("p%26ss+w%25rd%3D+%C3%BC%23", 400)] {
        let form = LOGIN.replace("offline-only", password);
        assert_eq!(mindbaz.token(&form).await.status, status, "{form}");
    }
}

#[tokio::test]
async fn a_refresh_buys_a_new_pair_for_the_same_user_and_leaves_the_old_access_token_alone() {
    let mindbaz = Mindbaz::start().await;
    let first = mindbaz.login().await;
    mindbaz.system.pass(10 * MINUTE);
    let second = mindbaz.refresh(&first.text("/refresh_token")).await;
    assert_eq!(second.status, 200, "{second:?}");
    assert_eq!((&second.json["token_type"], &second.json["expires_in"]), (&json!("bearer"), &json!(1199)));
    let claims = Jwt::read(&second.text("/access_token")).claims;
    assert_eq!((&claims["sub"], &claims["exp"]), (&json!("ann@example.com"), &json!(NOW + 1800)));
    for answer in [&first, &second] {
        assert_eq!(mindbaz.call_with(&answer.text("/access_token")).await.status, 200);
    }
    assert_ne!(first.text("/refresh_token"), second.text("/refresh_token"));
}

#[tokio::test]
async fn a_refresh_token_is_good_once_and_takes_no_other_down_with_it() {
    let mindbaz = Mindbaz::start().await;
    let (one, other) = (mindbaz.login().await, mindbaz.login().await);
    let next = mindbaz.refresh(&one.text("/refresh_token")).await;
    is_refused(&mindbaz.refresh(&one.text("/refresh_token")).await, "invalid_grant");
    assert_eq!(mindbaz.refresh(&next.text("/refresh_token")).await.status, 200, "its successor");
    assert_eq!(mindbaz.refresh(&other.text("/refresh_token")).await.status, 200, "that of another login");
}

#[tokio::test]
async fn a_refresh_token_is_used_even_if_the_answer_is_lost() {
    let mindbaz = Mindbaz::with(&[("lose_refreshes", json!(1))]).await;
    let token = mindbaz.login().await.text("/refresh_token");
    let body = format!("grant_type=refresh_token&refresh_token={token}&client_id=100");
    mindbaz.system.send_lost("POST", "/oauth2/token", &[FORM], &body).await;
    is_refused(&mindbaz.refresh(&token).await, "invalid_grant");

    let token = mindbaz.login().await.text("/refresh_token");
    assert_eq!(mindbaz.refresh(&token).await.status, 200, "only the first answer is lost");
}

#[tokio::test]
async fn a_refresh_token_ends_after_seven_days() {
    let mindbaz = Mindbaz::start().await;
    let (in_time, too_late) = (mindbaz.login().await, mindbaz.login().await);
    mindbaz.system.pass(7 * DAY - MILLISECOND);
    assert_eq!(mindbaz.refresh(&in_time.text("/refresh_token")).await.status, 200);
    mindbaz.system.pass(MILLISECOND);
    is_refused(&mindbaz.refresh(&too_late.text("/refresh_token")).await, "invalid_grant");
}

#[tokio::test]
async fn nothing_is_said_of_a_lifetime_that_rounds_to_none() {
    for (seconds, said) in [(0, None), (1, None), (2, Some(1))] {
        let mindbaz = Mindbaz::with(&[("access_lifetime", json!(seconds))]).await;
        let answer = mindbaz.login().await;
        assert_eq!(answer.json.get("expires_in").and_then(Json::as_i64), said, "{answer:?}");
        assert_eq!(answer.body.matches(':').count(), if said.is_some() { 4 } else { 3 }, "{answer:?}");
    }
}

#[tokio::test]
async fn an_access_token_opens_the_api_until_it_ends() {
    let mindbaz = Mindbaz::start().await;
    let token = mindbaz.login().await.text("/access_token");
    mindbaz.system.pass(20 * MINUTE - MILLISECOND);
    let answer = mindbaz.call_with(&token).await;
    assert_eq!((answer.status, &answer.json["success"]), (200, &json!(true)));
    assert!(answer.headers("x-ratelimit-limit").is_empty(), "only a key is counted: {answer:?}");
    mindbaz.system.pass(MILLISECOND);
    assert_eq!(mindbaz.call_with(&token).await.status, 401);
}

#[tokio::test]
async fn the_api_refuses_without_a_word() {
    let mindbaz = Mindbaz::start().await;
    let login = mindbaz.login().await;
    let token = login.text("/access_token");
    let (signed, signature) = token.rsplit_once('.').expect("three parts");
    let forged = format!("{signed}.{}", signature.chars().rev().collect::<String>());
    let unsigned = format!("{signed}.");
    let refresh = login.text("/refresh_token");
    let lines = [&forged, &unsigned, &refresh, ""].map(bearer);
    let basic = format!("authorization: Basic {token}");
    let lines = lines.iter().chain([&basic]).map(|line| vec![line.as_str()]).chain([vec![]]);
    for headers in lines {
        let answer = mindbaz.call(&headers).await;
        assert_eq!((answer.status, &*answer.body), (401, ""), "{headers:?}: {answer:?}");
        assert!(answer.headers("www-authenticate").is_empty(), "{answer:?}");
    }
    let elsewhere = mindbaz.system.send("GET", "/api/4321/fields/list", &[&bearer(&token)], "").await;
    assert_eq!((elsewhere.status, &*elsewhere.body), (401, ""), "the site of somebody else");
}

/// `limit`, `remaining` and `reset` of an answer.
#[track_caller]
fn counters(answer: &Answer) -> [i64; 3] {
    ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"]
        .map(|name| answer.header(name).parse().expect("a number"))
}

const KEY: &str = "x-api-key: offline-only-key";

#[tokio::test]
async fn a_key_opens_the_api_and_tells_how_many_calls_are_left_in_this_minute() {
    let mindbaz = Mindbaz::start().await;
    for left in [599, 598] {
        let answer = mindbaz.call(&[KEY]).await;
        assert_eq!((answer.status, &answer.json["success"]), (200, &json!(true)));
        assert_eq!(counters(&answer), [600, left, NOW + 60]);
    }
    mindbaz.system.pass(MINUTE);
    assert_eq!(counters(&mindbaz.call(&[KEY]).await), [600, 599, NOW + 120], "a new minute");
}

#[tokio::test]
async fn a_key_that_has_no_call_left_waits_for_the_next_minute() {
    let mindbaz = Mindbaz::with(&[("limit", json!(2))]).await;
    assert_eq!(mindbaz.call(&[KEY]).await.status, 200);
    assert_eq!(mindbaz.call(&[KEY]).await.status, 200);
    mindbaz.system.pass(MINUTE - MILLISECOND);
    let answer = mindbaz.call(&[KEY]).await;
    assert_eq!((answer.status, counters(&answer)), (429, [2, 0, NOW + 60]));
    let token = mindbaz.login().await.text("/access_token");
    assert_eq!(mindbaz.call_with(&token).await.status, 200, "a token is not counted");
    mindbaz.system.pass(MILLISECOND);
    assert_eq!(mindbaz.call(&[KEY]).await.status, 200);
}

#[tokio::test]
async fn a_wrong_key_opens_nothing_and_counts_nothing() {
    let mindbaz = Mindbaz::start().await;
    let token = mindbaz.login().await.text("/access_token");
    // A key is looked at in place of a token, not beside it.
    for headers in [&["x-api-key: invented"][..], &["x-api-key: invented", &bearer(&token)]] {
        let answer = mindbaz.call(headers).await;
        assert_eq!((answer.status, &*answer.body), (401, ""), "{answer:?}");
    }
    let elsewhere = mindbaz.system.send("GET", "/api/4321/fields/list", &[KEY], "").await;
    assert_eq!(elsewhere.status, 401, "a key is for some sites");
    assert_eq!(counters(&mindbaz.call(&[KEY]).await)[1], 599);
}

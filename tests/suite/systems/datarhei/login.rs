//! `POST /api/login`: what it gives, and how it refuses.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value as Json, json};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::systems::datarhei::{Core, has_plain_headers, is_missing, is_wrong, password};
use crate::systems::{SECOND, bearer};

const WRONG: &str = "invalid username or password";

#[tokio::test]
async fn a_login_gives_two_tokens_and_nothing_else() {
    let core = Core::start().await;
    let answer = core.post_login(&[], &password()).await;
    let (access, refresh) = (answer.text("/access_token"), answer.text("/refresh_token"));
    assert_eq!(answer.status, 200);
    let expected = format!("{{\"access_token\":\"{access}\",\"refresh_token\":\"{refresh}\"}}\n");
    assert_eq!(answer.body, expected);
    assert_eq!(answer.header("content-type"), "application/json");
    has_plain_headers(&answer);
}

#[tokio::test]
async fn a_wrong_password_and_a_wrong_user_are_refused_with_the_same_words() {
    let core = Core::start().await;
    for (username, password) in [
        ("admin", "wrong"),
        ("nobody", "offline-only"),
        ("Admin", "offline-only"),
        ("admin", "offline-only "),
    ] {
        is_wrong(&core.post_login(&[], &json!({ "username": username, "password": password })).await, WRONG);
    }
}

#[tokio::test]
async fn a_json_body_with_a_field_missing_or_empty_is_no_credentials() {
    let core = Core::start().await;
    for body in [
        json!({}),
        json!({ "username": "admin" }),
        json!({ "password": "offline-only" }),
        json!({ "username": "admin", "password": "" }),
        json!({ "username": "", "password": "offline-only" }),
        json!({ "username": "admin", "password": null }),
        json!({ "username": "admin", "password": 7 }),
        json!(["admin", "offline-only"]),
        Json::Null,
    ] {
        is_missing(&core.post_login(&[], &body).await);
    }
}

#[tokio::test]
async fn a_body_that_is_not_json_or_not_said_to_be_is_no_credentials() {
    let core = Core::start().await;
    let right = password().to_string();
    let post = async |media: &str, body: &str| {
        core.system.send("POST", "/api/login", &[&format!("content-type: {media}")], body).await
    };
    is_missing(&post("application/x-www-form-urlencoded", "username=admin&password=offline-only").await);
    is_missing(&post("text/json", &right).await);
    is_missing(&post("text/plain", &right).await);
    is_missing(&post("application/json", "").await);
    is_missing(&post("application/json", "{\"username\":\"admin\",").await);
    is_missing(&core.system.send("POST", "/api/login", &[], &right).await);
    is_missing(&core.system.send("POST", "/api/login", &[], "").await);
    assert_eq!(post("application/json; charset=utf-8", &right).await.status, 200);
}

#[tokio::test]
async fn further_fields_and_a_domain_in_the_query_are_ignored() {
    let core = Core::start().await;
    let body = json!({ "username": "admin", "password": "offline-only", "otp": "123", "remember": true });
    let answer = core.system.send_json("POST", "/api/login?domain=elsewhere", &[], &body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[tokio::test]
async fn a_token_is_no_credentials_for_a_login_with_a_password() {
    let core = Core::start().await;
    let header = bearer(&core.login().await.access);
    is_missing(&core.system.send("POST", "/api/login", &[&header], "").await);
    assert_eq!(core.post_login(&["authorization: Bearer no.such.token"], &password()).await.status, 200);
}

#[tokio::test]
async fn no_number_of_refusals_locks_anybody_out() {
    let core = Core::start().await;
    for _ in 0..20 {
        is_wrong(&core.post_login(&[], &json!({ "username": "admin", "password": "wrong" })).await, WRONG);
    }
    assert_eq!(core.post_login(&[], &password()).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn every_refusal_comes_after_five_seconds_and_a_login_at_once() {
    let core = Core::slow(&[]).await;
    let bodies = [(json!({ "username": "admin", "password": "wrong" }), 401), (json!({}), 400)];
    for (body, status) in bodies {
        let start = Instant::now();
        assert_eq!(core.post_login(&[], &body).await.status, status);
        assert_eq!(start.elapsed(), 5 * SECOND, "{body}");
    }
    let start = Instant::now();
    core.login().await;
    assert_eq!(start.elapsed(), Duration::ZERO);
    is_unauthorized_at_once(&core).await;
}

async fn is_unauthorized_at_once(core: &Core) {
    let start = Instant::now();
    assert_eq!(core.call("no token").await.status, 401);
    assert_eq!(core.refresh("no token").await.status, 401);
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn refusals_wait_side_by_side_and_hold_nobody_else_up() {
    let core = Arc::new(Core::slow(&[]).await);
    let start = Instant::now();
    let mut logins = JoinSet::new();
    for attempt in 0..8 {
        let core = Arc::clone(&core);
        logins.spawn(async move {
            let body = json!({ "username": "admin", "password": format!("wrong {attempt}") });
            (core.post_login(&[], &body).await.status, start.elapsed())
        });
    }
    let others = Arc::clone(&core);
    let between = tokio::spawn(async move {
        tokio::time::sleep(SECOND).await;
        others.login().await;
        start.elapsed()
    });
    for (status, after) in logins.join_all().await {
        assert_eq!((status, after), (401, 5 * SECOND));
    }
    assert_eq!(between.await.expect("it came to an end"), SECOND);
}

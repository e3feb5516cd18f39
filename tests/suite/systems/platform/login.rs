//! The login: what it gives, for which scopes, and what it refuses.

use serde_json::json;

use crate::systems::platform::{Platform, is_refused};
use crate::systems::{HOUR, Jwt, MONTH, NOW, SECOND, seconds};

#[tokio::test]
async fn a_login_answers_with_four_members_that_nobody_may_keep() {
    let platform = Platform::start().await;
    let answer = platform.login("").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let (access, refresh) = (answer.text("/access_token"), answer.text("/refresh_token"));
    let expected = format!(
        r#"{{"access_token":"{access}","refresh_token":"{refresh}","expires_in":3600,"token_type":"Bearer"}}"#
    );
    assert_eq!(answer.body, expected);
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!((answer.header("cache-control"), answer.header("pragma")), ("no-store", "no-cache"));
    assert!(answer.headers("set-cookie").is_empty());
}

#[tokio::test]
async fn an_access_token_is_a_jwt_by_hs256_with_these_claims_in_this_order() {
    let platform = Platform::start().await;
    let token = Jwt::read(&platform.access("read:skills").await);
    assert_eq!(token.head, json!({ "alg": "HS256", "typ": "JWT" }));
    let expected = format!(
        r#"{{"sub":"u-1001","name":"Ann Example","email":"ann@example.com","roles":["admin","editor"],"iat":{NOW},"exp":{},"scope":"read:skills"}}"#,
        NOW + 3600
    );
    assert_eq!(token.claims.to_string(), expected);
    assert!(token.is_signed_by("the key of the mock's access tokens"));
}

#[tokio::test]
async fn a_refresh_token_is_a_jwt_too_and_no_two_are_alike() {
    let platform = Platform::start().await;
    let (first, second) = (platform.login("").await, platform.login("").await);
    let Jwt { head, claims, .. } = Jwt::read(&first.text("/refresh_token"));
    assert_eq!(head, json!({ "alg": "HS256", "typ": "JWT" }));
    assert_eq!(claims["sub"], "u-1001");
    assert_eq!((&claims["iat"], &claims["exp"]), (&json!(NOW), &json!(NOW + seconds(MONTH))));
    assert_ne!(first.text("/refresh_token"), second.text("/refresh_token"));
    // Access tokens have nothing to tell them apart: two of the same second are the same.
    assert_eq!(first.text("/access_token"), second.text("/access_token"));
}

#[tokio::test]
async fn scopes_come_by_commas_in_the_query_and_stand_by_blanks_in_the_token() {
    let platform = Platform::start().await;
    let cases = [
        ("?scope=read:skills,write:skills", "read:skills write:skills"),
        ("?scope=write%3Askills%2Cread%3Askills", "write:skills read:skills"),
        ("?scope=admin,admin,read:skills", "admin read:skills"),
        ("?scope=generate:projects", "generate:projects"),
        // Without any, or with none in it, all that the user may have.
        ("", "read:skills write:skills generate:projects admin"),
        ("?scope=", "read:skills write:skills generate:projects admin"),
    ];
    for (query, expected) in cases {
        let claims = Jwt::read(&platform.login(query).await.text("/access_token")).claims;
        assert_eq!(claims["scope"], expected, "{query}");
    }
    let claims = Jwt::read(&platform.login_as("bob", "offline-only", "").await.text("/access_token")).claims;
    assert_eq!((&claims["scope"], &claims["roles"]), (&json!("read:skills"), &json!(["reader"])));
}

#[tokio::test]
async fn a_scope_that_is_unknown_or_not_for_this_user_is_a_400() {
    let platform = Platform::start().await;
    // Blanks separate nothing here, and neither end nor begin a scope.
    let unknown =
        ["read:everything", "read:skills,", "read:skills%20write:skills", "read:skills,+admin", "Admin"];
    for scope in unknown {
        is_refused(&platform.login(&format!("?scope={scope}")).await, 400, "invalid_scope");
    }
    let beyond = platform.login_as("bob", "offline-only", "?scope=write:skills").await;
    is_refused(&beyond, 400, "invalid_scope");
}

#[tokio::test]
async fn wrong_credentials_are_a_401_that_does_not_say_which_half_was_wrong() {
    let platform = Platform::start().await;
    let wrong = platform.login_as("ann", "wrong", "").await;
    is_refused(&wrong, 401, "invalid_credentials");
    let unknown = platform.login_as("nobody", "offline-only", "?scope=read:everything").await;
    assert_eq!((unknown.status, &unknown.body), (401, &wrong.body));
    assert!(wrong.headers("www-authenticate").is_empty(), "no scheme would help");
}

#[tokio::test]
async fn a_body_that_is_malformed_or_lacks_a_field_is_a_400() {
    let platform = Platform::start().await;
    let bodies = [
        "",
        "{",
        "null",
        "[]",
        "7",
        r#""ann""#,
        "{}",
        r#"{"username":"ann"}"#,
        r#"{"password":"offline-only"}"#,
        r#"{"username":"ann","password":""}"#,
        r#"{"username":"","password":"offline-only"}"#,
        r#"{"username":["ann"],"password":"offline-only"}"#,
        r#"{"username":"ann","password":7}"#,
        r#"{"username":"ann","password":null}"#,
        r#"{"Username":"ann","Password":"offline-only"}"#,
    ];
    for body in bodies {
        let answer =
            platform.system.send("POST", "/v1/auth/login", &["content-type: application/json"], body);
        is_refused(&answer.await, 400, "invalid_request");
    }
    let right = r#"{"username":"ann","password":"offline-only"}"#;
    is_refused(&platform.system.send("POST", "/v1/auth/login", &[], right).await, 400, "invalid_request");
    let form = platform.system.send_form("POST", "/v1/auth/login", &[], "username=ann&password=offline-only");
    is_refused(&form.await, 400, "invalid_request");
    is_refused(&platform.login("?scope=admin&scope=admin").await, 400, "invalid_request");
    let more = r#"{"username":"ann","password":"offline-only","remember":true}"#;
    let headers = ["content-type: Application/JSON; charset=utf-8"];
    assert_eq!(platform.system.send("POST", "/v1/auth/login", &headers, more).await.status, 200);
}

#[tokio::test]
async fn lifetimes_can_be_scaled_down() {
    let platform =
        Platform::with(&[("access_lifetime", json!(2)), ("refresh_lifetime", json!(seconds(HOUR)))]).await;
    let answer = platform.login("").await;
    assert_eq!(answer.json["expires_in"], 2);
    platform.system.pass(2 * SECOND);
    assert_eq!(platform.read(&answer.text("/access_token")).await.status, 401);
    platform.system.pass(HOUR - 3 * SECOND);
    assert_eq!(platform.refresh(&answer.text("/refresh_token")).await.json["expires_in"], 2);
    platform.system.pass(SECOND);
    assert_eq!(platform.refresh(&answer.text("/refresh_token")).await.status, 401);
}

//! What a token opens, and the challenges where it does not (RFC 6750, 3).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use crate::systems::platform::{Platform, is_challenged, is_refused};
use crate::systems::{HOUR, Jwt, MILLISECOND, bearer};

const BARE: &str = r#"Bearer realm="api""#;
const INVALID_REQUEST: &str = r#"Bearer realm="api", error="invalid_request""#;
const INVALID_TOKEN: &str = r#"Bearer realm="api", error="invalid_token""#;

#[tokio::test]
async fn whoever_shows_no_bearer_token_is_told_to_and_of_no_error() {
    let platform = Platform::start().await;
    let token = platform.access("read:skills").await;
    let in_the_query = format!("/v1/skills?access_token={token}");
    is_challenged(&platform.system.send("GET", &in_the_query, &[], "").await, 401, "unauthorized", BARE);
    for headers in [&[][..], &["authorization: Basic YW5uOm9mZmxpbmUtb25seQ=="], &["authorization: "]] {
        is_challenged(&platform.read_with(headers).await, 401, "unauthorized", BARE);
    }
    is_challenged(
        &platform.read_with(&[&format!("authorization: {token}")]).await,
        401,
        "unauthorized",
        BARE,
    );
}

#[tokio::test]
async fn a_header_that_is_malformed_is_a_400() {
    let platform = Platform::start().await;
    let right = bearer(&platform.access("read:skills").await);
    let malformed = ["authorization: Bearer", "authorization: Bearer a b", "authorization: Bearer a,b"];
    for header in malformed {
        is_challenged(&platform.read_with(&[header]).await, 400, "invalid_request", INVALID_REQUEST);
    }
    is_challenged(&platform.read_with(&[&right, &right]).await, 400, "invalid_request", INVALID_REQUEST);
    let other_case = right.replace("Bearer", "bEARER");
    assert_eq!(platform.read_with(&[&other_case]).await.status, 200, "the scheme has no case");
}

#[tokio::test]
async fn a_token_that_is_not_ours_is_a_401_by_name() {
    let platform = Platform::start().await;
    let login = platform.login("").await;
    let token = login.text("/access_token");
    let parts: Vec<&str> = token.split('.').collect();
    let more = Jwt::read(&token).claims.to_string().replace("u-1001", "u-9999");
    let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#);
    let tokens = [
        "invented".to_owned(),
        "a.b.c".to_owned(),
        format!("{}.{}.{}", parts[0], URL_SAFE_NO_PAD.encode(more), parts[2]),
        format!("{}.{}.", parts[0], parts[1]),
        format!("{none}.{}.", parts[1]),
        format!("{none}.{}.{}", parts[1], parts[2]),
        // A refresh token opens nothing.
        login.text("/refresh_token"),
    ];
    for token in tokens {
        is_challenged(&platform.read(&token).await, 401, "invalid_token", INVALID_TOKEN);
    }
    assert_eq!(platform.read(&token).await.status, 200);
}

#[tokio::test]
async fn an_access_token_is_dead_in_the_very_second_of_its_end() {
    let platform = Platform::start().await;
    let token = platform.access("read:skills").await;
    platform.system.pass(HOUR - MILLISECOND);
    assert_eq!(platform.read(&token).await.status, 200);
    platform.system.pass(MILLISECOND);
    is_challenged(&platform.read(&token).await, 401, "invalid_token", INVALID_TOKEN);
}

#[tokio::test]
async fn a_missing_scope_is_a_403_that_names_it() {
    let platform = Platform::start().await;
    let cases = [
        ("GET", "/v1/skills", "read:skills", "write:skills,generate:projects"),
        ("POST", "/v1/skills", "write:skills", "read:skills,generate:projects"),
        ("DELETE", "/v1/skills/sk-1", "write:skills", "read:skills"),
        ("POST", "/v1/projects", "generate:projects", "read:skills,write:skills"),
    ];
    for (method, path, needed, granted) in cases {
        let token = bearer(&platform.access(granted).await);
        let answer = platform.system.send(method, path, &[&token], "").await;
        let challenge = format!(r#"Bearer realm="api", error="insufficient_scope", scope="{needed}""#);
        is_challenged(&answer, 403, "insufficient_scope", &challenge);
    }
}

#[tokio::test]
async fn each_scope_opens_what_it_is_named_after_and_admin_implies_all() {
    let platform = Platform::start().await;
    for (read, write, generate) in
        [("read:skills", "write:skills", "generate:projects"), ("admin", "admin", "admin")]
    {
        let write = platform.access(write).await;
        let added = platform.post("/v1/skills", &write, "Tables").await;
        assert_eq!((added.status, added.text("/name")), (201, "Tables".to_owned()), "{added:?}");
        let id = added.text("/id");
        let listed = platform.read(&platform.access(read).await).await;
        assert_eq!(
            listed.json,
            json!([{ "id": "sk-1", "name": "Summaries" }, { "id": id, "name": "Tables" }])
        );
        let path = format!("/v1/skills/{id}");
        assert_eq!(platform.system.send("DELETE", &path, &[&bearer(&write)], "").await.status, 204);
        assert_eq!(platform.system.send("DELETE", &path, &[&bearer(&write)], "").await.status, 404);
        let generate_token = platform.access(generate).await;
        assert_eq!(platform.post("/v1/projects", &generate_token, generate).await.status, 201);
    }
}

#[tokio::test]
async fn what_is_added_or_generated_needs_a_name() {
    let platform = Platform::start().await;
    let token = platform.access("admin").await;
    for path in ["/v1/skills", "/v1/projects"] {
        is_refused(&platform.post(path, &token, "").await, 400, "invalid_request");
    }
}

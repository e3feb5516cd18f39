//! The two tokens: what they say, how long they are good, and for what.

use regex::Regex;
use serde_json::json;

use crate::systems::datarhei::{Core, is_unauthorized};
use crate::systems::{DAY, Jwt, MILLISECOND, MINUTE, NOW, SECOND};

#[tokio::test]
async fn a_token_says_what_it_is_for_in_the_order_of_the_alphabet() {
    let core = Core::start().await;
    let pair = core.login().await;
    for (token, lifetime, used_for) in [(&pair.access, 600, "access"), (&pair.refresh, 86400, "refresh")] {
        let Jwt { head, claims, .. } = Jwt::read(token);
        assert_eq!(head.to_string(), r#"{"alg":"HS256","typ":"JWT"}"#);
        let expected = format!(
            r#"^\{{"exi":{lifetime},"exp":{},"iat":{NOW},"iss":"datarhei-core","jti":"[0-9a-f]{{8}}-[0-9a-f]{{4}}-4[0-9a-f]{{3}}-[89ab][0-9a-f]{{3}}-[0-9a-f]{{12}}","sub":"admin","usefor":"{used_for}"\}}$"#,
            NOW + lifetime,
        );
        let claims = claims.to_string();
        assert!(Regex::new(&expected).expect("a pattern").is_match(&claims), "{claims}");
    }
}

#[tokio::test]
async fn every_token_has_an_id_of_its_own() {
    let core = Core::start().await;
    let (one, other) = (core.login().await, core.login().await);
    let refreshed = core.refresh(&one.refresh).await.text("/access_token");
    let mut ids: Vec<String> = [one.access, one.refresh, other.access, other.refresh, refreshed]
        .iter()
        .map(|token| Jwt::read(token).claims["jti"].to_string())
        .collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 5, "{ids:?}");
}

#[tokio::test]
async fn the_key_of_a_token_is_made_of_user_password_and_secret() {
    let core = Core::start().await;
    let token = Jwt::read(&core.login().await.access);
    assert!(token.is_signed_by("adminoffline-onlythe secret of the mock"));
}

#[tokio::test]
async fn a_refresh_gives_an_access_token_alone() {
    let core = Core::start().await;
    let answer = core.refresh(&core.login().await.refresh).await;
    let access = answer.text("/access_token");
    assert_eq!((answer.status, &answer.body), (200, &format!("{{\"access_token\":\"{access}\"}}\n")));
    let claims = Jwt::read(&access).claims;
    assert_eq!((&claims["usefor"], &claims["sub"]), (&json!("access"), &json!("admin")));
    assert_eq!(core.call(&access).await.status, 200);
}

#[tokio::test]
async fn a_refresh_token_is_good_again_and_again_and_the_old_access_token_stays_good() {
    let core = Core::start().await;
    let pair = core.login().await;
    for _ in 0..5 {
        let access = core.refresh(&pair.refresh).await.text("/access_token");
        assert_eq!(core.call(&access).await.status, 200);
    }
    assert_eq!(core.call(&pair.access).await.status, 200);
}

#[tokio::test]
async fn a_token_of_one_use_is_no_token_of_the_other() {
    let core = Core::start().await;
    let pair = core.login().await;
    is_unauthorized(&core.call(&pair.refresh).await);
    is_unauthorized(&core.refresh(&pair.access).await);
}

#[tokio::test]
async fn both_tokens_end_when_their_time_has_come_without_any_leeway() {
    let core = Core::start().await;
    let pair = core.login().await;
    core.system.pass(10 * MINUTE - MILLISECOND);
    assert_eq!(core.call(&pair.access).await.status, 200);
    core.system.pass(MILLISECOND);
    is_unauthorized(&core.call(&pair.access).await);
    core.system.pass(DAY - 10 * MINUTE - MILLISECOND);
    assert_eq!(core.refresh(&pair.refresh).await.status, 200);
    core.system.pass(MILLISECOND);
    is_unauthorized(&core.refresh(&pair.refresh).await);
}

#[tokio::test]
async fn the_end_of_a_token_is_cut_to_the_whole_second() {
    let core = Core::with(&[("access_lifetime", json!(3))]).await;
    core.system.pass(900 * MILLISECOND);
    let token = core.login().await.access;
    let claims = Jwt::read(&token).claims;
    assert_eq!((&claims["exi"], &claims["exp"]), (&json!(3), &json!(NOW + 3)));
    core.system.pass(2 * SECOND + 99 * MILLISECOND);
    assert_eq!(core.call(&token).await.status, 200);
    core.system.pass(MILLISECOND);
    is_unauthorized(&core.call(&token).await);
}

#[tokio::test]
async fn tokens_outlive_a_restart() {
    let before = Core::start().await;
    let pair = before.login().await;
    let after = Core::start().await;
    assert_eq!(after.call(&pair.access).await.status, 200);
    assert_eq!(after.refresh(&pair.refresh).await.status, 200);
}

#[tokio::test]
async fn another_password_user_or_secret_kills_both_tokens() {
    let pair = Core::start().await.login().await;
    for (name, value) in [("password", "another"), ("username", "root"), ("secret", "another")] {
        let core = Core::with(&[(name, json!(value))]).await;
        is_unauthorized(&core.call(&pair.access).await);
        is_unauthorized(&core.refresh(&pair.refresh).await);
    }
}

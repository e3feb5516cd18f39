//! The refresh: the token that is kept, its end, and every way of rotation.

use serde_json::{Value as Json, json};

use crate::systems::platform::{Platform, is_dead, is_refused};
use crate::systems::{Answer, HOUR, Jwt, MILLISECOND, MONTH, NOW, SECOND, seconds};

/// A mock that rotates, with more of its state changed, and the answer to a login.
async fn rotating(more: &[(&str, Json)]) -> (Platform, String) {
    let platform = Platform::with(&[&[("rotate", json!(true))], more].concat()).await;
    let refresh = platform.login("").await.text("/refresh_token");
    (platform, refresh)
}

/// The next refresh token of an answer that must be one with a pair.
#[track_caller]
fn next(answer: &Answer) -> String {
    let (access, refresh) = (answer.text("/access_token"), answer.text("/refresh_token"));
    let expected = format!(
        r#"{{"access_token":"{access}","refresh_token":"{refresh}","expires_in":3600,"token_type":"Bearer"}}"#
    );
    assert_eq!((answer.status, &answer.body), (200, &expected));
    refresh
}

#[tokio::test]
async fn a_refresh_answers_with_three_members_and_no_refresh_token() {
    let platform = Platform::start().await;
    let refresh = platform.login("").await.text("/refresh_token");
    let answer = platform.refresh(&refresh).await;
    let access = answer.text("/access_token");
    let expected = format!(r#"{{"access_token":"{access}","expires_in":3600,"token_type":"Bearer"}}"#);
    assert_eq!((answer.status, &answer.body), (200, &expected));
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!((answer.header("cache-control"), answer.header("pragma")), ("no-store", "no-cache"));
    assert_eq!(platform.read(&access).await.status, 200);
}

#[tokio::test]
async fn the_kept_refresh_token_is_good_again_and_again_and_the_old_access_token_stays_good() {
    let platform = Platform::start().await;
    let login = platform.login("").await;
    let refresh = login.text("/refresh_token");
    for hour in 1..=3 {
        platform.system.pass(HOUR / 2);
        let claims = Jwt::read(&platform.refresh(&refresh).await.text("/access_token")).claims;
        assert_eq!(claims["iat"], json!(NOW + seconds(hour * HOUR / 2)));
        let old = platform.read(&login.text("/access_token")).await;
        assert_eq!(old.status, if hour == 1 { 200 } else { 401 }, "its own hour decides");
    }
}

#[tokio::test]
async fn a_refreshed_token_may_do_what_the_login_asked_for() {
    let platform = Platform::start().await;
    let login = platform.login("?scope=write:skills,read:skills").await;
    let before = Jwt::read(&login.text("/access_token")).claims;
    platform.system.pass(SECOND);
    let answer = platform.refresh(&login.text("/refresh_token")).await;
    let mut after = Jwt::read(&answer.text("/access_token")).claims;
    assert_eq!(after["scope"], "write:skills read:skills");
    assert_eq!(after["iat"], NOW + 1);
    (after["iat"], after["exp"]) = (before["iat"].clone(), before["exp"].clone());
    assert_eq!(before, after);
}

#[tokio::test]
async fn a_refresh_token_ends_a_month_after_its_login_however_often_it_was_used() {
    let platform = Platform::start().await;
    let refresh = platform.login("").await.text("/refresh_token");
    platform.system.pass(MONTH - MILLISECOND);
    assert_eq!(platform.refresh(&refresh).await.status, 200);
    platform.system.pass(MILLISECOND);
    is_dead(&platform.refresh(&refresh).await);
}

#[tokio::test]
async fn a_refresh_token_that_is_none_is_a_401_by_name() {
    let platform = Platform::start().await;
    let login = platform.login("").await;
    let refresh = login.text("/refresh_token");
    let (body, _) = refresh.rsplit_once('.').expect("a signature");
    let tampered = format!("{body}.AAAA");
    for token in ["invented", "a.b.c", &tampered, &login.text("/access_token")] {
        is_dead(&platform.refresh(token).await);
    }
    assert_eq!(platform.refresh(&refresh).await.status, 200, "that costs the right one nothing");
}

#[tokio::test]
async fn a_dead_refresh_token_may_be_a_400_as_rfc_6749_has_it() {
    let (platform, refresh) = rotating(&[("dead_refresh", json!("invalid_grant"))]).await;
    next(&platform.refresh(&refresh).await);
    for token in ["invented", &refresh] {
        let answer = platform.refresh(token).await;
        assert_eq!((answer.status, &*answer.body), (400, r#"{"error":"invalid_grant"}"#));
    }
}

#[tokio::test]
async fn a_refresh_without_a_token_is_a_400() {
    let platform = Platform::start().await;
    let refresh = platform.login("").await.text("/refresh_token");
    for body in [json!({}), json!({ "refresh_token": "" }), json!({ "refresh_token": 7 }), json!([refresh])] {
        let answer = platform.system.send_json("POST", "/v1/auth/refresh", &[], &body).await;
        is_refused(&answer, 400, "invalid_request");
    }
    let form = format!("grant_type=refresh_token&refresh_token={refresh}");
    let answer = platform.system.send_form("POST", "/v1/auth/refresh", &[], &form).await;
    is_refused(&answer, 400, "invalid_request");
}

#[tokio::test]
async fn with_rotation_each_refresh_gives_a_new_token_for_a_month_and_the_used_one_is_dead() {
    let (platform, first) = rotating(&[]).await;
    platform.system.pass(HOUR);
    let second = next(&platform.refresh(&first).await);
    assert_eq!(Jwt::read(&second).claims["exp"], NOW + seconds(HOUR + MONTH));
    assert_ne!(first, second);
    is_dead(&platform.refresh(&first).await);
    is_dead(&platform.refresh(&first).await);
    let third = next(&platform.refresh(&second).await);
    is_dead(&platform.refresh(&second).await);
    next(&platform.refresh(&third).await);
}

#[tokio::test]
async fn reuse_may_revoke_the_whole_family_and_no_other() {
    let (platform, first) = rotating(&[("reuse", json!("revoke_family"))]).await;
    let other = platform.login("").await.text("/refresh_token");
    let second = next(&platform.refresh(&first).await);
    let answer = platform.refresh(&second).await;
    let third = next(&answer);
    is_dead(&platform.refresh(&first).await);
    for token in [&first, &second, &third] {
        is_dead(&platform.refresh(token).await);
    }
    next(&platform.refresh(&other).await);
    // Nobody asks about an access token: it ends by itself.
    assert_eq!(platform.read(&answer.text("/access_token")).await.status, 200);
}

#[tokio::test]
async fn reuse_may_give_the_same_pair_for_some_seconds() {
    for (more, seconds) in [(&[][..], 10), (&[("grace", json!(5))], 5)] {
        let (platform, first) = rotating(&[&[("reuse", json!("grace"))], more].concat()).await;
        let answer = platform.refresh(&first).await;
        let second = next(&answer);
        assert_eq!(platform.refresh(&first).await.body, answer.body);
        platform.system.pass(seconds * SECOND - MILLISECOND);
        let again = platform.refresh(&first).await;
        assert_eq!(again.text("/access_token"), answer.text("/access_token"));
        assert_eq!(again.text("/refresh_token"), second);
        assert_eq!(again.json["expires_in"], 3601 - seconds, "the token is as old as it is");
        platform.system.pass(MILLISECOND);
        is_dead(&platform.refresh(&first).await);
        next(&platform.refresh(&second).await);
    }
}

#[tokio::test]
async fn without_rotation_reuse_is_no_matter_of_modes() {
    for reuse in ["reject", "revoke_family", "grace"] {
        let platform = Platform::with(&[("reuse", json!(reuse))]).await;
        let refresh = platform.login("").await.text("/refresh_token");
        for _ in 0..3 {
            let answer = platform.refresh(&refresh).await;
            assert_eq!((answer.status, answer.json.get("refresh_token")), (200, None), "{reuse}");
        }
    }
}

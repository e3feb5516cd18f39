//! What was given out, what it opens, and when it ends.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use serde_json::{Value as Json, json};

use crate::systems::mikopbx::{
    API, FORBIDDEN, NO_COOKIE, NO_TOKEN, Pbx, UNAUTHENTICATED, attributes, cookie, credentials, is_halted,
    is_refused, token,
};
use crate::systems::{Jwt, MINUTE, MONTH, NOW, SECOND, System, bearer};

#[tokio::test]
async fn an_access_token_has_its_members_in_this_order_and_lives_for_900_seconds() {
    let pbx = Pbx::start().await;
    let Jwt { head, claims, .. } = Jwt::read(&token(&pbx.login().await));
    assert_eq!(head.to_string(), r#"{"typ":"JWT","alg":"HS256"}"#);
    let expected = format!(
        r#"{{"userId":"admin","role":"admins","language":"en","iat":{NOW},"exp":{},"nbf":{NOW}}}"#,
        NOW + 900
    );
    assert_eq!(claims.to_string(), expected);
}

#[tokio::test]
async fn two_logins_of_one_second_get_the_same_token_and_cookies_of_their_own() {
    let pbx = Pbx::start().await;
    let (first, second) = (pbx.login().await, pbx.login().await);
    assert_eq!(token(&first), token(&second));
    assert_ne!(cookie(&first), cookie(&second));
    pbx.system.pass(SECOND);
    assert_ne!(token(&pbx.login().await), token(&first));
}

#[tokio::test]
async fn the_language_of_a_login_stays_with_its_session() {
    let pbx = Pbx::start().await;
    let mut body = credentials();
    body["language"] = json!("fr");
    let login = pbx.login_by(&body).await;
    let refreshed = pbx.refresh(&cookie(&login)).await;
    for answer in [login, refreshed] {
        assert_eq!(Jwt::read(&token(&answer)).claims["language"], "fr");
    }
}

#[tokio::test]
async fn an_access_token_is_taken_600_seconds_after_its_end_and_before_its_beginning() {
    let pbx = Pbx::start().await;
    let token = token(&pbx.login().await);
    pbx.system.pass(25 * MINUTE);
    assert_eq!(pbx.call("/extensions", &token).await.status, 200, "exp + 600");
    pbx.system.pass(SECOND);
    is_halted(&pbx.call("/extensions", &token).await, 401, UNAUTHENTICATED);
    // The clock of the PBX is put back.
    pbx.system.put_back(35 * MINUTE + SECOND);
    assert_eq!(pbx.call("/extensions", &token).await.status, 200, "nbf - 600");
    pbx.system.put_back(SECOND);
    is_halted(&pbx.call("/extensions", &token).await, 401, UNAUTHENTICATED);
}

#[tokio::test]
async fn the_clock_of_the_pbx_may_be_ahead() {
    let pbx = Pbx::with(&[("clock_skew", json!(3600))]).await;
    let answer = pbx.login().await;
    assert_eq!(Jwt::read(&token(&answer)).claims["iat"], NOW + 3600);
    assert_eq!(answer.text("/meta/timestamp"), "2023-11-14T23:13:20+00:00");
    assert_eq!(pbx.call("/extensions", &token(&answer)).await.status, 200);
}

#[tokio::test]
async fn a_protected_call_without_a_good_token_is_a_401() {
    let pbx = Pbx::start().await;
    let good = token(&pbx.login().await);
    let answer = pbx.call("/extensions", &good).await;
    assert_eq!((answer.status, &answer.json["data"][0]["number"]), (200, &json!("201")));
    let forged = format!("{}x", &good[..good.len() - 1]);
    let path = format!("{API}/extensions");
    for header in [
        "x-nothing: at-all".to_owned(),
        bearer(""),
        bearer("nonsense"),
        bearer(&forged),
        bearer("a.b.c"),
        // The word is taken in one case only, and one blank after it.
        format!("authorization: Bearer  {good}"),
        format!("authorization: bearer {good}"),
        "authorization: Basic YWRtaW46b2ZmbGluZS1vbmx5".to_owned(),
    ] {
        is_halted(&pbx.system.send("GET", &path, &[&header], "").await, 401, UNAUTHENTICATED);
    }
}

#[tokio::test]
async fn a_role_that_may_not_is_a_403() {
    let pbx = Pbx::start().await;
    let login = pbx.login_by(&json!({ "login": "operator", "password": "offline-only" })).await;
    let operator = token(&login);
    assert_eq!(Jwt::read(&operator).claims["role"], "operators");
    assert_eq!(pbx.call("/extensions", &operator).await.status, 200);
    is_halted(&pbx.call("/extensions/201", &operator).await, 403, FORBIDDEN);
    assert_eq!(
        pbx.call("/extensions/201", &token(&pbx.login().await)).await.status,
        200,
        "admins may do all"
    );
    let refreshed = pbx.refresh(&cookie(&login)).await;
    is_halted(&pbx.call("/extensions/201", &token(&refreshed)).await, 403, FORBIDDEN);
    assert_eq!(pbx.logout(&operator, None).await.status, 200);
}

#[tokio::test]
async fn a_bearer_that_is_no_access_token_is_tried_as_an_api_key_with_its_paths() {
    let pbx = Pbx::start().await;
    for (key, list, record, logout) in [
        ("offline-key-for-all", 200, 200, 200),
        ("offline-key-to-read", 200, 200, 401),
        ("offline-key-to-write", 200, 200, 200),
        ("offline-key-elsewhere", 401, 401, 401),
        ("offline-key-unknown", 401, 401, 401),
    ] {
        assert_eq!(pbx.call("/extensions", key).await.status, list, "{key}");
        assert_eq!(pbx.call("/extensions/201", key).await.status, record, "{key}");
        assert_eq!(pbx.logout(key, None).await.status, logout, "{key}");
    }
}

#[tokio::test]
async fn the_pbx_itself_needs_no_token_but_shows_no_bad_one() {
    let pbx = Pbx::with(&[("localhost", json!(true))]).await;
    let path = format!("{API}/extensions");
    assert_eq!(pbx.system.send("GET", &path, &[], "").await.status, 200);
    is_halted(&pbx.call("/extensions", "nonsense").await, 401, UNAUTHENTICATED);
    let login = pbx.login_by(&json!({ "login": "operator", "password": "offline-only" })).await;
    assert_eq!(pbx.call("/extensions/201", &token(&login)).await.status, 200, "no role counts there");
}

#[tokio::test]
async fn the_cookie_of_a_session_and_a_remembered_one_say_so() {
    let pbx = Pbx::start().await;
    assert_eq!(attributes(&pbx.login().await), "path=/; HttpOnly; SameSite=Strict");
    let mut body = credentials();
    body["rememberMe"] = json!(true);
    let expected =
        "expires=Thu, 14 Dec 2023 22:13:20 GMT; Max-Age=2592000; path=/; HttpOnly; SameSite=Strict";
    assert_eq!(attributes(&pbx.login_by(&body).await), expected);
}

#[tokio::test]
async fn the_cookie_is_secure_where_the_request_came_over_https() {
    let pbx = Pbx { system: System::start_tls("mikopbx", &[]).await };
    let login = pbx.login().await;
    assert_eq!(attributes(&login), "path=/; secure; HttpOnly; SameSite=Strict");
    assert_eq!(pbx.refresh(&cookie(&login)).await.status, 200);
    let logout = pbx.logout(&token(&login), Some(&cookie(&login))).await;
    assert!(attributes(&logout).ends_with("Max-Age=0; path=/; secure; HttpOnly; SameSite=Strict"));
}

#[tokio::test]
async fn the_value_of_the_cookie_is_escaped_base64_that_is_taken_as_it_came_or_decoded() {
    let pbx = Pbx::start().await;
    let mut seen = String::new();
    for _ in 0..10 {
        let value = cookie(&pbx.login().await);
        assert!(!value.contains(['+', '/', '=']), "{value}");
        let decoded = percent_decode_str(&value).decode_utf8().expect("it is ASCII").into_owned();
        assert_eq!(STANDARD.decode(&decoded).expect("it is base64").len(), 112);
        for sent in [value.as_str(), &decoded, &value.replace("%3D", "%3d")] {
            assert_eq!(pbx.refresh(sent).await.status, 200, "{sent}");
        }
        let shortened = &value[..value.len() - 6];
        for wrong in [shortened, &value.to_lowercase(), &format!("%22{value}%22"), "%ff", "%"] {
            is_refused(&pbx.refresh(wrong).await, 401, NO_TOKEN);
        }
        seen.push_str(&value);
        // Each refresh counts.
        pbx.system.pass(5 * MINUTE);
    }
    assert!(["%2B", "%2F", "%3D"].iter().all(|sign| seen.contains(sign)));
}

#[tokio::test]
async fn a_refresh_without_rotation_leaves_the_cookie_as_it_is() {
    let pbx = Pbx::start().await;
    let cookie = cookie(&pbx.login().await);
    for _ in 0..3 {
        pbx.system.pass(SECOND);
        let answer = pbx.refresh(&cookie).await;
        assert_eq!(answer.status, 200);
        assert!(answer.headers("set-cookie").is_empty());
        assert_eq!(pbx.call("/extensions", &token(&answer)).await.status, 200);
    }
}

#[tokio::test]
async fn a_refresh_token_lives_for_30_days_however_often_it_is_used() {
    let pbx = Pbx::start().await;
    let cookie = cookie(&pbx.login().await);
    pbx.system.pass(MONTH - SECOND);
    assert_eq!(pbx.refresh(&cookie).await.status, 200);
    pbx.system.pass(SECOND);
    is_refused(&pbx.refresh(&cookie).await, 401, NO_TOKEN);
}

#[tokio::test]
async fn a_refresh_with_an_unknown_token_or_an_empty_cookie_is_a_401() {
    let pbx = Pbx::start().await;
    is_refused(&pbx.refresh("invented").await, 401, NO_TOKEN);
    is_refused(&pbx.refresh("").await, 401, NO_COOKIE);
}

#[tokio::test]
async fn with_rotation_the_old_token_ends_at_once_and_nothing_else_does() {
    let pbx = Pbx::with(&[("rotate", json!(true))]).await;
    let other = cookie(&pbx.login().await);
    let first = cookie(&pbx.login().await);
    let rotated = pbx.refresh(&first).await;
    let second = cookie(&rotated);
    assert_ne!(first, second);
    // No grace, and no alarm: whoever has the new one goes on.
    is_refused(&pbx.refresh(&first).await, 401, NO_TOKEN);
    is_refused(&pbx.refresh(&first).await, 401, NO_TOKEN);
    let third = pbx.refresh(&second).await;
    assert_eq!(third.status, 200);
    is_refused(&pbx.refresh(&second).await, 401, NO_TOKEN);
    assert_eq!(pbx.refresh(&other).await.status, 200);
}

#[tokio::test]
async fn a_rotated_cookie_is_one_to_keep_and_lives_for_30_days_anew() {
    let pbx = Pbx::with(&[("rotate", json!(true))]).await;
    let login = pbx.login().await;
    assert!(!attributes(&login).contains("Max-Age"), "it was for the session");
    pbx.system.pass(MONTH - SECOND);
    let rotated = pbx.refresh(&cookie(&login)).await;
    assert!(attributes(&rotated).contains("Max-Age=2592000; path=/;"), "{rotated:?}");
    pbx.system.pass(MONTH - SECOND);
    assert_eq!(pbx.refresh(&cookie(&rotated)).await.status, 200);
}

#[tokio::test]
async fn several_logins_of_a_user_live_side_by_side() {
    let pbx = Pbx::start().await;
    let (first, second) = (pbx.login().await, pbx.login().await);
    assert_eq!(pbx.logout(&token(&first), Some(&cookie(&first))).await.status, 200);
    is_refused(&pbx.refresh(&cookie(&first)).await, 401, NO_TOKEN);
    // Address and user agent are noted, not enforced.
    let path = format!("{API}/auth:refresh");
    let cookie = format!("cookie: refreshToken={}", cookie(&second));
    let answer = pbx.system.send("POST", &path, &[&cookie, "user-agent: another"], "").await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn a_logout_ends_the_refresh_token_and_clears_the_cookie_and_no_access_token() {
    let pbx = Pbx::start().await;
    let login = pbx.login().await;
    let answer = pbx.logout(&token(&login), Some(&cookie(&login))).await;
    let expected = "refreshToken=deleted; expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=0; path=/; HttpOnly; SameSite=Strict";
    assert_eq!(answer.header("set-cookie"), expected);
    is_refused(&pbx.refresh(&cookie(&login)).await, 401, NO_TOKEN);
    pbx.system.pass(25 * MINUTE);
    assert_eq!(pbx.call("/extensions", &token(&login)).await.status, 200);
}

#[tokio::test]
async fn a_logout_without_a_cookie_is_a_200_that_clears_nothing() {
    let pbx = Pbx::start().await;
    let login = pbx.login().await;
    let answer = pbx.logout(&token(&login), None).await;
    assert_eq!((answer.status, &answer.json["result"]), (200, &Json::Bool(true)));
    assert!(answer.headers("set-cookie").is_empty());
    assert_eq!(pbx.refresh(&cookie(&login)).await.status, 200);
}

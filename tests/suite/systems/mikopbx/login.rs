//! What goes in and comes out: bodies, their forms, and the endpoints.

use serde_json::{Value as Json, json};
use sha1::{Digest, Sha1};

use crate::systems::mikopbx::{
    API, MISSING, NO_COOKIE, Pbx, UNAUTHENTICATED, WRONG, attributes, cookie, credentials, is_halted,
    is_refused, token,
};
use crate::systems::{Answer, FORM, JSON, MILLISECOND, MINUTE, bearer};

/// In hexadecimal digits.
fn sha1(text: &str) -> String {
    let digits: Vec<String> = Sha1::digest(text).iter().map(|byte| format!("{byte:02x}")).collect();
    digits.concat()
}

fn names(object: &Json) -> Vec<&str> {
    object.as_object().expect("an object").keys().map(String::as_str).collect()
}

/// The envelope has these members in this order, and its digests are of the text without `meta`.
#[track_caller]
fn is_enveloped(answer: &Answer, extra: &[&str]) {
    let expected =
        [&["result", "data", "messages", "function", "processor", "pid"], extra, &["meta"]].concat();
    assert_eq!(names(&answer.json), expected);
    assert_eq!(answer.header("content-type"), "application/json");
    assert!(answer.json["pid"].is_u64());
    let (content, _) = answer.body.split_once(",\"meta\":").expect("meta is last");
    let content = format!("{content}}}");
    assert_eq!(answer.header("e-tag"), sha1(&content));
    let timestamp = answer.text("/meta/timestamp");
    assert_eq!(timestamp, "2023-11-14T22:13:20+00:00");
    assert_eq!(answer.text("/meta/hash"), sha1(&format!("{timestamp}{content}")));
}

#[tokio::test]
async fn a_login_answers_with_a_bearer_token_in_the_envelope() {
    let pbx = Pbx::start().await;
    let answer = pbx.login().await;
    is_enveloped(&answer, &[]);
    assert_eq!(names(&answer.json["data"]), ["accessToken", "tokenType", "expiresIn", "login"]);
    assert_eq!(answer.json["result"], true);
    assert_eq!(answer.json["data"]["tokenType"], "Bearer");
    assert_eq!(answer.json["data"]["expiresIn"], 900);
    assert_eq!(answer.json["data"]["login"], "admin");
    assert_eq!(answer.json["messages"], json!([]), "an empty object is a list");
    assert_eq!(answer.json["function"], "login");
    assert!(answer.text("/processor").ends_with("\\LoginAction::main"));
}

#[tokio::test]
async fn a_refresh_answers_with_a_token_and_the_home_page() {
    let pbx = Pbx::start().await;
    let answer = pbx.refresh(&cookie(&pbx.login().await)).await;
    assert_eq!(answer.status, 200);
    is_enveloped(&answer, &[]);
    assert_eq!(names(&answer.json["data"]), ["accessToken", "tokenType", "expiresIn", "homePage"]);
    assert_eq!(answer.json["data"]["tokenType"], "Bearer");
    assert_eq!(answer.json["data"]["expiresIn"], 900);
    assert_eq!(answer.json["data"]["homePage"], "/admin-cabinet/extensions/index");
    assert_eq!(answer.json["function"], "refresh");
    assert!(answer.body.contains(r#""\/admin-cabinet\/extensions\/index""#), "PHP escapes slashes");
}

#[tokio::test]
async fn a_logout_needs_a_token_and_says_that_it_happened() {
    let pbx = Pbx::start().await;
    let login = pbx.login().await;
    let path = format!("{API}/auth:logout");
    let with_cookie = format!("cookie: refreshToken={}", cookie(&login));
    is_halted(&pbx.system.send("POST", &path, &[&with_cookie], "").await, 401, UNAUTHENTICATED);

    let answer = pbx.logout(&token(&login), Some(&cookie(&login))).await;
    assert_eq!(answer.status, 200);
    is_enveloped(&answer, &[]);
    assert_eq!(answer.json["data"], json!({ "message": "Successfully logged out" }));
}

#[tokio::test]
async fn a_refusal_says_its_status_in_the_body_where_a_worker_made_it() {
    let pbx = Pbx::start().await;
    let worker = pbx.wrong_login().await;
    is_enveloped(&worker, &["httpCode"]);
    is_refused(&worker, 401, WRONG);
    let middleware = pbx.call("/extensions", "wrong").await;
    is_enveloped(&middleware, &[]);
    is_halted(&middleware, 401, UNAUTHENTICATED);
}

#[tokio::test]
async fn a_wrong_password_an_unknown_user_and_a_dead_session_token_are_refused_alike() {
    let pbx = Pbx::start().await;
    let dead = "0".repeat(64);
    for body in [
        json!({ "login": "admin", "password": "wrong" }),
        json!({ "login": "nobody", "password": "offline-only" }),
        json!({ "login": "", "password": "" }),
        json!({ "sessionToken": dead }),
        // A session token outranks what stands beside it.
        json!({ "sessionToken": dead, "login": "admin", "password": "offline-only" }),
    ] {
        is_refused(&pbx.login_by(&body).await, 401, WRONG);
    }
}

#[tokio::test]
async fn a_field_that_is_missing_or_no_text_is_a_400() {
    let pbx = Pbx::start().await;
    for body in [
        json!({}),
        json!([1]),
        json!({ "login": "admin" }),
        json!({ "password": "offline-only" }),
        json!({ "login": "admin", "password": 12345 }),
        json!({ "login": "admin", "password": null }),
        json!({ "sessionToken": true }),
    ] {
        is_refused(&pbx.login_by(&body).await, 400, MISSING);
    }
}

#[tokio::test]
async fn json_that_is_none_is_an_empty_body_and_all_that_is_not_json_is_a_form() {
    let pbx = Pbx::start().await;
    let part = |name: &str, value: &str| {
        format!("--x\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let parts = format!("{}{}--x--\r\n", part("login", "admin"), part("password", "offline-only"));
    let form = "login=admin&password=offline%2Donly";
    for (header, body, status) in [
        (JSON, r#"{"login":"admin","#, 400),
        (JSON, form, 400),
        (FORM, r#"{"login":"admin","password":"offline-only"}"#, 400),
        (
            "content-type: application/json; charset=utf-8",
            r#"{"login":"admin","password":"offline-only"}"#,
            200,
        ),
        (FORM, form, 200),
        ("content-type: text/plain", form, 200),
        ("x-no-type: at-all", form, 200),
        (FORM, "login=nobody&login=admin&password=offline-only", 200),
        ("content-type: multipart/form-data; boundary=x", parts.as_str(), 200),
    ] {
        let answer = pbx.system.send("POST", &format!("{API}/auth:login"), &[header], body).await;
        assert_eq!(answer.status, status, "{header}: {body}");
    }
}

#[tokio::test]
async fn the_query_is_merged_over_the_body_and_wins() {
    let pbx = Pbx::start().await;
    let path = |query: &str| format!("{API}/auth:login?{query}");
    let body = credentials();
    let answer = pbx.system.send_json("POST", &path("password=wrong"), &[], &body).await;
    is_refused(&answer, 401, WRONG);
    let answer = pbx.system.send_form("POST", &path("password=offline-only"), &[], "login=admin").await;
    assert_eq!(answer.status, 200);
    let answer = pbx.system.send("POST", &path("login=admin&password=offline-only"), &[], "").await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn only_a_true_of_json_asks_to_be_remembered() {
    let pbx = Pbx::start().await;
    let path = format!("{API}/auth:login");
    for (remember, remembered) in [
        (json!(true), true),
        (json!(false), false),
        (json!("true"), false),
        (json!(1), false),
        (json!(null), false),
    ] {
        let mut body = credentials();
        body["rememberMe"] = remember.clone();
        let answer = pbx.system.send_json("POST", &path, &[], &body).await;
        assert_eq!(attributes(&answer).contains("Max-Age"), remembered, "{remember}");
        // The query is text, and outranks the body.
        let answer = pbx.system.send_json("POST", &format!("{path}?rememberMe=true"), &[], &body).await;
        assert!(!attributes(&answer).contains("Max-Age"), "{remember}");
    }
    let form = "login=admin&password=offline-only&rememberMe=true";
    let answer = pbx.system.send_form("POST", &path, &[], form).await;
    assert_eq!(attributes(&answer), "path=/; HttpOnly; SameSite=Strict");
}

#[tokio::test]
async fn inputs_pass_a_filter_that_some_passwords_do_not_survive() {
    let with = |password: &str| {
        let users = json!({ "ann": { "password": password, "role": "admins", "home": "/" } });
        async move { Pbx::with(&[("users", users)]).await }
    };
    for (kept, sent, status) in [
        ("p&ss w%rd", "p&ss w%rd", 200),
        ("pässwörd", "pässwörd", 200),
        ("1 < 2", "1 < 2", 200),
        ("word", " \tword\n", 200),
        ("word", "<b>word</b>", 200),
        // Whoever has one of these cannot come in.
        ("a<b", "a<b", 401),
        (" word ", " word ", 401),
        ("http pässword", "http pässword", 401),
        ("httpssword", "http\u{e4}ssword", 200),
        ("HTTPword", "HTTP word", 200),
    ] {
        let pbx = with(kept).await;
        let answer = pbx.login_by(&json!({ "login": "ann", "password": sent })).await;
        assert_eq!(answer.status, status, "{sent:?} for {kept:?}");
    }
    let lenient = Pbx::with(&[("strips_tags", json!(false))]).await;
    let unlucky = json!({ "login": "unlucky", "password": "1 <b" });
    assert_eq!(lenient.login_by(&unlucky).await.status, 200);
}

#[tokio::test]
async fn a_session_token_is_64_hex_digits_for_one_use_within_a_minute() {
    let pbx = Pbx::start().await;
    let path = format!("{API}/passkeys:authenticationFinish");
    let mut given = Vec::new();
    for _ in 0..3 {
        let body = json!({ "credentialId": "offline-passkey" });
        let answer = pbx.system.send_json("POST", &path, &[], &body).await;
        assert_eq!((answer.status, &answer.json["data"]["login"]), (200, &json!("admin")));
        given.push(answer.text("/data/sessionToken"));
    }
    assert!(
        given.iter().all(|token| token.len() == 64 && token.bytes().all(|byte| byte.is_ascii_hexdigit()))
    );
    let by = |at: usize| json!({ "sessionToken": given[at], "rememberMe": true });

    let answer = pbx.login_by(&by(0)).await;
    assert_eq!((answer.status, &answer.json["data"]["login"]), (200, &json!("admin")));
    assert!(attributes(&answer).contains("Max-Age=2592000"));
    is_refused(&pbx.login_by(&by(0)).await, 401, WRONG);
    pbx.system.pass(MINUTE - MILLISECOND);
    assert_eq!(pbx.login_by(&by(1)).await.status, 200);
    pbx.system.pass(MILLISECOND);
    is_refused(&pbx.login_by(&by(2)).await, 401, WRONG);

    let unknown = pbx.system.send_json("POST", &path, &[], &json!({ "credentialId": "other" })).await;
    is_refused(&unknown, 422, "Passkey not found");
}

#[tokio::test]
async fn a_refresh_looks_at_the_cookie_only() {
    let pbx = Pbx::start().await;
    let cookie = cookie(&pbx.login().await);
    let path = format!("{API}/auth:refresh");
    let body = json!({ "refreshToken": cookie });
    is_refused(&pbx.system.send_json("POST", &path, &[], &body).await, 401, NO_COOKIE);
    is_refused(
        &pbx.system.send_form("POST", &path, &[], &format!("refreshToken={cookie}")).await,
        401,
        NO_COOKIE,
    );
    is_refused(&pbx.system.send("POST", &path, &[], "").await, 401, NO_COOKIE);
    let with_cookie = format!("cookie: other=1; refreshToken={cookie}");
    let body = json!({ "refreshToken": "nonsense" });
    assert_eq!(pbx.system.send_json("POST", &path, &[&with_cookie], &body).await.status, 200);
    // Public: what is shown as a token does not matter either.
    let stranger = bearer("nonsense");
    assert_eq!(pbx.system.send("POST", &path, &[&with_cookie, &stranger], "").await.status, 200);
}

#[tokio::test]
async fn a_token_is_validated_for_the_pbx_itself_only() {
    let path = |token: &str| format!("{API}/auth:validate-token?token={token}");
    let elsewhere = Pbx::start().await;
    let good = token(&elsewhere.login().await);
    let answer = elsewhere.system.send("GET", &path(&good), &[], "").await;
    assert_eq!(
        (answer.status, answer.text("/error").as_str()),
        (403, "This endpoint is only accessible from localhost")
    );

    let itself = Pbx::with(&[("localhost", json!(true))]).await;
    let answer = itself.system.send("GET", &path(&good), &[], "").await;
    assert_eq!((answer.status, answer.json.get("error")), (200, None));
    for (bad, why) in [("", "Token parameter is required"), ("a.b.c", "Invalid or expired token")] {
        let answer = itself.system.send("GET", &path(bad), &[], "").await;
        assert_eq!((answer.status, answer.text("/error").as_str()), (403, why));
        assert_eq!(answer.json.get("result"), None, "it is not in the envelope");
    }
}

#[tokio::test]
async fn messages_are_in_the_language_of_the_pbx_and_statuses_are_not() {
    let pbx = Pbx::with(&[("language", json!("de"))]).await;
    is_refused(&pbx.wrong_login().await, 401, "Anmeldung abgelehnt");
    let no_cookie = pbx.system.send("POST", &format!("{API}/auth:refresh"), &[], "").await;
    is_refused(&no_cookie, 401, "Es fehlt das Cookie zum Verlängern");
    assert!(no_cookie.body.contains("zum Verl\\u00e4ngern"), "PHP escapes what is not ASCII");
    is_halted(&pbx.call("/extensions", "wrong").await, 401, UNAUTHENTICATED);
}

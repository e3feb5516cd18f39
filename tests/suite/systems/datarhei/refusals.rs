//! Everything but the login: who is let in, who is not, and what both are told.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value as Json, json};

use crate::systems::datarhei::{Core, has_plain_headers, is_error, is_unauthorized, password, tampered};
use crate::systems::{DAY, MINUTE, SECOND, bearer};

/// What `GET /api` tells those who are not logged in.
const REDUCED: &str =
    "{\"app\":\"datarhei-core\",\"auths\":[\"localjwt\"],\"version\":{\"number\":\"16.0.0\"}}\n";

/// The same claims, said to need no signature.
fn unsigned(token: &str) -> String {
    let head = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#);
    format!("{head}.{}.", token.split('.').nth(1).expect("claims"))
}

#[tokio::test]
async fn the_first_look_answers_200_to_everybody_and_shows_no_id() {
    let core = Core::start().await;
    let pair = core.login().await;
    let tokens = ["garbage", "", &pair.refresh, &tampered(&pair.access), &unsigned(&pair.access)];
    let mut answers = vec![core.anonymous("/api").await];
    for token in tokens {
        answers.push(core.get("/api", token).await);
    }
    core.system.pass(10 * MINUTE);
    answers.push(core.get("/api", &pair.access).await);
    for answer in answers {
        assert_eq!((answer.status, answer.body.as_str()), (200, REDUCED));
        assert_eq!(answer.header("content-type"), "application/json");
        has_plain_headers(&answer);
    }
}

#[tokio::test]
async fn the_first_look_with_a_live_access_token_shows_everything() {
    let core = Core::start().await;
    let pair = core.login().await;
    assert_eq!(core.get("/api", &pair.access).await.json["uptime_seconds"], 0);
    core.system.pass(7 * SECOND);
    let answer = core.get("/api", &pair.access).await;
    assert_eq!(answer.status, 200);
    // In this order, and with these types.
    let mut at = 0;
    for member in [
        "{\"app\":\"datarhei-core\"",
        "\"auths\":[\"localjwt\"]",
        "\"name\":\"",
        "\"id\":\"",
        "\"created_at\":\"2023-11-14T22:13:20Z\"",
        "\"uptime_seconds\":7",
        "\"version\":{\"number\":\"16.16.0\"",
        "\"repository_commit\":\"",
        "\"repository_branch\":\"",
        "\"build_date\":\"",
        "\"arch\":\"linux/amd64\"",
        "\"compiler\":\"go",
    ] {
        let found = answer.body[at..].find(member);
        at += found.unwrap_or_else(|| panic!("{member} is not where it belongs: {}", answer.body));
    }
    assert_eq!(answer.json.as_object().map(serde_json::Map::len), Some(7));
    assert!(answer.body.ends_with("}}\n"));
}

#[tokio::test]
async fn the_first_look_is_for_get_but_without_a_token_any_method_has_it() {
    let core = Core::start().await;
    let token = bearer(&core.login().await.access);
    let anonymous = core.system.send("POST", "/api", &[], "").await;
    assert_eq!((anonymous.status, anonymous.body.as_str()), (200, REDUCED));
    let known = core.system.send("POST", "/api", &[&token], "").await;
    is_error(&known, 404, "Not Found", "Not Found");
}

#[tokio::test]
async fn a_call_is_answered_with_a_live_access_token_only() {
    let core = Core::start().await;
    let answer = core.call(&core.login().await.access).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "[]\n"));
    has_plain_headers(&answer);
    is_unauthorized(&core.anonymous("/api/v3/process").await);
}

#[tokio::test]
async fn one_text_stands_for_every_cause_of_a_401() {
    let core = Core::start().await;
    let stranger = Core::with(&[("secret", json!("another"))]).await;
    let pair = core.login().await;
    let foreign = stranger.login().await;
    let access = [
        "garbage",
        "a.b.c",
        "",
        &tampered(&pair.access),
        &unsigned(&pair.access),
        &foreign.access,
        &pair.refresh,
    ];
    for token in access {
        is_unauthorized(&core.call(token).await);
    }
    for token in
        ["garbage", &tampered(&pair.refresh), &unsigned(&pair.refresh), &foreign.refresh, &pair.access]
    {
        is_unauthorized(&core.refresh(token).await);
    }
    is_unauthorized(&core.anonymous("/api/login/refresh").await);
    core.system.pass(DAY);
    is_unauthorized(&core.call(&pair.access).await);
    is_unauthorized(&core.refresh(&pair.refresh).await);
}

/// Nothing is there: unknown paths, wrong methods, a slash at the end.
const NOWHERE: [(&str, &str); 9] = [
    ("GET", "/api/nowhere"),
    ("GET", "/api/v3"),
    ("GET", "/api/v3/nowhere/at/all"),
    ("DELETE", "/api/v3/process"),
    ("GET", "/api/v3/process/"),
    ("GET", "/api/"),
    ("GET", "/api/login"),
    ("POST", "/api/login/"),
    ("POST", "/api/login/refresh"),
];

#[tokio::test]
async fn where_nothing_is_needs_a_token_as_well() {
    let core = Core::start().await;
    for (method, path) in NOWHERE {
        is_unauthorized(&core.system.send(method, path, &[], "").await);
    }
}

#[tokio::test]
async fn where_nothing_is_a_valid_token_gets_a_404() {
    let core = Core::start().await;
    let token = bearer(&core.login().await.access);
    for (method, path) in NOWHERE {
        is_error(&core.system.send(method, path, &[&token], "").await, 404, "Not Found", "Not Found");
    }
}

#[tokio::test]
async fn a_missing_process_is_a_404_of_its_own() {
    let core = Core::start().await;
    let answer = core.get("/api/v3/process/nobody", &core.login().await.access).await;
    is_error(&answer, 404, "Unknown process ID", "unknown process");
    is_unauthorized(&core.anonymous("/api/v3/process/nobody").await);
}

#[tokio::test]
async fn a_head_that_is_refused_has_a_status_only() {
    let core = Core::start().await;
    let answer = core.system.send("HEAD", "/api/v3/process", &[], "").await;
    assert_eq!((answer.status, answer.body.as_str()), (401, ""));
    assert_eq!(answer.headers("content-type"), Vec::<&str>::new());
    has_plain_headers(&answer);
}

#[tokio::test]
async fn an_address_that_is_not_allowed_gets_a_403_with_and_without_a_token() {
    let core = Core::with(&[("blocked", json!(["203.0.113.9"]))]).await;
    let pair = core.login().await;
    let token = bearer(&pair.access);
    for from in ["x-forwarded-for: 203.0.113.9, 10.0.0.1", "x-real-ip: 203.0.113.9"] {
        for headers in [&[from][..], &[from, &token]] {
            for path in ["/api", "/api/v3/process", "/api/nowhere"] {
                let answer = core.system.send("GET", path, headers, "").await;
                is_error(&answer, 403, "Forbidden", "Forbidden");
            }
        }
    }
    assert_eq!(core.call(&pair.access).await.status, 200, "from elsewhere");
}

#[tokio::test]
async fn who_calls_from_the_same_machine_may_need_no_token_but_cannot_refresh_one() {
    let core = Core::with(&[("disable_localhost", json!(true))]).await;
    assert_eq!(core.anonymous("/api/v3/process").await.status, 200);
    assert!(core.anonymous("/api").await.json["id"].is_string());
    is_error(&core.anonymous("/api/login/refresh").await, 403, "Forbidden", "Invalid token");
    let pair = core.login().await;
    is_error(&core.refresh(&pair.refresh).await, 403, "Forbidden", "Invalid token");

    let remote = "x-forwarded-for: 203.0.113.9";
    is_unauthorized(&core.system.send("GET", "/api/v3/process", &[remote], "").await);
    is_unauthorized(&core.system.send("GET", "/api/login/refresh", &[remote], "").await);
    let token = bearer(&pair.refresh);
    assert_eq!(core.system.send("GET", "/api/login/refresh", &[remote, &token], "").await.status, 200);
}

#[tokio::test]
async fn the_scheme_has_no_case_and_exactly_one_space_after_it() {
    let core = Core::start().await;
    let token = core.login().await.access;
    for scheme in ["Bearer ", "bearer ", "BEARER "] {
        let header = format!("authorization: {scheme}{token}");
        assert_eq!(core.system.send("GET", "/api/v3/process", &[&header], "").await.status, 200, "{scheme}");
    }
    for scheme in ["Bearer  ", "Bearer\t", "Bearer", "Token ", "Basic ", ""] {
        let header = format!("authorization: {scheme}{token}");
        is_unauthorized(&core.system.send("GET", "/api/v3/process", &[&header], "").await);
    }
}

#[tokio::test]
async fn of_two_authorization_headers_one_good_one_is_enough() {
    let core = Core::start().await;
    let good = bearer(&core.login().await.access);
    let bad = bearer("garbage");
    for headers in [[&good, &bad], [&bad, &good]] {
        let headers = headers.map(String::as_str);
        assert_eq!(core.system.send("GET", "/api/v3/process", &headers, "").await.status, 200);
    }
    is_unauthorized(&core.system.send("GET", "/api/v3/process", &[&bad, &bad], "").await);
}

#[tokio::test]
async fn a_token_in_the_query_is_ignored() {
    let core = Core::start().await;
    let token = core.login().await.access;
    for name in ["token", "access_token", "jwt", "authorization"] {
        is_unauthorized(&core.anonymous(&format!("/api/v3/process?{name}={token}")).await);
    }
}

#[tokio::test]
async fn pong_is_said_to_everybody() {
    let core = Core::start().await;
    let answer = core.anonymous("/ping").await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "pong"));
    assert!(answer.header("content-type").starts_with("text/plain"));
}

#[tokio::test]
async fn a_browser_that_asks_first_is_told_what_it_may_send() {
    let core = Core::start().await;
    let headers = [
        "origin: https://player.example.com",
        "access-control-request-method: GET",
        "access-control-request-headers: authorization",
    ];
    for path in ["/api", "/api/login", "/api/login/refresh", "/api/v3/process"] {
        let answer = core.system.send("OPTIONS", path, &headers, "").await;
        assert_eq!((answer.status, answer.body.as_str()), (204, ""));
        for (name, value) in [
            ("access-control-allow-origin", "*"),
            ("access-control-allow-credentials", "true"),
            ("access-control-allow-headers", "Origin,Content-Length,Content-Type,Authorization"),
            ("access-control-allow-methods", "GET,HEAD,PUT,POST,DELETE,PATCH"),
            ("access-control-max-age", "86400"),
        ] {
            assert_eq!(answer.header(name), value, "{name}");
        }
        assert_eq!(answer.headers("vary")[0], "Origin");
    }
}

#[tokio::test]
async fn a_browser_may_read_the_answers_too() {
    let core = Core::start().await;
    let origin = "origin: https://player.example.com";
    let refused = core.system.send("GET", "/api/v3/process", &[origin], "").await;
    let login = core.post_login(&[origin], &password()).await;
    for answer in [&refused, &login] {
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        assert_eq!(answer.header("access-control-allow-credentials"), "true");
        assert_eq!(answer.header("access-control-expose-headers"), "Content-Length");
    }
    assert_eq!((refused.status, login.status), (401, 200));
    let plain = core.anonymous("/api").await;
    assert_eq!(plain.headers("access-control-allow-origin"), Vec::<&str>::new());
    assert_ne!(plain.json, Json::Null);
}

//! The mock of a PBX by Miko, row by row: `login` what goes in and comes out, `tokens` what was given
//! out and what it opens, `limits` how often and what else is wrong.

mod limits;
mod login;
mod tokens;

use serde_json::{Value as Json, json};

use crate::systems::{Answer, System, bearer};

const API: &str = "/pbxcore/api/v3";

/// The mock, and what is asked of it again and again.
struct Pbx {
    system: System,
}

impl Pbx {
    async fn start() -> Self {
        Self::with(&[]).await
    }

    /// The mock with these entries of its state changed.
    async fn with(state: &[(&str, Json)]) -> Self {
        Self { system: System::start("mikopbx", state).await }
    }

    /// Logs in with these members and no others.
    async fn login_by(&self, body: &Json) -> Answer {
        self.system.send_json("POST", &format!("{API}/auth:login"), &[], body).await
    }

    /// The password is right.
    async fn login(&self) -> Answer {
        let answer = self.login_by(&credentials()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer
    }

    async fn wrong_login(&self) -> Answer {
        self.login_by(&json!({ "login": "admin", "password": "wrong" })).await
    }

    /// Refreshes with a cookie of this value.
    async fn refresh(&self, cookie: &str) -> Answer {
        let cookie = format!("cookie: refreshToken={cookie}");
        self.system.send("POST", &format!("{API}/auth:refresh"), &[&cookie], "").await
    }

    async fn logout(&self, token: &str, cookie: Option<&str>) -> Answer {
        let mut headers = vec![bearer(token)];
        headers.extend(cookie.map(|cookie| format!("cookie: refreshToken={cookie}")));
        let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
        self.system.send("POST", &format!("{API}/auth:logout"), &headers, "").await
    }

    /// Calls with this token, as `/extensions` or a path below it.
    async fn call(&self, path: &str, token: &str) -> Answer {
        self.system.send("GET", &format!("{API}{path}"), &[&bearer(token)], "").await
    }
}

fn credentials() -> Json {
    json!({ "login": "admin", "password": "offline-only" })
}

fn token(answer: &Answer) -> String {
    answer.text("/data/accessToken")
}

/// The value of the cookie that an answer sets, as it came.
#[track_caller]
fn cookie(answer: &Answer) -> String {
    let (name, rest) = answer.header("set-cookie").split_once('=').expect("a cookie has a name");
    assert_eq!(name, "refreshToken");
    rest.split(';').next().unwrap_or_default().to_owned()
}

/// What follows the value of the cookie.
#[track_caller]
fn attributes(answer: &Answer) -> String {
    answer.header("set-cookie").split_once("; ").expect("it has attributes").1.to_owned()
}

/// What a worker refused: its status stands in the body too, where it set one.
#[track_caller]
fn is_refused(answer: &Answer, status: u16, message: &str) {
    is_refusal(answer, status, message);
    let in_body = if status == 422 { None } else { Some(&json!(status)) };
    assert_eq!(answer.json.get("httpCode").cloned().as_ref(), in_body, "{answer:?}");
    assert_ne!(answer.json["function"], "", "{answer:?}");
}

/// What was refused before a worker had it.
#[track_caller]
fn is_halted(answer: &Answer, status: u16, message: &str) {
    is_refusal(answer, status, message);
    assert_eq!(answer.json.get("httpCode"), None, "{answer:?}");
    assert_eq!((&answer.json["function"], &answer.json["processor"]), (&json!(""), &json!("")));
}

#[track_caller]
fn is_refusal(answer: &Answer, status: u16, message: &str) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.json["result"], false);
    assert_eq!(answer.json["data"], json!([]));
    assert_eq!(answer.json["messages"], json!({ "error": [message] }));
    for absent in ["www-authenticate", "retry-after", "set-cookie"] {
        assert!(answer.headers(absent).is_empty(), "{answer:?}");
    }
}

/// What nginx refused.
#[track_caller]
fn is_plain(answer: &Answer, status: u16, text: &str) {
    assert_eq!((answer.status, answer.body.as_str()), (status, text));
    assert_eq!(answer.header("content-type"), "text/plain");
    assert!(answer.headers("retry-after").is_empty());
}

const UNAUTHENTICATED: &str = "The user isn't authenticated.";
const FORBIDDEN: &str = "Access denied. You do not have permission to access this resource.";
const WRONG: &str = "Invalid login or password";
const MISSING: &str = "Either login+password or sessionToken must be provided";
const NO_COOKIE: &str = "Refresh token is missing in cookie";
const NO_TOKEN: &str = "Refresh token expired or not found";
const TOO_MANY: &str = "Too many login attempts. Please try again in 300 seconds.";

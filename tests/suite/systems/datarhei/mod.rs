//! The mock of a datarhei Core, row by row.

mod auth0;
mod login;
mod refusals;
mod tokens;

use serde_json::{Value as Json, json};

use crate::systems::{Answer, System, bearer};

/// What is asked of the mock again and again.
struct Core {
    system: System,
}

/// What a login gives.
struct Pair {
    access: String,
    refresh: String,
}

impl Core {
    async fn start() -> Self {
        Self::with(&[]).await
    }

    /// With these entries of the state changed, and refusals that are not waited for.
    async fn with(state: &[(&str, Json)]) -> Self {
        Self::slow(&[&[("refusal_delay", json!("1ms"))], state].concat()).await
    }

    /// With these entries changed, and refusals that take as long as on a real one.
    async fn slow(state: &[(&str, Json)]) -> Self {
        Self { system: System::start("datarhei", state).await }
    }

    async fn login(&self) -> Pair {
        let answer = self.post_login(&[], &password()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        Pair { access: answer.text("/access_token"), refresh: answer.text("/refresh_token") }
    }

    async fn post_login(&self, headers: &[&str], body: &Json) -> Answer {
        self.system.send_json("POST", "/api/login", headers, body).await
    }

    async fn get(&self, path: &str, token: &str) -> Answer {
        self.system.send("GET", path, &[&bearer(token)], "").await
    }

    async fn anonymous(&self, path: &str) -> Answer {
        self.system.send("GET", path, &[], "").await
    }

    /// A call that needs a live access token.
    async fn call(&self, token: &str) -> Answer {
        self.get("/api/v3/process", token).await
    }

    async fn refresh(&self, token: &str) -> Answer {
        self.get("/api/login/refresh", token).await
    }
}

fn password() -> Json {
    json!({ "username": "admin", "password": "offline-only" })
}

/// An error has this body to the byte, and no header that would tell a client what to do.
#[track_caller]
fn is_error(answer: &Answer, code: u16, message: &str, detail: &str) {
    assert_eq!(answer.status, code, "{answer:?}");
    let expected = format!("{{\"code\":{code},\"message\":\"{message}\",\"details\":[\"{detail}\"]}}\n");
    assert_eq!(answer.body, expected);
    assert_eq!(answer.header("content-type"), "application/json");
    has_plain_headers(answer);
}

/// What was shown at a login is wrong, and why.
#[track_caller]
fn is_wrong(answer: &Answer, why: &str) {
    is_error(answer, 401, "Unauthorized", &format!("Invalid authorization credentials: {why}"));
}

/// Nothing was shown at a login.
#[track_caller]
fn is_missing(answer: &Answer) {
    is_error(answer, 400, "Bad Request", "Missing authorization credentials");
}

/// Another character at the beginning of the signature.
fn tampered(token: &str) -> String {
    let (signed, signature) = token.rsplit_once('.').expect("a signature");
    let other = if signature.starts_with('A') { 'B' } else { 'A' };
    format!("{signed}.{other}{}", &signature[1..])
}

#[track_caller]
fn is_unauthorized(answer: &Answer) {
    is_error(answer, 401, "Unauthorized", "Missing or invalid JWT token");
}

#[track_caller]
fn has_plain_headers(answer: &Answer) {
    assert_eq!(answer.header("vary"), "Origin");
    for name in ["www-authenticate", "retry-after", "cache-control", "pragma", "set-cookie"] {
        assert_eq!(answer.headers(name), Vec::<&str>::new(), "{name}: {answer:?}");
    }
}

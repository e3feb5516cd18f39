//! The mock of an API that gives JSON web tokens for a user name and a password, row by row.

mod limits;
mod login;
mod refresh;
mod resource;

use serde_json::{Value as Json, json};

use crate::systems::{Answer, System, bearer};

/// The mock, and what is asked of it again and again.
struct Platform {
    system: System,
}

impl Platform {
    async fn start() -> Self {
        Self::with(&[]).await
    }

    /// The mock with these entries of its state changed.
    async fn with(state: &[(&str, Json)]) -> Self {
        Self { system: System::start("platform", state).await }
    }

    /// A login of `ann`, with a query such as `?scope=admin`.
    async fn login(&self, query: &str) -> Answer {
        self.login_as("ann", "offline-only", query).await
    }

    async fn login_as(&self, user: &str, password: &str, query: &str) -> Answer {
        let body = json!({ "username": user, "password": password });
        self.system.send_json("POST", &format!("/v1/auth/login{query}"), &[], &body).await
    }

    /// The access token of a login that asks for these scopes.
    async fn access(&self, scope: &str) -> String {
        self.login(&format!("?scope={scope}")).await.text("/access_token")
    }

    async fn refresh(&self, refresh_token: &str) -> Answer {
        let body = json!({ "refresh_token": refresh_token });
        self.system.send_json("POST", "/v1/auth/refresh", &[], &body).await
    }

    /// Reads with a token.
    async fn read(&self, access_token: &str) -> Answer {
        self.read_with(&[&bearer(access_token)]).await
    }

    /// Reads with these headers.
    async fn read_with(&self, headers: &[&str]) -> Answer {
        self.system.send("GET", "/v1/skills", headers, "").await
    }

    /// Sends a name with a token, to wherever one is taken.
    async fn post(&self, path: &str, access_token: &str, name: &str) -> Answer {
        self.system.send_json("POST", path, &[&bearer(access_token)], &json!({ "name": name })).await
    }
}

/// A refusal by the platform's own body.
#[track_caller]
fn is_refused(answer: &Answer, status: u16, error: &str) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.header("content-type"), "application/json");
    let members: Vec<&String> = answer.json.as_object().expect("an object").keys().collect();
    assert_eq!(members, ["error", "message"]);
    assert_eq!(answer.text("/error"), error);
    assert!(!answer.text("/message").is_empty());
}

/// A refresh token that is not taken, in the platform's style.
#[track_caller]
fn is_dead(answer: &Answer) {
    assert_eq!((answer.status, &*answer.body), (401, r#"{"error":"invalid_token"}"#));
}

/// A refusal of RFC 6750: the same error in the challenge and in the body.
#[track_caller]
fn is_challenged(answer: &Answer, status: u16, error: &str, challenge: &str) {
    is_refused(answer, status, error);
    assert_eq!(answer.header("www-authenticate"), challenge);
}

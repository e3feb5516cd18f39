//! The limits: how many guesses a user name has, and both ways to say "later".

use serde_json::json;

use crate::systems::platform::{Platform, is_refused};
use crate::systems::{Answer, MILLISECOND, MINUTE, SECOND};

#[track_caller]
fn is_limited(answer: &Answer, retry_after: &str) {
    is_refused(answer, 429, "too_many_requests");
    assert_eq!(answer.header("retry-after"), retry_after);
}

impl Platform {
    /// Refused logins of this user name.
    async fn guess(&self, user: &str, times: usize) {
        for _ in 0..times {
            is_refused(&self.login_as(user, "wrong", "").await, 401, "invalid_credentials");
        }
    }
}

#[tokio::test]
async fn after_five_bad_logins_a_name_waits_even_with_the_right_password() {
    let platform = Platform::start().await;
    platform.guess("ann", 5).await;
    is_limited(&platform.login_as("ann", "wrong", "").await, "60");
    is_limited(&platform.login("").await, "60");
    assert_eq!(platform.login_as("bob", "offline-only", "").await.status, 200, "others do not notice");
    // What was not looked at does not count: the wait does not grow.
    platform.system.pass(45 * SECOND);
    is_limited(&platform.login("").await, "15");
    platform.system.pass(15 * SECOND - MILLISECOND);
    is_limited(&platform.login("").await, "1");
    platform.system.pass(MILLISECOND);
    assert_eq!(platform.login("").await.status, 200);
}

#[tokio::test]
async fn bad_logins_count_within_a_minute_only() {
    let platform = Platform::start().await;
    platform.guess("ann", 4).await;
    platform.system.pass(30 * SECOND);
    platform.guess("ann", 1).await;
    is_limited(&platform.login("").await, "30");
    platform.system.pass(30 * SECOND);
    // Four of the five are forgotten now.
    platform.guess("ann", 4).await;
    is_limited(&platform.login("").await, "30");
}

#[tokio::test]
async fn a_name_that_nobody_has_is_limited_like_any_other() {
    let platform = Platform::start().await;
    platform.guess("nobody", 5).await;
    is_limited(&platform.login_as("nobody", "wrong", "").await, "60");
}

#[tokio::test]
async fn only_wrong_credentials_count_as_bad_logins() {
    let platform = Platform::start().await;
    for _ in 0..6 {
        assert_eq!(platform.login("").await.status, 200);
        is_refused(&platform.login("?scope=unknown").await, 400, "invalid_scope");
        is_refused(&platform.login_as("ann", "", "").await, 400, "invalid_request");
    }
}

#[tokio::test]
async fn the_limit_of_logins_can_be_scaled_down() {
    let platform = Platform::with(&[("login_failures", json!(1)), ("login_window", json!(2))]).await;
    platform.guess("ann", 1).await;
    is_limited(&platform.login("").await, "2");
    platform.system.pass(2 * SECOND);
    assert_eq!(platform.login("").await.status, 200);
}

#[tokio::test]
async fn the_limit_of_projects_is_told_as_a_date() {
    let platform = Platform::start().await;
    let token = platform.access("generate:projects").await;
    assert_eq!(platform.post("/v1/projects", &token, "Report").await.status, 201);
    // It began at 22:13:20; the date stays while the time passes.
    platform.system.pass(MINUTE - MILLISECOND);
    is_limited(&platform.post("/v1/projects", &token, "Report").await, "Tue, 14 Nov 2023 22:14:20 GMT");
    assert_eq!(platform.post("/v1/projects", &token, "Another").await.status, 201);
    platform.system.pass(MILLISECOND);
    assert_eq!(platform.post("/v1/projects", &token, "Report").await.status, 201);
}

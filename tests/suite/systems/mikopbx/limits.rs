//! How often something may be asked, and what else stands in the way.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use crate::systems::mikopbx::{
    MISSING, NO_COOKIE, NO_TOKEN, Pbx, TOO_MANY, UNAUTHENTICATED, WRONG, cookie, credentials, is_halted,
    is_plain, is_refused, token,
};
use crate::systems::{DAY, HOUR, MILLISECOND, MINUTE, SECOND};

/// Windows begin at whole multiples of 300 s, and a test 200 s after one.
const REST_OF_THE_WINDOW: Duration = Duration::from_secs(100);

#[tokio::test]
async fn the_eleventh_login_after_ten_failures_is_a_429_whatever_its_password() {
    let pbx = Pbx::start().await;
    for _ in 0..10 {
        is_refused(&pbx.wrong_login().await, 401, WRONG);
    }
    is_refused(&pbx.login_by(&credentials()).await, 429, TOO_MANY);
    is_refused(&pbx.login_by(&json!({})).await, 429, TOO_MANY);
    // However little is left of the window, the message says the whole.
    pbx.system.pass(REST_OF_THE_WINDOW - MILLISECOND);
    is_refused(&pbx.login_by(&credentials()).await, 429, TOO_MANY);
    pbx.system.pass(MILLISECOND);
    pbx.login().await;
}

#[tokio::test]
async fn only_failures_within_one_window_count() {
    let pbx = Pbx::start().await;
    for _ in 0..9 {
        is_refused(&pbx.wrong_login().await, 401, WRONG);
        is_refused(&pbx.login_by(&json!({})).await, 400, MISSING);
    }
    pbx.login().await;
    is_refused(&pbx.wrong_login().await, 401, WRONG);
    is_refused(&pbx.login_by(&credentials()).await, 429, TOO_MANY);

    // Nine at the end of a window and nine at the beginning of the next are no ten.
    pbx.system.pass(REST_OF_THE_WINDOW + 299 * SECOND);
    for _ in 0..2 {
        for _ in 0..9 {
            is_refused(&pbx.wrong_login().await, 401, WRONG);
        }
        pbx.login().await;
        pbx.system.pass(SECOND);
    }
}

#[tokio::test]
async fn a_lockout_of_logins_leaves_tokens_and_refreshes_alone() {
    let pbx = Pbx::start().await;
    let login = pbx.login().await;
    for _ in 0..10 {
        pbx.wrong_login().await;
    }
    is_refused(&pbx.login_by(&credentials()).await, 429, TOO_MANY);
    assert_eq!(pbx.refresh(&cookie(&login)).await.status, 200);
    assert_eq!(pbx.call("/extensions", &token(&login)).await.status, 200);
}

#[tokio::test]
async fn the_hundredth_refresh_of_a_window_is_the_first_429() {
    let pbx = Pbx::start().await;
    let cookie = cookie(&pbx.login().await);
    for call in 1..=99 {
        // Those that are refused count as well.
        match call % 3 {
            0 => is_refused(&pbx.refresh("").await, 401, NO_COOKIE),
            1 => is_refused(&pbx.refresh("invented").await, 401, NO_TOKEN),
            _ => assert_eq!(pbx.refresh(&cookie).await.status, 200, "call {call}"),
        }
    }
    is_refused(&pbx.refresh(&cookie).await, 429, TOO_MANY);
    is_refused(&pbx.refresh("").await, 429, TOO_MANY);
    pbx.login().await;
    pbx.system.pass(REST_OF_THE_WINDOW);
    assert_eq!(pbx.refresh(&cookie).await.status, 200);
}

const TOO_MANY_REQUESTS: &str = "Too many requests\n";

/// Asks as long as it is let through, and says how often that was.
async fn calls_until_blocked(pbx: &Pbx, token: &str) -> usize {
    for call in 0.. {
        let answer = pbx.call("/extensions", token).await;
        if answer.status == 429 {
            is_plain(&answer, 429, TOO_MANY_REQUESTS);
            return call;
        }
    }
    0
}

#[tokio::test]
async fn nginx_blocks_an_address_after_180_requests_a_minute_and_20_more() {
    let pbx = Pbx::with(&[("nginx_limits", json!(true))]).await;
    for seconds in [300, 600, 1200, 2400, 3600, 3600] {
        assert_eq!(calls_until_blocked(&pbx, "nonsense").await, 200, "each block is twice as long");
        pbx.system.pass(seconds * SECOND - MILLISECOND);
        is_plain(&pbx.login_by(&credentials()).await, 429, TOO_MANY_REQUESTS);
        pbx.system.pass(MILLISECOND);
    }
    // Within a day of the last one it is remembered, after a day it is forgotten.
    pbx.system.pass(DAY - HOUR - SECOND);
    assert_eq!(calls_until_blocked(&pbx, "nonsense").await, 200);
    pbx.system.pass(5 * MINUTE);
    is_plain(&pbx.login_by(&credentials()).await, 429, TOO_MANY_REQUESTS);
    pbx.system.pass(DAY - 5 * MINUTE);
    assert_eq!(calls_until_blocked(&pbx, "nonsense").await, 200);
    pbx.system.pass(5 * MINUTE);
    pbx.login().await;
}

#[tokio::test]
async fn nginx_grants_600_requests_a_minute_with_a_good_token() {
    let pbx = Pbx::with(&[("nginx_limits", json!(true))]).await;
    let good = token(&pbx.login().await);
    for _ in 0..199 {
        assert_eq!(pbx.call("/extensions", &good).await.status, 200);
    }
    pbx.system.pass(MINUTE);
    assert_eq!(calls_until_blocked(&pbx, &good).await, 620);
}

#[tokio::test]
async fn what_nginx_refuses_is_plain_text_wherever_it_was_to_go() {
    for (trouble, status, text) in [("flood", 429, TOO_MANY_REQUESTS), ("blocked", 403, "Access denied\n")] {
        let pbx = Pbx::with(&[("trouble", json!(trouble))]).await;
        is_plain(&pbx.login_by(&credentials()).await, status, text);
        is_plain(&pbx.refresh("any").await, status, text);
        is_plain(&pbx.logout("any", None).await, status, text);
        is_plain(&pbx.call("/extensions", "any").await, status, text);
        is_plain(&pbx.call("/auth:validate-token?token=any", "any").await, status, text);
    }
}

#[tokio::test]
async fn a_queue_that_is_full_is_a_503_for_whoever_may_ask() {
    const BUSY: &str = "Service temporarily unavailable, please retry later";
    let good = token(&Pbx::start().await.login().await);
    let pbx = Pbx::with(&[("trouble", json!("busy"))]).await;
    is_halted(&pbx.login_by(&credentials()).await, 503, BUSY);
    is_halted(&pbx.refresh("any").await, 503, BUSY);
    is_halted(&pbx.call("/extensions", &good).await, 503, BUSY);
    is_halted(&pbx.logout(&good, None).await, 503, BUSY);
    is_halted(&pbx.call("/extensions", "nonsense").await, 401, UNAUTHENTICATED);
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_does_not_answer_is_a_400_after_half_a_minute() {
    const TIMEOUT: &str = "Request timeout or worker not responding";
    let pbx = Pbx::with(&[("trouble", json!("timeout"))]).await;
    let start = Instant::now();
    is_halted(&pbx.login_by(&credentials()).await, 400, TIMEOUT);
    assert_eq!(start.elapsed(), MINUTE / 2);

    let scaled = Pbx::with(&[("trouble", json!("timeout")), ("worker_wait", json!("2s"))]).await;
    let start = Instant::now();
    is_halted(&scaled.refresh("any").await, 400, TIMEOUT);
    assert_eq!(start.elapsed(), 2 * SECOND);
}

#[tokio::test]
async fn a_store_that_fails_is_a_422_at_login() {
    let pbx = Pbx::with(&[("trouble", json!("store"))]).await;
    is_refused(&pbx.login_by(&credentials()).await, 422, "Failed to save token to database");
    is_refused(&pbx.wrong_login().await, 401, WRONG);
}

#[tokio::test]
async fn a_rotation_that_fails_is_a_500_and_loses_both_tokens() {
    // Of a session that was there before the store failed, by the digest of its token.
    let kept =
        json!({ "user": "admin", "role": "admins", "home": "/", "language": "en", "ends": 2_000_000_000 });
    let digest = "936a185caaa266bb9cbe981e9e05cb78cd732b0b3280eb944412bb6f8f8f07af"; // of `helloworld`
    let state = [("trouble", json!("store")), ("rotate", json!(true)), ("refresh", json!({ digest: kept }))];
    let pbx = Pbx::with(&state).await;
    is_refused(&pbx.refresh("helloworld").await, 500, "Failed to update token");
    is_refused(&pbx.refresh("helloworld").await, 401, NO_TOKEN);

    let still = Pbx::with(&[state[0].clone(), state[2].clone()]).await;
    assert_eq!(still.refresh("helloworld").await.status, 200, "without rotation nothing has to be kept");
}

//! Why a server refused: what it said, and what a person can do about it.
//!
//! Servers say the same in a dozen shapes. A person who reads `401` wants to know what was wrong
//! with what was sent, and not where a document of JSON keeps it.

mod advice;
mod said;

use crate::ground::value::Value;
use crate::parts::http::Response;

pub(super) use advice::{Sent, advice, advice_inside};
pub(super) use said::{said, said_inside};

/// A 401, a 407, or an OAuth error that says that the credentials are no good (RFC 6749, 5.2).
pub(super) fn is_of_credentials(response: &Response) -> bool {
    const REFUSALS: [&str; 4] = ["invalid_grant", "invalid_client", "unauthorized_client", "access_denied"];
    let refuses = |error| REFUSALS.contains(&error);
    matches!(response.status, 401 | 407) || oauth_error(response).is_some_and(refuses)
}

fn oauth_error(response: &Response) -> Option<&str> {
    response.json().ok().and_then(|json| json.get("error")).and_then(Value::as_str)
}

/// A quoted parameter of the challenge (RFC 6750, 3).
fn challenge(response: &Response, name: &str) -> Option<String> {
    let header = response.headers.get(reqwest::header::WWW_AUTHENTICATE)?.to_str().ok()?;
    let (_, rest) = header.split_once(&format!("{name}=\""))?;
    rest.split_once('"').map(|(value, _)| value.to_owned())
}

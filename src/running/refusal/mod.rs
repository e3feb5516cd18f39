//! Why a server refused: what it said, and what a person can do about it.
//!
//! Servers say the same in a dozen shapes. A person who reads `401` wants to know what was wrong
//! with what was sent, and not where a document of JSON keeps it.

mod advice;
mod said;

use crate::ground::value::Value;
use crate::parts::http::Response;
use crate::running::refusal::advice::{advice, advice_inside};
use crate::running::refusal::said::{said, said_inside};
use crate::running::show;
use crate::running::step::StepRun;

pub(super) use crate::running::refusal::advice::Sent;

impl StepRun<'_> {
    /// Adds the answer, what it says and what can be done, for whoever is to mend the step.
    pub(super) fn explain(&mut self) {
        self.learn_answer();
        let Some(response) = self.response.as_deref() else { return };
        let needles = &self.scope.needles;
        let now_ms = self.flowing.context.clock.now_ms();
        let (said, help) = if self.outcome.is_refused {
            (said(response, needles), advice(response, &self.sent, now_ms))
        } else if response.status < 400 {
            let missed = self.outcome.error.is_some();
            let help = missed.then(|| advice_inside(response)).flatten();
            (said_inside(response, needles), help)
        } else {
            (None, None)
        };
        self.outcome.said = said;
        self.outcome.help = help.map(|help| needles.scrub(&help));
        self.outcome.answer = Some(show::answer(response, needles));
    }
}

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

//! What a run learns of its requests and answers, so that no secret in them is shown afterwards.

use std::borrow::Cow;
use std::sync::atomic::Ordering;
use std::sync::{Arc, LazyLock};

use memchr::memmem::Finder;
use reqwest::header::{COOKIE, HeaderMap, HeaderName, SET_COOKIE};

use crate::ground::secret::{Needles, SHORTEST};
use crate::ground::value::Value;
use crate::parts::http::message::{holds_url, is_credential};
use crate::parts::http::{Request, Response, is_form};
use crate::running::step::StepRun;

/// How much of a body is looked at, in bytes: what is shown is cut from this.
pub(super) const LOOKED_AT: usize = 64 * 1024;

impl StepRun<'_> {
    /// Lets the secrets of the answer be known to all that is shown from now on, once.
    pub(super) fn learn_answer(&self) {
        if !self.is_learnt.swap(true, Ordering::Relaxed) {
            self.learn_by(answer);
        }
    }

    /// Does so for an answer that nothing is taken of or shown, where it is cheaply seen that it may
    /// hold any.
    pub(super) fn learn_unasked(&self) {
        if !self.is_learnt.load(Ordering::Relaxed) && self.response.as_deref().is_some_and(may_tell_secrets) {
            self.learn_by(answer);
        }
    }

    fn learn_by(&self, learn: fn(&Response, &Needles)) {
        let Some(response) = &self.response else { return };
        // A large answer is not kept for that.
        if response.body.len() > LOOKED_AT {
            return learn(response, &self.scope.needles);
        }
        let response = Arc::clone(response);
        self.scope.needles.learn_later(move |needles| learn(&response, needles));
    }
}

/// Whether a value may hold a secret that is searched for.
pub(super) fn may_repeat(value: &Value) -> bool {
    match value {
        Value::String(text) => text.len() >= SHORTEST,
        Value::List(_) | Value::Object(_) => true,
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Whether an answer may hold what is a secret by its name: in its body the words that most of these
/// names have are looked for, which costs far less than reading it.
fn may_tell_secrets(response: &Response) -> bool {
    static WORDS: LazyLock<[Finder<'static>; 6]> = LazyLock::new(|| {
        ["oken", "assw", "ecret", "ession", "redential", "eyJ"].map(|word| Finder::new(word.as_bytes()))
    });
    let beginning = &response.body[..response.body.len().min(LOOKED_AT)];
    let is_told = |name: &HeaderName| *name != SET_COOKIE && is_credential(name);
    !response.hops.is_empty()
        || WORDS.iter().any(|word| word.find(beginning).is_some())
        || response.headers.keys().any(is_told)
}

/// Learns the secrets of an answer that nobody extracted: they may be echoed elsewhere in it. Called
/// before anything of it is shown.
pub(super) fn answer(response: &Response, needles: &Needles) {
    for hop in &response.hops {
        needles.learn_url(hop.from.as_str());
        needles.learn_url(hop.to.as_str());
    }
    needles.learn_url(response.url.as_str());
    of_headers(&response.headers, needles);
    let is_small = response.body.len() <= LOOKED_AT;
    match is_small.then(|| response.json().ok()).flatten() {
        Some(json) => of_json(json, needles),
        None => of_body(&beginning(&response.body), &response.headers, needles),
    }
}

/// Learns what stands in a request under a secret's name.
pub(super) fn request(request: &Request, needles: &Needles) {
    needles.learn_url(request.url.as_str());
    of_headers(&request.headers, needles);
    if let Some(body) = &request.body {
        let text = beginning(body);
        match Value::from_json(text.as_bytes()) {
            Ok(json) => of_json(&json, needles),
            Err(_) => of_body(&text, &request.headers, needles),
        }
    }
}

fn of_headers(headers: &HeaderMap, needles: &Needles) {
    for (name, value) in headers {
        let text = String::from_utf8_lossy(value.as_bytes());
        if holds_url(name) {
            needles.learn_url(&text);
        } else if is_credential(name) && ![COOKIE, SET_COOKIE].contains(name) {
            // Of `Bearer abc` the second word is the secret; of what has parameters, the whole.
            let second = text.split_once(' ').map(|(_, secret)| secret.trim());
            let secret = second.filter(|secret| !secret.contains([' ', ','])).unwrap_or(&text);
            needles.learn(&name.as_str().into(), secret);
            proofs(&text).for_each(|(name, proof)| needles.learn(&name.into(), proof));
        } else {
            needles.learn_text(&text);
        }
    }
}

/// The parameters of a credential that prove knowledge of a secret (RFC 7616, section 3.4; RFC 9421).
fn proofs(credential: &str) -> impl Iterator<Item = (&str, &str)> {
    const PROOFS: [&str; 4] = ["signature", "response", "mac", "sig"];
    let pairs = credential.split([',', ' ']).filter_map(|pair| pair.split_once('='));
    pairs
        .filter(|(name, _)| PROOFS.iter().any(|proof| name.eq_ignore_ascii_case(proof)))
        .map(|(name, value)| (name, value.trim_matches('"')))
}

/// Members with a secret's name, and what texts hold that are URLs or documents themselves.
fn of_json(json: &Value, needles: &Needles) {
    needles.learn_members(json);
    of_texts(json, needles);
}

fn of_texts(json: &Value, needles: &Needles) {
    match json {
        Value::String(text) if text.contains(['=', ':', '>']) => {
            needles.learn_url(text);
            needles.learn_text(text);
        }
        Value::List(elements) => elements.iter().for_each(|element| of_texts(element, needles)),
        Value::Object(members) => members.values().for_each(|member| of_texts(member, needles)),
        _ => {}
    }
}

fn of_body(text: &str, headers: &HeaderMap, needles: &Needles) {
    if is_form(headers) {
        needles.learn_pairs(text);
    } else {
        needles.learn_url(text);
        needles.learn_text(text);
    }
}

/// As much of a body as is looked at.
fn beginning(body: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(&body[..body.len().min(LOOKED_AT)])
}

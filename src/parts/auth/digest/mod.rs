//! HTTP Digest (RFC 7616, and RFC 2617 before it).
//!
//! The first request goes without credentials, since only the server knows what it wants to see.
//! Its challenge is kept for the run, so that later requests to the same origin are answered in
//! advance, with the next count of the same nonce.

mod challenge;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use reqwest::StatusCode;
use reqwest::header::{AUTHORIZATION, HeaderMap, WWW_AUTHENTICATE};
use url::{Origin, Position, Url};

use crate::ground::random;
use crate::ground::read::Reading;
use crate::ground::yaml::Node;
use crate::parts::auth::Scheme;
use crate::parts::auth::credential::{SketchedCredential, learn_proof, set_credential};
use crate::parts::auth::digest::challenge::{Challenge, Exchange, parameters_of};
use crate::parts::auth::part::Part;
use crate::parts::http::redirect::carry_on;
use crate::parts::http::{Request, Response};
use crate::parts::scope::Scope;
use crate::parts::template::{Error, Mention, Sketcher};

/// How often one request answers: a challenge, and once more where its nonce was too old.
const ROUNDS: u32 = 2;

/// `digest: { username, password }`.
#[derive(Debug, Clone)]
pub struct Digest {
    username: Part,
    password: Part,
}

/// The challenges that servers gave in a run, one for each origin. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Challenges(Arc<Mutex<Vec<Known>>>);

#[derive(Debug)]
struct Known {
    origin: Origin,
    challenge: Challenge,
    cnonce: String,
    /// How many requests had this nonce.
    count: u32,
}

impl Challenges {
    fn lock(&self) -> MutexGuard<'_, Vec<Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn forget(&self, url: &Url) {
        self.lock().retain(|known| known.origin != url.origin());
    }

    fn keep(&self, url: &Url, challenge: Challenge, cnonce: String) {
        self.forget(url);
        self.lock().push(Known { origin: url.origin(), challenge, cnonce, count: 0 });
    }

    /// The challenge that holds for a URL, and the next count of its nonce.
    fn next(&self, url: &Url) -> Option<(Challenge, String, u32)> {
        let mut known = self.lock();
        let known = known.iter_mut().find(|known| known.origin == url.origin())?;
        if !known.challenge.covers(url) {
            return None;
        }
        known.count = known.count.saturating_add(1);
        Some((known.challenge.clone(), known.cnonce.clone(), known.count))
    }

    /// A server may name the nonce that it wants next (RFC 7616, section 3.5).
    fn renew(&self, url: &Url, nonce: String) {
        if let Some(known) = self.lock().iter_mut().find(|known| known.origin == url.origin()) {
            known.challenge.nonce = nonce;
            known.count = 0;
        }
    }
}

impl Digest {
    pub(super) fn read(node: &Node, reading: &Reading) -> Option<Self> {
        let fields = reading.fields(node, "digest", &["username", "password"], &[])?;
        let part = |name: &str| {
            let value = fields.required(name, || {
                let help = "write `digest: { username: …, password: … }`";
                reading.error_with(fields.span, format!("`digest` needs `{name}`"), help);
            });
            Part::read(value?, name, reading)
        };
        let (username, password) = (part("username"), part("password"));
        Some(Self { username: username?, password: password? })
    }
}

impl Scheme for Digest {
    /// Signs in advance where the origin's challenge is known.
    fn apply(&self, request: &mut Request, scope: &Scope) -> Result<(), Error> {
        let Some((challenge, cnonce, count)) = scope.challenges.next(&request.url) else { return Ok(()) };
        let Some(password) = self.password.text(scope, "password")? else { return Ok(()) };
        let username = self.username.tree.value(scope)?.value.to_text();
        let exchange = Exchange {
            method: request.method.as_str(),
            uri: &request.url[Position::BeforePath..Position::AfterQuery],
            body: request.body.as_deref().unwrap_or_default(),
            cnonce: &cnonce,
            count,
        };
        let credential = challenge.answer(&username, &password.value, &exchange);
        learn_proof("response", &credential, scope);
        set_credential(request, AUTHORIZATION, &credential, self.password.span)
    }

    /// Signs once more where the answer is a challenge that was not tried yet; whether it did.
    fn answer(
        &self,
        response: &Response,
        request: &mut Request,
        rounds: u32,
        scope: &Scope,
    ) -> Result<bool, Error> {
        // What answered may be another origin, or one that was reached through another: no
        // credential goes there.
        let detour = response.hops.iter().any(|hop| hop.dropped_credentials);
        if detour || response.url.origin() != request.url.origin() {
            return Ok(false);
        }
        if response.status != StatusCode::UNAUTHORIZED.as_u16() {
            note_next_nonce(response, scope);
            return Ok(false);
        }
        let found = challenge::strongest(&response.headers);
        let Some(challenge) = found.map_err(|why| Error::new(self.password.span, why))? else {
            return Ok(false);
        };
        if rounds >= ROUNDS || (rounds > 0 && !challenge.stale) {
            scope.challenges.forget(&request.url);
            return Ok(false);
        }
        if self.password.text(scope, "password")?.is_none() {
            return Ok(false);
        }
        follow(response, request);
        let cnonce = random::letters(32).map_err(|why| Error::new(self.password.span, why.to_string()))?;
        // It covers the request that it was given for, whatever `domain` says.
        let mut challenge = challenge;
        if !challenge.covers(&request.url) {
            challenge.domain = None;
        }
        scope.challenges.keep(&request.url, challenge, cnonce);
        self.apply(request, scope)?;
        Ok(true)
    }

    fn reads(&self, visit: &mut dyn FnMut(Mention<'_>)) {
        self.username.tree.reads(visit);
        self.password.tree.reads(visit);
    }

    fn sketch(&self, _: &Sketcher<'_>) -> SketchedCredential {
        SketchedCredential::later("`digest` answers the server's challenge")
    }
}

fn note_next_nonce(response: &Response, scope: &Scope) {
    let header = response.headers.get("authentication-info").and_then(|value| value.to_str().ok());
    let next = header.and_then(|text| {
        parameters_of(text).into_iter().find(|(name, _)| name == "nextnonce").map(|(_, nonce)| nonce)
    });
    if let Some(nonce) = next {
        scope.challenges.renew(&response.url, nonce);
    }
}

/// After redirects within the origin it is the last of them that asks: the answer goes there, as
/// the redirect would have sent it.
fn follow(response: &Response, request: &mut Request) {
    for hop in &response.hops {
        carry_on(hop.status, request);
    }
    request.url = response.url.clone();
}

/// The values of all `WWW-Authenticate` headers as texts.
fn offers(headers: &HeaderMap) -> impl Iterator<Item = String> {
    let values = headers.get_all(WWW_AUTHENTICATE).iter();
    values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

#[cfg(test)]
mod tests;

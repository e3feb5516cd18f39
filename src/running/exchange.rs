//! The exchange of a step: sign, send, and send again where that is allowed.

use std::sync::Arc;

use reqwest::header::RETRY_AFTER;
use url::Position;

use crate::ground::diagnostic::Diagnostic;
use crate::ground::encode;
use crate::ground::secret::pseudonym;
use crate::parts::auth::Auth;
use crate::parts::http::error::{Error, Kind};
use crate::parts::http::spec::Rendered;
use crate::parts::http::{Channel, Jar, Request, RequestSpec, Response, status};
use crate::parts::retry::{Attempt, LONGEST_WAIT, Retry};
use crate::parts::scope::Scope;
use crate::running::event::{Detail, EventKind};
use crate::running::outcome::{Cause, Failure};
use crate::running::refusal::Sent;
use crate::running::show;
use crate::running::step::StepRun;
use crate::running::tell::hops;

/// What is known of a request that is told of, beside the request itself.
#[derive(Clone, Copy)]
struct Watched<'s> {
    /// What it was evaluated in.
    scope: &'s Scope,
    /// Whether no script changed it.
    as_written: bool,
    /// How often it was sent, this time included.
    attempts: u32,
}

impl StepRun<'_> {
    /// Sends the step's request; `touched` is what a script left of it.
    pub(super) async fn send(
        &mut self,
        spec: &Arc<RequestSpec>,
        touched: Option<Box<Rendered>>,
    ) -> Result<Response, Box<Failure>> {
        let as_written = touched.is_none();
        // Who watches is shown what was evaluated for the wire.
        let remembering = self.flowing.events.wants_requests().then(|| self.scope.remembering());
        let rendered = match touched {
            Some(rendered) => Ok(*rendered),
            None => spec.render(remembering.as_ref().unwrap_or(&self.scope)),
        };
        let rendered = rendered.map_err(|error| self.template_failure(&error))?;
        let from_server = rendered.origin_from_server;
        let jar = rendered.cookies.then(|| self.flowing.jar.clone());
        let mut request = rendered.finish();
        request.jar = jar.map(|jar| jar.trusting(request.limits.trust.as_ref()));
        request.needles = Some(self.scope.needles.clone());
        // `auth` signs what was rendered, not what it signed the last time.
        let unsigned = self.planned.retry.is_some().then(|| Box::new(request.clone()));
        let mut attempts = 0;
        loop {
            attempts += 1;
            self.outcome.attempts += 1;
            let signed = self.sign(spec, &mut request, from_server)?;
            let watched = remembering.as_ref().map(|scope| Watched { scope, as_written, attempts });
            let result = self.converse(spec, &mut request, watched, signed).await?;
            let Some(wait) = self.wait_before_retry(&result, &request, attempts) else {
                if result.as_ref().is_ok_and(|response| response.status >= 400) {
                    self.sent = Sent::of(&request, attempts);
                }
                return result.map_err(|error| self.network_failure(&error, spec));
            };
            tokio::time::sleep(wait).await;
            request = unsigned.as_deref().cloned().unwrap_or(request);
        }
    }

    /// Sends a request, and again where its scheme answers a challenge of the server: that is part
    /// of the same attempt.
    async fn converse(
        &mut self,
        spec: &RequestSpec,
        request: &mut Request,
        watched: Option<Watched<'_>>,
        signed: bool,
    ) -> Result<Result<Response, Error>, Box<Failure>> {
        let mut rounds = 0;
        loop {
            if let Some(watched) = watched {
                self.tell_request(spec, request, watched, rounds > 0);
            }
            let transport = &*self.flowing.context.transport;
            let result = self.flowing.events.send(&self.path, transport, request).await;
            self.outcome.redirects = show::redirects(hops(&result), &self.scope.needles);
            let (Some(auth), Ok(response)) = (spec.auth().filter(|_| signed), &result) else {
                return Ok(result);
            };
            let answered = auth.answer(response, request, rounds, &self.scope);
            if !answered.map_err(|error| self.template_failure(&error))? {
                return Ok(result);
            }
            self.tell_response(response);
            rounds += 1;
        }
    }

    /// Puts the credential in and says so, unless a server chose where the request goes: then it
    /// goes only to an origin that the user named.
    fn sign(
        &self,
        spec: &RequestSpec,
        request: &mut Request,
        from_server: bool,
    ) -> Result<bool, Box<Failure>> {
        let origins = &self.flowing.origins;
        if !from_server {
            origins.note(&request.url);
        } else if !origins.admit(request, self.source(), &self.scope) {
            return self.strip(spec, request).map(|()| false);
        }
        if let Some(auth) = spec.auth() {
            auth.apply(request, &self.scope).map_err(|error| self.template_failure(&error))?;
        }
        Ok(true)
    }

    /// Takes the credentials out, and says so. A secret in the query or the body cannot be taken
    /// out: such a request is not sent.
    fn strip(&self, spec: &RequestSpec, request: &mut Request) -> Result<(), Box<Failure>> {
        let origin = request.url.origin().ascii_serialization();
        if request.secret_inside || holds_secret(request) {
            let message = format!("the request holds a secret, and a server chose where it goes: {origin}");
            let diagnostic = Diagnostic::error(message).at(self.source(), spec.span());
            let help = format!("if that is meant, name the origin in an input or a default: {origin}");
            return Err(self.failure(diagnostic.help(help)));
        }
        let secret: Vec<_> = request
            .headers
            .iter()
            .filter(|(name, value)| request.carries_credential(name, value))
            .map(|(name, _)| name.clone())
            .collect();
        let signed = spec.auth().is_some_and(|auth| !matches!(auth, Auth::None));
        for name in &secret {
            request.headers.remove(name);
        }
        request.channel = Channel::for_stranger(request.channel.as_ref());
        request.jar = request.jar.take().map(Jar::for_stranger);
        if (signed || !secret.is_empty()) && self.outcome.attempts == 1 {
            let message = format!(
                "sent without credentials: a server chose to go to {origin}, which no input, default or URL of the file names"
            );
            self.flowing.events.tell(&self.path, EventKind::Warned { message });
        }
        Ok(())
    }

    fn tell_request(&self, spec: &RequestSpec, request: &Request, watched: Watched<'_>, is_answer: bool) {
        let Watched { scope, as_written, attempts } = watched;
        let (events, transport) = (&self.flowing.events, &*self.flowing.context.transport);
        let mut text = events.request_text(request, transport, scope, || spec.secrets(scope));
        // The same request sent again has the same command.
        text.curl = text.curl.filter(|_| attempts == 1 || is_answer);
        if text.curl.is_none() && !events.wants(Detail::Requests) {
            return;
        }
        // An API key in the query is put there by `auth`, and is in no template of the URL.
        let key = spec.auth().and_then(|auth| auth.key_in_query(scope));
        let key = key.map(|key| (encode::url(&key.parameter), pseudonym(&key.name)));
        // What no script changed is shown as it was written: a secret too short to be searched for
        // still has its mark there.
        if as_written && let (Ok(url), Ok(body)) = (spec.shown_url(scope), spec.shown_body(scope)) {
            let url = match key {
                Some((name, key)) if request.secret_inside => show::with_parameter(&url, &name, &key),
                _ => url,
            };
            text.url = scope.needles.shown_url(&url);
            text.body = body.map(|body| show::text(&body, &request.headers, &scope.needles));
        } else if let Some((name, key)) = key {
            text.url = show::with_last_parameter(&text.url, &name, &key);
        }
        events.tell(&self.path, EventKind::RequestSent(text.into()));
    }

    pub(super) fn tell_response(&self, response: &Response) {
        let events = &self.flowing.events;
        let needles = &self.scope.needles;
        events.tell_at(Detail::Requests, &self.path, || {
            EventKind::ResponseReceived(show::response(response, needles, events.wants(Detail::Wire)).into())
        });
    }

    /// How long to wait before the same request is sent again; `None` where it is not.
    fn wait_before_retry(
        &self,
        result: &Result<Response, Error>,
        request: &Request,
        attempts: u32,
    ) -> Option<std::time::Duration> {
        let retry = self.planned.retry.as_ref()?;
        let (attempt, bytes_out, after) = match result {
            Ok(response) => (Attempt::Status(response.status), true, response.headers.get(RETRY_AFTER)),
            Err(error) => (attempt_of(error)?, error.sent(), None),
        };
        if !retry.should_retry(attempts, attempt, &request.method, bytes_out) {
            return None;
        }
        let after = after.and_then(|value| value.to_str().ok());
        let wait = self.wait(retry, after, attempts)?;
        let why = match result {
            Ok(response) => status::shown(response.status),
            Err(error) => self.scope.needles.scrub(&error.to_string()),
        };
        let attempt = attempts + 1;
        let events = &self.flowing.events;
        events.tell_at(Detail::Steps, &self.path, || EventKind::RetryScheduled { attempt, why, wait });
        Some(wait)
    }

    fn wait(&self, retry: &Retry, after: Option<&str>, attempts: u32) -> Option<std::time::Duration> {
        // Jitter need not be unpredictable: where no randomness is to be had, the longest is waited.
        let random = getrandom::u32().map_or(1.0, |drawn| f64::from(drawn) / f64::from(u32::MAX));
        let wait = retry.backoff.wait(attempts, after, self.flowing.context.clock.now_ms(), random);
        if wait.is_none() {
            let asked = after.unwrap_or_default();
            let longest = LONGEST_WAIT.as_secs();
            let message = format!(
                "the server asks to wait longer than {longest} s (Retry-After: {asked}): not waited for"
            );
            self.flowing.events.tell(&self.path, EventKind::Warned { message });
        }
        wait
    }

    fn network_failure(&self, error: &Error, spec: &RequestSpec) -> Box<Failure> {
        let diagnostic = Diagnostic::error(error.to_string()).at(self.source(), spec.span());
        let mut failure = self.failure(diagnostic.maybe_help(error.help()));
        if error.is_of_credentials() {
            failure.cause = Cause::Authentication;
        }
        failure
    }
}

/// Whether a secret that is known came unmarked into what cannot be taken out.
fn holds_secret(request: &Request) -> bool {
    request.knows_secret_in(request.url[Position::BeforePath..].as_bytes())
        || request.body.as_ref().is_some_and(|body| request.knows_secret_in(body))
}

fn attempt_of(error: &Error) -> Option<Attempt> {
    match error.kind() {
        Kind::Connect => Some(Attempt::Connect),
        Kind::Timeout => Some(Attempt::Timeout),
        Kind::Other => None,
    }
}

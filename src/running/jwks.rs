//! The keys that sign tokens, fetched from where `expect.jwt.verify.jwks` says.
//!
//! Judging does not wait for a network, so they are fetched before: once a run, without
//! credentials, by the transport that everything goes through.

use reqwest::Method;
use reqwest::header::{ACCEPT, HeaderMap, HeaderValue};
use url::Url;

use crate::ground::diagnostic::Diagnostic;
use crate::ground::source::{Span, Spanned};
use crate::parts::http::message::Limits;
use crate::parts::http::{Channel, Request, Response, status};
use crate::parts::scope::Scope;
use crate::running::event::EventKind;
use crate::running::outcome::Failure;
use crate::running::step::StepRun;

/// The largest key set that is read, in bytes.
const LARGEST: u64 = 1 << 20;

impl StepRun<'_> {
    /// Fetches the key sets that the step's expectations need, unless this run has them.
    pub(super) async fn fetch_keys(&self, scope: &Scope) -> Result<(), Box<Failure>> {
        let Some(expect) = &self.step.expect else { return Ok(()) };
        let urls = expect.key_urls(scope).map_err(|error| self.template_failure(&error))?;
        for Spanned { value: text, span } in urls {
            if scope.keys(&text).is_none() {
                let response = Box::pin(self.fetch(&text, span)).await?;
                scope.keep_keys(&text, response.text().as_ref().into());
            }
        }
        Ok(())
    }

    async fn fetch(&self, text: &str, span: Span) -> Result<Response, Box<Failure>> {
        let needles = &self.scope.needles;
        let refused = |why: String| {
            let message = format!("cannot fetch the keys of `jwks`: {}", needles.scrub(&why));
            self.failure(Diagnostic::error(message).at(self.source(), span))
        };
        let url = Url::parse(text).map_err(|error| refused(format!("`{text}` is not a URL: {error}")))?;
        if !matches!(url.scheme(), "http" | "https") || !url.username().is_empty() || url.password().is_some()
        {
            return Err(refused(format!("`{text}` must be an http or https URL without credentials")));
        }
        let mut request = request(url);
        let channel = self.flowing.plan.workflow.defaults.channel();
        channel.limit(&mut request.limits, &self.scope).map_err(|error| self.template_failure(&error))?;
        let channel = channel.resolve(&self.scope).map_err(|error| self.template_failure(&error))?;
        request.channel = Channel::anonymous(channel.as_ref());
        request.needles = Some(needles.clone());
        let (events, transport) = (&self.flowing.events, &*self.flowing.context.transport);
        if events.wants_requests() {
            let text = events.request_text(&request, transport, &self.scope, Vec::new);
            events.tell(&self.path, EventKind::RequestSent(text.into()));
        }
        let sent = events.send(&self.path, transport, &request).await;
        let response = sent.map_err(|error| refused(error.to_string()))?;
        self.tell_response(&response);
        if response.status != 200 {
            return Err(refused(format!("{text} answered {}", status::shown(response.status))));
        }
        match response.json() {
            Ok(json) if json.get("keys").is_some() => Ok(response),
            _ => Err(refused(format!("{text} answered something else than a key set (RFC 7517)"))),
        }
    }
}

fn request(url: Url) -> Request {
    let accept = HeaderValue::from_static("application/jwk-set+json, application/json");
    Request {
        headers: HeaderMap::from_iter([(ACCEPT, accept)]),
        limits: Limits { max_body: LARGEST, ..Limits::default() },
        ..Request::new(Method::GET, url)
    }
}

//! Where the parts of a run tell what happened, and what is warned of at every exchange.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use url::Url;

use crate::parts::http::message::Hop;
use crate::parts::http::tls::Tls;
use crate::parts::http::{Channel, Error, Jar, Request, Response, Transport, curl};
use crate::parts::scope::Scope;
use crate::running::context::Context;
use crate::running::event::{Detail, Event, EventKind, RequestText};
use crate::running::show;

/// Where the parts of one run tell what happened; clones tell to the same.
#[derive(Debug, Clone)]
pub(super) struct Events {
    sender: UnboundedSender<Event>,
    started: Instant,
    detail: Detail,
    /// Whether requests are told as commands, too.
    curl: bool,
    /// What was warned of and is told once.
    told: Arc<Mutex<Vec<String>>>,
}

impl Events {
    /// Those of a run that begins now, and where they arrive.
    pub(super) fn new(context: &Context) -> (Self, UnboundedReceiver<Event>) {
        let (sender, receiver) = unbounded_channel();
        let (detail, curl) = (context.detail, context.curl);
        (Self { sender, started: Instant::now(), detail, curl, told: Arc::default() }, receiver)
    }

    /// Whether anybody wants to know that much.
    pub(super) fn wants(&self, detail: Detail) -> bool {
        self.detail >= detail
    }

    /// Whether requests are told of, as they are or as commands.
    pub(super) fn wants_requests(&self) -> bool {
        self.curl || self.wants(Detail::Requests)
    }

    /// A request as people may see it, in a scope that knows the secrets in it; `more` are others,
    /// that no text is searched for. Its command is told when it is sent for the first time.
    pub(super) fn request_text(
        &self,
        request: &Request,
        transport: &dyn Transport,
        scope: &Scope,
        more: impl FnOnce() -> Vec<(Arc<str>, String)>,
    ) -> RequestText {
        let mut text = show::request(request, &scope.needles, self.wants(Detail::Wire));
        text.curl = self.curl.then(|| {
            let mut known = scope.secrets();
            known.extend(more());
            let unchecked = transport.unchecked(request, &request.url).is_some();
            curl::command(request, &scope.needles, &known, unchecked)
        });
        text
    }

    /// Tells what happened at a path.
    pub(super) fn tell(&self, path: &Arc<str>, kind: EventKind) {
        let event = Event { seq: 0, path: Arc::clone(path), elapsed: self.started.elapsed(), kind };
        // The receiver lives as long as the run; where it is gone, nobody listens any more.
        let _ = self.sender.send(event);
    }

    /// Warns of something once in a run, however often it happens.
    pub(super) fn warn_once(&self, path: &Arc<str>, message: String) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if !told.contains(&message) {
            told.push(message.clone());
            self.tell(path, EventKind::Warned { message });
        }
    }

    /// Sends a request, and warns of what comes with it before and afterwards: every exchange of a run
    /// goes through here.
    pub(super) async fn send(
        &self,
        path: &Arc<str>,
        transport: &dyn Transport,
        request: &Request,
    ) -> Result<Response, Error> {
        self.warn_before(path, transport, request);
        let result = transport.send(request).await;
        self.warn_of_hops(path, transport, request, hops(&result));
        self.warn_of_cookies(path, request);
        result
    }

    /// Warns before a request is sent: of a server whose certificate is not checked, of a private key
    /// that others can read, and of cookies that do not go along.
    fn warn_before(&self, path: &Arc<str>, transport: &dyn Transport, request: &Request) {
        self.warn_if_unchecked(path, transport, request, &request.url);
        let tls = request.channel.as_deref().and_then(Channel::tls);
        if let Some(key) = tls.and_then(Tls::loose_key) {
            let key = key.display();
            let message = format!("other users of this machine can read the private key `{key}`: chmod 600");
            self.warn_once(path, message);
        }
        let jar = request.jar.as_ref().filter(|jar| jar.withholds(&request.url));
        if let Some(jar) = jar {
            let origin = request.url.origin().ascii_serialization();
            self.warn_once(path, if jar.is_for_stranger() {
                format!("sent without the cookies of other servers: no input, default or URL of the file names {origin}")
            } else {
                format!("sent without the cookies that came over https: {origin} is not encrypted")
            });
        }
    }

    fn warn_if_unchecked(&self, path: &Arc<str>, transport: &dyn Transport, request: &Request, url: &Url) {
        if let Some(why) = transport.unchecked(request, url) {
            let origin = url.origin().ascii_serialization();
            self.warn_once(path, format!("the certificate of {origin} is not checked: {why}"));
        }
    }

    /// Warns of what redirects did: they led to servers whose certificates are not checked, left
    /// credentials behind, or left what is encrypted.
    fn warn_of_hops(&self, path: &Arc<str>, transport: &dyn Transport, request: &Request, hops: &[Hop]) {
        for hop in hops {
            self.warn_if_unchecked(path, transport, request, &hop.to);
            let (from, to) = (hop.from.origin().ascii_serialization(), hop.to.origin().ascii_serialization());
            if hop.dropped_credentials {
                let message = format!(
                    "a redirect from {from} to {to} changed the origin: credentials were left behind"
                );
                self.warn_once(path, message);
            }
            if hop.from.scheme() == "https" && hop.to.scheme() == "http" {
                self.warn_once(path, format!("a redirect from {from} leads to {to}, which is not encrypted"));
            }
        }
    }

    /// Warns of cookies that were left out.
    fn warn_of_cookies(&self, path: &Arc<str>, request: &Request) {
        if let Some(message) = request.jar.as_ref().and_then(Jar::warning) {
            self.tell(path, EventKind::Warned { message });
        }
    }

    /// Tells what happened if anybody wants to know that much.
    pub(super) fn tell_at(&self, detail: Detail, path: &Arc<str>, kind: impl FnOnce() -> EventKind) {
        if self.wants(detail) {
            self.tell(path, kind());
        }
    }
}

/// The redirects that were followed, also where no answer came in the end.
pub(super) fn hops(result: &Result<Response, Error>) -> &[Hop] {
    match result {
        Ok(response) => &response.hops,
        Err(error) => error.hops(),
    }
}

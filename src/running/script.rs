//! How a step runs a script: on a thread that may block, with a request that is rendered when it
//! is first touched.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue};
use tokio::runtime::Handle;

use crate::document::workflow::Workflow;
use crate::ground::diagnostic::Diagnostic;
use crate::ground::secret::Marks;
use crate::parts::http::message::{Hop, is_credential, reserved};
use crate::parts::http::origin::same_origin;
use crate::parts::http::spec::{Rendered, RenderedBody, parse_url};
use crate::parts::http::{Channel, Jar, Request, RequestSpec, Response, Transport};
use crate::parts::scope::Scope;
use crate::parts::script::{self, Draft, Host, Phase, Ran, RequestCell, Script, Sender};
use crate::parts::template;
use crate::running::context::Cancel;
use crate::running::event::{Detail, EventKind, RedirectText};
use crate::running::learn;
use crate::running::origins::Origins;
use crate::running::show;
use crate::running::step::StepRun;
use crate::running::tell::{Events, hops};

/// The redirects that the requests of a script followed.
type Followed = Arc<Mutex<Vec<RedirectText>>>;

/// Runs a script of a step to its end; gives back the redirects that its requests followed, too.
///
/// # Errors
/// Only where the thread that ran it broke; what the script did wrong is in [`Ran`].
pub(super) async fn run(
    step: &StepRun<'_>,
    script: &Script,
    request: Option<&Arc<Touched>>,
    scope: Scope,
) -> Result<(Ran, Vec<RedirectText>), Diagnostic> {
    let context = step.flowing.context;
    let phase = match (request.is_some(), scope.response().is_some()) {
        (true, _) => Phase::Before,
        (false, true) => Phase::After,
        (false, false) => Phase::Alone,
    };
    let events = step.flowing.events.clone();
    if events.wants(Detail::Steps) && script.may_print() {
        step.learn_answer();
    }
    let path = Arc::clone(&step.path);
    let mut host = Host::new(scope.clone(), phase);
    host.request = request.map(|touched| Arc::clone(touched) as Arc<dyn RequestCell>);
    host.cancel = context.cancel.flag();
    let followed = Followed::default();
    host.sender = Some(Arc::new(Blocking {
        followed: Arc::clone(&followed),
        transport: Arc::clone(&context.transport),
        runtime: Handle::current(),
        cancel: context.cancel.clone(),
        scope,
        origins: Arc::clone(&step.flowing.origins),
        workflow: Arc::clone(&step.flowing.plan.workflow),
        jar: step.flowing.jar.clone(),
        events: events.clone(),
        path: Arc::clone(&path),
    }));
    host.jar = Some(step.flowing.jar.clone());
    host.on_print = Arc::new(move |text| {
        events.tell_at(Detail::Steps, &path, || EventKind::ScriptLogged { text: text.to_owned() });
    });
    let script = script.clone();
    let ran = tokio::task::spawn_blocking(move || script.run(host)).await;
    let ran = ran.map_err(|_| {
        Diagnostic::error("internal error: the thread of a script broke").help("please report it")
    })?;
    let followed = std::mem::take(&mut *followed.lock().unwrap_or_else(PoisonError::into_inner));
    Ok((ran, followed))
}

/// Sends what a script asks for, through the transport of the run.
struct Blocking {
    followed: Followed,
    transport: Arc<dyn Transport>,
    runtime: Handle,
    cancel: Cancel,
    scope: Scope,
    origins: Arc<Origins>,
    workflow: Arc<Workflow>,
    jar: Jar,
    events: Events,
    path: Arc<str>,
}

impl Blocking {
    /// A script may have got its URL from anywhere: a credential goes only to an origin that the
    /// user named, and a client certificate is one like any other.
    fn admit(&self, request: &mut Request) -> Result<(), script::Error> {
        let holds_secret = request.secret_inside || request.headers.values().any(HeaderValue::is_sensitive);
        let carries_any = holds_secret || request.channel.is_some() || request.jar.is_some();
        if !carries_any || self.origins.admit(request, &self.workflow.source, &self.scope) {
            return Ok(());
        }
        if !holds_secret {
            // A client certificate is a credential like any other, and so is a cookie.
            request.channel = Channel::for_stranger(request.channel.as_ref());
            request.jar = request.jar.take().map(Jar::for_stranger);
            return Ok(());
        }
        let origin = request.url.origin().ascii_serialization();
        let message =
            format!("the request holds a secret, and no input, default or URL of the file names {origin}");
        let help = "name the origin in an input, or in a default, if it may have the secret";
        Err(script::Error::new(message, Some(help.to_owned())))
    }

    fn note_redirects(&self, hops: &[Hop]) {
        if !hops.is_empty() {
            let mut followed = self.followed.lock().unwrap_or_else(PoisonError::into_inner);
            followed.extend(show::redirects(hops, &self.scope.needles));
        }
    }

    fn tell_request(&self, request: &Request) {
        if self.events.wants_requests() {
            let text = self.events.request_text(request, &*self.transport, &self.scope, Vec::new);
            self.events.tell(&self.path, EventKind::RequestSent(text.into()));
        }
    }

    fn tell_response(&self, response: &Response) {
        let wire = self.events.wants(Detail::Wire);
        self.events.tell_at(Detail::Requests, &self.path, || {
            EventKind::ResponseReceived(show::response(response, &self.scope.needles, wire).into())
        });
    }
}

impl Sender for Blocking {
    fn send(&self, mut request: Request) -> Result<Arc<Response>, script::Error> {
        request.needles = Some(self.scope.needles.clone());
        request.mark_credentials();
        // A request of a script travels as `defaults` say of all requests of the file.
        let channel = self.workflow.defaults.channel();
        channel.limit(&mut request.limits, &self.scope).map_err(|error| refused(&error))?;
        request.channel = channel.resolve(&self.scope).map_err(|error| refused(&error))?;
        let trusted = request.limits.trust.as_ref();
        request.jar = channel.keeps_cookies().then(|| self.jar.clone().trusting(trusted));
        self.admit(&mut request)?;
        self.tell_request(&request);
        self.runtime.block_on(async {
            tokio::select! {
                () = self.cancel.cancelled() => Err(script::Error::new("interrupted", None)),
                result = self.events.send(&self.path, &*self.transport, &request) => {
                    self.note_redirects(hops(&result));
                    let response = result.map_err(|error| script::Error::new(error.to_string(), error.help()))?;
                    self.scope.learn_cookies(&response);
                    if self.events.wants(Detail::Steps) {
                        learn::answer(&response, &self.scope.needles);
                    }
                    self.tell_response(&response);
                    Ok(Arc::new(response))
                }
            }
        })
    }
}

fn refused(error: &template::Error) -> script::Error {
    script::Error::new(error.message.clone(), error.help.clone())
}

/// The request of a step, where a `before` script finds it.
pub(super) struct Touched {
    spec: Arc<RequestSpec>,
    scope: Scope,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    rendered: Option<Rendered>,
    changed: Option<Draft>,
    /// Of all that the script read, and so of all that it wrote.
    read: Marks,
}

impl Touched {
    pub(super) fn new(spec: &Arc<RequestSpec>, scope: &Scope) -> Arc<Self> {
        Arc::new(Self { spec: Arc::clone(spec), scope: scope.clone(), state: Mutex::default() })
    }

    /// What is to be sent; `None` where no script touched it. What the script did not change is
    /// sent as it was rendered.
    pub(super) fn take(&self) -> Result<Option<Rendered>, template::Error> {
        let State { rendered, changed, read } = std::mem::take(&mut *self.lock());
        match (rendered, changed) {
            (Some(rendered), Some(draft)) => self.changed(rendered, draft, &read).map(Some),
            (rendered, _) => Ok(rendered),
        }
    }

    /// Notes what the script read: it may have put any of it into the request.
    pub(super) fn note(&self, read: &Marks) {
        self.lock().read.join(read);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn changed(&self, before: Rendered, draft: Draft, read: &Marks) -> Result<Rendered, template::Error> {
        let span = self.spec.span();
        let method = Method::from_bytes(draft.method.trim().to_ascii_uppercase().as_bytes())
            .map_err(|_| template::Error::new(span, "the script set a method that is none"))?;
        let url = parse_url(&draft.url, span)?;
        let body = draft.body;
        // A script that gave the request its first body means a POST, as a workflow does.
        let gained = before.body == RenderedBody::None && body != RenderedBody::None;
        let method =
            if gained && method == before.method && method == Method::GET { Method::POST } else { method };
        let headers = self.headers(&draft.headers, &before, &body, read.from_server)?;
        let elsewhere = !same_origin(&url, &before.url);
        let in_url = || self.scope.needles.stands_in(url.as_str().as_bytes());
        let secret_inside = before.secret_inside || in_url() || self.gained_secret(&before.body, &body);
        let origin_from_server = before.origin_from_server || (elsewhere && read.from_server);
        let before = Rendered { method, url, headers, body, origin_from_server, secret_inside, ..before };
        Ok(before)
    }

    /// Whether the script put a secret into the body. One that it left alone is not searched: a file
    /// may be large.
    fn gained_secret(&self, before: &RenderedBody, body: &RenderedBody) -> bool {
        let bytes = if before == body { None } else { body.clone().into_bytes() };
        bytes.is_some_and(|bytes| self.scope.needles.stands_in(&bytes))
    }

    /// The headers that the script left, each marked if it holds a secret.
    fn headers(
        &self,
        pairs: &[(String, String)],
        before: &Rendered,
        body: &RenderedBody,
        from_server: bool,
    ) -> Result<HeaderMap, template::Error> {
        let refused = |name: &str, why: &str| {
            let name = name.escape_debug();
            template::Error::new(self.spec.span(), format!("the header `{name}` that the script set {why}"))
        };
        let mut headers = HeaderMap::with_capacity(pairs.len() + 1);
        for (name, text) in pairs {
            let header = HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| refused(name, "has no name that can be sent"))?;
            if let Some((why, help)) = reserved(&header) {
                return Err(refused(name, why).help(help));
            }
            let mut value = HeaderValue::from_bytes(text.as_bytes())
                .map_err(|_| refused(name, "has a line break or a control character in it"))?;
            let mut old = before.headers.get_all(&header).iter().filter(|old| *old == value).peekable();
            if header == HOST && from_server && old.peek().is_none() {
                let error = refused(name, "chooses who answers, and a server may have had a say in it");
                return Err(error.help("write it under `headers` of the request"));
            }
            let was = old.any(HeaderValue::is_sensitive);
            let holds = || self.scope.needles.stands_in(text.as_bytes());
            value.set_sensitive(was || is_credential(&header) || holds());
            headers.append(header, value);
        }
        // What was said of a body by itself does not hold for one of another kind.
        let (was, is) = (before.body.media_type(), body.media_type());
        if is.is_some()
            && was != is
            && headers.get(CONTENT_TYPE).is_some_and(|said| was == said.to_str().ok())
        {
            headers.remove(CONTENT_TYPE);
        }
        body.set_media_type(&mut headers);
        Ok(headers)
    }
}

impl RequestCell for Touched {
    fn get(&self) -> Result<Draft, script::Error> {
        let rendered = self.spec.render(&self.scope);
        let rendered = rendered.map_err(|error| script::Error::new(error.message, error.help))?;
        let mut draft = Draft::new(rendered.method.as_str(), rendered.url.as_str());
        draft.headers = rendered
            .headers
            .iter()
            .map(|(name, value)| {
                (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
            })
            .collect();
        draft.body = rendered.body.clone();
        self.lock().rendered = Some(rendered);
        Ok(draft)
    }

    fn set(&self, draft: Draft) {
        self.lock().changed = Some(draft);
    }

    fn marks(&self) -> Marks {
        let state = self.lock();
        let from_server = state.rendered.as_ref().is_some_and(|rendered| rendered.origin_from_server);
        Marks { secret: None, from_server }
    }
}

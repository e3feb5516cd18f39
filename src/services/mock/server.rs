//! The server around a mock: finds the route, lets its handler answer, and keeps a log.
//!
//! Handlers take turns, so that they may change the state without a thought of each other; what
//! they broke and what nobody answered is kept, so that a run can be failed by it.

use std::convert::Infallible;
use std::io;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderValue};
use hyper::http::request::Parts;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedMutexGuard, oneshot};
use tokio::task::{JoinHandle, JoinSet, spawn_blocking};
use tokio_rustls::TlsAcceptor;

use crate::ground::clock::Clock;
use crate::ground::diagnostic::Diagnostic;
use crate::ground::secret::{Marked, Needles};
use crate::ground::value::{Map, Value};
use crate::parts::scope::Scope;
use crate::services::mock::Mock;
use crate::services::mock::certificate::Certificate;
use crate::services::mock::fault::{Carrier, Fault, FaultyIo, Harm, Payload, Wire};
use crate::services::mock::handler::{self, Answer};
use crate::services::mock::multipart;
use crate::services::mock::reply::Reply;
use crate::services::mock::route::Route;

/// The largest body of a request, in bytes.
const MAX_BODY: usize = 10 * 1024 * 1024;

/// A mock that can answer: its state, whose turn it is, and the log.
pub struct Server {
    mock: Mock,
    /// What it shows where it serves https.
    certificate: Option<Certificate>,
    clock: Clock,
    turn: Arc<tokio::sync::Mutex<Turn>>,
    log: Mutex<Log>,
}

/// What only one handler at a time may touch.
struct Turn {
    state: Value,
    /// How often each route's fault struck.
    struck: Vec<u64>,
}

#[derive(Default)]
struct Log {
    seen: Vec<Seen>,
    failures: Vec<Diagnostic>,
}

/// A request that came, in the order in which they took their turns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The method.
    pub method: String,
    /// The path, as it was sent, without the query.
    pub path: String,
    /// The status that was answered; `None` where a fault left no answer, or none was made yet.
    pub status: Option<u16>,
    /// The route that it matched, as the file writes it.
    pub route: Option<Arc<str>>,
}

/// The route for a request, or why there is none.
enum Found {
    Route(usize, Map),
    Broken(Diagnostic),
    Nothing,
}

impl Server {
    /// A fresh start of a mock: its state is what the file says. Scripts ask `clock` for the time.
    ///
    /// # Errors
    /// The mock serves https, and no certificate could be made for it.
    pub fn new(mock: Mock, clock: Clock) -> io::Result<Arc<Self>> {
        let certificate = mock.tls.then(Certificate::self_signed).transpose()?;
        let turn = Turn { state: mock.state.clone(), struck: vec![0; mock.routes.len()] };
        let turn = Arc::new(tokio::sync::Mutex::new(turn));
        Ok(Arc::new(Self { mock, certificate, clock, turn, log: Mutex::default() }))
    }

    /// What people call it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.mock.name
    }

    /// The scheme that it speaks: `https` where the mock says `tls`, else `http`.
    #[must_use]
    pub const fn scheme(&self) -> &'static str {
        if self.certificate.is_some() { "https" } else { "http" }
    }

    /// Its certificate in PEM, which clients may trust as `tls: { ca: … }`; `None` without `tls`.
    #[must_use]
    pub fn certificate(&self) -> Option<&str> {
        self.certificate.as_ref().map(Certificate::pem)
    }

    /// The requests that came so far.
    #[must_use]
    pub fn log(&self) -> Vec<Seen> {
        self.lock().seen.clone()
    }

    /// The requests that no route was meant for.
    #[must_use]
    pub fn unmatched(&self) -> Vec<Seen> {
        self.lock().seen.iter().filter(|seen| seen.route.is_none()).cloned().collect()
    }

    /// What broke in handlers: a run that met one of these proves nothing.
    #[must_use]
    pub fn failures(&self) -> Vec<Diagnostic> {
        self.lock().failures.clone()
    }

    async fn answer(&self, request: Request<Incoming>) -> Reply {
        let (head, body) = request.into_parts();
        let Ok(body) = Limited::new(body, MAX_BODY).collect().await else {
            let reply =
                Reply::problem(StatusCode::PAYLOAD_TOO_LARGE, "the body is cut off, or larger than 10 MiB");
            self.see(&head, None, Some(reply.status));
            return reply;
        };
        let body = body.to_bytes();
        if let Some(why) = multipart::refusal(&head.headers, &body) {
            let reply = Reply::problem(StatusCode::PAYLOAD_TOO_LARGE, &why);
            self.see(&head, None, Some(reply.status));
            return reply;
        }
        let turn = Arc::clone(&self.turn).lock_owned().await;
        match self.find(&head, &body, &turn.state) {
            Found::Route(at, request) => self.answer_by(at, &head, request, turn).await,
            Found::Broken(problem) => {
                let seen = self.see(&head, None, None);
                self.broken(seen, problem)
            }
            Found::Nothing => {
                let (name, method, path) = (&self.mock.name, &head.method, head.uri.path());
                let message = format!("the mock `{name}` has no route for {method} {path}");
                self.see(&head, None, Some(StatusCode::NOT_FOUND));
                Reply::problem(StatusCode::NOT_FOUND, &message)
            }
        }
    }

    /// The first route that means the request. A `when` that cannot be evaluated (it asks for a
    /// header that was not sent) is no match; it is told only if no other route answers.
    fn find(&self, head: &Parts, body: &Bytes, state: &Value) -> Found {
        let mut found = Found::Nothing;
        let mut seen = None;
        for (at, route) in self.mock.routes.iter().enumerate() {
            let Some(params) = route.pattern.matches(&head.method, head.uri.path()) else {
                continue;
            };
            let mut request = seen.get_or_insert_with(|| handler::request(self.scheme(), head, body)).clone();
            request.insert("params".into(), params.into());
            match self.is_meant(route, &request, state) {
                Ok(true) => return Found::Route(at, request),
                Ok(false) => {}
                Err(problem) => found = Found::Broken(problem),
            }
        }
        found
    }

    fn is_meant(&self, route: &Route, request: &Map, state: &Value) -> Result<bool, Diagnostic> {
        let Some(when) = &route.when else {
            return Ok(true);
        };
        let scope = self.scope(request.clone().into(), state);
        let value = when.value(&scope).map_err(|error| error.diagnostic(&self.mock.source))?.value;
        value.as_bool().ok_or_else(|| {
            let message = format!("`when` must be true or false, not {}", value.type_name());
            Diagnostic::error(message).at(&self.mock.source, when.span())
        })
    }

    async fn answer_by(
        &self,
        at: usize,
        head: &Parts,
        request: Map,
        mut turn: OwnedMutexGuard<Turn>,
    ) -> Reply {
        let route = &self.mock.routes[at];
        let seen = self.see(head, Some(route), None);
        let fault = strike(route, &mut turn.struck[at]);
        let made = match fault.as_ref().and_then(|fault| fault.harm) {
            // What was to be answered is never known: the handler is not asked.
            Some(Harm::Status(status)) => Ok(Reply::empty(status)),
            Some(Harm::Reset | Harm::Garbage) => Ok(Reply::empty(StatusCode::OK)),
            _ => self.ask(route, request.into(), turn).await,
        };
        match made {
            Ok(mut reply) => {
                reply.fault = fault.or(reply.fault);
                self.lock().seen[seen].status = answered(&reply);
                reply
            }
            Err(problem) => self.broken(seen, problem.at_least_at(&self.mock.source, route.span)),
        }
    }

    async fn ask(
        &self,
        route: &Route,
        request: Value,
        mut turn: OwnedMutexGuard<Turn>,
    ) -> Result<Reply, Diagnostic> {
        match &route.answer {
            Answer::Empty => Ok(Reply::empty(StatusCode::OK)),
            Answer::Reply(tree, span) => {
                let scope = self.scope(request, &turn.state);
                let value = tree.value(&scope).map_err(|error| error.diagnostic(&self.mock.source))?.value;
                let reply = Reply::from_value(&value);
                reply.map_err(|message| Diagnostic::error(message).at(&self.mock.source, *span))
            }
            Answer::Script(handle) => {
                let (handle, clock) = (Arc::clone(handle), self.clock.clone());
                let call = spawn_blocking(move || handle.call(request, &mut turn.state, &clock));
                let value = call.await.map_err(|_| Diagnostic::error("the handler broke off"))??;
                Reply::from_value(&value).map_err(Diagnostic::error)
            }
        }
    }

    fn scope(&self, request: Value, state: &Value) -> Scope {
        let scope = Scope::new(Needles::default(), self.clock.clone());
        for (name, value) in [("request", request), ("state", state.clone())] {
            // Nothing in a fresh scope is an input, which alone could not be set.
            let _ = scope.set(&name.into(), Marked::plain(value));
        }
        scope
    }

    /// Notes a request; the number is its place in the log.
    fn see(&self, head: &Parts, route: Option<&Route>, status: Option<StatusCode>) -> usize {
        let mut log = self.lock();
        log.seen.push(Seen {
            method: head.method.to_string(),
            path: head.uri.path().to_owned(),
            status: status.map(|status| status.as_u16()),
            route: route.map(|route| Arc::clone(&route.text)),
        });
        log.seen.len() - 1
    }

    fn broken(&self, seen: usize, problem: Diagnostic) -> Reply {
        let text = format!("the mock `{}` is broken: {}\n", self.mock.name, problem.line());
        let reply = Reply::text(StatusCode::INTERNAL_SERVER_ERROR, &text);
        let mut log = self.lock();
        log.seen[seen].status = answered(&reply);
        log.failures.push(problem);
        reply
    }

    fn lock(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The route's fault, while it still strikes.
fn strike(route: &Route, struck: &mut u64) -> Option<Fault> {
    let fault = route.fault.as_ref()?;
    if fault.times.is_some_and(|times| *struck >= times) {
        return None;
    }
    *struck += 1;
    Some(fault.clone())
}

/// The status that the client will see.
fn answered(reply: &Reply) -> Option<u16> {
    match reply.fault.as_ref().and_then(|fault| fault.harm) {
        Some(Harm::Reset | Harm::Garbage) => None,
        Some(Harm::Status(status)) => Some(status.as_u16()),
        _ => Some(reply.status.as_u16()),
    }
}

/// Answers on `listener` until `shutdown` ends; connections that are open then are closed.
pub async fn serve(listener: TcpListener, server: Arc<Server>, shutdown: impl Future<Output = ()>) {
    let mut connections = JoinSet::new();
    tokio::pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => return,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, Arc::clone(&server)));
                }
                // No file descriptors are left, or the client is gone: both pass.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            },
        }
    }
}

async fn connection(stream: TcpStream, server: Arc<Server>) {
    // Small answers go out at once; a socket that refuses this still works.
    let _ = stream.set_nodelay(true);
    let Some(certificate) = &server.certificate else { return speak(stream, server).await };
    // A handshake that failed, often since the client trusts nobody here, is the client's to tell.
    if let Ok(stream) = TlsAcceptor::from(certificate.config()).accept(stream).await {
        speak(stream, server).await;
    }
}

async fn speak(stream: impl Carrier, server: Arc<Server>) {
    let wire = Wire::default();
    let io = TokioIo::new(FaultyIo::new(stream, wire.clone()));
    let service = service_fn(move |request| {
        let (server, wire) = (Arc::clone(&server), wire.clone());
        async move { send(server.answer(request).await, &wire).await }
    });
    let mut protocol = http1::Builder::new();
    protocol.auto_date_header(false).half_close(true);
    // A connection that failed, often by our own fault, is the client's to tell.
    let _ = protocol.serve_connection(io, service).await;
}

/// Nothing is to be answered on this connection.
#[derive(Debug, thiserror::Error)]
#[error("the connection is reset")]
struct Reset;

async fn send(mut reply: Reply, wire: &Wire) -> Result<Response<Payload>, Reset> {
    let fault = reply.fault.take().unwrap_or_default();
    if let Some(delay) = fault.delay {
        tokio::time::sleep(delay).await;
    }
    match fault.harm {
        None => Ok(response(reply, Payload::whole)),
        Some(Harm::Status(status)) => Ok(response(Reply::empty(status), Payload::whole)),
        Some(Harm::Reset) => {
            wire.reset();
            Err(Reset)
        }
        Some(Harm::Garbage) => {
            wire.garbage();
            Ok(last(response(reply, Payload::whole)))
        }
        Some(Harm::Truncate(bytes)) => {
            wire.truncate(bytes);
            Ok(last(response(reply, Payload::whole)))
        }
        Some(Harm::Drip(every)) => Ok(response(reply, |body| Payload::drip(body, every))),
    }
}

fn response(reply: Reply, payload: impl FnOnce(Bytes) -> Payload) -> Response<Payload> {
    let mut response = Response::new(payload(reply.body));
    *response.status_mut() = reply.status;
    *response.headers_mut() = reply.headers;
    response
}

/// Nothing can follow on this connection.
fn last(mut response: Response<Payload>) -> Response<Payload> {
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// A mock that is being served. It stops when this is dropped.
pub struct Running {
    origin: String,
    server: Arc<Server>,
    task: JoinHandle<()>,
    /// The server ends when this end of the channel is gone.
    alive: oneshot::Sender<Infallible>,
}

/// Serves a mock on a free port of 127.0.0.1.
///
/// # Errors
/// No port could be bound, or no certificate be made.
pub async fn start(mock: Mock, clock: Clock) -> io::Result<Running> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let server = Server::new(mock, clock)?;
    let origin = format!("{}://{}", server.scheme(), listener.local_addr()?);
    let (alive, gone) = oneshot::channel();
    let shutdown = async move {
        let _ = gone.await;
    };
    let task = tokio::spawn(serve(listener, Arc::clone(&server), shutdown));
    Ok(Running { origin, server, task, alive })
}

impl Running {
    /// Where it listens: `http://127.0.0.1:port`, or `https://`, without a slash at the end.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Its certificate in PEM; see [`Server::certificate`].
    #[must_use]
    pub fn certificate(&self) -> Option<&str> {
        self.server.certificate()
    }

    /// The requests that came so far; see [`Server::log`].
    #[must_use]
    pub fn log(&self) -> Vec<Seen> {
        self.server.log()
    }

    /// The requests that no route was meant for.
    #[must_use]
    pub fn unmatched(&self) -> Vec<Seen> {
        self.server.unmatched()
    }

    /// What broke in handlers; see [`Server::failures`].
    #[must_use]
    pub fn failures(&self) -> Vec<Diagnostic> {
        self.server.failures()
    }

    /// Stops, and waits until the port is free again.
    pub async fn stop(self) {
        drop(self.alive);
        // The task ends by itself; were it to panic, it would still have ended.
        let _ = self.task.await;
    }
}

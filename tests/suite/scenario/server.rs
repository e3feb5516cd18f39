//! Loopback servers made of closures: each answers on threads of its own, so that it neither needs
//! nor disturbs the runtime of the run, and keeps what it saw.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::net::TcpSocket;

type Answer = Arc<dyn Fn(&Seen) -> Reply + Send + Sync>;

/// A request as a server saw it.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// The method.
    pub(crate) method: String,
    /// Path and query, as sent.
    pub(crate) target: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// The body, as text.
    pub(crate) body: String,
    /// The body as it came.
    pub(crate) bytes: Vec<u8>,
    origins: Vec<(String, String)>,
}

impl Seen {
    /// `GET /path`, without the query.
    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.method, self.target.split('?').next().unwrap_or_default())
    }

    /// A header's value; empty where there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// The origin of another server of the scenario.
    pub(crate) fn origin(&self, name: &str) -> &str {
        let found = self.origins.iter().find(|(known, _)| known == name);
        &found.unwrap_or_else(|| panic!("no server is called `{name}`")).1
    }
}

/// What a handler answers.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    end: End,
}

#[derive(Debug, Clone, Copy)]
enum End {
    /// The whole answer.
    Whole,
    /// No byte, until the client goes away.
    Never,
    /// No byte, and the end of the connection.
    Closed,
}

impl Reply {
    /// An empty answer.
    pub(crate) fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new(), end: End::Whole }
    }

    /// 200 with a text.
    pub(crate) fn text(body: impl Into<String>) -> Self {
        Self { body: body.into().into_bytes(), ..Self::status(200) }.header("content-type", "text/plain")
    }

    /// 200 with JSON.
    pub(crate) fn json(body: impl Into<String>) -> Self {
        Self { body: body.into().into_bytes(), ..Self::status(200) }
            .header("content-type", "application/json")
    }

    /// A redirect.
    pub(crate) fn redirect(status: u16, to: impl Into<String>) -> Self {
        Self::status(status).header("location", to)
    }

    /// No answer, however long one waits.
    pub(crate) fn never() -> Self {
        Self { end: End::Never, ..Self::status(200) }
    }

    /// No answer, but the end of the connection.
    pub(crate) fn closed() -> Self {
        Self { end: End::Closed, ..Self::status(200) }
    }

    /// The same with this body.
    pub(crate) fn with_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// The same with another status.
    pub(crate) fn with(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// The same with a header more.
    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

/// A server of one origin.
pub(crate) struct Server {
    pub(crate) name: String,
    pub(crate) origin: String,
    shared: Arc<Shared>,
    kind: Kind,
}

enum Kind {
    Answering,
    /// The system takes connections for it, and nobody ever reads from them.
    Silent(#[expect(dead_code, reason = "it only has to live")] TcpListener),
    /// It has the port, so that nobody else gets it, and does not listen.
    Nobody(#[expect(dead_code, reason = "it only has to live")] TcpSocket),
}

#[derive(Default)]
struct Shared {
    routes: Mutex<HashMap<String, Route>>,
    seen: Mutex<Vec<Seen>>,
    broken: Mutex<Vec<String>>,
    origins: Mutex<Vec<(String, String)>>,
    stopped: AtomicBool,
}

#[derive(Default)]
struct Route {
    answers: Vec<Answer>,
    called: usize,
}

impl Server {
    /// A server on a free port of 127.0.0.1.
    pub(crate) fn new(name: &str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let origin = format!("http://{}", listener.local_addr().expect("an address"));
        let shared = Arc::new(Shared::default());
        let serving = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if serving.stopped.load(Ordering::SeqCst) {
                    return;
                }
                let serving = Arc::clone(&serving);
                std::thread::spawn(move || serving.connection(&stream));
            }
        });
        Self { name: name.to_owned(), origin, shared, kind: Kind::Answering }
    }

    /// An origin whose port stays closed.
    pub(crate) fn nobody(name: &str) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind((Ipv4Addr::LOCALHOST, 0).into()).expect("a port");
        let origin = format!("http://{}", socket.local_addr().expect("an address"));
        Self { name: name.to_owned(), origin, shared: Arc::default(), kind: Kind::Nobody(socket) }
    }

    /// A server that never answers.
    pub(crate) fn silent(name: &str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let origin = format!("http://{}", listener.local_addr().expect("an address"));
        Self { name: name.to_owned(), origin, shared: Arc::default(), kind: Kind::Silent(listener) }
    }

    /// Answers a route: `GET /path`, without the query.
    pub(crate) fn on(&mut self, route: &str, answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static) {
        lock(&self.shared.routes).entry(route.to_owned()).or_default().answers.push(Arc::new(answer));
    }

    /// Tells the handlers where the other servers are.
    pub(super) fn knows(&self, origins: &[(String, String)]) {
        origins.clone_into(&mut lock(&self.shared.origins));
    }

    /// What it saw.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        lock(&self.shared.seen).clone()
    }

    /// What it saw, as lines.
    pub(crate) fn lines(&self) -> Vec<String> {
        lock(&self.shared.seen).iter().map(Seen::line).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        if let Kind::Answering = self.kind {
            // Wakes the thread that accepts, so that it sees that it should end.
            let _ = TcpStream::connect(self.origin.trim_start_matches("http://"));
        }
        if std::thread::panicking() {
            return;
        }
        let broken = lock(&self.shared.broken);
        assert!(broken.is_empty(), "the server `{}` broke: {broken:?}", self.name);
        for (route, state) in lock(&self.shared.routes).iter() {
            let (called, answers) = (state.called, state.answers.len());
            assert!(
                called >= answers,
                "{route} of `{}` was called {called} times, for {answers} answers",
                self.name
            );
        }
    }
}

impl Shared {
    fn connection(&self, stream: &TcpStream) {
        let mut reader = BufReader::new(stream);
        while let Some(mut seen) = read_request(&mut reader) {
            seen.origins.clone_from(&lock(&self.origins));
            let reply = self.answer(&seen);
            if !write_reply(stream, &seen.method, &reply) {
                if let End::Never = reply.end {
                    // Ends when the client goes away.
                    let _ = reader.read(&mut [0]);
                }
                let _ = stream.shutdown(Shutdown::Both);
                return;
            }
        }
    }

    fn answer(&self, seen: &Seen) -> Reply {
        lock(&self.seen).push(seen.clone());
        let answer = {
            let mut routes = lock(&self.routes);
            let Some(route) = routes.get_mut(&seen.line()) else {
                return Reply::json(format!(r#"{{"error":"no route for {}"}}"#, seen.line())).with(404);
            };
            let answer = Arc::clone(&route.answers[route.called.min(route.answers.len() - 1)]);
            route.called += 1;
            answer
        };
        catch_unwind(AssertUnwindSafe(|| answer(seen))).unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            lock(&self.broken).push(format!("{}: {}", seen.line(), text.unwrap_or_default()));
            Reply::status(500)
        })
    }
}

fn read_request(reader: &mut impl BufRead) -> Option<Seen> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, target) = (words.next()?, words.next()?);
    let mut headers: Vec<(String, String)> = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let mut body = vec![0; length.and_then(|(_, length)| length.parse().ok()).unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    let text = String::from_utf8_lossy(&body).into_owned();
    Some(Seen { method, target, headers, body: text, bytes: body, origins: Vec::new() })
}

/// Whether the connection goes on.
fn write_reply(mut stream: &TcpStream, method: &str, reply: &Reply) -> bool {
    if let End::Never | End::Closed = reply.end {
        return false;
    }
    let mut answer =
        format!("HTTP/1.1 {} X\r\ncontent-length: {}\r\n", reply.status, reply.body.len()).into_bytes();
    for (name, value) in &reply.headers {
        answer.extend(format!("{name}: {value}\r\n").into_bytes());
    }
    answer.extend(b"\r\n");
    if method != "HEAD" {
        answer.extend(&reply.body);
    }
    stream.write_all(&answer).is_ok()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

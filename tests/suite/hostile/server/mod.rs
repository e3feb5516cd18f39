//! A server that says any bytes at all: each connection has a thread, each request the next answer, and
//! an answer is a list of acts. What came is kept as it came, with the connection that it came on.

mod http2;

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::scenario::tls::fixture;

pub(super) use http2::Frame;
pub(super) use http2::{CONTINUATION, DATA, END_HEADERS, HEADERS, PING, SETTINGS, frame, header};

/// One thing that a server does. In a text `«h»` and `«away»` are the two origins of the case, and `«away_host»`
/// the host and port of the latter.
#[derive(Debug, Clone, Copy)]
pub(super) enum Act {
    /// Says a text as it is: status line, headers and body, each line end included.
    Say(&'static str),
    /// Says these bytes.
    Bytes(&'static [u8]),
    /// Says a text so many times.
    Times(usize, &'static str),
    /// Says what a function makes.
    Made(fn() -> Vec<u8>),
    /// A whole answer: `200 OK` and what headers there are, then the body; the length is added.
    Whole(&'static str, &'static str),
    /// Says a text again and again until the client goes away.
    Endless(&'static str),
    /// Says a text again and again until the client goes away, a moment between any two bytes.
    Drip(&'static str),
    /// Says it in frames, where the server speaks HTTP/2.
    Frame(Frame),
    /// Says nothing until the client goes away.
    Hang,
    /// Closes the connection.
    Close,
    /// Resets the connection: what was said and not yet read is lost.
    Reset,
}

/// The time between two bytes of [`Act::Drip`].
const DRIP: Duration = Duration::from_millis(5);

/// A request as it came.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// Which connection it came on, counted from 0.
    pub(super) connection: usize,
    /// Head and body; what is not UTF-8 is replaced.
    pub(super) text: String,
}

impl Asked {
    /// `GET /path?query`.
    pub(super) fn line(&self) -> &str {
        self.text.split(" HTTP/").next().unwrap_or_default()
    }
}

type Answers = Vec<Vec<Act>>;

/// A hostile server of one origin. Whoever asks for `/next` gets a decent answer.
pub(super) struct Hostile {
    pub(super) origin: String,
    shared: Arc<Shared>,
}

struct Shared {
    answers: Answers,
    tls: Option<Arc<ServerConfig>>,
    http2: bool,
    asked: Mutex<Vec<Asked>>,
    answered: Mutex<usize>,
    places: Mutex<Vec<(&'static str, String)>>,
    stopped: AtomicBool,
}

impl Hostile {
    /// Starts one. The last answer is given to every request that follows; without any answer it is `{}`.
    pub(super) fn start(answers: &[&[Act]], tls: bool, http2: bool) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let scheme = if tls { "https" } else { "http" };
        let origin = format!("{scheme}://{}", listener.local_addr().expect("an address"));
        let shared = Arc::new(Shared {
            answers: answers.iter().map(|acts| acts.to_vec()).collect(),
            tls: tls.then(|| configuration(http2)),
            http2,
            asked: Mutex::default(),
            answered: Mutex::default(),
            places: Mutex::default(),
            stopped: AtomicBool::new(false),
        });
        let serving = Arc::clone(&shared);
        std::thread::spawn(move || {
            for (number, stream) in (0..).zip(listener.incoming().flatten()) {
                if serving.stopped.load(Ordering::SeqCst) {
                    return;
                }
                let serving = Arc::clone(&serving);
                // A client that goes away is no failure of the server.
                std::thread::spawn(move || serving.connection(number, stream));
            }
        });
        Self { origin, shared }
    }

    /// Tells it what stands for `«name»` in its texts.
    pub(super) fn knows(&self, places: &[(&'static str, &str)]) {
        let places = places.iter().map(|(name, origin)| (*name, (*origin).to_owned()));
        *lock(&self.shared.places) = places.collect();
    }

    /// What it was asked, in order.
    pub(super) fn asked(&self) -> Vec<Asked> {
        lock(&self.shared.asked).clone()
    }
}

impl Drop for Hostile {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts, so that it sees that it should end.
        let address = self.origin.split("//").nth(1).unwrap_or_default();
        let _ = TcpStream::connect(address);
    }
}

fn configuration(http2: bool) -> Arc<ServerConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let chain = vec![CertificateDer::from_pem_slice(&fixture("server.pem")).expect("a certificate")];
    let key = PrivateKeyDer::from_pem_slice(&fixture("server.key")).expect("a key");
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.expect("versions").with_no_client_auth().with_single_cert(chain, key);
    let mut config = config.expect("a configuration");
    config.alpn_protocols.extend(http2.then(|| b"h2".to_vec()));
    Arc::new(config)
}

impl Shared {
    fn connection(&self, number: usize, stream: TcpStream) -> io::Result<()> {
        let tcp = stream.try_clone()?;
        let stream: Box<dyn Stream> = match &self.tls {
            Some(config) => {
                let server = ServerConnection::new(Arc::clone(config)).map_err(io::Error::other)?;
                Box::new(StreamOwned::new(server, stream))
            }
            None => Box::new(stream),
        };
        let mut line = Line { stream, tcp, ahead: Vec::new() };
        if self.http2 {
            return self.converse(number, line);
        }
        while let Some(text) = line.request()? {
            lock(&self.asked).push(Asked { connection: number, text: text.clone() });
            for act in self.answer(&text) {
                if !self.act(&act, &mut line)? {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn answer(&self, request: &str) -> Vec<Act> {
        const DECENT: &str = "200 OK\r\ncontent-type: application/json";
        if request.split(' ').nth(1) == Some("/next") {
            return vec![Act::Whole(DECENT, r#"{"next":true}"#)];
        }
        let mut answered = lock(&self.answered);
        let at = (*answered).min(self.answers.len().saturating_sub(1));
        *answered += 1;
        self.answers.get(at).cloned().unwrap_or_else(|| vec![Act::Whole(DECENT, "{}")])
    }

    /// Whether the connection goes on.
    fn act(&self, act: &Act, line: &mut Line) -> io::Result<bool> {
        match act {
            Act::Say(text) => line.say(self.filled(text).as_bytes())?,
            Act::Bytes(bytes) => line.say(bytes)?,
            Act::Times(times, text) => line.say(self.filled(text).repeat(*times).as_bytes())?,
            Act::Made(bytes) => line.say(&bytes())?,
            Act::Whole(head, body) => {
                let (head, body) = (self.filled(head), self.filled(body));
                let length = body.len();
                line.say(format!("HTTP/1.1 {head}\r\ncontent-length: {length}\r\n\r\n{body}").as_bytes())?;
            }
            Act::Endless(text) => {
                let piece = self.filled(text).repeat(64 * 1024 / text.len().max(1) + 1);
                loop {
                    line.say(piece.as_bytes())?;
                }
            }
            Act::Drip(text) => {
                let text = self.filled(text);
                // Whoever reads meanwhile sees at once that the client went away.
                line.tcp.set_read_timeout(Some(DRIP))?;
                for byte in text.bytes().cycle() {
                    line.say(&[byte])?;
                    if matches!(line.tcp.read(&mut [0]), Ok(0)) {
                        return Ok(false);
                    }
                }
            }
            Act::Frame(_) => panic!("a frame where HTTP/1.1 is spoken"),
            Act::Hang => {
                let _ = line.stream.read(&mut [0]);
                return Ok(false);
            }
            Act::Close => {
                line.tcp.shutdown(Shutdown::Both)?;
                return Ok(false);
            }
            Act::Reset => {
                line.reset()?;
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn filled(&self, text: &str) -> String {
        let places = lock(&self.places);
        places.iter().fold(text.to_owned(), |text, (name, origin)| text.replace(&format!("«{name}»"), origin))
    }
}

/// A stream, with TLS or without.
trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

/// A connection, and what was read of it and not yet used.
struct Line {
    stream: Box<dyn Stream>,
    tcp: TcpStream,
    ahead: Vec<u8>,
}

impl Line {
    /// The next request; none where the client closed the connection.
    fn request(&mut self) -> io::Result<Option<String>> {
        let end = loop {
            if let Some(at) = self.ahead.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break at + 4;
            }
            if !self.read()? {
                return Ok(None);
            }
        };
        let head = String::from_utf8_lossy(&self.ahead[..end]).to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
        let whole = end + length.and_then(|length| length.trim().parse().ok()).unwrap_or(0);
        while self.ahead.len() < whole {
            if !self.read()? {
                return Ok(None);
            }
        }
        let request = self.ahead.drain(..whole).collect::<Vec<_>>();
        Ok(Some(String::from_utf8_lossy(&request).into_owned()))
    }

    fn read(&mut self) -> io::Result<bool> {
        let mut piece = [0; 16 * 1024];
        let read = self.stream.read(&mut piece)?;
        self.ahead.extend_from_slice(&piece[..read]);
        Ok(read > 0)
    }

    fn say(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)?;
        self.stream.flush()
    }

    /// Lets the system answer with a reset: nothing lingers when the last handle is closed.
    fn reset(&self) -> io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        let _inside = runtime.enter();
        let tcp = self.tcp.try_clone()?;
        tcp.set_nonblocking(true)?;
        tokio::net::TcpStream::from_std(tcp)?.set_zero_linger()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

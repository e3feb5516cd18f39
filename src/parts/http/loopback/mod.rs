//! The client against servers of this process: what only real sockets can show.

mod answers;
mod failures;
mod hops;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{ACCEPT_ENCODING, HeaderName, HeaderValue, RANGE, USER_AGENT};
use reqwest::{Method, Version};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

use crate::parts::http::channel::{Channel, HttpVersion};
use crate::parts::http::client::{Client, ClientOptions};
use crate::parts::http::error::{Error, Kind, Phase};
use crate::parts::http::message::{Request, Response};
use crate::parts::http::tls::Fault;
use crate::parts::http::transport::Transport;

/// What a server does after it has read a request.
enum Reply {
    /// Answers, and waits for the next request.
    Keep(Vec<u8>),
    /// Answers, and closes the connection.
    Close(Vec<u8>),
    /// Answers, and resets the connection.
    Reset(Vec<u8>),
    /// Answers, and then does nothing more.
    Hang(Vec<u8>),
    /// Answers the same again and again.
    Endless(&'static [u8]),
}

/// A server that speaks bytes.
struct Server {
    origin: String,
    connections: Arc<AtomicUsize>,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Starts a server; `reply` gets the number of the connection (from 1) and the request.
    async fn start(reply: impl Fn(usize, &str) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let origin = format!("http://{}", listener.local_addr().expect("it is bound"));
        let server = Self { origin, connections: Arc::default(), seen: Arc::default() };
        let (connections, seen) = (Arc::clone(&server.connections), Arc::clone(&server.seen));
        let reply = Arc::new(reply);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let number = connections.fetch_add(1, Ordering::SeqCst) + 1;
                tokio::spawn(converse(stream, number, Arc::clone(&reply), Arc::clone(&seen)));
            }
        });
        server
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().expect("no test panicked with it").clone()
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Its address as messages say it.
    fn host_and_port(&self) -> &str {
        self.origin.trim_start_matches("http://")
    }
}

async fn converse(
    mut stream: TcpStream,
    number: usize,
    reply: Arc<impl Fn(usize, &str) -> Reply>,
    seen: Arc<Mutex<Vec<String>>>,
) {
    while let Some(request) = read_request(&mut stream).await {
        let reply = reply(number, &request);
        seen.lock().expect("no test panicked with it").push(request);
        let bytes = match &reply {
            Reply::Keep(bytes) | Reply::Close(bytes) | Reply::Reset(bytes) | Reply::Hang(bytes) => &bytes[..],
            Reply::Endless(bytes) => bytes,
        };
        let _ = stream.write_all(bytes).await;
        match reply {
            Reply::Keep(_) => (),
            Reply::Close(_) => return,
            Reply::Reset(_) => {
                // The client reads what was sent before it sees the reset.
                tokio::task::yield_now().await;
                let _ = stream.set_zero_linger();
                return;
            }
            Reply::Hang(_) => std::future::pending().await,
            Reply::Endless(bytes) => {
                while stream.write_all(bytes).await.is_ok() {}
                return;
            }
        }
    }
}

/// One request: head and body by its `content-length`.
async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some(end) = text.find("\r\n\r\n") else {
            continue;
        };
        let length = text[..end].lines().find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.map_or(0, |length| length.parse().expect("a number"));
        if bytes.len() >= end + 4 + length {
            return Some(text);
        }
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}

/// A whole answer with a body.
fn ok(body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

fn to(status: u16, location: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} Moved\r\nlocation: {location}\r\ncontent-length: 6\r\n\r\nmoved\n")
        .into_bytes()
}

fn request(method: Method, url: &str) -> Request {
    Request::new(method, Url::parse(url).expect("the test's URL is right"))
}

fn get(url: &str) -> Request {
    request(Method::GET, url)
}

fn post(url: &str, body: &'static str) -> Request {
    Request { body: Some(Bytes::from_static(body.as_bytes())), ..request(Method::POST, url) }
}

fn client() -> Client {
    Client::new(ClientOptions::default())
}

/// Answers one GET with `bytes`, and closes.
async fn answered(bytes: impl Into<Vec<u8>>) -> Result<Response, Error> {
    let bytes = bytes.into();
    let server = Server::start(move |_, _| Reply::Close(bytes.clone())).await;
    client().send(&get(&server.url("/"))).await
}

async fn failed(bytes: impl Into<Vec<u8>>) -> Error {
    answered(bytes).await.expect_err("this answer is an error")
}

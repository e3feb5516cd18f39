//! The mocks of real systems against what is known of the real servers, quirks included: a workflow
//! that passes under a mock proves no more than the mock does. Every row is asked for over a plain
//! socket, so that nothing of ours stands between.

#![expect(
    clippy::unchecked_time_subtraction,
    reason = "a span below zero is a mistake of the test, and panics"
)]

mod datarhei;
mod mikopbx;
mod mindbaz;
mod platform;
mod wildix;
mod wrong_turns;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqchain::ground::clock::Clock;
use reqchain::ground::source::Source;
use reqchain::ground::value::Value;
use reqchain::services::mock::{Mock, Running, start};
use ring::hmac;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use serde_json::Value as Json;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// The moment at which every mock begins here, in seconds since 1970.
const NOW: i64 = 1_700_000_000;

/// Spans that pass on a mock's clock.
const MILLISECOND: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);
const MONTH: Duration = Duration::from_hours(30 * 24);

const JSON: &str = "content-type: application/json";
const FORM: &str = "content-type: application/x-www-form-urlencoded";

/// A mock that is served, at a time of its own. At its end it fails the test if a handler of it broke,
/// or if a request had no route.
struct System {
    running: Running,
    clock: Clock,
    unmatched: usize,
}

/// What came over the wire.
#[derive(Debug)]
struct Answer {
    status: u16,
    /// The status line and the headers, as they came.
    head: String,
    body: String,
    /// The body; null where it is no JSON.
    json: Json,
}

impl System {
    /// Serves `workflows/mocks/NAME.yaml` with these entries of its state changed.
    async fn start(name: &str, state: &[(&str, Json)]) -> Self {
        Self::start_as(name, state, false).await
    }

    /// The same over https.
    async fn start_tls(name: &str, state: &[(&str, Json)]) -> Self {
        Self::start_as(name, state, true).await
    }

    async fn start_as(name: &str, state: &[(&str, Json)], tls: bool) -> Self {
        let path = format!("workflows/mocks/{name}.yaml");
        let mut mock = Mock::load(Path::new(&path)).unwrap_or_else(|problems| panic!("{problems}"));
        mock.tls |= tls;
        for (name, value) in state {
            let value = Value::from_json(value.to_string().as_bytes()).expect("JSON");
            mock.change(name, value).unwrap_or_else(|problem| panic!("{}", problem.line()));
        }
        Self::serve(mock).await
    }

    /// Serves a mock of the test's own.
    async fn of(text: &str) -> Self {
        let mock = Mock::parse(&Source::text("mock.yaml", text));
        Self::serve(mock.unwrap_or_else(|problems| panic!("{problems}"))).await
    }

    async fn serve(mock: Mock) -> Self {
        let clock = Clock::fixed(NOW * 1000);
        let running = start(mock, clock.clone()).await.expect("a port is free");
        Self { running, clock, unmatched: 0 }
    }

    /// Where it listens.
    fn origin(&self) -> &str {
        self.running.origin()
    }

    /// So many requests are for what it does not have.
    fn expect_unmatched(&mut self, requests: usize) {
        self.unmatched = requests;
    }

    /// Lets this much time pass at once.
    fn pass(&self, span: Duration) {
        self.clock.advance(milliseconds(span));
    }

    /// Puts the clock back.
    fn put_back(&self, span: Duration) {
        self.clock.advance(-milliseconds(span));
    }

    /// Sends a request as plain bytes: `headers` are whole lines.
    async fn send(&self, method: &str, path: &str, headers: &[&str], body: &str) -> Answer {
        let answer = self.exchange(method, path, headers, body).await;
        Answer::read(&answer.expect("it answers"))
    }

    /// Sends a request whose answer is cut off.
    async fn send_lost(&self, method: &str, path: &str, headers: &[&str], body: &str) {
        let answer = self.exchange(method, path, headers, body).await;
        assert!(answer.is_err(), "{answer:?}");
    }

    async fn exchange(&self, method: &str, path: &str, headers: &[&str], body: &str) -> io::Result<String> {
        let (scheme, address) = self.origin().split_once("://").expect("an origin");
        let mut request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {}\r\n",
            body.len()
        );
        for header in headers {
            request.push_str(header);
            request.push_str("\r\n");
        }
        request.push_str("\r\n");
        request.push_str(body);
        let stream = TcpStream::connect(address).await.expect("it listens");
        match scheme {
            "https" => exchange(self.secured(stream).await, &request).await,
            _ => exchange(stream, &request).await,
        }
    }

    /// TLS by somebody who trusts this one server.
    async fn secured(&self, stream: TcpStream) -> impl AsyncRead + AsyncWrite + Unpin {
        let pem = self.running.certificate().expect("it serves https");
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).expect("PEM")).expect("a certificate");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from("127.0.0.1").expect("an address");
        TlsConnector::from(Arc::new(config)).connect(name, stream).await.expect("it is trusted")
    }

    /// A body of JSON.
    async fn send_json(&self, method: &str, path: &str, headers: &[&str], body: &Json) -> Answer {
        let headers = [headers, &[JSON]].concat();
        self.send(method, path, &headers, &body.to_string()).await
    }

    /// A body of form fields, which are escaped already.
    async fn send_form(&self, method: &str, path: &str, headers: &[&str], body: &str) -> Answer {
        let headers = [headers, &[FORM]].concat();
        self.send(method, path, &headers, body).await
    }
}

impl Drop for System {
    fn drop(&mut self) {
        // One failure is enough: a second panic would end all tests.
        if std::thread::panicking() {
            return;
        }
        let failures = self.running.failures();
        let failures: Vec<String> = failures.iter().map(|failure| failure.render(false)).collect();
        assert!(failures.is_empty(), "{}", failures.join("\n"));
        let unmatched = self.running.unmatched();
        assert_eq!(unmatched.len(), self.unmatched, "no route was meant for {unmatched:?}");
    }
}

/// Writes a request and reads the answer until the connection ends.
async fn exchange(mut stream: impl AsyncRead + AsyncWrite + Unpin, request: &str) -> io::Result<String> {
    stream.write_all(request.as_bytes()).await.expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

fn milliseconds(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).expect("no test takes that long")
}

/// Whole seconds, as servers count them.
fn seconds(span: Duration) -> i64 {
    milliseconds(span) / 1000
}

impl Answer {
    fn read(answer: &str) -> Self {
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status line");
        let json = serde_json::from_str(body).unwrap_or(Json::Null);
        Self { status, head: head.to_owned(), body: body.to_owned(), json }
    }

    /// The headers of this name.
    fn headers(&self, name: &str) -> Vec<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
    }

    /// The only header of this name.
    #[track_caller]
    fn header(&self, name: &str) -> &str {
        match self.headers(name)[..] {
            [value] => value,
            _ => panic!("not one header {name}: {self:?}"),
        }
    }

    /// A text of the body.
    #[track_caller]
    fn text(&self, pointer: &str) -> String {
        let found = self.json.pointer(pointer).and_then(Json::as_str);
        found.unwrap_or_else(|| panic!("no text at {pointer}: {self:?}")).to_owned()
    }
}

/// An `authorization` line with this token.
fn bearer(token: &str) -> String {
    format!("authorization: Bearer {token}")
}

/// A JWT, whose signature nobody has looked at yet.
struct Jwt {
    /// As it was written, and so are the claims: the members in their order, and no blanks.
    head: Json,
    claims: Json,
    /// All of the token.
    text: String,
}

impl Jwt {
    #[track_caller]
    fn read(token: &str) -> Self {
        let parts: Vec<&str> = token.split('.').collect();
        assert_eq!(parts.len(), 3, "a JWT has three parts: {token}");
        let read = |part: &str| {
            let text = String::from_utf8(URL_SAFE_NO_PAD.decode(part).expect("base64url")).expect("UTF-8");
            let json: Json = serde_json::from_str(&text).expect("JSON");
            assert_eq!(json.to_string(), text, "it is written in another way");
            json
        };
        Self { head: read(parts[0]), claims: read(parts[1]), text: token.to_owned() }
    }

    /// One by HS256.
    fn sign(head: Json, claims: Json, key: &str) -> Self {
        let parts = [&head, &claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let signed = parts.join(".");
        let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes()), signed.as_bytes());
        Self { head, claims, text: format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)) }
    }

    /// Whether this key signed it by HS256.
    fn is_signed_by(&self, key: &str) -> bool {
        Self::sign(self.head.clone(), self.claims.clone(), key).text == self.text
    }
}

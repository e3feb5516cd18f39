//! The mocks of real systems against what is known of the real servers, quirks included: a workflow
//! that passes under a mock proves no more than the mock does. Every row is asked for over a plain
//! socket, so that nothing of ours stands between.

mod datarhei;
mod mikopbx;
mod mindbaz;
mod platform;
mod wildix;
mod wrong_turns;

use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqchain::ground::clock::Clock;
use reqchain::ground::source::Source;
use reqchain::ground::value::Value;
use reqchain::services::mock::{Mock, Running, start};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use serde_json::Value as Json;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// The moment at which every mock begins here, in seconds since 1970.
const NOW: i64 = 1_700_000_000;

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

    /// Sends a request as plain bytes: `headers` are whole lines.
    async fn send(&self, method: &str, path: &str, headers: &[&str], body: &str) -> Answer {
        let (scheme, address) = self.running.origin().split_once("://").expect("an origin");
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
        let answer = match scheme {
            "https" => exchange(self.secured(stream).await, &request).await,
            _ => exchange(stream, &request).await,
        };
        Answer::read(&answer)
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
        let headers = [headers, &["content-type: application/json"]].concat();
        self.send(method, path, &headers, &body.to_string()).await
    }

    /// A body of form fields, which are escaped already.
    async fn send_form(&self, method: &str, path: &str, headers: &[&str], body: &str) -> Answer {
        let headers = [headers, &["content-type: application/x-www-form-urlencoded"]].concat();
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
async fn exchange(mut stream: impl AsyncRead + AsyncWrite + Unpin, request: &str) -> String {
    stream.write_all(request.as_bytes()).await.expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("it answers");
    answer
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

/// A `authorization` line with this token.
fn bearer(token: &str) -> String {
    format!("authorization: Bearer {token}")
}

/// The head and the claims of a JWT; its signature is not looked at.
#[track_caller]
fn jwt_parts(token: &str) -> (Json, Json) {
    let parts: Vec<&str> = token.split('.').collect();
    assert_eq!(parts.len(), 3, "a JWT has three parts: {token}");
    let read = |part: &str| {
        let bytes = URL_SAFE_NO_PAD.decode(part).expect("base64url");
        serde_json::from_slice(&bytes).expect("JSON")
    };
    (read(parts[0]), read(parts[1]))
}

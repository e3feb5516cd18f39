//! Loopback servers of TLS: what they show, which versions and protocols they speak, whether they
//! ask for a certificate; and what they saw of their clients.

use std::convert::Infallible;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;

use super::Scenario;

/// A file of `tests/cases/tls`.
pub(crate) fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(Path::new("tests/cases/tls").join(name)).expect("a fixture")
}

/// How a server of TLS behaves.
pub(crate) struct Settings {
    /// The certificate and its key in PEM.
    pub(crate) certificate: Vec<u8>,
    pub(crate) key: Vec<u8>,
    pub(crate) asks: Asks,
    pub(crate) versions: Vec<&'static SupportedProtocolVersion>,
    /// What it offers by ALPN; nothing where it knows no such thing.
    pub(crate) protocols: Vec<&'static str>,
    /// Where every request is redirected to.
    pub(crate) redirect: Option<String>,
    /// The cookie that every answer sets.
    pub(crate) cookie: Option<&'static str>,
}

/// Whether a server asks for the client's certificate.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asks {
    Never,
    /// It takes one, and goes on without.
    Politely,
    /// It ends the handshake without one.
    Firmly,
}

impl Default for Settings {
    /// A certificate of the authority `ca.pem`, for 127.0.0.1, localhost and api.example.
    fn default() -> Self {
        Self {
            certificate: fixture("server.pem"),
            key: fixture("server.key"),
            asks: Asks::Never,
            versions: rustls::ALL_VERSIONS.to_vec(),
            protocols: Vec::new(),
            redirect: None,
            cookie: None,
        }
    }
}

/// What a server saw of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Secured {
    pub(crate) path: String,
    /// Whether the client showed a certificate.
    pub(crate) identified: bool,
    /// What ALPN agreed on; empty where there was none.
    pub(crate) protocol: String,
}

/// A server of TLS that answers every request with an empty object, or a redirect.
pub(crate) struct TlsServer {
    pub(crate) origin: String,
    seen: Arc<Mutex<Vec<Secured>>>,
    names: Arc<Mutex<Vec<String>>>,
}

impl TlsServer {
    pub(crate) fn start(settings: Settings) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let origin = format!("https://{}", listener.local_addr().expect("an address"));
        let (seen, names) = (Arc::new(Mutex::default()), Arc::new(Mutex::default()));
        let log = Log { seen: Arc::clone(&seen), names: Arc::clone(&names) };
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(serve(listener, settings, log));
        });
        Self { origin, seen, names }
    }

    /// The names of all headers that it got so far.
    pub(crate) fn header_names(&self) -> Vec<String> {
        self.names.lock().expect("nobody panicked").clone()
    }

    /// What it saw so far.
    pub(crate) fn seen(&self) -> Vec<Secured> {
        self.seen.lock().expect("nobody panicked").clone()
    }

    /// Two requests to it, with the files that `tls` may name beside them.
    pub(crate) fn scenario(&self, keys: &str) -> Scenario {
        let request = format!("request: {{ url: '{{{{ secure }}}}/x'{keys} }}");
        with_files(Scenario::new(&format!(
            "inputs: {{ secure: , password: unused-word }}\nsteps:\n  - {request}\n  - {request}\n"
        )))
        .input("secure", &self.origin)
    }
}

/// Where a server notes what it sees.
#[derive(Clone)]
struct Log {
    seen: Arc<Mutex<Vec<Secured>>>,
    names: Arc<Mutex<Vec<String>>>,
}

/// A proxy that is spoken to by TLS and knows nothing but CONNECT.
pub(crate) struct TlsTunnel {
    pub(crate) address: String,
    heads: Arc<Mutex<Vec<String>>>,
    identified: Arc<AtomicBool>,
}

impl TlsTunnel {
    pub(crate) fn start(settings: &Settings) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let acceptor = TlsAcceptor::from(Arc::new(configuration(settings)));
        let (heads, identified) = (Arc::new(Mutex::default()), Arc::<AtomicBool>::default());
        let (log, shown) = (Arc::clone(&heads), Arc::clone(&identified));
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async move {
                listener.set_nonblocking(true).expect("a socket");
                let listener = tokio::net::TcpListener::from_std(listener).expect("a socket");
                while let Ok((stream, _)) = listener.accept().await {
                    // A client that does not trust us is none.
                    let Ok(stream) = acceptor.accept(stream).await else { continue };
                    let is_shown = stream.get_ref().1.peer_certificates().is_some();
                    shown.fetch_or(is_shown, Ordering::SeqCst);
                    tokio::spawn(carry(stream, Arc::clone(&log)));
                }
            });
        });
        Self { address, heads, identified }
    }

    /// Whether any client showed it a certificate.
    pub(crate) fn was_shown_a_certificate(&self) -> bool {
        self.identified.load(Ordering::SeqCst)
    }

    /// The heads of what it was asked.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.heads.lock().expect("nobody panicked").clone()
    }
}

async fn carry(
    mut client: tokio_rustls::server::TlsStream<tokio::net::TcpStream>,
    log: Arc<Mutex<Vec<String>>>,
) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let target = head.split(' ').nth(1).unwrap_or_default().to_owned();
    log.lock().expect("nobody panicked").push(head);
    let mut server = tokio::net::TcpStream::connect(target).await?;
    client.write_all(b"HTTP/1.1 200 X\r\n\r\n").await?;
    tokio::io::copy_bidirectional(&mut client, &mut server).await.map(|_| ())
}

/// Puts the files that `tls` may name beside the workflow.
pub(crate) fn with_files(scenario: Scenario) -> Scenario {
    let names = ["ca.pem", "client.pem", "client.key", "client.closed.key", "client.p12"];
    names.iter().fold(scenario, |scenario, name| scenario.file(name, fixture(name)))
}

async fn serve(listener: TcpListener, settings: Settings, log: Log) {
    listener.set_nonblocking(true).expect("a socket");
    let listener = tokio::net::TcpListener::from_std(listener).expect("a socket");
    let acceptor = TlsAcceptor::from(Arc::new(configuration(&settings)));
    let redirect = settings.redirect.map(|to| ("location", to));
    let cookie = settings.cookie.map(|cookie| ("set-cookie", cookie.to_owned()));
    let headers: Headers = redirect.into_iter().chain(cookie).collect();
    while let Ok((stream, _)) = listener.accept().await {
        let (acceptor, log, headers) = (acceptor.clone(), log.clone(), Arc::clone(&headers));
        tokio::spawn(async move {
            if let Ok(stream) = acceptor.accept(stream).await {
                answer(stream, log, headers).await;
            }
        });
    }
}

fn configuration(settings: &Settings) -> ServerConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let chain = vec![CertificateDer::from_pem_slice(&settings.certificate).expect("a certificate")];
    let key = PrivateKeyDer::from_pem_slice(&settings.key).expect("a key");
    let config = ServerConfig::builder_with_provider(Arc::clone(&provider));
    let config = config.with_protocol_versions(&settings.versions).expect("versions");
    let config = if settings.asks == Asks::Never {
        config.with_no_client_auth()
    } else {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(&fixture("ca.pem")).expect("a certificate")).expect("added");
        let mut verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        if settings.asks == Asks::Politely {
            verifier = verifier.allow_unauthenticated();
        }
        config.with_client_cert_verifier(verifier.build().expect("a verifier"))
    };
    let mut config = config.with_single_cert(chain, key).expect("a configuration");
    config.alpn_protocols = settings.protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    config
}

/// What every answer says; a `location` makes it a redirect.
type Headers = Arc<[(&'static str, String)]>;

async fn answer(stream: tokio_rustls::server::TlsStream<tokio::net::TcpStream>, log: Log, headers: Headers) {
    let connection = stream.get_ref().1;
    let identified = connection.peer_certificates().is_some();
    let protocol = String::from_utf8_lossy(connection.alpn_protocol().unwrap_or_default()).into_owned();
    let is_2 = protocol == "h2";
    let service = service_fn(move |request: Request<Incoming>| {
        let path = request.uri().path().to_owned();
        let seen = Secured { path, identified, protocol: protocol.clone() };
        log.seen.lock().expect("nobody panicked").push(seen);
        log.names.lock().expect("nobody panicked").extend(request.headers().keys().map(ToString::to_string));
        let mut response = Response::new(Full::new(Bytes::from_static(b"{}")));
        for (name, value) in headers.iter() {
            if *name == "location" {
                *response.status_mut() = hyper::StatusCode::FOUND;
            }
            response.headers_mut().insert(*name, value.parse().expect("a header"));
        }
        std::future::ready(Ok::<_, Infallible>(response))
    });
    let io = TokioIo::new(stream);
    // A client that goes away is no failure of the server.
    let _ = if is_2 {
        hyper::server::conn::http2::Builder::new(TokioExecutor::new()).serve_connection(io, service).await
    } else {
        hyper::server::conn::http1::Builder::new().serve_connection(io, service).await
    };
}

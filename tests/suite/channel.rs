//! How a request travels: redirects, the jar, TLS, proxies, addresses and versions of HTTP (S1, S4,
//! S13–S15, S78, S79).

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;

use reqchain::running::{Cause, Detail};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;

use crate::scenario::{Reply, Scenario, says};

const PASSWORD: &str = "open-sesame";

#[test]
fn redirects_none_gives_the_redirect_itself_and_max_bounds_the_chain() {
    let ran = Scenario::new(
        "defaults: { redirects: { max: 1 } }\nsteps:\n  - { request: { url: '{{ base }}/a', redirects: none }, expect: { status: 302 } }\n  - request: GET {{ base }}/a\n",
    )
    .on("GET /a", |_| Reply::redirect(302, "/b"))
    .on("GET /b", |_| Reply::redirect(302, "/c"))
    .run();
    ran.fails_with(Cause::CouldNotRun).saw(["GET /a", "GET /a", "GET /b"]);
    says(&ran.error(), &["more than 1 redirects", "`redirects: { max: … }`"]);
}

#[test]
fn credentials_and_bodies_follow_a_redirect_only_to_a_trusted_origin_and_back() {
    let flow = |redirects: &str| {
        Scenario::new(&format!(
            "inputs: {{ base: , other: }}\nsteps:\n  - request: {{ url: '{{{{ base }}}}/a', auth: {{ bearer: abcdefgh }}, json: {{ x: 1 }}{redirects} }}\n"
        ))
    };
    let ran = flow("").on("POST /a", |seen| Reply::redirect(307, format!("{}/b", seen.origin("other"))));
    ran.server("other", |_| {}).run().fails_with(Cause::CouldNotRun).saw_at("other", []);
    let ran = flow(", redirects: { trust: ['{{ other }}'] }")
        .on("POST /a", |seen| Reply::redirect(307, format!("{}/b", seen.origin("other"))))
        .on("POST /c", |_| Reply::json("{}"))
        .server("other", |other| {
            other.on("POST /b", |seen| Reply::redirect(307, format!("{}/c", seen.origin("base"))));
        })
        .run();
    ran.passed();
    let there = &ran.seen_at("other")[0];
    assert_eq!((there.header("authorization"), there.body.as_str()), ("Bearer abcdefgh", r#"{"x":1}"#));
    assert_eq!(ran.seen("POST /c").header("authorization"), "Bearer abcdefgh");
}

#[test]
fn a_jar_is_kept_over_steps_redirects_used_workflows_and_scripts() {
    let ran = Scenario::new(
        "inputs: { base: }\nsteps:\n  - { request: 'GET {{ base }}/login', extract: { sid: { cookie: sid } } }\n  - { uses: ./used.yaml, with: { base: '{{ base }}' } }\n  - script: |\n      let url = vars.base + \"/x\";\n      http::get(url);\n      cookies::set(url, \"sid\", \"changed-by-script\");\n      cookies::remove(url, \"used\");\n      vars.lang = cookies::get(url, \"lang\");\n      vars.gone = cookies::get(url, \"used\") == ();\n  - { request: { url: '{{ base }}/mine', headers: { Cookie: 'lang=fr' } } }\n  - { request: { url: '{{ base }}/none', cookies: none } }\n  - { request: 'GET {{ base }}/last' }\noutputs: { lang: '{{ lang }}', gone: '{{ gone }}', sid: '{{ sid }}' }\n",
    )
    .file("used.yaml", "inputs: { base: }\nsteps: [ { request: 'GET {{ base }}/used' } ]\n")
    .on("GET /login", |_| Reply::redirect(302, "/home").header("set-cookie", "sid=\"s3ss ion==\"; Path=/"))
    .on("GET /home", |_| Reply::json("{}").header("set-cookie", "lang=de"))
    .on("GET /used", |_| Reply::json("{}").header("set-cookie", "used=1"))
    .json("GET /x", "{}")
    .json("GET /mine", "{}")
    .on("GET /none", |_| Reply::json("{}").header("set-cookie", "never=1"))
    .json("GET /last", "{}")
    .run();
    ran.passed();
    let sent = |line: &str| ran.seen(line).header("cookie").to_owned();
    assert_eq!(sent("GET /login"), "");
    assert_eq!(sent("GET /home"), "sid=\"s3ss ion==\"");
    assert_eq!(sent("GET /used"), "sid=\"s3ss ion==\"; lang=de");
    assert_eq!(sent("GET /x"), "sid=\"s3ss ion==\"; lang=de; used=1");
    assert_eq!(sent("GET /mine"), "lang=fr; sid=changed-by-script");
    assert_eq!(sent("GET /none"), "");
    assert_eq!(sent("GET /last"), "sid=changed-by-script; lang=de");
    assert_eq!((ran.output("lang"), ran.output("gone")), ("de".into(), true.into()));
    assert_eq!(ran.output("sid"), "\"s3ss ion==\"", "what a redirect sets is seen by `cookie`");
}

#[test]
fn cookies_are_shown_by_their_names_only() {
    let ran = Scenario::new("steps:\n  - request: GET {{ base }}/a\n  - request: GET {{ base }}/b\n")
        .on("GET /a", |_| Reply::redirect(302, "/b").header("set-cookie", "sid=hunter2hunter2; Path=/"))
        .on("GET /b", |seen| Reply::text(seen.header("cookie")))
        .detail(Detail::Wire)
        .run();
    ran.passed();
    assert!(!ran.text().contains("hunter2"), "{}", ran.text());
    says(&ran.text(), &["sid=«sid»"]);
}

#[test]
fn hostile_cookies_are_left_and_a_flood_is_told_once() {
    let ran = Scenario::new(
        "steps:\n  - request: GET {{ base }}/a\n  - request: GET {{ base }}/b\n  - request: GET {{ base }}/b\n",
    )
    .on("GET /a", |_| {
        let hostile = ["a=1; Domain=com", "b=1; Domain=0.0.1", "__Host-c=1; Path=/", "d=1; Secure", "=e", "f"];
        let mut reply = Reply::json("{}");
        for cookie in hostile {
            reply = reply.header("set-cookie", cookie);
        }
        (0..60).fold(reply, |reply, n| reply.header("set-cookie", format!("n{n}={}", "x".repeat(1000))))
    })
    .json("GET /b", "{}")
    .run();
    ran.passed();
    let cookie = ran.seen("GET /b").header("cookie").to_owned();
    assert!(cookie.len() <= 8192 && cookie.starts_with('n'), "{} bytes", cookie.len());
    assert_eq!(ran.warnings().len(), 1, "{:?}", ran.warnings());
}

#[test]
fn resolve_says_where_a_host_is() {
    let ran = Scenario::new(
        "inputs: { base: }\nvars: { api: \"{{ base | regex_replace('127.0.0.1', 'api.example') }}\" }\ndefaults: { resolve: { api.example: 127.0.0.1 } }\nsteps: [ { request: 'GET {{ api }}/x' } ]\n",
    )
    .json("GET /x", "{}")
    .run();
    ran.passed();
    says(ran.seen("GET /x").header("host"), &["api.example:"]);
}

#[test]
fn a_proxy_gets_the_request_and_its_password_is_never_shown() {
    let flow = "inputs: { base: , proxy: }\nvars: { way: \"{{ proxy | regex_replace('//', '//ann:open-sesame@') }}\" }\ndefaults: { proxy: '{{ way }}' }\nsteps:\n  - request: GET http://api.example/x\n  - request: { url: '{{ base }}/direct', proxy: none }\n";
    let ran = Scenario::new(flow)
        .json("GET /direct", "{}")
        .server("proxy", |proxy| {
            proxy.on("GET http://api.example/x", |seen| Reply::text(seen.header("proxy-authorization")));
        })
        .detail(Detail::Wire)
        .run();
    ran.passed().saw(["GET /direct"]);
    assert_eq!(ran.seen_at("proxy")[0].header("proxy-authorization"), "Basic YW5uOm9wZW4tc2VzYW1l");
    assert!(!ran.text().contains("YW5uOm9wZW4tc2VzYW1l"), "{}", ran.text());
    let ran = Scenario::new(
        "inputs: { gone: }\nsteps:\n  - request: { url: http://api.example/x, proxy: '{{ gone }}' }\n",
    )
    .nobody("gone")
    .run();
    ran.fails_with(Cause::CouldNotRun);
    says(&ran.error(), &["the proxy 127.0.0.1:", "refused the connection"]);
}

#[test]
fn a_proxy_that_a_server_chose_is_not_used() {
    let ran = Scenario::new(
        "steps:\n  - { request: 'GET {{ base }}/a', extract: { way: $.way } }\n  - request: { url: '{{ base }}/b', proxy: '{{ way }}' }\n",
    )
    .json("GET /a", r#"{"way":"http://evil.example:1"}"#)
    .run();
    ran.fails_with(Cause::CouldNotRun).saw(["GET /a"]);
    says(&ran.error(), &["a server chose this proxy", "flow.yaml:3:"]);
}

#[test]
fn http_2_is_spoken_at_once_where_that_is_asked() {
    let flow = "inputs: { two: }\nsteps:\n  - request: { url: '{{ two }}/x', http_version: 2 }\n";
    let ran = Scenario::new(flow).input("two", &http_2_server()).detail(Detail::Wire).run();
    ran.passed();
    says(&ran.text(), &["HTTP/2 200"]);
    let ran = Scenario::new("steps: [ { request: { url: '{{ base }}/x', http_version: 2 } } ]").run();
    ran.fails_with(Cause::CouldNotRun);
    says(&ran.error(), &["HTTP/2"]);
}

/// A server that speaks nothing but HTTP/2, and that without TLS.
fn http_2_server() -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let origin = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            listener.set_nonblocking(true).expect("a socket");
            let listener = tokio::net::TcpListener::from_std(listener).expect("a socket");
            let (stream, _) = listener.accept().await.expect("a connection");
            let service = hyper::service::service_fn(|_| async {
                let body = http_body_util::Full::new(bytes::Bytes::from_static(b"{}"));
                Ok::<_, std::convert::Infallible>(hyper::Response::new(body))
            });
            let server = hyper::server::conn::http2::Builder::new(hyper_util::rt::TokioExecutor::new());
            let _ = server.serve_connection(hyper_util::rt::TokioIo::new(stream), service).await;
        });
    });
    origin
}

#[test]
fn an_authority_of_the_users_own_is_trusted_and_another_is_not() {
    let server = TlsServer::start(false);
    let ran = server.scenario("").run();
    ran.fails_with(Cause::CouldNotRun);
    says(&ran.error(), &["no TLS connection", "tls: { ca: ca.pem }", "insecure"]);
    server.scenario(", tls: { ca: ca.pem }").run().passed();
    server.scenario(", tls: { ca: ca.pem, min: 1.3 }, http_version: 1.1").run().passed();
}

#[test]
fn insecure_trusts_anybody_and_says_so_once() {
    let server = TlsServer::start(false);
    let ran = server.scenario(", tls: { insecure: true }").run();
    ran.passed();
    let warned = ran.warnings();
    assert_eq!(warned.len(), 1, "{warned:?}");
    says(&warned[0], &["certificate of https://127.0.0.1:", "is not checked"]);
}

#[test]
fn a_client_certificate_is_shown_from_pem_from_closed_pem_and_from_pkcs12() {
    let server = TlsServer::start(true);
    let ran = server.scenario(", tls: { ca: ca.pem }").run();
    ran.fails_with(Cause::CouldNotRun);
    for identity in [
        "cert: client.pem, key: client.key",
        "cert: client.pem, key: client.closed.key, password: '{{ password }}'",
        "pkcs12: client.p12, password: '{{ password }}'",
        "pkcs12: client.p12, password: open-sesame",
    ] {
        let ran = server
            .scenario(&format!(", tls: {{ ca: ca.pem, {identity} }}"))
            .input("password", PASSWORD)
            .run();
        ran.passed();
        assert!(!ran.text().contains(PASSWORD));
    }
    let wrong = server.scenario(", tls: { ca: ca.pem, pkcs12: client.p12, password: '{{ password }}' }");
    let ran = wrong.input("password", "wrong-sesame").run();
    ran.fails_with(Cause::CouldNotRun);
    says(&ran.error(), &["the password does not open the private key", "flow.yaml:3:"]);
    assert!(!ran.error().contains("wrong-sesame"));
}

/// A server of TLS that answers every request with an empty object.
struct TlsServer {
    origin: String,
}

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(Path::new("tests/cases/tls").join(name)).expect("a fixture")
}

impl TlsServer {
    fn start(asks_for_certificate: bool) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let chain = vec![CertificateDer::from_pem_slice(&fixture("server.pem")).expect("a certificate")];
        let key = PrivateKeyDer::from_pem_slice(&fixture("server.key")).expect("a key");
        let config = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider));
        let config = config.with_safe_default_protocol_versions().expect("versions");
        let config = if asks_for_certificate {
            let mut roots = rustls::RootCertStore::empty();
            roots
                .add(CertificateDer::from_pem_slice(&fixture("ca.pem")).expect("a certificate"))
                .expect("added");
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            config.with_client_cert_verifier(verifier.build().expect("a verifier"))
        } else {
            config.with_no_client_auth()
        };
        let config = Arc::new(config.with_single_cert(chain, key).expect("a configuration"));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let origin = format!("https://{}", listener.local_addr().expect("an address"));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let config = Arc::clone(&config);
                std::thread::spawn(move || answer(stream, config));
            }
        });
        Self { origin }
    }

    /// Two requests to it, with the files that `tls` may name beside them.
    fn scenario(&self, keys: &str) -> Scenario {
        let request = format!("request: {{ url: '{{{{ secure }}}}/x'{keys} }}");
        let mut scenario = Scenario::new(&format!(
            "inputs: {{ secure: , password: unused-word }}\nsteps:\n  - {request}\n  - {request}\n"
        ));
        scenario = scenario.input("secure", &self.origin);
        for name in ["ca.pem", "client.pem", "client.key", "client.closed.key", "client.p12"] {
            scenario = scenario.file(name, fixture(name));
        }
        scenario
    }
}

fn answer(mut stream: TcpStream, config: Arc<rustls::ServerConfig>) {
    let mut tls = rustls::ServerConnection::new(config).expect("a connection");
    let stream = rustls::Stream::new(&mut tls, &mut stream);
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = String::new();
        while line != "\r\n" {
            line.clear();
            if !reader.read_line(&mut line).is_ok_and(|read| read > 0) {
                return;
            }
        }
        let reply = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
        if reader.get_mut().write_all(reply).is_err() {
            return;
        }
    }
}

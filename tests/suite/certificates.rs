//! What is wrong with a certificate, each fault in its own words, and who is trusted without one: `insecure` of a request holds for its own server, `--insecure` for one run, and both are
//! loud.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, SanType};
use reqchain::parts::http::tls::certificate_pem;
use reqchain::running::Cause;

use crate::scenario::tls::{Settings, TlsServer};
use crate::scenario::{Cli, Reply, Scenario, says};

/// An authority, and servers that it vouches for.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name.push(DnType::CommonName, "Corner Shop CA");
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        Self(CertifiedIssuer::self_signed(parameters, key).expect("an authority"))
    }

    fn pem(&self) -> String {
        certificate_pem(self.0.as_ref().der())
    }

    fn settings(&self, change: impl FnOnce(&mut CertificateParams)) -> Settings {
        let mut parameters = CertificateParams::new(["127.0.0.1".to_owned()]).expect("names");
        parameters.distinguished_name.push(DnType::CommonName, "till");
        change(&mut parameters);
        let key = KeyPair::generate().expect("a key");
        let certificate = parameters.signed_by(&key, &self.0).expect("a certificate");
        settings(certificate.der(), &key)
    }
}

fn settings(certificate: &[u8], key: &KeyPair) -> Settings {
    let key = certificate_pem(&key.serialize_der()).replace("CERTIFICATE", "PRIVATE KEY").into_bytes();
    Settings { certificate: certificate_pem(certificate).into_bytes(), key, ..Settings::default() }
}

/// As `openssl req -x509` makes it, or a device when it is turned on for the first time.
fn self_signed(is_ca: IsCa) -> Settings {
    let mut parameters = CertificateParams::new(["127.0.0.1".to_owned()]).expect("names");
    parameters.distinguished_name.push(DnType::CommonName, "127.0.0.1");
    parameters.is_ca = is_ca;
    let key = KeyPair::generate().expect("a key");
    settings(parameters.self_signed(&key).expect("a certificate").der(), &key)
}

/// The error of a request to a server that trusts `ca` beside the machine's authorities.
fn refused(settings: Settings, ca: &str) -> String {
    let server = TlsServer::start(settings);
    let keys = if ca.is_empty() { "" } else { ", tls: { ca: own.pem }" };
    let ran = server.scenario(keys).file("own.pem", ca).run();
    ran.fails_with(Cause::CouldNotRun);
    assert_eq!(server.seen(), [], "nothing was sent");
    ran.error()
}

/// Expired, too early, of another, of nobody known (S78).
#[test]
fn each_fault_of_a_certificate_has_a_text_and_a_remedy_of_its_own() {
    let authority = Authority::new();
    let vouched = |change: fn(&mut CertificateParams)| refused(authority.settings(change), &authority.pem());
    let faults = [
        (vouched(|of| of.not_after = rcgen::date_time_ymd(2020, 1, 1)), "has expired", "clock"),
        (vouched(|of| of.not_before = rcgen::date_time_ymd(4000, 1, 1)), "is not valid yet", "clock"),
        (
            vouched(|of| {
                of.subject_alt_names = vec![SanType::DnsName("a.example".try_into().expect("a name"))];
            }),
            "is for another host: a.example",
            "does the URL name the host",
        ),
        (vouched(|of| of.subject_alt_names.clear()), "names no host in subjectAltName", "openssl req"),
        (
            refused(authority.settings(|_| {}), ""),
            "from an authority that is not trusted here: Corner Shop CA",
            "name the authority's file, `tls: { ca: ca.pem }`",
        ),
        (refused(self_signed(IsCa::NoCa), ""), "is self-signed", "`tls: { ca: server.pem }`"),
        (
            refused(self_signed(IsCa::Ca(BasicConstraints::Unconstrained)), ""),
            "is self-signed",
            "that very certificate",
        ),
    ];
    for (at, (error, fault, remedy)) in faults.iter().enumerate() {
        says(error, &["no TLS connection to 127.0.0.1:", "its certificate", fault, remedy, "flow.yaml:3:"]);
        let same = faults.iter().filter(|(other, ..)| other.contains(fault)).count();
        assert_eq!(same, if at < 5 { 1 } else { 2 }, "{fault}");
    }
}

#[test]
fn what_an_authority_calls_itself_obeys_nobody() {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name.push(DnType::CommonName, format!("\u{1b}[2J\r\n{}", "x".repeat(500)));
    let issuer = CertifiedIssuer::self_signed(parameters, KeyPair::generate().expect("a key"));
    let error = refused(Authority(issuer.expect("an authority")).settings(|_| {}), "");
    says(&error, &["an authority that is not trusted here: \\u{1b}[2J\\r\\nxxx"]);
    assert!(!error.contains('\u{1b}') && !error.contains(&"x".repeat(100)), "{error}");
}

/// Two servers that made their certificates themselves; `here` sends everybody on to `there`.
fn two(path: &str) -> (TlsServer, TlsServer) {
    let there = TlsServer::start(self_signed(IsCa::NoCa));
    let redirect = Some(format!("{}{path}", there.origin));
    (TlsServer::start(Settings { redirect, ..self_signed(IsCa::NoCa) }), there)
}

fn moving(keys: &str, here: &TlsServer, there: &TlsServer) -> Scenario {
    Scenario::new(&format!(
        "inputs: {{ here: , there: }}\nsteps:\n  - request: {{ url: '{{{{ here }}}}/a', tls: {{ insecure: true }}{keys} }}\n"
    ))
    .input("here", &here.origin)
    .input("there", &there.origin)
}

/// Who is not checked is told, and nobody else is meant (S78).
#[test]
fn insecure_holds_for_the_server_of_the_request_and_for_none_that_a_redirect_leads_to() {
    for keys in ["", ", redirects: { trust: ['{{ there }}'] }"] {
        let (here, there) = two("/b");
        let ran = moving(keys, &here, &there).run();
        ran.fails_with(Cause::CouldNotRun);
        let place = there.origin.trim_start_matches("https://");
        says(
            &ran.error(),
            &[&format!("no TLS connection to {place}"), "self-signed", "after a redirect from"],
        );
        assert_eq!((here.seen().len(), there.seen().len()), (1, 0), "{keys}");
        assert_eq!(
            ran.warnings(),
            [format!("the certificate of {} is not checked: `tls.insecure` is true", here.origin)]
        );
    }
}

#[test]
fn insecure_holds_again_where_a_redirect_comes_back_to_the_server_of_the_request() {
    let away = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let redirect = Some(format!("http://{}/away", away.local_addr().expect("an address")));
    let home = TlsServer::start(Settings { redirect, ..self_signed(IsCa::NoCa) });
    let back = format!(
        "HTTP/1.1 302 X\r\nlocation: {}/back\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
        home.origin
    );
    std::thread::spawn(move || {
        // Once back, and then the answer; each on a connection of its own.
        for answer in [back.as_str(), "HTTP/1.1 200 X\r\ncontent-length: 0\r\n\r\n"] {
            let (mut client, _) = away.accept().expect("a connection");
            let _ = client.read(&mut [0; 1024]).expect("a request");
            client.write_all(answer.as_bytes()).expect("sent");
        }
    });
    let ran = Scenario::new(
        "inputs: { home: }\nsteps: [ { request: { url: '{{ home }}/a', tls: { insecure: true } } } ]",
    )
    .input("home", &home.origin)
    .run();
    ran.passed();
    let asked: Vec<_> = home.seen().into_iter().map(|seen| seen.path).collect();
    assert_eq!(asked, ["/a", "/back"]);
    let warned = ran.warnings();
    assert_eq!(warned.iter().filter(|told| told.contains("is not checked")).count(), 1, "{warned:?}");
    assert_eq!(warned.iter().filter(|told| told.contains("which is not encrypted")).count(), 1, "{warned:?}");
}

/// Trust does not outlast its step (S78).
#[test]
fn what_one_step_trusts_is_not_remembered_for_the_next() {
    let home = TlsServer::start(self_signed(IsCa::NoCa));
    let back = format!("{}/home", home.origin);
    let flow = r"
inputs: { home: , base: }
steps:
  - request: { url: '{{ home }}/a', tls: { insecure: true } }
  - request: { url: '{{ base }}/b' }
    continue_on_failure: true
  - request: { url: '{{ home }}/c', tls: { insecure: true } }
";
    let scenario = Scenario::new(flow).input("home", &home.origin);
    let ran = scenario.on("GET /b", move |_| Reply::redirect(302, back.clone())).run();
    ran.fails_with(Cause::CouldNotRun);
    assert_eq!(ran.verdicts(), ["step1 passed", "step2 errored", "step3 passed"]);
    assert_eq!(ran.warnings().len(), 1, "{:?}", ran.warnings());
}

/// A server has no say in it (S78).
#[test]
fn a_server_that_another_server_named_is_checked_whatever_the_file_says() {
    let secure = TlsServer::start(self_signed(IsCa::NoCa));
    let answer = format!(r#"{{"next":"{}/x"}}"#, secure.origin);
    for step in ["request: { url: '{{ next }}', tls: { insecure: true } }", "script: 'http::get(vars.next);'"]
    {
        let answer = answer.clone();
        let ran = Scenario::new(&format!("inputs: {{ base: }}\ndefaults: {{ tls: {{ insecure: true }} }}\nsteps:\n  - {{ request: 'GET {{{{ base }}}}/', extract: {{ next: $.next }} }}\n  - {step}\n"))
            .on("GET /", move |_| Reply::json(answer.clone()))
            .run();
        ran.fails_with(Cause::CouldNotRun);
        says(&ran.error(), &["no TLS connection to 127.0.0.1:", "self-signed"]);
        assert_eq!((secure.seen().len(), ran.warnings().len()), (0, 0), "{step}");
    }
}

/// A workflow of the command that asks `here` twice.
fn folder(here: &TlsServer) -> Cli {
    let flow = format!("steps:\n  - request: GET {0}/a\n  - request: GET {0}/a\n", here.origin);
    Cli::new(&[("flow.yaml", &flow)])
}

/// Loud, and for one run (S78).
#[test]
fn insecure_of_one_run_is_told_for_every_server_once_and_forgotten() {
    let (here, there) = two("/b");
    let folder = folder(&here);
    let called = folder.call("run --insecure flow.yaml --curl");
    called.passed();
    says(&called.err, &["--insecure"]);
    let called = folder.call("run --insecure flow.yaml");
    called.passed();
    for server in [&here, &there] {
        let said =
            format!("warning: the certificate of {} is not checked: `--insecure` says so", server.origin);
        assert_eq!(called.err.matches(&said).count(), 1, "{}", called.err);
        assert_eq!(server.seen().len(), 4);
    }
    let called = folder.call("run flow.yaml");
    assert_eq!(called.code, Some(3), "{}", called.err);
    says(&called.err, &["self-signed"]);
    assert_eq!((here.seen().len(), there.seen().len()), (4, 4));
}

#[test]
fn the_days_of_a_certificate_are_known_of_a_server_that_is_checked_too() {
    let authority = Authority::new();
    let server = TlsServer::start(authority.settings(|of| of.not_after = rcgen::date_time_ymd(3000, 1, 1)));
    let flow = "inputs: { secure: }\nsteps:\n  - request: { url: '{{ secure }}/x', tls: { ca: own.pem } }\n    expect: { tls: { expires_in: { gt: 14d } } }\n";
    Scenario::new(flow).input("secure", &server.origin).file("own.pem", authority.pem()).run().passed();
}

#[test]
fn insecure_of_one_host_holds_for_no_other() {
    let (here, there) = two("/b");
    let folder = folder(&here);
    let (one, two) = (&here.origin["https://".len()..], &there.origin["https://".len()..]);
    let called = folder.call(&format!("run --insecure={one} flow.yaml"));
    assert_eq!((called.code, there.seen().len()), (Some(3), 0), "{}", called.err);
    says(&called.err, &[&format!("the certificate of {} is not checked", here.origin), "after a redirect"]);
    folder.call(&format!("run --insecure={one} --insecure={two} flow.yaml")).passed();
    folder.call("run --insecure=127.0.0.1 flow.yaml").passed();
    let called = folder.call("run --insecure=localhost flow.yaml");
    assert_eq!(called.code, Some(3), "{}", called.err);
    assert!(!called.err.contains("warning"), "{}", called.err);
}

#[test]
fn insecure_takes_hosts_and_no_other_command_knows_it() {
    let folder = Cli::new(&[("flow.yaml", "steps: [ { request: GET https://a.example/ } ]\n")]);
    folder.call("run flow.yaml --insecure=https://a.example").refused(&["--insecure", "host:port"]);
    folder.call("check flow.yaml --insecure").refused(&["--insecure"]);
}

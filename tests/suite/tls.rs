//! Whom a client trusts and who it is: authorities, servers trusted by themselves, client
//! certificates, versions of TLS and of HTTP over it, and mocks that serve https.

use std::process::{Child, Command};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, KeyPair};
use reqchain::running::{Cause, Detail};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::scenario::tls::{Asks, Secured, Settings, TlsServer, with_files};
use crate::scenario::{Ran, Scenario, says};

const PASSWORD: &str = "open-sesame";

/// An authority that nobody knows (S78).
#[test]
fn an_authority_of_the_users_own_is_trusted_and_another_is_not() {
    let server = TlsServer::start(Settings::default());
    let ran = server.scenario("").run();
    ran.fails_with(Cause::CouldNotRun);
    says(&ran.error(), &["no TLS connection", "tls: { ca: ca.pem }", "insecure"]);
    server.scenario(", tls: { ca: ca.pem }").run().passed();
    server.scenario(", tls: { ca: ca.pem, min: 1.3 }, http_version: 1.1").run().passed();
}

/// The authorities of a machine lie in no project (S54).
#[test]
fn certificates_and_keys_outside_the_project_serve_a_workflow_that_is_trusted() {
    let server = TlsServer::start(Settings { asks: Asks::Firmly, ..Settings::default() });
    let files = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/tls");
    let identities =
        ["cert: {}/client.pem, key: {}/client.key", "pkcs12: {}/client.p12, password: open-sesame"];
    for identity in identities {
        let identity = identity.replace("{}", files);
        let keys = format!(", tls: {{ ca: {files}/ca.pem, {identity} }}");
        says(&server.scenario(&keys).run().refused(), &["ca.pem` is an absolute path", "--trust"]);
        server.scenario(&keys).trusted().run().passed();
    }
}

/// Without verification, and loud (S78).
#[test]
fn insecure_trusts_anybody_and_says_so_once() {
    let server = TlsServer::start(Settings::default());
    let ran = server.scenario(", tls: { insecure: true }").run();
    ran.passed();
    let warned = ran.warnings();
    assert_eq!(warned.len(), 1, "{warned:?}");
    says(&warned[0], &["certificate of https://127.0.0.1:", "is not checked"]);
}

#[test]
fn whether_anybody_is_trusted_may_be_a_template() {
    let server = TlsServer::start(Settings::default());
    let asked =
        |insecure: &str| server.scenario(&format!(", tls: {{ insecure: '{{{{ {insecure} }}}}' }}")).run();
    asked("password == \"unused-word\"").passed();
    for strict in ["password == \"another\"", "none"] {
        let ran = asked(strict);
        ran.fails_with(Cause::CouldNotRun);
        says(&ran.error(), &["no TLS connection"]);
    }
    says(&asked("1").error(), &["`insecure` must be true or false, not", "flow.yaml:3:"]);
    asked("nobody").refused();
}

/// Verification is the user's to switch off (S78).
#[test]
fn no_server_chooses_that_its_certificate_is_not_checked() {
    let flow = r"
inputs: { base: }
steps:
  - { request: 'GET {{ base }}/', extract: { trust: $.trust } }
  - { request: { url: 'https://127.0.0.1:1/', tls: { insecure: '{{ trust }}' } } }
";
    let ran = Scenario::new(flow).json("GET /", r#"{"trust":true}"#).run();
    ran.fails_with(Cause::CouldNotRun);
    says(&ran.error(), &["flow.yaml:5:", "a server had a say in `insecure`", "take it from an input"]);
}

#[test]
fn a_client_certificate_is_shown_from_pem_from_closed_pem_and_from_pkcs12() {
    let server = TlsServer::start(Settings { asks: Asks::Firmly, ..Settings::default() });
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

/// A key that a password closes may lie open to others (S79).
#[cfg(unix)]
#[test]
fn a_private_key_that_others_can_read_is_warned_of_once() {
    use std::os::unix::fs::PermissionsExt as _;
    let server = TlsServer::start(Settings { asks: Asks::Firmly, ..Settings::default() });
    for (identity, file, mode, warned) in [
        ("cert: client.pem, key: client.key", "client.key", 0o644, 1),
        ("cert: client.pem, key: client.key", "client.key", 0o640, 1),
        ("cert: client.pem, key: client.key", "client.key", 0o600, 0),
        ("cert: client.pem, key: client.closed.key, password: open-sesame", "client.closed.key", 0o644, 0),
        ("pkcs12: client.p12, password: open-sesame", "client.p12", 0o644, 0),
    ] {
        let scenario = server.scenario(&format!(", tls: {{ ca: ca.pem, {identity} }}"));
        let path = scenario.path(file);
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("changed");
        let ran = scenario.run();
        ran.passed();
        let warnings = ran.warnings();
        assert_eq!(warnings.len(), warned, "{identity} {mode:o}: {warnings:?}");
        assert!(warnings.iter().all(|told| told.contains("can read the private key") && told.contains(file)));
    }
}

/// The settings of a server with a certificate that it made itself, as `openssl req -x509` does.
fn self_signed(change: impl FnOnce(&mut CertificateParams)) -> Settings {
    let key = KeyPair::generate().expect("a key");
    let mut parameters = CertificateParams::new(["127.0.0.1".to_owned()]).expect("names");
    parameters.distinguished_name.push(DnType::CommonName, "127.0.0.1");
    change(&mut parameters);
    let certificate = parameters.self_signed(&key).expect("a certificate");
    let pem = reqchain::parts::http::tls::certificate_pem;
    let key = pem(&key.serialize_der()).replace("CERTIFICATE", "PRIVATE KEY").into_bytes();
    Settings { certificate: pem(certificate.der()).into_bytes(), key, ..Settings::default() }
}

/// What comes of asking such a server where its certificate is named as `ca`.
fn pinned(change: impl FnOnce(&mut CertificateParams)) -> Ran {
    let settings = self_signed(change);
    let certificate = settings.certificate.clone();
    TlsServer::start(settings).scenario(", tls: { ca: own.pem }").file("own.pem", certificate).run()
}

const AUTHORITY: IsCa = IsCa::Ca(BasicConstraints::Unconstrained);

#[test]
fn a_servers_own_certificate_is_trusted_as_ca_whether_it_calls_itself_an_authority_or_not() {
    for is_ca in [AUTHORITY, IsCa::ExplicitNoCa, IsCa::NoCa] {
        pinned(|parameters| parameters.is_ca = is_ca).passed();
    }
}

/// Wrong host, expired (S78).
#[test]
fn a_servers_own_certificate_must_still_name_the_host_and_be_of_today() {
    for is_ca in [AUTHORITY, IsCa::ExplicitNoCa] {
        let own = |change: fn(&mut CertificateParams)| {
            let ran = pinned(|parameters| {
                parameters.is_ca = is_ca;
                change(parameters);
            });
            ran.fails_with(Cause::CouldNotRun);
            ran.error()
        };
        let error = own(|parameters| {
            parameters.subject_alt_names =
                vec![rcgen::SanType::DnsName("a.example".try_into().expect("a name"))];
        });
        says(&error, &["its certificate is for another host: a.example"]);
        let error = own(|parameters| parameters.not_after = rcgen::date_time_ymd(2020, 1, 1));
        says(&error, &["its certificate has expired"]);
        let error = own(|parameters| parameters.not_before = rcgen::date_time_ymd(4000, 1, 1));
        says(&error, &["its certificate is not valid yet"]);
        let error = own(|parameters| parameters.subject_alt_names.clear());
        says(&error, &["its certificate names no host", "subjectAltName"]);
    }
}

/// A certificate of somebody else (S78).
#[test]
fn the_certificate_of_another_server_is_not_trusted_for_having_the_same_name() {
    for is_ca in [AUTHORITY, IsCa::ExplicitNoCa] {
        let server = TlsServer::start(self_signed(|parameters| parameters.is_ca = is_ca));
        let other = self_signed(|parameters| parameters.is_ca = is_ca).certificate;
        let ran = server.scenario(", tls: { ca: own.pem }").file("own.pem", other).run();
        ran.fails_with(Cause::CouldNotRun);
        assert_eq!(server.seen(), []);
    }
}

/// Our certificate stays with its server (S79).
#[test]
fn a_client_certificate_is_not_shown_to_the_origin_that_a_redirect_leads_to() {
    let settings = || Settings { asks: Asks::Politely, ..Settings::default() };
    for (redirects, shown) in [("", false), (", redirects: { trust: ['{{ there }}'] }", true)] {
        let there = TlsServer::start(settings());
        let redirect = Some(format!("{}/there", there.origin));
        let here = TlsServer::start(Settings { redirect, ..settings() });
        let ran = with_files(Scenario::new(&format!(
            "inputs: {{ here: , there: }}\nsteps:\n  - request: {{ url: '{{{{ here }}}}/here', tls: {{ ca: ca.pem, cert: client.pem, key: client.key }}{redirects} }}\n"
        )));
        ran.input("here", &here.origin).input("there", &there.origin).run().passed();
        let seen =
            |path: &str, identified| Secured { path: path.to_owned(), identified, protocol: String::new() };
        assert_eq!(here.seen(), [seen("/here", true)]);
        assert_eq!(there.seen(), [seen("/there", shown)], "{redirects}");
    }
}

#[test]
fn min_refuses_a_server_that_speaks_only_what_is_older() {
    for trust in ["ca: ca.pem", "insecure: true"] {
        let server =
            TlsServer::start(Settings { versions: vec![&rustls::version::TLS12], ..Settings::default() });
        server.scenario(&format!(", tls: {{ {trust}, min: 1.2 }}")).run().passed();
        let ran = server.scenario(&format!(", tls: {{ {trust}, min: 1.3 }}")).run();
        ran.fails_with(Cause::CouldNotRun);
        says(&ran.error(), &["no TLS connection", "version"]);
        assert_eq!(server.seen().len(), 2, "{trust}");
    }
}

#[test]
fn http_2_is_agreed_on_over_https_unless_http_1_1_is_asked_for() {
    for trust in ["ca: ca.pem", "insecure: true"] {
        for (keys, protocol, version) in [
            ("", "h2", "HTTP/2 200"),
            (", http_version: 2", "h2", "HTTP/2 200"),
            (", http_version: 1.1", "http/1.1", "HTTP/1.1 200"),
        ] {
            let server =
                TlsServer::start(Settings { protocols: vec!["h2", "http/1.1"], ..Settings::default() });
            let ran = server.scenario(&format!(", tls: {{ {trust} }}{keys}")).detail(Detail::Wire).run();
            ran.passed();
            says(&ran.text(), &[version]);
            let agreed: Vec<_> = server.seen().into_iter().map(|seen| seen.protocol).collect();
            assert_eq!(agreed, [protocol, protocol], "{trust}{keys}");
        }
        let old = TlsServer::start(Settings { protocols: vec!["http/1.1"], ..Settings::default() });
        old.scenario(&format!(", tls: {{ {trust} }}")).run().passed();
        let ran = old.scenario(&format!(", tls: {{ {trust} }}, http_version: 2")).run();
        ran.fails_with(Cause::CouldNotRun);
        assert_eq!(old.seen().len(), 2, "{trust}");
    }
}

#[test]
fn the_days_that_a_certificate_has_left_can_be_expected() {
    // The clock of a scenario stands at 2026-01-01.
    let until = |day| {
        move |parameters: &mut CertificateParams| {
            parameters.not_after = rcgen::date_time_ymd(2026, 1, day);
        }
    };
    let expects = |day| {
        let server = TlsServer::start(self_signed(until(day)));
        Scenario::new("inputs: { secure: }\nsteps:\n  - request: { url: '{{ secure }}/x', tls: { insecure: true } }\n    expect: { tls: { expires_in: { gt: 14d } } }\n")
            .input("secure", &server.origin)
            .run()
    };
    expects(16).passed();
    let ran = expects(14);
    ran.fails_with(Cause::CheckFailed);
    let failed: Vec<_> = ran.checks().into_iter().filter(|check| !check.passed).collect();
    assert_eq!(failed.len(), 1, "{failed:?}");
    says(&format!("{:?}", failed[0]), &["tls expires_in", "> 14d", "13d"]);
}

/// A workflow whose API is stood in for by a mock that serves https.
fn mocked(keys: &str) -> Scenario {
    Scenario::new(&format!(
        "inputs: {{ api: 'https://api.example.com/v1' }}\nmock: {{ file: m.yaml, replaces: [api] }}\nsteps:\n  - request: {{ url: '{{{{ api }}}}/me'{keys} }}\n    expect: {{ tls: {{ expires_in: {{ gt: 14d }} }} }}\n    extract: {{ url: '{{{{ response.url }}}}' }}\n"
    ))
    .file("m.yaml", "tls: self_signed\nroutes:\n  - { route: GET /v1/me, reply: { json: { id: 1 } } }\n")
    .own_mock()
}

#[test]
fn a_mock_of_tls_is_trusted_by_nobody_until_the_workflow_says_so() {
    let ran = mocked("").run();
    ran.fails_with(Cause::CouldNotRun);
    let error = ran.error();
    says(&error, &["no TLS connection to 127.0.0.1:", "self-signed"]);
    let place = |hint: &str| error.find(hint).unwrap_or_else(|| panic!("{hint} is not in {error}"));
    assert!(place("tls: { ca: server.pem }") < place("insecure: true"), "{error}");
    let ran = mocked(", tls: { insecure: true }").run();
    ran.passed();
    says(ran.output("url").as_str().expect("a text"), &["https://127.0.0.1:", "/v1/me"]);
}

#[test]
fn faults_strike_over_https_as_over_http() {
    let flow = "inputs: { api: https://api.example.com }\nmock: m.yaml\ndefaults: { tls: { insecure: true } }\nsteps:\n";
    let step = |path: &str| {
        format!("  - {{ request: {{ url: '{{{{ api }}}}/{path}' }}, continue_on_failure: true }}\n")
    };
    let ran = Scenario::new(&format!("{flow}{}{}{}", step("reset"), step("garbage"), step("truncate")))
        .file("m.yaml", "tls: self_signed\nroutes:\n  - { route: GET /reset, fault: { reset: true } }\n  - { route: GET /garbage, fault: { garbage: true } }\n  - { route: GET /truncate, reply: { body: 0123456789abcdef }, fault: { truncate: 10 } }\n")
        .own_mock()
        .run();
    ran.fails_with(Cause::CouldNotRun);
    says(&ran.error(), &["reset the connection", "is not HTTP", "10 bytes of the body came of 16"]);
}

/// A process that ends with its test, also with one that fails.
struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        // One that has ended already is what is wanted.
        let _ = self.0.kill().and_then(|()| self.0.wait());
    }
}

#[test]
fn the_command_tells_the_https_address_and_writes_the_certificate_without_its_key() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(
        folder.path().join("m.yaml"),
        "name: shop\ntls: self_signed\nroutes:\n  - { route: GET /x, reply: { json: {} } }\n",
    )
    .expect("written");
    std::fs::write(folder.path().join("plain.yaml"), "routes:\n  - { route: GET /x, reply: { json: {} } }\n")
        .expect("written");
    let command = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_reqchain"));
        command.args(words).current_dir(folder.path()).env("NO_COLOR", "1");
        command.stdin(std::process::Stdio::null()).stderr(std::process::Stdio::piped());
        command
    };
    let refused = command(&["mock", "plain.yaml", "--write-ca", "ca.pem"]).output().expect("it runs");
    assert_eq!(refused.status.code(), Some(2));
    says(&String::from_utf8_lossy(&refused.stderr), &["`--write-ca`", "tls: self_signed"]);
    let serving = command(&["mock", "m.yaml", "--write-ca", "ca.pem"]).spawn();
    let mut serving = Serving(serving.expect("it runs"));
    let mut line = String::new();
    let mut told = std::io::BufReader::new(serving.0.stderr.take().expect("it is ours"));
    std::io::BufRead::read_line(&mut told, &mut line).expect("a line");
    let origin =
        line.split(' ').find(|word| word.starts_with("https://")).map(|word| word.trim_end_matches(','));
    let pem = std::fs::read_to_string(folder.path().join("ca.pem")).expect("it was written");
    let ran = Scenario::new("inputs: { secure: }\nsteps:\n  - request: { url: '{{ secure }}/x', tls: { ca: own.pem } }\n  - request: { url: \"{{ secure | regex_replace('127.0.0.1', 'localhost') }}/x\", tls: { ca: own.pem }, resolve: { localhost: 127.0.0.1 } }\n")
        .input("secure", origin.unwrap_or_else(|| panic!("no address: {line}")))
        .file("own.pem", &pem)
        .run();
    ran.passed();
    assert!(!pem.contains("PRIVATE KEY"), "{pem}");
    assert_eq!(CertificateDer::pem_slice_iter(pem.as_bytes()).count(), 1);
}

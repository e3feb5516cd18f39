//! How a request travels: the jar, addresses and versions of HTTP.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener};
use std::process::Command;

use reqchain::parts::http::Saved;
use reqchain::running::{Cause, Detail};
use reqchain::{Runner, Workflow};

use crate::scenario::{Cli, Reply, Scenario, says};

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

/// A cookie is a credential: where a server chose to go, only its own go along (S11).
#[test]
fn an_origin_that_nobody_named_gets_no_cookies_but_its_own() {
    let flow = |inputs: &str| {
        Scenario::new(&format!(
            "inputs: {{ base: {inputs} }}\nsteps:\n  - {{ request: 'GET {{{{ base }}}}/login', extract: {{ there: $.there, here: $.here }} }}\n  - request: GET {{{{ there }}}}/a\n  - request: GET {{{{ there }}}}/b\n  - script: http::get(vars.there + \"/c\");\n  - request: GET {{{{ here }}}}/d\n"
        ))
        .on("GET /login", |seen| {
            let (there, here) = (seen.origin("other"), seen.origin("base"));
            Reply::json(format!(r#"{{"there":"{there}","here":"{here}"}}"#)).header("set-cookie", "sid=s3ss-ion; Path=/")
        })
        .json("GET /d", "{}")
        .server("other", |other| {
            other.on("GET /a", |_| Reply::json("{}").header("set-cookie", "own=1; Path=/"));
            other.on("GET /b", |_| Reply::json("{}"));
            other.on("GET /c", |_| Reply::json("{}"));
        })
        .run()
    };
    let cookies = |ran: &crate::scenario::Ran| -> Vec<String> {
        ran.seen_at("other").iter().map(|seen| seen.header("cookie").to_owned()).collect()
    };
    let ran = flow("");
    assert_eq!(cookies(ran.passed()), ["", "own=1", "own=1"]);
    assert_eq!(ran.seen("GET /d").header("cookie"), "sid=s3ss-ion; own=1", "this one is named");
    assert_eq!(ran.warnings().len(), 1, "{:?}", ran.warnings());
    says(&ran.warnings()[0], &["without the cookies of other servers", &ran.origin("other")]);
    let ran = flow(", other: ");
    let all = "sid=s3ss-ion; own=1";
    assert_eq!(cookies(ran.passed()), ["sid=s3ss-ion", all, all]);
    assert_eq!(ran.warnings(), [""; 0]);
}

/// So it is where a redirect leads, and with what a script set in the name of such an origin (S1, S11).
#[test]
fn a_redirect_to_an_origin_that_nobody_named_takes_no_cookies_but_its_own() {
    let flow = |inputs: &str| {
        Scenario::new(&format!(
            "inputs: {{ base: {inputs} }}\nsteps:\n  - {{ request: 'GET {{{{ base }}}}/login', extract: {{ there: $.there }} }}\n  - request: GET {{{{ base }}}}/go\n  - request: GET {{{{ base }}}}/go\n  - script: |\n      http::get(vars.base + \"/go\");\n      cookies::set(vars.there + \"/\", \"planted\", \"by-hand-123\");\n  - request: GET {{{{ there }}}}/a\n"
        ))
        .on("GET /login", |seen| {
            let there = seen.origin("other");
            Reply::json(format!(r#"{{"there":"{there}"}}"#)).header("set-cookie", "sid=s3ss-ion; Path=/")
        })
        .on("GET /go", |seen| Reply::redirect(302, format!("{}/a", seen.origin("other"))))
        .server("other", |other| {
            other.on("GET /a", |_| Reply::json("{}").header("set-cookie", "own=1; Path=/"));
        })
        .run()
    };
    let cookies = |ran: &crate::scenario::Ran| -> Vec<String> {
        ran.seen_at("other").iter().map(|seen| seen.header("cookie").to_owned()).collect()
    };
    let ran = flow("");
    assert_eq!(cookies(ran.passed()), ["", "own=1", "own=1", "own=1"]);
    says(
        &ran.warnings().join("\n"),
        &["credentials were left behind", "without the cookies of other servers"],
    );
    let ran = flow(", other: ");
    let all = "sid=s3ss-ion; own=1";
    assert_eq!(cookies(ran.passed()), ["sid=s3ss-ion", all, all, "sid=s3ss-ion; own=1; planted=by-hand-123"]);
    assert_eq!(ran.warnings(), [""; 0]);
}

/// A program keeps what a run was given, as text, and the next one is still logged in.
#[tokio::test]
async fn a_run_goes_on_with_the_cookies_of_another() {
    let files = [
        (
            "login.yaml",
            "mock: mock.yaml\ninputs: { api: https://api.example.com }\nsteps: [ { request: 'GET {{ api }}/login' } ]\n",
        ),
        (
            "me.yaml",
            "mock: mock.yaml\ninputs: { api: https://api.example.com }\nsteps: [ { request: 'GET {{ api }}/me', expect: { json: { $.sid: s3ss-ion } } } ]\n",
        ),
        (
            "mock.yaml",
            "routes:\n  - { route: GET /login, reply: { headers: { Set-Cookie: 'sid=s3ss-ion; Path=/; Max-Age=3600' } } }\n  - { route: GET /me, reply: { json: { sid: '{{ request.cookies.sid | default(none) }}' } } }\n",
        ),
    ];
    let folder = Cli::new(&files);
    let run = async |file: &str, cookies: Saved| {
        let workflow = Workflow::load(&folder.path().join(file)).expect("it is right");
        Runner::new(&workflow).environment([]).mock().cookies(cookies).run().await.expect("it runs")
    };
    assert!(!run("me.yaml", Saved::default()).await.passed());
    let finished = run("login.yaml", Saved::default()).await;
    let kept = serde_json::to_string(&finished.cookies).expect("it can be written");
    let finished = run("me.yaml", serde_json::from_str(&kept).expect("it can be read")).await;
    assert!(finished.passed(), "{:?}", finished.outcome);
    assert_eq!(finished.needles.scrub("s3ss-ion"), "«sid»", "what was kept is a secret still");
}

/// A cookie is a secret (S44).
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

/// Super cookies, prefixes, floods (S13–S15).
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
fn resolve_takes_an_address_of_ipv6() {
    let listener = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).expect("a port of ::1");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        let mut request = [0; 1024];
        let read = stream.read(&mut request).expect("a request");
        let host =
            String::from_utf8_lossy(&request[..read]).contains(&format!("host: api.example:{port}\r\n"));
        write!(stream, "HTTP/1.1 200 X\r\ncontent-length: 4\r\n\r\n{host}").expect("sent");
    });
    let ran = Scenario::new("inputs: { port: }\nsteps:\n  - request: { url: 'http://api.example:{{ port }}/x', resolve: { api.example: '::1' } }\n    extract: { named: $ }\n")
        .input("port", &port.to_string())
        .run();
    ran.passed();
    assert_eq!(ran.output("named"), true);
}

#[test]
fn no_jar_is_shared_between_workflows_or_passes_of_a_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let flow = "inputs: { api: https://api.example.com }\nmock: m.yaml\nsteps:\n  - { request: 'GET {{ api }}/', expect: { json: { $.had: 0 } } }\n  - { request: 'GET {{ api }}/', expect: { json: { $.had: 1 } } }\n";
    let mock = "routes:\n  - route: GET /\n    script: '#{ json: #{ had: request.cookies.len() }, cookies: #{ sid: \"s1\" } }'\n";
    for (name, text) in [("a.yaml", flow), ("b.yaml", flow), ("m.yaml", mock)] {
        std::fs::write(folder.path().join(name), text).expect("written");
    }
    let output = Command::new(env!("CARGO_BIN_EXE_reqchain"))
        .args(["run", "a.yaml", "b.yaml", "--mock", "--repeat", "3"])
        .current_dir(folder.path())
        .stdin(std::process::Stdio::null())
        .output()
        .expect("it runs");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_handler_of_a_mock_has_no_jar_and_is_told_so() {
    let ran = Scenario::new(
        "inputs: { api: https://api.example.com }\nmock: m.yaml\nsteps:\n  - request: GET {{ api }}/\n",
    )
    .file("m.yaml", "routes:\n  - route: GET /\n    script: cookies::get(\"http://a.example\", \"sid\")\n")
    .own_mock()
    .run();
    says(&ran.error(), &["m.yaml:3:", "a mock keeps no cookies", "request.cookies"]);
}

#[test]
fn a_mock_stands_in_for_a_server_of_any_version_of_http() {
    for tls in ["", "tls: self_signed\n"] {
        let ran = Scenario::new("inputs: { api: https://api.example.com }\nmock: m.yaml\ndefaults: { http_version: 2, tls: { insecure: true } }\nsteps:\n  - request: GET {{ api }}/me\n")
            .file("m.yaml", format!("{tls}routes:\n  - {{ route: GET /me, reply: {{ status: 200 }} }}\n"))
            .own_mock()
            .run();
        ran.passed();
    }
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

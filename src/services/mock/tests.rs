//! A mock, from its file to what comes over the wire.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::*;
use crate::ground::clock::Clock;

/// Scripts of the tests: each is a word in place of Rhai.
fn words(script: Written<'_>, reading: &Reading) -> Option<Arc<dyn Handle>> {
    let (Written::Inline(word) | Written::File { function: word, .. }) = script;
    Some(match word.text.trim() {
        "count" => Arc::new(count),
        "reset" => Arc::new(|_: Value, _: &mut Value, _: &Clock| Ok(json(r#"{"fault":{"reset":true}}"#))),
        "fail" => Arc::new(|_: Value, _: &mut Value, _: &Clock| Err(Diagnostic::error("no such user"))),
        "nothing" => Arc::new(|_: Value, _: &mut Value, _: &Clock| Ok(Value::Null)),
        "panic" => Arc::new(|_: Value, _: &mut Value, _: &Clock| panic!("on purpose")),
        "alone" => {
            let busy = AtomicBool::new(false);
            Arc::new(move |request: Value, state: &mut Value, clock: &Clock| {
                assert!(!busy.swap(true, Ordering::SeqCst), "two handlers at once");
                std::thread::yield_now();
                let reply = count(request, state, clock);
                busy.store(false, Ordering::SeqCst);
                reply
            })
        }
        other => {
            reading.error(word.span, format!("no script `{other}`"));
            return None;
        }
    })
}

#[expect(clippy::unnecessary_wraps, reason = "it is a handler")]
fn count(_: Value, state: &mut Value, _: &Clock) -> Result<Value, Diagnostic> {
    let n = state.get("n").and_then(Value::as_i64).unwrap_or_default() + 1;
    *state = Map::from_iter([(Arc::from("n"), Value::from(n))]).into();
    Ok(n.to_string().into())
}

fn json(text: &str) -> Value {
    Value::from_json(text.as_bytes()).expect("the test's JSON is right")
}

fn read(text: &str) -> Result<Mock, Diagnostics> {
    Mock::read(&Source::text("m.yaml", text), &words)
}

async fn running(routes: &str) -> Running {
    let mock = read(&format!("name: shop\nstate: {{ n: 0 }}\nroutes:\n{routes}"));
    let mock = mock.unwrap_or_else(|problems| panic!("{problems}"));
    start(mock, Clock::fixed(0)).await.expect("a port")
}

/// What comes back until the connection ends, and how it ended.
async fn raw(mock: &Running, request: &str) -> (String, std::io::Result<()>) {
    let address = mock.origin().strip_prefix("http://").expect("http");
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    let request = format!("{request} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let (mut answer, mut buffer) = (Vec::new(), [0; 4096]);
    let end = loop {
        match stream.read(&mut buffer).await {
            Ok(0) => break Ok(()),
            Ok(n) => answer.extend_from_slice(&buffer[..n]),
            Err(error) => break Err(error),
        }
    };
    (String::from_utf8_lossy(&answer).into_owned(), end)
}

async fn body(mock: &Running, request: &str) -> String {
    let (answer, _) = raw(mock, request).await;
    answer.split_once("\r\n\r\n").map_or(answer.clone(), |(_, body)| body.to_owned())
}

async fn status(mock: &Running, request: &str) -> u16 {
    let (answer, _) = raw(mock, request).await;
    answer.get(9..12).and_then(|code| code.parse().ok()).unwrap_or_default()
}

#[tokio::test]
async fn an_answer_has_no_header_that_nobody_asked_for() {
    let mock = running("  - route: GET /me\n    reply: { json: { id: 1 } }").await;
    let (answer, _) = raw(&mock, "GET /me").await;
    let expected = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: 8\r\n\r\n{\"id\":1}";
    assert_eq!(answer, expected);
}

#[tokio::test]
async fn the_first_route_that_is_meant_answers_from_request_and_state() {
    let mock = running(
            "  - route: GET /{site}\n    when: '{{ request.query.n == \"1\" }}'\n    reply: { json: { is: '{{ request.params.site }}', n: '{{ state.n }}' } }\n\
             \x20 - route: GET /{site}\n    reply: { status: 404, body: 'none at {{ request.path }}' }",
        )
        .await;
    assert_eq!(body(&mock, "GET /a%20b?n=1").await, r#"{"is":"a b","n":0}"#);
    assert_eq!(body(&mock, "GET /a?n=2").await, "none at /a");
    // The query is not there at all: the first route's `when` cannot be asked.
    assert_eq!(body(&mock, "GET /a").await, "none at /a");
    assert!(mock.failures().is_empty());
}

#[tokio::test]
async fn an_unknown_route_is_told_to_the_client_and_to_the_run() {
    let mock = running("  - route: GET /me\n    reply: { status: 204 }").await;
    assert_eq!(status(&mock, "GET /me").await, 204);
    let (answer, _) = raw(&mock, "GET /me/?a=1").await;
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
    assert!(answer.ends_with(r#"{"error":"the mock `shop` has no route for GET /me/"}"#), "{answer}");
    let seen = |path: &str, status, route: Option<&str>| Seen {
        method: "GET".into(),
        path: path.into(),
        status: Some(status),
        route: route.map(Arc::from),
    };
    assert_eq!(mock.log(), [seen("/me", 204, Some("GET /me")), seen("/me/", 404, None)]);
    assert_eq!(mock.unmatched(), [seen("/me/", 404, None)]);
}

#[tokio::test]
async fn the_state_is_kept_between_requests_and_not_between_starts() {
    let routes =
        "  - route: GET /\n    script: count\n  - route: GET /n\n    reply: { json: '{{ state.n }}' }";
    let mock = running(routes).await;
    assert_eq!(body(&mock, "GET /").await, "1");
    assert_eq!(body(&mock, "GET /").await, "2");
    assert_eq!(body(&mock, "GET /n").await, "2");
    assert_eq!(body(&running(routes).await, "GET /n").await, "0");
}

#[tokio::test]
async fn handlers_run_one_at_a_time() {
    let mock = running("  - route: GET /\n    script: alone").await;
    let mut counts = Vec::new();
    for pair in 0..8 {
        let (a, b, c) = tokio::join!(body(&mock, "GET /"), body(&mock, "GET /"), body(&mock, "GET /"));
        counts.extend([a, b, c]);
        assert!(mock.failures().is_empty(), "pair {pair}");
    }
    counts.sort_by_key(|count| count.parse::<u32>().expect("a count"));
    assert_eq!(counts, (1..=24).map(|n| n.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_broken_handler_answers_500_and_is_told_with_its_place() {
    let cases = [
        ("script: fail", "m.yaml:4:12: no such user"),
        ("script: nothing", "m.yaml:4:12: a reply is a text or"),
        ("script: panic", "m.yaml:4:12: the handler broke off"),
        ("reply: { json: '{{ state.m }}' }", "m.yaml:5:24: `state.m` is not defined"),
        (
            "reply: { status: '{{ state.n }}' }",
            "m.yaml:5:12: `status` must be a number from 200 to 599, not 0",
        ),
        ("when: '{{ state.n }}'\n    reply: {}", "m.yaml:5:11: `when` must be true or false, not int"),
        ("when: '{{ state.m == 1 }}'\n    reply: {}", "m.yaml:5:15: `state.m` is not defined"),
    ];
    for (answer, expected) in cases {
        let mock =
            running(&format!("  - route: GET /\n    {answer}\n  - route: GET /n\n    script: count")).await;
        let text = body(&mock, "GET /").await;
        assert!(text.starts_with(&format!("the mock `shop` is broken: {expected}")), "{answer}: {text}");
        let failures = mock.failures();
        let lines: Vec<_> = failures.iter().map(Diagnostic::line).collect();
        assert!(lines.len() == 1 && lines[0].starts_with(expected), "{answer}: {lines:?}");
        assert_eq!(mock.log()[0].status, Some(500), "{answer}");
        assert_eq!(body(&mock, "GET /n").await, "1", "the server goes on after {answer}");
    }
}

#[tokio::test]
async fn each_fault_does_to_the_answer_what_it_says() {
    let mock = running(
        "  - route: GET /truncate\n    reply: { body: 0123456789abcdef }\n    fault: { truncate: 10 }\n\
             \x20 - route: GET /garbage\n    script: count\n    fault: { garbage: true }\n\
             \x20 - route: GET /reset\n    script: count\n    fault: { reset: true }\n\
             \x20 - route: GET /reply\n    script: reset\n\
             \x20 - route: GET /n\n    script: count",
    )
    .await;
    let (answer, end) = raw(&mock, "GET /truncate").await;
    assert!(answer.contains("content-length: 16\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\n0123456789"), "{answer}");
    assert!(end.is_ok());
    let (answer, end) = raw(&mock, "GET /garbage").await;
    assert!(!answer.is_empty() && !answer.contains("HTTP/1"), "{answer}");
    assert!(end.is_ok());
    for path in ["GET /reset", "GET /reply"] {
        let (answer, end) = raw(&mock, path).await;
        assert_eq!(answer, "");
        assert_eq!(end.expect_err(path).kind(), std::io::ErrorKind::ConnectionReset);
    }
    assert_eq!(body(&mock, "GET /n").await, "1", "no handler was asked for what was never answered");
    let statuses: Vec<_> = mock.log().iter().map(|seen| seen.status).collect();
    assert_eq!(statuses, [Some(200), None, None, None, Some(200)]);
}

#[tokio::test]
async fn a_fault_strikes_as_often_as_it_says_and_the_route_answers_then() {
    let mock = running("  - route: GET /\n    script: count\n    fault: { status: 503, times: 2 }").await;
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(status(&mock, "GET /").await);
    }
    assert_eq!(statuses, [503, 503, 200, 200]);
    assert_eq!(body(&mock, "GET /").await, "3");
}

#[tokio::test(start_paused = true)]
async fn a_slow_answer_is_held_back_and_a_dripping_one_comes_byte_by_byte() {
    let mock = running(
        "  - route: GET /slow\n    fault: { delay: 5s }\n\
             \x20 - route: GET /drip\n    reply: { body: abcd }\n    fault: { drip: 100ms }",
    )
    .await;
    for (request, end, least) in [("GET /slow", "\r\n\r\n", 5000), ("GET /drip", "\r\n\r\nabcd", 400)] {
        let start = Instant::now();
        let (answer, _) = raw(&mock, request).await;
        assert!(answer.ends_with(end), "{answer}");
        assert!(start.elapsed() >= Duration::from_millis(least), "{request}");
    }
}

#[tokio::test]
async fn a_body_past_the_limit_is_refused_before_any_handler_sees_it() {
    let mock = running("  - route: POST /\n    script: count").await;
    let address = mock.origin().strip_prefix("http://").expect("http");
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    let size = 10 * 1024 * 1024 + 1;
    let mut request =
        format!("POST / HTTP/1.1\r\nconnection: close\r\ncontent-length: {size}\r\n\r\n").into_bytes();
    request.resize(request.len() + size, b'x');
    // The server may close before it has read everything.
    let _ = stream.write_all(&request).await;
    let _ = stream.read_to_end(&mut Vec::new()).await;
    let statuses: Vec<_> = mock.log().iter().map(|seen| seen.status).collect();
    assert_eq!(statuses, [Some(413)]);
}

#[tokio::test]
async fn a_mock_that_was_stopped_no_longer_listens() {
    let mock = running("  - route: GET /\n    script: count").await;
    let address = mock.origin().strip_prefix("http://").expect("http").to_owned();
    mock.stop().await;
    assert!(TcpStream::connect(address).await.is_err());
}

#[test]
fn every_mistake_in_a_file_is_told_with_its_place() {
    let text = "\
nam: x
tls: selfsigned
state: { a: }
routes:
  - route: GET me
    reply: { status: 99, jsn: 1 }
  - route: GET /a
  - reply: {}
  - route: GET /b
    when: '{{ state. }}'
    reply: { json: 1, body: a }
    script: count
    fault: { delay: soon }
  - route: GET /c
    script: { file: a.rhai }
  - route: GET /d
    script: nosuch
  - route: GET /e
    reply: { headers: { Content-Length: 5 } }
  - route: GET /f
    reply: { json: 1, body: a }
";
    let problems = read(text).err().expect("it is full of mistakes");
    let lines: Vec<_> = problems.0.iter().map(Diagnostic::line).collect();
    let expected = [
        "m.yaml:1:1: unknown key `nam` in `mock`",
        "m.yaml:2:6: `tls` is `self_signed` or left out, not `selfsigned`",
        "m.yaml:3:11: there is no value here",
        "m.yaml:5:12: the path `me` does not begin with `/`",
        "m.yaml:6:22: `status` must be a number from 200 to 599, not 99",
        "m.yaml:6:26: unknown key `jsn` in `reply`",
        "m.yaml:7:12: the route has nothing to answer",
        "m.yaml:8:5: a route needs `route`",
        "m.yaml:10:20: syntax error",
        "m.yaml:12:5: `script` and `reply` cannot stand together",
        "m.yaml:13:21: `delay`: `soon` is not a duration",
        "m.yaml:15:13: `script` needs `function`",
        "m.yaml:17:13: no script `nosuch`",
        "m.yaml:19:25: `Content-Length` is written by the server",
        "m.yaml:21:23: `body` is a second body",
    ];
    for (line, expected) in lines.iter().zip(expected) {
        assert!(line.starts_with(expected), "{line}\nis not\n{expected}");
    }
    assert_eq!(lines.len(), expected.len(), "{lines:#?}");
}

#[test]
fn a_misspelt_key_is_told_once() {
    for yaml in [
        "name: a\nroute:\n  - route: GET /me\n    reply: a",
        "routes:\n  - rout: GET /me\n    reply: a",
        "routes:\n  - route: GET /me\n    reply_: a",
        "routes:\n  - route: GET /me\n    script: { fil: a.rhai, function: count }",
        "routes:\n  - route: GET /me\n    script: { file: a.rhai, functon: count }",
    ] {
        let problems = read(yaml).err().unwrap_or_else(|| panic!("{yaml}"));
        let lines: Vec<_> = problems.0.iter().map(Diagnostic::line).collect();
        assert!(lines.len() == 1 && lines[0].contains("unknown key"), "{yaml}: {lines:#?}");
    }
}

#[test]
fn a_mistake_in_a_script_is_told_once_however_many_routes_name_it() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("m.rhai"), "fn a(request, state) { let x = ; }\n").expect("written");
    let routes = "  - route: GET /a\n    script: { file: m.rhai, function: a }\n".repeat(3);
    let path = folder.path().join("m.yaml");
    std::fs::write(&path, format!("routes:\n{routes}")).expect("written");
    let problems = Mock::load(&path).err().expect("it has a mistake");
    assert_eq!(problems.0.len(), 1, "{problems}");
}

#[test]
fn tls_is_self_signed_or_left_out() {
    let routes = "routes:\n  - route: GET /\n    script: count";
    let tls = |tls: &str| read(&format!("{tls}\n{routes}"));
    for (text, expected) in [("tls: self_signed", true), ("name: a", false)] {
        assert_eq!(tls(text).map(|mock| mock.tls).ok(), Some(expected), "{text}");
    }
    for (text, found) in [("tls: true", "`true`"), ("tls: { ca: a.pem }", "a map"), ("tls: []", "a list")] {
        let problems = tls(text).err().expect(text);
        assert_eq!(
            problems.0[0].line(),
            format!("m.yaml:1:6: `tls` is `self_signed` or left out, not {found}")
        );
    }
}

#[test]
fn a_file_without_routes_or_that_is_not_there_is_told() {
    let line = |problems: Diagnostics| problems.0[0].line();
    assert_eq!(line(read("name: a").err().expect("no routes")), "m.yaml:1:1: a mock needs `routes`");
    let missing = Mock::load(Path::new("no/such.yaml")).err().expect("no file");
    assert_eq!(line(missing), "cannot read `no/such.yaml`: there is no such file");
}

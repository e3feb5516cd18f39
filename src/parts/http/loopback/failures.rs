//! Answers that do not come, or not whole.

use super::*;

#[tokio::test]
async fn a_body_past_the_limit_is_an_error_whether_announced_or_not() {
    let chunked =
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n6\r\nabcdef\r\n6\r\nabcdef\r\n0\r\n\r\n";
    let endless = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\nabc", u64::MAX - 2);
    for (answer, limit, fits) in [
        (ok("0123456789"), 10, true),
        (ok("0123456789"), 9, false),
        (chunked.to_vec(), 12, true),
        (chunked.to_vec(), 11, false),
        (endless.into_bytes(), 1 << 40, false),
    ] {
        let server = Server::start(move |_, _| Reply::Keep(answer.clone())).await;
        let mut request = get(&server.url("/"));
        request.limits.max_body = limit;
        match client().send(&request).await {
            Ok(_) => assert!(fits, "{limit}"),
            Err(Error::TooLarge { to, limit: told, .. }) => {
                assert_eq!((to.as_str(), told, fits), (server.host_and_port(), limit, false));
            }
            Err(error) => panic!("{error:?}"),
        }
    }
}

/// Cut off (S32).
#[tokio::test]
async fn a_short_body_is_an_error_and_never_half_an_answer() {
    let error = failed("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc").await;
    assert!(matches!(error, Error::Truncated { received: 3, declared: Some(10), .. }), "{error:?}");
    assert!(error.sent());
}

#[tokio::test]
async fn a_reset_in_the_body_is_told_as_one() {
    let head = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n";
    let server = Server::start(|_, _| Reply::Reset(head.to_vec())).await;
    let error = client().send(&get(&server.url("/"))).await.expect_err("it was reset");
    assert!(matches!(error, Error::BrokenBody { .. } | Error::Closed { how: "reset", .. }), "{error:?}");
    assert_eq!(error.kind(), Kind::Connect);
}

/// An answer in some coding.
fn coded(coding: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-encoding: {coding}\r\ncontent-length: {length}\r\n\r\n");
    [head.as_bytes(), body].concat()
}

/// Each says its numbers, and what to do (S28, S32).
#[tokio::test]
async fn a_body_that_cannot_be_decoded_is_an_error_with_numbers() {
    let bomb = gzip(&vec![0; 4 << 20]);
    let mut cut = gzip(b"{\"token\":\"hunter2\"}");
    cut.truncate(20);
    let mut more = gzip(b"x");
    more.push(0);
    for (coding, body, parts) in [
        ("zstd", &b"x"[..], &["encoded as `zstd`, which is not decoded"][..]),
        ("gzip, br, gzip", b"x", &["has 3 content codings; at most 2 are decoded"]),
        ("gzip", b"plain", &["cannot be decoded as `gzip`: it does not begin as gzip does (5 bytes"]),
        ("gzip", &cut, &["it is cut off (20 bytes of it came)"]),
        ("x-gzip", &more, &["something else follows its end"]),
        ("gzip", &bomb, &["becomes more than 200 times as large", "bytes of `gzip` became 10"]),
    ] {
        let error = failed(coded(coding, body)).await;
        for part in parts {
            assert!(error.to_string().contains(part), "{coding}: {error}");
        }
        assert!(error.help().is_some() && error.sent() && error.kind() == Kind::Other, "{error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
    answered(coded("identity", b"x")).await.expect("plain");
}

#[tokio::test]
async fn the_limit_of_a_body_holds_for_what_came_and_for_what_it_becomes() {
    let body = vec![b'x'; 5000];
    let encoded = gzip(&body);
    let answer = coded("gzip", &encoded);
    let server = Server::start(move |_, _| Reply::Keep(answer.clone())).await;
    let mut request = get(&server.url("/"));
    for (limit, told) in [
        (5000, None),
        (4999, Some("is larger than 4999B once decoded: ")),
        (encoded.len() as u64 - 1, Some("it announces")),
    ] {
        request.limits.max_body = limit;
        match (client().send(&request).await, told) {
            (Ok(response), None) => assert_eq!(response.body, body),
            (Err(error), Some(told)) => {
                assert!(error.to_string().contains(told), "{error}");
                assert!(error.help().is_some_and(|help| help.contains("`max_body`")));
            }
            (answer, _) => panic!("{limit}: {answer:?}"),
        }
    }
}

/// The answer that hides in another is nobody's (S33).
#[tokio::test]
async fn an_answer_whose_end_is_in_doubt_is_refused_and_its_connection_given_up() {
    let hidden = "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nhidden";
    let chunk = "1\r\nx\r\n0\r\n\r\n";
    for head in [
        "content-length: 1\r\ntransfer-encoding: chunked",
        "transfer-encoding: chunked\r\ncontent-length: 12",
        "transfer-encoding: gzip, chunked",
        "transfer-encoding: chunked\r\ntransfer-encoding: chunked",
        "transfer-encoding: identity",
    ] {
        let first = format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n{chunk}");
        let server = Server::start(move |_, request| {
            let smuggled = if request.contains("/late") { hidden } else { "" };
            let answer = if request.contains("/plain") {
                ok("plain")
            } else {
                format!("{first}{smuggled}").into_bytes()
            };
            Reply::Keep(answer)
        })
        .await;
        let client = client();
        for path in ["/", "/late"] {
            let error = client.send(&get(&server.url(path))).await.expect_err(head);
            assert!(matches!(error, Error::Framing { .. }), "{head}: {error:?}");
            assert!(error.help().is_some_and(|help| help.contains("not used again")));
            let before = server.connections();
            let next = client.send(&get(&server.url("/plain"))).await.expect("a fresh connection");
            assert_eq!((&next.body[..], server.connections()), (&b"plain"[..], before + 1), "{head}");
        }
    }
    // Where there is no body, there is nothing to refuse; the connection is left all the same.
    let head = "HTTP/1.1 204 No Content\r\ncontent-length: 0\r\ntransfer-encoding: chunked\r\n\r\n";
    let server = Server::start(move |_, _| Reply::Keep(head.into())).await;
    let client = client();
    for connections in [1, 2] {
        client.send(&get(&server.url("/"))).await.expect("it is whole");
        assert_eq!(server.connections(), connections);
    }
}

/// Lengths and chunks (S33).
#[tokio::test]
async fn a_length_that_is_none_is_an_error() {
    for head in [
        "content-length: 1\r\ncontent-length: 2",
        "content-length: -1",
        "content-length: +1",
        "content-length: 1, 2",
        "content-length: 0x1",
        "content-length: 99999999999999999999",
        "transfer-encoding : chunked",
        "x: y\r\n folded: z",
    ] {
        let error = failed(format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\nx")).await;
        assert!(matches!(error, Error::NotHttp { .. }), "{head}: {error:?}");
    }
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    for body in ["-1\r\nx\r\n0\r\n\r\n", "1\nx\n", "ffffffffffffffffff\r\nx\r\n", "1\r\nxy\r\n0\r\n\r\n"] {
        let error = failed(format!("{chunked}{body}")).await;
        assert!(matches!(error, Error::BrokenBody { .. }), "{body}: {error:?}");
    }
    let old = failed("HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n").await;
    assert!(matches!(old, Error::NotHttp { .. }), "{old:?}");
}

/// Pauses (S30).
#[tokio::test(start_paused = true)]
async fn the_first_byte_and_each_pause_have_limits_of_their_own() {
    let limit = Duration::from_secs(3);
    let body = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc";
    for (sent, received) in [("", None), ("HTTP/1.1 200", None), (body, Some(3))] {
        let server = Server::start(move |_, _| Reply::Hang(sent.into())).await;
        let mut request = get(&server.url("/"));
        request.limits.first_byte = Some(limit);
        request.limits.idle = Some(limit);
        let error = client().send(&request).await.expect_err("time runs out");
        let to = server.host_and_port().to_owned();
        let expected = match received {
            None => Error::NoFirstByte { to, limit, phase: Phase::Waiting },
            Some(received) => Error::Idle { to, limit, received },
        };
        assert_eq!(error, expected, "{sent}");
        assert_eq!((error.kind(), error.sent()), (Kind::Timeout, true));
        assert!(error.help().is_some_and(|help| help.contains("`limits: {")));
    }
}

/// Answers before the answer are not counted, but they do not stop the clock (S30, S35).
#[tokio::test]
async fn answers_before_the_answer_end_with_the_time_for_it() {
    let server = Server::start(|_, _| {
        Reply::Endless(b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\nset-cookie: a=1\r\n\r\n")
    })
    .await;
    let mut request = get(&server.url("/"));
    request.limits.first_byte = Some(Duration::from_millis(50));
    let error = client().send(&request).await.expect_err("no answer comes");
    assert!(matches!(error, Error::NoFirstByte { phase: Phase::Waiting, .. }), "{error:?}");
}

/// Its first bytes (S35).
#[tokio::test]
async fn an_answer_that_is_no_http_is_shown_as_escapes() {
    for (bytes, told) in [
        (&b"SSH-2.0-OpenSSH_9\r\n"[..], "is not HTTP: it begins with `SSH-2.0-OpenSSH_9`"),
        (b"\x00\x00\x12\x04\x00\x00\x00\x00\x00", "`\\x00\\x00\\x12\\x04"),
        (b"\x15\x03\x01\x00\x02\x02\x16", "is not HTTP: it speaks TLS"),
        (b"\x1b]0;title\x07 and more", "`\\x1b]0;title\\x07 and more`"),
        (b"HTTP/2.0 200 OK\r\n\r\n", "it begins with `HTTP/2.0 200 OK`"),
        (b"HTTP/1.1 abc OK\r\n\r\n", "is not HTTP: "),
    ] {
        let error = failed(bytes).await;
        assert!(matches!(error, Error::NotHttp { .. }), "{error:?}");
        assert!(error.to_string().contains(told), "{error}");
    }
}

/// At each limit and above it (S31).
#[tokio::test]
async fn floods_of_headers_are_refused() {
    let many = |count: usize| {
        let headers: Vec<_> = (0..count).map(|number| format!("x-{number}: y\r\n")).collect();
        let headers = headers.concat();
        format!("HTTP/1.1 204 No Content\r\n{headers}\r\n")
    };
    assert_eq!(answered(many(100)).await.expect("fits").headers.len(), 100);
    let large = |size: usize| format!("HTTP/1.1 204 No Content\r\nx: {}\r\n\r\n", "y".repeat(size));
    let several =
        format!("HTTP/1.1 204 No Content\r\n{}\r\n", format!("x: {}\r\n", "y".repeat(60_000)).repeat(5));
    answered(large(64 * 1024)).await.expect("fits");
    for (answer, told) in [
        (many(101), "many or too large: more than 100, or more than 256KiB"),
        (large(64 * 1024 + 1), "too large: `x` has 65537 bytes; the limit is 64KiB"),
        (large(1 << 20), "many or too large"),
        (several, "too large: together they have 300005 bytes; the limit is 256KiB"),
    ] {
        let error = failed(answer).await;
        assert!(matches!(error, Error::HeadersTooLarge { .. }), "{error:?}");
        assert!(error.to_string().contains(told), "{error}");
        assert!(error.help().is_some_and(|help| help.contains("`limits: {")));
    }
}

/// Not HTTP (S35).
#[tokio::test]
async fn what_is_not_http_is_called_so() {
    for answer in
        ["SSH-2.0-OpenSSH_9\r\n\r\n", "hello\r\n\r\n", "HTTP/1.1 abc OK\r\n\r\n", "HTTP/1.1 999 Odd\r\n\r\n"]
    {
        let error = failed(answer).await;
        assert!(matches!(error, Error::NotHttp { .. }), "{answer}: {error:?}");
        assert!(error.help().is_some());
    }
}

#[tokio::test]
async fn a_server_that_hangs_up_is_asked_once() {
    let server = Server::start(|_, _| Reply::Close(Vec::new())).await;
    let error = client().send(&get(&server.url("/x?token=hunter2"))).await.expect_err("no answer");
    assert_eq!(
        error.to_string(),
        format!("{} closed the connection before it answered", server.host_and_port())
    );
    assert_eq!((error.kind(), error.sent()), (Kind::Connect, true));
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_port_where_nobody_listens_refuses() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    drop(listener);
    let error = client().send(&get(&format!("http://{address}/x?token=hunter2"))).await.expect_err("refused");
    assert_eq!(error.to_string(), format!("{address} refused the connection"));
    assert_eq!((error.kind(), error.sent()), (Kind::Connect, false));
}

/// The total time (S30).
#[tokio::test(start_paused = true)]
async fn the_total_time_covers_everything_and_says_what_took_it() {
    let limit = Duration::from_secs(2);
    for (sent, phase) in [
        ("", Phase::Waiting),
        ("HTTP/1.1 200", Phase::Waiting),
        ("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc", Phase::Reading),
        ("HTTP/1.1 302 Found\r\nlocation: /\r\ncontent-length: 9\r\n\r\nabc", Phase::Reading),
    ] {
        let server = Server::start(move |_, _| Reply::Hang(sent.into())).await;
        let mut request = get(&server.url("/"));
        request.limits.timeout = limit;
        let error = client().send(&request).await.expect_err("time runs out");
        assert_eq!(error, Error::Timeout { to: server.host_and_port().to_owned(), limit, phase }, "{sent}");
        assert_eq!((error.kind(), error.sent()), (Kind::Timeout, true));
    }
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_hangs_is_a_matter_of_connecting() {
    let server = Server::start(|_, _| Reply::Hang(Vec::new())).await;
    let url = server.url("/").replace("http:", "https:");
    let mut request = get(&url);
    let error = client().send(&request).await.expect_err("no handshake");
    let limit = request.limits.connect_timeout;
    assert_eq!(error, Error::ConnectTimeout { to: server.host_and_port().to_owned(), limit });
    assert_eq!((error.kind(), error.sent()), (Kind::Connect, false));

    request.limits.timeout = Duration::from_secs(1);
    let error = client().send(&request).await.expect_err("no handshake");
    assert!(matches!(error, Error::Timeout { phase: Phase::Connecting, .. }), "{error:?}");
    assert_eq!((error.kind(), error.sent()), (Kind::Timeout, false));
}

#[tokio::test]
async fn a_server_without_tls_under_https_is_told_so() {
    // Some answer what they take for a broken request, and some hang up on it.
    for (answer, fault) in [("HTTP/1.1 400 Bad Request\r\n\r\n", Fault::NotTls), ("", Fault::HungUp)] {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("a client comes");
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(answer.as_bytes()).await;
        });
        let error = client().send(&get(&format!("https://{address}/"))).await.expect_err("no TLS there");
        assert_eq!(error, Error::Tls { to: address.to_string(), fault });
        assert!(error.help().is_some_and(|help| help.contains("http://")), "{error}");
        assert!(!error.sent());
    }
}

#[tokio::test]
async fn a_name_without_an_address_is_named() {
    // No name may have a label of more than 63 letters, so that nobody is asked for this one.
    let host = "a".repeat(64) + ".invalid";
    let error = client()
        .send(&get(&format!("http://{host}/x?token=hunter2")))
        .await
        .expect_err("there is no such name");
    assert!(matches!(&error, Error::NameNotFound { host: told, .. } if *told == host), "{error:?}");
    assert!(!error.to_string().contains("hunter2"), "{error}");
    assert_eq!((error.kind(), error.sent()), (Kind::Connect, false));
}

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
                assert_eq!((to.as_str(), told, fits), (server.address(), limit, false));
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

/// A coding that is not undone (S28).
#[tokio::test]
async fn an_encoded_body_is_an_error_that_names_the_coding() {
    let error = failed("HTTP/1.1 200 OK\r\ncontent-encoding: br\r\ncontent-length: 1\r\n\r\nx").await;
    assert!(error.to_string().contains("`br`"), "{error}");
    assert!(error.help().is_some_and(|help| help.contains("Accept-Encoding")));
    answered("HTTP/1.1 200 OK\r\ncontent-encoding: identity\r\ncontent-length: 1\r\n\r\nx")
        .await
        .expect("plain");
}

/// Headers (S31).
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
    for answer in [many(101), large(64 * 1024 + 1), large(1 << 20), several] {
        let error = failed(answer).await;
        assert!(matches!(error, Error::HeadersTooLarge { .. }), "{error:?}");
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
    assert_eq!(error.to_string(), format!("{} closed the connection before it answered", server.address()));
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
        assert_eq!(error, Error::Timeout { to: server.address().to_owned(), limit, phase }, "{sent}");
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
    assert_eq!(error, Error::ConnectTimeout { to: server.address().to_owned(), limit });
    assert_eq!((error.kind(), error.sent()), (Kind::Connect, false));

    request.limits.timeout = Duration::from_secs(1);
    let error = client().send(&request).await.expect_err("no handshake");
    assert!(matches!(error, Error::Timeout { phase: Phase::Connecting, .. }), "{error:?}");
    assert_eq!((error.kind(), error.sent()), (Kind::Timeout, false));
}

#[tokio::test]
async fn a_plain_server_under_https_is_told_so() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a client comes");
        let _ = stream.read(&mut [0; 1024]).await;
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    });
    let error = client().send(&get(&format!("https://{address}/"))).await.expect_err("no TLS there");
    assert_eq!(error, Error::Tls { to: address.to_string(), fault: Fault::NotTls });
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

//! Answers that come, and the connections that they come over.

use super::*;

#[tokio::test]
async fn many_requests_use_one_connection() {
    let server = Server::start(|_, _| Reply::Keep(ok("hello"))).await;
    let client = client();
    for _ in 0..20 {
        let response = client.send(&get(&server.url("/x?q=1"))).await.expect("answers");
        assert_eq!((response.status, &response.body[..]), (200, &b"hello"[..]));
        assert_eq!(response.url.as_str(), server.url("/x?q=1"));
    }
    assert_eq!(server.connections(), 1);
    assert!(server.seen()[0].starts_with("GET /x?q=1 HTTP/1.1\r\n"));
}

#[tokio::test]
async fn only_what_is_measured_has_a_time() {
    let server = Server::start(|_, _| Reply::Keep(ok(""))).await;
    let timed = Client::new(ClientOptions { timing: true, ..ClientOptions::default() });
    let by_name = server.url("/").replace("127.0.0.1", "localhost");
    let first = timed.send(&get(&by_name)).await.expect("answers").timing;
    assert!(first.dns.is_some() && first.connect >= first.dns, "{first:?}");
    let second = timed.send(&get(&by_name)).await.expect("answers").timing;
    assert!(second.dns.is_none() && second.connect.is_none(), "{second:?}");
    assert!(second.total >= second.first_byte);
    let untimed = client().send(&get(&by_name)).await.expect("answers").timing;
    assert!(untimed.dns.is_none() && untimed.connect.is_none(), "{untimed:?}");
}

#[tokio::test]
async fn the_user_agent_is_ours_unless_the_request_has_one() {
    let server = Server::start(|_, _| Reply::Keep(ok(""))).await;
    let client = client();
    let mut own = get(&server.url("/"));
    own.headers.insert(USER_AGENT, HeaderValue::from_static("mine/1"));
    for request in [get(&server.url("/")), own] {
        client.send(&request).await.expect("answers");
    }
    let seen = server.seen();
    assert!(seen[0].contains("user-agent: reqchain/"), "{}", seen[0]);
    assert!(seen[1].contains("user-agent: mine/1") && !seen[1].contains("reqchain"), "{}", seen[1]);
    for request in seen {
        assert!(!request.contains("referer"), "{request}");
    }
}

#[tokio::test]
async fn a_body_arrives_as_it_was_sent() {
    let server = Server::start(|_, _| Reply::Keep(ok(""))).await;
    client().send(&post(&server.url("/"), "{\"a\":1}")).await.expect("answers");
    let seen = server.seen().remove(0);
    assert!(seen.contains("content-length: 7\r\n") && seen.ends_with("\r\n\r\n{\"a\":1}"), "{seen}");
}

#[tokio::test]
async fn chunks_are_joined() {
    let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let response = answered(format!("{head}3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")).await.expect("answers");
    assert_eq!(&response.body[..], b"abcde");
    let error = failed(format!("{head}3\r\nabc\r\n")).await;
    assert!(matches!(error, Error::Truncated { received: 3, declared: None, .. }), "{error:?}");
    let error = failed(format!("{head}3\r\nabc\r\nxyz\r\n")).await;
    assert!(matches!(error, Error::BrokenBody { .. }), "{error:?}");
}

#[tokio::test]
async fn a_large_body_comes_whole() {
    let large: String = ('a'..='z').cycle().take(3_000_000).collect();
    let response = answered(ok(&large)).await.expect("answers");
    assert!(response.body == large.as_bytes());
}

#[tokio::test]
async fn an_answer_without_a_body_needs_none() {
    let server = Server::start(|_, _| {
        Reply::Keep(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 9\r\n\r\n".to_vec())
    })
    .await;
    let response = client().send(&request(Method::HEAD, &server.url("/"))).await.expect("answers");
    assert!(response.body.is_empty());
    assert_eq!(response.header("content-length").as_deref(), Some("9"));
}

/// The first connection answers once, and hangs up on its second request.
async fn with_a_dead_connection() -> (Server, Client) {
    let server = Server::start(|connection, request| match (connection, request.contains("/first")) {
        (1, false) => Reply::Close(Vec::new()),
        _ => Reply::Keep(ok("hello")),
    })
    .await;
    let client = client();
    client.send(&get(&server.url("/first"))).await.expect("answers");
    (server, client)
}

/// A pool that went stale (S34).
#[tokio::test]
async fn an_idempotent_request_outlives_a_dead_connection_of_the_pool() {
    let (server, client) = with_a_dead_connection().await;
    client.send(&get(&server.url("/second"))).await.expect("is sent again");
    assert_eq!((server.connections(), server.seen().len()), (2, 3));
}

/// A POST on a dead connection (S34).
#[tokio::test]
async fn a_post_is_never_repeated_by_itself() {
    let (server, client) = with_a_dead_connection().await;
    let error = client.send(&post(&server.url("/second"), "x")).await.expect_err("is not sent again");
    assert!(matches!(error, Error::Closed { .. }), "{error:?}");
    assert_eq!((server.connections(), server.seen().len()), (1, 2));
}

/// What servers are told, and where they are told nothing (S28).
#[tokio::test]
async fn compressed_answers_are_asked_for_unless_the_request_says_otherwise() {
    let server = Server::start(|_, _| Reply::Keep(ok(""))).await;
    let with = |name: HeaderName, value: &'static str| {
        let mut request = get(&server.url("/"));
        request.headers.insert(name, HeaderValue::from_static(value));
        request
    };
    let requests = [
        get(&server.url("/")),
        with(ACCEPT_ENCODING, "identity"),
        with(ACCEPT_ENCODING, "zstd"),
        with(RANGE, "bytes=0-9"),
    ];
    let client = client();
    for (request, expected) in requests.iter().zip(["gzip, deflate, br", "identity", "zstd", "identity"]) {
        client.send(request).await.expect("answers");
        let seen = server.seen().pop().expect("it was asked");
        assert_eq!(seen.matches("accept-encoding").count(), 1, "{seen}");
        assert!(seen.contains(&format!("accept-encoding: {expected}\r\n")), "{seen}");
    }
}

#[tokio::test]
async fn a_compressed_answer_is_unpacked_and_its_headers_stay() {
    let zipped = gzip(b"{\"hello\":[1,2,3]}");
    for size in [1, 5, 1000] {
        let mut answer =
            b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
        for piece in zipped.chunks(size) {
            answer.extend(format!("{:x}\r\n", piece.len()).bytes());
            answer.extend(piece);
            answer.extend(b"\r\n");
        }
        answer.extend(b"0\r\n\r\n");
        let response = answered(answer).await.expect("answers");
        assert_eq!(&response.body[..], b"{\"hello\":[1,2,3]}");
        assert_eq!(response.encoded, Some(zipped.len() as u64));
        assert_eq!(response.header("content-encoding").as_deref(), Some("gzip"));
        assert!(response.json().is_ok());
    }
    let plain = answered(ok("plain")).await.expect("answers");
    assert_eq!((&plain.body[..], plain.encoded), (&b"plain"[..], None));
}

#[tokio::test]
async fn what_has_no_body_is_not_decoded() {
    let coded = "content-encoding: gzip\r\n";
    for status in ["204 No Content", "304 Not Modified"] {
        let response = answered(format!("HTTP/1.1 {status}\r\n{coded}\r\n")).await.expect("answers");
        assert!(response.body.is_empty() && response.encoded.is_none());
    }
    let empty = format!("HTTP/1.1 200 OK\r\n{coded}content-length: 0\r\n\r\n");
    assert!(answered(empty).await.expect("answers").body.is_empty());
    let huge = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", 1_u64 << 40);
    let server = Server::start(move |_, _| Reply::Keep(huge.clone().into_bytes())).await;
    client().send(&request(Method::HEAD, &server.url("/"))).await.expect("nothing is read");
}

/// HTTP/2 says beforehand that it will close (S34).
#[tokio::test]
async fn a_connection_of_http_2_that_the_server_gives_up_is_replaced() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let url = format!("http://{}/", listener.local_addr().expect("it is bound"));
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(one_answer_and_goaway(stream));
        }
    });
    let mut request = post(&url, "x");
    request.channel = Some(Arc::new(Channel::speaking(HttpVersion::Two)));
    let client = client();
    for _ in 0..10 {
        let response = client.send(&request).await.expect("answers");
        assert_eq!((response.version, &response.body[..]), (Version::HTTP_2, &b"hello"[..]));
    }
    // A request that was on its way when the word came may still be answered.
    assert!(connections.load(Ordering::SeqCst) > 1);
}

/// Answers one request over HTTP/2, and says that it takes no more on this connection.
async fn one_answer_and_goaway(stream: TcpStream) {
    use hyper_util::rt::{TokioExecutor, TokioIo};
    let answered = Arc::new(tokio::sync::Notify::new());
    let tell = Arc::clone(&answered);
    let service = hyper::service::service_fn(move |_| {
        let tell = Arc::clone(&tell);
        async move {
            tell.notify_one();
            Ok::<_, std::convert::Infallible>(hyper::Response::new("hello".to_owned()))
        }
    });
    let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
    let mut connection = std::pin::pin!(server.serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        _ = connection.as_mut() => return,
        () = answered.notified() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

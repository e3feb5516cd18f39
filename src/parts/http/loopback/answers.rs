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
        assert!(!request.contains("referer") && !request.contains(ACCEPT_ENCODING.as_str()), "{request}");
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

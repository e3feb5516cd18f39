//! Redirects, and origins that are not spoken to.

use super::*;

#[tokio::test]
async fn redirects_without_end_are_an_error_that_names_the_chain() {
    let server = Server::start(|_, _| Reply::Keep(to(302, "/loop?token=hunter2"))).await;
    let mut request = get(&server.url("/"));
    request.limits.max_redirects = 2;
    let error = client().send(&request).await.expect_err("a loop").to_string();
    assert!(error.contains(&server.url("/loop → ")) && !error.contains("hunter2"), "{error}");
    request.limits.max_redirects = 0;
    let response = client().send(&request).await.expect("the redirect itself");
    assert_eq!((response.status, &response.body[..]), (302, &b"moved\n"[..]));
}

#[tokio::test]
async fn a_hop_that_fails_names_the_redirect_and_counts_as_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let nowhere = format!("http://{}/", listener.local_addr().expect("it is bound"));
    drop(listener);
    let server = Server::start(move |_, _| Reply::Keep(to(302, &nowhere))).await;
    let error = client().send(&get(&server.url("/from?token=hunter2"))).await.expect_err("refused");
    assert!(
        error
            .to_string()
            .ends_with(&format!("refused the connection, after a redirect from {}", server.url("/from")))
    );
    assert_eq!((error.kind(), error.sent()), (Kind::Connect, true));
}

#[tokio::test]
async fn only_the_origins_that_are_allowed_are_spoken_to() {
    let other = Server::start(|_, _| Reply::Keep(ok(""))).await;
    let there = other.url("/");
    let mock = Server::start(move |_, request| {
        let redirects = request.starts_with("GET /redirect ");
        Reply::Keep(if redirects { to(302, &there) } else { ok("") })
    })
    .await;
    let origin = Url::parse(&mock.origin).expect("a URL").origin();
    let client = Client::new(ClientOptions { only: Some(vec![origin]), ..ClientOptions::default() });
    client.send(&get(&mock.url("/"))).await.expect("the mock answers");
    for url in [other.url("/"), mock.url("/redirect"), "https://example.com/".to_owned()] {
        let error = client.send(&get(&url)).await.expect_err("not the mock");
        assert!(error.to_string().ends_with("is not the mock: nothing was sent"), "{error:?}");
        assert_eq!(error.hops().len(), usize::from(url == mock.url("/redirect")));
    }
    assert_eq!(other.connections(), 0);
}

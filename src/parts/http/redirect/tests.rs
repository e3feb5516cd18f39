//! The rules of redirects, as tables.

use bytes::Bytes;
use reqwest::header::{CONTENT_TYPE, HeaderValue};

use super::*;

const FROM: &str = "https://a.example/login?token=hunter2";

fn request(method: Method, url: &str, headers: &[(&'static str, &'static str)], body: bool) -> Request {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(*name, HeaderValue::from_static(value));
    }
    if body {
        map.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    Request {
        headers: map,
        body: body.then(|| Bytes::from_static(b"{}")),
        secret_inside: body,
        ..Request::new(method, Url::parse(url).expect("the test's URL is right"))
    }
}

fn decide(request: &Request, status: u16, location: &str) -> Result<Option<Next>, Error> {
    let mut headers = HeaderMap::new();
    headers.insert(LOCATION, HeaderValue::from_bytes(location.as_bytes()).expect("a header"));
    next(request, status, &headers, &[])
}

fn followed(request: &Request, status: u16, location: &str) -> Next {
    decide(request, status, location).expect("no error").expect("followed")
}

#[test]
fn the_method_and_the_body_follow_the_status() {
    let (get, post, put, head) = (Method::GET, Method::POST, Method::PUT, Method::HEAD);
    let table = [
        (301, &get, &get, false),
        (301, &post, &get, false),
        (301, &put, &put, true),
        (302, &post, &get, false),
        (302, &head, &head, false),
        (303, &post, &get, false),
        (303, &put, &get, false),
        (303, &head, &head, false),
        (303, &get, &get, false),
        (307, &post, &post, true),
        (308, &put, &put, true),
        (308, &get, &get, false),
    ];
    for (status, method, expected, body) in table {
        // A GET may have a body, too: a 303 asks for something else.
        let sends_body = matches!(*method, Method::POST | Method::PUT) || (status, method) == (303, &get);
        let request = request(method.clone(), FROM, &[], sends_body);
        let next = followed(&request, status, "/next").request;
        assert_eq!(&next.method, expected, "{status} {method}");
        assert_eq!(next.body.is_some(), body, "{status} {method}");
        assert_eq!(next.headers.contains_key(CONTENT_TYPE), body, "{status} {method}");
        assert_eq!(next.secret_inside, body, "{status} {method}");
        let mut carried = request.clone();
        carry_on(status, &mut carried);
        assert_eq!((carried.method, carried.headers), (next.method, next.headers), "{status} {method}");
    }
}

/// Host, port and scheme make an origin (S1, S2).
#[test]
fn any_change_of_origin_drops_credentials_and_only_them() {
    let mut request = request(
        Method::GET,
        "http://a.example/",
        &[
            ("authorization", "Bearer x"),
            ("cookie", "a=1"),
            ("proxy-authorization", "Basic x"),
            ("dpop", "x"),
            ("x-api-key", "k"),
            ("x-auth-token", "t"),
            ("x-signed", "s"),
            ("host", "a.example"),
            ("accept", "text/plain"),
            ("x-request-id", "7"),
        ],
        false,
    );
    request.headers.get_mut("x-signed").expect("is there").set_sensitive(true);
    for (to, stays) in [
        ("/other", true),
        ("http://a.example:80/", true),
        ("HTTP://A.example/", true),
        ("http://a.example:81/", false),
        ("https://a.example/", false),
        ("//b.example/", false),
        ("http://a.example.evil.example/", false),
    ] {
        let next = followed(&request, 302, to);
        assert_eq!(next.hop.dropped_credentials, !stays, "{to}");
        let left: Vec<_> = next.request.headers.keys().map(HeaderName::as_str).collect();
        let expected = if stays { 10 } else { 2 };
        assert_eq!(left.len(), expected, "{to}: {left:?}");
        assert!(left.contains(&"accept") && left.contains(&"x-request-id"), "{to}");
    }
}

/// One secret value is enough (S2).
#[test]
fn one_sensitive_value_of_several_drops_the_header() {
    let mut request = request(Method::GET, "http://a.example/", &[("x-signed", "plain")], false);
    let mut secret = HeaderValue::from_static("secret");
    secret.set_sensitive(true);
    request.headers.append("x-signed", secret);
    assert!(followed(&request, 302, "http://b.example/").request.headers.is_empty());
}

/// There and back (S3).
#[test]
fn what_was_dropped_stays_dropped_on_the_way_back() {
    let first = request(Method::GET, "http://a.example/", &[("authorization", "Bearer x")], false);
    let away = followed(&first, 302, "http://b.example/").request;
    let back = followed(&away, 302, "http://a.example/").request;
    assert!(back.headers.is_empty());
}

/// Bodies stay (S4).
#[test]
fn a_body_goes_to_no_other_origin() {
    let post = request(Method::POST, FROM, &[], true);
    for status in [307, 308] {
        let error = decide(&post, status, "https://b.example/?x=1").expect_err("refused");
        let text = error.to_string();
        assert!(matches!(error, Error::Body { .. }), "{text}");
        assert!(text.contains("https://a.example/login redirects to another origin, https://b.example/"));
    }
    let next = followed(&post, 302, "https://b.example/").request;
    assert_eq!((next.method, next.body), (Method::GET, None));
}

#[test]
fn a_trusted_origin_gets_credentials_and_body_and_no_other_does() {
    let mut post = request(Method::POST, FROM, &[("authorization", "Bearer x"), ("host", "a.example")], true);
    let trusted = Url::parse("https://b.example/").expect("a URL").origin();
    post.limits.trust = Some(vec![trusted].into());
    let next = followed(&post, 307, "https://b.example/x");
    assert!(!next.hop.dropped_credentials && next.request.body.is_some());
    assert!(next.request.headers.contains_key("authorization") && !next.request.headers.contains_key(HOST));
    for other in ["https://b.example:444/", "https://c.b.example/", "https://b.example.evil.example/"] {
        assert!(matches!(decide(&post, 307, other), Err(Error::Body { .. })), "{other}");
        assert!(followed(&post, 302, other).hop.dropped_credentials, "{other}");
    }
    assert!(matches!(decide(&post, 307, "http://b.example/"), Err(Error::Downgrade { .. })));
}

/// Down from https (S6).
#[test]
fn nothing_that_matters_goes_from_https_to_http() {
    let bearer = request(Method::GET, FROM, &[("authorization", "Bearer x")], false);
    let post = request(Method::POST, FROM, &[], true);
    let plain = request(Method::GET, FROM, &[], false);
    for (request, status) in [(&bearer, 302), (&post, 307)] {
        let error = decide(request, status, "http://a.example/").expect_err("refused");
        assert!(matches!(error, Error::Downgrade { .. }), "{error}");
        assert!(!error.to_string().contains("hunter2"));
    }
    assert_eq!(followed(&plain, 302, "http://a.example/").request.url.as_str(), "http://a.example/");
}

/// Odd places that do lead somewhere (S9, S12).
#[test]
fn a_location_is_resolved_by_the_url_standard() {
    let get = request(Method::GET, "http://a.example/x/y?q=1#top", &[], false);
    for (location, expected) in [
        ("z", "http://a.example/x/z"),
        ("?page=2", "http://a.example/x/y?page=2"),
        ("//b.example/z", "http://b.example/z"),
        (r"\\b.example\z", "http://b.example/z"),
        ("http://evil:pw@b.example/", "http://b.example/"),
        ("/z#access_token=1", "http://a.example/z"),
        ("/a b/ü", "http://a.example/a%20b/%C3%BC"),
    ] {
        assert_eq!(followed(&get, 302, location).request.url.as_str(), expected, "{location}");
    }
}

/// Odd schemes and broken places (S6, S9).
#[test]
fn a_location_that_leads_nowhere_is_a_named_error() {
    let get = request(Method::GET, FROM, &[], false);
    for (location, text) in [
        ("", "its `Location` header is empty"),
        ("http://", "its `Location` header is not a URL: empty host"),
        ("http://a%2fb/", "its `Location` header is not a URL"),
        ("https://a.example:99999/", "its `Location` header is not a URL: invalid port number"),
        ("file:///etc/passwd", "redirects to a `file:` URL; only http and https"),
        ("ftp://a.example/", "redirects to a `ftp:` URL"),
        ("javascript:alert(1)", "redirects to a `javascript:` URL"),
        ("data:,x", "redirects to a `data:` URL"),
    ] {
        let error = decide(&get, 302, location).expect_err(location).to_string();
        assert!(error.contains(text), "{location}: {error}");
        assert!(error.starts_with("https://a.example/login redirects"), "{error}");
    }
    let mut headers = HeaderMap::new();
    headers.insert(LOCATION, HeaderValue::from_bytes(b"/\xff").expect("a header"));
    let error = next(&get, 302, &headers, &[]).expect_err("no UTF-8");
    assert!(error.to_string().contains("is not UTF-8"));
}

#[test]
fn some_answers_are_no_redirects() {
    let mut get = request(Method::GET, FROM, &[], false);
    for status in [200, 300, 304, 305, 404] {
        assert!(decide(&get, status, "/next").expect("no error").is_none(), "{status}");
    }
    assert!(next(&get, 302, &HeaderMap::new(), &[]).expect("no error").is_none());
    get.limits.max_redirects = 0;
    assert!(decide(&get, 302, "file:///x").expect("no error").is_none());
}

fn chain(limit: u32, location: impl Fn(usize) -> String) -> Error {
    let mut request = request(Method::GET, "http://a.example/start?token=hunter2", &[], false);
    request.limits.max_redirects = limit;
    let mut hops = Vec::new();
    loop {
        let mut headers = HeaderMap::new();
        headers.insert(LOCATION, location(hops.len()).parse().expect("a header"));
        match next(&request, 302, &headers, &hops) {
            Ok(Some(next)) => {
                hops.push(next.hop);
                request = next.request;
            }
            Ok(None) => panic!("a redirect is followed"),
            Err(error) => return error,
        }
    }
}

/// Chains (S8, S12).
#[test]
fn a_chain_that_is_too_long_is_named_without_its_queries() {
    assert_eq!(
        chain(2, |hop| format!("/{hop}?token=hunter2")).to_string(),
        "more than 2 redirects: http://a.example/start → http://a.example/0 → http://a.example/1 → http://a.example/2"
    );
}

/// Circles (S8).
#[test]
fn a_chain_that_goes_round_is_called_a_circle() {
    let origins = ["http://b.example/", "http://a.example/"];
    let error = chain(3, |hop| origins[hop % 2].to_owned());
    assert_eq!(
        error.to_string(),
        "3 redirects were followed, and they go round in a circle: http://a.example/start → http://b.example/ → http://a.example/ → http://b.example/"
    );
}

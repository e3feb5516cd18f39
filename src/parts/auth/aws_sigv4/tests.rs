//! The expected signatures are those of AWS's own test suite for Signature Version 4, and of the
//! examples in the documentation of Amazon S3.

use bytes::Bytes;
use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::{Signer, encoded_once, normalised};
use crate::parts::http::Request;

const TIME: &str = "20150830T123600Z";

fn signature(method: &str, url: &str, headers: &[(&str, &str)], body: Option<&str>) -> String {
    let signer = Signer {
        access_key: "AKIDEXAMPLE",
        secret_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
        region: "us-east-1",
        service: "service",
    };
    let request = request(method, &format!("https://example.amazonaws.com{url}"), headers, body);
    of(&signer.sign(&mut { request }, TIME))
}

fn of(authorization: &str) -> String {
    authorization.rsplit_once("Signature=").expect("a signature").1.to_owned()
}

fn request(method: &str, url: &str, headers: &[(&str, &str)], body: Option<&str>) -> Request {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
        map.append(name, HeaderValue::from_str(value).expect("a value"));
    }
    let method = Method::from_bytes(method.as_bytes()).expect("a method");
    Request {
        headers: map,
        body: body.map(|body| Bytes::from(body.to_owned())),
        ..Request::new(method, url.parse().expect("a URL"))
    }
}

#[test]
fn the_published_test_suite_gives_its_signatures() {
    type Headers = &'static [(&'static str, &'static str)];
    const NONE: Headers = &[];
    const VANILLA: &str = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
    let table: [(&str, &str, Headers, Option<&str>, &str); 15] = [
        ("GET", "/", NONE, None, VANILLA),
        ("GET", "/example/..", NONE, None, VANILLA),
        ("GET", "//", NONE, None, VANILLA),
        (
            "GET",
            "/?Param2=value2&Param1=value1",
            NONE,
            None,
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        (
            "GET",
            "/?%E1%88%B4=bar",
            NONE,
            None,
            "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04",
        ),
        (
            "GET",
            "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
            NONE,
            None,
            "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
        ),
        (
            "GET",
            "//example//",
            NONE,
            None,
            "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84",
        ),
        ("GET", "/./example", NONE, None, "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5"),
        (
            "GET",
            "/",
            &[("My-Header1", "value2"), ("My-Header1", "value2"), ("My-Header1", "value1")],
            None,
            "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea",
        ),
        (
            "GET",
            "/",
            &[
                ("My-Header1", "value4"),
                ("My-Header1", "value1"),
                ("My-Header1", "value3"),
                ("My-Header1", "value2"),
            ],
            None,
            "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01",
        ),
        (
            "GET",
            "/",
            &[("My-Header1", " value1"), ("My-Header2", " \"a   b   c\"")],
            None,
            "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
        ),
        ("POST", "/", NONE, None, "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        (
            "POST",
            "/",
            &[("My-Header1", "value1")],
            None,
            "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
        ),
        (
            "POST",
            "/",
            &[("Content-Type", "application/x-www-form-urlencoded")],
            Some("Param1=value1"),
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
        ),
        (
            "POST",
            "/",
            &[(
                "X-Amz-Security-Token",
                "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==",
            )],
            None,
            "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead",
        ),
    ];
    for (method, url, headers, body, expected) in table {
        assert_eq!(signature(method, url, headers, body), expected, "{method} {url} {headers:?}");
    }
}

#[test]
fn s3_signs_the_hash_of_the_body_and_the_path_as_it_is() {
    let signer = Signer {
        access_key: "AKIAIOSFODNN7EXAMPLE",
        secret_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        region: "us-east-1",
        service: "s3",
    };
    let time = "20130524T000000Z";
    let host = "https://examplebucket.s3.amazonaws.com";
    let mut get = request("GET", &format!("{host}/test.txt"), &[("Range", "bytes=0-9")], None);
    assert_eq!(
        of(&signer.sign(&mut get, time)),
        "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    );
    assert!(get.headers.contains_key("x-amz-content-sha256"));
    let headers = [("Date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY")];
    let body = Some("Welcome to Amazon S3.");
    let mut put = request("PUT", &format!("{host}/test$file.text"), &headers, body);
    assert_eq!(
        of(&signer.sign(&mut put, time)),
        "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"
    );
}

#[test]
fn paths_are_encoded_once_for_s3_and_once_more_for_the_others() {
    let table = [
        ("/", "/", "/"),
        ("", "/", "/"),
        ("/a%20b", "/a%20b", "/a%2520b"),
        ("/a//b/", "/a//b/", "/a/b/"),
        ("/a%2Fb", "/a%2Fb", "/a%252Fb"),
        ("/(x)", "/%28x%29", "/%28x%29"),
        ("/../../x", "/../../x", "/x"),
    ];
    for (path, once, normal) in table {
        assert_eq!((encoded_once(path).as_str(), normalised(path).as_str()), (once, normal), "{path}");
    }
}

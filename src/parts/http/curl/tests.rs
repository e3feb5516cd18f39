//! What a request becomes on a command line, rule by rule.

use bytes::Bytes;
use reqwest::header::HeaderMap;

use super::*;

fn request(method: &str, url: &str, headers: &[(&str, &str, bool)], body: Option<&[u8]>) -> Request {
    let header = |(name, value, sensitive): &(&str, &str, bool)| {
        let mut value = HeaderValue::from_str(value).expect("a value");
        value.set_sensitive(*sensitive);
        (HeaderName::from_bytes(name.as_bytes()).expect("a name"), value)
    };
    let method = Method::from_bytes(method.as_bytes()).expect("a method");
    Request {
        headers: headers.iter().map(header).collect::<HeaderMap>(),
        body: body.map(Bytes::copy_from_slice),
        limits: Limits { max_redirects: 0, ..Limits::default() },
        ..Request::new(method, url.parse().expect("a URL"))
    }
}

fn told(request: &Request, secrets: &[(&str, &str)]) -> String {
    let needles = Needles::default();
    let known: Vec<(Arc<str>, String)> =
        secrets.iter().map(|(name, text)| ((*name).into(), (*text).to_owned())).collect();
    for (name, text) in &known {
        needles.learn(name, text);
    }
    command(request, &needles, &known, false).replace(" --max-time 30", "")
}

const LONG: (&str, &str) = ("personal_token", "p&ss w%rd'x$(id)");
const BASIC: &str = "Basic YW5uOnAmc3MgdyVyZCd4JChpZCk=";

#[test]
fn each_part_of_a_request_becomes_what_curl_calls_it() {
    for (request, expected) in [
        (request("GET", "https://h/a?b=c#d", &[], None), "curl 'https://h/a?b=c'"),
        (request("HEAD", "https://h/", &[], None), "curl --head https://h/"),
        (request("POST", "https://h/", &[], None), "curl --request POST https://h/"),
        (
            request("POST", "https://h/", &[("x-a", "it's", false), ("x-b", "", false)], Some(b"@f")),
            "curl https://h/ --header 'x-a: it'\\''s' --header 'x-b;' --header Content-Type: --data-raw @f",
        ),
        (
            request(
                "POST",
                "https://h/",
                &[("x-a", "## 1", false), ("content-type", "a/b", false)],
                Some(b"###[a]##vso["),
            ),
            "curl https://h/ --header 'x-a: ## 1' --header 'content-type: a/b' --data-raw '#''#''#[a]#''#vso['",
        ),
        (
            request("PUT", "https://[::1]/", &[("content-type", "a/b", false)], Some(b"a\r\n-%\\")),
            "printf 'a\\015\\n-%%\\\\' | curl --request PUT --globoff 'https://[::1]/' --header 'content-type: a/b' --data-binary @-",
        ),
        (
            request("POST", "https://h/", &[("content-type", "a/b", false)], Some(b"\xff\x00")),
            "printf %s '/wA=' | base64 -d | curl https://h/ --header 'content-type: a/b' --data-binary @-",
        ),
    ] {
        assert_eq!(told(&request, &[]), expected);
    }
}

#[test]
fn a_variable_stands_for_each_secret_and_for_exactly_what_was_sent() {
    let bearer = format!("Bearer {}", LONG.1);
    let percent = "https://h/?k=p%26ss%20w%25rd%27x%24%28id%29";
    for (request, expected) in [
        (
            request("GET", "https://h/", &[("authorization", &bearer, true)], None),
            "# needs PERSONAL_TOKEN\ncurl https://h/ --header 'authorization: Bearer '\"$PERSONAL_TOKEN\"",
        ),
        (
            request("GET", "https://h/", &[("authorization", BASIC, true)], None),
            "# needs PERSONAL_TOKEN\ncurl https://h/ --user ann:\"$PERSONAL_TOKEN\"",
        ),
        (
            request("GET", "https://h/", &[("authorization", "Bearer short", true)], None),
            "# needs AUTHORIZATION\ncurl https://h/ --header 'authorization: '\"$AUTHORIZATION\"",
        ),
        (
            request("GET", percent, &[], None),
            "# needs PERSONAL_TOKEN_URL (percent-encoded)\ncurl 'https://h/?k='\"$PERSONAL_TOKEN_URL\"",
        ),
        (
            request(
                "POST",
                "https://h/",
                &[("content-type", "a/b", false)],
                Some(b"{\"password\":\"x1\",\"n\":1}"),
            ),
            "# needs PASSWORD\ncurl https://h/ --header 'content-type: a/b' --data-raw '{\"password\":\"'\"$PASSWORD\"'\",\"n\":1}'",
        ),
        (
            request("GET", "https://h/", &[("cookie", "sid=a; path=b", true)], None),
            "# needs SID, PATH_VALUE\ncurl https://h/ --header 'cookie: sid='\"$SID\"'; path='\"$PATH_VALUE\"",
        ),
        (
            request("POST", "https://h/", &[("content-type", "a/b", false)], Some(b"\xffp&ss w%rd'x$(id)")),
            "# needs nothing",
        ),
    ] {
        let told = told(&request, &[LONG]);
        assert!(!told.contains("p&ss") && !told.contains("short"), "{told}");
        if expected.ends_with("nothing") {
            assert!(told.starts_with("# the body is no text, and a secret stands in it"), "{told}");
        } else {
            assert_eq!(told, expected);
        }
    }
}

#[test]
fn a_secret_of_any_length_is_found_in_what_is_sent() {
    let request = request("POST", "https://h/7/x", &[("content-type", "a/b", false)], Some(b"pin=47"));
    assert_eq!(
        told(&request, &[("pin", "47")]),
        "# needs PIN\ncurl https://h/7/x --header 'content-type: a/b' --data-raw 'pin='\"$PIN\""
    );
}

#[test]
fn the_name_of_a_variable_is_no_place_to_break_out_of() {
    let body = r#"{"$(id)\n; token":"abc","1 token":"def","!":{"HTTPS_PROXY_TOKEN":"ghi"}}"#;
    let request = request("POST", "https://h/", &[("content-type", "a/b", false)], Some(body.as_bytes()));
    let told = told(&request, &[]);
    assert!(told.starts_with("# needs _ID_TOKEN, _1_TOKEN, HTTPS_PROXY_TOKEN\ncurl "), "{told}");
}

#[test]
fn redirects_are_left_to_the_reader_where_curl_would_take_along_what_a_step_does_not() {
    let table = [
        (request("GET", "https://h/", &[("authorization", BASIC, true)], None), false, ""),
        (request("POST", "https://h/", &[], Some(b"n=1")), false, ""),
        (request("GET", "https://h/", &[("x-key", "abcdefgh", true)], None), false, "takes `x-key` to any"),
        (request("POST", "https://h/", &[], Some(b"{\"password\":\"x1\"}")), false, "takes the body to any"),
        (request("GET", "https://h/", &[], None), true, "checks the certificate of no host"),
    ];
    for (mut request, unchecked, why) in table {
        request.limits = Limits::default();
        let told = command(&request, &Needles::default(), &[], unchecked);
        let (comments, curl) = told.rsplit_once('\n').unwrap_or(("", &told));
        assert_eq!(curl.contains(" --location"), why.is_empty(), "{told}");
        assert_eq!(curl.contains(" --insecure"), unchecked, "{told}");
        assert!(comments.contains(why), "{told}");
    }
}

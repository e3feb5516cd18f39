//! What each function of each module returns, and what it says when it cannot.

use std::sync::{Arc, Mutex};

use crate::parts::http::{Request, Response};
use crate::parts::script::tests::{Stage, response};
use crate::parts::script::{Error, Phase, Sender, functions};

const RETURNS: &[(&str, &str)] = &[
    (r#"base64::encode("p&ss wörd>?")"#, "cCZzcyB3w7ZyZD4/"),
    (r#"base64::encode_url("p&ss wörd>?")"#, "cCZzcyB3w7ZyZD4_"),
    (r#"base64::decode("cCZz\ncyB3w7ZyZD4/")"#, "p&ss wörd>?"),
    (r#"base64::decode_url("cCZzcyB3w7ZyZD4_")"#, "p&ss wörd>?"),
    (r#"base64::encode("a") + base64::decode("YQ")"#, "YQ==a"),
    (r#"base64::decode("//79").len()"#, "3"),
    (r#"hex::encode("aÿ")"#, "61c3bf"),
    (r#"hex::decode("61C3bf")"#, "aÿ"),
    (r#"hex::encode(hex::decode("ff00"))"#, "ff00"),
    (r#"hash::md5("abc")"#, "900150983cd24fb0d6963f7d28e17f72"),
    (r#"hash::sha1("abc")"#, "a9993e364706816aba3e25717850c26c9cd0d89d"),
    (r#"hash::sha256("abc")"#, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (r#"hash::sha512("abc").sub_string(0, 16)"#, "ddaf35a193617aba"),
    // RFC 2202 and RFC 4231, the second test case of each.
    (r#"hmac::md5("Jefe", "what do ya want for nothing?")"#, "750c783e6ab0b503eaa86e310a5db738"),
    (r#"hmac::sha1("Jefe", "what do ya want for nothing?")"#, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
    (
        r#"hmac::sha256("Jefe", "what do ya want for nothing?")"#,
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    ),
    (
        r#"hmac::sha256_base64("Jefe", "what do ya want for nothing?")"#,
        "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=",
    ),
    (r#"hmac::sha512("Jefe", "what do ya want for nothing?").sub_string(0, 16)"#, "164b7a7bfcf819e2"),
    (
        r#"hmac::sha256(hmac::sha256_bytes("k", "a"), "b") == hmac::sha256(hex::decode(hmac::sha256("k", "a")), "b")"#,
        "true",
    ),
    (r#"json::parse("{\"z\":1,\"a\":[1,2.5,null]}")"#, r#"{"z":1,"a":[1,2.5,null]}"#),
    (r#"json::parse("[1, {\"a\": \"b\"}]")[1].a"#, "b"),
    (r#"json::stringify(#{ b: [1, ()], a: "x\n" })"#, r#"{"a":"x\n","b":[1,null]}"#),
    (r#"url::encode("a b/ü~")"#, "a%20b%2F%C3%BC~"),
    (r#"url::decode("a%20b+%C3%BC")"#, "a b+ü"),
    (r#"url::host("https://auth.example.com:8443/x?y")"#, "auth.example.com"),
    (
        r#"url::parse("https://a.b/c/d?x=1&y=2&x=3#f")"#,
        r#"{"scheme":"https","host":"a.b","port":443,"path":"/c/d","query":{"x":["1","3"],"y":"2"},"fragment":"f"}"#,
    ),
    (r#"url::join("https://a.b/c/d", "../e?x")"#, "https://a.b/e?x"),
    (r#"form::encode(json::parse("{\"b\":[1,\"x y\"],\"a\":\"&\",\"n\":null}"))"#, "b=1&b=x+y&a=%26"),
    (r#"form::decode("b=1&a=%26&b=x+y")"#, r#"{"b":["1","x y"],"a":"&"}"#),
    (r#"regex::is_match("abc", "^a.c$")"#, "true"),
    (r#"regex::find("id=42;", "[0-9]+")"#, "42"),
    (r#"regex::find("x", "y") == ()"#, "true"),
    (r#"regex::captures("k=v", "([a-z])=([a-z])(z)?")[2]"#, "v"),
    (r#"regex::captures("k=v", "([a-z])=([a-z])(z)?")[3] == ()"#, "true"),
    (r#"regex::replace("a1b2", "([0-9])", "<$1>")"#, "a<1>b<2>"),
    (r#"regex::split("a, b;c", "[,;] *")"#, r#"["a", "b", "c"]"#),
    (r#"xml::parse("<a x='1'>t<b/><n:c xmlns:n='u'>2</n:c></a>").children[1].namespace"#, "u"),
    (
        r#"xml::parse("<?xml version='1.0'?><a x='1'> <b>2</b></a>")"#,
        r#"{"name":"a","namespace":null,"attributes":{"x":"1"},"text":"","children":[{"name":"b","namespace":null,"attributes":{},"text":"2","children":[]}]}"#,
    ),
    ("hex::decode(\"ff00\")", "2 bytes"),
    ("[hex::decode(\"ff00\")]", "[2 bytes]"),
    ("random::uuid().len()", "36"),
    ("random::uuid() == random::uuid()", "false"),
    ("random::int(3, 3)", "3"),
    ("random::string(100).len()", "100"),
    ("random::bytes(5).len()", "5"),
    ("time::now()", "1700000000"),
    (r#"time::parse("2023-11-14T23:13:20+01:00")"#, "1700000000"),
    (r#"time::parse("Tue, 14 Nov 2023 22:13:20 GMT")"#, "1700000000"),
    (r#"time::format(1700000000, "%Y-%m-%dT%H:%M:%SZ")"#, "2023-11-14T22:13:20Z"),
    (r#"time::add(time::now(), "5m")"#, "1700000300"),
    (r#"time::add(time::now(), "-1d")"#, "1699913600"),
];

#[test]
fn each_function_returns_what_its_standard_says() {
    let stage = Stage::new(Phase::Alone);
    for (expression, expected) in RETURNS {
        let (expression, expected) = (*expression, *expected);
        assert_eq!(stage.prints(&format!("print({expression});")), expected, "{expression}");
    }
}

#[test]
fn random_integers_stay_between_their_bounds_and_reach_them() {
    let stage = Stage::new(Phase::Alone);
    let script = "let seen = #{};
        for i in 0..300 {
            let n = random::int(-1, 1);
            if n < -1 || n > 1 { throw n; }
            seen[n.to_string()] = true;
        }
        random::int(-9223372036854775808 + 0, 9223372036854775807);
        print(seen.keys());";
    assert_eq!(
        stage.prints(&script.replace("-9223372036854775808 + 0", "-9223372036854775807 - 1")),
        r#"["-1", "0", "1"]"#
    );
}

#[test]
fn a_wrong_argument_is_told_with_the_name_of_the_function() {
    let stage = Stage::new(Phase::Alone);
    for (expression, said) in [
        ("base64::encode(1)", "`base64::encode` takes a text or bytes as `value`, not an integer"),
        ("hmac::sha256(\"k\", ())", "`hmac::sha256` takes a text or bytes as `text`, not nothing"),
        ("base64::decode(\"@@\")", "not base64"),
        ("hex::decode(\"abc\")", "not hexadecimal"),
        ("json::parse(\"{\")", "not JSON"),
        ("form::encode(1)", "takes an object"),
        ("regex::find(\"a\", \"(\")", "a pattern that is none: unclosed group"),
        ("regex::find(\"a\", \"(a{1000}){1000}\")", "it is too large"),
        ("xml::parse(\"<a>\")", "not XML"),
        ("xml::parse(\"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>\")", "no document with a DTD"),
        ("url::host(\"x\")", "not a URL"),
        ("random::int(2, 1)", "the smaller number first"),
        ("random::string(-1)", "takes a number from 0"),
        ("random::bytes(1000000000)", "takes a number from 0 to 20000"),
        ("time::parse(\"yesterday\")", "neither an RFC 3339 time"),
        ("time::format(1, \"%\")", "cannot write"),
        ("time::format(9223372036854775807, \"%Y\")", "not a time of the years"),
        ("time::add(1, \"5 minutes\")", "is not a duration"),
        ("Fn(\"sleep\").call(1000)", "cannot sleep"),
        ("http::get(\"https://a.b\")", "cannot send here"),
    ] {
        let error = stage.breaks(&format!("let x = 1;\n{expression};"));
        assert!(error.message.contains(said), "{expression}: {}", error.message);
        assert_eq!(error.place.expect("it has a place").position().line, 5, "{expression}");
    }
}

#[test]
fn every_function_is_described() {
    let signatures: Vec<String> = functions().map(|function| function.signature).collect();
    assert!(signatures.contains(&"hmac::sha256(key, text)".to_owned()), "{signatures:?}");
    assert!(signatures.contains(&"check(name, passed)".to_owned()), "{signatures:?}");
    assert!(functions().all(|function| !function.doc.is_empty()));
}

/// Answers everything with the same, and remembers what was asked.
#[derive(Default)]
struct Recorder(Mutex<Vec<Request>>);

impl Sender for Recorder {
    fn send(&self, request: Request) -> Result<Arc<Response>, Error> {
        if request.url.path() == "/down" {
            return Err(Error::new("cannot connect", Some("is it up?".to_owned())));
        }
        self.0.lock().expect("no panic").push(request);
        Ok(Arc::new(response(r#"{"id":7,"access_token":"tok-123456789"}"#)))
    }
}

fn sending() -> (Stage, Arc<Recorder>) {
    let recorder = Arc::<Recorder>::default();
    let mut stage = Stage::new(Phase::Alone);
    stage.host.sender = Some(Arc::clone(&recorder) as Arc<dyn Sender>);
    (stage, recorder)
}

#[test]
fn http_sends_what_it_was_told() {
    let (stage, recorder) = sending();
    let script = r#"
        let r = http::send(#{
            url: "https://a.b/x?k=1", query: #{ q: ["a b", "c"], none: () },
            headers: #{ "X-One": "1", "X-Api-Key": "key", "DPoP": "proof" },
            auth: #{ basic: #{ username: "ann", password: "pw" } },
            json: json::parse("{\"z\":1,\"a\":2}"), timeout: "2s",
        });
        http::send(#{ method: "PUT", url: "https://a.b/", form: #{ a: "1 2" }, auth: #{ bearer: "tok" } });
        http::send(#{ url: "https://a.b/", body: hex::decode("ff00") });
        print(`${r.status} ${r.json.id} ${r.headers["X-Request-Id"]} ${http::get("https://a.b/me").url}`);"#;
    assert_eq!(stage.prints(script), "200 7 r-1 https://api.example.com/me?x=1");
    let sent = recorder.0.lock().expect("no panic");
    let texts: Vec<String> = sent
        .iter()
        .map(|request| {
            let body = request.body.as_ref().map(|body| String::from_utf8_lossy(body).into_owned());
            let header = |name: &str| {
                request.headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
            };
            let (kind, auth) = (header("content-type"), header("authorization"));
            format!("{} {} {:?} {:?} {:?}", request.method, request.url, body, kind, auth)
        })
        .collect();
    assert_eq!(
        texts,
        [
            r#"POST https://a.b/x?k=1&q=a%20b&q=c Some("{\"z\":1,\"a\":2}") Some("application/json") Some("Basic YW5uOnB3")"#,
            r#"PUT https://a.b/ Some("a=1+2") Some("application/x-www-form-urlencoded") Some("Bearer tok")"#,
            "POST https://a.b/ Some(\"\u{fffd}\\0\") None None",
            "GET https://a.b/me None None None",
        ]
    );
    assert!(sent[0].headers["authorization"].is_sensitive());
    assert!(sent[0].headers["x-api-key"].is_sensitive());
    assert!(sent[0].headers["dpop"].is_sensitive());
    assert!(!sent[0].headers["x-one"].is_sensitive());
    assert_eq!(sent[0].limits.timeout.as_secs(), 2);
    assert_eq!(sent[2].body.as_deref(), Some(&[0xff, 0][..]));
}

#[test]
fn http_refuses_what_it_does_not_understand() {
    let (stage, _) = sending();
    let error = stage.breaks(r#"http::send(#{ url: "https://u:p@a.b/" });"#);
    assert_eq!(error.help.as_deref(), Some("give it with `auth: #{ basic: … }`"));
    for (request, said) in [
        (r#"#{ uri: "https://a.b" }"#, "does not know `uri`"),
        (r#"#{ url: "file:///etc/passwd" }"#, "is not http or https"),
        (r#"#{ url: "https://u:p@a.b/" }"#, "user name or password"),
        (r#"#{ url: "https://a.b/", json: 1, body: "x" }"#, "one body, not json and body"),
        (r#"#{ url: "https://a.b/", headers: #{ "X": "a\r\nY: b" } }"#, "line break"),
        (r#"#{ url: "https://a.b/", auth: #{ digest: 1 } }"#, "`digest` must be a map, not a number"),
        (r#"#{ url: "https://a.b/", auth: #{ beerer: "x" } }"#, "`beerer`"),
        (r#"#{ url: "https://a.b/down" }"#, "cannot connect"),
        ("\"https://a.b\"", "takes an object, not a text"),
    ] {
        let error = stage.breaks(&format!("http::send({request});"));
        assert!(error.message.contains(said), "{request}: {}", error.message);
    }
}

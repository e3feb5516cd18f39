//! The schemes that compute: Digest answers a challenge, AWS signs what is sent, a JWT is made for
//! each request. Servers here verify what they get.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use reqchain::ground::encode::{self, Hash};
use reqchain::ground::jws;
use reqchain::running::Cause;

use crate::scenario::{NOW_MS, Reply, Scenario, Seen, says};

const PASSWORD: &str = "Circle of Life";

/// A parameter of the `Authorization` of a request.
fn parameter(seen: &Seen, name: &str) -> String {
    let header = seen.header("authorization");
    let found = header.split([',', ' ']).find_map(|part| part.trim().strip_prefix(&format!("{name}=")));
    found.unwrap_or_default().trim_matches('"').to_owned()
}

/// Whether the answer to a Digest challenge is right.
fn is_right(seen: &Seen, nonce: &str) -> bool {
    let hash = |text: String| encode::hex(&Hash::Sha256.digest(text.as_bytes()));
    let user = hash(format!("Mufasa:r:{PASSWORD}"));
    let what = hash(format!("{}:{}", seen.method, seen.target));
    let get = |name| parameter(seen, name);
    let expected = hash(format!("{user}:{nonce}:{}:{}:auth:{what}", get("nc"), get("cnonce")));
    get("response") == expected && get("uri") == seen.target && get("nonce") == nonce
}

fn challenge(nonce: &str) -> Reply {
    Reply::status(401)
        .header("www-authenticate", "Basic realm=\"r\"")
        .header("www-authenticate", "Digest realm=\"r\", nonce=\"weak\", qop=\"auth\"")
        .header(
            "www-authenticate",
            format!("Digest realm=\"r\", nonce=\"{nonce}\", qop=\"auth,auth-int\", algorithm=SHA-256"),
        )
}

const DIGEST: &str = "auth: { digest: { username: Mufasa, password: \"{{ password }}\" } }";

fn digest(steps: &str) -> Scenario {
    let text =
        format!("inputs: {{ base: , password: {PASSWORD} }}\ndefaults: {{ {DIGEST} }}\nsteps:\n{steps}");
    Scenario::new(&text)
}

#[test]
fn digest_answers_a_challenge_and_the_next_request_needs_none() {
    let counts = Arc::new(Mutex::new(Vec::new()));
    let counted = Arc::clone(&counts);
    let ran = digest(
        "  - request: { url: \"{{ base }}/a?x=1\", json: { n: 1 } }\n  - request: { url: \"{{ base }}/a?x=2\", json: { n: 2 } }\n",
    )
    .on("POST /a", move |seen| {
        assert!(seen.body.starts_with("{\"n\":"), "the body is sent each time");
        if !is_right(seen, "n1") {
            return challenge("n1");
        }
        counted.lock().expect("nobody panicked").push(parameter(seen, "nc"));
        Reply::json("{}")
    })
    .run();
    ran.passed().saw(["POST /a", "POST /a", "POST /a"]);
    assert_eq!(*counts.lock().expect("nobody panicked"), ["00000001", "00000002"]);
    assert!(ran.steps().iter().all(|step| step.attempts == 1), "a challenge is no attempt");
    let requests = ran.text().matches("RequestSent").count().max(ran.text().matches("request_sent").count());
    assert_eq!(requests, 3, "each request is told");
    assert!(!ran.text().contains(PASSWORD));
}

#[test]
fn digest_with_a_wrong_password_is_a_matter_of_authentication_after_one_try() {
    let ran = digest("  - request: GET {{ base }}/\n").on("GET /", |_| challenge("n1")).run();
    ran.fails_with(Cause::Authentication).saw(["GET /", "GET /"]);
}

#[test]
fn digest_tries_once_more_where_its_nonce_was_too_old() {
    let round = AtomicU32::new(0);
    let ran = digest("  - request: GET {{ base }}/\n  - request: GET {{ base }}/\n")
        .on("GET /", move |seen| match round.fetch_add(1, Ordering::SeqCst) {
            0 => challenge("n1"),
            1 => Reply::status(401).header(
                "www-authenticate",
                "Digest realm=\"r\", nonce=\"n2\", qop=\"auth\", algorithm=SHA-256, stale=true",
            ),
            2 => {
                assert!(is_right(seen, "n2"));
                Reply::json("{}").header("authentication-info", "nextnonce=\"n3\"")
            }
            _ => {
                assert!(is_right(seen, "n3"), "the server named it");
                Reply::json("{}")
            }
        })
        .run();
    ran.passed().saw(["GET /", "GET /", "GET /", "GET /"]);
}

#[test]
fn digest_never_answers_another_origin() {
    let ran = digest("  - request: GET {{ base }}/\n")
        .on("GET /", |seen| Reply::redirect(302, format!("{}/take", seen.origin("evil"))))
        .server("evil", |evil| {
            evil.on("GET /take", |seen| {
                assert_eq!(seen.header("authorization"), "");
                challenge("n1")
            });
        })
        .run();
    ran.fails_with(Cause::Authentication).saw_at("evil", ["GET /take"]);
}

#[test]
fn digest_answers_where_a_redirect_within_the_origin_led() {
    let ran = digest("  - request: GET {{ base }}/\n")
        .on("GET /", |_| Reply::redirect(302, "/in?x=1"))
        .on("GET /in", |seen| if is_right(seen, "n1") { Reply::json("{}") } else { challenge("n1") })
        .run();
    ran.passed().saw(["GET /", "GET /in", "GET /in"]);
}

#[test]
fn digest_sends_where_a_redirect_led_what_the_redirect_left() {
    let request = "{ method: GET, url: '{{ base }}/', headers: { Content-MD5: abc }, json: { n: 1 } }";
    let ran = digest(&format!("  - request: {request}\n"))
        .on("GET /", |_| Reply::redirect(303, "/in"))
        .on("GET /in", |seen| {
            assert_eq!((&*seen.body, seen.header("content-md5")), ("", ""), "a 303 leaves no body");
            if is_right(seen, "n1") { Reply::json("{}") } else { challenge("n1") }
        })
        .run();
    ran.passed().saw(["GET /", "GET /in", "GET /in"]);
}

#[test]
fn digest_that_is_not_supported_is_told() {
    let ran = digest("  - request: GET {{ base }}/\n")
        .on("GET /", |_| {
            Reply::status(401).header("www-authenticate", "Digest realm=r, nonce=n, algorithm=X")
        })
        .run();
    ran.fails_with(Cause::CouldNotRun);
    says(&ran.error(), &["is not supported", "flow.yaml:2:"]);
}

const KEY: &str = include_str!("../../src/ground/jws/keys/ec256.pem");
const PUBLIC: &str = include_str!("../../src/ground/jws/keys/ec256pub.pem");

#[test]
fn a_jwt_is_signed_for_each_request_with_a_key_from_a_file() {
    let ran = Scenario::new(
        r#"
inputs: { base: , key: { file: key.pem }, sub: ann }
steps:
  - request:
      url: "{{ base }}/"
      auth: { jwt: { key: "{{ key }}", claims: { sub: "{{ sub }}", gone: null, exp: "{{ timestamp() + 60 }}" }, header: { kid: k1 } } }
"#,
    )
    .file("key.pem", KEY)
    .on("GET /", |seen| {
        let token = seen.header("authorization").strip_prefix("Bearer ").expect("a token");
        let found = jws::verify(token, PUBLIC, Some("ES256")).expect("signed");
        let now = NOW_MS / 1000;
        assert_eq!(found.claims.to_json(), format!(r#"{{"sub":"ann","exp":{},"iat":{now}}}"#, now + 60));
        assert_eq!(found.header.to_json(), r#"{"alg":"ES256","typ":"JWT","kid":"k1"}"#);
        Reply::json(format!(r#"{{"echo":"{token}"}}"#))
    })
    .run();
    ran.passed();
    assert!(!ran.text().contains("eyJ"), "the token is a secret");
}

#[test]
fn a_jwt_takes_its_algorithm_and_leaves_out_iat_where_that_is_null() {
    let ran = Scenario::new(
        "inputs: { base: , s: not-a-key }\nsteps: [ { request: { url: '{{ base }}/', auth: { jwt: { key: '{{ s }}', alg: HS512, claims: { iat: null, a: 1 } } } } } ]",
    )
    .on("GET /", |seen| {
        let token = seen.header("authorization").strip_prefix("Bearer ").expect("a token");
        let found = jws::verify(token, "not-a-key", Some("HS512")).expect("signed");
        assert_eq!(found.claims.to_json(), r#"{"a":1}"#);
        Reply::json("{}")
    })
    .run();
    ran.passed();
    let ran = Scenario::new(
        "inputs: { base: , s: not-a-key }\nsteps: [ { request: { url: '{{ base }}/', auth: { jwt: { key: '{{ s }}', alg: RS256 } } } } ]",
    )
    .run();
    ran.fails_with(Cause::CouldNotRun);
    says(&ran.error(), &["RS256 needs a private RSA key", "flow.yaml:2:"]);
    assert!(!ran.error().contains("not-a-key"));
}

#[test]
fn aws_sigv4_signs_what_is_sent() {
    let ran = Scenario::new(
        r#"
inputs: { base: , secret_key: wJalrXUtnFEMI, token: session-token-1, nothing: { required: false } }
steps:
  - request:
      url: "{{ base }}/b//k?b=2&a=1"
      method: PUT
      body: hello
      auth: { aws_sigv4: { access_key: AKIDEXAMPLE, secret_key: "{{ secret_key }}", token: "{{ token }}", region: eu-west-1, service: s3 } }
  - request: { url: "{{ base }}/none", auth: { aws_sigv4: { access_key: A, secret_key: "{{ nothing }}", region: r, service: s } } }
"#,
    )
    .on("PUT /b//k", |seen| {
        assert_eq!(seen.header("x-amz-date"), "20260101T000000Z");
        assert_eq!(seen.header("x-amz-security-token"), "session-token-1");
        let hash = |text: &str| encode::hex(&Hash::Sha256.digest(text.as_bytes()));
        let mac = |key: &[u8], text: &str| Hash::Sha256.hmac(key, text.as_bytes()).expect("any key");
        let body = hash("hello");
        assert_eq!(seen.header("x-amz-content-sha256"), body);
        let names = "host;x-amz-content-sha256;x-amz-date;x-amz-security-token";
        let lines: Vec<String> = names.split(';').map(|name| format!("{name}:{}\n", seen.header(name))).collect();
        let lines = lines.concat();
        let canonical = format!("PUT\n/b//k\na=1&b=2\n{lines}\n{names}\n{body}");
        let scope = "20260101/eu-west-1/s3/aws4_request";
        let text = format!("AWS4-HMAC-SHA256\n20260101T000000Z\n{scope}\n{}", hash(&canonical));
        let key = ["20260101", "eu-west-1", "s3", "aws4_request"]
            .iter()
            .fold(b"AWS4wJalrXUtnFEMI".to_vec(), |key, part| mac(&key, part));
        let signature = encode::hex(&mac(&key, &text));
        let expected = format!(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/{scope}, SignedHeaders={names}, Signature={signature}"
        );
        assert_eq!(seen.header("authorization"), expected);
        Reply::json("{}")
    })
    .on("GET /none", |seen| {
        assert_eq!((seen.header("authorization"), seen.header("x-amz-date")), ("", ""));
        Reply::json("{}")
    })
    .run();
    ran.passed();
    assert!(!ran.text().contains("session-token-1"));
}

#[test]
fn a_script_signs_decodes_and_verifies_tokens() {
    let ran = Scenario::new(
        r#"
inputs: { key: { file: key.pem }, public_key: { file: public.pem } }
steps:
  - script: |
      let token = jwt::sign(#{ sub: "ann", n: 1 }, vars.key, "ES256");
      check("good", jwt::verify(token, vars.public_key, "ES256"));
      check("other algorithm", !jwt::verify(token, "secret", "HS256"));
      check("damaged", !jwt::verify(token.sub_string(0, token.len() - 1) + "!", vars.public_key, "ES256"));
      check("wrong key", !jwt::verify(jwt::sign(#{}, "a", "HS256"), "b", "HS256"));
      check("claims", jwt::decode(token).claims.sub == "ann" && jwt::decode(token).header.alg == "ES256");
      print(token);
      let named = jwt::sign(#{}, "a", "HS256", #{ kid: "k1", alg: "none" });
      check("header", jwt::decode(named).header == #{ alg: "HS256", typ: "JWT", kid: "k1" });
  - script: 'jwt::verify("no token", "k", "HS256");'
"#,
    )
    .file("key.pem", KEY)
    .file("public.pem", PUBLIC)
    .run();
    assert_eq!(ran.failed_checks(), Vec::<String>::new());
    assert_eq!(ran.checks().len(), 6, "{}", ran.error());
    assert_eq!(ran.printed(), ["«jwt»"]);
    ran.fails_with(Cause::CouldNotRun);
    says(&ran.error(), &["not a signed JWT"]);
}

#[test]
fn a_request_of_a_script_knows_every_scheme() {
    let ran = Scenario::new(
        r#"
inputs: { base: , password: Circle of Life }
steps:
  - script: |
      http::send(#{ url: vars.base + "/d", auth: #{ digest: #{ username: "Mufasa", password: vars.password } } });
      http::send(#{ url: vars.base + "/d", auth: #{ digest: #{ username: "Mufasa", password: vars.password } } });
      http::send(#{ url: vars.base + "/j", auth: #{ jwt: #{ key: "{{ password }}", claims: #{ a: "{{ b" } } } });
      http::send(#{ url: vars.base + "/k", auth: #{ api_key: #{ header: "X-Key", value: "key-12345678" } } });
  - script: 'http::send(#{ url: vars.base, auth: #{ beerer: "tok-12345678" } });'
"#,
    )
    .on("GET /d", |seen| if is_right(seen, "n1") { Reply::json("{}") } else { challenge("n1") })
    .on("GET /j", |seen| {
        let token = seen.header("authorization").strip_prefix("Bearer ").expect("a token");
        let found = jws::verify(token, "{{ password }}", Some("HS256")).expect("no template is evaluated");
        assert_eq!(found.claims.get("a").and_then(|a| a.as_str()), Some("{{ b"));
        Reply::json("{}")
    })
    .on("GET /k", |seen| {
        assert_eq!(seen.header("x-key"), "key-12345678");
        Reply::json("{}")
    })
    .run();
    ran.fails_with(Cause::CouldNotRun).saw(["GET /d", "GET /d", "GET /d", "GET /j", "GET /k"]);
    says(&ran.error(), &["`beerer`"]);
    let message = ran.error().lines().next().unwrap_or_default().to_owned();
    assert!(!message.contains("tok-12345678"), "{message}");
}

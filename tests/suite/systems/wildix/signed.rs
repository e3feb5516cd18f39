//! What an application may ask that signs each of its requests. The proofs are made here in another
//! way than the mock's, from the text that has to be signed.

use ring::digest;
use serde_json::{Value as Json, json};

use crate::scenario::{Reply, Scenario};
use crate::systems::wildix::{Wildix, is_refused};
use crate::systems::{Answer, Jwt, MILLISECOND, MINUTE, NOW, bearer};

const APP: &str = "x-app-id: offline-app-id";

/// Where every signed text here begins after its method.
const BEGINS: &str = "/api/v1/Colleagues/host:127.0.0.1;x-app-id:offline-app-id;";

fn hex(bytes: &[u8]) -> String {
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.concat()
}

/// The claims of a request whose signed text is this one.
fn claims(text: &str) -> Json {
    let hash = hex(digest::digest(&digest::SHA256, text.as_bytes()).as_ref());
    let sign = json!({ "alg": "sha256", "headers": ["Host", "X-APP-ID"], "hash": hash });
    json!({ "iss": "offline-app", "iat": NOW, "exp": NOW + 300, "sign": sign })
}

fn proof(claims: &Json, secret: &str) -> String {
    bearer(&Jwt::sign(json!({ "typ": "JWT", "alg": "HS256" }), claims.clone(), secret).text)
}

impl Wildix {
    /// Asks for the colleagues by a proof of this text.
    async fn colleagues(&self, query: &str, text: &str) -> Answer {
        self.colleagues_by(query, &proof(&claims(text), "offline-only")).await
    }

    async fn colleagues_by(&self, query: &str, proof: &str) -> Answer {
        self.get(&format!("/api/v1/Colleagues/{query}"), &[APP, proof]).await
    }
}

#[test]
fn the_proof_is_what_another_program_makes_of_the_same_request() {
    let text = format!("GET{BEGINS}count:10;start:0;");
    let expected = "0f649d80fb62bc18b1b7b0db68e66a2c2a918b6f1f990899a48e0eeed4ff039f";
    assert_eq!(claims(&text)["sign"]["hash"], expected);
}

#[tokio::test]
async fn a_signed_request_is_answered() {
    let wildix = Wildix::start().await;
    let answer = wildix.colleagues("", &format!("GET{BEGINS}")).await;
    assert_eq!((answer.status, &answer.json["type"]), (200, &json!("result")), "{answer:?}");
    assert_eq!(answer.json["result"]["records"][0]["extension"], "100");
}

#[tokio::test]
async fn names_are_signed_in_lower_case_and_in_order_and_values_without_blanks_around() {
    let wildix = Wildix::start().await;
    let answer = wildix.colleagues("?start=+0+&Count=10", &format!("GET{BEGINS}count:10;start:0;")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    for text in ["Count:10;start:0;", "start:0;count:10;", "count:10;start: 0 ;", "count:10;", ""] {
        let answer = wildix.colleagues("?start=+0+&Count=10", &format!("GET{BEGINS}{text}")).await;
        is_refused(&answer, 401, "Unauthorized");
    }
}

#[tokio::test]
async fn a_form_is_signed_with_the_rest_but_where_nobody_looks_at_it() {
    let wildix = Wildix::start().await;
    for (method, signed) in [("POST", "b:2;name:Bob;"), ("PUT", "b:2;name:Bob;"), ("DELETE", "")] {
        let proof = proof(&claims(&format!("{method}{BEGINS}a:1;{signed}")), "offline-only");
        let headers = [APP, &proof];
        let send = |body| wildix.system.send_form(method, "/api/v1/Colleagues/?a=1", &headers, body);
        assert_eq!(send("Name=Bob&b=2").await.status, 200, "{method}");
        let other = send("Name=Eve&b=2").await.status;
        assert_eq!(other, if method == "DELETE" { 200 } else { 401 }, "{method}");
    }
}

#[tokio::test]
async fn a_proof_opens_nothing_but_the_request_that_it_was_made_for() {
    let wildix = Wildix::start().await;
    let proof = proof(&claims(&format!("GET{BEGINS}")), "offline-only");
    assert_eq!(wildix.colleagues_by("", &proof).await.status, 200);
    is_refused(&wildix.colleagues_by("?start=1", &proof).await, 401, "Unauthorized");
    let posted = wildix.system.send("POST", "/api/v1/Colleagues/", &[APP, &proof], "").await;
    is_refused(&posted, 401, "Unauthorized");
    let otherwise = wildix.get("/api/v1/colleagues/", &[APP, &proof]).await;
    is_refused(&otherwise, 401, "Unauthorized");
}

#[tokio::test]
async fn a_proof_ends_after_five_minutes() {
    let wildix = Wildix::start().await;
    wildix.system.pass(5 * MINUTE - MILLISECOND);
    assert_eq!(wildix.colleagues("", &format!("GET{BEGINS}")).await.status, 200);
    wildix.system.pass(MILLISECOND);
    is_refused(&wildix.colleagues("", &format!("GET{BEGINS}")).await, 401, "Unauthorized");
}

#[tokio::test]
async fn a_proof_of_somebody_else_is_refused() {
    let wildix = Wildix::start().await;
    let good = claims(&format!("GET{BEGINS}"));
    let changed = |pointer: &str, value: Json| {
        let mut claims = good.clone();
        *claims.pointer_mut(pointer).expect("it is there") = value;
        proof(&claims, "offline-only")
    };
    let proofs = [
        proof(&good, "guessed"),
        changed("/iss", json!("another-app")),
        changed("/sign/alg", json!("md5")),
        changed("/sign/hash", json!("0f649d80")),
        changed("/sign/headers", json!(["Host"])),
        changed("/sign", json!(null)),
        proof(&json!({}), "offline-only"),
        "authorization: Bearer invented".to_owned(),
        "authorization: Basic MTAwOm9mZmxpbmUtb25seQ==".to_owned(),
    ];
    for proof in &proofs {
        is_refused(&wildix.colleagues_by("", proof).await, 401, "Unauthorized");
    }
    let mut host_alone = claims("GET/api/v1/Colleagues/host:127.0.0.1;");
    host_alone["sign"]["headers"] = json!(["Host"]);
    let host_alone = proof(&host_alone, "offline-only");
    is_refused(&wildix.colleagues_by("", &host_alone).await, 401, "Unauthorized");
    let elsewhere = format!("GET{BEGINS}").replace("offline-app-id", "another-id");
    let elsewhere = proof(&claims(&elsewhere), "offline-only");
    let answer = wildix.get("/api/v1/Colleagues/", &[&elsewhere, "x-app-id: another-id"]).await;
    is_refused(&answer, 401, "Unauthorized");
    let proof = proof(&good, "offline-only");
    for headers in [&[proof.as_str()][..], &[&proof, "x-app-id: another-id"], &[APP]] {
        is_refused(&wildix.get("/api/v1/Colleagues/", headers).await, 401, "Unauthorized");
    }
}

#[tokio::test]
async fn a_header_may_be_signed_too() {
    let wildix = Wildix::start().await;
    let text = "GET/api/v1/Colleagues/accept-language:de;host:127.0.0.1;x-app-id:offline-app-id;";
    let mut claims = claims(text);
    claims["sign"]["headers"] = json!(["Accept-Language", "Host", "X-APP-ID"]);
    let proof = proof(&claims, "offline-only");
    for (language, status) in [("accept-language: de", 200), ("accept-language: fr", 401)] {
        let answer = wildix.get("/api/v1/Colleagues/", &[APP, &proof, language]).await;
        assert_eq!(answer.status, status, "{language}");
    }
}

/// The claims that the module of the workflows signs for this request.
fn signed_by_the_module(method: &str, request: &str) -> Json {
    let workflow = format!(
        r#"
inputs: {{ base: }}
steps:
  - request: {request}
    before: |
      import "wildix" as wildix;
      wildix::sign("offline-app-id", "offline-app", "offline-only");
"#
    );
    let module = std::fs::read("scripts/wildix.rhai").expect("it is shipped");
    let ran = Scenario::new(&workflow)
        .file("scripts/wildix.rhai", module)
        .on(&format!("{method} /a%20b/"), |_| Reply::status(200))
        .run();
    ran.passed();
    let seen = ran.seen_at("base").remove(0);
    assert_eq!(seen.header("x-app-id"), "offline-app-id");
    let Jwt { head, claims, .. } = Jwt::read(seen.header("authorization").trim_start_matches("Bearer "));
    assert_eq!((&head["alg"], &claims["iss"]), (&json!("HS256"), &json!("offline-app")));
    assert_eq!(claims["exp"].as_i64(), claims["iat"].as_i64().map(|iat| iat + 300));
    claims
}

#[test]
fn the_module_signs_what_is_sent_field_by_field() {
    let headers = "/a%20b/host:127.0.0.1;x-app-id:offline-app-id;";
    let cases = [
        (
            "{ url: '{{ base }}/a%20b/?Q= 1 ', form: { Name: 'Bob & Eve ', b: 2 } }",
            "POST",
            "q:1;b:2;name:Bob & Eve;",
        ),
        ("{ url: '{{ base }}/a%20b/', json: { a: 1 } }", "POST", ""),
        ("{ method: DELETE, url: '{{ base }}/a%20b/?z=1&a=2', form: { c: 3 } }", "DELETE", "a:2;z:1;"),
    ];
    for (request, method, fields) in cases {
        let expected = claims(&format!("{method}{headers}{fields}"));
        assert_eq!(signed_by_the_module(method, request)["sign"], expected["sign"], "{request}");
    }
}

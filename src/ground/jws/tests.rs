//! Published tokens, every algorithm with every form of key, and what must never be taken for good.

use super::{Error, sign, usual_algorithm, verify};
use crate::ground::encode;
use crate::ground::value::Value;

macro_rules! key {
    ($name:literal) => {
        include_str!(concat!("keys/", $name, ".pem"))
    };
}

fn json(text: &str) -> Value {
    Value::from_json(text.as_bytes()).expect("the test's JSON is right")
}

#[test]
fn every_algorithm_signs_what_it_verifies_with_either_half_of_each_form_of_a_key() {
    let oct = r#"{"kty":"oct","k":"c2VjcmV0"}"#;
    let table: [(&[&str], &str, &[&str]); 6] = [
        (&["HS256", "HS384", "HS512"], "secret", &["secret", oct]),
        (
            &["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"],
            key!("rsa1"),
            &[key!("rsapub"), key!("rsapub1"), key!("cert"), key!("rsa8")],
        ),
        (&["RS256"], key!("rsa8"), &[key!("rsapub")]),
        (&["ES256"], key!("ec256"), &[key!("ec256pub"), key!("eccert"), key!("ec256p8")]),
        (&["ES384"], key!("ec384"), &[key!("ec384pub")]),
        (&["EdDSA"], key!("ed"), &[key!("edpub"), key!("ed")]),
    ];
    let claims = json(r#"{"z":1,"sub":"ann"}"#);
    for (algorithms, private, publics) in table {
        for alg in algorithms {
            let token = sign(&claims, &json(r#"{"kid":"1","alg":"none"}"#), private, alg).expect(alg);
            for public in publics {
                let found = verify(&token, public, Some(alg)).unwrap_or_else(|why| panic!("{alg}: {why}"));
                assert_eq!(found.claims.to_json(), claims.to_json(), "keys keep their order");
                assert_eq!(found.header.to_json(), format!(r#"{{"alg":"{alg}","typ":"JWT","kid":"1"}}"#));
                let (head, _) = token.rsplit_once('.').expect("a token");
                assert_eq!(verify(&format!("{head}.AAAA"), public, None), Err(Error::Signature), "{alg}");
            }
        }
    }
}

#[test]
fn published_tokens_are_verified() {
    // RFC 7515, appendix A.1, whose header and claims have line breaks.
    let key = r#"{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}"#;
    let token = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let found = verify(token, key, Some("HS256")).expect("verified");
    assert_eq!(found.claims.get("iss").and_then(Value::as_str), Some("joe"));
    // RFC 7515, appendix A.3.
    let key = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#;
    let token = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    verify(token, key, Some("ES256")).expect("verified");
}

#[test]
fn no_confusion_of_keys_and_algorithms_makes_a_token_good() {
    let claims = json("{}");
    let public = key!("rsapub");
    let bare: String = public.lines().filter(|line| !line.starts_with('-')).collect();
    let hmac = sign(&claims, &Value::Null, "secret", "HS256").expect("signed");
    for text in [public, bare.as_str(), key!("cert"), "-----BEGIN PUBLIC KEY-----\nbroken"] {
        assert!(sign(&claims, &Value::Null, text, "HS256").is_err(), "a public key signs nothing");
        assert!(!matches!(verify(&hmac, text, None), Ok(_) | Err(Error::Signature)));
    }
    let part = |text: &str| encode::base64url(text.as_bytes());
    for none in ["none", "None", "NONE"] {
        let token = format!("{}.{}.", part(&format!(r#"{{"alg":"{none}"}}"#)), part("{}"));
        assert_eq!(verify(&token, "secret", None), Err(Error::NotSigned));
    }
    assert!(verify(&hmac, "secret", Some("HS512")).is_err_and(|why| why.is_refusal()));
    assert!(verify(&hmac, "other", None).is_err_and(|why| why.is_refusal()));
    let critical = sign(&claims, &json(r#"{"crit":["b64"]}"#), "secret", "HS256").expect("signed");
    assert_eq!(verify(&critical, "secret", None), Err(Error::Critical));
    for text in ["", "a.b.c", "a.b", &format!("{hmac}.x")] {
        assert_eq!(verify(text, "secret", None), Err(Error::NotToken), "{text}");
    }
    // A signature in other words is not the one that was made.
    assert_eq!(verify(&format!("{hmac}="), "secret", None), Err(Error::Signature));
}

#[test]
fn a_key_of_a_set_is_chosen_by_its_kid_or_by_being_the_only_one_that_fits() {
    let set = json(
        r#"{"keys":[{"kty":"oct","k":"YQ","kid":"a"},{"kty":"oct","k":"Yg","kid":"b"},{"kty":"oct","k":"Yw","kid":"c","use":"enc"},{"kty":"OKP","crv":"X","kid":"a"}]}"#,
    )
    .to_json();
    let token = |kid: &str, key: &str| {
        sign(&json("{}"), &json(&format!(r#"{{"kid":{kid}}}"#)), key, "HS256").expect("signed")
    };
    assert!(verify(&token("\"b\"", "b"), &set, None).is_ok());
    assert_eq!(verify(&token("\"a\"", "b"), &set, None), Err(Error::Signature));
    assert_eq!(verify(&token("\"x\"", "b"), &set, None), Err(Error::NoKey));
    assert_eq!(verify(&token("\"c\"", "c"), &set, None), Err(Error::NoKey), "it is for encryption");
    assert_eq!(verify(&token("null", "b"), &set, None), Err(Error::SeveralKeys));
    let one = r#"{"keys":[{"kty":"oct","k":"Yg"}]}"#;
    assert!(verify(&token("\"x\"", "b"), one, None).is_ok());
    assert!(verify(&token("null", "b"), one, None).is_ok());
}

#[test]
fn the_usual_algorithm_is_that_of_the_key() {
    let table = [
        ("secret", "HS256"),
        (key!("rsa1"), "RS256"),
        (key!("ec256"), "ES256"),
        (key!("ec384"), "ES384"),
        (key!("ed"), "EdDSA"),
        (r#"{"kty":"oct","k":"YQ","alg":"HS512"}"#, "HS512"),
    ];
    for (key, alg) in table {
        assert_eq!(usual_algorithm(key, None), Ok(alg));
        // An environment variable often holds a key in one line.
        assert_eq!(usual_algorithm(&key.replace('\n', "\\n"), None), Ok(alg));
    }
}

#[test]
fn no_error_shows_the_key_or_the_token() {
    let damaged = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----", "c2VjcmV0LWtleQ==");
    for (key, alg) in [
        (damaged.as_str(), "RS256"),
        (r#"{"kty":"RSA","n":"c2VjcmV0LWtleQ"}"#, "RS256"),
        ("c2VjcmV0LWtleQ", "RS256"),
        ("c2VjcmV0LWtleQ", "ES512"),
        ("", "HS256"),
        (key!("ec256"), "ES384"),
    ] {
        let why = sign(&json("{}"), &Value::Null, key, alg).expect_err("refused").to_string();
        assert!(!why.contains("c2VjcmV0") && !why.ends_with('.'), "{why}");
    }
    assert_eq!(sign(&json("[]"), &Value::Null, "k", "HS256"), Err(Error::ClaimsNotObject("list")));
    assert_eq!(sign(&json("{}"), &json("1"), "k", "HS256"), Err(Error::HeaderNotObject("int")));
    assert_eq!(sign(&json("{}"), &Value::Null, "k", "HS1\n"), Err(Error::UnknownAlgorithm(String::new())));
}

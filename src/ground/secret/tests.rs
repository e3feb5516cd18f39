//! What counts as a secret, and what of it may be seen.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::*;

fn needles(name: &str, text: &str) -> Needles {
    let needles = Needles::default();
    needles.learn(&name.into(), text);
    needles
}

#[test]
fn names_that_hold_secrets_are_known_in_every_spelling() {
    for name in [
        "access_token",
        "accessToken",
        "ACCESS-TOKEN",
        "personal_token",
        "password",
        "client_secret",
        "apiKey",
        "X-Api-Key",
        "api_key",
        "X-Auth-Token",
        "Authorization",
        "id_token",
        "pbxPassword",
    ] {
        assert!(is_secret_name(name), "{name}");
    }
    for name in [
        "token_type",
        "next_page_token",
        "pageToken",
        "user",
        "key",
        "expires_in",
        "max_tokens",
        "keyboard",
        "tokenize",
    ] {
        assert!(!is_secret_name(name), "{name}");
    }
}

#[test]
fn a_jwt_is_known_by_its_form() {
    assert!(is_jwt("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln"));
    assert!(is_jwt("eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0."));
    assert!(!is_jwt("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0"));
    assert!(!is_jwt("eyJ hello"));
}

/// Derived forms (S45).
#[test]
fn a_secret_is_found_in_every_form() {
    let secret = "p&ss w%rd\"ü'/<tag>";
    let needles = needles("password", secret);
    let basic = STANDARD.encode(format!("ann@example.com:{secret}"));
    let forms = [
        secret.to_owned(),
        STANDARD.encode(secret),
        URL_SAFE_NO_PAD.encode(secret),
        basic,
        STANDARD.encode(format!("x{secret}y")),
        STANDARD.encode(format!("xx{secret}yy")),
        utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string(),
        utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string().to_lowercase(),
        url::form_urlencoded::byte_serialize(secret.as_bytes()).collect(),
        Value::from(secret).to_json(),
        "p&amp;ss w%rd&quot;ü&#39;/&lt;tag&gt;".to_owned(),
        crate::ground::encode::hex(secret.as_bytes()).to_uppercase(),
    ];
    for form in forms {
        let shown = needles.scrub(&format!("<<{form}>>"));
        assert!(shown.contains("«password»"), "{form} stays: {shown}");
    }
}

/// Pieces of a token (S46).
#[test]
fn parts_of_a_token_are_secret_too() {
    let token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4iLCJuIjoxfQ.c2lnbmF0dXJl";
    let needles = needles("token", token);
    assert_eq!(needles.scrub("payload eyJzdWIiOiJhbm4iLCJuIjoxfQ"), "payload «token»");
    assert_eq!(Needles::default().scrub(&format!("x {token} y")), "x «jwt» y");
}

#[test]
fn what_a_pass_learnt_is_forgotten_with_it_and_the_rest_is_kept() {
    let run = needles("password", "correct horse");
    let pass = run.child();
    pass.learn(&"token".into(), "abcdefgh-1");
    assert_eq!(pass.scrub("correct horse abcdefgh-1"), "«password» «token»");
    assert_eq!(run.scrub("correct horse abcdefgh-1"), "«password» abcdefgh-1");
}

#[test]
fn short_texts_are_not_searched_for_and_long_numbers_are() {
    let needles = needles("pin", "123456789");
    needles.learn(&"short".into(), "abc");
    assert_eq!(needles.scrub("123456789 abc"), "«pin» abc");
}

#[test]
fn the_longest_secret_wins_and_the_first_name_stays() {
    let needles = needles("a", "abcdefgh");
    needles.learn(&"b".into(), "abcdefgh-longer");
    needles.learn(&"c".into(), "abcdefgh");
    assert_eq!(needles.scrub("abcdefgh-longer abcdefgh"), "«b» «a»");
}

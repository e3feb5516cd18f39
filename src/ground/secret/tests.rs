//! What counts as a secret, and what of it may be seen.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::*;
use crate::ground::secret::needles::MOST_LATER;
use crate::ground::value::Value;

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
        "pass",
        "userPass",
        "passwd",
        "pin",
        "session",
        "sessionId",
        "JSESSIONID",
        "device_code",
        "authorizationCode",
        "password2",
        "token_1",
        "api2_key",
        "session2_id",
        "password1_confirm",
        "password_confirmation",
        "confirm_password",
        "passwordConfirm",
        "secretkey",
        "x-functions-key",
        "X-Auth",
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
        "auth",
        "code",
        "user_code",
        "country_code",
        "confirm",
        "id",
        "bypass",
        "compass",
        "spin",
        "hash",
        "session_count",
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

#[test]
fn two_secrets_that_are_equal_are_seen_to_be_equal() {
    let run = needles("a", "the-same-value");
    let pass = run.child();
    pass.learn(&"b".into(), "the-same-value");
    pass.learn(&"short".into(), "1234");
    pass.learn(&"other".into(), "1234");
    assert_eq!(pass.scrub("the-same-value"), "«a»");
    assert_eq!(pass.known_as("the-same-value").as_deref(), Some("a"));
    assert_eq!(pass.known_as("1234").as_deref(), Some("short"));
    let value =
        Value::from_json(br#"{"x":{"token":"the-same-value","n":"1234","pass":true}}"#).expect("JSON");
    assert_eq!(pass.masked(&value).to_json(), r#"{"x":{"token":"«a»","n":"1234","pass":true}}"#);
}

#[test]
fn a_secret_is_found_however_it_was_written_and_broken() {
    let needles = needles("s", "p&ss-w\"rd/ü-and-more");
    for text in [
        r"p\u0026ss-w\u0022rd\/\u00fc-and-more",
        r#"p\\u0026ss-w\\\"rd/ü-and-more"#,
        "p&#38;ss-w&#x22;rd/&uuml;-and-more",
        "p%26ss-w%22rd%2F%C3%BC-and-more",
        "p&ss-w\x1b[1m\"rd\x1b[0m/ü-and-more",
        "p&ss-w\"rd/\r\n    ü-and-more",
        "p&ss-w\"rd/ ü-and-more",
        "p%25252526ss-w%25252522rd/ü-and-more",
        "p&#38ss-w&#x22;rd/ü-and-more",
        "cCZzcy13InJk\nL8O8LWFuZC1t\nb3Jl",
        // A beginning of it, such as a message has that was cut.
        "p&ss-w\"rd/ü-and",
        "p%26ss-w%22rd%2F%C3%BC-a",
    ] {
        assert_eq!(needles.scrub(&format!("x {text} y")), "x «s» y", "{text}");
    }
    assert_eq!(needles.scrub("p&ss-w and others"), "p&ss-w and others");
}

#[test]
fn what_becomes_of_a_secret_in_the_name_of_a_host_is_found() {
    for (secret, host) in
        [("Tok3nAbCdEf", "tok3nabcdef"), ("T0ken/Ab", "t0ken/ab"), ("Schlüssel-9", "xn--schlssel-9-deb")]
    {
        let text = format!("cannot find {host}.localhost");
        assert_eq!(needles("t", secret).scrub(&text), "cannot find «t».localhost");
    }
}

#[test]
fn the_names_in_a_value_hold_no_secret_and_none_of_its_members_is_lost() {
    let needles = needles("token", "abcdefgh-1");
    needles.learn(&"token".into(), "abcdefgh-2");
    let value = r#"{"abcdefgh-1":1,"abcdefgh-2":{"at abcdefgh-1":2},"«token» (2)":3,"abcdefgh%2d1":4,"x":5}"#;
    let value = Value::from_json(value.as_bytes()).expect("JSON");
    assert_eq!(
        needles.scrub_value(&value).to_json(),
        r#"{"«token»":1,"«token» (3)":{"at «token»":2},"«token» (2)":3,"«token» (4)":4,"x":5}"#
    );
}

#[test]
fn what_runs_beside_each_other_learn_is_hidden_in_all_of_them_for_a_while() {
    let command = Needles::of_several();
    let (one, other) = (command.child(), command.child());
    one.learn(&"token".into(), "abcdefgh-1");
    assert_eq!(other.scrub("x abcdefgh-1"), "x «token»");
    // Its own name goes before the one of another run.
    other.learn(&"mine".into(), "abcdefgh-1");
    assert_eq!(other.scrub("x abcdefgh-1"), "x «mine»");
    drop(one);
    let last = command.child();
    assert_eq!(last.scrub("x abcdefgh-1"), "x «token»");
    last.reveal("abcdefgh-1");
    assert_eq!(last.scrub("x abcdefgh-1"), "x abcdefgh-1");
    // A million rows must not be remembered.
    for row in 0..recent::HALF * 2 {
        command.child().learn(&"row".into(), &format!("row-secret-{row}"));
    }
    assert_eq!(last.scrub(&format!("x row-secret-{}", recent::HALF)), "x «row»");
    assert_eq!(last.scrub("x row-secret-0"), "x row-secret-0");
}

#[test]
fn secrets_that_overlap_are_taken_out_whole() {
    let run = needles("one", "abcdefgh-ijkl-mnop");
    let pass = run.child();
    pass.learn(&"two".into(), "abcdefgh-ijkl-other-one");
    pass.learn(&"three".into(), "mnop-qrst-uvwx");
    assert_eq!(pass.scrub("x abcdefgh-ijkl-mnop y"), "x «one» y");
    assert_eq!(pass.scrub("x abcdefgh-ijkl-mnop-qrst-uvwx y"), "x «one» y");
}

#[test]
fn tokens_that_begin_alike_hide_each_other_whole() {
    let head = "eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJodHRw";
    let needles = needles("mine", &format!("{head}AAAA.c2lnbmF0dXJl"));
    assert_eq!(needles.scrub(&format!("x {head}BBBB.b3RoZXJzaWc y")), "x «jwt» y");
    let needles = self::needles("hook", "https://hooks.example.com/T0/B0/secretpart");
    assert_eq!(needles.scrub("https://hooks.example.com/help"), "https://hooks.example.com/help");
}

#[test]
fn what_stands_under_a_secrets_name_is_learnt_wherever_it_is_written() {
    for text in [
        "access_token=abcd-1234-efgh&x=1",
        "<r><ns:access_token type='a'> abcd-1234-efgh </ns:access_token></r>",
        "<r><secret><![CDATA[abcd-1234-efgh]]></secret></r>",
        "<x password=\"abcd-1234-efgh\"/>",
        "<input type=hidden name=\"csrf_token\" value=\"abcd-1234-efgh\">",
        "<INPUT VALUE='abcd-1234-efgh' id=a NAME='password'/>",
        "<param name=token value=abcd-1234-efgh >",
        "<meta name=\"csrf-token\" content=\"abcd-1234-efgh\" />",
        "{\"password\": \"abcd-1234-efgh\", cut",
        "password: abcd-1234-efgh",
        "Authorization: Bearer abcd-1234-efgh\r\n",
        "proxy-authorization=basic abcd-1234-efgh",
        "api-key = 'abcd-1234-efgh'",
    ] {
        let needles = Needles::default();
        needles.learn_text(text);
        let shown = needles.scrub(&format!("{text} abcd-1234-efgh"));
        assert!(!shown.contains("1234") && shown.contains('«'), "{text}: {shown}");
    }
    for text in [
        "token: expired please log in",
        "password required",
        "the secret: unknown",
        "authorization: bearer expected",
    ] {
        let needles = Needles::default();
        needles.learn_text(text);
        assert_eq!(needles.shown_text(text), text);
    }
    let plain = r#"<input name="city" value="abcd-1234-efgh"><p id="token">value="x"</p>"#;
    assert_eq!(Needles::default().shown_text(plain), plain);
    let value = Value::from_json(br#"{"session":{"user":"ann-from-x"},"pass":"abcd-1234"}"#).expect("JSON");
    let needles = Needles::default();
    needles.learn_members(&value);
    assert_eq!(needles.scrub("ann-from-x abcd-1234"), "ann-from-x «pass»");
    for (url, shown) in [
        ("https://h/cb?code=x1&state=y2&z=3", "https://h/cb?code=«code»&state=«state»&z=3"),
        ("https://h/?code=DE&z=3", "https://h/?code=DE&z=3"),
        ("https://h/?a=1;pwd=x;y;z;b=2&c", "https://h/?a=1;pwd=«pwd»;b=2&c"),
        ("https://h/?sig=abc&x#id_token=u&v=w", "https://h/?sig=«sig»&x#id_token=«id_token»&v=w"),
        ("https://h/?token=«mine»", "https://h/?token=«mine»"),
    ] {
        assert_eq!(Needles::default().shown_url(url), shown);
    }
}

/// Texts in which a search begins everywhere and comes far (S70). One that looked at a place for as
/// long as something stands there would not come to its end.
#[test]
fn no_text_is_looked_at_again_and_again() {
    const SIZE: usize = 1 << 18;
    let of = |piece: &str| piece.repeat(SIZE / piece.len());
    let long = |head: &str| vec![format!("{head}{}b", "a".repeat(SIZE / 4))];
    let many = |head: &str| (0..2000).map(|n| format!("{head}{n:07}")).collect();
    let nested = |end: &str| (8..127).map(|count| "a".repeat(count) + end).collect();
    let token = |end: &str| format!("eyJ{}.aaaa.{end}", of("a"));
    for (secrets, text, hidden) in [
        (vec![], of("eyJ"), false),
        (vec![], format!("{}.{}", of("eyJ"), of("eyJ")), false),
        (vec!["eyJeyJeyJeyJeyJ-1".to_owned()], of("eyJ"), true),
        (vec![token("b")], token("c"), true),
        (long(""), of("a"), true),
        (long(""), of("61"), true),
        (long(""), of("YWFh"), true),
        (many("eyJhbGcix"), of("ZXlKaGJHY2l4MDAw"), true),
        (many("eyJhbGcix"), of("ZXlKaGJHY2l4MDA-"), false),
        (many("aaaaaaaaaaa"), of("616161616161616161616161"), false),
        (many("aaaaaaaaaaa"), of("YWFhYWFhYWFhYWF"), false),
        (long("http://"), of("http://aaaaaaaaaaaaaa"), false),
        (many("eyJhbGci"), of("eyJhbGci"), false),
        (nested(""), of("aaaaaaab"), false),
        (nested("A"), of("61"), true),
        (nested("A"), of("aaaaaaaab"), false),
        (nested(""), of("&aaaa;"), false),
        (nested(""), of("%255c\\\\&amp;\n"), false),
    ] {
        let needles = Needles::default();
        for secret in &secrets {
            needles.learn(&"s".into(), secret);
        }
        let shown = needles.scrub(&text);
        let at = secrets.first().map_or("", |secret: &String| &secret[..secret.len().min(20)]);
        assert_eq!(shown != text, hidden, "{at} in {}", &text[..40]);
        assert_eq!(needles.stands_in(text.as_bytes()), hidden, "{at} in {}", &text[..40]);
    }
}

#[test]
fn the_longest_of_those_that_begin_alike_is_found_whatever_came_first() {
    let texts = ["abcdefgh", "abcdefghi", "abcdefghij-1", "abcdefghij-2", "abcdefghijkl", "abcdefghZ"];
    let orders = [[0, 1, 2, 3, 4, 5], [5, 4, 3, 2, 1, 0], [3, 0, 5, 1, 4, 2]];
    for order in orders {
        let needles = Needles::default();
        for text in order.map(|at: usize| texts[at]) {
            needles.learn(&text.into(), text);
        }
        for (text, shown) in [
            ("abcdefgh", "«abcdefgh»"),
            ("abcdefghij-3", "«abcdefghi»j-3"),
            ("abcdefghij-2x", "«abcdefghij-2»x"),
            ("abcdefghijk", "«abcdefghi»jk"),
            ("abcdefghijklm", "«abcdefghijkl»m"),
            ("abcdefghA", "«abcdefgh»A"),
            ("abcdefgZ", "abcdefgZ"),
        ] {
            assert_eq!(needles.scrub(text), shown, "{order:?}");
        }
    }
}

#[test]
fn a_long_form_is_hidden_as_far_as_it_stands() {
    let secret = format!("https://hooks.example.com/{}", "T0/B0/secretpart/".repeat(8));
    let needles = needles("hook", &secret);
    let coded = STANDARD.encode(&secret);
    assert_eq!(needles.scrub(&format!("x {}", &coded[..130])), "x «hook»");
    assert_eq!(needles.scrub(&format!("x {}", &coded[..120])), format!("x {}", &coded[..120]));
}

#[test]
fn the_encoding_of_a_long_secret_is_hidden_as_far_as_it_stands() {
    let secret = "??>>~~-long-secret-of-a-server";
    let needles = needles("s", secret);
    for before in ["", "x", "xy"] {
        let text = format!("{before}{secret}");
        // Digits in which what stands before it has a part.
        let from = (before.len() * 8).div_ceil(6);
        for coded in [STANDARD_NO_PAD.encode(&text), URL_SAFE_NO_PAD.encode(&text)] {
            for end in [16, 17, 30] {
                let shown = needles.scrub(&format!("<{}>", &coded[..from + end]));
                assert_eq!(shown, format!("<{}«s»>", &coded[..from]), "{coded} up to {end}");
            }
            let less = format!("<{}>", &coded[..from + 15]);
            assert_eq!(needles.scrub(&less), less);
        }
    }
    let hex = crate::ground::encode::hex(secret.as_bytes());
    for coded in [hex.to_uppercase(), hex] {
        assert_eq!(needles.scrub(&format!("<{}>", &coded[..24])), "<«s»>");
        assert_eq!(needles.scrub(&format!("<{}>", &coded[..59])), "<«s»>");
        assert_eq!(needles.scrub(&coded[..23]), coded[..23]);
    }
    let short = self::needles("s", "short-and-short");
    let coded = STANDARD_NO_PAD.encode("short-and-short");
    assert_eq!(short.scrub(&coded), "«s»");
    assert_eq!(short.scrub(&coded[..19]), coded[..19]);
}

/// What all others of its kind begin with, too, is shown.
#[test]
fn the_encoding_of_what_is_no_secrets_own_is_shown() {
    let header = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.";
    let token = format!("{header}{}", "eyJzdWIiOiJhbm4tdGhlLXNlY3JldCIsIm4iOjF9.c2lnbmF0dXJl");
    let key =
        "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIGFuLW9sZC1rZXk=\n-----END PRIVATE KEY-----\n";
    let public = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA";
    let url = "https://hooks.example.com/T0/B0/secretpart";
    for (secret, shared, cut) in [
        (token.as_str(), format!("{header}eyJpc3MiOiJvdGhlciJ9"), Some(header.len())),
        (key, public.to_owned(), Some("-----BEGIN PRIVATE KEY-----".len())),
        (url, "https://hooks.example.com/help".to_owned(), None),
    ] {
        let needles = needles("s", secret);
        let encodings: [fn(&[u8]) -> String; 2] =
            [|bytes| STANDARD_NO_PAD.encode(bytes), crate::ground::encode::hex];
        for encode in encodings {
            let other = encode(shared.as_bytes());
            assert_eq!(needles.scrub(&other), other, "{shared}");
            assert_eq!(needles.scrub(&encode(secret.as_bytes())), "«s»", "{secret}");
            let Some(own) = cut else { continue };
            let shown = needles.scrub(&encode(&secret.as_bytes()[..own + 15]));
            // And a digit that is cut itself.
            let most = encode(&secret.as_bytes()[..own]).len() + 1;
            assert!(shown.contains("«s»"), "{secret}: {shown}");
            assert!(shown.replace("«s»", "").len() <= most, "{secret}: {shown}");
        }
    }
}

#[test]
fn a_secret_is_found_by_what_is_its_own() {
    let key =
        "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIGFuLW9sZC1rZXk=\n-----END PRIVATE KEY-----\n";
    let needles = self::needles("key", key);
    let public = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA";
    assert_eq!(needles.scrub(public), public);
    assert_eq!(needles.scrub(&key[..50]), "«key»\n«key»");
    // What looks like a URL somewhere is none.
    let password = "Zk39-alpha-Quebec-7781://x";
    let needles = self::needles("password", password);
    assert_eq!(needles.scrub(&password[..17]), "«password»");
    assert_eq!(needles.scrub(&STANDARD_NO_PAD.encode(password)[..27]), "«password»");
}

#[test]
fn what_is_revealed_is_shown_and_no_other_beside_it() {
    let head = "eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJodHRw";
    let (one, other) = (format!("{head}AAAA.c2lnbmF0dXJl"), format!("{head}BBBB.b3RoZXJzaWdu"));
    let needles = needles("other", &other);
    needles.reveal(&one);
    assert_eq!(needles.scrub(&format!("{one} {other}")), format!("{one} «other»"));
    needles.learn(&"one".into(), &one);
    assert_eq!(needles.scrub(&format!("{one} {other}")), format!("{one} «other»"));
    needles.reveal(&other[..30]);
    assert_eq!(needles.scrub(&other), "«other»");
}

#[test]
fn what_is_left_for_later_is_known_before_anything_is_looked_at() {
    let needles = Needles::default().child();
    let learnt = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let later = |secret: &'static str| {
        let learnt = Arc::clone(&learnt);
        needles.learn_later(move |needles| {
            needles.learn(&"late".into(), secret);
            learnt.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        });
    };
    let count = || learnt.load(std::sync::atomic::Ordering::Relaxed);
    later("first-secret-1");
    needles.learn(&"token".into(), "first-secret-1");
    assert_eq!(count(), 0, "nobody looked");
    assert_eq!(needles.child().scrub("a first-secret-1"), "a «token»", "a name that was given is kept");
    assert_eq!(needles.scrub("a first-secret-1"), "a «token»");
    assert_eq!(count(), 1, "once");
    later("second-secret-2");
    assert_eq!(needles.known_as("second-secret-2").as_deref(), Some("late"));
    later("third-secret-3");
    assert!(needles.stands_in(b"a third-secret-3"));
    for _ in 0..MOST_LATER {
        later("fourth-secret-4");
    }
    assert_eq!(count(), 3 + MOST_LATER, "no more than that is kept");
    let several = Needles::of_several();
    several.child().learn_later(|needles| needles.learn(&"late".into(), "fifth-secret-5"));
    assert_eq!(several.child().scrub("a fifth-secret-5"), "a «late»", "others look for it");
    for n in 0..=recent::MOST_LATER {
        let learn = move |needles: &Needles| needles.learn(&"late".into(), &format!("late-secret-{n}"));
        several.child().learn_later(learn);
    }
    assert_eq!(several.child().scrub("late-secret-0 late-secret-1"), "late-secret-0 «late»");
}

//! The rules of the jar, as tables.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use reqwest::header::HeaderValue;

use super::*;
use crate::parts::http::cookies::date::cookie_date;

const NOW: i64 = 1_767_225_600;

fn jar() -> Jar {
    Jar::new(&Needles::default(), &Clock::fixed(NOW * 1000))
}

fn url(text: &str) -> Url {
    Url::parse(text).expect("the test's URL is right")
}

fn set(jar: &Jar, from: &str, cookies: &[&str]) {
    let mut headers = HeaderMap::new();
    for cookie in cookies {
        headers.append(SET_COOKIE, HeaderValue::from_bytes(cookie.as_bytes()).expect("a header"));
    }
    jar.store(&url(from), &headers);
}

fn sent(jar: &Jar, to: &str) -> String {
    let header = jar.header(&url(to), &HeaderMap::new());
    header.map_or_else(String::new, |header| text(header.as_bytes()))
}

/// What a cookie that was set there becomes here.
fn goes(from: &str, cookie: &str, to: &str) -> bool {
    let jar = jar();
    set(&jar, from, &[cookie]);
    !sent(&jar, to).is_empty()
}

/// Public suffixes and addresses (S13).
#[test]
fn a_cookie_goes_where_its_domain_reaches_and_to_no_public_suffix() {
    let table = [
        ("https://a.example.com/", "c=1", "https://a.example.com/", true),
        ("https://a.example.com/", "c=1", "https://b.a.example.com/", false),
        ("https://a.example.com/", "c=1; Domain=example.com", "https://b.example.com/", true),
        ("https://a.example.com/", "c=1; Domain=.Example.COM", "https://b.example.com/", true),
        ("https://a.example.com/", "c=1; Domain=example.com.", "https://b.example.com/", true),
        ("https://a.example.com/", "c=1; Domain=example.com", "https://badexample.com/", false),
        ("https://a.example.com/", "c=1; Domain=other.com", "https://other.com/", false),
        ("https://a.example.com/", "c=1; Domain=b.example.com", "https://b.example.com/", false),
        ("https://a.example.com/", "c=1; Domain=b.a.example.com", "https://a.example.com/", false),
        // Super cookies.
        ("https://a.example.com/", "c=1; Domain=com", "https://b.com/", false),
        ("https://a.example.co.uk/", "c=1; Domain=co.uk", "https://b.co.uk/", false),
        ("https://a.example.co.uk/", "c=1; Domain=co.UK", "https://b.co.uk/", false),
        ("https://a.example.co.uk/", "c=1; Domain=.co.uk.", "https://b.co.uk/", false),
        ("https://a.github.io/", "c=1; Domain=github.io", "https://b.github.io/", false),
        ("https://a.internal/", "c=1; Domain=internal", "https://b.internal/", false),
        ("https://a.example.com/", "c=1; Domain=.", "https://b.com/", false),
        ("https://a.example.com/", "c=1; Domain=.", "https://a.example.com/", true),
        ("https://co.uk/", "c=1; Domain=co.uk", "https://co.uk/", true),
        ("https://co.uk/", "c=1; Domain=co.uk", "https://b.co.uk/", false),
        ("http://localhost/", "c=1; Domain=localhost", "http://localhost:81/", true),
        ("http://127.0.0.1/", "c=1; Domain=127.0.0.1", "http://127.0.0.1/", true),
        ("http://127.0.0.1/", "c=1; Domain=0.0.1", "http://9.0.0.1/", false),
        ("http://[::1]/", "c=1", "http://[::1]:81/", true),
        ("https://example.com./", "c=1", "https://example.com/", true),
        ("https://a.bücher.example/", "c=1; Domain=bücher.example", "https://xn--bcher-kva.example/", true),
    ];
    for (from, cookie, to, expected) in table {
        assert_eq!(goes(from, cookie, to), expected, "{cookie} of {from} to {to}");
    }
}

#[test]
fn a_cookie_goes_to_the_paths_below_its_own() {
    let table = [
        ("http://a.b/x/y", "c=1", "http://a.b/x", true),
        ("http://a.b/x/y", "c=1", "http://a.b/x/z", true),
        ("http://a.b/x/y", "c=1", "http://a.b/xz", false),
        ("http://a.b/x/y", "c=1", "http://a.b/", false),
        ("http://a.b/x", "c=1", "http://a.b/z", true),
        ("http://a.b/x", "c=1; Path=/app", "http://a.b/app/z", true),
        ("http://a.b/x", "c=1; Path=/app/", "http://a.b/app", false),
        ("http://a.b/x/y", "c=1; Path=odd", "http://a.b/x/z", true),
    ];
    for (from, cookie, to, expected) in table {
        assert_eq!(goes(from, cookie, to), expected, "{cookie} of {from} to {to}");
    }
}

/// `Secure` is kept to https (S5).
#[test]
fn what_was_set_over_https_never_goes_unencrypted_not_even_on_this_machine() {
    assert!(!goes("https://127.0.0.1/", "c=1; Secure", "http://127.0.0.1/"));
    assert!(goes("https://127.0.0.1/", "c=1; Secure", "https://127.0.0.1/"));
    assert!(!goes("http://127.0.0.1/", "c=1; Secure", "https://127.0.0.1/"));
    assert!(!goes("https://127.0.0.1/", "c=1", "http://127.0.0.1/"), "a server may forget the word");
    assert!(!goes("https://a.example.com/", "c=1; Domain=example.com", "http://b.example.com/"));
    assert!(goes("http://127.0.0.1/", "c=1", "https://127.0.0.1/"));
    let jar = jar();
    set(&jar, "https://a.example.com/", &["sid=good; Secure; Domain=example.com; Path=/"]);
    set(&jar, "http://b.example.com/", &["sid=evil; Domain=example.com; Path=/", "sid=evil; Path=/x"]);
    set(&jar, "http://example.com/", &["sid=gone; Max-Age=0"]);
    assert_eq!(sent(&jar, "https://a.example.com/x"), "sid=good");
}

/// Who was not named gets what it set itself (S11).
#[test]
fn a_stranger_gets_its_own_cookies_and_it_is_known_whether_others_stay_behind() {
    let jar = jar();
    let stranger = jar.clone().for_stranger();
    let goes =
        |jar: &Jar, to: &str| jar.header(&url(to), &HeaderMap::new()).map(|header| text(header.as_bytes()));
    assert!(!jar.withholds(&url("http://a.b/")) && !stranger.withholds(&url("http://a.b/")));
    set(&jar, "https://a.example.com/", &["a=1; Domain=example.com"]);
    set(&jar, "https://a.example.com:81/", &["b=2"]);
    for (to, named, unnamed) in [
        ("https://a.example.com/", Some("a=1; b=2"), Some("a=1")),
        ("https://a.example.com:81/", Some("a=1; b=2"), Some("b=2")),
        ("https://b.example.com/", Some("a=1"), None),
        ("http://a.example.com/", None, None),
        ("https://other.example/", None, None),
    ] {
        assert_eq!((goes(&jar, to).as_deref(), goes(&stranger, to).as_deref()), (named, unnamed), "{to}");
        assert_eq!(jar.withholds(&url(to)), to.starts_with("http:"), "{to}");
        assert_eq!(stranger.withholds(&url(to)), to != "https://other.example/", "{to}");
    }
    set(&stranger, "http://other.example/", &["c=1"]);
    assert_eq!(goes(&jar, "http://other.example/").as_deref(), Some("c=1"), "what it sets is kept");
    set(&jar, "https://safe.example/", &["c=1; Secure"]);
    assert!(!jar.withholds(&url("http://safe.example/")), "that is what its server asked for");
}

/// A redirect leads anywhere (S1).
#[test]
fn who_is_not_named_and_not_trusted_gets_its_own_cookies_alone_and_none_that_a_script_set() {
    let jar = jar().naming(|url| url.port() == Some(81));
    set(&jar, "https://a.example.com:81/", &["a=1"]);
    set(&jar, "https://a.example.com:82/", &["b=2"]);
    jar.set(&url("https://a.example.com:82/"), "c", "3").expect("a cookie");
    let trusting = jar.clone().trusting(Some(&[url("https://a.example.com:82").origin()].into()));
    for (jar, port, expected) in [
        (&jar, 81, "a=1; b=2; c=3"),
        (&jar, 82, "b=2"),
        (&trusting, 82, "a=1; b=2; c=3"),
        (&trusting, 83, ""),
        (&trusting.clone().for_stranger(), 82, "b=2"),
    ] {
        let to = format!("https://a.example.com:{port}/");
        assert_eq!(sent(jar, &to), expected, "{to}");
        assert_eq!(jar.withholds(&url(&to)), expected != "a=1; b=2; c=3", "{to}");
    }
    jar.set(&url("https://a.example.com:82/"), "b", "4").expect("a cookie");
    assert_eq!(sent(&jar, "https://a.example.com:82/"), "");
    let again = self::jar().naming(|_| false);
    again.load(&jar.save());
    assert_eq!(sent(&again, "https://a.example.com:82/"), "", "that is kept");
}

/// Prefixes, odd names, odd ages (S14).
#[test]
fn a_prefix_holds_what_it_promises_and_odd_cookies_are_left() {
    let table = [
        ("https", "__Host-c=1; Secure; Path=/", true),
        ("https", "__host-c=1; Secure; Path=/x", false),
        ("https", "__Host-c=1; Secure", false),
        ("https", "__Host-c=1; Secure; Path=/; Domain=a.example.com", false),
        ("https", "__Host-c=1; Path=/", false),
        ("http", "__Host-c=1; Secure; Path=/", false),
        ("https", "__Secure-c=1; Secure", true),
        ("https", "__SECURE-c=1", false),
        ("https", "=1", false),
        ("https", "c", false),
        ("https", "", false),
        ("https", "c=", true),
        ("https", "c=\tx", true),
        ("https", "c=1; Max-Age=99999999999999999999", true),
        ("https", "c=1; Max-Age=-99999999999999999999", false),
        ("https", "c=1; Max-Age=0", false),
        ("https", "c=1; Max-Age=x", true),
        ("https", "c=1; Expires=Wed, 21 Oct 2015 07:28:00 GMT", false),
        ("https", "c=1; Expires=Wed, 21 Oct 2015 07:28:00 GMT; Max-Age=5", true),
        ("https", "c=1; Max-Age=5; Expires=Wed, 21 Oct 2015 07:28:00 GMT", true),
        ("https", "c=1; Expires=nonsense", true),
    ];
    for (scheme, cookie, expected) in table {
        let place = format!("{scheme}://a.example.com/");
        assert_eq!(goes(&place, cookie, &place), expected, "{cookie}");
    }
    for bytes in [&b"c=a\x01b"[..], b"c=a\0b", b"c=1; Path=/\x1b"] {
        assert!(SetCookie::parse(bytes, NOW).is_none());
    }
}

#[test]
fn a_value_comes_back_byte_for_byte() {
    for value in ["\"a b\"", "a=b==", "%41+%zz", "a,b", "ü", "'x'", "{\"a\":1}"] {
        let jar = jar();
        set(&jar, "http://a.b/", &[&format!("c={value}; HttpOnly")]);
        assert_eq!(sent(&jar, "http://a.b/"), format!("c={value}"));
    }
    let jar = jar();
    let mut headers = HeaderMap::new();
    headers.append(SET_COOKIE, HeaderValue::from_bytes(b"c=\xff\xfe; x").expect("a header"));
    jar.store(&url("http://a.b/"), &headers);
    let header = jar.header(&url("http://a.b/"), &HeaderMap::new()).expect("sent");
    assert_eq!(header.as_bytes(), b"c=\xff\xfe");
    assert!(header.is_sensitive());
}

#[test]
fn the_order_is_that_of_the_standard_and_a_new_value_keeps_its_place() {
    let jar = jar();
    set(&jar, "http://a.b/x/y", &["a=1; Path=/", "b=2; Path=/", "c=3"]);
    set(&jar, "http://a.b/x/y", &["a=4; Path=/"]);
    assert_eq!(sent(&jar, "http://a.b/x/z"), "c=3; a=4; b=2");
    set(&jar, "http://a.b/x/y", &["a=; Path=/; Max-Age=0"]);
    assert_eq!(sent(&jar, "http://a.b/x/z"), "c=3; b=2");
}

#[test]
fn the_cookies_of_the_request_win_by_name() {
    let jar = jar();
    set(&jar, "http://a.b/", &["sid=jar", "lang=de"]);
    let mut own = HeaderMap::new();
    own.append(COOKIE, HeaderValue::from_static("x=1;  sid=mine"));
    let header = jar.header(&url("http://a.b/"), &own).expect("sent");
    assert_eq!(text(header.as_bytes()), "x=1;  sid=mine; lang=de");
}

/// Floods (S15).
#[test]
fn a_flood_is_cut_and_told_once() {
    let large = "x".repeat(4000);
    let jar = jar();
    set(&jar, "http://a.b/", &[&format!("c={}", "x".repeat(4096))]);
    assert_eq!(sent(&jar, "http://a.b/"), "", "4097 bytes");
    for round in 0..10 {
        let cookies: Vec<String> = (0..60).map(|n| format!("c{round}x{n}={large}")).collect();
        set(&jar, "http://a.b/", &cookies.iter().map(String::as_str).collect::<Vec<_>>());
    }
    assert_eq!(jar.lock().len(), MAX_PER_DOMAIN);
    assert_eq!(jar.lock()[0].name, b"c7x0", "the oldest go");
    let header = sent(&jar, "http://a.b/");
    assert!(header.len() <= MAX_HEADER, "{} bytes", header.len());
    assert!(header.starts_with("c9x48=") && header.contains("; c9x49="), "the youngest are sent");
    assert!(jar.warning().is_some() && jar.warning().is_none());
    for host in 0..40 {
        let cookies: Vec<String> = (0..50).map(|n| format!("d{n}=1")).collect();
        let cookies: Vec<&str> = cookies.iter().map(String::as_str).collect();
        set(&jar, &format!("http://h{host}.b/"), &cookies);
        set(&jar, &format!("http://h{host}.b/x/y"), &cookies);
    }
    assert_eq!(jar.lock().len(), MAX_COOKIES);
}

/// The numbers of the jar (S15).
#[test]
fn each_number_of_a_jar_holds_up_to_itself() {
    for (count, kept) in [(149, 149), (150, 150), (151, 150)] {
        let jar = jar();
        for at in 0..count {
            set(&jar, "http://a.b/", &[&format!("c{at}=1")]);
        }
        assert_eq!(jar.lock().len(), kept);
        assert_eq!(jar.warning().is_some(), count > MAX_PER_DOMAIN, "{count}");
    }
    // RFC 6265bis, 5.6: an attribute that is longer counts as not written.
    for (length, there) in [(1023, false), (1024, false), (1025, true)] {
        let jar = jar();
        set(&jar, "http://a.b/", &[&format!("c=1; Path=/{}", "x".repeat(length - 1))]);
        assert_eq!(sent(&jar, "http://a.b/") == "c=1", there, "{length}");
    }
}

#[test]
fn a_cookie_ends_at_its_time() {
    let clock = Clock::fixed(NOW * 1000);
    let jar = Jar::new(&Needles::default(), &clock);
    set(&jar, "http://a.b/", &["c=1; Max-Age=60"]);
    assert_eq!(sent(&jar, "http://a.b/"), "c=1");
    clock.advance(60_000);
    assert_eq!(sent(&jar, "http://a.b/"), "");
}

#[test]
fn a_script_may_read_set_and_remove() {
    let (jar, here) = (jar(), url("http://a.b/x"));
    set(&jar, "http://a.b/x/y", &["sid=1"]);
    assert_eq!(jar.get(&here, "sid").as_deref(), Some("1"));
    assert_eq!(jar.get(&url("http://a.b/"), "sid"), None);
    jar.set(&here, "sid", "2").expect("a cookie");
    jar.set(&here, "lang", "de").expect("a cookie");
    assert_eq!(sent(&jar, "http://a.b/x"), "sid=2; lang=de");
    assert_eq!(sent(&jar, "http://a.b/"), "lang=de");
    assert!(jar.remove(&here, "sid") && !jar.remove(&here, "sid"));
    for (name, value, why) in [
        ("", "1", InvalidCookie::Name),
        ("a=b", "1", InvalidCookie::Name),
        ("a", "1; Domain=b", InvalidCookie::Value),
        ("a", "1\r\nX: 1", InvalidCookie::Value),
        ("__Host-a", "1", InvalidCookie::Prefix),
        ("a", &"x".repeat(5000), InvalidCookie::Size),
    ] {
        assert_eq!(jar.set(&here, name, value), Err(why), "{name}");
    }
}

#[test]
fn what_is_put_in_is_a_secret_and_debug_shows_none_of_it() {
    let needles = Needles::default();
    let jar = Jar::new(&needles, &Clock::fixed(NOW * 1000));
    set(&jar, "http://a.b/", &["sid=hunter2hunter2"]);
    assert_eq!(needles.scrub("x hunter2hunter2"), "x «sid»");
    assert!(!format!("{jar:?}").contains("hunter2"));
}

#[test]
fn a_date_is_read_in_every_form_that_servers_send() {
    for text in [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "06 nov 1994 8:49:37",
    ] {
        assert_eq!(cookie_date(text), Some(784_111_777), "{text}");
    }
    for text in
        ["", "tomorrow", "32 Nov 1994 08:49:37", "06 Nov 1994", "06 Nov 1500 08:49:37", "6 ü 94 1:2:3"]
    {
        assert_eq!(cookie_date(text), None, "{text}");
    }
    assert!(cookie_date("Fri, 31 Dec 9999 23:59:59 GMT").is_some());
}

/// What a jar holds outlives it, whole and in order, byte for byte.
#[test]
fn a_jar_is_saved_and_loaded_whole() {
    let first = jar();
    set(
        &first,
        "https://a.example.com/x/y",
        &["b=2; Secure", "a=s3ss-\u{fc}\"1\"; Domain=example.com; Path=/", "c=3; Max-Age=60"],
    );
    set(&first, "https://a.example.com/", &["__Host-d=4; Secure; Path=/"]);
    first.store(
        &url("https://a.example.com/"),
        &HeaderMap::from_iter([(SET_COOKIE, HeaderValue::from_bytes(b"raw=\xff\t1").expect("a header"))]),
    );
    let written = serde_json::to_string(&first.save()).expect("it can be written");
    let read: Saved = serde_json::from_str(&written).expect("it can be read");
    assert_eq!(read, first.save());

    let needles = Needles::default();
    let second = Jar::new(&needles, &Clock::fixed((NOW + 61) * 1000));
    second.load(&read);
    for to in [
        "https://a.example.com/x/z",
        "https://b.example.com/",
        "http://a.example.com/x/",
        "https://a.example.com/",
    ] {
        let of_first = first.header(&url(to), &HeaderMap::new()).map(|header| text(header.as_bytes()));
        let expected = of_first.map(|header| header.replace("c=3; ", "").replace("; c=3", ""));
        let found = second.header(&url(to), &HeaderMap::new()).map(|header| text(header.as_bytes()));
        assert_eq!(found, expected, "{to}");
    }
    assert_eq!(needles.scrub("came: s3ss-\u{fc}\"1\""), "came: «a»", "its values are secrets again");
    assert_eq!(format!("{read:?}"), "Saved { cookies: 5, .. }");
}

/// A record that somebody changed does not reach further than a server could (S13, S14).
#[test]
fn what_no_server_could_set_is_not_loaded() {
    let read = |with: &[(&str, serde_json::Value)]| {
        let mut cookie = serde_json::json!({
            "name": "YQ==", "value": "MQ==", "domain": "a.example.com", "host_only": false, "path": "/", "secure": false, "origin": "https://a.example.com", "expires": null,
        });
        for (key, value) in with {
            cookie[*key] = value.clone();
        }
        serde_json::from_value::<Saved>(serde_json::json!([cookie]))
    };
    assert_eq!(read(&[]).expect("it is a jar").len(), 1);
    let co_uk: [(&str, serde_json::Value); 3] =
        [("domain", "co.uk".into()), ("host_only", true.into()), ("origin", "http://co.uk".into())];
    assert!(read(&co_uk).is_ok());
    assert!(read(&[("origin", "http://a.example.com:81".into()), ("secure", true.into())]).is_err());
    for (key, value) in [
        ("domain", "co.uk".into()),
        ("domain", "com".into()),
        ("domain", "127.0.0.1".into()),
        ("domain", ".example.com".into()),
        ("domain", "".into()),
        ("path", "x".into()),
        ("name", "".into()),
        ("name", "*".into()),
        ("name", "X19Ib3N0LWE=".into()),
        ("value", "DQo=".into()),
        ("value", BASE64.encode("x".repeat(MAX_COOKIE)).into()),
        ("expires", "soon".into()),
        ("origin", "".into()),
        ("origin", "https://b.example.com".into()),
        ("origin", "https://a.example.com/x".into()),
        ("origin", "ftp://a.example.com".into()),
        ("more", 1.into()),
    ] {
        assert!(read(&[(key, value)]).is_err(), "{key}");
    }
}

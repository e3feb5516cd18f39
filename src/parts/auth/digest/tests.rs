//! The examples of RFC 7616 and RFC 2617, and how challenges are read, chosen and answered.

use reqwest::header::{HeaderMap, HeaderValue, WWW_AUTHENTICATE};

use super::challenge::{Challenge, Exchange, Hash, Qop, strongest};

fn offered(values: &[&str]) -> Result<Option<Challenge>, String> {
    let mut headers = HeaderMap::new();
    for value in values {
        headers.append(WWW_AUTHENTICATE, HeaderValue::from_str(value).expect("a header"));
    }
    strongest(&headers)
}

fn challenge(value: &str) -> Challenge {
    offered(&[value]).expect("supported").expect("a challenge")
}

fn answer(value: &str, user: (&str, &str), uri: &str, cnonce: &str) -> String {
    let exchange = Exchange { method: "GET", uri, body: b"", cnonce, count: 1 };
    challenge(value).answer(user.0, user.1, &exchange)
}

/// RFC 7616, section 3.9.1, without the algorithm.
const MUFASA: &str = r#"realm="http-auth@example.org", qop="auth, auth-int", nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS""#;

#[test]
fn the_published_examples_give_their_answers() {
    let cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
    let jason = r#"Digest realm="api@example.org", qop="auth", algorithm=SHA-512-256, nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", opaque="HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS", charset=UTF-8, userhash=true"#;
    let rfc2617 = r#"Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41""#;
    let mufasa = ("Mufasa", "Circle of Life");
    // The second example of RFC 7616 as its erratum 4897 has it.
    let table = [
        (
            answer(&format!("Digest {MUFASA}, algorithm=MD5"), mufasa, "/dir/index.html", cnonce),
            "8ca523f5e9506fed4657c9700eebdbec",
        ),
        (
            answer(&format!("Digest {MUFASA}, algorithm=SHA-256"), mufasa, "/dir/index.html", cnonce),
            "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
        ),
        (
            answer(
                jason,
                ("Jäsøn Doe", "Secret, or not?"),
                "/doe.json",
                "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v",
            ),
            "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5",
        ),
        (
            answer(rfc2617, ("Mufasa", "Circle Of Life"), "/dir/index.html", "0a4f113b"),
            "6629fae49393a05397450978507c4ef1",
        ),
    ];
    for (found, response) in &table {
        assert!(found.contains(&format!("response=\"{response}\"")), "{found}");
        assert!(found.contains("nc=00000001"), "{found}");
    }
    let user = "793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b";
    assert!(table[2].0.contains(&format!("username=\"{user}\"")), "{}", table[2].0);
    assert!(table[2].0.contains("userhash=true"));
}

#[test]
fn the_strongest_challenge_that_is_supported_is_chosen_among_all_schemes() {
    let sha = format!("Digest {MUFASA}, algorithm=SHA-256");
    let md5 = format!("Digest {MUFASA}");
    let one = format!(
        "Negotiate abc==, Basic realm=\"a, b=c\", {md5}, {sha}, Digest realm=x, nonce=y, algorithm=SHA3"
    );
    for values in [vec![md5.as_str(), sha.as_str()], vec![one.as_str()], vec![sha.as_str(), md5.as_str()]] {
        let found = offered(&values).expect("supported").expect("a challenge");
        assert_eq!((found.hash, found.realm.as_str()), (Hash::Sha256, "http-auth@example.org"), "{values:?}");
    }
    assert_eq!(offered(&["Basic realm=x", "Bearer"]), Ok(None));
    assert_eq!(offered(&[]), Ok(None));
    for value in
        ["Digest realm=x, nonce=y, algorithm=SHA3", "Digest realm=x, nonce=y, qop=other", "Digest realm=x"]
    {
        assert!(offered(&[value]).is_err(), "{value}");
    }
}

#[test]
fn what_a_challenge_says_is_read_and_said_again() {
    let found =
        challenge(r#"digest Realm="a \"b\" \\c" ,NONCE=n1 , stale=TRUE, qop="auth-int", algorithm=md5-sess"#);
    assert_eq!((found.realm.as_str(), found.nonce.as_str()), (r#"a "b" \c"#, "n1"));
    assert_eq!((found.stale, found.session, found.qop), (true, true, Some(Qop::AuthInt)));
    let exchange = Exchange { method: "POST", uri: "/", body: b"x", cnonce: "c", count: 10 };
    let said = found.answer("a\"b", "p", &exchange);
    assert!(said.starts_with(r#"Digest username="a\"b", realm="a \"b\" \\c", uri="/", nonce="n1", algorithm=md5-sess, qop=auth-int, nc=0000000a, cnonce="c""#), "{said}");
    let old = challenge("Digest realm=r, nonce=n").answer("ä", "p", &exchange);
    assert!(!old.contains("qop") && !old.contains("cnonce") && old.contains("username=\"ä\""), "{old}");
    let utf8 = challenge("Digest realm=r, nonce=n, charset=utf-8").answer("ä", "p", &exchange);
    assert!(utf8.contains("username*=UTF-8''%C3%A4"), "{utf8}");
}

#[test]
fn a_challenge_covers_its_domain_or_the_whole_origin() {
    let at = |text: &str| text.parse().expect("a URL");
    assert!(challenge("Digest realm=r, nonce=n").covers(&at("http://a.b/x")));
    let some = challenge(r#"Digest realm=r, nonce=n, domain="/api http://a.b/more""#);
    for (url, covered) in [("http://a.b/api/1", true), ("http://a.b/more", true), ("http://a.b/x", false)] {
        assert_eq!(some.covers(&at(url)), covered, "{url}");
    }
}

//! The fuzz targets over inputs that are stored, and over some that are made of them: what broke once
//! does not break again, and what breaks at once is seen here.

#[path = "../fuzz/targets.rs"]
pub(crate) mod targets;

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

type Target = fn(&[u8]);

/// Inputs to begin with, and those that once broke a target.
const CASES: &[(&str, Target, &[&str])] = &[
    (
        "yaml",
        targets::yaml,
        &[
            "a: &a [1, *a]",
            "{a: 1, <<: *b}",
            "- |2-\n   x\n- 'it''s'\n- \"\\x41\"\n? k\n: v\n",
            "%YAML 1.2\n---\na",
        ],
    ),
    (
        "workflow",
        targets::workflow,
        &[
            "steps:\n  - request: GET http://h.example/{{ a }}\n    extract: { a: $.a }\n",
            "{{ range(1000000000) | list }}",
            "{% for i in range(99999) %}{{ i }}{% endfor %}",
            "{{ 'x' * 999999999 }}",
        ],
    ),
    (
        "selector",
        targets::selector,
        &[
            "json $.a[0].b\n{\"a\":[{\"b\":1}]}",
            "json $['>@(a?b)\\\\\\u",
            "json_all $..*..*\n[[[[1,2],3],4],5]",
            "json_all $[?@.a == 1 && search(@.b, 'x')]\n[{\"a\":1,\"b\":\"x\"}]",
            "css form > input[name=a] @value\n<form><input name=a value=1></form>",
            "xpath //a[@b='1']/text()\n<a b='1'>x</a>",
            "regex (a+)+$\naaaaaaaaaaaaaaaaaaaaaaaa!",
            "header x-a\na value, and another",
            "header link\n<https://h.example/>; rel=next",
            "cookie sid\nsid=1; Path=/; Secure",
            "cookie a\n=; a=b=c",
            "link next\n<https://h.example/?p=2>; rel=\"next\", <x>; rel=prev",
        ],
    ),
    (
        "cookie",
        targets::cookie,
        &[
            "sid=1; Path=/; Secure; HttpOnly",
            "a=1; Domain=com\nb=2; Max-Age=99999999999999999999",
            "__Host-x=1; Domain=example.com",
        ],
    ),
    (
        "redirect",
        targets::redirect,
        &[
            "\u{1}/b",
            "\u{3}//evil.example/x",
            "\u{2}http://a:b@api.example.com/#f",
            "\u{0}\\\\evil.example",
            "\u{4}http://[::1",
            "\u{1}https://evil.example/\nhttps://api.example.com/back\n/on",
            "\u{1}/1\n/2\n/3\n/4\n/5\n/6\n/7\n/8\n/9\n/10\n/11",
            "\u{1}/a\nhttp://api.example.com/",
            "\u{e9}https://login.example.com/\nhttps://api.example.com/\nhttps://evil.example/",
        ],
    ),
    (
        "jwt",
        targets::jwt,
        &[
            "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcd\nsecret",
            "a.b.c\n-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----\n",
        ],
    ),
    (
        "redaction",
        targets::redaction,
        &[
            "hunter2-hunter2\nthe word is hunter2-hunter2",
            "Env&1+%2#\"'<>\\ ü-end-of-it\n&amp; %41 \\u00e4 aGVs",
            "aaaaaaaa\naaaaaaaaaaaaaaa",
            "pä%ss\"word\np\\u00e4%25ss",
            "eyJeyJeyJ-1234567\neyJeyJeyJeyJeyJeyJ.eyJ",
            "hun\r\0-\0\0\n2hunter2hhunter4-h",
            "hunter2-\thunter2\nx",
            "???>>>~~~-hunter2-hunter2\nPz8/Pj4+fn5+LWh1",
        ],
    ),
    (
        "decode",
        targets::decode,
        &["gzip\n\u{1f}", "br\n;", "deflate, br\nx", "identity\nas it is", "gzip, gzip, gzip\n", "odd\n"],
    ),
    (
        "charset",
        targets::charset,
        &[
            "text/plain; charset=utf-8\nGröße €",
            "text/plain; charset=latin1\nGröße",
            "text/plain; charset=\"UTF-16BE\"\n\0h\0i",
            "TEXT/HTML;a=b; Charset = utf-16\n\u{feff}h\0",
            "\nplain",
        ],
    ),
    (
        "challenge",
        targets::challenge,
        &[
            "Digest realm=\"r\", nonce=\"n\", qop=\"auth\"",
            "Basic realm=x\nDigest realm=\"a\\\"b\\\\\", nonce=n, algorithm=SHA-256-sess, qop=\"auth-int\", userhash=true",
            "Basic realm=\"a, Digest b\", Digest realm=c, nonce=d, opaque=\"e\", domain=\"/ https://h.example/\", charset=UTF-8, stale=true",
            "Digest realm=\"open, nonce=\"\"",
            "Digest realm=r, nonce=n, algorithm=MD4, qop=none",
        ],
    ),
];

/// Bodies that decode, which are no texts.
fn encoded() -> Vec<(Target, Vec<u8>)> {
    let gzip = |bytes: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).expect("memory takes it");
        encoder.finish().expect("memory takes it")
    };
    let (text, zeros) = (gzip(b"a text, a text, a text"), gzip(&vec![0; 1 << 20]));
    let twice = gzip(&zeros);
    let case = |coding: &str, body: &[u8]| -> (Target, Vec<u8>) {
        (targets::decode, [coding.as_bytes(), b"\n", body].concat())
    };
    vec![case("gzip", &text), case("gzip", &zeros), case("gzip, gzip", &twice), case("deflate", &text[10..])]
}

/// What a target must withstand, over inputs made of its own (S67, S70, S71).
#[test]
fn no_input_breaks_a_reader() {
    for (name, target, inputs) in CASES {
        let inputs = inputs.iter().map(|input| input.as_bytes().to_vec()).collect();
        withstands(name, *target, inputs, 200);
    }
    for (target, input) in encoded() {
        withstands("decode", target, vec![input], 20);
    }
}

#[track_caller]
fn withstands(name: &str, target: Target, inputs: Vec<Vec<u8>>, cases: u32) {
    for input in &inputs {
        target(input);
    }
    let input = prop::sample::select(inputs);
    let made = (input, any::<prop::sample::Index>(), prop::collection::vec(any::<u8>(), 0..8), ".{0,12}");
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let ran = TestRunner::new(config).run(&made, |(input, at, bytes, text)| {
        let at = at.index(input.len() + 1);
        let (before, after) = input.split_at(at);
        target(&[before, &bytes, after].concat());
        target(&[before, text.as_bytes(), after].concat());
        target(&[before, before, after].concat());
        target(before);
        Ok(())
    });
    assert!(ran.is_ok(), "{name}: {ran:?}");
}

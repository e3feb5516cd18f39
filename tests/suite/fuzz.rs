//! The fuzz targets over inputs that are stored, and over some that are made of them: what broke once
//! does not break again, and what breaks at once is seen here.

#[path = "../fuzz/targets.rs"]
mod targets;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

type Target = fn(&[u8]);

/// Inputs to begin with, and those that once broke a target.
fn cases() -> Vec<(&'static str, Target, &'static [&'static str])> {
    vec![
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
                "json_all $..*..*\n[[[[1,2],3],4],5]",
                "json_all $[?@.a == 1 && search(@.b, 'x')]\n[{\"a\":1,\"b\":\"x\"}]",
                "css form > input[name=a] @value\n<form><input name=a value=1></form>",
                "xpath //a[@b='1']/text()\n<a b='1'>x</a>",
                "regex (a+)+$\naaaaaaaaaaaaaaaaaaaaaaaa!",
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
                "aaaaaaaa\naaaaaaaaaaaaaaa",
                "pä%ss\"word\np\\u00e4%25ss",
                "eyJeyJeyJ-1234567\neyJeyJeyJeyJeyJeyJ.eyJ",
            ],
        ),
    ]
}

/// What a target must withstand, over inputs made of its own (S67, S70, S71).
#[test]
fn no_input_breaks_a_reader() {
    for (name, target, inputs) in cases() {
        for input in inputs {
            target(input.as_bytes());
        }
        let input = prop::sample::select(inputs.to_vec());
        let made = (input, any::<prop::sample::Index>(), prop::collection::vec(any::<u8>(), 0..8), ".{0,12}");
        let config = Config { cases: 200, failure_persistence: None, ..Config::default() };
        let ran = TestRunner::new(config).run(&made, |(input, at, bytes, text)| {
            let at = at.index(input.len() + 1);
            let (before, after) = input.as_bytes().split_at(at);
            target(&[before, &bytes, after].concat());
            target(&[before, text.as_bytes(), after].concat());
            target(&[before, before, after].concat());
            target(before);
            Ok(())
        });
        assert!(ran.is_ok(), "{name}: {ran:?}");
    }
}

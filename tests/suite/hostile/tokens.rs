//! What a server gives as a token, and a login page in its place.

use super::server::Act::Whole;
use super::{CASE, Case, Out, all_withstood};

#[test]
fn a_token_from_a_server_is_never_trusted_as_text() {
    all_withstood(CASES);
}

const CASES: &[Case] = &[
    Case {
        name: "a login page in place of a token is told by its title",
        rows: "S39",
        answers: &[&[Whole(
            "200 OK\r\ncontent-type: text/html",
            "<html><head><title>Sign in</title></head><body>hello</body></html>",
        )]],
        step: "extract: { x: $.access_token }",
        told: &["HTML", "Sign in"],
        ..CASE
    },
    Case {
        name: "a token with a line break does not become a header",
        rows: "S22 S26",
        answers: &[&[Whole("200 OK", "{\"token\":\"abcdefgh\\r\\nX-Injected: 1\"}")]],
        step: "extract: { token: $.token }",
        then: "- request: { url: '{{ h }}/b', auth: { bearer: '{{ token }}' } }",
        told: &["this is not a bearer token: character 9"],
        untold: &["abcdefgh"],
        saw: &["GET /"],
        ..CASE
    },
    Case {
        name: "a token with a line break does not become a header of any name",
        rows: "S22",
        answers: &[&[Whole("200 OK", "{\"token\":\"abcdefgh\\nX-Injected: 1\"}")]],
        step: "extract: { token: $.token }",
        then: "- request: { url: '{{ h }}/b', headers: { X-A: '{{ token }}' } }",
        told: &["the header `x-a`"],
        untold: &["abcdefgh"],
        saw: &["GET /"],
        ..CASE
    },
    Case {
        name: "a token with a template inside is a token with braces inside",
        rows: "S19",
        answers: &[&[Whole("200 OK", "{\"x\":\"{{ password }}\"}")], &[Whole("200 OK", "{}")]],
        step: "extract: { x: $.x }",
        then: "- request: { url: '{{ h }}/b', query: { x: '{{ x }}' } }",
        out: Out::Gives("\"{{ password }}\""),
        saw: &["GET /", "GET /b?x=%7B%7B%20password%20%7D%7D"],
        ..CASE
    },
    Case {
        name: "a token with an escape of a script inside stays text",
        rows: "S20",
        answers: &[&[Whole("200 OK", "{\"x\":\"`${vars.password}`\\\"; loop { } //\"}")]],
        step: "extract: { x: $.x }",
        then: "- script: vars.y = `${vars.x}`;",
        out: Out::Gives("\"`${vars.password}`\\\"; loop { } //\""),
        ..CASE
    },
];

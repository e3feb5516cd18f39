//! What a server gives as a token, and a login page in its place.

use super::server::Act::Whole;
use super::{CASE, Case, Out, all_withstood};
use reqchain::running::Cause;

#[test]
fn an_answer_that_makes_no_sense_gives_no_token() {
    all_withstood(SENSELESS);
}

#[test]
fn a_refusal_is_bounded_whatever_the_server_says() {
    all_withstood(REFUSALS);
}

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
        step: "extract: { given: $.token }",
        then: "- request: { url: '{{ h }}/b', auth: { bearer: '{{ given }}' } }",
        told: &["this is not a bearer token: character 9"],
        untold: &["abcdefgh"],
        saw: &["GET /"],
        ..CASE
    },
    Case {
        name: "a token with a line break does not become a header of any name",
        rows: "S22",
        answers: &[&[Whole("200 OK", "{\"token\":\"abcdefgh\\nX-Injected: 1\"}")]],
        step: "extract: { given: $.token }",
        then: "- request: { url: '{{ h }}/b', headers: { X-A: '{{ given }}' } }",
        told: &["the header `x-a`"],
        untold: &["abcdefgh"],
        saw: &["GET /"],
        ..CASE
    },
    Case {
        name: "a token with a line break is refused where it is taken",
        rows: "S26",
        answers: &[&[Whole("200 OK", "{\"access_token\":\"abcdefgh\\r\\nX-Injected: 1\"}")]],
        step: "extract: { access_token: $.access_token }",
        then: "- request: { url: '{{ h }}/b' }",
        told: &["cannot extract `access_token`", "character 9 is \\u{d}", "printable ASCII"],
        untold: &["abcdefgh"],
        saw: &["GET /"],
        ..CASE
    },
    Case {
        name: "a token with a NUL is refused where it is taken",
        rows: "S26",
        answers: &[&[Whole("200 OK", "{\"refresh_token\":\"abcdefgh\\u0000\"}")]],
        step: "extract: { refresh_token: $.refresh_token }",
        told: &["cannot extract `refresh_token`", "character 9 is \\u{0}"],
        untold: &["abcdefgh"],
        ..CASE
    },
    Case {
        name: "a token beyond ASCII is refused where it is taken",
        rows: "S26",
        answers: &[&[Whole("200 OK", "{\"id_token\":\"abcdefghé\"}")]],
        step: "extract: { id_token: $.id_token }",
        told: &["cannot extract `id_token`", "character 9 is \\u{e9}"],
        untold: &["abcdefgh"],
        ..CASE
    },
    Case {
        name: "a token that is a word with blanks is refused where it is sent",
        rows: "S26",
        answers: &[&[Whole("200 OK", "{\"access_token\":\"abcdefgh ijk\"}")]],
        step: "extract: { access_token: $.access_token }",
        then: "- request: { url: '{{ h }}/b', auth: { bearer: '{{ access_token }}' } }",
        told: &["not a bearer token", "character 9"],
        untold: &["abcdefgh"],
        saw: &["GET /"],
        ..CASE
    },
    Case {
        name: "a token of another make than bearer tokens are is taken",
        rows: "S26",
        answers: &[&[Whole("200 OK", "{\"access_token\":\"7|abcdefgh*!\"}")], &[Whole("200 OK", "{}")]],
        step: "extract: { access_token: $.access_token }",
        then: "- request: { url: '{{ h }}/b', headers: { X-Auth-Token: '{{ access_token }}' } }",
        out: Out::Passes,
        saw: &["GET /", "GET /b"],
        ..CASE
    },
    Case {
        name: "what a user calls no secret is no token",
        rows: "S26",
        answers: &[&[Whole("200 OK", "{\"token\":\"Grüezi\"}")]],
        step: "extract: { token: { json: $.token, secret: false }, x: '{{ token | length }}' }",
        out: Out::Gives("6"),
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

/// What stands where a token, or its time, should.
const SENSELESS: &[Case] = &[
    Case {
        name: "a token that is null is none, and nothing is sent without it",
        rows: "",
        answers: &[&[Whole("200 OK", "{\"access_token\":null}")]],
        step: "extract: { access_token: $.access_token }",
        then: "- request: { url: '{{ h }}/b', auth: { bearer: '{{ access_token }}' } }",
        told: &["cannot extract `access_token`", "it is null"],
        saw: &["GET /"],
        ..CASE
    },
    Case {
        name: "a token that is a number is none",
        rows: "",
        answers: &[&[Whole("200 OK", "{\"access_token\":12345678}")]],
        step: "extract: { access_token: $.access_token }",
        then: "- request: { url: '{{ h }}/b', auth: { bearer: '{{ access_token }}' } }",
        told: &["cannot extract `access_token`", "it is a number"],
        saw: &["GET /"],
        ..CASE
    },
    Case {
        name: "a token that is true is none",
        rows: "",
        answers: &[&[Whole("200 OK", "{\"access_token\":true}")]],
        step: "extract: { access_token: $.access_token }",
        then: "- request: { url: '{{ h }}/b', auth: { bearer: '{{ access_token }}' } }",
        told: &["cannot extract `access_token`", "`type: string`"],
        saw: &["GET /"],
        ..CASE
    },
    Case {
        name: "a token of no characters is none",
        rows: "",
        answers: &[&[Whole("200 OK", "{\"access_token\":\"\"}")]],
        step: "extract: { access_token: $.access_token }",
        then: "- request: { url: '{{ h }}/b', auth: { bearer: '{{ access_token }}' } }",
        told: &["cannot extract `access_token`", "it is empty"],
        saw: &["GET /"],
        ..CASE
    },
    Case {
        name: "a token that is an object is not sent",
        rows: "",
        answers: &[&[Whole("200 OK", "{\"access_token\":{\"value\":\"abcdefgh\"}}")]],
        step: "extract: { access_token: $.access_token }",
        then: "- request: { url: '{{ h }}/b', auth: { bearer: '{{ access_token }}' } }",
        told: &["flow.yaml:7:", "not a bearer token"],
        untold: &["abcdefgh"],
        saw: &["GET /"],
        ..CASE
    },
    Case {
        name: "a number is a token where the user says so",
        rows: "",
        answers: &[&[Whole("200 OK", "{\"access_token\":12345678}")]],
        step: "extract: { access_token: { json: $.access_token, type: string } }",
        then: "- request: { url: '{{ h }}/b', auth: { bearer: '{{ access_token }}' } }",
        out: Out::Passes,
        saw: &["GET /", "GET /b"],
        ..CASE
    },
    Case {
        name: "a token that may be missing may be null",
        rows: "",
        answers: &[&[Whole("200 OK", "{\"refresh_token\":null}")]],
        step: "extract: { refresh_token: { json: $.refresh_token, optional: true }, x: '{{ refresh_token is none }}' }",
        out: Out::Gives("true"),
        ..CASE
    },
    Case {
        name: "seconds in a text are seconds",
        rows: "",
        answers: &[&[Whole("200 OK", "{\"expires_in\":\"3600\"}")]],
        step: "extract: { x: { json: $.expires_in, type: int } }",
        out: Out::Gives("3600"),
        ..CASE
    },
    Case {
        name: "seconds with a fraction that is none are seconds",
        rows: "",
        answers: &[&[Whole("200 OK", "{\"expires_in\":3600.0}")]],
        step: "extract: { x: { json: $.expires_in, type: int } }",
        out: Out::Gives("3600"),
        ..CASE
    },
    Case {
        name: "seconds in a text with a fraction are a number",
        rows: "",
        answers: &[&[Whole("200 OK", "{\"expires_in\":\"3599.5\"}")]],
        step: "extract: { x: { json: $.expires_in, type: number } }",
        out: Out::Gives("3599.5"),
        ..CASE
    },
    Case {
        name: "seconds before now are a number",
        rows: "",
        answers: &[&[Whole("200 OK", "{\"expires_in\":-1}")]],
        step: "extract: { x: { json: $.expires_in, type: int } }",
        out: Out::Gives("-1"),
        ..CASE
    },
    Case {
        name: "seconds beyond all numbers are none",
        rows: "",
        answers: &[&[Whole("200 OK", "{\"expires_in\":1e30}")]],
        step: "extract: { x: { json: $.expires_in, type: int } }",
        told: &["cannot extract `x`", "is not a whole number"],
        ..CASE
    },
    Case {
        name: "seconds in words are none",
        rows: "",
        answers: &[&[Whole("200 OK", "{\"expires_in\":\"soon\"}")]],
        step: "extract: { x: { json: $.expires_in, type: int } }",
        told: &["cannot extract `x`", "is not a whole number"],
        ..CASE
    },
    Case {
        name: "seconds that are null are none",
        rows: "",
        answers: &[&[Whole("200 OK", "{\"expires_in\":null}")]],
        step: "extract: { x: { json: $.expires_in, type: int } }",
        told: &["cannot extract `x`", "is not a whole number"],
        ..CASE
    },
    Case {
        name: "seconds that are an object are none",
        rows: "",
        answers: &[&[Whole("200 OK", "{\"expires_in\":{\"s\":3600}}")]],
        step: "extract: { x: { json: $.expires_in, type: int } }",
        told: &["cannot extract `x`", "is not a whole number"],
        ..CASE
    },
];

const REFUSALS: &[Case] = &[
    Case {
        name: "a refusal is asked once where nobody says otherwise",
        rows: "S42",
        answers: &[&[Whole("401 Unauthorized", "")]],
        out: Out::Fails(Cause::Authentication),
        told: &["401"],
        saw: &["GET /"],
        ..CASE
    },
    Case {
        name: "a refusal is no fault of the moment: `retry` alone does not ask again",
        rows: "S42",
        answers: &[&[Whole("401 Unauthorized", "")]],
        step: "retry: 3",
        out: Out::Fails(Cause::Authentication),
        told: &["401"],
        saw: &["GET /"],
        ..CASE
    },
    Case {
        name: "a refusal is asked again as often as the file says and not once more",
        rows: "S42",
        answers: &[&[Whole("401 Unauthorized", "")]],
        step: "retry: { max: 2, if: [401] }",
        out: Out::Fails(Cause::Authentication),
        told: &["401"],
        saw: &["GET /", "GET /", "GET /"],
        ..CASE
    },
    Case {
        name: "a challenge that is always stale is answered twice at most",
        rows: "S42",
        keys: "auth: { digest: { username: ann, password: '{{ password }}' } }",
        answers: &[&[Whole(
            "401 Unauthorized\r\nwww-authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\", stale=true",
            "",
        )]],
        out: Out::Fails(Cause::Authentication),
        told: &["401"],
        saw: &["GET /", "GET /", "GET /"],
        ..CASE
    },
    Case {
        name: "a challenge that is always stale is bounded by `retry`, too",
        rows: "S42",
        keys: "auth: { digest: { username: ann, password: '{{ password }}' } }",
        answers: &[&[Whole(
            "401 Unauthorized\r\nwww-authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\", stale=true",
            "",
        )]],
        step: "retry: { max: 1, if: [401] }",
        out: Out::Fails(Cause::Authentication),
        told: &["401"],
        saw: &["GET /"; 6],
        ..CASE
    },
];

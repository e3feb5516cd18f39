//! Where a server sends us, and what goes along.

use super::server::Act::{Say, Whole};
use super::{CASE, Case, Next, Out, all_withstood};

#[test]
fn a_redirect_leads_nowhere_that_it_should_not_and_takes_nothing_along() {
    all_withstood(CASES);
}

const CASES: &[Case] = &[
    Case {
        name: "a bearer stays behind where a redirect leads to another origin",
        rows: "S1",
        answers: &[&[Whole("302 Found\r\nlocation: «away»/x", "")]],
        keys: "auth: { bearer: '{{ password }}' }",
        out: Out::Passes,
        away_saw: &["GET /x"],
        away_unseen: &["hunter2", "authorization"],
        ..CASE
    },
    Case {
        name: "a bearer that was written as a header in odd letters stays behind",
        rows: "S1",
        answers: &[&[Whole("302 Found\r\nlocation: «away»/x", "")]],
        keys: "headers: { aUTHORIZATION: 'Bearer {{ password }}' }",
        out: Out::Passes,
        away_saw: &["GET /x"],
        away_unseen: &["hunter2", "authorization"],
        ..CASE
    },
    Case {
        name: "a header of any name that holds a secret stays behind",
        rows: "S2",
        answers: &[&[Whole("302 Found\r\nlocation: «away»/x", "")]],
        keys: "headers: { X-Odd: 'v {{ password }}', X-Api-Key: abcdefgh, DPoP: proof-proof, Proxy-Authorization: Basic YTpi, Cookie: sid=abcdefgh }",
        out: Out::Passes,
        away_saw: &["GET /x"],
        away_unseen: &["hunter2", "x-odd", "x-api-key", "dpop", "proxy-authorization", "cookie"],
        ..CASE
    },
    Case {
        name: "a 308 takes no header with a secret along either, and all others",
        rows: "S1 S2",
        answers: &[&[Whole("308 Permanent Redirect\r\nlocation: «away»/x", "")]],
        keys: "headers: { X-Odd: 'v {{ password }}', X-Plain: visible-word }, auth: { bearer: '{{ password }}' }",
        out: Out::Passes,
        told: &["credentials were left behind"],
        away_saw: &["GET /x"],
        away_unseen: &["hunter2", "authorization", "x-odd"],
        ..CASE
    },
    Case {
        name: "an API key of `auth` stays behind",
        rows: "S2",
        answers: &[&[Whole("302 Found\r\nlocation: «away»/x", "")]],
        keys: "auth: { api_key: { header: X-Mine, value: abcdefgh } }",
        out: Out::Passes,
        away_saw: &["GET /x"],
        away_unseen: &["x-mine", "abcdefgh"],
        ..CASE
    },
    Case {
        name: "a credential does not come back after a detour",
        rows: "S3",
        answers: &[&[Whole("302 Found\r\nlocation: «away»/x", "")], &[Whole("200 OK", "{}")]],
        away: &[&[Whole("302 Found\r\nlocation: «h»/next", "")]],
        keys: "auth: { bearer: '{{ password }}' }",
        out: Out::Passes,
        saw: &["GET /"],
        away_saw: &["GET /x"],
        away_unseen: &["hunter2"],
        ..CASE
    },
    Case {
        name: "a 307 does not send the login again to another origin",
        rows: "S4",
        answers: &[&[Whole("307 Temporary Redirect\r\nlocation: «away»/x", "")]],
        keys: "method: POST, form: { password: '{{ password }}' }",
        told: &["redirects to another origin", "with status 307"],
        ..CASE
    },
    Case {
        name: "a 308 does not send a body without a secret again to another origin either",
        rows: "S4",
        answers: &[&[Whole("308 Permanent Redirect\r\nlocation: «away»/x", "")]],
        keys: "method: POST, json: { a: 1 }",
        told: &["redirects to another origin", "with status 308"],
        ..CASE
    },
    Case {
        name: "a 302 after a POST is a GET without its body",
        rows: "S4",
        answers: &[&[Whole("302 Found\r\nlocation: «away»/x", "")]],
        keys: "method: POST, form: { a: visible-word }",
        out: Out::Passes,
        away_saw: &["GET /x"],
        away_unseen: &["visible-word", "content-length", "content-type"],
        ..CASE
    },
    Case {
        name: "a file of this machine is not what a redirect gives",
        rows: "S6",
        answers: &[&[Whole("302 Found\r\nlocation: file:///etc/passwd", "")]],
        told: &["redirects to a `file:` URL"],
        untold: &["root:"],
        ..CASE
    },
    Case {
        name: "a redirect to ftp is not followed",
        rows: "S6",
        answers: &[&[Whole("302 Found\r\nlocation: ftp://127.0.0.1/x", "")]],
        told: &["redirects to a `ftp:` URL"],
        ..CASE
    },
    Case {
        name: "a redirect to data is not followed",
        rows: "S6",
        answers: &[&[Whole("302 Found\r\nlocation: data:text/plain,x", "")]],
        told: &["redirects to a `data:` URL"],
        ..CASE
    },
    Case {
        name: "a redirect to javascript is not followed",
        rows: "S6",
        answers: &[&[Whole("302 Found\r\nlocation: javascript:alert(1)", "")]],
        told: &["redirects to a `javascript:` URL"],
        ..CASE
    },
    Case {
        name: "a redirect to gopher is not followed",
        rows: "S6",
        answers: &[&[Whole("302 Found\r\nlocation: gopher://127.0.0.1:25/x", "")]],
        told: &["redirects to a `gopher:` URL"],
        ..CASE
    },
    Case {
        name: "a redirect from https to http with a credential is refused",
        rows: "S6",
        tls: true,
        answers: &[&[Whole("302 Found\r\nlocation: «away»/x", "")]],
        keys: "auth: { bearer: '{{ password }}' }",
        told: &["which is not encrypted, but the request carries credentials"],
        ..CASE
    },
    Case {
        name: "a redirect from https to http without a credential is warned of",
        rows: "S6",
        tls: true,
        answers: &[&[Whole("302 Found\r\nlocation: «away»/x", "")]],
        out: Out::Passes,
        told: &["a redirect from https://127.0.0.1:", "which is not encrypted"],
        away_saw: &["GET /x"],
        ..CASE
    },
    Case {
        name: "a name and a password in a redirect are not sent, nor shown",
        rows: "S7",
        answers: &[&[Whole("302 Found\r\nlocation: http://evil:hidden-word@«away_host»/x", "")]],
        out: Out::Passes,
        untold: &["hidden-word"],
        away_saw: &["GET /x"],
        away_unseen: &["authorization"],
        ..CASE
    },
    Case {
        name: "a name and a password in a redirect that is not followed are not shown either",
        rows: "S7",
        answers: &[&[Whole("302 Found\r\nlocation: http://evil:hidden-word@«away_host»/x", "")]],
        keys: "redirects: none",
        step: "expect: { status: 302 }",
        out: Out::Passes,
        untold: &["hidden-word"],
        ..CASE
    },
    Case {
        name: "a redirect to itself ends, and the chain is told",
        rows: "S8",
        answers: &[&[Whole("302 Found\r\nlocation: /", "")]],
        told: &["they go round in a circle: http://127.0.0.1:", "/ → http://127.0.0.1:"],
        ..CASE
    },
    Case {
        name: "two origins that send us to each other end, and the chain is told",
        rows: "S8",
        answers: &[&[Whole("302 Found\r\nlocation: «away»/x?token=hidden-word", "")]],
        away: &[&[Whole("302 Found\r\nlocation: «h»/", "")]],
        told: &[
            "they go round in a circle: http://127.0.0.1:",
            "/ → http://127.0.0.1:",
            "/x → http://127.0.0.1:",
        ],
        untold: &["hidden-word"],
        away_saw: &["GET /x?token=hidden-word"; 5],
        ..CASE
    },
    Case {
        name: "a redirect without a place is the answer itself",
        rows: "S9",
        answers: &[&[Whole("302 Found", "")]],
        step: "extract: { x: '{{ response.status }}' }",
        out: Out::Gives("302"),
        ..CASE
    },
    Case {
        name: "a redirect whose place makes no URL is an error",
        rows: "S9",
        answers: &[&[Whole("302 Found\r\nlocation: http://[::1/x", "")]],
        told: &["`Location` header is not a URL"],
        ..CASE
    },
    Case {
        name: "a redirect to a host with a slash in it is an error",
        rows: "S9",
        answers: &[&[Whole("302 Found\r\nlocation: http://127.0.0.1%2f.evil.example/x", "")]],
        told: &["`Location` header is not a URL"],
        ..CASE
    },
    Case {
        name: "an empty place is an error",
        rows: "S9",
        answers: &[&[Whole("302 Found\r\nlocation:    ", "")]],
        told: &["`Location` header is empty"],
        saw: &["GET /"],
        ..CASE
    },
    Case {
        name: "two places that differ are an error",
        rows: "S9",
        answers: &[&[Whole("302 Found\r\nlocation: /a\r\nlocation: /b", "")]],
        told: &["`Location` header comes more than once"],
        saw: &["GET /"],
        ..CASE
    },
    Case {
        name: "a place that is told twice is one place",
        rows: "S9",
        answers: &[&[Whole("302 Found\r\nlocation: /a\r\nlocation: /a", "")], &[Whole("200 OK", "{}")]],
        out: Out::Passes,
        saw: &["GET /", "GET /a"],
        ..CASE
    },
    Case {
        name: "a tab in a place, which one reader drops and another does not, is an error",
        rows: "S9",
        answers: &[&[Whole("302 Found\r\nlocation: /a\tb", "")]],
        told: &["`Location` header has a control character"],
        saw: &["GET /"],
        ..CASE
    },
    Case {
        name: "two slashes are another host and not a path",
        rows: "S9 S1",
        answers: &[&[Whole("302 Found\r\nlocation: //127.0.0.1:1/x", "")]],
        keys: "auth: { bearer: '{{ password }}' }",
        told: &["127.0.0.1:1"],
        ..CASE
    },
    Case {
        name: "backslashes are slashes, and lead to another host too",
        rows: "S9 S1",
        answers: &[&[Whole("302 Found\r\nlocation: \\\\127.0.0.1:1\\x", "")]],
        keys: "auth: { bearer: '{{ password }}' }",
        told: &["127.0.0.1:1"],
        ..CASE
    },
    Case {
        name: "spaces and letters beyond ASCII in a place are encoded",
        rows: "S9",
        answers: &[&[Whole("302 Found\r\nlocation: /a b/ä?x=\"y\"", "")], &[Whole("200 OK", "{}")]],
        out: Out::Passes,
        saw: &["GET /", "GET /a%20b/%C3%A4?x=%22y%22"],
        ..CASE
    },
    Case {
        name: "a redirect tells nobody where it came from",
        rows: "S10",
        answers: &[&[Whole("302 Found\r\nlocation: «away»/x", "")]],
        keys: "query: { code: visible-word }",
        out: Out::Passes,
        saw: &["GET /?code=visible-word"],
        away_saw: &["GET /x"],
        away_unseen: &["referer", "origin:", "visible-word"],
        ..CASE
    },
    Case {
        name: "a URL that a server chose gets no credential of the workflow",
        rows: "S11",
        answers: &[&[Whole("200 OK", "{\"u\":\"«away»/x\"}")]],
        step: "extract: { u: $.u }",
        then: "- request: { url: '{{ u }}', auth: { bearer: '{{ password }}' } }",
        out: Out::Passes,
        told: &["sent without credentials: a server chose"],
        away_saw: &["GET /x"],
        away_unseen: &["hunter2", "authorization"],
        ..CASE
    },
    Case {
        name: "no fragment goes over the wire",
        rows: "S12",
        answers: &[
            &[Whole("302 Found\r\nlocation: /a#access_token=hidden-word", "")],
            &[Whole("200 OK", "{}")],
        ],
        then: "- request: GET {{ h }}/b#part",
        out: Out::Passes,
        saw: &["GET /", "GET /a", "GET /b"],
        ..CASE
    },
    Case {
        name: "a token in the query of a redirect is not shown",
        rows: "S12",
        answers: &[
            &[Whole("302 Found\r\nlocation: /a?access_token=hidden-word-9", "")],
            &[Whole("200 OK", "{}")],
        ],
        out: Out::Passes,
        untold: &["hidden-word-9"],
        saw: &["GET /", "GET /a?access_token=hidden-word-9"],
        ..CASE
    },
    Case {
        name: "the body of a redirect is not taken for the next answer",
        rows: "S33",
        answers: &[
            &[Say("HTTP/1.1 302 Found\r\nlocation: /a\r\ncontent-length: 3\r\n\r\n{}\n")],
            &[Whole("200 OK", "{\"x\":1}")],
        ],
        step: "extract: { x: $.x }",
        out: Out::Gives("1"),
        next: Next::Same,
        ..CASE
    },
];

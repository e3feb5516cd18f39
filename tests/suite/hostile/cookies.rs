//! What a server puts into the jar, and where it comes out again.

use super::server::Act::{Say, Times, Whole};
use super::{CASE, Case, Next, Out, all_withstood};

#[test]
fn a_cookie_goes_only_where_it_belongs() {
    all_withstood(CASES);
}

const CASES: &[Case] = &[
    Case {
        name: "a cookie that is meant for https is not kept over http, and its port is no other server's",
        rows: "S5",
        answers: &[&[Whole("200 OK\r\nset-cookie: sid=abcdefgh; Secure; Path=/", "{}")]],
        out: Out::Passes,
        next: Next::Decent,
        next_unseen: &["cookie:"],
        ..CASE
    },
    Case {
        name: "a cookie that stands in the request does not go to another origin",
        rows: "S5",
        answers: &[&[Whole("302 Found\r\nlocation: «away»/x", "")]],
        keys: "headers: { Cookie: lang=visible-word }",
        out: Out::Passes,
        away_saw: &["GET /x"],
        away_unseen: &["visible-word"],
        ..CASE
    },
    Case {
        name: "a cookie for a whole top level, an odd domain or an address is not kept",
        rows: "S13",
        answers: &[&[Whole(
            "200 OK\r\nset-cookie: a=1; Domain=com\r\nset-cookie: b=1; Domain=co.UK\r\nset-cookie: d=1; Domain=com.\r\nset-cookie: e=1; Domain=0.0.1\r\nset-cookie: f=1; Domain=evil.example",
            "{}",
        )]],
        out: Out::Passes,
        next: Next::Same,
        next_unseen: &["cookie:"],
        ..CASE
    },
    Case {
        name: "a domain that is nothing but a dot is the host itself",
        rows: "S13",
        answers: &[&[Whole("200 OK\r\nset-cookie: a=1; Domain=.; Path=/", "{}")]],
        out: Out::Passes,
        next: Next::Same,
        next_sees: &["cookie: a=1\r\n"],
        ..CASE
    },
    Case {
        name: "prefixes that are not earned, nameless cookies and control bytes are not kept",
        rows: "S14",
        answers: &[&[Whole(
            "200 OK\r\nset-cookie: __Host-a=1; Path=/\r\nset-cookie: __Secure-b=1\r\nset-cookie: =c\r\nset-cookie: d\r\nset-cookie: __hOST-e=1; Path=/\r\nset-cookie: =__Host-f=1",
            "{}",
        )]],
        out: Out::Passes,
        next: Next::Same,
        next_unseen: &["cookie:"],
        ..CASE
    },
    Case {
        name: "an age beyond all numbers is a long time, and a negative one is over",
        rows: "S14",
        answers: &[&[Whole(
            "200 OK\r\nset-cookie: long=1; Max-Age=99999999999999999999999; Path=/\r\nset-cookie: over=1; Max-Age=-99999999999999999999999; Path=/",
            "{}",
        )]],
        out: Out::Passes,
        next: Next::Same,
        next_sees: &["cookie: long=1\r\n"],
        ..CASE
    },
    Case {
        name: "an answer with a control byte in a cookie is refused whole, and nothing is kept of it",
        rows: "S14",
        answers: &[&[Say("HTTP/1.1 200 OK\r\nset-cookie: a=1\u{1}2; Path=/\r\ncontent-length: 2\r\n\r\n{}")]],
        told: &["not HTTP"],
        next: Next::Fresh,
        next_unseen: &["cookie:"],
        ..CASE
    },
    Case {
        name: "an answer with a NUL in a cookie is refused whole, and nothing is kept of it",
        rows: "S14",
        answers: &[&[Say("HTTP/1.1 200 OK\r\nset-cookie: a=1\0; Path=/\r\ncontent-length: 2\r\n\r\n{}")]],
        told: &["not HTTP"],
        next: Next::Fresh,
        next_unseen: &["cookie:"],
        ..CASE
    },
    Case {
        name: "a tab is the one control byte that a cookie may have inside (RFC 6265bis, 5.6)",
        rows: "S14",
        answers: &[&[Say("HTTP/1.1 200 OK\r\nset-cookie: a=1\t2; Path=/\r\ncontent-length: 2\r\n\r\n{}")]],
        out: Out::Passes,
        next: Next::Same,
        next_sees: &["cookie: a=1\t2\r\n"],
        ..CASE
    },
    Case {
        name: "a flood of cookies leaves later requests small enough to be taken",
        rows: "S15",
        answers: &[&[
            Say("HTTP/1.1 200 OK\r\n"),
            Times(60, "set-cookie: a=1; Path=/\r\n"),
            Say("set-cookie: b="),
            Times(4093, "x"),
            Say("; Path=/\r\ncontent-length: 2\r\n\r\n{}"),
        ]],
        out: Out::Passes,
        told: &["cookies"],
        next: Next::Same,
        next_sees: &["cookie: a=1\r\n"],
        ..CASE
    },
    Case {
        name: "a cookie in an interim answer is not kept",
        rows: "S18",
        answers: &[&[
            Say("HTTP/1.1 103 Early Hints\r\nset-cookie: early=1; Path=/\r\n\r\n"),
            Whole("200 OK", "{}"),
        ]],
        out: Out::Passes,
        next: Next::Same,
        next_unseen: &["early"],
        ..CASE
    },
    Case {
        name: "a cookie in a trailer is not kept",
        rows: "S18",
        answers: &[&[Say(
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: set-cookie\r\n\r\n2\r\n{}\r\n0\r\nset-cookie: trailing=1; Path=/\r\n\r\n",
        )]],
        out: Out::Passes,
        next: Next::Same,
        next_unseen: &["trailing"],
        ..CASE
    },
];

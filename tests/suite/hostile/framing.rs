//! Answers that are not framed as HTTP frames them, or end before they should.

use super::server::Act::{Bytes, Close, Hang, Reset, Say, Times, Whole};
use super::{CASE, Case, Next, Out, all_withstood};

#[test]
fn an_answer_out_of_frame_is_an_error_and_its_connection_is_not_used_again() {
    all_withstood(CASES);
}

const CASES: &[Case] = &[
    Case {
        name: "a body shorter than its length is cut off, and no half token is taken from it",
        rows: "S32",
        answers: &[&[Say("HTTP/1.1 200 OK\r\ncontent-length: 40\r\n\r\n{\"token\":\"half\"}"), Close]],
        step: "extract: { x: $.token }",
        told: &["cut off: 16 bytes of the body came of 40"],
        ..CASE
    },
    Case {
        name: "a body of chunks without the last one is cut off",
        rows: "S32",
        answers: &[&[
            Say("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n10\r\n{\"token\":\"half\"}\r\n"),
            Close,
        ]],
        step: "extract: { x: $.token }",
        told: &["cut off", "not its end"],
        ..CASE
    },
    Case {
        name: "a body of chunks that ends inside a chunk is cut off",
        rows: "S32",
        answers: &[&[
            Say("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n20\r\n{\"token\":\"half\"}"),
            Close,
        ]],
        step: "extract: { x: $.token }",
        told: &["cut off"],
        ..CASE
    },
    Case {
        name: "a head that ends in the middle is no answer",
        rows: "S32",
        answers: &[&[Say("HTTP/1.1 200 OK\r\ncontent-len"), Close]],
        told: &["closed the connection before it answered"],
        ..CASE
    },
    Case {
        name: "two lengths that differ are an error",
        rows: "S33",
        answers: &[&[Say("HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 15\r\n\r\n{}")]],
        told: &["not HTTP"],
        next: Next::Fresh,
        ..CASE
    },
    Case {
        name: "a length beside chunks never lets the rest be the next answer",
        rows: "S33",
        answers: &[&[Say(
            "HTTP/1.1 200 OK\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        )]],
        told: &["both `Content-Length` and `Transfer-Encoding`"],
        next: Next::Fresh,
        ..CASE
    },
    Case {
        name: "a length beside chunks ends a connection too whose certificate is not checked",
        rows: "S33",
        tls: true,
        top: "defaults: { tls: { insecure: true } }",
        answers: &[&[Say(
            "HTTP/1.1 200 OK\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        )]],
        told: &["both `Content-Length` and `Transfer-Encoding`"],
        next: Next::Fresh,
        ..CASE
    },
    Case {
        name: "a negative length is an error",
        rows: "S33",
        answers: &[&[Say("HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n{}")]],
        told: &["not HTTP"],
        next: Next::Fresh,
        ..CASE
    },
    Case {
        name: "a length that is no number is an error",
        rows: "S33",
        answers: &[&[Say("HTTP/1.1 200 OK\r\ncontent-length: 2, 3\r\n\r\n{}")]],
        told: &["not HTTP"],
        next: Next::Fresh,
        ..CASE
    },
    Case {
        name: "a size of a chunk that is no number is an error",
        rows: "S33",
        answers: &[&[Say("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n")]],
        told: &["broke off"],
        next: Next::Fresh,
        ..CASE
    },
    Case {
        name: "a size of a chunk beyond all numbers is an error",
        rows: "S33",
        answers: &[&[Say(
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n{}\r\n0\r\n\r\n",
        )]],
        told: &["broke off"],
        next: Next::Fresh,
        ..CASE
    },
    Case {
        name: "an answer behind the answer is not taken for the next one",
        rows: "S33",
        answers: &[&[Say(
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}HTTP/1.1 200 OK\r\ncontent-length: 14\r\n\r\n{\"next\":false}",
        )]],
        out: Out::Passes,
        next: Next::Fresh,
        ..CASE
    },
    Case {
        name: "a body where none may be is not taken for the next answer",
        rows: "S33",
        answers: &[&[Say("HTTP/1.1 204 No Content\r\ncontent-length: 14\r\n\r\n{\"next\":false}")]],
        out: Out::Passes,
        next: Next::Fresh,
        ..CASE
    },
    Case {
        name: "a line of a header without a colon is an error",
        rows: "S33 S35",
        answers: &[&[Say("HTTP/1.1 200 OK\r\nno colon here\r\ncontent-length: 2\r\n\r\n{}")]],
        told: &["not HTTP"],
        next: Next::Fresh,
        ..CASE
    },
    Case {
        name: "a reset in the middle of the body is an error",
        rows: "S34",
        answers: &[&[Say("HTTP/1.1 200 OK\r\ncontent-length: 40\r\n\r\n{\"token\":"), Reset]],
        step: "extract: { x: $.token }",
        told: &["of the body"],
        next: Next::Fresh,
        ..CASE
    },
    Case {
        name: "a reset before the answer is an error",
        rows: "S34",
        answers: &[&[Reset]],
        told: &["reset the connection before it answered"],
        saw: &["GET /"],
        next: Next::Fresh,
        ..CASE
    },
    Case {
        name: "a connection that was promised and then closed is not missed",
        rows: "S34",
        answers: &[&[Say("HTTP/1.1 200 OK\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\n{}"), Close]],
        out: Out::Passes,
        saw: &["GET /"],
        next: Next::Fresh,
        ..CASE
    },
    Case {
        name: "a POST on a connection that breaks is never sent twice",
        rows: "S34",
        answers: &[&[Whole("200 OK", "{}")], &[Reset], &[Whole("200 OK", "{}")]],
        then: "- request: { url: '{{ h }}/refresh', method: POST, form: { a: b } }",
        told: &["reset the connection before it answered"],
        saw: &["GET /", "POST /refresh"],
        ..CASE
    },
    Case {
        name: "what speaks first and says something else is not HTTP",
        rows: "S35",
        answers: &[&[Say("220 mail.example ESMTP\r\n")]],
        told: &["not HTTP", "is that the right port?"],
        ..CASE
    },
    Case {
        name: "bytes without any sense are not HTTP",
        rows: "S35",
        answers: &[&[Bytes(b"\xff\xfe\x1b[2J\x00\r\n"), Close]],
        told: &["not HTTP", "`\\xff\\xfe\\x1b[2J\\x00`"],
        untold: &["\u{1b}"],
        ..CASE
    },
    Case {
        name: "a frame of HTTP/2 is not HTTP/1.1",
        rows: "S35",
        answers: &[&[Bytes(b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x80\x00"), Close]],
        told: &["not HTTP", "`\\x00\\x00\\x12\\x04"],
        ..CASE
    },
    Case {
        name: "a status that is no number is not HTTP",
        rows: "S35",
        answers: &[&[Say("HTTP/1.1 abc OK\r\ncontent-length: 2\r\n\r\n{}")]],
        told: &["not HTTP"],
        ..CASE
    },
    Case {
        name: "the status 999 is no status",
        rows: "S35",
        answers: &[&[Whole("999 What", "{}")]],
        told: &["not HTTP", "999"],
        next: Next::Decent,
        ..CASE
    },
    Case {
        name: "a status line alone, and nothing more, runs into the time limit",
        rows: "S35 S30",
        answers: &[&[Say("HTTP/1.1 200 OK\r\n"), Hang]],
        keys: "timeout: 200ms",
        told: &["within 200ms", "waiting for the answer"],
        ..CASE
    },
    Case {
        name: "a thousand interim answers are no answer",
        rows: "S35 S31",
        answers: &[&[Times(1000, "HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n"), Whole("200 OK", "{}")]],
        out: Out::Passes,
        next: Next::Decent,
        ..CASE
    },
];

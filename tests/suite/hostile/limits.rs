//! Answers that are too large, too many or too slow.

use super::server::Act::{Drip, Endless, Hang, Say, Times, Whole};
use super::{CASE, Case, Next, Out, all_withstood};
use reqchain::running::Cause;

#[test]
fn an_answer_without_measure_is_stopped_at_its_limit() {
    all_withstood(CASES);
}

const CASES: &[Case] = &[
    Case {
        name: "a body without end is stopped at the limit",
        rows: "S29",
        answers: &[&[Say("HTTP/1.1 200 OK\r\n\r\n"), Endless("x")]],
        told: &["larger than 32MiB", "raise `max_body`"],
        next: Next::Fresh,
        ..CASE
    },
    Case {
        name: "chunks without end are stopped at the limit",
        rows: "S29",
        answers: &[&[Say("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"), Endless("4\r\nabcd\r\n")]],
        keys: "max_body: 1MiB",
        told: &["larger than 1MiB"],
        next: Next::Fresh,
        ..CASE
    },
    Case {
        name: "a length of 2^63 is refused before a byte of it is read",
        rows: "S29",
        answers: &[&[Say("HTTP/1.1 200 OK\r\ncontent-length: 9223372036854775807\r\n\r\n"), Hang]],
        told: &["larger than 32MiB", "announces 9223372036854775807 bytes"],
        ..CASE
    },
    Case {
        name: "a body that comes drop by drop runs into the total time",
        rows: "S30",
        answers: &[&[Say("HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n"), Drip(" ")]],
        keys: "timeout: 300ms",
        told: &["within 300ms", "reading the body"],
        next: Next::Fresh,
        ..CASE
    },
    Case {
        name: "headers that come drop by drop run into the total time",
        rows: "S30",
        answers: &[&[Say("HTTP/1.1 200 OK\r\n"), Drip("x-a: 1\r\n")]],
        keys: "timeout: 300ms",
        told: &["within 300ms", "waiting for the answer"],
        ..CASE
    },
    Case {
        name: "interim answers without end run into the total time",
        rows: "S30",
        answers: &[&[Drip("HTTP/1.1 100 Continue\r\n\r\n")]],
        keys: "timeout: 300ms",
        told: &["within 300ms"],
        ..CASE
    },
    Case {
        name: "redirects that each take their time share one limit",
        rows: "S30 S8",
        answers: &[
            &[Whole("302 Found\r\nlocation: /a", "")],
            &[Say("HTTP/1.1 302 Found\r\n"), Drip("x-a: 1\r\n")],
        ],
        keys: "timeout: 300ms",
        told: &["within 300ms", "after a redirect"],
        ..CASE
    },
    Case {
        name: "ten thousand headers are too many",
        rows: "S31",
        answers: &[&[
            Say("HTTP/1.1 200 OK\r\n"),
            Times(10_000, "x-a: 1\r\n"),
            Say("content-length: 2\r\n\r\n{}"),
        ]],
        told: &["headers", "too many or too large"],
        next: Next::Fresh,
        ..CASE
    },
    Case {
        name: "a header of a MiB is too large",
        rows: "S31",
        answers: &[&[
            Say("HTTP/1.1 200 OK\r\nx-a: "),
            Times(1 << 20, "y"),
            Say("\r\ncontent-length: 2\r\n\r\n{}"),
        ]],
        told: &["headers", "too many or too large"],
        next: Next::Fresh,
        ..CASE
    },
    Case {
        name: "headers without end are stopped",
        rows: "S31",
        answers: &[&[Say("HTTP/1.1 200 OK\r\n"), Endless("x-a: 1\r\n")]],
        told: &["headers", "too many or too large"],
        ..CASE
    },
    Case {
        name: "a reason phrase without end is stopped",
        rows: "S31",
        answers: &[&[Say("HTTP/1.1 200 "), Endless("x")]],
        told: &["headers", "too many or too large"],
        ..CASE
    },
    Case {
        name: "a wait of years is not waited, and that is told",
        rows: "S41",
        answers: &[&[Whole("503 Busy\r\nretry-after: 999999999", "")]],
        step: "retry: 3",
        out: Out::Fails(Cause::CheckFailed),
        told: &["999999999", "60 s"],
        saw: &["GET /"],
        ..CASE
    },
    Case {
        name: "a negative wait is no wait, and the attempts are bounded",
        rows: "S41",
        answers: &[&[Whole("429 Slow Down\r\nretry-after: -5", "")]],
        step: "retry: 3",
        out: Out::Fails(Cause::CheckFailed),
        told: &["429"],
        saw: &["GET /", "GET /", "GET /", "GET /"],
        ..CASE
    },
    Case {
        name: "a wait in words is no wait, and the attempts are bounded",
        rows: "S41",
        answers: &[&[Whole("503 Busy\r\nretry-after: tomorrow morning", "")]],
        step: "retry: 1",
        out: Out::Fails(Cause::CheckFailed),
        told: &["503"],
        saw: &["GET /", "GET /"],
        ..CASE
    },
    Case {
        name: "a wait until a date is waited and the next answer taken",
        rows: "S41",
        answers: &[
            &[Whole("503 Busy\r\nretry-after: Thu, 01 Jan 2026 00:00:09 GMT", "")],
            &[Whole("200 OK", "{\"x\":1}")],
        ],
        step: "retry: 1\nextract: { x: $.x }",
        out: Out::Gives("1"),
        saw: &["GET /", "GET /"],
        ..CASE
    },
];

//! The same and more over HTTP/2: streams that break off, floods of frames, and bodies that are not as
//! long as they should be.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::server::Act::{Close, Frame as F, Say, Whole};
use super::server::Frame::{Data, Drip, End, Flood, GoAway, Head, Last, Made, Pour, Raw, Reset};
use super::server::{CONTINUATION, DATA, END_HEADERS, HEADERS, PING, SETTINGS, frame, header};
use super::{CASE, Case, Next, Out, all_withstood};

#[test]
fn an_answer_of_http_2_is_held_to_the_same() {
    all_withstood(STREAMS);
}

#[test]
fn frames_without_end_are_stopped_at_their_limits() {
    all_withstood(FLOODS);
}

/// Over TLS, by ALPN.
const ALPN: Case = Case { tls: true, http2: true, ..CASE };
/// Without TLS, by `http_version: 2`.
const KNOWN: Case = Case { http2: true, ..CASE };

const OK: &[(&str, &str)] = &[(":status", "200")];
const LONG: &[(&str, &str)] = &[(":status", "200"), ("content-length", "40")];

const NO_ERROR: u32 = 0;
const PROTOCOL_ERROR: u32 = 1;
const INTERNAL_ERROR: u32 = 2;
const REFUSED_STREAM: u32 = 7;
const CANCEL: u32 = 8;
const HTTP_1_1_REQUIRED: u32 = 13;

const STREAMS: &[Case] = &[
    Case {
        name: "HTTP/2 is spoken with the server of the suite, by ALPN",
        rows: "",
        answers: &[&[Whole("200 OK", "{\"x\":1}")]],
        step: "extract: { x: $.x }",
        out: Out::Gives("1"),
        saw: &["GET /"],
        next: Next::Same,
        ..ALPN
    },
    Case {
        name: "a stream that is reset in the middle of the body is broken off",
        rows: "S32 S34",
        answers: &[&[F(Head(OK)), F(Data("{\"token\":\"half\"}")), F(Reset(INTERNAL_ERROR))]],
        step: "extract: { x: $.token }",
        told: &["broke off after 16 bytes"],
        saw: &["GET /"],
        next: Next::Decent,
        ..ALPN
    },
    Case {
        name: "a stream that is cancelled in the middle of the body is broken off",
        rows: "S32",
        answers: &[&[F(Head(OK)), F(Data("{\"token\":\"half\"}")), F(Reset(CANCEL))]],
        step: "extract: { x: $.token }",
        told: &["broke off after 16 bytes"],
        next: Next::Decent,
        ..ALPN
    },
    Case {
        name: "a stream that is reset for no error, and before its end, is cut off",
        rows: "S32",
        answers: &[&[F(Head(OK)), F(Data("{\"token\":\"half\"}")), F(Reset(NO_ERROR))]],
        step: "extract: { x: $.token }",
        told: &["cut off: 16 bytes of the body came, and not its end"],
        next: Next::Decent,
        ..ALPN
    },
    Case {
        name: "a stream that is reset for no error before the length that was promised is cut off",
        rows: "S32",
        answers: &[&[F(Head(LONG)), F(Data("{\"token\":\"half\"}")), F(Reset(NO_ERROR))]],
        step: "extract: { x: $.token }",
        told: &["cut off: 16 bytes of the body came of 40"],
        ..ALPN
    },
    Case {
        name: "a stream that is reset for no error behind its end is whole",
        rows: "S32",
        answers: &[&[F(Head(OK)), F(Data("{\"x\":1}")), F(End), F(Reset(NO_ERROR))]],
        step: "extract: { x: $.x }",
        out: Out::Gives("1"),
        ..ALPN
    },
    Case {
        name: "a connection that is closed in the middle of the body is cut off",
        rows: "S32 S34",
        answers: &[&[F(Head(OK)), F(Data("{\"token\":\"half\"}")), Close]],
        step: "extract: { x: $.token }",
        told: &["of the body"],
        next: Next::Fresh,
        ..ALPN
    },
    Case {
        name: "a body that ends before the length that was promised is no body",
        rows: "S32 S33",
        answers: &[&[F(Head(LONG)), F(Data("{\"token\":\"half\"}")), F(End)]],
        step: "extract: { x: $.token }",
        told: &["of the body", "its length is not"],
        next: Next::Decent,
        ..ALPN
    },
    Case {
        name: "a body that goes on behind the length that was promised is no body",
        rows: "S33",
        answers: &[&[
            F(Head(&[(":status", "200"), ("content-length", "2")])),
            F(Data("{\"token\":\"half\"}")),
            F(End),
        ]],
        step: "extract: { x: $.token }",
        told: &["of the body", "its length is not"],
        next: Next::Decent,
        ..ALPN
    },
    Case {
        name: "two lengths that differ are an error",
        rows: "S33",
        answers: &[&[
            F(Head(&[(":status", "200"), ("content-length", "2"), ("content-length", "3")])),
            F(Data("{}")),
            F(End),
        ]],
        told: &["answers otherwise than HTTP/2 allows", "http_version: 1.1"],
        next: Next::Decent,
        ..ALPN
    },
    Case {
        name: "an answer that ends with its head, though a length was promised, is no answer",
        rows: "S32 S33",
        answers: &[&[F(Last(LONG))]],
        next: Next::Decent,
        told: &["answers otherwise than HTTP/2 allows", "http_version: 1.1"],
        ..ALPN
    },
    Case {
        name: "an answer without a status is not HTTP",
        rows: "S35",
        answers: &[&[F(Head(&[("content-type", "text/plain")])), F(End)]],
        told: &["answers otherwise than HTTP/2 allows", "http_version: 1.1"],
        ..ALPN
    },
    Case {
        name: "the status 999 is no status",
        rows: "S35",
        answers: &[&[F(Last(&[(":status", "999")]))]],
        told: &["not HTTP", "999"],
        ..ALPN
    },
    Case {
        name: "a header of HTTP/1.1 has no place here",
        rows: "S33",
        answers: &[&[
            F(Head(&[(":status", "200"), ("transfer-encoding", "chunked")])),
            F(Data("{}")),
            F(End),
        ]],
        told: &["answers otherwise than HTTP/2 allows", "http_version: 1.1"],
        ..ALPN
    },
    Case {
        name: "a header with a line break inside is an error",
        rows: "S35",
        answers: &[&[F(Head(&[(":status", "200"), ("x-a", "b\r\nset-cookie: c=d")])), F(Data("{}")), F(End)]],
        told: &["does not speak HTTP/2 as it should", "http_version: 1.1"],
        ..ALPN
    },
    Case {
        name: "an answer in HTTP/1.1 where HTTP/2 was agreed on is none",
        rows: "S35",
        answers: &[&[Say("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")]],
        told: &["does not speak HTTP/2 as it should", "http_version: 1.1"],
        ..ALPN
    },
    Case {
        name: "a GET that was refused unread is asked once more",
        rows: "S34",
        answers: &[&[F(Reset(REFUSED_STREAM))], &[Whole("200 OK", "{\"x\":1}")]],
        step: "extract: { x: $.x }",
        out: Out::Gives("1"),
        saw: &["GET /", "GET /"],
        ..ALPN
    },
    Case {
        name: "a GET that is refused for ever is asked once more and not again",
        rows: "S34",
        answers: &[&[F(Reset(REFUSED_STREAM))]],
        told: &["refused the request unread"],
        saw: &["GET /", "GET /"],
        ..ALPN
    },
    Case {
        name: "a POST that was refused unread is not repeated silently",
        rows: "S34",
        answers: &[&[Whole("200 OK", "{}")], &[F(Reset(REFUSED_STREAM))], &[Whole("200 OK", "{}")]],
        then: "- request: { url: '{{ h }}/refresh', method: POST, form: { a: b } }",
        told: &["refused the request unread"],
        saw: &["GET /", "POST /refresh"],
        next: Next::Decent,
        ..ALPN
    },
    Case {
        name: "a POST that was refused unread is repeated where the step says `retry`",
        rows: "S34",
        answers: &[&[Whole("200 OK", "{}")], &[F(Reset(REFUSED_STREAM))], &[Whole("200 OK", "{}")]],
        then: "- request: { url: '{{ h }}/refresh', method: POST, form: { a: b } }\n  retry: 1",
        out: Out::Passes,
        saw: &["GET /", "POST /refresh", "POST /refresh"],
        ..ALPN
    },
    Case {
        name: "a server that goes away before it looked at a GET is asked on a new connection",
        rows: "S34",
        answers: &[&[F(GoAway(0, NO_ERROR)), Close], &[Whole("200 OK", "{\"x\":1}")]],
        step: "extract: { x: $.x }",
        out: Out::Gives("1"),
        saw: &["GET /", "GET /"],
        ..ALPN
    },
    Case {
        name: "a server that goes away before it looked at a POST is not asked silently again",
        rows: "S34",
        answers: &[&[Whole("200 OK", "{}")], &[F(GoAway(0, NO_ERROR)), Close], &[Whole("200 OK", "{}")]],
        then: "- request: { url: '{{ h }}/refresh', method: POST, form: { a: b } }",
        told: &["refused the request unread"],
        saw: &["GET /", "POST /refresh"],
        next: Next::Fresh,
        ..ALPN
    },
    Case {
        name: "a server that goes away and answers what it looked at has answered",
        rows: "S34",
        answers: &[&[F(GoAway(1, NO_ERROR)), Whole("200 OK", "{\"x\":1}")]],
        step: "extract: { x: $.x }",
        out: Out::Gives("1"),
        next: Next::Fresh,
        ..ALPN
    },
    Case {
        name: "a server that goes away in anger is told by its reason",
        rows: "S34",
        answers: &[&[F(GoAway(0, PROTOCOL_ERROR)), Close]],
        told: &["gave up the connection (PROTOCOL_ERROR)"],
        saw: &["GET /"],
        next: Next::Fresh,
        ..KNOWN
    },
    Case {
        name: "a server that wants HTTP/1.1 says so, and the remedy is told",
        rows: "S35",
        answers: &[&[F(Reset(HTTP_1_1_REQUIRED))]],
        told: &["HTTP/1.1", "http_version: 1.1"],
        saw: &["GET /"],
        ..ALPN
    },
    Case {
        name: "a reset before the answer is told by its reason",
        rows: "S34",
        answers: &[&[F(Reset(INTERNAL_ERROR))]],
        told: &["INTERNAL_ERROR"],
        saw: &["GET /"],
        ..KNOWN
    },
];

const FLOODS: &[Case] = &[
    Case {
        name: "a body without end is stopped at the limit",
        rows: "S29",
        answers: &[&[F(Head(OK)), F(Pour("x"))]],
        keys: "max_body: 4MiB",
        told: &["larger than 4MiB", "raise `max_body`"],
        next: Next::Decent,
        ..ALPN
    },
    Case {
        name: "a body that waits for no leave is stopped at the limit",
        rows: "S29",
        answers: &[&[F(Head(OK)), F(Flood(|stream| frame(DATA, 0, stream, &[b'x'; 1000])))]],
        keys: "max_body: 1MiB",
        told: &["larger than 1MiB"],
        ..KNOWN
    },
    Case {
        name: "zeros in gzip are stopped by their ratio",
        rows: "S28",
        answers: &[&[
            F(Head(&[(":status", "200"), ("content-encoding", "gzip")])),
            F(Made(zeros_in_gzip)),
            F(End),
        ]],
        told: &["200 times", "gzip"],
        next: Next::Decent,
        ..ALPN
    },
    Case {
        name: "a body that comes drop by drop runs into the total time",
        rows: "S30",
        answers: &[&[F(Head(OK)), F(Drip(|stream| frame(DATA, 0, stream, b" ")))]],
        keys: "timeout: 300ms",
        told: &["within 300ms", "reading the body"],
        next: Next::Decent,
        ..ALPN
    },
    Case {
        name: "empty pieces without end run into the total time, or are told",
        rows: "S30",
        answers: &[&[F(Head(OK)), F(Flood(|stream| frame(DATA, 0, stream, b"")))]],
        keys: "timeout: 1s",
        told: &["127.0.0.1"],
        next: Next::Decent,
        ..KNOWN
    },
    Case {
        name: "pings without end run into the total time",
        rows: "S30",
        answers: &[&[F(Flood(|_| frame(PING, 0, 0, &[7; 8])))]],
        keys: "timeout: 300ms",
        told: &["within 300ms", "waiting for the answer"],
        next: Next::Decent,
        ..KNOWN
    },
    Case {
        name: "settings without end run into the total time",
        rows: "S30",
        answers: &[&[F(Flood(|_| frame(SETTINGS, 0, 0, &[])))]],
        keys: "timeout: 300ms",
        told: &["127.0.0.1"],
        next: Next::Decent,
        ..KNOWN
    },
    Case {
        name: "interim answers without end run into the total time",
        rows: "S30 S31",
        answers: &[&[F(Drip(|stream| frame(HEADERS, END_HEADERS, stream, &header(":status", "103"))))]],
        keys: "timeout: 300ms",
        told: &["within 300ms"],
        ..ALPN
    },
    Case {
        name: "a server that answers nothing runs into the total time",
        rows: "S30",
        answers: &[&[]],
        keys: "timeout: 200ms",
        told: &["within 200ms", "waiting for the answer"],
        ..ALPN
    },
    Case {
        name: "a hundred and one headers are too many",
        rows: "S31",
        answers: &[&[
            F(Raw(|stream| {
                let block = [header(":status", "200"), header("x-a", "1").repeat(101)].concat();
                frame(HEADERS, END_HEADERS, stream, &block)
            })),
            F(Data("{}")),
            F(End),
        ]],
        told: &["headers", "too many: 101; the limit is 100"],
        next: Next::Decent,
        ..ALPN
    },
    Case {
        name: "a header of a MiB is too large",
        rows: "S31",
        answers: &[&[F(Raw(|stream| same_headers(stream, 1, 1 << 20))), F(Data("{}")), F(End)]],
        told: &["headers", "too many or too large"],
        next: Next::Decent,
        ..ALPN
    },
    Case {
        name: "ten thousand headers are too many",
        rows: "S31",
        answers: &[&[F(Raw(|stream| same_headers(stream, 10_000, 100))), F(Data("{}")), F(End)]],
        told: &["headers", "too many or too large"],
        next: Next::Decent,
        ..ALPN
    },
    Case {
        name: "headers of 280 kB are too large",
        rows: "S31",
        answers: &[&[F(Raw(|stream| same_headers(stream, 70, 4000))), F(Data("{}")), F(End)]],
        told: &["larger headers than the limit", "header_size"],
        next: Next::Decent,
        ..ALPN
    },
    Case {
        name: "headers that are packed small and are many are too large",
        rows: "S31",
        answers: &[&[
            F(Raw(|stream| {
                // One that is kept, and is then named by its number again and again (RFC 7541, 6.1 and 6.2.1).
                let mut kept = header("x-a", &"y".repeat(4000));
                kept[0] = 0x40;
                let block = [header(":status", "200"), kept, vec![0xbe; 10_000]].concat();
                continued(stream, &block, true)
            })),
            F(Data("{}")),
            F(End),
        ]],
        told: &["headers", "too many or too large"],
        next: Next::Decent,
        ..ALPN
    },
    Case {
        name: "headers that are continued without end are stopped",
        rows: "S31",
        answers: &[&[
            F(Raw(|stream| continued(stream, &header(":status", "200"), false))),
            F(Flood(|stream| frame(CONTINUATION, 0, stream, &header("x-a", "1")))),
        ]],
        told: &["headers", "too many or too large"],
        next: Next::Fresh,
        ..ALPN
    },
    Case {
        name: "a head that is continued with nothing without end is stopped",
        rows: "S31",
        answers: &[&[
            F(Raw(|stream| continued(stream, &header(":status", "200"), false))),
            F(Flood(|stream| frame(CONTINUATION, 0, stream, b""))),
        ]],
        told: &["headers", "too many or too large"],
        next: Next::Fresh,
        ..KNOWN
    },
];

/// A head with so many headers of one name, their values so many bytes long.
fn same_headers(stream: u32, count: usize, size: usize) -> Vec<u8> {
    let block = [header(":status", "200"), header("x-a", &"y".repeat(size)).repeat(count)].concat();
    continued(stream, &block, true)
}

/// A head in as many frames as it needs, the last of which may say that there is more.
fn continued(stream: u32, block: &[u8], ends: bool) -> Vec<u8> {
    let pieces: Vec<&[u8]> = block.chunks(16 * 1024).collect();
    let frames = pieces.iter().enumerate().map(|(at, piece)| {
        let kind = if at == 0 { HEADERS } else { CONTINUATION };
        let flags = if ends && at + 1 == pieces.len() { END_HEADERS } else { 0 };
        frame(kind, flags, stream, piece)
    });
    frames.collect::<Vec<_>>().concat()
}

/// 16 MiB of zeros in 16 kB.
fn zeros_in_gzip() -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(&vec![0; 16 << 20]).and_then(|()| packed.finish()).expect("written to memory")
}

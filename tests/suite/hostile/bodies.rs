//! Bodies that blow up, or are not what they say: compression, JSON, character sets.

use super::server::Act::{Bytes, Made, Say, Whole};
use super::{CASE, Case, Next, Out, all_withstood};

#[test]
fn a_body_is_what_it_is_and_never_more_than_its_limit() {
    all_withstood(CASES);
}

/// Nested arrays of JSON, with the head of their answer.
fn deep() -> Vec<u8> {
    json(&format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)))
}

/// Arrays nested as deep as they may be, 700 bytes of them.
fn nested() -> Vec<u8> {
    json(&format!("{}1{}", "[1,1,".repeat(100), "]".repeat(100)))
}

/// A long list at the bottom of many arrays.
fn heavy() -> Vec<u8> {
    json(&format!("{}{}1{}", "[".repeat(120), "1,".repeat(100_000), "]".repeat(120)))
}

/// A text in which a token seems to begin everywhere.
fn beginnings() -> Vec<u8> {
    json(&format!("{{\"x\":\"{}\"}}", "eyJ".repeat(400_000)))
}

fn json(body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Text of UTF-16 with its mark.
fn wide() -> Vec<u8> {
    let body: Vec<u8> = "\u{feff}{\"x\":1}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    [head.into_bytes(), body].concat()
}

const CASES: &[Case] = &[
    Case {
        name: "a coding that nobody asked for is not taken for the body",
        rows: "S28",
        answers: &[&[Whole("200 OK\r\ncontent-encoding: x-odd", "????")]],
        step: "extract: { x: $.x }",
        told: &["encoded as `x-odd`, which is not decoded"],
        next: Next::Decent,
        ..CASE
    },
    Case {
        name: "more codings than two are refused",
        rows: "S28",
        answers: &[&[Whole("200 OK\r\ncontent-encoding: gzip, gzip, gzip", "????")]],
        step: "extract: { x: $.x }",
        told: &["has 3 content codings"],
        ..CASE
    },
    Case {
        name: "arrays in arrays without measure are an error and no crash",
        rows: "S36",
        answers: &[&[Made(deep)]],
        step: "extract: { x: $.x }",
        told: &["the body is not JSON"],
        ..CASE
    },
    Case {
        name: "a path that descends again and again is not followed through a deep answer",
        rows: "S70",
        answers: &[&[Made(nested)]],
        step: "extract: { x: { json_all: '$..*..*..*..*..*', optional: true } }",
        told: &["takes more than 10000000 steps", "say `..` once at most"],
        next: Next::Same,
        ..CASE
    },
    Case {
        name: "a path that gives a deep answer again and again gives no more than its limit",
        rows: "S70",
        answers: &[&[Made(heavy)]],
        step: "extract: { x: { json_all: '$..*' } }",
        told: &["gives more than 500000 values again"],
        next: Next::Same,
        ..CASE
    },
    Case {
        name: "a path that descends once gives all of a deep answer",
        rows: "S70",
        answers: &[&[Made(nested)]],
        step: "extract: { all: { json_all: '$..*' }, x: '{{ all | length }}' }",
        out: Out::Gives("300"),
        ..CASE
    },
    Case {
        name: "beginnings of tokens without end are looked at once where a value is told",
        rows: "S70",
        answers: &[&[Made(beginnings)]],
        step: "extract: { all: $.x, x: '{{ all | length }}' }",
        out: Out::Gives("1200000"),
        ..CASE
    },
    Case {
        name: "a member that stands twice has its last value",
        rows: "S37",
        answers: &[&[Whole("200 OK", "{\"x\":1,\"x\":{\"x\":2}}")]],
        step: "extract: { x: $.x }",
        out: Out::Gives("{\"x\":2}"),
        ..CASE
    },
    Case {
        name: "an integer of 64 bits keeps its digits",
        rows: "S37",
        answers: &[&[Whole(
            "200 OK",
            "{\"x\":[9007199254740993,18446744073709551615,-9223372036854775808]}",
        )]],
        step: "extract: { x: $.x }",
        out: Out::Gives("[9007199254740993,18446744073709551615,-9223372036854775808]"),
        ..CASE
    },
    Case {
        name: "an integer beyond 64 bits is the double next to it, as the page of the language says",
        rows: "S37",
        answers: &[&[Whole("200 OK", "{\"x\":123456789012345678901234567890}")]],
        step: "extract: { x: $.x }",
        out: Out::Gives("1.2345678901234568e29"),
        ..CASE
    },
    Case {
        name: "a mark of the byte order alone is an empty body",
        rows: "S37",
        answers: &[&[Whole("200 OK", "\u{feff}")]],
        step: "extract: { x: $.x }",
        told: &["empty"],
        ..CASE
    },
    Case {
        name: "NaN is no JSON",
        rows: "S37",
        answers: &[&[Whole("200 OK", "{\"x\":NaN}")]],
        step: "extract: { x: $.x }",
        told: &["the body is not JSON"],
        ..CASE
    },
    Case {
        name: "a mark of the byte order before JSON is left out",
        rows: "S37",
        answers: &[&[Whole("200 OK", "\u{feff}{\"x\":1}")]],
        step: "extract: { x: $.x }",
        out: Out::Gives("1"),
        ..CASE
    },
    Case {
        name: "JSON in UTF-16 is told as such",
        rows: "S37",
        answers: &[&[Made(wide)]],
        step: "extract: { x: $.x }",
        told: &["UTF-16"],
        ..CASE
    },
    Case {
        name: "an empty body is told as such",
        rows: "S37",
        answers: &[&[Whole("200 OK\r\ncontent-type: application/json", "")]],
        step: "extract: { x: $.x }",
        told: &["empty"],
        ..CASE
    },
    Case {
        name: "bytes that are no text are kept as bytes",
        rows: "S38",
        answers: &[&[Say("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n"), Bytes(b"\xff\xfe\x80\x41")]],
        step: "extract: { x: { body: sha256 } }",
        out: Out::Gives("\"cf53b5c88cd86360dfdb166fe207eabedc042d7174f52bd459185a6dbb93f554\""),
        next: Next::Same,
        ..CASE
    },
];

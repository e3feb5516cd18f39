//! What a server repeats of a request.

use super::server::Act::Whole;
use super::{CASE, Case, Out, all_withstood};
use reqchain::running::Cause;

#[test]
fn a_secret_that_a_server_repeats_is_not_shown() {
    all_withstood(CASES);
}

const CASES: &[Case] = &[
    Case {
        name: "a password that an error repeats is not shown, in any form",
        rows: "S48",
        answers: &[&[Whole(
            "400 Bad Request\r\ncontent-type: application/json",
            "{\"error\":\"invalid_request\",\"error_description\":\"bad: hunter2-hunter2 aHVudGVyMi1odW50ZXIy hunter2%2Dhunter2\"}",
        )]],
        keys: "method: POST, form: { password: '{{ password }}' }",
        out: Out::Fails(Cause::CheckFailed),
        told: &["invalid_request"],
        untold: &["hunter2-hunter2", "aHVudGVyMi1odW50ZXIy"],
        ..CASE
    },
    Case {
        name: "a password that a header repeats is not shown",
        rows: "S48",
        answers: &[&[Whole("200 OK\r\nx-echo: hunter2-hunter2", "{\"x\":\"hunter2-hunter2\"}")]],
        keys: "method: POST, form: { password: '{{ password }}' }",
        out: Out::Passes,
        untold: &["hunter2-hunter2"],
        ..CASE
    },
];

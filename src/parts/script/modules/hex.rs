//! `hex::`: two lower-case digits a byte.

use std::fmt::Write as _;

use rhai::Dynamic;

use crate::parts::script::api::{Call, Entry};
use crate::parts::script::run::Answer;

pub(in crate::parts::script) const TABLE: &[Entry] = &[
    Entry::new("encode", &["value"], "a text or bytes in hexadecimal digits", |call| {
        Ok(encode(&call.bytes(0)?).into())
    })
    .deriving(),
    Entry::new("decode", &["text"], "the text in hexadecimal digits; bytes where it is no text", decode)
        .deriving(),
];

/// Bytes as lower-case digits.
pub(super) fn encode(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn decode(call: &mut Call) -> Answer {
    let text = call.bytes(0)?;
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let byte = |pair: &[u8]| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    };
    let bytes: Option<Vec<u8>> = text.chunks(2).map(byte).collect();
    let bytes = bytes.ok_or_else(|| call.error("was given a text that is not hexadecimal"))?;
    Ok(decoded(bytes))
}

/// Text where the bytes are text, else the bytes.
pub(super) fn decoded(bytes: Vec<u8>) -> Dynamic {
    match String::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(error) => Dynamic::from_blob(error.into_bytes()),
    }
}

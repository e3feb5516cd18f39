//! `hex::`: two lower-case digits a byte.

use rhai::Dynamic;

use crate::ground::encode;
use crate::parts::script::api::{Call, Entry};
use crate::parts::script::run::Answer;

pub(in crate::parts::script) const TABLE: &[Entry] = &[
    Entry::new("encode", &["value"], "a text or bytes in hexadecimal digits", |call| {
        Ok(encode::hex(&call.bytes(0)?).into())
    })
    .deriving(),
    Entry::new("decode", &["text"], "the text in hexadecimal digits; bytes where it is not text", decode)
        .deriving(),
];

fn decode(call: &mut Call) -> Answer {
    let bytes = encode::hex_decode(call.bytes(0)?);
    Ok(decoded(bytes.map_err(|_| call.error("was given a text that is not hexadecimal"))?))
}

/// Text where the bytes are text, else the bytes.
pub(super) fn decoded(bytes: Vec<u8>) -> Dynamic {
    match String::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(error) => Dynamic::from_blob(error.into_bytes()),
    }
}

//! `base64::`: RFC 4648, with and without padding; line breaks and blanks are skipped when reading.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD, URL_SAFE_NO_PAD};

use crate::parts::script::api::{Call, Entry};
use crate::parts::script::modules::hex::decoded;
use crate::parts::script::run::Answer;

pub(in crate::parts::script) const TABLE: &[Entry] = &[
    Entry::new("encode", &["value"], "a text or bytes in base64, with padding", |call| {
        Ok(STANDARD.encode(call.bytes(0)?).into())
    })
    .deriving(),
    Entry::new("decode", &["text"], "the text in base64; bytes where it is no text", |call| {
        decode(call, &alphabet::STANDARD, "base64")
    })
    .deriving(),
    Entry::new("encode_url", &["value"], "a text or bytes in base64url, without padding", |call| {
        Ok(URL_SAFE_NO_PAD.encode(call.bytes(0)?).into())
    })
    .deriving(),
    Entry::new("decode_url", &["text"], "the text in base64url; bytes where it is no text", |call| {
        decode(call, &alphabet::URL_SAFE, "base64url")
    })
    .deriving(),
];

fn decode(call: &mut Call, alphabet: &alphabet::Alphabet, name: &str) -> Answer {
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let mut text = call.bytes(0)?;
    text.retain(|byte| !byte.is_ascii_whitespace());
    let bytes = GeneralPurpose::new(alphabet, config).decode(text);
    // The error of the crate would show a byte of what may be a secret.
    let bytes = bytes.map_err(|_| call.error(format!("was given a text that is no {name}")))?;
    Ok(decoded(bytes))
}

//! `base64::`: RFC 4648, with and without padding; line breaks and blanks are skipped when reading.

use crate::ground::encode;
use crate::parts::script::api::Entry;
use crate::parts::script::modules::hex::decoded;

pub(in crate::parts::script) const TABLE: &[Entry] = &[
    Entry::new("encode", &["value"], "a text or bytes in base64, with padding", |call| {
        Ok(encode::base64(&call.bytes(0)?).into())
    })
    .deriving(),
    Entry::new("decode", &["text"], "the text in base64; bytes where it is not text", |call| {
        let bytes = encode::base64_decode(call.bytes(0)?);
        Ok(decoded(bytes.map_err(|_| call.error("was given a text that is not base64"))?))
    })
    .deriving(),
    Entry::new("encode_url", &["value"], "a text or bytes in base64url, without padding", |call| {
        Ok(encode::base64url(&call.bytes(0)?).into())
    })
    .deriving(),
    Entry::new("decode_url", &["text"], "the text in base64url; bytes where it is not text", |call| {
        let bytes = encode::base64url_decode(call.bytes(0)?);
        Ok(decoded(bytes.map_err(|_| call.error("was given a text that is not base64url"))?))
    })
    .deriving(),
];

//! `hmac::`: RFC 2104, as hex, as base64, or as bytes that may be the next key.

use rhai::Dynamic;

use crate::ground::encode::{self, Hash};
use crate::parts::script::api::{Call, Entry};
use crate::parts::script::run::{Answer, Failure};

const PARAMETERS: &[&str] = &["key", "text"];

pub(in crate::parts::script) const TABLE: &[Entry] = &[
    Entry::new("md5", PARAMETERS, "HMAC-MD5 in hex", |call| in_hex(call, Hash::Md5)).deriving(),
    Entry::new("md5_base64", PARAMETERS, "HMAC-MD5 in base64", |call| in_base64(call, Hash::Md5)).deriving(),
    Entry::new("md5_bytes", PARAMETERS, "HMAC-MD5 as bytes", |call| in_bytes(call, Hash::Md5)),
    Entry::new("sha1", PARAMETERS, "HMAC-SHA-1 in hex", |call| in_hex(call, Hash::Sha1)).deriving(),
    Entry::new("sha1_base64", PARAMETERS, "HMAC-SHA-1 in base64", |call| in_base64(call, Hash::Sha1))
        .deriving(),
    Entry::new("sha1_bytes", PARAMETERS, "HMAC-SHA-1 as bytes", |call| in_bytes(call, Hash::Sha1)),
    Entry::new("sha256", PARAMETERS, "HMAC-SHA-256 in hex", |call| in_hex(call, Hash::Sha256)).deriving(),
    Entry::new("sha256_base64", PARAMETERS, "HMAC-SHA-256 in base64", |call| in_base64(call, Hash::Sha256))
        .deriving(),
    Entry::new("sha256_bytes", PARAMETERS, "HMAC-SHA-256 as bytes", |call| in_bytes(call, Hash::Sha256)),
    Entry::new("sha512", PARAMETERS, "HMAC-SHA-512 in hex", |call| in_hex(call, Hash::Sha512)).deriving(),
    Entry::new("sha512_base64", PARAMETERS, "HMAC-SHA-512 in base64", |call| in_base64(call, Hash::Sha512))
        .deriving(),
    Entry::new("sha512_bytes", PARAMETERS, "HMAC-SHA-512 as bytes", |call| in_bytes(call, Hash::Sha512)),
];

fn sign(call: &mut Call, hash: Hash) -> Result<Vec<u8>, Failure> {
    let (key, text) = (call.bytes(0)?, call.bytes(1)?);
    hash.hmac(&key, &text).map_err(|_| call.error("cannot use this key"))
}

fn in_hex(call: &mut Call, hash: Hash) -> Answer {
    Ok(encode::hex(&sign(call, hash)?).into())
}

fn in_base64(call: &mut Call, hash: Hash) -> Answer {
    Ok(encode::base64(&sign(call, hash)?).into())
}

fn in_bytes(call: &mut Call, hash: Hash) -> Answer {
    Ok(Dynamic::from_blob(sign(call, hash)?))
}

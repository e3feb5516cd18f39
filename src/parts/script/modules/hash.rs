//! `hash::`: digests in hexadecimal.

use crate::ground::encode::{self, Hash};
use crate::parts::script::api::{Call, Entry};
use crate::parts::script::run::Answer;

pub(in crate::parts::script) const TABLE: &[Entry] = &[
    Entry::new("md5", &["value"], "the MD5 digest in hex", |call| digest(call, Hash::Md5)).deriving(),
    Entry::new("sha1", &["value"], "the SHA-1 digest in hex", |call| digest(call, Hash::Sha1)).deriving(),
    Entry::new("sha256", &["value"], "the SHA-256 digest in hex", |call| digest(call, Hash::Sha256))
        .deriving(),
    Entry::new("sha512", &["value"], "the SHA-512 digest in hex", |call| digest(call, Hash::Sha512))
        .deriving(),
];

fn digest(call: &mut Call, hash: Hash) -> Answer {
    Ok(encode::hex(&hash.digest(&call.bytes(0)?)).into())
}

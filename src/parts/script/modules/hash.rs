//! `hash::`: digests in hexadecimal.

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

use crate::parts::script::api::{Call, Entry};
use crate::parts::script::modules::hex;
use crate::parts::script::run::Answer;

pub(in crate::parts::script) const TABLE: &[Entry] = &[
    Entry::new("md5", &["value"], "the MD5 digest in hex", digest::<Md5>).deriving(),
    Entry::new("sha1", &["value"], "the SHA-1 digest in hex", digest::<Sha1>).deriving(),
    Entry::new("sha256", &["value"], "the SHA-256 digest in hex", digest::<Sha256>).deriving(),
    Entry::new("sha512", &["value"], "the SHA-512 digest in hex", digest::<Sha512>).deriving(),
];

fn digest<D: Digest>(call: &mut Call) -> Answer {
    Ok(hex::encode(&D::digest(call.bytes(0)?)).into())
}

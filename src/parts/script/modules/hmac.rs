//! `hmac::`: RFC 2104, as hex, as base64, or as bytes that may be the next key.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::digest::block_api::EagerHash;
use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use rhai::Dynamic;
use sha1::Sha1;
use sha2::{Sha256, Sha512};

use crate::parts::script::api::{Call, Entry};
use crate::parts::script::modules::hex;
use crate::parts::script::run::{Answer, Failure};

const PARAMETERS: &[&str] = &["key", "text"];

pub(in crate::parts::script) const TABLE: &[Entry] = &[
    Entry::new("md5", PARAMETERS, "HMAC-MD5 in hex", in_hex::<Md5>).deriving(),
    Entry::new("md5_base64", PARAMETERS, "HMAC-MD5 in base64", in_base64::<Md5>).deriving(),
    Entry::new("md5_bytes", PARAMETERS, "HMAC-MD5 as bytes", in_bytes::<Md5>),
    Entry::new("sha1", PARAMETERS, "HMAC-SHA-1 in hex", in_hex::<Sha1>).deriving(),
    Entry::new("sha1_base64", PARAMETERS, "HMAC-SHA-1 in base64", in_base64::<Sha1>).deriving(),
    Entry::new("sha1_bytes", PARAMETERS, "HMAC-SHA-1 as bytes", in_bytes::<Sha1>),
    Entry::new("sha256", PARAMETERS, "HMAC-SHA-256 in hex", in_hex::<Sha256>).deriving(),
    Entry::new("sha256_base64", PARAMETERS, "HMAC-SHA-256 in base64", in_base64::<Sha256>).deriving(),
    Entry::new("sha256_bytes", PARAMETERS, "HMAC-SHA-256 as bytes", in_bytes::<Sha256>),
    Entry::new("sha512", PARAMETERS, "HMAC-SHA-512 in hex", in_hex::<Sha512>).deriving(),
    Entry::new("sha512_base64", PARAMETERS, "HMAC-SHA-512 in base64", in_base64::<Sha512>).deriving(),
    Entry::new("sha512_bytes", PARAMETERS, "HMAC-SHA-512 as bytes", in_bytes::<Sha512>),
];

fn sign<D: EagerHash>(call: &mut Call) -> Result<Vec<u8>, Failure>
where
    Hmac<D>: KeyInit + Mac,
{
    let key = call.bytes(0)?;
    let text = call.bytes(1)?;
    let mac = <Hmac<D> as KeyInit>::new_from_slice(&key);
    let mut mac = mac.map_err(|_| call.error("cannot use this key"))?;
    mac.update(&text);
    Ok(mac.finalize().into_bytes().to_vec())
}

fn in_hex<D: EagerHash>(call: &mut Call) -> Answer
where
    Hmac<D>: KeyInit + Mac,
{
    Ok(hex::encode(&sign::<D>(call)?).into())
}

fn in_base64<D: EagerHash>(call: &mut Call) -> Answer
where
    Hmac<D>: KeyInit + Mac,
{
    Ok(STANDARD.encode(sign::<D>(call)?).into())
}

fn in_bytes<D: EagerHash>(call: &mut Call) -> Answer
where
    Hmac<D>: KeyInit + Mac,
{
    Ok(Dynamic::from_blob(sign::<D>(call)?))
}

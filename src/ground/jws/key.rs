//! Keys as people keep them: PEM, JWK (RFC 7517), a set of JWKs, or a plain secret.
//!
//! A text that is meant as a public or private key is never used as a plain secret, even where it
//! cannot be read: whoever knows a public key could else sign with it.

use ring::rsa::{KeyPair, KeyPairComponents, PublicKeyComponents};
use ring::signature::{Ed25519KeyPair, KeyPair as _};

use crate::ground::encode;
use crate::ground::jws::Error;
use crate::ground::jws::algorithm::{Algorithm, Bits};
use crate::ground::jws::der::{
    CONTEXT_0, CONTEXT_1, Elements, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE,
};
use crate::ground::value::Value;

/// A key that was understood. Deliberately without `Debug`.
pub(super) enum Key {
    Secret(Vec<u8>),
    Rsa { n: Vec<u8>, e: Vec<u8>, pair: Option<Box<KeyPair>> },
    Ec { curve: Curve, point: Vec<u8>, private: Option<Vec<u8>> },
    Ed25519 { public: Vec<u8>, pair: Option<Box<Ed25519KeyPair>> },
}

/// A curve that ECDSA is done on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Curve {
    P256,
    P384,
}

const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const RSA_PSS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a];
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const P384: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];

const UNREADABLE: Error = Error::Key("it is damaged, or not of the form that it says");
const OTHER_KIND: Error =
    Error::Key("it is of a kind that is not supported (there are RSA, EC on P-256 and P-384, Ed25519)");
const NO_POINT: Error = Error::Key(
    "it is an EC private key without its public part (`openssl pkey -in old.pem -out new.pem` adds it)",
);
const RSA_REFUSED: Error =
    Error::Key("this RSA key is refused (it needs 2048 to 4096 bits and an exponent of at least 65537)");

impl Key {
    /// Reads a key; `kid` and the algorithm choose one from a set.
    pub(super) fn read(
        text: &str,
        kid: Option<&str>,
        algorithm: Algorithm,
        signs: bool,
    ) -> Result<Self, Error> {
        match Form::of(text)? {
            Form::Set(keys) => chosen(&keys, kid, |jwk| jwk_fits(jwk, algorithm, signs)),
            Form::Jwk(jwk) => {
                let named = jwk.get("alg").and_then(Value::as_str).map(Algorithm::named).transpose()?;
                match named.filter(|named| *named != algorithm) {
                    Some(named) => {
                        Err(Error::OtherAlgorithm { expected: named.name(), found: algorithm.name() })
                    }
                    None => from_jwk(&jwk),
                }
            }
            Form::Key(key) => Ok(key),
        }
    }

    /// What it is, for messages.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Secret(_) => "a shared secret",
            Self::Rsa { pair: Some(_), .. } => "a private RSA key",
            Self::Rsa { .. } => "a public RSA key",
            Self::Ec { curve: Curve::P256, private: Some(_), .. } => "a private EC key on P-256",
            Self::Ec { curve: Curve::P256, .. } => "a public EC key on P-256",
            Self::Ec { curve: Curve::P384, private: Some(_), .. } => "a private EC key on P-384",
            Self::Ec { curve: Curve::P384, .. } => "a public EC key on P-384",
            Self::Ed25519 { pair: Some(_), .. } => "a private Ed25519 key",
            Self::Ed25519 { .. } => "a public Ed25519 key",
        }
    }

    const fn usual_algorithm(&self) -> Algorithm {
        match self {
            Self::Secret(_) => Algorithm::Hs(Bits::B256),
            Self::Rsa { .. } => Algorithm::Rs(Bits::B256),
            Self::Ec { curve, .. } => Algorithm::Es(*curve),
            Self::Ed25519 { .. } => Algorithm::EdDsa,
        }
    }
}

/// The algorithm that a key is used with where nobody names one.
pub(super) fn usual_algorithm(text: &str, kid: Option<&str>) -> Result<Algorithm, Error> {
    let of_jwk = |jwk: &Value| match jwk.get("alg").and_then(Value::as_str) {
        Some(name) => Algorithm::named(name),
        None => from_jwk(jwk).map(|key| key.usual_algorithm()),
    };
    match Form::of(text)? {
        Form::Key(key) => Ok(key.usual_algorithm()),
        Form::Jwk(jwk) => of_jwk(&jwk),
        Form::Set(keys) => {
            let fits = |jwk: &Value| {
                let algorithm = of_jwk(jwk).ok()?;
                from_jwk(jwk).ok().filter(|key| algorithm.fits(key, true)).map(|_| algorithm)
            };
            chosen(&keys, kid, fits)
        }
    }
}

/// What a text is.
enum Form {
    Key(Key),
    Jwk(Value),
    Set(Vec<Value>),
}

impl Form {
    fn of(text: &str) -> Result<Self, Error> {
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return Err(Error::Key("it is empty"));
        }
        if trimmed.contains("-----BEGIN ") {
            return from_pem(trimmed).map(Self::Key);
        }
        if trimmed.starts_with('{')
            && let Ok(json) = Value::from_json(trimmed.as_bytes())
        {
            if let Some(keys) = json.get("keys").and_then(Value::as_list) {
                return Ok(Self::Set(keys.to_vec()));
            }
            if json.get("kty").is_some() {
                return Ok(Self::Jwk(json));
            }
        }
        // Some servers print their public key as the bare base64 of what PEM wraps.
        let bare = trimmed.starts_with('M').then(|| encode::base64_decode(trimmed).ok()).flatten();
        match bare.and_then(|der| from_spki(&der).or_else(|_| from_pkcs8(&der)).ok()) {
            Some(key) => Ok(Self::Key(key)),
            None => Ok(Self::Key(Key::Secret(text.as_bytes().to_vec()))),
        }
    }
}

/// The one key of a set that has the `kid`, where one has it, and fits; else the only one that has
/// no `kid` of its own, or where none was asked for, and fits.
fn chosen<T>(keys: &[Value], kid: Option<&str>, fits: impl Fn(&Value) -> Option<T>) -> Result<T, Error> {
    let has = |jwk: &Value, kid: &str| jwk.get("kid").and_then(Value::as_str) == Some(kid);
    let known = kid.is_some_and(|kid| keys.iter().any(|jwk| has(jwk, kid)));
    let asked = |jwk: &Value| match kid {
        Some(kid) if known => has(jwk, kid),
        Some(_) => jwk.get("kid").is_none(),
        None => true,
    };
    let mut fitting = keys.iter().filter(|jwk| asked(jwk)).filter_map(fits);
    match (fitting.next(), fitting.next()) {
        (Some(key), None) => Ok(key),
        (None, _) => Err(Error::NoKey),
        (Some(_), Some(_)) => Err(Error::SeveralKeys),
    }
}

fn jwk_fits(jwk: &Value, algorithm: Algorithm, signs: bool) -> Option<Key> {
    let text = |name| jwk.get(name).and_then(Value::as_str);
    let other = |name, expected: &str| text(name).is_some_and(|found| found != expected);
    if other("alg", algorithm.name()) || other("use", "sig") {
        return None;
    }
    from_jwk(jwk).ok().filter(|key| algorithm.fits(key, signs))
}

/// Every block of a PEM text (RFC 7468), line breaks or not: what comes through an environment
/// variable has often lost them, or holds `\n` as two characters.
fn from_pem(text: &str) -> Result<Key, Error> {
    let text = text.replace("\\r", "").replace("\\n", "\n");
    let mut public = None;
    let mut rest = text.as_str();
    while let Some((_, begun)) = rest.split_once("-----BEGIN ") {
        let (label, body) = begun.split_once("-----").ok_or(UNREADABLE)?;
        let (body, after) = body.split_once("-----END ").ok_or(UNREADABLE)?;
        rest = after;
        if body.contains("ENCRYPTED") || label == "ENCRYPTED PRIVATE KEY" {
            return Err(Error::Key(
                "it is encrypted (`openssl pkey -in key.pem -out plain.pem` decrypts it)",
            ));
        }
        let der = encode::base64_decode(body).map_err(|_| UNREADABLE)?;
        match label {
            "PRIVATE KEY" => return from_pkcs8(&der),
            "RSA PRIVATE KEY" => return from_pkcs1(&der),
            "EC PRIVATE KEY" => return from_sec1(&der, None),
            "PUBLIC KEY" => public = public.or(Some(from_spki(&der))),
            "RSA PUBLIC KEY" => public = public.or(Some(rsa_public(&der))),
            "CERTIFICATE" => public = public.or(Some(from_certificate(&der))),
            _ => {}
        }
    }
    public.unwrap_or(Err(Error::Key("it is PEM without a key or a certificate in it")))
}

fn from_certificate(der: &[u8]) -> Result<Key, Error> {
    let (_, certificate) = x509_parser::parse_x509_certificate(der).map_err(|_| UNREADABLE)?;
    from_spki(certificate.tbs_certificate.subject_pki.raw)
}

/// `PrivateKeyInfo` (RFC 5958).
fn from_pkcs8(der: &[u8]) -> Result<Key, Error> {
    let parts = || {
        let mut inside = Elements(der).enter(SEQUENCE)?;
        inside.take(INTEGER)?;
        let mut algorithm = inside.enter(SEQUENCE)?;
        Some((algorithm.take(OBJECT_IDENTIFIER)?, algorithm, inside.take(OCTET_STRING)?))
    };
    let (kind, mut parameters, private) = parts().ok_or(UNREADABLE)?;
    match kind {
        RSA | RSA_PSS => from_pkcs1(private),
        EC => from_sec1(private, parameters.take(OBJECT_IDENTIFIER)),
        ED25519 => ed25519_private(Elements(private).take(OCTET_STRING).ok_or(UNREADABLE)?),
        _ => Err(OTHER_KIND),
    }
}

/// `RSAPrivateKey` (RFC 8017, appendix A.1.2).
fn from_pkcs1(der: &[u8]) -> Result<Key, Error> {
    KeyPair::from_der(der).map(rsa_private).map_err(|_| RSA_REFUSED)
}

/// `ECPrivateKey` (RFC 5915), with its curve inside or beside it.
fn from_sec1(der: &[u8], curve: Option<&[u8]>) -> Result<Key, Error> {
    let mut inside = Elements(der).enter(SEQUENCE).ok_or(UNREADABLE)?;
    inside.take(INTEGER).ok_or(UNREADABLE)?;
    let private = inside.take(OCTET_STRING).ok_or(UNREADABLE)?;
    let own = inside.enter(CONTEXT_0).and_then(|mut parameters| parameters.take(OBJECT_IDENTIFIER));
    let curve = Curve::of(curve.or(own).ok_or(OTHER_KIND)?)?;
    let point = inside.enter(CONTEXT_1).ok_or(NO_POINT)?.bits().ok_or(UNREADABLE)?;
    ec(curve, point.to_vec(), Some(private))
}

/// `SubjectPublicKeyInfo` (RFC 5280, section 4.1).
fn from_spki(der: &[u8]) -> Result<Key, Error> {
    let parts = || {
        let mut inside = Elements(der).enter(SEQUENCE)?;
        let mut algorithm = inside.enter(SEQUENCE)?;
        Some((algorithm.take(OBJECT_IDENTIFIER)?, algorithm, inside.bits()?))
    };
    let (kind, mut parameters, public) = parts().ok_or(UNREADABLE)?;
    match kind {
        RSA | RSA_PSS => rsa_public(public),
        EC => {
            let curve = Curve::of(parameters.take(OBJECT_IDENTIFIER).ok_or(OTHER_KIND)?)?;
            ec(curve, public.to_vec(), None)
        }
        ED25519 => ed25519_public(public.to_vec()),
        _ => Err(OTHER_KIND),
    }
}

/// `RSAPublicKey` (RFC 8017, appendix A.1.1).
fn rsa_public(der: &[u8]) -> Result<Key, Error> {
    let parts = || {
        let mut inside = Elements(der).enter(SEQUENCE)?;
        Some((inside.unsigned()?.to_vec(), inside.unsigned()?.to_vec()))
    };
    let (n, e) = parts().ok_or(UNREADABLE)?;
    Ok(Key::Rsa { n, e, pair: None })
}

fn rsa_private(pair: KeyPair) -> Key {
    let PublicKeyComponents { n, e } = PublicKeyComponents::<Vec<u8>>::from(pair.public());
    Key::Rsa { n, e, pair: Some(Box::new(pair)) }
}

fn ec(curve: Curve, point: Vec<u8>, private: Option<&[u8]>) -> Result<Key, Error> {
    let width = curve.width();
    if point.len() != 1 + 2 * width || point.first() != Some(&4) {
        return Err(Error::Key("its point on the curve has a form that is not supported"));
    }
    let private = private.map(|private| padded(private, width).ok_or(UNREADABLE)).transpose()?;
    Ok(Key::Ec { curve, point, private })
}

fn ed25519_private(seed: &[u8]) -> Result<Key, Error> {
    let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| UNREADABLE)?;
    Ok(Key::Ed25519 { public: pair.public_key().as_ref().to_vec(), pair: Some(Box::new(pair)) })
}

fn ed25519_public(public: Vec<u8>) -> Result<Key, Error> {
    if public.len() == 32 { Ok(Key::Ed25519 { public, pair: None }) } else { Err(UNREADABLE) }
}

/// A JSON Web Key (RFC 7518, section 6; RFC 8037, section 2).
fn from_jwk(jwk: &Value) -> Result<Key, Error> {
    let text = |name| jwk.get(name).and_then(Value::as_str);
    let bytes = |name| text(name).and_then(|text| encode::base64url_decode(text).ok());
    match (text("kty"), text("crv")) {
        (Some("oct"), _) => {
            let secret = bytes("k").filter(|secret| !secret.is_empty());
            secret.map(Key::Secret).ok_or(Error::Key("it is a JWK without `k`"))
        }
        (Some("RSA"), _) => rsa_jwk(bytes),
        (Some("EC"), Some(curve)) => {
            let curve = match curve {
                "P-256" => Curve::P256,
                "P-384" => Curve::P384,
                _ => return Err(OTHER_KIND),
            };
            let coordinate = |name| padded(&bytes(name)?, curve.width());
            let (Some(x), Some(y)) = (coordinate("x"), coordinate("y")) else {
                return Err(Error::Key("it is a JWK without `x` and `y`"));
            };
            ec(curve, [&[4], x.as_slice(), y.as_slice()].concat(), bytes("d").as_deref())
        }
        (Some("OKP"), Some("Ed25519")) => match bytes("d") {
            Some(seed) => ed25519_private(&seed),
            None => ed25519_public(bytes("x").ok_or(Error::Key("it is a JWK without `x`"))?),
        },
        _ => Err(OTHER_KIND),
    }
}

fn rsa_jwk(bytes: impl Fn(&'static str) -> Option<Vec<u8>>) -> Result<Key, Error> {
    let part = |name| {
        let bytes = bytes(name)?;
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        Some(bytes[zeros..].to_vec())
    };
    let (Some(modulus), Some(exponent)) = (part("n"), part("e")) else {
        return Err(Error::Key("it is a JWK without `n` and `e`"));
    };
    let public_key = PublicKeyComponents { n: modulus, e: exponent };
    let Some(private) = part("d") else {
        return Ok(Key::Rsa { n: public_key.n, e: public_key.e, pair: None });
    };
    let factors = ["p", "q", "dp", "dq", "qi"].map(part);
    let [Some(first), Some(second), Some(first_exponent), Some(second_exponent), Some(coefficient)] = factors
    else {
        return Err(Error::Key("it is a private RSA JWK without `p`, `q`, `dp`, `dq`, `qi`"));
    };
    let components = KeyPairComponents {
        public_key,
        d: private,
        p: first,
        q: second,
        dP: first_exponent,
        dQ: second_exponent,
        qInv: coefficient,
    };
    KeyPair::from_components(&components).map(rsa_private).map_err(|_| RSA_REFUSED)
}

/// The number in exactly so many bytes.
fn padded(number: &[u8], width: usize) -> Option<Vec<u8>> {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    let digits = &number[zeros..];
    let missing = width.checked_sub(digits.len())?;
    Some([vec![0; missing].as_slice(), digits].concat())
}

impl Curve {
    fn of(identifier: &[u8]) -> Result<Self, Error> {
        match identifier {
            P256 => Ok(Self::P256),
            P384 => Ok(Self::P384),
            _ => Err(OTHER_KIND),
        }
    }

    /// The bytes of a coordinate.
    const fn width(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
        }
    }
}

//! JSON Web Signatures in compact form (RFC 7515, RFC 7518, RFC 8037), as JWT uses them (RFC 7519).
//!
//! One place signs and verifies for `auth: jwt`, OAuth, expectations and scripts, so that the rules
//! that keep a signature honest stand once: the algorithm must fit the kind of key, an unsigned
//! token is never good, and no message shows a key or a token.

mod algorithm;
mod der;
mod key;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::ground::encode;
use crate::ground::jws::algorithm::Algorithm;
use crate::ground::jws::key::Key;
use crate::ground::value::{Map, Value};

/// Why a token could not be signed, or does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The word names no algorithm that signs.
    #[error(
        "unknown algorithm{0}; there are HS256, HS384, HS512, RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, EdDSA"
    )]
    UnknownAlgorithm(String),
    /// A known algorithm that is not built in.
    #[error("{0} is not supported; there are ES256, ES384 and EdDSA")]
    Unsupported(&'static str),
    /// The token says `alg: none`.
    #[error("the token is not signed: its `alg` is none")]
    NotSigned,
    /// The token has another algorithm than the one that was asked for.
    #[error("the token is signed with {found}, not with {expected}")]
    OtherAlgorithm {
        /// What was asked for.
        expected: &'static str,
        /// What the token's header says.
        found: &'static str,
    },
    /// The text has not the form of a signed JWT.
    #[error("this is not a signed JWT")]
    NotToken,
    /// The header asks for extensions (RFC 7515, section 4.1.11) that are not known here.
    #[error("the token's header has `crit`, which asks for an extension that is not supported")]
    Critical,
    /// The claims are no object.
    #[error("the claims of a JWT must be an object, not {0}")]
    ClaimsNotObject(&'static str),
    /// The further members of the header are no object.
    #[error("the header of a JWT must be an object, not {0}")]
    HeaderNotObject(&'static str),
    /// The key cannot be used.
    #[error("the key cannot be used: {0}")]
    Key(&'static str),
    /// The key is of another kind than the algorithm needs.
    #[error("{algorithm} needs {needed}, and the key is {found}")]
    OtherKey {
        /// The algorithm.
        algorithm: &'static str,
        /// The key that it needs.
        needed: &'static str,
        /// What the key is.
        found: &'static str,
    },
    /// No key of the set fits.
    #[error("the key set has no key for this token")]
    NoKey,
    /// More than one key of the set fits.
    #[error("the key set has several keys that fit, and no `kid` says which")]
    SeveralKeys,
    /// The signature is not that of the key.
    #[error("the signature of the token does not match")]
    Signature,
    /// The system gave no random bytes to sign with, or the key's parts do not belong together.
    #[error("the key could not sign")]
    Signing,
}

impl Error {
    /// Whether the token was understood, and simply does not hold: its signature is wrong or
    /// missing, or it is signed in another way than was asked for.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        matches!(self, Self::Signature | Self::NotSigned | Self::OtherAlgorithm { .. })
    }
}

/// What a token says, after its signature was found to be good.
#[derive(Clone, PartialEq)]
pub struct Verified {
    /// The header.
    pub header: Value,
    /// The claims, with their keys in the order of the token.
    pub claims: Value,
}

impl std::fmt::Debug for Verified {
    /// Claims may be secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verified").finish_non_exhaustive()
    }
}

/// Signs claims. `header` holds further members such as `kid`, or is null; a member that is null is
/// left out. `typ` is `JWT` unless it says otherwise, and `alg` is always the argument. `key` is PEM
/// (PKCS#8, PKCS#1, SEC 1), a JWK or a JWK set; any other text is itself the secret of an HMAC.
///
/// # Errors
/// Where the algorithm is unknown, or does not fit the key. No error shows the key.
pub fn sign(claims: &Value, header: &Value, key: &str, alg: &str) -> Result<String, Error> {
    let algorithm = Algorithm::named(alg)?;
    if claims.as_object().is_none() {
        return Err(Error::ClaimsNotObject(claims.type_name()));
    }
    let header = full_header(header, algorithm)?;
    let kid = header.get("kid").and_then(Value::as_str);
    let key = Key::read(key, kid, algorithm, true)?;
    let encoded = |value: &Value| encode::base64url(value.to_json().as_bytes());
    let signed = format!("{}.{}", encoded(&Value::from(header.clone())), encoded(claims));
    let signature = algorithm.sign(&key, signed.as_bytes())?;
    Ok(format!("{signed}.{}", encode::base64url(&signature)))
}

/// Verifies a token's signature, and nothing else: neither its times nor whom it is for. `key` is
/// PEM (a public key, a certificate, or the private key itself), a JWK or a JWK set, from which the
/// token's `kid` chooses; any other text is itself the secret of an HMAC. Where `alg` is given, the
/// token must have it.
///
/// # Errors
/// Where the text is no signed JWT, the key does not fit its algorithm (a public key is never taken
/// for the secret of an HMAC), or the signature is wrong. No error shows the key or the token.
pub fn verify(token: &str, key: &str, alg: Option<&str>) -> Result<Verified, Error> {
    let expected = alg.map(Algorithm::named).transpose()?;
    let token = token.trim();
    let (signed, signature) = token.rsplit_once('.').ok_or(Error::NotToken)?;
    let (header, claims) = signed.split_once('.').ok_or(Error::NotToken)?;
    let header = object(header).ok_or(Error::NotToken)?;
    let found = header.get("alg").and_then(Value::as_str).ok_or(Error::NotToken)?;
    let algorithm = Algorithm::of_token(found)?;
    if let Some(expected) = expected.filter(|expected| *expected != algorithm) {
        return Err(Error::OtherAlgorithm { expected: expected.name(), found: algorithm.name() });
    }
    if header.get("crit").is_some() {
        return Err(Error::Critical);
    }
    let claims = object(claims).ok_or(Error::NotToken)?;
    // What is no base64url, down to the spare bits of its last letter (RFC 4648, 3.5), is not the
    // signature that was made.
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| Error::Signature)?;
    let kid = header.get("kid").and_then(Value::as_str);
    let key = Key::read(key, kid, algorithm, false)?;
    algorithm.verify(&key, signed.as_bytes(), &signature)?;
    Ok(Verified { header, claims })
}

/// The algorithm that a key is used with where nobody names one: a JWK's own `alg`, else HS256 for a
/// secret, RS256 for an RSA key, ES256 or ES384 by the curve, and `EdDSA`. `kid` chooses from a set.
///
/// # Errors
/// Where the key cannot be used.
pub fn usual_algorithm(key: &str, kid: Option<&str>) -> Result<&'static str, Error> {
    key::usual_algorithm(key, kid).map(Algorithm::name)
}

/// Whether a word names an algorithm that [`sign`] knows.
///
/// # Errors
/// Where it does not.
pub fn is_algorithm(name: &str) -> Result<(), Error> {
    Algorithm::named(name).map(|_| ())
}

fn full_header(further: &Value, algorithm: Algorithm) -> Result<Map, Error> {
    let mut header = Map::default();
    header.insert("alg".into(), algorithm.name().into());
    header.insert("typ".into(), "JWT".into());
    match further {
        Value::Null => {}
        Value::Object(members) => {
            let members = members.iter().filter(|(name, _)| &***name != "alg");
            header.extend(members.map(|(name, value)| (name.clone(), value.clone())));
        }
        other => return Err(Error::HeaderNotObject(other.type_name())),
    }
    header.retain(|_, value| *value != Value::Null);
    Ok(header)
}

/// A part of a token: an object in JSON in base64url, without padding (RFC 7515, section 2).
fn object(part: &str) -> Option<Value> {
    let value = Value::from_json(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()?;
    value.as_object().is_some().then_some(value)
}

#[cfg(test)]
mod tests;

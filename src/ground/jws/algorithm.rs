//! The algorithms of RFC 7518, section 3, and RFC 8037, each with the only kind of key that it is
//! ever used with: that is what keeps a public key from being taken for a shared secret.

use ring::rand::SystemRandom;
use ring::signature::{
    self, ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED,
    ECDSA_P384_SHA384_FIXED_SIGNING, ED25519, EcdsaKeyPair, RsaEncoding, RsaParameters, UnparsedPublicKey,
};
use ring::{hmac, rsa};

use crate::ground::jws::Error;
use crate::ground::jws::key::{Curve, Key};

/// An algorithm that signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    Hs(Bits),
    Rs(Bits),
    Ps(Bits),
    Es(Curve),
    EdDsa,
}

/// The length of the hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bits {
    B256,
    B384,
    B512,
}

impl Algorithm {
    /// The algorithm that a user named.
    pub(super) fn named(name: &str) -> Result<Self, Error> {
        Ok(match name {
            "HS256" => Self::Hs(Bits::B256),
            "HS384" => Self::Hs(Bits::B384),
            "HS512" => Self::Hs(Bits::B512),
            "RS256" => Self::Rs(Bits::B256),
            "RS384" => Self::Rs(Bits::B384),
            "RS512" => Self::Rs(Bits::B512),
            "PS256" => Self::Ps(Bits::B256),
            "PS384" => Self::Ps(Bits::B384),
            "PS512" => Self::Ps(Bits::B512),
            "ES256" => Self::Es(Curve::P256),
            "ES384" => Self::Es(Curve::P384),
            "EdDSA" | "Ed25519" => Self::EdDsa,
            "ES512" => return Err(Error::Unsupported("ES512")),
            "ES256K" => return Err(Error::Unsupported("ES256K")),
            other => return Err(Error::UnknownAlgorithm(shown(other))),
        })
    }

    /// The algorithm that a token names, which says `none` where it is not signed. Some libraries
    /// have been fooled by other cases of that word.
    pub(super) fn of_token(name: &str) -> Result<Self, Error> {
        if name.eq_ignore_ascii_case("none") {
            return Err(Error::NotSigned);
        }
        Self::named(name)
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Hs(Bits::B256) => "HS256",
            Self::Hs(Bits::B384) => "HS384",
            Self::Hs(Bits::B512) => "HS512",
            Self::Rs(Bits::B256) => "RS256",
            Self::Rs(Bits::B384) => "RS384",
            Self::Rs(Bits::B512) => "RS512",
            Self::Ps(Bits::B256) => "PS256",
            Self::Ps(Bits::B384) => "PS384",
            Self::Ps(Bits::B512) => "PS512",
            Self::Es(Curve::P256) => "ES256",
            Self::Es(Curve::P384) => "ES384",
            Self::EdDsa => "EdDSA",
        }
    }

    /// The signature over some bytes.
    pub(super) fn sign(self, key: &Key, message: &[u8]) -> Result<Vec<u8>, Error> {
        let random = SystemRandom::new();
        match (self, key) {
            (Self::Hs(bits), Key::Secret(secret)) => {
                Ok(hmac::sign(&hmac::Key::new(bits.hmac(), secret), message).as_ref().to_vec())
            }
            (Self::Rs(_) | Self::Ps(_), Key::Rsa { pair: Some(pair), .. }) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                let encoding = self.rsa_encoding().ok_or(Error::Signing)?;
                pair.sign(encoding, &random, message, &mut signature).map_err(|_| Error::Signing)?;
                Ok(signature)
            }
            (Self::Es(curve), Key::Ec { curve: of_key, point, private: Some(private) })
                if curve == *of_key =>
            {
                let algorithm = match curve {
                    Curve::P256 => &ECDSA_P256_SHA256_FIXED_SIGNING,
                    Curve::P384 => &ECDSA_P384_SHA384_FIXED_SIGNING,
                };
                let pair = EcdsaKeyPair::from_private_key_and_public_key(algorithm, private, point, &random)
                    .map_err(|_| Error::Key("the private and the public part do not belong together"))?;
                Ok(pair.sign(&random, message).map_err(|_| Error::Signing)?.as_ref().to_vec())
            }
            (Self::EdDsa, Key::Ed25519 { pair: Some(pair), .. }) => Ok(pair.sign(message).as_ref().to_vec()),
            _ => Err(self.other_key(key, true)),
        }
    }

    /// Whether a signature is that of the key.
    pub(super) fn verify(self, key: &Key, message: &[u8], signature: &[u8]) -> Result<(), Error> {
        let good = match (self, key) {
            (Self::Hs(bits), Key::Secret(secret)) => {
                hmac::verify(&hmac::Key::new(bits.hmac(), secret), message, signature).is_ok()
            }
            (Self::Rs(_) | Self::Ps(_), Key::Rsa { n, e, .. }) => {
                let key = rsa::PublicKeyComponents { n, e };
                let parameters = self.rsa_parameters().ok_or(Error::Signature)?;
                key.verify(parameters, message, signature).is_ok()
            }
            (Self::Es(curve), Key::Ec { curve: of_key, point, .. }) if curve == *of_key => {
                let algorithm = match curve {
                    Curve::P256 => &ECDSA_P256_SHA256_FIXED,
                    Curve::P384 => &ECDSA_P384_SHA384_FIXED,
                };
                UnparsedPublicKey::new(algorithm, point).verify(message, signature).is_ok()
            }
            (Self::EdDsa, Key::Ed25519 { public, .. }) => {
                UnparsedPublicKey::new(&ED25519, public).verify(message, signature).is_ok()
            }
            _ => return Err(self.other_key(key, false)),
        };
        if good { Ok(()) } else { Err(Error::Signature) }
    }

    /// Whether a key is of the kind that this algorithm needs, and can sign where it has to.
    pub(super) fn fits(self, key: &Key, signs: bool) -> bool {
        let can_sign = match (self, key) {
            (Self::Hs(_), Key::Secret(_)) => true,
            (Self::Rs(_) | Self::Ps(_), Key::Rsa { pair, .. }) => pair.is_some(),
            (Self::Es(curve), Key::Ec { curve: of_key, private, .. }) if curve == *of_key => {
                private.is_some()
            }
            (Self::EdDsa, Key::Ed25519 { pair, .. }) => pair.is_some(),
            _ => return false,
        };
        can_sign || !signs
    }

    fn other_key(self, key: &Key, signs: bool) -> Error {
        let needed = match (self, signs) {
            (Self::Hs(_), _) => "a shared secret",
            (Self::Rs(_) | Self::Ps(_), true) => "a private RSA key",
            (Self::Rs(_) | Self::Ps(_), false) => "an RSA key",
            (Self::Es(Curve::P256), true) => "a private EC key on P-256",
            (Self::Es(Curve::P256), false) => "an EC key on P-256",
            (Self::Es(Curve::P384), true) => "a private EC key on P-384",
            (Self::Es(Curve::P384), false) => "an EC key on P-384",
            (Self::EdDsa, true) => "a private Ed25519 key",
            (Self::EdDsa, false) => "an Ed25519 key",
        };
        Error::OtherKey { algorithm: self.name(), needed, found: key.kind() }
    }

    fn rsa_encoding(self) -> Option<&'static dyn RsaEncoding> {
        Some(match self {
            Self::Rs(Bits::B256) => &signature::RSA_PKCS1_SHA256,
            Self::Rs(Bits::B384) => &signature::RSA_PKCS1_SHA384,
            Self::Rs(Bits::B512) => &signature::RSA_PKCS1_SHA512,
            Self::Ps(Bits::B256) => &signature::RSA_PSS_SHA256,
            Self::Ps(Bits::B384) => &signature::RSA_PSS_SHA384,
            Self::Ps(Bits::B512) => &signature::RSA_PSS_SHA512,
            _ => return None,
        })
    }

    fn rsa_parameters(self) -> Option<&'static RsaParameters> {
        Some(match self {
            Self::Rs(Bits::B256) => &signature::RSA_PKCS1_2048_8192_SHA256,
            Self::Rs(Bits::B384) => &signature::RSA_PKCS1_2048_8192_SHA384,
            Self::Rs(Bits::B512) => &signature::RSA_PKCS1_2048_8192_SHA512,
            Self::Ps(Bits::B256) => &signature::RSA_PSS_2048_8192_SHA256,
            Self::Ps(Bits::B384) => &signature::RSA_PSS_2048_8192_SHA384,
            Self::Ps(Bits::B512) => &signature::RSA_PSS_2048_8192_SHA512,
            _ => return None,
        })
    }
}

impl Bits {
    const fn hmac(self) -> hmac::Algorithm {
        match self {
            Self::B256 => hmac::HMAC_SHA256,
            Self::B384 => hmac::HMAC_SHA384,
            Self::B512 => hmac::HMAC_SHA512,
        }
    }
}

/// The word in a message, where it has the form of an algorithm's name: what a token says may be
/// anything.
fn shown(name: &str) -> String {
    let is_word = (1..=16).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if is_word { format!(" `{name}`") } else { String::new() }
}

//! Who we are to a server that asks: a certificate and its private key, from PEM files or from
//! PKCS#12 (RFC 7292). A key may be closed with a password (RFC 5958).

use std::fmt;

use p12_keystore::Pkcs12Archive;
use p12_keystore::error::Error as Pkcs12Error;
use pkcs8::der::SecretDocument;
use pkcs8::{EncryptedPrivateKeyInfoRef, LineEnding};

use crate::ground::read::Reading;
use crate::ground::source::Span;
use crate::parts::http::tls::pem;
use crate::parts::template::Error;

const KEYS: [&str; 3] = ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"];
const CLOSED: &str = "ENCRYPTED PRIVATE KEY";

/// A certificate and its key as the files have them, the key perhaps closed.
pub(super) enum KeyMaterial {
    /// Certificates and an open key, in PEM.
    Open(String),
    /// Certificates in PEM, and a key in PEM that a password opens.
    Closed { certificates: String, key: String },
    /// A PKCS#12 file.
    Pkcs12(Vec<u8>),
}

/// An open certificate and key, in PEM.
#[derive(PartialEq, Eq)]
pub(super) struct Identity(Vec<u8>);

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity")
    }
}

/// Why there is no identity. Passwords are not told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unopened {
    /// No certificate.
    #[error("there is no certificate in the file of `cert`")]
    NoCertificate,
    /// One that cannot be read.
    #[error("`cert`: {0}")]
    Certificate(String),
    /// No key.
    #[error("there is no private key in the file")]
    NoKey,
    /// A key closed as OpenSSL did before PKCS#8.
    #[error("the private key is closed in an old way that is not read")]
    OldKey,
    /// A key that needs a password.
    #[error("the private key is closed with a password")]
    PasswordMissing,
    /// Not that password.
    #[error("the password does not open the private key")]
    PasswordWrong,
    /// A file that is no PKCS#12, or one that is not understood.
    #[error("this is not a PKCS#12 file that can be read: {0}")]
    Pkcs12(String),
    /// A key that is none.
    #[error("the certificate and its private key cannot be used: {0}")]
    Unusable(String),
}

impl Unopened {
    pub(super) const fn is_of_password(&self) -> bool {
        matches!(self, Self::PasswordMissing | Self::PasswordWrong)
    }

    fn help(&self) -> Option<&'static str> {
        Some(match self {
            Self::NoCertificate | Self::Certificate(_) => {
                "`cert` is a PEM file with -----BEGIN CERTIFICATE-----, the client's own first"
            }
            Self::NoKey => "name the PEM file with -----BEGIN PRIVATE KEY----- as `key`",
            Self::OldKey => "write it anew: openssl pkcs8 -topk8 -in old.key -out new.key",
            Self::PasswordMissing => "give it: `password: \"{{ … }}\"`",
            Self::Pkcs12(_) => "such files end in .p12 or .pfx; PEM files are `cert` and `key`",
            Self::PasswordWrong | Self::Unusable(_) => return None,
        })
    }

    pub(super) fn report(&self, span: Span, reading: &Reading) {
        match self.help() {
            Some(help) => reading.error_with(span, self.to_string(), help),
            None => reading.error(span, self.to_string()),
        }
    }

    pub(super) fn error(&self, span: Span) -> Error {
        let error = Error::new(span, self.to_string());
        match self.help() {
            Some(help) => error.help(help),
            None => error,
        }
    }
}

impl KeyMaterial {
    /// Certificate and key from PEM; the key may stand in the file of the certificate.
    pub(super) fn pem(chain: &str, key: Option<&str>) -> Result<Self, Unopened> {
        let mut certificates = String::new();
        for block in pem::blocks(chain).iter().filter(|block| block.label == "CERTIFICATE") {
            certificates.push_str(block.text);
            certificates.push('\n');
        }
        if certificates.is_empty() {
            return Err(Unopened::NoCertificate);
        }
        pem::check_certificates(&certificates).map_err(Unopened::Certificate)?;
        let blocks = pem::blocks(key.unwrap_or(chain));
        let key = blocks.iter().find(|block| block.label == CLOSED || KEYS.contains(&block.label));
        match key {
            None => Err(Unopened::NoKey),
            Some(key) if key.label == CLOSED => Ok(Self::Closed { certificates, key: key.text.to_owned() }),
            Some(key) if key.text.contains("Proc-Type:") => Err(Unopened::OldKey),
            Some(key) => Ok(Self::Open(certificates + key.text + "\n")),
        }
    }

    /// Opens it.
    pub(super) fn open(&self, password: Option<&str>) -> Result<Identity, Unopened> {
        let pem = match self {
            Self::Open(pem) => pem.clone(),
            Self::Closed { certificates, key } => {
                let password = password.ok_or(Unopened::PasswordMissing)?;
                certificates.clone() + open_key(key, password)?.as_str()
            }
            Self::Pkcs12(bytes) => open_pkcs12(bytes, password)?,
        };
        usable(&pem)?;
        Ok(Identity(pem.into_bytes()))
    }
}

impl Identity {
    /// Certificates, then the key.
    pub(super) fn pem(&self) -> &[u8] {
        &self.0
    }
}

fn open_key(pem: &str, password: &str) -> Result<String, Unopened> {
    let damaged = |why: &dyn fmt::Display| Unopened::Unusable(why.to_string());
    let (_, closed) = SecretDocument::from_pem(pem).map_err(|why| damaged(&why))?;
    let closed = EncryptedPrivateKeyInfoRef::try_from(closed.as_bytes()).map_err(|why| damaged(&why))?;
    let open = closed.decrypt(password).map_err(|_| Unopened::PasswordWrong)?;
    let pem = open.to_pem("PRIVATE KEY", LineEnding::LF).map_err(|why| damaged(&why))?;
    Ok(pem.to_string())
}

fn open_pkcs12(bytes: &[u8], password: Option<&str>) -> Result<String, Unopened> {
    let archive = Pkcs12Archive::from_pkcs12(bytes, password.unwrap_or_default());
    let archive = archive.map_err(|error| match (error, password) {
        (Pkcs12Error::MacError(_) | Pkcs12Error::Pkcs5Error(_) | Pkcs12Error::UnpadError, None) => {
            Unopened::PasswordMissing
        }
        (Pkcs12Error::MacError(_) | Pkcs12Error::Pkcs5Error(_) | Pkcs12Error::UnpadError, Some(_)) => {
            Unopened::PasswordWrong
        }
        (other, _) => Unopened::Pkcs12(other.to_string()),
    })?;
    let key = archive.keys.first().ok_or(Unopened::NoKey)?;
    let own = key.local_key_id.as_ref().map(AsRef::as_ref);
    let mut certificates: Vec<_> = archive.certs.iter().collect();
    // The client's own first, whatever the order in the file.
    certificates.sort_by_key(|bag| own.is_none() || bag.local_key_id.as_deref() != own);
    if certificates.is_empty() {
        return Err(Unopened::Pkcs12("it has no certificate".to_owned()));
    }
    let mut pem = String::new();
    for bag in certificates {
        pem.push_str(&pem::write("CERTIFICATE", bag.cert.as_der()));
    }
    Ok(pem + pem::write("PRIVATE KEY", key.key.as_der()).as_str())
}

/// Whether the key is one, and of the certificate.
fn usable(pem: &str) -> Result<(), Unopened> {
    use rustls::pki_types::pem::PemObject as _;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    let unusable = |why: &dyn fmt::Display| Unopened::Unusable(why.to_string());
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    let chain = chain.map_err(|why| unusable(&why))?;
    let key = PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|why| unusable(&why))?;
    let provider = rustls::crypto::ring::default_provider();
    match rustls::sign::CertifiedKey::from_der(chain, key, &provider) {
        Ok(_) => Ok(()),
        Err(rustls::Error::InconsistentKeys(_)) => {
            Err(Unopened::Unusable("the key belongs to another certificate".to_owned()))
        }
        Err(why) => Err(unusable(&why)),
    }
}

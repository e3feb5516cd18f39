//! Why a TLS connection did not come about, in words that say what to do.
//!
//! rustls knows precisely, but its words are a library's. Each fault that a user can mend has a
//! text of its own; the rest keep rustls's.

use std::fmt;

use rustls::pki_types::CertificateDer;
use rustls::{AlertDescription, CertificateError, Error as TlsError};

/// How many characters of an authority's name are told: the server wrote it.
const LONGEST_NAME: usize = 80;

/// What was wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The certificate's time is over.
    Expired,
    /// The certificate's time has not come.
    NotYetValid,
    /// The certificate is for other names: these, as far as they are known.
    WrongHost(Vec<String>),
    /// The certificate has no name that is looked at: its subject is not (RFC 9525, 6.3).
    Nameless,
    /// The server made its certificate itself: nobody else vouches for it.
    SelfSigned,
    /// Nobody whom this machine trusts signed the certificate; this one did, where it has a name.
    UnknownAuthority(Option<String>),
    /// The certificate was taken back.
    Revoked,
    /// The certificate is not as its authority signed it.
    Forged,
    /// What answers there is not TLS.
    NotTls,
    /// The connection ended in the middle of the handshake, without a word.
    HungUp,
    /// The server ended the handshake, and said why.
    Refused(String),
    /// Anything else, in rustls's words.
    Other(String),
}

/// A server that shows a certificate for which nobody vouches whom this machine trusts.
#[derive(Debug)]
pub(super) struct Untrusted {
    is_self_signed: bool,
    issuer: Option<String>,
}

impl std::error::Error for Untrusted {}

impl fmt::Display for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fault().fmt(f)
    }
}

impl Untrusted {
    /// Whether this is what path validation says of one.
    pub(super) fn is_meant(why: &CertificateError) -> bool {
        // The second is webpki's word for a self-signed certificate that claims to be an authority.
        *why == CertificateError::UnknownIssuer || format!("{why:?}").contains("CaUsedAsEndEntity")
    }

    /// Who signed what the server shows: itself, where issuer and subject are the same (RFC 5280, 3.2).
    pub(super) fn of(certificate: &CertificateDer<'_>) -> Self {
        let Ok((_, parsed)) = x509_parser::parse_x509_certificate(certificate) else {
            return Self { is_self_signed: false, issuer: None };
        };
        let issuer = parsed.issuer();
        let named = issuer.iter_common_name().chain(issuer.iter_organization()).next();
        let named = named.and_then(|name| name.as_str().ok()).filter(|name| !name.is_empty());
        Self {
            is_self_signed: issuer.as_raw() == parsed.subject().as_raw(),
            issuer: named.map(|name| name.chars().take(LONGEST_NAME).flat_map(char::escape_debug).collect()),
        }
    }

    fn fault(&self) -> Fault {
        if self.is_self_signed { Fault::SelfSigned } else { Fault::UnknownAuthority(self.issuer.clone()) }
    }
}

impl Fault {
    /// The fault that an error of rustls stands for.
    #[must_use]
    pub fn of(error: &TlsError) -> Self {
        match error {
            TlsError::InvalidCertificate(certificate) => Self::of_certificate(certificate, error),
            TlsError::InvalidMessage(_) => Self::NotTls,
            TlsError::AlertReceived(alert) => Self::Refused(alert_words(*alert)),
            other => Self::Other(other.to_string()),
        }
    }

    fn of_certificate(certificate: &CertificateError, error: &TlsError) -> Self {
        match certificate {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Self::NotYetValid,
            CertificateError::NotValidForName => Self::WrongHost(Vec::new()),
            CertificateError::NotValidForNameContext { presented, .. } if presented.is_empty() => {
                Self::Nameless
            }
            CertificateError::NotValidForNameContext { presented, .. } => {
                Self::WrongHost(presented.iter().map(|name| name_words(name)).collect())
            }
            CertificateError::Revoked => Self::Revoked,
            CertificateError::BadSignature => Self::Forged,
            CertificateError::Other(other) if other.0.is::<Untrusted>() => {
                other.0.downcast_ref::<Untrusted>().map_or(Self::SelfSigned, Untrusted::fault)
            }
            other if Untrusted::is_meant(other) => Self::UnknownAuthority(None),
            // webpki's word for X.509 before version 3, which has no place for names.
            other if format!("{other:?}").contains("UnsupportedCertVersion") => Self::Nameless,
            _ => Self::Other(error.to_string()),
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        let help = match self {
            Self::Expired => "the server needs a new certificate; is this machine's clock right?",
            Self::NotYetValid => "is this machine's clock right?",
            Self::WrongHost(_) => "does the URL name the host as its certificate does?",
            Self::Nameless => {
                "the name of its subject does not count; make one with openssl req -x509 … -addext 'subjectAltName=DNS:localhost,IP:127.0.0.1'"
            }
            Self::SelfSigned => {
                "if that is meant, save that very certificate and name its file: `tls: { ca: server.pem }`; `tls: { insecure: true }` checks nothing"
            }
            Self::UnknownAuthority(_) => {
                "name the authority's file, `tls: { ca: ca.pem }`, or add it to the system's certificates; if others reach this server, it may leave out its intermediate certificates; `tls: { insecure: true }` checks nothing"
            }
            Self::Forged => {
                "it was changed, or is not from whom it names: find out who answers there before anything goes there"
            }
            Self::NotTls | Self::HungUp => "if the server speaks plain HTTP there, write http:// in the URL",
            Self::Revoked | Self::Refused(_) | Self::Other(_) => return None,
        };
        Some(help.to_owned())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expired => f.write_str("its certificate has expired"),
            Self::NotYetValid => f.write_str("its certificate is not valid yet"),
            Self::WrongHost(names) if names.is_empty() => f.write_str("its certificate is for another host"),
            Self::WrongHost(names) => write!(f, "its certificate is for another host: {}", names.join(", ")),
            Self::Nameless => f.write_str("its certificate names no host in subjectAltName"),
            Self::SelfSigned => f.write_str("its certificate is self-signed, and nobody else vouches for it"),
            Self::UnknownAuthority(None) => {
                f.write_str("its certificate is from an authority that is not trusted here")
            }
            Self::UnknownAuthority(Some(name)) => {
                write!(f, "its certificate is from an authority that is not trusted here: {name}")
            }
            Self::Revoked => f.write_str("its certificate was revoked"),
            Self::Forged => f.write_str("the signature of its certificate is not right"),
            Self::NotTls => f.write_str("what answers there is not TLS"),
            Self::HungUp => f.write_str("the connection was closed in the middle of the handshake"),
            Self::Refused(why) => write!(f, "the server ended the handshake: {why}"),
            Self::Other(why) => f.write_str(why),
        }
    }
}

/// A certificate's name; webpki writes `DnsName("example.com")`.
fn name_words(name: &str) -> String {
    match (name.find('"'), name.rfind('"')) {
        (Some(start), Some(end)) if start < end => name[start + 1..end].to_owned(),
        _ => name.to_owned(),
    }
}

/// `HandshakeFailure` as `handshake failure`.
fn alert_words(alert: AlertDescription) -> String {
    let mut words = String::new();
    for c in format!("{alert:?}").chars() {
        if c.is_ascii_uppercase()
            && !words.is_empty()
            && !words.ends_with(|last: char| last.is_ascii_uppercase())
        {
            words.push(' ');
        }
        words.push(c.to_ascii_lowercase());
    }
    words
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rustls::InvalidMessage;
    use rustls::pki_types::{ServerName, UnixTime};

    use super::*;

    fn time(seconds: u64) -> UnixTime {
        UnixTime::since_unix_epoch(Duration::from_secs(seconds))
    }

    #[test]
    fn every_fault_of_a_certificate_has_its_own_text() {
        let expired = CertificateError::ExpiredContext { time: time(9), not_after: time(1) };
        let early = CertificateError::NotValidYetContext { time: time(1), not_before: time(9) };
        let other_host = CertificateError::NotValidForNameContext {
            expected: ServerName::try_from("b.example").expect("a name"),
            presented: vec!["DnsName(\"a.example\")".to_owned(), "DnsName(\"*.c.example\")".to_owned()],
        };
        let table = [
            (CertificateError::Expired, "its certificate has expired"),
            (expired, "its certificate has expired"),
            (CertificateError::NotValidYet, "its certificate is not valid yet"),
            (early, "its certificate is not valid yet"),
            (CertificateError::NotValidForName, "its certificate is for another host"),
            (other_host, "its certificate is for another host: a.example, *.c.example"),
            (
                CertificateError::UnknownIssuer,
                "its certificate is from an authority that is not trusted here",
            ),
            (CertificateError::Revoked, "its certificate was revoked"),
            (CertificateError::BadSignature, "the signature of its certificate is not right"),
        ];
        for (error, text) in table {
            let fault = Fault::of(&TlsError::InvalidCertificate(error));
            assert_eq!(fault.to_string(), text);
            assert!(fault == Fault::Revoked || fault.help().is_some(), "{text}");
        }
    }

    #[test]
    fn a_plain_server_and_a_refusal_are_told_apart() {
        let plain = Fault::of(&TlsError::InvalidMessage(InvalidMessage::InvalidContentType));
        assert_eq!(plain, Fault::NotTls);
        assert!(plain.help().is_some_and(|help| help.contains("http://")));
        let refused = Fault::of(&TlsError::AlertReceived(AlertDescription::HandshakeFailure));
        assert_eq!(refused.to_string(), "the server ended the handshake: handshake failure");
        let other = Fault::of(&TlsError::General("odd".to_owned()));
        assert!(matches!(other, Fault::Other(why) if why.contains("odd")));
    }
}

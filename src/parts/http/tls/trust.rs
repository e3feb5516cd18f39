//! Whom a client of reqwest believes: the machine's authorities, those of `ca` beside them, servers
//! that are trusted by themselves, and the one whose certificate is not checked.
//!
//! What most people have to name is no authority but the self-signed certificate of one server, and
//! what `openssl req -x509` makes says of itself that it is an authority, so that path validation
//! refuses it as a server's (RFC 5280, 4.2.1.9). A server that shows exactly a certificate of the
//! file is therefore trusted, as long as name and dates are right. Who is not trusted is told by what
//! he showed: a certificate that he made himself needs another remedy than an authority that is missing.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject as _};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, SignatureScheme,
    SupportedProtocolVersion,
};
use rustls_platform_verifier::Verifier;

use crate::parts::http::tls::fault::Untrusted;
use crate::parts::http::tls::identity::Identity;

/// Trusts whom the machine trusts, the authorities of a file, the very servers of that file, and one
/// host without asking.
#[derive(Debug)]
pub(super) struct Trust {
    authorities: Verifier,
    own: Vec<CertificateDer<'static>>,
    unchecked: Option<ServerName<'static>>,
}

/// How a client of reqwest speaks TLS. `ca` are more certificates that it trusts, in PEM;
/// `unchecked` is the host whose certificate is not checked, while all others are, such as that of a
/// proxy on the way.
pub(super) fn config(
    (ca, unchecked): (&[u8], Option<&str>),
    identity: Option<&Identity>,
    versions: &[&'static SupportedProtocolVersion],
) -> Result<ClientConfig, Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = Trust::new(ca, unchecked, Arc::clone(&provider))?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let Some(identity) = identity else { return Ok(config.with_no_client_auth()) };
    let chain = certificates(identity.pem())?;
    let key = PrivateKeyDer::from_pem_slice(identity.pem()).map_err(|why| unreadable(&why))?;
    config.with_client_auth_cert(chain, key)
}

impl Trust {
    fn new(ca: &[u8], unchecked: Option<&str>, provider: Arc<CryptoProvider>) -> Result<Self, Error> {
        let own = certificates(ca)?;
        let authorities = Verifier::new_with_extra_roots(own.iter().cloned(), provider)?;
        // A URL writes an address of IPv6 in brackets.
        let bare = unchecked.map(|host| host.trim_start_matches('[').trim_end_matches(']').to_owned());
        let unchecked = bare.and_then(|host| ServerName::try_from(host).ok());
        Ok(Self { authorities, own, unchecked })
    }
}

impl ServerCertVerifier for Trust {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.own.iter().any(|own| own == end_entity) {
            verify_dates(end_entity, now)?;
            verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
            return Ok(ServerCertVerified::assertion());
        }
        if self.unchecked.as_ref() == Some(server_name) {
            return Ok(ServerCertVerified::assertion());
        }
        let verified =
            self.authorities.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        verified.map_err(|error| unknown(error, end_entity))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.authorities.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.authorities.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.authorities.supported_verify_schemes()
    }
}

/// Says of a server that nobody vouches for what it showed.
fn unknown(error: Error, certificate: &CertificateDer<'_>) -> Error {
    match &error {
        Error::InvalidCertificate(why) if Untrusted::is_meant(why) => {
            CertificateError::Other(OtherError(Arc::new(Untrusted::of(certificate)))).into()
        }
        _ => error,
    }
}

/// Path validation, which would ask this, is not done for a certificate that is trusted by itself.
fn verify_dates(certificate: &CertificateDer<'_>, now: UnixTime) -> Result<(), Error> {
    let (_, parsed) =
        x509_parser::parse_x509_certificate(certificate).map_err(|_| CertificateError::BadEncoding)?;
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    let validity = parsed.validity();
    if now < validity.not_before.timestamp() {
        return Err(CertificateError::NotValidYet.into());
    }
    if now > validity.not_after.timestamp() {
        return Err(CertificateError::Expired.into());
    }
    Ok(())
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Error> {
    CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(|why| unreadable(&why))
}

fn unreadable(why: &rustls::pki_types::pem::Error) -> Error {
    Error::General(why.to_string())
}

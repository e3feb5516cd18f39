//! `ca`: authorities of the user's own beside the machine's, and servers that are trusted by
//! themselves.
//!
//! What most people have to name is no authority but the self-signed certificate of one server, and
//! what `openssl req -x509` makes says of itself that it is an authority, so that path validation
//! refuses it as a server's (RFC 5280, 4.2.1.9). A server that shows exactly a certificate of the
//! file is therefore trusted, as long as name and dates are right.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject as _};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme, SupportedProtocolVersion,
};
use rustls_platform_verifier::Verifier;

use crate::parts::http::tls::identity::Identity;

/// Trusts whom the machine trusts, the authorities of a file, and the very servers of that file.
#[derive(Debug)]
struct Pinned {
    authorities: Verifier,
    own: Vec<CertificateDer<'static>>,
}

/// How a client of the network that trusts the certificates of a PEM text speaks TLS.
pub(super) fn config(
    ca: &[u8],
    identity: Option<&Identity>,
    versions: &[&'static SupportedProtocolVersion],
) -> Result<ClientConfig, Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = Pinned::new(ca, Arc::clone(&provider))?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let Some(identity) = identity else { return Ok(config.with_no_client_auth()) };
    let chain = certificates(identity.pem())?;
    let key = PrivateKeyDer::from_pem_slice(identity.pem()).map_err(|why| unreadable(&why))?;
    config.with_client_auth_cert(chain, key)
}

impl Pinned {
    fn new(ca: &[u8], provider: Arc<CryptoProvider>) -> Result<Self, Error> {
        let own = certificates(ca)?;
        Ok(Self { authorities: Verifier::new_with_extra_roots(own.iter().cloned(), provider)?, own })
    }
}

impl ServerCertVerifier for Pinned {
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
        self.authorities.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
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

//! The certificate of a mock that serves https: made at its start and gone with it, so that no
//! private key is ever kept in a file.
//!
//! It is no authority (RFC 5280, 4.2.1.9): a client that trusts it as `tls: { ca: … }` trusts
//! this one server, whose key nobody else has, and nothing that it might sign.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivatePkcs8KeyDer;

use crate::ground::clock::Clock;
use crate::parts::http::tls::certificate_pem;

/// The names of this machine; addresses become names of the kind that addresses are checked by.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];
/// How many seconds it is valid before and after it was made: clients of the mock may have clocks
/// of their own, and some refuse what is valid for much longer than a year.
const BEFORE: i64 = 24 * 3600;
const AFTER: i64 = 365 * 24 * 3600;
/// Certificates know no later year (RFC 5280, 4.1.2.5): its beginning, in seconds since 1970.
const YEAR_9999: u64 = 253_370_764_800;

/// A certificate and its key.
pub(super) struct Certificate {
    pem: String,
    config: Arc<ServerConfig>,
}

impl Certificate {
    /// A fresh one for this machine. Its days are the machine's own and not those of a test's
    /// clock, since no client asks that one.
    pub(super) fn self_signed() -> io::Result<Self> {
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let certificate = parameters().map_err(io::Error::other)?.self_signed(&key);
        let der = certificate.map_err(io::Error::other)?.der().clone();
        let pem = certificate_pem(&der);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_single_cert(vec![der], PrivatePkcs8KeyDer::from(key.serialize_der()).into())
            .map_err(io::Error::other)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { pem, config: Arc::new(config) })
    }

    /// The certificate in PEM, without the key.
    pub(super) fn pem(&self) -> &str {
        &self.pem
    }

    /// What a server speaks TLS by.
    pub(super) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }
}

fn parameters() -> Result<CertificateParams, rcgen::Error> {
    let now = Clock::system().now_seconds();
    let mut parameters = CertificateParams::new(NAMES.map(str::to_owned))?;
    parameters.distinguished_name.push(DnType::CommonName, "reqchain mock");
    parameters.is_ca = IsCa::ExplicitNoCa;
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    parameters.not_before = epoch + since_epoch(now.saturating_sub(BEFORE));
    parameters.not_after = epoch + since_epoch(now.saturating_add(AFTER));
    Ok(parameters)
}

/// A moment that can be written in a certificate, whatever the machine's clock says.
fn since_epoch(seconds: i64) -> Duration {
    Duration::from_secs(u64::try_from(seconds).unwrap_or_default().min(YEAR_9999))
}

#[cfg(test)]
mod tests {
    use rustls::RootCertStore;
    use rustls::client::WebPkiServerVerifier;
    use rustls::client::danger::ServerCertVerifier as _;
    use rustls::pki_types::pem::PemObject as _;
    use rustls::pki_types::{CertificateDer, ServerName, UnixTime};

    use super::*;

    #[test]
    fn whoever_trusts_it_accepts_it_for_this_machine_and_for_no_other() {
        let certificate = Certificate::self_signed().expect("a certificate");
        let der = CertificateDer::from_pem_slice(certificate.pem().as_bytes()).expect("PEM");
        let mut roots = RootCertStore::empty();
        roots.add(der.clone()).expect("an anchor");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider);
        let verifier = verifier.build().expect("a verifier");
        let accepts = |name: &str| {
            let name = ServerName::try_from(name.to_owned()).expect("a name");
            verifier.verify_server_cert(&der, &[], &name, &[], UnixTime::now()).is_ok()
        };
        for name in ["localhost", "127.0.0.1", "::1"] {
            assert!(accepts(name), "{name}");
        }
        assert!(!accepts("example.com") && !accepts("127.0.0.2"));
    }

    #[test]
    fn each_start_has_a_key_of_its_own() {
        let pem = || Certificate::self_signed().expect("a certificate").pem;
        assert_ne!(pem(), pem());
        assert!(!pem().contains("PRIVATE"));
    }
}

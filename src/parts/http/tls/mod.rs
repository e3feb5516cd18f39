//! `tls`: whom we trust and who we are, and what is wrong where no connection comes about.
//!
//! What was typed is a [`TlsSpec`]: its files are read when the workflow is, so that a mistake is
//! told at its key. What a request travels with is a [`Tls`]; the key of a client certificate is
//! opened when its password is known, and once for each password.

mod fault;
mod file;
mod identity;
mod insecure;
mod pem;
mod trust;
mod waiver;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use reqwest::ClientBuilder;
use rustls::version::TLS13;
use rustls::{ALL_VERSIONS, SupportedProtocolVersion};

use crate::ground::read::{Fields, Reading};
use crate::ground::source::Span;
use crate::ground::value::Value;
use crate::ground::yaml::{Kind, Node};
use crate::parts::http::tls::file::read_file;
use crate::parts::http::tls::identity::{Identity, KeyMaterial, Unopened};
use crate::parts::http::tls::insecure::Insecure;
use crate::parts::scope::Scope;
use crate::parts::template::{Error, Mention, Tree};

pub use fault::Fault;
pub use waiver::Waiver;

const KEYS: [&str; 7] = ["ca", "cert", "key", "pkcs12", "password", "insecure", "min"];

/// `tls: { ca, cert, key, pkcs12, password, insecure, min }`.
#[derive(Debug, Clone, Default)]
pub struct TlsSpec {
    ca: Option<Arc<Authorities>>,
    identity: Option<Arc<IdentitySpec>>,
    insecure: Option<Arc<Insecure>>,
    min: Option<Version>,
}

/// A client certificate, its key still closed, and the password that opens it.
struct IdentitySpec {
    material: KeyMaterial,
    span: Span,
    password: Option<(Tree, Span)>,
    /// What the last password opened.
    opened: Mutex<Option<(String, Arc<Identity>)>>,
    files: Arc<IdentityFiles>,
}

/// Where a client certificate came from, as another program would be told.
#[derive(Debug, PartialEq, Eq)]
pub struct IdentityFiles {
    /// The certificate; the key too, where there is no other file.
    pub cert: PathBuf,
    /// The key.
    pub key: Option<PathBuf>,
    /// Whether it is PKCS#12 (RFC 7292) instead of PEM.
    pub is_pkcs12: bool,
    /// Whether a password opens it.
    pub has_password: bool,
    /// Whether other users of this machine can read or write the key, which no password closes.
    pub is_loose: bool,
}

/// The authorities of a PEM file.
#[derive(PartialEq, Eq)]
struct Authorities {
    pem: Vec<u8>,
    file: PathBuf,
}

/// A version of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    /// RFC 5246.
    Tls12,
    /// RFC 8446.
    Tls13,
}

/// How a connection is encrypted: all that a client of reqwest is fixed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    ca: Option<Arc<Authorities>>,
    identity: Option<Arc<Identity>>,
    identity_files: Option<Arc<IdentityFiles>>,
    /// Whether any certificate of the server will do that the request names; one that a redirect
    /// leads to is another.
    pub insecure: bool,
    min: Option<Version>,
}

/// Why a client of reqwest could not be built.
pub(super) type Unbuilt = Box<dyn std::error::Error + Send + Sync>;

impl fmt::Debug for IdentitySpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdentitySpec")
    }
}

impl fmt::Debug for Authorities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.pem.len())
    }
}

impl TlsSpec {
    /// Reads `tls:`; mistakes are reported, those in its files too.
    pub fn read(node: &Node, reading: &Reading) -> Option<Self> {
        let fields = reading.fields(node, "tls", &KEYS, &[])?;
        let ca = fields.optional("ca", |node| read_authorities(node, reading));
        let identity = IdentitySpec::read(&fields, reading);
        let insecure = fields.optional("insecure", |node| Insecure::read(node, reading));
        let min = fields.optional("min", |node| Version::read(node, reading));
        Some(Self { ca: ca?, identity: identity.map(Arc::new), insecure: insecure?.map(Arc::new), min: min? })
    }

    /// Lays it over what `defaults` says. Certificate, key and password belong together.
    #[must_use]
    pub fn overlay(self, defaults: &Self) -> Self {
        Self {
            ca: self.ca.or_else(|| defaults.ca.clone()),
            identity: self.identity.or_else(|| defaults.identity.clone()),
            insecure: self.insecure.or_else(|| defaults.insecure.clone()),
            min: self.min.or(defaults.min),
        }
    }

    /// Opens the client certificate.
    ///
    /// # Errors
    /// Where the password is wrong or missing, which is never told, or `insecure` says
    /// neither yes nor no.
    pub fn resolve(&self, scope: &Scope) -> Result<Arc<Tls>, Error> {
        let identity = self.identity.as_ref().map(|identity| identity.open(scope)).transpose()?;
        let insecure = self.insecure.as_deref().map_or(Ok(false), |insecure| insecure.holds(scope))?;
        let identity_files = self.identity.as_ref().map(|identity| Arc::clone(&identity.files));
        Ok(Arc::new(Tls { ca: self.ca.clone(), identity, identity_files, insecure, min: self.min }))
    }

    /// Tells every name that its templates read, and where.
    pub fn reads(&self, visit: &mut dyn FnMut(Mention<'_>)) {
        if let Some((password, _)) = self.identity.as_ref().and_then(|identity| identity.password.as_ref()) {
            password.reads(visit);
        }
        if let Some(insecure) = self.insecure.as_deref() {
            insecure.reads(visit);
        }
    }
}

impl IdentitySpec {
    /// Reads `cert` and `key`, or `pkcs12`, and `password`. What needs no password, or one that is
    /// no template, is opened at once. `None` where there is none, and after a mistake, which was
    /// reported.
    fn read(fields: &Fields<'_>, reading: &Reading) -> Option<Self> {
        let password = fields.optional("password", |node| read_password(node, reading));
        let (cert, key, pkcs12) = (fields.get("cert"), fields.get("key"), fields.entry("pkcs12"));
        let (material, span) = match (cert, key, pkcs12) {
            (None, None, None) => {
                if let Some((key, _)) = fields.entry("password") {
                    let help = "name the file that it opens: `pkcs12`, or `cert` and `key`";
                    reading.error_with(key.span, "`password` opens nothing", help);
                }
                return None;
            }
            (None, Some(key), None) => {
                let help = "name the certificate that the key belongs to: `cert: client.pem`";
                reading.error_with(key.span, "`key` needs `cert`", help);
                return None;
            }
            (_, _, Some((name, file))) => {
                if cert.or(key).is_some() {
                    let help = "a PKCS#12 file has certificate and key; keep one of them";
                    reading.error_with(name.span, "`pkcs12` stands beside `cert` or `key`", help);
                    return None;
                }
                (KeyMaterial::Pkcs12(read_file(file, "pkcs12", reading)?), file.span)
            }
            (Some(cert), key, None) => {
                let text = |node: &Node, what: &str| {
                    read_file(node, what, reading).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
                };
                let (chain, key) = (text(cert, "cert"), key.map(|key| (text(key, "key"), key.span)));
                let (key, span) = key.map_or((Some(None), cert.span), |(key, span)| (key.map(Some), span));
                let material = KeyMaterial::pem(&chain?, key?.as_deref());
                (material.map_err(|why| why.report(span, reading)).ok()?, span)
            }
        };
        let beside =
            |node: &Node| node.scalar().map(|scalar| reading.source.beside(&scalar.text)).unwrap_or_default();
        let is_pkcs12 = pkcs12.is_some();
        let password = password?;
        let is_open = matches!(material, KeyMaterial::Open(_)) || password.is_none();
        let key_file = key.or(cert).or(pkcs12.map(|(_, file)| file)).map(beside).unwrap_or_default();
        let files = Arc::new(IdentityFiles {
            is_loose: is_open && file::is_loose(&key_file),
            cert: cert.or(pkcs12.map(|(_, file)| file)).map(beside).unwrap_or_default(),
            key: key.map(beside),
            is_pkcs12,
            has_password: password.is_some(),
        });
        let spec = Self { material, span, password, opened: Mutex::default(), files };
        spec.try_now(reading)?;
        Some(spec)
    }

    /// Opens it where no template is in the way, so that a mistake is told before anything is sent.
    fn try_now(&self, reading: &Reading) -> Option<()> {
        let password = match &self.password {
            None => None,
            Some((Tree::Plain(password), _)) => Some(password.to_text()),
            Some(_) => return Some(()),
        };
        match self.material.open(password.as_deref()) {
            Ok(identity) => {
                self.keep(password.unwrap_or_default(), Arc::new(identity));
                Some(())
            }
            Err(why) => {
                why.report(self.place(&why), reading);
                None
            }
        }
    }

    fn open(&self, scope: &Scope) -> Result<Arc<Identity>, Error> {
        let password = match &self.password {
            None => None,
            Some((tree, _)) => match tree.value(scope)?.value {
                Value::Null => None,
                password => Some(password.to_text()),
            },
        };
        if let Some(password) = &password {
            scope.needles.learn(&"password".into(), password);
        }
        let known = self.opened.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, identity)) = known.filter(|(by, _)| *by == *password.as_deref().unwrap_or_default()) {
            return Ok(identity);
        }
        let opened = self.material.open(password.as_deref());
        let identity = Arc::new(opened.map_err(|why| why.error(self.place(&why)))?);
        self.keep(password.unwrap_or_default(), Arc::clone(&identity));
        Ok(identity)
    }

    fn keep(&self, password: String, identity: Arc<Identity>) {
        *self.opened.lock().unwrap_or_else(PoisonError::into_inner) = Some((password, identity));
    }

    /// Where a mistake is told: at the password if that is what is wrong.
    fn place(&self, why: &Unopened) -> Span {
        match &self.password {
            Some((_, span)) if why.is_of_password() => *span,
            _ => self.span,
        }
    }
}

impl Version {
    fn read(node: &Node, reading: &Reading) -> Option<Self> {
        match &*reading.text(node, "min")?.text {
            "1.2" => Some(Self::Tls12),
            "1.3" => Some(Self::Tls13),
            other => {
                let message = format!("`min` is a version of TLS, not `{other}`");
                reading.error_with(node.span, message, "write 1.2 or 1.3");
                None
            }
        }
    }
}

impl Tls {
    /// Whether there is a client certificate.
    pub(super) const fn identifies(&self) -> bool {
        self.identity.is_some()
    }

    /// The same without the client certificate; `None` where it has none.
    pub(super) fn without_identity(&self) -> Option<Self> {
        self.identity.as_ref()?;
        Some(Self { identity: None, identity_files: None, ..self.clone() })
    }

    /// The same with all certificates checked; `None` where they are.
    pub(super) fn checked(&self) -> Option<Self> {
        self.insecure.then(|| Self { insecure: false, ..self.clone() })
    }

    /// The file of the authorities that are trusted, too.
    #[must_use]
    pub fn authorities(&self) -> Option<&Path> {
        self.ca.as_deref().map(|ca| ca.file.as_path())
    }

    /// The file of a private key that other users of this machine can read.
    #[must_use]
    pub fn loose_key(&self) -> Option<&Path> {
        let files = self.identity_files.as_deref().filter(|files| files.is_loose)?;
        Some(files.key.as_deref().unwrap_or(&files.cert))
    }

    /// Where the client certificate came from.
    #[must_use]
    pub fn identity_files(&self) -> Option<&IdentityFiles> {
        self.identity_files.as_deref()
    }

    /// The lowest version of TLS that is spoken: `1.2`.
    #[must_use]
    pub fn min(&self) -> Option<&'static str> {
        self.min.map(|min| match min {
            Version::Tls12 => "1.2",
            Version::Tls13 => "1.3",
        })
    }

    fn versions(&self) -> &'static [&'static SupportedProtocolVersion] {
        static ONLY_1_3: [&SupportedProtocolVersion; 1] = [&TLS13];
        match self.min {
            Some(Version::Tls13) => &ONLY_1_3,
            Some(Version::Tls12) | None => ALL_VERSIONS,
        }
    }
}

/// Whose certificates a client of reqwest checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Checks<'a> {
    /// Everybody's.
    All,
    /// Everybody's but this host's: there is a proxy on the way that is spoken to by TLS, too.
    AllBut(&'a str),
    /// Nobody's: the client speaks to nobody but the server that is meant.
    None,
}

/// Tells a client of reqwest how to speak TLS, which offers these protocols (ALPN, RFC 7301).
///
/// # Errors
/// Where its certificates cannot be used.
pub(super) fn configure(
    mut builder: ClientBuilder,
    tls: Option<&Tls>,
    protocols: &[&[u8]],
    checks: Checks<'_>,
) -> Result<ClientBuilder, Unbuilt> {
    let identity = tls.and_then(|tls| tls.identity.as_deref());
    let unchecked = match checks {
        Checks::All => None,
        Checks::AllBut(host) => Some(host),
        Checks::None => {
            if let Some(identity) = identity {
                builder = builder.identity(reqwest::Identity::from_pem(identity.pem())?);
            }
            builder = match tls.and_then(|tls| tls.min) {
                Some(Version::Tls12) => builder.tls_version_min(reqwest::tls::Version::TLS_1_2),
                Some(Version::Tls13) => builder.tls_version_min(reqwest::tls::Version::TLS_1_3),
                None => builder,
            };
            return Ok(builder.tls_danger_accept_invalid_certs(true));
        }
    };
    let ca = tls.and_then(|tls| tls.ca.as_deref()).map_or(&[][..], |ca| &ca.pem);
    let versions = tls.map_or(ALL_VERSIONS, Tls::versions);
    let mut config = trust::config((ca, unchecked), identity, versions)?;
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    Ok(builder.tls_backend_preconfigured(config))
}

/// A certificate in PEM, for a file that `ca` may name.
#[must_use]
pub fn certificate_pem(der: &[u8]) -> String {
    pem::write("CERTIFICATE", der)
}

fn read_authorities(node: &Node, reading: &Reading) -> Option<Arc<Authorities>> {
    let bytes = read_file(node, "ca", reading)?;
    if let Err(why) = pem::check_certificates(&String::from_utf8_lossy(&bytes)) {
        let help = "it must hold certificates in PEM: -----BEGIN CERTIFICATE-----";
        reading.error_with(node.span, format!("`ca`: {why}"), help);
        return None;
    }
    let file = reading.source.beside(&node.scalar()?.text);
    Some(Arc::new(Authorities { pem: bytes, file }))
}

/// A password; one that is no template is shown by no excerpt.
fn read_password(node: &Node, reading: &Reading) -> Option<(Tree, Span)> {
    if !matches!(node.kind, Kind::Scalar(_)) {
        reading.error(node.span, format!("`password` must be a text, not {}", node.describe()));
        return None;
    }
    let scalar = node.scalar()?;
    if !scalar.is_empty() && !scalar.text.contains("{{") {
        reading.source.hide(node.span);
    }
    // A password of digits is a text: what is plain is taken as it was typed.
    let tree = match Tree::read(node, reading)? {
        Tree::Plain(Value::Null) => Tree::Plain("".into()),
        Tree::Plain(_) => Tree::Plain(Value::String(Arc::clone(&scalar.text))),
        templated => templated,
    };
    Some((tree, node.span))
}

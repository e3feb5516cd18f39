//! `jwt: { from, claims, expires_in, verify }`: what a token that came must say, and who signed it.

use std::sync::Arc;

use crate::ground::file::{self, Refused};
use crate::ground::jws;
use crate::ground::read::{Fields, Reading};
use crate::ground::secret::{Marked, Marks, is_secret_name};
use crate::ground::source::Spanned;
use crate::ground::value::Value;
use crate::ground::yaml::{Node, Scalar};
use crate::parts::expect::clause::judge;
use crate::parts::expect::{Check, LARGEST_FILE, Predicate, Tell, Unit};
use crate::parts::scope::Scope;
use crate::parts::select::jwt::{claim_of, decoded, no_claim, token};
use crate::parts::select::{Absence, Answer, Missing, Selector};
use crate::parts::template::{Error, Mention, Tree};

const WORDS: [&str; 4] = ["from", "claims", "expires_in", "verify"];

/// What is expected of a token.
#[derive(Debug, Clone)]
pub(super) struct Token {
    from: Selector,
    claims: Vec<(Arc<str>, Predicate)>,
    expires_in: Option<Predicate>,
    verify: Option<Spanned<Key>>,
}

/// What a signature is verified with.
#[derive(Debug, Clone)]
enum Key {
    /// A PEM, a JWK, a set of those, or a shared secret.
    Given(Tree),
    /// A set of keys in a file of the project.
    File(Arc<str>, FileText),
    /// A set of keys at a URL.
    Url(Tree),
}

/// The text of a file, which is not shown.
#[derive(Clone)]
struct FileText(Arc<str>);

impl std::fmt::Debug for FileText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FileText")
    }
}

impl Token {
    /// Reads the node under `expect.jwt`; mistakes are reported.
    pub(super) fn read(node: &Node, reading: &Reading) -> Option<Self> {
        let fields = reading.fields(node, "expect.jwt", &WORDS, &[])?;
        let missing = || {
            let help = "say where the token is: `jwt: { from: $.access_token, claims: { aud: … } }`";
            reading.error_with(node.span, "`expect.jwt` has no `from`", help);
        };
        let from = fields.required("from", missing);
        let from = from.and_then(|node| Selector::read(node, reading, "expect.jwt.from"));
        let claims = fields.optional("claims", |node| read_claims(node, reading));
        let expires_in = fields.optional("expires_in", |node| Predicate::read(node, reading, Unit::Seconds));
        let verify = fields.optional("verify", |node| read_key(node, reading));
        let (claims, expires_in, verify) = (claims?.unwrap_or_default(), expires_in?, verify?);
        if claims.is_empty() && expires_in.is_none() && verify.is_none() {
            if !fields.is_complete() {
                return None;
            }
            let help =
                "say what of it: `claims: { aud: … }`, `expires_in: { gt: 10m }` or `verify: { jwks: … }`";
            reading.error_with(node.span, "`expect.jwt` expects nothing of the token", help);
            return None;
        }
        Some(Self { from: from?, claims, expires_in, verify })
    }

    /// Where the token is.
    pub(super) const fn from(&self) -> &Selector {
        &self.from
    }

    /// The names that its templates read.
    pub(super) fn reads(&self, visit: &mut dyn FnMut(Mention<'_>)) {
        self.claims.iter().for_each(|(_, predicate)| predicate.reads(visit));
        if let Some(predicate) = &self.expires_in {
            predicate.reads(visit);
        }
        match self.verify.as_ref().map(|key| &key.value) {
            Some(Key::Given(tree) | Key::Url(tree)) => tree.reads(visit),
            Some(Key::File(..)) | None => {}
        }
    }

    /// The URL whose key set is wanted.
    pub(super) fn key_url(&self, scope: &Scope) -> Result<Option<Spanned<String>>, Error> {
        match &self.verify {
            Some(Spanned { value: Key::Url(tree), span }) => {
                Ok(Some(Spanned::new(text_of(tree, scope)?, *span)))
            }
            _ => Ok(None),
        }
    }

    /// Adds a check for each thing that is expected.
    pub(super) fn check(
        &self,
        answer: &Answer,
        scope: &Scope,
        tell: Tell,
        checks: &mut Vec<Check>,
    ) -> Result<(), Error> {
        let found = decoded(&self.from, answer).map(|(_, claims)| claims);
        for (name, predicate) in &self.claims {
            let what = || format!("jwt {} {name}", self.from);
            let found = found.as_ref().map_err(Clone::clone);
            let claim = found.and_then(|claims| {
                claim_of(claims, name).cloned().ok_or_else(|| no_claim(what(), name, claims))
            });
            let claim = claim.map(|value| Marked::new(value, marks(name)));
            checks.extend(judge(predicate, claim.as_ref(), scope, tell, what)?);
        }
        if let Some(predicate) = &self.expires_in {
            let what = || format!("jwt {} expires_in", self.from);
            let left = found.as_ref().map_err(Clone::clone).and_then(|claims| expires_in(claims, scope));
            checks.extend(judge(predicate, left.as_ref(), scope, tell, what)?);
        }
        if let Some(key) = &self.verify {
            checks.extend(self.signature(key, answer, scope, tell)?);
        }
        Ok(())
    }

    /// Whether the signature is right. Nothing is said where the keys could not be fetched: that
    /// is an error of its own.
    fn signature(
        &self,
        key: &Spanned<Key>,
        answer: &Answer,
        scope: &Scope,
        tell: Tell,
    ) -> Result<Option<Check>, Error> {
        let (text, name) = match &key.value {
            Key::Given(tree) => (text_of(tree, scope)?, "`key`".to_owned()),
            Key::File(name, text) => (text.0.to_string(), name.to_string()),
            Key::Url(tree) => {
                let url = text_of(tree, scope)?;
                let Some(text) = scope.keys(&url) else { return Ok(None) };
                (text.to_string(), url)
            }
        };
        let (passed, actual) = match token(&self.from, answer) {
            Err(missing) => (false, missing.actual(&scope.needles)),
            Ok(token) => match jws::verify(&token, &text, None) {
                Ok(_) => (true, "signed by it".to_owned()),
                Err(error) => (false, scope.needles.scrub(&error.to_string())),
            },
        };
        if passed && tell == Tell::Failures {
            return Ok(None);
        }
        let what = format!("jwt {} signature", self.from);
        let expected = scope.needles.scrub(&format!("signed by a key of {name}"));
        Ok(Some(Check { what, passed, expected, actual, span: key.span }))
    }
}

fn marks(claim: &str) -> Marks {
    let name = claim.rsplit('.').next().unwrap_or(claim);
    Marks { secret: is_secret_name(name).then(|| name.into()), from_server: true }
}

/// How many seconds are left until `exp` (RFC 7519, section 4.1.4).
fn expires_in(claims: &Value, scope: &Scope) -> Result<Marked<Value>, Missing> {
    let Some(claim) = claims.get("exp") else { return Err(no_claim("exp".to_owned(), "exp", claims)) };
    let seconds =
        claim.as_f64().map(|exp| format!("{:.0}", exp.floor())).and_then(|exp| exp.parse::<i64>().ok());
    let Some(exp) = seconds else {
        let missing = Missing::nothing("exp".to_owned(), "the claim `exp` is not a number");
        return Err(missing.with(Absence::WrongKind, None));
    };
    Ok(Marked::plain(Value::from(exp.saturating_sub(scope.clock.now_seconds()))))
}

fn text_of(tree: &Tree, scope: &Scope) -> Result<String, Error> {
    Ok(tree.value(scope)?.value.to_text())
}

fn read_claims(node: &Node, reading: &Reading) -> Option<Vec<(Arc<str>, Predicate)>> {
    let entries = reading.entries(node, "claims")?;
    let read = entries.iter().map(|(name, node)| {
        Predicate::read(node, reading, Unit::None).map(|predicate| (Arc::clone(&name.text), predicate))
    });
    // All are read before the first that is wrong ends it, so that every mistake is told.
    read.collect::<Vec<_>>().into_iter().collect()
}

fn read_key(node: &Node, reading: &Reading) -> Option<Spanned<Key>> {
    let fields = reading.fields(node, "verify", &["jwks", "key"], &[])?;
    let key = match (fields.entry("jwks"), fields.entry("key")) {
        (Some((_, node)), None) => read_jwks(node, reading)?,
        (None, Some((_, node))) => {
            reading.text(node, "key")?;
            Key::Given(Tree::read(node, reading)?)
        }
        _ => {
            report_key(&fields, reading);
            return None;
        }
    };
    let span = fields.iter().next().map_or(node.span, |(_, value)| value.span);
    Some(Spanned::new(key, span))
}

fn report_key(fields: &Fields<'_>, reading: &Reading) {
    if fields.is_meant("jwks") || fields.is_meant("key") || !fields.is_complete() {
        return;
    }
    let help = "write `jwks:` with a URL or a file, or `key:` with a PEM, a JWK or a shared secret";
    reading.error_with(fields.span, "`verify` takes one of `jwks` and `key`", help);
}

/// A URL, a template that gives one, or a file.
fn read_jwks(node: &Node, reading: &Reading) -> Option<Key> {
    let scalar = reading.text(node, "jwks")?;
    let text = &*scalar.text;
    if text.contains("{{") || text.contains("://") {
        return Tree::read(node, reading).map(Key::Url);
    }
    read_file(scalar, reading).map(|found| Key::File(Arc::clone(&scalar.text), FileText(found.into())))
}

/// The text of a file, where it is a set of keys.
fn read_file(scalar: &Scalar, reading: &Reading) -> Option<String> {
    let found = reading.find(&scalar.text);
    let found = found.and_then(|found| key_set(file::bytes(&found.real, LARGEST_FILE)?));
    found.map_err(|refused| refused.report(scalar, reading)).ok()
}

fn key_set(bytes: Vec<u8>) -> Result<String, Refused> {
    let keys = Value::from_json(&bytes).ok().filter(|json| json.get("keys").is_some());
    let text = keys.and_then(|_| String::from_utf8(bytes).ok());
    text.ok_or_else(|| {
        let help = "a key set has a list of `keys` (RFC 7517, section 5); a PEM or a JWK goes under `key`";
        Refused::unfit("is not a key set").help(help)
    })
}

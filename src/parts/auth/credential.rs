//! A credential in its place: as it is sent, and as far as it is known before.

use std::fmt;
use std::sync::Arc;

use reqwest::header::{HeaderName, HeaderValue};

use crate::ground::source::Span;
use crate::parts::http::Request;
use crate::parts::scope::Scope;
use crate::parts::template::{Error, Sketched};

/// A credential that is not wholly known.
#[derive(Debug, Default)]
pub struct SketchedCredential {
    /// The header that it stands in.
    pub header: Option<(String, Vec<Sketched>)>,
    /// The parameter of the query that it stands in.
    pub query: Option<(Arc<str>, Vec<Sketched>)>,
    /// User name and password, where it is Basic.
    pub user: Option<Vec<Sketched>>,
    /// What is computed when the request is sent.
    pub note: Option<&'static str>,
}

/// A key that stands in the query, where no mark travels with it.
pub struct KeyInQuery {
    /// The parameter that has it.
    pub parameter: Arc<str>,
    /// What the secret is called.
    pub name: Arc<str>,
    /// The key itself.
    pub value: String,
}

impl fmt::Debug for KeyInQuery {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyInQuery").field("parameter", &self.parameter).finish_non_exhaustive()
    }
}

impl SketchedCredential {
    /// One that stands in a header behind the word `before`; none for null.
    pub(super) fn in_header(name: &HeaderName, before: &str, value: Option<Vec<Sketched>>) -> Self {
        let header = value.map(|value| {
            let before = (!before.is_empty()).then(|| Sketched::Text(before.to_owned()));
            (name.as_str().to_owned(), before.into_iter().chain(value).collect())
        });
        Self { header, ..Self::default() }
    }

    /// One that is computed when the request is sent.
    pub(super) fn later(note: &'static str) -> Self {
        Self { note: Some(note), ..Self::default() }
    }
}

/// Sets a header that carries a credential.
pub(super) fn set_credential(
    request: &mut Request,
    name: HeaderName,
    text: &str,
    span: Span,
) -> Result<(), Error> {
    let refused = || {
        Error::new(span, format!("the credential has a character that cannot stand in the header `{name}`"))
    };
    let mut value = HeaderValue::from_bytes(text.as_bytes()).map_err(|_| refused())?;
    value.set_sensitive(true);
    request.headers.insert(name, value);
    Ok(())
}

/// Learns what proves knowledge of the secret in a credential of several parameters: it may be echoed
/// alone.
pub(super) fn learn_proof(name: &str, credential: &str, scope: &Scope) {
    let value = credential.split_once(&format!(" {name}=")).map(|(_, rest)| rest.trim_start_matches('"'));
    let end = |value: &str| value.find(['"', ',']).unwrap_or(value.len());
    if let Some(value) = value {
        scope.needles.learn(&name.to_ascii_lowercase().into(), &value[..end(value)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_not_printed_with_what_else_is_known_of_it() {
        let key = KeyInQuery { parameter: "key".into(), name: "api_key".into(), value: "d0-n0t-sh0w".into() };
        let printed = format!("{key:?}");
        assert!(printed.contains("key") && !printed.contains("sh0w"), "{printed}");
    }
}

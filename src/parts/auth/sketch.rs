//! What a scheme will put into a request, as far as that can be known before it is sent.

use std::sync::Arc;

use reqwest::header::{AUTHORIZATION, COOKIE};

use crate::ground::encode;
use crate::ground::secret::pseudonym;
use crate::parts::auth::api_key::{ApiKey, Place};
use crate::parts::auth::{Auth, Part};
use crate::parts::scope::Scope;
use crate::parts::template::{Sketched, Sketcher};

/// A credential that is not wholly known.
#[derive(Debug, Default)]
pub struct Credential {
    /// The header that it stands in.
    pub header: Option<(String, Vec<Sketched>)>,
    /// The parameter of the query that it stands in.
    pub query: Option<(Arc<str>, Vec<Sketched>)>,
    /// User name and password, where it is Basic.
    pub user: Option<Vec<Sketched>>,
    /// What is computed when the request is sent.
    pub note: Option<&'static str>,
}

impl Auth {
    /// The credential, as far as it is known.
    #[must_use]
    pub fn sketch(&self, sketcher: &Sketcher<'_>) -> Credential {
        let in_header = |name: &str, before: &str, value: Option<Vec<Sketched>>| {
            let value = value.map(|value| {
                let before = (!before.is_empty()).then(|| Sketched::Text(before.to_owned()));
                (name.to_owned(), before.into_iter().chain(value).collect())
            });
            Credential { header: value, ..Credential::default() }
        };
        let later = |note| Credential { note: Some(note), ..Credential::default() };
        match self {
            Self::Basic(basic) => {
                let password = basic.password.sketch(sketcher, "password");
                let user = password.as_ref().map(|password| {
                    let mut user = basic.username.tree.sketch_values(sketcher).concat();
                    user.push(Sketched::Text(":".to_owned()));
                    user.extend(password.iter().cloned());
                    user
                });
                Credential { user, ..in_header(AUTHORIZATION.as_str(), "Basic ", password) }
            }
            Self::Bearer(bearer) => {
                in_header(AUTHORIZATION.as_str(), "Bearer ", bearer.token.sketch(sketcher, "token"))
            }
            Self::ApiKey(key) => {
                let value = key.value.sketch(sketcher, "api_key");
                match &key.place {
                    Place::Header(name) => in_header(name.as_str(), "", value),
                    Place::Cookie(name) => in_header(COOKIE.as_str(), &format!("{name}="), value),
                    Place::Query(name) => {
                        let query = value.map(|value| (Arc::clone(name), value));
                        Credential { query, ..Credential::default() }
                    }
                }
            }
            Self::Digest(_) => later("`digest` answers the server's challenge"),
            Self::AwsSigv4(_) => later("`aws_sigv4` signs it when it is sent"),
            Self::Jwt(_) => later("`jwt` signs a token when it is sent"),
            Self::None => Credential::default(),
        }
    }

    /// The key that stands in the query, as people may see it: the name of its parameter, and a
    /// pseudonym.
    #[must_use]
    pub fn shown_in_query(&self, scope: &Scope) -> Option<(String, String)> {
        match self {
            Self::ApiKey(ApiKey { place: Place::Query(name), .. }) => {
                let (secret, _) = self.key_in_query(scope)?;
                Some((encode::url(name), pseudonym(&secret)))
            }
            _ => None,
        }
    }

    /// The key that stands in the query, by name.
    #[must_use]
    pub fn key_in_query(&self, scope: &Scope) -> Option<(Arc<str>, String)> {
        match self {
            Self::ApiKey(key) if key.is_in_query() => {
                let found = key.value.text(scope, "api_key").ok()??;
                Some((found.marks.secret?, found.value))
            }
            _ => None,
        }
    }
}

impl Part {
    /// A secret by its name, or that of its place; `None` for null.
    fn sketch(&self, sketcher: &Sketcher<'_>, name: &str) -> Option<Vec<Sketched>> {
        let pieces = self.tree.sketch_values(sketcher).concat();
        if pieces.is_empty() {
            return None;
        }
        let secret = |piece| match piece {
            Sketched::Text(_) => Sketched::Secret(name.into()),
            piece => piece,
        };
        let text = |piece: &Sketched| match piece {
            Sketched::Text(text) => Some(text.clone()),
            _ => None,
        };
        // A literal is a secret by its place, and so may not be shown elsewhere either.
        if let Some(literal) = pieces.iter().map(text).collect::<Option<String>>() {
            let name: Arc<str> = name.into();
            sketcher.scope().needles.learn(&name, &literal);
            return Some(vec![Sketched::Secret(name)]);
        }
        Some(pieces.into_iter().map(secret).collect())
    }
}

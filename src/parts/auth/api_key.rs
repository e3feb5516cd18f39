//! A key in a header, the query or a cookie.

use std::sync::Arc;

use reqwest::header::{COOKIE, HeaderName};

use crate::ground::encode;
use crate::ground::read::Reading;
use crate::ground::yaml::Node;
use crate::parts::auth::Scheme;
use crate::parts::auth::credential::{KeyInQuery, SketchedCredential, set_credential};
use crate::parts::auth::part::Part;
use crate::parts::http::Request;
use crate::parts::http::message::reserved;
use crate::parts::scope::Scope;
use crate::parts::template::{Error, Mention, Sketcher};

/// `api_key: { header | query | cookie: name, value }`.
#[derive(Debug, Clone)]
pub struct ApiKey {
    place: Place,
    value: Part,
}

#[derive(Debug, Clone)]
enum Place {
    Header(HeaderName),
    Query(Arc<str>),
    Cookie(Arc<str>),
}

impl ApiKey {
    pub(super) fn read(node: &Node, reading: &Reading) -> Option<Self> {
        let fields = reading.fields(node, "api_key", &["header", "query", "cookie", "value"], &[])?;
        let places = fields.present(&["header", "query", "cookie"]);
        let [(kind, name)] = places.as_slice() else {
            let help = "write `api_key: { header: X-Api-Key, value: … }`";
            reading.error_with(fields.span, "`api_key` needs exactly one of header, query, cookie", help);
            return None;
        };
        let text = reading.text(name, &kind.text)?;
        let place = match &*kind.text {
            "header" => {
                if let Ok(header) = HeaderName::from_bytes(text.text.as_bytes()) {
                    if let Some((why, _)) = reserved(&header) {
                        let help = "name the header that the server reads the key from";
                        reading.error_with(name.span, format!("`{}` {why}", text.text), help);
                        return None;
                    }
                    Place::Header(header)
                } else {
                    let help = "a name has letters, digits and `-`";
                    reading.error_with(
                        name.span,
                        format!("`{}` cannot be the name of a header", text.text),
                        help,
                    );
                    return None;
                }
            }
            "query" => Place::Query(Arc::clone(&text.text)),
            _ => Place::Cookie(Arc::clone(&text.text)),
        };
        let value = fields.required("value", || {
            let help = "write `api_key: { header: X-Api-Key, value: … }`";
            reading.error_with(fields.span, "`api_key` needs `value`", help);
        })?;
        Some(Self { place, value: Part::read(value, "value", reading)? })
    }

    fn set_cookie(&self, request: &mut Request, name: &str, key: &str) -> Result<(), Error> {
        if key.contains([';', ',', '"', '\\']) || key.contains(char::is_whitespace) {
            return Err(Error::new(self.value.span, "the key has a character that cannot stand in a cookie"));
        }
        let before = request
            .headers
            .get(COOKIE)
            .and_then(|value| value.to_str().ok())
            .map(|value| format!("{value}; "));
        set_credential(
            request,
            COOKIE,
            &format!("{}{name}={key}", before.unwrap_or_default()),
            self.value.span,
        )
    }
}

impl Scheme for ApiKey {
    fn apply(&self, request: &mut Request, scope: &Scope) -> Result<(), Error> {
        let Some(key) = self.value.text(scope, "api_key")? else { return Ok(()) };
        match &self.place {
            Place::Header(name) => set_credential(request, name.clone(), &key.value, self.value.span),
            Place::Query(name) => {
                let pair = format!("{}={}", encode::url(name), encode::url(&key.value));
                let query = match request.url.query() {
                    Some(query) if !query.is_empty() => format!("{query}&{pair}"),
                    _ => pair,
                };
                request.url.set_query(Some(&query));
                request.secret_inside = true;
                Ok(())
            }
            Place::Cookie(name) => self.set_cookie(request, name, &key.value),
        }
    }

    fn reads(&self, visit: &mut dyn FnMut(Mention<'_>)) {
        self.value.tree.reads(visit);
    }

    fn sketch(&self, sketcher: &Sketcher<'_>) -> SketchedCredential {
        let value = self.value.sketch(sketcher, "api_key");
        match &self.place {
            Place::Header(name) => SketchedCredential::in_header(name, "", value),
            Place::Cookie(name) => SketchedCredential::in_header(&COOKIE, &format!("{name}="), value),
            Place::Query(name) => {
                let query = value.map(|value| (Arc::clone(name), value));
                SketchedCredential { query, ..SketchedCredential::default() }
            }
        }
    }

    fn key_in_query(&self, scope: &Scope) -> Option<KeyInQuery> {
        let Place::Query(parameter) = &self.place else { return None };
        let found = self.value.text(scope, "api_key").ok()??;
        Some(KeyInQuery { parameter: Arc::clone(parameter), name: found.marks.secret?, value: found.value })
    }
}

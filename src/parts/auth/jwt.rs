//! A JSON Web Token that is signed for each request (RFC 7519), sent as a bearer token.

use std::sync::Arc;

use reqwest::header::AUTHORIZATION;

use crate::ground::jws;
use crate::ground::read::Reading;
use crate::ground::value::{Map, Value};
use crate::ground::yaml::{Kind, Node};
use crate::parts::auth::Scheme;
use crate::parts::auth::credential::{SketchedCredential, set_credential};
use crate::parts::auth::part::Part;
use crate::parts::http::Request;
use crate::parts::scope::Scope;
use crate::parts::template::{Error, Mention, Sketcher, Tree};

/// `jwt: { key, alg, claims, header }`.
#[derive(Debug, Clone)]
pub struct Jwt {
    key: Part,
    alg: Option<Part>,
    claims: Option<Part>,
    header: Option<Part>,
}

impl Jwt {
    pub(super) fn read(node: &Node, reading: &Reading) -> Option<Self> {
        let fields = reading.fields(node, "jwt", &["key", "alg", "claims", "header"], &[])?;
        let key = fields.required("key", || {
            let help = "write `jwt: { key: \"{{ key }}\", claims: { sub: … } }`";
            reading.error_with(fields.span, "`jwt` needs `key`", help);
        });
        let key = key.and_then(|node| Part::read(node, "key", reading));
        let alg = fields.optional("alg", |node| read_alg(node, reading));
        let claims = fields.optional("claims", |node| read_members(node, "claims", reading));
        let header = fields.optional("header", |node| read_members(node, "header", reading));
        Some(Self { key: key?, alg: alg?, claims: claims?, header: header? })
    }
}

impl Scheme for Jwt {
    fn apply(&self, request: &mut Request, scope: &Scope) -> Result<(), Error> {
        let Some(key) = self.key.text(scope, "key")? else { return Ok(()) };
        let header = members(self.header.as_ref(), "header", scope)?;
        let mut claims = members(self.claims.as_ref(), "claims", scope)?;
        if !claims.contains_key("iat") {
            claims.insert("iat".into(), scope.clock.now_seconds().into());
        }
        claims.retain(|_, claim| *claim != Value::Null);
        let refused =
            |span, error: jws::Error| Error::new(span, format!("the JWT cannot be signed: {error}"));
        let named = match &self.alg {
            Some(alg) => Some(alg.tree.value(scope)?.value).filter(|alg| *alg != Value::Null),
            None => None,
        };
        let alg = if let Some(alg) = named {
            alg.to_text()
        } else {
            let kid = header.get("kid").and_then(Value::as_str);
            let usual = jws::usual_algorithm(&key.value, kid);
            usual.map_err(|error| refused(self.key.span, error))?.to_owned()
        };
        let token = jws::sign(&claims.into(), &header.into(), &key.value, &alg).map_err(|error| {
            let about_alg = matches!(error, jws::Error::UnknownAlgorithm(_) | jws::Error::Unsupported(_));
            let alg = self.alg.as_ref().filter(|_| about_alg);
            refused(alg.map_or(self.key.span, |alg| alg.span), error)
        })?;
        scope.needles.learn(&"jwt".into(), &token);
        set_credential(request, AUTHORIZATION, &format!("Bearer {token}"), self.key.span)
    }

    fn reads(&self, visit: &mut dyn FnMut(Mention<'_>)) {
        self.key.tree.reads(visit);
        for part in [&self.alg, &self.claims, &self.header].into_iter().flatten() {
            part.tree.reads(visit);
        }
    }

    fn sketch(&self, _: &Sketcher<'_>) -> SketchedCredential {
        SketchedCredential::later("`jwt` signs a token when it is sent")
    }
}

/// An algorithm that is written as it is, is judged before anything is sent.
fn read_alg(node: &Node, reading: &Reading) -> Option<Part> {
    let text = reading.text(node, "alg")?;
    if !text.text.contains("{{")
        && &*text.text != "null"
        && let Err(error) = jws::is_algorithm(&text.text)
    {
        reading.error(node.span, error.to_string());
        return None;
    }
    Some(Part { tree: Tree::read(node, reading)?, span: node.span })
}

/// A map, or a template that makes one.
fn read_members(node: &Node, what: &str, reading: &Reading) -> Option<Part> {
    let fits = match &node.kind {
        Kind::Map(_) => true,
        Kind::Scalar(scalar) => scalar.is_empty() || scalar.text.contains("{{"),
        Kind::List(_) => false,
    };
    if !fits {
        let message = format!("`{what}` must be a map, not {}", node.describe());
        reading.error(node.span, message);
        return None;
    }
    Some(Part { tree: Tree::read(node, reading)?, span: node.span })
}

fn members(part: Option<&Part>, what: &str, scope: &Scope) -> Result<Map, Error> {
    let Some(part) = part else { return Ok(Map::default()) };
    match part.tree.value(scope)?.value {
        Value::Object(members) => Ok(Arc::unwrap_or_clone(members)),
        Value::Null => Ok(Map::default()),
        other => {
            let message = format!("`{what}` of a JWT must be an object, not {}", other.type_name());
            Err(Error::new(part.span, message))
        }
    }
}

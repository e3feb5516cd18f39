//! `jwt: { from: $.access_token, claim: exp }`: a claim of a token that the answer holds.
//!
//! The signature is not looked at: that is what `expect.jwt.verify` is for.

use std::fmt;
use std::sync::Arc;

use crate::ground::diagnostic::did_you_mean;
use crate::ground::encode;
use crate::ground::read::Reading;
use crate::ground::value::{Value, shape};
use crate::ground::yaml::Node;
use crate::parts::select::answer::Answer;
use crate::parts::select::missing::{Absence, Missing};
use crate::parts::select::{Selector, refuse};

const WORDS: [&str; 2] = ["from", "claim"];

/// A claim of a token, or all of them.
#[derive(Debug, Clone)]
pub struct Claims {
    from: Box<Selector>,
    claim: Option<Arc<str>>,
}

impl fmt::Display for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.claim {
            Some(claim) => write!(f, "jwt {} {claim}", self.from),
            None => write!(f, "jwt {}", self.from),
        }
    }
}

impl Claims {
    /// Reads the node under `jwt`; mistakes are reported.
    pub(super) fn read(node: &Node, reading: &Reading) -> Option<Self> {
        let fields = reading.fields(node, "jwt", &WORDS, &[])?;
        let missing = || {
            let help = "say where the token is: `jwt: { from: $.access_token, claim: exp }`";
            reading.error_with(node.span, "`jwt` has no `from`", help);
        };
        let from =
            fields.required("from", missing).and_then(|node| Selector::read(node, reading, "jwt.from"));
        let claim = fields.optional("claim", |node| {
            let scalar = reading.text(node, "claim")?;
            if scalar.text.contains("{{") {
                refuse(scalar, reading, format!("`{}` cannot be the name of a claim", scalar.text));
                return None;
            }
            Some(Arc::clone(&scalar.text))
        });
        Some(Self { from: Box::new(from?), claim: claim? })
    }

    /// Where the token is.
    pub(super) const fn from(&self) -> &Selector {
        &self.from
    }

    /// The last name on the way to the claim.
    pub(super) fn last_name(&self) -> Option<&str> {
        let claim = self.claim.as_deref()?;
        claim.rsplit('.').next()
    }

    pub(super) fn find(&self, answer: &Answer) -> Result<Value, Missing> {
        let (_, claims) = decoded(&self.from, answer)?;
        let Some(claim) = self.claim.as_deref() else { return Ok(claims) };
        claim_of(&claims, claim).cloned().ok_or_else(|| no_claim(self.to_string(), claim, &claims))
    }
}

/// A claim by its name. A dot leads inside, where no claim has the whole name: the names of
/// claims are often URLs (RFC 7519, section 4.2).
#[must_use]
pub fn claim_of<'c>(claims: &'c Value, name: &str) -> Option<&'c Value> {
    claims.get(name).or_else(|| {
        let (first, rest) = name.split_once('.')?;
        claim_of(claims.get(first)?, rest)
    })
}

/// No claim of that name; shows those that there are.
#[must_use]
pub fn no_claim(selector: String, claim: &str, claims: &Value) -> Missing {
    let names = claims.as_object().into_iter().flat_map(|members| members.keys().map(AsRef::as_ref));
    let missing = Missing::nothing(selector, format!("the claims are {}", shape(claims)));
    missing.with(Absence::Nothing, did_you_mean(claim, names))
}

/// The token that a selector finds; `Bearer ` before it is left out.
///
/// # Errors
/// [`Missing`], as the selector's, or where it found no text.
pub fn token(from: &Selector, answer: &Answer) -> Result<String, Missing> {
    let found = from.find(answer)?;
    let Some(text) = found.as_str() else { return Err(no_jwt(from)) };
    let text = text.trim();
    let scheme = text.get(..7).filter(|start| start.eq_ignore_ascii_case("bearer "));
    Ok(text[scheme.map_or(0, str::len)..].trim_start().to_owned())
}

/// Header and claims of the token that a selector finds.
///
/// # Errors
/// [`Missing`], where there is none, or something else than a JWT.
pub fn decoded(from: &Selector, answer: &Answer) -> Result<(Value, Value), Missing> {
    encode::jwt_decode(&token(from, answer)?).map_err(|_| no_jwt(from))
}

fn no_jwt(from: &Selector) -> Missing {
    let reason = "what stands there is not a JWT".to_owned();
    Missing::nothing(from.to_string(), reason).with(Absence::WrongKind, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dot_leads_inside_unless_the_name_has_it_itself() {
        let claims = Value::from_json(br#"{"a":{"b":1,"c.d":2},"https://x.y/z":3}"#).expect("JSON");
        for (name, json) in
            [("a.b", "1"), ("a.c.d", "2"), ("https://x.y/z", "3"), ("a", r#"{"b":1,"c.d":2}"#)]
        {
            assert_eq!(claim_of(&claims, name).map(Value::to_json).as_deref(), Some(json), "{name}");
        }
        assert!(claim_of(&claims, "a.b.c").is_none());
        assert!(claim_of(&claims, &".".repeat(10_000)).is_none());
    }
}

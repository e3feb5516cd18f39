//! A bearer token (RFC 6750).

use reqwest::header::AUTHORIZATION;

use crate::ground::read::Reading;
use crate::ground::token::refused;
use crate::ground::yaml::Node;
use crate::parts::auth::Scheme;
use crate::parts::auth::credential::{Credential, set_credential};
use crate::parts::auth::part::Part;
use crate::parts::http::Request;
use crate::parts::scope::Scope;
use crate::parts::template::{Error, Mention, Sketcher};

/// `bearer: token`.
#[derive(Debug, Clone)]
pub struct Bearer {
    token: Part,
}

impl Bearer {
    pub(super) fn read(node: &Node, reading: &Reading) -> Option<Self> {
        if node.scalar().is_some_and(|scalar| names_scheme(&scalar.text)) {
            let help = "write the token alone: `bearer: \"{{ token }}\"`";
            reading.source.hide(node.span);
            reading.error_with(node.span, "the word `Bearer` is added for you", help);
            return None;
        }
        Part::read(node, "bearer", reading).map(|token| Self { token })
    }
}

impl Scheme for Bearer {
    fn apply(&self, request: &mut Request, scope: &Scope) -> Result<(), Error> {
        let Some(token) = self.token.text(scope, "token")? else { return Ok(()) };
        if let Some(why) = refused(&token.value) {
            let error = Error::new(self.token.span, format!("this is not a bearer token: {why}"));
            return Err(if names_scheme(&token.value) {
                error.help("the word `Bearer` is sent by itself: give the token alone")
            } else {
                error
            });
        }
        set_credential(request, AUTHORIZATION, &["Bearer ", &token.value].concat(), self.token.span)
    }

    fn reads(&self, visit: &mut dyn FnMut(Mention<'_>)) {
        self.token.tree.reads(visit);
    }

    fn sketch(&self, sketcher: &Sketcher<'_>) -> Credential {
        Credential::in_header(&AUTHORIZATION, "Bearer ", self.token.sketch(sketcher, "token"))
    }
}

/// Whether a text begins with the name of the scheme, which stands before the token anyway.
fn names_scheme(text: &str) -> bool {
    text.trim_start().get(..7).is_some_and(|begin| begin.eq_ignore_ascii_case("bearer "))
}

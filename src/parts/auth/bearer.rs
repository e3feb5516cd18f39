//! A bearer token (RFC 6750).

use reqwest::header::AUTHORIZATION;

use crate::ground::read::Reading;
use crate::ground::token::refused;
use crate::ground::yaml::Node;
use crate::parts::auth::Scheme;
use crate::parts::auth::credential::{SketchedCredential, set_credential};
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
                error.help("the word `Bearer` is added for you: give the token alone")
            } else {
                error
            });
        }
        set_credential(request, AUTHORIZATION, &["Bearer ", &token.value].concat(), self.token.span)
    }

    fn reads(&self, visit: &mut dyn FnMut(Mention<'_>)) {
        self.token.tree.reads(visit);
    }

    fn sketch(&self, sketcher: &Sketcher<'_>) -> SketchedCredential {
        SketchedCredential::in_header(&AUTHORIZATION, "Bearer ", self.token.sketch(sketcher, "token"))
    }
}

/// Whether a text begins with the name of the scheme, which stands before the token anyway.
fn names_scheme(text: &str) -> bool {
    text.trim_start().get(..7).is_some_and(|begin| begin.eq_ignore_ascii_case("bearer "))
}

#[cfg(test)]
mod tests {
    use reqwest::Method;

    use super::*;
    use crate::ground::secret::Marked;
    use crate::ground::source::Source;
    use crate::ground::yaml;

    #[test]
    fn a_value_with_the_scheme_before_it_is_told_to_be_the_token_alone() {
        let source = Source::text("t", "\"{{ x }}\"");
        let node = yaml::read(&source).expect("the YAML is right");
        let bearer = Bearer::read(&node, &Reading::new(&source)).expect("a template");
        for (value, helps) in [("Bearer abc", true), ("abc def", false)] {
            let scope = Scope::default();
            scope.set(&"x".into(), Marked::plain(value.into())).expect("no input");
            let mut request = Request::new(Method::GET, "https://h.example/".parse().expect("a URL"));
            let error = bearer.apply(&mut request, &scope).expect_err(value);
            let expected = helps.then_some("the word `Bearer` is added for you: give the token alone");
            assert_eq!(error.help.as_deref(), expected, "{value}");
        }
    }
}

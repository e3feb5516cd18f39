//! How a request proves who sends it.
//!
//! A scheme a file: each reads its own YAML and puts its credential into a request that is
//! otherwise finished, so that a signature covers what is really sent.

mod api_key;
mod aws_sigv4;
mod basic;
mod bearer;
pub mod digest;
mod given;
mod jwt;
mod sketch;

use std::sync::Arc;

use reqwest::header::{HeaderName, HeaderValue};

use crate::ground::read::Reading;
use crate::ground::secret::{Marked, Marks};
use crate::ground::source::Span;
use crate::ground::value::Value;
use crate::ground::yaml::{Kind, Node};
use crate::parts::auth::api_key::ApiKey;
use crate::parts::auth::aws_sigv4::AwsSigv4;
use crate::parts::auth::basic::Basic;
use crate::parts::auth::bearer::Bearer;
use crate::parts::auth::digest::Digest;
use crate::parts::auth::jwt::Jwt;
use crate::parts::http::{Request, Response};
use crate::parts::scope::Scope;
use crate::parts::template::{Error, Mention, Tree};

/// The schemes of the language.
const KINDS: [&str; 7] = ["basic", "bearer", "api_key", "digest", "aws_sigv4", "jwt", "none"];
const LATER: [&str; 2] = ["oauth2", "session"];

/// How a request is authenticated.
#[derive(Debug, Clone)]
pub enum Auth {
    /// User name and password (RFC 7617).
    Basic(Basic),
    /// A token (RFC 6750).
    Bearer(Bearer),
    /// A key in a header, the query or a cookie.
    ApiKey(ApiKey),
    /// An answer to the server's challenge (RFC 7616).
    Digest(Digest),
    /// Signature Version 4 of AWS.
    AwsSigv4(Box<AwsSigv4>),
    /// A token that is signed for each request (RFC 7519).
    Jwt(Box<Jwt>),
    /// Not at all, whatever the defaults say.
    None,
}

impl Auth {
    /// Reads `auth:`; mistakes are reported.
    pub fn read(node: &Node, reading: &Reading) -> Option<Self> {
        if node.scalar().is_some_and(|scalar| &*scalar.text == "none") {
            return Some(Self::None);
        }
        if let Some(scalar) = node.scalar().filter(|scalar| !scalar.is_empty()) {
            let help =
                "write a scheme and what it needs: `auth: { bearer: \"{{ token }}\" }`, or `auth: none`";
            // What stands here may well be a credential: the excerpt does not show it.
            if !KINDS.contains(&&*scalar.text) {
                reading.source.hide(node.span);
            }
            reading.error_with(node.span, "`auth` must be a map, not a text", help);
            return None;
        }
        let fields = reading.fields(node, "auth", &KINDS, &LATER)?;
        let mut entries = fields.iter();
        let (Some((kind, value)), None) = (entries.next(), entries.next()) else {
            if !fields.is_complete() {
                return None;
            }
            reading.error_with(
                node.span,
                "`auth` takes exactly one scheme",
                format!("write one of {}", KINDS.join(", ")),
            );
            return None;
        };
        // A literal `user:password` in place of the map is a credential too.
        let wants_map = matches!(&*kind.text, "basic" | "digest" | "api_key" | "aws_sigv4" | "jwt");
        if wants_map && !matches!(value.kind, Kind::Map(_)) {
            reading.source.hide(value.span);
        }
        match &*kind.text {
            "basic" => Basic::read(value, reading).map(Self::Basic),
            "bearer" => Bearer::read(value, reading).map(Self::Bearer),
            "api_key" => ApiKey::read(value, reading).map(Self::ApiKey),
            "digest" => Digest::read(value, reading).map(Self::Digest),
            "aws_sigv4" => AwsSigv4::read(value, reading).map(Box::new).map(Self::AwsSigv4),
            "jwt" => Jwt::read(value, reading).map(Box::new).map(Self::Jwt),
            "none" => Some(Self::None),
            _ => None,
        }
    }

    /// Puts the credential into a request. A credential that is null leaves it as it is.
    ///
    /// # Errors
    /// Where a template cannot be evaluated, or a value cannot stand in its place.
    pub fn apply(&self, request: &mut Request, scope: &Scope) -> Result<(), Error> {
        match self {
            Self::Basic(basic) => basic.apply(request, scope),
            Self::Bearer(bearer) => bearer.apply(request, scope),
            Self::ApiKey(key) => key.apply(request, scope),
            Self::Digest(digest) => digest.apply(request, scope),
            Self::AwsSigv4(signature) => signature.apply(request, scope),
            Self::Jwt(jwt) => jwt.apply(request, scope),
            Self::None => Ok(()),
        }
    }

    /// Puts another credential into a request whose answer asks for one, and says whether the
    /// request is to be sent again. `rounds` is how often that was so already. Asked about every
    /// answer to a request that [`Auth::apply`] signed.
    ///
    /// # Errors
    /// As [`Auth::apply`]; and where the server asks for what is not supported.
    pub fn answer(
        &self,
        response: &Response,
        request: &mut Request,
        rounds: u32,
        scope: &Scope,
    ) -> Result<bool, Error> {
        match self {
            Self::Digest(digest) => digest.answer(response, request, rounds, scope),
            _ => Ok(false),
        }
    }

    /// Tells every name that its templates read, and where.
    pub fn reads(&self, visit: &mut dyn FnMut(Mention<'_>)) {
        match self {
            Self::Basic(basic) => basic.reads(visit),
            Self::Bearer(bearer) => bearer.reads(visit),
            Self::ApiKey(key) => key.reads(visit),
            Self::Digest(digest) => digest.reads(visit),
            Self::AwsSigv4(signature) => signature.reads(visit),
            Self::Jwt(jwt) => jwt.reads(visit),
            Self::None => {}
        }
    }
}

/// A templated part of a credential and its place.
#[derive(Debug, Clone)]
struct Part {
    tree: Tree,
    span: Span,
}

impl Part {
    fn read(node: &Node, what: &str, reading: &Reading) -> Option<Self> {
        if !matches!(node.kind, Kind::Scalar(_)) {
            reading.scalar(node, what);
            return None;
        }
        // A literal credential is no safer in a message than one that a server sent.
        let literal = node.scalar().is_some_and(|scalar| !scalar.is_empty() && !scalar.text.contains("{{"));
        if literal && !["username", "region", "service"].contains(&what) {
            reading.source.hide(node.span);
        }
        // A password of digits is a text: what is plain is taken as it was typed.
        let tree = match Tree::read(node, reading)? {
            Tree::Plain(Value::Null) => Tree::Plain(Value::Null),
            Tree::Plain(_) => Tree::Plain(Value::String(Arc::clone(&node.scalar()?.text))),
            templated => templated,
        };
        Some(Self { tree, span: node.span })
    }

    /// The text and its marks; `None` for a null that nobody but the user chose. Whatever a credential
    /// is made of is a secret by the name of its place.
    fn text(&self, scope: &Scope, name: &str) -> Result<Option<Marked<String>>, Error> {
        let found = self.tree.value(scope)?;
        if found.value == Value::Null && found.marks.from_server {
            let message = format!("the `{name}` of this credential is null, and an answer gave it");
            let error = Error::new(self.span, format!("{message}: the request would go without it"));
            return Err(error.help("an `extract` with `type: string` refuses null where it comes from"));
        }
        if found.value == Value::Null {
            return Ok(None);
        }
        let mut marks = found.marks;
        let text = found.value.to_text();
        // What is a secret already was learnt when it became one.
        if !marks.is_secret() {
            let name: Arc<str> = name.into();
            scope.needles.learn(&name, &text);
            marks.join(&Marks::secret(name));
        }
        Ok(Some(Marked::new(text, marks)))
    }
}

/// Sets a header that carries a credential.
fn set_credential(request: &mut Request, name: HeaderName, text: &str, span: Span) -> Result<(), Error> {
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
fn learn_proof(name: &str, credential: &str, scope: &Scope) {
    let value = credential.split_once(&format!(" {name}=")).map(|(_, rest)| rest.trim_start_matches('"'));
    let end = |value: &str| value.find(['"', ',']).unwrap_or(value.len());
    if let Some(value) = value {
        scope.needles.learn(&name.to_ascii_lowercase().into(), &value[..end(value)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ground::source::Source;

    fn apply(auth: &str, variables: &[(&str, &str)]) -> Result<Request, String> {
        let source = Source::text("t.yaml", auth);
        let node = crate::ground::yaml::read(&source).map_err(|error| error.render(false))?;
        let reading = Reading::new(&source);
        let auth = Auth::read(&node, &reading).ok_or_else(|| reading.finish().render(false))?;
        let scope = Scope::default();
        for (name, value) in variables {
            scope.set(&(*name).into(), Marked::plain((*value).into())).expect("no input");
        }
        let url = "https://h.example/?a=1".parse().expect("a URL");
        let mut request = Request::new(reqwest::Method::GET, url);
        auth.apply(&mut request, &scope).map_err(|error| error.message)?;
        Ok(request)
    }

    fn header(auth: &str, name: &str, variables: &[(&str, &str)]) -> Result<String, String> {
        let request = apply(auth, variables)?;
        let value = request.headers.get(name).ok_or("no such header")?;
        assert!(value.is_sensitive(), "{auth} must be marked");
        Ok(value.to_str().expect("ASCII").to_owned())
    }

    #[test]
    fn each_scheme_puts_its_credential_where_it_belongs() {
        let x = [("x", "p&ss:w%rd ü")];
        let basic = header("basic: { username: '100', password: \"{{ x }}\" }", "authorization", &x);
        assert_eq!(basic.as_deref(), Ok("Basic MTAwOnAmc3M6dyVyZCDDvA=="));
        assert_eq!(header("bearer: abc.def-1", "authorization", &[]).as_deref(), Ok("Bearer abc.def-1"));
        assert_eq!(header("api_key: { header: X-Key, value: k1 }", "x-key", &[]).as_deref(), Ok("k1"));
        assert_eq!(header("api_key: { cookie: sid, value: k1 }", "cookie", &[]).as_deref(), Ok("sid=k1"));
        let request = apply("api_key: { query: key, value: \"{{ x }}\" }", &x).expect("a request");
        assert_eq!(request.url.query(), Some("a=1&key=p%26ss%3Aw%25rd%20%C3%BC"));
        assert!(request.secret_inside);
        assert!(apply("none", &[]).expect("a request").headers.is_empty());
        assert!(apply("bearer: null", &[]).expect("a request").headers.is_empty());
    }

    #[test]
    fn a_credential_that_would_leave_its_place_is_refused_without_being_shown() {
        for hostile in ["a\r\nX: 1", "a b", "ü", "", "a\0"] {
            let error = header("bearer: \"{{ x }}\"", "authorization", &[("x", hostile)]).expect_err(hostile);
            assert!(!error.contains("X: 1"), "{error}");
        }
        assert!(header("basic: { username: 'a:b', password: x }", "authorization", &[]).is_err());
        assert!(
            header("api_key: { header: X-Key, value: \"{{ x }}\" }", "x-key", &[("x", "a\r\nb")]).is_err()
        );
    }

    #[test]
    fn mistakes_are_told_when_it_is_read() {
        for (auth, part) in [
            ("oauth2: { grant: client_credentials }", "not supported yet"),
            ("digest: { username: a }", "`digest` needs `password`"),
            ("jwt: { claims: { a: 1 } }", "`jwt` needs `key`"),
            ("jwt: { key: k, alg: RS1 }", "unknown algorithm `RS1`"),
            ("jwt: { key: k, alg: none }", "unknown algorithm `none`"),
            ("jwt: { key: k, alg: ES512 }", "ES512 is not supported"),
            ("jwt: { key: k, claims: [a] }", "`claims` must be a map"),
            ("aws_sigv4: { access_key: a, secret_key: b, region: c }", "`aws_sigv4` needs `service`"),
            ("beerer: x", "did you mean `bearer`?"),
            ("{ basic: { username: a, password: b }, bearer: x }", "exactly one"),
            ("basic: { username: a }", "`password`"),
            ("api_key: { value: x }", "header, query, cookie"),
        ] {
            let error = apply(auth, &[]).expect_err(auth);
            assert!(error.contains(part), "{auth}: {error}");
        }
    }
}

//! How a request proves who sends it.
//!
//! A scheme a file: each reads its own YAML, puts its credential into a request that is otherwise
//! finished, so that a signature covers what is really sent, and says what it will be.

mod api_key;
mod aws_sigv4;
mod basic;
mod bearer;
mod credential;
pub mod digest;
mod jwt;
mod of_script;
mod part;

use crate::ground::read::Reading;
use crate::ground::yaml::{Kind, Node};
use crate::parts::auth::api_key::ApiKey;
use crate::parts::auth::aws_sigv4::AwsSigv4;
use crate::parts::auth::basic::Basic;
use crate::parts::auth::bearer::Bearer;
use crate::parts::auth::digest::Digest;
use crate::parts::auth::jwt::Jwt;
use crate::parts::http::{Request, Response};
use crate::parts::scope::Scope;
use crate::parts::template::{Error, Mention, Sketcher};

pub use crate::parts::auth::credential::{KeyInQuery, SketchedCredential};

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

/// How a scheme is read.
struct Reader {
    /// Its key.
    name: &'static str,
    /// Whether it is a map; what else stands there may be a credential.
    is_map: bool,
    read: fn(&Node, &Reading) -> Option<Auth>,
}

/// The schemes of the language.
const READERS: [Reader; 7] = [
    Reader::of_map("basic", |node, reading| Basic::read(node, reading).map(Auth::Basic)),
    Reader {
        name: "bearer",
        is_map: false,
        read: |node, reading| Bearer::read(node, reading).map(Auth::Bearer),
    },
    Reader::of_map("api_key", |node, reading| ApiKey::read(node, reading).map(Auth::ApiKey)),
    Reader::of_map("digest", |node, reading| Digest::read(node, reading).map(Auth::Digest)),
    Reader::of_map("aws_sigv4", |node, reading| {
        AwsSigv4::read(node, reading).map(Box::new).map(Auth::AwsSigv4)
    }),
    Reader::of_map("jwt", |node, reading| Jwt::read(node, reading).map(Box::new).map(Auth::Jwt)),
    Reader { name: "none", is_map: false, read: |_, _| Some(Auth::None) },
];
const LATER: [&str; 2] = ["oauth2", "session"];

impl Reader {
    const fn of_map(name: &'static str, read: fn(&Node, &Reading) -> Option<Auth>) -> Self {
        Self { name, is_map: true, read }
    }
}

/// What every scheme does.
trait Scheme {
    /// Puts the credential into a request. One that is null leaves it as it is.
    fn apply(&self, request: &mut Request, scope: &Scope) -> Result<(), Error>;

    /// Answers a challenge of the server; whether the request is to be sent again.
    fn answer(&self, _: &Response, _: &mut Request, _rounds: u32, _: &Scope) -> Result<bool, Error> {
        Ok(false)
    }

    /// Tells every name that its templates read.
    fn reads(&self, visit: &mut dyn FnMut(Mention<'_>));

    /// The credential, as far as it is known before it is sent.
    fn sketch(&self, sketcher: &Sketcher<'_>) -> SketchedCredential;

    /// The key that stands in the query, where one does.
    fn key_in_query(&self, _: &Scope) -> Option<KeyInQuery> {
        None
    }
}

impl Auth {
    /// Reads `auth:`; mistakes are reported.
    pub fn read(node: &Node, reading: &Reading) -> Option<Self> {
        if node.scalar().is_some_and(|scalar| &*scalar.text == "none") {
            return Some(Self::None);
        }
        let names = READERS.map(|reader| reader.name);
        if let Some(scalar) = node.scalar().filter(|scalar| !scalar.is_empty()) {
            let help =
                "write a scheme and what it needs: `auth: { bearer: \"{{ token }}\" }`, or `auth: none`";
            // What stands here may well be a credential: the excerpt does not show it.
            if !names.contains(&&*scalar.text) {
                reading.source.hide(node.span);
            }
            reading.error_with(node.span, "`auth` must be a map, not a text", help);
            return None;
        }
        let fields = reading.fields(node, "auth", &names, &LATER)?;
        let mut entries = fields.iter();
        let (Some((kind, value)), None) = (entries.next(), entries.next()) else {
            if fields.is_complete() {
                let help = format!("write one of {}", names.join(", "));
                reading.error_with(node.span, "`auth` takes exactly one scheme", help);
            }
            return None;
        };
        // Any other was refused among the fields.
        let reader = READERS.iter().find(|reader| reader.name == &*kind.text)?;
        // A literal `user:password` in place of the map is a credential too.
        if reader.is_map && !matches!(value.kind, Kind::Map(_)) {
            reading.source.hide(value.span);
        }
        (reader.read)(value, reading)
    }

    /// What it does; `None` where it does nothing.
    fn scheme(&self) -> Option<&dyn Scheme> {
        Some(match self {
            Self::Basic(basic) => basic,
            Self::Bearer(bearer) => bearer,
            Self::ApiKey(key) => key,
            Self::Digest(digest) => digest,
            Self::AwsSigv4(signature) => &**signature,
            Self::Jwt(jwt) => &**jwt,
            Self::None => return None,
        })
    }

    /// Puts the credential into a request. A credential that is null leaves it as it is.
    ///
    /// # Errors
    /// Where a template cannot be evaluated, or a value cannot stand in its place.
    pub fn apply(&self, request: &mut Request, scope: &Scope) -> Result<(), Error> {
        self.scheme().map_or(Ok(()), |scheme| scheme.apply(request, scope))
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
        self.scheme().map_or(Ok(false), |scheme| scheme.answer(response, request, rounds, scope))
    }

    /// Tells every name that its templates read, and where.
    pub fn reads(&self, visit: &mut dyn FnMut(Mention<'_>)) {
        if let Some(scheme) = self.scheme() {
            scheme.reads(visit);
        }
    }

    /// The credential, as far as it is known.
    #[must_use]
    pub fn sketch(&self, sketcher: &Sketcher<'_>) -> SketchedCredential {
        self.scheme().map(|scheme| scheme.sketch(sketcher)).unwrap_or_default()
    }

    /// The key that stands in the query, where one does.
    #[must_use]
    pub fn key_in_query(&self, scope: &Scope) -> Option<KeyInQuery> {
        self.scheme()?.key_in_query(scope)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ground::secret::Marked;
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

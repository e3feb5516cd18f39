//! A route: which requests it means, and what it has for them.
//!
//! The pattern is compared segment by segment, so that a slash at the end and the case of a
//! letter matter: a mock that is more lenient than the real server proves nothing.

use std::sync::Arc;

use hyper::Method;
use percent_encoding::percent_decode_str;

use crate::ground::read::Reading;
use crate::ground::source::Span;
use crate::ground::value::{Map, Value};
use crate::ground::yaml::{Node, Scalar};
use crate::parts::template::Template;
use crate::services::mock::fault::Fault;
use crate::services::mock::handler::{Answer, Compile};

const KEYS: [&str; 5] = ["route", "when", "reply", "script", "fault"];

/// One entry of `routes`.
pub struct Route {
    /// The method and path as they were written: `GET /api/{site}/lists`.
    pub text: Arc<str>,
    /// Where that stands.
    pub span: Span,
    pub(super) pattern: Pattern,
    pub(super) when: Option<Template>,
    pub(super) answer: Answer,
    pub(super) fault: Option<Fault>,
}

impl Route {
    pub(super) fn read(node: &Node, reading: &Reading, compile: Compile<'_>) -> Option<Self> {
        let fields = reading.fields(node, "routes", &KEYS, &[])?;
        let route = fields.required("route", || {
            let help = "write the method and the path: `route: GET /api/{site}/lists`";
            reading.error_with(node.span, "a route needs `route`", help);
        })?;
        let text = reading.text(route, "route");
        let pattern = text.and_then(|text| Pattern::read(text, reading));
        let when = fields.optional("when", |node| {
            let text = reading.text(node, "when")?;
            Template::read(text, reading)
        });
        let fault = fields.optional("fault", |node| Fault::read(node, reading));
        let answer = Answer::read(&fields, route.span, reading, compile);
        Some(Self {
            text: Arc::clone(&text?.text),
            span: route.span,
            pattern: pattern?,
            when: when?,
            answer: answer?,
            fault: fault?,
        })
    }
}

/// A method and a path with parameters.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    methods: Methods,
    segments: Vec<Segment>,
}

#[derive(Debug, PartialEq, Eq)]
enum Methods {
    Any,
    Only(Method),
}

#[derive(Debug, PartialEq, Eq)]
enum Segment {
    Literal(Arc<str>),
    Parameter(Arc<str>),
    /// All that is left of the path, slashes too, and be it nothing. It stands last.
    Rest(Arc<str>),
}

impl Pattern {
    /// Reads `METHOD /path/{parameter}`; mistakes are reported.
    fn read(scalar: &Scalar, reading: &Reading) -> Option<Self> {
        let wrong = |message: String, help: &str| {
            reading.error_with(scalar.span, message, help);
            None
        };
        let text = &*scalar.text;
        let Some((method, path)) = text.split_once(' ') else {
            let message = format!("`{text}` is not a route");
            return wrong(message, "write the method and the path: `GET /me`, or `ANY /me`");
        };
        let path = path.trim_start();
        if !path.starts_with('/') {
            let help = "begin it with `/`; a mock answers for every host";
            return wrong(format!("the path `{path}` does not begin with `/`"), help);
        }
        if path.contains(['?', '#', ' ']) {
            let help = "a route is a path alone; `when` and scripts see `request.query`";
            return wrong(format!("the path `{path}` holds more than a path"), help);
        }
        let methods = Methods::read(method, scalar, reading);
        let segments = read_segments(path, scalar, reading);
        Some(Self { methods: methods?, segments: segments? })
    }

    /// The parameters, percent-decoded, where the request is one that the pattern means.
    pub(super) fn matches(&self, method: &Method, path: &str) -> Option<Map> {
        if matches!(&self.methods, Methods::Only(own) if own != method) {
            return None;
        }
        let mut params = Map::default();
        let mut given = path.strip_prefix('/')?.split('/');
        for segment in &self.segments {
            if let Segment::Rest(name) = segment {
                let first = given.next()?;
                let rest = given.fold(first.to_owned(), |rest, part| rest + "/" + part);
                let decoded = percent_decode_str(&rest).decode_utf8_lossy();
                params.insert(Arc::clone(name), Value::from(&*decoded));
                return Some(params);
            }
            let raw = given.next()?;
            let decoded = percent_decode_str(raw).decode_utf8_lossy();
            match segment {
                Segment::Literal(own) if **own == *raw || **own == *decoded => {}
                Segment::Parameter(name) if !raw.is_empty() => {
                    params.insert(Arc::clone(name), Value::from(&*decoded));
                }
                _ => return None,
            }
        }
        given.next().is_none().then_some(params)
    }
}

impl Methods {
    fn read(text: &str, scalar: &Scalar, reading: &Reading) -> Option<Self> {
        if text == "ANY" {
            return Some(Self::Any);
        }
        let method = Method::from_bytes(text.as_bytes()).ok();
        let method = method.filter(|_| !text.bytes().any(|byte| byte.is_ascii_lowercase()));
        if method.is_none() {
            let span = scalar.span_of(&reading.source, 0..text.len());
            let help = "write it in capitals, such as GET or POST; ANY means every method";
            reading.error_with(span, format!("`{text}` is not a method"), help);
        }
        method.map(Self::Only)
    }
}

fn read_segments(path: &str, scalar: &Scalar, reading: &Reading) -> Option<Vec<Segment>> {
    let mut segments = Vec::new();
    // Where the segment begins in the scalar: the path is its end.
    let mut at = scalar.text.len() - path.len() + 1;
    for part in path[1..].split('/') {
        let segment = Segment::parse(part).and_then(|segment| segment.after(&segments, part));
        match segment {
            Ok(segment) => segments.push(segment),
            Err(message) => {
                let span = scalar.span_of(&reading.source, at..at + part.len());
                let help = "a parameter is a whole segment with a name of its own: `/api/{site}`; the last may be `{rest*}`";
                reading.error_with(span, message, help);
                return None;
            }
        }
        at += part.len() + 1;
    }
    Some(segments)
}

impl Segment {
    fn parse(text: &str) -> Result<Self, String> {
        let Some(name) = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) else {
            return if text.contains(['{', '}']) {
                Err(format!("`{text}` is neither a text nor a parameter"))
            } else {
                Ok(Self::Literal(text.into()))
            };
        };
        let (name, is_rest) = name.strip_suffix('*').map_or((name, false), |name| (name, true));
        let word = |c: char| c.is_alphanumeric() || c == '_';
        if name.is_empty() || !name.chars().all(word) {
            return Err(format!("`{name}` cannot be the name of a parameter"));
        }
        Ok(if is_rest { Self::Rest(name.into()) } else { Self::Parameter(name.into()) })
    }

    /// Whether it may follow these segments.
    fn after(self, before: &[Self], text: &str) -> Result<Self, String> {
        if let Some(Self::Rest(name)) = before.last() {
            return Err(format!("`{text}` follows `{{{name}*}}`, which takes the rest of the path"));
        }
        let is_known = self.name().is_some() && before.iter().any(|known| known.name() == self.name());
        if is_known { Err(format!("the parameter `{text}` stands twice")) } else { Ok(self) }
    }

    /// The name of a parameter.
    fn name(&self) -> Option<&str> {
        match self {
            Self::Literal(_) => None,
            Self::Parameter(name) | Self::Rest(name) => Some(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ground::source::Source;
    use crate::ground::yaml;

    fn read(route: &str) -> Result<Pattern, String> {
        let source = Source::text("m.yaml", format!("route: {route}"));
        let root = yaml::read(&source).expect("the test's YAML is right");
        let reading = Reading::new(&source);
        let scalar = root.get("route").and_then(Node::scalar).expect("a scalar");
        let pattern = Pattern::read(scalar, &reading);
        match reading.finish().0.first() {
            None => Ok(pattern.expect("nothing was reported")),
            Some(problem) => Err(problem.line()),
        }
    }

    #[test]
    fn a_route_means_its_method_and_path_to_the_last_slash() {
        let cases = [
            ("GET /", "GET", "/", Some("{}")),
            ("GET /a", "GET", "/a", Some("{}")),
            ("GET /a", "GET", "/a/", None),
            ("GET /a/", "GET", "/a", None),
            ("GET /a/", "GET", "/a/", Some("{}")),
            ("GET /a", "GET", "/A", None),
            ("GET /a", "POST", "/a", None),
            ("GET /a", "HEAD", "/a", None),
            ("ANY /a", "DELETE", "/a", Some("{}")),
            ("PROPFIND /a", "PROPFIND", "/a", Some("{}")),
            ("POST /v3/auth:login", "POST", "/v3/auth:login", Some("{}")),
            ("GET /a", "GET", "/%61", Some("{}")),
            ("GET /{x}/c", "GET", "/b/c", Some(r#"{"x":"b"}"#)),
            ("GET /{x}/c", "GET", "//c", None),
            ("GET /{x}/c", "GET", "/b/c/d", None),
            ("GET /{x}/{y}", "GET", "/a%2Fb/%C3%A4+", Some(r#"{"x":"a/b","y":"ä+"}"#)),
            ("GET /{x}", "GET", "/%ff", Some("{\"x\":\"\u{fffd}\"}")),
            ("OPTIONS /a", "OPTIONS", "*", None),
            ("GET /a/{rest*}", "GET", "/a/b/c%20d/", Some(r#"{"rest":"b/c d/"}"#)),
            ("GET /a/{rest*}", "GET", "/a/", Some(r#"{"rest":""}"#)),
            ("GET /a/{rest*}", "GET", "/a", None),
            ("GET /{x}/{rest*}", "GET", "/a/b", Some(r#"{"x":"a","rest":"b"}"#)),
        ];
        for (route, method, path, expected) in cases {
            let pattern = read(route).expect(route);
            let method = Method::from_bytes(method.as_bytes()).expect("a method");
            let params = pattern.matches(&method, path);
            let params = params.map(|params| Value::from(params).to_json());
            assert_eq!(params.as_deref(), expected, "{route} for {method} {path}");
        }
    }

    #[test]
    fn a_route_that_is_none_is_shown_where_it_is_wrong() {
        let cases = [
            ("/me", "1:8: `/me` is not a route"),
            ("get /me", "1:8: `get` is not a method"),
            ("GE@T /me", "1:8: `GE@T` is not a method"),
            ("GET me", "1:8: the path `me` does not begin with `/`"),
            ("GET https://a/", "1:8: the path `https://a/` does not begin with `/`"),
            ("GET /me?a=1", "1:8: the path `/me?a=1` holds more than a path"),
            ("GET /a/{b", "1:15: `{b` is neither a text nor a parameter"),
            ("GET /a/x{b}", "1:15: `x{b}` is neither a text nor a parameter"),
            ("GET /a/{}", "1:15: `` cannot be the name of a parameter"),
            ("GET /{a}/{a}", "1:17: the parameter `{a}` stands twice"),
            ("GET /{a}/{a*}", "1:17: the parameter `{a*}` stands twice"),
            ("GET /{a*}/b", "1:18: `b` follows `{a*}`, which takes the rest of the path"),
            ("GET /{*}", "1:13: `` cannot be the name of a parameter"),
        ];
        for (route, expected) in cases {
            assert_eq!(read(route), Err(format!("m.yaml:{expected}")), "{route}");
        }
    }
}

//! Handlers: who answers for a route, a template or a script.
//!
//! Both see the same `request` and both end in the same `Reply`, so that a template can be
//! replaced by a script without learning another shape.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use hyper::header::{COOKIE, HeaderMap, HeaderName};
use hyper::http::request::Parts;
use url::form_urlencoded;

use crate::ground::clock::Clock;
use crate::ground::diagnostic::Diagnostic;
use crate::ground::read::{Fields, Reading};
use crate::ground::secret::Needles;
use crate::ground::source::Span;
use crate::ground::value::{Map, Value};
use crate::ground::yaml::{Kind, Node, Scalar};
use crate::parts::http::is_form;
use crate::parts::scope::Scope;
use crate::parts::script::{Function, FunctionFile, Host, Phase};
use crate::parts::template::Tree;
use crate::services::mock::{multipart, reply};

/// Answers a request, and may change the mock's state.
pub trait Handle: Send + Sync {
    /// The reply as a value: a text, or `{ status, headers, cookies, json | body | form, fault }`.
    ///
    /// # Errors
    /// What broke, and where if that is known.
    fn call(&self, request: Value, state: &mut Value, clock: &Clock) -> Result<Value, Diagnostic>;
}

impl<F> Handle for F
where
    F: Fn(Value, &mut Value, &Clock) -> Result<Value, Diagnostic> + Send + Sync,
{
    fn call(&self, request: Value, state: &mut Value, clock: &Clock) -> Result<Value, Diagnostic> {
        self(request, state, clock)
    }
}

/// A `script` as it was written.
#[derive(Debug, Clone, Copy)]
pub enum Written<'n> {
    /// A block that sees `request` and `state`, and whose value is the reply.
    Inline(&'n Scalar),
    /// `fn function(request, state) -> reply` of a file beside the mock.
    File {
        /// The file, relative to the mock's folder.
        file: &'n Scalar,
        /// The function's name.
        function: &'n Scalar,
    },
}

/// Makes a handler of a script; mistakes are reported.
pub type Compile<'c> = &'c dyn Fn(Written<'_>, &Reading) -> Option<Arc<dyn Handle>>;

/// The files of scripts that the routes of a mock name, each compiled once; `None` for one with
/// mistakes, which were reported then.
#[derive(Default)]
pub(super) struct Scripts(RefCell<HashMap<Arc<str>, Option<FunctionFile>>>);

impl Scripts {
    /// Makes a handler of a script in Rhai.
    pub(super) fn compile(&self, script: Written<'_>, reading: &Reading) -> Option<Arc<dyn Handle>> {
        let function = match script {
            Written::Inline(body) => Function::inline(body, reading)?,
            Written::File { file, function } => self.file(file, reading)?.function(function, reading)?,
        };
        Some(Arc::new(function))
    }

    fn file(&self, path: &Scalar, reading: &Reading) -> Option<FunctionFile> {
        let mut files = self.0.borrow_mut();
        files.entry(Arc::clone(&path.text)).or_insert_with(|| FunctionFile::read(path, reading)).clone()
    }
}

impl Handle for Function {
    fn call(&self, request: Value, state: &mut Value, clock: &Clock) -> Result<Value, Diagnostic> {
        let scope = Scope::new(Needles::default(), clock.clone());
        Self::call(self, &request, state, Host::new(scope, Phase::Mock)).map_err(Diagnostic::from)
    }
}

/// What a route has for a request.
pub(super) enum Answer {
    /// Nothing but 200: the route is there for its fault.
    Empty,
    /// A template.
    Reply(Tree, Span),
    /// A script.
    Script(Arc<dyn Handle>),
}

impl Answer {
    /// Reads `reply` or `script` of a route, which stands at `route`; mistakes are reported.
    pub(super) fn read(
        fields: &Fields<'_>,
        route: Span,
        reading: &Reading,
        compile: Compile<'_>,
    ) -> Option<Self> {
        match (fields.entry("reply"), fields.entry("script")) {
            (Some((_, node)), None) => reply::read(node, reading).map(|tree| Self::Reply(tree, node.span)),
            (None, Some((_, script))) => {
                read_script(script, reading).and_then(|script| compile(script, reading)).map(Self::Script)
            }
            (Some(_), Some((key, _))) => {
                let help = "a script gives the whole reply: keep one of them";
                reading.error_with(key.span, "`script` and `reply` cannot stand together", help);
                None
            }
            (None, None) if fields.get("fault").is_some() => Some(Self::Empty),
            (None, None) if ["reply", "script", "fault"].iter().any(|key| fields.is_meant(key)) => None,
            (None, None) => {
                let help = "write `reply`, `script` or `fault` below it";
                reading.error_with(route, "the route has nothing to answer", help);
                None
            }
        }
    }
}

fn read_script<'n>(node: &'n Node, reading: &Reading) -> Option<Written<'n>> {
    if let Kind::Scalar(_) = node.kind {
        return reading.text(node, "script").map(Written::Inline);
    }
    let fields = reading.fields(node, "script", &["file", "function"], &[])?;
    let text = |key: &str| {
        let node = fields.required(key, || {
            let help = "write `script: { file: mock.rhai, function: token }`, or the script itself";
            reading.error_with(fields.span, format!("`script` needs `{key}`"), help);
        });
        reading.text(node?, key)
    };
    let (file, function) = (text("file"), text("function"));
    Some(Written::File { file: file?, function: function? })
}

/// The request as handlers see it, but for `params`, which differ from route to route. `scheme` is how
/// it came: a server says so in what it answers, such as the `Secure` of a cookie.
pub(super) fn request(scheme: &str, head: &Parts, body: &Bytes) -> Map {
    let text = String::from_utf8_lossy(body);
    let form = if is_form(&head.headers) { pairs(form_urlencoded::parse(body)) } else { Map::default() };
    let query = head.uri.query().unwrap_or_default();
    let members: [(&str, Value); 10] = [
        ("method", head.method.as_str().into()),
        ("scheme", scheme.into()),
        ("path", head.uri.path().into()),
        ("query", pairs(form_urlencoded::parse(query.as_bytes())).into()),
        ("headers", headers(&head.headers).into()),
        ("cookies", cookies(&head.headers).into()),
        ("json", Value::from_json(body).unwrap_or_default()),
        ("form", form.into()),
        ("parts", multipart::parts(&head.headers, body).into()),
        ("body", (*text).into()),
    ];
    members.into_iter().map(|(name, value)| (Arc::from(name), value)).collect()
}

/// Names and values; a name that stands more than once has a list.
fn pairs<'a>(pairs: impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)>) -> Map {
    let mut grouped: indexmap::IndexMap<Arc<str>, Vec<Value>> = indexmap::IndexMap::new();
    for (name, value) in pairs {
        grouped.entry(Arc::from(&*name)).or_default().push((*value).into());
    }
    let one_or_list = |mut values: Vec<Value>| match values.len() {
        1 => values.remove(0),
        _ => values.into(),
    };
    grouped.into_iter().map(|(name, values)| (name, one_or_list(values))).collect()
}

/// Names in lower case; several of one name are joined by `, ` (RFC 9110, 5.3).
fn headers(headers: &HeaderMap) -> Map {
    let joined = |name: &HeaderName| {
        let values = headers.get_all(name).iter();
        let values: Vec<_> = values.map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        values.join(", ")
    };
    headers.keys().map(|name| (Arc::from(name.as_str()), joined(name).into())).collect()
}

fn cookies(headers: &HeaderMap) -> Map {
    let mut cookies = Map::default();
    for value in headers.get_all(COOKIE) {
        for pair in String::from_utf8_lossy(value.as_bytes()).split(';') {
            if let Some((name, value)) = pair.split_once('=') {
                cookies.insert(name.trim().into(), value.trim().into());
            }
        }
    }
    cookies
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Value {
        Value::from_json(text.as_bytes()).expect("the test's JSON is right")
    }

    #[test]
    fn a_handler_sees_every_part_of_the_request() {
        let head = hyper::Request::post("/a%20b?x=1&x=2&y=%26")
            .header("X-Mixed", "1")
            .header("x-mixed", "2")
            .header("cookie", "sid=a=b; t=1")
            .header("content-type", "application/x-www-form-urlencoded; charset=utf-8");
        let (head, ()) = head.body(()).expect("a request").into_parts();
        let seen = Value::from(request("https", &head, &Bytes::from("p=%C3%A4+b")));
        let expected = json(
            r#"{"method":"POST","scheme":"https","path":"/a%20b","query":{"x":["1","2"],"y":"&"},
            "headers":{"x-mixed":"1, 2","cookie":"sid=a=b; t=1",
            "content-type":"application/x-www-form-urlencoded; charset=utf-8"},
            "cookies":{"sid":"a=b","t":"1"},"json":null,"form":{"p":"ä b"},"parts":[],"body":"p=%C3%A4+b"}"#,
        );
        assert_eq!(seen, expected);
    }
}

//! Replies: what a handler made, as it will be sent.
//!
//! A template and a script make the same shape of value; whatever it says that no answer can be is
//! an error here, before hyper would refuse or silently mend it.

use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, SET_COOKIE};
use url::form_urlencoded;

use crate::ground::read::Reading;
use crate::ground::value::{Map, Value};
use crate::ground::yaml::Node;
use crate::parts::http::media::{FORM, JSON};
use crate::parts::template::Tree;
use crate::services::mock::fault::{self, Fault};

/// What a `reply` may say; only a script's may have a `fault`, a route has one beside it.
const KEYS: [&str; 6] = ["status", "headers", "cookies", "json", "body", "form"];
/// One of these is the body.
const BODIES: [&str; 3] = ["json", "body", "form"];

/// Reads a `reply` of a route. What can be known before a request comes is checked here.
pub(super) fn read(node: &Node, reading: &Reading) -> Option<Tree> {
    let fields = reading.fields(node, "reply", &KEYS, &[])?;
    if let [_, (second, _), ..] = fields.present(&BODIES)[..] {
        let message = format!("`{}` is a second body", second.text);
        reading.error_with(second.span, message, "a reply has one of `json`, `body` and `form`");
    }
    if let Some(node) = fields.get("status")
        && is_plain(node)
        && let Err(message) = fault::status(&node.to_value())
    {
        reading.error(node.span, message);
    }
    if let Some(node) = fields.get("headers") {
        for (name, _) in reading.entries(node, "headers")? {
            if let Err(message) = header_name(&name.text) {
                reading.error(name.span, message);
            }
        }
    }
    Tree::read(node, reading)
}

fn is_plain(node: &Node) -> bool {
    node.scalar().is_none_or(|scalar| !scalar.text.contains("{{"))
}

/// An answer, ready to be sent.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// How it goes wrong on its way.
    pub(super) fault: Option<Fault>,
}

impl Reply {
    /// A status and nothing else.
    pub(super) fn empty(status: StatusCode) -> Self {
        Self { status, headers: HeaderMap::new(), body: Bytes::new(), fault: None }
    }

    /// A text.
    pub(super) fn text(status: StatusCode, text: &str) -> Self {
        let mut reply = Self::empty(status);
        reply.put_body(text.to_owned(), "text/plain; charset=utf-8");
        reply
    }

    /// A JSON text that says what is wrong.
    pub(super) fn problem(status: StatusCode, message: &str) -> Self {
        let mut reply = Self::empty(status);
        let members = Map::from_iter([("error".into(), Value::from(message))]);
        reply.put_body(Value::from(members).to_json(), JSON);
        reply
    }

    /// Reads what a template or a script made.
    ///
    /// # Errors
    /// What it is that no reply can be.
    pub(super) fn from_value(value: &Value) -> Result<Self, String> {
        let members = match value {
            Value::String(text) => return Ok(Self::text(StatusCode::OK, text)),
            Value::Object(members) => members,
            other => {
                let shape = "a text or #{ status, headers, cookies, json | body | form, fault }";
                return Err(format!("a reply is {shape}, not {}", other.type_name()));
            }
        };
        let mut reply = Self::empty(StatusCode::OK);
        let bodies: Vec<&str> = BODIES.into_iter().filter(|key| members.contains_key(*key)).collect();
        if let [first, second, ..] = bodies[..] {
            return Err(format!("a reply has one body, not `{first}` and `{second}`"));
        }
        // The body comes last: it gives a content type only where the headers gave none.
        for (key, value) in members.iter().filter(|(key, _)| !BODIES.contains(&&***key)) {
            reply.put(key, value)?;
        }
        for key in bodies {
            reply.put(key, &members[key])?;
        }
        Ok(reply)
    }

    fn put(&mut self, key: &str, value: &Value) -> Result<(), String> {
        match key {
            "status" => self.status = fault::status(value)?,
            "headers" => self.put_headers(object(key, value)?)?,
            "cookies" => self.put_cookies(object(key, value)?)?,
            "json" => self.put_body(value.to_json(), JSON),
            "form" => self.put_body(encode_form(object(key, value)?), FORM),
            "body" if matches!(value, Value::List(_) | Value::Object(_)) => {
                return Err(format!(
                    "`body` must be a text, not {}; `json` writes it as JSON",
                    value.type_name()
                ));
            }
            "body" => self.put_body(value.to_text(), "text/plain; charset=utf-8"),
            "fault" => self.fault = Some(Fault::from_value(value)?),
            _ => {
                return Err(format!("unknown key `{key}` in a reply; it knows {}, fault", KEYS.join(", ")));
            }
        }
        Ok(())
    }

    fn put_headers(&mut self, headers: &Map) -> Result<(), String> {
        for (name, value) in headers {
            let name_sent = header_name(name)?;
            for value in each(value) {
                self.headers.append(name_sent.clone(), header_value(name, &value.to_text())?);
            }
        }
        Ok(())
    }

    fn put_cookies(&mut self, cookies: &Map) -> Result<(), String> {
        for (name, value) in cookies {
            let cookie = format!("{name}={}; Path=/", value.to_text());
            self.headers.append(SET_COOKIE, header_value(name, &cookie)?);
        }
        Ok(())
    }

    fn put_body(&mut self, body: String, media: &'static str) {
        self.body = Bytes::from(body);
        self.headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static(media));
    }
}

fn object<'v>(key: &str, value: &'v Value) -> Result<&'v Map, String> {
    value.as_object().ok_or_else(|| format!("`{key}` must be an object, not {}", value.type_name()))
}

/// The elements of a list; a null is none, anything else one.
fn each(value: &Value) -> &[Value] {
    match value {
        Value::Null => &[],
        Value::List(values) => values,
        one => std::slice::from_ref(one),
    }
}

fn encode_form(fields: &Map) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    for (name, value) in fields {
        for value in each(value) {
            form.append_pair(name, &value.to_text());
        }
    }
    form.finish()
}

/// A header that a reply may have: its framing is the server's own.
fn header_name(name: &str) -> Result<HeaderName, String> {
    if ["content-length", "transfer-encoding"].contains(&name.to_ascii_lowercase().as_str()) {
        return Err(format!("`{name}` is written by the server; `fault: {{ truncate: 10 }}` makes it wrong"));
    }
    HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("`{name}` cannot be the name of a header"))
}

fn header_value(name: &str, value: &str) -> Result<HeaderValue, String> {
    HeaderValue::from_str(value).map_err(|_| format!("the value of `{name}` cannot stand in a header"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Value {
        Value::from_json(text.as_bytes()).expect("the test's JSON is right")
    }

    fn shown(reply: &Reply) -> String {
        let headers = reply.headers.iter();
        let headers: Vec<_> =
            headers.map(|(name, value)| format!("{name}: {}", value.to_str().expect("text"))).collect();
        let body = String::from_utf8_lossy(&reply.body);
        format!("{} [{}] {body}", reply.status.as_u16(), headers.join(" | "))
    }

    #[test]
    fn a_reply_says_what_is_sent_and_nothing_else() {
        let cases = [
            ("{}", "200 [] "),
            (r#""hi""#, "200 [content-type: text/plain; charset=utf-8] hi"),
            (r#"{"status":204}"#, "204 [] "),
            (r#"{"json":{"z":1,"a":[]}}"#, r#"200 [content-type: application/json] {"z":1,"a":[]}"#),
            (r#"{"json":null}"#, "200 [content-type: application/json] null"),
            (
                r#"{"form":{"a":"b c","d":["&",1]}}"#,
                "200 [content-type: application/x-www-form-urlencoded] a=b+c&d=%26&d=1",
            ),
            (r#"{"body":"<a/>","headers":{"Content-Type":"text/xml"}}"#, "200 [content-type: text/xml] <a/>"),
            (
                r#"{"headers":{"Link":["<a>","<b>"],"X-Gone":null,"X-N":1}}"#,
                "200 [link: <a> | link: <b> | x-n: 1] ",
            ),
            (r#"{"cookies":{"sid":"1"}}"#, "200 [set-cookie: sid=1; Path=/] "),
        ];
        for (value, expected) in cases {
            let reply = Reply::from_value(&json(value)).expect(value);
            assert_eq!(shown(&reply), expected, "{value}");
        }
    }

    #[test]
    fn what_is_no_reply_is_named() {
        let cases = [
            ("null", "not null"),
            ("[1]", "not list"),
            (r#"{"stauts":200}"#, "unknown key `stauts`"),
            (r#"{"status":"200"}"#, "`status` must be a number from 200 to 599"),
            (r#"{"status":100}"#, "`status` must be a number from 200 to 599"),
            (r#"{"json":1,"body":"a"}"#, "not `json` and `body`"),
            (r#"{"body":{}}"#, "`body` must be a text, not object"),
            (r#"{"headers":[]}"#, "`headers` must be an object"),
            (r#"{"headers":{"a b":1}}"#, "`a b` cannot be the name"),
            (r#"{"headers":{"a":"b\r\nc: d"}}"#, "the value of `a`"),
            (r#"{"headers":{"Content-Length":"5"}}"#, "written by the server"),
            (r#"{"fault":{"reset":1}}"#, "`reset` can only be true"),
        ];
        for (value, expected) in cases {
            let message = Reply::from_value(&json(value)).expect_err(value);
            assert!(message.contains(expected), "{value}: {message}");
        }
    }
}

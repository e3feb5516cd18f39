//! One thing that is expected of an answer, and how it is judged.

use crate::ground::secret::{Marked, Marks};
use crate::ground::source::Span;
use crate::ground::value::Value;
use crate::parts::expect::compare::article;
use crate::parts::expect::judge::{Found, Judgement};
use crate::parts::expect::jwt::Token;
use crate::parts::expect::schema::Schema;
use crate::parts::expect::{Check, Predicate, Tell};
use crate::parts::http::Response;
use crate::parts::scope::Scope;
use crate::parts::select::{Absence, Answer, Missing, Selector, Yield, millis, shown};
use crate::parts::template::{Error, Mention, Template};

/// How many characters of a value are shown.
pub(super) const SHOWN: usize = 200;

/// One thing that is expected.
#[derive(Debug, Clone)]
pub(super) enum Clause {
    Selected(Selector, Predicate),
    Body(Predicate),
    Time(Predicate),
    /// How many bytes the body has.
    Size(Predicate),
    Schema(Schema),
    Jwt(Box<Token>),
    /// How long the server's certificate will be valid.
    Certificate(Predicate),
    /// An expression that must be true.
    That(Template),
}

impl Clause {
    pub(super) fn adds_to(&self, wanted: &mut Yield) {
        match self {
            Self::Selected(selector, _) => wanted.add(selector),
            Self::Jwt(token) => wanted.add(token.from()),
            Self::Schema(_) => wanted.tree(),
            Self::Body(_) | Self::Time(_) | Self::Size(_) | Self::Certificate(_) | Self::That(_) => {}
        }
    }

    pub(super) fn reads(&self, visit: &mut dyn FnMut(Mention<'_>)) {
        match self {
            Self::Selected(_, predicate)
            | Self::Body(predicate)
            | Self::Time(predicate)
            | Self::Size(predicate)
            | Self::Certificate(predicate) => predicate.reads(visit),
            Self::Jwt(token) => token.reads(visit),
            Self::Schema(_) => {}
            Self::That(template) => template.reads(visit),
        }
    }

    /// Adds what became of it; nothing where it holds and nobody wants to hear of that.
    pub(super) fn check(
        &self,
        answer: &Answer,
        scope: &Scope,
        tell: Tell,
        checks: &mut Vec<Check>,
    ) -> Result<(), Error> {
        let response = answer.response();
        let check = match self {
            Self::Selected(selector, predicate) => {
                let found = find(selector, predicate, answer);
                judge(predicate, found.as_ref(), scope, tell, || selector.to_string())?
            }
            Self::Body(predicate) => {
                let found = body(predicate, response);
                judge(predicate, found.as_ref(), scope, tell, || "body".to_owned())?
            }
            Self::Time(predicate) => {
                judge(predicate, Ok(&Marked::plain(millis(response))), scope, tell, || "time".to_owned())?
            }
            Self::Size(predicate) => {
                let size = Marked::plain(Value::from(response.body.len() as u64));
                judge(predicate, Ok(&size), scope, tell, || "size".to_owned())?
            }
            Self::Certificate(predicate) => {
                let found = certificate(response, scope);
                judge(predicate, found.as_ref(), scope, tell, || "tls expires_in".to_owned())?
            }
            Self::That(template) => {
                let check = that_holds(template, scope);
                (tell == Tell::All || !check.passed).then_some(check)
            }
            Self::Schema(schema) => {
                return schema.check(answer, scope, tell, checks);
            }
            Self::Jwt(token) => return token.check(answer, scope, tell, checks),
        };
        checks.extend(check);
        Ok(())
    }
}

/// How many seconds the certificate is still valid.
fn certificate(response: &Response, scope: &Scope) -> Result<Marked<Value>, Missing> {
    let Some(certificate) = &response.certificate else {
        let reason = match response.url.scheme() {
            "https" => "nothing is known of the certificate",
            _ => "there is no certificate: the answer came over http://",
        };
        let missing = Missing::nothing("tls expires_in".to_owned(), reason);
        return Err(missing.with(Absence::WrongKind, None));
    };
    Ok(Marked::plain(Value::from(certificate.not_after.saturating_sub(scope.clock.now_seconds()))))
}

pub(super) fn judge(
    predicate: &Predicate,
    found: Found<'_>,
    scope: &Scope,
    tell: Tell,
    what: impl FnOnce() -> String,
) -> Result<Option<Check>, Error> {
    if tell == Tell::Failures && predicate.holds(found, scope)? {
        return Ok(None);
    }
    let judged = predicate.judge(found, scope)?;
    Ok(Some(Check::of(what(), judged, predicate.span)))
}

impl Check {
    pub(super) fn of(what: String, judged: Judgement, span: Span) -> Self {
        Self { what, passed: judged.passed, expected: judged.expected, actual: judged.actual, span }
    }
}

/// An expression that cannot be evaluated does not hold: the answer was not what it is about.
fn that_holds(template: &Template, scope: &Scope) -> Check {
    let (passed, actual) = match template.value(scope) {
        Ok(found) => match &found.value {
            Value::Bool(truth) => (*truth, truth.to_string()),
            other => {
                let plain = || shown(other, SHOWN, &scope.needles);
                let kind = article(other);
                (false, format!("{}, {kind}, not true or false", found.marks.show(plain)))
            }
        },
        Err(error) => (false, scope.needles.scrub(&error.message)),
    };
    Check {
        what: template.source().to_owned(),
        passed,
        expected: "true".to_owned(),
        actual,
        span: template.span(),
    }
}

/// What a selector finds, marked. An empty list of matches is a list, but for a predicate that
/// asks whether there is anything it is nothing.
fn find(selector: &Selector, predicate: &Predicate, answer: &Answer) -> Result<Marked<Value>, Missing> {
    let value = match selector.find(answer) {
        // No match is an empty list of matches, for whoever does not ask whether there is one.
        Err(missing) if is_list(selector, &missing) && !predicate.asks_presence() => Vec::new().into(),
        found => found?,
    };
    let empty = value.as_list().is_some_and(<[Value]>::is_empty);
    if empty && matches!(selector, Selector::JsonAll(_)) && predicate.asks_presence() {
        return Err(Missing::nothing(selector.to_string(), "no match"));
    }
    let marks = selector.marks(&value);
    Ok(Marked::new(as_written(selector, value), marks))
}

/// What an `XPath` counts is judged as the text that it is beside other `XPaths`: `3`, `true`.
fn as_written(selector: &Selector, value: Value) -> Value {
    match (selector, &value) {
        (Selector::XPath(_), Value::Number(_) | Value::Bool(_)) => value.to_text().into(),
        _ => value,
    }
}

fn is_list(selector: &Selector, missing: &Missing) -> bool {
    matches!(selector, Selector::JsonAll(_)) && missing.absence == Absence::Nothing
}

/// The body as text. An empty one is an empty text, but for a predicate that asks whether there
/// is anything it is nothing.
fn body(predicate: &Predicate, response: &Response) -> Result<Marked<Value>, Missing> {
    if response.body.is_empty() && predicate.asks_presence() {
        return Err(Missing::nothing("body".to_owned(), "the body is empty"));
    }
    let text = Value::from(response.text().as_ref());
    let marks = Marks { secret: None, from_server: true };
    Ok(Marked::new(text, marks))
}

//! Selectors: how a value is picked out of an answer.
//!
//! `extract` and `expect` share them. What all selectors of a step want is known before the answer
//! comes ([`Yield`]), so that its body is read once, and no more of it is kept than is wanted.

pub mod answer;
pub mod body;
mod cost;
pub mod css;
pub mod glimpse;
mod html;
pub mod jwt;
mod link;
mod markup;
pub mod missing;
pub mod page;
pub mod pass;
pub mod path;
pub mod pattern;
pub mod pattern_cost;
pub mod query;
mod shared;
mod xml;
pub mod xpath;

use std::fmt;
use std::sync::Arc;

use reqwest::header::HeaderName;

use crate::ground::read::{Fields, Reading};
use crate::ground::regex::TooLong;
use crate::ground::secret::{Marks, is_jwt, is_secret_name};
use crate::ground::value::Value;
use crate::ground::yaml::{Node, Scalar};
use crate::parts::http::Response;
use crate::parts::select::query::{MAX_NESTING, nesting};

pub use crate::parts::select::answer::{Answer, Yield};
pub use crate::parts::select::body::BodyForm;
pub use crate::parts::select::css::Css;
pub use crate::parts::select::glimpse::{excerpt, joined, shown, untorn};
pub use crate::parts::select::jwt::Claims;
pub use crate::parts::select::missing::{Absence, Missing};
pub use crate::parts::select::pass::Pass;
pub use crate::parts::select::path::Path;
pub use crate::parts::select::pattern::Pattern;
pub use crate::parts::select::query::Query;
pub use crate::parts::select::xpath::XPath;

/// The words that a selector can begin with.
pub const WORDS: [&str; 12] = [
    "json", "json_all", "header", "cookie", "status", "link", "regex", "xpath", "css", "body", "jwt", "time",
];
/// The word that belongs to `css`, and stands beside it.
pub const ATTRIBUTE: &str = "attribute";
/// How many characters an expression of CSS or `XPath` may have: their readers are recursive.
const LONGEST: usize = 1000;

/// How a value is picked out of an answer.
#[derive(Debug, Clone)]
pub enum Selector {
    /// The one value that a JSON path leads to.
    Json(Query),
    /// All values that a JSON path leads to, as a list.
    JsonAll(Query),
    /// A header; several of one name are joined.
    Header(Arc<str>),
    /// The value of a cookie that the answer sets.
    Cookie(Arc<str>),
    /// Where a link of this relation leads.
    Link(Arc<str>),
    /// The first group of a regular expression in the body's text; the whole match without one.
    Regex(Pattern),
    /// The one node of XML or HTML that an expression leads to, or what it comes to.
    XPath(XPath),
    /// The text, or an attribute, of the one element of an HTML page.
    Css(Css),
    /// The whole body.
    Body(BodyForm),
    /// A claim of a JWT.
    Jwt(Claims),
    /// How long the exchange took, in milliseconds.
    Time,
    /// The status code.
    Status,
}

impl Selector {
    /// Reads a selector alone: a text that begins with `$`, or a map of one key.
    pub fn read(node: &Node, reading: &Reading, what: &str) -> Option<Self> {
        if let Some(scalar) = node.scalar() {
            let scalar = reading.text(node, what).and(Some(scalar))?;
            if !scalar.text.starts_with('$') {
                reading.error_with(
                    node.span,
                    format!("`{}` is not a selector", scalar.text),
                    "write a JSON path that begins with `$`, or a map such as `{ header: location }`",
                );
                return None;
            }
            return Self::json(scalar, reading);
        }
        let known: Vec<&str> = WORDS.iter().copied().chain([ATTRIBUTE]).collect();
        let fields = reading.fields(node, what, &known, &[])?;
        Self::read_fields(&fields, &[ATTRIBUTE], reading, what)
    }

    /// Reads the selector among the keys of a map. `beside` are the other keys that the map may
    /// have; any further key was reported by whoever made `fields`.
    pub fn read_fields(fields: &Fields<'_>, beside: &[&str], reading: &Reading, what: &str) -> Option<Self> {
        let given = fields.present(&WORDS);
        let Some((word, value)) = given.first() else {
            if fields.iter().all(|(key, _)| beside.contains(&&*key.text)) {
                let help = format!("write one of {}", WORDS.join(", "));
                reading.error_with(fields.span, format!("`{what}` has no selector"), help);
            }
            return None;
        };
        for (other, _) in &given[1..] {
            let message = format!("two selectors: `{}` beside `{}`", other.text, word.text);
            reading.error_with(other.span, message, "a value has one selector: keep one of them");
        }
        let attribute = fields.entry(ATTRIBUTE);
        if &*word.text == "css" {
            let name = fields.optional(ATTRIBUTE, |node| attribute_name(node, reading))?;
            let scalar = reading.text(value, "css")?;
            return Css::read(&scalar.text, name, scalar.span, reading).map(Self::Css);
        }
        if let Some((key, _)) = attribute {
            let message = format!("`attribute` belongs to `css`, not to `{}`", word.text);
            reading.error_with(key.span, message, "an XPath names it itself: `//a/@href`");
        }
        Self::read_word(&word.text, value, reading)
    }

    fn read_word(word: &str, value: &Node, reading: &Reading) -> Option<Self> {
        match word {
            "status" => return asked_for(value, word, reading).then_some(Self::Status),
            "time" => return asked_for(value, word, reading).then_some(Self::Time),
            "jwt" => return Claims::read(value, reading).map(Self::Jwt),
            _ => {}
        }
        let scalar = reading.text(value, word)?;
        match word {
            "json" => Self::json(scalar, reading),
            "json_all" => Self::json_all(scalar, reading),
            "header" => Self::header(scalar, reading),
            "regex" => Self::regex(scalar, reading),
            "xpath" => Self::xpath(scalar, reading),
            "link" => link::read(scalar, reading).map(|()| Self::Link(Arc::clone(&scalar.text))),
            "body" => body_form(scalar, reading).map(Self::Body),
            _ => Self::cookie(scalar, reading),
        }
    }

    /// Reads a path that must lead to exactly one value.
    pub fn json(scalar: &Scalar, reading: &Reading) -> Option<Self> {
        Query::read(scalar, reading).map(Self::Json)
    }

    /// Reads a path all of whose values are wanted.
    pub fn json_all(scalar: &Scalar, reading: &Reading) -> Option<Self> {
        Query::read(scalar, reading).map(Self::JsonAll)
    }

    /// Reads the name of a header.
    pub fn header(scalar: &Scalar, reading: &Reading) -> Option<Self> {
        if HeaderName::from_bytes(scalar.text.as_bytes()).is_err() {
            let message = format!("`{}` cannot be the name of a header", scalar.text);
            refuse(scalar, reading, message);
            return None;
        }
        Some(Self::Header(Arc::clone(&scalar.text)))
    }

    /// Reads the name of a cookie.
    pub fn cookie(scalar: &Scalar, reading: &Reading) -> Option<Self> {
        let foreign = |c: char| c.is_control() || matches!(c, '=' | ';' | ',' | ' ' | '{' | '}');
        if scalar.text.contains(foreign) || scalar.text.is_empty() {
            let message = format!("`{}` cannot be the name of a cookie", scalar.text);
            refuse(scalar, reading, message);
            return None;
        }
        Some(Self::Cookie(Arc::clone(&scalar.text)))
    }

    /// Reads a regular expression.
    pub fn regex(scalar: &Scalar, reading: &Reading) -> Option<Self> {
        Pattern::read(scalar, reading, "regex", false).map(Self::Regex)
    }

    /// Reads an `XPath`.
    pub fn xpath(scalar: &Scalar, reading: &Reading) -> Option<Self> {
        XPath::read(scalar, reading).map(Self::XPath)
    }

    /// Reads a key of `expect.css`: a selector, and behind a blank `@` and the name of an
    /// attribute, where one is wanted: `a.next @href`.
    pub fn css(scalar: &Scalar, reading: &Reading) -> Option<Self> {
        let (css, attribute) = Css::split(&scalar.text);
        Css::read(css, attribute.map(Arc::from), scalar.span, reading).map(Self::Css)
    }

    /// The value that it picks.
    ///
    /// # Errors
    /// [`Missing`] where there is nothing, or more than one thing.
    pub fn find(&self, answer: &Answer) -> Result<Value, Missing> {
        let response = answer.response();
        match self {
            Self::Json(query) => query.one(answer),
            Self::JsonAll(query) => query.all(answer).map(Value::from),
            Self::Header(name) => match response.header(name) {
                Some(value) => Ok(value.into()),
                None => Err(Missing::no_header(self.to_string(), name, &response.headers)),
            },
            Self::Cookie(name) => match response.cookies().get(name) {
                Some(value) => Ok(Value::String(Arc::clone(value))),
                None => Err(Missing::no_cookie(self.to_string(), name, response)),
            },
            Self::Regex(pattern) => match first_match(pattern, response) {
                Ok(Some(found)) => Ok(found),
                Ok(None) => Err(Missing::no_match(self.to_string(), response)),
                Err(found) => {
                    let missing = Missing::nothing(self.to_string(), found.to_string());
                    Err(missing.with(Absence::TooMuch, Some(TooLong::HELP.to_owned())))
                }
            },
            Self::Link(rel) => link::find(&self.to_string(), rel, response),
            Self::XPath(xpath) => xpath.find(answer),
            Self::Css(css) => css.find(answer),
            Self::Body(form) => Ok(form.of(response)),
            Self::Jwt(claims) => claims.find(answer),
            Self::Time => Ok(millis(response)),
            Self::Status => Ok(u64::from(response.status).into()),
        }
    }

    /// The marks of a value that this selector picked. A secret is named after the JSON member,
    /// header or cookie that it is.
    #[must_use]
    pub fn marks(&self, value: &Value) -> Marks {
        Marks { secret: self.is_secret(value).then(|| self.name().into()), from_server: true }
    }

    fn is_secret(&self, value: &Value) -> bool {
        let named = match self {
            Self::Status | Self::Time | Self::Link(_) | Self::Body(_) => false,
            Self::Cookie(_) => true,
            Self::Regex(pattern) => names_secret(pattern.as_str()),
            Self::XPath(xpath) => names_secret(xpath.as_str()),
            Self::Css(css) => names_secret(&css.words()),
            Self::Jwt(claims) => claims.last_name().is_some_and(is_secret_name),
            Self::Header(name) => name.eq_ignore_ascii_case("set-cookie") || is_secret_name(name),
            Self::Json(_) | Self::JsonAll(_) => is_secret_name(self.name()),
        };
        named && hides(value) || value.as_str().is_some_and(is_jwt)
    }

    /// The word by which people know what it picks.
    fn name(&self) -> &str {
        match self {
            Self::Json(query) | Self::JsonAll(query) => query.last_member().unwrap_or("json"),
            Self::Header(name) | Self::Cookie(name) => name,
            Self::Jwt(claims) => claims.last_name().unwrap_or("jwt"),
            Self::Link(_) => "link",
            Self::Regex(_) => "regex",
            Self::XPath(_) => "xpath",
            Self::Css(_) => "css",
            Self::Body(_) => "body",
            Self::Time => "time",
            Self::Status => "status",
        }
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(query) => query.fmt(f),
            Self::JsonAll(query) => write!(f, "json_all {query}"),
            Self::Header(name) => write!(f, "header {name}"),
            Self::Cookie(name) => write!(f, "cookie {name}"),
            Self::Link(rel) => write!(f, "link {rel}"),
            Self::Regex(pattern) => write!(f, "regex {pattern}"),
            Self::XPath(xpath) => xpath.fmt(f),
            Self::Css(css) => css.fmt(f),
            Self::Body(form) => write!(f, "body {}", form.word()),
            Self::Jwt(claims) => claims.fmt(f),
            Self::Time => f.write_str("time"),
            Self::Status => f.write_str("status"),
        }
    }
}

/// Some things are selected by `true` alone.
fn asked_for(value: &Node, word: &str, reading: &Reading) -> bool {
    let asked = value.scalar().is_some_and(|scalar| scalar.resolve().as_bool() == Some(true));
    if !asked {
        let help = format!("what the {word} must be stands under `expect`");
        reading.error_with(value.span, format!("`{word}` is selected by `{word}: true`"), help);
    }
    asked
}

fn attribute_name(node: &Node, reading: &Reading) -> Option<Arc<str>> {
    let scalar = reading.text(node, ATTRIBUTE)?;
    if scalar.text.contains(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '>' | '=' | '{' | '[')) {
        let message = format!("`{}` cannot be the name of an attribute", scalar.text);
        refuse(scalar, reading, message);
        return None;
    }
    Some(Arc::clone(&scalar.text))
}

fn body_form(scalar: &Scalar, reading: &Reading) -> Option<BodyForm> {
    let found = BodyForm::ALL.iter().find(|(word, _)| *word == &*scalar.text);
    if found.is_none() {
        let message = format!("`body` knows no `{}`", scalar.text);
        reading.error_with(scalar.span, message, "write one of text, base64, sha256");
    }
    found.map(|(_, form)| *form)
}

/// How long an exchange took.
pub(crate) fn millis(response: &Response) -> Value {
    u64::try_from(response.timing.total.as_millis()).unwrap_or(u64::MAX).into()
}

/// Why an expression is more than a recursive reader may be given.
fn is_too_much(text: &str) -> Option<String> {
    let minus = text.replace(' ', "").contains(&"-".repeat(MAX_NESTING));
    if text.len() > LONGEST {
        return Some(format!("it has {} bytes; the limit is {LONGEST}", text.len()));
    }
    (nesting(text) > MAX_NESTING || minus).then(|| too_deep("its brackets are"))
}

/// An expression in a message: the beginning of a long one, so that the reason behind it is seen.
fn named(text: &str) -> String {
    const SHOWN: usize = 200;
    match text.char_indices().nth(SHOWN) {
        Some((cut, _)) => format!("`{}…`", &text[..cut]),
        None => format!("`{text}`"),
    }
}

/// That something is nested deeper than a recursive reader may be led.
fn too_deep(what: &str) -> String {
    format!("{what} nested deeper than {MAX_NESTING} levels")
}

fn refuse(scalar: &Scalar, reading: &Reading, message: String) {
    let help = if scalar.text.contains("{{") {
        "a selector holds no template"
    } else {
        "write the name alone, as the server sends it"
    };
    reading.error_with(scalar.span, message, help);
}

fn first_match(pattern: &Pattern, response: &Response) -> Result<Option<Value>, TooLong> {
    let text = response.text();
    let found = pattern.captures(&text)?;
    let group = found.and_then(|found| found.get(usize::from(found.len() > 1)));
    Ok(group.map(|group| group.as_str().into()))
}

/// Whether a text such as a pattern speaks of a secret: `"access_token":"([^"]+)"`.
fn names_secret(text: &str) -> bool {
    let within = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    text.split(|c| !within(c)).any(is_secret_name)
}

/// Whether there is something to hide: an empty value or a truth value gives nothing away.
fn hides(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) => false,
        Value::Number(_) => true,
        Value::String(text) => !text.is_empty(),
        Value::List(elements) => !elements.is_empty(),
        Value::Object(members) => !members.is_empty(),
    }
}

#[cfg(test)]
pub(crate) mod tests;

//! Selectors: how a value is picked out of an answer.
//!
//! `extract` and `expect` share them. What all selectors of a step want is known before the answer
//! comes ([`Yield`]), so that its body is read once, and no more of it is kept than is wanted.

pub mod glimpse;
pub mod missing;
pub mod pass;
pub mod path;
pub mod pattern;

use std::fmt;
use std::sync::{Arc, OnceLock};

use reqwest::header::HeaderName;
use serde_json_path::JsonPath;

use crate::ground::read::{Fields, Reading};
use crate::ground::secret::{Marks, is_jwt, is_secret_name};
use crate::ground::value::Value;
use crate::ground::yaml::{Node, Scalar};
use crate::parts::http::Response;

pub use crate::parts::select::glimpse::{excerpt, shown};
pub use crate::parts::select::missing::{Absence, Missing};
pub use crate::parts::select::pass::read_paths;
pub use crate::parts::select::path::Path;
pub use crate::parts::select::pattern::Pattern;

/// The words that a selector can begin with.
pub const WORDS: [&str; 6] = ["json", "json_all", "header", "cookie", "status", "regex"];
/// Words of the language that select or stand beside a selector, and that cannot be run yet.
pub const LATER: [&str; 8] = [
    "link",
    "xpath",
    "css",
    "attribute",
    "body",
    "jwt",
    "time",
    "collect",
];

/// How deep brackets may be nested in a path: the general engine's parser is recursive.
const MAX_NESTING: usize = 8;

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
    /// The first group of a regular expression in the body's text; the whole match without one.
    Regex(Pattern),
    /// The status code.
    Status,
}

/// A JSON path.
#[derive(Debug, Clone)]
pub enum Query {
    /// One that is followed while the body is being read.
    Single(Arc<Path>),
    /// Any other, for the general engine.
    General(Arc<General>),
}

/// A JSON path that may lead to many values.
#[derive(Debug)]
pub struct General {
    text: Arc<str>,
    compiled: JsonPath,
    /// What it begins with before it branches.
    beginning: Path,
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
        let fields = reading.fields(node, what, &WORDS, &LATER)?;
        Self::read_fields(&fields, &[], reading, what)
    }

    /// Reads the selector among the keys of a map. `beside` are the other keys that the map may
    /// have; any further key was reported by whoever made `fields`.
    pub fn read_fields(
        fields: &Fields<'_>,
        beside: &[&str],
        reading: &Reading,
        what: &str,
    ) -> Option<Self> {
        let given = fields.present(&WORDS);
        let Some((word, value)) = given.first() else {
            if fields.iter().all(|(key, _)| beside.contains(&&*key.text)) {
                let help = format!("write one of {}", WORDS.join(", "));
                reading.error_with(fields.span, format!("`{what}` has no selector"), help);
            }
            return None;
        };
        for (other, _) in &given[1..] {
            let message = format!("`{}` beside `{}`", other.text, word.text);
            reading.error_with(other.span, message, "a value has one selector: keep one of them");
        }
        Self::read_word(&word.text, value, reading)
    }

    fn read_word(word: &str, value: &Node, reading: &Reading) -> Option<Self> {
        if word == "status" {
            let asked = reading.truth(value, "status")?;
            if !asked {
                reading.error(value.span, "`status` selects with `true` only");
            }
            return asked.then_some(Self::Status);
        }
        let scalar = reading.text(value, word)?;
        match word {
            "json" => Self::json(scalar, reading),
            "json_all" => Self::json_all(scalar, reading),
            "header" => Self::header(scalar, reading),
            "regex" => Self::regex(scalar, reading),
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

    /// The value that it picks.
    ///
    /// # Errors
    /// [`Missing`] where there is nothing, or more than one thing.
    pub fn find(&self, answer: &Answer) -> Result<Value, Missing> {
        let response = &answer.response;
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
            Self::Regex(pattern) => first_match(pattern, response)
                .ok_or_else(|| Missing::no_match(self.to_string(), response)),
            Self::Status => Ok(u64::from(response.status).into()),
        }
    }

    /// The marks of a value that this selector picked. A secret is named after the JSON member,
    /// header or cookie that it is.
    #[must_use]
    pub fn marks(&self, value: &Value) -> Marks {
        Marks {
            secret: self.is_secret(value).then(|| self.name().into()),
            from_server: true,
        }
    }

    fn is_secret(&self, value: &Value) -> bool {
        let named = match self {
            Self::Status => false,
            Self::Cookie(_) => true,
            Self::Regex(pattern) => names_secret(pattern.as_str()),
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
            Self::Regex(_) => "regex",
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
            Self::Regex(pattern) => write!(f, "regex {pattern}"),
            Self::Status => f.write_str("status"),
        }
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Single(path) => path.fmt(f),
            Self::General(general) => f.write_str(&general.text),
        }
    }
}

impl Query {
    /// Reads a path; a mistake is reported at its place.
    pub fn read(scalar: &Scalar, reading: &Reading) -> Option<Self> {
        let text = &*scalar.text;
        let Some((beginning, rest)) = Path::beginning(text) else {
            let message = format!("`{text}` is not a JSON path");
            reading.error_with(scalar.span, message, "a path begins with `$`: `$.result.token`");
            return None;
        };
        if rest.is_empty() {
            return Some(Self::Single(Arc::new(beginning)));
        }
        let parsed = match nesting(rest) > MAX_NESTING {
            true => Err((0, "brackets are nested too deeply".to_owned())),
            false => JsonPath::parse(text).map_err(|error| (error.position(), error.to_string())),
        };
        match parsed {
            Ok(compiled) => Some(Self::General(Arc::new(General {
                text: Arc::clone(&scalar.text),
                compiled,
                beginning,
            }))),
            Err((position, reason)) => {
                report_path(scalar, reading, position, &reason);
                None
            }
        }
    }

    fn one(&self, answer: &Answer) -> Result<Value, Missing> {
        match self {
            Self::Single(path) => answer.value_at(path),
            Self::General(general) => {
                let found = general.compiled.query(answer.serde(self)?).all();
                match found.as_slice() {
                    [one] => Ok(Value::from((*one).clone())),
                    [] => Err(self.nothing(answer)),
                    many => Err(Missing::several(self.to_string(), many.len(), &general.text)),
                }
            }
        }
    }

    /// No match is an empty list, but only where what the path begins with is there: a name that
    /// was misspelt must not pass as nothing to do.
    fn all(&self, answer: &Answer) -> Result<Vec<Value>, Missing> {
        match self {
            Self::Single(path) => Ok(vec![answer.value_at(path)?]),
            Self::General(general) => {
                let found = general.compiled.query(answer.serde(self)?).all();
                let begins = answer.response.json().ok();
                let begins = begins.and_then(|root| general.beginning.find(root));
                if found.is_empty() && begins.is_none() {
                    return Err(self.nothing(answer));
                }
                Ok(found.into_iter().cloned().map(Value::from).collect())
            }
        }
    }

    fn nothing(&self, answer: &Answer) -> Missing {
        let segments = match self {
            Self::Single(path) => path.segments(),
            Self::General(general) => general.beginning.segments(),
        };
        match answer.response.json() {
            Ok(root) => Missing::no_member(self.to_string(), segments, root),
            Err(error) => Missing::not_json(self.to_string(), &answer.response, error),
        }
    }

    /// The name of the last member on the way.
    fn last_member(&self) -> Option<&str> {
        let members = |path: &'_ Path| {
            path.segments().iter().rposition(|segment| matches!(segment, path::Segment::Member(_)))
        };
        match self {
            Self::Single(path) => match &path.segments()[members(path)?] {
                path::Segment::Member(name) => Some(name),
                path::Segment::Index(_) => None,
            },
            Self::General(general) => last_name(&general.text),
        }
    }
}

/// The last name in a general path: what stands before closing indexes, without dots and quotes.
fn last_name(path: &str) -> Option<&str> {
    let mut rest = path;
    while let Some(inside) = rest.strip_suffix(']') {
        let open = inside.rfind('[')?;
        let name = inside[open + 1..].trim().trim_matches(['\'', '"']);
        if name.len() < inside[open + 1..].trim().len() {
            return Some(name);
        }
        rest = &path[..open];
    }
    let name = rest.rsplit(['.', ']', ' ']).next()?;
    (!name.is_empty() && name != "$" && name != "*").then_some(name)
}

fn report_path(scalar: &Scalar, reading: &Reading, position: usize, reason: &str) {
    let text = &*scalar.text;
    let mut at = position.saturating_sub(1).min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let span = scalar.span_of(&reading.source, at..text.len());
    let help = match text.contains("{{") {
        true => "a selector holds no template; a whole value `\"{{ response.json[name] }}\"` may",
        false => "paths are RFC 9535's: `$.a.b`, `$['a b']`, `$.list[0]`, `$.list[*].id`, `$..id`",
    };
    let reason = reason.split_once(", ").map_or(reason, |(_, reason)| reason);
    reading.error_with(span, format!("`{text}` is not a JSON path: {reason}"), help);
}

fn nesting(path: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for byte in path.bytes() {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

fn refuse(scalar: &Scalar, reading: &Reading, message: String) {
    let help = match scalar.text.contains("{{") {
        true => "a selector holds no template",
        false => "write the name alone, as it stands on the wire",
    };
    reading.error_with(scalar.span, message, help);
}

fn first_match(pattern: &Pattern, response: &Response) -> Option<Value> {
    let text = response.text();
    let found = pattern.regex().captures(&text)?;
    let group = found.get(usize::from(found.len() > 1))?;
    Some(group.as_str().into())
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

/// What an answer must yield, known before it comes.
#[derive(Debug, Clone, Default)]
pub struct Yield {
    paths: Vec<Arc<Path>>,
    tree: bool,
}

impl Yield {
    /// A selector wants its value.
    pub fn add(&mut self, selector: &Selector) {
        match selector {
            Selector::Json(Query::Single(path)) | Selector::JsonAll(Query::Single(path)) => {
                if !self.paths.contains(path) {
                    self.paths.push(Arc::clone(path));
                }
            }
            Selector::Json(Query::General(_)) | Selector::JsonAll(Query::General(_)) => self.tree(),
            Selector::Header(_) | Selector::Cookie(_) | Selector::Regex(_) | Selector::Status => {}
        }
    }

    /// Somebody wants the whole tree: then nothing is read beside it.
    pub const fn tree(&mut self) {
        self.tree = true;
    }

    /// A template reads this name, dotted as far as it is: some of them want the tree.
    pub fn read_by_template(&mut self, name: &str) {
        if name == "response" || name.starts_with("response.json") {
            self.tree();
        }
    }

    /// Whether somebody wants the whole tree.
    #[must_use]
    pub const fn wants_tree(&self) -> bool {
        self.tree
    }
}

/// An answer, and what was read out of it in one pass.
#[derive(Debug)]
pub struct Answer {
    response: Arc<Response>,
    /// `None` where the tree is to be asked.
    read: Option<Vec<(Arc<Path>, Option<Value>)>>,
    /// The tree in the general engine's type.
    serde: OnceLock<serde_json::Value>,
}

impl Answer {
    /// Reads what is wanted of an answer. A body that is not JSON is found out when somebody asks.
    #[must_use]
    pub fn read(response: &Arc<Response>, wanted: &Yield) -> Self {
        let pass = !wanted.tree && !wanted.paths.is_empty();
        let found = pass.then(|| read_paths(&response.body, &wanted.paths).ok()).flatten();
        Self {
            response: Arc::clone(response),
            read: found.map(|found| wanted.paths.iter().cloned().zip(found).collect()),
            serde: OnceLock::new(),
        }
    }

    /// The answer itself.
    #[must_use]
    pub const fn response(&self) -> &Arc<Response> {
        &self.response
    }

    fn value_at(&self, path: &Arc<Path>) -> Result<Value, Missing> {
        let nothing = || Query::Single(Arc::clone(path)).nothing(self);
        let read = self.read.iter().flatten();
        let mut read = read.filter(|(known, _)| Arc::ptr_eq(known, path) || known == path);
        if let Some((_, found)) = read.next() {
            return found.clone().ok_or_else(nothing);
        }
        let root = self.response.json().map_err(|_| nothing())?;
        path.find(root).cloned().ok_or_else(nothing)
    }

    fn serde(&self, query: &Query) -> Result<&serde_json::Value, Missing> {
        let root = self.response.json().map_err(|_| query.nothing(self))?;
        Ok(self.serde.get_or_init(|| root.to_serde()))
    }
}

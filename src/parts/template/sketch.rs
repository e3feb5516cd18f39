//! A template as far as it can be known before anything is sent.
//!
//! What only an answer can give has a name and no value yet. It is told by that name, and an
//! expression that computes with it as it was written.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use crate::ground::encode::Spelling;
use crate::ground::secret::{Marked, Needles, is_secret_name, masked, pseudonym};
use crate::ground::value::Value;
use crate::parts::scope::{RESERVED, Scope};
use crate::parts::template::{Error, Expression, Mention, Piece as Part, Template, Tree};

/// A piece of a text that is not wholly known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sketched {
    /// What is known, and may be seen.
    Text(String),
    /// A secret.
    Secret(Secret),
    /// A variable that only an answer can set.
    Unknown(Arc<str>),
    /// An expression that reads such a variable.
    Written(Box<str>),
    /// What has no value yet, where its value will stand in another form than its own.
    Encoded(Spelling, Box<Self>),
}

/// A secret that is known before anything is sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    /// What it is called.
    pub name: Arc<str>,
    /// Its text.
    pub own: Box<str>,
    /// The same as it stands there.
    pub written: Box<str>,
}

impl fmt::Debug for Secret {
    /// The name alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({})", self.name)
    }
}

impl Secret {
    /// One that stands there as it is.
    pub fn new(name: impl Into<Arc<str>>, text: impl Into<Box<str>>) -> Self {
        let own = text.into();
        Self { name: name.into(), written: own.clone(), own }
    }
}

impl Sketched {
    /// The same in another form.
    #[must_use]
    pub fn encoded(self, spelling: Spelling, encode: impl FnOnce(&str) -> String) -> Self {
        match self {
            Self::Text(text) => Self::Text(encode(&text)),
            Self::Secret(secret) => {
                Self::Secret(Secret { written: encode(&secret.written).into(), ..secret })
            }
            Self::Encoded(_, open) => Self::Encoded(Spelling::Other, open),
            open => Self::Encoded(spelling, Box::new(open)),
        }
    }

    /// It as people see it.
    fn shown(&self, needles: &Needles) -> String {
        match self {
            Self::Text(text) => needles.scrub(text),
            Self::Secret(secret) => pseudonym(&secret.name),
            Self::Unknown(name) => format!("‹{name}›"),
            Self::Written(text) => format!("{{{{ {text} }}}}"),
            Self::Encoded(_, open) => open.shown(needles),
        }
    }
}

/// The variables that have no value yet.
#[derive(Debug, Clone, Default)]
pub struct Unknown {
    names: HashSet<Arc<str>>,
    /// Any variable may be set by then: a script names what it sets as it runs.
    pub any: bool,
}

/// What templates are sketched with.
#[derive(Debug)]
pub struct Sketcher<'s> {
    scope: &'s Scope,
    unknown: &'s Unknown,
    problems: RefCell<Vec<Error>>,
}

impl Unknown {
    /// Notes a variable.
    pub fn add(&mut self, name: &str) {
        self.names.insert(name.into());
    }

    /// Whether a variable has no value yet.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.names.contains(name)
    }
}

impl<'s> Sketcher<'s> {
    /// With the variables of a scope, but for these.
    #[must_use]
    pub fn new(scope: &'s Scope, unknown: &'s Unknown) -> Self {
        Self { scope, unknown, problems: RefCell::default() }
    }

    /// The variables.
    #[must_use]
    pub const fn scope(&self) -> &'s Scope {
        self.scope
    }

    /// What went wrong with templates that could be evaluated.
    #[must_use]
    pub fn problems(self) -> Vec<Error> {
        self.problems.into_inner()
    }

    /// Whether something that is read has no value yet.
    fn is_open(&self, name: &str) -> bool {
        let later = RESERVED.contains(&name) && !matches!(name, "data" | "env_name");
        let unset = self.unknown.any && !RESERVED.contains(&name) && !self.scope.has(name);
        later || unset || self.unknown.has(name)
    }

    /// What `evaluate` gives; `None` where it fails, which is a problem unless something that it reads
    /// has no value yet.
    pub fn attempt<T>(
        &self,
        reads: impl FnOnce(&mut dyn FnMut(Mention<'_>)),
        evaluate: impl FnOnce(&Scope) -> Result<T, Error>,
    ) -> Option<T> {
        let error = match evaluate(self.scope) {
            Ok(found) => return Some(found),
            Err(error) => error,
        };
        let mut open = false;
        reads(&mut |mention| open |= self.is_open(mention.name()));
        if !open {
            self.problems.borrow_mut().push(error);
        }
        None
    }

    fn expression(&self, expression: &Expression) -> Result<Marked<Value>, Sketched> {
        let mut open = false;
        expression.reads(&mut |mention| open |= self.is_open(mention.name()));
        let written = || match expression.name() {
            Some(name) if open => Sketched::Unknown(name.into()),
            _ => Sketched::Written(expression.source().into()),
        };
        if open {
            return Err(written());
        }
        expression.value(self.scope).map_err(|error| {
            self.problems.borrow_mut().push(error);
            written()
        })
    }
}

/// A sketch as people see it: `«secret»`, `‹unknown›`, `{{ as written }}`.
#[must_use]
pub fn sketched(pieces: &[Sketched], needles: &Needles) -> String {
    let text: String = pieces.iter().map(|piece| piece.shown(needles)).collect();
    needles.scrub(&text)
}

fn of_value(found: &Marked<Value>, write: impl FnOnce(&Value) -> String) -> Sketched {
    let text = write(&found.value);
    match &found.marks.secret {
        Some(name) => Sketched::Secret(Secret::new(Arc::clone(name), text)),
        None => Sketched::Text(text),
    }
}

impl Template {
    /// The text, as far as it is known.
    #[must_use]
    pub fn sketch(&self, sketcher: &Sketcher<'_>) -> Vec<Sketched> {
        let piece = |piece: &Part| match piece {
            Part::Literal(text) => Sketched::Text(text.to_string()),
            Part::Expression(expression) => match sketcher.expression(expression) {
                Ok(found) => of_value(&found, Value::to_text),
                Err(open) => open,
            },
        };
        self.pieces.iter().map(piece).collect()
    }

    /// The URL, as far as it is known: what stands first may bring origin and path, and what
    /// follows is one percent-encoded piece each, unless it is `raw`.
    #[must_use]
    pub fn sketch_url(&self, sketcher: &Sketcher<'_>, encode: fn(&str) -> String) -> Vec<Sketched> {
        let mut before = String::new();
        let mut pieces = Vec::with_capacity(self.pieces.len());
        for (at, (part, piece)) in self.pieces.iter().zip(self.sketch(sketcher)).enumerate() {
            let in_host = before.split_once("://").is_some_and(|(_, rest)| !rest.contains(['/', '?', '#']));
            let as_it_is = match part {
                Part::Literal(_) => true,
                Part::Expression(expression) => at == 0 || in_host || expression.is_raw(),
            };
            let piece = if as_it_is { piece } else { piece.encoded(Spelling::Percent, encode) };
            if let Sketched::Text(text) = &piece {
                before.push_str(text);
            }
            pieces.push(piece);
        }
        pieces
    }

    /// The values of its expressions, of those that can be evaluated.
    #[must_use]
    pub fn values(&self, scope: &Scope) -> Vec<Marked<Value>> {
        let value = |piece: &Part| match piece {
            Part::Literal(_) => None,
            Part::Expression(expression) => expression.value(scope).ok(),
        };
        self.pieces.iter().filter_map(value).collect()
    }

    /// The one expression that it is, where it is one.
    fn alone(&self) -> Option<&Expression> {
        match self.pieces.as_slice() {
            [Part::Expression(expression)] => Some(expression),
            _ => None,
        }
    }
}

impl Tree {
    /// Visits the templates inside.
    pub fn templates(&self, visit: &mut dyn FnMut(&Template)) {
        match self {
            Self::Plain(_) => {}
            Self::Template(template) => visit(template),
            Self::List(elements) => elements.iter().for_each(|element| element.templates(visit)),
            Self::Object(entries) => entries.iter().for_each(|(_, value)| value.templates(visit)),
        }
    }

    /// Each value of an entry as a text, as far as it is known: null is left out, a list has several.
    #[must_use]
    pub fn sketch_values(&self, sketcher: &Sketcher<'_>) -> Vec<Vec<Sketched>> {
        let of_found = |found: Marked<Value>| match &found.value {
            Value::Null => Vec::new(),
            Value::List(elements) => {
                let elements = elements.iter().filter(|element| **element != Value::Null);
                let marked = elements.map(|element| Marked::new(element.clone(), found.marks.clone()));
                marked.map(|found| vec![of_value(&found, Value::to_text)]).collect()
            }
            _ => vec![vec![of_value(&found, Value::to_text)]],
        };
        match self {
            Self::Plain(value) => of_found(Marked::plain(value.clone())),
            Self::Template(template) => match template.alone() {
                Some(expression) => match sketcher.expression(expression) {
                    Ok(found) => of_found(found),
                    Err(open) => vec![vec![open]],
                },
                None => vec![template.sketch(sketcher)],
            },
            Self::List(elements) => {
                elements.iter().flat_map(|element| element.sketch_values(sketcher)).collect()
            }
            Self::Object(_) => vec![self.sketch_json(sketcher)],
        }
    }

    /// The JSON document, as far as it is known: what is not stands in it as a text.
    #[must_use]
    pub fn sketch_json(&self, sketcher: &Sketcher<'_>) -> Vec<Sketched> {
        let mut pieces = Vec::new();
        self.write_json(None, sketcher, &mut pieces);
        pieces
    }

    fn write_json(&self, key: Option<&Arc<str>>, sketcher: &Sketcher<'_>, pieces: &mut Vec<Sketched>) {
        let mut push = |text: &str| pieces.push(Sketched::Text(text.to_owned()));
        match self {
            Self::Plain(value) => write_value(&Marked::plain(value.clone()), key, pieces),
            Self::Template(template) => match template.alone().map(|alone| sketcher.expression(alone)) {
                Some(Ok(found)) => write_value(&found, key, pieces),
                Some(Err(open)) => pieces.extend([quote(), escaped(open), quote()]),
                None => {
                    pieces.push(quote());
                    pieces.extend(template.sketch(sketcher).into_iter().map(escaped));
                    pieces.push(quote());
                }
            },
            Self::List(elements) => {
                push("[");
                for (at, element) in elements.iter().enumerate() {
                    if at > 0 {
                        pieces.push(Sketched::Text(",".to_owned()));
                    }
                    element.write_json(None, sketcher, pieces);
                }
                pieces.push(Sketched::Text("]".to_owned()));
            }
            Self::Object(entries) => {
                push("{");
                for (at, (key, value)) in entries.iter().enumerate() {
                    let comma = if at > 0 { "," } else { "" };
                    pieces.push(Sketched::Text(format!("{comma}{}:", Value::from(&**key).to_json())));
                    value.write_json(Some(key), sketcher, pieces);
                }
                pieces.push(Sketched::Text("}".to_owned()));
            }
        }
    }
}

/// A value in JSON; what has a secret's name, or is one, is told by name.
fn write_value(found: &Marked<Value>, key: Option<&Arc<str>>, pieces: &mut Vec<Sketched>) {
    let is_leaf = !matches!(found.value, Value::Object(_) | Value::List(_) | Value::Null);
    let by_key = key.filter(|key| is_leaf && is_secret_name(key));
    match found.marks.secret.as_ref().or(by_key) {
        Some(name) => {
            let secret = Secret::new(Arc::clone(name), found.value.to_text());
            pieces.extend([quote(), escaped(Sketched::Secret(secret)), quote()]);
        }
        None => pieces.push(Sketched::Text(masked(&found.value).to_json())),
    }
}

fn quote() -> Sketched {
    Sketched::Text("\"".to_owned())
}

/// As it stands between the quotes of JSON.
fn escaped(piece: Sketched) -> Sketched {
    piece.encoded(Spelling::Json, |text| {
        let quoted = Value::from(text).to_json();
        quoted[1..quoted.len() - 1].to_owned()
    })
}

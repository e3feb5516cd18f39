//! `extract`: what of an answer becomes a variable.
//!
//! Every value is marked as the server's, so that it is never evaluated again, and what is a
//! secret by its name, by its form or by the user's word is marked before anybody sees it.

use std::sync::Arc;

use crate::ground::read::{Fields, Reading};
use crate::ground::secret::{Marked, Marks, is_jwt, is_secret_name};
use crate::ground::source::{Span, Spanned};
use crate::ground::token::{impossible, is_called_one};
use crate::ground::value::{Number, Value};
use crate::ground::yaml::{Kind, Node, Scalar};
use crate::parts::scope::{RESERVED, Scope};
use crate::parts::select::{ATTRIBUTE, Absence, Answer, Missing, Selector, WORDS, Yield, query, shown};
use crate::parts::template::{Error, Mention, Template, Tree, is_constant};

/// What may stand beside a selector.
const BESIDE: [&str; 6] = [ATTRIBUTE, "optional", "default", "secret", "type", "collect"];

/// One variable and where its value comes from.
#[derive(Debug, Clone)]
pub struct Extract {
    /// The variable.
    pub name: Spanned<Arc<str>>,
    /// Where the value comes from.
    pub from: TakenFrom,
    /// Whether nothing found is no error.
    pub optional: bool,
    /// The value where nothing was found.
    pub default: Option<Tree>,
    /// Whether it is a secret; `None`: by its name and form.
    pub secret: Option<bool>,
    /// What a text is turned into.
    pub becomes: Option<Type>,
    /// Where it says that the values of all passes of a `repeat` are joined into one list; `None`
    /// where it does not.
    pub collect: Option<Span>,
    /// Where that is written.
    pub span: Span,
    named: Named,
}

/// What the name of a variable says of its value, found out when it is read: every answer asks for it.
#[derive(Debug, Clone, Copy, Default)]
struct Named {
    secret: bool,
    token: bool,
}

impl Named {
    fn of(name: &str) -> Self {
        Self { secret: is_secret_name(name), token: is_called_one(name) }
    }
}

/// Where a value comes from.
#[derive(Debug, Clone)]
pub enum TakenFrom {
    /// It is picked out of the answer.
    Selector(Selector),
    /// It is computed by a template that sees `response`.
    Template(Template),
}

/// What a text is turned into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// A text.
    String,
    /// A whole number.
    Int,
    /// A number, whole or not.
    Number,
    /// A number with a fraction.
    Float,
    /// `true` or `false`.
    Bool,
    /// Whatever the JSON text says.
    Json,
}

/// What extracting came to.
#[derive(Debug, Clone)]
pub enum Found {
    /// The variable is set.
    Value(Marked<Value>),
    /// Nothing was found, and the variable stays as it was.
    Kept,
}

impl Extract {
    /// Reads the node under `extract`, in the order of the text; mistakes are reported.
    pub fn read_all(node: &Node, reading: &Reading) -> Option<Vec<Self>> {
        let entries = reading.entries(node, "extract")?;
        let read: Vec<_> = entries.iter().map(|(name, value)| Self::read(name, value, reading)).collect();
        read.into_iter().collect()
    }

    fn read(name: &Scalar, node: &Node, reading: &Reading) -> Option<Self> {
        let named = variable_name(name, reading);
        let read = match &node.kind {
            Kind::Scalar(_) => short(node, reading, &format!("extract.{}", name.text)),
            Kind::Map(_) | Kind::List(_) => long(node, reading, &format!("extract.{}", name.text)),
        };
        let name = named?;
        Some(Self { named: Named::of(&name.value), name, ..read? })
    }

    /// Says what an answer must yield for this.
    pub fn adds_to(&self, wanted: &mut Yield) {
        match &self.from {
            TakenFrom::Selector(selector) => wanted.add(selector),
            TakenFrom::Template(template) => {
                template.reads(&mut |mention| wanted.read_by_template(mention.path));
            }
        }
    }

    /// The names that its templates read.
    pub fn reads(&self, visit: &mut dyn FnMut(Mention<'_>)) {
        if let TakenFrom::Template(template) = &self.from {
            template.reads(visit);
        }
        if let Some(default) = &self.default {
            default.reads(visit);
        }
    }

    /// The value of the variable.
    ///
    /// # Errors
    /// Where nothing was found and that was not allowed, where the value cannot be turned into
    /// the type, or where a template cannot be evaluated.
    pub fn run(&self, answer: &Answer, scope: &Scope) -> Result<Found, Error> {
        let seeing = match scope.response() {
            Some(_) => scope.clone(),
            None => scope.with_response(answer.response()),
        };
        let found = match &self.from {
            TakenFrom::Template(template) => template.value(&seeing)?,
            TakenFrom::Selector(selector) => match selector.find(answer) {
                Ok(value) => {
                    let marks = self.marks(selector, &value);
                    Marked::new(value, marks)
                }
                Err(missing) => return self.nothing(&missing, &seeing),
            },
        };
        let mut found = self.convert(found, scope)?;
        self.mark(&mut found);
        self.refuse_impossible_token(&found.value)?;
        Ok(Found::Value(found))
    }

    /// What is called a token could be one, wherever it goes later: half of the request that follows a null
    /// would be sent without any. An object may hold the token, and is looked into.
    fn refuse_impossible_token(&self, found: &Value) -> Result<(), Error> {
        let name = &self.name.value;
        if self.secret == Some(false) || !self.named.token {
            return Ok(());
        }
        let is_picked = matches!(self.from, TakenFrom::Selector(_));
        let (why, help) = match found {
            Value::String(text) => match impossible(text) {
                Some(why) => (why, "`secret: false` says that it is no token; so does another name"),
                None => return Ok(()),
            },
            Value::Null if is_picked && !self.optional => {
                ("it is null, and a token is a text".to_owned(), "`optional: true` takes a null, too")
            }
            Value::Bool(_) | Value::Number(_) if is_picked => {
                let is = if matches!(found, Value::Bool(_)) { "true or false" } else { "a number" };
                (format!("it is {is}, and a token is a text"), "`type: string` makes a text of it")
            }
            _ => return Ok(()),
        };
        Err(Error::new(self.span, format!("cannot extract `{name}`: {why}")).help(help))
    }

    /// The user's word outranks what a selector knows of secrets.
    fn marks(&self, selector: &Selector, value: &Value) -> Marks {
        match self.secret {
            Some(false) => Marks { secret: None, from_server: true },
            // It is marked under its own name.
            None if self.named.secret => Marks { secret: None, from_server: true },
            _ => selector.marks(value),
        }
    }

    /// Marks a secret under the variable's own name. What was made with a secret stays one,
    /// whatever the user says of the variable.
    fn mark(&self, found: &mut Marked<Value>) {
        let by_name = || self.named.secret && found.value != Value::Null;
        let by_form = || found.value.as_str().is_some_and(is_jwt);
        let secret = match self.secret {
            Some(secret) => secret,
            None => found.marks.is_secret() || by_name() || by_form(),
        };
        if secret {
            found.marks.secret = Some(Arc::clone(&self.name.value));
        }
    }

    fn nothing(&self, missing: &Missing, scope: &Scope) -> Result<Found, Error> {
        let allowed = !matches!(missing.absence, Absence::Several | Absence::TooMuch);
        match &self.default {
            Some(default) if allowed => {
                let mut value = default.value(scope)?;
                self.mark(&mut value);
                Ok(Found::Value(value))
            }
            None if allowed && self.optional && (self.collect.is_some() || scope.has(&self.name.value)) => {
                Ok(Found::Kept)
            }
            None if allowed && self.optional => Ok(Found::Value(Marked::plain(Value::Null))),
            _ => Err(Error {
                message: format!("cannot extract `{}`: {}", self.name.value, missing.text(&scope.needles)),
                help: missing.help.clone(),
                span: self.span,
            }),
        }
    }

    fn convert(&self, found: Marked<Value>, scope: &Scope) -> Result<Marked<Value>, Error> {
        let Some(wanted) = self.becomes else {
            return Ok(found);
        };
        if let Some(value) = wanted.convert(&found.value) {
            return Ok(Marked::new(value, found.marks));
        }
        let mut marked = found;
        self.mark(&mut marked);
        let plain = || shown(&marked.value, 60, &scope.needles);
        Err(Error {
            message: format!(
                "cannot extract `{}`: {} is not {}",
                self.name.value,
                marked.marks.show(plain),
                wanted.describe()
            ),
            help: None,
            span: self.span,
        })
    }
}

/// Reads the name of a variable: one that a template can say, and that means nothing by itself.
pub fn variable_name(name: &Scalar, reading: &Reading) -> Option<Spanned<Arc<str>>> {
    let text = &*name.text;
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let digit = |c: char| c.is_ascii_digit();
    if text.is_empty() || !text.chars().all(word) || text.starts_with(digit) {
        let message = format!("`{text}` cannot be the name of a variable");
        let help = "a name has letters, digits and `_`, and does not begin with a digit";
        reading.error_with(name.span, message, help);
        return None;
    }
    if WORDS_OF_EXPRESSIONS.contains(&text) {
        let message = format!("`{text}` is a word of expressions and cannot be the name of a variable");
        reading.error_with(name.span, message, "choose another name for the variable");
        return None;
    }
    if RESERVED.contains(&text) || is_constant(text) {
        let message = format!("`{text}` has a meaning of its own and cannot be set");
        reading.error_with(name.span, message, "choose another name for the variable");
        return None;
    }
    Some(Spanned::new(Arc::clone(&name.text), name.span))
}

/// What minijinja reads as part of an expression: `{{ not }}` could never be asked for.
const WORDS_OF_EXPRESSIONS: [&str; 7] = ["and", "or", "not", "if", "else", "in", "is"];

/// A path that begins with `$`, or a template.
fn short(node: &Node, reading: &Reading, what: &str) -> Option<Extract> {
    let scalar = reading.text(node, what)?;
    let from = if scalar.text.starts_with('$') {
        TakenFrom::Selector(Selector::json(scalar, reading)?)
    } else if scalar.text.contains("{{") {
        TakenFrom::Template(Template::read(scalar, reading)?)
    } else {
        let message = format!("`{}` is neither a selector nor a template", scalar.text);
        let path = query::meant(&scalar.text).filter(|_| !matches!(&*scalar.text, "true" | "false"));
        let path = path.unwrap_or_else(|| "$.result.token".to_owned());
        let help = format!(
            "write a JSON path (`{path}`), a map (`{{ header: location }}`) or a template (`\"{{{{ response.status }}}}\"`)"
        );
        reading.error_with(node.span, message, help);
        return None;
    };
    Some(Extract::of(from, node.span))
}

/// A map of a selector and what stands beside it.
fn long(node: &Node, reading: &Reading, what: &str) -> Option<Extract> {
    let known: Vec<&str> = WORDS.iter().chain(&BESIDE).copied().collect();
    let fields = reading.fields(node, what, &known, &[])?;
    let selector = Selector::read_fields(&fields, &BESIDE, reading, what);
    let beside = Beside::read(&fields, reading);
    let beside = beside?;
    Some(Extract {
        optional: beside.optional,
        default: beside.default,
        secret: beside.secret,
        becomes: beside.becomes,
        collect: fields.entry("collect").filter(|_| beside.collect).map(|(key, _)| key.span),
        ..Extract::of(TakenFrom::Selector(selector?), node.span)
    })
}

struct Beside {
    optional: bool,
    default: Option<Tree>,
    secret: Option<bool>,
    becomes: Option<Type>,
    collect: bool,
}

impl Beside {
    fn read(fields: &Fields<'_>, reading: &Reading) -> Option<Self> {
        let optional = fields.optional("optional", |node| reading.truth(node, "optional"));
        let default = fields.optional("default", |node| Tree::read(node, reading));
        let secret = fields.optional("secret", |node| reading.truth(node, "secret"));
        let becomes = fields.optional("type", |node| Type::read(node, reading));
        let collect = fields.optional("collect", |node| reading.truth(node, "collect"));
        Some(Self {
            optional: optional?.unwrap_or(false),
            default: default?,
            secret: secret?,
            becomes: becomes?,
            collect: collect?.unwrap_or(false),
        })
    }
}

impl Extract {
    fn of(from: TakenFrom, span: Span) -> Self {
        Self {
            name: Spanned::new("".into(), span),
            from,
            optional: false,
            default: None,
            secret: None,
            becomes: None,
            collect: None,
            span,
            named: Named::default(),
        }
    }
}

impl Type {
    const ALL: [(&'static str, Self); 6] = [
        ("string", Self::String),
        ("int", Self::Int),
        ("number", Self::Number),
        ("float", Self::Float),
        ("bool", Self::Bool),
        ("json", Self::Json),
    ];

    fn read(node: &Node, reading: &Reading) -> Option<Self> {
        let text = &reading.text(node, "type")?.text;
        let found = Self::ALL.iter().find(|(word, _)| *word == &**text);
        if found.is_none() {
            let all = Self::ALL.map(|(word, _)| word).join(", ");
            let message = format!("`type` knows no `{text}`");
            reading.error_with(node.span, message, format!("write one of {all}"));
        }
        found.map(|(_, becomes)| *becomes)
    }

    const fn describe(self) -> &'static str {
        match self {
            Self::String => "a text",
            Self::Int => "a whole number",
            Self::Number | Self::Float => "a number",
            Self::Bool => "true or false",
            Self::Json => "JSON",
        }
    }

    /// The value as this type; `None` where it cannot be that. Null is nothing but JSON.
    #[must_use]
    pub fn convert(self, value: &Value) -> Option<Value> {
        let text = value.as_str().map(str::trim);
        match (self, value) {
            (Self::Json, Value::String(text)) => Value::from_json(text.as_bytes()).ok(),
            (Self::Json, other) => Some(other.clone()),
            (Self::String, Value::Null) => None,
            (Self::String, other) => Some(other.to_text().into()),
            (Self::Int, Value::Number(number)) => whole(number),
            (Self::Int, _) => text?.parse().ok().as_ref().and_then(whole),
            (Self::Number, Value::Number(_)) | (Self::Bool, Value::Bool(_)) => Some(value.clone()),
            (Self::Number, _) => text?.parse().ok().map(Value::Number),
            (Self::Float, Value::Number(number)) => number.as_f64().map(Value::from),
            (Self::Float, _) => text?.parse::<Number>().ok()?.as_f64().map(Value::from),
            (Self::Bool, _) => text?.parse::<bool>().ok().map(Value::from),
        }
    }
}

/// `2.0` is whole, `2.5` is not; nor is what no 64 bits hold exactly.
fn whole(number: &Number) -> Option<Value> {
    if !number.is_f64() {
        return Some(Value::Number(number.clone()));
    }
    let text = format!("{:.0}", number.as_f64()?);
    let whole: i64 = text.parse().ok()?;
    Value::from(whole).same(&Value::Number(number.clone())).then(|| whole.into())
}

#[cfg(test)]
mod tests;

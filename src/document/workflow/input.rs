//! An input: what the caller gives, and where it comes from when the caller does not.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use crate::ground::diagnostic::did_you_mean;
use crate::ground::read::Reading;
use crate::ground::secret::is_secret_name;
use crate::ground::source::Spanned;
use crate::ground::value::Value;
use crate::ground::yaml::{Kind as NodeKind, Node, Scalar, Style};

const KEYS: [&str; 7] = ["default", "env", "file", "secret", "type", "required", "description"];
const LATER: [&str; 2] = ["command", "choices"];
const TYPES: [&str; 5] = ["string", "int", "float", "bool", "json"];

/// `name: value`, or `name: { default, env, file, … }`.
#[derive(Clone)]
pub struct Input {
    /// Its name.
    pub name: Spanned<Arc<str>>,
    /// Its value where nothing else gives one.
    pub default: Option<Value>,
    /// The environment variable that may give it.
    pub env: Option<Arc<str>>,
    /// The file that may give it, resolved against the workflow's folder.
    pub file: Option<PathBuf>,
    /// Whether it is never shown.
    pub secret: bool,
    /// What its text is read as.
    pub kind: Kind,
    /// Whether it must be given. Without a default, one that need not be is null.
    pub required: bool,
    /// What it is for.
    pub description: Option<Arc<str>>,
}

impl fmt::Debug for Input {
    /// Not the default: it may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Input")
            .field("name", &self.name.value)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// What an input's text is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    String,
    /// A whole number.
    Int,
    /// Any number.
    Float,
    /// `true` or `false`.
    Bool,
    /// A JSON document.
    Json,
}

impl Kind {
    /// Reads a text that came from outside.
    ///
    /// # Errors
    /// What the text is not.
    pub fn read(self, text: &str) -> Result<Value, String> {
        let trimmed = text.trim();
        match self {
            Self::String => Ok(text.into()),
            Self::Int => {
                trimmed.parse::<i64>().map(Value::from).map_err(|_| "is not a whole number".to_owned())
            }
            Self::Float => match trimmed.parse::<f64>() {
                Ok(number) if number.is_finite() => Ok(number.into()),
                _ => Err("is not a number".to_owned()),
            },
            Self::Bool => match trimmed {
                "true" => Ok(true.into()),
                "false" => Ok(false.into()),
                _ => Err("is not true or false".to_owned()),
            },
            Self::Json => {
                Value::from_json(trimmed.as_bytes()).map_err(|error| format!("is not JSON: {error}"))
            }
        }
    }

    /// The type of a default decides the input's.
    fn of(value: &Value) -> Self {
        match value {
            Value::Bool(_) => Self::Bool,
            Value::Number(number) if number.is_f64() => Self::Float,
            Value::Number(_) => Self::Int,
            Value::List(_) | Value::Object(_) => Self::Json,
            Value::String(_) | Value::Null => Self::String,
        }
    }
}

impl Input {
    /// Reads an entry of `inputs:`; mistakes are reported.
    pub fn read(name: &Scalar, node: &Node, reading: &Reading) -> Option<Self> {
        let spanned = Spanned::new(Arc::clone(&name.text), name.span);
        let secret = is_secret_name(&name.text);
        hide_literal(node, secret, reading);
        let mut input = Self {
            secret,
            name: spanned,
            default: None,
            env: None,
            file: None,
            kind: Kind::String,
            required: true,
            description: None,
        };
        match &node.kind {
            NodeKind::Map(_) => input.read_fields(node, reading)?,
            NodeKind::Scalar(scalar) if scalar.is_empty() => {}
            _ => input.read_default(node, reading)?,
        }
        Some(input)
    }

    fn read_fields(&mut self, node: &Node, reading: &Reading) -> Option<()> {
        let what = format!("inputs.{}", self.name.value);
        let fields = reading.fields(node, &what, &KEYS, &LATER)?;
        if let Some(default) = fields.get("default") {
            self.read_default(default, reading)?;
        }
        if let Some(kind) = fields.get("type") {
            self.read_type(kind, reading)?;
        }
        let text = |key: &str| {
            fields.get(key).and_then(|node| reading.text(node, key)).map(|scalar| Arc::clone(&scalar.text))
        };
        self.env = text("env");
        self.file = text("file").map(|file| reading.source.beside(&file));
        self.description = text("description");
        if let Some(secret) = fields.get("secret") {
            self.secret = reading.truth(secret, "secret")?;
        }
        if let Some(required) = fields.get("required") {
            self.required = reading.truth(required, "required")?;
        }
        Some(())
    }

    fn read_default(&mut self, node: &Node, reading: &Reading) -> Option<()> {
        if let Some(scalar) = node.scalar()
            && scalar.text.contains("{{")
        {
            reading.error_with(node.span, "an input's default is not a template", "derive it under `vars`");
            return None;
        }
        let value = exact(node);
        self.kind = Kind::of(&value);
        self.default = Some(value);
        Some(())
    }

    fn read_type(&mut self, node: &Node, reading: &Reading) -> Option<()> {
        let word = reading.text(node, "type")?;
        if &*word.text == "csv" {
            let help = "it is part of the language, but this version cannot run it";
            reading.error_with(word.span, "`type: csv` is not supported yet", help);
            return None;
        }
        if !TYPES.contains(&&*word.text) {
            let help = did_you_mean(&word.text, TYPES)
                .unwrap_or_else(|| format!("write one of {}", TYPES.join(", ")));
            reading.error_with(word.span, format!("`type` knows no `{}`", word.text), help);
            return None;
        }
        self.kind = match &*word.text {
            "int" => Kind::Int,
            "float" => Kind::Float,
            "bool" => Kind::Bool,
            "json" => Kind::Json,
            _ => Kind::String,
        };
        let Some(default) = &self.default else { return Some(()) };
        let document = self.kind == Kind::Json && default.as_str().is_none();
        let fits = document || Kind::of(default) == self.kind || *default == Value::Null;
        if !fits {
            match self.kind.read(&default.to_text()) {
                Ok(value) => self.default = Some(value),
                Err(why) => {
                    reading.error(node.span, format!("the default of `{}` {why}", self.name.value));
                    return None;
                }
            }
        }
        Some(())
    }
}

/// Keeps the literal default of a secret out of every excerpt: before anything of it is read,
/// since that may already have to be told.
fn hide_literal(node: &Node, secret_by_name: bool, reading: &Reading) {
    let said = node.get("secret").and_then(Node::scalar).map(|said| &*said.text == "true");
    let default = match &node.kind {
        NodeKind::Map(_) => node.get("default"),
        _ => Some(node),
    };
    if let Some(default) = default
        && said.unwrap_or(secret_by_name)
        && default.to_value() != Value::Null
    {
        reading.source.hide(default.span);
    }
}

/// A value whose numbers print again as they were typed; `1.10` is a text.
fn exact(node: &Node) -> Value {
    let NodeKind::Scalar(scalar) = &node.kind else { return node.to_value() };
    match scalar.resolve() {
        Value::Number(number) if scalar.style == Style::Plain && number.to_string() != *scalar.text => {
            Value::String(Arc::clone(&scalar.text))
        }
        value => value,
    }
}

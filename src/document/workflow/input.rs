//! An input: what the caller gives, and where it comes from when the caller does not.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use crate::document::rows;
use crate::document::workflow::command::Command;
use crate::ground::diagnostic::{Diagnostic, did_you_mean};
use crate::ground::file;
use crate::ground::read::Reading;
use crate::ground::secret::{Marked, Marks, is_secret_name};
use crate::ground::source::{Span, Spanned};
use crate::ground::value::Value;
use crate::ground::yaml::{Kind as NodeKind, Node, Scalar, Style};

const KEYS: [&str; 9] =
    ["default", "env", "file", "command", "secret", "type", "required", "description", "choices"];
const TYPES: [&str; 6] = ["string", "int", "float", "bool", "json", "csv"];

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
    /// The command whose output may give it.
    pub command: Option<Command>,
    /// The values that it may have; any where there is none.
    pub choices: Vec<Value>,
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
    /// A table of CSV: a list of objects, the columns by name.
    Csv,
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
            Self::Csv => rows::from_csv(text),
        }
    }

    /// Takes a value that came with a type of its own: from a row of JSON, or from YAML.
    ///
    /// # Errors
    /// What the value is not.
    pub fn accept(self, value: &Value) -> Result<Value, String> {
        match (self, value) {
            (_, Value::Null) => Ok(Value::Null),
            (_, Value::String(text)) => self.read(text),
            (Self::Json, _) => Ok(value.clone()),
            (Self::Csv, Value::List(rows)) if rows.iter().all(|row| row.as_object().is_some()) => {
                Ok(value.clone())
            }
            (Self::Csv, _) => Err("is not a list of objects".to_owned()),
            (_, Value::List(_)) => Err("is a list; only `type: json` takes one".to_owned()),
            (_, Value::Object(_)) => Err("is an object; only `type: json` takes one".to_owned()),
            (_, plain) if Self::of(plain) == self => Ok(plain.clone()),
            (_, plain) => self.read(&plain.to_text()),
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
    /// A value that another workflow gives: one of its type and its choices, a secret where it is
    /// declared as one.
    ///
    /// # Errors
    /// What the value is not.
    pub fn take(&self, given: Marked<Value>) -> Result<Marked<Value>, String> {
        let Marked { value, mut marks } = given;
        let value = match value {
            Value::Null if !self.required => Value::Null,
            Value::Null => return Err("is required, and null is no value for it".to_owned()),
            // Within a run values have types already, and an input that names none takes any.
            value if self.kind == Kind::String => value,
            value => self.kind.accept(&value)?,
        };
        let hidden = self.secret || marks.is_secret();
        self.refuse_choice(&value, hidden).map_err(|(why, help)| format!("{why} ({help})"))?;
        if self.secret {
            marks.join(&Marks::secret(Arc::clone(&self.name.value)));
        }
        Ok(Marked::new(value, marks))
    }

    /// Whether its value is not at hand: it comes from outside, or must be given.
    #[must_use]
    pub const fn is_looked_for(&self) -> bool {
        let has_sources = self.env.is_some() || self.file.is_some() || self.command.is_some();
        has_sources || (self.default.is_none() && self.required)
    }

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
            command: None,
            choices: Vec::new(),
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
        let fields = reading.fields(node, &what, &KEYS, &[])?;
        if let Some(default) = fields.get("default") {
            self.read_default(default, reading)?;
        }
        if let Some(kind) = fields.get("type") {
            let default = fields.get("default").map_or(kind.span, |default| default.span);
            self.read_type(kind, default, reading)?;
        }
        let text = |key: &str| {
            fields.get(key).and_then(|node| reading.text(node, key)).map(|scalar| Arc::clone(&scalar.text))
        };
        self.env = fields.get("env").and_then(|node| read_env(node, reading));
        self.file = fields.get("file").and_then(|node| read_file(node, reading));
        self.description = text("description");
        let command = fields.optional("command", |node| Command::read(node, reading));
        if let Some(secret) = fields.get("secret") {
            self.secret = reading.truth(secret, "secret")?;
        }
        if let Some(required) = fields.get("required") {
            self.required = reading.truth(required, "required")?;
        }
        self.command = command?;
        fields.get("choices").map_or(Some(()), |choices| {
            let default = fields.get("default").map_or(choices.span, |default| default.span);
            self.read_choices(choices, default, reading)
        })
    }

    /// The values are typed as the input, and the default must be one of them.
    fn read_choices(&mut self, node: &Node, default: Span, reading: &Reading) -> Option<()> {
        let nodes = reading.list(node, "choices")?;
        if nodes.is_empty() {
            reading.error_with(node.span, "`choices` is empty", "list the values that are right");
            return None;
        }
        let read = |node: &Node| {
            if node.scalar().is_some_and(Scalar::is_empty) {
                reading.empty(node.span, "choices");
                return None;
            }
            match self.kind.accept(&exact(node)) {
                Ok(value) => Some(value),
                Err(why) => {
                    reading.error(node.span, format!("a choice of `{}` {why}", self.name.value));
                    None
                }
            }
        };
        let choices: Vec<_> = nodes.iter().map(read).collect();
        self.choices = choices.into_iter().collect::<Option<_>>()?;
        if let Some(value) = &self.default
            && let Err((why, help)) = self.refuse_choice(value, self.secret)
        {
            let message = format!("the default of `{}` {why}", self.name.value);
            reading.error_with(default, message, help);
            return None;
        }
        Some(())
    }

    /// Refuses a value that is none of the choices, where there are choices: what is wrong, and what
    /// would be right. Neither shows a secret.
    ///
    /// # Errors
    /// What to tell.
    pub fn refuse_choice(&self, value: &Value, is_secret: bool) -> Result<(), (String, String)> {
        let unset = *value == Value::Null && !self.required;
        if unset || self.choices.is_empty() || self.choices.iter().any(|choice| choice.same(value)) {
            return Ok(());
        }
        if is_secret {
            let help = "it is a secret, so that neither is shown; `choices` stands in the workflow";
            return Err(("is none of its choices".to_owned(), help.to_owned()));
        }
        let texts: Vec<String> = self.choices.iter().map(Value::to_text).collect();
        let given = value.to_text();
        let list = format!("its choices are {}", texts.join(", "));
        let near = did_you_mean(&given, texts.iter().map(String::as_str));
        let help = near.map_or_else(|| list.clone(), |near| format!("{near} {list}"));
        Err((format!("is `{given}`, which is none of its choices"), help))
    }

    fn read_default(&mut self, node: &Node, reading: &Reading) -> Option<()> {
        if let Some(scalar) = node.scalar()
            && scalar.text.contains("{{")
        {
            reading.error_with(node.span, "an input's default is not a template", "derive it under `vars`");
            return None;
        }
        if let Some(name) = node.scalar().and_then(|scalar| shell_variable(&scalar.text)) {
            let message = "this default is taken as it stands: no variable of the environment is read";
            let problem = Diagnostic::warning(message).at(&reading.source, node.span);
            let help = format!("write `{}: {{ env: {name} }}`", self.name.value);
            reading.report(problem.maybe_help((!self.secret).then_some(help)));
        }
        let value = exact(node);
        self.kind = Kind::of(&value);
        self.default = Some(value);
        Some(())
    }

    fn read_type(&mut self, node: &Node, at: Span, reading: &Reading) -> Option<()> {
        let word = reading.text(node, "type")?;
        if !TYPES.contains(&&*word.text) {
            let help = type_elsewhere(&word.text)
                .map(str::to_owned)
                .or_else(|| did_you_mean(&word.text, TYPES))
                .unwrap_or_else(|| format!("write one of {}", TYPES.join(", ")));
            reading.error_with(word.span, format!("`type` knows no `{}`", word.text), help);
            return None;
        }
        self.kind = match &*word.text {
            "int" => Kind::Int,
            "float" => Kind::Float,
            "bool" => Kind::Bool,
            "json" => Kind::Json,
            "csv" => Kind::Csv,
            _ => Kind::String,
        };
        let Some(default) = &self.default else { return Some(()) };
        let is_path = |text: &str| !text.contains(['\n', ',']) && text.to_ascii_lowercase().ends_with(".csv");
        if self.kind == Kind::Csv && default.as_str().is_some_and(is_path) {
            let help = format!("write `file: {}`; `default` holds the rows themselves", default.to_text());
            let message = format!("the default of `{}` is the name of a file, not rows", self.name.value);
            reading.error_with(at, message, help);
            return None;
        }
        match self.kind.accept(default) {
            Ok(value) => self.default = Some(value),
            Err(why) => {
                reading.error(at, format!("the default of `{}` {why}", self.name.value));
                return None;
            }
        }
        Some(())
    }
}

/// Keeps the literal default of a secret out of every excerpt: before anything of it is read,
/// since that may already have to be told.
fn hide_literal(node: &Node, secret_by_name: bool, reading: &Reading) {
    let said = node.get("secret").and_then(Node::scalar).map(|said| &*said.text == "true");
    let choices = match node.get("choices").map(|choices| &choices.kind) {
        Some(NodeKind::List(choices)) => choices.as_slice(),
        _ => &[],
    };
    if said.unwrap_or(secret_by_name) {
        reading.hide_literals(node, "default", &KEYS);
        for choice in choices {
            reading.hide_literals(choice, "default", &KEYS);
        }
    }
}

/// The file that gives a value. It need not be there: `--input` may give the value as well.
fn read_file(node: &Node, reading: &Reading) -> Option<PathBuf> {
    let scalar = reading.text(node, "file")?;
    let path = reading.source.beside(&scalar.text);
    match file::open(&path, u64::MAX) {
        Err(refused) if !refused.is_missing() => {
            reading.error(scalar.span, format!("`{}` {}", scalar.text, refused.about()));
            return None;
        }
        _ => reading.warn_outside(&path, scalar, "read"),
    }
    Some(path)
}

/// The name of an environment variable.
fn read_env(node: &Node, reading: &Reading) -> Option<Arc<str>> {
    let scalar = reading.text(node, "env")?;
    let name = scalar.text.trim_matches(['$', '{', '}', '%', ' ']);
    if scalar.text.starts_with(['$', '%', '{']) || scalar.text.contains(['=', ' ']) {
        let message = format!("`{}` cannot be the name of an environment variable", scalar.text);
        let named = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let help = if named {
            format!("write the name alone: `env: {name}`")
        } else {
            "write one name: `env: API_TOKEN`".to_owned()
        };
        reading.error_with(node.span, message, help);
        return None;
    }
    Some(Arc::clone(&scalar.text))
}

/// The name in `$NAME` or `${NAME}`, where that is all.
fn shell_variable(text: &str) -> Option<&str> {
    let rest = text.strip_prefix('$')?;
    let name = rest.strip_prefix('{').map_or(Some(rest), |rest| rest.strip_suffix('}'))?;
    let fits = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    (name.starts_with(|c: char| c.is_ascii_uppercase()) && name.bytes().all(fits)).then_some(name)
}

/// What other languages call a type.
fn type_elsewhere(word: &str) -> Option<&'static str> {
    Some(match word {
        "text" | "str" | "url" => "the word for it here is `string`",
        "integer" => "the word for it here is `int`",
        "number" | "double" => "write `int`, or `float` for one with a fraction",
        "boolean" => "the word for it here is `bool`",
        "list" | "array" | "object" | "map" | "yaml" => "the word for it here is `json`",
        "secret" | "password" => "write `secret: true`; the type says what kind of value it is",
        _ => return None,
    })
}

/// A value whose numbers print again as they were typed; `1.10` is a text.
#[must_use]
pub fn exact(node: &Node) -> Value {
    let NodeKind::Scalar(scalar) = &node.kind else { return node.to_value() };
    match scalar.resolve() {
        Value::Number(number) if scalar.style == Style::Plain && number.to_string() != *scalar.text => {
            Value::String(Arc::clone(&scalar.text))
        }
        value => value,
    }
}

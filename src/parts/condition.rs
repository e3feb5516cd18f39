//! Conditions: `when`, `until` and `fail_if`, expressions that are true or false and nothing else.
//!
//! What is merely empty or zero is no answer to a question of yes or no: it is told, not guessed.

use std::fmt;

use crate::ground::read::Reading;
use crate::ground::secret::Marked;
use crate::ground::source::Span;
use crate::ground::value::Value;
use crate::ground::yaml::Node;
use crate::parts::scope::Scope;
use crate::parts::template::{Error, Mention, Template, shown};

/// An expression that must be true or false.
#[derive(Debug, Clone)]
pub struct Condition {
    key: &'static str,
    template: Template,
}

impl Condition {
    /// Reads the condition under `key`; mistakes are reported.
    pub fn read(key: &'static str, node: &Node, reading: &Reading) -> Option<Self> {
        let scalar = reading.text(node, key)?;
        if !scalar.text.contains("{{") && !matches!(&*scalar.text, "true" | "false") {
            let message = format!("`{key}` is an expression that is true or false");
            reading.error_with(node.span, message, format!("write \"{{{{ {} }}}}\"", scalar.text));
            return None;
        }
        let template = Template::read(scalar, reading)?;
        if scalar.text.contains("{{") && !template.is_one_expression() {
            let message = format!("`{key}` is one expression, and here text stands beside it");
            reading.error_with(node.span, message, "put all of it in one pair of braces: \"{{ a and b }}\"");
            return None;
        }
        Some(Self { key, template })
    }

    /// Whether it holds.
    ///
    /// # Errors
    /// Where it cannot be evaluated, or is neither true nor false.
    pub fn holds(&self, scope: &Scope) -> Result<bool, Error> {
        let found = self.template.value(scope)?;
        match &found.value {
            Value::Bool(truth) => Ok(*truth),
            Value::String(text) if &**text == "true" => Ok(true),
            Value::String(text) if &**text == "false" => Ok(false),
            other => Err(self.neither(&Marked::new(other.clone(), found.marks.clone()))),
        }
    }

    fn neither(&self, found: &Marked<Value>) -> Error {
        let kind = found.value.type_name();
        let message = format!("`{}` is neither true nor false, but {kind} {}", self.key, shown(found));
        Error::new(self.template.span(), message).help("compare it: `{{ x == 1 }}`, `{{ x is defined }}`")
    }

    /// Where it stands.
    #[must_use]
    pub const fn span(&self) -> Span {
        self.template.span()
    }

    /// Tells every name that it reads, and where.
    pub fn reads(&self, visit: &mut dyn FnMut(Mention<'_>)) {
        self.template.reads(visit);
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.template.source())
    }
}

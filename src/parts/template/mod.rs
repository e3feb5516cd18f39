//! Templates: `{{ expression }}` in a text, and nothing else.

use std::sync::Arc;

use crate::ground::read::Reading;
use crate::ground::secret::Marked;
use crate::ground::source::Span;
use crate::ground::value::Value;
use crate::ground::yaml::{Node, Scalar};
use crate::parts::scope::Scope;

/// What went wrong while a template was evaluated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// What.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// Where, in the workflow's text.
    pub span: Span,
}

/// A text with expressions in it.
#[derive(Debug, Clone)]
pub struct Template {}

impl Template {
    /// Reads a scalar; mistakes are reported.
    pub fn read(_scalar: &Scalar, _reading: &Reading) -> Option<Self> {
        todo!()
    }

    /// The value: a template that is exactly one expression keeps its type.
    pub fn value(&self, _scope: &Scope) -> Result<Marked<Value>, Error> {
        todo!()
    }

    /// The text.
    pub fn text(&self, _scope: &Scope) -> Result<Marked<String>, Error> {
        todo!()
    }

    /// The text as people may see it.
    pub fn shown(&self, _scope: &Scope) -> Result<String, Error> {
        todo!()
    }

    /// Where it stands.
    pub fn span(&self) -> Span {
        todo!()
    }

    /// The names that it reads.
    pub fn reads(&self, _visit: &mut dyn FnMut(&str, Span)) {}
}

/// Plain values with templates in their leaves, such as a JSON body or the value of a predicate.
#[derive(Debug, Clone)]
pub enum Tree {
    /// No template inside.
    Plain(Value),
    /// A text with a template.
    Template(Template),
    /// A list.
    List(Vec<Tree>),
    /// An object.
    Object(Vec<(Arc<str>, Tree)>),
}

impl Tree {
    /// Reads a node; mistakes are reported.
    pub fn read(_node: &Node, _reading: &Reading) -> Option<Self> {
        todo!()
    }

    /// The value, with the marks of all that went into it.
    pub fn value(&self, _scope: &Scope) -> Result<Marked<Value>, Error> {
        todo!()
    }

    /// The value as people may see it: what was made with a secret is a pseudonym.
    pub fn shown(&self, _scope: &Scope) -> Result<Value, Error> {
        todo!()
    }

    /// The names that it reads.
    pub fn reads(&self, _visit: &mut dyn FnMut(&str, Span)) {}
}

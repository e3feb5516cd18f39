//! `tls.insecure`: whether anybody is trusted. The user says so, here or by an input; no server does.

use crate::ground::read::Reading;
use crate::ground::source::Span;
use crate::ground::value::Value;
use crate::ground::yaml::Node;
use crate::parts::scope::Scope;
use crate::parts::template::{Error, Mention, Tree};

/// True or false, or a template that says which.
#[derive(Debug)]
pub(super) struct Insecure {
    tree: Tree,
    span: Span,
}

impl Insecure {
    /// Reads it; mistakes are reported.
    pub(super) fn read(node: &Node, reading: &Reading) -> Option<Self> {
        let is_template = node.scalar().is_some_and(|scalar| scalar.text.contains("{{"));
        let tree = if is_template {
            Tree::read(node, reading)
        } else {
            reading.truth(node, "insecure").map(|truth| Tree::Plain(truth.into()))
        };
        Some(Self { tree: tree?, span: node.span })
    }

    /// Whether it is so; a null is as good as nothing.
    ///
    /// # Errors
    /// Where it is neither true nor false, or a server had a say in it.
    pub(super) fn holds(&self, scope: &Scope) -> Result<bool, Error> {
        let found = self.tree.value(scope)?;
        if found.marks.from_server {
            let message =
                "a server had a say in `insecure`, and none may choose that its certificate is not checked";
            return Err(Error::new(self.span, message).help("write true or false, or take it from an input"));
        }
        match found.value {
            Value::Null => Ok(false),
            Value::Bool(truth) => Ok(truth),
            other => {
                let message = format!("`insecure` must be true or false, not {}", other.type_name());
                Err(Error::new(self.span, message))
            }
        }
    }

    /// Tells every name that its template reads, and where.
    pub(super) fn reads(&self, visit: &mut dyn FnMut(Mention<'_>)) {
        self.tree.reads(visit);
    }
}

//! A part of a credential: a template whose value is a secret by its place.

use std::sync::Arc;

use crate::ground::read::Reading;
use crate::ground::secret::{Marked, Marks};
use crate::ground::source::Span;
use crate::ground::value::Value;
use crate::ground::yaml::{Kind, Node};
use crate::parts::scope::Scope;
use crate::parts::template::{Error, Secret, Sketched, Sketcher, Tree};

/// A templated part of a credential, and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) tree: Tree,
    pub(super) span: Span,
}

impl Part {
    /// Reads the node under `what`; mistakes are reported.
    pub(super) fn read(node: &Node, what: &str, reading: &Reading) -> Option<Self> {
        if !matches!(node.kind, Kind::Scalar(_)) {
            reading.scalar(node, what);
            return None;
        }
        // A literal credential is no safer in a message than one that a server sent.
        let literal = node.scalar().is_some_and(|scalar| !scalar.is_empty() && !scalar.text.contains("{{"));
        if literal && !["username", "region", "service"].contains(&what) {
            reading.source.hide(node.span);
        }
        // A password of digits is a text: what is plain is taken as it was typed.
        let tree = match Tree::read(node, reading)? {
            Tree::Plain(Value::Null) => Tree::Plain(Value::Null),
            Tree::Plain(_) => Tree::Plain(Value::String(Arc::clone(&node.scalar()?.text))),
            templated => templated,
        };
        Some(Self { tree, span: node.span })
    }

    /// The text and its marks; `None` for a null that nobody but the user chose. Whatever a credential
    /// is made of is a secret by the name of its place.
    pub(super) fn text(&self, scope: &Scope, name: &str) -> Result<Option<Marked<String>>, Error> {
        let found = self.tree.value(scope)?;
        if found.value == Value::Null && found.marks.from_server {
            let message = format!("the `{name}` of this credential is null, and an answer gave it");
            let error = Error::new(self.span, format!("{message}: the request would go without it"));
            return Err(error.help("an `extract` with `type: string` refuses null where it comes from"));
        }
        if found.value == Value::Null {
            return Ok(None);
        }
        let mut marks = found.marks;
        let text = found.value.to_text();
        // What is a secret already was learnt when it became one.
        if !marks.is_secret() {
            let name: Arc<str> = name.into();
            scope.needles.learn(&name, &text);
            marks.join(&Marks::secret(name));
        }
        Ok(Some(Marked::new(text, marks)))
    }

    /// A secret by its name, or that of its place; `None` for null.
    pub(super) fn sketch(&self, sketcher: &Sketcher<'_>, name: &str) -> Option<Vec<Sketched>> {
        let pieces = self.tree.sketch_values(sketcher).concat();
        if pieces.is_empty() {
            return None;
        }
        let secret = |piece| match piece {
            Sketched::Text(text) => Sketched::Secret(Secret::new(name, text)),
            piece => piece,
        };
        let text = |piece: &Sketched| match piece {
            Sketched::Text(text) => Some(text.clone()),
            _ => None,
        };
        // A literal is a secret by its place, and so may not be shown elsewhere either.
        if let Some(literal) = pieces.iter().map(text).collect::<Option<String>>() {
            let name: Arc<str> = name.into();
            sketcher.scope().needles.learn(&name, &literal);
            return Some(vec![Sketched::Secret(Secret::new(name, literal))]);
        }
        Some(pieces.into_iter().map(secret).collect())
    }
}

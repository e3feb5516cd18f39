//! `for_each`: a step once for each element of a list.

use std::sync::Arc;

use crate::ground::read::Reading;
use crate::ground::secret::{Marked, Marks};
use crate::ground::source::{Span, Spanned};
use crate::ground::value::Value;
use crate::ground::yaml::{Kind, Node, Scalar};
use crate::parts::extract::variable_name;
use crate::parts::scope::Scope;
use crate::parts::template::{Error, Mention, Tree};

/// `for_each: { user: "{{ users }}" }`.
#[derive(Debug, Clone)]
pub struct ForEach {
    /// The variable that stands for each element in turn.
    pub name: Spanned<Arc<str>>,
    list: Tree,
    span: Span,
}

impl ForEach {
    /// Reads the node under `for_each`; mistakes are reported.
    pub fn read(node: &Node, reading: &Reading) -> Option<Self> {
        const SHAPE: &str = "name the element and give the list: `for_each: { user: \"{{ users }}\" }`";
        if node.scalar().is_some_and(Scalar::is_empty) {
            reading.empty(node.span, "for_each");
            return None;
        }
        let Kind::Map(entries) = &node.kind else {
            let message = format!("`for_each` must be a map, not {}", node.describe());
            let template = node.scalar().filter(|scalar| scalar.text.starts_with("{{"));
            let help = template.map(|scalar| {
                format!("give the element a name: `for_each: {{ item: \"{}\" }}`", scalar.text)
            });
            reading.error_with(node.span, message, help.as_deref().unwrap_or(SHAPE));
            return None;
        };
        let [(name, value)] = entries.as_slice() else {
            reading.error_with(node.span, "`for_each` goes through one list", SHAPE);
            return None;
        };
        let name = variable_name(name, reading);
        let is_list = match &value.kind {
            Kind::List(_) => true,
            Kind::Scalar(scalar) => scalar.text.contains("{{"),
            Kind::Map(_) => false,
        };
        if !is_list {
            let message = format!("`for_each` goes through a list, not {}", value.describe());
            let named = value.scalar().filter(|scalar| is_word(&scalar.text));
            let help = named.map(|scalar| format!("write a template: \"{{{{ {} }}}}\"", scalar.text));
            reading.error_with(value.span, message, help.as_deref().unwrap_or(SHAPE));
            return None;
        }
        Some(Self { list: Tree::read(value, reading)?, name: name?, span: value.span })
    }

    /// The elements, each with the marks of the list.
    ///
    /// # Errors
    /// Where the list cannot be evaluated, or is none.
    pub fn elements(&self, scope: &Scope) -> Result<Vec<Marked<Value>>, Error> {
        let Marked { value, marks } = self.list.value(scope)?;
        match &value {
            Value::List(elements) => {
                Ok(elements.iter().map(|element| Marked::new(element.clone(), marks.clone())).collect())
            }
            other => {
                let message = format!("`for_each` goes through a list, and this is {}", other.type_name());
                let help = match other {
                    Value::Object(_) => "the values of an object are `{{ x | list }}` or `{{ x | items }}`",
                    _ => "did the answer hold a list there? `json_all` always gives one",
                };
                Err(Error::new(self.span, message).help(help))
            }
        }
    }

    /// The list as it was written, where it is one template.
    #[must_use]
    pub fn written(&self) -> String {
        match &self.list {
            Tree::Template(template) => template.source().to_owned(),
            _ => "a list".to_owned(),
        }
    }

    /// Tells every name that the list reads, and where.
    pub fn reads(&self, visit: &mut dyn FnMut(Mention<'_>)) {
        self.list.reads(visit);
    }
}

/// Whether a text may be meant as the name of a variable.
fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && !text.contains(|c: char| !c.is_ascii_alphanumeric() && c != '_')
}

/// What the turns of a step extracted under one name, as one list.
#[must_use]
pub fn joined(values: Vec<Marked<Value>>) -> Marked<Value> {
    let mut marks = Marks::NONE;
    let elements: Vec<Value> = values
        .into_iter()
        .map(|found| {
            marks.join(&found.marks);
            found.value
        })
        .collect();
    Marked::new(elements.into(), marks)
}

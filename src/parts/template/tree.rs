//! Plain values with templates in their leaves: a JSON body, the value of a predicate, a default.

use std::fmt;
use std::sync::Arc;

use crate::ground::read::Reading;
use crate::ground::secret::{Marked, Marks, masked, pseudonym};
use crate::ground::value::{Map, Value};
use crate::ground::yaml::{Kind, Node};
use crate::parts::scope::Scope;
use crate::parts::template::{Error, Mention, Template, elsewhere};

/// A value whose texts may be templates. What has none inside is one plain value.
#[derive(Clone)]
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

impl fmt::Debug for Tree {
    /// Not the text: a user may have written a secret as it is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(value) => write!(f, "{}", value.type_name()),
            Self::Template(_) => f.write_str("template"),
            Self::List(elements) => f.debug_list().entries(elements).finish(),
            Self::Object(members) => {
                f.debug_map().entries(members.iter().map(|(name, tree)| (name, tree))).finish()
            }
        }
    }
}

impl Tree {
    /// Reads a node; mistakes are reported.
    pub fn read(node: &Node, reading: &Reading) -> Option<Self> {
        match &node.kind {
            Kind::Scalar(scalar) if scalar.is_empty() => {
                reading.error_with(
                    node.span,
                    "there is no value here",
                    "write `null` or `\"\"` if that is meant",
                );
                None
            }
            Kind::Scalar(scalar) if scalar.text.contains("{{") => {
                Template::read(scalar, reading).map(Self::Template)
            }
            Kind::Scalar(scalar) => {
                elsewhere::look(scalar, 0..scalar.text.len(), reading)?;
                Some(Self::Plain(scalar.resolve()))
            }
            Kind::List(elements) => {
                let elements: Vec<_> = elements.iter().map(|element| Self::read(element, reading)).collect();
                elements.into_iter().collect::<Option<_>>().map(Self::of_list)
            }
            Kind::Map(entries) => {
                let entries: Vec<_> = entries
                    .iter()
                    .map(|(key, value)| Some((Arc::clone(&key.text), Self::read(value, reading)?)))
                    .collect();
                entries.into_iter().collect::<Option<_>>().map(Self::of_object)
            }
        }
    }

    fn of_list(elements: Vec<Self>) -> Self {
        let plain: Option<Vec<Value>> = elements.iter().map(|element| element.as_plain().cloned()).collect();
        plain.map_or(Self::List(elements), |plain| Self::Plain(plain.into()))
    }

    fn of_object(entries: Vec<(Arc<str>, Self)>) -> Self {
        let plain: Option<Map> =
            entries.iter().map(|(key, value)| Some((Arc::clone(key), value.as_plain()?.clone()))).collect();
        plain.map_or(Self::Object(entries), |plain| Self::Plain(plain.into()))
    }

    /// The value, where there is no template inside.
    #[must_use]
    pub const fn as_plain(&self) -> Option<&Value> {
        match self {
            Self::Plain(value) => Some(value),
            _ => None,
        }
    }

    /// The value, with the marks of all that went into it.
    ///
    /// # Errors
    /// As [`Template::value`].
    pub fn value(&self, scope: &Scope) -> Result<Marked<Value>, Error> {
        let mut marks = Marks::NONE;
        let value = self.build(scope, &mut |found| {
            marks.join(&found.marks);
            found.value
        })?;
        Ok(Marked::new(value, marks))
    }

    /// The value as people may see it: what was made with a secret is a pseudonym.
    ///
    /// # Errors
    /// As [`Template::value`].
    pub fn shown(&self, scope: &Scope) -> Result<Value, Error> {
        let value = self.build(scope, &mut |found| match &found.marks.secret {
            Some(name) => pseudonym(name).into(),
            None => found.value,
        })?;
        Ok(masked(&value))
    }

    fn build(&self, scope: &Scope, leaf: &mut dyn FnMut(Marked<Value>) -> Value) -> Result<Value, Error> {
        match self {
            Self::Plain(value) => Ok(value.clone()),
            Self::Template(template) => template.value(scope).map(leaf),
            Self::List(elements) => {
                let elements: Result<Vec<_>, _> =
                    elements.iter().map(|element| element.build(scope, leaf)).collect();
                elements.map(Value::from)
            }
            Self::Object(entries) => {
                let members: Result<Map, _> = entries
                    .iter()
                    .map(|(key, value)| Ok((Arc::clone(key), value.build(scope, leaf)?)))
                    .collect();
                members.map(Value::from)
            }
        }
    }

    /// Tells every name that the templates inside read, and where.
    pub fn reads(&self, visit: &mut dyn FnMut(Mention<'_>)) {
        match self {
            Self::Plain(_) => {}
            Self::Template(template) => template.reads(visit),
            Self::List(elements) => elements.iter().for_each(|element| element.reads(visit)),
            Self::Object(entries) => entries.iter().for_each(|(_, value)| value.reads(visit)),
        }
    }
}

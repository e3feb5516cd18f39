//! `form`: fields, as `application/x-www-form-urlencoded`.

use crate::ground::encode::{self, Spelling};
use crate::ground::read::Reading;
use crate::ground::secret::{Marked, Marks, written};
use crate::ground::yaml::Node;
use crate::parts::http::spec::Entry;
use crate::parts::http::spec::body::RenderedBody;
use crate::parts::http::spec::read::read_entries;
use crate::parts::http::spec::render::{each_value, hidden_as};
use crate::parts::http::spec::sketch::hidden;
use crate::parts::scope::Scope;
use crate::parts::template::{Error, Sketched, Sketcher, Template};

/// The fields as they were written.
#[derive(Debug, Clone)]
pub(super) struct Form {
    fields: Vec<Entry>,
}

impl Form {
    /// Reads the node under `form`; mistakes are reported.
    pub(super) fn read(node: &Node, reading: &Reading) -> Option<Self> {
        read_entries(Some(node), "form", reading).map(|fields| Self { fields })
    }

    /// Visits its templates.
    pub(super) fn templates(&self, visit: &mut dyn FnMut(&Template)) {
        self.fields.iter().for_each(|(_, tree, _)| tree.templates(visit));
    }

    /// The fields, and what went into them.
    ///
    /// # Errors
    /// Where a template cannot be evaluated.
    pub(super) fn render(&self, scope: &Scope) -> Result<Marked<RenderedBody>, Error> {
        let mut pairs = Vec::with_capacity(self.fields.len());
        let mut marks = Marks::NONE;
        for (name, tree, _) in &self.fields {
            each_value(tree, scope, &mut |value, found| {
                marks.join(found);
                pairs.push((name.as_ref().to_owned(), value));
                Ok(())
            })?;
        }
        Ok(Marked::new(RenderedBody::Form(pairs), marks))
    }

    /// The fields as people may see them.
    ///
    /// # Errors
    /// As [`Form::render`].
    pub(super) fn shown(&self, scope: &Scope) -> Result<String, Error> {
        let mut text = String::new();
        for (name, tree, _) in &self.fields {
            each_value(tree, scope, &mut |value, marks| {
                let value = hidden_as(name, marks).unwrap_or_else(|| encode::url(&value));
                let and = if text.is_empty() { "" } else { "&" };
                for piece in [and, &encode::url(name), "=", &value] {
                    text.push_str(piece);
                }
                Ok(())
            })?;
        }
        Ok(text)
    }

    /// The fields, as far as they are known.
    pub(super) fn sketch(&self, sketcher: &Sketcher<'_>) -> Vec<Sketched> {
        let mut pieces = Vec::new();
        for (name, tree, _) in &self.fields {
            for value in tree.sketch_values(sketcher) {
                let and = if pieces.is_empty() { "" } else { "&" };
                pieces.push(Sketched::Text(format!("{and}{}=", encode::form_piece(name))));
                pieces.extend(
                    value.into_iter().map(|piece| piece.encoded(Spelling::Percent, encode::form_piece)),
                );
            }
        }
        hidden(pieces, written::pairs, encode::form_decoded)
    }
}

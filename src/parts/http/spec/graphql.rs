//! `graphql`: a query, its variables and the name of its operation, as one JSON document.
//!
//! GraphQL over HTTP knows one shape for it (GraphQL Foundation, «GraphQL over HTTP», 5.4): a POST
//! of `{ query, variables, operationName }`. What is left out or null is not sent. An answer tells
//! of failure by its `errors`, not by its status, so that `expect` judges those too.

use std::sync::Arc;

use reqwest::Method;

use crate::ground::read::{Fields, Reading};
use crate::ground::secret::{Marked, Marks};
use crate::ground::source::Span;
use crate::ground::value::{Map, Value};
use crate::ground::yaml::{Kind, Node};
use crate::parts::http::spec::read::read_method;
use crate::parts::scope::Scope;
use crate::parts::template::{Error, Sketched, Sketcher, Template, Tree};

/// A GraphQL request with templates in it.
#[derive(Debug, Clone)]
pub(super) struct Graphql {
    query: Template,
    variables: Option<(Tree, Span)>,
    operation: Option<Tree>,
    pub(super) span: Span,
}

impl Graphql {
    /// Reads the node under `graphql` among the fields of a request; mistakes are reported.
    pub(super) fn read(node: &Node, request: &Fields<'_>, reading: &Reading) -> Option<Self> {
        let post = is_post(request, reading);
        if let Kind::Scalar(scalar) = &node.kind
            && !scalar.is_empty()
        {
            let help = "write the text under `query`: `graphql: { query: … }`";
            reading.error_with(node.span, "`graphql` must be a map, not a text", help);
            return None;
        }
        let fields = reading.fields(node, "graphql", &["query", "variables", "operation"], &[])?;
        let query = fields.required("query", || {
            let help = "write the operation as GraphQL: `query: \"{ me { id } }\"`";
            reading.error_with(fields.span, "`graphql` needs `query`", help);
        });
        let query = query.and_then(|node| Template::read(reading.text(node, "query")?, reading));
        let variables = fields.optional("variables", |node| read_variables(node, reading));
        let operation = fields.optional("operation", |node| {
            reading.text(node, "operation")?;
            Tree::read(node, reading)
        });
        post.then_some(Self { query: query?, variables: variables?, operation: operation?, span: node.span })
    }

    /// The document.
    ///
    /// # Errors
    /// Where a template cannot be evaluated, or the variables turn out to be no object.
    pub(super) fn render(&self, scope: &Scope) -> Result<Marked<Value>, Error> {
        let mut marks = Marks::NONE;
        let query = self.query.text(scope)?;
        marks.join(&query.marks);
        let mut value = |tree: &Tree| {
            let found = tree.value(scope)?;
            marks.join(&found.marks);
            Ok(found.value)
        };
        let variables = self.variables.as_ref().map(|(tree, _)| value(tree)).transpose()?;
        let operation = self.operation.as_ref().map(value).transpose()?;
        if let (Some(found), Some((_, span))) = (&variables, &self.variables)
            && !matches!(found, Value::Object(_) | Value::Null)
        {
            let message =
                format!("the `variables` of `graphql` must be an object, not {}", found.type_name());
            return Err(Error::new(*span, message));
        }
        Ok(Marked::new(document(query.value.into(), variables, operation), marks))
    }

    /// The document as people may see it.
    ///
    /// # Errors
    /// As [`Graphql::render`].
    pub(super) fn shown(&self, scope: &Scope) -> Result<String, Error> {
        let shown = |tree: &Tree| tree.shown(scope);
        let variables = self.variables.as_ref().map(|(tree, _)| shown(tree)).transpose()?;
        let operation = self.operation.as_ref().map(shown).transpose()?;
        Ok(document(self.query.shown(scope)?.into(), variables, operation).to_json())
    }

    /// Visits its templates.
    pub(super) fn templates(&self, visit: &mut dyn FnMut(&Template)) {
        visit(&self.query);
        let variables = self.variables.iter().map(|(tree, _)| tree);
        variables.chain(&self.operation).for_each(|tree| tree.templates(visit));
    }

    /// The document, as far as it is known.
    pub(super) fn sketch(&self, sketcher: &Sketcher<'_>) -> Vec<Sketched> {
        let variables = self.variables.as_ref().map(|(tree, _)| tree.clone());
        let members = [
            ("query", Some(Tree::Template(self.query.clone()))),
            ("variables", variables),
            ("operationName", self.operation.clone()),
        ];
        let is_null = |tree: &Tree| tree.as_plain() == Some(&Value::Null);
        let given = members.into_iter().filter_map(|(name, tree)| Some((name.into(), tree?)));
        Tree::Object(given.filter(|(_, tree)| !is_null(tree)).collect()).sketch_json(sketcher)
    }
}

/// `method` beside `graphql` can only be POST: a GET would have no body.
fn is_post(request: &Fields<'_>, reading: &Reading) -> bool {
    let Some(node) = request.get("method") else { return true };
    // What is no method at all is told by the reader of `method`.
    let quiet = Reading::new(&reading.source);
    if read_method(node, &quiet).is_none_or(|method| method == Method::POST) {
        return true;
    }
    reading.error_with(node.span, "`graphql` is sent as POST", "leave `method` out");
    false
}

fn read_variables(node: &Node, reading: &Reading) -> Option<(Tree, Span)> {
    let is_null = |node: &Node| node.scalar().is_some_and(|scalar| scalar.resolve() == Value::Null);
    let fits = match &node.kind {
        Kind::Map(_) => true,
        Kind::Scalar(scalar) => scalar.is_empty() || scalar.text.contains("{{") || is_null(node),
        Kind::List(_) => false,
    };
    if !fits {
        let message = format!("`variables` must be a map, not {}", node.describe());
        let help = "write `variables: { id: 1 }`, or one template whose value is an object";
        reading.error_with(node.span, message, help);
        return None;
    }
    Some((Tree::read(node, reading)?, node.span))
}

fn document(query: Value, variables: Option<Value>, operation: Option<Value>) -> Value {
    let members = [("query", Some(query)), ("variables", variables), ("operationName", operation)];
    let given = members.into_iter().filter_map(|(name, value)| Some((name, value?)));
    let given = given.filter(|(_, value)| *value != Value::Null);
    given.map(|(name, value)| (Arc::from(name), value)).collect::<Map>().into()
}

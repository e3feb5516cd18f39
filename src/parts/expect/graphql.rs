//! What is expected of the answer to a GraphQL request without being asked: no errors.
//!
//! A GraphQL server says 200 to a request that failed and tells of it in `errors` (GraphQL
//! specification, 7.1). Whoever expects something of `$.errors` judges them alone.

use crate::ground::secret::Needles;
use crate::ground::source::Span;
use crate::ground::value::Value;
use crate::parts::expect::clause::{Clause, SHOWN};
use crate::parts::expect::{Check, Expectation};
use crate::parts::http::Response;
use crate::parts::select::{Selector, shown};

impl Expectation {
    /// A failed check where the answer has `errors` and nobody asked for them. `span` is where the
    /// request says that it is one of GraphQL.
    #[must_use]
    pub fn check_graphql(&self, response: &Response, needles: &Needles, span: Span) -> Option<Check> {
        let errors = response.json().ok()?.get("errors")?;
        if is_empty(errors) || self.names_errors() {
            return None;
        }
        Some(Check {
            what: "graphql errors".to_owned(),
            passed: false,
            expected: "none".to_owned(),
            actual: told(errors, needles),
            span,
        })
    }

    fn names_errors(&self) -> bool {
        self.clauses.iter().any(|clause| match clause {
            Clause::Selected(Selector::Json(query) | Selector::JsonAll(query), _) => {
                is_of_errors(&query.to_string())
            }
            _ => false,
        })
    }
}

fn is_empty(errors: &Value) -> bool {
    *errors == Value::Null || errors.as_list().is_some_and(<[Value]>::is_empty)
}

/// Whether a path begins with `$.errors`, in any of its spellings.
fn is_of_errors(path: &str) -> bool {
    let rest = ["$.errors", "$['errors']", "$[\"errors\"]"].iter().find_map(|head| path.strip_prefix(head));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// The message of the first error, and how many more there are.
fn told(errors: &Value, needles: &Needles) -> String {
    let list = errors.as_list().unwrap_or(std::slice::from_ref(errors));
    let first = list.first().unwrap_or(errors);
    let first = shown(first.get("message").unwrap_or(first), SHOWN, needles);
    match list.len().saturating_sub(1) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_path_into_the_errors_asks_for_them() {
        for (path, asks) in [
            ("$.errors", true),
            ("$.errors[0].message", true),
            ("$.errors[*]", true),
            ("$['errors'][0]", true),
            ("$.errors_total", false),
            ("$.data.errors", false),
            ("$", false),
        ] {
            assert_eq!(is_of_errors(path), asks, "{path}");
        }
    }

    #[test]
    fn the_first_error_is_told_by_its_message() {
        let needles = Needles::default();
        needles.learn(&"token".into(), "s3cret-value");
        for (errors, expected) in [
            (r#"[{"message":"no field `x`"}]"#, r#""no field `x`""#),
            (r#"[{"message":"a"},{"message":"b"},{}]"#, r#""a" and 2 more"#),
            (r#"[{"message":"bad s3cret-value"}]"#, r#""bad «token»""#),
            (r#""broken""#, r#""broken""#),
            (r#"{"code":1}"#, r#"{"code":1}"#),
        ] {
            let errors = Value::from_json(errors.as_bytes()).expect("the JSON is right");
            assert_eq!(told(&errors, &needles), expected);
        }
    }
}

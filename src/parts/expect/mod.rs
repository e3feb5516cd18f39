//! Expectations.

use serde::Serialize;

use crate::ground::source::Span;

/// The result of judging one expectation: data, never an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was judged, as the user would name it: `status`, `$.result.expiresIn`.
    pub what: String,
    /// Whether it holds.
    pub passed: bool,
    /// What was expected.
    pub expected: String,
    /// What came.
    pub actual: String,
    /// Where the expectation stands.
    #[serde(skip)]
    pub span: Span,
}

//! `expect`: what an answer must be.
//!
//! A failed expectation is data, never an error: every one is judged, and a [`Check`] tells of
//! each what was expected and what came. Without `status`, one of 400 or more fails by itself.

mod clause;
mod compare;
pub mod format;
mod graphql;
pub mod judge;
mod jwt;
pub mod predicate;
mod schema;
mod schema_cost;

use serde::Serialize;

use crate::ground::read::Reading;
use crate::ground::source::{Span, Spanned};
use crate::ground::yaml::{Kind, Node, Scalar};
use crate::parts::expect::clause::Clause;
use crate::parts::expect::jwt::Token;
use crate::parts::expect::schema::Schema;
use crate::parts::http::{Response, StatusSet, status};
use crate::parts::scope::Scope;
use crate::parts::select::{Answer, Selector, Yield};
use crate::parts::template::{Error, Mention, Template};

pub use crate::parts::expect::predicate::{Predicate, Unit};

const WORDS: [&str; 15] = [
    "status", "headers", "json", "json_all", "xpath", "css", "regex", "body", "schema", "jwt", "time",
    "size", "cookies", "tls", "that",
];

/// The largest file that an expectation names, a schema or a key set, in bytes.
const LARGEST_FILE: u64 = 8 << 20;

/// What became of one expectation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was looked at: `status`, `header content-type`, `$.result.expiresIn`.
    pub what: String,
    /// Whether it was as expected.
    pub passed: bool,
    /// What was expected, as the user wrote it: `> 60`.
    pub expected: String,
    /// What came.
    pub actual: String,
    /// Where the expectation stands.
    #[serde(skip)]
    pub span: Span,
}

impl Check {
    /// What a script judged by `check("name", bool)`.
    #[must_use]
    pub fn of_script(what: String, passed: bool, span: Span) -> Self {
        Self { what, passed, expected: "true".to_owned(), actual: passed.to_string(), span }
    }

    /// What a script judged by giving up.
    pub const FAIL: &'static str = "fail";

    /// What `repeat` waited for in vain, or what must not have come.
    #[must_use]
    pub fn of_repeat(what: &str, expected: String, actual: String, span: Span) -> Self {
        Self { what: what.to_owned(), passed: false, expected, actual, span }
    }

    /// A script that gave up by `fail("why")`.
    #[must_use]
    pub fn of_fail(why: String, span: Span) -> Self {
        Self {
            what: Self::FAIL.to_owned(),
            passed: false,
            expected: "not called".to_owned(),
            actual: why,
            span,
        }
    }
}

/// All that is expected of one answer, in the order of the text.
#[derive(Debug, Clone, Default)]
pub struct Expectation {
    status: Option<Spanned<StatusSet>>,
    clauses: Vec<Clause>,
    /// Where it stands: the place of a status that nobody asked for.
    pub span: Span,
}

impl Expectation {
    /// What is expected where nothing was written: a status below 400. `span` is the step's.
    #[must_use]
    pub fn none(span: Span) -> Self {
        Self { span, ..Self::default() }
    }

    /// Reads the node under `expect`; mistakes are reported.
    pub fn read(node: &Node, reading: &Reading) -> Option<Self> {
        let fields = reading.fields(node, "expect", &WORDS, &[])?;
        let mut expectation = Self::none(node.span);
        let mut complete = true;
        for (key, value) in fields.iter() {
            let clauses = if &*key.text == "status" {
                let set = StatusSet::read(value, reading, "status");
                expectation.status = set.map(|set| Spanned::new(set, value.span));
                expectation.status.is_some().then(Vec::new)
            } else {
                clauses(&key.text, value, reading)
            };
            match clauses {
                Some(clauses) => expectation.clauses.extend(clauses),
                None => complete = false,
            }
        }
        complete.then_some(expectation)
    }

    /// Says what an answer must yield for this.
    pub fn adds_to(&self, wanted: &mut Yield) {
        self.clauses.iter().for_each(|clause| clause.adds_to(wanted));
        self.reads(&mut |mention| wanted.read_by_template(mention.path));
    }

    /// The names that its templates read.
    pub fn reads(&self, visit: &mut dyn FnMut(Mention<'_>)) {
        self.clauses.iter().for_each(|clause| clause.reads(visit));
    }

    /// The URLs from which keys must be fetched before this can be judged, and where they are
    /// written. What was fetched is kept by [`Scope::keep_keys`].
    ///
    /// # Errors
    /// Where a template cannot be evaluated.
    pub fn key_urls(&self, scope: &Scope) -> Result<Vec<Spanned<String>>, Error> {
        let tokens = self.clauses.iter().filter_map(|clause| match clause {
            Clause::Jwt(token) => token.key_url(scope).transpose(),
            _ => None,
        });
        tokens.collect()
    }

    /// Judges the status alone. `None` where nobody asked and it is below 400.
    #[must_use]
    pub fn check_status(&self, response: &Response, tell: Tell) -> Option<Check> {
        let code = response.status;
        let as_expected = self.status.as_ref().is_some_and(|set| set.value.contains(code));
        if as_expected && tell == Tell::Failures {
            return None;
        }
        let (passed, expected, span) = match &self.status {
            Some(set) => (set.value.contains(code), set.value.to_string(), set.span),
            None if code < 400 => return None,
            None => (false, "below 400".to_owned(), self.span),
        };
        Some(Check { what: "status".to_owned(), passed, expected, actual: status::shown(code), span })
    }

    /// Judges all but the status.
    ///
    /// # Errors
    /// Where a template cannot be evaluated.
    pub fn check_rest(&self, answer: &Answer, scope: &Scope, tell: Tell) -> Result<Vec<Check>, Error> {
        let seeing = match scope.response() {
            Some(_) => scope.clone(),
            None => scope.with_response(answer.response()),
        };
        let mut checks = Vec::new();
        for clause in &self.clauses {
            clause.check(answer, &seeing, tell, &mut checks)?;
        }
        Ok(checks)
    }
}

/// Which checks are put into words: words cost more than the judgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tell {
    /// All of them.
    All,
    /// Those that failed.
    Failures,
}

/// What stands under one key, but for the status.
fn clauses(word: &str, value: &Node, reading: &Reading) -> Option<Vec<Clause>> {
    let one = |clause: Option<Clause>| clause.map(|clause| vec![clause]);
    let predicate = |unit| Predicate::read(value, reading, unit);
    match word {
        "headers" => selected(value, reading, word, Selector::header, Unit::Text),
        "cookies" => selected(value, reading, word, Selector::cookie, Unit::Text),
        "json" => selected(value, reading, word, Selector::json, Unit::None),
        "json_all" => selected(value, reading, word, Selector::json_all, Unit::None),
        "xpath" => selected(value, reading, word, Selector::xpath, Unit::Text),
        "css" => selected(value, reading, word, Selector::css, Unit::Text),
        "regex" => selected(value, reading, word, Selector::regex, Unit::Text),
        "body" => one(predicate(Unit::Text).map(Clause::Body)),
        "time" if is_exact(value) => {
            let message = format!("`time` would have to be exactly `{}`", value.scalar()?.text);
            reading.error_with(
                value.span,
                message,
                format!("write `time: {{ lt: {} }}`", value.scalar()?.text),
            );
            None
        }
        "time" => one(predicate(Unit::Duration).map(Clause::Time)),
        "size" => one(predicate(Unit::Size).map(Clause::Size)),
        "schema" => one(Schema::read(value, reading).map(Clause::Schema)),
        "jwt" => one(Token::read(value, reading).map(|token| Clause::Jwt(Box::new(token)))),
        "tls" => one(certificate(value, reading)),
        "that" => those(value, reading),
        _ => None,
    }
}

/// Whether a duration stands alone, where a limit is meant.
fn is_exact(node: &Node) -> bool {
    node.scalar().is_some_and(|scalar| scalar.text.starts_with(|c: char| c.is_ascii_digit()))
}

/// `tls: { expires_in: { gt: 14d } }`.
fn certificate(node: &Node, reading: &Reading) -> Option<Clause> {
    let fields = reading.fields(node, "expect.tls", &["expires_in"], &[])?;
    let missing = || {
        let help = "write `tls: { expires_in: { gt: 14d } }`";
        reading.error_with(node.span, "`expect.tls` expects nothing", help);
    };
    let expires_in = fields.required("expires_in", missing)?;
    Predicate::read(expires_in, reading, Unit::Seconds).map(Clause::Certificate)
}

/// A map of selectors, each with a predicate.
fn selected(
    node: &Node,
    reading: &Reading,
    what: &str,
    read: fn(&Scalar, &Reading) -> Option<Selector>,
    unit: Unit,
) -> Option<Vec<Clause>> {
    let entries = reading.entries(node, what)?;
    let clauses: Vec<_> = entries
        .iter()
        .map(|(key, value)| {
            let selector = read(key, reading);
            let predicate = Predicate::read(value, reading, unit);
            Some(Clause::Selected(selector?, predicate?))
        })
        .collect();
    clauses.into_iter().collect()
}

/// One expression or a list of them.
fn those(node: &Node, reading: &Reading) -> Option<Vec<Clause>> {
    let nodes = match &node.kind {
        Kind::List(nodes) => nodes.as_slice(),
        Kind::Scalar(_) | Kind::Map(_) => std::slice::from_ref(node),
    };
    let clauses: Vec<_> = nodes.iter().map(|node| that(node, reading)).collect();
    clauses.into_iter().collect()
}

fn that(node: &Node, reading: &Reading) -> Option<Clause> {
    let scalar = reading.text(node, "that")?;
    if !scalar.text.contains("{{") {
        let message = match &*scalar.text {
            "" => "an empty text is not an expression".to_owned(),
            text => format!("`{text}` is not an expression"),
        };
        let help = match &*scalar.text {
            "" => "write it in braces and quotes: \"{{ response.json.total > 0 }}\"".to_owned(),
            text => format!("write it in braces and quotes: \"{{{{ {text} }}}}\""),
        };
        reading.error_with(node.span, message, help);
        return None;
    }
    Template::read(scalar, reading).map(Clause::That)
}

#[cfg(test)]
mod tests;

//! `expect`: what an answer must be.
//!
//! A failed expectation is data, never an error: every one is judged, and a [`Check`] tells of
//! each what was expected and what came. Without `status`, one of 400 or more fails by itself.

mod compare;
pub mod format;
mod graphql;
pub mod judge;
pub mod predicate;

use serde::Serialize;

use crate::ground::read::Reading;
use crate::ground::secret::{Marked, Marks};
use crate::ground::source::{Span, Spanned};
use crate::ground::value::Value;
use crate::ground::yaml::{Kind, Node, Scalar};
use crate::parts::expect::compare::article;
use crate::parts::expect::judge::{Found, Judgement};
use crate::parts::http::{Response, StatusSet, status};
use crate::parts::scope::Scope;
use crate::parts::select::{Absence, Answer, Missing, Selector, Yield, shown};
use crate::parts::template::{Error, Mention, Template};

pub use crate::parts::expect::predicate::{Predicate, Unit};

const WORDS: [&str; 8] = ["status", "headers", "json", "json_all", "regex", "body", "time", "that"];
const LATER: [&str; 7] = ["xpath", "css", "schema", "jwt", "size", "cookies", "tls"];

/// How many characters of a value are shown.
const SHOWN: usize = 200;

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

#[derive(Debug, Clone)]
enum Clause {
    Selected(Selector, Predicate),
    Body(Predicate),
    Time(Predicate),
    /// An expression that must be true.
    That(Template),
}

impl Expectation {
    /// What is expected where nothing was written: a status below 400. `span` is the step's.
    #[must_use]
    pub fn none(span: Span) -> Self {
        Self { span, ..Self::default() }
    }

    /// Reads the node under `expect`; mistakes are reported.
    pub fn read(node: &Node, reading: &Reading) -> Option<Self> {
        let fields = reading.fields(node, "expect", &WORDS, &LATER)?;
        let mut expectation = Self::none(node.span);
        let mut complete = true;
        for (key, value) in fields.iter() {
            let clauses = match &*key.text {
                "status" => {
                    let set = StatusSet::read(value, reading, "status");
                    expectation.status = set.map(|set| Spanned::new(set, value.span));
                    expectation.status.is_some().then(Vec::new)
                }
                "headers" => selected(value, reading, "headers", Selector::header, Unit::Text),
                "json" => selected(value, reading, "json", Selector::json, Unit::None),
                "json_all" => selected(value, reading, "json_all", Selector::json_all, Unit::None),
                "regex" => selected(value, reading, "regex", Selector::regex, Unit::Text),
                "body" => {
                    Predicate::read(value, reading, Unit::Text).map(|predicate| vec![Clause::Body(predicate)])
                }
                "time" => Predicate::read(value, reading, Unit::Duration)
                    .map(|predicate| vec![Clause::Time(predicate)]),
                "that" => those(value, reading),
                _ => None,
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
        for clause in &self.clauses {
            if let Clause::Selected(selector, _) = clause {
                wanted.add(selector);
            }
        }
        self.reads(&mut |mention| wanted.read_by_template(mention.path));
    }

    /// The names that its templates read.
    pub fn reads(&self, visit: &mut dyn FnMut(Mention<'_>)) {
        for clause in &self.clauses {
            match clause {
                Clause::Selected(_, predicate) | Clause::Body(predicate) | Clause::Time(predicate) => {
                    predicate.reads(visit);
                }
                Clause::That(template) => template.reads(visit),
            }
        }
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
        let clauses = self.clauses.iter();
        clauses.filter_map(|clause| clause.check(answer, &seeing, tell).transpose()).collect()
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
        let message = format!("`{}` is not an expression", scalar.text);
        let help = "write it in braces and quotes: \"{{ response.json.total > 0 }}\"";
        reading.error_with(node.span, message, help);
        return None;
    }
    Template::read(scalar, reading).map(Clause::That)
}

impl Clause {
    /// `None` where it holds and nobody wants to hear of that.
    fn check(&self, answer: &Answer, scope: &Scope, tell: Tell) -> Result<Option<Check>, Error> {
        match self {
            Self::Selected(selector, predicate) => {
                let found = find(selector, predicate, answer);
                judge(predicate, found.as_ref(), scope, tell, || selector.to_string())
            }
            Self::Body(predicate) => {
                let found = body(predicate, answer.response());
                judge(predicate, found.as_ref(), scope, tell, || "body".to_owned())
            }
            Self::Time(predicate) => {
                let millis = answer.response().timing.total.as_millis();
                let millis = Value::from(u64::try_from(millis).unwrap_or(u64::MAX));
                judge(predicate, Ok(&Marked::plain(millis)), scope, tell, || "time".to_owned())
            }
            Self::That(template) => {
                let check = that_holds(template, scope);
                Ok((tell == Tell::All || !check.passed).then_some(check))
            }
        }
    }
}

fn judge(
    predicate: &Predicate,
    found: Found<'_>,
    scope: &Scope,
    tell: Tell,
    what: impl FnOnce() -> String,
) -> Result<Option<Check>, Error> {
    if tell == Tell::Failures && predicate.holds(found, scope)? {
        return Ok(None);
    }
    let judged = predicate.judge(found, scope)?;
    Ok(Some(Check::of(what(), judged, predicate.span)))
}

impl Check {
    fn of(what: String, judged: Judgement, span: Span) -> Self {
        Self { what, passed: judged.passed, expected: judged.expected, actual: judged.actual, span }
    }
}

/// An expression that cannot be evaluated does not hold: the answer was not what it is about.
fn that_holds(template: &Template, scope: &Scope) -> Check {
    let (passed, actual) = match template.value(scope) {
        Ok(found) => match &found.value {
            Value::Bool(truth) => (*truth, truth.to_string()),
            other => {
                let plain = || shown(other, SHOWN, &scope.needles);
                let kind = article(other);
                (false, format!("{}, {kind}, not true or false", found.marks.show(plain)))
            }
        },
        Err(error) => (false, scope.needles.scrub(&error.message)),
    };
    Check {
        what: template.source().to_owned(),
        passed,
        expected: "true".to_owned(),
        actual,
        span: template.span(),
    }
}

/// What a selector finds, marked. An empty list of matches is a list, but for a predicate that
/// asks whether there is anything it is nothing.
fn find(selector: &Selector, predicate: &Predicate, answer: &Answer) -> Result<Marked<Value>, Missing> {
    let value = match selector.find(answer) {
        // No match is an empty list of matches, for whoever does not ask whether there is one.
        Err(missing) if is_list(selector, &missing) && !predicate.asks_presence() => Vec::new().into(),
        found => found?,
    };
    let empty = value.as_list().is_some_and(<[Value]>::is_empty);
    if empty && matches!(selector, Selector::JsonAll(_)) && predicate.asks_presence() {
        return Err(Missing::nothing(selector.to_string(), "no match"));
    }
    let marks = selector.marks(&value);
    Ok(Marked::new(value, marks))
}

fn is_list(selector: &Selector, missing: &Missing) -> bool {
    matches!(selector, Selector::JsonAll(_)) && missing.absence == Absence::Nothing
}

/// The body as text. An empty one is an empty text, but for a predicate that asks whether there
/// is anything it is nothing.
fn body(predicate: &Predicate, response: &Response) -> Result<Marked<Value>, Missing> {
    if response.body.is_empty() && predicate.asks_presence() {
        return Err(Missing::nothing("body".to_owned(), "the body is empty"));
    }
    let text = Value::from(response.text().as_ref());
    let marks = Marks { secret: None, from_server: true };
    Ok(Marked::new(text, marks))
}

#[cfg(test)]
mod tests;

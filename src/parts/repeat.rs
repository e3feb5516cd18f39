//! `repeat`: a step again and again, for polling and for paging.
//!
//! Pure rules, without a clock and without a network: whoever runs the step asks here after each
//! pass, and waits himself.

use std::fmt;
use std::time::Duration;

use crate::ground::diagnostic::Diagnostic;
use crate::ground::quantity;
use crate::ground::read::Reading;
use crate::ground::secret::Marked;
use crate::ground::source::Span;
use crate::ground::value::Value;
use crate::ground::yaml::{Node, Scalar};
use crate::parts::condition::Condition;
use crate::parts::scope::Scope;
use crate::parts::template::{Error, Mention};

/// How often a step is repeated where nobody says how often.
const USUAL: u64 = 100;
/// How often a step may be repeated.
const MOST: u64 = 1_000_000;
const KEYS: [&str; 5] = ["until", "fail_if", "every", "within", "max"];

/// `repeat: 3` or `repeat: { until, fail_if, every, within, max }`.
#[derive(Debug, Clone)]
pub struct Repeat {
    until: Option<Condition>,
    fail_if: Option<Condition>,
    /// What is waited between two passes.
    pub every: Duration,
    within: Option<Duration>,
    max: u64,
    span: Span,
}

/// What follows a pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// One more, after [`Repeat::every`].
    Again,
    /// None: what was waited for has come, or the passes are over that were asked for.
    Done,
    /// None: the condition that must not come has come.
    Failed,
    /// None: what was waited for has not come. What ran out, in words.
    RanOut(String),
}

impl Repeat {
    /// Reads the node under `repeat`; mistakes are reported.
    pub fn read(node: &Node, reading: &Reading) -> Option<Self> {
        if node.scalar().is_some_and(Scalar::is_empty) {
            reading.empty(node.span, "repeat");
            return None;
        }
        let mut repeat = Self {
            until: None,
            fail_if: None,
            every: Duration::ZERO,
            within: None,
            max: USUAL,
            span: node.span,
        };
        if node.scalar().is_some() {
            repeat.max = times(node, "repeat", reading)?;
            return Some(repeat);
        }
        let fields = reading.fields(node, "repeat", &KEYS, &[])?;
        let until = fields.optional("until", |node| Condition::read("until", node, reading));
        let fail_if = fields.optional("fail_if", |node| Condition::read("fail_if", node, reading));
        let every = fields.optional("every", |node| reading.duration(node, "every"));
        let within = fields.optional("within", |node| reading.duration(node, "within"));
        let max = fields.optional("max", |node| times(node, "max", reading));
        let given = |key: &str| fields.get(key).is_some() || fields.is_meant(key);
        if !given("until") && !given("max") && fields.is_complete() {
            let help = "say `until: \"{{ … }}\"`, or how often: `repeat: 3`";
            reading.error_with(fields.span, "`repeat` does not say when it ends", help);
        }
        repeat.every = every?.unwrap_or_default();
        repeat.max = max?.unwrap_or(USUAL);
        Some(Self { until: until?, fail_if: fail_if?, within: within?, ..repeat })
    }

    /// What follows a pass: the `pass`th, when the step has been at it for `elapsed`. The scope
    /// sees what the pass set, and its answer.
    ///
    /// # Errors
    /// Where a condition cannot be evaluated.
    pub fn after(&self, pass: u64, elapsed: Duration, scope: &Scope) -> Result<Next, Error> {
        if self.until.as_ref().map_or(Ok(false), |until| until.holds(scope))? {
            return Ok(Next::Done);
        }
        if self.fail_if.as_ref().map_or(Ok(false), |fail_if| fail_if.holds(scope))? {
            return Ok(Next::Failed);
        }
        if pass >= self.max {
            let passes = if self.max == 1 { "pass" } else { "passes" };
            return Ok(self.out_of(format!("{} {passes}", self.max)));
        }
        match self.within {
            Some(within) if elapsed + self.every > within => Ok(self.out_of(quantity::show(within))),
            _ => Ok(Next::Again),
        }
    }

    /// Without anything to wait for, the passes are simply over.
    fn out_of(&self, what: String) -> Next {
        if self.until.is_some() { Next::RanOut(what) } else { Next::Done }
    }

    /// What was waited for, as it was written, and where.
    #[must_use]
    pub fn awaited(&self) -> (String, Span) {
        let until = self.until.as_ref().map(|until| (until.to_string(), until.span()));
        until.unwrap_or_else(|| (self.max.to_string(), self.span))
    }

    /// What must not come, as it was written, and where.
    #[must_use]
    pub fn feared(&self) -> (String, Span) {
        let fail_if = self.fail_if.as_ref().map(|fail_if| (fail_if.to_string(), fail_if.span()));
        fail_if.unwrap_or_else(|| (String::new(), self.span))
    }

    /// Tells every name that its conditions read, and where.
    pub fn reads(&self, visit: &mut dyn FnMut(Mention<'_>)) {
        for condition in self.until.iter().chain(&self.fail_if) {
            condition.reads(visit);
        }
    }
}

impl fmt::Display for Repeat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.until {
            Some(until) => write!(f, "until {until}"),
            None => write!(f, "{} times", self.max),
        }
    }
}

/// How much the passes of a step, or the turns of `for_each`, may gather, as [`Value::fits`] weighs it:
/// whatever a server sends, as often as it is asked.
pub const MOST_GATHERED: u64 = 1_000_000;

/// Why no more is gathered.
#[must_use]
pub fn too_much_gathered() -> Diagnostic {
    Diagnostic::error(format!(
        "this step gathers more than {MOST_GATHERED} values; each 64 bytes of text count as one"
    ))
    .help("extract the members that are needed, not all of the answer")
}

/// What earlier passes collected, and what one more found: a list is joined to it, all else is one
/// more element.
///
/// # Errors
/// It does not fit into `room`, which is less by it from now on.
pub fn collect(
    before: Option<Marked<Value>>,
    found: Marked<Value>,
    room: &mut u64,
) -> Result<Marked<Value>, Diagnostic> {
    if !found.value.fits(room) {
        return Err(too_much_gathered());
    }
    let before = before.unwrap_or_else(|| Marked::plain(Vec::new().into()));
    let mut marks = before.marks;
    marks.join(&found.marks);
    let mut elements = before.value.as_list().map(<[Value]>::to_vec).unwrap_or_default();
    match found.value {
        Value::List(more) => elements.extend(more.iter().cloned()),
        other => elements.push(other),
    }
    Ok(Marked::new(elements.into(), marks))
}

fn times(node: &Node, what: &str, reading: &Reading) -> Option<u64> {
    let times = reading.whole(node, what, 1)?;
    if times > MOST {
        reading.error(node.span, format!("`{what}` must be {MOST} at most"));
        return None;
    }
    Some(times)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ground::source::Source;
    use crate::ground::yaml;

    fn read(text: &str) -> Result<Repeat, String> {
        let source = Source::text("t.yaml", text);
        let node = yaml::read(&source).map_err(|error| error.render(false))?;
        let reading = Reading::new(&source);
        let repeat = Repeat::read(&node, &reading);
        let clean = reading.is_clean();
        let problems = reading.finish().render(false);
        repeat.filter(|_| clean).ok_or(problems)
    }

    fn after(repeat: &str, pass: u64, millis: u64, done: bool, bad: bool) -> Next {
        let scope = Scope::default();
        for (name, value) in [("done", done), ("bad", bad)] {
            scope.set(&name.into(), Marked::plain(value.into())).expect("no input");
        }
        let repeat = read(repeat).expect("it reads");
        repeat.after(pass, Duration::from_millis(millis), &scope).expect("it evaluates")
    }

    #[test]
    fn passes_end_when_their_condition_or_their_number_says_so() {
        let poll = "{ until: '{{ done }}', fail_if: '{{ bad }}', every: 1s, within: 5s, max: 10 }";
        assert_eq!(after(poll, 1, 0, false, false), Next::Again);
        assert_eq!(after(poll, 1, 0, true, true), Next::Done, "`until` is asked first");
        assert_eq!(after(poll, 1, 0, false, true), Next::Failed);
        assert_eq!(after(poll, 9, 0, false, false), Next::Again);
        assert_eq!(after(poll, 10, 0, false, false), Next::RanOut("10 passes".to_owned()));
        assert_eq!(after(poll, 2, 4000, false, false), Next::Again);
        assert_eq!(after(poll, 2, 4001, false, false), Next::RanOut("5s".to_owned()));
        assert_eq!(after("3", 2, 0, true, true), Next::Again, "a number asks nothing");
        assert_eq!(after("3", 3, 0, false, false), Next::Done);
        assert_eq!(after("{ until: '{{ done }}' }", 99, 0, false, false), Next::Again);
        assert_eq!(
            after("{ until: '{{ done }}' }", 100, 0, false, false),
            Next::RanOut("100 passes".to_owned())
        );
    }

    #[test]
    fn mistakes_are_told_when_it_is_read() {
        for (repeat, part) in [
            ("0", "1"),
            ("1000001", "1000000 at most"),
            ("{ every: 1s }", "does not say when it ends"),
            ("{ until: done }", "true or false"),
            ("{ until: '{{ done }}', every: soon }", "duration"),
            ("{ untill: '{{ done }}' }", "did you mean `until`?"),
        ] {
            let error = read(repeat).err().unwrap_or_default();
            assert!(error.contains(part), "{repeat}: {error}");
        }
        assert!(read("1000000").is_ok());
    }
}

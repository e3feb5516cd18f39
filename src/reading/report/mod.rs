//! Reports: what becomes of a run's events and of its outcome.
//!
//! A [`Reporter`] watches one run of one workflow. What is known only when all runs have ended is
//! a pure function of their results: [`json::document`], [`vars::vars`], [`Tally`].

pub mod console;
pub mod failure;
pub mod json;
pub mod screen;
pub mod style;
pub mod turns;
pub mod vars;

use std::collections::HashSet;
use std::time::Duration;

use crate::ground::quantity;
use crate::running::event::{Detail, Event};
use crate::running::outcome::{Finished, Outcome, Verdict};

use style::Style;

pub use console::{Console, Verbosity};
pub use json::Json;
pub use screen::Screen;
pub use turns::{Target, Turn};

/// Watches one run of one workflow.
pub trait Reporter: Send {
    /// How much it wants to know.
    fn detail(&self) -> Detail;
    /// Takes in what happened.
    fn event(&mut self, event: &Event);
    /// Takes in how it ended; no event follows.
    fn finish(&mut self, finished: &Finished);
}

/// How many of what, for the last line of a report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Runs that ended.
    pub runs: usize,
    /// Runs in which everything passed.
    pub runs_passed: usize,
    /// Steps that passed.
    pub passed: usize,
    /// Steps of which an expectation did not hold.
    pub failed: usize,
    /// Steps that could not be carried out.
    pub errored: usize,
    /// Steps that were skipped.
    pub skipped: usize,
    /// Expectations that were judged and told.
    pub checks: usize,
}

impl Tally {
    /// The numbers of one run.
    #[must_use]
    pub fn of(outcome: &Outcome) -> Self {
        let mut tally =
            Self { runs: 1, runs_passed: outcome.passed().into(), checks: outcome.checks, ..Self::default() };
        let steps = outcome.steps.iter().map(|(step, _)| step);
        // A workflow that is used is told by its own steps; the step that uses it adds none.
        let uses: HashSet<&str> =
            steps.clone().filter_map(|step| Some(step.id.rsplit_once('/')?.0)).collect();
        for step in steps.filter(|step| !uses.contains(&*step.id)) {
            match step.verdict {
                Verdict::Passed => tally.passed += 1,
                Verdict::Failed => tally.failed += 1,
                Verdict::Errored => tally.errored += 1,
                Verdict::Skipped => tally.skipped += 1,
            }
        }
        tally
    }

    /// Adds the numbers of other runs.
    pub const fn add(&mut self, other: &Self) {
        self.runs += other.runs;
        self.runs_passed += other.runs_passed;
        self.passed += other.passed;
        self.failed += other.failed;
        self.errored += other.errored;
        self.skipped += other.skipped;
        self.checks += other.checks;
    }

    /// `1 step failed, 2 passed, 5 checks in 35ms`.
    #[must_use]
    pub fn steps(&self, style: Style, time: Duration) -> String {
        let mut parts = Vec::new();
        let mut part = |number: usize, word: &str, paint: fn(Style, &str) -> String| {
            if number > 0 {
                let noun = if parts.is_empty() { count(number, "step") } else { number.to_string() };
                parts.push(paint(style, &format!("{noun} {word}")));
            }
        };
        part(self.failed, "failed", Style::red);
        part(self.errored, "could not run", Style::red);
        part(self.passed, "passed", Style::green);
        part(self.skipped, "skipped", Style::dim);
        if parts.is_empty() {
            parts.push("no step was run".to_owned());
        }
        if self.checks > 0 {
            parts.push(count(self.checks, "check"));
        }
        format!("{} in {}", parts.join(", "), quantity::show(time))
    }

    /// `2 workflows failed, 10 passed: 1 step failed, 35 passed in 1.2s`; `noun` is what was run.
    #[must_use]
    pub fn runs(&self, style: Style, noun: &str, time: Duration) -> String {
        let failed = self.runs - self.runs_passed;
        let runs = match (failed, self.runs_passed) {
            (0, passed) => style.green(&format!("{} passed", count(passed, noun))),
            (failed, 0) => style.red(&format!("{} failed", count(failed, noun))),
            (failed, passed) => {
                let failed = style.red(&format!("{} failed", count(failed, noun)));
                format!("{failed}, {}", style.green(&format!("{passed} passed")))
            }
        };
        format!("{runs}: {}", self.steps(style, time))
    }
}

/// `1 step`, `2 steps`.
fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::running::StepOutcome;

    const PLAIN: Style = Style::new(false);
    const TIME: Duration = Duration::from_millis(35);

    #[test]
    fn the_last_line_counts_what_there_is() {
        for (tally, expected) in [
            (Tally { passed: 3, checks: 5, ..Tally::default() }, "3 steps passed, 5 checks in 35ms"),
            (Tally { passed: 1, checks: 1, ..Tally::default() }, "1 step passed, 1 check in 35ms"),
            (
                Tally { passed: 2, failed: 1, skipped: 1, checks: 4, ..Tally::default() },
                "1 step failed, 2 passed, 1 skipped, 4 checks in 35ms",
            ),
            (Tally { errored: 2, ..Tally::default() }, "2 steps could not run in 35ms"),
            (Tally::default(), "no step was run in 35ms"),
        ] {
            assert_eq!(tally.steps(PLAIN, TIME), expected);
        }
    }

    #[test]
    fn a_workflow_that_is_used_is_counted_by_its_own_steps() {
        let step = |id: &str, verdict| {
            (StepOutcome { id: id.into(), verdict, ..StepOutcome::default() }, Vec::new())
        };
        let steps = vec![
            step("login/token", Verdict::Failed),
            step("login", Verdict::Failed),
            step("other", Verdict::Passed),
        ];
        let tally = Tally::of(&Outcome { steps, ..Outcome::default() });
        assert_eq!((tally.failed, tally.passed), (1, 1));
    }

    #[test]
    fn a_total_says_how_many_runs_passed() {
        let mut total = Tally { runs: 1, runs_passed: 1, passed: 3, ..Tally::default() };
        total.add(&Tally { runs: 1, failed: 1, passed: 1, ..Tally::default() });
        assert_eq!(
            total.runs(PLAIN, "workflow", TIME),
            "1 workflow failed, 1 passed: 1 step failed, 4 passed in 35ms"
        );
        let passed = Tally { runs: 2, runs_passed: 2, passed: 4, ..Tally::default() };
        assert_eq!(passed.runs(PLAIN, "run", TIME), "2 runs passed: 4 steps passed in 35ms");
    }
}

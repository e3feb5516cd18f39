//! `repeat`: passes of a step until what is waited for has come.
//!
//! Each pass is the whole step, rendered anew. The status of every pass is judged; all else that
//! is expected, and what `extract` missed, only of the last.

use std::time::Duration;

use crate::parts::expect::Check;
use crate::parts::repeat::{Next, Repeat};
use crate::parts::scope::Turn;
use crate::running::outcome::Failure;
use crate::running::step::{Flow, Pass, StepRun};

impl StepRun<'_> {
    /// Runs the passes of the step.
    pub(super) async fn passes(&mut self, repeat: &Repeat) -> Result<Flow, Box<Failure>> {
        let started = tokio::time::Instant::now();
        let around = self.scope.clone();
        let mut count = 0;
        let mut before = None;
        loop {
            count += 1;
            self.outcome.passes += 1;
            let turn = around.turn().cloned().unwrap_or_default();
            self.scope = around.with_turn(Turn { pass: Some(count), ..turn });
            let checked = std::mem::take(&mut self.awaiting);
            let pass = self.pass().await?;
            if pass.is_over {
                // The pass before this one turns out to have been the last.
                self.awaiting = checked;
                return self.conclude(before.unwrap_or(pass)).await;
            }
            if pass.is_last(self) {
                return self.conclude(pass).await;
            }
            match self.next(repeat, &pass, count, started.elapsed())? {
                Next::Again => {
                    before = Some(pass);
                    self.pause(repeat.every).await;
                }
                Next::Done => return self.conclude(pass).await,
                Next::Failed => {
                    let (what, span) = repeat.feared();
                    self.judge(
                        Check::of_repeat("fail_if", format!("never: {what}"), "it is".into(), span),
                        false,
                    );
                    return self.conclude(pass).await;
                }
                Next::RanOut(limit) => {
                    let (what, span) = repeat.awaited();
                    let actual = format!("not within {limit}");
                    self.judge(Check::of_repeat("until", what, actual, span), false);
                    return self.conclude(pass).await;
                }
            }
        }
    }

    fn next(
        &self,
        repeat: &Repeat,
        pass: &Pass,
        count: usize,
        elapsed: Duration,
    ) -> Result<Next, Box<Failure>> {
        let scope = pass.answer.as_ref().map_or(&self.scope, |(_, scope)| scope);
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        // What could not be extracted is the reason why a condition cannot be evaluated.
        repeat.after(count, elapsed, scope).map_err(|error| match &pass.missed {
            Some(missed) => missed.clone(),
            None => self.template_failure(&error),
        })
    }

    /// Waits between two passes, or until somebody wants the run to stop: then the next pass finds
    /// out.
    async fn pause(&self, wait: Duration) {
        tokio::select! {
            () = self.flowing.context.cancel.cancelled() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

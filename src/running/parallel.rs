//! `parallel`: several steps at once, each with variables of its own until all have ended.

use futures_util::future::join_all;

use crate::document::plan::PlannedStep;
use crate::parts::scope::Scope;
use crate::running::outcome::Verdict;
use crate::running::run::worse;
use crate::running::step::{Flow, StepRun};

impl StepRun<'_> {
    /// Runs steps at once. All finish, whatever happens to one of them; what they set is seen
    /// afterwards, in the order of the text. `None` where all passed.
    pub(super) async fn parallel(&mut self, steps: &[PlannedStep]) -> Option<Flow> {
        let forks: Vec<Scope> = steps.iter().map(|_| self.scope.fork()).collect();
        let flowing = self.flowing;
        let runs = steps.iter().zip(&forks).map(|(step, fork)| Box::pin(flowing.interruptible(step, fork)));
        let done = join_all(runs).await;
        let (mut ended, mut continued) = (None, None);
        for ((done, fork), step) in done.into_iter().zip(&forks).zip(steps) {
            self.scope.join(fork);
            self.found.extend(done.found);
            match done.flow {
                Flow::Ended(verdict) => ended = Some(worst(ended, verdict)),
                Flow::Continued(verdict) => continued = Some(worst(continued, verdict)),
                Flow::Next => {}
                // Reading the workflow refuses these where the script says them by their names.
                Flow::Goto(_) | Flow::Stop => {
                    let message = "`next` and `stop` mean nothing inside `parallel`".to_owned();
                    ended = Some(worst(ended, flowing.fail_step(step, message)));
                }
            }
        }
        let verdict =
            ended.or(continued).map(|verdict| continued.map_or(verdict, |other| worse(verdict, other)))?;
        self.outcome.verdict = verdict;
        Some(if ended.is_some() { Flow::Ended(verdict) } else { Flow::Continued(verdict) })
    }
}

fn worst(before: Option<Verdict>, verdict: Verdict) -> Verdict {
    before.map_or(verdict, |before| worse(before, verdict))
}

//! `parallel`: several steps at once, each with variables of its own until all have ended.

use std::sync::Arc;

use futures_util::future::join_all;
use indexmap::IndexMap;

use crate::document::plan::PlannedStep;
use crate::ground::diagnostic::Diagnostic;
use crate::parts::scope::Scope;
use crate::running::outcome::{Failure, Verdict};
use crate::running::step::{Flow, StepRun};

impl StepRun<'_> {
    /// Runs steps at once. All finish, whatever happens to one of them; what they set is seen
    /// afterwards, in the order of the text. `None` where all passed.
    ///
    /// # Errors
    /// Where two of them set the same variable: which would win is chance.
    pub(super) async fn parallel(&mut self, steps: &[PlannedStep]) -> Result<Option<Flow>, Box<Failure>> {
        let forks: Vec<Scope> = steps.iter().map(|_| self.scope.fork()).collect();
        let flowing = self.flowing;
        let runs = steps.iter().zip(&forks).map(|(step, fork)| Box::pin(flowing.interruptible(step, fork)));
        let done = join_all(runs).await;
        let race = races(&forks, steps);
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
        if let Some((name, one, other)) = race {
            let message = format!("`{name}` was set by `{one}` and by `{other}`, which ran at the same time");
            let diagnostic = Diagnostic::error(message).at(self.source(), self.step.span);
            return Err(self.failure(diagnostic.help("give them two names")));
        }
        let worst =
            ended.or(continued).map(|verdict| continued.map_or(verdict, |other| verdict.worse(other)));
        let Some(verdict) = worst else { return Ok(None) };
        self.outcome.verdict = verdict;
        Ok(Some(if ended.is_some() { Flow::Ended(verdict) } else { Flow::Continued(verdict) }))
    }
}

/// A variable that two of the steps set, where names were computed so that nobody could tell before.
fn races(forks: &[Scope], steps: &[PlannedStep]) -> Option<(Arc<str>, Arc<str>, Arc<str>)> {
    let mut writers: IndexMap<Arc<str>, &Arc<str>> = IndexMap::new();
    for (fork, planned) in forks.iter().zip(steps) {
        for name in fork.written() {
            if let Some(first) = writers.get(&name) {
                return Some((name, Arc::clone(first), Arc::clone(&planned.step.id)));
            }
            writers.insert(name, &planned.step.id);
        }
    }
    None
}

fn worst(before: Option<Verdict>, verdict: Verdict) -> Verdict {
    before.map_or(verdict, |before| before.worse(verdict))
}

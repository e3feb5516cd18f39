//! The files of a call, several at once, and the passes of each, one after another.
//!
//! All runs share one thread: they wait for servers most of the time. A pass leaves nothing behind
//! but counters, and what was asked for on stdout.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::task::JoinSet;

use crate::cli::exit::Exit;
use crate::document::plan::Plan;
use crate::document::workflow::Workflow;
use crate::ground::diagnostic::{Diagnostic, Diagnostics};
use crate::ground::secret::Needles;
use crate::reading::report::console::{Console, Look, Verbosity};
use crate::reading::report::{Json, Reporter, Screen, Tally, Target, Turn, vars::Outputs};
use crate::running::{Cause, Context, Finished, ShortSecrets, Verdict, run};
use crate::services::mock::StandIns;

/// What holds for all files of a call.
pub struct Schedule {
    /// What every run is given.
    pub context: Context,
    /// The mocks under `--mock`.
    pub stand_ins: StandIns,
    /// Where reports for people go.
    pub screen: Arc<Screen>,
    /// How they look.
    pub look: Look,
    /// How many files run at once.
    pub jobs: usize,
    /// How many passes each file has.
    pub repeat: u32,
    /// Whether nothing more is begun once something failed.
    pub fail_fast: bool,
    /// Whether the JSON document is wanted.
    pub keeps_entries: bool,
    /// Whether the outputs of every row are wanted as lines.
    pub keeps_vars: bool,
    /// Whether something failed.
    pub failed: AtomicBool,
}

/// A file that is ready to run.
pub struct Job {
    /// Its place in the order of the call.
    pub index: usize,
    /// What it says.
    pub workflow: Arc<Workflow>,
    /// What is to be done.
    pub plan: Plan,
}

/// A file that has been run.
#[derive(Default)]
pub struct Ran {
    /// The place of its file in the order of the call.
    pub index: usize,
    /// The numbers of all its passes.
    pub tally: Tally,
    /// The weightiest of them all.
    pub exit: Exit,
    /// What its last pass gave.
    pub outputs: Outputs,
    /// The secrets that its last pass learnt.
    pub needles: Needles,
    /// The passes' entries in the JSON document, where it is wanted.
    pub entries: Vec<serde_json::Value>,
    /// The outputs of its rows as lines, where there are rows and these are wanted.
    pub vars: Option<String>,
}

/// Runs every job; the results come in the order of the call.
pub async fn run_all(jobs: Vec<Job>, schedule: Arc<Schedule>) -> Vec<Ran> {
    let spinner = schedule.screen.spins().then(|| tokio::spawn(Arc::clone(&schedule.screen).spin()));
    let mut jobs = jobs;
    let mut ran = match (jobs.pop(), jobs.is_empty()) {
        // One file needs no task of its own.
        (Some(job), true) => {
            let target = Target::Screen(Arc::clone(&schedule.screen));
            vec![run_file(job, target, schedule).await]
        }
        (last, _) => {
            jobs.extend(last);
            run_several(jobs, schedule).await
        }
    };
    if let Some(spinner) = spinner {
        spinner.abort();
    }
    ran.sort_by_key(|ran| ran.index);
    ran
}

/// Files end in any order, and are told of in that of the call.
async fn run_several(jobs: Vec<Job>, schedule: Arc<Schedule>) -> Vec<Ran> {
    let turns = Turn::of(jobs.len(), &schedule.screen);
    let mut waiting = jobs.into_iter().zip(turns);
    let mut active = JoinSet::new();
    let mut done: Vec<Ran> = Vec::with_capacity(waiting.len());
    loop {
        while active.len() < schedule.jobs && !schedule.is_over() {
            let Some((job, turn)) = waiting.next() else { break };
            active.spawn(run_file(job, Target::Turn(turn), Arc::clone(&schedule)));
        }
        match active.join_next().await {
            Some(Ok(ran)) => done.push(ran),
            // It panicked: the hook has said so, and the file did not pass.
            Some(Err(_)) => done.push(Ran { index: usize::MAX, exit: Exit::CouldNotRun, ..Ran::default() }),
            None => return done,
        }
    }
}

/// Runs all the passes of a file.
async fn run_file(job: Job, target: Target, schedule: Arc<Schedule>) -> Ran {
    let target = Arc::new(target);
    let mut ran = Ran { index: job.index, ..Ran::default() };
    for pass in 1..=schedule.repeat {
        if schedule.is_over() {
            break;
        }
        run_pass(&job, &target, &schedule, (None, pass), &mut ran).await;
    }
    // The process ends when the last file is done: taking a thousand steps apart before that would
    // be time for nothing.
    std::mem::forget(job);
    ran
}

/// One pass of a file, for a row where there are rows.
pub(super) async fn run_pass(
    job: &Job,
    target: &Arc<Target>,
    schedule: &Schedule,
    (row, pass): (Option<u64>, u32),
    ran: &mut Ran,
) {
    let source = &job.workflow.source;
    let pass = (schedule.repeat > 1).then_some(pass);
    let console = Console::new(schedule.look, Arc::clone(target), Arc::clone(source));
    let mut console = console.row(row).pass(pass);
    let mut json = schedule.keeps_entries.then(|| Json::new(Arc::clone(source), pass).row(row));
    let before = schedule.stand_ins.troubles();
    let mut finished = run(&job.plan, &schedule.context(), |event| {
        console.event(event);
        if let Some(json) = &mut json {
            json.event(event);
        }
    })
    .await;
    let trouble = schedule.stand_ins.trouble_since(before, &finished.needles);
    if trouble.has_errors() {
        fail(&mut finished);
    }
    if !trouble.0.is_empty() {
        console.trouble(&trouble);
    }
    if let Some(mut json) = json {
        json.finish(&finished);
        match json.into_entry() {
            Ok(entry) => ran.entries.extend(entry),
            Err(error) => {
                let message = format!("this run cannot be written as JSON: {error}");
                console.trouble(&Diagnostics(vec![Diagnostic::error(message)]));
                fail(&mut finished);
            }
        }
    }
    console.finish(&finished);
    if !finished.outcome.passed() {
        schedule.failed.store(true, Ordering::Relaxed);
    }
    ran.tally.add(&Tally::of(&finished.outcome));
    ran.exit = ran.exit.worst(finished.outcome.cause.into());
    ran.outputs = finished.outputs;
    ran.needles = finished.needles;
}

/// A run whose mock broke proves nothing, whatever its steps say.
fn fail(finished: &mut Finished) {
    let outcome = &mut finished.outcome;
    outcome.cause = outcome.cause.max(Some(Cause::CouldNotRun));
    outcome.verdict = Verdict::Errored;
}

impl Schedule {
    /// The context of a pass. Where only what failed is shown, each shows all that is to be known of it.
    fn context(&self) -> Context {
        let mut context = self.context.clone();
        if self.look.verbosity == Verbosity::Quiet {
            context.short_secrets = context.short_secrets.map(|_| ShortSecrets::default());
        }
        context
    }

    /// Whether nothing more is to be begun.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.context.cancel.is_cancelled() || (self.fail_fast && self.failed.load(Ordering::Relaxed))
    }
}

//! The rows of `--data`: each is a case of every workflow. They are pulled from their file as fast
//! as they are run, so that a file of a million rows is never held.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use tokio::task::{Id, JoinSet};

use crate::cli::exit::Exit;
use crate::cli::schedule::{Job, Ran, Schedule, run_pass};
use crate::document::inputs::Inputs;
use crate::document::rows::{Row, Rows};
use crate::ground::diagnostic::{Diagnostic, Diagnostics};
use crate::reading::report::{Target, vars};

/// The rows that are left, and what is known of all of them.
#[derive(Debug)]
pub struct Cases {
    rows: Rows,
    /// The first row, which was looked at before anything was sent.
    first: Option<Row>,
    inputs: Inputs,
    /// Workflows that take nothing from the rows.
    pub warnings: Diagnostics,
}

impl Cases {
    /// Reads the first row.
    ///
    /// # Errors
    /// There is none, or it is wrong.
    pub fn new(mut rows: Rows, inputs: Inputs, jobs: &[Job]) -> Result<Self, Diagnostic> {
        let Some(first) = rows.next().transpose()? else {
            let message = format!("`{}` has no rows", rows.name());
            return Err(Diagnostic::error(message).help("without rows nothing would be run"));
        };
        let warnings = jobs.iter().filter_map(|job| takes_nothing(job, &first, rows.name())).collect();
        Ok(Self { rows, first: Some(first), inputs, warnings: Diagnostics(warnings) })
    }

    fn next(&mut self) -> Option<Result<Row, Diagnostic>> {
        self.first.take().map(Ok).or_else(|| self.rows.next())
    }
}

/// Rows of which a workflow reads no column are probably those of another one.
fn takes_nothing(job: &Job, row: &Row, name: &str) -> Option<Diagnostic> {
    let columns = row.value.as_object()?;
    let takes = job.workflow.inputs.iter().any(|input| columns.contains_key(&*input.name.value));
    if takes || job.plan.reads.has("data") {
        return None;
    }
    let file = job.workflow.path().display();
    let columns: Vec<&str> = columns.keys().map(AsRef::as_ref).collect();
    let names: Vec<&str> = job.workflow.inputs.iter().map(|input| &*input.name.value).collect();
    let message = format!("no column of `{name}` is an input of `{file}`, and it reads no `data`");
    let inputs = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    Some(Diagnostic::warning(message).note(format!("columns: {}; inputs: {inputs}", columns.join(", "))))
}

/// What came of all rows: the files in the order of the call, how many cases were begun or would have
/// been, and what was wrong with the row at which it ended.
pub type RanRows = (Vec<Ran>, usize, Option<Diagnostics>);

/// Runs every row of every file, as many at once as there are jobs.
pub async fn run_rows(jobs: Vec<Job>, cases: Cases, schedule: Arc<Schedule>) -> RanRows {
    let spinner = schedule.screen.spins().then(|| tokio::spawn(Arc::clone(&schedule.screen).spin()));
    let mut pulling = Pulling { cases, waiting: VecDeque::new(), begun: 0, wrong: None };
    let mut ran: Vec<Gathered> = jobs.iter().map(|job| Gathered::new(job.index, &schedule)).collect();
    let mut active = JoinSet::new();
    let mut places: HashMap<Id, usize> = HashMap::new();
    loop {
        while active.len() < schedule.jobs && !schedule.is_over() {
            let Some((at, row, job)) = pulling.next(&jobs) else { break };
            let task = active.spawn(run_case(at, row, job, Arc::clone(&schedule)));
            places.insert(task.id(), at);
        }
        match active.join_next_with_id().await {
            Some(Ok((id, (at, row, done)))) => {
                places.remove(&id);
                if let Some(gathered) = ran.get_mut(at) {
                    gathered.add(row, done);
                }
            }
            // It panicked: the hook has said so, and the case did not pass.
            Some(Err(broken)) => {
                let at = places.remove(&broken.id());
                if let Some(gathered) = at.and_then(|at| ran.get_mut(at)) {
                    gathered.ran.exit = gathered.ran.exit.worst(Exit::CouldNotRun);
                }
            }
            None => break,
        }
    }
    if let Some(spinner) = spinner {
        spinner.abort();
    }
    let begun = pulling.begun;
    (ran.into_iter().map(Gathered::finish).collect(), begun, pulling.wrong)
}

/// Where the next case comes from.
struct Pulling {
    cases: Cases,
    /// The last row's cases that are not begun.
    waiting: VecDeque<(usize, u64, Job)>,
    begun: usize,
    wrong: Option<Diagnostics>,
}

impl Pulling {
    /// The next case: the place of its file, its row, and what is to be done. After a row that is
    /// wrong there is none.
    fn next(&mut self, jobs: &[Job]) -> Option<(usize, u64, Job)> {
        if self.waiting.is_empty() && self.wrong.is_none() {
            match self.cases.next()? {
                Ok(row) => match planned(jobs, &self.cases.inputs, &row) {
                    Ok(planned) => self.waiting.extend(planned),
                    Err(problems) => self.stop(problems, &row.place, row.number),
                },
                Err(problem) => self.stop(problem.into(), "", 0),
            }
        }
        let next = self.waiting.pop_front()?;
        self.begun += 1;
        Some(next)
    }

    /// Says at which row it ended, and what was run before it.
    fn stop(&mut self, mut problems: Diagnostics, place: &str, number: u64) {
        let before = match self.begun {
            0 => "nothing was run".to_owned(),
            _ => "the rows before it were run".to_owned(),
        };
        for problem in &mut problems.0 {
            if number > 0 {
                problem.notes.push(format!("in row {number}, {place}"));
            }
        }
        if let Some(last) = problems.0.last_mut() {
            last.notes.push(before);
        }
        self.wrong = Some(problems);
    }
}

/// Every file's case of a row.
fn planned(jobs: &[Job], inputs: &Inputs, row: &Row) -> Result<Vec<(usize, u64, Job)>, Diagnostics> {
    let mut planned = Vec::with_capacity(jobs.len());
    let mut problems = Diagnostics::default();
    for (at, job) in jobs.iter().enumerate() {
        match job.plan.with_row(inputs, row) {
            Ok(plan) => {
                let job = Job { index: job.index, workflow: Arc::clone(&job.workflow), plan };
                planned.push((at, row.number, job));
            }
            Err(found) => problems.0.extend(found.0),
        }
    }
    if problems.0.is_empty() { Ok(planned) } else { Err(problems) }
}

/// Runs all passes of a case.
async fn run_case(at: usize, row: u64, job: Job, schedule: Arc<Schedule>) -> (usize, u64, Ran) {
    let mut ran = Ran::default();
    let target = Arc::new(Target::Screen(Arc::clone(&schedule.screen)));
    for pass in 1..=schedule.repeat {
        if pass > 1 && schedule.is_over() {
            break;
        }
        run_pass(&job, &target, &schedule, (Some(row), pass), &mut ran).await;
    }
    (at, row, ran)
}

/// What the cases of a file came to so far.
#[derive(Default)]
struct Gathered {
    ran: Ran,
    /// The last row that gave outputs.
    last: u64,
    entries: Vec<(u64, Vec<serde_json::Value>)>,
    vars: Option<Vec<(u64, String)>>,
}

impl Gathered {
    fn new(index: usize, schedule: &Schedule) -> Self {
        let ran = Ran { index, ..Ran::default() };
        Self { ran, vars: schedule.keeps_vars.then(Vec::new), ..Self::default() }
    }

    fn add(&mut self, row: u64, done: Ran) {
        if let Some(vars) = &mut self.vars {
            vars.push((row, vars::vars(&done.outputs, &done.needles)));
        }
        self.ran.tally.add(&done.tally);
        self.ran.exit = self.ran.exit.worst(done.exit);
        if row > self.last {
            self.last = row;
            self.ran.outputs = done.outputs;
            self.ran.needles = done.needles;
        }
        if !done.entries.is_empty() {
            self.entries.push((row, done.entries));
        }
    }

    /// Rows end in any order, and are told in that of their file.
    fn finish(mut self) -> Ran {
        self.entries.sort_by_key(|(row, _)| *row);
        if let Some(mut vars) = self.vars {
            vars.sort_by_key(|(row, _)| *row);
            self.ran.vars = Some(vars.into_iter().map(|(_, vars)| vars).collect());
        }
        self.ran.entries = self.entries.into_iter().flat_map(|(_, entries)| entries).collect();
        self.ran
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::sync::atomic::AtomicBool;

    use super::*;
    use crate::document::plan::plan_for_rows;
    use crate::document::rows::Format;
    use crate::document::workflow::Workflow;
    use crate::ground::source::Source;
    use crate::parts::http::{Client, ClientOptions};
    use crate::reading::report::Screen;
    use crate::reading::report::console::{Look, Verbosity};
    use crate::reading::report::style::Style;
    use crate::running::Context;
    use crate::services::mock::StandIns;

    /// Gives rows for ever, and fails the test where far more are asked for than are run.
    struct Endless {
        given: usize,
    }

    impl Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            assert!(self.given < 1_000_000, "more is read than is run");
            let row = b"1\n";
            let length = buffer.len().min(row.len());
            buffer[..length].copy_from_slice(&row[..length]);
            self.given += 1;
            Ok(length)
        }
    }

    #[tokio::test]
    async fn rows_are_pulled_as_they_are_run_and_none_after_the_last() {
        let flow = "inputs: { n: 0 }\nsteps:\n  - script: 'if data.stop == \"1\" { fail(\"enough\"); }'\n";
        let workflow = Workflow::parse(&Source::text("flow.yaml", flow)).expect("it is right");
        let inputs = Inputs::new();
        let plan = plan_for_rows(&workflow, &inputs).expect("a plan");
        let jobs = vec![Job { index: 0, workflow, plan }];
        let head = format!("stop\n{}1\n", "0\n".repeat(2000));
        let rows = Rows::new("rows.csv", Format::Csv, std::io::Cursor::new(head).chain(Endless { given: 0 }));
        let cases = Cases::new(rows, inputs, &jobs).expect("a first row");
        let schedule = Arc::new(Schedule {
            context: Context::new(Arc::new(Client::new(ClientOptions::default()))),
            stand_ins: StandIns::default(),
            screen: Screen::stderr(false),
            look: Look { style: Style::new(false), verbosity: Verbosity::Quiet, live: false },
            jobs: 4,
            repeat: 1,
            fail_fast: true,
            keeps_entries: false,
            keeps_vars: false,
            failed: AtomicBool::new(false),
        });
        let (ran, begun, wrong) = run_rows(jobs, cases, schedule).await;
        assert!(wrong.is_none());
        assert!((2001..2010).contains(&begun), "{begun}");
        assert!(ran.iter().all(|ran| ran.entries.is_empty() && ran.exit == Exit::CheckFailed));
    }
}

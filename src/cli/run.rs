//! `reqchain run`: flags become inputs, a context and reporters; then files are loaded, planned,
//! run and reported.
//!
//! Nothing is sent before every file of the call is known to be right. What a flag *means* is
//! decided where it belongs, in `plan` and in the run.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use clap::Args;

use crate::cli::cases::{Cases, run_rows};
use crate::cli::exit::Exit;
use crate::cli::interrupt::Interrupts;
use crate::cli::only::only;
use crate::cli::schedule::{Job, Ran, Schedule, run_all};
use crate::cli::terminal::{Terminal, print, tell, to_terminal};
use crate::cli::{Refused, block_on, is_trusted, load, name_alone, pair, paths, refusal, secret, trouble};
use crate::document::inputs::Inputs;
use crate::document::plan::{plan, plan_for_rows};
use crate::document::rows::Rows;
use crate::document::workflow::Workflow;
use crate::ground::clock::Clock;
use crate::ground::diagnostic::{Diagnostic, Diagnostics, did_you_mean};
use crate::ground::secret::Needles;
use crate::parts::http::tls::Waiver;
use crate::parts::http::{Client, ClientOptions};
use crate::reading::report::console::{Look, Verbosity};
use crate::reading::report::{Screen, Tally, json, vars};
use crate::running::{Context, Detail};
use crate::services::mock::StandIns;

/// Run workflows
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct Arguments {
    /// Files, and folders with workflows
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Give an input its value; may be repeated
    #[arg(long = "input", short = 'i', value_name = "NAME=VALUE", value_parser = pair)]
    pub inputs: Vec<(String, String)>,
    /// Ask for this input without showing it, or read it from a line of stdin; may be repeated
    #[arg(long = "secret", value_name = "NAME", value_parser = name_alone)]
    pub secrets: Vec<String>,
    /// Take the inputs of environments/NAME.yaml, beside the workflows or above them
    #[arg(long, value_name = "NAME")]
    pub env: Option<String>,
    /// Run each workflow once for every row: .csv, .json, .jsonl or .ndjson
    #[arg(long, value_name = "FILE")]
    pub data: Option<PathBuf>,
    /// Run against the workflows' mocks; nothing leaves this machine
    #[arg(long)]
    pub mock: bool,
    /// How many files, or rows, run at once
    #[arg(long, short, value_name = "N", default_value_t = 8, value_parser = at_least_one)]
    pub jobs: u32,
    /// How often each file, or row, is run, one pass after another
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = at_least_one)]
    pub repeat: u32,
    /// Only workflows with this tag; may be repeated, then one of them is enough
    #[arg(long = "tag", value_name = "TAG")]
    pub tags: Vec<String>,
    /// No workflows with this tag; may be repeated
    #[arg(long = "skip-tag", value_name = "TAG")]
    pub skip_tags: Vec<String>,
    /// Only this step, and before it those that set what it needs; may be repeated. `finally` still runs
    #[arg(long = "only", value_name = "STEP")]
    pub only: Vec<String>,
    /// Send nothing and run no script: show what each step would send, ‹name› where only an answer can tell
    #[arg(long)]
    pub dry_run: bool,
    /// Show each request as a curl command, too; a variable of the shell stands for each secret
    #[arg(long)]
    pub curl: bool,
    /// Begin nothing more once something failed
    #[arg(long)]
    pub fail_fast: bool,
    /// What goes to stdout: none, vars, json or value:NAME
    #[arg(long, value_name = "FORM", default_value = "none", value_parser = output)]
    pub output: Output,
    /// Show requests and responses; twice: headers and timings, too
    #[arg(long, short, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Show nothing unless something failed
    #[arg(long, short, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Let workflows run commands and read files outside their project; `REQCHAIN_TRUST=1` says the same
    #[arg(long)]
    pub trust: bool,
    /// Check no certificate in this run, or not that of one host; may be repeated with hosts
    #[arg(
        long,
        value_name = "HOST[:PORT]",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = Waiver::EVERYBODY
    )]
    pub insecure: Vec<Waiver>,
    /// Flags of the language's commands that are not there yet.
    #[command(flatten)]
    pub awaited: Awaited,
}

/// Flags that are known and not there yet, so that they are refused by name.
#[derive(Debug, Args)]
pub struct Awaited {
    #[arg(long, hide = true)]
    report: Vec<String>,
    #[arg(long, hide = true)]
    shard: Option<String>,
}

/// What goes to stdout when all has been run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Nothing.
    None,
    /// A `name=value` line for each output.
    Vars,
    /// The document of all that was run.
    Json,
    /// One output alone.
    Value(String),
}

/// Runs, reports, and says how it went.
///
/// # Errors
/// Whatever is wrong before anything is sent, and a stdout that cannot be written to.
pub fn execute(arguments: &Arguments, terminal: Terminal) -> Result<Exit, Refused> {
    arguments.awaited.refuse()?;
    let trusted = is_trusted(arguments.trust);
    let files = paths::workflows(&arguments.paths, "run", trusted).map_err(refusal)?;
    let loaded = all_or_mistakes(files.iter().map(|file| load(file, trusted)).collect())?;
    let workflows = arguments.chosen(loaded)?;
    let workflows = only(&arguments.only, workflows, terminal.style).map_err(refusal)?;
    arguments.check_output(&workflows)?;
    block_on(run(arguments, terminal, workflows))?
}

async fn run(
    arguments: &Arguments,
    terminal: Terminal,
    workflows: Vec<Arc<Workflow>>,
) -> Result<Exit, Refused> {
    let deaf = |error| trouble("cannot listen for interrupts", &error);
    let interrupts = Interrupts::begin().map_err(deaf)?;
    let mut inputs = arguments.inputs(&workflows, &interrupts)?;
    let stand_ins = arguments.stand_ins(&workflows, &inputs).await?;
    stand_ins.point(&mut inputs);
    let rows = arguments.data.as_deref().map(Rows::open).transpose().map_err(refusal)?;
    let jobs = plan_all(workflows, &inputs, rows.is_some())?;
    arguments.warn_of_seen_secrets(&jobs, terminal);
    let rows = rows.map(|rows| Cases::new(rows, inputs, &jobs)).transpose().map_err(refusal)?;
    if let Some(rows) = &rows {
        rows.warnings.0.iter().for_each(|warning| tell(&warning.render(terminal.style.is_colored())));
    }
    let live = jobs.len() == 1 && (rows.is_none() || arguments.jobs == 1);
    let several = jobs.len() > 1 || arguments.repeat > 1 || rows.is_some();
    let schedule = arguments.schedule(terminal, (live, several), stand_ins);
    if several {
        for job in &jobs {
            schedule.context.learn_inputs(&job.plan);
        }
    }
    let (cancel, started) = (schedule.context.cancel.clone(), Instant::now());
    interrupts.end_first(&cancel).map_err(deaf)?;
    let files = jobs.len();
    let (ran, tried, wrong) = match rows {
        None => (run_all(jobs, schedule).await, files, None),
        Some(rows) => run_rows(jobs, rows, schedule).await,
    };
    interrupts.end_at_once();
    let begun = if cancel.is_cancelled() { Exit::Interrupted } else { Exit::Passed };
    let begun = if wrong.is_some() { begun.worst(Exit::Usage) } else { begun };
    let exit = ran.iter().fold(begun, |exit, ran| exit.worst(ran.exit));
    arguments.total(terminal, &ran, exit, tried, started.elapsed());
    if let Some(wrong) = wrong {
        tell(&wrong.render(terminal.style.is_colored()));
    }
    arguments.print_output(&ran, exit)
}

/// Plans every workflow, and refuses all if one of them cannot be.
fn plan_all(workflows: Vec<Arc<Workflow>>, inputs: &Inputs, for_rows: bool) -> Result<Vec<Job>, Refused> {
    let job = |(index, workflow): (usize, Arc<Workflow>)| {
        let plan = if for_rows { plan_for_rows(&workflow, inputs) } else { plan(&workflow, inputs) }?;
        Ok(Job { index, workflow, plan })
    };
    all_or_mistakes(workflows.into_iter().enumerate().map(job).collect())
}

fn all_or_mistakes<T>(results: Vec<Result<T, Diagnostics>>) -> Result<Vec<T>, Refused> {
    let mut right = Vec::with_capacity(results.len());
    let mut wrong = Diagnostics::default();
    for result in results {
        match result {
            Ok(value) => right.push(value),
            Err(mistakes) => wrong.0.extend(mistakes.0),
        }
    }
    if wrong.0.is_empty() { Ok(right) } else { Err(refusal(wrong)) }
}

impl Arguments {
    /// What `--output value:NAME` asks for must be there to be had, before anything is sent.
    fn check_output(&self, workflows: &[Arc<Workflow>]) -> Result<(), Refused> {
        let Output::Value(name) = &self.output else { return Ok(()) };
        let [workflow] = workflows else {
            let message = format!("--output value:NAME takes one workflow, not {}", workflows.len());
            let help = "name one file, or use --output vars or json";
            return Err(refusal(Diagnostic::error(message).help(help)));
        };
        if self.data.is_some() {
            let message = "--output value:NAME gives one value, and each row of --data has its own";
            let help = "use --output vars, or json, which says which row it was";
            return Err(refusal(Diagnostic::error(message).help(help)));
        }
        let names: Vec<&str> = workflow.output_names().collect();
        if names.contains(&name.as_str()) {
            return Ok(());
        }
        let message = format!("`{}` has no output `{name}`", workflow.path().display());
        let list = format!("its outputs are {}", names.join(", "));
        let help = did_you_mean(name, names.iter().copied()).unwrap_or(list);
        Err(refusal(Diagnostic::error(message).help(help)))
    }

    /// The workflows that `--tag` and `--skip-tag` leave.
    fn chosen(&self, mut workflows: Vec<Arc<Workflow>>) -> Result<Vec<Arc<Workflow>>, Refused> {
        let has = |workflow: &Workflow, tags: &[String]| {
            workflow.tags.iter().any(|tag| tags.iter().any(|wanted| wanted.as_str() == &**tag))
        };
        workflows.retain(|workflow| {
            (self.tags.is_empty() || has(workflow, &self.tags)) && !has(workflow, &self.skip_tags)
        });
        if workflows.is_empty() {
            return Err(refusal(
                Diagnostic::error("no workflow is left")
                    .help("--tag and --skip-tag leave none of those that were named"),
            ));
        }
        Ok(workflows)
    }

    /// The mocks of the workflows under `--mock`; none otherwise.
    async fn stand_ins(&self, workflows: &[Arc<Workflow>], inputs: &Inputs) -> Result<StandIns, Refused> {
        let mocked = if self.mock && !self.dry_run { workflows } else { &[] };
        StandIns::start(mocked, inputs, &Clock::system()).await.map_err(refusal)
    }

    fn inputs(&self, workflows: &[Arc<Workflow>], interrupts: &Interrupts) -> Result<Inputs, Refused> {
        let mut inputs = Inputs::new();
        for (name, value) in &self.inputs {
            inputs.set(name, value);
        }
        for name in &self.secrets {
            inputs.set_secret(name, &secret::read(name, interrupts).map_err(refusal)?);
        }
        if self.mock {
            inputs.under_mock();
        }
        if self.dry_run {
            inputs.without_commands();
        }
        if is_trusted(self.trust) {
            inputs.trust();
        }
        if let Some(name) = &self.env {
            inputs.use_env(name, workflows).map_err(refusal)?;
        }
        Ok(inputs)
    }

    /// Warns, once for each input, of secrets that others may see. Mocks are given none that matter.
    fn warn_of_seen_secrets(&self, jobs: &[Job], terminal: Terminal) {
        if self.quiet || self.mock {
            return;
        }
        let mut told: HashSet<&str> = HashSet::new();
        let inputs = jobs.iter().flat_map(|job| &job.workflow.inputs).filter(|input| input.secret);
        for name in inputs.map(|input| &*input.name.value) {
            if self.inputs.iter().any(|(given, _)| given == name) && told.insert(name) {
                let message =
                    format!("--input {name}=… stands in the list of processes, where others see it");
                let help = format!("use its variable or its file, or --secret {name}");
                tell(&Diagnostic::warning(message).help(help).render(terminal.style.is_colored()));
            }
        }
    }

    fn schedule(
        &self,
        terminal: Terminal,
        (live, several): (bool, bool),
        stand_ins: StandIns,
    ) -> Arc<Schedule> {
        let verbosity = self.verbosity();
        let only = self.mock.then(|| stand_ins.origins());
        let timing = verbosity == Verbosity::Wire;
        let spins = terminal.redraws && verbosity == Verbosity::Steps;
        let look = Look { style: terminal.style, verbosity, live };
        let keeps_entries = self.output == Output::Json;
        let mut context = Context::new(Arc::new(Client::new(ClientOptions {
            timing,
            only,
            unchecked: self.insecure.clone(),
        })));
        let wanted = if keeps_entries { Detail::Steps } else { Detail::Outcome };
        context.detail = detail(verbosity).max(wanted);
        (context.curl, context.dry_run) = (self.curl, self.dry_run);
        context.short_secrets = context.short_secrets.filter(|_| !self.mock);
        if several {
            context.needles = Needles::of_several();
        }
        let jobs = usize::try_from(self.jobs).unwrap_or(usize::MAX);
        let screen = Screen::stderr(spins);
        Arc::new(Schedule {
            context,
            stand_ins,
            screen,
            look,
            jobs,
            repeat: self.repeat,
            fail_fast: self.fail_fast,
            keeps_entries,
            keeps_vars: self.output == Output::Vars,
            failed: AtomicBool::new(false),
        })
    }

    const fn verbosity(&self) -> Verbosity {
        match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (false, 0) => Verbosity::Steps,
            (false, 1) => Verbosity::Requests,
            (false, _) => Verbosity::Wire,
        }
    }

    /// The last line, where there was more than one run.
    fn total(&self, terminal: Terminal, ran: &[Ran], exit: Exit, tried: usize, time: Duration) {
        let mut total = Tally::default();
        for ran in ran {
            total.add(&ran.tally);
        }
        let passes = usize::try_from(self.repeat).unwrap_or(usize::MAX);
        let planned = tried.saturating_mul(passes);
        if planned < 2 || (self.quiet && exit == Exit::Passed) {
            return;
        }
        if self.quiet {
            // Only those that failed were told of.
            total.checks = 0;
        }
        let style = terminal.style;
        let noun = if passes > 1 || self.data.is_some() { "run" } else { "workflow" };
        let mut line = if exit == Exit::Interrupted {
            let interrupted = style.yellow("interrupted");
            format!("{interrupted}: {}", total.steps(style, time))
        } else {
            total.runs(style, noun, time)
        };
        if total.runs < planned {
            let missing = planned - total.runs;
            line.push_str(&style.yellow(&format!(", {missing} not begun")));
        }
        tell(&line);
    }

    fn print_output(&self, ran: &[Ran], exit: Exit) -> Result<Exit, Refused> {
        let text = match &self.output {
            Output::None => return Ok(exit),
            Output::Vars => {
                let lines =
                    |ran: &Ran| ran.vars.clone().unwrap_or_else(|| vars::vars(&ran.outputs, &ran.needles));
                ran.iter().map(lines).collect()
            }
            Output::Json => {
                let entries: Vec<_> = ran.iter().flat_map(|ran| ran.entries.iter().cloned()).collect();
                json::document(exit == Exit::Passed, &entries)
                    .map_err(|error| trouble("cannot write the runs as JSON", &error))?
            }
            Output::Value(_) if exit != Exit::Passed || self.dry_run => return Ok(exit),
            Output::Value(name) => {
                let value = |ran: &Ran| vars::value(&ran.outputs, name, &ran.needles, to_terminal());
                ran.last()
                    .map_or_else(|| Ok(String::new()), value)
                    .map_err(|why| Refused { exit: Exit::CouldNotRun, why: why.into() })?
            }
        };
        print(&text).map_err(|error| trouble("cannot write to stdout", &error))?;
        Ok(exit)
    }
}

impl Awaited {
    fn refuse(&self) -> Result<(), Refused> {
        let flags = [("--report", !self.report.is_empty()), ("--shard", self.shard.is_some())];
        match flags.into_iter().find(|(_, given)| *given) {
            Some((flag, _)) => Err(refusal(Diagnostic::error(format!("`{flag}` is not supported yet")))),
            None => Ok(()),
        }
    }
}

const fn detail(verbosity: Verbosity) -> Detail {
    match verbosity {
        Verbosity::Quiet => Detail::Outcome,
        Verbosity::Steps => Detail::Steps,
        Verbosity::Requests => Detail::Requests,
        Verbosity::Wire => Detail::Wire,
    }
}

fn at_least_one(text: &str) -> Result<u32, String> {
    text.parse().ok().filter(|number| *number > 0).ok_or_else(|| "write a whole number from 1 on".to_owned())
}

fn output(text: &str) -> Result<Output, String> {
    match text {
        "none" => Ok(Output::None),
        "vars" => Ok(Output::Vars),
        "json" => Ok(Output::Json),
        text => match text.strip_prefix("value:") {
            Some(name) if !name.is_empty() => Ok(Output::Value(name.to_owned())),
            _ => Err("write none, vars, json or value:NAME".to_owned()),
        },
    }
}

//! The command line: which commands there are, and how each is called.
//!
//! One file a command, each with its arguments and its `execute`. Only the command that is called
//! is built, since a short run is over in two milliseconds. Errors of usage are clap's, all else
//! is a [`Diagnostic`].

pub mod cases;
pub mod check;
pub mod completions;
pub mod exit;
pub mod fault;
pub mod fmt;
pub mod graph;
pub mod help;
pub mod interrupt;
pub mod man;
pub mod mock;
pub mod new;
pub mod only;
pub mod paths;
pub mod run;
pub mod schedule;
pub mod schema;
pub mod secret;
pub mod terminal;

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

use clap::error::{ContextKind, ContextValue};
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, value_parser};

use crate::cli::exit::Exit;
use crate::cli::terminal::{Color, Terminal, tell};
use crate::document::workflow::Workflow;
use crate::ground::diagnostic::{Diagnostic, Diagnostics};

/// The commands that are known and not there yet.
const AWAITED: [&str; 10] =
    ["token", "exec", "login", "logout", "sessions", "proxy", "review", "import", "export", "report"];

/// A command line that makes sense.
#[derive(Debug)]
pub struct Cli {
    /// When to use colours.
    pub color: Color,
    /// What to do.
    pub call: Call,
}

/// What to do.
#[derive(Debug)]
pub enum Call {
    /// Run workflows.
    Run(Box<run::Arguments>),
    /// Find the mistakes in workflows.
    Check(check::Arguments),
    /// Serve a mock.
    Mock(mock::Arguments),
    /// Format workflows.
    Fmt(fmt::Arguments),
    /// Write a workflow and its mock.
    New(Box<new::Arguments>),
    /// Draw a workflow.
    Graph(graph::Arguments),
    /// Print a JSON Schema.
    Schema(schema::Arguments),
    /// Print what a shell completes.
    Completions(completions::Arguments),
    /// Print or write manual pages.
    Man(man::Arguments),
    /// Explain a topic.
    Help(help::Topic),
    /// A command that is known and not there yet.
    Awaited(&'static str),
}

impl Cli {
    /// Reads a command line; the first word is the program's name.
    ///
    /// # Errors
    /// clap's: what is wrong with it, or the help or version that it asks for.
    pub fn try_parse_from<I, T>(words: I) -> Result<Self, clap::Error>
    where
        I: IntoIterator<Item = T>,
        T: Into<OsString> + Clone,
    {
        let mut matches = command().try_get_matches_from(words)?;
        let color = matches.remove_one("color").unwrap_or_default();
        let call = match matches.remove_subcommand() {
            Some((name, matches)) if name == "help" => {
                let arguments = help::Arguments::from_arg_matches(&matches)?;
                match arguments.topic.as_deref().map(|word| help::Topic::of(word).ok_or(word)) {
                    Some(Ok(topic)) => Call::Help(topic),
                    Some(Err(command)) => return Self::try_parse_from(["reqchain", command, "--help"]),
                    None => return Self::try_parse_from(["reqchain", "--help"]),
                }
            }
            Some((name, matches)) => Call::read(&name, &matches)?,
            // clap prints the help where no command is named.
            None => return Err(clap::Error::new(clap::error::ErrorKind::MissingSubcommand)),
        };
        Ok(Self { color, call })
    }
}

impl Call {
    fn read(name: &str, matches: &ArgMatches) -> Result<Self, clap::Error> {
        match name {
            "run" => run::Arguments::from_arg_matches(matches).map(|run| Self::Run(Box::new(run))),
            "check" => check::Arguments::from_arg_matches(matches).map(Self::Check),
            "mock" => mock::Arguments::from_arg_matches(matches).map(Self::Mock),
            "fmt" => fmt::Arguments::from_arg_matches(matches).map(Self::Fmt),
            "new" => new::Arguments::from_arg_matches(matches).map(|new| Self::New(Box::new(new))),
            "graph" => graph::Arguments::from_arg_matches(matches).map(Self::Graph),
            "schema" => schema::Arguments::from_arg_matches(matches).map(Self::Schema),
            "completions" => completions::Arguments::from_arg_matches(matches).map(Self::Completions),
            "man" => man::Arguments::from_arg_matches(matches).map(Self::Man),
            name => Ok(Self::Awaited(AWAITED.into_iter().find(|awaited| *awaited == name).unwrap_or("this"))),
        }
    }
}

/// The whole command line, those commands too that are not there yet.
fn command() -> Command {
    let awaited =
        AWAITED.iter().map(|name| Command::new(*name).hide(true).disable_help_flag(true).defer(anything));
    supported().subcommands(awaited)
}

/// The command line that there is, the arguments of its commands deferred until one is called.
fn supported() -> Command {
    let color = Arg::new("color")
        .long("color")
        .value_name("WHEN")
        .help("Colours: auto, always or never")
        .value_parser(value_parser!(Color))
        .default_value("auto")
        .hide_possible_values(true)
        .global(true);
    Command::new("reqchain")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Runs YAML chains of HTTP requests")
        .arg(color)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .disable_help_subcommand(true)
        .subcommand(Command::new("run").about("Run workflows").defer(run::Arguments::augment_args))
        .subcommand(
            Command::new("check")
                .about("Find the mistakes in workflows; sends nothing")
                .defer(check::Arguments::augment_args),
        )
        .subcommand(
            Command::new("mock").about("Serve a mock on this machine").defer(mock::Arguments::augment_args),
        )
        .subcommand(
            Command::new("fmt").about("Format workflows and mocks").defer(fmt::Arguments::augment_args),
        )
        .subcommand(
            Command::new("new").about("Write a workflow and its mock").defer(new::Arguments::augment_args),
        )
        .subcommand(
            Command::new("graph")
                .about("Draw a workflow as a Mermaid flowchart")
                .defer(graph::Arguments::augment_args),
        )
        .subcommand(
            Command::new("schema")
                .about("Print the JSON Schema of workflows, for editors")
                .defer(schema::Arguments::augment_args),
        )
        .subcommand(
            Command::new("completions")
                .about("Print the completions for a shell")
                .defer(completions::Arguments::augment_args),
        )
        .subcommand(
            Command::new("man")
                .about("Print the manual page, or write one for each command")
                .defer(man::Arguments::augment_args),
        )
        .subcommand(
            Command::new("help")
                .about("Explain a command, or one of script, filters, exit")
                .defer(help::Arguments::augment_args),
        )
}

/// Takes any arguments, so that a command that is not there yet can say so.
fn anything(command: Command) -> Command {
    command.arg(
        Arg::new("anything")
            .num_args(0..)
            .action(ArgAction::Append)
            .trailing_var_arg(true)
            .allow_hyphen_values(true)
            .value_parser(value_parser!(OsString)),
    )
}

/// Reads the command line and does what it says.
pub fn main<I, T>(words: I) -> Exit
where
    I: IntoIterator<Item = T>,
    T: Into<OsString> + Clone,
{
    match Cli::try_parse_from(words) {
        Ok(cli) => execute(&cli),
        Err(mut error) => {
            hide_value(&mut error);
            // A stream that cannot be written to has nobody to tell about it.
            let _ = error.print();
            if error.exit_code() == 0 { Exit::Passed } else { Exit::Usage }
        }
    }
}

fn execute(cli: &Cli) -> Exit {
    let terminal = Terminal::detect(cli.color);
    let done = match &cli.call {
        Call::Run(arguments) => run::execute(arguments, terminal),
        Call::Check(arguments) => check::execute(arguments, terminal),
        Call::Mock(arguments) => mock::execute(arguments, terminal),
        Call::Fmt(arguments) => fmt::execute(arguments, terminal),
        Call::New(arguments) => new::execute(arguments),
        Call::Graph(arguments) => graph::execute(arguments),
        Call::Schema(arguments) => schema::execute(arguments),
        Call::Completions(arguments) => completions::execute(arguments, supported()),
        Call::Man(arguments) => man::execute(arguments, supported()),
        Call::Help(topic) => help::execute(*topic),
        Call::Awaited(name) => {
            Err(refusal(Diagnostic::error(format!("`reqchain {name}` is not supported yet"))))
        }
    };
    done.unwrap_or_else(|Refused { exit, why }| {
        tell(&why.render(terminal.style.is_colored()));
        exit
    })
}

/// Why a command did not do what it was asked for.
#[derive(Debug)]
pub struct Refused {
    /// The exit code.
    pub exit: Exit,
    /// All the reasons.
    pub why: Diagnostics,
}

/// Usage that clap cannot know to be wrong, or a file that `check` refuses.
fn refusal(why: impl Into<Diagnostics>) -> Refused {
    Refused { exit: Exit::Usage, why: why.into() }
}

/// Something outside of the user's files went wrong.
fn trouble(what: &str, error: &std::io::Error) -> Refused {
    Refused { exit: Exit::CouldNotRun, why: Diagnostic::error(format!("{what}: {error}")).into() }
}

/// What was given for an input is not repeated: it may be a secret.
fn hide_value(error: &mut clap::Error) {
    let argument = error.get(ContextKind::InvalidArg).map(ToString::to_string);
    if argument.is_some_and(|argument| argument.starts_with("--input") || argument.starts_with("--secret")) {
        error.insert(ContextKind::InvalidValue, ContextValue::String("…".to_owned()));
    }
}

/// Reads the name of an input, whose value stands elsewhere.
fn name_alone(text: &str) -> Result<String, String> {
    if text.contains('=') {
        return Err("write the name alone: the value is asked for, or read from stdin".to_owned());
    }
    Ok(text.to_owned())
}

/// Whether files outside the project may be read: the flag says so, or the variable.
fn is_trusted(flag: bool) -> bool {
    flag || std::env::var_os("REQCHAIN_TRUST").is_some_and(|said| said == "1")
}

/// Reads a workflow, and those that it uses.
fn load(file: &Path, trusted: bool) -> Result<Arc<Workflow>, Diagnostics> {
    if trusted { Workflow::load_trusted(file) } else { Workflow::load(file) }
}

/// Reads `name=value`; the value may be empty, and may hold more equal signs.
fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write a name, an equal sign and a value".to_owned()),
    }
}

/// Drives a future on this thread alone: more threads cost CPU and win nothing here.
fn block_on<T>(future: impl Future<Output = T>) -> Result<T, Refused> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| trouble("cannot set up the event loop", &error))?;
    let value = runtime.block_on(future);
    // The process ends now, and takes connections, timers and the thread of a mock's handler that
    // may still be at work with it: taking them apart first would be time for nothing.
    std::mem::forget(runtime);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use clap::error::ErrorKind;

    use super::*;
    use crate::cli::run::Output;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(format!("reqchain {line}").split_whitespace())
    }

    fn run(line: &str) -> run::Arguments {
        match parse(line).map(|cli| cli.call) {
            Ok(Call::Run(arguments)) => *arguments,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn the_whole_command_line_is_well_formed() {
        let mut command = command();
        command.build();
        command.debug_assert();
    }

    #[test]
    fn what_makes_no_sense_is_a_usage_error() {
        for (line, kind) in [
            ("", ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand),
            ("runn a.yaml", ErrorKind::InvalidSubcommand),
            ("run --inptu a=b", ErrorKind::UnknownArgument),
            ("run --input a", ErrorKind::ValueValidation),
            ("run --input =a", ErrorKind::ValueValidation),
            ("run --jobs 0", ErrorKind::ValueValidation),
            ("run --repeat -1", ErrorKind::UnknownArgument),
            ("run --output value:", ErrorKind::ValueValidation),
            ("run --output yaml", ErrorKind::ValueValidation),
            ("run -q -v", ErrorKind::ArgumentConflict),
            ("run --color pink", ErrorKind::InvalidValue),
            ("check --format xml", ErrorKind::InvalidValue),
            ("mock", ErrorKind::MissingRequiredArgument),
            ("mock m.yaml --port 65536", ErrorKind::ValueValidation),
            ("help runn", ErrorKind::InvalidSubcommand),
            ("schema --mock --environment", ErrorKind::ArgumentConflict),
            ("completions tcsh", ErrorKind::InvalidValue),
            ("graph", ErrorKind::MissingRequiredArgument),
        ] {
            let error = parse(line).expect_err(line);
            assert_eq!(error.kind(), kind, "{line}");
            assert_ne!(error.exit_code(), 0, "{line}");
        }
        for line in ["--help", "--version", "run --help", "help", "help run", "help new", "help help"] {
            assert_eq!(parse(line).expect_err(line).exit_code(), 0, "{line}");
        }
    }

    #[test]
    fn a_run_knows_its_defaults_and_its_flags() {
        let plain = run("run a.yaml");
        assert_eq!((plain.jobs, plain.repeat, plain.verbose), (8, 1, 0));
        assert_eq!(plain.output, Output::None);
        let full = run(
            "run a.yaml flows --input user=a=b -i empty= --mock --jobs 2 --repeat 3 --tag x --tag y --skip-tag z \
             --fail-fast --output value:token -vv",
        );
        assert_eq!(full.paths.len(), 2);
        assert_eq!(full.inputs, [("user".into(), "a=b".into()), ("empty".into(), String::new())]);
        assert_eq!((full.mock, full.jobs, full.repeat, full.fail_fast), (true, 2, 3, true));
        assert_eq!((full.tags.len(), full.skip_tags.len(), full.verbose), (2, 1, 2));
        assert_eq!(full.output, Output::Value("token".into()));
    }

    #[test]
    fn colour_may_stand_before_and_behind_the_command() {
        for line in ["--color never run a.yaml", "run a.yaml --color never", "run --color=never a.yaml"] {
            assert_eq!(parse(line).expect(line).color, Color::Never, "{line}");
        }
        assert_eq!(parse("check a.yaml").expect("right").color, Color::Auto);
    }

    #[test]
    fn every_command_and_flag_of_the_language_is_known() {
        let terminal = Terminal::detect(Color::Never);
        for name in AWAITED {
            let Ok(cli) = parse(&format!("{name} --any thing -x")) else { panic!("{name}") };
            assert!(matches!(cli.call, Call::Awaited(known) if known == name), "{name}");
            assert_eq!(execute(&cli), Exit::Usage);
        }
        for flag in ["--report x", "--shard 1/2"] {
            let refused = run::execute(&run(&format!("run a.yaml {flag}")), terminal).expect_err(flag);
            let name = flag.split(' ').next().expect("a flag");
            assert_eq!(refused.exit, Exit::Usage);
            assert_eq!(refused.why.0[0].message, format!("`{name}` is not supported yet"));
        }
    }
}

//! The engine of Rhai: made anew for each run from shared modules, with limits on everything.
//!
//! Building Rhai's own library costs a millisecond, so it is built once, and only if there is a
//! script at all. What remains for each run are a few pointers and the run's own state.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use rhai::module_resolvers::DummyModuleResolver;
use rhai::{
    AST, Dynamic, Engine, EvalAltResult, EvalContext, Module, OptimizationLevel, ParseErrorType, Position,
    Scope as Visible,
};

use crate::ground::diagnostic::Place;
use crate::ground::secret::Marks;
use crate::parts::script::api;
use crate::parts::script::audit::{self, Facts};
use crate::parts::script::explain;
use crate::parts::script::handles::{self, NAMES};
use crate::parts::script::import::{Imports, MODULES, Resolver};
use crate::parts::script::limits::Limits;
use crate::parts::script::room;
use crate::parts::script::run::{Answer, Failure, NESTED, Run, Stop};
use crate::parts::script::text::Text;
use crate::parts::script::value::to_dynamic;
use crate::parts::script::{
    CALLS, Checked, ELEMENTS, EXPRESSION_DEPTH, Ending, Error, Host, Phase, Ran, VARIABLES,
};

/// A script that can run.
pub(super) struct Compiled {
    pub(super) ast: AST,
    /// Whether it needs more stack than others.
    pub(super) roomy: bool,
    pub(super) limits: Limits,
    pub(super) imports: Arc<Imports>,
    pub(super) facts: Facts,
}

/// What a script is compiled for.
pub(super) struct Purpose<'p> {
    /// When it will run.
    pub(super) phase: Phase,
    /// What it sees beside the usual names.
    pub(super) more: &'p [&'p str],
    pub(super) limits: Limits,
    /// Where its modules are looked for first: the folder of the file that names it.
    pub(super) folder: &'p Path,
}

/// Compiles a script with all that it imports; tells all that is wrong with them.
pub(super) fn compile(text: &Text, purpose: &Purpose<'_>) -> Result<Arc<Compiled>, Vec<Error>> {
    let (ast, mut problems) = parse(text, purpose.more, &purpose.limits);
    let Some(ast) = ast else { return Err(problems) };
    let (imports, broken) = Imports::load(text, &ast, purpose.folder);
    let audit = audit::audit(text, &ast, Some(purpose.phase), &imports);
    // What is called on an unknown name is unknown too: `JSON.parse(…)` is one mistake.
    let line = |error: &Error| error.place.as_ref().map(|place| place.position().line);
    let lines: Vec<_> = problems.iter().map(line).collect();
    let others = audit.problems.into_iter().filter(|problem| !lines.contains(&line(problem)));
    problems.extend(broken.into_iter().chain(others));
    if !problems.is_empty() {
        return Err(problems);
    }
    let roomy = !imports.is_empty() || room::is_needed(&ast);
    let limits = purpose.limits;
    Ok(Arc::new(Compiled { ast, roomy, limits, imports: Arc::new(imports), facts: audit.facts }))
}

/// Parses a script that sees the usual names and `more`. A name that nobody gave is told, and then
/// taken as given, so that the next one is found too.
pub(super) fn parse(text: &Text, more: &[&str], limits: &Limits) -> (Option<AST>, Vec<Error>) {
    const MOST: usize = 20;
    let mut visible = Visible::new();
    for name in NAMES.iter().chain(more) {
        visible.push_dynamic(*name, Dynamic::UNIT);
    }
    let mut engine = limited(limits);
    let mut problems: Vec<Error> = Vec::new();
    loop {
        let parse = || engine.compile_with_scope(&visible, text.as_str());
        let error = match catch_unwind(AssertUnwindSafe(parse)) {
            Ok(Ok(ast)) => return (Some(ast), problems),
            Ok(Err(error)) => error,
            Err(_) => return (None, vec![explain::panicked(text)]),
        };
        let told = explain::syntax(text, &error, more);
        match error.err_type() {
            ParseErrorType::VariableUndefined(name) if !visible.contains(name) => {
                visible.push_dynamic(name.clone(), Dynamic::UNIT);
            }
            ParseErrorType::ModuleUndefined(name) if problems.len() < MOST => {
                engine.register_static_module(name, Module::new().into());
            }
            _ => {
                // What follows an unknown name in its line is often no script at all: `x => x + 1`.
                let line = |error: &Error| error.place.as_ref().map(|place| place.position().line);
                if !problems.iter().any(|before| line(before) == line(&told)) {
                    problems.push(told);
                }
                return (None, problems);
            }
        }
        problems.push(told);
        if problems.len() == MOST {
            return (None, problems);
        }
    }
}

impl Compiled {
    /// Where something stands: in the script, or in the module that it imports by the name `source`.
    pub(super) fn place(&self, text: &Text, source: Option<&str>, position: Position) -> Place {
        let unit = source.and_then(|source| self.imports.get(source));
        unit.map_or(text, |unit| &unit.text).place(position)
    }
}

/// Runs a compiled script.
pub(super) fn run(text: &Text, compiled: &Compiled, host: Host) -> Ran {
    let ran = room::with(compiled.roomy, || evaluate(text, compiled, host));
    ran.unwrap_or_else(|| Ran {
        ending: Err(explain::panicked(text)),
        place: None,
        checks: Vec::new(),
        marks: Marks::NONE,
    })
}

fn evaluate(text: &Text, compiled: &Compiled, host: Host) -> Ran {
    let run = Run::new(host, compiled.limits);
    let evaluate = |engine: &Engine| engine.run_ast_with_scope(&mut Visible::new(), &compiled.ast);
    let (ending, place) = finish(text, compiled, &run, guarded(text, compiled, &run, evaluate));
    if matches!(ending, Ok(Ending::Done)) {
        keep_request(&run);
    }
    let mut state = run.state();
    let checks = std::mem::take(&mut state.checks).into_iter();
    let checks = checks.map(|(name, passed, (source, position))| {
        let place = Some(compiled.place(text, source.as_deref(), position));
        Checked { name, passed, place }
    });
    Ran { ending, place, checks: checks.collect(), marks: std::mem::take(&mut state.seen) }
}

/// Evaluates with an engine of its own. A panic below is an error like any other, and what ended the
/// script did so, also where a `try` caught it.
pub(super) fn guarded<T>(
    text: &Text,
    compiled: &Compiled,
    run: &Arc<Run>,
    evaluate: impl FnOnce(&Engine) -> Result<T, Failure>,
) -> Result<T, Result<Failure, Error>> {
    let engine = engine(run, compiled);
    match catch_unwind(AssertUnwindSafe(|| evaluate(&engine))) {
        Ok(Ok(evaluated)) => match run.stopped() {
            None => Ok(evaluated),
            Some((stop, position)) => {
                let token = Dynamic::from(stop.clone());
                Err(Ok(EvalAltResult::ErrorTerminated(token, *position).into()))
            }
        },
        Ok(Err(failure)) => Err(Ok(failure)),
        Err(_) => Err(Err(explain::panicked(text))),
    }
}

/// How the evaluation ended, and where, if one of our functions ended it.
pub(super) fn finish<T>(
    text: &Text,
    compiled: &Compiled,
    run: &Run,
    evaluated: Result<T, Result<Failure, Error>>,
) -> (Result<Ending, Error>, Option<Place>) {
    let failure = match evaluated {
        Ok(_) => return (Ok(Ending::Done), None),
        Err(Err(panicked)) => return (Err(panicked), None),
        Err(Ok(failure)) => failure,
    };
    if let EvalAltResult::ErrorTerminated(token, position) = failure.unwrap_inner()
        && let Some(Stop::Ending(ending)) = token.read_lock::<Stop>().as_deref()
    {
        // Rhai moves it out of functions and modules to where the script called them.
        return (Ok(ending.clone()), Some(text.place(*position)));
    }
    (Err(explain::failure(text, compiled, run, *failure)), None)
}

fn keep_request(run: &Run) {
    let draft = {
        let mut state = run.state();
        if state.dirty { state.draft.take() } else { None }
    };
    if let (Some(cell), Some(draft)) = (&run.host.request, draft) {
        cell.set(draft);
    }
}

/// An engine with every limit but those that a run counts itself.
pub(super) fn limited(limits: &Limits) -> Engine {
    let mut engine = Engine::new_raw();
    engine.register_global_module(api::standard()).register_global_module(api::global());
    for (name, module) in api::named() {
        engine.register_static_module(name, Arc::clone(module));
    }
    engine
        .set_optimization_level(OptimizationLevel::None)
        .set_strict_variables(true)
        .set_max_call_levels(CALLS)
        .set_max_expr_depths(EXPRESSION_DEPTH, EXPRESSION_DEPTH / 2)
        .set_max_string_size(limits.text)
        .set_max_array_size(ELEMENTS)
        .set_max_map_size(ELEMENTS)
        .set_max_variables(VARIABLES)
        .set_max_modules(MODULES)
        .set_module_resolver(DummyModuleResolver::new())
        .disable_symbol("eval")
        // Closures do by themselves what it does.
        .disable_symbol("curry");
    engine
}

#[expect(deprecated, reason = "`on_var` is only marked as volatile; nothing else sees a read of a name")]
fn engine(run: &Arc<Run>, compiled: &Compiled) -> Engine {
    let mut engine = limited(&compiled.limits);
    if !compiled.imports.is_empty() {
        engine.set_module_resolver(Resolver::new(&compiled.imports));
    }
    engine.set_default_tag(Dynamic::from(Arc::clone(run)));
    let watched = Arc::clone(run);
    engine.on_progress(move |_| watched.must_stop().map(Dynamic::from));
    let printing = Arc::clone(run);
    engine.on_print(move |text| tell(&printing, text));
    let debugging = Arc::clone(run);
    engine.on_debug(move |text, _, _| tell(&debugging, text));
    let reading = Arc::clone(run);
    engine.on_var(move |name, index, context| {
        if reading.is_time_to_weigh() {
            weigh(&context)?;
        }
        // A variable of the script's own hides ours.
        if index > 0 || !NAMES.contains(&name) || context.scope().contains(name) {
            return Ok(None);
        }
        match handles::by_name(name) {
            Some(handle) => Ok(Some(handle)),
            None => visible(&reading, name).map(Some),
        }
    });
    engine
}

/// Tells what a script prints, until it is too much: then the script is stopped.
fn tell(run: &Run, text: &str) {
    if run.may_tell(text) {
        (run.host.on_print)(&run.clean(text));
    }
}

/// Rhai weighs what an operation made, but not the map or list that it was put into: so all that
/// is in sight is weighed from time to time.
fn weigh(context: &EvalContext) -> Result<(), Failure> {
    let variables = context.scope().iter_raw().map(|(_, _, value)| value);
    let unlocked =
        variables.chain(context.this_ptr()).filter(|value| !value.is_shared() || !value.is_locked());
    for value in unlocked {
        context.engine().ensure_data_size_within_limits(value)?;
        if room::is_too_deep(value) {
            return Err(EvalAltResult::ErrorDataTooLarge(NESTED.into(), Position::NONE).into());
        }
    }
    Ok(())
}

/// `data` and `env_name`: what the run gives beside the variables.
fn visible(run: &Run, name: &str) -> Answer {
    let found = match run.host.scope.get(name) {
        Some(found) => found,
        // Without `--env` it is null, also where no text of the workflow names it.
        None if name == "env_name" => return Ok(Dynamic::UNIT),
        None => return Err(run.error(format!("there is no `{name}` in this run"), None)),
    };
    run.note(&found.marks);
    if let Some(secret) = &found.marks.secret {
        run.note_secret(secret, &found.value);
    }
    Ok(to_dynamic(&found.value))
}

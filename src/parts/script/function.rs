//! Functions behind the routes of a mock: `fn token(request, state) -> reply`.
//!
//! They see the same modules as every script, but nothing of a workflow. `request` and `state`
//! are native maps, so that `state.users["ann"].count += 1` changes what it says.

use std::fmt;
use std::sync::Arc;

use rhai::{Dynamic, Engine, Scope as Visible};

use crate::ground::diagnostic::did_you_mean;
use crate::ground::read::Reading;
use crate::ground::value::Value;
use crate::ground::yaml::Scalar;
use crate::parts::script::engine::{self, Compiled, Purpose};
use crate::parts::script::explain;
use crate::parts::script::file;
use crate::parts::script::limits::Limits;
use crate::parts::script::room;
use crate::parts::script::run::{Failure, Run};
use crate::parts::script::text::Text;
use crate::parts::script::value::{to_native, to_value};
use crate::parts::script::{Ending, Error, Host, Phase};

/// The names that a function's body sees beside the usual ones.
const PARAMETERS: [&str; 2] = ["request", "state"];

/// A compiled function of two parameters.
#[derive(Clone)]
pub struct Function {
    text: Text,
    compiled: Arc<Compiled>,
    /// Its name; `None` where the whole script is its body.
    name: Option<Arc<str>>,
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Function").field(&self.name).finish()
    }
}

/// A file of functions, compiled once for all the routes that name it.
#[derive(Clone)]
pub struct FunctionFile {
    /// Its path, as it was written.
    path: Arc<str>,
    text: Text,
    compiled: Arc<Compiled>,
}

impl FunctionFile {
    /// Reads a script's file, whose path is relative to the file that names it. Mistakes are
    /// reported.
    pub fn read(path: &Scalar, reading: &Reading) -> Option<Self> {
        let text = file::read(path, reading)?;
        let compiled = compile(&text, reading)?;
        Some(Self { path: Arc::clone(&path.text), text, compiled })
    }

    /// One of its functions; that there is none is reported.
    pub fn function(&self, function: &Scalar, reading: &Reading) -> Option<Function> {
        let names: Vec<(String, usize)> = self
            .compiled
            .ast
            .iter_functions()
            .map(|known| (known.name.to_owned(), known.params.len()))
            .collect();
        let arity = names.iter().find(|(name, _)| **name == *function.text);
        if names.iter().any(|(name, arity)| **name == *function.text && *arity == PARAMETERS.len()) {
            let (text, compiled) = (self.text.clone(), Arc::clone(&self.compiled));
            return Some(Function { text, compiled, name: Some(Arc::clone(&function.text)) });
        }
        let name = &function.text;
        let message = match arity {
            Some((_, arity)) => format!("`{name}` takes {arity} parameters; it must take two"),
            None => format!("there is no function `{name}` in `{}`", self.path),
        };
        let help = did_you_mean(name, names.iter().map(|(name, _)| name.as_str()));
        let help = help.unwrap_or_else(|| format!("write `fn {name}(request, state) {{ … }}`"));
        reading.error_with(function.span, message, help);
        None
    }
}

fn compile(text: &Text, reading: &Reading) -> Option<Arc<Compiled>> {
    let purpose = Purpose {
        phase: Phase::Mock,
        more: &PARAMETERS[1..],
        limits: Limits::default(),
        folder: reading.source.folder(),
    };
    match engine::compile(text, &purpose) {
        Ok(compiled) => Some(compiled),
        Err(errors) => {
            for error in errors {
                reading.report(error.into());
            }
            None
        }
    }
}

impl Function {
    /// Reads a function whose body stands in the YAML. Mistakes are reported.
    pub fn inline(body: &Scalar, reading: &Reading) -> Option<Self> {
        let text = Text::inline(&reading.source, body);
        let compiled = compile(&text, reading)?;
        Some(Self { text, compiled, name: None })
    }

    /// Calls it and returns its reply. What it changed in `state` is there afterwards, unless it
    /// broke. Only the scope's clock and needles and the host's limits are used.
    ///
    /// # Errors
    /// Why the script broke, or what it said to `fail`.
    pub fn call(&self, request: &Value, state: &mut Value, host: Host) -> Result<Value, Error> {
        room::with(self.compiled.roomy, || self.reply(request, state, host))
            .unwrap_or_else(|| Err(explain::panicked(&self.text)))
    }

    fn reply(&self, request: &Value, state: &mut Value, host: Host) -> Result<Value, Error> {
        let run = Run::new(host, self.compiled.limits);
        let changing = to_native(state).into_shared();
        let request = to_native(request);
        let evaluated = engine::guarded(&self.text, &self.compiled, &run, |engine| {
            let reply = self.evaluate(engine, request, changing.clone())?;
            let reply = to_value(&reply, None).map_err(|why| in_reply("reply", &why))?;
            let state = to_value(&changing, Some(state)).map_err(|why| in_reply("state", &why))?;
            Ok((reply, state))
        });
        match evaluated {
            Ok((reply, after)) => {
                *state = after;
                Ok(reply)
            }
            Err(broken) => Err(self.broken(&run, Err::<(), _>(broken))),
        }
    }

    fn evaluate(&self, engine: &Engine, request: Dynamic, state: Dynamic) -> Result<Dynamic, Failure> {
        let mut visible = Visible::new();
        let ast = &self.compiled.ast;
        if let Some(name) = &self.name {
            return engine.call_fn(&mut visible, ast, &**name, (request, state));
        }
        visible.push_dynamic("request", request);
        visible.push_dynamic("state", state);
        engine.eval_ast_with_scope(&mut visible, ast)
    }

    fn broken(&self, run: &Run, broken: Result<(), Result<Failure, Error>>) -> Error {
        match engine::finish(&self.text, &self.compiled, run, broken) {
            (Err(error), _) => error,
            (Ok(ending), place) => Error {
                message: match ending {
                    Ending::Fail(why) => why,
                    _ => "the script ended without a reply".to_owned(),
                },
                help: None,
                place,
            },
        }
    }
}

fn in_reply(what: &str, why: &str) -> Failure {
    format!("the {what} is not JSON: {why}").into()
}

//! What a script sees of the world: `vars`, `request`, `response`, `steps`.
//!
//! They are values without content: each finds its run when it is used. So they are seen inside
//! functions and closures too, where Rhai hides variables: the engine finds them by name.

use std::sync::Arc;

use rhai::NativeCallContext as Context;
use rhai::{Array, Dynamic, FuncRegistration, ImmutableString, Module, Variant};

use crate::ground::diagnostic::did_you_mean;
use crate::ground::secret::is_secret_name;
use crate::ground::value::{Map, Value};
use crate::parts::http::Response;
use crate::parts::scope::StepRecord;
use crate::parts::script::Phase;
use crate::parts::script::request;
use crate::parts::script::run::{Answer, Failure, Run};
use crate::parts::script::value::to_dynamic;

/// `vars`: the variables of the workflow.
#[derive(Debug, Clone, Copy)]
struct Vars;

/// `steps`: what finished steps left behind.
#[derive(Debug, Clone, Copy)]
struct Steps;

/// `steps.<id>`.
#[derive(Debug, Clone)]
struct Step {
    id: Arc<str>,
    record: StepRecord,
}

/// `response`, and what `http::` returns.
#[derive(Debug, Clone)]
pub(super) enum Answered {
    /// The answer of the current step.
    Current,
    /// An answer to the script itself.
    Given(Arc<Response>),
}

/// The headers of an answer.
#[derive(Debug, Clone)]
struct Headers(Arc<Response>);

/// What a script can read of an answer.
pub(super) const FIELDS: [&str; 7] = ["status", "headers", "json", "body", "time_ms", "url", "cookies"];

/// The names that every script sees.
pub(super) const NAMES: [&str; 6] = ["vars", "request", "response", "steps", "data", "env_name"];

/// The handle of that name.
pub(super) fn by_name(name: &str) -> Option<Dynamic> {
    match name {
        "vars" => Some(Dynamic::from(Vars)),
        "request" => Some(request::handle()),
        "response" => Some(Dynamic::from(Answered::Current)),
        "steps" => Some(Dynamic::from(Steps)),
        _ => None,
    }
}

/// Registers what the handles can do.
pub(super) fn register(module: &mut Module) {
    vars(module);
    steps(module);
    responses(module);
    request::register(module);
}

/// Reads a member by its name: `x.name`, `x["name"]`.
pub(super) fn readable<T: Variant + Clone>(
    module: &mut Module,
    name: &str,
    get: fn(&Run, &T, &str) -> Answer,
) {
    module.set_custom_type::<T>(name);
    FuncRegistration::new_index_getter()
        .set_into_module(module, move |context: Context, this: &mut T, key: ImmutableString| {
            get(&*Run::of(&context)?, this, &key)
        });
    // Rhai gives every value a property `tag` of its own; here it is a name like any other.
    FuncRegistration::new_getter("tag").set_into_module(module, move |context: Context, this: &mut T| {
        get(&*Run::of(&context)?, this, "tag")
    });
}

/// Writes a member by its name. The handle itself stays as it is, and so may be a constant.
pub(super) fn writable<T: Variant + Clone>(
    module: &mut Module,
    set: fn(&Run, &T, &str, &Dynamic) -> Result<(), Failure>,
) {
    FuncRegistration::new_index_setter().with_purity(true).set_into_module(
        module,
        move |context: Context, this: &mut T, key: ImmutableString, value: Dynamic| {
            set(&*Run::of(&context)?, this, &key, &value)
        },
    );
    FuncRegistration::new_setter("tag")
        .with_purity(true)
        .set_into_module(module, move |context: Context, this: &mut T, value: Dynamic| {
            set(&*Run::of(&context)?, this, "tag", &value)
        });
}

/// A method with one text.
pub(super) fn method<T: Variant + Clone>(module: &mut Module, name: &str, run: fn(&Run, &T, &str) -> Answer) {
    FuncRegistration::new(name)
        .in_global_namespace()
        .set_into_module(module, move |context: Context, this: &mut T, key: ImmutableString| {
            run(&*Run::of(&context)?, this, &key)
        });
}

/// A method without arguments.
pub(super) fn bare_method<T: Variant + Clone>(module: &mut Module, name: &str, run: fn(&Run, &T) -> Answer) {
    FuncRegistration::new(name)
        .in_global_namespace()
        .set_into_module(module, move |context: Context, this: &mut T| run(&*Run::of(&context)?, this));
}

fn vars(module: &mut Module) {
    readable::<Vars>(module, "vars", |run, _, name| {
        in_workflow(run, "vars")?;
        run.variable(name)
    });
    writable::<Vars>(module, |run, _, name, value| {
        in_workflow(run, "vars")?;
        run.set_variable(name, value)
    });
    for name in ["has", "contains"] {
        method::<Vars>(module, name, |run, _, name| {
            in_workflow(run, "vars")?;
            Ok(run.host.scope.has(name).into())
        });
    }
    method::<Vars>(module, "remove", |run, _, name| {
        in_workflow(run, "vars")?;
        run.remove_variable(name)
    });
}

/// A mock is a server of its own: it sees nothing of the run that calls it.
pub(super) fn in_workflow(run: &Run, what: &str) -> Result<(), Failure> {
    if run.host.phase == Phase::Mock {
        let help = "a mock sees `request` and `state` only";
        return Err(run.error(format!("there is no `{what}` in a mock"), Some(help.to_owned())));
    }
    Ok(())
}

fn steps(module: &mut Module) {
    readable::<Steps>(module, "steps", |run, _, id| {
        in_workflow(run, "steps")?;
        let Some(record) = run.host.scope.step(id) else {
            let ids = run.host.scope.step_ids();
            let help = did_you_mean(id, ids.iter().map(AsRef::as_ref));
            let help = help
                .or_else(|| Some(format!("steps so far: {}", ids.join(", "))).filter(|_| !ids.is_empty()));
            return Err(run.error(format!("no step `{id}` has run yet"), help));
        };
        let id = id.into();
        Ok(Dynamic::from(Step { id, record }))
    });
    method::<Steps>(module, "contains", |run, _, id| Ok(run.host.scope.step(id).is_some().into()));
    readable::<Step>(module, "step", step_field);
}

fn step_field(run: &Run, step: &Step, field: &str) -> Answer {
    match (field, &step.record) {
        ("verdict", record) => Ok(record.verdict.into()),
        ("outputs", StepRecord { outputs: Some(outputs), .. }) => {
            for found in outputs.values() {
                run.note(&found.marks);
                if let Some(name) = &found.marks.secret {
                    run.note_secret(name, &found.value);
                }
            }
            let members = outputs.iter().map(|(name, found)| (Arc::clone(name), found.value.clone()));
            Ok(to_dynamic(&members.collect::<Map>().into()))
        }
        ("outputs", _) => Err(run.error(
            format!("step `{}` has no outputs", step.id),
            Some("only a step that `uses` another workflow has them".to_owned()),
        )),
        (_, StepRecord { response: Some(response), .. }) => {
            response_field(run, response, field, &format!("steps.{}", step.id))
        }
        _ => Err(run.error(
            format!("step `{}` got no response; it was {}", step.id, step.record.verdict),
            Some(format!("ask for `steps.{}.verdict` first", step.id)),
        )),
    }
}

fn responses(module: &mut Module) {
    readable::<Answered>(module, "response", |run, answered, field| match answered {
        Answered::Given(response) => response_field(run, response, field, "the response"),
        Answered::Current => match run.host.scope.response() {
            Some(response) => response_field(run, response, field, "response"),
            None => Err(no_response(run)),
        },
    });
    readable::<Headers>(module, "headers", |run, headers, name| Ok(header(run, headers, name)));
    method::<Headers>(module, "contains", |_, headers, name| Ok(headers.0.header(name).is_some().into()));
    bare_method::<Headers>(module, "keys", |_, headers| {
        let names = headers.0.headers.keys().map(|name| name.as_str().into());
        Ok(names.collect::<Array>().into())
    });
}

fn no_response(run: &Run) -> Failure {
    let help = match run.host.phase {
        Phase::Before => "nothing was sent yet: use `after`",
        Phase::Mock => "a mock sees `request` and `state` only",
        Phase::After | Phase::Alone => "read `steps.<id>` for the answer of an earlier step",
    };
    run.error("there is no `response` here", Some(help.to_owned()))
}

fn response_field(run: &Run, response: &Arc<Response>, field: &str, whose: &str) -> Answer {
    run.note_server();
    Ok(match field {
        "status" => i64::from(response.status).into(),
        "headers" => Dynamic::from(Headers(Arc::clone(response))),
        "json" => match response.json() {
            Ok(value) => {
                if value.as_object().is_none() {
                    run.note_deep("", value);
                }
                to_dynamic(value)
            }
            Err(why) => {
                return Err(run.error(
                    format!("the body of {whose} is not JSON: {why}"),
                    Some("read `.body` for the text".to_owned()),
                ));
            }
        },
        "body" => {
            note_body(run, response);
            response.text().into_owned().into()
        }
        "time_ms" => i64::try_from(response.timing.total.as_millis()).unwrap_or(i64::MAX).into(),
        "url" => response.url.as_str().into(),
        "cookies" => to_dynamic(&cookies(run, response)),
        _ => return Err(unknown_field(run, field, whose, &FIELDS)),
    })
}

/// Whoever reads the whole text reads the secrets in it.
fn note_body(run: &Run, response: &Response) {
    if response.media_type().is_some_and(|media| media.ends_with("json"))
        && let Ok(value) = response.json()
    {
        run.note_deep("", value);
    }
}

/// A cookie is a secret, whatever its name.
fn cookies(run: &Run, response: &Response) -> Value {
    let mut found = Map::default();
    for (name, value) in response.cookies() {
        let value = Value::String(Arc::clone(value));
        run.note_secret(name, &value);
        found.insert(Arc::clone(name), value);
    }
    found.into()
}

fn header(run: &Run, headers: &Headers, name: &str) -> Dynamic {
    let Some(value) = headers.0.header(name) else {
        return Dynamic::UNIT;
    };
    if is_secret_name(name) {
        run.note_secret(name, &value.as_str().into());
    } else {
        run.note_member(name, &value.as_str().into());
    }
    value.into()
}

/// An error for a field that is not there.
pub(super) fn unknown_field(run: &Run, field: &str, whose: &str, known: &[&str]) -> Failure {
    let help =
        did_you_mean(field, known.iter().copied()).unwrap_or_else(|| format!("it has {}", known.join(", ")));
    run.error(format!("{whose} has no `{field}`"), Some(help))
}

//! What steers a run: `check`, `fail`, `skip`, `next`, `stop`; and what is said of secrets.
//!
//! The four that end a script end it where no `try` can catch it.

use rhai::{Dynamic, EvalAltResult, Position};

use crate::parts::script::api::{Call, Entry};
use crate::parts::script::run::{Answer, Stop};
use crate::parts::script::{Ending, Phase};

pub(in crate::parts::script) const TABLE: &[Entry] = &[
    Entry::new("check", &["name", "passed"], "an expectation: told in the report, and fails the step", check),
    Entry::new("fail", &["why"], "fails the step and ends the script", fail),
    Entry::new("skip", &[], "skips the step and ends the script", |call| end(call, Ending::Skip)),
    Entry::new("next", &["id"], "goes on with another step and ends the script", next),
    Entry::new("stop", &[], "ends the workflow and the script", |call| end(call, Ending::Stop)),
    Entry::new("secret", &["value"], "marks a value as a secret and returns it", secret),
    Entry::new("reveal", &["value"], "lets a value be shown though it is a secret, and returns it", |call| {
        Ok(reveal(call))
    }),
    Entry::new("sleep", &["seconds"], "not there: waiting is the step's", sleep).instead_of_rhai(),
];

fn check(call: &mut Call) -> Answer {
    let name = call.text(0)?;
    let passed = call.truth(1)?;
    if !call.run.may_tell(&name) {
        return Ok(Dynamic::UNIT);
    }
    let name = call.run.clean(&name);
    if call.run.host.phase == Phase::Mock {
        return Err(call.error("is an expectation of a workflow, and a mock is none"));
    }
    call.run.state().checks.push((name, passed, (call.source.clone(), call.position)));
    Ok(Dynamic::UNIT)
}

fn fail(call: &mut Call) -> Answer {
    let why = call.take(0).to_string();
    let why = call.run.clean(&why);
    end(call, Ending::Fail(why))
}

fn next(call: &mut Call) -> Answer {
    let id = call.text(0)?;
    end(call, Ending::Next(id))
}

fn end(call: &Call, ending: Ending) -> Answer {
    if call.run.host.phase == Phase::Mock && !matches!(ending, Ending::Fail(_)) {
        return Err(call.error("steers a workflow, and a mock is none"));
    }
    // A place in a module would be looked for in the script.
    let position = if call.source.is_none() { call.position } else { Position::NONE };
    let token = Dynamic::from(call.run.stop(Stop::Ending(ending), position));
    Err(EvalAltResult::ErrorTerminated(token, call.position).into())
}

fn secret(call: &mut Call) -> Answer {
    let value = call.take(0);
    call.run.declare_secret(&value)?;
    Ok(value)
}

fn reveal(call: &mut Call) -> Dynamic {
    let value = call.take(0);
    call.run.reveal(&value);
    value
}

fn sleep(call: &mut Call) -> Answer {
    let help = "wait with the step's `repeat: { every: 2s, until: … }` or `retry`";
    Err(call.run.error("a script cannot sleep", Some(help.to_owned())))
}

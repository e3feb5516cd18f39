//! A run: a plan goes in, events and an outcome come out.

pub mod context;
mod dry;
pub mod event;
mod exchange;
mod extract;
mod flow;
mod for_each;
mod jwks;
mod learn;
mod origins;
pub mod outcome;
mod parallel;
mod refusal;
mod repeat;
mod run;
mod script;
mod short_secrets;
mod show;
mod step;
mod tell;
mod uses;

pub use context::{Cancel, Context};
pub use event::{Detail, Event, EventKind};
pub use outcome::{Cause, Failure, Finished, Folding, Outcome, StepOutcome, Verdict};
pub use run::run;
pub use short_secrets::ShortSecrets;

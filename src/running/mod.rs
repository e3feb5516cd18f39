//! A run: a plan goes in, events and an outcome come out.

pub mod context;
mod dry;
mod each;
pub mod event;
mod exchange;
mod flow;
mod keys;
mod origins;
pub mod outcome;
mod parallel;
mod passes;
mod run;
mod script;
mod show;
mod step;

pub use context::{Cancel, Context};
pub use event::{Detail, Event, EventKind};
pub use outcome::{Cause, Failure, Finished, Folding, Outcome, StepOutcome, Verdict};
pub use run::run;

//! A run: a plan goes in, events and an outcome come out.

pub mod event;
pub mod outcome;

pub use event::{Detail, Event, EventKind};
pub use outcome::{Cause, Failure, Finished, Outcome, StepOutcome, Verdict};

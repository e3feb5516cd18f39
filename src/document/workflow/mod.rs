//! The workflow: one YAML file, read into types, every mistake told before anything is sent.

mod check;
mod declared;
mod input;
mod model;
mod parse;
mod step;

pub use declared::Declared;
pub use input::{Input, Kind};
pub use model::{Action, Mock, Output, Step, Uses, Variable, Workflow};

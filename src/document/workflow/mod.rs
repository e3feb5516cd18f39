//! The workflow: one YAML file, read into types, every mistake told before anything is sent.

mod check;
mod declared;
pub mod graph;
mod input;
mod model;
mod parse;
pub mod schema;
mod step;

pub use declared::Declared;
pub use input::{Input, Kind};
pub use model::{Action, Mock, Output, Step, Uses, Variable, Workflow};

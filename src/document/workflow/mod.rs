//! The workflow: one YAML file, read into types, every mistake told before anything is sent.

mod check;
mod command;
mod declared;
pub mod graph;
mod input;
mod mock;
mod model;
mod only;
mod parse;
mod reads;
pub mod schema;
mod step;

pub use command::Command;
pub use declared::Declared;
pub use input::{Input, Kind, exact};
pub use mock::{StandIn, read_self_signed};
pub use model::{Action, Output, Step, Uses, Variable, Workflow};
pub use only::unknown_step;
pub use reads::{Names, NamesRead};

//! `reqchain schema`: the JSON Schema of what people write, so that editors complete, explain and
//! validate it.

use clap::Args;

use crate::cli::exit::Exit;
use crate::cli::terminal::print;
use crate::cli::{Refused, trouble};
use crate::document::workflow::schema;

/// Print the JSON Schema of workflows, for editors
#[derive(Debug, Args)]
pub struct Arguments {
    /// The schema of mocks
    #[arg(long, conflicts_with = "environment")]
    pub mock: bool,
    /// The schema of environment files
    #[arg(long)]
    pub environment: bool,
}

/// Prints the schema to stdout.
///
/// # Errors
/// A stdout that cannot be written to.
pub fn execute(arguments: &Arguments) -> Result<Exit, Refused> {
    let schema = match arguments {
        Arguments { mock: true, .. } => schema::mock(),
        Arguments { environment: true, .. } => schema::environment(),
        _ => schema::workflow(),
    };
    print(&format!("{schema:#}\n")).map_err(|error| trouble("cannot write to stdout", &error))?;
    Ok(Exit::Passed)
}

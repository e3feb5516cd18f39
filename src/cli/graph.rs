//! `reqchain graph`: a workflow as a Mermaid flowchart, for a README or a review.

use std::path::PathBuf;

use clap::Args;

use crate::cli::exit::Exit;
use crate::cli::terminal::print;
use crate::cli::{Refused, is_trusted, load, refusal, trouble};
use crate::document::workflow::graph::graph;

/// Draw a workflow as a Mermaid flowchart
#[derive(Debug, Args)]
pub struct Arguments {
    /// The workflow's file
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Draw which step reads what another one found, too
    #[arg(long)]
    pub variables: bool,
    /// Read files that lie outside the project, too; `REQCHAIN_TRUST=1` says the same
    #[arg(long)]
    pub trust: bool,
}

/// Prints the chart to stdout.
///
/// # Errors
/// A workflow with mistakes, and a stdout that cannot be written to.
pub fn execute(arguments: &Arguments) -> Result<Exit, Refused> {
    let workflow = load(&arguments.file, is_trusted(arguments.trust)).map_err(refusal)?;
    let chart = graph(&workflow, arguments.variables);
    print(&chart).map_err(|error| trouble("cannot write to stdout", &error))?;
    Ok(Exit::Passed)
}

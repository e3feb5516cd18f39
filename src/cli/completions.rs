//! `reqchain completions`: what a shell needs to complete commands and flags.

use clap::{Args, Command};
use clap_complete::Shell;

use crate::cli::exit::Exit;
use crate::cli::terminal::print;
use crate::cli::{Refused, trouble};

/// Print the completions for a shell
#[derive(Debug, Args)]
pub struct Arguments {
    /// bash, zsh, fish, powershell or elvish
    #[arg(value_name = "SHELL", hide_possible_values = true)]
    pub shell: Shell,
}

/// Prints the completions of a command line to stdout.
///
/// # Errors
/// A stdout that cannot be written to.
pub fn execute(arguments: &Arguments, mut whole: Command) -> Result<Exit, Refused> {
    let mut text = Vec::new();
    clap_complete::generate(arguments.shell, &mut whole, "reqchain", &mut text);
    print(&String::from_utf8_lossy(&text)).map_err(|error| trouble("cannot write to stdout", &error))?;
    Ok(Exit::Passed)
}

//! `reqchain man`: the pages that `man reqchain` shows, made of the same words as `--help`.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, Command};
use clap_mangen::Man;

use crate::cli::exit::Exit;
use crate::cli::terminal::{print, tell};
use crate::cli::{Refused, trouble};

/// Print the manual page, or write one for each command
#[derive(Debug, Args)]
pub struct Arguments {
    /// Write a page for each command into this folder
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// Prints the page of a command line to stdout, or writes all pages.
///
/// # Errors
/// A stdout or a folder that cannot be written to.
pub fn execute(arguments: &Arguments, whole: Command) -> Result<Exit, Refused> {
    if let Some(folder) = &arguments.dir {
        write_all(folder, whole)
            .map_err(|error| trouble(&format!("cannot write pages to {}", folder.display()), &error))?;
        tell(&format!(
            "wrote the pages to {}; read one: man -l {}",
            folder.display(),
            folder.join("reqchain.1").display()
        ));
        return Ok(Exit::Passed);
    }
    let mut page = Vec::new();
    let printed = Man::new(whole).render(&mut page).and_then(|()| print(&String::from_utf8_lossy(&page)));
    printed.map_err(|error| trouble("cannot write to stdout", &error))?;
    Ok(Exit::Passed)
}

fn write_all(folder: &Path, whole: Command) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    clap_mangen::generate_to(whole, folder)
}

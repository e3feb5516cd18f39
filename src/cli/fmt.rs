//! `reqchain fmt`: brings files into the one layout. A file that cannot be read, or whose meaning
//! would change, stays as it is.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use crate::cli::exit::Exit;
use crate::cli::terminal::{Terminal, print, tell};
use crate::cli::{Refused, is_trusted, paths, refusal, trouble};
use crate::document::format::format;
use crate::ground::diagnostic::{Diagnostic, Diagnostics, visible};
use crate::ground::read::open;
use crate::ground::source::{Source, project};
use crate::ground::yaml::MAX_BYTES;

/// Format workflows and mocks: order, words and layout; comments stay
#[derive(Debug, Args)]
pub struct Arguments {
    /// Files, and folders with workflows and mocks; `-` is stdin, formatted to stdout
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Write nothing; list what would change, and fail if anything would
    #[arg(long)]
    pub check: bool,
}

/// Formats, and tells which files changed.
///
/// # Errors
/// Paths that lead to no file, and a stdout that cannot be written to.
pub fn execute(arguments: &Arguments, terminal: Terminal) -> Result<Exit, Refused> {
    if arguments.paths.iter().any(|path| path.as_os_str() == "-") {
        return stream(arguments);
    }
    let files = paths::workflows_and_mocks(&arguments.paths, "fmt", is_trusted(false)).map_err(refusal)?;
    let mut exit = Exit::Passed;
    for file in &files {
        match mend(file, arguments.check) {
            Ok(false) => {}
            Ok(true) => {
                tell(&visible(&file.display().to_string()));
                if arguments.check && exit == Exit::Passed {
                    exit = Exit::CheckFailed;
                }
            }
            Err(mistakes) => {
                tell(&format!("{}\n", mistakes.render(terminal.style.is_colored())));
                exit = Exit::Usage;
            }
        }
    }
    Ok(exit)
}

/// Stdin to stdout.
fn stream(arguments: &Arguments) -> Result<Exit, Refused> {
    if arguments.paths.len() > 1 {
        let message = "`-` cannot stand beside other paths";
        return Err(refusal(Diagnostic::error(message).help("format stdin by itself")));
    }
    let mut text = String::new();
    // One byte more than a file may have is enough to be refused for it.
    let read = io::stdin().lock().take(MAX_BYTES as u64 + 1).read_to_string(&mut text);
    read.map_err(|error| refusal(Diagnostic::error(format!("cannot read stdin: {error}"))))?;
    let source = Source::text("stdin", text);
    let formatted = format(&source).map_err(refusal)?;
    if arguments.check {
        let same = formatted == source.as_str();
        if !same {
            tell("stdin");
        }
        return Ok(if same { Exit::Passed } else { Exit::CheckFailed });
    }
    print(&formatted).map_err(|error| trouble("cannot write to stdout", &error))?;
    Ok(Exit::Passed)
}

/// Formats a file; whether it changed, or would.
fn mend(file: &Path, only_check: bool) -> Result<bool, Diagnostics> {
    let source = open(file)?;
    let formatted = format(&source)?;
    // A byte order mark is read away, and nobody would see why the file is listed again and again.
    let changes = formatted != source.as_str() || begins_with_mark(file, &source);
    if changes && !only_check {
        let target = target(file)?;
        replace(&target, &formatted).map_err(|error| cannot_write(file, &error))?;
    }
    Ok(changes)
}

fn begins_with_mark(file: &Path, source: &Arc<Source>) -> bool {
    fs::metadata(file).is_ok_and(|meta| meta.len() != source.as_str().len() as u64)
}

/// The file itself; what a link leads to, if that lies in the project.
fn target(file: &Path) -> Result<PathBuf, Diagnostic> {
    let is_link = fs::symlink_metadata(file).is_ok_and(|meta| meta.is_symlink());
    if !is_link {
        return Ok(file.to_owned());
    }
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = folder.canonicalize().map_err(|error| cannot_write(file, &error))?;
    let target = file.canonicalize().map_err(|error| cannot_write(file, &error))?;
    if target.starts_with(project(&folder)) {
        return Ok(target);
    }
    let message = format!("`{}` is a link that leads out of the project", file.display());
    Err(Diagnostic::error(message).help("format the file that it leads to by its own name"))
}

/// Writes beside the file first, so that it is never half written.
fn replace(file: &Path, text: &str) -> io::Result<()> {
    let permissions = fs::metadata(file)?.permissions();
    if permissions.readonly() {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let beside = file.with_file_name(format!(".{name}.{}.new", std::process::id()));
    let written = write_new(&beside, text)
        .and_then(|()| fs::set_permissions(&beside, permissions))
        .and_then(|()| fs::rename(&beside, file));
    if written.is_err() {
        // What is left of it helps nobody; the error that counts is the first.
        let _ = fs::remove_file(&beside);
    }
    written
}

fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn cannot_write(file: &Path, error: &io::Error) -> Diagnostic {
    Diagnostic::error(format!("cannot write `{}`: {error}", file.display()))
}

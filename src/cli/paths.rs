//! From paths on the command line to workflow files: a folder stands for every workflow below it.
//!
//! Folders that hold other things by their name (mocks, environments, snapshots) and hidden ones
//! are passed by, so that `reqchain run .` does what it seems to say.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::ground::diagnostic::{Diagnostic, Diagnostics, did_you_mean};
use crate::ground::file;
use crate::ground::yaml::MAX_BYTES;

/// Folders whose files are no workflows.
const OTHER: [&str; 3] = [MOCKS, "environments", "snapshots"];
/// The folder of mocks, and of what they read.
const MOCKS: &str = "mocks";
/// The file that marks a project is no workflow either.
const PROJECT: &str = "reqchain.yaml";

/// The workflow files that `paths` stand for, each once, those of a folder sorted by path.
///
/// # Errors
/// No path at all, paths that do not exist, folders without a workflow, and in a folder a link that
/// leads out of its project, unless it is trusted: all of them.
pub fn workflows(paths: &[PathBuf], command: &str, trusted: bool) -> Result<Vec<PathBuf>, Diagnostics> {
    files(paths, command, Wanted { mocks: false, trusted })
}

/// The workflows and mocks that `paths` stand for, as [`workflows`] finds them.
///
/// # Errors
/// As [`workflows`].
pub fn workflows_and_mocks(
    paths: &[PathBuf],
    command: &str,
    trusted: bool,
) -> Result<Vec<PathBuf>, Diagnostics> {
    files(paths, command, Wanted { mocks: true, trusted })
}

/// What is looked for in a folder.
#[derive(Clone, Copy)]
struct Wanted {
    /// Mocks beside workflows.
    mocks: bool,
    /// Files that a link outside the project leads to.
    trusted: bool,
}

fn files(paths: &[PathBuf], command: &str, wanted: Wanted) -> Result<Vec<PathBuf>, Diagnostics> {
    if paths.is_empty() {
        return Err(Diagnostic::error("no workflow is named")
            .help(format!("name files or folders: reqchain {command} workflows"))
            .into());
    }
    let mut found: Vec<PathBuf> = Vec::new();
    let mut wrong = Diagnostics::default();
    for path in paths {
        match expand(path, wanted) {
            Ok(files) => files.into_iter().for_each(|file| {
                if !found.contains(&file) {
                    found.push(file);
                }
            }),
            Err(diagnostic) => wrong.push(diagnostic),
        }
    }
    if wrong.0.is_empty() { Ok(found) } else { Err(wrong) }
}

fn expand(path: &Path, wanted: Wanted) -> Result<Vec<PathBuf>, Diagnostic> {
    let kind = fs::metadata(path).map_err(|error| missing(path, &error))?;
    if !kind.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    walk(path, wanted, &mut files)?;
    if files.is_empty() {
        return Err(Diagnostic::error(format!("there is no workflow in {}", path.display())).help(
            "a workflow is a file that ends in .yaml or .yml, outside of mocks, environments and snapshots",
        ));
    }
    files.sort_by_cached_key(|file| place(file));
    Ok(files)
}

/// Where a file stands among others: those of a folder before those in folders below it, and by
/// the name alone, so that `login` comes before `login-tour`.
fn place(file: &Path) -> Vec<(bool, OsString)> {
    let folders = file.parent().into_iter().flat_map(Path::components);
    let folders = folders.map(|folder| (true, folder.as_os_str().to_owned()));
    let names = [file.file_stem(), file.extension()].into_iter().flatten();
    folders.chain(names.map(|name| (false, name.to_owned()))).collect()
}

fn walk(folder: &Path, wanted: Wanted, files: &mut Vec<PathBuf>) -> Result<(), Diagnostic> {
    let failed = |error| Diagnostic::error(format!("cannot read the folder {}: {error}", folder.display()));
    let holds_mocks = folder.file_name().is_some_and(|name| name == MOCKS);
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        let path = entry.path();
        // A link to a folder is not followed, since it may lead back; a link to a file is a file.
        if entry.file_type().map_err(failed)?.is_dir() {
            if is_searched(&name) || (wanted.mocks && name == MOCKS) {
                walk(&path, wanted, files)?;
            }
        } else if is_workflow(&name) && path.is_file() {
            // Nobody named it: what a link leads to is not opened unasked.
            file::admit(&path, folder, wanted.trusted).map_err(|refused| refused.of(&path))?;
            let fits = if is_mock(&path) { wanted.mocks } else { !(wanted.mocks && holds_mocks) };
            files.extend(fits.then_some(path));
        }
    }
    Ok(())
}

fn is_searched(folder: &OsStr) -> bool {
    let name = folder.to_string_lossy();
    !name.starts_with('.') && !OTHER.contains(&name.as_ref())
}

fn is_workflow(file: &OsStr) -> bool {
    let name = file.to_string_lossy();
    let yaml = Path::new(file).extension().is_some_and(|end| end == "yaml" || end == "yml");
    yaml && !name.starts_with('.') && name != PROJECT
}

/// A mock may lie beside the workflow that names it: it has `routes` and no `steps`. A file that
/// cannot be read is left for its reader to tell.
fn is_mock(path: &Path) -> bool {
    let text = file::bytes(path, MAX_BYTES as u64).and_then(file::text).unwrap_or_default();
    let has = |key: &str| text.lines().any(|line| line.starts_with(key));
    has("routes:") && !has("steps:")
}

fn missing(path: &Path, error: &io::Error) -> Diagnostic {
    if error.kind() != io::ErrorKind::NotFound {
        return Diagnostic::error(format!("cannot read {}: {error}", path.display()));
    }
    Diagnostic::error(format!("there is no file or folder {}", path.display())).maybe_help(neighbour(path))
}

/// Whatever beside the missing file has nearly its name.
fn neighbour(path: &Path) -> Option<String> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let names: Vec<String> = fs::read_dir(folder)
        .ok()?
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    did_you_mean(&path.file_name()?.to_string_lossy(), names.iter().map(String::as_str))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
            fs::write(path, "steps: []\n").expect("a file");
        }
        folder
    }

    fn names(folder: &Path, paths: &[PathBuf]) -> Vec<String> {
        let name = |path: &PathBuf| path.strip_prefix(folder).expect("below").display().to_string();
        paths.iter().map(name).collect()
    }

    #[test]
    fn a_folder_stands_for_every_workflow_below_it_in_order() {
        let folder = tree(&[
            "b-tour.yaml",
            "b.yaml",
            "a/z.yml",
            "a/b/c.yaml",
            "mocks/m.yaml",
            "a/environments/e.yaml",
            "snapshots/s.yaml",
            ".git/x.yaml",
            ".hidden.yaml",
            "reqchain.yaml",
            "notes.md",
            "data.json",
        ]);
        let found = workflows(&[folder.path().to_owned()], "run", false).expect("workflows");
        assert_eq!(names(folder.path(), &found), ["b.yaml", "b-tour.yaml", "a/z.yml", "a/b/c.yaml"]);
    }

    #[test]
    fn a_file_is_taken_as_named_and_only_once() {
        let folder = tree(&["mocks/m.yaml", "flow.txt"]);
        let (mock, flow) = (folder.path().join("mocks/m.yaml"), folder.path().join("flow.txt"));
        let found = workflows(&[mock.clone(), flow.clone(), mock.clone()], "run", false).expect("workflows");
        assert_eq!(found, [mock, flow]);
    }

    #[test]
    fn every_path_that_leads_nowhere_is_told() {
        let folder = tree(&["login.yaml"]);
        let empty = tree(&["mocks/m.yaml"]);
        let wrong = workflows(&[empty.path().to_owned(), folder.path().join("logn.yaml")], "run", false)
            .expect_err("nothing");
        assert_eq!(wrong.0.len(), 2);
        assert!(wrong.0[0].message.starts_with("there is no workflow in"), "{wrong}");
        assert_eq!(wrong.0[1].help.as_deref(), Some("did you mean `login.yaml`?"));
        let none = workflows(&[], "run", false).expect_err("nothing");
        assert_eq!(none.0[0].message, "no workflow is named");
    }
}

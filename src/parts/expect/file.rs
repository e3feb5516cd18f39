//! Files that an expectation names: schemas and key sets, never outside the project.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::ground::read::Reading;
use crate::ground::source::project;
use crate::ground::yaml::Scalar;

/// How large such a file may be, in bytes.
const LARGEST: u64 = 8 << 20;

/// Why a file is not read, behind its name; and what to do.
pub(super) type Refused = (String, Option<&'static str>);

/// A file that was found and read.
pub(super) struct Found {
    pub(super) real: PathBuf,
    /// The project that it belongs to.
    pub(super) project: PathBuf,
    pub(super) bytes: Vec<u8>,
}

/// Reads the file that `path` names from `folder`.
pub(super) fn find(folder: &Path, path: &Path) -> Result<Found, Refused> {
    if path.is_absolute() {
        let help = "write it relative to the file that names it";
        return Err(("is an absolute path".to_owned(), Some(help)));
    }
    let project = project(&fs::canonicalize(folder).map_err(|error| wrong(&error))?);
    let place = folder.join(path);
    let bytes = load(&place, &project)?;
    let real = fs::canonicalize(place).map_err(|error| wrong(&error))?;
    Ok(Found { real, project, bytes })
}

/// Reads a file of a project.
pub(super) fn load(path: &Path, project: &Path) -> Result<Vec<u8>, Refused> {
    let real = fs::canonicalize(path).map_err(|error| wrong(&error))?;
    if !real.starts_with(project) {
        let help = "the project is the nearest folder above with .git, reqchain.yaml or workflows/";
        return Err(("is outside the project".to_owned(), Some(help)));
    }
    // A pipe or a device would block or never end: they are not even opened.
    if !fs::metadata(&real).map_err(|error| wrong(&error))?.is_file() {
        return Err(("is not a file".to_owned(), None));
    }
    let mut bytes = Vec::new();
    let file = fs::File::open(&real).map_err(|error| wrong(&error))?;
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|error| wrong(&error))?;
    if bytes.len() as u64 > LARGEST {
        return Err((format!("is larger than {} MiB", LARGEST >> 20), None));
    }
    Ok(bytes)
}

/// Reports at the name why the file is not read.
pub(super) fn report(name: &Scalar, reading: &Reading, (why, help): Refused) {
    let message = format!("`{}` {why}", name.text);
    match help {
        Some(help) => reading.error_with(name.span, message, help),
        None => reading.error(name.span, message),
    }
}

/// Without the number that the system adds.
fn wrong(error: &std::io::Error) -> Refused {
    let why = match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        kind => kind.to_string(),
    };
    (format!("cannot be read: {why}"), None)
}

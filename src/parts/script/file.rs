//! Scripts in files of their own: found from the workflow, and never outside its project.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::ground::read::Reading;
use crate::ground::source::{Source, project};
use crate::ground::yaml::Scalar;
use crate::parts::script::FILE;
use crate::parts::script::text::Text;

/// Reads the file that `path` names, relative to the file that names it. What is wrong is
/// reported at the name.
pub(super) fn read(path: &Scalar, reading: &Reading) -> Option<Text> {
    let found = load(reading.source.folder(), Path::new(&*path.text));
    match found {
        Ok((place, text)) => Some(Text::whole(Source::file(&place, text))),
        Err((message, help)) => {
            let message = format!("`{}` {message}", path.text);
            match help {
                Some(help) => reading.error_with(path.span, message, help),
                None => reading.error(path.span, message),
            }
            None
        }
    }
}

type Refused = (String, Option<&'static str>);

fn load(folder: &Path, path: &Path) -> Result<(PathBuf, String), Refused> {
    if path.is_absolute() {
        let help = "write it relative to the file that names it";
        return Err(("is an absolute path".to_owned(), Some(help)));
    }
    let place = folder.join(path);
    let wrong = |error: std::io::Error| (format!("cannot be read: {}", reason(&error)), None);
    let real = fs::canonicalize(&place).map_err(wrong)?;
    let project = project(&fs::canonicalize(folder).map_err(wrong)?);
    if !real.starts_with(&project) {
        let help = "the project is the nearest folder above with .git, reqchain.yaml or workflows/";
        return Err(("is outside the project".to_owned(), Some(help)));
    }
    content(&real).map(|text| (place, text))
}

/// The text of a script's file.
pub(super) fn content(file: &Path) -> Result<String, Refused> {
    let wrong = |error: std::io::Error| (format!("cannot be read: {}", reason(&error)), None);
    // A pipe or a device would block or never end: they are not even opened.
    if !fs::metadata(file).map_err(wrong)?.is_file() {
        return Err(("is not a file".to_owned(), None));
    }
    let mut bytes = Vec::new();
    let file = fs::File::open(file).map_err(wrong)?;
    file.take(FILE + 1).read_to_end(&mut bytes).map_err(wrong)?;
    if bytes.len() as u64 > FILE {
        return Err((format!("is larger than {} KiB", FILE / 1024), None));
    }
    String::from_utf8(bytes).map_err(|_| ("is not UTF-8".to_owned(), None))
}

/// Without the number that the system adds.
fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        kind => kind.to_string(),
    }
}

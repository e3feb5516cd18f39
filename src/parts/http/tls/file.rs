//! The files that `tls` names: found from the file that names them, and never outside its project.

use std::fs;
use std::io::{self, Read as _};

use crate::ground::read::Reading;
use crate::ground::source::project;
use crate::ground::yaml::Node;

/// The largest file, in bytes. A bundle of all the world's authorities has 230 kB.
const LARGEST: u64 = 4 * 1024 * 1024;

/// The content of the file that a key names. What is wrong is reported at the name.
pub(super) fn read_file(node: &Node, key: &str, reading: &Reading) -> Option<Vec<u8>> {
    let path = reading.text(node, key)?;
    if path.text.contains("{{") {
        let help = "a file's name is not a template: write it as it is";
        reading.error_with(node.span, format!("`{key}` names a file"), help);
        return None;
    }
    match load(&path.text, reading) {
        Ok(bytes) => Some(bytes),
        Err((why, help)) => {
            let message = format!("`{}` {why}", path.text);
            match help {
                Some(help) => reading.error_with(node.span, message, help),
                None => reading.error(node.span, message),
            }
            None
        }
    }
}

type Refused = (String, Option<&'static str>);

fn load(path: &str, reading: &Reading) -> Result<Vec<u8>, Refused> {
    let wrong = |error: io::Error| (format!("cannot be read: {}", reason(&error)), None);
    let real = fs::canonicalize(reading.source.beside(path)).map_err(wrong)?;
    let project = project(&fs::canonicalize(reading.source.folder()).map_err(wrong)?);
    if !real.starts_with(&project) {
        let help = "the project is the nearest folder above with .git, reqchain.yaml or workflows/";
        return Err(("is outside the project".to_owned(), Some(help)));
    }
    // A pipe or a device would block or never end: they are not even opened.
    if !fs::metadata(&real).map_err(wrong)?.is_file() {
        return Err(("is not a file".to_owned(), None));
    }
    let mut bytes = Vec::new();
    fs::File::open(&real).map_err(wrong)?.take(LARGEST + 1).read_to_end(&mut bytes).map_err(wrong)?;
    if bytes.len() as u64 > LARGEST {
        return Err((format!("is larger than {} MiB", LARGEST >> 20), None));
    }
    Ok(bytes)
}

/// Without the number that the system adds.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        kind => kind.to_string(),
    }
}

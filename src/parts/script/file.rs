//! Scripts in files of their own: found from the workflow, outside its project only with trust.

use std::path::Path;

use crate::ground::file::{self, Refused};
use crate::ground::read::Reading;
use crate::ground::source::Source;
use crate::ground::yaml::Scalar;
use crate::parts::script::FILE;
use crate::parts::script::text::Text;

/// Reads the file that `path` names, relative to the file that names it. What is wrong is
/// reported at the name.
pub(super) fn read(path: &Scalar, reading: &Reading) -> Option<Text> {
    let found = reading.find(&path.text);
    match found.and_then(|found| Ok((content(&found.real)?, found.path))) {
        Ok((text, place)) => Some(Text::whole(Source::file(&place, text))),
        Err(refused) => {
            refused.report(path, reading);
            None
        }
    }
}

/// The text of a script's file.
pub(super) fn content(path: &Path) -> Result<String, Refused> {
    let text = file::text(file::bytes(path, FILE)?)?;
    Ok(match text.strip_prefix('\u{feff}') {
        Some(text) => text.to_owned(),
        None => text,
    })
}

//! The files that `tls` names: found from the file that names them, outside its project only with trust.

use std::path::Path;

use crate::ground::file;
use crate::ground::read::Reading;
use crate::ground::yaml::Node;

/// The largest file, in bytes. A bundle of all the world's authorities has 230 kB.
const LARGEST: u64 = 4 * 1024 * 1024;

/// Whether others than its owner can read or write a file.
#[cfg(unix)]
pub(super) fn is_loose(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & 0o066 != 0)
}

/// Whether others than its owner can read or write a file: not asked where permissions are no bits.
#[cfg(not(unix))]
pub(super) const fn is_loose(_: &Path) -> bool {
    false
}

/// The content of the file that a key names. What is wrong is reported at the name.
pub(super) fn read_file(node: &Node, key: &str, reading: &Reading) -> Option<Vec<u8>> {
    let path = reading.text(node, key)?;
    if path.text.contains("{{") {
        let help = "a file's name is not a template: write it as it is";
        reading.error_with(node.span, format!("`{key}` names a file"), help);
        return None;
    }
    let found = reading.find(&path.text);
    let read = found.and_then(|found| file::bytes(&found.real, LARGEST));
    read.map_err(|refused| refused.report(path, reading)).ok()
}

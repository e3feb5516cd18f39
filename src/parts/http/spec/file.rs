//! `file`: a file whose bytes are sent, as the whole body or as one part of it.
//!
//! A workflow may come from anybody, and a file that it names is sent away: so the file is read
//! only where it is regular, of bounded size and, unless the run is trusted, in the project. Reading
//! a workflow refuses what is not there and warns of what lies outside; planning a run refuses that.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;

use crate::ground::file::{self, Refused};
use crate::ground::read::Reading;
use crate::ground::secret::Marked;
use crate::ground::source::Span;
use crate::ground::yaml::Node;
use crate::parts::http::spec::body::RenderedBody;
use crate::parts::template::Error;

/// The largest file that is sent, and the most that the parts of one request may have together, in
/// bytes: all of it is held in memory, so that it can be sent again.
pub const MAX_FILE: u64 = 256 * 1024 * 1024;

/// A file that is sent.
#[derive(Debug, Clone)]
pub struct BodyFile {
    written: Arc<str>,
    path: PathBuf,
    span: Span,
}

impl BodyFile {
    /// Reads the path under `file`; a file that cannot be sent is reported.
    pub(super) fn read(node: &Node, reading: &Reading) -> Option<Self> {
        let scalar = reading.text(node, "file")?;
        if scalar.text.contains("{{") {
            let help = "write its path; a text that is made goes under `body`, or `value` in a part";
            reading.error_with(scalar.span, "the path of `file` is not a template", help);
            return None;
        }
        let path = reading.source.beside(&scalar.text);
        let file = Self { written: Arc::clone(&scalar.text), path, span: scalar.span };
        match file::open(&file.path, MAX_FILE) {
            Ok(_) => reading.warn_outside(&file.path, scalar, "sent"),
            Err(refused) => {
                let refused = refused.help(format!("it is looked for at {}", file.path.display()));
                let help = refused.advice().unwrap_or_default();
                reading.error_with(scalar.span, file.refused(&refused), help);
                return None;
            }
        }
        Some(file)
    }

    fn refused(&self, why: &Refused) -> String {
        format!("cannot send the file `{}`: {}", self.written, why.why())
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its path as it was written.
    #[must_use]
    pub fn written(&self) -> &str {
        &self.written
    }

    /// Where it is named.
    #[must_use]
    pub const fn span(&self) -> Span {
        self.span
    }

    /// It as a whole body.
    ///
    /// # Errors
    /// As [`BodyFile::load`].
    pub(super) fn render(&self) -> Result<Marked<RenderedBody>, Error> {
        let media = Some(self.media_type().into());
        Ok(Marked::plain(RenderedBody::Bytes { bytes: self.load()?, media }))
    }

    /// Its bytes, as they are now.
    ///
    /// # Errors
    /// Where it is gone, became something else, or cannot be read.
    pub(super) fn load(&self) -> Result<Bytes, Error> {
        let read = file::bytes(&self.path, MAX_FILE);
        read.map(Bytes::from).map_err(|refused| Error::new(self.span, self.refused(&refused)))
    }

    /// Its last name, which a part has where it says none.
    pub(super) fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// The media type that its ending suggests.
    pub(super) fn media_type(&self) -> &'static str {
        mime_guess::from_path(&self.path).first_raw().unwrap_or("application/octet-stream")
    }

    /// What people see in place of its bytes: `<photo.png, 12 bytes>`.
    pub(super) fn shown(&self) -> String {
        match std::fs::metadata(&self.path) {
            Ok(meta) => format!("<{}, {} bytes>", self.name(), meta.len()),
            Err(_) => format!("<{}>", self.name()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ground::source::Source;
    use crate::ground::yaml;

    /// Reads a `file` key of a workflow in that folder: what was told of it.
    fn told(folder: &Path, path: &str) -> String {
        let source = Source::file(&folder.join("flow.yaml"), format!("'{path}'"));
        let reading = Reading::new(&source);
        let node = yaml::read(&source).expect("the YAML is right");
        BodyFile::read(&node, &reading);
        reading.finish().0.iter().map(|problem| problem.message.clone()).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn only_a_regular_file_of_bounded_size_is_sent() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir(at("folder")).expect("made");
        std::fs::write(at("a.bin"), [0, 255]).expect("written");
        let large = std::fs::File::create(at("large.bin")).expect("made");
        large.set_len(MAX_FILE + 1).expect("a sparse file");
        for (path, part) in [
            ("gone.bin", "no such file"),
            ("folder", "a folder"),
            ("large.bin", "larger than 256 MiB: it has 268435457 bytes"),
            ("/dev/null", "not a regular file"),
            ("{{ x }}.bin", "not a template"),
            ("a\u{1}.bin", "no such file"),
        ] {
            let told = told(folder.path(), path);
            assert!(told.contains(part), "{path}: {told}");
        }
        assert_eq!(told(folder.path(), "a.bin"), "");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_that_leads_out_of_the_project_is_warned_of() {
        let outside = tempfile::tempdir().expect("a folder");
        std::fs::write(outside.path().join("key"), "x").expect("written");
        let folder = tempfile::tempdir().expect("a folder");
        std::os::unix::fs::symlink(outside.path().join("key"), folder.path().join("key")).expect("linked");
        std::os::unix::fs::symlink(outside.path(), folder.path().join("in")).expect("linked");
        for path in ["key", "in/key"] {
            assert!(told(folder.path(), path).contains("outside the project"), "{path}");
        }
    }

    #[test]
    fn a_file_that_went_away_after_it_was_read_about_is_an_error() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.TXT");
        std::fs::write(&path, "hello").expect("written");
        let file = BodyFile { written: "a.TXT".into(), path: path.clone(), span: Span::default() };
        assert_eq!(file.load().expect("it is there"), "hello");
        assert_eq!((file.media_type(), file.shown().as_str()), ("text/plain", "<a.TXT, 5 bytes>"));
        std::fs::remove_file(&path).expect("removed");
        let error = file.load().expect_err("it is gone");
        assert_eq!(error.message, "cannot send the file `a.TXT`: there is no such file");
    }
}

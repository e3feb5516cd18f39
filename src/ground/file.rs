//! Files that a text names: one rule for all of them.
//!
//! Such a text may come from anybody. So a file is read only where it is regular (opening a pipe waits
//! for a writer, a device never ends) and no larger than its reader can use; and outside of the project
//! nothing is read without trust.
//! Each reader says in its own words what it wanted; why it does not get it is said here.

use std::fs::{File, Metadata};
use std::io::{Error, ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use crate::ground::diagnostic::Diagnostic;
use crate::ground::read::Reading;
use crate::ground::source::{Source, in_project};
use crate::ground::yaml::Scalar;

/// What to do where trust is asked.
pub const TRUST: &str = "if the workflow is to be trusted with it, say --trust or REQCHAIN_TRUST=1";

/// Why a file is not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    fault: Fault,
    help: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Fault {
    /// Nothing has that name.
    Missing,
    /// The system does not let it be read.
    Unreadable(String),
    /// It is not what is wanted: `is a folder, not a file`.
    Unfit(String),
    /// It is larger than its reader can use, said as the last.
    TooLarge(String),
}

impl Refused {
    /// It is not what its reader wants; `what` goes behind its name: `is not JSON`.
    pub fn unfit(what: impl Into<String>) -> Self {
        Self { fault: Fault::Unfit(what.into()), help: None }
    }

    /// Says what to do, where nothing is said yet.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.get_or_insert_with(|| help.into());
        self
    }

    /// What to do.
    #[must_use]
    pub fn advice(&self) -> Option<&str> {
        self.help.as_deref()
    }

    /// Whether there is no such file.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        self.fault == Fault::Missing
    }

    /// Whether there is such a file, and it is too large.
    #[must_use]
    pub const fn is_too_large(&self) -> bool {
        matches!(self.fault, Fault::TooLarge(_))
    }

    /// What it is in place of what is wanted, where there is something: `is a folder, not a file`.
    #[must_use]
    pub fn unfitness(&self) -> Option<&str> {
        match &self.fault {
            Fault::Unfit(what) | Fault::TooLarge(what) => Some(what),
            Fault::Missing | Fault::Unreadable(_) => None,
        }
    }

    /// As it goes behind the name of the file: `cannot be read: there is no such file`.
    #[must_use]
    pub fn about(&self) -> String {
        self.unfitness().map_or_else(|| format!("cannot be read: {}", self.why()), str::to_owned)
    }

    /// As it goes behind a message that names the file: `there is no such file`.
    #[must_use]
    pub fn why(&self) -> String {
        match &self.fault {
            Fault::Missing => "there is no such file".to_owned(),
            Fault::Unreadable(why) => why.clone(),
            Fault::Unfit(what) | Fault::TooLarge(what) => format!("it {what}"),
        }
    }

    /// The message about a file that no text names.
    #[must_use]
    pub fn of(self, path: &Path) -> Diagnostic {
        Diagnostic::error(format!("`{}` {}", path.display(), self.about())).maybe_help(self.help)
    }

    /// Reports at the name why the file is not read.
    pub fn report(self, name: &Scalar, reading: &Reading) {
        let message = format!("`{}` {}", name.text, self.about());
        match self.help {
            Some(help) => reading.error_with(name.span, message, help),
            None => reading.error(name.span, message),
        }
    }
}

impl From<Error> for Refused {
    /// Without the number that the system adds.
    fn from(error: Error) -> Self {
        let fault = match error.kind() {
            ErrorKind::NotFound => Fault::Missing,
            ErrorKind::PermissionDenied => Fault::Unreadable("permission denied".to_owned()),
            ErrorKind::InvalidInput => Fault::Unreadable("no file can have this name".to_owned()),
            kind => Fault::Unreadable(kind.to_string()),
        };
        Self { fault, help: None }
    }
}

/// Opens a regular file of at most `largest` bytes, and says how many it has.
///
/// # Errors
/// What it is instead. That is asked before it is opened, since opening a pipe waits for a writer, and
/// again behind it, since it may have been replaced.
pub fn open(path: &Path, largest: u64) -> Result<(File, u64), Refused> {
    fits(&std::fs::metadata(path)?, largest)?;
    let file = File::open(path)?;
    let meta = file.metadata()?;
    fits(&meta, largest)?;
    Ok((file, meta.len()))
}

/// The bytes of a regular file of at most `largest` bytes.
///
/// # Errors
/// What it is instead, or why it cannot be read.
pub fn bytes(path: &Path, largest: u64) -> Result<Vec<u8>, Refused> {
    let (file, length) = open(path, largest)?;
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
    // It may grow while it is read, and the files of `/proc` say that they have no bytes.
    file.take(largest.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > largest {
        return Err(too_large(bytes.len() as u64, largest));
    }
    Ok(bytes)
}

/// Bytes as text.
///
/// # Errors
/// Where they are not UTF-8: the line of the first wrong one.
pub fn text(bytes: Vec<u8>) -> Result<String, Refused> {
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let line = memchr::memchr_iter(b'\n', &error.as_bytes()[..at]).count() + 1;
        Refused::unfit(format!("is not UTF-8 text: a wrong byte in line {line}"))
            .help("save the file as UTF-8")
    })
}

/// Refuses a file outside the project that a folder belongs to, unless the caller trusts whoever names
/// it. It is asked before the file is opened: what stands in it may be shown where it is not understood.
///
/// # Errors
/// It lies outside, links followed, or it cannot be found.
pub fn admit(path: &Path, folder: &Path, trusted: bool) -> Result<(), Refused> {
    if trusted || in_project(path, folder)? {
        return Ok(());
    }
    Err(Refused::unfit("is outside the project").help(TRUST))
}

/// A file that a text names: how the text calls it, and where it is.
#[derive(Debug)]
pub struct Found {
    /// The path beside the text.
    pub path: PathBuf,
    /// The same, links followed.
    pub real: PathBuf,
}

/// Finds the file that `written` names, in the project of the text that names it or, where the caller
/// trusts that text, anywhere.
///
/// # Errors
/// A path that leads nowhere, and without trust one from the root of the machine or out of the project.
pub fn find(written: &str, source: &Source, trusted: bool) -> Result<Found, Refused> {
    if !trusted && Path::new(written).is_absolute() {
        let help = format!("write it relative to the file that names it; {TRUST}");
        return Err(Refused::unfit("is an absolute path").help(help));
    }
    let path = source.beside(written);
    let real = path.canonicalize().map_err(|error| sought(error, &path))?;
    admit(&real, source.folder(), trusted)?;
    Ok(Found { path, real })
}

fn sought(error: Error, path: &Path) -> Refused {
    let refused = Refused::from(error);
    if refused.is_missing() {
        return refused.help(format!("it is looked for at {}", path.display()));
    }
    refused
}

fn fits(meta: &Metadata, largest: u64) -> Result<(), Refused> {
    if meta.is_dir() {
        return Err(Refused::unfit("is a folder, not a file"));
    }
    if !meta.is_file() {
        return Err(Refused::unfit("is not a regular file").help("pipes and devices are not read"));
    }
    if meta.len() > largest {
        return Err(too_large(meta.len(), largest));
    }
    Ok(())
}

fn too_large(length: u64, largest: u64) -> Refused {
    let most = match largest {
        0..1024 => format!("{largest} bytes"),
        1024..0x10_0000 => format!("{} KiB", largest >> 10),
        _ => format!("{} MiB", largest >> 20),
    };
    let what = format!("is larger than {most}: it has {length} bytes");
    Refused { fault: Fault::TooLarge(what), help: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_up_to_its_limit_and_not_a_byte_further() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a");
        for (length, fits) in [(0, true), (9, true), (10, true), (11, false)] {
            std::fs::write(&path, vec![b'x'; length]).expect("written");
            let read = bytes(&path, 10);
            assert_eq!(read.as_ref().map(Vec::len).ok(), fits.then_some(length));
            if let Err(refused) = read {
                assert_eq!(refused.about(), "is larger than 10 bytes: it has 11 bytes");
                assert_eq!(refused.why(), "it is larger than 10 bytes: it has 11 bytes");
            }
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_that_hides_its_length_is_bounded_all_the_same() {
        let told = bytes(Path::new("/proc/self/maps"), 100).expect_err("it has more");
        assert!(told.about().starts_with("is larger than 100 bytes"), "{}", told.about());
    }

    #[test]
    fn what_is_no_file_is_told_by_what_it_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let gone = bytes(&folder.path().join("gone"), 1).expect_err("gone");
        assert!(gone.is_missing());
        assert_eq!(gone.about(), "cannot be read: there is no such file");
        assert_eq!(gone.why(), "there is no such file");
        assert_eq!(bytes(folder.path(), 1).expect_err("a folder").why(), "it is a folder, not a file");
        let nul = bytes(Path::new("a\0b"), 1).expect_err("no name");
        assert_eq!(nul.why(), "no file can have this name");
        let wrong = text(b"a\n\xff".to_vec()).expect_err("no text");
        assert_eq!(wrong.about(), "is not UTF-8 text: a wrong byte in line 2");
    }

    #[test]
    fn nothing_is_found_outside_the_project_without_trust() {
        let outer = tempfile::tempdir().expect("a folder");
        let project = outer.path().join("p");
        std::fs::create_dir_all(project.join("flows")).expect("a folder");
        std::fs::write(project.join("reqchain.yaml"), "").expect("written");
        std::fs::write(project.join("a.txt"), "a").expect("written");
        std::fs::write(outer.path().join("b.txt"), "b").expect("written");
        let source = Source::file(&project.join("flows/flow.yaml"), "");
        assert!(find("../a.txt", &source, false).is_ok());
        let absolute = outer.path().join("b.txt").display().to_string();
        for (path, why) in
            [("../../b.txt", "is outside the project"), (absolute.as_str(), "is an absolute path")]
        {
            let refused = find(path, &source, false).expect_err("refused");
            assert_eq!(refused.about(), why, "{path}");
            assert!(refused.advice().is_some_and(|help| help.contains("--trust")), "{path}");
            let found = find(path, &source, true).expect("it is trusted");
            assert_eq!(found.real, outer.path().join("b.txt").canonicalize().expect("it is there"));
        }
        for trusted in [false, true] {
            let refused = find("a.txt", &source, trusted).expect_err("refused");
            assert_eq!(refused.about(), "cannot be read: there is no such file");
        }
    }
}

//! The command itself, as a person or a shell calls it: what it is called with, and its exit code, stdout
//! and stderr. Of the variables of the process it sees `PATH` alone, so that nobody's own decide how it goes.

use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::scenario::says;

/// Where the command is called, and with which variables.
pub(crate) struct Cli {
    /// A folder of its own; none where it is called in the repository.
    folder: Option<TempDir>,
    variables: Vec<(String, String)>,
}

/// What came of a call.
#[derive(Debug)]
pub(crate) struct Called {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Cli {
    /// In a new folder with these files.
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let cli = Self { folder: Some(tempfile::tempdir().expect("a folder")), variables: Vec::new() };
        for (path, text) in files {
            cli.write(path, text);
        }
        cli
    }

    /// In the repository, where the shipped workflows are. Nothing is written there.
    pub(crate) fn shipped() -> Self {
        Self { folder: None, variables: Vec::new() }
    }

    /// With a variable in every call.
    #[must_use]
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.as_ref().map_or(Path::new(env!("CARGO_MANIFEST_DIR")), TempDir::path)
    }

    /// Puts a file into the folder.
    pub(crate) fn write(&self, path: &str, text: &str) {
        assert!(self.folder.is_some(), "nothing is written into the repository");
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("written");
    }

    /// Calls it with these words, which have blanks between them.
    pub(crate) fn call(&self, words: &str) -> Called {
        self.call_with(words, &[])
    }

    /// The same with further variables.
    pub(crate) fn call_with(&self, words: &str, variables: &[(&str, &str)]) -> Called {
        let output = self.command(words).envs(variables.iter().copied()).output().expect("it runs");
        Called {
            code: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The command before it runs.
    pub(crate) fn command(&self, words: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_reqchain"));
        command.args(words.split_whitespace()).current_dir(self.path()).stdin(Stdio::null());
        command.env_clear().env("NO_COLOR", "1").envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }
}

impl Called {
    /// Everything went well.
    #[track_caller]
    pub(crate) fn passed(&self) -> &Self {
        assert_eq!(self.code, Some(0), "{}", self.err);
        self
    }

    /// The command line or a file is wrong, and it says so.
    #[track_caller]
    pub(crate) fn refused(&self, parts: &[&str]) -> &Self {
        assert_eq!(self.code, Some(2), "{}", self.err);
        says(&self.err, parts);
        self
    }

    /// It failed with this code and said this, and gave nothing that could pass for a value.
    #[track_caller]
    pub(crate) fn fails(&self, code: i32, parts: &[&str]) -> &Self {
        assert_eq!((self.code, self.out.as_str()), (Some(code), ""), "{}", self.err);
        says(&self.err, parts);
        self
    }
}

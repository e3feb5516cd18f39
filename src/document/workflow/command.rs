//! A command whose output is the value of an input: an argument list, never a line for a shell, so
//! that no value can become a part of one.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::ground::read::Reading;
use crate::ground::yaml::{Kind, Node};

/// `command: [pass, show, api/token]`, and the folder in which it is run.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Command {
    /// The program and its arguments.
    words: Vec<Arc<str>>,
    /// The folder of the file that names it: what is a path among the words is relative to it.
    folder: PathBuf,
}

impl Command {
    /// Reads the list of words; mistakes are reported.
    pub fn read(node: &Node, reading: &Reading) -> Option<Self> {
        if let Kind::Scalar(scalar) = &node.kind
            && !scalar.is_empty()
        {
            let words: Vec<&str> = scalar.text.split_whitespace().collect();
            let help = format!("no shell reads it: write each word by itself: [{}]", words.join(", "));
            reading.error_with(node.span, "`command` must be a list, not a text", help);
            return None;
        }
        let nodes = reading.list(node, "command")?;
        let word = |node: &Node| {
            let word = reading.text(node, "command")?;
            if word.text.contains("{{") {
                reading.error(node.span, "a command is not a template");
                return None;
            }
            if word.text.contains('\0') {
                reading.error(node.span, "a word of a command cannot hold a zero byte");
                return None;
            }
            Some(Arc::clone(&word.text))
        };
        let words: Vec<_> = nodes.iter().map(word).collect();
        let words: Vec<Arc<str>> = words.into_iter().collect::<Option<_>>()?;
        if words.first().is_none_or(|program| program.is_empty()) {
            reading.error_with(node.span, "`command` names no program", "write [pass, show, api/token]");
            return None;
        }
        Some(Self { words, folder: reading.source.folder().to_owned() })
    }

    /// The program as it was written.
    #[must_use]
    pub fn name(&self) -> &str {
        self.words.first().map_or("", AsRef::as_ref)
    }

    /// The program as it is started: one that is a path is looked for beside the file that names it.
    #[must_use]
    pub fn program(&self) -> PathBuf {
        let name = Path::new(self.name());
        match self.folder.canonicalize() {
            Ok(folder) if name.components().count() > 1 => folder.join(name),
            _ => name.to_owned(),
        }
    }

    /// What stands behind the program.
    #[must_use]
    pub fn arguments(&self) -> &[Arc<str>] {
        self.words.get(1..).unwrap_or_default()
    }

    /// The folder in which it is run.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

impl fmt::Display for Command {
    /// As one would type it; a word with blanks is quoted.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, word) in self.words.iter().enumerate() {
            if at > 0 {
                f.write_str(" ")?;
            }
            if word.is_empty() || word.contains(char::is_whitespace) {
                write!(f, "'{word}'")?;
            } else {
                f.write_str(word)?;
            }
        }
        Ok(())
    }
}

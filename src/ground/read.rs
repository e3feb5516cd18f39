//! How a type of the language reads itself from a [`Node`]: every mistake is reported, none twice.
//!
//! A reader returns `None` once it has reported what is wrong, so that its caller goes on with the
//! next key and the user sees all mistakes at once.

use std::cell::RefCell;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::ground::diagnostic::{Diagnostic, Diagnostics, did_you_mean};
use crate::ground::quantity;
use crate::ground::source::{Source, Span};
use crate::ground::value::Value;
use crate::ground::yaml::{Kind, MAX_BYTES, Node, Scalar};

/// Known words of other tools, and ours for the same thing.
const FOREIGN: &[(&str, &str)] = &[
    ("assert", "expect"),
    ("asserts", "expect"),
    ("assertions", "expect"),
    ("capture", "extract"),
    ("captures", "extract"),
    ("check", "expect"),
    ("checks", "expect"),
    ("condition", "when"),
    ("cond", "when"),
    ("data", "body"),
    ("env", "inputs"),
    ("environment", "inputs"),
    ("extractors", "extract"),
    ("file_body", "file"),
    ("formdata", "multipart"),
    ("header", "headers"),
    ("http", "request"),
    ("if", "when"),
    ("import", "uses"),
    ("include", "uses"),
    ("loop", "for_each"),
    ("output", "outputs"),
    ("params", "query"),
    ("parameters", "query"),
    ("post_script", "after"),
    ("postscript", "after"),
    ("pre_request", "before"),
    ("prerequest", "before"),
    ("pre_script", "before"),
    ("querystring", "query"),
    ("register", "extract"),
    ("retries", "retry"),
    ("save", "extract"),
    ("set", "extract"),
    ("setup", "before"),
    ("stages", "steps"),
    ("tasks", "steps"),
    ("teardown", "finally"),
    ("test", "expect"),
    ("tests", "expect"),
    ("uri", "url"),
    ("use", "uses"),
    ("validate", "expect"),
    ("variables", "vars"),
    ("verb", "method"),
    ("verify", "expect"),
];

/// Reads a text file that a person wrote: UTF-8, of a size that a person writes.
///
/// # Errors
/// Why it cannot be read, without a place.
pub fn open(path: &Path) -> Result<Arc<Source>, Diagnostic> {
    let meta = std::fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    if meta.is_dir() {
        let message = format!("`{}` is a folder, not a file", path.display());
        return Err(Diagnostic::error(message));
    }
    if !meta.is_file() {
        return Err(Diagnostic::error(format!("`{}` is not a regular file", path.display())));
    }
    if meta.len() >= MAX_BYTES as u64 {
        let message = format!("`{}` has {} bytes; a file must be smaller than 1 MiB", path.display(), meta.len());
        let help = "split it: a step can run another workflow with `uses`";
        return Err(Diagnostic::error(message).help(help));
    }
    let bytes = std::fs::read(path).map_err(|error| unreadable(path, &error))?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Source::file(path, text.strip_prefix('\u{feff}').unwrap_or(&text))),
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let line = error.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
            let message = format!("`{}` is not UTF-8 text: a wrong byte in line {line}", path.display());
            Err(Diagnostic::error(message).help("save the file as UTF-8"))
        }
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> Diagnostic {
    let why = match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    };
    Diagnostic::error(format!("cannot read `{}`: {why}", path.display()))
}

/// A text that is being read, and what was found wrong in it so far.
#[derive(Debug)]
pub struct Reading {
    /// The text.
    pub source: Arc<Source>,
    problems: RefCell<Diagnostics>,
}

impl Reading {
    /// Begins to read a text.
    #[must_use]
    pub fn new(source: &Arc<Source>) -> Self {
        Self { source: Arc::clone(source), problems: RefCell::default() }
    }

    /// Reports a mistake at a place.
    pub fn error(&self, span: Span, message: impl Into<String>) {
        self.report(Diagnostic::error(message).at(&self.source, span));
    }

    /// Reports a mistake at a place, and says what to do.
    pub fn error_with(&self, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.report(Diagnostic::error(message).at(&self.source, span).help(help));
    }

    /// Reports whatever was found.
    pub fn report(&self, diagnostic: Diagnostic) {
        self.problems.borrow_mut().push(diagnostic);
    }

    /// Whether nothing was reported as an error yet.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        !self.problems.borrow().has_errors()
    }

    /// All that was found, in the order of the text.
    #[must_use]
    pub fn finish(self) -> Diagnostics {
        let mut problems = self.problems.into_inner();
        problems.sort();
        problems
    }

    /// A scalar; a list or a map is reported. `what` names the key in the message.
    pub fn scalar<'n>(&self, node: &'n Node, what: &str) -> Option<&'n Scalar> {
        let scalar = node.scalar();
        if scalar.is_none() {
            self.error(node.span, format!("`{what}` must be a text, not {}", node.describe()));
        }
        scalar
    }

    /// A text as it was typed; nothing at all (`key:`) is reported.
    pub fn text<'n>(&self, node: &'n Node, what: &str) -> Option<&'n Scalar> {
        let scalar = self.scalar(node, what)?;
        if scalar.is_empty() {
            self.empty(node.span, what);
            return None;
        }
        Some(scalar)
    }

    /// Reports an empty value.
    pub fn empty(&self, span: Span, what: &str) {
        self.error_with(span, format!("`{what}` has no value"), "write `null` or `\"\"` if that is meant");
    }

    /// `true` or `false`.
    pub fn truth(&self, node: &Node, what: &str) -> Option<bool> {
        let truth = self.text(node, what)?.resolve().as_bool();
        if truth.is_none() {
            self.error(node.span, format!("`{what}` must be true or false, not {}", node.describe()));
        }
        truth
    }

    /// A whole number from `least` on.
    pub fn whole(&self, node: &Node, what: &str, least: u64) -> Option<u64> {
        let found = match self.text(node, what)?.resolve() {
            Value::Number(number) => number.as_u64(),
            _ => None,
        };
        let found = found.filter(|number| *number >= least);
        if found.is_none() {
            self.error(node.span, format!("`{what}` must be a whole number from {least} on"));
        }
        found
    }

    /// A duration such as `500ms`, `10s`, `2m`, `1h`, `14d`.
    pub fn duration(&self, node: &Node, what: &str) -> Option<Duration> {
        let scalar = self.text(node, what)?;
        self.parsed(node.span, what, quantity::duration(&scalar.text))
    }

    /// A size in bytes, such as `64KiB` or `10MiB`.
    pub fn size(&self, node: &Node, what: &str) -> Option<u64> {
        let scalar = self.text(node, what)?;
        self.parsed(node.span, what, quantity::size(&scalar.text))
    }

    /// The elements of a list.
    pub fn list<'n>(&self, node: &'n Node, what: &str) -> Option<&'n [Node]> {
        match &node.kind {
            Kind::List(elements) => Some(elements),
            _ => {
                self.error(node.span, format!("`{what}` must be a list, not {}", node.describe()));
                None
            }
        }
    }

    /// The entries of a map whose keys the user chooses, such as headers.
    pub fn entries<'n>(&self, node: &'n Node, what: &str) -> Option<&'n [(Scalar, Node)]> {
        match &node.kind {
            Kind::Map(entries) => Some(entries),
            _ => {
                self.error(node.span, format!("`{what}` must be a map, not {}", node.describe()));
                None
            }
        }
    }

    /// The entries of a map whose keys the language knows. Unknown keys are reported here, with
    /// the word that was probably meant; `later` are those that the page knows and we do not yet.
    pub fn fields<'n>(
        &self,
        node: &'n Node,
        what: &str,
        known: &[&'static str],
        later: &[&'static str],
    ) -> Option<Fields<'n>> {
        let entries = self.entries(node, what)?;
        for (key, _) in entries {
            self.refuse_unknown(key, what, known, later);
        }
        Some(Fields { entries, span: node.span })
    }

    /// Reports a key that is not one of `known`.
    pub fn refuse_unknown(&self, key: &Scalar, what: &str, known: &[&'static str], later: &[&'static str]) {
        let word = &*key.text;
        if known.contains(&word) {
            return;
        }
        if later.contains(&word) {
            let message = format!("`{word}` is not supported yet");
            return self.error_with(key.span, message, "it is part of the language, but this version cannot run it");
        }
        let ours = FOREIGN.iter().find(|(foreign, _)| *foreign == word.to_lowercase()).map(|(_, ours)| *ours);
        let ours = ours.filter(|ours| known.contains(ours) || later.contains(ours));
        let message = format!("unknown key `{word}` in `{what}`");
        let help = match ours {
            Some(ours) => format!("the word for it here is `{ours}`"),
            None => did_you_mean(word, known.iter().copied())
                .unwrap_or_else(|| format!("`{what}` knows {}", known.join(", "))),
        };
        self.error_with(key.span, message, help);
    }

    fn parsed<T>(&self, span: Span, what: &str, parsed: Result<T, quantity::Error>) -> Option<T> {
        parsed
            .map_err(|error| self.error_with(span, format!("`{what}`: {error}"), error.help()))
            .ok()
    }
}

/// The known entries of a map.
#[derive(Debug, Clone, Copy)]
pub struct Fields<'n> {
    entries: &'n [(Scalar, Node)],
    /// The place of the whole map.
    pub span: Span,
}

impl<'n> Fields<'n> {
    /// The value under a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&'n Node> {
        self.entry(key).map(|(_, value)| value)
    }

    /// The key and its value.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<&'n (Scalar, Node)> {
        self.entries.iter().find(|(name, _)| &*name.text == key)
    }

    /// All of them, in the order of the text.
    pub fn iter(&self) -> impl Iterator<Item = &'n (Scalar, Node)> {
        self.entries.iter()
    }

    /// Those of `keys` that are there, in the order of `keys`.
    #[must_use]
    pub fn present(&self, keys: &[&'static str]) -> Vec<&'n (Scalar, Node)> {
        keys.iter().filter_map(|key| self.entry(key)).collect()
    }
}

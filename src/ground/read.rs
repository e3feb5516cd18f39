//! How a type of the language reads itself from a [`Node`]: every mistake is reported, none twice.
//!
//! A reader returns `None` once it has reported what is wrong, so that its caller goes on with the
//! next key and the user sees all mistakes at once.

use std::cell::RefCell;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::ground::diagnostic::{Diagnostic, Diagnostics, nearest};
use crate::ground::file::{self, Refused};
use crate::ground::quantity;
use crate::ground::secret::name::is_credential_key;
use crate::ground::source::{Source, Span, in_project};
use crate::ground::value::Value;
use crate::ground::yaml::{Kind, MAX_BYTES, Node, SPLIT, Scalar};
use crate::ground::{example, foreign};

/// Known words of other tools, and ours for the same thing.
const FOREIGN: &[(&str, &str)] = &[
    ("after_all", "finally"),
    ("algorithm", "alg"),
    ("allow_failure", "continue_on_failure"),
    ("always", "finally"),
    ("apikey", "api_key"),
    ("assert", "expect"),
    ("assertions", "expect"),
    ("asserts", "expect"),
    ("attempts", "max"),
    ("attr", "attribute"),
    ("aws", "aws_sigv4"),
    ("awsv4", "aws_sigv4"),
    ("bytes", "size"),
    ("capture", "extract"),
    ("captures", "extract"),
    ("check", "expect"),
    ("checks", "expect"),
    ("cleanup", "finally"),
    ("code", "status"),
    ("cond", "when"),
    ("condition", "when"),
    ("continue_on_error", "continue_on_failure"),
    ("count", "max"),
    ("data", "body"),
    ("delay", "backoff"),
    ("delay", "every"),
    ("desc", "description"),
    ("duration", "time"),
    ("enum", "choices"),
    ("env", "inputs"),
    ("environment", "inputs"),
    ("extractors", "extract"),
    ("file_body", "file"),
    ("foreach", "for_each"),
    ("formdata", "multipart"),
    ("header", "headers"),
    ("http", "request"),
    ("if", "when"),
    ("ignore_errors", "continue_on_failure"),
    ("import", "uses"),
    ("include", "uses"),
    ("interval", "backoff"),
    ("interval", "every"),
    ("item", "steps"),
    ("items", "steps"),
    ("json_path", "json"),
    ("json_schema", "schema"),
    ("jsonpath", "json"),
    ("latency", "time"),
    ("limit", "max"),
    ("loop", "for_each"),
    ("on", "if"),
    ("only_if", "when"),
    ("operation_name", "operation"),
    ("options", "choices"),
    ("output", "outputs"),
    ("parameters", "query"),
    ("params", "query"),
    ("payload", "claims"),
    ("post_script", "after"),
    ("pre_request", "before"),
    ("pre_script", "before"),
    ("prerequest", "before"),
    ("qs", "query"),
    ("query_params", "query"),
    ("query_string", "query"),
    ("querystring", "query"),
    ("regexp", "regex"),
    ("register", "extract"),
    ("requests", "steps"),
    ("response_time", "time"),
    ("retries", "retry"),
    ("save", "extract"),
    ("scenario", "steps"),
    ("secret", "key"),
    ("sensitive", "secret"),
    ("set", "extract"),
    ("setup", "before"),
    ("sigv4", "aws_sigv4"),
    ("stages", "steps"),
    ("status_code", "status"),
    ("store", "extract"),
    ("tag", "tags"),
    ("tasks", "steps"),
    ("teardown", "finally"),
    ("test", "expect"),
    ("tests", "expect"),
    ("timeout", "within"),
    ("times", "max"),
    ("title", "name"),
    ("uri", "url"),
    ("use", "uses"),
    ("validate", "expect"),
    ("value", "default"),
    ("variables", "vars"),
    ("verb", "method"),
    ("verify", "expect"),
];

/// Reads a text file that a person wrote: UTF-8, of a size that a person writes.
///
/// # Errors
/// Why it cannot be read, without a place.
pub fn open(path: &Path) -> Result<Arc<Source>, Diagnostic> {
    match file::bytes(path, MAX_BYTES as u64).and_then(file::text) {
        Ok(text) => Ok(Source::file(path, text.strip_prefix('\u{feff}').unwrap_or(&text))),
        Err(refused) if refused.is_too_large() => Err(unreadable(path, &refused.help(SPLIT))),
        Err(refused) => Err(unreadable(path, &refused)),
    }
}

fn unreadable(path: &Path, refused: &Refused) -> Diagnostic {
    let path = path.display();
    let message = match refused.unfitness() {
        Some(what) => format!("`{path}` {what}"),
        None => format!("cannot read `{path}`: {}", refused.why()),
    };
    Diagnostic::error(message).maybe_help(refused.advice().map(str::to_owned))
}

/// Our word for a known word of other tools, where it is one of `known`.
#[must_use]
pub fn canonical(word: &str, known: &[&'static str]) -> Option<&'static str> {
    let word = foreign::plain(word);
    let found = FOREIGN.iter().find(|(foreign, ours)| *foreign == word && known.contains(ours));
    found.map(|(_, ours)| *ours)
}

/// A key as it stands in a message; «a step» is not one, and stands without marks.
fn quoted(what: &str) -> String {
    if what.starts_with("a ") { what.to_owned() } else { format!("`{what}`") }
}

/// What stands at a node: a short text as it was written, anything else by its kind.
fn found(node: &Node) -> String {
    match node.scalar() {
        Some(scalar) if scalar.text.len() <= 40 => format!("`{}`", scalar.text),
        _ => node.describe().to_owned(),
    }
}

/// A text that is being read, and what was found wrong in it so far.
#[derive(Debug)]
pub struct Reading {
    /// The text.
    pub source: Arc<Source>,
    /// Whether the files that it names may lie outside its project.
    pub trusted: bool,
    problems: RefCell<Diagnostics>,
}

/// How many mistakes of one text are told. A file of a megabyte can hold 100,000, and nobody reads
/// on after the first dozen.
const MOST: usize = 100;

impl Reading {
    /// Begins to read a text.
    #[must_use]
    pub fn new(source: &Arc<Source>) -> Self {
        Self { source: Arc::clone(source), trusted: false, problems: RefCell::default() }
    }

    /// The same where the caller may trust the text.
    #[must_use]
    pub const fn trusted(mut self, trusted: bool) -> Self {
        self.trusted = trusted;
        self
    }

    /// Finds a file that the text names.
    ///
    /// # Errors
    /// As [`file::find`].
    pub fn find(&self, written: &str) -> Result<file::Found, Refused> {
        file::find(written, &self.source, self.trusted)
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
        if !self.is_full() {
            self.problems.borrow_mut().push(diagnostic);
        }
    }

    /// Warns of a file outside the project, for which a run asks for trust; `what` says what is then
    /// done with it.
    pub fn warn_outside(&self, path: &Path, name: &Scalar, what: &str) {
        if matches!(in_project(path, self.source.folder()), Ok(false)) {
            let message = format!("the file `{}` is outside the project", name.text);
            let warning = Diagnostic::warning(message).at(&self.source, name.span);
            self.report(warning.help(format!("it is {what} only with --trust or REQCHAIN_TRUST=1")));
        }
    }

    /// Whether more was found than is told: then it is not worth looking for.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.problems.borrow().0.len() > MOST
    }

    /// Whether nothing was reported as an error yet.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        !self.problems.borrow().has_errors()
    }

    /// All that was found, in the order of the text.
    #[must_use]
    pub fn finish(self) -> Diagnostics {
        let full = self.is_full();
        let mut problems = self.problems.into_inner();
        problems.sort(&self.source);
        if full {
            problems.0.truncate(MOST);
            problems.push(
                Diagnostic::error(format!("more mistakes than {MOST} are not told")).help("mend these first"),
            );
        }
        problems
    }

    /// A scalar; a list or a map is reported. `what` names the key in the message.
    pub fn scalar<'n>(&self, node: &'n Node, what: &str) -> Option<&'n Scalar> {
        let scalar = node.scalar();
        if scalar.is_none() {
            let problem =
                Diagnostic::error(format!("{} must be a text, not {}", quoted(what), node.describe()));
            let help = example::of(what).map(str::to_owned);
            self.report(problem.at(&self.source, node.span).maybe_help(help));
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
        let help = "give it a value or remove the key; an empty value is written `null` or `\"\"`";
        self.error_with(span, format!("{} has no value", quoted(what)), help);
    }

    /// Reports that a value has the wrong shape.
    fn wrong_shape(&self, node: &Node, what: &str, wanted: &str, help: &str) {
        if node.scalar().is_some_and(Scalar::is_empty) {
            return self.empty(node.span, what);
        }
        let message = format!("{} must be {wanted}, not {}", quoted(what), node.describe());
        self.error_with(node.span, message, example::of(what).unwrap_or(help));
    }

    /// `true` or `false`.
    pub fn truth(&self, node: &Node, what: &str) -> Option<bool> {
        let truth = self.text(node, what)?.resolve().as_bool();
        if truth.is_none() {
            let help = match node.scalar().map(|scalar| scalar.text.to_lowercase()).as_deref() {
                Some("yes" | "on" | "true" | "1" | "y") => "write `true`",
                Some("no" | "off" | "false" | "0" | "n") => "write `false`",
                _ => "write `true` or `false`, without quotes",
            };
            self.error_with(node.span, format!("`{what}` must be true or false, not {}", found(node)), help);
        }
        truth
    }

    /// A whole number from `least` on.
    pub fn whole(&self, node: &Node, what: &str, least: u64) -> Option<u64> {
        let number = match self.text(node, what)?.resolve() {
            Value::Number(number) => number.as_u64(),
            _ => None,
        };
        let number = number.filter(|number| *number >= least);
        if number.is_none() {
            let message = format!("`{what}` must be a whole number, {least} or more, not {}", found(node));
            let help = example::of(what).map(str::to_owned);
            self.report(Diagnostic::error(message).at(&self.source, node.span).maybe_help(help));
        }
        number
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
        if let Kind::List(elements) = &node.kind {
            Some(elements)
        } else {
            let help = "write `[a, b]`, or each element in a line of its own behind `- `";
            self.wrong_shape(node, what, "a list", help);
            None
        }
    }

    /// The entries of a map whose keys the user chooses, such as headers.
    pub fn entries<'n>(&self, node: &'n Node, what: &str) -> Option<&'n [(Scalar, Node)]> {
        if let Kind::Map(entries) = &node.kind {
            Some(entries)
        } else {
            let help = "write `key: value`, each in a line of its own or all in `{ }`";
            self.wrong_shape(node, what, "a map", help);
            None
        }
    }

    /// The entries of a map whose keys the language knows. Unknown keys are reported here, with
    /// the word that was probably meant; `later` are those of the language that this version cannot run.
    pub fn fields<'n>(
        &self,
        node: &'n Node,
        what: &str,
        known: &[&'static str],
        later: &[&'static str],
    ) -> Option<Fields<'n>> {
        let entries = self.entries(node, what)?;
        let meant =
            entries.iter().filter_map(|(key, _)| self.refuse_unknown(key, what, known, later)).collect();
        let refused = || entries.iter().filter(|(key, _)| !known.contains(&&*key.text));
        let complete = refused().next().is_none();
        for (key, value) in refused() {
            // `user: name:password` is how curl writes both.
            let both = &*key.text == "user" && value.scalar().is_some_and(|scalar| scalar.text.contains(':'));
            let is_ours = later.contains(&&*key.text);
            if both || (is_credential_key(&foreign::plain(&key.text)) && !is_ours) {
                self.hide(value);
            }
        }
        Some(Fields { entries, meant, complete, span: node.span })
    }

    /// Keeps what a secret is, where it stands as it is, out of every excerpt: the text itself, and in a map
    /// what stands under `key`, or under one that is not known and may have been meant.
    pub fn hide_literals(&self, node: &Node, key: &str, known: &[&str]) {
        let literals: Vec<&Node> = match &node.kind {
            Kind::Map(entries) => {
                let is_literal = |name: &Scalar| &*name.text == key || !known.contains(&&*name.text);
                entries.iter().filter(|(name, _)| is_literal(name)).map(|(_, literal)| literal).collect()
            }
            _ => vec![node],
        };
        for literal in literals.into_iter().filter(|literal| literal.to_value() != Value::Null) {
            self.source.hide(literal.span);
        }
    }

    /// Keeps a literal out of every excerpt.
    fn hide(&self, node: &Node) {
        if node.scalar().is_some_and(|scalar| !scalar.is_empty() && !scalar.text.contains("{{")) {
            self.source.hide(node.span);
        }
    }

    /// Reports a key that is not one of `known`; gives back the one that was probably meant.
    pub fn refuse_unknown(
        &self,
        key: &Scalar,
        what: &str,
        known: &[&'static str],
        later: &[&'static str],
    ) -> Option<&'static str> {
        let word = &*key.text;
        if known.contains(&word) {
            return None;
        }
        if later.contains(&word) {
            let message = format!("`{word}` is not supported yet");
            self.error_with(key.span, message, "it is part of the language, but this version cannot run it");
            return None;
        }
        let message = format!("unknown key `{word}` in {}", quoted(what));
        if let Some(help) = foreign::advice(what, word) {
            self.error_with(key.span, message, help);
            return canonical(word, known);
        }
        let ours = canonical(word, known).or_else(|| canonical(word, later));
        let meant = ours.or_else(|| nearest(word, known.iter().copied()));
        let help = match (ours, meant) {
            (Some(ours), _) => format!("the word for it here is `{ours}`"),
            (None, Some(near)) => format!("did you mean `{near}`?"),
            (None, None) => format!("{} knows {}", quoted(what), known.join(", ")),
        };
        self.error_with(key.span, message, help);
        meant
    }

    fn parsed<T>(&self, span: Span, what: &str, parsed: Result<T, quantity::Error>) -> Option<T> {
        parsed.map_err(|error| self.error_with(span, format!("`{what}`: {error}"), error.help())).ok()
    }
}

/// The known entries of a map.
#[derive(Debug, Clone)]
pub struct Fields<'n> {
    entries: &'n [(Scalar, Node)],
    meant: Vec<&'static str>,
    complete: bool,
    /// The place of the whole map.
    pub span: Span,
}

impl<'n> Fields<'n> {
    /// The value under a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&'n Node> {
        self.entry(key).map(|(_, value)| value)
    }

    /// What stands under a key that may be left out: `Some(None)` where the key is not there, `None`
    /// where what stands there could not be read, which was reported.
    pub fn optional<T>(&self, key: &str, read: impl FnOnce(&'n Node) -> Option<T>) -> Option<Option<T>> {
        self.get(key).map_or(Some(None), |node| read(node).map(Some))
    }

    /// The value under a key that may not be left out. That it is missing is reported by `missing`,
    /// unless a misspelt key was reported as meaning it.
    pub fn required(&self, key: &str, missing: impl FnOnce()) -> Option<&'n Node> {
        let node = self.get(key);
        if node.is_none() && !self.is_meant(key) {
            missing();
        }
        node
    }

    /// Whether a misspelt or foreign key was reported that means this one, so that its absence need
    /// not be reported too.
    #[must_use]
    pub fn is_meant(&self, key: &str) -> bool {
        self.meant.contains(&key)
    }

    /// Whether every key is known. Where one was refused, it may have stood for what is missing.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.complete
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

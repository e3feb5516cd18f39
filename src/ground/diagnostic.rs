//! What is wrong, where, and what to do: the one shape of every message to a user.
//!
//! Whoever finds a mistake makes a [`Diagnostic`]; nobody but this file prints one. The renderer
//! knows no variant of any error, so that every layer's messages look alike.

use std::fmt::Write as _;
use std::sync::Arc;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde::Serialize;

use crate::ground::secret::Needles;
use crate::ground::source::{Position, Source, Span};

/// How much of a line is shown around the place; a workflow may be one line of a megabyte.
const EXCERPT: usize = 140;
/// How many characters of a message are shown; the longest of ours, a list of all filters, fits.
const LONGEST: usize = 1000;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Nothing will be sent before this is mended.
    Error,
    /// It works, but probably not as meant.
    Warning,
}

/// One mistake: a message, a place, and what to do about it.
#[derive(Debug, Clone)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in one line that names what the user wrote.
    pub message: String,
    /// Where; `None` for what has no place in a text, such as a missing file.
    pub place: Option<Place>,
    /// What to do next.
    pub help: Option<String>,
    /// More facts, such as what a server said.
    pub notes: Vec<String>,
}

/// A span in a source.
#[derive(Debug, Clone)]
pub struct Place {
    /// The text.
    pub source: Arc<Source>,
    /// The range in it.
    pub span: Span,
}

impl Place {
    /// The line and column where the place begins.
    #[must_use]
    pub fn position(&self) -> Position {
        self.source.position(self.span.start as usize)
    }
}

impl Diagnostic {
    /// An error without a place.
    pub fn error(message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            message: message.into(),
            place: None,
            help: None,
            notes: Vec::new(),
        }
    }

    /// A warning without a place.
    pub fn warning(message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(message) }
    }

    /// Says where.
    #[must_use]
    pub fn at(mut self, source: &Arc<Source>, span: Span) -> Self {
        self.place = Some(Place { source: Arc::clone(source), span });
        self
    }

    /// Says where, unless that is known already.
    #[must_use]
    pub fn at_least_at(self, source: &Arc<Source>, span: Span) -> Self {
        if self.place.is_some() { self } else { self.at(source, span) }
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Says what to do where there is something to say.
    #[must_use]
    pub fn maybe_help(mut self, help: Option<String>) -> Self {
        self.help = self.help.or(help);
        self
    }

    /// Adds a fact.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// The same without the secrets that are known: what a user wrote may be made of one.
    #[must_use]
    pub fn scrubbed(mut self, needles: &Needles) -> Self {
        self.message = needles.scrub(&self.message);
        self.help = self.help.map(|help| needles.scrub(&help));
        self.notes = self.notes.iter().map(|note| needles.scrub(note)).collect();
        self
    }

    /// The message as people read it: title, excerpt with a caret, notes, help.
    #[must_use]
    pub fn render(&self, color: bool) -> String {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let message = short(&self.message);
        let mut group = Group::with_title(level.primary_title(message.as_str()));
        let excerpt = self.place.as_ref().map(Excerpt::of);
        if let Some(excerpt) = &excerpt {
            let annotation = AnnotationKind::Primary.span(excerpt.span.clone());
            group = group.element(
                Snippet::source(excerpt.text.as_str())
                    .path(excerpt.name.as_str())
                    .line_start(excerpt.line)
                    .fold(false)
                    .annotation(annotation),
            );
        }
        let notes: Vec<String> = self.notes.iter().map(|note| short(note)).collect();
        for note in &notes {
            group = group.element(Level::NOTE.message(note.as_str()));
        }
        let help = self.help.as_deref().map(short);
        if let Some(help) = &help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        let renderer = if color { Renderer::styled() } else { Renderer::plain() };
        let mut text = renderer.decor_style(DecorStyle::Ascii).render(&[group]);
        match &excerpt {
            Some(excerpt) => text = excerpt.true_column(&text),
            // The renderer keeps a bare line for an excerpt that is not there.
            None => text = text.replacen("\n |\n", "\n", 1),
        }
        text
    }

    /// The message as one line: `file:line:column: message`.
    #[must_use]
    pub fn line(&self) -> String {
        let mut line = String::new();
        if let Some(place) = &self.place {
            let at = place.position();
            let _ = write!(line, "{}:{}:{}: ", place.source.name(), at.line, at.column);
        }
        line.push_str(&self.message);
        line
    }

    /// The message for a machine.
    #[must_use]
    pub fn report(&self) -> Report<'_> {
        let start = self.place.as_ref().map(Place::position);
        let end = self.place.as_ref().map(|place| place.source.position(place.span.end as usize));
        Report {
            severity: self.severity,
            message: &self.message,
            file: self.place.as_ref().map(|place| place.source.name()),
            line: start.map(|at| at.line),
            column: start.map(|at| at.column),
            end_line: end.map(|at| at.line),
            end_column: end.map(|at| at.column),
            help: self.help.as_deref(),
            notes: &self.notes,
        }
    }
}

impl Serialize for Diagnostic {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.report().serialize(serializer)
    }
}

/// A [`Diagnostic`] in the shape of `--format json`.
#[derive(Debug, Serialize)]
pub struct Report<'a> {
    severity: Severity,
    message: &'a str,
    file: Option<&'a str>,
    line: Option<usize>,
    column: Option<usize>,
    end_line: Option<usize>,
    end_column: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    notes: &'a [String],
}

/// All that is wrong, in the order of the text.
#[derive(Debug, Clone, Default)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl Diagnostics {
    /// Adds one.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }

    /// Adds those that are not told yet: a file that several others use has its mistakes once.
    pub fn extend_new(&mut self, more: Self) {
        for diagnostic in more.0 {
            let text = diagnostic.render(false);
            if self.0.iter().all(|known| known.render(false) != text) {
                self.push(diagnostic);
            }
        }
    }

    /// The same without the secrets that are known.
    #[must_use]
    pub fn scrubbed(self, needles: &Needles) -> Self {
        Self(self.0.into_iter().map(|diagnostic| diagnostic.scrubbed(needles)).collect())
    }

    /// Whether any of them is an error rather than a warning.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Puts them in the order of the text; those without a place come first. What stands in other
    /// texts comes last, each text for itself.
    pub fn sort(&mut self, own: &Arc<Source>) {
        let mut others: Vec<String> = Vec::new();
        for place in self.0.iter().filter_map(|diagnostic| diagnostic.place.as_ref()) {
            if !Arc::ptr_eq(&place.source, own) && others.iter().all(|other| other != place.source.name()) {
                others.push(place.source.name().to_owned());
            }
        }
        self.0.sort_by_key(|diagnostic| {
            diagnostic.place.as_ref().map(|place| {
                let other = others.iter().position(|other| other == place.source.name());
                (other.filter(|_| !Arc::ptr_eq(&place.source, own)), place.span.start)
            })
        });
    }

    /// Every message as people read it, a blank line between them.
    #[must_use]
    pub fn render(&self, color: bool) -> String {
        self.0.iter().map(|diagnostic| diagnostic.render(color)).collect::<Vec<_>>().join("\n\n")
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        Self(vec![diagnostic])
    }
}

impl std::fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Diagnostics {}

/// The line of a place, cut around it, with what must stay hidden blanked.
struct Excerpt {
    name: String,
    text: String,
    line: usize,
    span: std::ops::Range<usize>,
    shift: usize,
    column: usize,
}

impl Excerpt {
    fn of(place: &Place) -> Self {
        let shown = place.source.shown();
        let start = shown.floor_char_boundary(place.span.start as usize);
        let line_start = shown[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let line_end = shown[start..].find('\n').map_or(shown.len(), |newline| start + newline);
        let from = match start - line_start {
            0..=EXCERPT => line_start,
            _ => shown.floor_char_boundary(start - EXCERPT / 2),
        };
        let to = shown.floor_char_boundary(line_end.min(from + 2 * EXCERPT));
        let end = shown.floor_char_boundary(place.span.end as usize).clamp(start, to.max(start));
        let text = visible(shown[from..to].trim_end_matches('\r'));
        let before = visible(&shown[from..start]).len();
        // An empty place is shown as the whole character that stands there.
        let one = shown[start..to.max(start)].chars().next().map_or(0, char::len_utf8);
        let marked = visible(&shown[start..end.max(start + one)]).len();
        let at = place.position();
        Self {
            name: visible(place.source.name()).replace('\n', "\\n"),
            span: before.min(text.len())..(before + marked).min(text.len()),
            text,
            line: at.line,
            shift: from - line_start,
            column: at.column,
        }
    }

    /// The renderer counts columns from where the excerpt was cut: this says the true one.
    fn true_column(&self, text: &str) -> String {
        if self.shift == 0 {
            return text.to_owned();
        }
        let head = format!("{}:{}:", self.name, self.line);
        let Some(at) = text.find(&head).map(|at| at + head.len()) else {
            return text.to_owned();
        };
        let digits = text[at..].bytes().take_while(u8::is_ascii_digit).count();
        format!("{}{}{}", &text[..at], self.column, &text[at + digits..])
    }
}

/// A text for people: visible, and cut where it names a megabyte that somebody wrote.
fn short(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => visible(&text[..at]) + "…",
        None => visible(text),
    }
}

/// Whether a character could steer a terminal: control characters but line feed and tab, the separators
/// that some take for the end of a line, and the marks that turn the direction of writing.
#[must_use]
pub fn steers(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t')
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// A text with everything that could steer a terminal shown as an escape.
#[must_use]
pub fn visible(text: &str) -> String {
    if !text.contains(steers) {
        return text.to_owned();
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            c if !steers(c) => shown.push(c),
            c if (c as u32) < 0x100 => {
                let _ = write!(shown, "\\x{:02x}", c as u32);
            }
            c => {
                let _ = write!(shown, "\\u{{{:x}}}", c as u32);
            }
        }
    }
    shown
}

/// «did you mean `…`?», for the candidate that is nearest to `word`, if one is near enough.
pub fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(word, candidates).map(|near| format!("did you mean `{near}`?"))
}

/// The candidate nearest to `word`, if one is near enough to be meant.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    candidates
        .into_iter()
        .filter(|candidate| *candidate != word)
        .map(|candidate| (strsim::jaro_winkler(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caret_stands_under_the_place() {
        let source = Source::text("flow.yaml", "steps:\n  - metod: GET\n");
        let text = Diagnostic::error("unknown key `metod`")
            .at(&source, Span::new(11, 16))
            .help("did you mean `method`?")
            .render(false);
        assert!(text.contains("--> flow.yaml:2:5"), "{text}");
        assert!(text.contains("    ^^^^^"), "{text}");
        assert!(text.contains("did you mean `method`?"), "{text}");
    }

    #[test]
    fn the_name_of_a_file_steers_no_terminal() {
        let source = Source::text("a\x1b[2J\n::b\u{202e}.yaml", "x");
        let text = Diagnostic::error("bad").at(&source, Span::new(0, 1)).render(false);
        assert!(text.contains("--> a\\x1b[2J\\n::b\\u{202e}.yaml:1:1"), "{text}");
    }

    #[test]
    fn a_long_line_is_cut_and_still_tells_the_true_column() {
        let line = format!("{}X{}", "a".repeat(5000), "b".repeat(5000));
        let source = Source::text("long.yaml", line);
        let text = Diagnostic::error("bad").at(&source, Span::new(5000, 5001)).render(false);
        assert!(text.contains("long.yaml:1:5001"), "{text}");
        assert!(text.len() < 2000);
    }

    #[test]
    fn what_steers_a_terminal_is_made_visible() {
        assert_eq!(visible("a\x1b[2J\u{202e}\u{61c}b\n"), "a\\x1b[2J\\u{202e}\\u{61c}b\n");
    }

    #[test]
    fn the_nearest_word_is_offered_and_a_far_one_is_not() {
        assert_eq!(nearest("persnal_token", ["access_token", "personal_token"]), Some("personal_token"));
        assert_eq!(nearest("xyz", ["access_token"]), None);
    }
}

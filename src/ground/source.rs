//! A text that a user wrote, and places in it.
//!
//! Everything that is read keeps its [`Span`], so that the last renderer can still show the line.
//! A source also knows which of its places hold a secret: an excerpt never shows those.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::ground::secret::name::is_secret_parameter;
use crate::ground::secret::{Needles, SHORTEST, is_secret_name};

/// A range of bytes in a [`Source`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Span {
    /// The first byte.
    pub start: u32,
    /// The byte after the last one.
    pub end: u32,
}

impl Span {
    /// A span from two byte offsets. Offsets past 4 GiB saturate; no source is that large.
    #[must_use]
    pub fn new(start: usize, end: usize) -> Self {
        let narrow = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
        Self { start: narrow(start), end: narrow(end.max(start)) }
    }

    /// The span as a range of byte offsets.
    #[must_use]
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// A value and the place where it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spanned<T> {
    /// What was written.
    pub value: T,
    /// Where it was written.
    pub span: Span,
}

impl<T> Spanned<T> {
    /// Joins a value with its place.
    pub const fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }
}

/// A line and a column, both counted from 1; the column counts characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

/// A text with the name under which people know it.
pub struct Source {
    name: String,
    path: Option<PathBuf>,
    text: String,
    hidden: Mutex<Vec<Span>>,
    /// The text without them, and how many they were.
    shown: Mutex<Option<(usize, Arc<str>)>>,
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source")
            .field("name", &self.name)
            .field("bytes", &self.text.len())
            .finish_non_exhaustive()
    }
}

impl Source {
    /// A text that is not a file: `name` is what messages call it.
    pub fn text(name: impl Into<String>, text: impl Into<String>) -> Arc<Self> {
        Arc::new(Self {
            name: name.into(),
            path: None,
            text: text.into(),
            hidden: Mutex::default(),
            shown: Mutex::default(),
        })
    }

    /// A text that was read from `path`.
    pub fn file(path: &Path, text: impl Into<String>) -> Arc<Self> {
        Arc::new(Self {
            name: path.display().to_string(),
            path: Some(path.to_owned()),
            text: text.into(),
            hidden: Mutex::default(),
            shown: Mutex::default(),
        })
    }

    /// What messages call this text.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file it came from, if it came from one.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// The folder that paths in this text are relative to.
    #[must_use]
    pub fn folder(&self) -> &Path {
        match self.path().and_then(Path::parent) {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        }
    }

    /// A path that is written in this text: it is relative to the folder of this one, and shown
    /// without `./`.
    #[must_use]
    pub fn beside(&self, path: &str) -> PathBuf {
        let path = Path::new(path);
        let joined = match self.path().and_then(Path::parent) {
            Some(folder) => folder.join(path),
            None => path.to_owned(),
        };
        joined.components().filter(|part| *part != std::path::Component::CurDir).collect()
    }

    /// The whole text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What stands at `span`; empty where the span does not fit the text.
    #[must_use]
    pub fn slice(&self, span: Span) -> &str {
        self.text.get(span.range()).unwrap_or_default()
    }

    /// Marks a place that no excerpt may show, such as the literal default of a secret input.
    pub fn hide(&self, span: Span) {
        self.hidden.lock().unwrap_or_else(PoisonError::into_inner).push(span);
    }

    /// The text with every hidden place blanked by `*`, byte for byte, so that offsets keep.
    /// Where a text could not be read far enough to know what is secret, names tell.
    #[must_use]
    pub fn shown(&self) -> Arc<str> {
        let hidden = self.hidden.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        match &*shown {
            // Places are only ever added, and a text with many mistakes is shown for each.
            Some((places, text)) if *places == hidden.len() => Arc::clone(text),
            _ => {
                let text: Arc<str> = self.blanked(&hidden).into();
                *shown = Some((hidden.len(), Arc::clone(&text)));
                text
            }
        }
    }

    fn blanked(&self, hidden: &[Span]) -> String {
        let mut shown = self.text.clone().into_bytes();
        let mut hidden = hidden.to_vec();
        hidden.extend(literal_secrets(&self.text));
        hidden.extend(literal_parameters(&self.text));
        hidden.extend(repeated(&self.text, &hidden));
        for span in hidden {
            let end = shown.len().min(span.end as usize);
            for byte in shown.get_mut(span.start as usize..end).unwrap_or_default() {
                if *byte != b'\n' {
                    *byte = b'*';
                }
            }
        }
        // A hidden span is a whole scalar, so that no character is cut; were one cut, its rest
        // would be replaced here.
        String::from_utf8_lossy(&shown).into_owned()
    }

    /// The line and column of a byte offset.
    #[must_use]
    pub fn position(&self, offset: usize) -> Position {
        let before = &self.text[..self.text.floor_char_boundary(offset)];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Position {
            line: before.bytes().filter(|byte| *byte == b'\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }
}

/// The project that a folder belongs to: the nearest folder above with `.git`, `reqchain.yaml` or
/// `workflows/`, else the folder itself. What lies outside is not read unasked.
#[must_use]
pub fn project(folder: &Path) -> PathBuf {
    let marked = |folder: &&Path| {
        folder.join(".git").exists()
            || folder.join("reqchain.yaml").exists()
            || folder.join("workflows").is_dir()
    };
    folder.ancestors().find(marked).unwrap_or(folder).to_owned()
}

/// Whether a file lies in the project that a folder belongs to, links followed.
///
/// # Errors
/// Where the file or the folder cannot be found.
pub fn in_project(file: &Path, folder: &Path) -> std::io::Result<bool> {
    Ok(file.canonicalize()?.starts_with(project(&folder.canonicalize()?)))
}

/// Where a secret seems to stand as it is: `password: hunter2`, in YAML's plain and quoted forms,
/// also in a text that is no YAML. What is a selector or a map is none, and neither is what is too short
/// to be searched for anywhere; of what has a template in it, only its literals are.
fn literal_secrets(text: &str) -> Vec<Span> {
    let mut spans = Vec::new();
    for (colon, _) in text.match_indices(": ") {
        let before = &text[..colon];
        let name =
            before.bytes().rev().take_while(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(byte));
        let name = &before[colon - name.count()..];
        // `bearer` says how, not what; what stands behind it is a token all the same. `session` is a key
        // of the language.
        if !(is_secret_name(name) || name == "bearer") || name == "session" {
            continue;
        }
        let start = colon + 2 + text[colon + 2..].len() - text[colon + 2..].trim_start_matches(' ').len();
        let start = start + properties(&text[start..]);
        let rest = &text[start..];
        let end = match rest.chars().next() {
            None | Some('{' | '!' | '$' | '|' | '>' | '&' | '*' | '#' | '\n' | '\r') => continue,
            Some('[') => rest.find([']', '\n']).unwrap_or(rest.len()),
            Some(quote @ ('"' | '\'')) => rest[1..].find([quote, '\n']).map_or(rest.len(), |at| at + 1),
            Some(_) => {
                let line = rest.find([',', '}', '\n', '\r']).unwrap_or(rest.len());
                rest[..line].find(" #").unwrap_or(line)
            }
        };
        let value = rest[..end].trim_end();
        let is_list = value.starts_with('[');
        if is_list || value.contains("{{") {
            spans.extend(literals(value).map(|range| Span::new(start + range.start, start + range.end)));
        }
        if !is_list {
            spans.extend(outside_templates(start, value));
        }
    }
    spans
}

/// What of a value is no template, and long enough to be a secret: `Bearer {{ token }}` has none.
fn outside_templates(start: usize, value: &str) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut from = 0;
    while from < value.len() {
        let open = value[from..].find("{{").map_or(value.len(), |at| from + at);
        if value[from..open].trim().len() >= SHORTEST {
            spans.push(Span::new(start + from, start + open));
        }
        from = value[open..].find("}}").map_or(value.len(), |at| open + at + 2);
    }
    spans
}

/// How long the tag and the anchor are that stand before a value, with the blanks behind them.
fn properties(text: &str) -> usize {
    let mut rest = text;
    while rest.starts_with(['!', '&']) {
        let word = rest.find([' ', '\n']).unwrap_or(rest.len());
        rest = rest[word..].trim_start_matches(' ');
    }
    text.len() - rest.len()
}

/// The long words of a list, or of a text with templates in it, that are not of a template, and the long
/// literals of these.
fn literals(value: &str) -> impl Iterator<Item = std::ops::Range<usize>> {
    let separates = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '{' | '}' | '[' | ']' | ',');
    let mut inside = false;
    let mut at = 0;
    let words = value.split(separates).filter_map(move |word| {
        let (start, end) = (at, at + word.len());
        let before = value[..start].chars().next_back();
        at = end + value[end..].chars().next().map_or(0, char::len_utf8);
        inside = match before {
            Some('{') => true,
            Some('}') => false,
            _ => inside,
        };
        let is_literal = !inside || matches!(before, Some('"' | '\''));
        (is_literal && word.len() >= SHORTEST).then_some(start..end)
    });
    words.collect::<Vec<_>>().into_iter()
}

/// Where a secret seems to stand in a URL: `?token=hunter2&sig=x`. What is a template is none.
fn literal_parameters(text: &str) -> Vec<Span> {
    let ends = |c: char| c.is_whitespace() || matches!(c, '&' | '#' | '"' | '\'' | ',' | '}' | '`');
    let mut spans = Vec::new();
    for (at, _) in text.match_indices('=') {
        let before = &text[..at];
        let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.%".contains(byte);
        let start = at - before.bytes().rev().take_while(is_word).count();
        if !before[..start].ends_with(['?', '&']) || !is_secret_parameter(&before[start..], false) {
            continue;
        }
        let value = &text[at + 1..];
        let value = &value[..value.find(ends).unwrap_or(value.len())];
        if !value.is_empty() && !value.contains("{{") {
            spans.push(Span::new(at + 1, at + 1 + value.len()));
        }
    }
    spans
}

/// Where else in a text that stands which is hidden, as it is or in another form: a script may have the
/// password again that is an input's default.
fn repeated(text: &str, hidden: &[Span]) -> Vec<Span> {
    let needles = Needles::default();
    let name: Arc<str> = "hidden".into();
    let literals = hidden.iter().filter_map(|span| text.get(span.range()));
    for literal in literals.filter(|literal| !literal.contains("{{")) {
        needles.learn(&name, literal.trim_matches(['"', '\'', ' ']));
    }
    needles.find(text).into_iter().map(|hit| Span::new(hit.range.start, hit.range.end)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters_and_lines_from_one() {
        let source = Source::text("t", "ä: 1\nb: ü2\n");
        let at = source.as_str().find('2').expect("there is a 2");
        assert_eq!(source.position(at), Position { line: 2, column: 5 });
        assert_eq!(source.position(999), Position { line: 3, column: 1 });
    }

    #[test]
    fn a_hidden_place_is_blanked_without_moving_the_rest() {
        let source = Source::text("t", "shelf_mark: hunter2 # mine");
        source.hide(Span::new(12, 19));
        assert_eq!(&*source.shown(), "shelf_mark: ******* # mine");
    }

    #[test]
    fn what_is_hidden_is_so_wherever_it_stands_and_beside_a_template() {
        let text = "password: 'opensesame'\nscript: let x = `opensesame`;\nbearer: 'Bearer {{ token }} sesame-too'\n";
        let shown = "password: ***********'\nscript: let x = `**********`;\nbearer: 'Bearer {{ token }}***********'\n";
        assert_eq!(&*Source::text("t", text).shown(), shown);
    }
}

//! Colours, and the cleaning that comes before them.
//!
//! These are the only terminal codes that we write. A server's text must not bring its own, so
//! whatever is painted was made [`clean`] first.

use std::borrow::Cow;

use crate::ground::diagnostic::visible;

/// Whether texts are coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    colored: bool,
}

impl Style {
    /// With colours, or without any.
    #[must_use]
    pub const fn new(colored: bool) -> Self {
        Self { colored }
    }

    /// Whether there are colours.
    #[must_use]
    pub const fn is_colored(self) -> bool {
        self.colored
    }

    /// For names of things.
    #[must_use]
    pub fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    /// For what matters less.
    #[must_use]
    pub fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }

    /// For failures.
    #[must_use]
    pub fn red(self, text: &str) -> String {
        self.paint("31", text)
    }

    /// For what is well.
    #[must_use]
    pub fn green(self, text: &str) -> String {
        self.paint("32", text)
    }

    /// For what deserves a look.
    #[must_use]
    pub fn yellow(self, text: &str) -> String {
        self.paint("33", text)
    }

    /// For what to do next.
    #[must_use]
    pub fn cyan(self, text: &str) -> String {
        self.paint("36", text)
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.colored && !text.is_empty() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// A text that may have several lines, fit for a terminal.
#[must_use]
pub fn clean(text: &str) -> String {
    // A carriage return at the end of a line is how HTTP and Windows end lines, nothing hostile.
    visible(&text.replace("\r\n", "\n"))
}

/// A text on one line, fit for a terminal, at most `limit` characters long.
#[must_use]
pub fn one_line(text: &str, limit: usize) -> String {
    let mut line: Cow<'_, str> = text.into();
    if let Some((cut, _)) = text.char_indices().nth(limit) {
        line = format!("{}…", &text[..cut]).into();
    }
    visible(&line.replace('\n', "\\n").replace('\r', "\\r").replace('\t', " "))
}

/// Every line of a text behind `prefix`, each with its line feed.
#[must_use]
pub fn indent(text: &str, prefix: &str) -> String {
    let mut indented = String::with_capacity(text.len() + 64);
    for line in text.lines() {
        indented.push_str(prefix);
        indented.push_str(line);
        indented.truncate(indented.trim_end_matches(' ').len());
        indented.push('\n');
    }
    indented
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_wrap_a_text_only_where_they_are_wanted() {
        assert_eq!(Style::new(true).red("no"), "\x1b[31mno\x1b[0m");
        assert_eq!(Style::new(true).red(""), "");
        assert_eq!(Style::new(false).red("no"), "no");
    }

    #[test]
    fn one_line_is_one_line_and_steers_nothing() {
        assert_eq!(one_line("a\r\nb\tc\x1b[2J", 40), "a\\r\\nb c\\x1b[2J");
        assert_eq!(one_line("äöüß", 3), "äöü…");
        assert_eq!(one_line("äöü", 3), "äöü");
    }

    #[test]
    fn several_lines_stay_lines() {
        assert_eq!(clean("a\r\nb\rc\u{9b}2J"), "a\nb\\x0dc\\x9b2J");
        assert_eq!(indent("a\n\nb", "| "), "| a\n|\n| b\n");
    }
}

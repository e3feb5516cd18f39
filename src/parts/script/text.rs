//! The text of a script and where it stands: in a workflow's block, or in a file of its own.
//!
//! Rhai counts lines and columns of the script; people read lines of the file that they wrote.

use std::sync::Arc;

use rhai::Position;

use crate::ground::diagnostic::Place;
use crate::ground::source::{Source, Span};
use crate::ground::yaml::Scalar;

/// A script's text and its place.
#[derive(Debug, Clone)]
pub(super) struct Text {
    source: Arc<Source>,
    /// The scalar that it stands in; `None` where it is the whole source.
    scalar: Option<Scalar>,
}

impl Text {
    /// A script inside a workflow's text.
    pub(super) fn inline(source: &Arc<Source>, scalar: &Scalar) -> Self {
        Self { source: Arc::clone(source), scalar: Some(scalar.clone()) }
    }

    /// A script that is a source of its own.
    pub(super) fn whole(source: Arc<Source>) -> Self {
        Self { source, scalar: None }
    }

    /// Whether it stands in a workflow's text.
    pub(super) fn is_inline(&self) -> bool {
        self.scalar.is_some()
    }

    pub(super) fn source(&self) -> &Arc<Source> {
        &self.source
    }

    /// What Rhai reads.
    pub(super) fn as_str(&self) -> &str {
        self.scalar.as_ref().map_or_else(|| self.source.as_str(), |scalar| &scalar.text)
    }

    /// Where a position of Rhai stands; the whole script where Rhai does not know.
    pub(super) fn place(&self, position: Position) -> Place {
        let span = match position.line() {
            Some(line) => self.span(line, position.position().unwrap_or(1)),
            None => self.first_line(),
        };
        Place { source: Arc::clone(&self.source), span }
    }

    /// What Rhai counted from there, as bytes of the script.
    pub(super) fn offset(&self, line: usize, column: usize) -> usize {
        let text = self.as_str();
        let start = match line {
            0 | 1 => 0,
            _ => memchr::memchr_iter(b'\n', text.as_bytes())
                .nth(line - 2)
                .map_or(text.len(), |newline| newline + 1),
        };
        let rest = &text[start..];
        let column = rest.char_indices().nth(column.saturating_sub(1));
        start + column.map_or(rest.len(), |(at, _)| at)
    }

    fn span(&self, line: usize, column: usize) -> Span {
        let mut start = self.offset(line, column);
        // Rhai points at the dot where it means the name behind it.
        if self.as_str()[start..].starts_with('.') {
            start += 1;
        }
        let word = self.as_str()[start..]
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .map(char::len_utf8)
            .sum::<usize>();
        // Of a text in quotes, all of it is meant.
        let quoted = self.as_str()[start..]
            .strip_prefix('"')
            .and_then(|rest| rest.lines().next()?.find('"'))
            .map_or(0, |end| end + 2);
        let one = self.as_str()[start..].chars().next().map_or(0, char::len_utf8);
        let part = start..start + word.max(quoted).max(one);
        match &self.scalar {
            Some(scalar) => scalar.span_of(&self.source, part),
            None => Span::new(part.start, part.end),
        }
    }

    fn first_line(&self) -> Span {
        match &self.scalar {
            Some(scalar) => scalar.span,
            None => Span::default(),
        }
    }
}

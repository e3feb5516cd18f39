//! What is wrong with a text that is not YAML, for people who never read its specification.
//!
//! A parser tells where it gave up; most often the mistake is one of a few that everyone makes, and
//! stands in the same line or the one above. Those are told for what they are.

use saphyr_parser::ScanError;

use crate::ground::diagnostic::Diagnostic;
use crate::ground::source::Span;
use crate::ground::yaml::MAX_DEPTH;
use crate::ground::yaml::reader::Reader;

impl Reader<'_> {
    pub(super) fn complex_key(&self, key: Span, map: Span) -> Diagnostic {
        let rest = &self.source.as_str()[map.start as usize..];
        if rest.starts_with("{{") {
            let template = templated(rest.lines().next().unwrap_or_default());
            let span = Span::new(map.start as usize, map.start as usize + template.len());
            return self
                .error("a value that begins with `{{` must be quoted: YAML reads it as a map", span)
                .help(format!("write \"{template}\""));
        }
        self.error("a key must be a text, not a list or a map", key)
            .help("quote a text that begins with `[` or `{`")
    }

    pub(super) fn syntax_error(&self, error: &ScanError) -> Diagnostic {
        let at = self.offset(error.marker().index());
        if error.info().contains("recursion limit") {
            return self.error(format!("nested deeper than {MAX_DEPTH} levels"), Span::new(at, at));
        }
        let text = self.source.as_str();
        let line_start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
        let line = text[line_start..].lines().next().unwrap_or_default();
        let diagnostic = self.error(plain_words(error.info()), Span::new(at, at));
        if let Some(glued) = self.glued_colon(line_start) {
            return glued;
        }
        self.syntax_help(diagnostic, line, line_start)
    }

    /// `url:https://…` in the line above is a text, and what follows it cannot be understood.
    fn glued_colon(&self, line_start: usize) -> Option<Diagnostic> {
        let above = self.source.as_str()[..line_start].trim_end();
        let start = above.rfind('\n').map_or(0, |newline| newline + 1);
        let line = above[start..].trim_start_matches(['-', ' ']);
        let at = start + (above[start..].len() - line.len());
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let key = &line[..line.find(|c| !word(c))?];
        let rest = line[key.len()..].strip_prefix(':')?;
        let glued = !key.is_empty() && !rest.is_empty() && !rest.starts_with([' ', '/']);
        glued.then(|| {
            let span = Span::new(at, at + key.len() + 1);
            let message = "this is not YAML: a space is missing behind the colon of a key";
            self.error(message, span).help(format!("write `{key}: {rest}`"))
        })
    }

    /// The mistakes that everyone makes: the help says what to quote.
    fn syntax_help(&self, diagnostic: Diagnostic, line: &str, line_start: usize) -> Diagnostic {
        let indent = line.len() - line.trim_start_matches(' ').len();
        if line[indent..].starts_with('\t') {
            return Diagnostic { message: "a tab cannot indent YAML".to_owned(), ..diagnostic }
                .at(self.source, Span::new(line_start + indent, line_start + indent + 1))
                .help("indent with spaces");
        }
        if let Some((path, at)) = bracketed_path(line) {
            let span = Span::new(line_start + at, line_start + at + path.len());
            let message = "inside `{ }` a path with `[ ]` must be quoted";
            return Diagnostic { message: message.to_owned(), ..diagnostic }
                .at(self.source, span)
                .help(format!("write '{}'", path.replace('\'', "''")));
        }
        if let Some(at) = line.find(": {{").map(|at| at + 2) {
            let end = at + templated(line[at..].trim_end()).len();
            let message = "a value that begins with `{{` must be quoted: YAML reads it as a map";
            return Diagnostic { message: message.to_owned(), ..diagnostic }
                .at(self.source, Span::new(line_start + at, line_start + end))
                .help(format!("write \"{}\"", &line[at..end]));
        }
        if diagnostic.message.contains("begins an escape") {
            return diagnostic.help(r"write the text in single quotes: '\d+', or the backslash twice: \\");
        }
        if diagnostic.message.contains("behind a closing quote") {
            return diagnostic.help("put the whole value in quotes, or take them away");
        }
        let value = line.split_once(": ").map(|(_, value)| value.trim_start());
        match value.and_then(|value| value.chars().next()) {
            Some(first @ ('@' | '`' | '%' | '&' | '*')) => {
                diagnostic.help(format!("quote a value that begins with `{first}`"))
            }
            Some(first @ ('"' | '\'')) => {
                diagnostic.help(format!("is the quote {first} closed, and nothing behind it?"))
            }
            Some('{') => {
                diagnostic.help("inside `{ }`, quote a text that holds `,`, `[`, `]`, `{`, `}` or `: `")
            }
            Some(_) if value.is_some_and(|value| value.contains(": ")) => {
                diagnostic.help("quote a text that holds a colon and a space")
            }
            _ if diagnostic.message.contains("is not closed") => {
                diagnostic.help("look for the bracket above that stays open")
            }
            _ => diagnostic.help("look at the indent of this line and of the one above"),
        }
    }
}

/// The text that begins with a template: up to the blank, comma or brace behind it.
fn templated(line: &str) -> &str {
    let mut end = 0;
    while let Some(close) = line[end..].strip_prefix("{{").and_then(|rest| rest.find("}}")) {
        end += close + 4;
        let rest = &line[end..];
        let plain = rest.find([' ', ',', '}', ']']).unwrap_or(rest.len());
        end += rest[..plain].find("{{").unwrap_or(plain);
    }
    if end == 0 { line } else { &line[..end] }
}

/// What the parser says, in words that need no knowledge of parsers.
fn plain_words(told: &str) -> String {
    let known = [
        ("did not find expected key", "this line does not fit the indent of the lines above"),
        ("did not find expected '-' indicator", "this line does not fit the list above it"),
        ("did not find expected ',' or '}'", "a `{` is not closed, or a comma is missing"),
        ("did not find expected ',' or ']'", "a `[` is not closed, or a comma is missing"),
        ("invalid indentation in quoted scalar", "the quote that begins here is not closed"),
        ("unexpected end of stream", "the quote that begins here is not closed"),
        ("found unknown anchor", "no `&` gave this name before"),
        ("mapping values are not allowed", "a colon cannot stand here"),
        ("invalid trailing content after double-quoted", "text stands behind a closing quote"),
        ("invalid trailing content after single-quoted", "text stands behind a closing quote"),
        ("unknown escape character", "a `\\` in double quotes begins an escape, and this is none"),
        ("unexpected character: `@'", "a value cannot begin with `@`"),
        ("unexpected character: `%'", "a value cannot begin with `%`"),
        ("unexpected character: ``'", "a value cannot begin with a backtick"),
    ];
    let plain = known.iter().find(|(theirs, _)| told.contains(theirs));
    plain.map_or_else(|| format!("this is not YAML: {told}"), |(_, ours)| format!("this is not YAML: {ours}"))
}

/// The first unquoted path with brackets inside a flow map: `{ id: $.items[0].id }`.
fn bracketed_path(line: &str) -> Option<(&str, usize)> {
    let open = line.find('{')?;
    let at = open + line[open..].find(": $").or_else(|| line[open..].find("{ $"))? + 2;
    let rest = &line[at..];
    let mut depth = 0_usize;
    let end = rest
        .char_indices()
        .find(|(_, c)| {
            match c {
                '[' => depth += 1,
                ']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0 && matches!(c, ',' | '}' | ' ')
        })
        .map_or(rest.len(), |(end, _)| end);
    let path = rest[..end].trim_end();
    let path = path.strip_suffix(':').unwrap_or(path);
    path.contains('[').then_some((path, at))
}

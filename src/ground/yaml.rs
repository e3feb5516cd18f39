//! YAML text to a tree of [`Node`]s, each with its span: the only reader of YAML for what people
//! write.
//!
//! The parser's events become a plain tree; each type of the language then reads itself from a
//! node and reports every mistake, where serde would stop at the first and lose its place.
//! Aliases and merge keys are expanded here, within limits, so that nobody above knows of them.

use std::collections::HashMap;
use std::sync::Arc;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span as EventSpan, StrInput};

use crate::ground::diagnostic::Diagnostic;
use crate::ground::source::{Source, Span};
use crate::ground::value::{Map, Number, Value};

/// How deep lists and maps may be nested.
pub const MAX_DEPTH: usize = 64;
/// How many nodes a file may have after its aliases were expanded.
pub const MAX_NODES: usize = 100_000;
/// How large a file may be, in bytes; a file must be smaller.
pub const MAX_BYTES: usize = 1024 * 1024;

/// A piece of YAML and its place.
#[derive(Debug, Clone)]
pub struct Node {
    /// Where it stands.
    pub span: Span,
    /// What it is.
    pub kind: Kind,
}

/// What a [`Node`] can be.
#[derive(Debug, Clone)]
pub enum Kind {
    /// Text, a number, a truth value or null: what it is, its reader decides.
    Scalar(Scalar),
    /// A list.
    List(Vec<Node>),
    /// A map; keys are scalars and differ from each other.
    Map(Vec<(Scalar, Node)>),
}

/// How a scalar was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Without quotes.
    Plain,
    /// In quotes of either kind.
    Quoted,
    /// A `|` block.
    Literal,
    /// A `>` block.
    Folded,
}

/// A scalar as it was typed, quotes and escapes undone.
#[derive(Debug, Clone)]
pub struct Scalar {
    /// The text.
    pub text: Arc<str>,
    /// Where it stands, quotes included.
    pub span: Span,
    /// How it was written.
    pub style: Style,
}

impl Node {
    /// The scalar, where it is one.
    #[must_use]
    pub const fn scalar(&self) -> Option<&Scalar> {
        match &self.kind {
            Kind::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// The value under a key, where it is a map that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        match &self.kind {
            Kind::Map(entries) => entries
                .iter()
                .find(|(name, _)| &*name.text == key)
                .map(|(_, node)| node),
            _ => None,
        }
    }

    /// The place of a key, where it is a map that has it.
    #[must_use]
    pub fn key_span(&self, key: &str) -> Option<Span> {
        match &self.kind {
            Kind::Map(entries) => entries
                .iter()
                .find(|(name, _)| &*name.text == key)
                .map(|(name, _)| name.span),
            _ => None,
        }
    }

    /// What it is, in the words of a message.
    #[must_use]
    pub fn describe(&self) -> &'static str {
        match &self.kind {
            Kind::List(_) => "a list",
            Kind::Map(_) => "a map",
            Kind::Scalar(scalar) => match scalar.resolve() {
                Value::Null if scalar.text.is_empty() => "nothing",
                Value::Null => "null",
                Value::Bool(_) => "true or false",
                Value::Number(_) => "a number",
                _ => "a text",
            },
        }
    }

    /// The whole node as a value, by the rules of YAML 1.2.
    #[must_use]
    pub fn to_value(&self) -> Value {
        match &self.kind {
            Kind::Scalar(scalar) => scalar.resolve(),
            Kind::List(elements) => elements
                .iter()
                .map(Self::to_value)
                .collect::<Vec<_>>()
                .into(),
            Kind::Map(entries) => entries
                .iter()
                .map(|(key, node)| (Arc::clone(&key.text), node.to_value()))
                .collect::<Map>()
                .into(),
        }
    }
}

impl Scalar {
    /// Whether nothing was written at all (`key:`).
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.style == Style::Plain && self.text.is_empty()
    }

    /// The value by YAML 1.2's core schema: `yes` is text, `0x1f` a number. A number with a
    /// leading zero is text, since no number would print it again; so are `.inf` and `.nan`,
    /// which JSON cannot say.
    #[must_use]
    pub fn resolve(&self) -> Value {
        if self.style != Style::Plain {
            return Value::String(Arc::clone(&self.text));
        }
        match self.text.as_ref() {
            "" | "~" | "null" | "Null" | "NULL" => Value::Null,
            "true" | "True" | "TRUE" => Value::Bool(true),
            "false" | "False" | "FALSE" => Value::Bool(false),
            text => {
                number(text).map_or_else(|| Value::String(Arc::clone(&self.text)), Value::Number)
            }
        }
    }

    /// Where the byte `at` of the text stands in the source. `None` where the two do not run in
    /// step: escapes, folding, a plain scalar over several lines.
    #[must_use]
    pub fn locate(&self, source: &Source, at: usize) -> Option<usize> {
        let start = self.span.start as usize;
        if self.style == Style::Literal {
            return self.locate_in_block(source, at);
        }
        let raw = source.slice(self.span);
        let skip = usize::from(self.style == Style::Quoted);
        raw.get(skip..skip + self.text.len())
            .is_some_and(|copy| copy == &*self.text)
            .then_some(start + skip + at)
    }

    /// The span of a part of the text; of the whole scalar where parts cannot be told.
    #[must_use]
    pub fn span_of(&self, source: &Source, part: std::ops::Range<usize>) -> Span {
        match (
            self.locate(source, part.start),
            self.locate(source, part.end),
        ) {
            (Some(start), Some(end)) => Span::new(start, end),
            _ => self.find_word(source, part).unwrap_or(self.span),
        }
    }

    /// A part of a text that was folded or has escapes: where it is written as often as it stands
    /// in the text, the one with the same number is it.
    fn find_word(&self, source: &Source, part: std::ops::Range<usize>) -> Option<Span> {
        let word = self.text.get(part.clone()).filter(|word| !word.is_empty())?;
        let written = source.slice(self.span);
        if written.matches(word).count() != self.text.matches(word).count() {
            return None;
        }
        let before = self.text[..part.start].matches(word).count();
        let (at, _) = written.match_indices(word).nth(before)?;
        let start = self.span.start as usize + at;
        Some(Span::new(start, start + word.len()))
    }

    /// A `|` block: its lines stand in the source as they are, each behind the indent.
    fn locate_in_block(&self, source: &Source, at: usize) -> Option<usize> {
        let before = self.text.get(..at)?;
        let line = before.matches('\n').count();
        let column = at - before.rfind('\n').map_or(0, |newline| newline + 1);
        // The parser's span begins at the first line that is not blank, behind its indent.
        let blank = self.text.bytes().take_while(|byte| *byte == b'\n').count();
        let first = self.span.start as usize;
        let line_start = source.as_str()[..first]
            .rfind('\n')
            .map_or(0, |newline| newline + 1);
        let indent = first - line_start;
        let mut start = line_start;
        for _ in blank..line {
            start += source.as_str().get(start..)?.find('\n')? + 1;
        }
        for _ in line..blank {
            start = source.as_str()[..start.checked_sub(1)?]
                .rfind('\n')
                .map_or(0, |newline| newline + 1);
        }
        let found = start + indent + column;
        Some(found.min(source.as_str().len()))
    }
}

/// A plain scalar as a number of YAML 1.2's core schema.
fn number(text: &str) -> Option<Number> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let first = digits.bytes().next()?;
    if !first.is_ascii_digit() && first != b'.' {
        return None;
    }
    if let Some(hex) = text.strip_prefix("0x") {
        return u64::from_str_radix(hex, 16).ok().map(Number::from);
    }
    if let Some(octal) = text.strip_prefix("0o") {
        return u64::from_str_radix(octal, 8).ok().map(Number::from);
    }
    if digits.len() > 1 && first == b'0' && digits.as_bytes()[1].is_ascii_digit() {
        return None;
    }
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let text = text.strip_prefix('+').unwrap_or(text);
        return text
            .parse::<u64>()
            .map(Number::from)
            .or_else(|_| text.parse::<i64>().map(Number::from))
            .ok();
    }
    let shaped = digits
        .bytes()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'-' | b'+'))
        && digits.bytes().any(|byte| byte.is_ascii_digit());
    shaped
        .then(|| text.parse::<f64>().ok())
        .flatten()
        .and_then(Number::from_f64)
}

/// Reads one YAML document.
///
/// # Errors
/// What the YAML is not: bad syntax, a tag, a key twice, a second document, a limit. The first
/// only, since what follows broken syntax means nothing. An empty text is an error too.
pub fn read(source: &Arc<Source>) -> Result<Node, Diagnostic> {
    let text = source.as_str();
    if text.len() >= MAX_BYTES {
        let message = format!(
            "the file has {} bytes; a file must be smaller than 1 MiB",
            text.len()
        );
        return Err(Diagnostic::error(message)
            .at(source, Span::default())
            .help("split it: a step can run another workflow with `uses`"));
    }
    let mut reader = Reader {
        source,
        offsets: (!text.is_ascii()).then(|| text.char_indices().map(|(at, _)| at).collect()),
        anchors: HashMap::new(),
        nodes: 0,
    };
    reader.document(&mut Parser::new_from_str(text))
}

struct Reader<'s> {
    source: &'s Arc<Source>,
    /// The byte offset of each character, where they differ.
    offsets: Option<Vec<usize>>,
    anchors: HashMap<usize, Anchor>,
    nodes: usize,
}

#[derive(Clone)]
struct Anchor {
    node: Node,
    size: usize,
    depth: usize,
}

type Events<'s> = Parser<'s, StrInput<'s>>;

impl<'s> Reader<'s> {
    fn document(&mut self, events: &mut Events<'s>) -> Result<Node, Diagnostic> {
        let mut root = None;
        loop {
            let (event, span) = self.next(events)?;
            match event {
                Event::StreamEnd => break,
                Event::DocumentStart(_) if root.is_some() => {
                    return Err(self
                        .error(
                            "a second document begins here; a file holds one",
                            self.span(span),
                        )
                        .help("remove the `---`, or move what follows it to a file of its own"));
                }
                Event::StreamStart
                | Event::DocumentStart(_)
                | Event::DocumentEnd
                | Event::Nothing => {}
                other => root = Some(self.node(events, other, span, 0)?),
            }
        }
        match root {
            Some(root) if !root.scalar().is_some_and(Scalar::is_empty) => Ok(root),
            _ => Err(self
                .error("the file is empty", Span::default())
                .help("a workflow has at least `steps:`")),
        }
    }

    fn next(&self, events: &mut Events<'s>) -> Result<(Event<'s>, EventSpan), Diagnostic> {
        match events.next_event() {
            Some(Ok(next)) => Ok(next),
            Some(Err(error)) => Err(self.syntax_error(&error)),
            None => Ok((Event::StreamEnd, EventSpan::default())),
        }
    }

    fn node(
        &mut self,
        events: &mut Events<'s>,
        event: Event<'s>,
        span: EventSpan,
        depth: usize,
    ) -> Result<Node, Diagnostic> {
        let place = self.span(span);
        if depth > MAX_DEPTH {
            return Err(self.error(format!("nested deeper than {MAX_DEPTH} levels"), place));
        }
        self.count(1, place)?;
        let before = self.nodes;
        let (node, anchor) = match event {
            Event::Alias(id) => return self.alias(id, place, depth),
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_tag(tag.is_some(), place)?;
                (self.scalar(&text, style, place), anchor)
            }
            Event::SequenceStart(anchor, tag) => {
                self.refuse_tag(tag.is_some(), place)?;
                (self.list(events, place, depth)?, anchor)
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse_tag(tag.is_some(), place)?;
                (self.map(events, place, depth)?, anchor)
            }
            _ => return Err(self.error("unexpected end", place)),
        };
        if anchor > 0 {
            let size = self.nodes - before + 1;
            let depth = height(&node);
            self.anchors.insert(
                anchor,
                Anchor {
                    node: node.clone(),
                    size,
                    depth,
                },
            );
        }
        Ok(node)
    }

    fn scalar(&self, text: &str, style: ScalarStyle, span: Span) -> Node {
        let style = match style {
            ScalarStyle::Plain => Style::Plain,
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => Style::Quoted,
            ScalarStyle::Literal => Style::Literal,
            ScalarStyle::Folded => Style::Folded,
        };
        let span = self.trim(span);
        Node {
            span,
            kind: Kind::Scalar(Scalar {
                text: text.into(),
                span,
                style,
            }),
        }
    }

    fn list(
        &mut self,
        events: &mut Events<'s>,
        start: Span,
        depth: usize,
    ) -> Result<Node, Diagnostic> {
        let mut elements = Vec::new();
        loop {
            let (event, span) = self.next(events)?;
            if matches!(event, Event::SequenceEnd) {
                let end = self.span(span).end;
                let span = self.trim(Span {
                    start: start.start,
                    end,
                });
                return Ok(Node {
                    span,
                    kind: Kind::List(elements),
                });
            }
            elements.push(self.node(events, event, span, depth + 1)?);
        }
    }

    fn map(
        &mut self,
        events: &mut Events<'s>,
        start: Span,
        depth: usize,
    ) -> Result<Node, Diagnostic> {
        let mut entries: Vec<(Scalar, Node)> = Vec::new();
        let mut merged: Vec<(Scalar, Node)> = Vec::new();
        let mut seen = HashMap::new();
        loop {
            let (event, span) = self.next(events)?;
            if matches!(event, Event::MappingEnd) {
                for (key, value) in merged {
                    if !seen.contains_key(&key.text) {
                        seen.insert(Arc::clone(&key.text), key.span);
                        entries.push((key, value));
                    }
                }
                let end = self.span(span).end;
                let span = self.trim(Span {
                    start: start.start,
                    end,
                });
                return Ok(Node {
                    span,
                    kind: Kind::Map(entries),
                });
            }
            let place = self.span(span);
            let key = match self.node(events, event, span, depth + 1)?.kind {
                Kind::Scalar(key) => key,
                _ => return Err(self.complex_key(place, start)),
            };
            let (event, span) = self.next(events)?;
            let value = self.node(events, event, span, depth + 1)?;
            if key.style == Style::Plain && &*key.text == "<<" {
                merged.extend(self.merge(value)?);
                continue;
            }
            if let Some(first) = seen.insert(Arc::clone(&key.text), key.span) {
                let line = self.source.position(first.start as usize).line;
                return Err(self
                    .error(format!("the key `{}` stands twice", key.text), key.span)
                    .note(format!("first in line {line}"))
                    .help("remove one of the two"));
            }
            self.refuse_cut_text(start, &entries, &key, &value)?;
            entries.push((key, value));
        }
    }

    /// `{ a: text, more }`: what was meant as one text becomes a key without a value.
    fn refuse_cut_text(
        &self,
        start: Span,
        before: &[(Scalar, Node)],
        key: &Scalar,
        value: &Node,
    ) -> Result<(), Diagnostic> {
        let text = self.source.as_str();
        let in_braces = text[start.start as usize..].starts_with('{');
        let alone = !text[key.span.end as usize..].trim_start().starts_with(':');
        if !(in_braces && alone && value.scalar().is_some_and(Scalar::is_empty)) {
            return Ok(());
        }
        let message = format!("`{}` has no value", key.text);
        let help = match before.last().and_then(|(_, last)| last.scalar()) {
            Some(last) if last.style == Style::Plain => {
                format!("inside `{{ }}` a text with a comma must be quoted: write \"{}, {}\"", last.text, key.text)
            }
            _ => format!("write `{}: …`", key.text),
        };
        Err(self.error(message, key.span).help(help))
    }

    /// `<<: *anchor` or `<<: [*a, *b]`; what stands earlier wins.
    fn merge(&self, value: Node) -> Result<Vec<(Scalar, Node)>, Diagnostic> {
        let span = value.span;
        let maps = match value.kind {
            Kind::Map(entries) => vec![entries],
            Kind::List(elements) => elements
                .into_iter()
                .map(|element| match element.kind {
                    Kind::Map(entries) => Ok(entries),
                    _ => Err(self.no_merge(element.span)),
                })
                .collect::<Result<_, _>>()?,
            Kind::Scalar(_) => return Err(self.no_merge(span)),
        };
        Ok(maps.into_iter().flatten().collect())
    }

    fn no_merge(&self, span: Span) -> Diagnostic {
        self.error("`<<` merges maps only", span).help("write `<<: *name` for a map that `&name` marks")
    }

    fn alias(&mut self, id: usize, span: Span, depth: usize) -> Result<Node, Diagnostic> {
        let Some(anchor) = self.anchors.get(&id).cloned() else {
            return Err(self.error("this alias stands inside its own anchor", span));
        };
        self.count(anchor.size, span)?;
        if depth + anchor.depth > MAX_DEPTH {
            return Err(self.error(format!("nested deeper than {MAX_DEPTH} levels"), span));
        }
        Ok(anchor.node)
    }

    fn count(&mut self, more: usize, span: Span) -> Result<(), Diagnostic> {
        self.nodes += more;
        if self.nodes <= MAX_NODES {
            return Ok(());
        }
        Err(self
            .error(
                format!("more than {MAX_NODES} keys and values, aliases counted in full"),
                span,
            )
            .help("split the file: a step can run another workflow with `uses`"))
    }

    fn refuse_tag(&self, tagged: bool, span: Span) -> Result<(), Diagnostic> {
        if !tagged {
            return Ok(());
        }
        Err(self
            .error("YAML tags are not part of the language", span)
            .help("remove the `!…`; quote the text if it should begin with `!`"))
    }

    fn complex_key(&self, key: Span, map: Span) -> Diagnostic {
        let rest = &self.source.as_str()[map.start as usize..];
        if rest.starts_with("{{") {
            let template = templated(rest.lines().next().unwrap_or_default());
            let span = Span::new(map.start as usize, map.start as usize + template.len());
            return self
                .error(
                    "a value that begins with `{{` must be quoted: YAML reads it as a map",
                    span,
                )
                .help(format!("write \"{template}\""));
        }
        self.error("a key must be a text, not a list or a map", key)
            .help("quote a text that begins with `[` or `{`")
    }

    fn syntax_error(&self, error: &ScanError) -> Diagnostic {
        let at = self.offset(error.marker().index());
        if error.info().contains("recursion limit") {
            return self.error(
                format!("nested deeper than {MAX_DEPTH} levels"),
                Span::new(at, at),
            );
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
            let message = "this is not YAML: behind the colon of a key stands a blank";
            self.error(message, span).help(format!("write `{key}: {rest}`"))
        })
    }

    /// The mistakes that everyone makes: the help says what to quote.
    fn syntax_help(&self, diagnostic: Diagnostic, line: &str, line_start: usize) -> Diagnostic {
        let indent = line.len() - line.trim_start_matches(' ').len();
        if line[indent..].starts_with('\t') {
            return Diagnostic {
                message: "a tab cannot indent YAML".to_owned(),
                ..diagnostic
            }
            .at(
                self.source,
                Span::new(line_start + indent, line_start + indent + 1),
            )
            .help("indent with spaces");
        }
        if let Some((path, at)) = bracketed_path(line) {
            let span = Span::new(line_start + at, line_start + at + path.len());
            let message = "inside `{ }` a path with `[ ]` must be quoted";
            return Diagnostic {
                message: message.to_owned(),
                ..diagnostic
            }
            .at(self.source, span)
            .help(format!("write '{path}'"));
        }
        if let Some(at) = line.find(": {{").map(|at| at + 2) {
            let end = at + templated(line[at..].trim_end()).len();
            let message = "a value that begins with `{{` must be quoted: YAML reads it as a map";
            return Diagnostic {
                message: message.to_owned(),
                ..diagnostic
            }
            .at(self.source, Span::new(line_start + at, line_start + end))
            .help(format!("write \"{}\"", &line[at..end]));
        }
        let value = line.split_once(": ").map(|(_, value)| value.trim_start());
        match value.and_then(|value| value.chars().next()) {
            Some(first @ ('@' | '`' | '%' | '&' | '*')) => {
                diagnostic.help(format!("quote a value that begins with `{first}`"))
            }
            Some(first @ ('"' | '\'')) => diagnostic.help(format!(
                "is the quote {first} closed, and nothing behind it?"
            )),
            Some('{') => diagnostic
                .help("inside `{ }`, quote a text that holds `,`, `[`, `]`, `{`, `}` or `: `"),
            Some(_) if value.is_some_and(|value| value.contains(": ")) => {
                diagnostic.help("quote a text that holds a colon and a space")
            }
            _ => diagnostic.help("look at the indent of this line and of the one above"),
        }
    }

    fn error(&self, message: impl Into<String>, span: Span) -> Diagnostic {
        Diagnostic::error(message).at(self.source, span)
    }

    fn span(&self, span: EventSpan) -> Span {
        Span::new(
            self.offset(span.start.index()),
            self.offset(span.end.index()),
        )
    }

    fn offset(&self, index: usize) -> usize {
        let end = self.source.as_str().len();
        match &self.offsets {
            Some(offsets) => offsets.get(index).copied().unwrap_or(end),
            None => index.min(end),
        }
    }

    /// The parser's spans run on over the blanks that follow.
    fn trim(&self, span: Span) -> Span {
        let text = self.source.slice(span);
        Span {
            start: span.start,
            end: Span::new(0, span.start as usize + text.trim_end().len()).end,
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
    ];
    let plain = known.iter().find(|(theirs, _)| told.contains(theirs));
    plain.map_or_else(|| format!("this is not YAML: {told}"), |(_, ours)| format!("this is not YAML: {ours}"))
}

fn height(node: &Node) -> usize {
    match &node.kind {
        Kind::Scalar(_) => 1,
        Kind::List(elements) => 1 + elements.iter().map(height).max().unwrap_or(0),
        Kind::Map(entries) => {
            1 + entries
                .iter()
                .map(|(_, value)| height(value))
                .max()
                .unwrap_or(0)
        }
    }
}

/// The first unquoted path with brackets inside a flow map: `{ id: $.items[0].id }`.
fn bracketed_path(line: &str) -> Option<(&str, usize)> {
    let open = line.find('{')?;
    let at = open
        + line[open..]
            .find(": $")
            .or_else(|| line[open..].find("{ $").filter(|_| true))?
        + 2;
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

#[cfg(test)]
mod tests {
    use super::*;

    fn node(text: &str) -> Node {
        read(&Source::text("t.yaml", text))
            .unwrap_or_else(|error| panic!("{}", error.render(false)))
    }

    fn error(text: &str) -> String {
        read(&Source::text("t.yaml", text))
            .expect_err("the text is wrong")
            .render(false)
    }

    #[test]
    fn scalars_resolve_by_yaml_1_2() {
        let value = node(
            "[yes, no, true, null, ~, 0101, 1.10, 0x1f, 0o17, -3, 1e3, .5, 'true', 1_000, .inf]",
        );
        let expected =
            r#"["yes","no",true,null,null,"0101",1.1,31,15,-3,1000.0,0.5,"true","1_000",".inf"]"#;
        assert_eq!(value.to_value().to_json(), expected);
    }

    #[test]
    fn places_are_found_in_every_style_of_scalar() {
        let text =
            "a: plain ö word\nb: \"quoted word\"\nc: |\n\n  first ö\n    second word\nd: 'x'\n";
        let source = Source::text("t.yaml", text);
        let root = read(&source).expect("this is YAML");
        for (key, word) in [
            ("a", "word"),
            ("b", "word"),
            ("c", "second"),
            ("c", "word"),
            ("c", "first"),
        ] {
            let scalar = root.get(key).and_then(Node::scalar).expect("a scalar");
            let at = scalar.text.find(word).expect("the word is there");
            let found = scalar.locate(&source, at).expect("it can be told");
            assert!(
                source.as_str()[found..].starts_with(word),
                "{key} {word}: {found}"
            );
        }
    }

    #[test]
    fn merge_keys_and_aliases_are_expanded_and_own_keys_win() {
        let root = node("base: &b { x: 1, y: 2 }\nthing: { <<: *b, y: 3 }\nsame: *b\n");
        assert_eq!(
            root.to_value().to_json(),
            r#"{"base":{"x":1,"y":2},"thing":{"y":3,"x":1},"same":{"x":1,"y":2}}"#
        );
    }

    #[test]
    fn what_everyone_gets_wrong_is_told_what_to_quote() {
        let text = error("steps:\n  - extract: { id: $.items[0].id }\n");
        assert!(text.contains("write '$.items[0].id'"), "{text}");
        let text = error("url: {{ base }}/x\n");
        assert!(
            text.contains("write \"{{ base }}/x\"") || text.contains("write \"{{ base }}\""),
            "{text}"
        );
        let text = error("url: {{ x }}\n");
        assert!(text.contains("write \"{{ x }}\""), "{text}");
        let text = error("steps:\n\t- a\n");
        assert!(text.contains("indent with spaces"), "{text}");
    }

    #[test]
    fn bombs_are_refused_before_they_grow() {
        use std::fmt::Write as _;
        let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned();
        for i in 1..10 {
            let _ = writeln!(
                bomb,
                "a{i}: &a{i} [{}]",
                vec![format!("*a{}", i - 1); 9].join(",")
            );
        }
        assert!(
            error(&bomb).contains("more than 100000"),
            "{}",
            error(&bomb)
        );
        assert!(error(&"[".repeat(100_000)).contains("nested deeper"));
        assert!(error(&"- ".repeat(100_000)).contains("nested deeper"));
        assert!(error(&"x".repeat(MAX_BYTES)).contains("smaller than 1 MiB"));
        assert!(error("a: &a [*a]\n").contains("its own anchor"));
    }

    #[test]
    fn twice_the_same_key_tags_and_second_documents_are_errors() {
        assert!(error("a: 1\nb: 2\na: 3\n").contains("t.yaml:3:1"));
        assert!(error("a: !!str 1\n").contains("tags"));
        assert!(error("a: 1\n---\nb: 2\n").contains("second document"));
        assert!(error("# only a comment\n").contains("empty"));
    }
}

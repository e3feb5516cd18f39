//! The parser's events to a tree of nodes: aliases, merge keys and limits.
//!
//! Only the first mistake is told, since what follows broken syntax means nothing. A limit is
//! checked before what it bounds is made.

use std::collections::HashMap;
use std::sync::Arc;

use saphyr_parser::{Event, Parser, ScalarStyle, Span as EventSpan, StrInput};

use crate::ground::diagnostic::Diagnostic;
use crate::ground::source::{Source, Span};
use crate::ground::yaml::{Kind, MAX_BYTES, MAX_DEPTH, MAX_NODES, Node, SPLIT, Scalar, Style};

/// Reads one YAML document.
///
/// # Errors
/// What the YAML is not: bad syntax, a tag, a key twice, a second document, a limit. The first
/// only, since what follows broken syntax means nothing. An empty text is an error too.
pub fn read(source: &Arc<Source>) -> Result<Node, Diagnostic> {
    let text = source.as_str();
    if text.len() > MAX_BYTES {
        let message = format!("the file is larger than 1 MiB: it has {} bytes", text.len());
        return Err(Diagnostic::error(message).at(source, Span::default()).help(SPLIT));
    }
    Reader::new(source).document(&mut Parser::new_from_str(text))
}

pub(super) struct Reader<'s> {
    pub(super) source: &'s Arc<Source>,
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

pub(super) type Events<'s> = Parser<'s, StrInput<'s>>;

impl<'s> Reader<'s> {
    pub(super) fn new(source: &'s Arc<Source>) -> Self {
        let text = source.as_str();
        let offsets = (!text.is_ascii()).then(|| text.char_indices().map(|(at, _)| at).collect());
        Self { source, offsets, anchors: HashMap::new(), nodes: 0 }
    }

    fn document(&mut self, events: &mut Events<'s>) -> Result<Node, Diagnostic> {
        let mut root = None;
        loop {
            let (event, span) = self.next(events)?;
            match event {
                Event::StreamEnd => break,
                Event::DocumentStart(_) if root.is_some() => {
                    return Err(self
                        .error("a second document begins here; a file holds one", self.span(span))
                        .help("remove the `---`, or move what follows it to a file of its own"));
                }
                Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd | Event::Nothing => {}
                other => root = Some(self.node(events, other, span, 0)?),
            }
        }
        match root {
            Some(root) if !root.scalar().is_some_and(Scalar::is_empty) => Ok(root),
            _ => Err(self
                .error("the file is empty", Span::default())
                .help("write `key: value` into it, each key in a line of its own")),
        }
    }

    pub(super) fn next(&self, events: &mut Events<'s>) -> Result<(Event<'s>, EventSpan), Diagnostic> {
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
            self.anchors.insert(anchor, Anchor { node: node.clone(), size, depth });
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
        Node { span, kind: Kind::Scalar(Scalar { text: text.into(), span, style }) }
    }

    fn list(&mut self, events: &mut Events<'s>, start: Span, depth: usize) -> Result<Node, Diagnostic> {
        let mut elements = Vec::new();
        loop {
            let (event, span) = self.next(events)?;
            if matches!(event, Event::SequenceEnd) {
                let end = self.span(span).end;
                let span = self.trim(Span { start: start.start, end });
                return Ok(Node { span, kind: Kind::List(elements) });
            }
            elements.push(self.node(events, event, span, depth + 1)?);
        }
    }

    fn map(&mut self, events: &mut Events<'s>, start: Span, depth: usize) -> Result<Node, Diagnostic> {
        let mut entries: Vec<(Scalar, Node)> = Vec::new();
        let mut merged: Vec<(Scalar, Node)> = Vec::new();
        let mut keys = Keys::default();
        loop {
            let (event, span) = self.next(events)?;
            if matches!(event, Event::MappingEnd) {
                for (key, value) in merged {
                    if keys.twice(&entries, &key).is_none() {
                        entries.push((key, value));
                    }
                }
                let end = self.span(span).end;
                let span = self.trim(Span { start: start.start, end });
                return Ok(Node { span, kind: Kind::Map(entries) });
            }
            let place = self.span(span);
            let Kind::Scalar(key) = self.node(events, event, span, depth + 1)?.kind else {
                return Err(self.complex_key(place, start));
            };
            let (event, span) = self.next(events)?;
            let value = self.node(events, event, span, depth + 1)?;
            if key.style == Style::Plain && &*key.text == "<<" {
                merged.extend(self.merge(value)?);
                continue;
            }
            if let Some(first) = keys.twice(&entries, &key) {
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
        // The inner brace of an unquoted `{{` is told for what it is, when its map is a key.
        let at = start.start as usize;
        let in_braces =
            text[at..].starts_with('{') && !text[at..].starts_with("{{") && !text[..at].ends_with('{');
        let alone = text[key.span.end as usize..].trim_start().starts_with([',', '}']);
        if !(in_braces && alone && value.scalar().is_some_and(Scalar::is_empty)) {
            return Ok(());
        }
        let message = format!("`{}` has no value", key.text);
        let help = match before.last().and_then(|(_, last)| last.scalar()) {
            Some(last) if last.style == Style::Plain => {
                format!(
                    "inside `{{ }}` a text with a comma must be quoted: write \"{}, {}\"",
                    last.text, key.text
                )
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
            .error(format!("more than {MAX_NODES} keys and values, aliases counted in full"), span)
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

    pub(super) fn error(&self, message: impl Into<String>, span: Span) -> Diagnostic {
        Diagnostic::error(message).at(self.source, span)
    }

    pub(super) fn span(&self, span: EventSpan) -> Span {
        Span::new(self.offset(span.start.index()), self.offset(span.end.index()))
    }

    pub(super) fn offset(&self, index: usize) -> usize {
        let end = self.source.as_str().len();
        match &self.offsets {
            Some(offsets) => offsets.get(index).copied().unwrap_or(end),
            None => index.min(end),
        }
    }

    /// The parser's spans run on over the blanks that follow.
    pub(super) fn trim(&self, span: Span) -> Span {
        let text = self.source.slice(span);
        Span { start: span.start, end: Span::new(0, span.start as usize + text.trim_end().len()).end }
    }
}

/// The keys of a map so far. Few are compared one by one, which is cheaper than hashing them; many
/// would cost the square of their number.
#[derive(Default)]
struct Keys {
    hashed: HashMap<Arc<str>, Span>,
}

impl Keys {
    const FEW: usize = 16;

    /// Where the key stands already, if it does.
    fn twice(&mut self, entries: &[(Scalar, Node)], key: &Scalar) -> Option<Span> {
        if entries.len() < Self::FEW {
            return entries.iter().find(|(known, _)| known.text == key.text).map(|(known, _)| known.span);
        }
        if self.hashed.is_empty() {
            self.hashed.extend(entries.iter().map(|(known, _)| (Arc::clone(&known.text), known.span)));
        }
        self.hashed.insert(Arc::clone(&key.text), key.span)
    }
}

fn height(node: &Node) -> usize {
    match &node.kind {
        Kind::Scalar(_) => 1,
        Kind::List(elements) => 1 + elements.iter().map(height).max().unwrap_or(0),
        Kind::Map(entries) => 1 + entries.iter().map(|(_, value)| height(value)).max().unwrap_or(0),
    }
}

//! YAML as it was written: with its comments, blank lines, anchors, aliases and quotes.
//!
//! The tree of [`Node`](crate::ground::yaml::Node)s says what a text means; who writes the text
//! anew must know how it stood there. The parser tells where the scalars stand, and what lies
//! between them is read here, since the parser passes over comments.

use std::sync::Arc;

use saphyr_parser::{Event, Parser, ScalarStyle, Span as EventSpan};

use crate::ground::diagnostic::Diagnostic;
use crate::ground::source::{Source, Span};
use crate::ground::yaml::extent::{before_comment, double_quoted, single_quoted};
use crate::ground::yaml::reader::{Events, Reader};

/// A whole text as it was written.
#[derive(Debug, Clone)]
pub struct Written {
    /// The outermost piece.
    pub root: Piece,
    /// The texts of all comments, in their order.
    pub comments: Vec<String>,
}

/// A value as it was written.
#[derive(Debug, Clone)]
pub struct Piece {
    /// `&name`, where it has one.
    pub anchor: Option<String>,
    /// How it stands there.
    pub form: Form,
    /// The column of its first character, from 0, in characters.
    column: usize,
}

/// What a [`Piece`] can be.
#[derive(Debug, Clone)]
pub enum Form {
    /// `*name`.
    Alias(String),
    /// A scalar in quotes or without, as typed; it may have several lines. An empty one is nothing.
    Scalar(String),
    /// A `|` or `>` scalar: its first line, and its lines without their indent.
    Block(String, Vec<String>),
    /// A list or a map.
    Collection(Collection),
}

/// A list or a map as it was written.
#[derive(Debug, Clone)]
pub struct Collection {
    /// Whether it stands in brackets or braces.
    pub flow: bool,
    /// Whether it is a list; else it is a map.
    pub list: bool,
    /// What is in it.
    pub entries: Vec<Entry>,
    /// Comments behind the last entry.
    pub below: Vec<Above>,
}

/// An element of a list, or a key and its value.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The lines before it.
    pub above: Vec<Above>,
    /// The key, in a map.
    pub key: Option<Key>,
    /// The value.
    pub value: Piece,
    /// The comment in its line; in that of the key, where the value begins below it.
    pub remark: Option<Remark>,
}

/// A key as it was written.
#[derive(Debug, Clone)]
pub struct Key {
    /// As it was typed, with its anchor.
    pub raw: String,
    /// What it means; an alias means nothing here.
    pub text: Arc<str>,
}

/// A line that stands before something.
#[derive(Debug, Clone)]
pub enum Above {
    /// Nothing, once or more often.
    Blank,
    /// A comment of its own.
    Remark(Remark),
}

/// A comment.
#[derive(Debug, Clone)]
pub struct Remark {
    /// Its text, from the `#` on.
    pub text: String,
    /// Its column, from 0, in characters.
    pub column: usize,
    /// Whether more than one blank stands before it, so that somebody may have lined it up.
    pub aligned: bool,
}

/// Reads a text that [`read`](crate::ground::yaml::read) takes, with `\n` at the ends of its lines.
///
/// # Errors
/// What would get lost if it were written anew: a directive, for one.
pub fn written(source: &Arc<Source>) -> Result<Written, Diagnostic> {
    let mut writing = Writing {
        text: source.as_str(),
        reader: Reader::new(source),
        events: Parser::new_from_str(source.as_str()),
        at: 0,
        text_end: 0,
        pending: Vec::new(),
        comments: Vec::new(),
    };
    let mut root = writing.document()?;
    writing.skip();
    if writing.at < writing.text.len() {
        return Err(writing.cannot_keep());
    }
    writing.rest(&mut root);
    Ok(Written { root, comments: writing.comments })
}

/// A comment that was met and not yet given to anybody.
struct Pending {
    remark: Remark,
    own_line: bool,
    blank_above: bool,
}

struct Writing<'s> {
    text: &'s str,
    reader: Reader<'s>,
    events: Events<'s>,
    /// How far the text was read.
    at: usize,
    /// Where the last block of text ended that keeps its blank lines: they are its own.
    text_end: usize,
    pending: Vec<Pending>,
    comments: Vec<String>,
}

type Next<'s> = (Event<'s>, EventSpan);

impl<'s> Writing<'s> {
    fn document(&mut self) -> Result<Piece, Diagnostic> {
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamStart | Event::DocumentStart(_) | Event::Nothing => {}
                Event::StreamEnd | Event::DocumentEnd => return Err(self.cannot_keep()),
                other => return self.piece((other, span)),
            }
        }
    }

    fn next(&mut self) -> Result<Next<'s>, Diagnostic> {
        self.reader.next(&mut self.events)
    }

    fn cannot_keep(&self) -> Diagnostic {
        let end = self.text.len().min(self.at + 1);
        let span = Span::new(self.at, self.text.ceil_char_boundary(end));
        self.reader
            .error("what stands here would get lost: the file is left as it is", span)
            .help("write it in a plainer way")
    }

    /// Goes on to the next thing that is neither a blank, a comment, a comma nor a mark of the
    /// document's beginning or end.
    fn skip(&mut self) {
        loop {
            let rest = &self.text[self.at..];
            let marked = self.at == 0 || self.text[..self.at].ends_with('\n');
            match rest.as_bytes().first() {
                Some(b' ' | b'\t' | b'\n' | b',') => self.at += 1,
                Some(b'#') => self.comment(),
                Some(b'-' | b'.') if marked && (rest.starts_with("---") || rest.starts_with("...")) => {
                    self.at += 3;
                }
                _ => return,
            }
        }
    }

    fn comment(&mut self) {
        let line = self.line_start(self.at);
        let before = &self.text[line..self.at];
        let end = self.text[self.at..].find('\n').map_or(self.text.len(), |end| self.at + end);
        let text = self.text[self.at..end].trim_end().to_owned();
        let own_line = before.trim().is_empty() || before.trim_end() == "---" || before.trim_end() == "...";
        self.comments.push(text.clone());
        let column = before.chars().count();
        let column = if before.trim().is_empty() || !own_line { column } else { 0 };
        self.pending.push(Pending {
            remark: Remark { text, column, aligned: before.ends_with("  ") },
            own_line,
            blank_above: own_line && self.blank_above(self.at),
        });
        self.at = end;
    }

    fn line_start(&self, at: usize) -> usize {
        self.text[..at].rfind('\n').map_or(0, |newline| newline + 1)
    }

    fn column(&self, at: usize) -> usize {
        self.text[self.line_start(at)..at].chars().count()
    }

    /// Whether `at` is the first thing in its line, and the line above is blank.
    fn blank_above(&self, at: usize) -> bool {
        let line = self.line_start(at);
        let first = self.text[line..at].trim().is_empty();
        if !first || line == 0 {
            return false;
        }
        let above = self.line_start(line - 1);
        above >= self.text_end && self.text[above..line].trim().is_empty()
    }

    /// The comment in this line, if there is one. Were there two, the second would be left over
    /// for the next line.
    fn beside(&mut self) -> Option<Remark> {
        self.skip();
        let found = self.pending.first().is_some_and(|pending| !pending.own_line);
        found.then(|| self.pending.remove(0).remark)
    }

    fn expect(&mut self, sign: char) -> Result<(), Diagnostic> {
        self.skip();
        if !self.text[self.at..].starts_with(sign) {
            return Err(self.cannot_keep());
        }
        self.at += sign.len_utf8();
        Ok(())
    }

    fn piece(&mut self, next: Next<'s>) -> Result<Piece, Diagnostic> {
        let anchor = self.anchor(&next)?;
        self.anchored(next, anchor)
    }

    /// A value, and the comment in the line in which it or its anchor begins.
    fn value(&mut self, next: Next<'s>) -> Result<(Piece, Option<Remark>), Diagnostic> {
        let remark = self.beside();
        let anchor = self.anchor(&next)?;
        let remark = if anchor.is_some() && remark.is_none() { self.beside() } else { remark };
        Ok((self.anchored(next, anchor)?, remark))
    }

    fn anchor(&mut self, (event, _): &Next<'s>) -> Result<Option<String>, Diagnostic> {
        match event {
            Event::Scalar(_, _, id, _) | Event::SequenceStart(id, _) | Event::MappingStart(id, _)
                if *id > 0 =>
            {
                self.name('&').map(Some)
            }
            _ => Ok(None),
        }
    }

    fn anchored(&mut self, (event, span): Next<'s>, anchor: Option<String>) -> Result<Piece, Diagnostic> {
        self.skip();
        let column = self.column(self.at);
        let form = match event {
            Event::Alias(_) => Form::Alias(self.name('*')?),
            Event::Scalar(text, ScalarStyle::Plain, ..) if text.is_empty() => Form::Scalar(String::new()),
            Event::Scalar(text, ScalarStyle::Literal | ScalarStyle::Folded, ..) => self.block(&text)?,
            Event::Scalar(..) => Form::Scalar(self.scalar(span)?),
            Event::SequenceStart(..) => self.collection(true)?,
            Event::MappingStart(..) => self.collection(false)?,
            _ => return Err(self.cannot_keep()),
        };
        Ok(Piece { anchor, form, column })
    }

    /// `&name` or `*name`.
    fn name(&mut self, sign: char) -> Result<String, Diagnostic> {
        let ends = |c: char| c.is_whitespace() || matches!(c, ',' | '[' | ']' | '{' | '}');
        self.expect(sign)?;
        let start = self.at - 1;
        let end = self.text[self.at..].find(ends).map_or(self.text.len(), |end| self.at + end);
        self.at = end;
        Ok(self.text[start..end].to_owned())
    }

    fn scalar(&mut self, span: EventSpan) -> Result<String, Diagnostic> {
        let end = self.reader.trim(self.reader.span(span)).end as usize;
        let rest = self.text.get(self.at..end).unwrap_or_default();
        let length = match rest.chars().next() {
            Some('\'') => single_quoted(rest),
            Some('"') => double_quoted(rest),
            // A span may run on over a comment, which no plain scalar can hold.
            Some(_) => before_comment(rest),
            None => return Err(self.cannot_keep()),
        };
        let raw = rest[..length].trim_end();
        self.at += raw.len();
        Ok(raw.to_owned())
    }

    /// A `|` or `>` scalar; `text` is what the parser made of it, which tells the indent.
    fn block(&mut self, text: &str) -> Result<Form, Diagnostic> {
        let line = self.text[self.at..].lines().next().unwrap_or_default();
        let length = line.find(|c| !matches!(c, '|' | '>' | '+' | '-' | '0'..='9')).unwrap_or(line.len());
        let header = &line[..length];
        if !header.starts_with(['|', '>']) {
            return Err(self.cannot_keep());
        }
        let indented = header.contains(|c: char| c.is_ascii_digit());
        let kept: String = header.chars().filter(|c| !c.is_ascii_digit()).collect();
        let header = if indented { format!("{}2{}", &kept[..1], &kept[1..]) } else { kept };
        self.at += length;
        let line_end = self.text[self.at..].find('\n').map_or(self.text.len(), |end| self.at + end);
        while self.at < line_end && self.text[self.at..line_end].starts_with([' ', '\t']) {
            self.at += 1;
        }
        if self.text[self.at..].starts_with('#') {
            self.comment();
        }
        self.at = line_end;
        let lines = self.block_lines(text, header.contains('+'));
        Ok(Form::Block(header, lines))
    }

    fn block_lines(&mut self, text: &str, keeps_blanks: bool) -> Vec<String> {
        let spaces = |line: &str| line.len() - line.trim_start_matches(' ').len();
        let is_blank = |line: &&str| line.trim_start_matches(' ').is_empty();
        let within = text.split('\n').find(|line| !is_blank(line)).map(spaces);
        let body = self.text[self.at..].strip_prefix('\n').unwrap_or_default();
        let first = body.split('\n').find(|line| !is_blank(line)).map(spaces);
        let indent = within.and_then(|within| first?.checked_sub(within)).unwrap_or(usize::MAX);
        let (mut lines, mut taken, mut read) = (Vec::new(), 0, 0);
        for line in body.split_inclusive('\n') {
            let bare = line.strip_suffix('\n').unwrap_or(line);
            if !is_blank(&bare) && spaces(bare) < indent {
                break;
            }
            lines.push(bare.get(indent..).unwrap_or_default().to_owned());
            read += line.len();
            if !is_blank(&bare) || keeps_blanks {
                taken = read;
            }
        }
        if !keeps_blanks {
            while lines.last().is_some_and(String::is_empty) {
                lines.pop();
            }
        }
        // The line end itself is left, so that the next thing stands in a line of its own.
        if taken > 0 {
            self.at += if body[..taken].ends_with('\n') { taken } else { taken + 1 };
        }
        if keeps_blanks {
            self.text_end = self.at + 1;
        }
        lines
    }

    fn collection(&mut self, list: bool) -> Result<Form, Diagnostic> {
        let (open, close) = if list { ('[', ']') } else { ('{', '}') };
        let flow = self.text[self.at..].starts_with(open);
        self.at += usize::from(flow);
        let column = self.column(self.at);
        let mut entries: Vec<Entry> = Vec::new();
        loop {
            let next = self.next()?;
            if matches!(next.0, Event::SequenceEnd | Event::MappingEnd) {
                break;
            }
            self.skip();
            let above = self.above(&mut entries, column, flow);
            let entry = if list { self.element(next, above, flow)? } else { self.pair(next, above)? };
            entries.push(self.finish(entry));
        }
        let mut below = Vec::new();
        if flow {
            self.skip();
            below = self.pending.drain(..).flat_map(lines).collect();
            self.expect(close)?;
        }
        Ok(Form::Collection(Collection { flow, list, entries, below }))
    }

    fn element(&mut self, next: Next<'s>, above: Vec<Above>, flow: bool) -> Result<Entry, Diagnostic> {
        if !flow {
            self.expect('-')?;
        }
        let (value, remark) = self.value(next)?;
        Ok(Entry { above, key: None, value, remark })
    }

    fn pair(&mut self, next: Next<'s>, above: Vec<Above>) -> Result<Entry, Diagnostic> {
        if self.text[self.at..].starts_with("? ") {
            self.at += 1;
        }
        let text = match &next.0 {
            Event::Scalar(text, ..) => text.as_ref().into(),
            _ => Arc::from(""),
        };
        let key = self.piece(next)?;
        let raw = match key.form {
            Form::Scalar(raw) | Form::Alias(raw) if !raw.contains('\n') => raw,
            _ => return Err(self.cannot_keep()),
        };
        let alias = raw.starts_with('*');
        let raw = key.anchor.map_or_else(|| raw.clone(), |anchor| format!("{anchor} {raw}"));
        self.skip();
        if self.text[self.at..].starts_with(':') {
            self.at += 1;
        }
        let value = self.next()?;
        let (value, remark) = self.value(value)?;
        // `*name:` would be an alias whose name ends in a colon.
        let raw = if alias { format!("{raw} ") } else { raw };
        Ok(Entry { above, key: Some(Key { raw, text }), value, remark })
    }

    /// Gives an entry the comment behind it, and lines between its key and its value a place above.
    fn finish(&mut self, mut entry: Entry) -> Entry {
        let begins_below = matches!(&entry.value.form, Form::Collection(Collection { flow: false, .. }));
        if begins_below {
            return entry;
        }
        if let Form::Collection(collection) = &mut entry.value.form
            && collection.entries.is_empty()
        {
            // Nothing in the brackets could carry them.
            entry.above.append(&mut collection.below);
        }
        let nothing = matches!(&entry.value.form, Form::Scalar(raw) if raw.is_empty());
        if !nothing {
            while self.pending.first().is_some_and(|pending| pending.own_line) {
                let pending = self.pending.remove(0);
                entry.above.extend(lines(pending));
            }
        }
        if let Some(behind) = self.beside() {
            let before = entry.remark.replace(behind);
            entry.above.extend(before.map(Above::Remark));
        }
        entry
    }

    /// The lines above the entry that begins here. Comments that stand further in belong to what
    /// ended before it.
    fn above(&mut self, entries: &mut [Entry], column: usize, flow: bool) -> Vec<Above> {
        let mut pending = std::mem::take(&mut self.pending).into_iter().peekable();
        if let (Some(last), false) = (entries.last_mut(), flow) {
            while let Some(inner) =
                pending.next_if(|pending| pending.remark.column > column && last.value.holds(&pending.remark))
            {
                last.value.adopt(inner);
            }
        }
        let mut above: Vec<Above> = pending.flat_map(lines).collect();
        if self.blank_above(self.at) {
            above.push(Above::Blank);
        }
        above
    }

    /// The comments at the end of the text.
    fn rest(&mut self, root: &mut Piece) {
        let mut pending = std::mem::take(&mut self.pending).into_iter().peekable();
        while let Some(inner) =
            pending.next_if(|pending| pending.remark.column > root.column && root.holds(&pending.remark))
        {
            root.adopt(inner);
        }
        if let Form::Collection(root) = &mut root.form {
            root.below.extend(pending.flat_map(lines));
        }
    }
}

fn lines(pending: Pending) -> impl Iterator<Item = Above> {
    let blank = pending.blank_above.then_some(Above::Blank);
    blank.into_iter().chain([Above::Remark(pending.remark)])
}

impl Piece {
    /// Whether it, or what it ends with, is a block that stands no further in than the comment.
    fn holds(&self, remark: &Remark) -> bool {
        let Form::Collection(collection) = &self.form else { return false };
        !collection.flow && self.column <= remark.column
    }

    fn adopt(&mut self, pending: Pending) {
        let Form::Collection(collection) = &mut self.form else { return };
        match collection.entries.last_mut() {
            Some(last) if last.value.holds(&pending.remark) => last.value.adopt(pending),
            _ => collection.below.extend(lines(pending)),
        }
    }
}

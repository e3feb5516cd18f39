//! A piece of YAML to text: two blanks an indent, what fits in a line stays in one.

use crate::ground::yaml::written::{Above, Collection, Entry, Form, Piece, Remark};

/// How long a line with a list or map in brackets may be, in characters; comments are not counted.
const WIDTH: usize = 100;

/// Writes a whole file; `head` is what stands at its head, whatever comes first then.
pub(super) fn print(head: &[Above], piece: &Piece) -> String {
    let mut printer = Printer::default();
    if let Some(anchor) = &piece.anchor {
        printer.text = format!("{anchor}\n");
    }
    if let Form::Collection(root) = &piece.form {
        printer.file(head, root);
    }
    printer.text
}

#[derive(Default)]
struct Printer {
    text: String,
    /// Whether the last thing was a `|+` text: a blank line behind it would be part of it.
    keeps_blanks: bool,
}

impl Printer {
    /// The outermost map: blocks of several lines are set apart if the user sets any apart.
    fn file(&mut self, head: &[Above], root: &Collection) {
        self.above(0, head);
        let is_blank = |above: &Above| matches!(above, Above::Blank);
        let set_apart = root.entries.iter().any(|entry| entry.above.iter().any(is_blank));
        let mut long = false;
        for (at, entry) in root.entries.iter().enumerate() {
            let mut body = Self::default();
            body.entry(0, entry);
            let was_long = std::mem::replace(&mut long, body.text.lines().count() > 1);
            if at > 0 && set_apart && (long || was_long) && !entry.above.iter().any(is_blank) {
                self.blank();
            }
            self.above(0, &entry.above);
            self.text.push_str(&body.text);
            self.keeps_blanks = body.keeps_blanks;
        }
        self.above(0, &root.below);
    }

    fn blank(&mut self) {
        if !(self.text.is_empty() || self.keeps_blanks || self.text.ends_with("\n\n")) {
            self.text.push('\n');
        }
    }

    fn pad(&mut self, indent: usize) {
        self.text.extend(std::iter::repeat_n(' ', indent));
    }

    fn above(&mut self, indent: usize, above: &[Above]) {
        for line in above {
            match line {
                Above::Blank => self.blank(),
                Above::Remark(remark) => {
                    self.pad(indent);
                    self.text.push_str(&remark.text);
                    self.text.push('\n');
                    self.keeps_blanks = false;
                }
            }
        }
    }

    fn collection(&mut self, indent: usize, collection: &Collection) {
        for (at, entry) in collection.entries.iter().enumerate() {
            if at == 0 {
                let blanks = entry.above.iter().take_while(|above| matches!(above, Above::Blank)).count();
                self.above(indent, &entry.above[blanks..]);
            } else {
                self.above(indent, &entry.above);
            }
            self.pad(indent);
            self.entry(indent, entry);
        }
        self.above(indent, &collection.below);
    }

    /// An entry whose indent is written already, up to the end of its line.
    fn entry(&mut self, indent: usize, entry: &Entry) {
        self.keeps_blanks = false;
        match &entry.key {
            Some(key) => {
                self.text.push_str(&key.raw);
                self.text.push(':');
            }
            None => self.text.push('-'),
        }
        let value = &entry.value;
        if let Some(line) =
            flat(value).filter(|line| is_scalar(value) || self.column() + 1 + width(line) <= WIDTH)
        {
            if !line.is_empty() {
                self.text.push(' ');
                self.text.push_str(&line);
            }
            return self.end_line(entry.remark.as_ref());
        }
        let compact = entry.key.is_none() && value.anchor.is_none() && entry.remark.is_none();
        if let Some(anchor) = &value.anchor {
            self.text.push(' ');
            self.text.push_str(anchor);
        }
        match &value.form {
            Form::Alias(_) => {}
            Form::Scalar(raw) => self.scalar(indent + 2, raw, entry.remark.as_ref()),
            Form::Block(header, lines) => {
                self.text.push(' ');
                self.text.push_str(header);
                self.end_line(entry.remark.as_ref());
                self.block(indent + 2, lines);
                self.keeps_blanks = header.contains('+');
            }
            Form::Collection(collection) if compact && begins_bare(collection) => {
                self.text.push(' ');
                self.compact(indent + 2, collection);
            }
            Form::Collection(collection) => {
                self.end_line(entry.remark.as_ref());
                self.collection(indent + 2, collection);
            }
        }
    }

    /// A list or map whose first entry stands in the line of the dash before it.
    fn compact(&mut self, indent: usize, collection: &Collection) {
        for (at, entry) in collection.entries.iter().enumerate() {
            if at > 0 {
                self.above(indent, &entry.above);
                self.pad(indent);
            }
            self.entry(indent, entry);
        }
        self.above(indent, &collection.below);
    }

    /// A scalar of several lines: where they are broken is kept.
    fn scalar(&mut self, indent: usize, raw: &str, remark: Option<&Remark>) {
        for (at, line) in raw.split('\n').enumerate() {
            if at == 0 {
                self.text.push(' ');
            } else {
                self.text.push('\n');
                if !line.trim().is_empty() {
                    self.pad(indent);
                }
            }
            self.text.push_str(line.trim_matches([' ', '\t']));
        }
        self.end_line(remark);
    }

    fn block(&mut self, indent: usize, lines: &[String]) {
        for line in lines {
            if !line.is_empty() {
                self.pad(indent);
                self.text.push_str(line);
            }
            self.text.push('\n');
        }
    }

    /// Ends a line, with its comment if it has one: one that was lined up stays in its column.
    fn end_line(&mut self, remark: Option<&Remark>) {
        if let Some(remark) = remark {
            self.text.push(' ');
            if remark.aligned {
                self.pad(remark.column.saturating_sub(self.column()));
            }
            self.text.push_str(&remark.text);
        }
        self.text.push('\n');
    }

    /// How many characters stand in the line so far.
    fn column(&self) -> usize {
        width(&self.text[self.text.rfind('\n').map_or(0, |newline| newline + 1)..])
    }
}

fn width(text: &str) -> usize {
    text.chars().count()
}

fn is_scalar(piece: &Piece) -> bool {
    match &piece.form {
        Form::Collection(collection) => collection.entries.is_empty(),
        _ => true,
    }
}

/// Whether no comment stands before the first entry.
fn begins_bare(collection: &Collection) -> bool {
    collection.entries.first().is_some_and(|entry| !entry.above.iter().any(is_remark))
}

const fn is_remark(above: &Above) -> bool {
    matches!(above, Above::Remark(_))
}

/// The piece in one line, where it can stand in one.
fn flat(piece: &Piece) -> Option<String> {
    let text = match &piece.form {
        Form::Alias(alias) => alias.clone(),
        Form::Scalar(raw) if raw.contains('\n') => return None,
        Form::Scalar(raw) => with_our_quotes(raw),
        Form::Block(..) => return None,
        Form::Collection(collection) => flat_collection(collection)?,
    };
    Some(match &piece.anchor {
        Some(anchor) if text.is_empty() => anchor.clone(),
        Some(anchor) => format!("{anchor} {text}"),
        None => text,
    })
}

fn flat_collection(collection: &Collection) -> Option<String> {
    if !collection.flow && !collection.entries.is_empty() || collection.below.iter().any(is_remark) {
        return None;
    }
    let entries: Vec<String> = collection.entries.iter().map(flat_entry).collect::<Option<_>>()?;
    Some(match (collection.list, entries.is_empty()) {
        (true, _) => format!("[{}]", entries.join(", ")),
        (false, true) => "{}".to_owned(),
        (false, false) => format!("{{ {} }}", entries.join(", ")),
    })
}

fn flat_entry(entry: &Entry) -> Option<String> {
    if entry.remark.is_some() || entry.above.iter().any(is_remark) {
        return None;
    }
    let value = match &entry.value.form {
        // A pair without braces in a list.
        Form::Collection(pair) if entry.key.is_none() && !pair.flow && !pair.list => {
            flat_collection(&Collection { flow: true, ..pair.clone() })?
        }
        _ => flat(&entry.value)?,
    };
    Some(match &entry.key {
        Some(key) if value.is_empty() => format!("{}:", key.raw),
        Some(key) => format!("{}: {value}", key.raw),
        None => value,
    })
}

/// A template in single quotes gets double ones, unless something in it would need a backslash.
fn with_our_quotes(raw: &str) -> String {
    let single = raw.strip_prefix('\'').and_then(|raw| raw.strip_suffix('\''));
    match single {
        Some(text) if text.contains("{{") && !text.contains(['"', '\\']) => {
            format!("\"{}\"", text.replace("''", "'"))
        }
        _ => raw.to_owned(),
    }
}

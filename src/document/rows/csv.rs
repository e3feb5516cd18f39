//! Rows of CSV (RFC 4180): the first line names the columns, and every line has as many values.

use std::collections::HashSet;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use ::csv::{ByteRecord, ErrorKind, Reader, ReaderBuilder};

use crate::document::rows::{LARGEST, Mistake};
use crate::ground::value::{Map, Value};

/// Reads rows of CSV.
pub(super) struct Csv {
    reader: Reader<Bounded>,
    left: Arc<AtomicU64>,
    /// Whether the first line ends in CR LF: the reader then counts from before the LF, one line too
    /// few.
    is_crlf: Arc<AtomicBool>,
    columns: Option<Vec<Arc<str>>>,
    record: ByteRecord,
}

/// What the reader of rows sees of a file. A row may hold a quote that is never closed: it is read only
/// so far, and at the end of the file it is told, where the reader would take all that came for a value.
struct Bounded {
    reader: Box<dyn Read + Send>,
    left: Arc<AtomicU64>,
    is_crlf: Arc<AtomicBool>,
    place: Place,
    line: u64,
    last: u8,
    /// The line of the quote that was opened last.
    opened: u64,
}

/// Where in a value a byte stands (RFC 4180, section 2).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Nothing of the value came.
    Start,
    Plain,
    Quoted,
    /// Behind a quote in a quoted value: it ends the value, or stands for itself before another.
    Behind,
}

impl Bounded {
    fn look(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.place = match (self.place, byte) {
                (Place::Start, b'"') => {
                    self.opened = self.line;
                    Place::Quoted
                }
                (Place::Behind, b'"') => Place::Quoted,
                (Place::Quoted, b'"') => Place::Behind,
                (Place::Quoted, _) => Place::Quoted,
                (_, b',' | b'\n' | b'\r') => Place::Start,
                // The byte order mark is not the beginning of the first value.
                (Place::Start, 0xef | 0xbb | 0xbf) if self.line == 1 => Place::Start,
                _ => Place::Plain,
            };
            if *byte == b'\n' {
                if self.line == 1 {
                    self.is_crlf.store(self.last == b'\r', Ordering::Relaxed);
                }
                self.line += 1;
            }
            self.last = *byte;
        }
    }
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.left.load(Ordering::Relaxed);
        let unclosed = || format!("the quote of line {} is not closed", self.opened);
        if left == 0 {
            let why = if self.place == Place::Quoted { format!(": {}", unclosed()) } else { String::new() };
            return Err(io::Error::other(format!("a row is larger than 16 MiB{why}")));
        }
        let read = self.reader.read(buffer)?;
        if read == 0 && self.place == Place::Quoted && !buffer.is_empty() {
            return Err(io::Error::other(unclosed()));
        }
        self.left.store(left.saturating_sub(read as u64), Ordering::Relaxed);
        self.look(&buffer[..read]);
        Ok(read)
    }
}

impl Csv {
    pub(super) fn new(reader: Box<dyn Read + Send>) -> Self {
        let left = Arc::new(AtomicU64::new(LARGEST));
        let is_crlf = Arc::new(AtomicBool::new(false));
        let (bound, crlf) = (Arc::clone(&left), Arc::clone(&is_crlf));
        let bounded =
            Bounded { reader, left: bound, is_crlf: crlf, place: Place::Start, line: 1, last: 0, opened: 1 };
        let reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bounded);
        Self { reader, left, is_crlf, columns: None, record: ByteRecord::new() }
    }

    /// The next row and the line in which it begins.
    pub(super) fn next(&mut self) -> Result<Option<(u64, Value)>, Mistake> {
        let columns = if let Some(columns) = &self.columns {
            columns.clone()
        } else {
            let Some((line, names)) = self.read()? else {
                return Err(Mistake::new(1, "the file is empty").help("its first line names the columns"));
            };
            let columns = columns(&names, line)?;
            self.columns.insert(columns).clone()
        };
        let Some((line, values)) = self.read()? else { return Ok(None) };
        if values.len() != columns.len() {
            let (count, noun) = (values.len(), if values.len() == 1 { "value" } else { "values" });
            let message = format!("{count} {noun}; the header names {} columns", columns.len());
            return Err(Mistake::new(line, message).help("a value that holds a comma is quoted: \"a, b\""));
        }
        let row = columns.into_iter().zip(values.into_iter().map(Value::from));
        Ok(Some((line, row.collect::<Map>().into())))
    }

    fn read(&mut self) -> Result<Option<(u64, Vec<String>)>, Mistake> {
        self.left.store(LARGEST, Ordering::Relaxed);
        let begins = self.reader.position().line();
        match self.reader.read_byte_record(&mut self.record) {
            Ok(true) => {}
            Ok(false) => return Ok(None),
            Err(error) => {
                let why = match error.kind() {
                    ErrorKind::Io(error) => error.to_string(),
                    _ => error.to_string(),
                };
                return Err(Mistake::new(begins, why));
            }
        }
        let more = u64::from(self.columns.is_some() && self.is_crlf.load(Ordering::Relaxed));
        let line = self.record.position().map_or(begins, ::csv::Position::line) + more;
        let text = |bytes: &[u8]| {
            let wrong = |_| Mistake::new(line, "not UTF-8 text").help("save the file as UTF-8");
            std::str::from_utf8(bytes).map(str::to_owned).map_err(wrong)
        };
        self.record.iter().map(text).collect::<Result<_, _>>().map(|values| Some((line, values)))
    }
}

fn columns(names: &[String], line: u64) -> Result<Vec<Arc<str>>, Mistake> {
    let mut seen = HashSet::new();
    for (at, name) in names.iter().enumerate() {
        if name.trim().is_empty() {
            let message = format!("column {} has no name", at + 1);
            return Err(Mistake::new(line, message).help("the first line names the columns"));
        }
        if !seen.insert(name) {
            return Err(Mistake::new(line, format!("two columns have the name `{name}`")));
        }
    }
    if let [name] = names
        && let Some(sign) = [';', '\t', '|'].into_iter().find(|sign| name.contains(*sign))
    {
        let message = format!(
            "the header has one column `{name}`: is the file separated by `{}`?",
            sign.escape_debug()
        );
        return Err(Mistake::new(line, message).help("save the file with commas between its values"));
    }
    Ok(names.iter().map(|name| name.as_str().into()).collect())
}

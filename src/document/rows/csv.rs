//! Rows of CSV (RFC 4180): the first line names the columns, and every line has as many values.

use std::collections::{HashSet, VecDeque};
use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ::csv::{ByteRecord, ErrorKind, Reader, ReaderBuilder};

use crate::document::rows::{LARGEST, Mistake};
use crate::ground::value::{Map, Value};

/// Reads rows of CSV.
pub(super) struct Csv {
    reader: Reader<Bounded>,
    shared: Arc<Shared>,
    columns: Option<Vec<Arc<str>>>,
    record: ByteRecord,
}

/// What the two readers know of each other.
#[derive(Default)]
struct Shared {
    /// How many bytes the row may still have.
    left: AtomicU64,
    /// The lines in which the rows begin that were read from the file and not asked for yet: a
    /// buffer of them, at most.
    begins: Mutex<VecDeque<u64>>,
}

/// What the reader of rows sees of a file. A row may hold a quote that is never closed: it is read only
/// so far, and at the end of the file it is told, where the reader would take all that came for a value.
struct Bounded {
    reader: Box<dyn Read + Send>,
    shared: Arc<Shared>,
    place: Place,
    line: u64,
    last: u8,
    /// The line of the quote that was opened last.
    opened: u64,
}

/// Where in a row a byte stands (RFC 4180, section 2).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before a row; blank lines are none.
    Between,
    /// Before a value.
    Start,
    Plain,
    Quoted,
    /// Behind a quote in a quoted value: it ends the value, or stands for itself before another.
    Behind,
}

impl Bounded {
    /// Follows what is read: where rows begin, and whether a quote is open.
    fn look(&mut self, bytes: &[u8], begins: &mut VecDeque<u64>) {
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            // Most bytes mean nothing here.
            let skipped = match self.place {
                Place::Quoted => memchr::memchr3(b'"', b'\n', b'\r', rest),
                Place::Plain => memchr::memchr3(b',', b'\n', b'\r', rest),
                _ => Some(0),
            };
            let Some(byte) = skipped.and_then(|skipped| rest.get(skipped)) else {
                self.last = 0;
                return;
            };
            at += skipped.unwrap_or_default() + 1;
            self.step(*byte, begins);
        }
    }

    fn step(&mut self, byte: u8, begins: &mut VecDeque<u64>) {
        let is_end = matches!(byte, b'\n' | b'\r');
        if self.place == Place::Between && !is_end {
            begins.push_back(self.line);
            self.place = Place::Start;
        }
        self.place = match (self.place, byte) {
            (Place::Start, b'"') => {
                self.opened = self.line;
                Place::Quoted
            }
            (Place::Quoted, b'"') => Place::Behind,
            (Place::Quoted, _) | (Place::Behind, b'"') => Place::Quoted,
            (_, b',') => Place::Start,
            _ if is_end => Place::Between,
            // The byte order mark is not the beginning of the first value.
            (Place::Start, 0xef | 0xbb | 0xbf) if self.line == 1 => Place::Start,
            _ => Place::Plain,
        };
        let second = byte == b'\n' && self.last == b'\r';
        self.line += u64::from(is_end && !second);
        self.last = byte;
    }
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.shared.left.load(Ordering::Relaxed);
        let unclosed = || format!("the quote of line {} is not closed", self.opened);
        if left == 0 {
            let why = if self.place == Place::Quoted { format!(": {}", unclosed()) } else { String::new() };
            return Err(io::Error::other(format!("a row is larger than 16 MiB{why}")));
        }
        let read = self.reader.read(buffer)?;
        if read == 0 && self.place == Place::Quoted && !buffer.is_empty() {
            return Err(io::Error::other(unclosed()));
        }
        self.shared.left.store(left.saturating_sub(read as u64), Ordering::Relaxed);
        let shared = Arc::clone(&self.shared);
        self.look(buffer.get(..read).unwrap_or_default(), &mut shared.begins());
        Ok(read)
    }
}

impl Shared {
    fn begins(&self) -> MutexGuard<'_, VecDeque<u64>> {
        self.begins.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Csv {
    pub(super) fn new(reader: Box<dyn Read + Send>) -> Self {
        let shared = Arc::new(Shared::default());
        let (place, own) = (Place::Between, Arc::clone(&shared));
        let bounded = Bounded { reader, shared: own, place, line: 1, last: 0, opened: 1 };
        let reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bounded);
        Self { reader, shared, columns: None, record: ByteRecord::new() }
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
        self.shared.left.store(LARGEST, Ordering::Relaxed);
        let read = self.reader.read_byte_record(&mut self.record);
        let line = self.shared.begins().pop_front().unwrap_or(1);
        match read {
            Ok(true) => {}
            Ok(false) => return Ok(None),
            Err(error) => {
                let why = match error.kind() {
                    ErrorKind::Io(error) => error.to_string(),
                    _ => error.to_string(),
                };
                return Err(Mistake::new(line, why));
            }
        }
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

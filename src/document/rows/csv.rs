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

/// A row may hold a quote that is never closed: it is read only so far.
struct Bounded {
    reader: Box<dyn Read + Send>,
    left: Arc<AtomicU64>,
    is_crlf: Arc<AtomicBool>,
    last: u8,
    in_first_line: bool,
}

impl Bounded {
    fn look_for_line_end(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if *byte == b'\n' {
                self.is_crlf.store(self.last == b'\r', Ordering::Relaxed);
                self.in_first_line = false;
                return;
            }
            self.last = *byte;
        }
    }
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.left.load(Ordering::Relaxed);
        if left == 0 {
            return Err(io::Error::other("a row is larger than 16 MiB"));
        }
        let read = self.reader.read(buffer)?;
        self.left.store(left.saturating_sub(read as u64), Ordering::Relaxed);
        if self.in_first_line {
            self.look_for_line_end(&buffer[..read]);
        }
        Ok(read)
    }
}

impl Csv {
    pub(super) fn new(reader: Box<dyn Read + Send>) -> Self {
        let left = Arc::new(AtomicU64::new(LARGEST));
        let is_crlf = Arc::new(AtomicBool::new(false));
        let (bound, crlf) = (Arc::clone(&left), Arc::clone(&is_crlf));
        let bounded = Bounded { reader, left: bound, is_crlf: crlf, last: 0, in_first_line: true };
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
    Ok(names.iter().map(|name| name.as_str().into()).collect())
}

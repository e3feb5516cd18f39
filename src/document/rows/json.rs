//! Rows of JSON: a list of objects, or an object in each line. Each is read by itself, where
//! `serde_json` alone would hold the whole list.

use std::io::{self, BufRead, BufReader, Read};

use serde::Deserialize as _;

use crate::document::rows::{LARGEST, Mistake};
use crate::ground::value::Value;

/// Reads rows of JSON.
pub(super) struct Json {
    bytes: Counted,
    is_list: bool,
    begun: bool,
    over: bool,
}

/// Counts lines, and how much one row may still have.
struct Counted {
    reader: BufReader<Box<dyn Read + Send>>,
    line: u64,
    left: u64,
}

impl Counted {
    /// The next byte, which stays where it is.
    fn peek(&mut self) -> io::Result<Option<u8>> {
        if self.left == 0 {
            return Err(io::Error::other("a row is larger than 16 MiB"));
        }
        Ok(self.reader.fill_buf()?.first().copied())
    }

    fn skip(&mut self) -> io::Result<()> {
        self.read(&mut [0]).map(drop)
    }

    /// The next byte that is no blank.
    fn next_sign(&mut self) -> io::Result<Option<u8>> {
        loop {
            match self.peek()? {
                Some(b' ' | b'\t' | b'\r' | b'\n') => self.skip()?,
                sign => return Ok(sign),
            }
        }
    }
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Err(io::Error::other("a row is larger than 16 MiB"));
        }
        let read = self.reader.read(buffer)?;
        self.line += buffer.iter().take(read).filter(|byte| **byte == b'\n').count() as u64;
        self.left = self.left.saturating_sub(read as u64);
        Ok(read)
    }
}

impl Json {
    pub(super) fn new(reader: Box<dyn Read + Send>, is_list: bool) -> Self {
        let bytes = Counted { reader: BufReader::new(reader), line: 1, left: LARGEST };
        Self { bytes, is_list, begun: false, over: false }
    }

    /// The next row and the line in which it begins.
    pub(super) fn next(&mut self) -> Result<Option<(u64, Value)>, Mistake> {
        self.bytes.left = LARGEST;
        if self.over || !self.advance()? {
            return Ok(None);
        }
        let sign = self.sign()?;
        let line = self.bytes.line;
        if sign != Some(b'{') {
            return Err(Mistake::new(line, "a row must be an object: { \"column\": value }"));
        }
        let mut deserializer = serde_json::Deserializer::from_reader(&mut self.bytes);
        let row = Value::deserialize(&mut deserializer).map_err(|error| {
            // The reader counts its lines from where the row begins.
            let at = line + (error.line() as u64).saturating_sub(1);
            if error.is_io() {
                Mistake::new(at, error.to_string())
            } else {
                Mistake::new(at, not_json(&error))
            }
        })?;
        Ok(Some((line, row)))
    }

    /// Goes to where the next row begins; false where there is none.
    fn advance(&mut self) -> Result<bool, Mistake> {
        let first = !std::mem::replace(&mut self.begun, true);
        if first {
            self.skip_mark()?;
        }
        let sign = self.sign()?;
        if !self.is_list {
            return Ok(sign.is_some());
        }
        let line = self.bytes.line;
        match (first, sign) {
            (true, None) => Err(Mistake::new(line, "not JSON: the file is empty")),
            (true, Some(b'[')) => {
                self.skip()?;
                if self.sign()? == Some(b']') { self.close() } else { Ok(true) }
            }
            (true, Some(_)) => Err(Mistake::new(line, "not a list of objects")
                .help("write `[{ … }, { … }]`, or name a file with an object in each line .jsonl")),
            (false, Some(b',')) => self.skip().map(|()| true),
            (false, Some(b']')) => self.close(),
            (false, Some(_)) => Err(Mistake::new(line, "not JSON: a comma is missing between two rows")),
            (false, None) => Err(Mistake::new(line, "the list is not closed: `]` is missing")),
        }
    }

    /// Nothing may follow the end of the list.
    fn close(&mut self) -> Result<bool, Mistake> {
        self.skip()?;
        self.over = true;
        match self.sign()? {
            None => Ok(false),
            Some(_) => Err(Mistake::new(self.bytes.line, "not JSON: something follows the end of the list")),
        }
    }

    /// The byte order mark of UTF-8.
    fn skip_mark(&mut self) -> Result<(), Mistake> {
        if self.sign()? == Some(0xef) {
            for _ in 0..3 {
                self.skip()?;
            }
        }
        Ok(())
    }

    fn sign(&mut self) -> Result<Option<u8>, Mistake> {
        self.bytes.next_sign().map_err(|error| Mistake::new(self.bytes.line, error.to_string()))
    }

    fn skip(&mut self) -> Result<(), Mistake> {
        self.bytes.skip().map_err(|error| Mistake::new(self.bytes.line, error.to_string()))
    }
}

/// The reader's message without its own line and column, which begin with the row.
fn not_json(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let message = text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message);
    format!("not JSON: {message}")
}

//! Rows of a table: the cases of `--data`, and the value of an input of `type: csv`.
//!
//! Rows are read one by one, as they are asked for: a file of a million costs no more memory than
//! one of ten. What is wrong in a row is told with its line; nothing behind it is read.

mod csv;
mod json;

use std::io::Read;
use std::path::Path;

use crate::ground::diagnostic::Diagnostic;
use crate::ground::file;
use crate::ground::value::Value;

use self::csv::Csv;
use self::json::Json;

/// The largest row, in bytes.
const LARGEST: u64 = 16 * 1024 * 1024;

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// RFC 4180, the names of the columns in the first line.
    Csv,
    /// A list of objects.
    Json,
    /// An object in each line.
    JsonLines,
}

impl Format {
    /// The format that a file's name ends in.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?.to_ascii_lowercase();
        match ending.as_str() {
            "csv" => Some(Self::Csv),
            "json" => Some(Self::Json),
            "jsonl" | "ndjson" => Some(Self::JsonLines),
            _ => None,
        }
    }
}

/// One row.
#[derive(Clone)]
pub struct Row {
    /// Which one it is, counted from 1.
    pub number: u64,
    /// Where it begins: `rows.csv:4`.
    pub place: String,
    /// An object: the columns by name. Those of CSV are texts.
    pub value: Value,
}

impl std::fmt::Debug for Row {
    /// Not the values: one of them may be a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Row").field("place", &self.place).finish_non_exhaustive()
    }
}

/// What is wrong in a row, and in which line.
struct Mistake {
    line: u64,
    message: String,
    help: Option<String>,
}

impl Mistake {
    fn new(line: u64, message: impl Into<String>) -> Self {
        Self { line, message: message.into(), help: None }
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// The rows of a file, read as they are asked for. After a mistake there are no more.
pub struct Rows {
    name: String,
    reader: Reader,
    number: u64,
    over: bool,
}

enum Reader {
    Csv(Csv),
    Json(Json),
}

impl std::fmt::Debug for Rows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rows").field("name", &self.name).field("number", &self.number).finish_non_exhaustive()
    }
}

impl Rows {
    /// Opens a file whose name tells its format.
    ///
    /// # Errors
    /// It cannot be read, or its name ends in nothing that is known.
    pub fn open(path: &Path) -> Result<Self, Diagnostic> {
        let name = path.display().to_string();
        let Some(format) = Format::of(path) else {
            let message = format!("`{name}` holds no rows that can be read");
            return Err(
                Diagnostic::error(message).help("its name must end in .csv, .json, .jsonl or .ndjson")
            );
        };
        // It may be of any size: only a row is bounded.
        let (file, _) = file::open(path, u64::MAX).map_err(|refused| {
            let message = format!("cannot read `{name}`: {}", refused.why());
            Diagnostic::error(message).maybe_help(refused.advice().map(str::to_owned))
        })?;
        Ok(Self::new(&name, format, file))
    }

    /// Reads rows from anywhere; `name` is what messages call it.
    pub fn new(name: &str, format: Format, reader: impl Read + Send + 'static) -> Self {
        let reader: Box<dyn Read + Send> = Box::new(reader);
        let reader = match format {
            Format::Csv => Reader::Csv(Csv::new(reader)),
            Format::Json => Reader::Json(Json::new(reader, true)),
            Format::JsonLines => Reader::Json(Json::new(reader, false)),
        };
        Self { name: name.to_owned(), reader, number: 0, over: false }
    }

    /// What messages call them.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Iterator for Rows {
    type Item = Result<Row, Diagnostic>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let next = match &mut self.reader {
            Reader::Csv(reader) => reader.next(),
            Reader::Json(reader) => reader.next(),
        };
        match next {
            Ok(Some((line, value))) => {
                self.number += 1;
                Some(Ok(Row { number: self.number, place: format!("{}:{line}", self.name), value }))
            }
            Ok(None) => {
                self.over = true;
                None
            }
            Err(mistake) => {
                self.over = true;
                let message = format!("{}:{}: {}", self.name, mistake.line, mistake.message);
                Some(Err(Diagnostic::error(message).maybe_help(mistake.help)))
            }
        }
    }
}

/// All rows of a text of CSV, as a list of objects.
///
/// # Errors
/// What is wrong, and in which line.
pub fn from_csv(text: &str) -> Result<Value, String> {
    let mut reader = Csv::new(Box::new(std::io::Cursor::new(text.to_owned().into_bytes())));
    let mut rows = Vec::new();
    loop {
        match reader.next() {
            Ok(Some((_, row))) => rows.push(row),
            Ok(None) => return Ok(rows.into()),
            Err(mistake) => return Err(format!("is not CSV: line {}: {}", mistake.line, mistake.message)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(format: Format, text: &'static [u8]) -> Result<Vec<String>, String> {
        let rows = Rows::new("r", format, text);
        rows.map(|row| row.map(|row| format!("{} {} {}", row.number, row.place, row.value.to_json())))
            .collect::<Result<_, _>>()
            .map_err(|problem| problem.message)
    }

    #[test]
    fn csv_is_read_by_rfc_4180() {
        for (text, expected) in [
            ("a,b\n1,2\n", vec![r#"1 r:2 {"a":"1","b":"2"}"#]),
            ("\u{feff}a,b\r\n1,\r\n", vec![r#"1 r:2 {"a":"1","b":""}"#]),
            ("a\n\"x\"\"y\n,z\"\n2", vec![r#"1 r:2 {"a":"x\"y\n,z"}"#, r#"2 r:4 {"a":"2"}"#]),
            ("a,b\n", vec![]),
            ("\u{feff}\"a\",\"b;c\"\n\"\",\"\"\"\"\n", vec![r#"1 r:2 {"a":"","b;c":"\""}"#]),
            // A quote inside of a value that did not begin with one stands for itself.
            ("a,b\n5\" disk,\"x\"", vec![r#"1 r:2 {"a":"5\" disk","b":"x"}"#]),
            // A blank line is no row, and the lines behind it keep their numbers.
            ("a,b\n\n1,2\n\n\n3,4\n\n", vec![r#"1 r:3 {"a":"1","b":"2"}"#, r#"2 r:6 {"a":"3","b":"4"}"#]),
            ("a,b\r\n\r\n1,2\r\n", vec![r#"1 r:3 {"a":"1","b":"2"}"#]),
            // A line end of the first computers.
            ("a,b\r1,2\r", vec![r#"1 r:2 {"a":"1","b":"2"}"#]),
            // Each with a line end of its own.
            (
                "a\r\n1\n\"2\r\n\"\r3",
                vec![r#"1 r:2 {"a":"1"}"#, r#"2 r:3 {"a":"2\r\n"}"#, r#"3 r:5 {"a":"3"}"#],
            ),
        ] {
            assert_eq!(
                all(Format::Csv, text.as_bytes()).as_deref(),
                Ok(&*expected.iter().map(ToString::to_string).collect::<Vec<_>>()),
                "{text}"
            );
        }
    }

    #[test]
    fn json_is_read_as_a_list_or_line_by_line() {
        let expected: Vec<String> =
            [r#"1 r:1 {"a":1,"b":{"c":[]}}"#, r#"2 r:2 {"a":null}"#].map(str::to_owned).into();
        let list = b"\xef\xbb\xbf[{\"a\":1,\"b\":{\"c\":[]}},\n {\"a\":null}]\n";
        assert_eq!(all(Format::Json, list).as_ref(), Ok(&expected));
        assert_eq!(
            all(Format::JsonLines, b"{\"a\":1,\"b\":{\"c\":[]}}\r\n{\"a\":null}").as_ref(),
            Ok(&expected)
        );
        assert_eq!(all(Format::Json, b" [ ] ").as_ref(), Ok(&Vec::new()));
        assert_eq!(all(Format::JsonLines, b"\n\n").as_ref(), Ok(&Vec::new()));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (format, text, part) in [
            (Format::Csv, &b"a,b\n1\n"[..], "r:2: 1 value; the header names 2 columns"),
            (Format::Csv, b"a,b\n1,2\n1,2,3\n", "r:3: 3 values"),
            (Format::Csv, b"a,a\n", "r:1: two columns have the name `a`"),
            (Format::Csv, b"a,,b\n", "r:1: column 2 has no name"),
            (Format::Csv, b"a\n1\n\xff\n", "r:3: not UTF-8"),
            (Format::Csv, b"\xff\n1\n", "r:1: not UTF-8"),
            (Format::Csv, b"\xff\xfea\0\n\0", "r:1: not UTF-8"),
            (Format::Csv, b"a,b\n\"1\",\"2\n3,4\n", "r:2: the quote of line 2 is not closed"),
            (Format::Csv, b"a,b\n1,2\n\n1,\"2\"\"\n", "the quote of line 4 is not closed"),
            (Format::Csv, b"\"a\n", "r:1: the quote of line 1 is not closed"),
            (Format::Csv, b"\xef\xbb\xbf\"a\n1\n", "r:1: the quote of line 1 is not closed"),
            (
                Format::Csv,
                b"a;b\n1;2\n",
                "r:1: the header has one column `a;b`: is the file separated by `;`?",
            ),
            (Format::Csv, b"a\tb\n", "is the file separated by `\\t`?"),
            (Format::Csv, b"a|b\n", "is the file separated by `|`?"),
            (Format::Json, b"", "r:1: not JSON"),
            (Format::Json, b"{\"a\":1}", "r:1: not a list"),
            (Format::Json, b"[{\"a\":1}\n {\"a\":2}]", "r:2: "),
            (Format::Json, b"[{\"a\":1},\n]", "r:2: "),
            (Format::Json, b"[{\"a\":1},\n 2]", "r:2: a row must be an object"),
            (Format::Json, b"[{\"a\":1},\n{\"a\":\n1 2}]", "r:3: not JSON"),
            (Format::Json, b"[{\"a\":1}] x", "r:1: "),
            (Format::Json, b"[{\"a\":1}", "r:1: the list is not closed"),
            (Format::JsonLines, b"{}\n[1]", "r:2: a row must be an object"),
            (Format::JsonLines, b"{\"a\":", "r:1: not JSON"),
        ] {
            let message = all(format, text).expect_err("it is wrong");
            assert!(message.contains(part), "{:?}: {message}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn a_million_brackets_are_an_error_and_no_crash() {
        let text = std::io::repeat(b'[').take(1_000_000);
        let text = std::io::Cursor::new("[{\"a\":").chain(text);
        let row = Rows::new("r", Format::Json, text).next();
        assert!(matches!(row, Some(Err(_))));
    }

    /// Gives the same row for ever.
    struct Endless(&'static [u8], usize);

    impl Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            if let [byte] = self.0 {
                buffer.fill(*byte);
                return Ok(buffer.len());
            }
            for byte in buffer.iter_mut() {
                *byte = self.0[self.1 % self.0.len()];
                self.1 += 1;
            }
            Ok(buffer.len())
        }
    }

    #[test]
    fn rows_come_one_by_one_from_a_file_without_end() {
        for (format, head, row) in [
            (Format::Csv, "a\n", &b"1\n"[..]),
            (Format::Json, "[", b"{\"a\":1},\n"),
            (Format::JsonLines, "", b"{\"a\":1}\n"),
        ] {
            let rows = Rows::new("r", format, std::io::Cursor::new(head).chain(Endless(row, 0)));
            let numbers: Vec<u64> = rows.take(1000).map(|row| row.expect("a row").number).collect();
            assert_eq!(numbers.last(), Some(&1000), "{format:?}");
        }
    }

    #[test]
    fn a_row_without_end_is_given_up() {
        for (format, head) in
            [(Format::Csv, "a\n\""), (Format::Json, "[{\"a\":\""), (Format::JsonLines, "{\"")]
        {
            let endless = std::io::Cursor::new(head).chain(Endless(b"x", 0));
            let problem = Rows::new("r", format, endless).next().expect("a row").expect_err("too large");
            assert!(problem.message.contains("larger than 16 MiB"), "{format:?}: {}", problem.message);
            let told = problem.message.contains("the quote of line 2 is not closed");
            assert_eq!(told, format == Format::Csv, "{}", problem.message);
        }
    }

    #[test]
    fn a_row_may_be_large_however_many_there_are() {
        let value = "x".repeat(usize::try_from(LARGEST).expect("it fits") / 2);
        let rows =
            Rows::new("r", Format::Csv, std::io::Cursor::new(format!("a\n{value}\n{value}\n{value}\n")));
        assert_eq!(rows.flatten().count(), 3);
    }
}

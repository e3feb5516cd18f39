//! Undoing the codings of a body (RFC 9110, 8.4) while it comes, within limits.
//!
//! A hundred kilobytes may become a hundred megabytes, so nothing is decoded in one go: each piece
//! that came is decoded in pieces again, and what they add up to is held against the limits before
//! it is kept. A stream that breaks, ends early or goes on behind its end is an error: half a body
//! is never an answer.

mod brotli;
mod deflate;
mod gzip;
#[cfg(test)]
mod tests;

use std::fmt;

use reqwest::header::{CONTENT_ENCODING, HeaderMap};

use crate::parts::http::decode::brotli::Brotli;
use crate::parts::http::decode::deflate::Deflate;
use crate::parts::http::decode::gzip::Gzip;

/// The codings that servers are told we take: `Accept-Encoding` (RFC 9110, 12.5.3).
pub const ACCEPTED: &str = "gzip, deflate, br";
/// How many codings a body may be in, all headers together. Each multiplies what a few bytes
/// become.
pub const MOST: usize = 2;
/// How many decoded bytes are not held against the ratio: what is small does no harm, and the
/// ratio of a short text says nothing.
pub const FREE: u64 = 1024 * 1024;
/// How much is decoded at once, in bytes.
const PIECE: usize = 16 * 1024;
/// How much of what came is looked at at once, in bytes: little, so that a bomb is noticed early.
const TAKEN: usize = 1024;
/// How long a name that is not known may be to be told, in characters.
const TOLD: usize = 40;

/// A coding that is undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// `gzip` (RFC 1952), of one or several members.
    Gzip,
    /// `deflate`: zlib (RFC 1950), or the bare stream (RFC 1951) that some servers send under that
    /// name.
    Deflate,
    /// `br` (RFC 7932).
    Brotli,
}

impl fmt::Display for Coding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Brotli => "br",
        })
    }
}

/// Why a body is not decoded at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unsupported {
    /// A coding of that name is not known here.
    Unknown(String),
    /// So many codings are more than [`MOST`].
    TooMany(usize),
}

/// Why decoding stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is not what its coding says.
    Corrupt(Coding, &'static str),
    /// More came of it than may be kept.
    TooLarge,
    /// So many bytes came of few.
    Ratio(u64),
}

/// The codings that a body is in, in the order in which they were applied.
///
/// # Errors
/// [`Unsupported`], where one is not known, or where they are too many or too costly.
pub fn codings(headers: &HeaderMap) -> Result<Vec<Coding>, Unsupported> {
    let mut found = Vec::new();
    let mut count = 0;
    for value in headers.get_all(CONTENT_ENCODING) {
        for name in value.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
            if name.is_empty() || name.eq_ignore_ascii_case(b"identity") {
                continue;
            }
            count += 1;
            // The list may be as long as a header: it is counted, not kept.
            if count <= MOST {
                found.push(known(name).ok_or_else(|| Unsupported::Unknown(shown(name)))?);
            }
        }
    }
    if count > MOST {
        return Err(Unsupported::TooMany(count));
    }
    // Each looks back over 16 MiB: two of them would take more memory than the largest body.
    if found == [Coding::Brotli, Coding::Brotli] {
        return Err(Unsupported::Unknown("`br, br`".to_owned()));
    }
    Ok(found)
}

fn known(name: &[u8]) -> Option<Coding> {
    match name.to_ascii_lowercase().as_slice() {
        b"gzip" | b"x-gzip" => Some(Coding::Gzip),
        b"deflate" => Some(Coding::Deflate),
        b"br" => Some(Coding::Brotli),
        _ => None,
    }
}

/// A name as it is told; of a long one nothing, since half a secret is not recognised any more.
fn shown(name: &[u8]) -> String {
    match String::from_utf8_lossy(name) {
        name if name.chars().count() <= TOLD => format!("`{name}`"),
        _ => format!("a name of {} bytes", name.len()),
    }
}

/// Decodes a body as it comes.
pub struct Decoder {
    /// The coding that was applied last is undone first.
    stages: Vec<Stage>,
    bounds: Bounds,
    /// What came and is not looked at yet.
    waiting: Vec<u8>,
    decoded: Vec<u8>,
}

/// What a body may become.
struct Bounds {
    /// The most bytes, after each of the codings.
    most: u64,
    /// How many times its size.
    ratio: u64,
    /// How much came so far, in bytes.
    encoded: u64,
}

/// One coding that is being undone.
struct Stage {
    coding: Coding,
    undo: Undo,
    produced: u64,
    piece: Vec<u8>,
}

enum Undo {
    Gzip(Box<Gzip>),
    Deflate(Box<Deflate>),
    Brotli(Box<Brotli>),
}

/// What one step took and gave, in bytes.
#[derive(Debug, Clone, Copy, Default)]
struct Step {
    read: usize,
    written: usize,
}

impl Decoder {
    /// A decoder for codings in the order in which they were applied; `most` is the largest body in
    /// bytes, and `ratio` how many times larger it may be than what came.
    #[must_use]
    pub fn new(codings: &[Coding], most: u64, ratio: u32) -> Self {
        let stages = codings.iter().rev().copied().map(Stage::new).collect();
        let bounds = Bounds { most, ratio: u64::from(ratio), encoded: 0 };
        Self { stages, bounds, waiting: Vec::new(), decoded: Vec::new() }
    }

    /// Takes what came next. It is decoded in pieces of one size, however the network has cut it: what a
    /// damaged body comes to must not depend on that.
    ///
    /// # Errors
    /// [`Fault`], where it is damaged, or becomes more than it may.
    pub fn take(&mut self, mut encoded: &[u8]) -> Result<(), Fault> {
        self.bounds.encoded += encoded.len() as u64;
        while self.waiting.len() + encoded.len() >= TAKEN {
            let (piece, rest) = encoded.split_at(TAKEN - self.waiting.len());
            self.waiting.extend_from_slice(piece);
            encoded = rest;
            self.push()?;
        }
        self.waiting.extend_from_slice(encoded);
        Ok(())
    }

    fn push(&mut self) -> Result<(), Fault> {
        push(&mut self.stages, &self.waiting, &self.bounds, &mut self.decoded)?;
        self.waiting.clear();
        Ok(())
    }

    /// The whole body, where its end was seen. A body of no bytes at all is empty, whatever is said
    /// of it: servers name a coding beside an empty body.
    ///
    /// # Errors
    /// [`Fault`], where its end did not come, or as [`Decoder::take`].
    pub fn finish(mut self) -> Result<Vec<u8>, Fault> {
        if !self.waiting.is_empty() {
            self.push()?;
        }
        let open = self.stages.iter().find(|stage| self.bounds.encoded > 0 && !stage.undo.is_ended());
        match open {
            Some(stage) => Err(Fault::Corrupt(stage.coding, "it is cut off")),
            None => Ok(self.decoded),
        }
    }

    /// How much came so far, in bytes.
    #[must_use]
    pub const fn encoded(&self) -> u64 {
        self.bounds.encoded
    }
}

impl Stage {
    fn new(coding: Coding) -> Self {
        let undo = match coding {
            Coding::Gzip => Undo::Gzip(Box::default()),
            Coding::Deflate => Undo::Deflate(Box::default()),
            Coding::Brotli => Undo::Brotli(Box::default()),
        };
        Self { coding, undo, produced: 0, piece: vec![0; PIECE] }
    }
}

impl Undo {
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, &'static str> {
        match self {
            Self::Gzip(gzip) => gzip.step(input, output),
            Self::Deflate(deflate) => deflate.step(input, output),
            Self::Brotli(brotli) => brotli.step(input, output),
        }
    }

    fn is_ended(&self) -> bool {
        match self {
            Self::Gzip(gzip) => gzip.is_ended(),
            Self::Deflate(deflate) => deflate.is_ended(),
            Self::Brotli(brotli) => brotli.is_ended(),
        }
    }
}

impl Bounds {
    /// Holds what a stage has produced against the limits. It is asked for every stage, since one
    /// between may grow without end and come to nothing in the next.
    fn check(&self, produced: u64) -> Result<(), Fault> {
        if produced > self.most {
            return Err(Fault::TooLarge);
        }
        if produced > FREE && produced > self.encoded.saturating_mul(self.ratio) {
            return Err(Fault::Ratio(produced));
        }
        Ok(())
    }
}

/// Sends bytes through what is left of the stages.
fn push(stages: &mut [Stage], mut input: &[u8], bounds: &Bounds, decoded: &mut Vec<u8>) -> Result<(), Fault> {
    let Some((stage, rest)) = stages.split_first_mut() else {
        decoded.extend_from_slice(input);
        return Ok(());
    };
    loop {
        let corrupt = |why| Fault::Corrupt(stage.coding, why);
        let Step { read, written } = stage.undo.step(input, &mut stage.piece).map_err(corrupt)?;
        input = &input[read..];
        stage.produced += written as u64;
        bounds.check(stage.produced)?;
        push(rest, &stage.piece[..written], bounds, decoded)?;
        if read == 0 && written == 0 && !input.is_empty() {
            return Err(Fault::Corrupt(stage.coding, "the data does not advance the decoder"));
        }
        // A piece that is not full shows that nothing is held back.
        if input.is_empty() && written < PIECE {
            return Ok(());
        }
    }
}

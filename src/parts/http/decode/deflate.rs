//! `deflate`: by its name zlib (RFC 1950), in practice also the bare stream (RFC 1951).

use flate2::Decompress;

use crate::parts::http::decode::Step;
use crate::parts::http::decode::gzip::inflate;

/// A stream that is being read.
#[derive(Debug)]
pub(super) struct Deflate {
    place: Place,
    inflate: Decompress,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Two bytes say which of the two it is; the first of them, once it came.
    Start(Option<u8>),
    Body,
    End,
}

impl Default for Deflate {
    fn default() -> Self {
        Self { place: Place::Start(None), inflate: Decompress::new(true) }
    }
}

impl Deflate {
    /// Whether its end was seen.
    pub(super) fn is_ended(&self) -> bool {
        self.place == Place::End
    }

    pub(super) fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, &'static str> {
        match (self.place, input) {
            (Place::Start(None), [first, ..]) => {
                self.place = Place::Start(Some(*first));
                Ok(Step { read: 1, written: 0 })
            }
            (Place::Start(Some(first)), [second, ..]) => {
                self.inflate = Decompress::new(is_zlib(first, *second));
                self.place = Place::Body;
                // Nothing comes of the first byte alone.
                let (first, _) = inflate(&mut self.inflate, &[first], output)?;
                if first.read == 1 { self.step(input, output) } else { Err("it is corrupt") }
            }
            (Place::Body, _) => {
                let (step, ended) = inflate(&mut self.inflate, input, output)?;
                if ended {
                    self.place = Place::End;
                }
                Ok(step)
            }
            (Place::End, [_, ..]) => Err("something else follows its end"),
            _ => Ok(Step::default()),
        }
    }
}

/// Whether a stream begins as zlib does: deflate, and a checksum of these two bytes.
fn is_zlib(first: u8, second: u8) -> bool {
    first & 0x0f == 8 && u16::from_be_bytes([first, second]).is_multiple_of(31)
}

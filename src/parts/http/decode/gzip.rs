//! gzip (RFC 1952): members with a head, a deflated body, a checksum and a length.

use flate2::{Crc, Decompress, FlushDecompress, Status};

use crate::parts::http::decode::Step;

/// A stream of members that is being read.
#[derive(Debug)]
pub(super) struct Gzip {
    place: Place,
    inflate: Decompress,
    crc: Crc,
    /// The last bytes of a head's or a trailer's fixed part, as they come.
    fixed: [u8; 10],
    /// How many members have ended.
    members: u64,
}

/// Where in a member the next byte stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The ten bytes that every head begins with; so many of them came.
    Start(usize),
    /// The optional parts of a head that are still to come, and where in them.
    Optional(Optional),
    Body,
    /// Checksum and length; so many of the eight bytes came.
    Trailer(usize),
}

/// The optional parts of a head, by the flags that announce them (RFC 1952, 2.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Optional {
    flags: u8,
    /// What is still to be skipped of the part that is being read; `None` where it has not begun.
    left: Option<usize>,
    /// The first byte of the length of `FEXTRA`.
    low: Option<u8>,
}

const FHCRC: u8 = 0b0_0010;
const FEXTRA: u8 = 0b0_0100;
const FNAME: u8 = 0b0_1000;
const FCOMMENT: u8 = 0b1_0000;
/// These flags must not be set.
const RESERVED: u8 = 0b1110_0000;

impl Default for Gzip {
    fn default() -> Self {
        Self {
            place: Place::Start(0),
            inflate: Decompress::new(false),
            crc: Crc::new(),
            fixed: [0; 10],
            members: 0,
        }
    }
}

impl Gzip {
    /// Whether the last member that began has ended.
    pub(super) fn is_ended(&self) -> bool {
        self.members > 0 && self.place == Place::Start(0)
    }

    pub(super) fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, &'static str> {
        if self.place == Place::Body {
            return self.body(input, output);
        }
        let mut read = 0;
        for byte in input {
            read += 1;
            self.byte(*byte)?;
            if self.place == Place::Body {
                break;
            }
        }
        Ok(Step { read, written: 0 })
    }

    /// A byte that is none of the body.
    fn byte(&mut self, byte: u8) -> Result<(), &'static str> {
        match self.place {
            Place::Start(at) => {
                self.fixed[at] = byte;
                self.begun(at)?;
                self.place = match at {
                    9 => Optional::after(self.fixed[3]).map_or(Place::Body, Place::Optional),
                    at => Place::Start(at + 1),
                };
            }
            Place::Optional(optional) => {
                self.place = optional.byte(byte).map_or(Place::Body, Place::Optional);
            }
            Place::Trailer(at) => {
                self.fixed[at] = byte;
                self.place = Place::Trailer(at + 1);
                if at == 7 {
                    self.end()?;
                }
            }
            Place::Body => {}
        }
        Ok(())
    }

    /// Checks a byte of a head as soon as it has come.
    fn begun(&self, at: usize) -> Result<(), &'static str> {
        let fits = match at {
            0 => self.fixed[0] == 0x1f,
            1 => self.fixed[1] == 0x8b,
            2 => self.fixed[2] == 8,
            3 => self.fixed[3] & RESERVED == 0,
            _ => true,
        };
        match (fits, self.members) {
            (true, _) => Ok(()),
            (false, 0) => Err("it does not begin as gzip does"),
            (false, _) => Err("something else follows its end"),
        }
    }

    fn body(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, &'static str> {
        let (step, ended) = inflate(&mut self.inflate, input, output)?;
        self.crc.update(&output[..step.written]);
        if ended {
            self.place = Place::Trailer(0);
        }
        Ok(step)
    }

    /// Checks a member against its trailer, and waits for the next.
    fn end(&mut self) -> Result<(), &'static str> {
        let number = |at: usize| {
            let bytes = &self.fixed[at..at + 4];
            bytes.iter().rev().fold(0, |number: u32, byte| number << 8 | u32::from(*byte))
        };
        if number(0) != self.crc.sum() {
            return Err("its checksum is wrong");
        }
        if number(4) != self.crc.amount() {
            return Err("its length is wrong");
        }
        self.inflate.reset(false);
        self.crc.reset();
        self.members += 1;
        self.place = Place::Start(0);
        Ok(())
    }
}

impl Optional {
    /// What is to come after the fixed part of a head.
    fn after(flags: u8) -> Option<Self> {
        let flags = flags & (FHCRC | FEXTRA | FNAME | FCOMMENT);
        (flags != 0).then_some(Self { flags, left: None, low: None })
    }

    /// What is to come after this byte.
    fn byte(mut self, byte: u8) -> Option<Self> {
        if self.flags & FEXTRA != 0 {
            return self.extra(byte);
        }
        if self.flags & (FNAME | FCOMMENT) != 0 {
            // A name and a comment end with a zero; the name comes first.
            let part = if self.flags & FNAME == 0 { FCOMMENT } else { FNAME };
            return if byte == 0 { Self::after(self.flags & !part) } else { Some(self) };
        }
        match self.left {
            None => {
                self.left = Some(1);
                Some(self)
            }
            Some(_) => None,
        }
    }

    /// A byte of the extra field: two of its length, and then so many.
    fn extra(mut self, byte: u8) -> Option<Self> {
        let left = match (self.left, self.low) {
            (Some(left), _) => left - 1,
            (None, Some(low)) => usize::from(u16::from_le_bytes([low, byte])),
            (None, None) => {
                self.low = Some(byte);
                return Some(self);
            }
        };
        if left == 0 {
            return Self::after(self.flags & !FEXTRA);
        }
        self.left = Some(left);
        Some(self)
    }
}

/// One step of inflating (RFC 1951), and whether its end was seen.
pub(super) fn inflate(
    inflate: &mut Decompress,
    input: &[u8],
    output: &mut [u8],
) -> Result<(Step, bool), &'static str> {
    let (read, written) = (inflate.total_in(), inflate.total_out());
    let status = inflate.decompress(input, output, FlushDecompress::None);
    let status = status.map_err(|_| "it is corrupt")?;
    let since = |before: u64, now: u64| usize::try_from(now - before).unwrap_or(usize::MAX);
    let step = Step { read: since(read, inflate.total_in()), written: since(written, inflate.total_out()) };
    Ok((step, status == Status::StreamEnd))
}

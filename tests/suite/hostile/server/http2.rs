//! HTTP/2 as a hostile server speaks it: frames by hand (RFC 9113), so that any of them can be wrong, and
//! of a request as much of HPACK (RFC 7541) as tells its line.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;

use super::{Act, Asked, DRIP, Line, Shared, lock};

/// One thing that a server does on the stream of a request.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Frame {
    /// Headers, and more to come: `&[(":status", "200")]`.
    Head(&'static [(&'static str, &'static str)]),
    /// Headers that end the stream: an answer without a body, or trailers.
    Last(&'static [(&'static str, &'static str)]),
    /// A piece of the body.
    Data(&'static str),
    /// A piece of the body that a function makes.
    Made(fn() -> Vec<u8>),
    /// The end of the body.
    End,
    /// Resets the stream for this reason (RFC 9113, 7).
    Reset(u32),
    /// Gives up the connection: the last stream that was looked at, and the reason.
    GoAway(u32, u32),
    /// Any bytes; the function knows the stream.
    Raw(fn(u32) -> Vec<u8>),
    /// A body of this text again and again, as much as the client takes, until it takes no more.
    Pour(&'static str),
    /// Any bytes again and again, whatever the client takes, until the stream is over.
    Flood(fn(u32) -> Vec<u8>),
    /// The same with a moment between any two times.
    Drip(fn(u32) -> Vec<u8>),
}

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// The most bytes of a frame, unless a client allows more (RFC 9113, 6.5.2).
const FRAME: usize = 16 * 1024;

/// Kinds of frames (RFC 9113, 6).
pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
pub(crate) const CONTINUATION: u8 = 9;
/// Flags; that of an acknowledgement is the same bit as that of an end.
const END_STREAM: u8 = 1;
const ACK: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;
const PADDED: u8 = 8;
const PRIORITY: u8 = 0x20;

/// A frame as it goes over the wire.
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a small frame").to_be_bytes();
    let mut bytes = vec![length[1], length[2], length[3], kind, flags];
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// A header, neither indexed nor compressed (RFC 7541, 6.2.2).
pub(crate) fn header(name: &str, value: &str) -> Vec<u8> {
    let mut bytes = vec![0];
    for text in [name, value] {
        number(text.len(), &mut bytes);
        bytes.extend(text.as_bytes());
    }
    bytes
}

/// An integer with a prefix of seven bits (RFC 7541, 5.1).
fn number(value: usize, bytes: &mut Vec<u8>) {
    if value < 127 {
        bytes.push(u8::try_from(value).expect("seven bits"));
        return;
    }
    bytes.push(127);
    let mut rest = value - 127;
    while rest >= 128 {
        bytes.push(u8::try_from(rest % 128).expect("seven bits") | 0x80);
        rest /= 128;
    }
    bytes.push(u8::try_from(rest).expect("seven bits"));
}

/// A head of any size: the first frame, and what continues it.
fn head(stream: u32, fields: &[(&str, &str)], end: u8) -> Vec<u8> {
    let block: Vec<u8> = fields.iter().flat_map(|(name, value)| header(name, value)).collect();
    let pieces: Vec<&[u8]> = block.chunks(FRAME).collect();
    let mut bytes = Vec::new();
    for (at, piece) in pieces.iter().enumerate() {
        let kind = if at == 0 { HEADERS } else { CONTINUATION };
        let last = if at + 1 == pieces.len() { END_HEADERS } else { 0 };
        bytes.extend(frame(kind, last | if at == 0 { end } else { 0 }, stream, piece));
    }
    bytes
}

/// What a client said of one stream.
#[derive(Default)]
struct Heard {
    line: String,
    body: Vec<u8>,
    window: i64,
}

/// A connection, and what is known of it.
struct Conversation {
    line: Line,
    /// How much of bodies the client takes, over all streams and on a new one (RFC 9113, 5.2).
    window: i64,
    initial: i64,
    streams: BTreeMap<u32, Heard>,
    over: BTreeSet<u32>,
    asked: VecDeque<(u32, String)>,
}

impl Shared {
    /// Speaks HTTP/2 with a client until it goes away.
    pub(super) fn converse(&self, number: usize, line: Line) -> io::Result<()> {
        let (streams, over, asked) = (BTreeMap::new(), BTreeSet::new(), VecDeque::new());
        let mut talk = Conversation { line, window: 65_535, initial: 65_535, streams, over, asked };
        talk.greet()?;
        loop {
            while let Some((stream, text)) = talk.asked.pop_front() {
                lock(&self.asked).push(Asked { connection: number, text: text.clone() });
                for act in self.answer(&text) {
                    if !self.act_on(stream, &act, &mut talk)? {
                        return Ok(());
                    }
                }
            }
            if !talk.hear()? {
                return Ok(());
            }
        }
    }

    /// Whether the connection goes on.
    fn act_on(&self, stream: u32, act: &Act, talk: &mut Conversation) -> io::Result<bool> {
        match act {
            Act::Frame(frame) => talk.does(stream, frame)?,
            Act::Whole(head, body) => {
                let (head, body) = (self.filled(head), self.filled(body));
                talk.whole(stream, &head, &body)?;
            }
            act => return self.act(act, &mut talk.line),
        }
        Ok(true)
    }
}

impl Conversation {
    fn greet(&mut self) -> io::Result<()> {
        while self.line.ahead.len() < PREFACE.len() {
            if !self.line.read()? {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        let preface: Vec<u8> = self.line.ahead.drain(..PREFACE.len()).collect();
        assert_eq!(preface, PREFACE, "a client that does not speak HTTP/2");
        self.line.say(&frame(SETTINGS, 0, 0, &[]))
    }

    fn does(&mut self, stream: u32, act: &Frame) -> io::Result<()> {
        let bytes = match act {
            Frame::Head(fields) => head(stream, fields, 0),
            Frame::Last(fields) => head(stream, fields, END_STREAM),
            Frame::Data(text) => frame(DATA, 0, stream, text.as_bytes()),
            Frame::Made(bytes) => {
                return bytes().chunks(FRAME).try_for_each(|piece| self.pour(stream, piece));
            }
            Frame::End => frame(DATA, END_STREAM, stream, &[]),
            Frame::Reset(reason) => frame(RST_STREAM, 0, stream, &reason.to_be_bytes()),
            Frame::GoAway(last, reason) => {
                frame(GOAWAY, 0, 0, &[last.to_be_bytes(), reason.to_be_bytes()].concat())
            }
            Frame::Raw(bytes) => bytes(stream),
            Frame::Pour(text) => {
                let piece = text.repeat(FRAME / text.len());
                while !self.over.contains(&stream) {
                    self.pour(stream, piece.as_bytes())?;
                }
                return Ok(());
            }
            Frame::Flood(bytes) | Frame::Drip(bytes) => {
                let times = if matches!(act, Frame::Drip(_)) { 1 } else { 1000 };
                return self.repeat(stream, &bytes(stream).repeat(times));
            }
        };
        self.line.say(&bytes)
    }

    /// A whole answer: `200 OK` and what headers there are, then the body.
    fn whole(&mut self, stream: u32, written: &str, body: &str) -> io::Result<()> {
        let mut lines = written.lines();
        let status = lines.next().and_then(|line| line.split(' ').next()).unwrap_or_default();
        let length = body.len().to_string();
        let mut fields = vec![(":status", status), ("content-length", length.as_str())];
        fields.extend(lines.filter_map(|line| line.split_once(": ")));
        self.line.say(&head(stream, &fields, 0))?;
        self.line.say(&frame(DATA, END_STREAM, stream, body.as_bytes()))
    }

    /// A piece of a body, once the client takes so much.
    fn pour(&mut self, stream: u32, piece: &[u8]) -> io::Result<()> {
        let size = i64::try_from(piece.len()).expect("a small piece");
        while !self.over.contains(&stream) {
            let initial = self.initial;
            let heard = self.streams.entry(stream).or_insert(Heard { window: initial, ..Heard::default() });
            if self.window >= size && heard.window >= size {
                self.window -= size;
                heard.window -= size;
                return self.line.say(&frame(DATA, 0, stream, piece));
            }
            if !self.hear()? {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(())
    }

    fn repeat(&mut self, stream: u32, bytes: &[u8]) -> io::Result<()> {
        self.line.tcp.set_read_timeout(Some(DRIP))?;
        while !self.over.contains(&stream) {
            self.line.say(bytes)?;
            // What the client says meanwhile is taken, lest both wait for the other to read.
            loop {
                match self.hear() {
                    Ok(true) => {}
                    Ok(false) => return Err(io::ErrorKind::UnexpectedEof.into()),
                    Err(error) if is_pause(&error) => break,
                    Err(error) => return Err(error),
                }
            }
        }
        self.line.tcp.set_read_timeout(None)
    }

    /// Takes the next frame; false where the client closed the connection.
    fn hear(&mut self) -> io::Result<bool> {
        loop {
            let ahead = &self.line.ahead;
            let length = ahead
                .get(..3)
                .map(|size| usize::from(size[0]) << 16 | usize::from(size[1]) << 8 | usize::from(size[2]));
            if let Some(length) = length.filter(|length| ahead.len() >= 9 + length) {
                let bytes: Vec<u8> = self.line.ahead.drain(..9 + length).collect();
                let stream = u32::from_be_bytes([bytes[5], bytes[6], bytes[7], bytes[8]]);
                return self.take((bytes[3], bytes[4]), stream, &bytes[9..]).map(|()| true);
            }
            if !self.line.read()? {
                return Ok(false);
            }
        }
    }

    fn take(&mut self, (kind, flags): (u8, u8), stream: u32, payload: &[u8]) -> io::Result<()> {
        let initial = self.initial;
        let heard = || Heard { window: initial, ..Heard::default() };
        match kind {
            HEADERS => {
                assert_eq!(flags & END_HEADERS, END_HEADERS, "the requests of the suite are small");
                let line = line_of(unpadded(flags, payload));
                self.streams.entry(stream).or_insert_with(heard).line = line;
            }
            DATA => {
                let body = unpadded(flags, payload);
                self.streams.entry(stream).or_insert_with(heard).body.extend(body);
            }
            RST_STREAM => drop(self.over.insert(stream)),
            SETTINGS if flags & ACK == 0 => {
                self.settings(payload);
                self.line.say(&frame(SETTINGS, ACK, 0, &[]))?;
            }
            PING if flags & ACK == 0 => self.line.say(&frame(PING, ACK, 0, payload))?,
            WINDOW_UPDATE => {
                let more = payload.try_into().map(u32::from_be_bytes).map_or(0, i64::from);
                match stream {
                    0 => self.window += more,
                    stream => self.streams.entry(stream).or_insert_with(heard).window += more,
                }
            }
            _ => {}
        }
        if matches!(kind, HEADERS | DATA) && flags & END_STREAM != 0 {
            let Heard { line, body, .. } = &self.streams[&stream];
            let text = format!("{line} HTTP/2\r\n\r\n{}", String::from_utf8_lossy(body));
            self.asked.push_back((stream, text));
        }
        Ok(())
    }

    /// How large the window of a new stream is (RFC 9113, 6.5.2).
    fn settings(&mut self, payload: &[u8]) {
        for entry in payload.chunks_exact(6).filter(|entry| entry[..2] == [0, 4]) {
            self.initial = i64::from(u32::from_be_bytes([entry[2], entry[3], entry[4], entry[5]]));
        }
    }
}

fn is_pause(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

/// What a frame holds, without padding and priority (RFC 9113, 6.2).
fn unpadded(flags: u8, payload: &[u8]) -> &[u8] {
    let (padding, payload) = match payload {
        [padding, rest @ ..] if flags & PADDED != 0 => (usize::from(*padding), rest),
        all => (0, all),
    };
    let payload = &payload[..payload.len() - padding];
    if flags & PRIORITY == 0 { payload } else { &payload[5..] }
}

/// `GET /path`, of a block of headers. What a client indexed is no line.
fn line_of(mut block: &[u8]) -> String {
    let (mut method, mut path) = (String::new(), String::new());
    while let Some(first) = block.first().copied() {
        let (prefix, is_literal) = match first {
            0x80.. => (7, false),
            0x40.. => (6, true),
            0x20.. => (5, false),
            _ => (4, true),
        };
        let index = integer(&mut block, prefix);
        let name = if is_literal && index == 0 { text(&mut block) } else { String::new() };
        let value = if is_literal { text(&mut block) } else { String::new() };
        // Of the static table (RFC 7541, A).
        match (index, is_literal, name.as_str()) {
            (2, false, _) => "GET".clone_into(&mut method),
            (3, false, _) => "POST".clone_into(&mut method),
            (4, false, _) => "/".clone_into(&mut path),
            (2 | 3, true, _) | (0, true, ":method") => method = value,
            (4 | 5, true, _) | (0, true, ":path") => path = value,
            _ => {}
        }
    }
    format!("{method} {path}")
}

fn integer(block: &mut &[u8], prefix: u32) -> usize {
    let mut byte = || {
        let (first, rest) = block.split_first().expect("a whole block");
        *block = rest;
        usize::from(*first)
    };
    let most = (1 << prefix) - 1;
    let mut value = byte() & most;
    let mut shift = 0;
    while value >= most {
        let next = byte();
        value += (next & 127) << shift;
        shift += 7;
        if next < 128 {
            break;
        }
    }
    value
}

fn text(block: &mut &[u8]) -> String {
    let is_packed = block.first().is_some_and(|byte| byte & 0x80 != 0);
    let length = integer(block, 7);
    let (bytes, rest) = block.split_at(length);
    *block = rest;
    if is_packed { unpacked(bytes) } else { String::from_utf8_lossy(bytes).into_owned() }
}

/// The text of a code (RFC 7541, B), whose words of one length follow one another as their characters
/// do. Only those of methods and paths are known, of five to eight bits.
fn unpacked(bytes: &[u8]) -> String {
    const LEVELS: [&[u8]; 4] =
        [b"012aceiost", b" %-./3456789=A_bdfghlmnpru", b":BCDEFGHIJKLMNOPQRSTUVWYjkqvwxyz", b"&*,;XZ"];
    let mut bits = bytes.iter().flat_map(|byte| (0..8).rev().map(move |at| usize::from(byte >> at & 1)));
    let mut text = String::new();
    loop {
        let mut word = 0;
        for _ in 0..4 {
            let Some(bit) = bits.next() else { return text };
            word = word << 1 | bit;
        }
        let mut first = 0;
        let found = LEVELS.iter().find_map(|level| {
            word = word << 1 | bits.next()?;
            let found = level.get(word.checked_sub(first)?).copied();
            first = (first + level.len()) << 1;
            found
        });
        // What is left is the padding.
        let Some(found) = found else { return text };
        text.push(char::from(found));
    }
}

#[test]
fn the_line_of_a_request_is_read_from_its_headers() {
    // RFC 7541, C.4.1 and C.4.3.
    let first = b"\x82\x86\x84\x41\x8c\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff";
    assert_eq!(line_of(first), "GET /");
    assert_eq!(unpacked(b"\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff"), "www.example.com");
    assert_eq!(line_of(b"\x83\x04\x05/next"), "POST /next");
}

//! A text as those read it who decode it: without colours and line breaks, escapes resolved.
//!
//! A secret is known again in any mixture of escapes because the text is decoded, rather than every
//! way in which the secret could be written being guessed. What is found is told by its place in the
//! text as it came.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::LazyLock;

use memchr::{memchr, memchr2};

/// How often a text is decoded: JSON in JSON in JSON is seen in real logs.
const DEEPEST: u8 = 4;
/// How much may be decoded, by the length of the text: a hostile text must not cost more.
const MOST: usize = 24;
/// What may be decoded of any text, in bytes.
const LEAST: usize = 64 * 1024;

/// A way to write a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    /// Control sequences of a terminal (ECMA-48, section 5.4), and its strings such as titles.
    Ansi,
    /// Broken into lines, as by base64 in mail (RFC 2045, section 6.8) or by a narrow page.
    Lines,
    /// The same where a blank has taken the place of the end of the line, as on an HTML page.
    Blanks,
    /// Backslashes: JSON (RFC 8259, section 7), programming languages, shells.
    Backslash,
    /// Character references of XML and HTML.
    Reference,
    /// Percent-encoding (RFC 3986, section 2.1).
    Percent,
    /// The same with `+` for a blank, as in forms.
    Form,
}

const ENCODINGS: [Encoding; 7] = [
    Encoding::Backslash,
    Encoding::Lines,
    Encoding::Percent,
    Encoding::Form,
    Encoding::Reference,
    Encoding::Ansi,
    Encoding::Blanks,
];

/// A decoded text, and what of it stands where in the one that it was made of.
pub(super) struct View {
    pub(super) bytes: Vec<u8>,
    /// Whether one word ends where the next begins.
    pub(super) has_words: bool,
    edits: Vec<Edit>,
    /// The view that it was made of; `None` for the text itself.
    of: Option<usize>,
    depth: u8,
}

/// A place where something else was written.
struct Edit {
    /// Where it begins in the view, and how many bytes it has there.
    at: usize,
    len: usize,
    /// Where it stood.
    stood: Range<usize>,
}

/// All views of a text but itself, each other than the rest.
pub(super) fn views(text: &[u8]) -> Vec<View> {
    let mut views: Vec<View> = Vec::new();
    let mut left = text.len().saturating_mul(MOST).max(LEAST);
    let mut next = 0;
    let mut of = None;
    loop {
        let (bytes, depth) = of.map_or((text, 0), |at: usize| (&*views[at].bytes, views[at].depth));
        let mut made = Vec::new();
        for encoding in ENCODINGS.iter().filter(|encoding| encoding.is_for(depth)) {
            let Some((bytes, edits)) = encoding.decode(bytes, left) else { continue };
            left -= bytes.len();
            let has_words = *encoding != Encoding::Blanks;
            let depth = if has_words { depth + 1 } else { DEEPEST };
            made.push(View { bytes, has_words, edits, of, depth });
        }
        for view in made {
            if view.bytes != text && views.iter().all(|known| known.bytes != view.bytes) {
                views.push(view);
            }
        }
        if next == views.len() {
            return views;
        }
        of = Some(next);
        next += 1;
    }
}

/// A text without what colours it; `None` where nothing does.
pub(super) fn uncolored(text: &str) -> Option<String> {
    Encoding::Ansi.decode(text.as_bytes(), usize::MAX).and_then(|(bytes, _)| String::from_utf8(bytes).ok())
}

/// A text without its blanks; `None` where it has none.
pub(super) fn unspaced(text: &str) -> Option<String> {
    Encoding::Blanks.decode(text.as_bytes(), usize::MAX).and_then(|(bytes, _)| String::from_utf8(bytes).ok())
}

/// A text whose lines are joined; `None` where it has but one.
pub(super) fn joined(text: &str) -> Option<String> {
    Encoding::Lines.decode(text.as_bytes(), usize::MAX).and_then(|(bytes, _)| String::from_utf8(bytes).ok())
}

/// Where a place of a view stands in the text itself.
pub(super) fn origin(views: &[View], at: usize, place: Range<usize>) -> Range<usize> {
    let mut place = place;
    let mut view = Some(at);
    while let Some(at) = view {
        place = views[at].stood(place);
        view = views[at].of;
    }
    place
}

impl View {
    /// Where a place stood that has at least one byte.
    fn stood(&self, place: Range<usize>) -> Range<usize> {
        let edit = |at: usize, before: bool| {
            let count = self.edits.partition_point(|edit| edit.at < at || (!before && edit.at == at));
            count.checked_sub(1).map(|last| &self.edits[last])
        };
        let start = match edit(place.start, false) {
            Some(edit) if place.start < edit.at + edit.len => edit.stood.start,
            Some(edit) => edit.stood.end + place.start - edit.at - edit.len,
            None => place.start,
        };
        let end = match edit(place.end, true) {
            Some(edit) if place.end <= edit.at + edit.len => edit.stood.end,
            Some(edit) => edit.stood.end + place.end - edit.at - edit.len,
            None => place.end,
        };
        start..end
    }
}

impl Encoding {
    /// Whether a text is read so that was decoded that often. Almost every text has blanks: they are
    /// taken out of none but the text itself, and nothing is made of that.
    fn is_for(self, depth: u8) -> bool {
        if self == Self::Blanks { depth == 0 } else { depth < DEEPEST }
    }

    /// The decoded text and its edits; `None` where there is nothing to decode, or where it is longer
    /// than `most`.
    fn decode(self, text: &[u8], most: usize) -> Option<(Vec<u8>, Vec<Edit>)> {
        let mut at = self.next(text, 0)?;
        let (mut bytes, mut edits, mut kept) = (Vec::new(), Vec::new(), 0);
        let mut piece = Vec::new();
        loop {
            piece.clear();
            let read = self.read(&text[at..], &mut piece);
            if read > 0 {
                if edits.is_empty() {
                    bytes.reserve(text.len());
                }
                bytes.extend_from_slice(&text[kept..at]);
                edits.push(Edit { at: bytes.len(), len: piece.len(), stood: at..at + read });
                bytes.extend_from_slice(&piece);
                kept = at + read;
                if bytes.len() > most {
                    return None;
                }
            }
            match self.next(text, at + read.max(1)) {
                Some(next) => at = next,
                None => break,
            }
        }
        bytes.extend_from_slice(&text[kept..]);
        (!edits.is_empty() && bytes.len() <= most).then_some((bytes, edits))
    }

    /// Where something may begin that is written in this way.
    fn next(self, text: &[u8], from: usize) -> Option<usize> {
        let rest = text.get(from..)?;
        let found = match self {
            // A control sequence begins with the two characters ESC [, or with the one U+009B.
            Self::Ansi => memchr2(0x1b, 0xc2, rest),
            Self::Lines => memchr2(b'\n', b'\r', rest),
            Self::Blanks => rest.iter().position(u8::is_ascii_whitespace),
            Self::Backslash => memchr(b'\\', rest),
            Self::Reference => memchr(b'&', rest),
            Self::Percent => memchr(b'%', rest),
            // Without a `+` it says the same as `Percent`.
            Self::Form if from == 0 && memchr(b'+', rest).is_none() => None,
            Self::Form => memchr2(b'%', b'+', rest),
        };
        found.map(|found| found + from)
    }

    /// Reads what begins the text: how many bytes it has, 0 where it is nothing of this kind.
    fn read(self, text: &[u8], piece: &mut Vec<u8>) -> usize {
        match self {
            Self::Ansi => control(text),
            Self::Lines | Self::Blanks => text.iter().take_while(|byte| byte.is_ascii_whitespace()).count(),
            Self::Backslash => backslash(text, piece),
            Self::Reference => reference(text, piece),
            Self::Percent | Self::Form if text[0] == b'%' => percent(text, piece),
            Self::Percent => 0,
            Self::Form => {
                piece.push(b' ');
                1
            }
        }
    }
}

/// The length of a control sequence.
fn control(text: &[u8]) -> usize {
    let (from, string) = match text {
        [0x1b, b'[', ..] | [0xc2, 0x9b, ..] => (2, false),
        [0x1b, b']' | b'P' | b'X' | b'^' | b'_', ..] => (2, true),
        [0x1b, 0x20..=0x7e, ..] => return 2,
        _ => return 0,
    };
    let rest = &text[from..];
    if string {
        // It ends with BEL or ST; one that does not end hides nothing.
        let end = rest.iter().position(|byte| matches!(byte, 0x07 | 0x1b));
        return end.map_or(0, |end| from + end + if rest[end] == 0x1b { 2.min(rest.len() - end) } else { 1 });
    }
    let inside = rest.iter().take_while(|byte| matches!(byte, 0x20..=0x3f)).count();
    match rest.get(inside) {
        Some(0x40..=0x7e) => from + inside + 1,
        _ => 0,
    }
}

fn backslash(text: &[u8], piece: &mut Vec<u8>) -> usize {
    let simple = match text.get(1) {
        Some(b'n') => b'\n',
        Some(b't') => b'\t',
        Some(b'r') => b'\r',
        Some(b'b') => 0x08,
        Some(b'f') => 0x0c,
        Some(b'u') => return unicode(text, piece),
        Some(b'x') => {
            let Some(byte) = hex(text.get(2..4).unwrap_or_default()) else { return 0 };
            push(byte, piece);
            return 4;
        }
        Some(byte) if byte.is_ascii_punctuation() || *byte == b' ' => *byte,
        _ => return 0,
    };
    piece.push(simple);
    2
}

/// `\u00fc`, a pair of surrogates, or `\u{fc}`.
fn unicode(text: &[u8], piece: &mut Vec<u8>) -> usize {
    if text.get(2) == Some(&b'{') {
        let digits = text[3..].iter().take(7).take_while(|byte| byte.is_ascii_hexdigit()).count();
        let closed = text.get(3 + digits) == Some(&b'}');
        let Some(code) = hex(&text[3..3 + digits]).filter(|_| closed) else { return 0 };
        push(code, piece);
        return digits + 4;
    }
    let unit = |from: usize| hex(text.get(from..from + 4).unwrap_or_default());
    let Some(first) = unit(2) else { return 0 };
    if (0xd800..0xdc00).contains(&first)
        && text.get(6..8) == Some(b"\\u")
        && let Some(second) = unit(8).filter(|second| (0xdc00..0xe000).contains(second))
    {
        push(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00), piece);
        return 12;
    }
    push(first, piece);
    6
}

/// The longest reference that is looked at: `&#x0010FFFF;` and every name below.
const LONGEST: usize = 12;
/// The names of the characters from U+00A0 on (HTML, section 13.5).
const LATIN: &str = "nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg \
    plusmn sup2 sup3 acute micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave \
    Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH \
    Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc Uuml Yacute THORN szlig \
    agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml igrave iacute icirc iuml \
    eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute thorn yuml";
/// The names of characters of ASCII.
const ASCII: &str = "\tTab \nNewLine !excl \"quot #num $dollar %percnt &amp 'apos (lpar )rpar *ast +plus \
    ,comma .period /sol :colon ;semi <lt =equals >gt ?quest @commat [lsqb [lbrack \\bsol ]rsqb ]rbrack \
    ^Hat _lowbar `grave {lcub {lbrace |verbar |vert }rcub }rbrace \"QUOT &AMP <LT >GT";

fn reference(text: &[u8], piece: &mut Vec<u8>) -> usize {
    let near = &text[1..text.len().min(LONGEST)];
    let length =
        |rest: &[u8], is_digit: fn(&u8) -> bool| rest.iter().take_while(|byte| is_digit(byte)).count();
    let (end, code) = match near {
        [b'#', b'x' | b'X', rest @ ..] => {
            let digits = length(rest, u8::is_ascii_hexdigit);
            (2 + digits, hex(&rest[..digits]))
        }
        [b'#', rest @ ..] => {
            let digits = length(rest, u8::is_ascii_digit);
            (1 + digits, str::from_utf8(&rest[..digits]).ok().and_then(|digits| digits.parse().ok()))
        }
        rest => {
            let name = length(rest, u8::is_ascii_alphanumeric);
            let closed = rest.get(name) == Some(&b';');
            (name, str::from_utf8(&rest[..name]).ok().filter(|_| closed).and_then(named))
        }
    };
    let Some(code) = code else { return 0 };
    push(code, piece);
    // A number ends with its digits, too (HTML, section 13.2.5.80).
    1 + end + usize::from(near.get(end) == Some(&b';'))
}

fn named(name: &str) -> Option<u32> {
    static NAMES: LazyLock<HashMap<&str, u32>> = LazyLock::new(|| {
        let ascii =
            ASCII.split(' ').filter_map(|entry| Some((entry.get(1..)?, entry.chars().next()? as u32)));
        ascii.chain(LATIN.split_ascii_whitespace().zip(0xa0..)).collect()
    });
    NAMES.get(name).copied()
}

fn percent(text: &[u8], piece: &mut Vec<u8>) -> usize {
    let Some(byte) = text.get(1..3).and_then(hex).and_then(|byte| u8::try_from(byte).ok()) else { return 0 };
    piece.push(byte);
    3
}

fn hex(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || digits.len() > 8 {
        return None;
    }
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    digits.iter().try_fold(0_u32, |sum, byte| sum.checked_mul(16)?.checked_add(digit(byte)?))
}

fn push(code: u32, piece: &mut Vec<u8>) {
    let sign = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
    piece.extend_from_slice(sign.encode_utf8(&mut [0; 4]).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_writing_is_read_and_its_place_is_known() {
        for (text, plain) in [
            ("x a\\u00fcb\\/\\\" y", "aüb/\""),
            ("x \\ud83d\\ude00 y", "😀"),
            ("x \\u{fc}\\x41 y", "üA"),
            ("x a&amp;&#38;&#x26;&uuml;&bsol; y", "a&&&ü\\"),
            ("x %C3%BC%2f y", "ü/"),
            ("x a+%26b y", "a &b"),
            ("x a\r\n  b\nc y", "abc"),
            ("x a&#38b&#x26,c y", "a&b&,c"),
            ("x a bc\t d y", "abcd"),
            ("x a\x1b[31mb\x1b[0;1mc\u{9b}2Jd y", "abcd"),
            ("x \x1b]0;t\x07a\x1b]8;;u\x1b\\b y", "ab"),
            ("x a\\\\\\\"b y", "a\"b"),
        ] {
            let views = views(text.as_bytes());
            let found = views.iter().enumerate().find_map(|(at, view)| {
                let start = memchr::memmem::find(&view.bytes, plain.as_bytes())?;
                Some(origin(&views, at, start..start + plain.len()))
            });
            let place = found.unwrap_or_else(|| panic!("{text:?}"));
            assert!(place.start >= 2 && place.end <= text.len() - 2, "{text:?}: {place:?}");
            assert_eq!(text[place.end..].chars().next(), Some(' '), "{text:?}: {place:?}");
        }
    }

    #[test]
    fn what_needs_no_decoding_costs_nothing() {
        assert!(views(b"plain-text=no_escapes,100_percent").is_empty());
    }

    proptest::proptest! {
        #[test]
        fn no_text_breaks_a_view(text in "(\\\\|u|\\{|&|#|;|%|4|1|\\+|\n|\x1b|\\[|\\]|ü|amp|[ -~]){0,40}") {
            let views = views(text.as_bytes());
            for at in 0..views.len() {
                for end in 1..=views[at].bytes.len() {
                    let place = origin(&views, at, end - 1..end);
                    proptest::prop_assert!(place.start <= place.end && place.end <= text.len());
                }
            }
        }
    }
}

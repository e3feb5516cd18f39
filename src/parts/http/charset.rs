//! Bytes as text, by the charset that a `Content-Type` names (RFC 9110, 8.3.2).
//!
//! UTF-8 is the rule. What else is still met is ISO 8859-1, which everybody reads as windows-1252
//! (Encoding Standard, 4.2), and UTF-16; any other name is taken for UTF-8 too. Nothing fails:
//! what is no text becomes U+FFFD, and is told of.

use std::borrow::Cow;

use crate::parts::http::media::ContentType;

/// A text that was made of bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Text<'b> {
    pub(super) text: Cow<'b, str>,
    /// The charset in which some of the bytes are no text.
    pub(super) lossy: Option<&'static str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Charset {
    Utf8,
    Windows1252,
    Utf16 { big: bool },
}

/// The names of windows-1252 in the Encoding Standard that servers send.
const LATIN: [&str; 12] = [
    "iso-8859-1",
    "iso8859-1",
    "iso_8859-1",
    "iso88591",
    "latin1",
    "l1",
    "windows-1252",
    "cp1252",
    "x-cp1252",
    "us-ascii",
    "ascii",
    "ansi_x3.4-1968",
];

/// What windows-1252 has from 0x80 to 0x9F; the bytes that it leaves out stand for themselves.
const HIGH: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}',
    '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// The text of a body under its `Content-Type`.
pub(super) fn text<'b>(body: &'b [u8], content_type: ContentType<'_>) -> Text<'b> {
    match declared(content_type) {
        Charset::Utf8 => utf8(body),
        Charset::Windows1252 => Text { text: windows_1252(body), lossy: None },
        Charset::Utf16 { big } => utf16(body, big),
    }
}

fn declared(content_type: ContentType<'_>) -> Charset {
    let Some(name) = content_type.parameter("charset") else { return Charset::Utf8 };
    let is = |known: &str| name.eq_ignore_ascii_case(known);
    if LATIN.into_iter().any(is) {
        Charset::Windows1252
    } else if is("utf-16") || is("utf-16le") {
        Charset::Utf16 { big: false }
    } else if is("utf-16be") {
        Charset::Utf16 { big: true }
    } else {
        Charset::Utf8
    }
}

fn utf8(body: &[u8]) -> Text<'_> {
    match std::str::from_utf8(body) {
        Ok(text) => Text { text: text.into(), lossy: None },
        // Where only the end is missing, the bytes were cut, perhaps by us.
        Err(error) => {
            let lossy = error.error_len().map(|_| "UTF-8");
            Text { text: String::from_utf8_lossy(body), lossy }
        }
    }
}

fn windows_1252(body: &[u8]) -> Cow<'_, str> {
    if body.is_ascii()
        && let Ok(text) = std::str::from_utf8(body)
    {
        return text.into();
    }
    let letter = |byte: &u8| match byte {
        0x80..=0x9f => HIGH[usize::from(byte - 0x80)],
        byte => char::from(*byte),
    };
    body.iter().map(letter).collect::<String>().into()
}

/// UTF-16; a byte order mark outranks what was declared.
fn utf16(body: &[u8], big: bool) -> Text<'_> {
    let (body, big) = match body {
        [0xfe, 0xff, rest @ ..] => (rest, true),
        [0xff, 0xfe, rest @ ..] => (rest, false),
        body => (body, big),
    };
    let (pairs, _) = body.as_chunks::<2>();
    let units =
        pairs.iter().map(|pair| if big { u16::from_be_bytes(*pair) } else { u16::from_le_bytes(*pair) });
    let mut lossy = None;
    let letters = char::decode_utf16(units).map(|letter| {
        letter.unwrap_or_else(|_| {
            lossy = Some("UTF-16");
            char::REPLACEMENT_CHARACTER
        })
    });
    let text = letters.collect::<String>().into();
    Text { text, lossy }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_declared_charset_is_obeyed() {
        let table: [(&[u8], &str, &str, bool); 13] = [
            ("Größe €".as_bytes(), "", "Größe €", false),
            ("Größe".as_bytes(), "text/plain; charset=utf-8", "Größe", false),
            (b"Gr\xf6\xdfe", "text/plain; charset=ISO-8859-1", "Größe", false),
            (b"Gr\xf6\xdfe", "text/plain;charset=\"latin1\"", "Größe", false),
            (b"\x80 \x9f \x81", "text/plain; a=b; Charset = windows-1252 ", "€ Ÿ \u{81}", false),
            ("ö".as_bytes(), "text/plain; charset=us-ascii", "Ã¶", false),
            (b"plain", "text/plain; charset=latin1", "plain", false),
            (b"Gr\xf6\xdfe", "text/plain", "Gr\u{fffd}\u{fffd}e", true),
            (b"cut off: \xe2\x82", "text/plain; charset=made-up", "cut off: \u{fffd}", false),
            (b"h\0i\0", "text/plain; charset=utf-16", "hi", false),
            (b"\0h\0i", "text/plain; charset=utf-16be", "hi", false),
            (b"\xfe\xff\0h\0i", "text/plain; charset=utf-16le", "hi", false),
            (b"h\0\0\xdci\0", "text/plain; charset=utf-16le", "h\u{fffd}i", true),
        ];
        for (body, content_type, expected, lossy) in table {
            let found = text(body, ContentType::new(content_type.as_bytes()));
            assert_eq!((&*found.text, found.lossy.is_some()), (expected, lossy), "{content_type}");
        }
    }

    #[test]
    fn a_text_of_ascii_is_not_copied() {
        for content_type in ["text/plain; charset=latin1", ""] {
            let found = text(b"abc", ContentType::new(content_type.as_bytes()));
            assert!(matches!(found.text, Cow::Borrowed("abc")), "{content_type}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_break_it(body in proptest::collection::vec(any::<u8>(), 0..64), of in 0..5_usize) {
            let types = ["", "a/b;charset=latin1", "a/b;charset=utf-16", "a/b;charset=utf-16be", "a/b;charset="];
            let found = text(&body, ContentType::new(types[of].as_bytes()));
            prop_assert!(found.text.len() <= 3 * body.len());
        }
    }
}

//! Singular JSON paths (RFC 9535) such as `$.result.token`.
//!
//! Nearly every selector that people write is one of these, and such a path can be followed while
//! the body is being read. The general engine needs a tree of the whole body, in its own type.

use std::fmt::{self, Write as _};
use std::sync::Arc;

use crate::ground::value::Value;

/// The largest index that RFC 9535 allows (section 2.1): 2^53 - 1.
const MAX_INDEX: usize = (1 << 53) - 1;

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// A member of an object.
    Member(Arc<str>),
    /// An element of a list, counted from 0.
    Index(usize),
}

impl Segment {
    /// The value that this step leads to.
    #[must_use]
    pub fn of<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        match self {
            Self::Member(name) => value.get(name),
            Self::Index(index) => value.as_list()?.get(*index),
        }
    }
}

/// A path that leads to one value at most. An index counted from the end is left to the general
/// engine: the end is not known while the list is being read.
#[derive(Debug, Clone)]
pub struct Path {
    text: Arc<str>,
    segments: Box<[Segment]>,
}

impl PartialEq for Path {
    /// Two spellings of one path are equal.
    fn eq(&self, other: &Self) -> bool {
        self.segments == other.segments
    }
}

impl Eq for Path {}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Path {
    /// Reads a path. `None` means that it is not one of the simple kind, not that it is wrong.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (path, rest) = Self::beginning(text)?;
        rest.is_empty().then_some(path)
    }

    /// The longest simple path that `text` begins with, and what follows it.
    #[must_use]
    pub fn beginning(text: &str) -> Option<(Self, &str)> {
        let mut rest = text.strip_prefix('$')?;
        let mut segments = Vec::new();
        while let Some((segment, after)) = segment(rest) {
            segments.push(segment);
            rest = after;
        }
        let path = Self { text: text[..text.len() - rest.len()].into(), segments: segments.into() };
        Some((path, rest))
    }

    /// Its steps.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The value that it leads to.
    #[must_use]
    pub fn find<'v>(&self, root: &'v Value) -> Option<&'v Value> {
        self.segments.iter().try_fold(root, |value, segment| segment.of(value))
    }
}

/// Steps as people write them: `$.a['b c'][0]`.
#[must_use]
pub fn show(segments: &[Segment]) -> String {
    let mut text = String::from("$");
    for segment in segments {
        let _ = match segment {
            Segment::Index(index) => write!(text, "[{index}]"),
            Segment::Member(name) if is_shorthand(name) => write!(text, ".{name}"),
            Segment::Member(name) => write!(text, "[{}]", Value::from(&**name).to_json()),
        };
    }
    text
}

fn is_shorthand(name: &str) -> bool {
    !name.is_empty() && shorthand(name) == name.len()
}

/// How many bytes of a name may follow a dot as they are (RFC 9535, `member-name-shorthand`).
fn shorthand(text: &str) -> usize {
    let first = |c: char| c.is_ascii_alphabetic() || c == '_' || !c.is_ascii();
    if !text.starts_with(first) {
        return 0;
    }
    text.find(|c: char| !first(c) && !c.is_ascii_digit()).unwrap_or(text.len())
}

fn segment(text: &str) -> Option<(Segment, &str)> {
    let text = skip_blank(text);
    if let Some(name) = text.strip_prefix('.') {
        let (name, rest) = name.split_at(shorthand(name));
        return (!name.is_empty()).then(|| (Segment::Member(name.into()), rest));
    }
    let inside = skip_blank(text.strip_prefix('[')?);
    let (segment, rest) = match inside.as_bytes().first()? {
        b'\'' | b'"' => quoted(inside)?,
        _ => index(inside)?,
    };
    Some((segment, skip_blank(rest).strip_prefix(']')?))
}

fn skip_blank(text: &str) -> &str {
    text.trim_start_matches([' ', '\t', '\n', '\r'])
}

fn index(text: &str) -> Option<(Segment, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at(digits);
    if number.len() > 1 && number.starts_with('0') {
        return None;
    }
    let number = number.parse().ok().filter(|index| *index <= MAX_INDEX)?;
    Some((Segment::Index(number), rest))
}

/// A name in either kind of quotes, escapes undone.
fn quoted(text: &str) -> Option<(Segment, &str)> {
    let quote = text.chars().next()?;
    let mut name = String::new();
    let mut chars = text[1..].chars();
    loop {
        match chars.next()? {
            c if c == quote => break,
            '\\' => name.push(escaped(&mut chars, quote)?),
            c if c < ' ' => return None,
            c => name.push(c),
        }
    }
    Some((Segment::Member(name.into()), chars.as_str()))
}

fn escaped(chars: &mut std::str::Chars<'_>, quote: char) -> Option<char> {
    Some(match chars.next()? {
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => return unicode(chars),
        c if c == quote || matches!(c, '/' | '\\') => c,
        _ => return None,
    })
}

/// What stands behind `\u`: four digits, or two times four for what UTF-16 needs a pair for.
fn unicode(chars: &mut std::str::Chars<'_>) -> Option<char> {
    let high = hex(chars)?;
    if !(0xD800..0xDC00).contains(&high) {
        return char::from_u32(high);
    }
    (chars.next()? == '\\' && chars.next()? == 'u').then_some(())?;
    let low = hex(chars)?.checked_sub(0xDC00).filter(|low| *low < 0x400)?;
    char::from_u32(0x10000 + ((high - 0xD800) << 10) + low)
}

fn hex(chars: &mut std::str::Chars<'_>) -> Option<u32> {
    (0..4).try_fold(0, |number, _| Some(number * 16 + chars.next()?.to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parsed(text: &str) -> Option<String> {
        Path::parse(text).map(|path| show(path.segments()))
    }

    #[test]
    fn every_spelling_of_a_singular_path_is_read() {
        for (text, same) in [
            ("$", "$"),
            ("$.a.b", "$.a.b"),
            ("$._x1", "$._x1"),
            ("$.größe", "$.größe"),
            ("$['a b']", "$[\"a b\"]"),
            ("$[\"a\"]", "$.a"),
            ("$['it\\'s']", "$[\"it's\"]"),
            ("$[\"\\u00e9\\ud83d\\ude00\"]", "$.é😀"),
            ("$.a[0]['b'][12]", "$.a[0].b[12]"),
            ("$ .a [ 0 ]", "$.a[0]"),
            ("$['']", "$[\"\"]"),
        ] {
            assert_eq!(parsed(text).as_deref(), Some(same), "{text}");
        }
    }

    #[test]
    fn what_is_not_singular_or_not_right_is_left_to_the_general_engine() {
        for text in [
            "",
            "a",
            "$a",
            "$.",
            "$..a",
            "$.a ",
            "$.1a",
            "$.a-b",
            "$[*]",
            "$[-1]",
            "$[01]",
            "$[1:2]",
            "$['a','b']",
            "$['a\"]",
            "$['a",
            "$[\"\\ud83d\"]",
            "$['\\x']",
            "$[9007199254740992]",
            "$[?@.a]",
        ] {
            assert_eq!(parsed(text), None, "{text}");
        }
    }

    #[test]
    fn the_fixed_beginning_of_a_general_path_is_known() {
        for (text, beginning, rest) in
            [("$.items[*].id", "$.items", "[*].id"), ("$..id", "$", "..id"), ("$.a[-1]", "$.a", "[-1]")]
        {
            let (path, left) = Path::beginning(text).expect("it begins with $");
            assert_eq!((path.to_string().as_str(), left), (beginning, rest));
        }
    }

    proptest! {
        #[test]
        fn what_we_accept_means_the_same_to_the_general_engine(
            text in "\\$([.]{0,2}[a-bé_0]{0,2}|\\[ ?(['\"][a-b\\\\ u0é]{0,6}['\"]|[-0-2]{0,2}|\\*) ?\\]){0,4}"
        ) {
            let json = r#"{"a":{"b":[1,{"a":2}],"é":3,"a":[0,[5,6]]},"b":[[1,2],{"":4}],"_":7}"#;
            let root = Value::from_json(json.as_bytes()).expect("the test's JSON is right");
            if let Some(path) = Path::parse(&text) {
                let general = serde_json_path::JsonPath::parse(&text);
                let general = general.map_err(|error| TestCaseError::fail(format!("{text}: {error}")))?;
                let serde = root.to_serde();
                let found = general.query(&serde).all().first().map(|found| Value::from((*found).clone()));
                prop_assert_eq!(path.find(&root).cloned(), found);
                let again = Path::parse(&show(path.segments()));
                prop_assert_eq!(again, Some(path));
            }
        }

        #[test]
        fn no_text_breaks_the_reader(text in "\\PC{0,20}|\\$[.'\"\\[\\]\\\\u0-9a-f]{0,20}") {
            let _ = Path::parse(&text);
        }
    }
}

//! A few characters of what a server sent, fit for one line of a message.
//!
//! Whatever is shown has been through three sieves: members that are secrets by their name, in a
//! value or in a text that looks like one; the secrets that this run knows; and signs that steer a
//! terminal. All that happens before blanks are joined and the text is cut, since a secret that is cut
//! is not recognised any more: whoever shows a part of a foreign text gets it here.

use std::fmt::Write as _;

use crate::ground::diagnostic::visible;
use crate::ground::secret::written::{masked, written};
use crate::ground::secret::{Needles, is_jwt, is_secret_name, pseudonym};
use crate::ground::value::Value;

/// How many bytes are looked at, whatever of them is shown in the end.
const LOOKED_AT: usize = 16 * 1024;
/// How much of the end of a text is not shown that was cut before it was looked at, in bytes: half a
/// secret may stand there.
const TORN: usize = 4 * 1024;

/// The beginning of a text that a server sent: `longest` characters, and `…` where there are more.
#[must_use]
pub fn excerpt(text: &str, longest: usize, needles: &Needles) -> String {
    let start = start(text);
    if start.len() == text.len() {
        return cut_clean(&clean(start, needles), longest);
    }
    let clean = visible(untorn(&clean(start, needles)));
    let end = clean.char_indices().nth(longest).map_or(clean.len(), |(at, _)| at);
    format!("{}…", &clean[..end])
}

/// The same in one line, in which every run of blanks is one.
#[must_use]
pub fn line(text: &str, longest: usize, needles: &Needles) -> String {
    let start = start(text);
    let clean = clean(start, needles);
    let is_torn = start.len() < text.len();
    let joined = joined(if is_torn { untorn(&clean) } else { &clean });
    let clean = visible(&joined);
    match clean.char_indices().nth(longest) {
        Some((cut, _)) => format!("{}…", &clean[..cut]),
        None if is_torn => clean + "…",
        None => clean,
    }
}

/// A text in which every run of blanks is one. It has been through the sieves: a secret that is broken
/// by the end of a line is recognised, one that is broken by a blank may not be.
#[must_use]
pub fn joined(clean: &str) -> String {
    clean.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What may be shown of a text that was cut, and scrubbed then.
#[must_use]
pub fn untorn(clean: &str) -> &str {
    &clean[..clean.floor_char_boundary(clean.len().saturating_sub(TORN))]
}

/// The beginning of a text of our own that holds names from outside: what looks like a member is
/// none.
#[must_use]
pub fn cut(text: &str, longest: usize, needles: &Needles) -> String {
    cut_clean(&needles.scrub(text), longest)
}

fn cut_clean(clean: &str, longest: usize) -> String {
    let clean = visible(clean);
    match clean.char_indices().nth(longest) {
        Some((cut, _)) => format!("{}…", &clean[..cut]),
        None => clean,
    }
}

fn start(text: &str) -> &str {
    &text[..text.floor_char_boundary(LOOKED_AT)]
}

/// The beginning of a value as JSON.
#[must_use]
pub fn shown(value: &Value, longest: usize, needles: &Needles) -> String {
    let mut json = String::new();
    write_json(value, needles, &mut json);
    excerpt(&json, longest, needles)
}

/// Writes JSON until there is more than will be looked at. Members whose name is a secret's are
/// pseudonyms, and so are JWTs. Each text is sieved before it is escaped: it may be JSON itself,
/// and nobody would know a secret again that was escaped twice.
fn write_json(value: &Value, needles: &Needles, json: &mut String) {
    if json.len() > LOOKED_AT {
        return;
    }
    match value {
        Value::String(text) if is_jwt(text) => json.push_str("\"«jwt»\""),
        Value::String(text) => {
            json.push_str(&Value::from(clean(start(text), needles)).to_json());
        }
        Value::List(elements) => {
            json.push('[');
            for (index, element) in elements.iter().enumerate() {
                json.push_str(if index == 0 { "" } else { "," });
                write_json(element, needles, json);
                if json.len() > LOOKED_AT {
                    return;
                }
            }
            json.push(']');
        }
        Value::Object(members) => {
            json.push('{');
            for (index, (name, member)) in members.iter().enumerate() {
                json.push_str(if index == 0 { "" } else { "," });
                let _ = write!(json, "{}:", Value::from(&**name).to_json());
                write_member(name, member, needles, json);
                if json.len() > LOOKED_AT {
                    return;
                }
            }
            json.push('}');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => json.push_str(&value.to_json()),
    }
}

fn write_member(name: &str, member: &Value, needles: &Needles, json: &mut String) {
    match member {
        Value::String(_) | Value::Number(_) if is_secret_name(name) => {
            let _ = write!(json, "\"{}\"", pseudonym(name));
        }
        _ => write_json(member, needles, json),
    }
}

/// A text that has been through the first two sieves. What is known goes first: a secret that has a part
/// under a name would not be recognised any more.
fn clean(text: &str, needles: &Needles) -> String {
    masked_text(&needles.scrub(text))
}

/// A text in which whatever is written like a member with a secret's name is a pseudonym.
fn masked_text(text: &str) -> String {
    masked(text, &written(text), |name, _| name.into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_secret_is_recognised_before_the_text_is_cut() {
        let needles = Needles::default();
        needles.learn(&"mine".into(), "0123456789abcdefghij");
        assert_eq!(excerpt("x 0123456789abcdefghij y", 7, &needles), "x «mine…");
        assert_eq!(excerpt("äöü", 2, &needles), "äö…");
        assert_eq!(excerpt("a\x1bb", 9, &needles), "a\\x1bb");
        let long = "a".repeat(LOOKED_AT + 1);
        assert!(excerpt(&long, usize::MAX, &needles).ends_with('…'));
    }

    #[test]
    fn a_secret_is_recognised_before_blanks_are_joined() {
        let needles = Needles::default();
        let secret = "correct horse battery staple ".repeat(9);
        needles.learn(&"mine".into(), secret.trim_end());
        let broken = secret.trim_end().replace(' ', "\n   ");
        assert_eq!(line(&format!("a \n b {broken} c"), 99, &needles), "a b «mine» c");
        assert_eq!(line("a\tb  c", 3, &needles), "a b…");
        assert_eq!(line(" \n ", 3, &needles), "");
    }

    /// Where a text is looked at in part, the secret at its end is cut.
    #[test]
    fn nothing_is_shown_of_the_end_of_a_text_that_was_cut() {
        let needles = Needles::default();
        let (long, last) = ("x1".repeat(1500), "y2".repeat(1500));
        needles.learn(&"long".into(), &long);
        needles.learn(&"last".into(), &last);
        let hex = crate::ground::encode::hex(last.as_bytes());
        let text = format!("{} {hex}", [long.as_str(); 5].join(" "));
        for shown in [excerpt(&text, 99, &needles), line(&text, 99, &needles)] {
            assert!(!shown.contains("7932") && shown.ends_with('…'), "{shown}");
        }
    }

    #[test]
    fn whatever_is_named_like_a_secret_is_not_shown() {
        for (text, clean) in [
            (r#"{"password": "a\"b", "n": 1}"#, r#"{"password": "«password»", "n": 1}"#),
            ("access_token=abc&scope=x", "access_token=«access_token»&scope=x"),
            ("<secret>abc</secret>", "<secret>«secret»</secret>"),
            (r#"{\"apiKey\":\"abc\"}"#, r#"{\"apiKey\":\"«apiKey»\"}"#),
            ("{\"otp\":1234}", "{\"otp\":«otp»}"),
            ("{\"password\": \"cut", "{\"password\": \"«password»"),
            ("token_type=bearer; a: b", "token_type=bearer; a: b"),
            ("{\"password\":\"\"}", "{\"password\":\"\"}"),
        ] {
            assert_eq!(masked_text(text), clean);
        }
    }

    #[test]
    fn a_value_is_written_only_as_far_as_it_is_shown() {
        let json =
            br#"{"a":[1,"x"],"token":"abc","credentials":{"id":1},"j":"eyJhbGciOiJIUzI1NiJ9.e30x.c2ln"}"#;
        let value = Value::from_json(json).expect("the test's JSON is right");
        let text = shown(&value, 200, &Needles::default());
        assert_eq!(text, r#"{"a":[1,"x"],"token":"«token»","credentials":{"id":1},"j":"«jwt»"}"#);
        let many = Value::from(vec![Value::from("0123456789"); 1_000_000]);
        let mut json = String::new();
        write_json(&many, &Needles::default(), &mut json);
        assert!(json.len() < LOOKED_AT + 100);
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_sieve(text in "\\PC{0,30}|(token|ä|=|:|>|\"|'|\\\\|&| |x){0,20}") {
            let _ = excerpt(&text, 10, &Needles::default());
        }
    }
}

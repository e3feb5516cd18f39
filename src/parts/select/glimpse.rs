//! A few characters of what a server sent, fit for one line of a message.
//!
//! Whatever is shown has been through three sieves: members that are secrets by their name, in a
//! value or in a text that looks like one; the secrets that this run knows; and signs that steer a
//! terminal. All that happens before the text is cut, since a secret that is cut is not recognised
//! any more.

use std::fmt::Write as _;

use crate::ground::diagnostic::visible;
use crate::ground::secret::written::{masked, written};
use crate::ground::secret::{Needles, is_jwt, is_secret_name, pseudonym};
use crate::ground::value::Value;

/// How many bytes are looked at, whatever of them is shown in the end.
const LOOKED_AT: usize = 16 * 1024;

/// The beginning of a text that a server sent: `longest` characters, and `…` where there are more.
#[must_use]
pub fn excerpt(text: &str, longest: usize, needles: &Needles) -> String {
    let start = start(text);
    let clean = cut(&masked_text(start), longest, needles);
    if start.len() < text.len() && !clean.ends_with('…') {
        return clean + "…";
    }
    clean
}

/// The beginning of a text of our own that holds names from outside: what looks like a member is
/// none.
#[must_use]
pub fn cut(text: &str, longest: usize, needles: &Needles) -> String {
    let clean = visible(&needles.scrub(text));
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
            json.push_str(&Value::from(needles.scrub(&masked_text(start(text)))).to_json());
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

//! How many values a JSON text has, counted before any of them is made.
//!
//! A value takes a byte or two in a text, and some hundred in memory: what fits the largest body would
//! be gigabytes as a tree.

/// How many values are read where nobody says otherwise.
pub const MOST_VALUES: u32 = 1_000_000;

/// Whether the JSON value at the beginning of a text has more than so many values in it, itself
/// included. A text that is no JSON may be counted as anything: its reader stops where it sees that.
#[must_use]
pub fn has_more_values(text: &[u8], most: u32) -> bool {
    // Between two values stands a byte at least.
    if text.len() as u64 / 2 < u64::from(most) {
        return false;
    }
    let (mut values, mut depth, mut at) = (1_u64, 0_u64, 0);
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => at = end_of_string(text, at + 1),
            b',' => values += 1,
            b'[' | b'{' => {
                depth += 1;
                let inside = text[at + 1..].iter().find(|byte| !byte.is_ascii_whitespace());
                values += u64::from(!matches!(inside, Some(b']' | b'}')));
            }
            b']' | b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return false;
                }
            }
            _ => {}
        }
        if values > u64::from(most) {
            return depth > 0;
        }
        at += 1;
    }
    false
}

/// The quote that ends a string.
fn end_of_string(text: &[u8], mut at: usize) -> usize {
    while let Some(found) = text.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        if text[at + found] == b'"' {
            return at + found;
        }
        at += found + 2;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_counted_and_no_other_text_is() {
        for (text, count) in [
            ("[1,1,1]", 4),
            ("[]", 1),
            ("[[],[ ],{}]", 4),
            (r#"{"a":1,"b":[2,{"c":null}]}"#, 6),
            (r#"["a,b[{","\",\\",","]"#, 4),
            (" \t[ 1 , 2 ]\n", 3),
            ("[1,[2,[3,[4,5]]]]", 9),
        ] {
            // What is short is not counted: blanks make it long.
            let long = |text: &str| format!("{text}{}", " ".repeat(20));
            assert!(has_more_values(long(text).as_bytes(), count - 1), "{text}: more than {}", count - 1);
            assert!(!has_more_values(long(text).as_bytes(), count), "{text}: {count}");
        }
        for text in [
            "2026-01-01,GET,200,1,2,3,4,5,6,7,8,9",
            "[info] a,b,c,d,e,f,g,h",
            "{\"a\":1}\n{\"a\":2,\"b\":3}\n{}",
        ] {
            assert!(!has_more_values(text.as_bytes(), 3), "{text}");
        }
        for broken in ["[\"a", "[1,2,\"\\", "]]]]]]]]", "\"\"\"\"\"\""] {
            assert!(!has_more_values(format!("{broken}     ").as_bytes(), 4), "{broken}");
        }
    }
}

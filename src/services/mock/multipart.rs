//! The parts of a multipart body, for handlers (RFC 7578; delimiters as in RFC 2046, 5.1.1).
//!
//! A mock is asked by programs under test, which may be wrong: what is no part is left out, and
//! nothing is assumed of the rest.

use std::sync::Arc;

use hyper::header::{CONTENT_TYPE, HeaderMap};
use memchr::memmem;

use crate::ground::value::{Map, Value};

/// How many parts one body may have.
const MOST: usize = 1000;

/// What to answer to a body of more parts than are read.
pub(super) fn refusal(headers: &HeaderMap, body: &[u8]) -> Option<String> {
    let count = boundary(headers).map_or(0, |boundary| split(body, &boundary).take(MOST + 1).count());
    (count > MOST).then(|| format!("the body has more than {MOST} parts"))
}

/// Each part as `{ name, filename, content_type, body }`; null stands for what it does not say. A
/// body that is no text has U+FFFD for its wrong bytes.
pub(super) fn parts(headers: &HeaderMap, body: &[u8]) -> Vec<Value> {
    boundary(headers).map_or_else(Vec::new, |boundary| split(body, &boundary).filter_map(part).collect())
}

/// The delimiter of a multipart body, the line break before it too.
fn boundary(headers: &HeaderMap) -> Option<Vec<u8>> {
    let media = String::from_utf8_lossy(headers.get(CONTENT_TYPE)?.as_bytes()).into_owned();
    if !media.to_ascii_lowercase().starts_with("multipart/") {
        return None;
    }
    let boundary = parameter(&media, "boundary").filter(|boundary| !boundary.is_empty())?;
    Some(format!("\r\n--{boundary}").into_bytes())
}

/// What stands between the delimiters. The first one has no line break before it.
fn split<'b>(body: &'b [u8], delimiter: &[u8]) -> impl Iterator<Item = &'b [u8]> {
    let first = &delimiter[2..];
    let mut rest = match body.strip_prefix(first) {
        Some(rest) => Some(rest),
        None => memmem::find(body, delimiter).map(|at| &body[at + delimiter.len()..]),
    };
    let finder = memmem::Finder::new(delimiter).into_owned();
    std::iter::from_fn(move || {
        // Blanks may stand behind a delimiter; two dashes end the body.
        let here = next_line(rest.take()?)?;
        let ends = |at: &usize| {
            let behind = &here[at + finder.needle().len()..];
            behind.starts_with(b"--") || next_line(behind).is_some()
        };
        let end = finder.find_iter(here).find(ends)?;
        rest = Some(&here[end + finder.needle().len()..]);
        Some(&here[..end])
    })
}

/// What follows the end of this line, where nothing but blanks stands before it.
fn next_line(text: &[u8]) -> Option<&[u8]> {
    let blanks = text.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    text[blanks..].strip_prefix(b"\r\n")
}

fn part(text: &[u8]) -> Option<Value> {
    // A part without headers begins with the blank line.
    let (head, body) = if let Some(body) = text.strip_prefix(b"\r\n") {
        (&b""[..], body)
    } else {
        let end = memmem::find(text, b"\r\n\r\n")?;
        (&text[..end], &text[end + 4..])
    };
    let head = String::from_utf8_lossy(head);
    let header = |name: &str| {
        let mut lines = head.split("\r\n").filter_map(|line| line.split_once(':'));
        lines.find(|(known, _)| known.trim().eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    };
    let disposition = header("content-disposition").unwrap_or_default();
    let text = |value: Option<String>| value.map_or(Value::Null, Value::from);
    let members: [(&str, Value); 4] = [
        ("name", text(parameter(disposition, "name").map(|name| unescaped(&name)))),
        ("filename", text(parameter(disposition, "filename").map(|name| unescaped(&name)))),
        ("content_type", text(header("content-type").map(str::to_owned))),
        ("body", String::from_utf8_lossy(body).into_owned().into()),
    ];
    Some(members.into_iter().map(|(name, value)| (Arc::from(name), value)).collect::<Map>().into())
}

/// A parameter of a header, quoted or not: `form-data; name="a b"`.
fn parameter(value: &str, name: &str) -> Option<String> {
    let mut rest = value.split_once(';')?.1;
    loop {
        let (key, after) = rest.split_once('=')?;
        let (found, next) = match after.trim_start().strip_prefix('"') {
            Some(quoted) => {
                let (text, end) = quoted_text(quoted);
                (text, quoted[end..].split_once(';').map(|(_, next)| next))
            }
            None => match after.split_once(';') {
                Some((text, next)) => (text.trim().to_owned(), Some(next)),
                None => (after.trim().to_owned(), None),
            },
        };
        if key.trim().eq_ignore_ascii_case(name) {
            return Some(found);
        }
        rest = next?;
    }
}

/// A quoted text up to its closing quote, and where that ends. `\"` is a quote inside; any other
/// backslash is one, as in the paths that some clients send.
fn quoted_text(quoted: &str) -> (String, usize) {
    let mut text = String::new();
    let mut letters = quoted.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return (text, at + 1),
            '\\' if letters.peek().is_some_and(|(_, next)| *next == '"') => {
                text.push('"');
                letters.next();
            }
            other => text.push(other),
        }
    }
    (text, quoted.len())
}

/// Undoes what browsers escape in a name (WHATWG HTML, «multipart form data»).
fn unescaped(name: &str) -> String {
    name.replace("%22", "\"").replace("%0D", "\r").replace("%0A", "\n")
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    fn read(media: &'static str, body: &str) -> String {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(media))]);
        Value::from(parts(&headers, body.as_bytes())).to_json()
    }

    #[test]
    fn each_part_tells_its_names_its_type_and_its_body() {
        let body = "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n--bee\r\n--b \r\n\
            content-disposition: form-data; filename=\"p%22;.png\"; name=f\r\nContent-Type: image/png\r\n\r\n\r\n--b--\r\n";
        let expected = r#"[{"name":"a","filename":null,"content_type":null,"body":"x\r\n--bee"},{"name":"f","filename":"p\";.png","content_type":"image/png","body":""}]"#;
        assert_eq!(read("multipart/form-data; boundary=b", body), expected);
        assert_eq!(read("Multipart/Form-Data; charset=utf-8; boundary=\"b\"", body), expected);
    }

    #[test]
    fn what_is_no_multipart_has_no_parts() {
        for (media, body) in [
            ("text/plain; boundary=b", "--b\r\n\r\nx\r\n--b--"),
            ("multipart/form-data", "--b\r\n\r\nx\r\n--b--"),
            ("multipart/form-data; boundary=", "--\r\n\r\nx\r\n--"),
            ("multipart/form-data; boundary=b", "--b\r\n\r\nnever ended"),
            ("multipart/form-data; boundary=b", "--b--\r\n"),
            ("multipart/form-data; boundary=b", "--bb\r\n\r\nx\r\n--bb--\r\n"),
            ("multipart/form-data; boundary=b", ""),
        ] {
            assert_eq!(read(media, body), "[]", "{media}: {body:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_body_breaks_the_reader(body in "(--b|--|\r\n|content-disposition:|name=|\"|;|\\\\|x| ){0,24}") {
            read("multipart/form-data; boundary=b", &body);
        }
    }
}

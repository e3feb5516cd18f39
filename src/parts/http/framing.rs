//! What the head of an answer must be like: HTTP, with an end that all readers see in the same
//! place, and no flood of headers.
//!
//! Of an answer whose end is in doubt, one reader takes for the next answer what another takes for
//! the rest of this one (RFC 9112, 11.2). hyper resolves such doubts by the rules and goes on; here
//! the answer is refused, and the caller gives its connection up.

use std::fmt::{self, Write as _};

use reqwest::Method;
use reqwest::header::{CONTENT_LENGTH, HeaderMap, TRANSFER_ENCODING};

use crate::parts::http::error::size;
use crate::parts::http::message::{ALL_HEADERS, Limits};

/// How much of an answer that is no HTTP is shown, in bytes.
const SHOWN: usize = 40;

/// In which way headers are too many or too large.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Excess {
    /// There are so many.
    Count {
        /// How many.
        count: usize,
        /// The limit.
        most: u32,
    },
    /// One of them is so large.
    One {
        /// Its name.
        name: String,
        /// Its value's size in bytes.
        size: usize,
        /// The limit in bytes.
        most: u64,
    },
    /// All together are so large.
    All {
        /// How large, in bytes.
        size: u64,
        /// The limit in bytes.
        most: u64,
    },
    /// Reading was given up: one or the other.
    Unread {
        /// The limit of their count.
        count: u32,
        /// The limit of their size together, in bytes.
        size: u64,
    },
}

impl fmt::Display for Excess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count { count, most } => write!(f, "many: {count}; the limit is {most}"),
            Self::One { name, size: found, most } => {
                write!(f, "large: {name} has {found} bytes; the limit is {}", size(*most))
            }
            Self::All { size: found, most } => {
                write!(f, "large: together they have {found} bytes; the limit is {}", size(*most))
            }
            Self::Unread { count, size: most } => {
                write!(f, "many or too large: more than {count}, or more than {}", size(*most))
            }
        }
    }
}

/// Whether an answer has a body at all (RFC 9112, 6.3).
pub(super) fn has_body(method: &Method, status: u16) -> bool {
    *method != Method::HEAD && !matches!(status, 204 | 304)
}

/// Why the end of an answer is in doubt, if it is.
pub(super) fn doubt(headers: &HeaderMap) -> Option<&'static str> {
    if !headers.contains_key(TRANSFER_ENCODING) {
        return None;
    }
    if headers.contains_key(CONTENT_LENGTH) {
        return Some("it has both `Content-Length` and `Transfer-Encoding`");
    }
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    let is_chunked = codings.next().is_some_and(|coding| coding.as_bytes().eq_ignore_ascii_case(b"chunked"));
    if is_chunked && codings.next().is_none() {
        None
    } else {
        Some("its `Transfer-Encoding` is another than `chunked`")
    }
}

/// In which way headers are beyond the limits, if they are.
pub(super) fn excess(headers: &HeaderMap, limits: &Limits) -> Option<Excess> {
    let most = limits.header_size;
    let mut all = 0;
    for (name, value) in headers {
        all += (name.as_str().len() + value.len()) as u64;
        if value.len() as u64 > most {
            // Half a secret is not recognised any more: of a long name nothing is told.
            let name = Some(name.as_str()).filter(|name| name.len() <= SHOWN);
            let name = name.map_or_else(|| "one of them".to_owned(), |name| format!("`{name}`"));
            return Some(Excess::One { name, size: value.len(), most });
        }
    }
    if headers.len() as u64 > u64::from(limits.headers) {
        return Some(Excess::Count { count: headers.len(), most: limits.headers });
    }
    let most = most.saturating_mul(ALL_HEADERS);
    (all > most).then_some(Excess::All { size: all, most })
}

/// What an answer that is no HTTP began with. hyper hands such a one out as HTTP/0.9, whose body is
/// all that came.
pub(super) async fn began(mut answer: reqwest::Response) -> String {
    let began = answer.chunk().await.ok().flatten().unwrap_or_default();
    match &*began {
        [0x15 | 0x16, 3, ..] => "it speaks TLS".to_owned(),
        began => format!("it begins with {}", shown(began)),
    }
}

/// The first bytes, where they are no printable ASCII as escapes. A word that would be cut is left
/// out whole: half a secret is not recognised any more.
fn shown(bytes: &[u8]) -> String {
    let line = bytes.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
    let is_word = |byte: &u8| byte.is_ascii_graphic();
    let mut end = line.len().min(SHOWN);
    if line.get(end).is_some_and(is_word) {
        end = line[..end].iter().rposition(|byte| !is_word(byte)).map_or(0, |at| at + 1);
    }
    if end == 0 && !line.is_empty() {
        return "a long word".to_owned();
    }
    let mut text = "`".to_owned();
    for byte in &line[..end] {
        // Writing to a string cannot fail.
        let _ = match byte {
            b' '..=b'~' => write!(text, "{}", char::from(*byte)),
            byte => write!(text, "\\x{byte:02x}"),
        };
    }
    text.push('`');
    text
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        headers
    }

    /// Two ends of one answer (S33).
    #[test]
    fn only_one_way_to_tell_the_end_is_in_no_doubt() {
        let (te, cl) = ("transfer-encoding", "content-length");
        for (pairs, fits) in [
            (&[] as &[_], true),
            (&[(cl, "5")], true),
            (&[(te, "chunked")], true),
            (&[(te, "Chunked")], true),
            (&[(te, "chunked"), (cl, "5")], false),
            (&[(te, "gzip, chunked")], false),
            (&[(te, "gzip")], false),
            (&[(te, "identity")], false),
            (&[(te, "chunked"), (te, "chunked")], false),
            (&[(te, "chunked, chunked")], false),
            (&[(te, "gzip"), (te, "chunked")], false),
        ] {
            assert_eq!(doubt(&headers(pairs)).is_none(), fits, "{pairs:?}");
        }
    }

    /// Each limit of headers (S31).
    #[test]
    fn a_flood_of_headers_is_told_with_its_numbers() {
        let limits = Limits { headers: 2, header_size: 10, ..Limits::default() };
        let told = |pairs: &[_]| excess(&headers(pairs), &limits).map(|excess| excess.to_string());
        assert_eq!(told(&[("a", "0123456789"), ("b", "")]), None);
        let one = told(&[("a", "0123456789a")]);
        assert_eq!(one.as_deref(), Some("large: `a` has 11 bytes; the limit is 10B"));
        let many = told(&[("a", ""), ("a", ""), ("b", "")]);
        assert_eq!(many.as_deref(), Some("many: 3; the limit is 2"));
        let all = told(&[("a-name-of-twenty-byte", "0123456789"), ("b", "0123456789")]);
        assert_eq!(all.as_deref(), Some("large: together they have 42 bytes; the limit is 40B"));
    }

    /// What is shown of bytes without sense (S35).
    #[test]
    fn bytes_are_shown_as_escapes_and_no_word_by_half() {
        for (bytes, expected) in [
            (&b"SSH-2.0-OpenSSH_9\r\nmore"[..], "`SSH-2.0-OpenSSH_9`"),
            (b"\x00\x1b[2J\xff", "`\\x00\\x1b[2J\\xff`"),
            (b"", "``"),
            (
                b"220 mail.example.com ESMTP ready, and a-secret-that-would-be-cut",
                "`220 mail.example.com ESMTP ready, and `",
            ),
            (b"a-single-word-that-is-longer-than-anything-shown", "a long word"),
        ] {
            assert_eq!(shown(bytes), expected);
        }
    }
}

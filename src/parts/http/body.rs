//! Reading the body of an answer, within its limit.
//!
//! Bodies come from foreign servers: nothing is allocated because a server says so, and what is
//! too large is found while it comes. Most bodies are one piece, which is then kept without a
//! copy; a large one grows in a single buffer, so that memory stays near the body's own size.

use bytes::Bytes;
use reqwest::header::{CONTENT_ENCODING, HeaderMap};

use crate::parts::http::cause::broken_body;
use crate::parts::http::error::{Error, address};
use crate::parts::http::message::Request;

/// The most that is reserved because of a declared length, in bytes.
const FIRST_RESERVATION: u64 = 64 * 1024;
/// The most of a redirect's body that is read to keep its connection, in bytes.
const DRAINED: u64 = 64 * 1024;

/// Reads the whole body.
///
/// # Errors
/// [`Error::TooLarge`] past `limits.max_body`, [`Error::Truncated`] or [`Error::BrokenBody`]
/// where it ends too early.
pub(super) async fn read(mut answer: reqwest::Response, request: &Request) -> Result<Bytes, Error> {
    let limit = request.limits.max_body;
    let declared = answer.content_length();
    let too_large = || Error::TooLarge { to: address(&request.url), limit, declared };
    if declared.is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    let mut body = Body::Empty;
    loop {
        match answer.chunk().await {
            Ok(Some(chunk)) if (body.len() + chunk.len()) as u64 > limit => return Err(too_large()),
            Ok(Some(chunk)) => body = body.with(chunk, declared),
            Ok(None) => return Ok(body.finish()),
            Err(error) => {
                return Err(broken_body(&error, &request.url, body.len() as u64, declared));
            }
        }
    }
}

/// Reads a body that nobody wants, so that its connection can be used again. One that is large,
/// or breaks, is left: then the connection is closed.
pub(super) async fn drain(mut answer: reqwest::Response) {
    if answer.content_length().is_some_and(|length| length > DRAINED) {
        return;
    }
    let mut seen = 0;
    while let Ok(Some(chunk)) = answer.chunk().await {
        seen += chunk.len() as u64;
        if seen > DRAINED {
            return;
        }
    }
}

/// The coding that the body is in, where it is one that we would have to undo.
#[must_use]
pub fn coding(headers: &HeaderMap) -> Option<String> {
    let codings = headers.get_all(CONTENT_ENCODING).iter();
    let mut codings = codings.map(|value| String::from_utf8_lossy(value.as_bytes()).trim().to_owned());
    codings.find(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case("identity"))
}

/// What came of a body so far.
enum Body {
    Empty,
    /// One piece, as the connection gave it.
    One(Bytes),
    /// Several pieces. A `Vec` that doubles moves its pages rather than its bytes once it is
    /// large.
    Many(Vec<u8>),
}

impl Body {
    fn len(&self) -> usize {
        match self {
            Self::Empty => 0,
            Self::One(piece) => piece.len(),
            Self::Many(pieces) => pieces.len(),
        }
    }

    fn with(self, chunk: Bytes, declared: Option<u64>) -> Self {
        match self {
            Self::Empty => Self::One(chunk),
            Self::One(first) => {
                let hint = declared.unwrap_or_default().min(FIRST_RESERVATION);
                let hint = usize::try_from(hint).unwrap_or_default();
                let mut pieces = Vec::with_capacity(hint.max(first.len() + chunk.len()));
                pieces.extend_from_slice(&first);
                pieces.extend_from_slice(&chunk);
                Self::Many(pieces)
            }
            Self::Many(mut pieces) => {
                pieces.extend_from_slice(&chunk);
                Self::Many(pieces)
            }
        }
    }

    fn finish(self) -> Bytes {
        match self {
            Self::Empty => Bytes::new(),
            Self::One(piece) => piece,
            Self::Many(pieces) => pieces.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    #[test]
    fn a_single_piece_is_kept_without_a_copy() {
        let piece = Bytes::from(vec![7; 100]);
        let body = Body::Empty.with(piece.clone(), Some(100)).finish();
        assert_eq!(body.as_ptr(), piece.as_ptr());
    }

    #[test]
    fn pieces_are_joined_and_a_declared_length_reserves_little() {
        let body = Body::Empty.with("ab".into(), Some(u64::MAX)).with("cd".into(), Some(u64::MAX));
        assert!(matches!(&body, Body::Many(pieces) if pieces.capacity() <= 2 * 64 * 1024));
        assert_eq!(body.with("e".into(), None).finish(), "abcde");
    }

    #[test]
    fn only_a_coding_that_must_be_undone_is_named() {
        let table: [(&[&str], Option<&str>); 6] = [
            (&[], None),
            (&["identity"], None),
            (&["Identity "], None),
            (&["gzip"], Some("gzip")),
            (&["identity", "br"], Some("br")),
            (&["gzip, br"], Some("gzip, br")),
        ];
        for (values, expected) in table {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(CONTENT_ENCODING, HeaderValue::from_static(value));
            }
            assert_eq!(coding(&headers).as_deref(), expected, "{values:?}");
        }
    }
}

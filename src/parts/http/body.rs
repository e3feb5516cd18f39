//! Reading the body of an answer, within its limit.
//!
//! Bodies come from foreign servers: nothing is allocated because a server says so, and what is
//! too large is found while it comes. Most bodies are one piece, which is then kept without a
//! copy; a large one grows in a single buffer, so that memory stays near the body's own size.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::Body as _;
use reqwest::Version;
use reqwest::header::{CONTENT_ENCODING, HeaderMap};
use url::Url;

use crate::parts::http::cause::broken_body;
use crate::parts::http::decode::{self, Coding, Decoder, Fault, Unsupported};
use crate::parts::http::error::Error;
use crate::parts::http::http2;
use crate::parts::http::message::{Limits, Request};
use crate::parts::http::origin::host_and_port;

/// The most that is reserved because of a declared length, in bytes.
const FIRST_RESERVATION: u64 = 64 * 1024;
/// The most of a redirect's body that is read to keep its connection, in bytes.
const DRAINED: u64 = 64 * 1024;

/// A whole body.
pub(super) struct Whole {
    /// Its bytes, decoded.
    pub(super) bytes: Bytes,
    /// How many bytes came, where it was encoded.
    pub(super) encoded: Option<u64>,
}

/// Reads the whole body, and decodes it.
///
/// # Errors
/// [`Error::TooLarge`] past `limits.max_body`, [`Error::Truncated`] or [`Error::BrokenBody`]
/// where it ends too early, [`Error::Idle`] where it does not go on, and what [`encoded`] says of
/// one that is encoded.
pub(super) async fn read(
    answer: reqwest::Response,
    headers: &HeaderMap,
    request: &Request,
) -> Result<Whole, Error> {
    let codings = if headers.contains_key(CONTENT_ENCODING) {
        decode::codings(headers).map_err(|why| unsupported(why, &request.url))?
    } else {
        Vec::new()
    };
    let mut pieces = Pieces::of(answer, request)?;
    if codings.is_empty() {
        let mut body = Body::Empty;
        while let Some(piece) = pieces.next().await? {
            body = body.with(piece, pieces.declared);
        }
        return Ok(Whole { bytes: body.finish(), encoded: None });
    }
    // Boxed: a decoder's room is not everybody's.
    Box::pin(encoded(pieces, &codings)).await
}

/// Reads a body that is encoded.
///
/// # Errors
/// [`Error::DecodedTooLarge`], [`Error::Inflated`] or [`Error::Undecodable`], before more is kept
/// than is allowed.
async fn encoded(mut pieces: Pieces<'_>, codings: &[Coding]) -> Result<Whole, Error> {
    let limits = pieces.limits;
    let mut decoder = Decoder::new(codings, limits.max_body, limits.ratio);
    while let Some(piece) = pieces.next().await? {
        let taken = decoder.take(&piece);
        taken.map_err(|fault| undecoded(fault, codings, &pieces))?;
    }
    let encoded = Some(decoder.encoded());
    let bytes = decoder.finish().map_err(|fault| undecoded(fault, codings, &pieces))?;
    Ok(Whole { bytes: bytes.into(), encoded })
}

fn unsupported(why: Unsupported, url: &Url) -> Error {
    let to = host_and_port(url);
    match why {
        Unsupported::Unknown(coding) => Error::Encoding { to, coding },
        Unsupported::TooMany(count) => Error::Encodings { to, count },
    }
}

fn undecoded(fault: Fault, codings: &[Coding], pieces: &Pieces<'_>) -> Error {
    let (to, encoded) = (host_and_port(pieces.url), pieces.received);
    let names = || codings.iter().map(Coding::to_string).collect::<Vec<_>>().join(", ");
    match fault {
        Fault::Corrupt(coding, why) => Error::Undecodable { to, coding, why, encoded },
        Fault::TooLarge => {
            Error::DecodedTooLarge { to, limit: pieces.limits.max_body, encoded, codings: names() }
        }
        Fault::Ratio(decoded) => {
            Error::Inflated { to, ratio: pieces.limits.ratio, encoded, decoded, codings: names() }
        }
    }
}

/// A body as it comes over the wire, held against its limits.
struct Pieces<'r> {
    body: reqwest::Body,
    version: Version,
    url: &'r Url,
    limits: &'r Limits,
    declared: Option<u64>,
    /// How many bytes have come.
    received: u64,
}

impl<'r> Pieces<'r> {
    fn of(answer: reqwest::Response, request: &'r Request) -> Result<Self, Error> {
        let declared = answer.content_length();
        let (version, url, limits) = (answer.version(), &request.url, &request.limits);
        let pieces = Self { body: answer.into(), version, url, limits, declared, received: 0 };
        match declared {
            Some(length) if length > request.limits.max_body => Err(pieces.too_large()),
            _ => Ok(pieces),
        }
    }

    async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        let piece = match self.limits.idle {
            None => chunk(&mut self.body).await,
            Some(limit) => within(limit, chunk(&mut self.body)).await.ok_or_else(|| {
                let (to, received) = (host_and_port(self.url), self.received);
                Error::Idle { to, limit, received }
            })?,
        };
        let piece = piece.map_err(|error| broken_body(&error, self.url, self.received, self.declared))?;
        if piece.is_none() && http2::is_cut_off(self.version, self.body.is_end_stream()) {
            let (to, received, declared) = (host_and_port(self.url), self.received, self.declared);
            return Err(Error::Truncated { to, received, declared });
        }
        self.received += piece.as_ref().map_or(0, |piece| piece.len() as u64);
        if self.received > self.limits.max_body {
            return Err(self.too_large());
        }
        Ok(piece)
    }

    fn too_large(&self) -> Error {
        Error::TooLarge { to: host_and_port(self.url), limit: self.limits.max_body, declared: self.declared }
    }
}

/// The next piece; what is no data, such as trailers, is left out.
async fn chunk(body: &mut reqwest::Body) -> reqwest::Result<Option<Bytes>> {
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame?.into_data() {
            return Ok(Some(data));
        }
    }
    Ok(None)
}

async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(limit, work).await.ok()
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
}

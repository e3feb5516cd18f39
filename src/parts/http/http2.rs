//! What can go wrong over HTTP/2 alone (RFC 9113): a stream that is reset, a connection that is given
//! up, and frames that break the rules. What the library says of them is turned into words of our own,
//! since the words of a server stand inside.

use std::error::Error as StdError;

use h2::Reason;
use reqwest::Version;

use crate::parts::http::cause::{cause, root};
use crate::parts::http::error::Kind;

/// What a server did; the sentence begins with who it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Nothing was done with the request, and it may be sent again (RFC 9113, 8.7).
    #[error("refused the request unread")]
    Unread,
    /// This is not for HTTP/2 (RFC 9113, 7).
    #[error("wants to be asked by HTTP/1.1")]
    WantsHttp1,
    /// The connection ended where no other version of HTTP was allowed.
    #[error("closed the connection before it answered: it may not speak HTTP/2 at all")]
    Closed,
    /// The stream was given up.
    #[error("gave up the stream of the answer ({0:?})")]
    Reset(Reason),
    /// The connection was given up.
    #[error("gave up the connection ({0:?})")]
    GoneAway(Reason),
    /// The answer breaks the rules, or has larger headers than may be: the library tells no difference.
    #[error("answers otherwise than HTTP/2 allows, or with larger headers than the limit ({0:?})")]
    Malformed(Reason),
    /// What came breaks the rules, and not only for this answer.
    #[error("does not speak HTTP/2 as it should ({0})")]
    Broken(String),
}

impl Fault {
    /// What to do about it.
    #[must_use]
    pub const fn help(&self) -> Option<&'static str> {
        match self {
            Self::Unread => Some("it may be sent again without harm: `retry: 1` does"),
            Self::WantsHttp1 | Self::Closed | Self::Broken(_) => {
                Some("`http_version: 1.1` does without HTTP/2")
            }
            Self::Malformed(_) => Some(
                "raise `limits: { header_size: … }`, if large headers are expected; `http_version: 1.1` does without HTTP/2",
            ),
            Self::Reset(_) | Self::GoneAway(_) => None,
        }
    }

    /// What this is to `retry.if`.
    pub(super) const fn kind(&self) -> Kind {
        match self {
            Self::Unread | Self::Closed | Self::Reset(_) | Self::GoneAway(_) => Kind::Connect,
            Self::WantsHttp1 | Self::Malformed(_) | Self::Broken(_) => Kind::Other,
        }
    }

    /// What HTTP/2 says of an error, where it has a say.
    pub(super) fn of(error: &reqwest::Error) -> Option<Self> {
        let found = cause::<h2::Error>(error)?;
        let reason = found.reason()?;
        if !found.is_remote() {
            let is_of_stream = found.is_reset();
            return Some(if is_of_stream {
                Self::Malformed(reason)
            } else {
                Self::Broken(format!("{reason:?}"))
            });
        }
        Some(match (found.is_go_away(), reason) {
            (true, Reason::NO_ERROR) | (false, Reason::REFUSED_STREAM) => Self::Unread,
            (_, Reason::HTTP_1_1_REQUIRED) => Self::WantsHttp1,
            (true, reason) => Self::GoneAway(reason),
            (false, reason) => Self::Reset(reason),
        })
    }
}

/// Whether reading was given up because headers unpack to far too much, or come in too many pieces. Other
/// floods have the same reason; what they are of stands in the words of the library alone.
pub(super) fn is_flood_of_headers(error: &(dyn StdError + 'static)) -> bool {
    let of_flood = |found: &h2::Error| found.reason() == Some(Reason::ENHANCE_YOUR_CALM);
    let words = || root(error);
    cause::<h2::Error>(error).is_some_and(|found| found.is_library() && of_flood(found))
        && (words().contains("too_many_continuations") || !words().contains("too_many_"))
}

/// Whether a body that seems to be over is not: its stream was reset «for no error» before its end, which
/// hyper takes for one (RFC 9113, 8.1).
pub(super) fn is_cut_off(version: Version, at_end: bool) -> bool {
    version == Version::HTTP_2 && !at_end
}

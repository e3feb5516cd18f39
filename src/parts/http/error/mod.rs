//! What can keep an answer from coming, each with a text of its own.
//!
//! The libraries below say «error sending request»; the reason stands three causes deeper, where
//! `cause.rs` finds it. Here it is said with the host, the port and what to do. No message holds a
//! URL's query, since it may hold a secret.

#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use crate::ground::quantity::show;
use crate::parts::http::framing::Excess;
use crate::parts::http::message::Hop;
use crate::parts::http::origin::place;
use crate::parts::http::{decode, http2, redirect, tls};

/// Why there is no answer. `to` is the host and the port that were spoken to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No address for the host's name.
    #[error("cannot find the address of `{host}`: {why}")]
    NameNotFound {
        /// The host.
        host: String,
        /// The system's words.
        why: String,
    },
    /// Nobody listens there.
    #[error("{to} refused the connection")]
    Refused {
        /// Who.
        to: String,
    },
    /// The network does not lead there.
    #[error("cannot connect to {to}: {why}")]
    Unreachable {
        /// Who.
        to: String,
        /// The system's words.
        why: String,
    },
    /// The proxy wants credentials, or others (RFC 9110, 15.5.8; RFC 1929).
    #[error("the proxy {proxy} asks for credentials, or for other ones")]
    ProxyCredentials {
        /// The proxy.
        proxy: String,
    },
    /// The proxy answers, and does not lead there.
    #[error("the proxy {proxy} refuses to connect to {to}")]
    ProxyRefused {
        /// The proxy.
        proxy: String,
        /// Who is behind it.
        to: String,
    },
    /// `connect_timeout` went by.
    #[error("cannot connect to {to} within {}", show(*limit))]
    ConnectTimeout {
        /// Who.
        to: String,
        /// The limit.
        limit: Duration,
    },
    /// `timeout` went by.
    #[error("no whole answer from {to} within {}: time ran out while {phase}", show(*limit))]
    Timeout {
        /// Who.
        to: String,
        /// The limit.
        limit: Duration,
        /// What was being done.
        phase: Phase,
    },
    /// The connection ended before an answer began.
    #[error("{to} {how} the connection before it answered")]
    Closed {
        /// Who.
        to: String,
        /// `closed` or `reset`.
        how: &'static str,
    },
    /// The connection broke, or its framing, while the body came.
    #[error("the answer of {to} broke off after {received} bytes of the body: {why}")]
    BrokenBody {
        /// Who.
        to: String,
        /// How many bytes had come.
        received: u64,
        /// What broke.
        why: String,
    },
    /// The connection ended where more was promised.
    #[error("the answer of {to} is cut off: {received} bytes of the body came{}", promised(*declared))]
    Truncated {
        /// Who.
        to: String,
        /// How many bytes had come.
        received: u64,
        /// The length that was promised, where one was.
        declared: Option<u64>,
    },
    /// The body is larger than `max_body`.
    #[error("the answer of {to} is larger than {}{}", size(*limit), says(*declared))]
    TooLarge {
        /// Who.
        to: String,
        /// The limit in bytes.
        limit: u64,
        /// The length that the server told, where it did.
        declared: Option<u64>,
    },
    /// The body is larger than `max_body` once it is decoded, whatever came of it.
    #[error("the answer of {to} is larger than {} once decoded: {encoded} bytes of it came as `{codings}`", size(*limit))]
    DecodedTooLarge {
        /// Who.
        to: String,
        /// The limit in bytes.
        limit: u64,
        /// How many bytes had come.
        encoded: u64,
        /// Its codings.
        codings: String,
    },
    /// The body grows by more than `limits.ratio` when it is decoded.
    #[error(
        "the answer of {to} becomes more than {ratio} times as large when decoded: {encoded} bytes of `{codings}` became {decoded}"
    )]
    Inflated {
        /// Who.
        to: String,
        /// The limit.
        ratio: u32,
        /// How many bytes had come.
        encoded: u64,
        /// How many they had become.
        decoded: u64,
        /// Its codings.
        codings: String,
    },
    /// The JSON of the body has more than `limits.values`.
    #[error("the JSON in the answer of {to} has more than {limit} values")]
    TooManyValues {
        /// Who.
        to: String,
        /// The limit.
        limit: u32,
    },
    /// Too many headers, or too large ones.
    #[error("the headers of the answer of {to} are too {excess}")]
    HeadersTooLarge {
        /// Who.
        to: String,
        /// In which way.
        excess: Excess,
    },
    /// `limits.first_byte` went by.
    #[error("no answer from {to} began within {}: time ran out while {phase}", show(*limit))]
    NoFirstByte {
        /// Who.
        to: String,
        /// The limit.
        limit: Duration,
        /// What was being done.
        phase: Phase,
    },
    /// `limits.idle` went by without a byte.
    #[error("the answer of {to} stood still for {} after {received} bytes of the body", show(*limit))]
    Idle {
        /// Who.
        to: String,
        /// The limit.
        limit: Duration,
        /// How many bytes had come.
        received: u64,
    },
    /// Two readers of the answer may see its end in different places (RFC 9112, 6.3).
    #[error("where the answer of {to} ends is in doubt: {why}")]
    Framing {
        /// Who.
        to: String,
        /// Why.
        why: &'static str,
    },
    /// What came is not HTTP.
    #[error("what {to} answered is not HTTP: {why}")]
    NotHttp {
        /// Who.
        to: String,
        /// What is wrong with it.
        why: String,
    },
    /// What only HTTP/2 knows.
    #[error("{to} {fault}")]
    Http2 {
        /// Who.
        to: String,
        /// What it did.
        fault: http2::Fault,
    },
    /// No TLS connection came about.
    #[error("no TLS connection to {to}: {fault}")]
    Tls {
        /// Who.
        to: String,
        /// Why.
        fault: tls::Fault,
    },
    /// The body is in a coding that is not undone.
    #[error("the answer of {to} is encoded as {coding}, which is not decoded")]
    Encoding {
        /// Who.
        to: String,
        /// That one of its `Content-Encoding`.
        coding: String,
    },
    /// The body is encoded too many times over.
    #[error("the answer of {to} has {count} content codings; at most {} are decoded", decode::MOST)]
    Encodings {
        /// Who.
        to: String,
        /// How often.
        count: usize,
    },
    /// The body is not what its coding says.
    #[error("the answer of {to} cannot be decoded as `{coding}`: {why} ({encoded} bytes of it came)")]
    Undecodable {
        /// Who.
        to: String,
        /// The coding.
        coding: decode::Coding,
        /// What is wrong with it.
        why: &'static str,
        /// How many bytes had come.
        encoded: u64,
    },
    /// A redirect that is not followed.
    #[error(transparent)]
    Redirect(#[from] redirect::Error),
    /// A request that a redirect led to failed.
    #[error("{error}{}", after(error, hops))]
    Redirected {
        /// The redirects that were followed.
        hops: Vec<Hop>,
        /// What failed.
        error: Box<Error>,
    },
    /// Only some origins may be spoken to, and this is none of them. Nothing was sent.
    #[error("{origin} is not the mock: nothing was sent")]
    OtherOrigin {
        /// The origin.
        origin: String,
    },
    /// A proxy that is spoken to by TLS would be shown the client certificate of the server behind it.
    #[error("the client certificate for {to} would be shown to the proxy {proxy}, too: nothing was sent")]
    CertificateForProxy {
        /// Who.
        to: String,
        /// The proxy.
        proxy: String,
    },
    /// This machine is not able to send it.
    #[error("cannot send to {to}: {why}")]
    NotSent {
        /// Who.
        to: String,
        /// Why.
        why: String,
    },
    /// Anything else.
    #[error("the exchange with {to} failed: {why}")]
    Other {
        /// Who.
        to: String,
        /// The library's words.
        why: String,
    },
}

/// What an exchange was doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Opening a connection: nothing was sent.
    Connecting,
    /// Sending, and waiting for the answer to begin.
    Waiting,
    /// Reading the body.
    Reading,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connecting => "connecting",
            Self::Waiting => "waiting for the answer",
            Self::Reading => "reading the body",
        })
    }
}

/// What an error is to `retry.if`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `connect`: no connection came about, or it broke.
    Connect,
    /// `timeout`: the total time ran out, or that for the first byte or between two.
    Timeout,
    /// Trying again would not help.
    Other,
}

impl Error {
    /// What to do about it, where there is something to do.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        let help = match self {
            Self::NameNotFound { .. } => "is the name spelt right, and is there a network?",
            Self::Refused { .. } => "is the server running, and is that its port?",
            Self::ProxyRefused { .. } => {
                "is that server a proxy, and does it allow this host? `proxy: none`, or `no_proxy` in `proxy: { url: …, no_proxy: […] }`, goes past it"
            }
            Self::ProxyCredentials { .. } => {
                "they stand in its URL: `proxy: \"http://{{ user }}:{{ password }}@proxy.example:8080\"`"
            }
            Self::ConnectTimeout { .. } => "raise `connect_timeout`, if the server is only slow",
            Self::Timeout { .. } => "raise `timeout`, if the server is only slow",
            Self::TooLarge { .. } | Self::DecodedTooLarge { .. } => {
                "raise `max_body`, if so much is expected"
            }
            Self::Inflated { .. } => {
                "raise `limits: { ratio: … }`, if its text repeats itself so much; `max_body` holds all the same"
            }
            Self::TooManyValues { .. } => "raise `limits: { values: … }`, if so many are expected",
            Self::HeadersTooLarge { excess: Excess::Count { .. }, .. } => {
                "raise `limits: { headers: … }`, if so many are expected"
            }
            Self::HeadersTooLarge { excess: Excess::Unread { .. }, .. } => {
                "raise `limits: { headers: …, header_size: … }`, if so much is expected"
            }
            Self::HeadersTooLarge { .. } => {
                "raise `limits: { header_size: … }`, if so much is expected; all headers together may have four times as much"
            }
            Self::NoFirstByte { .. } => "raise `limits: { first_byte: … }`, if the server is only slow",
            Self::Idle { .. } => "raise `limits: { idle: … }`, if the server is only slow",
            Self::Framing { .. } => {
                "a second answer may hide in such a one: it is not read, and its connection is not used again"
            }
            Self::NotHttp { .. } => {
                "is that the right port? a server that speaks TLS there needs https:// in the URL"
            }
            Self::Encoding { .. } | Self::Encodings { .. } => {
                "gzip, deflate and br are decoded; `headers: { Accept-Encoding: identity }` asks for a plain body"
            }
            Self::Undecodable { .. } => {
                "`headers: { Accept-Encoding: identity }` asks the server for a plain body"
            }
            Self::OtherOrigin { .. } => {
                "with --mock only the mock is spoken to: the URL, or the redirect to it, must stay at the origin of the mock"
            }
            Self::CertificateForProxy { .. } => {
                "lead it through a proxy of http:// or socks5://, or past this one: `proxy: { url, no_proxy }`"
            }
            Self::Http2 { fault, .. } => return fault.help().map(str::to_owned),
            Self::Tls { fault, .. } => return fault.help(),
            Self::Redirect(error) => return error.help(),
            Self::Redirected { error, .. } => return error.help(),
            _ => return None,
        };
        Some(help.to_owned())
    }

    /// What this is to `retry.if`. Where no connection came about in time, that is `connect`.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::NameNotFound { .. }
            | Self::Refused { .. }
            | Self::Unreachable { .. }
            | Self::ProxyRefused { .. }
            | Self::ConnectTimeout { .. }
            | Self::Closed { .. }
            | Self::Tls { fault: tls::Fault::HungUp, .. }
            | Self::BrokenBody { .. }
            | Self::Truncated { .. } => Kind::Connect,
            Self::Http2 { fault, .. } => fault.kind(),
            Self::Timeout { .. } | Self::NoFirstByte { .. } | Self::Idle { .. } => Kind::Timeout,
            Self::Redirected { error, .. } => error.kind(),
            _ => Kind::Other,
        }
    }

    /// Whether bytes of the request may have reached a server, so that sending it again may do
    /// its work twice.
    #[must_use]
    pub fn sent(&self) -> bool {
        !matches!(
            self,
            Self::NameNotFound { .. }
                | Self::Refused { .. }
                | Self::Unreachable { .. }
                | Self::ProxyCredentials { .. }
                | Self::ProxyRefused { .. }
                | Self::ConnectTimeout { .. }
                | Self::Timeout { phase: Phase::Connecting, .. }
                | Self::NoFirstByte { phase: Phase::Connecting, .. }
                | Self::Http2 { fault: http2::Fault::Unread, .. }
                | Self::Tls { .. }
                | Self::CertificateForProxy { .. }
                | Self::OtherOrigin { .. }
                | Self::NotSent { .. }
        )
    }

    /// Whether it was the credentials.
    #[must_use]
    pub fn is_of_credentials(&self) -> bool {
        match self {
            Self::ProxyCredentials { .. } => true,
            Self::Redirected { error, .. } => error.is_of_credentials(),
            _ => false,
        }
    }

    /// The redirects that were followed before it failed.
    #[must_use]
    pub fn hops(&self) -> &[Hop] {
        match self {
            Self::Redirected { hops, .. } => hops,
            _ => &[],
        }
    }

    /// The same error where redirects had been followed. The first request was sent then, whatever
    /// became of this one.
    pub(super) fn after(self, hops: Vec<Hop>) -> Self {
        if hops.is_empty() { self } else { Self::Redirected { hops, error: Box::new(self) } }
    }
}

/// Where the redirect came from, unless the error names it itself.
fn after(error: &Error, hops: &[Hop]) -> String {
    match (error, hops.last()) {
        (Error::OtherOrigin { .. } | Error::Redirect(_), _) | (_, None) => String::new(),
        (_, Some(hop)) => format!(", after a redirect from {}", place(&hop.from)),
    }
}

fn promised(declared: Option<u64>) -> String {
    declared.map_or_else(|| ", and not its end".to_owned(), |declared| format!(" of {declared}"))
}

fn says(declared: Option<u64>) -> String {
    declared.map_or_else(String::new, |declared| format!(": it announces {declared} bytes"))
}

/// A limit as people write it.
pub(super) fn size(bytes: u64) -> String {
    match bytes {
        0 => "0B".to_owned(),
        _ if bytes.is_multiple_of(1 << 20) => format!("{}MiB", bytes >> 20),
        _ if bytes.is_multiple_of(1 << 10) => format!("{}KiB", bytes >> 10),
        _ => format!("{bytes}B"),
    }
}

//! From an error of the libraries to ours: the reason is found among its causes.
//!
//! «error sending request» is what reqwest says of everything. What happened stands in an
//! `io::Error`, an error of hyper or of rustls, some causes deeper; only this file knows where.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use url::{Host, Url};

use crate::parts::http::channel::{Channel, HttpVersion};
use crate::parts::http::error::Error;
use crate::parts::http::framing::Excess;
use crate::parts::http::message::{ALL_HEADERS, Request};
use crate::parts::http::origin::host_and_port;
use crate::parts::http::proxy::Proxy;
use crate::parts::http::{http2, tls};

/// The length of a URL, in bytes, that the crate `http` refuses.
const LONGEST_URL: usize = 65_535;

/// Why no answer began.
pub(super) fn no_answer(error: &reqwest::Error, request: &Request) -> Error {
    let (url, limits) = (&request.url, &request.limits);
    let channel = request.channel.as_deref();
    let to = host_and_port(url);
    if let Some(fault) = cause::<rustls::Error>(error) {
        let fault = tls::Fault::of(fault);
        if error.is_connect() {
            return Error::Tls { to: secured(url, channel).unwrap_or(to), fault };
        }
        let why = fault.to_string();
        return Error::Other { to, why };
    }
    if error.is_builder() && url.as_str().len() >= LONGEST_URL {
        let why = format!("the URL has {} bytes, and less than {LONGEST_URL} may go", url.as_str().len());
        return Error::NotSent { to, why };
    }
    if error.is_builder() {
        return Error::NotSent { to, why: root(error) };
    }
    if error.is_dns() {
        let host = match (channel.and_then(|channel| channel.proxy_for(url)), url.host()) {
            (Some(proxy), _) => proxy.host_and_port(),
            (None, Some(Host::Domain(name))) => name.to_owned(),
            _ => to,
        };
        return Error::NameNotFound { host, why: root(error) };
    }
    if error.is_connect() {
        // With a proxy between, it is the proxy that there is no connection to or through.
        let Some(proxy) = channel.and_then(|channel| channel.proxy_for(url)).map(Proxy::host_and_port) else {
            return no_connection(error, to, limits.connect_timeout);
        };
        let to_proxy = format!("the proxy {proxy}");
        return refused_by_proxy(&root(error), proxy, to)
            .unwrap_or_else(|| no_connection(error, to_proxy, limits.connect_timeout));
    }
    let hyper = cause::<hyper::Error>(error);
    if hyper.is_some_and(hyper::Error::is_parse_too_large) || http2::is_flood_of_headers(error) {
        let (count, size) = (limits.headers, limits.header_size.saturating_mul(ALL_HEADERS));
        return Error::HeadersTooLarge { to, excess: Excess::Unread { count, size } };
    }
    if let Some(fault) = http2::Fault::of(error) {
        return Error::Http2 { to, fault };
    }
    match hung_up(error) {
        Some("closed") if channel.and_then(Channel::http_version) == Some(HttpVersion::Two) => {
            return Error::Http2 { to, fault: http2::Fault::Closed };
        }
        Some(how) => return Error::Closed { to, how },
        None => {}
    }
    match hyper {
        Some(hyper) if hyper.is_parse() => Error::NotHttp { to, why: root(hyper) },
        _ => Error::Other { to, why: root(error) },
    }
}

/// With whom TLS was spoken, where a proxy that speaks it is on the way. Of two nobody says which.
fn secured(url: &Url, channel: Option<&Channel>) -> Option<String> {
    let proxy = channel.and_then(|channel| channel.proxy_for(url)).filter(|proxy| proxy.is_https())?;
    let proxy = format!("the proxy {}", proxy.host_and_port());
    Some(if url.scheme() == "https" {
        format!("{}, or to {proxy} before it", host_and_port(url))
    } else {
        proxy
    })
}

/// What a proxy said that did answer. hyper has no name for it that others may use, only words.
fn refused_by_proxy(words: &str, proxy: String, to: String) -> Option<Error> {
    match words {
        "tunnel error: proxy authorization required"
        | "SOCKS error: credentials not accepted"
        | "SOCKS error: server does not support user/pass authentication" => {
            Some(Error::ProxyCredentials { proxy })
        }
        "tunnel error: unsuccessful" => Some(Error::ProxyRefused { proxy, to }),
        _ => None,
    }
}

fn no_connection(error: &reqwest::Error, to: String, limit: Duration) -> Error {
    match innermost(error) {
        Some(io) if io.kind() == io::ErrorKind::ConnectionRefused => Error::Refused { to },
        // Without TLS there is nothing to read before a connection stands.
        Some(io) if io.kind() == io::ErrorKind::UnexpectedEof => Error::Tls { to, fault: tls::Fault::HungUp },
        // A time-out with a number is the system's own, not our limit.
        Some(io) if io.kind() != io::ErrorKind::TimedOut || io.raw_os_error().is_some() => {
            Error::Unreachable { to, why: root(error) }
        }
        _ if error.is_timeout() => Error::ConnectTimeout { to, limit },
        _ => Error::Unreachable { to, why: root(error) },
    }
}

/// Why a body did not come whole.
pub(super) fn broken_body(error: &reqwest::Error, url: &Url, received: u64, declared: Option<u64>) -> Error {
    let to = host_and_port(url);
    let early = cause::<io::Error>(error).is_some_and(|io| io.kind() == io::ErrorKind::UnexpectedEof)
        || cause::<hyper::Error>(error).is_some_and(hyper::Error::is_incomplete_message);
    if early {
        return Error::Truncated { to, received, declared };
    }
    if let Some(fault) = http2::Fault::of(error) {
        let why = match (&fault, declared) {
            (http2::Fault::Malformed(_), Some(length)) => {
                format!("its length is not {length}, as it announces")
            }
            _ => format!("it {fault}"),
        };
        return Error::BrokenBody { to, received, why };
    }
    let why = hung_up(error).map_or_else(|| root(error), |how| format!("the connection was {how}"));
    Error::BrokenBody { to, received, why }
}

/// How the other side ended the connection, where that is what happened.
pub(super) fn hung_up(error: &reqwest::Error) -> Option<&'static str> {
    let io = cause::<io::Error>(error).map(io::Error::kind);
    match io {
        Some(io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted) => {
            return Some("reset");
        }
        Some(io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof) => return Some("closed"),
        _ => (),
    }
    let hyper = cause::<hyper::Error>(error)?;
    (hyper.is_incomplete_message() || hyper.is_closed() || hyper.is_canceled()).then_some("closed")
}

/// The first cause of a type.
pub(super) fn cause<'e, T: StdError + 'static>(error: &'e (dyn StdError + 'static)) -> Option<&'e T> {
    causes(error).find_map(<dyn StdError>::downcast_ref)
}

/// The system's own error, below those that wrap it.
fn innermost<'e>(error: &'e (dyn StdError + 'static)) -> Option<&'e io::Error> {
    causes(error).filter_map(<dyn StdError>::downcast_ref).last()
}

/// The deepest cause, in its own words. reqwest's words may end with the URL, whose query nobody
/// may see.
pub(super) fn root(error: &(dyn StdError + 'static)) -> String {
    let mut words = causes(error).last().unwrap_or(error).to_string();
    if let Some(url) = words.find(" for url (") {
        words.truncate(url);
    }
    words
}

/// The error and its causes, outermost first. What an `io::Error` wraps is a cause of it, though
/// `source()` leaves it out.
fn causes<'e>(error: &'e (dyn StdError + 'static)) -> impl Iterator<Item = &'e (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error| {
        let error: &'e (dyn StdError + 'static) = *error;
        match error.downcast_ref::<io::Error>() {
            Some(io) => io.get_ref().map(|inner| inner as &(dyn StdError + 'static)),
            None => error.source(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_found_inside_an_io_error() {
        let tls = rustls::Error::InvalidCertificate(rustls::CertificateError::Expired);
        let inner = io::Error::new(io::ErrorKind::InvalidData, tls);
        let outer = io::Error::other(inner);
        let found = cause::<rustls::Error>(&outer).map(tls::Fault::of);
        assert_eq!(found, Some(tls::Fault::Expired));
    }

    #[test]
    fn the_words_of_a_cause_hold_no_url() {
        let error = io::Error::other("odd for url (http://a/?token=hunter2)");
        assert_eq!(root(&error), "odd");
    }
}

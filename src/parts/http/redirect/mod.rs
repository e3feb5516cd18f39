//! Redirects, followed by us: what the next request is, or why there is none.
//!
//! A redirect is a stranger's wish. It may move a request to another origin, but no credential
//! and no body goes there with it; what was dropped once stays dropped, since each hop is made
//! from the one before. The decision is a pure function, so that a table can test it.

mod settings;

use reqwest::Method;
use reqwest::header::{
    EXPECT, HOST, HeaderMap, HeaderName, HeaderValue, LOCATION, SET_COOKIE, TRAILER, TRANSFER_ENCODING,
};
use url::{Position, Url};

use crate::parts::http::channel::Channel;
use crate::parts::http::cookies::Jar;
use crate::parts::http::message::{Hop, Limits, Request};
use crate::parts::http::origin::{place, same_origin};

pub use settings::RedirectsSpec;

/// Why a redirect is not followed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The chain is longer than allowed, and never comes back to where it was.
    #[error("more than {limit} redirects: {}", chain.join(" → "))]
    TooMany {
        /// How many are followed.
        limit: u32,
        /// Where they went, without queries.
        chain: Vec<String>,
    },
    /// The chain is longer than allowed since it goes round.
    #[error("{followed} redirects were followed, and they go round in a circle: {}", chain.join(" → "))]
    Circle {
        /// How many were followed before we gave up.
        followed: usize,
        /// Where they went until they came back for the first time, without queries.
        chain: Vec<String>,
    },
    /// The `Location` is no URL.
    #[error("{from} redirects with status {status}, but its `Location` header {why}")]
    Location {
        /// Who sent it, without the query.
        from: String,
        /// With which status.
        status: u16,
        /// What is wrong with it.
        why: String,
    },
    /// The `Location` is neither http nor https.
    #[error("{from} redirects to a `{scheme}:` URL; only http and https are followed")]
    Scheme {
        /// Who sent it, without the query.
        from: String,
        /// The scheme.
        scheme: String,
    },
    /// From https to http with something that must not be read on the way.
    #[error("{from} redirects to {to}, which is not encrypted, but the request carries {what}")]
    Downgrade {
        /// Who sent it, without the query.
        from: String,
        /// Where to, without the query.
        to: String,
        /// Credentials, a body, or a secret in the URL.
        what: &'static str,
    },
    /// A body would go to another origin.
    #[error(
        "{from} redirects to another origin, {to}, with status {status}, which asks to send the body again"
    )]
    Body {
        /// Who sent it, without the query.
        from: String,
        /// Where to, without the query.
        to: String,
        /// With which status.
        status: u16,
    },
}

impl Error {
    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        let help = match self {
            Self::TooMany { .. } => {
                "raise `redirects: { max: … }`, or write `redirects: none` to get the redirect itself"
            }
            Self::Circle { .. } => {
                "does the server miss a cookie or a credential? `redirects: none` gets the redirect itself"
            }
            Self::Location { .. } | Self::Scheme { .. } => "`redirects: none` gets the redirect itself",
            Self::Downgrade { .. } => "name the address that is meant in `url`, with https://",
            Self::Body { .. } => {
                "if that is right, name the new address in `url`, or its origin in `redirects: { trust: […] }`; nothing was sent there"
            }
        };
        Some(help.to_owned())
    }
}

/// The next request, and the hop that leads to it.
#[derive(Debug, Clone)]
pub struct Next {
    /// What is to be sent now.
    pub request: Request,
    /// How we came to it.
    pub hop: Hop,
}

/// Decides what follows an answer. `before` are the hops that were followed already. `None`
/// means that the answer is no redirect that we follow: it is the answer.
///
/// The rules for methods are those of the Fetch standard, which browsers and RFC 9110 (15.4)
/// agree with: 303 becomes GET but for HEAD, 301 and 302 turn POST into GET, 307 and 308 keep
/// all.
///
/// # Errors
/// [`Error`], where following would be unsafe or is impossible.
pub fn next(
    request: &Request,
    status: u16,
    headers: &HeaderMap,
    before: &[Hop],
) -> Result<Option<Next>, Error> {
    let limit = request.limits.max_redirects;
    if !matches!(status, 301 | 302 | 303 | 307 | 308) || limit == 0 {
        return Ok(None);
    }
    let Some(location) = only_location(request, status, headers)? else {
        return Ok(None);
    };
    let to = target(request, status, location.as_bytes())?;
    if before.len() >= limit as usize {
        return Err(too_many(limit, before, &request.url, &to));
    }
    let mut moved = request.clone();
    carry_on(status, &mut moved);
    let keeps_body = moved.body.is_some();
    let another = !same_origin(&request.url, &to);
    // Whoever trusts an origin with credentials trusts them back to where they came from.
    let back = before.first().is_some_and(|hop| same_origin(&hop.from, &to));
    let elsewhere = another && !trusts(&request.limits, &to) && !(back && request.limits.trust.is_some());
    refuse_downgrade(request, &to, keeps_body)?;
    if elsewhere && keeps_body {
        return Err(Error::Body { from: place(&request.url), to: place(&to), status });
    }

    let set_cookies = headers.get_all(SET_COOKIE).iter().map(secret).collect();
    if another {
        // The `Host` that a user wrote was meant for the first origin.
        moved.headers.remove(HOST);
    }
    let dropped_headers = elsewhere && drop_credentials(request, &mut moved.headers);
    let left_cookies = |jar: &Jar| jar.withholds(&to) && !jar.withholds(&request.url);
    let dropped_credentials = dropped_headers || another && request.jar.as_ref().is_some_and(left_cookies);
    if elsewhere {
        moved.channel = Channel::anonymous(request.channel.as_ref());
    }
    let hop = Hop { status, from: request.url.clone(), to: to.clone(), dropped_credentials, set_cookies };
    moved.url = to;
    Ok(Some(Next { request: moved, hop }))
}

/// What a redirect with this status leaves of a request: its method, and its body with the headers that
/// tell of it.
pub(in crate::parts) fn carry_on(status: u16, request: &mut Request) {
    let method = method_after(status, &request.method);
    if method != request.method || status == 303 {
        request.body = None;
    }
    request.method = method;
    if request.body.is_none() {
        // What was secret in its URL was left behind.
        request.secret_inside = false;
        drop_content(&mut request.headers);
    }
}

/// Whether `redirects.trust` names the origin of a URL.
#[must_use]
pub fn trusts(limits: &Limits, url: &Url) -> bool {
    limits.trust.as_ref().is_some_and(|trusted| trusted.contains(&url.origin()))
}

/// The `Location`. Of two that differ nobody can say which is meant, and two readers of the answer
/// would go to two places.
fn only_location<'h>(
    request: &Request,
    status: u16,
    headers: &'h HeaderMap,
) -> Result<Option<&'h HeaderValue>, Error> {
    let mut locations = headers.get_all(LOCATION).iter();
    let first = locations.next();
    if locations.any(|other| Some(other) != first) {
        let why = "comes more than once, and not with one value".to_owned();
        return Err(Error::Location { from: place(&request.url), status, why });
    }
    Ok(first)
}

/// Where the `Location` leads, by the URL standard. Its user name, password and fragment are
/// ignored.
fn target(request: &Request, status: u16, location: &[u8]) -> Result<Url, Error> {
    let wrong = |why: String| Error::Location { from: place(&request.url), status, why };
    let text = std::str::from_utf8(location).map_err(|_| wrong("is not UTF-8".to_owned()))?;
    if text.trim().is_empty() {
        return Err(wrong("is empty".to_owned()));
    }
    // The URL standard drops tabs and line feeds, so that what is read is not what stands there.
    if text.contains(char::is_control) {
        return Err(wrong("has a control character in it".to_owned()));
    }
    let mut to = request.url.join(text).map_err(|error| wrong(format!("is not a URL: {error}")))?;
    if !matches!(to.scheme(), "http" | "https") {
        let scheme = to.scheme().to_owned();
        return Err(Error::Scheme { from: place(&request.url), scheme });
    }
    // These fail only for URLs that have no host, and http and https have one.
    let _ = to.set_username("");
    let _ = to.set_password(None);
    to.set_fragment(None);
    Ok(to)
}

fn method_after(status: u16, method: &Method) -> Method {
    match status {
        303 if *method != Method::HEAD => Method::GET,
        301 | 302 if *method == Method::POST => Method::GET,
        _ => method.clone(),
    }
}

fn refuse_downgrade(request: &Request, to: &Url, keeps_body: bool) -> Result<(), Error> {
    if request.url.scheme() != "https" || to.scheme() != "http" {
        return Ok(());
    }
    let what = if request.headers.iter().any(|(name, value)| request.carries_credential(name, value)) {
        "credentials"
    } else if keeps_body {
        "a body"
    } else if request.knows_secret_in(to[Position::BeforePath..].as_bytes()) {
        "a secret in its URL"
    } else {
        return Ok(());
    };
    Err(Error::Downgrade { from: place(&request.url), to: place(to), what })
}

/// A header that nobody prints by accident.
fn secret(value: &HeaderValue) -> HeaderValue {
    let mut value = value.clone();
    value.set_sensitive(true);
    value
}

/// Drops the headers that tell of a body that does not go along.
fn drop_content(headers: &mut HeaderMap) {
    drop_where(headers, |name, _| {
        name.as_str().starts_with("content-")
            || *name == TRANSFER_ENCODING
            || *name == EXPECT
            || *name == TRAILER
    });
}

/// Drops what must not reach another origin; whether a credential was among it.
fn drop_credentials(request: &Request, headers: &mut HeaderMap) -> bool {
    drop_where(headers, |name, value| request.carries_credential(name, value))
}

/// Drops the headers for which `drops` holds, by any value of the name; whether there were any.
fn drop_where(headers: &mut HeaderMap, drops: impl Fn(&HeaderName, &HeaderValue) -> bool) -> bool {
    let dropped: Vec<HeaderName> = headers
        .keys()
        .filter(|name| headers.get_all(*name).iter().any(|value| drops(name, value)))
        .cloned()
        .collect();
    for name in &dropped {
        headers.remove(name);
    }
    !dropped.is_empty()
}

fn too_many(limit: u32, before: &[Hop], last: &Url, to: &Url) -> Error {
    let urls: Vec<&Url> = before.iter().map(|hop| &hop.from).chain([last, to]).collect();
    let chain = |urls: &[&Url]| urls.iter().copied().map(place).collect();
    match urls.iter().enumerate().position(|(at, url)| urls[..at].contains(url)) {
        Some(again) => Error::Circle { followed: before.len(), chain: chain(&urls[..=again]) },
        None => Error::TooMany { limit, chain: chain(&urls) },
    }
}

#[cfg(test)]
mod tests;

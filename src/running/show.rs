//! What requests and answers look like in events: cut, and without secrets.

use std::fmt::Write as _;

use reqwest::Version;
use reqwest::header::{COOKIE, HeaderMap, HeaderName, HeaderValue, LOCATION, SET_COOKIE};

use crate::ground::quantity;
use crate::ground::secret::{Needles, pseudonym, written};
use crate::parts::http::message::{Hop, holds_url, is_credential};
use crate::parts::http::{Request, Response, client, is_form, status};
use crate::parts::select::untorn;
use crate::running::event::{RedirectText, RequestText, ResponseText};
use crate::running::learn::{self, LOOKED_AT};

/// How many characters of a body are shown beside a failure.
const ANSWER: usize = 1200;
/// How many characters of a body are shown by `-v`.
const BODY: usize = 4000;

/// An answer beside a failure: status line and body. Its secrets are learnt already.
pub(super) fn answer(response: &Response, needles: &Needles) -> String {
    let line = line(response);
    match body(response, needles, ANSWER) {
        Some(body) => format!("{line}\n{body}"),
        None => format!("{line}\n(no body)"),
    }
}

/// An answer for `-v`; with headers and timings for `-vv`.
pub(super) fn response(response: &Response, needles: &Needles, wire: bool) -> ResponseText {
    learn::answer(response, needles);
    ResponseText {
        line: line(response),
        status: response.status,
        headers: if wire { headers(&response.headers, needles) } else { Vec::new() },
        body: body(response, needles, BODY),
        size: response.body.len(),
        redirects: redirects(&response.hops, needles),
        timing: if wire { timing(response) } else { String::new() },
    }
}

/// Redirects that were followed.
pub(super) fn redirects(hops: &[Hop], needles: &Needles) -> Vec<RedirectText> {
    let shown = |hop: &Hop| RedirectText {
        status: hop.status,
        from: needles.shown_url(hop.from.as_str()),
        to: needles.shown_url(hop.to.as_str()),
        dropped_credentials: hop.dropped_credentials,
    };
    hops.iter().map(shown).collect()
}

/// A request as it is sent, for `-v`; with headers for `-vv`.
pub(super) fn request(request: &Request, needles: &Needles, wire: bool) -> RequestText {
    learn::request(request, needles);
    RequestText {
        method: request.method.to_string(),
        url: needles.shown_url(request.url.as_str()),
        headers: if wire { wire_headers(request, needles) } else { Vec::new() },
        body: request.body.as_ref().map(|body| sent(body, &request.headers, needles)),
        curl: None,
    }
}

/// The body of a request. What is no text is not shown, and of a large one only its beginning is
/// looked at.
fn sent(body: &[u8], headers: &HeaderMap, needles: &Needles) -> String {
    match std::str::from_utf8(body) {
        Err(_) => format!("<{} bytes>", body.len()),
        Ok(whole) if whole.len() <= LOOKED_AT => cut(&clean(whole, headers, needles), BODY),
        Ok(whole) => {
            let shown = beginning_of(whole, |text| clean(text, headers, needles));
            let end = shown.char_indices().nth(BODY).map_or(shown.len(), |(at, _)| at);
            format!("{}… ({} bytes in all)", &shown[..end], whole.len())
        }
    }
}

/// As much of a text as is looked at, cleaned. Where that is not all of it, a secret may be cut at its
/// end, which is left out.
pub(super) fn beginning_of(text: &str, clean: impl FnOnce(&str) -> String) -> String {
    let beginning = &text[..text.floor_char_boundary(LOOKED_AT)];
    let clean = clean(beginning);
    if beginning.len() == text.len() { clean } else { untorn(&clean).to_owned() }
}

/// The first characters of a text that holds no secret any more, and how much was left out.
pub(super) fn cut(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        None => text.to_owned(),
        Some((at, _)) => format!("{}… ({} more bytes)", &text[..at], text.len() - at),
    }
}

/// The body of a request as it was written, without secrets, cut.
pub(super) fn text(text: &str, headers: &HeaderMap, needles: &Needles) -> String {
    cut(&clean(text, headers, needles), BODY)
}

/// A body without the secrets that are known, and without what its names call one.
fn clean(text: &str, headers: &HeaderMap, needles: &Needles) -> String {
    if is_form(headers) { needles.shown_pairs(text) } else { needles.shown_text(text) }
}

fn line(response: &Response) -> String {
    let version = match response.version {
        Version::HTTP_10 => "HTTP/1.0",
        Version::HTTP_2 => "HTTP/2",
        _ => "HTTP/1.1",
    };
    format!("{version} {}", status::shown(response.status))
}

fn body(response: &Response, needles: &Needles, longest: usize) -> Option<String> {
    if response.body.is_empty() {
        return None;
    }
    let is_small = response.body.len() <= LOOKED_AT;
    let json = is_small.then(|| response.json().ok()).flatten();
    let (text, lossy) = response.beginning(LOOKED_AT);
    let clean = match json {
        Some(value) => {
            let value = needles.scrub_value(&needles.masked(value));
            needles.scrub(&serde_json::to_string_pretty(&value).unwrap_or_default())
        }
        None if is_small => clean(&text, &response.headers, needles),
        None => untorn(&clean(&text, &response.headers, needles)).to_owned(),
    };
    let mut shown = cut(&clean, longest);
    if !is_small {
        // Writing to a string cannot fail.
        let _ = write!(shown, " ({} bytes in all)", response.body.len());
    }
    if let (Some(charset), None) = (lossy, json) {
        let _ = write!(shown, " (what is no {charset} is shown as \u{fffd})");
    }
    Some(shown)
}

/// All headers of a request: the user's, behind those that the client adds by itself.
fn wire_headers(request: &Request, needles: &Needles) -> Vec<(String, String)> {
    let added = client::added(request).into_iter();
    let added = added.map(|(name, value)| (name.as_str().to_owned(), needles.scrub(&value)));
    let cookies = request.cookie().map(|cookies| (COOKIE.as_str().to_owned(), cookie(&cookies)));
    let own = headers(&request.headers, needles).into_iter().filter(|(name, _)| name != COOKIE.as_str());
    added.chain(own).chain(cookies).collect()
}

fn headers(headers: &HeaderMap, needles: &Needles) -> Vec<(String, String)> {
    let show = |(name, value): (&reqwest::header::HeaderName, &reqwest::header::HeaderValue)| {
        let text = String::from_utf8_lossy(value.as_bytes());
        let clean = if holds_url(name) { needles.shown_url(&text) } else { needles.shown_text(&text) };
        let shown = if *name == SET_COOKIE {
            needles.scrub(&set_cookie(&text))
        } else if *name == LOCATION {
            written::without_userinfo(&clean)
        } else if is_credential(name) {
            credential(name, &text, needles)
        } else if value.is_sensitive() && clean == text {
            pseudonym(name.as_str())
        } else {
            clean
        };
        (name.as_str().to_owned(), shown)
    };
    headers.iter().map(show).collect()
}

/// A URL with one parameter more.
pub(super) fn with_parameter(url: &str, name: &str, value: &str) -> String {
    let (url, _) = url.split_once('#').unwrap_or((url, ""));
    let sign = if url.contains('?') { '&' } else { '?' };
    format!("{url}{sign}{name}={value}")
}

/// A URL with another value for a parameter, the last of its name.
pub(super) fn with_last_parameter(url: &str, name: &str, value: &str) -> String {
    let pair = |sign: char| url.rfind(&format!("{sign}{name}="));
    let Some(start) = pair('&').max(pair('?')).map(|at| at + name.len() + 2) else { return url.to_owned() };
    let end = url[start..].find(['&', '#']).map_or(url.len(), |at| start + at);
    format!("{}{value}{}", &url[..start], &url[end..])
}

/// A credential: its scheme and a pseudonym where that is all it has, else a pseudonym.
fn credential(name: &HeaderName, text: &str, needles: &Needles) -> String {
    let hits = needles.find(text);
    let is_scheme = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | ' ');
    match hits.as_slice() {
        [hit] if hit.range.end == text.len() && text[..hit.range.start].chars().all(is_scheme) => {
            needles.scrub(text)
        }
        _ => pseudonym(&needles.known_as(text).unwrap_or_else(|| name.as_str().into())),
    }
}

/// The names of the cookies that are sent; their values are secrets.
fn cookie(header: &HeaderValue) -> String {
    let text = String::from_utf8_lossy(header.as_bytes());
    let names = text.split(';').map(|pair| pair.split('=').next().unwrap_or_default().trim());
    let pairs: Vec<String> = names.map(|name| format!("{name}={}", pseudonym(name))).collect();
    pairs.join("; ")
}

/// A cookie's name and attributes; its value is a secret.
fn set_cookie(text: &str) -> String {
    let (pair, attributes) = text.split_once(';').map_or((text, None), |(pair, rest)| (pair, Some(rest)));
    let name = pair.split('=').next().unwrap_or_default().trim();
    let attributes = attributes.map(|rest| format!(";{rest}")).unwrap_or_default();
    format!("{name}={}{attributes}", pseudonym(name))
}

fn timing(response: &Response) -> String {
    let timing = &response.timing;
    let mut parts = Vec::new();
    parts.extend(timing.dns.map(|dns| format!("dns {}", quantity::show(dns))));
    match timing.connect {
        Some(connect) => parts.push(format!("connect {}", quantity::show(connect))),
        None => parts.push("connection reused".to_owned()),
    }
    parts.push(format!("first byte {}", quantity::show(timing.first_byte)));
    parts.push(format!("body {}", quantity::show(timing.total)));
    parts.extend(response.encoded.map(|encoded| format!("{encoded} bytes became {}", response.body.len())));
    parts.join(", ")
}

//! What requests and answers look like in events: cut, and without secrets.

use std::fmt::Write as _;

use reqwest::Version;
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_LENGTH, COOKIE, HOST, HeaderMap, HeaderValue, SET_COOKIE, USER_AGENT,
};
use url::Position;

use crate::ground::quantity;
use crate::ground::secret::{Needles, is_secret_name, masked, pseudonym};
use crate::parts::http::{Request, Response, client, status};
use crate::running::event::{RequestText, ResponseText};

/// How many characters of a body are shown beside a failure.
const ANSWER: usize = 1200;
/// How many characters of a body are shown by `-v`.
const BODY: usize = 4000;
/// How much of a body is looked at, in bytes: what is shown is cut from this.
const LOOKED_AT: usize = 64 * 1024;

/// An answer beside a failure: status line and body.
pub(super) fn answer(response: &Response, needles: &Needles) -> String {
    let line = line(response);
    match body(response, needles, ANSWER) {
        Some(body) => format!("{line}\n{body}"),
        None => format!("{line}\n(no body)"),
    }
}

/// An answer for `-v`; with headers and timings for `-vv`.
pub(super) fn response(response: &Response, needles: &Needles, wire: bool) -> ResponseText {
    let redirects = response.hops.iter().map(|hop| {
        let dropped = if hop.dropped_credentials { " (credentials left behind)" } else { "" };
        needles.scrub(&format!("{} {} → {}{dropped}", hop.status, hop.from, hop.to))
    });
    ResponseText {
        line: line(response),
        status: response.status,
        headers: if wire { headers(&response.headers, needles) } else { Vec::new() },
        body: body(response, needles, BODY),
        size: response.body.len(),
        redirects: redirects.collect(),
        timing: if wire { timing(response) } else { String::new() },
    }
}

/// A request as it is sent, for `-v`; with headers for `-vv`.
pub(super) fn request(request: &Request, needles: &Needles, wire: bool) -> RequestText {
    RequestText {
        method: request.method.to_string(),
        url: needles.scrub(request.url.as_str()),
        headers: if wire { wire_headers(request, needles) } else { Vec::new() },
        body: request.body.as_ref().map(|body| sent(body, needles)),
        curl: None,
    }
}

/// The body of a request. What is no text is not shown, and of a large one only its beginning is
/// looked at.
fn sent(body: &[u8], needles: &Needles) -> String {
    match std::str::from_utf8(body) {
        Err(_) => format!("<{} bytes>", body.len()),
        Ok(whole) if whole.len() <= LOOKED_AT => text(whole, needles),
        Ok(whole) => {
            let beginning = &whole[..whole.floor_char_boundary(LOOKED_AT)];
            let shown = needles.scrub(beginning);
            let end = shown.char_indices().nth(BODY).map_or(shown.len(), |(at, _)| at);
            format!("{}… ({} bytes in all)", &shown[..end], whole.len())
        }
    }
}

/// The first characters of a text, and how much was left out.
pub(super) fn cut(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        None => text.to_owned(),
        Some((at, _)) => format!("{}… ({} more bytes)", &text[..at], text.len() - at),
    }
}

/// A text without secrets, cut.
pub(super) fn text(text: &str, needles: &Needles) -> String {
    cut(&needles.scrub(text), BODY)
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
    // A secret that nobody extracted may be echoed elsewhere in the same answer.
    if let Some(value) = json {
        needles.learn_members(value);
    }
    let (text, lossy) = response.beginning(LOOKED_AT);
    let text = match json {
        Some(value) => serde_json::to_string_pretty(&needles.scrub_value(&masked(value))).unwrap_or_default(),
        None => text.into_owned(),
    };
    let clean = needles.scrub(&text);
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
    let mut own = vec![
        (HOST, request.url[Position::BeforeHost..Position::AfterPort].to_owned()),
        (USER_AGENT, client::USER_AGENT.to_owned()),
        (ACCEPT, "*/*".to_owned()),
    ];
    own.extend(request.accepted().map(|codings| (ACCEPT_ENCODING, codings.to_owned())));
    own.extend(request.body.as_ref().map(|body| (CONTENT_LENGTH, body.len().to_string())));
    let added = own.into_iter().filter(|(name, _)| !request.headers.contains_key(name));
    let added = added.map(|(name, value)| (name.as_str().to_owned(), value));
    let cookies = request.jar.as_ref().and_then(|jar| jar.header(&request.url, &request.headers));
    let cookies = cookies.or_else(|| request.headers.get(COOKIE).cloned());
    let cookies = cookies.map(|cookies| (COOKIE.as_str().to_owned(), cookie(&cookies)));
    let own = headers(&request.headers, needles).into_iter().filter(|(name, _)| name != COOKIE.as_str());
    added.chain(own).chain(cookies).collect()
}

fn headers(headers: &HeaderMap, needles: &Needles) -> Vec<(String, String)> {
    let show = |(name, value): (&reqwest::header::HeaderName, &reqwest::header::HeaderValue)| {
        let text = String::from_utf8_lossy(value.as_bytes());
        let clean = needles.scrub(&text);
        let shown = if *name == SET_COOKIE {
            set_cookie(&text)
        } else if (value.is_sensitive() || is_secret_name(name.as_str())) && clean == text {
            pseudonym(name.as_str())
        } else {
            clean
        };
        (name.as_str().to_owned(), shown)
    };
    headers.iter().map(show).collect()
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

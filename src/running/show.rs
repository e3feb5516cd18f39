//! What requests and answers look like in events: cut, and without secrets.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use reqwest::Version;
use reqwest::header::{COOKIE, HeaderMap, HeaderName, HeaderValue, LOCATION, SET_COOKIE};

use crate::ground::quantity;
use crate::ground::secret::{Needles, SHORTEST, pseudonym};
use crate::ground::value::Value;
use crate::parts::http::message::{Hop, holds_url, is_credential};
use crate::parts::http::{Request, Response, client, is_form, status};
use crate::parts::select::untorn;
use crate::running::event::{RedirectText, RequestText, ResponseText};
use crate::running::refusal;
use crate::running::step::StepRun;

/// How many characters of a body are shown beside a failure.
const ANSWER: usize = 1200;
/// How many characters of a body are shown by `-v`.
const BODY: usize = 4000;
/// How much of a body is looked at, in bytes: what is shown is cut from this.
const LOOKED_AT: usize = 64 * 1024;

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
    learn(response, needles);
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

impl StepRun<'_> {
    /// Lets the secrets of the answer be known to all that is shown from now on, once.
    pub(super) fn learn_answer(&self) {
        if !self.is_learnt.swap(true, Ordering::Relaxed) {
            self.learn_by(learn);
        }
    }

    /// The same of an answer that nothing is taken of or shown, as far as it is cheaply seen that it
    /// may hold any.
    pub(super) fn learn_unasked(&self) {
        if !self.is_learnt.load(Ordering::Relaxed) {
            self.learn_by(|response, needles| {
                if may_tell_secrets(response) {
                    learn(response, needles);
                }
            });
        }
    }

    fn learn_by(&self, learn: fn(&Response, &Needles)) {
        let Some(response) = &self.response else { return };
        // A large answer is not kept for that.
        if response.body.len() > LOOKED_AT {
            return learn(response, &self.scope.needles);
        }
        let response = Arc::clone(response);
        self.scope.needles.learn_later(move |needles| learn(&response, needles));
    }

    /// Adds the answer, what it says and what can be done, for whoever is to mend the step.
    pub(super) fn explain(&mut self) {
        self.learn_answer();
        let Some(response) = self.response.as_deref() else { return };
        let needles = &self.scope.needles;
        let now_ms = self.flowing.context.clock.now_ms();
        let (said, help) = if self.outcome.is_refused {
            (refusal::said(response, needles), refusal::advice(response, &self.sent, now_ms))
        } else if response.status < 400 {
            let missed = self.outcome.error.is_some();
            let help = missed.then(|| refusal::advice_inside(response)).flatten();
            (refusal::said_inside(response, needles), help)
        } else {
            (None, None)
        };
        self.outcome.said = said;
        self.outcome.help = help.map(|help| needles.scrub(&help));
        self.outcome.answer = Some(answer(response, needles));
    }
}

/// Whether a value may hold a secret that is searched for.
pub(super) fn may_repeat(value: &Value) -> bool {
    match value {
        Value::String(text) => text.len() >= SHORTEST,
        Value::List(_) | Value::Object(_) => true,
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Whether an answer may hold what is a secret by its name: in its body the words that most of these
/// names have are looked for, which costs far less than reading it.
fn may_tell_secrets(response: &Response) -> bool {
    const WORDS: [&[u8]; 6] = [b"oken", b"assw", b"ecret", b"ession", b"redential", b"eyJ"];
    let beginning = &response.body[..response.body.len().min(LOOKED_AT)];
    let is_told = |name: &HeaderName| *name != SET_COOKIE && is_credential(name);
    !response.hops.is_empty()
        || response.headers.keys().any(is_told)
        || WORDS.iter().any(|word| memchr::memmem::find(beginning, word).is_some())
}

/// Learns the secrets of an answer that nobody extracted: they may be echoed elsewhere in it. Called
/// before anything of it is shown.
pub(super) fn learn(response: &Response, needles: &Needles) {
    for hop in &response.hops {
        needles.learn_url(hop.from.as_str());
        needles.learn_url(hop.to.as_str());
    }
    needles.learn_url(response.url.as_str());
    learn_headers(&response.headers, needles);
    let is_small = response.body.len() <= LOOKED_AT;
    match is_small.then(|| response.json().ok()).flatten() {
        Some(json) => learn_json(json, needles),
        None => learn_body(&beginning(&response.body), &response.headers, needles),
    }
}

/// Learns what stands in a request under a secret's name.
fn learn_request(request: &Request, needles: &Needles) {
    needles.learn_url(request.url.as_str());
    learn_headers(&request.headers, needles);
    if let Some(body) = &request.body {
        let text = beginning(body);
        match Value::from_json(text.as_bytes()) {
            Ok(json) => learn_json(&json, needles),
            Err(_) => learn_body(&text, &request.headers, needles),
        }
    }
}

fn learn_headers(headers: &HeaderMap, needles: &Needles) {
    for (name, value) in headers {
        let text = String::from_utf8_lossy(value.as_bytes());
        if holds_url(name) {
            needles.learn_url(&text);
        } else if is_credential(name) && ![COOKIE, SET_COOKIE].contains(name) {
            // Of `Bearer abc` the second word is the secret; of what has parameters, the whole.
            let second = text.split_once(' ').map(|(_, secret)| secret.trim());
            let secret = second.filter(|secret| !secret.contains([' ', ','])).unwrap_or(&text);
            needles.learn(&name.as_str().into(), secret);
            proofs(&text).for_each(|(name, proof)| needles.learn(&name.into(), proof));
        } else {
            needles.learn_text(&text);
        }
    }
}

/// The parameters of a credential that prove knowledge of a secret (RFC 7616, section 3.4; RFC 9421).
fn proofs(credential: &str) -> impl Iterator<Item = (&str, &str)> {
    const PROOFS: [&str; 4] = ["signature", "response", "mac", "sig"];
    let pairs = credential.split([',', ' ']).filter_map(|pair| pair.split_once('='));
    pairs
        .filter(|(name, _)| PROOFS.iter().any(|proof| name.eq_ignore_ascii_case(proof)))
        .map(|(name, value)| (name, value.trim_matches('"')))
}

/// Members with a secret's name, and what texts hold that are URLs or documents themselves.
fn learn_json(json: &Value, needles: &Needles) {
    needles.learn_members(json);
    learn_texts(json, needles);
}

fn learn_texts(json: &Value, needles: &Needles) {
    match json {
        Value::String(text) if text.contains(['=', ':', '>']) => {
            needles.learn_url(text);
            needles.learn_text(text);
        }
        Value::List(elements) => elements.iter().for_each(|element| learn_texts(element, needles)),
        Value::Object(members) => members.values().for_each(|member| learn_texts(member, needles)),
        _ => {}
    }
}

fn learn_body(text: &str, headers: &HeaderMap, needles: &Needles) {
    if is_form(headers) {
        needles.learn_pairs(text);
    } else {
        needles.learn_url(text);
        needles.learn_text(text);
    }
}

/// As much of a body as is looked at.
fn beginning(body: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(&body[..body.len().min(LOOKED_AT)])
}

/// A request as it is sent, for `-v`; with headers for `-vv`.
pub(super) fn request(request: &Request, needles: &Needles, wire: bool) -> RequestText {
    learn_request(request, needles);
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
            without_userinfo(&clean)
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

/// A URL or a part of one, without what stands before its host: that is a credential.
fn without_userinfo(url: &str) -> String {
    let is_slash = |c: char| matches!(c, '/' | '\\');
    // The URL standard takes any slashes for those two, and none behind `http:` and `https:`.
    let scheme = ["http:", "https:"]
        .iter()
        .find(|scheme| url.get(..scheme.len()).is_some_and(|begins| begins.eq_ignore_ascii_case(scheme)));
    let opened = url.starts_with(is_slash) && url[1..].starts_with(is_slash);
    if scheme.is_none() && !opened && !url.contains("://") {
        return url.to_owned();
    }
    let begin = scheme.map_or_else(|| url.find("://").unwrap_or(0), |scheme| scheme.len());
    let begin =
        begin + url[begin..].len() - url[begin..].trim_start_matches(|c| is_slash(c) || c == ':').len();
    let rest = &url[begin..];
    let end = rest.find(|c| is_slash(c) || matches!(c, '?' | '#')).unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        Some(at) => format!("{}{}{}", &url[..begin], pseudonym("user"), &rest[at..]),
        None => url.to_owned(),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_shown_without_the_user_that_it_names() {
        for (location, shown) in [
            ("http://u:p@h/x", "http://«user»@h/x"),
            ("HTTPS:\\\\u@h", "HTTPS:\\\\«user»@h"),
            ("https:u:p@h/", "https:«user»@h/"),
            ("//u:p@v@h?q", "//«user»@h?q"),
            ("ftp://u:p@h", "ftp://«user»@h"),
            ("/a@b", "/a@b"),
            ("a@b", "a@b"),
            ("http://h/a@b", "http://h/a@b"),
            ("http://h?a@b", "http://h?a@b"),
            ("", ""),
            ("/", "/"),
        ] {
            assert_eq!(without_userinfo(location), shown);
        }
    }
}

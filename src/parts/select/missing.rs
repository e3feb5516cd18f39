//! Why a selector found nothing, in words that let the user mend it.
//!
//! The message shows the shape of what came, never its values: keys and types, the nearest place
//! that exists, the name that was probably meant. Only of a body that is not JSON its beginning
//! is shown, and that goes through the run's needles before it is cut.

use reqwest::header::{HeaderMap, HeaderName};

use crate::ground::diagnostic::did_you_mean;
use crate::ground::secret::Needles;
use crate::ground::value::{Value, shape};
use crate::parts::http::Response;
use crate::parts::select::glimpse::{cut, line};
use crate::parts::select::page;
use crate::parts::select::path::{Segment, show};

/// How many characters of a body that is not JSON are shown.
const GLIMPSE: usize = 40;
/// How many characters a whole reason may have.
const LONGEST: usize = 400;

/// What kind of nothing was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absence {
    /// The answer has no such thing.
    Nothing,
    /// The answer is not of the kind that could have it, such as HTML where JSON was looked for.
    WrongKind,
    /// More than one thing where one was asked for.
    Several,
    /// Finding it would cost too much.
    TooMuch,
}

/// A selector that did not find its one value.
#[derive(Debug, Clone)]
pub struct Missing {
    /// The selector as the user knows it, such as `$.result.token` or `header location`.
    pub selector: String,
    /// What kind of nothing it is.
    pub absence: Absence,
    reason: String,
    glimpse: Option<String>,
    /// What to do, where that can be told.
    pub help: Option<String>,
}

impl Missing {
    /// Something that is not there; `reason` goes on after «found nothing».
    #[must_use]
    pub fn nothing(selector: String, reason: impl Into<String>) -> Self {
        Self { selector, absence: Absence::Nothing, reason: reason.into(), glimpse: None, help: None }
    }

    /// The same, of another kind, and with what to do about it.
    #[must_use]
    pub fn with(self, absence: Absence, help: Option<String>) -> Self {
        Self { absence, help, ..self }
    }

    /// The whole message in one line.
    #[must_use]
    pub fn text(&self, needles: &Needles) -> String {
        match self.absence {
            Absence::Several | Absence::TooMuch => format!("`{}` {}", self.selector, self.actual(needles)),
            _ => format!("`{}` found nothing: {}", self.selector, self.actual(needles)),
        }
    }

    /// What came instead, in one line.
    #[must_use]
    pub fn actual(&self, needles: &Needles) -> String {
        let reason = cut(&self.reason, LONGEST, needles);
        match &self.glimpse {
            Some(text) => format!("{reason} `{}`", line(text, GLIMPSE, needles)),
            None => reason,
        }
    }

    pub(super) fn several(selector: String, count: usize, path: &str) -> Self {
        Self {
            absence: Absence::Several,
            help: Some(format!("`json_all: {path}` gives all of them as a list, a narrower path gives one")),
            ..Self::nothing(selector, format!("matches {count} values, not one"))
        }
    }

    /// The body is not JSON; `error` is why.
    pub(super) fn not_json(selector: String, response: &Response, error: &str) -> Self {
        if is_blank(response) {
            return Self::nothing(selector, "the body is empty");
        }
        let mut missing = Self { absence: Absence::WrongKind, ..Self::nothing(selector, String::new()) };
        if let Some(coding) = wide(&response.body) {
            missing.reason = format!("the body is text in {coding}, {} bytes", response.body.len());
            missing.help =
                Some("JSON is UTF-8 between systems (RFC 8259): the server has to send that".to_owned());
            return missing;
        }
        missing.see_body(response);
        if response.media_type().is_some_and(|media| media.ends_with("json")) {
            missing.reason = format!("{error}; {}", missing.reason);
        }
        missing.reason = format!("the body is not JSON; {}", missing.reason);
        missing
    }

    /// No member or element at the end of `segments`.
    pub(super) fn no_member(selector: String, segments: &[Segment], root: &Value) -> Self {
        let mut parent = root;
        let mut depth = 0;
        while let Some(inside) = segments.get(depth).and_then(|segment| segment.of(parent)) {
            parent = inside;
            depth += 1;
        }
        let parent_path = show(&segments[..depth]);
        let help = match (segments.get(depth), parent.as_object()) {
            (Some(Segment::Member(name)), Some(members)) => {
                did_you_mean(name, members.keys().map(AsRef::as_ref))
            }
            _ => None,
        };
        let reason = format!("`{parent_path}` is {}", shape(parent));
        Self { help, ..Self::nothing(selector, reason) }
    }

    pub(super) fn no_header(selector: String, name: &str, headers: &HeaderMap) -> Self {
        let names: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
        Self {
            help: did_you_mean(name, names.iter().copied()),
            ..Self::nothing(selector, format!("the answer has {}", list(&names, "header")))
        }
    }

    pub(super) fn no_cookie(selector: String, name: &str, response: &Response) -> Self {
        let names: Vec<&str> = response.cookies().keys().map(AsRef::as_ref).collect();
        Self {
            help: did_you_mean(name, names.iter().copied()),
            ..Self::nothing(selector, format!("the answer sets {}", list(&names, "cookie")))
        }
    }

    pub(super) fn no_match(selector: String, response: &Response) -> Self {
        if response.body.is_empty() {
            return Self::nothing(selector, "the body is empty");
        }
        let mut missing = Self::nothing(selector, String::new());
        missing.see_body(response);
        missing
    }

    /// The body is not HTML, or too much of it; `why` is empty where its kind says it all.
    pub(super) fn not_html(selector: String, response: &Response, why: &str) -> Self {
        Self::not_of(selector, response, "HTML", why)
    }

    /// The body is neither XML nor HTML, or too much of it.
    pub(super) fn not_markup(selector: String, response: &Response, why: &str) -> Self {
        Self::not_of(selector, response, "XML", why)
    }

    fn not_of(selector: String, response: &Response, wanted: &str, why: &str) -> Self {
        if is_blank(response) {
            return Self::nothing(selector, "the body is empty");
        }
        let mut missing = Self { absence: Absence::WrongKind, ..Self::nothing(selector, String::new()) };
        missing.see_body(response);
        let why = if why.is_empty() { String::new() } else { format!(": {why}") };
        missing.reason = format!("the body cannot be read as {wanted}{why}; {}", missing.reason);
        missing
    }

    /// No element of an HTML page: nothing of the page but its title is shown.
    pub(super) fn not_in_html(selector: String, response: &Response) -> Self {
        Self::no_match(selector, response)
    }

    /// What the body is, and where that says nothing, how it begins.
    fn see_body(&mut self, response: &Response) {
        let size = response.body.len();
        let media = response.media_type();
        let start = page::beginning(response);
        if page::is_html(media.as_deref(), &start) {
            let title = page::title(response);
            self.reason = match title {
                Some(_) => format!("the body is HTML, {size} bytes, title"),
                None => format!("the body is HTML, {size} bytes"),
            };
            self.glimpse = title;
        } else {
            let media = media.unwrap_or_else(|| "of no declared type".to_owned());
            self.reason = format!("the body is {media}, {size} bytes:");
            self.glimpse = Some(start.into_owned());
        }
    }
}

fn is_blank(response: &Response) -> bool {
    let body = response.body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&response.body);
    body.iter().all(u8::is_ascii_whitespace)
}

/// The coding of a text whose letters have more than one byte each: by its mark, or since the first two
/// letters of JSON are of ASCII (RFC 4627, section 3).
fn wide(body: &[u8]) -> Option<&'static str> {
    match body {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] | [1..=255, 0, 0, 0, ..] | [0, 0, 0, 1..=255, ..] => {
            Some("UTF-32")
        }
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [1..=255, 0, 1..=255, 0, ..] | [0, 1..=255, 0, 1..=255, ..] => {
            Some("UTF-16")
        }
        _ => None,
    }
}

fn list(names: &[&str], one: &str) -> String {
    const SHOWN: usize = 12;
    match names.len() {
        0 => format!("no {one}"),
        many if many > SHOWN => format!("{}, … {} more", names[..SHOWN].join(", "), many - SHOWN),
        _ => names.join(", "),
    }
}

//! What a server says went wrong, in its own words, wherever its answer keeps them.

use crate::ground::secret::Needles;
use crate::ground::value::Value;
use crate::parts::http::Response;
use crate::parts::select::{joined, page};
use crate::running::refusal::challenge;
use crate::running::show;

/// The most characters that are told.
const LONGEST: usize = 200;
/// How many texts of an answer, or of one of its lists, are told.
const TEXTS: usize = 3;
/// Where servers keep their words, in the order in which they read best.
const MEMBERS: [&str; 13] = [
    "title",
    "error",
    "code",
    "reason",
    "message",
    "msg",
    "error_description",
    "errorMessage",
    "detail",
    "details",
    "description",
    "errors",
    "messages",
];
/// The members that only an answer has that reports an error.
const ERRORS: [&str; 4] = ["error", "errors", "error_description", "errorMessage"];
/// The members whose `false` says that something went wrong.
const FLAGS: [&str; 4] = ["success", "result", "ok", "status"];
/// The members whose value `error` says so.
const KINDS: [&str; 3] = ["type", "status", "result"];

/// What the server said with a status that was not asked for, in one line; `None` where it says no
/// more than the status. The secrets in its answer are learnt already, and left out.
pub(super) fn said(response: &Response, needles: &Needles) -> Option<String> {
    let texts = match response.json() {
        Ok(json) => texts_of_members(&needles.masked(json)),
        Err(_) if page::is_page(response) => page::title(response).into_iter().collect(),
        Err(_) => plain(response, needles).into_iter().collect(),
    };
    let texts =
        if texts.is_empty() { challenge(response, "error_description").into_iter().collect() } else { texts };
    line(&texts, needles)
}

/// What the server said under a good status, where it reports an error nevertheless or a page came;
/// `None` elsewhere.
pub(super) fn said_inside(response: &Response, needles: &Needles) -> Option<String> {
    let reports = |json: &&Value| expectation(json).is_some();
    match response.json().ok().filter(reports) {
        Some(_) => said(response, needles),
        None if page::is_page(response) => line(page::title(response).as_slice(), needles),
        None => None,
    }
}

/// What to expect of an answer that reports an error under a good status, as `expect.json` has it;
/// `None` where it reports none.
pub(super) fn expectation(json: &Value) -> Option<String> {
    let flag = FLAGS.iter().find(|name| is_false(json, name)).map(|name| format!("$.{name}: true"));
    let kind = || {
        let found = KINDS.iter().find(|name| is_error(json, name));
        found.map(|name| format!("$.{name}: {{ not: error }}"))
    };
    let member = || {
        let found = ERRORS.iter().find(|name| has_texts(json, name));
        found.map(|name| format!("$.{name}: absent"))
    };
    flag.or_else(kind).or_else(member)
}

fn is_false(json: &Value, name: &str) -> bool {
    json.get(name).and_then(Value::as_bool) == Some(false)
}

fn is_error(json: &Value, name: &str) -> bool {
    json.get(name).and_then(Value::as_str) == Some("error")
}

fn has_texts(json: &Value, name: &str) -> bool {
    json.get(name).is_some_and(|value| !texts(value).is_empty())
}

/// The texts, each once, in a line that can be shown. What a text holds is hidden before its blanks
/// are joined: a secret that has another one within it is not recognised any more.
fn line(texts: &[String], needles: &Needles) -> Option<String> {
    let mut told: Vec<String> = Vec::new();
    for text in texts.iter().map(|text| joined(&needles.shown_text(text))) {
        if !told.iter().any(|known| known.eq_ignore_ascii_case(&text)) && told.len() < TEXTS {
            told.push(text);
        }
    }
    let line = told.join(": ");
    (!line.is_empty()).then(|| show::cut(&needles.shown_text(&line), LONGEST))
}

fn texts_of_members(json: &Value) -> Vec<String> {
    MEMBERS.iter().filter_map(|name| json.get(name)).flat_map(texts).collect()
}

/// A text itself, those in a list, or what an object says of an error.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) if text.trim().is_empty() => Vec::new(),
        Value::String(text) => vec![text.to_string()],
        Value::List(elements) => elements.iter().take(TEXTS).flat_map(texts).collect(),
        Value::Object(_) => texts_of_members(value),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

/// The first line of a text, where it is short.
fn plain(response: &Response, needles: &Needles) -> Option<String> {
    let text = std::str::from_utf8(&response.body).ok()?;
    let clean = show::beginning_of(text, |text| needles.shown_text(text));
    let line = clean.lines().map(str::trim).find(|line| !line.is_empty())?;
    (line.chars().count() <= LONGEST && !line.starts_with('<')).then(|| line.to_owned())
}

//! Why a server refused: in its own words, as far as its answer has any, and what a person can do
//! about it.
//!
//! Servers say the same in a dozen shapes. A person who reads `401` wants to know what was wrong
//! with what was sent, and not where a document of JSON keeps it.

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use url::form_urlencoded;

use crate::ground::secret::{Needles, masked};
use crate::ground::value::Value;
use crate::parts::http::{Request, Response};
use crate::parts::select::{is_page, page_title};
use crate::running::show;

/// The most characters of what a server said.
const LONGEST: usize = 200;
/// How many of its members are told.
const PARTS: usize = 3;
/// Where servers say what is wrong, in the order in which it reads best.
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

/// What says by `false` that something went wrong, and what by the word `error`.
const FLAGS: [&str; 4] = ["success", "result", "ok", "status"];
const WORDS: [&str; 3] = ["type", "status", "result"];

/// What a refused request had with it.
#[derive(Debug, Clone, Default)]
pub(super) struct Sent {
    /// The scheme of `Authorization`, in lower case.
    scheme: Option<String>,
    /// `grant_type` of a form.
    grant: Option<String>,
    /// Whether something that may be credentials went along: a body, or a secret in the query.
    has_more: bool,
}

impl Sent {
    pub(super) fn of(request: &Request) -> Self {
        let scheme = request.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let scheme = scheme.and_then(|value| value.split(' ').next()).map(str::to_ascii_lowercase);
        let is_form = request
            .headers
            .get(CONTENT_TYPE)
            .is_some_and(|value| value.as_bytes().starts_with(b"application/x-www-form-urlencoded"));
        let body = request.body.as_deref().filter(|_| is_form).unwrap_or_default();
        let grant = form_urlencoded::parse(body)
            .find(|(name, _)| name.eq_ignore_ascii_case("grant_type"))
            .map(|(_, value)| value.into_owned());
        Self { scheme, grant, has_more: request.secret_inside || request.body.is_some() }
    }
}

/// A 401, a 407, or an OAuth error that says that the credentials are no good (RFC 6749, 5.2).
pub(super) fn is_of_credentials(response: &Response) -> bool {
    const REFUSALS: [&str; 4] = ["invalid_grant", "invalid_client", "unauthorized_client", "access_denied"];
    matches!(response.status, 401 | 407)
        || oauth_error(response).is_some_and(|error| REFUSALS.contains(&error))
}

fn oauth_error(response: &Response) -> Option<&str> {
    response.json().ok().and_then(|json| json.get("error")).and_then(Value::as_str)
}

/// What the server said went wrong, in one line and without secrets; `None` where it reports
/// nothing, or says no more than its status.
pub(super) fn said(response: &Response, needles: &Needles) -> Option<String> {
    let parts = match response.json() {
        Ok(json) if response.status >= 400 || error_inside(json).is_some() => {
            needles.learn_members(json);
            words(&masked(json))
        }
        Err(_) if is_page(response) => page_title(response).into_iter().collect(),
        Err(_) if response.status >= 400 => plain(response).into_iter().collect(),
        Ok(_) | Err(_) => Vec::new(),
    };
    let challenge = challenge(response, "error_description").filter(|_| parts.is_empty());
    let mut told: Vec<String> = Vec::new();
    for part in parts.into_iter().chain(challenge) {
        if !told.iter().any(|known| known.eq_ignore_ascii_case(&part)) && told.len() < PARTS {
            told.push(part);
        }
    }
    let text = told.join(": ");
    (!text.is_empty()).then(|| show::cut(&needles.scrub(&text), LONGEST))
}

/// How an answer that came with a good status says that something went wrong: what to expect of it
/// in place of that, as `expect.json` has it.
fn error_inside(json: &Value) -> Option<String> {
    let is_false = |name: &&&str| json.get(name).and_then(Value::as_bool) == Some(false);
    let is_error = |name: &&&str| json.get(name).and_then(Value::as_str) == Some("error");
    let has = |name: &&&str| json.get(name).is_some_and(|value| !text_of(value).is_empty());
    let flag = FLAGS.iter().find(is_false).map(|name| format!("$.{name}: true"));
    let word = || WORDS.iter().find(is_error).map(|name| format!("$.{name}: {{ not: error }}"));
    let member = || ERRORS.iter().find(has).map(|name| format!("$.{name}: absent"));
    flag.or_else(word).or_else(member)
}

fn words(json: &Value) -> Vec<String> {
    MEMBERS.iter().filter_map(|name| json.get(name)).flat_map(text_of).collect()
}

/// The texts of a member: itself, the elements of a list, or what an object says of an error.
fn text_of(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => {
            let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
            if line.is_empty() { Vec::new() } else { vec![line] }
        }
        Value::List(elements) => elements.iter().take(PARTS).flat_map(text_of).collect(),
        Value::Object(_) => words(value),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

/// The first line of a short text.
fn plain(response: &Response) -> Option<String> {
    let text = std::str::from_utf8(&response.body).ok()?;
    let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    (line.chars().count() <= LONGEST && !line.starts_with('<')).then(|| line.to_owned())
}

/// A quoted parameter of the challenge (RFC 6750, 3).
fn challenge(response: &Response, name: &str) -> Option<String> {
    let header = response.headers.get(WWW_AUTHENTICATE)?.to_str().ok()?;
    let (_, rest) = header.split_once(&format!("{name}=\""))?;
    rest.split_once('"').map(|(value, _)| value.to_owned())
}

/// What a person can do about an answer that did not fit; `None` where nothing is known to help.
pub(super) fn advice(response: &Response, sent: &Sent) -> Option<String> {
    if is_page(response) && response.status != 401 {
        let text = "an HTML page came: a proxy, a gateway or a login page answered in place of the API, or the path is wrong";
        return Some(text.to_owned());
    }
    if let Some(text) = oauth_error(response).and_then(|error| of_oauth(error, sent)) {
        return Some(text.to_owned());
    }
    match response.status {
        401 => Some(of_401(response, sent).to_owned()),
        403 => Some(of_403(response)),
        407 => Some("check the user name and the password in `proxy`".to_owned()),
        429 => Some(of_429(response)),
        502..=504 => Some(
            "what stands behind the gateway is down or busy; `retry: { if: [5xx] }` asks again".to_owned(),
        ),
        200..=299 => response.json().ok().and_then(error_inside).map(|expect| {
            format!("the server reports an error under a status that says success; `expect: {{ json: {{ {expect} }} }}` makes that a failed check")
        }),
        _ => None,
    }
}

/// RFC 6749, 5.2, by what was asked for.
fn of_oauth(error: &str, sent: &Sent) -> Option<&'static str> {
    Some(match (error, sent.grant.as_deref()) {
        ("invalid_grant", Some("password")) => "check the user name and the password",
        ("invalid_grant", Some("refresh_token")) => {
            "the refresh token was used already, was revoked or has ended: log in again"
        }
        ("invalid_grant", Some("authorization_code")) => {
            "a code is good once, soon, and for the same `redirect_uri`: ask for another one"
        }
        ("invalid_grant", _) => {
            "what the token was asked for with is wrong, used already or has ended: log in again"
        }
        ("invalid_client", _) => "check the client's id and its secret, and how the server wants them sent",
        ("unauthorized_client", _) => "the server does not let this client use this grant",
        ("invalid_scope", _) => "ask for scopes that the server knows and that may be yours",
        ("unsupported_grant_type", _) => "the server has no such grant: is `grant_type` right?",
        _ => return None,
    })
}

fn of_401(response: &Response, sent: &Sent) -> &'static str {
    match sent.scheme.as_deref() {
        Some("bearer") if challenge(response, "error").as_deref() == Some("insufficient_scope") => {
            "the token is good, and not for this: log in with more scopes"
        }
        Some("bearer") => {
            "the server does not take this token: it has ended, was used already or revoked, or is for another server; log in again"
        }
        Some("basic" | "digest") => "check the user name and the password",
        Some(_) => "check the credentials",
        None if sent.has_more => "check the user name, the password and what else was sent to log in",
        None => "no credentials were sent: does the request need `auth`?",
    }
}

fn of_403(response: &Response) -> String {
    match challenge(response, "scope") {
        Some(scope) => format!("the token lacks a scope; the server wants `{scope}`"),
        None => "whoever is logged in may not do this, or the server refuses this address".to_owned(),
    }
}

fn of_429(response: &Response) -> String {
    let wait = response.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let wait = match wait {
        Some(seconds) if seconds.bytes().all(|byte| byte.is_ascii_digit()) => format!("wait {seconds} s"),
        Some(date) => format!("wait until {date}"),
        None => "wait a while".to_owned(),
    };
    format!("too many requests, or too many failed logins: {wait}, and then try once with the right password")
}

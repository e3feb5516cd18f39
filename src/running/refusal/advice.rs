//! What a person can do about an answer that did not fit, by its status and by what was sent.

use reqwest::header::{AUTHORIZATION, COOKIE, HeaderName, PROXY_AUTHORIZATION, RETRY_AFTER};
use url::form_urlencoded;

use crate::ground::quantity;
use crate::ground::secret::is_secret_name;
use crate::ground::value::Value;
use crate::parts::http::{Request, Response, is_credential, is_form};
use crate::parts::retry;
use crate::parts::select::page;
use crate::running::refusal::said::expectation;
use crate::running::refusal::{challenge, oauth_error};

const PAGE: &str = "an HTML page came: a proxy, a gateway or a login page answered in place of the API, or the path is wrong";

/// What a refused request had with it.
#[derive(Debug, Clone, Default)]
pub(in crate::running) struct Sent {
    /// The scheme of `Authorization`, in lower case.
    scheme: Option<String>,
    /// `grant_type` of a form, or of JSON.
    grant: Option<String>,
    /// What it showed beside that, in the order of what says most.
    shown: Option<Shown>,
    /// Whether it was sent more than once.
    was_repeated: bool,
}

/// Credentials outside of `Authorization`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// A refresh token in the body.
    RefreshToken,
    /// A password, or another secret, in the body or the query.
    Secret,
    /// A key in a header of its own.
    Key,
    /// Cookies.
    Cookie,
}

impl Sent {
    /// Of a request that was sent so often.
    pub(in crate::running) fn of(request: &Request, attempts: u32) -> Self {
        let scheme = request.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let scheme = scheme.and_then(|value| value.split(' ').next()).map(str::to_ascii_lowercase);
        let fields = fields(request);
        let grant = fields.iter().find(|(name, _)| name.eq_ignore_ascii_case("grant_type"));
        let grant = grant.map(|(_, grant)| grant.clone());
        let shown = if grant.as_deref() == Some("refresh_token") {
            Some(Shown::RefreshToken)
        } else {
            Shown::of(request, &fields)
        };
        Self { scheme, grant, shown, was_repeated: attempts > 1 }
    }
}

impl Shown {
    fn of(request: &Request, fields: &[(String, String)]) -> Option<Self> {
        let secrets: Vec<&str> =
            fields.iter().map(|(name, _)| &**name).filter(|name| is_secret_name(name)).collect();
        let is_refresh = |name: &&str| name.to_lowercase().contains("refresh");
        let is_key = |name: &HeaderName| {
            *name != AUTHORIZATION && *name != PROXY_AUTHORIZATION && *name != COOKIE && is_credential(name)
        };
        if !secrets.is_empty() && secrets.iter().all(is_refresh) {
            Some(Self::RefreshToken)
        } else if !secrets.is_empty() || request.secret_inside {
            Some(Self::Secret)
        } else if request.headers.iter().any(|(name, value)| {
            is_key(name) || (value.is_sensitive() && *name != COOKIE && *name != AUTHORIZATION)
        }) {
            Some(Self::Key)
        } else if request.cookie().is_some() {
            Some(Self::Cookie)
        } else {
            None
        }
    }
}

/// The fields of a form, or the members of JSON that are texts.
fn fields(request: &Request) -> Vec<(String, String)> {
    let body = request.body.as_deref().unwrap_or_default();
    if is_form(&request.headers) {
        return form_urlencoded::parse(body).into_owned().collect();
    }
    let json = Value::from_json(body).unwrap_or_default();
    let members = json.as_object().into_iter().flatten();
    members.map(|(name, value)| (name.to_string(), value.as_str().unwrap_or_default().to_owned())).collect()
}

/// What can be done about a status that was not asked for; `None` where nothing is known to help.
pub(super) fn advice(response: &Response, sent: &Sent, now_ms: i64) -> Option<String> {
    let oauth = || oauth_error(response).and_then(|error| of_oauth(error, sent)).map(str::to_owned);
    match response.status {
        407 => Some("check the user name and the password in `proxy`".to_owned()),
        429 => Some(of_429(response, sent, now_ms)),
        503 => Some(of_gateway(sent).to_owned()),
        401 => Some(oauth().unwrap_or_else(|| of_401(response, sent).to_owned())),
        _ if page::is_page(response) => Some(PAGE.to_owned()),
        403 => Some(oauth().unwrap_or_else(|| of_403(response))),
        502 | 504 => Some(of_gateway(sent).to_owned()),
        _ => oauth(),
    }
}

/// What can be done about an answer whose status is good, and in which something is missing.
pub(super) fn advice_inside(response: &Response) -> Option<String> {
    if page::is_page(response) {
        return Some(PAGE.to_owned());
    }
    response.json().ok().and_then(expectation).map(|expect| {
        format!("the server reports an error under a status that says success; `expect: {{ json: {{ {expect} }} }}` makes that a failed check")
    })
}

const USED: &str = "the refresh token was used already, was revoked or has ended: log in again";
const PASSWORD: &str = "check the user name and the password";

/// RFC 6749, 5.2, by what was asked for.
fn of_oauth(error: &str, sent: &Sent) -> Option<&'static str> {
    Some(match (error, sent.grant.as_deref()) {
        ("invalid_grant", Some("password")) => PASSWORD,
        ("invalid_grant" | "invalid_token", _) if sent.shown == Some(Shown::RefreshToken) => USED,
        ("invalid_grant", Some("authorization_code")) => {
            "a code is good once, soon, and for the same `redirect_uri`: ask for another one"
        }
        ("invalid_grant", _) => {
            "what the token was asked for with is wrong, used already or has ended: log in again"
        }
        ("invalid_client", _) => "check the client's id and its secret, and how the server wants them sent",
        ("unauthorized_client", _) => "the server does not let this client use this grant",
        ("invalid_scope", _) => "ask only for scopes that the server knows and grants you",
        ("unsupported_grant_type", _) => "the server has no such grant: is `grant_type` right?",
        _ => return None,
    })
}

fn of_401(response: &Response, sent: &Sent) -> &'static str {
    match (sent.scheme.as_deref(), sent.shown) {
        (Some("bearer"), _) if challenge(response, "error").as_deref() == Some("insufficient_scope") => {
            "the token is valid, but lacks the scope for this: log in with more scopes"
        }
        (Some("bearer"), _) => {
            "the server does not take this token: it has ended, was used already or revoked, or is for another server; log in again"
        }
        (Some("basic" | "digest"), _) => PASSWORD,
        (Some(_), _) => "check the credentials",
        (None, Some(Shown::RefreshToken)) => USED,
        (None, Some(Shown::Secret)) => "check the user name, the password and what else was sent to log in",
        (None, Some(Shown::Key)) => "check the key",
        (None, Some(Shown::Cookie)) => {
            "the server does not take the cookie: its session has ended, or it was used already; log in again"
        }
        (None, None) => "no credentials were sent: does the request need `auth`?",
    }
}

fn of_403(response: &Response) -> String {
    match challenge(response, "scope").filter(|scope| scope.len() <= 200) {
        Some(scope) => format!("the token lacks a scope; the server wants `{scope}`"),
        None => "whoever is logged in may not do this, or the server refuses this address".to_owned(),
    }
}

fn of_429(response: &Response, sent: &Sent, now_ms: i64) -> String {
    let after = response.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let wait = after
        .and_then(|header| retry::asked_for(header, now_ms))
        .map_or_else(|| "wait a while".to_owned(), |wait| format!("wait {}", quantity::show(wait)));
    if sent.shown == Some(Shown::Secret) || sent.scheme.as_deref() == Some("basic") {
        return format!(
            "too many failed logins, or requests: {wait}, and then try once with the right password"
        );
    }
    format!("too many requests: {wait}, and then send fewer at a time")
}

/// A retry under `defaults` sends no POST again for a status: only one on the step does.
const fn of_gateway(sent: &Sent) -> &'static str {
    if sent.was_repeated {
        "the server behind the gateway is down or busy, at every attempt"
    } else {
        "the server behind the gateway is down or busy; `retry: { max: 2, if: [5xx] }` on the step asks again"
    }
}

//! What a person can do about an answer that did not fit, by its status and by what was sent.

use reqwest::header::{AUTHORIZATION, RETRY_AFTER};
use url::form_urlencoded;

use crate::ground::secret::is_secret_name;
use crate::ground::value::Value;
use crate::parts::http::{Request, Response, is_form};
use crate::parts::select::page;
use crate::running::refusal::said::expectation;
use crate::running::refusal::{challenge, oauth_error};

const PAGE: &str = "an HTML page came: a proxy, a gateway or a login page answered in place of the API, or the path is wrong";

/// What a refused request had with it.
#[derive(Debug, Clone, Default)]
pub(in crate::running) struct Sent {
    /// The scheme of `Authorization`, in lower case.
    scheme: Option<String>,
    /// `grant_type` of a form.
    grant: Option<String>,
    /// Whether a secret, or what is called like one, went along elsewhere.
    has_secret: bool,
    /// Whether it was sent more than once.
    was_repeated: bool,
}

impl Sent {
    /// Of a request that was sent so often.
    pub(in crate::running) fn of(request: &Request, attempts: u32) -> Self {
        let scheme = request.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let scheme = scheme.and_then(|value| value.split(' ').next()).map(str::to_ascii_lowercase);
        let body = request.body.as_deref().unwrap_or_default();
        let fields: Vec<(String, String)> = if is_form(&request.headers) {
            form_urlencoded::parse(body).into_owned().collect()
        } else {
            Vec::new()
        };
        let grant = fields.iter().find(|(name, _)| name.eq_ignore_ascii_case("grant_type"));
        let json = Value::from_json(body).unwrap_or_default();
        let members = json.as_object().into_iter().flat_map(|members| members.keys());
        let mut names = fields.iter().map(|(name, _)| &**name).chain(members.map(|name| &**name));
        let has_secret = request.secret_inside || names.any(is_secret_name);
        let grant = grant.map(|(_, grant)| grant.clone());
        Self { scheme, grant, has_secret, was_repeated: attempts > 1 }
    }
}

/// What can be done about a status that was not asked for; `None` where nothing is known to help.
pub(in crate::running) fn advice(response: &Response, sent: &Sent) -> Option<String> {
    if page::is_page(response) && response.status != 401 {
        return Some(PAGE.to_owned());
    }
    if let Some(text) = oauth_error(response).and_then(|error| of_oauth(error, sent)) {
        return Some(text.to_owned());
    }
    match response.status {
        401 => Some(of_401(response, sent).to_owned()),
        403 => Some(of_403(response)),
        407 => Some("check the user name and the password in `proxy`".to_owned()),
        429 => Some(of_429(response)),
        502..=504 => Some(of_gateway(sent).to_owned()),
        _ => None,
    }
}

/// What can be done about an answer whose status is good, and in which something is missing.
pub(in crate::running) fn advice_inside(response: &Response) -> Option<String> {
    if page::is_page(response) {
        return Some(PAGE.to_owned());
    }
    response.json().ok().and_then(expectation).map(|expect| {
        format!("the server reports an error under a status that says success; `expect: {{ json: {{ {expect} }} }}` makes that a failed check")
    })
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
        None if sent.has_secret => "check the user name, the password and what else was sent to log in",
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

/// A retry under `defaults` sends no POST again for a status: only one on the step does.
const fn of_gateway(sent: &Sent) -> &'static str {
    if sent.was_repeated {
        "what stands behind the gateway is down or busy, and stayed so"
    } else {
        "what stands behind the gateway is down or busy; `retry: { max: 2, if: [5xx] }` on the step asks again"
    }
}

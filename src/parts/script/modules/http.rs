//! `http::`: requests that a script sends itself, through the same transport as every step.

use std::str::FromStr as _;

use reqwest::Method;
use reqwest::header::{HOST, HeaderMap, HeaderName, HeaderValue};
use rhai::{Dynamic, Map as RhaiMap};
use url::Url;

use crate::ground::diagnostic::did_you_mean;
use crate::ground::encode;
use crate::ground::given;
use crate::ground::quantity;
use crate::ground::source::Span;
use crate::parts::auth::Auth;
use crate::parts::http::Request;
use crate::parts::http::message::{Limits, is_credential, reserved};
use crate::parts::http::spec::{RenderedBody, parse_url};
use crate::parts::scope::Scope;
use crate::parts::script::api::{Call, Entry};
use crate::parts::script::handles::{Answered, in_workflow};
use crate::parts::script::request::list_of;
use crate::parts::script::run::{Answer, Failure};
use crate::parts::script::value::{Object, bytes, describe, to_dynamic, to_value};
use crate::parts::template;

/// How many requests one script may send.
const MOST: u32 = 1000;
const FIELDS: [&str; 10] =
    ["method", "url", "headers", "query", "auth", "json", "form", "body", "timeout", "limits"];

pub(in crate::parts::script) const TABLE: &[Entry] = &[
    Entry::new("get", &["url"], "sends a GET and returns the response", get),
    Entry::new(
        "send",
        &["request"],
        "sends #{ method, url, headers, query, auth, json, form, body, timeout, limits }",
        |call| {
            let fields = members(call, 0)?;
            send(call, &fields)
        },
    ),
];

fn get(call: &mut Call) -> Answer {
    let url = call.text(0)?;
    send(call, &RhaiMap::from_iter([("url".into(), url.into())]))
}

fn send(call: &Call, fields: &RhaiMap) -> Answer {
    in_workflow(call.run, "http")?;
    refuse_unknown(call, fields)?;
    let scheme = scheme(call, fields)?;
    let mut request = request(call, fields)?;
    if let Some((auth, scope)) = &scheme {
        auth.apply(&mut request, scope).map_err(|why| refused(call, &why))?;
    }
    let Some(sender) = call.run.host.sender.clone() else {
        return Err(call.error("cannot send here"));
    };
    let mut rounds = 0;
    loop {
        count(call)?;
        let response = call.run.waiting(|| sender.send(request.clone()));
        let response = response.map_err(|why| call.run.broken(why))?;
        call.run.note_server();
        let again = match &scheme {
            Some((auth, scope)) => auth.answer(&response, &mut request, rounds, scope),
            None => Ok(false),
        };
        if !again.map_err(|why| refused(call, &why))? {
            return Ok(Dynamic::from(Answered::Given(response)));
        }
        rounds += 1;
    }
}

fn count(call: &Call) -> Result<(), Failure> {
    let mut state = call.run.state();
    state.sends += 1;
    if state.sends <= MOST {
        return Ok(());
    }
    drop(state);
    Err(call.error(format!("was called more than {MOST} times")))
}

/// A map or an object as a map; its order does not matter here.
fn members(call: &mut Call, at: usize) -> Result<RhaiMap, Failure> {
    let argument = call.take(at);
    map_of(&argument).ok_or_else(|| {
        let help = "write http::send(#{ url: \"https://…\" })";
        let message = format!("`http::send` takes an object, not {}", describe(&argument));
        call.run.error(message, Some(help.to_owned()))
    })
}

fn map_of(value: &Dynamic) -> Option<RhaiMap> {
    if let Some(map) = value.read_lock::<RhaiMap>() {
        return Some(map.clone());
    }
    let object = value.read_lock::<Object>()?;
    let members = object.0.iter();
    Some(members.map(|(key, value)| (key.as_ref().into(), to_dynamic(value))).collect())
}

fn refuse_unknown(call: &Call, fields: &RhaiMap) -> Result<(), Failure> {
    match fields.keys().find(|field| !FIELDS.contains(&field.as_str())) {
        Some(field) => {
            let help =
                did_you_mean(field, FIELDS).unwrap_or_else(|| format!("it knows {}", FIELDS.join(", ")));
            Err(call.run.error(format!("`http::send` does not know `{field}`"), Some(help)))
        }
        None => Ok(()),
    }
}

fn request(call: &Call, fields: &RhaiMap) -> Result<Request, Failure> {
    let body = body(call, fields)?;
    let mut headers = headers(call, fields)?;
    body.set_media_type(&mut headers);
    let limits = limits(call, fields)?;
    let (method, url) = (method(call, fields, &body)?, url(call, fields)?);
    // The state is held while it is asked: nothing that may fail stands beside it, since an error
    // is written into the state too.
    let secret_inside = call.run.state().seen.is_secret();
    Ok(Request { headers, body: body.into_bytes(), secret_inside, limits, ..Request::new(method, url) })
}

fn present<'f>(fields: &'f RhaiMap, name: &str) -> Option<&'f Dynamic> {
    fields.get(name).filter(|field| !field.is_unit())
}

fn text(call: &Call, name: &str, value: &Dynamic) -> Result<String, Failure> {
    let text = value.as_immutable_string_ref().map(|text| text.to_string());
    text.map_err(|_| call.error(format!("takes a text as `{name}`, not {}", describe(value))))
}

fn method(call: &Call, fields: &RhaiMap, body: &RenderedBody) -> Result<Method, Failure> {
    match present(fields, "method") {
        Some(method) => {
            let method = text(call, "method", method)?;
            Method::from_str(&method).map_err(|_| call.error("was given a method that is not one word"))
        }
        None if *body == RenderedBody::None => Ok(Method::GET),
        None => Ok(Method::POST),
    }
}

fn url(call: &Call, fields: &RhaiMap) -> Result<Url, Failure> {
    let url = present(fields, "url").ok_or_else(|| call.error("needs a `url`"))?;
    let url = text(call, "url", url)?;
    // The place is that of the call: a span of the workflow would mean nothing here.
    let mut url = parse_url(&url, Span::default()).map_err(|why| {
        // A map of YAML is `#{ … }` in a script.
        let help = why.help.map(|help| help.replace('{', "#{"));
        call.error_with(&format!("cannot send: {}", why.message), help)
    })?;
    if let Some(query) = present(fields, "query") {
        let mut pairs: Vec<String> = url.query().map(str::to_owned).into_iter().collect();
        let more = list_of(call.run, "query", query)?;
        pairs
            .extend(more.iter().map(|(name, value)| format!("{}={}", encode::url(name), encode::url(value))));
        url.set_query((!pairs.is_empty()).then(|| pairs.join("&")).as_deref());
    }
    Ok(url)
}

fn headers(call: &Call, fields: &RhaiMap) -> Result<HeaderMap, Failure> {
    let mut headers = HeaderMap::new();
    let Some(given) = present(fields, "headers") else {
        return Ok(headers);
    };
    for (name, value) in list_of(call.run, "headers", given)? {
        let key = HeaderName::from_str(&name)
            .map_err(|_| call.error(format!("was given `{name}`, which cannot be the name of a header")))?;
        if let Some((why, help)) = reserved(&key) {
            return Err(call.error_with(&format!("was given `{name}`, which {why}"), Some(help.to_owned())));
        }
        if key == HOST && call.run.state().seen.from_server {
            let help = "send it before an answer was looked at, or from a step, under `headers`";
            let message = "was given `Host`, in which a server may have had a say";
            return Err(call.error_with(message, Some(help.to_owned())));
        }
        let mut value = header_value(call, &name, &value)?;
        value.set_sensitive(is_credential(&key));
        headers.append(key, value);
    }
    Ok(headers)
}

fn header_value(call: &Call, name: &str, value: &str) -> Result<HeaderValue, Failure> {
    HeaderValue::from_str(value)
        .or_else(|_| HeaderValue::from_bytes(value.as_bytes()))
        .map_err(|_| call.error(format!("was given a line break or control character in `{name}`")))
}

/// `auth: #{ bearer: token }` and every other scheme that a workflow's `auth` knows. `none` and a
/// missing one are the same.
fn scheme(call: &Call, fields: &RhaiMap) -> Result<Option<(Auth, Scope)>, Failure> {
    let Some(auth) = present(fields, "auth") else { return Ok(None) };
    let value = to_value(auth, None)?;
    let given = Auth::of_script(&value, &call.run.host.scope);
    given.map(Some).map_err(|why| unfit(call, "cannot use `auth`", why))
}

/// A value that is not what a file could have in its place.
fn unfit(call: &Call, what: &str, why: given::Error) -> Failure {
    // A map of YAML is `#{ … }` in a script.
    let help = why.help.map(|help| help.replace(": {", ": #{"));
    call.error_with(&format!("{what}: {}", why.message), help)
}

fn refused(call: &Call, why: &template::Error) -> Failure {
    call.error(format!("cannot use `auth`: {}", why.message))
}

fn body(call: &Call, fields: &RhaiMap) -> Result<RenderedBody, Failure> {
    let bodies = ["json", "form", "body"];
    // `json: ()` is the body `null`; the other two without a value are no body.
    let given: Vec<&str> = bodies
        .into_iter()
        .filter(|name| present(fields, name).is_some() || *name == "json" && fields.contains_key(*name))
        .collect();
    match given[..] {
        [] => Ok(RenderedBody::None),
        ["json"] => Ok(RenderedBody::Json(to_value(&fields["json"], None)?)),
        ["form"] => Ok(RenderedBody::Form(list_of(call.run, "form", &fields["form"])?)),
        [_] => bytes(&fields["body"])
            .map(|bytes| RenderedBody::Bytes { bytes: bytes.into(), media: None })
            .ok_or_else(|| {
                call.error(format!("takes a text or bytes as `body`, not {}", describe(&fields["body"])))
            }),
        _ => Err(call.error(format!("takes one body, not {}", given.join(" and ")))),
    }
}

fn limits(call: &Call, fields: &RhaiMap) -> Result<Limits, Failure> {
    let mut limits = Limits::default();
    if let Some(timeout) = present(fields, "timeout") {
        let timeout = text(call, "timeout", timeout)?;
        limits.timeout =
            quantity::duration(&timeout).map_err(|why| call.run.error(why.to_string(), Some(why.help())))?;
    }
    if let Some(given) = present(fields, "limits") {
        let taken = limits.take(&to_value(given, None)?);
        taken.map_err(|why| unfit(call, "cannot send", why))?;
    }
    Ok(limits)
}

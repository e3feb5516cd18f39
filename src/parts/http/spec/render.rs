//! What a request becomes when its templates are evaluated, for the wire and for people.
//!
//! It is still editable here; only [`Rendered::finish`] makes bytes of it.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, COOKIE, HOST, HeaderMap, HeaderValue};
use url::Url;

use crate::ground::encode;
use crate::ground::secret::{Marked, Marks, is_secret_name, pseudonym};
use crate::ground::source::Span;
use crate::ground::value::Value;
use crate::parts::http::channel::Channel;
use crate::parts::http::message::{Limits, Request, is_credential};
use crate::parts::http::spec::body::RenderedBody;
use crate::parts::http::spec::{Entry, RequestSpec};
use crate::parts::scope::Scope;
use crate::parts::template::{Error, Tree};

/// A request whose templates were evaluated, before a script may change it and `auth` signs it.
#[derive(Clone)]
pub struct Rendered {
    /// The method.
    pub method: Method,
    /// Where to, query included.
    pub url: Url,
    /// The headers; those that hold a secret are sensitive.
    pub headers: HeaderMap,
    /// The body.
    pub body: RenderedBody,
    /// Whether a server had a say in the URL's origin.
    pub origin_from_server: bool,
    /// Whether a secret stands in the query or the body.
    pub secret_inside: bool,
    /// The limits of the exchange.
    pub limits: Limits,
    /// How it travels; `None` where nothing was said of that.
    pub channel: Option<Arc<Channel>>,
    /// Whether cookies are sent and kept.
    pub cookies: bool,
}

impl fmt::Debug for Rendered {
    /// Where to, and no more: query and body may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let to = self.url.origin().ascii_serialization();
        f.debug_struct("Rendered").field("method", &self.method).field("to", &to).finish_non_exhaustive()
    }
}

impl RequestSpec {
    /// Evaluates all templates.
    ///
    /// # Errors
    /// Where a template cannot be evaluated, or a value cannot stand in its place.
    pub fn render(&self, scope: &Scope) -> Result<Rendered, Error> {
        let address = self.address(scope)?;
        let mut secret_inside = address.text.marks.is_secret();
        let mut text = address.text.value;
        append_query(&mut text, &self.query, scope, &mut secret_inside)?;
        let url = recent_url(text, self.url.span())?;
        let Marked { value: body, marks: body_marks } = self.body.render(scope)?;
        let headers = self.render_headers(&body, scope)?;
        let mut limits = self.limits.resolve();
        self.channel.limit(&mut limits, scope)?;
        let post = if matches!(body, RenderedBody::None) { Method::GET } else { Method::POST };
        Ok(Rendered {
            method: self.method.clone().unwrap_or(post),
            url,
            headers,
            body,
            origin_from_server: address.origin_from_server,
            secret_inside: secret_inside || body_marks.is_secret(),
            limits,
            channel: self.channel.resolve(scope)?,
            cookies: self.channel.keeps_cookies(),
        })
    }

    fn render_headers(&self, body: &RenderedBody, scope: &Scope) -> Result<HeaderMap, Error> {
        let mut headers = HeaderMap::with_capacity(self.headers.len() + 2);
        for (name, tree, span) in &self.headers {
            if *name == COOKIE {
                // A piece with a `;` in it would be a second cookie.
                let mut kept = Ok(());
                tree.templates(&mut |template| {
                    if kept.is_ok() {
                        kept = template.keeps_within(';', scope);
                    }
                });
                kept?;
            }
            each_value(tree, scope, &mut |text, marks| {
                let refused = || {
                    let message = format!(
                        "the value of the header `{name}` has a line break or a control character in it"
                    );
                    Error::new(*span, message)
                };
                if *name == HOST && marks.from_server {
                    let message = "a server had a say in the header `Host`, which chooses who answers";
                    let help = "write it out, or take it from an input";
                    return Err(Error::new(*span, message).help(help));
                }
                let mut value = HeaderValue::from_bytes(text.as_bytes()).map_err(|_| refused())?;
                value.set_sensitive(marks.is_secret() || is_credential(name));
                headers.append(name, value);
                Ok(())
            })?;
        }
        let span = || {
            let own = self.headers.iter().find(|(name, ..)| *name == CONTENT_TYPE);
            own.map_or(self.url.span(), |(_, _, span)| *span)
        };
        self.body.complete_headers(body, &mut headers, span)?;
        Ok(headers)
    }

    /// The URL as people may see it.
    ///
    /// # Errors
    /// As [`RequestSpec::render`].
    pub fn shown_url(&self, scope: &Scope) -> Result<String, Error> {
        let address = self.address(scope)?;
        let mut text = address.shown.unwrap_or(address.text.value);
        for (name, tree, _) in &self.query {
            each_value(tree, scope, &mut |value, marks| {
                let value = hidden_as(name, marks).unwrap_or_else(|| encode::url(&value));
                push_pair(&mut text, &encode::url(name), &value);
                Ok(())
            })?;
        }
        Ok(scope.needles.scrub(&text))
    }

    /// The body as people may see it.
    ///
    /// # Errors
    /// As [`RequestSpec::render`].
    pub fn shown_body(&self, scope: &Scope) -> Result<Option<String>, Error> {
        let shown = self.body.shown(scope)?;
        Ok(shown.map(|text| scope.needles.scrub(&text)))
    }
}

impl Rendered {
    /// Makes bytes of it; `auth` comes after this, and so does the jar.
    #[must_use]
    pub fn finish(self) -> Request {
        Request {
            headers: self.headers,
            body: self.body.into_bytes(),
            secret_inside: self.secret_inside,
            limits: self.limits,
            channel: self.channel,
            ..Request::new(self.method, self.url)
        }
    }
}

thread_local! {
    static RECENT: RefCell<VecDeque<(String, Url)>> = const { RefCell::new(VecDeque::new()) };
}

/// Reads a URL, unless it is one of the last few: requests mostly go where requests went before,
/// and reading a URL costs more than all the rest of rendering.
fn recent_url(text: String, span: Span) -> Result<Url, Error> {
    const KEPT: usize = 8;
    RECENT.with_borrow_mut(|recent| {
        if let Some((_, url)) = recent.iter().find(|(known, _)| *known == text) {
            return Ok(url.clone());
        }
        let url = parse_url(&text, span)?;
        recent.truncate(KEPT - 1);
        recent.push_front((text, url.clone()));
        Ok(url)
    })
}

/// Reads an absolute URL of HTTP.
///
/// # Errors
/// What it is not, and what to do; the URL itself may hold a secret and is not told.
pub fn parse_url(text: &str, span: Span) -> Result<Url, Error> {
    // The URL standard drops line breaks and tabs, so that another URL would be asked than was given.
    if text.contains(char::is_control) {
        return Err(Error::new(span, "the URL has a control character in it")
            .help("a line break at its end? cut it off"));
    }
    let url = Url::parse(text).map_err(|error| match error {
        url::ParseError::RelativeUrlWithoutBase => Error::new(span, "the URL has no scheme and host").help(
            "begin it with https://host or an input that holds them, or write `defaults: { base_url: … }`",
        ),
        other => Error::new(span, format!("this is not a URL: {other}")),
    })?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Error::new(span, format!("the scheme `{}` is not http or https", url.scheme())));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Error::new(span, "a user name or password stands in the URL")
            .help("give it with `auth: { basic: … }`"));
    }
    Ok(url)
}

fn append_query(text: &mut String, query: &[Entry], scope: &Scope, secret: &mut bool) -> Result<(), Error> {
    for (name, tree, _) in query {
        each_value(tree, scope, &mut |value, marks| {
            *secret |= marks.is_secret();
            push_pair(text, &encode::url(name), &encode::url(&value));
            Ok(())
        })?;
    }
    Ok(())
}

fn push_pair(url: &mut String, name: &str, value: &str) {
    if let Some(fragment) = url.find('#') {
        url.truncate(fragment);
    }
    match url.split_once('?') {
        None => url.push('?'),
        Some((_, "")) => {}
        Some(_) => url.push('&'),
    }
    url.push_str(name);
    url.push('=');
    url.push_str(value);
}

/// Each value of an entry as text: null is left out, a list repeats the name.
pub(super) fn each_value(
    tree: &Tree,
    scope: &Scope,
    visit: &mut dyn FnMut(String, &Marks) -> Result<(), Error>,
) -> Result<(), Error> {
    let Marked { value, marks } = tree.value(scope)?;
    match &value {
        Value::Null => Ok(()),
        Value::List(elements) => elements.iter().try_for_each(|element| match element {
            Value::Null => Ok(()),
            element => visit(element.to_text(), &marks),
        }),
        value => visit(value.to_text(), &marks),
    }
}

/// What is shown in place of a value that is a secret, by its marks or by its name.
pub(super) fn hidden_as(name: &str, marks: &Marks) -> Option<String> {
    let secret = marks.secret.as_deref().or_else(|| is_secret_name(name).then_some(name));
    secret.map(pseudonym)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ground::read::Reading;
    use crate::ground::source::Source;
    use crate::ground::yaml;

    #[test]
    fn a_header_that_carries_a_credential_by_its_name_is_sensitive() {
        let names = ["Authorization", "Proxy-Authorization", "Cookie", "Cookie2", "DPoP", "X-Api-Key"];
        for (name, sensitive) in names.map(|name| (name, true)).into_iter().chain([("Accept", false)]) {
            let source = Source::text("t", format!("{{ url: 'https://a.b/', headers: {{ {name}: x }} }}"));
            let node = yaml::read(&source).expect("the YAML is right");
            let spec = RequestSpec::read(&node, &Reading::new(&source)).expect("a request");
            let rendered = spec.render(&Scope::default()).expect("it renders");
            assert_eq!(rendered.headers[name].is_sensitive(), sensitive, "{name}");
        }
    }
}

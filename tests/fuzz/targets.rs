//! Readers of foreign bytes, each as a function that takes any bytes and asserts what must hold of all.
//! They call what the library shows to everybody, so that no door has to be opened for them. Fuzzing runs
//! them without end, and the suite over some inputs.

use std::sync::Arc;

use bytes::Bytes;
use reqchain::document::workflow::Workflow;
use reqchain::ground::clock::Clock;
use reqchain::ground::jws;
use reqchain::ground::read::Reading;
use reqchain::ground::secret::{Needles, is_jwt};
use reqchain::ground::source::Source;
use reqchain::ground::value::Value;
use reqchain::ground::yaml::{self, Kind};
use reqchain::parts::http::cookies::Jar;
use reqchain::parts::http::message::{Limits, Request, Response};
use reqchain::parts::http::redirect::{next, same_origin};
use reqchain::parts::scope::Scope;
use reqchain::parts::select::Selector;
use reqchain::parts::select::answer::{Answer, Yield};
use reqchain::parts::template::Template;
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION, SET_COOKIE};
use url::Url;

const NOW_MS: i64 = 1_767_225_600_000;

/// Any text as YAML: a tree, whose every value has its place in the text, or a mistake.
pub(crate) fn yaml(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let source = Source::text("fuzz.yaml", text);
    if let Ok(tree) = yaml::read(&source) {
        let _ = tree.to_value();
        places(&tree, text.len());
    }
}

fn places(node: &yaml::Node, end: usize) {
    let range = node.span.range();
    assert!(range.start <= range.end && range.end <= end, "{range:?} is outside of {end} bytes");
    match &node.kind {
        Kind::List(elements) => elements.iter().for_each(|element| places(element, end)),
        Kind::Map(entries) => entries.iter().for_each(|(_, value)| places(value, end)),
        Kind::Scalar(_) => {}
    }
}

/// Any text as a workflow, and as a template inside of YAML: read and rendered, or told what is wrong. No
/// message is without measure.
pub(crate) fn workflow(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    // A file that is named might be one of this machine.
    let names_a_file =
        ["uses", "mock", "file", "schema", "import", "tls"].iter().any(|word| text.contains(word));
    let parse = || Workflow::parse(&Source::text("fuzz.yaml", text)).err();
    if let Some(problems) = (!names_a_file).then(parse).flatten() {
        assert!(!problems.0.is_empty() && problems.render(false).len() < 1 << 20);
    }
    let source = Source::text("fuzz.yaml", Value::from(text).to_json());
    let Ok(tree) = yaml::read(&source) else { return };
    let Some(scalar) = tree.scalar() else { return };
    if let Some(template) = Template::read(scalar, &Reading::new(&source)) {
        let scope = Scope::new(Needles::default(), Clock::fixed(NOW_MS));
        let _ = template.value(&scope);
    }
}

/// A selector, which its first line says, on a document, which is the rest.
pub(crate) fn selector(bytes: &[u8]) {
    let line = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (written, document) = bytes.split_at(line);
    let Ok(written) = str::from_utf8(written) else { return };
    let Some((kind, path)) = written.split_once(' ') else { return };
    if !["json", "json_all", "css", "xpath", "regex", "link", "header", "cookie"].contains(&kind) {
        return;
    }
    let source = Source::text("fuzz.yaml", format!("{kind}: {}", Value::from(path).to_json()));
    let Ok(node) = yaml::read(&source) else { return };
    let Some(selector) = Selector::read(&node, &Reading::new(&source), "extract") else { return };
    let mut headers = HeaderMap::new();
    for name in ["link", "set-cookie", "x-a", "content-type"] {
        if let Ok(value) = HeaderValue::from_bytes(document.split_first().map_or(&[][..], |(_, rest)| rest)) {
            headers.insert(name, value);
        }
    }
    let mut wanted = Yield::default();
    wanted.add(&selector);
    let response = Arc::new(Response::new(200, headers, Bytes::copy_from_slice(document), here()));
    if let Err(missing) = selector.find(&Answer::read(&response, &Arc::new(wanted))) {
        assert!(missing.text(&Needles::default()).len() < 1 << 16);
    }
}

/// Lines as `Set-Cookie` headers: what is sent back is one small header without control bytes, and goes to
/// nobody else.
pub(crate) fn cookie(bytes: &[u8]) {
    let clock = Clock::fixed(NOW_MS);
    let jar = Jar::new(&Needles::default(), &clock);
    let mut headers = HeaderMap::new();
    for line in bytes.split(|byte| *byte == b'\n').take(100) {
        if let Ok(value) = HeaderValue::from_bytes(line) {
            headers.append(SET_COOKIE, value);
        }
    }
    jar.store(&here(), &headers);
    let own = HeaderMap::new();
    for url in [here(), address("https://api.example.com/a/b/c"), address("https://example.com/")] {
        if let Some(sent) = jar.header(&url, &own) {
            assert!(sent.len() <= 8192, "{} bytes", sent.len());
            assert!(!sent.as_bytes().iter().any(|byte| *byte < 0x20 && *byte != b'\t' || *byte == 0x7f));
        }
    }
    for foreign in ["https://example.org/", "https://evilexample.com/", "https://com/", "http://127.0.0.1/"] {
        assert!(jar.header(&address(foreign), &own).is_none(), "{foreign} gets a cookie");
    }
}

/// A status and a `Location`: what follows is http, has no password and no fragment in its URL, and takes
/// neither credential nor body to another origin.
pub(crate) fn redirect(bytes: &[u8]) {
    let Some((first, location)) = bytes.split_first() else { return };
    let Ok(location) = HeaderValue::from_bytes(location) else { return };
    let statuses = [301, 302, 303, 307, 308];
    let status = statuses[usize::from(*first) % statuses.len()];
    let headers = HeaderMap::from_iter([(LOCATION, location)]);
    let mut secret = HeaderValue::from_static("Bearer abcdefgh");
    secret.set_sensitive(true);
    let own = [(AUTHORIZATION, secret), (CONTENT_TYPE, HeaderValue::from_static("text/plain"))];
    for method in [Method::GET, Method::POST] {
        let request = Request {
            body: (method == Method::POST).then(|| Bytes::from_static(b"body")),
            method,
            url: here(),
            headers: HeaderMap::from_iter(own.clone()),
            secret_inside: true,
            limits: Limits::default(),
            channel: None,
            jar: None,
            needles: None,
        };
        let Ok(Some(step)) = next(&request, status, &headers, &[]) else { continue };
        let to = &step.request.url;
        assert!(["http", "https"].contains(&to.scheme()), "{to}");
        assert!(to.username().is_empty() && to.password().is_none() && to.fragment().is_none(), "{to}");
        if !same_origin(&request.url, to) {
            assert!(step.request.headers.get(AUTHORIZATION).is_none(), "{to} gets the credential");
            assert!(step.request.body.is_none(), "{to} gets the body");
        }
        assert_eq!(Url::parse(to.as_str()).as_ref(), Ok(to), "a URL reads as itself");
    }
}

/// A token and, in its second line, a key: nothing is verified that was not signed, and reading ends.
pub(crate) fn jwt(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let (token, key) = text.split_once('\n').unwrap_or((text, "a key that nobody signed with"));
    let _ = is_jwt(token);
    for algorithm in [None, Some("HS256"), Some("RS256"), Some("ES256"), Some("none")] {
        if let Ok(verified) = jws::verify(token, key, algorithm) {
            assert!(!token.ends_with('.'), "a token without a signature was verified");
            assert!(verified.header.get("alg").and_then(Value::as_str).is_some_and(|name| name != "none"));
        }
    }
    let document = Value::from(token).to_json();
    let source = Source::text("fuzz.yaml", "jwt: { from: $, claim: sub }");
    let Ok(node) = yaml::read(&source) else { return };
    let Some(selector) = Selector::read(&node, &Reading::new(&source), "extract") else { return };
    let mut wanted = Yield::default();
    wanted.add(&selector);
    let response = Arc::new(Response::new(200, HeaderMap::new(), Bytes::from(document), here()));
    let _ = selector.find(&Answer::read(&response, &Arc::new(wanted)));
}

/// A secret in the first line, and a text that has it in several places: none of it is left.
pub(crate) fn redaction(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let Some((secret, text)) = text.split_once('\n') else { return };
    // What is shorter is not searched for; what holds the marks of a pseudonym could be made by one.
    if secret.len() < 8 || secret.contains(['«', '»']) || secret.trim() != secret {
        return;
    }
    let needles = Needles::default();
    needles.learn(&"s".into(), secret);
    for around in [text.to_owned(), format!("{text}{secret}{text}"), format!("{secret}{secret}{text}")] {
        let shown = needles.scrub(&around);
        assert!(!shown.contains(secret), "the secret is shown");
        let hits = needles.find(&around);
        assert!(hits.windows(2).all(|pair| pair[0].range.end <= pair[1].range.start), "hits overlap");
        assert!(hits.iter().all(|hit| around.get(hit.range.clone()).is_some()), "a hit cuts a letter");
    }
}

fn here() -> Url {
    address("https://api.example.com/a/b")
}

fn address(text: &str) -> Url {
    Url::parse(text).expect("the target's URL is right")
}

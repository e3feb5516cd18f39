//! Readers of foreign bytes, each as a function that takes any bytes and asserts what must hold of all.
//! They call what the library shows to everybody. Fuzzing runs them without end, and the suite over some
//! inputs.

pub(crate) mod forms;

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
use reqchain::parts::auth::Auth;
use reqchain::parts::http::cookies::Jar;
use reqchain::parts::http::decode::{Decoder, Fault, codings};
use reqchain::parts::http::message::{Limits, Request, Response};
use reqchain::parts::http::origin::same_origin;
use reqchain::parts::http::redirect::{Next, next};
use reqchain::parts::scope::Scope;
use reqchain::parts::select::Selector;
use reqchain::parts::select::answer::{Answer, Yield};
use reqchain::parts::template::Template;
use reqwest::Method;
use reqwest::header::{
    AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION, SET_COOKIE,
    WWW_AUTHENTICATE,
};
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
    let (written, document) = first_line(bytes);
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
        if let Ok(value) = HeaderValue::from_bytes(document) {
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

/// What may be known by its value alone.
const KNOWN: &str = "hunter2-hunter2";
const ECHO: HeaderName = HeaderName::from_static("x-echo");
const PLAIN: HeaderName = HeaderName::from_static("x-plain");

/// A byte that chooses the status and whether an origin is trusted, and the `Location` of each answer in a
/// line of its own: what follows is http, has no password and no fragment in its URL, and takes neither
/// credential nor body to an origin that is not trusted, nor back from there, nor out of https.
pub(crate) fn redirect(bytes: &[u8]) {
    let Some((first, locations)) = bytes.split_first() else { return };
    let statuses = [301, 302, 303, 307, 308];
    let status = statuses[usize::from(*first) % statuses.len()];
    let trusted = address("https://login.example.com/").origin();
    let limits = Limits { trust: (*first >= 128).then(|| vec![trusted].into()), ..Limits::default() };
    for method in [Method::GET, Method::POST] {
        let (mut request, mut hops, mut has_left) = (credentialed(method, limits.clone()), Vec::new(), false);
        for location in locations.split(|byte| *byte == b'\n').take(20) {
            let Ok(location) = HeaderValue::from_bytes(location) else { continue };
            let headers = HeaderMap::from_iter([(LOCATION, location)]);
            let Ok(Some(step)) = next(&request, status, &headers, &hops) else { break };
            has_left |= leaves(&request, &step.request.url);
            judge_step(&request, &step, has_left);
            hops.push(step.hop);
            assert!(hops.len() <= limits.max_redirects as usize, "the chain has no end");
            request = step.request;
        }
    }
}

/// A request with a credential that is marked, one that is known by its value, and a header that is none.
fn credentialed(method: Method, limits: Limits) -> Request {
    let needles = Needles::default();
    needles.learn(&"password".into(), KNOWN);
    let mut marked = HeaderValue::from_static("Bearer abcdefgh");
    marked.set_sensitive(true);
    let echo = HeaderValue::from_static("by hunter2-hunter2 again");
    let plain = HeaderValue::from_static("kept");
    let media = HeaderValue::from_static("text/plain");
    Request {
        body: (method == Method::POST).then(|| Bytes::from_static(b"body")),
        headers: HeaderMap::from_iter([
            (AUTHORIZATION, marked),
            (ECHO, echo),
            (PLAIN, plain),
            (CONTENT_TYPE, media),
        ]),
        secret_inside: true,
        limits,
        needles: Some(needles),
        ..Request::new(method, here())
    }
}

/// Whether a redirect leads to an origin that is neither trusted, nor that of the first request where any is.
fn leaves(request: &Request, to: &Url) -> bool {
    let trust = request.limits.trust.as_deref();
    let is_trusted = trust.is_some_and(|trust| trust.contains(&to.origin()) || same_origin(&here(), to));
    !same_origin(&request.url, to) && !is_trusted
}

fn judge_step(before: &Request, step: &Next, has_left: bool) {
    let (request, to) = (&step.request, &step.request.url);
    assert!(["http", "https"].contains(&to.scheme()), "{to}");
    assert!(to.username().is_empty() && to.password().is_none() && to.fragment().is_none(), "{to}");
    assert_eq!(Url::parse(to.as_str()).as_ref(), Ok(to), "a URL reads as itself");
    let carries = [AUTHORIZATION, ECHO].map(|name| request.headers.contains_key(name));
    assert_eq!(carries, [!has_left; 2], "{} to {to}", before.url);
    assert!(request.headers.contains_key(PLAIN), "what is no secret goes along");
    assert!(!has_left || request.body.is_none(), "{to} gets the body");
    let is_downgrade = before.url.scheme() == "https" && to.scheme() == "http";
    assert!(!is_downgrade || before.headers.get(AUTHORIZATION).is_none(), "{to} is not encrypted");
    let had = before.headers.contains_key(AUTHORIZATION);
    assert_eq!(step.hop.dropped_credentials, had && has_left, "what is told of {to}");
}

/// A `Content-Encoding` in the first line, and a body: whatever it becomes, it stays within its limits, and
/// however it was cut on its way makes no difference.
pub(crate) fn decode(bytes: &[u8]) {
    const MOST: u64 = 1 << 18;
    let (coding, body) = first_line(bytes);
    let Ok(coding) = HeaderValue::from_bytes(coding) else { return };
    let Ok(codings) = codings(&HeaderMap::from_iter([(CONTENT_ENCODING, coding)])) else { return };
    let decoded = |piece: usize| {
        let mut decoder = Decoder::new(&codings, MOST, 200);
        body.chunks(piece).try_for_each(|piece| decoder.take(piece))?;
        decoder.finish()
    };
    let whole = decoded(body.len().max(1));
    assert!(whole.as_ref().is_ok_and(|body| body.len() as u64 <= MOST) || whole.is_err());
    for piece in [1, 7] {
        match (&whole, &decoded(piece)) {
            (Ok(whole), Ok(pieces)) => assert!(whole == pieces, "pieces of {piece} give something else"),
            (Err(Fault::Corrupt(..)), Err(Fault::Corrupt(..)))
            | (_, Err(Fault::TooLarge | Fault::Ratio(_)))
            | (Err(Fault::TooLarge | Fault::Ratio(_)), _) => {}
            (whole, pieces) => {
                panic!("whole {:?}, in pieces of {piece} {:?}", whole.as_ref().err(), pieces.as_ref().err())
            }
        }
    }
}

/// A `Content-Type` in the first line, and a body: it is a text that is not much longer, the text itself where
/// it is plain, and its beginning is the beginning.
pub(crate) fn charset(bytes: &[u8]) {
    let (media, body) = first_line(bytes);
    let Ok(value) = HeaderValue::from_bytes(media) else { return };
    let headers = HeaderMap::from_iter([(CONTENT_TYPE, value)]);
    let response = Response::new(200, headers, Bytes::copy_from_slice(body), here());
    let text = response.text();
    assert!(text.len() <= 3 * body.len(), "{} bytes of {}", text.len(), body.len());
    let is_wide = String::from_utf8_lossy(media).to_lowercase().contains("utf-16");
    assert!(is_wide || !body.is_ascii() || text.as_bytes() == body, "a plain text is another");
    let (beginning, _) = response.beginning(8);
    let whole_letters = beginning.trim_end_matches(char::REPLACEMENT_CHARACTER);
    assert!(text.starts_with(whole_letters), "{beginning:?} does not begin {text:?}");
    let media = response.media_type().unwrap_or_default();
    assert!(!media.contains(';') && media.trim() == media, "{media:?}");
}

/// Lines as `WWW-Authenticate` headers of a 401: a challenge that is answered is answered once, in one header
/// that cannot be left by what the server said, and only where it came from.
pub(crate) fn challenge(bytes: &[u8]) {
    const PASSWORD: &str = "correct-horse-battery";
    let mut headers = HeaderMap::new();
    for line in bytes.split(|byte| *byte == b'\n').take(20) {
        if let Ok(value) = HeaderValue::from_bytes(line) {
            headers.append(WWW_AUTHENTICATE, value);
        }
    }
    let source = Source::text("fuzz.yaml", format!("digest: {{ username: 'a\"b', password: {PASSWORD} }}"));
    let node = yaml::read(&source).expect("the target's YAML is right");
    let auth = Auth::read(&node, &Reading::new(&source)).expect("the target's scheme is right");
    let scope = Scope::new(Needles::default(), Clock::fixed(NOW_MS));
    let mut request = credentialed(Method::GET, Limits::default());
    request.headers.clear();
    let stranger = Response::new(401, headers.clone(), Bytes::new(), address("https://evil.example/"));
    assert!(!auth.answer(&stranger, &mut request, 0, &scope).unwrap_or_default(), "a stranger is answered");
    let response = Response::new(401, headers, Bytes::new(), here());
    if !auth.answer(&response, &mut request, 0, &scope).unwrap_or_default() {
        assert!(request.headers.get(AUTHORIZATION).is_none(), "nobody asked for it");
        return;
    }
    let sent = request.headers.get_all(AUTHORIZATION).iter().collect::<Vec<_>>();
    let [sent] = sent[..] else { panic!("{} credentials", sent.len()) };
    let text = String::from_utf8_lossy(sent.as_bytes());
    assert!(sent.is_sensitive() && text.starts_with("Digest username="), "{text}");
    assert!(!text.contains(PASSWORD) || String::from_utf8_lossy(bytes).contains(PASSWORD), "{text}");
    let outside = text.replace("\\\\", "").replace("\\\"", "");
    let outside: String = outside.split('"').step_by(2).collect();
    let fits = |c: char| c.is_ascii_alphanumeric() || " =,-".contains(c);
    assert!(outside.chars().all(fits), "what is not quoted is ours: {outside}");
}

fn first_line(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    (&bytes[..end], bytes.get(end + 1..).unwrap_or_default())
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

/// A secret in the first line, and a text that has it in several places and in every form that is promised to
/// be found: none of it is left.
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
    // What is broken is looked for without its blanks, and must be long enough so, too. Behind an escape
    // that stands open, or inside of one, nothing is a colour.
    let is_short = secret.split_whitespace().map(str::len).sum::<usize>() < 8;
    let is_escaped = bytes.contains(&0x1b);
    for (name, form) in forms::forms(secret).into_iter().chain(forms::beginnings(secret)) {
        if name == "in lines" && is_short || name == "coloured" && is_escaped {
            continue;
        }
        let shown = needles.scrub(&format!("{text}\n{form}\n{text}"));
        assert!(!shown.contains(&form), "the secret {secret:?} is shown as {name}: {shown:?}");
    }
}

fn here() -> Url {
    address("https://api.example.com/a/b")
}

fn address(text: &str) -> Url {
    Url::parse(text).expect("the target's URL is right")
}

//! Hostile values in every place of a request: what the server sees is exactly the value in its place,
//! or there is an error that names the place, and nothing is sent. The values come from a server, as a
//! token would; no place and no value knows of another.

mod captured;
mod places;

use std::fmt::Write as _;

use reqchain::running::Cause;

use crate::scenario::{Ran, Reply, Scenario, Seen, says};
use places::{PLACES, Place};

/// What is put in, with a name for messages.
fn values() -> Vec<(&'static str, String)> {
    let mut values: Vec<(&str, String)> = [
        ("a word", "plain-word"),
        ("quotes", "a\"b'c`d"),
        ("the end of a JSON text", "x\",\"role\":\"admin"),
        ("a line break", "a\r\nX-Evil: 1\r\n\r\nGET /evil HTTP/1.1"),
        ("a line feed", "a\nb"),
        ("a NUL", "a\0b"),
        ("a way up", "/../../admin"),
        ("a dot", "."),
        ("dots", ".."),
        ("encoded dots", "%2e%2e"),
        ("an encoded way up", "%2e%2e%2fadmin%00"),
        ("a query", "a?role=admin"),
        ("a fragment", "a#b"),
        ("a host", "a@evil.example"),
        ("a name and a password", "a:b@evil.example"),
        ("an encoded dot", "evil%2eexample"),
        ("a dot of the world", "evil\u{3002}example"),
        ("a slash of the world", "\u{ff0f}evil.example"),
        ("a host behind slashes", "//evil.example/x"),
        ("a way up by backslashes", "\\..\\x"),
        ("a backslash", "\\\\evil.example\\x"),
        ("a parameter", "a&role=admin"),
        ("a plus", "a+b=c"),
        ("a cookie", "a; role=admin, b"),
        ("a template", "{{ 1 + 1 }}{% for x in y %}"),
        ("a text of a script", "${x}`${vars.v}`"),
        ("a command", "$(id)`id`;id"),
        ("letters of the world", "naïve 日本 🦀"),
        ("what turns text around", "a\u{202e}b\u{1b}[2J"),
        ("a space at both ends", " a "),
        ("a boundary", "--B\r\nContent-Disposition: form-data; name=\"role\"\r\n\r\nadmin"),
    ]
    .map(|(name, value)| (name, value.to_owned()))
    .into();
    values.push(("200 kB", "x".repeat(200 * 1024)));
    values
}

/// Every value in every place (S19–S26).
#[test]
fn a_value_stays_in_its_place_or_nothing_is_sent() {
    let mut wrong = String::new();
    for place in PLACES {
        for (name, value) in values() {
            if let Err(why) = put(place, &value) {
                let _ = writeln!(wrong, "{name} as {}: {why}", place.name);
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

fn put(place: &Place, value: &str) -> Result<(), String> {
    let step = place.step.replace('\n', "\n    ");
    let expect = if step.starts_with("script") { "" } else { "expect: { status: any }" };
    let flow = format!(
        "steps:\n  - request: GET {{{{ base }}}}/value\n    extract: {{ v: {{ json: $.v, secret: false }} }}\n  - id: put\n    {step}\n    {expect}\n"
    );
    let answer = serde_json::json!({ "v": value }).to_string();
    let scenario = Scenario::new(&flow).on("GET /value", move |_| Reply::json(answer.clone()));
    let ran = scenario.server("way", |_| {}).run();
    assert!(ran.finished.is_ok(), "{}: {}", place.name, ran.error());
    let seen: Vec<Seen> = ran.seen_at("base").into_iter().skip(1).chain(ran.seen_at("way")).collect();
    match (seen.as_slice(), (place.fails)(value)) {
        ([], true) => judge_error(&ran, place),
        ([], false) => Err(format!("nothing was sent: {}", beginning(&ran.error()))),
        ([one], true) => Err(format!("it was sent: {}", shown(one))),
        ([one], false) => {
            let is_same = (place.seen)(one).is_some_and(|came| (place.same)(&came, value));
            if is_same { Ok(()) } else { Err(format!("the server saw {}", shown(one))) }
        }
        (many, _) => Err(format!("{} requests came", many.len())),
    }
}

fn judge_error(ran: &Ran, place: &Place) -> Result<(), String> {
    let error = ran.error();
    let could_not = ran.finished.as_ref().is_ok_and(|ran| ran.cause() == Some(Cause::CouldNotRun));
    // What follows the message is the place in the file, with the line that stands there.
    let message = error.lines().next().unwrap_or_default();
    let is_named = place.told.iter().any(|told| message.contains(told));
    if could_not && is_named && error.contains("flow.yaml:") && error.len() < 4096 {
        Ok(())
    } else {
        Err(format!("the error is `{}`", beginning(&error)))
    }
}

fn beginning(text: &str) -> String {
    text.chars().take(300).collect()
}

fn shown(seen: &Seen) -> String {
    let headers = seen.headers.iter().map(|(name, value)| format!("{name}: {}", beginning(value)));
    let headers: Vec<String> = headers.collect();
    let (method, target) = (beginning(&seen.method), beginning(&seen.target));
    format!("{method} {target} {headers:?} {}", beginning(&seen.body))
}

/// A first step extracts `value` from what the server `base` said; `then` is the second.
fn captured(value: &'static str, then: &str) -> Scenario {
    let steps = format!(
        "steps:\n  - {{ request: 'GET {{{{ base }}}}/start', extract: {{ value: $.value }} }}\n  - {then}\n"
    );
    let answer = serde_json::json!({ "value": value }).to_string();
    Scenario::new(&steps).on("GET /start", move |_| Reply::json(answer.clone()))
}

/// Also where no place is: a whole URL (S23).
#[test]
fn a_url_with_a_line_break_is_an_error_wherever_it_comes_from() {
    for then in [
        "{ request: { url: '{{ base }}/b' }, before: \"request.url = vars.base + '/b' + \\\"\\\\r\\\\nX: 1\\\";\" }",
        "script: \"http::get(vars.base + \\\"/b\\\\n\\\");\"",
        "script: \"http::send(#{ url: vars.base + \\\"/b\\\\t\\\" });\"",
        "request: { url: '{{ base }}/{{ value | raw }}' }",
        "request: { url: '{{ value }}' }",
    ] {
        let then = then.replace("'/b'", "\\\"/b\\\"");
        let ran = captured("http://127.0.0.1:1/\r\nb", &then).run();
        ran.fails_with(Cause::CouldNotRun).saw(["GET /start"]);
        says(&ran.error(), &["the URL has a control character in it", "flow.yaml:3:"]);
    }
}

/// Nor does a script (S22).
#[test]
fn no_script_frames_the_message_or_speaks_of_the_connection() {
    for name in
        ["Content-Length", "transfer-encoding", "Connection", "Keep-Alive", "Upgrade", "TE", "Trailer"]
    {
        for then in [
            format!(
                "{{ request: {{ url: '{{{{ base }}}}/b' }}, before: 'request.headers[\"{name}\"] = \"1\";' }}"
            ),
            format!(
                "script: 'http::send(#{{ url: vars.base + \"/b\", headers: #{{ \"{name}\": \"1\" }} }});'"
            ),
        ] {
            let ran = captured("x", &then).run();
            ran.fails_with(Cause::CouldNotRun).saw(["GET /start"]);
            says(&ran.error(), &[name, "leave it out", "flow.yaml:3:"]);
        }
    }
}

/// Who answers is the user's choice (S22).
#[test]
fn the_header_host_is_the_users_own_and_no_servers() {
    for then in [
        "request: { url: '{{ base }}/b', headers: { Host: '{{ value }}' } }",
        "request: { url: '{{ base }}/b', headers: { host: 'x.{{ value }}' } }",
        "{ request: { url: '{{ base }}/b' }, before: 'request.headers[\"Host\"] = vars.value;' }",
        "script: 'http::send(#{ url: vars.base + \"/b\", headers: #{ \"Host\": vars.value } });'",
    ] {
        let ran = captured("evil.example", then).run();
        ran.fails_with(Cause::CouldNotRun).saw(["GET /start"]);
        says(&ran.error(), &["Host", "a server", "flow.yaml:3:"]);
    }
    for then in [
        "request: { url: '{{ base }}/b', headers: { Host: shop.example } }",
        "{ request: { url: '{{ base }}/b' }, before: 'request.headers[\"Host\"] = \"shop.example\";' }",
        "{ request: { url: '{{ base }}/b', headers: { Host: shop.example } }, before: 'request.headers[\"X\"] = vars.value;' }",
        "script: 'http::send(#{ url: vars.base + \"/b\", headers: #{ \"Host\": \"shop.example\" } });'",
    ] {
        let ran = captured("x", then).json("GET /b", "{}").run();
        ran.passed();
        assert_eq!(ran.seen("GET /b").header("host"), "shop.example", "{then}");
    }
}

/// What is refused is told by the name of the header and the place, never by its value (S22).
#[test]
fn a_header_with_a_line_break_in_it_is_not_sent() {
    for then in [
        "request: { url: '{{ base }}/b', headers: { X-Trace: '{{ value }}' } }",
        "{ request: { url: '{{ base }}/b' }, before: 'request.headers[\"X-Trace\"] = vars.value;' }",
        "script: 'http::send(#{ url: vars.base + \"/b\", headers: #{ \"X-Trace\": vars.value } });'",
    ] {
        let ran = captured("abcdefgh\r\nX-Evil: 1", then).run();
        ran.fails_with(Cause::CouldNotRun).saw(["GET /start"]);
        says(&ran.error().to_lowercase(), &["x-trace", "flow.yaml:3:"]);
        assert!(!ran.error().contains("abcdefgh"), "{}", ran.error());
    }
}

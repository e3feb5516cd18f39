//! Hostile values in every place of a request: what the server sees is exactly the value in its place,
//! or there is an error that names the place, and nothing is sent. The values come from a server, as a
//! token would; no place and no value knows of another.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use reqchain::running::Cause;
use url::form_urlencoded;

use crate::scenario::{Ran, Reply, Scenario, Seen};

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
        ("dots", ".."),
        ("encoded dots", "%2e%2e"),
        ("an encoded way up", "%2e%2e%2fadmin%00"),
        ("a query", "a?role=admin"),
        ("a fragment", "a#b"),
        ("a host", "a@evil.example"),
        ("a host behind slashes", "//evil.example/x"),
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

/// A place in a request.
struct Place {
    name: &'static str,
    /// Keys of the request, or the keys of a step from `before` on.
    step: &'static str,
    /// What the server saw in that place, where nothing else stands there.
    seen: fn(&Seen) -> Option<String>,
    /// Which values cannot be sent there: they must be an error.
    fails: fn(&str) -> bool,
}

const PLACES: &[Place] = &[
    // A piece of a path (S23).
    Place {
        name: "a segment",
        step: "request: { url: '{{ base }}/p/{{ v }}/end' }",
        seen: |seen| {
            let piece = seen.target.strip_prefix("/p/")?.strip_suffix("/end")?;
            (!piece.contains(['/', '?', '#'])).then(|| decoded(piece))
        },
        fails: |value| is_dots(value) || is_too_long(value),
    },
    Place {
        name: "a query in the URL",
        step: "request: { url: '{{ base }}/p?v={{ v }}&z=end' }",
        seen: |seen| pair(seen.target.strip_prefix("/p?")?, &["v", "z"], "end"),
        fails: is_too_long,
    },
    Place {
        name: "a query",
        step: "request: { url: '{{ base }}/p', query: { v: '{{ v }}', z: end } }",
        seen: |seen| pair(seen.target.strip_prefix("/p?")?, &["v", "z"], "end"),
        fails: is_too_long,
    },
    Place {
        name: "a name of a query, by a script",
        step: "request: { url: '{{ base }}/p' }\nbefore: request.query[vars.v] = \"end\";",
        seen: |seen| {
            let pairs: Vec<_> = pairs(seen.target.strip_prefix("/p?")?);
            let [(name, end)] = pairs.as_slice() else { return None };
            (end == "end").then(|| name.clone())
        },
        fails: is_too_long,
    },
    Place {
        name: "a header",
        step: "request: { url: '{{ base }}/p', headers: { X-V: '{{ v }}' } }",
        seen: |seen| Some(seen.header("x-v").to_owned()),
        fails: is_no_header,
    },
    Place {
        name: "a header, by a script",
        step: "request: { url: '{{ base }}/p' }\nbefore: request.headers[\"X-V\"] = vars.v;",
        seen: |seen| Some(seen.header("x-v").to_owned()),
        fails: is_no_header,
    },
    Place {
        name: "a cookie header",
        step: "request: { url: '{{ base }}/p', headers: { Cookie: '{{ v }}' } }",
        seen: |seen| Some(seen.header("cookie").to_owned()),
        fails: is_no_header,
    },
    Place {
        name: "a form",
        step: "request: { url: '{{ base }}/p', method: POST, form: { v: '{{ v }}', z: end } }",
        seen: |seen| pair(&seen.body, &["v", "z"], "end"),
        fails: |_| false,
    },
    Place {
        name: "a text of JSON",
        step: "request: { url: '{{ base }}/p', method: POST, json: { v: '{{ v }}', z: end } }",
        seen: |seen| json(seen, "", ""),
        fails: |_| false,
    },
    Place {
        name: "inside a text of JSON",
        step: "request: { url: '{{ base }}/p', method: POST, json: { v: '<{{ v }}>', z: end } }",
        seen: |seen| json(seen, "<", ">"),
        fails: |_| false,
    },
    Place {
        name: "a text in place of JSON, with its filter",
        step: "request: { url: '{{ base }}/p', method: POST, body: '{\"v\":{{ v | tojson }},\"z\":\"end\"}' }",
        seen: |seen| json(seen, "", ""),
        fails: |_| false,
    },
    Place {
        name: "a text",
        step: "request: { url: '{{ base }}/p', method: POST, body: '<{{ v }}>' }",
        seen: |seen| Some(seen.body.strip_prefix('<')?.strip_suffix('>')?.to_owned()),
        fails: |_| false,
    },
    Place {
        name: "a part",
        step: "request: { url: '{{ base }}/p', method: POST, multipart: [{ name: v, value: '{{ v }}' }, { name: z, value: end }] }",
        seen: |seen| {
            let [(head, value), (last, end)] = parts(seen)?.try_into().ok()?;
            let expected = "content-disposition: form-data; name=\"v\"";
            let whole = head.to_lowercase().contains(expected) && last.contains("name=\"z\"") && end == "end";
            whole.then_some(value)
        },
        fails: |_| false,
    },
    Place {
        name: "the file name of a part",
        step: "request: { url: '{{ base }}/p', method: POST, multipart: [{ name: v, value: abc, filename: '{{ v }}' }, { name: z, value: end }] }",
        seen: |seen| {
            let [(head, value), (last, end)] = parts(seen)?.try_into().ok()?;
            let whole = value == "abc" && last.contains("name=\"z\"") && end == "end";
            whole.then_some(quoted(&head, "; filename=\"")?)
        },
        fails: |_| false,
    },
    Place {
        name: "the name of a part",
        step: "request: { url: '{{ base }}/p', method: POST, multipart: [{ name: '{{ v }}', value: abc }, { name: z, value: end }] }",
        seen: |seen| {
            let [(head, value), (last, end)] = parts(seen)?.try_into().ok()?;
            let whole = value == "abc" && last.contains("name=\"z\"") && end == "end";
            whole.then_some(quoted(&head, "; name=\"")?)
        },
        fails: |_| false,
    },
    Place {
        name: "a bearer",
        step: "request: { url: '{{ base }}/p', auth: { bearer: '{{ v }}' } }",
        seen: |seen| Some(seen.header("authorization").strip_prefix("Bearer ")?.to_owned()),
        fails: |value| {
            let is_token = |c: char| c.is_ascii_alphanumeric() || "-._~+/=".contains(c);
            let value = value.trim_end_matches('=');
            value.len() > 64 * 1024 || value.contains('=') || !value.chars().all(is_token)
        },
    },
    Place {
        name: "a user of basic",
        step: "request: { url: '{{ base }}/p', auth: { basic: { username: '{{ v }}', password: abcdefgh } } }",
        seen: |seen| Some(basic(seen)?.strip_suffix(":abcdefgh")?.to_owned()),
        fails: |value| value.contains(':'),
    },
    Place {
        name: "a password of basic",
        step: "request: { url: '{{ base }}/p', auth: { basic: { username: ann, password: '{{ v }}' } } }",
        seen: |seen| Some(basic(seen)?.strip_prefix("ann:")?.to_owned()),
        fails: |_| false,
    },
    Place {
        name: "an API key in a header",
        step: "request: { url: '{{ base }}/p', auth: { api_key: { header: X-V, value: '{{ v }}' } } }",
        seen: |seen| Some(seen.header("x-v").to_owned()),
        fails: is_no_header,
    },
    Place {
        name: "an API key in a query",
        step: "request: { url: '{{ base }}/p', auth: { api_key: { query: v, value: '{{ v }}' } } }",
        seen: |seen| {
            let pairs = pairs(seen.target.strip_prefix("/p?")?);
            let [(name, value)] = pairs.as_slice() else { return None };
            (name == "v").then(|| value.clone())
        },
        fails: is_too_long,
    },
    Place {
        name: "an API key in a cookie",
        step: "request: { url: '{{ base }}/p', auth: { api_key: { cookie: v, value: '{{ v }}' } } }",
        seen: |seen| Some(seen.header("cookie").strip_prefix("v=")?.to_owned()),
        // RFC 6265, section 4.1.1: cookie-octet.
        fails: |value| value.contains(|c: char| !c.is_ascii_graphic() || "\",;\\".contains(c)),
    },
    Place {
        name: "a method, by a script",
        step: "request: { url: '{{ base }}/p' }\nbefore: request.method = vars.v;",
        seen: |seen| Some(seen.method.to_ascii_lowercase()),
        // RFC 9110, section 5.6.2: a token.
        fails: |value| {
            let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
            !value.trim().chars().all(is_token)
        },
    },
    // Where the value makes a name, it is not looked for: the proxy is nobody.
    Place {
        name: "behind the host",
        step: "request: { url: '{{ base }}{{ v }}/p', proxy: 'http://127.0.0.1:1' }",
        seen: |_| None,
        fails: |_| true,
    },
    Place {
        name: "a host",
        step: "request: { url: 'http://{{ v }}:1/p', proxy: 'http://127.0.0.1:1' }",
        seen: |_| None,
        fails: |_| true,
    },
    Place {
        name: "the host header",
        step: "request: { url: '{{ base }}/p', headers: { Host: '{{ v }}' } }",
        seen: |_| None,
        fails: |_| true,
    },
];

/// The most that a URL may have is 64 KiB, less a byte.
fn is_too_long(value: &str) -> bool {
    value.len() > 65_000
}

fn is_dots(value: &str) -> bool {
    [".", ".."].contains(&value)
}

/// RFC 9110, section 5.5: no control characters but the tab; blanks at the ends are not part of it.
fn is_no_header(value: &str) -> bool {
    value.contains(|c: char| c.is_ascii_control() && c != '\t')
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn pairs(text: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}

/// The first value, where the names are these and the last value is that.
fn pair(text: &str, names: &[&str], last: &str) -> Option<String> {
    let pairs = pairs(text);
    let right = pairs.iter().map(|(name, _)| name.as_str()).eq(names.iter().copied());
    (right && pairs.last()?.1 == last).then(|| pairs[0].1.clone())
}

fn json(seen: &Seen, before: &str, after: &str) -> Option<String> {
    let body: serde_json::Value = serde_json::from_str(&seen.body).ok()?;
    let members = body.as_object()?;
    let whole = members.len() == 2 && members.get("z")? == "end";
    let value = members.get("v")?.as_str()?.strip_prefix(before)?.strip_suffix(after)?;
    whole.then(|| value.to_owned())
}

fn basic(seen: &Seen) -> Option<String> {
    let bytes = STANDARD.decode(seen.header("authorization").strip_prefix("Basic ")?).ok()?;
    String::from_utf8(bytes).ok()
}

/// The parts of a multipart body: head and content.
fn parts(seen: &Seen) -> Option<Vec<(String, String)>> {
    let boundary = seen.header("content-type").split("boundary=").nth(1)?.trim_matches('"').to_owned();
    let body = seen.body.strip_suffix(&format!("\r\n--{boundary}--\r\n"))?;
    let (body, between) = (format!("\r\n{body}"), format!("\r\n--{boundary}\r\n"));
    let parts = body.split(&between).skip(1);
    parts
        .map(|part| part.split_once("\r\n\r\n").map(|(head, value)| (head.to_owned(), value.to_owned())))
        .collect()
}

/// A name in the head of a part. The standard of HTML encodes these three, and nothing else.
fn quoted(head: &str, before: &str) -> Option<String> {
    let name = head.split(before).nth(1)?.split('"').next()?;
    Some(name.replace("%22", "\"").replace("%0D", "\r").replace("%0A", "\n"))
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
    let flow = format!(
        "steps:\n  - request: GET {{{{ base }}}}/value\n    extract: {{ v: {{ json: $.v, secret: false }} }}\n  - id: put\n    {step}\n    expect: {{ status: any }}\n"
    );
    let answer = serde_json::json!({ "v": value }).to_string();
    let ran = Scenario::new(&flow).on("GET /value", move |_| Reply::json(answer.clone())).run();
    assert!(ran.finished.is_ok(), "{}: {}", place.name, ran.error());
    let seen: Vec<Seen> = ran.seen_at("base").into_iter().skip(1).collect();
    let (error, fails) = (ran.error(), (place.fails)(value));
    match seen.as_slice() {
        [] if fails => judge_error(&ran, &error),
        [] => Err(format!("nothing was sent: {}", error.chars().take(300).collect::<String>())),
        [_] if fails => Err(format!("it was sent: {}", shown(&seen[0]))),
        [one] => {
            // Blanks at the ends of a header are not part of it (RFC 9110, section 5.5), and line ends in the
            // name of a part are those of the net (the standard of HTML, 4.10.21.8).
            let may_be_trimmed = place.name.contains("header") || place.name.contains("method");
            let lines = value.replace("\r\n", "\n").replace('\n', "\r\n");
            let came = (place.seen)(one);
            let same = |came: &String| {
                came == value
                    || may_be_trimmed && came == value.trim()
                    || place.name == "the name of a part" && *came == lines
            };
            if came.as_ref().is_some_and(same) {
                Ok(())
            } else {
                Err(format!("the server saw {}", shown(one)))
            }
        }
        many => Err(format!("{} requests came", many.len())),
    }
}

fn judge_error(ran: &Ran, error: &str) -> Result<(), String> {
    let could_not = ran.finished.as_ref().is_ok_and(|ran| ran.cause() == Some(Cause::CouldNotRun));
    let named = could_not && error.contains("flow.yaml:") && error.len() < 4096;
    if named {
        Ok(())
    } else {
        Err(format!("the error is `{}`", error.chars().take(300).collect::<String>()))
    }
}

fn shown(seen: &Seen) -> String {
    let cut = |text: &str| text.chars().take(200).collect::<String>();
    format!(
        "{} {} {:?} {}",
        cut(&seen.method),
        cut(&seen.target),
        seen.headers.iter().map(|(name, value)| format!("{name}: {}", cut(value))).collect::<Vec<_>>(),
        cut(&seen.body)
    )
}

//! The places of a request: how a value comes into each, what a server sees of it there, and which values
//! are an error that names the place.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use url::form_urlencoded;

use crate::scenario::Seen;

/// A place in a request.
pub(super) struct Place {
    pub(super) name: &'static str,
    /// Keys of the request, or the keys of a step from `before` on.
    pub(super) step: &'static str,
    /// What the server saw in that place, where nothing else stands there.
    pub(super) seen: fn(&Seen) -> Option<String>,
    /// Which values cannot be sent there: they must be an error.
    pub(super) fails: fn(&str) -> bool,
    /// What such an error says of the place: one of these.
    pub(super) told: &'static [&'static str],
    /// Whether what came is the value.
    pub(super) same: fn(came: &str, value: &str) -> bool,
}

/// What is said of a URL with 200 kB in it.
const TOO_LONG: &str = "the URL has 20";

/// What most places have in common: any value comes as it is, if the URL is not too long for it.
const PLACE: Place = Place {
    name: "",
    step: "",
    seen: |_| None,
    fails: |_| false,
    told: &[TOO_LONG],
    same: |came, value| came == value,
};

pub(super) const PLACES: &[Place] = &[
    Place {
        name: "a segment",
        step: "request: { url: '{{ base }}/p/{{ v }}/end' }",
        seen: |seen| {
            let piece = seen.target.strip_prefix("/p/")?.strip_suffix("/end")?;
            (!piece.contains(['/', '\\', '?', '#'])).then(|| decoded(piece))
        },
        fails: |value| is_dots(value) || is_too_long(value),
        told: &["a piece of the path cannot be", TOO_LONG],
        ..PLACE
    },
    Place {
        name: "a query in the URL",
        step: "request: { url: '{{ base }}/p?v={{ v }}&z=end' }",
        seen: |seen| pair(seen.target.strip_prefix("/p?")?, &["v", "z"], "end"),
        fails: is_too_long,
        ..PLACE
    },
    Place {
        name: "a query",
        step: "request: { url: '{{ base }}/p', query: { v: '{{ v }}', z: end } }",
        seen: |seen| pair(seen.target.strip_prefix("/p?")?, &["v", "z"], "end"),
        fails: is_too_long,
        ..PLACE
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
        ..PLACE
    },
    Place {
        name: "a header",
        step: "request: { url: '{{ base }}/p', headers: { X-V: '{{ v }}' } }",
        seen: |seen| Some(seen.header("x-v").to_owned()),
        fails: is_no_header,
        told: &["the header `x-v`"],
        same: is_trimmed,
    },
    Place {
        name: "a header, by a script",
        step: "request: { url: '{{ base }}/p' }\nbefore: request.headers[\"X-V\"] = vars.v;",
        seen: |seen| Some(seen.header("x-v").to_owned()),
        fails: is_no_header,
        told: &["`X-V`"],
        same: is_trimmed,
    },
    Place {
        name: "a cookie header",
        step: "request: { url: '{{ base }}/p', headers: { Cookie: '{{ v }}' } }",
        seen: |seen| Some(seen.header("cookie").to_owned()),
        fails: is_no_header,
        told: &["the header `cookie`"],
        same: is_trimmed,
    },
    Place {
        name: "a form",
        step: "request: { url: '{{ base }}/p', method: POST, form: { v: '{{ v }}', z: end } }",
        seen: |seen| pair(&seen.body, &["v", "z"], "end"),
        ..PLACE
    },
    Place {
        name: "a text of JSON",
        step: "request: { url: '{{ base }}/p', method: POST, json: { v: '{{ v }}', z: end } }",
        seen: |seen| json(seen, "", ""),
        ..PLACE
    },
    Place {
        name: "inside a text of JSON",
        step: "request: { url: '{{ base }}/p', method: POST, json: { v: '<{{ v }}>', z: end } }",
        seen: |seen| json(seen, "<", ">"),
        ..PLACE
    },
    Place {
        name: "a text in place of JSON, with its filter",
        step: "request: { url: '{{ base }}/p', method: POST, body: '{\"v\":{{ v | tojson }},\"z\":\"end\"}' }",
        seen: |seen| json(seen, "", ""),
        ..PLACE
    },
    Place {
        name: "a text",
        step: "request: { url: '{{ base }}/p', method: POST, body: '<{{ v }}>' }",
        seen: |seen| Some(seen.body.strip_prefix('<')?.strip_suffix('>')?.to_owned()),
        ..PLACE
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
        ..PLACE
    },
    Place {
        name: "the file name of a part",
        step: "request: { url: '{{ base }}/p', method: POST, multipart: [{ name: v, value: abc, filename: '{{ v }}' }, { name: z, value: end }] }",
        seen: |seen| {
            let [(head, value), (last, end)] = parts(seen)?.try_into().ok()?;
            let whole = value == "abc" && last.contains("name=\"z\"") && end == "end";
            whole.then_some(quoted(&head, "; filename=\"")?)
        },
        ..PLACE
    },
    Place {
        name: "the name of a part",
        step: "request: { url: '{{ base }}/p', method: POST, multipart: [{ name: '{{ v }}', value: abc }, { name: z, value: end }] }",
        seen: |seen| {
            let [(head, value), (last, end)] = parts(seen)?.try_into().ok()?;
            let whole = value == "abc" && last.contains("name=\"z\"") && end == "end";
            whole.then_some(quoted(&head, "; name=\"")?)
        },
        same: has_line_ends_of_the_net,
        ..PLACE
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
        told: &["token"],
        ..PLACE
    },
    Place {
        name: "a user of basic",
        step: "request: { url: '{{ base }}/p', auth: { basic: { username: '{{ v }}', password: abcdefgh } } }",
        seen: |seen| Some(basic(seen)?.strip_suffix(":abcdefgh")?.to_owned()),
        fails: |value| value.contains(':'),
        told: &["a user name with a colon"],
        ..PLACE
    },
    Place {
        name: "a password of basic",
        step: "request: { url: '{{ base }}/p', auth: { basic: { username: ann, password: '{{ v }}' } } }",
        seen: |seen| Some(basic(seen)?.strip_prefix("ann:")?.to_owned()),
        ..PLACE
    },
    Place {
        name: "an API key in a header",
        step: "request: { url: '{{ base }}/p', auth: { api_key: { header: X-V, value: '{{ v }}' } } }",
        seen: |seen| Some(seen.header("x-v").to_owned()),
        fails: is_no_header,
        told: &["the header `x-v`"],
        same: is_trimmed,
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
        ..PLACE
    },
    Place {
        name: "an API key in a cookie",
        step: "request: { url: '{{ base }}/p', auth: { api_key: { cookie: v, value: '{{ v }}' } } }",
        seen: |seen| Some(seen.header("cookie").strip_prefix("v=")?.to_owned()),
        // RFC 6265, section 4.1.1: cookie-octet; beyond ASCII, which it knows nothing of, letters are letters.
        fails: |value| value.contains(|c: char| c.is_control() || c.is_whitespace() || "\",;\\".contains(c)),
        told: &["the key has a character that cannot stand in a cookie", "the header `cookie`"],
        ..PLACE
    },
    Place {
        name: "a method, by a script",
        step: "request: { url: '{{ base }}/p' }\nbefore: request.method = vars.v;",
        seen: |seen| Some(seen.method.to_ascii_lowercase()),
        fails: |value| is_no_word(value.trim()),
        told: &["method"],
        same: is_trimmed,
    },
    Place {
        name: "a method of a request of a script",
        step: "script: 'http::send(#{ url: vars.base + \"/p\", method: vars.v });'",
        seen: |seen| Some(seen.method.to_ascii_lowercase()),
        fails: is_no_word,
        told: &["method"],
        same: is_trimmed,
    },
    // What chooses who is asked. Where it makes a name, the name is not looked for: a proxy is asked.
    Place {
        name: "behind the host",
        step: "request: { url: '{{ base }}{{ v }}/p', proxy: '{{ way }}' }",
        fails: |_| true,
        told: &["in the place of the host", "this is not a URL"],
        ..PLACE
    },
    Place {
        name: "a host",
        step: "request: { url: 'http://{{ v }}:1/p', proxy: '{{ way }}' }",
        seen: |seen| Some(seen.target.strip_prefix("http://")?.strip_suffix(":1/p")?.to_owned()),
        fails: is_no_host,
        told: &["in the place of the host", "this is not a URL"],
        ..PLACE
    },
    Place {
        name: "the end of a host",
        step: "request: { url: 'http://api.{{ v }}/p', proxy: '{{ way }}' }",
        seen: |seen| Some(seen.target.strip_prefix("http://api.")?.strip_suffix("/p")?.to_owned()),
        fails: is_no_host,
        told: &["in the place of the host", "this is not a URL"],
        ..PLACE
    },
    Place {
        name: "the beginning of a host",
        step: "request: { url: 'http://{{ v }}.example/p', proxy: '{{ way }}' }",
        seen: |seen| Some(seen.target.strip_prefix("http://")?.strip_suffix(".example/p")?.to_owned()),
        fails: is_no_host,
        told: &["in the place of the host", "this is not a URL"],
        ..PLACE
    },
    Place {
        name: "the host header",
        step: "request: { url: '{{ base }}/p', headers: { Host: '{{ v }}' } }",
        fails: |_| true,
        told: &["the header `Host`"],
        ..PLACE
    },
];

/// The most that a URL may have is 64 KiB, less a byte.
fn is_too_long(value: &str) -> bool {
    value.len() > 65_000
}

fn is_dots(value: &str) -> bool {
    [".", ".."].contains(&value)
}

/// A name in letters, digits and hyphens, of which there is one here.
fn is_no_host(value: &str) -> bool {
    value != "plain-word"
}

/// RFC 9110, section 5.6.2: a token.
fn is_no_word(value: &str) -> bool {
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    !value.chars().all(is_token)
}

/// Blanks at the ends of a header are not part of it (RFC 9110, section 5.5).
fn is_trimmed(came: &str, value: &str) -> bool {
    came == value.trim()
}

/// In the name of a part a line ends as it does on the net (the standard of HTML, 4.10.21.8).
fn has_line_ends_of_the_net(came: &str, value: &str) -> bool {
    came == value.replace("\r\n", "\n").replace('\n', "\r\n")
}

/// RFC 9110, section 5.5: no control characters but the tab.
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

//! The filters and functions of templates, beside minijinja's own.
//!
//! What a filter makes of a secret is a secret: each one here that encodes or digests tells the
//! evaluation's [`Reads`], so that the result is never shown either.

mod bounded;

use std::sync::LazyLock;

use minijinja::value::ValueKind;
use minijinja::{Environment, Error, ErrorKind, State, Value};

use crate::ground::encode::{self, Hash};
use crate::ground::random;
use crate::ground::regex::{BoundedRegex, TooLong};
use crate::parts::template::fake;
use crate::parts::template::reads::Reads;
use crate::parts::template::view::{self, READS, ReadsView};

/// Those that are registered here.
const OWN_FILTERS: [&str; 24] = [
    "base64",
    "base64_decode",
    "base64url",
    "base64url_decode",
    "date",
    "fromjson",
    "hex",
    "hex_decode",
    "hmac",
    "join",
    "jwt_decode",
    "md5",
    "raw",
    "regex_find",
    "regex_replace",
    "reveal",
    "sha1",
    "sha256",
    "sha512",
    "string",
    "tojson",
    "url_host",
    "urldecode",
    "urlencode",
];
/// Those of minijinja that no filter of ours stands in for.
const THEIR_FILTERS: [&str; 45] = [
    "abs",
    "attr",
    "batch",
    "bool",
    "capitalize",
    "chain",
    "count",
    "d",
    "default",
    "dictsort",
    "e",
    "escape",
    "first",
    "float",
    "format",
    "groupby",
    "indent",
    "int",
    "items",
    "last",
    "length",
    "lines",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "pprint",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "safe",
    "select",
    "selectattr",
    "slice",
    "sort",
    "split",
    "sum",
    "title",
    "trim",
    "unique",
    "upper",
    "zip",
];
/// The names of all functions.
/// The tests of minijinja: what may stand behind `is`.
pub(super) const TESTS: [&str; 34] = [
    "undefined",
    "defined",
    "none",
    "safe",
    "escaped",
    "boolean",
    "odd",
    "even",
    "divisibleby",
    "number",
    "integer",
    "int",
    "float",
    "string",
    "sequence",
    "iterable",
    "mapping",
    "startingwith",
    "endingwith",
    "lower",
    "upper",
    "sameas",
    "eq",
    "equalto",
    "ne",
    "lt",
    "lessthan",
    "le",
    "gt",
    "greaterthan",
    "ge",
    "in",
    "true",
    "false",
];

pub(super) const FUNCTIONS: [&str; 11] = [
    "default",
    "dict",
    "fake",
    "namespace",
    "now",
    "random_int",
    "random_string",
    "range",
    "reveal",
    "timestamp",
    "uuid",
];

/// The names of the filters that are ours, in order.
#[must_use]
pub const fn own_filter_names() -> &'static [&'static str] {
    &OWN_FILTERS
}

/// The names of all functions, in order.
#[must_use]
pub const fn function_names() -> &'static [&'static str] {
    &FUNCTIONS
}

/// The names of all filters, in order.
#[must_use]
pub fn names() -> &'static [&'static str] {
    static NAMES: LazyLock<Vec<&str>> = LazyLock::new(|| {
        let mut names: Vec<_> = OWN_FILTERS.into_iter().chain(THEIR_FILTERS).collect();
        names.sort_unstable();
        names
    });
    &NAMES
}

/// Puts filters and functions into an environment.
pub(super) fn register(environment: &mut Environment<'static>) {
    bounded::register(environment);
    register_encodings(environment);
    register_texts(environment);
    environment.add_function("now", |state: &State| {
        encode::strftime(reads(state)?.clock.now_seconds(), "%Y-%m-%dT%H:%M:%SZ").map_err(refused)
    });
    environment.add_function("timestamp", |state: &State| Ok::<_, Error>(reads(state)?.clock.now_seconds()));
    environment.add_function("uuid", || uuid::Uuid::new_v4().to_string());
    environment.add_function("fake", |kind: &str| fake::fake(kind).map_err(refused));
    environment.add_function("random_int", random_int);
    environment.add_function("random_string", random_string);
    environment.add_function(
        "default",
        |value: Value, other: Value| {
            if value.is_undefined() || value.is_none() { other } else { value }
        },
    );
    environment.add_function("reveal", reveal);
}

fn register_encodings(environment: &mut Environment<'static>) {
    environment
        .add_filter("base64", |state: &State, value: Value| derived(state, encode::base64(&bytes(&value)?)));
    environment
        .add_filter("base64_decode", |state: &State, text: &str| decoded(state, encode::base64_decode(text)));
    environment.add_filter("base64url", |state: &State, value: Value| {
        derived(state, encode::base64url(&bytes(&value)?))
    });
    environment.add_filter("base64url_decode", |state: &State, text: &str| {
        decoded(state, encode::base64url_decode(text))
    });
    environment.add_filter("hex", |state: &State, value: Value| derived(state, encode::hex(&bytes(&value)?)));
    environment
        .add_filter("hex_decode", |state: &State, text: &str| decoded(state, encode::hex_decode(text)));
    environment
        .add_filter("urlencode", |state: &State, value: Value| derived(state, encode::url(&text(&value)?)));
    environment.add_filter("urldecode", |state: &State, text: &str| {
        derived(state, encode::url_decode(text).map_err(refused)?)
    });
    for name in ["md5", "sha1", "sha256", "sha512"] {
        let Ok(hash) = Hash::named(name) else { continue };
        environment.add_filter(name, move |state: &State, value: Value| {
            derived(state, encode::hex(&hash.digest(&bytes(&value)?)))
        });
    }
    environment.add_filter("hmac", |state: &State, value: Value, key: Value, hash: Option<&str>| {
        let (key, value) = (bytes(&key)?, bytes(&value)?);
        let mac = Hash::named(hash.unwrap_or("sha256"))
            .and_then(|hash| hash.hmac(&key, &value))
            .map_err(refused)?;
        derived(state, encode::hex(&mac))
    });
    environment.add_filter("jwt_decode", |state: &State, token: &str| {
        let (header, claims) = encode::jwt_decode(token).map_err(refused)?;
        reads(state)?.derive(token);
        Ok::<_, Error>(Value::from_pairs([("header", jinja(&header)), ("claims", jinja(&claims))]))
    });
}

fn register_texts(environment: &mut Environment<'static>) {
    environment.add_filter("raw", |value: Value| value);
    environment.add_filter("reveal", reveal);
    environment.add_filter("tojson", |state: &State, value: Value| made(state, json(&value)?));
    environment.add_filter("string", |state: &State, value: Value| made(state, text(&value)?));
    environment.add_filter("join", |state: &State, value: Value, separator: Option<&str>| {
        let separator = separator.unwrap_or_default();
        let (reads, mut joined) = (reads(state)?, String::new());
        for (at, part) in value.try_iter()?.enumerate() {
            let part = text(&part)?;
            reads.make((part.len() + separator.len()) as u64)?;
            joined.push_str(if at == 0 { "" } else { separator });
            joined.push_str(&part);
        }
        Ok::<_, Error>(joined)
    });
    environment.add_filter("fromjson", |text: &str| {
        let value = crate::ground::value::Value::from_json(text.as_bytes());
        value.map(|value| jinja(&value)).map_err(|error| refused(format!("this is not JSON: {error}")))
    });
    environment.add_filter("url_host", |text: &str| {
        let host = url::Url::parse(text).ok().and_then(|url| url.host_str().map(str::to_owned));
        host.ok_or_else(|| refused("`url_host` wants an absolute URL such as https://host/path"))
    });
    environment.add_filter("date", |value: Value, format: &str| {
        let seconds = match value.as_str() {
            Some(text) => encode::parse_time(text).or_else(|| text.parse().ok()),
            None => value.as_i64().or_else(|| f64::try_from(value.clone()).ok().map(whole_seconds)),
        };
        let seconds =
            seconds.ok_or_else(|| refused("`date` wants seconds since 1970, or an RFC 3339 time"))?;
        encode::strftime(seconds, format).map_err(refused)
    });
    environment.add_filter("regex_find", |text: &str, pattern: &str| {
        let pattern = regex(pattern)?;
        let found = pattern.captures(text).map_err(too_long)?.map(|groups| {
            groups.get(1).or_else(|| groups.get(0)).map_or("", |group| group.as_str()).to_owned()
        });
        Ok::<_, Error>(found)
    });
    environment.add_filter("regex_replace", |state: &State, text: &str, pattern: &str, with: &str| {
        let (reads, pattern) = (reads(state)?, regex(pattern)?);
        let (mut replaced, mut from) = (String::new(), 0);
        for groups in pattern.every(text).map_err(too_long)? {
            let groups = groups.map_err(too_long)?;
            let place = groups.get_match().range();
            let before = replaced.len();
            // A group stands in it as often as it is named there.
            reads.make((with.len() as u64).saturating_mul(1 + place.len() as u64))?;
            replaced.push_str(&text[from..place.start]);
            groups.expand(with, &mut replaced);
            reads.make((replaced.len() - before) as u64)?;
            from = place.end;
        }
        replaced.push_str(&text[from..]);
        Ok::<_, Error>(replaced)
    });
}

#[expect(clippy::cast_possible_truncation, reason = "a time past 64 bits saturates and is then refused")]
const fn whole_seconds(seconds: f64) -> i64 {
    seconds.floor() as i64
}

fn random_int(low: i64, high: i64) -> Result<i64, Error> {
    if low > high {
        return Err(refused(format!("random_int({low}, {high}): the first must not be above the second")));
    }
    random::int(low, high).map_err(refused)
}

fn random_string(length: usize) -> Result<String, Error> {
    if length > 65_536 {
        return Err(refused("random_string gives at most 65536 characters"));
    }
    random::letters(length).map_err(refused)
}

fn reveal(state: &State, value: Value) -> Result<Value, Error> {
    reads(state)?.reveal(&text(&value)?);
    Ok(value)
}

fn reads(state: &State) -> Result<std::sync::Arc<Reads>, Error> {
    let view = state.lookup(READS).and_then(|found| found.downcast_object::<ReadsView>());
    view.map(|view| std::sync::Arc::clone(&view.0)).ok_or_else(|| refused("evaluated outside a workflow"))
}

fn derived(state: &State, text: String) -> Result<String, Error> {
    reads(state)?.derive(&text);
    made(state, text)
}

/// A text that a filter made, if the evaluation may make so much.
fn made(state: &State, text: String) -> Result<String, Error> {
    reads(state)?.make(text.len() as u64)?;
    Ok(text)
}

fn decoded(state: &State, bytes: Result<Vec<u8>, encode::Error>) -> Result<String, Error> {
    derived(state, bytes.and_then(encode::text).map_err(refused)?)
}

fn text(value: &Value) -> Result<String, Error> {
    if value.is_undefined() {
        return Err(Error::from(ErrorKind::UndefinedError));
    }
    view::from_jinja(value).map(|value| value.to_text()).map_err(refused)
}

fn bytes(value: &Value) -> Result<Vec<u8>, Error> {
    match value.as_bytes() {
        Some(bytes) if value.kind() == ValueKind::Bytes => Ok(bytes.to_vec()),
        _ => text(value).map(String::into_bytes),
    }
}

fn json(value: &Value) -> Result<String, Error> {
    view::from_jinja(value).map(|value| value.to_json()).map_err(refused)
}

fn jinja(value: &crate::ground::value::Value) -> Value {
    view::to_jinja(value, None, &std::sync::Arc::default())
}

fn regex(pattern: &str) -> Result<BoundedRegex, Error> {
    BoundedRegex::new(pattern, false, 1 << 20)
        .map_err(|error| refused(format!("this is not a regular expression: {error}")))
}

fn too_long(found: TooLong) -> Error {
    refused(format!("the pattern {found}: {}", TooLong::HELP))
}

fn refused(why: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::InvalidOperation, why.to_string())
}

#[cfg(test)]
mod tests {
    use crate::parts::template::tests::{read, scope};

    #[test]
    fn every_filter_and_function_gives_what_its_name_says() {
        for (template, expected) in [
            ("{{ 'a:b' | base64 }}", "\"YTpi\""),
            ("{{ 'YTpi' | base64_decode }}", "\"a:b\""),
            ("{{ 'a?b~' | base64url }}", "\"YT9ifg\""),
            ("{{ 'YT9ifg' | base64url_decode }}", "\"a?b~\""),
            ("{{ 'ab' | hex }}", "\"6162\""),
            ("{{ '6162' | hex_decode }}", "\"ab\""),
            ("{{ 'a b&ü' | urlencode }}", "\"a%20b%26%C3%BC\""),
            ("{{ 'a%20b' | urldecode }}", "\"a b\""),
            ("{{ 'https://auth.wildix.com:444/x' | url_host }}", "\"auth.wildix.com\""),
            ("{{ 'abc' | md5 }}", "\"900150983cd24fb0d6963f7d28e17f72\""),
            ("{{ 'abc' | sha1 }}", "\"a9993e364706816aba3e25717850c26c9cd0d89d\""),
            (
                "{{ 'what do ya want for nothing?' | hmac('Jefe', 'sha256') }}",
                "\"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843\"",
            ),
            ("{{ ('eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2ln' | jwt_decode).claims.sub }}", "\"ann\""),
            ("{{ user | tojson }}", r#""{\"id\":7,\"roles\":[\"a\",\"b\"],\"z\":null}""#),
            ("{{ ('{\"a\":[1,2]}' | fromjson).a[1] }}", "2"),
            ("{{ 'a-1-b-2' | regex_replace('[0-9]', 'x') }}", "\"a-x-b-x\""),
            ("{{ 'id=42;' | regex_find('id=([0-9]+)') }}", "\"42\""),
            ("{{ 86400 | date('%Y-%m-%d') }}", "\"1970-01-02\""),
            ("{{ now() }}", "\"2023-11-14T22:13:20Z\""),
            ("{{ timestamp() }}", "1700000000"),
            ("{{ uuid() | length }}", "36"),
            ("{{ random_int(3, 3) }}", "3"),
            ("{{ random_string(12) | length }}", "12"),
            ("{{ default(user.missing, 'x') }}", "\"x\""),
            ("{{ [true, none] | join(',') }}", "\"true,null\""),
            ("{{ true | string }}", "\"true\""),
        ] {
            let value = read(template).unwrap_or_else(|error| panic!("{template}: {error}")).value(&scope());
            let shown = value.map_or_else(|error| error.message, |found| found.value.to_json());
            assert_eq!(shown, expected, "{template}");
        }
    }

    #[test]
    fn every_name_that_is_told_is_registered() {
        for name in super::names() {
            let text = format!("{{{{ x | {name} }}}}");
            let error =
                read(&text).expect("known").value(&scope()).map(|_| ()).err().map(|error| error.message);
            assert!(!error.as_deref().unwrap_or_default().contains("unknown filter"), "{name}: {error:?}");
        }
    }

    #[test]
    fn what_a_filter_refuses_is_told_at_its_place() {
        for (template, part) in [
            ("{{ 'x' | url_host }}", "absolute URL"),
            ("{{ '***' | base64_decode }}", "not base64"),
            ("{{ 'x' | hmac('k', 'sha3') }}", "unknown hash"),
            ("{{ 'x' | regex_find('(') }}", "regular expression"),
            ("{{ range(100000000) }}", "range"),
        ] {
            let error = read(template).expect("a template").value(&scope()).expect_err(template);
            assert!(error.message.contains(part), "{template}: {}", error.message);
        }
    }
}

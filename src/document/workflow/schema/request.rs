//! `request` and `defaults`: what is sent, and how.

use serde_json::{Value, json};

use crate::document::workflow::schema::shape::{
    any_of, entries, examples, key, list, map, map_or_text, needing, refer, with, words,
};
use crate::document::workflow::schema::step::{or_none, retry_default};
use crate::document::workflow::schema::{Definition, Key, joined};

pub(super) fn definitions() -> Vec<Definition> {
    let url = key(
        "url",
        "Where the request goes; an expression that stands first may bring the origin.",
        examples(refer("text"), ["{{ api }}/me".into()]),
    );
    let query = key(
        "query",
        "The parameters of the query; a list repeats one, a null leaves it out.",
        refer("entries"),
    );
    let base = key(
        "base_url",
        "What is laid before every `url` that has no scheme of its own.",
        examples(refer("path"), ["{{ api }}".into()]),
    );
    let request = map_or_text(joined([vec![url, query], shared(), bodies(), connection()]));
    let defaults = map(joined([vec![base], shared(), vec![retry_default()], connection()]));
    vec![
        ("request", needing(request, &["url"])),
        ("defaults", defaults),
        ("graphql", graphql()),
        ("limits", limits()),
        ("part", part()),
        ("redirects", redirects()),
        ("tls", tls()),
        ("proxy", proxy()),
    ]
}

/// What requests and defaults both have to say of the message.
fn shared() -> Vec<Key> {
    vec![
        key("method", "The HTTP method; GET, or POST where there is a body, if left out.", refer("method")),
        key(
            "headers",
            "Headers by name; a list repeats one, a null leaves it out.",
            examples(refer("entries"), [json!({ "Accept": "application/json" })]),
        ),
        key("auth", "How the request proves who sends it: one scheme, or `none`.", refer("auth")),
    ]
}

/// A request has one of them.
fn bodies() -> Vec<Key> {
    vec![
        key("json", "A body that is sent as JSON; templates keep the type of what they give.", json!({})),
        key("form", "A body of form fields, as a browser sends them.", refer("entries")),
        key("multipart", "A body of parts, as a browser sends uploads.", list(&refer("part"))),
        key("body", "A body that is sent as this text; its type stands in a header.", refer("text")),
        key("file", "A file whose bytes are the body.", refer("path")),
        key("graphql", "A GraphQL query; an answer with `errors` fails the step.", refer("graphql")),
    ]
}

/// How the request is brought to the server.
fn connection() -> Vec<Key> {
    let jar = "`none` keeps cookies of earlier answers out, and does not keep those of this one.";
    let version = json!({ "enum": [1.1, 2, "1.1", "2"] });
    vec![
        key("timeout", "How long the whole exchange may take.", refer("duration")),
        key("connect_timeout", "How long setting up the connection may take.", refer("duration")),
        key("redirects", "How redirects are followed, or `none`.", refer("redirects")),
        key("cookies", jar, words(&["none"])),
        key("tls", "Which certificates are trusted and shown.", refer("tls")),
        key(
            "proxy",
            "The proxy that the request goes through, or `none`.",
            examples(refer("proxy"), ["http://127.0.0.1:8080".into()]),
        ),
        key(
            "resolve",
            "Addresses for host names, in place of asking the DNS.",
            examples(entries(&refer("path")), [json!({ "api.example.com": "127.0.0.1" })]),
        ),
        key("http_version", "The only version of HTTP that is spoken: 1.1 or 2.", version),
        key("max_body", "How large an answer may be, decoded too; 32MiB if left out.", refer("size")),
        key("limits", "Further limits of an answer.", refer("limits")),
    ]
}

fn graphql() -> Value {
    let graphql = map([
        key("query", "The text of the query or mutation.", refer("path")),
        key("variables", "The query's variables by name.", json!({})),
        key("operation", "Which operation is meant where the text holds several.", refer("text")),
    ]);
    needing(graphql, &["query"])
}

fn part() -> Value {
    let part = map([
        key("name", "The name of the field.", refer("text")),
        key(
            "value",
            "The text of the part; a list repeats it, and a file in its place is `file`.",
            refer("entry"),
        ),
        key("file", "The file whose bytes are the part.", refer("path")),
        key("filename", "What the file is called to the server; its own name if left out.", refer("text")),
        key(
            "content_type",
            "The media type of the part; guessed by the file's ending if left out.",
            refer("nullable"),
        ),
    ]);
    needing(part, &["name"])
}

fn limits() -> Value {
    let count = |most: u64| json!({ "type": "integer", "minimum": 1, "maximum": most });
    map([
        key("headers", "How many headers an answer may have; 100 if left out.", count(10_000)),
        key(
            "header_size",
            "How large a header may be, 100KiB at most; 64KiB if left out. All together may have four times as much.",
            refer("size"),
        ),
        key("first_byte", "How long an answer may take to begin.", refer("duration")),
        key("idle", "How long a body may stand still.", refer("duration")),
        key(
            "ratio",
            "How many times larger a body may become when decoded, beyond its first MiB; 200 if left out.",
            count(u64::from(u32::MAX)),
        ),
        key(
            "values",
            "How many values the JSON of an answer may have; 1,000,000 if left out.",
            count(u64::from(u32::MAX)),
        ),
    ])
}

fn redirects() -> Value {
    let count = json!({ "type": "integer", "minimum": 0 });
    or_none([
        key("max", "How many redirects are followed.", count),
        key(
            "trust",
            "Origins to which credentials may go although a server named them.",
            examples(list(&refer("path")), [json!(["https://login.example.com"])]),
        ),
    ])
}

fn proxy() -> Value {
    let url = key("url", "Where the proxy is; its user and password stand in it.", refer("path"));
    let direct = key(
        "no_proxy",
        "The servers that are asked directly: names, addresses, networks; a list, or one text.",
        examples(any_of([list(&refer("path")), refer("nullable")]), [json!([".example.com", "10.0.0.0/8"])]),
    );
    needing(map_or_text([url, direct]), &["url"])
}

fn tls() -> Value {
    let versions = json!({ "enum": [1.2, 1.3, "1.2", "1.3"] });
    map([
        key("ca", "A PEM file of authorities that are trusted.", refer("path")),
        key("cert", "A PEM file of the certificate that is shown to the server.", refer("path")),
        key("key", "A PEM file of the certificate's private key.", refer("path")),
        key("pkcs12", "A PKCS #12 file that holds certificate and key.", refer("path")),
        key("password", "What opens the key or the PKCS #12 file.", refer("nullable")),
        key(
            "insecure",
            "`true` trusts any certificate: for tests on your own machine.",
            any_of([refer("truth"), refer("template")]),
        ),
        key("min", "The oldest version of TLS that is spoken.", with(versions, "examples", [1.3])),
    ])
}

//! A mock's file: its state and its routes.

use serde_json::{Value, json};

use crate::document::workflow::schema::shape::{
    any_of, entries, examples, key, list, map, map_or_text, needing, refer, with, words,
};
use crate::document::workflow::schema::{Definition, Key};

/// The whole file.
pub(super) fn mock() -> Value {
    let state = json!({ "type": "object" });
    let mock = map([
        key(
            "name",
            "What the mock is called; the file's name without its ending if left out.",
            refer("text"),
        ),
        key("state", "What every start begins with; scripts change it in place.", state),
        key("tls", "`self_signed` serves https with a certificate of its own.", words(&["self_signed"])),
        key(
            "routes",
            "What is answered; the first route that fits a request is taken.",
            list(&refer("route")),
        ),
    ]);
    needing(mock, &["routes"])
}

pub(super) fn definitions() -> Vec<Definition> {
    let route = json!({ "type": "string", "pattern": "^[A-Za-z]+ +/" });
    let route = map([
        key(
            "route",
            "The method and the path that are meant; `{name}` is a parameter of the path.",
            examples(route, ["GET /api/{site}/lists".into()]),
        ),
        key(
            "when",
            "The route is passed by unless this is true; it sees `request` and `state`.",
            any_of([refer("truth"), refer("template")]),
        ),
        key("reply", "The answer.", map(reply())),
        key("script", "A script that makes the answer from `request` and `state`.", script()),
        key("fault", "What goes wrong with the answer, on purpose.", fault()),
    ]);
    vec![("route", needing(route, &["route"]))]
}

fn reply() -> Vec<Key> {
    let status = any_of([json!({ "type": "integer", "minimum": 200, "maximum": 599 }), refer("template")]);
    vec![
        key("status", "The status code; 200 if left out.", status),
        key("headers", "Headers by name.", refer("entries")),
        key("cookies", "Cookies that are set, by name.", entries(&refer("text"))),
        key("json", "A body of JSON.", json!({})),
        key("body", "A body of text.", refer("text")),
        key("form", "A body of form fields.", refer("entries")),
    ]
}

fn script() -> Value {
    let script = map_or_text([
        key("file", "The file that holds the function.", examples(refer("path"), ["shop.rhai".into()])),
        key("function", "The function that answers: `fn name(request, state)`.", refer("path")),
    ]);
    needing(script, &["file", "function"])
}

fn fault() -> Value {
    let whole = || json!({ "type": "integer", "minimum": 0 });
    let fault = map([
        key("delay", "How long the answer is held back.", refer("duration")),
        key("reset", "The connection is reset before an answer.", json!({ "const": true })),
        key("truncate", "Only so many bytes of the body are sent.", whole()),
        key("garbage", "Bytes that are no HTTP are sent.", json!({ "const": true })),
        key(
            "status",
            "This status is answered in place of the route's.",
            json!({ "type": "integer", "minimum": 200, "maximum": 599 }),
        ),
        key("drip", "The body is sent byte by byte, with this wait before each.", refer("duration")),
        key("times", "Only so many of the first calls go wrong.", whole()),
    ]);
    with(fault, "minProperties", 1)
}

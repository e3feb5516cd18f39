//! `extract`: selectors, and what may stand beside them.

use serde_json::{Value, json};

use crate::document::workflow::schema::shape::{
    examples, key, map, map_or_text, needing, refer, with, words,
};
use crate::document::workflow::schema::{Definition, Key, joined};

pub(super) fn definitions() -> Vec<Definition> {
    // A text is a JSON path or a template.
    let extract = with(map_or_text(joined([selectors(), beside()])), "pattern", "^\\$|\\{\\{");
    let selector = with(map_or_text(selectors()), "pattern", "^\\$");
    vec![("extract", with(extract, "minProperties", 1)), ("selector", with(selector, "minProperties", 1))]
}

fn selectors() -> Vec<Key> {
    vec![
        key("json", "A JSON path (RFC 9535) that leads to exactly one value.", path()),
        key("json_all", "A JSON path; every value that it leads to, as a list.", path()),
        key("header", "A header of the answer, by name.", examples(refer("path"), ["location".into()])),
        key("cookie", "A cookie that the answer sets, by name.", refer("path")),
        key("status", "The status code.", only_true()),
        key(
            "link",
            "The target of a `Link` header (RFC 8288), by its relation.",
            examples(refer("path"), ["next".into()]),
        ),
        key("regex", "A regular expression over the body; its first group.", refer("path")),
        key("xpath", "An XPath over a body of XML or HTML.", refer("path")),
        key("css", "A CSS selector over a body of HTML.", refer("path")),
        key("attribute", "Beside `css`: the attribute that is meant, in place of the text.", refer("path")),
        key(
            "body",
            "The whole body: as text, in base64, or its SHA-256 in hex.",
            words(&["text", "base64", "sha256"]),
        ),
        key("jwt", "A claim of a JSON web token in the answer.", jwt()),
        key("time", "How long the exchange took, in milliseconds.", only_true()),
    ]
}

fn beside() -> Vec<Key> {
    let types = ["string", "int", "number", "float", "bool", "json"];
    vec![
        key(
            "optional",
            "`true`: nothing found is no error, and the variable stays as it was.",
            refer("truth"),
        ),
        key("default", "The value where nothing is found.", json!({})),
        key(
            "secret",
            "Whether the value is kept out of all output; if left out, by its name and form.",
            refer("truth"),
        ),
        key("type", "What a text that was found is turned into.", words(&types)),
        key(
            "collect",
            "`true` in a step with `repeat`: the values of all passes, joined into one list.",
            refer("truth"),
        ),
    ]
}

fn path() -> Value {
    examples(json!({ "type": "string", "pattern": "^\\$" }), ["$.result.token".into()])
}

fn only_true() -> Value {
    json!({ "const": true })
}

fn jwt() -> Value {
    let jwt = map([
        key("from", "Where the token is found.", refer("selector")),
        key(
            "claim",
            "The claim that is meant; all of them if left out.",
            examples(refer("path"), ["exp".into()]),
        ),
    ]);
    needing(jwt, &["from"])
}

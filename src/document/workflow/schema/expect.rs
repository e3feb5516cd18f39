//! `expect`: what an answer must be, and the predicates that say so.

use serde_json::{Value, json};

use crate::document::workflow::schema::shape::{
    any_of, entries, examples, fields, key, list, map, needing_one_of, refer, with, words,
};
use crate::document::workflow::schema::{Definition, Key, joined};

pub(super) fn definitions() -> Vec<Definition> {
    vec![
        ("expect", map(joined([of_message(), of_body(), of_exchange()]))),
        ("predicate", examples(predicate(), ["present", "absent"].map(Into::into))),
        ("token", token()),
    ]
}

fn judged(example: Value) -> Value {
    examples(entries(&refer("predicate")), [example])
}

fn of_message() -> Vec<Key> {
    vec![
        key("status", "The statuses that pass: `200`, `2xx`, `200..299`, `any`, or a list.", refer("status")),
        key(
            "headers",
            "What headers must be, by name.",
            judged(json!({ "content-type": { "starts_with": "application/json" } })),
        ),
        key(
            "cookies",
            "What cookies that the answer sets must be, by name.",
            judged(json!({ "sid": "present" })),
        ),
    ]
}

fn of_body() -> Vec<Key> {
    vec![
        key("json", "What the one value at each JSON path must be.", judged(json!({ "$.id": "present" }))),
        key(
            "json_all",
            "What the list of all values at each JSON path must be.",
            judged(json!({ "$.items[*].id": { "length": 3 } })),
        ),
        key("xpath", "What each XPath must find.", judged(json!({ "//title": "present" }))),
        key("css", "What each CSS selector must find.", judged(json!({ "h1": "present" }))),
        key(
            "regex",
            "What the first group of each regular expression must be.",
            judged(json!({ "total: (\\d+)": "3" })),
        ),
        key("body", "What the body must be, as text.", refer("predicate")),
        key(
            "schema",
            "A file with the JSON Schema that the body must fit.",
            examples(refer("path"), ["schemas/user.json".into()]),
        ),
        key("jwt", "What a JSON web token in the answer must be.", refer("token")),
    ]
}

fn of_exchange() -> Vec<Key> {
    let that = any_of([refer("template"), list(&refer("template"))]);
    let tls = map([key(
        "expires_in",
        "How long the server's certificate must still be good.",
        examples(refer("predicate"), [json!({ "gt": "14d" })]),
    )]);
    vec![
        key("time", "How long the exchange may take.", examples(refer("predicate"), [json!({ "lt": "2s" })])),
        key("size", "How large the body may be.", examples(refer("predicate"), [json!({ "lt": "64KiB" })])),
        key("tls", "What the server's certificate must be.", tls),
        key(
            "that",
            "Expressions that must be true.",
            examples(that, [json!(["{{ response.json.total > 0 }}"])]),
        ),
    ]
}

fn token() -> Value {
    let verify = map([
        key("jwks", "The keys that may have signed it: a URL or a file.", refer("path")),
        key("key", "The key that must have signed it.", refer("path")),
    ]);
    map([
        key("from", "Where the token is found.", refer("selector")),
        key(
            "claims",
            "What its claims must be, by name.",
            judged(json!({ "aud": "https://api.example.com" })),
        ),
        key(
            "expires_in",
            "How long it must still be good.",
            examples(refer("predicate"), [json!({ "gt": "1m" })]),
        ),
        key("verify", "Whose signature it must carry.", needing_one_of(verify, &["jwks", "key"])),
    ])
}

/// A plain value means equal; of a map, all keys must hold.
fn predicate() -> Value {
    let keys = joined([of_values(), of_texts(), of_numbers()]);
    with(fields(keys), "minProperties", 1)
}

fn of_values() -> Vec<Key> {
    let types = ["string", "number", "int", "bool", "list", "object", "null"];
    vec![
        key("equals", "Equal to this, also an object or a list.", json!({})),
        key("not", "This predicate must not hold.", refer("predicate")),
        key("one_of", "Equal to one of these.", any_of([json!({ "type": "array" }), refer("template")])),
        key("contains", "Has this part, this element, or at least these members.", json!({})),
        key("length", "What the number of characters, elements or members must be.", refer("predicate")),
        key("empty", "Whether there is nothing inside.", refer("truth")),
        key("type", "The type of the value.", any_of([words(&types), json!({ "type": "null" })])),
        key("each", "What every element of the list must be.", refer("predicate")),
    ]
}

fn of_texts() -> Vec<Key> {
    let formats = ["uuid", "date_time", "email", "url", "jwt"];
    vec![
        key("starts_with", "Begins with this text.", refer("text")),
        key("ends_with", "Ends with this text.", refer("text")),
        key("matches", "Has a match of this regular expression.", refer("text")),
        key(
            "ignore_case",
            "`true`: the case of letters does not matter for what stands beside it.",
            refer("truth"),
        ),
        key("format", "The form that the text must have.", words(&formats)),
    ]
}

fn of_numbers() -> Vec<Key> {
    // A number, a duration or a size where one is meant, or a template.
    let amount = || json!({ "type": ["number", "string"] });
    let ends = json!({ "type": "array", "items": amount(), "minItems": 2, "maxItems": 2 });
    vec![
        key("gt", "Greater than this.", amount()),
        key("gte", "This or greater.", amount()),
        key("lt", "Less than this.", amount()),
        key("lte", "This or less.", amount()),
        key("between", "From the first to the second, both allowed.", ends),
    ]
}

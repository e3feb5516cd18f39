//! A step: what it does, when, how often, and what must come of it.

use serde_json::{Value, json};

use crate::document::workflow::schema::shape::{
    any_of, entries, examples, fields, key, list, map, map_or_text, needing, needing_one_of, refer, single,
    with,
};
use crate::document::workflow::schema::{Definition, Key, joined};

pub(super) fn definitions() -> Vec<Definition> {
    let step = map(joined([actions(), course(), around()]));
    vec![
        ("step", needing_one_of(step, &["request", "uses", "script", "parallel"])),
        ("retry", retry()),
        ("repeat", repeat()),
    ]
}

/// What a step does.
fn actions() -> Vec<Key> {
    vec![
        key("id", "The name by which other places refer to the step: letters, digits and `_`.", id()),
        key("name", "What the step is called in reports.", refer("text")),
        key("request", "The HTTP request that the step sends; short: `GET https://…`.", refer("request")),
        key(
            "uses",
            "Another workflow that the step runs; what it returns is `steps.<id>.outputs`.",
            examples(refer("path"), ["./login.yaml".into()]),
        ),
        key("with", "The inputs of the workflow that is used.", entries(&json!({}))),
        key("script", "A script that is the whole step, without a request.", refer("script")),
        key(
            "parallel",
            "Steps that run at the same time; they do not see each other's variables.",
            with(list(&refer("step")), "minItems", 1),
        ),
    ]
}

/// Whether and how often it does it.
fn course() -> Vec<Key> {
    let when = any_of([refer("truth"), refer("template")]);
    let each = single(entries(&any_of([json!({ "type": "array" }), refer("template")])));
    vec![
        key("when", "The step runs only if this is true; else it is reported as skipped.", when),
        key(
            "for_each",
            "Runs the step once for each element of a list; the element is a variable of this name.",
            examples(each, [json!({ "user": "{{ users }}" })]),
        ),
        key("repeat", "Runs the step again: a number of times, or until something holds.", refer("repeat")),
        key("retry", "Sends the same request again when it fails; short: how often.", refer("retry")),
        key(
            "continue_on_failure",
            "Lets the next step run although this one failed; the run fails all the same.",
            refer("truth"),
        ),
    ]
}

/// What stands around the request.
fn around() -> Vec<Key> {
    vec![
        key("before", "A script that runs before the request is sent and may change it.", refer("script")),
        key("after", "A script that runs after the answer came and sees `response`.", refer("script")),
        key(
            "expect",
            "What the answer must be; without `status`, one of 400 or more fails.",
            refer("expect"),
        ),
        key(
            "extract",
            "What of the answer becomes a variable: a name, and where the value is found.",
            examples(entries(&refer("extract")), [json!({ "token": "$.access_token" })]),
        ),
    ]
}

fn id() -> Value {
    json!({ "type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$" })
}

fn repeat() -> Value {
    let passes = json!({ "type": "integer", "minimum": 1 });
    let condition = any_of([refer("truth"), refer("template")]);
    let repeat = fields([
        key(
            "until",
            "Asked after each pass; the repeating ends when it is true.",
            examples(condition.clone(), ["{{ response.json.state == 'done' }}".into()]),
        ),
        key("fail_if", "Asked after each pass; the step fails when it is true.", condition),
        key("every", "How long to wait between two passes.", refer("duration")),
        key("within", "How long all passes may take together.", refer("duration")),
        key("max", "How many passes there are at most; 100 if left out.", passes),
    ]);
    with(with(repeat, "type", ["object", "integer"]), "minimum", 1)
}

fn retry() -> Value {
    let conditions = any_of([refer("retry_condition"), list(&refer("retry_condition"))]);
    let times = json!({ "type": "integer", "minimum": 0, "maximum": 1000 });
    let retry = fields([
        key("max", "How often the request is sent again, the first time not counted.", times),
        key(
            "if",
            "What it is sent again for: connect, timeout or a status; if left out all of these, 429 and 5xx.",
            examples(conditions, [json!(["connect", 429, "5xx"])]),
        ),
        key("backoff", "The shortest and the longest wait between; it doubles each time.", refer("backoff")),
    ]);
    with(with(needing(retry, &["max"]), "type", ["object", "integer"]), "minimum", 0)
}

/// The keys of `retry` may also stand among the defaults.
pub(super) fn retry_default() -> Key {
    key("retry", "How often every request is sent again when it fails.", refer("retry"))
}

/// A map, or the word that switches something off.
pub(super) fn or_none(keys: impl IntoIterator<Item = Key>) -> Value {
    with(map_or_text(keys), "pattern", "^none$")
}

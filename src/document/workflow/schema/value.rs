//! Values that stand in many places: texts, durations, sizes, statuses, entries.

use serde_json::json;

use crate::document::workflow::schema::Definition;
use crate::document::workflow::schema::shape::{any_of, entries, examples, list, refer, words};

const DURATION: &str = "^[0-9]+(ms|s|m|h|d)$";
const STATUS: &str = "^([1-5][0-9]{2}|[1-5]xx|[1-5][0-9]{2}\\.\\.[1-5][0-9]{2}|any)$";

pub(super) fn definitions() -> Vec<Definition> {
    let status = any_of([json!({ "type": "integer", "minimum": 100, "maximum": 599 }), pattern(STATUS)]);
    let entry = any_of([refer("nullable"), list(&refer("nullable"))]);
    vec![
        // A plain scalar is taken as it was typed where a text is wanted.
        ("text", json!({ "type": ["string", "number", "boolean"] })),
        ("nullable", json!({ "type": ["string", "number", "boolean", "null"] })),
        ("path", json!({ "type": "string", "minLength": 1 })),
        ("template", json!({ "type": "string", "pattern": "\\{\\{" })),
        ("truth", json!({ "type": "boolean" })),
        ("entry", entry),
        ("entries", entries(&refer("entry"))),
        ("duration", examples(pattern(DURATION), ["500ms", "10s", "2m"].map(Into::into))),
        ("size", examples(pattern("^[0-9]+(B|KiB|MiB|GiB)$"), ["64KiB", "10MiB"].map(Into::into))),
        ("status_form", examples(status, [json!(200), json!("2xx"), json!("200..299"), json!("any")])),
        ("status", any_of([refer("status_form"), list(&refer("status_form"))])),
        ("method", methods()),
        ("retry_condition", any_of([words(&["connect", "timeout"]), refer("status_form")])),
        ("backoff", examples(pattern(BACKOFF), ["200ms..5s".into()])),
    ]
}

const BACKOFF: &str = "^[0-9]+(ms|s|m|h|d)(\\.\\.[0-9]+(ms|s|m|h|d))?$";

/// Those that everybody knows are offered; any other word is a method too.
fn methods() -> serde_json::Value {
    let known = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
    any_of([words(&known), pattern("^[A-Za-z][A-Za-z-]*$")])
}

fn pattern(pattern: &str) -> serde_json::Value {
    json!({ "type": "string", "pattern": pattern })
}

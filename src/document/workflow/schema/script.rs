//! Scripts: Rhai in a block, or in a file of its own.

use serde_json::json;

use crate::document::workflow::schema::Definition;
use crate::document::workflow::schema::shape::{examples, key, map_or_text, refer};

pub(super) fn definitions() -> Vec<Definition> {
    let file = examples(refer("path"), ["scripts/sign.rhai".into()]);
    let script = map_or_text([
        key("file", "The file that holds the script, inside the project.", file),
        key("code", "The script itself, where limits stand beside it.", refer("text")),
        key("timeout", "How long it may run by itself; 5s if left out.", refer("duration")),
        key(
            "max_operations",
            "How many operations it may do; 5000000 if left out.",
            json!({ "type": "integer", "minimum": 1 }),
        ),
        key("max_text", "How large a text may become; 4MiB if left out.", refer("size")),
    ]);
    vec![("script", script)]
}

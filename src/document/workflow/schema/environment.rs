//! An environment's file: values for the inputs of every workflow of a run.

use serde_json::{Value, json};

use crate::document::workflow::schema::Definition;
use crate::document::workflow::schema::shape::{entries, fields, key, list, refer, with};

/// The whole file.
pub(super) fn environment() -> Value {
    entries(&refer("value"))
}

pub(super) fn definitions() -> Vec<Definition> {
    let value = fields([
        key("env", "The environment variable that gives the value.", refer("path")),
        key("file", "A file whose content is the value, without its last line break.", refer("path")),
        key(
            "command",
            "A program and its arguments whose output is the value; it runs only with `--trust`.",
            with(list(&refer("text")), "minItems", 1),
        ),
        key("value", "The value itself.", json!({})),
        key("secret", "Whether the value is kept out of all output.", refer("truth")),
    ]);
    vec![("value", value)]
}

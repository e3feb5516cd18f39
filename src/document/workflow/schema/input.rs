//! `inputs`: what the caller gives.

use serde_json::json;

use crate::document::workflow::schema::Definition;
use crate::document::workflow::schema::shape::{examples, fields, key, list, refer, with, words};

pub(super) fn definitions() -> Vec<Definition> {
    let types = ["string", "int", "float", "bool", "json", "csv"];
    let input = fields([
        key("default", "The value where nothing else gives one; not a template.", json!({})),
        key(
            "env",
            "The environment variable that may give the value; an empty one counts as not set.",
            examples(refer("path"), ["API_TOKEN".into()]),
        ),
        key("file", "A file whose content is the value, without its last line break.", refer("path")),
        key(
            "command",
            "A program and its arguments whose output is the value; it runs only with `--trust`.",
            with(list(&refer("text")), "minItems", 1),
        ),
        key(
            "secret",
            "Whether the value is kept out of all output; some names, such as password, are by themselves.",
            refer("truth"),
        ),
        key(
            "type",
            "What a text that comes from outside is read as; else the default's type.",
            words(&types),
        ),
        key("required", "`false` lets the input be null where nobody gives it.", refer("truth")),
        key("description", "What the input is for, shown to whoever has to give it.", refer("text")),
        key("choices", "The only values that it may have.", with(list(&json!({})), "minItems", 1)),
    ]);
    vec![("input", input)]
}

//! The top level of a workflow.

use serde_json::{Value, json};

use crate::document::workflow::schema::shape::{
    entries, examples, key, list, map, map_or_text, needing, refer, with, words,
};

/// The whole file.
pub(super) fn workflow() -> Value {
    let steps = with(list(&refer("step")), "minItems", 1);
    let workflow = map([
        key(
            "name",
            "What the workflow is called; the file's name without its ending if left out.",
            refer("text"),
        ),
        key("description", "What the workflow is for, for people.", refer("text")),
        key(
            "tags",
            "Words by which runs choose workflows, with `--tag` and `--skip-tag`.",
            list(&refer("text")),
        ),
        key(
            "inputs",
            "What the caller gives: `name: value`, or `name:` with where it comes from; without a value it must be given.",
            entries(&refer("input")),
        ),
        key(
            "vars",
            "Values derived from the inputs and from earlier vars, in order.",
            examples(entries(&json!({})), [json!({ "host": "{{ api | url_host }}" })]),
        ),
        key("defaults", "What holds for every request of this file.", refer("defaults")),
        key(
            "mock",
            "The stand-in that answers under `run --mock`: its file, or the file and the inputs that point at it.",
            mock(),
        ),
        key("steps", "What is done, in order.", steps.clone()),
        key("finally", "Steps that run whatever happened before, such as a logout.", steps),
        key(
            "outputs",
            "What callers and `--output` get by name; everything extracted if left out.",
            examples(entries(&json!({})), [json!({ "token": "{{ token }}" })]),
        ),
    ]);
    needing(workflow, &["steps"])
}

fn mock() -> Value {
    let mock = map_or_text([
        key("file", "The mock's file, relative to this one.", refer("path")),
        key(
            "replaces",
            "The inputs that point at the mock; every one that is an http or https URL if left out.",
            list(&refer("path")),
        ),
        key("inputs", "What inputs are under the mock, unless the caller gives them.", entries(&json!({}))),
        key("state", "Entries of the mock's state that differ for this workflow.", entries(&json!({}))),
        key("tls", "`self_signed` serves https with a certificate of its own.", words(&["self_signed"])),
    ]);
    needing(mock, &["file"])
}

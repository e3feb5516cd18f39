//! Scripts: Rhai in a block, or in a file of its own.

use crate::document::workflow::schema::Definition;
use crate::document::workflow::schema::shape::{examples, key, map_or_text, needing, refer};

pub(super) fn definitions() -> Vec<Definition> {
    let file = examples(refer("path"), ["scripts/sign.rhai".into()]);
    let script = map_or_text([key("file", "The file that holds the script, inside the project.", file)]);
    vec![("script", needing(script, &["file"]))]
}

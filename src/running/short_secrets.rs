//! Secrets that are too short to be looked for inside other text: whoever runs a workflow is told, once
//! for each in a call, however many rows, passes, files and used workflows have it.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use crate::document::inputs::Resolved;
use crate::ground::secret::{Marked, SHORTEST};
use crate::ground::value::Value;

/// Those that were told of, by the names under which they are shown. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct ShortSecrets(Arc<Mutex<HashSet<Arc<str>>>>);

impl ShortSecrets {
    /// The inputs that have one and were not told of before.
    pub(super) fn new_in(&self, inputs: &Resolved) -> Vec<Arc<str>> {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut is_new = |input: &Marked<Value>| {
            let name = input.marks.secret.as_ref().filter(|_| is_short(&input.value));
            name.is_some_and(|name| told.insert(Arc::clone(name)))
        };
        inputs.iter().filter(|(_, input)| is_new(input)).map(|(name, _)| Arc::clone(name)).collect()
    }
}

/// Whether a text, or a number, is too short; nothing at all hides nothing.
fn is_short(value: &Value) -> bool {
    let length = match value {
        Value::String(text) => text.len(),
        Value::Number(number) => number.to_string().len(),
        _ => 0,
    };
    (1..SHORTEST).contains(&length)
}

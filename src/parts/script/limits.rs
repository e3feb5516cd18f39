//! What a script may use up, and how it says that it needs more.
//!
//! A script that needs more says so beside its text: `before: { file: scripts/sign.rhai, timeout:
//! 30s }`, or `{ code: …, max_operations: 50000000 }`. What protects the process itself (the depth
//! of calls and values, the elements of a list) cannot be changed.

use std::time::Duration;

use crate::ground::read::{Fields, Reading};
use crate::parts::script::{OPERATIONS, TEXT, TIME};

/// How much a script may ask for as its longest text, in bytes.
const MOST_TEXT: u64 = 64 * 1024 * 1024;

/// The keys that stand beside `file` or `code`.
pub(super) const KEYS: [&str; 3] = ["timeout", "max_operations", "max_text"];

/// The limits that a script may set for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limits {
    /// `timeout`: how long it may run by itself.
    pub(super) time: Duration,
    /// `max_operations`: how many operations it may do.
    pub(super) operations: u64,
    /// `max_text`: how long a text may be, in bytes.
    pub(super) text: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { time: TIME, operations: OPERATIONS, text: TEXT }
    }
}

impl Limits {
    /// Reads those of a map that are there; mistakes are reported.
    pub(super) fn read(fields: &Fields<'_>, reading: &Reading) -> Option<Self> {
        let time = fields.optional("timeout", |node| reading.duration(node, "timeout"));
        let operations = fields.optional("max_operations", |node| reading.whole(node, "max_operations", 1));
        let text = fields.optional("max_text", |node| {
            let size = reading.size(node, "max_text")?;
            let fits = usize::try_from(size).ok().filter(|size| (1..=MOST_TEXT).contains(&(*size as u64)));
            if fits.is_none() {
                reading.error(node.span, "`max_text` must lie between 1B and 64MiB");
            }
            fits
        });
        let usual = Self::default();
        Some(Self {
            time: time?.unwrap_or(usual.time),
            operations: operations?.unwrap_or(usual.operations),
            text: text?.unwrap_or(usual.text),
        })
    }
}

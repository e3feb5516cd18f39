//! `br` (RFC 7932).

use std::fmt;

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};

use crate::parts::http::decode::Step;

/// A stream that is being read. Its window has 16 MiB at most: the larger ones that some encoders
/// have beside the RFC are refused.
pub(super) struct Brotli {
    state: BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>,
    written: usize,
    ended: bool,
}

impl fmt::Debug for Brotli {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Brotli").field("ended", &self.ended).finish_non_exhaustive()
    }
}

impl Default for Brotli {
    fn default() -> Self {
        let alloc = StandardAlloc::default;
        Self { state: BrotliState::new_strict(alloc(), alloc(), alloc()), written: 0, ended: false }
    }
}

impl Brotli {
    /// Whether its end was seen.
    pub(super) const fn is_ended(&self) -> bool {
        self.ended
    }

    pub(super) fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, &'static str> {
        if self.ended {
            return if input.is_empty() {
                Ok(Step::default())
            } else {
                Err("something else follows its end")
            };
        }
        let (mut left, mut read) = (input.len(), 0);
        let (mut room, mut written) = (output.len(), 0);
        let result = BrotliDecompressStream(
            &mut left,
            &mut read,
            input,
            &mut room,
            &mut written,
            output,
            &mut self.written,
            &mut self.state,
        );
        match result {
            BrotliResult::ResultFailure => return Err("it is corrupt"),
            BrotliResult::ResultSuccess => self.ended = true,
            BrotliResult::NeedsMoreInput | BrotliResult::NeedsMoreOutput => {}
        }
        Ok(Step { read, written })
    }
}

//! What the runs of one command learnt of late, whichever of them it was.
//!
//! A run forgets its own secrets when it ends. What it got from a server may nevertheless be echoed
//! to the run beside it, or to the next one. All of it cannot be kept, since a command may run a
//! million rows: the older half is dropped whenever the newer one is full.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::ground::secret::index::NeedleIndex;
use crate::ground::secret::search::Hit;

/// How many secrets fill a half: twice as many are remembered at most, and as many at least.
pub(super) const HALF: usize = 1024;

/// The newer half and the older one.
#[derive(Default)]
pub(super) struct Recent(Mutex<[NeedleIndex; 2]>);

impl Recent {
    pub(super) fn learn(&self, name: &Arc<str>, text: &Arc<str>) {
        let mut halves = self.lock();
        if halves[0].learnt.len() >= HALF && !halves[0].learnt.contains_key(text) {
            halves.swap(0, 1);
            halves[0] = NeedleIndex::default();
        }
        halves[0].learnt.entry(Arc::clone(text)).or_insert_with(|| Arc::clone(name));
    }

    pub(super) fn reveal(&self, text: &str) {
        for half in self.lock().iter_mut() {
            half.revealed.insert(text.into());
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lock().iter_mut().all(NeedleIndex::is_empty)
    }

    /// Tells every secret in a text, until told to stop.
    pub(super) fn find(&self, text: &[u8], tell: &mut dyn FnMut(Hit) -> ControlFlow<()>) -> ControlFlow<()> {
        self.lock().iter_mut().try_for_each(|half| half.visit(text, tell))
    }

    fn lock(&self) -> MutexGuard<'_, [NeedleIndex; 2]> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

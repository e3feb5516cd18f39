//! What the runs of one command learnt of late, whichever of them it was.
//!
//! A run forgets its own secrets when it ends. What it got from a server may nevertheless be echoed
//! to the run beside it, or to the next one. All of it cannot be kept, since a command may run a
//! million rows: the older half is dropped whenever the newer one is full.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::ground::secret::Needles;
use crate::ground::secret::index::NeedleIndex;
use crate::ground::secret::needles::Later;
use crate::ground::secret::search::Hit;

/// How many secrets fill a half: twice as many are remembered at most, and as many at least. More would
/// fill the caches of the processor with what is hardly ever read.
pub(super) const HALF: usize = 256;
/// Of how many answers something may be learnt that nobody has looked for yet.
pub(super) const MOST_LATER: usize = 32;

#[derive(Default)]
pub(super) struct Recent {
    /// The newer half and the older one.
    halves: Mutex<[NeedleIndex; 2]>,
    later: Mutex<VecDeque<Later>>,
}

impl Recent {
    /// Learns it when a run looks at a text for the next time; most commands show none.
    pub(super) fn learn_later(&self, learn: Later) {
        let mut later = self.later();
        if later.len() == MOST_LATER {
            later.pop_front();
        }
        later.push_back(learn);
    }

    pub(super) fn has_later(&self) -> bool {
        !self.later().is_empty()
    }

    /// Learns what was left for later, as the run beside all others that is given.
    pub(super) fn settle(&self, beside: &Needles) {
        self.later().drain(..).for_each(|learn| learn(beside));
    }

    fn later(&self) -> MutexGuard<'_, VecDeque<Later>> {
        self.later.lock().unwrap_or_else(PoisonError::into_inner)
    }

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
        self.halves.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

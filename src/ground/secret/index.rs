//! The needles of a part of a run: each secret with its forms, and the search for them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashSet};
use std::ops::Bound::{Included, Unbounded};
use std::ops::ControlFlow;
use std::sync::Arc;

use foldhash::fast::RandomState;
use indexmap::IndexMap;

use crate::ground::secret::forms::{Form, forms};
use crate::ground::secret::search::Hit;
use crate::ground::secret::{SHORTEST, is_jwt};

/// The longest form that must stand whole, as many bytes as [`Whole::lengths`] has bits for. Of a longer one
/// that much is enough: so a place where no secret stands is looked at no further.
const WHOLE: usize = 127;

/// An incremental index of needles by their first eight bytes, and of each kind in their order. A
/// general searcher would have to be built again for each secret that a run learns.
#[derive(Default)]
pub(super) struct NeedleIndex {
    /// Every secret, however short, and the name under which it was learnt first.
    pub(super) learnt: IndexMap<Arc<str>, Arc<str>, RandomState>,
    indexed: usize,
    filter: HeadFilter,
    heads: HashSet<[u8; SHORTEST], RandomState>,
    /// Those that must stand whole.
    whole: BTreeMap<Box<[u8]>, Whole>,
    /// Those of which a beginning is enough, by how long that must be.
    cut: BTreeMap<usize, BTreeMap<Box<[u8]>, usize>>,
    pub(super) revealed: HashSet<Box<str>, RandomState>,
}

/// A needle that must stand whole.
struct Whole {
    /// Which of those that were learnt it is a form of.
    of: usize,
    /// How long the needles are that it begins with, itself among them: a bit for each.
    lengths: u128,
}

/// Which needles may begin here, by their first four bytes: most places of a text are passed over
/// without looking into the index.
#[derive(Default)]
struct HeadFilter(Vec<u64>);

impl HeadFilter {
    /// The bit of four bytes: a multiplication spreads them over all sixteen bits of a place.
    fn bit(head: [u8; 4]) -> (usize, u64) {
        let spread = u32::from_le_bytes(head).wrapping_mul(0x9e37_79b1) >> 16;
        (spread as usize / 64, 1 << (spread % 64))
    }

    fn add(&mut self, head: [u8; 4]) {
        if self.0.is_empty() {
            self.0 = vec![0; 1024];
        }
        let (word, bit) = Self::bit(head);
        self.0[word] |= bit;
    }

    fn may_begin(&self, text: &[u8]) -> bool {
        text.first_chunk::<4>().is_some_and(|head| {
            let (word, bit) = Self::bit(*head);
            self.0[word] & bit != 0
        })
    }
}

impl NeedleIndex {
    /// Whether there is nothing to search for.
    pub(super) fn is_empty(&mut self) -> bool {
        self.index();
        self.heads.is_empty()
    }

    /// Tells every needle in a text, the longest at each place, with the secret that it is a form of
    /// and its name, until told to stop.
    pub(super) fn visit(
        &mut self,
        text: &[u8],
        tell: &mut dyn FnMut(Hit) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        if self.is_empty() {
            return ControlFlow::Continue(());
        }
        let mut at = 0;
        while let Some(head) = text.get(at..).and_then(<[u8]>::first_chunk::<SHORTEST>) {
            let begins = self.filter.may_begin(head) && self.heads.contains(head);
            match begins.then(|| self.longest(&text[at..])).flatten() {
                Some((length, of)) => {
                    if let Some((secret, name)) = self.learnt.get_index(of)
                        && !self.is_revealed(&text[at..], length)
                    {
                        let (secret, name) = (Arc::clone(secret), Arc::clone(name));
                        tell(Hit { range: at..at + length, name, secret })?;
                    }
                    at += length;
                }
                None => at += 1,
            }
        }
        ControlFlow::Continue(())
    }

    fn longest(&self, text: &[u8]) -> Option<(usize, usize)> {
        let cut = self
            .cut
            .iter()
            .filter_map(|(least, needles)| stands_cut(needles, text).filter(|(length, _)| length >= least));
        let found = self.stands_whole(text).into_iter().chain(cut);
        found.max_by_key(|(length, of)| (*length, Reverse(*of)))
    }

    /// Whether what stands at the start of a text is shown on purpose: by itself, or as the beginning
    /// of a token.
    fn is_revealed(&self, text: &[u8], length: usize) -> bool {
        self.revealed.iter().any(|shown| {
            shown.len() >= length
                && text.starts_with(shown.as_bytes())
                && (shown.len() == length || is_jwt(shown))
        })
    }

    fn index(&mut self) {
        for at in self.indexed..self.learnt.len() {
            let Some((secret, _)) = self.learnt.get_index(at) else { break };
            if secret.len() >= SHORTEST {
                for form in forms(secret) {
                    self.insert(form, at);
                }
            }
        }
        self.indexed = self.learnt.len();
    }

    fn insert(&mut self, Form { text, least }: Form, of: usize) {
        let Some(head) = text.as_bytes().first_chunk::<SHORTEST>() else { return };
        self.filter.add([head[0], head[1], head[2], head[3]]);
        self.heads.insert(*head);
        let text: Box<[u8]> = text.into_bytes().into();
        match least.or((text.len() > WHOLE).then_some(WHOLE)) {
            Some(least) => {
                self.cut.entry(least).or_default().entry(text).or_insert(of);
            }
            None => self.insert_whole(text, of),
        }
    }

    fn insert_whole(&mut self, text: Box<[u8]>, of: usize) {
        if self.whole.contains_key(&text) {
            return;
        }
        let own = 1 << text.len();
        let before = self.whole.range::<[u8], _>((Unbounded, Included(&*text))).next_back();
        let lengths = before.map_or(0, |(known, whole)| whole.lengths & up_to(common(known, &text)));
        for (longer, whole) in self.whole.range_mut::<[u8], _>((Included(&*text), Unbounded)) {
            if !longer.starts_with(&text) {
                break;
            }
            whole.lengths |= own;
        }
        self.whole.insert(text, Whole { of, lengths: lengths | own });
    }

    /// The longest of those that must stand whole, where one does. In their order the last before the
    /// text begins with all that the text begins with.
    fn stands_whole(&self, text: &[u8]) -> Option<(usize, usize)> {
        let (known, whole) = self.whole.range::<[u8], _>((Unbounded, Included(text))).next_back()?;
        let length = (whole.lengths & up_to(common(known, text))).checked_ilog2()? as usize;
        self.whole.get(&text[..length]).map(|whole| (length, whole.of))
    }
}

/// The lengths up to one, as [`Whole::lengths`] has them.
const fn up_to(length: usize) -> u128 {
    u128::MAX >> (WHOLE - length)
}

/// The needle that has most in common with the start of a text, and how much. In their order it
/// stands beside the text.
fn stands_cut(needles: &BTreeMap<Box<[u8]>, usize>, text: &[u8]) -> Option<(usize, usize)> {
    let before = needles.range::<[u8], _>((Unbounded, Included(text))).next_back();
    let after = needles.range::<[u8], _>((Included(text), Unbounded)).next();
    let found = before.into_iter().chain(after).map(|(needle, of)| {
        // A character that is cut belongs to what follows.
        let is_whole = |end: &usize| needle.get(*end).is_none_or(|byte| byte & 0xc0 != 0x80);
        ((0..=common(needle, text)).rev().find(is_whole).unwrap_or(0), *of)
    });
    found.max_by_key(|(length, of)| (*length, Reverse(*of)))
}

fn common(one: &[u8], other: &[u8]) -> usize {
    one.iter().zip(other).take_while(|(one, other)| one == other).count()
}

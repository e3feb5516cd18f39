//! The search of a text for all that a run knows: in the text as it stands and in every view of it.
//!
//! Whatever is found in any of them is taken out whole, also where two secrets overlap: half of one
//! beside a pseudonym would still be half a secret.

use std::fmt;
use std::fmt::Write as _;
use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use memchr::memmem;

use crate::ground::secret::Needles;
use crate::ground::secret::index::NeedleIndex;
use crate::ground::secret::jwt::jwt_length;
use crate::ground::secret::view::{self, View};

/// A place in a text where a secret stands.
#[derive(Clone)]
pub struct Hit {
    /// From where to where, in bytes.
    pub range: Range<usize>,
    /// What the secret is called.
    pub name: Arc<str>,
    /// The secret itself, which what stands there may be a form of.
    pub secret: Arc<str>,
}

impl fmt::Debug for Hit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hit").field("name", &self.name).field("range", &self.range).finish_non_exhaustive()
    }
}

impl Needles {
    /// The text with every secret in it, in any known form, replaced by its pseudonym.
    #[must_use]
    pub fn scrub(&self, text: &str) -> String {
        let hits = self.find(text);
        let mut clean = String::with_capacity(text.len());
        let mut kept = 0;
        for hit in &hits {
            clean.push_str(&text[kept..hit.range.start]);
            let _ = write!(clean, "«{}»", hit.name);
            kept = hit.range.end;
        }
        clean.push_str(&text[kept..]);
        clean
    }

    /// Where secrets stand in a text, in any known form and in the order of the text. No two
    /// overlap.
    #[must_use]
    pub fn find(&self, text: &str) -> Vec<Hit> {
        self.settle();
        let mut hits = Vec::new();
        let knows = self.knows_any();
        if !knows && memmem::find(text.as_bytes(), b"eyJ").is_none() {
            return hits;
        }
        let mut tell = |hit| {
            hits.push(hit);
            ControlFlow::Continue(())
        };
        let _ = self.find_plainly(text.as_bytes(), true, &mut tell);
        if knows {
            let views = view::views(text.as_bytes());
            for (at, View { bytes, has_words, .. }) in views.iter().enumerate() {
                let _ = self.find_plainly(bytes, *has_words, &mut |hit| {
                    hits.push(Hit { range: view::origin(&views, at, hit.range.clone()), ..hit });
                    ControlFlow::Continue(())
                });
            }
        }
        let whole = |at: usize, step: fn(usize) -> usize| {
            std::iter::successors(Some(at), |at| Some(step(*at))).find(|at| text.is_char_boundary(*at))
        };
        for Hit { range, .. } in &mut hits {
            let start = whole(range.start, |at| at.saturating_sub(1)).unwrap_or_default();
            *range = start..whole(range.end, |at| at + 1).unwrap_or(text.len());
        }
        apart(hits)
    }

    /// Whether a secret stands in a text, in any known form.
    #[must_use]
    pub fn stands_in(&self, text: &[u8]) -> bool {
        self.settle();
        let knows = self.knows_any();
        if !knows && memmem::find(text, b"eyJ").is_none() {
            return false;
        }
        let stands = |text: &[u8], has_words| {
            self.find_plainly(text, has_words, &mut |_| ControlFlow::Break(())).is_break()
        };
        stands(text, true)
            || (knows && view::views(text).iter().any(|view| stands(&view.bytes, view.has_words)))
    }

    /// Whether anything was learnt that is searched for.
    fn knows_any(&self) -> bool {
        !self.lock().is_empty()
            || self.parent.as_ref().is_some_and(|parent| parent.knows_any())
            || self.shared().is_some_and(|recent| !recent.is_empty())
    }

    /// What stands in one view, in the order of the age of the secrets, until told to stop. A view that
    /// `has_words` shows where a JWT ends, too.
    fn find_plainly(
        &self,
        text: &[u8],
        has_words: bool,
        tell: &mut dyn FnMut(Hit) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        if let Some(parent) = &self.parent {
            parent.find_plainly(text, has_words, tell)?;
        }
        let mut own = self.lock();
        own.visit(text, tell)?;
        match self.shared() {
            Some(recent) => recent.find(text, tell),
            None if self.parent.is_none() && has_words => find_jwts(text, &own, tell),
            None => ControlFlow::Continue(()),
        }
    }
}

/// Whatever has the form of a JWT is a secret, whoever made it.
fn find_jwts(
    text: &[u8],
    known: &NeedleIndex,
    tell: &mut dyn FnMut(Hit) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let mut from = 0;
    while let Some(at) = text.get(from..).and_then(|rest| memmem::find(rest, b"eyJ")).map(|at| at + from) {
        match jwt_length(&text[at..]) {
            Ok(length) => {
                from = at + length;
                let token = str::from_utf8(&text[at..from]).unwrap_or_default();
                if !known.revealed.contains(token) {
                    tell(Hit { range: at..from, name: "jwt".into(), secret: token.into() })?;
                }
            }
            Err(none) => from = at + none,
        }
    }
    ControlFlow::Continue(())
}

/// The hits in the order of the text; those that overlap are one, by the name of the longest, or
/// of the one that was learnt first.
fn apart(mut hits: Vec<Hit>) -> Vec<Hit> {
    hits.sort_by_key(|hit| (hit.range.start, std::cmp::Reverse(hit.range.end)));
    let mut apart: Vec<(Hit, usize)> = Vec::with_capacity(hits.len());
    for hit in hits {
        let length = hit.range.len();
        match apart.last_mut() {
            Some((last, longest)) if hit.range.start < last.range.end => {
                last.range.end = last.range.end.max(hit.range.end);
                if length > *longest {
                    (last.name, last.secret, *longest) = (hit.name, hit.secret, length);
                }
            }
            _ => apart.push((hit, length)),
        }
    }
    apart.into_iter().map(|(hit, _)| hit).collect()
}

//! What one evaluation of an expression read, and how much it made: marks for what comes out of it,
//! and a bound on the way.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use minijinja::{Error, ErrorKind};

use crate::ground::clock::Clock;
use crate::ground::secret::{Marks, Needles};

/// How many bytes of text one evaluation may read and make, all steps on its way together.
const MOST_TEXT: u64 = 64 * 1024 * 1024;

/// A note of what one evaluation read.
#[derive(Debug, Default)]
pub struct Reads {
    marks: Mutex<Marks>,
    revealed: Mutex<bool>,
    needles: Needles,
    /// How many bytes of text were read and made so far.
    text: AtomicU64,
    /// What time it is for this evaluation.
    pub clock: Clock,
}

impl Reads {
    /// Nothing was read yet.
    pub(super) fn new(needles: &Needles, clock: &Clock) -> Self {
        Self { needles: needles.clone(), clock: clock.clone(), ..Self::default() }
    }

    /// The marks of what the evaluation made.
    pub fn marks(&self) -> Marks {
        let mut marks = self.lock().clone();
        if *self.revealed.lock().unwrap_or_else(PoisonError::into_inner) {
            marks.secret = None;
        }
        marks
    }

    /// Makes room for so many bytes of text, before they are made.
    ///
    /// # Errors
    /// There is no room for them.
    pub fn make(&self, bytes: u64) -> Result<(), Error> {
        let before = self.text.fetch_add(bytes.min(MOST_TEXT + 1), Ordering::Relaxed);
        if before.saturating_add(bytes) <= MOST_TEXT {
            return Ok(());
        }
        let message = format!("this expression makes more than {} MiB of text on its way", MOST_TEXT >> 20);
        Err(Error::new(ErrorKind::InvalidOperation, message))
    }

    /// Learns what one of our functions made of a secret: it is as secret as that.
    pub fn derive(&self, text: &str) {
        if let Some(name) = &self.lock().secret {
            self.needles.learn(name, text);
        }
    }

    /// The user wants to see it.
    pub fn reveal(&self, text: &str) {
        self.needles.reveal(text);
        *self.revealed.lock().unwrap_or_else(PoisonError::into_inner) = true;
    }

    pub(super) fn note(&self, marks: &Marks) {
        if marks.is_secret() || marks.from_server {
            self.lock().join(marks);
        }
    }

    pub(super) fn note_server(&self) {
        self.lock().from_server = true;
    }

    pub(super) fn note_secret(&self, name: &Arc<str>, text: &str) {
        self.needles.learn(name, text);
        self.lock().join(&Marks::secret(Arc::clone(name)));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Marks> {
        self.marks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

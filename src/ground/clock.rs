//! The time of day, in one place, so that a test can say what time it is.
//!
//! Waiting is Tokio's: a test pauses that clock instead.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Tells the time of day.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    fixed: Option<Arc<AtomicI64>>,
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub const fn system() -> Self {
        Self { fixed: None }
    }

    /// A clock that stands still at `millis` after the epoch until it is moved by
    /// [`Clock::advance`]. Clones share the time.
    #[must_use]
    pub fn fixed(millis: i64) -> Self {
        Self { fixed: Some(Arc::new(AtomicI64::new(millis))) }
    }

    /// Milliseconds since 1970-01-01T00:00:00Z; negative before.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        if let Some(fixed) = &self.fixed {
            return fixed.load(Ordering::Relaxed);
        }
        let now = SystemTime::now();
        match now.duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |ms| -ms),
        }
    }

    /// Whole seconds since the epoch.
    #[must_use]
    pub fn now_seconds(&self) -> i64 {
        self.now_ms().div_euclid(1000)
    }

    /// Moves a fixed clock; the machine's clock does not move for anybody.
    pub fn advance(&self, millis: i64) {
        if let Some(fixed) = &self.fixed {
            fixed.fetch_add(millis, Ordering::Relaxed);
        }
    }
}

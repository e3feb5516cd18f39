//! The marks of a value: whether it is a secret, and who sent it.

use std::fmt;
use std::sync::Arc;

/// What is known of where a value came from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Marks {
    /// The name of the secret that it is, or was made with.
    pub secret: Option<Arc<str>>,
    /// A server sent it, or it was made from what a server sent.
    pub from_server: bool,
}

impl Marks {
    /// No secret, and from no server.
    pub const NONE: Self = Self { secret: None, from_server: false };

    /// The marks of a secret that the user gave.
    #[must_use]
    pub const fn secret(name: Arc<str>) -> Self {
        Self { secret: Some(name), from_server: false }
    }

    /// Whether the value must be shown as a pseudonym.
    #[must_use]
    pub const fn is_secret(&self) -> bool {
        self.secret.is_some()
    }

    /// Adds the marks of another value that went into this one. The first secret names the whole.
    pub fn join(&mut self, other: &Self) {
        if self.secret.is_none() {
            self.secret.clone_from(&other.secret);
        }
        self.from_server |= other.from_server;
    }

    /// What to show in place of `plain`: the pseudonym if this is a secret.
    #[must_use]
    pub fn show(&self, plain: impl FnOnce() -> String) -> String {
        self.secret.as_deref().map_or_else(plain, pseudonym)
    }
}

/// A value and its marks.
#[derive(Clone, Default)]
pub struct Marked<T> {
    /// The value.
    pub value: T,
    /// Where it came from.
    pub marks: Marks,
}

impl<T> fmt::Debug for Marked<T> {
    /// Not the value: one that is no secret by itself may still hold one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Marked").field("marks", &self.marks).finish_non_exhaustive()
    }
}

impl<T> Marked<T> {
    /// Joins a value with its marks.
    pub const fn new(value: T, marks: Marks) -> Self {
        Self { value, marks }
    }

    /// A value without marks.
    pub const fn plain(value: T) -> Self {
        Self { value, marks: Marks::NONE }
    }

    /// Changes the value and keeps the marks.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Marked<U> {
        Marked { value: change(self.value), marks: self.marks }
    }
}

/// How a secret is shown: `«name»`.
#[must_use]
pub fn pseudonym(name: &str) -> String {
    format!("«{name}»")
}

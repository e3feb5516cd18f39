//! What must never be shown, and the two means that keep it so.
//!
//! *Marks* travel with a value: whoever reads a secret marks what it makes of it, and a marked
//! value is shown as its pseudonym. *Needles* are the secrets themselves and every form in which
//! they may come back: text is scrubbed of them where it is made. Learning a needle costs one
//! clone; its forms are worked out only when some text is to be shown.

mod forms;
mod index;
mod jwt;
mod marks;
mod mask;
pub mod name;
mod needles;
mod recent;
mod search;
mod view;
pub mod written;

pub use jwt::is_jwt;
pub use marks::{Marked, Marks, pseudonym};
pub use mask::masked;
pub use name::is_secret_name;
pub use needles::Needles;
pub use search::Hit;

/// The shortest text that is searched for in free text: shorter ones occur by chance.
pub const SHORTEST: usize = 8;

#[cfg(test)]
mod tests;

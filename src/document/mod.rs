//! What the user wrote, read and checked, and the plan made of it.

pub mod format;
pub mod inputs;
pub mod plan;
pub mod workflow;

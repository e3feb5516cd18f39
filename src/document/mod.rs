//! What the user wrote, read and checked, and the plan made of it.

pub mod environment;
pub mod format;
pub mod inputs;
mod outside;
pub mod plan;
pub mod rows;
pub mod workflow;

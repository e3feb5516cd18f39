//! The parts of a step: each knows its own shape, behaviour and messages, and none knows how a
//! run goes on.

pub mod http;
pub mod scope;
pub mod script;
pub mod template;

//! The parts of a step: each knows its own shape, behaviour and messages, and none knows how a
//! run goes on.

pub mod auth;
pub mod expect;
pub mod extract;
pub mod http;
pub mod retry;
pub mod scope;
pub mod script;
pub mod select;
pub mod template;

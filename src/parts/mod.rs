//! The parts of a step: each knows its own shape, behaviour and messages, and none knows how a
//! run goes on.

pub mod auth;
pub mod condition;
pub mod expect;
pub mod extract;
pub mod for_each;
pub mod http;
pub mod repeat;
pub mod retry;
pub mod scope;
pub mod script;
pub mod select;
pub mod template;

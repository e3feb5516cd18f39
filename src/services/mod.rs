//! What listens: servers on this machine, each a `serve(listener, …, shutdown)`, so that the
//! caller binds and decides when to stop.

pub mod mock;
pub mod runner;

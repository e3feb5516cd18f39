//! HTTP: what is sent, what comes back, and the one way to the network.

pub mod message;

pub use message::{Request, Response, Timing};

//! HTTP: what is sent, what comes back, and the one way to the network.

pub mod message;
pub mod spec;
pub mod status;

pub use message::{Request, Response, Timing};
pub use spec::{Rendered, RequestDefaults, RequestSpec};
pub use status::StatusSet;

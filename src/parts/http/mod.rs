//! HTTP: what is sent, what comes back, and the one way to the network.

mod body;
mod cause;
pub mod channel;
mod charset;
pub mod client;
pub mod cookies;
pub mod curl;
pub mod decode;
pub mod error;
mod framing;
mod host;
mod http2;
#[cfg(test)]
mod loopback;
pub mod media;
pub mod message;
mod no_proxy;
pub mod origin;
mod proxy;
pub mod redirect;
mod resolve;
pub mod spec;
pub mod status;
mod timing;
pub mod tls;
pub mod transport;

pub use channel::Channel;
pub use client::{Client, ClientOptions};
pub use cookies::{Jar, Saved};
pub use error::Error;
pub use media::is_form;
pub use message::{Certificate, Request, Response, Timing, is_credential};
pub use spec::{Rendered, RequestDefaults, RequestSpec};
pub use status::StatusSet;
pub use transport::Transport;

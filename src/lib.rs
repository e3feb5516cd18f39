//! Runs YAML chains of HTTP requests: get a token with a token, keep it, check the API behind it.
//!
//! A workflow's text becomes a [`document::workflow::Workflow`], that and what the caller gives a
//! [`document::plan::Plan`], and a run of it [`running::Event`]s, which a report shows and which
//! fold into an [`running::Outcome`]. Each arrow is one plain function.
//!
//! The folders are layers, and each imports only from those before it: [`ground`] (texts, places,
//! messages, values, secrets), [`parts`] (what a step is made of), [`document`] (what was written),
//! [`running`] (what happens), [`reading`] (what people and programs are told of it), [`services`]
//! (mocks, and the [`services::runner::Runner`] that programs use), [`cli`] (the command).

pub mod cli;
pub mod document;
pub mod ground;
pub mod parts;
pub mod reading;
pub mod running;
pub mod services;

//! Runs YAML chains of HTTP requests: get a token with a token, keep it, check the API behind it.
//!
//! ```
//! # async fn token() -> Result<(), Box<dyn std::error::Error>> {
//! let workflow = reqchain::Workflow::load("workflows/wildix.yaml".as_ref())?;
//! let finished = reqchain::Runner::new(&workflow).mock().run().await?;
//!
//! assert!(finished.passed());
//! assert!(finished.output("service_token").is_some_and(|token| token.starts_with("eyJ")));
//! # Ok(())
//! # }
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(token())
//! # .map_err(|error| error.to_string())?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A workflow's text becomes a [`Workflow`], that and what the caller gives a
//! [`Plan`](document::plan::Plan), a run of it [`Event`](running::Event)s, and these fold into an
//! [`Outcome`](running::Outcome), which a report shows. Each arrow is one plain function.
//!
//! # Where things are
//!
//! The folders are layers, and each imports only from those before it:
//!
//! | layer | what stands there | to add |
//! |---|---|---|
//! | [`ground`] | texts, places, messages, values, secrets, signatures ([`jws`](ground::jws)), the reader of YAML | |
//! | [`parts`] | what a step is made of: requests, templates, scripts, selectors, predicates | a predicate: `expect/predicate`; a selector: `select`; an auth scheme: its own file in `auth`; a script function: its module's file in `script/modules`; a filter: `template/filters`; a way of travelling: `http/channel.rs` |
//! | [`document`] | what was written: workflows, inputs, environments, rows; the plan, the layout | a key of a step: `workflow/step.rs`, and its sentence in `workflow/schema` |
//! | [`running`] | what happens: runs, steps, events, outcomes; what of it is learnt as a secret (`learn`), shown (`show`) and told (`tell`) | an event: `event.rs` |
//! | [`reading`] | what people and programs are told of it | a report: its own file in `report` |
//! | [`services`] | mocks, and the [`Runner`] that programs use | |
//! | [`cli`] | the command | a command: its own file |
//!
//! # Where a key is at home
//!
//! | key | read by | carried out by |
//! |---|---|---|
//! | `inputs`, `--env`, `--data` | [`document::workflow`] (`input`), [`document::environment`], [`document::rows`] | [`document::inputs`], which reads nothing that nobody needs |
//! | `vars`, `outputs`, `finally`, `uses` and `with` | [`document::workflow`] | `running/flow.rs`, `uses.rs` |
//! | `steps` and what refers to what | `workflow/step.rs`, judged by `workflow/check` | `running/flow.rs`, one after another |
//! | `when`, `for_each`, `repeat`, `parallel` | [`parts::condition`], [`parts::for_each`], [`parts::repeat`] | `running/for_each.rs`, `repeat.rs`, `parallel.rs` |
//! | `request`, `retry` | [`parts::http::spec`], [`parts::retry`] | `running/exchange.rs`, by way of the [`Transport`](parts::http::Transport) |
//! | `json`, `form`, `multipart`, `body`, `file`, `graphql` | `http/spec/body.rs` | the same |
//! | `timeout`, `max_body`, `limits` | `http/spec/limits.rs` | `http/body.rs`, `decode`, `framing.rs` |
//! | `redirects`, `cookies`, `tls`, `proxy`, `resolve`, `http_version` | [`parts::http::channel`] | `http/redirect`, [`parts::http::cookies`], `tls`, `proxy.rs`, `no_proxy.rs`, `resolve.rs` |
//! | `auth` | [`parts::auth`] | the same, last before the request is sent |
//! | `extract`, `expect` | [`parts::extract`], [`parts::expect`] | [`parts::select`]; keys that sign tokens are fetched by `running/jwks.rs` |
//! | `before`, `after`, `script` | [`parts::script`] | the same, on a thread of its own |
//! | `mock` | [`services::mock`] | the same |
//!
//! `reqchain fmt` is [`document::format`], `schema` [`document::workflow::schema`], `graph`
//! [`document::workflow::graph`].

pub mod cli;
pub mod document;
pub mod ground;
pub mod parts;
pub mod reading;
pub mod running;
pub mod services;

pub use document::workflow::Workflow;
pub use running::Finished;
pub use services::runner::{Error, Runner};

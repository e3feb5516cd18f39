//! The one boundary to the network: a request goes in, the whole answer comes out.
//!
//! Steps, scripts and whoever fetches keys send through a [`Transport`], so that limits, redirects and the
//! stripping of credentials hold for each of them. The network's own is the
//! [`Client`](crate::parts::http::Client); a program may bring another, as the suite does to see what is under
//! way.

use std::pin::Pin;

use url::Url;

use crate::parts::http::error::Error;
use crate::parts::http::message::{Request, Response};
use crate::parts::http::origin::same_origin;

/// A future on the heap, as a trait's method must return it.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Sends requests.
pub trait Transport: Send + Sync {
    /// Sends one request, follows its redirects and reads the whole answer, within the request's
    /// limits. An answer of any status is an answer, not an error.
    ///
    /// # Errors
    /// [`Error`], for whatever kept the answer from coming whole.
    fn send<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Response, Error>>;

    /// Why the certificate of a server is not checked that this request, or a redirect of it, leads
    /// to; `None` where it is.
    fn unchecked(&self, request: &Request, url: &Url) -> Option<&'static str> {
        unchecked_by(request, url)
    }
}

/// Why a request itself leaves the certificate of a server unchecked: `tls.insecure` holds for the
/// origin of the request as it was written, and for none that a redirect leads to.
pub(super) fn unchecked_by(request: &Request, url: &Url) -> Option<&'static str> {
    let insecure = request.channel.as_ref().is_some_and(|channel| channel.is_insecure());
    let own = insecure && url.scheme() == "https" && same_origin(&request.url, url);
    own.then_some("`tls.insecure` is true")
}

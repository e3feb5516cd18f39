//! The one boundary to the network: a request goes in, the whole answer comes out.
//!
//! Steps, scripts, token requests and the proxy all send through a [`Transport`], so that limits,
//! redirects and the stripping of credentials hold for each of them. [`Recorded`] stands in where
//! no network is wanted: tests and replays.

use std::fmt;
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

/// What a [`Recorded`] answers one request with.
type Answer = dyn Fn(&Request) -> Result<Response, Error> + Send + Sync;

/// Answers that were prepared: nothing is sent.
pub struct Recorded {
    answer: Box<Answer>,
}

impl Recorded {
    /// Answers every request by a closure.
    pub fn by(answer: impl Fn(&Request) -> Result<Response, Error> + Send + Sync + 'static) -> Self {
        Self { answer: Box::new(answer) }
    }
}

impl Transport for Recorded {
    fn send<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Response, Error>> {
        Box::pin(std::future::ready((self.answer)(request)))
    }
}

impl fmt::Debug for Recorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorded").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use reqwest::Method;
    use reqwest::header::HeaderMap;

    use super::*;

    fn request(url: &str) -> Request {
        Request::new(Method::GET, Url::parse(url).expect("the test's URL is right"))
    }

    fn answer(status: u16, request: &Request) -> Response {
        Response::new(status, HeaderMap::new(), Bytes::new(), request.url.clone())
    }

    #[tokio::test]
    async fn a_closure_sees_the_request_that_it_answers() {
        let recorded = Recorded::by(|request| {
            let status = if request.url.path() == "/here" { 200 } else { 404 };
            Ok(answer(status, request))
        });
        for (url, status) in [("http://example.com/here", 200), ("http://example.com/there", 404)] {
            assert_eq!(recorded.send(&request(url)).await.expect("answers").status, status);
        }
    }
}

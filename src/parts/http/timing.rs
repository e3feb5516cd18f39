//! What becomes of a connection while one exchange runs, and how long it takes.
//!
//! reqwest tells neither whether a connection was opened for a request nor when. A layer on its
//! connector writes that down in the exchange's own `Watch`, which the task carries with it:
//! so a dead connection of the pool is told from a server that hangs up, and a time-out while
//! connecting from one after bytes went out. Clocks are read only where times are wanted.

use std::cell::RefCell;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tower_layer::Layer;
use tower_service::Service;

const CONNECTING: u8 = 0;
const ESTABLISHED: u8 = 1;
/// The pool gave another connection to the exchange, and this one is opened for the pool.
const ELSEWHERE: u8 = 2;

/// What an exchange knows of its connection.
#[derive(Debug, Default)]
struct Watch {
    connection: Option<Arc<AtomicU8>>,
    times: Times,
}

/// How long the look-ups and the connecting of one exchange took, all its hops together. `None`
/// where there was none, or where nobody wanted to know.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Times {
    /// Looking up names.
    pub dns: Option<Duration>,
    /// TCP and TLS, the look-ups included.
    pub connect: Option<Duration>,
}

/// Where the connection of a hop comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Connection {
    /// One is being opened: nothing was sent.
    Opening,
    /// It was opened for this hop.
    Fresh,
    /// It was used before.
    Reused,
}

tokio::task_local! {
    static WATCH: RefCell<Watch>;
}

/// Runs an exchange and watches what it does with connections.
pub(super) fn watched<F: Future>(exchange: F) -> impl Future<Output = F::Output> {
    WATCH.scope(RefCell::default(), exchange)
}

/// Says that a new hop begins.
pub(super) fn begin_hop() {
    note(|watch| watch.connection = None);
}

/// Where the connection of the current hop comes from.
#[must_use]
pub(super) fn connection() -> Connection {
    let mut state = None;
    note(|watch| {
        let connection = watch.connection.as_ref();
        state = connection.map(|state| state.load(Ordering::Relaxed));
    });
    match state {
        Some(CONNECTING) => Connection::Opening,
        Some(ESTABLISHED) => Connection::Fresh,
        _ => Connection::Reused,
    }
}

/// What was measured so far.
#[must_use]
pub(super) fn times() -> Times {
    let mut times = Times::default();
    note(|watch| times = watch.times);
    times
}

/// Changes the watch of the exchange that is running; whether there is one.
fn note(change: impl FnOnce(&mut Watch)) -> bool {
    WATCH.try_with(|watch| change(&mut watch.borrow_mut())).is_ok()
}

fn add(sum: &mut Option<Duration>, more: Duration) {
    *sum = Some(sum.unwrap_or_default() + more);
}

/// The layer on the connector.
#[derive(Debug, Clone, Copy)]
pub(super) struct ConnectLayer {
    /// Whether times are wanted.
    pub timing: bool,
}

impl<S> Layer<S> for ConnectLayer {
    type Service = Connect<S>;

    fn layer(&self, inner: S) -> Connect<S> {
        Connect { inner, timing: self.timing }
    }
}

/// A connector that is watched.
#[derive(Debug, Clone)]
pub(super) struct Connect<S> {
    inner: S,
    timing: bool,
}

impl<S: Service<R>, R> Service<R> for Connect<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = Connecting<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let state = Arc::new(AtomicU8::new(CONNECTING));
        note(|watch| watch.connection = Some(Arc::clone(&state)));
        let begun = self.timing.then(Instant::now);
        Connecting { inner: Box::pin(self.inner.call(request)), state, begun }
    }
}

/// A connection that is being opened.
#[derive(Debug)]
pub(super) struct Connecting<F> {
    inner: Pin<Box<F>>,
    state: Arc<AtomicU8>,
    begun: Option<Instant>,
}

impl<F, T, E> Future for Connecting<F>
where
    F: Future<Output = Result<T, E>>,
{
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        // Without a watch this is polled by a task of its own, which hyper makes when the pool
        // had a connection for the exchange after all.
        if !note(|_| ()) {
            self.state.store(ELSEWHERE, Ordering::Relaxed);
            return self.inner.as_mut().poll(cx);
        }
        let polled = self.inner.as_mut().poll(cx);
        if let Poll::Ready(Ok(_)) = &polled {
            self.state.store(ESTABLISHED, Ordering::Relaxed);
        }
        if let (true, Some(begun)) = (polled.is_ready(), self.begun) {
            note(|watch| add(&mut watch.times.connect, begun.elapsed()));
        }
        polled
    }
}

/// The system's name look-up, timed.
#[derive(Debug, Clone, Copy)]
pub(super) struct TimedLookup;

impl Resolve for TimedLookup {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let begun = Instant::now();
            let found = tokio::net::lookup_host((name.as_str(), 0)).await;
            note(|watch| add(&mut watch.times.dns, begun.elapsed()));
            let found: Addrs = Box::new(found?.collect::<Vec<_>>().into_iter());
            Ok(found)
        })
    }
}

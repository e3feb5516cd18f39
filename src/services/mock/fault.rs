//! Faults: how an answer goes wrong on its way, on purpose.
//!
//! A server that always answers well proves nothing about retries, limits and messages. What can
//! be said in HTTP is said there (a status, a slow body); the rest is done to the bytes of the
//! connection by [`FaultyIo`], below the HTTP library, which would never send such things.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::StatusCode;
use hyper::body::{Body, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};
use tokio_rustls::server::TlsStream;

use crate::ground::quantity;
use crate::ground::read::Reading;
use crate::ground::value::Value;
use crate::ground::yaml::Node;

/// What a `fault` may say.
const KEYS: [&str; 7] = ["delay", "reset", "truncate", "garbage", "status", "drip", "times"];

/// Sent in place of an answer: no line of it begins as an HTTP answer does.
const GARBAGE: &[u8] = b"\x16\x03\x00 this is not HTTP \xff\xfe\r\n\r\n";

/// What ends the head of an answer.
const HEAD_END: &[u8] = b"\r\n\r\n";

/// How an answer goes wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Fault {
    /// How long the answer is held back.
    pub(super) delay: Option<Duration>,
    /// What else happens to it.
    pub(super) harm: Option<Harm>,
    /// Only the first calls of the route go wrong; `None` is all of them.
    pub(super) times: Option<u64>,
}

/// What happens to an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Harm {
    /// The connection is reset before an answer.
    Reset,
    /// Only so many bytes of the body are sent, then the connection is closed.
    Truncate(u64),
    /// Bytes that are no HTTP are sent in its place.
    Garbage,
    /// This status is answered in its place.
    Status(StatusCode),
    /// The body is sent byte by byte, with this pause before each.
    Drip(Duration),
}

impl Fault {
    /// Reads a `fault` of a route; mistakes are reported.
    pub(super) fn read(node: &Node, reading: &Reading) -> Option<Self> {
        let fields = reading.fields(node, "fault", &KEYS, &[])?;
        let mut fault = Self::default();
        let known = |key: &str| KEYS.contains(&key);
        let mut clean = fields.iter().all(|(key, _)| known(&key.text));
        for (key, value) in fields.iter().filter(|(key, _)| known(&key.text)) {
            if let Err(message) = fault.put(&key.text, &value.to_value()) {
                reading.error(value.span, message);
                clean = false;
            }
        }
        if clean && let Err(message) = fault.complete() {
            reading.error(node.span, message);
            clean = false;
        }
        clean.then_some(fault)
    }

    /// Reads the `fault` of a script's reply.
    pub(super) fn from_value(value: &Value) -> Result<Self, String> {
        let members = value.as_object().ok_or("`fault` must be an object, such as #{ reset: true }")?;
        let mut fault = Self::default();
        for (key, value) in members {
            fault.put(key, value)?;
        }
        fault.complete()?;
        Ok(fault)
    }

    fn put(&mut self, key: &str, value: &Value) -> Result<(), String> {
        let harm = match key {
            "delay" => {
                self.delay = Some(duration(key, value)?);
                return Ok(());
            }
            "times" => {
                self.times = Some(whole(key, value)?);
                return Ok(());
            }
            "reset" => only_true(key, value).map(|()| Harm::Reset)?,
            "garbage" => only_true(key, value).map(|()| Harm::Garbage)?,
            "truncate" => Harm::Truncate(whole(key, value)?),
            "status" => Harm::Status(status(value)?),
            "drip" => Harm::Drip(duration(key, value)?),
            _ => {
                return Err(format!("unknown key `{key}` in `fault`; it knows {}", KEYS.join(", ")));
            }
        };
        if self.harm.replace(harm).is_some() {
            return Err(format!("`{key}` cannot stand beside another fault but `delay`"));
        }
        Ok(())
    }

    fn complete(&self) -> Result<(), String> {
        if self.delay.is_none() && self.harm.is_none() {
            return Err(format!("`fault` says nothing that goes wrong; it knows {}", KEYS.join(", ")));
        }
        Ok(())
    }
}

/// Reads a status that an answer can have. Those below 200 are no answers yet (RFC 9110, 15.2).
pub(super) fn status(value: &Value) -> Result<StatusCode, String> {
    let code = value.as_i64().and_then(|code| u16::try_from(code).ok());
    let code = code.filter(|code| (200..600).contains(code));
    code.and_then(|code| StatusCode::from_u16(code).ok())
        .ok_or_else(|| format!("`status` must be a number from 200 to 599, not {}", value.to_json()))
}

fn duration(key: &str, value: &Value) -> Result<Duration, String> {
    quantity::duration(&value.to_text()).map_err(|error| format!("`{key}`: {error}; {}", error.help()))
}

fn whole(key: &str, value: &Value) -> Result<u64, String> {
    value
        .as_i64()
        .and_then(|number| u64::try_from(number).ok())
        .ok_or_else(|| format!("`{key}` must be a whole number, not {}", value.to_json()))
}

fn only_true(key: &str, value: &Value) -> Result<(), String> {
    if value.as_bool() == Some(true) {
        Ok(())
    } else {
        Err(format!("`{key}` can only be true; leave it out otherwise"))
    }
}

/// The body of an answer: at once, or byte by byte. Its length is known either way.
pub(super) struct Payload {
    rest: Bytes,
    pace: Option<(Duration, Pin<Box<Sleep>>)>,
}

impl Payload {
    pub(super) const fn whole(body: Bytes) -> Self {
        Self { rest: body, pace: None }
    }

    pub(super) fn drip(body: Bytes, every: Duration) -> Self {
        Self { rest: body, pace: Some((every, Box::pin(sleep(every)))) }
    }
}

impl Body for Payload {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.rest.is_empty() {
            return Poll::Ready(None);
        }
        let Some((every, pause)) = &mut self.pace else {
            let all = std::mem::take(&mut self.rest);
            return Poll::Ready(Some(Ok(Frame::data(all))));
        };
        ready!(pause.as_mut().poll(context));
        pause.set(sleep(*every));
        let byte = self.rest.split_to(1);
        Poll::Ready(Some(Ok(Frame::data(byte))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.len() as u64)
    }
}

/// What a connection does to the bytes of the answer that is on its way. Whoever answers holds
/// one clone, the connection's [`FaultyIo`] another.
#[derive(Debug, Clone, Default)]
pub(super) struct Wire(Arc<Mutex<Mode>>);

#[derive(Debug, Default)]
enum Mode {
    #[default]
    Whole,
    Reset,
    /// How much of [`HEAD_END`] was seen, and how many bytes of the body may still pass.
    Truncate {
        head: usize,
        left: u64,
    },
    /// How much of [`GARBAGE`] was sent.
    Garbage {
        sent: usize,
    },
}

impl Wire {
    /// Resets the connection as soon as it is dropped, and sends nothing before.
    pub(super) fn reset(&self) {
        *self.lock() = Mode::Reset;
    }

    /// Lets the head and so many bytes of the body pass, then closes.
    pub(super) fn truncate(&self, bytes: u64) {
        *self.lock() = Mode::Truncate { head: 0, left: bytes };
    }

    /// Sends bytes that are no HTTP, whatever is written, then closes.
    pub(super) fn garbage(&self) {
        *self.lock() = Mode::Garbage { sent: 0 };
    }

    fn lock(&self) -> MutexGuard<'_, Mode> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What carries a connection's bytes. A fault strikes above the encryption, so that the client
/// sees the same of it over https as over http.
pub(super) trait Carrier: AsyncRead + AsyncWrite + Unpin {
    /// The socket below.
    fn socket(&self) -> &TcpStream;
}

impl Carrier for TcpStream {
    fn socket(&self) -> &TcpStream {
        self
    }
}

impl Carrier for TlsStream<TcpStream> {
    fn socket(&self) -> &TcpStream {
        self.get_ref().0
    }
}

/// A connection that can be told to fail.
pub(super) struct FaultyIo<S: Carrier> {
    stream: S,
    wire: Wire,
}

impl<S: Carrier> FaultyIo<S> {
    pub(super) const fn new(stream: S, wire: Wire) -> Self {
        Self { stream, wire }
    }

    fn close(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        ready!(Pin::new(&mut self.stream).poll_shutdown(context))?;
        Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()))
    }
}

impl<S: Carrier> Drop for FaultyIo<S> {
    fn drop(&mut self) {
        if matches!(*self.wire.lock(), Mode::Reset) {
            // A socket that is closed without lingering is reset; were this refused, the peer
            // would still see a connection that ends without an answer.
            let _ = self.stream.socket().set_zero_linger();
        }
    }
}

impl<S: Carrier> AsyncRead for FaultyIo<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: Carrier> AsyncWrite for FaultyIo<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        let wire = this.wire.clone();
        let mut mode = wire.lock();
        match &mut *mode {
            Mode::Whole => Pin::new(&mut this.stream).poll_write(context, bytes),
            Mode::Reset => Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
            Mode::Truncate { head, left } => match allowed(*head, *left, bytes) {
                0 => this.close(context),
                may => {
                    let sent = ready!(Pin::new(&mut this.stream).poll_write(context, &bytes[..may]))?;
                    let body = pass_head(head, &bytes[..sent]);
                    *left = left.saturating_sub((sent - body) as u64);
                    Poll::Ready(Ok(sent))
                }
            },
            Mode::Garbage { sent } => {
                while *sent < GARBAGE.len() {
                    *sent += ready!(Pin::new(&mut this.stream).poll_write(context, &GARBAGE[*sent..]))?;
                }
                this.close(context)
            }
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if matches!(*self.wire.lock(), Mode::Reset) {
            // An orderly end would come before the reset.
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// How many of `bytes` may pass: all of the head, and `left` of the body.
fn allowed(mut head: usize, left: u64, bytes: &[u8]) -> usize {
    let body = pass_head(&mut head, bytes);
    let left = usize::try_from(left).unwrap_or(usize::MAX);
    body.saturating_add(left).min(bytes.len())
}

/// Where the body begins in `bytes`; `head` is how much of [`HEAD_END`] was seen before and after.
fn pass_head(head: &mut usize, bytes: &[u8]) -> usize {
    for (at, byte) in bytes.iter().enumerate() {
        if *head == HEAD_END.len() {
            return at;
        }
        *head = if *byte == HEAD_END[*head] { *head + 1 } else { usize::from(*byte == HEAD_END[0]) };
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ground::source::Source;
    use crate::ground::yaml;

    fn read(fault: &str) -> Result<Fault, String> {
        let source = Source::text("m.yaml", fault);
        let root = yaml::read(&source).expect("the test's YAML is right");
        let reading = Reading::new(&source);
        let fault = Fault::read(&root, &reading);
        match reading.finish().0.first() {
            None => Ok(fault.expect("nothing was reported")),
            Some(problem) => Err(problem.line()),
        }
    }

    #[test]
    fn each_fault_is_read_as_it_is_written() {
        let harm = |harm| Fault { harm: Some(harm), ..Fault::default() };
        let cases = [
            ("{ delay: 5s }", Fault { delay: Some(Duration::from_secs(5)), ..Fault::default() }),
            ("{ reset: true }", harm(Harm::Reset)),
            ("{ truncate: 10 }", harm(Harm::Truncate(10))),
            ("{ garbage: true }", harm(Harm::Garbage)),
            ("{ drip: 100ms }", harm(Harm::Drip(Duration::from_millis(100)))),
            (
                "{ status: 503, times: 2 }",
                Fault { times: Some(2), ..harm(Harm::Status(StatusCode::SERVICE_UNAVAILABLE)) },
            ),
            (
                "{ delay: 1s, reset: true }",
                Fault { delay: Some(Duration::from_secs(1)), ..harm(Harm::Reset) },
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn a_fault_that_is_none_is_shown_where_it_is_wrong() {
        let cases = [
            ("{ dely: 5s }", "1:3: unknown key `dely` in `fault`"),
            (
                "{ delay: 5 }",
                "1:10: `delay`: `5` is not a duration; write a whole number and a unit: 500ms, 10s, 2m, 1h, 14d",
            ),
            ("{ reset: false }", "1:10: `reset` can only be true; leave it out otherwise"),
            ("{ truncate: -1 }", "1:13: `truncate` must be a whole number, not -1"),
            ("{ status: 99 }", "1:11: `status` must be a number from 200 to 599, not 99"),
            (
                "{ reset: true, garbage: true }",
                "1:25: `garbage` cannot stand beside another fault but `delay`",
            ),
            (
                "{ times: 2 }",
                "1:1: `fault` says nothing that goes wrong; it knows delay, reset, truncate, garbage, status, drip, times",
            ),
            ("reset", "1:1: `fault` must be a map, not a text"),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text), Err(format!("m.yaml:{expected}")), "{text}");
        }
    }

    #[test]
    fn the_body_is_found_wherever_the_writes_are_cut() {
        let answer = b"HTTP/1.1 200 OK\r\na: b\r\r\n\r\nbody";
        for cut in 0..answer.len() {
            let mut head = 0;
            let first = pass_head(&mut head, &answer[..cut]);
            let second = pass_head(&mut head, &answer[cut..]);
            assert_eq!(first + second, answer.len() - 4, "cut at {cut}");
        }
    }
}

//! `retry`: when the same request is sent again, and after how long.
//!
//! Pure rules, without a clock and without a network: whoever sends asks here and waits himself.

use std::time::Duration;

use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::Method;

use crate::ground::quantity;
use crate::ground::read::Reading;
use crate::ground::yaml::{Kind, Node};
use crate::parts::http::StatusSet;

/// What is waited at most because a server asked for it (FORMAT, `retry`).
pub const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// How often a request may be sent again.
const MAX: u64 = 1000;
const LEAST: Duration = Duration::from_millis(200);
const MOST: Duration = Duration::from_secs(5);

/// When a request is sent again.
#[derive(Debug, Clone)]
pub struct Retry {
    /// How often it is sent again, the first time not counted.
    pub max: u32,
    /// What it is sent again for. Empty: for a failed connection, a timeout, 429 and 5xx.
    pub conditions: Vec<Condition>,
    /// The waits between.
    pub backoff: Backoff,
    /// Whether the step itself says `if`: then a request that is not idempotent is sent again
    /// too.
    pub insists: bool,
}

/// What a request is sent again for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// No connection came about.
    Connect,
    /// The answer did not come in time.
    Timeout,
    /// The answer has one of these statuses.
    Status(StatusSet),
}

/// What came of sending a request once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// An answer of this status.
    Status(u16),
    /// No connection.
    Connect,
    /// No answer in time.
    Timeout,
}

/// The shortest and the longest wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The first wait, at least.
    pub least: Duration,
    /// Every wait, at most.
    pub most: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            least: LEAST,
            most: MOST,
        }
    }
}

impl Retry {
    /// Reads a map, or a number alone; mistakes are reported. `on_step` says that it stands on a
    /// step rather than among the defaults.
    pub fn read(node: &Node, reading: &Reading, on_step: bool) -> Option<Self> {
        if node.scalar().is_some() {
            return Some(Self {
                max: max(node, reading)?,
                conditions: Vec::new(),
                backoff: Backoff::default(),
                insists: false,
            });
        }
        let fields = reading.fields(node, "retry", &["max", "if", "backoff"], &[])?;
        let max = match fields.get("max") {
            Some(node) => max(node, reading),
            None => {
                let help = "say how often: `retry: { max: 2 }`";
                reading.error_with(fields.span, "`retry` has no `max`", help);
                None
            }
        };
        let conditions = fields.get("if").map_or(Some(Vec::new()), |node| conditions(node, reading));
        let backoff = fields.get("backoff");
        let backoff = backoff.map_or(Some(Backoff::default()), |node| Backoff::read(node, reading));
        Some(Self {
            max: max?,
            conditions: conditions?,
            backoff: backoff?,
            insists: on_step && fields.get("if").is_some(),
        })
    }

    /// Whether to send again. `sent` counts how often it was sent so far; `bytes_out` says whether
    /// any byte of the last one may have reached the server.
    #[must_use]
    pub fn should_retry(
        &self,
        sent: u32,
        outcome: Outcome,
        method: &Method,
        bytes_out: bool,
    ) -> bool {
        let harmless = !bytes_out || method.is_idempotent() || self.insists;
        sent <= self.max && harmless && self.wants(outcome)
    }

    fn wants(&self, outcome: Outcome) -> bool {
        if self.conditions.is_empty() {
            return match outcome {
                Outcome::Status(code) => code == 429 || (500..600).contains(&code),
                Outcome::Connect | Outcome::Timeout => true,
            };
        }
        self.conditions.iter().any(|condition| match (condition, outcome) {
            (Condition::Connect, Outcome::Connect) | (Condition::Timeout, Outcome::Timeout) => true,
            (Condition::Status(set), Outcome::Status(code)) => set.contains(code),
            _ => false,
        })
    }
}

fn max(node: &Node, reading: &Reading) -> Option<u32> {
    let max = reading.whole(node, "max", 0)?;
    if max > MAX {
        reading.error(node.span, format!("`max` must be {MAX} at most"));
        return None;
    }
    u32::try_from(max).ok()
}

/// One condition or a list of them.
fn conditions(node: &Node, reading: &Reading) -> Option<Vec<Condition>> {
    let nodes = match &node.kind {
        Kind::List(nodes) if nodes.is_empty() => {
            let help = "write `max: 0` to send nothing again";
            reading.error_with(node.span, "`if` lists nothing", help);
            return None;
        }
        Kind::List(nodes) => nodes.as_slice(),
        Kind::Scalar(_) | Kind::Map(_) => std::slice::from_ref(node),
    };
    let read: Vec<_> = nodes.iter().map(|node| Condition::read(node, reading)).collect();
    read.into_iter().collect()
}

impl Condition {
    fn read(node: &Node, reading: &Reading) -> Option<Self> {
        let scalar = reading.text(node, "if")?;
        match &*scalar.text {
            "connect" => Some(Self::Connect),
            "timeout" => Some(Self::Timeout),
            text if text.starts_with(|c: char| c.is_ascii_digit()) || text == "any" => {
                StatusSet::read(node, reading, "if").map(Self::Status)
            }
            text => {
                let help = "write connect, timeout, or a status: 429, 5xx, 500..599";
                let message = format!("`{text}` is nothing to send again for");
                reading.error_with(node.span, message, help);
                None
            }
        }
    }
}

impl Backoff {
    fn read(node: &Node, reading: &Reading) -> Option<Self> {
        let text = &reading.text(node, "backoff")?.text;
        let (least, most) = text.split_once("..").unwrap_or((text, text));
        let report = |error: quantity::Error| {
            let help = "write the shortest and the longest wait: 200ms..5s";
            reading.error_with(node.span, format!("`backoff`: {error}"), help);
        };
        let least = quantity::duration(least).map_err(report).ok()?;
        let most = quantity::duration(most).map_err(report).ok()?;
        if least > most {
            let message = format!("`backoff`: `{text}` goes down");
            let help = "write the shortest wait first: 200ms..5s";
            reading.error_with(node.span, message, help);
            return None;
        }
        Some(Self { least, most })
    }

    /// How long to wait before the next sending: twice as long each time, with jitter, never
    /// shorter than the least nor longer than the most. What the server says in `Retry-After`
    /// outranks that. `sent` counts how often the request was sent so far, `now_ms` is the time
    /// since the epoch, `random` lies between 0 and 1.
    ///
    /// `None` where the server asks for more than [`LONGEST_WAIT`]: that is not waited for.
    #[must_use]
    pub fn wait(
        self,
        sent: u32,
        retry_after: Option<&str>,
        now_ms: i64,
        random: f64,
    ) -> Option<Duration> {
        match retry_after.and_then(|header| asked_for(header, now_ms)) {
            Some(asked) => (asked <= LONGEST_WAIT).then_some(asked),
            None => Some(self.doubled(sent, random)),
        }
    }

    /// Between half of the doubled wait and the whole: the first lies between the least and twice
    /// the least.
    fn doubled(self, sent: u32, random: f64) -> Duration {
        let whole = self.least.saturating_mul(2_u32.saturating_pow(sent.max(1)));
        let whole = whole.min(self.most);
        let random = if random.is_finite() { random.clamp(0.0, 1.0) } else { 1.0 };
        let spread = whole.mul_f64(0.5 + random / 2.0);
        spread.max(self.least).min(self.most)
    }
}

/// What a `Retry-After` asks for (RFC 9110, section 10.2.3): seconds, or a date. A date that has
/// passed asks for nothing; what is neither is not understood.
fn asked_for(header: &str, now_ms: i64) -> Option<Duration> {
    let header = header.trim();
    if !header.is_empty() && header.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(header.parse().unwrap_or(u64::MAX)));
    }
    let date = DateTimeParser::new().parse_timestamp(header).ok()?;
    let millis = date.as_millisecond().saturating_sub(now_ms);
    Some(Duration::from_millis(u64::try_from(millis).unwrap_or(0)))
}

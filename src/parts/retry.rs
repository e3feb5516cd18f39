//! `retry`: when the same request is sent again, and after how long.
//!
//! Pure rules, without a clock and without a network: whoever sends asks here and waits himself.

use std::time::Duration;

use reqwest::Method;

use crate::ground::encode;
use crate::ground::quantity;
use crate::ground::read::Reading;
use crate::ground::yaml::{Kind, Node, Scalar};
use crate::parts::http::StatusSet;

/// What is waited at most because a server asked for it.
pub const LONGEST_WAIT: Duration = Duration::from_mins(1);

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
pub enum Attempt {
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
        Self { least: LEAST, most: MOST }
    }
}

impl Retry {
    /// Reads a map, or a number alone; mistakes are reported. `on_step` says that it stands on a
    /// step rather than among the defaults.
    pub fn read(node: &Node, reading: &Reading, on_step: bool) -> Option<Self> {
        if node.scalar().is_some_and(Scalar::is_empty) {
            reading.empty(node.span, "retry");
            return None;
        }
        if node.scalar().is_some() {
            return Some(Self {
                max: max(node, reading)?,
                conditions: Vec::new(),
                backoff: Backoff::default(),
                insists: false,
            });
        }
        let fields = reading.fields(node, "retry", &["max", "if", "backoff"], &[])?;
        let most = fields.required("max", || {
            let help = "say how often: `retry: { max: 2 }`";
            reading.error_with(fields.span, "`retry` has no `max`", help);
        });
        let max = most.and_then(|node| max(node, reading));
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
    pub fn should_retry(&self, sent: u32, attempt: Attempt, method: &Method, bytes_out: bool) -> bool {
        let harmless = !bytes_out || method.is_idempotent() || self.insists;
        sent <= self.max && harmless && self.wants(attempt)
    }

    fn wants(&self, attempt: Attempt) -> bool {
        if self.conditions.is_empty() {
            return match attempt {
                Attempt::Status(code) => code == 429 || (500..600).contains(&code),
                Attempt::Connect | Attempt::Timeout => true,
            };
        }
        self.conditions.iter().any(|condition| match (condition, attempt) {
            (Condition::Connect, Attempt::Connect) | (Condition::Timeout, Attempt::Timeout) => true,
            (Condition::Status(set), Attempt::Status(code)) => set.contains(code),
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
                let message = format!("`{text}` is not a reason to send again");
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
    pub fn wait(self, sent: u32, retry_after: Option<&str>, now_ms: i64, random: f64) -> Option<Duration> {
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
#[must_use]
pub fn asked_for(header: &str, now_ms: i64) -> Option<Duration> {
    let header = header.trim();
    if !header.is_empty() && header.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(header.parse().unwrap_or(u64::MAX)));
    }
    let millis = encode::parse_time(header)?.saturating_mul(1000).saturating_sub(now_ms);
    Some(Duration::from_millis(u64::try_from(millis).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::ground::source::Source;
    use crate::ground::yaml;

    use super::*;

    fn read(yaml: &str, on_step: bool) -> Result<Retry, String> {
        let source = Source::text("t", yaml);
        let node = yaml::read(&source).map_err(|problem| problem.message)?;
        let reading = Reading::new(&source);
        let retry = Retry::read(&node, &reading, on_step);
        let problems = reading.finish();
        assert!(retry.is_some() || problems.has_errors(), "{yaml}");
        retry.filter(|_| !problems.has_errors()).ok_or_else(|| problems.render(false))
    }

    #[test]
    fn what_is_written_is_what_is_retried() {
        use Attempt::{Connect, Status, Timeout};
        for (yaml, again, not) in [
            (
                "{ max: 2, if: [connect, 429, 5xx] }",
                vec![Connect, Status(429), Status(503)],
                vec![Timeout, Status(404)],
            ),
            ("{ max: 1, if: timeout }", vec![Timeout], vec![Connect, Status(500)]),
            ("{ max: 1, if: [500..502] }", vec![Status(501)], vec![Status(503)]),
            ("3", vec![Connect, Timeout, Status(429), Status(500)], vec![Status(200), Status(404)]),
        ] {
            let retry = read(yaml, false).unwrap_or_else(|problem| panic!("{yaml}: {problem}"));
            for attempt in again {
                assert!(retry.should_retry(1, attempt, &Method::GET, true), "{yaml} {attempt:?}");
            }
            for attempt in not {
                assert!(!retry.should_retry(1, attempt, &Method::GET, true), "{yaml} {attempt:?}");
            }
        }
    }

    #[test]
    fn a_request_that_may_have_had_an_effect_is_sent_again_only_if_the_step_says_so() {
        let yaml = "{ max: 2, if: [connect, timeout, 5xx] }";
        for (method, bytes_out, on_step, again) in [
            (Method::POST, true, false, false),
            (Method::PATCH, true, false, false),
            (Method::POST, false, false, true),
            (Method::POST, true, true, true),
            (Method::PUT, true, false, true),
            (Method::DELETE, true, false, true),
        ] {
            let retry = read(yaml, on_step).expect("a retry");
            let found = retry.should_retry(1, Attempt::Timeout, &method, bytes_out);
            assert_eq!(found, again, "{method} {bytes_out} {on_step}");
        }
        let silent = read("{ max: 2 }", true).expect("a retry");
        assert!(!silent.should_retry(1, Attempt::Status(503), &Method::POST, true));
    }

    #[test]
    fn it_is_sent_again_as_often_as_written() {
        let retry = read("2", false).expect("a retry");
        let again = |sent| retry.should_retry(sent, Attempt::Connect, &Method::GET, false);
        assert_eq!((again(1), again(2), again(3)), (true, true, false));
        let never = read("{ max: 0 }", false).expect("a retry");
        assert!(!never.should_retry(1, Attempt::Connect, &Method::GET, false));
    }

    #[test]
    fn waits_double_with_jitter_within_their_bounds() {
        let backoff = read("{ max: 1, backoff: 200ms..2s }", false).expect("a retry").backoff;
        for (sent, random, millis) in [
            (1, 0.0, 200),
            (1, 1.0, 400),
            (2, 0.0, 400),
            (2, 0.5, 600),
            (3, 1.0, 1600),
            (4, 1.0, 2000),
            (4, 0.0, 1000),
            (u32::MAX, 1.0, 2000),
            (0, 0.0, 200),
            (1, f64::NAN, 400),
        ] {
            let wait = backoff.wait(sent, None, 0, random);
            assert_eq!(wait, Some(Duration::from_millis(millis)), "{sent} {random}");
        }
        let fixed = read("{ max: 1, backoff: 1s }", false).expect("a retry").backoff;
        assert_eq!(fixed.wait(5, None, 0, 0.3), Some(Duration::from_secs(1)));
    }

    #[test]
    fn what_the_server_asks_for_outranks_the_backoff() {
        // Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110.
        let now = 784_111_777_000 - 30_000;
        for (header, wait) in [
            ("7", Some(7_000)),
            (" 60 ", Some(60_000)),
            ("61", None),
            ("99999999999999999999999", None),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(30_000)),
            ("Sun, 06 Nov 1994 08:48:37 GMT", Some(0)),
            ("Sun, 06 Nov 1994 09:49:37 GMT", None),
            ("soon", Some(200)),
            ("-1", Some(200)),
            ("", Some(200)),
        ] {
            let found = Backoff::default().wait(1, Some(header), now, 0.0);
            assert_eq!(found, wait.map(Duration::from_millis), "{header}");
        }
    }

    #[test]
    fn every_mistake_is_found_when_it_is_read() {
        for (yaml, part) in [
            ("{ if: connect }", "has no `max`"),
            ("{ max: -1 }", "whole number"),
            ("{ max: 5000 }", "1000 at most"),
            ("{ max: 1, if: [] }", "lists nothing"),
            ("{ max: 1, if: [refused] }", "not a reason to send again"),
            ("{ max: 1, if: [50x] }", "not a status"),
            ("{ max: 1, backoff: 5s..1s }", "goes down"),
            ("{ max: 1, backoff: fast }", "not a duration"),
            ("{ max: 1, delay: 1s }", "unknown key"),
            ("[1]", "must be a map"),
        ] {
            let problem = read(yaml, true).map(|_| ()).expect_err(yaml);
            assert!(problem.contains(part), "{yaml}: {problem}");
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_rules(text in "\\PC{0,30}|[0-9]{0,25}|[A-Za-z0-9:, +-]{0,30}", sent in any::<u32>(), random in any::<f64>()) {
            let now = 784_111_777_000;
            if let Some(wait) = Backoff::default().wait(sent, Some(&text), now, random) {
                prop_assert!(wait <= LONGEST_WAIT);
            }
            let _ = read(&format!("{{ max: 1, backoff: {text:?}, if: {text:?} }}"), true);
        }
    }
}

//! `timeout`, `connect_timeout`, `max_body` and `limits`: how far an exchange may go.

use std::time::Duration;

use crate::ground::given;
use crate::ground::read::{Fields, Reading};
use crate::ground::value::Value;
use crate::ground::yaml::Node;
use crate::parts::http::message::Limits;

/// What `limits` knows.
const KEYS: [&str; 6] = ["headers", "header_size", "first_byte", "idle", "ratio", "values"];
/// The most headers that can be allowed.
const MOST_HEADERS: u64 = 10_000;
/// The largest header that can be allowed, in bytes: hyper reads no head of more than 408 KiB.
const LARGEST_HEADER: u64 = 100 * 1024;

/// What a request, or `defaults`, says of its limits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct LimitsSpec {
    timeout: Option<Duration>,
    connect_timeout: Option<Duration>,
    max_body: Option<u64>,
    answer: AnswerSpec,
}

/// `limits`: those of the answer that are seldom set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct AnswerSpec {
    headers: Option<u32>,
    header_size: Option<u64>,
    first_byte: Option<Duration>,
    idle: Option<Duration>,
    ratio: Option<u32>,
    values: Option<u32>,
}

impl LimitsSpec {
    /// Reads its keys among those of a request or of `defaults`; mistakes are reported.
    pub(super) fn read(fields: &Fields<'_>, reading: &Reading) -> Self {
        let time = |key| fields.get(key).and_then(|node| some_time(node, key, reading));
        Self {
            timeout: time("timeout"),
            connect_timeout: time("connect_timeout"),
            max_body: fields.get("max_body").and_then(|node| reading.size(node, "max_body")),
            answer: fields.get("limits").and_then(|node| AnswerSpec::read(node, reading)).unwrap_or_default(),
        }
    }

    /// Lays it over what `defaults` says: `limits` merges by key.
    pub(super) fn overlay(self, defaults: Self) -> Self {
        let (own, usual) = (self.answer, defaults.answer);
        Self {
            timeout: self.timeout.or(defaults.timeout),
            connect_timeout: self.connect_timeout.or(defaults.connect_timeout),
            max_body: self.max_body.or(defaults.max_body),
            answer: AnswerSpec {
                headers: own.headers.or(usual.headers),
                header_size: own.header_size.or(usual.header_size),
                first_byte: own.first_byte.or(usual.first_byte),
                idle: own.idle.or(usual.idle),
                ratio: own.ratio.or(usual.ratio),
                values: own.values.or(usual.values),
            },
        }
    }

    /// The limits of an exchange.
    pub(super) fn resolve(self) -> Limits {
        let mut limits = Limits::default();
        limits.timeout = self.timeout.unwrap_or(limits.timeout);
        limits.connect_timeout = self.connect_timeout.unwrap_or(limits.connect_timeout);
        limits.max_body = self.max_body.unwrap_or(limits.max_body);
        self.answer.put(&mut limits);
        limits
    }
}

impl AnswerSpec {
    fn read(node: &Node, reading: &Reading) -> Option<Self> {
        let fields = reading.fields(node, "limits", &KEYS, &[])?;
        let time = |key, what| fields.get(key).and_then(|node| some_time(node, what, reading));
        let number = |key, what, most| fields.get(key).and_then(|node| number(node, what, most, reading));
        Some(Self {
            headers: number("headers", "limits.headers", MOST_HEADERS),
            header_size: fields.get("header_size").and_then(|node| header_size(node, reading)),
            first_byte: time("first_byte", "limits.first_byte"),
            idle: time("idle", "limits.idle"),
            ratio: number("ratio", "limits.ratio", u64::from(u32::MAX)),
            values: number("values", "limits.values", u64::from(u32::MAX)),
        })
    }

    fn put(self, limits: &mut Limits) {
        limits.headers = self.headers.unwrap_or(limits.headers);
        limits.header_size = self.header_size.unwrap_or(limits.header_size);
        limits.first_byte = self.first_byte.or(limits.first_byte);
        limits.idle = self.idle.or(limits.idle);
        limits.ratio = self.ratio.unwrap_or(limits.ratio);
        limits.values = self.values.unwrap_or(limits.values);
    }
}

impl Limits {
    /// Takes over what a script gives as `limits`.
    ///
    /// # Errors
    /// What is wrong, and what to do about it.
    pub fn take(&mut self, given: &Value) -> Result<(), given::Error> {
        given::read("limits", given, AnswerSpec::read).map(|spec| spec.put(self))
    }
}

/// A duration in which something can happen.
fn some_time(node: &Node, what: &str, reading: &Reading) -> Option<Duration> {
    let duration = reading.duration(node, what)?;
    if duration.is_zero() {
        reading.error_with(node.span, format!("`{what}` leaves no time at all"), "write how long: `15s`");
        return None;
    }
    Some(duration)
}

fn number(node: &Node, what: &str, most: u64, reading: &Reading) -> Option<u32> {
    let number = reading.whole(node, what, 1)?;
    if number > most {
        let help = format!("write {most}, or less");
        reading.error_with(node.span, format!("`{what}` cannot be more than {most}"), help);
        return None;
    }
    u32::try_from(number).ok()
}

fn header_size(node: &Node, reading: &Reading) -> Option<u64> {
    let size = reading.size(node, "limits.header_size")?;
    if (1..=LARGEST_HEADER).contains(&size) {
        return Some(size);
    }
    let message = "`limits.header_size` must be between 1B and 100KiB";
    let help = "it is for one header: all together may have four times as much";
    reading.error_with(node.span, message, help);
    None
}

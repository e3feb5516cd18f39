//! Durations and sizes as people write them: `500ms`, `10s`, `2m`, `1h`, `14d`; `64KiB`, `10MiB`.

use std::time::Duration;

/// What is wrong with a quantity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not a duration.
    #[error("`{0}` is not a duration")]
    Duration(String),
    /// Not a size.
    #[error("`{0}` is not a size")]
    Size(String),
    /// More than can be counted.
    #[error("`{0}` is too large")]
    TooLarge(String),
}

impl Error {
    /// What to write instead.
    #[must_use]
    pub fn help(&self) -> String {
        let (meant, help) = match self {
            Self::Duration(text) => {
                (meant_duration(text), "write a whole number and a unit: 500ms, 10s, 2m, 1h, 14d")
            }
            Self::Size(text) => {
                (meant_size(text), "write a whole number and a unit: 512B, 64KiB, 10MiB, 1GiB")
            }
            Self::TooLarge(_) => (None, "write a smaller one"),
        };
        meant.map_or_else(|| help.to_owned(), |meant| format!("write `{meant}`"))
    }
}

/// Reads a duration: a whole number and `ms`, `s`, `m`, `h` or `d`.
///
/// # Errors
/// [`Error::Duration`], or [`Error::TooLarge`] from about 10,000 years on.
pub fn duration(text: &str) -> Result<Duration, Error> {
    let wrong = || Error::Duration(text.to_owned());
    let (number, unit) = split(text).ok_or_else(wrong)?;
    let millis = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(wrong()),
    };
    let longest = 10_000 * 365 * 86_400_000;
    let number: u64 = number.parse().map_err(|_| Error::TooLarge(text.to_owned()))?;
    match number.checked_mul(millis) {
        Some(total) if total <= longest => Ok(Duration::from_millis(total)),
        _ => Err(Error::TooLarge(text.to_owned())),
    }
}

/// Reads a size in bytes: a whole number and `B`, `KiB`, `MiB` or `GiB`.
///
/// # Errors
/// [`Error::Size`], or [`Error::TooLarge`] where the bytes do not fit 64 bits.
pub fn size(text: &str) -> Result<u64, Error> {
    let wrong = || Error::Size(text.to_owned());
    let (number, unit) = split(text).ok_or_else(wrong)?;
    let bytes: u64 = match unit {
        "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return Err(wrong()),
    };
    let number: u64 = number.parse().map_err(|_| Error::TooLarge(text.to_owned()))?;
    number.checked_mul(bytes).ok_or_else(|| Error::TooLarge(text.to_owned()))
}

/// Writes a duration in the unit that says it shortest: `1.5s`, `120ms`, `2m 3s`.
#[must_use]
pub fn show(duration: Duration) -> String {
    let millis = duration.as_millis();
    match millis {
        0 => format!("{}µs", duration.as_micros()),
        1..1000 => format!("{millis}ms"),
        1000..60_000 => match millis % 1000 / 100 {
            0 => format!("{}s", millis / 1000),
            tenth => format!("{}.{tenth}s", millis / 1000),
        },
        _ if millis % 60_000 < 1000 => format!("{}m", millis / 60_000),
        _ => format!("{}m {}s", millis / 60_000, millis % 60_000 / 1000),
    }
}

/// The duration that another way of writing it probably means: `5 minutes`, `1.5s`, `1m30s`.
fn meant_duration(text: &str) -> Option<String> {
    let plain = text.to_lowercase().replace(' ', "");
    let at = plain.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, unit) = plain.split_at(at);
    if let ("m" | "h", Some((minutes, seconds))) = (unit.get(..1)?, plain.split_once(['m', 'h']))
        && let (Ok(larger), Some(Ok(smaller))) =
            (minutes.parse::<u64>(), seconds.strip_suffix(['s', 'm']).map(str::parse::<u64>))
    {
        let unit = if plain.contains('h') { "m" } else { "s" };
        return Some(format!("{}{unit}", larger.checked_mul(60)?.checked_add(smaller)?));
    }
    let unit = match unit {
        "ms" | "msec" | "msecs" | "millis" | "milliseconds" | "millisecond" => "ms",
        "s" | "sec" | "secs" | "second" | "seconds" => "s",
        "m" | "min" | "mins" | "minute" | "minutes" => "m",
        "h" | "hr" | "hrs" | "hour" | "hours" => "h",
        "d" | "day" | "days" => "d",
        _ => return None,
    };
    match (number.split_once('.'), unit) {
        (None, unit) => Some(format!("{number}{unit}")),
        (Some((whole, tenth)), "s") if tenth.len() == 1 => {
            let millis = whole.parse::<u64>().ok()?.checked_mul(1000)? + tenth.parse::<u64>().ok()? * 100;
            Some(format!("{millis}ms"))
        }
        _ => None,
    }
}

/// The size that another way of writing it probably means: `10MB`, `5M`.
fn meant_size(text: &str) -> Option<String> {
    let plain = text.to_lowercase().replace(' ', "");
    let (number, unit) = split(&plain)?;
    let unit = match unit {
        "b" | "bytes" | "byte" => "B",
        "k" | "kb" | "kib" => "KiB",
        "m" | "mb" | "mib" => "MiB",
        "g" | "gb" | "gib" => "GiB",
        _ => return None,
    };
    Some(format!("{number}{unit}"))
}

fn split(text: &str) -> Option<(&str, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    (digits > 0).then(|| text.split_at(digits))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn other_ways_of_writing_are_understood_for_the_help() {
        for (text, help) in [
            ("5 minutes", "write `5m`"),
            ("5sec", "write `5s`"),
            ("500 ms", "write `500ms`"),
            ("1.5s", "write `1500ms`"),
            ("1m30s", "write `90s`"),
            ("2h30m", "write `150m`"),
            ("10", "write a whole number and a unit: 500ms, 10s, 2m, 1h, 14d"),
            ("-1s", "write a whole number and a unit: 500ms, 10s, 2m, 1h, 14d"),
            ("99999999999999999999h1m", "write a whole number and a unit: 500ms, 10s, 2m, 1h, 14d"),
        ] {
            let error = duration(text).expect_err(text);
            assert_eq!(error.help(), help, "{text}");
        }
        assert_eq!(size("10MB").expect_err("no size").help(), "write `10MiB`");
        assert_eq!(size("5m").expect_err("no size").help(), "write `5MiB`");
    }

    #[test]
    fn every_unit_counts() {
        let millis = |text: &str| duration(text).map(|duration| duration.as_millis());
        assert_eq!(millis("500ms"), Ok(500));
        assert_eq!(millis("10s"), Ok(10_000));
        assert_eq!(millis("2m"), Ok(120_000));
        assert_eq!(millis("1h"), Ok(3_600_000));
        assert_eq!(millis("14d"), Ok(1_209_600_000));
        assert_eq!(size("64KiB"), Ok(65_536));
        assert_eq!(size("10MiB"), Ok(10_485_760));
        assert_eq!(size("7B"), Ok(7));
    }

    #[test]
    fn what_is_no_quantity_is_refused() {
        for text in ["", "10", "s", "1.5s", "-1s", "1 s", "10S", "10KB", "1e3s", "１s"] {
            assert!(duration(text).is_err(), "{text}");
            assert!(size(text).is_err(), "{text}");
        }
        assert!(matches!(duration("99999999999999999999d"), Err(Error::TooLarge(_))));
        assert!(matches!(size("99999999999GiB"), Err(Error::TooLarge(_))));
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_readers(text in "\\PC{0,12}|[0-9]{1,30}(ms|s|m|h|d|B|KiB|GiB)?") {
            let _ = duration(&text);
            let _ = size(&text);
        }

        #[test]
        fn a_duration_says_what_was_written(number in 0_u64..1_000_000) {
            prop_assert_eq!(duration(&format!("{number}ms")), Ok(Duration::from_millis(number)));
        }
    }
}

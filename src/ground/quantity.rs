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
    pub const fn help(&self) -> &'static str {
        match self {
            Self::Duration(_) => "write a whole number and a unit: 500ms, 10s, 2m, 1h, 14d",
            Self::Size(_) => "write a whole number and a unit: 512B, 64KiB, 10MiB, 1GiB",
            Self::TooLarge(_) => "write a smaller one",
        }
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

fn split(text: &str) -> Option<(&str, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    (digits > 0).then(|| text.split_at(digits))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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

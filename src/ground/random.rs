//! Random numbers and letters from the operating system, every outcome as likely as any other;
//! templates and scripts share these, so that neither favours the small ones.

/// The system gave no random bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("got no random bytes from the system")]
pub struct Error;

/// Fills bytes.
///
/// # Errors
/// [`Error`].
pub fn fill(bytes: &mut [u8]) -> Result<(), Error> {
    getrandom::fill(bytes).map_err(|_| Error)
}

/// A number from `low` to `high`, both included; `low` where `high` is below it.
///
/// # Errors
/// [`Error`].
pub fn int(low: i64, high: i64) -> Result<i64, Error> {
    let most = if low > high { 0 } else { high.abs_diff(low) };
    Ok(low.wrapping_add_unsigned(up_to(most)?))
}

/// A number from 0 to `most`. Draws that would favour the small ones are thrown away.
fn up_to(most: u64) -> Result<u64, Error> {
    let draw = || getrandom::u64().map_err(|_| Error);
    let Some(count) = most.checked_add(1) else {
        return draw();
    };
    let fair = u64::MAX - (u64::MAX % count + 1) % count;
    loop {
        let drawn = draw()?;
        if drawn <= fair {
            return Ok(drawn % count);
        }
    }
}

/// A text of so many ASCII letters and digits.
///
/// # Errors
/// [`Error`].
pub fn letters(length: usize) -> Result<String, Error> {
    const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut text = String::with_capacity(length);
    let mut bytes = [0; 64];
    while text.len() < length {
        fill(&mut bytes)?;
        // 248 is the largest multiple of 62 in a byte: larger bytes would favour the first letters.
        let fair = bytes.iter().filter(|byte| **byte < 248).map(|byte| LETTERS[usize::from(*byte) % 62]);
        text.extend(fair.take(length - text.len()).map(char::from));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_between_their_bounds_and_reach_them() {
        for (low, high) in [(3, 3), (-1, 1), (i64::MIN, i64::MIN + 1), (i64::MAX - 1, i64::MAX)] {
            let drawn: Vec<i64> = (0..200).map(|_| int(low, high).expect("random bytes")).collect();
            assert!(drawn.iter().all(|drawn| (low..=high).contains(drawn)), "{low}..{high}");
            assert!(drawn.contains(&low) && drawn.contains(&high), "{low}..{high}");
        }
        assert!(int(i64::MIN, i64::MAX).is_ok());
        assert_eq!(int(2, 1), Ok(2));
    }

    #[test]
    fn texts_have_their_length_and_every_letter() {
        for length in [0, 1, 64, 65] {
            assert_eq!(letters(length).expect("random bytes").len(), length);
        }
        let many = letters(10_000).expect("random bytes");
        assert!(many.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        assert_eq!(many.bytes().collect::<std::collections::HashSet<_>>().len(), 62);
    }
}

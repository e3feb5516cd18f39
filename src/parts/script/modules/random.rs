//! `random::`: from the operating system, every outcome as likely as any other.

use rhai::Dynamic;

use crate::parts::script::api::{Call, Entry};
use crate::parts::script::run::{Answer, Failure};

/// The longest text, or most bytes, that one call makes.
const MOST: usize = 64 * 1024;
const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

pub(in crate::parts::script) const TABLE: &[Entry] = &[
    Entry::new("uuid", &[], "a random UUID (version 4)", uuid),
    Entry::new("int", &["a", "b"], "an integer from a to b, both included", int),
    Entry::new("string", &["n"], "a text of n letters and digits", string),
    Entry::new("bytes", &["n"], "n random bytes", bytes),
];

fn uuid(call: &mut Call) -> Answer {
    let mut bytes = [0; 16];
    fill(call, &mut bytes)?;
    Ok(uuid::Builder::from_random_bytes(bytes).into_uuid().to_string().into())
}

fn int(call: &mut Call) -> Answer {
    let (low, high) = (call.integer(0)?, call.integer(1)?);
    if low > high {
        return Err(call.error(format!("takes the smaller number first, not {low} and {high}")));
    }
    let drawn = below(call, high.abs_diff(low))?;
    Ok(low.wrapping_add_unsigned(drawn).into())
}

/// A number from 0 to `most`. Draws that would favour the small ones are thrown away.
fn below(call: &Call, most: u64) -> Result<u64, Failure> {
    let Some(count) = most.checked_add(1) else {
        return draw(call);
    };
    let fair = u64::MAX - (u64::MAX % count + 1) % count;
    loop {
        let drawn = draw(call)?;
        if drawn <= fair {
            return Ok(drawn % count);
        }
    }
}

fn draw(call: &Call) -> Result<u64, Failure> {
    let mut bytes = [0; 8];
    fill(call, &mut bytes)?;
    Ok(u64::from_ne_bytes(bytes))
}

fn string(call: &mut Call) -> Answer {
    let length = call.count(0, MOST)?;
    let mut text = String::with_capacity(length);
    let mut bytes = [0; 64];
    while text.len() < length {
        fill(call, &mut bytes)?;
        // 248 is the largest multiple of 62 in a byte: larger bytes would favour the first letters.
        let fair = bytes.iter().filter(|byte| **byte < 248).map(|byte| LETTERS[usize::from(*byte) % 62]);
        text.extend(fair.take(length - text.len()).map(char::from));
    }
    Ok(text.into())
}

fn bytes(call: &mut Call) -> Answer {
    let mut bytes = vec![0; call.count(0, MOST)?];
    fill(call, &mut bytes)?;
    Ok(Dynamic::from_blob(bytes))
}

fn fill(call: &Call, bytes: &mut [u8]) -> Result<(), Failure> {
    getrandom::fill(bytes).map_err(|_| call.error("got no random bytes from the system"))
}

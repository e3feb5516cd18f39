//! `random::`: from the operating system, every outcome as likely as any other.

use rhai::Dynamic;

use crate::ground::random::{self, Error};
use crate::parts::script::ELEMENTS;
use crate::parts::script::api::{Call, Entry};
use crate::parts::script::run::{Answer, Failure};

/// The longest text that one call makes; of bytes, there are as many as a list may have elements.
const MOST: usize = 64 * 1024;

pub(in crate::parts::script) const TABLE: &[Entry] = &[
    Entry::new("uuid", &[], "a random UUID (version 4)", uuid),
    Entry::new("int", &["a", "b"], "an integer from a to b, both included", int),
    Entry::new("string", &["n"], "a text of n letters and digits", string),
    Entry::new("bytes", &["n"], "n random bytes", bytes),
];

fn uuid(call: &mut Call) -> Answer {
    let mut bytes = [0; 16];
    random::fill(&mut bytes).map_err(|why| broke(call, why))?;
    Ok(uuid::Builder::from_random_bytes(bytes).into_uuid().to_string().into())
}

fn int(call: &mut Call) -> Answer {
    let (low, high) = (call.integer(0)?, call.integer(1)?);
    if low > high {
        return Err(call.error(format!("takes the smaller number first, not {low} and {high}")));
    }
    Ok(random::int(low, high).map_err(|why| broke(call, why))?.into())
}

fn string(call: &mut Call) -> Answer {
    let length = call.count(0, MOST)?;
    Ok(random::letters(length).map_err(|why| broke(call, why))?.into())
}

fn bytes(call: &mut Call) -> Answer {
    let mut bytes = vec![0; call.count(0, ELEMENTS)?];
    random::fill(&mut bytes).map_err(|why| broke(call, why))?;
    Ok(Dynamic::from_blob(bytes))
}

fn broke(call: &Call, why: Error) -> Failure {
    call.error(why.to_string())
}

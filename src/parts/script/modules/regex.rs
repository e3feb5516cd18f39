//! `regex::`: patterns of the `regex` crate, whose search never goes back over a text.
//!
//! A pattern is compiled once for a run. Searching for all matches may take the square of a text's
//! length, and a replacement may be far larger than both: so the script's own clock and its limit on
//! texts are asked at every match.

use regex::Captures;
use rhai::{Array, Dynamic, EvalAltResult};

use crate::ground::regex::{BoundedRegex, TooLong};
use crate::parts::script::ELEMENTS;
use crate::parts::script::api::{Call, Entry};
use crate::parts::script::run::{Answer, Failure};

/// How long a pattern may be, in bytes.
const LONGEST: usize = 4096;
/// How large a compiled pattern may be, in bytes.
const COMPILED: usize = 1 << 20;
/// How many patterns are kept for a run.
const KEPT: usize = 64;

pub(in crate::parts::script) const TABLE: &[Entry] = &[
    Entry::new("is_match", &["text", "pattern"], "whether the pattern is found in the text", is_match),
    Entry::new("find", &["text", "pattern"], "the first piece that the pattern matches, or ()", find),
    Entry::new(
        "captures",
        &["text", "pattern"],
        "a list of the first match and its groups, () for a group that took no part; or ()",
        captures,
    ),
    Entry::new(
        "replace",
        &["text", "pattern", "with"],
        "the text with every match replaced; `$1` or `${name}` is a group",
        replace,
    ),
    Entry::new("split", &["text", "pattern"], "a list of the pieces between the matches", split),
];

fn is_match(call: &mut Call) -> Answer {
    let (text, pattern) = arguments(call)?;
    Ok(pattern.is_match(&text).map_err(|found| too_long(call, found))?.into())
}

fn find(call: &mut Call) -> Answer {
    let (text, pattern) = arguments(call)?;
    let found = pattern.captures(&text).map_err(|found| too_long(call, found))?;
    Ok(found.and_then(|found| found.get(0)).map_or(Dynamic::UNIT, |found| found.as_str().into()))
}

fn captures(call: &mut Call) -> Answer {
    let (text, pattern) = arguments(call)?;
    let found = pattern.captures(&text).map_err(|found| too_long(call, found))?;
    let groups = found.map(|groups| {
        let groups = groups.iter().map(|group| group.map_or(Dynamic::UNIT, |group| group.as_str().into()));
        Dynamic::from_array(groups.collect::<Array>())
    });
    Ok(groups.unwrap_or_default())
}

fn replace(call: &mut Call) -> Answer {
    let (text, pattern) = arguments(call)?;
    let with = call.text(2)?;
    let most = call.run.limits.text;
    let (mut replaced, mut behind) = (String::new(), 0);
    for groups in pattern.every(&text).map_err(|found| too_long(call, found))? {
        go_on(call)?;
        let groups = groups.map_err(|found| too_long(call, found))?;
        let Some(whole) = groups.get(0) else { continue };
        replaced.push_str(&text[behind..whole.start()]);
        behind = whole.end();
        if replaced.len().saturating_add(longest(&groups, &with)) > most {
            return Err(EvalAltResult::ErrorDataTooLarge("Length of string".into(), call.position).into());
        }
        groups.expand(&with, &mut replaced);
    }
    replaced.push_str(&text[behind..]);
    Ok(replaced.into())
}

/// No replacement is longer: each `$` brings at most the whole match.
fn longest(groups: &Captures, with: &str) -> usize {
    let whole = groups.get(0).map_or(0, |whole| whole.len());
    memchr::memchr_iter(b'$', with.as_bytes()).count().saturating_mul(whole).saturating_add(with.len())
}

fn split(call: &mut Call) -> Answer {
    let (text, pattern) = arguments(call)?;
    let (mut pieces, mut behind) = (Array::new(), 0);
    for groups in pattern.every(&text).map_err(|found| too_long(call, found))? {
        go_on(call)?;
        let between = groups.map_err(|found| too_long(call, found))?.get_match().range();
        // One more stands behind the last match.
        if pieces.len() + 1 == ELEMENTS {
            return Err(EvalAltResult::ErrorDataTooLarge("Size of array".into(), call.position).into());
        }
        pieces.push(text[behind..between.start].into());
        behind = between.end;
    }
    pieces.push(text[behind..].into());
    Ok(pieces.into())
}

fn too_long(call: &Call, found: TooLong) -> Failure {
    call.error(format!("was given a pattern that {found}: {}", TooLong::HELP))
}

fn arguments(call: &mut Call) -> Result<(String, BoundedRegex), Failure> {
    let text = call.text(0)?;
    let pattern = call.text(1)?;
    if let Some(known) = call.run.state().patterns.get(&pattern) {
        return Ok((text, known.clone()));
    }
    if pattern.len() > LONGEST {
        return Err(call.error(format!("takes a pattern of at most {LONGEST} bytes")));
    }
    let built = BoundedRegex::new(&pattern, false, COMPILED);
    let built =
        built.map_err(|why| call.error(format!("was given a pattern that is none: {}", reason(&why))))?;
    let patterns = &mut call.run.state().patterns;
    if patterns.len() == KEPT {
        patterns.clear();
    }
    patterns.insert(pattern, built.clone());
    Ok((text, built))
}

/// The last line of what is a drawing of the pattern: the pattern itself may hold a secret.
fn reason(why: &regex::Error) -> String {
    match why {
        regex::Error::CompiledTooBig(_) => "it is too large".to_owned(),
        other => {
            let told = other.to_string();
            let last = told.lines().last().unwrap_or_default();
            last.trim().trim_start_matches("error: ").to_owned()
        }
    }
}

fn go_on(call: &Call) -> Result<(), Failure> {
    match call.run.is_over(true) {
        Some(stop) => Err(EvalAltResult::ErrorTerminated(Dynamic::from(stop), call.position).into()),
        None => Ok(()),
    }
}

//! What a JSON path gives, as values that are shared with the answer's own, and no more of it than
//! whoever writes it out can bear.

use std::collections::HashMap;
use std::ptr;

use foldhash::fast::RandomState;
use serde_json::Value as Foreign;

use crate::ground::value::Value;

/// How many values a path may give more than the answer has: those inside of others are counted again.
/// Whoever writes them out writes each of them.
pub(super) const MOST_AGAIN: u64 = 500_000;

/// What was found, as values of ours that are shared with the answer's own; `None` where more than
/// [`MOST_AGAIN`] of them are given again.
pub(super) fn shared(found: &[&Foreign], theirs: &Foreign, ours: &Value) -> Option<Vec<Value>> {
    let mut twins: HashMap<*const Foreign, Option<&Value>, RandomState> =
        found.iter().map(|value| (ptr::from_ref(*value), None)).collect();
    let mut room = MOST_AGAIN;
    pair(theirs, ours, &mut |theirs, ours| {
        room += 1;
        if let Some(twin) = twins.get_mut(&ptr::from_ref(theirs)) {
            *twin = Some(ours);
        }
    });
    let values = found.iter().map(|value| {
        let value = twins.get(&ptr::from_ref(*value)).copied().flatten()?;
        value.fits(&mut room).then(|| value.clone())
    });
    values.collect()
}

/// Walks two trees that were one: each value with its twin.
fn pair<'o>(theirs: &Foreign, ours: &'o Value, tell: &mut impl FnMut(&Foreign, &'o Value)) {
    tell(theirs, ours);
    match (theirs, ours) {
        (Foreign::Array(theirs), Value::List(ours)) => {
            theirs.iter().zip(ours.iter()).for_each(|(theirs, ours)| pair(theirs, ours, tell));
        }
        (Foreign::Object(theirs), Value::Object(ours)) => {
            theirs.values().zip(ours.values()).for_each(|(theirs, ours)| pair(theirs, ours, tell));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Value {
        Value::from_json(text.as_bytes()).expect("the test's JSON is right")
    }

    #[test]
    fn what_is_found_is_shared_and_no_more_than_its_limit() {
        let ours = json("{\"a\":[{\"b\":[1]},[2]],\"c\":{\"b\":[3]}}");
        let theirs = ours.to_serde();
        let path = serde_json_path::JsonPath::parse("$..*").expect("a path");
        let found = path.query(&theirs).all();
        let same = found.iter().map(|value| Value::from((*value).clone())).collect::<Vec<_>>();
        assert_eq!(shared(&found, &theirs, &ours), Some(same));
        let wide = json(&format!("[{}]", vec!["[1,1,1,1,1,1,1,1,1]"; 10_000].join(",")));
        let theirs = wide.to_serde();
        assert!(shared(&[&theirs; 5], &theirs, &wide).is_some());
        assert!(shared(&[&theirs; 6], &theirs, &wide).is_none());
    }
}

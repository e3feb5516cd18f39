//! Many paths read in one pass over a body, without a tree.
//!
//! A tree of a large body costs six times what skipping it costs. The paths of a step are joined
//! in a small trie, and everything that none of them wants is skipped unread.

use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess};
use serde::de::{SeqAccess, Visitor};

use crate::ground::value::Value;
use crate::parts::select::path::{Path, Segment};

/// The paths that are read in one pass, joined at their beginnings.
#[derive(Debug, Clone)]
pub struct Pass {
    trie: Trie,
    ends: Vec<usize>,
}

impl Default for Pass {
    fn default() -> Self {
        Self { trie: Trie { nodes: vec![Fork::new(None)] }, ends: Vec::new() }
    }
}

impl Pass {
    /// Adds a path; its value is the next one that [`Pass::read`] gives.
    pub fn add(&mut self, path: &Path) {
        let end = self.trie.insert(path);
        self.ends.push(end);
    }

    /// Reads what the paths lead to in one pass over a JSON text, in the order in which they were
    /// added; the rest is skipped. Of members of one name the last counts, as in every reader of
    /// JSON here.
    ///
    /// # Errors
    /// Where the text is not JSON: `serde_json`'s message with line and column.
    pub fn read(&self, bytes: &[u8]) -> Result<Vec<Option<Value>>, serde_json::Error> {
        let mut slots = vec![Slot::default(); self.trie.nodes.len()];
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let mut deserializer = serde_json::Deserializer::from_slice(bytes);
        let seed = Search { trie: &self.trie, slots: &mut slots, at: 0 };
        seed.deserialize(&mut deserializer)?;
        deserializer.end()?;
        Ok(self.ends.iter().map(|end| slots[*end].value.clone()).collect())
    }
}

/// The nodes lie in one list and name each other by their place in it: one allocation, and no
/// stack is needed to free a deep one.
#[derive(Debug, Clone)]
struct Trie {
    nodes: Vec<Fork>,
}

#[derive(Debug, Clone)]
struct Fork {
    segment: Option<Segment>,
    wanted: bool,
    /// The first fork below this one; 0, the root, is below nobody and means none.
    child: usize,
    /// The next fork below the same parent; 0 means none.
    next: usize,
}

#[derive(Clone, Default)]
struct Slot {
    value: Option<Value>,
    visited: bool,
}

impl Trie {
    fn insert(&mut self, path: &Path) -> usize {
        let mut at = 0;
        for segment in path.segments() {
            let known = self.children(at).find(|child| self.nodes[*child].segment.as_ref() == Some(segment));
            at = known.unwrap_or_else(|| self.add(at, segment));
        }
        self.nodes[at].wanted = true;
        at
    }

    fn add(&mut self, parent: usize, segment: &Segment) -> usize {
        let new = self.nodes.len();
        let mut fork = Fork::new(Some(segment.clone()));
        fork.next = std::mem::replace(&mut self.nodes[parent].child, new);
        self.nodes.push(fork);
        new
    }

    fn children(&self, of: usize) -> impl Iterator<Item = usize> {
        let some = |at: usize| (at != 0).then_some(at);
        std::iter::successors(some(self.nodes[of].child), move |at| some(self.nodes[*at].next))
    }

    fn member(&self, of: usize, name: &str) -> Option<usize> {
        self.children(of)
            .find(|child| matches!(&self.nodes[*child].segment, Some(Segment::Member(own)) if **own == *name))
    }

    fn element(&self, of: usize, index: usize) -> Option<usize> {
        self.children(of).find(|child| self.nodes[*child].segment == Some(Segment::Index(index)))
    }

    /// How many elements of a list must be looked at.
    fn elements(&self, of: usize) -> usize {
        let ends = self.children(of).map(|child| match &self.nodes[child].segment {
            Some(Segment::Index(index)) => *index + 1,
            _ => 0,
        });
        ends.max().unwrap_or(0)
    }
}

impl Fork {
    const fn new(segment: Option<Segment>) -> Self {
        Self { segment, wanted: false, child: 0, next: 0 }
    }
}

/// The reading of one value, at one fork of the trie.
struct Search<'s> {
    trie: &'s Trie,
    slots: &'s mut [Slot],
    at: usize,
}

impl Search<'_> {
    fn below(&mut self, at: usize) -> Search<'_> {
        Search { trie: self.trie, slots: self.slots, at }
    }

    /// A member that stands there a second time makes the first one void, with all below it.
    fn visit(&mut self) {
        if !std::mem::replace(&mut self.slots[self.at].visited, true) {
            return;
        }
        let mut void = vec![self.at];
        while let Some(at) = void.pop() {
            self.slots[at].value = None;
            void.extend(self.trie.children(at));
        }
    }

    /// A value was wanted as a whole: what is wanted of its inside is taken from there.
    fn keep(&mut self, at: usize, value: &Value) {
        let trie = self.trie;
        for child in trie.children(at) {
            let inside = trie.nodes[child].segment.as_ref().and_then(|segment| segment.of(value));
            if let Some(inside) = inside {
                self.keep(child, inside);
            }
        }
        if trie.nodes[at].wanted {
            self.slots[at].value = Some(value.clone());
        }
    }
}

impl<'de> DeserializeSeed<'de> for Search<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(mut self, deserializer: D) -> Result<(), D::Error> {
        self.visit();
        if self.trie.nodes[self.at].wanted {
            let value = Value::deserialize(deserializer)?;
            self.keep(self.at, &value);
            return Ok(());
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Search<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        loop {
            let key = Key { trie: self.trie, of: self.at };
            match map.next_key_seed(key)? {
                Some(Some(child)) => map.next_value_seed(self.below(child))?,
                Some(None) => {
                    map.next_value::<IgnoredAny>()?;
                }
                None => return Ok(()),
            }
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
        for index in 0..self.trie.elements(self.at) {
            let more = match self.trie.element(self.at, index) {
                Some(child) => seq.next_element_seed(self.below(child))?.is_some(),
                None => seq.next_element::<IgnoredAny>()?.is_some(),
            };
            if !more {
                return Ok(());
            }
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
}

/// A member's name, looked up as it is read: it is never copied.
struct Key<'s> {
    trie: &'s Trie,
    of: usize,
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member's name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.trie.member(self.of, name))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;

    fn read_paths(json: &[u8], paths: &[Arc<Path>]) -> Result<Vec<Option<Value>>, serde_json::Error> {
        let mut pass = Pass::default();
        for path in paths {
            pass.add(path);
        }
        pass.read(json)
    }

    fn read(json: &[u8], paths: &[&str]) -> Vec<Option<String>> {
        let paths: Vec<_> =
            paths.iter().map(|path| Arc::new(Path::parse(path).expect("the test's path is right"))).collect();
        read_paths(json, &paths)
            .expect("the test's JSON is right")
            .into_iter()
            .map(|found| found.map(|value| value.to_json()))
            .collect()
    }

    fn found(values: &[&str]) -> Vec<Option<String>> {
        let some = |value: &&str| (!value.is_empty()).then(|| (*value).to_owned());
        values.iter().map(some).collect()
    }

    #[test]
    fn all_paths_are_found_in_one_pass() {
        let json = br#"{"a":{"b":1,"c":[10,20,{"d":null}]},"e":"x","a b":true}"#;
        for (paths, values) in [
            (vec!["$.a.b", "$.e"], vec!["1", "\"x\""]),
            (vec!["$.e", "$.a.b"], vec!["\"x\"", "1"]),
            (vec!["$.a.c[1]", "$.a.c[2].d", "$.a.c[3]"], vec!["20", "null", ""]),
            (vec!["$['a b']", "$.nope", "$.e.f", "$[0]"], vec!["true", "", "", ""]),
            (vec!["$.e", "$.e", "$['e']"], vec!["\"x\"", "\"x\"", "\"x\""]),
            (vec![], vec![]),
        ] {
            assert_eq!(read(json, &paths), found(&values), "{paths:?}");
        }
    }

    #[test]
    fn a_path_and_a_deeper_one_are_both_found() {
        let json = br#"{"a":{"b":{"c":1},"d":[2]}}"#;
        let paths = ["$.a.b.c", "$.a", "$.a.d[0]", "$.a.b", "$.a.x"];
        let whole = r#"{"b":{"c":1},"d":[2]}"#;
        assert_eq!(read(json, &paths), found(&["1", whole, "2", r#"{"c":1}"#, ""]));
    }

    #[test]
    fn of_members_of_one_name_the_last_counts_with_all_inside() {
        let json = br#"{"a":{"b":1,"c":2},"a":{"c":3}}"#;
        assert_eq!(read(json, &["$.a.b", "$.a.c"]), found(&["", "3"]));
        assert_eq!(read(br#"{"a":1,"a":[]}"#, &["$.a", "$.a[0]"]), found(&["[]", ""]));
    }

    #[test]
    fn a_mark_of_byte_order_and_escaped_names_are_understood() {
        assert_eq!(read(b"\xef\xbb\xbf{\"\\u0061\":1}", &["$.a", "$"]), found(&["1", "{\"a\":1}"]));
    }

    #[test]
    fn what_is_skipped_must_still_be_json() {
        let path = [Arc::new(Path::parse("$.a").expect("the test's path is right"))];
        for text in ["", "{\"a\":1", "{\"a\":1} x", "{\"a\":1,\"b\":tru}", "<html>"] {
            assert!(read_paths(text.as_bytes(), &path).is_err(), "{text}");
        }
    }

    #[test]
    fn a_very_deep_path_needs_no_stack() {
        let deep = format!("${}", ".a".repeat(200_000));
        assert_eq!(read(br#"{"a":{"a":1}}"#, &[&deep, "$.a.a"]), found(&["", "1"]));
    }

    fn json() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![Just("1".to_owned()), Just("\"x\"".to_owned()), Just("null".to_owned())];
        leaf.prop_recursive(4, 40, 4, |inner| {
            let member = ("[ab]", inner.clone()).prop_map(|(key, value)| format!("\"{key}\":{value}"));
            prop_oneof![
                prop::collection::vec(inner, 0..4).prop_map(|all| format!("[{}]", all.join(","))),
                prop::collection::vec(member, 0..4).prop_map(|all| format!("{{{}}}", all.join(","))),
            ]
        })
    }

    proptest! {
        #[test]
        fn the_pass_finds_what_the_tree_holds(
            json in json(),
            paths in prop::collection::vec("\\$(\\.[ab]|\\[[0-2]\\]){0,3}", 0..6),
        ) {
            let tree = Value::from_json(json.as_bytes()).expect("the test's JSON is right");
            let paths: Vec<_> = paths.iter().filter_map(|path| Path::parse(path)).map(Arc::new).collect();
            let expected: Vec<_> = paths.iter().map(|path| path.find(&tree).cloned()).collect();
            prop_assert_eq!(read_paths(json.as_bytes(), &paths).ok(), Some(expected));
        }
    }
}

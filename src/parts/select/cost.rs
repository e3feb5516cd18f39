//! What a JSON path may cost on an answer, known before it is followed.
//!
//! The general engine has no bound of its own: every `..` behind another one visits each value once for
//! each value around it, a selector that stands twice in brackets doubles all that follows, and a filter
//! that looks at the whole answer does so for every value that it judges. A server chooses how deep and
//! how wide its answer is, so that a few hundred bytes are enough for gigabytes.

use crate::ground::value::Value;
use crate::parts::select::path::Path;

/// How many steps a path may take through an answer.
pub(super) const MOST_STEPS: u64 = 10_000_000;

/// What makes a path expensive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cost {
    /// How often it says `..`.
    descents: u32,
    /// How often a filter begins at the root again and branches from there.
    roots: u32,
    /// How often the same value may be chosen at once.
    choices: u64,
}

impl Cost {
    /// Of a path that was read already.
    pub(super) fn of(path: &str) -> Self {
        let mut cost = Self { descents: 0, roots: 0, choices: 1 };
        let mut open: Vec<Option<Vec<&str>>> = Vec::new();
        let (mut at, mut begun) = (0, 0);
        while let Some(byte) = path.as_bytes().get(at) {
            match byte {
                b'\'' | b'"' => at = end_of_text(path, at),
                b'.' if path[at..].starts_with("..") => {
                    cost.descents += 1;
                    at += 1;
                }
                b'$' if at > 0 && branches(&path[at..]) => cost.roots += 1,
                b'[' => {
                    open.push(Some(Vec::new()));
                    begun = at + 1;
                }
                b'(' => open.push(None),
                b',' | b']' => {
                    if let Some(Some(selectors)) = open.last_mut() {
                        selectors.push(path[begun.min(at)..at].trim());
                        begun = at + 1;
                    }
                    if *byte == b']' {
                        cost.choices = cost.choices.saturating_mul(choices(open.pop().flatten()));
                    }
                }
                b')' => drop(open.pop()),
                _ => {}
            }
            at += 1;
        }
        cost
    }

    /// Whether following the path takes more than [`MOST_STEPS`] through this answer.
    pub(super) fn is_too_much(self, root: &Value) -> bool {
        // Else every value is visited once at most.
        let may_be = self.descents > 1 || self.roots > 0 || self.choices > 1;
        may_be && self.steps(root) > MOST_STEPS
    }

    /// How often following the path may come to the same value of this answer.
    pub(super) fn most_visits(self, root: &Value) -> u64 {
        if self.descents <= 1 && self.roots == 0 {
            return self.choices;
        }
        let (mut values, mut deepest) = (0, 0);
        count(root, 1, &mut |depth: u64| {
            values += 1;
            deepest = depth.max(deepest);
        });
        let around = deepest.saturating_pow(self.descents.saturating_sub(1));
        self.choices.saturating_mul(around).saturating_mul(u64::saturating_pow(values, self.roots))
    }

    fn steps(self, root: &Value) -> u64 {
        let (mut values, mut visits) = (0, 0);
        count(root, 1, &mut |depth: u64| {
            values += 1;
            visits = u64::saturating_add(visits, depth.saturating_pow(self.descents.saturating_sub(1)));
        });
        let again = u64::saturating_pow(values, self.roots);
        visits.saturating_mul(again).saturating_mul(self.choices)
    }
}

/// Tells the depth of every value; the reader of JSON bounds how deep that goes.
fn count(value: &Value, depth: u64, tell: &mut impl FnMut(u64)) {
    tell(depth);
    match value {
        Value::List(elements) => elements.iter().for_each(|element| count(element, depth + 1, tell)),
        Value::Object(members) => members.values().for_each(|member| count(member, depth + 1, tell)),
        _ => {}
    }
}

/// Whether a path that begins here with `$` goes on behind its simple steps.
fn branches(text: &str) -> bool {
    Path::beginning(text).is_none_or(|(_, rest)| rest.trim_start().starts_with(['.', '[']))
}

/// How often a value may be chosen by what stands in one pair of brackets. Names and indexes that differ
/// choose different values.
fn choices(selectors: Option<Vec<&str>>) -> u64 {
    let mut selectors = selectors.unwrap_or_default();
    let all = selectors.len();
    // A name may be written in many ways: in quotes of either kind, and with escapes.
    let plain = |text: &&str| {
        let is_name = text.starts_with(['\'', '"']) && !text.contains('\\');
        is_name || text.bytes().all(|byte| byte.is_ascii_digit())
    };
    if selectors.iter().all(plain) {
        for text in &mut selectors {
            *text = text.trim_matches(['\'', '"']);
        }
        selectors.sort_unstable();
        selectors.dedup();
        if selectors.len() == all {
            return 1;
        }
    }
    all.max(1) as u64
}

/// Where a text in quotes ends.
fn end_of_text(path: &str, begin: usize) -> usize {
    let bytes = path.as_bytes();
    let mut at = begin + 1;
    while at < bytes.len() && bytes[at] != bytes[begin] {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Value {
        Value::from_json(text.as_bytes()).expect("the test's JSON is right")
    }

    #[test]
    fn what_makes_a_path_expensive_is_seen() {
        let table = [
            ("$.a[*].b", (0, 0, 1)),
            ("$..id", (1, 0, 1)),
            ("$..*..*", (2, 0, 1)),
            ("$['a..b', 'c']", (0, 0, 1)),
            ("$['a\\'..'][0,1]", (0, 0, 1)),
            ("$[0,0]['a',\"b\"]", (0, 0, 2)),
            ("$[*,*][*,*,0]", (0, 0, 6)),
            ("$['a',\"a\"]['b','\\u0062']", (0, 0, 4)),
            ("$.list[?@.id == $.wanted]", (0, 0, 1)),
            ("$.list[?@.id == $.a['b'] && @..x]", (1, 0, 1)),
            ("$.list[?count($..x) > 1]", (1, 1, 1)),
            ("$[?$[?$.x[*]]]", (0, 2, 1)),
            ("$[?search(@.a, 'b,c'), ?@.d]", (0, 0, 2)),
        ];
        for (path, (descents, roots, choices)) in table {
            assert_eq!(Cost::of(path), Cost { descents, roots, choices }, "{path}");
        }
    }

    #[test]
    fn a_value_is_visited_again_for_each_choice_each_value_around_it_and_each_root() {
        let root = json("[[[1]], 2]");
        for (path, visits) in [
            ("$[*].a", 1),
            ("$..*", 1),
            ("$[0,0][0,0]", 4),
            ("$..*..*", 4),
            ("$..*..*..*", 16),
            ("$[?$[*]]", 5),
            ("$[0,0]..*..*[?$[*]]", 2 * 4 * 5),
        ] {
            assert_eq!(Cost::of(path).most_visits(&root), visits, "{path}");
        }
        assert_eq!(Cost::of(&"[0,0]".repeat(100)).most_visits(&root), u64::MAX);
    }

    /// A path has a price (S70).
    #[test]
    fn a_path_that_explodes_is_seen_before_it_does_and_others_are_let_through() {
        let deep = json(&format!("{}1{}", "[1,1,".repeat(100), "]".repeat(100)));
        let wide = json(&format!("[{}]", vec!["{\"id\":1,\"b\":[2]}"; 50_000].join(",")));
        for (path, root, too_much) in [
            ("$..*..*..*..*", &deep, true),
            ("$..*", &deep, false),
            ("$..*..*", &deep, false),
            ("$[?count($..*) > 1]", &wide, true),
            ("$[*,*][*,*][*,*][*,*][*,*][*,*]", &wide, true),
            ("$..id", &wide, false),
            ("$..b..id", &wide, false),
            ("$[?@.id == 1].b[0]", &wide, false),
        ] {
            assert_eq!(Cost::of(path).is_too_much(root), too_much, "{path}: {}", Cost::of(path).steps(root));
        }
    }
}

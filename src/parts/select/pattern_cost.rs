//! What the patterns of a JSON path may cost: those of `match()` and `search()` (RFC 9535, 2.4.6).

use crate::ground::regex::{TooLong, may_search, states};
use crate::ground::value::Value;

/// In how many states a search for a pattern may be that the answer itself gives.
const FOREIGN: u64 = 1 << 17;

/// What the searches of a path may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PatternCost {
    /// In how many states they may be, all together.
    states: u64,
    /// Whether a text may be searched again for each value of the answer, as `$.text` is.
    again: bool,
}

impl PatternCost {
    /// Those of a path. What only looks like a call, in a name, may be taken for one: the path is then held to
    /// cost more than it does.
    pub(super) fn of(path: &str) -> Self {
        let mut cost = Self { states: 0, again: false };
        let mut rest = path;
        let next = |rest: &str| {
            let ends = ["match(", "search("].map(|name| rest.find(name).map(|at| at + name.len()));
            ends.into_iter().flatten().min()
        };
        while let Some(at) = next(rest) {
            rest = &rest[at..];
            let comma = comma(rest).unwrap_or(rest.len());
            let (text, pattern) = (rest[..comma].trim(), rest.get(comma + 1..).unwrap_or_default());
            cost.states =
                cost.states.saturating_add(written(pattern).map_or(FOREIGN, |pattern| states(&pattern)));
            cost.again |= !text.starts_with('@') || text.contains("..");
        }
        cost
    }

    /// Whether an answer of so many bytes may be searched.
    ///
    /// # Errors
    /// [`TooLong`].
    pub(super) fn allows(self, root: &Value, length: usize) -> Result<(), TooLong> {
        let times = if self.again { values(root) } else { 1 };
        may_search(self.states.saturating_mul(times), length)
    }
}

/// How many values there are in a value, itself among them.
fn values(value: &Value) -> u64 {
    let inside: u64 = match value {
        Value::List(elements) => elements.iter().map(values).sum(),
        Value::Object(members) => members.values().map(values).sum(),
        _ => 0,
    };
    inside + 1
}

/// An argument that is a text written out; `None` for anything else.
fn written(argument: &str) -> Option<String> {
    let mut characters = argument.trim_start().chars();
    let quote = characters.next().filter(|c| matches!(c, '\'' | '"'))?;
    let mut text = String::new();
    while let Some(c) = characters.next() {
        match c {
            c if c == quote => return Some(text),
            '\\' => match characters.next()? {
                // All else that a path escapes is a sign that stands for itself, or a blank.
                c if c == quote || matches!(c, '\\' | '/') => text.push(c),
                _ => text.push(' '),
            },
            c => text.push(c),
        }
    }
    None
}

/// Where the first argument ends.
fn comma(arguments: &str) -> Option<usize> {
    let (mut depth, mut quote, mut escaped) = (0_usize, None, false);
    for (at, c) in arguments.char_indices() {
        match (quote, c) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None, '(' | '[') => depth += 1,
            (None, ')' | ']') => depth = depth.checked_sub(1)?,
            (None, ',') if depth == 0 => return Some(at),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_patterns_count_and_one_that_an_answer_gives_for_the_worst() {
        for (path, states, again) in [
            ("$.a[*]", 0, false),
            ("$[?match(@.x, 'abc')]", 3, false),
            ("$[?search(@['a,b'], \"a\") || match(@.x, '(a{1,100}){1,100}b')]", 10_002, false),
            (r"$[?search(@.x, 'it\'s\\w')]", 5, false),
            ("$[?search(@.x, @.pattern)]", FOREIGN, false),
            ("$[?search(value(@..x), $.patterns[0])]", FOREIGN, true),
            ("$[?search($.text, 'ab')]", 2, true),
            ("$[?search(@..x, 'ab')]", 2, true),
            ("$[?search(@.x, '(')]", 1, false),
        ] {
            assert_eq!(PatternCost::of(path), PatternCost { states, again }, "{path}");
        }
    }

    #[test]
    fn a_text_that_is_searched_for_each_value_counts_for_each() {
        let root: Value = vec![Value::Null; 2000].into();
        let length = 1 << 20;
        let allows = |path: &str| PatternCost::of(path).allows(&root, length);
        assert_eq!(allows("$[?search(@.text, 'bbbb[x-z]q')]"), Ok(()));
        assert_eq!(allows("$[?search($.text, 'bbbb[x-z]q')]"), Err(TooLong { length }));
    }
}

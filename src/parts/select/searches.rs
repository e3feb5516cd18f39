//! What the patterns of a JSON path may cost: those of `match()` and `search()` (RFC 9535, 2.4.6).

use crate::ground::pattern;

/// At how many places a pattern counts that the answer itself gives.
const FOREIGN: u64 = 1 << 17;

/// At how many places the most expensive pattern of a path may stand at once; 0 where it has none.
pub(super) fn places(path: &str) -> u64 {
    let mut most = 0;
    let mut rest = path;
    while let Some(at) =
        ["match(", "search("].iter().filter_map(|name| Some(rest.find(name)? + name.len())).min()
    {
        rest = &rest[at..];
        most = most.max(written(rest).map_or(FOREIGN, |pattern| pattern::places(&pattern)));
    }
    most
}

/// The second argument of a call, where it is a text that is written out; `None` for anything else. What only
/// looks like a call, in a name, may be taken for one: it is told to cost more than it does.
fn written(arguments: &str) -> Option<String> {
    let second = arguments[comma(arguments)? + 1..].trim_start();
    let quote = second.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let mut text = String::new();
    let mut characters = second.chars().skip(1);
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
    fn the_most_expensive_pattern_counts_and_one_that_an_answer_gives_for_the_worst() {
        for (path, expected) in [
            ("$.a[*]", 0),
            ("$[?match(@.x, 'abc')]", 3),
            ("$[?search(@['a,b'], \"a\") || match(@.x, '(a{1,100}){1,100}b')]", 10_001),
            (r"$[?search(@.x, 'it\'s\\w')]", 5),
            ("$[?search(@.x, @.pattern)]", FOREIGN),
            ("$[?search(value(@..x), $.patterns[0])]", FOREIGN),
            ("$[?search(@.x, '(')]", 1),
        ] {
            assert_eq!(places(path), expected, "{path}");
        }
    }
}

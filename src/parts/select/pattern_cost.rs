//! What patterns cost that others search for: those of `match()` and `search()` in a JSON path
//! (RFC 9535, 2.4.6), and those of a schema.

use crate::ground::regex::{TooLong, is_linear, ranges, states};
use crate::ground::value::Value;

/// How many steps all searches in an answer may take: some minutes at the very worst.
const MOST: u64 = 1 << 33;
/// How many steps it takes to compile a range of characters.
const RANGE: u64 = 50;
/// In how many states a search for a pattern may be that the answer itself gives, and how many ranges it has.
const FOREIGN: u64 = 1 << 17;

/// What searches cost that look at the same texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PatternCost {
    /// Steps for each byte of a text.
    byte: u64,
    /// Steps for each byte, and each of those behind it: of a pattern that looks around.
    square: u64,
    /// Steps for each text, of a pattern that is compiled for each.
    text: u64,
    /// Whether a text may be searched again for each value of the answer, as `$.text` is.
    again: bool,
}

impl PatternCost {
    /// That of no pattern.
    pub const NONE: Self = Self { byte: 0, square: 0, text: 0, again: false };
    /// The highest.
    pub const MAX: Self = Self { byte: u64::MAX, square: u64::MAX, text: u64::MAX, again: true };

    /// That of a pattern which is compiled once.
    #[must_use]
    pub fn of(pattern: &str) -> Self {
        // To look around costs the pattern itself, however often it is repeated.
        let square = if is_linear(pattern) { 0 } else { pattern.len() as u64 };
        Self { byte: states(pattern), square, ..Self::NONE }
    }

    /// That of all patterns of a path. What only looks like a call, in a name, may be taken for one: the path is
    /// then held to cost more than it does.
    #[must_use]
    pub fn of_path(path: &str) -> Self {
        let mut cost = Self::NONE;
        let mut rest = path;
        let next = |rest: &str| {
            let ends = ["match(", "search("].map(|name| rest.find(name).map(|at| at + name.len()));
            ends.into_iter().flatten().min()
        };
        while let Some(at) = next(rest) {
            rest = &rest[at..];
            let comma = comma(rest).unwrap_or(rest.len());
            let (text, pattern) = (rest[..comma].trim(), rest.get(comma + 1..).unwrap_or_default());
            let (states, ranges) = match written(pattern) {
                Some(pattern) => (states(&pattern), ranges(&pattern)),
                None => (FOREIGN, FOREIGN),
            };
            let again = !text.starts_with('@') || text.contains("..");
            let text = ranges.saturating_mul(RANGE);
            cost = cost.and(Self { byte: states, square: 0, text, again });
        }
        cost
    }

    /// The cost of both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            byte: self.byte.saturating_add(other.byte),
            square: self.square.saturating_add(other.square),
            text: self.text.saturating_add(other.text),
            again: self.again || other.again,
        }
    }

    /// The higher cost of two that look at different texts.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            byte: self.byte.max(other.byte),
            square: self.square.max(other.square),
            text: self.text.max(other.text),
            again: self.again || other.again,
        }
    }

    /// Whether all texts of an answer may be searched, each as often as it is visited; `visits` is asked
    /// where there are patterns only.
    ///
    /// # Errors
    /// [`TooLong`].
    pub fn allows(self, root: &Value, visits: impl FnOnce() -> u64) -> Result<(), TooLong> {
        if self == Self::NONE {
            return Ok(());
        }
        let mut texts = Texts::default();
        texts.add(root);
        let once = [(self.byte, texts.bytes), (self.square, texts.squares), (self.text, texts.count)];
        let once =
            once.map(|(steps, times)| steps.saturating_mul(times)).into_iter().fold(0, u64::saturating_add);
        let times = if self.again { texts.values } else { 1 }.saturating_mul(visits());
        let length = usize::try_from(texts.bytes).unwrap_or(usize::MAX);
        if once.saturating_mul(times) <= MOST { Ok(()) } else { Err(TooLong { length }) }
    }
}

/// The texts of an answer.
#[derive(Default)]
struct Texts {
    values: u64,
    count: u64,
    bytes: u64,
    squares: u64,
}

impl Texts {
    fn add(&mut self, value: &Value) {
        self.values += 1;
        match value {
            Value::String(text) => self.add_text(text),
            Value::List(elements) => elements.iter().for_each(|element| self.add(element)),
            Value::Object(members) => members.iter().for_each(|(name, member)| {
                // `patternProperties` are searched for in these.
                self.add_text(name);
                self.add(member);
            }),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn add_text(&mut self, text: &str) {
        let length = text.len() as u64;
        self.count += 1;
        self.bytes += length;
        self.squares = self.squares.saturating_add(length * length);
    }
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
    fn all_patterns_of_a_path_count_and_one_that_an_answer_gives_for_the_worst() {
        for (path, byte, again) in [
            ("$.a[*]", 0, false),
            ("$[?match(@.x, 'abc')]", 3, false),
            ("$[?search(@['a,b'], \"a\") || match(@.x, '(a{1,100}){1,100}b')]", 10_102, false),
            (r"$[?search(@.x, 'it\'s\\w')]", 5, false),
            ("$[?search(@.x, @.pattern)]", FOREIGN, false),
            ("$[?search(value(@..x), $.patterns[0])]", FOREIGN, true),
            ("$[?search($.text, 'ab')]", 2, true),
            ("$[?search(@..x, 'ab')]", 2, true),
            ("$[?search(@.x, '(')]", 1, false),
        ] {
            let cost = PatternCost::of_path(path);
            assert_eq!((cost.byte, cost.again), (byte, again), "{path}");
        }
    }

    /// A list of texts of this length, as many as there are.
    fn texts(count: usize, length: usize) -> Value {
        vec![Value::from("a".repeat(length)); count].into()
    }

    #[test]
    fn a_path_searches_what_people_have_and_not_what_takes_hours() {
        let uuid = "$[?match(@.id, '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}')]";
        for (path, count, length, is_allowed) in [
            (uuid, 500_000, 60, true),
            (r"$[?search(@.mail, '\\w+@\\w+')]", 10_000, 100, true),
            (r"$[?search(@.mail, '\\w+@\\w+')]", 500_000, 60, false),
            ("$[?search(@.text, '(a{1,100}){1,100}b')]", 1, 100_000, true),
            ("$[?search(@.text, '(a{1,100}){1,100}b')]", 1, 1_000_000, false),
            ("$[?search(@.text, 'bbbb[x-z]q')]", 2000, 1000, true),
            ("$[?search($[0], 'bbbb[x-z]q')]", 2000, 1000, false),
            ("$[?search(@.text, @.pattern)]", 1, 1000, true),
            ("$[?search(@.text, @.pattern)]", 10_000, 1000, false),
        ] {
            assert_eq!(
                PatternCost::of_path(path).allows(&texts(count, length), || 1).is_ok(),
                is_allowed,
                "{path} {count}"
            );
        }
    }

    #[test]
    fn a_text_is_searched_each_time_that_it_is_visited() {
        let (cost, texts) = (PatternCost::of_path("$[?search(@.t, '(a{1,100}){1,60}b')]"), texts(1, 10_000));
        for (visits, is_allowed) in [(1, true), (100, true), (256, false), (u64::MAX, false)] {
            assert_eq!(cost.allows(&texts, || visits).is_ok(), is_allowed, "{visits}");
        }
        let none = PatternCost::of_path("$[*]").allows(&texts, || unreachable!("there are no patterns"));
        assert_eq!(none, Ok(()));
    }

    #[test]
    fn a_schema_searches_what_people_have_and_not_what_takes_hours() {
        let password = r"^(?=.*[A-Z])(?=.*\d).{8,}$";
        for (pattern, count, length, is_allowed) in [
            (r"^[\w .-]{1,1000}$", 1000, 5000, true),
            (password, 100_000, 40, true),
            (password, 1, 1_000_000, false),
            ("^(?:(?=[ac]*$)a)*$", 1, 100_000, false),
            ("(a{1,100}){1,100}b", 1, 1_000_000, false),
        ] {
            assert_eq!(
                PatternCost::of(pattern).allows(&texts(count, length), || 1).is_ok(),
                is_allowed,
                "{pattern}"
            );
        }
    }
}

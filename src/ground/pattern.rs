//! Regular expressions whose search ends soon, whatever they are and whatever the text.
//!
//! A search goes over a text once, but each byte may cost as many steps as the pattern has places
//! where it can stand at once: with `(a{1,100}){1,100}b` that is an hour for a large answer. Where
//! pattern and text together could cost that much, an automaton that gives up finds out first.

use std::sync::{Arc, OnceLock};

use regex::{Captures, Regex, RegexBuilder};
use regex_automata::Input;
use regex_automata::hybrid::dfa::DFA;
use regex_automata::hybrid::regex::Regex as Automaton;
use regex_automata::util::syntax;
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Hir, HirKind};

/// How many steps nobody has to ask for: some seconds at the very worst.
const FREE: u64 = 1 << 28;
/// How many steps may be taken where it is known that the automaton alone does not do.
const MOST: u64 = 1 << 30;
/// How much an automaton may remember, in bytes.
const REMEMBERED: usize = 8 << 20;
/// It gives up where it had to forget all so often, unless it went over ten bytes for each place that
/// it made anew.
const FORGOTTEN: usize = 3;
const WORTH: usize = 10;

/// A compiled pattern. Clones share what is found out of it.
#[derive(Debug, Clone)]
pub struct Pattern {
    regex: Regex,
    ignore_case: bool,
    /// At how many places of the pattern a search may stand at once.
    places: u64,
    automaton: Arc<OnceLock<Option<Automaton>>>,
}

/// That a search would take too long. The message goes on after what would.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("would take too long in a text of {length} bytes")]
pub struct TooLong {
    /// How long the text is, in bytes.
    pub length: usize,
}

impl TooLong {
    /// What to do about it.
    pub const HELP: &str =
        "repeat less of what repeats itself (`(a{1,100}){1,100}`), or look in a smaller text";
}

impl Pattern {
    /// Compiles a pattern to at most `size` bytes.
    ///
    /// # Errors
    /// What `regex` says: the pattern is none, or becomes too large.
    pub fn new(pattern: &str, ignore_case: bool, size: usize) -> Result<Self, regex::Error> {
        let regex = RegexBuilder::new(pattern)
            .case_insensitive(ignore_case)
            .size_limit(size)
            .dfa_size_limit(REMEMBERED)
            .build()?;
        Ok(Self { places: places(pattern), regex, ignore_case, automaton: Arc::default() })
    }

    /// The text that it was made from.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.regex.as_str()
    }

    /// Whether it is found in a text.
    ///
    /// # Errors
    /// [`TooLong`].
    pub fn is_match(&self, text: &str) -> Result<bool, TooLong> {
        self.steps_to_first(text).map(|_| self.regex.is_match(text))
    }

    /// The first match and its groups.
    ///
    /// # Errors
    /// [`TooLong`].
    pub fn captures<'t>(&self, text: &'t str) -> Result<Option<Captures<'t>>, TooLong> {
        let steps = self.steps_to_first(text)?;
        within(steps, text).map(|()| self.regex.captures(text))
    }

    /// What finds every match of a text, one after the other.
    ///
    /// # Errors
    /// [`TooLong`].
    pub fn for_every(&self, text: &str) -> Result<&Regex, TooLong> {
        may_search(self.places, text.len()).map(|()| &self.regex)
    }

    /// The most steps that a text of this length may cost.
    const fn steps(&self, length: usize) -> u64 {
        self.places.saturating_mul(length as u64)
    }

    /// The most steps that are left for the groups of the first match, once the automaton has found it.
    fn steps_to_first(&self, text: &str) -> Result<u64, TooLong> {
        let all = self.steps(text.len());
        if all <= FREE {
            return Ok(0);
        }
        let automaton = self.automaton.get_or_init(|| automaton(self.as_str(), self.ignore_case));
        let found =
            automaton.as_ref().map(|regex| regex.try_search(&mut regex.create_cache(), &Input::new(text)));
        match found {
            Some(Ok(found)) => Ok(self.steps(found.map_or(0, |found| found.len()))),
            Some(Err(stopped)) if gave_up(&stopped) => Err(TooLong { length: text.len() }),
            // It knows nothing of words in other letters than ASCII.
            Some(Err(_)) | None => within(all, text).map(|()| 0),
        }
    }
}

fn within(steps: u64, text: &str) -> Result<(), TooLong> {
    if steps <= MOST { Ok(()) } else { Err(TooLong { length: text.len() }) }
}

/// Whether a pattern with so many [`places`] may be searched for in texts that are so long together, by somebody
/// else's means.
///
/// # Errors
/// [`TooLong`].
pub const fn may_search(places: u64, length: usize) -> Result<(), TooLong> {
    if places.saturating_mul(length as u64) <= MOST { Ok(()) } else { Err(TooLong { length }) }
}

/// At how many places of a pattern a search may stand at once, at least 1. For one that only other engines
/// read, what its repetitions may come to.
#[must_use]
pub fn places(pattern: &str) -> u64 {
    let parsed = ParserBuilder::new().build().parse(pattern);
    parsed.map_or_else(|_| repeated(pattern), |hir| of(&hir)).max(1)
}

/// The length of a pattern as often as all its `{m,n}` say, one inside of the other.
fn repeated(pattern: &str) -> u64 {
    let counts = pattern.split('{').skip(1).filter_map(|rest| rest.split('}').next());
    let most = |count: &str| count.split(',').filter_map(|end| end.trim().parse::<u64>().ok()).max();
    counts.filter_map(most).fold(pattern.len() as u64, |all, times| all.saturating_mul(times.max(1)))
}

/// An automaton that gives up where the one of `regex` would go on by steps.
fn automaton(pattern: &str, ignore_case: bool) -> Option<Automaton> {
    let config = DFA::config()
        .unicode_word_boundary(true)
        .cache_capacity(REMEMBERED)
        .skip_cache_capacity_check(true)
        .minimum_cache_clear_count(Some(FORGOTTEN))
        .minimum_bytes_per_state(Some(WORTH));
    let syntax = syntax::Config::new().case_insensitive(ignore_case);
    Automaton::builder().dfa(config).syntax(syntax).build(pattern).ok()
}

fn gave_up(stopped: &regex_automata::MatchError) -> bool {
    matches!(stopped.kind(), regex_automata::MatchErrorKind::GaveUp { .. })
}

fn of(hir: &Hir) -> u64 {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => 0,
        HirKind::Literal(literal) => literal.0.len() as u64,
        HirKind::Class(_) => 1,
        HirKind::Capture(group) => of(&group.sub),
        HirKind::Repetition(repeated) => {
            let times = repeated.max.unwrap_or(repeated.min).max(1);
            of(&repeated.sub).saturating_mul(times.into())
        }
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().map(of).fold(0, u64::saturating_add)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Pattern {
        Pattern::new(text, false, 4 << 20).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn a_pattern_has_as_many_places_as_it_says_when_its_repetitions_are_written_out() {
        for (text, count) in [
            ("abc", 3),
            ("a|bc", 3),
            ("[a-z]", 1),
            (r"(\w+)@\w+", 3),
            ("(a{1,100}){1,100}b", 10_001),
            ("(?:ab){3,}", 6),
            ("^$", 1),
            ("(", 1),
            ("(?=b)(a{1,20}){2}", 17 * 40),
        ] {
            assert_eq!(places(text), count, "{text}");
        }
    }

    #[test]
    fn a_search_that_would_not_end_soon_is_not_begun() {
        let long = "a".repeat(1 << 20);
        let too_long = TooLong { length: long.len() };
        let expensive = pattern("(a{1,100}){1,100}b");
        assert_eq!(expensive.is_match(&long), Err(too_long));
        assert_eq!(expensive.captures(&long).map(|_| ()), Err(too_long));
        assert_eq!(expensive.for_every(&long).map(|_| ()), Err(too_long));
        // The automaton does, but the groups of so long a match it does not tell.
        let whole = pattern("(?s)^(a|aa){1,1500}.*$");
        assert_eq!(whole.is_match(&long), Ok(true));
        assert_eq!(whole.captures(&long).map(|_| ()), Err(too_long));
        // Words of all letters it cannot tell apart.
        let words = pattern(r"\b(a{1,100}){1,100}b");
        assert_eq!(words.is_match(&format!("ü{long}")).map(|_| ()), Err(TooLong { length: long.len() + 2 }));
    }

    #[test]
    fn what_people_write_is_searched_for_in_any_text() {
        let long = format!("{}\"token\":\"abc\"ü", "{\"a\": 1} ".repeat(1 << 20));
        for text in
            [r#""token":"([^"]{1,2000})""#, r"\btoken\W+(\w+)", "(?s)^.*token\":\"(.*)\"", "tok[a-z]{2,512}"]
        {
            let found = pattern(text).captures(&long).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert!(found.is_some(), "{text}");
        }
        let upper = Pattern::new("TOKEN.{1,60}?(ABC)", true, 1 << 20).expect("a pattern");
        assert_eq!(&upper.captures(&long).expect("soon").expect("found")[1], "abc");
    }
}

//! Regular expressions whose search ends within some seconds, or is not begun.
//!
//! The `regex` crate goes over a text once for a match, but each byte may cost a step for each state that
//! the pattern has: with `(a{1,100}){1,100}b`, of ten thousand states, a large answer takes an hour. Where
//! pattern and text together could cost that much, an automaton that gives up finds out first. Finding
//! every match may take as many searches as the text has bytes: a clock is asked between them.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use regex::{Captures, Regex, RegexBuilder};
use regex_automata::hybrid::dfa::DFA;
use regex_automata::hybrid::regex::Regex as Automaton;
use regex_automata::util::iter::Searcher;
use regex_automata::util::syntax;
use regex_automata::{Input, MatchError, MatchErrorKind};
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind};

/// How many steps a search may take without the automaton being asked: three seconds at the very worst.
const FREE: u64 = 1 << 28;
/// How many steps a search may take at all, where the automaton cannot do without them.
const MOST: u64 = 1 << 30;
/// How long finding every match may take.
const LONGEST: Duration = Duration::from_secs(10);
/// How large the automaton's cache may become, in bytes.
const CACHE: usize = 8 << 20;
/// How often the cache may be cleared before the automaton gives up.
const CLEARED: usize = 3;
/// How many bytes of the text it must get through for each state that it makes, not to give up then.
const BYTES_PER_STATE: usize = 10;

/// A compiled regular expression. Clones share its automaton.
#[derive(Debug, Clone)]
pub struct BoundedRegex {
    regex: Regex,
    ignore_case: bool,
    /// In how many states a search may be at once.
    states: u64,
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

impl BoundedRegex {
    /// Compiles a pattern to at most `size` bytes.
    ///
    /// # Errors
    /// What `regex` says: the pattern is none, or becomes too large.
    pub fn new(pattern: &str, ignore_case: bool, size: usize) -> Result<Self, regex::Error> {
        let regex = RegexBuilder::new(pattern)
            .case_insensitive(ignore_case)
            .size_limit(size)
            .dfa_size_limit(CACHE)
            .build()?;
        Ok(Self { states: states(pattern), regex, ignore_case, automaton: Arc::default() })
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
        self.first(self.states, text).map(|_| self.regex.is_match(text))
    }

    /// The first match and its groups.
    ///
    /// # Errors
    /// [`TooLong`].
    pub fn captures<'t>(&self, text: &'t str) -> Result<Option<Captures<'t>>, TooLong> {
        let found = self.first(self.states_with_groups(), text)?;
        within(self.states_with_groups(), found.unwrap_or_default(), text).map(|()| self.regex.captures(text))
    }

    /// Every match of a text and its groups, from left to right. The last is [`TooLong`] where it took too
    /// long to find them.
    ///
    /// # Errors
    /// [`TooLong`], before the first is given.
    pub fn every<'t>(
        &self,
        text: &'t str,
    ) -> Result<impl Iterator<Item = Result<Captures<'t>, TooLong>>, TooLong> {
        self.every_within(LONGEST, text)
    }

    fn every_within<'t>(
        &self,
        longest: Duration,
        text: &'t str,
    ) -> Result<impl Iterator<Item = Result<Captures<'t>, TooLong>>, TooLong> {
        let (began, mut is_over) = (Instant::now(), false);
        let length = text.len();
        self.each(|| began.elapsed() > longest, text)?;
        Ok(self.regex.captures_iter(text).map_while(move |found| {
            if std::mem::replace(&mut is_over, began.elapsed() > longest) {
                return None;
            }
            Some(if is_over { Err(TooLong { length }) } else { Ok(found) })
        }))
    }

    /// Each state carries all groups with it.
    fn states_with_groups(&self) -> u64 {
        self.states.saturating_mul(self.regex.captures_len() as u64)
    }

    /// Whether every match may be searched for: where the automaton has to be asked, it goes from match to
    /// match, none of which may be too long for its groups.
    fn each(&self, is_over: impl Fn() -> bool, text: &str) -> Result<(), TooLong> {
        let (states, too_long) = (self.states_with_groups(), TooLong { length: text.len() });
        if steps(states, text.len()) <= FREE {
            return Ok(());
        }
        let Some(automaton) = self.automaton() else { return within(states, text.len(), text) };
        let (mut cache, mut searcher) = (automaton.create_cache(), Searcher::new(Input::new(text)));
        loop {
            match searcher.try_advance(|input| automaton.try_search(&mut cache, input)) {
                Ok(None) => return Ok(()),
                Ok(Some(_)) if is_over() => return Err(too_long),
                Ok(Some(found)) => within(states, found.len(), text)?,
                Err(stopped) if gave_up(&stopped) => return Err(too_long),
                Err(_) => return within(states, text.len(), text),
            }
        }
    }

    fn automaton(&self) -> Option<&Automaton> {
        self.automaton.get_or_init(|| automaton(self.as_str(), self.ignore_case)).as_ref()
    }

    /// How long the first match is where the automaton had to be asked, each byte of the text costing so
    /// many steps without it; `None` where there was no need, or no match.
    fn first(&self, states: u64, text: &str) -> Result<Option<usize>, TooLong> {
        if steps(states, text.len()) <= FREE {
            return Ok(None);
        }
        let search = |regex: &Automaton| regex.try_search(&mut regex.create_cache(), &Input::new(text));
        match self.automaton().map(search) {
            Some(Ok(found)) => Ok(found.map(|found| found.len())),
            Some(Err(stopped)) if gave_up(&stopped) => Err(TooLong { length: text.len() }),
            // It cannot tell where a word begins (`\b`) beside letters that are not ASCII, and stops there.
            Some(Err(_)) | None => within(states, text.len(), text).map(|()| None),
        }
    }
}

const fn steps(states: u64, length: usize) -> u64 {
    states.saturating_mul(length as u64)
}

/// Whether so many bytes of a text may be gone over in steps.
fn within(states: u64, length: usize, text: &str) -> Result<(), TooLong> {
    if steps(states, length) <= MOST { Ok(()) } else { Err(TooLong { length: text.len() }) }
}

/// Whether `regex` reads a pattern. One with look-around or back-references is for engines that go back.
#[must_use]
pub fn is_linear(pattern: &str) -> bool {
    ParserBuilder::new().build().parse(pattern).is_ok()
}

/// In how many states a search for a pattern may be at once: how long it is with its repetitions written out.
#[must_use]
pub fn states(pattern: &str) -> u64 {
    let parsed = ParserBuilder::new().build().parse(pattern);
    parsed.map_or_else(|_| repeated(pattern), |hir| written_out(&hir, &|_| 1)).max(1)
}

/// The [`states`] of a pattern that `regex` cannot read, such as one with look-around: its length, taken as often
/// as all its `{m,n}` together say.
fn repeated(pattern: &str) -> u64 {
    let counts = pattern.split('{').skip(1).filter_map(|rest| rest.split('}').next());
    let most = |count: &str| count.split(',').filter_map(|end| end.trim().parse::<u64>().ok()).max();
    counts.filter_map(most).fold(pattern.len() as u64, |all, times| all.saturating_mul(times.max(1)))
}

/// How many ranges of characters a pattern names with its repetitions written out, which is what compiling
/// it costs: `\w` alone has hundreds.
#[must_use]
pub fn ranges(pattern: &str) -> u64 {
    let parsed = ParserBuilder::new().build().parse(pattern);
    let of_class = |class: &Class| match class {
        Class::Unicode(class) => class.ranges().len() as u64,
        Class::Bytes(class) => class.ranges().len() as u64,
    };
    parsed.map_or(1, |hir| written_out(&hir, &of_class)).max(1)
}

/// An automaton that gives up where that of `regex` would go on in steps.
fn automaton(pattern: &str, ignore_case: bool) -> Option<Automaton> {
    let config = DFA::config()
        .unicode_word_boundary(true)
        .cache_capacity(CACHE)
        .skip_cache_capacity_check(true)
        .minimum_cache_clear_count(Some(CLEARED))
        .minimum_bytes_per_state(Some(BYTES_PER_STATE));
    let syntax = syntax::Config::new().case_insensitive(ignore_case);
    Automaton::builder().dfa(config).syntax(syntax).build(pattern).ok()
}

fn gave_up(stopped: &MatchError) -> bool {
    matches!(stopped.kind(), MatchErrorKind::GaveUp { .. })
}

fn written_out(hir: &Hir, of_class: &dyn Fn(&Class) -> u64) -> u64 {
    let inside = |hir: &Hir| written_out(hir, of_class);
    match hir.kind() {
        HirKind::Empty => 0,
        HirKind::Look(_) => 1,
        HirKind::Literal(literal) => literal.0.len() as u64,
        HirKind::Class(class) => of_class(class),
        HirKind::Capture(group) => inside(&group.sub).saturating_add(1),
        HirKind::Repetition(repeated) => {
            let times = repeated.max.unwrap_or(repeated.min).max(1);
            inside(&repeated.sub).saturating_mul(times.into())
        }
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().map(inside).fold(0, u64::saturating_add)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> BoundedRegex {
        BoundedRegex::new(text, false, 4 << 20).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn a_pattern_has_a_state_for_each_sign_when_its_repetitions_are_written_out() {
        for (text, count) in [
            ("abc", 3),
            ("a|bc", 3),
            ("[a-z]", 1),
            (r"(\w+)@\w+", 4),
            ("(a{1,100}){1,100}b", 10_101),
            ("(?:ab){3,}", 6),
            ("^$", 2),
            ("^(?:()()()a)*$", 6),
            ("(", 1),
            ("(?=b)(a{1,20}){2}", 17 * 40),
        ] {
            assert_eq!(states(text), count, "{text}");
        }
    }

    #[test]
    fn a_pattern_names_as_many_ranges_as_compiling_it_takes() {
        assert_eq!(ranges("[0-9a-f]{8}-[0-9a-f]{4}"), 25);
        assert!(ranges(r"\w+@\w+") > 1000);
        assert!(is_linear("a+") && !is_linear("a(?=b)") && !is_linear(r"(a)\1"));
    }

    #[test]
    fn a_search_that_would_not_end_soon_is_not_begun() {
        let long = "a".repeat(1 << 20);
        let too_long = TooLong { length: long.len() };
        let expensive = pattern("(a{1,100}){1,100}b");
        assert_eq!(expensive.is_match(&long), Err(too_long));
        assert_eq!(expensive.captures(&long).map(|_| ()), Err(too_long));
        assert_eq!(expensive.every(&long).map(|_| ()), Err(too_long));
        // The automaton does, but the groups of so long a match it does not tell.
        let whole = pattern("(?s)^(a|aa){1,1500}.*$");
        assert_eq!(whole.is_match(&long), Ok(true));
        assert_eq!(whole.captures(&long).map(|_| ()), Err(too_long));
        assert_eq!(whole.every(&long).map(|_| ()), Err(too_long));
        // Nor does it carry groups.
        let groups = pattern(&"(a?)".repeat(250));
        assert_eq!(groups.captures(&long).map(|_| ()), Ok(()));
        let groups = pattern(&format!("^(?:{}a)*$", "()".repeat(200)));
        assert_eq!(groups.captures(&long).map(|_| ()), Err(too_long));
        assert_eq!(groups.every(&long).map(|_| ()), Err(too_long));
        // Words of all letters it cannot tell apart.
        let words = pattern(r"\b(a{1,100}){1,100}b");
        let (text, too_long) = (format!("ü{long}"), TooLong { length: long.len() + 2 });
        assert_eq!(words.is_match(&text), Err(too_long));
        assert_eq!(words.every(&text).map(|_| ()), Err(too_long));
    }

    #[test]
    fn every_match_comes_unless_they_take_too_long_together() {
        let regex = pattern("a(b?)");
        let groups = |found: Result<Captures<'_>, TooLong>| found.map(|found| found[1].to_owned());
        let all: Vec<_> = regex.every("ab a ab").expect("a short text").map(groups).collect();
        assert_eq!(all, ["b", "", "b"].map(|group| Ok(group.to_owned())));
        let none: Vec<_> =
            regex.every_within(Duration::ZERO, "ab a ab").expect("a short text").map(groups).collect();
        assert_eq!(none, [Err(TooLong { length: 7 })]);
        let (long, length) = ("ab ".repeat(1 << 20), 3 << 20);
        let regex = pattern("a(b{0,200})");
        assert_eq!(regex.every_within(Duration::ZERO, &long).map(|_| ()), Err(TooLong { length }));
        // The first match is short, a later one is not.
        let regex = pattern("a(b(c|cc){0,1500}.*)?");
        let long = format!("a ab{}", "c".repeat(1 << 20));
        assert!(regex.captures(&long).is_ok_and(|found| found.is_some()));
        assert_eq!(regex.every(&long).map(|_| ()), Err(TooLong { length: long.len() }));
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
        for (text, count) in [(r#""([^"]{1,2000})""#, (1 << 20) + 2), ("b{0,500}(,|$)", 1)] {
            let regex = pattern(text);
            let all = regex.every(&long).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(all.flatten().count(), count, "{text}");
        }
        let upper = BoundedRegex::new("TOKEN.{1,60}?(ABC)", true, 1 << 20).expect("a pattern");
        assert_eq!(&upper.captures(&long).expect("soon").expect("found")[1], "abc");
    }
}

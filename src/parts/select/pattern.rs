//! A regular expression that the user wrote, compiled when the file is read.
//!
//! Selectors and predicates share it, so that a mistake is shown at its place in the YAML.

use std::fmt;

use regex::Captures;

use crate::ground::read::Reading;
use crate::ground::regex::{BoundedRegex, TooLong};
use crate::ground::source::Span;
use crate::ground::yaml::Scalar;
use crate::parts::template::Error;

/// How large the compiled form may become, in bytes.
const MAX_COMPILED: usize = 4 << 20;

/// A regular expression and where it stands.
#[derive(Debug, Clone)]
pub struct Pattern {
    regex: BoundedRegex,
    span: Span,
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}/", self.as_str())
    }
}

impl Pattern {
    /// Compiles a scalar; a mistake is reported at its place. `what` names the key.
    pub fn read(scalar: &Scalar, reading: &Reading, what: &str, ignore_case: bool) -> Option<Self> {
        match BoundedRegex::new(&scalar.text, ignore_case, MAX_COMPILED) {
            Ok(regex) => Some(Self { regex, span: scalar.span }),
            Err(error) => {
                report(scalar, reading, what, &error);
                None
            }
        }
    }

    /// Whether it is found in a text.
    ///
    /// # Errors
    /// The search would take too long.
    pub fn is_match(&self, text: &str) -> Result<bool, Error> {
        let too_long =
            |found: TooLong| Error::new(self.span, format!("`{self}` {found}")).help(TooLong::HELP);
        self.regex.is_match(text).map_err(too_long)
    }

    /// The first match and its groups.
    ///
    /// # Errors
    /// The search would take too long.
    pub fn captures<'t>(&self, text: &'t str) -> Result<Option<Captures<'t>>, TooLong> {
        self.regex.captures(text)
    }

    /// The text that it was made from.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.regex.as_str()
    }
}

fn report(scalar: &Scalar, reading: &Reading, what: &str, error: &regex::Error) {
    let regex::Error::Syntax(text) = error else {
        return reading.error_with(
            scalar.span,
            format!("`{what}`: the regular expression becomes too large"),
            "repeat less: `{1000}` of something long is what makes it large",
        );
    };
    let reason = text.rsplit("error: ").next().unwrap_or(text).trim();
    let span = caret(text, &scalar.text)
        .map_or(scalar.span, |at| scalar.span_of(&reading.source, at..scalar.text.len()));
    let message = format!("`{what}` is not a regular expression: {reason}");
    let help = if reason.contains("look-around") {
        "match the whole and put what is wanted in a group: `id=(\\d+)`"
    } else if reason.contains("backreferences") {
        "write the text again, or compare in `that`"
    } else {
        "a sign that is meant as it is takes a `\\` before it"
    };
    reading.error_with(span, message, help);
}

/// The crate tells the place by a caret below the pattern, both four columns in.
fn caret(message: &str, pattern: &str) -> Option<usize> {
    let shown = format!("    {pattern}");
    let mut lines = message.lines().skip_while(|line| *line != shown).skip(1);
    let column = lines.next()?.find('^')?.checked_sub(4)?;
    pattern.char_indices().map(|(at, _)| at).chain([pattern.len()]).nth(column)
}

#[cfg(test)]
mod tests {
    use crate::ground::source::Source;
    use crate::ground::yaml;

    use super::*;

    #[test]
    fn a_mistake_is_shown_where_it_is() {
        for (yaml, column, part) in [
            ("'äb(c'", 4, "unclosed group"),
            ("'[z-a]'", 3, "invalid character class range"),
            ("'a{1000}{1000}{1000}'", 1, "too large"),
        ] {
            let source = Source::text("t", yaml);
            let node = yaml::read(&source).expect("the test's YAML is right");
            let scalar = node.scalar().expect("it is a scalar");
            let reading = Reading::new(&source);
            assert!(Pattern::read(scalar, &reading, "matches", false).is_none());
            let problem = reading.finish().0.remove(0);
            let place = problem.place.as_ref().expect("it has a place");
            assert_eq!(place.position().column, column, "{yaml}");
            assert!(problem.message.contains(part), "{}", problem.message);
        }
    }
}

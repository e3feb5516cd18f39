//! What a script's text tells without running it: which variables it sets, and what it looks at.

use std::sync::LazyLock;

use regex::Regex;

use crate::ground::source::Span;
use crate::parts::script::Script;

/// `vars.name = …`, `vars["name"] = …` and their compound forms; a comparison is none.
static ASSIGNMENT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"\bvars\s*(?:\.\s*([A-Za-z_][A-Za-z0-9_]*)|\[\s*"([^"]+)"\s*\])\s*[-+*/%]?=(?:[^=]|$)"#).ok()
});

/// `vars.name` and `vars["name"]`, read or set.
static MENTION: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"\bvars\s*(?:\.\s*([A-Za-z_][A-Za-z0-9_]*)|\[\s*"([^"]+)"\s*\])"#).ok());

/// `next("id")` with the id as a literal.
static JUMP: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"(?:^|[^.:\w])next\s*\(\s*"([^"]*)"\s*\)"#).ok());

/// What a pattern names in a text, outside of lines that are comments alone.
fn named<'t>(pattern: &LazyLock<Option<Regex>>, text: &'t str) -> Vec<&'t str> {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let found = lines.flat_map(|line| pattern.iter().flat_map(move |pattern| pattern.captures_iter(line)));
    found.filter_map(|groups| groups.get(1).or_else(|| groups.get(2))).map(|name| name.as_str()).collect()
}

/// The workflow's variables that a text of a script sets, whether it can be compiled or not.
#[must_use]
pub fn assigned(text: &str) -> Vec<&str> {
    if !text.contains("vars") {
        return Vec::new();
    }
    let found = ASSIGNMENT.iter().flat_map(|pattern| pattern.captures_iter(text));
    found.filter_map(|groups| groups.get(1).or_else(|| groups.get(2))).map(|name| name.as_str()).collect()
}

impl Script {
    /// The variables that it may set.
    #[must_use]
    pub fn assigns(&self) -> Vec<&str> {
        assigned(self.text.as_str())
    }

    /// The variables that it may read or set.
    #[must_use]
    pub fn mentions(&self) -> Vec<&str> {
        named(&MENTION, self.text.as_str())
    }

    /// The steps that it may go on with by `next("id")`.
    #[must_use]
    pub fn jumps(&self) -> Vec<&str> {
        named(&JUMP, self.text.as_str())
    }

    /// Whether it may look at earlier steps.
    #[must_use]
    pub fn mentions_steps(&self) -> bool {
        self.text.as_str().contains("steps")
    }

    /// Whether it may go on with another step than the next one.
    #[must_use]
    pub fn may_jump(&self) -> bool {
        self.text.as_str().contains("next(")
    }

    /// Where it stands in the workflow, or in its own file.
    #[must_use]
    pub fn span(&self) -> Span {
        self.text.place(rhai::Position::NONE).span
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assignments_are_found_and_comparisons_are_not() {
        let names = |text: &str| -> Vec<String> {
            let found = ASSIGNMENT.iter().flat_map(|pattern| pattern.captures_iter(text));
            let name = |groups: regex::Captures<'_>| {
                groups.get(1).or_else(|| groups.get(2)).map(|name| name.as_str().to_owned())
            };
            found.filter_map(name).collect()
        };
        assert_eq!(names("vars.a = 1; vars[\"b-c\"]=2; vars.d += 3; vars . e = 4"), ["a", "b-c", "d", "e"]);
        assert!(names("if vars.a == 1 { print(vars.b) }").is_empty());
    }

    #[test]
    fn jumps_and_what_is_mentioned_are_found_by_their_literals() {
        let jumps = "if x { next(\"a\") }\n  // next(\"b\")\nit.next(\"c\"); my_next(\"d\"); next( \"e\" )";
        assert_eq!(named(&JUMP, jumps), ["a", "e"]);
        assert_eq!(named(&MENTION, "vars.a == vars[\"b-c\"]\n// vars.d\nmyvars.e"), ["a", "b-c"]);
    }
}

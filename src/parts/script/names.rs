//! What a script's text tells without running it: which variables it sets, and what it looks at.

use std::sync::LazyLock;

use regex::Regex;

use crate::ground::source::Span;
use crate::parts::script::Script;

/// `vars.name = …`, `vars["name"] = …` and their compound forms; a comparison is none.
static ASSIGNMENT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"\bvars\s*(?:\.\s*([A-Za-z_][A-Za-z0-9_]*)|\[\s*"([^"]+)"\s*\])\s*[-+*/%]?=(?:[^=]|$)"#).ok()
});

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
}

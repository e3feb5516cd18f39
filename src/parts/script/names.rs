//! What a script tells without running it: which variables it reads and sets, where it leads.

use std::sync::{Arc, LazyLock};

use regex::Regex;
use rhai::Position;

use crate::ground::source::Span;
use crate::parts::script::Script;

/// `vars.name = …`, `vars["name"] = …` and their compound forms; a comparison is none.
static ASSIGNMENT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"\bvars\s*(?:\.\s*([A-Za-z_][A-Za-z0-9_]*)|\[\s*"([^"]+)"\s*\])\s*[-+*/%]?=(?:[^=]|$)"#).ok()
});

/// The workflow's variables that a text sets which cannot be compiled; of a script that can,
/// [`Script::assigns`] knows better.
#[must_use]
pub fn assigned(text: &str) -> Vec<&str> {
    if !text.contains("vars") {
        return Vec::new();
    }
    let found = ASSIGNMENT.iter().flat_map(|pattern| pattern.captures_iter(text));
    found.filter_map(|groups| groups.get(1).or_else(|| groups.get(2))).map(|name| name.as_str()).collect()
}

/// A name, and where the script says it.
type Said = (Arc<str>, Span);

impl Script {
    /// The variables that it, or a module that it imports, may set by name.
    #[must_use]
    pub fn assigns(&self) -> Vec<&str> {
        let modules = self.compiled.imports.units().flat_map(|unit| &unit.facts.assigns);
        let mut names: Vec<&str> =
            self.compiled.facts.assigns.iter().chain(modules).map(|(name, _)| &**name).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The variables that its own text sets, and where.
    #[must_use]
    pub fn sets(&self) -> Vec<Said> {
        self.said(&self.compiled.facts.assigns)
    }

    /// The variables that it reads by name and that must be set then, and where. Not those for
    /// which it asks `vars.has("name")` somewhere.
    #[must_use]
    pub fn reads(&self) -> Vec<Said> {
        self.said(&self.compiled.facts.reads)
    }

    /// Whether it may read variables that [`Script::reads`] does not name: by a computed name, or
    /// in a module.
    #[must_use]
    pub fn reads_all(&self) -> bool {
        let modules = || self.compiled.imports.units().map(|unit| &unit.facts);
        self.compiled.facts.reads_all || modules().any(|facts| facts.reads_all || !facts.reads.is_empty())
    }

    /// The steps that it may go on with: those of each `next("id")` with a literal, and where.
    #[must_use]
    pub fn jumps(&self) -> Vec<Said> {
        self.said(&self.compiled.facts.jumps)
    }

    /// Whether it, or a module that it imports, may end the workflow with `stop()`.
    #[must_use]
    pub fn says_stop(&self) -> bool {
        self.compiled.facts.stops || self.compiled.imports.units().any(|unit| unit.facts.stops)
    }

    /// The steps that it reads by name, and where.
    #[must_use]
    pub fn steps_read(&self) -> Vec<Said> {
        self.said(&self.compiled.facts.steps)
    }

    /// The variables that it reads, or asks for, by name.
    pub fn looks_at(&self) -> impl Iterator<Item = &Arc<str>> {
        let facts = &self.compiled.facts;
        facts.reads.iter().map(|(name, _)| name).chain(&facts.asked)
    }

    /// Whether it may look at the row of `--data`.
    #[must_use]
    pub fn mentions_row(&self) -> bool {
        self.compiled.facts.mentions_row || self.compiled.imports.units().any(|unit| unit.facts.mentions_row)
    }

    /// Whether it may look at earlier steps.
    #[must_use]
    pub fn mentions_steps(&self) -> bool {
        self.compiled.facts.mentions_steps
            || self.compiled.imports.units().any(|unit| unit.facts.mentions_steps)
    }

    /// Whether it may print: one that imports others may do whatever they do.
    #[must_use]
    pub fn may_print(&self) -> bool {
        let text = self.text.source().as_str();
        ["print", "debug"].iter().any(|word| text.contains(word))
            || self.compiled.imports.units().next().is_some()
    }

    /// Whether it may go on with another step than the next one.
    #[must_use]
    pub fn may_jump(&self) -> bool {
        self.compiled.facts.may_jump || self.compiled.imports.units().any(|unit| unit.facts.may_jump)
    }

    /// Where it stands in the workflow, or in its own file.
    #[must_use]
    pub fn span(&self) -> Span {
        self.text.place(Position::NONE).span
    }

    /// Of a script in a file of its own, the place is where the workflow names it.
    fn said(&self, names: &[(Arc<str>, Position)]) -> Vec<Said> {
        let place = |position| {
            if self.text.is_inline() { self.text.place(position).span } else { self.span }
        };
        names.iter().map(|(name, position)| (Arc::clone(name), place(*position))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assignments_are_found_and_comparisons_are_not() {
        assert_eq!(
            assigned("vars.a = 1; vars[\"b-c\"]=2; vars.d += 3; vars . e = 4"),
            ["a", "b-c", "d", "e"]
        );
        assert!(assigned("if vars.a == 1 { print(vars.b) }").is_empty());
    }
}

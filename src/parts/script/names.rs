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

/// `vars.name`, `vars["name"]`, `vars.has("name")`: what stands behind a `vars`.
static READ: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let name = r#"\.\s*([A-Za-z_][A-Za-z0-9_]*)\s*(\(?)(?:\s*"([^"\\]*)"\s*\))?"#;
    Regex::new(&format!(r#"^\s*\??(?:{name}|\[\s*"([^"\\]*)"\s*\])"#)).ok()
});

/// The workflow's variables that a text of a script may look at; `None` where the text does not
/// tell: an index is computed, `vars` is handed on, or a module is imported.
#[must_use]
pub(super) fn read(text: &str) -> Option<Vec<&str>> {
    if text.contains("import") {
        return None;
    }
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let mut names = Vec::new();
    for (at, vars) in text.match_indices("vars") {
        let behind = &text[at + vars.len()..];
        if text[..at].ends_with(word) || behind.starts_with(word) {
            continue;
        }
        let found = READ.as_ref()?.captures(behind)?;
        let group = |at: usize| found.get(at).map(|group| group.as_str());
        let called = group(2).is_some_and(|bracket| !bracket.is_empty());
        names.push(match (group(1), called) {
            (Some("has" | "contains" | "remove"), true) => group(3)?,
            (Some(_), true) => return None,
            (Some(name), false) => name,
            (None, _) => group(4)?,
        });
    }
    Some(names)
}

impl Script {
    /// The variables that it may look at; `None` where any of them is meant.
    #[must_use]
    pub fn reads(&self) -> Option<Vec<&str>> {
        read(self.text.as_str())
    }

    /// Whether it may look at the row of `--data`.
    #[must_use]
    pub fn mentions_row(&self) -> bool {
        self.text.as_str().contains("data")
    }

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
    fn a_script_says_what_it_reads_or_that_it_may_be_anything() {
        let table: [(&str, Option<&[&str]>); 12] = [
            ("print(1)", Some(&[])),
            ("vars.a + vars[\"b-c\"]", Some(&["a", "b-c"])),
            ("if vars.has(\"d\") { vars . e }", Some(&["d", "e"])),
            ("vars.f.g(1); myvars.x; vars_y", Some(&["f"])),
            ("vars.a = 1", Some(&["a"])),
            ("vars?.a", Some(&["a"])),
            ("vars[name]", None),
            ("vars[\"a\" + x]", None),
            ("vars.has(name)", None),
            ("let v = vars; v.a", None),
            ("vars.keys()", None),
            ("import \"sign\" as s; s::f()", None),
        ];
        for (text, expected) in table {
            assert_eq!(read(text).as_deref(), expected, "{text}");
        }
    }

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

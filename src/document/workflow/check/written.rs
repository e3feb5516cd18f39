//! What stands in a file that has mistakes: names and ids of steps that could not be read.

use std::collections::HashSet;

use crate::ground::yaml::{Kind, Node};
use crate::parts::script::assigned;

/// What stands in a file that has mistakes. A step that could not be read sets nothing, but nobody
/// is to be told that what it would set is not defined: one mistake is one message.
#[derive(Default)]
pub(super) struct Written {
    pub(super) names: HashSet<String>,
    pub(super) ids: HashSet<String>,
}

impl Written {
    pub(super) fn find(root: &Node) -> Self {
        let mut written = Self::default();
        for key in ["inputs", "vars"] {
            written.names.extend(keys(root.get(key)));
        }
        let lists =
            ["steps", "finally"].into_iter().filter_map(|key| match root.get(key).map(|node| &node.kind) {
                Some(Kind::List(steps)) => Some(steps),
                _ => None,
            });
        for (at, step) in lists.flatten().enumerate() {
            written.step(step, &format!("step{}", at + 1));
        }
        written
    }

    fn step(&mut self, step: &Node, counted: &str) {
        let text = |node: &Node| node.scalar().map(|scalar| scalar.text.to_string());
        self.ids.insert(step.get("id").and_then(text).unwrap_or_else(|| counted.to_owned()));
        self.names.extend(keys(step.get("extract")));
        self.names.extend(keys(step.get("for_each")));
        for script in ["before", "script", "after"].into_iter().filter_map(|key| step.get(key)) {
            let text = text(script.get("code").unwrap_or(script)).unwrap_or_default();
            self.names.extend(assigned(&text).into_iter().map(str::to_owned));
        }
        if let Some(Kind::List(steps)) = step.get("parallel").map(|node| &node.kind) {
            for (at, step) in steps.iter().enumerate() {
                self.step(step, &format!("{counted}_{}", at + 1));
            }
        }
    }
}

fn keys(node: Option<&Node>) -> impl Iterator<Item = String> {
    let entries = match node.map(|node| &node.kind) {
        Some(Kind::Map(entries)) => entries.as_slice(),
        _ => &[],
    };
    entries.iter().map(|(key, _)| key.text.to_string())
}

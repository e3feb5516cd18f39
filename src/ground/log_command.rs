//! Words that a machine that builds would take for commands where they stand in its log.
//!
//! GitHub's runner obeys `::name::` at the start of a line, behind blanks too, and `##[name]` anywhere
//! in one; Azure's agent looks for `##[` and `##vso[` in the same way, others for `##teamcity[`. A mark
//! before a line is therefore no help: one sign of each is written as its escape, as
//! [`visible`](crate::ground::diagnostic::visible) does for what would steer a terminal. Always, since
//! nobody can know by whom a log will be read.

use std::borrow::Cow;

/// What stands between `##` and `[`.
const NAMES: [&str; 3] = ["", "vso", "teamcity"];

/// A text for people without a command in it. Our own colours may stand in it.
#[must_use]
pub fn disarmed(text: &str) -> Cow<'_, str> {
    if !text.contains("##") && !text.contains("::") {
        return text.into();
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for line in text.split_inclusive(['\n', '\r']) {
        let rest = behind_blanks(line);
        shown.push_str(&line[..line.len() - rest.len()]);
        let rest = rest.strip_prefix("::").map_or(rest, |rest| {
            shown.push_str("\\x3a:");
            rest
        });
        disarm_hashes(rest, &mut shown);
    }
    shown.into()
}

/// JSON without a command in it, which says the same: two such signs stand in texts alone.
#[must_use]
pub fn disarmed_json(json: &str) -> String {
    json.replace("##", "#\\u0023")
}

/// What of a line comes after its blanks and colours.
fn behind_blanks(line: &str) -> &str {
    let mut rest = line.trim_start();
    while let Some((_, behind)) = rest.strip_prefix("\x1b[").and_then(|codes| codes.split_once('m')) {
        rest = behind.trim_start();
    }
    rest
}

fn disarm_hashes(mut rest: &str, shown: &mut String) {
    while let Some(at) = rest.find("##") {
        let (before, behind) = (&rest[..=at], &rest[at + 2..]);
        shown.push_str(before);
        if begins_command(behind) {
            shown.push_str("\\x23");
            rest = behind;
        } else {
            rest = &rest[at + 1..];
        }
    }
    shown.push_str(rest);
}

fn begins_command(behind: &str) -> bool {
    let name = behind.split_once('[').map(|(name, _)| name);
    name.is_some_and(|name| NAMES.iter().any(|known| name.eq_ignore_ascii_case(known)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_loses_its_power_wherever_it_stands() {
        for (text, shown) in [
            ("::add-mask::x", "\\x3a:add-mask::x"),
            ("a\n \t::error::b\r::c", "a\n \t\\x3a:error::b\r\\x3a:c"),
            ("\x1b[1m \x1b[31m::error::b", "\x1b[1m \x1b[31m\\x3a:error::b"),
            ("│ ##[add-mask]x", "│ #\\x23[add-mask]x"),
            ("a ##vso[x]##VSO[y] ###[z", "a #\\x23vso[x]#\\x23VSO[y] ##\\x23[z"),
            ("##teamcity[buildStatus text='']", "#\\x23teamcity[buildStatus text='']"),
            ("a::b, ## [title] ##", "a::b, ## [title] ##"),
        ] {
            assert_eq!(disarmed(text), shown, "{text:?}");
        }
    }

    #[test]
    fn json_says_the_same_without_a_command() {
        let text = serde_json::json!(["##[a]", "###vso[b", "\\##", "::c::"]).to_string();
        let disarmed = disarmed_json(&text);
        assert!(!disarmed.contains("##"), "{disarmed}");
        let values = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("JSON");
        assert_eq!(values(&disarmed), values(&text));
    }
}

//! What a run gave, for a shell: `name=value` lines, or one value alone.

use std::sync::Arc;

use indexmap::IndexMap;

use crate::ground::diagnostic::{Diagnostic, did_you_mean, visible};
use crate::ground::secret::{Marked, Needles, pseudonym};
use crate::ground::value::Value;

/// What a run gave to its caller, by name.
pub type Outputs = IndexMap<Arc<str>, Marked<Value>>;

/// `name=value` lines in the order of the text. A string stands as it is, its line breaks as
/// `\n`; anything else is JSON. Secrets are pseudonyms.
#[must_use]
pub fn vars(outputs: &Outputs, needles: &Needles) -> String {
    let mut lines = String::new();
    for (name, value) in outputs {
        lines.push_str(name);
        lines.push('=');
        lines.push_str(&line(&shown(value, needles).to_text()));
        lines.push('\n');
    }
    lines
}

/// The output `name` and a line feed. It is asked for by name, so it is shown even if it is secret.
///
/// # Errors
/// There is no output of that name: the message lists those that there are.
pub fn value(outputs: &Outputs, name: &str) -> Result<String, Diagnostic> {
    outputs
        .get(name)
        .map(|value| format!("{}\n", value.value.to_text()))
        .ok_or_else(|| unknown(outputs, name))
}

fn unknown(outputs: &Outputs, name: &str) -> Diagnostic {
    let names: Vec<_> = outputs.keys().map(AsRef::as_ref).collect();
    let there_are =
        if names.is_empty() { "there is none".to_owned() } else { format!("there are {}", names.join(", ")) };
    let diagnostic = Diagnostic::error(format!("there is no output `{name}`")).note(there_are);
    diagnostic.maybe_help(did_you_mean(name, names))
}

/// A value as people may see it: a server may have echoed a secret in one that is none.
#[must_use]
pub fn shown(value: &Marked<Value>, needles: &Needles) -> Value {
    let plain = || needles.scrub_value(&needles.masked(&value.value));
    value.marks.secret.as_deref().map_or_else(plain, |name| pseudonym(name).into())
}

fn line(text: &str) -> String {
    visible(&text.replace('\n', "\\n").replace('\r', "\\r"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ground::secret::Marks;

    fn outputs() -> Outputs {
        let list = Value::from_json(br#"[1, {"a": null}]"#).expect("JSON");
        let outputs: [(&str, Marked<Value>); 4] = [
            ("text", Marked::plain("two\r\nlines\x1b[2J = x".into())),
            ("left", Marked::plain(3600_i64.into())),
            ("list", Marked::plain(list)),
            ("token", Marked::new("hunter22".into(), Marks::secret("access_token".into()))),
        ];
        outputs.into_iter().map(|(name, value)| (name.into(), value)).collect()
    }

    #[test]
    fn each_output_has_one_line_and_secrets_their_pseudonym() {
        let expected =
            "text=two\\r\\nlines\\x1b[2J = x\nleft=3600\nlist=[1,{\"a\":null}]\ntoken=«access_token»\n";
        assert_eq!(vars(&outputs(), &Needles::default()), expected);
    }

    #[test]
    fn a_value_asked_for_by_name_is_shown_as_it_is() {
        assert_eq!(value(&outputs(), "token").ok().as_deref(), Some("hunter22\n"));
        assert_eq!(value(&outputs(), "text").ok().as_deref(), Some("two\r\nlines\x1b[2J = x\n"));
        let unknown = value(&outputs(), "tokn").expect_err("there is none");
        assert_eq!(unknown.message, "there is no output `tokn`");
        assert_eq!(unknown.notes, ["there are text, left, list, token"]);
        assert_eq!(unknown.help.as_deref(), Some("did you mean `token`?"));
    }
}

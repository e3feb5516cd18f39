//! What a run gave, for a shell: `name=value` lines, or one value alone.

use std::sync::Arc;

use indexmap::IndexMap;

use crate::ground::diagnostic::{Diagnostic, did_you_mean, visible};
use crate::ground::log_command::disarmed;
use crate::ground::secret::{Marked, Needles, pseudonym};
use crate::ground::token::{is_called_one, refused};
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
/// A shell will often read it: a token is one by RFC 6750, section 2.1, and no other secret holds
/// what a terminal or a shell would take for more than text. `to_terminal` says that nobody but a
/// person reads it: what would steer the terminal is shown as text.
///
/// # Errors
/// There is no output of that name: the message lists those that there are. Or it is refused: the
/// message says by which rule, and never what it is.
pub fn value(
    outputs: &Outputs,
    name: &str,
    needles: &Needles,
    to_terminal: bool,
) -> Result<String, Diagnostic> {
    let found = outputs.get(name).ok_or_else(|| unknown(outputs, name))?;
    let text = found.value.to_text();
    let known = needles.known_as(&text);
    let names = [Some(name), found.marks.secret.as_deref(), known.as_deref()];
    if names.iter().flatten().any(|name| is_called_one(name)) {
        let is_text = found.value.as_str().is_some();
        if let Some(why) = if is_text { refused(&text) } else { Some("it is no text".to_owned()) } {
            return Err(Diagnostic::error(format!("the output `{name}` is no token: {why}"))
                .help("nothing was printed; --output json shows what else came"));
        }
    } else if names[1..].iter().any(Option::is_some)
        && let Some(at) = text.chars().position(char::is_control)
    {
        let message = format!("the output `{name}` is a secret with a control character or a line break");
        let at = at + 1;
        return Err(Diagnostic::error(format!("{message}, its character {at}"))
            .help("nothing was printed: no shell and no terminal could be given that safely"));
    }
    Ok(if to_terminal { visible(&text) + "\n" } else { text + "\n" })
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
    disarmed(&visible(&text.replace('\n', "\\n").replace('\r', "\\r"))).into_owned()
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
        let value = |name: &str, to_terminal| value(&outputs(), name, &Needles::default(), to_terminal);
        assert_eq!(value("token", false).ok().as_deref(), Some("hunter22\n"));
        assert_eq!(value("text", false).ok().as_deref(), Some("two\r\nlines\x1b[2J = x\n"));
        assert_eq!(value("text", true).ok().as_deref(), Some("two\\x0d\nlines\\x1b[2J = x\n"));
        let unknown = value("tokn", false).expect_err("there is none");
        assert_eq!(unknown.message, "there is no output `tokn`");
        assert_eq!(unknown.notes, ["there are text, left, list, token"]);
        assert_eq!(unknown.help.as_deref(), Some("did you mean `token`?"));
    }

    #[test]
    fn what_is_called_a_token_and_is_no_text_is_not_given_away() {
        for json in ["null", "7", "true", "[]", r#"{"value":"hunter22"}"#] {
            let value = Value::from_json(json.as_bytes()).expect("JSON");
            let outputs: Outputs = [("access_token".into(), Marked::plain(value))].into_iter().collect();
            let refused = super::value(&outputs, "access_token", &Needles::default(), false).expect_err(json);
            assert_eq!(refused.message, "the output `access_token` is no token: it is no text");
        }
    }

    #[test]
    fn a_token_that_would_leave_its_place_in_a_shell_is_refused_and_never_told() {
        let table = [
            ("access_token", None, "a\nb"),
            ("access_token", None, "$(id)"),
            ("key", Some("token"), "a b"),
            ("sid", Some("sid"), "a\x1b[2J"),
            ("sid", Some("sid"), "a\nb"),
        ];
        for (name, secret, text) in table {
            let marks = secret.map_or(Marks::NONE, |name: &str| Marks::secret(name.into()));
            let outputs: Outputs = [(name.into(), Marked::new(text.into(), marks))].into_iter().collect();
            let refused = value(&outputs, name, &Needles::default(), true).expect_err(text);
            let told = refused.render(false);
            assert!(told.contains(name) && !told.contains("id)") && !told.contains(text), "{told}");
        }
    }
}

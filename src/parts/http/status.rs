//! Which statuses are meant: `200`, `2xx`, `[200, 201]`, `200..299`, `any`.
//!
//! `expect` and `retry` write them alike.

use std::fmt;

use crate::ground::read::Reading;
use crate::ground::source::Span;
use crate::ground::yaml::{Kind, Node};

/// The codes that HTTP can say: three digits (RFC 9110, section 15), the first not 0.
const CODES: std::ops::RangeInclusive<u16> = 100..=999;
const HELP: &str = "write 200, 2xx, [200, 201], 200..299 or any";

/// A set of status codes, as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusSet(Vec<Form>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Any,
    One(u16),
    /// `2xx`, by its first digit.
    Class(u16),
    /// Both ends are in it.
    Range(u16, u16),
}

impl StatusSet {
    /// Reads one form or a list of them; mistakes are reported. `what` names the key.
    pub fn read(node: &Node, reading: &Reading, what: &str) -> Option<Self> {
        let Kind::List(elements) = &node.kind else {
            return read_form(node, reading, what).map(|form| Self(vec![form]));
        };
        if elements.is_empty() {
            reading.error_with(node.span, format!("`{what}` lists no status"), HELP);
            return None;
        }
        let forms: Vec<_> = elements
            .iter()
            .map(|element| read_form(element, reading, what))
            .collect();
        forms.into_iter().collect::<Option<_>>().map(Self)
    }

    /// Whether a code is in it.
    #[must_use]
    pub fn contains(&self, code: u16) -> bool {
        self.0.iter().any(|form| match *form {
            Form::Any => true,
            Form::One(one) => code == one,
            Form::Class(digit) => code / 100 == digit,
            Form::Range(from, to) => (from..=to).contains(&code),
        })
    }
}

impl fmt::Display for StatusSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [one] = self.0.as_slice() {
            return one.fmt(f);
        }
        for (index, form) in self.0.iter().enumerate() {
            let before = if index == 0 { "[" } else { ", " };
            write!(f, "{before}{form}")?;
        }
        f.write_str("]")
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any"),
            Self::One(code) => write!(f, "{code}"),
            Self::Class(digit) => write!(f, "{digit}xx"),
            Self::Range(from, to) => write!(f, "{from}..{to}"),
        }
    }
}

fn read_form(node: &Node, reading: &Reading, what: &str) -> Option<Form> {
    let text = &*reading.text(node, what)?.text;
    let form = parse(text);
    if form.is_none() {
        refuse(text, node.span, reading, what);
    }
    form
}

fn refuse(text: &str, span: Span, reading: &Reading, what: &str) {
    let help = if text.contains("{{") {
        "a status holds no template; compare it with `that: [\"{{ response.status == x }}\"]`"
    } else {
        HELP
    };
    reading.error_with(span, format!("`{what}`: `{text}` is not a status"), help);
}

fn parse(text: &str) -> Option<Form> {
    if text == "any" {
        return Some(Form::Any);
    }
    if let Some((from, to)) = text.split_once("..") {
        let (from, to) = (code(from)?, code(to)?);
        return (from <= to).then_some(Form::Range(from, to));
    }
    if let Some(digit) = text.strip_suffix("xx").or_else(|| text.strip_suffix("XX")) {
        let digit = digit.parse().ok().filter(|digit| (1..=9).contains(digit));
        return digit.filter(|_| text.len() == 3).map(Form::Class);
    }
    code(text).map(Form::One)
}

fn code(text: &str) -> Option<u16> {
    let digits = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit());
    let code = digits.then(|| text.parse().ok()).flatten()?;
    CODES.contains(&code).then_some(code)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::ground::source::Source;
    use crate::ground::yaml;

    use super::*;

    fn read(yaml: &str) -> Result<StatusSet, String> {
        let source = Source::text("t", yaml);
        let node = yaml::read(&source).map_err(|problem| problem.message)?;
        let reading = Reading::new(&source);
        let set = StatusSet::read(&node, &reading, "status");
        let problems = reading.finish();
        assert_eq!(set.is_none(), problems.has_errors(), "{yaml}");
        set.ok_or_else(|| problems.0[0].message.clone())
    }

    #[test]
    fn every_form_holds_what_it_says() {
        for (yaml, shown, inside, outside) in [
            ("200", "200", vec![200], vec![201, 199]),
            ("2xx", "2xx", vec![200, 299], vec![199, 300]),
            ("5XX", "5xx", vec![500, 599], vec![600, 200]),
            ("[200, 201]", "[200, 201]", vec![200, 201], vec![202]),
            ("[404, 5xx]", "[404, 5xx]", vec![404, 503], vec![403]),
            ("200..299", "200..299", vec![200, 250, 299], vec![199, 300]),
            ("any", "any", vec![100, 404, 999], vec![]),
            ("[200]", "200", vec![200], vec![201]),
            ("\"200\"", "200", vec![200], vec![201]),
        ] {
            let set = read(yaml).unwrap_or_else(|message| panic!("{yaml}: {message}"));
            assert_eq!(set.to_string(), shown);
            assert!(inside.iter().all(|code| set.contains(*code)), "{yaml}");
            assert!(!outside.iter().any(|code| set.contains(*code)), "{yaml}");
        }
    }

    #[test]
    fn what_is_no_status_is_refused() {
        for yaml in [
            "20",
            "2000",
            "099",
            "0xx",
            "xx",
            "2x",
            "20x",
            "299..200",
            "200..",
            "..299",
            "-200",
            "2.0",
            "[]",
            "[200, ok]",
            "[[200]]",
            "{a: 1}",
            "\"\"",
            "Any",
            "\"{{ x }}\"",
            "+200",
        ] {
            assert!(read(yaml).is_err(), "{yaml}");
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_reader(text in "\\PC{0,8}|[0-9x.]{0,8}") {
            if let Some(form) = parse(&text) {
                prop_assert_eq!(parse(&form.to_string()), Some(form));
            }
        }
    }
}

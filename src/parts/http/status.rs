//! Sets of status codes, as `expect.status` and `retry.if` write them: `200`, `2xx`, `[200, 201]`,
//! `200..299`, `any`.
//!
//! They stand in several places of the language, so they are read, compared and written here once;
//! so is a single status as people know it.

use std::fmt;
use std::str::FromStr;

use reqwest::StatusCode;

use crate::ground::read::Reading;
use crate::ground::yaml::{Kind, Node};

/// The smallest and the largest code of HTTP (RFC 9110, 15).
const CODES: std::ops::RangeInclusive<u16> = 100..=599;

/// A status as people know it: `401 Unauthorized`.
#[must_use]
pub fn shown(code: u16) -> String {
    let reason = StatusCode::from_u16(code).ok().and_then(|status| status.canonical_reason());
    reason.map_or_else(|| code.to_string(), |reason| format!("{code} {reason}"))
}

/// One form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusForm {
    /// `200`.
    One(u16),
    /// `2xx`: the first digit.
    Class(u16),
    /// `200..299`: the first and the last.
    Range(u16, u16),
    /// `any`.
    Any,
}

/// Status codes, as the user wrote them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusSet {
    forms: Vec<StatusForm>,
    /// Whether they were written as a list, even of one.
    list: bool,
}

/// What is no form of a status.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No form at all.
    #[error("`{0}` is not a status")]
    Form(String),
    /// A number that is no code.
    #[error("`{0}` is not a status code; they go from 100 to 599")]
    Code(String),
    /// A range from high to low.
    #[error("`{0}` ends before it begins")]
    Backwards(String),
}

impl Error {
    /// What to write instead.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::Backwards(range) => match range.split_once("..") {
                Some((first, last)) => format!("write `{last}..{first}`"),
                None => FORMS.to_owned(),
            },
            Self::Form(text) => {
                meant(text).map_or_else(|| FORMS.to_owned(), |form| format!("write `{form}`"))
            }
            Self::Code(_) => FORMS.to_owned(),
        }
    }
}

const FORMS: &str = "write 200, 2xx, [200, 201], 200..299 or any";

impl StatusForm {
    /// Whether a code is meant by it.
    #[must_use]
    pub const fn contains(self, status: u16) -> bool {
        match self {
            Self::One(code) => status == code,
            Self::Class(digit) => status / 100 == digit,
            Self::Range(first, last) => first <= status && status <= last,
            Self::Any => true,
        }
    }
}

impl FromStr for StatusForm {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if text == "any" {
            return Ok(Self::Any);
        }
        if let [digit @ b'0'..=b'9', b'x', b'x'] = text.as_bytes() {
            return match digit {
                b'1'..=b'5' => Ok(Self::Class(u16::from(digit - b'0'))),
                _ => Err(Error::Code(text.to_owned())),
            };
        }
        let Some((first, last)) = text.split_once("..") else {
            return code(text, text).map(Self::One);
        };
        let (first, last) = (code(first, text)?, code(last, text)?);
        if first > last {
            return Err(Error::Backwards(text.to_owned()));
        }
        Ok(Self::Range(first, last))
    }
}

impl fmt::Display for StatusForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(code) => write!(f, "{code}"),
            Self::Class(digit) => write!(f, "{digit}xx"),
            Self::Range(first, last) => write!(f, "{first}..{last}"),
            Self::Any => f.write_str("any"),
        }
    }
}

impl StatusSet {
    /// Reads the set from the value of a key that `what` names; mistakes are reported.
    pub fn read(node: &Node, reading: &Reading, what: &str) -> Option<Self> {
        let Kind::List(elements) = &node.kind else {
            return Some(Self { forms: vec![form(node, reading, what)?], list: false });
        };
        if elements.is_empty() {
            reading.error_with(node.span, format!("`{what}` is an empty list: no status would do"), FORMS);
            return None;
        }
        // Every element is read, so that every mistake is reported.
        let forms: Vec<_> = elements.iter().map(|element| form(element, reading, what)).collect();
        let forms = forms.into_iter().collect::<Option<Vec<_>>>()?;
        Some(Self { forms, list: true })
    }

    /// Whether a code is one of them.
    #[must_use]
    pub fn contains(&self, status: u16) -> bool {
        self.forms.iter().any(|form| form.contains(status))
    }
}

impl From<StatusForm> for StatusSet {
    fn from(form: StatusForm) -> Self {
        Self { forms: vec![form], list: false }
    }
}

impl fmt::Display for StatusSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let forms: Vec<String> = self.forms.iter().map(ToString::to_string).collect();
        if self.list { write!(f, "[{}]", forms.join(", ")) } else { f.write_str(&forms.join(", ")) }
    }
}

fn form(node: &Node, reading: &Reading, what: &str) -> Option<StatusForm> {
    let scalar = reading.text(node, what)?;
    match scalar.text.parse::<StatusForm>() {
        Ok(form) => Some(form),
        Err(_) if scalar.text.contains("{{") => {
            let help = "write it out; what is known only then is compared under `that`: \"{{ response.status == wanted }}\"";
            reading.error_with(node.span, format!("`{what}` is not a template"), help);
            None
        }
        Err(error) => {
            reading.error_with(node.span, format!("`{what}`: {error}"), error.help());
            None
        }
    }
}

/// A code in 100 to 599; `whole` is what the user wrote, for the message.
fn code(text: &str, whole: &str) -> Result<u16, Error> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Error::Form(whole.to_owned()));
    }
    // A number that is too large to be read is no code either.
    let code = text.parse().ok().filter(|code| CODES.contains(code) && text.len() == 3);
    code.ok_or_else(|| Error::Code(text.to_owned()))
}

/// What other ways of writing a status probably mean.
fn meant(text: &str) -> Option<StatusForm> {
    let plain: String = text.to_lowercase().replace(' ', "").replace('*', "x");
    let range = plain.replace("..=", "..").replace("...", "..").replacen('-', "..", 1);
    if let Some(code) = plain.strip_prefix(">=").and_then(|code| code.parse().ok()) {
        return Some(StatusForm::Range(code, 599)).filter(|_| CODES.contains(&code));
    }
    let digits = plain.trim_start_matches("==").trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let word = match plain.as_str() {
        "all" | "x" => "any",
        "ok" | "success" => "200",
        "created" => "201",
        "notfound" => "404",
        class if class.len() == 3 && class.ends_with('x') => {
            // A sign that needs two bytes leaves no room for the first digit.
            return format!("{}xx", class.get(..1)?).parse().ok();
        }
        _ if digits.len() == 3 => digits,
        _ => range.as_str(),
    };
    word.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ground::source::Source;
    use crate::ground::yaml;

    fn read(text: &str) -> Result<StatusSet, String> {
        let source = Source::text("flow.yaml", format!("status: {text}\n"));
        let node = yaml::read(&source).map_err(|error| error.line())?;
        let reading = Reading::new(&source);
        let set = node.get("status").and_then(|node| StatusSet::read(node, &reading, "status"));
        let problems = reading.finish().0;
        set.ok_or_else(|| {
            let told = problems.iter().map(|problem| {
                format!("{} / {}", problem.message, problem.help.as_deref().unwrap_or_default())
            });
            told.collect::<Vec<_>>().join("; ")
        })
    }

    #[test]
    fn every_form_contains_what_it_says() {
        let table: [(&str, &[u16], &[u16]); 8] = [
            ("200", &[200], &[199, 201, 404]),
            ("2xx", &[200, 204, 299], &[199, 300]),
            ("[200, 201]", &[200, 201], &[202]),
            ("[2xx, 404, 500..502]", &[204, 404, 501], &[403, 503]),
            ("200..299", &[200, 250, 299], &[199, 300]),
            ("200..200", &[200], &[201]),
            ("any", &[100, 204, 599], &[]),
            ("'404'", &[404], &[200]),
        ];
        for (text, inside, outside) in table {
            let set = read(text).expect(text);
            assert!(inside.iter().all(|status| set.contains(*status)), "{text}");
            assert!(!outside.iter().any(|status| set.contains(*status)), "{text}");
            assert_eq!(set.to_string(), text.trim_matches('\''));
        }
    }

    #[test]
    fn what_is_no_status_is_refused_with_a_word_on_what_to_write() {
        let table = [
            ("20", "`status`: `20` is not a status code; they go from 100 to 599"),
            ("600", "`status`: `600` is not a status code"),
            ("6xx", "`status`: `6xx` is not a status code"),
            ("200..999999", "`status`: `999999` is not a status code"),
            ("299..200", "`status`: `299..200` ends before it begins / write `200..299`"),
            ("2XX", "`status`: `2XX` is not a status / write `2xx`"),
            ("200-299", "`status`: `200-299` is not a status / write `200..299`"),
            ("200..=299", "`status`: `200..=299` is not a status / write `200..299`"),
            ("5**", "`status`: `5**` is not a status / write `5xx`"),
            ("ok", "`status`: `ok` is not a status / write `200`"),
            ("'>= 500'", "`status`: `>= 500` is not a status / write `500..599`"),
            ("20x", "`status`: `20x` is not a status / write `2xx`"),
            ("®x", "`status`: `®x` is not a status"),
            ("soon", "`status`: `soon` is not a status / write 200, 2xx, [200, 201], 200..299 or any"),
            ("200..", "`status`: `200..` is not a status"),
            ("0200", "`status`: `0200` is not a status code"),
            ("[]", "`status` is an empty list"),
            ("{ gt: 200 }", "`status` must be a text, not a map"),
            ("", "`status` has no value"),
        ];
        for (text, message) in table {
            let told = read(text).expect_err(text);
            assert!(told.contains(message), "{text}: {told}");
        }
    }

    #[test]
    fn every_mistake_in_a_list_is_reported() {
        let told = read("[200, ok, 700]").expect_err("two are wrong");
        assert!(told.contains("`ok`") && told.contains("`700`"), "{told}");
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_reader(text in "\\PC{0,10}|[0-9x.]{1,12}") {
            if let Err(error) = text.parse::<StatusForm>() {
                let _ = error.help();
            }
        }

        #[test]
        fn a_range_holds_exactly_what_lies_between(first in 100_u16..600, last in 100_u16..600, status in 0_u16..700) {
            let text = format!("{first}..{last}");
            match text.parse::<StatusForm>() {
                Ok(form) => {
                    prop_assert_eq!(form.contains(status), (first..=last).contains(&status));
                    prop_assert_eq!(form.to_string(), text);
                }
                Err(error) => prop_assert_eq!((error, first > last), (Error::Backwards(text), true)),
            }
        }
    }
}

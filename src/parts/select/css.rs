//! `css: 'input[name=csrf]'`, with `attribute: value` beside it: what stands in an HTML page.

use std::fmt;
use std::sync::Arc;

use scraper::error::SelectorErrorKind;
use scraper::{ElementRef, Selector};

use crate::ground::diagnostic::did_you_mean;
use crate::ground::read::Reading;
use crate::ground::source::Span;
use crate::ground::value::Value;
use crate::parts::select::answer::Answer;
use crate::parts::select::missing::{Absence, Missing};
use crate::parts::select::{html, is_too_much, named};

/// Elements that never have a text (HTML, section 13.1.2): what they say stands in an attribute.
const VOID: [&str; 8] = ["area", "base", "embed", "img", "input", "link", "meta", "source"];

/// A selector of CSS, and the attribute that is wanted.
#[derive(Clone)]
pub struct Css {
    written: Arc<str>,
    compiled: Arc<Selector>,
    attribute: Option<Arc<str>>,
}

impl fmt::Debug for Css {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Css({self})")
    }
}

impl fmt::Display for Css {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.attribute {
            Some(attribute) => write!(f, "css {} @{attribute}", self.written),
            None => write!(f, "css {}", self.written),
        }
    }
}

impl Css {
    /// Reads a selector; a mistake is reported at `span`.
    pub(super) fn read(
        text: &str,
        attribute: Option<Arc<str>>,
        span: Span,
        reading: &Reading,
    ) -> Option<Self> {
        let compiled = if let Some(why) = is_too_much(text) {
            Err(why)
        } else {
            Selector::parse(text).map_err(|error| reason(&error).to_owned())
        };
        match compiled {
            Ok(compiled) => Some(Self { written: text.into(), compiled: Arc::new(compiled), attribute }),
            Err(why) => {
                let help = if text.contains("{{") {
                    "a selector holds no template"
                } else {
                    "write it as in a stylesheet: `input[name=csrf]`, `#total`, `table.list td:first-child`"
                };
                reading.error_with(span, format!("{} is not a CSS selector: {why}", named(text)), help);
                None
            }
        }
    }

    /// The key of `expect.css`: a selector, and behind a blank and `@` the attribute, where one is
    /// wanted. No selector of CSS has an `@`, but in quotes.
    pub(super) fn split(text: &str) -> (&str, Option<&str>) {
        let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':' | '.');
        match text.rsplit_once('@') {
            Some((css, name)) if css.ends_with(' ') && !name.is_empty() && name.chars().all(word) => {
                (css.trim_end(), Some(name))
            }
            _ => (text, None),
        }
    }

    /// What was written, the attribute included.
    pub(super) fn words(&self) -> String {
        format!("{} {}", self.written, self.attribute.as_deref().unwrap_or_default())
    }

    pub(super) fn find(&self, answer: &Answer) -> Result<Value, Missing> {
        let page =
            answer.html().map_err(|why| Missing::not_html(self.to_string(), answer.response(), why))?;
        let mut found = page.select(&self.compiled);
        let Some(element) = found.next() else {
            return Err(Missing::not_in_html(self.to_string(), answer.response()));
        };
        let more = found.take(1000).count();
        if more > 0 {
            let many = if more < 1000 { (more + 1).to_string() } else { "more than 1000".to_owned() };
            let missing = Missing::nothing(self.to_string(), format!("matches {many} elements, not one"));
            let help = "narrow it, as by `:first-child` or `:nth-of-type(2)`".to_owned();
            return Err(missing.with(Absence::Several, Some(help)));
        }
        self.value(element)
    }

    fn value(&self, element: ElementRef<'_>) -> Result<Value, Missing> {
        let own = element.value();
        let names = || own.attrs().map(|(name, _)| name);
        let Some(attribute) = self.attribute.as_deref() else {
            if VOID.contains(&own.name()) {
                let reason = format!("an <{}> has no text", own.name());
                let help = "name the attribute that is wanted: `attribute: value` beside `css`".to_owned();
                return Err(Missing::nothing(self.to_string(), reason).with(Absence::Nothing, Some(help)));
            }
            return Ok(html::text(element).into());
        };
        own.attr(attribute).map(Value::from).ok_or_else(|| {
            let all: Vec<_> = names().take(12).collect();
            let all = if all.is_empty() { "no attribute".to_owned() } else { all.join(", ") };
            let missing = Missing::nothing(self.to_string(), format!("the <{}> has {all}", own.name()));
            missing.with(Absence::Nothing, did_you_mean(attribute, names()))
        })
    }
}

const fn reason(error: &SelectorErrorKind) -> &'static str {
    match error {
        SelectorErrorKind::EndOfLine => "it ends too early",
        SelectorErrorKind::UnexpectedSelectorParseError(_) => {
            "it has something that is not known here, such as a pseudo-class that needs a browser"
        }
        _ => "it makes no sense",
    }
}

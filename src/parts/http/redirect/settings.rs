//! `redirects: { max, trust: [origin] }` or `none`: how far a server may send us on, and to whom
//! credentials and bodies may go along.

use std::sync::Arc;

use url::{Origin, Url};

use crate::ground::read::Reading;
use crate::ground::source::Span;
use crate::ground::yaml::Node;
use crate::parts::http::message::Limits;
use crate::parts::scope::Scope;
use crate::parts::template::{Error, Mention, Template};

/// How redirects are followed.
#[derive(Debug, Clone, Default)]
pub struct RedirectsSpec {
    max: Option<u32>,
    trust: Option<Arc<[Template]>>,
}

/// What to write in place of a single word.
fn help_for(word: &str) -> String {
    match word {
        "false" | "off" | "no" | "0" => "to follow none write `redirects: none`".to_owned(),
        "true" | "on" | "yes" | "follow" => "leave it out: redirects are followed by themselves".to_owned(),
        number if number.bytes().all(|byte| byte.is_ascii_digit()) => {
            format!("write `redirects: {{ max: {number} }}`")
        }
        _ => "write `redirects: none`, or `redirects: { max: 5, trust: [https://other.example.com] }`"
            .to_owned(),
    }
}

impl RedirectsSpec {
    /// Reads `redirects:`; mistakes are reported.
    pub fn read(node: &Node, reading: &Reading) -> Option<Self> {
        if let Some(scalar) = node.scalar().filter(|scalar| !scalar.is_empty()) {
            if &*scalar.text == "none" {
                return Some(Self { max: Some(0), trust: None });
            }
            reading.error_with(
                node.span,
                format!("`redirects` cannot be `{}`", scalar.text),
                help_for(&scalar.text),
            );
            return None;
        }
        let fields = reading.fields(node, "redirects", &["max", "trust"], &[])?;
        let max = fields.optional("max", |node| {
            let max = reading.whole(node, "max", 0)?;
            Some(u32::try_from(max).unwrap_or(u32::MAX))
        });
        let trust = fields.optional("trust", |node| {
            let origins = reading.list(node, "trust")?.iter().map(|node| read_origin(node, reading));
            origins.collect::<Vec<_>>().into_iter().collect::<Option<Arc<[_]>>>()
        });
        Some(Self { max: max?, trust: trust? })
    }

    /// Lays it over what `defaults` says.
    #[must_use]
    pub fn overlay(self, defaults: &Self) -> Self {
        Self { max: self.max.or(defaults.max), trust: self.trust.or_else(|| defaults.trust.clone()) }
    }

    /// Whether it says nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.max.is_none() && self.trust.is_none()
    }

    /// Puts it into the limits of an exchange.
    ///
    /// # Errors
    /// Where a trusted origin is none, or a server chose it.
    pub fn limit(&self, limits: &mut Limits, scope: &Scope) -> Result<(), Error> {
        if let Some(max) = self.max {
            limits.max_redirects = max;
        }
        if let Some(trust) = &self.trust {
            let origins = trust.iter().map(|origin| {
                let found = origin.text(scope)?;
                if found.marks.from_server {
                    let message = "a server chose this origin: it is not trusted for that";
                    return Err(Error::new(origin.span(), message));
                }
                parse_origin(&found.value, origin.span())
            });
            limits.trust = Some(origins.collect::<Result<_, _>>()?);
        }
        Ok(())
    }

    /// Tells every name that its templates read, and where.
    pub fn reads(&self, visit: &mut dyn FnMut(Mention<'_>)) {
        self.trust.iter().flat_map(|trust| trust.iter()).for_each(|origin| origin.reads(visit));
    }
}

fn read_origin(node: &Node, reading: &Reading) -> Option<Template> {
    let scalar = reading.text(node, "trust")?;
    // What stands before an `@` is a credential.
    if scalar.text.contains('@') {
        reading.source.hide(node.span);
    }
    let origin = Template::read(scalar, reading)?;
    if let Some(Err(error)) = origin.as_literal().map(|text| parse_origin(text, node.span)) {
        reading.report(error.diagnostic(&reading.source));
        return None;
    }
    Some(origin)
}

/// The origin of a URL. What stands behind it does not matter: an input may bring a path.
fn parse_origin(text: &str, span: Span) -> Result<Origin, Error> {
    let url = Url::parse(text).ok().filter(|url| {
        let plain = url.username().is_empty() && url.password().is_none();
        plain && matches!(url.scheme(), "http" | "https") && !text.contains('*')
    });
    let url = url.ok_or_else(|| {
        let help = "write scheme and host, and the port if it is a special one: https://login.example.com";
        Error::new(span, "a trusted origin is an http or https URL without credentials").help(help)
    })?;
    Ok(url.origin())
}

//! `base_url`: what `defaults` lays before every URL that has no scheme of its own.
//!
//! Base and URL are joined as text, by one slash: the base keeps its path, which resolving a
//! reference (RFC 3986, 5.2) would not do. What is joined stays behind the base's host, so that the
//! origin is the base's, whatever a server put into the rest.

use crate::ground::read::{Fields, Reading};
use crate::ground::source::Span;
use crate::ground::yaml::Node;
use crate::parts::http::spec::{RequestSpec, parse_url};
use crate::parts::scope::Scope;
use crate::parts::template::{Address, Error, Template};

pub(super) use crate::parts::template::has_scheme;

/// Reads `base_url` of `defaults`; mistakes are reported.
pub(super) fn read(node: &Node, reading: &Reading) -> Option<Template> {
    let scalar = reading.text(node, "base_url")?;
    let base = Template::read(scalar, reading)?;
    if let Some(Err(error)) = base.as_literal().map(|text| judge(text, scalar.span)) {
        if scalar.text.contains('@') {
            reading.source.hide(scalar.span);
        }
        reading.report(error.diagnostic(&reading.source));
        return None;
    }
    Some(base)
}

/// It holds for a whole file.
pub(super) fn refuse(request: &Fields<'_>, reading: &Reading) {
    if let Some((key, _)) = request.entry("base_url") {
        let help = "write `defaults: { base_url: … }` at the top level of the file";
        reading.error_with(key.span, "`base_url` stands under `defaults`, not in a request", help);
    }
}

/// Whether a text can be laid before a URL.
fn judge(text: &str, span: Span) -> Result<(), Error> {
    if text.contains(['?', '#']) {
        let error = Error::new(span, "`base_url` has a `?` or `#` in it, and a path is to follow");
        return Err(error.help("give what stands behind `?` in each request's `query`"));
    }
    if !has_scheme(text) {
        let error = Error::new(span, "`base_url` has no scheme and host");
        return Err(error.help("begin it with https://host, or with an input that holds them"));
    }
    parse_url(text, span).map(|_| ())
}

fn host_alone(span: Span) -> Error {
    Error::new(span, "the URL names a host but no scheme")
        .help("begin it with https://, or with one slash for a path")
}

impl RequestSpec {
    /// What is wrong with a URL that has no scheme, in a file with or without a `base_url`; `None`
    /// where nothing is, or where only its templates can tell.
    #[must_use]
    pub fn misplaced(&self, has_base: bool) -> Option<Error> {
        if has_base {
            return self.url.source().starts_with("//").then(|| host_alone(self.url.span()));
        }
        let judged = match self.url.as_literal() {
            Some(text) if !has_scheme(text) => parse_url(text, self.url.span()),
            None if self.url.source().starts_with('/') => parse_url("/", self.url.span()),
            _ => return None,
        };
        judged.err()
    }

    /// The whole URL, `base_url` before it where it has no scheme of its own.
    ///
    /// # Errors
    /// As [`Template::address`]; also a base that none can be.
    pub(super) fn address(&self, scope: &Scope) -> Result<Address, Error> {
        let Some(base) = &self.base_url else {
            return self.url.address(scope);
        };
        let address = self.url.address_under(base, scope, &|text| judge(text, base.span()))?;
        address.ok_or_else(|| host_alone(self.url.span()))
    }
}

//! URLs with templates: a value cannot leave its place.
//!
//! An expression that stands first may bring origin and path. Behind it each expression is one
//! piece, percent-encoded whole (RFC 3986); `| raw` leaves one alone. In the place of the host an
//! expression may bring a host and a port, nothing else.

use crate::ground::encode;
use crate::ground::secret::{Marked, Marks, pseudonym};
use crate::ground::source::Span;
use crate::parts::scope::Scope;
use crate::parts::template::{Error, Expression, Piece, Template};

/// The most that may stand in the place of a host: 253 letters (RFC 1035, section 2.3.4), and a port.
const LONGEST_HOST: usize = 253 + ":65535".len();

/// A rendered URL and where its origin came from.
#[derive(Debug, Clone)]
pub struct Address {
    /// The URL as text, and what went into it.
    pub text: Marked<String>,
    /// Whether a server had a say in scheme, host or port.
    pub origin_from_server: bool,
    /// What is shown in its stead, where a secret stands in it.
    pub shown: Option<String>,
}

impl Template {
    /// The template as a URL.
    ///
    /// # Errors
    /// As [`Template::value`]; also a control character, a host that is none, and a piece of the
    /// path that would climb (`..`).
    pub fn address(&self, scope: &Scope) -> Result<Address, Error> {
        self.build(Building::of(Marks::NONE), scope)
    }

    /// The template as a URL that may have no scheme: then `base` is laid before it, joined by one
    /// slash, and its origin is the base's. `judge` says whether a text can be a base. `None` where
    /// the URL names a host without a scheme (`//host`): neither is meant by that.
    ///
    /// # Errors
    /// As [`Template::address`], for both; those of `judge`.
    pub fn address_under(
        &self,
        base: &Self,
        scope: &Scope,
        judge: &dyn Fn(&str) -> Result<(), Error>,
    ) -> Result<Option<Address>, Error> {
        let head = self.head(scope)?;
        if has_scheme(&head) {
            return self.address(scope).map(Some);
        }
        if head.starts_with("//") {
            return Ok(None);
        }
        let base = base.address(scope)?;
        judge(&base.text.value)?;
        let shown = base.shown.unwrap_or_else(|| base.text.value.clone());
        let mut url = Building::of(base.text.marks);
        if self.as_literal() == Some("") {
            url.push(&base.text.value, &shown);
        } else {
            // The slash closes the host: nothing that follows can be a part of it.
            let slash = if head.starts_with(['/', '?', '#']) { "" } else { "/" };
            let open = |text: &str| format!("{}{slash}", text.strip_suffix('/').unwrap_or(text));
            url.push(&open(&base.text.value), &open(&shown));
        }
        let mut address = self.build(url, scope)?;
        address.origin_from_server = base.origin_from_server;
        Ok(Some(address))
    }

    /// What the URL begins with, as far as it tells whether it has a scheme of its own.
    fn head(&self, scope: &Scope) -> Result<String, Error> {
        let mut head = String::new();
        for piece in self.pieces.iter().take(2) {
            match piece {
                Piece::Literal(text) => {
                    head.push_str(text);
                    break;
                }
                Piece::Expression(expression) if head.is_empty() => {
                    head.push_str(&expression.value(scope)?.value.to_text());
                }
                Piece::Expression(_) => break,
            }
        }
        Ok(head)
    }

    fn build(&self, mut url: Building, scope: &Scope) -> Result<Address, Error> {
        for (index, piece) in self.pieces.iter().enumerate() {
            match piece {
                Piece::Literal(text) => url.push(text, text),
                Piece::Expression(expression) => url.expression(expression, index == 0, scope)?,
            }
            url.refuse_empty(self.pieces.get(index + 1))?;
        }
        if url.text.contains(char::is_control) {
            return Err(Error::new(self.span, "the URL has a control character in it"));
        }
        let shown = url.marks.is_secret().then_some(url.shown);
        Ok(Address {
            text: Marked::new(url.text, url.marks),
            origin_from_server: url.origin_from_server,
            shown,
        })
    }
}

/// Whether a text begins with a scheme of its own (RFC 3986, 3.1). A colon alone makes none but for
/// `http` and `https`, which a URL's reader takes without slashes too: `items:search` is a path.
#[must_use]
pub fn has_scheme(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    let (scheme, rest) = text.split_at(text.find(|c| !is_part(c)).unwrap_or(text.len()));
    let is_http = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && (rest.starts_with("://") || (is_http && rest.starts_with(':')))
}

struct Building {
    text: String,
    shown: String,
    marks: Marks,
    origin_from_server: bool,
    /// An expression behind a slash that gave nothing: it may be no piece of the path by itself.
    empty: Option<Span>,
}

#[derive(PartialEq)]
enum Place {
    First,
    Host,
    Path,
    Query,
}

impl Building {
    /// Nothing yet but the marks of what comes first, with room for most URLs.
    fn of(marks: Marks) -> Self {
        let room = || String::with_capacity(128);
        Self { text: room(), shown: room(), marks, origin_from_server: false, empty: None }
    }

    fn expression(&mut self, expression: &Expression, first: bool, scope: &Scope) -> Result<(), Error> {
        let found = expression.value(scope)?;
        let value = found.value.to_text();
        let place = self.place(first);
        if matches!(place, Place::First | Place::Host) || self.origin_is_open() {
            self.origin_from_server |= found.marks.from_server;
        }
        let piece = match place {
            _ if expression.is_raw() => value,
            Place::First => value,
            Place::Host => host(value, expression)?,
            Place::Path => self.segment(&value, expression)?,
            Place::Query => encode::url(&value),
        };
        let is_empty = piece.is_empty() && place == Place::Path && !expression.is_raw();
        if is_empty && self.text.ends_with('/') {
            self.empty = Some(expression.span());
        }
        let shown = found.marks.secret.as_deref().map_or_else(|| piece.clone(), pseudonym);
        self.marks.join(&found.marks);
        self.push(&piece, &shown);
        Ok(())
    }

    fn push(&mut self, piece: &str, shown: &str) {
        self.text.push_str(piece);
        self.shown.push_str(shown);
    }

    /// Refuses a piece of the path that is nothing: `DELETE /users/{{ id }}` would be about all of them.
    fn refuse_empty(&mut self, next: Option<&Piece>) -> Result<(), Error> {
        let Some(span) = self.empty.filter(|_| self.text.ends_with('/')) else {
            self.empty = None;
            return Ok(());
        };
        let goes_on = match next {
            None => false,
            Some(Piece::Literal(text)) => !text.starts_with(['/', '?', '#']),
            Some(Piece::Expression(_)) => true,
        };
        if goes_on {
            return Ok(());
        }
        let message = "this is empty, and the path would name something else without it";
        Err(Error::new(span, message).help("`| raw` lets it be empty, if that is meant"))
    }

    fn place(&self, first: bool) -> Place {
        if first {
            return Place::First;
        }
        match self.text.split_once("://") {
            Some((_, rest)) if !rest.contains(['/', '?', '#']) => Place::Host,
            _ if self.text.contains('?') => Place::Query,
            _ => Place::Path,
        }
    }

    /// Whether what comes next could still change scheme, host or port.
    fn origin_is_open(&self) -> bool {
        self.text.split_once("://").is_none_or(|(_, rest)| !rest.contains(['/', '?', '#']))
    }

    /// One segment of the path, or a part of one. Dots alone would climb, and no encoding stops
    /// them: `%2e%2e` climbs too (URL standard, «double-dot URL path segment»).
    fn segment(&self, value: &str, expression: &Expression) -> Result<String, Error> {
        let lonely = self.text.ends_with('/') || self.text.ends_with('.');
        if lonely && (value == "." || value == "..") {
            let message = format!("a piece of the path cannot be `{value}`: it would leave its place");
            return Err(Error::new(expression.span(), message));
        }
        Ok(encode::url(value))
    }
}

/// A host, or a part of one, with a port or without.
fn host(value: String, expression: &Expression) -> Result<String, Error> {
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']');
    let has_no_name = value.trim_matches('.').is_empty();
    if has_no_name || value.len() > LONGEST_HOST || !value.chars().all(fits) {
        let message = "this stands in the place of the host, but is not a host".to_owned();
        let help = if value.starts_with(['/', '?']) {
            "to give a path as it stands, write `| raw`: `{{ api }}{{ path | raw }}`"
        } else {
            "give `host` or `host:port` here, or let an expression that stands first bring the whole origin"
        };
        return Err(Error::new(expression.span(), message).help(help));
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use crate::ground::secret::{Marked, Marks};
    use crate::parts::template::tests::{read, scope};

    fn address(template: &str, x: &str, from_server: bool) -> Result<(String, bool), String> {
        let scope = scope();
        let marks = Marks { secret: None, from_server };
        scope.set(&"x".into(), Marked::new(x.into(), marks)).expect("no input");
        let address = read(template)?.address(&scope).map_err(|error| error.message)?;
        Ok((address.text.value, address.origin_from_server))
    }

    #[test]
    fn a_value_stays_in_its_place() {
        for (template, x, expected) in [
            ("{{ x }}/me", "https://h.example/api", "https://h.example/api/me"),
            ("https://h.example/{{ x }}/me", "a/b?c#d@e", "https://h.example/a%2Fb%3Fc%23d%40e/me"),
            ("https://h.example/?q={{ x }}", "a&b=c d", "https://h.example/?q=a%26b%3Dc%20d"),
            ("https://h.example/{{ x | raw }}/me", "a/b", "https://h.example/a/b/me"),
            ("https://{{ x }}/me", "h.example:8443", "https://h.example:8443/me"),
            ("https://h.example/{{ x }}", "ü", "https://h.example/%C3%BC"),
            ("https://h.example/v{{ x }}", "..", "https://h.example/v.."),
        ] {
            assert_eq!(
                address(template, x, false).map(|found| found.0),
                Ok(expected.to_owned()),
                "{template}"
            );
        }
    }

    #[test]
    fn what_would_leave_its_place_is_an_error() {
        for (template, x) in [
            ("https://h.example/a/{{ x }}/b", ".."),
            ("https://h.example/a/{{ x }}", "."),
            ("https://{{ x }}/me", "evil.example/x?"),
            ("https://{{ x }}/me", "user@evil.example"),
            ("https://{{ x }}/me", ".."),
            ("https://api.{{ x }}/me", "."),
            ("https://h.example/{{ x | raw }}", "a\r\nX: 1"),
            ("{{ x }}", "https://h.example/\n"),
            ("https://h.example/users/{{ x }}", ""),
            ("https://h.example/users/{{ x }}/keys", ""),
            ("https://h.example/users/{{ x }}?a=1", ""),
            ("https://h.example/users/{{ x }}#a", ""),
            ("https://h.example/users/{{ x }}{{ x }}", ""),
            ("https://h.example/{{ x }}/{{ name }}", ""),
        ] {
            assert!(address(template, x, false).is_err(), "{template} with {x:?}");
        }
        for (template, expected) in [
            ("https://h.example/users{{ x }}", "https://h.example/users"),
            ("https://h.example/v{{ x }}/me", "https://h.example/v/me"),
            ("https://h.example/{{ x }}me", "https://h.example/me"),
            ("https://h.example/{{ x }}{{ n }}", "https://h.example/42"),
            ("https://h.example/{{ x | raw }}", "https://h.example/"),
            ("https://h.example/?q={{ x }}", "https://h.example/?q="),
            ("https://h.example/a?q=/{{ x }}", "https://h.example/a?q=/"),
        ] {
            assert_eq!(
                address(template, "", false).map(|found| found.0),
                Ok(expected.to_owned()),
                "{template}"
            );
        }
    }

    #[test]
    fn a_path_in_the_place_of_the_host_is_told_what_gives_it_whole() {
        let scope = scope();
        for (x, says) in [("/me", "| raw"), ("?a=b", "| raw"), ("a b", "`host:port`")] {
            scope.set(&"x".into(), Marked::plain(x.into())).expect("no input");
            let url = read("https://h.example{{ x }}").expect("a template");
            let help = url.address(&scope).expect_err(x).help.expect("a help");
            assert!(help.contains(says), "{x}: {help}");
        }
    }

    fn under(base: &str, template: &str, x: &str) -> Result<(String, bool), String> {
        let scope = scope();
        let marks = Marks { secret: None, from_server: true };
        scope.set(&"x".into(), Marked::new(x.into(), marks)).expect("no input");
        let address = read(template)?.address_under(&read(base)?, &scope, &|_| Ok(()));
        let address = address.map_err(|error| error.message)?.ok_or("a host without a scheme")?;
        Ok((address.text.value, address.origin_from_server))
    }

    #[test]
    fn a_base_is_laid_before_what_has_no_scheme_and_keeps_its_path() {
        for (base, template, x, expected) in [
            ("https://h/api/v1", "/me", "", "https://h/api/v1/me"),
            ("https://h/api/v1/", "me", "", "https://h/api/v1/me"),
            ("https://h", "me/{{ x }}?a={{ x }}", "a/b", "https://h/me/a%2Fb?a=a%2Fb"),
            ("https://h/a", "{{ x }}", "/b/c?d=e", "https://h/a/b/c?d=e"),
            ("https://h/a", "{{ x }}/c", "b", "https://h/a/b/c"),
            ("https://h/a", "?q={{ x }}", "1&2", "https://h/a?q=1%262"),
            ("https://h/a", "", "", "https://h/a"),
            ("https://h", "items:search", "", "https://h/items:search"),
            ("https://h/a", "go?to=https://{{ x }}", "a b", "https://h/a/go?to=https://a%20b"),
        ] {
            let found = under(base, template, x).expect(template);
            assert_eq!(found, (expected.to_owned(), false), "{base} {template}");
        }
    }

    #[test]
    fn nothing_behind_a_base_can_change_its_origin() {
        for x in
            [".evil.example", "@evil.example", ":81", "\\evil.example", "", " https://evil.example", "https"]
        {
            for template in ["{{ x }}", "{{ x }}{{ x }}", "{{ x }}/me"] {
                // A host without a scheme is refused.
                let Ok((text, from_server)) = under("https://h.example", template, x) else { continue };
                let url = url::Url::parse(&text).expect("a URL");
                assert_eq!(url.origin().ascii_serialization(), "https://h.example", "{template} {x:?}");
                assert!(!from_server);
            }
        }
        assert!(under("https://h.example", "{{ x }}", "//evil.example/").is_err());
    }

    #[test]
    fn a_url_with_an_origin_of_its_own_ignores_the_base() {
        for (template, x, expected) in [
            ("{{ x }}/me", "https://o.example", "https://o.example/me"),
            ("{{ x }}", "HTTPS:o.example", "HTTPS:o.example"),
            ("{{ x }}://o.example/", "http", "http://o.example/"),
        ] {
            assert_eq!(under("https://h", template, x), Ok((expected.to_owned(), true)), "{template}");
        }
        assert_eq!(
            under("https://h", "http://o.example/{{ x }}", "1"),
            Ok(("http://o.example/1".into(), false))
        );
    }

    #[test]
    fn a_server_that_chose_the_origin_is_noticed() {
        let from_server = |template, x| address(template, x, true).map(|found| found.1);
        assert_eq!(from_server("{{ x }}/me", "https://h.example"), Ok(true));
        assert_eq!(from_server("https://{{ x }}/me", "h.example"), Ok(true));
        assert_eq!(from_server("https://h.example/{{ x }}", "1"), Ok(false));
        assert_eq!(from_server("https://h.example/?n={{ x | raw }}", "1"), Ok(false));
    }
}

//! What a `Content-Type` says (RFC 9110, 8.3): a media type, and parameters behind it. Whoever asks
//! what a body is reads it here, so that no two readers take it for two things.

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};

/// The media type of JSON (RFC 8259).
pub const JSON: &str = "application/json";
/// The media type of a form's fields (URL Standard, section 5).
pub const FORM: &str = "application/x-www-form-urlencoded";

/// A `Content-Type`, read where it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct ContentType<'h>(&'h [u8]);

impl<'h> ContentType<'h> {
    /// That of a message; an empty one where it has none.
    pub(super) fn of(headers: &'h HeaderMap) -> Self {
        Self::new(headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default())
    }

    /// One as it stands in a header.
    pub(super) const fn new(value: &'h [u8]) -> Self {
        Self(value)
    }

    /// The media type without its parameters, in whatever case it was written; `None` where there is
    /// none.
    pub(super) fn media_type(self) -> Option<&'h str> {
        let media = std::str::from_utf8(self.parts().next()?).ok()?.trim();
        (media.is_ascii() && !media.is_empty()).then_some(media)
    }

    /// A parameter's value, without the quotes around it.
    pub(super) fn parameter(self, name: &str) -> Option<&'h str> {
        self.parts().skip(1).find_map(|parameter| {
            let (named, value) = std::str::from_utf8(parameter).ok()?.split_once('=')?;
            let is_it = named.trim().eq_ignore_ascii_case(name);
            is_it.then(|| value.trim().trim_matches(['"', '\'']).trim())
        })
    }

    fn parts(self) -> impl Iterator<Item = &'h [u8]> {
        self.0.split(|byte| *byte == b';')
    }
}

/// Whether a body is a form: its type is [`FORM`].
#[must_use]
pub fn is_form(headers: &HeaderMap) -> bool {
    let media = ContentType::of(headers).media_type();
    media.is_some_and(|media| media.eq_ignore_ascii_case(FORM))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_media_type_stands_before_its_parameters() {
        let table: [(&[u8], Option<&str>, Option<&str>); 8] = [
            (b"", None, None),
            (b" text/HTML\t", Some("text/HTML"), None),
            (b"text/plain; charset=utf-8", Some("text/plain"), Some("utf-8")),
            (b"text/plain;a=b ; Charset = \"latin1\" ", Some("text/plain"), Some("latin1")),
            (b"text/plain; charset", Some("text/plain"), None),
            (b"charset=latin1", Some("charset=latin1"), None),
            (b"text/plain; title=\xff; charset=utf-16", Some("text/plain"), Some("utf-16")),
            (b"text/\xff; charset=utf-16", None, Some("utf-16")),
        ];
        for (value, media, charset) in table {
            let found = ContentType::new(value);
            let of = String::from_utf8_lossy(value);
            assert_eq!((found.media_type(), found.parameter("charset")), (media, charset), "{of}");
        }
    }

    #[test]
    fn a_form_is_known_by_its_media_type_alone() {
        for (value, expected) in [
            ("application/x-www-form-urlencoded", true),
            ("Application/X-WWW-Form-urlencoded ; charset=utf-8", true),
            ("application/json; of=application/x-www-form-urlencoded", false),
            ("application/x-www-form-urlencoded-not", false),
        ] {
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(value))]);
            assert_eq!(is_form(&headers), expected, "{value}");
        }
        assert!(!is_form(&HeaderMap::new()));
    }
}

//! The forms that a text can be asked for: `format: uuid`.
//!
//! Each is what people mean by the word, not the whole of its grammar: an address of mail that no
//! server would take is refused even where RFC 5322 allows it.

use url::Url;
use uuid::Uuid;

use crate::ground::secret::is_jwt;

/// A form of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A UUID with its hyphens (RFC 9562).
    Uuid,
    /// A date and a time with an offset (RFC 3339).
    DateTime,
    /// An address of mail, as HTML's forms take it.
    Email,
    /// An absolute URL with a host.
    Url,
    /// A JSON web token: three parts in base64url. Its signature is not looked at.
    Jwt,
}

impl Format {
    /// Every format and its word.
    pub const ALL: [(&'static str, Self); 5] = [
        ("uuid", Self::Uuid),
        ("date_time", Self::DateTime),
        ("email", Self::Email),
        ("url", Self::Url),
        ("jwt", Self::Jwt),
    ];

    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        let found = Self::ALL.iter().find(|(_, format)| *format == self);
        found.map_or("", |(word, _)| word)
    }

    /// Whether a text has this form.
    #[must_use]
    pub fn fits(self, text: &str) -> bool {
        match self {
            Self::Uuid => text.len() == 36 && Uuid::try_parse(text).is_ok(),
            Self::DateTime => is_date_time(text),
            Self::Email => is_email(text),
            Self::Url => Url::parse(text).is_ok_and(|url| url.has_host()),
            Self::Jwt => is_jwt(text),
        }
    }
}

/// Jiff takes more than RFC 3339: the shape is looked at first, so that `2024-01-01 10Z` is none.
fn is_date_time(text: &str) -> bool {
    let shape = b"0000-00-00T00:00:00";
    let bytes = text.as_bytes();
    let shaped = bytes.len() > shape.len()
        && bytes.iter().zip(shape).all(|(byte, shape)| match shape {
            b'0' => byte.is_ascii_digit(),
            b'T' => matches!(byte, b'T' | b't'),
            sign => byte == sign,
        });
    let rest = || text[shape.len()..].trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
    let offset = |rest: &str| matches!(rest, "Z" | "z") || rest.len() == 6 && rest.as_bytes()[3] == b':';
    shaped && offset(rest()) && text.parse::<jiff::Timestamp>().is_ok()
}

/// The rule of HTML's `<input type=email>`.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let signs = b".!#$%&'*+/=?^_`{|}~-";
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || signs.contains(&byte);
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    !local.is_empty() && local.bytes().all(allowed) && domain.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_format_takes_its_own_and_no_other() {
        let jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln";
        for (format, fits, others) in [
            (
                Format::Uuid,
                vec!["67e55044-10b1-426f-9247-bb680e5fe0c8"],
                vec!["67e5504410b1426f9247bb680e5fe0c8", "x", ""],
            ),
            (
                Format::DateTime,
                vec!["2024-02-29T10:00:00Z", "2024-01-01T10:00:00.123+02:00", "2024-01-01t00:00:00z"],
                vec![
                    "2024-01-01",
                    "2024-01-01 10:00:00Z",
                    "2023-02-29T10:00:00Z",
                    "2024-01-01T10:00:00",
                    "2024-01-01T10Z",
                    "2024-01-01T10:00:00ü",
                    "",
                ],
            ),
            (
                Format::Email,
                vec!["a.b+c@example.com", "a@localhost"],
                vec!["a", "@b.c", "a@", "a b@c.d", "a@-b.c", "a@b..c", "ä@b.c"],
            ),
            (Format::Url, vec!["https://a.b/c?d", "http://[::1]:80/"], vec!["/a", "a.b", "mailto:a@b.c", ""]),
            (Format::Jwt, vec![jwt], vec!["a.b.c", "eyJ", ""]),
        ] {
            for text in fits {
                assert!(format.fits(text), "{} {text}", format.word());
            }
            for text in others {
                assert!(!format.fits(text), "{} {text}", format.word());
            }
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_a_format(text in "\\PC{0,30}|[0-9TZtz:.+-]{0,30}") {
            for (_, format) in Format::ALL {
                let _ = format.fits(&text);
            }
        }
    }
}

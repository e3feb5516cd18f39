//! One `Set-Cookie` header, read as RFC 6265 (5.2) says and browsers do: what is odd is ignored,
//! never an error.

use crate::parts::http::cookies::date::cookie_date;

/// The longest value of an attribute; a longer one is ignored (RFC 6265bis, 5.6).
const MAX_ATTRIBUTE: usize = 1024;

/// What a header asks for.
#[derive(Default)]
pub(super) struct SetCookie {
    pub(super) name: Vec<u8>,
    /// As it stands on the wire, quotes and all.
    pub(super) value: Vec<u8>,
    pub(super) domain: Option<String>,
    /// Absolute; `None` where there is none or an odd one.
    pub(super) path: Option<String>,
    pub(super) secure: bool,
    /// In seconds since 1970.
    pub(super) expires: Option<i64>,
}

impl SetCookie {
    /// Reads a header; `None` where it has no name or holds a control character.
    pub(super) fn parse(header: &[u8], now: i64) -> Option<Self> {
        if header.iter().copied().any(is_odd) {
            return None;
        }
        let mut pieces = header.split(|byte| *byte == b';');
        let (name, value) = split(pieces.next()?);
        let (name, value) = (name.to_vec(), value?.to_vec());
        if name.is_empty() {
            return None;
        }
        let mut cookie = Self { name, value, ..Self::default() };
        let mut max_age = None;
        for (name, value) in pieces.map(split) {
            let value = value.unwrap_or_default();
            if value.len() <= MAX_ATTRIBUTE
                && let Ok(value) = std::str::from_utf8(value)
            {
                cookie.attribute(name, value, now, &mut max_age);
            }
        }
        // `Max-Age` outranks `Expires`, wherever it stands.
        cookie.expires = max_age.or(cookie.expires);
        Some(cookie)
    }

    fn attribute(&mut self, name: &[u8], value: &str, now: i64, max_age: &mut Option<i64>) {
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        if is("domain") {
            self.domain = Some(value.to_owned());
        } else if is("path") {
            self.path = value.starts_with('/').then(|| value.to_owned());
        } else if is("secure") {
            self.secure = true;
        } else if is("expires") {
            self.expires = cookie_date(value).or(self.expires);
        } else if is("max-age") {
            *max_age = age(value, now).or(*max_age);
        }
    }

    /// Whether it has what the prefix of its name promises (RFC 6265bis, 4.1.3).
    pub(super) fn keeps_its_prefix(&self) -> bool {
        let path = self.path.as_deref().unwrap_or_default();
        keeps_prefix(&self.name, self.secure, self.domain.is_none(), path)
    }
}

/// Whether a cookie is what the prefix of its name promises (RFC 6265bis, 4.1.3).
pub(super) fn keeps_prefix(name: &[u8], secure: bool, host_only: bool, path: &str) -> bool {
    let begins = |prefix: &str| {
        let start = name.get(..prefix.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
    };
    if begins("__Host-") {
        return secure && path == "/" && host_only;
    }
    secure || !begins("__Secure-")
}

/// Whether a byte can stand nowhere in a cookie.
pub(super) const fn is_odd(byte: u8) -> bool {
    (byte < 0x20 && byte != b'\t') || byte == 0x7f
}

/// A name and what stands behind its `=`, without the white space around them.
fn split(piece: &[u8]) -> (&[u8], Option<&[u8]>) {
    match piece.iter().position(|byte| *byte == b'=') {
        Some(at) => (piece[..at].trim_ascii(), Some(piece[at + 1..].trim_ascii())),
        None => (piece.trim_ascii(), None),
    }
}

/// When a cookie of this `Max-Age` ends. What does not fit a number is for ever, or long over.
fn age(text: &str, now: i64) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    if text.starts_with('-') {
        return Some(i64::MIN);
    }
    Some(now.saturating_add(digits.parse().unwrap_or(i64::MAX)))
}

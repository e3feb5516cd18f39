//! `body: text | base64 | sha256`: the whole body, in a form that a variable can hold.

use crate::ground::encode::{self, Hash};
use crate::ground::value::Value;
use crate::parts::http::Response;

/// A form of the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyForm {
    /// As text; what is not UTF-8 becomes U+FFFD.
    Text,
    /// The bytes in base64 with padding (RFC 4648, section 4).
    Base64,
    /// The digest of the bytes, in lower-case hexadecimal.
    Sha256,
}

impl BodyForm {
    /// Every form and its word.
    pub const ALL: [(&'static str, Self); 3] =
        [("text", Self::Text), ("base64", Self::Base64), ("sha256", Self::Sha256)];

    /// Its word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Base64 => "base64",
            Self::Sha256 => "sha256",
        }
    }

    pub(super) fn of(self, response: &Response) -> Value {
        match self {
            Self::Text => response.text().as_ref().into(),
            Self::Base64 => encode::base64(&response.body).into(),
            Self::Sha256 => encode::hex(&Hash::Sha256.digest(&response.body)).into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parts::select::tests::response;

    #[test]
    fn a_body_has_three_forms() {
        let response = response(200, "", "abc");
        for (form, text) in [
            (BodyForm::Text, "abc"),
            (BodyForm::Base64, "YWJj"),
            (BodyForm::Sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        ] {
            assert_eq!(form.of(&response).as_str(), Some(text), "{}", form.word());
        }
    }
}

//! Encodings and digests by the names that the language gives them; templates and scripts share
//! these, so that both say the same.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

use crate::ground::value::Value;

/// What RFC 3986 leaves as it is, is left as it is.
pub const UNRESERVED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const ANY_STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const ANY_URL: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// What cannot be decoded or computed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The text is not of the encoding that was named.
    #[error("this is not {0}")]
    NotEncoded(&'static str),
    /// The bytes are no UTF-8 text.
    #[error("the decoded bytes are not UTF-8 text")]
    NotText,
    /// There is no such digest here.
    #[error("unknown hash `{0}`; there are md5, sha1, sha256, sha512")]
    UnknownHash(String),
}

/// Base64 with padding (RFC 4648, section 4).
#[must_use]
pub fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Base64url without padding (RFC 4648, section 5; RFC 7515).
#[must_use]
pub fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Decodes base64, padded or not; blanks and line breaks are skipped.
///
/// # Errors
/// [`Error::NotEncoded`], which does not show what may be a secret.
pub fn base64_decode(text: impl AsRef<[u8]>) -> Result<Vec<u8>, Error> {
    ANY_STANDARD.decode(without_blanks(text.as_ref())).map_err(|_| Error::NotEncoded("base64"))
}

/// Decodes base64url, padded or not; blanks and line breaks are skipped.
///
/// # Errors
/// As [`base64_decode`].
pub fn base64url_decode(text: impl AsRef<[u8]>) -> Result<Vec<u8>, Error> {
    ANY_URL.decode(without_blanks(text.as_ref())).map_err(|_| Error::NotEncoded("base64url"))
}

fn without_blanks(text: &[u8]) -> Vec<u8> {
    text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect()
}

/// Lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| DIGITS[usize::from(nibble & 15)] as char;
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}

/// Decodes hexadecimal of either case.
///
/// # Errors
/// [`Error::NotEncoded`].
pub fn hex_decode(text: impl AsRef<[u8]>) -> Result<Vec<u8>, Error> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let byte = |pair: &[u8]| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    };
    let bytes: Option<Vec<u8>> = text.as_ref().trim_ascii().chunks(2).map(byte).collect();
    bytes.ok_or(Error::NotEncoded("hexadecimal"))
}

/// Percent-encodes everything but RFC 3986's unreserved characters.
#[must_use]
pub fn url(text: &str) -> String {
    utf8_percent_encode(text, &UNRESERVED).to_string()
}

/// Undoes percent-encoding; `+` stays as it is.
///
/// # Errors
/// [`Error::NotText`].
pub fn url_decode(text: &str) -> Result<String, Error> {
    percent_decode_str(text).decode_utf8().map(std::borrow::Cow::into_owned).map_err(|_| Error::NotText)
}

/// A text without its percent-encoding; as it is where that gives no text.
#[must_use]
pub fn decoded(text: &str) -> String {
    url_decode(text).unwrap_or_else(|_| text.to_owned())
}

/// The same for a name or value of [`form`].
#[must_use]
pub fn form_decoded(text: &str) -> String {
    url_decode(&text.replace('+', " ")).unwrap_or_else(|_| text.to_owned())
}

/// `application/x-www-form-urlencoded`: every name and value encoded, a blank as `+`.
#[must_use]
pub fn form<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// One name or value of [`form`].
#[must_use]
pub fn form_piece(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// How a text is written where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spelling {
    /// As it is.
    Own,
    /// As in a URL or in a form.
    Percent,
    /// Between the quotes of JSON.
    Json,
    /// In another, or in one inside another.
    Other,
}

/// Bytes as text.
///
/// # Errors
/// [`Error::NotText`].
pub fn text(bytes: Vec<u8>) -> Result<String, Error> {
    String::from_utf8(bytes).map_err(|_| Error::NotText)
}

/// A hash, by the name that the language gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hash {
    /// `md5`.
    Md5,
    /// `sha1`.
    Sha1,
    /// `sha256`.
    Sha256,
    /// `sha512`.
    Sha512,
}

impl Hash {
    /// The hash of that name.
    ///
    /// # Errors
    /// [`Error::UnknownHash`].
    pub fn named(name: &str) -> Result<Self, Error> {
        match name {
            "md5" => Ok(Self::Md5),
            "sha1" => Ok(Self::Sha1),
            "sha256" => Ok(Self::Sha256),
            "sha512" => Ok(Self::Sha512),
            other => Err(Error::UnknownHash(other.to_owned())),
        }
    }

    /// The digest of some bytes.
    #[must_use]
    pub fn digest(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Md5 => Md5::digest(bytes).to_vec(),
            Self::Sha1 => Sha1::digest(bytes).to_vec(),
            Self::Sha256 => Sha256::digest(bytes).to_vec(),
            Self::Sha512 => Sha512::digest(bytes).to_vec(),
        }
    }

    /// The keyed digest of some bytes (RFC 2104).
    ///
    /// # Errors
    /// None for a key of any length; the type is the trait's, for other constructions.
    pub fn hmac(self, key: &[u8], bytes: &[u8]) -> Result<Vec<u8>, Error> {
        match self {
            Self::Md5 => mac::<Hmac<Md5>>(key, bytes),
            Self::Sha1 => mac::<Hmac<Sha1>>(key, bytes),
            Self::Sha256 => mac::<Hmac<Sha256>>(key, bytes),
            Self::Sha512 => mac::<Hmac<Sha512>>(key, bytes),
        }
    }
}

fn mac<M: Mac + KeyInit>(key: &[u8], bytes: &[u8]) -> Result<Vec<u8>, Error> {
    let mut mac = <M as KeyInit>::new_from_slice(key).map_err(|_| Error::NotEncoded("a key"))?;
    mac.update(bytes);
    Ok(mac.finalize().into_bytes().to_vec())
}

/// A JWT's header and claims, read without checking the signature (RFC 7519).
///
/// # Errors
/// [`Error::NotEncoded`].
pub fn jwt_decode(token: &str) -> Result<(Value, Value), Error> {
    let part = |part: &str| -> Option<Value> {
        let value = Value::from_json(&base64url_decode(part).ok()?).ok()?;
        value.as_object().is_some().then_some(value)
    };
    let mut parts = token.trim().split('.');
    let (header, claims, signature, end) = (parts.next(), parts.next(), parts.next(), parts.next());
    match (header.and_then(part), claims.and_then(part), signature, end) {
        (Some(header), Some(claims), Some(_), None) => Ok((header, claims)),
        _ => Err(Error::NotEncoded("a JWT")),
    }
}

/// The time of day in a form of strftime, UTC.
///
/// # Errors
/// What is wrong with the format, or that the time is out of range.
pub fn strftime(seconds: i64, format: &str) -> Result<String, String> {
    let time = jiff::Timestamp::from_second(seconds).map_err(|error| error.to_string())?;
    let zoned = time.to_zoned(jiff::tz::TimeZone::UTC);
    jiff::fmt::strtime::format(format, &zoned).map_err(|error| error.to_string())
}

/// Seconds since the epoch of an RFC 3339 or an HTTP date (RFC 9110, section 5.6.7).
#[must_use]
pub fn parse_time(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(time) = text.parse::<jiff::Timestamp>() {
        return Some(time.as_second());
    }
    jiff::fmt::rfc2822::parse(text).ok().map(|zoned| zoned.timestamp().as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_give_the_published_vectors() {
        let hash = |name, text: &str| hex(&Hash::named(name).expect("known").digest(text.as_bytes()));
        assert_eq!(hash("md5", "abc"), "900150983cd24fb0d6963f7d28e17f72");
        assert_eq!(hash("sha1", "abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert_eq!(hash("sha256", "abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert!(Hash::named("sha3").is_err());
        // RFC 4231, test case 2.
        let mac = Hash::Sha256.hmac(b"Jefe", b"what do ya want for nothing?").expect("any key");
        assert_eq!(hex(&mac), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }

    #[test]
    fn decoding_undoes_encoding_and_takes_either_padding() {
        for text in ["", "f", "fo", "foo", "ü&+/="] {
            assert_eq!(base64_decode(base64(text.as_bytes())), Ok(text.as_bytes().to_vec()));
            assert_eq!(base64url_decode(base64url(text.as_bytes())), Ok(text.as_bytes().to_vec()));
            assert_eq!(hex_decode(hex(text.as_bytes())), Ok(text.as_bytes().to_vec()));
            assert_eq!(url_decode(&url(text)), Ok(text.to_owned()));
        }
        assert_eq!(base64_decode("Zg"), base64_decode("Zg=="));
        assert!(hex_decode("abc").is_err());
        assert_eq!(base64_decode("Zm\n9v "), Ok(b"foo".to_vec()));
        assert!(base64_decode("a!b").is_err());
    }

    #[test]
    fn a_jwt_gives_its_claims_and_other_texts_an_error() {
        let (header, claims) = jwt_decode("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2ln").expect("a JWT");
        assert_eq!(header.to_json(), r#"{"alg":"HS256"}"#);
        assert_eq!(claims.to_json(), r#"{"sub":"ann"}"#);
        for text in ["", "a.b.c", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ"] {
            assert!(jwt_decode(text).is_err(), "{text}");
        }
    }

    #[test]
    fn times_are_read_and_written_in_utc() {
        assert_eq!(parse_time("1970-01-02T00:00:00Z"), Some(86_400));
        assert_eq!(parse_time("Thu, 01 Jan 1970 00:01:00 GMT"), Some(60));
        assert_eq!(parse_time("tomorrow"), None);
        assert_eq!(strftime(86_400, "%Y-%m-%d"), Ok("1970-01-02".to_owned()));
        assert!(strftime(0, "%&").is_err());
    }
}

//! The form of a JWT, by which a token is known to be one wherever it stands.

/// Whether a text has the form of a JWT: three parts in base64url, the first a JSON object.
#[must_use]
pub fn is_jwt(text: &str) -> bool {
    text.starts_with("eyJ") && jwt_length(text.as_bytes()) == Ok(text.len())
}

/// How many bytes the JWT at the start of `text` has.
///
/// # Errors
/// Where there is none: behind how many bytes one may begin. All before them are of one word, which
/// no dot follows that another part could follow.
pub(super) fn jwt_length(text: &[u8]) -> Result<usize, usize> {
    let part = |from: usize| {
        text[from..]
            .iter()
            .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
            .count()
    };
    let header = part(0);
    if header < 8 || text.get(header) != Some(&b'.') {
        return Err(header);
    }
    let payload = part(header + 1);
    let second = header + 1 + payload;
    if payload < 2 || text.get(second) != Some(&b'.') {
        return Err(header);
    }
    Ok(second + 1 + part(second + 1))
}

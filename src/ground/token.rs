//! What a token may be made of, wherever one is taken, sent or printed: by the rule of RFC 6750 it
//! holds nothing that could steer a header, a shell or a terminal.

use crate::ground::secret::is_secret_name;

/// The longest token, in bytes.
pub const LONGEST: usize = 64 * 1024;

/// Whether a byte may stand in a `b64token`, before its padding: a letter, a digit or one of `-._~+/`.
/// By sums and comparisons, not by a table, so that many are looked at in one go.
const fn is_allowed(byte: u8) -> bool {
    let is_letter = (byte | 0x20).wrapping_sub(b'a') < 26;
    // `-./0123456789`
    let is_between = byte.wrapping_sub(b'-') < 13;
    is_letter || is_between || byte == b'_' || byte == b'~' || byte == b'+'
}

/// Why a text is no `b64token` (RFC 6750, section 2.1); the text itself is never told.
#[must_use]
pub fn refused(token: &str) -> Option<String> {
    let body = token.trim_end_matches('=');
    if body.is_empty() {
        return Some("it is empty".to_owned());
    }
    if token.len() > LONGEST {
        return Some(format!("it has {} bytes, more than {LONGEST}", token.len()));
    }
    if body.bytes().fold(true, |so_far, byte| so_far & is_allowed(byte)) {
        return None;
    }
    // All before it is ASCII, so that it is the beginning of a character.
    let at = body.bytes().position(|byte| !is_allowed(byte))?;
    let c = body[at..].chars().next()?;
    Some(format!(
        "character {} is {}, and only letters, digits and -._~+/ may stand in one",
        at + 1,
        c.escape_unicode()
    ))
}

/// Why a text is no token of any server (RFC 6749, A.12 and A.17: printable ASCII); the text itself is never
/// told. More is allowed than a header takes as a bearer token, since servers know others (`7|x`, `M.R3*!`),
/// and so is a line break at the end, which a body of text has.
#[must_use]
pub fn impossible(token: &str) -> Option<String> {
    let body = token.trim_end_matches(['\r', '\n']);
    if body.is_empty() {
        return Some("it is empty".to_owned());
    }
    if token.len() > LONGEST {
        return Some(format!("it has {} bytes, and a token at most {LONGEST}", token.len()));
    }
    // Without a way out of the loop many bytes are looked at in one go.
    if !body.bytes().fold(false, |odd, byte| odd | !matches!(byte, b' '..=b'~')) {
        return None;
    }
    let (at, c) = body.chars().enumerate().find(|(_, c)| !matches!(c, ' '..='~'))?;
    Some(format!("character {} is {}, and a token is of printable ASCII", at + 1, c.escape_unicode()))
}

/// Whether a name calls a value a token: `access_token`, `userToken`, `jwt`, `bearer`.
#[must_use]
pub fn is_called_one(name: &str) -> bool {
    let says = |word: &str| {
        name.as_bytes().windows(word.len()).any(|part| part.eq_ignore_ascii_case(word.as_bytes()))
    };
    is_secret_name(name) && ["token", "jwt", "bearer"].into_iter().any(says)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_leave_its_place_is_refused_and_never_told() {
        for text in ["", "a b", "a\nb", "$(id)", "a;b", "a\x1b[2J", "ü", "a=b", "'"] {
            let why = refused(text).expect(text);
            assert!(!why.contains("id)"), "{why}");
        }
        assert!(refused(&"a".repeat(LONGEST + 1)).is_some_and(|why| why.contains("65536")));
        for text in ["abc", "a-._~+/b==", "eyJ.eyJ.x"] {
            assert_eq!(refused(text), None, "{text}");
        }
    }

    #[test]
    fn a_bearer_token_is_made_of_the_signs_that_the_rule_names_and_no_others() {
        let named = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/";
        for byte in 0..=u8::MAX {
            assert_eq!(is_allowed(byte), named.as_bytes().contains(&byte), "{byte:#x}");
        }
    }

    #[test]
    fn what_no_server_means_as_a_token_is_refused_and_what_odd_ones_hand_out_is_not() {
        for (text, why) in [
            ("", "empty"),
            ("\r\n", "empty"),
            ("a\r\nX: 1", "character 2"),
            ("a\0b", "character 2"),
            ("\x1b[2J", "character 1"),
            ("aü", "character 2"),
            ("a\u{202e}", "character 2"),
        ] {
            let told = impossible(text).expect(text);
            assert!(told.contains(why) && !told.contains("X:"), "{text:?}: {told}");
        }
        assert!(impossible(&"a".repeat(LONGEST + 1)).is_some_and(|why| why.contains("65536")));
        for text in ["7|abc", "M.R3_BAY.-Cd*!x$", "Bearer abc", "eyJ.eyJ.x", "1//0gAb", "abc\r\n", "s:a=b;c"]
        {
            assert_eq!(impossible(text), None, "{text}");
        }
    }

    #[test]
    fn a_password_is_no_token_and_nor_is_the_mark_of_a_page() {
        for name in [
            "access_token",
            "accessToken",
            "userToken",
            "ACCESS-TOKEN",
            "jwt",
            "bearer",
            "token2",
            "token_2",
            "jwt_assertion",
        ] {
            assert!(is_called_one(name), "{name}");
        }
        for name in ["password", "next_page_token", "nextPageToken", "token_type", "tokens", "id", ""] {
            assert!(!is_called_one(name), "{name}");
        }
    }
}

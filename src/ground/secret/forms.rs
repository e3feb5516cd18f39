//! The forms in which a secret is looked for, as far as no decoding of a text finds them.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use url::Host;

use crate::ground::encode;
use crate::ground::secret::{SHORTEST, is_jwt, view};
use crate::ground::value::Value;

/// How long a secret is whose beginning is looked for, too.
const LONG: usize = 16;
/// How much of it must stand: as it is, in base64 and in hexadecimal. Each is as good as twelve bytes.
const LEAST: usize = 12;
const LEAST_BASE64: usize = 16;
const LEAST_HEX: usize = 24;

/// The longest name of a host (RFC 1035, section 2.3.4).
const LONGEST_HOST: usize = 253;

/// A text to look for.
pub(super) struct Form {
    pub(super) text: String,
    /// How many bytes of it are enough where the rest is cut off; `None` where all must stand.
    pub(super) least: Option<usize>,
}

/// The forms in which a secret is looked for: as it is, line by line, as base64 and inside a longer
/// base64 text, in hexadecimal, quoted for a shell, without colours and blanks, in small letters as in a
/// host, its bytes as characters, and the parts of a JWT. All that merely escapes characters is decoded
/// where it is looked for, but inside of base64 and hexadecimal.
pub(super) fn forms(secret: &str) -> Vec<Form> {
    // All URLs begin alike, and one that holds a secret must not hide the rest; nor may a private key hide
    // the first line of a public one.
    let is_own = secret.len() >= LONG && !is_url(secret) && pem_body(secret).is_none();
    let least = is_own.then_some(LEAST);
    let mut forms = vec![Form { text: secret.to_owned(), least }];
    let body = pem_body(secret).map(str::trim_start).filter(|body| body.len() >= LONG);
    forms.extend(body.map(|body| Form { text: body.to_owned(), least: Some(LEAST) }));
    forms.extend(in_hosts(secret).into_iter().map(|text| Form { text, least }));
    let mut add = |text: String| {
        if text.len() >= SHORTEST {
            forms.push(Form { text, least: None });
        }
    };
    let trimmed = secret.trim();
    if trimmed.len() < secret.len() {
        add(trimmed.to_owned());
    }
    if let Some(joined) = view::joined(secret) {
        secret.split(['\n', '\r']).for_each(|line| add(line.trim().to_owned()));
        add(joined);
    }
    view::uncolored(secret).into_iter().for_each(&mut add);
    view::unspaced(secret).into_iter().for_each(&mut add);
    if !secret.is_ascii() {
        add(secret.bytes().map(char::from).collect());
    }
    if secret.contains('\'') {
        add(secret.replace('\'', "'\\''"));
        add(secret.replace('\'', "'\"'\"'"));
    }
    if is_jwt(secret) {
        secret.split('.').skip(1).for_each(|part| add(part.to_owned()));
    }
    let own = own_part(secret).filter(|own| own.len() >= LONG);
    if own.is_none_or(|own| own.len() < secret.len()) {
        encoded(secret).for_each(|(text, _)| add(text));
    }
    rewritten(secret).iter().flat_map(|text| encoded(text)).for_each(|(text, _)| add(text));
    let cut = own.into_iter().flat_map(encoded);
    forms.extend(cut.map(|(text, least)| Form { text, least: Some(least) }));
    forms
}

/// The part of a secret that no other begins with, by which what is left of a cut encoding is known. All
/// URLs begin alike; so do JWTs, by their header, and keys, by the first line of their PEM.
fn own_part(secret: &str) -> Option<&str> {
    if let Some(body) = pem_body(secret) {
        return Some(body);
    }
    if is_jwt(secret) {
        return secret.split_once('.').map(|(_, claims)| claims);
    }
    (!is_url(secret)).then_some(secret)
}

/// Whether a text is a URL: a word in small letters and `://` are its beginning, as `https` or `mongodb+srv`.
fn is_url(text: &str) -> bool {
    const LONGEST: usize = 12;
    let is_word = |scheme: &str| scheme.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'+');
    let scheme = text.trim_start().split_once("://").map(|(scheme, _)| scheme);
    scheme.is_some_and(|scheme| (2..=LONGEST).contains(&scheme.len()) && is_word(scheme))
}

/// What stands behind the first line of a PEM (RFC 7468).
fn pem_body(text: &str) -> Option<&str> {
    let (_, body) = text.trim_start().strip_prefix("-----BEGIN ")?.split_once("-----")?;
    Some(body)
}

/// What becomes of a secret in the name of a host, or of a header: small letters, and Punycode for what
/// is no ASCII.
fn in_hosts(secret: &str) -> Vec<String> {
    let small = secret.to_lowercase();
    let ascii = Some(secret).filter(|secret| !secret.is_ascii() && secret.len() <= LONGEST_HOST);
    let punycode = ascii.and_then(|secret| match Host::parse(secret) {
        Ok(Host::Domain(name)) => Some(name),
        _ => None,
    });
    let is_other = |form: &String| form != secret && form.len() >= SHORTEST;
    [Some(small), punycode].into_iter().flatten().filter(is_other).collect()
}

/// What JSON and URLs make of a secret, before it is encoded with what stands around it: in JSON with or
/// without escapes for `/` and for what is no ASCII (RFC 8259, section 7).
fn rewritten(secret: &str) -> Vec<String> {
    let json = Value::from(secret).to_json();
    let json = json[1..json.len() - 1].to_owned();
    let slashes = json.replace('/', "\\/");
    let mut all = vec![in_ascii(&json), in_ascii(&slashes), json, slashes, encode::url(secret)];
    all.sort_unstable();
    all.dedup();
    all.retain(|text| text != secret);
    all
}

fn in_ascii(json: &str) -> String {
    let mut ascii = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_ascii() {
            ascii.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                ascii.extend(["\\u", &encode::hex(&unit.to_be_bytes())]);
            }
        }
    }
    ascii
}

/// A text in base64 and in hexadecimal, each with how much of it is enough.
fn encoded(text: &str) -> impl Iterator<Item = (String, usize)> {
    let hex = encode::hex(text.as_bytes());
    let base64 = (0..3).flat_map(|skip| inside_base64(text.as_bytes(), skip));
    let hex = [hex.to_uppercase(), hex];
    base64.map(|text| (text, LEAST_BASE64)).chain(hex.map(|text| (text, LEAST_HEX)))
}

/// The part of a base64 text that depends on nothing but the secret, when `skip` bytes stand
/// before it: the digits shared with a neighbour are cut off at both ends.
fn inside_base64(secret: &[u8], skip: usize) -> Vec<String> {
    let mut padded = vec![0; skip];
    padded.extend_from_slice(secret);
    let first = match skip {
        0 => 0,
        1 => 2,
        _ => 3,
    };
    let certain = padded.len() * 8 / 6;
    let whole = STANDARD_NO_PAD.encode(&padded);
    let cut = |text: &str| text.get(first..certain.min(text.len())).unwrap_or_default().to_owned();
    let mut forms = vec![cut(&whole)];
    if skip == 0 {
        forms.push(whole.clone());
    }
    if whole.contains(['+', '/']) {
        let url = URL_SAFE_NO_PAD.encode(&padded);
        forms.push(cut(&url));
        if skip == 0 {
            forms.push(url);
        }
    }
    forms
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;

    use super::*;
    use crate::ground::secret::Needles;

    fn known(secret: &str) -> Needles {
        let needles = Needles::default();
        needles.learn(&"pw".into(), secret);
        needles
    }

    /// What a server writes into JSON or a URL before it encodes the whole (S45).
    #[test]
    fn a_secret_is_found_in_base64_and_hexadecimal_of_what_escapes_it() {
        let base64 = |text: &str| STANDARD.encode(text);
        for (secret, escaped) in [
            ("pässwörd→Ünïcode", r"p\u00e4ssw\u00f6rd\u2192\u00dcn\u00efcode"),
            ("pässwörd→Ünïcode", "p%C3%A4ssw%C3%B6rd%E2%86%92%C3%9Cn%C3%AFcode"),
            ("Correct-Horse/77/x", r"Correct-Horse\/77\/x"),
            ("Tr0ub4dor-\"q'uote\\back", r#"Tr0ub4dor-\"q'uote\\back"#),
            ("Tr0ub4dor&3 <Zebra>", "Tr0ub4dor%263%20%3CZebra%3E"),
            ("\u{1f511}-of-the-house", r"\ud83d\udd11-of-the-house"),
        ] {
            let needles = known(secret);
            for before in ["", "a", "ab", "{\"p\":\""] {
                let shown = needles.scrub(&base64(&format!("{before}{escaped}\",\"q\":1}}")));
                let left = shown.split_once("«pw»").map_or(usize::MAX, |(_, left)| left.len());
                assert!(left < 15, "{escaped}: {shown}");
            }
            assert_eq!(needles.scrub(&encode::hex(escaped.as_bytes())), "«pw»", "{escaped}");
        }
        let needles = known("pässwörd→Ünïcode");
        for text in [r"p\xc3\xa4ssw\xc3\xb6rd\xe2\x86\x92\xc3\x9cn\xc3\xafcode", "pässwörd→ünïcode"] {
            assert_eq!(needles.scrub(text), "«pw»", "{text}");
        }
    }
}

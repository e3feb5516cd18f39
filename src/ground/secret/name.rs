//! The names under which secrets stand: of variables and members, of parameters, of headers, and of
//! keys that a workflow does not know.

/// The parameters of a URL that are secret beside those with a secret's name: signatures of links.
const SIGNATURES: [&str; 4] = ["sig", "signature", "x-amz-signature", "x-goog-signature"];
/// Those that are secret together (RFC 6749, section 4.1.2).
const CALLBACK: [&str; 2] = ["code", "state"];
/// The headers beside those with a secret's name. `DPoP` proves that its sender owns a token (RFC 9449).
const HEADERS: [&str; 2] = ["dpop", "cookie2"];
/// The keys beside those with a secret's name, in our own spelling.
const KEYS: [&str; 2] = ["basic", "basic_auth"];

/// Words that name a secret whatever stands before them.
const ALONE: [&str; 31] = [
    "password",
    "pass",
    "pin",
    "session",
    "sessionid",
    "jsessionid",
    "phpsessid",
    "secretkey",
    "accesskey",
    "csrfmiddlewaretoken",
    "passwd",
    "pwd",
    "passphrase",
    "passcode",
    "secret",
    "secrets",
    "credential",
    "credentials",
    "authorization",
    "jwt",
    "cookie",
    "otp",
    "accesstoken",
    "refreshtoken",
    "idtoken",
    "authtoken",
    "apikey",
    "clientsecret",
    "privatekey",
    "assertion",
    "bearer",
];
/// What makes a `key` one.
const KINDS: [&str; 9] =
    ["api", "private", "secret", "signing", "encryption", "access", "auth", "subscription", "functions"];
/// What is told once more, or in another way.
const PASSWORDS: [&str; 4] = ["password", "passwd", "pwd", "pass"];
/// Words that name a secret behind one of these.
const BEHIND: [(&str, &[&str]); 9] = [
    ("verifier", &["code"]),
    ("code", &["device", "authorization", "auth"]),
    ("id", &["session"]),
    ("auth", &["x"]),
    ("confirmation", &PASSWORDS),
    ("confirm", &PASSWORDS),
    ("again", &PASSWORDS),
    ("repeat", &PASSWORDS),
    ("hash", &PASSWORDS),
];
/// What makes a `token` none: where a list goes on.
const PAGING: [&str; 7] = ["page", "next", "continuation", "cursor", "sync", "prev", "previous"];

/// Whether a variable, header or JSON member of this name holds a secret: `password`,
/// `accessToken`, `X-Api-Key`; but not `token_type` or `next_page_token`.
#[must_use]
pub fn is_secret_name(name: &str) -> bool {
    // `password2`, `token_1` and `api2_key` are one of several.
    let words = words_from_the_end(name).map(|word| word.trim_end_matches(|c: char| c.is_ascii_digit()));
    let mut words = words.filter(|word| !word.is_empty());
    let Some(last) = words.next() else { return false };
    if last.eq_ignore_ascii_case("token") {
        return !words.any(|word| is_one(word, &PAGING));
    }
    if last.eq_ignore_ascii_case("key") {
        return words.next().is_some_and(|word| is_one(word, &KINDS));
    }
    if let Some((_, before)) = BEHIND.iter().find(|(word, _)| last.eq_ignore_ascii_case(word)) {
        return words.next().is_some_and(|word| is_one(word, before));
    }
    is_one(last, &ALONE)
}

/// `accessToken`, `access-token` and `ACCESS_TOKEN` are the words `token` and `access`. Nothing is
/// copied: this is asked for every member that is read.
fn words_from_the_end(name: &str) -> impl Iterator<Item = &str> {
    let bytes = name.as_bytes();
    let mut end = bytes.len();
    std::iter::from_fn(move || {
        while end > 0 && !bytes[end - 1].is_ascii_alphanumeric() {
            end -= 1;
        }
        let last = end;
        while end > 0 && bytes[end - 1].is_ascii_alphanumeric() {
            end -= 1;
            let begins = bytes[end].is_ascii_uppercase() && end > 0 && !bytes[end - 1].is_ascii_uppercase();
            if begins && bytes[end - 1].is_ascii_alphanumeric() {
                break;
            }
        }
        (end < last).then(|| &name[end..last])
    })
}

/// Whether the parameters of a URL or the fields of a form with these names bring a login back.
pub(super) fn is_callback<'n>(names: &(impl Iterator<Item = &'n str> + Clone)) -> bool {
    CALLBACK.iter().all(|known| names.clone().any(|name| name.eq_ignore_ascii_case(known)))
}

/// Whether a parameter of a URL or a field of a form is secret, in a callback or elsewhere.
#[must_use]
pub fn is_secret_parameter(name: &str, in_callback: bool) -> bool {
    is_secret_name(name) || is_one(name, &SIGNATURES) || (in_callback && is_one(name, &CALLBACK))
}

/// Whether a header carries a credential by its name alone.
#[must_use]
pub fn is_secret_header(name: &str) -> bool {
    is_secret_name(name) || is_one(name, &HEADERS)
}

/// Whether what stands under a key that is not known may well be a credential; the key is in our own
/// spelling.
#[must_use]
pub fn is_credential_key(key: &str) -> bool {
    is_secret_name(key) || is_one(key, &KEYS)
}

fn is_one(word: &str, known: &[&str]) -> bool {
    known.iter().any(|known| word.eq_ignore_ascii_case(known))
}

//! A Digest challenge: how it is read from `WWW-Authenticate` (RFC 9110, section 11.6.1), and what
//! answers it (RFC 7616, section 3.4).

use std::fmt::Write as _;

use md5::Md5;
use reqwest::header::HeaderMap;
use sha2::{Digest as _, Sha256, Sha512_256};
use url::Url;

use crate::ground::encode;
use crate::parts::auth::digest::offers;

/// What a server wants to see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Challenge {
    pub(super) realm: String,
    pub(super) nonce: String,
    pub(super) opaque: Option<String>,
    pub(super) algorithm: Option<String>,
    pub(super) hash: Hash,
    /// Whether the user's hash is bound to the first nonce.
    pub(super) session: bool,
    pub(super) qop: Option<Qop>,
    pub(super) stale: bool,
    pub(super) naming: Naming,
    /// The protected paths and URLs; all of the origin where it is missing.
    pub(super) domain: Option<String>,
}

/// How the server wants to be told the user's name (RFC 7616, sections 3.4 and 3.4.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Naming {
    /// As it is.
    Quoted,
    /// Percent-encoded UTF-8, where it is not plain ASCII.
    Utf8,
    /// As a hash.
    Hashed,
}

/// The hashes, weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Hash {
    Md5,
    Sha256,
    Sha512By256,
}

/// What is protected beside the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Qop {
    Auth,
    AuthInt,
}

/// The request that an answer is for.
pub(super) struct Exchange<'e> {
    pub(super) method: &'e str,
    pub(super) uri: &'e str,
    pub(super) body: &'e [u8],
    pub(super) cnonce: &'e str,
    pub(super) count: u32,
}

/// The strongest challenge that is supported; the first of several that are as strong. `None`
/// where the server offers no Digest at all.
///
/// # Errors
/// Where it offers Digest, but only in ways that are not supported.
pub(super) fn strongest(headers: &HeaderMap) -> Result<Option<Challenge>, String> {
    let offered: Vec<Parameters> = offers(headers).flat_map(|text| digests(&text)).collect();
    let known = offered.iter().filter_map(Challenge::of);
    let best = known.reduce(|best, next| if next.hash > best.hash { next } else { best });
    match best {
        None if !offered.is_empty() => {
            Err("the server's Digest challenge asks for an algorithm or a `qop` that is not supported"
                .to_owned())
        }
        best => Ok(best),
    }
}

type Parameters = Vec<(String, String)>;

/// The parameters of each Digest challenge in a header that may hold several of several schemes.
fn digests(text: &str) -> Vec<Parameters> {
    let mut found: Vec<(String, Parameters)> = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let end = rest.find([' ', '\t', ',', '=']).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        if rest.is_empty() {
            break;
        }
        let Some(value) = after.trim_start_matches([' ', '\t']).strip_prefix('=') else {
            found.push((name.to_ascii_lowercase(), Vec::new()));
            rest = after;
            continue;
        };
        let (value, after) = value_of(value.trim_start_matches([' ', '\t']));
        if let Some((_, parameters)) = found.last_mut() {
            parameters.push((name.to_ascii_lowercase(), value));
        }
        rest = after;
    }
    found.into_iter().filter(|(scheme, _)| scheme == "digest").map(|(_, parameters)| parameters).collect()
}

/// The parameters of a header without a scheme in front.
pub(super) fn parameters_of(text: &str) -> Parameters {
    digests(&format!("Digest {text}")).into_iter().next().unwrap_or_default()
}

/// A token or a quoted string (RFC 9110, section 5.6.4), and what follows it.
fn value_of(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', ' ', '\t']).unwrap_or(text.len());
        return (text[..end].to_owned(), &text[end..]);
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (value, &quoted[at + 1..]),
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            character => value.push(character),
        }
    }
    (value, "")
}

impl Challenge {
    /// A challenge that can be answered.
    fn of(parameters: &Parameters) -> Option<Self> {
        let get =
            |name: &str| parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        let is_true = |name| get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let algorithm = get("algorithm");
        let upper = algorithm.as_deref().unwrap_or("MD5").to_ascii_uppercase();
        let (hash, session) = match upper.strip_suffix("-SESS") {
            Some(hash) => (Hash::named(hash)?, true),
            None => (Hash::named(&upper)?, false),
        };
        let utf8 = get("charset").is_some_and(|charset| charset.eq_ignore_ascii_case("UTF-8"));
        let naming = match (is_true("userhash"), utf8) {
            (true, _) => Naming::Hashed,
            (false, true) => Naming::Utf8,
            (false, false) => Naming::Quoted,
        };
        Some(Self {
            realm: get("realm")?,
            nonce: get("nonce")?,
            opaque: get("opaque"),
            algorithm,
            hash,
            session,
            qop: Qop::chosen(get("qop").as_deref())?,
            stale: is_true("stale"),
            naming,
            domain: get("domain").filter(|domain| !domain.trim().is_empty()),
        })
    }

    /// Whether a URL is in its protection space (RFC 7616, section 3.3).
    pub(super) fn covers(&self, url: &Url) -> bool {
        let Some(domain) = &self.domain else { return true };
        domain
            .split_ascii_whitespace()
            .filter_map(|uri| url.join(uri).ok())
            .any(|protected| protected.origin() == url.origin() && url.path().starts_with(protected.path()))
    }

    /// The value of `Authorization`.
    pub(super) fn answer(&self, username: &str, password: &str, exchange: &Exchange<'_>) -> String {
        let count = format!("{:08x}", exchange.count);
        let mut header = format!(
            "Digest {}, realm={}, uri={}, nonce={}",
            self.user(username),
            quoted(&self.realm),
            quoted(exchange.uri),
            quoted(&self.nonce)
        );
        if let Some(algorithm) = &self.algorithm {
            let _ = write!(header, ", algorithm={algorithm}");
        }
        if let Some(qop) = self.qop {
            let _ = write!(header, ", qop={}, nc={count}", qop.word());
        }
        if self.qop.is_some() || self.session {
            let _ = write!(header, ", cnonce={}", quoted(exchange.cnonce));
        }
        let response = self.response(username, password, exchange, &count);
        let _ = write!(header, ", response=\"{response}\"");
        if let Some(opaque) = &self.opaque {
            let _ = write!(header, ", opaque={}", quoted(opaque));
        }
        if self.naming == Naming::Hashed {
            header.push_str(", userhash=true");
        }
        header
    }

    /// The user's name in the form that the server takes.
    fn user(&self, username: &str) -> String {
        let is_plain = username.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        match self.naming {
            Naming::Hashed => {
                format!("username=\"{}\"", self.hash.hex(format!("{username}:{}", self.realm)))
            }
            Naming::Utf8 if !is_plain => format!("username*=UTF-8''{}", encode::url(username)),
            Naming::Utf8 | Naming::Quoted => format!("username={}", quoted(username)),
        }
    }

    fn response(&self, username: &str, password: &str, exchange: &Exchange<'_>, count: &str) -> String {
        let hash = |text: String| self.hash.hex(text);
        let mut user = hash(format!("{username}:{}:{password}", self.realm));
        if self.session {
            user = hash(format!("{user}:{}:{}", self.nonce, exchange.cnonce));
        }
        let mut what = format!("{}:{}", exchange.method, exchange.uri);
        if self.qop == Some(Qop::AuthInt) {
            let _ = write!(what, ":{}", self.hash.hex(exchange.body));
        }
        let what = hash(what);
        match self.qop {
            Some(qop) => {
                let (nonce, cnonce) = (&self.nonce, exchange.cnonce);
                hash(format!("{user}:{nonce}:{count}:{cnonce}:{}:{what}", qop.word()))
            }
            None => hash(format!("{user}:{}:{what}", self.nonce)),
        }
    }
}

impl Hash {
    fn named(name: &str) -> Option<Self> {
        match name {
            "MD5" => Some(Self::Md5),
            "SHA-256" => Some(Self::Sha256),
            "SHA-512-256" => Some(Self::Sha512By256),
            _ => None,
        }
    }

    fn hex(self, bytes: impl AsRef<[u8]>) -> String {
        match self {
            Self::Md5 => encode::hex(&Md5::digest(bytes)),
            Self::Sha256 => encode::hex(&Sha256::digest(bytes)),
            Self::Sha512By256 => encode::hex(&Sha512_256::digest(bytes)),
        }
    }
}

impl Qop {
    /// What is chosen of a list; the inner `None` where the server knows no `qop` yet (RFC 2069),
    /// the outer one where it knows none of ours.
    #[expect(clippy::option_option, reason = "no list and no match differ")]
    fn chosen(list: Option<&str>) -> Option<Option<Self>> {
        let Some(list) = list else { return Some(None) };
        let offers = |word: &str| list.split([',', ' ']).any(|known| known.trim().eq_ignore_ascii_case(word));
        match (offers("auth"), offers("auth-int")) {
            (true, _) => Some(Some(Self::Auth)),
            (false, true) => Some(Some(Self::AuthInt)),
            (false, false) => list.trim().is_empty().then_some(None),
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::AuthInt => "auth-int",
        }
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

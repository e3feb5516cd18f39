//! `--insecure`: whose certificates are not checked in one run, by the word of whoever called it.
//!
//! It is a word for one call of the command: no file says it, no session keeps it, and no variable of
//! the environment does. A host that is named keeps it from all others.

use std::str::FromStr;

use url::{Host, Url};

use crate::parts::http::host;

/// One host, with all its ports or one of them; or everybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiver(Option<(Host, Option<u16>)>);

impl Waiver {
    /// What stands for everybody where a text is wanted.
    pub const EVERYBODY: &str = "*";

    /// Whether it is about the server of this URL.
    #[must_use]
    pub fn covers(&self, url: &Url) -> bool {
        let Some((host, port)) = &self.0 else { return true };
        let same_host = url.host().is_some_and(|of_url| of_url.to_owned() == *host);
        same_host && port.is_none_or(|port| url.port_or_known_default() == Some(port))
    }
}

impl FromStr for Waiver {
    type Err = String;

    /// Reads `HOST`, `HOST:PORT`, `[::1]:PORT`, or [`Waiver::EVERYBODY`].
    fn from_str(text: &str) -> Result<Self, String> {
        if text == Self::EVERYBODY {
            return Ok(Self(None));
        }
        let named = host::read(text).map(|named| Self(Some(named)));
        named.ok_or_else(|| "write a host, or host:port, without https:// before it".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_waiver_is_about_one_host_and_one_port_where_it_names_one() {
        for (text, url, covers) in [
            ("a.example", "https://a.example/x", true),
            ("A.example", "https://a.example:8443/x", true),
            ("a.example", "https://b.a.example/", false),
            ("a.example", "https://a.example.evil/", false),
            ("a.example:443", "https://a.example/", true),
            ("a.example:8443", "https://a.example/", false),
            ("127.0.0.1:1", "https://127.0.0.1:1/", true),
            ("[::1]:2", "https://[::1]:2/", true),
            ("[::1]", "https://[::1]:3/", true),
            ("*", "https://any.example/", true),
        ] {
            let waiver: Waiver = text.parse().expect(text);
            assert_eq!(waiver.covers(&Url::parse(url).expect("a URL")), covers, "{text} {url}");
        }
        for text in [
            "",
            "https://a.example",
            "a.example:",
            "a.example:x",
            "a b",
            "u@a",
            "::1",
            "a/b",
            "*.a b",
            "*.a.example",
        ] {
            assert!(text.parse::<Waiver>().is_err(), "{text}");
        }
    }
}

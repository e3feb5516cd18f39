//! A jar as data: what outlives a run, whole and in order, for whoever keeps it.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::parts::http::cookies::reach::{Reach, host};
use crate::parts::http::cookies::set_cookie::{is_odd, keeps_prefix};
use crate::parts::http::cookies::{Cookie, Jar, MAX_COOKIE};

/// The cookies of a run, to go on with in another one. Every value may be a secret: keep it where
/// secrets are kept. What is read back holds to the rules of the jar, or is refused.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Saved(Vec<SavedCookie>);

/// One cookie. Names and values are bytes, which a text might change.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
struct SavedCookie(Cookie);

/// A cookie as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    /// In base64.
    name: String,
    /// In base64.
    value: String,
    domain: String,
    host_only: bool,
    path: String,
    secure: bool,
    /// Who set it.
    origin: String,
    /// Whether a script did so in its name.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    by_hand: bool,
    /// In seconds since 1970; none where it lives as long as the jar.
    expires: Option<i64>,
}

impl Saved {
    /// How many cookies there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Saved {
    /// Not what is in it: every value may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Saved").field("cookies", &self.len()).finish_non_exhaustive()
    }
}

impl Jar {
    /// All that is in it and alive, the oldest first.
    #[must_use]
    pub fn save(&self) -> Saved {
        let now = self.shared.clock.now_seconds();
        Saved(self.lock().iter().filter(|cookie| cookie.is_alive(now)).cloned().map(SavedCookie).collect())
    }

    /// Puts what was saved into it, but for what has expired since. Every value is learnt as a secret.
    pub fn load(&self, saved: &Saved) {
        let now = self.shared.clock.now_seconds();
        for SavedCookie(cookie) in &saved.0 {
            self.learn(&cookie.name, &cookie.value);
            self.put(&mut self.lock(), cookie.clone(), now);
        }
    }
}

impl From<SavedCookie> for Written {
    fn from(SavedCookie(cookie): SavedCookie) -> Self {
        let Cookie { name, value, reach, path, secure, origin, by_hand, expires } = cookie;
        let (name, value) = (BASE64.encode(name), BASE64.encode(value));
        let host_only = reach.is_host_only();
        Self { name, value, domain: reach.domain, host_only, path, secure, origin, by_hand, expires }
    }
}

impl TryFrom<Written> for SavedCookie {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        let bytes = |text: &str| BASE64.decode(text).map_err(|_| "a cookie's name or value is not base64");
        let (name, value) = (bytes(&written.name)?, bytes(&written.value)?);
        let reach = Reach::saved(written.domain, written.host_only).ok_or("a cookie reaches too far")?;
        let Written { path, secure, origin, by_hand, expires, .. } = written;
        let is_own = |url: &Url| super::origin(url) == origin && may_set(url, &reach, secure);
        if !Url::parse(&origin).as_ref().is_ok_and(is_own) {
            return Err("a cookie cannot have come from its origin");
        }
        if name.is_empty() || name.len() + value.len() > MAX_COOKIE {
            return Err("a cookie has no name, or is too large");
        }
        if !path.starts_with('/') || [&name, &value].into_iter().flatten().copied().any(is_odd) {
            return Err("a cookie's path or one of its bytes cannot be");
        }
        if !keeps_prefix(&name, secure, reach.is_host_only(), &path) {
            return Err("a cookie does not hold what the prefix of its name promises");
        }
        Ok(Self(Cookie { name, value, reach, path, secure, origin, by_hand, expires }))
    }
}

/// Whether a server of this URL could have set such a cookie.
fn may_set(url: &Url, reach: &Reach, secure: bool) -> bool {
    let scheme = url.scheme();
    (scheme == "https" || scheme == "http" && !secure) && host(url).is_some_and(|host| reach.covers(&host))
}

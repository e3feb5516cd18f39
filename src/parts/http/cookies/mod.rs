//! The cookie jar of a run: what servers set, and what goes back to them (RFC 6265, with the
//! stricter rules of its successor, `draft-ietf-httpbis-rfc6265bis`).
//!
//! A jar of our own, since values must come back byte for byte and in a fixed order, what was set over
//! `https://` must not go over `http://` even on this machine, `Secure` or not, and what a server sets
//! must be known as a secret before anybody can show it. What servers send is hostile: size and number are
//! bounded, and nobody sets a cookie for more than its own site.

mod date;
mod reach;
mod saved;
mod set_cookie;
#[cfg(test)]
mod tests;

use std::cell::OnceCell;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use reqwest::header::{COOKIE, HeaderMap, HeaderValue, SET_COOKIE};
use url::{Origin, Url};

use crate::ground::clock::Clock;
use crate::ground::secret::Needles;
use crate::parts::http::cookies::reach::{Reach, host};
use crate::parts::http::cookies::set_cookie::{SetCookie, is_odd};

pub use saved::Saved;

/// How many bytes the name and the value of a cookie may have together.
const MAX_COOKIE: usize = 4096;
/// How many cookies one answer may set.
const MAX_PER_RESPONSE: usize = 50;
/// How many cookies one domain may have; the oldest goes.
const MAX_PER_DOMAIN: usize = 150;
/// How many cookies there may be in all; the oldest goes.
const MAX_COOKIES: usize = 3000;
/// How many bytes of cookies one request carries; the oldest stay behind.
const MAX_HEADER: usize = 8 * 1024;

/// The cookies of one run. Clones share them.
#[derive(Clone)]
pub struct Jar {
    shared: Arc<Shared>,
    /// Whether only those go out that came from the very origin they go to.
    for_stranger: bool,
    /// Which other origins get those that a server or a script set elsewhere; `None` for all.
    named: Option<Arc<Named>>,
    /// Those that do so besides.
    trusted: Option<Arc<[Origin]>>,
}

/// Whether the user named the origin of a URL.
type Named = dyn Fn(&Url) -> bool + Send + Sync;

struct Shared {
    cookies: Mutex<Vec<Cookie>>,
    /// Whether there ever was a cookie: a run without any does not even lock.
    used: AtomicBool,
    overflow: Overflow,
    needles: Needles,
    clock: Clock,
}

/// Whether cookies were dropped since there were too many, and whether that was told.
#[derive(Default)]
struct Overflow {
    happened: AtomicBool,
    told: AtomicBool,
}

/// A cookie that is kept. The older of two stands before the younger in its jar.
#[derive(Clone, PartialEq, Eq)]
struct Cookie {
    name: Vec<u8>,
    value: Vec<u8>,
    reach: Reach,
    path: String,
    secure: bool,
    /// Who set it: scheme, host and port.
    origin: String,
    /// Whether it was set in the name of that origin by a script.
    by_hand: bool,
    /// In seconds since 1970; `None` where it lives as long as the jar.
    expires: Option<i64>,
}

/// Why a cookie cannot be set by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCookie {
    /// Its name.
    #[error("the name of a cookie has no `=`, `;`, space or control character, and is not empty")]
    Name,
    /// Its value.
    #[error("the value of a cookie has no `;` and no control character")]
    Value,
    /// Both together.
    #[error("the cookie is larger than {MAX_COOKIE} bytes")]
    Size,
    /// The prefix of its name asks for https.
    #[error("a cookie whose name begins with `__Host-` or `__Secure-` needs an https URL")]
    Prefix,
}

impl Jar {
    /// An empty jar. Every value that is put into it is learnt as a secret.
    #[must_use]
    pub fn new(needles: &Needles, clock: &Clock) -> Self {
        let shared = Shared {
            cookies: Mutex::default(),
            used: AtomicBool::new(false),
            overflow: Overflow::default(),
            needles: needles.clone(),
            clock: clock.clone(),
        };
        Self { shared: Arc::new(shared), for_stranger: false, named: None, trusted: None }
    }

    /// The same jar for the requests of a workflow, which says whom the user named: to all others, such as
    /// a redirect may lead to, only what they set themselves goes.
    #[must_use]
    pub fn naming(self, named: impl Fn(&Url) -> bool + Send + Sync + 'static) -> Self {
        Self { named: Some(Arc::new(named)), ..self }
    }

    /// The same jar for a request that trusts these origins, too (`redirects.trust`).
    #[must_use]
    pub fn trusting(self, trusted: Option<&Arc<[Origin]>>) -> Self {
        Self { trusted: trusted.cloned(), ..self }
    }

    /// The same jar for a request to an origin that the user did not name: what others set stays in it.
    #[must_use]
    pub fn for_stranger(self) -> Self {
        Self { for_stranger: true, ..self }
    }

    /// Whether it is that of [`Jar::for_stranger`].
    #[must_use]
    pub const fn is_for_stranger(&self) -> bool {
        self.for_stranger
    }

    /// Keeps what an answer from `url` sets, as far as it may.
    pub fn store(&self, url: &Url, headers: &HeaderMap) {
        for (at, header) in headers.get_all(SET_COOKIE).iter().enumerate() {
            if at == MAX_PER_RESPONSE {
                self.shared.overflow.happened.store(true, Ordering::Relaxed);
                return;
            }
            self.store_one(url, header.as_bytes());
        }
    }

    fn store_one(&self, url: &Url, header: &[u8]) {
        let now = self.shared.clock.now_seconds();
        let Some(set) = SetCookie::parse(header, now) else { return };
        self.learn(&set.name, &set.value);
        if set.name.len() + set.value.len() > MAX_COOKIE {
            self.shared.overflow.happened.store(true, Ordering::Relaxed);
            return;
        }
        let Some(cookie) = Cookie::new(set, url) else { return };
        let mut cookies = self.lock();
        cookies.retain(|kept| kept.is_alive(now));
        // Who is not encrypted does not touch what was set by who is.
        let guarded = |kept: &Cookie| kept.secure && kept.name == cookie.name && kept.is_for(&cookie, url);
        if url.scheme() != "https" && cookies.iter().any(guarded) {
            return;
        }
        self.put(&mut cookies, cookie, now);
    }

    /// Lets everybody know that a value is a secret.
    fn learn(&self, name: &[u8], value: &[u8]) {
        self.shared.needles.learn(&text(name).into(), &text(value));
    }

    /// Puts a cookie in its place among those of the jar.
    fn put(&self, cookies: &mut Vec<Cookie>, cookie: Cookie, now: i64) {
        let dropped = put(cookies, cookie, now);
        self.shared.overflow.happened.fetch_or(dropped, Ordering::Relaxed);
        self.shared.used.store(true, Ordering::Release);
    }

    /// The `Cookie` header of a request to `url`: what the request has of its own, and behind it
    /// what the jar has of other names. `None` where the jar adds nothing.
    #[must_use]
    pub fn header(&self, url: &Url, own: &HeaderMap) -> Option<HeaderValue> {
        if !self.shared.used.load(Ordering::Acquire) {
            return None;
        }
        let own: Vec<&[u8]> = own.get_all(COOKIE).iter().map(HeaderValue::as_bytes).collect();
        let taken = |name: &[u8]| own.iter().any(|pairs| names(pairs).any(|own| own == name));
        let to = self.visit(url);
        let cookies = self.lock();
        let lends = self.lends(url);
        let fitting = cookies.iter().enumerate().rev();
        let fitting =
            fitting.filter(|(_, cookie)| cookie.is_sent(&to) && lends(cookie) && !taken(&cookie.name));
        let mut room = MAX_HEADER;
        let mut kept = Vec::new();
        for (at, cookie) in fitting {
            let size = cookie.name.len() + cookie.value.len() + 3;
            if size > room {
                self.shared.overflow.happened.store(true, Ordering::Relaxed);
                break;
            }
            room -= size;
            kept.push((at, cookie));
        }
        if kept.is_empty() {
            return None;
        }
        // Longer paths first, then the older (RFC 6265, 5.4).
        kept.sort_by_key(|(at, cookie)| (std::cmp::Reverse(cookie.path.len()), *at));
        let mut pairs = own.join(&b"; "[..]);
        for (_, cookie) in kept {
            if !pairs.is_empty() {
                pairs.extend_from_slice(b"; ");
            }
            pairs.extend_from_slice(&cookie.name);
            pairs.push(b'=');
            pairs.extend_from_slice(&cookie.value);
        }
        let mut header = HeaderValue::from_bytes(&pairs).ok()?;
        header.set_sensitive(true);
        Some(header)
    }

    /// Whether a cookie stays behind that by RFC 6265 alone would go to `url`.
    #[must_use]
    pub fn withholds(&self, url: &Url) -> bool {
        if !self.shared.used.load(Ordering::Acquire) {
            return false;
        }
        let to = self.visit(url);
        let lends = self.lends(url);
        let held = |cookie: &Cookie| cookie.reaches(&to) && !(cookie.may_leave(url) && lends(cookie));
        self.lock().iter().any(held)
    }

    /// Whether a cookie that goes to `url` is for this request, too. Who was named is asked once at most.
    fn lends<'a>(&'a self, url: &'a Url) -> impl Fn(&Cookie) -> bool + 'a {
        let (all, own) = (OnceCell::new(), OnceCell::new());
        let knows = || !self.for_stranger && self.knows(url);
        move |cookie| {
            *all.get_or_init(knows) || !cookie.by_hand && cookie.origin == *own.get_or_init(|| origin(url))
        }
    }

    fn knows(&self, url: &Url) -> bool {
        let Some(named) = &self.named else { return true };
        named(url) || self.trusted.as_ref().is_some_and(|trusted| trusted.contains(&url.origin()))
    }

    /// The value of a cookie that would go to `url`.
    #[must_use]
    pub fn get(&self, url: &Url, name: &str) -> Option<String> {
        let to = self.visit(url);
        let cookies = self.lock();
        let named = cookies.iter().filter(|kept| kept.name == name.as_bytes() && kept.is_sent(&to));
        named.rev().max_by_key(|kept| kept.path.len()).map(|kept| text(&kept.value))
    }

    /// Sets a cookie as the server of `url` would for all its paths. One that would go there
    /// already gets the new value and keeps its reach.
    ///
    /// # Errors
    /// [`InvalidCookie`], where no such cookie can be sent.
    pub fn set(&self, url: &Url, name: &str, value: &str) -> Result<(), InvalidCookie> {
        let odd = |byte: u8| is_odd(byte) || matches!(byte, b'\t' | b';');
        if name.is_empty() || name.bytes().any(|byte| odd(byte) || byte == b'=' || byte == b' ') {
            return Err(InvalidCookie::Name);
        }
        if value.bytes().any(odd) {
            return Err(InvalidCookie::Value);
        }
        if name.len() + value.len() > MAX_COOKIE {
            return Err(InvalidCookie::Size);
        }
        self.shared.needles.learn(&name.into(), value);
        let to = self.visit(url);
        let mut cookies = self.lock();
        let mut found = false;
        for kept in cookies.iter_mut().filter(|kept| kept.name == name.as_bytes() && kept.is_sent(&to)) {
            kept.value = value.into();
            kept.by_hand = true;
            found = true;
        }
        if !found {
            let set = SetCookie {
                name: name.into(),
                value: value.into(),
                path: Some("/".to_owned()),
                secure: url.scheme() == "https",
                ..SetCookie::default()
            };
            let cookie = Cookie::new(set, url).ok_or(InvalidCookie::Prefix)?;
            self.put(&mut cookies, Cookie { by_hand: true, ..cookie }, to.now);
        }
        Ok(())
    }

    /// Removes the cookies of this name that would go to `url`; whether there were any.
    #[must_use]
    pub fn remove(&self, url: &Url, name: &str) -> bool {
        let to = self.visit(url);
        let mut cookies = self.lock();
        let before = cookies.len();
        cookies.retain(|kept| !(kept.name == name.as_bytes() && kept.is_sent(&to)));
        cookies.len() < before
    }

    /// A request to `url` now.
    fn visit<'u>(&self, url: &'u Url) -> Visit<'u> {
        Visit { url, host: host(url), now: self.shared.clock.now_seconds() }
    }

    /// That cookies were dropped since there were too many or too large ones; told once.
    #[must_use]
    pub fn warning(&self) -> Option<String> {
        let overflow = &self.shared.overflow;
        let tell = overflow.happened.load(Ordering::Relaxed) && !overflow.told.swap(true, Ordering::Relaxed);
        tell.then(|| "some cookies were left out: too many or too large".to_owned())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Cookie>> {
        self.shared.cookies.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Jar {
    /// Not what is in it: every value may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jar").field("cookies", &self.lock().len()).finish_non_exhaustive()
    }
}

/// Where a cookie may go, and when. What is known of it is made once for all cookies.
struct Visit<'u> {
    url: &'u Url,
    host: Option<String>,
    now: i64,
}

impl Cookie {
    /// The cookie that an answer from `url` sets; `None` where it may not.
    fn new(set: SetCookie, url: &Url) -> Option<Self> {
        let is_https = url.scheme() == "https";
        if set.secure && !is_https || !set.keeps_its_prefix() {
            return None;
        }
        let reach = Reach::new(set.domain.as_deref(), url)?;
        let path = set.path.unwrap_or_else(|| default_path(url));
        let (name, value, secure, expires) = (set.name, set.value, set.secure, set.expires);
        Some(Self { name, value, reach, path, secure, origin: origin(url), by_hand: false, expires })
    }

    /// Whether it goes there.
    fn is_sent(&self, to: &Visit<'_>) -> bool {
        self.reaches(to) && self.may_leave(to.url)
    }

    /// Whether it is never sent in the clear after it came encrypted. RFC 6265 asks that of `Secure`
    /// cookies alone, and many a server forgets the word.
    fn may_leave(&self, url: &Url) -> bool {
        url.scheme() == "https" || !self.origin.starts_with("https:")
    }

    /// Whether RFC 6265 (5.4) sends it there.
    fn reaches(&self, to: &Visit<'_>) -> bool {
        self.is_alive(to.now)
            && (!self.secure || to.url.scheme() == "https")
            && path_matches(&self.path, to.url.path())
            && to.host.as_deref().is_some_and(|host| self.reach.covers(host))
    }

    fn is_alive(&self, now: i64) -> bool {
        self.expires.is_none_or(|expires| expires > now)
    }

    /// Whether both would go to one place (RFC 6265bis, 5.7, step 16).
    fn is_for(&self, other: &Self, url: &Url) -> bool {
        let meets = self.reach.covers(&other.reach.domain)
            || other.reach.covers(&self.reach.domain)
            || host(url).is_some_and(|host| self.reach.covers(&host));
        meets && path_matches(&self.path, &other.path)
    }
}

/// Puts a cookie in its place, or takes it out where it has expired; whether another one had to go
/// for it.
fn put(cookies: &mut Vec<Cookie>, cookie: Cookie, now: i64) -> bool {
    let same = |kept: &Cookie| {
        kept.name == cookie.name && kept.reach.domain == cookie.reach.domain && kept.path == cookie.path
    };
    let place = cookies.iter().position(same);
    match place {
        Some(at) if !cookie.is_alive(now) => {
            cookies.remove(at);
            false
        }
        Some(at) => {
            cookies[at] = cookie;
            false
        }
        None if !cookie.is_alive(now) => false,
        None => {
            let domain = |kept: &Cookie| kept.reach.domain == cookie.reach.domain;
            let crowded = cookies.iter().filter(|kept| domain(kept)).count() >= MAX_PER_DOMAIN;
            let oldest = if crowded { cookies.iter().position(domain) } else { Some(0) };
            let full = crowded || cookies.len() >= MAX_COOKIES;
            if let (true, Some(oldest)) = (full, oldest) {
                cookies.remove(oldest);
            }
            cookies.push(cookie);
            full
        }
    }
}

fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// The folder of the request's path (RFC 6265, 5.1.4).
fn default_path(url: &Url) -> String {
    match url.path().rfind('/') {
        None | Some(0) => "/".to_owned(),
        Some(end) => url.path()[..end].to_owned(),
    }
}

/// Whether a request to this path gets a cookie of that one (RFC 6265, 5.1.4).
fn path_matches(cookie: &str, request: &str) -> bool {
    let rest = request.strip_prefix(cookie);
    rest.is_some_and(|rest| rest.is_empty() || cookie.ends_with('/') || rest.starts_with('/'))
}

/// The names in a `Cookie` header.
fn names(pairs: &[u8]) -> impl Iterator<Item = &[u8]> {
    pairs.split(|byte| *byte == b';').map(|pair| {
        let name = pair.split(|byte| *byte == b'=').next().unwrap_or_default();
        name.trim_ascii()
    })
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

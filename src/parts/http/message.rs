//! A rendered request and the answer to it.
//!
//! A [`Request`] holds bytes. Two things are asked only while it is sent, since a redirect may lead it
//! elsewhere: its jar, and the secrets that are known. Headers that carry a credential are marked
//! `sensitive`, so that a redirect or a renderer knows them without knowing their names.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use indexmap::IndexMap;
use reqwest::header::{
    ACCEPT_ENCODING, CONTENT_LOCATION, COOKIE, HeaderMap, HeaderName, HeaderValue, LOCATION, RANGE, REFERER,
    SET_COOKIE,
};
use reqwest::{Method, Version};
use url::{Origin, Url};

use crate::ground::json::MOST_VALUES;
use crate::ground::secret::Needles;
use crate::ground::secret::name::is_secret_header;
use crate::ground::value::Value;
use crate::parts::http::channel::Channel;
use crate::parts::http::charset;
use crate::parts::http::cookies::Jar;
use crate::parts::http::decode;
use crate::parts::http::media::ContentType;
use crate::parts::http::origin::place;

/// What is to be sent.
#[derive(Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// Where to, query included. Never holds a user name or password.
    pub url: Url,
    /// The headers in the order of the text. Credentials are marked sensitive.
    pub headers: HeaderMap,
    /// The exact bytes of the body.
    pub body: Option<Bytes>,
    /// Whether the body, or the query, holds a secret: such a request is not sent to an origin
    /// that the user did not name.
    pub secret_inside: bool,
    /// How the exchange is limited.
    pub limits: Limits,
    /// How it travels; `None` where nothing was said of it.
    pub channel: Option<Arc<Channel>>,
    /// The cookies that go with it, and where those are kept that come back; `None` for neither.
    pub jar: Option<Jar>,
    /// The secrets that are known: a header that holds one goes to no other origin. Asked for where a
    /// redirect leads to one.
    pub needles: Option<Needles>,
}

impl Request {
    /// A request with a method and a URL, and with nothing else; its limits are the usual ones.
    #[must_use]
    pub fn new(method: Method, url: Url) -> Self {
        Self {
            method,
            url,
            headers: HeaderMap::new(),
            body: None,
            secret_inside: false,
            limits: Limits::default(),
            channel: None,
            jar: None,
            needles: None,
        }
    }

    /// The codings that the server is told we take (RFC 9110, 12.5.3); `None` where the request
    /// has a header of its own. Part of an encoded body can be decoded by nobody.
    #[must_use]
    pub fn accepted(&self) -> Option<&'static str> {
        if self.headers.contains_key(ACCEPT_ENCODING) {
            None
        } else if self.headers.contains_key(RANGE) {
            Some("identity")
        } else {
            Some(decode::ACCEPTED)
        }
    }

    /// The cookies that go with it: those of the jar behind its own.
    #[must_use]
    pub fn cookie(&self) -> Option<HeaderValue> {
        let kept = self.jar.as_ref().and_then(|jar| jar.header(&self.url, &self.headers));
        kept.or_else(|| self.headers.get(COOKIE).cloned())
    }

    /// Whether a text holds a secret that is known, in any form.
    #[must_use]
    pub fn knows_secret_in(&self, text: &[u8]) -> bool {
        self.needles.as_ref().is_some_and(|needles| needles.stands_in(text))
    }

    /// Whether a header carries a credential: by its mark, by its name, or by what it says. A secret may
    /// have come into it unmarked, as the echo of a server or as a literal that stands elsewhere, too.
    #[must_use]
    pub fn carries_credential(&self, name: &HeaderName, value: &HeaderValue) -> bool {
        value.is_sensitive() || is_credential(name) || self.knows_secret_in(value.as_bytes())
    }

    /// Marks every header that carries a credential.
    pub fn mark_credentials(&mut self) {
        let mut headers = std::mem::take(&mut self.headers);
        for (name, value) in &mut headers {
            value.set_sensitive(self.carries_credential(name, value));
        }
        self.headers = headers;
    }
}

impl fmt::Debug for Request {
    /// Where to, and no more: query and body may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("to", &place(&self.url))
            .finish_non_exhaustive()
    }
}

/// Whether a header carries a credential by its name alone.
#[must_use]
pub fn is_credential(name: &HeaderName) -> bool {
    is_secret_header(name.as_str())
}

/// Whether a header holds a URL.
#[must_use]
pub fn holds_url(name: &HeaderName) -> bool {
    [LOCATION, CONTENT_LOCATION, REFERER].contains(name)
}

/// Why a header is not for whoever writes a request, and what to do; `None` where it is. Some frame
/// the message (RFC 9112, 6): a wrong one would cut it short, or hide a second request in it. Others
/// are about one connection (RFC 9110, 7.6.1), which is the client's own.
#[must_use]
pub fn reserved(name: &HeaderName) -> Option<(&'static str, &'static str)> {
    match name.as_str() {
        "content-length" => Some(("is counted by the client, which knows the body", "leave it out")),
        "transfer-encoding" => Some(("is set by the client: it says where the message ends", "leave it out")),
        "connection" | "keep-alive" | "proxy-connection" | "te" | "trailer" | "upgrade" => {
            let help = "leave it out: connections are kept and closed by themselves";
            Some(("is about the connection, which is the client's own", help))
        }
        _ => None,
    }
}

/// How many times the largest header all headers together may have.
pub const ALL_HEADERS: u64 = 4;

/// The limits of one exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// From the first byte out to the last byte in, redirects included.
    pub timeout: Duration,
    /// For one connection: name look-up, TCP and TLS together.
    pub connect_timeout: Duration,
    /// The largest body that is read, in bytes.
    pub max_body: u64,
    /// The most headers that an answer may have.
    pub headers: u32,
    /// The largest header of an answer, in bytes of its value; all together may have
    /// [`ALL_HEADERS`] times as much.
    pub header_size: u64,
    /// For the head of the answer to one request, its connection included; `None` for no limit
    /// but `timeout`.
    pub first_byte: Option<Duration>,
    /// Between two pieces of a body; `None` for no limit but `timeout`.
    pub idle: Option<Duration>,
    /// How many times larger than what came a decoded body may be, beyond its first MiB.
    pub ratio: u32,
    /// The most values that an answer may have in its JSON.
    pub values: u32,
    /// How many redirects are followed; 0 gives back the redirect itself.
    pub max_redirects: u32,
    /// The origins that credentials and bodies may follow a redirect to.
    pub trust: Option<Arc<[Origin]>>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(10),
            max_body: 32 * 1024 * 1024,
            headers: 100,
            header_size: 64 * 1024,
            first_byte: None,
            idle: None,
            ratio: 200,
            values: MOST_VALUES,
            max_redirects: 10,
            trust: None,
        }
    }
}

/// What a server answered.
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The protocol that was spoken.
    pub version: Version,
    /// The headers as they came.
    pub headers: HeaderMap,
    /// The whole body, decoded.
    pub body: Bytes,
    /// How many bytes came of the body where it was encoded (RFC 9110, 8.4); `None` where it came
    /// as it is.
    pub encoded: Option<u64>,
    /// Where it came from in the end, after redirects.
    pub url: Url,
    /// The redirects that were followed on the way, oldest first.
    pub hops: Vec<Hop>,
    /// How long it took.
    pub timing: Timing,
    /// What is known of the certificate that the server showed; `None` over `http://`.
    pub certificate: Option<Certificate>,
    json: OnceLock<Result<Value, String>>,
    cookies: OnceLock<IndexMap<Arc<str>, Arc<str>>>,
}

impl Response {
    /// An answer from its pieces.
    #[must_use]
    pub fn new(status: u16, headers: HeaderMap, body: Bytes, url: Url) -> Self {
        Self {
            status,
            version: Version::HTTP_11,
            headers,
            body,
            encoded: None,
            url,
            hops: Vec::new(),
            timing: Timing::default(),
            certificate: None,
            json: OnceLock::new(),
            cookies: OnceLock::new(),
        }
    }

    /// The body as JSON, parsed when first asked for.
    ///
    /// # Errors
    /// Why it is not JSON, in `serde_json`'s words.
    pub fn json(&self) -> Result<&Value, &str> {
        let parse = || Value::from_counted_json(&self.body).map_err(|error| error.to_string());
        self.json.get_or_init(parse).as_ref().map_err(String::as_str)
    }

    /// The body as text, by the charset that its `Content-Type` names; what is no text in it is
    /// replaced by U+FFFD.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        charset::text(&self.body, ContentType::of(&self.headers)).text
    }

    /// The first bytes of the body as text, at most so many, and the charset that some of them are
    /// no text in.
    #[must_use]
    pub fn beginning(&self, most: usize) -> (Cow<'_, str>, Option<&'static str>) {
        let beginning = &self.body[..self.body.len().min(most)];
        let text = charset::text(beginning, ContentType::of(&self.headers));
        (text.text, text.lossy)
    }

    /// A header's value; several of one name are joined by `, `. Bytes that are no text are
    /// replaced by U+FFFD.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        let values: Vec<_> = self
            .headers
            .get_all(name)
            .iter()
            .map(|value| String::from_utf8_lossy(value.as_bytes()))
            .collect();
        (!values.is_empty()).then(|| values.join(", "))
    }

    /// The media type without its parameters, in lower case.
    #[must_use]
    pub fn media_type(&self) -> Option<String> {
        ContentType::of(&self.headers).media_type().map(str::to_ascii_lowercase)
    }

    /// The cookies that this answer sets, and the redirects on the way to it: name and value as they
    /// stand on the wire. A login often sets its cookie with a redirect. The last of a name counts.
    #[must_use]
    pub fn cookies(&self) -> &IndexMap<Arc<str>, Arc<str>> {
        self.cookies.get_or_init(|| {
            let on_the_way = self.hops.iter().flat_map(|hop| &hop.set_cookies);
            let pairs = on_the_way.chain(self.headers.get_all(SET_COOKIE)).filter_map(|value| {
                let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
                let pair = value.split(';').next()?;
                let (name, value) = pair.split_once('=')?;
                Some((Arc::from(name.trim()), Arc::from(value.trim())))
            });
            pairs.collect()
        })
    }
}

impl fmt::Debug for Response {
    /// Headers and body may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// One redirect that was followed.
#[derive(Clone, PartialEq, Eq)]
pub struct Hop {
    /// The status that sent us on.
    pub status: u16,
    /// Where the request had gone.
    pub from: Url,
    /// Where it was sent on to.
    pub to: Url,
    /// Whether credentials were left behind, since the origin changed.
    pub dropped_credentials: bool,
    /// The `Set-Cookie` headers that came with the redirect.
    pub set_cookies: Vec<HeaderValue>,
}

impl fmt::Debug for Hop {
    /// From where to where, and no more: queries may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hop")
            .field("status", &self.status)
            .field("from", &place(&self.from))
            .field("to", &place(&self.to))
            .finish_non_exhaustive()
    }
}

/// What is known of the certificate that a server showed (X.509, RFC 5280).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// When it ends to be valid, in seconds since 1970.
    pub not_after: i64,
}

/// How long each part of an exchange took.
#[derive(Debug, Clone, Copy, Default)]
pub struct Timing {
    /// Looking up the name. `None` where a connection was used again.
    pub dns: Option<Duration>,
    /// TCP and TLS, the look-up included. `None` where a connection was used again.
    pub connect: Option<Duration>,
    /// From the start to the first byte of the answer.
    pub first_byte: Duration,
    /// From the start to the last byte of the answer, redirects included.
    pub total: Duration,
}

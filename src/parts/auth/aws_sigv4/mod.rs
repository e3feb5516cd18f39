//! Signature Version 4 of Amazon Web Services.
//!
//! The rules are those of "Create a signed AWS API request" in the reference of IAM, tried with
//! AWS's own test suite. What is signed is what is sent: the URL, headers and bytes of the body
//! once nothing changes them any more.

use std::collections::BTreeMap;

use percent_encoding::{percent_decode_str, percent_encode};
use reqwest::header::{AUTHORIZATION, HOST, HeaderName, HeaderValue};
use ring::{digest, hmac};
use url::Url;

use crate::ground::encode;
use crate::ground::read::Reading;
use crate::ground::yaml::Node;
use crate::parts::auth::Scheme;
use crate::parts::auth::credential::{SketchedCredential, learn_proof, set_credential};
use crate::parts::auth::part::Part;
use crate::parts::http::Request;
use crate::parts::scope::Scope;
use crate::parts::template::{Error, Mention, Sketcher};

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const DATE: HeaderName = HeaderName::from_static("x-amz-date");
const TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");
const CONTENT: HeaderName = HeaderName::from_static("x-amz-content-sha256");
/// What is added or changed on the way, and so cannot be signed.
const UNSIGNED: [&str; 8] = [
    "authorization",
    "connection",
    "content-length",
    "cookie",
    "expect",
    "transfer-encoding",
    "user-agent",
    "x-amzn-trace-id",
];

/// `aws_sigv4: { access_key, secret_key, token, region, service }`.
#[derive(Debug, Clone)]
pub struct AwsSigv4 {
    access_key: Part,
    secret_key: Part,
    token: Option<Part>,
    region: Part,
    service: Part,
}

impl AwsSigv4 {
    pub(super) fn read(node: &Node, reading: &Reading) -> Option<Self> {
        let keys = ["access_key", "secret_key", "token", "region", "service"];
        let fields = reading.fields(node, "aws_sigv4", &keys, &[])?;
        let part = |name: &str| {
            let value = fields.required(name, || {
                let help =
                    "write `aws_sigv4: { access_key: …, secret_key: …, region: eu-west-1, service: s3 }`";
                reading.error_with(fields.span, format!("`aws_sigv4` needs `{name}`"), help);
            });
            Part::read(value?, name, reading)
        };
        let (access_key, secret_key) = (part("access_key"), part("secret_key"));
        let (region, service) = (part("region"), part("service"));
        let token = fields.optional("token", |node| Part::read(node, "token", reading));
        Some(Self {
            access_key: access_key?,
            secret_key: secret_key?,
            token: token?,
            region: region?,
            service: service?,
        })
    }
}

impl Scheme for AwsSigv4 {
    fn apply(&self, request: &mut Request, scope: &Scope) -> Result<(), Error> {
        let access_key = self.access_key.text(scope, "access_key")?;
        let secret_key = self.secret_key.text(scope, "secret_key")?;
        let (Some(access_key), Some(secret_key)) = (access_key, secret_key) else { return Ok(()) };
        let token = match &self.token {
            Some(token) => token.text(scope, "token")?,
            None => None,
        };
        if let (Some(token), Some(part)) = (&token, &self.token) {
            set_credential(request, TOKEN, &token.value, part.span)?;
        }
        let signer = Signer {
            access_key: &access_key.value,
            secret_key: &secret_key.value,
            region: &self.region.word(scope, "region")?,
            service: &self.service.word(scope, "service")?,
        };
        let time = encode::strftime(scope.clock.now_seconds(), "%Y%m%dT%H%M%SZ")
            .map_err(|why| Error::new(self.access_key.span, format!("the time cannot be signed: {why}")))?;
        let authorization = signer.sign(request, &time);
        learn_proof("Signature", &authorization, scope);
        set_credential(request, AUTHORIZATION, &authorization, self.access_key.span)
    }

    fn reads(&self, visit: &mut dyn FnMut(Mention<'_>)) {
        let parts = [&self.access_key, &self.secret_key, &self.region, &self.service];
        parts.into_iter().chain(&self.token).for_each(|part| part.tree.reads(visit));
    }

    fn sketch(&self, _: &Sketcher<'_>) -> SketchedCredential {
        SketchedCredential::later("`aws_sigv4` signs it when it is sent")
    }
}

impl Part {
    /// A text that is no secret and must be there.
    fn word(&self, scope: &Scope, what: &str) -> Result<String, Error> {
        let text = self.tree.value(scope)?.value.to_text();
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if !text.is_empty() && text != "null" && text.bytes().all(is_word) {
            return Ok(text);
        }
        let message = format!("`{what}` of `aws_sigv4` must be one word of letters, digits and `-`");
        Err(Error::new(self.span, message))
    }
}

struct Signer<'s> {
    access_key: &'s str,
    secret_key: &'s str,
    region: &'s str,
    service: &'s str,
}

impl Signer<'_> {
    /// Puts the date in, and for Amazon S3 the hash of the body; gives the value of `Authorization`.
    fn sign(&self, request: &mut Request, time: &str) -> String {
        let body = request.body.as_deref().unwrap_or_default();
        let hash = encode::hex(digest::digest(&digest::SHA256, body).as_ref());
        if let Ok(date) = HeaderValue::from_str(time) {
            request.headers.insert(DATE, date);
        }
        // Whoever sets the header has a reason: Amazon S3 takes `UNSIGNED-PAYLOAD` there.
        if self.is_s3()
            && !request.headers.contains_key(CONTENT)
            && let Ok(hash) = HeaderValue::from_str(&hash)
        {
            request.headers.insert(CONTENT, hash);
        }
        let stated = request.headers.get(CONTENT).and_then(|value| value.to_str().ok());
        let hash = stated.map_or(hash, str::to_owned);
        let headers = canonical_headers(request);
        let names = headers.keys().map(String::as_str).collect::<Vec<_>>().join(";");
        let lines: Vec<String> = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let lines = lines.concat();
        let path =
            if self.is_s3() { encoded_once(request.url.path()) } else { normalised(request.url.path()) };
        let query = canonical_query(request.url.query().unwrap_or_default());
        let method = request.method.as_str();
        let canonical = format!("{method}\n{path}\n{query}\n{lines}\n{names}\n{hash}");
        let day = time.get(..8).unwrap_or(time);
        let scope = format!("{day}/{}/{}/aws4_request", self.region, self.service);
        let hash = encode::hex(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref());
        let signature = self.signature(day, &format!("{ALGORITHM}\n{time}\n{scope}\n{hash}"));
        format!(
            "{ALGORITHM} Credential={}/{scope}, SignedHeaders={names}, Signature={signature}",
            self.access_key
        )
    }

    fn signature(&self, day: &str, to_sign: &str) -> String {
        let first = format!("AWS4{}", self.secret_key).into_bytes();
        let key =
            [day, self.region, self.service, "aws4_request"].iter().fold(first, |key, part| mac(&key, part));
        encode::hex(&mac(&key, to_sign))
    }

    fn is_s3(&self) -> bool {
        matches!(self.service, "s3" | "s3-object-lambda" | "s3-outposts" | "s3express")
    }
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
}

/// Names in lower case and in order; values trimmed, blanks within them collapsed, several of one
/// name joined by a comma.
fn canonical_headers(request: &Request) -> BTreeMap<String, String> {
    let mut headers = BTreeMap::new();
    headers.insert(HOST.as_str().to_owned(), host(&request.url));
    for name in request.headers.keys().filter(|name| !UNSIGNED.contains(&name.as_str())) {
        let values = request.headers.get_all(name).iter().map(|value| {
            let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
            text.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
        });
        headers.insert(name.as_str().to_owned(), values.collect::<Vec<_>>().join(","));
    }
    headers
}

/// What will be sent as `Host` where the user sets none.
fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Every name and value encoded anew, in the order of their bytes.
fn canonical_query(query: &str) -> String {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let mut pairs: Vec<(String, String)> = pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (encoded_anew(name), encoded_anew(value))
        })
        .collect();
    pairs.sort();
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

fn encoded_anew(text: &str) -> String {
    let bytes: Vec<u8> = percent_decode_str(text).collect();
    percent_encode(&bytes, &encode::UNRESERVED).to_string()
}

/// Amazon S3 knows objects by their exact names: the path is left as it is, encoded once.
fn encoded_once(path: &str) -> String {
    let path = path.split('/').map(encoded_anew).collect::<Vec<_>>().join("/");
    if path.is_empty() { "/".to_owned() } else { path }
}

/// Every other service: `.`, `..` and empty segments resolved (RFC 3986, section 5.2.4), and what
/// is sent, encoded already, is encoded once more.
fn normalised(path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            segment => segments.push(segment),
        }
    }
    let encoded: Vec<String> = segments.iter().map(|segment| format!("/{}", encode::url(segment))).collect();
    let encoded = encoded.concat();
    if encoded.is_empty() || path.ends_with('/') { format!("{encoded}/") } else { encoded }
}

#[cfg(test)]
mod tests;

//! A request as a `curl` command line that does the same, for any POSIX shell.
//!
//! A variable of the shell stands for each secret, so that a command can be passed on. A variable
//! stands for exactly the text that was sent in its place: filled with it, the command sends the
//! same bytes. Who calls curl differs in `User-Agent`, and asks for no compressed answer.

mod hidden;
mod shell;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HeaderName, HeaderValue};
use url::Url;

use crate::ground::encode::{self, Spelling};
use crate::ground::secret::Needles;
use crate::parts::http::channel::{Channel, HttpVersion};
use crate::parts::http::curl::hidden::Secrets;
use crate::parts::http::curl::shell::Shell;
use crate::parts::http::message::{Limits, Request, is_credential};

/// The largest body that a command shows, in bytes: a shell takes no argument that is much longer.
const LARGEST: usize = 64 * 1024;

/// A piece of a text that is told to people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// What may be seen.
    Text(String),
    /// What may not, or is not known: a variable stands for it.
    Hidden(Hidden),
}

/// What a variable of the shell stands for.
#[derive(Clone, PartialEq, Eq)]
pub struct Hidden {
    /// What it is called.
    pub name: Arc<str>,
    /// What tells it from others of its name: the text that stands there, or its template.
    pub key: Box<str>,
    /// In which form it is wanted.
    pub form: Spelling,
}

impl std::fmt::Debug for Hidden {
    /// Not the key: it is the secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hidden").field("name", &self.name).field("form", &self.form).finish_non_exhaustive()
    }
}

impl Hidden {
    /// A secret that stands there in some form of its own text.
    #[must_use]
    pub fn of(name: &Arc<str>, written: &str, own: &str) -> Self {
        hidden::hidden(name, written, own)
    }

    /// Something in its own form.
    pub fn new(name: impl Into<Arc<str>>, key: &str) -> Self {
        Self { name: name.into(), key: key.into(), form: Spelling::Own }
    }
}

impl Piece {
    /// A text, taken apart by the secrets that stand in it; `known` are those of [`command`].
    #[must_use]
    pub fn of(text: &str, needles: &Needles, known: &[(Arc<str>, String)]) -> Vec<Self> {
        Secrets::new(needles, known).pieces(text)
    }
}

/// A body, as far as a command can have it.
#[derive(Debug, Clone)]
pub enum Content {
    /// None.
    None,
    /// A text.
    Text(Vec<Piece>),
    /// Bytes that are no text.
    Bytes(Vec<u8>),
    /// One that the reader must put into the file `body`, and why.
    Elsewhere(String),
}

/// What a command is made of.
#[derive(Debug)]
pub struct Outline<'r> {
    /// The method.
    pub method: &'r Method,
    /// Where to, query included.
    pub url: Vec<Piece>,
    /// The same, where it is known: for `resolve`.
    pub target: Option<&'r Url>,
    /// User name and password of Basic.
    pub user: Option<Vec<Piece>>,
    /// All headers, `Cookie` among them.
    pub headers: Vec<(String, Vec<Piece>)>,
    /// The body.
    pub body: Content,
    /// The limits of the exchange.
    pub limits: &'r Limits,
    /// The way.
    pub channel: Option<&'r Channel>,
    /// Whether the server's certificate is not checked.
    pub unchecked: bool,
}

/// The command for a request. `known` are secrets that are too short to be searched for in every
/// text, by name: in what is sent they are found all the same. `unchecked` says that the server's
/// certificate is not checked.
#[must_use]
pub fn command(
    request: &Request,
    needles: &Needles,
    known: &[(Arc<str>, String)],
    unchecked: bool,
) -> String {
    let secrets = Secrets::of(request, needles, known);
    let mut url = request.url.clone();
    url.set_fragment(None);
    let mut user = None;
    let mut headers = Vec::with_capacity(request.headers.len() + 1);
    for (name, value) in request.headers.iter().filter(|(name, _)| *name != COOKIE) {
        if *name == AUTHORIZATION && user.is_none() {
            user = basic(value, &secrets);
            if user.is_some() {
                continue;
            }
        }
        headers.push((name.as_str().to_owned(), header(name, value, &secrets)));
    }
    headers.extend(request.cookie().map(|value| (COOKIE.as_str().to_owned(), cookie(&value))));
    let outline = Outline {
        method: &request.method,
        url: secrets.pieces(url.as_str()),
        target: Some(&request.url),
        user,
        headers,
        body: content(request.body.as_deref(), &secrets),
        limits: &request.limits,
        channel: request.channel.as_deref(),
        unchecked: unchecked || request.channel.as_deref().is_some_and(Channel::is_insecure),
    };
    outline.command(needles)
}

/// The user name and password of a Basic credential.
fn basic(value: &HeaderValue, secrets: &Secrets<'_>) -> Option<Vec<Piece>> {
    let credential = value.to_str().ok()?.strip_prefix("Basic ")?;
    let text = String::from_utf8(encode::base64_decode(credential).ok()?).ok()?;
    let (user, password) = text.split_once(':')?;
    let mut pieces = secrets.pieces(user);
    pieces.push(Piece::Text(":".to_owned()));
    pieces.push(Piece::Hidden(secrets.whole(password, "password")));
    Some(pieces)
}

/// The value of a header. Of a credential only the word before it is shown.
fn header(name: &HeaderName, value: &HeaderValue, secrets: &Secrets<'_>) -> Vec<Piece> {
    let text = String::from_utf8_lossy(value.as_bytes());
    let pieces = secrets.pieces(&text);
    if !value.is_sensitive() && !is_credential(name) {
        return pieces;
    }
    let is_scheme = |text: &str| {
        text.strip_suffix(' ').is_some_and(|word| word.bytes().all(|byte| byte.is_ascii_alphabetic()))
    };
    let fits = match pieces.as_slice() {
        [Piece::Hidden(hidden)] => hidden.form == Spelling::Own,
        [Piece::Text(scheme), Piece::Hidden(hidden)] => is_scheme(scheme) && hidden.form == Spelling::Own,
        _ => false,
    };
    if fits { pieces } else { vec![Piece::Hidden(Hidden::new(name.as_str(), &text))] }
}

/// The names of the cookies; their values are secrets.
fn cookie(value: &HeaderValue) -> Vec<Piece> {
    let text = String::from_utf8_lossy(value.as_bytes());
    let mut pieces = Vec::new();
    for (at, pair) in text.split(';').map(str::trim).enumerate() {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        pieces.push(Piece::Text(format!("{}{name}=", if at == 0 { "" } else { "; " })));
        pieces.push(Piece::Hidden(Hidden::new(name, value)));
    }
    pieces
}

fn content(body: Option<&[u8]>, secrets: &Secrets<'_>) -> Content {
    let Some(bytes) = body else { return Content::None };
    if bytes.len() > LARGEST {
        return Content::Elsewhere(format!("the body has {} bytes, too many for a command", bytes.len()));
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Content::Text(secrets.pieces(text)),
        Err(_) if secrets.stands_in(bytes) => {
            Content::Elsewhere("the body is no text, and a secret stands in it".to_owned())
        }
        Err(_) => Content::Bytes(bytes.to_vec()),
    }
}

impl Outline<'_> {
    /// The command in one line, behind comments that say what is to be done first.
    #[must_use]
    pub fn command(&self, needles: &Needles) -> String {
        let mut shell = Shell::default();
        shell.word("curl");
        self.method(&mut shell);
        shell.pieces(&self.url);
        self.way(&mut shell);
        if let Some(user) = &self.user {
            shell.option("--user", user);
        }
        self.headers(&mut shell);
        self.body(&mut shell);
        let text = shell.finish();
        // Whatever is left of a secret in any form must not be shown; that is better than a
        // command which is none any more.
        if needles.find(&text).is_empty() {
            text
        } else {
            "# no curl command: a secret would stand in it".to_owned()
        }
    }

    fn method(&self, shell: &mut Shell) {
        let usual = if matches!(self.body, Content::None) { Method::GET } else { Method::POST };
        if *self.method == Method::HEAD {
            shell.word("--head");
        } else if *self.method != usual {
            shell.option("--request", &[Piece::Text(self.method.as_str().to_owned())]);
        }
        let is_globbed =
            |piece: &Piece| matches!(piece, Piece::Text(text) if text.contains(['[', ']', '{', '}']));
        if self.url.iter().any(is_globbed) {
            shell.word("--globoff");
        }
    }

    fn headers(&self, shell: &mut Shell) {
        for (name, value) in &self.headers {
            let is_empty = value.iter().all(|piece| matches!(piece, Piece::Text(text) if text.is_empty()));
            // curl takes `Name:` for a wish to leave the header out.
            let name = if is_empty { format!("{name};") } else { format!("{name}: ") };
            let mut pieces = vec![Piece::Text(name)];
            pieces.extend(value.iter().cloned());
            shell.option("--header", &pieces);
        }
        let has_media = self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(CONTENT_TYPE.as_str()));
        if !matches!(self.body, Content::None) && !has_media {
            shell.option("--header", &[Piece::Text("Content-Type:".to_owned())]);
        }
    }

    fn body(&self, shell: &mut Shell) {
        match &self.body {
            Content::None => {}
            Content::Text(pieces) if shell::is_plain(pieces) => shell.option("--data-raw", pieces),
            Content::Text(pieces) => {
                shell.pipe_text(pieces);
                shell.option("--data-binary", &[Piece::Text("@-".to_owned())]);
            }
            Content::Bytes(bytes) => {
                shell.pipe_bytes(bytes);
                shell.option("--data-binary", &[Piece::Text("@-".to_owned())]);
            }
            Content::Elsewhere(why) => {
                shell.comment(&format!("{why}: put it into the file `body`"));
                shell.option("--data-binary", &[Piece::Text("@body".to_owned())]);
            }
        }
    }

    fn way(&self, shell: &mut Shell) {
        let mut say = |option: &str, value: String| shell.option(option, &[Piece::Text(value)]);
        say("--max-time", seconds(self.limits.timeout));
        if self.limits.connect_timeout != Limits::default().connect_timeout {
            say("--connect-timeout", seconds(self.limits.connect_timeout));
        }
        self.redirects(shell);
        if let Some(channel) = self.channel {
            self.channel(channel, shell);
        }
        if self.unchecked {
            shell.word("--insecure");
        }
    }

    fn channel(&self, channel: &Channel, shell: &mut Shell) {
        if let Some((host, address)) = self.target.and_then(|url| channel.resolved(url)) {
            let port = self.target.and_then(Url::port_or_known_default).unwrap_or(443);
            let address = if address.is_ipv6() { format!("[{address}]") } else { address.to_string() };
            shell.option("--resolve", &[Piece::Text(format!("{host}:{port}:{address}"))]);
        }
        match channel.http_version() {
            Some(HttpVersion::One) => shell.word("--http1.1"),
            Some(HttpVersion::Two) if self.target.is_some_and(|url| url.scheme() == "http") => {
                shell.word("--http2-prior-knowledge");
            }
            Some(HttpVersion::Two) => shell.word("--http2"),
            None => {}
        }
        proxy(channel, self.target, shell);
        tls(channel, shell);
    }

    /// curl follows where it is told to, and takes along what a step would leave behind.
    fn redirects(&self, shell: &mut Shell) {
        let follows = self.limits.max_redirects;
        if follows == 0 {
            return;
        }
        if let Some(carried) = self.carried() {
            shell.comment(&format!("add --location to follow redirects: curl {carried}"));
            return;
        }
        shell.word("--location");
        if follows != Limits::default().max_redirects {
            shell.option("--max-redirs", &[Piece::Text(follows.to_string())]);
        }
    }

    /// What curl would do on the way of a redirect that a step does not: of the headers it keeps all but
    /// `Authorization` and `Cookie` from other hosts.
    fn carried(&self) -> Option<String> {
        let holds_secret = |pieces: &[Piece]| pieces.iter().any(|piece| matches!(piece, Piece::Hidden(_)));
        let is_carried = |(name, value): &&(String, Vec<Piece>)| {
            ![AUTHORIZATION.as_str(), COOKIE.as_str()].contains(&name.as_str()) && holds_secret(value)
        };
        if let Some((name, _)) = self.headers.iter().find(is_carried) {
            return Some(format!("takes `{name}` to any host"));
        }
        if matches!(&self.body, Content::Text(pieces) if holds_secret(pieces)) {
            return Some("takes the body to any host".to_owned());
        }
        let tls = self.channel.and_then(Channel::tls);
        if tls.is_some_and(|tls| tls.identity_files().is_some()) {
            return Some("shows the certificate to any host".to_owned());
        }
        self.unchecked.then(|| "checks the certificate of no host".to_owned())
    }
}

fn proxy(channel: &Channel, target: Option<&Url>, shell: &mut Shell) {
    let proxy = target.map_or_else(|| channel.proxy(), |url| channel.proxy_for(url));
    let Some(proxy) = proxy else { return };
    shell.option("--proxy", &[Piece::Text(proxy.server())]);
    if let Some((user, password)) = proxy.credentials() {
        let password = Hidden::new("proxy_password", &password);
        shell.option("--proxy-user", &[Piece::Text(format!("{user}:")), Piece::Hidden(password)]);
    }
}

fn tls(channel: &Channel, shell: &mut Shell) {
    let Some(tls) = channel.tls() else { return };
    let file = |path: &Path| [Piece::Text(path.to_string_lossy().into_owned())];
    if let Some(ca) = tls.authorities() {
        shell.option("--cacert", &file(ca));
    }
    if let Some(own) = tls.identity_files() {
        // curl takes what follows a colon for the password.
        let cert = own.cert.to_string_lossy().replace('\\', "\\\\").replace(':', "\\:");
        shell.option("--cert", &[Piece::Text(cert)]);
        if own.is_pkcs12 {
            shell.option("--cert-type", &[Piece::Text("P12".to_owned())]);
        }
        if let Some(key) = &own.key {
            shell.option("--key", &file(key));
        }
        if own.has_password {
            shell.option("--pass", &[Piece::Hidden(Hidden::new("certificate_password", ""))]);
        }
    }
    if let Some(min) = tls.min() {
        shell.word(&format!("--tlsv{min}"));
    }
}

/// Seconds as curl reads them.
fn seconds(duration: Duration) -> String {
    let text = format!("{:.3}", duration.as_secs_f64().max(0.001));
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests;

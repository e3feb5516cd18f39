//! The transport that reaches the network.
//!
//! reqwest does HTTP and TLS; everything that decides is ours: redirects, limits, which origins
//! may be spoken to, and what went wrong. A client of reqwest is built when the first request
//! needs one, and without any certificates while only `http://` is spoken, since reading the
//! system's certificates costs more than a whole run.

use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use reqwest::Version;
use reqwest::header::{
    self, ACCEPT, ACCEPT_ENCODING, CONTENT_LENGTH, COOKIE, HOST, HeaderMap, HeaderName, HeaderValue,
};
use reqwest::tls::TlsInfo;
use url::{Origin, Position, Url};

use crate::ground::json::has_more_values;
use crate::parts::http::cause::{hung_up, no_answer, root};
use crate::parts::http::channel::Channel;
use crate::parts::http::error::{Error, Phase};
use crate::parts::http::message::{ALL_HEADERS, Certificate, Hop, Request, Response, Timing};
use crate::parts::http::origin::host_and_port;
use crate::parts::http::proxy::Proxy;
use crate::parts::http::timing::{self, ConnectLayer, Connection, TimedLookup};
use crate::parts::http::tls::{self, Checks, Tls, Unbuilt, Waiver};
use crate::parts::http::transport::{self, BoxFuture, Transport};
use crate::parts::http::{body, framing, http2, redirect};

/// What a request says of who sends it, where the user says nothing else.
pub const USER_AGENT: &str = concat!("reqchain/", env!("CARGO_PKG_VERSION"));
/// How a [`Client`] behaves for all its requests.
#[derive(Debug, Clone, Default)]
pub struct ClientOptions {
    /// Whether name look-ups and connecting are measured.
    pub timing: bool,
    /// The only origins that are spoken to: the mock. A request or a redirect to any other is
    /// [`Error::OtherOrigin`] before anything is sent.
    pub only: Option<Vec<Origin>>,
    /// The servers whose certificates are not checked, whatever a request says.
    pub unchecked: Vec<Waiver>,
}

/// Sends requests over the network. Connections are kept and used again.
#[derive(Debug, Default)]
pub struct Client {
    options: ClientOptions,
    built: Mutex<Vec<(Profile, reqwest::Client)>>,
}

/// What a client of reqwest is fixed to.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Profile {
    tls: bool,
    connect_timeout: Duration,
    /// The most headers of an answer, and the most bytes of all of them.
    headers: (u32, u64),
    channel: Option<Arc<Channel>>,
    /// The host whose certificate is not checked.
    unchecked: Option<Box<str>>,
    /// Where the host of the request is, whatever the name service says.
    resolved: Option<(String, IpAddr)>,
}

/// How far an exchange has come: what is told when its time runs out.
struct Progress {
    phase: Phase,
    hops: Vec<Hop>,
}

impl Client {
    /// A client that has set up nothing yet.
    #[must_use]
    pub fn new(options: ClientOptions) -> Self {
        Self { options, built: Mutex::default() }
    }

    /// One exchange within its total time.
    async fn exchange(&self, request: &Request) -> Result<Response, Error> {
        let started = Instant::now();
        let mut progress = Progress { phase: Phase::Waiting, hops: Vec::new() };
        let limit = request.limits.timeout;
        let followed = {
            // Pinned where it is made: moving it costs more than the clock.
            let follow = pin!(self.follow(request, started, &mut progress));
            tokio::time::timeout(limit, follow).await
        };
        match followed {
            Ok(Ok(mut response)) => {
                response.hops = progress.hops;
                Ok(response)
            }
            Ok(Err(error)) => Err(progress.with_redirects(error)),
            Err(_) => {
                let to = host_and_port(progress.hops.last().map_or(&request.url, |hop| &hop.to));
                let phase = match progress.phase {
                    Phase::Waiting if timing::connection() == Connection::Opening => Phase::Connecting,
                    phase => phase,
                };
                Err(progress.with_redirects(Error::Timeout { to, limit, phase }))
            }
        }
    }

    /// Sends the request, and whatever redirects make of it.
    async fn follow(
        &self,
        first: &Request,
        started: Instant,
        progress: &mut Progress,
    ) -> Result<Response, Error> {
        let mut moved: Option<Box<Request>> = None;
        loop {
            let request = moved.as_deref().unwrap_or(first);
            progress.phase = Phase::Waiting;
            let answer = self.hop(request, first).await?;
            let first_byte = started.elapsed();
            let answer = self.checked(answer, request, first).await?;
            if let Some(jar) = &request.jar {
                jar.store(&request.url, answer.headers());
            }
            progress.phase = Phase::Reading;
            let status = answer.status();
            if status.is_redirection()
                && let Some(next) =
                    redirect::next(request, status.as_u16(), answer.headers(), &progress.hops)?
            {
                Box::pin(body::drain(answer)).await;
                progress.hops.push(next.hop);
                moved = Some(Box::new(next.request));
                continue;
            }
            return read(answer, request, started, first_byte).await;
        }
    }

    /// Sends one request and waits for the head of its answer.
    ///
    /// A pooled connection may have died since it was used last. hyper finds out before it writes
    /// and takes another; where it had written already, or the server says that it left the request
    /// unread, an idempotent one is sent once more, and any other is left to the user's `retry`: a server
    /// that is wrong about it would do twice what must be done once. `first` is the request as it was
    /// written.
    async fn hop(&self, request: &Request, first: &Request) -> Result<reqwest::Response, Error> {
        self.admit(&request.url)?;
        let client = self.client(request, first)?;
        let mut may_repeat = request.method.is_idempotent();
        loop {
            timing::begin_hop();
            match begin(&client, request).await? {
                Ok(answer) => return Ok(answer),
                Err(error) => {
                    let reused = timing::connection() == Connection::Reused;
                    let stale = reused && hung_up(&error).is_some();
                    let unread = http2::Fault::of(&error) == Some(http2::Fault::Unread);
                    if !((stale || unread) && may_repeat) {
                        return Err(no_answer(&error, request));
                    }
                    may_repeat = false;
                }
            }
        }
    }

    /// An answer whose head is as it must be. Where its end is in doubt, its connection is not used
    /// again, nor any other of the same kind: what else may wait there is nobody's answer.
    async fn checked(
        &self,
        answer: reqwest::Response,
        request: &Request,
        first: &Request,
    ) -> Result<reqwest::Response, Error> {
        let to = || host_and_port(&request.url);
        let status = answer.status().as_u16();
        if status > 599 {
            return Err(Error::NotHttp { to: to(), why: format!("its status is {status}") });
        }
        if answer.version() == Version::HTTP_09 {
            return Err(Error::NotHttp { to: to(), why: Box::pin(framing::began(answer)).await });
        }
        if let Some(why) = framing::doubt(answer.headers()) {
            self.forget(request, first);
            if framing::has_body(&request.method, status) {
                return Err(Error::Framing { to: to(), why });
            }
        }
        match framing::excess(answer.headers(), &request.limits) {
            Some(excess) => Err(Error::HeadersTooLarge { to: to(), excess }),
            None => Ok(answer),
        }
    }

    /// Gives up the connections that a request of this kind would use.
    fn forget(&self, request: &Request, first: &Request) {
        let profile = self.profile(request, first);
        let mut built = self.built.lock().unwrap_or_else(PoisonError::into_inner);
        built.retain(|(known, _)| *known != profile);
    }

    fn admit(&self, url: &Url) -> Result<(), Error> {
        match &self.options.only {
            Some(only) if !only.contains(&url.origin()) => {
                Err(Error::OtherOrigin { origin: url.origin().ascii_serialization() })
            }
            _ => Ok(()),
        }
    }

    /// What a client must be fixed to for a request; `first` is the request as it was written.
    fn profile(&self, request: &Request, first: &Request) -> Profile {
        let is_unchecked = self.unchecked(first, &request.url).is_some();
        let unchecked = request.url.host_str().filter(|_| is_unchecked);
        Profile::new(request, self.options.only.is_some(), unchecked)
    }

    /// The client of reqwest that this request needs, built if this is the first that does.
    fn client(&self, request: &Request, first: &Request) -> Result<reqwest::Client, Error> {
        let profile = self.profile(request, first);
        if let Some(proxy) = profile.identified_proxy() {
            let (to, proxy) = (host_and_port(&request.url), proxy.host_and_port());
            return Err(Error::CertificateForProxy { to, proxy });
        }
        let mut built = self.built.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, client)) = built.iter().find(|(known, _)| *known == profile) {
            return Ok(client.clone());
        }
        let client = profile
            .build(self.options.timing)
            .map_err(|error| Error::NotSent { to: host_and_port(&request.url), why: root(&*error) })?;
        built.push((profile, client.clone()));
        Ok(client)
    }
}

impl Transport for Client {
    fn send<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Response, Error>> {
        Box::pin(timing::watched(self.exchange(request)))
    }

    fn unchecked(&self, request: &Request, url: &Url) -> Option<&'static str> {
        let waived = || {
            let named = self.options.unchecked.iter().any(|waiver| waiver.covers(url));
            (named && url.scheme() == "https").then_some("`--insecure` says so")
        };
        transport::unchecked_by(request, url).or_else(waived)
    }
}

impl Profile {
    /// What a request needs. Where only some origins may be spoken to, nothing leads elsewhere.
    fn new(request: &Request, only: bool, unchecked: Option<&str>) -> Self {
        let channel = match &request.channel {
            Some(channel) if only => Some(Arc::new(channel.straight())),
            Some(channel) if channel.proxy().is_some_and(|proxy| proxy.lets_pass(&request.url)) => {
                Some(Arc::new(channel.without_proxy()))
            }
            channel => channel.clone(),
        };
        // Who is not asked by TLS asks for no certificate; a proxy on the way might.
        let is_https = request.url.scheme() == "https";
        let channel = if is_https { channel } else { Channel::anonymous(channel.as_ref()) };
        let used = channel.as_deref();
        Self {
            tls: is_https || used.and_then(Channel::proxy).is_some_and(Proxy::is_https),
            connect_timeout: request.limits.connect_timeout,
            headers: (request.limits.headers, request.limits.header_size.saturating_mul(ALL_HEADERS)),
            resolved: used.and_then(|used| used.resolved(&request.url)),
            unchecked: unchecked.map(Box::from),
            channel,
        }
    }

    /// The proxy that would be shown the client certificate, since reqwest speaks TLS with it as with the
    /// server behind it: with the same certificate, whoever asks for one.
    fn identified_proxy(&self) -> Option<&Proxy> {
        let channel = self.channel.as_deref()?;
        let identifies = channel.tls().is_some_and(Tls::identifies);
        channel.proxy().filter(|proxy| identifies && proxy.is_https())
    }

    /// Whose certificates are checked. A proxy on the way has one of its own.
    fn checks(&self) -> Checks<'_> {
        let proxy = self.channel.as_deref().and_then(Channel::proxy);
        match &self.unchecked {
            None => Checks::All,
            Some(host) if proxy.is_some_and(Proxy::is_https) => Checks::AllBut(host),
            Some(_) => Checks::None,
        }
    }

    fn build(&self, timing: bool) -> Result<reqwest::Client, Unbuilt> {
        // A provider that somebody else installed is as good.
        rustls::crypto::ring::default_provider().install_default().ok();
        let (count, size) = self.headers;
        let mut builder = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .no_proxy()
            .tcp_nodelay(true)
            .http1_max_headers(usize::try_from(count).unwrap_or(usize::MAX))
            // What begins otherwise than HTTP does is handed out, so that it can be shown.
            .http09_responses()
            .http2_max_header_list_size(u32::try_from(size).unwrap_or(u32::MAX))
            .tls_info(self.tls)
            .connect_timeout(self.connect_timeout)
            .connector_layer(ConnectLayer { timing });
        if timing {
            builder = builder.dns_resolver(TimedLookup);
        }
        let channel = self.channel.as_deref();
        if self.tls {
            let (tls, protocols) = (channel.and_then(Channel::tls), Channel::protocols(channel));
            builder = tls::configure(builder, tls, protocols, self.checks())?;
        } else {
            builder = builder.tls_certs_only([]);
            if self.channel.is_none() {
                builder = builder.http1_only();
            }
        }
        if let Some((host, address)) = &self.resolved {
            // Port 0 stands for that of the URL.
            builder = builder.resolve(host, SocketAddr::new(*address, 0));
        }
        if let Some(channel) = channel {
            builder = channel.configure(builder)?;
        }
        Ok(builder.build()?)
    }
}

impl Progress {
    /// An error, and the redirects that led to it.
    fn with_redirects(&mut self, error: Error) -> Error {
        error.after(std::mem::take(&mut self.hops))
    }
}

/// The headers that go with a request beside its own and its cookies: what is put in here and by
/// reqwest, in the order in which they are sent.
#[must_use]
pub fn added(request: &Request) -> Vec<(HeaderName, String)> {
    let mut added = vec![
        (HOST, request.url[Position::BeforeHost..Position::AfterPort].to_owned()),
        (header::USER_AGENT, USER_AGENT.to_owned()),
        (ACCEPT, "*/*".to_owned()),
    ];
    added.extend(request.accepted().map(|codings| (ACCEPT_ENCODING, codings.to_owned())));
    added.extend(request.body.as_ref().map(|body| (CONTENT_LENGTH, body.len().to_string())));
    added.retain(|(name, _)| !request.headers.contains_key(name));
    added
}

fn outgoing(request: &Request) -> reqwest::Request {
    let mut outgoing = reqwest::Request::new(request.method.clone(), request.url.clone());
    // With room for what is put in here and by reqwest.
    let mut headers = HeaderMap::with_capacity(request.headers.len() + 4);
    for (name, value) in &request.headers {
        headers.append(name, value.clone());
    }
    if let Some(codings) = request.accepted() {
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(codings));
    }
    if let Some(cookies) = request.cookie() {
        headers.insert(COOKIE, cookies);
    }
    *outgoing.headers_mut() = headers;
    *outgoing.body_mut() = request.body.clone().map(reqwest::Body::from);
    outgoing
}

/// Sends a request and waits for the head of the answer, within `limits.first_byte`.
async fn begin(
    client: &reqwest::Client,
    request: &Request,
) -> Result<Result<reqwest::Response, reqwest::Error>, Error> {
    let answer = client.execute(outgoing(request));
    let Some(limit) = request.limits.first_byte else { return Ok(answer.await) };
    tokio::time::timeout(limit, answer).await.map_err(|_| {
        let opening = timing::connection() == Connection::Opening;
        let phase = if opening { Phase::Connecting } else { Phase::Waiting };
        Error::NoFirstByte { to: host_and_port(&request.url), limit, phase }
    })
}

/// Reads the rest of an answer.
async fn read(
    mut answer: reqwest::Response,
    request: &Request,
    started: Instant,
    first_byte: Duration,
) -> Result<Response, Error> {
    let (status, version) = (answer.status().as_u16(), answer.version());
    let certificate = answer.extensions().get::<TlsInfo>().and_then(certificate);
    let headers = std::mem::take(answer.headers_mut());
    let body = if framing::has_body(&request.method, status) {
        body::read(answer, &headers, request).await?
    } else {
        body::Whole { bytes: Bytes::new(), encoded: None }
    };
    // A tree of them would be built by whoever looks into the answer, if only for a message.
    let limit = request.limits.values;
    if has_more_values(&body.bytes, limit) {
        return Err(Error::TooManyValues { to: host_and_port(&request.url), limit });
    }
    let timing::Times { dns, connect } = timing::times();
    let mut response = Response::new(status, headers, body.bytes, request.url.clone());
    response.encoded = body.encoded;
    response.version = version;
    response.certificate = certificate;
    response.timing = Timing { dns, connect, first_byte, total: started.elapsed() };
    Ok(response)
}

/// What is known of the certificate that the server showed.
fn certificate(tls: &TlsInfo) -> Option<Certificate> {
    let (_, parsed) = x509_parser::parse_x509_certificate(tls.peer_certificate()?).ok()?;
    Some(Certificate { not_after: parsed.validity().not_after.timestamp() })
}

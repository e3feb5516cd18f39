//! The ways around: HTTP proxies, tunnels through them (CONNECT), and SOCKS (RFC 1928, RFC 1929).

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use reqchain::running::{Cause, Detail};

use crate::scenario::tls::{Settings, TlsServer, TlsTunnel, with_files};
use crate::scenario::{Reply, Scenario, says};

#[test]
fn a_proxy_gets_the_request_and_its_password_is_never_shown() {
    let flow = "inputs: { base: , proxy: }\nvars: { way: \"{{ proxy | regex_replace('//', '//ann:open-sesame@') }}\" }\ndefaults: { proxy: '{{ way }}' }\nsteps:\n  - request: GET http://api.example/x\n  - request: { url: '{{ base }}/direct', proxy: none }\n";
    let ran = Scenario::new(flow)
        .json("GET /direct", "{}")
        .server("proxy", |proxy| {
            proxy.on("GET http://api.example/x", |seen| Reply::text(seen.header("proxy-authorization")));
        })
        .detail(Detail::Wire)
        .run();
    ran.passed().saw(["GET /direct"]);
    assert_eq!(ran.seen_at("proxy")[0].header("proxy-authorization"), "Basic YW5uOm9wZW4tc2VzYW1l");
    assert!(!ran.text().contains("YW5uOm9wZW4tc2VzYW1l"), "{}", ran.text());
    let ran = Scenario::new(
        "inputs: { gone: }\nsteps:\n  - request: { url: http://api.example/x, proxy: '{{ gone }}' }\n",
    )
    .nobody("gone")
    .run();
    ran.fails_with(Cause::CouldNotRun);
    says(&ran.error(), &["the proxy 127.0.0.1:", "refused the connection"]);
}

/// A server does not choose our proxy (S11).
#[test]
fn a_proxy_that_a_server_chose_is_not_used() {
    let ran = Scenario::new(
        "steps:\n  - { request: 'GET {{ base }}/a', extract: { way: $.way } }\n  - request: { url: '{{ base }}/b', proxy: '{{ way }}' }\n",
    )
    .json("GET /a", r#"{"way":"http://evil.example:1"}"#)
    .run();
    ran.fails_with(Cause::CouldNotRun).saw(["GET /a"]);
    says(&ran.error(), &["a server chose this proxy", "flow.yaml:3:"]);
}

/// A proxy on a port of its own that notes what it was asked for.
struct Way {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Way {
    /// `open` speaks with the client until it knows where to: what it was asked for, and the
    /// connection to there.
    fn start(
        open: impl Fn(&mut TcpStream) -> std::io::Result<(String, Option<TcpStream>)> + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let log = Arc::clone(&asked);
        std::thread::spawn(move || {
            for mut client in listener.incoming().flatten() {
                // A client that went away while it was spoken with asked for nothing.
                let Ok((asked, server)) = open(&mut client) else { continue };
                log.lock().expect("nobody panicked").push(asked);
                if let Some(server) = server {
                    join(client, server);
                }
            }
        });
        Self { address, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("nobody panicked").clone()
    }

    /// SOCKS 5; with credentials it takes no others.
    fn socks(credentials: Option<&'static str>) -> Self {
        Self::start(move |client| {
            let user = match credentials {
                None => greet(client, 0)?.then_some(String::new()),
                Some(expected) => {
                    if greet(client, 2)? {
                        let user = format!(
                            "{}:{}",
                            {
                                read(client, 1)?;
                                text(client)?
                            },
                            text(client)?
                        );
                        client.write_all(&[1, u8::from(user != expected)])?;
                        (user == expected).then(|| format!("{user}@"))
                    } else {
                        None
                    }
                }
            };
            let Some(user) = user else { return Ok((String::new(), None)) };
            let kind = read(client, 4)?[3];
            let host = match kind {
                1 => read(client, 4)?.iter().map(u8::to_string).collect::<Vec<_>>().join("."),
                3 => text(client)?,
                other => panic!("an address of kind {other}"),
            };
            let port = read(client, 2)?;
            let port = u16::from_be_bytes([port[0], port[1]]);
            let server = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
            client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0])?;
            Ok((format!("{user}{host}"), Some(server)))
        })
    }

    /// An HTTP proxy that knows nothing but CONNECT.
    fn tunnel() -> Self {
        Self::start(|client| {
            let head = head(client)?;
            let target = head.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next());
            let port = target.and_then(|target| target.rsplit(':').next()).and_then(|port| port.parse().ok());
            let Some(port) = port else {
                client.write_all(b"HTTP/1.1 405 X\r\ncontent-length: 0\r\n\r\n")?;
                return Ok((head, None));
            };
            let server = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
            client.write_all(b"HTTP/1.1 200 X\r\n\r\n")?;
            Ok((head, Some(server)))
        })
    }
}

/// Answers the methods that a SOCKS client offers (RFC 1928, 3): whether the one is among them.
fn greet(client: &mut TcpStream, method: u8) -> std::io::Result<bool> {
    read(client, 1)?;
    let offered = text(client)?.into_bytes().contains(&method);
    client.write_all(&[5, if offered { method } else { 0xff }])?;
    Ok(offered)
}

fn read(client: &mut TcpStream, length: usize) -> std::io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    client.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// The head of a request of HTTP.
fn head(client: &mut TcpStream) -> std::io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.extend(read(client, 1)?);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

/// A text behind its length.
fn text(client: &mut TcpStream) -> std::io::Result<String> {
    let length = read(client, 1)?[0].into();
    Ok(String::from_utf8_lossy(&read(client, length)?).into_owned())
}

/// Carries bytes both ways until one side ends.
fn join(client: TcpStream, server: TcpStream) {
    let one_way = |mut from: TcpStream, mut to: TcpStream| {
        std::thread::spawn(move || {
            let _ = std::io::copy(&mut from, &mut to);
            let _ = to.shutdown(Shutdown::Both);
        });
    };
    one_way(client.try_clone().expect("a socket"), server.try_clone().expect("a socket"));
    one_way(server, client);
}

#[test]
fn a_socks_proxy_carries_the_request_and_looks_up_the_name_where_that_is_asked() {
    let way = Way::socks(None);
    let flow = "inputs: { base: , way: }\nvars: { api: \"{{ base | regex_replace('127.0.0.1', 'api.example') }}\" }\nsteps:\n  - request: { url: '{{ base }}/near', proxy: 'socks5://{{ way }}' }\n  - request: { url: '{{ api }}/far', proxy: 'socks5h://{{ way }}' }\n";
    let ran =
        Scenario::new(flow).input("way", &way.address).json("GET /near", "{}").json("GET /far", "{}").run();
    ran.passed().saw(["GET /near", "GET /far"]);
    assert_eq!(way.asked(), ["127.0.0.1", "api.example"]);
}

#[test]
fn a_socks_proxy_gets_its_credentials_and_they_are_never_shown() {
    let flow = "inputs: { base: , way: , word: }\nsteps:\n  - request: { url: '{{ base }}/x', proxy: 'socks5://ann:{{ word }}@{{ way }}' }\n";
    let run = |word: &str| {
        let way = Way::socks(Some("ann:open-sesame"));
        let scenario =
            Scenario::new(flow).input("way", &way.address).input("word", word).detail(Detail::Wire);
        (way, scenario)
    };
    let (way, scenario) = run("open-sesame");
    let ran = scenario.json("GET /x", "{}").run();
    ran.passed();
    assert_eq!(way.asked(), ["ann:open-sesame@127.0.0.1"]);
    assert!(!ran.text().contains("open-sesame"), "{}", ran.text());
    let (_way, scenario) = run("wrong-sesame");
    let ran = scenario.run();
    ran.fails_with(Cause::Authentication).saw([]);
    says(&ran.error(), &["the proxy 127.0.0.1:", "credentials", "they stand in its URL"]);
    assert!(!ran.error().contains("wrong-sesame"), "{}", ran.error());
}

#[test]
fn https_goes_through_an_http_proxy_by_a_tunnel_that_sees_nothing_of_it() {
    let server = TlsServer::start(Settings { protocols: vec!["h2", "http/1.1"], ..Settings::default() });
    let way = Way::tunnel();
    let keys = ", tls: { ca: ca.pem }, auth: { bearer: abcdefgh }, proxy: 'http://ann:open-sesame@{{ way }}'";
    let flow =
        format!("inputs: {{ secure: , way: }}\nsteps:\n  - request: {{ url: '{{{{ secure }}}}/x'{keys} }}\n");
    let ran =
        with_files(Scenario::new(&flow)).input("secure", &server.origin).input("way", &way.address).run();
    ran.passed();
    let asked = way.asked();
    assert_eq!(asked.len(), 1, "{asked:?}");
    let host = server.origin.trim_start_matches("https://");
    assert!(asked[0].starts_with(&format!("CONNECT {host} HTTP/1.1\r\n")), "{asked:?}");
    let head = asked[0].to_lowercase();
    assert!(head.contains("proxy-authorization: basic ") && !head.contains("abcdefgh"), "{asked:?}");
    let seen = server.seen();
    assert_eq!((seen.len(), &*seen[0].path, &*seen[0].protocol), (1, "/x", "h2"));
    assert!(
        !server.header_names().contains(&"proxy-authorization".to_owned()),
        "{:?}",
        server.header_names()
    );
}

#[test]
fn a_tunnel_that_the_proxy_refuses_is_told_as_its_doing() {
    for (status, cause, said) in [
        (
            "407 Proxy Authentication Required",
            Cause::Authentication,
            "asks for credentials, or for other ones",
        ),
        ("403 Forbidden", Cause::CouldNotRun, "refuses to connect to api.example:443"),
    ] {
        let way = Way::start(move |client| {
            head(client)?;
            write!(client, "HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n")?;
            Ok((String::new(), None))
        });
        let flow = "inputs: { way: }\nsteps:\n  - request: { url: https://api.example/x, proxy: 'http://{{ way }}' }\n";
        let ran = Scenario::new(flow).input("way", &way.address).run();
        ran.fails_with(cause);
        says(&ran.error(), &["the proxy 127.0.0.1:", said, "flow.yaml:3:"]);
    }
}

#[test]
fn under_mock_no_proxy_is_spoken_to() {
    let proxy = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    proxy.set_nonblocking(true).expect("a socket");
    let way = proxy.local_addr().expect("an address");
    let ran = Scenario::new(&format!("inputs: {{ api: https://api.example.com }}\nmock: m.yaml\nsteps:\n  - request: {{ url: '{{{{ api }}}}/me', proxy: 'http://{way}' }}\n"))
        .file("m.yaml", "routes:\n  - { route: GET /me, reply: { status: 200 } }\n")
        .own_mock()
        .run();
    ran.passed();
    let nobody = proxy.accept().expect_err("nobody asked it");
    assert_eq!(nobody.kind(), std::io::ErrorKind::WouldBlock);
}

#[test]
fn some_servers_are_asked_past_the_proxy_and_each_hop_is_asked_anew() {
    for direct in
        ["[127.0.0.1]", "[a.example, 127.0.0.0/8]", "'a.example,127.0.0.1'", "'*'", "'{{ bypass }}'"]
    {
        let flow = format!(
            "inputs: {{ base: , proxy: , bypass: {{ env: NO_PROXY }} }}\ndefaults: {{ proxy: {{ url: \"{{{{ proxy | regex_replace('//', '//ann:open-sesame@') }}}}\", no_proxy: {direct} }} }}\nsteps:\n  - request: GET http://api.example/x\n  - request: GET {{{{ base }}}}/own\n"
        );
        let all = direct == "'*'";
        let scenario =
            Scenario::new(&flow).env("NO_PROXY", "localhost, 127.0.0.1").server("proxy", |proxy| {
                if !all {
                    proxy.on("GET http://api.example/x", |seen| {
                        Reply::redirect(302, format!("{}/hop", seen.origin("base")))
                    });
                }
            });
        if all {
            let ran = scenario.run();
            ran.fails_with(Cause::CouldNotRun).saw_at("proxy", []);
            says(&ran.error(), &["cannot find the address of `api.example`"]);
            continue;
        }
        let ran = scenario.json("GET /hop", "{}").json("GET /own", "{}").run();
        ran.passed().saw(["GET /hop", "GET /own"]).saw_at("proxy", ["GET http://api.example/x"]);
        assert_ne!(ran.seen_at("proxy")[0].header("proxy-authorization"), "");
        for line in ["GET /hop", "GET /own"] {
            assert_eq!(ran.seen(line).header("proxy-authorization"), "", "{direct}");
        }
    }
}

#[test]
fn without_servers_that_are_asked_directly_all_go_through_the_proxy() {
    for direct in ["[]", "'{{ bypass }}'", "['{{ bypass }}', b.example]"] {
        let flow = format!(
            "inputs: {{ base: , proxy: , bypass: {{ env: NO_PROXY, required: false }} }}\nsteps:\n  - request: {{ url: '{{{{ base }}}}/own', proxy: {{ url: '{{{{ proxy }}}}', no_proxy: {direct} }} }}\n"
        );
        let scenario = Scenario::new(&flow);
        let line = format!("GET {}/own", scenario.origin("base"));
        let ran = scenario.server("proxy", |proxy| proxy.on(&line, |_| Reply::json("{}"))).run();
        ran.passed().saw([]).saw_at("proxy", [&line]);
    }
}

#[test]
fn no_server_has_a_say_in_who_is_asked_past_the_proxy() {
    for direct in ["'{{ way }}'", "['{{ way }}']", "'a.example,{{ way }}'"] {
        let ran = Scenario::new(&format!(
            "inputs: {{ base: , proxy: }}\nsteps:\n  - {{ request: 'GET {{{{ base }}}}/a', extract: {{ way: $.way }} }}\n  - request: {{ url: http://api.example/b, proxy: {{ url: '{{{{ proxy }}}}', no_proxy: {direct} }} }}\n"
        ))
        .json("GET /a", r#"{"way":"*"}"#)
        .server("proxy", |_| {})
        .run();
        ran.fails_with(Cause::CouldNotRun).saw_at("proxy", []);
        says(&ran.error(), &["a server had a say in `no_proxy`", "flow.yaml:4:"]);
    }
    let wrong = Scenario::new("inputs: { base: , bypass: http://a.example }\nsteps:\n  - request: { url: '{{ base }}/a', proxy: { url: http://127.0.0.1:1, no_proxy: '{{ bypass }}' } }\n").run();
    wrong.fails_with(Cause::CouldNotRun);
    says(&wrong.error(), &["`no_proxy`: `http://a.example` is no host", "10.0.0.0/8", "flow.yaml:3:"]);
}

#[test]
fn a_proxy_of_https_is_trusted_as_any_server_is() {
    let way = TlsServer::start(Settings::default());
    let run = |tls: &str| {
        let flow = format!(
            "inputs: {{ way: }}\nsteps:\n  - request: {{ url: http://api.example/x, proxy: '{{{{ way }}}}'{tls} }}\n"
        );
        let way = way.origin.replace("//", "//ann:open-sesame@");
        with_files(Scenario::new(&flow)).input("way", &way).run()
    };
    run(", tls: { ca: ca.pem }").passed();
    assert_eq!(way.seen().len(), 1);
    assert!(way.header_names().contains(&"proxy-authorization".to_owned()));
    // What is said of the server is not said of the proxy before it.
    for tls in ["", ", tls: { insecure: true }"] {
        let ran = run(tls);
        ran.fails_with(Cause::CouldNotRun);
        says(&ran.error(), &["no TLS connection to the proxy 127.0.0.1:", "not trusted here"]);
        assert_eq!((way.seen().len(), ran.warnings().len()), (1, 0), "{tls}");
    }
}

#[test]
fn a_tunnel_through_a_proxy_of_https_shows_each_of_the_two_what_is_its_own() {
    let server = TlsServer::start(Settings { protocols: vec!["h2", "http/1.1"], ..Settings::default() });
    let way = TlsTunnel::start(&Settings::default());
    let run = |tls: &str| {
        let flow = format!(
            "inputs: {{ secure: , port: }}\nsteps:\n  - request: {{ url: '{{{{ secure }}}}/x', auth: {{ bearer: abcdefgh }}, proxy: 'https://ann:open-sesame@localhost:{{{{ port }}}}', tls: {{ {tls} }} }}\n"
        );
        let port = way.address.rsplit(':').next().expect("a port");
        with_files(Scenario::new(&flow)).input("secure", &server.origin).input("port", port).run()
    };
    for (tls, warnings) in [("ca: ca.pem", 0), ("ca: ca.pem, insecure: true", 1)] {
        let ran = run(tls);
        ran.passed();
        assert_eq!(ran.warnings().len(), warnings);
    }
    let (heads, names) = (way.heads(), server.header_names());
    assert_eq!((heads.len(), server.seen().len()), (2, 2));
    assert!(
        heads.iter().all(|head| head.to_lowercase().contains("proxy-authorization: basic ")),
        "{heads:?}"
    );
    assert!(!heads.concat().contains("abcdefgh"), "{heads:?}");
    assert!(names.contains(&"authorization".to_owned()), "{names:?}");
    assert!(!names.contains(&"proxy-authorization".to_owned()), "{names:?}");
    assert_eq!(server.seen()[0].protocol, "h2");
    // The server need not be trusted, the proxy must.
    let ran = run("insecure: true");
    ran.fails_with(Cause::CouldNotRun);
    says(&ran.error(), &["or to the proxy localhost:", "not trusted here"]);
    assert_eq!(way.heads().len(), 2);
}

#[test]
fn an_address_of_ipv6_stands_in_brackets_in_a_url_and_in_that_of_a_proxy() {
    let listener = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).expect("a port of ::1");
    let port = listener.local_addr().expect("an address").port().to_string();
    std::thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let head = head(&mut client).expect("a request");
            let first = head.lines().next().unwrap_or_default().to_owned();
            let host = head.lines().find(|line| line.starts_with("host: ")).unwrap_or_default();
            let body = format!("{first}|{host}");
            write!(
                client,
                "HTTP/1.1 200 X\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            )
            .expect("sent");
        }
    });
    let flow = "inputs: { port: }\nsteps:\n  - { request: 'GET http://[::1]:{{ port }}/x', extract: { own: { body: text } } }\n  - { request: { url: http://api.example/y, proxy: 'http://[::1]:{{ port }}' }, extract: { way: { body: text } } }\n  - { request: { url: 'http://[0:0::1]:{{ port }}/z', proxy: { url: http://127.0.0.1:1, no_proxy: '::1' } }, extract: { past: { body: text } } }\n";
    let ran = Scenario::new(flow).input("port", &port).run();
    ran.passed();
    for (output, expected) in [
        ("own", format!("GET /x HTTP/1.1|host: [::1]:{port}")),
        ("way", "GET http://api.example/y HTTP/1.1|host: api.example".to_owned()),
        ("past", format!("GET /z HTTP/1.1|host: [::1]:{port}")),
    ] {
        assert_eq!(ran.output(output), expected.as_str());
    }
}

//! What bounds an answer on the wire, each limit with its setting and an error that names it; and how much
//! memory an answer without end takes.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use reqchain::running::Cause;
use reqchain::running::event::{Detail, EventKind};

use crate::scenario::{Ran, Reply, Scenario, says};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}

fn zipped(bytes: &[u8]) -> Reply {
    Reply::status(200).header("content-encoding", "gzip").with_body(gzip(bytes))
}

/// One request with these keys beside its URL.
fn asked(keys: &str, answer: impl Fn() -> Reply + Send + Sync + 'static) -> Ran {
    Scenario::new(&format!("steps:\n  - request: {{ url: '{{{{ base }}}}/'{keys} }}\n"))
        .on("GET /", move |_| answer())
        .run()
}

/// An answer is unpacked before anything looks at it (S28).
#[test]
fn a_compressed_answer_is_checked_and_picked_from_like_any_other() {
    let ran = Scenario::new(
        "steps:\n  - request: GET {{ base }}/\n    expect: { json: { '$.list[2]': 3 }, headers: { content-encoding: gzip }, size: 23 }\n    extract: { id: $.id }\noutputs: { id: '{{ id }}' }\n",
    )
    .on("GET /", |seen| {
        assert_eq!(seen.header("accept-encoding"), "gzip, deflate, br");
        Reply::status(200).header("content-encoding", "gzip").with_body(gzip(br#"{"id":7,"list":[1,2,3]}"#))
    })
    .run();
    ran.passed();
    assert_eq!(ran.output("id"), 7);
}

/// What a few bytes may become (S28).
#[test]
fn a_bomb_is_an_error_with_its_numbers_and_its_setting() {
    let zeros = || zipped(&vec![b'0'; 3 << 20]);
    let ran = asked("", zeros);
    says(&ran.error(), &["more than 200 times as large", "bytes of `gzip` became", "`limits: { ratio: … }`"]);
    asked(", limits: { ratio: 2000 }", zeros).passed();
    let ran = asked(", limits: { ratio: 2000 }, max_body: 2MiB", zeros);
    says(&ran.error(), &["larger than 2MiB once decoded", "`max_body`"]);
}

/// An answer is no larger as a tree than it may be: its values are counted before there are any.
#[test]
fn the_json_of_an_answer_has_as_many_values_as_its_limit_says() {
    let ones = |count: usize| move || Reply::json(format!("[{}]", vec!["1"; count - 1].join(",")));
    asked(", limits: { values: 1000 }", ones(1000)).passed();
    let ran = asked(", limits: { values: 1000 }", ones(1001));
    ran.fails_with(Cause::CouldNotRun);
    says(&ran.error(), &["more than 1000 values", "`limits: { values: … }`", "flow.yaml:2:"]);
    asked("", ones(1_000_000)).passed();
    says(&asked("", ones(1_000_001)).error(), &["more than 1000000 values"]);
    // What is no JSON has no values, however many commas.
    asked(", limits: { values: 10 }", || Reply::text("[1] a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s")).passed();
    let ran = Scenario::new(
        "inputs: { base: }\nsteps:\n  - script: |\n      http::send(#{ url: vars.base + \"/\", limits: #{ values: 10 } });\n",
    )
    .on("GET /", move |_| ones(11)())
    .run();
    says(&ran.error(), &["more than 10 values"]);
}

/// However often a server is asked, a step gathers only so much.
#[test]
fn what_passes_and_turns_gather_is_bounded() {
    let large = || Reply::json(format!("[{}]", vec!["1"; 400_000].join(",")));
    let flow = |keys: &str| {
        Scenario::new(&format!("steps:\n  - {keys}\n    request: GET {{{{ base }}}}/\n    extract: {{ all: {{ json: $, collect: true }} }}\n"))
            .on("GET /", move |_| large())
    };
    flow("repeat: 2").run().passed();
    let ran = flow("repeat: 3").run();
    ran.fails_with(Cause::CouldNotRun).saw(["GET /"; 3]);
    says(&ran.error(), &["gathers more than 1000000 values", "flow.yaml:4:"]);
    let flow = |turns: &str| {
        Scenario::new(&format!("steps:\n  - for_each: {{ n: {turns} }}\n    request: GET {{{{ base }}}}/\n    extract: {{ all: {{ body: text }} }}\n"))
            .on("GET /", |_| Reply::text("x".repeat(30 << 20)))
    };
    flow("[1, 2]").run().passed();
    let ran = flow("[1, 2, 3]").run();
    ran.fails_with(Cause::CouldNotRun).saw(["GET /"; 3]);
    says(&ran.error(), &["gathers more than 1000000 values", "64 bytes of text", "flow.yaml:2:"]);
}

/// A coding that is not known, and half a body (S28, S32).
#[test]
fn what_cannot_be_decoded_fails_the_step_and_says_what_to_do() {
    let ran = asked("", || Reply::text("x").header("content-encoding", "zstd"));
    says(&ran.error(), &["encoded as `zstd`", "gzip, deflate and br", "Accept-Encoding: identity"]);
    let ran = asked("", || {
        let whole = gzip(br#"{"access_token":"half-a-token"}"#);
        Reply::status(200).header("content-encoding", "gzip").with_body(&whole[..whole.len() - 9])
    });
    says(&ran.error(), &["cannot be decoded as `gzip`: it is cut off"]);
    assert!(!ran.text().contains("half-a-token"), "{}", ran.text());
}

#[test]
fn a_request_may_ask_for_a_plain_body() {
    let ran = Scenario::new(
        "steps:\n  - request: { url: '{{ base }}/', headers: { Accept-Encoding: identity } }\n",
    )
    .json("GET /", "{}")
    .run();
    ran.passed();
    assert_eq!(ran.seen("GET /").header("accept-encoding"), "identity");
}

#[test]
fn both_sizes_of_an_encoded_answer_are_shown_where_the_wire_is() {
    let ran = Scenario::new("steps:\n  - request: GET {{ base }}/\n")
        .detail(Detail::Wire)
        .on("GET /", |_| zipped(&[b'x'; 5000]))
        .run();
    ran.passed();
    let told = ran.events.iter().find_map(|event| match &event.kind {
        EventKind::ResponseReceived(text) => Some(text.timing.clone()),
        _ => None,
    });
    let sizes = format!("{} bytes became 5000", gzip(&[b'x'; 5000]).len());
    says(&told.expect("an answer came"), &[&sizes]);
    let sent = ran.events.iter().find_map(|event| match &event.kind {
        EventKind::RequestSent(text) => Some(text.headers.clone()),
        _ => None,
    });
    let accepted = ("accept-encoding".to_owned(), "gzip, deflate, br".to_owned());
    assert!(sent.expect("it was sent").contains(&accepted));
}

/// Headers (S31).
#[test]
fn headers_have_settings() {
    let flood = |count: usize, size: usize| {
        move || {
            (0..count)
                .fold(Reply::status(200), |reply, at| reply.header(&format!("x-{at}"), "v".repeat(size)))
        }
    };
    asked(", limits: { headers: 300 }", flood(250, 1)).passed();
    let ran = asked(", limits: { headers: 10 }", flood(20, 1));
    says(&ran.error(), &["more than 10", "`limits: { headers: …"]);
    asked(", limits: { header_size: 100KiB }", flood(1, 100 * 1024)).passed();
    let ran = asked(", limits: { header_size: 1KiB }", flood(1, 1025));
    says(&ran.error(), &["`x-0` has 1025 bytes; the limit is 1KiB", "`limits: { header_size: … }`"]);
    let ran = asked(", limits: { header_size: 1KiB }", flood(5, 1000));
    says(&ran.error(), &["together they have", "the limit is 4KiB"]);
}

/// The limit is reached by the real clock, since nothing comes (S30).
#[test]
fn the_first_byte_has_a_setting() {
    let ran = asked(", limits: { first_byte: 20ms }", Reply::never);
    says(&ran.error(), &["no answer from", "within 20ms", "`limits: { first_byte: … }`"]);
}

#[test]
fn defaults_are_laid_under_limits_key_by_key() {
    let ran = Scenario::new(
        "defaults: { limits: { header_size: 1KiB, headers: 300 } }\nsteps:\n  - request: { url: '{{ base }}/', limits: { header_size: 2KiB } }\n  - request: { url: '{{ base }}/' }\n",
    )
    .on("GET /", |_| {
        let reply = (0..200).fold(Reply::status(200), |reply, at| reply.header(&format!("x-{at}"), ""));
        reply.header("large", "v".repeat(1500))
    })
    .run();
    assert_eq!(ran.seen_at("base").len(), 2);
    says(&ran.error(), &["`large` has 1500 bytes; the limit is 1KiB"]);
}

#[test]
fn a_script_sets_limits_for_its_own_requests() {
    let sent = |limits: &str| {
        let flow = format!(
            "inputs: {{ base: }}\nsteps:\n  - script: |\n      http::send(#{{ url: vars.base + \"/\", limits: {limits} }});\n"
        );
        Scenario::new(&flow).on("GET /", |_| zipped(&vec![b'0'; 3 << 20]))
    };
    sent("#{ ratio: 2000, first_byte: \"10s\", header_size: \"2KiB\" }").run().passed();
    says(&sent("#{ ratio: 100 }").run().error(), &["more than 100 times as large"]);
    let wrong = |keys: &str| {
        let flow =
            format!("steps:\n  - script: 'http::send(#{{ url: \"http://127.0.0.1:9/\", {keys} }});'\n");
        Scenario::new(&flow).run().error()
    };
    says(&wrong("limits: #{ ratoi: 1 }"), &["unknown key `ratoi`", "did you mean `ratio`?"]);
    says(&wrong("limits: #{ idle: 0 }"), &["`limits.idle`: `0` is not a duration"]);
    says(&wrong("limits: 5"), &["`limits` must be a map", "#{ first_byte: 5s"]);
    says(&wrong("timeout: \"5\""), &["`5` is not a duration"]);
}

/// Charsets (S38).
#[test]
fn text_is_read_by_its_charset_and_marked_where_it_is_none() {
    let body = |media: &'static str, bytes: &'static [u8]| {
        Scenario::new("steps:\n  - request: GET {{ base }}/\n    extract: { text: { body: text } }\noutputs: { text: '{{ text }}' }\n")
            .detail(Detail::Requests)
            .on("GET /", move |_| Reply::status(200).header("content-type", media).with_body(bytes))
            .run()
    };
    let ran = body("text/plain; charset=iso-8859-1", b"Gr\xf6\xdfe \x80");
    assert_eq!(ran.output("text"), "Größe €");
    says(&ran.text(), &["Größe €"]);
    let ran = body("text/plain", b"Gr\xf6\xdfe");
    assert_eq!(ran.output("text"), "Gr\u{fffd}\u{fffd}e");
    says(&ran.text(), &["what is no UTF-8 is shown as"]);
}

#[cfg(target_os = "linux")]
mod memory {
    //! The promise of 64 MiB for the whole process, while a body without end comes.

    use std::io::{Read as _, Write as _};
    use std::net::{Ipv4Addr, TcpListener};
    use std::process::{Command, Stdio};

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::gzip;
    use crate::scenario::Cli;

    /// The most memory that a process ever had, in KiB; nothing once it has ended.
    fn peak(id: u32) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        Some(line.trim().trim_end_matches(" kB").parse().expect("a number"))
    }

    /// Lets the command read an answer until it has enough, and looks at its memory all the while.
    fn while_reading(head: &str, pieces: impl Iterator<Item = Vec<u8>>, last: &[u8], told: &str) -> u64 {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let address = listener.local_addr().expect("an address");
        let flow =
            format!("steps:\n  - request: {{ url: 'http://{address}/', limits: {{ ratio: 4000000 }} }}\n");
        let folder = Cli::new(&[("flow.yaml", &flow)]);
        let mut command = Command::new(env!("CARGO_BIN_EXE_reqchain"));
        command.args(["run", "flow.yaml"]).current_dir(folder.path());
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        let (mut stream, _) = listener.accept().expect("it comes");
        let _ = stream.read(&mut [0; 4096]).expect("it asks");
        stream.write_all(format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n").as_bytes()).expect("it listens");
        for piece in pieces {
            stream.write_all(&piece).expect("it reads");
        }
        let mut most = peak(child.id()).expect("it waits for the rest");
        let _ = stream.write_all(last);
        while let Some(peak) = peak(child.id()) {
            most = peak;
            std::thread::yield_now();
        }
        let output = child.wait_with_output().expect("it ends");
        let out = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        crate::scenario::says(&out, &[told]);
        most
    }

    /// As it comes (S29).
    #[test]
    fn a_body_without_end_takes_64_mib_at_most() {
        let pieces = || std::iter::repeat_n(vec![b'x'; 1 << 20], 32);
        let peak = while_reading("x: y", pieces(), b"xx", "larger than 32MiB");
        assert!(peak < 64 * 1024, "{peak} KiB");
    }

    /// And decoded (S28, S29).
    #[test]
    fn an_encoded_body_without_end_takes_64_mib_at_most() {
        let member = gzip(&vec![0; 1 << 20]);
        let pieces = std::iter::repeat_n(member.clone(), 32);
        let peak = while_reading("content-encoding: gzip", pieces, &member, "larger than 32MiB once decoded");
        assert!(peak < 64 * 1024, "{peak} KiB");
    }

    /// One stream of gzip, and not many behind each other.
    #[test]
    fn a_stream_of_gzip_without_end_takes_64_mib_at_most() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        let mut piece = || {
            encoder.write_all(&vec![0; 1 << 20]).expect("memory takes it");
            encoder.flush().expect("memory takes it");
            std::mem::take(encoder.get_mut())
        };
        let pieces: Vec<_> = (0..32).map(|_| piece()).collect();
        let peak = while_reading(
            "content-encoding: gzip",
            pieces.into_iter(),
            &piece(),
            "larger than 32MiB once decoded",
        );
        assert!(peak < 64 * 1024, "{peak} KiB");
    }

    /// Blocks that are not compressed (RFC 7932, 9.2): no bit of them says that they are the last.
    #[test]
    fn a_stream_of_brotli_without_end_takes_64_mib_at_most() {
        let block = |head: [u8; 3]| [&head[..], &vec![0; 1 << 16]].concat();
        let piece = block([0xf8, 0xff, 0x0f]).repeat(16);
        // The first bits say how large the window is.
        let pieces = std::iter::once(block([0xf0, 0xff, 0x1f])).chain(std::iter::repeat_n(piece.clone(), 31));
        let peak = while_reading("content-encoding: br", pieces, &piece, "larger than 32MiB");
        assert!(peak < 64 * 1024, "{peak} KiB");
    }

    /// As a tree it would be gigabytes.
    #[test]
    fn an_answer_of_millions_of_values_takes_64_mib_at_most() {
        let piece = r#"{"":0},"#.repeat(150_000).into_bytes();
        let pieces = std::iter::once(b"[".to_vec()).chain(std::iter::repeat_n(piece, 31));
        let head = format!("content-length: {}", 1 + 31 * 150_000 * 7 + 7);
        let peak = while_reading(&head, pieces, br#"{"":0}]"#, "more than 1000000 values");
        assert!(peak < 64 * 1024, "{peak} KiB");
    }
}

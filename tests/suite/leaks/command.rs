//! The command itself, as people start it: whatever it writes to stdout and to stderr holds no
//! secret, in any form. The forms are made here by hand, not by the code that
//! hides them; a failure names the place and the form, never the secret.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::fuzz::targets::forms::{beginnings, forms};
use crate::scenario::says;

/// What the caller gives, by the way in which it is given: every sign that some encoding escapes.
const SECRETS: [(&str, &str); 6] = [
    ("by_env", r#"Env&1+%2#"'<>\ ü-end-of-it"#),
    ("by_file", "File&1+%2#\"'<>\\ ä first line\nand-the-second-line+ö"),
    ("by_command", r#"Cmd?&9/+%41#"'<>\ ß-end-of-it"#),
    ("by_input", r#"Input=&7~+%7e#"'<>\ é-end-of-it"#),
    ("by_data", r#"Data;&5^+%5E#"'<>\ ñ-end-of-it"#),
    ("by_environment", r#"Environ|&3+%3#"'<>\ ø-end-of-it"#),
];
/// What only the server tells, under a secret's name.
const LEARNT: [(&str, &str); 7] = [
    ("code", "c0de-6f5e4d3c2b1a"),
    ("state", "st4te-1a2b3c4d5e6f"),
    ("location", "loc4tion-0f9e8d7c6b5a"),
    ("form", "f0rm-answer-1f2e3d4c"),
    ("xml", "xm1-element-9a8b7c6d"),
    ("attribute", "attr1bute-5f6e7d8c9b"),
    ("text", "t3xt-2b3c4d5e6f7a8b"),
];

/// A server that gives back all that it was ever told, in every form, and more.
fn server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let origin = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || listener.incoming().flatten().for_each(answer));
    origin
}

fn answer(mut stream: TcpStream) {
    let mut seen = Vec::new();
    let mut byte = [0];
    while !seen.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read > 0) {
        seen.push(byte[0]);
        if seen.len() == 5 && seen[0] == HANDSHAKE {
            return refuse_tls(&mut stream, u16::from_be_bytes([seen[3], seen[4]]));
        }
    }
    let head = String::from_utf8_lossy(&seen).into_owned();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    let _ = stream.read_exact(&mut body);
    let path = head.split(' ').nth(1).unwrap_or_default();
    if path.starts_with("/silent") {
        // Its connection stays open, and nothing ever comes.
        return std::mem::forget(stream);
    }
    let all = |(_, secret): &(&str, &str)| told(secret).map(|(_, form)| form);
    let echo = SECRETS.iter().flat_map(all).collect::<Vec<_>>().join(" | ");
    let [code, state, location, form, xml, attribute, text] = LEARNT.map(|(_, secret)| secret);
    let (status, more, body) = match path.split('?').next().unwrap_or_default() {
        "/moved" => {
            let to = format!("location: /there?access_token={location}&code={code}&state={state}\r\n");
            ("302 Found", to, String::new())
        }
        "/there" => ("200 OK", String::new(), "there".to_owned()),
        "/form" => {
            let kind = "content-type: application/x-www-form-urlencoded\r\n".to_owned();
            ("200 OK", kind, format!("access_token={form}&token_type=bearer&said={form}"))
        }
        "/xml" => {
            let body = format!(
                "<r><n:accessToken a='1'>{xml}</n:accessToken><x password=\"{attribute}\"/>{xml} {attribute}</r>"
            );
            ("200 OK", "content-type: text/xml\r\n".to_owned(), body)
        }
        "/text" => ("200 OK", String::new(), format!("it is {text}\npassword={text}\n")),
        "/refused" => {
            ("401 Unauthorized", String::new(), serde_json::json!({ "error_description": echo }).to_string())
        }
        "/broken" => ("200 OK", "content-length: 999\r\n".to_owned(), echo),
        "/json" => (
            "200 OK",
            "content-type: application/json\r\n".to_owned(),
            serde_json::json!({ "n": echo, "inner": serde_json::json!({ "s": echo }).to_string() })
                .to_string(),
        ),
        _ => ("200 OK", format!("x-echo: {}\r\n", SECRETS[0].1), echo),
    };
    let length = if more.contains("content-length") {
        String::new()
    } else {
        format!("content-length: {}\r\n", body.len())
    };
    let _ = write!(stream, "HTTP/1.1 {status}\r\n{more}{length}connection: close\r\n\r\n{body}");
}

/// What the first byte of TLS is (RFC 8446, section 5.1).
const HANDSHAKE: u8 = 22;

/// Answers whoever would speak TLS by HTTP, as servers on the wrong port do. Silence would be waited out.
fn refuse_tls(stream: &mut TcpStream, length: u16) {
    let mut hello = vec![0; length.into()];
    let _ = stream.read_exact(&mut hello);
    let _ = write!(stream, "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n{}", SECRETS[0].1);
}

const HEAD: &str = "
inputs:
  base: { env: BASE }
  by_env: { env: BY_ENV, secret: true }
  by_file: { file: secret.txt, secret: true }
  by_command: { command: [cat, command.txt], secret: true }
  by_input: { secret: true }
  by_data: { secret: true }
  by_environment: { secret: true }
vars: { all: '{{ by_env ~ by_file ~ by_command ~ by_input ~ by_data ~ by_environment }}' }
";

/// What follows the head, and how it exits.
const FLOWS: [(&str, &str); 15] = [
    ("all places", "steps:
  - request: { url: '{{ base }}/echo', query: { a: '{{ by_env }}' }, headers: { X-A: '{{ by_env | base64 }}', X-B: '{{ by_data | urlencode }}' }, json: { a: '{{ by_file }}', b: 'x {{ by_command }} {{ by_input }}', c: ['{{ by_data }}', '{{ by_environment }}'] } }
    extract: { whole: '{{ response.body }}' }
    after: 'print(vars.whole); print(response.body);'
  - request: { url: '{{ base }}/json', form: { a: '{{ by_env }}', b: '{{ by_file }}', c: '{{ by_data }}' } }
    extract: { n: $.n, inner: $.inner, other: { json: $.none, default: plain } }
"),
    ("what is learnt", "steps:
  - request: GET {{ base }}/moved
  - request: GET {{ base }}/form
    extract: { whole: '{{ response.body }}' }
  - request: { method: POST, url: '{{ base }}/xml', body: '{{ by_env }}{{ by_file }}{{ by_command }}{{ by_input }}{{ by_data }}{{ by_environment }}' }
    extract: { said: { regex: '> *([a-z0-9-]+ [a-z0-9-]+)' } }
  - request: GET {{ base }}/text
    extract: { said: { regex: 'it is (.*)' } }
    after: 'print(response.body);'
outputs: { other: there, said: '{{ said }}' }
"),
    ("a refusal", "steps: [ { request: { url: '{{ base }}/refused', auth: { basic: { username: a, password: '{{ by_env }}' } } } } ]"),
    ("an expectation", "steps: [ { request: 'GET {{ base }}/echo', expect: { body: { contains: '{{ by_env ~ by_file }}' }, that: ['{{ by_env == by_data }}'] } } ]"),
    ("an extraction", "steps: [ { request: 'GET {{ base }}/json', extract: { a: $.x, b: { json: $.n, type: int } } } ]"),
    ("a template", "steps: [ { request: 'GET {{ base }}/{{ by_env | fromjson }}' } ]"),
    ("a script", "steps: [ { script: 'throw vars.by_env + vars.by_file + base64::encode(vars.by_command);' } ]"),
    ("the network", "steps: [ { request: 'GET http://127.0.0.1:1/{{ by_env }}?k={{ by_file }}' } ]"),
    ("TLS", "steps: [ { request: 'GET {{ base | replace(\"http:\", \"https:\") }}/{{ by_env }}?k={{ by_data }}' } ]"),
    ("a silence", "steps: [ { request: { url: '{{ base }}/silent?k={{ by_env }}&l={{ by_data }}', timeout: 20ms } } ]"),
    ("an answer that breaks off", "steps: [ { request: 'GET {{ base }}/broken?k={{ by_env }}' } ]"),
    ("a host", "steps: [ { request: 'GET http://{{ by_env }}/' } ]"),
    ("a bearer", "steps: [ { request: { url: '{{ base }}/', auth: { bearer: '{{ by_env }}' } } } ]"),
    ("a type", "steps: [ { script: 'print(vars.by_env)' } ]"),
    ("a header", "steps: [ { request: { url: '{{ base }}/', headers: { X-A: '{{ by_file }}' } } } ]"),
];

/// How the command is called.
const CALLS: [(&str, &[&str]); 13] = [
    ("run", &["run"]),
    ("run -v in colour", &["--color", "always", "run", "-v"]),
    ("in colour", &["--color", "always", "run"]),
    ("fmt --check", &["fmt", "--check"]),
    ("run -vv", &["run", "-vv", "--color", "never"]),
    ("run -q, vars", &["run", "-q", "--output", "vars"]),
    ("run, json", &["run", "-vv", "--output", "json"]),
    ("run, another value", &["run", "--output", "value:other"]),
    ("run --curl", &["run", "--curl"]),
    ("run --dry-run", &["run", "--dry-run", "-vv", "--curl"]),
    ("check", &["check"]),
    ("check, json", &["check", "--format", "json"]),
    ("graph", &["graph"]),
];

/// Runs the command in a folder and gives back all that it wrote.
fn written(folder: &Path, base: &str, words: &[&str]) -> Vec<(&'static str, String)> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_reqchain"));
    command.args(words).current_dir(folder).stdin(Stdio::null());
    command.env("BASE", base).env("BY_ENV", SECRETS[0].1).env("REQCHAIN_TRUST", "1").env("NO_PROXY", "*");
    let output = command.output().expect("it runs");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    vec![("stdout", text(output.stdout)), ("stderr", text(output.stderr))]
}

/// All that a secret must not be known by, and what a server therefore says.
fn told(secret: &str) -> impl Iterator<Item = (&'static str, String)> + use<> {
    forms(secret).into_iter().chain(beginnings(secret))
}

/// Where secrets stand in what was written, once as it is and once as a reader of JSON has it.
fn leaks(what: &str, written: &[(&str, String)]) -> Vec<String> {
    let mut leaks = Vec::new();
    for (place, text) in written {
        // What the terminal is kept from is still there for eyes.
        let eyes = text.replace("\\x1b[31m", "").replace("\\x1b[0m", "");
        let unescaped = text.replace("\\\\", "\\").replace("\\\"", "\"");
        let all = SECRETS
            .iter()
            .chain(&LEARNT)
            .flat_map(|(name, secret)| told(secret).map(move |(form, text)| (name, form, text)));
        for (name, form, needle) in all {
            if [text, &eyes, &unescaped].iter().any(|text| text.contains(&needle)) {
                leaks.push(format!("{what}: {place} holds {name} in the form `{form}`"));
            }
        }
        // Nor a long beginning of one.
        for (name, secret) in SECRETS.iter().chain(&LEARNT) {
            let beginning: String = secret.chars().take(14).collect();
            if text.contains(&beginning) {
                leaks.push(format!("{what}: {place} holds the beginning of {name}"));
            }
        }
    }
    leaks
}

/// Every flow that is shown, by every flag (S44, S45, S47–S49).
#[test]
fn nothing_that_the_command_writes_holds_a_secret_in_any_form() {
    let base = server();
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("written");
    std::fs::create_dir(folder.path().join("environments")).expect("a folder");
    let yaml = |text: &str| serde_json::to_string(text).expect("JSON");
    write("secret.txt", SECRETS[1].1);
    write("command.txt", SECRETS[2].1);
    write("rows.json", &serde_json::json!([{ "by_data": SECRETS[4].1 }]).to_string());
    write("environments/e.yaml", &format!("by_environment: {}\n", yaml(SECRETS[5].1)));
    let input = format!("by_input={}", SECRETS[3].1);
    let data = format!("by_data={}", SECRETS[4].1);
    let mut found = Vec::new();
    for (at, (flow, steps)) in FLOWS.into_iter().enumerate() {
        let head =
            if flow == "a type" { HEAD.replace("BY_ENV,", "BY_ENV, type: int,") } else { HEAD.to_owned() };
        write("flow.yaml", &format!("{}{steps}\n", head.trim_start()));
        for (call, words) in CALLS {
            let mut words = words.to_vec();
            words.push("flow.yaml");
            if at > 1 && call.len() > 11 {
                // What fails shows the same of itself in all other ways.
                continue;
            }
            if words.contains(&"run") {
                words.extend(["--input", &input, "--env", "e"]);
                words.extend(if call.contains("value") {
                    ["--input", &data]
                } else {
                    ["--data", "rows.json"]
                });
            }
            let written = written(folder.path(), &base, &words);
            assert!(
                written.iter().any(|(_, text)| !text.is_empty()) || call.contains("-q"),
                "{flow}, {call}"
            );
            found.extend(leaks(&format!("{flow}, {call}"), &written));
            // It came that far, and people see what stood there.
            let shown = match (flow, call) {
                ("all places", "run -vv") => &["«by_env»", "«by_file»", "«by_data»", "«by_environment»"][..],
                ("what is learnt", "run -vv") => {
                    &["&code=«code»&state=«state»", "said=«access_token»", "«accessToken» «password»"]
                }
                ("TLS", "run") => &["no TLS connection", "not TLS"],
                ("a silence", "run") => &["time ran out"],
                _ => &[],
            };
            says(&written[1].1, shown);
        }
    }
    assert!(found.is_empty(), "{} leaks:\n{}", found.len(), found[..found.len().min(60)].join("\n"));
}

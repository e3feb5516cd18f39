//! The places where a secret could come through although it is known: what a mock tells of trouble, what
//! is cut or joined before it is shown, names of members, other runs of the same command, proofs that
//! are computed, literals of a file, the command line itself.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqchain::running::Detail;

use crate::scenario::{Cli, Ran, Reply, Scenario, says};

const SECRET: &str = "Kx9#mQ2vL7pR4tW8zB1nC6yH3jF5dG0sA-Kx9#mQ2vL7pR4tW8zB1nC6yH3jF5dG0sA";
/// One that stands in a file as it is.
const LITERAL: &str = "hunter2-Literal-9";

/// How a server answers.
type Answer = Box<dyn Fn() -> Reply + Send + Sync>;

/// Asserts that no long part of a text is shown.
#[track_caller]
fn hides(shown: &str, secret: &str) {
    let characters: Vec<char> = secret.chars().collect();
    for part in characters.windows(12) {
        let part: String = part.iter().collect();
        assert!(!shown.contains(&part), "`{part}` stands in:\n{shown}");
    }
}

#[test]
fn what_a_mock_tells_of_its_trouble_holds_no_secret_of_the_run() {
    let flow = "inputs: { api: https://api.example.com, password: { env: PW } }\nmock: mock.yaml\nsteps:\n  - { id: lost, continue_on_failure: true, request: 'GET {{ api }}/nope/{{ password }}' }\n  - { id: thrown, continue_on_failure: true, request: { url: '{{ api }}/s', form: { p: '{{ password }}' } } }\n  - { id: failed, request: { url: '{{ api }}/f', form: { p: '{{ password }}' } } }\n";
    let mock = "routes:\n  - { route: POST /s, script: throw request.body; }\n  - { route: POST /f, script: 'fail(\"wrong \" + request.form.p)' }\n";
    let cli = Cli::new(&[("flow.yaml", flow), ("mock.yaml", mock)]).env("PW", SECRET);
    for flags in ["", "-q", "-vv", "--output json"] {
        let called = cli.call(&format!("run flow.yaml --mock {flags}"));
        assert_eq!(called.code, Some(3), "{}", called.err);
        says(&called.err, &["no route for GET /nope/«password»", "wrong «password»"]);
        hides(&format!("{}{}", called.out, called.err), SECRET);
    }
    let ran = Scenario::new(flow).file("mock.yaml", mock).env("PW", SECRET).own_mock().run();
    says(&ran.error(), &["wrong «password»"]);
    hides(&ran.error(), SECRET);
}

#[test]
fn nothing_is_cut_or_joined_before_it_is_scrubbed() {
    let broken = SECRET.replace("L7p", "L7p\n  ");
    let encoded = STANDARD.encode(SECRET);
    let mail = encoded.as_bytes().chunks(38).map(String::from_utf8_lossy).collect::<Vec<_>>().join("\r\n");
    let hex = SECRET.bytes().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    let page = |text: &str| format!("<html><title>bad {text}</title><p>bad {text}</p></html>");
    let replies: Vec<(&str, Answer)> = vec![
        (
            "a JSON text in lines",
            Box::new({
                let body = serde_json::json!({ "error": format!("bad {broken}") }).to_string();
                move || Reply::json(body.clone()).with(401)
            }),
        ),
        (
            "base64 of a mail",
            Box::new({
                let body = serde_json::json!({ "error": mail }).to_string();
                move || Reply::json(body.clone()).with(401)
            }),
        ),
        (
            "plain text",
            Box::new({
                let body = mail.clone();
                move || Reply::text(body.clone()).with(500)
            }),
        ),
        (
            "a title",
            Box::new({
                let body = page(&broken);
                move || Reply::text(body.clone()).header("content-type", "text/html").with(500)
            }),
        ),
        (
            "a page that is no JSON",
            Box::new({
                let body = page(&broken);
                move || Reply::text(body.clone()).header("content-type", "text/html")
            }),
        ),
        (
            "a text that is no JSON",
            Box::new({
                let body = format!("bad {mail}");
                move || Reply::text(body.clone())
            }),
        ),
        (
            "a coding",
            Box::new({
                let coding = hex.clone();
                move || Reply::text("x").header("content-encoding", coding.clone())
            }),
        ),
        (
            "a media type",
            Box::new({
                let media = SECRET.replace('#', "-");
                move || Reply::text("x").header("content-type", media.clone())
            }),
        ),
    ];
    let mut found = Vec::new();
    for (what, reply) in replies {
        let ran = Scenario::new(
            "steps:\n  - request: { url: '{{ base }}/', form: { p: '{{ password }}', q: '{{ plain }}' } }\n    extract: { v: $.none }\ninputs: { base: , password: { env: PW }, plain: { env: PLAIN, secret: true } }\n",
        )
        .env("PW", SECRET)
        .env("PLAIN", &SECRET.replace('#', "-"))
        .detail(Detail::Wire)
        .on("POST /", move |_| reply())
        .run();
        let told = format!("{}{}", ran.text(), ran.error());
        let joined = SECRET.replace("L7p", "L7p ");
        for form in [SECRET, &joined, &encoded, &hex, &SECRET.replace('#', "-").to_lowercase()] {
            if told.contains(&form[..20]) {
                found.push(format!("{what}: {form} stands in {told}"));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn a_value_of_a_page_holds_no_secret_that_a_line_broke() {
    let ran = Scenario::new(
        "steps:\n  - request: { url: '{{ base }}/', form: { p: '{{ password }}' } }\n    extract: { v: { css: p } }\ninputs: { base: , password: { env: PW } }\n",
    )
    .env("PW", SECRET)
    .detail(Detail::Wire)
    .on("POST /", |_| {
        let body = format!("<html><p>bad {}</p></html>", SECRET.replace("L7p", "L7p<br>\n"));
        Reply::text(body).header("content-type", "text/html")
    })
    .run();
    ran.passed();
    says(&ran.text(), &["\"shown\":\"bad «password»\""]);
}

#[test]
fn the_names_of_members_hold_no_secret_either() {
    let flow = "inputs: { api: https://api.example.com, password: { env: PW } }\nmock: mock.yaml\nsteps:\n  - { request: { url: '{{ api }}/', json: { p: '{{ password }}' } }, extract: { m: $ }, after: 'print(vars.m); debug(vars.m);' }\noutputs: { m: '{{ m }}' }\n";
    let mock = format!(
        "routes:\n  - {{ route: POST /, reply: {{ json: {{ map: {{ '{SECRET}': 1, x: {{ '{SECRET}': y }} }} }} }} }}\n"
    );
    let cli = Cli::new(&[("flow.yaml", flow), ("mock.yaml", &mock)]).env("PW", SECRET);
    for flags in ["--output json", "--output vars", "-vv"] {
        let called = cli.call(&format!("run flow.yaml --mock {flags}"));
        let told = format!("{}{}", called.passed().out, called.err);
        says(&told, &["«password»"]);
        hides(&told, SECRET);
    }
}

/// What one workflow, or row, was given or has learnt is no less secret in the report of another.
#[test]
fn runs_of_one_command_hide_each_others_secrets() {
    let flow = |mock: &str, password: &str| {
        format!(
            "inputs: {{ api: https://api.example.com{password} }}\nmock: {mock}\nsteps:\n  - {{ request: 'GET {{{{ api }}}}/', extract: {{ said: $.said }} }}\n"
        )
    };
    let echo = format!(
        "routes:\n  - {{ route: GET /, reply: {{ json: {{ said: '{SECRET} issued-QwErTy-98765 sess-cookie-12345' }} }} }}\n"
    );
    let login = "routes:\n  - { route: GET /, reply: { headers: { Set-Cookie: s=sess-cookie-12345 }, json: { said: hello, access_token: issued-QwErTy-98765 } } }\n";
    let files = [
        ("a.yaml", flow("login.yaml", ", password: { env: PW }").replace("}}/'", "}}/?p={{ password }}'")),
        ("b.yaml", flow("echo.yaml", "")),
        ("login.yaml", login.to_owned()),
        ("echo.yaml", echo),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let cli = Cli::new(&files).env("PW", SECRET);
    for words in ["a.yaml b.yaml --jobs 1 -v", "a.yaml b.yaml --jobs 1 -v --output json"] {
        let called = cli.call(&format!("run --mock {words}"));
        let told = format!("{}{}", called.passed().out, called.err);
        for secret in [SECRET, "issued-QwErTy-98765", "sess-cookie-12345"] {
            hides(&told, secret);
        }
    }
    // The inputs of all are known before the first begins.
    let called = cli.call("run --mock b.yaml a.yaml --jobs 1 --output vars");
    hides(&format!("{}{}", called.passed().out, called.err), SECRET);

    let rows = "password\nRowOneSecret-111111\nRowTwoSecret-222222\n";
    let flow = "inputs: { api: https://api.example.com, password: }\nmock: mock.yaml\nsteps:\n  - { request: { url: '{{ api }}/', form: { p: '{{ password }}' } }, extract: { said: $.said } }\n";
    let mock = "state: { all: '' }\nroutes:\n  - route: POST /\n    script: |\n      state.all += \" \" + request.form.p;\n      #{ json: #{ said: state.all } }\n";
    let cli = Cli::new(&[("flow.yaml", flow), ("mock.yaml", mock), ("rows.csv", rows)]);
    let called = cli.call("run --mock flow.yaml --data rows.csv --jobs 1 -v");
    says(&called.passed().err, &["said", "«password» «password»"]);
    hides(&called.err, "RowOneSecret-111111");
}

/// Nobody extracts it, and the run that got it shows nothing (S44).
#[test]
fn what_an_answer_told_one_run_is_hidden_in_the_others() {
    let flow = |mock: &str| {
        format!(
            "inputs: {{ api: https://api.example.com }}\nmock: {mock}\nsteps: [ {{ request: 'GET {{{{ api }}}}/' }} ]\n"
        )
    };
    let told = "routes: [ { route: GET /, reply: { json: { refresh_token: issued-QwErTy-98765 } } } ]\n";
    let echo = "routes: [ { route: GET /, reply: { status: 500, json: { said: issued-QwErTy-98765 } } } ]\n";
    let again = "state: { n: 0, last: none }\nroutes:\n  - route: GET /\n    script: |\n      let last = state.last;\n      state.n += 1;\n      state.last = `issued-QwErTy-${state.n}`;\n      #{ json: #{ said: last, refresh_token: state.last } }\n";
    let (a, b, c) = (flow("told.yaml"), flow("echo.yaml"), flow("again.yaml"));
    let files = [("a.yaml", &*a), ("b.yaml", &b), ("c.yaml", &c)];
    let mocks = [("told.yaml", told), ("echo.yaml", echo), ("again.yaml", again)];
    let cli = Cli::new(&[files, mocks].concat());
    let called = cli.call("run --mock a.yaml b.yaml --jobs 1");
    says(&called.err, &["\"said\": \"«refresh_token»\""]);
    let called = cli.call("run --mock c.yaml --repeat 2 -v");
    says(&called.passed().err, &["\"said\": \"none\"", "\"said\": \"«refresh_token»\""]);
}

#[test]
fn what_an_answer_told_and_nobody_extracted_is_hidden_where_it_comes_back() {
    let ran = Scenario::new(
        "steps:\n  - request: 'GET {{ base }}/login'\n  - request: 'GET {{ base }}/session'\n  - request: 'GET {{ base }}/echo'\n    extract: { said: $.said }\n",
    )
    .detail(Detail::Steps)
    .json("GET /login", r#"{"user":"ann","nested":[{"refreshToken":"issued-QwErTy\/98765"}]}"#)
    .on("GET /session", |_| Reply::text("hello").header("x-auth-token", "header-AsDfGh-43210"))
    .json("GET /echo", r#"{"said":"it was issued-QwErTy/98765 or header-AsDfGh-43210"}"#)
    .run();
    ran.passed();
    says(&ran.text(), &["it was «refreshToken» or «x-auth-token»"]);
}

#[test]
fn a_secret_in_a_host_is_hidden_in_small_letters_too() {
    let ran = Scenario::new(
        "inputs: { base: , h: { env: H, secret: true } }\nvars: { api: \"{{ base | regex_replace('127.0.0.1', h ~ '.example') }}\" }\ndefaults: { resolve: { tok3nabcdef.example: 127.0.0.1 } }\nsteps: [ { request: 'GET {{ api }}/' } ]\n",
    )
    .env("H", "Tok3nAbCdEf")
    .detail(Detail::Wire)
    .on("GET /", |seen| Reply::text(format!("you asked {}", seen.header("host"))).with(500))
    .run();
    let told = format!("{}{}", ran.text(), ran.error());
    says(&told, &["you asked «h»"]);
    assert!(!told.to_lowercase().contains("tok3nabcdef."), "{told}");
}

/// Signs in several ways before a server that says what it got.
fn proving(detail: Detail) -> Ran {
    Scenario::new(
        r#"steps:
  - request: { url: "{{ base }}/aws", auth: { aws_sigv4: { access_key: AKIDEXAMPLE, secret_key: "{{ password }}", region: eu-west-1, service: execute-api } } }
    extract: { said: { body: text } }
  - request: { url: "{{ base }}/digest", auth: { digest: { username: ann, password: "{{ password }}" } } }
    extract: { said: { body: text } }
  - request: { url: "{{ base }}/made", headers: { X-Made: "{{ password | md5 | upper }}" } }
  - request: { url: "{{ base }}/key", auth: { api_key: { query: k, value: "{{ short }}" } } }
  - before: request.headers["X-A"] = "1";
    request: { url: "{{ base }}/key", auth: { api_key: { query: k, value: "{{ short }}" } } }
inputs: { base: , password: { env: PW }, short: { env: SHORT, secret: true } }
"#,
    )
    .env("PW", SECRET)
    .env("SHORT", "zq7")
    .detail(detail)
    .on("GET /aws", |seen| {
        let text = seen.header("authorization").to_owned();
        let signature = text.rsplit('=').next().unwrap_or_default().to_owned();
        Reply::text(format!("it is {signature} of {text}")).header("x-echo", text)
    })
    .on("GET /digest", |_| {
        let challenge = "Digest realm=\"r\", nonce=\"abcdef0123456789\", qop=\"auth\", algorithm=MD5";
        Reply::status(401).header("www-authenticate", challenge)
    })
    .on("GET /digest", |seen| {
        let text = seen.header("authorization").to_owned();
        let response = text.split("response=\"").nth(1).and_then(|rest| rest.split('"').next());
        Reply::text(format!("it is {}", response.expect("an answer to the challenge")))
    })
    .on("GET /made", |seen| Reply::text(seen.header("x-made").to_owned()))
    .on("GET /key", |_| Reply::text("ok"))
    .run()
}

#[test]
fn what_proves_a_secret_is_one() {
    for detail in [Detail::Steps, Detail::Wire] {
        let ran = proving(detail);
        ran.passed();
        let aws = ran.seen("GET /aws").header("authorization").to_owned();
        hides(&ran.text(), aws.rsplit('=').next().expect("a signature"));
        let all = ran.seen_at("base");
        let digest = all.iter().find_map(|seen| seen.header("authorization").split("response=\"").nth(1));
        hides(&ran.text(), digest.and_then(|rest| rest.get(..32)).expect("a response"));
        hides(&ran.text(), ran.seen("GET /made").header("x-made"));
        assert!(!ran.text().contains("zq7"), "{}", ran.text());
    }
    let text = proving(Detail::Wire).text();
    says(&text, &["\"«authorization»\""]);
    assert_eq!(text.matches("/key?k=«short»").count(), 2, "{text}");
}

#[test]
fn no_literal_of_a_file_is_shown_beside_a_mistake() {
    let texts = [
        format!(
            "steps:\n  - request: {{ url: 'http://127.0.0.1:1/?token={LITERAL}&x=1', json: {{ a: 1 }} bad }}\n"
        ),
        format!(
            "vars: {{ api_key: \"{{{{ '{LITERAL}' | nofilter }}}}\" }}\nsteps: [ {{ script: print(1) }} ]\n"
        ),
        format!("vars: {{ password: \"{LITERAL} {{{{ nosuch }}}}\" }}\nsteps: [ {{ script: print(1) }} ]\n"),
        format!(
            "inputs: {{ token: !!str {LITERAL}, secrets: [{LITERAL}, '{LITERAL}'], x: [ }}\nsteps: [ {{ script: print(1) }} ]\n"
        ),
        format!("inputs: {{ secret: &a !x {LITERAL} }}\nsteps: [ {{ script: print(1) }} ]\n"),
    ];
    for text in &texts {
        let cli = Cli::new(&[("flow.yaml", text)]);
        for words in
            ["check flow.yaml", "check --format json flow.yaml", "fmt --check flow.yaml", "graph flow.yaml"]
        {
            let called = cli.call(words);
            assert_ne!(called.code, Some(0), "{words}: {text}");
            hides(&format!("{}{}", called.out, called.err), LITERAL);
        }
    }
    let flow = format!(
        "inputs: {{ api: https://api.example.com }}\nmock: mock.yaml\nsteps:\n  - request: {{ url: \"{{{{ api }}}}/a?x=1&token={LITERAL}&sig=S1g-Literal-98\" }}\n"
    );
    let cli = Cli::new(&[
        ("flow.yaml", &flow),
        ("mock.yaml", "routes:\n  - { route: GET /a, reply: { status: 500 } }\n"),
    ]);
    for words in
        ["--mock", "--mock -vv", "--mock --output json", "--dry-run", "--dry-run --curl --output json"]
    {
        let called = cli.call(&format!("run flow.yaml {words}"));
        let told = format!("{}{}", called.out, called.err);
        says(&told, &["/a?x=1"]);
        hides(&told, LITERAL);
        hides(&told, "S1g-Literal-98");
    }
}

#[test]
fn the_command_line_does_not_repeat_a_value() {
    let flow = "inputs: { pw: { secret: true } }\nsteps: [ { script: print(1) } ]\n";
    let cli = Cli::new(&[("flow.yaml", flow)]);
    let input = cli.call(&format!("run flow.yaml --input pw:{LITERAL}"));
    input.refused(&["--input <NAME=VALUE>", "write a name, an equal sign and a value"]);
    let secret = cli.call(&format!("run flow.yaml --secret pw={LITERAL}"));
    secret.refused(&["--secret <NAME>", "write the name alone"]);
    hides(&format!("{}{}", input.err, secret.err), LITERAL);
}

#[test]
fn a_command_that_gives_a_secret_does_not_tell_it_to_a_log() {
    let command = "echo asking for it: $(cat word) >&2; cat word; exit $END";
    let flow = format!(
        "inputs: {{ pw: {{ command: [sh, -c, '{command}'], secret: true }} }}\nsteps: [ {{ script: print(vars.pw) }} ]\n"
    );
    for (end, code) in [("0", 0), ("3", 2)] {
        let cli = Cli::new(&[("flow.yaml", &flow), ("word", &format!("{LITERAL}\n"))]).env("END", end);
        let called = cli.call("run flow.yaml --trust");
        assert_eq!(called.code, Some(code), "{}", called.err);
        says(&called.err, &["asking for it: «output»"]);
        hides(&called.err, LITERAL);
    }
}

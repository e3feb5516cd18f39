//! No secret stands in anything that people or files get to see. The scan looks for every secret in
//! the forms in which it may come back, each made here by another implementation than the
//! one that hides it.

mod command;
mod fault;
mod given;
mod places;
#[cfg(unix)]
mod prompt;
mod written;

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use reqchain::document::inputs::Inputs;
use reqchain::document::plan::{PlannedAction, plan};
use reqchain::document::workflow::Workflow;
use reqchain::ground::source::Source;
use reqchain::parts::http::Response;
use reqchain::parts::scope::Scope;
use reqchain::running::{Cause, Detail};

use crate::scenario::{Ran, Reply, Scenario, says};

const PASSWORD: &str = r#"S3cr:t "quöte"<&>'p/w+%1"#;
const API_KEY: &str = "ak_live/51H+8f==";
const CLIENT_SECRET: &str = "cs-0f9e8d7c6b5a";
const ACCESS: &str = "at.Zm9vYmFyYmF6cXV4";
const REFRESH: &str = "rt-1//09AbCdEfGh";
const SESSION: &str = "sess-3f2a9b7c1d";
const JWT: &str =
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4tc2VjcmV0LXN1YmplY3QifQ.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg";
const MADE: &str = "prefix-cs-0f9e8d7c6b5a-suffix";

const SECRETS: [&str; 8] = [PASSWORD, API_KEY, CLIENT_SECRET, ACCESS, REFRESH, SESSION, JWT, MADE];

/// Every form of a secret that the language promises to hide.
fn forms(secret: &str) -> Vec<String> {
    let hex = |bytes: &[u8]| bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    let percent = secret.bytes().fold(String::new(), |mut text, byte| {
        let plain = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let _ = if plain { write!(text, "{}", byte as char) } else { write!(text, "%{byte:02X}") };
        text
    });
    let json = serde_json::to_string(secret).expect("JSON");
    let html = secret
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;");
    let mut forms = vec![
        secret.to_owned(),
        STANDARD.encode(secret).trim_end_matches('=').to_owned(),
        URL_SAFE_NO_PAD.encode(secret),
        hex(secret.as_bytes()),
        hex(secret.as_bytes()).to_uppercase(),
        lower_digits(&percent),
        percent.replace("%20", "+"),
        percent,
        json.trim_matches('"').to_owned(),
        html,
    ];
    if secret == JWT {
        forms.extend(secret.split('.').skip(1).map(str::to_owned));
    }
    forms
}

/// `%2f` for `%2F`, as some servers write it.
fn lower_digits(percent: &str) -> String {
    let lower = |(at, part): (usize, &str)| {
        let (digits, rest) = part.split_at(if at == 0 { 0 } else { 2 });
        format!("{}{rest}", digits.to_lowercase())
    };
    percent.split('%').enumerate().map(lower).collect::<Vec<_>>().join("%")
}

/// Asserts that no secret stands in what came of a run: neither in the events, once as they are
/// and once as a reader of their JSON gets them, nor in errors, nor in what a log prints of them.
#[track_caller]
fn holds_no_secret(ran: &Ran, derived: &[String]) {
    let leaks = leaks(ran, derived);
    assert!(leaks.is_empty(), "{}", leaks.join("\n"));
}

/// Where secrets stand in what came of a run.
fn leaks(ran: &Ran, derived: &[String]) -> Vec<String> {
    let mut leaks: Vec<String> = Vec::new();
    let decoded: Vec<String> =
        ran.text().lines().flat_map(|line| strings(&serde_json::from_str(line).expect("JSON"))).collect();
    let texts = [
        ("events", ran.text()),
        ("strings of events", decoded.join("\n")),
        ("events, however often they were escaped,", ran.text().replace('\\', "")),
        ("errors", ran.error()),
        ("{:?} of events", format!("{:?}", ran.events)),
        ("{:?} of what came", format!("{:?}", ran.finished)),
    ];
    for (place, text) in &texts {
        // Nor is the beginning of one shown where a long text is cut.
        let beginnings = SECRETS.iter().map(|secret| secret.chars().take(12).collect());
        for form in
            SECRETS.iter().flat_map(|secret| forms(secret)).chain(beginnings).chain(derived.iter().cloned())
        {
            let Some(at) = text.find(&form) else { continue };
            let start = text[..at].char_indices().rev().nth(120).map_or(0, |(start, _)| start);
            if leaks.len() > 20 {
                return leaks;
            }
            leaks.push(format!("{place} hold the secret `{form}`: …{}‹{form}›", &text[start..at]));
        }
    }
    leaks
}

fn strings(value: &serde_json::Value) -> Vec<String> {
    match value {
        serde_json::Value::String(text) => vec![text.clone()],
        serde_json::Value::Array(elements) => elements.iter().flat_map(strings).collect(),
        serde_json::Value::Object(members) => members.values().flat_map(strings).collect(),
        _ => Vec::new(),
    }
}

/// A workflow that knows every secret, and whose last step is `last`.
fn knowing(last: &str) -> Scenario {
    Scenario::new(&format!(
        r#"
inputs:
  base:
  gone:
  password: {{ env: APP_PASSWORD }}
  api_key: {{ env: APP_KEY }}
  app: {{ env: APP_SECRET, secret: true }}
vars:
  made: "prefix-{{{{ app }}}}-suffix"
  keyed: "{{{{ api_key }}}}"
steps:
  - id: login
    request:
      url: "{{{{ base }}}}/login"
      auth: {{ basic: {{ username: ann, password: "{{{{ password }}}}" }} }}
      form: {{ client_secret: "{{{{ app }}}}", grant_type: password }}
    extract: {{ access: $.access_token, renewing: {{ json: '$.tokens[0].value', secret: true }}, identity: $.id }}
{last}"#
    ))
    .curl()
    .env("APP_PASSWORD", PASSWORD)
    .env("APP_KEY", API_KEY)
    .env("APP_SECRET", CLIENT_SECRET)
    .nobody("gone")
    .detail(Detail::Wire)
    .on("POST /login", |_| {
        Reply::json(format!(r#"{{"access_token":"{ACCESS}","tokens":[{{"value":"{REFRESH}"}}],"id":"{JWT}","expires_in":60}}"#))
            .header("set-cookie", format!("sid={SESSION}; HttpOnly; Path=/"))
            .header("x-amzn-session", SESSION)
    })
}

/// What a server does that gives back all it got, in every form that it can think of.
fn echo(text: &str) -> String {
    SECRETS
        .iter()
        .filter(|secret| **secret != SESSION)
        .flat_map(|secret| forms(secret))
        .fold(text.to_owned(), |text, form| format!("{text} | {form}"))
}

/// Everything that can be told, of secrets that came by every way (S44–S46, S48, S49).
#[test]
fn no_secret_in_any_form_stands_in_anything_that_a_run_tells() {
    let ran = knowing(
        r#"
  - id: everywhere
    before: |
      request.headers["X-Signed"] = hmac::sha256(vars.app, request.body);
      request.headers["X-Hash"] = hash::sha256(vars.password);
      print(`before ${vars.password} ${base64::encode(vars.password)} ${hash::sha256(vars.password)}`);
    request:
      url: "{{ base }}/use/{{ access }}?key={{ api_key }}"
      query: { direct: "{{ password }}", derived: "{{ password | base64 }}" }
      headers:
        X-Plain: "{{ renewing }}"
        X-Base64: "{{ password | base64 }}"
        X-Sha: "{{ password | sha256 }}"
        X-Hmac: "{{ 'text' | hmac(app, 'sha256') }}"
        X-Url: "{{ password | urlencode }}"
        Cookie: "sid={{ access }}"
      auth: { api_key: { header: X-Custom, value: "{{ api_key }}" } }
      json: { note: "the password is {{ password }}", made: "{{ made }}", list: ["{{ renewing }}"], deep: { identity: "{{ identity }}" } }
    extract: { echoed: $.echo, all: $ }
    after: |
      print(vars.echoed);
      debug(response.json);
      print(response.headers);
      vars.copy = vars.password + "";
      let bytes = hash::md5(vars.access);
      check("with " + vars.password, true);
      http::send(#{ method: "POST", url: vars.base + "/from-script?t=" + vars.access, headers: #{ "X-T": vars.renewing }, auth: #{ basic: #{ username: "u", password: vars.password } }, json: #{ p: vars.password } });
    expect: { json: { $.kind: echo }, body: { contains: "{{ access }}" }, that: ["{{ echoed is defined }}"] }
  - id: key_in_query
    request: { url: "{{ base }}/q", auth: { api_key: { query: k, value: "{{ api_key }}" } } }
  - id: key_in_cookie
    request: { url: "{{ base }}/c", auth: { api_key: { cookie: k, value: "{{ api_key }}" } } }
  - id: moved
    request: { url: "{{ base }}/moved", auth: { bearer: "{{ access }}" } }
    extract: { token_type: $.token_type }
  - id: text
    request: { url: "{{ base }}/text", auth: { bearer: "{{ identity }}" }, method: POST, body: "raw {{ password }} {{ copy }}" }
"#,
    )
    .on(&format!("POST /use/{ACCESS}"), |seen| {
        let body = serde_json::json!({ "kind": "echo", "echo": echo(&seen.body), "got": { "password": PASSWORD, "said": seen.header("x-signed") } });
        Reply::json(body.to_string()).header("x-echo", format!("{} {}", seen.header("x-hash"), seen.header("x-hmac"))).header("x-key", API_KEY)
    })
    .on("POST /from-script", |seen| Reply::text(seen.body.clone()))
    .on("GET /q", |seen| Reply::text(seen.target.clone()))
    .on("GET /c", |seen| Reply::text(seen.header("cookie")))
    .on("GET /moved", |_| Reply::redirect(302, format!("/there?access_token={ACCESS}")))
    .on("GET /there", |_| {
        let twice = serde_json::json!(serde_json::json!(PASSWORD).to_string()).to_string();
        Reply::json(serde_json::json!({ "token_type": "Bearer", "json_in_json_in_json": twice }).to_string())
    })
    .on("POST /text", |seen| Reply::text(echo(&seen.body)).header("content-type", "text/html"))
    .run();
    ran.passed();
    let used = ran.seen(&format!("POST /use/{ACCESS}"));
    let derived: Vec<String> =
        ["x-signed", "x-hash", "x-hmac"].iter().map(|name| used.header(name).to_owned()).collect();
    assert!(derived.iter().all(|derived| derived.len() == 64), "{derived:?}");
    holds_no_secret(&ran, &derived);
    // It really was sent, and people see what stood there.
    assert!(used.body.contains("quöte"));
    says(
        &ran.text(),
        &["«password»", "«api_key»", "«app»", "«access", "«renewing»", "sid=«sid»", "\"Bearer\""],
    );
}

/// The same of every failure (S44–S46, S48).
#[test]
fn no_secret_stands_in_what_is_told_of_a_failure() {
    let table: &[(&str, &str, Cause)] = &[
        (
            "an expectation",
            "{ request: 'GET {{ base }}/', expect: { status: 200, json: { $.password: wrong, $.said: '{{ password }}', $.token: { length: 3 }, $.said2: absent }, headers: { x-said: '{{ access }}' }, body: { starts_with: '{{ password }}' }, that: ['{{ password == access }}'] } }",
            Cause::CheckFailed,
        ),
        (
            "a status",
            "{ request: { url: '{{ base }}/fail', form: { p: '{{ password }}' } } }",
            Cause::Authentication,
        ),
        (
            "an extract",
            "{ request: 'GET {{ base }}/', extract: { x: $.nothing.here, y: { regex: 'nothing (.*)' } } }",
            Cause::CouldNotRun,
        ),
        (
            "a type",
            "{ request: 'GET {{ base }}/', extract: { x: { json: $.said, type: int } } }",
            Cause::CouldNotRun,
        ),
        ("no answer", "{ request: 'GET {{ gone }}/{{ access }}?k={{ api_key }}' }", Cause::CouldNotRun),
        ("a `when`", "{ when: '{{ password }}', request: 'GET {{ base }}/' }", Cause::CouldNotRun),
        ("a filter", "{ request: 'GET {{ base }}/{{ password | fromjson }}' }", Cause::CouldNotRun),
        ("arithmetic", "{ request: 'GET {{ base }}/{{ password * 2 }}' }", Cause::CheckFailed),
        ("a member", "{ request: 'GET {{ base }}/{{ password.nothing.here }}' }", Cause::CouldNotRun),
        (
            "a header",
            "{ request: { url: '{{ base }}/', headers: { X-A: \"{{ password }}\\n{{ access }}\" } } }",
            Cause::CouldNotRun,
        ),
        ("a URL", "{ request: 'GET {{ password }}/x' }", Cause::CouldNotRun),
        ("a port", "{ request: 'GET http://127.0.0.1:{{ access }}/' }", Cause::CouldNotRun),
        (
            "a thrown text",
            "{ script: 'throw `no ${vars.password} ${base64::encode(vars.api_key)}`;' }",
            Cause::CouldNotRun,
        ),
        ("a thrown object", "{ script: 'throw #{ p: vars.password };' }", Cause::CouldNotRun),
        ("`fail`", "{ script: 'fail(\"no \" + vars.password);' }", Cause::CheckFailed),
        ("`check`", "{ script: 'check(vars.app + \" and \" + vars.password, false);' }", Cause::CheckFailed),
        ("`next`", "{ script: 'next(vars.app);' }", Cause::CouldNotRun),
        ("a conversion", "{ script: 'parse_int(vars.app);' }", Cause::CouldNotRun),
        ("an index", "{ script: 'let x = #{}; x[vars.app].y.z;' }", Cause::CouldNotRun),
        ("JSON in a script", "{ script: 'json::parse(vars.app);' }", Cause::CouldNotRun),
        ("a variable's name", "{ script: 'vars[vars.app];' }", Cause::CouldNotRun),
        (
            "a request of a script",
            "{ script: 'http::get(vars.gone + \"/\" + vars.access + \"?t=\" + vars.api_key);' }",
            Cause::CouldNotRun,
        ),
        (
            "a method of a script",
            "{ script: 'http::send(#{ url: vars.base, method: \"(\" + vars.app });' }",
            Cause::CouldNotRun,
        ),
        (
            "a header of a script",
            "{ before: 'request.headers[\"X-A\"] = vars.password + \"\\r\\n\" + vars.access;', request: 'GET {{ base }}/' }",
            Cause::CouldNotRun,
        ),
        (
            "a URL of a script",
            "{ before: 'request.url = vars.password;', request: 'GET {{ base }}/' }",
            Cause::CouldNotRun,
        ),
        (
            "an input of a used workflow",
            "{ uses: ./used.yaml, with: { n: '{{ password }}' } }",
            Cause::CheckFailed,
        ),
    ];
    let mut found = Vec::new();
    for (what, step, cause) in table {
        let mut scenario = knowing(&format!("  - {step}\n")).file(
            "used.yaml",
            "inputs: { n: }\nsteps: [ { script: 'check(vars.n, false); print(vars.n);' } ]",
        );
        if step.contains("base }}/fail") {
            scenario = scenario.on("POST /fail", |seen| {
                Reply::json(format!(
                    r#"{{"error":"invalid_grant","error_description":{}}}"#,
                    serde_json::json!(echo(&seen.body))
                ))
                .with(400)
            });
        } else if step.contains("expect") || step.contains("extract") {
            let body = serde_json::json!({ "password": PASSWORD, "token": ACCESS, "said": format!("it is {PASSWORD}"), "said2": echo(""), "n": { "access_token": REFRESH } });
            scenario = scenario.on("GET /", move |_| Reply::json(body.to_string()).header("x-said", REFRESH));
        }
        let ran = scenario.run();
        assert!(ran.finished.is_ok(), "{what}: {:?}", ran.finished);
        let came = ran.finished.as_ref().expect("it ran").cause();
        if came != Some(*cause) {
            found.push(format!("{what}: {came:?} instead of {cause:?}: {}", ran.error()));
        }
        found.extend(leaks(&ran, &[]).into_iter().map(|leak| format!("{what}: {leak}")));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// What is refused is quoted, and not its secrets (S44).
#[test]
fn no_secret_stands_in_what_is_told_of_a_workflow_that_is_refused() {
    for text in [
        "inputs: { password: { default: 'S3cr:t-literal', typ: x } }\nsteps: [ { script: print(1) } ]",
        "inputs: { password: S3cr:t-literal, password: other }\nsteps: [ { script: print(1) } ]",
        "inputs: { password: { default: 'S3cr:t-literal', type: int } }\nsteps: [ { script: print(1) } ]",
        "steps:\n  - request: { url: 'http://x/', auth: { basic: { username: u, password: 'S3cr:t-literal', realm: x } } }",
        "steps:\n  - request: { url: 'http://x/{{ nobody }}', auth: { bearer: S3cr:t-literal } }",
    ] {
        let refused = Scenario::new(text).run().refused();
        assert!(!refused.contains("S3cr:t"), "{refused}");
    }
}

#[test]
fn an_input_of_a_wrong_type_is_told_without_its_value() {
    let ran = Scenario::new(
        "inputs: { pin: { env: PIN, type: int, secret: true } }\nsteps: [ { script: print(vars.pin) } ]",
    )
    .env("PIN", PASSWORD)
    .run();
    let text = ran.refused();
    says(&text, &["`pin`", "whole number"]);
    assert!(!text.contains("S3cr:t"), "{text}");
}

#[test]
fn a_secret_is_shown_where_somebody_asks_for_it_on_purpose() {
    let ran = knowing("  - { script: 'print(reveal(vars.app));' }\noutputs: { app: '{{ app }}' }\n").run();
    ran.passed();
    assert_eq!(ran.printed(), [CLIENT_SECRET]);
    assert_eq!(ran.output("app"), serde_json::json!(CLIENT_SECRET));
}

#[test]
fn outputs_that_hold_a_secret_are_marked_through_used_workflows() {
    let ran = Scenario::new(
        "inputs: { base: , password: { env: P } }\nsteps:\n  - { id: login, uses: ./login.yaml, with: { base: '{{ base }}', password: '{{ password }}' } }\n  - { request: { url: '{{ base }}/me', auth: { bearer: '{{ steps.login.outputs.key }}' } } }\n  - { script: 'print(steps.login.outputs.key); print(steps.login.outputs);' }\noutputs: { key: '{{ steps.login.outputs.key }}' }\n",
    )
    .file("login.yaml", "inputs: { base: , password: }\nsteps: [ { request: { url: '{{ base }}/login', json: { p: '{{ password }}' } }, extract: { k: { json: $.k, secret: true } } } ]\noutputs: { key: '{{ k }}' }\n")
    .env("P", PASSWORD)
    .detail(Detail::Wire)
    .json("POST /login", r#"{"k":"cs-0f9e8d7c6b5a"}"#)
    .on("GET /me", |seen| Reply::text(seen.header("authorization")))
    .run();
    ran.passed();
    holds_no_secret(&ran, &[]);
    assert!(ran.finished.as_ref().is_ok_and(|finished| finished.outputs["key"].marks.is_secret()));
}

/// Nor in what a programmer prints (S44).
#[test]
fn no_secret_stands_in_the_debug_form_of_what_holds_one() {
    let secret = "S3cr:t-literal";
    let text = format!(
        "inputs: {{ base: {{ default: 'http://127.0.0.1:1' }}, password: {secret}, pin: }}\nvars: {{ copy: '{{{{ password }}}}' }}\nsteps:\n  - request: {{ url: '{{{{ base }}}}/?k={secret}', headers: {{ X-A: {secret} }}, auth: {{ basic: {{ username: u, password: {secret} }} }}, json: {{ p: {secret}, q: 'x {secret} {{{{ pin }}}}' }} }}\n"
    );
    let workflow = Workflow::parse(&Source::text("flow.yaml", text)).expect("it is right");
    let mut inputs = Inputs::new();
    inputs.set("pin", secret);
    inputs.environment([("PIN".to_owned(), secret.to_owned())]);
    let plan = plan(&workflow, &inputs).expect("it has all it needs");
    let scope = Scope::default();
    for (name, value) in &plan.inputs {
        scope.set_input(name, value.clone());
    }
    let PlannedAction::Request(spec) = &plan.steps[0].action else { panic!("it is a request") };
    let rendered = spec.render(&scope).expect("it renders");
    let texts = [
        format!("{workflow:?}"),
        format!("{inputs:?}"),
        format!("{plan:?}"),
        format!("{scope:?}"),
        format!("{spec:?}"),
        format!("{rendered:?} {:?}", rendered.body),
    ];
    let mut request = rendered.finish();
    spec.auth().expect("it has auth").apply(&mut request, &scope).expect("it signs");
    let response = Response::new(200, request.headers.clone(), secret.into(), request.url.clone());
    for text in texts.into_iter().chain([
        format!("{request:?}"),
        format!("{response:?}"),
        format!("{:?}", scope.needles),
    ]) {
        assert!(!text.contains("S3cr"), "{text}");
    }
}

/// An echo in the outputs, also encoded (S45, S48).
#[test]
fn a_secret_that_a_server_echoes_stands_in_no_output() {
    let ran = Scenario::new(
        r#"
inputs: { base: , pw: { default: hunter2-hunter2, secret: true } }
steps:
  - request: { url: "{{ base }}/echo", json: { p: "{{ pw }}" } }
    extract: { echoed: $.p, whole: "{{ response.body }}", encoded: $.e }
"#,
    )
    .on("POST /echo", |seen| {
        let encoded = STANDARD.encode("hunter2-hunter2");
        let inner = seen.body.trim_end_matches('}').to_owned();
        Reply::json(format!(r#"{inner},"e":"{encoded}"}}"#))
    })
    .run();
    ran.passed();
    let finished = ran.finished.as_ref().expect("it ran");
    let shown = reqchain::reading::report::vars::vars(&finished.outputs, &finished.needles);
    assert!(shown.contains("«pw»"), "{shown}");
    assert!(!shown.contains("hunter2"), "{shown}");
    assert!(!shown.contains(&STANDARD.encode("hunter2-hunter2")), "{shown}");
}

/// The answer that brings a secret hides it already (S49).
#[test]
fn a_secret_that_nobody_extracted_is_masked_where_the_same_answer_echoes_it() {
    let ran = Scenario::new("steps:\n  - request: GET {{ base }}/\n")
        .json("GET /", r#"{"token":"abcd-1234-efgh","note":"use abcd-1234-efgh"}"#)
        .detail(Detail::Requests)
        .run();
    ran.passed();
    says(&ran.text(), &["use «token»"]);
    assert!(!ran.text().contains("abcd-1234-efgh"), "{}", ran.text());
}

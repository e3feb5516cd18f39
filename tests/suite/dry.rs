//! What is run and what is shown of a workflow: single steps (`--only`), requests as commands
//! (`--curl`), and runs that send nothing (`--dry-run`).

use std::path::Path;
use std::process::{Command, Output};

use reqchain::running::{Detail, EventKind};

use crate::scenario::{Ran, Reply, Scenario, Seen, says};

/// A login, a step that needs it, one that does not, and a clean-up.
const CHAIN: &str = r#"
inputs: { base: , user: { env: APP_USER }, stray: { env: APP_STRAY } }
vars: { greeting: "hi {{ user }}", other: "{{ stray }}" }
steps:
  - id: login
    request: { url: "{{ base }}/login", form: { u: "{{ greeting }}" } }
    extract: { access_token: $.t }
  - id: stray
    request: { url: "{{ base }}/stray/{{ other }}" }
    extract: { found: $.x }
  - id: me
    request: { url: "{{ base }}/me", auth: { bearer: "{{ access_token }}" } }
    extract: { name: $.name }
finally:
  - { id: bye, request: "DELETE {{ base }}/bye/{{ access_token }}" }
  - { id: tidy, request: "DELETE {{ base }}/tidy/{{ found }}" }
outputs: { who: "{{ name }}", lost: "{{ found }}", from: "{{ steps.stray.status }}" }
"#;

const TOKEN: &str = "long-token-1234";

/// What a dry run told: `id: note; note; POST url name=value body`.
fn planned(ran: &Ran) -> Vec<String> {
    let line = |event: &reqchain::running::Event| match &event.kind {
        EventKind::StepPlanned { notes, request } => {
            let request = request.as_ref().map(|request| {
                let headers = request.headers.iter().map(|(name, value)| format!(" {name}={value}"));
                let body = request.body.iter().map(|body| format!(" {body}"));
                format!("{} {}{}", request.method, request.url, headers.chain(body).collect::<String>())
            });
            let parts: Vec<_> = notes.iter().cloned().chain(request).collect();
            Some(format!("{}: {}", event.path, parts.join("; ")))
        }
        _ => None,
    };
    ran.events.iter().filter_map(line).collect()
}

fn call(folder: &Path, words: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = Command::new(env!("CARGO_BIN_EXE_reqchain"))
        .args(words)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .output()
        .expect("it runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (status.code(), text(stdout), text(stderr))
}

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).expect("written");
    }
    folder
}

#[test]
fn a_step_brings_those_that_set_what_it_needs_and_no_others() {
    let ran = Scenario::new(CHAIN)
        .only("me")
        .env("APP_USER", "ann")
        .on("POST /login", |seen| {
            assert_eq!(seen.body, "u=hi+ann");
            Reply::json(format!(r#"{{"t":"{TOKEN}"}}"#))
        })
        .on("GET /me", |seen| {
            assert_eq!(seen.header("authorization"), format!("Bearer {TOKEN}"));
            Reply::json(r#"{"name":"Ann"}"#)
        })
        .on(&format!("DELETE /bye/{TOKEN}"), |_| Reply::status(204))
        .run();
    // The input that only the left-out step reads was not asked for.
    ran.passed();
    assert_eq!(ran.verdicts(), ["login passed", "me passed", "bye passed", "tidy skipped"]);
    assert_eq!(ran.outputs(), ["who"], "an output of a left-out step is left out");
}

#[test]
fn what_a_step_needs_is_found_in_scripts_defaults_and_steps() {
    let set = "  - { id: a, script: 'vars.x = 1;' }\n  - { id: b, script: 'vars.y = 2;' }\n  - { id: c, script: 'print(1);' }\n";
    for (last, expected) in [
        ("{ id: z, script: 'print(vars.x);' }", "a z"),
        ("{ id: z, script: 'if vars.has(\"y\") { print(vars.y); }' }", "b z"),
        ("{ id: z, script: 'let n = \"x\"; print(vars[n]);' }", "a b z"),
        ("{ id: z, when: '{{ steps.c.verdict == \"passed\" }}', script: 'print(1);' }", "c z"),
        ("{ id: z, script: 'print(steps.b.verdict);' }", "b z"),
        ("{ id: z, for_each: { e: '{{ [y] }}' }, when: '{{ e == 2 }}', script: 'print(1);' }", "b z[1]"),
        (
            "{ id: p, parallel: [ { id: z, when: '{{ x == 1 }}', script: 'print(1);' }, { id: q, script: 'print(vars.y);' } ] }",
            "a b z q p",
        ),
        ("{ id: z, uses: ./used.yaml, with: { n: '{{ x }}' } }", "a z/inner z"),
    ] {
        let ran = Scenario::new(&format!("steps:\n{set}  - {last}\n"))
            .file("used.yaml", "inputs: { n: }\nsteps: [ { id: inner, script: 'print(vars.n);' } ]")
            .only("z")
            .run();
        ran.passed();
        let steps: Vec<String> = ran.steps().iter().map(|step| step.id.to_string()).collect();
        assert_eq!(steps.join(" "), expected, "{last}");
    }
    let defaults = Scenario::new("defaults: { headers: { X-A: '{{ x }}' } }\nsteps:\n  - { id: a, script: 'vars.x = 1;' }\n  - { id: b, script: 'vars.y = 1;' }\n  - { id: z, request: 'GET {{ base }}/' }\n")
        .only("z")
        .on("GET /", |seen| Reply::text(seen.header("x-a")))
        .run();
    assert_eq!(defaults.passed().verdicts(), ["a passed", "z passed"]);
}

#[test]
fn a_step_that_is_not_there_is_refused_with_the_list() {
    let folder = folder(&[
        (
            "a.yaml",
            "steps:\n  - { id: login, script: 'print(1);' }\nfinally:\n  - { id: bye, script: 'print(2);' }\n",
        ),
        ("b.yaml", "steps:\n  - { id: other, script: 'print(3);' }\n"),
    ]);
    for (step, parts) in [
        ("logn", &["no workflow has a step `logn`", "login, other", "did you mean `login`?"] as &[&str]),
        ("bye", &["no step `bye`", "`finally`, which always runs"]),
    ] {
        let files: &[&str] = if step == "bye" { &["a.yaml"] } else { &["a.yaml", "b.yaml"] };
        let words: Vec<&str> = ["run", "--only", step].iter().chain(files).copied().collect();
        let (code, _, told) = call(folder.path(), &words);
        assert_eq!(code, Some(2), "{told}");
        says(&told, parts);
    }
    let (code, _, told) = call(folder.path(), &["run", "a.yaml", "b.yaml", "--only", "login"]);
    assert_eq!(code, Some(0), "{told}");
    says(&told, &["`b.yaml` is not run: it has no step `login`", "✓ login", "✓ bye"]);
    assert!(!told.contains("other"), "{told}");
}

/// What a server saw that is not the program's own.
fn essence(seen: &Seen) -> (String, String, Vec<(String, String)>, Vec<u8>) {
    let own = ["host", "user-agent", "accept", "content-length", "accept-encoding"];
    let mut headers: Vec<_> =
        seen.headers.iter().filter(|(name, _)| !own.contains(&name.as_str())).cloned().collect();
    headers.sort();
    (seen.method.clone(), seen.target.clone(), headers, seen.bytes.clone())
}

#[test]
fn a_command_that_is_run_sends_what_was_sent() {
    if Command::new("curl").arg("--version").output().is_err() {
        return;
    }
    let workflow = r#"
inputs: { base: , user: ann, password: { default: "p&ss 'w%rd\"$(id)!" }, pin: { default: "47", secret: true } }
steps:
  - request: { url: "{{ base }}/a b/{{ user }}", query: { q: "x y&z", list: [1, 2] }, headers: { X-Quote: "it's \"$HOME\" `id` !", X-Empty: "" } }
    extract: { access_token: $.t }
  - request: { method: PUT, url: "{{ base }}/b", auth: { basic: { username: "{{ user }}", password: "{{ password }}" } }, json: { p: "{{ password }}", n: 1.50, text: "ü «x» %s \\ $(id)" } }
  - request: { url: "{{ base }}/c?k={{ password }}&pin={{ pin }}", auth: { bearer: "{{ access_token }}" }, form: { a: "@b c", p: "{{ password }}" } }
  - request: { method: DELETE, url: "{{ base }}/d" }
  - request: { url: "{{ base }}/e", headers: { Content-Type: text/plain }, body: "@two\r\nlines %d \\n {{ password }}\t" }
  - request: { url: "{{ base }}/f", multipart: [ { name: t, value: "v" } ] }
  - request: { url: "{{ base }}/g", file: raw.bin }
  - request: { url: "{{ base }}/h", auth: { api_key: { cookie: key, value: abc } }, body: "" }
"#;
    let mut scenario = Scenario::new(workflow)
        .file("raw.bin", b"\xff\x00'\n\xfe")
        .detail(Detail::Outcome)
        .curl()
        .on("GET /a%20b/ann", |_| {
            Reply::json(format!(r#"{{"t":"{TOKEN}"}}"#)).header("set-cookie", "sid=cookie-value-1; Path=/")
        });
    for route in ["PUT /b", "POST /c", "DELETE /d", "POST /e", "POST /f", "POST /g", "POST /h"] {
        scenario = scenario.json(route, "{}");
    }
    let ran = scenario.run();
    ran.passed();
    let commands = ran.commands();
    let sent = ran.seen_at("base");
    assert_eq!((commands.len(), sent.len()), (8, 8));
    for command in &commands {
        for hidden in ["p&ss", "p%26ss", TOKEN, "cookie-value-1", "=47", "key=abc"] {
            assert!(!command.contains(hidden), "{command}");
        }
        let output = Command::new("sh")
            .args(["-c", command])
            .env_remove("http_proxy")
            .env("PASSWORD", "p&ss 'w%rd\"$(id)!")
            .env("PASSWORD_JSON", "p&ss 'w%rd\\\"$(id)!")
            .env(
                "PASSWORD_URL",
                if command.contains("/c?") { "p%26ss%20%27w%25rd%22%24%28id%29%21" } else { "" },
            )
            .env("PASSWORD_URL_2", "p%26ss+%27w%25rd%22%24%28id%29%21")
            .env("PIN", "47")
            .env("ACCESS_TOKEN", TOKEN)
            .env("SID", "cookie-value-1")
            .env("KEY", "abc")
            .output()
            .expect("a shell");
        assert!(output.status.success(), "{command}\n{}", String::from_utf8_lossy(&output.stderr));
    }
    let again = ran.seen_at("base").split_off(8);
    for ((sent, again), command) in sent.iter().zip(&again).zip(&commands) {
        assert_eq!(essence(sent), essence(again), "{command}");
    }
}

#[test]
fn every_request_that_is_sent_has_a_command_and_one_that_is_repeated_has_one() {
    let ran = Scenario::new(
        "steps:\n  - request: GET {{ base }}/again\n    retry: 3\n  - script: 'http::get(vars.base + \"/script\");'\n",
    )
    .detail(Detail::Outcome)
    .curl()
    .on("GET /again", |_| Reply::status(503))
    .json("GET /again", "{}")
    .json("GET /script", "{}")
    .run();
    ran.passed().saw(["GET /again", "GET /again", "GET /script"]);
    let commands = ran.commands();
    assert_eq!(commands.len(), 2, "{commands:?}");
    says(&commands.join("\n"), &["/again --max-time 30", "/script --max-time 30"]);
    let silent = Scenario::new("steps:\n  - request: GET {{ base }}/\n").json("GET /", "{}").run();
    assert!(!silent.passed().text().contains("curl"));
}

#[test]
fn what_is_shown_of_a_request_is_what_was_sent_of_it() {
    let random = "{{ uuid() }}";
    let bodies = [
        format!("json: {{ n: '{random}' }}"),
        format!("form: {{ n: '{random}' }}"),
        format!("body: 'n={random}'"),
        format!("graphql: {{ query: '{{ me }}', variables: {{ n: '{random}' }} }}"),
    ];
    for body in bodies {
        let request = format!(
            "url: '{{{{ base }}}}/x?p={random}', query: {{ n: '{random}' }}, headers: {{ X-N: '{random}' }}, {body}"
        );
        let flow = format!(
            "defaults: {{ method: POST }}\nsteps:\n  - request: {{ {request} }}\n    retry: {{ max: 1, if: [503], backoff: 1ms }}\n"
        );
        let ran = Scenario::new(&flow)
            .detail(Detail::Wire)
            .curl()
            .on("POST /x", |_| Reply::status(503))
            .on("POST /x", |_| Reply::json("{}"))
            .run();
        ran.passed();
        let told = ran.events.iter().filter_map(|event| match &event.kind {
            EventKind::RequestSent(text) => Some(text),
            _ => None,
        });
        let told: Vec<_> = told.collect();
        let seen = ran.seen_at("base");
        assert_eq!((seen.len(), told.len()), (2, 2));
        for (seen, told) in seen.iter().zip(&told) {
            assert!(told.url.ends_with(&seen.target), "{} was sent, {} is shown", seen.target, told.url);
            assert_eq!(told.body.as_deref(), Some(&*seen.body));
            assert!(told.headers.contains(&("x-n".to_owned(), seen.header("x-n").to_owned())));
        }
        let curl = told[0].curl.as_deref().unwrap_or_default();
        says(curl, &[&seen[0].target, seen[0].header("x-n"), &seen[0].body]);
    }
}

#[test]
fn a_dry_run_says_what_a_run_could_not_evaluate() {
    let ran = Scenario::new(
        "
vars: { odd: '{{ 1 / 0 }}', after: '{{ odd }}', way: 'ftp://p' }
steps:
  - request: { url: '{{ base }}/a', proxy: '{{ way }}' }
    extract: { open: $.x }
  - request: { url: '{{ base }}/b', proxy: '{{ open }}' }
  - { id: over, request: '{{ base }}/a', for_each: { item: '{{ 2 / 0 }}' }, extract: { later: $.x } }
  - { id: open, request: '{{ base }}/b', for_each: { item: '{{ later }}' } }
  - { id: use, uses: ./inner.yaml, with: { number: '{{ 3 / 0 }}', word: 4, from: '{{ later }}' } }
",
    )
    .file(
        "inner.yaml",
        "inputs: { number: 1, word: { choices: [a, b] }, from: x }\nsteps: [ { request: 'http://h.test/{{ number }}{{ word }}{{ from }}' } ]",
    )
    .dry_run()
    .run();
    ran.passed();
    let warnings = ran.warnings();
    let parts = [
        "`odd` cannot be evaluated: unable to calculate 1 / 0",
        "this cannot be evaluated: a proxy does not speak `ftp`",
        "`for_each` cannot be evaluated: unable to calculate 2 / 0",
        "`number` cannot be evaluated: unable to calculate 3 / 0",
        "the input `word` ",
    ];
    assert_eq!(warnings.len(), parts.len(), "{warnings:?}");
    warnings.iter().zip(parts).for_each(|(warning, part)| says(warning, &[part]));
}

#[test]
fn a_command_and_a_dry_run_hide_what_events_hide() {
    let flow = "
vars: { var: v4r-of-it }
steps:
  - request: { url: '{{ base }}/a?x=1;pwd=pw-1;pw-2&sig=s1g-lit', query: { code: c0d-e, state: st4-te, signature: '{{ var }}', z: '3' }, headers: { DPoP: dp0-p, X-Amz: 'token=h3ad-er', Referer: 'http://h/?sig=r3f-erer' }, form: { sig: f0r-m, other: open-value } }
  - request: { url: '{{ base }}/b', headers: { Cookie2: c00-kie }, body: 'password=b0d-y and more' }
";
    let secrets = ["pw-1", "pw-2", "s1g", "c0d", "st4", "v4r", "dp0", "h3ad", "r3f", "f0r", "c00", "b0d"];
    for dry in [false, true] {
        let scenario = Scenario::new(flow).detail(Detail::Wire).curl();
        let scenario =
            if dry { scenario.dry_run() } else { scenario.json("POST /a", "{}").json("POST /b", "{}") };
        let ran = scenario.run();
        let told = format!("{:?}\n{}", planned(&ran), ran.commands().join("\n"));
        let all = format!("{told}\n{}", ran.passed().text());
        for secret in secrets {
            assert!(!all.contains(secret), "dry: {dry}: `{secret}` in\n{all}");
        }
        says(&told, &["/a?x=1;pwd=", "&z=3", "open-value", "$SIG", "$SIGNATURE", "$STATE", " and more"]);
    }
}

#[test]
fn a_command_stands_below_its_step_and_can_be_copied() {
    let folder = folder(&[
        (
            "flow.yaml",
            "inputs: { api: 'https://api.example', key: { default: k-1234567, secret: true } }\nmock: m.yaml\nsteps:\n  - { id: get, request: { url: '{{ api }}/x', headers: { X-Key: '{{ key }}' } } }\n",
        ),
        ("m.yaml", "name: m\nroutes: [ { route: GET /x, reply: { status: 200 } } ]\n"),
    ]);
    let (code, out, told) = call(folder.path(), &["run", "flow.yaml", "--mock", "--curl"]);
    assert_eq!((code, &*out), (Some(0), ""), "{told}");
    let lines: Vec<&str> = told.lines().map(str::trim).collect();
    let at = lines.iter().position(|line| *line == "▸ get").expect("the step");
    says(lines[at + 1], &["# needs KEY"]);
    says(lines[at + 2], &["# add --location to follow redirects: curl takes `x-key` to any host"]);
    assert!(lines[at + 3].starts_with("curl http://127.0.0.1:"), "{told}");
    assert!(lines[at + 3].ends_with("/x --max-time 30 --header 'x-key: '\"$KEY\""), "{told}");
}

#[test]
fn a_dry_run_tells_each_step_and_sends_nothing() {
    let workflow = r#"
inputs: { base: , user: ann, password: { env: P }, users: { type: json, default: '["a","b"]' }, told: { command: [touch, ran] } }
defaults: { headers: { X-App: t } }
steps:
  - id: login
    request: { url: "{{ base }}/login/{{ user }}", auth: { basic: { username: "{{ user }}", password: "{{ password }}" } }, json: { u: "{{ user }}", p: "{{ password }}", pin: "7" } }
    extract: { access_token: $.t, job_id: $.id }
  - id: job
    when: "{{ job_id > 3 }}"
    repeat: { until: "{{ response.json.done }}" }
    request: { url: "{{ base }}/jobs/{{ job_id }}", query: { next: "{{ job_id + 1 }}", k: "{{ password }}" }, auth: { bearer: "{{ access_token }}" } }
  - id: each
    for_each: { who: "{{ users }}" }
    before: "vars.sign = 1;"
    request: { url: "{{ base }}/u/{{ who }}", form: { s: "{{ sign }}", a: "b c", t: "{{ told }}" } }
  - id: both
    parallel:
      - { id: one, request: "GET {{ base }}/one" }
      - { id: two, script: "http::get(vars.base);" }
  - id: used
    uses: ./used.yaml
    with: { base: "{{ base }}", key: "{{ access_token }}" }
finally:
  - { id: bye, request: "DELETE {{ base }}/bye/{{ job_id }}" }
"#;
    let ran = Scenario::new(workflow)
        .file("used.yaml", "inputs: { base: , key: }\nsteps: [ { id: inner, request: { url: '{{ base }}/inner', headers: { X-Key: '{{ key }}' } } } ]")
        .env("P", "hunter2-hunter2")
        .dry_run()
        .curl()
        .run();
    ran.passed().saw([]);
    let base = ran.seen_at("base");
    assert!(base.is_empty());
    let told = planned(&ran).join("\n");
    let origin = told
        .split("POST ")
        .nth(1)
        .and_then(|rest| rest.split("/login").next())
        .expect("an origin")
        .to_owned();
    let told = told.replace(&origin, "B").replace(&ran.folder(), "");
    insta::assert_snapshot!(told, @r#"
    login: POST B/login/ann x-app=t content-type=application/json authorization=Basic «password» {"u":"ann","p":"«password»","pin":"«pin»"}
    job: when {{ job_id > 3 }}; until {{ response.json.done }}; GET B/jobs/‹job_id›?next={{ job_id + 1 }}&k=«password» x-app=t authorization=Bearer ‹access_token›
    each: for each who in 2 elements; runs a script first: what it changes is not shown; POST B/u/‹who› x-app=t content-type=application/x-www-form-urlencoded s=‹sign›&a=b+c&t=‹told›
    both: 2 steps at once
    one: GET B/one x-app=t
    two: runs a script: what it sends and sets is not shown
    used: uses used.yaml
    used/inner: GET B/inner x-key=‹key›
    bye: whatever happened before; DELETE B/bye/‹job_id› x-app=t
    "#);
    assert!(ran.verdicts().iter().all(|verdict| verdict.ends_with(" skipped")), "{:?}", ran.verdicts());
    assert!(!ran.text().contains("hunter2"), "{}", ran.text());
    let commands = ran.commands();
    says(&commands[0], &["# needs PASSWORD, PIN\n", "--user ann:\"$PASSWORD\""]);
    says(&commands[1], &["/jobs/\"$JOB_ID_URL\"'?next='\"$JOB_ID_1_URL\"", "Bearer '\"$ACCESS_TOKEN\""]);
}

#[test]
fn a_dry_run_asks_for_inputs_and_needs_neither_mock_nor_network() {
    let folder = folder(&[
        (
            "flow.yaml",
            "inputs: { api: 'https://api.example', key: }\nmock: gone.yaml\nsteps:\n  - request: { url: '{{ api }}/x', headers: { X-Key: '{{ key }}' } }\n",
        ),
        ("gone.yaml", "name: gone\nroutes: [ { route: GET /x, reply: { status: 500 } } ]\n"),
    ]);
    let (code, _, told) = call(folder.path(), &["run", "flow.yaml", "--dry-run"]);
    assert_eq!(code, Some(2), "{told}");
    says(&told, &["an input is missing: `key`"]);
    let words = ["run", "flow.yaml", "--dry-run", "--mock", "-i", "key=k1", "--output", "json"];
    let (code, out, told) = call(folder.path(), &words);
    assert_eq!(code, Some(0), "{told}");
    says(&told, &["▸ step1", "> GET https://api.example/x", "> x-key: k1", "a dry run: nothing was sent"]);
    let document: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(document["workflows"][0]["steps"][0]["verdict"], "skipped");
    let (_, help, _) = call(folder.path(), &["help", "run"]);
    says(&help, &["--only <STEP>", "--dry-run", "--curl"]);
}

#[test]
fn a_dry_run_says_which_clean_up_would_be_skipped() {
    let ran = Scenario::new(CHAIN).only("me").env("APP_USER", "ann").dry_run().run();
    let skipped: Vec<_> = ran.steps().into_iter().filter_map(|step| step.why_skipped).collect();
    says(&skipped.join("\n"), &["`found` would never be set"]);
}

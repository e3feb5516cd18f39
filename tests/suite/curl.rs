//! Requests as commands (`--curl`): what stands for a secret, and what of the way is told. That a command
//! sends what was sent stands in `dry.rs`.

use reqchain::running::Detail;

use crate::scenario::{Ran, Reply, Scenario, says};

/// No sign of a value breaks out of the place in which a variable of the shell stands for it.
#[test]
fn a_dry_run_tells_the_commands_of_a_run() {
    let flow = r#"
inputs: { base: , pw: { default: "a b&c=d#e\"", secret: true }, word: { default: simple-secret, secret: true } }
defaults: { method: POST }
steps:
  - request: { url: "{{ base }}/x/{{ pw }}/y", query: { p: "{{ pw }}" }, form: { p: "{{ pw }}", "w~ *": "1{{ word }}" } }
  - request: { url: "{{ base }}/x?sig=a%20b", json: { p: "q{{ pw }}", password: 'a"b' }, auth: { basic: { username: ann, password: "{{ pw }}" } } }
  - request: { url: "{{ base }}/x/{{ word }}", form: { password: "lit eral" }, auth: { api_key: { query: k, value: "{{ pw }}" } } }
"#;
    let routes = ["POST /x/a%20b%26c%3Dd%23e%22/y", "POST /x", "POST /x/simple-secret"];
    let scenario = || Scenario::new(flow).detail(Detail::Outcome).curl();
    let ran = routes.iter().fold(scenario(), |scenario, route| scenario.json(route, "{}")).run();
    let dry = scenario().dry_run().run();
    let told = |ran: &Ran| ran.passed().commands().join("\n").replace(&ran.origin("base"), "B");
    assert_eq!(told(&dry), told(&ran));
    for (command, needs) in dry.commands().iter().zip([
        "PW_URL (percent-encoded), PW_URL_2 (percent-encoded), WORD\n",
        "SIG_URL (percent-encoded), PW, PW_JSON (escaped as in JSON), PASSWORD_JSON (escaped as in JSON)\n",
        "WORD, PW_URL (percent-encoded), PASSWORD_URL (percent-encoded)\n",
    ]) {
        says(command, &[&format!("# needs {needs}")]);
    }
}

#[test]
fn each_round_of_digest_has_a_command_and_no_digest_stands_in_it() {
    let challenge = "Digest realm=\"r\", nonce=\"n0\", qop=\"auth\", algorithm=SHA-256";
    let ran = Scenario::new(
        "steps:\n  - request: { url: '{{ base }}/', auth: { digest: { username: ann, password: hunter2-hunter2 } } }\n",
    )
    .curl()
    .on("GET /", move |_| Reply::status(401).header("www-authenticate", challenge))
    .json("GET /", "{}")
    .run();
    ran.passed().saw(["GET /", "GET /"]);
    let commands = ran.commands();
    assert_eq!(commands.len(), 2, "{commands:?}");
    assert!(!commands[0].contains("AUTHORIZATION"), "{commands:?}");
    says(&commands[1], &["# needs AUTHORIZATION\n", "--header 'authorization: '\"$AUTHORIZATION\""]);
}

#[test]
fn the_way_of_a_request_stands_in_its_command() {
    let ran = Scenario::new(
        "steps:\n  - request: { url: 'https://h.example/', timeout: 2500ms, connect_timeout: 1s, redirects: none, http_version: 2, tls: { insecure: true, min: 1.3 }, resolve: { h.example: 127.0.0.1 }, proxy: 'http://me:secretword@127.0.0.1:9' }\n",
    )
    .curl()
    .dry_run()
    .run();
    let commands = ran.commands();
    says(
        &commands[0],
        &[
            "--max-time 2.5 --connect-timeout 1 ",
            "--http2 ",
            "--proxy http://127.0.0.1:9 --proxy-user me:\"$PROXY_PASSWORD\"",
            "--tlsv1.3 --insecure",
            "--resolve h.example:443:127.0.0.1",
        ],
    );
    assert!(!commands[0].contains("secretword") && !commands[0].contains("--location"), "{commands:?}");
}

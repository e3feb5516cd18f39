//! Words of servers, scripts and files that a machine which builds would obey where they stand in its
//! log. What is obeyed is judged as the runners and agents of such machines do it.

use crate::scenario::{Called, Cli, says};

/// Each of them as a line, in the ways in which it would be obeyed; `{}` says where it comes from.
const COMMANDS: &str = "::add-mask::{}\n \t::set-output name=a::{}\nx ##[add-mask]{}\r##vso[task.complete]{}\n###TeamCity[{}\n::";

/// Where in a text a machine would find a command.
fn obeyed(text: &str) -> Vec<&str> {
    let is_obeyed = |line: &&str| {
        let start = line.trim_start();
        let lower = line.to_lowercase();
        start.strip_prefix("::").is_some_and(|rest| rest.contains("::"))
            || ["##[", "##vso[", "##teamcity["].iter().any(|mark| lower.contains(mark))
    };
    text.split(['\n', '\r']).filter(is_obeyed).collect()
}

/// A folder with a workflow in which all stands that a person, a server or a script can write.
fn cli() -> Cli {
    let of = |place: &str| serde_json::to_string(&COMMANDS.replace("{}", place)).expect("JSON");
    let (name, note, sent, came, printed, thrown) =
        (of("name"), of("note"), of("sent"), of("came"), of("printed"), of("thrown"));
    let flow = format!(
        "mock: mock.yaml
inputs: {{ base: http://x.test, kind: {{ default: a, description: {note} }} }}
name: {name}
steps:
  - id: asked
    name: {name}
    request: {{ method: POST, url: '{{{{ base }}}}/', query: {{ q: {sent} }}, headers: {{ X-A: '##[group]sent' }}, body: {sent} }}
    extract: {{ came: '{{{{ response.body }}}}' }}
    after: |
      print({printed});
      print(vars.came);
outputs: {{ came: '{{{{ came }}}}' }}
"
    );
    let wrong = format!(
        "mock: mock.yaml
inputs: {{ base: http://x.test }}
steps:
  - request: {{ method: POST, url: '{{{{ base }}}}/', body: x }}
    continue_on_failure: true
    expect: {{ body: {{ contains: {note} }}, headers: {{ x-said: nothing }} }}
  - {{ continue_on_failure: true, request: 'POST {{{{ base }}}}/refused' }}
  - {{ continue_on_failure: true, script: 'check({thrown}, false)' }}
  - {{ script: 'throw {thrown};' }}
"
    );
    let mock = format!(
        "routes:
  - {{ route: POST /, reply: {{ body: {came}, headers: {{ x-said: '##vso[came' }} }} }}
  - {{ route: POST /refused, reply: {{ status: 400, json: {{ error: invalid_grant, error_description: {came} }} }} }}
"
    );
    let bad = format!("steps:\n  - {{ script: print(1), ##[x: {note} }}\n  - {{ sript: {note} }}\n");
    Cli::new(&[("flow.yaml", &flow), ("wrong.yaml", &wrong), ("mock.yaml", &mock), ("bad.yaml", &bad)])
}

/// Every output, of every source (S77).
#[test]
fn no_line_that_is_written_steers_a_machine_that_builds() {
    let cli = cli();
    let mut found = Vec::new();
    for (words, exit) in [
        ("run flow.yaml --mock", 0),
        ("run flow.yaml --mock -v --color always", 0),
        ("run flow.yaml --mock -vv --curl", 0),
        ("run flow.yaml --mock -q --output vars", 0),
        ("run flow.yaml --mock -vv --output json", 0),
        ("run flow.yaml --dry-run -vv --curl", 0),
        ("run wrong.yaml --mock", 4),
        ("run wrong.yaml --mock -vv --color always", 4),
        ("run wrong.yaml --mock -q --output json", 4),
        ("run bad.yaml", 2),
        ("check flow.yaml", 0),
        ("check bad.yaml", 2),
        ("check bad.yaml --format json", 2),
        ("graph flow.yaml", 0),
        ("fmt --check .", 2),
    ] {
        let Called { code, out, err } = cli.call(words);
        assert_eq!(code, Some(exit), "{words}: {err}");
        let lines = [&out, &err].into_iter().flat_map(|text| obeyed(text));
        found.extend(lines.map(|line| format!("{words}: {line:?}")));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn what_would_steer_it_is_still_told_and_json_says_the_same() {
    let cli = cli();
    let ran = cli.call("run flow.yaml --mock -vv --output json");
    says(&ran.err, &["│ ::add-mask::came", "│ x #\\x23[add-mask]came", "#\\x23vso[task.complete]printed"]);
    let json: serde_json::Value = serde_json::from_str(&ran.out).expect("JSON");
    let came = COMMANDS.replace("{}", "came");
    assert_eq!(json["workflows"][0]["outputs"]["came"], came);
    // What is asked for by name is given as it is.
    let value = cli.call("run flow.yaml --mock -q --output value:came");
    assert_eq!(value.out, format!("{came}\n"));
    let wrong = cli.call("run wrong.yaml --mock");
    says(&wrong.err, &["\\x3a:set-output name=a::thrown", "x #\\x23[add-mask]thrown"]);
}

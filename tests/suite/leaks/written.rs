//! Secrets that stand in files as they are: whatever is wrong with the file, and whatever is done with
//! it, no message and no excerpt shows them.

use std::fmt::Write as _;

use crate::scenario::Cli;

const SECRET: &str = "S3cr:t-literal-9";

/// Workflows with the secret `$` in them, and what is wrong with each.
const WORKFLOWS: [(&str, &str); 16] = [
    (
        "nothing",
        "inputs: { base: http://127.0.0.1:1, password: { default: '$', secret: true } }\nsteps: [ { request: { url: '{{ base }}', auth: { basic: { username: u, password: '{{ password }}' } } } } ]\noutputs: { other: x, password: '{{ password }}' }\n",
    ),
    (
        "its layout",
        "steps: [ { request: { headers: { Authorization: 'Bearer $' },   url: 'http://127.0.0.1:1', json: { password: '$' } } } ]\n",
    ),
    (
        "a default of another type",
        "inputs: { password: { default: '$', type: int } }\nsteps: [ { script: print(1) } ]\n",
    ),
    (
        "a default that is no choice",
        "inputs: { password: { default: '$', choices: [a, b] } }\nsteps: [ { script: print(1) } ]\n",
    ),
    (
        "a default that is a list",
        "inputs: { password: { default: ['$'], type: string } }\nsteps: [ { script: print(1) } ]\n",
    ),
    (
        "an unknown key beside it",
        "inputs: { password: { default: '$', typ: x } }\nsteps: [ { script: print(1) } ]\n",
    ),
    (
        "an unknown key beside a bare one",
        "inputs: { password: '$', user: { typ: x } }\nsteps: [ { script: print(1) } ]\n",
    ),
    ("a name twice", "inputs: { password: '$', password: '$' }\nsteps: [ { script: print(1) } ]\n"),
    (
        "an unknown key of auth",
        "steps: [ { request: { url: 'http://x/', auth: { basic: { username: u, password: '$', realm: x } } } } ]\n",
    ),
    (
        "a name that nobody has",
        "steps: [ { request: { url: 'http://x/{{ nobody }}', auth: { bearer: '$' }, headers: { X-Api-Key: '$' } } } ]\n",
    ),
    (
        "a template around it",
        "steps: [ { request: { url: 'http://x/', auth: { bearer: '$ {{ no( }}' } } } ]\n",
    ),
    ("a bracket that is missing", "inputs: { password: '$', user: x\nsteps: [ { script: print(1) } ]\n"),
    ("a quote that is missing", "inputs: { password: '$ }\nsteps: [ { script: print(1) } ]\n"),
    ("a tab", "inputs:\n  password: $\n\tuser: x\nsteps: [ { script: print(1) } ]\n"),
    ("a colon in it", "inputs:\n  password: $: x: y\nsteps: [ { script: print(1) } ]\n"),
    ("a script", "inputs: { password: '$' }\nsteps: [ { script: 'let password = \"$\"; print(1' } ]\n"),
];

const CALLS: [&str; 11] = [
    "check flow.yaml",
    "check flow.yaml --format json",
    "check flow.yaml --color always --env e",
    "fmt flow.yaml --check",
    "fmt flow.yaml environments m.yaml --color always",
    "graph flow.yaml --variables",
    "run flow.yaml",
    "run flow.yaml --color always --env e --data rows.json",
    "run flow.yaml --dry-run -vv --curl",
    "run flow.yaml -q --output json",
    "run flow.yaml -q --output vars",
];

/// Every mistake, and every command (S44).
#[test]
fn no_secret_that_a_file_holds_is_shown_whatever_is_done_with_it() {
    let mut found = String::new();
    for (what, flow) in WORKFLOWS {
        let written = |text: &str| text.replace('$', SECRET);
        let cli = Cli::new(&[
            ("flow.yaml", &written(flow)),
            ("environments/e.yaml", &written("password: '$'\ntoken: { valeu: '$' }\n")),
            ("rows.json", &written("[{ \"password\": [\"$\"] }]")),
            (
                "m.yaml",
                &written(
                    "state: { password: '$', x: }\nroutes: [ { rout: x, reply: { json: { token: '$' } } } ]\n",
                ),
            ),
        ]);
        for words in CALLS {
            let called = cli.call(words);
            for text in [&called.out, &called.err] {
                // Nor the longer part of it.
                if text.contains("S3cr:t") || text.contains("literal-9") {
                    let _ = writeln!(found, "{what}, {words}, exit {:?}:\n{text}", called.code);
                }
            }
        }
    }
    assert!(found.is_empty(), "{found}");
}

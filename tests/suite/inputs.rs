//! Where inputs come from: commands, choices, tables, environment files, rows of `--data`, and what
//! is not read at all. Most of it runs the command itself, in a folder of its own.

use serde_json::Value;

use crate::scenario::{Called, Cli, Scenario, says};

impl Called {
    /// `--output json`, and of each run its case and its outputs.
    #[track_caller]
    fn cases(&self) -> Vec<(Value, Value)> {
        let document: Value = serde_json::from_str(&self.out).expect("a document");
        let workflows = document["workflows"].as_array().expect("a list").clone();
        workflows.into_iter().map(|run| (run["case"].clone(), run["outputs"].clone())).collect()
    }
}

/// A workflow that sends nothing and gives back what it got.
fn echo(inputs: &str, output: &str) -> String {
    format!("inputs: {inputs}\nsteps:\n  - script: 1\noutputs: {{ got: \"{output}\" }}\n")
}

fn got(inputs: &str, output: &str) -> Cli {
    Cli::new(&[("flow.yaml", &echo(inputs, output))])
}

const VARS: &str = "run flow.yaml -q --output vars";

#[test]
fn the_output_of_a_command_is_the_value_without_its_last_line_break() {
    let folder = got("{ x: { command: [printf, 'a b\\n\\n'] } }", "{{ x | tojson }}");
    assert_eq!(folder.call(&format!("{VARS} --trust")).passed().out, "got=\"a b\\n\"\n");
    let trusted = folder.call_with(VARS, &[("REQCHAIN_TRUST", "1")]);
    assert_eq!(trusted.passed().out, "got=\"a b\\n\"\n");
}

/// A workflow of somebody else runs nothing (S72).
#[test]
fn a_command_runs_only_with_trust_and_no_shell_reads_it() {
    let folder = got("{ x: { command: [touch, made] } }", "{{ x }}");
    folder.call(VARS).refused(&["flow.yaml:1:11", "touch", "--trust", "REQCHAIN_TRUST=1"]);
    folder.call_with(VARS, &[("REQCHAIN_TRUST", "yes")]).refused(&["--trust"]);
    assert!(!folder.path().join("made").exists());
    let folder = got("{ x: { command: [echo, '$HOME; touch made'] } }", "{{ x }}");
    assert_eq!(folder.call(&format!("{VARS} --trust")).passed().out, "got=$HOME; touch made\n");
    assert!(!folder.path().join("made").exists());
}

/// What a workflow wants is told before its first run (S72).
#[test]
fn check_lists_commands_and_runs_none() {
    let folder = got("{ x: { command: [touch, 'a made'] } }", "{{ x }}");
    let checked = folder.call("check flow.yaml");
    says(&checked.passed().err, &["commands", "touch 'a made'"]);
    assert!(!folder.path().join("a made").exists());
}

#[test]
fn a_command_that_fails_is_told_without_its_output() {
    for (command, parts) in [
        ("[sh, -c, 'echo hunter22; exit 7']", &["sh", "exit status 7"][..]),
        ("[sh, -c, 'kill -9 $$']", &["sh", "a signal ended it"]),
        ("[no-such-program-here]", &["no-such-program-here", "there is no such program"]),
        ("[printf, '\\377']", &["printf", "not UTF-8"]),
        ("[yes, hunter22]", &["yes", "more than 1048576 bytes"]),
        ("[./flow.yaml]", &["./flow.yaml", "permission denied"]),
    ] {
        let folder = got(&format!("{{ x: {{ command: {command} }} }}"), "{{ x }}");
        let called = folder.call(&format!("{VARS} --trust"));
        called.refused(&["flow.yaml:1:11", "the command of the input `x`"]).refused(parts);
        // The excerpt shows what the file says, once.
        assert!(called.err.matches("hunter22").count() <= 1, "{}", called.err);
    }
}

#[test]
fn a_command_that_two_workflows_name_runs_once_and_a_path_in_it_lies_beside_them() {
    let count = "inputs: { x: { command: [./count.sh] } }\n";
    let used = format!("{count}steps: [script: 1]\noutputs: {{ got: '{{{{ x }}}}' }}\n");
    let steps = r"
steps:
  - { id: a, uses: ./used.yaml }
outputs: { got: '{{ x }}', used: '{{ steps.a.outputs.got }}' }
";
    let outer = format!("{count}{steps}");
    let folder = Cli::new(&[
        ("flows/flow.yaml", &outer),
        ("flows/used.yaml", &used),
        ("flows/count.sh", "#!/bin/sh\necho x >> log\nwc -l < log | tr -d ' '\n"),
    ]);
    let script = folder.path().join("flows/count.sh");
    let mut may = std::fs::metadata(&script).expect("it is there").permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut may, 0o755);
    std::fs::set_permissions(&script, may).expect("it may be run");
    let called = folder.call("run flows/flow.yaml flows/used.yaml -q --output vars --trust");
    assert_eq!(called.passed().out, "got=1\nused=1\ngot=1\n");
}

#[test]
fn a_secret_that_a_command_gives_is_never_shown() {
    let folder = got("{ password: { command: [echo, hunter22-secret] } }", "{{ password }}");
    let called = folder.call("run flow.yaml -vv --output json --trust");
    says(&called.passed().out, &["«password»"]);
    assert!(!called.out.contains("hunter22") && !called.err.contains("hunter22"), "{}", called.err);
}

#[test]
fn a_value_that_is_none_of_the_choices_is_told_with_all_of_them() {
    let inputs = "{ stage: { default: staging, choices: [staging, production] } }";
    let folder = got(inputs, "{{ stage }}");
    assert_eq!(folder.call(VARS).passed().out, "got=staging\n");
    assert_eq!(folder.call(&format!("{VARS} -i stage=production")).passed().out, "got=production\n");
    let wrong = folder.call(&format!("{VARS} -i stage=producton"));
    wrong.refused(&["`stage` is `producton`", "did you mean `production`?", "staging, production"]);
    // The values are typed as the input is.
    let folder = got("{ n: { type: int, choices: ['1', 2] } }", "{{ n + 1 }}");
    assert_eq!(folder.call(&format!("{VARS} -i n=1")).passed().out, "got=2\n");
    folder.call(&format!("{VARS} -i n=3")).refused(&["`n` is `3`", "1, 2"]);
    // A secret is not shown, and neither are its choices.
    let folder = got("{ pin: { secret: true, choices: [11112222, 33334444] } }", "{{ pin }}");
    let wrong = folder.call(&format!("{VARS} -i pin=11112223"));
    wrong.refused(&["`pin` is none of its choices"]);
    assert!(!wrong.err.contains("1111222") && !wrong.err.contains("33334444"), "{}", wrong.err);
}

#[test]
fn a_table_of_csv_is_a_list_of_objects() {
    let folder = got("{ users: { type: csv, file: users.csv } }", "{{ users }}");
    folder.write("users.csv", "\u{feff}name,note\r\nann,\"a, \"\"b\"\"\r\nc\"\r\nbob,\r\n");
    let expected =
        "got=[{\"name\":\"ann\",\"note\":\"a, \\\"b\\\"\\r\\nc\"},{\"name\":\"bob\",\"note\":\"\"}]\n";
    assert_eq!(folder.call(VARS).passed().out, expected);
    for (text, parts) in [
        ("a,b\n1\n", &["line 2", "1 value", "2 columns"][..]),
        ("a,a\n1,2\n", &["line 1", "two columns have the name `a`"]),
        ("a,,b\n", &["line 1", "column 2 has no name"]),
    ] {
        folder.write("users.csv", text);
        folder.call(VARS).refused(parts).refused(&["`users` is not CSV", "users.csv"]);
    }
    std::fs::write(folder.path().join("users.csv"), b"a\n\xff\n").expect("written");
    folder.call(VARS).refused(&["users.csv", "not UTF-8"]);
    assert_eq!(
        got("{ t: { type: csv, env: T } }", "{{ t[0].a }}").call_with(VARS, &[("T", "a\n1")]).passed().out,
        "got=1\n"
    );
}

#[test]
fn a_file_is_read_only_inside_the_project_unless_it_is_trusted() {
    let outside = Cli::new(&[("secret.txt", "outside-value\n")]);
    let file = outside.path().join("secret.txt");
    let folder = got(&format!("{{ x: {{ file: '{}' }} }}", file.display()), "{{ x }}");
    folder.call(VARS).refused(&["outside the project", "--trust"]);
    assert_eq!(folder.call(&format!("{VARS} --trust")).passed().out, "got=outside-value\n");
    let linked = got("{ x: { file: link.txt } }", "{{ x }}");
    std::os::unix::fs::symlink(&file, linked.path().join("link.txt")).expect("a link");
    linked.call(VARS).refused(&["outside the project"]);
    let folder = got("{ x: { file: sub } }", "{{ x }}");
    folder.write("sub/y", "");
    folder.call(VARS).refused(&["is a folder"]);
    got("{ x: { file: gone.txt } }", "{{ x }}").call(VARS).refused(&["gone.txt, which is not there"]);
}

#[test]
fn what_nobody_reads_is_neither_read_nor_required() {
    let inputs = "{ used: { default: 1 }, gone: { required: true }, ran: { command: [touch, made] }, opened: { file: '../outside' }, var: { env: NOPE } }";
    assert_eq!(got(inputs, "{{ used }}").call(VARS).passed().out, "got=1\n");
    // A name that a script computes may be any.
    let steps = r#"
steps:
  - script: |
      let n = "used";
      print(vars[n]);
"#;
    let text = format!("inputs: {inputs}\n{steps}");
    let folder = Cli::new(&[("flow.yaml", &text)]);
    folder.call(VARS).refused(&["inputs are missing: `gone`, `opened`, `var`"]);
    // What is read in a way that needs no definition is read all the same.
    let text = echo("{ x: { env: X } }", "{{ x | default('none') }}");
    let folder = Cli::new(&[("flow.yaml", &text)]);
    assert_eq!(folder.call_with(VARS, &[("X", "there")]).passed().out, "got=there\n");
    let ran = Scenario::new(
        "inputs: { a: { required: true }, b: { required: true } }\nsteps:\n  - script: vars.x = vars.a;\n",
    );
    says(&ran.run().refused(), &["an input is missing: `a`"]);
}

#[test]
fn all_that_is_missing_is_one_error_also_in_workflows_that_are_used() {
    let folder = Cli::new(&[
        (
            "flow.yaml",
            r"
inputs: { a: , b: { env: B_ } }
steps:
  - uses: ./used.yaml
  - script: vars.x = vars.a + vars.b;
",
        ),
        ("used.yaml", "inputs: { c: , d: { env: D_ } }\nsteps:\n  - script: vars.x = vars.c + vars.d;\n"),
    ]);
    let refused = folder.call(VARS);
    refused.refused(&["inputs are missing: ", "`a`", "`b`", "`c`", "`d`", "used.yaml", "D_"]);
    assert_eq!(refused.err.matches("error:").count(), 1, "{}", refused.err);
}

#[test]
fn an_environment_gives_inputs_to_every_workflow_of_the_run() {
    let folder = Cli::new(&[
        (".git/x", ""),
        (
            "flows/deep/flow.yaml",
            r"
inputs: { who: nobody, port: 1, key: { env: KEY } }
steps:
  - { id: a, uses: ../used.yaml }
  - { id: b, uses: ../used.yaml, with: { who: given } }
outputs:
  got: '{{ who }} {{ port + 1 }} {{ key }} {{ steps.a.outputs.who }} {{ steps.b.outputs.who }} {{ env_name }}'
",
        ),
        (
            "flows/used.yaml",
            r#"
inputs: { who: nobody }
steps:
  - script: 'if env_name != "staging" { fail("no") }'
outputs: { who: "{{ who }}" }
"#,
        ),
        ("flows/environments/staging.yaml", "who: ann\nport: '80'\nkey: { file: key.txt }\nother: ignored\n"),
        ("flows/environments/key.txt", "k1\n"),
    ]);
    let call = |more: &str| folder.call(&format!("run flows/deep/flow.yaml -q --output vars {more}"));
    assert_eq!(call("--env staging").passed().out, "got=ann 81 k1 ann given staging\n");
    assert_eq!(call("--env staging -i who=me -i key=k2").passed().out, "got=me 81 k2 ann given staging\n");
    call("--env stagin").refused(&["there is no environment `stagin`", "staging", "did you mean `staging`?"]);
    call("--env ../x").refused(&["`../x` is not the name of an environment"]);
    call("--env staging.yaml").refused(&["--env staging"]);
    call("").refused(&["`key`"]);
    assert_eq!(got("{ a: 1 }", "{{ env_name is none }}").call(VARS).passed().out, "got=true\n");
    got("{ a: 1 }", "{{ a }}").call(&format!("{VARS} --env x")).refused(&["environments/x.yaml"]);
}

#[test]
fn mistakes_in_an_environment_have_their_own_place_and_its_secrets_are_hidden() {
    let folder = got("{ port: 80, password: { required: true } }", "{{ port }} {{ password }}");
    folder.write("environments/a.yaml", "port: many\npassword: hunter22-secret\n");
    let wrong = folder.call(&format!("{VARS} --env a"));
    wrong.refused(&["environments/a.yaml:1:7", "`port` is not a whole number"]);
    folder.write(
        "environments/a.yaml",
        "port: { vlue: 1 }\npassword: hunter22-secret\nx: { command: [a], env: B }\n",
    );
    let wrong = folder.call(&format!("{VARS} --env a"));
    wrong.refused(&["a.yaml:1:9", "unknown key `vlue`", "a.yaml:3:6", "`command` beside `env`"]);
    folder.write("environments/a.yaml", "password: { command: [echo, hunter22-secret] }\n");
    folder.call(&format!("{VARS} --env a")).refused(&["a.yaml:1:22", "--trust"]);
    folder.write("environments/a.yaml", "password: hunter22-secret\nport: { value: 81, secret: true }\n");
    let shown = folder.call(&format!("{VARS} --env a"));
    assert_eq!(shown.passed().out, "got=«port»\n");
    for text in [&wrong.err, &shown.out, &shown.err] {
        assert!(!text.contains("hunter22"), "{text}");
    }
}

#[test]
fn an_environment_file_outside_the_project_needs_trust() {
    let outside = Cli::new(&[("a.yaml", "x: 2\n")]);
    let folder = got("{ x: 1 }", "{{ x }}");
    std::fs::create_dir(folder.path().join("environments")).expect("a folder");
    std::os::unix::fs::symlink(outside.path().join("a.yaml"), folder.path().join("environments/a.yaml"))
        .expect("a link");
    folder.call(&format!("{VARS} --env a")).refused(&["outside the project", "--trust"]);
    assert_eq!(folder.call(&format!("{VARS} --env a --trust")).passed().out, "got=2\n");
    folder.call("check flow.yaml").refused(&["outside the project"]);
}

#[test]
fn check_warns_of_a_name_that_no_workflow_declares() {
    let folder = got("{ user: ann }", "{{ user }}");
    folder.write("environments/a.yaml", "user: { env: A_USER }\nusr: 1\n");
    folder.write("environments/b.yaml", "user: { command: [pass, show] }\n");
    let checked = folder.call("check flow.yaml");
    says(
        &checked.passed().err,
        &["warning", "a.yaml:2:1", "`usr`", "did you mean `user`?", "A_USER", "pass show"],
    );
    let checked = folder.call("check flow.yaml --env b");
    assert!(!checked.passed().err.contains("usr"), "{}", checked.err);
    folder.call("check flow.yaml --env c").refused(&["there is no environment `c`", "a, b"]);
    folder.write("environments/b.yaml", "user: { vale: 1 }\n");
    let checked = folder.call("check flow.yaml --format json");
    assert_eq!(checked.code, Some(2), "{}", checked.err);
    says(&checked.out, &["unknown key `vale`", "environments/b.yaml"]);
}

#[test]
fn every_row_is_a_case_whose_columns_are_inputs_by_name_and_data() {
    let inputs = "{ user: nobody, age: 1 }";
    let output = "{{ user }} {{ age + 1 }} {{ data.note }}";
    let expected = |count: usize| {
        let all = [(1, "ann 31 x"), (2, "bob 41 y, z")];
        let cases =
            all.iter().take(count).map(|(case, got)| (Value::from(*case), serde_json::json!({ "got": got })));
        cases.collect::<Vec<_>>()
    };
    for (name, text) in [
        ("rows.csv", "\u{feff}user,age,note\r\nann,30,x\r\nbob,40,\"y, z\"\r\n"),
        (
            "rows.json",
            "[{\"user\":\"ann\",\"age\":30,\"note\":\"x\"},\n{\"user\":\"bob\",\"age\":\"40\",\"note\":\"y, z\"}]",
        ),
        (
            "rows.jsonl",
            "{\"user\":\"ann\",\"age\":30,\"note\":\"x\"}\n{\"user\":\"bob\",\"age\":40,\"note\":\"y, z\"}\n",
        ),
    ] {
        let folder = got(inputs, output);
        folder.write(name, text);
        let called = folder.call(&format!("run flow.yaml --data {name} --output json"));
        assert_eq!(called.passed().cases(), expected(2), "{name}");
        says(&called.err, &["row 1", "row 2", "2 runs passed"]);
        let called =
            folder.call(&format!("run flow.yaml --data {name} --output json -i user=me -q --jobs 1"));
        says(&called.passed().out, &["me 31 x", "me 41 y, z"]);
        let called = folder.call(&format!("run flow.yaml --data {name} --output vars -q"));
        assert_eq!(called.passed().out, "got=ann 31 x\ngot=bob 41 y, z\n", "{name}");
        folder.call(&format!("run flow.yaml --data {name} --output value:got -q")).refused(&["each row"]);
    }
}

#[test]
fn rows_and_passes_multiply_and_the_case_is_the_row() {
    let folder = Cli::new(&[
        ("a/one.yaml", &echo("{ n: 0 }", "one {{ n }}")),
        ("a/two.yaml", &echo("{ n: 0 }", "two {{ data.n }}")),
        ("rows.csv", "n\n1\n2\n3\n"),
    ]);
    let called = folder.call("run a --data rows.csv --repeat 2 --output json");
    let cases = called.passed().cases();
    assert_eq!(cases.len(), 12);
    let of_one: Vec<_> =
        cases.iter().filter(|(_, outputs)| outputs["got"].to_string().contains("one")).collect();
    let numbers: Vec<_> = of_one.iter().map(|(case, _)| case.as_u64()).collect();
    assert_eq!(numbers, [1, 1, 2, 2, 3, 3].map(Some));
    says(&called.err, &["12 runs passed", "row 3  pass 2"]);
}

#[test]
fn a_row_that_fails_is_told_by_its_number_and_fail_fast_begins_no_other() {
    let text = "inputs: { n: 0 }\nsteps:\n  - script: 'if vars.n == 2 { fail(\"two\") }'\n";
    let folder = Cli::new(&[("flow.yaml", text), ("rows.csv", "n\n1\n2\n3\n")]);
    let called = folder.call("run flow.yaml --data rows.csv -q");
    assert_eq!(called.code, Some(1), "{}", called.err);
    says(&called.err, &["row 2", "1 run failed, 2 passed"]);
    assert!(!called.err.contains("row 1") && !called.err.contains("row 3"), "{}", called.err);
    let called = folder.call("run flow.yaml --data rows.csv --jobs 1 --fail-fast --output json");
    assert_eq!(called.code, Some(1), "{}", called.err);
    assert_eq!(called.cases().len(), 2);
}

#[test]
fn a_wrong_row_ends_the_run_and_says_what_was_run_before_it() {
    let folder = got("{ n: { type: int } }", "{{ n }}");
    for (text, parts) in [
        (
            "n\n1\nx\n",
            &["`n` is not a whole number", "rows.csv:3", "row 2", "the rows before it were run"][..],
        ),
        ("n\n1\n1,2\n", &["rows.csv:3", "2 values", "the rows before it were run"]),
        ("n\nx\n", &["rows.csv:2", "nothing was run"]),
        ("m\n1\n", &["an input is missing: `n`", "row 1, rows.csv:2", "nothing was run", "warning"]),
        ("n,n\n1,2\n", &["rows.csv:1", "two columns"]),
        ("", &["rows.csv:1", "the file is empty"]),
        ("n\n", &["`rows.csv` has no rows"]),
    ] {
        folder.write("rows.csv", text);
        let called = folder.call("run flow.yaml --data rows.csv --output json");
        called.refused(parts);
        if text.starts_with("n\n1\n") {
            assert_eq!(called.cases().len(), 1, "{text}");
        }
    }
    folder.call("run flow.yaml --data gone.csv").refused(&["gone.csv", "there is no such file"]);
    folder.call("run flow.yaml --data rows.xml").refused(&[".csv, .json, .jsonl or .ndjson"]);
    std::fs::create_dir(folder.path().join("d.csv")).expect("a folder");
    folder.call("run flow.yaml --data d.csv").refused(&["d.csv", "it is a folder"]);
}

#[test]
fn rows_that_a_workflow_takes_nothing_from_are_warned_of() {
    let folder = got("{ user: ann }", "{{ user }}");
    folder.write("rows.csv", "usr,x\n1,2\n");
    let called = folder.call("run flow.yaml --data rows.csv");
    says(&called.passed().err, &["warning", "`rows.csv`", "usr, x", "inputs: user"]);
}

#[test]
fn a_row_outranks_the_environment_and_is_outranked_by_the_command_line() {
    let folder =
        got("{ a: default, b: default, c: { env: C_ }, d: default }", "{{ a }} {{ b }} {{ c }} {{ d }}");
    folder.write("environments/e.yaml", "a: env\nb: env\nc: env\n");
    folder.write("rows.csv", "a,b\nrow,row\n");
    let words = "run flow.yaml --data rows.csv --env e -i a=given -q --output vars";
    assert_eq!(folder.call_with(words, &[("C_", "variable")]).passed().out, "got=given row env default\n");
}

#[test]
fn the_secrets_of_a_row_are_not_shown() {
    let folder = got("{ password: , pin: { secret: true } }", "{{ password }} {{ data.password }} {{ pin }}");
    folder.write("rows.csv", "password,pin\nhunter22-secret,99998888\n");
    let called = folder.call("run flow.yaml --data rows.csv --output json -vv");
    assert!(!called.passed().out.contains("hunter22") && !called.err.contains("99998888"), "{}", called.out);
}

#[test]
fn many_rows_run_through_a_few_workers() {
    let folder = got("{ n: { type: int } }", "{{ n }}");
    let rows: Vec<String> = (1..=3000).map(|n| format!("{{\"n\":{n}}}")).collect();
    folder.write("rows.json", &format!("[{}]", rows.join(",\n")));
    let called = folder.call("run flow.yaml --data rows.json -q --jobs 3 --output vars");
    let lines: Vec<&str> = called.passed().out.lines().collect();
    assert_eq!((lines.len(), lines.first(), lines.last()), (3000, Some(&"got=1"), Some(&"got=3000")));
}

#[tokio::test]
async fn a_program_gives_an_environment_a_row_and_its_trust() {
    let folder =
        got("{ a: 1, b: { command: [echo, told] }, c: x }", "{{ a }} {{ b }} {{ data.c }} {{ env_name }}");
    folder.write("environments/e.yaml", "a: 5\nc: y\n");
    let workflow = reqchain::Workflow::load(&folder.path().join("flow.yaml")).expect("it is right");
    let row = serde_json::json!({ "c": "row" });
    let finished = reqchain::Runner::new(&workflow).env("e").data(row).trust().run().await.expect("it runs");
    assert_eq!(finished.output("got").as_deref(), Some("5 told row e"));
}

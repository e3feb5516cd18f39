//! The commands for people who write workflows: a new one runs at once, a chart says what is
//! there, and help, completions and pages name what there is.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Calls the command in a folder, without a terminal.
fn call(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_reqchain"))
        .args(arguments)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .output()
        .expect("it runs")
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[track_caller]
fn passes(folder: &Path, arguments: &[&str]) -> Output {
    let output = call(folder, arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}\n{}", stderr(&output));
    output
}

#[test]
fn a_new_workflow_of_each_kind_is_right_and_passes_at_once() {
    let kinds: [(&str, &[&str]); 9] = [
        ("basic", &[]),
        ("basic", &["--token", "$.result.token", "--exchange", "/swap", "--extract", "id=$.result.id"]),
        ("form", &[]),
        ("form", &["--login-path", "/sign-in", "--exchange", "/sign-in", "--token", "$.tokens[0].value"]),
        ("bearer", &["--call", "/users/1", "--extract", "id=$.id", "--extract", "mail=$.mail"]),
        ("bearer", &["--exchange", "/swap"]),
        ("api-key", &["--header", "X-Shop-Key"]),
        ("api-key", &["--exchange", "/swap:", "--token", "$.t"]),
        ("none", &["--extract", "list=$.items[1].id"]),
    ];
    for (kind, more) in kinds {
        let folder = tempfile::tempdir().expect("a folder");
        let mut flags =
            vec!["new", "--name", "The Shop: #1", "--url", "https://h.example/api/v2/", "--login", kind];
        flags.extend(more);
        let told = stderr(&passes(folder.path(), &flags));
        let next = "reqchain run the-shop-1.yaml --mock";
        assert!(told.ends_with(&format!("try it: {next}\n")), "{told}");
        let check = passes(folder.path(), &["check", "the-shop-1.yaml"]);
        assert!(!stderr(&check).contains("warning"), "{}", stderr(&check));
        let words: Vec<&str> = next.split(' ').skip(1).collect();
        let run = passes(folder.path(), &words);
        assert!(stderr(&run).contains("The Shop: #1"), "{}", stderr(&run));
    }
}

#[test]
fn the_mock_of_a_new_workflow_refuses_whoever_has_no_token() {
    let folder = tempfile::tempdir().expect("a folder");
    passes(folder.path(), &["new", "shop.yaml", "--yes"]);
    let text = fs::read_to_string(folder.path().join("shop.yaml")).expect("it was written");
    assert!(text.contains("env: SHOP_PASSWORD"), "{text}");
    let without = text.replace("bearer: \"{{ access_token }}\"", "bearer: wrong");
    assert_ne!(text, without);
    fs::write(folder.path().join("shop.yaml"), without).expect("written");
    let run = call(folder.path(), &["run", "shop.yaml", "--mock"]);
    assert_eq!(run.status.code(), Some(4), "{}", stderr(&run));
    assert!(stderr(&run).contains("401"), "{}", stderr(&run));
}

#[test]
fn new_overwrites_nothing_and_leaves_nothing_half_done() {
    let folder = tempfile::tempdir().expect("a folder");
    for there in ["shop.yaml", "mocks/shop.yaml"] {
        let path = folder.path().join(there);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(&path, "mine").expect("written");
        let output = call(folder.path(), &["new", "shop.yaml", "--yes"]);
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains(&format!("{there} is there already")), "{}", stderr(&output));
        assert_eq!(fs::read_to_string(&path).expect("it is there"), "mine");
        fs::remove_file(&path).expect("it is ours");
        assert!(!folder.path().join("shop.yaml").exists() && !folder.path().join("mocks/shop.yaml").exists());
    }
}

#[test]
fn new_asks_nobody_where_there_is_no_terminal() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = call(folder.path(), &["new"]);
    assert_eq!(output.status.code(), Some(2));
    for flag in ["--name", "--url", "--login", "--yes"] {
        assert!(stderr(&output).contains(flag), "{}", stderr(&output));
    }
    let output =
        call(folder.path(), &["new", "a.yaml", "--yes", "--extract", "a=$.x", "--extract", "b=$.x.y"]);
    assert!(stderr(&output).contains("one answer cannot hold all of $.x, $.x.y"), "{}", stderr(&output));
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0, "nothing was written");
}

#[test]
fn new_writes_to_the_folder_that_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("flows")).expect("a folder");
    passes(folder.path(), &["new", "flows", "--name", "Über Shop", "--yes"]);
    assert!(folder.path().join("flows/ber-shop.yaml").is_file());
    passes(folder.path(), &["new", "deep/er/shop.yml", "--yes"]);
    assert!(folder.path().join("deep/er/mocks/shop.yaml").is_file());
    passes(folder.path(), &["run", "flows", "deep", "--mock"]);
}

#[test]
fn the_schema_of_each_kind_of_file_is_json_on_stdout() {
    for (flags, title) in [
        (&["schema"][..], "reqchain workflow"),
        (&["schema", "--mock"], "reqchain mock"),
        (&["schema", "--environment"], "reqchain environment"),
    ] {
        let output = passes(Path::new("."), flags);
        let schema: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(schema["title"], title);
        assert!(output.stderr.is_empty());
    }
}

#[test]
fn the_chart_of_a_shipped_workflow_has_each_of_its_steps() {
    let chart = stdout(&passes(Path::new("."), &["graph", "workflows/wildix.yaml", "--variables"]));
    assert!(chart.starts_with("flowchart TD\n"), "{chart}");
    for line in [
        "begin --> step_personal",
        "step_personal --> step_access",
        "step_service --> done",
        "step_personal -.->|\"personal_token\"| step_access",
        "step_access[\"access<br/>GET /api/v2/Token/\"]",
    ] {
        assert!(chart.contains(line), "{line}\n{chart}");
    }
    let wrong = call(Path::new("."), &["graph", "tests/cases/errors/top_unknown_key.yaml"]);
    assert_eq!((wrong.status.code(), wrong.stdout.len()), (Some(2), 0));
}

#[test]
fn every_shell_gets_completions_for_what_there_is() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let text = stdout(&passes(Path::new("."), &["completions", shell]));
        for word in ["schema", "graph", "--mock", "--variables"] {
            let word = if shell == "fish" { word.trim_start_matches("--") } else { word };
            assert!(text.contains(word), "{shell}: {word}");
        }
        assert!(!text.contains("sessions"), "{shell}: a command that is not there yet");
    }
}

#[test]
fn there_is_a_page_for_the_command_and_one_for_each_below_it() {
    let page = stdout(&passes(Path::new("."), &["man"]));
    assert!(page.contains(".TH reqchain 1") && page.contains("reqchain\\-run(1)"), "{page}");
    let folder = tempfile::tempdir().expect("a folder");
    passes(folder.path(), &["man", "--dir", "pages/man1"]);
    for name in ["reqchain.1", "reqchain-run.1", "reqchain-new.1"] {
        assert!(folder.path().join("pages/man1").join(name).is_file(), "{name}");
    }
}

#[test]
fn help_explains_commands_and_topics() {
    let script = stdout(&passes(Path::new("."), &["help", "script"]));
    for part in ["hmac::sha256(key, text)", "json: text to values", "vars.name", "check(name, passed)"] {
        assert!(script.contains(part), "{part}\n{script}");
    }
    let filters = stdout(&passes(Path::new("."), &["help", "filters"]));
    assert!(filters.contains("url_host") && filters.contains("random_int"), "{filters}");
    let exits = stdout(&passes(Path::new("."), &["help", "exit"]));
    assert!(exits.contains("130"), "{exits}");
    assert!(stdout(&passes(Path::new("."), &["help", "run"])).contains("--fail-fast"));
    assert!(stdout(&passes(Path::new("."), &["help"])).contains("Commands:"));
    assert_eq!(call(Path::new("."), &["help", "nothing"]).status.code(), Some(2));
}

//! `fmt`: one layout for every file, no word and no comment lost, nothing touched that is wrong.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use proptest::prelude::*;
use proptest::test_runner::Config;
use reqchain::document::format::format;
use reqchain::ground::source::Source;
use reqchain::ground::value::Value;
use reqchain::ground::yaml::{read, written::written};

fn yaml_files(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder}: {error}"));
    let paths = entries.map(|entry| entry.expect("the folder can be read").path());
    let mut files: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|ending| ending == "yaml")).collect();
    files.sort();
    assert!(!files.is_empty(), "{folder} has files");
    files
}

#[track_caller]
fn formatted(name: &Path, text: &str) -> String {
    format(&Source::file(name, text)).unwrap_or_else(|problems| panic!("{problems}\n{text}"))
}

fn value(text: &str) -> Value {
    read(&Source::text("a", text))
        .unwrap_or_else(|problem| panic!("{}\n{text}", problem.render(false)))
        .to_value()
}

#[test]
fn every_case_of_the_corpus_comes_out_as_approved_and_stays_so() {
    for path in yaml_files("tests/cases/fmt") {
        let text = fs::read_to_string(&path).expect("a case can be read");
        let once = formatted(&path, &text);
        assert_eq!(formatted(&path, &once), once, "{}", path.display());
        let name = path.file_stem().expect("a case has a name").to_string_lossy().into_owned();
        insta::with_settings!({
            snapshot_path => "../cases/fmt",
            prepend_module_to_snapshot => false,
            omit_expression => true,
        }, { insta::assert_snapshot!(name, once) });
    }
}

#[test]
fn every_right_workflow_means_the_same_when_formatted_and_formatting_again_changes_nothing() {
    for path in yaml_files("tests/cases/good") {
        let text = fs::read_to_string(&path).expect("a case can be read");
        let text = text.trim_start_matches('\u{feff}');
        let once = formatted(&path, text);
        assert_eq!(formatted(&path, &once), once, "{}", path.display());
        assert_eq!(sorted(&value(text)), sorted(&value(&once)), "{}", path.display());
    }
}

/// A value as text, the keys of its maps in the order of the alphabet.
fn sorted(value: &Value) -> String {
    fn sort(value: &serde_json::Value) -> serde_json::Value {
        match value {
            serde_json::Value::Object(map) => {
                let mut keys: Vec<&String> = map.keys().collect();
                keys.sort();
                keys.into_iter().map(|key| (key.clone(), sort(&map[key]))).collect()
            }
            serde_json::Value::Array(elements) => elements.iter().map(sort).collect(),
            other => other.clone(),
        }
    }
    sort(&serde_json::to_value(value).expect("a value is JSON")).to_string()
}

#[test]
fn the_shipped_workflows_and_mocks_are_formatted() {
    let folders = ["workflows", "workflows/mocks", "workflows/recipes", "workflows/recipes/mocks"];
    for path in folders.into_iter().flat_map(yaml_files) {
        let text = fs::read_to_string(&path).expect("it is shipped");
        assert_eq!(formatted(&path, &text), text, "{}", path.display());
    }
}

/// A workflow for `fmt` to work on.
const UNTIDY: &str = "steps:\n- request: GET https://example.com/ # all\nname: x\n";
const TIDY: &str = "name: x\nsteps:\n  - request: GET https://example.com/ # all\n";

/// A project of one's own, and what `reqchain fmt` does in it.
struct Project(tempfile::TempDir);

impl Project {
    fn new(files: &[(&str, &str)]) -> Self {
        let project = Self(tempfile::tempdir().expect("a folder"));
        for (name, text) in files {
            let path = project.path(name);
            fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
            fs::write(path, text).expect("a file");
        }
        project
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect("a file")
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).expect("a folder");
        let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
        let mut names: Vec<String> = entries.map(|entry| name(entry.expect("an entry"))).collect();
        names.sort();
        names
    }

    #[track_caller]
    fn fmt(&self, arguments: &[&str], stdin: &str, code: i32) -> (String, String) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_reqchain"))
            .arg("fmt")
            .args(arguments)
            .current_dir(self.0.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command starts");
        child.stdin.take().expect("it is piped").write_all(stdin.as_bytes()).expect("it reads");
        let Output { status, stdout, stderr } = child.wait_with_output().expect("it ends");
        let (out, told) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
        assert_eq!(status.code(), Some(code), "{out}{told}");
        (out.into_owned(), told.into_owned())
    }
}

#[test]
fn files_are_formatted_in_place_and_only_those_that_change_are_told() {
    let project = Project::new(&[
        ("a.yaml", UNTIDY),
        ("b.yaml", TIDY),
        ("mocks/m.yaml", "routes: []\nname: m\n"),
        ("mocks/data.yaml", "rows:   []\n"),
    ]);
    let (out, told) = project.fmt(&["."], "", 0);
    assert_eq!((out.as_str(), told.as_str()), ("", "./a.yaml\n./mocks/m.yaml\n"));
    assert_eq!(project.text("a.yaml"), TIDY);
    assert_eq!(project.text("mocks/m.yaml"), "name: m\nroutes: []\n");
    assert_eq!(project.text("mocks/data.yaml"), "rows:   []\n");
    assert_eq!(project.names(), ["a.yaml", "b.yaml", "mocks"], "nothing is left beside them");
    assert_eq!(project.fmt(&["."], "", 0).1, "");
}

#[test]
fn check_lists_what_would_change_and_writes_nothing() {
    let project = Project::new(&[("a.yaml", UNTIDY), ("b.yaml", TIDY)]);
    assert_eq!(project.fmt(&["--check", "a.yaml", "b.yaml"], "", 1), (String::new(), "a.yaml\n".to_owned()));
    assert_eq!(project.text("a.yaml"), UNTIDY);
    project.fmt(&["--check", "b.yaml"], "", 0);
}

#[test]
fn stdin_is_formatted_to_stdout() {
    let project = Project::new(&[]);
    assert_eq!(project.fmt(&["-"], UNTIDY, 0).0, TIDY);
    assert_eq!(project.fmt(&["-", "--check"], UNTIDY, 1).0, "");
    let (out, told) = project.fmt(&["-"], "steps: [\n", 2);
    assert!(out.is_empty() && told.contains("this is not YAML"), "{told}");
    assert!(project.fmt(&["-", "a.yaml"], "", 2).1.contains("cannot stand beside"));
}

#[test]
fn a_file_that_cannot_be_formatted_stays_and_does_not_keep_others_from_it() {
    let broken = "steps:\n  - a: [\n";
    let project = Project::new(&[("a.yaml", broken), ("b.yaml", UNTIDY), ("c.yaml", "services: {}\n")]);
    let (_, told) = project.fmt(&["a.yaml", "b.yaml", "c.yaml"], "", 2);
    assert!(told.contains("a.yaml:") && told.contains("neither a workflow nor a mock"), "{told}");
    assert_eq!((project.text("a.yaml").as_str(), project.text("b.yaml").as_str()), (broken, TIDY));
    assert!(project.fmt(&[], "", 2).1.contains("reqchain fmt workflows"));
}

#[cfg(unix)]
#[test]
fn permissions_stay_and_no_link_is_followed_out_of_the_project() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    let elsewhere = Project::new(&[("far.yaml", UNTIDY)]);
    let project = Project::new(&[("flows/a.yaml", UNTIDY), ("reqchain.yaml", "")]);
    fs::set_permissions(project.path("flows/a.yaml"), fs::Permissions::from_mode(0o600))
        .expect("they are set");
    symlink("flows/a.yaml", project.path("near.yaml")).expect("a link");
    symlink(elsewhere.path("far.yaml"), project.path("far.yaml")).expect("a link");
    project.fmt(&["near.yaml"], "", 0);
    assert!(project.path("near.yaml").is_symlink(), "the link stays one");
    assert_eq!(project.text("flows/a.yaml"), TIDY);
    let mode = fs::metadata(project.path("flows/a.yaml")).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(project.fmt(&["far.yaml"], "", 2).1.contains("leads out of the project"));
    assert_eq!(elsewhere.text("far.yaml"), UNTIDY);
}

/// A value as somebody may write it, each line with its indent.
#[derive(Debug, Clone)]
enum Written {
    Scalar(&'static str),
    Block(&'static str, Vec<&'static str>),
    Flow(&'static str),
    List(Vec<(Written, bool)>),
    Map(Vec<(Written, bool)>),
}

fn values() -> impl Strategy<Value = Written> {
    let scalars = vec![
        "a",
        "0101",
        "\"a # b\"",
        "'it''s'",
        "'{{ x }}'",
        "GET {{ x }}/#a",
        "",
        "null",
        "-1",
        "a:b",
        "ä ö",
    ];
    let flows = vec![
        "{}",
        "[]",
        "{a: 1,b: [2,3]}",
        "[ {a: \"x\"}, y ]",
        "{ url: u, method: m, id: i }",
        "[a, 'b, c']",
        "{ a: 1111111111111111111111111111111111111, b: [22222222222222222222222222222222222222], c: { d: 33333333 } }",
    ];
    let leaf = prop_oneof![
        prop::sample::select(scalars).prop_map(Written::Scalar),
        prop::sample::select(flows).prop_map(Written::Flow),
        (
            prop::sample::select(vec!["|", "|-", "|+", ">", ">-"]),
            prop::collection::vec(prop::sample::select(vec!["x # y", "", "  z", "- a: b", "# c"]), 0..4)
        )
            .prop_map(|(header, lines)| Written::Block(header, [vec!["first"], lines].concat())),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let entries = prop::collection::vec((inner, any::<bool>()), 1..4);
        prop_oneof![entries.clone().prop_map(Written::List), entries.prop_map(Written::Map)]
    })
}

const KEYS: [&str; 3] = ["request", "id", "url"];

/// Writes a value behind its key or dash; comments are numbered, so that each is told from the others.
fn write(text: &mut String, value: &Written, indent: usize, step: usize, comments: &mut usize) {
    let mut comment = |text: &mut String, wanted: bool| {
        if wanted {
            *comments += 1;
            let _ = write!(text, " # comment {comments}");
        }
        text.push('\n');
    };
    match value {
        Written::Scalar(scalar) | Written::Flow(scalar) => {
            let _ = write!(text, " {scalar}");
            comment(text, indent.is_multiple_of(3));
        }
        Written::Block(header, lines) => {
            let _ = write!(text, " {header}");
            comment(text, indent.is_multiple_of(3));
            for line in lines {
                let _ = writeln!(text, "{}{line}", " ".repeat(indent + step));
            }
        }
        Written::List(entries) | Written::Map(entries) => {
            comment(text, indent % 2 == 1);
            for (at, (entry, commented)) in entries.iter().enumerate() {
                let pad = " ".repeat(indent + step);
                if *commented {
                    *comments += 1;
                    let blank = if at % 2 == 0 { "\n\n" } else { "" };
                    let _ = writeln!(text, "{blank}{pad}# comment {comments}");
                }
                let lead =
                    if matches!(value, Written::List(_)) { "-".to_owned() } else { format!("{}:", KEYS[at]) };
                let _ = write!(text, "{pad}{lead}");
                write(text, entry, indent + step, step, comments);
            }
        }
    }
}

proptest! {
    #![proptest_config(Config { cases: 256, failure_persistence: None, ..Config::default() })]

    #[test]
    fn whatever_is_written_keeps_its_meaning_and_its_comments(
        steps in prop::collection::vec((values(), any::<bool>()), 1..4),
        vars in values(),
        step in 1..5_usize,
    ) {
        let mut comments = 0;
        let mut text = String::from("# comment 0\nsteps:");
        write(&mut text, &Written::List(steps), 0, step, &mut comments);
        text.push_str("vars:");
        write(&mut text, &vars, 0, step, &mut comments);
        let source = Source::text("flow.yaml", text.as_str());
        prop_assume!(read(&source).is_ok());
        let once = format(&source).map_err(|problems| TestCaseError::fail(format!("{problems}\n{text}")))?;
        let twice = format(&Source::text("flow.yaml", once.as_str()))
            .map_err(|problems| TestCaseError::fail(format!("{problems}\n{once}")))?;
        prop_assert_eq!(&once, &twice);
        prop_assert_eq!(sorted(&value(&text)), sorted(&value(&once)), "{}", text);
        for number in 0..=comments {
            let wanted = format!("# comment {number}");
            let kept = written(&Source::text("flow.yaml", once.as_str())).expect("it was formatted").comments;
            prop_assert!(kept.contains(&wanted), "{} of\n{}", wanted, text);
        }
    }
}

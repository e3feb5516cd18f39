//! The README is run: its files are written, its commands carried out in order, and what it shows
//! must be what comes. Of the pages in `docs`, every block of YAML is checked, and what they list is
//! compared with what there is.

use std::collections::HashSet;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use regex::Regex;
use reqchain::document::environment::Environment;
use reqchain::document::workflow::{Workflow, schema};
use reqchain::ground::diagnostic::{Diagnostics, Severity};
use reqchain::ground::source::Source;
use reqchain::services::mock::Mock;

const README: &str = include_str!("../../README.md");
const LANGUAGE: &str = include_str!("../../docs/language.md");
const SAFETY: &str = include_str!("../../docs/safety.md");

/// A fenced block of a page and the text since the block before it.
struct Block {
    before: String,
    /// What stands behind the fence: `yaml`, `sh`, or `yaml steps` for a part of a file.
    language: String,
    text: String,
}

fn blocks() -> Vec<Block> {
    blocks_of(README)
}

fn blocks_of(page: &str) -> Vec<Block> {
    let fence = Regex::new("(?s)(.*?)\n```([a-z ]+)\n(.*?)\n```\n").expect("the pattern is right");
    let block = |found: regex::Captures<'_>| Block {
        before: found[1].to_owned(),
        language: found[2].to_owned(),
        text: found[3].to_owned(),
    };
    fence.captures_iter(page).map(block).collect()
}

/// What differs from run to run, made the same: times and ports. Widths are of no account.
fn steady(text: &str) -> String {
    static CHANGING: LazyLock<[(Regex, &str); 3]> = LazyLock::new(|| {
        let pattern = |text| Regex::new(text).expect("the pattern is right");
        [
            (pattern(r" *\b[0-9]+(\.[0-9]+)?(ms|µs|s)\b"), " TIME"),
            (pattern(r"127\.0\.0\.1:[0-9]+"), "127.0.0.1:PORT"),
            (pattern(r"(?m)[ \t]+$"), ""),
        ]
    });
    let steady = CHANGING
        .iter()
        .fold(text.to_owned(), |text, (pattern, with)| pattern.replace_all(&text, *with).into_owned());
    steady.trim().to_owned()
}

/// Carries out the lines of a shell block in a folder, with `reqchain` as it was just built.
fn shell(lines: &str, folder: &Path, exports: &mut String) -> String {
    let binary = Path::new(env!("CARGO_BIN_EXE_reqchain")).parent().expect("it lies in a folder");
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap_or_default());
    let script = format!("{exports}{lines}\n");
    let output = Command::new("sh")
        .args(["-c", &script])
        .current_dir(folder)
        .env("PATH", path)
        .env_remove("HELLO_PASSWORD")
        .env_remove("SIGNING_KEY")
        .env("NO_COLOR", "1")
        .output()
        .expect("there is a shell");
    for line in lines.lines().filter(|line| line.starts_with("export ")) {
        exports.push_str(line);
        exports.push('\n');
    }
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn every_file_and_command_of_the_readme_does_what_it_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = Regex::new(r"`([a-z-]+\.yaml)`:\s*$").expect("the pattern is right");
    let (mut exports, mut came, mut shown) = (String::new(), String::new(), 0);
    for block in blocks() {
        match block.language.as_str() {
            "yaml" => {
                let named = file.captures(block.before.trim_end());
                let named = named.unwrap_or_else(|| panic!("no name stands before:\n{}", block.text));
                std::fs::write(folder.path().join(&named[1]), block.text).expect("the folder takes it");
            }
            "sh" if block.text.starts_with("cargo ") => {}
            "sh" if block.text.starts_with("TOKEN=$(reqchain run workflows/") => {
                let here = Path::new(env!("CARGO_MANIFEST_DIR"));
                let said = shell(&format!("{}; echo \"<$TOKEN>\"", block.text), here, &mut String::new());
                let token = said.strip_prefix('<').and_then(|said| said.strip_suffix(">\n"));
                assert!(token.is_some_and(|token| token.len() >= 16), "{}\n{said}", block.text);
            }
            "sh" => came = shell(&block.text, folder.path(), &mut exports),
            "text" => {
                assert_eq!(steady(&block.text), steady(&came), "the README shows something else");
                shown += 1;
            }
            "rust" => {
                let here = include_str!("readme.rs");
                block.text.lines().for_each(|line| assert!(here.contains(line.trim()), "{line} is not run"));
            }
            other => panic!("nobody knows what to do with a block of {other}"),
        }
    }
    assert!(shown >= 4, "the README shows what comes of its commands");
}

#[test]
fn the_first_command_passes_and_ends_with_a_token_that_nobody_sees() {
    assert!(README.contains("cargo run -- run workflows --mock"), "the command is the README's");
    let output = Command::new(env!("CARGO_BIN_EXE_reqchain"))
        .args(["run", "workflows", "--mock"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("it runs");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("«service_token»"), "{text}");
    assert!(output.stdout.is_empty());
}

#[test]
fn a_token_asked_for_by_name_stands_alone_and_a_failed_run_gives_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = Regex::new(r"`([a-z-]+\.yaml)`:\s*$").expect("the pattern is right");
    for block in blocks().into_iter().filter(|block| block.language == "yaml") {
        let named = file.captures(block.before.trim_end()).expect("a name stands before it");
        std::fs::write(folder.path().join(&named[1]), block.text).expect("the folder takes it");
    }
    let run = |password: &str| {
        Command::new(env!("CARGO_BIN_EXE_reqchain"))
            .args(["run", "hello.yaml", "--mock", "-q", "--output", "value:access_token"])
            .current_dir(folder.path())
            .env("HELLO_PASSWORD", password)
            .output()
            .expect("it runs")
    };
    let right = run("correct horse");
    assert_eq!(String::from_utf8_lossy(&right.stdout), "a1-B2-c3-D4\n");
    assert!(right.stderr.is_empty(), "{}", String::from_utf8_lossy(&right.stderr));
    let wrong = run("wrong horse");
    assert!(wrong.stdout.is_empty());
    assert_eq!(wrong.status.code(), Some(4));
    assert!(!String::from_utf8_lossy(&wrong.stderr).contains("wrong horse"));
}

#[tokio::test]
async fn the_program_of_the_readme_gets_its_token() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let file = Regex::new(r"`([a-z-]+\.yaml)`:\s*$")?;
    for block in blocks().into_iter().filter(|block| block.language == "yaml") {
        let named = file.captures(block.before.trim_end()).ok_or("a name stands before it")?;
        std::fs::write(folder.path().join(&named[1]), block.text)?;
    }
    // The README loads "hello.yaml" from where it is called; this test must not change folders.
    let path = folder.path().join("hello.yaml");
    assert!(README.contains(r#"let workflow = reqchain::Workflow::load("hello.yaml".as_ref())?;"#));
    let workflow = reqchain::Workflow::load(&path)?;
    let finished = reqchain::Runner::new(&workflow).input("password", "correct horse").mock().run().await?;
    let token = finished.output("access_token");
    assert_eq!(token.as_deref(), Some("a1-B2-c3-D4"));
    Ok(())
}

/// The files that the blocks of `docs` name, each as small as it may be.
const NAMED: [(&str, &str); 10] = [
    (
        "login.yaml",
        "inputs: { api: , user: }\nsteps:\n  - request: GET {{ api }}/{{ user }}\n    extract: { token: $.token }\n",
    ),
    ("mocks/shop.yaml", "routes: []\n"),
    ("files/prices.csv", "a,b\n1,2\n"),
    ("menu.csv", "soup,4\n"),
    ("order.schema.json", "{}"),
    ("sign.rhai", "request.headers[\"X-Signed\"] = \"yes\";\n"),
    ("shop.rhai", "fn token(request, state) { #{ status: 200 } }\n"),
    ("scripts/sign.rhai", "fn sign(text, key) { hmac::sha256(key, text) }\n"),
    ("key.txt", "not a key"),
    ("reqchain.yaml", ""),
];

/// What stands before steps that are shown alone: the inputs that they read.
const STEPS: &str = "inputs:
  { api: https://api.example.com, user: ann, password: , token: , key: , id: 7, users: { type: json, default: [] } }
steps:
";

/// Reads a block of `docs` as what it is said to be; the mistakes and warnings in it.
fn read(block: &Block, folder: &Path) -> Diagnostics {
    let file = |text: &str| {
        let path = folder.join("block.yaml");
        std::fs::write(&path, text).expect("the folder takes it");
        path
    };
    let workflow = |text: &str| match Workflow::load(&file(text)) {
        Ok(workflow) => workflow.warnings.clone(),
        Err(problems) => problems,
    };
    match block.language.as_str() {
        "yaml" => workflow(&block.text),
        // No steps read all of the inputs: only errors count.
        "yaml steps" => {
            let mut found = workflow(&format!("{STEPS}{}\n", block.text));
            found.0.retain(|problem| problem.severity == Severity::Error);
            found
        }
        "yaml mock" => Mock::load(&file(&block.text)).err().unwrap_or_default(),
        "yaml environment" => {
            Environment::parse(&Source::text("block.yaml", &block.text)).err().unwrap_or_default()
        }
        other => panic!("nobody knows what to do with a block of {other}"),
    }
}

#[test]
fn every_block_of_the_reference_is_free_of_mistakes() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in NAMED {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("it lies in a folder")).expect("the folder takes it");
        std::fs::write(path, text).expect("the folder takes it");
    }
    for name in ["ca.pem", "client.pem", "client.key"] {
        std::fs::copy(Path::new("tests/cases/tls").join(name), folder.path().join(name))
            .expect("it is there");
    }
    let blocks = blocks_of(LANGUAGE);
    assert_eq!(blocks.len() * 2, LANGUAGE.matches("```").count(), "every fence is understood");
    for block in blocks {
        let found = read(&block, folder.path());
        assert!(found.0.is_empty(), "{found}\n{}", block.text);
    }
}

/// Every word of a page, without the signs around it.
fn words(page: &str) -> HashSet<&str> {
    page.split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-'))).collect()
}

/// The names of all properties in a schema.
fn keys(schema: &serde_json::Value, found: &mut Vec<String>) {
    match schema {
        serde_json::Value::Object(members) => {
            if let Some(serde_json::Value::Object(properties)) = members.get("properties") {
                found.extend(properties.keys().cloned());
            }
            members.values().for_each(|member| keys(member, found));
        }
        serde_json::Value::Array(elements) => elements.iter().for_each(|element| keys(element, found)),
        _ => {}
    }
}

#[test]
fn the_reference_names_every_key_selector_and_predicate() {
    let mut known = Vec::new();
    for schema in [schema::workflow(), schema::mock(), schema::environment()] {
        keys(&schema, &mut known);
    }
    assert!(known.len() > 100, "the keys were found");
    let words = words(LANGUAGE);
    known.retain(|key| !words.contains(key.as_str()));
    assert!(known.is_empty(), "docs/language.md does not tell of {}", known.join(", "));
}

#[test]
fn the_reference_names_every_command_flag_and_module() {
    let called = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_reqchain")).args(arguments).output().expect("it runs");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let first = Regex::new(r"(?m)^  ([a-z]+)  ").expect("the pattern is right");
    let long = Regex::new(r"--[a-z][a-z-]+").expect("the pattern is right");
    let module = Regex::new(r"(?m)^([a-z]+): ").expect("the pattern is right");
    let mut names = Vec::new();
    for found in first.captures_iter(&called(&["--help"])) {
        names.push(format!("reqchain {}", &found[1]));
        // `new` asks for what its flags say, and its own help is the place to look for them.
        if &found[1] != "new" {
            let flags = called(&[&found[1], "--help"]);
            names.extend(long.find_iter(&flags).map(|flag| flag.as_str().to_owned()));
        }
    }
    names.extend(module.captures_iter(&called(&["help", "script"])).map(|found| format!("`{}", &found[1])));
    assert!(names.len() > 40, "they were found: {names:?}");
    // These are told of by their letters.
    names.retain(|name| !["--help", "--verbose", "--quiet"].contains(&name.as_str()));
    names.retain(|name| !LANGUAGE.contains(name.as_str()));
    assert!(names.is_empty(), "docs/language.md does not tell of {}", names.join(", "));
}

#[test]
fn every_recipe_is_named_in_the_readme() {
    for entry in std::fs::read_dir("workflows/recipes").expect("there are recipes") {
        let path = entry.expect("the folder can be read").path();
        let name = path.file_name().expect("it has a name").to_string_lossy();
        assert!(path.is_dir() || README.contains(&format!("| `{name}` |")), "{name}");
    }
}

#[test]
fn links_within_the_pages_lead_somewhere() {
    let link = Regex::new(r"\]\(([^)#]*)(?:#([a-z-]+))?\)").expect("the pattern is right");
    for (folder, page) in [(".", README), ("docs", LANGUAGE), ("docs", SAFETY)] {
        for found in link.captures_iter(page).filter(|found| !found[1].contains("://")) {
            let target = match &found[1] {
                "" => page.to_owned(),
                file => std::fs::read_to_string(Path::new(folder).join(file)).expect("the file is there"),
            };
            let Some(heading) = found.get(2) else { continue };
            let heading = format!("\n## {}\n", heading.as_str().replace('-', " "));
            assert!(target.to_lowercase().contains(&heading), "{}", &found[0]);
        }
    }
}

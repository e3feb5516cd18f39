//! The README is run: its files are written, its commands carried out in order, and what it shows
//! must be what comes.

use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use regex::Regex;

const README: &str = include_str!("../../README.md");

/// A fenced block of the README and the text since the block before it.
struct Block {
    before: String,
    language: String,
    text: String,
}

fn blocks() -> Vec<Block> {
    let fence = Regex::new("(?s)(.*?)\n```([a-z]+)\n(.*?)\n```\n").expect("the pattern is right");
    let block = |found: regex::Captures<'_>| Block {
        before: found[1].to_owned(),
        language: found[2].to_owned(),
        text: found[3].to_owned(),
    };
    fence.captures_iter(README).map(block).collect()
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

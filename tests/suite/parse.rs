//! What no reader may do, whatever it is given: panic, hang, or grow without a bound.
//!
//! A workflow comes from a repository that somebody else wrote. How long a refusal takes is not
//! asserted, since a loaded machine would fail it; what is asserted is that it is refused.

use std::fmt::Write as _;
use std::fs;
use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::test_runner::Config;
use reqchain::document::workflow::Workflow;
use reqchain::ground::source::Source;

/// Beside the cases, so that paths in them are found.
const PLACE: &str = "tests/cases/good/mutated.yaml";

fn refusal(text: &str) -> String {
    let source = Source::file(PLACE.as_ref(), text);
    Workflow::parse(&source)
        .map(|workflow| workflow.name.to_string())
        .expect_err("it must be refused")
        .render(false)
}

/// Nine of nine of nine …: a few lines that mean a thousand million values.
fn alias_bomb() -> String {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..10 {
        let aliases = vec![format!("*a{}", level - 1); 9].join(", ");
        // Writing to a string cannot fail.
        let _ = writeln!(text, "a{level}: &a{level} [{aliases}]");
    }
    text
}

/// A line for each number.
fn many(beginning: &str, count: usize, line: impl Fn(usize) -> String) -> String {
    let mut text = beginning.to_owned();
    for number in 0..count {
        text.push_str(&line(number));
        text.push('\n');
    }
    text
}

/// Bombs in a file (S67, S70, S71).
#[test]
fn what_is_too_large_or_too_deep_is_refused() {
    let steps = "steps:\n  - request: GET https://example.com/\n";
    for (what, text, part) in [
        ("a file of 1 MiB", format!("{steps}#{}", "x".repeat(1 << 20)), "larger than 1 MiB"),
        ("an alias bomb", alias_bomb(), "more than 100000"),
        ("open brackets", "[".repeat(100_000), "nested deeper"),
        ("dashes", "- ".repeat(100_000), "nested deeper"),
        ("open braces", "{a: ".repeat(100_000), "nested deeper"),
        ("question marks", "? ".repeat(100_000), "nested deeper"),
        (
            "brackets in a template",
            format!("name: x\nvars: {{ a: \"{{{{ {} }}}}\" }}\n{steps}", "(".repeat(50_000)),
            "",
        ),
        (
            "braces in a template",
            format!("vars: {{ a: '{}' }}\n{steps}", "{{".repeat(100_000)),
            "never closed",
        ),
        (
            "brackets in a path",
            format!(
                "steps:\n  - request: GET https://example.com/\n    extract: {{ a: '$[{}' }}\n",
                "?(".repeat(50_000)
            ),
            "error: `$[",
        ),
        (
            "brackets in a script",
            format!("steps:\n  - script: |\n      let a = {};\n", "(".repeat(50_000)),
            "",
        ),
        (
            "minus signs in a script",
            format!("steps:\n  - script: |\n      let a = {}1;\n", "-".repeat(50_000)),
            "",
        ),
        ("blocks in a script", format!("steps:\n  - script: |\n      {}\n", "{".repeat(50_000)), ""),
        (
            "brackets in a regular expression",
            format!(
                "steps:\n  - request: GET https://example.com/\n    extract: {{ a: {{ regex: '{}' }} }}\n",
                "(".repeat(50_000)
            ),
            "regular expression",
        ),
        ("as many keys as fit", many("", 40_000, |n| format!("k{n}:")), "more mistakes"),
        (
            "as many undefined names",
            many("vars:\n", 30_000, |n| format!("  v{n}: '{{{{ u{n} }}}}'")),
            "more mistakes",
        ),
        (
            "as many ids that stand twice",
            many("steps:\n", 15_000, |_| "  - { id: a, request: GET https://h.example/ }".to_owned()),
            "two steps",
        ),
        (
            "as many steps that nobody has",
            many(steps, 15_000, |n| format!("  - request: 'GET http://h/{{{{ steps.s{n}.status }}}}'")),
            "no step",
        ),
        (
            "as many names as are read",
            many("vars:\n  v0: 1\n", 20_000, |n| format!("  v{}: '{{{{ v{n} }}}}'", n + 1)),
            "needs `steps`",
        ),
        (
            "as many keys as are merged",
            many("a: &a\n", 20_000, |n| format!("  k{n}: 1")) + "b: { <<: *a, c: 1 }\n",
            "unknown key",
        ),
    ] {
        let told = refusal(&text);
        assert!(told.contains(part), "{what}: {}", told.chars().take(500).collect::<String>());
    }
}

/// Files that use each other (S73).
#[test]
fn files_that_use_each_other_too_often_or_too_deeply_are_refused() {
    for (width, depth) in [(9, 9), (1, 40)] {
        let folder = tempfile::tempdir().expect("a folder for the files");
        for level in 0..depth {
            let uses = format!("  - uses: {}.yaml\n", level + 1).repeat(width);
            fs::write(folder.path().join(format!("{level}.yaml")), format!("steps:\n{uses}"))
                .expect("it can be written");
        }
        let last = "steps:\n  - request: GET https://example.com/\n";
        fs::write(folder.path().join(format!("{depth}.yaml")), last).expect("it can be written");
        let told =
            Workflow::load(&folder.path().join("0.yaml")).expect_err("it must be refused").render(false);
        assert!(told.contains("use each other"), "{told}");
    }
}

/// The good cases as bytes.
static GOOD: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let folder = fs::read_dir("tests/cases/good").expect("there are cases");
    let mut paths: Vec<_> = folder.map(|entry| entry.expect("the folder can be read").path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).expect("a case can be read")).collect()
});

/// What a careless hand does to a file.
#[derive(Debug, Clone)]
enum Slip {
    Cut(usize),
    Remove(usize, usize),
    Insert(usize, &'static str),
    Copy(usize, usize, usize),
    Byte(usize, u8),
}

fn slips() -> impl Strategy<Value = Vec<Slip>> {
    let signs = prop::sample::select(vec![
        "{{",
        "}}",
        "{",
        "}",
        "[",
        "]",
        ": ",
        "- ",
        "\n",
        "\t",
        "  ",
        "\"",
        "'",
        "|",
        ">",
        "&a ",
        "*a",
        "<<: ",
        "#",
        "!",
        "%",
        "$.",
        "@",
        "`",
        "é",
        "\u{feff}",
        "\u{2028}",
        "\0",
        "\r",
        "null",
        "---\n",
        "request: ",
        "steps: ",
    ]);
    let at = || 0..4096_usize;
    prop::collection::vec(
        prop_oneof![
            at().prop_map(Slip::Cut),
            (at(), 0..64_usize).prop_map(|(at, length)| Slip::Remove(at, length)),
            (at(), signs).prop_map(|(at, sign)| Slip::Insert(at, sign)),
            (at(), 0..64_usize, at()).prop_map(|(from, length, to)| Slip::Copy(from, length, to)),
            (at(), any::<u8>()).prop_map(|(at, byte)| Slip::Byte(at, byte)),
        ],
        1..8,
    )
}

fn mutate(bytes: &mut Vec<u8>, slip: &Slip) {
    let length = bytes.len();
    let within = |at: usize| at % (length + 1);
    match *slip {
        // A cut near the beginning leaves nothing to read.
        Slip::Cut(at) => bytes.truncate(within(at).max(length / 2)),
        Slip::Remove(at, count) => drop(bytes.drain(within(at)..length.min(within(at) + count))),
        Slip::Insert(at, sign) => drop(bytes.splice(within(at)..within(at), sign.bytes())),
        Slip::Copy(from, count, to) => {
            let copy = bytes[within(from)..length.min(within(from) + count)].to_vec();
            bytes.splice(within(to)..within(to), copy);
        }
        Slip::Byte(at, byte) if length > 0 => bytes[at % length] = byte,
        Slip::Byte(..) => {}
    }
}

proptest! {
    #![proptest_config(Config { cases: 64, failure_persistence: None, ..Config::default() })]

    #[test]
    fn no_slip_of_the_hand_makes_the_reader_panic(which in any::<prop::sample::Index>(), slips in slips()) {
        let mut bytes = which.get(&GOOD).clone();
        for slip in &slips {
            mutate(&mut bytes, slip);
        }
        let source = Source::file(PLACE.as_ref(), String::from_utf8_lossy(&bytes));
        if let Err(problems) = Workflow::parse(&source) {
            prop_assert!(!problems.render(true).is_empty());
        }
    }
}

//! The rows of `docs/safety.md`, and what proves each. A test proves a row by naming it at the end of a
//! sentence of its own doc comment, in parentheses; a case, by its `rows`. `cargo test` shows the whole
//! table, `cargo test hostile::rows` nothing else.
//!
//! A row stays proved: the test fails where one has lost its last test, and where one that is said not to
//! be there yet has got its first.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

const PAGE: &str = include_str!("../../../docs/safety.md");

/// How the text of a row begins whose feature does not exist.
const AHEAD: &str = "Not there yet: ";

/// A row of the page.
#[derive(Debug, Clone, Copy)]
struct Row {
    /// How soon it has to be held: `P0` or `P1`.
    priority: &'static str,
    title: &'static str,
    /// Whether what it is about does not exist yet.
    is_ahead: bool,
}

/// All rows: each stands at its number less one.
fn rows() -> Vec<Row> {
    let lines = PAGE.lines().filter(|line| line.starts_with("| S"));
    let rows = (1..).zip(lines).map(|(number, line)| {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [name, priority, title, text] = cells[..] else { panic!("a row has four cells: {line}") };
        assert_eq!(name, format!("S{number}"), "each row has the number after the one before it");
        assert!(["P0", "P1"].contains(&priority), "{line}");
        assert!(!title.is_empty() && text.ends_with('.'), "{line}");
        Row { priority, title, is_ahead: text.starts_with(AHEAD) }
    });
    rows.collect()
}

/// Where tests stand, and the tests of each row there.
type Proofs = BTreeMap<usize, Vec<String>>;

#[test]
fn every_row_has_a_test_or_says_why_not() {
    let (rows, (proofs, _)) = (rows(), claims());
    let (mut table, mut wrong) = (String::new(), String::new());
    for (number, Row { priority, title, is_ahead }) in (1..).zip(&rows) {
        let tests = proofs.get(&number).map(Vec::as_slice).unwrap_or_default();
        let word = match (tests, is_ahead) {
            ([_, ..], _) => "proved",
            ([], true) => "ahead ",
            ([], false) => "OPEN  ",
        };
        let _ = writeln!(table, "S{number:<3} {priority} {word} {title}");
        for test in tests {
            let _ = writeln!(table, "              {test}");
        }
        match (tests, is_ahead) {
            ([], false) => {
                let _ = writeln!(wrong, "S{number} ({title}): no test proves it any more");
            }
            ([first, ..], true) => {
                let _ = writeln!(wrong, "S{number} ({title}): `{first}` proves it: say so in the page");
            }
            _ => {}
        }
    }
    let ahead = rows.iter().filter(|row| row.is_ahead).count();
    let _ = writeln!(table, "{} rows are proved, {ahead} ahead", rows.len() - ahead);
    // What `println!` writes is kept back where a test passes.
    io::stdout().lock().write_all(format!("\n{table}").as_bytes()).expect("stdout takes it");
    assert!(wrong.is_empty(), "{wrong}\n{table}");
}

#[test]
fn a_row_is_named_in_one_form_and_is_there() {
    let (proofs, mut wrong) = claims();
    let known = rows().len();
    let odd = proofs.into_iter().filter(|(row, _)| *row == 0 || *row > known);
    wrong.extend(odd.map(|(row, tests)| format!("S{row} is no row: {tests:?}")));
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// The tests that name a row, over the suite and the source; and the lines that name one in vain.
fn claims() -> (Proofs, Vec<String>) {
    let (mut proofs, mut wrong) = (Proofs::new(), Vec::new());
    for folder in ["src", "tests/suite", "tests/fuzz"] {
        for path in sources(Path::new(folder)) {
            let text = fs::read_to_string(&path).expect("a source");
            let place = path.strip_prefix("tests/suite").unwrap_or(&path).display();
            let found = Found::in_source(&text);
            wrong.extend(found.in_vain.iter().map(|line| format!("{place}: {line}")));
            for (rows, test) in found.proofs {
                for row in rows {
                    proofs.entry(row).or_default().push(format!("{place}: {test}"));
                }
            }
        }
    }
    (proofs, wrong)
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("it can be read").path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") && !path.ends_with("hostile/rows.rs")
        {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// What a source says of rows.
#[derive(Debug, Default, PartialEq)]
struct Found {
    /// Rows, and the test or the case that proves them.
    proofs: Vec<(Vec<usize>, String)>,
    /// Comments that name a row in another form, or where nothing is tested.
    in_vain: Vec<String>,
}

impl Found {
    fn in_source(text: &str) -> Self {
        let mut found = Self::default();
        // The rows of the doc comment that is read, its first line with one, and whether a test follows.
        let (mut rows, mut comment, mut is_test) = (Vec::new(), String::new(), false);
        let mut case = (Vec::new(), String::new());
        for line in text.lines().map(str::trim) {
            if let Some((_, said)) = line.split_once("//") {
                let named = line.strip_prefix("///").map(in_parentheses).unwrap_or_default();
                if mentions(said) > 0 && (named.is_empty() || mentions(said) > in_groups(said)) {
                    found.in_vain.push(line.to_owned());
                } else if !named.is_empty() {
                    line.clone_into(&mut comment);
                    rows.extend(named);
                }
            } else if line.starts_with("#[") {
                is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
            } else if let Some(name) = line.strip_prefix("name: \"") {
                name.trim_end_matches("\",").clone_into(&mut case.1);
            } else if let Some(named) = line.strip_prefix("rows: \"") {
                case.0 = numbers(named.trim_end_matches("\","));
            } else if is_base(line) {
                let case = std::mem::take(&mut case);
                found.proofs.extend((!case.0.is_empty()).then_some(case));
            } else if !rows.is_empty() {
                let name = line.split("fn ").nth(1).and_then(|rest| rest.split('(').next());
                match name.filter(|_| is_test) {
                    Some(name) => found.proofs.push((std::mem::take(&mut rows), name.to_owned())),
                    None => found.in_vain.push(std::mem::take(&mut comment)),
                }
                rows.clear();
                is_test = false;
            } else {
                is_test = false;
            }
        }
        found
    }
}

/// The end of a case: `..CASE`, or another that it is laid over.
fn is_base(line: &str) -> bool {
    line.strip_prefix("..").is_some_and(|base| base.chars().all(|c| c.is_ascii_uppercase()))
}

/// How many rows a comment names, in whatever form. Amazon's S3 is none.
fn mentions(comment: &str) -> usize {
    let words = comment.replace("Amazon S3", "");
    let words = words.split(|c: char| !c.is_alphanumeric());
    let is_number = |rest: &str| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit());
    words.filter(|word| word.strip_prefix('S').is_some_and(is_number)).count()
}

/// How many stand in groups that are understood.
fn in_groups(comment: &str) -> usize {
    groups(comment).filter(|group| !numbers(group).is_empty()).map(mentions).sum()
}

fn groups(comment: &str) -> impl Iterator<Item = &str> {
    comment.split('(').skip(1).filter_map(|rest| Some(rest.split_once(')')?.0))
}

/// The rows that stand in parentheses with nothing else: `(S1, S4–S6)`.
fn in_parentheses(comment: &str) -> Vec<usize> {
    groups(comment).flat_map(numbers).collect()
}

/// `S1, S4–S6` or `S1 S4`; nothing where anything else stands there.
fn numbers(text: &str) -> Vec<usize> {
    let mut rows = Vec::new();
    for part in text.split([',', ' ']).filter(|part| !part.is_empty()) {
        let mut ends = part.split('–').map(|end| end.strip_prefix('S')?.parse::<usize>().ok());
        let (Some(Some(first)), last) = (ends.next(), ends.next()) else { return Vec::new() };
        rows.extend(first..=last.flatten().unwrap_or(first));
    }
    rows
}

#[test]
fn a_row_is_proved_by_the_test_that_names_it_and_by_nothing_else() {
    let text = "/// Of Amazon S3, and (Seldom) of others (S28, S4–S6).\n#[test]\nfn a_b() {\n}\n/// Twice\n/// (S7).\n#[tokio::test(start_paused = true)]\n#[ignore]\nasync fn c() {}\nname: \"n\",\nrows: \"S2 S3\",\n..CASE\nname: \"m\",\nrows: \"S7\",\n..ALPN\n";
    let expected = [
        (vec![28, 4, 5, 6], "a_b".to_owned()),
        (vec![7], "c".to_owned()),
        (vec![2, 3], "n".to_owned()),
        (vec![7], "m".to_owned()),
    ];
    assert_eq!(Found::in_source(text), Found { proofs: expected.into(), in_vain: Vec::new() });
    for vain in [
        "//! All of it (S1).\n#[test]\nfn a() {\n",
        "/// S1.\n#[test]\nfn a() {\n",
        "/// S1: that.\n#[test]\nfn a() {\n",
        "/// This (S1) and S2.\n#[test]\nfn a() {\n",
        "/// This (S1 and S2).\n#[test]\nfn a() {\n",
        "/// This (S1).\nfn a() {\n",
        "/// This (S1).\n\n#[test]\nfn a() {\n",
        "let x = 1; // A row (S1).\n",
    ] {
        let found = Found::in_source(vain);
        assert!(found.proofs.is_empty() && found.in_vain.len() == 1, "{vain}: {found:?}");
    }
}

//! The rows of the safety page, and what proves each. A test proves a row by naming it in parentheses in
//! its own doc comment, `(S28, S30–S32)`, in the first lines of its file, where all its tests do, or as
//! the `rows` of a case. `cargo test` shows the whole table, `cargo test hostile::rows` nothing else.
//!
//! A row that is proved stays proved: [`ROWS`] says which those are, and the test fails where one of them
//! has lost its last test. What is open says why.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// How soon a row has to be held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Priority {
    /// Before anybody uses it.
    P0,
    /// Soon after.
    P1,
}
use Priority::{P0, P1};

/// What is known of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// A test proves it, and one always must.
    Proved,
    /// What it is about does not exist yet.
    Ahead,
}
use State::{Ahead, Proved};

/// Every row: its number is its place, counted from 1.
const ROWS: [(Priority, &str, State); 86] = [
    (P0, "a credential does not follow a redirect to another origin", Proved),
    (P0, "nor does any other header that holds a secret", Proved),
    (P0, "what was dropped on the way does not come back", Proved),
    (P0, "no body is sent again to another origin", Proved),
    (P0, "cookies keep to their scheme, and inline ones to their origin", Proved),
    (P0, "only http and https are followed, and not from https down with a secret", Proved),
    (P1, "a name and password in a redirect are ignored and hidden", Proved),
    (P0, "loops and chains of redirects end, and are told", Proved),
    (P1, "a broken place of a redirect is a named error", Proved),
    (P1, "nobody is told where a request came from", Proved),
    (P1, "a URL that a server chose gets no credentials", Proved),
    (P1, "no fragment on the wire, no secret of a query in a log", Proved),
    (P0, "no cookie for a whole public suffix", Proved),
    (P1, "prefixes and odd cookies", Proved),
    (P0, "a flood of cookies does not break later requests", Proved),
    (P1, "the file of the jar", Ahead),
    (P1, "no password from .netrc", Proved),
    (P1, "no cookie from trailers or interim answers", Proved),
    (P0, "a value is never a template", Proved),
    (P0, "a value is never a script", Proved),
    (P0, "a value cannot leave its place in JSON", Proved),
    (P0, "no line break in a header", Proved),
    (P0, "a value cannot leave its piece of a URL", Proved),
    (P1, "a value cannot leave its part of a form", Proved),
    (P1, "a method is a word", Proved),
    (P0, "a token from a server is checked before it is sent", Proved),
    (P1, "a printed token is safe in a shell", Proved),
    (P0, "a body that is decoded has a limit", Proved),
    (P0, "a body without end has a limit", Proved),
    (P0, "an answer that comes drop by drop has a limit", Proved),
    (P0, "headers have limits", Proved),
    (P0, "what is cut off is an error", Proved),
    (P1, "an answer out of frame does not become the next one", Proved),
    (P0, "resets, and connections that were closed meanwhile", Proved),
    (P1, "what is not HTTP is told as such", Proved),
    (P1, "JSON that is nested without measure", Proved),
    (P1, "odd JSON: digits, members twice, marks, UTF-16, nothing", Proved),
    (P0, "bodies that are no UTF-8", Proved),
    (P0, "a page in place of a token is told as such", Proved),
    (P0, "answers of a token that make no sense: its time waits for sessions", Ahead),
    (P0, "how long a server may let us wait", Proved),
    (P0, "a refusal is not asked again and again; a refresh will have to hold to it", Proved),
    (P1, "a slow answer against the lease of a lock", Ahead),
    (P0, "one search for secrets over all that is told", Proved),
    (P0, "secrets in other forms", Proved),
    (P0, "pieces of tokens", Proved),
    (P1, "secrets that are split or coloured", Proved),
    (P0, "a secret that the server repeats", Proved),
    (P0, "a secret that was learnt this moment", Proved),
    (P1, "secrets in arguments and in the environment of children", Proved),
    (P0, "modes of files that hold tokens", Ahead),
    (P0, "links and files of others", Ahead),
    (P0, "crashes and full disks", Ahead),
    (P0, "a name of a file does not leave its folder", Proved),
    (P1, "stores inside of a project", Ahead),
    (P0, "the proxy: rebinding of names", Ahead),
    (P0, "the proxy: requests of a browser", Ahead),
    (P0, "the proxy: where it listens", Ahead),
    (P0, "the proxy: to whom it leads", Ahead),
    (P0, "the proxy: credentials of its clients", Ahead),
    (P1, "the proxy: requests inside of requests", Ahead),
    (P1, "the proxy: what comes back", Ahead),
    (P0, "the proxy: many refreshes at once", Ahead),
    (P1, "the proxy: other users of the machine", Ahead),
    (P0, "the listener of a login", Ahead),
    (P1, "slow clients of proxy and listener", Ahead),
    (P0, "bombs of YAML", Proved),
    (P0, "scripts without end", Proved),
    (P0, "scripts that reach for what is not theirs", Proved),
    (P1, "what a pattern or a path may cost", Proved),
    (P1, "templates without end", Proved),
    (P1, "what a workflow of somebody else wants", Proved),
    (P1, "imports that go round, or come from a URL", Proved),
    (P0, "words that would steer a terminal", Proved),
    (P0, "a report in HTML runs nothing", Ahead),
    (P0, "a report in XML is XML", Ahead),
    (P1, "lines that steer a machine that builds", Proved),
    (P0, "certificates: expired, of others, of nobody known", Proved),
    (P1, "the client's certificate goes only to its server", Proved),
    (P0, "one refresh on a machine", Ahead),
    (P0, "one refresh on several machines", Ahead),
    (P0, "an answer that is lost after the token was changed", Ahead),
    (P0, "a holder of a lock that dies", Ahead),
    (P1, "tokens of another profile", Ahead),
    (P1, "clocks that jump", Ahead),
    (P1, "logging out", Ahead),
];

/// Where tests stand, and the tests of each row there.
type Proofs = BTreeMap<usize, Vec<String>>;

#[test]
fn every_row_has_a_test_or_says_why_not() {
    let proofs = proofs();
    let (mut table, mut wrong) = (String::new(), String::new());
    for (row, (priority, title, state)) in (1..).zip(ROWS) {
        let tests = proofs.get(&row).map(Vec::as_slice).unwrap_or_default();
        let word = match (state, tests) {
            (_, [_, ..]) => "proved",
            (Ahead, []) => "ahead ",
            (_, []) => "OPEN  ",
        };
        let _ = writeln!(table, "S{row:<3} {priority:?} {word} {title}");
        for test in tests {
            let _ = writeln!(table, "              {test}");
        }
        match (state, tests) {
            (Proved, []) => {
                let _ = writeln!(wrong, "S{row} ({title}): no test proves it any more");
            }
            (Ahead, [first, ..]) => {
                let _ = writeln!(wrong, "S{row} ({title}): `{first}` proves it: say `Proved` here");
            }
            _ => {}
        }
    }
    let ahead = ROWS.iter().filter(|(.., state)| *state == Ahead).count();
    let _ = writeln!(table, "{} rows are proved, {ahead} ahead", ROWS.len() - ahead);
    // What `println!` writes is kept back where a test passes.
    io::stdout().lock().write_all(format!("\n{table}").as_bytes()).expect("stdout takes it");
    assert!(wrong.is_empty(), "{wrong}\n{table}");
}

#[test]
fn no_proof_names_a_row_that_is_not_there() {
    let odd: Vec<_> = proofs().into_iter().filter(|(row, _)| *row == 0 || *row > ROWS.len()).collect();
    assert!(odd.is_empty(), "{odd:?}");
}

/// The tests that name a row, over the suite and the source.
fn proofs() -> Proofs {
    let mut proofs = Proofs::new();
    for folder in ["src", "tests/suite"] {
        for path in sources(Path::new(folder)) {
            let text = fs::read_to_string(&path).expect("a source");
            for (rows, test) in found_in(&text) {
                for row in rows {
                    let tests = proofs.entry(row).or_default();
                    let place = path.strip_prefix("tests/suite").unwrap_or(&path);
                    let proof = format!("{}: {test}", place.display());
                    if !tests.contains(&proof) {
                        tests.push(proof);
                    }
                }
            }
        }
    }
    proofs
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

/// What a source proves: rows, and the test or the case that does. What stands in a comment that no test
/// follows, and not in the first lines of a file with tests, proves nothing.
fn found_in(text: &str) -> Vec<(Vec<usize>, String)> {
    let mut found = Vec::new();
    let mut pending: Vec<usize> = Vec::new();
    let has_tests = text.contains("#[test]") || text.contains("#[tokio::test") || text.contains("proptest!");
    let (mut case, mut is_open) = ((Vec::new(), String::new()), false);
    for line in text.lines().map(str::trim) {
        if let Some(comment) = line.strip_prefix("//!") {
            if has_tests {
                let rows = in_parentheses(comment);
                found.extend((!rows.is_empty()).then(|| (rows, "the whole file".to_owned())));
            }
        } else if let Some(comment) = line.strip_prefix("///").or_else(|| line.strip_prefix("// ")) {
            pending.extend(in_parentheses(comment));
        } else if let Some(name) = line.strip_prefix("name: \"") {
            name.trim_end_matches("\",").clone_into(&mut case.1);
        } else if let Some(rows) = line.strip_prefix("rows: \"") {
            case.0 = numbers(rows.trim_end_matches("\","));
        } else if line.starts_with("open: Some(") {
            is_open = true;
        } else if line.strip_prefix("..").is_some_and(|base| base.chars().all(|c| c.is_ascii_uppercase())) {
            let case = std::mem::take(&mut case);
            found.extend((!std::mem::take(&mut is_open)).then_some(case));
        } else if let Some(name) = line.split("fn ").nth(1).and_then(|rest| rest.split('(').next()) {
            let rows = std::mem::take(&mut pending);
            found.extend((!rows.is_empty()).then(|| (rows, name.to_owned())));
        } else if line.is_empty() {
            pending.clear();
        }
    }
    found
}

/// The rows that stand in parentheses with nothing else: `(S1, S4–S6)`.
fn in_parentheses(text: &str) -> Vec<usize> {
    let groups = text.split('(').skip(1).filter_map(|rest| Some(rest.split_once(')')?.0));
    groups.filter(|group| group.starts_with('S')).flat_map(numbers).collect()
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
fn rows_are_found_in_comments_and_cases() {
    let text = "//! About (S1, S4–S6), and (Seldom).\n/// Of Amazon S3 (S28).\n#[test]\nfn a_b() {\n/// (S9)\n\nfn c() {}\nname: \"n\",\nrows: \"S2 S3\",\n..CASE\nname: \"m\",\nrows: \"S7\",\nopen: Some(\"x\"),\n..ALPN\n";
    let expected = [
        (vec![1, 4, 5, 6], "the whole file".to_owned()),
        (vec![28], "a_b".to_owned()),
        (vec![2, 3], "n".to_owned()),
    ];
    assert_eq!(found_in(text), expected);
}

//! The corpus: a workflow a file, and beside it what must be said of it.
//!
//! A mistake in `tests/cases/errors` has its exact message in a `.snap`, so that a change of words
//! is seen and read by somebody; a workflow in `tests/cases/good` loads without a word. Adding a
//! case is adding a file, and reading the snapshot that the next run writes.

use std::fs;
use std::path::{Path, PathBuf};

use reqchain::document::workflow::Workflow;
use reqchain::ground::diagnostic::Diagnostics;

/// The files of a folder of cases that end so, in order; paths are relative, so that messages are
/// the same on every machine.
fn cases(folder: &str, ending: &str) -> Vec<PathBuf> {
    let folder = Path::new("tests/cases").join(folder);
    let mut files: Vec<PathBuf> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("the folder can be read").path())
        .filter(|path| path.extension().is_some_and(|found| found == ending))
        .collect();
    files.sort();
    files
}

fn stem(path: &Path) -> String {
    path.file_stem().expect("a case has a name").to_string_lossy().into_owned()
}

#[test]
fn every_wrong_workflow_is_told_what_is_wrong_where_and_what_to_do() {
    let files = cases("errors", "yaml");
    assert!(files.len() >= 170, "only {} cases were found", files.len());
    let mut differ = Vec::new();
    for path in files {
        let Err(problems) = Workflow::load(&path) else {
            differ.push(format!("{} (it loads)", stem(&path)));
            continue;
        };
        let text = format!("{}\n", problems.render(false));
        if !is_as_approved("errors", &path, &text) {
            differ.push(stem(&path));
        }
    }
    assert!(differ.is_empty(), "these are told otherwise: {}", differ.join(", "));
}

/// Whether a case says what stands beside it; what differs is printed.
fn is_as_approved(folder: &str, case: &Path, text: &str) -> bool {
    std::panic::catch_unwind(|| {
        insta::with_settings!({
            snapshot_path => format!("../cases/{folder}"),
            prepend_module_to_snapshot => false,
            omit_expression => true,
        }, { insta::assert_snapshot!(stem(case), text) });
    })
    .is_ok()
}

#[test]
fn what_works_but_is_hardly_meant_is_worth_a_warning() {
    let mut differ = Vec::new();
    for path in cases("warnings", "yaml") {
        let workflow = Workflow::load(&path).unwrap_or_else(|problems| panic!("{problems}"));
        let text = format!("{}\n", workflow.warnings.render(false));
        if !is_as_approved("warnings", &path, &text) {
            differ.push(stem(&path));
        }
    }
    assert!(differ.is_empty(), "these are told otherwise: {}", differ.join(", "));
}

#[test]
fn every_message_has_a_place_and_its_mistakes_stand_in_the_order_of_the_text() {
    for path in cases("errors", "yaml") {
        let Err(Diagnostics(problems)) = Workflow::load(&path) else { continue };
        let own = problems.iter().filter_map(|problem| problem.place.as_ref());
        let own = own.filter(|place| place.source.path() == Some(&path));
        let starts: Vec<u32> = own.map(|place| place.span.start).collect();
        assert!(starts.is_sorted(), "{}: {starts:?}", path.display());
    }
}

#[test]
fn every_right_workflow_loads_without_a_word() {
    for path in cases("good", "yaml") {
        match Workflow::load(&path) {
            Ok(workflow) if workflow.warnings.0.is_empty() => {}
            Ok(workflow) => panic!("{}", workflow.warnings),
            Err(problems) => panic!("{problems}"),
        }
    }
}

#[test]
fn no_snapshot_is_left_without_its_case() {
    let known: Vec<String> = cases("errors", "yaml").iter().map(|path| stem(path)).collect();
    let lonely: Vec<String> = cases("errors", "snap").iter().map(|path| stem(path)).collect();
    assert_eq!(known, lonely, "a case and its snapshot have the same name");
}

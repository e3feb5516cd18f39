//! The shipped workflows: each loads without a word and passes under its own mock.

use std::fs;
use std::path::{Path, PathBuf};

use reqchain::document::workflow::Workflow;
use reqchain::services::runner::Runner;

fn workflows() -> Vec<PathBuf> {
    let folder = fs::read_dir("workflows").expect("workflows are shipped");
    let paths = folder.map(|entry| entry.expect("the folder can be read").path());
    let mut paths: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|ending| ending == "yaml")).collect();
    paths.sort();
    assert!(!paths.is_empty());
    paths
}

#[tokio::test]
async fn every_shipped_workflow_loads_without_a_word_and_passes_under_its_mock() {
    for path in workflows() {
        let workflow = Workflow::load(&path).unwrap_or_else(|problems| panic!("{problems}"));
        assert!(workflow.warnings.0.is_empty(), "{}", workflow.warnings);
        // Without an environment of its own, so that nobody's variables decide how it goes.
        let run = Runner::new(&workflow).environment([]).mock().run().await;
        let finished = run.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(finished.passed(), "{}: {:#?}", path.display(), finished.outcome);
    }
}

#[tokio::test]
async fn the_wildix_chain_yields_a_service_token() {
    let workflow =
        Workflow::load(Path::new("workflows/wildix.yaml")).unwrap_or_else(|problems| panic!("{problems}"));
    let finished = Runner::new(&workflow).environment([]).mock().run().await.expect("it runs");
    let token = finished.output("service_token").expect("it is an output");
    assert_eq!(token.split('.').count(), 3, "a JWT");
    assert_eq!(finished.output("expires_in").as_deref(), Some("3600"));
}

#[test]
fn the_wildix_chain_is_short_enough_to_be_read_at_a_glance() {
    let text = fs::read_to_string("workflows/wildix.yaml").expect("it is shipped");
    let lines = text.lines().filter(|line| !line.starts_with('#')).count();
    assert!(lines <= 42, "{lines} lines below its head");
}

//! What a panic tells: this program starts itself, since the hook holds for a whole process.

use std::process::Command;

use reqchain::cli::fault::guarded;

use crate::scenario::says;

const SECRET: &str = "hunter2-hunter2";

/// Where it broke, and no value (S44).
#[test]
fn a_panic_is_told_as_a_fault_of_ours_without_what_it_holds() {
    if let Ok(secret) = std::env::var("BREAK_WITH") {
        let exit = guarded(|| {
            let thread = std::thread::spawn({
                let secret = secret.clone();
                move || panic!("of a thread: {secret}")
            });
            assert!(thread.join().is_err());
            // What a value that is no number holds goes into the panic.
            let _: u8 = secret.parse().map_err(|_| secret).expect("a number");
            unreachable!()
        });
        std::process::exit(exit.code().into());
    }
    let mut this = Command::new(std::env::current_exe().expect("a program"));
    this.args(["--exact", "leaks::fault::a_panic_is_told_as_a_fault_of_ours_without_what_it_holds"]);
    this.arg("--nocapture").env("BREAK_WITH", SECRET).env("RUST_BACKTRACE", "full");
    let output = this.output().expect("it runs");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(3), "{err}");
    says(
        &err,
        &["error: reqchain 0.1.0 broke at tests/suite/leaks/fault.rs:", "a fault of its own", "report"],
    );
    // One for each of the two, and nothing else.
    assert_eq!((err.matches("error: ").count(), err.lines().count()), (2, 4), "{err}");
    assert!(!err.contains("hunter2") && !out.contains("hunter2"), "{err}\n{out}");
}

#[test]
fn the_command_is_guarded_from_its_first_line_on() {
    let main = include_str!("../../../src/main.rs");
    let body = main.split("fn main() -> ExitCode {").nth(1).expect("a main");
    assert!(body.trim_start().starts_with("cli::fault::guarded(|| cli::main("), "{body}");
}

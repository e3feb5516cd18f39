//! Every limit stops what it is for, and says so with its value and the line.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::parts::script::Phase;
use crate::parts::script::tests::{Stage, read, try_read, workflow};

#[track_caller]
fn stopped(script: &str, said: &str, line: usize) {
    let mut stage = Stage::new(Phase::Alone);
    // On a slow machine the clock would come first.
    stage.host.time = Some(Duration::from_mins(10));
    let error = stage.breaks(script);
    assert!(error.message.contains(said), "{script}: {}", error.message);
    let place = error.place.expect("it has a place");
    assert_eq!(place.position().line, line + 3, "{script}: {}", error.message);
}

#[test]
fn a_loop_is_stopped_by_the_number_of_operations() {
    stopped("let x = 0;\nloop { x += 1; }", "more than 5000000 operations", 2);
    stopped("try { loop { } } catch { loop { } }", "more than 5000000 operations", 1);
}

#[test]
fn the_clock_stops_what_is_slow() {
    let mut stage = Stage::new(Phase::Alone);
    stage.host.time = Some(Duration::ZERO);
    let error = stage.breaks("let x = 1;\nloop { x += 1; }");
    assert!(error.message.contains("ran longer than 0µs"), "{}", error.message);
    assert_eq!(error.place.expect("it has a place").position().line, 5);
}

#[test]
fn a_cancelled_run_ends_its_script() {
    let stage = Stage::new(Phase::Alone);
    stage.host.cancel.store(true, Ordering::Relaxed);
    let error = stage.breaks("try { loop { } } catch { }");
    assert!(error.message.contains("cancelled"), "{}", error.message);
}

#[test]
fn texts_and_lists_and_maps_stop_growing() {
    stopped("let s = \"x\";\nloop { s += s; }", "a text is larger than 4 MiB", 2);
    stopped("let s = [1];\nloop { s += s; }", "a list has more than 20000 elements", 2);
    stopped("let a = [];\n\na.pad(100000000, 1);", "a list has more than 20000 elements", 3);
    stopped("let s = \"\";\ns.pad(100000000, \"x\");", "a text is larger than 4 MiB", 2);
    stopped(
        "let m = #{};\nfor i in 0..30000 { m[`k${i}`] = i; }",
        "an object has more than 20000 elements",
        2,
    );
    stopped("let b = blob(100000000);", "a list has more than 20000 elements", 1);
}

#[test]
fn what_is_kept_in_objects_and_variables_is_weighed_too() {
    let fill = "let s = \"x\"; s.pad(4000000, \"x\");\nfor i in 0..200 { TARGET[`k${i}`] = s; }";
    let object = format!("let o = json::parse(\"{{}}\");{}", fill.replace("TARGET", "o"));
    stopped(&object, "the script wrote more than 256 MiB", 2);
    stopped(&fill.replace("TARGET", "vars"), "the script wrote more than 256 MiB", 2);
}

#[test]
fn recursion_is_stopped() {
    stopped("fn f(n) { f(n + 1) }\nf(0);", "deeper than 32 levels", 2);
}

#[test]
fn many_variables_are_stopped() {
    let lines: Vec<String> = (0..200).map(|i| format!("let v{i} = {i};\n")).collect();
    stopped(&lines.concat(), "more than 128 variables", 129);
}

#[test]
fn a_deep_expression_is_refused_when_it_is_read() {
    let script = format!("let x = {}1{};", "(".repeat(200), ")".repeat(200));
    let said = try_read(&workflow(&script)).expect_err("it is refused");
    assert!(said.contains("deeper than 64 levels"), "{said}");
}

/// What each thread of Tokio for blocking work has.
const STACK: usize = 2 * 1024 * 1024;

#[test]
fn nothing_that_the_limits_allow_overflows_the_stack() {
    let nested = |levels: usize| format!("{}n{}", "(1 + ".repeat(levels), ")".repeat(levels));
    let blocks = |levels: usize, inner: &str| {
        format!("{}{inner}{}", "if n >= 0 { ".repeat(levels), "}".repeat(levels))
    };
    let scripts = [
        format!("fn f(n) {{ f({}) }}\nf(0);", nested(10)),
        format!("fn f(n) {{ {} }}\nf(0);", blocks(6, "f(n + 1)")),
        "fn f(n) { [n].map(|x| f(x)) }\nf(0);".to_owned(),
        "let a = [];\nloop { a = [a]; }".to_owned(),
        "let a = #{};\nloop { a = #{ a: a }; }".to_owned(),
        "let a = json::parse(\"{}\");\nloop { let b = json::parse(\"{}\"); b.a = a; a = b; }".to_owned(),
        "fn f() { loop { this = [this]; } }\nlet a = [];\na.f();".to_owned(),
        "fn f() { loop { let x = this; this = || x; } }\nlet a = [];\na.f();".to_owned(),
        "let a = [];\nloop { a = [a]; if random::int(1, 500) == 1 { throw a; } }".to_owned(),
        "let f = || 1;\nloop { let g = f; f = || g.call(); }\n".to_owned(),
    ];
    for script in scripts {
        let compiled = read(&script);
        let mut host = Stage::new(Phase::Alone).host;
        host.time = Some(Duration::from_millis(300));
        let thread = std::thread::Builder::new().stack_size(STACK);
        let ran = thread.spawn(move || compiled.run(host)).expect("a thread starts");
        let ran = ran.join().expect("it ends in order");
        assert!(ran.ending.is_err(), "{script}");
    }
}

#[test]
fn a_long_text_is_read_without_an_overflow() {
    let many = |piece: &str| piece.repeat(20_000);
    for script in [
        format!("let x = 1{};", many(" + 1")),
        format!("let x = 1;\nx{};", many(".a")),
        format!("let x = 1;\nx{};", many("[0]")),
        format!("let x = {}1;", many("-")),
        format!("let x = {}true;", many("!")),
        format!("if true {{ }} {}", many("else if true { } ")),
        format!("let x = {}1;", many("|x| ")),
        format!("let x = true{};", many(" && true")),
        format!("let x = ();\nx{};", many(" ?? ()")),
        format!("let x = {}1;", many("if true { } else ")),
        format!("let x = {}1", many("[")),
        format!("let x = `{}", many("${`")),
        many("{"),
    ] {
        let text = workflow(&script);
        let thread = std::thread::Builder::new().stack_size(STACK);
        let read = thread.spawn(move || {
            if let Ok(script) = try_read(&text) {
                let _ = script.run(Stage::new(Phase::Alone).host);
            }
        });
        read.expect("a thread starts").join().expect("it ends in order");
    }
}

#[test]
fn a_script_sets_its_own_limits() {
    let with = |limits: &str, code: &str| {
        try_read(&format!("steps:\n  - before:\n      {limits}\n      code: |\n        {code}\n"))
    };
    let run = |limits: &str, code: &str| {
        let script = with(limits, code).expect("it compiles");
        script.run(Stage::new(Phase::Alone).host).ending.map_err(|error| error.message)
    };
    let count = "let x = 0; while x < 100 { x += 1; }";
    assert!(run("max_operations: 100000", count).is_ok());
    assert_eq!(run("max_operations: 50", count), Err("the script did more than 50 operations".to_owned()));
    let long = "let s = \"\"; s.pad(1024, \"x\");";
    assert!(run("max_text: 1KiB", long).is_ok());
    assert_eq!(run("max_text: 1023B", long), Err("a text is larger than 1023 bytes".to_owned()));
    let told = run("timeout: 1ms", "loop { }").expect_err("it does not end");
    assert!(told.contains("ran longer than 1ms"), "{told}");
    for (limits, said) in [
        ("max_operations: 0", "a whole number, 1 or more"),
        ("max_text: 65MiB", "between 1B and 64MiB"),
        ("timeout: soon", "`timeout`"),
        ("file: x.rhai", "cannot stand together"),
    ] {
        let told = with(limits, "print(1);").expect_err(limits);
        assert!(told.contains(said), "{limits}: {told}");
    }
}

//! What goes wrong in a closure that Rhai's library or ours calls goes wrong as everywhere, and what
//! it does is counted.

use std::any::TypeId;
use std::collections::BTreeSet;
use std::time::Duration;

use rhai::{Array, FnPtr, Map as RhaiMap};

use crate::parts::script::engine;
use crate::parts::script::limits::Limits;
use crate::parts::script::tests::{Stage, try_read};
use crate::parts::script::{Ending, Error, Phase, Ran};

/// Runs a script that may do so many operations.
fn run(operations: u64, code: &str) -> Ran {
    let lines: Vec<String> = code.lines().map(|line| format!("        {line}\n")).collect();
    let text =
        format!("steps:\n  - before:\n      max_operations: {operations}\n      code: |\n{}", lines.concat());
    let mut stage = Stage::new(Phase::Alone);
    // On a slow machine the clock would come first.
    stage.host.time = Some(Duration::from_mins(10));
    try_read(&text).expect("it compiles").run(stage.host)
}

/// Why it breaks, and in which of its lines.
#[track_caller]
fn breaks(operations: u64, code: &str) -> (Error, usize) {
    let error = run(operations, code).ending.expect_err(code);
    let line = error.place.as_ref().expect("it has a place").position().line;
    (error, line - 4)
}

/// Every function that takes a function, with a closure that ends the script: what it is called on,
/// its name, and how it is called.
const CALLS: &[(&str, &str, &str)] = &[
    ("list", "all", "all(F1)"),
    ("list", "dedup", "dedup(F2)"),
    ("list", "drain", "drain(F1)"),
    ("list", "filter", "filter(F1)"),
    ("list", "find", "find(F1)"),
    ("list", "find", "find(F1, 0)"),
    ("list", "find_map", "find_map(F1)"),
    ("list", "find_map", "find_map(F1, 0)"),
    ("list", "for_each", "for_each(F1)"),
    ("list", "index_of", "index_of(F1)"),
    ("list", "index_of", "index_of(F1, 0)"),
    ("list", "map", "map(F1)"),
    ("list", "order", "order(F2)"),
    ("list", "order_by", "order_by(F2)"),
    ("list", "reduce", "reduce(F2)"),
    ("list", "reduce", "reduce(F2, 0)"),
    ("list", "reduce_rev", "reduce_rev(F2)"),
    ("list", "reduce_rev", "reduce_rev(F2, 0)"),
    ("list", "retain", "retain(F1)"),
    ("list", "some", "some(F1)"),
    ("list", "sort", "sort(F2)"),
    ("list", "sort_by", "sort_by(F2)"),
    ("list", "zip", "zip([3, 4], F2)"),
    ("map", "drain", "drain(F2)"),
    ("map", "filter", "filter(F2)"),
    ("map", "map", "map(F2)"),
    ("map", "retain", "retain(F2)"),
];
/// The same for those that take its name.
const BY_NAME: &[&str] = &[
    "all(F1)",
    "dedup(F2)",
    "drain(F1)",
    "filter(F1)",
    "map(F1)",
    "reduce(F2)",
    "reduce(F2, 0)",
    "reduce_rev(F2)",
    "reduce_rev(F2, 0)",
    "retain(F1)",
    "some(F1)",
    "sort(F2)",
];
const ON: &str = "let list = [2, 1]; let map = #{ a: 1, b: 2 };";

#[track_caller]
fn ends(code: &str) {
    let ran = run(100_000, code);
    let ending = ran.ending.unwrap_or_else(|error| panic!("{code}: {}", error.message));
    assert_eq!(ending, Ending::Fail("x".to_owned()), "{code}");
    assert_eq!(ran.place.expect("it has a place").position().line, 5, "{code}");
}

#[test]
fn what_ends_a_script_ends_it_from_every_closure() {
    for (on, _, call) in CALLS {
        let call = call.replace("F1", "|x| fail(\"x\")").replace("F2", "|x, y| fail(\"x\")");
        ends(&format!("{ON} {on}.{call};"));
        ends(&format!("{ON} try {{ {on}.{call}; }} catch {{ }}"));
        ends(&format!("{ON} try {{ {on}.{call}; }} catch {{ throw \"other\"; }}"));
    }
    for call in BY_NAME {
        let call = call.replace("F1", "\"one\"").replace("F2", "\"two\"");
        let functions = "fn one(x) { fail(\"x\") } fn two(x, y) { fail(\"x\") }";
        ends(&format!("{functions} {ON} list.{call};"));
    }
    ends("let f = |x| fail(\"x\"); f.call(1);");
    ends("let o = #{ f: |x| fail(\"x\") }; o.f(1);");
}

#[test]
fn an_error_and_a_loop_without_end_in_a_closure_end_the_script_too() {
    for (on, _, call) in CALLS {
        let with = |body: &str| {
            let call = call.replace("F1", &format!("|x| {{\n{body} }}"));
            format!("{ON} {on}.{};", call.replace("F2", &format!("|x, y| {{\n{body} }}")))
        };
        let (error, line) = breaks(100_000, &with("throw \"y\";"));
        assert_eq!((error.message.as_str(), line), ("y", 2), "{call}");
        let (error, _) = breaks(1000, &with("loop { }"));
        assert_eq!(error.message, "the script did more than 1000 operations", "{call}");
    }
}

/// The functions of the library that take one are those of the table.
#[test]
fn no_function_that_takes_one_is_forgotten() {
    let engine = engine::limited(&Limits::default());
    let library = engine.collect_fn_metadata(
        None,
        |function| {
            let metadata = function.metadata;
            let behind = metadata.param_types.get(1..)?;
            behind
                .contains(&TypeId::of::<FnPtr>())
                .then(|| (metadata.param_types[0], metadata.name.to_string()))
        },
        true,
    );
    let kind = |on| if on == "list" { TypeId::of::<Array>() } else { TypeId::of::<RhaiMap>() };
    let known: BTreeSet<_> = CALLS.iter().map(|(on, name, _)| (kind(*on), (*name).to_owned())).collect();
    let library: BTreeSet<_> = library.into_iter().collect();
    assert_eq!(library, known);
}

#[test]
fn what_closures_do_is_counted_as_a_whole() {
    let each = "let a = [];\na.pad(100, 1);\na.for_each(|x| {\nlet b = []; b.pad(100, 1);\nb.CALL; });";
    for call in ["for_each(|y| y + 1)", "map(|y| y + 1)", "sort(|x, y| x - y)", "dedup(|x, y| x < y)"] {
        let code = each.replace("CALL", call);
        assert!(run(1_000_000, &code).ending.is_ok(), "{call}");
        let (error, _) = breaks(10_000, &code);
        assert_eq!(error.message, "the script did more than 10000 operations", "{call}");
    }
    // The clock is asked, too, though none of the closures does much.
    let mut stage = Stage::new(Phase::Alone);
    stage.host.time = Some(Duration::ZERO);
    let error = stage.breaks(&each.replace("CALL", "for_each(|y| 1)"));
    assert!(error.message.contains("ran longer"), "{}", error.message);
}

#[test]
fn a_sort_inside_of_a_sort_ends_at_its_line() {
    let code =
        "let a = [];\na.pad(200, 1);\na.sort(|x, y| {\nlet b = [2, 1];\nb.sort(|x, y| loop { });\n0 });";
    let (error, line) = breaks(5000, code);
    assert_eq!((error.message.as_str(), line), ("the script did more than 5000 operations", 3));
}

/// Scripts of a list each, of whose functions some are Rhai's and some ours.
const ORDINARY: &[&str] = &[
    "let a = [3, 1, 2]; a.sort(); a",
    "let a = [3, 1, 2]; a.sort(|x, y| y - x); a",
    "let a = [3, 1, 2, 1]; a.sort_by(|x, y| x < y); a",
    "let a = [3, 1, 2]; a.sort(|x, y| x <= y); a",
    "let a = [\"b\", \"C\", \"a\"]; a.sort(|x, y| x.to_lower() < y.to_lower()); a",
    "fn less(x, y) { x - y } let a = [3, 1, 2]; a.sort(\"less\"); a",
    "fn less(x, y) { x - y } let a = [3, 1, 2]; a.sort(Fn(\"less\")); a",
    "let sign = -1; let a = [3, 1, 2]; a.sort(|x, y| sign * (x - y)); a",
    "let a = [3, 1, 2]; [a.order(|x, y| x - y), a.order_by(|x, y| y - x), a]",
    "let a = []; a.sort(|x, y| throw 1); a.dedup(|x, y| throw 1); a",
    "let a = [1]; a.sort(|x, y| throw 1); a.dedup(|x, y| throw 1); a",
    "let a = []; for i in 0..1000 { a.push([i * 7919 % 31, i]); } a.sort(|x, y| x[0] - y[0]); a",
    "let a = []; for i in 0..1000 { a.push([i * 7919 % 31, i]); } a.sort(|x, y| x[0] < y[0]); a",
    "let a = []; for i in 0..333 { a.push(333 - i); } a.sort(|x, y| x - y); a",
    "let a = [1, 1, 2, 1, 1.0, \"1\", \"1\", [1], [1], #{ a: 1 }, #{ a: 1 }, (), ()]; a.dedup(); a",
    "let f = || 1; let a = [f, f, 1, 1]; a.dedup(); [a.len()]",
    "let a = [1, 2, 2, 2, 3, 1, 2, 3, 4, 3, 3, 2, 1]; a.dedup(|x, y| x >= y); a",
    "fn same(x, y) { x % 2 == y % 2 } let a = [1, 3, 2, 4, 5]; a.dedup(\"same\"); a",
    "let o = #{ l: [2, 1] }; o.l.sort(|x, y| x - y); o.l",
];

#[test]
fn what_is_sorted_is_what_rhai_sorts() {
    for script in ORDINARY {
        let ours = engine::limited(&Limits::default()).eval::<Array>(script).expect(script);
        let theirs = rhai::Engine::new().eval::<Array>(script).expect(script);
        assert_eq!(format!("{ours:?}"), format!("{theirs:?}"), "{script}");
    }
}

#[test]
fn what_has_the_same_rank_stays_in_order() {
    let stage = Stage::new(Phase::Alone);
    let list = "let a = [[2, 1], [1, 2], [2, 3], [1, 4], [1, 5], [2, 6]];";
    for order in ["x[0] - y[0]", "x[0] < y[0]", "x[0] <= y[0]", "(x[0] - y[0]) / 10.0"] {
        let script = format!("{list} a.sort(|x, y| {order}); print(a.map(|x| x[1]));");
        assert_eq!(stage.prints(&script), "[2, 4, 5, 1, 3, 6]", "{order}");
    }
}

#[test]
fn a_list_whose_order_broke_is_what_it_was() {
    let stage = Stage::new(Phase::Alone);
    for call in ["sort(F)", "order(F)", "dedup(F)"] {
        let call = call.replace('F', "|x, y| if x + y == 3 { throw \"no\" } else { x == y }");
        let script =
            format!("let a = [4, 4, 3, 2, 1]; try {{ a.{call}; }} catch (e) {{ print(e); }} print(a);");
        assert_eq!(stage.prints(&script), "no\n[4, 4, 3, 2, 1]", "{call}");
    }
    // No order is one: it comes to an end.
    assert_eq!(stage.prints("let a = [2, 1]; a.sort(|x, y| -1); print(a.len());"), "2");
}

#[test]
fn a_function_that_gives_no_order_is_told() {
    for (call, said, help) in [
        ("sort(|x| 1)", "`sort` takes a function of two elements", "below, at or above 0"),
        ("order_by(|x, y| \"a\")", "the function of `order_by` must not return a text", "|a, b| a.id - b.id"),
        ("sort_by(|x, y| { })", "must not return nothing", "|a, b| a.id - b.id"),
        (
            "dedup(|x, y| 1)",
            "the function of `dedup` must not return an integer",
            "whether both are the same",
        ),
        ("dedup(\"nobody\")", "`dedup` takes a function of two elements", ""),
    ] {
        let (error, line) = breaks(1000, &format!("let a = [2, 1];\na.{call};"));
        assert!(error.message.contains(said), "{call}: {}", error.message);
        assert!(error.help.expect("it has help").contains(help), "{call}");
        assert_eq!(line, 2, "{call}");
    }
}

//! What is wrong with a script for certain is told when it is read, and nothing else is.

use crate::parts::script::tests::{read, try_read, try_read_for, workflow};
use crate::parts::script::{Phase, Script};

#[test]
fn what_a_script_may_do_is_not_refused() {
    for script in [
        "let f = |x| x + 1; print(f.call(1)); [1].map(f);",
        "fn add(a, b) { a + b } fn one() { add(1, 0) } print(one()); 5.add_to(1); fn add_to(n) { this + n }",
        "let o = #{ run: |x| x }; o.run(1); o.other = || 1; o.other();",
        "let a = [3, 1]; a.push(2); a.sort(); print(a.len()); a.filter(|x| x > 1).reduce(|s, x| s + x, 0);",
        "let s = \"a,b\"; s.split(\",\").for_each(|x| print(x)); print(s.to_upper().contains(\"A\") && s.len == 3);",
        "let f = Fn(\"hash::md5\"); print(type_of(f)); print(is_def_fn(\"x\", 1));",
        "for (x, i) in [1, 2] { print(x + i); } try { throw 1; } catch (e) { print(e); }",
        "let t = timestamp(); print(t.elapsed); print(4.0.floor().to_int()); print(parse_int(\"7\") ?? 1);",
        "switch 1 { 1 => print(1), _ => print(2) } let x = if true { 1 } else { 2 }; print(`${x}`);",
        "let m = json::parse(\"{}\"); m.a = 1; print(m.keys()); print(m.contains(\"a\")); m.remove(\"a\"); m.len();",
        "request.headers.remove(\"A\"); print(request.query.keys()); if vars.has(\"x\") { vars.remove(\"x\"); }",
        "let steps_seen = steps.contains(\"a\"); print(steps_seen);",
        "let response = 1; print(response); let g = || response; [1].map(|request| request);",
        "check(\"a\", true); let s = secret(\"abcdefgh\"); reveal(s); if false { fail(\"x\") } skip();",
        "let b = random::bytes(4); b.len(); print(b); let r = 0..3; print(r.contains(1)); print(range(0, 3).start);",
    ] {
        if let Err(said) = try_read_for(&workflow(script), Some(Phase::Before)) {
            panic!("{script}: {said}");
        }
    }
}

#[test]
fn what_is_not_there_is_told_with_what_was_meant() {
    for (script, said) in [
        ("foo(1);", "there is no function `foo`"),
        ("chek(\"a\", true);", "did you mean `check`?"),
        ("sha256(\"x\");", "write hash::sha256(…)"),
        ("hmac::sha256(\"k\");", "`hmac::sha256` takes 2 arguments, not 1"),
        ("check(\"a\");", "`check` takes 2 arguments, not 1"),
        ("fn f(a) { a } f();", "`f` takes 1 argument, not 0"),
        ("let a = [1]; a.includes(1);", "the word for it here is `contains`"),
        ("let a = [1]; a.psh(1);", "did you mean `push`?"),
        ("let s = \"a\"; s.contains();", "`contains` takes"),
        ("sleep(1);", "waiting is the step's"),
        ("vars.get(\"x\");", "write `vars.x`"),
        ("http::post(\"https://a.example\");", "method: \"POST\""),
        ("let x = {a: 1};", "an object is written #{ a: 1 }"),
        ("let x = http.get(1);", "it is a module"),
    ] {
        let told = try_read(&workflow(script)).expect_err(script);
        assert!(told.contains(said) && told.contains("flow.yaml:4:"), "{script}: {told}");
    }
}

#[test]
fn a_member_that_a_request_does_not_have_is_told_before_anything_is_sent() {
    let told = try_read_for(&workflow("request.header[\"a\"] = \"b\";"), Some(Phase::Before));
    assert!(told.is_err_and(|told| told.contains("the word for it here is `headers`")));
}

#[test]
fn what_follows_an_unknown_name_in_its_line_is_not_told_too() {
    let told = try_read(&workflow("JSON.parse(\"1\");")).expect_err("it is wrong");
    assert_eq!(told.matches("error:").count(), 1, "{told}");
}

#[test]
fn every_mistake_of_a_script_is_told() {
    let told =
        try_read(&workflow("let a = one;\nlet b = two;\nfoo(a);\nhash::nope(b);\nb.bar();\nnon::x();\n"))
            .expect_err("it is wrong");
    for (said, line) in
        [("`one`", 4), ("`two`", 5), ("`foo`", 6), ("`hash::nope`", 7), ("`bar`", 8), ("`non`", 9)]
    {
        assert!(told.contains(said) && told.contains(&format!("flow.yaml:{line}:")), "{said}: {told}");
    }
}

#[test]
fn what_a_phase_does_not_have_is_told() {
    for (phase, script) in [
        (Phase::Before, "print(response.status);"),
        (Phase::After, "request.url = \"x\";"),
        (Phase::Alone, "fn f() { request.url } f();"),
        (Phase::Alone, "[1].map(|x| response.status);"),
        (Phase::Mock, "vars.x"),
        (Phase::Mock, "skip();"),
        (Phase::Mock, "http::get(\"https://a.b\");"),
    ] {
        let told = try_read_for(&workflow(script), Some(phase)).expect_err(script);
        assert!(told.contains("there is no `"), "{script}: {told}");
    }
}

fn names(found: &[(std::sync::Arc<str>, crate::ground::source::Span)]) -> Vec<&str> {
    found.iter().map(|(name, _)| &**name).collect()
}

#[test]
fn a_script_tells_what_it_reads_and_sets_and_where_it_leads() {
    let script: Script = read(
        "vars.a = vars.b + vars[\"c-d\"].x[0];\nvars.e += 1;\nvars[\"f\"] = 1;\nvars.g.h = 1;\n\
         if vars.has(\"i\") { print(vars.i); }\nlet s = steps.one.status + steps[\"two\"].status;\n\
         [1].map(|x| vars.j + x);\nif false { next(\"three\"); }\nif false { stop(); }",
    );
    assert_eq!(names(&script.reads()), ["b", "c-d", "e", "g", "j"]);
    assert_eq!(script.assigns(), ["a", "e", "f"]);
    assert_eq!(names(&script.steps_read()), ["one", "two"]);
    assert_eq!(names(&script.jumps()), ["three"]);
    assert!(script.says_stop() && script.mentions_steps() && !script.reads_all());
    for all in ["let n = \"a\"; print(vars[n]);", "let v = vars; print(v.a);", "fn f(v) { v.a } f(vars);"] {
        assert!(read(all).reads_all(), "{all}");
    }
    assert!(!read("print(1);").says_stop());
}

//! A mistake stands where the user wrote it, and a habit from elsewhere gets its Rhai way.

use std::fs;

use crate::ground::read::Reading;
use crate::ground::source::Source;
use crate::ground::yaml;
use crate::parts::script::tests::{Stage, try_read, workflow};
use crate::parts::script::{Phase, Script};

#[test]
fn syntax_errors_stand_in_the_lines_of_the_yaml() {
    let said = try_read(&workflow("let x = 1;\nlet y = ;\n")).expect_err("it is refused");
    assert!(said.contains("flow.yaml:5:15"), "{said}");
    let said = try_read("steps:\n  - before: 'let u = `ü`; let y = ;'\n").expect_err("it is refused");
    assert!(said.contains("flow.yaml:2:35"), "{said}");
    let said =
        try_read("steps:\n  - before: >\n      let x = ;\n\n      let z = 1;\n").expect_err("it is refused");
    assert!(said.contains("flow.yaml:3:15"), "{said}");
}

#[test]
fn errors_while_running_stand_at_their_cause() {
    let stage = Stage::new(Phase::Alone);
    for (script, line, column) in [
        ("\n\nlet x = 1;\nvars.none;", 7, 12),
        ("fn f() {\n  throw \"x\";\n}\n\nf();", 5, 9),
        ("let u = \"ä\"; u.crop(\"x\");", 4, 22),
        ("[1, 2].map(|x|\n  base64::encode(x));", 5, 17),
    ] {
        let error = stage.breaks(script);
        let place = error.place.expect("it has a place");
        let at = place.position();
        assert_eq!((at.line, at.column), (line, column), "{script}: {}", error.message);
    }
}

#[test]
fn habits_from_elsewhere_get_their_rhai_way() {
    for (script, help) in [
        ("if 1 === 1 { }", "write `==`"),
        ("if 1 !== 1 { }", "write `!=`"),
        ("var x = 1;", "write `let`"),
        ("function f() { }", "write `fn name(x) { … }`"),
        ("let x = true ? 1 : 2;", "if a { b } else { c }"),
        ("let x = 'abc';", "double quotes"),
        ("let x = null;", "written `()`"),
        ("let x = undefined;", "written `()`"),
        ("let i = 0; i++;", "write `i += 1`"),
        ("for (let i = 0; i < 3; i += 1) { }", "for x in list"),
        ("let f = x => x;", "|x| x + 1"),
        ("let d = new Date();", "#{ a: 1 }"),
        ("pm.environment.set(\"a\", 1);", "`vars.name`"),
        ("console.log(\"a\");", "print(x)"),
        ("let x = JSON.parse(\"1\");", "json::parse"),
        ("eval(\"1\");", "never runs a text"),
        ("let x = respose.status;", "did you mean `response`?"),
        ("print(token);", "vars.token"),
        ("bas64::encode(\"x\");", "did you mean `base64`?"),
        ("let f = || hmac::sha265(\"k\", \"t\");", "did you mean `sha256`?"),
        ("import \"x\" as x;", "scripts/x.rhai"),
        ("vars.x = response.json.default;", "[\"default\"]"),
    ] {
        let said = try_read(&workflow(script)).expect_err("it is refused");
        assert!(said.contains(help), "{script}: {said}");
        assert!(said.contains("flow.yaml:4:"), "{script}: {said}");
    }
}

fn in_file(folder: &std::path::Path, flow: &str) -> (Option<Script>, String) {
    let source = Source::file(&folder.join("flow.yaml"), flow);
    let root = yaml::read(&source).expect("the test's YAML is right");
    let reading = Reading::new(&source);
    let script = Script::read(root.get("before").expect("it is there"), &reading, Phase::Before);
    (script, reading.finish().render(false))
}

#[test]
fn a_file_s_mistakes_stand_in_the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("scripts")).expect("a folder");
    fs::write(folder.path().join("scripts/sign.rhai"), "let x = 1;\nlet y = x +;\n").expect("a file");
    let (script, said) = in_file(folder.path(), "before: { file: scripts/sign.rhai }\n");
    assert!(script.is_none());
    assert!(said.contains("scripts/sign.rhai:2:12"), "{said}");
    fs::write(folder.path().join("scripts/sign.rhai"), "let x = 1;\n  vars.none;\n").expect("a file");
    let (script, _) = in_file(folder.path(), "before: { file: scripts/sign.rhai }\n");
    let ran = script.expect("it compiles").run(Stage::new(Phase::Alone).host);
    let place = ran.ending.expect_err("it breaks").place.expect("it has a place");
    assert!(place.source.name().ends_with("scripts/sign.rhai"));
    assert_eq!(place.position().line, 2);
}

#[test]
fn a_file_outside_the_project_is_not_read() {
    let outer = tempfile::tempdir().expect("a folder");
    let project = outer.path().join("project");
    fs::create_dir_all(project.join("workflows/deep")).expect("a folder");
    fs::write(outer.path().join("out.rhai"), "").expect("a file");
    fs::write(project.join("in.rhai"), "print(1);").expect("a file");
    fs::write(project.join("large.rhai"), " ".repeat(300 * 1024)).expect("a file");
    #[cfg(unix)]
    std::os::unix::fs::symlink(outer.path().join("out.rhai"), project.join("link.rhai")).expect("a link");
    let folder = project.join("workflows/deep");
    let (script, said) = in_file(&folder, "before: { file: ../../in.rhai }\n");
    assert!(script.is_some(), "{said}");
    for (path, message) in [
        ("../../../out.rhai", "outside the project"),
        ("/etc/passwd", "absolute path"),
        ("../..", "not a file"),
        ("none.rhai", "no such file"),
        ("../../large.rhai", "larger than 256 KiB"),
        #[cfg(unix)]
        ("../../link.rhai", "outside the project"),
    ] {
        let (script, said) = in_file(&folder, &format!("before: {{ file: {path} }}\n"));
        assert!(script.is_none() && said.contains(message), "{path}: {said}");
    }
}

#[test]
fn a_misspelt_file_is_told_once() {
    let problems = try_read("steps:\n  - before: { fil: a.rhai }\n").expect_err("no file");
    assert!(problems.contains("unknown key `fil`"), "{problems}");
    assert!(!problems.contains("needs"), "{problems}");
}

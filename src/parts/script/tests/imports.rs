//! Modules come from `scripts/` and nowhere else, and their mistakes stand in their own text.

use std::fs;
use std::path::Path;

use crate::ground::read::Reading;
use crate::ground::source::Source;
use crate::ground::yaml;
use crate::parts::script::tests::Stage;
use crate::parts::script::{Ending, Phase, Script};

fn write(folder: &Path, path: &str, text: &str) {
    let file = folder.join(path);
    fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
    fs::write(file, text).expect("a file");
}

/// The script of a workflow in `workflows/deep`, or what was reported.
fn compile(project: &Path, script: &str) -> Result<Script, String> {
    let folder = project.join("workflows/deep");
    fs::create_dir_all(&folder).expect("a folder");
    let lines: Vec<String> = script.lines().map(|line| format!("  {line}\n")).collect();
    let source = Source::file(&folder.join("flow.yaml"), format!("script: |\n{}", lines.concat()));
    let root = yaml::read(&source).expect("the test's YAML is right");
    let reading = Reading::new(&source);
    let script = Script::read(root.get("script").expect("it is there"), &reading, Phase::Alone);
    script.ok_or_else(|| reading.finish().render(false))
}

#[test]
fn a_module_sees_what_its_script_sees() {
    let project = tempfile::tempdir().expect("a folder");
    write(
        project.path(),
        "scripts/sign.rhai",
        "import \"auth/key\" as key;\nconst N = 1;\nfn sign(x) { vars.seen = key::of(x); hash::md5(x) }",
    );
    write(project.path(), "scripts/auth/key.rhai", "fn of(x) { x + vars.key }");
    write(project.path(), "workflows/deep/scripts/near.rhai", "fn here() { \"near\" }");
    write(project.path(), "scripts/near.rhai", "fn here() { \"far\" }");
    let script = compile(
        project.path(),
        "import \"sign\" as sign;\nimport \"near\" as near;\nfn f() { sign::sign(\"abc\") }\nvars.out = f() + near::here();",
    );
    let stage = Stage::new(Phase::Alone).with_var("key", "\"k\"");
    let script = script.expect("it compiles");
    assert!(script.reads_all() && script.assigns().contains(&"seen"));
    let ran = script.run(stage.host.clone());
    assert_eq!(ran.ending.expect("it runs"), Ending::Done);
    assert_eq!(stage.var("seen").value.to_text(), "abck");
    assert_eq!(stage.var("out").value.to_text(), "900150983cd24fb0d6963f7d28e17f72near");
}

/// Imports stay in their folder (S54, S73).
#[test]
fn nothing_outside_of_scripts_is_imported() {
    let outer = tempfile::tempdir().expect("a folder");
    let project = outer.path().join("project");
    write(outer.path(), "scripts/out.rhai", "fn f() { 1 }");
    write(&project, "secret.rhai", "fn f() { 1 }");
    write(&project, "scripts/large.rhai", &" ".repeat(300 * 1024));
    write(&project, "scripts/sign.rhai", "fn f() { 1 }");
    fs::create_dir_all(project.join("scripts/folder.rhai")).expect("a folder");
    #[cfg(unix)]
    std::os::unix::fs::symlink(project.join("secret.rhai"), project.join("scripts/link.rhai"))
        .expect("a link");
    for (import, said) in [
        ("import \"../secret\" as s;", "leads out of `scripts/`"),
        ("import \"/etc/passwd\" as s;", "leads out of `scripts/`"),
        ("import \"out\" as s;", "there is no module `out`"),
        ("import \"sing\" as s;", "did you mean `sign`?"),
        ("import \"sign.rhai\" as s;", "write import \"sign\""),
        ("import \"large\" as s;", "larger than 256 KiB"),
        ("import \"folder\" as s;", "is a folder, not a file"),
        ("import \"si\" + \"gn\" as s;", "takes a text that stands there"),
        #[cfg(unix)]
        ("import \"link\" as s;", "a link that leads out of `scripts/`"),
    ] {
        let told = compile(&project, import).expect_err(import);
        assert!(told.contains(said) && told.contains("flow.yaml:2:"), "{import}: {told}");
    }
}

#[test]
fn a_circle_is_told_with_its_chain() {
    let project = tempfile::tempdir().expect("a folder");
    write(project.path(), "scripts/a.rhai", "import \"b\" as b;");
    write(project.path(), "scripts/b.rhai", "import \"a\" as a;");
    let told = compile(project.path(), "import \"a\" as a;").expect_err("a circle");
    assert!(told.contains("a → b → a") && told.contains("b.rhai:1:"), "{told}");
}

#[test]
fn a_mistake_of_a_module_stands_in_its_own_text() {
    let project = tempfile::tempdir().expect("a folder");
    write(project.path(), "scripts/bad.rhai", "fn f() {\n  nobody(1)\n}");
    let told = compile(project.path(), "import \"bad\" as bad;\nbad::f();").expect_err("it is wrong");
    assert!(told.contains("scripts/bad.rhai:2:3"), "{told}");
    write(
        project.path(),
        "scripts/late.rhai",
        "fn f() {\n\n  throw \"late\"\n}\nfn g() { check(\"c\", false); }",
    );
    let script = compile(project.path(), "import \"late\" as late;\n\n\nlate::g();\nlate::f();");
    let ran = script.expect("it compiles").run(Stage::new(Phase::Alone).host);
    let place = ran.ending.expect_err("it breaks").place.expect("it has a place");
    assert!(place.source.name().ends_with("scripts/late.rhai"), "{}", place.source.name());
    assert_eq!(place.position().line, 3);
    let checked = ran.checks[0].place.as_ref().expect("it has a place");
    assert!(checked.source.name().ends_with("scripts/late.rhai"));
    let told = compile(project.path(), "import \"late\" as late;\nlate::h(); late::f(1);").expect_err("no h");
    assert!(told.contains("there is no function `h` in the module `late`"), "{told}");
    assert!(told.contains("`late::f` takes 0 arguments, not 1"), "{told}");
}

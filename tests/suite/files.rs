//! Files that a workflow names, each with all that may be wrong with it: gone, a folder, a pipe that
//! nobody writes to, unreadable, too large, empty, not text, outside the project. And the tables of
//! `--data`. It is always an error before anything is sent, and none of them is waited for.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

use crate::scenario::{Called, Cli, says};

/// What trust changes for a file outside the project.
#[derive(Clone, Copy, PartialEq)]
enum Outside {
    /// It is refused without `--trust`.
    Trusted,
    /// It is refused all the same: modules lie in `scripts/`.
    Never,
    /// The caller names it, and nobody else.
    Free,
}

/// A key that names a file.
struct Named {
    key: &'static str,
    /// The workflow.
    flow: &'static str,
    /// What stands behind `run flow.yaml`.
    words: &'static str,
    /// Where the file lies.
    file: &'static str,
    /// The place of the message.
    place: &'static str,
    outside: Outside,
    /// How large it may be.
    most: u64,
    /// What is said where it is not text; empty where it may be anything.
    not_text: &'static str,
    /// What is said where it is empty; empty where that is fine.
    empty: &'static str,
}

const KIB: u64 = 1024;
const MIB: u64 = 1024 * 1024;

const NAMED: &[Named] = &[
    Named {
        key: "an input",
        flow: "inputs: { x: { file: given.txt } }\nsteps:\n  - script: vars.y = vars.x;\n",
        words: "",
        file: "given.txt",
        place: "flow.yaml:1:",
        outside: Outside::Trusted,
        most: MIB,
        not_text: "not UTF-8",
        empty: "",
    },
    Named {
        key: "an input of rows",
        flow: "inputs: { x: { type: csv, file: rows.csv } }\nsteps:\n  - script: vars.y = vars.x;\n",
        words: "",
        file: "rows.csv",
        place: "flow.yaml:1:",
        outside: Outside::Trusted,
        most: MIB,
        not_text: "not UTF-8",
        empty: "is empty",
    },
    Named {
        key: "an entry of an environment",
        flow: "inputs: { x: { required: true } }\nsteps:\n  - script: vars.y = vars.x;\n",
        words: "--env e",
        file: "environments/value.txt",
        place: "",
        outside: Outside::Trusted,
        most: MIB,
        not_text: "not UTF-8",
        empty: "",
    },
    Named {
        key: "an environment",
        flow: "steps:\n  - script: 1\n",
        words: "--env f",
        file: "environments/f.yaml",
        place: "",
        outside: Outside::Trusted,
        most: MIB,
        not_text: "not UTF-8",
        empty: "is empty",
    },
    Named {
        key: "a workflow itself",
        flow: "steps:\n  - script: 1\n",
        words: "other.yaml",
        file: "other.yaml",
        place: "",
        outside: Outside::Free,
        most: MIB,
        not_text: "not UTF-8",
        empty: "is empty",
    },
    Named {
        key: "uses",
        flow: "steps:\n  - uses: ./used.yaml\n",
        words: "",
        file: "used.yaml",
        place: "flow.yaml:2:11",
        outside: Outside::Trusted,
        most: MIB,
        not_text: "not UTF-8",
        empty: "is empty",
    },
    Named {
        key: "mock",
        flow: "mock: mocks/m.yaml\nsteps:\n  - script: 1\n",
        words: "--mock",
        file: "mocks/m.yaml",
        place: "",
        outside: Outside::Trusted,
        most: MIB,
        not_text: "not UTF-8",
        empty: "is empty",
    },
    Named {
        key: "script",
        flow: "steps:\n  - script: { file: a.rhai }\n",
        words: "",
        file: "a.rhai",
        place: "flow.yaml:2:21",
        outside: Outside::Trusted,
        most: 256 * KIB,
        not_text: "not UTF-8",
        empty: "",
    },
    Named {
        key: "before",
        flow: "steps:\n  - before: { file: a.rhai }\n    request: https://127.0.0.1:9/\n",
        words: "",
        file: "a.rhai",
        place: "flow.yaml:2:21",
        outside: Outside::Trusted,
        most: 256 * KIB,
        not_text: "not UTF-8",
        empty: "",
    },
    Named {
        key: "import",
        flow: "steps:\n  - script: 'import \"m\" as m;'\n",
        words: "",
        file: "scripts/m.rhai",
        place: "flow.yaml:2:",
        outside: Outside::Never,
        most: 256 * KIB,
        not_text: "not UTF-8",
        empty: "",
    },
    Named {
        key: "file",
        flow: "steps:\n  - request: { url: 'https://127.0.0.1:9/', file: a.bin }\n",
        words: "",
        file: "a.bin",
        place: "flow.yaml:2:51",
        outside: Outside::Trusted,
        most: 256 * MIB,
        not_text: "",
        empty: "",
    },
    Named {
        key: "multipart",
        flow: "steps:\n  - request: { url: 'https://127.0.0.1:9/', multipart: [ { name: a, file: a.bin } ] }\n",
        words: "",
        file: "a.bin",
        place: "flow.yaml:2:75",
        outside: Outside::Trusted,
        most: 256 * MIB,
        not_text: "",
        empty: "",
    },
    Named {
        key: "schema",
        flow: "steps:\n  - request: https://127.0.0.1:9/\n    expect: { schema: a.json }\n",
        words: "",
        file: "a.json",
        place: "flow.yaml:3:23",
        outside: Outside::Trusted,
        most: 8 * MIB,
        not_text: "not JSON",
        empty: "not JSON",
    },
    Named {
        key: "jwks",
        flow: "steps:\n  - request: https://127.0.0.1:9/\n    expect: { jwt: { from: $.t, verify: { jwks: a.json } } }\n",
        words: "",
        file: "a.json",
        place: "flow.yaml:3:49",
        outside: Outside::Trusted,
        most: 8 * MIB,
        not_text: "not a key set",
        empty: "not a key set",
    },
    Named {
        key: "ca",
        flow: "steps:\n  - request: { url: 'https://127.0.0.1:9/', tls: { ca: a.pem } }\n",
        words: "",
        file: "a.pem",
        place: "flow.yaml:2:56",
        outside: Outside::Trusted,
        most: 4 * MIB,
        not_text: "PEM",
        empty: "PEM",
    },
    Named {
        key: "cert",
        flow: "steps:\n  - request: { url: 'https://127.0.0.1:9/', tls: { cert: a.pem } }\n",
        words: "",
        file: "a.pem",
        place: "flow.yaml:2:58",
        outside: Outside::Trusted,
        most: 4 * MIB,
        not_text: "certificate",
        empty: "certificate",
    },
    Named {
        key: "key",
        flow: "steps:\n  - request: { url: 'https://127.0.0.1:9/', tls: { key: a.pem, cert: b.pem } }\n",
        words: "",
        file: "a.pem",
        place: "flow.yaml:2:57",
        outside: Outside::Trusted,
        most: 4 * MIB,
        not_text: "key",
        empty: "key",
    },
    Named {
        key: "pkcs12",
        flow: "steps:\n  - request: { url: 'https://127.0.0.1:9/', tls: { pkcs12: a.p12 } }\n",
        words: "",
        file: "a.p12",
        place: "flow.yaml:2:60",
        outside: Outside::Trusted,
        most: 4 * MIB,
        not_text: "a.p12",
        empty: "a.p12",
    },
    Named {
        key: "a script of a mock",
        flow: "mock: mock.yaml\nsteps:\n  - script: 1\n",
        words: "--mock",
        file: "a.rhai",
        place: "mock.yaml:3:",
        outside: Outside::Trusted,
        most: 256 * KIB,
        not_text: "not UTF-8",
        empty: "no function",
    },
    Named {
        key: "--data",
        flow: "steps:\n  - script: 1\n",
        words: "--data r.csv",
        file: "r.csv",
        place: "",
        outside: Outside::Free,
        most: u64::MAX,
        not_text: "not UTF-8",
        empty: "is empty",
    },
];

/// A project where everything is right but the one file, which is not there.
fn project(named: &Named) -> Cli {
    Cli::new(&[
        ("reqchain.yaml", ""),
        ("flow.yaml", named.flow),
        ("environments/e.yaml", "x: { file: value.txt }\n"),
        ("mock.yaml", "name: m\nroutes:\n  - script: { file: a.rhai, function: f }\n    route: GET /\n"),
        ("mocks/x.yaml", "routes: []\n"),
        ("scripts/other.rhai", ""),
        ("b.pem", include_str!("../cases/tls/client.pem")),
    ])
}

fn call(folder: &Cli, named: &Named, more: &str) -> Called {
    let called = folder.call(&format!("run flow.yaml {} {more}", named.words));
    assert!(!called.err.contains("panicked"), "{}: {}", named.key, called.err);
    called
}

/// Puts something wrong where each file belongs, and looks at what is said.
fn each(make: impl Fn(&Named, &Path) -> bool, judge: impl Fn(&Named, &Cli, &Called)) {
    for named in NAMED {
        let folder = project(named);
        if make(named, &folder.path().join(named.file)) {
            judge(named, &folder, &call(&folder, named, ""));
        }
    }
}

/// Refused with the exit code of a mistake, by a message with its place and the name of the file.
#[track_caller]
fn refused(named: &Named, called: &Called, why: &str) {
    assert_eq!(called.code, Some(2), "{}: {}", named.key, called.err);
    let name = Path::new(named.file).file_stem().and_then(|name| name.to_str()).expect("a name");
    // What is wrong inside a workflow that is used has its own place, and says who uses it.
    let used = named.key == "uses" && called.err.contains("used by flow.yaml, line 2");
    says(&called.err, &[name, if used { "used.yaml:" } else { named.place }, why]);
}

#[test]
fn a_file_that_is_not_there_is_told() {
    each(
        |_, _| true,
        |named, _, called| {
            let why = match named.key {
                "an input" | "an input of rows" | "an entry of an environment" => "an input is missing",
                "an environment" => "there is no environment",
                "a workflow itself" | "mock" | "import" => "there is no",
                _ => "there is no such file",
            };
            refused(named, called, why);
            // What the caller misspelt, the caller sees.
            if named.outside != Outside::Free {
                says(&called.err, &["help: "]);
            }
        },
    );
}

#[test]
fn a_folder_is_no_file() {
    each(
        |_, path| fs::create_dir_all(path.join("x")).is_ok(),
        |named, _, called| {
            let is_searched = named.key == "a workflow itself";
            refused(named, called, if is_searched { "there is no workflow in" } else { "is a folder" });
        },
    );
}

/// Only plain files are read (S54).
#[test]
fn a_pipe_is_not_waited_for() {
    let make = |_: &Named, path: &Path| {
        Command::new("mkfifo").arg(path).status().is_ok_and(|status| status.success())
    };
    each(make, |named, _, called| refused(named, called, "not a regular file"));
}

#[test]
fn a_file_that_may_not_be_read_is_told() {
    let make = |_: &Named, path: &Path| {
        fs::write(path, "x").expect("written");
        fs::set_permissions(path, fs::Permissions::from_mode(0o000)).expect("set");
        // Nothing is forbidden to root.
        fs::read(path).is_err()
    };
    each(make, |named, _, called| refused(named, called, "permission denied"));
}

/// Files have limits (S54).
#[test]
fn a_file_is_refused_from_one_byte_above_its_limit() {
    each(
        |named, path| {
            let file = fs::File::create(path).expect("made");
            named.most != u64::MAX && file.set_len(named.most + 1).is_ok()
        },
        |named, _, called| {
            let size = match named.most {
                most if most < MIB => format!("{} KiB", most / KIB),
                most => format!("{} MiB", most / MIB),
            };
            refused(named, called, &format!("is larger than {size}: it has {} bytes", named.most + 1));
        },
    );
    each(
        |named, path| {
            let file = fs::File::create(path).expect("made");
            named.most <= 8 * MIB && file.set_len(named.most).is_ok()
        },
        |named, _, called| assert!(!called.err.contains("larger than"), "{}: {}", named.key, called.err),
    );
}

/// Refused with these words; without any, let pass.
#[track_caller]
fn refused_where_told(named: &Named, called: &Called, words: &str) {
    if words.is_empty() {
        assert_ne!(called.code, Some(2), "{}: {}", named.key, called.err);
    } else {
        refused(named, called, words);
    }
}

#[test]
fn an_empty_file_is_told_where_it_means_nothing() {
    each(
        |_, path| fs::write(path, "").is_ok(),
        |named, _, called| refused_where_told(named, called, named.empty),
    );
}

#[test]
fn bytes_that_are_no_text_are_told_where_text_is_wanted() {
    each(
        |_, path| fs::write(path, b"a\n\xff\n").is_ok(),
        |named, _, called| refused_where_told(named, called, named.not_text),
    );
}

/// A link does not lead out of the project (S54).
#[test]
fn a_link_that_leads_out_of_the_project_is_refused() {
    let outer = Cli::new(&[("used", "steps:\n  - script: 1\n"), ("mock", "routes: []\n"), ("any", "x: 1\n")]);
    let target = |named: &Named| match named.key {
        "uses" | "a workflow itself" => "used",
        "mock" => "mock",
        _ => "any",
    };
    each(
        |named, path| symlink(outer.path().join(target(named)), path).is_ok(),
        |named, folder, called| {
            let outside =
                if named.key == "import" { "leads out of `scripts/`" } else { "is outside the project" };
            let trusted = call(folder, named, "--trust");
            match named.outside {
                Outside::Trusted => {
                    refused(named, called, outside);
                    says(&called.err, &["--trust"]);
                    if matches!(named.key, "mock" | "file" | "multipart") {
                        let checked = folder.call("check flow.yaml");
                        says(
                            &checked.passed().err,
                            &["warning", named.place, outside.trim_start_matches("is ")],
                        );
                    }
                    let error = trusted.err.find("error: ").map_or("", |at| &trusted.err[at..]);
                    assert!(!error.contains(outside), "{}: {error}", named.key);
                }
                Outside::Never => {
                    refused(named, called, outside);
                    refused(named, &trusted, outside);
                }
                Outside::Free => assert!(!called.err.contains("outside"), "{}: {}", named.key, called.err),
            }
        },
    );
}

#[test]
fn a_link_to_nothing_is_a_file_that_is_not_there() {
    each(
        |_, path| symlink("nowhere", path).is_ok(),
        |named, _, called| {
            assert_eq!(called.code, Some(2), "{}: {}", named.key, called.err);
        },
    );
}

/// What lies outside the project is not shown either: where it is, is asked before it is opened (S54, S72).
#[test]
fn a_file_outside_the_project_is_not_opened_before_it_is_trusted() {
    const CONTENT: &str = "ghp-content-of-the-file";
    let outer = Cli::new(&[("secret", CONTENT), ("secret.yaml", CONTENT)]);
    let calls = ["run flow.yaml", "run flow.yaml --mock", "run flow.yaml --dry-run"];
    let looks = ["check flow.yaml", "graph flow.yaml", "check .", "fmt .", "run ."];
    let link = |name: &str, path: &Path| symlink(outer.path().join(name), path).expect("linked");
    for named in NAMED.iter().filter(|named| named.outside == Outside::Trusted) {
        let folder = project(named);
        let path = folder.path().join(named.file);
        drop(fs::remove_file(&path));
        link("secret", &path);
        for call in calls.iter().chain(&looks) {
            let called =
                folder.call(&format!("{call} {}", if looks.contains(call) { "" } else { named.words }));
            assert!(!called.err.contains(CONTENT) && !called.out.contains(CONTENT), "{} {call}", named.key);
        }
    }
    // A folder is searched for what nobody named.
    let folder = Cli::new(&[("reqchain.yaml", ""), ("workflows/flow.yaml", "steps:\n  - script: 1\n")]);
    link("secret.yaml", &folder.path().join("workflows/innocent.yaml"));
    for command in ["check", "run", "fmt"] {
        let called = folder.call(&format!("{command} workflows"));
        called.refused(&["innocent.yaml` is outside the project", "--trust"]);
        assert!(!called.err.contains(CONTENT), "{command}: {}", called.err);
    }
    says(&folder.call("check workflows --trust").err, &["innocent.yaml"]);
    // With trust it is read, and its mistakes are told.
    let folder = Cli::new(&[("reqchain.yaml", ""), ("flow.yaml", "steps:\n  - uses: ./used.yaml\n")]);
    link("secret", &folder.path().join("used.yaml"));
    for command in ["check", "run", "graph"] {
        folder.call(&format!("{command} flow.yaml")).refused(&["flow.yaml:2:11", "outside the project"]);
        folder.call(&format!("{command} flow.yaml --trust")).refused(&[CONTENT]);
    }
}

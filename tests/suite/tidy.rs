//! The house rules that a machine can hold: layers, sizes, words, and what may not stand in the
//! source. Each finding names its file and line, so that it can be mended without reading this.

use std::fs;
use std::path::{Path, PathBuf};

/// The layers of `src`, lowest first: a module imports only from its own and those before it.
const LAYERS: [&str; 7] = ["ground", "parts", "document", "running", "reading", "services", "cli"];

/// Words that say nothing of what a thing is for: no file, module or type has one in its name.
const EMPTY_WORDS: [&str; 10] =
    ["util", "utils", "helper", "helpers", "common", "core", "types", "imp", "manager", "info"];

/// The most lines of a file, unit tests beneath the code included.
const FILE_LINES: usize = 500;
/// The most lines of a function.
const FUNCTION_LINES: usize = 60;

/// A file of ours.
struct File {
    path: PathBuf,
    text: String,
    /// Whether all of it is compiled for tests only.
    is_test: bool,
}

impl File {
    fn read(path: PathBuf) -> Self {
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self { path, text, is_test: false }
    }

    /// Its lines, numbered from 1, each with whether it belongs to a test.
    fn lines(&self) -> Vec<(usize, &str, bool)> {
        let (mut within, mut to_end) = (false, self.is_test);
        let lines = (1..).zip(self.text.lines()).map(|(number, line)| {
            within |= line == "#[cfg(test)]";
            to_end |= within && line.ends_with("mod tests {");
            let found = (number, line, within || to_end);
            within &= line != "}" && (!line.ends_with(';') || line.starts_with(' '));
            found
        });
        lines.collect()
    }

    /// The lines outside tests, without comments, whose words are free.
    fn statements(&self) -> impl Iterator<Item = (usize, &str)> {
        let code = self.lines().into_iter().filter(|(.., is_test)| !is_test);
        code.filter(|(_, line, _)| !line.trim_start().starts_with("//"))
            .map(|(number, line, _)| (number, line))
    }

    /// The modules in files of their own that are compiled for tests only: their paths without
    /// the ending.
    fn test_modules(&self) -> Vec<PathBuf> {
        let named_mod = self.path.ends_with("mod.rs") || self.path.ends_with("lib.rs");
        let folder = if named_mod { self.path.with_file_name("") } else { self.path.with_extension("") };
        let lines = self.lines().into_iter().filter(|(.., is_test)| *is_test);
        let modules = lines.filter_map(|(_, line, _)| {
            let rest = line.split_once("mod ").map(|(_, rest)| rest)?;
            rest.strip_suffix(';').map(|name| folder.join(name))
        });
        modules.collect()
    }

    /// The layer that it belongs to; none for `main.rs` and `lib.rs`.
    fn layer(&self) -> Option<usize> {
        let inside = self.path.strip_prefix("src").ok()?;
        let folder = inside.components().next()?.as_os_str().to_str()?;
        LAYERS.iter().position(|layer| *layer == folder)
    }

    fn is_in(&self, folder: &str) -> bool {
        self.path.starts_with(folder)
    }

    fn at(&self, line: usize, what: &str) -> String {
        format!("{}:{line}: {what}", self.path.display())
    }
}

fn files(folder: &str) -> Vec<File> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.expect("the folder can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                found.push(File::read(path));
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    let modules: Vec<PathBuf> = found.iter().flat_map(File::test_modules).collect();
    for file in &mut found {
        file.is_test = modules
            .iter()
            .any(|module| file.path.starts_with(module) || file.path.with_extension("") == *module);
    }
    assert!(!found.is_empty(), "`{folder}` has sources");
    found
}

#[track_caller]
fn none(found: impl IntoIterator<Item = String>) {
    let found: Vec<String> = found.into_iter().collect();
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

/// What each line of the code outside tests should not hold.
#[track_caller]
fn no_line(mut wrong: impl FnMut(&File, &str) -> Option<String>) {
    let mut found = Vec::new();
    for file in files("src") {
        for (number, line) in file.statements() {
            found.extend(wrong(&file, line).map(|what| file.at(number, &what)));
        }
    }
    none(found);
}

#[test]
fn a_module_imports_only_from_its_layer_and_those_below() {
    no_line(|file, line| {
        let own = file.layer()?;
        let mut paths = line.match_indices("crate::").map(|(at, _)| &line[at + "crate::".len()..]);
        paths.find_map(|path| {
            let layer = path.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
            let at = LAYERS.iter().position(|known| *known == layer)?;
            (at > own).then(|| format!("`{}` reaches up to `{layer}`", LAYERS[own]))
        })
    });
}

#[test]
fn every_folder_of_the_source_is_a_layer() {
    let mut folders: Vec<String> = fs::read_dir("src")
        .expect("there is a source")
        .map(|entry| entry.expect("the folder can be read").path())
        .filter(|path| path.is_dir())
        .map(|path| path.file_name().expect("it has a name").to_string_lossy().into_owned())
        .collect();
    folders.retain(|folder| !LAYERS.contains(&folder.as_str()));
    none(folders);
}

#[test]
fn nothing_is_imported_by_a_star_from_above() {
    no_line(|_, line| line.contains("use super::*").then(|| "spell out what is imported".to_owned()));
}

#[test]
fn a_module_that_has_a_folder_stands_in_it() {
    none(files("src").into_iter().chain(files("tests")).filter_map(|file| {
        let folder = file.path.with_extension("");
        let whole = folder.join("mod.rs");
        folder.is_dir().then(|| format!("{} belongs into {}", file.path.display(), whole.display()))
    }));
}

#[test]
fn no_file_is_too_long() {
    none(files("src").into_iter().chain(files("tests")).filter_map(|file| {
        let lines = file.text.lines().count();
        (lines > FILE_LINES)
            .then(|| format!("{} has {lines} lines, more than {FILE_LINES}", file.path.display()))
    }));
}

#[test]
fn no_function_is_too_long() {
    let mut found = Vec::new();
    for file in files("src") {
        let code: Vec<usize> = file.statements().map(|(number, _)| number).collect();
        for (start, name, lines) in functions(&file) {
            // A test may be a long table.
            if lines > FUNCTION_LINES && code.contains(&start) {
                found
                    .push(file.at(start, &format!("`{name}` has {lines} lines, more than {FUNCTION_LINES}")));
            }
        }
    }
    none(found);
}

/// The line, name and length of each function: it ends at the first brace with its own indent.
fn functions(file: &File) -> Vec<(usize, String, usize)> {
    let lines: Vec<(usize, &str)> = (1..).zip(file.text.lines()).collect();
    let begins = |line: &str| {
        let (before, name) = line.split_once("fn ")?;
        let words = ["pub", "pub(crate)", "pub(super)", "const", "async", "unsafe"];
        let is_item = before.split_whitespace().all(|word| words.contains(&word));
        is_item.then(|| name.split(['(', '<']).next().unwrap_or_default().to_owned())
    };
    let mut found = Vec::new();
    for (at, (start, line)) in lines.iter().enumerate() {
        let Some(name) = begins(line) else { continue };
        let indent = &line[..line.len() - line.trim_start().len()];
        let closing = format!("{indent}}}");
        let end = lines[at..].iter().find(|(_, line)| {
            *line == closing
                || line.ends_with(';') && line.starts_with(indent) && !line[indent.len()..].starts_with(' ')
        });
        if let Some((end, _)) = end {
            found.push((*start, name, end - start + 1));
        }
    }
    found
}

#[test]
fn the_scan_for_functions_sees_their_true_length() {
    let file = File {
        path: PathBuf::from("src/x.rs"),
        text: "fn a() {\n    let x = 1;\n}\n\nimpl X {\n    pub(crate) async fn b<T>(\n        x: T,\n    ) {\n        {\n        }\n    }\n}\ntrait Y {\n    fn c(&self);\n}\n".to_owned(),
        is_test: false,
    };
    let found = functions(&file);
    let expected = [(1, "a", 3), (6, "b", 6), (14, "c", 1)];
    assert_eq!(found, expected.map(|(start, name, lines)| (start, name.to_owned(), lines)));
}

/// A name's words: `TokenHandler` and `token_handler` both have two.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for c in name.chars() {
        if c == '_' || c.is_uppercase() {
            words.push(String::new());
        }
        if c != '_' {
            words.last_mut().expect("there is one").extend(c.to_lowercase());
        }
    }
    words
}

#[test]
fn no_file_module_or_type_has_an_empty_name() {
    let mut found = Vec::new();
    for file in files("src") {
        let own = file.path.with_extension("");
        let parts = own.components().skip(1).map(|part| (0, part.as_os_str().to_string_lossy().into_owned()));
        let mut names: Vec<(usize, String)> = parts.collect();
        for (number, line) in file.statements() {
            // A type inside a block is named by the trait that is implemented there.
            let inside = line.starts_with(' ') && line.trim_start().starts_with("type ");
            for keyword in ["mod ", "struct ", "enum ", "trait ", "type ", "union "] {
                if inside {
                    continue;
                }
                let line = line
                    .trim_start()
                    .trim_start_matches("pub")
                    .trim_start_matches("(crate)")
                    .trim_start_matches("(super)")
                    .trim_start();
                if let Some(rest) = line.strip_prefix(keyword) {
                    let name =
                        rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
                    names.push((number, name.to_owned()));
                }
            }
        }
        for (number, name) in names {
            let words = words(&name);
            let empty = words.iter().find(|word| EMPTY_WORDS.contains(&word.as_str()));
            let handler = words.iter().find(|word| word.starts_with("handle") && *word != "handles");
            let handler = handler.filter(|_| !file.is_in("src/services/mock"));
            if let Some(word) = empty.or(handler) {
                found.push(file.at(number, &format!("`{name}`: `{word}` says nothing of what it is for")));
            }
        }
    }
    none(found);
}

#[test]
fn nothing_outside_tests_panics_on_purpose_or_silences_a_lint() {
    let forbidden = [
        ".unwrap()",
        ".expect(",
        "todo!(",
        "unimplemented!(",
        "dbg!(",
        "panic!(",
        "unreachable!(",
        "#[allow",
        "#![allow",
    ];
    no_line(|_, line| {
        // Our own `expect` of a step is no panic.
        let line = line.replace("self.expect(", "");
        forbidden.iter().find(|word| line.contains(**word)).map(|word| format!("`{word}`"))
    });
}

#[test]
fn every_file_opens_with_what_it_is_for() {
    for folder in ["src", "tests/suite", "benches"] {
        none(
            files(folder)
                .iter()
                .filter(|file| !file.text.starts_with("//! "))
                .map(|file| file.at(1, "opens without `//! `")),
        );
    }
}

#[test]
fn no_path_of_one_machine_stands_anywhere() {
    let mut found = Vec::new();
    // Put together here, since this file is searched too.
    let paths = ["work", "tmp", "root", "Users"].map(|folder| format!("/{folder}/"));
    for folder in ["src", "tests/suite", "benches"] {
        for file in files(folder) {
            for (number, line) in (1..).zip(file.text.lines()) {
                let path = paths.iter().find(|path| line.contains(path.as_str()));
                found.extend(path.map(|path| file.at(number, &format!("`{path}`"))));
            }
        }
    }
    none(found);
}

#[test]
fn only_the_command_and_its_reports_print() {
    let prints = ["println!(", "eprintln!(", "print!(", "eprint!("];
    no_line(|file, line| {
        let may = file.is_in("src/cli") || file.is_in("src/reading") || file.path == Path::new("src/main.rs");
        let word = prints.iter().find(|word| line.contains(**word)).filter(|_| !may)?;
        Some(format!("`{word}`: tell an event instead"))
    });
}

#[test]
fn no_test_sleeps() {
    let mut found = Vec::new();
    let sleeps =
        [("thread", "sleep("), ("tokio::time", "sleep(")].map(|(module, name)| format!("{module}::{name}"));
    for file in files("src").into_iter().chain(files("tests/suite")) {
        let pauses = ["start_paused", "time::pause()"].iter().any(|word| file.text.contains(word));
        for (number, line, _) in
            file.lines().into_iter().filter(|(.., is_test)| *is_test || !file.is_in("src"))
        {
            let found_here = sleeps.iter().find(|sleep| line.contains(sleep.as_str()));
            let wrong = found_here.filter(|sleep| sleep.starts_with("thread") || !pauses);
            found
                .extend(wrong.map(|sleep| file.at(number, &format!("`{sleep}…)` waits for the real clock"))));
        }
    }
    none(found);
}

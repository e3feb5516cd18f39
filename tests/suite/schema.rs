//! The JSON Schemas against the language itself: what loads fits them, what has an unknown key does
//! not, and each map in them has the keys that its reader knows, no fewer and no more.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use reqchain::document::format::format;
use reqchain::document::workflow::{Workflow, schema};
use reqchain::ground::diagnostic::Diagnostics;
use reqchain::ground::source::Source;
use reqchain::ground::yaml;
use reqchain::services::mock::Mock;
use serde_json::Value;

/// The YAML files of a folder, in order.
fn files(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder}: {error}"));
    let paths = entries.map(|entry| entry.expect("the folder can be read").path());
    let mut paths: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|ending| ending == "yaml")).collect();
    paths.sort();
    assert!(!paths.is_empty(), "{folder}");
    paths
}

/// A file as an editor's language server sees it; `None` where it is no YAML at all.
fn as_json(path: &Path) -> Option<Value> {
    let text = fs::read_to_string(path).ok()?;
    let text = text.trim_start_matches('\u{feff}');
    // A number of thirty digits is one for us and for editors, but not for this reader.
    foreign(text).or_else(|| {
        let node = yaml::read(&Source::text("flow.yaml", text)).ok()?;
        serde_json::from_str(&node.to_value().to_json()).ok()
    })
}

/// A file as a reader that is not ours has it.
fn foreign(text: &str) -> Option<Value> {
    let mut value: serde_yaml::Value = serde_yaml::from_str(text).ok()?;
    value.apply_merge().ok()?;
    serde_json::to_value(value).ok()
}

/// What does not fit, each with its place.
fn misfits(schema: &Value, file: &Value) -> Vec<String> {
    let validator = jsonschema::validator_for(schema).expect("the schema is one");
    validator.iter_errors(file).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[test]
fn every_workflow_and_mock_that_loads_fits() {
    let workflow = schema::workflow();
    for path in
        files("tests/cases/good").into_iter().chain(files("workflows")).chain(files("workflows/recipes"))
    {
        let file = as_json(&path).unwrap_or_else(|| panic!("{}", path.display()));
        assert_eq!(misfits(&workflow, &file), [""; 0], "{}", path.display());
    }
    let mock = schema::mock();
    let own = ["tests/cases/files/shop.mock.yaml".into()];
    for path in files("workflows/mocks").into_iter().chain(files("workflows/recipes/mocks")).chain(own) {
        let file = as_json(&path).unwrap_or_else(|| panic!("{}", path.display()));
        assert_eq!(misfits(&mock, &file), [""; 0], "{}", path.display());
    }
}

#[test]
fn no_workflow_with_an_unknown_key_fits() {
    let workflow = schema::workflow();
    let mut seen = 0;
    for path in files("tests/cases/errors") {
        let Err(Diagnostics(problems)) = Workflow::load(&path) else { continue };
        let unknown = problems.iter().any(|problem| {
            let here = problem.place.as_ref().is_some_and(|place| place.source.path() == Some(&path));
            here && (problem.message.starts_with("unknown key")
                || problem.message.starts_with("unknown predicate"))
        });
        let Some(file) = as_json(&path).filter(|_| unknown) else { continue };
        assert!(!misfits(&workflow, &file).is_empty(), "{} fits", path.display());
        seen += 1;
    }
    assert!(seen >= 10, "only {seen} cases have unknown keys");
}

#[test]
fn every_schema_is_one_of_draft_7_and_names_it() {
    for schema in [schema::workflow(), schema::mock(), schema::environment()] {
        assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
        jsonschema::meta::validate(&schema).unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn an_environment_holds_values_and_where_they_come_from() {
    let schema = schema::environment();
    let fits =
        serde_json::json!({ "a": 1, "b": "x", "c": { "env": "C", "secret": true }, "d": { "value": [1] } });
    assert_eq!(misfits(&schema, &fits), [""; 0]);
    assert!(!misfits(&schema, &serde_json::json!({ "a": { "default": 1 } })).is_empty());
}

/// A map of the language: where its schema stands, and a file that has it with the key `zzqqzz`,
/// which no map knows, so that its reader tells those that it does.
struct Place {
    pointer: &'static str,
    file: &'static str,
    /// Keys that are known, and not offered since there is a better way to write them.
    unoffered: &'static [&'static str],
}

const fn place(pointer: &'static str, file: &'static str) -> Place {
    Place { pointer, file, unoffered: &[] }
}

const WORKFLOW: [Place; 30] = [
    place("", "zzqqzz: 1"),
    place("/properties/mock", "mock: { zzqqzz: 1 }"),
    place("/definitions/input", "inputs: { a: { zzqqzz: 1 } }"),
    place("/definitions/defaults", "defaults: { zzqqzz: 1 }"),
    place("/definitions/step", "steps: [ { zzqqzz: 1 } ]"),
    place("/definitions/script", "steps: [ { script: { zzqqzz: 1 } } ]"),
    place("/definitions/retry", "steps: [ { request: GET https://a.example, retry: { zzqqzz: 1 } } ]"),
    place("/definitions/repeat", "steps: [ { request: GET https://a.example, repeat: { zzqqzz: 1 } } ]"),
    // Whoever writes `base_url` there is told where it belongs.
    Place {
        unoffered: &["base_url"],
        ..place("/definitions/request", "steps: [ { request: { zzqqzz: 1 } } ]")
    },
    place("/definitions/limits", "steps: [ { request: { url: https://a.example, limits: { zzqqzz: 1 } } } ]"),
    place(
        "/definitions/graphql",
        "steps: [ { request: { url: https://a.example, graphql: { zzqqzz: 1 } } } ]",
    ),
    place(
        "/definitions/part",
        "steps: [ { request: { url: https://a.example, multipart: [ { zzqqzz: 1 } ] } } ]",
    ),
    place("/definitions/redirects", "defaults: { redirects: { zzqqzz: 1 } }"),
    place("/definitions/tls", "defaults: { tls: { zzqqzz: 1 } }"),
    place("/definitions/proxy", "defaults: { proxy: { zzqqzz: 1 } }"),
    Place { unoffered: &["none"], ..place("/definitions/auth", "defaults: { auth: { zzqqzz: 1 } }") },
    place("/definitions/auth/properties/basic", "defaults: { auth: { basic: { zzqqzz: 1 } } }"),
    place("/definitions/auth/properties/api_key", "defaults: { auth: { api_key: { zzqqzz: 1 } } }"),
    place("/definitions/auth/properties/digest", "defaults: { auth: { digest: { zzqqzz: 1 } } }"),
    place("/definitions/auth/properties/aws_sigv4", "defaults: { auth: { aws_sigv4: { zzqqzz: 1 } } }"),
    place("/definitions/auth/properties/jwt", "defaults: { auth: { jwt: { zzqqzz: 1 } } }"),
    place(
        "/definitions/extract",
        "steps: [ { request: GET https://a.example, extract: { a: { zzqqzz: 1 } } } ]",
    ),
    place(
        "/definitions/extract/properties/jwt",
        "steps: [ { request: GET https://a.example, extract: { a: { jwt: { zzqqzz: 1 } } } } ]",
    ),
    place(
        "/definitions/selector",
        "steps: [ { request: GET https://a.example, extract: { a: { jwt: { claim: exp, from: { zzqqzz: 1 } } } } } ]",
    ),
    place(
        "/definitions/selector/properties/jwt",
        "steps: [ { request: GET https://a.example, extract: { a: { jwt: { claim: exp, from: { jwt: { zzqqzz: 1 } } } } } } ]",
    ),
    place("/definitions/expect", "steps: [ { request: GET https://a.example, expect: { zzqqzz: 1 } } ]"),
    place(
        "/definitions/expect/properties/tls",
        "steps: [ { request: GET https://a.example, expect: { tls: { zzqqzz: 1 } } } ]",
    ),
    place(
        "/definitions/token",
        "steps: [ { request: GET https://a.example, expect: { jwt: { zzqqzz: 1 } } } ]",
    ),
    place(
        "/definitions/token/properties/verify",
        "steps: [ { request: GET https://a.example, expect: { jwt: { from: $.a, verify: { zzqqzz: 1 } } } } ]",
    ),
    // Its reader has words of its own for an unknown key; see below.
    place("/definitions/predicate", ""),
];

const MOCK: [Place; 5] = [
    place("", "zzqqzz: 1"),
    place("/definitions/route", "routes: [ { zzqqzz: 1 } ]"),
    place("/definitions/route/properties/reply", "routes: [ { route: GET /, reply: { zzqqzz: 1 } } ]"),
    place("/definitions/route/properties/script", "routes: [ { route: GET /, script: { zzqqzz: 1 } } ]"),
    place("/definitions/route/properties/fault", "routes: [ { route: GET /, fault: { zzqqzz: 1 } } ]"),
];

/// The keys that a reader tells it knows.
fn known(problems: &Diagnostics) -> Option<BTreeSet<String>> {
    let told = problems.0.iter().find(|problem| problem.message.starts_with("unknown key `zzqqzz`"))?;
    let (_, keys) = told.help.as_deref()?.split_once(" knows ")?;
    Some(keys.split(", ").map(str::to_owned).collect())
}

fn offered(schema: &Value, pointer: &str) -> BTreeSet<String> {
    let properties = schema.pointer(&format!("{pointer}/properties")).and_then(Value::as_object);
    properties.unwrap_or_else(|| panic!("no map at {pointer}")).keys().cloned().collect()
}

#[track_caller]
fn agrees(schema: &Value, place: &Place, problems: &Diagnostics) {
    let Place { pointer, unoffered, .. } = place;
    let known = known(problems).unwrap_or_else(|| panic!("{pointer}: no reader knows of it:\n{problems}"));
    let offered = offered(schema, pointer);
    let silent: Vec<_> =
        known.difference(&offered).filter(|key| !unoffered.contains(&key.as_str())).collect();
    assert!(silent.is_empty(), "{pointer}: the schema does not describe {silent:?}");
    let refused: Vec<_> = offered.difference(&known).collect();
    assert!(refused.is_empty(), "{pointer}: the schema offers {refused:?}, which is refused");
}

#[test]
fn each_map_of_a_workflow_has_the_keys_that_its_reader_knows() {
    let schema = schema::workflow();
    for place in WORKFLOW.iter().filter(|place| !place.file.is_empty()) {
        let problems = Workflow::parse(&Source::text("flow.yaml", place.file)).expect_err(place.pointer);
        agrees(&schema, place, &problems);
    }
    let words: BTreeSet<String> =
        reqchain::parts::expect::predicate::WORDS.iter().map(|word| (*word).to_owned()).collect();
    assert_eq!(offered(&schema, "/definitions/predicate"), words);
}

#[test]
fn each_map_of_a_mock_has_the_keys_that_its_reader_knows() {
    let schema = schema::mock();
    for place in &MOCK {
        let problems =
            Mock::parse(&Source::text("mock.yaml", place.file)).map(|_| ()).expect_err(place.pointer);
        agrees(&schema, place, &problems);
    }
}

/// The keys of a map as the formatter puts them.
fn arranged<'k>(name: &str, file: &str, keys: impl Iterator<Item = &'k String>) -> Vec<&'k String> {
    let keys: Vec<_> = keys.collect();
    let entries: Vec<_> = keys.iter().map(|key| format!("{key}: 1")).collect();
    let kind = if name == "mock.yaml" { "routes" } else { "steps" };
    let is_told = file.contains(kind) || entries.iter().any(|entry| *entry == format!("{kind}: 1"));
    let rest = if is_told { String::new() } else { format!("\n{kind}: []\n") };
    let between = if file.contains('{') { ", " } else { "\n" };
    let text = format!("{}{rest}", file.replace("zzqqzz: 1", &entries.join(between)));
    let formatted = format(&Source::text(name, text)).unwrap_or_else(|problems| panic!("{file}: {problems}"));
    let words: Vec<_> = formatted.split([' ', '\n', '{', ',']).collect();
    let mut arranged = keys;
    arranged.sort_by_key(|key| words.iter().rposition(|word| word.strip_suffix(':') == Some(key)));
    arranged
}

/// Those that the formatter leaves as they are written.
const FREE: &[&str] = &[
    "/definitions/script",
    "/definitions/redirects",
    "/definitions/tls",
    "/definitions/auth",
    "/definitions/auth/properties/basic",
    "/definitions/auth/properties/api_key",
    "/definitions/auth/properties/digest",
    "/definitions/auth/properties/aws_sigv4",
    "/definitions/auth/properties/jwt",
    "/definitions/extract/properties/jwt",
    "/definitions/selector",
    "/definitions/selector/properties/jwt",
    "/definitions/token",
    "/definitions/token/properties/verify",
    "/definitions/route/properties/reply",
    "/definitions/route/properties/script",
    "/definitions/route/properties/fault",
];

#[test]
fn the_formatter_has_an_order_for_all_keys_of_a_map_but_of_those_that_are_left_as_written() {
    let (workflow, mock) = (schema::workflow(), schema::mock());
    let places = WORKFLOW.iter().map(|place| ("flow.yaml", &workflow, place));
    let places = places.chain(MOCK.iter().map(|place| ("mock.yaml", &mock, place)));
    let mut free = Vec::new();
    for (name, schema, place) in places.filter(|(.., place)| !place.file.is_empty()) {
        let keys = offered(schema, place.pointer);
        let up = arranged(name, place.file, keys.iter());
        let down = arranged(name, place.file, keys.iter().rev());
        if up != down {
            let as_written =
                up.iter().eq(keys.iter().collect::<Vec<_>>().iter()) && down.iter().rev().eq(up.iter());
            assert!(as_written, "{}: {up:?} and {down:?}", place.pointer);
            free.push(place.pointer);
        }
    }
    assert_eq!(free, FREE);
}

/// Visits every map of known keys in a schema.
fn maps(at: &str, value: &Value, visit: &mut dyn FnMut(&str, &Value)) {
    match value {
        Value::Object(members) => {
            if members.get("additionalProperties") == Some(&Value::Bool(false)) {
                visit(at, &members["properties"]);
            }
            members.iter().for_each(|(name, value)| maps(&format!("{at}/{name}"), value, visit));
        }
        Value::Array(elements) => {
            elements.iter().enumerate().for_each(|(n, value)| maps(&format!("{at}/{n}"), value, visit));
        }
        _ => {}
    }
}

#[test]
fn no_map_of_the_schemas_is_left_out_of_the_comparison() {
    for (schema, places) in [(schema::workflow(), &WORKFLOW[..]), (schema::mock(), &MOCK[..])] {
        let mut found = BTreeSet::new();
        maps("", &schema, &mut |at, _| {
            found.insert(at.to_owned());
        });
        let compared: BTreeSet<String> = places.iter().map(|place| place.pointer.to_owned()).collect();
        assert_eq!(found, compared);
    }
}

#[test]
fn every_key_has_a_sentence_of_its_own() {
    for schema in [schema::workflow(), schema::mock(), schema::environment()] {
        let mut keys = 0;
        maps("", &schema, &mut |at, properties| {
            for (key, says) in properties.as_object().expect("keys") {
                let sentence = says["description"].as_str().unwrap_or_default();
                assert!(sentence.len() > 10 && sentence.ends_with('.'), "{at}: {key}: {sentence:?}");
                keys += 1;
            }
        });
        assert!(keys > 0);
    }
}

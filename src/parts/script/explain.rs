//! What is wrong with a script, in the words of its author: Rhai's errors with our places, our
//! limits and our help, and the Rhai way for what was learnt elsewhere.

use rhai::{AST, Dynamic, EvalAltResult, ParseError, ParseErrorType, Position};

use crate::ground::diagnostic::did_you_mean;
use crate::ground::quantity;
use crate::ground::read::canonical;
use crate::parts::script::engine::Compiled;
use crate::parts::script::handles::{self, NAMES};
use crate::parts::script::modules::ALL;
use crate::parts::script::request;
use crate::parts::script::run::{NESTED, Run, Stop, WRITTEN_NAME};
use crate::parts::script::text::Text;
use crate::parts::script::value::to_value;
use crate::parts::script::{CALLS, ELEMENTS, EXPRESSION_DEPTH, Error, TOLD, VARIABLES, WRITTEN};

const MODULES: &str = "a module is the file `scripts/name.rhai`: import \"name\" as name;";
const WAITING: &str = "waiting is the step's: `repeat: { every: 2s, until: … }`, `retry`";
const ENVIRONMENT: &str = "a script sees no environment: declare an input, and read `vars.name`";

/// What people write who know JavaScript or Postman, and what it is here.
const ELSEWHERE: &[(&str, &str)] = &[
    ("===", "write `==`: it never converts"),
    ("!==", "write `!=`: it never converts"),
    ("=>", "write a closure as `|x| x + 1`"),
    ("++", "write `i += 1`"),
    ("--", "write `i -= 1`"),
    ("?", "write `if a { b } else { c }`: it has a value"),
    ("var", "write `let`"),
    ("function", "write `fn name(x) { … }`"),
    ("null", "nothing is written `()`"),
    ("nil", "nothing is written `()`"),
    ("undefined", "nothing is written `()`"),
    ("new", "there are no classes; an object is written #{ a: 1 }"),
    ("async", "everything waits by itself"),
    ("await", "everything waits by itself"),
    ("console", "write `print(x)`"),
    ("pm", "variables are `vars.name`, the request is `request`, the answer is `response`"),
    ("bru", "variables are `vars.name`"),
    ("req", "the request is `request`"),
    ("res", "the answer is `response`"),
    ("JSON", "write json::parse(text) and json::stringify(value)"),
    ("Math", "write x.floor(), x.round(), random::int(1, 6)"),
    ("Date", "write time::now()"),
    ("btoa", "write base64::encode(x)"),
    ("atob", "write base64::decode(x)"),
    ("CryptoJS", "write hmac::sha256(key, text), hash::sha256(text)"),
    ("fetch", "write http::get(url)"),
    ("eval", "a script never runs a text"),
    ("require", MODULES),
    ("from", MODULES),
    ("crypto", "write hash::sha256(text), hmac::sha256(key, text)"),
    ("Buffer", "write base64::encode(x), base64::decode(x)"),
    ("setTimeout", WAITING),
    ("wait", WAITING),
    ("expect", "write `check(\"what is expected\", condition)`"),
    ("assert", "write `check(\"what is expected\", condition)`"),
    ("test", "write `check(\"what is expected\", condition)`"),
    ("env", ENVIRONMENT),
    ("process", ENVIRONMENT),
    ("def", "write `fn name(x) { … }`"),
    ("and", "write `a && b`"),
    ("or", "write `a || b`"),
    ("not", "write `!a`"),
    ("elif", "write `else if`"),
    ("headers", "those that are sent are `request.headers`, those of the answer `response.headers`"),
    ("status", "write `response.status`"),
    ("body", "write `response.json`, or `response.body` for its text"),
    ("None", "nothing is written `()`"),
    ("True", "write `true`"),
    ("False", "write `false`"),
];

/// Methods of JavaScript, and ours.
pub(super) const METHODS: &[(&str, &str)] = &[
    ("includes", "contains"),
    ("has", "contains"),
    ("forEach", "for_each"),
    ("toString", "to_string"),
    ("toUpperCase", "to_upper"),
    ("toLowerCase", "to_lower"),
    ("startsWith", "starts_with"),
    ("endsWith", "ends_with"),
    ("indexOf", "index_of"),
    ("substring", "sub_string"),
    ("substr", "sub_string"),
    ("slice", "extract"),
    ("length", "len"),
    ("every", "all"),
    ("concat", "+"),
    ("toFixed", "round"),
];

/// An error for a panic below: never expected, never fatal.
pub(super) fn panicked(text: &Text) -> Error {
    Error {
        message: "internal error: the script made its interpreter panic".to_owned(),
        help: Some("this is a mistake in reqchain; please report it".to_owned()),
        place: Some(text.place(Position::NONE)),
    }
}

/// A script that cannot be compiled.
pub(super) fn syntax(text: &Text, error: &ParseError, more: &[&str]) -> Error {
    let position = error.position();
    let (message, help) = match error.err_type() {
        ParseErrorType::VariableUndefined(name) if is_arrow(text, position) => {
            (format!("there is no variable `{name}` here"), elsewhere("=>"))
        }
        ParseErrorType::VariableUndefined(name) if before(text, position).ends_with("import") => {
            (format!("there is no variable `{name}` here"), elsewhere("from"))
        }
        ParseErrorType::VariableUndefined(name) if is_member(text, position) => {
            (format!("there is no variable `{name}` here"), Some("an object is written #{ a: 1 }".to_owned()))
        }
        ParseErrorType::VariableUndefined(name) => {
            let known: Vec<&str> = more.iter().copied().chain(declared(text.as_str())).collect();
            undefined(name, &known)
        }
        ParseErrorType::ModuleUndefined(name) => no_module(name),
        ParseErrorType::ExprTooDeep => (
            format!("an expression is nested deeper than {EXPRESSION_DEPTH} levels"),
            Some("keep parts of it in variables".to_owned()),
        ),
        other => (lower(&other.to_string()), None),
    };
    let help = help.or_else(|| at_position(text, position)).or_else(|| habit(&message));
    Error { message, help, place: Some(text.place(position)) }
}

/// Whether `x => …` stands there.
fn is_arrow(text: &Text, position: Position) -> bool {
    let line = position.line().unwrap_or(1);
    let at = text.offset(line, position.position().unwrap_or(1));
    let behind = text.as_str()[at..].trim_start_matches(|c: char| c.is_alphanumeric() || c == '_');
    behind.trim_start().starts_with("=>")
}

/// What stands before a place, without the spaces at its end.
fn before(text: &Text, position: Position) -> &str {
    let at = text.offset(position.line().unwrap_or(1), position.position().unwrap_or(1));
    text.as_str()[..at].trim_end()
}

/// Whether `{ name: …` stands there, an object as JavaScript writes it.
fn is_member(text: &Text, position: Position) -> bool {
    let at = text.offset(position.line().unwrap_or(1), position.position().unwrap_or(1));
    let behind = text.as_str()[at..].trim_start_matches(|c: char| c.is_alphanumeric() || c == '_');
    let behind = behind.trim_start();
    before(text, position).ends_with('{') && behind.starts_with(':') && !behind.starts_with("::")
}

fn undefined(name: &str, more: &[&str]) -> (String, Option<String>) {
    let message = format!("there is no variable `{name}` here");
    let module = ALL.iter().find(|(module, _)| *module == name && !module.is_empty());
    let module = module.and_then(|(module, table)| Some((module, table.first()?.name)));
    let help = elsewhere(name)
        .or_else(|| module.map(|(module, first)| format!("it is a module: write `{module}::{first}(…)`")))
        .or_else(|| did_you_mean(name, NAMES.iter().chain(more).copied()))
        .unwrap_or_else(|| {
            format!("declare it with `let {name} = …`; a workflow's variable is `vars.{name}`")
        });
    (message, Some(help))
}

fn no_module(name: &str) -> (String, Option<String>) {
    let modules = ALL.iter().map(|(module, _)| *module).filter(|module| !module.is_empty());
    let help = did_you_mean(name, modules.clone())
        .unwrap_or_else(|| format!("there are {}", modules.collect::<Vec<_>>().join(", ")));
    (format!("there is no module `{name}`"), Some(help))
}

pub(super) fn elsewhere(word: &str) -> Option<String> {
    let found = ELSEWHERE.iter().find(|(foreign, _)| *foreign == word);
    found.map(|(_, ours)| (*ours).to_owned())
}

/// The names that a script gives by itself.
fn declared(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty());
    let mut before = "";
    words.filter(move |word| matches!(std::mem::replace(&mut before, word), "let" | "const" | "for"))
}

/// The Rhai way for the word or sign at the place of the error, or just before it.
fn at_position(text: &Text, position: Position) -> Option<String> {
    let at = text.offset(position.line()?, position.position().unwrap_or(1));
    let (before, rest) = (&text.as_str()[..at], &text.as_str()[at..]);
    if rest.starts_with('\'') {
        return Some("texts stand in double quotes or backticks".to_owned());
    }
    let word: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    let sign: String = rest.chars().take_while(char::is_ascii_punctuation).collect();
    let last = before.trim_end().rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    let opened = before.trim_end().strip_suffix('(').unwrap_or_default();
    if opened.trim_end().ends_with("for") {
        return Some("write `for x in list { … }` or `for i in 0..10 { … }`".to_owned());
    }
    if before.ends_with('.') && !word.is_empty() {
        return Some(format!("a member with a name that Rhai reserves is read as [\"{word}\"]"));
    }
    let signs = ["===", "!==", "=>", "++", "--", "?"];
    let here = signs.into_iter().find(|known| sign.starts_with(known)).unwrap_or_default();
    let line = rest.lines().next().unwrap_or_default();
    let later = signs.into_iter().find(|known| line.contains(known)).unwrap_or_default();
    [word.as_str(), here, last, later].into_iter().find_map(elsewhere)
}

/// The Rhai way for a word or sign that Rhai's message quotes.
fn habit(message: &str) -> Option<String> {
    if message.contains("character") {
        return Some("texts stand in double quotes or backticks".to_owned());
    }
    if message.contains("to separate") {
        return Some("a comma is missing, or the bracket is not closed".to_owned());
    }
    if message.starts_with("'#'") {
        return Some("a comment begins with `//`".to_owned());
    }
    if message.contains("';' to terminate") {
        return Some("statements are separated by `;`, and a bracket above may still be open".to_owned());
    }
    if message.contains("to terminate") {
        return Some("a bracket above is still open".to_owned());
    }
    if message.starts_with("unexpected '") {
        return Some("something is missing before it, or it is one too many".to_owned());
    }
    let known = message.split('\'').skip(1).step_by(2).find_map(elsewhere);
    let reserved = message.contains("reserved keyword");
    known.or_else(|| reserved.then(|| "Rhai keeps this word for itself: choose another name".to_owned()))
}

/// What is wrong with a call of `module::name`, if anything is.
pub(super) fn qualified(module: &str, name: &str) -> Option<(String, Option<String>)> {
    if module == "global" {
        return None;
    }
    let Some((_, table)) = ALL.iter().find(|(known, _)| *known == module && !known.is_empty()) else {
        return Some(no_module(module));
    };
    let names = table.iter().map(|entry| entry.name);
    if names.clone().any(|known| known == name) {
        return None;
    }
    let help = method_of_http(module, name).or_else(|| did_you_mean(name, names.clone()));
    let help = help.unwrap_or_else(|| format!("`{module}::` has {}", names.collect::<Vec<_>>().join(", ")));
    Some((format!("there is no function `{module}::{name}`"), Some(help)))
}

/// `http::post(…)` as it is written here.
fn method_of_http(module: &str, name: &str) -> Option<String> {
    let is_method = ["post", "put", "patch", "delete", "head", "options"].contains(&name);
    (module == "http" && is_method).then(|| {
        format!("write http::send(#{{ method: \"{}\", url: url, json: value }})", name.to_uppercase())
    })
}

/// What is wrong with a member of `request` or `response`, if anything is.
pub(super) fn field(whose: &str, name: &str) -> Option<(String, Option<String>)> {
    let known = if whose == "request" { &request::FIELDS } else { &handles::FIELDS };
    if known.contains(&name) {
        return None;
    }
    let help = canonical(name, known)
        .map(|ours| format!("the word for it here is `{ours}`"))
        .or_else(|| did_you_mean(name, known.iter().copied()))
        .unwrap_or_else(|| format!("it has {}", known.join(", ")));
    Some((format!("`{whose}` has no `{name}`"), Some(help)))
}

/// An error while a script ran. Secrets are taken out of its text.
pub(super) fn failure(text: &Text, compiled: &Compiled, run: &Run, failure: EvalAltResult) -> Error {
    let mut place = (None, failure.position());
    let mut inner = failure;
    loop {
        // A position inside of a function or a module belongs to the text that it stands in.
        let (source, cause) = match inner {
            EvalAltResult::ErrorInFunctionCall(_, source, cause, _)
            | EvalAltResult::ErrorInModule(source, cause, _) => (source, cause),
            other => {
                inner = other;
                break;
            }
        };
        if !cause.position().is_none() {
            place = (Some(source), cause.position());
        }
        inner = *cause;
    }
    let (source, position) = place;
    let (message, help) = limit(run, &inner).unwrap_or_else(|| mistake(&compiled.ast, run, inner));
    Error {
        message: run.clean(&message),
        help: help.map(|help| run.clean(&help)),
        place: Some(compiled.place(text, source.as_deref(), position)),
    }
}

type Told = (String, Option<String>);

/// The limit that was reached, and what it is.
fn limit(run: &Run, error: &EvalAltResult) -> Option<Told> {
    let (message, help) = match error {
        EvalAltResult::ErrorStackOverflow(_) => (
            format!("functions call each other deeper than {CALLS} levels"),
            "look for a function that calls itself without an end",
        ),
        EvalAltResult::ErrorTooManyVariables(_) => (
            format!("the script has more than {VARIABLES} variables at one time"),
            "keep them in a list or an object",
        ),
        EvalAltResult::ErrorDataTooLarge(what, _) if what == WRITTEN_NAME => (
            format!("the script wrote more than {} MiB", WRITTEN / 1024 / 1024),
            "look for a loop that does not end",
        ),
        EvalAltResult::ErrorDataTooLarge(what, _) if what == NESTED => {
            ("values are nested in each other without an end".to_owned(), "look for a loop that does not end")
        }
        EvalAltResult::ErrorDataTooLarge(what, _) if what.contains("string") => (
            format!("a text is larger than {}", size(run.limits.text)),
            "scripts are for small texts; compare large ones with `expect`",
        ),
        EvalAltResult::ErrorDataTooLarge(what, _) => (
            format!(
                "{} has more than {ELEMENTS} elements",
                if what.contains("map") { "an object" } else { "a list" }
            ),
            "look for a loop that does not end",
        ),
        EvalAltResult::ErrorTerminated(token, _) => match token.read_lock::<Stop>().as_deref() {
            Some(Stop::Operations) => (
                format!("the script did more than {} operations", run.limits.operations),
                "look for a loop that does not end",
            ),
            Some(Stop::Chatter) => (
                format!("the script told more than {} MiB, by `print` and `check`", TOLD / 1024 / 1024),
                "print what is looked for alone",
            ),
            Some(Stop::Cancelled) => ("the script was cancelled".to_owned(), "it ended with the run"),
            _ => (
                format!("the script ran longer than {}", quantity::show(run.time())),
                "waiting is the step's: `repeat`, `retry`",
            ),
        },
        _ => return None,
    };
    Some((message, Some(help.to_owned())))
}

/// A size in the largest unit that says it whole.
fn size(bytes: usize) -> String {
    const KIB: usize = 1024;
    match bytes {
        _ if bytes.is_multiple_of(KIB * KIB) => format!("{} MiB", bytes / KIB / KIB),
        _ if bytes.is_multiple_of(KIB) => format!("{} KiB", bytes / KIB),
        _ => format!("{bytes} bytes"),
    }
}

fn mistake(ast: &AST, run: &Run, mut error: EvalAltResult) -> Told {
    match &error {
        EvalAltResult::ErrorRuntime(thrown, _) => {
            let message = thrown_text(thrown);
            let helps = &run.state().helps;
            let help = helps.iter().rev().find(|(of, _)| *of == message).map(|(_, help)| help.clone());
            (message, help)
        }
        EvalAltResult::ErrorFunctionNotFound(signature, _) => no_function(ast, signature),
        EvalAltResult::ErrorVariableNotFound(name, _) => undefined(name, &[]),
        EvalAltResult::ErrorModuleNotFound(name, _) => no_module(name),
        EvalAltResult::ErrorDotExpr(why, _) => no_property(why),
        EvalAltResult::ErrorIndexingType(kind, _) if kind.starts_with("()") => (
            "this reads a member of nothing".to_owned(),
            Some("what stands before it does not exist".to_owned()),
        ),
        EvalAltResult::ErrorMismatchDataType(wanted, found, _) if wanted == "bool" => (
            format!("this must be true or false, not {found}"),
            Some("only true and false are conditions: write `x != ()` or `x != \"\"`".to_owned()),
        ),
        EvalAltResult::ErrorMismatchDataType(wanted, found, _) => {
            (format!("this must be {wanted}, not {found}"), None)
        }
        _ => {
            // The place is told beside the message.
            let _ = error.take_position();
            (lower(&error.to_string()), None)
        }
    }
}

fn thrown_text(thrown: &Dynamic) -> String {
    match to_value(thrown, None) {
        Ok(value) if thrown.is_unit() || value.as_str() == Some("") => "the script threw an error".to_owned(),
        Ok(value) => value.to_text(),
        Err(_) => "the script threw a value that is not text".to_owned(),
    }
}

/// Rhai names the function with the types that it was called with: `foo (i64, &str)`.
fn no_function(ast: &AST, signature: &str) -> Told {
    let (name, types) = signature.split_once(" (").unwrap_or((signature, ")"));
    let name = name.trim();
    if let Some((module, function)) = name.split_once("::")
        && let Some(told) = qualified(module, function)
    {
        return told;
    }
    let entries = ALL.iter().flat_map(|(module, table)| table.iter().map(move |entry| (module, entry)));
    let known = entries.map(|(module, entry)| {
        let path = crate::parts::script::api::path(module, entry.name);
        let signature = format!("{path}({})", entry.parameters.join(", "));
        (path, signature)
    });
    let known: Vec<(String, String)> = known.collect();
    if let Some((_, signature)) = known.iter().find(|(path, _)| path == name) {
        let help = format!("it is called as {signature}");
        return (format!("`{name}` does not take {}", arguments(types)), Some(help));
    }
    let own: Vec<String> = ast.iter_functions().map(|function| function.name.to_owned()).collect();
    let candidates = known.iter().map(|(path, _)| path.as_str()).chain(own.iter().map(String::as_str));
    let help = elsewhere(name).or_else(|| did_you_mean(name, candidates));
    if name.chars().all(|c| c.is_ascii_punctuation()) {
        return (format!("`{name}` does not work for {}", arguments(types)), None);
    }
    (format!("there is no function `{name}` for {}", arguments(types)), help)
}

/// Rhai's names of types, as people call them.
fn arguments(types: &str) -> String {
    let types = types.trim_end_matches(')').replace("&str | ImmutableString | String", "text");
    match types.trim() {
        "" => "no arguments".to_owned(),
        types => format!("({types})"),
    }
}

/// `Unknown property 'x' - a getter is not registered for type '()'`.
fn no_property(why: &str) -> Told {
    let mut quoted = why.split('\'').skip(1).step_by(2);
    match (quoted.next(), quoted.next()) {
        (Some(name), Some("()")) => (
            format!("`{name}` is read from nothing"),
            Some(format!("what stands before `.{name}` does not exist; `?.{name}` allows that")),
        ),
        (Some(name), Some("response" | "step" | "steps" | "headers")) if why.contains("setter") => {
            (format!("`{name}` cannot be changed"), None)
        }
        (Some(name), Some(kind)) => (format!("a {kind} has no `{name}`"), None),
        _ => (lower(why), None),
    }
}

fn lower(message: &str) -> String {
    let mut chars = message.trim_end_matches('.').chars();
    match chars.next() {
        Some(first) => first.to_lowercase().chain(chars).collect(),
        None => String::new(),
    }
}

//! `reqchain help TOPIC`: what scripts and templates can call, and what exit codes mean.
//!
//! The lists are made of the tables from which functions, filters and codes are made, so that what
//! is listed is what there is. `help` of a command is clap's.

use std::fmt::Write as _;

use clap::Args;

use crate::cli::exit::Exit;
use crate::cli::terminal::print;
use crate::cli::{Refused, trouble};
use crate::parts::{script, template};

/// Explain a command, or one of script, filters, exit
#[derive(Debug, Args)]
pub struct Arguments {
    /// A command, or `script` (what scripts can call), `filters` (what templates can), `exit` (the exit codes)
    #[arg(value_name = "TOPIC")]
    pub topic: Option<String>,
}

/// What is explained beside commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    /// Functions and variables of scripts.
    Script,
    /// Filters and functions of templates.
    Filters,
    /// Exit codes.
    Exit,
}

impl Topic {
    /// The topic of that name.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        match word {
            "script" | "scripts" => Some(Self::Script),
            "filters" | "templates" => Some(Self::Filters),
            "exit" => Some(Self::Exit),
            _ => None,
        }
    }
}

/// Prints what there is to say to stdout.
///
/// # Errors
/// A stdout that cannot be written to.
pub fn execute(topic: Topic) -> Result<Exit, Refused> {
    let text = match topic {
        Topic::Script => scripts(),
        Topic::Filters => filters(),
        Topic::Exit => exits(),
    };
    print(&text).map_err(|error| trouble("cannot write to stdout", &error))?;
    Ok(Exit::Passed)
}

fn scripts() -> String {
    let mut text =
        "Scripts are Rhai (https://rhai.rs/book), without files, processes or environment.\n".to_owned();
    let functions: Vec<_> = script::functions().collect();
    for (module, about) in script::modules() {
        let own = functions.iter().filter(|function| function.module == module);
        let title = if module.is_empty() { about.to_owned() } else { format!("{module}: {about}") };
        section(&mut text, &title, own.map(|own| (own.signature.clone(), own.doc)));
    }
    text
}

/// What the filters of our own do; those of minijinja have a manual.
const FILTERS: [(&str, &str); 24] = [
    ("base64", "in base64"),
    ("base64_decode", "base64 as text"),
    ("base64url", "in base64 for URLs, without padding"),
    ("base64url_decode", "base64 for URLs as text"),
    ("date(format)", "seconds since 1970 as a date in UTC, by strftime"),
    ("fromjson", "a JSON text as a value"),
    ("hex", "in hex"),
    ("hex_decode", "hex as text"),
    ("hmac(key, hash)", "the HMAC of a text, in hex; hash is \"md5\", \"sha1\", \"sha256\" or \"sha512\""),
    ("join(separator)", "the elements of a list as one text"),
    ("jwt_decode", "a JSON web token as .header and .claims; its signature is not looked at"),
    ("md5", "the MD5 in hex"),
    ("raw", "in a URL: as it is, not percent-encoded"),
    ("regex_find(pattern)", "the first match, or its first group"),
    ("regex_replace(pattern, with)", "every match replaced; groups are $1, $2"),
    ("reveal", "lets a value be shown though it is a secret"),
    ("sha1", "the SHA-1 in hex"),
    ("sha256", "the SHA-256 in hex"),
    ("sha512", "the SHA-512 in hex"),
    ("string", "as text"),
    ("tojson", "as a JSON text"),
    ("url_host", "the host of a URL"),
    ("urldecode", "percent-encoding undone"),
    ("urlencode", "percent-encoded"),
];

fn filters() -> String {
    let mut text =
        "Templates are minijinja expressions: {{ value | filter }}, {{ function() }}.\n".to_owned();
    section(&mut text, "filters", FILTERS.iter().map(|(name, doc)| ((*name).to_owned(), *doc)));
    let own = |name: &&&str| FILTERS.iter().any(|(known, _)| bare(known) == **name);
    let theirs: Vec<&str> = template::filter_names().iter().filter(|name| !own(name)).copied().collect();
    section(&mut text, "filters of minijinja (https://docs.rs/minijinja/latest/minijinja/filters)", []);
    list(&mut text, &theirs);
    section(&mut text, "functions", []);
    list(&mut text, template::function_names());
    text
}

/// A name without its parameters.
fn bare(name: &str) -> &str {
    name.split('(').next().unwrap_or(name)
}

fn exits() -> String {
    let mut text =
        "What the exit code of a call means; the weightiest cause wins: 130, 2, 4, 3, 1.\n".to_owned();
    section(&mut text, "exit codes", Exit::ALL.iter().map(|(exit, doc)| (exit.code().to_string(), *doc)));
    text
}

/// How wide a name is before its sentence begins in a line of its own.
const WIDE: usize = 30;

fn section<'d>(text: &mut String, title: &str, entries: impl IntoIterator<Item = (String, &'d str)>) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "\n{title}");
    for (name, doc) in entries {
        let _ = match name.chars().count() {
            0..WIDE => writeln!(text, "  {name:<WIDE$}{doc}"),
            _ => writeln!(text, "  {name}\n  {:WIDE$}{doc}", ""),
        };
    }
}

/// Names alone, in lines that fit a terminal.
fn list(text: &mut String, names: &[&str]) {
    let mut line = String::new();
    for name in names {
        if line.len() + name.len() > 76 {
            let _ = writeln!(text, "  {}", line.trim_end());
            line.clear();
        }
        let _ = write!(line, "{name} ");
    }
    let _ = writeln!(text, "  {}", line.trim_end());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_stands_under_its_module() {
        let text = scripts();
        for function in script::functions() {
            let about = script::modules().find(|(module, _)| *module == function.module);
            let (module, about) = about.expect("every module says what it is for");
            let title = if module.is_empty() { about.to_owned() } else { format!("{module}: {about}") };
            let title = format!("\n{title}\n");
            assert_eq!(text.matches(&title).count(), 1, "{title}");
            let section = text.split(&title).nth(1).and_then(|rest| rest.split("\n\n").next());
            let section = section.unwrap_or_default();
            assert!(section.contains(&format!("  {}", function.signature)), "{}", function.signature);
            assert!(section.contains(function.doc), "{}", function.doc);
        }
    }

    #[test]
    fn every_filter_is_listed_once_and_ours_are_explained() {
        let own: Vec<&str> = FILTERS.iter().map(|(name, _)| bare(name)).collect();
        assert_eq!(own, template::own_filter_names(), "a filter of ours has a sentence in `FILTERS`");
        let text = filters();
        for name in template::filter_names().iter().chain(template::function_names()) {
            assert!(text.split_whitespace().any(|word| bare(word) == *name), "{name}");
        }
    }

    #[test]
    fn every_exit_code_is_explained() {
        let text = exits();
        for (exit, doc) in Exit::ALL {
            assert!(text.contains(&format!("  {:<WIDE$}{doc}", exit.code())), "{text}");
        }
    }
}

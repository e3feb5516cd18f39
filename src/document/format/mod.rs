//! The one layout of a file: canonical words and order, two blanks an indent, every comment kept.
//!
//! A text is taken as it was written, put in order by what the language knows of each place
//! (`place`, `arrange`), and written anew (`print`). What comes out is read again and compared
//! with what went in: a formatter that loses a word is worse than none.

mod arrange;
mod place;
mod print;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::document::format::place::{ENVIRONMENT, FREE, MOCK, Place, WORKFLOW};
use crate::ground::diagnostic::{Diagnostic, Diagnostics};
use crate::ground::read::canonical;
use crate::ground::source::Source;
use crate::ground::yaml::written::written;
use crate::ground::yaml::{Kind, Node, read};

/// Formats a workflow, a mock or an environment file: what comes out means the same, but that
/// foreign words are replaced by ours.
///
/// # Errors
/// A text that is no YAML, that is none of the three, or that holds what would get lost.
pub fn format(source: &Arc<Source>) -> Result<String, Diagnostics> {
    let source = with_plain_line_ends(source)?;
    let root = read(&source)?;
    let place = kind(&source, &root)?;
    // An anchor may mean one thing where it stands and another where it is used: then nothing is
    // moved or renamed, and the layout alone is mended.
    let text = lay_out(&source, &root, place).or_else(|_| lay_out(&source, &root, &FREE))?;
    Ok(text)
}

/// The text with `\n` at the end of each line and without a byte order mark.
fn with_plain_line_ends(source: &Arc<Source>) -> Result<Arc<Source>, Diagnostic> {
    let text = source.as_str();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n");
    if text.contains('\r') {
        let message = format!("`{}` has carriage returns that end no line", source.name());
        return Err(Diagnostic::error(message).help("write `\\r` in a text in double quotes"));
    }
    Ok(match source.path() {
        Some(path) => Source::file(path, text),
        None => Source::text(source.name(), text),
    })
}

fn kind(source: &Arc<Source>, root: &Node) -> Result<&'static Place, Diagnostic> {
    let steps = ["steps", "stages", "tasks"].iter().any(|key| root.get(key).is_some());
    if steps {
        return Ok(&WORKFLOW);
    }
    if root.get("routes").is_some() {
        return Ok(&MOCK);
    }
    let folder = source.folder().file_name();
    if matches!(root.kind, Kind::Map(_)) && folder.is_some_and(|folder| folder == "environments") {
        return Ok(&ENVIRONMENT);
    }
    let message = format!("`{}` is neither a workflow nor a mock nor an environment file", source.name());
    let help = "a workflow has `steps`, a mock `routes`; environment files lie in a folder `environments`";
    Err(Diagnostic::error(message).help(help))
}

fn lay_out(source: &Arc<Source>, root: &Node, place: &'static Place) -> Result<String, Diagnostic> {
    let before = written(source)?;
    let mut comments = before.comments;
    let mut piece = before.root;
    let head = arrange::take_head(&mut piece);
    arrange::arrange(&mut piece, place);
    let text = print::print(&head, &piece);
    let lost = |what: &str| {
        let message = format!("`{}` cannot be formatted: {what}", source.name());
        Diagnostic::error(message).help("this is a mistake of reqchain: the file is left as it is")
    };
    let again = Source::text(source.name(), text.as_str());
    let after = read(&again).map_err(|_| lost("what comes out is not YAML"))?;
    if !means_the_same(root, &after, place) {
        return Err(lost("what comes out means something else"));
    }
    let mut kept = written(&again)?.comments;
    comments.sort_unstable();
    kept.sort_unstable();
    if comments == kept { Ok(text) } else { Err(lost("a comment would get lost")) }
}

/// Whether two trees are equal but for what may change in a place: the order of the keys of the
/// language, and foreign words.
fn means_the_same(before: &Node, after: &Node, place: &'static Place) -> bool {
    match (&before.kind, &after.kind) {
        (Kind::Scalar(before), Kind::Scalar(after)) => {
            before.text == after.text && before.style == after.style
        }
        (Kind::List(before), Kind::List(after)) => {
            let same = |(before, after)| means_the_same(before, after, place.element());
            before.len() == after.len() && before.iter().zip(after).all(same)
        }
        (Kind::Map(before), Kind::Map(map)) if !place.keys.is_empty() => {
            before.len() == map.len()
                && before.iter().all(|(key, value)| {
                    let ours = canonical(&key.text, place.keys);
                    let name = if after.get(&key.text).is_some() { &*key.text } else { ours.unwrap_or("") };
                    after.get(name).is_some_and(|after| means_the_same(value, after, place.below(name)))
                })
        }
        (Kind::Map(before), Kind::Map(after)) => {
            before.len() == after.len()
                && before.iter().zip(after).all(|((key, value), (same, after))| {
                    key.text == same.text && means_the_same(value, after, place.below(&key.text))
                })
        }
        _ => false,
    }
}

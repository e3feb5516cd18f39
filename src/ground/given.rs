//! A value that a script gives where a file has a part of the language.
//!
//! The readers of files read it, so that both know the same keys and refuse the same mistakes.

use crate::ground::diagnostic::Diagnostic;
use crate::ground::read::Reading;
use crate::ground::source::Source;
use crate::ground::value::Value;
use crate::ground::yaml::{self, Node};

/// Why a value is not what it is given as, in the words for a file: they name what makes no sense.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// What is wrong.
    pub message: String,
    /// What to do about it, where that is known.
    pub help: Option<String>,
}

impl From<Diagnostic> for Error {
    fn from(problem: Diagnostic) -> Self {
        Self { message: problem.message, help: problem.help }
    }
}

/// Reads a value as what stands under `key` in a file.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn read<T>(
    key: &str,
    value: &Value,
    read: impl FnOnce(&Node, &Reading) -> Option<T>,
) -> Result<T, Error> {
    let source = Source::text(key, value.to_json());
    let node = yaml::read(&source)?;
    let reading = Reading::new(&source);
    let found = read(&node, &reading);
    match (found, reading.finish().0.into_iter().next()) {
        (Some(found), None) => Ok(found),
        (_, Some(problem)) => Err(problem.into()),
        (None, None) => Err(Error { message: format!("this is no `{key}`"), help: None }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_size(value: &Value) -> Result<u64, Error> {
        read("size", value, |node, reading| reading.size(node, "size"))
    }

    #[test]
    fn a_value_is_read_as_in_a_file_and_its_first_mistake_is_told() {
        assert_eq!(read_size(&"2KiB".into()).expect("it is a size"), 2048);
        let error = read_size(&Value::List(Vec::new().into())).expect_err("it is a list");
        assert!(error.message.starts_with("`size` must be"), "{error}");
        let found = read("size", &Value::Null, |node, reading| {
            reading.error(node.span, "one");
            reading.error(node.span, "two");
            Some(1)
        });
        assert_eq!(found.expect_err("it has mistakes").message, "one");
        let error = read("size", &Value::Null, |_, _| None::<u64>).expect_err("nothing was read");
        assert_eq!(error.to_string(), "this is no `size`");
    }
}

//! The terminal: whether there is one, what it can show, and writing to it without surprises.
//!
//! A pipe that its reader has closed is no error of ours.

use std::env;
use std::io::{self, ErrorKind, IsTerminal, Write};

use clap::ValueEnum;

use crate::ground::log_command::disarmed;
use crate::reading::report::style::Style;

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Color {
    /// Where stderr is a terminal and `NO_COLOR` is not set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What stderr can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terminal {
    /// Colours, or none.
    pub style: Style,
    /// Whether a line may be drawn again: a person is looking, not a log of a CI job.
    pub redraws: bool,
}

impl Terminal {
    /// Looks at stderr and at the environment.
    #[must_use]
    pub fn detect(color: Color) -> Self {
        let set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self::judge(color, io::stderr().is_terminal() && !dumb, set("NO_COLOR"), set("CI"))
    }

    const fn judge(color: Color, capable: bool, no_color: bool, ci: bool) -> Self {
        let colored = match color {
            Color::Auto => capable && !no_color,
            Color::Always => true,
            Color::Never => false,
        };
        Self { style: Style::new(colored), redraws: capable && !ci }
    }
}

/// Writes a result to stdout, byte for byte. A reader that has gone away has read enough.
///
/// # Errors
/// Whatever else keeps the text from being written, such as a full disk.
pub fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

/// Whether a person reads stdout.
#[must_use]
pub fn to_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Writes a message to stderr in one piece, in which nothing steers a machine that builds. Where
/// nobody reads it there is nobody to tell.
pub fn tell(text: &str) {
    let text = disarmed(text.trim_end_matches('\n'));
    let _ = io::stderr().write_all(format!("{text}\n").as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_follow_the_flag_then_no_color_then_the_terminal() {
        let colored =
            |color, capable, no_color| Terminal::judge(color, capable, no_color, false).style.is_colored();
        for (color, capable, no_color, expected) in [
            (Color::Auto, true, false, true),
            (Color::Auto, true, true, false),
            (Color::Auto, false, false, false),
            (Color::Always, false, true, true),
            (Color::Never, true, false, false),
        ] {
            assert_eq!(colored(color, capable, no_color), expected, "{color:?} {capable} {no_color}");
        }
    }

    #[test]
    fn a_line_is_never_drawn_again_in_ci_or_in_a_file() {
        assert!(Terminal::judge(Color::Auto, true, false, false).redraws);
        assert!(!Terminal::judge(Color::Auto, true, false, true).redraws);
        assert!(!Terminal::judge(Color::Always, false, false, false).redraws);
    }
}

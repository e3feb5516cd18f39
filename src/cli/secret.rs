//! `--secret NAME`: a secret that stands in no list of processes and in no history of a shell.
//!
//! A person types it unseen; a program writes it to stdin, a line for each name.

use std::io::{self, BufRead, IsTerminal, Read, Write};

use crate::ground::diagnostic::Diagnostic;

/// The longest line that is taken, in bytes.
const LONGEST: u64 = 64 * 1024;

/// Reads the secret of that name from whoever sits at stdin.
///
/// # Errors
/// There is nothing more to read, or it is no text.
pub fn read(name: &str) -> Result<String, Diagnostic> {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        return line(name, &mut stdin.lock());
    }
    // Nobody is asked where nobody can see the question.
    let _ = write!(io::stderr(), "{name}: ");
    let quiet = Quiet::begin()?;
    let read = line(name, &mut stdin.lock());
    drop(quiet);
    let _ = writeln!(io::stderr());
    read
}

fn line(name: &str, input: &mut impl BufRead) -> Result<String, Diagnostic> {
    let wrong = |why: &str| {
        let help = format!("write it to stdin, a line for each --secret: --secret {name} < file");
        Diagnostic::error(format!("no value for --secret {name}: {why}")).help(help)
    };
    let mut bytes = Vec::new();
    let read = input.take(LONGEST + 1).read_until(b'\n', &mut bytes);
    if read.is_err() || bytes.is_empty() {
        return Err(wrong("stdin has no line for it"));
    }
    if bytes.len() as u64 > LONGEST {
        return Err(wrong("its line has more than 64 KiB"));
    }
    let text = String::from_utf8(bytes).map_err(|_| wrong("its line is not UTF-8 text"))?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Ok(text.strip_suffix('\r').unwrap_or(text).to_owned())
}

/// A terminal that shows nothing of what is typed, until this is dropped.
#[cfg(unix)]
struct Quiet(rustix::termios::Termios);

#[cfg(unix)]
impl Quiet {
    fn begin() -> Result<Self, Diagnostic> {
        use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
        let visible = || Diagnostic::error("this terminal would show what is typed").help("use a pipe");
        let before = tcgetattr(io::stdin()).map_err(|_| visible())?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Flush, &quiet).map_err(|_| visible())?;
        Ok(Self(before))
    }
}

#[cfg(unix)]
impl Drop for Quiet {
    fn drop(&mut self) {
        // There is nothing to be done where it stays as it is.
        let _ = rustix::termios::tcsetattr(io::stdin(), rustix::termios::OptionalActions::Now, &self.0);
    }
}

/// Where nothing can be hidden, nothing is asked.
#[cfg(not(unix))]
struct Quiet;

#[cfg(not(unix))]
impl Quiet {
    fn begin() -> Result<Self, Diagnostic> {
        Err(Diagnostic::error("this terminal would show what is typed").help("use a pipe"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_takes_a_line_as_it_stands() {
        let mut input: &[u8] = b"  s3cret x \r\nsecond";
        assert_eq!(line("a", &mut input).ok().as_deref(), Some("  s3cret x "));
        assert_eq!(line("b", &mut input).ok().as_deref(), Some("second"));
        let none = line("c", &mut input).expect_err("there is no more");
        assert!(none.message.contains("--secret c"), "{}", none.message);
        let long = vec![b'x'; 70_000];
        assert!(line("d", &mut &*long).is_err());
        let told = line("e", &mut &b"\xff-secret\n"[..]).expect_err("no text").render(false);
        assert!(!told.contains("-secret\n") && told.contains("UTF-8"), "{told}");
    }
}

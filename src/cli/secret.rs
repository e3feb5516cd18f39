//! `--secret NAME`: a secret that stands in no list of processes and in no history of a shell.
//!
//! A person types it unseen; a program writes it to stdin, a line for each name.

use std::io::{self, BufRead, IsTerminal, Read, Write};
#[cfg(unix)]
use std::sync::{Mutex, PoisonError};

use crate::cli::interrupt::Interrupts;
use crate::ground::diagnostic::Diagnostic;

/// The longest line that is taken, in bytes.
const LONGEST: u64 = 64 * 1024;

/// Reads the secret of that name from whoever sits at stdin. Before a person is asked, an interrupt is
/// listened for, since it must not leave a terminal that shows nothing.
///
/// # Errors
/// There is nothing more to read, or it is no text.
pub fn read(name: &str, interrupts: &Interrupts) -> Result<String, Diagnostic> {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        return line(name, &mut stdin.lock());
    }
    interrupts.listen(unhide).map_err(|_| not_hidden())?;
    let hidden = Hidden::begin()?;
    // Nobody is asked where nobody can see the question.
    let _ = write!(io::stderr(), "{name}: ");
    let read = line(name, &mut stdin.lock());
    drop(hidden);
    read
}

/// What is said where what is typed could be seen, or stay unseen for ever.
fn not_hidden() -> Diagnostic {
    let help = "write it to stdin, a line for each --secret: --secret NAME < file";
    Diagnostic::error("this terminal cannot be kept from showing what is typed").help(help)
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

/// How the terminal was before it was made to show nothing of what is typed; nothing where it is so still.
#[cfg(unix)]
static BEFORE: Mutex<Option<rustix::termios::Termios>> = Mutex::new(None);

/// A terminal that shows nothing of what is typed, until this is dropped or the process is interrupted.
struct Hidden;

#[cfg(unix)]
impl Hidden {
    fn begin() -> Result<Self, Diagnostic> {
        use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
        let before = tcgetattr(io::stdin()).map_err(|_| not_hidden())?;
        let mut hidden = before.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        let mut kept = BEFORE.lock().unwrap_or_else(PoisonError::into_inner);
        tcsetattr(io::stdin(), OptionalActions::Flush, &hidden).map_err(|_| not_hidden())?;
        *kept = Some(before);
        Ok(Self)
    }
}

/// Where nothing can be hidden, nothing is asked.
#[cfg(not(unix))]
impl Hidden {
    fn begin() -> Result<Self, Diagnostic> {
        Err(not_hidden())
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        unhide();
    }
}

/// Gives the terminal back as it was, below the question, if it was changed.
pub fn unhide() {
    #[cfg(unix)]
    if let Some(before) = BEFORE.lock().unwrap_or_else(PoisonError::into_inner).take() {
        // There is nothing to be done where it stays as it is.
        let _ = rustix::termios::tcsetattr(io::stdin(), rustix::termios::OptionalActions::Now, &before);
        let _ = writeln!(io::stderr());
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

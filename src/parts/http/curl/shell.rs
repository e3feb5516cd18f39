//! Words of a POSIX shell (IEEE 1003.1, «Shell Command Language», 2.2).
//!
//! Text stands in single quotes, in which nothing has a meaning; variables alone stand in double
//! quotes. Names of variables are made of what servers may have said, so that nothing but letters,
//! digits and `_` goes into them.

use std::fmt::Write as _;

use indexmap::IndexMap;

use crate::ground::encode::{self, Spelling};
use crate::ground::log_command::disarmed;
use crate::parts::http::curl::{Hidden, Piece};

/// Variables that mean something to the shell or to curl.
const TAKEN: [&str; 20] = [
    "PATH", "HOME", "PWD", "OLDPWD", "IFS", "SHELL", "USER", "LOGNAME", "LANG", "ENV", "TERM", "TMPDIR",
    "UID", "PS1", "PS2", "PS4", "PPID", "MAIL", "OPTARG", "CDPATH",
];

/// A command that is being written.
#[derive(Default)]
pub(super) struct Shell {
    comments: Vec<String>,
    pipe: String,
    command: String,
    /// Each variable, what it stands for, and in which form.
    variables: IndexMap<String, (Box<str>, Spelling)>,
}

/// Whether a text can be an argument as it is: without characters that a terminal would obey, or
/// that break the line.
pub(super) fn is_plain(pieces: &[Piece]) -> bool {
    pieces.iter().all(|piece| match piece {
        Piece::Text(text) => !text.contains(char::is_control),
        Piece::Hidden(_) => true,
    })
}

impl Shell {
    /// A word as it is.
    pub(super) fn word(&mut self, word: &str) {
        if !self.command.is_empty() {
            self.command.push(' ');
        }
        self.command.push_str(word);
    }

    /// A word of pieces.
    pub(super) fn pieces(&mut self, pieces: &[Piece]) {
        let (mut word, mut literal) = (String::new(), String::new());
        for piece in pieces {
            match piece {
                Piece::Text(text) => literal.push_str(text),
                Piece::Hidden(hidden) => {
                    word.push_str(&quoted(&std::mem::take(&mut literal)));
                    let _ = write!(word, "\"${}\"", self.variable(hidden));
                }
            }
        }
        word.push_str(&quoted(&literal));
        self.word(if word.is_empty() { "''" } else { &word });
    }

    /// An option and its argument.
    pub(super) fn option(&mut self, option: &str, argument: &[Piece]) {
        self.word(option);
        self.pieces(argument);
    }

    /// What the reader should know.
    pub(super) fn comment(&mut self, text: &str) {
        self.comments.push(text.replace(char::is_control, " "));
    }

    /// Lets `printf` write a text with control characters, which it knows escapes for.
    pub(super) fn pipe_text(&mut self, pieces: &[Piece]) {
        let (mut format, mut arguments) = (String::new(), String::new());
        for piece in pieces {
            match piece {
                Piece::Text(text) => {
                    for c in text.chars() {
                        let _ = match c {
                            '\\' => write!(format, "\\\\"),
                            '%' => write!(format, "%%"),
                            '\n' => write!(format, "\\n"),
                            '-' if format.is_empty() => write!(format, "\\055"),
                            c if c.is_control() => {
                                let mut bytes = [0; 4];
                                let bytes = c.encode_utf8(&mut bytes).bytes();
                                bytes.into_iter().try_for_each(|byte| write!(format, "\\{byte:03o}"))
                            }
                            c => write!(format, "{c}"),
                        };
                    }
                }
                Piece::Hidden(hidden) => {
                    format.push_str("%s");
                    let _ = write!(arguments, " \"${}\"", self.variable(hidden));
                }
            }
        }
        self.pipe = format!("printf {}{arguments} | ", quoted(&format));
    }

    /// Lets `base64` write bytes that are no text.
    pub(super) fn pipe_bytes(&mut self, bytes: &[u8]) {
        self.pipe = format!("printf %s '{}' | base64 -d | ", encode::base64(bytes));
    }

    /// The comments, and below them the command.
    pub(super) fn finish(self) -> String {
        let mut text = String::new();
        if !self.variables.is_empty() {
            let needed = self.variables.iter().map(|(name, (_, form))| match form {
                Spelling::Own => name.clone(),
                Spelling::Percent => format!("{name} (percent-encoded)"),
                Spelling::Json => format!("{name} (escaped as in JSON)"),
                Spelling::Other => format!("{name} (encoded)"),
            });
            let _ = writeln!(text, "# needs {}", needed.collect::<Vec<_>>().join(", "));
        }
        for comment in &self.comments {
            let _ = writeln!(text, "# {comment}");
        }
        text.push_str(&self.pipe);
        text.push_str(&self.command);
        text
    }

    /// The name of the variable that stands for this; two that differ have two.
    fn variable(&mut self, hidden: &Hidden) -> String {
        let first = name(hidden);
        let mut name = first.clone();
        let mut count = 1;
        while let Some((key, _)) = self.variables.get(&name) {
            if *key == hidden.key {
                return name;
            }
            count += 1;
            name = format!("{first}_{count}");
        }
        self.variables.insert(name.clone(), (hidden.key.clone(), hidden.form));
        name
    }
}

/// `«personal_token»` is `PERSONAL_TOKEN`.
fn name(hidden: &Hidden) -> String {
    let of = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    let mut name: String = hidden.name.chars().take(64).map(of).collect();
    // What is no letter and no digit stands for one `_`, however much of it there is.
    while name.contains("__") {
        name = name.replace("__", "_");
    }
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        name.insert(0, '_');
    }
    let is_taken = TAKEN.contains(&&*name)
        || name.ends_with("_PROXY")
        || ["LC_", "LD_", "DYLD_", "CURL_", "SSL_"].iter().any(|start| name.starts_with(start))
        || name.bytes().all(|byte| byte == b'_');
    if is_taken {
        name.push_str("_VALUE");
    }
    match hidden.form {
        Spelling::Own => name,
        Spelling::Percent => name + "_URL",
        Spelling::Json => name + "_JSON",
        Spelling::Other => name + "_ENCODED",
    }
}

/// A text in which nothing has a meaning for the shell, nor for a machine that builds and reads its log.
fn quoted(text: &str) -> String {
    let is_safe = |c: char| c.is_ascii_alphanumeric() || "_./:@%+,-".contains(c);
    if text.is_empty() || text.chars().all(is_safe) {
        return text.to_owned();
    }
    let mut text = text.replace('\'', "'\\''");
    if disarmed(&text) != text {
        // What is quoted in two pieces is the same word. The second pass is for three signs in a row.
        text = text.replace("##", "#''#").replace("##", "#''#");
    }
    format!("'{text}'")
}

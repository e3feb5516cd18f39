//! What a new workflow is like: from flags, from answers at a terminal, or from the defaults.
//!
//! Every answer is judged by the same rules whichever way it came; a wrong one at a terminal is
//! asked for again, a wrong flag is told with all others that are wrong.

use std::io::{BufRead, Write};

use clap::ValueEnum;
use reqwest::header::HeaderName;
use url::Url;

use crate::cli::new::draft::{Draft, Kept, Member, Path};
use crate::cli::new::{Arguments, Login, stem};
use crate::cli::{Refused, refusal, trouble};
use crate::ground::diagnostic::{Diagnostic, Diagnostics, did_you_mean};
use crate::parts::scope::RESERVED;

/// What happens where a flag is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// The user is asked.
    Ask,
    /// The default is taken.
    Defaults,
    /// The default is taken, but for what has none that anybody would mean.
    Flags,
}

/// One question: the flag that answers it, its words, and what holds where nobody answers.
struct Question<'q> {
    flag: &'static str,
    words: &'q str,
    usual: Option<&'q str>,
    /// Whether the default is only an example, which nobody means who does not say so.
    needed: bool,
}

/// The questions, whom they are put to, and what was wrong with the flags.
pub(super) struct Questions<R, W> {
    mode: Mode,
    answers: R,
    terminal: W,
    missing: Vec<&'static str>,
    wrong: Diagnostics,
}

type Answer<T> = Result<Option<T>, Refused>;

impl<R: BufRead, W: Write> Questions<R, W> {
    pub(super) fn new(mode: Mode, answers: R, terminal: W) -> Self {
        Self { mode, answers, terminal, missing: Vec::new(), wrong: Diagnostics::default() }
    }

    /// Puts all the questions that the flags leave open.
    ///
    /// # Errors
    /// Flags that are wrong or missing, all of them; an end of the answers.
    pub(super) fn draft(mut self, given: &Arguments) -> Result<Draft, Refused> {
        let file = given.path.as_deref().filter(|path| !path.is_dir()).map(stem);
        let name = self.name(given, file.as_deref())?;
        let base = self.url(given)?;
        let login = self.login(given)?;
        let way = login.unwrap_or(Login::None);
        let login_path = self.login_path(given, way)?;
        let header = self.header(given, way)?;
        let exchange = self.exchange(given, way)?;
        let token = self.token(given, way, exchange.is_some())?;
        let call = self.path("call", given.call.as_deref(), "Which path does it call then?", "/me")?;
        let kept = self.kept(given)?;
        self.judge()?;
        // Where one of them is missing, the flags were refused above.
        let (Some(name), Some(base), Some(call)) = (name, base, call) else {
            return Err(refusal(Diagnostic::error("there are not enough answers")));
        };
        let draft = Draft { name, base, login: way, login_path, token, header, exchange, call, kept };
        draft.fits().map_err(|why| refusal(Diagnostic::error(why)))?;
        Ok(draft)
    }

    fn name(&mut self, given: &Arguments, file: Option<&str>) -> Answer<String> {
        let words = "What is the workflow called?";
        let usual = Some(file.unwrap_or("login"));
        let question = Question { flag: "name", words, usual, needed: file.is_none() };
        self.put(&question, given.name.as_deref(), read_name)
    }

    fn url(&mut self, given: &Arguments) -> Answer<Url> {
        let (words, usual) = ("Where is the API?", Some("https://api.example.com"));
        let question = Question { flag: "url", words, usual, needed: true };
        self.put(&question, given.url.as_deref(), read_url)
    }

    fn login(&mut self, given: &Arguments) -> Answer<Login> {
        let words = "How does it log in: basic, form, bearer, api-key or none?";
        let question = Question { flag: "login", words, usual: Some("basic"), needed: true };
        self.put(&question, given.login.as_deref(), read_login)
    }

    fn login_path(&mut self, given: &Arguments, login: Login) -> Result<String, Refused> {
        let usual = if login == Login::Form { "/oauth2/token" } else { "/login" };
        if !login.gets_token() {
            self.refuse("login-path", given.login_path.is_some(), "basic or form");
            return Ok(usual.to_owned());
        }
        let words = "At which path does it log in?";
        let found = self.path("login-path", given.login_path.as_deref(), words, usual)?;
        Ok(found.unwrap_or_else(|| usual.to_owned()))
    }

    fn token(&mut self, given: &Arguments, login: Login, exchanges: bool) -> Result<Path, Refused> {
        let usual = || Path::member("access_token");
        if !login.gets_token() && !exchanges {
            self.refuse("token", given.token.is_some(), "basic or form, or to `--exchange`");
            return Ok(usual());
        }
        let words = "Where does the answer hold the token?";
        let question = Question { flag: "token", words, usual: Some("$.access_token"), needed: false };
        Ok(self.put(&question, given.token.as_deref(), read_path)?.unwrap_or_else(usual))
    }

    fn header(&mut self, given: &Arguments, login: Login) -> Result<String, Refused> {
        let usual = "X-Api-Key";
        if login != Login::ApiKey {
            self.refuse("header", given.header.is_some(), "api-key");
            return Ok(usual.to_owned());
        }
        let words = "Which header carries the key?";
        let question = Question { flag: "header", words, usual: Some(usual), needed: false };
        Ok(self.put(&question, given.header.as_deref(), read_header)?.unwrap_or_else(|| usual.to_owned()))
    }

    fn exchange(&mut self, given: &Arguments, login: Login) -> Answer<String> {
        if login == Login::None {
            self.refuse("exchange", given.exchange.is_some(), "any kind but none");
            return Ok(None);
        }
        let words = "At which path is that exchanged for another token? Nothing where it is not.";
        let question = Question { flag: "exchange", words, usual: Some(""), needed: false };
        let found = self.put(&question, given.exchange.as_deref(), |text| match text {
            "" => Ok(String::new()),
            text => read_route(text),
        })?;
        Ok(found.filter(|path| !path.is_empty()))
    }

    fn kept(&mut self, given: &Arguments) -> Result<Vec<Kept>, Refused> {
        let words = "What is kept of its answer? NAME=JSONPATH, several with spaces between.";
        let question = Question { flag: "extract", words, usual: Some("id=$.id"), needed: false };
        let flags = (!given.extract.is_empty()).then(|| given.extract.join(" "));
        Ok(self.put(&question, flags.as_deref(), read_kept)?.unwrap_or_default())
    }

    fn path(&mut self, flag: &'static str, given: Option<&str>, words: &str, usual: &str) -> Answer<String> {
        self.put(&Question { flag, words, usual: Some(usual), needed: false }, given, read_route)
    }

    /// Refuses a flag that says nothing about this login.
    fn refuse(&mut self, flag: &str, is_given: bool, kinds: &str) {
        if is_given {
            let message = format!("`--{flag}` has no meaning with this login");
            self.wrong.push(Diagnostic::error(message).help(format!("it belongs to `--login` {kinds}")));
        }
    }

    /// The answer to one question; `None` where a flag is wrong or missing, which is told later.
    fn put<T>(
        &mut self,
        question: &Question<'_>,
        given: Option<&str>,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Answer<T> {
        let Question { flag, usual, needed, .. } = question;
        if self.mode == Mode::Ask && given.is_none() {
            return self.ask(question, read).map(Some);
        }
        if self.mode == Mode::Flags && given.is_none() && *needed {
            self.missing.push(flag);
            return Ok(None);
        }
        let read = given.or(*usual).map(read).transpose();
        Ok(read.unwrap_or_else(|why| {
            self.wrong.push(Diagnostic::error(format!("`--{flag}`: {why}")));
            None
        }))
    }

    fn ask<T>(
        &mut self,
        question: &Question<'_>,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Result<T, Refused> {
        let usual = question.usual.unwrap_or_default();
        let offered = if usual.is_empty() { String::new() } else { format!(" [{usual}]") };
        loop {
            let mut line = String::new();
            let asked = write!(self.terminal, "{}{offered} ", question.words)
                .and_then(|()| self.terminal.flush())
                .and_then(|()| self.answers.read_line(&mut line));
            if asked.map_err(|error| trouble("cannot ask", &error))? == 0 {
                let message = format!("the answers ended before `{}`", question.words);
                return Err(refusal(Diagnostic::error(message)));
            }
            match read(Some(line.trim()).filter(|line| !line.is_empty()).unwrap_or(usual)) {
                Ok(answer) => return Ok(answer),
                // A terminal that cannot be written to fails at the next question.
                Err(why) => drop(writeln!(self.terminal, "  {why}")),
            }
        }
    }

    /// Tells what is wrong and what is missing, all at once.
    fn judge(&mut self) -> Result<(), Refused> {
        if !self.missing.is_empty() {
            let flags: Vec<String> = self.missing.iter().map(|flag| format!("`--{flag}`")).collect();
            let message =
                format!("nobody can be asked here, and these flags are missing: {}", flags.join(", "));
            let help = "reqchain new --name shop --url https://api.example.com --login basic; `--yes` takes the defaults";
            self.wrong.push(Diagnostic::error(message).help(help));
        }
        if self.wrong.0.is_empty() { Ok(()) } else { Err(refusal(std::mem::take(&mut self.wrong))) }
    }
}

fn read_name(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > 100 || text.chars().any(char::is_control) {
        return Err("a name is one line of at most 100 characters".to_owned());
    }
    Ok(text.to_owned())
}

fn read_url(text: &str) -> Result<Url, String> {
    let wrong = || format!("`{text}` is not an address of an API; write https://api.example.com");
    let url = Url::parse(text).map_err(|_| wrong())?;
    let web = matches!(url.scheme(), "http" | "https") && url.has_host();
    if !url.username().is_empty() || url.password().is_some() {
        return Err("an address with a user name or a password would write them to a file".to_owned());
    }
    let plain = url.query().is_none() && url.fragment().is_none() && !text.contains(['{', '}']);
    if web && plain { Ok(url) } else { Err(wrong()) }
}

fn read_login(text: &str) -> Result<Login, String> {
    let kinds = ["basic", "form", "bearer", "api-key", "none"];
    Login::from_str(text, false).map_err(|_| {
        let help = did_you_mean(text, kinds).unwrap_or_else(|| format!("write one of {}", kinds.join(", ")));
        format!("`{text}` is not a login; {help}")
    })
}

/// A path as it stands in a URL and in a route of a mock.
fn read_route(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/-._~!$&'()*+,;=:@%".contains(c);
    if text.starts_with('/') && text.chars().all(plain) {
        return Ok(text.to_owned());
    }
    Err(format!("`{text}` is not a path; write one such as /api/v1/me, without a query"))
}

fn read_header(text: &str) -> Result<String, String> {
    let name = HeaderName::from_bytes(text.as_bytes());
    name.map(|_| text.to_owned()).map_err(|_| format!("`{text}` cannot be the name of a header"))
}

fn read_kept(text: &str) -> Result<Vec<Kept>, String> {
    text.split_whitespace().map(read_one_kept).collect()
}

fn read_one_kept(text: &str) -> Result<Kept, String> {
    let Some((name, path)) = text.split_once('=') else {
        return Err(format!("`{text}` is not NAME=JSONPATH, such as id=$.id"));
    };
    if !is_name(name) || RESERVED.contains(&name) || Draft::OWN.contains(&name) {
        return Err(format!("`{name}` cannot be the name of what is kept; choose another"));
    }
    Ok(Kept { name: name.to_owned(), path: read_path(path)? })
}

fn is_name(text: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.chars().all(word) && !text.is_empty() && !text.starts_with(|c: char| c.is_ascii_digit())
}

/// A path of names and small positions, so that the mock can be given an answer that has it.
fn read_path(text: &str) -> Result<Path, String> {
    let wrong =
        || format!("`{text}` is not a path that can be answered by a mock; write one such as $.result.token");
    let mut rest = text.strip_prefix('$').ok_or_else(wrong)?;
    let mut members = Vec::new();
    while !rest.is_empty() {
        let (member, behind) = read_member(rest).ok_or_else(wrong)?;
        members.push(member);
        rest = behind;
    }
    if members.is_empty() { Err(wrong()) } else { Ok(Path(members)) }
}

fn read_member(text: &str) -> Option<(Member, &str)> {
    if let Some(inside) = text.strip_prefix('[') {
        let (position, behind) = inside.split_once(']')?;
        let position: usize = position.parse().ok().filter(|position| *position < 10)?;
        return Some((Member::At(position), behind));
    }
    let text = text.strip_prefix('.')?;
    let end = text.find(['.', '[']).unwrap_or(text.len());
    let (name, behind) = text.split_at(end);
    is_name(name).then(|| (Member::Named(name.to_owned()), behind))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(answers: &str, given: &Arguments) -> (Result<Draft, String>, String) {
        let mut terminal = Vec::new();
        let questions = Questions::new(Mode::Ask, answers.as_bytes(), &mut terminal);
        let draft = questions.draft(given).map_err(|refused| refused.why.render(false));
        (draft, String::from_utf8(terminal).expect("text"))
    }

    fn flags(given: &Arguments) -> Result<Draft, String> {
        let questions = Questions::new(Mode::Flags, &b""[..], Vec::new());
        questions.draft(given).map_err(|refused| refused.why.render(false))
    }

    #[test]
    fn an_empty_answer_is_the_one_that_is_offered() {
        let (draft, terminal) = asked(&"\n".repeat(8), &Arguments::default());
        let draft = draft.expect("the defaults fit");
        assert_eq!((draft.name.as_str(), draft.login), ("login", Login::Basic));
        assert_eq!((draft.login_path.as_str(), draft.call.as_str()), ("/login", "/me"));
        assert_eq!(draft.exchange, None);
        assert!(terminal.contains("Where is the API? [https://api.example.com] "), "{terminal}");
    }

    #[test]
    fn a_wrong_answer_is_told_and_asked_for_again_and_a_flag_is_not_asked_for() {
        let given = Arguments { name: Some("shop".into()), ..Arguments::default() };
        let answers = "nowhere\nhttps://u:p@h.example\nhttp://h.example/v1\nbeerer\nbearer\n/swap\n\ncall\n/x\nurl\na=$.b[0].c d=$.e\n";
        let (draft, terminal) = asked(answers, &given);
        let draft = draft.unwrap_or_else(|why| panic!("{why}\n{terminal}"));
        assert_eq!((draft.base.as_str(), draft.exchange.as_deref()), ("http://h.example/v1", Some("/swap")));
        assert_eq!((draft.call.as_str(), draft.kept.len()), ("/x", 2));
        assert!(!terminal.contains("called?"), "{terminal}");
        for part in [
            "not an address of an API",
            "would write them to a file",
            "did you mean `bearer`?",
            "not a path",
            "not NAME=JSONPATH",
        ] {
            assert!(terminal.contains(part), "{part}: {terminal}");
        }
    }

    #[test]
    fn answers_that_end_too_early_are_an_error() {
        let (draft, _) = asked("shop\n", &Arguments::default());
        assert!(draft.expect_err("no more").contains("the answers ended before"));
    }

    #[test]
    fn where_nobody_can_be_asked_every_missing_and_every_wrong_flag_is_named() {
        let error = flags(&Arguments::default()).expect_err("nothing was said");
        for flag in ["`--name`", "`--url`", "`--login`", "`--yes`"] {
            assert!(error.contains(flag), "{error}");
        }
        let wrong = Arguments {
            name: Some("x".into()),
            url: Some("ftp://h".into()),
            login: Some("none".into()),
            exchange: Some("/x".into()),
            header: Some("X".into()),
            call: Some("me?x=1".into()),
            extract: vec!["steps=$.a".into()],
            ..Arguments::default()
        };
        let error = flags(&wrong).expect_err("all is wrong");
        for part in
            ["`--url`", "`--exchange` has no meaning", "`--header` has no", "`--call`", "`steps` cannot be"]
        {
            assert!(error.contains(part), "{part}: {error}");
        }
    }

    #[test]
    fn a_path_has_names_and_small_positions_only() {
        for wrong in ["", "$", "a.b", "$..a", "$.a[*]", "$.a[10]", "$.a-b", "$['a']", "$.a."] {
            assert!(read_path(wrong).is_err(), "{wrong}");
        }
        let path = read_path("$.a_1[0][2].b").expect("a path");
        assert_eq!(path.to_string(), "$.a_1[0][2].b");
    }
}

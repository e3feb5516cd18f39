//! A hostile server, and one table of what it does: each entry is a sentence, the rows of `docs/safety.md`
//! that it proves, the acts of the server, the keys of the workflow, and what must come out. A new
//! attack is a new entry in the file of its group; nothing else has to be written.

mod rows;
mod server;

mod bodies;
mod cookies;
mod echoes;
mod framing;
mod http2;
mod injection;
mod limits;
mod logs;
mod redirects;
mod tokens;

use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

use reqchain::running::{Cause, Detail};
use serde_json::Value;

use crate::scenario::{Ran, Scenario};
use server::{Act, Asked, Hostile};

/// One attack. The workflow asks the server for `/`, and in `finally` for `/next` where that matters.
pub(crate) struct Case {
    /// What happens, as a sentence.
    name: &'static str,
    /// The rows of `docs/safety.md` that it proves, with a blank between any two.
    rows: &'static str,
    /// Whether the server speaks TLS, with a certificate of `ca.pem`.
    tls: bool,
    /// Whether it speaks HTTP/2: by ALPN with TLS, and to a client that knows it without.
    http2: bool,
    /// What it does, one list for each request but `/next`; the last for all that follow.
    answers: &'static [&'static [Act]],
    /// The same of the server of the other origin.
    away: &'static [&'static [Act]],
    /// Keys of the whole file: `vars: { … }`.
    top: &'static str,
    /// Keys of the request beside `url`: `timeout: 1s`.
    keys: &'static str,
    /// Keys of the step, a line each: `extract: { x: $.x }`.
    step: &'static str,
    /// Steps that follow, a line each.
    then: &'static str,
    /// What must come out.
    out: Out,
    /// Words that must be told: in errors, failed checks, warnings.
    told: &'static [&'static str],
    /// What no event, error or warning may hold.
    untold: &'static [&'static str],
    /// The requests that the server saw in their order, `/next` left out; not compared where empty.
    saw: &'static [&'static str],
    /// The same of the other origin, which is compared always.
    away_saw: &'static [&'static str],
    /// Texts that no request to the other origin may hold, in any case of letters.
    away_unseen: &'static [&'static str],
    /// What becomes of the connection.
    next: Next,
    /// What `/next` must hold.
    next_sees: &'static [&'static str],
    /// What `/next` must not hold.
    next_unseen: &'static [&'static str],
}

/// What comes out of a case.
#[derive(Debug, Clone, Copy)]
enum Out {
    /// All is well.
    Passes,
    /// All is well, and the output `x` is this JSON.
    Gives(&'static str),
    /// It fails, for this cause.
    Fails(Cause),
}

/// What the next request may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// It is not sent.
    Unasked,
    /// It is answered decently, on whatever connection.
    Decent,
    /// The same, on the connection of the answer before.
    Same,
    /// The same, on a new connection: the old one is not used again.
    Fresh,
}

/// What most cases have in common: an answer that could not be had.
const CASE: Case = Case {
    name: "",
    rows: "",
    tls: false,
    http2: false,
    answers: &[],
    away: &[],
    top: "",
    keys: "",
    step: "",
    then: "",
    out: Out::Fails(Cause::CouldNotRun),
    told: &[],
    untold: &[],
    saw: &[],
    away_saw: &[],
    away_unseen: &[],
    next: Next::Unasked,
    next_sees: &[],
    next_unseen: &[],
};

/// The password of every workflow here.
const PASSWORD: &str = "hunter2-hunter2";

impl Case {
    fn workflow(&self) -> String {
        // An origin that an input names would be one that the user trusts.
        let away = if self.names_away() { "away: , " } else { "" };
        let mut flow = format!("inputs: {{ h: , {away}password: {PASSWORD} }}\n{}\n", self.top);
        let comma = if self.keys.is_empty() { "" } else { ", " };
        let _ = write!(
            flow,
            "steps:\n  - id: first\n    request: {{ url: '{{{{ h }}}}/'{comma}{} }}\n",
            self.keys
        );
        self.step.lines().for_each(|line| writeln!(flow, "    {line}").expect("written"));
        self.then.lines().for_each(|line| writeln!(flow, "  {line}").expect("written"));
        if self.next != Next::Unasked {
            flow.push_str("finally:\n  - id: next\n    request: { url: '{{ h }}/next' }\n    expect: { json: { $.next: true } }\n");
        }
        match (self.tls, self.http2) {
            (true, _) if !self.top.contains("defaults:") => {
                flow.push_str("defaults: { tls: { ca: ca.pem } }\n");
            }
            (false, true) => flow.push_str("defaults: { http_version: 2 }\n"),
            (true, _) | (false, false) => {}
        }
        flow
    }

    fn names_away(&self) -> bool {
        [self.top, self.keys, self.step, self.then].iter().any(|text| text.contains("{{ away"))
    }

    /// Lets the attack happen; panics with what is wrong.
    fn happens(&self) {
        let here = Hostile::start(self.answers, self.tls, self.http2);
        let away = Hostile::start(self.away, false, false);
        for server in [&here, &away] {
            let host = away.origin.trim_start_matches("http://");
            server.knows(&[("h", &here.origin), ("away", &away.origin), ("away_host", host)]);
        }
        let scenario = Scenario::new(&self.workflow()).input("h", &here.origin);
        let scenario = if self.names_away() { scenario.input("away", &away.origin) } else { scenario };
        let scenario = if self.tls { crate::scenario::tls::with_files(scenario) } else { scenario };
        let ran = scenario.detail(Detail::Wire).run();
        self.judge_outcome(&ran);
        self.judge_here(&here.asked(), &ran);
        self.judge_away(&away.asked(), &ran);
    }

    fn judge_outcome(&self, ran: &Ran) {
        match self.out {
            Out::Passes => drop(ran.passed()),
            Out::Gives(json) => {
                ran.passed();
                let expected: Value = serde_json::from_str(json).expect("the case's JSON is right");
                assert_eq!(ran.output("x"), expected, "the output `x`");
            }
            Out::Fails(cause) => {
                ran.fails_with(cause);
                let first = ran.verdicts();
                assert!(
                    !first.contains(&"next failed".to_owned()),
                    "the next answer is not decent: {first:?}"
                );
                assert!(!first.contains(&"next errored".to_owned()), "no next answer: {}", ran.error());
            }
        }
        let told = told(ran);
        self.told.iter().for_each(|word| assert!(told.contains(word), "`{word}` is not told:\n{told}"));
        let all = format!("{told}\n{}", ran.text());
        self.untold.iter().for_each(|word| assert!(!all.contains(word), "`{word}` is told:\n{all}"));
        assert!(!all.contains(PASSWORD), "the password is told:\n{all}");
    }

    fn judge_here(&self, asked: &[Asked], ran: &Ran) {
        let (next, before): (Vec<&Asked>, Vec<&Asked>) =
            asked.iter().partition(|asked| asked.line() == "GET /next");
        let lines: Vec<&str> = before.iter().map(|asked| asked.line()).collect();
        if !self.saw.is_empty() {
            assert_eq!(lines, self.saw, "what the server saw\n{}", ran.error());
        }
        if self.next == Next::Unasked {
            return;
        }
        let [next] = next.as_slice() else { panic!("`/next` was asked for {} times", next.len()) };
        let last = before.last().map(|asked| asked.connection);
        match self.next {
            Next::Same => assert_eq!(Some(next.connection), last, "the connection was left"),
            Next::Fresh => assert_ne!(Some(next.connection), last, "the connection was used again"),
            Next::Decent | Next::Unasked => {}
        }
        let text = &next.text;
        self.next_sees.iter().for_each(|part| assert!(text.contains(part), "`{part}` is not in\n{text}"));
        self.next_unseen.iter().for_each(|part| assert!(!text.contains(part), "`{part}` is in\n{text}"));
    }

    fn judge_away(&self, asked: &[Asked], ran: &Ran) {
        let lines: Vec<&str> = asked.iter().map(Asked::line).collect();
        assert_eq!(lines, self.away_saw, "what the other origin saw\n{}", ran.error());
        for asked in asked {
            let text = asked.text.to_lowercase();
            for part in self.away_unseen {
                assert!(!text.contains(&part.to_lowercase()), "the other origin saw `{part}`:\n{text}");
            }
        }
    }

    /// What is wrong, where anything is.
    fn verdict(&self) -> Option<String> {
        catch_unwind(AssertUnwindSafe(|| self.happens())).err().map(|panic| {
            let text = panic.downcast_ref::<String>().cloned();
            text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
        })
    }
}

/// Everything that people are told, as text.
fn told(ran: &Ran) -> String {
    let mut told = ran.error();
    for check in ran.checks().into_iter().filter(|check| !check.passed) {
        let _ = write!(told, "\n{} {} {}", check.what, check.expected, check.actual);
    }
    for step in ran.steps() {
        let parts = [step.answer, step.said, step.help];
        parts.into_iter().flatten().for_each(|part| told.push_str(&part));
    }
    told.push_str(&ran.warnings().join("\n"));
    told
}

/// Lets every case of a group happen, and tells all that are wrong at once.
#[track_caller]
fn all_withstood(cases: &[Case]) {
    let wrong = cases.iter().filter_map(|case| {
        let wrong = case.verdict()?;
        Some(format!("== {} ({})\n{wrong}", case.name, case.rows))
    });
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), cases.len(), wrong.join("\n\n"));
}

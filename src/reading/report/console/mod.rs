//! The report for people, on a screen while it happens: a line for each step, and below a step
//! that did not pass all that is needed to mend it.
//!
//! One function per event; the `match` only calls. Every text of an event is cleaned before it is
//! coloured, and each step's lines are written in one piece.

use std::fmt::Write as _;
use std::sync::Arc;

use indexmap::IndexMap;

use crate::ground::diagnostic::Diagnostics;
use crate::ground::quantity;
use crate::ground::secret::{SHORTEST, pseudonym};
use crate::ground::source::Source;
use crate::parts::expect::Check;
use crate::reading::report::failure::{barred, explain};
use crate::reading::report::style::{Style, indent, one_line};
use crate::reading::report::{Reporter, Tally, Target};
use crate::running::event::{Detail, Event, EventKind, RequestText, ResponseText};
use crate::running::outcome::{Cause, Finished, StepOutcome, Verdict};

/// The column of the status starts behind names of this length, and moves for longer ones.
const NAME: usize = 16;
/// Longer names push their own line alone.
const LONG_NAME: usize = 60;
/// The most characters of an extracted value.
const VALUE: usize = 48;
/// The most extracted values on a line.
const VALUES: usize = 4;
/// The most characters of a text that has a line.
const LINE: usize = 1000;

/// How much is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Verbosity {
    /// Nothing, unless something failed.
    Quiet,
    /// A line for each step.
    #[default]
    Steps,
    /// Also requests, responses and all checks.
    Requests,
    /// Also headers and timings.
    Wire,
}

/// How a [`Console`] writes.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// Colours, or none.
    pub style: Style,
    /// How much is told.
    pub verbosity: Verbosity,
    /// Whether lines are written as things happen, rather than all when the run has ended.
    pub live: bool,
}

/// Reports one run to people.
pub struct Console {
    look: Look,
    target: Arc<Target>,
    source: Arc<Source>,
    row: Option<u64>,
    pass: Option<u32>,
    /// What is not written yet.
    text: String,
    /// The steps that are under way.
    open: IndexMap<Arc<str>, Doing>,
    /// The step of which the lines above told.
    heading: String,
    /// Whether a blank line must come before the next one.
    gap: bool,
    width: usize,
    /// Whether it is a dry run.
    is_dry: bool,
    /// The workflow and its file, of which a quiet console tells only if the run fails.
    title: Option<[Arc<str>; 2]>,
    /// The inputs whose secrets are too short, as far as that is told only if the run fails.
    short_secrets: Vec<Arc<str>>,
}

/// A step that is under way.
#[derive(Default)]
struct Doing {
    name: Arc<str>,
    extracted: Vec<String>,
    checks: Vec<Check>,
    /// Whether a dry run told of it, so that nothing is left to say.
    is_planned: bool,
}

impl Reporter for Console {
    fn detail(&self) -> Detail {
        match self.look.verbosity {
            Verbosity::Quiet => Detail::Outcome,
            Verbosity::Steps => Detail::Steps,
            Verbosity::Requests => Detail::Requests,
            Verbosity::Wire => Detail::Wire,
        }
    }

    fn event(&mut self, event: &Event) {
        let path = &event.path;
        match &event.kind {
            EventKind::RunStarted { workflow, file, widest, .. } => {
                self.run_started(path, [workflow, file], *widest);
            }
            EventKind::StepStarted { name } => self.step_started(path, name),
            EventKind::ScriptLogged { text } => self.script_logged(path, text),
            EventKind::StepPlanned { notes, request } => self.step_planned(path, notes, request.as_deref()),
            EventKind::RequestSent(request) => self.request_sent(path, request),
            EventKind::ResponseReceived(response) => self.response_received(path, response),
            EventKind::RetryScheduled { attempt, why, wait } => {
                self.retry_scheduled(path, *attempt, why, &quantity::show(*wait));
            }
            EventKind::Warned { message } => self.warned(path, message),
            EventKind::ShortSecret { input } if self.is_quiet() => {
                self.short_secrets.push(Arc::clone(input));
            }
            EventKind::ShortSecret { input } => self.warned(path, &short_secret(input)),
            EventKind::ValueExtracted { name, shown } => self.value_extracted(path, name, shown),
            EventKind::Checked(check) => self.checked(path, check),
            EventKind::StepFinished(step) => self.step_finished(path, step),
            EventKind::RunFinished { .. } => {}
        }
        if self.look.live && !self.is_quiet() {
            self.write();
        }
    }

    fn finish(&mut self, finished: &Finished) {
        self.target.wait_for(None);
        if self.is_quiet() && finished.outcome.passed() {
            self.text.clear();
            return;
        }
        if let Some([workflow, file]) = self.title.take() {
            self.text.insert_str(0, &self.title([&workflow, &file]));
        }
        for input in std::mem::take(&mut self.short_secrets) {
            self.warned("", &short_secret(&input));
        }
        self.summary(finished);
        if !self.look.live || self.row.is_some() || self.pass.is_some() {
            // Another one follows.
            self.text.push('\n');
        }
        self.write();
    }
}

impl Console {
    /// A console for one run of the workflow in `source`.
    #[must_use]
    pub fn new(look: Look, target: Arc<Target>, source: Arc<Source>) -> Self {
        let (text, heading) = (String::new(), String::new());
        Self {
            look,
            target,
            source,
            row: None,
            pass: None,
            text,
            open: IndexMap::new(),
            heading,
            gap: false,
            width: NAME,
            is_dry: false,
            title: None,
            short_secrets: Vec::new(),
        }
    }

    /// Says which row it is run for, counted from 1.
    #[must_use]
    pub const fn row(mut self, row: Option<u64>) -> Self {
        self.row = row;
        self
    }

    /// Says which of several passes this is, counted from 1.
    #[must_use]
    pub const fn pass(mut self, pass: Option<u32>) -> Self {
        self.pass = pass;
        self
    }

    /// Tells of what went wrong around the run, such as in its mock.
    pub fn trouble(&mut self, trouble: &Diagnostics) {
        for diagnostic in &trouble.0 {
            let text = diagnostic.render(self.look.style.is_colored());
            let _ = write!(self.text, "\n{}", indent(&text, "  "));
            self.gap = true;
        }
    }

    fn run_started(&mut self, path: &str, title: [&Arc<str>; 2], widest: usize) {
        if !path.is_empty() {
            return;
        }
        self.width = self.width.max(widest.min(LONG_NAME));
        self.gap = true;
        if self.is_quiet() {
            self.title = Some(title.map(Arc::clone));
        } else {
            self.text.push_str(&self.title(title));
        }
    }

    /// `login  flow.yaml  row 2  pass 1`.
    fn title(&self, [workflow, file]: [&Arc<str>; 2]) -> String {
        let style = self.look.style;
        let pass = self.pass.map(|pass| format!("  pass {pass}")).unwrap_or_default();
        let row = self.row.map(|row| format!("  row {row}")).unwrap_or_default();
        let place = format!("{}{row}{pass}", one_line(file, LINE));
        format!("{}  {}\n", style.bold(&one_line(workflow, LINE)), style.dim(&place))
    }

    fn step_started(&mut self, path: &Arc<str>, name: &Arc<str>) {
        self.target.wait_for(Some(name));
        self.width = self.width.max(depth(path) * 2 + name.chars().count().min(LONG_NAME));
        let doing = Doing { name: Arc::clone(name), ..Doing::default() };
        self.open.insert(Arc::clone(path), doing);
    }

    fn script_logged(&mut self, path: &str, text: &str) {
        let text = barred(text, self.look.style);
        self.below(path, &text);
    }

    fn request_sent(&mut self, path: &str, request: &RequestText) {
        let mut text = String::new();
        if self.look.verbosity >= Verbosity::Requests {
            text = self.request(request);
        }
        text.extend(request.curl.iter().map(|command| command_lines(command)));
        self.below(path, &text);
    }

    fn request(&self, request: &RequestText) -> String {
        let mut text = self.wire_line('>', &format!("{} {}", request.method, request.url));
        self.wire_rest(&mut text, '>', &request.headers, request.body.as_deref());
        text
    }

    fn step_planned(&mut self, path: &Arc<str>, notes: &[String], request: Option<&RequestText>) {
        let style = self.look.style;
        self.is_dry = true;
        let mut text = String::new();
        for note in notes {
            let _ = writeln!(text, "{}", style.dim(&one_line(note, LINE)));
        }
        if let Some(request) = request {
            text.push_str(&self.request(request));
            text.extend(request.curl.iter().map(|command| command_lines(command)));
        }
        self.below(path, &text);
        self.open.entry(Arc::clone(path)).or_default().is_planned = true;
    }

    fn response_received(&mut self, path: &str, response: &ResponseText) {
        let redirects = response.redirects.iter().map(|hop| self.wire_line('~', &hop.to_string()));
        let mut text: String = redirects.collect();
        text.push_str(&self.wire_line('<', &format!("{}, {}", response.line, size(response.size))));
        if !response.timing.is_empty() {
            text.push_str(&self.wire_line('~', &response.timing));
        }
        self.wire_rest(&mut text, '<', &response.headers, response.body.as_deref());
        self.below(path, &text);
    }

    fn retry_scheduled(&mut self, path: &str, attempt: u32, why: &str, wait: &str) {
        let line = format!("attempt {attempt} in {wait}: {why}");
        if self.look.verbosity >= Verbosity::Requests {
            let text = self.wire_line('~', &line);
            self.below(path, &text);
        }
        if let Some(doing) = self.open.get(path) {
            self.target.wait_for(Some(&format!("{}, attempt {attempt}", doing.name)));
        }
    }

    fn warned(&mut self, path: &str, message: &str) {
        let text = format!("{}: {}\n", self.look.style.yellow("warning"), one_line(message, LINE));
        self.below(path, &text);
    }

    fn value_extracted(&mut self, path: &str, name: &str, shown: &str) {
        if let Some(doing) = self.open.get_mut(path) {
            let own = shown == pseudonym(name);
            let shown = one_line(shown, VALUE);
            doing.extracted.push(if own { shown } else { format!("{} = {shown}", one_line(name, VALUE)) });
        }
    }

    fn checked(&mut self, path: &Arc<str>, check: &Check) {
        if !check.passed || self.look.verbosity >= Verbosity::Requests {
            self.open.entry(Arc::clone(path)).or_default().checks.push(check.clone());
        }
    }

    fn step_finished(&mut self, path: &str, step: &StepOutcome) {
        let doing = self.open.shift_remove(path).unwrap_or_default();
        let is_well = matches!(step.verdict, Verdict::Passed | Verdict::Skipped);
        if doing.is_planned || (is_well && self.is_quiet()) {
            return;
        }
        self.target.wait_for(self.open.last().map(|(_, doing)| doing.name.as_ref()));
        self.open_group(parent(path));
        let line = self.step_line(path, step, &doing);
        self.line(&line);
        self.checks_that_hold(path, &doing.checks);
        if !is_well {
            self.failure(path, step, &doing.checks);
        }
        parent(path).clone_into(&mut self.heading);
    }

    /// `  ✓ personal           200     12ms  2 attempts, «personal_token»`.
    fn step_line(&self, path: &str, step: &StepOutcome, doing: &Doing) -> String {
        let style = self.look.style;
        let name = [&step.name, &doing.name, &step.id].into_iter().find(|name| !name.is_empty());
        let name = name.map(|name| one_line(name, LINE)).unwrap_or_default();
        let width = self.width.saturating_sub(depth(path) * 2);
        let (mark, name) = match step.verdict {
            Verdict::Passed => (style.green("✓"), format!("{name:<width$}")),
            Verdict::Failed => (style.red("✗"), style.bold(&format!("{name:<width$}"))),
            Verdict::Errored => (style.red("!"), style.bold(&format!("{name:<width$}"))),
            Verdict::Skipped => (style.dim("-"), style.dim(&format!("{name:<width$}"))),
        };
        let rest =
            if step.verdict == Verdict::Skipped { self.why_skipped(step) } else { self.numbers(step, doing) };
        format!("{}{mark} {name}  {rest}", margin(path)).trim_end().to_owned()
    }

    fn why_skipped(&self, step: &StepOutcome) -> String {
        let why = step.why_skipped.as_deref().map(|why| format!(": {}", one_line(why, LINE)));
        self.look.style.dim(&format!("skipped{}", why.unwrap_or_default()))
    }

    fn numbers(&self, step: &StepOutcome, doing: &Doing) -> String {
        let style = self.look.style;
        let status = step.status.map_or_else(|| "   ".to_owned(), |status| format!("{status:>3}"));
        let time = format!("{:>7}", quantity::show(step.time));
        let attempts = match (step.passes, step.attempts) {
            (0, 2..) => Some(style.yellow(&format!("{} attempts", step.attempts))),
            (2.., _) => Some(style.dim(&format!("{} passes", step.passes))),
            _ => None,
        };
        let shown = if self.look.verbosity >= Verbosity::Requests { usize::MAX } else { VALUES };
        let more = doing.extracted.len().saturating_sub(shown);
        let more = (more > 0).then(|| style.dim(&format!("and {more} more")));
        let values = doing.extracted.iter().take(shown).cloned();
        let facts: Vec<_> = attempts.into_iter().chain(values).chain(more).collect();
        format!("{status}  {}  {}", style.dim(&time), facts.join(", "))
    }

    fn checks_that_hold(&mut self, path: &str, checks: &[Check]) {
        let style = self.look.style;
        for check in checks.iter().filter(|check| check.passed) {
            let what = format!("{}: {}", one_line(&check.what, LINE), one_line(&check.expected, VALUE));
            let _ = writeln!(self.text, "{}  {} {}", margin(path), style.green("✓"), style.dim(&what));
        }
    }

    fn failure(&mut self, path: &str, step: &StepOutcome, checks: &[Check]) {
        let source = step.source.as_ref().unwrap_or(&self.source);
        let text = explain(step, checks, source, self.look.style);
        if !text.is_empty() {
            let _ = write!(self.text, "\n{}", indent(&text, &format!("{}  ", margin(path))));
            self.gap = true;
        }
    }

    fn summary(&mut self, finished: &Finished) {
        let outcome = &finished.outcome;
        let style = self.look.style;
        let mut tally = Tally::of(outcome);
        if self.is_quiet() {
            // Only those that failed were told of.
            tally.checks = 0;
        }
        let steps = tally.steps(style, outcome.time);
        if self.is_dry {
            self.gap = true;
            self.line("  a dry run: nothing was sent");
            return;
        }
        let line = match outcome.cause {
            Some(Cause::Interrupted) => format!("{}: {steps}", style.yellow("interrupted")),
            Some(_) if tally.failed + tally.errored == 0 => {
                format!("{}: {steps}", style.red("failed"))
            }
            _ => steps,
        };
        self.gap = true;
        self.line(&format!("  {line}"));
    }

    /// Adds lines that belong to a step, below its name.
    fn below(&mut self, path: &str, lines: &str) {
        if path.is_empty() {
            self.line(indent(lines, "  ").trim_end());
            return;
        }
        self.open_group(path);
        self.text.push_str(&indent(lines, &format!("{}  ", margin(path))));
    }

    /// Adds a line, behind a blank one where something ended.
    fn line(&mut self, line: &str) {
        let gap = if std::mem::take(&mut self.gap) { "\n" } else { "" };
        let _ = writeln!(self.text, "{gap}{line}");
    }

    /// Names the step of which the lines below tell, unless the lines above told of it, too.
    fn open_group(&mut self, path: &str) {
        if path.is_empty() || is_within(&self.heading, path) {
            return;
        }
        self.open_group(parent(path));
        let name = self.open.get(path).map(|doing| doing.name.as_ref()).filter(|name| !name.is_empty());
        let name = one_line(name.unwrap_or_else(|| last(path)), LINE);
        let style = self.look.style;
        self.line(&format!("{}{} {}", margin(path), style.dim("▸"), style.dim(&name)));
        path.clone_into(&mut self.heading);
    }

    fn wire_line(&self, mark: char, line: &str) -> String {
        format!("{} {}\n", self.look.style.dim(&mark.to_string()), one_line(line, LINE))
    }

    fn wire_rest(&self, text: &mut String, mark: char, headers: &[(String, String)], body: Option<&str>) {
        for (name, value) in headers {
            text.push_str(&self.wire_line(mark, &format!("{name}: {value}")));
        }
        if let Some(body) = body {
            text.push_str(&barred(body, self.look.style));
        }
    }

    fn is_quiet(&self) -> bool {
        self.look.verbosity == Verbosity::Quiet
    }

    fn write(&mut self) {
        self.target.print(&self.text);
        self.text.clear();
    }
}

/// A command as it can be copied: its line is whole, and what a terminal would obey is escaped.
fn command_lines(command: &str) -> String {
    let mut lines = String::with_capacity(command.len() + 1);
    for line in command.lines() {
        let _ = writeln!(lines, "{}", one_line(line, usize::MAX));
    }
    lines
}

fn short_secret(input: &str) -> String {
    format!(
        "the secret input `{input}` has fewer than {SHORTEST} characters: it is not hidden inside other text"
    )
}

fn size(bytes: usize) -> String {
    if bytes == 1 { "1 byte".to_owned() } else { format!("{bytes} bytes") }
}

/// How many workflows deep a step stands.
fn depth(path: &str) -> usize {
    path.matches('/').count()
}

fn margin(path: &str) -> String {
    "  ".repeat(depth(path) + 1)
}

/// The step that used the workflow of this one; empty where none did.
fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

fn last(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, last)| last)
}

fn is_within(path: &str, outer: &str) -> bool {
    path.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod watched;

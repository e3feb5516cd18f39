//! A console that is fed events made by hand, for the tests beside this file.

use std::sync::Arc;

use std::time::Duration;

use crate::ground::source::{Source, Span};
use crate::parts::expect::Check;
use crate::reading::report::screen::Page;
use crate::reading::report::style::Style;
use crate::reading::report::{Reporter, Screen, Target};
use crate::running::event::{Event, EventKind};
use crate::running::outcome::{Finished, Folding, StepOutcome};

use super::{Console, Look, Verbosity};

/// A console and what it wrote.
pub(super) struct Watched {
    pub(super) console: Console,
    pub(super) page: Page,
    pub(super) folding: Folding,
    seq: u64,
}

impl Watched {
    pub(super) fn new(verbosity: Verbosity, live: bool) -> Self {
        let page = Page::default();
        let screen = Screen::new(Box::new(page.clone()), false);
        let source = Source::text("flow.yaml", "steps:\n  - expect: { status: 200 }\n");
        let look = Look { style: Style::new(false), verbosity, live };
        let console = Console::new(look, Arc::new(Target::Screen(screen)), source);
        Self { console, page, folding: Folding::default(), seq: 0 }
    }

    pub(super) fn tell(&mut self, path: &str, kind: EventKind) -> &mut Self {
        let event = Event { seq: self.seq, path: path.into(), elapsed: Duration::from_millis(35), kind };
        self.seq += 1;
        self.folding.add(&event);
        self.console.event(&event);
        self
    }

    pub(super) fn run(&mut self) -> &mut Self {
        let (workflow, file) = ("wildix service token".into(), "flow.yaml".into());
        self.tell("", EventKind::RunStarted { workflow, file, steps: 3, widest: 0 })
    }

    pub(super) fn start(&mut self, path: &str) -> &mut Self {
        let name = path.rsplit('/').next().expect("an id").into();
        self.tell(path, EventKind::StepStarted { name })
    }

    pub(super) fn value(&mut self, path: &str, name: &str, shown: &str) -> &mut Self {
        self.tell(path, EventKind::ValueExtracted { name: name.into(), shown: shown.into() })
    }

    pub(super) fn pass(&mut self, path: &str) -> &mut Self {
        self.tell(path, EventKind::StepFinished(passed(path).into()))
    }

    pub(super) fn finish(&mut self, path: &str, step: StepOutcome) -> &mut Self {
        self.tell(path, EventKind::StepFinished(step.into()))
    }

    pub(super) fn warn(&mut self, path: &str, message: &str) -> &mut Self {
        let message = message.into();
        self.tell(path, EventKind::Warned { message })
    }

    pub(super) fn log(&mut self, path: &str, text: &str) -> &mut Self {
        let text = text.into();
        self.tell(path, EventKind::ScriptLogged { text })
    }

    pub(super) fn retry(&mut self, path: &str, why: &str) -> &mut Self {
        let (attempt, why, wait) = (2, why.into(), Duration::from_millis(200));
        self.tell(path, EventKind::RetryScheduled { attempt, why, wait })
    }

    pub(super) fn end(&mut self) -> String {
        let outcome = std::mem::take(&mut self.folding).outcome;
        self.console.finish(&Finished { outcome, ..Finished::default() });
        self.page.text()
    }
}

pub(super) fn passed(path: &str) -> StepOutcome {
    StepOutcome {
        id: path.rsplit('/').next().expect("an id").into(),
        status: Some(200),
        time: Duration::from_millis(12),
        attempts: 1,
        ..StepOutcome::default()
    }
}

pub(super) fn check(is_well: bool) -> EventKind {
    let actual = if is_well { "200" } else { "503" };
    let check = Check {
        what: "status".into(),
        passed: is_well,
        expected: "200".into(),
        actual: actual.into(),
        span: Span::new(29, 32),
    };
    EventKind::Checked(check.into())
}

//! The order in which several runs are written: each behind those before it, whoever ends first, so
//! that the same call always reads the same.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::reading::report::Screen;

/// The screen of several runs, and whose turn it is.
struct Turns {
    screen: Arc<Screen>,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    /// The run that is written at once.
    turn: usize,
    /// Those behind it.
    early: BTreeMap<usize, Early>,
}

/// What a run wrote before its turn.
#[derive(Default)]
struct Early {
    text: String,
    has_ended: bool,
}

/// Where one run writes. Its turn ends when this is dropped, also where the run broke off or never
/// began.
pub struct Turn {
    turns: Arc<Turns>,
    number: usize,
}

impl Turn {
    /// The turns of so many runs, in their order.
    #[must_use]
    pub fn of(runs: usize, screen: &Arc<Screen>) -> Vec<Self> {
        let turns = Arc::new(Turns { screen: Arc::clone(screen), waiting: Mutex::default() });
        (0..runs).map(|number| Self { turns: Arc::clone(&turns), number }).collect()
    }

    /// Writes whole lines, as soon as the runs before this one have ended.
    pub fn print(&self, lines: &str) {
        self.turns.change(|waiting, screen| {
            if waiting.turn == self.number {
                screen.print(lines);
            } else {
                waiting.early.entry(self.number).or_default().text.push_str(lines);
            }
        });
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.turns.change(|waiting, screen| {
            waiting.early.entry(self.number).or_default().has_ended = true;
            waiting.go_on(screen);
        });
    }
}

impl Turns {
    fn change(&self, change: impl FnOnce(&mut Waiting, &Screen)) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut waiting, &self.screen);
    }
}

impl Waiting {
    /// Writes what is due, up to the first run that has not ended.
    fn go_on(&mut self, screen: &Screen) {
        while let Some(early) = self.early.get_mut(&self.turn) {
            screen.print(&std::mem::take(&mut early.text));
            if !early.has_ended {
                return;
            }
            self.early.remove(&self.turn);
            self.turn += 1;
        }
    }
}

/// Where a report is written: on a screen of its own, or in turn with others.
pub enum Target {
    /// Alone.
    Screen(Arc<Screen>),
    /// In turn with others.
    Turn(Turn),
}

impl Target {
    /// Writes whole lines.
    pub fn print(&self, lines: &str) {
        match self {
            Self::Screen(screen) => screen.print(lines),
            Self::Turn(turn) => turn.print(lines),
        }
    }

    /// Says what is being waited for; `None` for nothing. Of several, the one whose turn it is
    /// says so.
    pub fn wait_for(&self, name: Option<&str>) {
        match self {
            Self::Screen(screen) => screen.wait_for(name),
            Self::Turn(turn) => turn.turns.change(|waiting, screen| {
                if waiting.turn == turn.number {
                    screen.wait_for(name);
                }
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::report::screen::Page;

    #[test]
    fn runs_are_written_in_their_order_whoever_ends_first() {
        let page = Page::default();
        let screen = Screen::new(Box::new(page.clone()), false);
        let mut runs = Turn::of(4, &screen).into_iter();
        let mut next = || runs.next().expect("a turn");
        let (first, second, third, never_begun) = (next(), next(), next(), next());
        third.print("2\n");
        drop(third);
        first.print("0\n");
        assert_eq!(page.text(), "0\n");
        second.print("1 begins\n");
        drop(first);
        assert_eq!(page.text(), "0\n1 begins\n");
        second.print("1 ends\n");
        drop(second);
        assert_eq!(page.text(), "0\n1 begins\n1 ends\n2\n");
        drop(never_begun);
        assert_eq!(page.text(), "0\n1 begins\n1 ends\n2\n");
    }
}

//! Where reports for people are written: one piece at a time, and the spinner between them.
//!
//! Several runs may write to one screen at once. Each hands over whole lines, so that they never
//! mix; the spinner's line is erased first, and drawn again by the next tick.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::ground::log_command::disarmed;
use crate::reading::report::style::one_line;

/// How long a frame of the spinner stands. No step that is over sooner has one.
const FRAME: Duration = Duration::from_millis(100);
const FRAMES: [char; 10] = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
/// Longer names would break the line, of which only the last part could be erased.
const NAME: usize = 40;
/// Back to the start of the line, and erase it.
const ERASE: &str = "\r\x1b[K";

/// A place to write to.
pub struct Screen {
    spins: bool,
    state: Mutex<State>,
}

struct State {
    out: Box<dyn Write + Send>,
    busy: Option<(String, Instant)>,
    frame: usize,
    drawn: bool,
}

impl Screen {
    /// A screen that writes to `out`; `spins` where that is a terminal before a person.
    #[must_use]
    pub fn new(out: Box<dyn Write + Send>, spins: bool) -> Arc<Self> {
        let state = State { out, busy: None, frame: 0, drawn: false };
        Arc::new(Self { spins, state: Mutex::new(state) })
    }

    /// Stderr.
    #[must_use]
    pub fn stderr(spins: bool) -> Arc<Self> {
        Self::new(Box::new(io::stderr()), spins)
    }

    /// Whether it has a spinner.
    #[must_use]
    pub const fn spins(&self) -> bool {
        self.spins
    }

    /// Writes whole lines, in which nothing steers a machine that builds.
    pub fn print(&self, lines: &str) {
        let lines = disarmed(lines);
        let mut state = self.state();
        if state.drawn {
            state.drawn = false;
            state.write(&format!("{ERASE}{lines}"));
        } else if !lines.is_empty() {
            state.write(&lines);
        }
    }

    /// Says what is being waited for; `None` for nothing.
    pub fn wait_for(&self, name: Option<&str>) {
        if self.spins {
            self.state().busy = name.map(|name| (one_line(name, NAME), Instant::now()));
        }
    }

    /// Draws the spinner's next frame, if something is being waited for.
    pub fn tick(&self) {
        let mut state = self.state();
        let Some((name, since)) = &state.busy else {
            return;
        };
        let seconds = match since.elapsed().as_secs() {
            0 => String::new(),
            seconds => format!(" {seconds}s"),
        };
        let line = format!("{ERASE}  {} {name}{seconds}", FRAMES[state.frame % FRAMES.len()]);
        state.frame += 1;
        state.drawn = true;
        state.write(&line);
    }

    /// Keeps the spinner turning; never ends.
    pub async fn spin(self: Arc<Self>) {
        let mut frames = tokio::time::interval(FRAME);
        // The first tick comes at once.
        frames.tick().await;
        loop {
            frames.tick().await;
            self.tick();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn write(&mut self, text: &str) {
        // Where nobody reads it there is nobody to tell.
        let _ = self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush());
    }
}

/// A text that grows while it is shared, for tests of what a screen is given.
#[cfg(test)]
#[derive(Clone, Default)]
pub(crate) struct Page(Arc<Mutex<Vec<u8>>>);

#[cfg(test)]
impl Page {
    /// What was written so far.
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("no panic").clone()).expect("UTF-8")
    }
}

#[cfg(test)]
impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spinners_line_is_erased_before_anything_is_written() {
        let page = Page::default();
        let screen = Screen::new(Box::new(page.clone()), true);
        screen.tick();
        screen.wait_for(Some("per\x1bsonal"));
        screen.tick();
        screen.tick();
        screen.print("done\n");
        screen.wait_for(None);
        screen.tick();
        screen.print("");
        assert_eq!(page.text(), "\r\x1b[K  ⠋ per\\x1bsonal\r\x1b[K  ⠙ per\\x1bsonal\r\x1b[Kdone\n");
    }

    #[test]
    fn a_screen_that_does_not_spin_has_only_what_is_printed() {
        let page = Page::default();
        let screen = Screen::new(Box::new(page.clone()), false);
        screen.wait_for(Some("personal"));
        screen.tick();
        screen.print("done\n");
        assert_eq!(page.text(), "done\n");
    }
}

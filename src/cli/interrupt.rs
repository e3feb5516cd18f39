//! What ends a run before its time, and a mock that is served: Ctrl-C, and SIGTERM from whoever ends a process.
//!
//! Once a process has listened for them the system no longer ends it by itself. Where a person is asked,
//! a thread listens until the process is over, which no question and no command can keep waiting; any
//! other run listens beside what it does.

use std::io;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::cli::exit::Exit;
use crate::reading::report::Screen;
use crate::running::Cancel;

/// The thread that listens, and what it does. Clones share it.
#[derive(Clone, Default)]
pub struct Interrupts(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// The run that the next interrupt ends in order. Where there is none it ends the process at once.
    run: Option<Cancel>,
    /// What is written to, which may stand in the midst of a line.
    screen: Option<Arc<Screen>>,
}

impl Interrupts {
    /// Listens from now on. An interrupt ends the process at once, behind `undo`.
    ///
    /// # Errors
    /// There is no thread for it, or the system has no signals for us.
    pub fn listen(undo: fn()) -> io::Result<Self> {
        let interrupts = Self::default();
        let (begun, listens) = sync_channel(1);
        let state = interrupts.clone();
        let wait = async move {
            let signals = match Signals::listen() {
                Ok(signals) => signals,
                Err(error) => return drop(begun.send(Err(error))),
            };
            // Whoever began this waits for it.
            let _ = begun.send(Ok(()));
            state.wait(signals, undo).await;
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        thread::Builder::new().spawn(move || runtime.block_on(wait))?;
        listens.recv().unwrap_or_else(|_| Err(io::ErrorKind::Other.into())).map(|()| interrupts)
    }

    /// Listens on the runtime that is running, which costs a short run less than a thread and hears
    /// whatever does not keep that runtime. To be called on one.
    ///
    /// # Errors
    /// The system has no signals for us.
    pub fn listen_here() -> io::Result<Self> {
        let interrupts = Self::default();
        let (state, signals) = (interrupts.clone(), Signals::listen()?);
        tokio::spawn(async move { state.wait(signals, || ()).await });
        Ok(interrupts)
    }

    async fn wait(&self, mut signals: Signals, undo: fn()) {
        loop {
            signals.next().await;
            self.interrupt(undo);
        }
    }

    /// Lets the next interrupt end a run in order, and only the one behind it the process.
    pub fn end_first(&self, run: &Cancel, screen: &Arc<Screen>) {
        *self.state() = State { run: Some(run.clone()), screen: Some(Arc::clone(screen)) };
    }

    /// The run is over: an interrupt ends the process at once again.
    pub fn end_at_once(&self) {
        *self.state() = State::default();
    }

    fn interrupt(&self, undo: fn()) {
        let mut state = self.state();
        if let Some(run) = state.run.take() {
            return run.cancel();
        }
        undo();
        if let Some(screen) = &state.screen {
            screen.print("\n");
        }
        std::process::exit(Exit::Interrupted.code().into());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Listens from now on, and ends with the first interrupt. Where the system has no signals for us it
/// never does: the process can still be killed. To be called on a runtime.
pub fn interrupted() -> impl Future<Output = ()> {
    let signals = Signals::listen();
    async {
        match signals {
            Ok(mut signals) => signals.next().await,
            Err(_) => std::future::pending().await,
        }
    }
}

#[cfg(unix)]
struct Signals {
    ctrl_c: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { ctrl_c: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.ctrl_c.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(windows)]
struct Signals(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl Signals {
    fn listen() -> io::Result<Self> {
        tokio::signal::windows::ctrl_c().map(Self)
    }

    async fn next(&mut self) {
        let _ = self.0.recv().await;
    }
}

//! What ends a run before its time, and a mock that is served: Ctrl-C, and SIGTERM from whoever ends a process.
//!
//! Once a process has listened for them the system no longer ends it by itself. Where a person is asked,
//! a thread listens until the process is over, which no question and no command can keep waiting; any
//! other run listens beside what it does. On Unix the second interrupt ends the process whatever it is busy
//! with: a search through a large answer, or a pipe that nobody reads.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::cli::exit::Exit;
use crate::running::Cancel;

/// What an interrupt does, and whether anybody listens. Clones share it.
#[derive(Clone, Default)]
pub struct Interrupts {
    /// The run that the next interrupt ends in order. Where there is none it ends the process at once.
    run: Arc<Mutex<Option<Cancel>>>,
    /// Whether the next one ends the process without being heard.
    at_once: Arc<AtomicBool>,
    is_heard: Arc<AtomicBool>,
}

impl Interrupts {
    /// From now on an interrupt ends the process at once.
    ///
    /// # Errors
    /// The system has no signals for us.
    pub fn begin() -> io::Result<Self> {
        let interrupts = Self::default();
        interrupts.at_once.store(true, Ordering::SeqCst);
        end_with_second(&interrupts.at_once)?;
        Ok(interrupts)
    }

    /// Listens from now on, if nobody does. An interrupt ends the process behind `undo`.
    ///
    /// # Errors
    /// There is no thread for it, or the system has no signals for us.
    pub fn listen(&self, undo: fn()) -> io::Result<()> {
        if self.is_heard.swap(true, Ordering::SeqCst) {
            return Ok(());
        }
        let (begun, listens) = sync_channel(1);
        let state = self.clone();
        let wait = async move {
            let signals = match Signals::listen() {
                Ok(signals) => signals,
                Err(error) => return drop(begun.send(Err(error))),
            };
            state.at_once.store(false, Ordering::SeqCst);
            // Whoever began this waits for it.
            let _ = begun.send(Ok(()));
            state.wait(signals, undo).await;
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        thread::Builder::new().spawn(move || runtime.block_on(wait))?;
        listens.recv().unwrap_or_else(|_| Err(io::ErrorKind::Other.into()))
    }

    /// Lets the next interrupt end a run in order, and the one behind it the process. Where nobody listens
    /// yet the runtime that is running does, which costs a short run less than a thread. To be called on one.
    ///
    /// # Errors
    /// The system has no signals for us.
    pub fn end_first(&self, run: &Cancel) -> io::Result<()> {
        *self.run() = Some(run.clone());
        if !self.is_heard.swap(true, Ordering::SeqCst) {
            let (state, signals) = (self.clone(), Signals::listen()?);
            tokio::spawn(async move { state.wait(signals, || ()).await });
        }
        self.at_once.store(false, Ordering::SeqCst);
        Ok(())
    }

    async fn wait(&self, mut signals: Signals, undo: fn()) {
        loop {
            signals.next().await;
            self.interrupt(undo);
        }
    }

    /// The run is over: an interrupt ends the process at once again.
    pub fn end_at_once(&self) {
        *self.run() = None;
        self.at_once.store(true, Ordering::SeqCst);
    }

    fn interrupt(&self, undo: fn()) {
        if let Some(run) = self.run().take() {
            return run.cancel();
        }
        undo();
        std::process::exit(Exit::Interrupted.code().into());
    }

    fn run(&self) -> MutexGuard<'_, Option<Cancel>> {
        self.run.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Listens from now on, and ends with the first interrupt; the second ends the process. To be called on a
/// runtime.
///
/// # Errors
/// The system has no signals for us.
pub fn interrupted() -> io::Result<impl Future<Output = ()>> {
    let mut signals = Signals::listen()?;
    end_with_second(&Arc::default())?;
    Ok(async move { signals.next().await })
}

/// Ends the process with the second interrupt from now on, or with the first once `at_once` is set. The system
/// does it, whether the process hears or not; so nothing is written or undone before.
#[cfg(unix)]
fn end_with_second(at_once: &Arc<AtomicBool>) -> io::Result<()> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::flag::{register, register_conditional_shutdown};
    for signal in [SIGINT, SIGTERM] {
        // In this order, or the first would already find that it is the second.
        register_conditional_shutdown(signal, Exit::Interrupted.code().into(), Arc::clone(at_once))?;
        register(signal, Arc::clone(at_once))?;
    }
    Ok(())
}

/// Here no handler does: what is too busy to hear the second goes on.
#[cfg(windows)]
fn end_with_second(_: &Arc<AtomicBool>) -> io::Result<()> {
    Ok(())
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

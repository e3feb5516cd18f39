//! A panic, which is a fault of ours: one error that says where, without what the panic holds, since that
//! may be a secret, and an exit code that is documented.

use std::panic::{AssertUnwindSafe, Location, catch_unwind, set_hook};

use crate::cli::exit::Exit;
use crate::cli::terminal::tell;
use crate::ground::diagnostic::Diagnostic;

/// Does what the command is there for. A panic of any thread is told from now on; one that ends it is
/// [`Exit::CouldNotRun`].
pub fn guarded(command: impl FnOnce() -> Exit) -> Exit {
    set_hook(Box::new(|panic| tell(&fault(panic.location()).render(false))));
    catch_unwind(AssertUnwindSafe(command)).unwrap_or(Exit::CouldNotRun)
}

fn fault(location: Option<&Location<'_>>) -> Diagnostic {
    let place = location.map(|at| format!(" at {}:{}", at.file(), at.line())).unwrap_or_default();
    let message = format!("reqchain {} broke{place}: this is a fault of its own", env!("CARGO_PKG_VERSION"));
    Diagnostic::error(message).help("please report this line, and what reqchain was asked to do")
}

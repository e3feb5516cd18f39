//! What a run needs from outside: a way to the network, the time, and somebody who may stop it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

use crate::document::inputs::Resolved;
use crate::document::plan::{Plan, PlannedAction, PlannedStep};
use crate::ground::clock::Clock;
use crate::ground::secret::Needles;
use crate::parts::http::{Saved, Transport};
use crate::parts::scope::Scope;
use crate::running::event::{Detail, EventKind};
use crate::running::short_secrets::ShortSecrets;

/// What a run needs from outside. Cheap to clone; one serves many runs.
#[derive(Clone)]
pub struct Context {
    /// The way to the network.
    pub transport: Arc<dyn Transport>,
    /// What time it is.
    pub clock: Clock,
    /// Who may stop the run.
    pub cancel: Cancel,
    /// How much the reader of the events wants to know.
    pub detail: Detail,
    /// The secrets that are known before the run; what it learns is forgotten with it.
    pub needles: Needles,
    /// The cookies that it begins with.
    pub cookies: Saved,
    /// Whether each request is told as a curl command, too.
    pub curl: bool,
    /// Whether nothing is sent, and what would be is told.
    pub dry_run: bool,
    /// The short secrets that were told of; `None` where values are stand-ins and nobody has to know.
    pub short_secrets: Option<ShortSecrets>,
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("detail", &self.detail).finish_non_exhaustive()
    }
}

impl Context {
    /// A context with the machine's clock that nobody stops.
    pub fn new(transport: Arc<dyn Transport>) -> Self {
        Self {
            transport,
            clock: Clock::system(),
            cancel: Cancel::default(),
            detail: Detail::default(),
            needles: Needles::default(),
            cookies: Saved::default(),
            curl: false,
            dry_run: false,
            short_secrets: Some(ShortSecrets::default()),
        }
    }

    /// Tells of the inputs that are secrets too short to be hidden everywhere.
    pub(super) fn warn_of_short(&self, inputs: &Resolved, mut tell: impl FnMut(EventKind)) {
        let short = self.short_secrets.as_ref().map(|short| short.new_in(inputs));
        short.into_iter().flatten().for_each(|input| tell(EventKind::ShortSecret { input }));
    }

    /// Learns the secrets among the inputs of a plan, and of those that it uses, before the first of
    /// several runs begins: no run shows what another one was given.
    pub fn learn_inputs(&self, plan: &Plan) {
        let scope = Scope::new(self.needles.clone(), self.clock.clone());
        plan.inputs.iter().for_each(|(name, value)| scope.set_input(name, value.clone()));
        let mut steps: Vec<&PlannedStep> = plan.steps.iter().chain(plan.finally.iter()).collect();
        while let Some(planned) = steps.pop() {
            match &planned.action {
                PlannedAction::Uses(used) => self.learn_inputs(used),
                PlannedAction::Parallel(inner) => steps.extend(inner),
                PlannedAction::Request(_) | PlannedAction::Script => {}
            }
        }
    }
}

/// A wish to stop, shared by clones.
#[derive(Debug, Clone, Default)]
pub struct Cancel {
    flag: Arc<AtomicBool>,
    notify: Arc<Notify>,
}

impl Cancel {
    /// Wishes it.
    pub fn cancel(&self) {
        self.flag.store(true, Ordering::SeqCst);
        self.notify.notify_waiters();
    }

    /// Whether somebody did.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.flag.load(Ordering::SeqCst)
    }

    /// The flag itself, for code that looks at it now and then.
    #[must_use]
    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.flag)
    }

    /// Ends when somebody wishes it.
    pub async fn cancelled(&self) {
        let notified = self.notify.notified();
        if !self.is_cancelled() {
            notified.await;
        }
    }
}

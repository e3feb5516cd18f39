//! One run from start to end: the events of all its parts, put in order by one draining task.

use std::sync::Arc;

use tokio::sync::mpsc::UnboundedReceiver;

use crate::document::plan::Plan;
use crate::ground::secret::Needles;
use crate::parts::http::Jar;
use crate::running::context::Context;
use crate::running::dry;
use crate::running::event::{Event, EventKind};
use crate::running::flow::{self, Caller};
use crate::running::outcome::{Cause, Finished, Folding};
use crate::running::tell::Events;

/// Runs a plan, or tells what it would do where the context wants a dry run. Each event goes to
/// `sink` as it happens, in the order of its number.
///
/// Never fails: whatever went wrong is in the outcome. Must be called on a Tokio runtime with
/// time and I/O enabled.
pub async fn run(plan: &Plan, context: &Context, mut sink: impl FnMut(&Event)) -> Finished {
    if context.dry_run {
        return dry::run(plan, context, &mut sink);
    }
    let (events, receiver) = Events::new(context);
    let needles = context.needles.child();
    let mut drain = Drain { receiver, sequence: 0, folding: Folding::default(), needles: needles.clone() };
    let work = async move {
        let jar = Jar::new(&needles, &context.clock);
        jar.load(&context.cookies);
        let caller =
            Caller { context, events: &events, needles: &needles, jar: &jar, prefix: &Arc::from("") };
        let outputs = flow::workflow(plan, caller).await;
        let cause = context.cancel.is_cancelled().then_some(Cause::Interrupted);
        (outputs, cause, needles, jar.save())
    };
    tokio::pin!(work);
    let (outputs, interrupted, needles, cookies) = loop {
        tokio::select! {
            biased;
            Some(event) = drain.receiver.recv() => drain.take(event, &mut sink),
            done = &mut work => break done,
        }
    };
    while let Ok(event) = drain.receiver.try_recv() {
        drain.take(event, &mut sink);
    }
    let mut outcome = drain.folding.outcome;
    outcome.cause = outcome.cause.max(interrupted);
    Finished { outcome, outputs: outputs.unwrap_or_default(), needles, cookies }
}

struct Drain {
    receiver: UnboundedReceiver<Event>,
    sequence: u64,
    folding: Folding,
    needles: Needles,
}

impl Drain {
    fn take(&mut self, mut event: Event, sink: &mut impl FnMut(&Event)) {
        match &mut event.kind {
            // Who warns of what a server or a user wrote need not think of this.
            EventKind::Warned { message } => *message = self.needles.scrub(message),
            // What a redirect led to may have told what stood in it.
            EventKind::StepFinished(outcome) => {
                for redirect in outcome.redirects.iter_mut().chain(&mut outcome.script_redirects) {
                    redirect.from = self.needles.scrub(&redirect.from);
                    redirect.to = self.needles.scrub(&redirect.to);
                }
            }
            _ => {}
        }
        event.seq = self.sequence;
        self.sequence += 1;
        self.folding.add(&event);
        sink(&event);
    }
}

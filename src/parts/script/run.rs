//! What one run of a script knows: its host, what it read, and what it has done so far.
//!
//! The functions of a script's API are shared by the whole process and hold nothing. Each finds
//! its [`Run`] in the engine's tag. Here is also where secrets are kept: a read of one is noted,
//! and from then on whatever the script writes is marked with it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use rhai::{Dynamic, EvalAltResult, NativeCallContext, Position};

use crate::ground::diagnostic::did_you_mean;
use crate::ground::regex::BoundedRegex;
use crate::ground::secret::{Marked, Marks, SHORTEST, is_jwt, is_secret_name, pseudonym};
use crate::ground::value::Value;
use crate::parts::scope::{Fixed, RESERVED};
use crate::parts::script::draft::Draft;
use crate::parts::script::limits::Limits;
use crate::parts::script::value::{to_dynamic, to_value, weight};
use crate::parts::script::{Ending, Error, Host, TOLD, WRITTEN};

/// An error of Rhai: what functions of the API return.
pub(super) type Failure = Box<EvalAltResult>;
/// What a function of the API returns.
pub(super) type Answer = Result<Dynamic, Failure>;

/// How [`Run::weigh`] calls itself in Rhai's error.
pub(super) const WRITTEN_NAME: &str = "written";
/// In about how many forms a secret is looked for.
const FORMS: usize = 16;

/// How the nesting of values is called in Rhai's error.
pub(super) const NESTED: &str = "nested";

/// The name of a secret that a script made and did not put into a variable yet.
const UNNAMED: &str = "secret";

/// A place: the module, `None` for the script itself, and the position in its text.
pub(super) type At = (Option<String>, Position);

/// One run of a script.
pub(super) struct Run {
    pub(super) host: Host,
    pub(super) limits: Limits,
    state: Mutex<State>,
    started: Instant,
    /// How many operations it did. Rhai's own count forgets what a closure did that a function of
    /// its library called.
    operations: AtomicU64,
    /// Why it ended, and where. A `try` catches that from within a closure, and must not.
    stopped: OnceLock<(Stop, Position)>,
    /// How long the script waited for servers, in milliseconds: that time is not its own.
    waited: AtomicU64,
    /// How many variables of its own the script read.
    reads: AtomicU64,
    /// How much the script put into variables and objects, in bytes.
    written: AtomicU64,
    told: AtomicU64,
}

/// What changes while a script runs.
#[derive(Default)]
pub(super) struct State {
    /// The marks of all that was read.
    pub(super) seen: Marks,
    /// Secrets that are too short to be searched for, but can be known when they stand alone.
    short: Vec<(Arc<str>, String)>,
    /// What `secret(…)` was called with, until a variable gives it a name.
    pending: Vec<Value>,
    /// What `reveal(…)` was called with.
    revealed: Vec<String>,
    /// What `check(…)` found: name, whether it passed, and where it stands.
    pub(super) checks: Vec<(String, bool, At)>,
    /// The patterns of `regex::` that were compiled.
    pub(super) patterns: HashMap<String, BoundedRegex>,
    /// The request, once it was touched.
    pub(super) draft: Option<Draft>,
    /// Whether the request was changed.
    pub(super) dirty: bool,
    /// How many requests were sent.
    pub(super) sends: u32,
    /// What to do about the errors that were raised, by message.
    pub(super) helps: Vec<(String, String)>,
}

/// How a script was ended by one of its own functions; travels where no script can catch it.
#[derive(Clone)]
pub(super) enum Stop {
    /// By `skip`, `stop`, `next` or `fail`.
    Ending(Ending),
    /// By the clock.
    Deadline,
    /// By how much it did.
    Operations,
    /// By how much it told.
    Chatter,
    /// From outside.
    Cancelled,
}

impl Run {
    pub(super) fn new(host: Host, limits: Limits) -> Arc<Self> {
        Arc::new(Self {
            host,
            limits,
            state: Mutex::default(),
            started: Instant::now(),
            operations: AtomicU64::new(0),
            stopped: OnceLock::new(),
            waited: AtomicU64::new(0),
            reads: AtomicU64::new(0),
            written: AtomicU64::new(0),
            told: AtomicU64::new(0),
        })
    }

    /// The run that a call of the API belongs to.
    pub(super) fn of(context: &NativeCallContext) -> Result<Arc<Self>, Failure> {
        context
            .tag()
            .and_then(|tag| tag.read_lock::<Arc<Self>>().map(|run| Arc::clone(&run)))
            .ok_or_else(|| "internal error: a script runs without its run".into())
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why the script must end now, if it must. Asked before every operation.
    pub(super) fn must_stop(&self) -> Option<Stop> {
        const ASK_THE_CLOCK: u64 = 128;
        let operations = self.operations.fetch_add(1, Ordering::Relaxed) + 1;
        if operations > self.limits.operations {
            return Some(self.stop(Stop::Operations, Position::NONE));
        }
        self.is_over(operations.is_multiple_of(ASK_THE_CLOCK))
    }

    /// The same, but of what is not counted as operations; a look at the clock costs something.
    pub(super) fn is_over(&self, by_the_clock: bool) -> Option<Stop> {
        if let Some((stop, _)) = self.stopped() {
            return Some(stop.clone());
        }
        let waited = || Duration::from_millis(self.waited.load(Ordering::Relaxed));
        let stop = if self.host.cancel.load(Ordering::Relaxed) {
            Stop::Cancelled
        } else if self.told.load(Ordering::Relaxed) > TOLD {
            Stop::Chatter
        } else if by_the_clock && self.started.elapsed().saturating_sub(waited()) > self.time() {
            Stop::Deadline
        } else {
            return None;
        };
        Some(self.stop(stop, Position::NONE))
    }

    /// Ends the script for good; the first reason stays.
    pub(super) fn stop(&self, stop: Stop, position: Position) -> Stop {
        self.stopped.get_or_init(|| (stop, position)).0.clone()
    }

    /// Why it was ended, and where.
    pub(super) fn stopped(&self) -> Option<&(Stop, Position)> {
        self.stopped.get()
    }

    /// How long the script may run.
    pub(super) fn time(&self) -> Duration {
        self.host.time.unwrap_or(self.limits.time)
    }

    /// Whether the variables of the script should be weighed now: with every 64th read of one.
    pub(super) fn is_time_to_weigh(&self) -> bool {
        self.reads.fetch_add(1, Ordering::Relaxed) % 64 == 63
    }

    /// Counts what is printed, or names a check; false once it is too much, and the script about to
    /// be stopped.
    pub(super) fn may_tell(&self, text: &str) -> bool {
        let bytes = text.len() as u64 + 64;
        self.told.fetch_add(bytes, Ordering::Relaxed) + bytes <= TOLD
    }

    /// Counts what is put where Rhai's limits do not reach.
    pub(super) fn weigh(&self, value: &Dynamic) -> Result<(), Failure> {
        let weight = weight(value);
        if self.written.fetch_add(weight, Ordering::Relaxed) + weight > WRITTEN {
            let error = EvalAltResult::ErrorDataTooLarge(WRITTEN_NAME.into(), Position::NONE);
            return Err(error.into());
        }
        Ok(())
    }

    /// Does something that waits for a server: the clock of the script stands still.
    pub(super) fn waiting<T>(&self, wait: impl FnOnce() -> T) -> T {
        let since = Instant::now();
        let result = wait();
        let millis = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.waited.fetch_add(millis, Ordering::Relaxed);
        result
    }

    /// An error with something to do about it.
    pub(super) fn error(&self, message: impl Into<String>, help: Option<String>) -> Failure {
        const KEPT: usize = 16;
        let message = message.into();
        if let Some(help) = help {
            let helps = &mut self.state().helps;
            if helps.len() == KEPT {
                helps.remove(0);
            }
            helps.push((message.clone(), help));
        }
        message.into()
    }

    /// An error from outside of the script, with its help.
    pub(super) fn broken(&self, error: Error) -> Failure {
        self.error(error.message, error.help)
    }

    /// Notes that something with these marks was read.
    pub(super) fn note(&self, marks: &Marks) {
        self.state().seen.join(marks);
    }

    /// Notes that something was read that a server sent.
    pub(super) fn note_server(&self) {
        self.state().seen.from_server = true;
    }

    /// Notes that a secret was read.
    pub(super) fn note_secret(&self, name: &str, value: &Value) {
        let name: Arc<str> = name.into();
        self.host.scope.needles.learn_value(&name, value);
        let mut state = self.state();
        if let Value::String(_) | Value::Number(_) = value {
            let text = value.to_text();
            let short = text.len() < SHORTEST || matches!(value, Value::Number(_));
            if short && !text.is_empty() && state.short.iter().all(|(_, known)| *known != text) {
                state.short.push((Arc::clone(&name), text));
            }
        }
        state.seen.join(&Marks::secret(name));
    }

    /// Notes that a member of an object was read, if it is a secret by its name or its form.
    pub(super) fn note_member(&self, name: &str, value: &Value) {
        let told = !matches!(value, Value::Null | Value::Bool(_));
        if told && is_secret_name(name) || has_jwt(value) {
            self.note_secret(if name.is_empty() { "jwt" } else { name }, value);
        }
    }

    /// Notes every secret inside a value that is read as a whole.
    pub(super) fn note_deep(&self, name: &str, value: &Value) {
        self.note_member(name, value);
        match value {
            Value::List(elements) => elements.iter().for_each(|one| self.note_deep(name, one)),
            Value::Object(members) => members.iter().for_each(|(key, one)| self.note_deep(key, one)),
            _ => {}
        }
    }

    /// Learns what one of our functions made, if a secret was read before.
    pub(super) fn learn(&self, made: &Dynamic) {
        let name = self.state().seen.secret.clone();
        if let (Some(name), Ok(text)) = (name, made.as_immutable_string_ref()) {
            self.host.scope.needles.learn(&name, &text);
        }
    }

    /// `secret(x)`: from now on `x` is a secret, named by the variable that it is put into.
    pub(super) fn declare_secret(&self, value: &Dynamic) -> Result<(), String> {
        // A secret is kept in all the forms in which it must not be seen.
        for _ in 0..FORMS {
            self.weigh(value).map_err(|_| "keeps more secrets than a script may".to_owned())?;
        }
        let value = to_value(value, None)?;
        let mut state = self.state();
        state.seen.join(&Marks::secret(UNNAMED.into()));
        state.pending.push(value);
        Ok(())
    }

    /// `reveal(x)`: this text may be shown.
    pub(super) fn reveal(&self, value: &Dynamic) {
        if let Ok(value) = to_value(value, None) {
            let text = value.to_text();
            if !text.is_empty() {
                self.state().revealed.push(text);
            }
        }
    }

    /// Reads a workflow variable.
    pub(super) fn variable(&self, name: &str) -> Answer {
        let Some(Marked { value, marks }) = self.host.scope.get(name) else {
            let names = self.host.scope.names();
            let help = did_you_mean(name, names.iter().map(AsRef::as_ref));
            let help = help.or_else(|| Some(format!("ask with vars.has(\"{name}\") whether it is set")));
            return Err(self.error(format!("there is no variable `{name}`"), help));
        };
        match &marks.secret {
            Some(secret) => self.note_secret(secret, &value),
            None => self.note_member(name, &value),
        }
        self.note(&marks);
        Ok(to_dynamic(&value))
    }

    /// Writes a workflow variable, marked with all that the script has read.
    pub(super) fn set_variable(&self, name: &str, written: &Dynamic) -> Result<(), Failure> {
        self.weigh(written)?;
        if RESERVED.contains(&name) {
            let message = format!("`{name}` means something by itself and is not a variable");
            return Err(self.error(message, Some("choose another name".to_owned())));
        }
        let before = self.host.scope.get(name);
        let value = to_value(written, before.as_ref().map(|before| &before.value))
            .map_err(|why| self.error(format!("`vars.{name}` cannot be set: {why}"), None))?;
        let pending = self.take_pending(name, &value);
        // A method call (`vars.list.len()`) writes back what it was called on: nothing changed.
        if !pending && before.is_some_and(|before| before.value == value) {
            return Ok(());
        }
        let name: Arc<str> = name.into();
        let mut marks = self.state().seen.clone();
        let secret = is_secret_name(&name) || value.as_str().is_some_and(is_jwt);
        if pending || secret && marks.secret.is_none() {
            marks.secret = Some(Arc::clone(&name));
        }
        self.learn_inside(&value);
        let marked = Marked::new(value, marks);
        self.host.scope.set(&name, marked).map_err(|fixed| self.is_fixed(&name, fixed))
    }

    /// Removes a workflow variable.
    pub(super) fn remove_variable(&self, name: &str) -> Answer {
        self.host.scope.remove(name).map(|()| Dynamic::UNIT).map_err(|fixed| self.is_fixed(name, fixed))
    }

    fn is_fixed(&self, name: &str, fixed: Fixed) -> Failure {
        let message = match fixed {
            Fixed::Input => format!("`{name}` is an input, and {fixed}"),
            Fixed::Element => format!("`{name}` stands for an element, and {fixed}"),
        };
        self.error(message, Some("set a variable of another name".to_owned()))
    }

    /// Members with the name of a secret are learnt when an object is kept, though nobody read
    /// them yet: somebody will, and not through us.
    fn learn_inside(&self, value: &Value) {
        match value {
            Value::Object(members) => members.iter().for_each(|(key, member)| {
                if is_secret_name(key) {
                    self.host.scope.needles.learn_value(key, member);
                }
                self.learn_inside(member);
            }),
            Value::List(elements) => elements.iter().for_each(|one| self.learn_inside(one)),
            _ => {}
        }
    }

    /// Whether `secret(…)` made this value; then it has its name now.
    fn take_pending(&self, name: &str, value: &Value) -> bool {
        let mut state = self.state();
        let before = state.pending.len();
        state.pending.retain(|pending| pending != value);
        let found = state.pending.len() < before;
        if found && state.seen.secret.as_deref() == Some(UNNAMED) {
            state.seen.secret = Some(name.into());
        }
        found
    }

    /// A text that may be shown: every secret in it is replaced, but for what was revealed.
    pub(super) fn clean(&self, text: &str) -> String {
        let (pending, mut revealed, short) = {
            let mut state = self.state();
            let pending = std::mem::take(&mut state.pending);
            (pending, state.revealed.clone(), state.short.clone())
        };
        for value in &pending {
            self.note_secret(UNNAMED, value);
        }
        revealed.sort_by_key(|shown| std::cmp::Reverse(shown.len()));
        let needles = &self.host.scope.needles;
        let alone = text.trim_matches('"');
        if let Some((name, _)) = short.iter().find(|(_, secret)| secret == alone)
            && !revealed.iter().any(|shown| shown == alone)
        {
            return pseudonym(name);
        }
        // A text that is no needle needs no protection, and might be a piece of one.
        revealed.retain(|shown| needles.stands_in(shown.as_bytes()));
        self.scrub(text, &revealed)
    }

    fn scrub(&self, text: &str, revealed: &[String]) -> String {
        let Some((shown, rest)) = revealed.split_first() else {
            return self.host.scope.needles.scrub(text);
        };
        let pieces = text.split(shown.as_str());
        let pieces: Vec<String> = pieces.map(|piece| self.scrub(piece, rest)).collect();
        pieces.join(shown)
    }
}

/// Whether a text is a JWT, or a list has one: its elements are read without their names.
fn has_jwt(value: &Value) -> bool {
    let is = |value: &Value| value.as_str().is_some_and(is_jwt);
    is(value) || value.as_list().is_some_and(|list| list.iter().any(is))
}

//! What an expression sees: variables, the answer and earlier steps, as minijinja's objects.
//!
//! Nothing is converted before it is read: an answer of megabytes is walked where it lies. Each
//! read of a secret, or of something a server sent, is noted, and marks what is made of it.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::sync::Arc;

use indexmap::IndexMap;
use minijinja::Value as Jinja;
use minijinja::value::{Enumerator, Object, ObjectRepr, ValueKind};

use crate::ground::diagnostic::nearest;
use crate::ground::secret::{Marked, is_jwt, is_secret_name, masked};
use crate::ground::value::{Map, Number, Value};
use crate::parts::http::Response;
use crate::parts::scope::{Scope, StepRecord, Turn};
use crate::parts::template::reads::Reads;

/// How deep a value that an expression made may be.
const MAX_DEPTH: usize = 128;
/// How many values an expression may make of others, as [`Value::fits`] weighs them.
const MOST_MADE: u64 = 1_000_000;

/// The name under which filters find [`Reads`]; nobody can type it.
pub(super) const READS: &str = "@reads";

/// The root of an evaluation, and the note of what it reads.
pub(super) fn root(scope: &Scope) -> (Jinja, Arc<Reads>) {
    let reads = Arc::new(Reads::new(&scope.needles, &scope.clock));
    let root = Root { scope: scope.clone(), reads: Arc::clone(&reads) };
    (Jinja::from_object(root), reads)
}

/// A marked value as people may see it: a pseudonym, or its JSON with inner secrets masked.
#[must_use]
pub fn shown(found: &Marked<Value>) -> String {
    found.marks.show(|| masked(&found.value).to_text())
}

#[derive(Debug)]
struct Root {
    scope: Scope,
    reads: Arc<Reads>,
}

impl Object for Root {
    fn get_value(self: &Arc<Self>, key: &Jinja) -> Option<Jinja> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Jinja> {
        if let Some(found) = self.scope.get(key) {
            self.reads.note(&found.marks);
            return Some(to_jinja(&found.value, None, &self.reads));
        }
        match key {
            "response" => {
                let response = Arc::clone(self.scope.response()?);
                Some(Jinja::from_object(ResponseView { response, reads: Arc::clone(&self.reads) }))
            }
            "steps" => Some(Jinja::from_object(StepsView {
                scope: self.scope.clone(),
                reads: Arc::clone(&self.reads),
            })),
            "loop" => Some(turn(self.scope.turn()?)),
            READS => Some(Jinja::from_object(ReadsView(Arc::clone(&self.reads)))),
            _ => None,
        }
    }
}

/// `loop`: which element of `for_each` it is, and which pass of `repeat`. Without elements the
/// passes are counted by `loop.index` too.
fn turn(turn: &Turn) -> Jinja {
    let counts = [("index", turn.index.or(turn.pass)), ("pass", turn.pass)];
    let members = counts.into_iter().filter_map(|(name, count)| Some((name, Jinja::from(count?))));
    Jinja::from(members.collect::<BTreeMap<_, _>>())
}

/// The note, where filters find it.
#[derive(Debug)]
pub(super) struct ReadsView(pub Arc<Reads>);

impl Object for ReadsView {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }
}

/// A value for minijinja. `key` is the member that it stands under, which may make it a secret.
pub(super) fn to_jinja(value: &Value, key: Option<&Arc<str>>, reads: &Arc<Reads>) -> Jinja {
    match value {
        Value::Null => Jinja::from(()),
        Value::Bool(truth) => Jinja::from(*truth),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => Jinja::from(number),
            (None, Some(number)) => Jinja::from(number),
            (None, None) => Jinja::from(number.as_f64().unwrap_or_default()),
        },
        Value::String(text) => {
            if let Err(refused) = reads.make(text.len() as u64) {
                return Jinja::from(refused);
            }
            match key.filter(|key| is_secret_name(key)) {
                Some(key) => reads.note_secret(key, text),
                None if is_jwt(text) => reads.note_secret(key.unwrap_or(&"jwt".into()), text),
                None => {}
            }
            Jinja::from(Arc::clone(text))
        }
        Value::List(elements) => {
            Jinja::from_object(ListView { elements: Arc::clone(elements), reads: Arc::clone(reads) })
        }
        Value::Object(members) => {
            Jinja::from_object(ObjectView { members: Arc::clone(members), reads: Arc::clone(reads) })
        }
    }
}

/// What an expression made, as a value of ours.
///
/// # Errors
/// What cannot be a value: nested too deep, larger than [`MOST_MADE`], bytes, a function.
pub(super) fn from_jinja(found: &Jinja) -> Result<Value, String> {
    as_it_was(found).map_or_else(|| converted(found, 0, &mut { MOST_MADE }), Ok)
}

/// A list or an object of ours that nobody changed: it is shared, whatever it weighs.
fn as_it_was(found: &Jinja) -> Option<Value> {
    if let Some(view) = found.downcast_object_ref::<ObjectView>() {
        return Some(Value::Object(Arc::clone(&view.members)));
    }
    let view = found.downcast_object_ref::<ListView>()?;
    Some(Value::List(Arc::clone(&view.elements)))
}

/// A value out of `room`: whoever writes it as JSON writes all of it, however much is shared.
fn converted(found: &Jinja, depth: usize, room: &mut u64) -> Result<Value, String> {
    if depth > MAX_DEPTH {
        return Err(format!("the value is nested deeper than {MAX_DEPTH} levels"));
    }
    let too_many =
        || format!("this expression makes more than {MOST_MADE} values; each 64 bytes of text count as one");
    if let Some(value) = as_it_was(found) {
        return if value.fits(room) { Ok(value) } else { Err(too_many()) };
    }
    let weight = 1 + found.as_str().map_or(0, |text| text.len() as u64 / 64);
    *room = room.checked_sub(weight).ok_or_else(too_many)?;
    match found.kind() {
        ValueKind::Undefined | ValueKind::None => Ok(Value::Null),
        ValueKind::Bool => Ok(Value::Bool(found.is_true())),
        ValueKind::Number => Ok(Value::Number(number(found)?)),
        ValueKind::String => Ok(found.to_str().map_or(Value::Null, Value::String)),
        ValueKind::Seq | ValueKind::Iterable => {
            let elements = found.try_iter().map_err(|error| error.to_string())?;
            let elements: Result<Vec<_>, _> =
                elements.map(|element| converted(&element, depth + 1, room)).collect();
            Ok(elements?.into())
        }
        ValueKind::Map => {
            let keys = found.try_iter().map_err(|error| error.to_string())?;
            let mut member = |key: Jinja| -> Result<(Arc<str>, Value), String> {
                let value = found.get_item(&key).map_err(|error| error.to_string())?;
                let key = key.to_str().unwrap_or_else(|| key.to_string().into());
                Ok((key, converted(&value, depth + 1, room)?))
            };
            Ok(keys.map(&mut member).collect::<Result<Map, _>>()?.into())
        }
        kind => Err(format!("the expression gives {kind}, which is not a value")),
    }
}

fn number(found: &Jinja) -> Result<Number, String> {
    if found.is_integer() {
        if let Some(number) = found.as_i64() {
            return Ok(number.into());
        }
        return u64::try_from(found.clone())
            .map(Number::from)
            .map_err(|_| "the integer does not fit 64 bits".to_owned());
    }
    let double = f64::try_from(found.clone()).map_err(|error| error.to_string())?;
    Number::from_f64(double).ok_or_else(|| "the number is not finite".to_owned())
}

/// An object of JSON.
#[derive(Debug)]
struct ObjectView {
    members: Arc<Map>,
    reads: Arc<Reads>,
}

impl Object for ObjectView {
    fn get_value(self: &Arc<Self>, key: &Jinja) -> Option<Jinja> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Jinja> {
        let (key, value) = self.members.get_key_value(key)?;
        Some(to_jinja(value, Some(key), &self.reads))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.members.keys().map(|key| Jinja::from(Arc::clone(key))).collect())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.members.len())
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Value::Object(Arc::clone(&self.members)).to_json())
    }
}

/// A list of JSON.
#[derive(Debug)]
struct ListView {
    elements: Arc<Vec<Value>>,
    reads: Arc<Reads>,
}

impl Object for ListView {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Jinja) -> Option<Jinja> {
        Some(to_jinja(self.elements.get(key.as_usize()?)?, None, &self.reads))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(self.elements.len())
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Value::List(Arc::clone(&self.elements)).to_json())
    }
}

/// `response`: the answer of a step.
#[derive(Debug)]
struct ResponseView {
    response: Arc<Response>,
    reads: Arc<Reads>,
}

const RESPONSE: [&str; 7] = ["status", "headers", "json", "body", "time_ms", "url", "cookies"];

impl Object for ResponseView {
    fn get_value(self: &Arc<Self>, key: &Jinja) -> Option<Jinja> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Jinja> {
        let response = &self.response;
        let found = match key {
            "status" => return Some(Jinja::from(response.status)),
            "time_ms" => {
                return Some(Jinja::from(
                    u64::try_from(response.timing.total.as_millis()).unwrap_or(u64::MAX),
                ));
            }
            "headers" => Jinja::from_object(HeadersView {
                response: Arc::clone(response),
                reads: Arc::clone(&self.reads),
            }),
            "json" => match response.json() {
                Ok(value) => to_jinja(value, None, &self.reads),
                Err(error) => Jinja::from(minijinja::Error::new(
                    minijinja::ErrorKind::InvalidOperation,
                    format!("the response is not JSON: {error}"),
                )),
            },
            "body" => Jinja::from(response.text().into_owned()),
            "url" => Jinja::from(response.url.as_str()),
            "cookies" => {
                let cookies = response.cookies();
                for (name, value) in cookies {
                    self.reads.note_secret(name, value);
                }
                let pairs =
                    cookies.iter().map(|(name, value)| (Arc::clone(name), Value::String(Arc::clone(value))));
                to_jinja(&pairs.collect::<Map>().into(), None, &self.reads)
            }
            _ => return None,
        };
        self.reads.note_server();
        Some(found)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Str(&RESPONSE)
    }
}

/// `response.headers`: names without case.
#[derive(Debug)]
struct HeadersView {
    response: Arc<Response>,
    reads: Arc<Reads>,
}

impl Object for HeadersView {
    fn get_value(self: &Arc<Self>, key: &Jinja) -> Option<Jinja> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Jinja> {
        let value = self.response.header(key)?;
        if is_secret_name(key) {
            self.reads.note_secret(&key.into(), &value);
        }
        Some(to_jinja(&value.into(), None, &self.reads))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let names: HashSet<_> =
            self.response.headers.keys().map(reqwest::header::HeaderName::as_str).collect();
        let mut names: Vec<_> = names.into_iter().map(Jinja::from).collect();
        names.sort();
        Enumerator::Values(names)
    }
}

/// `steps`: what finished steps left behind.
#[derive(Debug)]
struct StepsView {
    scope: Scope,
    reads: Arc<Reads>,
}

impl Object for StepsView {
    fn get_value(self: &Arc<Self>, key: &Jinja) -> Option<Jinja> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Jinja> {
        let record = self.scope.step(key)?;
        Some(Jinja::from_object(StepView { record, reads: Arc::clone(&self.reads) }))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.scope.step_ids().into_iter().map(Jinja::from).collect())
    }
}

/// `steps.<id>`: the answer's members, `outputs` and `verdict`.
#[derive(Debug)]
struct StepView {
    record: StepRecord,
    reads: Arc<Reads>,
}

impl Object for StepView {
    fn get_value(self: &Arc<Self>, key: &Jinja) -> Option<Jinja> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Jinja> {
        match key {
            "verdict" => Some(Jinja::from(self.record.verdict)),
            "outputs" => {
                let outputs = Arc::clone(self.record.outputs.as_ref()?);
                Some(Jinja::from_object(OutputsView { outputs, reads: Arc::clone(&self.reads) }))
            }
            member => {
                let response = Arc::clone(self.record.response.as_ref()?);
                let view = Arc::new(ResponseView { response, reads: Arc::clone(&self.reads) });
                view.get_value_by_str(member)
            }
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let mut names = vec!["verdict"];
        names.extend(self.record.outputs.as_ref().map(|_| "outputs"));
        names.extend(self.record.response.iter().flat_map(|_| RESPONSE));
        Enumerator::Values(names.into_iter().map(Jinja::from).collect())
    }
}

/// Whether a dotted path leads to something.
pub(super) fn is_defined(path: &str, scope: &Scope) -> bool {
    let (mut found, _) = root(scope);
    path.split('.').all(|name| match found.get_attr(name) {
        Ok(next) if !next.is_undefined() => {
            found = next;
            true
        }
        _ => false,
    })
}

/// `steps.<id>.outputs`: each with its own marks, so that one token does not make all secret.
#[derive(Debug)]
struct OutputsView {
    outputs: Arc<IndexMap<Arc<str>, Marked<Value>>>,
    reads: Arc<Reads>,
}

impl Object for OutputsView {
    fn get_value(self: &Arc<Self>, key: &Jinja) -> Option<Jinja> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Jinja> {
        let found = self.outputs.get(key)?;
        self.reads.note(&found.marks);
        Some(to_jinja(&found.value, None, &self.reads))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.outputs.keys().map(|name| Jinja::from(Arc::clone(name))).collect())
    }
}

/// «did you mean …?» for a dotted path that leads nowhere: the first name of it that is not there,
/// against its neighbours.
pub(super) fn nearest_path(path: &str, scope: &Scope) -> Option<String> {
    let mut names = path.split('.');
    let first = names.next()?;
    let (root, _) = root(scope);
    let root_names = scope.names();
    let mut found = match root.get_attr(first) {
        Ok(found) if !found.is_undefined() => found,
        _ => {
            let candidates = root_names.iter().map(AsRef::as_ref);
            return nearest(first, candidates).map(|near| format!("did you mean `{near}`?"));
        }
    };
    let mut walked = first.to_owned();
    for name in names {
        let next = found.get_attr(name).ok().filter(|next| !next.is_undefined());
        let Some(next) = next else {
            let keys: Vec<String> =
                found.try_iter().ok()?.filter_map(|key| key.as_str().map(str::to_owned)).collect();
            if let Some(near) = nearest(name, keys.iter().map(String::as_str)) {
                return Some(format!("did you mean `{walked}.{near}`?"));
            }
            let few: Vec<_> = keys.iter().take(12).map(String::as_str).collect();
            return (!few.is_empty()).then(|| format!("`{walked}` has {}", few.join(", ")));
        };
        found = next;
        walked = format!("{walked}.{name}");
    }
    None
}

//! `request`: the request of the step, while it can still change.
//!
//! Its parts are live: `let h = request.headers; h["A"] = "b"` changes the request. An object of
//! JSON is a value, as everywhere: `request.json.a = 1` changes the request, a copy does not.

use bytes::Bytes;
use rhai::{Array, Blob, Dynamic, Map as RhaiMap, Module};

use crate::ground::value::Value;
use crate::parts::http::spec::RenderedBody;
use crate::parts::script::draft::Draft;
use crate::parts::script::handles::{bare_method, in_workflow, method, readable, unknown_field, writable};
use crate::parts::script::run::{Answer, Failure, Run};
use crate::parts::script::value::{Object, describe, to_dynamic, to_value};

/// `request`.
#[derive(Debug, Clone, Copy)]
struct Request;

/// Names and values of a request, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pairs {
    Query,
    Headers,
    Form,
}

type List = Vec<(String, String)>;

pub(super) const FIELDS: [&str; 7] = ["method", "url", "query", "headers", "json", "form", "body"];

/// `request` itself.
pub(super) fn handle() -> Dynamic {
    Dynamic::from(Request)
}

/// Registers what `request` and its parts can do.
pub(super) fn register(module: &mut Module) {
    readable::<Request>(module, "request", |run, _, field| read(run, field));
    writable::<Request>(module, |run, _, field, value| write(run, field, value));
    readable::<Pairs>(module, "pairs", |run, pairs, name| with_draft(run, |draft| pairs.get(draft, name)));
    writable::<Pairs>(module, |run, pairs, name, value| {
        let values = texts(run, name, value)?;
        change(run, |draft| pairs.set(draft, name, values))
    });
    method::<Pairs>(module, "contains", |run, pairs, name| {
        with_draft(run, |draft| (!pairs.get(draft, name).is_unit()).into())
    });
    method::<Pairs>(module, "remove", |run, pairs, name| {
        change(run, |draft| pairs.set(draft, name, Vec::new()))?;
        Ok(Dynamic::UNIT)
    });
    bare_method::<Pairs>(module, "keys", |run, pairs| {
        with_draft(run, |draft| {
            let names = pairs.list(draft).into_iter().map(|(name, _)| name.into());
            names.collect::<Array>().into()
        })
    });
    for name in ["to_string", "to_debug"] {
        bare_method::<Pairs>(module, name, |run, pairs| with_draft(run, |draft| pairs.shown(draft).into()));
    }
    bare_method::<Pairs>(module, "len", |run, pairs| {
        with_draft(run, |draft| i64::try_from(pairs.list(draft).len()).unwrap_or(i64::MAX).into())
    });
}

impl Pairs {
    fn list(self, draft: &Draft) -> List {
        match (self, &draft.body) {
            (Self::Query, _) => draft.query.clone(),
            (Self::Headers, _) => draft.headers.clone(),
            (Self::Form, RenderedBody::Form(pairs)) => pairs.clone(),
            (Self::Form, _) => Vec::new(),
        }
    }

    /// As `print` shows them: a pair a line.
    fn shown(self, draft: &Draft) -> String {
        let lines: Vec<String> =
            self.list(draft).into_iter().map(|(name, value)| format!("{name}: {value}")).collect();
        lines.join("\n")
    }

    fn replace(self, draft: &mut Draft, list: List) {
        match self {
            Self::Query if draft.query != list => draft.set_query(list),
            Self::Query => {}
            Self::Headers => draft.headers = list,
            Self::Form => draft.body = RenderedBody::Form(list),
        }
    }

    fn is(self, name: &str, other: &str) -> bool {
        match self {
            Self::Headers => name.eq_ignore_ascii_case(other),
            Self::Query | Self::Form => name == other,
        }
    }

    /// The value; several of one name are a list.
    fn get(self, draft: &Draft, name: &str) -> Dynamic {
        let list = self.list(draft).into_iter();
        let mut found: Array =
            list.filter(|(key, _)| self.is(key, name)).map(|(_, value)| value.into()).collect();
        match found.len() {
            0 => Dynamic::UNIT,
            1 => found.remove(0),
            _ => found.into(),
        }
    }

    /// Sets the values of a name where the first one stood, or at the end.
    fn set(self, draft: &mut Draft, name: &str, values: Vec<String>) {
        let mut list = self.list(draft);
        let at = list.iter().position(|(key, _)| self.is(key, name));
        let at = at.unwrap_or(list.len());
        let shown = list.get(at).map_or_else(|| name.to_owned(), |(key, _)| key.clone());
        list.retain(|(key, _)| !self.is(key, name));
        let values = values.into_iter().map(|value| (shown.clone(), value));
        list.splice(at..at, values);
        self.replace(draft, list);
    }
}

/// Does something with the request; the first time it is rendered.
fn touch<T>(run: &Run, work: impl FnOnce(&mut Draft) -> T) -> Result<T, Failure> {
    in_workflow(run, "request")?;
    let Some(cell) = &run.host.request else {
        let help = "a request can be changed in `before` only";
        return Err(run.error("there is no `request` here", Some(help.to_owned())));
    };
    let rendered = run.state().draft.is_some();
    if !rendered {
        let draft = cell.get().map_err(|why| run.broken(why))?;
        run.state().draft = Some(draft);
    }
    let mut state = run.state();
    Ok(work(state.draft.get_or_insert_default()))
}

fn with_draft<T>(run: &Run, work: impl FnOnce(&Draft) -> T) -> Result<T, Failure> {
    if let Some(cell) = &run.host.request {
        run.note(&cell.marks());
    }
    touch(run, |draft| work(draft))
}

fn change(run: &Run, work: impl FnOnce(&mut Draft)) -> Result<(), Failure> {
    let changed = touch(run, |draft| {
        let before = draft.clone();
        work(draft);
        *draft != before
    })?;
    run.state().dirty |= changed;
    Ok(())
}

fn read(run: &Run, field: &str) -> Answer {
    let pairs = match field {
        "query" => Some(Pairs::Query),
        "headers" => Some(Pairs::Headers),
        "form" => Some(Pairs::Form),
        _ => None,
    };
    if let Some(pairs) = pairs {
        touch(run, |_| ())?;
        return Ok(Dynamic::from(pairs));
    }
    let found = with_draft(run, |draft| match field {
        "method" => Some(draft.method.clone().into()),
        "url" => Some(draft.url.clone().into()),
        "json" => Some(json(&draft.body)),
        "body" => Some(content(&draft.body)),
        _ => None,
    })?;
    found.ok_or_else(|| unknown_field(run, field, "`request`", &FIELDS))
}

fn json(body: &RenderedBody) -> Dynamic {
    parsed(body).map_or(Dynamic::UNIT, |value| to_dynamic(&value))
}

/// The body as JSON, where it is that: a text or a file may be.
fn parsed(body: &RenderedBody) -> Option<Value> {
    match body {
        RenderedBody::Json(value) => Some(value.clone()),
        RenderedBody::Text(text) => Value::from_json(text.as_bytes()).ok(),
        RenderedBody::Bytes { bytes, .. } => Value::from_json(bytes).ok(),
        RenderedBody::None | RenderedBody::Form(_) => None,
    }
}

/// The exact text that is to be sent; bytes that are no text are a blob.
fn content(body: &RenderedBody) -> Dynamic {
    match (body, body.text()) {
        (_, Some(text)) => text.into(),
        (RenderedBody::Bytes { bytes, .. }, None) => Dynamic::from_blob(bytes.to_vec()),
        (_, None) => Dynamic::UNIT,
    }
}

fn write(run: &Run, field: &str, value: &Dynamic) -> Result<(), Failure> {
    match field {
        "method" => {
            let method = text(run, field, value)?;
            change(run, |draft| draft.method = method)
        }
        "url" => {
            let url = text(run, field, value)?;
            change(run, |draft| {
                if draft.url != url {
                    draft.set_url(url);
                }
            })
        }
        "query" => write_pairs(run, Pairs::Query, field, value),
        "headers" => write_pairs(run, Pairs::Headers, field, value),
        "form" => write_pairs(run, Pairs::Form, field, value),
        "json" => write_json(run, value),
        "body" => write_body(run, value),
        _ => Err(unknown_field(run, field, "`request`", &FIELDS)),
    }
}

fn write_json(run: &Run, value: &Dynamic) -> Result<(), Failure> {
    let before = touch(run, |draft| parsed(&draft.body))?;
    let written = to_value(value, before.as_ref())
        .map_err(|why| run.error(format!("`request.json` cannot be set: {why}"), None))?;
    if before.as_ref() == Some(&written) || before.is_none() && value.is_unit() {
        return Ok(());
    }
    change(run, |draft| draft.body = RenderedBody::Json(written))
}

fn write_body(run: &Run, value: &Dynamic) -> Result<(), Failure> {
    if value.is_unit() {
        return change(run, |draft| draft.body = RenderedBody::None);
    }
    if let Some(blob) = value.read_lock::<Blob>() {
        let written = Bytes::copy_from_slice(&blob);
        return change(run, |draft| match &mut draft.body {
            RenderedBody::Bytes { bytes, .. } => *bytes = written,
            body => *body = RenderedBody::Bytes { bytes: written, media: None },
        });
    }
    let text = text(run, "body", value)?;
    change(run, |draft| {
        if draft.body.text().as_ref() != Some(&text) {
            draft.body = RenderedBody::Text(text);
        }
    })
}

/// `request.headers = #{ … }` replaces all of them; a live part written back changes nothing.
fn write_pairs(run: &Run, pairs: Pairs, field: &str, value: &Dynamic) -> Result<(), Failure> {
    if value.read_lock::<Pairs>().is_some_and(|same| *same == pairs) {
        return Ok(());
    }
    let list = list_of(run, field, value)?;
    change(run, |draft| pairs.replace(draft, list))
}

/// The pairs in a map or object: a list repeats its name, nothing leaves it out.
pub(super) fn list_of(run: &Run, field: &str, value: &Dynamic) -> Result<List, Failure> {
    let mut list = List::new();
    let mut add = |name: &str, value: &Dynamic| -> Result<(), Failure> {
        let values = texts(run, name, value)?.into_iter();
        list.extend(values.map(|value| (name.to_owned(), value)));
        Ok(())
    };
    if let Some(members) = value.read_lock::<RhaiMap>() {
        for (name, value) in members.iter() {
            add(name, value)?;
        }
    } else if let Some(object) = value.read_lock::<Object>() {
        for (name, value) in object.0.iter() {
            run.note_member(name, value);
            add(name, &to_dynamic(value))?;
        }
    } else {
        let message = format!("`{field}` takes an object, not {}", describe(value));
        return Err(run.error(message, Some(format!("write #{{ name: \"value\" }} for `{field}`"))));
    }
    Ok(list)
}

fn texts(run: &Run, name: &str, value: &Dynamic) -> Result<Vec<String>, Failure> {
    if value.is_unit() {
        return Ok(Vec::new());
    }
    if let Some(elements) = value.read_lock::<Array>() {
        let elements = elements.iter().filter(|element| !element.is_unit());
        return elements.map(|element| text(run, name, element)).collect();
    }
    Ok(vec![text(run, name, value)?])
}

fn text(run: &Run, name: &str, value: &Dynamic) -> Result<String, Failure> {
    let plain = !value.is_map() && !value.is_array() && !value.is_unit();
    let value = to_value(value, None).ok().filter(|found| plain && found.as_object().is_none());
    value.map(|value| value.to_text()).ok_or_else(|| {
        run.error(
            format!("`{name}` takes a text"),
            Some("json::stringify(x) makes a text of an object".to_owned()),
        )
    })
}

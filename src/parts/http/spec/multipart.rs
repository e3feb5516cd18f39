//! `multipart`: the parts of a form with files, as `multipart/form-data` (RFC 7578).
//!
//! Names are escaped as browsers do it (WHATWG HTML, «multipart form data»), so that no name can
//! begin a header or a part of its own; the boundary is random and occurs in no part, so that no
//! content can end one.

use std::sync::Arc;

use bytes::Bytes;
use memchr::memmem;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};

use crate::ground::random;
use crate::ground::read::{Fields, Reading};
use crate::ground::secret::{Marked, Marks, is_secret_name};
use crate::ground::source::Span;
use crate::ground::value::Value;
use crate::ground::yaml::{Kind, Node};
use crate::parts::http::spec::body::RenderedBody;
use crate::parts::http::spec::file::{BodyFile, MAX_FILE};
use crate::parts::http::spec::read::read_value;
use crate::parts::http::spec::render::{each_value, hidden_as};
use crate::parts::scope::Scope;
use crate::parts::template::{Error, Secret, Sketched, Sketcher, Template, Tree};

/// What `Content-Type` says of it, before its boundary.
pub(super) const MEDIA: &str = "multipart/form-data";
const KEYS: [&str; 5] = ["name", "value", "file", "filename", "content_type"];

/// The parts as they were written.
#[derive(Debug, Clone)]
pub(super) struct Multipart {
    parts: Vec<Part>,
    span: Span,
}

#[derive(Debug, Clone)]
struct Part {
    name: Template,
    content: Content,
    filename: Option<Tree>,
    content_type: Option<Tree>,
    span: Span,
}

#[derive(Debug, Clone)]
enum Content {
    Value(Tree),
    File(BodyFile),
}

impl Multipart {
    /// Reads the node under `multipart`; mistakes are reported.
    pub(super) fn read(node: &Node, reading: &Reading) -> Option<Self> {
        if let Kind::Map(_) = &node.kind {
            let help = "write `[ { name: title, value: hello }, { name: photo, file: a.png } ]`";
            reading.error_with(node.span, "`multipart` must be a list of parts, not a map", help);
            return None;
        }
        let parts: Vec<_> =
            reading.list(node, "multipart")?.iter().map(|node| Part::read(node, reading)).collect();
        Some(Self { parts: parts.into_iter().collect::<Option<_>>()?, span: node.span })
    }

    pub(super) fn files(&self) -> impl Iterator<Item = &BodyFile> {
        self.parts.iter().filter_map(|part| match &part.content {
            Content::File(file) => Some(file),
            Content::Value(_) => None,
        })
    }

    /// The exact bytes, what `Content-Type` says of them, and what went into them.
    ///
    /// # Errors
    /// Where a template cannot be evaluated, a file cannot be read, or all of it is too large.
    pub(super) fn render(&self, scope: &Scope) -> Result<Marked<RenderedBody>, Error> {
        let mut marks = Marks::NONE;
        let mut rendered = Vec::with_capacity(self.parts.len());
        let mut total = 0;
        for part in &self.parts {
            let before = rendered.len();
            part.render(scope, &mut marks, &mut rendered)?;
            total += rendered[before..].iter().map(|(_, content)| content.len() as u64).sum::<u64>();
            if total > MAX_FILE {
                let message =
                    format!("the parts have more than {} MiB together, which is the most", MAX_FILE >> 20);
                return Err(Error::new(part.span, message));
            }
        }
        let boundary = boundary(&rendered).map_err(|error| Error::new(self.span, error.to_string()))?;
        let media = Some(format!("{MEDIA}; boundary={boundary}").into());
        let bytes = join(rendered, &boundary);
        Ok(Marked::new(RenderedBody::Bytes { bytes, media }, marks))
    }

    /// The parts as people may see them, each in a line: `photo: <a.png, 12 bytes>`.
    ///
    /// # Errors
    /// As [`Multipart::render`], but for files.
    pub(super) fn shown(&self, scope: &Scope) -> Result<String, Error> {
        let mut lines = Vec::with_capacity(self.parts.len());
        for part in &self.parts {
            part.shown(scope, &mut lines)?;
        }
        Ok(lines.join("\n"))
    }

    /// Visits its templates.
    pub(super) fn templates(&self, visit: &mut dyn FnMut(&Template)) {
        for part in &self.parts {
            visit(&part.name);
            if let Content::Value(tree) = &part.content {
                tree.templates(visit);
            }
            part.filename.iter().chain(&part.content_type).for_each(|tree| tree.templates(visit));
        }
    }

    /// The values of the parts that have a secret's name.
    pub(super) fn secrets(&self, scope: &Scope, secrets: &mut Vec<(Arc<str>, String)>) {
        for part in &self.parts {
            let (Content::Value(tree), Ok(name)) = (&part.content, part.name.text(scope)) else { continue };
            if is_secret_name(&name.value) {
                // What cannot be evaluated cannot be sent.
                let _ = each_value(tree, scope, &mut |value, _| {
                    secrets.push((name.value.as_str().into(), value));
                    Ok(())
                });
            }
        }
    }

    /// The parts in words, as far as they are known: a line each.
    pub(super) fn sketch(&self, sketcher: &Sketcher<'_>) -> Vec<Sketched> {
        let mut pieces = Vec::new();
        let mut line = |name: Vec<Sketched>, value: Vec<Sketched>| {
            if !pieces.is_empty() {
                pieces.push(Sketched::Text("\n".to_owned()));
            }
            pieces.extend(name);
            pieces.push(Sketched::Text(": ".to_owned()));
            pieces.extend(value);
        };
        for part in &self.parts {
            let name = part.name.sketch(sketcher);
            let is_secret = matches!(name.as_slice(), [Sketched::Text(name)] if is_secret_name(name));
            match &part.content {
                Content::File(file) => line(name, vec![Sketched::Text(file.shown())]),
                Content::Value(tree) => {
                    for value in tree.sketch_values(sketcher) {
                        let hidden = || vec![Sketched::Secret(Secret::new(name_of(&name), ""))];
                        let value = if is_secret { hidden() } else { value };
                        line(name.clone(), value);
                    }
                }
            }
        }
        pieces
    }
}

fn name_of(name: &[Sketched]) -> Arc<str> {
    match name {
        [Sketched::Text(name)] => name.as_str().into(),
        _ => "secret".into(),
    }
}

impl Part {
    fn read(node: &Node, reading: &Reading) -> Option<Self> {
        let fields = reading.fields(node, "a part", &KEYS, &[])?;
        let name = fields.required("name", || {
            let help = "write `{ name: title, value: hello }`";
            reading.error_with(fields.span, "a part needs `name`", help);
        });
        let name = name.and_then(|node| Template::read(reading.text(node, "name")?, reading));
        let content = Content::read(&fields, reading);
        let text = |key: &str| {
            fields.optional(key, |node| {
                reading.text(node, key)?;
                read_value(node, reading)
            })
        };
        let (filename, content_type) = (text("filename"), text("content_type"));
        Some(Self {
            name: name?,
            content: content?,
            filename: filename?,
            content_type: content_type?,
            span: node.span,
        })
    }

    fn render(
        &self,
        scope: &Scope,
        marks: &mut Marks,
        parts: &mut Vec<(String, Bytes)>,
    ) -> Result<(), Error> {
        let name = self.name.text(scope)?;
        let filename = text(self.filename.as_ref(), scope, marks)?;
        let content_type = text(self.content_type.as_ref(), scope, marks)?;
        if content_type.as_deref().is_some_and(|media| HeaderValue::from_str(media).is_err()) {
            let message = "`content_type` has a line break or another character that no header takes";
            return Err(Error::new(self.span, message));
        }
        match &self.content {
            Content::Value(tree) => {
                let head = head(&name.value, filename.as_deref(), content_type.as_deref());
                let mut used = false;
                each_value(tree, scope, &mut |value, found| {
                    used = true;
                    marks.join(found);
                    parts.push((head.clone(), value.into()));
                    Ok(())
                })?;
                if used {
                    marks.join(&name.marks);
                }
            }
            Content::File(file) => {
                marks.join(&name.marks);
                let filename = filename.unwrap_or_else(|| file.name());
                let media = content_type.as_deref().unwrap_or_else(|| file.media_type());
                parts.push((head(&name.value, Some(&filename), Some(media)), file.load()?));
            }
        }
        Ok(())
    }

    fn shown(&self, scope: &Scope, lines: &mut Vec<String>) -> Result<(), Error> {
        let name = self.name.shown(scope)?;
        match &self.content {
            Content::File(file) => lines.push(format!("{name}: {}", file.shown())),
            Content::Value(tree) => each_value(tree, scope, &mut |value, marks| {
                let value = hidden_as(&name, marks).unwrap_or(value);
                lines.push(format!("{name}: {value}"));
                Ok(())
            })?,
        }
        Ok(())
    }
}

impl Content {
    fn read(fields: &Fields<'_>, reading: &Reading) -> Option<Self> {
        match (fields.entry("value"), fields.entry("file")) {
            (Some((_, node)), None) => read_value(node, reading).map(Self::Value),
            (None, Some((_, node))) => BodyFile::read(node, reading).map(Self::File),
            (Some(_), Some((key, _))) => {
                let help = "keep one of them, or make two parts";
                reading.error_with(key.span, "a part has one content: `file` beside `value`", help);
                None
            }
            (None, None) => {
                if !KEYS.iter().any(|key| fields.is_meant(key)) {
                    let help = "give it a `value`, or the path of a `file`";
                    reading.error_with(fields.span, "this part has no content", help);
                }
                None
            }
        }
    }
}

/// A text that may be left out, by null too.
fn text(tree: Option<&Tree>, scope: &Scope, marks: &mut Marks) -> Result<Option<String>, Error> {
    let Some(tree) = tree else { return Ok(None) };
    let found = tree.value(scope)?;
    marks.join(&found.marks);
    Ok((found.value != Value::Null).then(|| found.value.to_text()))
}

/// The head of a part, its blank line included.
fn head(name: &str, filename: Option<&str>, content_type: Option<&str>) -> String {
    // A browser makes every line break of a name CR LF first; that of a file name stays.
    let name = name.replace("\r\n", "\n").replace(['\r', '\n'], "\r\n");
    let mut head = format!("Content-Disposition: form-data; name=\"{}\"", escaped(&name));
    if let Some(filename) = filename {
        head.push_str("; filename=\"");
        head.push_str(&escaped(filename));
        head.push('"');
    }
    if let Some(media) = content_type {
        head.push_str("\r\nContent-Type: ");
        head.push_str(media);
    }
    head.push_str("\r\n\r\n");
    head
}

fn escaped(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

/// A boundary that occurs in no part (RFC 2046, 5.1.1).
fn boundary(parts: &[(String, Bytes)]) -> Result<String, random::Error> {
    loop {
        let boundary = format!("reqchain-{}", random::letters(32)?);
        let finder = memmem::Finder::new(boundary.as_bytes());
        let occurs = |text: &[u8]| finder.find(text).is_some();
        if !parts.iter().any(|(head, content)| occurs(head.as_bytes()) || occurs(content)) {
            return Ok(boundary);
        }
    }
}

fn join(parts: Vec<(String, Bytes)>, boundary: &str) -> Bytes {
    let length: usize = parts.iter().map(|(head, content)| head.len() + content.len()).sum();
    let mut body = Vec::with_capacity(length + (parts.len() + 1) * (boundary.len() + 8));
    // Each part is dropped once it is written: files are large.
    for (head, content) in parts {
        for piece in ["--".as_bytes(), boundary.as_bytes(), b"\r\n", head.as_bytes(), &content, b"\r\n"] {
            body.extend_from_slice(piece);
        }
    }
    for piece in ["--", boundary, "--\r\n"].map(str::as_bytes) {
        body.extend_from_slice(piece);
    }
    body.into()
}

/// A `Content-Type` that the user wrote gets the boundary that was chosen: without one, or with
/// another, no server could read the parts.
///
/// # Errors
/// Where it names a boundary of its own.
pub(super) fn complete(headers: &mut HeaderMap, media: &str, span: Span) -> Result<(), Error> {
    let Some(own) = headers.get(CONTENT_TYPE).map(|own| String::from_utf8_lossy(own.as_bytes()).into_owned())
    else {
        return Ok(());
    };
    let lower = own.to_ascii_lowercase();
    if !lower.starts_with("multipart/") {
        return Ok(());
    }
    if lower.contains("boundary=") {
        let message = "`content-type` names a boundary, but one is chosen for each request";
        return Err(Error::new(span, message).help("leave the header out, or its `boundary`"));
    }
    let boundary = media.split_once(';').map_or("", |(_, boundary)| boundary);
    if let Ok(value) = HeaderValue::from_str(&format!("{own};{boundary}")) {
        headers.insert(CONTENT_TYPE, value);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_leave_its_quotes() {
        for (name, filename, expected) in [
            ("a", None, "name=\"a\"\r\n\r\n"),
            ("a\"; filename=\"x", None, "name=\"a%22; filename=%22x\"\r\n\r\n"),
            ("a\nb\r\nc\rd", None, "name=\"a%0D%0Ab%0D%0Ac%0D%0Ad\"\r\n\r\n"),
            ("ü", Some("ö\r\n\".png"), "name=\"ü\"; filename=\"ö%0D%0A%22.png\"\r\n\r\n"),
            ("a", Some("b\nc"), "name=\"a\"; filename=\"b%0Ac\"\r\n\r\n"),
        ] {
            let expected = format!("Content-Disposition: form-data; {expected}");
            assert_eq!(head(name, filename, None), expected);
        }
    }

    #[test]
    fn parts_stand_between_boundaries() {
        let parts =
            vec![("A: 1\r\n\r\n".to_owned(), Bytes::from("x")), ("B: 2\r\n\r\n".to_owned(), "".into())];
        assert_eq!(join(parts, "b"), "--b\r\nA: 1\r\n\r\nx\r\n--b\r\nB: 2\r\n\r\n\r\n--b--\r\n");
        assert_eq!(join(Vec::new(), "b"), "--b--\r\n");
    }

    #[test]
    fn each_boundary_is_another_one_and_fits_its_limit() {
        let (one, two) = (boundary(&[]).expect("random bytes"), boundary(&[]).expect("random bytes"));
        assert_ne!(one, two);
        assert!(one.len() <= 70, "RFC 2046 allows 70 characters");
    }
}

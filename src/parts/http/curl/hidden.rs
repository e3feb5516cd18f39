//! Which parts of a request no command may show.

use std::ops::Range;
use std::sync::Arc;

use crate::ground::encode::{self, Spelling};
use crate::ground::secret::written::{self, Written};
use crate::ground::secret::{Needles, is_secret_name};
use crate::ground::value::Value;
use crate::parts::http::curl::{Hidden, LARGEST, Piece};
use crate::parts::http::media::is_form;
use crate::parts::http::message::{Request, holds_url, is_credential};

/// The secrets of one request.
pub(super) struct Secrets<'n> {
    needles: &'n Needles,
    /// Those that are looked for however short they are, each with the text that it is a form of.
    known: Vec<Known>,
}

struct Known {
    name: Arc<str>,
    text: String,
    secret: String,
}

impl<'n> Secrets<'n> {
    /// Those that the run knows.
    pub(super) fn new(needles: &'n Needles, known: &[(Arc<str>, String)]) -> Self {
        let mut secrets = Self { needles, known: Vec::new() };
        for (name, text) in known {
            secrets.learn(name, text);
        }
        secrets
    }

    /// Those that the run knows, and what stands in the request under a secret's name.
    pub(super) fn of(request: &Request, needles: &'n Needles, known: &[(Arc<str>, String)]) -> Self {
        let mut secrets = Self::new(needles, known);
        secrets.learn_written(request.url.as_str(), written::parameters, encode::decoded);
        for (name, value) in request.headers.iter().filter(|(name, _)| !is_credential(name)) {
            let find = if holds_url(name) { written::parameters } else { written::certain };
            secrets.learn_written(&String::from_utf8_lossy(value.as_bytes()), find, encode::decoded);
        }
        if let Some(text) = text(request) {
            if is_form(&request.headers) {
                secrets.learn_written(text, written::pairs, encode::form_decoded);
            } else if let Ok(json) = Value::from_json(text.as_bytes()) {
                secrets.learn_members(&json);
            } else {
                secrets.learn_written(text, written::certain, encode::decoded);
            }
        }
        secrets
    }

    fn learn(&mut self, name: &Arc<str>, secret: &str) {
        if secret.is_empty() {
            return;
        }
        for text in [secret.to_owned(), encode::url(secret), encode::form_piece(secret), json(secret)] {
            if self.known.iter().all(|known| known.text != text) {
                self.known.push(Known { name: Arc::clone(name), text, secret: secret.to_owned() });
            }
        }
    }

    /// `a=1&password=x`: what has a secret's name, in the form that stands there.
    fn learn_written(&mut self, text: &str, find: fn(&str) -> Vec<Written<'_>>, decode: fn(&str) -> String) {
        for Written { name, range, .. } in find(text) {
            let value = &text[range];
            self.learn(&name.into(), &decode(value));
            self.learn(&name.into(), value);
        }
    }

    fn learn_members(&mut self, value: &Value) {
        match value {
            Value::Object(members) => {
                for (key, member) in members.iter() {
                    match member {
                        Value::String(_) | Value::Number(_) if is_secret_name(key) => {
                            self.learn(key, &member.to_text());
                        }
                        _ => self.learn_members(member),
                    }
                }
            }
            Value::List(elements) => elements.iter().for_each(|element| self.learn_members(element)),
            _ => {}
        }
    }

    /// A text, taken apart.
    pub(super) fn pieces(&self, text: &str) -> Vec<Piece> {
        let mut pieces = Vec::new();
        let mut from = 0;
        for hit in self.needles.find(text) {
            self.gap(&text[from..hit.range.start], &mut pieces);
            let written = &text[hit.range.clone()];
            // What was learned of this request is what it stands for, although every text may be
            // searched for it as it is written here.
            let known = self.known.iter().find(|known| known.text == written);
            let own = known.map_or(&*hit.secret, |known| &known.secret);
            pieces.push(Piece::Hidden(hidden(&hit.name, written, own)));
            from = hit.range.end;
        }
        self.gap(&text[from..], &mut pieces);
        pieces
    }

    /// A text in which nothing stands that every text is searched for.
    fn gap(&self, text: &str, pieces: &mut Vec<Piece>) {
        let mut rest = text;
        while let Some((range, known)) = self.first(rest) {
            push(pieces, &rest[..range.start]);
            pieces.push(Piece::Hidden(hidden(&known.name, &known.text, &known.secret)));
            rest = &rest[range.end..];
        }
        push(pieces, rest);
    }

    /// The first of those that are known; the longest where several begin.
    fn first(&self, text: &str) -> Option<(Range<usize>, &Known)> {
        let found = self.known.iter().filter_map(|known| {
            let at = text.find(&known.text)?;
            Some((at..at + known.text.len(), known))
        });
        found.min_by_key(|(range, _)| (range.start, std::cmp::Reverse(range.end)))
    }

    /// A text that is a secret as a whole, by the name that it has, else by this one.
    pub(super) fn whole(&self, text: &str, name: &str) -> Hidden {
        match self.pieces(text).as_slice() {
            [Piece::Hidden(hidden)] => hidden.clone(),
            _ => Hidden::new(name, text),
        }
    }

    /// Whether a secret stands in bytes that are no text.
    pub(super) fn stands_in(&self, bytes: &[u8]) -> bool {
        let text = String::from_utf8_lossy(bytes);
        let encoded = encode::base64(bytes);
        [&*text, &encoded].iter().any(|text| !self.needles.find(text).is_empty())
            || self.first(&text).is_some()
    }
}

/// The body, where it is a text that is not too large to be looked at.
fn text(request: &Request) -> Option<&str> {
    let body = request.body.as_deref().filter(|body| body.len() <= LARGEST)?;
    std::str::from_utf8(body).ok()
}

fn push(pieces: &mut Vec<Piece>, text: &str) {
    if !text.is_empty() {
        pieces.push(Piece::Text(text.to_owned()));
    }
}

/// What stands there, and which form of the secret it is.
pub(super) fn hidden(name: &Arc<str>, text: &str, secret: &str) -> Hidden {
    let form = if text == secret {
        Spelling::Own
    } else if text == encode::url(secret) || text == encode::form_piece(secret) {
        Spelling::Percent
    } else if text == json(secret) {
        Spelling::Json
    } else {
        Spelling::Other
    };
    Hidden { name: Arc::clone(name), key: text.into(), form }
}

/// As it stands between the quotes of JSON.
fn json(text: &str) -> String {
    let quoted = Value::from(text).to_json();
    quoted[1..quoted.len() - 1].to_owned()
}

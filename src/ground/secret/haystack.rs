//! The needles of a part of a run: every form of each secret, and the search for them.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::ops::Range;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::ground::encode;
use crate::ground::secret::{Hit, SHORTEST, is_jwt, is_needle};
use crate::ground::value::Value;

/// An incremental index of needles by their first eight bytes. A general searcher would have to
/// be built again for each secret that a run learns.
#[derive(Default)]
pub(super) struct Haystack {
    pub(super) learnt: Vec<(Arc<str>, Box<str>)>,
    indexed: usize,
    needles: HashMap<[u8; SHORTEST], Vec<Needle>>,
    pub(super) revealed: HashSet<Box<str>>,
}

struct Needle {
    name: Arc<str>,
    text: Box<[u8]>,
    /// Which of those that were learnt it is a form of.
    of: usize,
}

impl Haystack {
    pub(super) fn scrub(&mut self, text: &str) -> String {
        let mut clean = String::new();
        let mut kept = 0;
        self.visit(text, &mut |range, needle| {
            clean.push_str(&text[kept..range.start]);
            let _ = write!(clean, "«{}»", needle.name);
            kept = range.end;
        });
        clean.push_str(&text[kept..]);
        clean
    }

    pub(super) fn find(&mut self, text: &str) -> Vec<Hit> {
        let mut places = Vec::new();
        self.visit(text, &mut |range, needle| places.push((range, Arc::clone(&needle.name), needle.of)));
        let hit = |(range, name, of): (_, _, usize)| Hit { range, name, secret: self.learnt[of].1.clone() };
        places.into_iter().map(hit).collect()
    }

    /// Tells every needle in a text, the longest at each place.
    fn visit(&mut self, text: &str, tell: &mut dyn FnMut(Range<usize>, &Needle)) {
        self.index();
        if self.needles.is_empty() {
            return;
        }
        let bytes = text.as_bytes();
        let mut at = 0;
        while let Some(head) = bytes.get(at..at + SHORTEST) {
            match self.longest(head, &bytes[at..]) {
                Some(needle)
                    if text.is_char_boundary(at) && text.is_char_boundary(at + needle.text.len()) =>
                {
                    tell(at..at + needle.text.len(), needle);
                    at += needle.text.len();
                }
                _ => at += 1,
            }
        }
    }

    fn longest(&self, head: &[u8], text: &[u8]) -> Option<&Needle> {
        self.needles
            .get(head)?
            .iter()
            .filter(|needle| text.starts_with(&needle.text) && !self.is_revealed(&needle.text))
            .max_by_key(|needle| needle.text.len())
    }

    fn is_revealed(&self, needle: &[u8]) -> bool {
        !self.revealed.is_empty() && str::from_utf8(needle).is_ok_and(|text| self.revealed.contains(text))
    }

    fn index(&mut self) {
        for at in self.indexed..self.learnt.len() {
            let (name, text) = self.learnt[at].clone();
            for form in forms(&text) {
                self.insert(&name, form.as_bytes(), at);
            }
        }
        self.indexed = self.learnt.len();
    }

    fn insert(&mut self, name: &Arc<str>, text: &[u8], of: usize) {
        let Some(head) = text.first_chunk::<SHORTEST>() else {
            return;
        };
        let same = self.needles.entry(*head).or_default();
        if same.iter().all(|needle| *needle.text != *text) {
            same.push(Needle { name: Arc::clone(name), text: text.into(), of });
        }
    }
}

/// Every form in which a secret may come back: as it is, line by line, in the encodings that
/// HTTP, JSON, XML and shells use, inside a longer base64 text, and the parts of a JWT.
fn forms(secret: &str) -> Vec<String> {
    let mut forms = vec![secret.to_owned(), secret.trim().to_owned()];
    forms.extend(secret.lines().map(str::to_owned).filter(|line| is_needle(line)));
    let bytes = secret.as_bytes();
    for skip in 0..3 {
        forms.extend(inside_base64(bytes, skip));
    }
    let percent = utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string();
    let url = utf8_percent_encode(secret, &encode::UNRESERVED).to_string();
    let form: String = url::form_urlencoded::byte_serialize(bytes).collect();
    for encoded in [percent, url, form] {
        forms.push(lower_percent(&encoded));
        forms.push(encoded);
    }
    let json = Value::from(secret).to_json();
    let twice = Value::from(&json[1..json.len() - 1]).to_json();
    forms.push(json[1..json.len() - 1].to_owned());
    // A text of a server that holds JSON, itself shown in JSON.
    forms.push(twice[1..twice.len() - 1].to_owned());
    forms.push(json[1..json.len() - 1].replace('/', "\\/"));
    let html = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    forms.push(html.replace('\'', "&#39;"));
    forms.push(html.replace('\'', "&apos;"));
    forms.push(html.replace('\'', "&#x27;"));
    forms.push(html);
    forms.push(secret.replace('\'', "'\\''"));
    let hex = encode::hex(bytes);
    forms.push(hex.to_uppercase());
    forms.push(hex);
    if is_jwt(secret) {
        forms.extend(secret.split('.').skip(1).map(str::to_owned));
    }
    forms.retain(|form| form.len() >= SHORTEST);
    forms.sort_unstable();
    forms.dedup();
    forms
}

/// The part of a base64 text that depends on nothing but the secret, when `skip` bytes stand
/// before it: the digits shared with a neighbour are cut off at both ends.
fn inside_base64(secret: &[u8], skip: usize) -> Vec<String> {
    let mut padded = vec![0; skip];
    padded.extend_from_slice(secret);
    let first = match skip {
        0 => 0,
        1 => 2,
        _ => 3,
    };
    let certain = padded.len() * 8 / 6;
    let cut = |text: String| text.get(first..certain.min(text.len())).unwrap_or_default().to_owned();
    let mut forms = vec![cut(STANDARD_NO_PAD.encode(&padded)), cut(URL_SAFE_NO_PAD.encode(&padded))];
    if skip == 0 {
        forms.push(STANDARD_NO_PAD.encode(&padded));
        forms.push(URL_SAFE_NO_PAD.encode(&padded));
    }
    forms
}

fn lower_percent(encoded: &str) -> String {
    let mut parts = encoded.split('%');
    let mut lower = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (digits, rest) = part.split_at(part.len().min(2));
        let _ = write!(lower, "%{}{rest}", digits.to_lowercase());
    }
    lower
}

//! The needles of a part of a run: each secret, the forms in which no decoding finds it, and the
//! search for them.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use foldhash::fast::RandomState;
use indexmap::IndexMap;
use url::Host;

use crate::ground::encode;
use crate::ground::secret::{SHORTEST, is_jwt, is_needle, jwt_length, view};

/// How long a secret is whose beginning is looked for alone, and how much of it that must be.
const LONG: usize = 16;
const BEGINNING: usize = 12;

/// The longest name of a host (RFC 1035, section 2.3.4).
const LONGEST_HOST: usize = 253;

/// An incremental index of needles by their first eight bytes. A general searcher would have to
/// be built again for each secret that a run learns.
#[derive(Default)]
pub(super) struct Haystack {
    /// Every secret, however short, and the name under which it was learnt first.
    pub(super) learnt: IndexMap<Box<str>, Arc<str>, RandomState>,
    indexed: usize,
    needles: HashMap<[u8; SHORTEST], Vec<Needle>, RandomState>,
    beginnings: Beginnings,
    pub(super) revealed: HashSet<Box<str>, RandomState>,
}

struct Needle {
    text: Box<[u8]>,
    /// Which of those that were learnt it is a form of.
    of: usize,
    /// Whether its beginning is looked for, too.
    begins: bool,
}

/// Which needles may begin here, by their first four bytes: most places of a text are passed over
/// without looking into the index.
#[derive(Default)]
struct Beginnings(Vec<u64>);

impl Beginnings {
    /// The bit of four bytes: a multiplication spreads them over all sixteen bits of a place.
    fn bit(head: [u8; 4]) -> (usize, u64) {
        let spread = u32::from_le_bytes(head).wrapping_mul(0x9e37_79b1) >> 16;
        (spread as usize / 64, 1 << (spread % 64))
    }

    fn add(&mut self, head: [u8; 4]) {
        if self.0.is_empty() {
            self.0 = vec![0; 1024];
        }
        let (word, bit) = Self::bit(head);
        self.0[word] |= bit;
    }

    fn may_begin(&self, text: &[u8]) -> bool {
        text.first_chunk::<4>().is_some_and(|head| {
            let (word, bit) = Self::bit(*head);
            self.0[word] & bit != 0
        })
    }
}

impl Haystack {
    /// Whether there is nothing to search for.
    pub(super) fn is_empty(&mut self) -> bool {
        self.index();
        self.needles.is_empty()
    }

    /// The name and the text of what was learnt.
    pub(super) fn secret(&self, of: usize) -> Option<(&str, &Arc<str>)> {
        self.learnt.get_index(of).map(|(text, name)| (&**text, name))
    }

    /// Tells every needle in a text, the longest at each place, and which secret it is a form of.
    pub(super) fn visit(&mut self, text: &[u8], tell: &mut dyn FnMut(Range<usize>, usize)) {
        if self.is_empty() {
            return;
        }
        let mut at = 0;
        while let Some(head) = text.get(at..).and_then(<[u8]>::first_chunk::<SHORTEST>) {
            let found = if self.beginnings.may_begin(head) { self.longest(*head, &text[at..]) } else { None };
            match found {
                Some((length, of)) => {
                    tell(at..at + length, of);
                    at += length;
                }
                None => at += 1,
            }
        }
    }

    fn longest(&self, head: [u8; SHORTEST], text: &[u8]) -> Option<(usize, usize)> {
        let here = self.needles.get(&head)?.iter().filter(|needle| !self.is_revealed(&needle.text));
        let found = here.filter_map(|needle| needle.stands(text).map(|length| (length, needle.of)));
        found.max_by_key(|(length, of)| (*length, std::cmp::Reverse(*of)))
    }

    fn is_revealed(&self, needle: &[u8]) -> bool {
        !self.revealed.is_empty() && str::from_utf8(needle).is_ok_and(|text| self.revealed.contains(text))
    }

    fn index(&mut self) {
        for at in self.indexed..self.learnt.len() {
            let Some((secret, _)) = self.learnt.get_index(at) else { break };
            if is_needle(secret) {
                for (form, begins) in forms(secret) {
                    self.insert(form, at, begins);
                }
            }
        }
        self.indexed = self.learnt.len();
    }

    fn insert(&mut self, text: String, of: usize, begins: bool) {
        let Some(head) = text.as_bytes().first_chunk::<SHORTEST>() else { return };
        self.beginnings.add([head[0], head[1], head[2], head[3]]);
        let same = self.needles.entry(*head).or_default();
        if same.iter().all(|needle| *needle.text != *text.as_bytes()) {
            same.push(Needle { text: text.into_bytes().into(), of, begins });
        }
    }
}

impl Needle {
    /// How much of it a text begins with: all, or as much as is told of no secret.
    fn stands(&self, text: &[u8]) -> Option<usize> {
        if text.starts_with(&self.text) {
            return Some(self.text.len());
        }
        if !self.begins || jwt_length(text).is_some() {
            return None;
        }
        let same = self.text.iter().zip(text).take_while(|(one, other)| one == other).count();
        // A character that is cut belongs to what follows.
        let whole =
            (0..=same).rev().find(|end| self.text.get(*end).is_none_or(|byte| byte & 0xc0 != 0x80))?;
        (whole >= BEGINNING).then_some(whole)
    }
}

/// The forms in which a secret is looked for, and whether their beginning is looked for alone: as it
/// is, line by line, as base64 and inside a longer base64 text, in hexadecimal, quoted for a shell,
/// without colours and blanks, in small letters as in a host, and the parts of a JWT. All that merely escapes characters is decoded where it
/// is looked for.
fn forms(secret: &str) -> Vec<(String, bool)> {
    // All URLs begin alike, and one that holds a secret must not hide the rest.
    let begins = secret.len() >= LONG && !secret.contains("://");
    let mut forms = vec![(secret.to_owned(), begins)];
    forms.extend(in_hosts(secret).into_iter().map(|form| (form, begins)));
    let mut add = |form: String| {
        if form.len() >= SHORTEST {
            forms.push((form, false));
        }
    };
    let trimmed = secret.trim();
    if trimmed.len() < secret.len() {
        add(trimmed.to_owned());
    }
    if let Some(joined) = view::joined(secret) {
        secret.split(['\n', '\r']).for_each(|line| add(line.trim().to_owned()));
        add(joined);
    }
    view::uncolored(secret).into_iter().for_each(&mut add);
    view::unspaced(secret).into_iter().for_each(&mut add);
    let bytes = secret.as_bytes();
    for skip in 0..3 {
        inside_base64(bytes, skip).into_iter().for_each(&mut add);
    }
    if secret.contains('\'') {
        add(secret.replace('\'', "'\\''"));
        add(secret.replace('\'', "'\"'\"'"));
    }
    let hex = encode::hex(bytes);
    add(hex.to_uppercase());
    add(hex);
    if is_jwt(secret) {
        secret.split('.').skip(1).for_each(|part| add(part.to_owned()));
    }
    forms
}

/// What becomes of a secret in the name of a host, or of a header: small letters, and Punycode for what
/// is no ASCII.
fn in_hosts(secret: &str) -> Vec<String> {
    let small = secret.to_ascii_lowercase();
    let ascii = Some(secret).filter(|secret| !secret.is_ascii() && secret.len() <= LONGEST_HOST);
    let punycode = ascii.and_then(|secret| match Host::parse(secret) {
        Ok(Host::Domain(name)) => Some(name),
        _ => None,
    });
    let is_other = |form: &String| form != secret && form.len() >= SHORTEST;
    [Some(small), punycode].into_iter().flatten().filter(is_other).collect()
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
    let whole = STANDARD_NO_PAD.encode(&padded);
    let cut = |text: &str| text.get(first..certain.min(text.len())).unwrap_or_default().to_owned();
    let mut forms = vec![cut(&whole)];
    if skip == 0 {
        forms.push(whole.clone());
    }
    if whole.contains(['+', '/']) {
        let url = URL_SAFE_NO_PAD.encode(&padded);
        forms.push(cut(&url));
        if skip == 0 {
            forms.push(url);
        }
    }
    forms
}

//! What stands in a text under a name: `"password": "x"`, `access_token=x&`, `<secret>x<`.
//!
//! A server tells its secrets in forms, queries, XML and plain text as well as in JSON. Nothing is
//! parsed: a text that is cut or broken is read as far as it goes.

use std::ops::Range;
use std::sync::Arc;

use crate::ground::encode::form_decoded;
use crate::ground::secret::name::{is_callback, is_secret_name, is_secret_parameter};
use crate::ground::secret::{Needles, SHORTEST, pseudonym};

/// How far behind a tag's name its end is looked for.
const LONGEST_TAG: usize = 512;

/// A value in a text and the secret's name under which it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written<'t> {
    /// The name.
    pub name: &'t str,
    /// Where the value stands, in bytes, its quotes left out.
    pub range: Range<usize>,
    /// Whether it is certainly a value, rather than the next word of a sentence.
    pub certain: bool,
}

/// The values in a text that stand under a secret's name.
#[must_use]
pub fn written(text: &str) -> Vec<Written<'_>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = text[from..].find([':', '=', '>']).map(|at| from + at) {
        from = at + 1;
        let sign = text.as_bytes()[at];
        let name = match sign {
            b'>' => tag_before(&text[..at]),
            b'=' => of_field(text, at).unwrap_or_else(|| name_before(&text[..at])),
            _ => name_before(&text[..at]),
        };
        if !is_secret_name(name) {
            continue;
        }
        let range = if sign == b'>' { content_after(text, from) } else { value_after(text, from) };
        let range = if is_scheme(&text[range.clone()]) { value_after(text, range.end) } else { range };
        if range.start < range.end {
            let quoted = range.start > from && text[..range.start].ends_with(['"', '\'']);
            let certain = sign != b':' || quoted || !is_word(&text[range.clone()]);
            from = range.end;
            found.push(Written { name, range, certain });
        }
    }
    found
}

/// Those of [`written`] that are certainly values.
#[must_use]
pub fn certain(text: &str) -> Vec<Written<'_>> {
    let mut values = written(text);
    values.retain(|value| value.certain);
    values
}

/// The values of the pairs in a query, a fragment or a form that are secret.
#[must_use]
pub fn pairs(text: &str) -> Vec<Written<'_>> {
    let mut pairs = Vec::new();
    let mut from = 0;
    for pair in text.split(['&', ';']) {
        if let Some((name, value)) = pair.split_once('=') {
            let start = from + name.len() + 1;
            pairs.push(Written { name, range: start..start + value.len(), certain: true });
        } else if let Some(last) = pairs.last_mut().filter(|last| last.range.end + 1 == from)
            && text[..from].ends_with(';')
        {
            // What follows a `;` and is no pair belongs to the value before it.
            last.range.end = from + pair.len();
        }
        from += pair.len() + 1;
    }
    let in_callback = is_callback(&pairs.iter().map(|pair| pair.name));
    pairs.retain(|Written { name, range, .. }| is_secret_parameter(name, in_callback) && !range.is_empty());
    pairs
}

/// The secret parameters in the query and in the fragment of a URL.
#[must_use]
pub fn parameters(url: &str) -> Vec<Written<'_>> {
    let (start, fragment) = url.split_once('#').map_or((url, ""), |(start, fragment)| (start, fragment));
    let query = start.find('?').map_or(start.len(), |at| at + 1);
    let mut found = Vec::new();
    for (text, from) in [(&start[query..], query), (fragment, start.len() + 1)] {
        let shifted = |Written { name, range, certain }| Written {
            name,
            range: range.start + from..range.end + from,
            certain,
        };
        found.extend(pairs(text).into_iter().map(shifted));
    }
    found
}

/// A text with a pseudonym in place of each of these values; `named` says what one is called.
#[must_use]
pub fn masked(text: &str, values: &[Written<'_>], named: impl Fn(&str, &str) -> Arc<str>) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut kept = 0;
    for Written { name, range, .. } in values {
        // What has its pseudonym already keeps it.
        if text[range.clone()].starts_with('«') && text[range.clone()].ends_with('»') {
            continue;
        }
        clean.push_str(&text[kept..range.start]);
        clean.push_str(&pseudonym(&named(name, &text[range.clone()])));
        kept = range.end;
    }
    clean.push_str(&text[kept..]);
    clean
}

/// A URL or a part of one, without what stands before its host: that is a credential.
#[must_use]
pub fn without_userinfo(url: &str) -> String {
    let is_slash = |c: char| matches!(c, '/' | '\\');
    // The URL standard takes any slashes for those two, and none behind `http:` and `https:`.
    let scheme = ["http:", "https:"]
        .iter()
        .find(|scheme| url.get(..scheme.len()).is_some_and(|begins| begins.eq_ignore_ascii_case(scheme)));
    let opened = url.starts_with(is_slash) && url[1..].starts_with(is_slash);
    if scheme.is_none() && !opened && !url.contains("://") {
        return url.to_owned();
    }
    let begin = scheme.map_or_else(|| url.find("://").unwrap_or(0), |scheme| scheme.len());
    let begin =
        begin + url[begin..].len() - url[begin..].trim_start_matches(|c| is_slash(c) || c == ':').len();
    let rest = &url[begin..];
    let end = rest.find(|c| is_slash(c) || matches!(c, '?' | '#')).unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        Some(at) => format!("{}{}{}", &url[..begin], pseudonym("user"), &rest[at..]),
        None => url.to_owned(),
    }
}

impl Needles {
    /// Learns what stands in a foreign text under a secret's name.
    pub fn learn_text(&self, text: &str) {
        self.learn_written(text, &certain(text));
    }

    /// Learns the values of a form that stand under a secret's name.
    pub fn learn_pairs(&self, text: &str) {
        self.learn_written(text, &pairs(text));
    }

    /// Learns the parameters of a URL that are secret.
    pub fn learn_url(&self, url: &str) {
        self.learn_written(url, &parameters(url));
    }

    /// A URL without the secrets that this run knows, and without parameters that are secret by
    /// their name, however short they are.
    #[must_use]
    pub fn shown_url(&self, url: &str) -> String {
        self.masked_by(url, parameters)
    }

    /// The same of a text that a server sent.
    #[must_use]
    pub fn shown_text(&self, text: &str) -> String {
        self.masked_by(text, certain)
    }

    /// The same of a form.
    #[must_use]
    pub fn shown_pairs(&self, text: &str) -> String {
        self.masked_by(text, pairs)
    }

    /// What is known goes first: a secret may have a part that stands under a name, as in
    /// `Credential=…, Signature=…`, and what is left of it would not be recognised any more.
    fn masked_by(&self, text: &str, values: impl Fn(&str) -> Vec<Written<'_>>) -> String {
        let clean = self.scrub(text);
        masked(&clean, &values(&clean), |name, value| self.named(name, value))
    }

    /// What a value is called that stands under a name.
    fn named(&self, name: &str, value: &str) -> Arc<str> {
        let known = self.known_as(value).or_else(|| self.known_as(&form_decoded(value)));
        known.unwrap_or_else(|| name.into())
    }

    fn learn_written(&self, text: &str, values: &[Written<'_>]) {
        for Written { name, range, .. } in values {
            let value = &text[range.clone()];
            let name: Arc<str> = (*name).into();
            if value.len() < SHORTEST || value.starts_with('«') {
                continue;
            }
            let decoded = form_decoded(value);
            // What stands there encoded is looked for as what it is.
            self.learn(&name, &decoded);
            if decoded != value {
                self.learn(&name, value);
            }
        }
    }
}

/// Whether a credential stands behind this word, as in `Authorization: Bearer x`.
fn is_scheme(text: &str) -> bool {
    ["bearer", "basic", "token", "dpop"].iter().any(|scheme| text.eq_ignore_ascii_case(scheme))
}

/// Whether a text may be the next word of a sentence: `token: expired`.
fn is_word(text: &str) -> bool {
    let text = text.trim_end_matches(['.', '!', '?']);
    text.len() < SHORTEST || text.bytes().skip(1).all(|byte| byte.is_ascii_lowercase())
}

/// The word that a text ends with, quotes and blanks behind it left out.
fn name_before(text: &str) -> &str {
    let text = text.trim_end().trim_end_matches(['"', '\'', '\\']);
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    text.rfind(|c| !word(c)).map_or(text, |before| {
        let next = text[before..].chars().next().map_or(0, char::len_utf8);
        &text[before + next..]
    })
}

/// The name of the tag that a text ends in, its prefix left out: `<ns:token type="x"` is `token`.
fn tag_before(text: &str) -> &str {
    let near = &text[text.ceil_char_boundary(text.len().saturating_sub(LONGEST_TAG))..];
    let Some(open) = near.rfind('<') else { return name_before(text) };
    let tag = near[open + 1..].split(|c: char| c.is_whitespace() || c == '/').next().unwrap_or_default();
    tag.rsplit(':').next().unwrap_or_default()
}

/// What the field is called whose value stands behind the `=`: `<input name="token" value="x">`.
fn of_field(text: &str, at: usize) -> Option<&str> {
    let is = |name: &str| ["value", "content"].iter().any(|known| name.eq_ignore_ascii_case(known));
    if !is(name_before(&text[..at])) {
        return None;
    }
    let from = text.ceil_char_boundary(at.saturating_sub(LONGEST_TAG));
    let open = from + text[from..at].rfind('<')?;
    let near = &text[open..text.floor_char_boundary(at + LONGEST_TAG)];
    let tag = &near[..near.find('>').unwrap_or(near.len())];
    tag.match_indices('=').find_map(|(at, _)| {
        let is_name = name_before(&tag[..at]).eq_ignore_ascii_case("name");
        is_name.then(|| &tag[value_after(tag, at + 1)])
    })
}

/// Where the text of an element begins and ends.
fn content_after(text: &str, from: usize) -> Range<usize> {
    let rest = &text[from..];
    let (skip, rest) = rest.strip_prefix("<![CDATA[").map_or((0, rest), |rest| (9, rest));
    let end = if skip > 0 { rest.find("]]>") } else { rest.find('<') };
    let inside = &rest[..end.unwrap_or(rest.len())];
    let blank = inside.len() - inside.trim_start().len();
    let start = from + skip + blank;
    start..start + inside.trim().len()
}

/// Where the value begins and ends: in quotes up to the next, else up to a sign that separates.
fn value_after(text: &str, from: usize) -> Range<usize> {
    let rest = &text[from..];
    let blank = rest.len() - rest.trim_start_matches([' ', '\t', '\\']).len();
    let rest = &rest[blank..];
    let start = from + blank;
    let ended = |inside: &str, end: Option<usize>| end.unwrap_or(inside.len());
    if let Some(quote) = rest.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        let inside = &rest[1..];
        let end = if text[..start].ends_with('\\') { inside.find('\\') } else { closing(inside, quote) };
        return start + 1..start + 1 + ended(inside, end);
    }
    let separates = |c: char| c.is_whitespace() || "&,;<>{}[]\"'".contains(c);
    start..start + ended(rest, rest.find(separates))
}

fn closing(inside: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    inside
        .char_indices()
        .find(|(_, c)| {
            let closes = *c == quote && !escaped;
            escaped = *c == '\\' && !escaped;
            closes
        })
        .map(|(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::without_userinfo;

    #[test]
    fn a_location_is_shown_without_the_user_that_it_names() {
        for (location, shown) in [
            ("http://u:p@h/x", "http://«user»@h/x"),
            ("HTTPS:\\\\u@h", "HTTPS:\\\\«user»@h"),
            ("https:u:p@h/", "https:«user»@h/"),
            ("//u:p@v@h?q", "//«user»@h?q"),
            ("ftp://u:p@h", "ftp://«user»@h"),
            ("/a@b", "/a@b"),
            ("a@b", "a@b"),
            ("http://h/a@b", "http://h/a@b"),
            ("http://h?a@b", "http://h?a@b"),
            ("", ""),
            ("/", "/"),
        ] {
            assert_eq!(without_userinfo(location), shown);
        }
    }
}

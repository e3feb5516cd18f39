//! The origins that the user named: credentials go to no other.

use std::sync::{Arc, Mutex, PoisonError};

use url::Url;

use crate::ground::source::Source;
use crate::ground::yaml::{self, Kind, Node};
use crate::parts::http::Request;
use crate::parts::http::origin::same_origin;
use crate::parts::http::redirect::trusts;
use crate::parts::scope::Scope;

/// The origins that requests went to because the user said so, each without path and query: those
/// may hold a secret.
#[derive(Debug, Default)]
pub(super) struct Origins {
    used: Mutex<Vec<Url>>,
}

impl Origins {
    /// Notes an origin in which no server had a say.
    pub(super) fn note(&self, url: &Url) {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if !used.iter().any(|known| same_origin(known, url)) {
            let mut origin = url.clone();
            origin.set_query(None);
            origin.set_fragment(None);
            origin.set_path("");
            used.push(origin);
        }
    }

    /// Whether a request may carry credentials to where it goes: since `redirects.trust` says so, or by
    /// [`Origins::names`].
    pub(super) fn admit(&self, request: &Request, file: &Arc<Source>, scope: &Scope) -> bool {
        trusts(&request.limits, &request.url) || self.names(&request.url, file, scope)
    }

    /// Whether an input, a variable that no server had a say in, or the file itself names the
    /// origin of this URL, or a request went there for one of these.
    pub(super) fn names(&self, url: &Url, file: &Arc<Source>, scope: &Scope) -> bool {
        let used = self
            .used
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .any(|known| same_origin(known, url));
        let is_origin = |text: &str| Url::parse(text).is_ok_and(|named| same_origin(&named, url));
        let in_variables = || {
            scope
                .names()
                .iter()
                .filter_map(|name| scope.get(name))
                .any(|found| !found.marks.from_server && found.value.as_str().is_some_and(is_origin))
        };
        used || in_variables() || written(file).iter().flat_map(|text| literals(text)).any(is_origin)
    }
}

/// The texts of a file that say what is done: no comment, of YAML or of a script, and no description.
fn written(file: &Arc<Source>) -> Vec<String> {
    let mut texts = Vec::new();
    // It was read before: a file that is no YAML has no steps.
    if let Ok(root) = yaml::read(file) {
        collect(&root, &mut texts);
    }
    texts
}

fn collect(node: &Node, texts: &mut Vec<String>) {
    match &node.kind {
        Kind::Scalar(scalar) => {
            let said = scalar.text.lines().filter(|line| !line.trim_start().starts_with("//"));
            texts.push(said.collect::<Vec<_>>().join("\n"));
        }
        Kind::List(elements) => elements.iter().for_each(|element| collect(element, texts)),
        Kind::Map(entries) => {
            let spoken = entries.iter().filter(|(key, _)| &*key.text != "description");
            spoken.for_each(|(_, value)| collect(value, texts));
        }
    }
}

/// Every URL that stands in a text as it is, up to the first character that ends one in YAML.
fn literals(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("http").filter_map(|(at, _)| {
        let rest = &text[at..];
        let begins = rest.starts_with("http://") || rest.starts_with("https://");
        let end = rest.find([' ', '"', '\'', ',', '}', ']', '\n', '\r', '{']).unwrap_or(rest.len());
        // A template in the place of the host names no origin.
        let whole = !rest[end..].starts_with('{') || rest[..end].matches('/').count() > 2;
        (begins && whole).then_some(&rest[..end])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_descriptions_name_nothing() {
        let text = "# see http://one.example\ndescription: of http://two.example\nsteps:\n  - script: |\n      // http://three.example\n      http::get(\"http://four.example/#a\"); // done\n  - request: GET http://five.example/#x   # http://six.example\n";
        let texts = written(&Source::text("t", text));
        let found: Vec<_> = texts.iter().flat_map(|text| literals(text)).collect();
        assert_eq!(found, ["http://four.example/#a", "http://five.example/#x"]);
    }

    #[test]
    fn literal_urls_are_found_and_templated_hosts_are_not() {
        let text = "a: https://one.example/x\nb: { c: http://two.example:81, d: 'https://three.example' }\ne: https://{{ host }}/x\nf: https://four.example/{{ x }}";
        let found: Vec<_> = literals(text).collect();
        assert_eq!(
            found,
            [
                "https://one.example/x",
                "http://two.example:81",
                "https://three.example",
                "https://four.example/"
            ]
        );
    }
}

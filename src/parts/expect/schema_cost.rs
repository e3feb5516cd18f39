//! What searching for the patterns of a JSON Schema costs.
//!
//! A schema is counted as often as it is named: three hundred references to one pattern search for it three
//! hundred times. What looks at the same texts counts together, whether it does so for certain or may.

use std::collections::{BTreeMap, HashMap};
use std::ptr;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value as Json};
use url::Url;

use crate::parts::select::pattern_cost::PatternCost;

/// How deep schemas may lie in each other, and references lead to references.
const DEEPEST: usize = 1000;
/// How many schemas are looked at, since references in circles make it necessary to begin again.
const MOST: u64 = 1 << 26;
/// Whose value is one schema, or a list of those of which an element meets one only.
const ONE: [&str; 13] = [
    "items",
    "prefixItems",
    "contains",
    "additionalItems",
    "additionalProperties",
    "unevaluatedItems",
    "unevaluatedProperties",
    "propertyNames",
    "not",
    "if",
    "then",
    "else",
    "properties",
];
/// Whose schemas look at the same value.
const ALL: [&str; 6] = ["allOf", "anyOf", "oneOf", "patternProperties", "dependentSchemas", "dependencies"];

/// The files of a schema, by their URLs.
pub(super) type Documents = BTreeMap<String, Json>;

/// What the patterns cost of the schema that is the whole of one of these documents.
pub(super) fn cost(documents: &Documents, main: &str) -> PatternCost {
    // Draft 4 says `id` for `$id`; later that is a name like any other.
    let is_old = |root: &Json| root["$schema"].as_str().is_some_and(|draft| draft.contains("draft-04"));
    let id = if documents.values().any(is_old) { "id" } else { "$id" };
    let are_renamed = documents.values().any(|root| says_url(root, id));
    let everything = documents.values().map(written).fold(PatternCost::NONE, PatternCost::and);
    if everything == PatternCost::NONE {
        return everything;
    }
    let documents = documents.iter().map(|(url, root)| (&**url, Document::of(url, root, id))).collect();
    let mut counting = Counting {
        documents: &documents,
        are_renamed,
        everything,
        sure: HashMap::new(),
        unsure: HashMap::new(),
        held: Vec::new(),
        circles: HashMap::new(),
        begun: Vec::new(),
        left: MOST,
    };
    let document = documents.get(main);
    document
        .map_or(PatternCost::MAX, |document| counting.place(Place { document, schema: document.root }, 0).0)
}

/// A document and how its references are to be read.
struct Document<'a> {
    url: &'a str,
    root: &'a Json,
    /// Whether a part of it has a URL of its own, so that references mean something else there.
    is_parted: bool,
    /// What it calls by a name; `None` where more than one is called so.
    anchors: HashMap<&'a str, Option<&'a Json>>,
}

impl<'a> Document<'a> {
    fn of(url: &'a str, root: &'a Json, id: &str) -> Self {
        let is_parted = inside(root).any(|part| says_url(part, id));
        let mut anchors = HashMap::new();
        name_anchors(root, &mut anchors);
        Self { url, root, is_parted, anchors }
    }

    /// What the part of a URL behind its `#` leads to.
    fn at(&self, fragment: &str) -> Option<&'a Json> {
        let fragment = percent_decode_str(fragment).decode_utf8().ok()?;
        if fragment.is_empty() || fragment.starts_with('/') {
            return self.root.pointer(&fragment);
        }
        self.anchors.get(&*fragment).copied().flatten()
    }
}

/// A schema that a reference leads to.
#[derive(Clone, Copy)]
struct Place<'a> {
    document: &'a Document<'a>,
    schema: &'a Json,
}

/// A cost, and the first of the [`Counting::begun`] that counted as nothing in it; `usize::MAX` for none.
type Counted = (PatternCost, usize);

const NOTHING: Counted = (PatternCost::NONE, usize::MAX);

fn together(a: Counted, b: Counted) -> Counted {
    (a.0.and(b.0), a.1.min(b.1))
}

fn higher(a: Counted, b: Counted) -> Counted {
    (a.0.or(b.0), a.1.min(b.1))
}

struct Counting<'a> {
    documents: &'a BTreeMap<&'a str, Document<'a>>,
    /// Whether any of them gives itself another URL.
    are_renamed: bool,
    /// What all patterns cost together, for references that may lead anywhere.
    everything: PatternCost,
    /// What each place costs that a reference led to.
    sure: HashMap<*const Json, PatternCost>,
    /// What others cost for now, in a circle that something is still being counted of.
    unsure: HashMap<*const Json, Counted>,
    /// Of these the names, in the order in which they were counted.
    held: Vec<*const Json>,
    /// By which place the circle was entered that a place lies in.
    circles: HashMap<*const Json, *const Json>,
    /// What is being counted. A reference to it costs nothing more.
    begun: Vec<*const Json>,
    /// How many schemas may still be looked at.
    left: u64,
}

impl<'a> Counting<'a> {
    fn place(&mut self, place: Place<'a>, depth: usize) -> Counted {
        let name = ptr::from_ref(place.schema);
        if let Some(counted) = self.known(name) {
            return counted;
        }
        let (own, held) = (self.begun.len(), self.held.len());
        self.begun.push(name);
        let (cost, first) = self.schema(place, place.schema, depth);
        self.begun.pop();
        if first >= own {
            // The rest of the circle was counted without this place, and has to be counted again elsewhere.
            for member in self.held.drain(held..).chain([name]) {
                self.unsure.remove(&member);
                self.circles.entry(member).or_insert(name);
            }
            self.sure.insert(name, cost);
            return (cost, usize::MAX);
        }
        self.held.push(name);
        self.unsure.insert(name, (cost, first));
        for member in &self.held[held..] {
            self.unsure.entry(*member).and_modify(|counted| counted.1 = counted.1.min(first));
        }
        (cost, first)
    }

    /// What a place costs that was counted, or is being counted.
    fn known(&self, name: *const Json) -> Option<Counted> {
        if let Some(at) = self.begun.iter().position(|begun| *begun == name) {
            return Some((PatternCost::NONE, at));
        }
        if let Some(counted) = self.unsure.get(&name) {
            return Some(*counted);
        }
        let cost = self.sure.get(&name)?;
        // It holds what is being counted now, if that lies in the same circle.
        let circle = self.circles.get(&name);
        let is_entered = self.begun.iter().any(|begun| self.circles.get(begun) == circle);
        (!is_entered).then_some((*cost, usize::MAX))
    }

    /// A schema in the document of a place.
    fn schema(&mut self, place: Place<'a>, schema: &'a Json, depth: usize) -> Counted {
        let Json::Object(members) = schema else { return NOTHING };
        self.left = self.left.saturating_sub(1);
        if depth >= DEEPEST || self.left == 0 {
            return (PatternCost::MAX, usize::MAX);
        }
        let mut all = (own(members), usize::MAX);
        for (name, value) in members {
            let is_alone = matches!(value, Json::Object(_)) && name != "properties";
            let counted = match name.as_str() {
                "$ref" => self.reference(place, value.as_str(), depth + 1),
                "$dynamicRef" | "$recursiveRef" => (self.everything, usize::MAX),
                name if ONE.contains(&name) && is_alone => self.schema(place, value, depth + 1),
                name if ONE.contains(&name) => self.inside(place, value, depth + 1, higher),
                name if ALL.contains(&name) => self.inside(place, value, depth + 1, together),
                _ => NOTHING,
            };
            all = together(all, counted);
        }
        all
    }

    fn inside(
        &mut self,
        place: Place<'a>,
        schemas: &'a Json,
        depth: usize,
        join: fn(Counted, Counted) -> Counted,
    ) -> Counted {
        inside(schemas).fold(NOTHING, |all, schema| join(all, self.schema(place, schema, depth)))
    }

    fn reference(&mut self, place: Place<'a>, reference: Option<&str>, depth: usize) -> Counted {
        match reference.map(|reference| self.target(place.document, reference)) {
            None => NOTHING,
            Some(Some(target)) => self.place(target, depth),
            Some(None) => (self.everything, usize::MAX),
        }
    }

    /// Where a reference leads, unless a URL that a schema gives itself takes it elsewhere.
    fn target(&self, document: &'a Document<'a>, reference: &str) -> Option<Place<'a>> {
        let (file, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let document = if document.is_parted {
            None
        } else if file.is_empty() {
            Some(document)
        } else if self.are_renamed {
            None
        } else {
            let url = Url::parse(document.url).ok()?.join(file).ok()?;
            self.documents.get(url.as_str())
        };
        let document = document?;
        Some(Place { document, schema: document.at(fragment)? })
    }
}

/// What a schema searches for itself.
fn own(members: &Map<String, Json>) -> PatternCost {
    let own = members.get("pattern").and_then(Json::as_str).into_iter();
    let names = members.get("patternProperties").and_then(Json::as_object).into_iter().flatten();
    own.chain(names.map(|(name, _)| &**name)).map(PatternCost::of).fold(PatternCost::NONE, PatternCost::and)
}

/// All that looks like a pattern, wherever it stands.
fn written(part: &Json) -> PatternCost {
    let here = part.as_object().map_or(PatternCost::NONE, own);
    inside(part).map(written).fold(here, PatternCost::and)
}

/// Whether a schema anywhere in here gives itself a URL. One of a fragment alone is an anchor.
fn says_url(part: &Json, id: &str) -> bool {
    let is_url = |url: &str| !url.starts_with('#');
    [id, "$id"].iter().any(|id| part.get(id).and_then(Json::as_str).is_some_and(is_url))
        || inside(part).any(|part| says_url(part, id))
}

/// What in here has an anchor.
fn name_anchors<'a>(part: &'a Json, anchors: &mut HashMap<&'a str, Option<&'a Json>>) {
    let says = |key: &str| part.get(key).and_then(Json::as_str);
    let ids = ["$id", "id"].map(|key| says(key)?.strip_prefix('#'));
    for anchor in [says("$anchor"), says("$dynamicAnchor")].into_iter().chain(ids).flatten() {
        anchors.entry(anchor).and_modify(|named| *named = None).or_insert(Some(part));
    }
    inside(part).for_each(|part| name_anchors(part, anchors));
}

/// What a list or an object holds.
fn inside(value: &Json) -> impl Iterator<Item = &Json> {
    let elements = value.as_array().into_iter().flatten();
    elements.chain(value.as_object().into_iter().flat_map(|members| members.values()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn documents(files: &[(&str, &str)]) -> Documents {
        let read = |text: &str| serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        files.iter().map(|(name, text)| (format!("file:///p/{name}"), read(text))).collect()
    }

    fn cost_of(files: &[(&str, &str)]) -> PatternCost {
        cost(&documents(files), &format!("file:///p/{}", files[0].0))
    }

    /// What a text costs that is searched for as many signs.
    fn signs(count: usize) -> PatternCost {
        if count == 0 { PatternCost::NONE } else { PatternCost::of(&"a".repeat(count)) }
    }

    #[test]
    fn what_looks_at_the_same_texts_counts_together_and_of_members_the_highest() {
        let [a, b, c] = [1, 2, 4].map(|count| format!(r#"{{"pattern":"{}"}}"#, "a".repeat(count)));
        for (text, expected) in [
            (r#"{"type":"string"}"#.to_owned(), 0),
            ("true".to_owned(), 0),
            (format!(r#"{{"properties":{{"x":{c},"pattern":{b}}}}}"#), 4),
            (format!(r#"{{"allOf":[{c},{b}],"anyOf":[{a}],"oneOf":[{a}],"pattern":"a"}}"#), 9),
            (format!(r#"{{"if":{c},"then":{b},"else":{{"not":{a}}}}}"#), 7),
            (format!(r#"{{"patternProperties":{{"abc":true,"a":{c},"b":{b}}}}}"#), 11),
            (format!(r#"{{"items":{c},"contains":{b},"prefixItems":[{a},{b}]}}"#), 8),
            (format!(r#"{{"items":[{a},{b}],"additionalItems":{c},"unevaluatedItems":{a}}}"#), 7),
            (format!(r#"{{"properties":{{"x":{c}}},"additionalProperties":{b},"propertyNames":{a}}}"#), 7),
            (format!(r#"{{"properties":{{"x":{c}}},"unevaluatedProperties":{b}}}"#), 6),
            (format!(r#"{{"dependentSchemas":{{"x":{c},"y":{b}}}}}"#), 6),
            (format!(r#"{{"dependencies":{{"x":{c},"y":["a"],"z":{b}}}}}"#), 6),
            (format!(r#"{{"$defs":{{"x":{c}}},"definitions":{{"x":{c}}},"mine":{c}}}"#), 0),
            (format!(r#"{{"const":{c},"enum":[{c}],"default":{c},"examples":[{c}]}}"#), 0),
        ] {
            assert_eq!(cost_of(&[("a.json", &text)]), signs(expected), "{text}");
        }
    }

    #[test]
    fn a_reference_costs_what_it_leads_to_as_often_as_it_is_named() {
        let defs = r##""$defs":{"a b/~":{"pattern":"aa"},"x":{"$anchor":"here","pattern":"aaa"},
            "y":{"$id":"#there","pattern":"aaaa"},"n":{"$ref":"b.json#/$defs/c"}}"##;
        let other = r##"{"$defs":{"c":{"allOf":[{"$ref":"#/$defs/d"},{"$ref":"a.json#here"}]},
            "d":{"pattern":"aaaaa"}},"pattern":"aaaaaa"}"##;
        for (schema, expected) in [
            (r##""$ref":"#/$defs/x""##, 3),
            (r##""allOf":[{"$ref":"#/$defs/x"},{"$ref":"#/$defs/x"}]"##, 6),
            (r##""$ref":"#/$defs/a%20b~1~0""##, 2),
            (r##""anyOf":[{"$ref":"#here"},{"$ref":"#there"}]"##, 7),
            (r#""$ref":"b.json","pattern":"a""#, 7),
            (r#""$ref":"b.json#/$defs/d""#, 5),
            (r##""$ref":"#/$defs/n""##, 8),
            (r#""$ref":"a.json#/$defs/x""#, 3),
            (r#""properties":{"$ref":{"pattern":"a"}}"#, 1),
            // All that is found, where it is not known what is meant.
            (r##""$ref":"#/$defs/gone""##, 20),
            (r#""$ref":"c.json""#, 20),
            (r##""$dynamicRef":"#here""##, 20),
            (r##""$recursiveRef":"#""##, 20),
            (r##""allOf":[{"$id":"sub/","$ref":"#/$defs/x"}]"##, 20),
            (r#""$id":"https://example.com/","$ref":"b.json#/$defs/d""#, 20),
            (r##""$id":"https://example.com/","$ref":"#/$defs/x""##, 3),
            (r##""$schema":"http://json-schema.org/draft-04/schema#","not":{"id":"x","$ref":"#"}"##, 20),
            (r##""not":{"$anchor":"here","pattern":"a"},"$ref":"#here""##, 22),
        ] {
            let text = format!("{{{schema},{defs}}}");
            assert_eq!(cost_of(&[("a.json", &text), ("b.json", other)]), signs(expected), "{schema}");
        }
    }

    #[test]
    fn a_circle_counts_once_from_wherever_it_is_entered() {
        for (schema, expected) in [
            (r##""$ref":"#""##, 0),
            (r##""$ref":"#/$defs/tree""##, 1),
            // `b` is nothing more inside of `a`, but elsewhere it is both.
            (r##""$ref":"#/$defs/a""##, 12),
            (r##""$ref":"#/$defs/b""##, 12),
            (r##""allOf":[{"$ref":"#/$defs/a"},{"$ref":"#/$defs/b"},{"$ref":"#/$defs/b"}]"##, 3 * 12),
            (r##""allOf":[{"$ref":"#/$defs/in"},{"$ref":"#/$defs/a"}]"##, 26),
        ] {
            let text = format!(
                r##"{{{schema},"$defs":{{
                    "tree":{{"pattern":"a","properties":{{"x":{{"$ref":"#/$defs/tree"}}}}}},
                    "a":{{"pattern":"aaaaaaaaaa","properties":{{"x":{{"$ref":"#/$defs/b"}}}}}},
                    "b":{{"pattern":"aa","items":{{"$ref":"#/$defs/a"}}}},
                    "in":{{"allOf":[{{"$ref":"#/$defs/b"}}],"items":{{"$ref":"#/$defs/in"}},"pattern":"aa"}}}}}}"##
            );
            assert_eq!(cost_of(&[("a.json", &text)]), signs(expected), "{schema}");
        }
    }

    /// Each link of a chain names the next one so many times.
    fn chain(length: usize, times: usize) -> String {
        let link = |at: usize| {
            let next = vec![format!(r##"{{"$ref":"#/$defs/x{}"}}"##, at + 1); times].join(",");
            format!(r#""x{at}":{{"allOf":[{next}]}}"#)
        };
        let links: Vec<_> = (0..length).map(link).collect();
        let links = links.join(",");
        format!(r##"{{"$ref":"#/$defs/x0","$defs":{{{links},"x{length}":{{"pattern":"a"}}}}}}"##)
    }

    #[test]
    fn what_multiplies_itself_is_counted_and_not_enumerated_and_a_chain_has_an_end() {
        assert_eq!(cost_of(&[("a.json", &chain(10, 2))]), signs(1 << 10));
        let huge = cost_of(&[("a.json", &chain(100, 2))]);
        assert!(huge.allows(&"a".into(), || 1).is_err(), "{huge:?}");
        assert_eq!(cost_of(&[("a.json", &chain(400, 1))]), signs(1));
        assert_eq!(cost_of(&[("a.json", &chain(3000, 1))]), PatternCost::MAX);
        let without = chain(3000, 1).replace(r#""pattern":"a""#, "");
        assert_eq!(cost_of(&[("a.json", &without)]), PatternCost::NONE, "there is nothing to search for");
    }

    #[test]
    fn a_large_schema_with_one_small_pattern_may_judge_a_large_answer() {
        let uuid = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$";
        let members: Vec<_> =
            (0..300).map(|at| format!(r#""m{at}":{{"$ref":"b.json#/$defs/id"}}"#)).collect();
        let text = format!(r#"{{"items":{{"properties":{{{}}}}}}}"#, members.join(","));
        let other = format!(r#"{{"$defs":{{"id":{{"pattern":"{uuid}"}}}}}}"#);
        let cost = cost_of(&[("a.json", &text), ("b.json", &other)]);
        assert_eq!(cost, PatternCost::of(uuid));
        assert_eq!(cost.allows(&"a".repeat(1 << 20).into(), || 1), Ok(()));
    }
}

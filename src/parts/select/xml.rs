//! XML bodies, read for `XPath`: no DTD, no entities, within bounds.
//!
//! A DTD is where XML's bombs and its readers of files are, and no API needs one. What the parser
//! itself does not bound (depth, attributes of an element, namespaces in scope of each) is
//! counted before it begins.

use roxmltree::{Document, NodeType, ParsingOptions};
use xpath_eval::NodeKind;

use crate::parts::select::markup::{DEEPEST, MOST_NODES, Markup, Name};

/// How many attributes an element may have: the parser compares each with each.
const MOST_ATTRIBUTES: usize = 1000;
/// How many namespaces may be in scope, summed over the elements that declare one: the parser
/// copies them at each of those.
const MOST_COPIES: usize = 5_000_000;

/// Reads a document.
///
/// # Errors
/// Why it is none, or what it has too much of.
pub(super) fn parse(text: &str) -> Result<Markup, String> {
    let text = text.trim_start_matches('\u{feff}').trim_start();
    bounded(text)?;
    let most = u32::try_from(MOST_NODES).unwrap_or(u32::MAX);
    let options = ParsingOptions { nodes_limit: most, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, options).map_err(|error| match error {
        roxmltree::Error::DtdDetected => "it has a DTD, which is not read".to_owned(),
        roxmltree::Error::NodesLimitReached => too_large(),
        other => other.to_string(),
    })?;
    copied(&document)
}

fn too_large() -> String {
    format!("it has more than {MOST_NODES} elements, attributes and texts")
}

fn copied(document: &Document<'_>) -> Result<Markup, String> {
    let mut markup = Markup::empty();
    // Where each node of the parser's list went: parents stand before their children.
    let mut places = vec![0_usize; 1];
    for node in document.root().descendants().skip(1) {
        let parent = node.parent().map_or(0, |parent| parent.id().get_usize());
        let parent = places.get(parent).copied().unwrap_or(0);
        let place = copy(&mut markup, parent, node).map_err(|_| too_large())?;
        let own = node.id().get_usize();
        places.resize(own + 1, 0);
        places[own] = place;
    }
    Ok(markup)
}

fn copy(
    markup: &mut Markup,
    parent: usize,
    node: roxmltree::Node<'_, '_>,
) -> Result<usize, crate::parts::select::markup::Full> {
    let text = node.text().unwrap_or_default();
    match node.node_type() {
        NodeType::Element => {
            for namespace in node.namespaces() {
                let Some(prefix) = namespace.name() else { continue };
                if !markup.prefixes.iter().any(|(known, _)| **known == *prefix) {
                    markup.prefixes.push((prefix.into(), namespace.uri().into()));
                }
            }
            let tag = node.tag_name();
            let at =
                markup.element(parent, &Name { namespace: namespace(tag.namespace()), local: tag.name() })?;
            for attribute in node.attributes() {
                let name = Name { namespace: namespace(attribute.namespace()), local: attribute.name() };
                markup.attribute(at, &name, attribute.value())?;
            }
            return Ok(at);
        }
        NodeType::Text => markup.leaf(parent, NodeKind::Text, "", text)?,
        NodeType::Comment => markup.leaf(parent, NodeKind::Comment, "", text)?,
        NodeType::PI => {
            let pi = node.pi();
            let target = pi.map_or("", |pi| pi.target);
            let value = pi.and_then(|pi| pi.value).unwrap_or_default();
            markup.leaf(parent, NodeKind::ProcessingInstruction, target, value)?;
        }
        NodeType::Root => {}
    }
    Ok(0)
}

/// Counts what the parser does not bound. A text that is not well-formed is left to the parser,
/// whose message is better.
fn bounded(text: &str) -> Result<(), String> {
    let mut rest = text;
    // Of each open element: how many namespaces are in scope.
    let mut open: Vec<usize> = Vec::new();
    let mut copies = 0_usize;
    while let Some(at) = memchr::memchr(b'<', rest.as_bytes()) {
        rest = &rest[at..];
        let skipped = [("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>"), ("</", ">")]
            .iter()
            .find(|(begin, _)| rest.starts_with(begin));
        if let Some((begin, end)) = skipped {
            if *begin == "</" {
                open.pop();
            }
            let Some(at) = rest.find(end) else { return Ok(()) };
            rest = &rest[at + end.len()..];
            continue;
        }
        let tag = Tag::read(rest);
        let scope = open.last().copied().unwrap_or(0) + tag.namespaces;
        if tag.namespaces > 0 {
            copies += scope;
        }
        if tag.attributes > MOST_ATTRIBUTES {
            return Err(format!("an element has more than {MOST_ATTRIBUTES} attributes"));
        }
        if copies > MOST_COPIES {
            return Err("it declares too many namespaces".to_owned());
        }
        if !tag.closed {
            open.push(scope);
        }
        if open.len() > DEEPEST {
            return Err(format!("its elements are nested more than {DEEPEST} deep"));
        }
        rest = &rest[tag.length..];
    }
    Ok(())
}

/// An opening tag, as far as it is counted.
struct Tag {
    length: usize,
    attributes: usize,
    namespaces: usize,
    closed: bool,
}

impl Tag {
    fn read(text: &str) -> Self {
        let bytes = text.as_bytes();
        let (mut at, mut attributes, mut namespaces) = (1, 0, 0);
        while let Some(next) = memchr::memchr3(b'"', b'\'', b'>', &bytes[at..]).map(|next| at + next) {
            if bytes[next] == b'>' {
                let closed = bytes[next - 1] == b'/';
                return Self { length: next + 1, attributes, namespaces, closed };
            }
            attributes += 1;
            namespaces += usize::from(memchr::memmem::find(&bytes[at..next], b"xmlns").is_some());
            match memchr::memchr(bytes[next], &bytes[next + 1..]) {
                Some(end) => at = next + 1 + end + 1,
                None => break,
            }
        }
        Self { length: bytes.len(), attributes, namespaces, closed: false }
    }
}

/// `xmlns=""` takes an element out of every namespace (Namespaces in XML, 6.2).
fn namespace(uri: Option<&str>) -> Option<&str> {
    uri.filter(|uri| !uri.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        parse(text).map(|_| ()).expect_err("it must be refused")
    }

    #[test]
    fn bombs_are_refused_before_they_cost_anything() {
        let dtd = "<!DOCTYPE a [<!ENTITY b 'x'><!ENTITY c '&b;&b;'>]><a>&c;</a>";
        assert_eq!(refused(dtd), "it has a DTD, which is not read");
        let external = "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>";
        assert_eq!(refused(external), "it has a DTD, which is not read");
        assert_eq!(refused(&"<a>".repeat(100_000)), "its elements are nested more than 512 deep");
        let attributes = (0..2000).map(|n| format!(" a{n}='x'")).collect::<Vec<_>>().concat();
        assert_eq!(refused(&format!("<a{attributes}/>")), "an element has more than 1000 attributes");
        let scope = (0..900).map(|n| format!(" xmlns:a{n}='u{n}'")).collect::<Vec<_>>().concat();
        let many = format!("<a{scope}>{}</a>", "<b xmlns:b='x'/>".repeat(10_000));
        assert_eq!(refused(&many), "it declares too many namespaces");
        let wide = format!("<a>{}</a>", "<b/>".repeat(MOST_NODES));
        assert!(refused(&wide).contains("more than 200000"));
    }

    #[test]
    fn what_only_looks_like_tags_is_not_counted() {
        let text = format!("<a>{}<![CDATA[{}]]><?x <a?></a>", "<!-- <a> -->".repeat(600), "<a>".repeat(600));
        assert!(parse(&text).is_ok());
        assert!(parse(&format!("<a x='>' y=\"'>\">{}</a>", "<b c='/>'></b><d/>".repeat(600))).is_ok());
        assert!(parse("\u{feff}  <?xml version='1.0'?><a/>").is_ok());
    }

    #[test]
    fn what_is_no_xml_says_why() {
        for text in ["", "x", "<a>", "<a></b>", "<a", "<a b", "<a b='", "<!-- ", "<a/><b/>", "<p:a/>"] {
            assert!(!refused(text).is_empty(), "{text}");
        }
    }
}

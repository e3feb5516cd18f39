//! `xml::`: a document as objects and lists, which a script walks like JSON.
//!
//! An element is `#{ name, namespace, attributes, text, children }`: its name without prefix, the
//! URI of its namespace or `()`, its attributes by name, the text that stands directly in it (empty
//! where that is only blanks), and its elements in order. Comments and instructions are left out.
//! A document with a DTD is refused, so that no entity can grow.

use roxmltree::{Document, Node, ParsingOptions};

use crate::ground::value::{Map, Value};
use crate::parts::script::api::{Call, Entry};
use crate::parts::script::run::{Answer, Run};
use crate::parts::script::value::to_dynamic;

/// How deep elements may be nested; each is two levels of a value.
const DEPTH: usize = 60;
/// How many elements, texts and comments a document may have.
const NODES: u32 = 20_000;

pub(in crate::parts::script) const TABLE: &[Entry] = &[Entry::new(
    "parse",
    &["text"],
    "the root element as #{ name, namespace, attributes, text, children }",
    parse,
)];

fn parse(call: &mut Call) -> Answer {
    let text = call.text(0)?;
    let options = ParsingOptions { nodes_limit: NODES, ..ParsingOptions::default() };
    let text = text.trim_start_matches('\u{feff}');
    let document = Document::parse_with_options(text, options).map_err(|why| match why {
        roxmltree::Error::DtdDetected => call.error("takes no document with a DTD"),
        roxmltree::Error::NodesLimitReached => {
            call.error(format!("takes a document of at most {NODES} elements and texts"))
        }
        why => call.error(format!("was given a text that is not XML: {} at {}", kind(&why), why.pos())),
    })?;
    let root = element(document.root_element(), DEPTH, call.run);
    let root = root.ok_or_else(|| call.error(format!("takes elements nested up to {DEPTH} levels")))?;
    Ok(to_dynamic(&root))
}

/// What is wrong, without the words of the document, which may be secrets.
fn kind(why: &roxmltree::Error) -> &'static str {
    match why {
        roxmltree::Error::UnexpectedCloseTag(..) => "an element is closed that is not open",
        roxmltree::Error::UnclosedRootNode => "an element is not closed",
        roxmltree::Error::NoRootNode => "there is no element",
        roxmltree::Error::UnknownNamespace(..) => "a prefix is not declared",
        roxmltree::Error::UnknownEntityReference(..) => "an entity is not known",
        roxmltree::Error::DuplicatedAttribute(..) => "an attribute stands twice",
        _ => "it breaks off or is malformed",
    }
}

fn element(node: Node, depth: usize, run: &Run) -> Option<Value> {
    let depth = depth.checked_sub(1)?;
    let name = node.tag_name().name();
    let text: String = node.children().filter(Node::is_text).filter_map(|text| text.text()).collect();
    let text = if text.trim().is_empty() { String::new() } else { text };
    run.note_member(name, &text.as_str().into());
    let attributes = node.attributes().map(|attribute| {
        let value = Value::from(attribute.value());
        run.note_member(attribute.name(), &value);
        (attribute.name().into(), value)
    });
    let attributes: Map = attributes.collect();
    let children = node.children().filter(Node::is_element).map(|child| element(child, depth, run));
    let children: Vec<Value> = children.collect::<Option<_>>()?;
    let members: [(&str, Value); 5] = [
        ("name", name.into()),
        ("namespace", node.tag_name().namespace().map_or(Value::Null, Value::from)),
        ("attributes", attributes.into()),
        ("text", text.as_str().into()),
        ("children", children.into()),
    ];
    Some(members.into_iter().map(|(key, value)| (key.into(), value)).collect::<Map>().into())
}

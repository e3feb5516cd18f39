//! A document of elements and texts, XML or HTML, as `XPath` sees it (`XPath` 1.0, section 5).
//!
//! Both parsers' trees are copied into one list in document order: one model serves both, its
//! order is the index, and nothing in it is recursive, however deep a server nests. What an
//! evaluation may look at is counted, so that no document makes it last.

use std::cell::Cell;
use std::cmp::Ordering;
use std::sync::Arc;

use xpath_eval::{ExpandedName, Node, NodeKind};

/// How many nodes a document may have, attributes included.
pub(super) const MOST_NODES: usize = 200_000;
/// How deep elements may be nested; browsers stop at the same depth.
pub(super) const DEEPEST: usize = 512;
/// How many nodes, and bytes of text by the dozen, one evaluation may look at.
const FUEL: u64 = 50_000_000;

/// A document in one list.
#[derive(Debug)]
pub(super) struct Markup {
    entries: Vec<Entry>,
    /// Every prefix that the document declares, and its namespace: the first declaration counts.
    pub(super) prefixes: Vec<(Box<str>, Box<str>)>,
}

#[derive(Debug)]
struct Entry {
    kind: NodeKind,
    parent: usize,
    /// The first child; 0, the root, is nobody's child and means none.
    child: usize,
    /// The next child of the same parent; 0 means none.
    next: usize,
    last: usize,
    /// How many attributes follow in the list.
    attributes: usize,
    namespace: Option<Arc<str>>,
    local: Box<str>,
    text: Box<str>,
}

/// The name of an element or an attribute.
#[derive(Debug, Clone, Default)]
pub(super) struct Name<'n> {
    pub(super) namespace: Option<&'n str>,
    pub(super) local: &'n str,
}

/// There are more nodes than one may have.
pub(super) struct Full;

impl Markup {
    /// A document without anything in it; its root is 0.
    pub(super) fn empty() -> Self {
        let mut markup = Self { entries: Vec::new(), prefixes: Vec::new() };
        let _ = markup.push(NodeKind::Root, 0, &Name::default(), "");
        markup
    }

    /// Adds an element; its attributes must follow before anything else.
    pub(super) fn element(&mut self, parent: usize, name: &Name<'_>) -> Result<usize, Full> {
        let at = self.push(NodeKind::Element, parent, name, "")?;
        self.append(parent, at);
        Ok(at)
    }

    pub(super) fn attribute(&mut self, of: usize, name: &Name<'_>, value: &str) -> Result<(), Full> {
        self.push(NodeKind::Attribute, of, name, value)?;
        self.entries[of].attributes += 1;
        Ok(())
    }

    pub(super) fn leaf(&mut self, parent: usize, kind: NodeKind, name: &str, text: &str) -> Result<(), Full> {
        let at = self.push(kind, parent, &Name { namespace: None, local: name }, text)?;
        self.append(parent, at);
        Ok(())
    }

    fn push(&mut self, kind: NodeKind, parent: usize, name: &Name<'_>, text: &str) -> Result<usize, Full> {
        if self.entries.len() >= MOST_NODES {
            return Err(Full);
        }
        // Neighbours mostly share their namespace.
        let namespace = name.namespace.map(|wanted| {
            let near = self.entries.iter().rev().take(8).filter_map(|entry| entry.namespace.as_ref());
            near.into_iter().find(|known| ***known == *wanted).map_or_else(|| wanted.into(), Arc::clone)
        });
        self.entries.push(Entry {
            kind,
            parent,
            child: 0,
            next: 0,
            last: 0,
            attributes: 0,
            namespace,
            local: name.local.into(),
            text: text.into(),
        });
        Ok(self.entries.len() - 1)
    }

    fn append(&mut self, parent: usize, child: usize) {
        let last = std::mem::replace(&mut self.entries[parent].last, child);
        if last == 0 {
            self.entries[parent].child = child;
        } else {
            self.entries[last].next = child;
        }
    }

    /// The names of the root element and of those inside it, for a message.
    pub(super) fn outline(&self) -> String {
        const SHOWN: usize = 8;
        let root = self.children(0).find(|at| self.entries[*at].kind == NodeKind::Element);
        let Some(root) = root else { return "no element".to_owned() };
        let mut inside: Vec<&str> = Vec::new();
        let children = self.children(root).filter(|at| self.entries[*at].kind == NodeKind::Element);
        for name in children.map(|at| &*self.entries[at].local) {
            if !inside.contains(&name) {
                inside.push(name);
            }
            if inside.len() > SHOWN {
                break;
            }
        }
        let more = if inside.len() > SHOWN { ", …" } else { "" };
        inside.truncate(SHOWN);
        let own = &self.entries[root].local;
        if inside.is_empty() { format!("<{own}>") } else { format!("<{own}> of {}{more}", inside.join(", ")) }
    }

    /// Whether an element without a prefix in the document has a namespace all the same.
    pub(super) fn has_namespaces(&self) -> bool {
        self.entries.iter().any(|entry| entry.kind == NodeKind::Element && entry.namespace.is_some())
    }

    fn children(&self, of: usize) -> impl Iterator<Item = usize> {
        let some = |at: usize| (at != 0).then_some(at);
        std::iter::successors(some(self.entries[of].child), move |at| some(self.entries[*at].next))
    }
}

/// One walk through a document, with what it may still look at.
pub(super) struct Walk<'m> {
    markup: &'m Markup,
    fuel: Cell<u64>,
}

impl<'m> Walk<'m> {
    pub(super) const fn new(markup: &'m Markup) -> Self {
        Self { markup, fuel: Cell::new(FUEL) }
    }

    /// The root of the document.
    pub(super) const fn root(&self) -> Place<'_> {
        Place { walk: self, at: 0 }
    }

    /// Whether it was stopped before its end: then what it found means nothing.
    pub(super) const fn is_stopped(&self) -> bool {
        self.fuel.get() == 0
    }

    fn spend(&self, amount: usize) -> bool {
        let left = self.fuel.get().saturating_sub(amount as u64);
        self.fuel.set(left);
        left > 0
    }
}

/// A node of a document that is walked through.
#[derive(Clone, Copy)]
pub(super) struct Place<'w> {
    walk: &'w Walk<'w>,
    at: usize,
}

impl PartialEq for Place<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}

impl Eq for Place<'_> {}

impl<'w> Place<'w> {
    const fn entries(self) -> &'w Vec<Entry> {
        &self.walk.markup.entries
    }

    fn entry(self) -> &'w Entry {
        &self.entries()[self.at]
    }

    /// All that is inside: the nodes up to the next one that is not.
    fn inside(self) -> impl Iterator<Item = &'w Entry> {
        let first = self.at;
        let mut rest = self.entries()[first..].iter();
        rest.next();
        // Whatever is inside has a parent that is; what follows has one that stands before.
        rest.take_while(move |entry| entry.parent >= first)
    }
}

impl<'w> Node<'w> for Place<'w> {
    fn kind(self) -> NodeKind {
        self.entry().kind
    }

    fn parent(self) -> Option<Self> {
        (self.at != 0).then(|| Self { at: self.entry().parent, ..self })
    }

    fn children(self) -> impl Iterator<Item = Self> + 'w {
        let children = self.walk.markup.children(self.at);
        children.take_while(move |_| self.walk.spend(1)).map(move |at| Self { at, ..self })
    }

    fn attributes(self) -> impl Iterator<Item = Self> + 'w {
        let attributes = self.at + 1..=self.at + self.entry().attributes;
        attributes.take_while(move |_| self.walk.spend(1)).map(move |at| Self { at, ..self })
    }

    /// None: nobody asks for them but the axis `namespace`, which `XPath` 2.0 deprecated.
    fn namespaces(self) -> impl Iterator<Item = Self> + 'w {
        std::iter::empty()
    }

    fn expanded_name(self) -> Option<ExpandedName> {
        let entry = self.entry();
        (!entry.local.is_empty()).then(|| ExpandedName {
            namespace_uri: entry.namespace.as_deref().map(str::to_owned),
            local_name: entry.local.to_string(),
        })
    }

    fn has_expanded_name(self, namespace: Option<&str>, local: &str) -> bool {
        let entry = self.entry();
        *entry.local == *local && entry.namespace.as_deref() == namespace
    }

    fn string_value(self) -> String {
        let entry = self.entry();
        if !matches!(entry.kind, NodeKind::Root | NodeKind::Element) {
            self.walk.spend(1 + entry.text.len() / 12);
            return entry.text.to_string();
        }
        let mut text = String::new();
        for inside in self.inside() {
            if !self.walk.spend(1 + inside.text.len() / 12) {
                break;
            }
            if inside.kind == NodeKind::Text {
                text.push_str(&inside.text);
            }
        }
        text
    }

    fn document_order(self, other: Self) -> Ordering {
        self.at.cmp(&other.at)
    }

    /// `xml:id`, and HTML's `id`, which XML without a DTD uses alike.
    fn is_id_attribute(self) -> bool {
        *self.entry().local == *"id"
    }
}

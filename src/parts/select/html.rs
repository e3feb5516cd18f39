//! HTML bodies, read as browsers do, within bounds.
//!
//! The rules of HTML repair whatever a server sends, and that is where time goes: tags that are
//! never closed nest ever deeper, and what formats text is opened again in every paragraph. So the
//! tree is watched while it grows, and reading ends where it grows too large, too deep or too long.

use std::cell::Cell;
use std::time::{Duration, Instant};

use ego_tree::NodeRef;
use ego_tree::iter::Edge;
use html5ever::TokenizerResult;
use html5ever::buffer_queue::BufferQueue;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts};
use html5ever::tree_builder::{TreeBuilder, TreeBuilderOpts};
use scraper::{ElementRef, Html, HtmlTreeSink, Node};
use xpath_eval::NodeKind;

use crate::parts::select::markup::{DEEPEST, Full, MOST_NODES, Markup, Name};

/// How many bytes are read between two looks at the clock: of an open tag the attributes are
/// compared with each other, so that one tag alone can last.
const PIECE: usize = 4096;
/// How long reading may take. A page of a megabyte takes some ten milliseconds.
const LONGEST: Duration = Duration::from_secs(5);

type NodeId = ego_tree::NodeId;

/// Builds the tree from the signs of the text, and stops where it must.
struct Watched {
    builder: TreeBuilder<NodeId, HtmlTreeSink>,
    stopped: Cell<Option<&'static str>>,
    started: Instant,
}

impl TokenSink for Watched {
    type Handle = NodeId;

    fn process_token(&self, token: Token, line: u64) -> TokenSinkResult<NodeId> {
        if self.stopped.get().is_some() {
            return TokenSinkResult::Continue;
        }
        let result = self.builder.process_token(token, line);
        self.look();
        result
    }

    fn end(&self) {
        self.builder.end();
    }

    fn adjusted_current_node_present_but_not_in_html_namespace(&self) -> bool {
        self.builder.adjusted_current_node_present_but_not_in_html_namespace()
    }
}

impl Watched {
    /// Looks at the newest node: whatever nests too deep was made last once.
    fn look(&self) {
        let html = self.builder.sink.0.borrow();
        let mut nodes = html.tree.nodes();
        let count = nodes.len();
        let depth = nodes.next_back().map_or(0, |node| node.ancestors().take(DEEPEST + 1).count());
        if count > MOST_NODES {
            self.stopped.set(Some("it has more than 200000 elements and texts"));
        } else if depth > DEEPEST {
            self.stopped.set(Some("its elements are nested more than 512 deep"));
        }
    }

    fn look_at_the_clock(&self) {
        if self.started.elapsed() > LONGEST {
            self.stopped.set(Some("reading it takes too long"));
        }
    }
}

/// Reads a document.
///
/// # Errors
/// What it has too much of: whatever else is wrong with it is repaired.
pub(super) fn parse(text: &str) -> Result<Html, String> {
    let sink = HtmlTreeSink::new(Html::new_document());
    let watched = Watched {
        builder: TreeBuilder::new(sink, TreeBuilderOpts::default()),
        stopped: Cell::new(None),
        started: Instant::now(),
    };
    let tokenizer = Tokenizer::new(watched, TokenizerOpts::default());
    let queue = BufferQueue::default();
    let mut rest = text;
    while !rest.is_empty() && tokenizer.sink.stopped.get().is_none() {
        let (piece, after) = rest.split_at(rest.floor_char_boundary(PIECE).max(1));
        rest = after;
        queue.push_back(StrTendril::from_slice(piece));
        feed(&tokenizer, &queue);
        tokenizer.sink.look_at_the_clock();
    }
    if let Some(why) = tokenizer.sink.stopped.get() {
        return Err(why.to_owned());
    }
    tokenizer.end();
    Ok(tokenizer.sink.builder.sink.0.into_inner())
}

/// Scripts are not run: the reader only has to be told to go on.
fn feed(tokenizer: &Tokenizer<Watched>, queue: &BufferQueue) {
    while !matches!(tokenizer.feed(queue), TokenizerResult::Done) {}
}

/// The same document as `XPath` sees it. Names of HTML have no namespace there, as in browsers.
pub(super) fn markup(html: &Html) -> Result<Markup, String> {
    let mut markup = Markup::empty();
    let mut open = vec![0_usize];
    for edge in html.tree.root().traverse() {
        match edge {
            Edge::Open(node) => {
                let parent = open.last().copied().unwrap_or(0);
                let at = copy(&mut markup, parent, node.value());
                open.push(at.map_err(|_| "it has more than 200000 elements and texts".to_owned())?);
            }
            Edge::Close(_) => {
                open.pop();
            }
        }
    }
    Ok(markup)
}

fn copy(markup: &mut Markup, parent: usize, node: &Node) -> Result<usize, Full> {
    match node {
        Node::Element(element) => {
            let at = markup.element(parent, &Name { namespace: None, local: element.name() })?;
            for (name, value) in element.attrs() {
                markup.attribute(at, &Name { namespace: None, local: name }, value)?;
            }
            return Ok(at);
        }
        Node::Text(text) => markup.leaf(parent, NodeKind::Text, "", text)?,
        Node::Comment(comment) => markup.leaf(parent, NodeKind::Comment, "", comment)?,
        // The contents of a `<template>` are a fragment inside it.
        Node::Document | Node::Fragment | Node::Doctype(_) | Node::ProcessingInstruction(_) => {}
    }
    Ok(parent)
}

/// Elements that a line goes through; all others begin and end one.
const INLINE: [&str; 34] = [
    "a", "abbr", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em", "font", "i", "ins",
    "kbd", "label", "mark", "q", "ruby", "s", "samp", "small", "span", "strike", "strong", "sub", "sup",
    "time", "tt", "u", "var", "wbr", "button",
];

/// The text of an element as people see it: blanks are one, and so are the ends of lines.
pub(super) fn text(element: ElementRef<'_>) -> String {
    let mut text = String::new();
    let own = element.id();
    let mut hidden = 0_usize;
    for edge in element.traverse() {
        match edge {
            Edge::Open(node) => {
                hidden += usize::from(node.id() != own && is_hidden(node));
                match node.value() {
                    Node::Text(part) if hidden == 0 => text.push_str(part),
                    _ => break_line(&mut text, node),
                }
            }
            Edge::Close(node) => {
                hidden -= usize::from(node.id() != own && is_hidden(node));
                break_line(&mut text, node);
            }
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_hidden(node: NodeRef<'_, Node>) -> bool {
    let name = node.value().as_element().map(scraper::node::Element::name);
    name.is_some_and(|name| matches!(name, "script" | "style" | "template"))
}

fn break_line(text: &mut String, node: NodeRef<'_, Node>) {
    let name = node.value().as_element().map(scraper::node::Element::name);
    if name.is_some_and(|name| !INLINE.contains(&name)) {
        text.push(' ');
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn seen(html: &str) -> String {
        let html = parse(html).expect("an HTML document");
        let body = scraper::Selector::parse("body").expect("a selector");
        html.select(&body).next().map(text).expect("every page has a body")
    }

    #[test]
    fn a_text_is_what_people_see_of_it() {
        for (html, text) in [
            ("<p>a</p><p>b</p>", "a b"),
            ("a<b>b</b>c", "abc"),
            (" a \n b<br>c ", "a b c"),
            ("a<script>x</script><style>y</style>b", "a b"),
            ("<table><tr><td>1<td>2</table>", "1 2"),
            ("a &amp; b&nbsp;c", "a & b c"),
        ] {
            assert_eq!(seen(html), text, "{html}");
        }
    }

    #[test]
    fn a_hostile_page_ends_before_it_costs_much() {
        for (html, why) in [
            ("<div>".repeat(100_000), "nested more than 512 deep"),
            ("<b></x>".repeat(100_000), "nested more than 512 deep"),
            ("<table><tr><td>".repeat(100_000), "nested more than 512 deep"),
            (
                format!(
                    "<p>{}{}",
                    (0..400).map(|n| format!("<b a={n}>")).collect::<Vec<_>>().concat(),
                    "</p><p>x".repeat(2000)
                ),
                "more than 200000",
            ),
            ("<br>".repeat(250_000), "more than 200000"),
        ] {
            let problem = parse(&html).map(|_| ()).expect_err(&html[..20]);
            assert!(problem.contains(why), "{problem}");
        }
        assert!(parse(&"<p>x".repeat(20_000)).is_ok());
        assert!(parse(&"a".repeat(10_000_000)).is_ok());
    }

    #[test]
    fn both_models_are_of_one_document() {
        let html = parse("<title>x</title><svg><path d='1'/></svg><!--c--><p id=a>b").expect("HTML");
        assert_eq!(markup(&html).expect("within bounds").outline(), "<html> of head, body");
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_reader(html in "(<[/!a-c]{0,3}|>|'|\"|=|&|ü|<table>|<td>|<template>|</p>|<svg>|-){0,30}") {
            let html = parse(&html).expect("within bounds");
            let _ = markup(&html);
        }
    }
}

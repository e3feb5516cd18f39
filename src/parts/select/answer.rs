//! An answer and what is wanted of it, known before it comes.
//!
//! That is what lets the body be read once, without a tree where nobody wants one.

use std::sync::{Arc, OnceLock};

use scraper::Html;

use crate::ground::value::Value;
use crate::parts::http::Response;
use crate::parts::select::Selector;
use crate::parts::select::markup::Markup;
use crate::parts::select::missing::Missing;
use crate::parts::select::page::is_html;
use crate::parts::select::pass::Pass;
use crate::parts::select::path::Path;
use crate::parts::select::query::Query;
use crate::parts::select::{html, xml};

/// What an answer must yield, known before it comes.
#[derive(Debug, Clone, Default)]
pub struct Yield {
    paths: Vec<Arc<Path>>,
    pass: Pass,
    tree: bool,
}

impl Yield {
    /// A selector wants its value.
    pub fn add(&mut self, selector: &Selector) {
        match selector {
            Selector::Json(Query::Single(path)) | Selector::JsonAll(Query::Single(path)) => {
                if !self.paths.contains(path) {
                    self.paths.push(Arc::clone(path));
                    self.pass.add(path);
                }
            }
            Selector::Json(Query::General(_)) | Selector::JsonAll(Query::General(_)) => self.tree(),
            Selector::Jwt(claims) => self.add(claims.from()),
            Selector::Header(_)
            | Selector::Cookie(_)
            | Selector::Link(_)
            | Selector::Regex(_)
            | Selector::XPath(_)
            | Selector::Css(_)
            | Selector::Body(_)
            | Selector::Time
            | Selector::Status => {}
        }
    }

    /// Somebody wants the whole tree: then nothing is read beside it.
    pub const fn tree(&mut self) {
        self.tree = true;
    }

    /// A template reads this name, dotted as far as it is: some of them want the tree.
    pub fn read_by_template(&mut self, name: &str) {
        if name == "response" || name.starts_with("response.json") {
            self.tree();
        }
    }
}

/// An answer, and what was read out of it in one pass.
#[derive(Debug)]
pub struct Answer {
    response: Arc<Response>,
    wanted: Arc<Yield>,
    /// The value of each path that is wanted; `None` where the tree is to be asked.
    read: Option<Vec<Option<Value>>>,
    /// The tree in the general engine's type.
    serde: OnceLock<serde_json::Value>,
    html: OnceLock<Result<Html, String>>,
    markup: OnceLock<Result<Markup, String>>,
}

impl Answer {
    /// Reads what is wanted of an answer. A body that is not JSON is found out when somebody asks.
    #[must_use]
    pub fn read(response: &Arc<Response>, wanted: &Arc<Yield>) -> Self {
        let pass = !wanted.tree && !wanted.paths.is_empty();
        Self {
            response: Arc::clone(response),
            wanted: Arc::clone(wanted),
            read: pass.then(|| wanted.pass.read(&response.body).ok()).flatten(),
            serde: OnceLock::new(),
            html: OnceLock::new(),
            markup: OnceLock::new(),
        }
    }

    /// The answer itself.
    #[must_use]
    pub const fn response(&self) -> &Arc<Response> {
        &self.response
    }

    /// What stands at a path.
    pub(super) fn value_at(&self, path: &Arc<Path>) -> Result<Value, Missing> {
        let nothing = || Query::Single(Arc::clone(path)).nothing(self);
        let place = self.wanted.paths.iter().position(|known| Arc::ptr_eq(known, path) || known == path);
        if let (Some(read), Some(place)) = (&self.read, place) {
            return read[place].clone().ok_or_else(nothing);
        }
        let root = self.response.json().map_err(|_| nothing())?;
        path.find(root).cloned().ok_or_else(nothing)
    }

    /// The body in the general engine's type.
    pub(super) fn serde(&self, query: &Query) -> Result<&serde_json::Value, Missing> {
        let root = self.response.json().map_err(|_| query.nothing(self))?;
        Ok(self.serde.get_or_init(|| root.to_serde()))
    }

    /// The body in the type of `serde_json`, for engines that want that.
    ///
    /// # Errors
    /// Where it is not JSON; `what` is who asks.
    pub fn tree(&self, what: &str) -> Result<&serde_json::Value, Missing> {
        let not_json = |error: &str| Missing::not_json(what.to_owned(), &self.response, error);
        let root = self.response.json().map_err(not_json)?;
        Ok(self.serde.get_or_init(|| root.to_serde()))
    }

    /// The body as an HTML page, read when first asked for.
    ///
    /// # Errors
    /// Why it is none; nothing where its kind says it all.
    pub(super) fn html(&self) -> Result<&Html, &str> {
        let read = || {
            if self.begins_with_a_tag() { html::parse(&self.response.text()) } else { Err(String::new()) }
        };
        self.html.get_or_init(read).as_ref().map_err(String::as_str)
    }

    /// The body as elements and texts, XML or HTML, read when first asked for.
    ///
    /// # Errors
    /// As [`Answer::html`].
    pub(super) fn markup(&self) -> Result<&Markup, &str> {
        let read = || {
            let text = self.response.text();
            let media = self.response.media_type();
            let is_xml = media.as_deref().is_some_and(|media| media.ends_with("xml"));
            if !is_xml && is_html(media.as_deref(), &text) {
                return html::markup(self.html().map_err(str::to_owned)?);
            }
            if self.begins_with_a_tag() { xml::parse(&text) } else { Err(String::new()) }
        };
        self.markup.get_or_init(read).as_ref().map_err(String::as_str)
    }

    /// Whether the body may be HTML or XML at all: a page may also begin with a text.
    fn begins_with_a_tag(&self) -> bool {
        let body = &self.response.body;
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        let is_html = self.response.media_type().is_some_and(|media| media.contains("html"));
        let begins = body.iter().find(|byte| !byte.is_ascii_whitespace());
        begins.is_some_and(|first| is_html || *first == b'<')
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parts::select::tests::{read, response};

    #[test]
    fn paths_are_read_in_a_pass_unless_the_tree_is_wanted_anyway() {
        let response = response(200, "", r#"{"result":{"token":"abc"}}"#);
        let in_a_pass = |wanted: &Yield| Answer::read(&response, &Arc::new(wanted.clone())).read.is_some();
        let mut wanted = Yield::default();
        wanted.add(&read("$.result.token").expect("a selector"));
        assert!(in_a_pass(&wanted));
        wanted.read_by_template("response.status");
        assert!(in_a_pass(&wanted));
        wanted.read_by_template("response.json.a");
        assert!(!in_a_pass(&wanted));
        let mut wanted = Yield::default();
        wanted.add(&read("$..id").expect("a selector"));
        assert!(wanted.tree);
    }
}

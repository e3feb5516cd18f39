//! A request as a script sees it before it is sent: texts and pairs, all writable.
//!
//! The step renders its request into a [`Draft`] only when a script touches `request`, and sends
//! what the script left of it. Credentials are not in it: `auth` comes after the script.

use std::fmt;

use crate::ground::encode;
use crate::ground::secret::Marks;
use crate::parts::http::spec::RenderedBody;
use crate::parts::script::Error;

/// Where a script finds the request of its step, and leaves the changed one.
pub trait RequestCell: Send + Sync {
    /// Renders the request. Called once, when the script first touches `request`.
    ///
    /// # Errors
    /// Why it cannot be rendered; its place is that of the script.
    fn get(&self) -> Result<Draft, Error>;

    /// Takes the changed request. Called once, after the script, if it changed anything.
    fn set(&self, draft: Draft);

    /// What is known of the values that the request was rendered from.
    fn marks(&self) -> Marks {
        Marks::NONE
    }
}

/// A rendered request that may still change.
#[derive(Clone, Default, PartialEq)]
pub struct Draft {
    /// The method, as typed.
    pub method: String,
    /// The whole URL, its query included.
    pub url: String,
    /// The pairs of the URL's query, decoded. They follow [`Draft::url`] and it follows them.
    pub query: Vec<(String, String)>,
    /// The headers, in order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: RenderedBody,
}

impl fmt::Debug for Draft {
    /// The method: anything else may hold a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Draft")
            .field("method", &self.method)
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}

impl Draft {
    /// A request without headers or body; the pairs of the query are read from the URL.
    #[must_use]
    pub fn new(method: impl Into<String>, url: impl Into<String>) -> Self {
        let mut draft = Self { method: method.into(), ..Self::default() };
        draft.set_url(url.into());
        draft
    }

    /// Changes the URL, and the pairs of the query with it.
    pub fn set_url(&mut self, url: String) {
        let query = split_url(&url).1.unwrap_or_default();
        self.query = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        self.url = url;
    }

    /// Changes the pairs of the query, and the URL with them.
    pub fn set_query(&mut self, query: Vec<(String, String)>) {
        let (path, _, fragment) = split_url(&self.url);
        let pairs: Vec<String> = query
            .iter()
            .map(|(name, value)| format!("{}={}", encode::url(name), encode::url(value)))
            .collect();
        let mut url = path.to_owned();
        if !pairs.is_empty() {
            url.push('?');
            url.push_str(&pairs.join("&"));
        }
        if let Some(fragment) = fragment {
            url.push('#');
            url.push_str(fragment);
        }
        self.url = url;
        self.query = query;
    }
}

/// What stands before `?`, between `?` and `#`, and behind `#`.
fn split_url(url: &str) -> (&str, Option<&str>, Option<&str>) {
    let (rest, fragment) = match url.split_once('#') {
        Some((rest, fragment)) => (rest, Some(fragment)),
        None => (url, None),
    };
    match rest.split_once('?') {
        Some((path, query)) => (path, Some(query), fragment),
        None => (rest, None, fragment),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn url_and_query_follow_each_other() {
        let mut draft = Draft::new("GET", "https://a.b/c?x=1%202&y=#top");
        assert_eq!(draft.query, [("x".into(), "1 2".into()), ("y".into(), String::new())]);
        let mut query = draft.query.clone();
        query.push(("z".into(), "a&b/ü".into()));
        draft.set_query(query);
        assert_eq!(draft.url, "https://a.b/c?x=1%202&y=&z=a%26b%2F%C3%BC#top");
        draft.set_query(Vec::new());
        assert_eq!(draft.url, "https://a.b/c#top");
    }
}

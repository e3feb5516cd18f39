//! Whether a body is an HTML page, and what its title is: what comes from a proxy or a login page in
//! place of an answer is told by that.

use std::borrow::Cow;

use crate::parts::http::Response;

/// How much of a body is looked at, in bytes.
const LOOKED_AT: usize = 16 * 1024;

/// Whether the body is an HTML page, by its type or by how it begins.
#[must_use]
pub fn is_page(response: &Response) -> bool {
    is_html(response.media_type().as_deref(), &beginning(response))
}

/// The title of an HTML page as it stands there; `None` where it is empty or not there.
#[must_use]
pub fn title(response: &Response) -> Option<String> {
    title_of(&beginning(response))
}

/// As much of a body as its kind can be told by.
pub(super) fn beginning(response: &Response) -> Cow<'_, str> {
    String::from_utf8_lossy(&response.body[..response.body.len().min(LOOKED_AT)])
}

pub(super) fn is_html(media: Option<&str>, start: &str) -> bool {
    let start = start.trim_start().as_bytes();
    let begins =
        |with: &str| start.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with.as_bytes()));
    media.is_some_and(|media| media.contains("html")) || begins("<!doctype html") || begins("<html")
}

fn title_of(html: &str) -> Option<String> {
    // Lower case by ASCII only, so that offsets keep.
    let lower = html.to_ascii_lowercase();
    let open = lower.find("<title")?;
    let from = open + lower[open..].find('>')? + 1;
    let to = from + lower[from..].find("</title")?;
    let title = html[from..to].trim();
    (!title.is_empty()).then(|| title.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_found_in_any_case_and_over_lines() {
        assert_eq!(title_of("<TITLE a=1>\n Sign\n in </Title>").as_deref(), Some("Sign\n in"));
        assert_eq!(title_of("<title></title>"), None);
        assert_eq!(title_of("<title>open"), None);
    }
}

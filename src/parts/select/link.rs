//! `link: next`: where the `Link` headers of an answer lead (RFC 8288).
//!
//! Paging by `Link` is what large APIs do, and the header looks as if a split at commas were
//! enough: it is not, since commas stand in URLs and in quotes too.

use reqwest::header::LINK;

use crate::ground::diagnostic::did_you_mean;
use crate::ground::read::Reading;
use crate::ground::value::Value;
use crate::ground::yaml::Scalar;
use crate::parts::http::Response;
use crate::parts::select::missing::{Absence, Missing};

/// How many bytes of `Link` headers are looked at; no server has more to say of one answer.
const LONGEST: usize = 256 * 1024;

/// Reads the name of a relation; a mistake is reported.
pub(super) fn read(scalar: &Scalar, reading: &Reading) -> Option<()> {
    let text = &*scalar.text;
    if text.contains(|c: char| c.is_whitespace() || matches!(c, '"' | ',' | ';' | '<' | '>' | '{')) {
        let message = format!("`{text}` cannot be the relation of a link");
        reading.error_with(scalar.span, message, "write one name as it stands in `rel`: next, prev, last");
        return None;
    }
    Some(())
}

/// The URL that the link of this relation leads to, resolved against the URL of the answer.
pub(super) fn find(selector: &str, rel: &str, response: &Response) -> Result<Value, Missing> {
    let headers = response.headers.get_all(LINK).iter();
    let texts: Vec<_> = headers.map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
    let mut left = LONGEST;
    let mut links = Vec::new();
    for text in &texts {
        let looked_at = &text[..text.floor_char_boundary(left)];
        left -= looked_at.len();
        links.extend(parse(looked_at));
    }
    let mut targets = links.iter().filter(|link| link.is(rel)).map(|link| link.target);
    let Some(target) = targets.next() else { return Err(nothing(selector, rel, &links)) };
    let others = targets.filter(|other| *other != target).count();
    if others > 0 {
        let reason = format!("matches {} links, not one", others + 1);
        return Err(Missing::nothing(selector.to_owned(), reason).with(Absence::Several, None));
    }
    match response.url.join(target) {
        Ok(url) => Ok(url.as_str().into()),
        Err(error) => Err(Missing::nothing(selector.to_owned(), format!("its link is not a URL: {error}"))),
    }
}

fn nothing(selector: &str, rel: &str, links: &[Link<'_>]) -> Missing {
    let mut rels: Vec<&str> = links.iter().flat_map(Link::rels).collect();
    rels.dedup();
    let reason = match rels.len() {
        0 => "the answer has no `Link` header".to_owned(),
        1..=12 => format!("the answer links to {}", rels.join(", ")),
        many => format!("the answer links to {}, … {} more", rels[..12].join(", "), many - 12),
    };
    Missing::nothing(selector.to_owned(), reason).with(Absence::Nothing, did_you_mean(rel, rels))
}

/// One link of a header.
#[derive(Debug, PartialEq, Eq)]
struct Link<'t> {
    target: &'t str,
    rel: String,
}

impl Link<'_> {
    /// A `rel` may hold several names; case does not count (RFC 8288, section 2.1).
    fn rels(&self) -> impl Iterator<Item = &str> {
        self.rel.split_ascii_whitespace()
    }

    fn is(&self, rel: &str) -> bool {
        self.rels().any(|own| own.eq_ignore_ascii_case(rel))
    }
}

/// The links of one header (RFC 8288, appendix B.2). A link with an `anchor` is about something
/// else than this answer, and is left out.
fn parse(header: &str) -> Vec<Link<'_>> {
    let mut links = Vec::new();
    let mut rest = header;
    while let Some(open) = rest.find('<') {
        let inside = &rest[open + 1..];
        let Some(close) = inside.find('>') else { break };
        let mut link = Link { target: inside[..close].trim(), rel: String::new() };
        rest = &inside[close + 1..];
        let (mut anchored, mut seen) = (false, false);
        while let Some((name, value, after)) = parameter(rest) {
            rest = after;
            anchored |= name.eq_ignore_ascii_case("anchor");
            // Of several `rel` the first counts (section 3.3).
            if name.eq_ignore_ascii_case("rel") && !std::mem::replace(&mut seen, true) {
                link.rel = value;
            }
        }
        if !anchored {
            links.push(link);
        }
    }
    links
}

/// The next parameter, its value without quotes, and what follows; `None` where the link ends.
fn parameter(text: &str) -> Option<(&str, String, &str)> {
    let text = text.trim_start().strip_prefix(';')?.trim_start();
    let end = text.find(['=', ';', ',']).unwrap_or(text.len());
    let (name, rest) = (text[..end].trim_end(), &text[end..]);
    let Some(rest) = rest.strip_prefix('=') else { return Some((name, String::new(), rest)) };
    let rest = rest.trim_start();
    if let Some(quoted) = rest.strip_prefix('"') {
        let (value, rest) = unquoted(quoted);
        return Some((name, value, rest));
    }
    let end = rest.find([';', ',']).unwrap_or(rest.len());
    Some((name, rest[..end].trim_end().to_owned(), &rest[end..]))
}

/// The inside of a quoted string, `\` undone, and what stands behind the closing quote.
fn unquoted(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut signs = text.char_indices();
    while let Some((at, sign)) = signs.next() {
        match sign {
            '"' => return (value, &text[at + 1..]),
            '\\' => value.extend(signs.next().map(|(_, escaped)| escaped)),
            _ => value.push(sign),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ground::secret::Needles;
    use crate::parts::select::tests::response;

    fn find_next(header: &str) -> Result<String, String> {
        let response = response(200, &format!("link: {header}"), "");
        let found = find("link next", "next", &response);
        found.map(|value| value.to_text()).map_err(|missing| missing.text(&Needles::default()))
    }

    #[test]
    fn a_link_is_found_whatever_stands_around_it() {
        for (header, url) in [
            ("</2>; rel=next", "/2"),
            ("</2>; rel=\"next\"", "/2"),
            ("</a,b;c>; rel=\"NEXT\"", "/a,b;c"),
            ("</1>; rel=\"prev\", </2>; rel=\"next\"", "/2"),
            ("</1>;rel=prev,</2>;rel=next", "/2"),
            ("</2>; rel=\"last next\"", "/2"),
            ("</1>; title=\"a, <b>; rel=next\"; rel=prev, </2>; rel = next", "/2"),
            ("</1>; title=\"a \\\" b\"; rel=\"next\"", "/1"),
            ("</1>; rel=prev; rel=next, </2>; rel=next", "/2"),
            ("</1>; rel=next; anchor=\"#x\", </2>; rel=next", "/2"),
            ("</2>; crossorigin; rel=next", "/2"),
            ("</2>; rel=next, </2>; rel=\"next last\"", "/2"),
            ("garbage, </2>; rel=next", "/2"),
        ] {
            let found = find_next(header);
            assert!(found.as_ref().is_ok_and(|found| found.ends_with(url)), "{header}: {found:?}");
            assert!(found.is_ok_and(|found| found.starts_with("http")), "{header}");
        }
        assert_eq!(find_next("<https://other.example/x>; rel=next"), Ok("https://other.example/x".into()));
    }

    #[test]
    fn where_there_is_no_such_link_the_others_are_named() {
        for (header, message) in [
            ("</1>; rel=prev, </9>; rel=last", "the answer links to prev, last"),
            ("", "has no `Link` header"),
            ("</1; rel=next", "has no `Link` header"),
            ("</1>; rel=next, </2>; rel=next", "matches 2 links, not one"),
        ] {
            let problem = find_next(header).expect_err(header);
            assert!(problem.contains(message), "{header}: {problem}");
        }
    }

    #[test]
    fn a_huge_header_costs_no_more_than_its_length() {
        let many = format!("{}</2>; rel=next", "</1>; a=\"<\"; rel=prev, ".repeat(9_000));
        assert!(find_next(&many).is_ok());
        assert!(find_next(&"<;".repeat(100_000)).is_err());
        assert!(find_next(&"<>;a=\"\\".repeat(30_000)).is_err());
    }

    proptest! {
        #[test]
        fn no_header_breaks_the_reader(text in "[<>;,=\"\\\\ a-zü]{0,40}") {
            let _ = parse(&text);
        }
    }
}

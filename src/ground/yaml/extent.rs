//! How long a scalar is in its text: the parser's spans run on over what follows it.

/// The length of a text in single quotes, which are doubled inside.
pub(super) fn single_quoted(text: &str) -> usize {
    let mut at = 1;
    while let Some(quote) = text[at..].find('\'') {
        at += quote + 1;
        if !text[at..].starts_with('\'') {
            return at;
        }
        at += 1;
    }
    text.len()
}

/// The length of a text in double quotes, in which a backslash takes the next sign with it.
pub(super) fn double_quoted(text: &str) -> usize {
    let mut escaped = false;
    let end = text.char_indices().skip(1).find(|(_, c)| {
        let ends = *c == '"' && !escaped;
        escaped = *c == '\\' && !escaped;
        ends
    });
    end.map_or(text.len(), |(at, _)| at + 1)
}

/// The length of a plain text: a `#` behind a blank begins a comment.
pub(super) fn before_comment(text: &str) -> usize {
    let begins = |(at, _): &(usize, &str)| text[..*at].ends_with([' ', '\t', '\n']);
    text.match_indices('#').find(begins).map_or(text.len(), |(at, _)| at)
}

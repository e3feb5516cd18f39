//! The date of a cookie's `Expires`, in any of the forms that servers send.
//!
//! RFC 6265 (5.1.1) has an algorithm of its own for it: the parts are known by their look, in any
//! order and with anything between them.

use jiff::civil;

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

#[derive(Default)]
struct Found {
    time: Option<(i8, i8, i8)>,
    day: Option<i8>,
    month: Option<i8>,
    year: Option<i16>,
}

/// Seconds since 1970; `None` where the text is no date.
pub(super) fn cookie_date(text: &str) -> Option<i64> {
    let mut found = Found::default();
    let between = |c: char| !(c.is_ascii_alphanumeric() || c == ':' || !c.is_ascii());
    for token in text.split(between).filter(|token| !token.is_empty()) {
        found.take(token);
    }
    let (hour, minute, second) = found.time?;
    let year = match found.year? {
        year @ 70..=99 => year + 1900,
        year @ 0..=69 => year + 2000,
        year => year,
    };
    if year < 1601 {
        return None;
    }
    let date = civil::DateTime::new(year, found.month?, found.day?, hour, minute, second, 0).ok()?;
    Some(date.duration_since(civil::date(1970, 1, 1).at(0, 0, 0, 0)).as_secs())
}

impl Found {
    fn take(&mut self, token: &str) {
        if self.time.is_none()
            && let Some(time) = time(token)
        {
            self.time = Some(time);
        } else if self.day.is_none()
            && let Some(day) = number(token, 1..=2)
        {
            self.day = i8::try_from(day).ok();
        } else if self.month.is_none()
            && let Some(month) = month(token)
        {
            self.month = Some(month);
        } else if self.year.is_none()
            && let Some(year) = number(token, 2..=4)
        {
            self.year = Some(year);
        }
    }
}

/// `hh:mm:ss`, each of one or two digits.
fn time(token: &str) -> Option<(i8, i8, i8)> {
    let mut parts = token.splitn(3, ':').map(|part| number(part, 1..=2).and_then(|n| i8::try_from(n).ok()));
    Some((parts.next()??, parts.next()??, parts.next()??))
}

fn month(token: &str) -> Option<i8> {
    let word = token.get(..3)?.to_ascii_lowercase();
    let at = MONTHS.iter().position(|month| *month == word)?;
    i8::try_from(at + 1).ok()
}

/// The digits at the start of a token, if there are so many of them.
fn number(token: &str, digits: std::ops::RangeInclusive<usize>) -> Option<i16> {
    let count = token.bytes().take_while(u8::is_ascii_digit).count();
    digits.contains(&count).then(|| token[..count].parse().ok()).flatten()
}

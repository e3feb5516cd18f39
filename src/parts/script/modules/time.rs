//! `time::`: whole seconds since 1970-01-01T00:00:00Z, and texts of them in UTC.

use crate::ground::encode;
use crate::ground::quantity;
use crate::parts::script::api::{Call, Entry};
use crate::parts::script::run::{Answer, Failure};

pub(in crate::parts::script) const TABLE: &[Entry] = &[
    Entry::new("now", &[], "what time it is, in seconds", |call| {
        Ok(call.run.host.scope.clock.now_seconds().into())
    }),
    Entry::new("parse", &["text"], "the seconds of an RFC 3339 time or an HTTP date", parse),
    Entry::new("format", &["seconds", "format"], "a time in UTC by strftime, such as \"%Y-%m-%d\"", format),
    Entry::new("add", &["seconds", "duration"], "a time later by \"5m\", or earlier by \"-5m\"", add),
];

fn parse(call: &mut Call) -> Answer {
    let time = encode::parse_time(&call.text(0)?);
    let time =
        time.ok_or_else(|| call.error("was given a text that is neither an RFC 3339 time nor an HTTP date"))?;
    Ok(time.into())
}

fn format(call: &mut Call) -> Answer {
    let seconds = call.integer(0)?;
    let format = call.text(1)?;
    if encode::strftime(seconds, "%Y").is_err() {
        return Err(
            call.error(format!("was given {seconds}, which is not a time of the years -9999 to 9999"))
        );
    }
    let text = encode::strftime(seconds, &format);
    Ok(text.map_err(|why| call.error(format!("cannot write `{format}`: {why}")))?.into())
}

fn add(call: &mut Call) -> Answer {
    let seconds = call.integer(0)?;
    let text = call.text(1)?;
    let (positive, back) = match text.strip_prefix('-') {
        Some(positive) => (positive, true),
        None => (text.as_str(), false),
    };
    let duration =
        quantity::duration(positive).map_err(|why| call.run.error(why.to_string(), Some(why.help())))?;
    let sum = if back {
        seconds.checked_sub_unsigned(duration.as_secs())
    } else {
        seconds.checked_add_unsigned(duration.as_secs())
    };
    let sum: Result<i64, Failure> = sum.ok_or_else(|| call.error("leaves the range of times"));
    Ok(sum?.into())
}

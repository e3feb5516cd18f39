//! `url::`: RFC 3986 for pieces, the WHATWG rules for whole URLs, as the client has them.

use rhai::Dynamic;
use url::Url;

use crate::ground::encode;
use crate::ground::value::Value;
use crate::parts::script::api::{Call, Entry};
use crate::parts::script::modules::form::gather;
use crate::parts::script::object::object;
use crate::parts::script::run::{Answer, Failure};

pub(in crate::parts::script) const TABLE: &[Entry] = &[
    Entry::new("encode", &["text"], "the text percent-encoded as one piece of a URL", piece).deriving(),
    Entry::new("decode", &["text"], "the text with its percent-encoding undone", decode).deriving(),
    Entry::new("host", &["url"], "the host of a URL", host),
    Entry::new("parse", &["url"], "scheme, host, port, path, query and fragment of a URL", parse),
    Entry::new("join", &["base", "reference"], "where a reference leads that stands at a URL", join),
];

fn piece(call: &mut Call) -> Answer {
    Ok(encode::url(&call.text(0)?).into())
}

fn decode(call: &mut Call) -> Answer {
    let text = encode::url_decode(&call.text(0)?);
    Ok(text.map_err(|_| call.error("was given bytes that are not text"))?.into())
}

fn read(call: &mut Call, at: usize) -> Result<Url, Failure> {
    let text = call.text(at)?;
    // The text may hold a secret, so the message does not repeat it.
    Url::parse(&text).map_err(|why| call.error(format!("was given a text that is not a URL: {why}")))
}

fn host(call: &mut Call) -> Answer {
    let url = read(call, 0)?;
    let host = url.host_str().map(str::to_owned);
    Ok(host.ok_or_else(|| call.error("was given a URL without a host"))?.into())
}

fn parse(call: &mut Call) -> Answer {
    let url = read(call, 0)?;
    let text = |text: Option<&str>| text.map_or(Value::Null, Value::from);
    Ok(object([
        ("scheme", url.scheme().into()),
        ("host", text(url.host_str())),
        ("port", url.port_or_known_default().map_or(Value::Null, |port| i64::from(port).into())),
        ("path", url.path().into()),
        ("query", gather(url.query_pairs()).into()),
        ("fragment", text(url.fragment())),
    ]))
}

fn join(call: &mut Call) -> Answer {
    let base = read(call, 0)?;
    let reference = call.text(1)?;
    let joined = base.join(&reference);
    let joined = joined.map_err(|why| call.error(format!("cannot join them: {why}")))?;
    Ok(Dynamic::from(joined.to_string()))
}

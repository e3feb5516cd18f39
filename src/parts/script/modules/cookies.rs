//! `cookies::`: the jar of the run, asked by the URL that a cookie would go to.

use rhai::Dynamic;
use url::Url;

use crate::ground::source::Span;
use crate::parts::http::Jar;
use crate::parts::http::spec::parse_url;
use crate::parts::script::api::{Call, Entry};
use crate::parts::script::run::{Answer, Failure};

pub(in crate::parts::script) const TABLE: &[Entry] = &[
    Entry::new("get", &["url", "name"], "the value of the cookie that would go to the URL; () if none", get),
    Entry::new("set", &["url", "name", "value"], "sets a cookie for the host of the URL", set),
    Entry::new("remove", &["url", "name"], "removes the cookie that would go to the URL", remove),
];

fn get(call: &mut Call) -> Answer {
    let (jar, url, name) = cookie(call)?;
    let Some(value) = jar.get(&url, &name) else { return Ok(Dynamic::UNIT) };
    // A cookie is a secret, whatever its name.
    call.run.note_secret(&name, &value.as_str().into());
    call.run.note_server();
    Ok(value.into())
}

fn set(call: &mut Call) -> Answer {
    let (jar, url, name) = cookie(call)?;
    let value = call.text(2)?;
    let set = jar.set(&url, &name, &value);
    set.map_err(|why| call.error(format!("cannot set this cookie: {why}")))?;
    Ok(Dynamic::UNIT)
}

fn remove(call: &mut Call) -> Answer {
    let (jar, url, name) = cookie(call)?;
    Ok(jar.remove(&url, &name).into())
}

fn cookie(call: &mut Call) -> Result<(Jar, Url, String), Failure> {
    let (url, name) = (call.text(0)?, call.text(1)?);
    let Some(jar) = call.run.host.jar.clone() else {
        let help = "a mock keeps no cookies: it reads `request.cookies` and sets them in its reply";
        return Err(call.error_with("finds no cookie jar here", Some(help.to_owned())));
    };
    let url = parse_url(&url, Span::default());
    let url = url.map_err(|why| call.error(format!("takes a URL: {}", why.message)))?;
    Ok((jar, url, name))
}

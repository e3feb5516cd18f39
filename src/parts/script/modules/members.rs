//! What is documented of scripts beside the functions of the tables: what each module is for, and
//! the members of what a script sees by itself.

/// What each module is for.
pub(in crate::parts::script) const MODULES: &[(&str, &str)] = &[
    ("", "steering the run, and secrets; these need no module"),
    ("vars", "the variables of the workflow"),
    ("request", "the request that `before` may change; every member is writable, `auth` signs last"),
    ("response", "the answer in `after`; what `http::` returns and `steps.<id>` have the same members"),
    ("steps", "what finished steps left behind"),
    ("data", "what the run gives beside the variables"),
    ("base64", "RFC 4648; padding and blanks do not matter when reading"),
    ("hex", "two lower-case digits a byte"),
    ("hash", "digests, in hexadecimal digits"),
    ("hmac", "keyed digests (RFC 2104)"),
    ("json", "text to values and back; keys keep their order"),
    ("url", "pieces of a URL (RFC 3986), and whole ones"),
    ("form", "application/x-www-form-urlencoded"),
    ("regex", "regular expressions, without look-around and back references"),
    ("xml", "documents as objects and lists; no DTD"),
    ("random", "from the operating system"),
    ("time", "whole seconds since 1970-01-01T00:00:00Z"),
    ("http", "requests of the script's own, through the same client as every step"),
];

/// The members of what a script sees by itself: of what, how it is written, and what it is.
pub(in crate::parts::script) const MEMBERS: &[(&str, &str, &str)] = &[
    ("", "print(value)", "says something in the report, without secrets"),
    ("", "debug(value)", "says something in the report, in the form of the script"),
    ("vars", "vars.name", "reads or writes a variable; one that is not set is an error"),
    ("vars", "vars[\"a-b\"]", "the same, for any name"),
    ("vars", "vars.has(name)", "whether a variable is set"),
    ("vars", "vars.remove(name)", "forgets a variable"),
    ("request", "request.method", "the method"),
    ("request", "request.url", "the whole URL, with its query"),
    ("request", "request.query", "the query's pairs, decoded; remove(name), keys(), contains(name)"),
    ("request", "request.headers", "the headers by name, without case; remove(name), keys(), contains(name)"),
    ("request", "request.json", "the body as a value, or ()"),
    ("request", "request.form", "the pairs of a form body"),
    ("request", "request.body", "the exact text that is sent, or ()"),
    ("response", "response.status", "the status, a number"),
    ("response", "response.headers", "the headers by name, without case; keys(), contains(name)"),
    ("response", "response.json", "the body as a value"),
    ("response", "response.body", "the body as text"),
    ("response", "response.time_ms", "how long it took, in milliseconds"),
    ("response", "response.url", "where the answer came from, after redirects"),
    ("response", "response.cookies", "the cookies that it set, by name"),
    ("steps", "steps.id", "the members of `response` of an earlier step"),
    ("steps", "steps.id.outputs", "what a step got that `uses` another workflow"),
    ("steps", "steps.id.verdict", "passed, failed, errored or skipped"),
    ("steps", "steps.contains(id)", "whether a step has run"),
    ("data", "data", "the row of `--data`"),
    ("data", "env_name", "the name that `--env` gave"),
];

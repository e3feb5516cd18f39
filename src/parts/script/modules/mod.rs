//! The modules of a script's API, in the order of their documentation.

mod base64;
mod control;
mod hash;
mod hex;
mod hmac;
mod http;
mod json;
mod jwt;
mod random;
mod time;
mod url;

use crate::parts::script::api::Entry;

/// The functions that need no module.
pub(super) const GLOBAL: &[Entry] = control::TABLE;

/// Every table by the name of its module.
pub(super) const ALL: &[(&str, &[Entry])] = &[
    ("", GLOBAL),
    ("base64", base64::TABLE),
    ("hex", hex::TABLE),
    ("hash", hash::TABLE),
    ("hmac", hmac::TABLE),
    ("jwt", jwt::TABLE),
    ("json", json::TABLE),
    ("url", url::TABLE),
    ("random", random::TABLE),
    ("time", time::TABLE),
    ("http", http::TABLE),
];

/// Modules that the language has and this version does not.
pub(super) const LATER: [&str; 4] = ["form", "regex", "cookies", "xml"];

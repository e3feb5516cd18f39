//! The modules of a script's API, in the order of their documentation.

mod base64;
mod control;
mod cookies;
mod form;
mod hash;
mod hex;
mod hmac;
mod http;
mod json;
mod jwt;
mod members;
mod random;
mod regex;
mod time;
mod url;
mod xml;

use crate::parts::script::api::Entry;

pub(super) use members::{MEMBERS, MODULES};

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
    ("form", form::TABLE),
    ("regex", regex::TABLE),
    ("xml", xml::TABLE),
    ("random", random::TABLE),
    ("time", time::TABLE),
    ("http", http::TABLE),
    ("cookies", cookies::TABLE),
];

//! The forms of a secret that are promised to be hidden, each made here by hand and not by what hides them.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

/// A secret in all forms that are promised to be hidden, each by its name.
pub(crate) fn forms(secret: &str) -> Vec<(&'static str, String)> {
    let each = |sign: &dyn Fn(char) -> String| secret.chars().map(sign).collect::<String>();
    let percent = |plain: &dyn Fn(u8) -> bool, upper: bool| {
        secret.bytes().fold(String::new(), |mut text, byte| {
            let _ = match (plain(byte), upper) {
                (true, _) => write!(text, "{}", byte as char),
                (_, true) => write!(text, "%{byte:02X}"),
                (_, false) => write!(text, "%{byte:02x}"),
            };
            text
        })
    };
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let units = |sign: char| {
        let mut buffer = [0; 2];
        let units = sign.encode_utf16(&mut buffer);
        units.iter().fold(String::new(), |text, unit| format!("{text}\\u{unit:04x}"))
    };
    let json = |sign: char| match sign {
        '"' | '\\' => format!("\\{sign}"),
        '\n' => "\\n".to_owned(),
        sign => sign.to_string(),
    };
    let named = |sign: char| match sign {
        '&' => "&amp;".to_owned(),
        '<' => "&lt;".to_owned(),
        '>' => "&gt;".to_owned(),
        '"' => "&quot;".to_owned(),
        '\'' => "&apos;".to_owned(),
        sign => sign.to_string(),
    };
    let special = |sign: char| !sign.is_ascii_alphanumeric();
    let hex = secret.bytes().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    let whole = STANDARD.encode(secret);
    let inside = |before: &str| {
        // The digits that no neighbour has a part in.
        let text = STANDARD.encode(format!("{before}{secret}"));
        let from = (before.len() * 8).div_ceil(6);
        text[from..(before.len() + secret.len()) * 8 / 6].to_owned()
    };
    let wrapped = whole.as_bytes().chunks(19).map(|line| String::from_utf8_lossy(line).into_owned());
    vec![
        ("plain", secret.to_owned()),
        ("base64", whole.clone()),
        ("base64 without padding", whole.trim_end_matches('=').to_owned()),
        ("base64url", URL_SAFE.encode(secret)),
        ("base64 behind one byte", inside("x")),
        ("base64 behind two bytes", inside("xy")),
        ("base64 in lines", wrapped.collect::<Vec<_>>().join("\r\n")),
        ("percent", percent(&unreserved, true)),
        ("percent, lower", percent(&unreserved, false)),
        ("percent, every byte", percent(&|_| false, true)),
        ("form", percent(&|byte| unreserved(byte) || byte == b' ', true).replace(' ', "+")),
        ("JSON", each(&json)),
        ("JSON with \\/", each(&json).replace('/', "\\/")),
        ("JSON with \\u of what is special", each(&|c| if special(c) { units(c) } else { c.into() })),
        ("JSON with \\u of all", each(&units)),
        ("entities", each(&named)),
        ("entities in decimal", each(&|c| if special(c) { format!("&#{};", c as u32) } else { c.into() })),
        ("entities in hex", each(&|c| if special(c) { format!("&#x{:X};", c as u32) } else { c.into() })),
        ("hex", hex.clone()),
        ("hex, upper", hex.to_uppercase()),
        ("for a shell", secret.replace('\'', "'\\''")),
        ("coloured", each(&|c| if c == '-' { "\x1b[31m-\x1b[0m".into() } else { c.into() })),
        ("in lines", secret.replace('-', "-\n")),
    ]
}

/// What is promised to be hidden of a secret whose rest is cut off, each by its name; nothing of one that
/// is short, or that others begin like.
pub(crate) fn beginnings(secret: &str) -> Vec<(&'static str, String)> {
    if secret.len() < 16
        || secret.find("://").is_some_and(|at| at < 16)
        || secret.starts_with("eyJ")
        || secret.contains("-----BEGIN ")
    {
        return Vec::new();
    }
    let behind =
        |before: &str, from: usize| STANDARD.encode(format!("{before}{secret}"))[from..from + 16].to_owned();
    let hex = secret.bytes().take(12).fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    vec![
        ("its first characters", secret.chars().take(12).collect()),
        ("cut base64", behind("", 0)),
        ("cut base64 behind one byte", behind("x", 2)),
        ("cut base64 behind two bytes", behind("xy", 3)),
        ("cut base64url", URL_SAFE.encode(secret)[..16].to_owned()),
        ("cut base64url behind one byte", URL_SAFE.encode(format!("x{secret}"))[2..18].to_owned()),
        ("cut base64url behind two bytes", URL_SAFE.encode(format!("xy{secret}"))[3..19].to_owned()),
        ("cut hex", hex.clone()),
        ("cut hex, upper", hex.to_uppercase()),
    ]
}

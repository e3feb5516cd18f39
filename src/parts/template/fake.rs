//! `fake("email")`: data that looks real and belongs to nobody.
//!
//! Mail addresses, hosts and URLs lie in the domains that RFC 2606 reserves, and addresses of
//! machines in the ranges that RFC 5737 and RFC 3849 keep for documentation, so that no test ever
//! reaches somebody.

use fake::Fake as _;
use fake::faker::address::en as address;
use fake::faker::company::en as company;
use fake::faker::creditcard::en as creditcard;
use fake::faker::currency::en as currency;
use fake::faker::filesystem::en as filesystem;
use fake::faker::internet::en as internet;
use fake::faker::job::en as job;
use fake::faker::lorem::en as lorem;
use fake::faker::name::en as name;
use fake::faker::phone_number::en as phone_number;
use minijinja::Value;

use crate::ground::diagnostic::did_you_mean;
use crate::ground::encode;
use crate::ground::random::{self, Error};

type Make = fn() -> Result<Value, Error>;

/// Every kind by its name.
const KINDS: &[(&str, Make)] = &[
    ("bool", || Ok((random::int(0, 1)? == 1).into())),
    ("building", || text(address::BuildingNumber().fake())),
    ("city", || text(address::CityName().fake())),
    ("color", || text(format!("#{:06x}", random::int(0, 0x00ff_ffff)?))),
    ("company", || text(company::CompanyName().fake())),
    ("country", || text(address::CountryName().fake())),
    ("country_code", || text(address::CountryCode().fake())),
    ("credit_card", || text(creditcard::CreditCardNumber().fake())),
    ("currency", || text(currency::CurrencyCode().fake())),
    ("date", date),
    ("domain", || text(domain()?)),
    ("email", || text(format!("{}@{}", username()?, domain()?))),
    ("file", || text(filesystem::FileName().fake())),
    ("first_name", || text(name::FirstName().fake())),
    ("int", || Ok(random::int(0, 1_000_000)?.into())),
    ("ip", || text(format!("203.0.113.{}", random::int(1, 254)?))),
    ("ipv6", || text(format!("2001:db8::{:x}:{:x}", random::int(1, 0xffff)?, random::int(1, 0xffff)?))),
    ("job", || text(job::Title().fake())),
    ("last_name", || text(name::LastName().fake())),
    ("latitude", || text(address::Latitude().fake())),
    ("longitude", || text(address::Longitude().fake())),
    ("mac", || text(internet::MACAddress().fake())),
    ("name", || text(name::Name().fake())),
    ("paragraph", || text(lorem::Paragraph(3..6).fake())),
    ("password", || text(internet::Password(12..20).fake())),
    ("phone", || text(phone_number::PhoneNumber().fake())),
    ("sentence", || text(lorem::Sentence(5..12).fake())),
    ("state", || text(address::StateName().fake())),
    ("street", || text(address::StreetName().fake())),
    ("timezone", || text(address::TimeZone().fake())),
    ("url", || text(format!("https://{}/{}", domain()?, word()))),
    ("user_agent", || text(internet::UserAgent().fake())),
    ("username", || text(username()?)),
    ("uuid", || text(uuid::Uuid::new_v4().to_string())),
    ("word", || text(word())),
    ("words", || text(lorem::Words(3..6).fake::<Vec<String>>().join(" "))),
    ("zip", || text(address::ZipCode().fake())),
];

/// One of a kind.
///
/// # Errors
/// That there is no such kind, with the one that was probably meant.
pub(super) fn fake(kind: &str) -> Result<Value, String> {
    if let Some((_, make)) = KINDS.iter().find(|(name, _)| *name == kind) {
        make().map_err(|why| why.to_string())
    } else {
        let (message, help) = unknown(kind);
        Err(format!("{message}; {help}"))
    }
}

/// What is wrong with a kind that is written in a template, if anything is, and what to do.
pub(super) fn refuse(kind: &str) -> Option<(String, String)> {
    let known = KINDS.iter().any(|(name, _)| *name == kind);
    (!known).then(|| unknown(kind))
}

fn unknown(kind: &str) -> (String, String) {
    let names = || KINDS.iter().map(|(name, _)| *name);
    let help = did_you_mean(kind, names())
        .unwrap_or_else(|| format!("there are {}", names().collect::<Vec<_>>().join(", ")));
    (format!("`fake` knows no `{kind}`"), help)
}

#[expect(clippy::unnecessary_wraps, reason = "every kind is made alike, and some can fail")]
fn text(text: String) -> Result<Value, Error> {
    Ok(text.into())
}

fn word() -> String {
    lorem::Word().fake()
}

/// Of letters, digits and dots, with a number that makes it unlikely to come again.
fn username() -> Result<String, Error> {
    let plain = |name: String| name.to_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), "");
    let first = plain(name::FirstName().fake());
    Ok(format!("{first}.{}{}", plain(name::LastName().fake()), random::int(1, 99_999)?))
}

fn domain() -> Result<String, Error> {
    const RESERVED: [&str; 3] = ["example.com", "example.org", "example.net"];
    let at = usize::try_from(random::int(0, 2)?).unwrap_or_default();
    Ok(RESERVED[at.min(2)].to_owned())
}

/// A day from 1970 to 2037, which every system can count.
fn date() -> Result<Value, Error> {
    const DAYS: i64 = 68 * 365;
    let seconds = random::int(0, DAYS)? * 86_400;
    text(encode::strftime(seconds, "%Y-%m-%d").unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_gives_something() {
        for (name, _) in KINDS {
            let made = fake(name).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(!made.to_string().is_empty(), "{name}");
        }
        assert!(KINDS.is_sorted_by_key(|(name, _)| *name));
    }

    #[test]
    fn nothing_that_is_made_reaches_anybody() {
        for _ in 0..50 {
            let email = fake("email").expect("a kind").to_string();
            let (user, host) = email.split_once('@').expect("an address");
            assert!(host.strip_prefix("example.").is_some_and(|end| ["com", "org", "net"].contains(&end)));
            assert!(user.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.'), "{email}");
            assert!(fake("url").expect("a kind").to_string().starts_with("https://example."));
        }
    }

    #[test]
    fn an_unknown_kind_is_told_with_the_one_that_was_meant() {
        assert_eq!(fake("emial").expect_err("no kind"), "`fake` knows no `emial`; did you mean `email`?");
        assert!(fake("zzz").expect_err("no kind").contains("there are bool, building, city"));
    }
}

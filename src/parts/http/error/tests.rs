//! What the messages say, and what is known of a failed exchange.

use url::Url;

use super::*;

fn timeout(phase: Phase) -> Error {
    Error::Timeout { to: "a:80".to_owned(), limit: Duration::from_millis(1500), phase }
}

#[test]
fn messages_name_the_server_and_the_limit() {
    let to = || "a:80".to_owned();
    let table = [
        (
            timeout(Phase::Waiting),
            "no whole answer from a:80 within 1.5s: time ran out while waiting for the answer",
        ),
        (Error::Refused { to: to() }, "a:80 refused the connection"),
        (
            Error::TooLarge { to: to(), limit: 32 << 20, declared: Some(99) },
            "the answer of a:80 is larger than 32MiB: it announces 99 bytes",
        ),
        (
            Error::TooLarge { to: to(), limit: 1000, declared: None },
            "the answer of a:80 is larger than 1000B",
        ),
        (
            Error::Truncated { to: to(), received: 5, declared: Some(9) },
            "the answer of a:80 is cut off: 5 bytes of the body came of 9",
        ),
        (
            Error::Truncated { to: to(), received: 5, declared: None },
            "the answer of a:80 is cut off: 5 bytes of the body came, and not its end",
        ),
    ];
    for (error, text) in table {
        assert_eq!(error.to_string(), text);
    }
}

#[test]
fn an_error_says_whether_the_request_may_have_been_sent() {
    assert!(!timeout(Phase::Connecting).sent());
    assert!(timeout(Phase::Waiting).sent());
    let refused = Error::Refused { to: "a:80".to_owned() };
    assert!(!refused.sent());
    let url = |text| Url::parse(text).expect("a URL");
    let hop = Hop {
        status: 302,
        from: url("http://b/login?token=hunter2"),
        to: url("http://a/"),
        dropped_credentials: false,
        set_cookies: Vec::new(),
    };
    let redirected = refused.after(vec![hop]);
    assert!(!format!("{redirected:?}").contains("hunter2"));
    assert!(redirected.sent(), "the first request was sent");
    assert_eq!(redirected.kind(), Kind::Connect);
    assert_eq!(redirected.to_string(), "a:80 refused the connection, after a redirect from http://b/login");
}

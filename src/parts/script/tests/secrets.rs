//! What a script reads, marks what it makes; what it shows, is clean.

use crate::ground::secret::{Marked, Marks};
use crate::parts::script::tests::{Stage, response};
use crate::parts::script::{Ending, Phase};

const TOKEN: &str = "tok-p&ss-123456789";
/// Another one: equal secrets have one name.
const ANSWERED: &str = "ans-p&ss-987654321";

fn stage() -> Stage {
    let secret = |name: &str, text: &str| Marked::new(text.into(), Marks::secret(name.into()));
    Stage::new(Phase::After)
        .with_input("password", secret("password", TOKEN))
        .with_input("pin", secret("pin", "1234"))
        .with_var("plain", "\"a plain text\"")
        .with_response(response(&format!(
            r#"{{"access_token":"{ANSWERED}","token_type":"bearer","id":7,"n":{{"jwt_like":"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln","all":["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln"]}}}}"#
        )))
}

const MARKED: &[(&str, Option<&str>, bool)] = &[
    ("vars.x = response.json.n.all[0];", Some("all"), true),
    ("vars.x = vars.plain + 1;", None, false),
    ("vars.x = 1; let s = vars.password;", None, false),
    ("let s = vars.password; vars.x = 1;", Some("password"), false),
    ("fn f() { vars.password } let s = f(); vars.x = s.len();", Some("password"), false),
    ("vars.x = response.json.id;", None, true),
    ("vars.x = response.status;", None, true),
    ("vars.x = response.json.token_type;", None, true),
    ("vars.x = response.json.access_token;", Some("access_token"), true),
    ("vars.x = response.json.n.jwt_like;", Some("jwt_like"), true),
    ("vars.x = response.json[\"access\" + \"_token\"];", Some("access_token"), true),
    ("vars.x = json::stringify(response.json);", Some("access_token"), true),
    ("vars.x = response.body;", Some("access_token"), true),
    ("vars.x = response.cookies.sid;", Some("sid"), true),
    ("vars.x = response.headers[\"set-cookie\"];", Some("set-cookie"), true),
    ("vars.x = secret(vars.plain);", Some("x"), false),
    ("vars.x = \"Bearer \" + secret(vars.plain);", Some("secret"), false),
    ("vars.x = \"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln\";", Some("x"), false),
];

#[test]
fn what_is_written_is_marked_with_what_was_read() {
    for (script, secret, from_server) in MARKED {
        let (script, secret, from_server) = (*script, *secret, *from_server);
        let stage = stage();
        let ran = stage.done(script);
        let marks = stage.var("x").marks;
        assert_eq!(marks.secret.as_deref(), secret, "{script}");
        assert_eq!(marks.from_server, from_server, "{script}");
        assert_eq!(ran.marks.from_server, from_server, "{script}");
    }
    let stage = stage();
    stage.done("vars.api_key = \"abcdefgh-1\";");
    assert_eq!(stage.var("api_key").marks.secret.as_deref(), Some("api_key"), "by its name");
    stage.done("vars.plain = secret(vars.plain);");
    assert_eq!(stage.var("plain").marks.secret.as_deref(), Some("plain"), "the same text");
}

#[test]
fn nothing_that_is_shown_holds_a_secret() {
    let stage = stage();
    for (expression, expected) in [
        ("vars.password", "«password»"),
        ("\"x \" + vars.password", "x «password»"),
        ("vars.pin", "«pin»"),
        ("base64::encode(vars.password)", "«password»"),
        ("hash::sha256(vars.password)", "«password»"),
        ("hmac::sha256(vars.password, \"x\")", "«password»"),
        ("hmac::sha256_base64(\"key\", vars.password)", "«password»"),
        ("hex::encode(vars.password)", "«password»"),
        ("url::encode(vars.password)", "«password»"),
        ("secret(\"abcdefgh\" + \"ijkl\")", "«secret»"),
        ("[vars.password]", "[\"«password»\"]"),
        ("reveal(vars.password)", TOKEN),
        ("\"a \" + reveal(vars.pin)", "a 1234"),
        ("`${reveal(vars.pin)} ${vars.password}`", "1234 «password»"),
    ] {
        assert_eq!(stage.prints(&format!("print({expression});")), expected, "{expression}");
        if !expression.contains('[') {
            let debugged = stage.prints(&format!("debug({expression});"));
            assert_eq!(debugged.trim_matches('"'), expected, "{expression}");
        }
    }
    let printed = stage.prints("print(response.json);");
    assert!(!printed.contains(TOKEN), "{printed}");
}

#[test]
fn errors_checks_and_failures_hold_no_secret() {
    let stage = stage();
    assert_eq!(stage.breaks("throw \"bad \" + vars.password;").message, "bad «password»");
    let message = stage.breaks("json::parse(vars.password);").message;
    assert!(!message.contains("tok-"), "{message}");
    let ran = stage.run("check(vars.password, false); fail(\"no \" + vars.password);");
    assert_eq!(ran.checks[0].name, "«password»");
    assert_eq!(ran.ending.expect("no error"), Ending::Fail("no «password»".to_owned()));
}

#[test]
fn what_is_learnt_in_a_script_is_known_after_it() {
    let stage = stage();
    stage.done("vars.sig = hash::sha1(vars.password); vars.all = response.json;");
    let shown = stage.host.scope.needles.scrub(&stage.var("sig").value.to_text());
    assert_eq!(shown, "«password»");
    stage.done("let x = response.json.access_token;");
    assert_eq!(stage.host.scope.needles.scrub(&format!("<{TOKEN}>")), "<«password»>");
}

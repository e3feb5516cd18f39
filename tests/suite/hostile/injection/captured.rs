//! Places of a captured value that ask for words of their own: nothing where a piece of a path should
//! be, and one cookie among others.

use reqchain::running::Cause;

use crate::scenario::{Reply, Scenario, says};

/// A first step extracts `value` from what the server `base` said; `then` is the second.
fn captured(value: &'static str, then: &str) -> Scenario {
    let steps = format!(
        "inputs: {{ base: , port: {{ default: '0' }} }}\nsteps:\n  - {{ request: 'GET {{{{ base }}}}/start', extract: {{ value: $.value }} }}\n  - {then}\n"
    );
    let answer = serde_json::json!({ "value": value }).to_string();
    Scenario::new(&steps).on("GET /start", move |_| Reply::json(answer.clone()))
}

/// Without its piece a path is another one: that of all users, in place of one of them (S23).
#[test]
fn a_captured_value_that_is_empty_is_no_piece_of_a_path() {
    for path in ["/users/{{ value }}", "/users/{{ value }}/keys", "/users/{{ value }}?all=1"] {
        let ran = captured("", &format!("request: 'DELETE {{{{ base }}}}{path}'")).run();
        ran.fails_with(Cause::CouldNotRun).saw(["GET /start"]);
        says(&ran.error(), &["this is empty", "| raw", "flow.yaml:4:"]);
    }
    let ran =
        captured("", "request: 'GET {{ base }}/users/{{ value | raw }}'").json("GET /users/", "{}").run();
    ran.passed();
}

/// One cookie does not become two (S22).
#[test]
fn a_captured_value_is_one_cookie() {
    for cookie in ["Cookie: 'sid={{ value }}'", "cookie: [a=1, 'sid={{ value }}; b=2']"] {
        let ran = captured(
            "a; admin=1",
            &format!("request: {{ url: '{{{{ base }}}}/x', headers: {{ {cookie} }} }}"),
        )
        .run();
        ran.fails_with(Cause::CouldNotRun).saw(["GET /start"]);
        says(&ran.error(), &["has a `;` in it", "| raw", "flow.yaml:4:"]);
    }
    for (cookie, sent) in [
        ("'{{ value }}'", "a; admin=1"),
        ("'sid={{ value | raw }}'", "sid=a; admin=1"),
        ("'sid={{ value | urlencode }}'", "sid=a%3B%20admin%3D1"),
    ] {
        let then = format!("request: {{ url: '{{{{ base }}}}/x', headers: {{ Cookie: {cookie} }} }}");
        let ran = captured("a; admin=1", &then).json("GET /x", "{}").run();
        ran.passed();
        assert_eq!(ran.seen("GET /x").header("cookie"), sent);
    }
    let key = "request: { url: '{{ base }}/x', auth: { api_key: { cookie: sid, value: '{{ value }}' } } }";
    captured("a; admin=1", key).run().fails_with(Cause::CouldNotRun).saw(["GET /start"]);
}

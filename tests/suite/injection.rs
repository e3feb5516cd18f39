//! No value leaves its place in a request: not the segment of a path, not the query, not a header, and
//! none chooses the host or frames the message (S22, S23, S25).

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

#[test]
fn a_captured_value_is_one_piece_of_a_path_and_of_a_query() {
    for (value, path, query) in [
        ("../../admin", "..%2F..%2Fadmin", "..%2F..%2Fadmin"),
        ("a?b#c", "a%3Fb%23c", "a%3Fb%23c"),
        ("%2e%2e", "%252e%252e", "%252e%252e"),
        ("@evil.example/", "%40evil.example%2F", "%40evil.example%2F"),
        ("a\r\nX-Evil: 1", "a%0D%0AX-Evil%3A%201", "a%0D%0AX-Evil%3A%201"),
        ("a\u{0}b\u{7f}", "a%00b%7F", "a%00b%7F"),
        ("\\..\\x", "%5C..%5Cx", "%5C..%5Cx"),
        ("a&b=c;d+e", "a%26b%3Dc%3Bd%2Be", "a%26b%3Dc%3Bd%2Be"),
    ] {
        let then =
            "request: { url: '{{ base }}/v/{{ value }}/x?a={{ value }}', query: { b: '{{ value }}' } }";
        let route = format!("GET /v/{path}/x");
        let ran = captured(value, then).json(&route, "{}").run();
        ran.passed().saw(["GET /start", &route]);
        let seen = ran.seen(&route);
        assert_eq!(seen.target, format!("/v/{path}/x?a={query}&b={query}"));
        assert_eq!(seen.header("x-evil"), "");
    }
    for dots in [".", ".."] {
        let ran = captured(dots, "request: 'GET {{ base }}/v/{{ value }}/x'").run();
        ran.fails_with(Cause::CouldNotRun).saw(["GET /start"]);
        says(&ran.error(), &["a piece of the path cannot be", "flow.yaml:4:"]);
    }
}

/// Without its piece a path is another one: that of all users, in place of one of them.
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

/// One cookie does not become two.
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

#[test]
fn the_host_of_a_url_does_not_come_from_what_is_encoded_or_more_than_a_host() {
    for value in [
        "evil%2eexample",
        "127.0.0.1%2Fx",
        "evil.example%00.good.example",
        "evil.example/x?",
        "evil.example#",
        "user@evil.example",
        "user:word@evil.example",
        "evil.example\\",
        "evil.example\r\nX: 1",
        "evil example",
        "",
        "\u{ff0f}evil.example",
        "evil\u{3002}example",
    ] {
        for url in ["http://{{ value }}/x", "http://api.{{ value }}/x", "http://{{ value }}.example/x"] {
            let ran =
                captured(value, &format!("request: {{ url: '{url}', auth: {{ bearer: abcdefgh }} }}")).run();
            ran.fails_with(Cause::CouldNotRun).saw(["GET /start"]);
            says(&ran.error(), &["in the place of the host", "flow.yaml:4:"]);
        }
    }
}

#[test]
fn a_url_with_a_line_break_is_an_error_wherever_it_comes_from() {
    for then in [
        "{ request: { url: '{{ base }}/b' }, before: \"request.url = vars.base + '/b' + \\\"\\\\r\\\\nX: 1\\\";\" }",
        "script: \"http::get(vars.base + \\\"/b\\\\n\\\");\"",
        "script: \"http::send(#{ url: vars.base + \\\"/b\\\\t\\\" });\"",
        "request: { url: '{{ base }}/{{ value | raw }}' }",
        "request: { url: '{{ value }}' }",
    ] {
        let then = then.replace("'/b'", "\\\"/b\\\"");
        let ran = captured("http://127.0.0.1:1/\r\nb", &then).run();
        ran.fails_with(Cause::CouldNotRun).saw(["GET /start"]);
        says(&ran.error(), &["the URL has a control character in it", "flow.yaml:4:"]);
    }
}

#[test]
fn no_script_frames_the_message_or_speaks_of_the_connection() {
    for name in
        ["Content-Length", "transfer-encoding", "Connection", "Keep-Alive", "Upgrade", "TE", "Trailer"]
    {
        for then in [
            format!(
                "{{ request: {{ url: '{{{{ base }}}}/b' }}, before: 'request.headers[\"{name}\"] = \"1\";' }}"
            ),
            format!(
                "script: 'http::send(#{{ url: vars.base + \"/b\", headers: #{{ \"{name}\": \"1\" }} }});'"
            ),
        ] {
            let ran = captured("x", &then).run();
            ran.fails_with(Cause::CouldNotRun).saw(["GET /start"]);
            says(&ran.error(), &[name, "leave it out", "flow.yaml:4:"]);
        }
    }
}

#[test]
fn the_header_host_is_the_users_own_and_no_servers() {
    for then in [
        "request: { url: '{{ base }}/b', headers: { Host: '{{ value }}' } }",
        "request: { url: '{{ base }}/b', headers: { host: 'x.{{ value }}' } }",
        "{ request: { url: '{{ base }}/b' }, before: 'request.headers[\"Host\"] = vars.value;' }",
        "script: 'http::send(#{ url: vars.base + \"/b\", headers: #{ \"Host\": vars.value } });'",
    ] {
        let ran = captured("evil.example", then).run();
        ran.fails_with(Cause::CouldNotRun).saw(["GET /start"]);
        says(&ran.error(), &["Host", "a server", "flow.yaml:4:"]);
    }
    for then in [
        "request: { url: '{{ base }}/b', headers: { Host: shop.example } }",
        "{ request: { url: '{{ base }}/b' }, before: 'request.headers[\"Host\"] = \"shop.example\";' }",
        "{ request: { url: '{{ base }}/b', headers: { Host: shop.example } }, before: 'request.headers[\"X\"] = vars.value;' }",
        "script: 'http::send(#{ url: vars.base + \"/b\", headers: #{ \"Host\": \"shop.example\" } });'",
    ] {
        let ran = captured("x", then).json("GET /b", "{}").run();
        ran.passed();
        assert_eq!(ran.seen("GET /b").header("host"), "shop.example", "{then}");
    }
}

/// S22: what is refused is told by the name of the header and the place, never by its value.
#[test]
fn a_header_with_a_line_break_in_it_is_not_sent() {
    for then in [
        "request: { url: '{{ base }}/b', headers: { X-Trace: '{{ value }}' } }",
        "{ request: { url: '{{ base }}/b' }, before: 'request.headers[\"X-Trace\"] = vars.value;' }",
        "script: 'http::send(#{ url: vars.base + \"/b\", headers: #{ \"X-Trace\": vars.value } });'",
    ] {
        let ran = captured("abcdefgh\r\nX-Evil: 1", then).run();
        ran.fails_with(Cause::CouldNotRun).saw(["GET /start"]);
        says(&ran.error().to_lowercase(), &["x-trace", "flow.yaml:4:"]);
        assert!(!ran.error().contains("abcdefgh"), "{}", ran.error());
    }
}

/// S25.
#[test]
fn a_method_is_one_word() {
    for then in [
        "{ request: { url: '{{ base }}/b' }, before: 'request.method = \"GET /x HTTP/1.1\\r\\nX: 1\";' }",
        "script: 'http::send(#{ url: vars.base + \"/b\", method: \"GET /x\" });'",
    ] {
        let ran = captured("x", then).run();
        ran.fails_with(Cause::CouldNotRun).saw(["GET /start"]);
        says(&ran.error(), &["method", "flow.yaml:4:"]);
    }
}

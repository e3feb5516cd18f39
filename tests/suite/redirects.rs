//! What a workflow says of redirects, what they may take along of it, and how they are told. What a hostile
//! one is, stands in `hostile/redirects.rs`.

use reqchain::running::{Cause, Detail};

use crate::scenario::tls::{Settings, TlsServer, with_files};
use crate::scenario::{Cli, Reply, Scenario, says};

const SECRET: &str = "tok-1234567890";

/// A request that `base` sends on to `/take` of the server `other`, with a password that is known.
fn sent_on(request: &str) -> Scenario {
    Scenario::new(&format!(
        "inputs: {{ base: , password: {SECRET} }}\nsteps:\n  - {{ request: 'GET {{{{ base }}}}/echo', extract: {{ echo: $.said }} }}\n  - request: {{ url: '{{{{ base }}}}/', {request} }}\n"
    ))
    .on("GET /echo", |_| Reply::json(format!(r#"{{"said":"{SECRET}","more":"dG9rLTEyMzQ1Njc4OTA="}}"#)))
    .on("GET /", |seen| Reply::redirect(302, format!("{}/take", seen.origin("other"))))
    .server("other", |other| other.on("GET /take", |_| Reply::json("{}")))
}

/// An echo, a literal that is repeated and a derived form carry no mark (S2).
#[test]
fn a_header_that_holds_a_known_secret_without_its_mark_stays_with_its_origin() {
    for header in [
        "X-Trace: '{{ echo }}'",
        "X-Trace: 'by {{ echo }} again'",
        "X-Trace: [plain, 'tok-1234567890']",
        "X-Trace: tok-1234567890",
        "X-Trace: dG9rLTEyMzQ1Njc4OTA=",
    ] {
        // The password is known once something has read it.
        let known = "X-Known: '{{ password }}'";
        let ran = sent_on(&format!("headers: {{ {header}, {known}, X-Plain: kept }}")).run();
        ran.passed().saw_at("other", ["GET /take"]);
        assert_ne!(ran.seen("GET /").header("x-trace"), "", "it goes to its own origin");
        let there = &ran.seen_at("other")[0];
        assert_eq!((there.header("x-trace"), there.header("x-plain")), ("", "kept"), "{header}");
        says(&ran.warnings().join("\n"), &["credentials were left behind"]);
    }
}

/// The same by way of a script (S2).
#[test]
fn a_script_takes_no_known_secret_over_a_redirect_either() {
    let ran = Scenario::new(&format!(
        "inputs: {{ base: , password: {SECRET} }}\nsteps:\n  - {{ request: 'GET {{{{ base }}}}/echo', extract: {{ echo: $.said }} }}\n  - script: |\n      let known = vars.password;\n      http::send(#{{ url: vars.base + \"/\", headers: #{{ \"X-Trace\": vars.echo, \"X-Plain\": \"kept\" }} }});\n"
    ))
    .on("GET /echo", |_| Reply::json(format!(r#"{{"said":"{SECRET}"}}"#)))
    .on("GET /", |seen| Reply::redirect(302, format!("{}/take", seen.origin("other"))))
    .server("other", |other| other.on("GET /take", |_| Reply::json("{}")))
    .run();
    ran.passed();
    let there = &ran.seen_at("other")[0];
    assert_eq!((there.header("x-trace"), there.header("x-plain")), ("", "kept"));
    assert_eq!(ran.seen("GET /").header("x-trace"), SECRET);
    let told = ran.steps().into_iter().flat_map(|step| step.script_redirects);
    let told: Vec<_> =
        told.map(|hop| (hop.status, hop.to.ends_with("/take"), hop.dropped_credentials)).collect();
    assert_eq!(told, [(302, true, true)], "and its redirects are told as a step's");
}

#[test]
fn of_a_repeated_script_the_redirects_of_its_last_pass_are_told() {
    let ran = Scenario::new(
        "inputs: { base: }\nsteps:\n  - script: http::get(vars.base + \"/\");\n    repeat: { until: '{{ loop.pass == 3 }}', every: 1ms, max: 3 }\n",
    )
    .on("GET /", |_| Reply::redirect(302, "/there"))
    .json("GET /there", "{}")
    .run();
    ran.passed().saw(["GET /", "GET /there", "GET /", "GET /there", "GET /", "GET /there"]);
    assert_eq!(ran.steps()[0].script_redirects.len(), 1);
}

/// Where a redirect led may be told only by the answer there, by its own query, or by a later step (S44).
#[test]
fn a_secret_in_a_redirect_is_hidden_whenever_it_is_learnt() {
    let flow = "inputs: { api: https://api.example.com }\nmock: mock.yaml\nsteps:\n  - id: early\n    script: http::get(vars.api + \"/late\");\n  - id: said\n    request: GET {{ api }}/said\n    expect: { json: { $.said: nothing } }\n    continue_on_failure: true\n  - id: late\n    request: GET {{ api }}/go\n    extract: { access_token: $.access_token, refresh_token: $.other }\n    expect: { status: 500 }\n";
    let mock = "routes:\n  - { route: GET /late, reply: { status: 302, headers: { Location: /ok/late-QwErTy-98765 } } }\n  - { route: GET /said, reply: { json: { said: late-QwErTy-98765 } } }\n  - { route: GET /go, reply: { status: 302, headers: { Location: '/final/made-AsDfGh-43210?x=tail-query-ZxCvBn-13579&token=query-ZxCvBn-13579' } } }\n  - { route: 'GET /ok/{x}', reply: { json: {} } }\n  - { route: 'GET /final/{x}', reply: { json: { access_token: made-AsDfGh-43210, other: late-QwErTy-98765 } } }\n";
    let cli = Cli::new(&[("flow.yaml", flow), ("mock.yaml", mock)]);
    let called = cli.call("run flow.yaml --mock --output json");
    says(&called.out, &["/ok/«refresh_token»", "/final/«access_token»?x=tail-«token»&token=«token»"]);
    says(&called.out, &[r#""actual": "\"«refresh_token»\"""#, r#""script_redirects""#]);
    says(&called.err, &["/go → http://", "/final/«access_token»?x=tail-«token»&token=«token»"]);
    for secret in ["made-AsDfGh-43210", "query-ZxCvBn-13579"] {
        assert!(!called.out.contains(secret) && !called.err.contains(secret), "{}{}", called.out, called.err);
    }
    assert!(!called.out.contains("late-QwErTy-98765"), "{}", called.out);

    let flow = "inputs: { api: https://api.example.com }\nmock: mock.yaml\nsteps:\n  - script: |\n      http::get(vars.api + \"/late\");\n      fail(\"it is not there\");\n";
    let cli = Cli::new(&[("flow.yaml", flow), ("mock.yaml", mock)]);
    says(&cli.call("run flow.yaml --mock").err, &["redirected: 302 http://", "/ok/late-QwErTy-98765"]);
}

/// What a server chose as the next URL gets no secret that came unmarked (S2, S11).
#[test]
fn a_request_to_where_a_server_chose_is_searched_for_known_secrets() {
    let chosen = |request: &str| {
        Scenario::new(&format!(
            "inputs: {{ base: , password: {SECRET} }}\nsteps:\n  - {{ request: {{ url: '{{{{ base }}}}/start', headers: {{ X: '{{{{ password }}}}' }} }}, extract: {{ next: $.next }} }}\n  - request: {{ url: '{{{{ next }}}}', {request} }}\n"
        ))
        .on("GET /start", |seen| Reply::json(format!(r#"{{"next":"{}/take"}}"#, seen.origin("other"))))
    };
    let ran = chosen("headers: { X-Trace: tok-1234567890, X-Plain: kept }")
        .server("other", |other| other.on("GET /take", |_| Reply::json("{}")))
        .run();
    ran.passed();
    let there = &ran.seen_at("other")[0];
    assert_eq!((there.header("x-trace"), there.header("x-plain")), ("", "kept"));
    says(&ran.warnings().join("\n"), &["sent without credentials"]);
    for inside in ["query: { q: tok-1234567890 }", "method: POST, body: 'x tok-1234567890'"] {
        let ran = chosen(inside).server("other", |_| {}).run();
        ran.fails_with(Cause::CouldNotRun).saw_at("other", []);
        says(&ran.error(), &["holds a secret", "flow.yaml:4:"]);
    }
}

#[test]
fn the_redirects_of_a_step_are_data_and_hold_no_secret() {
    let ran = Scenario::new(&format!(
        "inputs: {{ base: , password: {SECRET} }}\nsteps: [ {{ request: {{ url: '{{{{ base }}}}/a', query: {{ k: '{{{{ password }}}}' }}, auth: {{ bearer: '{{{{ password }}}}' }} }} }} ]"
    ))
    .on("GET /a", |_| Reply::redirect(301, format!("/b?again={SECRET}")))
    .on("GET /b", |seen| Reply::redirect(302, format!("{}/c", seen.origin("other"))))
    .server("other", |other| other.on("GET /c", |_| Reply::json("{}")))
    .detail(Detail::Outcome)
    .run();
    ran.passed();
    let (base, other) = (ran.origin("base"), ran.origin("other"));
    let step = &ran.steps()[0];
    let told: Vec<_> = step.redirects.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            format!("301 {base}/a?k=«password» → {base}/b?again=«password»"),
            format!("302 {base}/b?again=«password» → {other}/c (credentials left behind)"),
        ]
    );
    assert!(!ran.text().contains(SECRET), "{}", ran.text());
}

#[test]
fn the_redirects_before_a_failure_are_told_too() {
    let ran = Scenario::new("inputs: { base: }\nsteps: [ { request: 'GET {{ base }}/a' } ]")
        .on("GET /a", |_| Reply::redirect(302, "/b"))
        .on("GET /b", |_| Reply::closed())
        .run();
    ran.fails_with(Cause::CouldNotRun);
    assert_eq!(ran.steps()[0].redirects.len(), 1);
    let ran = Scenario::new("inputs: { base: }\nsteps: [ { request: 'GET {{ base }}/a' } ]")
        .on("GET /a", |_| Reply::redirect(302, "/b"))
        .on("GET /b", |_| Reply::redirect(302, "ftp://a.example/"))
        .run();
    ran.fails_with(Cause::CouldNotRun);
    assert_eq!(ran.steps()[0].redirects.len(), 1);
}

/// A person sees them where the step failed; a program always.
#[test]
fn redirects_are_shown_below_a_step_that_failed_and_given_to_programs() {
    let folder = Cli::new(&[
        (
            "m.yaml",
            "routes:\n  - { route: GET /a, reply: { status: 302, headers: { location: /b?n=1 } } }\n  - { route: GET /b, reply: { status: 404 } }\n",
        ),
        (
            "flow.yaml",
            "inputs: { api: https://api.example.com }\nmock: m.yaml\nsteps: [ { request: 'GET {{ api }}/a' } ]\n",
        ),
        (
            "well.yaml",
            "inputs: { api: https://api.example.com }\nmock: m.yaml\nsteps: [ { request: 'GET {{ api }}/a', expect: { status: 404 } } ]\n",
        ),
    ]);
    let called = folder.call("run flow.yaml --mock --output json");
    assert_eq!(called.code, Some(1), "{}", called.err);
    says(&called.err, &["redirected: 302 http://127.0.0.1:", "/a → http://127.0.0.1:", "/b?n=1"]);
    let called = folder.call("run well.yaml --mock --output json");
    assert!(!called.passed().err.contains("redirected"), "{}", called.err);
    let document: serde_json::Value = serde_json::from_str(&called.out).expect("JSON");
    let hop = &document["workflows"][0]["steps"][0]["redirects"][0];
    assert_eq!((&hop["status"], &hop["dropped_credentials"]), (&302.into(), &false.into()), "{document}");
    for (end, at) in [("from", "/a"), ("to", "/b?n=1")] {
        assert!(hop[end].as_str().is_some_and(|url| url.ends_with(at)), "{document}");
    }
}

/// Down from https, whatever it carries (S6).
#[test]
fn a_redirect_out_of_https_is_warned_of_and_carries_nothing() {
    let run = |keys: &str, to: &'static str| {
        let mut plain = Scenario::new(&format!(
            "inputs: {{ base: , secure: , password: {SECRET} }}\nsteps:\n  - {{ request: {{ url: '{{{{ base }}}}/known', headers: {{ X: '{{{{ password }}}}' }} }} }}\n  - request: {{ url: '{{{{ secure }}}}/a', tls: {{ ca: ca.pem }}{keys} }}\n"
        ))
        .json("GET /known", "{}");
        if keys.is_empty() && to == "/b" {
            plain = plain.json("GET /b", "{}");
        }
        let redirect = Some(format!("{}{to}", plain.origin("base")));
        let secure = TlsServer::start(Settings { redirect, ..Settings::default() });
        with_files(plain).input("secure", &secure.origin).run()
    };
    let ran = run("", "/b");
    ran.passed().saw(["GET /known", "GET /b"]);
    let warned = ran.warnings();
    assert_eq!(warned.len(), 1, "{warned:?}");
    says(&warned[0], &["a redirect from https://127.0.0.1:", "leads to http://127.0.0.1:", "not encrypted"]);
    for (keys, to, what) in [
        (", auth: { bearer: abcdefgh }", "/b", "credentials"),
        (", headers: { X-Trace: tok-1234567890 }", "/b", "credentials"),
        ("", "/b?t=tok-1234567890", "a secret in its URL"),
        (", auth: { bearer: abcdefgh }, redirects: { trust: ['{{ base }}'] }", "/b", "credentials"),
    ] {
        let ran = run(keys, to);
        ran.fails_with(Cause::CouldNotRun).saw(["GET /known"]);
        says(&ran.error(), &["which is not encrypted, but the request carries", what]);
        assert!(!ran.text().contains(SECRET), "{}", ran.text());
    }
}

/// `Secure` or not, what was set over https is never readable on the way (S5, S6).
#[test]
fn a_cookie_that_came_over_https_goes_to_no_http() {
    let run = |steps: &str, redirects: bool, cookie: &'static str| {
        let plain = Scenario::new(&format!(
            "inputs: {{ base: , secure: }}\ndefaults: {{ tls: {{ ca: ca.pem }} }}\nsteps:\n{steps}"
        ))
        .on("GET /plain", |_| Reply::json("{}").header("set-cookie", "sid=of-http; Path=/"))
        .json("GET /plain", "{}");
        let redirect = redirects.then(|| format!("{}/plain", plain.origin("base")));
        let secure = TlsServer::start(Settings { redirect, cookie: Some(cookie), ..Settings::default() });
        with_files(plain).input("secure", &secure.origin).run()
    };
    let login = "  - request: GET {{ secure }}/login\n";
    let again = "  - request: GET {{ base }}/plain\n";
    let script = "  - script: http::get(vars.base + \"/plain\");\n";
    for (steps, redirects, told) in [
        (format!("{login}{again}"), true, "credentials were left behind"),
        (
            format!("{login}{again}{again}"),
            false,
            "sent without the cookies that came over https: http://127",
        ),
        (
            format!("{login}{script}{again}"),
            false,
            "sent without the cookies that came over https: http://127",
        ),
    ] {
        let ran = run(&steps, redirects, "sid=SessionCookie99; Path=/");
        ran.passed().saw(["GET /plain", "GET /plain"]);
        let cookies: Vec<_> =
            ran.seen_at("base").iter().map(|seen| seen.header("cookie").to_owned()).collect();
        assert_eq!(cookies, ["", "sid=of-http"], "{steps}");
        says(&ran.warnings().join("\n"), &[told]);
    }
    // That a `Secure` cookie stays behind is what its server asked for.
    let ran = run(&format!("{login}{again}{again}"), false, "other=1; Path=/; Secure");
    assert_eq!(ran.passed().warnings(), [""; 0]);
}

/// A chain has an end (S8).
#[test]
fn redirects_none_gives_the_redirect_itself_and_max_bounds_the_chain() {
    let ran = Scenario::new(
        "defaults: { redirects: { max: 1 } }\nsteps:\n  - { request: { url: '{{ base }}/a', redirects: none }, expect: { status: 302 } }\n  - request: GET {{ base }}/a\n",
    )
    .on("GET /a", |_| Reply::redirect(302, "/b"))
    .on("GET /b", |_| Reply::redirect(302, "/c"))
    .run();
    ran.fails_with(Cause::CouldNotRun).saw(["GET /a", "GET /a", "GET /b"]);
    says(&ran.error(), &["more than 1 redirects", "`redirects: { max: … }`"]);
}

/// Trust is said by origin (S1, S4).
#[test]
fn credentials_and_bodies_follow_a_redirect_only_to_a_trusted_origin_and_back() {
    let flow = |redirects: &str| {
        Scenario::new(&format!(
            "inputs: {{ base: , other: }}\nsteps:\n  - request: {{ url: '{{{{ base }}}}/a', auth: {{ bearer: abcdefgh }}, json: {{ x: 1 }}{redirects} }}\n"
        ))
    };
    let ran = flow("").on("POST /a", |seen| Reply::redirect(307, format!("{}/b", seen.origin("other"))));
    ran.server("other", |_| {}).run().fails_with(Cause::CouldNotRun).saw_at("other", []);
    let ran = flow(", redirects: { trust: ['{{ other }}'] }")
        .on("POST /a", |seen| Reply::redirect(307, format!("{}/b", seen.origin("other"))))
        .on("POST /c", |_| Reply::json("{}"))
        .server("other", |other| {
            other.on("POST /b", |seen| Reply::redirect(307, format!("{}/c", seen.origin("base"))));
        })
        .run();
    ran.passed();
    let there = &ran.seen_at("other")[0];
    assert_eq!((there.header("authorization"), there.body.as_str()), ("Bearer abcdefgh", r#"{"x":1}"#));
    assert_eq!(ran.seen("POST /c").header("authorization"), "Bearer abcdefgh");
}

#[test]
fn a_redirect_within_the_origin_keeps_credentials() {
    let ran = Scenario::new("steps: [ { request: { url: '{{ base }}/', auth: { bearer: abcdefgh } } } ]")
        .on("GET /", |_| Reply::redirect(302, "/next"))
        .json("GET /next", "{}")
        .run();
    ran.passed().saw(["GET /", "GET /next"]);
    assert_eq!(ran.seen("GET /next").header("authorization"), "Bearer abcdefgh");
    assert!(ran.warnings().is_empty());
}

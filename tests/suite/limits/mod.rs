//! Every number that bounds something: below it and at it all is well, above it there is an error that
//! names it. Nothing panics, hangs, or is cut without a word.

mod answers;

use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};

use reqchain::ground::source::Source;
use reqchain::ground::yaml;

use crate::scenario::{Cli, Ran, Reply, Scenario, says};

/// Runs something below its limit, at it and above it: only the last does not pass, and says why.
#[track_caller]
fn bounded(limit: usize, told: &str, run: impl Fn(usize) -> Ran) {
    for size in [limit - 1, limit] {
        run(size).passed();
    }
    refused(&run(limit + 1), told);
}

/// It did not pass, and its errors or its checks say so.
#[track_caller]
fn refused(ran: &Ran, told: &str) {
    let passed = ran.finished.as_ref().is_ok_and(reqchain::running::Finished::passed);
    assert!(!passed, "it passed, where `{told}` was to be said");
    let checks = ran.checks().into_iter().filter(|check| !check.passed);
    let checks: Vec<String> = checks.map(|check| format!("{} {}", check.expected, check.actual)).collect();
    says(&format!("{}\n{}", ran.error(), checks.join("\n")), &[told]);
}

/// It passed where it fits, and otherwise not.
#[track_caller]
fn judged(ran: &Ran, fits: bool, told: &str) {
    if fits {
        ran.passed();
    } else {
        refused(ran, told);
    }
}

/// A text for each number.
fn many(count: usize, text: impl Fn(usize) -> String) -> String {
    (0..count).map(text).collect::<Vec<_>>().concat()
}

fn get(rest: &str) -> Scenario {
    Scenario::new(&format!("steps:\n  - request: {{ url: '{{{{ base }}}}/' }}\n{rest}"))
}

/// Lets `base` answer where it is asked at all.
fn answered(scenario: Scenario, is_asked: bool) -> Ran {
    if is_asked { scenario.json("GET /", "{}").run() } else { scenario.run() }
}

/// A workflow of one script.
fn script(code: &str) -> Ran {
    scripted("", code)
}

fn scripted(limits: &str, code: &str) -> Ran {
    let code = code.replace('\n', "\n        ");
    let flow = format!("steps:\n  - script:\n      {limits}\n      code: |\n        {code}\n");
    Scenario::new(&flow).run()
}

fn nested(open: &str, inner: &str, close: &str, levels: usize) -> String {
    format!("{}{inner}{}", open.repeat(levels), close.repeat(levels))
}

/// Bodies (S29).
#[test]
fn max_body() {
    bounded(10, "larger than 10B", |size| {
        Scenario::new("steps:\n  - request: { url: '{{ base }}/', max_body: 10B }\n")
            .on("GET /", move |_| Reply::text("x".repeat(size)))
            .run()
    });
    bounded(32 << 20, "larger than 32MiB", |size| {
        get("").on("GET /", move |_| Reply::text("x".repeat(size))).run()
    });
}

/// Headers (S31).
#[test]
fn headers_of_an_answer() {
    // The server adds some of its own.
    let own = get("    extract: { n: '{{ response.headers | length }}' }\n")
        .on("GET /", |_| Reply::status(200))
        .run();
    let own = usize::try_from(own.output("n").as_u64().expect("a number")).expect("it fits");
    bounded(100, "headers", |count| {
        let add = |reply: Reply, at: usize| reply.header(&format!("x-{at}"), "1");
        get("").on("GET /", move |_| (own..count).fold(Reply::status(200), add)).run()
    });
    bounded(64 * 1024, "headers", |size| {
        get("").on("GET /", move |_| Reply::status(200).header("x", "v".repeat(size))).run()
    });
    let add = |reply: Reply, at: usize| reply.header(&format!("x{at}"), "v".repeat(60 * 1024));
    for (count, fits) in [(3, true), (4, true), (5, false)] {
        let ran = get("").on("GET /", move |_| (0..count).fold(Reply::status(200), add)).run();
        judged(&ran, fits, "headers");
    }
}

/// Redirects (S8).
#[test]
fn redirects() {
    for (setting, limit) in [("redirects: { max: 2 }", 2), ("timeout: 60s", 10)] {
        bounded(limit, &format!("more than {limit} redirects"), |hops| {
            let mut scenario =
                Scenario::new(&format!("steps:\n  - request: {{ url: '{{{{ base }}}}/0', {setting} }}\n"));
            for hop in 0..hops {
                scenario = scenario
                    .on(&format!("GET /{hop}"), move |_| Reply::redirect(302, format!("/{}", hop + 1)));
            }
            if hops <= limit {
                scenario = scenario.json(&format!("GET /{hops}"), "{}");
            }
            scenario.run()
        });
    }
}

/// The jar (S15).
#[test]
fn cookies() {
    // A cookie, and how many of them there are: what does not fit is left out, and that is told.
    let sent = |count: usize, size: usize| {
        let ran = Scenario::new("steps:\n  - request: GET {{ base }}/set\n  - request: GET {{ base }}/\n")
            .on("GET /set", move |_| {
                let add = |reply: Reply, at: usize| {
                    reply.header("set-cookie", format!("c{at:03}={}", "v".repeat(size - 4)))
                };
                (0..count).fold(Reply::status(200), add)
            })
            .json("GET /", "{}")
            .run();
        ran.passed();
        let came = ran.seen("GET /").header("cookie").split("; ").filter(|pair| !pair.is_empty()).count();
        (came, ran.warnings().join("\n"))
    };
    for (count, size, came) in [
        (1, 4095, 1),
        (1, 4096, 1),
        (1, 4097, 0),
        (49, 5, 49),
        (50, 5, 50),
        (51, 5, 50),
        (2, 4092, 2),
        (3, 4092, 2),
    ] {
        let (sent, warned) = sent(count, size);
        assert_eq!(sent, came, "{count} cookies of {size} bytes");
        assert_eq!(warned.contains("cookie"), came < count, "{count} cookies of {size} bytes: {warned}");
    }
}

/// Tokens (S26).
#[test]
fn a_bearer_token() {
    bounded(64 * 1024, "more than 65536", |size| {
        let flow = "inputs: { base: , t: }\nsteps:\n  - request: { url: '{{ base }}/', auth: { bearer: '{{ t }}' } }\n";
        answered(Scenario::new(flow).input("t", &"t".repeat(size)), size <= 64 * 1024)
    });
}

#[test]
fn how_often_a_step_is_repeated() {
    for (setting, limit) in [("max: 3, ", 3), ("", 100)] {
        bounded(limit, &format!("not within {limit} passes"), |passes| {
            let count = AtomicUsize::new(0);
            get(&format!(
                "    repeat: {{ {setting}every: 1ms, until: '{{{{ response.json.n == {passes} }}}}' }}\n"
            ))
            .on("GET /", move |_| {
                Reply::json(format!("{{\"n\":{}}}", count.fetch_add(1, Ordering::Relaxed) + 1))
            })
            .run()
        });
    }
    bounded(1_000_000, "1000000 at most", |max| {
        let flow = get(&format!("    repeat: {{ max: {max}, until: '{{{{ true }}}}' }}\n"));
        answered(flow, max <= 1_000_000)
    });
}

/// Waiting for a server (S41).
#[test]
fn how_often_a_request_is_sent_again_and_how_long_it_waits() {
    bounded(2, "503", |failures| {
        let count = AtomicUsize::new(0);
        get("    retry: { max: 2, if: [503], backoff: 1ms..2ms }\n")
            .on("GET /", move |_| {
                let failed = count.fetch_add(1, Ordering::Relaxed) < failures;
                Reply::status(if failed { 503 } else { 200 })
            })
            .run()
    });
    bounded(60, "503", |seconds| {
        let count = AtomicUsize::new(0);
        get("    retry: { max: 1, if: [503] }\n")
            .on("GET /", move |_| match count.fetch_add(1, Ordering::Relaxed) {
                0 => Reply::status(503).header("retry-after", seconds.to_string()),
                _ => Reply::status(200),
            })
            .run()
    });
    bounded(1000, "1000 at most", |max| answered(get(&format!("    retry: {max}\n")), max <= 1000));
}

#[test]
fn how_often_a_script_jumps() {
    bounded(10_000, "jumped 10000 times", |jumps| {
        let flow = format!(
            "vars: {{ i: 0 }}\nsteps:\n  - id: a\n    script: |\n      vars.i += 1;\n      if vars.i <= {jumps} {{ next(\"a\"); }}\n"
        );
        Scenario::new(&flow).run()
    });
}

/// Workflows that use each other (S73).
#[test]
fn workflows_that_use_each_other() {
    let uses = |next: usize| format!("steps:\n  - uses: ./f{next}.yaml\n");
    bounded(16, "more than 16 workflows", |length| {
        let chain = (1..length - 1)
            .fold(Scenario::new(&uses(1)), |flow, at| flow.file(&format!("f{at}.yaml"), uses(at + 1)));
        chain.file(&format!("f{}.yaml", length - 1), "steps:\n  - script: 1\n").run()
    });
    bounded(500, "500 in all", |all| {
        let flow = format!("steps:\n{}", "  - uses: ./f.yaml\n".repeat(all - 1));
        Scenario::new(&flow).file("f.yaml", "steps:\n  - script: 1\n").run()
    });
}

/// A file (S67).
#[test]
fn the_tree_of_a_file() {
    let read =
        |text: &str| yaml::read(&Source::text("t", text)).map(|_| ()).map_err(|problem| problem.message);
    let exact = |limit: usize, told: &str, text: &dyn Fn(usize) -> String| {
        // Where the list itself counts, there is room for one element less.
        let most = (limit - 2..=limit + 1).rev().find(|size| read(&text(*size)).is_ok()).expect("some fit");
        assert!(limit - most <= 1, "{told}: {most}");
        read(&text(most - 1)).expect("it fits");
        says(&read(&text(most + 1)).expect_err("too much"), &[told]);
    };
    exact(64, "deeper than 64 levels", &|levels| nested("[", "x", "]", levels));
    exact(100_000, "more than 100000 keys and values", &|nodes| format!("[{}]", vec!["x"; nodes].join(",")));
    exact(1 << 20, "larger than 1 MiB", &|bytes| format!("a: 1\n#{}", "x".repeat(bytes - 6)));
}

#[test]
fn mistakes_that_are_told() {
    for (count, told, more) in [(99, 99, false), (100, 100, false), (101, 100, true)] {
        let flow = (0..count).fold("steps:\n  - script: 1\n".to_owned(), |mut flow, at| {
            let _ = writeln!(flow, "zz{at}: 1");
            flow
        });
        let refused = Scenario::new(&flow).run().refused();
        assert_eq!(refused.matches("unknown key").count(), told);
        assert_eq!(refused.contains("more mistakes than 100"), more, "{count}");
    }
}

/// A template (S71).
#[test]
fn a_template() {
    bounded(4096, "it may have 4096", |size| {
        Scenario::new(&format!(
            "vars: {{ a: \"{{{{ '{}' }}}}\" }}\nsteps:\n  - script: 1\n",
            "x".repeat(size - 2)
        ))
        .run()
    });
    bounded(32 << 20, "larger than 32 MiB", |size| {
        Scenario::new(&format!("vars: {{ a: '{{{{ \"x\" * {size} }}}}' }}\nsteps:\n  - script: 1\n")).run()
    });
}

/// A number of a server with which no crate can count: in a debug build it would break there (S71).
#[test]
fn a_number_that_is_too_large_to_count_with_is_no_fault_of_its_own() {
    for template in ["items[::step]", "'abc'[::step]", "range(0, -5, step) | list"] {
        let ran = Scenario::new(&format!(
            "inputs: {{ base: }}\nsteps:\n  - {{ request: 'GET {{{{ base }}}}/', extract: {{ step: $.step, items: $.items }} }}\n  - request: {{ url: '{{{{ base }}}}/', query: {{ q: \"{{{{ {template} }}}}\" }} }}\nfinally: [ {{ request: 'GET {{{{ base }}}}/bye' }} ]\n"
        ))
        .json("GET /", r#"{"step":-9223372036854775808,"items":[1,2,3]}"#)
        .json("GET /bye", "{}")
        .run();
        assert_eq!(ran.seen("GET /bye").target, "/bye", "{template}");
    }
}

#[test]
fn what_is_selected_from() {
    bounded(127, "JSON", |levels| {
        get("    extract: { a: $ }\n").on("GET /", move |_| Reply::json(nested("[", "", "]", levels))).run()
    });
    let markup = |media: &'static str, key: &str, body: String| {
        get(&format!("    extract: {{ a: {{ {key}: 'string(/*)' }} }}\n")
            .replace("css: 'string(/*)'", "css: html, default: ''"))
        .on("GET /", move |_| Reply::text(body.clone()).header("content-type", media))
        .run()
    };
    let xml = |body: String| markup("application/xml", "xpath", body);
    bounded(1000, "more than 1000 attributes", |count| {
        let attributes: String = many(count, |at| format!(" a{at}='1'"));
        xml(format!("<a{attributes}/>"))
    });
    let most = (508..=513)
        .rev()
        .find(|depth| xml(nested("<a>", "", "</a>", *depth)).finished.is_ok_and(|ran| ran.passed()));
    let most = most.expect("some fit");
    bounded(most, "512", |depth| xml(nested("<a>", "", "</a>", depth)));
}

/// Documents (S70).
#[test]
fn documents_with_many_elements() {
    let wide = |media: &'static str, key: &str, count: usize| {
        get(&format!("    extract: {{ a: {{ {key} }} }}\n"))
            .on("GET /", move |_| {
                Reply::text(format!("<p>{}</p>", "<b/>".repeat(count))).header("content-type", media)
            })
            .run()
    };
    let xml = |count: usize| wide("application/xml", "xpath: 'count(/*)'", count);
    for (count, fits) in [(199_990, true), (200_001, false)] {
        let ran = xml(count);
        judged(&ran, fits, "more than 200000 elements");
    }
    // Of HTML, `<p>` closes the one before it.
    let html = |count: usize| {
        get("    extract: { a: { css: title } }\n")
            .on("GET /", move |_| {
                let body = format!("<title>a</title>{}", "<p>".repeat(count));
                Reply::text(body).header("content-type", "text/html")
            })
            .run()
    };
    html(199_900).passed();
    refused(&html(200_001), "more than 200000 elements");
}

#[test]
fn keys_that_are_fetched() {
    for (size, fits) in [((1 << 20) - 1, true), (1 << 20, true), ((1 << 20) + 1, false)] {
        let ran = get("    expect: { jwt: { from: $.t, verify: { jwks: '{{ base }}/keys' } } }\n")
            .json("GET /", "{}")
            .on("GET /keys", move |_| Reply::json(format!("{{\"keys\":[]{}}}", " ".repeat(size - 11))))
            .run();
        assert_eq!(ran.error().contains("larger than 1MiB"), !fits, "{size}: {}", ran.error());
    }
}

/// What a selector may cost (S70).
#[test]
fn selectors_and_patterns() {
    let with =
        |extract: String, is_asked| answered(get(&format!("    extract: {{ {extract} }}\n")), is_asked);
    bounded(1000, "it has 1001 bytes; the limit is 1000", |size| {
        let flow = "steps:\n  - request: { url: '{{ base }}/' }\n    extract: { a: { xpath: \"count(//a[.='')\" } }\n";
        let path = format!("count(//a[.='{}'])", "x".repeat(size - "count(//a[.=''])".len()));
        let scenario = Scenario::new(&flow.replace("count(//a[.='')", &path));
        if size > 1000 { scenario.run() } else { scenario.on("GET /", |_| Reply::text("<a/>")).run() }
    });
    refused(
        &with("a: { regex: '((x{1000}){1000}){1000}' }".to_owned(), false),
        "the regular expression becomes too large",
    );
}

#[test]
fn violations_of_a_schema() {
    for (count, told, more) in [(19, 19, false), (20, 20, false), (21, 20, true)] {
        let body = format!("[{}]", vec!["1"; count].join(","));
        let ran = get("    expect: { schema: s.json }\n")
            .file("s.json", r#"{ "items": { "type": "string" } }"#)
            .on("GET /", move |_| Reply::json(body.clone()))
            .run();
        let checks = ran.checks();
        assert_eq!(checks.iter().filter(|check| check.what.contains('[')).count(), told);
        assert_eq!(checks.iter().any(|check| check.actual == "1 more violations"), more, "{count}");
    }
}

/// A script (S68).
#[test]
fn a_script_by_its_settings() {
    bounded(10, "larger than 10 bytes", |size| {
        scripted("max_text: 10B", &format!("let s = \"\"; s.pad({size}, \"x\");"))
    });
    let counted =
        |most: usize| scripted(&format!("max_operations: {most}"), "let x = 0; while x < 20 { x += 1; }");
    let needed = (1..1000)
        .find(|most| counted(*most).finished.is_ok_and(|ran| ran.passed()))
        .expect("some are enough");
    refused(&counted(needed - 1), &format!("more than {} operations", needed - 1));
    counted(needed + 1).passed();
}

/// The process around a script (S68).
#[test]
fn what_protects_the_process_from_a_script() {
    bounded(20_000, "more than 20000 elements", |count| script(&format!("let a = []; a.pad({count}, 1);")));
    bounded(4 << 20, "larger than 4 MiB", |size| script(&format!("let s = \"\"; s.pad({size}, \"x\");")));
    bounded(64 * 1024, "65536", |size| script(&format!("random::string({size});")));
    bounded(20_000, "20000", |size| script(&format!("random::bytes({size});")));
    bounded(4096, "4096", |size| script(&format!("regex::is_match(\"x\", \"{}\");", "x".repeat(size))));
    bounded(60, "60", |depth| script(&format!("xml::parse(\"{}\");", nested("<a>", "", "</a>", depth))));
    let exact = |limit: usize, told: &str, code: &dyn Fn(usize) -> String| {
        let passes = |size: usize| script(&code(size)).finished.is_ok_and(|ran| ran.passed());
        // What stands around it counts, too.
        let most = (limit / 4..=limit + 1).rev().find(|size| passes(*size)).expect("some fit");
        bounded(most, told, |size| script(&code(size)));
    };
    let wide = |count: usize| {
        format!("let s = \"<a>\"; s.pad({}, \"<b/>\");\nxml::parse(s + \"</a>\");", 3 + 4 * count)
    };
    exact(20_000, "xml::parse", &wide);
    exact(32, "deeper than 32 levels", &|depth| {
        format!("fn f(n) {{ if n > 0 {{ f(n - 1) }} }}\nf({depth});")
    });
    exact(64, "deeper than 64 levels", &|depth| format!("let x = {};", nested("(", "1", ")", depth)));
    exact(128, "more than 128 variables", &|count| many(count, |at| format!("let v{at} = 1;\n")));
}

#[test]
fn modules_of_a_script() {
    let module = |flow: Scenario, at: usize, text: String| flow.file(&format!("scripts/m{at}.rhai"), text);
    bounded(64, "more than 64 modules", |count| {
        let imports: String = many(count, |at| format!("      import \"m{at}\" as m{at};\n"));
        let flow = Scenario::new(&format!("steps:\n  - script: |\n{imports}"));
        (0..count).fold(flow, |flow, at| module(flow, at, String::new())).run()
    });
    bounded(16, "deeper than 16 levels", |depth| {
        let flow = Scenario::new("steps:\n  - script: 'import \"m1\" as m;'\n");
        let text =
            |at: usize| if at < depth { format!("import \"m{}\" as m;", at + 1) } else { String::new() };
        (1..=depth).fold(flow, |flow, at| module(flow, at, text(at))).run()
    });
}

#[test]
fn numbers_of_the_command_line() {
    let folder = Cli::new(&[("flow.yaml", "steps:\n  - script: 1\n")]);
    for flag in ["--jobs", "--repeat"] {
        folder.call(&format!("run flow.yaml {flag} 1")).passed();
        folder.call(&format!("run flow.yaml {flag} 0")).refused(&[flag, "from 1 on"]);
        folder.call(&format!("run flow.yaml {flag} 4294967296")).refused(&[flag, "whole number"]);
    }
}

#[test]
fn requests_of_a_script() {
    let flow = "inputs: { base: }\nsteps:\n  - script: |\n      for i in 0..1001 { http::get(vars.base + \"/\"); }\n";
    let ran = Scenario::new(flow).on("GET /", |_| Reply::status(200)).run();
    refused(&ran, "more than 1000 times");
    assert_eq!(ran.seen_at("base").len(), 1000);
}

#[test]
fn what_a_mock_is_sent() {
    let posted = |content: &str, body: Vec<u8>| {
        let flow = format!(
            "steps:\n  - request: {{ url: '{{{{ base }}}}/', method: POST, file: b.bin, headers: {{ content-type: '{content}' }} }}\n    expect: {{ status: 200, json: {{ $.n: present }} }}\n"
        );
        Scenario::new(&flow)
            .file("b.bin", body)
            .mock("routes:\n  - route: POST /\n    script: '#{ status: 200, json: #{ n: request.parts.len() } }'\n")
            .run()
    };
    bounded(10 << 20, "413", |size| posted("text/plain", vec![b'x'; size]));
    bounded(1000, "413", |count| {
        let parts = "--b\r\ncontent-disposition: form-data; name=a\r\n\r\n1\r\n".repeat(count);
        posted("multipart/form-data; boundary=b", format!("{parts}--b--\r\n").into_bytes())
    });
}

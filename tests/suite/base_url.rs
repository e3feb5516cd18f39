//! `base_url`: what it is laid before, who may choose it, and what cannot be one.

use reqchain::running::Cause;

use crate::scenario::{Reply, Scenario, says};

#[test]
fn base_url_is_laid_before_every_url_without_a_scheme() {
    let ran = Scenario::new(
        r#"
defaults: { base_url: "{{ base }}/api/v1" }
vars: { id: a/b, path: /x/y }
steps:
  - request: GET /me
  - request: me?a=1
  - request: { url: "/items/{{ id }}", query: { q: "{{ id }}" } }
  - request: { url: "{{ path }}" }
  - request: { url: "?only=query" }
  - request: { url: "" }
  - request: "{{ base }}/absolute"
  - request: POST {{ path }}
finally:
  - request: DELETE /me
"#,
    )
    .on("GET /api/v1/me", |_| Reply::json("{}"))
    .json("GET /api/v1/items/a%2Fb", "{}")
    .json("GET /api/v1/x/y", "{}")
    .json("GET /api/v1", "{}")
    .json("GET /absolute", "{}")
    .json("POST /api/v1/x/y", "{}")
    .json("DELETE /api/v1/me", "{}")
    .run();
    ran.passed();
    let targets: Vec<_> =
        ran.seen_at("base").iter().map(|seen| format!("{} {}", seen.method, seen.target)).collect();
    assert_eq!(
        targets,
        [
            "GET /api/v1/me",
            "GET /api/v1/me?a=1",
            "GET /api/v1/items/a%2Fb?q=a%2Fb",
            "GET /api/v1/x/y",
            "GET /api/v1?only=query",
            "GET /api/v1",
            "GET /absolute",
            "POST /api/v1/x/y",
            "DELETE /api/v1/me"
        ]
    );
}

/// A base keeps its origin (S11).
#[test]
fn a_server_chooses_the_path_behind_base_url_but_not_where_credentials_go() {
    let ran = Scenario::new(
        r#"
inputs: { base: , password: tok-1234567890 }
defaults: { base_url: "{{ base }}", auth: { bearer: "{{ password }}" } }
steps:
  - request: GET /start
    extract: { path: $.path, elsewhere: $.elsewhere }
  - request: GET {{ path }}
  - request: { url: "{{ elsewhere }}/take" }
"#,
    )
    .on("GET /start", |seen| {
        Reply::json(format!(r#"{{"path":"@evil.example/x","elsewhere":"{}"}}"#, seen.origin("evil")))
    })
    .json("GET /@evil.example/x", "{}")
    .server("evil", |evil| evil.on("GET /take", |_| Reply::json("{}")))
    .run();
    ran.passed().saw(["GET /start", "GET /@evil.example/x"]);
    assert_eq!(ran.seen("GET /@evil.example/x").header("authorization"), "Bearer tok-1234567890");
    assert_eq!(ran.seen_at("evil")[0].header("authorization"), "");
    says(&ran.warnings().join("\n"), &["sent without credentials"]);
}

/// A base from a server gets nothing (S11).
#[test]
fn a_base_url_that_a_server_chose_gets_no_credentials() {
    let ran = Scenario::new(
        r#"
inputs: { base: , password: tok-1234567890 }
defaults: { base_url: "{{ there }}", auth: { bearer: "{{ password }}" } }
steps:
  - request: "{{ base }}/start"
    extract: { there: $.there }
  - request: GET /take
"#,
    )
    .on("GET /start", |seen| Reply::json(format!(r#"{{"there":"{}"}}"#, seen.origin("evil"))))
    .server("evil", |evil| evil.on("GET /take", |_| Reply::json("{}")))
    .run();
    ran.passed();
    assert_eq!(ran.seen("GET /start").header("authorization"), "Bearer tok-1234567890");
    assert_eq!(ran.seen_at("evil")[0].header("authorization"), "");
}

#[test]
fn a_workflow_that_is_used_does_not_see_base_url() {
    let ran = Scenario::new("defaults: { base_url: '{{ base }}' }\nsteps: [ { uses: other.yaml } ]\n")
        .file("other.yaml", "steps: [ { request: GET /me } ]\n")
        .run();
    says(&ran.refused(), &["other.yaml:1", "no scheme and host", "base_url"]);
}

#[test]
fn a_base_that_none_can_be_is_told_where_it_stands() {
    for (base, part) in [("h.example/api", "no scheme and host"), ("https://h.example/?a=1", "`?` or `#`")] {
        let ran = Scenario::new(&format!(
            "vars: {{ there: '{base}' }}\ndefaults: {{ base_url: '{{{{ there }}}}' }}\nsteps: [ {{ request: GET /me }} ]\n"
        ))
        .run();
        ran.fails_with(Cause::CouldNotRun);
        says(&ran.error(), &["flow.yaml:2:", part]);
    }
}

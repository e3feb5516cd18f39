//! The rules of the layout, one table a rule.

use super::*;

fn formatted(text: &str) -> String {
    let once =
        format(&Source::text("flow.yaml", text)).unwrap_or_else(|problems| panic!("{problems}\n{text}"));
    let twice =
        format(&Source::text("flow.yaml", once.as_str())).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(once, twice, "formatting again changes nothing");
    once
}

#[track_caller]
fn becomes(rows: &[(&str, &str)]) {
    for (before, after) in rows {
        assert_eq!(formatted(before), *after, "{before}");
    }
}

#[test]
fn keys_of_the_language_get_their_order_and_keys_of_the_user_keep_theirs() {
    becomes(&[
        ("steps: []\nname: x\n", "name: x\nsteps: []\n"),
        (
            "steps:\n- extract: {b: 1, a: 2}\n  request: {json: {z: 1, url: 2}, url: u, method: PUT}\n  id: x\n",
            "steps:\n  - id: x\n    request: { method: PUT, url: u, json: { z: 1, url: 2 } }\n    extract: { b: 1, a: 2 }\n",
        ),
        (
            "inputs:\n  z: {default: 1, env: A}\n  a: 1\nsteps: []\n",
            "inputs:\n  z: { env: A, default: 1 }\n  a: 1\nsteps: []\n",
        ),
        // A word that nobody knows stays behind what it stood behind.
        ("steps: []\nodd: 1\nname: x\n", "name: x\nsteps: []\nodd: 1\n"),
    ]);
}

#[test]
fn foreign_words_become_ours_where_ours_is_not_there_yet() {
    becomes(&[
        (
            "tasks:\n  - http: { uri: u, params: { params: 1 } }\n    captures: { a: $.a }\n",
            "steps:\n  - request: { url: u, query: { params: 1 } }\n    extract: { a: $.a }\n",
        ),
        (
            "steps:\n  - captures: { a: 1 }\n    extract: { b: 1 }\n",
            "steps:\n  - captures: { a: 1 }\n    extract: { b: 1 }\n",
        ),
        (
            "steps:\n  - expect: { json: { status_code: 1 } }\n",
            "steps:\n  - expect: { json: { status_code: 1 } }\n",
        ),
    ]);
}

#[test]
fn a_comment_moves_with_what_it_stands_before_and_beside() {
    becomes(&[
        (
            "# head\n\n# the steps\nsteps: [] # none\n# the name\nname: x # of mine\n# end\n",
            "# head\n\n# the name\nname: x # of mine\n# the steps\nsteps: [] # none\n# end\n",
        ),
        ("# head\nsteps: []\nname: x\n", "# head\nname: x\nsteps: []\n"),
        (
            "steps: # a\n# b\n- # c\n  id: x # d\n  # e\n  # f\n# g\n",
            "steps: # a\n  # b\n  - # c\n    id: x # d\n    # e\n    # f\n# g\n",
        ),
        (
            "steps:\n  - script: | # Rhai\n        let a = 1; # not ours\n\n        b()\n    # after\n    id: x\n",
            "steps:\n  # after\n  - id: x\n    script: | # Rhai\n      let a = 1; # not ours\n\n      b()\n",
        ),
        (
            "steps: [ # a\n  { id: x }, # b\n  { id: y } # c\n  # d\n] # e\n",
            "steps: # e\n  # a\n  - { id: x } # b\n  - { id: y } # c\n  # d\n",
        ),
        ("vars:\n  a:\n    # why\n    1\nsteps: []\n", "vars:\n  # why\n  a: 1\nsteps: []\n"),
        ("steps: {\n  # nothing\n  }\n", "# nothing\nsteps: {}\n"),
        // What was lined up stays so.
        (
            "inputs:    # a\n  b: 1     # c\nsteps: []  # d\n",
            "inputs:    # a\n  b: 1     # c\nsteps: []  # d\n",
        ),
        ("--- # one\nsteps: []\n... # two\n", "# one\nsteps: []\n# two\n"),
    ]);
}

#[test]
fn blank_lines_set_apart_what_they_did_and_are_never_two() {
    becomes(&[
        ("\n\nname: x\n\n\n\nsteps: []\n\n\n", "name: x\n\nsteps: []\n"),
        (
            "name: x\nsteps:\n\n  - id: a\n\n  - id: b\n  - id: c\noutputs: {}\n",
            "name: x\nsteps:\n  - id: a\n\n  - id: b\n\n  - id: c\noutputs: {}\n",
        ),
        (
            "name: x\ntags: []\n\nsteps:\n  - id: a\noutputs: {}\n",
            "name: x\ntags: []\n\nsteps:\n  - id: a\n\noutputs: {}\n",
        ),
        (
            "steps:\n  - script: |+\n      a\n\n\noutputs: {}\n",
            "steps:\n  - script: |+\n      a\n\n\noutputs: {}\n",
        ),
    ]);
}

#[test]
fn what_fits_in_a_line_stays_in_one() {
    let long = format!("vars: {{ a: {}, b: {} }}\nsteps: []\n", "x".repeat(60), "y".repeat(60));
    let block = format!("vars:\n  a: {}\n  b: {}\nsteps: []\n", "x".repeat(60), "y".repeat(60));
    let list = format!("tags: [{}, {}]\nsteps: []\n", "x".repeat(60), "y".repeat(60));
    let lines = format!("tags:\n  - {}\n  - {}\nsteps: []\n", "x".repeat(60), "y".repeat(60));
    becomes(&[
        (&long, &block),
        (&list, &lines),
        ("vars: {a: 1,\n  b: [ 1,2 ]}\nsteps: []\n", "vars: { a: 1, b: [1, 2] }\nsteps: []\n"),
        ("{\"name\":\"x\",\"steps\":[{\"id\":\"a\"}]}", "\"name\": \"x\"\n\"steps\": [{ \"id\": \"a\" }]\n"),
        ("vars: { a: [b: 1] }\nsteps: []\n", "vars: { a: [{ b: 1 }] }\nsteps: []\n"),
    ]);
}

#[test]
fn scalars_stay_as_typed() {
    becomes(&[
        (
            "vars: { a: 0101, b: 1.10, c: ~, d: 'x', e: \"x\" }\nsteps: []\n",
            "vars: { a: 0101, b: 1.10, c: ~, d: 'x', e: \"x\" }\nsteps: []\n",
        ),
        (
            "vars: { a: '{{ b }}', c: '{{ \"d\" }}', e: '{{ ''f'' }}' }\nsteps: []\n",
            "vars: { a: \"{{ b }}\", c: '{{ \"d\" }}', e: \"{{ 'f' }}\" }\nsteps: []\n",
        ),
        (
            "vars:\n  a: one\n       two\n  b: \"c\n\n    d\"\nsteps: []\n",
            "vars:\n  a: one\n    two\n  b: \"c\n\n    d\"\nsteps: []\n",
        ),
        (
            "vars:\n  a: |4-\n        x\n      y\n  b: >\n   c\n\n   d\n\n  e:\nsteps: []\n",
            "vars:\n  a: |2-\n      x\n    y\n  b: >\n    c\n\n    d\n\n  e:\nsteps: []\n",
        ),
        ("vars:\r\n  a: 1\r\nsteps: []\r\n", "vars:\n  a: 1\nsteps: []\n"),
        ("steps:\n- script: |\n   a", "steps:\n  - script: |\n      a\n"),
        ("\u{feff}vars: { ä: ö }\nsteps: [] # ü\n", "vars: { ä: ö }\nsteps: [] # ü\n"),
    ]);
}

#[test]
fn anchors_aliases_and_merge_keys_are_kept() {
    becomes(&[
        (
            "defaults: &d\n    headers: &h {b: 1, a: 2}\nsteps:\n - &s\n   request: {<<: *h, url: u}\n - *s\n",
            "defaults: &d\n  headers: &h { b: 1, a: 2 }\nsteps:\n  - &s\n    request: { <<: *h, url: u }\n  - *s\n",
        ),
        // An alias cannot stand before its anchor, so that these keep their order.
        ("steps: &s []\nfinally: []\nname: *s\n", "steps: &s []\nfinally: []\nname: *s\n"),
        ("vars: { k: &k a, b: *k , *k : 2 }\nsteps: []\n", "vars: { k: &k a, b: *k, *k : 2 }\nsteps: []\n"),
    ]);
}

#[test]
fn mocks_and_environment_files_are_known_and_other_files_refused() {
    assert_eq!(
        formatted("routes: [{reply: {}, route: GET /}]\nname: x\n"),
        "name: x\nroutes: [{ route: GET /, reply: {} }]\n"
    );
    let staging = Source::file("environments/staging.yaml".as_ref(), "b: {default: 1, env: B}\na: 1\n");
    assert_eq!(format(&staging).expect("it is one"), "b: { env: B, default: 1 }\na: 1\n");
    for (text, part) in [
        ("services: {}\n", "neither a workflow nor a mock"),
        ("- a\n", "neither a workflow nor a mock"),
        ("steps: [\n", "this is not YAML"),
        ("%YAML 1.2\n---\nsteps: []\n", "would get lost"),
        ("steps: []\nname: a\rb\n", "carriage returns"),
    ] {
        let told = format(&Source::text("x.yaml", text)).expect_err(text).render(false);
        assert!(told.contains(part), "{told}");
    }
}

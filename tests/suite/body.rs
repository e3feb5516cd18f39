//! What a request says: multipart, files and GraphQL as the server sees them, and what null and lists do
//! to an entry.

use reqchain::running::{Cause, Detail};

use crate::scenario::{Ran, Reply, Scenario, Seen, says};

/// A file that lies outside of every scenario's project.
const OUTSIDE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");

/// The boundary that the request's header names.
#[track_caller]
fn boundary(seen: &Seen) -> String {
    let media = seen.header("content-type");
    let (_, boundary) = media.split_once("multipart/form-data; boundary=").expect(media);
    boundary.to_owned()
}

/// The body with its boundary as `B` and its line ends as `|`.
#[track_caller]
fn parts(seen: &Seen) -> String {
    seen.body.replace(&boundary(seen), "B").replace("\r\n", "|")
}

#[test]
fn each_part_of_a_multipart_body_has_its_names_its_type_and_its_content() {
    let ran = Scenario::new(
        r#"
vars: { who: Zoë, tags: [a, null, 7], nobody: null }
steps:
  - request:
      url: "{{ base }}/upload"
      multipart:
        - { name: "title {{ who }}", value: "by {{ who }}" }
        - { name: id, value: 0101 }
        - { name: tag, value: "{{ tags }}" }
        - { name: left, value: [x, y] }
        - { name: nothing, value: "{{ nobody }}" }
        - { name: meta, value: "{{ {'a': 1} | tojson }}", content_type: application/json }
        - { name: photo, file: a.png }
        - { name: named, file: a.png, filename: "{{ who }}.jpg", content_type: image/jpeg }
        - { name: usual, file: a.png, filename: null, content_type: null }
"#,
    )
    .file("a.png", "PNG")
    .json("POST /upload", "{}")
    .run();
    ran.passed();
    let form = "Content-Disposition: form-data; name=";
    let expected = [
        format!("{form}\"title Zoë\"||by Zoë"),
        format!("{form}\"id\"||0101"),
        format!("{form}\"tag\"||a"),
        format!("{form}\"tag\"||7"),
        format!("{form}\"left\"||x"),
        format!("{form}\"left\"||y"),
        format!("{form}\"meta\"|Content-Type: application/json||{{\"a\":1}}"),
        format!("{form}\"photo\"; filename=\"a.png\"|Content-Type: image/png||PNG"),
        format!("{form}\"named\"; filename=\"Zoë.jpg\"|Content-Type: image/jpeg||PNG"),
        format!("{form}\"usual\"; filename=\"a.png\"|Content-Type: image/png||PNG"),
    ];
    let expected: String = expected.map(|part| format!("--B|{part}|")).concat();
    assert_eq!(parts(&ran.seen("POST /upload")), format!("{expected}--B--|"));
}

/// A line break or a quote does not end a part (S24).
#[test]
fn no_value_can_leave_its_part() {
    let ran = Scenario::new(
        r#"
vars: { evil: "\"\r\nX-Evil: 1\r\n\r\n--" }
steps:
  - request:
      url: "{{ base }}/"
      multipart: [ { name: "a{{ evil }}", value: "{{ evil }}" }, { name: f, file: f.txt, filename: "{{ evil }}" } ]
"#,
    )
    .file("f.txt", "--reqchain-\r\n\r\n--")
    .json("POST /", "{}")
    .run();
    ran.passed();
    let form = "Content-Disposition: form-data; name=";
    let name = "%22%0D%0AX-Evil: 1%0D%0A%0D%0A--";
    let expected = format!(
        "--B|{form}\"a{name}\"||\"|X-Evil: 1||--|--B|{form}\"f\"; filename=\"{name}\"|Content-Type: text/plain||--reqchain-||--|--B--|"
    );
    assert_eq!(parts(&ran.seen("POST /")), expected);
}

/// No line break gets into the headers of a part (S22, S24).
#[test]
fn a_type_with_a_line_break_is_an_error() {
    let ran = Scenario::new(
        r#"
vars: { evil: "a/b\r\nX-Evil: 1" }
steps:
  - request: { url: "{{ base }}/", multipart: [ { name: a, value: b, content_type: "{{ evil }}" } ] }
"#,
    )
    .run();
    ran.fails_with(Cause::CouldNotRun).saw([]);
    says(&ran.error(), &["flow.yaml:4", "`content_type` has a line break"]);
}

#[test]
fn each_request_has_a_boundary_of_its_own_and_one_that_is_sent_again_keeps_it() {
    let ran = Scenario::new(
        r#"
steps:
  - request: { url: "{{ base }}/a", method: PUT, multipart: [ { name: a, value: b } ] }
    retry: 1
  - request: { url: "{{ base }}/b", method: PUT, multipart: [ { name: a, value: b } ] }
"#,
    )
    .on("PUT /a", |_| Reply::status(503))
    .json("PUT /a", "{}")
    .json("PUT /b", "{}")
    .run();
    ran.passed();
    let seen = ran.seen_at("base");
    assert_eq!(boundary(&seen[0]), boundary(&seen[1]));
    assert_ne!(boundary(&seen[0]), boundary(&seen[2]));
}

#[test]
fn a_content_type_of_ones_own_gets_the_boundary() {
    let ran = Scenario::new(
        r#"
steps:
  - request: { url: "{{ base }}/a", headers: { Content-Type: multipart/mixed }, multipart: [ { name: a, value: b } ] }
  - request: { url: "{{ base }}/b", headers: { Content-Type: multipart/mixed; boundary=x }, multipart: [ { name: a, value: b } ] }
"#,
    )
    .json("POST /a", "{}")
    .run();
    ran.fails_with(Cause::CouldNotRun).saw(["POST /a"]);
    let seen = ran.seen("POST /a");
    let (media, boundary) = seen.header("content-type").split_once("; boundary=").expect("a boundary");
    assert_eq!(media, "multipart/mixed");
    assert!(seen.body.starts_with(&format!("--{boundary}\r\n")), "{}", seen.body);
    says(&ran.error(), &["flow.yaml:4", "names a boundary", "leave the header out"]);
}

#[test]
fn a_file_is_sent_byte_for_byte_with_the_type_that_its_name_suggests() {
    let ran = Scenario::new(
        r#"
steps:
  - request: { url: "{{ base }}/guessed", method: PUT, file: in/a.pdf }
  - request: { url: "{{ base }}/said", headers: { Content-Type: text/x-mine }, file: ./in/a.pdf }
  - request: { url: "{{ base }}/unknown", file: in/noext }
  - request: { url: "{{ base }}/empty", file: in/empty.json }
"#,
    )
    .file("in/a.pdf", [0, 255, 13, 10, 128])
    .file("in/noext", "x")
    .file("in/empty.json", "")
    .json("PUT /guessed", "{}")
    .json("POST /said", "{}")
    .json("POST /unknown", "{}")
    .json("POST /empty", "{}")
    .run();
    ran.passed();
    let guessed = ran.seen("PUT /guessed");
    assert_eq!(
        (guessed.header("content-type"), &*guessed.bytes),
        ("application/pdf", &[0, 255, 13, 10, 128][..])
    );
    assert_eq!(ran.seen("POST /said").header("content-type"), "text/x-mine");
    assert_eq!(ran.seen("POST /unknown").header("content-type"), "application/octet-stream");
    let empty = ran.seen("POST /empty");
    assert_eq!((empty.header("content-type"), &*empty.body), ("application/json", ""));
}

/// Files that are sent lie in the project (S54).
#[test]
fn a_file_outside_the_project_is_sent_only_by_a_workflow_that_is_trusted() {
    for body in [format!("file: {OUTSIDE}"), format!("multipart: [ {{ name: a, file: {OUTSIDE} }} ]")] {
        let flow = format!("steps:\n  - request: {{ url: '{{{{ base }}}}/', {body} }}\n");
        let ran = Scenario::new(&flow).run();
        says(&ran.refused(), &["flow.yaml:2", OUTSIDE, "is outside the project", "--trust"]);
        ran.saw([]);
        let ran = Scenario::new(&flow).trusted().json("POST /", "{}").run();
        ran.passed();
        says(&ran.seen("POST /").body, &["name = \"reqchain\""]);
    }
}

#[test]
fn a_file_of_a_workflow_that_is_used_lies_beside_that_one() {
    let ran = Scenario::new("steps:\n  - uses: in/send.yaml\n    with: { base: '{{ base }}' }\n")
        .file("in/send.yaml", "inputs: { base: }\nsteps:\n  - request: { url: '{{ base }}/', file: a.txt }\n")
        .file("in/a.txt", "beside")
        .json("POST /", "{}")
        .run();
    ran.passed();
    assert_eq!(ran.seen("POST /").body, "beside");
}

#[test]
fn graphql_is_a_post_of_its_document_without_what_is_left_out() {
    let ran = Scenario::new(
        r#"
defaults: { method: GET }
vars: { kind: user, nobody: null, given: { id: 7 } }
steps:
  - request:
      url: "{{ base }}/full"
      graphql:
        query: "query Q($id: ID!) { {{ kind }}(id: $id) { name } }"
        variables: { id: 7, deep: { x: "{{ nobody }}" } }
        operation: "{{ 'Q' }}"
  - request: { url: "{{ base }}/bare", method: POST, graphql: { query: "{ me { id } }" } }
  - request: { url: "{{ base }}/null", graphql: { query: "{ me }", variables: null, operation: "{{ nobody }}" } }
  - request: { url: "{{ base }}/whole", graphql: { query: "{ me }", variables: "{{ given }}" } }
"#,
    )
    .json("POST /full", r#"{"data":{}}"#)
    .json("POST /bare", r#"{"data":{},"errors":[]}"#)
    .json("POST /null", r#"{"data":{},"errors":null}"#)
    .json("POST /whole", "not JSON at all")
    .run();
    ran.passed();
    let full = ran.seen("POST /full");
    assert_eq!(full.header("content-type"), "application/json");
    assert_eq!(
        full.body,
        r#"{"query":"query Q($id: ID!) { user(id: $id) { name } }","variables":{"id":7,"deep":{"x":null}},"operationName":"Q"}"#
    );
    assert_eq!(ran.seen("POST /bare").body, r#"{"query":"{ me { id } }"}"#);
    assert_eq!(ran.seen("POST /null").body, r#"{"query":"{ me }"}"#);
    assert_eq!(ran.seen("POST /whole").body, r#"{"query":"{ me }","variables":{"id":7}}"#);
}

fn graphql(expect: &str, answer: &'static str) -> Ran {
    Scenario::new(&format!(
        "inputs: {{ base: , password: p4ssword-1234 }}\nsteps:\n  - request: {{ url: '{{{{ base }}}}/', graphql: {{ query: '{{ me }}' }} }}\n{expect}"
    ))
    .json("POST /", answer)
    .run()
}

#[test]
fn graphql_errors_fail_the_step_as_a_check_and_keep_what_was_extracted() {
    let ran = graphql(
        "    extract: { id: $.data.id }\n",
        r#"{"data":{"id":1},"errors":[{"message":"p4ssword-1234 is wrong"},{"message":"two"}]}"#,
    );
    ran.fails_with(Cause::CheckFailed);
    assert_eq!(ran.failed_checks(), ["graphql errors"]);
    let check = &ran.checks()[0];
    assert_eq!(check.actual, "\"«password» is wrong\" and 1 more");
    assert_eq!(check.expected, "none");
    says(&ran.text(), &["\"name\":\"id\",\"shown\":\"1\""]);
}

#[test]
fn whoever_expects_graphql_errors_judges_them_alone() {
    let errors = r#"{"data":null,"errors":[{"message":"no"}]}"#;
    for expect in [
        "json: { '$.errors[0].message': 'no' }",
        "json: { $.errors: present }",
        "json_all: { '$.errors[*].message': { length: 1 } }",
    ] {
        graphql(&format!("    expect: {{ {expect} }}\n"), errors).passed();
    }
    for expect in ["json: { $.errors: absent }", "status: 200", "json: { $.data: null }"] {
        graphql(&format!("    expect: {{ {expect} }}\n"), errors).fails_with(Cause::CheckFailed);
    }
}

#[test]
fn graphql_variables_must_be_an_object() {
    let ran = Scenario::new(
        "vars: { list: [1] }\nsteps:\n  - request: { url: '{{ base }}/', graphql: { query: '{ me }', variables: '{{ list }}' } }\n",
    )
    .run();
    ran.fails_with(Cause::CouldNotRun).saw([]);
    says(&ran.error(), &["flow.yaml:3", "must be an object, not list"]);
}

#[test]
fn null_leaves_an_entry_out_and_a_list_repeats_it() {
    let ran = Scenario::new(
        r#"
inputs: { base: , nothing: { required: false } }
vars: { two: [1, null, "b c"] }
steps:
  - request:
      url: "{{ base }}/"
      query: { a: "{{ nothing }}", b: null, c: [x, null, y], d: "{{ two }}", e: "" }
      headers: { X-A: "{{ nothing }}", X-B: [1, 2], X-C: "{{ two }}" }
      auth: { bearer: "{{ nothing }}" }
      form: { a: "{{ nothing }}", b: [x, null, y], c: "{{ two }}", d: null, e: 0101 }
  - request: { url: "{{ base }}/keys", auth: { api_key: { header: X-Key, value: "{{ nothing }}" } } }
  - request: { url: "{{ base }}/keys", auth: { api_key: { query: key, value: null } } }
  - request: { url: "{{ base }}/keys", auth: none }
"#,
    )
    .json("POST /", "{}")
    .json("GET /keys", "{}")
    .run();
    ran.passed();
    let seen = ran.seen("POST /");
    assert_eq!(seen.target, "/?c=x&c=y&d=1&d=b%20c&e=");
    assert_eq!(seen.body, "b=x&b=y&c=1&c=b+c&e=0101");
    let headers: Vec<_> = seen.headers.iter().filter(|(name, _)| name.starts_with("x-")).collect();
    let headers: Vec<_> = headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    assert_eq!(headers, ["x-b: 1", "x-b: 2", "x-c: 1", "x-c: b c"]);
    assert_eq!(seen.header("authorization"), "");
    for seen in ran.seen_at("base").iter().filter(|seen| seen.line() == "GET /keys") {
        assert_eq!((seen.header("x-key"), seen.target.as_str()), ("", "/keys"));
    }
}

#[test]
fn a_script_sees_the_exact_text_of_a_multipart_body_and_may_change_it() {
    let ran = Scenario::new(
        r#"
steps:
  - request: { url: "{{ base }}/kept", multipart: [ { name: a, value: b } ] }
    before: |
      print(request.body.contains("name=\"a\""));
      request.headers["X-Digest"] = hash::sha256(request.body);
  - request: { url: "{{ base }}/text", multipart: [ { name: a, value: b } ] }
    before: |
      let text = request.body;
      text.replace("\r\n\r\nb\r\n", "\r\n\r\nchanged\r\n");
      request.body = text;
  - request: { url: "{{ base }}/form", multipart: [ { name: a, value: b } ] }
    before: |
      request.form = #{ c: "d" };
  - request: { url: "{{ base }}/blob", file: a.bin }
    before: |
      let bytes = request.body;
      print(bytes.len());
      bytes[0] = 7;
      request.body = bytes;
  - request: { url: "{{ base }}/json", file: a.json }
    before: |
      request.json.b = 2;
  - request: { url: "{{ base }}/graphql", graphql: { query: "{ me }", variables: { z: 1, a: 2 } } }
    before: |
      request.json.variables.a = 3;
"#,
    )
    .file("a.bin", [0, 255])
    .file("a.json", r#"{"z":1,"b":1}"#)
    .json("POST /kept", "{}")
    .json("POST /text", "{}")
    .json("POST /form", "{}")
    .json("POST /blob", "{}")
    .json("POST /json", "{}")
    .json("POST /graphql", "{}")
    .run();
    ran.passed();
    assert_eq!(ran.printed(), ["true", "2"]);
    let kept = ran.seen("POST /kept");
    assert_eq!(parts(&kept), "--B|Content-Disposition: form-data; name=\"a\"||b|--B--|");
    assert_eq!(kept.header("x-digest"), sha256(&kept.body));
    assert_eq!(
        parts(&ran.seen("POST /text")),
        "--B|Content-Disposition: form-data; name=\"a\"||changed|--B--|"
    );
    let form = ran.seen("POST /form");
    assert_eq!((form.header("content-type"), &*form.body), ("application/x-www-form-urlencoded", "c=d"));
    let blob = ran.seen("POST /blob");
    assert_eq!((blob.header("content-type"), &*blob.bytes), ("application/octet-stream", &[7, 255][..]));
    let json = ran.seen("POST /json");
    assert_eq!((json.header("content-type"), &*json.body), ("application/json", r#"{"z":1,"b":2}"#));
    assert_eq!(ran.seen("POST /graphql").body, r#"{"query":"{ me }","variables":{"z":1,"a":3}}"#);
}

fn sha256(text: &str) -> String {
    use reqchain::ground::encode::{Hash, hex};
    hex(&Hash::Sha256.digest(text.as_bytes()))
}

/// What is shown of a body (S44).
#[test]
fn what_is_shown_of_a_body_has_no_secret_and_no_bytes_of_a_file() {
    let ran = Scenario::new(
        r#"
inputs: { base: , password: tok-1234567890, pin: { default: "12", secret: true } }
steps:
  - request:
      url: "{{ base }}/parts"
      multipart: [ { name: user, value: ann }, { name: pin, value: "{{ pin }}" }, { name: api_key, value: k1 }, { name: note, value: "is {{ password }}" }, { name: f, file: a.bin } ]
  - request: { url: "{{ base }}/file", file: a.bin }
  - request: { url: "{{ base }}/touched", file: a.bin }
    before: |
      request.headers["X-A"] = "1";
  - request: { url: "{{ base }}/graphql", graphql: { query: "{ me }", variables: { pin: "{{ pin }}", password: x } } }
"#,
    )
    .file("a.bin", [0, 255, 77, 78, 79])
    .detail(Detail::Wire)
    .json("POST /parts", "{}")
    .json("POST /file", "{}")
    .json("POST /touched", "{}")
    .json("POST /graphql", "{}")
    .run();
    ran.passed();
    let text = ran.text();
    says(
        &text,
        &[
            r#""body":"user: ann\npin: «pin»\napi_key: «api_key»\nnote: «password»\nf: <a.bin, 5 bytes>""#,
            r#""body":"<a.bin, 5 bytes>""#,
            r#""body":"<5 bytes>""#,
            r#"{\"query\":\"{ me }\",\"variables\":{\"pin\":\"«pin»\",\"password\":\"«password»\"}}"#,
        ],
    );
    for part in ["tok-1234567890", "MNO", "\u{fffd}"] {
        assert!(!text.contains(part), "{part} is in {text}");
    }
}

/// What is secret in a body goes to named origins only (S11).
#[test]
fn a_secret_in_a_part_is_not_sent_where_a_server_chose() {
    let ran = Scenario::new(
        r#"
inputs: { base: , password: tok-1234567890 }
steps:
  - request: "{{ base }}/"
    extract: { there: $.there }
  - request: { url: "{{ there }}", multipart: [ { name: a, value: "{{ password }}" } ] }
"#,
    )
    .on("GET /", |seen| Reply::json(format!(r#"{{"there":"{}/take"}}"#, seen.origin("evil"))))
    .server("evil", |_| {})
    .run();
    ran.fails_with(Cause::CouldNotRun).saw_at("evil", []);
    says(&ran.error(), &["the request holds a secret", "a server chose where it goes"]);
}

#[test]
fn a_mock_reads_the_parts_of_a_multipart_request_and_the_json_of_graphql() {
    let ran = Scenario::new(
        r#"
steps:
  - request: { url: "{{ base }}/upload", multipart: [ { name: 't"', value: hi }, { name: f, file: a.csv } ] }
    expect:
      json: { $: { equals: { count: 2, name: 't"', body: hi, file: a.csv, type: text/csv, csv: "1,2\n", none: null } } }
  - request: { url: "{{ base }}/graphql", graphql: { query: "{ me }", variables: { id: 7 } } }
    expect: { json: { $.data.id: 7 } }
  - request: { url: "{{ base }}/plain", json: {} }
    expect: { body: "0" }
"#,
    )
    .file("a.csv", "1,2\n")
    .mock(
        r#"
routes:
  - route: POST /upload
    script: |
      let p = request.parts;
      #{ json: #{ count: p.len(), name: p[0].name, body: p[0].body, none: p[0].filename, file: p[1].filename, type: p[1].content_type, csv: p[1].body } }
  - route: POST /graphql
    reply: { json: { data: { id: "{{ request.json.variables.id }}" } } }
  - route: POST /plain
    reply: { body: "{{ request.parts | length }}" }
"#,
    )
    .run();
    ran.passed();
}

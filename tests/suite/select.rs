//! What is picked out of an answer: links, XML, pages, tokens, the body itself; that one selector
//! feeds the next request; and that a hostile answer ends a step and not the run.

use reqchain::running::Cause;
use serde_json::json;

use crate::scenario::{Reply, Scenario, says};

/// One request whose answer is `reply`, and what is extracted of it as `a`.
fn extracting(selector: &str, reply: impl Fn() -> Reply + Send + Sync + 'static) -> Scenario {
    let yaml =
        format!("steps:\n  - request: GET {{{{ base }}}}/list/x?page=1\n    extract: {{ a: {selector} }}\n");
    Scenario::new(&yaml).on("GET /list/x", move |_| reply())
}

fn typed(media: &str, body: impl Into<Vec<u8>>) -> Reply {
    Reply::status(200).with_body(body).header("content-type", media)
}

#[test]
fn the_next_page_is_fetched_from_where_the_link_leads() {
    let yaml = "
steps:
  - request: GET {{ base }}/list?page=1
    extract: { next: { link: next } }
  - request: GET {{ next }}
    extract: { after: { link: next, optional: true }, n: $.n }
";
    let link = "<?page=1>; rel=\"prev first\", <?page=2>; title=\"a, b\"; rel=\"next\"";
    let ran = Scenario::new(yaml)
        .on("GET /list", move |_| Reply::json("{}").header("link", link))
        .json("GET /list", r#"{"n":2}"#)
        .run();
    ran.passed();
    let seen = ran.seen_at("base");
    assert_eq!(seen.len(), 2);
    assert!(ran.output("next").as_str().is_some_and(|url| url.ends_with("/list?page=2")));
    assert_eq!(ran.output("after"), json!(null));
    assert_eq!(ran.output("n"), json!(2));
}

#[test]
fn a_link_that_is_not_there_is_told_with_those_that_are() {
    let ran = extracting("{ link: next }", || Reply::json("{}").header("link", "</1>; rel=prev")).run();
    ran.fails_with(Cause::CouldNotRun);
    says(&ran.error(), &["`link next` found nothing: the answer links to prev", "flow.yaml:3:19"]);
}

#[test]
fn xml_is_read_by_xpath_with_the_prefixes_of_the_document() {
    let soap = r#"<s:Envelope xmlns:s="urn:s"><s:Body><id xmlns="">7</id></s:Body></s:Envelope>"#;
    let reply = move || typed("application/soap+xml", soap);
    let ran = extracting("{ xpath: //s:Body/id, type: int }", reply).run();
    ran.passed();
    assert_eq!(ran.output("a"), json!(7));
    let ran = extracting("{ xpath: //s:Body/gone }", reply).run();
    ran.fails_with(Cause::CouldNotRun);
    says(&ran.error(), &["found nothing: the document is <Envelope> of Body"]);
}

#[test]
fn a_form_is_sent_back_with_the_token_that_its_page_holds() {
    let yaml = "
steps:
  - request: GET {{ base }}/login
    extract:
      csrf: { css: 'input[name=csrf]', attribute: value }
      title: { css: h1 }
      action: { xpath: //form/@action }
  - request:
      method: POST
      url: '{{ base }}/login'
      form: { csrf: '{{ csrf }}' }
";
    let page = "<h1>Sign\n in</h1><form action='/login'><input name=csrf value=c5rf><input name=user></form>";
    let ran = Scenario::new(yaml)
        .on("GET /login", move |_| typed("text/html", page))
        .json("POST /login", "{}")
        .run();
    ran.passed();
    assert_eq!(ran.seen("POST /login").body, "csrf=c5rf");
    assert_eq!((ran.output("title"), ran.output("action")), (json!("Sign in"), json!("/login")));
}

/// A page in place of a token (S39).
#[test]
fn a_login_page_in_place_of_data_is_told_by_its_title_and_nothing_else_of_it() {
    let page = "<title>Sign in</title><p>very private</p>";
    for selector in ["{ css: '#total' }", "$.total"] {
        let ran = extracting(selector, move || typed("text/html", page)).run();
        ran.fails_with(Cause::CouldNotRun);
        says(&ran.error(), &["the body is HTML, 41 bytes, title `Sign in`"]);
        let message = ran.error().lines().next().unwrap_or_default().to_owned();
        assert!(!message.contains("very private"), "{message}");
    }
}

#[test]
fn the_claims_the_body_and_the_time_are_values_like_others() {
    let yaml = "
steps:
  - request: GET {{ base }}/
    extract:
      subject: { jwt: { from: $.access_token, claim: sub } }
      claims: { jwt: { from: $.access_token } }
      raw: { body: text }
      encoded: { body: base64 }
      digest: { body: sha256 }
      took: { time: true }
outputs:
  subject: '{{ subject }}'
  role: '{{ claims.role }}'
  same: '{{ (raw | sha256) == digest }}'
  again: '{{ (raw | base64) == encoded }}'
  took: '{{ took >= 0 }}'
";
    let body =
        r#"{"access_token":"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4iLCJyb2xlIjoiYWRtaW4ifQ.c2lnbmF0dXJl"}"#;
    let ran = Scenario::new(yaml).json("GET /", body).run();
    ran.passed();
    assert_eq!((ran.output("subject"), ran.output("role")), (json!("ann"), json!("admin")));
    for name in ["same", "again", "took"] {
        assert_eq!(ran.output(name), json!(true), "{name}");
    }
    assert!(!ran.text().contains("c2lnbmF0dXJl"), "{}", ran.text());
}

#[test]
fn what_an_expression_names_as_a_secret_is_shown_as_one() {
    let ran =
        extracting("{ xpath: //password }", || Reply::text("<r><password>hunter22</password></r>")).run();
    ran.passed();
    assert!(!ran.text().contains("hunter22"), "{}", ran.text());
}

/// Markup that is nested or expands without measure (S36, S70).
#[test]
fn a_hostile_answer_ends_the_step_with_a_word_about_it() {
    let deep = "<a>".repeat(100_000);
    let bomb = "<!DOCTYPE a [<!ENTITY b 'xxxx'><!ENTITY c '&b;&b;&b;'>]><a>&c;</a>".to_owned();
    for (body, media, why) in [
        (deep, "text/xml", "nested more than 512 deep"),
        ("<div>".repeat(100_000), "text/html", "nested more than 512 deep"),
        (bomb, "application/xml", "it has a DTD, which is not read"),
    ] {
        let reply = move || typed(media, body.clone());
        let ran = extracting("{ xpath: //a }", reply).run();
        ran.fails_with(Cause::CouldNotRun);
        says(&ran.error(), &[why]);
    }
}

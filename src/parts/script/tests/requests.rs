//! A request is changed in place, in order, and only if a script touched it.

use std::sync::{Arc, Mutex};

use crate::ground::secret::Marks;
use crate::parts::http::spec::RenderedBody;
use crate::parts::script::tests::{Stage, value};
use crate::parts::script::{Draft, Error, Phase, RequestCell};

/// Renders the same request, and counts.
#[derive(Default)]
struct Cell {
    draft: Draft,
    rendered: Mutex<usize>,
    set: Mutex<Option<Draft>>,
}

impl RequestCell for Cell {
    fn get(&self) -> Result<Draft, Error> {
        *self.rendered.lock().expect("no panic") += 1;
        Ok(self.draft.clone())
    }

    fn set(&self, draft: Draft) {
        *self.set.lock().expect("no panic") = Some(draft);
    }

    fn marks(&self) -> Marks {
        Marks::secret("password".into())
    }
}

fn draft(body: RenderedBody) -> Draft {
    let mut draft = Draft::new("POST", "https://a.b/c?x=1&y=2");
    draft.headers =
        vec![("Accept".into(), "*/*".into()), ("X-A".into(), "1".into()), ("x-a".into(), "2".into())];
    draft.body = body;
    draft
}

fn stage(body: RenderedBody) -> (Stage, Arc<Cell>) {
    let cell = Arc::new(Cell { draft: draft(body), ..Cell::default() });
    let mut stage = Stage::new(Phase::Before);
    stage.host.request = Some(Arc::clone(&cell) as Arc<dyn RequestCell>);
    (stage, cell)
}

#[track_caller]
fn changed(body: RenderedBody, script: &str) -> Draft {
    let (stage, cell) = stage(body);
    stage.done(script);
    let set = cell.set.lock().expect("no panic").take();
    set.expect("the request was changed")
}

fn json() -> RenderedBody {
    RenderedBody::Json(value(r#"{"z":1,"a":{"c":1,"b":[{"d":1}]},"m":null}"#))
}

#[test]
fn edits_keep_the_order_of_everything() {
    let after = changed(
        json(),
        r#"
        fn sign() { request.headers["X-Sign"] = "s"; }
        request.json.a.b[0].d = 2;
        request.json.a["new"] = true;
        request.json.z += 1;
        request.headers["ACCEPT"] = "text/plain";
        let h = request.headers;
        h["X-A"] = "3";
        sign();
        request.query.x = ["9", "8"];
        request.query["z"] = "a b";
        request.method = "PUT";"#,
    );
    assert_eq!(
        after.body.text().expect("a body"),
        r#"{"z":2,"a":{"c":1,"b":[{"d":2}],"new":true},"m":null}"#
    );
    let headers: Vec<String> = after.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    assert_eq!(headers, ["Accept: text/plain", "X-A: 3", "X-Sign: s"]);
    assert_eq!(after.url, "https://a.b/c?x=9&x=8&y=2&z=a%20b");
    assert_eq!(after.method, "PUT");
}

#[test]
fn the_body_is_read_as_it_will_be_sent() {
    let (stage, cell) = stage(json());
    assert_eq!(stage.prints("print(request.body);"), r#"{"z":1,"a":{"c":1,"b":[{"d":1}]},"m":null}"#);
    assert_eq!(
        stage.prints("print(request.url); print(request.headers[\"x-a\"]);"),
        "https://a.b/c?x=1&y=2\n[\"1\", \"2\"]"
    );
    assert_eq!(
        stage.prints(
            "print(request.json.a.b.len()); print(request.body.len()); print(request.headers.keys());"
        ),
        "1\n42\n[\"Accept\", \"X-A\", \"x-a\"]"
    );
    assert!(cell.set.lock().expect("no panic").is_none(), "reading changes nothing");
}

#[test]
fn a_body_changes_its_kind_when_it_is_written() {
    assert_eq!(changed(json(), "request.body = `n=${1}`;").body, RenderedBody::Text("n=1".into()));
    assert_eq!(changed(json(), "request.body = ();").body, RenderedBody::None);
    assert_eq!(
        changed(RenderedBody::None, "request.json = #{ b: 1, a: 2 };").body,
        RenderedBody::Json(value(r#"{"a":2,"b":1}"#))
    );
    let form = RenderedBody::Form(vec![("a".into(), "1".into()), ("b".into(), "2".into())]);
    let after = changed(form, "request.form.a = \"x y\"; request.form.remove(\"b\"); request.form.c = 3;");
    assert_eq!(after.body.text().expect("a body"), "a=x+y&c=3");
    let text = RenderedBody::Text(r#"{"z":1,"a":2}"#.into());
    assert_eq!(changed(text, "request.json.a = 3;").body.text().expect("a body"), r#"{"z":1,"a":3}"#);
    let after = changed(json(), "request.url = \"https://c.d/?q=1\"; request.headers = #{ \"X\": \"1\" };");
    assert_eq!(after.query, [("q".to_owned(), "1".to_owned())]);
    assert_eq!(after.headers, [("X".to_owned(), "1".to_owned())]);
}

#[test]
fn a_request_is_rendered_once_and_only_when_it_is_touched() {
    let (stage, cell) = stage(json());
    stage.done("vars.a = 1;");
    assert_eq!(*cell.rendered.lock().expect("no panic"), 0);
    stage.done("request.url; request.headers[\"a\"] = \"b\"; request.body;");
    assert_eq!(*cell.rendered.lock().expect("no panic"), 1);
}

#[test]
fn what_is_made_of_a_request_is_as_secret_as_the_request() {
    let (stage, _) = stage(json());
    stage.done("request.headers[\"A\"] = \"b\"; vars.plain = 1; vars.sig = hash::sha256(request.body);");
    assert!(!stage.var("plain").marks.is_secret());
    assert_eq!(stage.var("sig").marks.secret.as_deref(), Some("password"));
}

#[test]
fn a_script_that_broke_or_skipped_leaves_the_request_alone() {
    for script in ["request.method = \"PUT\"; throw 1;", "request.method = \"PUT\"; skip();"] {
        let (stage, cell) = stage(json());
        let _ = stage.run(script);
        assert!(cell.set.lock().expect("no panic").is_none(), "{script}");
    }
    let (stage, _) = stage(json());
    let error = stage.breaks("request[\"hea\" + \"drs\"];");
    assert_eq!(error.help.as_deref(), Some("did you mean `headers`?"));
    let error = stage.breaks("request.headers[\"a\"] = #{ b: 1 };");
    assert!(error.message.contains("`a` takes a text"), "{}", error.message);
}

#[test]
fn bytes_that_are_no_text_are_a_blob_and_stay_what_they_are() {
    let bytes = |content: &[u8], media: Option<&str>| RenderedBody::Bytes {
        bytes: content.to_vec().into(),
        media: media.map(Into::into),
    };
    let png = Some("image/png");
    let after = changed(bytes(&[0, 255], png), "let b = request.body; b[0] = 7; request.body = b;");
    assert_eq!(after.body, bytes(&[7, 255], png));
    assert_eq!(changed(json(), "request.body = blob(1, 200);").body, bytes(&[200], None));
    let (stage, cell) = stage(bytes(&[0, 255], png));
    stage.done("request.body = request.body; check(\"none\", request.json == ());");
    assert!(cell.set.lock().expect("no panic").is_none(), "nothing was changed");
    let text = bytes(b"{\"z\":1,\"a\":2}", Some("application/json"));
    assert_eq!(changed(text, "request.json.a = 3;").body.text().expect("a text"), r#"{"z":1,"a":3}"#);
}

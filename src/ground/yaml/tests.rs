//! What YAML means to us, and what is told where it is none.

use super::*;

fn node(text: &str) -> Node {
    read(&Source::text("t.yaml", text)).unwrap_or_else(|error| panic!("{}", error.render(false)))
}

fn error(text: &str) -> String {
    read(&Source::text("t.yaml", text)).expect_err("the text is wrong").render(false)
}

#[test]
fn scalars_resolve_by_yaml_1_2() {
    let value = node("[yes, no, true, null, ~, 0101, 1.10, 0x1f, 0o17, -3, 1e3, .5, 'true', 1_000, .inf]");
    let expected = r#"["yes","no",true,null,null,"0101",1.1,31,15,-3,1000.0,0.5,"true","1_000",".inf"]"#;
    assert_eq!(value.to_value().to_json(), expected);
}

#[test]
fn places_are_found_in_every_style_of_scalar() {
    let text = "a: plain ö word\nb: \"quoted word\"\nc: |\n\n  first ö\n    second word\nd: 'x'\n";
    let source = Source::text("t.yaml", text);
    let root = read(&source).expect("this is YAML");
    for (key, word) in [("a", "word"), ("b", "word"), ("c", "second"), ("c", "word"), ("c", "first")] {
        let scalar = root.get(key).and_then(Node::scalar).expect("a scalar");
        let at = scalar.text.find(word).expect("the word is there");
        let found = scalar.locate(&source, at).expect("it can be told");
        assert!(source.as_str()[found..].starts_with(word), "{key} {word}: {found}");
    }
}

#[test]
fn merge_keys_and_aliases_are_expanded_and_own_keys_win() {
    let root = node("base: &b { x: 1, y: 2 }\nthing: { <<: *b, y: 3 }\nsame: *b\n");
    assert_eq!(
        root.to_value().to_json(),
        r#"{"base":{"x":1,"y":2},"thing":{"y":3,"x":1},"same":{"x":1,"y":2}}"#
    );
}

#[test]
fn what_everyone_gets_wrong_is_told_what_to_quote() {
    let text = error("steps:\n  - extract: { id: $.items[0].id }\n");
    assert!(text.contains("write '$.items[0].id'"), "{text}");
    let text = error("url: {{ base }}/x\n");
    assert!(text.contains("write \"{{ base }}/x\"") || text.contains("write \"{{ base }}\""), "{text}");
    let text = error("url: {{ x }}\n");
    assert!(text.contains("write \"{{ x }}\""), "{text}");
    let text = error("steps:\n\t- a\n");
    assert!(text.contains("indent with spaces"), "{text}");
}

#[test]
fn bombs_are_refused_before_they_grow() {
    use std::fmt::Write as _;
    let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned();
    for i in 1..10 {
        let _ = writeln!(bomb, "a{i}: &a{i} [{}]", vec![format!("*a{}", i - 1); 9].join(","));
    }
    assert!(error(&bomb).contains("more than 100000"), "{}", error(&bomb));
    assert!(error(&"[".repeat(100_000)).contains("nested deeper"));
    assert!(error(&"- ".repeat(100_000)).contains("nested deeper"));
    assert!(error(&"x".repeat(MAX_BYTES + 1)).contains("larger than 1 MiB"));
    assert!(error("a: &a [*a]\n").contains("its own anchor"));
}

#[test]
fn twice_the_same_key_tags_and_second_documents_are_errors() {
    assert!(error("a: 1\nb: 2\na: 3\n").contains("t.yaml:3:1"));
    assert!(error("a: !!str 1\n").contains("tags"));
    assert!(error("a: 1\n---\nb: 2\n").contains("second document"));
    assert!(error("# only a comment\n").contains("empty"));
}

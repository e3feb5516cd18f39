//! How predicates are read, what passes them, and what is told of what does not.

use proptest::prelude::*;

use crate::ground::secret::{Marked, Marks};
use crate::ground::source::Source;
use crate::ground::yaml;
use crate::parts::expect::judge::Judgement;
use crate::parts::scope::Scope;
use crate::parts::select::Missing;

use super::*;

fn read(yaml: &str, unit: Unit) -> Result<Predicate, String> {
    let source = Source::text("t", yaml);
    let node = yaml::read(&source).map_err(|problem| problem.message)?;
    let reading = Reading::new(&source);
    let predicate = Predicate::read(&node, &reading, unit);
    let problems = reading.finish();
    assert_eq!(predicate.is_none(), problems.has_errors(), "{yaml}");
    predicate.ok_or_else(|| problems.render(false))
}

fn scope() -> Scope {
    let scope = Scope::default();
    let set = |name: &str, value: Marked<Value>| scope.set(&name.into(), value).expect("no input");
    set("n", Marked::plain(Value::from(5_i64)));
    set("list", Marked::plain(vec![Value::from("a"), Value::from("b")].into()));
    set("mine", Marked::new("s3cret".into(), Marks::secret("mine".into())));
    scope
}

fn judge(yaml: &str, json: &str, unit: Unit) -> Judgement {
    let predicate = read(yaml, unit).unwrap_or_else(|problem| panic!("{yaml}: {problem}"));
    let value = Value::from_json(json.as_bytes()).expect("the test's JSON is right");
    predicate.judge(Ok(&Marked::plain(value)), &scope()).unwrap_or_else(|error| panic!("{yaml}: {error}"))
}

#[test]
fn values_are_equal_or_parts_by_the_rules_of_json() {
    judge_all(vec![
        ("x", vec!["\"x\""], vec!["\"y\"", "1", "null"]),
        ("5", vec!["5", "5.0"], vec!["\"5\"", "6"]),
        ("\"5\"", vec!["\"5\""], vec!["5"]),
        ("null", vec!["null"], vec!["\"null\"", "0"]),
        ("[1, x]", vec!["[1,\"x\"]"], vec!["[\"x\",1]", "[1]"]),
        ("\"{{ n }}\"", vec!["5"], vec!["\"5\""]),
        ("present", vec!["null", "\"\""], vec![]),
        ("absent", vec![], vec!["null", "1"]),
        ("{ equals: present }", vec!["\"present\""], vec!["1"]),
        ("{ equals: { a: 1, b: [\"{{ n }}\"] } }", vec!["{\"b\":[5],\"a\":1.0}"], vec!["{\"a\":1}"]),
        ("{ not: x }", vec!["\"y\"", "null"], vec!["\"x\""]),
        ("{ not: { contains: x } }", vec!["\"y\""], vec!["\"axb\""]),
        ("{ one_of: [1, x] }", vec!["1", "\"x\""], vec!["2", "[1,\"x\"]"]),
        ("{ one_of: \"{{ list }}\" }", vec!["\"b\""], vec!["\"c\""]),
        ("{ contains: b }", vec!["\"abc\"", "[\"a\",\"b\"]"], vec!["\"ac\"", "[\"abc\"]", "7", "{\"b\":1}"]),
        (
            "{ contains: { a: { b: 1 } } }",
            vec!["{\"a\":{\"b\":1,\"c\":2},\"d\":3}"],
            vec!["{\"a\":{\"c\":2}}", "{\"b\":1}"],
        ),
        ("{ contains: { a: 1 } }", vec!["[{\"a\":1}]"], vec!["[{\"a\":1,\"b\":2}]"]),
        ("{ starts_with: 0.10 }", vec!["\"0.10.1\""], vec!["\"0.1\"", "0.10"]),
        ("{ ends_with: \"{{ n }}\" }", vec!["\"a5\""], vec!["\"5a\""]),
        ("{ matches: '^a\\d+$' }", vec!["\"a12\""], vec!["\"ba1\"", "\"A1\"", "1"]),
        ("{ matches: '^a', ignore_case: true }", vec!["\"Ab\""], vec!["\"b\""]),
        ("{ equals: ÄB, ignore_case: true }", vec!["\"äb\""], vec!["\"a\""]),
        ("{ contains: b, ignore_case: true }", vec!["\"AB\"", "[\"B\"]"], vec!["\"c\""]),
        ("{ not: { equals: a }, ignore_case: true }", vec!["\"b\""], vec!["\"A\""]),
    ]);
}

#[test]
fn numbers_sizes_types_and_forms_are_judged() {
    judge_all(vec![
        ("{ gt: 60 }", vec!["61", "60.5", "18446744073709551615"], vec!["60", "\"61\"", "null"]),
        ("{ gte: 9007199254740993 }", vec!["9007199254740993"], vec!["9007199254740992"]),
        ("{ lt: 0 }", vec!["-1", "-0.5"], vec!["0"]),
        ("{ lte: \"{{ n }}\" }", vec!["5"], vec!["6"]),
        ("{ between: [1, 3] }", vec!["1", "3", "2.5"], vec!["0", "4", "\"2\""]),
        ("{ length: 2 }", vec!["\"äö\"", "[1,2]", "{\"a\":1,\"b\":2}"], vec!["\"a\"", "2", "null"]),
        ("{ length: { gt: 0 } }", vec!["[1]"], vec!["[]"]),
        ("{ empty: true }", vec!["\"\"", "[]", "{}"], vec!["\" \"", "null", "0"]),
        ("{ empty: false }", vec!["[1]"], vec!["[]", "null"]),
        ("{ type: number }", vec!["1", "1.5"], vec!["\"1\""]),
        ("{ type: int }", vec!["1"], vec!["1.5", "true"]),
        ("{ type: null }", vec!["null"], vec!["0"]),
        ("{ type: object }", vec!["{}"], vec!["[]"]),
        ("{ each: { type: string } }", vec!["[]", "[\"a\"]"], vec!["[\"a\",1]", "\"a\"", "{}"]),
        ("{ format: email }", vec!["\"a@b.c\""], vec!["\"a\"", "1"]),
        ("{ gt: 1, lt: 3 }", vec!["2"], vec!["1", "3"]),
    ]);
}

/// Each row: a predicate, the values that pass it, the values that fail it.
#[track_caller]
fn judge_all(table: Vec<(&str, Vec<&str>, Vec<&str>)>) {
    for (yaml, passes, fails) in table {
        for json in passes {
            assert!(judge(yaml, json, Unit::None).passed, "{yaml} of {json}");
        }
        for json in fails {
            assert!(!judge(yaml, json, Unit::None).passed, "{yaml} of {json}");
        }
    }
}

#[test]
fn both_texts_are_short_and_say_what_was_written_and_what_came() {
    let long = format!("\"{}\"", "a".repeat(10_000));
    let cut = format!("\"{}…", "a".repeat(199));
    for (yaml, json, expected, actual) in [
        ("{ gt: 60 }", "5", "> 60", "5"),
        ("{ gt: 60 }", "\"61\"", "> 60", "\"61\", a text, not a number"),
        (
            "{ gt: \"{{ list }}\" }",
            "5",
            "> [\"a\",\"b\"]",
            "5, and it was to be compared with a list, not a number",
        ),
        ("x", "1", "equals \"x\"", "1"),
        ("x", &long, "equals \"x\"", &cut),
        ("{ matches: ^a }", "\"b\"", "matches /^a/", "\"b\""),
        ("{ not: { one_of: [1, 2] } }", "1", "not one of [1,2]", "1"),
        ("{ length: { gt: 3 } }", "[1]", "length > 3", "[1], which has length 1"),
        ("{ each: { lt: 2 } }", "[1,7]", "each < 2", "[1,7], where [1] is 7"),
        ("{ type: int }", "\"a\"", "type int", "\"a\", which is of type string"),
        ("{ gt: 1, lt: 3 }", "5", "> 1 and < 3", "5"),
        ("{ equals: \"{{ mine }}\" }", "\"x\"", "equals \"«mine»\"", "\"x\""),
        ("{ equals: \"{{ mine }}\" }", "\"s3cret\"", "equals \"«mine»\"", "«mine»"),
        (
            "{ contains: { a: 1 } }",
            "{\"password\":\"abc\"}",
            "contains {\"a\":1}",
            "{\"password\":\"«password»\"}",
        ),
        ("{ equals: A, ignore_case: true }", "1", "equals \"A\" (in any case)", "1"),
    ] {
        let judged = judge(yaml, json, Unit::None);
        assert_eq!((judged.expected.as_str(), judged.actual.as_str()), (expected, actual), "{yaml}");
    }
}

#[test]
fn a_secret_is_shown_as_its_pseudonym_even_in_part() {
    let predicate = read("{ each: 1 }", Unit::None).expect("a predicate");
    let value = Value::from(vec![Value::from("a secret")]);
    let found = Marked::new(value, Marks::secret("token".into()));
    let judged = predicate.judge(Ok(&found), &scope()).expect("no template");
    assert_eq!(judged.actual, "«token», not every element fits");
}

#[test]
fn durations_and_texts_have_their_own_units() {
    for (yaml, json, unit, passed, actual) in [
        ("{ lt: 500ms }", "499", Unit::Duration, true, "499ms"),
        ("{ lt: 2s }", "2000", Unit::Duration, false, "2s"),
        ("{ between: [1s, 2s] }", "1500", Unit::Duration, true, "1.5s"),
        ("{ lte: 500 }", "500", Unit::Duration, true, "500ms"),
        ("{ one_of: [1s, 2s] }", "2000", Unit::Duration, true, "2s"),
        ("1.10", "\"1.10\"", Unit::Text, true, "\"1.10\""),
        ("{ equals: 62 }", "\"62\"", Unit::Text, true, "\"62\""),
        ("{ one_of: [0101, 2] }", "\"0101\"", Unit::Text, true, "\"0101\""),
        ("\"{{ n }}\"", "\"5\"", Unit::Text, true, "\"5\""),
        ("{ gt: 10 }", "\"9\"", Unit::Text, false, "\"9\""),
        ("{ gt: 10 }", "\"11\"", Unit::Text, true, "\"11\""),
        ("{ gt: 10 }", "\"x\"", Unit::Text, false, "\"x\", a text, not a number"),
    ] {
        let judged = judge(yaml, json, unit);
        assert_eq!((judged.passed, judged.actual.as_str()), (passed, actual), "{yaml} {json}");
    }
    assert_eq!(judge("{ lt: 500ms }", "1", Unit::Duration).expected, "< 500ms");
}

#[test]
fn nothing_found_holds_only_where_absence_is_asked_for() {
    let missing = Missing::nothing("$.a".to_owned(), "no `a`");
    for (yaml, passed) in [
        ("absent", true),
        ("present", false),
        ("{ not: present }", true),
        ("{ not: absent }", false),
        ("{ not: x }", false),
        ("x", false),
        ("null", false),
        ("{ empty: true }", false),
    ] {
        let predicate = read(yaml, Unit::None).unwrap_or_else(|problem| panic!("{problem}"));
        let judged = predicate.judge(Err(&missing), &scope()).expect("no template");
        assert_eq!((judged.passed, judged.actual.as_str()), (passed, "no `a`"), "{yaml}");
    }
}

#[test]
fn a_predicate_that_is_wrong_is_told_when_it_is_read() {
    for (yaml, unit, message) in [
        ("{ eq: 1 }", Unit::None, "the word for it here is `equals`"),
        ("{ equal_to: 1 }", Unit::None, "did you mean `equals`?"),
        ("{ name: x }", Unit::None, "equals: { … }"),
        ("{ present: true }", Unit::None, "write the word alone"),
        ("{}", Unit::None, "an empty predicate"),
        ("{ ignore_case: true }", Unit::None, "says nothing alone"),
        ("{ gt: x }", Unit::None, "compares numbers"),
        ("{ gt: \"5\" }", Unit::None, "compares numbers"),
        ("{ lt: 5 s }", Unit::Duration, "is not a duration"),
        ("{ one_of: x }", Unit::None, "must be a list"),
        ("{ between: [1] }", Unit::None, "takes two numbers"),
        ("{ matches: '(' }", Unit::None, "unclosed group"),
        ("{ type: strng }", Unit::None, "did you mean `string`?"),
        ("{ format: ipv4 }", Unit::None, "write one of uuid"),
        ("{ empty: 1 }", Unit::None, "must be true or false"),
        ("{ equals: }", Unit::None, "no value"),
        ("{ not: { eq: 1 } }", Unit::None, "equals"),
    ] {
        let problem = read(yaml, unit).map(|_| ()).expect_err(yaml);
        assert!(problem.contains(message), "{yaml}: {problem}");
    }
}

proptest! {
    #[test]
    fn no_text_breaks_a_predicate(
        word in prop::sample::select(&WORDS[..]),
        text in "[\\[{]?[a-z0-9.,:'\"(){} -]{0,12}[\\]}]?|\\PC{0,10}",
        json in prop::sample::select(vec!["1", "\"a\"", "null", "[1,\"a\"]", "{\"a\":[]}"]),
    ) {
        for unit in [Unit::None, Unit::Duration, Unit::Text] {
            if let Ok(predicate) = read(&format!("{{ {word}: {text} }}"), unit) {
                let value = Value::from_json(json.as_bytes()).expect("the test's JSON is right");
                let _ = predicate.judge(Ok(&Marked::plain(value)), &scope());
            }
        }
    }
}

//! `schema: person.json`: the body must be what a JSON Schema says.
//!
//! The schema and what it refers to are files of the project, or of the whole machine where the workflow is
//! trusted: nothing is fetched. It is compiled when the workflow is read, so that a mistake in it is told before
//! anything is sent, and each violation is a check of its own.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::{fmt, mem};

use jsonschema::paths::LocationSegment;
use jsonschema::{PatternOptions, Retrieve, Uri, ValidationError, Validator};
use serde_json::Value as Json;
use url::Url;

use crate::ground::file::{self, Refused};
use crate::ground::read::Reading;
use crate::ground::regex::TooLong;
use crate::ground::secret::{is_secret_name, pseudonym};
use crate::ground::source::{Source, Span};
use crate::ground::value::Value;
use crate::ground::yaml::Node;
use crate::parts::expect::schema_cost::{self, Documents};
use crate::parts::expect::{Check, LARGEST_FILE, Tell};
use crate::parts::scope::Scope;
use crate::parts::select::path::{Segment, show};
use crate::parts::select::pattern_cost::PatternCost;
use crate::parts::select::{Answer, glimpse, shown};
use crate::parts::template::Error;

/// How many violations are told.
const TOLD: usize = 20;
/// How many characters of a value, and of an explanation, are shown.
const SHOWN: usize = 200;
/// How often a pattern may go back in one text before it counts as not matching.
const BACKTRACKS: usize = 100_000;
/// How large a compiled pattern may become, in bytes.
const PATTERN: usize = 4 << 20;

/// A compiled schema and its name.
#[derive(Clone)]
pub(super) struct Schema {
    name: Arc<str>,
    validator: Arc<Validator>,
    /// What searching for its patterns costs.
    patterns: PatternCost,
    span: Span,
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Schema({})", self.name)
    }
}

impl Schema {
    /// Reads the file that a node names and compiles it; mistakes are reported at the name.
    pub(super) fn read(node: &Node, reading: &Reading) -> Option<Self> {
        let scalar = reading.text(node, "schema")?;
        match compile(&scalar.text, reading) {
            Ok((validator, patterns)) => {
                let name = Arc::clone(&scalar.text);
                Some(Self { name, validator: Arc::new(validator), patterns, span: node.span })
            }
            Err(refused) => {
                refused.report(scalar, reading);
                None
            }
        }
    }

    /// Adds a check for each violation, or one where there is none.
    ///
    /// # Errors
    /// One of its patterns would take too long in this answer.
    pub(super) fn check(
        &self,
        answer: &Answer,
        scope: &Scope,
        tell: Tell,
        checks: &mut Vec<Check>,
    ) -> Result<(), Error> {
        let what = format!("schema {}", self.name);
        let instance = match answer.tree(&what) {
            Ok(instance) => instance,
            Err(missing) => {
                let actual = missing.actual(&scope.needles);
                checks.push(self.told(what, false, "a body that the schema allows".to_owned(), actual));
                return Ok(());
            }
        };
        if let Ok(root) = answer.response().json() {
            self.patterns.allows(root, || 1).map_err(|found| {
                Error::new(self.span, format!("a pattern of {what} {found}")).help(TooLong::HELP)
            })?;
        }
        if self.validator.is_valid(instance) {
            if tell == Tell::All {
                checks.push(self.told(what, true, "valid".to_owned(), "valid".to_owned()));
            }
            return Ok(());
        }
        let mut errors = self.validator.iter_errors(instance);
        checks.extend(errors.by_ref().take(TOLD).map(|error| self.violation(&error, scope)));
        let more = errors.count();
        if more > 0 {
            checks.push(self.told(what, false, "valid".to_owned(), format!("{more} more violations")));
        }
        Ok(())
    }

    fn violation(&self, error: &ValidationError<'_>, scope: &Scope) -> Check {
        let segments: Vec<Segment> = error.instance_path().iter().map(|part| segment(&part)).collect();
        let what = format!("schema {} {}", self.name, show(&segments));
        let why = format!("{}: {}", error.kind().keyword(), error.masked());
        let name = segments.iter().rev().find_map(|segment| match segment {
            Segment::Member(name) => Some(name),
            Segment::Index(_) => None,
        });
        let value = Value::from(error.instance().as_ref().clone());
        let actual = match name.filter(|name| is_secret_name(name)) {
            Some(name) => pseudonym(name),
            None => shown(&value, SHOWN, &scope.needles),
        };
        let needles = &scope.needles;
        self.told(glimpse::cut(&what, SHOWN, needles), false, glimpse::cut(&why, SHOWN, needles), actual)
    }

    fn told(&self, what: String, passed: bool, expected: String, actual: String) -> Check {
        Check { what, passed, expected, actual, span: self.span }
    }
}

fn segment(part: &LocationSegment<'_>) -> Segment {
    match part {
        LocationSegment::Property(name) => Segment::Member(name.as_ref().into()),
        LocationSegment::Index(index) => Segment::Index(*index),
    }
}

/// The validator, and what searching for the patterns of its files costs.
fn compile(written: &str, reading: &Reading) -> Result<(Validator, PatternCost), Refused> {
    let found = reading.find(written)?;
    let schema = json(&file::bytes(&found.real, LARGEST_FILE)?)?;
    let documents = Arc::new(Mutex::new(Documents::new()));
    let base = Url::from_file_path(&found.real).map_err(|()| Refused::unfit("has no URL"))?;
    let engine = PatternOptions::fancy_regex();
    let engine = engine.backtrack_limit(BACKTRACKS).size_limit(PATTERN).dfa_size_limit(PATTERN);
    let (source, trusted) = (Arc::clone(&reading.source), reading.trusted);
    let options = jsonschema::options()
        .with_base_uri(base.as_str())
        .with_retriever(Files { source, trusted, documents: Arc::clone(&documents) })
        .with_pattern_options(engine)
        .should_validate_formats(true);
    let validator = options.build(&schema).map_err(|error| invalid(&error))?;
    let mut documents = mem::take(&mut *documents.lock().unwrap_or_else(PoisonError::into_inner));
    documents.insert(base.to_string(), schema);
    Ok((validator, schema_cost::cost(&documents, base.as_str())))
}

fn invalid(error: &ValidationError<'_>) -> Refused {
    let at = error.instance_path().as_str();
    let at = if at.is_empty() { String::new() } else { format!(" at `{at}`") };
    let why = glimpse::cut(&error.to_string(), SHOWN, &crate::ground::secret::Needles::default());
    let help = "without `$schema` it is read as draft 2020-12; `$ref` reaches files of the project, and \
                others only with --trust or REQCHAIN_TRUST=1";
    Refused::unfit(format!("is not a JSON Schema{at}: {why}")).help(help)
}

fn json(bytes: &[u8]) -> Result<Json, Refused> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    serde_json::from_slice(bytes).map_err(|error| Refused::unfit(format!("is not JSON: {error}")))
}

/// Finds what a schema refers to, among the files that the workflow may name.
struct Files {
    source: Arc<Source>,
    trusted: bool,
    /// What was found.
    documents: Arc<Mutex<Documents>>,
}

impl Files {
    fn load(&self, path: &Path) -> Result<Vec<u8>, Refused> {
        let real = path.canonicalize()?;
        file::admit(&real, self.source.folder(), self.trusted)?;
        file::bytes(&real, LARGEST_FILE)
    }
}

impl Retrieve for Files {
    fn retrieve(&self, uri: &Uri<String>) -> Result<Json, Box<dyn std::error::Error + Send + Sync>> {
        let url = Url::parse(uri.as_str()).ok().filter(|url| url.scheme() == "file");
        let found = url.and_then(|url| Some((url.to_file_path().ok()?, url)));
        let Some((path, url)) = found else { return Err("only files are read, nothing is fetched".into()) };
        let schema = self.load(&path).and_then(|bytes| json(&bytes)).map_err(|refused| refused.about())?;
        let mut documents = self.documents.lock().unwrap_or_else(PoisonError::into_inner);
        documents.insert(url.to_string(), schema.clone());
        Ok(schema)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn compiled(files: &[(&str, &str)]) -> Result<Validator, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let inside = folder.path().join("project");
        fs::create_dir(&inside).expect("a folder");
        for (name, text) in files {
            fs::write(inside.join(name), text).expect("written");
        }
        let reading = Reading::new(&Source::file(&inside.join("flow.yaml"), ""));
        compile(files[0].0, &reading).map(|(validator, _)| validator).map_err(|refused| refused.about())
    }

    #[test]
    fn a_schema_reaches_the_files_beside_it_and_no_others() {
        let main = r#"{"properties":{"a":{"$ref":"b.json#/$defs/c"}}}"#;
        let other = r#"{"$defs":{"c":{"type":"integer"}}}"#;
        let validator = compiled(&[("a.json", main), ("b.json", other)]).expect("a schema");
        assert!(validator.is_valid(&serde_json::json!({"a": 1})));
        assert!(!validator.is_valid(&serde_json::json!({"a": "x"})));
        for reference in ["../c.json", "https://example.com/x.json", "file:///etc/passwd", "gone.json"] {
            let text = format!(r#"{{"$ref":"{reference}"}}"#);
            assert!(compiled(&[("a.json", &text)]).is_err(), "{reference}");
        }
    }

    #[test]
    fn the_draft_is_the_one_that_the_schema_names() {
        let text = |draft: &str| format!(r#"{{"$schema":"{draft}","items":[{{"type":"string"}}]}}"#);
        let old = compiled(&[("a.json", &text("http://json-schema.org/draft-07/schema#"))]);
        assert!(!old.expect("a schema").is_valid(&serde_json::json!([1])));
        assert!(compiled(&[("a.json", &text("https://json-schema.org/draft/2020-12/schema"))]).is_err());
    }

    #[test]
    fn a_schema_that_refers_to_itself_or_repeats_without_end_is_survived() {
        for text in [r##"{"$ref":"#"}"##, r##"{"allOf":[{"$ref":"#"}]}"##] {
            if let Ok(validator) = compiled(&[("a.json", text)]) {
                let _ = validator.is_valid(&serde_json::json!({}));
            }
        }
        let bomb = r#"{"pattern":"^(a+)+(?=b)$"}"#;
        let validator = compiled(&[("a.json", bomb)]).expect("a schema");
        assert!(!validator.is_valid(&serde_json::json!("a".repeat(5000))));
        assert!(compiled(&[("a.json", r#"{"pattern":"((a{1000}){1000}){1000}"}"#)]).is_err());
    }
}

//! What stands between `{{` and `}}`.

use std::ops::Range;
use std::sync::{Arc, LazyLock};

use minijinja::{Environment, ErrorKind, UndefinedBehavior};

use crate::ground::diagnostic::nearest;
use crate::ground::read::Reading;
use crate::ground::secret::Marked;
use crate::ground::source::Span;
use crate::ground::value::Value;
use crate::ground::yaml::Scalar;
use crate::parts::scope::{RESERVED, Scope};
use crate::parts::template::{Error, Mention, elsewhere, fake, filters, view};

/// How long an expression may be, in bytes: each operator is a level of the evaluator's stack.
const LONGEST: usize = 4096;
/// How long a text that an expression makes may be, in bytes: `a ~ a` doubles.
const LARGEST: usize = 32 * 1024 * 1024;
/// How many steps of minijinja's machine an expression may take; a loop inside one ends here.
const FUEL: u64 = 200_000;

static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    filters::register(&mut environment);
    // It would show the engine's inside.
    environment.remove_global("debug");
    environment
});

/// An expression, compiled when it was read.
#[derive(Debug, Clone)]
pub struct Expression {
    text: Box<str>,
    span: Span,
    raw: bool,
    kind: Kind,
}

#[derive(Clone)]
enum Kind {
    /// A bare name: the scope answers by itself.
    Name(Arc<str>),
    Compiled(Arc<minijinja::Expression<'static, 'static>>),
}

impl std::fmt::Debug for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Name(_) => "Name",
            Self::Compiled(_) => "Compiled",
        })
    }
}

impl Expression {
    /// Reads the expression at `range` of a scalar; mistakes are reported.
    pub fn read(scalar: &Scalar, range: Range<usize>, reading: &Reading) -> Option<Self> {
        let whole = &scalar.text[range.clone()];
        let text = whole.trim();
        let start = range.start + (whole.len() - whole.trim_start().len());
        let span_of =
            |part: Range<usize>| scalar.span_of(&reading.source, start + part.start..start + part.end);
        let span = span_of(0..text.len());
        if text.is_empty() {
            reading.error_with(span, "nothing stands between `{{` and `}}`", "name a variable");
            return None;
        }
        if text.len() > LONGEST {
            let message = format!("an expression of {} bytes; it may have {LONGEST}", text.len());
            reading.error_with(span, message, "derive its parts under `vars`");
            return None;
        }
        if is_name(text) {
            let kind = Kind::Name(text.into());
            return Some(Self { text: text.into(), span, raw: false, kind });
        }
        if is_hyphenated(text) {
            let message = format!("`{text}` is read as a subtraction: a name cannot have a `-`");
            let help = format!("name it `{}`, or put spaces around the `-`", text.replace('-', "_"));
            reading.error_with(span, message, help);
            return None;
        }
        match ENVIRONMENT.compile_expression_owned(text.to_owned()) {
            Ok(compiled) => {
                let raw = text.rsplit_once('|').is_some_and(|(_, last)| last.trim() == "raw");
                let kind = Kind::Compiled(Arc::new(compiled));
                let expression = Self { text: text.into(), span, raw, kind };
                expression.refuse_unknown_calls(&span_of, reading)?;
                expression.refuse_unknown_tests(&span_of, reading)?;
                Some(expression)
            }
            Err(error) => {
                let at = error.range().filter(|range| range.end <= text.len() && !range.is_empty());
                let message =
                    format!("syntax error: {}", error.detail().unwrap_or("this is not an expression"));
                let from = at.as_ref().map_or("", |at| &text[at.start..]);
                reading.error_with(
                    at.clone().map_or(span, &span_of),
                    message,
                    match text {
                        braces if braces.starts_with('{') => "two braces are enough: `{{ name }}`".to_owned(),
                        _ if at.as_ref().is_some_and(|at| text[..at.start].ends_with('|')) => {
                            elsewhere::sign("||")
                        }
                        _ => elsewhere::sign(from),
                    },
                );
                None
            }
        }
    }

    /// minijinja finds out about an unknown filter or function when it meets it; a workflow should
    /// know before anything is sent.
    fn refuse_unknown_calls(&self, span_of: &dyn Fn(Range<usize>) -> Span, reading: &Reading) -> Option<()> {
        for (at, name, is_filter) in calls(&self.text) {
            if name == "fake" && !is_filter {
                self.refuse_unknown_fake(at + name.len(), span_of, reading)?;
                continue;
            }
            let (known, what) = if is_filter {
                (filters::names(), "filter")
            } else {
                (filters::FUNCTIONS.as_slice(), "function")
            };
            if known.contains(&name) || (!is_filter && self.text[..at].trim_end().ends_with(['.', '|'])) {
                continue;
            }
            let span = span_of(at..at + name.len());
            let elsewhere = if is_filter { elsewhere::filter(name) } else { elsewhere::function(name) };
            let help = match (elsewhere, nearest(name, known.iter().copied())) {
                (Some(help), _) => help,
                (None, Some(near)) => format!("did you mean `{near}`?"),
                (None, None) => format!("the {what}s are {}", known.join(", ")),
            };
            reading.error_with(span, format!("there is no {what} `{name}`"), help);
            return None;
        }
        Some(())
    }

    /// What stands behind `is` must be a test.
    fn refuse_unknown_tests(&self, span_of: &dyn Fn(Range<usize>) -> Span, reading: &Reading) -> Option<()> {
        for (at, name) in tests(&self.text) {
            if filters::TESTS.contains(&name) || matches!(name, "filter" | "test") {
                continue;
            }
            let near = nearest(name, filters::TESTS.iter().copied());
            let help = near.map_or_else(
                || "to compare, write `==`; there are defined, none, odd, even, string, number, iterable, mapping".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            let span = span_of(at..at + name.len());
            reading.error_with(span, format!("there is no test `{name}`"), help);
            return None;
        }
        Some(())
    }

    /// A kind of `fake("…")` that is written out is known before anything is sent. `at` is where
    /// the name of the function ends.
    fn refuse_unknown_fake(
        &self,
        at: usize,
        span_of: &dyn Fn(Range<usize>) -> Span,
        reading: &Reading,
    ) -> Option<()> {
        let rest = self.text[at..].trim_start().strip_prefix('(').map_or("", str::trim_start);
        let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''));
        let Some((kind, _)) = quote.and_then(|quote| rest[1..].split_once(quote)) else {
            return Some(());
        };
        let start = self.text.len() - rest.len() + 1;
        let Some((message, help)) = fake::refuse(kind) else { return Some(()) };
        reading.error_with(span_of(start..start + kind.len()), message, help);
        None
    }

    /// Where it stands.
    #[must_use]
    pub const fn span(&self) -> Span {
        self.span
    }

    /// The expression as it was typed.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.text
    }

    /// The name that it is, where it is nothing else.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match &self.kind {
            Kind::Name(name) => Some(name),
            Kind::Compiled(_) => None,
        }
    }

    /// Whether it ends in `| raw`.
    #[must_use]
    pub const fn is_raw(&self) -> bool {
        self.raw
    }

    /// The value and the marks of all that was read for it.
    ///
    /// # Errors
    /// What is not defined, or cannot be evaluated, and where.
    pub fn value(&self, scope: &Scope) -> Result<Marked<Value>, Error> {
        match &self.kind {
            Kind::Name(name) => match scope.get(name) {
                Some(found) => Ok(found),
                None if RESERVED.contains(&&**name) || is_constant(name) => self.evaluate(None, scope),
                None => Err(self.undefined(name, 0..name.len(), scope)),
            },
            Kind::Compiled(compiled) => scope.once(self, || self.evaluate(Some(compiled), scope)),
        }
    }

    fn evaluate(
        &self,
        compiled: Option<&minijinja::Expression<'static, 'static>>,
        scope: &Scope,
    ) -> Result<Marked<Value>, Error> {
        let (root, reads) = view::root(scope);
        let found = match compiled {
            Some(compiled) => compiled.eval(root),
            None => ENVIRONMENT.compile_expression(&self.text).and_then(|compiled| compiled.eval(root)),
        };
        let found = found.map_err(|error| self.failed(&error, scope))?;
        if found.is_undefined() {
            return Err(self.undefined(&self.text, 0..self.text.len(), scope));
        }
        let value = view::from_jinja(&found).map_err(|message| Error::new(self.span, message))?;
        if value.as_str().is_some_and(|text| text.len() > LARGEST) {
            return Err(Error::new(self.span, "the text that this makes is larger than 32 MiB"));
        }
        let marks = reads.marks();
        // What is made of a secret is as secret as that wherever it is echoed.
        if let (Some(name), Value::String(text)) = (&marks.secret, &value) {
            scope.needles.learn(name, text);
        }
        Ok(Marked::new(value, marks))
    }

    fn failed(&self, error: &minijinja::Error, scope: &Scope) -> Error {
        let range = error.range().filter(|range| range.end <= self.text.len() && !range.is_empty());
        if error.kind() == ErrorKind::UndefinedError {
            let range = range.unwrap_or(0..self.text.len());
            let mut start = range.start;
            // The range of a member begins at its dot: the name before it belongs to the message.
            while start > 0
                && self.text[..start].ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '.'))
            {
                start -= self.text[..start].chars().next_back().map_or(1, char::len_utf8);
            }
            let range = self.first_undefined(scope).unwrap_or(start..range.end);
            return self.undefined(&self.text[range.clone()], range, scope);
        }
        let detail = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
        let message = match error.kind() {
            ErrorKind::OutOfFuel => format!("this expression takes more than {FUEL} steps"),
            _ => detail,
        };
        Error::new(self.part(range), scope.needles.scrub(&message))
    }

    /// Where the first name stands that leads nowhere; minijinja tells the whole operation.
    fn first_undefined(&self, scope: &Scope) -> Option<Range<usize>> {
        let Kind::Compiled(compiled) = &self.kind else { return None };
        let places = compiled.undeclared_variables(true).into_iter().filter_map(|path| {
            let range = find_name(&self.text, &path)?;
            (!view::is_defined(&path, scope)).then_some(range)
        });
        places.min_by_key(|range| range.start)
    }

    fn undefined(&self, path: &str, range: Range<usize>, scope: &Scope) -> Error {
        let error = Error::new(self.part(Some(range)), format!("`{path}` is not defined"));
        match view::nearest_path(path, scope) {
            Some(help) => error.help(help),
            None => error,
        }
    }

    /// The span of a part of the text, where the text stands in the source as it is.
    fn part(&self, range: Option<Range<usize>>) -> Span {
        let length = (self.span.end - self.span.start) as usize;
        match range {
            Some(range) if length == self.text.len() => {
                Span::new(self.span.start as usize + range.start, self.span.start as usize + range.end)
            }
            _ => self.span,
        }
    }

    /// Tells every name that the expression reads, dotted as far as it is, and where.
    pub fn reads(&self, visit: &mut dyn FnMut(Mention<'_>)) {
        match &self.kind {
            Kind::Name(name) if is_constant(name) => {}
            Kind::Name(name) => visit(Mention { path: name, span: self.span, guarded: false }),
            Kind::Compiled(compiled) => {
                // An expression that asks whether something is defined may well name what is not.
                let guarded = self.text.contains("defined") || self.text.contains("default");
                let mut names: Vec<_> = compiled.undeclared_variables(true).into_iter().collect();
                names.sort_unstable();
                for name in names {
                    let root = name.split('.').next().unwrap_or_default();
                    if filters::FUNCTIONS.contains(&root) {
                        continue;
                    }
                    let at = find_name(&self.text, &name).or_else(|| find_name(&self.text, root));
                    visit(Mention { path: &name, span: self.part(at), guarded });
                }
            }
        }
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Whether a name means a value by itself, whatever variables there are.
#[must_use]
pub fn is_constant(name: &str) -> bool {
    matches!(name, "true" | "false" | "none" | "null" | "True" | "False" | "None")
}

fn is_hyphenated(text: &str) -> bool {
    text.contains('-') && text.split('-').all(is_name)
}

fn find_name(text: &str, name: &str) -> Option<Range<usize>> {
    let part_of_name = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(name)
        .find(|(at, _)| {
            !text[..*at].ends_with(part_of_name) && !text[at + name.len()..].starts_with(part_of_name)
        })
        .map(|(at, _)| at..at + name.len())
}

/// Every call in an expression outside quotes: where its name stands, the name, and whether a `|`
/// before it makes it a filter.
fn calls(text: &str) -> Vec<(usize, &str, bool)> {
    let bytes = text.as_bytes();
    let mut calls = Vec::new();
    let (mut at, mut quote, mut pipe) = (0, None, false);
    while at < bytes.len() {
        let byte = bytes[at];
        match quote {
            Some(open) => {
                at += if byte == b'\\' { 2 } else { 1 };
                if byte == open {
                    quote = None;
                }
                continue;
            }
            None if byte == b'"' || byte == b'\'' => quote = Some(byte),
            None if byte.is_ascii_alphabetic() || byte == b'_' => {
                let length = bytes[at..]
                    .iter()
                    .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')
                    .count();
                let name = &text[at..at + length];
                let called = text[at + length..].trim_start().starts_with('(');
                let word = matches!(name, "if" | "else" | "and" | "or" | "not" | "in" | "is");
                if pipe || (called && !word && !is_test(text, at)) {
                    calls.push((at, name, pipe));
                }
                pipe = false;
                at += length;
                continue;
            }
            None => {}
        }
        pipe = byte == b'|' || (pipe && byte.is_ascii_whitespace());
        at += 1;
    }
    calls
}

/// Every name that stands behind `is`, or `is not`, outside quotes.
fn tests(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    if !text.contains(" is ") {
        return found;
    }
    let (mut at, mut quote, mut expects) = (0, None, false);
    while let Some(c) = text[at..].chars().next() {
        let length = match quote {
            Some(open) => {
                quote = quote.filter(|_| c != open);
                c.len_utf8()
                    + if c == '\\' { text[at + 1..].chars().next().map_or(0, char::len_utf8) } else { 0 }
            }
            None if c.is_ascii_alphabetic() || c == '_' => {
                let word = |c: char| !(c.is_ascii_alphanumeric() || c == '_');
                let name = &text[at..at + text[at..].find(word).unwrap_or(text.len() - at)];
                match name {
                    "is" => expects = true,
                    "not" if expects => {}
                    name if expects => {
                        found.push((at, name));
                        expects = false;
                    }
                    _ => {}
                }
                name.len()
            }
            None => {
                quote = Some(c).filter(|c| matches!(c, '"' | '\''));
                expects &= c.is_ascii_whitespace();
                c.len_utf8()
            }
        };
        at += length;
    }
    found
}

/// Whether the name at `at` is a test: `x is divisibleby(3)`.
fn is_test(text: &str, at: usize) -> bool {
    let before = text[..at].trim_end();
    let before = before.strip_suffix("not").map_or(before, str::trim_end);
    before.ends_with(" is")
}

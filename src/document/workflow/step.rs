//! How a step reads itself.

use std::path::Path;
use std::sync::Arc;

use crate::document::workflow::model::{Action, Step, Uses, Variable, Workflow};
use crate::document::workflow::parse::Loading;
use crate::ground::read::Fields;
use crate::ground::source::Spanned;
use crate::ground::yaml::{Node, Scalar};
use crate::parts::condition::Condition;
use crate::parts::expect::Expectation;
use crate::parts::extract::{Extract, variable_name};
use crate::parts::for_each::ForEach;
use crate::parts::http::RequestSpec;
use crate::parts::repeat::Repeat;
use crate::parts::retry::Retry;
use crate::parts::script::{Phase, Script};
use crate::parts::template::{Mention, Tree};

const KEYS: [&str; 16] = [
    "id",
    "name",
    "when",
    "for_each",
    "repeat",
    "request",
    "uses",
    "with",
    "script",
    "parallel",
    "retry",
    "before",
    "after",
    "expect",
    "extract",
    "continue_on_failure",
];
const LATER: [&str; 1] = ["snapshot"];
const ACTIONS: [&str; 4] = ["request", "uses", "script", "parallel"];

impl Step {
    /// Reads a step; mistakes are reported. `counted` is its id where it does not say one.
    pub(super) fn read(node: &Node, counted: &str, loading: &Loading<'_>) -> Option<Self> {
        let reading = loading.reading;
        let fields = reading.fields(node, "a step", &KEYS, &LATER)?;
        let id = fields.optional("id", |node| read_id(node, loading));
        let name =
            fields.optional("name", |node| reading.text(node, "name").map(|scalar| Arc::clone(&scalar.text)));
        let for_each = fields.optional("for_each", |node| ForEach::read(node, reading));
        let action = read_action(&fields, counted, loading);
        let when = fields.optional("when", |node| Condition::read("when", node, reading));
        let repeat = fields.optional("repeat", |node| Repeat::read(node, reading));
        let goes_on =
            fields.optional("continue_on_failure", |node| reading.truth(node, "continue_on_failure"));
        let retry = fields.optional("retry", |node| Retry::read(node, reading, true));
        let before = fields.optional("before", |node| Script::read(node, reading, Phase::Before));
        let after = fields.optional("after", |node| Script::read(node, reading, Phase::After));
        let expect = fields.optional("expect", |node| Expectation::read(node, reading));
        let extract = fields.optional("extract", |node| Extract::read_all(node, reading));
        let mut action = action?;
        let for_each = for_each?;
        if let (Some(each), Action::Parallel(steps)) = (&for_each, &mut action) {
            for step in steps {
                put_inside(step, &each.name.value);
            }
        }
        refuse_strays(&fields, &action, loading);
        let id = id?;
        let id_span = id.as_ref().map(|id| id.span);
        let id = id.map_or_else(|| counted.into(), |id| id.value);
        Some(Self {
            name: name?.unwrap_or_else(|| Arc::clone(&id)),
            id,
            id_span,
            span: node.span,
            action,
            when: when?,
            for_each,
            repeat: repeat?,
            continue_on_failure: goes_on?.unwrap_or(false),
            around: Vec::new(),
            retry: retry?,
            before: before?,
            after: after?,
            expect: expect?,
            extract: extract?.unwrap_or_default(),
        })
    }

    /// Tells every name that the step's templates read, and where. What its loop sets is not
    /// among them.
    pub fn reads(&self, visit: &mut dyn FnMut(Mention<'_>)) {
        self.reads_before(visit);
        let visit = &mut self.outside(visit);
        self.extract.iter().for_each(|extract| extract.reads(visit));
        if let Some(expect) = &self.expect {
            expect.reads(visit);
        }
        if let Some(repeat) = &self.repeat {
            repeat.reads(visit);
        }
    }

    /// Of those, the ones that are read before there is an answer.
    pub fn reads_before(&self, visit: &mut dyn FnMut(Mention<'_>)) {
        if let Some(each) = &self.for_each {
            each.reads(visit);
        }
        let visit = &mut self.outside(visit);
        if let Some(when) = &self.when {
            when.reads(visit);
        }
        self.reads_of_action(visit);
    }

    /// Of those, the ones of what it does.
    pub fn reads_of_action(&self, visit: &mut dyn FnMut(Mention<'_>)) {
        match &self.action {
            Action::Request(request) => request.reads(visit),
            Action::Uses(uses) => uses.with.iter().for_each(|with| with.tree.reads(visit)),
            Action::Script(_) | Action::Parallel(_) => {}
        }
    }

    /// Lets through what no loop around sets.
    fn outside(&self, visit: &mut dyn FnMut(Mention<'_>)) -> impl FnMut(Mention<'_>) {
        move |mention| {
            if !self.in_loops(mention.name()) {
                visit(mention);
            }
        }
    }

    /// Whether a loop sets this name for the step.
    #[must_use]
    pub fn in_loops(&self, name: &str) -> bool {
        let own = self.for_each.iter().map(|each| &each.name.value);
        own.chain(&self.around).any(|known| &**known == name)
    }
}

/// Tells a step, and those inside it, which loop they are in.
fn put_inside(step: &mut Arc<Step>, name: &Arc<str>) {
    // Nobody else has the step yet: it was read just now.
    if let Some(step) = Arc::get_mut(step) {
        step.around.push(Arc::clone(name));
        if let Action::Parallel(inner) = &mut step.action {
            for step in inner {
                put_inside(step, name);
            }
        }
    }
}

fn read_id(node: &Node, loading: &Loading<'_>) -> Option<Spanned<Arc<str>>> {
    let scalar = loading.reading.text(node, "id")?;
    let fits = scalar.text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !scalar.text.starts_with(|c: char| c.is_ascii_digit())
        && !scalar.text.is_empty();
    if !fits {
        let message = format!("`{}` cannot be an id", scalar.text);
        loading.reading.error_with(
            node.span,
            message,
            "an id has letters, digits and `_`, and does not begin with a digit",
        );
        return None;
    }
    Some(Spanned::new(Arc::clone(&scalar.text), scalar.span))
}

fn read_action(fields: &Fields<'_>, counted: &str, loading: &Loading<'_>) -> Option<Action> {
    let reading = loading.reading;
    let actions = fields.present(&ACTIONS);
    match actions.as_slice() {
        [] => {
            // A key that was refused may have stood for what it does.
            if fields.is_complete() {
                reading.error_with(
                    fields.span,
                    "this step does nothing",
                    "give it one of `request`, `uses`, `script`, `parallel`",
                );
            }
            None
        }
        [(key, node)] => match &*key.text {
            "request" => RequestSpec::read(node, reading).map(|request| Action::Request(Arc::new(request))),
            "script" => Script::read(node, reading, Phase::Alone).map(Action::Script),
            "parallel" => {
                Some(Action::Parallel(loading.step_list(node, "parallel", |at| format!("{counted}_{at}"))))
            }
            _ => read_uses(node, fields.get("with"), loading).map(Action::Uses),
        },
        [first, second, ..] => {
            let message = format!("`{}` beside `{}`: a step does one thing", second.0.text, first.0.text);
            reading.error_with(second.0.span, message, "make a step of its own for the second");
            None
        }
    }
}

fn read_uses(node: &Node, with: Option<&Node>, loading: &Loading<'_>) -> Option<Uses> {
    let scalar = loading.reading.text(node, "uses")?;
    let with = match with {
        Some(node) => read_variables(node, "with", loading),
        None => Some(Vec::new()),
    };
    let workflow = load_used(scalar, loading)?;
    let with = with?;
    for entry in &with {
        if workflow.inputs.iter().all(|input| input.name.value != entry.name.value) {
            let names: Vec<&str> = workflow.inputs.iter().map(|input| &*input.name.value).collect();
            let help = crate::ground::diagnostic::did_you_mean(&entry.name.value, names.iter().copied());
            let message = format!("`{}` has no input `{}`", scalar.text, entry.name.value);
            let help = help.unwrap_or_else(|| format!("its inputs are {}", names.join(", ")));
            loading.reading.error_with(entry.name.span, message, help);
        }
    }
    Some(Uses { workflow, span: scalar.span, with })
}

/// What to do where a workflow that is used cannot be read.
const LOOKED_FOR: &str = "its path is relative to the file that names it";

fn load_used(scalar: &Scalar, loading: &Loading<'_>) -> Option<Arc<Workflow>> {
    if scalar.text.contains("{{") {
        let help = "write its path; to choose between files give each step a `when`";
        loading.reading.error_with(scalar.span, "the file of `uses` is not a template", help);
        return None;
    }
    let source = &loading.reading.source;
    let path = source.beside(&scalar.text);
    if let Err(refused) = loading.admit(&path) {
        refused.report(scalar, loading.reading);
        return None;
    }
    match loading.load_used(&path) {
        Ok(workflow) => {
            loading.reading.warn_outside(&path, scalar, "used");
            Some(workflow)
        }
        Err(problems) => {
            for problem in problems.0 {
                loading.reading.report(if problem.place.is_some() {
                    let line = source.position(scalar.span.start as usize).line;
                    problem.note(format!("used by {}, line {line}", source.name()))
                } else {
                    let help = found_at(&scalar.text, &path).or_else(|| problem.help.clone());
                    problem.at(source, scalar.span).help(help.unwrap_or_else(|| LOOKED_FOR.to_owned()))
                });
            }
            None
        }
    }
}

/// Where a file was looked for that is not there.
fn found_at(written: &str, path: &Path) -> Option<String> {
    if path.exists() {
        return None;
    }
    if written.contains("://") {
        return Some("only files are run: save it in the project and name it by its path".to_owned());
    }
    let named = path.with_extension("yaml");
    Some(if path.extension().is_none() && named.is_file() {
        format!("write `{written}.yaml`")
    } else if written.contains('@') {
        "`uses` runs another workflow of the project: `uses: ./login.yaml`".to_owned()
    } else {
        format!("it is looked for at {}", path.display())
    })
}

/// Reads a map of names and values, such as `vars`, `with` and `outputs`.
pub(super) fn read_variables(node: &Node, what: &str, loading: &Loading<'_>) -> Option<Vec<Variable>> {
    let entries: Vec<_> = loading
        .reading
        .entries(node, what)?
        .iter()
        .map(|(name, value)| {
            let tree = Tree::read(value, loading.reading);
            Some(Variable { name: variable_name(name, loading.reading)?, tree: tree? })
        })
        .collect();
    // Those that read well are still checked, although the file is refused.
    Some(entries.into_iter().flatten().collect())
}

/// Keys that make no sense beside what the step does.
fn refuse_strays(fields: &Fields<'_>, action: &Action, loading: &Loading<'_>) {
    let (what, strays): (_, &[&'static str]) = match action {
        Action::Request(_) => ("request", &["with"]),
        Action::Uses(_) => ("uses", &["retry", "before", "after", "expect", "extract"]),
        Action::Script(_) => ("script", &["with", "retry", "before", "after", "expect", "extract"]),
        Action::Parallel(_) => ("parallel", &["with", "retry", "before", "after", "expect", "extract"]),
    };
    for (key, _) in fields.present(strays) {
        let message = format!("`{}` has no meaning beside `{what}`", key.text);
        loading.reading.error_with(key.span, message, instead(&key.text, action));
    }
}

/// What to do in place of a key that makes no sense there.
fn instead(key: &str, action: &Action) -> &'static str {
    match (key, action) {
        ("with", _) => "`with` gives a workflow its inputs: it stands beside `uses`",
        ("retry", Action::Script(_)) => "put it into a step with a `request`; `repeat` runs a script again",
        ("retry", _) => "put it into the steps themselves, or under `defaults`",
        ("expect", Action::Script(_)) => "write `check(\"what is expected\", condition)` in the script",
        ("extract", Action::Script(_)) => "set it in the script: `vars.name = …`",
        ("before" | "after", Action::Script(_)) => "write it into the script itself",
        ("expect", Action::Uses(_)) => "write it into the steps of the workflow that is used",
        ("extract", Action::Uses(_)) => "what comes out is `{{ steps.<id>.outputs.<name> }}`",
        ("before" | "after", _) => "make it a step of its own: `script: …`",
        _ => "put it into each step under `parallel`",
    }
}

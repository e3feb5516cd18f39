//! `mock: { file, replaces, inputs, state, tls }`: the stand-in of a workflow, what inputs are
//! under it, and where it differs from its file. The file itself is read by those who serve it.

use std::path::PathBuf;
use std::sync::Arc;

use crate::document::workflow::model::{Variable, Workflow};
use crate::ground::diagnostic::{Diagnostic, did_you_mean};
use crate::ground::file;
use crate::ground::read::{Fields, Reading};
use crate::ground::source::{Span, Spanned};
use crate::ground::value::Value;
use crate::ground::yaml::{Kind, Node, Scalar};
use crate::parts::template::{Mention, Tree};

const KEYS: [&str; 5] = ["file", "replaces", "inputs", "state", "tls"];

/// The offline stand-in of a workflow.
#[derive(Debug, Clone)]
pub struct StandIn {
    /// The mock's file, its path resolved against the workflow's folder.
    pub file: PathBuf,
    /// Where it is named.
    pub span: Span,
    /// The inputs that should point at it; `None` for every one whose value is an http URL.
    pub replaces: Option<Vec<Spanned<Arc<str>>>>,
    /// What inputs are under the mock unless the caller gives them: `env`, `file`, `command` and
    /// `default` are for the real server.
    pub inputs: Vec<(Spanned<Arc<str>>, Value)>,
    /// Entries of the mock's state that differ here; their templates see the inputs.
    pub state: Vec<Variable>,
    /// Whether it serves https, even where its file does not say so.
    pub tls: bool,
}

impl StandIn {
    /// Reads a file's name, or the whole map; mistakes are reported.
    pub(super) fn read(node: &Node, reading: &Reading) -> Option<Self> {
        if let Kind::Scalar(_) = &node.kind {
            let file = reading.text(node, "mock")?;
            return Some(Self::of(file, reading));
        }
        let fields = reading.fields(node, "mock", &KEYS, &[])?;
        let file = fields.required("file", || {
            if fields.is_complete() {
                let help = "name the file of its routes: `mock: { file: mocks/shop.yaml }`";
                reading.error_with(node.span, "`mock` needs `file`", help);
            }
        })?;
        let mut mock = Self::of(reading.text(file, "file")?, reading);
        mock.replaces = fields.get("replaces").and_then(|node| reading.list(node, "replaces")).map(|names| {
            let names = names.iter().filter_map(|name| reading.text(name, "replaces"));
            names.map(|name| Spanned::new(Arc::clone(&name.text), name.span)).collect()
        });
        mock.inputs = read_inputs(&fields, reading);
        mock.state = read_state(&fields, reading);
        mock.tls = fields.get("tls").is_some_and(|node| read_self_signed(node, reading));
        Some(mock)
    }

    /// The file as it is.
    fn of(file: &Scalar, reading: &Reading) -> Self {
        let path = reading.source.beside(&file.text);
        match file::open(&path, u64::MAX) {
            Ok(_) => reading.warn_outside(&path, file, "used"),
            Err(refused) => {
                let message = if refused.is_missing() {
                    format!("there is no mock `{}`", file.text)
                } else {
                    format!("cannot read the mock `{}`: {}", file.text, refused.why())
                };
                reading.error_with(file.span, message, format!("it is looked for at {}", path.display()));
            }
        }
        Self {
            file: path,
            span: file.span,
            replaces: None,
            inputs: Vec::new(),
            state: Vec::new(),
            tls: false,
        }
    }

    /// What an input is under the mock.
    #[must_use]
    pub fn input(&self, name: &str) -> Option<&Value> {
        self.inputs.iter().find(|(known, _)| &*known.value == name).map(|(_, value)| value)
    }

    /// Tells every name that the templates of its state read, and where.
    pub fn reads(&self, visit: &mut dyn FnMut(Mention<'_>)) {
        self.state.iter().for_each(|entry| entry.tree.reads(&mut *visit));
    }
}

fn read_inputs(fields: &Fields<'_>, reading: &Reading) -> Vec<(Spanned<Arc<str>>, Value)> {
    let entries = fields.get("inputs").and_then(|node| reading.entries(node, "inputs")).unwrap_or_default();
    let entry = |(name, node): &(Scalar, Node)| {
        let tree = Tree::read(node, reading)?;
        if tree.as_plain().is_none() {
            let help = "derive what depends on others under `vars`";
            reading.error_with(node.span, "`inputs` of a mock holds plain values, no templates", help);
        }
        Some((Spanned::new(Arc::clone(&name.text), name.span), tree.as_plain()?.clone()))
    };
    entries.iter().filter_map(entry).collect()
}

fn read_state(fields: &Fields<'_>, reading: &Reading) -> Vec<Variable> {
    let entries = fields.get("state").and_then(|node| reading.entries(node, "state")).unwrap_or_default();
    let entry = |(name, value): &(Scalar, Node)| {
        let tree = Tree::read(value, reading)?;
        Some(Variable { name: Spanned::new(Arc::clone(&name.text), name.span), tree })
    };
    entries.iter().filter_map(entry).collect()
}

/// Reads `tls: self_signed`, whether it is meant; anything else is reported, so that what a file says
/// is never half meant.
pub fn read_self_signed(node: &Node, reading: &Reading) -> bool {
    if let Kind::Scalar(_) = node.kind
        && reading.text(node, "tls").is_none_or(|word| &*word.text == "self_signed")
    {
        return true;
    }
    let found = node.scalar().map_or_else(|| node.describe().to_owned(), |word| format!("`{}`", word.text));
    let help = "with `self_signed` the mock serves https, with a certificate that it makes at its start";
    reading.error_with(node.span, format!("`tls` is `self_signed` or left out, not {found}"), help);
    false
}

impl Workflow {
    /// A mock stands in for inputs, and nothing but inputs is known when it starts.
    pub(super) fn check_mock(&self, reading: &Reading) {
        let Some(mock) = &self.mock else { return };
        let given = mock.inputs.iter().map(|(name, _)| name);
        for name in mock.replaces.iter().flatten().chain(given) {
            self.refuse_no_input(&name.value, name.span, None, reading);
        }
        mock.reads(&mut |mention| {
            let help = "the state of a mock is set before anything is run: it sees inputs alone";
            self.refuse_no_input(mention.name(), mention.span, Some(help), reading);
        });
    }

    fn refuse_no_input(&self, name: &str, span: Span, help: Option<&str>, reading: &Reading) {
        let names = || self.inputs.iter().map(|input| &*input.name.value);
        if names().all(|known| known != name) {
            let problem = Diagnostic::error(format!("there is no input `{name}`"));
            let help = did_you_mean(name, names()).or_else(|| help.map(str::to_owned));
            reading.report(problem.at(&reading.source, span).maybe_help(help));
        }
    }

    /// The workflow, and those that it uses, as far as they have a mock.
    pub fn mocked(self: &Arc<Self>) -> impl Iterator<Item = Arc<Self>> {
        self.tree().into_iter().filter(|workflow| workflow.mock.is_some())
    }
}

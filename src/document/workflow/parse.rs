//! How a workflow reads itself: every mistake is reported, in its file and in those it uses.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::document::workflow::input::Input;
use crate::document::workflow::mock::StandIn;
use crate::document::workflow::model::{Step, Variable, Workflow};
use crate::document::workflow::step::read_variables;
use crate::ground::diagnostic::{Diagnostic, Diagnostics};
use crate::ground::file::{self, Refused};
use crate::ground::read::{Fields, Reading, open};
use crate::ground::source::Source;
use crate::ground::yaml::{self, Kind, Node, Scalar};
use crate::parts::extract::variable_name;
use crate::parts::http::RequestDefaults;
use crate::parts::retry::Retry;

const KEYS: [&str; 10] =
    ["name", "description", "tags", "inputs", "vars", "defaults", "mock", "steps", "finally", "outputs"];
const LATER: [&str; 1] = ["session"];

/// How many workflows may use each other in a chain.
const MAX_CHAIN: usize = 16;
/// How many workflows one may use in all, those that they use counted in full: a few files that
/// use each other twice mean a thousand million.
const MAX_USED: usize = 500;

/// A workflow that is being read, and the chain of those that use it.
pub(super) struct Loading<'r> {
    pub(super) reading: &'r Reading,
    chain: Chain<'r>,
}

/// Those that use a workflow, and how far they may reach.
#[derive(Clone, Copy)]
struct Chain<'r> {
    users: &'r [PathBuf],
    used: &'r Cell<usize>,
    trusted: bool,
}

impl Workflow {
    /// Reads the workflow in a file, and all that it uses.
    ///
    /// # Errors
    /// Every mistake that can be found without running it, and each file that it consists of and that
    /// lies outside its project: such a file is not even opened.
    pub fn load(path: &Path) -> Result<Arc<Self>, Diagnostics> {
        load(path, Chain { users: &[], used: &Cell::new(0), trusted: false })
    }

    /// The same where the files that it consists of may lie outside of its project, as with `--trust`:
    /// those that it uses, scripts, schemas, certificates and keys.
    ///
    /// # Errors
    /// Every mistake that can be found without running it.
    pub fn load_trusted(path: &Path) -> Result<Arc<Self>, Diagnostics> {
        load(path, Chain { users: &[], used: &Cell::new(0), trusted: true })
    }

    /// Reads a workflow from a text; paths in it are relative to the current folder.
    ///
    /// # Errors
    /// As [`Workflow::load`].
    pub fn parse(source: &Arc<Source>) -> Result<Arc<Self>, Diagnostics> {
        parse(source, Chain { users: &[], used: &Cell::new(0), trusted: false })
    }
}

fn load(path: &Path, chain: Chain<'_>) -> Result<Arc<Workflow>, Diagnostics> {
    let source = open(path)?;
    let Chain { users, used, trusted } = chain;
    let canonical = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    if let Some(at) = users.iter().position(|user| *user == canonical) {
        let chain: Vec<_> = users[at..]
            .iter()
            .chain([&canonical])
            .map(|file| file.file_name().unwrap_or_default().to_string_lossy())
            .collect();
        let message = format!("workflows that use each other in a circle: {}", chain.join(" → "));
        return Err(Diagnostic::error(message).help("let one of them stand alone").into());
    }
    used.set(used.get() + 1);
    if users.len() >= MAX_CHAIN || used.get() > MAX_USED {
        let message =
            format!("more than {MAX_CHAIN} workflows use each other in a chain, or {MAX_USED} in all");
        return Err(Diagnostic::error(message).help("put steps that belong together in one file").into());
    }
    let users = &[users, &[canonical]].concat();
    parse(&source, Chain { users, used, trusted })
}

fn parse(source: &Arc<Source>, chain: Chain<'_>) -> Result<Arc<Workflow>, Diagnostics> {
    let root = yaml::read(source)?;
    let reading = Reading::new(source).trusted(chain.trusted);
    let workflow = Loading { reading: &reading, chain }.workflow(&root);
    if let Some(workflow) = &workflow {
        workflow.check(&root, &reading);
    }
    let clean = reading.is_clean();
    let problems = reading.finish();
    match workflow {
        Some(mut workflow) if clean => {
            workflow.warnings = problems;
            Ok(Arc::new(workflow))
        }
        _ => Err(problems),
    }
}

impl Loading<'_> {
    /// Reads a workflow that this one uses.
    pub(super) fn load_used(&self, path: &Path) -> Result<Arc<Workflow>, Diagnostics> {
        load(path, self.chain)
    }

    /// Refuses a workflow to use that lies outside the project. One that is not there is left for its
    /// reader to tell.
    pub(super) fn admit(&self, path: &Path) -> Result<(), Refused> {
        match file::admit(path, self.reading.source.folder(), self.chain.trusted) {
            Err(refused) if !refused.is_missing() => Err(refused),
            _ => Ok(()),
        }
    }

    fn workflow(&self, root: &Node) -> Option<Workflow> {
        let reading = self.reading;
        if root.get("routes").is_some() && root.get("steps").is_none() {
            let help = "serve it with `reqchain mock`, or name it under `mock:` of a workflow";
            reading.error_with(root.span, "this is a mock, not a workflow", help);
            return None;
        }
        let fields = reading.fields(root, "a workflow", &KEYS, &LATER)?;
        let source = Arc::clone(&reading.source);
        let text = |key: &str| {
            fields.get(key).and_then(|node| reading.text(node, key)).map(|scalar| Arc::clone(&scalar.text))
        };
        let stem = source.path().and_then(Path::file_stem).map(|stem| stem.to_string_lossy().into_owned());
        let retry = fields.get("defaults").and_then(|node| node.get("retry"));
        Some(Workflow {
            name: text("name").unwrap_or_else(|| stem.unwrap_or_else(|| "workflow".to_owned()).into()),
            description: text("description"),
            tags: self.tags(&fields),
            inputs: self.inputs(&fields),
            vars: self.variables(&fields, "vars").unwrap_or_default(),
            defaults: fields
                .get("defaults")
                .and_then(|node| RequestDefaults::read(node, reading))
                .unwrap_or_default(),
            retry: retry.and_then(|node| Retry::read(node, reading, false)),
            mock: fields.get("mock").and_then(|node| StandIn::read(node, self.reading)),
            steps: self.steps(&fields),
            finally: self.finally(&fields),
            outputs: self.variables(&fields, "outputs"),
            warnings: Diagnostics::default(),
            left_out: Vec::new(),
            source,
        })
    }

    fn tags(&self, fields: &Fields<'_>) -> Vec<Arc<str>> {
        let Some(tags) = fields.get("tags").and_then(|node| self.reading.list(node, "tags")) else {
            return Vec::new();
        };
        tags.iter()
            .filter_map(|tag| self.reading.text(tag, "tags"))
            .map(|tag| Arc::clone(&tag.text))
            .collect()
    }

    fn inputs(&self, fields: &Fields<'_>) -> Vec<Input> {
        let Some(entries) = fields.get("inputs").and_then(|node| self.reading.entries(node, "inputs")) else {
            return Vec::new();
        };
        let read = |(name, value): &(Scalar, Node)| {
            let input = Input::read(name, value, self.reading);
            variable_name(name, self.reading)?;
            input
        };
        entries.iter().filter_map(read).collect()
    }

    fn variables(&self, fields: &Fields<'_>, key: &str) -> Option<Vec<Variable>> {
        read_variables(fields.get(key)?, key, self)
    }

    fn steps(&self, fields: &Fields<'_>) -> Vec<Arc<Step>> {
        let node = fields.required("steps", || {
            let help = "add `steps:` with one step at least";
            self.reading.error_with(fields.span, "a workflow needs `steps`", help);
        });
        let counted = |at: usize| format!("step{at}");
        node.map_or_else(Vec::new, |node| self.step_list(node, "steps", counted))
    }

    /// Steps without an id are counted on from those of `steps`: one namespace, one numbering.
    fn finally(&self, fields: &Fields<'_>) -> Vec<Arc<Step>> {
        let Some(node) = fields.get("finally") else { return Vec::new() };
        let before = match fields.get("steps").map(|steps| &steps.kind) {
            Some(Kind::List(steps)) => steps.len(),
            _ => 0,
        };
        self.step_list(node, "finally", |at| format!("step{}", before + at))
    }

    /// Reads a list of steps; `counted` gives an id to those that have none, counted from 1.
    pub(super) fn step_list(
        &self,
        node: &Node,
        what: &str,
        counted: impl Fn(usize) -> String,
    ) -> Vec<Arc<Step>> {
        let Some(nodes) = self.reading.list(node, what) else { return Vec::new() };
        if nodes.is_empty() {
            self.reading.error_with(
                node.span,
                format!("`{what}` has no step"),
                "add `- request: GET https://…`",
            );
        }
        nodes
            .iter()
            .enumerate()
            .filter_map(|(at, node)| Step::read(node, &counted(at + 1), self))
            .map(Arc::new)
            .collect()
    }
}

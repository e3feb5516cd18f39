//! What is certainly wrong with a script that parses, and what its text tells: its syntax tree is
//! walked once, so that a function that is not there, or not there *then*, is told before anything
//! is sent, and so that `check` knows which variables and steps a script needs.
//!
//! Only what is certain is told. A name that a script declares itself hides ours; a method may be a
//! closure in a map; a module that a script imports may be used at any time.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ptr;
use std::sync::{Arc, OnceLock};

use rhai::{AST, ASTFlags, ASTNode, Expr, FnCallExpr, Position, Stmt};

use crate::ground::diagnostic::did_you_mean;
use crate::parts::script::engine;
use crate::parts::script::explain;
use crate::parts::script::handles::NAMES;
use crate::parts::script::import::{Imports, imports_of};
use crate::parts::script::limits::Limits;
use crate::parts::script::modules::ALL;
use crate::parts::script::text::Text;
use crate::parts::script::{Error, Phase};

/// A name, and where it stands in the script.
type Named = (Arc<str>, Position);

/// What the text of a script tells.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact by itself")]
pub(super) struct Facts {
    pub(super) reads: Vec<Named>,
    pub(super) reads_all: bool,
    pub(super) assigns: Vec<Named>,
    pub(super) steps: Vec<Named>,
    pub(super) mentions_steps: bool,
    /// Whether it looks at the row of `--data`.
    pub(super) mentions_row: bool,
    /// Whether it calls `next`, with whatever id.
    pub(super) may_jump: bool,
    pub(super) jumps: Vec<Named>,
    pub(super) stops: bool,
    /// What `vars.has("name")` asks for.
    pub(super) asked: Vec<Arc<str>>,
}

/// What was found in a script.
#[derive(Default)]
pub(super) struct Audit {
    pub(super) problems: Vec<Error>,
    pub(super) facts: Facts,
}

/// What Rhai itself understands.
const BUILT_IN: [&str; 10] =
    ["print", "debug", "type_of", "Fn", "call", "curry", "is_shared", "is_def_var", "is_def_fn", "eval"];

/// What answers and requests have, and other tools call.
const MEMBERS: [&str; 8] = ["json", "status", "body", "headers", "url", "method", "cookies", "text"];

/// Walks a script that will run in that phase; a module has none.
pub(super) fn audit(text: &Text, ast: &AST, phase: Option<Phase>, imports: &Imports) -> Audit {
    let local = Local::of(ast);
    let mut walk =
        Walk { local, phase, imports, told: Vec::new(), facts: Facts::default(), asked: HashSet::new() };
    ast.walk(&mut |path: &[ASTNode]| {
        walk.node(path);
        true
    });
    let Walk { mut told, mut facts, asked, .. } = walk;
    facts.reads.retain(|(name, _)| !asked.contains(&**name));
    facts.asked = asked.iter().map(|name| name.as_str().into()).collect();
    told.sort_by_key(|told| (told.position.line(), told.position.position()));
    // A method of what is not there is not there either.
    told.dedup_by(|a, b| {
        let follows = a.message.starts_with("there is no method") && a.position.line() == b.position.line();
        follows || (a.position == b.position && a.message == b.message)
    });
    let problems = told.into_iter().map(|told| Error {
        message: told.message,
        help: told.help,
        place: Some(text.place(told.position)),
    });
    Audit { problems: problems.collect(), facts }
}

/// The functions that Rhai's library and ours have: how many arguments each takes, by name.
fn library() -> &'static HashMap<String, BTreeSet<usize>> {
    static LIBRARY: OnceLock<HashMap<String, BTreeSet<usize>>> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let engine = engine::limited(&Limits::default());
        let known = engine.collect_fn_metadata(
            None,
            |function| {
                let named = !function.namespace.is_empty();
                (!named).then(|| (function.metadata.name.to_string(), function.metadata.num_params))
            },
            true,
        );
        let mut library: HashMap<String, BTreeSet<usize>> = HashMap::new();
        for (name, parameters) in known {
            library.entry(name).or_default().insert(parameters);
        }
        library
    })
}

/// What a script names itself.
#[derive(Default)]
struct Local {
    /// Its variables, parameters and the keys of its maps: any of them may hold a closure.
    names: HashSet<String>,
    /// Its functions, and how many parameters they have.
    functions: HashMap<String, BTreeSet<usize>>,
    /// The paths of what it imports, by the name that it gives them.
    aliases: HashMap<String, String>,
}

impl Local {
    fn of(ast: &AST) -> Self {
        let mut local = Self::default();
        for function in ast.iter_functions() {
            // A closure's parameters are also what it captures: our own names among them.
            if function.name.starts_with("anon$") {
                continue;
            }
            local.names.extend(function.params.iter().map(|name| (*name).to_owned()));
            local.functions.entry(function.name.to_owned()).or_default().insert(function.params.len());
        }
        for import in imports_of(ast) {
            local.aliases.insert(import.alias, import.path.unwrap_or_default());
        }
        ast.walk(&mut |path: &[ASTNode]| {
            match path.last() {
                Some(ASTNode::Stmt(statement)) => local.declare(statement),
                Some(ASTNode::Expr(Expr::Map(members, _))) => {
                    local.names.extend(members.0.iter().map(|(key, _)| key.name.to_string()));
                }
                Some(ASTNode::Expr(Expr::Variable(variable, short, _)))
                    if short.is_some() || variable.0.is_some() =>
                {
                    local.names.insert(variable.1.to_string());
                }
                _ => {}
            }
            true
        });
        local
    }

    fn declare(&mut self, statement: &Stmt) {
        match statement {
            Stmt::Var(declared, ..) => {
                self.names.insert(declared.0.name.to_string());
            }
            Stmt::For(declared, _) => {
                self.names.insert(declared.0.name.to_string());
                self.names.extend(declared.1.iter().map(|counter| counter.name.to_string()));
            }
            // `x.name = |a| …` makes a method of a map.
            Stmt::Assignment(assignment) => {
                if let Some((_, member)) = member(&assignment.1.lhs)
                    && let Member::Named(name, ..) = member
                {
                    self.names.insert(name.to_owned());
                }
            }
            _ => {}
        }
    }

    fn function(&self, name: &str, arguments: usize) -> bool {
        self.functions.get(name).is_some_and(|known| known.contains(&arguments))
    }
}

/// A member that an expression begins with: `vars.name`, `vars["name"]`, `vars[x]`, `vars.has("x")`.
enum Member<'e> {
    /// Its name, where it stands, and whether the expression ends with it.
    Named(&'e str, Position, bool),
    Method(&'e FnCallExpr),
    Computed,
}

fn member(expression: &Expr) -> Option<(&Expr, Member<'_>)> {
    let (pair, index, ends) = match expression {
        Expr::Dot(pair, flags, _) => (pair, false, flags.contains(ASTFlags::BREAK)),
        Expr::Index(pair, flags, _) => (pair, true, flags.contains(ASTFlags::BREAK)),
        _ => return None,
    };
    let (head, last) = match &pair.rhs {
        Expr::Dot(rest, ..) | Expr::Index(rest, ..) if !(index && ends) => (&rest.lhs, false),
        whole => (whole, true),
    };
    let found = match head {
        Expr::Property(name, position) if !index => Member::Named(&name.2, *position, last),
        Expr::StringConstant(name, position) if index => Member::Named(name, *position, last),
        Expr::MethodCall(call, _) if !index => Member::Method(call),
        _ => Member::Computed,
    };
    Some((&pair.lhs, found))
}

struct Told {
    position: Position,
    message: String,
    help: Option<String>,
}

struct Walk<'i> {
    local: Local,
    phase: Option<Phase>,
    imports: &'i Imports,
    told: Vec<Told>,
    facts: Facts,
    /// What `vars.has("name")` asks for.
    asked: HashSet<String>,
}

impl Walk<'_> {
    fn tell(&mut self, position: Position, told: (String, Option<String>)) {
        let (message, help) = told;
        self.told.push(Told { position, message, help });
    }

    fn node(&mut self, path: &[ASTNode]) {
        let parent = path.len().checked_sub(2).map(|at| &path[at]);
        match path.last() {
            Some(
                ASTNode::Stmt(Stmt::FnCall(call, position)) | ASTNode::Expr(Expr::FnCall(call, position)),
            ) => self.call(call, *position),
            Some(ASTNode::Expr(Expr::MethodCall(call, position))) => self.method(call, *position),
            Some(ASTNode::Stmt(Stmt::Assignment(assignment))) => {
                if let Some((Expr::Variable(base, ..), Member::Named(name, position, true))) =
                    member(&assignment.1.lhs)
                    && base.1 == "vars"
                    && self.is_ours("vars")
                {
                    self.facts.assigns.push((name.into(), position));
                    if assignment.0.is_op_assignment() {
                        self.facts.reads.push((name.into(), position));
                    }
                }
            }
            Some(ASTNode::Expr(expression @ (Expr::Dot(..) | Expr::Index(..)))) => {
                self.access(expression, parent);
            }
            Some(ASTNode::Expr(variable @ Expr::Variable(..))) => self.variable(variable, parent),
            _ => {}
        }
    }

    /// Whether a name means what we give: nothing of the script hides it.
    fn is_ours(&self, name: &str) -> bool {
        NAMES.contains(&name) && !self.local.names.contains(name)
    }

    fn access(&mut self, expression: &Expr, parent: Option<&ASTNode>) {
        let Some((Expr::Variable(base, ..), member)) = member(expression) else { return };
        let base = base.1.as_str();
        if !self.is_ours(base) {
            return;
        }
        match (base, member) {
            ("vars", Member::Named(name, position, last)) => {
                let written = last
                    && matches!(parent, Some(ASTNode::Stmt(Stmt::Assignment(assignment)))
                        if ptr::eq(&raw const assignment.1.lhs, expression));
                if !written {
                    self.facts.reads.push((name.into(), position));
                }
            }
            ("vars", Member::Method(call)) => match (call.name.as_str(), call.args.first()) {
                ("has" | "contains", Some(Expr::StringConstant(name, _))) => {
                    self.asked.insert(name.to_string());
                }
                ("has" | "contains" | "remove", _) => {}
                ("get" | "set", Some(Expr::StringConstant(name, position))) => {
                    let what = call.name.as_str();
                    let help = match what {
                        "get" => format!("write `vars.{name}`"),
                        _ => format!("write `vars.{name} = …`"),
                    };
                    self.tell(*position, (format!("`vars` has no method `{what}`"), Some(help)));
                }
                _ => self.facts.reads_all = true,
            },
            ("vars", Member::Computed) => self.facts.reads_all = true,
            ("request" | "response", Member::Named(name, position, _)) if self.phase != Some(Phase::Mock) => {
                if let Some(told) = explain::field(base, name) {
                    self.tell(position, told);
                }
            }
            ("steps", Member::Named(id, position, _)) => self.facts.steps.push((id.into(), position)),
            _ => {}
        }
    }

    fn variable(&mut self, variable: &Expr, parent: Option<&ASTNode>) {
        let Expr::Variable(named, _, position) = variable else { return };
        let name = named.1.as_str();
        if !named.2.is_empty() || !self.is_ours(name) {
            return;
        }
        // A closure captures what it names; that is said where it is used.
        if matches!(parent, Some(ASTNode::Expr(Expr::FnCall(call, _))) if call.name == "curry") {
            return;
        }
        self.facts.mentions_steps |= name == "steps";
        self.facts.mentions_row |= name == "data";
        let member = match parent {
            Some(ASTNode::Expr(Expr::Dot(pair, ..) | Expr::Index(pair, ..))) => {
                ptr::eq(&raw const pair.lhs, variable)
            }
            _ => false,
        };
        self.facts.reads_all |= name == "vars" && !member;
        if let Some(told) = self.phase.and_then(|phase| absent(name, phase)) {
            self.tell(*position, told);
        }
    }

    fn call(&mut self, call: &FnCallExpr, position: Position) {
        let arguments = call.args.len();
        if call.is_qualified() {
            return self.qualified(call, position);
        }
        let name = call.name.as_str();
        if call.is_operator_call() || name.contains('$') || BUILT_IN.contains(&name) {
            return;
        }
        if self.local.names.contains(name) || self.local.function(name, arguments) {
            return;
        }
        self.facts.may_jump |= name == "next";
        match (name, call.args.first()) {
            ("next", Some(Expr::StringConstant(id, place))) => {
                self.facts.jumps.push((id.as_str().into(), *place));
            }
            ("stop", None) => self.facts.stops = true,
            _ => {}
        }
        if name == "sleep" {
            return self.tell(position, ("a script cannot sleep".to_owned(), explain::elsewhere("wait")));
        }
        let library = library();
        if library.get(name).is_some_and(|known| known.contains(&arguments)) {
            if self.phase == Some(Phase::Mock) && ["skip", "next", "stop", "check"].contains(&name) {
                let help = "a handler replies, or ends with `fail(\"why\")`";
                self.tell(position, (format!("there is no `{name}` in a mock"), Some(help.to_owned())));
            }
            return;
        }
        let told = self.no_function(name, arguments);
        self.tell(position, told);
    }

    /// What is wrong with a call of a function by its name alone.
    fn no_function(&self, name: &str, arguments: usize) -> (String, Option<String>) {
        let own = self.local.functions.get(name);
        if let Some(known) = own.or_else(|| library().get(name)) {
            let help = signature("", name).map(|signature| format!("it is called as {signature}"));
            return (miscounted(name, known, arguments), help);
        }
        let ours = ALL.iter().flat_map(|(module, table)| {
            table.iter().map(|entry| crate::parts::script::api::path(module, entry.name))
        });
        let ours: Vec<String> = ours.collect();
        let own = self.local.functions.keys().map(String::as_str);
        let candidates =
            ours.iter().map(String::as_str).chain(own).chain(library().keys().map(String::as_str));
        let candidates =
            candidates.filter(|name| name.chars().all(|c| c.is_alphanumeric() || "_:".contains(c)));
        let suffix = format!("::{name}");
        let help = explain::elsewhere(name)
            .or_else(|| {
                ours.iter().find(|path| path.ends_with(&suffix)).map(|path| format!("write {path}(…)"))
            })
            .or_else(|| did_you_mean(name, candidates))
            .unwrap_or_else(|| format!("define it: `fn {name}(…) {{ … }}`"));
        (format!("there is no function `{name}`"), Some(help))
    }

    fn qualified(&mut self, call: &FnCallExpr, position: Position) {
        let (module, name) = (call.namespace.root(), call.name.as_str());
        if let Some(path) = self.local.aliases.get(module) {
            // What a module imports itself is seen through it; that is not looked into.
            let unit = self.imports.get(path).filter(|_| call.namespace.path.len() == 1);
            let Some(unit) = unit else { return };
            let functions = unit.ast.iter_functions().filter(|known| known.access == rhai::FnAccess::Public);
            let functions: Vec<(String, usize)> =
                functions.map(|known| (known.name.to_owned(), known.params.len())).collect();
            let known: BTreeSet<usize> =
                functions.iter().filter(|(known, _)| known == name).map(|(_, count)| *count).collect();
            if !known.contains(&call.args.len()) {
                let told = if known.is_empty() {
                    let help = did_you_mean(name, functions.iter().map(|(known, _)| known.as_str()));
                    (format!("there is no function `{name}` in the module `{path}`"), help)
                } else {
                    (miscounted(&format!("{module}::{name}"), &known, call.args.len()), None)
                };
                self.tell(position, told);
            }
            return;
        }
        let Some((_, table)) = ALL.iter().find(|(known, _)| *known == module && !known.is_empty()) else {
            // That there is no such module was told already.
            return;
        };
        if let Some(told) = explain::qualified(module, name) {
            return self.tell(position, told);
        }
        let known: BTreeSet<usize> =
            table.iter().filter(|entry| entry.name == name).map(|entry| entry.parameters.len()).collect();
        if !known.contains(&call.args.len()) {
            let help = signature(module, name).map(|signature| format!("it is called as {signature}"));
            let message = miscounted(&format!("{module}::{name}"), &known, call.args.len());
            return self.tell(position, (message, help));
        }
        if module == "http" && self.phase == Some(Phase::Mock) {
            let help = "a mock sees `request` and `state` only";
            self.tell(position, ("there is no `http` in a mock".to_owned(), Some(help.to_owned())));
        }
    }

    fn method(&mut self, call: &FnCallExpr, position: Position) {
        let (name, arguments) = (call.name.as_str(), call.args.len());
        // A map of an imported module may have closures of any name.
        if !self.imports.is_empty() || name.contains('$') || BUILT_IN.contains(&name) {
            return;
        }
        if self.local.names.contains(name) || self.local.functions.contains_key(name) {
            return;
        }
        match library().get(name) {
            Some(known) if known.contains(&(arguments + 1)) => {}
            Some(known) => {
                let known = known.iter().filter_map(|count| count.checked_sub(1)).collect();
                self.tell(position, (miscounted(name, &known, arguments), None));
            }
            None if MEMBERS.contains(&name) && arguments == 0 => {
                let help = format!("it is not a method: write it without the parentheses, `.{name}`");
                self.tell(position, (format!("there is no method `{name}`"), Some(help)));
            }
            None => {
                let ours = explain::METHODS.iter().find(|(foreign, _)| *foreign == name);
                let names = library().keys().map(String::as_str);
                let names = names.filter(|name| name.chars().all(|c| c.is_alphanumeric() || c == '_'));
                let help = ours
                    .map(|(_, ours)| format!("the word for it here is `{ours}`"))
                    .or_else(|| did_you_mean(name, names));
                self.tell(position, (format!("there is no method `{name}`"), help));
            }
        }
    }
}

fn signature(module: &str, name: &str) -> Option<String> {
    let (_, table) = ALL.iter().find(|(known, _)| *known == module)?;
    let entry = table.iter().find(|entry| entry.name == name)?;
    Some(crate::parts::script::api::signature(module, entry))
}

fn miscounted(name: &str, known: &BTreeSet<usize>, arguments: usize) -> String {
    let counts: Vec<String> = known.iter().map(usize::to_string).collect();
    let plural = if known.iter().eq([&1]) { "" } else { "s" };
    format!("`{name}` takes {} argument{plural}, not {arguments}", counts.join(" or "))
}

/// Why there is no such thing in a phase.
fn absent(name: &str, phase: Phase) -> Option<(String, Option<String>)> {
    let (message, help) = match (name, phase) {
        ("request", Phase::After | Phase::Alone) => {
            ("there is no `request` here", "a request can be changed in `before` only")
        }
        ("response", Phase::Before) => ("there is no `response` here", "nothing was sent yet: use `after`"),
        ("response", Phase::Alone) => {
            ("there is no `response` here", "read `steps.<id>` for the answer of an earlier step")
        }
        ("vars" | "response" | "steps" | "data" | "env_name", Phase::Mock) => {
            let message = format!("there is no `{name}` in a mock");
            return Some((message, Some("a mock sees `request` and `state` only".to_owned())));
        }
        _ => return None,
    };
    Some((message.to_owned(), Some(help.to_owned())))
}

//! `import "sign" as sign;`: modules of scripts, from folders called `scripts` and nowhere else.
//!
//! A module is looked for in `scripts/` beside the workflow, then in those of the folders above, up
//! to the project's. Everything that a script imports, and what that imports, is found and compiled
//! when the workflow is read, so that nothing is looked for while it runs. The text of a file is
//! compiled once for the process.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use rhai::{
    AST, ASTNode, Engine, EvalAltResult, Expr, GlobalRuntimeState, Module, ModuleResolver, Position,
    Scope as Visible, Shared, Stmt,
};

use crate::ground::diagnostic::did_you_mean;
use crate::ground::source::{Source, project};
use crate::parts::script::Error;
use crate::parts::script::audit::{self, Facts};
use crate::parts::script::engine;
use crate::parts::script::file;
use crate::parts::script::limits::Limits;
use crate::parts::script::text::Text;

/// How many modules one script may import, with all that they import.
pub(super) const MODULES: usize = 64;
/// How deep modules may import each other.
const DEPTH: usize = 16;

/// A compiled module.
pub(super) struct Unit {
    pub(super) text: Text,
    pub(super) ast: Arc<AST>,
    /// What its text tells of variables and steps.
    pub(super) facts: Facts,
}

/// The modules of a script, by the path that `import` names.
#[derive(Default)]
pub(super) struct Imports {
    units: BTreeMap<String, Unit>,
}

/// An `import` of a script: its path where that is a literal, and where it stands.
pub(super) struct Import {
    pub(super) path: Option<String>,
    /// The name that it gets; empty where it gets none.
    pub(super) alias: String,
    pub(super) position: Position,
}

/// Every `import` of a script, inside of functions too.
pub(super) fn imports_of(ast: &AST) -> Vec<Import> {
    let mut found = Vec::new();
    ast.walk(&mut |path: &[ASTNode]| {
        if let Some(ASTNode::Stmt(Stmt::Import(import, position))) = path.last() {
            let (written, alias) = &**import;
            let (path, position) = match written {
                Expr::StringConstant(text, position) => (Some(text.to_string()), *position),
                _ => (None, *position),
            };
            found.push(Import { path, alias: alias.name.to_string(), position });
        }
        true
    });
    found
}

impl Imports {
    /// Finds and compiles all that a script imports. What is wrong is told at the `import`, and
    /// what is wrong with a module in its own text.
    pub(super) fn load(text: &Text, ast: &AST, folder: &Path) -> (Self, Vec<Error>) {
        let mut loading = Loading { folder, found: Self::default(), chain: Vec::new(), problems: Vec::new() };
        loading.follow(text, ast);
        (loading.found, loading.problems)
    }

    /// The module of that path.
    pub(super) fn get(&self, path: &str) -> Option<&Unit> {
        self.units.get(path)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.units.is_empty()
    }

    pub(super) fn units(&self) -> impl Iterator<Item = &Unit> {
        self.units.values()
    }
}

struct Loading<'l> {
    folder: &'l Path,
    found: Imports,
    /// The modules that import each other just now.
    chain: Vec<String>,
    problems: Vec<Error>,
}

impl Loading<'_> {
    fn follow(&mut self, text: &Text, ast: &AST) {
        for import in imports_of(ast) {
            let loaded = match &import.path {
                Some(path) => self.module(path),
                None => Err((
                    "`import` takes a text that stands there".to_owned(),
                    Some("write import \"sign\" as sign;".to_owned()),
                )),
            };
            if let Err((message, help)) = loaded {
                let place = Some(text.place(import.position));
                self.problems.push(Error { message, help, place });
            }
        }
    }

    fn module(&mut self, path: &str) -> Result<(), Refused> {
        if let Some(at) = self.chain.iter().position(|known| known == path) {
            let circle: Vec<&str> = self.chain[at..].iter().map(String::as_str).chain([path]).collect();
            let help = "move what both need into a module of its own";
            return Err((
                format!("modules import each other in a circle: {}", circle.join(" → ")),
                Some(help.to_owned()),
            ));
        }
        if self.found.units.contains_key(path) {
            return Ok(());
        }
        if self.chain.len() == DEPTH {
            return Err((format!("modules import each other deeper than {DEPTH} levels"), None));
        }
        if self.found.units.len() == MODULES {
            return Err((format!("the script imports more than {MODULES} modules"), None));
        }
        let file = find(self.folder, path)?;
        let content = file::content(&file).map_err(|why| {
            (format!("the module `{path}` {}", why.about()), why.advice().map(str::to_owned))
        })?;
        let text = Text::whole(Source::file(&file, content));
        let (ast, mut problems) = compiled(&text, &file, path);
        self.problems.append(&mut problems);
        let Some(ast) = ast else { return Ok(()) };
        self.chain.push(path.to_owned());
        self.follow(&text, &ast);
        self.chain.pop();
        let audit = audit::audit(&text, &ast, None, &self.found);
        self.problems.extend(audit.problems);
        self.found.units.insert(path.to_owned(), Unit { text, ast, facts: audit.facts });
        Ok(())
    }
}

type Refused = (String, Option<String>);
type Known = HashMap<(PathBuf, String), (String, Arc<AST>)>;

/// The text as it was compiled before, if it is the same still.
fn compiled(text: &Text, file: &Path, path: &str) -> (Option<Arc<AST>>, Vec<Error>) {
    static KNOWN: LazyLock<Mutex<Known>> = LazyLock::new(Mutex::default);
    let key = (file.to_owned(), path.to_owned());
    let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((content, ast)) = known().get(&key)
        && content == text.as_str()
    {
        return (Some(Arc::clone(ast)), Vec::new());
    }
    let (ast, problems) = engine::parse(text, &[], &Limits::default());
    let ast = ast.map(|mut ast| {
        ast.set_source(path);
        Arc::new(ast)
    });
    if let (Some(ast), true) = (&ast, problems.is_empty()) {
        known().insert(key, (text.as_str().to_owned(), Arc::clone(ast)));
    }
    (ast, problems)
}

/// The file of a module.
fn find(folder: &Path, path: &str) -> Result<PathBuf, Refused> {
    let inside = !path.is_empty()
        && !path.contains('\\')
        && Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
    if !inside {
        let help = "name it by its path below `scripts/`, without `.rhai`: import \"auth/sign\" as sign;";
        return Err((format!("the module `{path}` leads out of `scripts/`"), Some(help.to_owned())));
    }
    if let Some(bare) = path.strip_suffix(".rhai") {
        let help = format!("write import \"{bare}\"");
        return Err((format!("the module `{path}` is named without `.rhai`"), Some(help)));
    }
    let start = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    let project = project(&start);
    let above = start.ancestors().take_while(|above| above.starts_with(&project));
    let folders: Vec<PathBuf> = above.map(|above| above.join("scripts")).collect();
    for scripts in &folders {
        let file = scripts.join(format!("{path}.rhai"));
        if fs::symlink_metadata(&file).is_err() {
            continue;
        }
        let real = fs::canonicalize(&file).ok();
        let jail = fs::canonicalize(scripts).ok().filter(|jail| jail.starts_with(&project));
        return match (real, jail) {
            (Some(real), Some(jail)) if real.starts_with(&jail) => Ok(file),
            (None, _) => Err((format!("the module `{path}` is a link that leads nowhere"), None)),
            _ => Err((format!("the module `{path}` is a link that leads out of `scripts/`"), None)),
        };
    }
    let known: Vec<String> = folders.iter().flat_map(|scripts| names(scripts)).collect();
    let help = did_you_mean(path, known.iter().map(String::as_str)).unwrap_or_else(|| {
        format!("it would be the file `scripts/{path}.rhai` beside the workflow, or above in the project")
    });
    Err((format!("there is no module `{path}`"), Some(help)))
}

/// The modules that stand in a folder itself.
fn names(scripts: &Path) -> Vec<String> {
    const LOOKED_AT: usize = 200;
    let entries = fs::read_dir(scripts).into_iter().flatten().take(LOOKED_AT).flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    names.filter_map(|name| name.strip_suffix(".rhai").map(str::to_owned)).collect()
}

/// Gives a running script the modules that were found when it was compiled. Each is evaluated once
/// for a run.
pub(super) struct Resolver {
    imports: Arc<Imports>,
    made: Mutex<HashMap<String, Shared<Module>>>,
}

impl Resolver {
    pub(super) fn new(imports: &Arc<Imports>) -> Self {
        Self { imports: Arc::clone(imports), made: Mutex::default() }
    }

    fn made(&self) -> std::sync::MutexGuard<'_, HashMap<String, Shared<Module>>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type Resolved = Result<Shared<Module>, Box<EvalAltResult>>;

impl ModuleResolver for Resolver {
    fn resolve(&self, engine: &Engine, _: Option<&str>, path: &str, position: Position) -> Resolved {
        let mut global = engine.new_global_runtime_state();
        self.resolve_raw(engine, &mut global, &mut Visible::new(), path, position)
    }

    fn resolve_raw(
        &self,
        engine: &Engine,
        global: &mut GlobalRuntimeState,
        _: &mut Visible,
        path: &str,
        position: Position,
    ) -> Resolved {
        if let Some(made) = self.made().get(path) {
            return Ok(Shared::clone(made));
        }
        let unit = self.imports.get(path);
        let unit = unit.ok_or_else(|| EvalAltResult::ErrorModuleNotFound(path.to_owned(), position))?;
        let module = Module::eval_ast_as_new_raw(engine, &mut Visible::new(), global, &unit.ast);
        let module: Shared<Module> = module
            .map_err(|mut error| {
                // As Rhai does for functions: a limit is told where the script called.
                if error.is_system_exception() {
                    error.set_position(position);
                    return error;
                }
                Box::new(EvalAltResult::ErrorInModule(path.to_owned(), error, position))
            })?
            .into();
        self.made().insert(path.to_owned(), Shared::clone(&module));
        Ok(module)
    }
}

//! Mocks: a server of one's own that answers as a real one would, so that a workflow can be tried
//! and tested with nothing but a file.
//!
//! A file becomes a [`Mock`] with every mistake in it reported; [`start`] serves it on a loopback
//! port. `route` says which request is meant, `handler` who answers it, `reply` with what,
//! `fault` how that goes wrong on its way; `server` is the loop around them and its log, and
//! `certificate` what it shows where it serves https.

mod certificate;
mod fault;
mod handler;
mod multipart;
mod reply;
mod route;
mod server;
mod stand_ins;

use std::path::Path;
use std::sync::Arc;

use crate::document::workflow::{StandIn, read_self_signed};
use crate::ground::diagnostic::{Diagnostic, Diagnostics, did_you_mean};
use crate::ground::read::{Fields, Reading, open};
use crate::ground::source::Source;
use crate::ground::value::{Map, Value};
use crate::ground::yaml::{self, Node};
use crate::parts::template::{self, Tree};

use handler::Scripts;
pub use handler::{Compile, Handle, Written};
pub use route::Route;
pub use server::{Running, Seen, Server, serve, start};
pub use stand_ins::{StandIns, Troubles};

/// A mock as its file says it: nothing has been served yet.
pub struct Mock {
    /// What people call it; the file's stem where the file says nothing.
    pub name: String,
    /// What every start begins with.
    pub state: Value,
    /// The routes in the order in which they are tried.
    pub routes: Vec<Route>,
    /// Whether it serves https, with a certificate of its own.
    pub tls: bool,
    /// The file.
    pub source: Arc<Source>,
}

impl Mock {
    /// Reads a mock from its file.
    ///
    /// # Errors
    /// A file that cannot be read, and all the mistakes in one that can.
    pub fn load(path: &Path) -> Result<Self, Diagnostics> {
        Self::parse(&open(path)?)
    }

    /// The same where its scripts may lie outside of its project, as with `--trust`.
    ///
    /// # Errors
    /// As [`Mock::load`].
    pub fn load_trusted(path: &Path) -> Result<Self, Diagnostics> {
        let scripts = Scripts::default();
        let compile: Compile<'_> = &|script, reading| scripts.compile(script, reading);
        parsed(&open(path)?, true, compile)
    }

    /// Reads a mock from a text; files that it names are beside the current folder.
    ///
    /// # Errors
    /// All the mistakes in the text.
    pub fn parse(source: &Arc<Source>) -> Result<Self, Diagnostics> {
        let scripts = Scripts::default();
        Self::read(source, &|script, reading| scripts.compile(script, reading))
    }

    /// Reads a mock from a text; `compile` makes a handler of a script.
    ///
    /// # Errors
    /// All the mistakes in the text.
    pub fn read(source: &Arc<Source>, compile: Compile<'_>) -> Result<Self, Diagnostics> {
        parsed(source, false, compile)
    }

    /// Reads the mock of a workflow, with all in which that differs from its file; `trusted` as
    /// [`Mock::load_trusted`]. `value_of` says what an entry of the state is; `None` where only a run
    /// can tell.
    ///
    /// # Errors
    /// All the mistakes in the file, or else in what the workflow changes.
    pub fn load_for(
        stand_in: &StandIn,
        source: &Arc<Source>,
        trusted: bool,
        value_of: impl Fn(&Tree) -> Result<Option<Value>, template::Error>,
    ) -> Result<Self, Diagnostics> {
        let file = &stand_in.file;
        let mut mock = if trusted { Self::load_trusted(file) } else { Self::load(file) }?;
        mock.tls |= stand_in.tls;
        let mut problems = Diagnostics::default();
        for entry in &stand_in.state {
            let value = value_of(&entry.tree).map_err(|error| error.diagnostic(source));
            let changed = value.and_then(|value| {
                let name = &entry.name.value;
                let changed = match value {
                    Some(value) => mock.change(name, value),
                    None => mock.entry(name).map(drop),
                };
                changed.map_err(|problem| problem.at(source, entry.name.span))
            });
            problems.0.extend(changed.err());
        }
        if problems.0.is_empty() { Ok(mock) } else { Err(problems) }
    }

    /// Puts another value in the place of an entry of the state.
    ///
    /// # Errors
    /// An entry that the file does not have, and a value of another type than it has.
    pub fn change(&mut self, name: &str, value: Value) -> Result<(), Diagnostic> {
        let known = self.entry(name)?;
        let types = [known.type_name(), value.type_name()];
        let alike = types[0] == types[1] || types.iter().all(|name| ["int", "number"].contains(name));
        if !alike && !types.contains(&"null") {
            let message = format!("`{name}` of the mock `{}` is {}, not {}", self.name, types[0], types[1]);
            return Err(Diagnostic::error(message));
        }
        let mut entries = self.state.as_object().cloned().unwrap_or_default();
        entries.insert(name.into(), value);
        self.state = entries.into();
        Ok(())
    }

    /// An entry of the state.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn entry(&self, name: &str) -> Result<&Value, Diagnostic> {
        self.state.get(name).ok_or_else(|| {
            let names = self.state.as_object().into_iter().flat_map(Map::keys);
            let help = did_you_mean(name, names.map(|name| &**name));
            Diagnostic::error(format!("the state of the mock `{}` has no `{name}`", self.name))
                .maybe_help(help)
        })
    }
}

fn parsed(source: &Arc<Source>, trusted: bool, compile: Compile<'_>) -> Result<Mock, Diagnostics> {
    let root = yaml::read(source)?;
    let reading = Reading::new(source).trusted(trusted);
    match read_mock(&root, &reading, compile) {
        Some(mock) if reading.is_clean() => Ok(mock),
        _ => Err(reading.finish()),
    }
}

fn read_mock(root: &Node, reading: &Reading, compile: Compile<'_>) -> Option<Mock> {
    if root.get("steps").is_some() && root.get("routes").is_none() {
        let help = "run it with `reqchain run`; what it names under `mock:` can be served";
        reading.error_with(root.span, "this is a workflow, not a mock", help);
        return None;
    }
    let fields = reading.fields(root, "mock", &["name", "state", "routes", "tls"], &[])?;
    let name = match fields.get("name") {
        Some(node) => reading.text(node, "name").map(|name| name.text.to_string()),
        None => Some(stem(&reading.source)),
    };
    let state = match fields.get("state") {
        Some(node) => read_state(node, reading),
        None => Some(Map::default().into()),
    };
    let routes = read_routes(&fields, reading, compile);
    let tls = fields.get("tls").is_some_and(|node| read_self_signed(node, reading));
    Some(Mock { name: name?, state: state?, routes: routes?, tls, source: Arc::clone(&reading.source) })
}

fn read_routes(fields: &Fields<'_>, reading: &Reading, compile: Compile<'_>) -> Option<Vec<Route>> {
    let node = fields.required("routes", || {
        let help = "write a list such as `- route: GET /me` with a `reply` below it";
        reading.error_with(fields.span, "a mock needs `routes`", help);
    })?;
    let nodes = reading.list(node, "routes")?;
    // Every route is read before one that failed is given up, so that all mistakes are told.
    let routes: Vec<_> = nodes.iter().map(|node| Route::read(node, reading, compile)).collect();
    routes.into_iter().collect()
}

/// The state is an object, since handlers ask for it by name.
fn read_state(node: &Node, reading: &Reading) -> Option<Value> {
    reading.entries(node, "state")?;
    let tree = Tree::read(node, reading)?;
    let plain = tree.as_plain().cloned();
    if plain.is_none() {
        let help = "a script can put what it works out into the state";
        reading.error_with(node.span, "`state` holds plain values, no templates", help);
    }
    plain
}

fn stem(source: &Source) -> String {
    let stem = source.path().and_then(Path::file_stem);
    stem.map_or_else(|| source.name().to_owned(), |stem| stem.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests;

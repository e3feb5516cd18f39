//! The functions of a script: one table per module, from which they are registered and documented.
//!
//! Every function takes its arguments as they come and says itself what it wanted, so that its
//! message names what the user wrote. The modules are built once for the whole process.

use std::any::TypeId;
use std::sync::{Arc, OnceLock};

use rhai::packages::{Package, StandardPackage};
use rhai::{Dynamic, FuncRegistration, Module, NativeCallContext, Position, RhaiFunc, Shared};

use crate::parts::script::modules::{ALL, GLOBAL, MEMBERS, MODULES};
use crate::parts::script::run::{Answer, Failure, Run};
use crate::parts::script::value::{bytes, describe};
use crate::parts::script::{comparing, handles, object};

/// A function of the API: what a reader of the documentation sees, and what runs.
pub(super) struct Entry {
    /// Its name.
    pub(super) name: &'static str,
    /// The names of its parameters.
    pub(super) parameters: &'static [&'static str],
    /// What it does, in one line.
    pub(super) doc: &'static str,
    /// Whether its result is a secret when it is made of one.
    derives: bool,
    /// The types of its parameters, each in turn.
    kinds: &'static [fn() -> TypeId],
    run: fn(&mut Call) -> Answer,
}

impl Entry {
    pub(super) const fn new(
        name: &'static str,
        parameters: &'static [&'static str],
        doc: &'static str,
        run: fn(&mut Call) -> Answer,
    ) -> Self {
        Self { name, parameters, doc, derives: false, kinds: &[TypeId::of::<Dynamic>], run }
    }

    /// A function that stands before one of Rhai's own with a number: of two functions, Rhai
    /// calls the one that names the type.
    pub(super) const fn instead_of_rhai(mut self) -> Self {
        self.kinds = &[TypeId::of::<i64>, TypeId::of::<f64>, TypeId::of::<Dynamic>];
        self
    }

    /// Whether it is there only to say what to do in its place.
    fn is_refusal(&self) -> bool {
        self.kinds.len() > 1
    }

    /// A function whose result gives away what it was made of.
    pub(super) const fn deriving(mut self) -> Self {
        self.derives = true;
        self
    }
}

/// A function of the API as its documentation shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// The module that it belongs to, or what it is a member of; empty where it needs none.
    pub module: &'static str,
    /// How it is called, such as `hmac::sha256(key, text)`.
    pub signature: String,
    /// What it does, in one line.
    pub doc: &'static str,
}

/// Every function of the API, in the order of its tables, and then the members of what a script
/// sees by itself.
pub fn functions() -> impl Iterator<Item = Described> {
    let functions = ALL.iter().flat_map(|(module, table)| {
        let known = table.iter().filter(|entry| !entry.is_refusal());
        known.map(|entry| Described { module, signature: signature(module, entry), doc: entry.doc })
    });
    let members = MEMBERS.iter();
    functions.chain(members.map(|(module, written, doc)| Described {
        module,
        signature: (*written).to_owned(),
        doc,
    }))
}

/// The modules and objects that [`functions`] names, in the order of a documentation, and what each
/// is for.
pub fn modules() -> impl Iterator<Item = (&'static str, &'static str)> {
    MODULES.iter().copied()
}

/// How a function is called, such as `hmac::sha256(key, text)`.
pub(super) fn signature(module: &str, entry: &Entry) -> String {
    format!("{}({})", path(module, entry.name), entry.parameters.join(", "))
}

/// How a function is named in a script.
pub(super) fn path(module: &str, name: &str) -> String {
    match module {
        "" => name.to_owned(),
        module => format!("{module}::{name}"),
    }
}

/// One call of a function.
pub(super) struct Call<'c> {
    pub(super) run: &'c Run,
    /// Where the call stands in the script, or in the module of that name.
    pub(super) position: Position,
    pub(super) source: Option<String>,
    arguments: Vec<Dynamic>,
    module: &'static str,
    entry: &'static Entry,
}

impl Call<'_> {
    /// An argument as it came.
    pub(super) fn take(&mut self, at: usize) -> Dynamic {
        self.arguments.get_mut(at).map(Dynamic::take).unwrap_or_default()
    }

    /// An argument that is a text.
    pub(super) fn text(&mut self, at: usize) -> Result<String, Failure> {
        let argument = self.take(at);
        if let Ok(character) = argument.as_char() {
            return Ok(character.to_string());
        }
        let text = argument.as_immutable_string_ref().map(|text| text.to_string());
        text.map_err(|_| self.wants(at, "a text", &argument))
    }

    /// An argument that is a text or bytes.
    pub(super) fn bytes(&mut self, at: usize) -> Result<Vec<u8>, Failure> {
        let argument = self.take(at);
        bytes(&argument).ok_or_else(|| self.wants(at, "a text or bytes", &argument))
    }

    /// An argument that is an integer.
    pub(super) fn integer(&mut self, at: usize) -> Result<i64, Failure> {
        let argument = self.take(at);
        argument.as_int().map_err(|_| self.wants(at, "an integer", &argument))
    }

    /// An argument that is true or false.
    pub(super) fn truth(&mut self, at: usize) -> Result<bool, Failure> {
        let argument = self.take(at);
        argument.as_bool().map_err(|_| self.wants(at, "true or false", &argument))
    }

    /// An argument that counts something, up to a limit.
    pub(super) fn count(&mut self, at: usize, most: usize) -> Result<usize, Failure> {
        let found = self.integer(at)?;
        let fits = usize::try_from(found).ok().filter(|count| *count <= most);
        fits.ok_or_else(|| self.error(format!("takes a number from 0 to {most}, not {found}")))
    }

    /// An error that begins with the name of the function.
    pub(super) fn error(&self, what: impl AsRef<str>) -> Failure {
        let name = path(self.module, self.entry.name);
        format!("`{name}` {}", what.as_ref()).into()
    }

    /// An error that begins with the name of the function, and what to do about it.
    pub(super) fn error_with(&self, what: &str, help: Option<String>) -> Failure {
        let name = path(self.module, self.entry.name);
        self.run.error(format!("`{name}` {what}"), help)
    }

    fn wants(&self, at: usize, what: &str, found: &Dynamic) -> Failure {
        let parameter = self.entry.parameters.get(at).unwrap_or(&"value");
        let message = format!(
            "`{}` takes {what} as `{parameter}`, not {}",
            path(self.module, self.entry.name),
            describe(found)
        );
        let help = format!("it is called as {}", signature(self.module, self.entry));
        self.run.error(message, Some(help))
    }
}

/// Rhai's own library, built once.
pub(super) fn standard() -> Shared<Module> {
    static MODULE: OnceLock<Shared<Module>> = OnceLock::new();
    MODULE.get_or_init(|| StandardPackage::new().as_shared_module()).clone()
}

/// What scripts see without naming a module: our functions, handles and objects. Built once.
pub(super) fn global() -> Shared<Module> {
    static MODULE: OnceLock<Shared<Module>> = OnceLock::new();
    MODULE
        .get_or_init(|| {
            let mut module = Module::new();
            module.set_id("reqchain");
            register(&mut module, "", GLOBAL);
            comparing::register(&mut module);
            handles::register(&mut module);
            object::register(&mut module);
            object::register_bytes(&mut module);
            module.build_index();
            module.into()
        })
        .clone()
}

/// The modules that are called by name. Built once.
pub(super) fn named() -> &'static [(&'static str, Shared<Module>)] {
    static MODULES: OnceLock<Vec<(&'static str, Shared<Module>)>> = OnceLock::new();
    MODULES.get_or_init(|| {
        let named = ALL.iter().filter(|(name, _)| !name.is_empty());
        let built = named.map(|(name, table)| {
            let mut module = Module::new();
            module.set_id(*name);
            register(&mut module, name, table);
            module.build_index();
            (*name, module.into())
        });
        built.collect()
    })
}

fn register(module: &mut Module, name: &'static str, table: &'static [Entry]) {
    for entry in table {
        let registration = FuncRegistration::new(entry.name);
        let registration = if name.is_empty() {
            registration.in_global_namespace()
        } else {
            registration.in_internal_namespace()
        };
        for kind in entry.kinds {
            let types = vec![kind(); entry.parameters.len()];
            let registration = registration.clone();
            registration.set_into_module_raw(module, types, native(name, entry));
        }
    }
}

fn native(module: &'static str, entry: &'static Entry) -> RhaiFunc {
    let call = move |context: Option<NativeCallContext>, arguments: &mut [&mut Dynamic]| {
        let Some(context) = context else {
            return Err("internal error: a function was called without its context".into());
        };
        let run = Run::of(&context)?;
        let mut call = Call {
            run: &run,
            position: context.call_position(),
            source: context.call_source().map(str::to_owned),
            arguments: arguments.iter_mut().map(|argument| argument.take().flatten()).collect(),
            module,
            entry,
        };
        let made = (entry.run)(&mut call);
        // Rhai gives no place to an error of a function that was called by its module.
        let made = made.map_err(|mut error| {
            if error.position().is_none() {
                error.set_position(context.call_position());
            }
            error
        })?;
        if entry.derives {
            run.learn(&made);
        }
        Ok(made)
    };
    RhaiFunc::Pure { func: Arc::new(call), has_context: true, is_pure: true, is_volatile: true }
}

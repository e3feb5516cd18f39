//! What a script can do with an object of JSON.
//!
//! An object behaves like Rhai's own map, but keeps its keys in order, and a member that is a
//! secret by its name is noted when it is read.

use std::any::TypeId;
use std::sync::Arc;

use rhai::NativeCallContext as Context;
use rhai::{Array, Blob, Dynamic, FuncRegistration, ImmutableString, Map as RhaiMap, Module};

use crate::ground::value::{Map, Value};
use crate::parts::script::run::{Answer, Failure, Run};
use crate::parts::script::value::{Object, to_dynamic, to_value};

/// Registers everything that an object can do.
pub(super) fn register(module: &mut Module) {
    module.set_custom_type::<Object>("object");
    members(module);
    methods(module);
    texts(module);
    comparisons(module);
    module.set_iter(TypeId::of::<Object>(), |object: Dynamic| {
        let object = object.try_cast::<Object>().unwrap_or_default();
        Box::new(keys(&object).into_iter())
    });
}

fn members(module: &mut Module) {
    FuncRegistration::new_index_getter()
        .set_into_module(module, |context: Context, object: &mut Object, key: ImmutableString| {
            get(&context, object, &key)
        });
    FuncRegistration::new_index_setter().set_into_module(
        module,
        |context: Context, object: &mut Object, key: ImmutableString, value: Dynamic| {
            set(&context, object, &key, &value)
        },
    );
    // Rhai gives every value a property `tag` of its own; in JSON it is a member like any other.
    FuncRegistration::new_getter("tag")
        .set_into_module(module, |context: Context, object: &mut Object| get(&context, object, "tag"));
    FuncRegistration::new_setter("tag")
        .set_into_module(module, |context: Context, object: &mut Object, value: Dynamic| {
            set(&context, object, "tag", &value)
        });
}

fn get(context: &Context, object: &Object, key: &str) -> Answer {
    let Some(member) = object.0.get(key) else {
        return Ok(Dynamic::UNIT);
    };
    Run::of(context)?.note_member(key, member);
    Ok(to_dynamic(member))
}

fn set(context: &Context, object: &mut Object, key: &str, written: &Dynamic) -> Result<(), Failure> {
    Run::of(context)?.weigh(written)?;
    let before = object.0.get(key);
    let value = to_value(written, before)?;
    // A method call on a member writes it back: nothing changed, so nothing is copied.
    if before != Some(&value) {
        Arc::make_mut(&mut object.0).insert(key.into(), value);
    }
    Ok(())
}

fn keys(object: &Object) -> Array {
    object.0.keys().map(|key| key.as_ref().into()).collect()
}

fn global(name: &str) -> FuncRegistration {
    FuncRegistration::new(name).in_global_namespace()
}

fn methods(module: &mut Module) {
    global("keys").set_into_module(module, |object: &mut Object| keys(object));
    global("values").set_into_module(module, |context: Context, object: &mut Object| -> Answer {
        let run = Run::of(&context)?;
        run.note_deep("", &object.value());
        Ok(object.0.values().map(to_dynamic).collect::<Array>().into())
    });
    global("len")
        .set_into_module(module, |object: &mut Object| i64::try_from(object.0.len()).unwrap_or(i64::MAX));
    global("is_empty").set_into_module(module, |object: &mut Object| object.0.is_empty());
    global("contains").set_into_module(module, |object: &mut Object, key: ImmutableString| {
        object.0.contains_key(key.as_str())
    });
    global("get").set_into_module(module, |context: Context, object: &mut Object, key: ImmutableString| {
        get(&context, object, &key)
    });
    global("remove").with_purity(false).set_into_module(
        module,
        |context: Context, object: &mut Object, key: ImmutableString| -> Answer {
            let removed = get(&context, object, &key)?;
            Arc::make_mut(&mut object.0).shift_remove(key.as_str());
            Ok(removed)
        },
    );
}

fn texts(module: &mut Module) {
    for name in ["to_string", "to_debug", "to_json"] {
        global(name).set_into_module(
            module,
            |context: Context, object: &mut Object| -> Result<String, Failure> {
                let value = object.value();
                Run::of(&context)?.note_deep("", &value);
                Ok(value.to_json())
            },
        );
    }
}

/// Bytes are shown as how many there are: a secret among them could not be found in their digits.
pub(super) fn register_bytes(module: &mut Module) {
    for name in ["print", "debug", "to_string", "to_debug"] {
        global(name).set_into_module(module, |bytes: &mut Blob| format!("{} bytes", bytes.len()));
    }
}

fn comparisons(module: &mut Module) {
    global("==").set_into_module(module, |a: Object, b: Object| same(&a, &b));
    global("!=").set_into_module(module, |a: Object, b: Object| !same(&a, &b));
    global("==").set_into_module(module, |a: Object, b: RhaiMap| same_map(&a, b));
    global("!=").set_into_module(module, |a: Object, b: RhaiMap| !same_map(&a, b));
    global("==").set_into_module(module, |a: RhaiMap, b: Object| same_map(&b, a));
    global("!=").set_into_module(module, |a: RhaiMap, b: Object| !same_map(&b, a));
}

fn same(a: &Object, b: &Object) -> bool {
    Arc::ptr_eq(&a.0, &b.0) || a.value().same(&b.value())
}

fn same_map(object: &Object, map: RhaiMap) -> bool {
    to_value(&Dynamic::from_map(map), None).is_ok_and(|map| object.value().same(&map))
}

/// An object from members that are known.
pub(super) fn object(members: impl IntoIterator<Item = (&'static str, Value)>) -> Dynamic {
    let members = members.into_iter().map(|(key, value)| (key.into(), value));
    Dynamic::from(Object(Arc::new(members.collect::<Map>())))
}

//! `sort`, `order` and `dedup` of lists, in place of Rhai's own.
//!
//! Rhai's take an error of the function that compares for an order: a limit, `fail("why")` and a
//! `throw` would all be lost there. With these, what goes wrong inside ends the script as anywhere
//! else, and the list stays as it was. A function that gives no order, or none at all, is told.

use rhai::{Array, Dynamic, EvalAltResult, FnPtr, FuncRegistration, Module, NativeCallContext};

use crate::parts::script::run::{Answer, Failure, Run};
use crate::parts::script::value::describe;

const ORDER: &str = "a number below, at or above 0, or whether the first comes first: |a, b| a.id - b.id";
const EQUALITY: &str = "whether both are the same: |a, b| a.id == b.id";

/// Puts them in front of Rhai's.
pub(super) fn register(module: &mut Module) {
    for name in ["sort", "sort_by"] {
        changing(name).set_into_module(module, sort);
    }
    for name in ["order", "order_by"] {
        changing(name).set_into_module(module, order);
    }
    changing("sort").set_into_module(module, |context: NativeCallContext, list: &mut Array, name: &str| {
        sort(context, list, FnPtr::new(name)?)
    });
    changing("dedup")
        .set_into_module(module, |context: NativeCallContext, list: &mut Array| dedup(&context, list));
    changing("dedup").set_into_module(module, dedup_by);
    changing("dedup").set_into_module(module, |context: NativeCallContext, list: &mut Array, name: &str| {
        dedup_by(context, list, FnPtr::new(name)?)
    });
}

/// A function that a constant list does not have.
fn changing(name: &str) -> FuncRegistration {
    FuncRegistration::new(name).in_global_namespace().with_purity(false)
}

fn sort(context: NativeCallContext, list: &mut Array, function: FnPtr) -> Result<(), Failure> {
    let order = Comparing { context, function, wants: ORDER }.sorted(list)?;
    *list = order.into_iter().filter_map(|at| list.get_mut(at).map(Dynamic::take)).collect();
    Ok(())
}

fn order(context: NativeCallContext, list: &mut Array, function: FnPtr) -> Result<Array, Failure> {
    let order = Comparing { context, function, wants: ORDER }.sorted(list)?;
    Ok(order.into_iter().filter_map(|at| list.get(at).cloned()).collect())
}

/// Without a function, what cannot be compared is not the same.
fn dedup(context: &NativeCallContext, list: &mut Array) -> Result<(), Failure> {
    const EQUALS: &str = "==";
    keep_first(list, |kept, next| {
        let same = context.call_native_fn_raw(EQUALS, true, &mut [&mut kept.clone(), &mut next.clone()]);
        match same {
            Ok(same) => Ok(same.as_bool() == Ok(true)),
            Err(error) => match &*error {
                EvalAltResult::ErrorFunctionNotFound(name, _) if name.starts_with(EQUALS) => Ok(false),
                _ => Err(error),
            },
        }
    })
}

fn dedup_by(context: NativeCallContext, list: &mut Array, function: FnPtr) -> Result<(), Failure> {
    let comparing = Comparing { context, function, wants: EQUALITY };
    keep_first(list, |kept, next| {
        let told = comparing.call(kept, next)?;
        told.as_bool().map_err(|_| comparing.told(&told))
    })
}

/// Of elements that follow each other and are the same, the first.
fn keep_first(
    list: &mut Array,
    same: impl Fn(&Dynamic, &Dynamic) -> Result<bool, Failure>,
) -> Result<(), Failure> {
    let mut kept: Option<&Dynamic> = None;
    let mut keep = Vec::with_capacity(list.len());
    for next in list.iter() {
        let again = kept.map_or(Ok(false), |kept| same(kept, next))?;
        keep.push(!again);
        if !again {
            kept = Some(next);
        }
    }
    let mut keep = keep.into_iter();
    list.retain(|_| keep.next() != Some(false));
    Ok(())
}

/// A function of a script that compares two elements.
struct Comparing<'c> {
    context: NativeCallContext<'c>,
    function: FnPtr,
    /// What it must return.
    wants: &'static str,
}

impl Comparing<'_> {
    /// Where each element of the sorted list stands now; elements of the same rank stay in order.
    /// Merges runs of twice the length each time: whatever the function says, it comes to an end.
    fn sorted(&self, list: &[Dynamic]) -> Result<Vec<usize>, Failure> {
        let mut order: Vec<usize> = (0..list.len()).collect();
        let mut run = 1;
        while run < list.len() {
            let mut merged = Vec::with_capacity(list.len());
            for pair in order.chunks(run * 2) {
                let (mut left, mut right) = pair.split_at(run.min(pair.len()));
                while let (Some((first, others)), Some((later, rest))) =
                    (left.split_first(), right.split_first())
                {
                    if self.is_before(&list[*later], &list[*first])? {
                        merged.push(*later);
                        right = rest;
                    } else {
                        merged.push(*first);
                        left = others;
                    }
                }
                merged.extend_from_slice(left);
                merged.extend_from_slice(right);
            }
            order = merged;
            run *= 2;
        }
        Ok(order)
    }

    /// Whether an element must come before one that stands before it.
    fn is_before(&self, later: &Dynamic, first: &Dynamic) -> Result<bool, Failure> {
        let told = self.call(later, first)?;
        if let Ok(order) = told.as_int() {
            return Ok(order < 0);
        }
        if let Ok(order) = told.as_float() {
            return Ok(order < 0.0);
        }
        if !told.as_bool().map_err(|_| self.told(&told))? {
            return Ok(false);
        }
        // `a <= b` holds both ways for what is the same, and that stays where it is.
        Ok(self.call(first, later)?.as_bool() != Ok(true))
    }

    fn call(&self, one: &Dynamic, other: &Dynamic) -> Answer {
        let called = self.function.call_raw(&self.context, None, [one.clone(), other.clone()]);
        called.map_err(|error| match &*error {
            EvalAltResult::ErrorFunctionNotFound(name, _) if name.starts_with(self.function.fn_name()) => {
                let message = format!("`{}` takes a function of two elements", self.context.fn_name());
                self.error(message)
            }
            _ => error,
        })
    }

    /// That the function returned something else than it must.
    fn told(&self, found: &Dynamic) -> Failure {
        let name = self.context.fn_name();
        self.error(format!("the function of `{name}` must not return {}", describe(found)))
    }

    fn error(&self, message: String) -> Failure {
        match Run::of(&self.context) {
            Ok(run) => run.error(message, Some(format!("it returns {}", self.wants))),
            Err(error) => error,
        }
    }
}

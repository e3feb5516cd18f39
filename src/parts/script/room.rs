//! Room for a script: values nested by a loop need more stack than a thread for blocking work has,
//! since Rhai copies, weighs and drops them by recursion, and an overflow would end the process.
//!
//! Most scripts are a few lines without a loop or function. They cannot nest anything deep and
//! run where they are; the others pay for a thread of their own, some 20 µs.

use rhai::{AST, ASTNode, Array, Dynamic, FnPtr, Map as RhaiMap, Stmt};

/// How large the stack of that thread is, in bytes; the system gives it page by page.
const STACK: usize = 128 * 1024 * 1024;
/// How many expressions and statements a script may have that runs where it is.
const FEW: usize = 1000;
/// How deep values may be nested in each other, closures included.
const DEPTH: usize = 1000;

/// Whether a script may nest values deep: it has a loop, a function, or a great many lines.
pub(super) fn is_needed(ast: &AST) -> bool {
    let mut nodes = 0;
    let straight = ast.walk(&mut |path: &[ASTNode]| {
        nodes += 1;
        let loops =
            matches!(path.last(), Some(ASTNode::Stmt(Stmt::While(..) | Stmt::Do(..) | Stmt::For(..))));
        !loops && nodes <= FEW
    });
    !straight || ast.has_functions()
}

/// Does the work, with more room where it is needed. `None` where the system gives no thread.
pub(super) fn with<T: Send>(needed: bool, work: impl FnOnce() -> T + Send) -> Option<T> {
    if !needed {
        return Some(work());
    }
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("script".to_owned());
        let thread = thread.stack_size(STACK).spawn_scoped(scope, work).ok()?;
        thread.join().ok()
    })
}

/// Whether a value is nested deeper than anything sensible; Rhai itself does not look into
/// closures.
pub(super) fn is_too_deep(value: &Dynamic) -> bool {
    deeper_than(value, DEPTH)
}

fn deeper_than(value: &Dynamic, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else {
        return true;
    };
    if let Some(elements) = value.read_lock::<Array>() {
        return elements.iter().any(|element| deeper_than(element, depth));
    }
    if let Some(members) = value.read_lock::<RhaiMap>() {
        return members.values().any(|member| deeper_than(member, depth));
    }
    if let Some(function) = value.read_lock::<FnPtr>() {
        return function.iter_curry().any(|captured| deeper_than(captured, depth));
    }
    false
}

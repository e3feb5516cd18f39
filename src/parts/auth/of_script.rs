//! A scheme from the values of a script instead of a file.
//!
//! It is read by the same readers, so that a script and a file know the same schemes and refuse the
//! same mistakes. A value is never taken for a template: one that could be is put into a variable.

use crate::ground::given;
use crate::ground::secret::Marked;
use crate::ground::value::{Map, Value};
use crate::parts::auth::Auth;
use crate::parts::scope::Scope;

impl Auth {
    /// A scheme and what it needs, such as `{"bearer": "…"}`, with the scope in which it is applied:
    /// that has the needles, clock and challenges of the given one, and none of its variables.
    ///
    /// # Errors
    /// What is wrong, and what to do about it. Neither shows a value.
    pub fn of_script(value: &Value, scope: &Scope) -> Result<(Self, Scope), given::Error> {
        let mut own = Scope::new(scope.needles.clone(), scope.clock.clone());
        own.challenges = scope.challenges.clone();
        let plain = plain(value, &own, &mut 0);
        given::read("auth", &plain, Self::read).map(|auth| (auth, own))
    }
}

/// The value with a variable in place of each text that has `{{` in it.
fn plain(value: &Value, scope: &Scope, names: &mut usize) -> Value {
    match value {
        Value::String(text) if text.contains("{{") => {
            *names += 1;
            let name = format!("given_{names}");
            // The scope is new and has no inputs.
            let _ = scope.set(&name.as_str().into(), Marked::plain(value.clone()));
            format!("{{{{ {name} }}}}").into()
        }
        Value::List(elements) => {
            elements.iter().map(|element| plain(element, scope, names)).collect::<Vec<_>>().into()
        }
        Value::Object(members) => {
            let members = members.iter().map(|(key, member)| (key.clone(), plain(member, scope, names)));
            members.collect::<Map>().into()
        }
        other => other.clone(),
    }
}

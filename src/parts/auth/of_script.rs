//! A scheme from the values of a script instead of a file.
//!
//! It is read by the same readers, so that a script and a file know the same schemes and refuse the
//! same mistakes. A value is never taken for a template: one that could be is put into a variable.

use crate::ground::read::Reading;
use crate::ground::secret::Marked;
use crate::ground::source::Source;
use crate::ground::value::{Map, Value};
use crate::ground::yaml;
use crate::parts::auth::Auth;
use crate::parts::scope::Scope;

impl Auth {
    /// A scheme and what it needs, such as `{"bearer": "…"}`, with the scope in which it is applied:
    /// that has the needles, clock and challenges of the given one, and none of its variables.
    ///
    /// # Errors
    /// What is wrong, and what to do about it. Neither shows a value.
    pub fn given(value: &Value, scope: &Scope) -> Result<(Self, Scope), (String, Option<String>)> {
        let mut own = Scope::new(scope.needles.clone(), scope.clock.clone());
        own.challenges = scope.challenges.clone();
        let mut names = 0;
        let text = plain(value, &own, &mut names).to_json();
        let source = Source::text("auth", text);
        let node = yaml::read(&source).map_err(|problem| (problem.message, problem.help))?;
        let reading = Reading::new(&source);
        let auth = Self::read(&node, &reading);
        let problem = reading.finish().0.into_iter().next();
        match (auth, problem) {
            (Some(auth), None) => Ok((auth, own)),
            (_, problem) => {
                let problem = problem.map(|problem| (problem.message, problem.help));
                Err(problem.unwrap_or_else(|| ("this is no `auth`".to_owned(), None)))
            }
        }
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

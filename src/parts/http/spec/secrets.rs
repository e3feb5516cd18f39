//! Every secret that went into a request, however short: where it is shown, none of them is left
//! in it.

use std::sync::Arc;

use crate::parts::http::spec::RequestSpec;
use crate::parts::scope::Scope;
use crate::parts::template::Template;

impl RequestSpec {
    /// What its templates make with a secret, by name. Needed where texts are shown that no mark
    /// travels with; what cannot be evaluated is left out.
    #[must_use]
    pub fn secrets(&self, scope: &Scope) -> Vec<(Arc<str>, String)> {
        let mut secrets = Vec::new();
        self.templates(&mut |template| {
            for found in template.values(scope) {
                if let Some(name) = &found.marks.secret {
                    found.value.leaves(&mut |text| secrets.push((Arc::clone(name), text)));
                }
            }
        });
        if let Some(key) = self.auth.as_ref().and_then(|auth| auth.key_in_query(scope)) {
            secrets.push((key.name, key.value));
        }
        self.body.secrets(scope, &mut secrets);
        secrets
    }

    /// Visits the templates of URL, query, headers and body.
    fn templates(&self, visit: &mut dyn FnMut(&Template)) {
        if let Some(base_url) = &self.base_url {
            visit(base_url);
        }
        visit(&self.url);
        self.query.iter().for_each(|(_, tree, _)| tree.templates(visit));
        self.headers.iter().for_each(|(_, tree, _)| tree.templates(visit));
        self.body.templates(visit);
    }
}

//! HTTP Basic (RFC 7617): user name and password, joined by a colon, in base64.

use reqwest::header::AUTHORIZATION;

use crate::ground::encode;
use crate::ground::read::Reading;
use crate::ground::yaml::Node;
use crate::parts::auth::Scheme;
use crate::parts::auth::credential::{SketchedCredential, set_credential};
use crate::parts::auth::part::Part;
use crate::parts::http::Request;
use crate::parts::scope::Scope;
use crate::parts::template::{Error, Mention, Sketched, Sketcher};

/// `basic: { username, password }`.
#[derive(Debug, Clone)]
pub struct Basic {
    username: Part,
    password: Part,
}

impl Basic {
    pub(super) fn read(node: &Node, reading: &Reading) -> Option<Self> {
        let fields = reading.fields(node, "basic", &["username", "password"], &[])?;
        let part = |name: &str| {
            let value = fields.required(name, || {
                let help = "write `basic: { username: …, password: … }`";
                reading.error_with(fields.span, format!("`basic` needs `{name}`"), help);
            });
            Part::read(value?, name, reading)
        };
        let (username, password) = (part("username"), part("password"));
        Some(Self { username: username?, password: password? })
    }
}

impl Scheme for Basic {
    fn apply(&self, request: &mut Request, scope: &Scope) -> Result<(), Error> {
        // The user name is no secret; only what it is joined with.
        let username = self.username.tree.value(scope)?;
        let Some(password) = self.password.text(scope, "password")? else { return Ok(()) };
        let username = username.value.to_text();
        if username.contains(':') {
            return Err(Error::new(self.username.span, "a user name with a colon cannot be sent by `basic`"));
        }
        let credential = encode::base64([&*username, ":", &password.value].concat().as_bytes());
        if let Some(name) = &password.marks.secret {
            scope.needles.learn(name, &credential);
        }
        set_credential(request, AUTHORIZATION, &["Basic ", &credential].concat(), self.password.span)
    }

    fn reads(&self, visit: &mut dyn FnMut(Mention<'_>)) {
        self.username.tree.reads(visit);
        self.password.tree.reads(visit);
    }

    fn sketch(&self, sketcher: &Sketcher<'_>) -> SketchedCredential {
        let password = self.password.sketch(sketcher, "password");
        let user = password.as_ref().map(|password| {
            let mut user = self.username.tree.sketch_values(sketcher).concat();
            user.push(Sketched::Text(":".to_owned()));
            user.extend(password.iter().cloned());
            user
        });
        SketchedCredential { user, ..SketchedCredential::in_header(&AUTHORIZATION, "Basic ", password) }
    }
}

//! The two files of a new workflow, as a person would have written them.

use std::fmt;
use std::fmt::Write as _;

use serde_json::{Map, Value, json};
use url::Url;

use crate::cli::new::Login;

/// What a new workflow is like.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) name: String,
    /// The address of the API; a path in it stands before all others.
    pub(super) base: Url,
    pub(super) login: Login,
    pub(super) login_path: String,
    /// Where an answer holds a token.
    pub(super) token: Path,
    /// The header of an API key.
    pub(super) header: String,
    /// Where the first token is exchanged for another.
    pub(super) exchange: Option<String>,
    pub(super) call: String,
    pub(super) kept: Vec<Kept>,
}

/// A value of the last answer that is kept.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) name: String,
    pub(super) path: Path,
}

/// A JSON path of names and positions.
#[derive(Debug)]
pub(super) struct Path(pub(super) Vec<Member>);

/// One of them.
#[derive(Debug)]
pub(super) enum Member {
    Named(String),
    At(usize),
}

impl Path {
    pub(super) fn member(name: &str) -> Self {
        Self(vec![Member::Named(name.to_owned())])
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("$")?;
        self.0.iter().try_for_each(|member| match member {
            Member::Named(name) => write!(f, ".{name}"),
            Member::At(position) => write!(f, "[{position}]"),
        })
    }
}

/// Both files.
pub(super) struct Texts {
    pub(super) workflow: String,
    pub(super) mock: String,
}

impl Draft {
    /// The variables that the files have already.
    pub(super) const OWN: [&str; 6] = ["api", "user", "password", "api_key", "access_token", "service_token"];

    /// What the files are called where nobody says: the name in small letters, digits and `-`.
    pub(super) fn slug(&self) -> String {
        let words = self.name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
        let slug = words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("-");
        if slug.is_empty() { "workflow".to_owned() } else { slug }
    }

    /// Whether one answer of the mock can hold all that is looked for in it.
    ///
    /// # Errors
    /// Which of them stand in each other's way.
    pub(super) fn fits(&self) -> Result<(), String> {
        self.last_answer().map(|_| ()).ok_or_else(|| {
            let paths: Vec<String> = self.kept.iter().map(|kept| kept.path.to_string()).collect();
            format!("one answer cannot hold all of {}", paths.join(", "))
        })
    }

    /// Writes both files for the name that they get.
    pub(super) fn texts(&self, stem: &str) -> Texts {
        Texts { workflow: self.workflow(stem), mock: self.mock(stem) }
    }

    fn workflow(&self, stem: &str) -> String {
        let file = stem.replace(char::is_control, "?");
        let env = env_prefix(stem);
        let mut text = format!("# {}\n#   try it offline:  reqchain run {file}.yaml --mock\n", self.story());
        let variables: Vec<String> =
            self.secrets().iter().map(|(_, variable, _)| format!("{env}_{variable}")).collect();
        if !variables.is_empty() {
            let _ = writeln!(text, "#   for real:        set {}", variables.join(" and "));
        }
        let _ = writeln!(text, "name: {}\n\ninputs:", scalar(&self.name));
        let _ = writeln!(text, "  api: {}", self.base.origin().ascii_serialization());
        for (name, variable, _) in self.secrets() {
            let _ = writeln!(text, "  {name}: {{ env: {env}_{variable} }}");
        }
        text.push_str("\ndefaults:\n  timeout: 15s\n");
        text.push_str("  retry: { max: 2, if: [connect, 429, 5xx], backoff: 200ms..2s }\n");
        let _ = writeln!(text, "\n{}\n\nsteps:", self.stand_in(stem));
        text.push_str(&self.steps().join("\n"));
        text
    }

    /// The mock, and what the inputs are under it.
    fn stand_in(&self, stem: &str) -> String {
        let file = scalar(&format!("mocks/{stem}.yaml"));
        let given = self.secrets().iter().map(|(name, _, usual)| format!("{name}: {usual}"));
        match given.collect::<Vec<_>>()[..] {
            [] => format!("mock: {file}"),
            ref given => {
                let given = given.join(", ");
                format!("mock:\n  file: {file}\n  replaces: [api]\n  inputs: {{ {given} }}")
            }
        }
    }

    /// What the workflow does, in a sentence.
    fn story(&self) -> String {
        let first = match self.login {
            Login::Basic => "Logs in with user name and password for a token",
            Login::Form => "Logs in with a form for a token",
            Login::Bearer => "Takes a token",
            Login::ApiKey => "Takes an API key",
            Login::None => return "Calls the API.".to_owned(),
        };
        let second = if self.exchange.is_some() { ", exchanges it for another one" } else { "" };
        format!("{first}{second}, and calls the API with it.")
    }

    /// The inputs that nobody writes into a file: name, environment variable, value under the mock.
    fn secrets(&self) -> &'static [(&'static str, &'static str, &'static str)] {
        match self.login {
            Login::Basic | Login::Form => {
                &[("user", "USER", "ann"), ("password", "PASSWORD", "offline-only")]
            }
            Login::Bearer => &[("access_token", "TOKEN", "offline-only")],
            Login::ApiKey => &[("api_key", "API_KEY", "offline-only")],
            Login::None => &[],
        }
    }

    fn steps(&self) -> Vec<String> {
        let mut steps = Vec::new();
        let credential = r#"{ username: "{{ user }}", password: "{{ password }}" }"#;
        match self.login {
            Login::Basic => {
                let how = format!("      auth: {{ basic: {credential} }}\n");
                steps.push(self.token_step("login", &self.login_path, &how, "access_token"));
            }
            Login::Form => {
                let fields = credential.trim_start_matches("{ ");
                let how = format!("      form: {{ grant_type: password, {fields}\n");
                steps.push(self.token_step("login", &self.login_path, &how, "access_token"));
            }
            Login::Bearer | Login::ApiKey | Login::None => {}
        }
        if let Some(path) = &self.exchange {
            steps.push(self.token_step("exchange", path, &self.first_auth(), "service_token"));
        }
        steps.push(self.call_step());
        steps
    }

    /// A step that gets a token.
    fn token_step(&self, id: &str, path: &str, how: &str, token: &str) -> String {
        let url = self.url(path);
        format!(
            "  - id: {id}\n    request:\n      method: POST\n      url: {url}\n{how}    extract:\n      {token}: {}\n",
            self.token
        )
    }

    fn call_step(&self) -> String {
        let auth = match &self.exchange {
            Some(_) => bearer("service_token"),
            None => self.first_auth(),
        };
        let url = self.url(&self.call);
        let mut text =
            format!("  - id: call\n    request:\n      url: {url}\n{auth}    expect:\n      status: 200\n");
        if !self.kept.is_empty() {
            text.push_str("    extract:\n");
        }
        for Kept { name, path } in &self.kept {
            let _ = writeln!(text, "      {name}: {path}");
        }
        text
    }

    /// How the first request behind the login is authenticated.
    fn first_auth(&self) -> String {
        match self.login {
            Login::Basic | Login::Form | Login::Bearer => bearer("access_token"),
            Login::ApiKey => {
                let header = scalar(&self.header);
                format!("      auth: {{ api_key: {{ header: {header}, value: \"{{{{ api_key }}}}\" }} }}\n")
            }
            Login::None => String::new(),
        }
    }

    /// Everything behind the origin: what `base` says of it, then the path itself.
    fn path(&self, path: &str) -> String {
        format!("{}{path}", self.base.path().trim_end_matches('/'))
    }

    fn url(&self, path: &str) -> String {
        format!("\"{{{{ api }}}}{}\"", self.path(path))
    }
}

/// The mock.
impl Draft {
    fn mock(&self, stem: &str) -> String {
        let mut text =
            "# Answers in place of the API under `--mock`: shape it as the API itself answers.\n".to_owned();
        let _ = writeln!(text, "name: {}", scalar(stem));
        let tokens: Vec<String> = self
            .given_out()
            .iter()
            .map(|token| format!("{token}: offline-{}", token.replace('_', "-")))
            .collect();
        if !tokens.is_empty() {
            let _ = writeln!(text, "\nstate: {{ {} }}", tokens.join(", "));
        }
        text.push_str("\nroutes:\n");
        let routes = self.routes();
        for Route { line, when, reply } in &routes {
            let when =
                when.as_ref().map(|when| format!("    when: '{{{{ {when} }}}}'\n")).unwrap_or_default();
            let _ = writeln!(text, "  - route: {line}\n{when}    reply: {{ json: {} }}", flow(reply));
        }
        let mut refused: Vec<&str> =
            routes.iter().filter(|route| route.when.is_some()).map(|route| &*route.line).collect();
        refused.dedup();
        if !refused.is_empty() {
            text.push_str("\n  # Whoever has no right to it, or comes with something else.\n");
        }
        for line in refused {
            let _ = writeln!(
                text,
                "  - route: {line}\n    reply: {{ status: 401, json: {{ error: unauthorized }} }}"
            );
        }
        text
    }

    /// The tokens that the mock gives out.
    fn given_out(&self) -> Vec<&'static str> {
        let first = matches!(self.login, Login::Basic | Login::Form).then_some("access_token");
        first.into_iter().chain(self.exchange.is_some().then_some("service_token")).collect()
    }

    fn routes(&self) -> Vec<Route> {
        let mut routes = Vec::new();
        let login = match self.login {
            Login::Basic => Some(r#"request.headers.authorization is startingwith("Basic ")"#),
            Login::Form => Some(r#"request.form.grant_type == "password" and request.form.password != """#),
            Login::Bearer | Login::ApiKey | Login::None => None,
        };
        if let Some(when) = login {
            routes.push(self.route(
                "POST",
                &self.login_path,
                Some(when.to_owned()),
                self.token_answer("access_token"),
            ));
        }
        if let Some(path) = &self.exchange {
            routes.push(self.route("POST", path, self.first_when(), self.token_answer("service_token")));
        }
        let when = match &self.exchange {
            Some(_) => Some(has_token("service_token")),
            None => self.first_when(),
        };
        routes.push(self.route("GET", &self.call, when, self.last_answer().unwrap_or_default()));
        routes
    }

    fn route(&self, method: &str, path: &str, when: Option<String>, reply: Value) -> Route {
        Route { line: scalar(&format!("{method} {}", self.path(path))), when, reply }
    }

    /// Who may ask behind the login. A token or a key of the caller's own is taken as it is: under
    /// `--mock` it may be a real one, which the mock cannot know.
    fn first_when(&self) -> Option<String> {
        match self.login {
            Login::Basic | Login::Form => Some(has_token("access_token")),
            Login::Bearer => Some(r#"request.headers.authorization is startingwith("Bearer ")"#.to_owned()),
            Login::ApiKey => {
                Some(format!(r#"request.headers["{}"] != """#, self.header.to_ascii_lowercase()))
            }
            Login::None => None,
        }
    }

    fn token_answer(&self, token: &str) -> Value {
        let mut answer = Value::Null;
        // One path alone has nothing in its way.
        put(&mut answer, &self.token.0, format!("{{{{ state.{token} }}}}").into());
        answer
    }

    /// An answer that has all that is kept; `None` where one stands in another's way.
    fn last_answer(&self) -> Option<Value> {
        let mut answer = Value::Null;
        for Kept { name, path } in &self.kept {
            let number = name == "id" || name.ends_with("_id");
            let found = if number { json!(1) } else { json!("example") };
            put(&mut answer, &path.0, found)?;
        }
        Some(if answer.is_null() { json!({}) } else { answer })
    }
}

/// A route of the mock.
struct Route {
    line: String,
    when: Option<String>,
    reply: Value,
}

fn bearer(token: &str) -> String {
    format!("      auth: {{ bearer: \"{{{{ {token} }}}}\" }}\n")
}

fn has_token(token: &str) -> String {
    format!(r#"request.headers.authorization == "Bearer " ~ state.{token}"#)
}

/// Puts a value where a path leads; `None` where something else stands there already.
fn put(place: &mut Value, path: &[Member], value: Value) -> Option<()> {
    let Some((first, rest)) = path.split_first() else {
        let is_free = place.is_null();
        *place = value;
        return is_free.then_some(());
    };
    match first {
        Member::Named(name) => {
            if place.is_null() {
                *place = Value::Object(Map::new());
            }
            put(place.as_object_mut()?.entry(name).or_insert(Value::Null), rest, value)
        }
        Member::At(position) => {
            if place.is_null() {
                *place = Value::Array(Vec::new());
            }
            let elements = place.as_array_mut()?;
            elements.resize(elements.len().max(position + 1), Value::Null);
            put(elements.get_mut(*position)?, rest, value)
        }
    }
}

/// A value in YAML's short form.
fn flow(value: &Value) -> String {
    match value {
        Value::Object(members) if members.is_empty() => "{}".to_owned(),
        Value::Object(members) => {
            let members: Vec<String> =
                members.iter().map(|(name, value)| format!("{name}: {}", flow(value))).collect();
            format!("{{ {} }}", members.join(", "))
        }
        Value::Array(elements) => {
            format!("[{}]", elements.iter().map(flow).collect::<Vec<_>>().join(", "))
        }
        Value::String(text) if !text.contains("{{") => scalar(text),
        other => other.to_string(),
    }
}

/// A text as a scalar: plain where nothing in it could be taken for anything else.
fn scalar(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || " /_.-".contains(c);
    if text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(plain) && !text.ends_with(' ')
    {
        return text.to_owned();
    }
    // Every string of JSON is one of YAML.
    Value::from(text).to_string()
}

/// What the environment variables of a workflow begin with.
fn env_prefix(stem: &str) -> String {
    let word = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    let prefix: String = stem.chars().map(word).collect();
    if prefix.starts_with(|c: char| c.is_ascii_alphabetic()) { prefix } else { format!("API_{prefix}") }
}

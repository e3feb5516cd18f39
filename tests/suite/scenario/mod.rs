//! The builder of scenarios: a workflow, servers made of closures, and what came of running it.
//!
//! A test says what the servers answer and what must be true afterwards; ports, files, the clock
//! and the runtime are nobody's business. Time stands still but while a request is on its way, so
//! that no waiting is ever slept. A server fails its test when one of its handlers broke, or was
//! never called: an answer that nobody fetched proves nothing. `Cli` is the command itself, for flags,
//! output and exit codes.

mod cli;
mod ran;
mod server;
pub(crate) mod tls;

use std::sync::{Arc, Mutex};

use reqchain::document::workflow::Workflow;
use reqchain::ground::clock::Clock;
use reqchain::ground::source::Source;
use reqchain::parts::http::transport::BoxFuture;
use reqchain::parts::http::{Client, ClientOptions, Error as NoAnswer, Request, Response, Transport};
use reqchain::running::{Cancel, Detail};
use reqchain::services::mock;
use reqchain::services::runner::{Error, Runner};
use tempfile::TempDir;

pub(crate) use cli::{Called, Cli};
pub(crate) use ran::Ran;
pub(crate) use server::{Reply, Seen, Server};

/// 2026-01-01T00:00:00Z: what time it is in every scenario.
pub(crate) const NOW_MS: i64 = 1_767_225_600_000;

/// A workflow and its surroundings.
#[must_use = "a scenario does nothing until it is run"]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the runner")]
pub(crate) struct Scenario {
    folder: TempDir,
    workflow: String,
    servers: Vec<Server>,
    mock: Option<String>,
    own_mock: bool,
    trusted: bool,
    inputs: Vec<(String, String)>,
    environment: Vec<(String, String)>,
    detail: Detail,
    cancel: Cancel,
    time_flies: bool,
    curl: bool,
    dry_run: bool,
    only: Vec<String>,
}

impl Scenario {
    /// A workflow. Where it has no `inputs`, it gets the inputs that its servers have names for:
    /// `base` is the one that `on` belongs to.
    pub(crate) fn new(workflow: &str) -> Self {
        Self {
            folder: tempfile::tempdir().expect("a folder"),
            workflow: workflow.to_owned(),
            servers: vec![Server::new("base")],
            mock: None,
            own_mock: false,
            trusted: false,
            inputs: Vec::new(),
            environment: Vec::new(),
            detail: Detail::Requests,
            cancel: Cancel::default(),
            time_flies: false,
            curl: false,
            dry_run: false,
            only: Vec::new(),
        }
    }

    /// Lets each request be told as a curl command, as `--curl` does.
    pub(crate) fn curl(mut self) -> Self {
        self.curl = true;
        self
    }

    /// Sends nothing, as `--dry-run` does.
    pub(crate) fn dry_run(mut self) -> Self {
        self.dry_run = true;
        self
    }

    /// Runs a step and those that it needs, as `--only` does.
    pub(crate) fn only(mut self, step: &str) -> Self {
        self.only.push(step.to_owned());
        self
    }

    /// Lets the server `base` answer a route. A route that is told again answers the next request
    /// by the next handler, and all that follow by the last.
    pub(crate) fn on(mut self, route: &str, answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        self.servers[0].on(route, answer);
        self
    }

    /// Lets the server `base` answer a route with a JSON body.
    pub(crate) fn json(self, route: &str, body: &'static str) -> Self {
        self.on(route, move |_| Reply::json(body))
    }

    /// Adds a server of another origin. It is an input only where the workflow declares one of its
    /// name; handlers reach it by `seen.origin(name)`.
    pub(crate) fn server(mut self, name: &str, routes: impl FnOnce(&mut Server)) -> Self {
        let mut server = Server::new(name);
        routes(&mut server);
        self.servers.push(server);
        self
    }

    /// Where a server is.
    pub(crate) fn origin(&self, name: &str) -> String {
        origin(&self.servers, name)
    }

    /// Adds an origin where nobody listens.
    pub(crate) fn nobody(mut self, name: &str) -> Self {
        self.servers.push(Server::nobody(name));
        self
    }

    /// Adds a server that never answers. Whatever waits has then waited long enough at once.
    pub(crate) fn silent(mut self, name: &str) -> Self {
        self.servers.push(Server::silent(name));
        self.time_flies = true;
        self
    }

    /// Lets a mock answer in place of the server `base`.
    pub(crate) fn mock(mut self, text: &str) -> Self {
        self.mock = Some(text.to_owned());
        self
    }

    /// Runs as `--mock` does, against the mock that the workflow itself names.
    pub(crate) fn own_mock(mut self) -> Self {
        self.own_mock = true;
        self
    }

    /// Trusts the workflow, as `--trust` does.
    pub(crate) fn trusted(mut self) -> Self {
        self.trusted = true;
        self
    }

    /// Puts a file beside the workflow.
    pub(crate) fn file(self, path: &str, text: impl AsRef<[u8]>) -> Self {
        let path = self.folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("written");
        self
    }

    /// Where a file beside the workflow is.
    pub(crate) fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    /// Gives an input as `--input` does.
    pub(crate) fn input(mut self, name: &str, value: &str) -> Self {
        self.inputs.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets an environment variable; the process's own are never seen.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// How much the events tell.
    pub(crate) fn detail(mut self, detail: Detail) -> Self {
        self.detail = detail;
        self
    }

    /// Lets a handler interrupt the run.
    pub(crate) fn cancel(mut self, cancel: &Cancel) -> Self {
        self.cancel = cancel.clone();
        self
    }

    /// Runs it to its end.
    #[track_caller]
    pub(crate) fn run(self) -> Ran {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        // The transport of `--mock` is the library's own: nobody lets time pass for it.
        let runtime = runtime.enable_all().start_paused(!self.own_mock).build().expect("a runtime");
        runtime.block_on(self.go())
    }

    async fn go(mut self) -> Ran {
        let mut events = Vec::new();
        let stand_in = self.start_mock().await;
        let origins: Vec<(String, String)> = match &stand_in {
            Some(mock) => vec![("base".to_owned(), mock.origin().to_owned())],
            None => self.servers.iter().map(|server| (server.name.clone(), server.origin.clone())).collect(),
        };
        self.servers.iter().for_each(|server| server.knows(&origins));
        let file = self.write(&origins);
        let load = if self.trusted { Workflow::load_trusted } else { Workflow::load };
        let finished = match load(&file) {
            Err(problems) => Err(Error::Refused(problems)),
            Ok(workflow) => {
                let runner = self.runner(&workflow, &origins);
                runner.run_with(|event| events.push(event.clone())).await
            }
        };
        let seen_by_mock = stand_in.as_ref().map(|mock| {
            assert!(mock.failures().is_empty(), "the mock broke: {:?}", mock.failures());
            mock.log().into_iter().map(|seen| format!("{} {}", seen.method, seen.path)).collect()
        });
        let folder = format!("{}/", self.folder.path().display());
        Ran { finished, events, servers: self.servers, seen_by_mock, folder, _files: self.folder }
    }

    async fn start_mock(&mut self) -> Option<mock::Running> {
        let text = self.mock.take()?;
        let mock = mock::Mock::parse(&Source::text("mock.yaml", text));
        let mock = mock.unwrap_or_else(|problems| panic!("the mock is wrong:\n{problems}"));
        Some(mock::start(mock, Clock::fixed(NOW_MS)).await.expect("a port"))
    }

    /// Writes the workflow; what it does not say of inputs stands at its end, so that its lines
    /// keep their numbers.
    fn write(&self, origins: &[(String, String)]) -> std::path::PathBuf {
        let mut text = self.workflow.clone();
        if !text.starts_with("inputs:") && !text.contains("\ninputs:") {
            let used = origins.iter().filter(|(name, _)| text.contains(&format!("{{{{ {name}")));
            let names: Vec<_> = used.map(|(name, _)| format!("{name}: {{ required: true }}")).collect();
            if !names.is_empty() {
                text = format!("{text}\ninputs: {{ {} }}\n", names.join(", "));
            }
        }
        let path = self.folder.path().join("flow.yaml");
        std::fs::write(&path, text).expect("written");
        path
    }

    fn runner(&self, workflow: &Arc<Workflow>, origins: &[(String, String)]) -> Runner {
        let mut runner = Runner::new(workflow)
            .clock(Clock::fixed(NOW_MS))
            .cancel(&self.cancel)
            .detail(self.detail)
            .environment(self.environment.clone());
        if self.trusted {
            runner = runner.trust();
        }
        if self.curl {
            runner = runner.curl();
        }
        if self.dry_run {
            runner = runner.dry_run();
        }
        runner = self.only.iter().fold(runner, |runner, step| runner.only(step));
        if self.own_mock {
            runner = runner.mock();
        } else {
            let timing = self.detail >= Detail::Wire;
            let client = Client::new(ClientOptions { timing, ..ClientOptions::default() });
            runner = runner.transport(Real { client, flying: self.time_flies, under_way: Mutex::new(0) });
            for (name, origin) in origins {
                if workflow.inputs.iter().any(|input| *input.name.value == **name) {
                    runner = runner.input(name, origin);
                }
            }
        }
        self.inputs.iter().fold(runner, |runner, (name, value)| runner.input(name, value))
    }
}

/// The real transport. Time, which stands still otherwise, passes while something is under way:
/// else it would jump to the next timeout whenever a socket is waited for.
struct Real {
    client: Client,
    flying: bool,
    under_way: Mutex<usize>,
}

struct UnderWay<'r>(&'r Real);

impl<'r> UnderWay<'r> {
    fn new(real: &'r Real) -> Self {
        let mut count = real.under_way.lock().expect("nobody panicked");
        if *count == 0 && !real.flying {
            tokio::time::resume();
        }
        *count += 1;
        Self(real)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let mut count = self.0.under_way.lock().expect("nobody panicked");
        *count -= 1;
        if *count == 0 && !self.0.flying {
            tokio::time::pause();
        }
    }
}

impl Transport for Real {
    fn send<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Response, NoAnswer>> {
        Box::pin(async move {
            let _under_way = UnderWay::new(self);
            self.client.send(request).await
        })
    }
}

fn origin(servers: &[Server], name: &str) -> String {
    servers.iter().find(|server| server.name == name).expect("a server of that name").origin.clone()
}

/// Asserts that a text has all of these in it.
#[track_caller]
pub(crate) fn says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "`{part}` is not in:\n{text}");
    }
}

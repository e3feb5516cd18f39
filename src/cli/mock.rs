//! `reqchain mock`: serves one mock on this machine, for other programs.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tokio::net::TcpListener;

use crate::cli::exit::Exit;
use crate::cli::interrupt::interrupted;
use crate::cli::terminal::{Terminal, tell};
use crate::cli::{Refused, block_on, is_trusted, pair, refusal, trouble};
use crate::ground::clock::Clock;
use crate::ground::diagnostic::{Diagnostic, Diagnostics};
use crate::ground::source::Source;
use crate::ground::yaml;
use crate::reading::report::style::{Style, one_line};
use crate::services::mock::{Mock, Seen, Server, serve};

/// How often the log is looked at for requests that were answered.
const LOOK: Duration = Duration::from_millis(100);

/// Serve a mock on this machine until Ctrl-C
#[derive(Debug, Args)]
pub struct Arguments {
    /// The mock's file
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The port on 127.0.0.1; 0 is any that is free
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub port: u16,
    /// Where to write the certificate of a mock that serves https, for clients to trust
    #[arg(long, value_name = "PATH")]
    pub write_ca: Option<PathBuf>,
    /// Begin with another value in the mock's `state`; may be repeated
    #[arg(long = "state", value_name = "NAME=VALUE", value_parser = pair)]
    pub state: Vec<(String, String)>,
    /// Serve https, with a certificate of its own, as `tls: self_signed` in the file does
    #[arg(long)]
    pub tls: bool,
    /// Read scripts that lie outside the project, too; `REQCHAIN_TRUST=1` says the same
    #[arg(long)]
    pub trust: bool,
}

/// Serves until Ctrl-C.
///
/// # Errors
/// A mock with mistakes, a port that cannot be bound.
pub fn execute(arguments: &Arguments, terminal: Terminal) -> Result<Exit, Refused> {
    let file = &arguments.file;
    let mock = if is_trusted(arguments.trust) { Mock::load_trusted(file) } else { Mock::load(file) };
    let mut mock = mock.map_err(refusal)?;
    mock.tls |= arguments.tls;
    for (name, text) in &arguments.state {
        change(&mut mock, name, text).map_err(refusal)?;
    }
    let cannot = |error| trouble("cannot make a certificate for the mock", &error);
    let server = Server::new(mock, Clock::system()).map_err(cannot)?;
    block_on(serve_until_told(server, arguments, terminal.style))?
}

/// Changes an entry of the state; the value is written as in the file.
fn change(mock: &mut Mock, name: &str, text: &str) -> Result<(), Diagnostics> {
    let value = yaml::read(&Source::text("--state", text))?.to_value();
    Ok(mock.change(name, value)?)
}

/// Writes the certificate for whoever is to trust it; the key is never written.
fn write_certificate(server: &Server, path: &Path) -> Result<(), Refused> {
    let Some(pem) = server.certificate() else {
        let problem = Diagnostic::error("`--write-ca` is for a mock that serves https");
        return Err(refusal(problem.help("add `--tls`, or write `tls: self_signed` in the mock's file")));
    };
    std::fs::write(path, pem).map_err(|error| trouble(&format!("cannot write {}", path.display()), &error))
}

async fn serve_until_told(server: Arc<Server>, arguments: &Arguments, style: Style) -> Result<Exit, Refused> {
    let port = arguments.port;
    let cannot = |error| trouble(&format!("cannot listen on 127.0.0.1:{port}"), &error);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(cannot)?;
    let address = listener.local_addr().map_err(cannot)?;
    if let Some(path) = &arguments.write_ca {
        write_certificate(&server, path)?;
    }
    let interrupted = interrupted().map_err(|error| trouble("cannot listen for interrupts", &error))?;
    tell(&format!(
        "{} at {}, until Ctrl-C",
        style.bold(&one_line(server.name(), 200)),
        style.cyan(&format!("{}://{address}", server.scheme()))
    ));
    let told = tokio::spawn(tell_requests(Arc::clone(&server), style));
    serve(listener, server, interrupted).await;
    told.abort();
    Ok(Exit::Passed)
}

/// Writes a line for each request, in their order. Those that came since the last look are left
/// for the next one, since their answers may not be made yet.
async fn tell_requests(server: Arc<Server>, style: Style) {
    let (mut told, mut came) = (0, 0);
    let mut looks = tokio::time::interval(LOOK);
    loop {
        looks.tick().await;
        let log = server.log();
        log.get(told..came).unwrap_or_default().iter().for_each(|seen| tell(&line(seen, style)));
        (told, came) = (came, log.len());
    }
}

fn line(seen: &Seen, style: Style) -> String {
    let status = seen.status.map_or_else(|| "---".to_owned(), |status| status.to_string());
    let request = one_line(&format!("{:<6} {}", seen.method, seen.path), 1000);
    let route = if seen.route.is_some() { String::new() } else { format!("  {}", style.yellow("no route")) };
    format!("{} {request}{route}", style.dim(&status))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_one_line_that_steers_no_terminal() {
        let seen = Seen { method: "GET".into(), path: "/me\x1b[2J".into(), status: Some(404), route: None };
        assert_eq!(line(&seen, Style::new(false)), "404 GET    /me\\x1b[2J  no route");
        let seen = Seen { status: None, path: "/me".into(), route: Some("GET /me".into()), ..seen };
        assert_eq!(line(&seen, Style::new(false)), "--- GET    /me");
    }
}

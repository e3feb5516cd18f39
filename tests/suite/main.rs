//! The suite: what the tool promises, told from outside, with nothing but the public library and
//! the command. One binary, since linking one for each file costs more than running them. How a
//! test reads, and how to add one, stands in `README.md` beside this file.

#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot go on says so and ends")]

// The builder that every scenario begins with.
mod scenario;

// The course of a run: phases, checks, `when`, `finally`, outputs, `uses`, mocks.
mod run;
// Values on their way: inputs, `vars`, extracts, and their places in a request.
mod values;
// What a request says: its bodies, null and lists, GraphQL.
mod body;
// What is laid before a URL, and who may choose it.
mod base_url;
// Where inputs come from: commands, choices, tables, environment files, rows, trust.
mod inputs;
// Files that a workflow names, and all that may be wrong with them; rows of `--data`.
mod files;
// Every number that bounds something: below it, at it, above it; and the settings of those on the wire.
mod limits;
// What a person is told of a refusal: the server's words, and what can be done.
mod refusals;
// Who may see a credential: schemes, origins that a server chose, refusals.
mod auth;
// What is picked out of an answer: links, XML, pages, tokens; and what of a hostile one.
mod select;
// What an answer must be: schemas, signed tokens, certificates, and how each is told.
mod expect;
// How a request travels: cookies, addresses, versions of HTTP.
mod channel;
// What a workflow says of redirects, what they take along of it, and how they are told.
mod redirects;
// Whom a client trusts and who it is: authorities, pinned servers, client certificates, https mocks.
mod tls;
// What is wrong with a certificate, each fault in its own words; `insecure` and `--insecure`.
mod certificates;
// The ways around: HTTP proxies, CONNECT, SOCKS.
mod proxy;
// The schemes that compute: Digest, AWS Signature Version 4, JWT; servers here verify what they get.
mod auth_schemes;
// Scripts: what they see and change, how they steer, what their own requests may do.
mod script;
// What is sent again, when, and how often; and what no answer at all means.
mod retry;
// What is run and shown of a workflow: single steps, requests as commands, runs that send nothing.
mod dry;
// What of a request a command tells, and what stands there for a secret.
mod curl;
// Every secret in every form, looked for in all that a run tells.
mod leaks;
// Ctrl-C and SIGTERM, as the process gets them.
#[cfg(unix)]
mod interrupt;
// What steers a terminal, in what servers and files say.
mod terminal;
// What must be stopped: bombs, loops without end, scripts that reach for what is not theirs.
mod safety;
// A server that says any bytes: one table of attacks, and the list of rows with what proves each.
mod hostile;
// The fuzz targets, bounded.
mod fuzz;
// The README, file by file and command by command; and every block of the pages in `docs`.
mod readme;
// What `fmt` makes of a file, what it leaves alone, and what it never loses.
mod fmt;
// The corpus: each workflow in `tests/cases`, and what must be said of it, word for word.
mod check;
// The shipped workflows pass under their mocks.
mod examples;
// What a workflow may change about its mock, and who shares a server.
mod mocks;
// The mocks of real systems against what is known of the real servers, row by row.
mod systems;
// Steps in loops, again and again, at once, and on after a failure.
mod flow;
// The commands for people who write workflows: new, graph, help, completions, pages.
mod write;
// The JSON Schemas against the readers of the language.
mod schema;
// What no reader may do: panic, hang, or take a bomb for a workflow.
mod parse;
// The house rules: layers, sizes, words, and what may not stand in the source.
mod tidy;

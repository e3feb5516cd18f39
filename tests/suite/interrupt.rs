//! Ctrl-C and SIGTERM, as a process gets them: the first ends a run in order, the second at once; a mock that
//! is served ends with the first.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::scenario::Cli;

const FLOW: &str = "inputs: { base: }\nsteps: [ { request: 'GET {{ base }}/long' } ]\nfinally: [ { request: 'GET {{ base }}/bye' } ]\n";

fn asked(listener: &TcpListener, line: &str) -> TcpStream {
    let (mut stream, _) = listener.accept().expect("a request");
    let mut head = vec![0; line.len()];
    stream.read_exact(&mut head).expect("its beginning");
    assert_eq!(String::from_utf8_lossy(&head), line);
    stream
}

fn send(signal: Signal, child: &Child) {
    let id = Pid::from_raw(i32::try_from(child.id()).expect("an id")).expect("no zero");
    kill_process(id, signal).expect("it is there");
}

#[test]
fn a_mock_serves_until_an_interrupt_and_that_is_no_failure() {
    let cli = Cli::new(&[("mock.yaml", "routes: [ { route: GET /, reply: { status: 200 } } ]\n")]);
    for signal in [Signal::INT, Signal::TERM] {
        let mut child = cli.command("mock mock.yaml").stderr(Stdio::piped()).spawn().expect("it starts");
        let mut line = String::new();
        BufReader::new(child.stderr.take().expect("ours")).read_line(&mut line).expect("a line");
        send(signal, &child);
        assert_eq!(child.wait().expect("it ends").code(), Some(0), "{signal:?}: {line}");
    }
}

#[test]
fn an_interrupt_ends_a_run_behind_its_finally_and_another_at_once() {
    let cli = Cli::new(&[("flow.yaml", FLOW)]);
    for signal in [Signal::INT, Signal::TERM] {
        for is_hurried in [false, true] {
            let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
            let address = listener.local_addr().expect("an address");
            let mut command = cli.command(&format!("run flow.yaml -i base=http://{address}"));
            let mut child = command.stderr(Stdio::null()).spawn().expect("it starts");
            let id = Pid::from_raw(i32::try_from(child.id()).expect("an id")).expect("no zero");
            let ended = std::thread::spawn(move || {
                let exit = child.wait().expect("it ends").code();
                // Whoever still waits for a request of it waits no longer.
                let _ = TcpStream::connect(address);
                exit
            });
            let _long = asked(&listener, "GET /long");
            kill_process(id, signal).expect("it is there");
            let mut bye = asked(&listener, "GET /bye");
            if is_hurried {
                kill_process(id, signal).expect("it is there");
            } else {
                bye.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").expect("written");
            }
            assert_eq!(ended.join().expect("it ended"), Some(130), "{signal:?} {is_hurried}");
        }
    }
}

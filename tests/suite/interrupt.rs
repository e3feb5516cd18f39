//! Ctrl-C and SIGTERM, as a process gets them: the first ends a run in order, the second at once, whatever keeps
//! the process from hearing them; a mock that is served ends with the first.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

#[cfg(target_os = "linux")]
use rustix::pipe::fcntl_setpipe_size;
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

fn id(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id()).expect("an id")).expect("no zero")
}

fn send(signal: Signal, child: &Child) {
    kill_process(id(child), signal).expect("it is there");
}

/// The exit code of a process; `None` for one that goes on, which is killed after a minute.
fn exit(mut child: Child) -> Option<i32> {
    let (id, (ended, end)) = (id(&child), channel());
    thread::spawn(move || ended.send(child.wait().expect("it ends").code()));
    end.recv_timeout(Duration::from_mins(1)).unwrap_or_else(|_| {
        kill_process(id, Signal::KILL).expect("it is there");
        None
    })
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
            let mut child = command.stderr(Stdio::piped()).spawn().expect("it starts");
            let mut told = child.stderr.take().expect("ours");
            let id = id(&child);
            let ended = thread::spawn(move || {
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
            let mut text = String::new();
            told.read_to_string(&mut text).expect("text");
            assert_eq!(text.contains("interrupted: 1 step could not run"), !is_hurried, "{text}");
            // How long it took before it was interrupted.
            assert!(!text.contains(" 0µs"), "{text}");
        }
    }
}

/// A pipe takes a page before whoever writes to it has to wait, and hears nothing.
#[cfg(target_os = "linux")]
#[test]
fn what_cannot_hear_an_interrupt_ends_with_the_second() {
    let flow = "inputs: { base: }\nsteps: [ { request: 'GET {{ base }}/long' } ]\n";
    let cli = Cli::new(&[("flow.yaml", flow)]);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let (told, full) = std::io::pipe().expect("a pipe");
    let page = fcntl_setpipe_size(&full, 1).expect("a small one");
    let child = {
        // It lets go of the pipe, so that this ends when the process does.
        let mut command = cli.command(&format!("run flow.yaml -v -i base=http://{address}"));
        command.stderr(full).spawn().expect("it starts")
    };
    let body = "word ".repeat(page);
    let head = format!("HTTP/1.1 500 No\r\ncontent-length: {}\r\n\r\n", body.len());
    let mut long = asked(&listener, "GET /long");
    long.write_all(format!("{head}{body}").as_bytes()).expect("written");
    // It has begun to show the answer, and cannot go on.
    let mut told = BufReader::with_capacity(1, told);
    let mut line = String::new();
    while !line.contains("HTTP/1.1 500") {
        line.clear();
        assert_ne!(told.read_line(&mut line).expect("a line"), 0, "it says more");
    }
    send(Signal::INT, &child);
    send(Signal::TERM, &child);
    assert_eq!(exit(child), Some(130));
}

#[test]
fn what_only_writes_ends_with_the_first() {
    let mock = format!("routes: [ {{ route: GET /, reply: {{ json: '{}' }} }} ]\n", "a".repeat(1 << 18));
    let flow = "mock: mock.yaml\ninputs: { base: 'http://h.example' }\nsteps: [ { request: 'GET {{ base }}/', extract: { all: $ } } ]\n";
    let cli = Cli::new(&[("flow.yaml", flow), ("mock.yaml", &mock)]);
    let mut command = cli.command("run flow.yaml --mock -q --output json");
    let mut child = command.stdout(Stdio::piped()).spawn().expect("it starts");
    let mut output = child.stdout.take().expect("ours");
    output.read_exact(&mut [0]).expect("its beginning");
    send(Signal::INT, &child);
    assert_eq!(exit(child), Some(130));
}

/// Before the run has begun there is nothing to be ended in order either.
#[test]
fn a_command_of_an_input_does_not_change_what_an_interrupt_does() {
    for signal in ["INT", "TERM"] {
        let flow = format!(
            "inputs: {{ s: {{ command: [sh, -c, 'kill -{signal} $PPID'] }} }}\nsteps: [ {{ script: print(vars.s); }} ]\n"
        );
        let called = Cli::new(&[("flow.yaml", &flow)]).call("run flow.yaml --trust");
        assert_eq!(called.code, Some(130), "{signal}: {}", called.err);
    }
}

/// A mock that cannot tell where it is has heard nothing (what it catches is a mask, `proc(5)`).
#[cfg(target_os = "linux")]
#[test]
fn a_mock_that_cannot_hear_an_interrupt_ends_with_the_second() {
    const BOTH: u64 = 1 << 1 | 1 << 14;
    let cli = Cli::new(&[("mock.yaml", "routes: [ { route: GET /, reply: { status: 200 } } ]\n")]);
    let (told, mut full) = std::io::pipe().expect("a pipe");
    let page = fcntl_setpipe_size(&full, 1).expect("a small one");
    full.write_all(&vec![b'\n'; page]).expect("it takes a page");
    let mut child = cli.command("mock mock.yaml").stderr(full).spawn().expect("it starts");
    let caught = |child: &Child| {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).expect("it is there");
        let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).expect("a mask");
        u64::from_str_radix(mask.trim(), 16).expect("a number")
    };
    while caught(&child) & BOTH != BOTH {
        assert_eq!(child.try_wait().expect("a child"), None, "it goes on");
        thread::yield_now();
    }
    // One more, since the first may come before both are counted.
    for signal in [Signal::INT, Signal::TERM, Signal::INT] {
        send(signal, &child);
    }
    assert_eq!(exit(child), Some(130));
    drop(told);
}

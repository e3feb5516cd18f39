//! A secret that a person types: unseen, and the terminal is given back as it was, also where the process
//! is interrupted.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::process::Child;

use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};

use crate::scenario::Cli;

/// A terminal, from the side of the person before it.
struct Person {
    terminal: File,
    name: std::ffi::CString,
    came: String,
}

impl Person {
    fn new() -> Self {
        let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&terminal).expect("ours");
        unlockpt(&terminal).expect("unlocked");
        let name = ptsname(&terminal, Vec::new()).expect("a name");
        Self { terminal: terminal.into(), name, came: String::new() }
    }

    /// The side of the programs.
    fn side(&self) -> OwnedFd {
        rustix::fs::open(&*self.name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).expect("its other side")
    }

    /// Starts the command at the terminal.
    fn start(&self, cli: &Cli, words: &str) -> Child {
        let mut command = cli.command(words);
        command.env_remove("NO_COLOR").stdin(self.side()).stderr(self.side()).stdout(self.side());
        command.spawn().expect("it starts")
    }

    /// Reads until this stands there. Where nobody is left to write it, reading fails.
    fn sees(&mut self, text: &str) {
        let mut bytes = [0; 1000];
        while !self.came.contains(text) {
            let length = self.terminal.read(&mut bytes).expect("it goes on");
            self.came.push_str(&String::from_utf8_lossy(&bytes[..length]));
        }
    }

    fn types(&mut self, text: &str) {
        self.terminal.write_all(text.as_bytes()).expect("somebody reads");
    }

    fn is_shown_what_it_types(&self) -> bool {
        tcgetattr(self.side()).expect("modes").local_modes.contains(LocalModes::ECHO)
    }
}

fn id(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id()).expect("an id")).expect("no zero")
}

const ECHO: &str = "inputs: { word: , more: }\nsteps: [ { script: 'print(`${vars.word} ${vars.more}`)' } ]\n";

/// Unseen (S50).
#[test]
fn what_is_typed_is_not_shown_and_the_terminal_is_as_it_was() {
    let cli = Cli::new(&[("flow.yaml", ECHO)]);
    let mut person = Person::new();
    assert!(person.is_shown_what_it_types());
    let mut child = person.start(&cli, "run flow.yaml --secret word --secret more");
    for (name, secret) in [("word: ", "hunter2-hunter2\n"), ("more: ", "opensesame-1\n")] {
        person.sees(name);
        assert!(!person.is_shown_what_it_types());
        person.types(secret);
    }
    person.sees("1 step passed");
    assert!(child.wait().expect("it ends").success());
    assert!(person.came.contains("«word» «more»") && person.is_shown_what_it_types(), "{}", person.came);
    assert!(!person.came.contains("hunter2") && !person.came.contains("opensesame"), "{}", person.came);
}

/// What a terminal gets is searched as everything else (S44).
#[test]
fn a_terminal_is_shown_no_secret_in_any_form_of_output() {
    let flow = "inputs: { word: { env: WORD, secret: true } }\nvars: { long: 'x {{ word }} y' }\nsteps: [ { script: 'vars.all = vars.long; print(`${vars.word} ${base64::encode(vars.word)}`); print(hex::encode(vars.word))' } ]\noutputs: { word: '{{ word }}', all: '{{ all }}', other: two words }\n";
    let cli = Cli::new(&[("flow.yaml", flow)]).env("WORD", "hunter2-hunter2");
    for (output, shown) in
        [("vars", "word=«word»"), ("json", "\"word\": \"«word»\""), ("value:other", "two words")]
    {
        let mut person = Person::new();
        let mut child = person.start(&cli, &format!("run flow.yaml -v --output {output}"));
        person.sees("1 step passed");
        person.sees(shown);
        assert!(child.wait().expect("it ends").success());
        assert!(person.came.contains("\x1b[") && person.came.contains("«word» «word»"), "{}", person.came);
        for secret in ["hunter2", "aHVudGVyMi1odW50ZXIy", "68756e746572322d68756e74657232"] {
            assert!(!person.came.contains(secret), "{output}: {}", person.came);
        }
    }
}

#[test]
fn an_interrupted_question_leaves_a_terminal_that_shows_what_is_typed() {
    let cli = Cli::new(&[("flow.yaml", ECHO)]);
    for sent in [Signal::INT, Signal::TERM] {
        let mut person = Person::new();
        let mut child = person.start(&cli, "run flow.yaml --secret word --secret more");
        person.sees("word: ");
        person.types("half of i");
        kill_process(id(&child), sent).expect("it is there");
        assert_eq!(child.wait().expect("it ends").code(), Some(130), "{sent:?}");
        assert!(person.is_shown_what_it_types(), "{sent:?}");
    }
}

#[test]
fn behind_a_question_an_interrupt_ends_the_run_in_order() {
    let flow = "inputs: { base: , word: , more: x }\nsteps: [ { request: 'GET {{ base }}/{{ word }}' } ]\nfinally: [ { request: 'GET {{ base }}/bye' } ]\n";
    let cli = Cli::new(&[("flow.yaml", flow)]);
    for sent in [Signal::INT, Signal::TERM] {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let mut person = Person::new();
        let mut child = person.start(&cli, &format!("run flow.yaml --secret word -i base=http://{address}"));
        let id = id(&child);
        person.sees("word: ");
        person.types("hunter2-hunter2\n");
        let ended = std::thread::spawn(move || {
            let exit = child.wait().expect("it ends").code();
            // Whoever still waits for a request of it waits no longer.
            let _ = TcpStream::connect(address);
            exit
        });
        // The first request is never answered; the second is that of `finally`.
        let waiting = listener.accept().expect("a request");
        kill_process(id, sent).expect("it is there");
        let (mut stream, _) = listener.accept().expect("a request");
        let mut head = [0; 8];
        stream.read_exact(&mut head).expect("its beginning");
        assert_eq!(&head, b"GET /bye");
        stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            .expect("written");
        person.sees("interrupted");
        assert_eq!(ended.join().expect("it ended"), Some(130), "{sent:?}");
        drop(waiting);
    }
}

//! A child program: its lines as they come, its end, and its death with the test.
//!
//! Every wait ends: with what is waited for, with the end of the program, after [`SILENCE`] without a line or after [`PATIENCE`] with
//! them. It does not know what it runs.

use crate::support::Deadline;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

/// How long a program may say nothing while it is waited for. Above every deadline of the programs themselves.
const SILENCE: Duration = Duration::from_secs(60);
/// How long one wait may last whatever a program says.
const PATIENCE: Duration = Duration::from_secs(150);

/// A running program, killed when dropped.
pub(super) struct Process {
    name: String,
    child: Child,
    incoming: Receiver<(Stream, String)>,
    output: Output,
}

/// What a program wrote.
#[derive(Default)]
pub(super) struct Output {
    /// Standard output, by lines.
    pub(super) stdout: Vec<String>,
    /// Standard error, by lines.
    pub(super) stderr: Vec<String>,
}

#[derive(Clone, Copy)]
enum Stream {
    Stdout,
    Stderr,
}

impl Process {
    /// Starts `command` with nothing on its standard input.
    pub(super) fn start(command: &mut Command) -> Self {
        let name = command.get_program().to_string_lossy().into_owned();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("start {name}: {error}"));
        let (sender, incoming) = channel();
        forward(child.stdout.take().expect("piped"), Stream::Stdout, sender.clone());
        forward(child.stderr.take().expect("piped"), Stream::Stderr, sender);
        Self { name, child, incoming, output: Output::default() }
    }

    /// The first line (of either stream) in which `found` finds something, and what it finds.
    pub(super) fn wait_for<T>(&mut self, what: &str, found: impl Fn(&str) -> Option<T>) -> T {
        let deadline = Deadline::after(PATIENCE);
        loop {
            let (stream, line) = match self.incoming.recv_timeout(SILENCE) {
                Ok(heard) if !deadline.is_over() => heard,
                Ok(_) | Err(RecvTimeoutError::Timeout) => {
                    panic!("{} did not say {what}\n{}", self.name, self.output.transcript())
                }
                Err(RecvTimeoutError::Disconnected) => {
                    panic!("{} ended before {what}\n{}", self.name, self.output.transcript())
                }
            };
            let result = found(&line);
            self.output.push(stream, line);
            if let Some(result) = result {
                return result;
            }
        }
    }

    /// Waits for the program's end, which must be a success.
    pub(super) fn finish(mut self) -> Output {
        let deadline = Deadline::after(PATIENCE);
        loop {
            match self.incoming.recv_timeout(SILENCE) {
                Ok((stream, line)) if !deadline.is_over() => self.output.push(stream, line),
                Err(RecvTimeoutError::Disconnected) => break,
                Ok(_) | Err(RecvTimeoutError::Timeout) => {
                    panic!("{} does not end\n{}", self.name, self.output.transcript())
                }
            }
        }
        let status = self.child.wait().expect("wait for a child of ours");
        assert!(status.success(), "{} failed, {status}\n{}", self.name, self.output.transcript());
        std::mem::take(&mut self.output)
    }

    /// Asks the program to end (SIGTERM) and waits for that, which must be a success.
    pub(super) fn terminate(self) -> Output {
        self.signal("TERM");
        self.finish()
    }

    /// Sends a signal by its name: `KILL`, `STOP`, `CONT`.
    pub(super) fn signal(&self, name: &str) {
        let signal = format!("kill -{name} {}", self.child.id());
        run(Command::new("sh").args(["-c", &signal]));
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Already ended: nothing to kill, and nothing left to do about it either.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Output {
    fn push(&mut self, stream: Stream, line: String) {
        match stream {
            Stream::Stdout => self.stdout.push(line),
            Stream::Stderr => self.stderr.push(line),
        }
    }

    /// The last lines of both streams, for a person to read.
    fn transcript(&self) -> String {
        let mut text = String::new();
        for (name, lines) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            for line in lines.iter().skip(lines.len().saturating_sub(40)) {
                let line: String = line.chars().take(500).collect();
                writeln!(text, "{name}: {line}").expect("a String takes all");
            }
        }
        text
    }
}

/// Runs `command` to its end, which must be a success.
pub(super) fn run(command: &mut Command) -> Output {
    Process::start(command).finish()
}

/// Runs `command` to its end, which must be a failure; its standard output and error as one text.
pub(super) fn refuses(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("start {command:?}: {error}"));
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    assert!(!output.status.success(), "{command:?} was expected to refuse\n{text}");
    text
}

/// Runs `command` with `input` on its standard input to its end, which must be a failure; its standard output.
pub(super) fn refuses_with(command: &mut Command, input: &str) -> String {
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = piped.spawn().unwrap_or_else(|error| panic!("start {command:?}: {error}"));
    child.stdin.take().expect("piped").write_all(input.as_bytes()).expect("it reads its input");
    let output = child.wait_with_output().expect("wait for a child of ours");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!output.status.success(), "{command:?} was expected to refuse\n{text}");
    text
}

fn forward(from: impl Read + Send + 'static, stream: Stream, to: Sender<(Stream, String)>) {
    thread::spawn(move || {
        for line in BufReader::new(from).split(b'\n').map_while(Result::ok) {
            if to.send((stream, String::from_utf8_lossy(&line).into_owned())).is_err() {
                return;
            }
        }
    });
}

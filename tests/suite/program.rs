//! The program itself, as a process of its own.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};
use std::thread::{self, JoinHandle};

use crate::app::{self, Client};

/// A running `bottle`. Dropping it kills it.
pub(crate) struct Program {
    child: Child,
    stdout: Option<BufReader<ChildStdout>>,
    /// What it printed up to its address and the lines after it.
    pub(crate) banner: String,
    pub(crate) port: u16,
}

/// Passwords cost little, and nobody tries too often.
const SETTINGS: &str = "{argon2_memory_kib=8,argon2_iterations=1,login_attempts_per_minute=0,\
                        registrations_per_minute=0,throws_per_minute=0}";

/// `bottle` with these arguments in this folder, on a port of its own, hashing passwords fast.
pub(crate) fn bottle(folder: &Path, args: &[&str]) -> Command {
    // Another build of it may be named, for another machine perhaps.
    let program = env::var("BOTTLE_PROGRAM");
    let mut command = Command::new(program.as_deref().unwrap_or(env!("CARGO_BIN_EXE_bottle")));
    command
        .args(args)
        .current_dir(folder)
        .env("ROCKET_PORT", "0")
        .env("ROCKET_BOTTLE", SETTINGS)
        // A line a request would fill a pipe that nobody reads.
        .env("ROCKET_LOG_LEVEL", "critical")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Runs `bottle` with these arguments in this folder to its end, with `input` to read where it asks.
pub(crate) fn run(folder: &Path, args: &[&str], input: &str) -> Output {
    let mut child = bottle(folder, args).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// The same where it must succeed; what it printed.
#[track_caller]
pub(crate) fn works(folder: &Path, args: &[&str], input: &str) -> String {
    let output = run(folder, args, input);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The same where it must fail, and say why.
#[track_caller]
pub(crate) fn is_refused(folder: &Path, args: &[&str], input: &str, because: &str) {
    let output = run(folder, args, input);
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains(because), "{told}");
}

/// The names of all that is in a folder, in their order.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

impl Program {
    /// Starts it and waits until it listens.
    pub(crate) fn start(command: Command) -> Self {
        Self::try_start(command).unwrap_or_else(|error| panic!("it did not start: {error}"))
    }

    /// The same where it may refuse to start; what it said then.
    pub(crate) fn try_start(mut command: Command) -> Result<Self, String> {
        let mut child = command.spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut banner = String::new();
        while !banner.contains("Ctrl-C") {
            if stdout.read_line(&mut banner).unwrap() == 0 {
                let mut error = String::new();
                child.stderr.take().unwrap().read_to_string(&mut error).unwrap();
                child.wait().unwrap();
                return Err(banner + &error);
            }
        }
        let address = banner.split("listens on ").nth(1).unwrap();
        let address = address.split_whitespace().next().unwrap();
        let port = address.rsplit(':').next().unwrap().parse().unwrap();
        Ok(Self { child, stdout: Some(stdout), banner, port })
    }

    #[allow(dead_code)] // what only the faults ask
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(self.port)
    }

    /// A connection of the test's own.
    pub(crate) fn socket(&self) -> TcpStream {
        app::socket(self.port)
    }

    /// Sends a signal by name.
    pub(crate) fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill").args([&format!("-{signal}"), &pid]).status().unwrap().success()
        );
    }

    /// Closes the pipes that it writes to.
    pub(crate) fn stop_listening(&mut self) {
        self.child.stderr = None;
        self.stdout = None;
    }

    /// Reads, from now to its end, what it prints and logs: a pipe that nobody reads would fill up.
    pub(crate) fn listen(&mut self) -> [JoinHandle<String>; 2] {
        fn read(mut pipe: impl Read + Send + 'static) -> JoinHandle<String> {
            thread::spawn(move || {
                let mut bytes = Vec::new();
                pipe.read_to_end(&mut bytes).unwrap();
                String::from_utf8_lossy(&bytes).into_owned()
            })
        }
        [read(self.stdout.take().unwrap()), read(self.child.stderr.take().unwrap())]
    }

    /// Waits for its end.
    pub(crate) fn status(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    /// Lifts the limit on a resource, under the name that `prlimit` has for it.
    pub(crate) fn unlimit(&self, resource: &str) {
        let pid = self.child.id().to_string();
        let limit = format!("--{resource}=unlimited:");
        assert!(Command::new("prlimit").args(["--pid", &pid, &limit]).status().unwrap().success());
    }

    /// Waits for its end; what it still printed, and its log.
    pub(crate) fn wait(&mut self) -> (ExitStatus, String, String) {
        let status = self.child.wait().unwrap();
        let (mut out, mut log) = (String::new(), String::new());
        self.stdout.as_mut().unwrap().read_to_string(&mut out).unwrap();
        self.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        (status, out, log)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

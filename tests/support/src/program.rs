//! The compiled program, as a process.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};
use std::thread::{self, JoinHandle};

use crate::client::{self, Client};
use crate::settings::fast_settings_with;

/// A running `bottle`. Dropping it kills the process.
pub struct Program {
    child: Child,
    stdout: Option<BufReader<ChildStdout>>,
    /// The lines that it printed up to the one that names Ctrl-C.
    pub banner: String,
    /// The port that it listens on.
    pub port: u16,
}

/// Returns the program to test: the one that `BOTTLE_PROGRAM` names, perhaps built for another machine,
/// or else the one that Cargo built with the tests.
fn executable() -> OsString {
    let named = env::var_os("BOTTLE_PROGRAM").or_else(|| env::var_os("CARGO_BIN_EXE_bottle"));
    named.unwrap_or_else(|| {
        // Cargo puts it in the folder above that of the tests.
        let test = env::current_exe().unwrap();
        let folder = test.ancestors().nth(2).map(PathBuf::from).unwrap();
        folder.join("bottle").into_os_string()
    })
}

/// Returns the command `bottle` with these arguments, to run in this folder, on a free port and with
/// fast settings.
pub fn bottle(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(executable());
    command
        .args(args)
        .current_dir(folder)
        .env("ROCKET_PORT", "0")
        .env("ROCKET_BOTTLE", fast_settings_with(""))
        // A line for each request would fill a pipe that the test does not read.
        .env("ROCKET_LOG_LEVEL", "critical")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Runs `bottle` with these arguments in this folder to its end.
pub fn run(folder: &Path, args: &[&str]) -> Output {
    run_with_input(folder, args, "")
}

/// Runs `bottle`, which must succeed, and returns its standard output.
#[track_caller]
pub fn run_ok(folder: &Path, args: &[&str]) -> String {
    run_ok_with_input(folder, args, "")
}

/// Runs `bottle`, which must exit with status 1 and `message` on standard error.
#[track_caller]
pub fn run_err(folder: &Path, args: &[&str], message: &str) {
    run_err_with_input(folder, args, "", message);
}

/// The same as [`run`], with `input` on standard input.
pub fn run_with_input(folder: &Path, args: &[&str], input: &str) -> Output {
    let mut child = bottle(folder, args).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// The same as [`run_ok`], with `input` on standard input.
#[track_caller]
pub fn run_ok_with_input(folder: &Path, args: &[&str], input: &str) -> String {
    let output = run_with_input(folder, args, input);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The same as [`run_err`], with `input` on standard input.
#[track_caller]
pub fn run_err_with_input(folder: &Path, args: &[&str], input: &str, message: &str) {
    let output = run_with_input(folder, args, input);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains(message), "{stderr}");
}

/// Returns the names of the files in a folder, sorted.
pub fn file_names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

impl Program {
    /// Starts a server and waits until it listens.
    #[track_caller]
    pub fn start(command: Command) -> Self {
        Self::try_start(command).unwrap_or_else(|error| panic!("it did not start: {error}"))
    }

    /// Starts a server and waits until it listens. Returns the output of one that exits instead.
    pub fn try_start(mut command: Command) -> Result<Self, String> {
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

    /// Returns the process's id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Returns a client without a session.
    pub fn client(&self) -> Client {
        Client::new(self.port)
    }

    /// Opens a connection to the server.
    pub fn connect(&self) -> TcpStream {
        client::connect(self.port)
    }

    /// Sends a signal, by name: `TERM`, `KILL`.
    #[track_caller]
    pub fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        let status = Command::new("kill").args([&format!("-{signal}"), &id]).status();
        assert!(status.unwrap().success());
    }

    /// Closes the test's ends of the pipes that the process writes to.
    pub fn close_pipes(&mut self) {
        self.child.stderr = None;
        self.stdout = None;
    }

    /// Reads standard output and standard error to their ends, in threads: the process of a pipe that
    /// nobody reads would block.
    pub fn read_pipes(&mut self) -> [JoinHandle<String>; 2] {
        fn read(mut pipe: impl Read + Send + 'static) -> JoinHandle<String> {
            thread::spawn(move || {
                let mut bytes = Vec::new();
                pipe.read_to_end(&mut bytes).unwrap();
                String::from_utf8_lossy(&bytes).into_owned()
            })
        }
        [read(self.stdout.take().unwrap()), read(self.child.stderr.take().unwrap())]
    }

    /// Waits until the process ends.
    pub fn status(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    /// Removes a resource limit of the process, under the name that `prlimit` has for it.
    #[track_caller]
    pub fn remove_limit(&self, resource: &str) {
        let id = self.child.id().to_string();
        let limit = format!("--{resource}=unlimited:");
        assert!(Command::new("prlimit").args(["--pid", &id, &limit]).status().unwrap().success());
    }

    /// Waits until the process ends, and returns what it printed after the banner, and its log.
    pub fn wait(&mut self) -> (ExitStatus, String, String) {
        let status = self.child.wait().unwrap();
        let (mut stdout, mut stderr) = (String::new(), String::new());
        self.stdout.as_mut().unwrap().read_to_string(&mut stdout).unwrap();
        self.child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        (status, stdout, stderr)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

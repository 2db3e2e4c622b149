//! A receiver of the webhook.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use serde_json::Value;

use crate::TIMEOUT;

/// What a [`Receiver`] does with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Answers with this status.
    Status(u16),
    /// Answers with 302 and this address.
    Redirect(String),
    /// Closes the connection without an answer.
    Close,
    /// Answers nothing until another answer is set.
    Hold,
}

/// A request that a [`Receiver`] read.
#[derive(Clone, Debug)]
pub struct Received {
    /// The first line.
    pub line: String,
    /// The headers, by their names in lower case.
    pub headers: HashMap<String, String>,
    /// The body.
    pub body: String,
}

impl Received {
    /// Returns a header's value, or an empty string.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// Parses the body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

#[derive(Default)]
struct State {
    received: Vec<Received>,
    answer: Option<Answer>,
    /// The number of requests that wait for their answer, and the greatest number so far.
    open: usize,
    max_open: usize,
}

/// An HTTP server of the test's own, which keeps each request. It answers 200 until told otherwise, and
/// ends with the test.
pub struct Receiver {
    port: u16,
    state: Arc<(Mutex<State>, Condvar)>,
}

impl Receiver {
    /// Starts a receiver on this machine.
    #[expect(clippy::new_without_default, reason = "it starts a server")]
    pub fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state: Arc<(Mutex<State>, Condvar)> = Arc::default();
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                // A client that breaks off ends its own thread.
                thread::spawn(move || drop(serve(socket, &shared)));
            }
        });
        Self { port, state }
    }

    /// Returns its address.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook", self.port)
    }

    /// Sets the answer to all requests from now on, and to those that it holds.
    pub fn answer(&self, answer: Answer) {
        lock(&self.state.0).answer = Some(answer);
        self.state.1.notify_all();
    }

    /// Waits until it has read `count` requests, and returns all of them.
    #[track_caller]
    pub fn wait_for(&self, count: usize) -> Vec<Received> {
        let (state, changed) = &*self.state;
        let waited =
            changed.wait_timeout_while(lock(state), TIMEOUT, |state| state.received.len() < count);
        let (state, result) = waited.unwrap();
        assert!(!result.timed_out(), "{} of {count} requests", state.received.len());
        state.received.clone()
    }

    /// Returns the requests that it has read.
    pub fn received(&self) -> Vec<Received> {
        lock(&self.state.0).received.clone()
    }

    /// Returns the greatest number of requests that waited for their answer at one time.
    pub fn max_open(&self) -> usize {
        lock(&self.state.0).max_open
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(socket: TcpStream, (state, changed): &(Mutex<State>, Condvar)) -> std::io::Result<()> {
    let received = read(&socket)?;
    let mut guard = lock(state);
    guard.received.push(received);
    guard.open += 1;
    guard.max_open = guard.max_open.max(guard.open);
    changed.notify_all();
    let mut guard = changed
        .wait_while(guard, |state| state.answer == Some(Answer::Hold))
        .unwrap_or_else(PoisonError::into_inner);
    guard.open -= 1;
    let answer = guard.answer.clone().unwrap_or(Answer::Status(200));
    drop(guard);
    let (status, more) = match answer {
        Answer::Status(status) => (status, String::new()),
        Answer::Redirect(to) => (302, format!("Location: {to}\r\n")),
        Answer::Close | Answer::Hold => return Ok(()),
    };
    write!(&socket, "HTTP/1.1 {status} Answer\r\n{more}Content-Length: 2\r\n\r\nok")
}

fn read(socket: &TcpStream) -> std::io::Result<Received> {
    let mut reader = BufReader::new(socket);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut headers = HashMap::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        match header.trim_end().split_once(": ") {
            Some((name, value)) => headers.insert(name.to_lowercase(), value.to_owned()),
            None => break,
        };
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let body = String::from_utf8_lossy(&body).into_owned();
    Ok(Received { line: line.trim_end().to_owned(), headers, body })
}

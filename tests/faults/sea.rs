//! A database file that outlives the programs which serve it, and what they have acknowledged.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, ScopedJoinHandle};

use bottle_test_support::{Client, Program, bottle, read_until_closed};
use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;

const WRITERS: usize = 16;

/// The file, with one account, `ada`.
pub(crate) struct Sea {
    folder: TempDir,
    cookie: String,
    /// The ids of the bottles whose throw was answered with 200.
    acknowledged: Mutex<Vec<i64>>,
}

impl Sea {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = Program::start(bottle(folder.path(), &[]));
        let cookie = join(&program, "ada");
        Self { folder, cookie, acknowledged: Mutex::default() }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("bottle.db")
    }

    /// The program over this file.
    pub(crate) fn command(&self) -> Command {
        bottle(self.folder.path(), &[])
    }

    pub(crate) fn start(&self) -> Program {
        Program::start(self.command())
    }

    /// Ada, logged in since the beginning.
    pub(crate) fn ada(&self, program: &Program) -> Client {
        let mut client = program.client();
        client.headers.push(("Cookie".into(), self.cookie.clone()));
        client
    }

    pub(crate) fn acknowledged(&self) -> usize {
        self.acknowledged.lock().unwrap().len()
    }

    /// Throws a bottle as ada; the status, and its id where that is 200.
    #[track_caller]
    pub(crate) fn throw(&self, program: &Program) -> u16 {
        let response = self.ada(program).post("/api/bottles", &a_bottle("c"));
        assert!(response.json().is_object(), "{}", response.text);
        if response.status == 200 {
            self.note(&response.json());
        }
        response.status
    }

    /// Throws a bottle as ada, with a request of one packet; the status. Where the backlog overflows, the
    /// kernel itself resets a client whose request has two.
    #[track_caller]
    pub(crate) fn throw_in_one_packet(&self, program: &Program) -> u16 {
        let (cookie, bottle) = (&self.cookie, a_bottle("c").to_string());
        let request = format!(
            "POST /api/bottles HTTP/1.1\r\nHost: bottle\r\nConnection: close\r\nCookie: {cookie}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{bottle}",
            bottle.len()
        );
        let mut socket = program.connect();
        socket.write_all(request.as_bytes()).unwrap();
        let response = read_until_closed(socket);
        let (head, body) = response.split_once("\r\n\r\n").unwrap_or((&response, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.unwrap_or_else(|| panic!("{response:?}"));
        if status == 200 {
            self.note(&serde_json::from_str(body).unwrap());
        }
        status
    }

    fn note(&self, response: &Value) {
        let id = response["data"]["bottle_id"].as_i64().unwrap();
        self.acknowledged.lock().unwrap().push(id);
    }

    /// Sixteen writers throw until the program is gone. Once `more` throws are acknowledged, `end` ends
    /// it under them.
    pub(crate) fn throw_until(&self, program: &Program, more: usize, end: impl FnOnce()) {
        let enough = self.acknowledged() + more;
        let ended = AtomicBool::new(false);
        thread::scope(|scope| {
            let writers = [(); WRITERS].map(|()| {
                scope.spawn(|| {
                    while self.throw_once(program.port) {}
                    assert!(ended.load(Ordering::SeqCst), "a throw failed before the end");
                })
            });
            wait_until(&writers, || self.acknowledged() >= enough);
            ended.store(true, Ordering::SeqCst);
            end();
        });
    }

    /// Sixteen writers throw so many bottles together, all of which must be answered with 200.
    #[track_caller]
    pub(crate) fn throw_many(&self, program: &Program, count: usize) {
        thread::scope(|scope| {
            for _ in 0..WRITERS {
                scope.spawn(|| {
                    for _ in 0..count.div_ceil(WRITERS) {
                        assert!(self.throw_once(program.port), "a throw failed");
                    }
                });
            }
        });
    }

    /// Throws bottles over one connection as long as they are answered; why they are no more, and whether
    /// the connection was to be kept.
    pub(crate) fn throw_on(&self, port: u16, thrown: &AtomicUsize) -> (ureq::Error, bool) {
        let agent = ureq::Agent::new_with_defaults();
        let mut kept = false;
        loop {
            let response = agent
                .post(format!("http://127.0.0.1:{port}/api/bottles"))
                .header("Cookie", &self.cookie)
                .send_json(a_bottle("c"))
                .and_then(|mut response| {
                    kept = !response.headers().contains_key("connection");
                    response.body_mut().read_json::<Value>()
                });
            match response {
                Ok(response) => self.note(&response),
                Err(error) => return (error, kept),
            }
            thrown.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Throws a bottle; false if there is no whole answer.
    fn throw_once(&self, port: u16) -> bool {
        let response = ureq::post(format!("http://127.0.0.1:{port}/api/bottles"))
            .header("Cookie", &self.cookie)
            .send_json(a_bottle("c"));
        let Ok(mut response) = response else { return false };
        let Ok(response) = response.body_mut().read_json::<Value>() else { return false };
        self.note(&response);
        true
    }

    /// Fails unless the file is sound and holds all that was acknowledged.
    #[track_caller]
    pub(crate) fn check(&self) {
        self.check_copy(&self.path());
    }

    /// The same of another file.
    #[track_caller]
    pub(crate) fn check_copy(&self, path: &Path) {
        check(path, &self.acknowledged.lock().unwrap());
    }

    /// The ids of the bottles whose throw was answered with 200, in their order.
    pub(crate) fn ids(&self) -> Vec<i64> {
        let mut ids = self.acknowledged.lock().unwrap().clone();
        ids.sort_unstable();
        ids
    }
}

/// Waits for something that the clients bring about, unless one of them fails before.
pub(crate) fn wait_until(clients: &[ScopedJoinHandle<'_, ()>], is_so: impl Fn() -> bool) {
    while !is_so() && !clients.iter().any(ScopedJoinHandle::is_finished) {
        thread::yield_now();
    }
}

/// Registers and logs in; the session's cookie.
pub(crate) fn join(program: &Program, name: &str) -> String {
    let mut client = program.client();
    let account = json!({ "username": name, "password": "pass" });
    let response = client.post("/api/users", &account);
    assert_eq!(response.status, 200, "{}", response.text);
    client.log_in(name, "pass");
    client.headers[0].1.clone()
}

pub(crate) fn a_bottle(content: &str) -> Value {
    json!({ "content": content, "location": { "latitude": 1.5, "longitude": 1.5 } })
}

/// Fails unless the file at `path` is sound and holds these bottles.
#[track_caller]
pub(crate) fn check(path: &Path, bottles: &[i64]) {
    let db = Connection::open(path).unwrap();
    for pragma in ["PRAGMA integrity_check", "SELECT rtreecheck('bottles_rtree')"] {
        let verdict: String = db.query_row(pragma, [], |row| row.get(0)).unwrap();
        assert_eq!(verdict, "ok", "{pragma}");
    }
    for (finds, what) in [
        ("SELECT 1 FROM pragma_foreign_key_check", "a foreign key points nowhere"),
        (
            "SELECT 1
             FROM (SELECT place, id FROM bottle_places JOIN bottles ON id = bottle_id
                   WHERE hidden_at IS NULL)
             FULL JOIN bottles_rtree USING (place)
             FULL JOIN map_bottles USING (place)
             WHERE id IS NULL OR latitude IS NULL OR min_latitude IS NULL",
            "the bottles, the map and the R*-tree disagree",
        ),
        (
            "SELECT 1 FROM bottles FULL JOIN messages ON bottle_id = id
             WHERE id IS NULL OR bottle_id IS NULL",
            "a bottle has no message, or a message no bottle",
        ),
        (
            "SELECT 1
             FROM (SELECT level, y, x, count(*) AS bottles FROM bottle_cells GROUP BY 1, 2, 3)
             FULL JOIN cells USING (level, y, x) WHERE bottles IS NOT count",
            "the cells' counts are off",
        ),
    ] {
        assert!(!db.prepare(finds).unwrap().exists([]).unwrap(), "{what}");
    }
    let mut exists = db.prepare("SELECT 1 FROM bottles WHERE id = ?1").unwrap();
    for id in bottles {
        assert!(exists.exists([id]).unwrap(), "bottle {id} is lost");
    }
}

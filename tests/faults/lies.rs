//! A disk that returns other bits than were written.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use bottle::store::{backup, check};
use bottle_test_support::{Client, Program, Random, Response, bottle, file_names};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::sea::{self, a_bottle};

const HERE: &str = "latitude=1&longitude=1&latitude_span=1&longitude_span=1";

/// A file that nobody serves: bottles of ada with long and short messages, opened and answered by bob, and
/// an account in each contract.
struct Still {
    folder: tempfile::TempDir,
    root: Client,
    bob: Client,
    others: [Client; 3],
}

impl Still {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut program = Program::start(bottle(folder.path(), &[]));
        let token = program.banner.split("/setup#").nth(1).unwrap().split_whitespace().next();
        let account = json!({ "token": token, "username": "root", "password": "pass" });
        assert_eq!(program.client().post("/api/setup", &account).status, 200);
        let mut root = program.client();
        root.log_in("root", "pass");
        sea::join(&program, "bob");
        let mut bob = program.client();
        bob.log_in("bob", "pass");
        for n in 0..120 {
            let bottle = a_bottle(&"flotsam ".repeat(1 + n * n % 97));
            let id = root.post("/api/bottles", &bottle).data()["bottle_id"].clone();
            if n % 4 == 0 {
                assert_eq!(bob.post(&format!("/api/bottles/{id}/open"), &json!({})).status, 200);
                let reply = json!({ "content": "found it" });
                assert_eq!(bob.post(&format!("/api/bottles/{id}/replies"), &reply).status, 200);
            }
        }
        let others = others(&program);
        program.signal("TERM");
        assert_eq!(program.status().code(), Some(0));
        Self { folder, root, bob, others }
    }

    /// A copy of the file in a folder of its own.
    fn copy(&self) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bottle.db");
        fs::copy(self.folder.path().join("bottle.db"), &path).unwrap();
        (folder, path)
    }

    fn clients(&self, program: &Program) -> (Client, Client, [Client; 3]) {
        let again = |client: &Client| {
            let mut again = program.client();
            again.headers.clone_from(&client.headers);
            again
        };
        (again(&self.root), again(&self.bob), self.others.each_ref().map(again))
    }
}

/// Accounts of Ledger, Music and Bookstore, logged in.
fn others(program: &Program) -> [Client; 3] {
    let mut ledger = program.client();
    let account = json!({ "name": "lea", "password": "pass" });
    assert_eq!(ledger.post("/user/register", &account).status, 201);
    let login = ledger.post("/user/login", &account);
    let cookie = login.header("set-cookie").split(';').next().unwrap().to_owned();
    ledger.headers.push(("Cookie".into(), cookie));
    let mut music = program.client();
    let account = json!({ "nickname": "max", "email": "max@example.org", "password": "pass" });
    assert_eq!(music.post("/api/user/register", &account).status, 200);
    let token = music.post("/api/user/login", &account).data()["token"].clone();
    music.headers.push(("Authorization".into(), format!("Bearer {}", token.as_str().unwrap())));
    let mut bookstore = program.client();
    let account = json!({ "user_id": "boo", "password": "pass", "terminal": "t" });
    assert_eq!(bookstore.post("/auth/register", &account).status, 200);
    let token = bookstore.post("/auth/login", &account).json()["token"].clone();
    bookstore.headers.push(("token".into(), token.as_str().unwrap().to_owned()));
    [ledger, music, bookstore]
}

/// The place in the file of a page with rows of this table, from its middle if it has several.
fn a_page_of(path: &Path, table: &str) -> u64 {
    let db = Connection::open(path).unwrap();
    let sql = "SELECT (pageno - 1) * page_size FROM dbstat, pragma_page_size
               WHERE name = ?1 AND pagetype = 'leaf' ORDER BY path";
    let mut leaves = db.prepare(sql).unwrap();
    let leaves: Result<Vec<u32>, _> =
        leaves.query_map([table], |row| row.get(0)).unwrap().collect();
    let leaves = leaves.unwrap();
    leaves[leaves.len() / 3].into()
}

/// The bit of a page's first byte that makes a leaf of it.
const PAGE_TYPE: u32 = 3;

fn flip(path: &Path, at: u64, bit: u32) {
    let file = File::options().read(true).write(true).open(path).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[byte[0] ^ (1 << bit)], at).unwrap();
}

/// Changes a row in another program, after which the server keeps nothing that it has read before.
fn change_elsewhere(path: &Path) {
    let change = "UPDATE bottles SET style = style WHERE id = 1; PRAGMA wal_checkpoint(TRUNCATE)";
    Connection::open(path).unwrap().execute_batch(change).unwrap();
}

/// Fails unless the response says that the store is unavailable, as the Bottle contract does.
#[track_caller]
fn assert_unavailable(response: &Response) {
    assert_eq!(response.status, 503, "{}", response.text);
    assert_eq!(response.json()["status"], "SERVICE_UNAVAILABLE");
    assert_eq!(response.header("retry-after"), "5");
}

fn readiness(client: &Client) -> (u16, Value) {
    let ready = client.get("/readyz");
    (ready.status, ready.json()["status"].clone())
}

/// A page of messages, then one of sessions, is damaged under the server.
pub(crate) fn damaged_page(times: usize) -> String {
    let still = Still::new();
    for _ in 0..times {
        let (folder, path) = still.copy();
        let mut program = Program::start(bottle(folder.path(), &[]));
        let (root, bob, others) = still.clients(&program);
        backed_up(&root, None);
        let before = file_names(&folder.path().join("backups"));
        assert_eq!(readiness(&root), (200, "ok".into()));

        let page = a_page_of(&path, "messages");
        flip(&path, page, PAGE_TYPE);
        // More often than there are others' bottles: those on the page are left.
        let caught = [(); 100].map(|()| bob.post("/api/bottles/catch", &json!({})));
        let failed = caught.iter().filter(|response| response.status != 200);
        failed.clone().for_each(assert_unavailable);
        assert!((1..50).contains(&failed.count()));
        for path in ["/api/users/self", "/api/inbox"] {
            assert_eq!(bob.get(path).status, 200, "{path}");
        }
        assert_eq!(bob.get(&format!("/api/bottles/nearby?{HERE}")).status, 200);
        assert_eq!(root.post("/api/bottles", &a_bottle("c")).status, 200, "writes go on");
        assert_eq!(readiness(&root), (503, "the database is damaged".into()));
        backed_up(&root, Some("is not sound"));
        let health = root.get("/api/admin/health").data();
        assert_eq!(health["warnings"], json!(["backup_failed", "damaged"]));
        assert_eq!(file_names(&folder.path().join("backups")), before);
        let output = bottle(folder.path(), &["backup", "copy.db"]).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(!folder.path().join("copy.db").exists());
        let output = bottle(folder.path(), &["check"]).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        flip(&path, page, PAGE_TYPE);
        // A sound backup is a check.
        backed_up(&root, None);
        assert_eq!(readiness(&root), (200, "ok".into()));

        // Every contract needs a session.
        flip(&path, a_page_of(&path, "sessions"), PAGE_TYPE);
        change_elsewhere(&path);
        assert_unavailable(&bob.get("/api/users/self"));
        let [ledger, music, bookstore] = &others;
        assert_eq!(ledger.get("/card").status, 503);
        assert_eq!(music.get("/api/user/profile").json()["code"], 40003);
        let left = bookstore.post("/auth/logout", &json!({ "user_id": "boo" }));
        assert_eq!(left.status, 503, "{}", left.text);
        for path in ["/", "/healthz", "/api/settings"] {
            assert_eq!(program.client().get(path).status, 200, "{path}");
        }
        program.signal("TERM");
        let (_, _, log) = program.wait();
        let lines = log.matches("Until a check finds nothing wrong").count();
        assert_eq!(lines, 2, "once for each damage: {log}");
    }
    "requests that needed the page got 503 in each contract's shape, the others were served; logged once; backups failed".into()
}

/// Makes a backup, which must succeed or fail with a reason.
#[track_caller]
fn backed_up(root: &Client, reason: Option<&str>) {
    assert_eq!(root.post("/api/admin/backups", &json!({})).status, 202);
    let listed = loop {
        let listed = root.get("/api/admin/backups").data();
        if listed.get("running").is_none() {
            break listed;
        }
    };
    let failure = listed.get("failure").map(|failure| failure["reason"].to_string());
    match reason {
        None => assert_eq!(failure, None),
        Some(reason) => assert!(failure.clone().unwrap().contains(reason), "{failure:?}"),
    }
}

/// Sends a GET whose answer need not be documented: what has changed may be outside its bounds. Returns the
/// status and the body.
fn ask(program: &Program, client: &Client, path: &str) -> (u16, String) {
    let agent: ureq::Agent =
        ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let request = agent.get(format!("http://127.0.0.1:{}{path}", program.port));
    let headers = client.headers.iter();
    let request = headers.fold(request, |request, (name, value)| request.header(name, value));
    let mut response = request.call().unwrap();
    (response.status().as_u16(), response.body_mut().read_to_string().unwrap_or_default())
}

/// The flips of one time.
const FLIPS: usize = 15;

/// One bit of any page is wrong while the file is served, then another.
pub(crate) fn flipped_bits(times: usize) -> String {
    let still = Still::new();
    let (folder, path) = still.copy();
    let elsewhere = tempfile::tempdir().unwrap();
    let program = Program::start(bottle(folder.path(), &[]));
    let (root, bob, [ledger, ..]) = still.clients(&program);
    let size = fs::metadata(&path).unwrap().len();
    let mut random = Random::new(22);
    let (mut found, mut met) = (0, 0);
    for _ in 0..times * FLIPS {
        let (at, bit) = (random.within(size as f64) as u64, random.within(8.0) as u32);
        flip(&path, at, bit);
        let nearby = format!("/api/bottles/nearby?{HERE}&limit=20");
        let reads = [
            (&root, "/api/bottles/created"),
            (&bob, "/api/bottles/opened"),
            (&bob, "/api/users/self"),
            (&bob, "/api/inbox"),
            (&bob, "/api/bottles/1/replies"),
            (&bob, &nearby),
            (&root, "/api/admin/people"),
            (&ledger, "/card"),
        ];
        let mut is_met = false;
        for (client, read) in reads {
            // A name or a number that has changed may also lead nowhere.
            let (status, text) = ask(&program, client, read);
            assert!(status == 503 || (200..500).contains(&status), "{at}.{bit} {read}: {text}");
            is_met |= status == 503;
        }
        let findings = check::check(&path);
        let is_found = findings.as_ref().map_or(true, |findings| !findings.is_empty());
        let copy = backup::backup(&path, &elsewhere.path().join("copy.db"), |_, _| {});
        assert_eq!(copy.is_err(), is_found, "{at}.{bit}: {findings:?}; {copy:?}");
        if copy.is_ok() {
            fs::remove_file(elsewhere.path().join("copy.db")).unwrap();
        }
        flip(&path, at, bit);
        change_elsewhere(&path);
        found += usize::from(is_found);
        met += usize::from(is_met);
    }
    let flips = times * FLIPS;
    format!(
        "of {flips} flips `bottle check` found {found} and 8 reads met {met}, with 503; no backup had one that a check finds"
    )
}

//! kill -9 under writers: nothing that was acknowledged is lost, and the next start needs no repair.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rstest::rstest;
use rusqlite::Connection;
use serde_json::json;

use crate::program::{Program, bottle};

const WRITERS: usize = 16;

/// A dozen kills; more on demand: `BOTTLE_KILLS=1000 cargo test crash`.
#[rstest]
fn nothing_acknowledged_is_lost() {
    let kills: usize =
        std::env::var("BOTTLE_KILLS").ok().map_or(12, |kills| kills.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let acknowledged = Mutex::new(Vec::new());
    for round in 0..kills {
        let program = Program::start(bottle(folder.path(), &[]));
        if round == 0 {
            let ada = json!({ "username": "ada", "password": "pass" });
            assert_eq!(program.client().post("/api/users", &ada).status, 200);
        }
        throw_until_killed(&program, &acknowledged, (round + 1) * 200);
        drop(program);
        check(&folder.path().join("bottle.db"), &acknowledged.lock().unwrap());
    }
    println!("{kills} kills, {} bottles acknowledged", acknowledged.lock().unwrap().len());
}

/// Sixteen writers throw; when `enough` bottles have been acknowledged in all, the program is killed
/// under them.
fn throw_until_killed(program: &Program, acknowledged: &Mutex<Vec<i64>>, enough: usize) {
    let mut client = program.client();
    client.log_in("ada", "pass");
    let cookie = client.headers[0].1.clone();
    let killed = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..WRITERS {
            scope.spawn(|| {
                while let Some(id) = throw(program.port, &cookie) {
                    acknowledged.lock().unwrap().push(id);
                }
                assert!(killed.load(Ordering::SeqCst), "a throw failed before the kill");
            });
        }
        while acknowledged.lock().unwrap().len() < enough {
            thread::yield_now();
        }
        killed.store(true, Ordering::SeqCst);
        program.signal("KILL");
    });
}

/// Throws a bottle; nothing if there is no whole answer.
fn throw(port: u16, cookie: &str) -> Option<i64> {
    let bottle = json!({ "content": "c", "location": { "latitude": 1.5, "longitude": 1.5 } });
    let mut answer = ureq::post(format!("http://127.0.0.1:{port}/api/bottles"))
        .header("Cookie", cookie)
        .send_json(bottle)
        .ok()?;
    let answer: serde_json::Value = answer.body_mut().read_json().ok()?;
    answer["data"]["bottle_id"].as_i64()
}

fn check(path: &Path, acknowledged: &[i64]) {
    let db = Connection::open(path).unwrap();
    for pragma in ["PRAGMA integrity_check", "SELECT rtreecheck('bottles_rtree')"] {
        let verdict: String = db.query_row(pragma, [], |row| row.get(0)).unwrap();
        assert_eq!(verdict, "ok", "{pragma}");
    }
    let broken = db.prepare("PRAGMA foreign_key_check").unwrap().exists([]).unwrap();
    assert!(!broken, "a foreign key points nowhere");
    let stray: i64 = db
        .query_row(
            "SELECT count(*) FROM bottles FULL JOIN bottles_rtree USING (id)
             WHERE bottles.latitude IS NULL OR min_latitude IS NULL",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(stray, 0, "the table and the R*-tree disagree");
    let miscounted = "SELECT 1 FROM levels LEFT JOIN cells USING (level) GROUP BY level
         HAVING total(count) <> (SELECT count(*) FROM bottles)";
    assert!(!db.prepare(miscounted).unwrap().exists([]).unwrap(), "the cells' counts are off");
    let mut exists = db.prepare("SELECT 1 FROM bottles WHERE id = ?1").unwrap();
    for id in acknowledged {
        assert!(exists.exists([id]).unwrap(), "bottle {id} is lost");
    }
}

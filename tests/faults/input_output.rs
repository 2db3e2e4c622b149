//! A disk that is full or broken, and others who hold the file.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use bottle_test_support::{Client, Program, bottle, file_names};
use rusqlite::Connection;
use serde_json::json;

use crate::sea::{self, Sea, a_bottle};
use crate::shim::Shim;

const HERE: &str = "latitude=1&longitude=1&latitude_span=1&longitude_span=1";

/// A read that touches the file.
#[track_caller]
fn read(client: &Client) {
    let response = client.get(&format!("/api/bottles/nearby?{HERE}&limit=5"));
    assert_eq!(response.status, 200, "{}", response.text);
}

/// On a file system of its own of so many MiB, of which `ballast` takes some; `at` is where others see it.
fn on_a_small_disk(mib: u32, ballast: u32) -> (Program, PathBuf, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let script = format!(
        "mount -t tmpfs -o size={mib}m tmpfs \"$0\" && cd \"$0\" \
         && head -c {ballast} /dev/zero > ballast && exec \"$1\""
    );
    // The settings of any other program.
    let settings = bottle(folder.path(), &[]);
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c", &script]);
    command.arg(folder.path()).arg(env!("CARGO_BIN_EXE_bottle"));
    command.envs(settings.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let program = Program::start(command);
    let path = folder.path().strip_prefix("/").unwrap().to_owned();
    let at = PathBuf::from(format!("/proc/{}/root", program.id())).join(path);
    (program, at, folder)
}

pub(crate) fn disk_full(times: usize) -> String {
    let mut refused = 0;
    for _ in 0..times {
        let (program, at, _folder) = on_a_small_disk(3, 1_000_000);
        sea::join(&program, "ada");
        let mut ada = program.client();
        ada.log_in("ada", "pass");
        let long = a_bottle(&"x".repeat(900));
        let mut acknowledged = Vec::new();
        let throw = |acknowledged: &mut Vec<i64>| {
            let response = ada.post("/api/bottles", &long);
            acknowledged.extend(response.data()["bottle_id"].as_i64());
            response
        };
        let full = loop {
            let response = throw(&mut acknowledged);
            if response.status != 200 {
                break response;
            }
        };
        assert!(matches!(full.status, 503 | 507), "{}", full.text);
        assert!(full.json()["status"].is_string(), "{}", full.text);
        for _ in 0..20 {
            refused += usize::from(throw(&mut acknowledged).status != 200);
            read(&ada);
        }
        fs::remove_file(at.join("ballast")).unwrap();
        assert_eq!(throw(&mut acknowledged).status, 200, "there is room again");
        program.signal("STOP");
        let copy = tempfile::tempdir().unwrap();
        for name in ["bottle.db", "bottle.db-wal"] {
            fs::copy(at.join(name), copy.path().join(name)).unwrap();
        }
        sea::check(&copy.path().join("bottle.db"), &acknowledged);
    }
    format!("{refused} more throws tried in vain; reads went on, and writes once there was room")
}

/// The disk has no room for a backup and for the server's own changes.
pub(crate) fn backup_on_full_disk(times: usize) -> String {
    for _ in 0..times {
        let (program, at, _folder) = on_a_small_disk(48, 20_000_000);
        let token = program.banner.split("/setup#").nth(1).unwrap().split_whitespace().next();
        let account = json!({ "token": token, "username": "root", "password": "pass" });
        assert_eq!(program.client().post("/api/setup", &account).status, 200);
        let mut root = program.client();
        root.log_in("root", "pass");
        let back_up = || {
            assert_eq!(root.post("/api/admin/backups", &json!({})).status, 202);
            loop {
                let listed = root.get("/api/admin/backups").data();
                if listed.get("running").is_none() {
                    return listed;
                }
                root.throw(1.0, 1.0);
            }
        };
        let failed = back_up();
        let reason = failed["failure"]["reason"].as_str().unwrap();
        assert!(reason.contains("MiB free"), "{reason}");
        assert_eq!(file_names(&at.join("backups")), [""; 0]);
        fs::remove_file(at.join("ballast")).unwrap();
        let made = back_up();
        assert_eq!((made.get("failure"), &made["backups"][0]["verdict"]), (None, &json!("sound")));
    }
    "failed with the reason and left nothing; throws went on; made once there was room".into()
}

pub(crate) fn error_at_nth_call(times: usize) -> String {
    let (sea, shim) = (Sea::new(), Shim::new());
    let mut refused = 0;
    for nth in 0..times {
        let mut command = sea.command();
        shim.under(&mut command);
        let program = Program::start(command);
        assert_eq!(sea.throw(&program), 200);
        // One call, a few, or all for a while.
        shim.fail(nth as i64, [1, 3, 40][nth % 3]);
        thread::scope(|scope| {
            let writers: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| (0..8).map(|_| sea.throw(&program)).collect::<Vec<_>>()))
                .collect();
            let ada = sea.ada(&program);
            for _ in 0..16 {
                let response = ada.get("/api/bottles/created?limit=10");
                assert!(matches!(response.status, 200 | 503), "{}", response.text);
            }
            for status in writers.into_iter().flat_map(|writer| writer.join().unwrap()) {
                assert!(matches!(status, 200 | 503), "{status}");
                refused += usize::from(status == 503);
            }
        });
        shim.mend();
        assert_eq!(sea.throw(&program), 200, "the disk works again");
        program.signal("KILL");
        drop(program);
        sea.check();
    }
    format!("{} calls failed, {refused} throws refused, none acknowledged and lost", shim.mend())
}

pub(crate) fn lock_held_elsewhere(times: usize) -> String {
    let sea = Sea::new();
    let mut command = sea.command();
    command.env("ROCKET_BOTTLE", "{busy_timeout_ms=100,throws_per_minute=0}");
    let program = Program::start(command);
    let other = Connection::open(sea.path()).unwrap();
    for _ in 0..times {
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        assert_eq!(sea.throw(&program), 503);
        read(&sea.ada(&program));
        other.execute_batch("ROLLBACK").unwrap();
        assert_eq!(sea.throw(&program), 200);
    }
    drop(program);
    sea.check();
    "writes refused, reads went on, writes too afterwards".into()
}

/// Below this the log is cut back once nobody reads from it.
const LOG_CAP: u64 = 64 * 1024 * 1024;

pub(crate) fn reader_stays(times: usize) -> String {
    let sea = Sea::new();
    let program = sea.start();
    let log = sea.folder().join("bottle.db-wal");
    let size = || fs::metadata(&log).unwrap().len();
    let mut largest = 0;
    for _ in 0..times {
        let reader = Connection::open(sea.path()).unwrap();
        reader.execute_batch("BEGIN; SELECT count(*) FROM bottles").unwrap();
        let before = size();
        while size() < before + 2 * 1024 * 1024 || size() < LOG_CAP {
            sea.throw_many(&program, 200);
        }
        largest = largest.max(size());
        reader.execute_batch("COMMIT").unwrap();
        drop(reader);
        while size() > LOG_CAP {
            sea.throw_many(&program, 200);
        }
    }
    drop(program);
    sea.check();
    format!("the log grew to {} MiB under it and was cut back below 64", largest >> 20)
}

/// Runs the program in `folder`, which it cannot write to, as on a read-only disk; what it printed.
fn works_read_only(folder: &Path, args: &[&str]) -> String {
    let script = "mount --bind \"$0\" \"$0\" && mount -o remount,bind,ro \"$0\" && cd \"$0\" \
                  && ! touch written 2>/dev/null && exec \"$@\"";
    let plain = bottle(folder, args);
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c", script]).arg(folder);
    command.arg(plain.get_program()).args(args);
    let output = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {stderr}");
    String::from_utf8(output.stdout).unwrap()
}

/// Everything that only reads, from a disk that cannot be written to.
fn read_all(sea: &Sea) {
    let elsewhere = tempfile::tempdir().unwrap();
    let at = |name: &str| elsewhere.path().join(name).to_str().unwrap().to_owned();
    let before = file_names(sea.folder());
    let works = |args: &[&str]| works_read_only(sea.folder(), args);
    assert!(works(&["check"]).contains("nothing is wrong"));
    assert!(works(&["user", "list"]).contains("ada"));
    let rows = sea.acknowledged() + 1;
    assert_eq!(works(&["export"]).lines().count(), rows);
    works(&["export", &at("sea.jsonl")]);
    assert_eq!(fs::read_to_string(at("sea.jsonl")).unwrap().lines().count(), rows);
    works(&["backup", &at("copy.db")]);
    works(&["restore", "bottle.db", "--db", &at("bottle.db")]);
    for copy in ["copy.db", "bottle.db"] {
        sea.check_copy(&elsewhere.path().join(copy));
    }
    assert_eq!(file_names(sea.folder()), before);
}

pub(crate) fn read_only_disk(times: usize) -> String {
    for _ in 0..times {
        let sea = Sea::new();
        let mut program = sea.start();
        sea.throw_many(&program, 32);
        // The server writes on, where the disk is read-only for the commands alone.
        read_all(&sea);
        program.signal("KILL");
        program.status();
        read_all(&sea);
        program = sea.start();
        program.signal("TERM");
        program.status();
        assert_eq!(file_names(sea.folder()), ["bottle.db", "bottle.db.setup"]);
        read_all(&sea);
    }
    "the file was read by check, export, user list, backup and restore, while it was served, after a kill and at rest".into()
}

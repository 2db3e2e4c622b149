//! The power goes while a command or an operator copies the file, or a command changes it.

use std::fs;
use std::path::Path;

use bottle_test_support::{Client, Program, bottle, run_ok_with_input};
use serde_json::json;

use super::{Cut, Cuts, Journal, Recorder};
use crate::restores::{Before, Killed};
use crate::sea::{self, Sea};

/// Runs `bottle` under the recorder. It must succeed.
fn run_recorded(recorder: &Recorder, folder: &Path, args: &[&str]) {
    let output = recorder.under(bottle(folder, args)).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A backup or an export with its name, where it is, what must be in it, and when it was acknowledged.
struct Copy {
    name: String,
    bottles: Vec<i64>,
    acknowledged: u64,
}

/// Has the server back up while bottles are thrown, and returns the name of the backup.
fn back_up(root: &Client, mut meanwhile: impl FnMut()) -> String {
    assert_eq!(root.post("/api/admin/backups", &json!({})).status, 202);
    loop {
        meanwhile();
        let listed = root.get("/api/admin/backups").data();
        if listed.get("running").is_none() {
            return format!("backups/{}", listed["backups"][0]["name"].as_str().unwrap());
        }
    }
}

impl Copy {
    /// Fails unless the backup or the export is whole and has these bottles.
    fn check(&self, folder: &Path, bottles: &[i64]) {
        let path = folder.join(&self.name);
        if self.name.ends_with(".jsonl") {
            let rows = fs::read_to_string(path).unwrap();
            assert!(rows.lines().count() > bottles.len() && rows.ends_with("}\n"), "{rows:?}");
        } else {
            sea::check(&path, bottles);
        }
    }
}

/// Records backups by the server and by the command, and exports, each of which is asked for twice.
fn record_backups(sea: &Sea) -> (Journal, Vec<Copy>) {
    run_ok_with_input(sea.folder(), &["user", "add", "root", "--operator"], "pass\n");
    let recorder = Recorder::new(sea.folder());
    let program = Program::start(recorder.under(sea.command()));
    let mut root = program.client();
    root.log_in("root", "pass");
    let mut copies = Vec::new();
    for nth in 0..2 {
        sea.throw_many(&program, 16);
        let bottles = sea.ids();
        let name = back_up(&root, || assert_eq!(sea.throw(&program), 200));
        copies.push(Copy { name, bottles, acknowledged: recorder.position() });
        let bottles = sea.ids();
        let mut run = |command: &str, name: &str| {
            run_recorded(&recorder, sea.folder(), &[command, name]);
            let (name, bottles) = (name.to_owned(), bottles.clone());
            copies.push(Copy { name, bottles, acknowledged: recorder.position() });
        };
        run("backup", "copy.db");
        run("export", &format!("rows{nth}.jsonl"));
    }
    (recorder.journal(), copies)
}

fn check_backups(cut: &Cut<'_>, copies: &[Copy]) {
    let folder = cut.folder();
    for copy in copies {
        if copy.acknowledged <= cut.position() {
            copy.check(folder.path(), &copy.bottles);
        } else if folder.path().join(&copy.name).exists() {
            copy.check(folder.path(), &copies[0].bottles);
        }
    }
    drop(Program::start(bottle(folder.path(), &[])));
    let acknowledged = copies.iter().rfind(|copy| copy.acknowledged <= cut.position());
    sea::check(&folder.path().join("bottle.db"), acknowledged.map_or(&[], |copy| &copy.bottles));
}

pub(crate) fn during_backup(times: usize) -> String {
    let sea = Sea::new();
    let (journal, copies) = record_backups(&sea);
    let cuts = Cuts::new();
    cuts.of(&journal, 0..times, |cut| check_backups(cut, &copies));
    format!("{}; every copy with its name was whole, and none that was made was lost", cuts.kinds())
}

pub(crate) fn during_restore(times: usize) -> String {
    let (old, cuts) = (Killed::new(), Cuts::new());
    let states = [Before::Sound, Before::Damaged, Before::Gone];
    let each = times.div_ceil(states.len());
    for (nth, before) in states.into_iter().enumerate() {
        let folder = old.prepare(before);
        let recorder = Recorder::new(folder.path());
        run_recorded(&recorder, folder.path(), &["restore", "copy.db"]);
        let (ended, journal) = (recorder.position(), recorder.journal());
        cuts.of(&journal, nth * each..times.min((nth + 1) * each), |cut| {
            let was_stopped = cut.position() < ended;
            old.check(cut.folder().path(), before, was_stopped, "after the cut");
        });
    }
    format!("{}; done, not done, or refused until a second restore ended it", cuts.kinds())
}

pub(crate) fn during_import(times: usize) -> String {
    let (from, to) = (Sea::new(), Sea::new());
    let program = from.start();
    from.throw_many(&program, 400);
    let file = from.folder().join("rows.jsonl");
    let file = file.to_str().unwrap();
    run_ok_with_input(from.folder(), &["export", file], "");
    // Of the file to import into.
    let program = to.start();
    to.throw_many(&program, 16);
    drop(program);
    let recorder = Recorder::new(to.folder());
    run_recorded(&recorder, to.folder(), &["import", file]);
    let (ended, journal, cuts) = (recorder.position(), recorder.journal(), Cuts::new());
    let count = |path: &Path| {
        let db = rusqlite::Connection::open(path).unwrap();
        db.query_row("SELECT count(*) FROM bottles", [], |row| row.get::<_, i64>(0)).unwrap()
    };
    let all = count(&to.path());
    cuts.of(&journal, 0..times, |cut| {
        let folder = cut.folder();
        let path = folder.path().join("bottle.db");
        drop(Program::start(bottle(folder.path(), &[])));
        to.check_copy(&path);
        assert!(cut.position() < ended || count(&path) == all, "imported bottles are lost");
        run_ok_with_input(folder.path(), &["import", file], "");
        to.check_copy(&path);
        assert_eq!(count(&path), all, "imported again");
    });
    format!("{}; whole once it had ended, and a second import added what was missing", cuts.kinds())
}

//! Files that the program must not touch.

use std::fs;
use std::path::Path;

use bottle_test_support::bottle;
use rusqlite::Connection;

use crate::sea::Sea;

type Spoil = fn(&Path);

const SPOILED: &[Spoil] = &[
    |path| fs::write(path, "Dear diary").unwrap(),
    |path| {
        fs::remove_file(path).unwrap();
        Connection::open(path).unwrap().execute_batch("CREATE TABLE notes (text)").unwrap();
    },
    |path| Connection::open(path).unwrap().execute_batch("PRAGMA user_version = 999").unwrap(),
    |path| {
        let all = fs::read(path).unwrap();
        fs::write(path, &all[..all.len() / 2]).unwrap();
    },
    |path| {
        // The second half of a page's write never came: of one that holds something.
        let sql = "SELECT rootpage * page_size, page_size FROM sqlite_schema, pragma_page_size
                   WHERE name = 'bottles'";
        let (end, size): (u32, u32) = Connection::open(path)
            .unwrap()
            .query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap();
        let mut all = fs::read(path).unwrap();
        all[(end - size / 2) as usize..end as usize].fill(0);
        fs::write(path, all).unwrap();
    },
    |path| {
        let mut all = fs::read(path).unwrap();
        all[8192..12_288].fill(0xA5);
        fs::write(path, all).unwrap();
    },
    |path| {
        let db = Connection::open(path).unwrap();
        db.execute_batch("DELETE FROM bottles_rtree_rowid WHERE rowid & 2147483647 = 1").unwrap();
    },
];

pub(crate) fn unsound(times: usize) -> String {
    let sea = Sea::new();
    let mut program = sea.start();
    for _ in 0..40 {
        assert_eq!(sea.throw(&program), 200);
    }
    // At its end it folds the log into the file.
    program.signal("TERM");
    assert_eq!(program.status().code(), Some(0));
    for nth in 0..times * SPOILED.len() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bottle.db");
        fs::copy(sea.path(), &path).unwrap();
        SPOILED[nth % SPOILED.len()](&path);
        let before = fs::read(&path).unwrap();
        let output = bottle(folder.path(), &[]).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{nth}: {stderr}");
        assert!(stderr.contains("bottle.db"), "{nth}: {stderr}");
        assert_eq!(fs::read(&path).unwrap(), before, "{nth}: the file was changed");
    }
    format!("{} kinds, each refused and left as it was", SPOILED.len())
}

pub(crate) fn second_process(times: usize) -> String {
    let sea = Sea::new();
    let program = sea.start();
    for _ in 0..times {
        let output = sea.command().output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(stderr.contains("bottle.db"), "{stderr}");
        assert_eq!(sea.throw(&program), 200);
    }
    drop(program);
    sea.check();
    "the second refused with a message, the first went on".into()
}

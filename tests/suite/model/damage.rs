//! Damage to the file that a run leaves behind: `bottle check` finds it, and rebuilds what follows
//! from other rows.

use bottle::store::check::{Remedy, check, rebuild_index};
use rusqlite::Connection;

use super::run::{Outcome, Run};

/// A row of `threads`, chosen by its key.
const A_THREAD: &str = "(bottle_id, opener_id) = (
    SELECT bottle_id, opener_id FROM threads
    ORDER BY (bottle_id * 7919 + opener_id * 104729) % 101 LIMIT 1)";
const A_BOTTLE: &str = "id = (SELECT id FROM bottles ORDER BY id * 7919 % 101 LIMIT 1)";
const A_USER: &str = "id = (SELECT id FROM users ORDER BY id * 7919 % 101 LIMIT 1)";

/// What is changed, in which row, and how `bottle check` describes it.
const DAMAGES: [(&str, &str, &str); 12] = [
    ("UPDATE threads SET replies_count = replies_count + 1", A_THREAD, "counts in a thread"),
    ("UPDATE threads SET last_reply_id = 0", A_THREAD, "counts in a thread"),
    ("UPDATE threads SET owner_unread = owner_unread + 1", A_THREAD, "counts in a thread"),
    ("UPDATE threads SET opener_unread = opener_unread - 1", A_THREAD, "counts in a thread"),
    ("UPDATE threads SET owner_blocks = NOT owner_blocks", A_THREAD, "wrongly marked as blocked"),
    ("UPDATE bottles SET replies_count = replies_count + 1", A_BOTTLE, "wrong number of replies"),
    ("UPDATE bottles SET unread_count = unread_count - 1", A_BOTTLE, "wrong number of replies"),
    ("UPDATE users SET inbox_count = inbox_count + 1", A_USER, "wrong number of inbox items"),
    ("UPDATE users SET inbox_unread = inbox_unread - 1", A_USER, "wrong number of inbox items"),
    ("INSERT INTO threads (bottle_id, opener_id) SELECT id, 0 FROM bottles", A_BOTTLE, "openings"),
    ("INSERT INTO blocks SELECT id, 0, 0 FROM users", A_USER, "missing rows of users"),
    (
        "INSERT INTO inbox_items (user_id, kind, bottle_id, created_at)
         SELECT id, 'shown', 0, 0 FROM users",
        A_USER,
        "missing rows of bottles",
    ),
];

impl Run {
    /// Damages copies of the file, each in one place.
    pub(super) fn compare_damage(&self) -> Outcome {
        for (change, row, description) in DAMAGES {
            let folder = tempfile::tempdir().unwrap();
            let copy = folder.path().join("bottle.db");
            let db = Connection::open(self.app().database()).unwrap();
            db.execute("VACUUM INTO ?1", [copy.to_str()]).unwrap();
            let db = Connection::open(&copy).unwrap();
            let sql = format!("{change} WHERE {row}");
            db.execute_batch("PRAGMA journal_mode = WAL; PRAGMA foreign_keys = off").unwrap();
            if db.execute(&sql, []).unwrap() == 0 {
                continue;
            }
            drop(db);
            let found = check(&copy).unwrap();
            if !found.iter().any(|finding| finding.description.contains(description)) {
                return Err(format!("not found after {sql}: {found:?}"));
            }
            if found.iter().any(|finding| finding.remedy != Remedy::RebuildIndex) {
                continue;
            }
            rebuild_index(&copy).unwrap();
            let left = check(&copy).unwrap();
            if !left.is_empty() {
                return Err(format!("left after {sql}: {left:?}"));
            }
        }
        Ok(())
    }
}

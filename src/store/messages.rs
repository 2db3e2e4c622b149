//! The migration that moves each message out of its bottle's row.

use rusqlite::{Connection, params};

use super::pack;

/// The number of bottles whose messages are moved at once. The pages that they leave then hold the
/// next ones, so the file does not grow to twice its size.
const BOTTLES_PER_STEP: i64 = 10_000;

/// The number of bottles from which the log reports the progress of the migration.
const MIN_REPORTED: i64 = 100_000;

/// Moves the messages of schema 7 into the table `messages`, and fills the table of the map and the
/// R*-tree.
pub(super) fn move_all(db: &Connection) -> rusqlite::Result<()> {
    let last: i64 =
        db.query_row("SELECT coalesce(max(id), 0) FROM bottles", [], |row| row.get(0))?;
    let mut step_end = db.prepare(
        "SELECT max(id) FROM (SELECT id FROM bottles WHERE id > ?1 ORDER BY id LIMIT ?2)",
    )?;
    let mut copy = db.prepare(
        "INSERT INTO messages SELECT id, content FROM bottles WHERE id > ?1 AND id <= ?2",
    )?;
    let mut empty = db.prepare("UPDATE bottles SET content = '' WHERE id > ?1 AND id <= ?2")?;
    let mut progress = Progress { total: last, reported: 0 };
    let mut done = 0;
    while done < last {
        let end: Option<i64> =
            step_end.query_row(params![done, BOTTLES_PER_STEP], |row| row.get(0))?;
        let end = end.unwrap_or(last);
        copy.execute(params![done, end])?;
        empty.execute(params![done, end])?;
        done = end;
        progress.report(done);
    }
    drop((step_end, copy, empty));
    db.execute_batch(include_str!("migrations/0008_messages_moved.sql"))?;
    pack::fill(db, 8)
}

/// Logs each tenth of a long migration.
struct Progress {
    total: i64,
    reported: i64,
}

impl Progress {
    fn report(&mut self, done: i64) {
        let tenth = done.saturating_mul(10) / self.total.max(1);
        if self.total >= MIN_REPORTED && tenth > self.reported {
            self.reported = tenth;
            tracing::info!("migrating to schema 8: {} % of the messages are moved", tenth * 10);
        }
    }
}

//! `bottle check`.

use std::path::{Path, PathBuf};

use bottle::store::check::{self, Remedy};

use super::{database, terminal};

/// Tells all that is wrong with the database; an error if there is anything.
pub(super) fn run(db: Option<PathBuf>, rebuild_index: bool) -> Result<(), String> {
    let db = database(db)?;
    if rebuild_index {
        let bottles = check::rebuild_index(&db).map_err(|e| e.to_string())?;
        terminal::say(format_args!(
            "{}: the index was made anew from {bottles} bottles",
            db.display()
        ));
    }
    let findings = check::check(&db).map_err(|e| e.to_string())?;
    if findings.is_empty() {
        terminal::say(format_args!("{}: nothing is wrong", db.display()));
        return Ok(());
    }
    for finding in &findings {
        terminal::say(format_args!("{}\n    {}", finding.description, hint(finding.remedy, &db)));
    }
    Err(format!("{}: {} findings", db.display(), findings.len()))
}

fn hint(remedy: Remedy, db: &Path) -> String {
    let db = db.display();
    match remedy {
        Remedy::RebuildIndex => {
            format!("Stop the server, then: bottle check --rebuild-index --db {db}")
        }
        Remedy::DeleteRows => format!(
            "Restore a backup (bottle restore FILE --db {db}), or delete these rows by hand; \
             sqlite3 {db} \"PRAGMA foreign_key_check\" lists them."
        ),
        Remedy::DropObject => format!(
            "If you do not need it, stop the server, then: sqlite3 {db} 'DROP ...' (TRIGGER or VIEW, and its \
             name); or restore a backup (bottle restore FILE --db {db})."
        ),
        Remedy::Restore => format!(
            "Restore a backup (bottle restore FILE --db {db}), or save what can be read: \
             sqlite3 {db} .recover | sqlite3 saved.db"
        ),
    }
}

//! `bottle check`.

use std::path::{Path, PathBuf};

use bottle::store::check::{self, Remedy};

use super::{database, terminal};

/// Prints all damage in the database, each with a remedy.
///
/// # Errors
/// Returns a message with the number of findings if there are any.
pub(super) fn run(db: Option<PathBuf>, rebuild_index: bool) -> Result<(), String> {
    let db = database(db)?;
    if rebuild_index {
        let bottles = check::rebuild_index(&db).map_err(|e| e.to_string())?;
        terminal::print(format_args!(
            "{}: the index was rebuilt from {bottles} bottles",
            db.display()
        ));
    }
    let findings = check::check(&db).map_err(|e| e.to_string())?;
    if findings.is_empty() {
        terminal::print(format_args!("{}: nothing is wrong", db.display()));
        return Ok(());
    }
    for finding in &findings {
        terminal::print(format_args!("{}\n    {}", finding.description, hint(finding.remedy, &db)));
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
            "If you do not need it, stop the server, then: sqlite3 {db} 'DROP ...' (TRIGGER or VIEW, \
             and its name); or restore a backup (bottle restore FILE --db {db})."
        ),
        Remedy::Restore => format!(
            "Restore a backup (bottle restore FILE --db {db}), or save what can be read: \
             sqlite3 {db} .recover | sqlite3 saved.db"
        ),
    }
}

//! `bottle backup` and `bottle restore`.

use std::cmp::Reverse;
use std::fmt::Display;
use std::fs;
use std::path::{Path, PathBuf};

use bottle::store::backup::{self, Contents};
use bottle::store::restore;
use chrono::Utc;

use super::{database, progress, terminal};

/// The start and the end of the names that backups get by default.
const PREFIX: &str = "bottle-";
const SUFFIX: &str = ".db";

/// Makes a backup at `to`, or beside the database, and then deletes older backups with default
/// names until `keep` are left.
pub(super) fn run(
    to: Option<PathBuf>,
    keep: Option<usize>,
    db: Option<PathBuf>,
) -> Result<(), String> {
    let db = database(db)?;
    let to = match to {
        Some(folder) if folder.is_dir() => folder.join(default_name()),
        Some(file) if keep.is_some() => {
            return Err(format!(
                "--keep needs a folder, and {} is a file. Name the folder of the backups",
                file.display()
            ));
        }
        Some(file) => file,
        None => db.with_file_name(default_name()),
    };
    let bar = progress::bar("Copying");
    let result = backup::backup(&db, &to, progress::update(&bar));
    bar.finish_and_clear();
    terminal::print(format_args!(
        "{}: {}, checked",
        to.display(),
        summary(&result.map_err(|e| e.to_string())?)
    ));
    match keep {
        Some(keep) => prune(&to, &db, keep.max(1)),
        None => Ok(()),
    }
}

/// Replaces the database by a backup.
pub(super) fn restore(from: &Path, db: Option<PathBuf>) -> Result<(), String> {
    let db = database(db)?;
    let bar = progress::bar("Copying");
    let restored = restore::restore(from, &db, progress::update(&bar));
    bar.finish_and_clear();
    let (contents, previous) = restored.map_err(|e| e.to_string())?;
    terminal::print(format_args!("{}: {}, checked", db.display(), summary(&contents)));
    if let Some(previous) = previous {
        terminal::print(format_args!("The previous database is kept as {}", previous.display()));
    }
    Ok(())
}

fn summary(contents: &Contents) -> String {
    let Contents { accounts, bottles, openings } = contents;
    format!("{accounts} accounts, {bottles} bottles, {openings} openings")
}

/// Returns the default name of a backup that is made now. The names sort by time.
fn default_name() -> String {
    format!("{PREFIX}{}{SUFFIX}", Utc::now().format("%Y%m%dT%H%M%S%.3fZ"))
}

/// Deletes the oldest backups beside `newest`, the backup that was just made of `db`, until `keep`
/// are left.
///
/// Only backups of the same database with default names count. One that is dated after `newest` was
/// made earlier by a wrong clock, and is deleted first.
fn prune(newest: &Path, db: &Path, keep: usize) -> Result<(), String> {
    let failed =
        |e: &dyn Display| format!("the backup was made, but cannot delete older ones: {e}");
    let Some(identity) = backup::identity(newest) else {
        return Ok(());
    };
    let folder = newest.parent().filter(|folder| !folder.as_os_str().is_empty());
    let entries = fs::read_dir(folder.unwrap_or(Path::new("."))).map_err(|e| failed(&e))?;
    let is_older = |path: &PathBuf| {
        has_default_name(path)
            && path.file_name() != newest.file_name()
            && path.canonicalize().ok() != db.canonicalize().ok()
            && backup::identity(path).as_ref() == Some(&identity)
    };
    let mut older: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(is_older).collect();
    older.sort_unstable_by_key(|path| {
        (path.file_name() > newest.file_name(), Reverse(path.clone()))
    });
    for path in older.iter().skip(keep - 1) {
        backup::delete(path).map_err(|e| failed(&e))?;
        terminal::print(format_args!("{}: deleted", path.display()));
    }
    Ok(())
}

fn has_default_name(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let time = name.strip_prefix(PREFIX).and_then(|rest| rest.strip_suffix(SUFFIX));
    time.is_some_and(|time| time.ends_with('Z') && time.starts_with(|c: char| c.is_ascii_digit()))
}

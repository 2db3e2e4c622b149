//! `bottle backup` and `bottle restore`.

use std::path::{Path, PathBuf};

use bottle::model::clock::Clock;
use bottle::store::backup::{self, Contents};
use bottle::store::{backup_folder, restore};

use super::{database, progress, terminal};

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

fn default_name() -> String {
    backup_folder::default_name(Clock::default().now())
}

/// Deletes the oldest backups beside `newest`, until `keep` are left.
fn prune(newest: &Path, db: &Path, keep: usize) -> Result<(), String> {
    let deleted = |path: &Path| terminal::print(format_args!("{}: deleted", path.display()));
    backup_folder::prune(newest, db, keep, deleted)
        .map_err(|e| format!("the backup was made, but cannot delete older ones: {e}"))
}

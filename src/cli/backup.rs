//! `bottle backup` and `bottle restore`.

use std::fs;
use std::path::{Path, PathBuf};

use bottle::store::backup::{self, Contents};
use chrono::Utc;

use super::{database, progress, terminal};

/// What the names of backups begin and end with that were given none.
const PREFIX: &str = "bottle-";
const SUFFIX: &str = ".db";

/// Makes a backup, at `to` if that is named, and keeps only so many of those that are named by their time.
pub(super) fn run(
    to: Option<PathBuf>,
    keep: Option<usize>,
    db: Option<PathBuf>,
) -> Result<(), String> {
    let db = database(db)?;
    let to = match to {
        Some(folder) if folder.is_dir() => folder.join(name_of_now()),
        Some(file) if keep.is_some() => {
            return Err(format!("--keep wants a folder, and {} is none", file.display()));
        }
        Some(file) => file,
        None => db.with_file_name(name_of_now()),
    };
    let bar = progress::bar("Copying");
    let made = backup::backup(&db, &to, progress::tell(&bar));
    bar.finish_and_clear();
    terminal::say(format_args!(
        "{}: {}, checked",
        to.display(),
        told(&made.map_err(|e| e.to_string())?)
    ));
    match keep {
        Some(keep) => forget(&to, keep.max(1)),
        None => Ok(()),
    }
}

/// Puts a backup in the place of the database.
pub(super) fn restore(from: &Path, db: Option<PathBuf>) -> Result<(), String> {
    let db = database(db)?;
    let bar = progress::bar("Copying");
    let restored = backup::restore(from, &db, progress::tell(&bar));
    bar.finish_and_clear();
    let (contents, kept) = restored.map_err(|e| e.to_string())?;
    terminal::say(format_args!("{}: {}, checked", db.display(), told(&contents)));
    if let Some(kept) = kept {
        terminal::say(format_args!("The one before it is kept as {}", kept.display()));
    }
    Ok(())
}

fn told(contents: &Contents) -> String {
    let Contents { accounts, bottles, openings } = contents;
    format!("{accounts} accounts, {bottles} bottles, {openings} openings")
}

/// In the order of such names, older ones come first.
fn name_of_now() -> String {
    format!("{PREFIX}{}{SUFFIX}", Utc::now().format("%Y%m%dT%H%M%S%.3fZ"))
}

/// Deletes the oldest backups beside `newest` that were named by their time, until `keep` are left.
fn forget(newest: &Path, keep: usize) -> Result<(), String> {
    let failed = |e| format!("older backups could not be deleted: {e}");
    let folder = newest.parent().filter(|folder| !folder.as_os_str().is_empty());
    let entries = fs::read_dir(folder.unwrap_or(Path::new("."))).map_err(failed)?;
    let is_ours = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let time = name.strip_prefix(PREFIX).and_then(|rest| rest.strip_suffix(SUFFIX));
        time.is_some_and(|time| {
            time.ends_with('Z') && time.starts_with(|c: char| c.is_ascii_digit())
        })
    };
    let mut backups: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(is_ours).collect();
    backups.sort_unstable();
    for old in backups.iter().rev().skip(keep) {
        fs::remove_file(old).map_err(failed)?;
        terminal::say(format_args!("{}: deleted", old.display()));
    }
    Ok(())
}
